/* Lion (Chen et al., 2023, Symbolic Discovery of Optimization Algorithms), as Keras writes it:
 *
 *   w = w - lr sign(beta_1 m + (1 - beta_1) g)
 *   m = beta_2 m + (1 - beta_2) g
 *
 * Slots: m. sign(0) = 0, and the sign of NaN is NaN.
 */
#include "optim/rules.h"

#define DEFINE_LION(isa, target, T, S)                                                             \
    target static void lion_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {      \
        const T lr = (T)c->learning_rate, decay = (T)p->decay;                                     \
        const T beta_1 = (T)c->beta_1, rest_1 = (T)(1 - c->beta_1);                                \
        const T beta_2 = (T)c->beta_2, rest_2 = (T)(1 - c->beta_2);                                \
        T *restrict w = p->w, *restrict m = p->slots[0];                                           \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            const T x = beta_1 * m[i] + rest_1 * g[i];                                             \
            const T sign = x > 0 ? 1 : x < 0 ? -1 : x;                                             \
            w[i] = (w[i] - decay * w[i]) - lr * sign;                                              \
            m[i] = beta_2 * m[i] + rest_2 * g[i];                                                  \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_LION(isa, target, float, f32)                                                           \
    DEFINE_LION(isa, target, double, f64)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {lion_f32_##isa, lion_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *,
                                const srn_optim_part *) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_lion(const srn_optim_config *config, const srn_optim_part *part) {
    SRN_FOR_ISA(loops)[part->dtype](config, part);
}
