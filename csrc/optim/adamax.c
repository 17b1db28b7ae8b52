/* Adamax (Kingma and Ba, 2015, Adam: A Method for Stochastic Optimization, section 7.1), as Keras
 * writes it:
 *
 *   m = m + (g - m) (1 - beta_1)
 *   u = max(beta_2 u, |g|)
 *   w = w - alpha m / (u + eps)    alpha = lr / (1 - beta_1^t)
 *
 * Slots: m, u.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_ADAMAX(isa, target, T, S, ABS)                                                      \
    target static void adamax_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p,      \
                                          double rate) {                                           \
        const T rest_1 = (T)(1 - c->beta_1), beta_2 = (T)c->beta_2;                                \
        const T eps = (T)c->epsilon, alpha = (T)rate, decay = (T)p->decay;                         \
        T *restrict w = p->w, *restrict m = p->slots[0], *restrict u = p->slots[1];                \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            m[i] += (g[i] - m[i]) * rest_1;                                                        \
            const T before = beta_2 * u[i], now = ABS(g[i]);                                       \
            u[i] = now > before ? now : before;                                                    \
            w[i] = (w[i] - decay * w[i]) - alpha * m[i] / (u[i] + eps);                            \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_ADAMAX(isa, target, float, f32, fabsf)                                                  \
    DEFINE_ADAMAX(isa, target, double, f64, fabs)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {adamax_f32_##isa, adamax_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *, const srn_optim_part *,
                                double) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_adamax(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    const double alpha = config->learning_rate / (1 - pow(config->beta_1, (double)t));
    SRN_FOR_ISA(loops)[part->dtype](config, part, alpha);
}
