/* The matrix product against three plain loops in long double: every kernel this machine has, the
 * shapes around the tile sizes, memory beyond the matrices untouched, rows independent of how they
 * are split. */
#include <stdlib.h>

#include "base/cpu.h"
#include "kernels/gemm.h"
#include "kernels/gemm_small.h"
#include "tests/c/testing.h"

enum { ROOM = 1 << 16 };
static float a32[ROOM], b32[ROOM], c32[ROOM], d32[ROOM];
static double a64[ROOM], b64[ROOM], c64[ROOM], d64[ROOM];
static double size[ROOM]; /* sums of the absolute values: what rounding is proportional to */

typedef struct problem {
    bool ta, tb;
    int64_t m, n, k, lda, ldb, ldc;
    double alpha, beta;
} problem;

/* Whatever the loops can't reach is NaN, so that one stray read shows. */
static void fill(const problem *p) {
    for (int i = 0; i < ROOM; i++) {
        a64[i] = b64[i] = NAN;
        d64[i] = c64[i] = 1e30 + i;
    }
    uint32_t seed = 1;
#define NEXT() ((double)(int32_t)(seed = seed * 1664525u + 1013904223u) / 2147483648.0)
    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t q = 0; q < p->k; q++) {
            a64[p->ta ? q * p->lda + i : i * p->lda + q] = (float)NEXT();
        }
    }
    for (int64_t q = 0; q < p->k; q++) {
        for (int64_t j = 0; j < p->n; j++) {
            b64[p->tb ? j * p->ldb + q : q * p->ldb + j] = (float)NEXT();
        }
    }
    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            int64_t at = i * p->ldc + j;
            long double sum = 0, sum_abs = 0;
            c64[at] = p->beta == 0 ? NAN : (float)NEXT();
            for (int64_t q = 0; q < p->k; q++) {
                long double product = (long double)a64[p->ta ? q * p->lda + i : i * p->lda + q] *
                                      b64[p->tb ? j * p->ldb + q : q * p->ldb + j];
                sum += product;
                sum_abs += fabsl(product);
            }
            double before = p->beta == 0 ? 0 : p->beta * c64[at];
            d64[at] = (double)(p->alpha * sum + before);
            size[at] = (double)(fabs(p->alpha) * sum_abs + fabs(before)) * ((double)p->k + 2);
        }
    }
#undef NEXT
    for (int i = 0; i < ROOM; i++) {
        a32[i] = (float)a64[i];
        b32[i] = (float)b64[i];
        c32[i] = (float)c64[i];
        d32[i] = (float)d64[i];
    }
}

/* `kernels` NULL: the function that chooses. */
static void check(const srn_gemm_small *kernels, const problem *p) {
    fill(p);
    (kernels == NULL ? srn_gemm_f64 : kernels->f64)(p->ta, p->tb, p->m, p->n, p->k, p->alpha, a64,
                                                    p->lda, b64, p->ldb, p->beta, c64, p->ldc);
    (kernels == NULL ? srn_gemm_f32 : kernels->f32)(p->ta, p->tb, p->m, p->n, p->k, (float)p->alpha,
                                                    a32, p->lda, b32, p->ldb, (float)p->beta, c32,
                                                    p->ldc);
    bool good64 = true, good32 = true;
    for (int i = 0; i < ROOM; i++) {
        bool inside = i / p->ldc < p->m && i % p->ldc < p->n;
        double bound = inside ? size[i] : 0;
        good64 = good64 && fabs(c64[i] - d64[i]) <= 0x1p-53 * bound;
        good32 =
            good32 && fabs((double)c32[i] - (inside ? d64[i] : (double)d32[i])) <= 0x1p-24 * bound;
    }
    CHECK(good64);
    CHECK(good32);
    if (!good64 || !good32) {
        fprintf(stderr, "  ta %d tb %d m %d n %d k %d beta %g\n", p->ta, p->tb, (int)p->m,
                (int)p->n, (int)p->k, p->beta);
    }
}

static void check_forms(const srn_gemm_small *kernels, int64_t m, int64_t n, int64_t k) {
    for (int form = 0; form < 4; form++) {
        bool ta = form & 1, tb = form & 2;
        problem p = {ta, tb, m, n, k, (ta ? m : k) + 1, (tb ? k : n) + 2, n + 3, 1, 0};
        p.lda += p.lda == 1;
        check(kernels, &p);
        p.beta = 1;
        check(kernels, &p);
        p.beta = -0.5;
        p.alpha = 2;
        check(kernels, &p);
    }
}

static void test_shapes(const srn_gemm_small *kernels) {
    static const int64_t widths[] = {1,  2,  3,  5,  7,  8,  15, 16, 17,
                                     20, 31, 33, 47, 63, 64, 80, 97, 161};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        check_forms(kernels, 5, widths[i], 9);
    }
    for (int64_t m = 1; m <= 17; m++) {
        check_forms(kernels, m, 20, 3);
        check_forms(kernels, m, 50, 3);
    }
    check_forms(kernels, 4, 21, 1);
    check_forms(kernels, 3, 18, 127);
    check_forms(kernels, 3, 18, 128);
    check_forms(kernels, 9, 35, 129);
    check_forms(kernels, 2, 5, 300);
    check_forms(kernels, 33, 170, 150); /* large enough for B to be packed */
    check_forms(kernels, 0, 5, 4);
    check_forms(kernels, 5, 0, 4);
    check_forms(kernels, 5, 19, 0); /* C := beta C */
}

static void test_overlapping_rows(const srn_gemm_small *kernels) {
    problem p = {false, false, 10, 7, 6, 2, 7, 7, 1, 0}; /* windows of 6, one every 2 */
    check(kernels, &p);
    p = (problem){true, false, 6, 7, 10, 2, 7, 7, 1, 0};
    check(kernels, &p);
}

/* NaN and infinity travel as in the formula: 0 * inf is NaN. */
static void test_not_finite(const srn_gemm_small *kernels) {
    const float a[] = {0, 1, 2, 3}, b[] = {INFINITY, 1, 1, 2};
    float c[4];
    kernels->f32(false, false, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2);
    CHECK(isnan(c[0]) && isinf(c[2]));
    CHECK_NEAR(c[1], 2, 0);
    CHECK_NEAR(c[3], 8, 0);
}

static void test_split(const srn_gemm_small *kernels) {
    for (int form = 0; form < 4; form++) {
        bool ta = form & 1, tb = form & 2;
        int64_t m = 37, n = 171, k = 140;
        problem p = {ta, tb, m, n, k, ta ? m : k, tb ? k : n, n, 1, 0};
        fill(&p);
        kernels->f32(ta, tb, m, n, k, 1, a32, p.lda, b32, p.ldb, 0, d32, n);
        for (int64_t i = 0, step = 1; i < m; i += step, step = step % 7 + 1) {
            int64_t rows = i + step <= m ? step : m - i;
            kernels->f32(ta, tb, rows, n, k, 1, a32 + (ta ? i : i * k), p.lda, b32, p.ldb, 0,
                         c32 + i * n, n);
        }
        CHECK(memcmp(c32, d32, (size_t)(m * n) * sizeof(float)) == 0);
    }
}

static void test_kernels(const srn_gemm_small *kernels) {
    test_shapes(kernels);
    test_overlapping_rows(kernels);
    test_not_finite(kernels);
    test_split(kernels);
}

/* Sizes on both sides of the border to OpenBLAS. */
static void test_choice(void) {
    check_forms(NULL, 7, 20, 30);
    check_forms(NULL, 20, 150, 200);
    problem large = {false, false, 3, 1100, 1000, 1000, 1100, 1100, 1, 0};
    CHECK(srn_cpu_isa() == SRN_ISA_REF || !srn_gemm_is_small(large.n, large.k));
    float *a = malloc(3 * 1000 * 4), *b = malloc(1100 * 1000 * 4), *c = malloc(3 * 1100 * 4);
    CHECK(a != NULL && b != NULL && c != NULL);
    for (int i = 0; i < 3000; i++) {
        a[i] = (float)(i % 7);
    }
    for (int i = 0; i < 1100000; i++) {
        b[i] = (float)(i % 11) - 5;
    }
    srn_gemm_f32(false, false, 3, 1100, 1000, 1, a, 1000, b, 1100, 0, c, 1100);
    for (int i = 0; i < 3300; i++) {
        double sum = 0;
        for (int q = 0; q < 1000; q++) {
            sum += (double)a[i / 1100 * 1000 + q] * (double)b[q * 1100 + i % 1100];
        }
        CHECK_NEAR(c[i], sum, 0); /* integers: exact */
    }
    /* Windows that overlap never reach OpenBLAS, which would refuse them. */
    srn_gemm_f32(false, false, 3, 1100, 900, 1, a, 50, b, 1100, 0, c, 1100);
    double sum = 0;
    for (int q = 0; q < 900; q++) {
        sum += (double)a[100 + q] * (double)b[q * 1100 + 3];
    }
    CHECK_NEAR(c[2 * 1100 + 3], sum, 0);
    free(a);
    free(b);
    free(c);
}

int main(void) {
    test_kernels(&srn_gemm_small_base);
#if defined(__x86_64__)
    if (srn_cpu_isa() >= SRN_ISA_AVX2) {
        test_kernels(&srn_gemm_small_avx2);
    }
    if (srn_cpu_isa() >= SRN_ISA_AVX512) {
        test_kernels(&srn_gemm_small_avx512);
    }
#endif
    test_choice();
    return test_summary("gemm");
}
