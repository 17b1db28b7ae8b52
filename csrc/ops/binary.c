/* Elementwise ops of two arguments, and where: NumPy's broadcasting, the same dtype on both sides.
 *
 *   out[i] = f(a[i], b[i])     out has the broadcast shape of a and b
 *   da = sum over the axes along which a was repeated of dout df/da, and the same for b
 *
 * Rows are elements of the output, in row-major order. A walk keeps the coordinates: neighbouring
 * axes along which all operands advance alike are merged, so that equal shapes and scalars are one
 * run. Where the runs would be short, as with a bias row or a column of factors, what is repeated is
 * written out for many rows in a tile that stays in the first cache. Any partition gives the same
 * bits; memory: none beside the tiles on the stack.
 */
#include <string.h>

#include "graph/emit.h"
#include "kernels/vector.h"

/* ---- walking the operands ---- */

enum { MAX_OPERANDS = 3, TILE_BYTES = 8192, NARROW = 256 };

typedef struct tile { /* some rows of an operand, from `element` of it on, written out */
    int64_t element, rows;
    _Alignas(64) char data[TILE_BYTES + SRN_SPREAD_MORE * sizeof(double)];
} tile;

typedef struct walk {
    int32_t rank, n; /* n operands */
    const srn_view *const *operands;
    int64_t dim[SRN_MAX_RANK], at[SRN_MAX_RANK];
    int64_t stride[MAX_OPERANDS][SRN_MAX_RANK];
    int64_t element[MAX_OPERANDS];  /* where each operand is now */
    const void *from[MAX_OPERANDS]; /* what walk_next found */
    int step[MAX_OPERANDS];
    tile tiles[MAX_OPERANDS];
} walk;

static bool advances_alike(const walk *w, int64_t dim, int64_t strides[][SRN_MAX_RANK],
                           int32_t axis) {
    for (int32_t k = 0; k < w->n; k++) {
        if (w->stride[k][w->rank - 1] != dim * strides[k][axis]) {
            return false;
        }
    }
    return true;
}

/* Starts at flat element `first` of the shape `out`. */
static void walk_begin(walk *w, const srn_shape *out, int32_t n, const srn_view *const *operands,
                       int64_t first) {
    int64_t strides[MAX_OPERANDS][SRN_MAX_RANK];
    w->rank = 0;
    w->n = n;
    w->operands = operands;
    for (int32_t k = 0; k < n; k++) {
        w->tiles[k].rows = 0;
        srn_shape_strides(strides[k], &operands[k]->type.shape, out);
    }
    for (int32_t axis = 0; axis < out->rank; axis++) {
        int64_t dim = out->dim[axis];
        if (dim == 1) {
            continue;
        }
        if (w->rank > 0 && advances_alike(w, dim, strides, axis)) {
            w->dim[w->rank - 1] *= dim;
        } else {
            w->dim[w->rank++] = dim;
        }
        for (int32_t k = 0; k < n; k++) {
            w->stride[k][w->rank - 1] = strides[k][axis];
        }
    }
    if (w->rank == 0) { /* one element */
        w->dim[w->rank++] = 1;
        for (int32_t k = 0; k < n; k++) {
            w->stride[k][0] = 1;
        }
    }
    for (int32_t k = 0; k < n; k++) {
        w->element[k] = 0;
    }
    for (int32_t axis = w->rank - 1; axis >= 0; axis--) {
        w->at[axis] = first % w->dim[axis];
        first /= w->dim[axis];
        for (int32_t k = 0; k < n; k++) {
            w->element[k] += w->at[axis] * w->stride[k][axis];
        }
    }
}

/* Onward by `count` places of an axis, at most to its end; later axes are at 0. */
static void walk_on(walk *w, int32_t axis, int64_t count) {
    for (; axis >= 0; axis--, count = 1) {
        w->at[axis] += count;
        for (int32_t k = 0; k < w->n; k++) {
            w->element[k] += count * w->stride[k][axis];
        }
        if (w->at[axis] < w->dim[axis] || axis == 0) {
            return;
        }
        for (int32_t k = 0; k < w->n; k++) {
            w->element[k] -= w->at[axis] * w->stride[k][axis];
        }
        w->at[axis] = 0;
    }
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* An operand that repeats its row (stride 0 from row to row) or, in each row, one element. */
static const void *write_out(walk *w, int32_t k, int64_t rows, bool repeats_row) {
    tile *t = &w->tiles[k];
    const srn_dtype dtype = w->operands[k]->type.dtype;
    const void *from = srn_view_at(w->operands[k], w->element[k]);
    const int64_t width = w->dim[w->rank - 1];
    if (!repeats_row) {
        srn_vectors()->spread(dtype, t->data, from, rows, width);
    } else if (t->rows < rows || t->element != w->element[k]) {
        const size_t row_bytes = (size_t)width * srn_dtype_size(dtype);
        const size_t bytes = (size_t)rows * row_bytes;
        memcpy(t->data, from, row_bytes);
        for (size_t done = row_bytes; done < bytes; done *= 2) {
            memcpy(t->data + done, t->data, done < bytes - done ? done : bytes - done);
        }
        t->rows = rows;
        t->element = w->element[k];
    }
    return t->data;
}

/* The next whole rows as one run of neighbours, or 0 when they are too few or too wide. */
static int64_t walk_rows(walk *w, int64_t left) {
    const int32_t last = w->rank - 1;
    const int64_t width = w->dim[last];
    if (last == 0 || w->at[last] != 0 || width > NARROW) {
        return 0;
    }
    int64_t rows = smaller(left / width, w->dim[last - 1] - w->at[last - 1]);
    rows = smaller(rows, TILE_BYTES / (int64_t)sizeof(double) / width);
    if (rows < 2) {
        return 0;
    }
    for (int32_t k = 0; k < w->n; k++) {
        const int64_t down = w->stride[k][last - 1], along = w->stride[k][last];
        const bool as_it_is = down == along * width; /* neighbours, or one element */
        w->step[k] = as_it_is ? (int)along : 1;
        w->from[k] = as_it_is ? srn_view_at(w->operands[k], w->element[k])
                              : write_out(w, k, rows, down == 0);
    }
    walk_on(w, last - 1, rows);
    return rows * width;
}

/* Onward by a run of at most `left` elements, and how long it is: `from` and `step` say where the
 * operands are. */
static int64_t walk_next(walk *w, int64_t left) {
    int64_t run = walk_rows(w, left);
    if (run == 0) {
        const int32_t last = w->rank - 1;
        run = smaller(w->dim[last] - w->at[last], left);
        for (int32_t k = 0; k < w->n; k++) {
            w->from[k] = srn_view_at(w->operands[k], w->element[k]);
            w->step[k] = (int)w->stride[k][last];
        }
        walk_on(w, last, run);
    }
    return run;
}

/* ---- execution ---- */

static void run(srn_binary f, const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_view *out = x->out[0], *a = x->in[0], *b = x->in[1];
    if (srn_shape_equal(&a->type.shape, &b->type.shape)) { /* the usual case, in few steps */
        srn_vectors()->binary(f, a->type.dtype, srn_view_at(out, row0), srn_view_at(a, row0), 1,
                              srn_view_at(b, row0), 1, row1 - row0);
        return;
    }
    walk w;
    walk_begin(&w, &out->type.shape, 2, x->in, row0);
    for (int64_t row = row0, n; row < row1; row += n) {
        n = walk_next(&w, row1 - row);
        srn_vectors()->binary(f, x->in[0]->type.dtype, srn_view_at(out, row), w.from[0], w.step[0],
                              w.from[1], w.step[1], n);
    }
}

/* ---- shape rules ---- */

static bool same_types(srn_infer *x, int32_t first, const char *name, srn_error *err) {
    const srn_type *a = x->in[first], *b = x->in[first + 1];
    if (a->dtype != b->dtype) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "%s: both sides need the same dtype, got %s and %s; convert one with cast",
                        name, srn_dtype_name(a->dtype), srn_dtype_name(b->dtype));
    }
    if (!srn_shape_broadcast(&x->out[0].shape, &a->shape, &b->shape)) {
        char text_a[SRN_SHAPE_TEXT], text_b[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: shapes %s and %s do not fit: seen from the right, each pair of sizes "
                        "must be equal or contain a 1",
                        name, srn_shape_text(text_a, &a->shape), srn_shape_text(text_b, &b->shape));
    }
    x->out[0].dtype = a->dtype;
    return srn_shape_check(&x->out[0].shape, err);
}

static bool take_number(srn_infer *x, const char *name, srn_error *err) {
    if (x->in[0]->dtype == SRN_BOOL && x->in[1]->dtype == SRN_BOOL) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "%s: expected numbers, got bool on both sides; use cast, or logical_and, "
                        "logical_or for masks",
                        name);
    }
    return same_types(x, 0, name, err);
}

static bool take_float(srn_infer *x, const char *name, srn_error *err) {
    srn_dtype dtype = x->in[0]->dtype;
    if (!srn_dtype_is_float(dtype) && dtype == x->in[1]->dtype) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "%s: expected float32 or float64, got %s; convert both sides with cast "
                        "first",
                        name, srn_dtype_name(dtype));
    }
    return same_types(x, 0, name, err);
}

static bool compare(srn_infer *x, const char *name, srn_error *err) {
    bool ok = same_types(x, 0, name, err);
    x->out[0].dtype = SRN_BOOL;
    return ok;
}

static bool take_bool(srn_infer *x, const char *name, srn_error *err) {
    for (int32_t i = 0; i < 2; i++) {
        if (x->in[i]->dtype != SRN_BOOL) {
            return srn_fail(err, SRN_ERR_TYPE, "%s: expected bool on both sides, got %s and %s",
                            name, srn_dtype_name(x->in[0]->dtype), srn_dtype_name(x->in[1]->dtype));
        }
    }
    return same_types(x, 0, name, err);
}

static int64_t elements(const srn_infer *x) {
    return srn_shape_count(&x->out[0].shape);
}

/* ---- gradient rules ---- */

static void give(srn_vjp *p, int32_t i, srn_val gradient) {
    srn_shape shape = srn_type_of(p->g, p->in[i])->shape;
    p->din[i] = srn_sum_to(p->g, gradient, &shape);
}

/* da = the first formula, db the second. */
#define RULE(word, formula_a, formula_b)                                                           \
    static void vjp_##word(srn_vjp *p) {                                                           \
        srn_graph *g = p->g;                                                                       \
        const srn_val a = p->in[0], b = p->in[1], y = p->out[0], dy = p->dout[0];                  \
        (void)g, (void)a, (void)b, (void)y;                                                        \
        if (p->need[0]) {                                                                          \
            give(p, 0, formula_a);                                                                 \
        }                                                                                          \
        if (p->need[1]) {                                                                          \
            give(p, 1, formula_b);                                                                 \
        }                                                                                          \
    }

#define BINARY_OP(word, types, text, ...)                                                          \
    static bool infer_##word(srn_infer *x, srn_error *err) {                                       \
        return types(x, #word, err);                                                               \
    }                                                                                              \
    static void exec_##word(const srn_exec *x, int64_t row0, int64_t row1) {                       \
        run(SRN_BINARY_##word, x, row0, row1);                                                     \
    }                                                                                              \
    const srn_op srn_op_##word = {                                                                 \
        .name = #word,                                                                             \
        .doc = text,                                                                               \
        .min_in = 2,                                                                               \
        .max_in = 2,                                                                               \
        .n_out = 1,                                                                                \
        .parallel = SRN_ROWS,                                                                      \
        .flags = SRN_FLAG_ELEMENTWISE | SRN_FLAG_INPLACE,                                          \
        .infer = infer_##word,                                                                     \
        .rows = elements,                                                                          \
        .exec = exec_##word,                                                                       \
        __VA_ARGS__,                                                                               \
    };

#define SMOOTH(word, types, text)                                                                  \
    BINARY_OP(word, types, text, .diff = SRN_DIFF_RULE, .vjp = vjp_##word)
#define FLAT(word, types, text) BINARY_OP(word, types, text, .diff = SRN_DIFF_ZERO)

/* ---- the ops ---- */

RULE(add, dy, dy)
SMOOTH(add, take_number, "add(a, b) = a + b, numbers, broadcast.")

RULE(sub, dy, srn_neg(g, dy))
SMOOTH(sub, take_number, "sub(a, b) = a - b, numbers, broadcast.")

RULE(mul, srn_mul(g, dy, b), srn_mul(g, dy, a))
SMOOTH(mul, take_number, "mul(a, b) = a b, numbers, broadcast.")

RULE(div, srn_div(g, dy, b), srn_neg(g, srn_div(g, srn_mul(g, dy, y), b)))
SMOOTH(div, take_float, "div(a, b) = a / b, floats, broadcast.")

/* b a^(b-1); the exponent is kept away from -1 where b is 0, so that 0^0 has slope 0, not NaN. */
static srn_val slope_of_base(srn_graph *g, srn_val a, srn_val b) {
    srn_val is_zero = srn_emit2(g, SRN_OP_equal, b, srn_scalar_like(g, b, 0));
    srn_val exponent = srn_where(g, is_zero, srn_scalar_like(g, b, 1), srn_shift(g, b, -1));
    return srn_mul(g, b, srn_emit2(g, SRN_OP_pow, a, exponent));
}

/* a^b log(a), and 0 where a <= 0. */
static srn_val slope_of_exponent(srn_graph *g, srn_val a, srn_val y) {
    srn_val positive = srn_emit2(g, SRN_OP_less, srn_scalar_like(g, a, 0), a);
    srn_val base = srn_where(g, positive, a, srn_scalar_like(g, a, 1));
    return srn_mul(g, y, srn_emit1(g, SRN_OP_log, base));
}

RULE(pow, srn_mul(g, dy, slope_of_base(g, a, b)), srn_mul(g, dy, slope_of_exponent(g, a, y)))
SMOOTH(pow, take_float, "pow(a, b) = a^b, floats, broadcast. Gradient by b is 0 where a <= 0.")

/* The derivative of maximum(small, large) by `large`: 1 where it is larger, 1/2 where they are
 * equal, else 0; of minimum by `small` too. */
static srn_val share(srn_graph *g, srn_val small, srn_val large) {
    srn_val half = srn_scalar_like(g, small, 0.5), one = srn_scalar_like(g, small, 1);
    srn_val tie = srn_emit2(g, SRN_OP_equal, small, large);
    srn_val wins = srn_emit2(g, SRN_OP_less, small, large);
    return srn_where(g, tie, half, srn_where(g, wins, one, srn_scalar_like(g, small, 0)));
}

RULE(maximum, srn_mul(g, dy, share(g, b, a)), srn_mul(g, dy, share(g, a, b)))
SMOOTH(maximum, take_number,
       "maximum(a, b), numbers, broadcast; NaN on either side comes out. Gradient to the larger\n"
       "one, half to each of two equal ones.")

RULE(minimum, srn_mul(g, dy, share(g, a, b)), srn_mul(g, dy, share(g, b, a)))
SMOOTH(minimum, take_number,
       "minimum(a, b), numbers, broadcast; NaN on either side comes out. Gradient to the smaller\n"
       "one, half to each of two equal ones.")

RULE(mod, dy, srn_neg(g, srn_mul(g, dy, srn_emit1(g, SRN_OP_floor, srn_div(g, a, b)))))
SMOOTH(mod, take_number,
       "mod(a, b) = a - b floor(a / b), numbers, broadcast: the sign of b, as in Python;\n"
       "an integer by 0 is 0.")

/* x / sqrt(a^2 + b^2)^2, no square of which can overflow. */
static srn_val over_square(srn_graph *g, srn_val x, srn_val a, srn_val b) {
    srn_val length = srn_emit2(g, SRN_OP_hypot, a, b);
    return srn_div(g, srn_div(g, x, length), length);
}

RULE(atan2, srn_mul(g, dy, over_square(g, b, a, b)),
     srn_neg(g, srn_mul(g, dy, over_square(g, a, a, b))))
SMOOTH(atan2, take_float,
       "atan2(a, b), the angle in [-pi, pi] of the point with ordinate a and abscissa b; floats,\n"
       "broadcast. Gradient b / (a^2 + b^2) and -a / (a^2 + b^2), NaN at the origin.")

/* x / y, and 0 where y is 0. */
static srn_val part_of(srn_graph *g, srn_val x, srn_val y) {
    srn_val zero = srn_emit2(g, SRN_OP_equal, y, srn_scalar_like(g, y, 0));
    return srn_div(g, x, srn_where(g, zero, srn_scalar_like(g, y, 1), y));
}

RULE(hypot, srn_mul(g, dy, part_of(g, a, y)), srn_mul(g, dy, part_of(g, b, y)))
SMOOTH(hypot, take_float,
       "hypot(a, b) = sqrt(a^2 + b^2) without overflow, infinite if one of them is; floats,\n"
       "broadcast. Gradient a / y and b / y, 0 at the origin.")

FLAT(equal, compare, "equal(a, b) = (a == b), any type to bool, broadcast.")
FLAT(not_equal, compare, "not_equal(a, b) = (a != b), any type to bool, broadcast.")
FLAT(less, compare, "less(a, b) = (a < b), any type to bool, broadcast.")
FLAT(less_equal, compare, "less_equal(a, b) = (a <= b), any type to bool, broadcast.")
FLAT(logical_and, take_bool, "logical_and(a, b), bool, broadcast.")
FLAT(logical_or, take_bool, "logical_or(a, b), bool, broadcast.")

/* ---- where ---- */

static bool infer_where(srn_infer *x, srn_error *err) {
    if (x->in[0]->dtype != SRN_BOOL) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "where: the condition must be bool, got %s; compare it with something, as "
                        "in x > 0",
                        srn_dtype_name(x->in[0]->dtype));
    }
    if (!same_types(x, 1, "where", err)) {
        return false;
    }
    srn_shape values = x->out[0].shape;
    if (!srn_shape_broadcast(&x->out[0].shape, &x->in[0]->shape, &values)) {
        char text_a[SRN_SHAPE_TEXT], text_b[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "where: the condition's shape %s and the values' shape %s do not fit",
                        srn_shape_text(text_a, &x->in[0]->shape), srn_shape_text(text_b, &values));
    }
    return srn_shape_check(&x->out[0].shape, err);
}

static void vjp_where(srn_vjp *p) {
    srn_graph *g = p->g;
    const srn_val condition = p->in[0], dy = p->dout[0];
    if (p->need[1]) {
        give(p, 1, srn_where(g, condition, dy, srn_scalar_like(g, dy, 0)));
    }
    if (p->need[2]) {
        give(p, 2, srn_where(g, condition, srn_scalar_like(g, dy, 0), dy));
    }
}

static void exec_where(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_view *out = x->out[0];
    walk w;
    walk_begin(&w, &out->type.shape, 3, x->in, row0);
    for (int64_t row = row0, n; row < row1; row += n) {
        n = walk_next(&w, row1 - row);
        srn_vectors()->where(out->type.dtype, srn_view_at(out, row), w.from[0], w.step[0],
                             w.from[1], w.step[1], w.from[2], w.step[2], n);
    }
}

const srn_op srn_op_where = {
    .name = "where",
    .doc = "where(condition, a, b): a where the bool condition is true, else b; broadcast.",
    .min_in = 3,
    .max_in = 3,
    .n_out = 1,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_ELEMENTWISE | SRN_FLAG_INPLACE,
    .infer = infer_where,
    .vjp = vjp_where,
    .rows = elements,
    .exec = exec_where,
};
