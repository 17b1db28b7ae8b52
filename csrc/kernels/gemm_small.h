/* C := op(A) op(B) + D in kernels of our own, one per instruction set. No allocation, no
 * packing of A, any size and stride (the rows of A may overlap). Same meaning of the arguments as in
 * gemm.h.
 *
 * An element of C is D and the sum over p in order, in pieces of GEMM_SMALL_K products, whatever the
 * number of rows: so a row has the same bits however the rows are split among calls.
 */
#ifndef SRN_KERNELS_GEMM_SMALL_H
#define SRN_KERNELS_GEMM_SMALL_H

#include "kernels/gemm.h"

#define GEMM_SMALL_K 128

typedef struct srn_gemm_small {
    void (*f32)(const srn_gemm_problem *p);
    void (*f64)(const srn_gemm_problem *p);
    /* For few columns of floats, blocks too; false, and nothing done, if that would not pay. That
     * depends on n, k, `ta` and the blocks alone. NULL: there is none. */
    bool (*narrow_f32)(const srn_gemm_problem *p);
} srn_gemm_small;

extern const srn_gemm_small srn_gemm_small_base;
#if defined(__x86_64__)
extern const srn_gemm_small srn_gemm_small_avx2;
extern const srn_gemm_small srn_gemm_small_avx512;
bool srn_gemm_narrow_avx512(const srn_gemm_problem *p);
#endif

#endif
