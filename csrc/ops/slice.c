/* Parts of arrays and arrays of parts. Any dtype; memory: none besides the result. Rows are the
 * first axis of the result.
 *
 *     slice(x; start, stop, step)       y[i] = x[start + i * step], per axis, up to stop exclusive.
 *                                       step < 0 walks down; stop -1 then means past the front
 *     unslice(dy; shape, start, step)   zeros of `shape` with dy at these places: slice's gradient
 *     concat(x0, x1, ...; axis)         one after the other along one axis
 *     pad(x; before, after, value)      `value` around x
 */
#include <string.h>

#include "graph/emit.h"
#include "kernels/strided_copy.h"

static int64_t first_axis_rows(const srn_infer *x) {
    return x->out[0].shape.rank == 0 ? 1 : x->out[0].shape.dim[0];
}

static int64_t clip(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

/* ---- slice ---- */

enum { SLICE_START, SLICE_STOP, SLICE_STEP };

static const srn_attr_spec slice_attrs[] = {
    {.name = "start", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "stop", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "step", .kind = SRN_ATTR_INTS, .required = true},
    {0},
};

static bool check_length(const char *op, const char *name, srn_ints ints, int32_t rank,
                         srn_error *err) {
    if (ints.n != rank) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: %s must have one entry per axis, %d, got %d", op,
                        name, (int)rank, (int)ints.n);
    }
    return true;
}

static bool slice_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape;
    srn_ints start = x->attr[SLICE_START].ints, stop = x->attr[SLICE_STOP].ints,
             step = x->attr[SLICE_STEP].ints;
    if (!check_length("slice", "start", start, in->rank, err) ||
        !check_length("slice", "stop", stop, in->rank, err) ||
        !check_length("slice", "step", step, in->rank, err)) {
        return false;
    }
    srn_shape out = {in->rank, {0}};
    for (int32_t i = 0; i < in->rank; i++) {
        int64_t low = step.v[i] < 0 ? -1 : 0, high = in->dim[i] + low, s = step.v[i];
        if (s == 0 || s == INT64_MIN || start.v[i] < low || start.v[i] > high || stop.v[i] < low ||
            stop.v[i] > high) {
            return srn_fail(
                err, SRN_ERR_VALUE,
                "slice: start %lld, stop %lld, step %lld do not fit axis %d of length %lld: "
                "start and stop must be clipped to %lld .. %lld, and step not 0",
                (long long)start.v[i], (long long)stop.v[i], (long long)s, (int)i,
                (long long)in->dim[i], (long long)low, (long long)high);
        }
        int64_t way = s > 0 ? stop.v[i] - start.v[i] : start.v[i] - stop.v[i];
        int64_t stride = s > 0 ? s : -s;
        out.dim[i] = way <= 0 ? 0 : (way - 1) / stride + 1;
    }
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void slice_vjp(srn_vjp *x) {
    const srn_shape *shape = &srn_type_of(x->g, x->in[0])->shape;
    srn_attr attrs[] = {{.ints = {shape->rank, shape->dim}},
                        x->attr[SLICE_START],
                        x->attr[SLICE_STEP]};
    x->din[0] = srn_emit(x->g, SRN_OP_unslice, 1, x->dout, attrs);
}

/* The strides of an array of `shape` walked in steps (0 where the walk, of shape `taken`, has one
 * element at most), and the place of its element `start`. */
static int64_t walk(int64_t *stride, const srn_shape *shape, const srn_shape *taken, srn_ints start,
                    srn_ints step) {
    int64_t at = 0;
    srn_shape_strides(stride, shape, shape);
    for (int32_t i = 0; i < shape->rank; i++) {
        at += start.v[i] * stride[i];
        stride[i] *= taken->dim[i] > 1 ? step.v[i] : 0;
    }
    return at;
}

static void slice_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_shape shape = x->out[0]->type.shape;
    int64_t dst[SRN_MAX_RANK], src[SRN_MAX_RANK], to = 0;
    int64_t from = walk(src, &x->in[0]->type.shape, &shape, x->attr[SLICE_START].ints,
                        x->attr[SLICE_STEP].ints);
    srn_shape_strides(dst, &shape, &shape);
    if (shape.rank > 0) {
        shape.dim[0] = row1 - row0;
        to = row0 * dst[0];
        from += row0 * src[0];
    }
    if (srn_shape_count(&shape) > 0) {
        srn_strided_copy(&shape, srn_view_at(x->out[0], to), dst, srn_view_at(x->in[0], from), src,
                         srn_dtype_size(x->out[0]->type.dtype));
    }
}

const srn_op srn_op_slice = {
    .name = "slice",
    .doc = "slice(x; start, stop, step): x[start:stop:step] on every axis.\n"
           "One entry per axis, clipped to the axis; a negative step walks down to stop exclusive, "
           "-1 being past the front.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = slice_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = slice_infer,
    .vjp = slice_vjp,
    .rows = first_axis_rows,
    .exec = slice_exec,
};

/* ---- unslice ---- */

enum { UNSLICE_SHAPE, UNSLICE_START, UNSLICE_STEP };

static const srn_attr_spec unslice_attrs[] = {
    {.name = "shape", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "start", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "step", .kind = SRN_ATTR_INTS, .required = true},
    {0},
};

static bool unslice_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape;
    srn_ints shape = x->attr[UNSLICE_SHAPE].ints, start = x->attr[UNSLICE_START].ints,
             step = x->attr[UNSLICE_STEP].ints;
    if (!check_length("unslice", "shape", shape, in->rank, err) ||
        !check_length("unslice", "start", start, in->rank, err) ||
        !check_length("unslice", "step", step, in->rank, err)) {
        return false;
    }
    for (int32_t i = 0; i < in->rank; i++) {
        int64_t first = start.v[i], reach, last;
        bool fits = !__builtin_mul_overflow(in->dim[i] - 1, step.v[i], &reach) &&
                    !__builtin_add_overflow(first, reach, &last) && first >= 0 &&
                    first < shape.v[i] && last >= 0 && last < shape.v[i];
        if ((in->dim[i] > 0 && !fits) || step.v[i] == 0 || step.v[i] == INT64_MIN) {
            return srn_fail(
                err, SRN_ERR_VALUE,
                "unslice: %lld elements from %lld in steps of %lld do not fit axis %d of "
                "length %lld",
                (long long)in->dim[i], (long long)first, (long long)step.v[i], (int)i,
                (long long)shape.v[i]);
        }
    }
    x->out[0] = (srn_type){x->in[0]->dtype, srn_shape_of(shape.n, shape.v)};
    return true;
}

static void unslice_vjp(srn_vjp *x) {
    const srn_shape *dy = &srn_type_of(x->g, x->in[0])->shape;
    srn_ints start = x->attr[UNSLICE_START].ints, step = x->attr[UNSLICE_STEP].ints;
    int64_t stop[SRN_MAX_RANK];
    for (int32_t i = 0; i < dy->rank; i++) { /* one element past the last one */
        int64_t beside = step.v[i] > 0 ? 1 : -1;
        stop[i] = dy->dim[i] == 0 ? start.v[i] : start.v[i] + (dy->dim[i] - 1) * step.v[i] + beside;
    }
    x->din[0] = srn_slice(x->g, x->dout[0], start, (srn_ints){dy->rank, stop}, step);
}

static int64_t floor_div(int64_t a, int64_t b) /* b > 0 */
{
    return a >= 0 ? a / b : -1 - (-1 - a) / b;
}

/* Which i of 0 .. n - 1 have row0 <= start + i * step < row1. */
static void hits(int64_t *i0, int64_t *i1, int64_t n, int64_t start, int64_t step, int64_t row0,
                 int64_t row1) {
    if (step > 0) { /* the first i at or past a row: ceil((row - start) / step) */
        *i0 = clip(-floor_div(start - row0, step), 0, n);
        *i1 = clip(-floor_div(start - row1, step), *i0, n);
    } else {
        *i0 = clip(floor_div(start - row1, -step) + 1, 0, n);
        *i1 = clip(floor_div(start - row0, -step) + 1, *i0, n);
    }
}

static void unslice_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_shape *out = &x->out[0]->type.shape;
    srn_shape shape = x->in[0]->type.shape;
    srn_ints start = x->attr[UNSLICE_START].ints, step = x->attr[UNSLICE_STEP].ints;
    size_t item = srn_dtype_size(x->out[0]->type.dtype);
    int64_t dst[SRN_MAX_RANK], src[SRN_MAX_RANK], i0 = 0, i1;
    int64_t row = out->rank == 0 ? 1 : srn_shape_product(out, 1, out->rank);
    memset(srn_view_at(x->out[0], row0 * row), 0, (size_t)((row1 - row0) * row) * item);
    int64_t to = walk(dst, out, &shape, start, step), from = 0;
    srn_shape_strides(src, &shape, &shape);
    if (shape.rank > 0) {
        hits(&i0, &i1, shape.dim[0], start.v[0], step.v[0], row0, row1);
        shape.dim[0] = i1 - i0;
        to += i0 * dst[0];
        from = i0 * src[0];
    }
    if (srn_shape_count(&shape) > 0) {
        srn_strided_copy(&shape, srn_view_at(x->out[0], to), dst, srn_view_at(x->in[0], from), src,
                         item);
    }
}

const srn_op srn_op_unslice = {
    .name = "unslice",
    .doc = "unslice(dy; shape, start, step): zeros of the shape, dy[i] at start + i * step on "
           "every axis.\n"
           "The gradient of slice.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = unslice_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = unslice_infer,
    .vjp = unslice_vjp,
    .rows = first_axis_rows,
    .exec = unslice_exec,
};

/* ---- concat ---- */

static const srn_attr_spec concat_attrs[] = {
    {.name = "axis", .kind = SRN_ATTR_INT, .dflt = {.i = -1}},
    {0},
};

static int32_t concat_axis(const srn_attr *attr, int32_t rank) {
    return (int32_t)(attr[0].i < 0 ? attr[0].i + rank : attr[0].i);
}

static bool concat_infer(srn_infer *x, srn_error *err) {
    srn_type out = *x->in[0];
    int32_t rank = out.shape.rank;
    if (x->attr[0].i < -rank || x->attr[0].i >= rank) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "concat: axis %lld is not an axis of the first tensor %s",
                        (long long)x->attr[0].i, srn_shape_text(text, &out.shape));
    }
    int32_t axis = concat_axis(x->attr, rank);
    for (int32_t i = 1; i < x->n_in; i++) {
        const srn_type *part = x->in[i];
        srn_shape want = out.shape;
        char first[SRN_SHAPE_TEXT], other[SRN_SHAPE_TEXT];
        if (part->dtype != out.dtype) {
            return srn_fail(err, SRN_ERR_TYPE,
                            "concat: tensor 0 is %s but tensor %d is %s; cast one of them first",
                            srn_dtype_name(out.dtype), (int)i, srn_dtype_name(part->dtype));
        }
        want.dim[axis] = part->shape.rank == rank ? part->shape.dim[axis] : 0;
        if (!srn_shape_equal(&part->shape, &want)) {
            return srn_fail(
                err, SRN_ERR_VALUE,
                "concat: tensor 0 %s and tensor %d %s must agree on every axis but axis %d",
                srn_shape_text(first, &x->in[0]->shape), (int)i,
                srn_shape_text(other, &part->shape), (int)axis);
        }
        if (__builtin_add_overflow(out.shape.dim[axis], want.dim[axis], &out.shape.dim[axis])) {
            return srn_fail(err, SRN_ERR_VALUE, "concat: the joined axis %d is too long",
                            (int)axis);
        }
    }
    x->out[0] = out;
    return true;
}

static void concat_vjp(srn_vjp *x) {
    int64_t at = 0;
    int32_t axis = concat_axis(x->attr, srn_type_of(x->g, x->in[0])->shape.rank);
    for (int32_t i = 0; i < x->n_in; i++) {
        int64_t end = at + srn_type_of(x->g, x->in[i])->shape.dim[axis];
        if (x->need[i]) {
            x->din[i] = srn_slice_axis(x->g, x->dout[0], axis, at, end);
        }
        at = end;
    }
}

/* Seen as (outer, axis, inner), each part is `outer` runs. When the axis is the first one the rows
 * are cut out of the parts instead. */
static void concat_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_shape *out = &x->out[0]->type.shape;
    int32_t axis = concat_axis(x->attr, out->rank);
    size_t item = srn_dtype_size(x->out[0]->type.dtype);
    int64_t inner = srn_shape_product(out, axis + 1, out->rank);
    int64_t per_row = axis == 0 ? 0 : srn_shape_product(out, 1, axis);
    int64_t at = 0;
    for (int32_t i = 0; i < x->n_in; i++) {
        int64_t n = x->in[i]->type.shape.dim[axis];
        if (axis == 0) {
            int64_t a = clip(row0, at, at + n), b = clip(row1, at, at + n);
            if (a < b) {
                memcpy(srn_view_at(x->out[0], a * inner), srn_view_at(x->in[i], (a - at) * inner),
                       (size_t)((b - a) * inner) * item);
            }
        } else {
            int64_t first = row0 * per_row, run = n * inner, period = out->dim[axis] * inner;
            srn_shape runs = {2, {(row1 - row0) * per_row, run}};
            srn_strided_copy(&runs, srn_view_at(x->out[0], first * period + at * inner),
                             (int64_t[]){period, 1}, srn_view_at(x->in[i], first * run),
                             (int64_t[]){run, 1}, item);
        }
        at += n;
    }
}

const srn_op srn_op_concat = {
    .name = "concat",
    .doc = "concat(x0, x1, ...; axis): the tensors one after the other along an axis.\n"
           "They agree in dtype and on every other axis.",
    .min_in = 1,
    .max_in = -1,
    .n_out = 1,
    .attrs = concat_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = concat_infer,
    .vjp = concat_vjp,
    .rows = first_axis_rows,
    .exec = concat_exec,
};

/* ---- pad ---- */

enum { PAD_BEFORE, PAD_AFTER, PAD_VALUE };

static const srn_attr_spec pad_attrs[] = {
    {.name = "before", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "after", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "value", .kind = SRN_ATTR_FLOAT},
    {0},
};

static bool pad_infer(srn_infer *x, srn_error *err) {
    srn_type out = *x->in[0];
    srn_ints before = x->attr[PAD_BEFORE].ints, after = x->attr[PAD_AFTER].ints;
    if (!check_length("pad", "before", before, out.shape.rank, err) ||
        !check_length("pad", "after", after, out.shape.rank, err)) {
        return false;
    }
    for (int32_t i = 0; i < out.shape.rank; i++) {
        int64_t *n = &out.shape.dim[i];
        if (before.v[i] < 0 || after.v[i] < 0 || __builtin_add_overflow(*n, before.v[i], n) ||
            __builtin_add_overflow(*n, after.v[i], n)) {
            return srn_fail(err, SRN_ERR_VALUE,
                            "pad: axis %d: before and after must be 0 or more, got %lld and %lld",
                            (int)i, (long long)before.v[i], (long long)after.v[i]);
        }
    }
    double value = x->attr[PAD_VALUE].f;
    if (!srn_dtype_is_float(out.dtype) && !(value >= INT32_MIN && value <= INT32_MAX)) {
        return srn_fail(err, SRN_ERR_VALUE, "pad: %g is not a value for %s", value,
                        srn_dtype_name(out.dtype));
    }
    x->out[0] = out;
    return true;
}

static void pad_vjp(srn_vjp *x) {
    const srn_shape *in = &srn_type_of(x->g, x->in[0])->shape;
    srn_ints before = x->attr[PAD_BEFORE].ints;
    int64_t stop[SRN_MAX_RANK], step[SRN_MAX_RANK];
    for (int32_t i = 0; i < in->rank; i++) {
        stop[i] = before.v[i] + in->dim[i];
        step[i] = 1;
    }
    x->din[0] =
        srn_slice(x->g, x->dout[0], before, (srn_ints){in->rank, stop}, (srn_ints){in->rank, step});
}

static void pad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_shape *out = &x->out[0]->type.shape;
    srn_shape shape = x->in[0]->type.shape;
    srn_ints before = x->attr[PAD_BEFORE].ints;
    int64_t dst[SRN_MAX_RANK], src[SRN_MAX_RANK], to = 0, from = 0;
    int64_t row = out->rank == 0 ? 1 : srn_shape_product(out, 1, out->rank);
    srn_fill_value(srn_view_at(x->out[0], row0 * row), (row1 - row0) * row, x->out[0]->type.dtype,
                   x->attr[PAD_VALUE].f);
    srn_shape_strides(dst, out, out);
    srn_shape_strides(src, &shape, &shape);
    for (int32_t i = 0; i < out->rank; i++) {
        to += before.v[i] * dst[i];
    }
    if (shape.rank > 0) {
        int64_t i0 = clip(row0 - before.v[0], 0, shape.dim[0]);
        int64_t i1 = clip(row1 - before.v[0], i0, shape.dim[0]);
        shape.dim[0] = i1 - i0;
        to += i0 * dst[0];
        from = i0 * src[0];
    }
    if (srn_shape_count(&shape) > 0) {
        srn_strided_copy(&shape, srn_view_at(x->out[0], to), dst, srn_view_at(x->in[0], from), src,
                         srn_dtype_size(x->out[0]->type.dtype));
    }
}

const srn_op srn_op_pad = {
    .name = "pad",
    .doc =
        "pad(x; before, after, value): value before and after x on every axis, one entry per axis.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = pad_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = pad_infer,
    .vjp = pad_vjp,
    .rows = first_axis_rows,
    .exec = pad_exec,
};
