/* Adadelta (Zeiler, 2012, ADADELTA: An Adaptive Learning Rate Method), as Keras writes it:
 *
 *   s = rho s + (1 - rho) g^2
 *   d = g sqrt(x + eps) / sqrt(s + eps)
 *   x = rho x + (1 - rho) d^2
 *   w = w - lr d
 *
 * Slots: s, x.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_ADADELTA(isa, target, T, S, SQRT)                                                   \
    target static void adadelta_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {  \
        const T lr = (T)c->learning_rate, eps = (T)c->epsilon, decay = (T)p->decay;                \
        const T rho = (T)c->rho, rest = (T)(1 - c->rho);                                           \
        T *restrict w = p->w, *restrict s = p->slots[0], *restrict x = p->slots[1];                \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            s[i] = rho * s[i] + rest * g[i] * g[i];                                                \
            T d = SQRT(x[i] + eps) * g[i] / SQRT(s[i] + eps);                                      \
            x[i] = rho * x[i] + rest * d * d;                                                      \
            w[i] = (w[i] - decay * w[i]) - lr * d;                                                 \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_ADADELTA(isa, target, float, f32, sqrtf)                                                \
    DEFINE_ADADELTA(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {adadelta_f32_##isa, adadelta_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *,
                                const srn_optim_part *) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_adadelta(const srn_optim_config *config, const srn_optim_part *part) {
    SRN_FOR_ISA(loops)[part->dtype](config, part);
}
