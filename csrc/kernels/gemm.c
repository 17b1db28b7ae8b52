/* Matrix product: which kernel does it; see gemm.h. The only file that knows BLAS.
 *
 * BLAS indexes with 32 bits and wants rows that do not overlap; whatever does not fit stays with our
 * own kernels, which take any size.
 */
#include "kernels/gemm.h"

#include <cblas.h>
#include <stdatomic.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/gemm_small.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define BLAS(name) JOIN(SRN_BLAS_PREFIX, name)

/* Where op(A)[i][q] lies. */
static int64_t at_a(const srn_gemm_problem *p, int64_t i, int64_t q) {
    if (p->ta) {
        return q * p->lda + i;
    }
    if (p->taps == 0) {
        return i * p->lda + q;
    }
    int64_t each = p->k / p->taps;
    return i * p->lda + q / each * p->tap_step + q % each;
}

#define REFERENCE(T, S)                                                                            \
    static void reference_##S(const srn_gemm_problem *p) {                                         \
        const T *a = p->a, *b = p->b, *d = p->d;                                                   \
        T *c = p->c;                                                                               \
        for (int64_t i = 0; i < p->m; i++) {                                                       \
            for (int64_t j = 0; j < p->n; j++) {                                                   \
                T sum = d == NULL ? 0 : d[i * p->ldd + j];                                         \
                for (int64_t q = 0; q < p->k; q++) {                                               \
                    sum += a[at_a(p, i, q)] * b[p->tb ? j * p->ldb + q : q * p->ldb + j];          \
                }                                                                                  \
                c[i * p->ldc + j] = sum;                                                           \
            }                                                                                      \
        }                                                                                          \
    }
REFERENCE(float, f32)
REFERENCE(double, f64)

static const srn_gemm_small reference = {reference_f32, reference_f64, NULL};

static const srn_gemm_small *choose(void) {
    switch (srn_cpu_isa()) {
    case SRN_ISA_REF:
        return &reference;
#if defined(__x86_64__)
    case SRN_ISA_AVX2:
        return &srn_gemm_small_avx2;
    case SRN_ISA_AVX512:
        return &srn_gemm_small_avx512;
#endif
    default:
        return &srn_gemm_small_base;
    }
}

/* Chosen at first use; two threads that come at once choose the same. */
static const srn_gemm_small *small(void) {
    static _Atomic(const srn_gemm_small *) chosen;
    const srn_gemm_small *kernels = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (kernels == NULL) {
        kernels = choose();
        BLAS(openblas_set_num_threads)(1);
        atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
    }
    return kernels;
}

bool srn_gemm_is_small(int64_t n, int64_t k) {
    switch (srn_cpu_isa()) {
    case SRN_ISA_BASE:
        return n * k <= 1 << 14;
    case SRN_ISA_AVX2:
        return n <= 1 << 10 || n * k <= 1 << 20;
    default:
        return true;
    }
}

static bool fits_blas(const srn_gemm_problem *p) {
    int64_t all = p->m | p->n | p->k | p->lda | p->ldb | p->ldc; /* no bit above 2^31 - 1 */
    return all <= INT32_MAX && p->lda >= (p->ta ? p->m : p->k) && p->taps <= 1;
}

static enum CBLAS_TRANSPOSE turned(bool t) {
    return t ? CblasTrans : CblasNoTrans;
}

/* BLAS adds to C only: D is brought there first. */
static void blas(srn_dtype dtype, const srn_gemm_problem *p) {
    size_t size = srn_dtype_size(dtype), width = (size_t)p->n * size;
    for (int64_t i = 0; p->d != NULL && p->d != p->c && i < p->m; i++) {
        memcpy((char *)p->c + (size_t)(i * p->ldc) * size,
               (const char *)p->d + (size_t)(i * p->ldd) * size, width);
    }
    if (dtype == SRN_F32) {
        BLAS(cblas_sgemm)(CblasRowMajor, turned(p->ta), turned(p->tb), (int)p->m, (int)p->n,
                          (int)p->k, 1, p->a, (int)p->lda, p->b, (int)p->ldb, p->d != NULL, p->c,
                          (int)p->ldc);
    } else {
        BLAS(cblas_dgemm)(CblasRowMajor, turned(p->ta), turned(p->tb), (int)p->m, (int)p->n,
                          (int)p->k, 1, p->a, (int)p->lda, p->b, (int)p->ldb, p->d != NULL, p->c,
                          (int)p->ldc);
    }
}

static void one_block(srn_dtype dtype, const srn_gemm_problem *p) {
    if (!srn_gemm_is_small(p->n, p->k) && fits_blas(p)) {
        blas(dtype, p);
    } else if (dtype == SRN_F32) {
        small()->f32(p);
    } else {
        small()->f64(p);
    }
}

/* The rows of A in blocks: each gives rows of C, or with `ta` a part of the sum. */
static void block_by_block(srn_dtype dtype, const srn_gemm_problem *p) {
    const int64_t size = (int64_t)srn_dtype_size(dtype);
    srn_gemm_problem q = *p;
    for (int64_t i = 0; i < p->blocks; i++) {
        q.a = (const char *)p->a + i * p->block_a * size;
        if (p->ta) {
            q.b = (const char *)p->b + i * p->block_other * size;
            q.d = i == 0 ? p->d : p->c;
            q.ldd = i == 0 ? p->ldd : p->ldc;
        } else {
            q.c = (char *)p->c + i * p->block_other * size;
            q.d = p->d == p->c ? q.c : p->d;
        }
        one_block(dtype, &q);
    }
}

void srn_gemm(srn_dtype dtype, const srn_gemm_problem *p) {
    const srn_gemm_small *kernels = small();
    if (p->m == 0 || p->n == 0) {
        return;
    }
    if (dtype == SRN_F32 && kernels->narrow_f32 != NULL && kernels->narrow_f32(p)) {
        return;
    }
    if (p->blocks > 1) {
        block_by_block(dtype, p);
    } else {
        one_block(dtype, p);
    }
}
