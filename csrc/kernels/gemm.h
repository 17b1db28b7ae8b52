/* Matrix product, row-major:   C (m, n) := alpha op(A) op(B) + beta C,   op(A) (m, k), op(B) (k, n)
 *
 * op(A) is A, or with `ta` its transpose: then a holds (k, m); likewise `tb`. lda, ldb, ldc are the
 * distances of rows in elements. C is not read when beta is 0. m, n, k may be 0 (k == 0: C := beta C).
 * The rows of A may overlap (lda < k): a window that slides over a sequence is a matrix.
 * C must not overlap A or B. No failure, no allocation, on the calling thread.
 *
 * Products run in kernels of our own (gemm_small.h) unless B is large: then in OpenBLAS, which never
 * starts threads here. Parallel callers split the rows of C. A row's bits don't depend on the split
 * where srn_gemm_is_small(n, k); beyond that use a fixed partition.
 *
 * Measured on one core of an AMD EPYC (Zen 5): ours against OpenBLAS 0.3.34 in float32, GFlop/s, with
 * AVX-512 on both sides / with AVX2 on both: 32x80x20 250:220 / 120:103, 32x512x128 211:167 /
 * 113:104, 512x512x512 255:251 / 132:132, 512x2048x4096 252:234 / 125:132. So there is no size from
 * which on OpenBLAS wins by much; it has the large ones because it knows the caches of more machines.
 * SEQRNN_KERNELS=ref: plain loops, for comparison.
 */
#ifndef SRN_KERNELS_GEMM_H
#define SRN_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

void srn_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                  int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
void srn_gemm_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
                  int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc);

/* Whether a product with B of (k, n) runs in our own kernels. */
bool srn_gemm_is_small(int64_t n, int64_t k);

#endif
