/* The matrix product against three plain loops in long double: every kernel this machine has, the
 * shapes around the tile sizes, memory beyond the matrices untouched, rows independent of how they
 * are split. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cpu.h"
#include "kernels/gemm.h"
#include "kernels/gemm_small.h"
#include "tests/c/testing.h"

enum { ROOM = 1 << 16 };
static float a32[ROOM], b32[ROOM], c32[ROOM], d32[ROOM], want32[ROOM];
static double a64[ROOM], b64[ROOM], c64[ROOM], d64[ROOM], want64[ROOM];
static double size[ROOM]; /* sums of the absolute values: what rounding is proportional to */

/* What the product is added to: nothing, C itself, another matrix, one row for all. */
typedef enum added { NOTHING, SELF, MATRIX, ROW } added;

typedef struct problem {
    bool ta, tb;
    int64_t m, n, k, lda, ldb, ldc;
    added d;
    int64_t taps, tap_step;
    int64_t blocks, block_a, block_other;
} problem;

/* Where op(A)[i][q], op(B)[q][j] and C[i][j] lie; i (with ta q) counts the rows of all blocks. */
static int64_t at_a(const problem *p, int64_t i, int64_t q) {
    if (p->ta) {
        return q / p->k * p->block_a + q % p->k * p->lda + i;
    }
    int64_t each = p->taps > 0 ? p->k / p->taps : p->k;
    return i / p->m * p->block_a + i % p->m * p->lda + q / each * p->tap_step + q % each;
}

static int64_t at_b(const problem *p, int64_t q, int64_t j) {
    return p->tb   ? j * p->ldb + q
           : p->ta ? q / p->k * p->block_other + q % p->k * p->ldb + j
                   : q * p->ldb + j;
}

static int64_t at_c(const problem *p, int64_t i, int64_t j) {
    return (p->ta ? 0 : i / p->m * p->block_other) + i % p->m * p->ldc + j;
}

/* Whatever the loops can't reach is NaN, so that one stray read shows. */
static void fill(const problem *p) {
    for (int i = 0; i < ROOM; i++) {
        a64[i] = b64[i] = d64[i] = NAN;
        want64[i] = c64[i] = 1e30 + i;
    }
    const int64_t blocks = p->blocks > 1 ? p->blocks : 1;
    const int64_t all_m = p->m * (p->ta ? 1 : blocks), all_k = p->k * (p->ta ? blocks : 1);
    uint32_t seed = 1;
#define NEXT() ((double)(int32_t)(seed = seed * 1664525u + 1013904223u) / 2147483648.0)
    for (int64_t i = 0; i < all_m; i++) {
        for (int64_t q = 0; q < all_k; q++) {
            a64[at_a(p, i, q)] = (float)NEXT();
        }
    }
    for (int64_t q = 0; q < all_k; q++) {
        for (int64_t j = 0; j < p->n; j++) {
            b64[at_b(p, q, j)] = (float)NEXT();
        }
    }
    for (int64_t i = 0; i < all_m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            int64_t at = at_c(p, i, j);
            long double sum = 0, sum_abs = 0;
            double *start = p->d == SELF ? &c64[at] : &d64[p->d == ROW ? j : at];
            c64[at] = NAN;
            if (p->d != NOTHING && (p->d != ROW || i == 0)) {
                *start = (float)NEXT();
            }
            for (int64_t q = 0; q < all_k; q++) {
                long double product = (long double)a64[at_a(p, i, q)] * b64[at_b(p, q, j)];
                sum += product;
                sum_abs += fabsl(product);
            }
            double before = p->d == NOTHING ? 0 : *start;
            want64[at] = (double)(sum + before);
            size[at] = (double)(sum_abs + fabs(before)) * ((double)all_k + 2);
        }
    }
#undef NEXT
    for (int i = 0; i < ROOM; i++) {
        a32[i] = (float)a64[i];
        b32[i] = (float)b64[i];
        c32[i] = (float)c64[i];
        d32[i] = (float)d64[i];
        want32[i] = (float)want64[i];
    }
}

static srn_gemm_problem as_gemm(const problem *p, const void *a, const void *b, const void *d,
                                void *c) {
    return (srn_gemm_problem){.ta = p->ta,
                              .tb = p->tb,
                              .m = p->m,
                              .n = p->n,
                              .k = p->k,
                              .a = a,
                              .lda = p->lda,
                              .b = b,
                              .ldb = p->ldb,
                              .d = d,
                              .ldd = p->d == ROW ? 0 : p->ldc,
                              .c = c,
                              .ldc = p->ldc,
                              .taps = p->taps,
                              .tap_step = p->tap_step,
                              .blocks = p->blocks,
                              .block_a = p->block_a,
                              .block_other = p->block_other};
}

/* `kernels` NULL: the function that chooses. */
static void check(const srn_gemm_small *kernels, const problem *p) {
    fill(p);
    const double *from64 = p->d == NOTHING ? NULL : p->d == SELF ? c64 : d64;
    const float *from32 = p->d == NOTHING ? NULL : p->d == SELF ? c32 : d32;
    srn_gemm_problem g = as_gemm(p, a64, b64, from64, c64);
    kernels == NULL ? srn_gemm(SRN_F64, &g) : kernels->f64(&g);
    g = as_gemm(p, a32, b32, from32, c32);
    kernels == NULL ? srn_gemm(SRN_F32, &g) : kernels->f32(&g);
    bool good64 = true, good32 = true;
    for (int i = 0; i < ROOM; i++) {
        int64_t rest = i, step = p->ta ? 0 : p->block_other;
        if (step > 0) {
            rest = i / step < p->blocks ? i % step : ROOM;
        }
        bool inside = rest / p->ldc < p->m && rest % p->ldc < p->n;
        double bound = inside ? size[i] : 0;
        good64 = good64 && fabs(c64[i] - want64[i]) <= 0x1p-53 * bound;
        good32 = good32 &&
                 fabs((double)c32[i] - (inside ? want64[i] : (double)want32[i])) <= 0x1p-24 * bound;
    }
    CHECK(good64);
    CHECK(good32);
    if (!good64 || !good32) {
        fprintf(stderr, "  ta %d tb %d m %d n %d k %d d %d\n", p->ta, p->tb, (int)p->m, (int)p->n,
                (int)p->k, (int)p->d);
    }
}

static void check_forms(const srn_gemm_small *kernels, int64_t m, int64_t n, int64_t k) {
    for (int form = 0; form < 4; form++) {
        bool ta = form & 1, tb = form & 2;
        problem p = {ta, tb, m, n, k, (ta ? m : k) + 1, (tb ? k : n) + 2, n + 3, NOTHING,
                     0,  0,  0, 0, 0};
        p.lda += p.lda == 1;
        for (int d = NOTHING; d <= ROW; d++) {
            p.d = (added)d;
            check(kernels, &p);
        }
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
    for (int64_t n = 1; n <= 5; n++) {  /* last vectors of four columns and fewer */
        check_forms(kernels, 11, n, 8);
        check_forms(kernels, 7, 16 + n, 20);
        check_forms(kernels, 9, 80 + n, 136);
    }
    check_forms(kernels, 0, 5, 4);
    check_forms(kernels, 5, 0, 4);
    check_forms(kernels, 5, 19, 0); /* C := D */
}

static void test_overlapping_rows(const srn_gemm_small *kernels) {
    problem p = {false, false,   10, 7, 6, 2, 7,
                 7,     NOTHING, 0,  0, 0, 0, 0}; /* windows of 6, one every 2 */
    check(kernels, &p);
    p = (problem){true, false, 6, 7, 10, 2, 7, 7, NOTHING, 0, 0, 0, 0, 0};
    check(kernels, &p);
}

/* Windows of three pieces, with a hole or overlapping, in one piece of the sum and in several. */
static void test_taps(const srn_gemm_small *kernels) {
    static const int64_t pieces[] = {1, 5, 20, 50, 140};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        int64_t each = pieces[i];
        problem p = {false, false, 11, 20, 3 * each, each, 22, 23, ROW, 3, 2 * each, 0, 0, 0};
        check(kernels, &p);
        p.tb = true;
        p.ldb = p.k;
        p.tap_step = 1;
        check(kernels, &p);
    }
}

/* NaN and infinity travel as in the formula: 0 * inf is NaN. */
static void test_not_finite(const srn_gemm_small *kernels) {
    const float a[] = {0, 1, 2, 3}, b[] = {INFINITY, 1, 1, 2};
    float c[4];
    kernels->f32(&(srn_gemm_problem){
        .m = 2, .n = 2, .k = 2, .a = a, .lda = 2, .b = b, .ldb = 2, .c = c, .ldc = 2});
    CHECK(isnan(c[0]) && isinf(c[2]));
    CHECK_NEAR(c[1], 2, 0);
    CHECK_NEAR(c[3], 8, 0);
}

static void run(const srn_gemm_small *kernels, const srn_gemm_problem *g) {
    kernels == NULL ? srn_gemm(SRN_F32, g) : kernels->f32(g);
}

static void test_split(const srn_gemm_small *kernels, int64_t width) {
    for (int form = 0; form < 4; form++) {
        bool ta = form & 1, tb = form & 2;
        int64_t m = 37, n = form < 2 ? width : width + 9, k = 140;
        problem p = {ta, tb, m, n, k, ta ? m : k, tb ? k : n, n, ROW, 0, 0, 0, 0, 0};
        fill(&p);
        srn_gemm_problem g = as_gemm(&p, a32, b32, d32, want32);
        run(kernels, &g);
        for (int64_t i = 0, step = 1; i < m; i += step, step = step % 7 + 1) {
            g.m = i + step <= m ? step : m - i;
            g.a = a32 + (ta ? i : i * k);
            g.c = c32 + i * n;
            run(kernels, &g);
        }
        CHECK(memcmp(c32, want32, (size_t)(m * n) * sizeof(float)) == 0);
    }
}

static void test_kernels(const srn_gemm_small *kernels) {
    test_shapes(kernels);
    test_overlapping_rows(kernels);
    test_taps(kernels);
    test_not_finite(kernels);
    test_split(kernels, 171);
}

/* Few columns, where there is a kernel of its own (AVX-512). */
static void test_narrow(void) {
    for (int64_t n = 1; n <= 21; n++) {
        check_forms(NULL, 1 + n % 9, n, 4 + n);
        check_forms(NULL, 22, n, 70); /* two tiles of the outer form */
        check_forms(NULL, 3, n, 300); /* two pieces of the sum */
    }
    for (int64_t m = 1; m <= 20; m++) {
        check_forms(NULL, m, 18, 64);
    }
    static const int64_t pieces[] = {4, 5, 20, 50, 140};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        int64_t each = pieces[i];
        problem p = {false, false, 11, 20, 3 * each, each, 22, 23, ROW, 3, 2 * each, 0, 0, 0};
        check(NULL, &p);
        p.n = 6;
        p.d = SELF;
        check(NULL, &p);
    }
}

/* Rows in blocks, of C or of the sum; 160 columns are too many for the narrow kernel. */
static void test_blocks(void) {
    static const int64_t widths[] = {3, 16, 20, 160};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const int64_t n = widths[i];
        for (int64_t m = 1; m <= 9; m += 4) {
            for (int d = NOTHING; d <= ROW; d++) {
                problem p = {false, false,    m, n, 18, 19,  n + 1,
                             n + 2, (added)d, 0, 0, 5,  200, (n + 2) * m + 3};
                if (d == MATRIX) {
                    continue;
                }
                check(NULL, &p);
                p.taps = 2;
                p.tap_step = 30;
                check(NULL, &p);
                p = (problem){true,  false,    m, n, 30, m + 1, n + 1,
                              n + 2, (added)d, 0, 0, 5,  320,   31 * (n + 1)};
                check(NULL, &p);
            }
        }
    }
}

/* n floats, behind which there is no memory: a page that may not be touched, even under a mask. */
static float *before_a_wall(float *wall, const float *from, int64_t n) {
    float *to = wall - n;
    memcpy(to, from, (size_t)n * sizeof *to);
    return to;
}

/* Products whose matrices end where memory does. */
static void test_end_of_memory(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 4 * page;
    float *walls[4];
    for (int i = 0; i < 4; i++) {
        char *memory =
            mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED && mprotect(memory + room, page, PROT_NONE) == 0);
        walls[i] = (float *)(void *)(memory + room);
    }
    for (int64_t n = 1; n <= 40; n++) {
        for (int form = 0; form < 24; form++) {
            bool ta = form & 1, tb = form & 2;
            int64_t m = form < 12 ? 3 : 8, k = ta ? 70 : 9 + n;
            problem p = {ta, tb, m, n, k, ta ? m : k, tb ? k : n, n, ROW, 0, 0, 0, 0, 0};
            p.d = form % 12 < 4 ? NOTHING : form % 12 < 8 ? SELF : ROW;
            fill(&p);
            srn_gemm_problem g = as_gemm(&p, before_a_wall(walls[0], a32, m * k),
                                         before_a_wall(walls[1], b32, k * n), NULL,
                                         before_a_wall(walls[2], c32, m * n));
            g.d = p.d == NOTHING ? NULL : p.d == SELF ? g.c : before_a_wall(walls[3], d32, n);
            srn_gemm(SRN_F32, &g);
            bool good = true;
            for (int64_t i = 0; i < m * n; i++) {
                const float got = ((float *)g.c)[i];
                good = good && fabs((double)got - want64[i]) <= 0x1p-24 * size[i];
            }
            CHECK(good);
        }
    }
    for (int i = 0; i < 4; i++) {
        CHECK(munmap((char *)walls[i] - room, room + page) == 0);
    }
}

/* Sizes on both sides of the border to OpenBLAS. */
static void test_choice(void) {
    check_forms(NULL, 7, 20, 30);
    check_forms(NULL, 20, 150, 200);
    problem large = {false, false, 3, 1100, 1000, 1000, 1100, 1100, NOTHING, 0, 0, 0, 0, 0};
    CHECK(srn_cpu_isa() == SRN_ISA_REF || srn_cpu_isa() == SRN_ISA_AVX512 ||
          !srn_gemm_is_small(large.n, large.k));
    float *a = malloc(3 * 1000 * 4), *b = malloc(1100 * 1000 * 4), *c = malloc(3 * 1100 * 4);
    CHECK(a != NULL && b != NULL && c != NULL);
    for (int i = 0; i < 3000; i++) {
        a[i] = (float)(i % 7);
    }
    for (int i = 0; i < 1100000; i++) {
        b[i] = (float)(i % 11) - 5;
    }
    srn_gemm_problem g = as_gemm(&large, a, b, NULL, c);
    srn_gemm(SRN_F32, &g);
    for (int i = 0; i < 3300; i++) {
        double sum = 0;
        for (int q = 0; q < 1000; q++) {
            sum += (double)a[i / 1100 * 1000 + q] * (double)b[q * 1100 + i % 1100];
        }
        CHECK_NEAR(c[i], sum, 0); /* integers: exact */
    }
    /* Windows that overlap never reach OpenBLAS, which would refuse them. */
    g.k = 900;
    g.lda = 50;
    srn_gemm(SRN_F32, &g);
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
    test_narrow();
    test_blocks();
    test_end_of_memory();
    for (int64_t n = 1; n <= 20; n++) {
        test_split(NULL, n);
    }
    test_choice();
    return test_summary("gemm");
}
