/* The elementwise and row-wise loops, compiled per instruction set.
 *
 * The same loops (vector_body.h) are compiled for the baseline, for AVX2 with FMA and for AVX-512;
 * srn_vectors() chooses once. ref.c is the plain truth with libm, for SEQRNN_KERNELS=ref and tests.
 * Instruction sets differ by rounding only: where terms are summed, their order is the same.
 */
#ifndef SRN_KERNELS_VECTOR_H
#define SRN_KERNELS_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/dtype.h"

/* clang-format off */

/* out[i] = f(x[i]). The first five also for integers, the last three to bool. */
#define SRN_UNARY_LIST(X)                                                                          \
    X(neg) X(abs) X(sign) X(square) X(relu) X(sqrt) X(rsqrt) X(reciprocal) X(exp) X(expm1) X(log)  \
    X(log1p) X(sin) X(cos) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh)       \
    X(atanh) X(cbrt) X(sigmoid) X(erf) X(floor) X(ceil) X(round)                                   \
    X(isnan) X(isfinite) X(logical_not)

/* out[i] = f(a[i], b[i]). The first line also for integers, the second for floats only, the third
 * for every type and to bool, the fourth for bool. */
#define SRN_BINARY_LIST(X)                                                                         \
    X(add) X(sub) X(mul) X(maximum) X(minimum) X(mod)                                              \
    X(div) X(pow) X(atan2) X(hypot) X(tanh_grad) X(sigmoid_grad) X(relu_grad)                      \
    X(equal) X(not_equal) X(less) X(less_equal)                                                    \
    X(logical_and) X(logical_or)

/* clang-format on */

typedef enum srn_unary {
#define X(word) SRN_UNARY_##word,
    SRN_UNARY_LIST(X)
#undef X
} srn_unary;

typedef enum srn_binary {
#define X(word) SRN_BINARY_##word,
    SRN_BINARY_LIST(X)
#undef X
} srn_binary;

typedef enum srn_fold { SRN_FOLD_SUM, SRN_FOLD_PROD, SRN_FOLD_MAX, SRN_FOLD_MIN } srn_fold;

/* A running reduction: floats in double, integers and bools in 64 bits (which wrap around). */
typedef union srn_total {
    double f;
    int64_t i;
} srn_total;

/* Columns that one call of `fold` can take. */
#define SRN_FOLD_COLUMNS 128

/* See `spread`. */
#define SRN_SPREAD_MORE 15

/* n is any number of elements, 0 too. `out` may be one of the inputs. */
typedef struct srn_vector {
    void (*unary)(srn_unary f, srn_dtype dtype, void *out, const void *x, int64_t n);
    /* A step is 1, or 0: the operand is one element, repeated. Not both 0 unless n is 1. */
    void (*binary)(srn_binary f, srn_dtype dtype, void *out, const void *a, int step_a,
                   const void *b, int step_b, int64_t n);
    void (*where)(srn_dtype dtype, void *out, const bool *condition, int step_condition,
                  const void *a, int step_a, const void *b, int step_b, int64_t n);
    /* out[i * times + j] = x[i], i = 0 .. n-1, j = 0 .. times-1. Up to SRN_SPREAD_MORE elements behind
     * them are overwritten. */
    void (*spread)(srn_dtype dtype, void *out, const void *x, int64_t n, int64_t times);
    void (*cast)(srn_dtype to, void *out, srn_dtype from, const void *x, int64_t n);
    /* total[j] = f(total[j], x[r * stride + j] for r = 0 .. n-1), j = 0 .. columns-1.
     * Floats are joined in blocks of 32 rows, the blocks in double. columns <= SRN_FOLD_COLUMNS. */
    void (*fold)(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                 int64_t stride, int64_t columns);
    /* The same for runs of n neighbours: total[j] = f(total[j], x[j * stride + i] for i = 0 .. n-1),
     * j = 0 .. runs-1, any number of them. */
    void (*fold_runs)(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                      int64_t stride, int64_t runs);
    /* One row of n floats: softmax, or its logarithm. */
    void (*softmax)(srn_dtype dtype, void *out, const void *x, int64_t n, bool logarithm);
} srn_vector;

const srn_vector *srn_vectors(void); /* for this processor; see srn_cpu_isa */

/* What a total is before the first element: 0, 1, and for max and min an end of the type's range. */
srn_total srn_fold_start(srn_fold f, srn_dtype dtype);
/* out[j] = total[j] as an element of the type. */
void srn_fold_store(srn_dtype dtype, void *out, const srn_total *total, int64_t columns);

/* ---- the tables ---- */
extern const srn_vector srn_vector_ref, srn_vector_base;
#if defined(__x86_64__)
extern const srn_vector srn_vector_avx2, srn_vector_avx512;
#endif

#endif
