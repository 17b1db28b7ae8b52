/* The formulas for integers; a template, see vector_body.h. U is T without a sign: they wrap
 * around. */

#define TOTAL int64_t

static void NAME(unary)(srn_unary f, void *result, const void *argument, int64_t n) {
    T *out = result;
    const T *in = argument;
    switch (f) {
        UNARY(neg, (T)(0 - (U)x))
        UNARY(abs, (T)(x < 0 ? 0 - (U)x : (U)x))
        UNARY(sign, (x > 0) - (x < 0))
        UNARY(square, (T)((U)x * (U)x))
        UNARY(relu, x < 0 ? 0 : x)
    default:
        break;
    }
}

/* The remainder has the sign of the divisor, as in Python; by 0 it is 0, as in NumPy. */
static inline T NAME(floor_mod)(T a, T b) {
    T r = b == 0 || b == -1 ? 0 : a % b; /* smallest / -1 would trap */
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static void NAME(binary)(srn_binary f, void *result, const void *left, int step_a,
                         const void *right, int step_b, int64_t n) {
    T *out = result;
    const T *in_a = left, *in_b = right;
    bool *flag = result;
    switch (f) {
        BINARY(add, out, (T)((U)a + (U)b))
        BINARY(sub, out, (T)((U)a - (U)b))
        BINARY(mul, out, (T)((U)a * (U)b))
        BINARY(maximum, out, a > b ? a : b)
        BINARY(minimum, out, a < b ? a : b)
        BINARY(mod, out, NAME(floor_mod)(a, b))
        COMPARISONS(flag)
    default:
        break;
    }
}

static void NAME(fold_columns)(srn_fold f, srn_total *total, const void *first, int64_t n,
                               int64_t stride, int64_t columns) {
    const T *in = first;
    switch (f) { INT_FOLDS(FOLD, FOLD_SLOWLY) }
}

static void NAME(fold_runs)(srn_fold f, srn_total *total, const void *first, int64_t n,
                            int64_t stride, int64_t runs) {
    const T *in = first;
    switch (f) { INT_FOLDS(FOLD_RUNS, FOLD_RUNS) }
}

#undef TOTAL
