/* Elementwise ops of one argument: y[i] = f(x[i]), any shape.
 *
 * Each is one line: its gradient rule (dx from x, y, dy), then UNARY with the types it takes, its
 * formula and its rule. The arithmetic is in kernels/vector_float.h. Rows are elements, so any
 * partition gives the same bits; memory: none beside the output.
 */
#include "graph/emit.h"
#include "kernels/vector.h"
#include "ops/check.h"

/* ---- shape rules: which dtypes ---- */

/* `name` is the op in the messages. */
static bool keep_type(srn_infer *x) {
    x->out[0] = *x->in[0];
    return true;
}

static bool take_float(srn_infer *x, const char *name, srn_error *err) {
    return srn_expect_float(x->in[0], name, err) && keep_type(x);
}

static bool take_number(srn_infer *x, const char *name, srn_error *err) {
    return srn_expect_number(x->in[0], name, err) && keep_type(x);
}

static bool take_bool(srn_infer *x, const char *name, srn_error *err) {
    if (x->in[0]->dtype != SRN_BOOL) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "%s: expected bool, got %s; compare with something or use cast first", name,
                        srn_dtype_name(x->in[0]->dtype));
    }
    return keep_type(x);
}

/* A question about floats. */
static bool ask_float(srn_infer *x, const char *name, srn_error *err) {
    if (!take_float(x, name, err)) {
        return false;
    }
    x->out[0].dtype = SRN_BOOL;
    return true;
}

static int64_t elements(const srn_infer *x) {
    return srn_shape_count(&x->in[0]->shape);
}

/* ---- execution ---- */

static void run(srn_unary f, const srn_exec *x, int64_t row0, int64_t row1) {
    srn_vectors()->unary(f, x->in[0]->type.dtype, srn_view_at(x->out[0], row0),
                         srn_view_at(x->in[0], row0), row1 - row0);
}

/* ---- gradient rules ---- */

/* dx = formula, where y is the value, dy the gradient by it. */
#define RULE(word, formula)                                                                        \
    static void vjp_##word(srn_vjp *p) {                                                           \
        srn_graph *g = p->g;                                                                       \
        const srn_val x = p->in[0], y = p->out[0], dy = p->dout[0];                                \
        (void)x;                                                                                   \
        (void)y;                                                                                   \
        p->din[0] = (formula);                                                                     \
    }

#define UNARY_OP(word, types, text, ...)                                                           \
    static bool infer_##word(srn_infer *x, srn_error *err) {                                       \
        return types(x, #word, err);                                                               \
    }                                                                                              \
    static void exec_##word(const srn_exec *x, int64_t row0, int64_t row1) {                       \
        run(SRN_UNARY_##word, x, row0, row1);                                                      \
    }                                                                                              \
    const srn_op srn_op_##word = {                                                                 \
        .name = #word,                                                                             \
        .doc = text,                                                                               \
        .min_in = 1,                                                                               \
        .max_in = 1,                                                                               \
        .n_out = 1,                                                                                \
        .parallel = SRN_ROWS,                                                                      \
        .flags = SRN_FLAG_ELEMENTWISE | SRN_FLAG_INPLACE,                                          \
        .infer = infer_##word,                                                                     \
        .rows = elements,                                                                          \
        .exec = exec_##word,                                                                       \
        __VA_ARGS__,                                                                               \
    };

#define SMOOTH(word, types, text)                                                                  \
    UNARY_OP(word, types, text, .diff = SRN_DIFF_RULE, .vjp = vjp_##word)
#define FLAT(word, types, text) UNARY_OP(word, types, text, .diff = SRN_DIFF_ZERO)

/* ---- the ops ---- */

RULE(neg, srn_neg(g, dy))
SMOOTH(neg, take_number, "neg(x) = -x, numbers.")

RULE(abs, srn_mul(g, dy, srn_emit1(g, SRN_OP_sign, x)))
SMOOTH(abs, take_number, "abs(x) = |x|, numbers. Gradient sign(x), 0 at 0.")

FLAT(sign, take_number, "sign(x) = 1, 0 or -1, numbers; NaN stays. Gradient 0.")

RULE(square, srn_mul(g, srn_scale(g, dy, 2), x))
SMOOTH(square, take_number, "square(x) = x x, numbers.")

RULE(sqrt, srn_div(g, srn_scale(g, dy, 0.5), y))
SMOOTH(sqrt, take_float, "sqrt(x), floats. Gradient 1 / (2 sqrt(x)), infinite at 0.")

RULE(rsqrt, srn_mul(g, srn_scale(g, dy, -0.5), srn_div(g, y, x)))
SMOOTH(rsqrt, take_float, "rsqrt(x) = 1 / sqrt(x), floats.")

RULE(reciprocal, srn_neg(g, srn_mul(g, dy, srn_square(g, y))))
SMOOTH(reciprocal, take_float, "reciprocal(x) = 1 / x, floats.")

RULE(exp, srn_mul(g, dy, y))
SMOOTH(exp, take_float, "exp(x), floats.")

RULE(expm1, srn_mul(g, dy, srn_shift(g, y, 1)))
SMOOTH(expm1, take_float, "expm1(x) = exp(x) - 1, exact for small x; floats.")

RULE(log, srn_div(g, dy, x))
SMOOTH(log, take_float, "log(x), natural; floats.")

RULE(log1p, srn_div(g, dy, srn_shift(g, x, 1)))
SMOOTH(log1p, take_float, "log1p(x) = log(1 + x), exact for small x; floats.")

RULE(sin, srn_mul(g, dy, srn_emit1(g, SRN_OP_cos, x)))
SMOOTH(sin, take_float, "sin(x), radians; floats.")

RULE(cos, srn_neg(g, srn_mul(g, dy, srn_emit1(g, SRN_OP_sin, x))))
SMOOTH(cos, take_float, "cos(x), radians; floats.")

/* (1 - x)(1 + x), which is exact near 1. */
static srn_val one_less_square(srn_graph *g, srn_val x) {
    return srn_mul(g, srn_shift(g, srn_neg(g, x), 1), srn_shift(g, x, 1));
}

static srn_val root(srn_graph *g, srn_val x) {
    return srn_emit1(g, SRN_OP_sqrt, x);
}

RULE(asin, srn_div(g, dy, root(g, one_less_square(g, x))))
SMOOTH(asin, take_float, "asin(x) in [-pi/2, pi/2], floats. Gradient 1 / sqrt(1 - x^2).")

RULE(acos, srn_neg(g, srn_div(g, dy, root(g, one_less_square(g, x)))))
SMOOTH(acos, take_float, "acos(x) in [0, pi], floats. Gradient -1 / sqrt(1 - x^2).")

RULE(atan, srn_div(g, dy, srn_shift(g, srn_square(g, x), 1)))
SMOOTH(atan, take_float, "atan(x) in [-pi/2, pi/2], floats. Gradient 1 / (1 + x^2).")

RULE(sinh, srn_mul(g, dy, srn_emit1(g, SRN_OP_cosh, x)))
SMOOTH(sinh, take_float, "sinh(x), floats.")

RULE(cosh, srn_mul(g, dy, srn_emit1(g, SRN_OP_sinh, x)))
SMOOTH(cosh, take_float, "cosh(x), floats.")

RULE(asinh, srn_div(g, dy, root(g, srn_shift(g, srn_square(g, x), 1))))
SMOOTH(asinh, take_float, "asinh(x), floats. Gradient 1 / sqrt(x^2 + 1).")

/* Two roots: their product is NaN below -1, where acosh is, too. */
RULE(acosh, srn_div(g, dy, srn_mul(g, root(g, srn_shift(g, x, -1)), root(g, srn_shift(g, x, 1)))))
SMOOTH(acosh, take_float, "acosh(x) >= 0, floats. Gradient 1 / sqrt(x^2 - 1).")

RULE(atanh, srn_div(g, dy, one_less_square(g, x)))
SMOOTH(atanh, take_float, "atanh(x), floats. Gradient 1 / (1 - x^2).")

RULE(cbrt, srn_div(g, dy, srn_scale(g, srn_square(g, y), 3)))
SMOOTH(cbrt, take_float,
       "cbrt(x), the real cube root; floats. Gradient 1 / (3 y^2), infinite at 0.")

RULE(tanh, srn_emit2(g, SRN_OP_tanh_grad, y, dy))
SMOOTH(tanh, take_float, "tanh(x), floats.")

RULE(sigmoid, srn_emit2(g, SRN_OP_sigmoid_grad, y, dy))
SMOOTH(sigmoid, take_float, "sigmoid(x) = 1 / (1 + exp(-x)), floats.")

RULE(relu, srn_emit2(g, SRN_OP_relu_grad, y, dy))
SMOOTH(relu, take_number, "relu(x) = max(x, 0), numbers. Gradient 0 at 0.")

/* 2 / sqrt(pi) exp(-x^2) */
RULE(erf, srn_mul(g, dy,
                  srn_scale(g, srn_emit1(g, SRN_OP_exp, srn_neg(g, srn_square(g, x))),
                            1.1283791670955126)))
SMOOTH(erf, take_float, "erf(x), the error function; floats.")

FLAT(floor, take_float, "floor(x), floats. Gradient 0.")
FLAT(ceil, take_float, "ceil(x), floats. Gradient 0.")
FLAT(round, take_float, "round(x), halves to even; floats. Gradient 0.")
FLAT(isnan, ask_float, "isnan(x), floats to bool.")
FLAT(isfinite, ask_float, "isfinite(x), floats to bool: neither NaN nor infinite.")
FLAT(logical_not, take_bool, "logical_not(x), bool.")

/* ---- cast ---- */

static const srn_attr_spec cast_attrs[] = {
    {.name = "dtype", .kind = SRN_ATTR_DTYPE, .required = true},
    {0},
};

static bool infer_cast(srn_infer *x, srn_error *err) {
    (void)err;
    x->out[0] = (srn_type){(srn_dtype)x->attr[0].i, x->in[0]->shape};
    return true;
}

static void vjp_cast(srn_vjp *p) {
    p->din[0] = srn_cast(p->g, p->dout[0], srn_type_of(p->g, p->in[0])->dtype);
}

static void exec_cast(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_vectors()->cast(x->out[0]->type.dtype, srn_view_at(x->out[0], row0), x->in[0]->type.dtype,
                        srn_view_at(x->in[0], row0), row1 - row0);
}

const srn_op srn_op_cast = {
    .name = "cast",
    .doc = "cast(x, dtype): the nearest value of another type; floats to integers cut off the\n"
           "fraction, anything but zero is true.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = cast_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_ELEMENTWISE | SRN_FLAG_INPLACE,
    .infer = infer_cast,
    .vjp = vjp_cast,
    .rows = elements,
    .exec = exec_cast,
};

/* ---- stop_gradient ---- */

static bool infer_stop_gradient(srn_infer *x, srn_error *err) {
    (void)err;
    return keep_type(x);
}

const srn_op srn_op_stop_gradient = {
    .name = "stop_gradient",
    .doc = "stop_gradient(x) = x, a constant to the gradient.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_WHOLE,
    .flags = SRN_FLAG_ALIAS,
    .infer = infer_stop_gradient,
};

/* ---- gradient ops: (y, dy) -> dx, in one pass ---- */

static bool infer_grad(srn_infer *x, const char *name, srn_error *err) {
    const srn_type *y = x->in[0], *dy = x->in[1];
    if (y->dtype != dy->dtype || !srn_shape_equal(&y->shape, &dy->shape)) {
        char a[SRN_SHAPE_TEXT], b[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE, "%s: y is %s %s and dy is %s %s; both must be the same",
                        name, srn_dtype_name(y->dtype), srn_shape_text(a, &y->shape),
                        srn_dtype_name(dy->dtype), srn_shape_text(b, &dy->shape));
    }
    return take_float(x, name, err);
}

static void run_grad(srn_binary f, const srn_exec *x, int64_t row0, int64_t row1) {
    srn_vectors()->binary(f, x->out[0]->type.dtype, srn_view_at(x->out[0], row0),
                          srn_view_at(x->in[0], row0), 1, srn_view_at(x->in[1], row0), 1,
                          row1 - row0);
}

#define GRADIENT_OP(word, text)                                                                    \
    static bool infer_##word(srn_infer *x, srn_error *err) {                                       \
        return infer_grad(x, #word, err);                                                          \
    }                                                                                              \
    static void exec_##word(const srn_exec *x, int64_t row0, int64_t row1) {                       \
        run_grad(SRN_BINARY_##word, x, row0, row1);                                                \
    }                                                                                              \
    const srn_op srn_op_##word = {                                                                 \
        .name = #word,                                                                             \
        .doc = text,                                                                               \
        .min_in = 2,                                                                               \
        .max_in = 2,                                                                               \
        .n_out = 1,                                                                                \
        .diff = SRN_DIFF_RULE,                                                                     \
        .parallel = SRN_ROWS,                                                                      \
        .flags = SRN_FLAG_ELEMENTWISE | SRN_FLAG_INPLACE,                                          \
        .infer = infer_##word,                                                                     \
        .vjp = vjp_##word,                                                                         \
        .rows = elements,                                                                          \
        .exec = exec_##word,                                                                       \
    };

/* The second derivative. Of dx = f(y) dy, where d is the gradient by dx: f(y) d by dy, and by y
 * f'(y) dy d, which is the formula. */
#define GRADIENT_RULE(word, formula)                                                               \
    static void vjp_##word(srn_vjp *p) {                                                           \
        srn_graph *g = p->g;                                                                       \
        const srn_val y = p->in[0], dy = p->in[1], d = p->dout[0];                                 \
        (void)dy;                                                                                  \
        p->din[0] = (formula);                                                                     \
        p->din[1] = srn_emit2(g, SRN_OP_##word, y, d);                                             \
    }

GRADIENT_RULE(tanh_grad, srn_mul(g, srn_scale(g, y, -2), srn_mul(g, dy, d)))
GRADIENT_OP(tanh_grad, "tanh_grad(y, dy) = dy (1 - y y), where y = tanh(x).")

GRADIENT_RULE(sigmoid_grad, srn_mul(g, srn_shift(g, srn_scale(g, y, -2), 1), srn_mul(g, dy, d)))
GRADIENT_OP(sigmoid_grad, "sigmoid_grad(y, dy) = dy y (1 - y), where y = sigmoid(x).")

GRADIENT_RULE(relu_grad, SRN_NONE)
GRADIENT_OP(relu_grad, "relu_grad(y, dy) = dy where y > 0, else 0, where y = relu(x).")
