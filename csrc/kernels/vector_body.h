/* The loops behind vector.h for one instruction set, and their table, whose name is
 * SRN_VECTOR_TABLE. Written so that the compiler vectorises them; only exp, tanh and sigmoid go in
 * the vectors of simd.h, which the including file has chosen.
 *
 * The formulas stand in vector_float.h and vector_int.h, which are templates: included once per
 * element type T, with NAME(x) the name of a function for that type. An output may be one of the
 * inputs: element i is read before it is written, and nothing else touches it (ivdep).
 */
#include <math.h>
#include <string.h>

#include "kernels/vector.h"
#include "kernels/vmath.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_ELEMENT _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)

/* One line per function: its name and its formula in x. */
#define UNARY(word, formula)                                                                       \
    case SRN_UNARY_##word:                                                                         \
        EACH_ELEMENT {                                                                             \
            const T x = in[i];                                                                     \
            out[i] = (formula);                                                                    \
        }                                                                                          \
        break;

/* In vectors (vmath.h), of which the last may be incomplete. */
#define EACH_VECTOR(n) for (int64_t i = 0, left = (n); left > 0; i += VL, left -= VL)
#define LOAD(p) (left >= VL ? NAME(load)(p) : NAME(load_part)(p, left))
#define STORE(p, v) (left >= VL ? NAME(store)(p, v) : NAME(store_part)(p, v, left))
#define UNARY_VECTORS(word)                                                                        \
    case SRN_UNARY_##word:                                                                         \
        EACH_VECTOR(n) {                                                                           \
            STORE(out + i, NAME(word)(LOAD(in + i)));                                              \
        }                                                                                          \
        break;

/* In a and b, one of which may be repeated. */
#define BINARY(word, out, formula)                                                                 \
    case SRN_BINARY_##word:                                                                        \
        if (step_a == 0) {                                                                         \
            const T a = in_a[0];                                                                   \
            EACH_ELEMENT {                                                                         \
                const T b = in_b[i];                                                               \
                out[i] = (formula);                                                                \
            }                                                                                      \
        } else if (step_b == 0) {                                                                  \
            const T b = in_b[0];                                                                   \
            EACH_ELEMENT {                                                                         \
                const T a = in_a[i];                                                               \
                out[i] = (formula);                                                                \
            }                                                                                      \
        } else {                                                                                   \
            EACH_ELEMENT {                                                                         \
                const T a = in_a[i], b = in_b[i];                                                  \
                out[i] = (formula);                                                                \
            }                                                                                      \
        }                                                                                          \
        break;

#define COMPARISONS(flag)                                                                          \
    BINARY(equal, flag, a == b)                                                                    \
    BINARY(not_equal, flag, a != b)                                                                \
    BINARY(less, flag, a < b)                                                                      \
    BINARY(less_equal, flag, a <= b)

/* `columns` running reductions in blocks of FOLD_ROWS rows: four rows are joined pairwise, then with
 * the part so far. m is that part, x the next. */
enum { FOLD_ROWS = 32, LANES = 16 };

#define FOUR_ROWS(formula)                                                                         \
    for (; r + 4 <= end; r += 4) {                                                                 \
        const T *x0 = in + r * stride, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;    \
        for (int64_t j = 0; j < columns; j++) {                                                    \
            T a = x0[j], b = x2[j];                                                                \
            JOIN(a, x1[j], formula)                                                                \
            JOIN(b, x3[j], formula)                                                                \
            JOIN(a, b, formula)                                                                    \
            JOIN(part[j], a, formula)                                                              \
        }                                                                                          \
    }

/* For formulas of which the compiler vectorises only one at a time. */
#define NOT_FOUR_ROWS(formula)

#define FOLD(...) FOLD_BLOCKS(FOUR_ROWS, __VA_ARGS__)
#define FOLD_SLOWLY(...) FOLD_BLOCKS(NOT_FOUR_ROWS, __VA_ARGS__)

#define FOLD_BLOCKS(four_rows, word, member, start, formula)                                       \
    case SRN_FOLD_##word:                                                                          \
        for (int64_t r = 0; r < n;) {                                                              \
            const int64_t end = n - r < FOLD_ROWS ? n : r + FOLD_ROWS;                             \
            T part[SRN_FOLD_COLUMNS];                                                              \
            for (int64_t j = 0; j < columns; j++) {                                                \
                part[j] = (start);                                                                 \
            }                                                                                      \
            four_rows(formula);                                                                    \
            for (; r < end; r++) {                                                                 \
                for (int64_t j = 0; j < columns; j++) {                                            \
                    JOIN(part[j], in[r * stride + j], formula)                                     \
                }                                                                                  \
            }                                                                                      \
            for (int64_t j = 0; j < columns; j++) {                                                \
                const TOTAL m = total[j].member, x = part[j];                                      \
                total[j].member = (TOTAL)(formula);                                                \
            }                                                                                      \
        }                                                                                          \
        break;

/* to = formula(to, from) */
#define JOIN(to, from, formula)                                                                    \
    {                                                                                              \
        const T m = (to), x = (from);                                                              \
        (to) = (T)(formula);                                                                       \
    }

/* The same for `count` elements. */
#define FOLD_INTO(to, from, count, formula)                                                        \
    for (int j = 0; j < (count); j++) {                                                            \
        JOIN((to)[j], (from)[j], formula)                                                          \
    }

/* Running reductions of neighbours, one per run, in blocks of FOLD_ROWS rows of LANES columns. The
 * lanes are joined pairwise; what does not fill a row of LANES comes last, one by one. */
#define FOLD_RUNS(word, member, start, formula)                                                    \
    case SRN_FOLD_##word:                                                                          \
        for (int64_t run = 0; run < runs; run++, in += stride) {                                   \
            for (int64_t i = 0; i < n;) {                                                          \
                const int64_t end = n - i < FOLD_ROWS * LANES ? n : i + FOLD_ROWS * LANES;         \
                T part = (start);                                                                  \
                if (i + LANES <= end) {                                                            \
                    T lane[LANES];                                                                 \
                    for (int j = 0; j < LANES; j++) {                                              \
                        lane[j] = in[i + j];                                                       \
                    }                                                                              \
                    for (i += LANES; i + LANES <= end; i += LANES) {                               \
                        FOLD_INTO(lane, in + i, LANES, formula)                                    \
                    }                                                                              \
                    FOLD_INTO(lane, lane + 8, 8, formula)                                          \
                    FOLD_INTO(lane, lane + 4, 4, formula)                                          \
                    FOLD_INTO(lane, lane + 2, 2, formula)                                          \
                    FOLD_INTO(lane, lane + 1, 1, formula)                                          \
                    part = lane[0];                                                                \
                }                                                                                  \
                for (; i < end; i++) {                                                             \
                    const T m = part, x = in[i];                                                   \
                    part = (T)(formula);                                                           \
                }                                                                                  \
                const TOTAL m = total[run].member, x = part;                                       \
                total[run].member = (TOTAL)(formula);                                              \
            }                                                                                      \
        }                                                                                          \
        break;

/* clang-format off */

/* The reductions of a type: X and Y are FOLD and FOLD_SLOWLY, or both FOLD_RUNS. NaN comes out of
 * max and min (the | keeps the loop free of branches). */
#define FLOAT_FOLDS(X, Y)                                                                          \
    X(SUM, f, 0, m + x)                                                                            \
    X(PROD, f, 1, m * x)                                                                           \
    Y(MAX, f, -INFINITY, (x > m) | (x != x) ? x : m)                                               \
    Y(MIN, f, INFINITY, (x < m) | (x != x) ? x : m)

#define INT_FOLDS(X, Y)                                                                            \
    X(SUM, i, 0, (uint64_t)m + (uint64_t)x)                                                        \
    X(PROD, i, 1, (uint64_t)m * (uint64_t)x)                                                       \
    Y(MAX, i, (T)((U)1 << (8 * sizeof(T) - 1)), x > m ? x : m)                                     \
    Y(MIN, i, (T)(~(U)0 >> 1), x < m ? x : m)

#define BOOL_FOLDS(Y)                                                                              \
    Y(MAX, i, 0, x || m)                                                                           \
    Y(MIN, i, 1, x && m)

/* clang-format on */

#define T float
#define NAME(name) name##_f32
#define LIBM(name) name##f
#include "kernels/vector_float.h"
#undef T
#undef NAME
#undef LIBM

#define T double
#define NAME(name) name##_f64
#define LIBM(name) name
#include "kernels/vector_float.h"
#undef T
#undef NAME
#undef LIBM

#define T int32_t
#define U uint32_t
#define NAME(name) name##_i32
#include "kernels/vector_int.h"
#undef T
#undef U
#undef NAME

#define T int64_t
#define U uint64_t
#define NAME(name) name##_i64
#include "kernels/vector_int.h"
#undef T
#undef U
#undef NAME

/* ---- bool ---- */

#define T bool
#define TOTAL int64_t

static void unary_bool(srn_unary f, void *result, const void *argument, int64_t n) {
    bool *out = result;
    const bool *in = argument;
    switch (f) {
        UNARY(logical_not, !x)
    default:
        break;
    }
}

static void binary_bool(srn_binary f, void *result, const void *left, int step_a, const void *right,
                        int step_b, int64_t n) {
    bool *out = result;
    const bool *in_a = left, *in_b = right;
    switch (f) {
        COMPARISONS(out)
        BINARY(logical_and, out, a && b)
        BINARY(logical_or, out, a || b)
    default:
        break;
    }
}

static void fold_columns_bool(srn_fold f, srn_total *total, const void *first, int64_t n,
                              int64_t stride, int64_t columns) {
    const bool *in = first;
    switch (f) {
        BOOL_FOLDS(FOLD_SLOWLY)
    default:
        break;
    }
}

static void fold_runs_bool(srn_fold f, srn_total *total, const void *first, int64_t n,
                           int64_t stride, int64_t runs) {
    const bool *in = first;
    switch (f) {
        BOOL_FOLDS(FOLD_RUNS)
    default:
        break;
    }
}

#undef T
#undef TOTAL

/* ---- by dtype ---- */

static void unary(srn_unary f, srn_dtype dtype, void *out, const void *x, int64_t n) {
    static void (*const typed[])(srn_unary, void *, const void *, int64_t) = {
        unary_f32, unary_f64, unary_i32, unary_i64, unary_bool,
    };
    typed[dtype](f, out, x, n);
}

static void binary(srn_binary f, srn_dtype dtype, void *out, const void *a, int step_a,
                   const void *b, int step_b, int64_t n) {
    static void (*const typed[])(srn_binary, void *, const void *, int, const void *, int,
                                 int64_t) = {
        binary_f32, binary_f64, binary_i32, binary_i64, binary_bool,
    };
    typed[dtype](f, out, a, step_a, b, step_b, n);
}

/* With a mask of all ones or none, and the condition as bytes: the compiler does not vectorise a
 * choice by a bool. */
#define WHERE(T, i_condition, i_a, i_b)                                                            \
    EACH_ELEMENT {                                                                                 \
        const T mask = (T)(0 - (T)(condition[i_condition] != 0));                                  \
        out[i] = (T)((a[i_a] & mask) | (b[i_b] & (T)~mask));                                       \
    }                                                                                              \
    break;

#define DEFINE_WHERE(T)                                                                            \
    static void where_##T(T *out, const uint8_t *condition, int step_condition, const T *a,        \
                          int step_a, const T *b, int step_b, int64_t n) {                         \
        switch (step_condition * 4 + step_a * 2 + step_b) {                                        \
        case 7:                                                                                    \
            WHERE(T, i, i, i)                                                                      \
        case 6:                                                                                    \
            WHERE(T, i, i, 0)                                                                      \
        case 5:                                                                                    \
            WHERE(T, i, 0, i)                                                                      \
        case 4:                                                                                    \
            WHERE(T, i, 0, 0)                                                                      \
        case 3:                                                                                    \
            WHERE(T, 0, i, i)                                                                      \
        case 2:                                                                                    \
            WHERE(T, 0, i, 0)                                                                      \
        case 1:                                                                                    \
            WHERE(T, 0, 0, i)                                                                      \
        default:                                                                                   \
            WHERE(T, 0, 0, 0)                                                                      \
        }                                                                                          \
    }
DEFINE_WHERE(uint8_t)
DEFINE_WHERE(uint32_t)
DEFINE_WHERE(uint64_t)

static void where(srn_dtype dtype, void *out, const bool *flag, int step_condition, const void *a,
                  int step_a, const void *b, int step_b, int64_t n) {
    const uint8_t *condition = (const uint8_t *)flag;
    switch (srn_dtype_size(dtype)) {
    case 1:
        where_uint8_t(out, condition, step_condition, a, step_a, b, step_b, n);
        break;
    case 4:
        where_uint32_t(out, condition, step_condition, a, step_a, b, step_b, n);
        break;
    default:
        where_uint64_t(out, condition, step_condition, a, step_a, b, step_b, n);
    }
}

/* In whole vectors: the next element overwrites what is too much. */
#define DEFINE_SPREAD(T)                                                                           \
    static void spread_##T(T *out, const T *x, int64_t n, int64_t times) {                         \
        for (int64_t i = 0; i < n; i++, out += times) {                                            \
            const T value = x[i];                                                                  \
            for (int64_t j = 0; j < times; j += SRN_SPREAD_MORE + 1) {                             \
                for (int k = 0; k <= SRN_SPREAD_MORE; k++) {                                       \
                    out[j + k] = value;                                                            \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
DEFINE_SPREAD(uint8_t)
DEFINE_SPREAD(uint32_t)
DEFINE_SPREAD(uint64_t)

static void spread(srn_dtype dtype, void *out, const void *x, int64_t n, int64_t times) {
    switch (srn_dtype_size(dtype)) {
    case 1:
        spread_uint8_t(out, x, n, times);
        break;
    case 4:
        spread_uint32_t(out, x, n, times);
        break;
    default:
        spread_uint64_t(out, x, n, times);
    }
}

static void fold(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                 int64_t stride, int64_t columns) {
    static void (*const typed[])(srn_fold, srn_total *, const void *, int64_t, int64_t, int64_t) = {
        fold_columns_f32, fold_columns_f64, fold_columns_i32, fold_columns_i64, fold_columns_bool,
    };
    typed[dtype](f, total, x, n, stride, columns);
}

static void fold_runs(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                      int64_t stride, int64_t runs) {
    static void (*const typed[])(srn_fold, srn_total *, const void *, int64_t, int64_t, int64_t) = {
        fold_runs_f32, fold_runs_f64, fold_runs_i32, fold_runs_i64, fold_runs_bool,
    };
    typed[dtype](f, total, x, n, stride, runs);
}

#define CAST_TO(R, formula)                                                                        \
    {                                                                                              \
        R *out = result;                                                                           \
        EACH_ELEMENT {                                                                             \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
        break;                                                                                     \
    }

#define DEFINE_CAST(S, T, TO_I32, TO_I64)                                                          \
    static void cast_##S(srn_dtype to, void *result, const void *argument, int64_t n) {            \
        const T *in = argument;                                                                    \
        switch (to) {                                                                              \
        case SRN_F32:                                                                              \
            CAST_TO(float, in[i])                                                                  \
        case SRN_F64:                                                                              \
            CAST_TO(double, in[i])                                                                 \
        case SRN_I32:                                                                              \
            CAST_TO(int32_t, TO_I32)                                                               \
        case SRN_I64:                                                                              \
            CAST_TO(int64_t, TO_I64)                                                               \
        default:                                                                                   \
            CAST_TO(bool, in[i] != 0)                                                              \
        }                                                                                          \
    }

/* What does not fit an integer, NaN too, becomes the smallest one, as x86 does it. */
#define FIT_I32 (in[i] >= -0x1p31 && in[i] < 0x1p31 ? (int32_t)in[i] : INT32_MIN)
#define FIT_I64 (in[i] >= -0x1p63 && in[i] < 0x1p63 ? (int64_t)in[i] : INT64_MIN)
DEFINE_CAST(f32, float, FIT_I32, FIT_I64)
DEFINE_CAST(f64, double, FIT_I32, FIT_I64)
DEFINE_CAST(i32, int32_t, in[i], in[i])
DEFINE_CAST(i64, int64_t, in[i], in[i])
DEFINE_CAST(bool, uint8_t, in[i], in[i])

static void cast(srn_dtype to, void *out, srn_dtype from, const void *x, int64_t n) {
    static void (*const typed[])(srn_dtype, void *, const void *, int64_t) = {
        cast_f32, cast_f64, cast_i32, cast_i64, cast_bool,
    };
    typed[from](to, out, x, n);
}

static void softmax(srn_dtype dtype, void *out, const void *x, int64_t n, bool logarithm) {
    srn_total largest = srn_fold_start(SRN_FOLD_MAX, dtype);
    fold_runs(SRN_FOLD_MAX, dtype, &largest, x, n, n, 1);
    (dtype == SRN_F32 ? softmax_f32 : softmax_f64)(out, x, n, largest.f, logarithm);
}

const srn_vector SRN_VECTOR_TABLE = {
    .unary = unary,
    .binary = binary,
    .where = where,
    .spread = spread,
    .cast = cast,
    .fold = fold,
    .fold_runs = fold_runs,
    .softmax = softmax,
};
