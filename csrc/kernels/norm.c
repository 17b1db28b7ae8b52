/* Layer normalization of rows: the plain loops, and which kernel serves this processor. */
#include "kernels/norm.h"

#include <math.h>
#include <stddef.h>

#include "base/cpu.h"

#define REFERENCE(T, S)                                                                            \
    static void forward_##S SRN_NORM_FORWARD(T) {                                                  \
        for (int64_t r = 0; r < rows; r++, x += n) {                                               \
            T first = n > 0 ? *x : 0, sum = 0, squares = 0;                                        \
            for (int64_t i = 0; i < n; i++) {                                                      \
                sum += x[i] - first;                                                               \
            }                                                                                      \
            T centre = sum / (T)n;                                                                 \
            for (int64_t i = 0; i < n; i++) {                                                      \
                squares += (x[i] - first - centre) * (x[i] - first - centre);                      \
            }                                                                                      \
            T scale = (T)(1 / sqrt(squares / (T)n + epsilon));                                     \
            for (int64_t i = 0; y != NULL && i < n; i++) {                                         \
                T hat = (x[i] - first - centre) * scale;                                           \
                y[r * n + i] =                                                                     \
                    hat * (gamma == NULL ? 1 : gamma[i]) + (beta == NULL ? 0 : beta[i]);           \
            }                                                                                      \
            if (mean != NULL) {                                                                    \
                mean[r] = first + centre;                                                          \
            }                                                                                      \
            if (rstd != NULL) {                                                                    \
                rstd[r] = scale;                                                                   \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void backward_##S SRN_NORM_BACKWARD(T) {                                                \
        for (int64_t r = 0; r < rows; r++, x += n, dy += n) {                                      \
            T sum = 0, sum_hat = 0;                                                                \
            for (int64_t i = 0; i < n; i++) {                                                      \
                T g = dy[i] * (gamma == NULL ? 1 : gamma[i]), hat = (x[i] - mean[r]) * rstd[r];    \
                sum += g;                                                                          \
                sum_hat += g * hat;                                                                \
            }                                                                                      \
            for (int64_t i = 0; i < n; i++) {                                                      \
                T g = dy[i] * (gamma == NULL ? 1 : gamma[i]), hat = (x[i] - mean[r]) * rstd[r];    \
                if (dx != NULL) {                                                                  \
                    dx[r * n + i] = rstd[r] * (g - sum / (T)n - hat * (sum_hat / (T)n));           \
                }                                                                                  \
                if (dgamma_terms != NULL) {                                                        \
                    dgamma_terms[r * n + i] = dy[i] * hat;                                         \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
REFERENCE(float, f32)
REFERENCE(double, f64)

const srn_norm srn_norm_ref = {forward_f32, forward_f64, backward_f32, backward_f64};

const srn_norm *srn_norms(void) {
    switch (srn_cpu_isa()) {
    case SRN_ISA_REF:
        return &srn_norm_ref;
#if defined(__x86_64__)
    case SRN_ISA_AVX2:
        return &srn_norm_avx2;
    case SRN_ISA_AVX512:
        return &srn_norm_avx512;
#endif
    default:
        return &srn_norm_base;
    }
}
