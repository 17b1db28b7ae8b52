/* Gradient clipping, in place.
 *
 *   clipvalue c          g = min(max(g, -c), c), NaN stays
 *   clipnorm c           g = g c / max(|g|, c), |g| the Euclidean norm of one variable's gradient
 *   global_clipnorm c    the same with the norm of all gradients together; all become NaN when it
 *                        is not finite (Pascanu, Mikolov, Bengio, 2013, On the difficulty of
 *                        training recurrent neural networks)
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_CLAMP(T, S)                                                                         \
    static void clamp_##S(T *g, int64_t n, T limit) {                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T x = g[i] > limit ? limit : g[i];                                                     \
            g[i] = x < -limit ? -limit : x;                                                        \
        }                                                                                          \
    }
DEFINE_CLAMP(float, f32)
DEFINE_CLAMP(double, f64)

static void clip_each(const srn_optim_target *target, char *gradient, double limit) {
    for (int32_t i = 0; i < target->n; i++) {
        const int64_t n = target->begin[i + 1] - target->begin[i];
        void *g = gradient + target->begin[i] * (int64_t)srn_dtype_size(target->dtype);
        const double norm = sqrt(srn_optim_sum_of_squares(target->dtype, g, n));
        if (!(norm <= limit)) {
            srn_optim_scale(target->dtype, g, n, limit / norm);
        }
    }
}

void srn_optim_clip(const srn_optim_config *config, const srn_optim_target *target,
                    void *gradient) {
    const int64_t first = target->begin[0], n = target->begin[target->n] - first;
    char *g = (char *)gradient + first * (int64_t)srn_dtype_size(target->dtype);
    if (config->clipvalue > 0 && target->dtype == SRN_F32) {
        clamp_f32((float *)g, n, (float)config->clipvalue);
    } else if (config->clipvalue > 0) {
        clamp_f64((double *)g, n, config->clipvalue);
    } else if (config->clipnorm > 0) {
        clip_each(target, gradient, config->clipnorm);
    } else if (config->global_clipnorm > 0) {
        const double norm = sqrt(srn_optim_sum_of_squares(target->dtype, g, n));
        if (!(norm <= config->global_clipnorm)) {
            srn_optim_scale(target->dtype, g, n,
                            isfinite(norm) ? config->global_clipnorm / norm : (double)NAN);
        }
    }
}
