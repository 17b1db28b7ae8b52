/* Passes that several rules share, over the n elements of a variable or of all of them: see rules.h.
 *
 * Squares are added in double, in LANES sums joined pairwise: the same order always.
 */
#include "optim/rules.h"

enum { LANES = 32 };

#define DEFINE_SUM(isa, target, T, S)                                                              \
    target static double sum_of_squares_##S##_##isa(const void *values, int64_t n) {               \
        const T *x = values;                                                                       \
        double sum[LANES] = {0};                                                                   \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES) {                                                       \
            for (int j = 0; j < LANES; j++) {                                                      \
                sum[j] += (double)x[i + j] * (double)x[i + j];                                     \
            }                                                                                      \
        }                                                                                          \
        for (int j = 0; i < n; i++, j++) {                                                         \
            sum[j] += (double)x[i] * (double)x[i];                                                 \
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

double srn_optim_sum_of_squares(srn_dtype dtype, const void *x, int64_t n) {
    return SRN_FOR_ISA(sum_of_squares)[dtype](x, n);
}

#define DEFINE_PASSES(T, S)                                                                        \
    static void scale_##S(T *x, int64_t n, T factor) {                                             \
        for (int64_t i = 0; i < n; i++) {                                                          \
            x[i] *= factor;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void subtract_##S(T *restrict x, const T *restrict y, int64_t n, T factor) {            \
        for (int64_t i = 0; i < n; i++) {                                                          \
            x[i] -= factor * y[i];                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void add_##S(const T *restrict g, T *restrict sum, int64_t n) {                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            sum[i] += g[i];                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void mean_##S(T *restrict g, T *restrict sum, int64_t n, T k) {                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            g[i] = (sum[i] + g[i]) / k;                                                            \
            sum[i] = 0;                                                                            \
        }                                                                                          \
    }                                                                                              \
    static void average_##S(T *restrict w, T *restrict a, int64_t n, T q, T rest,                  \
                            bool overwrite) {                                                      \
        for (int64_t i = 0; i < n; i++) {                                                          \
            a[i] = q * a[i] + rest * w[i];                                                         \
        }                                                                                          \
        for (int64_t i = 0; overwrite && i < n; i++) {                                             \
            w[i] = a[i];                                                                           \
        }                                                                                          \
    }
DEFINE_PASSES(float, f32)
DEFINE_PASSES(double, f64)

void srn_optim_scale(srn_dtype dtype, void *x, int64_t n, double factor) {
    if (dtype == SRN_F32) {
        scale_f32(x, n, (float)factor);
    } else {
        scale_f64(x, n, factor);
    }
}

void srn_optim_subtract(srn_dtype dtype, void *x, const void *y, int64_t n, double factor) {
    if (dtype == SRN_F32) {
        subtract_f32(x, y, n, (float)factor);
    } else {
        subtract_f64(x, y, n, factor);
    }
}

void srn_optim_accumulate(srn_dtype dtype, void *gradient, void *sum, int64_t n, int64_t k) {
    if (dtype == SRN_F32) {
        k > 0 ? mean_f32(gradient, sum, n, (float)k) : add_f32(gradient, sum, n);
    } else {
        k > 0 ? mean_f64(gradient, sum, n, (double)k) : add_f64(gradient, sum, n);
    }
}

void srn_optim_average(srn_dtype dtype, void *w, void *a, int64_t n, double q, bool overwrite) {
    if (dtype == SRN_F32) {
        average_f32(w, a, n, (float)q, (float)(1 - q), overwrite);
    } else {
        average_f64(w, a, n, q, 1 - q, overwrite);
    }
}
