/* Ops that move or make elements and compute nothing. Any dtype; memory: none besides the result.
 *
 *     copy(x)                        y = x
 *     reshape(x; shape)              the same bytes under another shape (an alias: never executed)
 *     transpose(x; perm)             y.shape[i] = x.shape[perm[i]]
 *     broadcast_to(x; shape)         NumPy's rule; gradient: the sum over what was repeated
 *     fill(; shape, value, dtype)    y = value
 *     iota(; n, dtype)               0, 1, ..., n - 1
 *
 * Rows are the first axis of the result. Slices, concat and pad: slice.c.
 */
#include <math.h>
#include <string.h>

#include "graph/emit.h"
#include "kernels/strided_copy.h"

static int64_t count_rows(const srn_infer *x) {
    return srn_shape_count(&x->out[0].shape);
}

static int64_t first_axis_rows(const srn_infer *x) {
    return x->out[0].shape.rank == 0 ? 1 : x->out[0].shape.dim[0];
}

/* ---- copy ---- */

static bool copy_infer(srn_infer *x, srn_error *err) {
    (void)err;
    x->out[0] = *x->in[0];
    return true;
}

static void copy_vjp(srn_vjp *x) {
    x->din[0] = x->dout[0];
}

static void copy_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    size_t item = srn_dtype_size(x->out[0]->type.dtype);
    memcpy(srn_view_at(x->out[0], row0), srn_view_at(x->in[0], row0), (size_t)(row1 - row0) * item);
}

const srn_op srn_op_copy = {
    .name = "copy",
    .doc = "copy(x): y = x, in memory of its own. Any shape.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = copy_infer,
    .vjp = copy_vjp,
    .rows = count_rows,
    .exec = copy_exec,
};

/* ---- reshape ---- */

static bool check_rank(const char *op, int32_t rank, srn_error *err) {
    if (rank > SRN_MAX_RANK) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: shape has %d axes, at most %d are possible", op,
                        (int)rank, SRN_MAX_RANK);
    }
    return true;
}

/* The shape an attribute holds, checked. */
static bool shape_of_ints(srn_shape *out, const char *op, srn_ints ints, srn_error *err) {
    if (!check_rank(op, ints.n, err)) {
        return false;
    }
    *out = srn_shape_of(ints.n, ints.v);
    return srn_shape_check(out, err);
}

static const srn_attr_spec reshape_attrs[] = {
    {.name = "shape", .kind = SRN_ATTR_INTS, .required = true},
    {0},
};

static bool reshape_infer(srn_infer *x, srn_error *err) {
    srn_ints ints = x->attr[0].ints;
    if (!check_rank("reshape", ints.n, err)) {
        return false;
    }
    srn_shape out = srn_shape_of(ints.n, ints.v), given = out;
    int32_t open = -1, n_open = 0;
    for (int32_t i = 0; i < out.rank; i++) {
        if (out.dim[i] == -1) {
            open = i;
            n_open++;
            out.dim[i] = 1;
        }
    }
    if (!srn_shape_check(&out, err)) {
        return false;
    }
    int64_t count = srn_shape_count(&x->in[0]->shape), rest = srn_shape_count(&out);
    bool fits = n_open == 0 ? rest == count : n_open == 1 && rest > 0 && count % rest == 0;
    if (!fits) {
        char from[SRN_SHAPE_TEXT], to[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "reshape: x %s has %lld elements, which do not fit into shape %s; the products "
            "must be equal, and one axis at most may be -1",
            srn_shape_text(from, &x->in[0]->shape), (long long)count, srn_shape_text(to, &given));
    }
    if (open >= 0) {
        out.dim[open] = count / rest;
    }
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void reshape_vjp(srn_vjp *x) {
    x->din[0] = srn_reshape(x->g, x->dout[0], &srn_type_of(x->g, x->in[0])->shape);
}

const srn_op srn_op_reshape = {
    .name = "reshape",
    .doc = "reshape(x; shape): the elements of x in row-major order under another shape.\n"
           "One axis may be -1: what is left.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = reshape_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_ALIAS,
    .infer = reshape_infer,
    .vjp = reshape_vjp,
    .rows = count_rows,
    .exec = copy_exec,
};

/* ---- transpose ---- */

static const srn_attr_spec transpose_attrs[] = {
    {.name = "perm", .kind = SRN_ATTR_INTS, .required = true},
    {0},
};

static bool transpose_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape;
    srn_ints perm = x->attr[0].ints;
    srn_shape out = {in->rank, {0}};
    uint32_t seen = 0;
    for (int32_t i = 0; perm.n == in->rank && i < perm.n; i++) {
        if (perm.v[i] >= 0 && perm.v[i] < in->rank) {
            seen |= 1u << perm.v[i];
            out.dim[i] = in->dim[perm.v[i]];
        }
    }
    if (perm.n != in->rank || seen != (1u << in->rank) - 1) {
        char text[SRN_SHAPE_TEXT], perm_text[SRN_SHAPE_TEXT] = "of another length";
        if (perm.n <= SRN_MAX_RANK) {
            srn_shape p = srn_shape_of(perm.n, perm.v);
            srn_shape_text(perm_text, &p);
        }
        return srn_fail(err, SRN_ERR_VALUE,
                        "transpose: perm must name each axis of x %s once, 0 to %d, got %s",
                        srn_shape_text(text, in), (int)in->rank - 1, perm_text);
    }
    x->out[0] = (srn_type){x->in[0]->dtype, out};
    return true;
}

static void transpose_vjp(srn_vjp *x) {
    srn_ints perm = x->attr[0].ints;
    int64_t back[SRN_MAX_RANK];
    for (int32_t i = 0; i < perm.n; i++) {
        back[perm.v[i]] = i;
    }
    x->din[0] = srn_transpose(x->g, x->dout[0], (srn_ints){perm.n, back});
}

/* Rows [row0, row1) of the result, each element from where `src_stride` leads. */
static void gather_rows(const srn_exec *x, const int64_t *src_stride, int64_t row0, int64_t row1) {
    srn_shape shape = x->out[0]->type.shape;
    int64_t dst_stride[SRN_MAX_RANK];
    srn_shape_strides(dst_stride, &shape, &shape);
    if (shape.rank == 0) {
        srn_strided_copy(&shape, x->out[0]->data, NULL, x->in[0]->data, NULL,
                         srn_dtype_size(x->out[0]->type.dtype));
        return;
    }
    int64_t row = srn_shape_product(&shape, 1, shape.rank);
    shape.dim[0] = row1 - row0;
    srn_strided_copy(&shape, srn_view_at(x->out[0], row0 * row), dst_stride,
                     srn_view_at(x->in[0], row0 * src_stride[0]), src_stride,
                     srn_dtype_size(x->out[0]->type.dtype));
}

static void transpose_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_ints perm = x->attr[0].ints;
    int64_t from[SRN_MAX_RANK], stride[SRN_MAX_RANK];
    srn_shape_strides(from, &x->in[0]->type.shape, &x->in[0]->type.shape);
    for (int32_t i = 0; i < perm.n; i++) {
        stride[i] = from[perm.v[i]];
    }
    gather_rows(x, stride, row0, row1);
}

const srn_op srn_op_transpose = {
    .name = "transpose",
    .doc = "transpose(x; perm): y[i0, i1, ...] = x with axis perm[j] of x as axis j of y.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = transpose_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = transpose_infer,
    .vjp = transpose_vjp,
    .rows = first_axis_rows,
    .exec = transpose_exec,
};

/* ---- broadcast_to ---- */

static bool broadcast_to_infer(srn_infer *x, srn_error *err) {
    srn_shape to, both;
    if (!shape_of_ints(&to, "broadcast_to", x->attr[0].ints, err)) {
        return false;
    }
    const srn_shape *from = &x->in[0]->shape;
    if (!srn_shape_broadcast(&both, from, &to) || !srn_shape_equal(&both, &to)) {
        char from_text[SRN_SHAPE_TEXT], to_text[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "broadcast_to: x %s does not broadcast to %s: aligned at the last axis, each axis "
            "of x must be 1 or equal",
            srn_shape_text(from_text, from), srn_shape_text(to_text, &to));
    }
    x->out[0] = (srn_type){x->in[0]->dtype, to};
    return true;
}

static void broadcast_to_vjp(srn_vjp *x) {
    x->din[0] = srn_sum_to(x->g, x->dout[0], &srn_type_of(x->g, x->in[0])->shape);
}

static void broadcast_to_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    int64_t stride[SRN_MAX_RANK];
    srn_shape_strides(stride, &x->in[0]->type.shape, &x->out[0]->type.shape);
    gather_rows(x, stride, row0, row1);
}

const srn_op srn_op_broadcast_to = {
    .name = "broadcast_to",
    .doc = "broadcast_to(x; shape): x repeated along new axes in front and along axes of length 1.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = reshape_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = broadcast_to_infer,
    .vjp = broadcast_to_vjp,
    .rows = first_axis_rows,
    .exec = broadcast_to_exec,
};

/* ---- fill ---- */

enum { FILL_SHAPE, FILL_VALUE, FILL_DTYPE };

static const srn_attr_spec fill_attrs[] = {
    {.name = "shape", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "value", .kind = SRN_ATTR_FLOAT},
    {.name = "dtype", .kind = SRN_ATTR_DTYPE, .dflt = {.i = SRN_F32}},
    {0},
};

static bool fill_infer(srn_infer *x, srn_error *err) {
    srn_type *out = &x->out[0];
    double value = x->attr[FILL_VALUE].f, top = ldexp(1, 63);
    out->dtype = (srn_dtype)x->attr[FILL_DTYPE].i;
    if (out->dtype == SRN_I32) {
        top = ldexp(1, 31);
    }
    bool whole = out->dtype == SRN_I32 || out->dtype == SRN_I64;
    if (whole && !(value >= -top && value < top)) {
        return srn_fail(err, SRN_ERR_VALUE, "fill: %g is not a value of %s", value,
                        srn_dtype_name(out->dtype));
    }
    return shape_of_ints(&out->shape, "fill", x->attr[FILL_SHAPE].ints, err);
}

static void fill_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_fill_value(srn_view_at(x->out[0], row0), row1 - row0, x->out[0]->type.dtype,
                   x->attr[FILL_VALUE].f);
}

const srn_op srn_op_fill = {
    .name = "fill",
    .doc = "fill(; shape, value, dtype): every element is value.",
    .n_out = 1,
    .attrs = fill_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .infer = fill_infer,
    .rows = count_rows,
    .exec = fill_exec,
};

/* ---- iota ---- */

enum { IOTA_N, IOTA_DTYPE };

static const srn_attr_spec iota_attrs[] = {
    {.name = "n", .kind = SRN_ATTR_INT, .required = true},
    {.name = "dtype", .kind = SRN_ATTR_DTYPE, .dflt = {.i = SRN_I64}},
    {0},
};

static bool iota_infer(srn_infer *x, srn_error *err) {
    int64_t n = x->attr[IOTA_N].i;
    srn_dtype dtype = (srn_dtype)x->attr[IOTA_DTYPE].i;
    if (n < 0) {
        return srn_fail(err, SRN_ERR_VALUE, "iota: n must be 0 or more, got %lld", (long long)n);
    }
    if (dtype == SRN_BOOL || (dtype == SRN_I32 && n > INT32_MAX)) {
        return srn_fail(err, SRN_ERR_TYPE, "iota: %s does not hold 0 to %lld; use a wider dtype",
                        srn_dtype_name(dtype), (long long)n - 1);
    }
    x->out[0] = (srn_type){dtype, srn_shape_of(1, &n)};
    return true;
}

#define IOTA(T)                                                                                    \
    for (int64_t i = row0; i < row1; i++) {                                                        \
        ((T *)x->out[0]->data)[i] = (T)i;                                                          \
    }

static void iota_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    switch (x->out[0]->type.dtype) {
    case SRN_F32:
        IOTA(float)
        break;
    case SRN_F64:
        IOTA(double)
        break;
    case SRN_I32:
        IOTA(int32_t)
        break;
    default:
        IOTA(int64_t)
        break;
    }
}

const srn_op srn_op_iota = {
    .name = "iota",
    .doc = "iota(; n, dtype): 0, 1, ..., n - 1, shape (n,).",
    .n_out = 1,
    .attrs = iota_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .infer = iota_infer,
    .rows = count_rows,
    .exec = iota_exec,
};
