/* Nadam (Dozat, 2016, Incorporating Nesterov Momentum into Adam), as Keras writes it:
 *
 *   u_t = beta_1 (1 - 0.5 0.96^t),   U_t = u_1 u_2 ... u_t
 *   m = m + (g - m) (1 - beta_1)
 *   v = v + (g^2 - v) (1 - beta_2)
 *   m^ = u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t),   v^ = v / (1 - beta_2^t)
 *   w = w - lr m^ / (sqrt(v^) + eps)
 *
 * Slots: m, v. The product U_{t-1} is in the config.
 */
#include <math.h>

#include "optim/rules.h"

typedef struct factors { /* m^ = by_m m + by_g g, v^ = by_v v */
    double by_m, by_g, by_v;
} factors;

#define DEFINE_NADAM(isa, target, T, S, SQRT)                                                      \
    target static void nadam_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p,       \
                                         const factors *f) {                                       \
        const T rest_1 = (T)(1 - c->beta_1), rest_2 = (T)(1 - c->beta_2);                          \
        const T lr = (T)c->learning_rate, eps = (T)c->epsilon, decay = (T)p->decay;                \
        const T by_m = (T)f->by_m, by_g = (T)f->by_g, by_v = (T)f->by_v;                           \
        T *restrict w = p->w, *restrict m = p->slots[0], *restrict v = p->slots[1];                \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            m[i] += (g[i] - m[i]) * rest_1;                                                        \
            v[i] += (g[i] * g[i] - v[i]) * rest_2;                                                 \
            T step = lr * (by_m * m[i] + by_g * g[i]) / (SQRT(by_v * v[i]) + eps);                 \
            w[i] = (w[i] - decay * w[i]) - step;                                                   \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_NADAM(isa, target, float, f32, sqrtf)                                                   \
    DEFINE_NADAM(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {nadam_f32_##isa, nadam_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *, const srn_optim_part *,
                                const factors *) = {SRN_FOR_EACH_ISA(ROW)};

double srn_optim_nadam_u(const srn_optim_config *config, int64_t t) {
    return config->beta_1 * (1 - 0.5 * pow(0.96, (double)t));
}

void srn_optim_nadam(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    const double u = srn_optim_nadam_u(config, t), next_u = srn_optim_nadam_u(config, t + 1);
    const double product = config->u_product * u;
    const factors f = {
        .by_m = next_u / (1 - product * next_u),
        .by_g = (1 - u) / (1 - product),
        .by_v = 1 / (1 - pow(config->beta_2, (double)t)),
    };
    SRN_FOR_ISA(loops)[part->dtype](config, part, &f);
}
