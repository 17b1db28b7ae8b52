/* LAMB (You et al., 2020, Large Batch Optimization for Deep Learning: Training BERT in 76 minutes),
 * as Keras writes it, for each variable, |x| being the Euclidean norm of all its elements:
 *
 *   m = m + (g - m) (1 - beta_1),   v = v + (g^2 - v) (1 - beta_2)
 *   u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + eps)
 *   w = w - lr |w| / |u| u          |w| / |u| is 1 where one of the norms is 0
 *
 * Slots: m, v. Three passes, since |u| has to be known before w changes; u takes the place of g.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_LAMB(isa, target, T, S, SQRT)                                                       \
    target static void lamb_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p,        \
                                        double unbias_1, double unbias_2) {                        \
        const T rest_1 = (T)(1 - c->beta_1), rest_2 = (T)(1 - c->beta_2);                          \
        const T eps = (T)c->epsilon, by_m = (T)unbias_1, by_v = (T)unbias_2;                       \
        T *restrict g = p->gradient, *restrict m = p->slots[0], *restrict v = p->slots[1];         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            m[i] += (g[i] - m[i]) * rest_1;                                                        \
            v[i] += (g[i] * g[i] - v[i]) * rest_2;                                                 \
            g[i] = by_m * m[i] / (SQRT(by_v * v[i]) + eps);                                        \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_LAMB(isa, target, float, f32, sqrtf)                                                    \
    DEFINE_LAMB(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {lamb_f32_##isa, lamb_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *, const srn_optim_part *, double,
                                double) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_lamb(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    SRN_FOR_ISA(loops)
    [part->dtype](config, part, 1 / (1 - pow(config->beta_1, (double)t)),
                  1 / (1 - pow(config->beta_2, (double)t)));
    srn_optim_scale(part->dtype, part->w, part->n, 1 - part->decay);
    const double w = sqrt(srn_optim_sum_of_squares(part->dtype, part->w, part->n));
    const double u = sqrt(srn_optim_sum_of_squares(part->dtype, part->gradient, part->n));
    const double ratio = w > 0 && u > 0 ? w / u : 1;
    srn_optim_subtract(part->dtype, part->w, part->gradient, part->n,
                       config->learning_rate * ratio);
}
