/* Follow the regularized leader, proximal (McMahan et al., 2013, Ad Click Prediction: a View from
 * the Trenches), as Keras writes it. With p = -learning_rate_power, 1/2 unless given:
 *
 *   n = s + g^2
 *   z = z + g + 2 l2_shrinkage w - (n^p - s^p) / lr w
 *   w = (clip(z, -l1, l1) - z) / (n^p / lr + 2 l2 + beta / lr)
 *   s = n
 *
 * Slots: s, at the start initial_accumulator; z. The first step forgets the weights, which are a
 * function of s and z alone. For p = 1/2 the difference of roots is g^2 / (sqrt(n) + sqrt(s)), which
 * does not cancel.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_FTRL(isa, target, T, S, SQRT, POW)                                                  \
    target static void ftrl_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {      \
        const T lr = (T)c->learning_rate, decay = (T)p->decay, l1 = (T)c->l1;                      \
        const T shrink = (T)(2 * c->l2_shrinkage), power = (T) - c->learning_rate_power;           \
        const T smooth = (T)(2 * c->l2 + c->beta / c->learning_rate);                              \
        const bool root = c->learning_rate_power == -0.5;                                          \
        T *restrict w = p->w, *restrict s = p->slots[0], *restrict z = p->slots[1];                \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            const T before = w[i] - decay * w[i], square = g[i] * g[i], n = s[i] + square;         \
            const T old = root ? SQRT(s[i]) : POW(s[i], power);                                    \
            const T now = root ? SQRT(n) : POW(n, power);                                          \
            const T rise = !root ? now - old : now + old > 0 ? square / (now + old) : 0;           \
            z[i] += g[i] + shrink * before - rise / lr * before;                                   \
            const T clipped = z[i] > l1 ? l1 : z[i] < -l1 ? -l1 : z[i];                            \
            w[i] = (clipped - z[i]) / (now / lr + smooth);                                         \
            s[i] = n;                                                                              \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_FTRL(isa, target, float, f32, sqrtf, powf)                                              \
    DEFINE_FTRL(isa, target, double, f64, sqrt, pow)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {ftrl_f32_##isa, ftrl_f64_##isa},
static void (*const loops[][2])(const srn_optim_config *,
                                const srn_optim_part *) = {SRN_FOR_EACH_ISA(ROW)};

void srn_optim_ftrl(const srn_optim_config *config, const srn_optim_part *part) {
    SRN_FOR_ISA(loops)[part->dtype](config, part);
}
