/* Adam (Kingma and Ba, 2015, Adam: A Method for Stochastic Optimization) in the form of its section
 * 2.1, with eps outside the bias correction, and AMSGrad (Reddi, Kale, Kumar, 2018, On the
 * Convergence of Adam and Beyond), as Keras writes them:
 *
 *   m = m + (g - m) (1 - beta_1)
 *   v = v + (g^2 - v) (1 - beta_2)
 *   h = max(h, v) with amsgrad, else v
 *   w = w - alpha m / (sqrt(h) + eps)    alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t)
 *
 * With weight_decay it is AdamW (Loshchilov and Hutter, 2019, Decoupled Weight Decay
 * Regularization). Slots: m, v, then h with amsgrad.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_ADAM(isa, target, T, S, SQRT)                                                       \
    target static void adam_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p,        \
                                        double rate) {                                             \
        const T rest_1 = (T)(1 - c->beta_1), rest_2 = (T)(1 - c->beta_2);                          \
        const T eps = (T)c->epsilon, alpha = (T)rate, decay = (T)p->decay;                         \
        const bool amsgrad = c->amsgrad;                                                           \
        T *restrict w = p->w, *restrict m = p->slots[0], *restrict v = p->slots[1];                \
        T *restrict h = p->slots[2];                                                               \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            m[i] += (g[i] - m[i]) * rest_1;                                                        \
            T now = v[i] += (g[i] * g[i] - v[i]) * rest_2;                                         \
            if (amsgrad) {                                                                         \
                now = h[i] = h[i] > now ? h[i] : now;                                              \
            }                                                                                      \
            w[i] = (w[i] - decay * w[i]) - alpha * m[i] / (SQRT(now) + eps);                       \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_ADAM(isa, target, float, f32, sqrtf)                                                    \
    DEFINE_ADAM(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {adam_f32_##isa, adam_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *, const srn_optim_part *,
                                double) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_adam(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    const double alpha = config->learning_rate * sqrt(1 - pow(config->beta_2, (double)t)) /
                         (1 - pow(config->beta_1, (double)t));
    SRN_FOR_ISA(loops)[part->dtype](config, part, alpha);
}
