/* Matrix product, row-major:   C (m, n) := op(A) op(B) + D,   op(A) (m, k), op(B) (k, n)
 *
 * op(A) is A, or with `ta` its transpose: then a holds (k, m); likewise `tb`. lda, ldb, ldc, ldd are
 * the distances of rows in elements. D (m, n) may be NULL (zero), C itself (accumulate), or have ldd
 * 0: one row for all (a bias). m, n, k may be 0 (k == 0: C := D).
 * The rows of A may overlap (lda < k): a window that slides over a sequence is a matrix. With `taps`
 * a row of A (not turned) is so many pieces of k / taps numbers, `tap_step` apart: a window with
 * holes. The rows of A as they lie may come in `blocks` of m (with `ta`: of k) rows, `block_a`
 * elements apart. Then so do the rows that belong to them, `block_other` apart: those of C, and of
 * D where that is C; with `ta` those of B, and the sum goes over all blocks. (D is NULL, C or one
 * row.)
 * C must not overlap A or B, nor D unless it is D. No failure, no allocation, on the calling
 * thread.
 *
 * Products run in kernels of our own (gemm_small.h, gemm_narrow_avx512.c); with AVX2 and less
 * OpenBLAS, which never starts threads here, takes those with a large B. Parallel callers split the
 * rows of C. A row's bits don't depend on the split where srn_gemm_is_small(n, k); beyond that use a
 * fixed partition.
 *
 * Measured on one core of an AMD EPYC (Zen 5): ours against OpenBLAS 0.3.34 in float32, GFlop/s, with
 * AVX-512 on both sides / with AVX2 on both: 32x80x20 250:220 / 120:103, 32x512x128 211:167 /
 * 113:104, 512x512x512 255:251 / 132:132, 512x2048x4096 252:234 / 125:132. So no size gives OpenBLAS
 * more with AVX-512, where it may also choose AVX2 by itself (130). Beyond the L2 cache ours wants 64
 * rows and more: 6400x2048x512 in blocks of 16 rows 188, of 64 210, of 128 218.
 * SEQRNN_KERNELS=ref: plain loops, for comparison.
 */
#ifndef SRN_KERNELS_GEMM_H
#define SRN_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/dtype.h"

typedef struct srn_gemm_problem {
    bool ta, tb;
    int64_t m, n, k;
    const void *a, *b, *d;
    void *c;
    int64_t lda, ldb, ldd, ldc;
    int64_t taps, tap_step;               /* 0: whole rows */
    int64_t blocks, block_a, block_other; /* 0: one */
} srn_gemm_problem;

void srn_gemm(srn_dtype dtype, const srn_gemm_problem *p); /* SRN_F32 or SRN_F64 */

/* Whether a product with B of (k, n) runs in our own kernels. */
bool srn_gemm_is_small(int64_t n, int64_t k);

#endif
