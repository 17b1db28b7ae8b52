/* Adagrad (Duchi, Hazan, Singer, 2011, Adaptive Subgradient Methods for Online Learning and
 * Stochastic Optimization), as Keras writes it:
 *
 *   s = s + g^2
 *   w = w - lr g / sqrt(s + eps)    eps inside the root
 *
 * Slots: s, at the start initial_accumulator.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_ADAGRAD(isa, target, T, S, SQRT)                                                    \
    target static void adagrad_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {   \
        const T lr = (T)c->learning_rate, eps = (T)c->epsilon, decay = (T)p->decay;                \
        T *restrict w = p->w, *restrict s = p->slots[0];                                           \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            s[i] += g[i] * g[i];                                                                   \
            w[i] = (w[i] - decay * w[i]) - lr * g[i] / SQRT(s[i] + eps);                           \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_ADAGRAD(isa, target, float, f32, sqrtf)                                                 \
    DEFINE_ADAGRAD(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {adagrad_f32_##isa, adagrad_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *,
                                const srn_optim_part *) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_adagrad(const srn_optim_config *config, const srn_optim_part *part) {
    SRN_FOR_ISA(loops)[part->dtype](config, part);
}
