/* Ops that look elements up by number.
 *
 *     take(x, indices; axis)          y = x with axis `axis` replaced by the axes of indices: np.take
 *     take_grad(dy, indices; axis, n) the gradient by x: rows of dy added up where they came from
 *     pick(x, indices)                y[...] = x[..., indices[...]], one element per row of x
 *     pick_grad(dy, indices; n)       zeros (..., n) with dy at the picked places
 *
 * Indices are int32 or int64, negative ones count from the end; those out of range are clipped, since
 * an execution cannot fail: whoever has the indices as data checks them before the run.
 * take_grad adds in the order of the indices, on one thread: the same bits always.
 */
#include <string.h>

#include "graph/emit.h"

static bool check_indices(const char *op, const srn_type *indices, srn_error *err) {
    if (indices->dtype != SRN_I32 && indices->dtype != SRN_I64) {
        return srn_fail(err, SRN_ERR_TYPE,
                        "%s: indices must be int32 or int64, got %s; cast them first", op,
                        srn_dtype_name(indices->dtype));
    }
    return true;
}

static bool check_float(const char *op, const srn_type *dy, srn_error *err) {
    if (!srn_dtype_is_float(dy->dtype)) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: dy must be float32 or float64, got %s", op,
                        srn_dtype_name(dy->dtype));
    }
    return true;
}

/* Index number i, as a place in 0 .. n - 1. */
static int64_t index_at(const srn_view *indices, int64_t i, int64_t n) {
    int64_t at = indices->type.dtype == SRN_I32 ? ((const int32_t *)indices->data)[i]
                                                : ((const int64_t *)indices->data)[i];
    at += at < 0 ? n : 0;
    return at < 0 ? 0 : at >= n ? n - 1 : at;
}

/* ---- take ---- */

enum { TAKE_AXIS, TAKE_N };

static const srn_attr_spec take_attrs[] = {
    {.name = "axis", .kind = SRN_ATTR_INT},
    {0},
};

static const srn_attr_spec take_grad_attrs[] = {
    {.name = "axis", .kind = SRN_ATTR_INT},
    {.name = "n", .kind = SRN_ATTR_INT, .required = true},
    {0},
};

/* x seen as (outer, n, inner), where n is the axis looked up. */
typedef struct lookup {
    int32_t axis;
    int64_t outer, n, inner, n_indices;
} lookup;

static lookup lookup_of(const srn_shape *x, const srn_shape *indices, const srn_attr *attr) {
    int64_t given = attr[TAKE_AXIS].i;
    lookup l = {.axis = (int32_t)(given < 0 ? given + x->rank : given)};
    l.outer = srn_shape_product(x, 0, l.axis);
    l.n = x->dim[l.axis];
    l.inner = srn_shape_product(x, l.axis + 1, x->rank);
    l.n_indices = srn_shape_count(indices);
    return l;
}

static bool take_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape, *indices = &x->in[1]->shape;
    int64_t axis = x->attr[TAKE_AXIS].i;
    char text[SRN_SHAPE_TEXT], indices_text[SRN_SHAPE_TEXT];
    if (!check_indices("take", x->in[1], err)) {
        return false;
    }
    if (axis < -in->rank || axis >= in->rank) {
        return srn_fail(err, SRN_ERR_VALUE, "take: x %s has no axis %lld", srn_shape_text(text, in),
                        (long long)axis);
    }
    lookup l = lookup_of(in, indices, x->attr);
    if (l.n == 0 && l.n_indices > 0) {
        return srn_fail(err, SRN_ERR_INDEX, "take: axis %d of x %s is empty, nothing can be taken",
                        (int)l.axis, srn_shape_text(text, in));
    }
    srn_shape out = {in->rank - 1 + indices->rank, {0}};
    if (out.rank > SRN_MAX_RANK) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "take: the result of x %s and indices %s would have %d axes, at most %d are "
            "possible",
            srn_shape_text(text, in), srn_shape_text(indices_text, indices), (int)out.rank,
            SRN_MAX_RANK);
    }
    for (int32_t i = 0; i < out.rank; i++) {
        int32_t after = i - l.axis - indices->rank;
        out.dim[i] = i < l.axis  ? in->dim[i]
                     : after < 0 ? indices->dim[i - l.axis]
                                 : in->dim[l.axis + 1 + after];
    }
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void take_vjp(srn_vjp *x) {
    const srn_shape *in = &srn_type_of(x->g, x->in[0])->shape;
    lookup l = lookup_of(in, &srn_type_of(x->g, x->in[1])->shape, x->attr);
    srn_val args[] = {x->dout[0], x->in[1]};
    srn_attr attrs[] = {{.i = l.axis}, {.i = l.n}};
    x->din[0] = srn_emit(x->g, SRN_OP_take_grad, 2, args, attrs);
}

static int64_t take_rows(const srn_infer *x) {
    lookup l = lookup_of(&x->in[0]->shape, &x->in[1]->shape, x->attr);
    return l.outer * l.n_indices;
}

static double take_cost(const srn_infer *x) {
    return 2 * (double)srn_shape_count(&x->out[0].shape);
}

static void take_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_view *from = x->in[0], *indices = x->in[1];
    lookup l = lookup_of(&from->type.shape, &indices->type.shape, x->attr);
    size_t bytes = (size_t)l.inner * srn_dtype_size(from->type.dtype);
    for (int64_t row = row0; row < row1; row++) {
        int64_t outer = row / l.n_indices, at = index_at(indices, row % l.n_indices, l.n);
        memcpy(srn_view_at(x->out[0], row * l.inner),
               srn_view_at(from, (outer * l.n + at) * l.inner), bytes);
    }
}

const srn_op srn_op_take = {
    .name = "take",
    .doc = "take(x, indices; axis): np.take. x (A..., n, B...), indices (I...) -> (A..., I..., "
           "B...).\n"
           "int32 or int64 indices; negative ones count from the end, the rest is clipped.",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .attrs = take_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = take_infer,
    .vjp = take_vjp,
    .rows = take_rows,
    .cost = take_cost,
    .exec = take_exec,
};

/* ---- take_grad ---- */

static bool take_grad_infer(srn_infer *x, srn_error *err) {
    const srn_shape *dy = &x->in[0]->shape, *indices = &x->in[1]->shape;
    if (!check_float("take_grad", x->in[0], err) || !check_indices("take_grad", x->in[1], err)) {
        return false;
    }
    srn_shape out = {dy->rank - indices->rank + 1, {0}};
    int64_t axis = x->attr[TAKE_AXIS].i, n = x->attr[TAKE_N].i;
    axis += axis < 0 ? out.rank : 0;
    bool fits = axis >= 0 && axis < out.rank && n >= 0;
    for (int32_t i = 0; fits && i < indices->rank; i++) {
        fits = dy->dim[axis + i] == indices->dim[i];
    }
    if (!fits || (n == 0 && srn_shape_count(indices) > 0)) {
        char dy_text[SRN_SHAPE_TEXT], indices_text[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "take_grad: dy %s does not have the axes of indices %s at axis %lld (n = %lld)",
            srn_shape_text(dy_text, dy), srn_shape_text(indices_text, indices),
            (long long)x->attr[TAKE_AXIS].i, (long long)n);
    }
    for (int32_t i = 0; i < out.rank; i++) {
        out.dim[i] = i < axis ? dy->dim[i] : i == axis ? n : dy->dim[i + indices->rank - 1];
    }
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void take_grad_vjp(srn_vjp *x) {
    srn_val args[] = {x->dout[0], x->in[1]};
    srn_attr attrs[] = {x->attr[TAKE_AXIS]};
    x->din[0] = srn_emit(x->g, SRN_OP_take, 2, args, attrs);
}

#define SCATTER_ADD(T)                                                                             \
    for (int64_t row = 0; row < l.outer * l.n_indices; row++) {                                    \
        int64_t outer = row / l.n_indices, at = index_at(indices, row % l.n_indices, l.n);         \
        T *restrict to = (T *)out->data + (outer * l.n + at) * l.inner;                            \
        const T *restrict from = (const T *)dy->data + row * l.inner;                              \
        for (int64_t i = 0; i < l.inner; i++) {                                                    \
            to[i] += from[i];                                                                      \
        }                                                                                          \
    }

static void take_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    (void)row0, (void)row1;
    const srn_view *dy = x->in[0], *indices = x->in[1], *out = x->out[0];
    lookup l = lookup_of(&out->type.shape, &indices->type.shape, x->attr);
    memset(out->data, 0, srn_type_bytes(&out->type));
    if (out->type.dtype == SRN_F32) {
        SCATTER_ADD(float)
    } else {
        SCATTER_ADD(double)
    }
}

const srn_op srn_op_take_grad = {
    .name = "take_grad",
    .doc = "take_grad(dy, indices; axis, n): x = 0; x[..., indices[i], ...] += dy[..., i, ...].\n"
           "dy (A..., I..., B...), indices (I...) -> (A..., n, B...). The gradient of take.",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .attrs = take_grad_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_WHOLE,
    .infer = take_grad_infer,
    .vjp = take_grad_vjp,
    .exec = take_grad_exec,
};

/* ---- pick ---- */

static bool pick_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape, *indices = &x->in[1]->shape;
    char text[SRN_SHAPE_TEXT], indices_text[SRN_SHAPE_TEXT];
    if (!check_indices("pick", x->in[1], err)) {
        return false;
    }
    srn_shape rows = srn_shape_of(in->rank > 0 ? in->rank - 1 : 0, in->dim);
    if (in->rank == 0 || !srn_shape_equal(&rows, indices)) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "pick: indices must have the shape of x without its last axis: x %s, indices "
            "%s",
            srn_shape_text(text, in), srn_shape_text(indices_text, indices));
    }
    if (in->dim[in->rank - 1] == 0 && srn_shape_count(indices) > 0) {
        return srn_fail(err, SRN_ERR_INDEX, "pick: the last axis of x %s is empty",
                        srn_shape_text(text, in));
    }
    x->out[0] = (srn_type){x->in[0]->dtype, rows};
    return true;
}

static void pick_vjp(srn_vjp *x) {
    const srn_shape *in = &srn_type_of(x->g, x->in[0])->shape;
    srn_val args[] = {x->dout[0], x->in[1]};
    srn_attr attrs[] = {{.i = in->dim[in->rank - 1]}};
    x->din[0] = srn_emit(x->g, SRN_OP_pick_grad, 2, args, attrs);
}

static int64_t index_rows(const srn_infer *x) {
    return srn_shape_count(&x->in[1]->shape);
}

static double pick_cost(const srn_infer *x) {
    return 2 * (double)srn_shape_count(&x->in[1]->shape);
}

static void pick_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_shape *in = &x->in[0]->type.shape;
    int64_t n = in->dim[in->rank - 1];
    size_t item = srn_dtype_size(x->in[0]->type.dtype);
    for (int64_t row = row0; row < row1; row++) {
        memcpy(srn_view_at(x->out[0], row),
               srn_view_at(x->in[0], row * n + index_at(x->in[1], row, n)), item);
    }
}

const srn_op srn_op_pick = {
    .name = "pick",
    .doc = "pick(x, indices): y[...] = x[..., indices[...]]. x (..., n), indices (...) -> (...).\n"
           "int32 or int64 indices; negative ones count from the end, the rest is clipped.",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = pick_infer,
    .vjp = pick_vjp,
    .rows = index_rows,
    .cost = pick_cost,
    .exec = pick_exec,
};

/* ---- pick_grad ---- */

static const srn_attr_spec pick_grad_attrs[] = {
    {.name = "n", .kind = SRN_ATTR_INT, .required = true},
    {0},
};

static bool pick_grad_infer(srn_infer *x, srn_error *err) {
    srn_shape out = x->in[0]->shape;
    int64_t n = x->attr[0].i;
    if (!check_float("pick_grad", x->in[0], err) || !check_indices("pick_grad", x->in[1], err)) {
        return false;
    }
    if (!srn_shape_equal(&out, &x->in[1]->shape) || out.rank == SRN_MAX_RANK || n < 1) {
        char text[SRN_SHAPE_TEXT], indices_text[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "pick_grad: dy %s and indices %s must have one shape of at most %d axes, and n "
            "must be 1 or more, got %lld",
            srn_shape_text(text, &out), srn_shape_text(indices_text, &x->in[1]->shape),
            SRN_MAX_RANK - 1, (long long)n);
    }
    out.dim[out.rank++] = n;
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void pick_grad_vjp(srn_vjp *x) {
    x->din[0] = srn_emit2(x->g, SRN_OP_pick, x->dout[0], x->in[1]);
}

static void pick_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    int64_t n = x->attr[0].i;
    size_t item = srn_dtype_size(x->out[0]->type.dtype);
    memset(srn_view_at(x->out[0], row0 * n), 0, (size_t)((row1 - row0) * n) * item);
    for (int64_t row = row0; row < row1; row++) {
        memcpy(srn_view_at(x->out[0], row * n + index_at(x->in[1], row, n)),
               srn_view_at(x->in[0], row), item);
    }
}

const srn_op srn_op_pick_grad = {
    .name = "pick_grad",
    .doc = "pick_grad(dy, indices; n): zeros (..., n) with y[..., indices[...]] = dy[...].\n"
           "dy (...), indices (...). The gradient of pick.",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .attrs = pick_grad_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = pick_grad_infer,
    .vjp = pick_grad_vjp,
    .rows = index_rows,
    .exec = pick_grad_exec,
};
