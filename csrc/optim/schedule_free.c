/* Schedule-free AdamW (Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky, 2024, The Road Less
 * Scheduled), as Keras writes it. The steps are taken by z, x is the mean of all z so far, and the
 * variable is y, between the two:
 *
 *   v  = v + (g^2 - v) (1 - beta_2)
 *   x  = (y - (1 - beta_1) z) / beta_1            what y was made of
 *   z  = z - r g / (sqrt(v / (1 - beta_2^t)) + eps)
 *   x  = (1 - 1/t) x + z / t
 *   y  = (1 - beta_1) z + beta_1 x                r = lr min(t / warmup_steps, 1)
 *
 * x is not kept. Slots: z, at the start the variable, which the caller sees to; v.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_SCHEDULE_FREE(isa, target, T, S, SQRT)                                              \
    target static void schedule_free_##S##_##isa(const srn_optim_config *c,                        \
                                                 const srn_optim_part *p, double lr, int64_t t) {  \
        const T rate = (T)lr, eps = (T)c->epsilon, decay = (T)p->decay;                            \
        const T beta = (T)c->beta_1, rest_1 = (T)(1 - c->beta_1), rest_2 = (T)(1 - c->beta_2);     \
        const T share = (T)(1 / (double)t), correction = (T)(1 - pow(c->beta_2, (double)t));       \
        T *restrict w = p->w, *restrict z = p->slots[0], *restrict v = p->slots[1];                \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            const T y = w[i] - decay * w[i], x = (y - rest_1 * z[i]) / beta;                       \
            v[i] += (g[i] * g[i] - v[i]) * rest_2;                                                 \
            z[i] -= rate * g[i] / (SQRT(v[i] / correction) + eps);                                 \
            w[i] = rest_1 * z[i] + beta * ((1 - share) * x + share * z[i]);                        \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_SCHEDULE_FREE(isa, target, float, f32, sqrtf)                                           \
    DEFINE_SCHEDULE_FREE(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {schedule_free_f32_##isa, schedule_free_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *, const srn_optim_part *, double,
                                int64_t) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_schedule_free(const srn_optim_config *config, const srn_optim_part *part,
                             int64_t t) {
    const int64_t warm = config->warmup_steps;
    const double share = t < warm ? (double)t / (double)warm : 1;
    SRN_FOR_ISA(loops)[part->dtype](config, part, config->learning_rate * share, t);
}
