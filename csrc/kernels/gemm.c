/* Matrix product: which kernel does it; see gemm.h. The only file that knows BLAS.
 *
 * BLAS indexes with 32 bits and wants rows that do not overlap; whatever does not fit stays with our
 * own kernels, which take any size.
 */
#include "kernels/gemm.h"

#include <cblas.h>
#include <stdatomic.h>

#include "base/cpu.h"
#include "kernels/gemm_small.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define BLAS(name) JOIN(SRN_BLAS_PREFIX, name)

#define REFERENCE(T, S)                                                                            \
    static void reference_##S(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha,          \
                              const T *a, int64_t lda, const T *b, int64_t ldb, T beta, T *c,      \
                              int64_t ldc) {                                                       \
        for (int64_t i = 0; i < m; i++) {                                                          \
            for (int64_t j = 0; j < n; j++) {                                                      \
                T sum = 0;                                                                         \
                for (int64_t p = 0; p < k; p++) {                                                  \
                    sum += a[ta ? p * lda + i : i * lda + p] * b[tb ? j * ldb + p : p * ldb + j];  \
                }                                                                                  \
                T *to = &c[i * ldc + j];                                                           \
                *to = beta == 0 ? alpha * sum : alpha * sum + beta * *to;                          \
            }                                                                                      \
        }                                                                                          \
    }
REFERENCE(float, f32)
REFERENCE(double, f64)

static const srn_gemm_small reference = {reference_f32, reference_f64};

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
    srn_isa isa = srn_cpu_isa();
    if (isa == SRN_ISA_REF) {
        return true;
    }
    return isa == SRN_ISA_BASE ? n * k <= 1 << 14 : n <= 1 << 10 || n * k <= 1 << 20;
}

static bool fits_blas(bool ta, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb,
                      int64_t ldc) {
    int64_t all = m | n | k | lda | ldb | ldc; /* no bit above 2^31 - 1 */
    return all <= INT32_MAX && lda >= (ta ? m : k);
}

static enum CBLAS_TRANSPOSE turned(bool t) {
    return t ? CblasTrans : CblasNoTrans;
}

void srn_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                  int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
    const srn_gemm_small *kernels = small();
    if (srn_gemm_is_small(n, k) || !fits_blas(ta, m, n, k, lda, ldb, ldc)) {
        kernels->f32(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    BLAS(cblas_sgemm)(CblasRowMajor, turned(ta), turned(tb), (int)m, (int)n, (int)k, alpha, a,
                      (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

void srn_gemm_f64(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
                  int64_t lda, const double *b, int64_t ldb, double beta, double *c, int64_t ldc) {
    const srn_gemm_small *kernels = small();
    if (srn_gemm_is_small(n, k) || !fits_blas(ta, m, n, k, lda, ldb, ldc)) {
        kernels->f64(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    BLAS(cblas_dgemm)(CblasRowMajor, turned(ta), turned(tb), (int)m, (int)n, (int)k, alpha, a,
                      (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
