/* C := alpha op(A) op(B) + beta C in kernels of our own, one per instruction set. No allocation, no
 * packing of A, any size and stride (the rows of A may overlap). Same meaning of the arguments as in
 * gemm.h.
 *
 * An element of C is the sum over p in order, in pieces of GEMM_SMALL_K products, whatever the
 * number of rows: so a row has the same bits however the rows are split among calls.
 */
#ifndef SRN_KERNELS_GEMM_SMALL_H
#define SRN_KERNELS_GEMM_SMALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEMM_SMALL_K 128

typedef struct srn_gemm_small {
    void (*f32)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
    void (*f64)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
                int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc);
} srn_gemm_small;

extern const srn_gemm_small srn_gemm_small_base;
#if defined(__x86_64__)
extern const srn_gemm_small srn_gemm_small_avx2;
extern const srn_gemm_small srn_gemm_small_avx512;
#endif

#endif
