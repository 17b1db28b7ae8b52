/* RMSprop (Tieleman and Hinton, 2012, lecture 6.5 of Neural Networks for Machine Learning), centered
 * as by Graves (2013, Generating Sequences With Recurrent Neural Networks), as Keras writes it:
 *
 *   s = rho s + (1 - rho) g^2
 *   a = rho a + (1 - rho) g              centered only
 *   step = lr g / sqrt(s - a^2 + eps)    eps inside the root; without a^2 unless centered
 *   w = w - step                         momentum: b = mu b + step, w = w - b
 *
 * Slots: s, then b when mu > 0, then a when centered.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_RMSPROP(isa, target, T, S, SQRT)                                                    \
    target static void rmsprop_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {   \
        const T lr = (T)c->learning_rate, rho = (T)c->rho, rest = (T)(1 - c->rho);                 \
        const T eps = (T)c->epsilon, mu = (T)c->momentum, decay = (T)p->decay;                     \
        const bool momentum = c->momentum > 0, centered = c->centered;                             \
        T *restrict w = p->w, *restrict s = p->slots[0];                                           \
        T *restrict b = p->slots[1], *restrict a = p->slots[momentum ? 2 : 1];                     \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            T variance = s[i] = rho * s[i] + rest * g[i] * g[i];                                   \
            if (centered) {                                                                        \
                a[i] = rho * a[i] + rest * g[i];                                                   \
                variance -= a[i] * a[i];                                                           \
            }                                                                                      \
            T step = lr * g[i] / SQRT(variance + eps);                                             \
            if (momentum) {                                                                        \
                step = b[i] = mu * b[i] + step;                                                    \
            }                                                                                      \
            w[i] = (w[i] - decay * w[i]) - step;                                                   \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_RMSPROP(isa, target, float, f32, sqrtf)                                                 \
    DEFINE_RMSPROP(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {rmsprop_f32_##isa, rmsprop_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *,
                                const srn_optim_part *) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_rmsprop(const srn_optim_config *config, const srn_optim_part *part) {
    SRN_FOR_ISA(loops)[part->dtype](config, part);
}
