/* The vector kernels of every instruction set against the plain ones, and the error of exp, tanh and
 * sigmoid. */
#include <stdlib.h>

#include "base/cpu.h"
#include "kernels/vector.h"
#include "values.h"

/* ---- exp, tanh, sigmoid ---- */

/* Distance in units of the last place of the right answer. Infinity counts as the float after the
 * largest; below the smallest normal number, where results may be flushed, that is the unit. */
static double ulps(double got, double want) {
    if (isnan(want) || isnan(got)) {
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    }
    const float size = (float)fmin(fabs(want), 0x1.fffffep127);
    const double unit = size < 0x1p-126f ? 0x1p-126 : (double)(size - nextafterf(size, 0));
    return fabs(fmin(got, 0x1p128) - fmin(want, 0x1p128)) / unit;
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static const srn_unary functions[] = {SRN_UNARY_exp, SRN_UNARY_tanh, SRN_UNARY_sigmoid};

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every 61st float: all exponents, both signs, NaNs. */
static void test_float_functions(const srn_vector *v) {
    double worst[3] = {0};
    for (uint64_t bits = 0; bits < 0x100000000u; bits += 61 * 64) {
        float x[64], y[3][64];
        for (int i = 0; i < 64; i++) {
            x[i] = float_of((uint32_t)bits + (uint32_t)i * 61);
        }
        for (int f = 0; f < 3; f++) {
            v->unary(functions[f], SRN_F32, y[f], x, 64);
        }
        for (int i = (int)(bits % 7); i < 64; i += 7) {
            const double want[] = {exp(x[i]), tanh(x[i]), sigmoid(x[i])};
            for (int f = 0; f < 3; f++) {
                worst[f] = fmax(worst[f], ulps(y[f][i], want[f]));
            }
        }
    }
    CHECK(worst[0] <= 1.1);
    CHECK(worst[1] <= 2.5);
    CHECK(worst[2] <= 2.4);
}

static double value(const srn_vector *v, srn_unary f, srn_dtype dtype, double x) {
    cell in, out;
    put(dtype, &in, 0, x);
    v->unary(f, dtype, &out, &in, 1);
    return at(dtype, &out, 0);
}

static void test_special_values(const srn_vector *v) {
    for (srn_dtype dtype = SRN_F32; dtype <= SRN_F64; dtype++) {
        for (int f = 0; f < 3; f++) {
            CHECK(isnan(value(v, functions[f], dtype, NAN)));
            CHECK(value(v, functions[f], dtype, INFINITY) == (f == 0 ? (double)INFINITY : 1));
            CHECK(value(v, functions[f], dtype, -INFINITY) == (f == 1 ? -1 : 0));
        }
        const double zero = value(v, SRN_UNARY_tanh, dtype, -0.0);
        CHECK(zero == 0 && signbit(zero));
        CHECK(value(v, SRN_UNARY_exp, dtype, 710) == INFINITY);
        CHECK(value(v, SRN_UNARY_exp, dtype, -746) == 0);
        CHECK(value(v, SRN_UNARY_tanh, dtype, dtype == SRN_F32 ? 1e38 : 1e300) == 1);
        CHECK(value(v, SRN_UNARY_sigmoid, dtype, dtype == SRN_F32 ? -1e38 : -1e300) == 0);
    }
}

static double relative(double got, long double want) {
    return want == 0 ? fabs(got) : fabs((double)((got - want) / want)) * 0x1p52;
}

static void test_double_functions(const srn_vector *v) {
    double worst[3] = {0};
    for (int i = -400000; i <= 400000; i += 64) {
        double x[3][64], y[3][64];
        for (int k = 0; k < 64; k++) {
            x[0][k] = x[2][k] = (i + k) * 0.001767;
            x[1][k] = (i + k) * 1e-4 * fabs((i + k) * 1e-5); /* dense around 0 */
        }
        for (int f = 0; f < 3; f++) {
            v->unary(functions[f], SRN_F64, y[f], x[f], 64);
        }
        for (int k = 0; k < 64; k++) {
            worst[0] = fmax(worst[0], relative(y[0][k], expl(x[0][k])));
            worst[1] = fmax(worst[1], relative(y[1][k], tanhl(x[1][k])));
            worst[2] = fmax(worst[2], relative(y[2][k], 1 / (1 + expl(-x[2][k]))));
        }
    }
    CHECK(worst[0] <= 0.7);
    CHECK(worst[1] <= 1.7);
    CHECK(worst[2] <= 1.3);
}

/* ---- the tables ---- */

enum { N = 203 };

typedef union buffer {
    float f32[N];
    double f64[N];
    int32_t i32[N];
    int64_t i64[N];
    bool flag[N];
} buffer;

/* Numbers of moderate size, and floats that are special. */
static void fill(srn_dtype dtype, buffer *x, int seed) {
    static const double special[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 0.5, 1.5, -2.5};
    for (int i = 0; i < N; i++) {
        const bool strange = i % 9 == 0 && srn_dtype_is_float(dtype);
        put(dtype, x, i, strange ? special[(i / 9 + seed) % 10] : 6 * noise(1000 * seed + i));
    }
}

/* Floats to so many roundings, relative to the value; everything else exactly. */
static void compare_folds(srn_dtype dtype, const void *got, const void *want, int64_t n,
                          int roundings) {
    const double unit = dtype == SRN_F32 ? 0x1p-24 : dtype == SRN_F64 ? 0x1p-53 : 0;
    const double tolerance = unit * roundings;
    for (int64_t i = 0; i < n; i++) {
        double a = at(dtype, got, i), b = at(dtype, want, i);
        test_count++;
        if (!(a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance * fabs(b))) {
            test_failures++;
            fprintf(stderr, "element %d: %.17g, expected %.17g\n", (int)i, a, b);
        }
    }
}

static void compare(srn_dtype dtype, const void *got, const void *want, int64_t n) {
    compare_folds(dtype, got, want, n, dtype == SRN_F32 ? 6 : 8);
}

static void test_unary(const srn_vector *v) {
    for (int f = 0; f <= SRN_UNARY_logical_not; f++) {
        for (srn_dtype dtype = SRN_F32; dtype <= SRN_BOOL; dtype++) {
            bool number = dtype != SRN_BOOL && f <= SRN_UNARY_relu;
            bool question = f == SRN_UNARY_isnan || f == SRN_UNARY_isfinite;
            if (!(f == SRN_UNARY_logical_not ? dtype == SRN_BOOL
                                             : number || srn_dtype_is_float(dtype))) {
                continue;
            }
            buffer x, got = {0}, want = {0};
            fill(dtype, &x, f);
            for (int n = 0; n <= N; n += n < 40 ? 1 : 163) {
                v->unary((srn_unary)f, dtype, &got, &x, n);
                srn_vector_ref.unary((srn_unary)f, dtype, &want, &x, n);
                compare(question ? SRN_BOOL : dtype, &got, &want, n);
            }
            if (!question) { /* in place */
                v->unary((srn_unary)f, dtype, &x, &x, N);
                CHECK(memcmp(&x, &got, N * srn_dtype_size(dtype)) == 0);
            }
        }
    }
}

static bool binary_takes(srn_binary f, srn_dtype dtype) {
    bool relation = f >= SRN_BINARY_equal && f <= SRN_BINARY_less_equal;
    bool logic = f >= SRN_BINARY_logical_and;
    return relation ||
           (logic ? dtype == SRN_BOOL
                  : srn_dtype_is_float(dtype) || (dtype != SRN_BOOL && f <= SRN_BINARY_mod));
}

static void test_binary(const srn_vector *v) {
    static const int steps[][2] = {{1, 1}, {0, 1}, {1, 0}};
    for (int f = 0; f <= SRN_BINARY_logical_or; f++) {
        for (srn_dtype dtype = SRN_F32; dtype <= SRN_BOOL; dtype++) {
            if (!binary_takes((srn_binary)f, dtype)) {
                continue;
            }
            buffer a, b, got = {0}, want = {0};
            fill(dtype, &a, 1);
            fill(dtype, &b, 4);
            put(dtype, &b, 100, at(dtype, &a, 100)); /* a tie */
            for (int i = 0; i < N && f >= SRN_BINARY_tanh_grad && f < SRN_BINARY_equal; i++) {
                put(dtype, &a, i, 0.8 * noise(i)); /* a value of tanh: 1 - a a is well defined */
            }
            for (int k = 0; k < 3; k++) {
                v->binary((srn_binary)f, dtype, &got, &a, steps[k][0], &b, steps[k][1], N);
                srn_vector_ref.binary((srn_binary)f, dtype, &want, &a, steps[k][0], &b, steps[k][1],
                                      N);
                compare(f >= SRN_BINARY_equal ? SRN_BOOL : dtype, &got, &want, N);
            }
        }
    }
}

static void test_copies(const srn_vector *v) {
    buffer condition, a, b, got, want;
    fill(SRN_BOOL, &condition, 0);
    for (srn_dtype dtype = SRN_F32; dtype <= SRN_BOOL; dtype++) {
        fill(dtype, &a, 1);
        fill(dtype, &b, 2);
        for (int k = 1; k < 8; k++) {
            v->where(dtype, &got, condition.flag, k & 1, &a, k >> 1 & 1, &b, k >> 2, N);
            srn_vector_ref.where(dtype, &want, condition.flag, k & 1, &a, k >> 1 & 1, &b, k >> 2,
                                 N);
            CHECK(memcmp(&got, &want, N * srn_dtype_size(dtype)) == 0);
        }
        for (int times = 1; times < 40; times += 6) {
            v->spread(dtype, &got, &a, 4, times);
            srn_vector_ref.spread(dtype, &want, &a, 4, times);
            CHECK(memcmp(&got, &want, 4 * (size_t)times * srn_dtype_size(dtype)) == 0);
        }
        put(dtype, &a, 1, 3e9);
        for (srn_dtype to = SRN_F32; to <= SRN_BOOL; to++) {
            v->cast(to, &got, dtype, &a, N);
            srn_vector_ref.cast(to, &want, dtype, &a, N);
            compare(to, &got, &want, N);
        }
    }
}

enum { ROWS = 77, WIDTH = 140 };

/* In float a block of 32 is rounded, in double each of the terms on either side; all are positive. */
static void compare_totals(srn_dtype dtype, const srn_total *got, const srn_total *want, int n,
                           int terms) {
    buffer a, b;
    srn_fold_store(dtype, &a, got, n);
    srn_fold_store(dtype, &b, want, n);
    compare_folds(dtype, &a, &b, n, dtype == SRN_F32 ? 34 : 2 * terms);
}

static void start_totals(srn_fold f, srn_dtype dtype, srn_total *got, srn_total *want) {
    for (int j = 0; j < SRN_FOLD_COLUMNS; j++) {
        got[j] = want[j] = srn_fold_start(f, dtype);
    }
}

static void test_folds(const srn_vector *v, srn_fold f, srn_dtype dtype, const void *x) {
    srn_total got[SRN_FOLD_COLUMNS], want[SRN_FOLD_COLUMNS];
    for (int columns = 1; columns <= SRN_FOLD_COLUMNS; columns += columns < 12 ? 1 : 29) {
        for (int rows = ROWS; rows > 0; rows -= 25) {
            for (int k = 0; k < 2; k++) { /* part of wider rows, and whole ones */
                const int stride = k == 0 ? WIDTH : columns;
                start_totals(f, dtype, got, want);
                v->fold(f, dtype, got, x, rows, stride, columns);
                srn_vector_ref.fold(f, dtype, want, x, rows, stride, columns);
                compare_totals(dtype, got, want, columns, rows);
            }
        }
    }
    for (int n = 0; n < 1200; n += n < 50 ? 1 : 97) {
        start_totals(f, dtype, got, want);
        v->fold_runs(f, dtype, got, x, n, n + 3, 5);
        srn_vector_ref.fold_runs(f, dtype, want, x, n, n + 3, 5);
        compare_totals(dtype, got, want, 5, n);
    }
}

/* A column has the same bits whatever columns come with it: threads share them out. */
static void test_fold_of_some(const srn_vector *v, srn_fold f, srn_dtype dtype, const void *x) {
    enum { ALL = 83 };
    srn_total all[SRN_FOLD_COLUMNS], some[SRN_FOLD_COLUMNS], unused[SRN_FOLD_COLUMNS];
    start_totals(f, dtype, all, unused);
    v->fold(f, dtype, all, x, ROWS, ALL, ALL);
    for (int begin = 0; begin < ALL; begin += 9) {
        for (int columns = 1; begin + columns <= ALL; columns += 7) {
            const char *from = (const char *)x + (size_t)begin * srn_dtype_size(dtype);
            start_totals(f, dtype, some, unused);
            v->fold(f, dtype, some, from, ROWS, ALL, columns);
            CHECK(memcmp(some, all + begin, (size_t)columns * sizeof *some) == 0);
        }
    }
}

static void test_fold(const srn_vector *v) {
    static cell x[ROWS * WIDTH];
    for (srn_dtype dtype = SRN_F32; dtype <= SRN_BOOL; dtype++) {
        for (int i = 0; i < ROWS * WIDTH; i++) {
            put(dtype, x, i, srn_dtype_is_float(dtype) ? 1 + 0.2 * noise(i) : 3 * noise(i));
        }
        put(dtype, x, 3 * WIDTH + 5, NAN);
        for (int f = dtype == SRN_BOOL ? SRN_FOLD_MAX : SRN_FOLD_SUM; f <= SRN_FOLD_MIN; f++) {
            test_folds(v, (srn_fold)f, dtype, x);
            test_fold_of_some(v, (srn_fold)f, dtype, x);
        }
    }
}

static void test_softmax_rows(const srn_vector *v) {
    static cell x[1500], got[1500], want[1500];
    for (srn_dtype dtype = SRN_F32; dtype <= SRN_F64; dtype++) {
        for (int n = 1; n <= 1500; n += n < 40 ? 1 : 365) {
            for (int i = 0; i < n; i++) {
                put(dtype, x, i, 500 + 30 * noise(i)); /* exp(500) is past float's range */
            }
            for (int logarithm = 0; logarithm < 2; logarithm++) {
                const double eps = dtype == SRN_F32 ? 0x1p-23 : 0x1p-52;
                double sum = 0;
                v->softmax(dtype, got, x, n, logarithm);
                srn_vector_ref.softmax(dtype, want, x, n, logarithm);
                for (int i = 0; i < n; i++) {
                    CHECK_NEAR(at(dtype, got, i), at(dtype, want, i), 4 * eps);
                    sum += logarithm ? exp(at(dtype, got, i)) : at(dtype, got, i);
                }
                CHECK_NEAR(sum, 1, (logarithm ? 60 : 4) * eps);
                v->softmax(dtype, want, x, n, logarithm);
                memcpy(got, x, sizeof x);
                v->softmax(dtype, got, got, n, logarithm); /* in place */
                CHECK(memcmp(got, want, (size_t)n * srn_dtype_size(dtype)) == 0);
            }
        }
    }
}

static void test_tables(void) {
    const srn_vector *tables[] = {
        &srn_vector_base,
#if defined(__x86_64__)
        &srn_vector_avx2,
        &srn_vector_avx512,
#endif
    };
    for (int isa = SRN_ISA_BASE; isa <= (int)srn_cpu_isa(); isa++) {
        const srn_vector *v = tables[isa - SRN_ISA_BASE];
        test_float_functions(v);
        test_double_functions(v);
        test_special_values(v);
        test_unary(v);
        test_binary(v);
        test_copies(v);
        test_fold(v);
        test_softmax_rows(v);
    }
}

/* A million times 0.1 in float: added one by one it would be off by 0.01. */
static void test_long_sum(void) {
    enum { LONG = 1000000 };
    float *x = malloc(LONG * sizeof *x);
    for (int i = 0; i < LONG; i++) {
        x[i] = 0.1f;
    }
    srn_total total = {.f = 0}, columns[20] = {{0}};
    srn_vectors()->fold_runs(SRN_FOLD_SUM, SRN_F32, &total, x, LONG, LONG, 1);
    CHECK_NEAR(total.f, (double)0.1f * LONG, 1e-6);
    srn_vectors()->fold(SRN_FOLD_SUM, SRN_F32, columns, x, LONG / 20, 20, 20);
    CHECK_NEAR(columns[19].f, (double)0.1f * (LONG / 20), 1e-6);
    free(x);
}

int main(void) {
    test_tables();
    test_long_sum();
    return test_summary("vector");
}
