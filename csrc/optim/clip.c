/* Gradient clipping, in place.
 *
 *   clipvalue c          g = min(max(g, -c), c), NaN stays
 *   clipnorm c           g = g c / max(|g|, c), |g| the Euclidean norm of one variable's gradient
 *   global_clipnorm c    the same with the norm of all gradients together; all become NaN when it
 *                        is not finite (Pascanu, Mikolov, Bengio, 2013, On the difficulty of
 *                        training recurrent neural networks)
 *
 * Squares are added in double, in LANES sums joined pairwise: the same order always.
 */
#include <math.h>

#include "optim/rules.h"

enum { LANES = 32 };

#define DEFINE_SUM(isa, target, T, S)                                                              \
    target static double sum_of_squares_##S##_##isa(const void *gradient, int64_t n) {             \
        const T *g = gradient;                                                                     \
        double sum[LANES] = {0};                                                                   \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES) {                                                       \
            for (int j = 0; j < LANES; j++) {                                                      \
                sum[j] += (double)g[i + j] * (double)g[i + j];                                     \
            }                                                                                      \
        }                                                                                          \
        for (int j = 0; i < n; i++, j++) {                                                         \
            sum[j] += (double)g[i] * (double)g[i];                                                 \
        }                                                                                          \
        for (int width = LANES / 2; width > 0; width /= 2) {                                       \
            for (int j = 0; j < width; j++) {                                                      \
                sum[j] += sum[j + width];                                                          \
            }                                                                                      \
        }                                                                                          \
        return sum[0];                                                                             \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_SUM(isa, target, float, f32)                                                            \
    DEFINE_SUM(isa, target, double, f64)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {sum_of_squares_f32_##isa, sum_of_squares_f64_##isa},
static double (*const sum_of_squares[][2])(const void *, int64_t) = {SRN_FOR_EACH_ISA(ROW)};

#define DEFINE_CLIP(T, S)                                                                          \
    static void scale_##S(T *g, int64_t n, T factor) {                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            g[i] *= factor;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void clamp_##S(T *g, int64_t n, T limit) {                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T x = g[i] > limit ? limit : g[i];                                                     \
            g[i] = x < -limit ? -limit : x;                                                        \
        }                                                                                          \
    }
DEFINE_CLIP(float, f32)
DEFINE_CLIP(double, f64)

static void scale(srn_dtype dtype, void *g, int64_t n, double factor) {
    if (dtype == SRN_F32) {
        scale_f32(g, n, (float)factor);
    } else {
        scale_f64(g, n, factor);
    }
}

static void clip_each(const srn_optim_target *target, char *gradient, double limit) {
    for (int32_t i = 0; i < target->n; i++) {
        const int64_t n = target->begin[i + 1] - target->begin[i];
        void *g = gradient + target->begin[i] * (int64_t)srn_dtype_size(target->dtype);
        const double norm = sqrt(SRN_FOR_ISA(sum_of_squares)[target->dtype](g, n));
        if (!(norm <= limit)) {
            scale(target->dtype, g, n, limit / norm);
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
        const double norm = sqrt(SRN_FOR_ISA(sum_of_squares)[target->dtype](g, n));
        if (!(norm <= config->global_clipnorm)) {
            scale(target->dtype, g, n,
                  isfinite(norm) ? config->global_clipnorm / norm : (double)NAN);
        }
    }
}
