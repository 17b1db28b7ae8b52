/* Layer normalization of rows; the formula stands in ops/norm.c. */
#ifndef SRN_KERNELS_NORM_H
#define SRN_KERNELS_NORM_H

#include <stdint.h>

/* `rows` rows of n elements. gamma, beta (n elements) may be NULL: ones, zeros; outputs may be NULL:
 * not wanted. mean and rstd have one element per row. */
#define SRN_NORM_FORWARD(T)                                                                        \
    (int64_t rows, int64_t n, T epsilon, const T *x, const T *gamma, const T *beta, T *y, T *mean, \
     T *rstd)
#define SRN_NORM_BACKWARD(T)                                                                       \
    (int64_t rows, int64_t n, const T *dy, const T *x, const T *mean, const T *rstd,               \
     const T *gamma, T *dx, T *dgamma_terms)

typedef struct srn_norm {
    void(*forward_f32) SRN_NORM_FORWARD(float);
    void(*forward_f64) SRN_NORM_FORWARD(double);
    void(*backward_f32) SRN_NORM_BACKWARD(float);
    void(*backward_f64) SRN_NORM_BACKWARD(double);
} srn_norm;

/* For this processor. */
const srn_norm *srn_norms(void);

extern const srn_norm srn_norm_ref;
extern const srn_norm srn_norm_base;
#if defined(__x86_64__)
extern const srn_norm srn_norm_avx2;
extern const srn_norm srn_norm_avx512;
#endif

#endif
