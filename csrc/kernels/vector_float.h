/* The formulas for floats; a template, see vector_body.h. LIBM(f) is the C library's f for T. */

#define TOTAL double
#define V NAME(v)
#define VL (SIMD_BYTES / (int64_t)sizeof(T))

#include "kernels/vector_fold.h"

static void NAME(unary)(srn_unary f, void *result, const void *argument, int64_t n) {
    T *out = result;
    const T *in = argument;
    bool *flag = result;
    switch (f) {
        UNARY(neg, -x)
        UNARY(abs, LIBM(fabs)(x))
        UNARY(sign, x > 0 ? 1 : x < 0 ? -1 : x) /* NaN and the zeros stay */
        UNARY(square, x * x)
        UNARY(relu, x <= 0 ? 0 : x) /* NaN stays */
        UNARY(sqrt, LIBM(sqrt)(x))
        UNARY(rsqrt, 1 / LIBM(sqrt)(x))
        UNARY(reciprocal, 1 / x)
        UNARY_VECTORS(exp)
        UNARY(expm1, LIBM(expm1)(x))
        UNARY(log, LIBM(log)(x))
        UNARY(log1p, LIBM(log1p)(x))
        UNARY(sin, LIBM(sin)(x))
        UNARY(cos, LIBM(cos)(x))
        UNARY(asin, LIBM(asin)(x))
        UNARY(acos, LIBM(acos)(x))
        UNARY(atan, LIBM(atan)(x))
        UNARY(sinh, LIBM(sinh)(x))
        UNARY(cosh, LIBM(cosh)(x))
        UNARY_VECTORS(tanh)
        UNARY(asinh, LIBM(asinh)(x))
        UNARY(acosh, LIBM(acosh)(x))
        UNARY(atanh, LIBM(atanh)(x))
        UNARY(cbrt, LIBM(cbrt)(x))
        UNARY_VECTORS(sigmoid)
        UNARY(erf, LIBM(erf)(x))
        UNARY(floor, LIBM(floor)(x))
        UNARY(ceil, LIBM(ceil)(x))
        UNARY(round, LIBM(rint)(x)) /* halves to even */
    case SRN_UNARY_isnan:
        EACH_ELEMENT {
            flag[i] = in[i] != in[i];
        }
        break;
    case SRN_UNARY_isfinite:
        EACH_ELEMENT {
            flag[i] = in[i] - in[i] == 0;
        }
        break;
    default:
        break;
    }
}

/* The remainder has the sign of the divisor, as in Python. */
static inline T NAME(floor_mod)(T a, T b) {
    T r = LIBM(fmod)(a, b);
    if (r == 0) {
        return LIBM(copysign)(0, b);
    }
    return (r < 0) != (b < 0) ? r + b : r;
}

static void NAME(binary)(srn_binary f, void *result, const void *left, int step_a,
                         const void *right, int step_b, int64_t n) {
    T *out = result;
    const T *in_a = left, *in_b = right;
    bool *flag = result;
    switch (f) {
        BINARY(add, out, a + b)
        BINARY(sub, out, a - b)
        BINARY(mul, out, a * b)
        BINARY(div, out, a / b)
        BINARY(maximum, out, a > b || a != a ? a : b) /* NaN on either side comes out */
        BINARY(minimum, out, a < b || a != a ? a : b)
        BINARY(mod, out, NAME(floor_mod)(a, b))
        BINARY(pow, out, LIBM(pow)(a, b))
        BINARY(atan2, out, LIBM(atan2)(a, b))
        BINARY(hypot, out, LIBM(hypot)(a, b))
        /* a is the value of the function, b the gradient by it */
        BINARY(tanh_grad, out, b * (1 - a * a))
        BINARY(sigmoid_grad, out, b * a * (1 - a))
        BINARY(relu_grad, out, a > 0 ? b : 0)
        COMPARISONS(flag)
    default:
        break;
    }
}

static void NAME(fold_columns)(srn_fold f, srn_total *total, const void *first, int64_t n,
                               int64_t stride, int64_t columns) {
    const T *in = first;
    int64_t done = 0;
    if (f == SRN_FOLD_SUM) {
        done = NAME(fold_vectors)(SRN_FOLD_SUM, total, in, n, stride, columns);
    } else if (f == SRN_FOLD_PROD) {
        done = NAME(fold_vectors)(SRN_FOLD_PROD, total, in, n, stride, columns);
    }
    in += done * stride;
    n -= done;
    switch (f) { FLOAT_FOLDS(FOLD, FOLD_SLOWLY) }
}

static void NAME(fold_runs)(srn_fold f, srn_total *total, const void *first, int64_t n,
                            int64_t stride, int64_t runs) {
    const T *in = first;
    switch (f) { FLOAT_FOLDS(FOLD_RUNS, FOLD_RUNS) }
}

/* out = exp(x - largest) / sum, or (x - largest) - log(sum). */
static void NAME(softmax)(void *result, const void *argument, int64_t n, double largest,
                          bool logarithm) {
    enum { CHUNK = 512 };
    const srn_dtype dtype = sizeof(T) == sizeof(float) ? SRN_F32 : SRN_F64;
    T *out = result, e[CHUNK];
    const T *in = argument;
    srn_total sum = {.f = 0};
    for (int64_t begin = 0; begin < n; begin += CHUNK) {
        const int64_t count = n - begin < CHUNK ? n - begin : CHUNK;
        EACH_VECTOR(count) {
            const V difference = LOAD(in + begin + i) - (T)largest, power = NAME(exp)(difference);
            STORE(e + i, power);
            STORE(out + begin + i, logarithm ? difference : power);
        }
        SRN_VECTOR_TABLE.fold_runs(SRN_FOLD_SUM, dtype, &sum, e, count, count, 1);
    }
    const T divisor = (T)sum.f, term = logarithm ? (T)log(sum.f) : 0;
    EACH_ELEMENT {
        out[i] = logarithm ? out[i] - term : out[i] / divisor;
    }
}

#undef TOTAL
#undef V
#undef VL
