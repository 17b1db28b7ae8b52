/* The plain truth behind vector.h: one element after the other, in double or 64-bit integers, with
 * the C library's functions. For SEQRNN_KERNELS=ref and for tests of the fast loops.
 */
#include <math.h>
#include <string.h>

#include "kernels/vector.h"

/* Elements as srn_total: floats in .f, integers and bools in .i. */
static srn_total load(srn_dtype dtype, const void *x, int64_t i) {
    switch (dtype) {
    case SRN_F32:
        return (srn_total){.f = ((const float *)x)[i]};
    case SRN_F64:
        return (srn_total){.f = ((const double *)x)[i]};
    case SRN_I32:
        return (srn_total){.i = ((const int32_t *)x)[i]};
    case SRN_I64:
        return (srn_total){.i = ((const int64_t *)x)[i]};
    default:
        return (srn_total){.i = ((const bool *)x)[i]};
    }
}

static void store(srn_dtype dtype, void *out, int64_t i, srn_total value) {
    srn_fold_store(dtype, (char *)out + i * (int64_t)srn_dtype_size(dtype), &value, 1);
}

static double unary_float(srn_unary f, double x) {
    switch (f) {
    case SRN_UNARY_neg:
        return -x;
    case SRN_UNARY_abs:
        return fabs(x);
    case SRN_UNARY_sign:
        return x > 0 ? 1 : x < 0 ? -1 : x;
    case SRN_UNARY_square:
        return x * x;
    case SRN_UNARY_relu:
        return x <= 0 ? 0 : x;
    case SRN_UNARY_sqrt:
        return sqrt(x);
    case SRN_UNARY_rsqrt:
        return 1 / sqrt(x);
    case SRN_UNARY_reciprocal:
        return 1 / x;
    case SRN_UNARY_exp:
        return exp(x);
    case SRN_UNARY_expm1:
        return expm1(x);
    case SRN_UNARY_log:
        return log(x);
    case SRN_UNARY_log1p:
        return log1p(x);
    case SRN_UNARY_sin:
        return sin(x);
    case SRN_UNARY_cos:
        return cos(x);
    case SRN_UNARY_asin:
        return asin(x);
    case SRN_UNARY_acos:
        return acos(x);
    case SRN_UNARY_atan:
        return atan(x);
    case SRN_UNARY_sinh:
        return sinh(x);
    case SRN_UNARY_cosh:
        return cosh(x);
    case SRN_UNARY_tanh:
        return tanh(x);
    case SRN_UNARY_asinh:
        return asinh(x);
    case SRN_UNARY_acosh:
        return acosh(x);
    case SRN_UNARY_atanh:
        return atanh(x);
    case SRN_UNARY_cbrt:
        return cbrt(x);
    case SRN_UNARY_sigmoid:
        return 1 / (1 + exp(-x));
    case SRN_UNARY_erf:
        return erf(x);
    case SRN_UNARY_floor:
        return floor(x);
    case SRN_UNARY_ceil:
        return ceil(x);
    default:
        return nearbyint(x);
    }
}

static int64_t unary_int(srn_unary f, int64_t x) {
    const uint64_t minus = 0 - (uint64_t)x;
    switch (f) {
    case SRN_UNARY_neg:
        return (int64_t)minus;
    case SRN_UNARY_abs:
        return x < 0 ? (int64_t)minus : x;
    case SRN_UNARY_sign:
        return (x > 0) - (x < 0);
    case SRN_UNARY_square:
        return (int64_t)((uint64_t)x * (uint64_t)x);
    case SRN_UNARY_relu:
        return x > 0 ? x : 0;
    default:
        return !x;
    }
}

static void unary(srn_unary f, srn_dtype dtype, void *out, const void *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        srn_total value = load(dtype, x, i);
        if (f == SRN_UNARY_isnan || f == SRN_UNARY_isfinite) {
            ((bool *)out)[i] = f == SRN_UNARY_isnan ? isnan(value.f) : isfinite(value.f);
            continue;
        }
        if (srn_dtype_is_float(dtype)) {
            value.f = unary_float(f, value.f);
        } else {
            value.i = unary_int(f, value.i);
        }
        store(dtype, out, i, value);
    }
}

static double floor_mod(double a, double b) {
    double r = fmod(a, b);
    return r == 0 ? copysign(0, b) : signbit(r) != signbit(b) ? r + b : r;
}

static double binary_float(srn_binary f, double a, double b) {
    switch (f) {
    case SRN_BINARY_add:
        return a + b;
    case SRN_BINARY_sub:
        return a - b;
    case SRN_BINARY_mul:
        return a * b;
    case SRN_BINARY_div:
        return a / b;
    case SRN_BINARY_maximum:
        return isnan(a) || isnan(b) ? a + b : fmax(a, b);
    case SRN_BINARY_minimum:
        return isnan(a) || isnan(b) ? a + b : fmin(a, b);
    case SRN_BINARY_mod:
        return floor_mod(a, b);
    case SRN_BINARY_pow:
        return pow(a, b);
    case SRN_BINARY_atan2:
        return atan2(a, b);
    case SRN_BINARY_hypot:
        return hypot(a, b);
    case SRN_BINARY_tanh_grad:
        return b * (1 - a * a);
    case SRN_BINARY_sigmoid_grad:
        return b * a * (1 - a);
    default: /* relu_grad */
        return a > 0 ? b : 0;
    }
}

static int64_t binary_int(srn_binary f, int64_t a, int64_t b) {
    switch (f) {
    case SRN_BINARY_add:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case SRN_BINARY_sub:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case SRN_BINARY_mul:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case SRN_BINARY_maximum:
        return a > b ? a : b;
    case SRN_BINARY_minimum:
        return a < b ? a : b;
    default: /* mod */
        if (b == 0 || b == -1) {
            return 0;
        }
        return a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b : a % b;
    }
}

/* Comparisons and logic: -1 stands for "another function". */
static int truth(srn_binary f, bool flt, srn_total a, srn_total b) {
    switch (f) {
    case SRN_BINARY_equal:
        return flt ? a.f == b.f : a.i == b.i;
    case SRN_BINARY_not_equal:
        return flt ? a.f != b.f : a.i != b.i;
    case SRN_BINARY_less:
        return flt ? a.f < b.f : a.i < b.i;
    case SRN_BINARY_less_equal:
        return flt ? a.f <= b.f : a.i <= b.i;
    case SRN_BINARY_logical_and:
        return a.i && b.i;
    case SRN_BINARY_logical_or:
        return a.i || b.i;
    default:
        return -1;
    }
}

static void binary(srn_binary f, srn_dtype dtype, void *out, const void *left, int step_a,
                   const void *right, int step_b, int64_t n) {
    const bool flt = srn_dtype_is_float(dtype);
    for (int64_t i = 0; i < n; i++) {
        srn_total a = load(dtype, left, i * step_a), b = load(dtype, right, i * step_b), value;
        int answer = truth(f, flt, a, b);
        if (answer >= 0) {
            ((bool *)out)[i] = answer != 0;
            continue;
        }
        if (flt) {
            value.f = binary_float(f, a.f, b.f);
        } else {
            value.i = binary_int(f, a.i, b.i);
        }
        store(dtype, out, i, value);
    }
}

static void where(srn_dtype dtype, void *out, const bool *condition, int step_condition,
                  const void *a, int step_a, const void *b, int step_b, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        bool first = condition[i * step_condition];
        store(dtype, out, i, first ? load(dtype, a, i * step_a) : load(dtype, b, i * step_b));
    }
}

static void spread(srn_dtype dtype, void *out, const void *x, int64_t n, int64_t times) {
    for (int64_t i = 0; i < n * times; i++) {
        store(dtype, out, i, load(dtype, x, i / times));
    }
}

static void cast(srn_dtype to, void *out, srn_dtype from, const void *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        srn_total value = load(from, x, i);
        if (srn_dtype_is_float(from) && to == SRN_BOOL) {
            value.i = value.f != 0;
        } else if (srn_dtype_is_float(from) && !srn_dtype_is_float(to)) {
            const double limit = to == SRN_I32 ? 0x1p31 : 0x1p63;
            const int64_t smallest = to == SRN_I32 ? INT32_MIN : INT64_MIN;
            value.i = value.f >= -limit && value.f < limit ? (int64_t)value.f : smallest;
        } else if (to == SRN_F32 && !srn_dtype_is_float(from)) {
            value.f = (float)value.i; /* rounded once */
        } else if (to == SRN_F64 && !srn_dtype_is_float(from)) {
            value.f = (double)value.i;
        }
        store(to, out, i, value);
    }
}

static srn_total join(srn_fold f, bool flt, srn_total m, srn_total x) {
    if (flt) {
        switch (f) {
        case SRN_FOLD_SUM:
            return (srn_total){.f = m.f + x.f};
        case SRN_FOLD_PROD:
            return (srn_total){.f = m.f * x.f};
        case SRN_FOLD_MAX:
            return x.f > m.f || isnan(x.f) ? x : m;
        default:
            return x.f < m.f || isnan(x.f) ? x : m;
        }
    }
    switch (f) {
    case SRN_FOLD_SUM:
        return (srn_total){.i = (int64_t)((uint64_t)m.i + (uint64_t)x.i)};
    case SRN_FOLD_PROD:
        return (srn_total){.i = (int64_t)((uint64_t)m.i * (uint64_t)x.i)};
    case SRN_FOLD_MAX:
        return x.i > m.i ? x : m;
    default:
        return x.i < m.i ? x : m;
    }
}

static void fold(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                 int64_t stride, int64_t columns) {
    for (int64_t r = 0; r < n; r++) {
        for (int64_t j = 0; j < columns; j++) {
            total[j] = join(f, srn_dtype_is_float(dtype), total[j], load(dtype, x, r * stride + j));
        }
    }
}

static void fold_runs(srn_fold f, srn_dtype dtype, srn_total *total, const void *x, int64_t n,
                      int64_t stride, int64_t runs) {
    const int64_t size = (int64_t)srn_dtype_size(dtype);
    for (int64_t j = 0; j < runs; j++) {
        fold(f, dtype, &total[j], (const char *)x + j * stride * size, n, 1, 1);
    }
}

static void softmax(srn_dtype dtype, void *out, const void *x, int64_t n, bool logarithm) {
    srn_total largest = srn_fold_start(SRN_FOLD_MAX, dtype);
    fold_runs(SRN_FOLD_MAX, dtype, &largest, x, n, n, 1);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += exp(load(dtype, x, i).f - largest.f);
    }
    for (int64_t i = 0; i < n; i++) {
        double difference = load(dtype, x, i).f - largest.f;
        double value = logarithm ? difference - log(sum) : exp(difference) / sum;
        store(dtype, out, i, (srn_total){.f = value});
    }
}

const srn_vector srn_vector_ref = {
    .unary = unary,
    .binary = binary,
    .where = where,
    .spread = spread,
    .cast = cast,
    .fold = fold,
    .fold_runs = fold_runs,
    .softmax = softmax,
};
