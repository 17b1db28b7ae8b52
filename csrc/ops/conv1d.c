/* Convolution over time (cross-correlation, as in every neural network library).
 *
 *     y[b, t, f] = bias[f] + sum over j < k, c < C/G of x[b, t S + j D - L, g C/G + c] w[j, c, f],
 *
 * x (B, T, C), zero outside 0 .. T-1; w (k, C/G, F); bias (F,), if there; g = f / (F/G);
 * y (B, T', F), T' = (T + L + R - D (k-1) - 1) / S + 1; S stride, D dilation, L and R padding
 * (pad_left, pad_right), G groups. The gradients:
 *
 *     dx[b, s, c] = sum over t, j with t S + j D - L = s, and f, of dy[b, t, f] w[j, c, f]
 *     dw[j, c, f] = sum over b, t of x[b, t S + j D - L, c] dy[b, t, f]
 *
 * Nothing is unfolded or padded in memory. For a tap j the x that meets the ys is a matrix with
 * rows S C apart, so y is a sum of k matrix products. Where G = 1 a whole window is one row of k
 * pieces of C numbers, D C apart (rows overlap), and the inner ys of all batch rows are a single
 * product (for dw only where D = 1); the few ys whose window reaches into the padding go by taps,
 * also of all batch rows at once. Rows are batch rows (for dw: taps); dw adds over b in order.
 * With S = 1 and G = 1 dx is a convolution itself, of dy with the taps turned round: then the op for
 * dx is not needed.
 */
#include <string.h>

#include "graph/emit.h"
#include "kernels/gemm.h"

enum { STRIDE, DILATION, PAD_LEFT, PAD_RIGHT, GROUPS, EXTRA };

/* clang-format off */
#define CONV_ATTRS                                                                                 \
    {.name = "stride", .kind = SRN_ATTR_INT, .dflt = {.i = 1}},                                    \
    {.name = "dilation", .kind = SRN_ATTR_INT, .dflt = {.i = 1}},                                  \
    {.name = "pad_left", .kind = SRN_ATTR_INT},                                                    \
    {.name = "pad_right", .kind = SRN_ATTR_INT},                                                   \
    {.name = "groups", .kind = SRN_ATTR_INT, .dflt = {.i = 1}}
/* clang-format on */

static const srn_attr_spec conv1d_attrs[] = {CONV_ATTRS, {0}};
static const srn_attr_spec conv1d_dx_attrs[] = {
    CONV_ATTRS, {.name = "length", .kind = SRN_ATTR_INT, .required = true}, {0}};
static const srn_attr_spec conv1d_dw_attrs[] = {
    CONV_ATTRS, {.name = "kernel_size", .kind = SRN_ATTR_INT, .required = true}, {0}};

/* Sizes of one convolution, in the letters of the formula; c and f are of one group. */
typedef struct conv {
    int64_t batch, length, times, k, c, f, groups, stride, dilation, left, right;
} conv;

/* ---- checks ---- */

static bool check_attrs(conv *v, const srn_attr *attr, srn_error *err) {
    v->stride = attr[STRIDE].i;
    v->dilation = attr[DILATION].i;
    v->left = attr[PAD_LEFT].i;
    v->right = attr[PAD_RIGHT].i;
    v->groups = attr[GROUPS].i;
    const int64_t most = INT32_MAX;
    if (v->stride < 1 || v->dilation < 1 || v->groups < 1 || v->left < 0 || v->right < 0 ||
        v->stride > most || v->dilation > most || v->left > most || v->right > most) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "conv1d: stride, dilation and groups must be 1 or more and paddings 0 or more (all "
            "below 2^31), got stride %lld, dilation %lld, groups %lld, pad_left %lld, pad_right "
            "%lld",
            (long long)v->stride, (long long)v->dilation, (long long)v->groups, (long long)v->left,
            (long long)v->right);
    }
    return true;
}

static bool check_operands(const char *op, const char *name_a, const char *name_b,
                           const srn_type *a, const srn_type *b, srn_error *err) {
    if (!srn_dtype_is_float(a->dtype) || a->dtype != b->dtype) {
        return srn_fail(
            err, SRN_ERR_TYPE,
            "%s: %s and %s must be of one floating point dtype, got %s and %s; cast one of "
            "them first",
            op, name_a, name_b, srn_dtype_name(a->dtype), srn_dtype_name(b->dtype));
    }
    if (a->shape.rank != 3 || b->shape.rank != 3) {
        char ta[SRN_SHAPE_TEXT], tb[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "%s: expected 3-D %s and %s: x (batch, time, channels), w (kernel size, channels "
            "per group, filters), y (batch, time, filters); got %s and %s",
            op, name_a, name_b, srn_shape_text(ta, &a->shape), srn_shape_text(tb, &b->shape));
    }
    return true;
}

/* With k and length known: how many ys there are. */
static bool check_length(conv *v, srn_error *err) {
    int64_t reach, padded;
    if (v->length < 0 || __builtin_add_overflow(v->length, v->left + v->right, &padded)) {
        return srn_fail(err, SRN_ERR_VALUE, "conv1d: x of %lld time steps is too long",
                        (long long)v->length);
    }
    if (v->k < 1 || __builtin_mul_overflow(v->dilation, v->k - 1, &reach)) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "conv1d: the kernel must be of size 1 or more and, times the dilation, within 64 "
            "bits; got %lld, dilation %lld",
            (long long)v->k, (long long)v->dilation);
    }
    if (padded <= reach) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "conv1d: a kernel of size %lld with dilation %lld spans %lld time steps, but x has "
            "%lld (%lld with padding): use a longer x, a smaller kernel or padding 'same' or "
            "'causal'",
            (long long)v->k, (long long)v->dilation, (long long)reach + 1, (long long)v->length,
            (long long)padded);
    }
    v->times = (padded - reach - 1) / v->stride + 1;
    return true;
}

static bool check_groups(const conv *v, int64_t filters, srn_error *err) {
    if (filters % v->groups != 0) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "conv1d: the number of filters, %lld, must be divisible by groups, %lld",
                        (long long)filters, (long long)v->groups);
    }
    return true;
}

/* From y (given or to be), w and the length of x. */
static bool conv_of_w(conv *v, int64_t batch, int64_t length, const srn_shape *w,
                      const srn_attr *attr, srn_error *err) {
    if (!check_attrs(v, attr, err) || !check_groups(v, w->dim[2], err)) {
        return false;
    }
    v->batch = batch;
    v->length = length;
    v->k = w->dim[0];
    v->c = w->dim[1];
    v->f = w->dim[2] / v->groups;
    return check_length(v, err);
}

/* ---- products by tap ---- */

/* First t whose tap j lies at or past position `s` of x: ceil((s + L - j D) / S), at least 0. */
static int64_t first_time(const conv *v, int64_t j, int64_t s) {
    int64_t from = s + v->left - j * v->dilation;
    return from <= 0 ? 0 : (from - 1) / v->stride + 1;
}

/* The ys [*t0, *t1), cut from what came in, whose tap j lies inside x. */
static void inside(const conv *v, int64_t j, int64_t *t0, int64_t *t1) {
    int64_t low = first_time(v, j, 0), high = first_time(v, j, v->length);
    *t0 = low > *t0 ? low : *t0;
    *t1 = high < *t1 ? high : *t1;
}

/* The ys whose whole window lies inside x, in one group: [*t0, *t1), else empty. */
static void whole_windows(const conv *v, int64_t *t0, int64_t *t1) {
    *t0 = 0;
    *t1 = v->groups == 1 ? v->times : 0;
    inside(v, 0, t0, t1);
    inside(v, v->k - 1, t0, t1);
    if (*t1 < *t0) {
        *t1 = *t0 = 0;
    }
}

static const void *bias_of(const srn_exec *x) {
    return x->n_in < 3 ? NULL : x->in[2]->data;
}

/* y over the batch rows [b0, b1) and times [from, to) := bias + ..., tap by tap. */
static void forward_taps(const conv *v, const srn_exec *x, int64_t b0, int64_t b1, int64_t from,
                         int64_t to) {
    if (from >= to) {
        return;
    }
    const int64_t in = v->c * v->groups, filters = v->f * v->groups;
    srn_dtype dtype = x->out[0]->type.dtype;
    srn_gemm_problem p = {.m = to - from, .n = filters, .blocks = b1 - b0, .d = bias_of(x)};
    p.block_a = v->length * in;
    p.block_other = v->times * filters;
    p.ldb = p.ldc = filters;
    p.lda = v->stride * in;
    p.c = srn_view_at(x->out[0], (b0 * v->times + from) * filters);
    srn_gemm(dtype, &p);
    p.n = v->f;
    p.k = v->c;
    p.ldd = filters;
    for (int64_t i = 0; i < v->groups * v->k; i++) {
        int64_t g = i / v->k, j = i % v->k, t0 = from, t1 = to;
        inside(v, j, &t0, &t1);
        int64_t s = t0 * v->stride + j * v->dilation - v->left;
        if (t0 < t1) {
            p.m = t1 - t0;
            p.a = srn_view_at(x->in[0], (b0 * v->length + s) * in + g * v->c);
            p.b = srn_view_at(x->in[1], j * v->c * filters + g * v->f);
            p.c = srn_view_at(x->out[0], (b0 * v->times + t0) * filters + g * v->f);
            p.d = p.c;
            srn_gemm(dtype, &p);
        }
    }
}

/* ---- conv1d ---- */

static bool check_bias(const srn_infer *x, int64_t filters, srn_error *err) {
    if (x->n_in < 3) {
        return true;
    }
    const srn_type *bias = x->in[2];
    if (bias->dtype != x->in[0]->dtype || bias->shape.rank != 1 || bias->shape.dim[0] != filters) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "conv1d: the bias must hold one number per filter, (%lld,) of dtype %s, "
                        "got %s of %s",
                        (long long)filters, srn_dtype_name(x->in[0]->dtype),
                        srn_shape_text(text, &bias->shape), srn_dtype_name(bias->dtype));
    }
    return true;
}

static bool conv1d_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape, *w = &x->in[1]->shape;
    conv v;
    if (!check_operands("conv1d", "x", "w", x->in[0], x->in[1], err) ||
        !check_bias(x, w->dim[2], err) || !conv_of_w(&v, in->dim[0], in->dim[1], w, x->attr, err)) {
        return false;
    }
    if (in->dim[2] % v.groups != 0 || in->dim[2] / v.groups != v.c) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "conv1d: w is made for groups of %lld channels, so x must have groups times as "
            "many; got %lld channels and %lld groups",
            (long long)v.c, (long long)in->dim[2], (long long)v.groups);
    }
    int64_t dims[] = {v.batch, v.times, w->dim[2]};
    x->out[0] = (srn_type){x->in[0]->dtype, srn_shape_of(3, dims)};
    return true;
}

/* w with its taps in reverse and channels for filters: that with which dy gives dx. */
static srn_val turned(srn_graph *g, srn_val w) {
    const int64_t perm[] = {0, 2, 1};
    w = srn_transpose(g, w, (srn_ints){3, perm});
    if (srn_failed(&g->err) || srn_type_of(g, w)->shape.dim[0] == 1) {
        return w;
    }
    srn_shape shape = srn_type_of(g, w)->shape;
    int64_t start[] = {shape.dim[0] - 1, 0, 0}, stop[] = {-1, shape.dim[1], shape.dim[2]};
    int64_t step[] = {-1, 1, 1};
    return srn_slice(g, w, (srn_ints){3, start}, (srn_ints){3, stop}, (srn_ints){3, step});
}

/* With steps of one, dx is the convolution of dy, padded by what a window reaches beyond x, with the
 * turned w; else an op of its own. */
static srn_val gradient_by_x(srn_vjp *x) {
    srn_graph *g = x->g;
    srn_shape w = srn_type_of(g, x->in[1])->shape;
    int64_t length = srn_type_of(g, x->in[0])->shape.dim[1];
    int64_t reach = x->attr[DILATION].i * (w.dim[0] - 1);
    srn_attr attrs[EXTRA + 1];
    memcpy(attrs, x->attr, EXTRA * sizeof *attrs);
    if (x->attr[STRIDE].i == 1 && x->attr[GROUPS].i == 1 && length > 0 &&
        x->attr[PAD_LEFT].i <= reach && x->attr[PAD_RIGHT].i <= reach) {
        attrs[PAD_LEFT].i = reach - x->attr[PAD_LEFT].i;
        attrs[PAD_RIGHT].i = reach - x->attr[PAD_RIGHT].i;
        srn_val in[] = {x->dout[0], turned(g, x->in[1])};
        return srn_emit(g, SRN_OP_conv1d, 2, in, attrs);
    }
    attrs[EXTRA].i = length;
    srn_val in[] = {x->dout[0], x->in[1]};
    return srn_emit(g, SRN_OP_conv1d_dx, 2, in, attrs);
}

static void conv1d_vjp(srn_vjp *x) {
    if (x->need[0]) {
        x->din[0] = gradient_by_x(x);
    }
    if (x->need[1]) {
        srn_val in[] = {x->in[0], x->dout[0]};
        srn_attr attrs[EXTRA + 1];
        memcpy(attrs, x->attr, EXTRA * sizeof *attrs);
        attrs[EXTRA].i = srn_type_of(x->g, x->in[1])->shape.dim[0];
        x->din[1] = srn_emit(x->g, SRN_OP_conv1d_dw, 2, in, attrs);
    }
    if (x->n_in > 2 && x->need[2]) {
        srn_shape row = srn_type_of(x->g, x->in[2])->shape;
        x->din[2] = srn_sum_to(x->g, x->dout[0], &row);
    }
}

static int64_t batch_rows(const srn_infer *x) {
    return x->in[0]->shape.dim[0];
}

/* Multiplications: the same for the three ops. */
static double cost(const srn_shape *y, const srn_shape *w) {
    return (double)srn_shape_count(y) * (double)w->dim[0] * (double)w->dim[1];
}

static double conv1d_cost(const srn_infer *x) {
    return cost(&x->out[0].shape, &x->in[1]->shape);
}

static void conv1d_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_shape *in = &x->in[0]->type.shape;
    srn_error unused = {0};
    conv v;
    conv_of_w(&v, in->dim[0], in->dim[1], &x->in[1]->type.shape, x->attr, &unused);
    int64_t channels = in->dim[2], filters = v.f * v.groups, t0, t1;
    whole_windows(&v, &t0, &t1);
    srn_gemm_problem g = {.m = t1 - t0, .n = filters, .k = v.k * channels, .taps = v.k};
    g.tap_step = v.dilation * channels;
    g.lda = v.stride * channels;
    g.b = x->in[1]->data;
    g.d = bias_of(x);
    g.ldb = g.ldc = filters;
    g.blocks = row1 - row0;
    g.block_a = v.length * channels;
    g.block_other = v.times * filters;
    g.a = srn_view_at(x->in[0], (row0 * v.length + t0 * v.stride - v.left) * channels);
    g.c = srn_view_at(x->out[0], (row0 * v.times + t0) * filters);
    if (t0 < t1) {
        srn_gemm(x->out[0]->type.dtype, &g);
    }
    forward_taps(&v, x, row0, row1, 0, t0);
    forward_taps(&v, x, row0, row1, t1, v.times);
}

const srn_op srn_op_conv1d = {
    .name = "conv1d",
    .doc = "conv1d(x, w, bias?; stride, dilation, pad_left, pad_right, groups): y[b, t, f] =\n"
           "sum over j, c of x[b, t * stride + j * dilation - pad_left, c] * w[j, c, f] + bias[f], "
           "x zero outside.\n"
           "x (B, T, C), w (k, C / groups, F), bias (F,) -> (B, T', F),\n"
           "T' = (T + pad_left + pad_right - dilation * (k - 1) - 1) // stride + 1.",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .attrs = conv1d_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = conv1d_infer,
    .vjp = conv1d_vjp,
    .rows = batch_rows,
    .cost = conv1d_cost,
    .min_block = 4,
    .exec = conv1d_exec,
};

/* ---- conv1d_dx ---- */

static bool check_times(const char *op, const conv *v, const srn_shape *dy, srn_error *err) {
    if (dy->dim[1] != v->times) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: dy must have %lld time steps, got %lld", op,
                        (long long)v->times, (long long)dy->dim[1]);
    }
    return true;
}

static bool conv1d_dx_infer(srn_infer *x, srn_error *err) {
    const srn_shape *dy = &x->in[0]->shape, *w = &x->in[1]->shape;
    int64_t length = x->attr[EXTRA].i, channels;
    conv v;
    if (!check_operands("conv1d_dx", "dy", "w", x->in[0], x->in[1], err) ||
        !conv_of_w(&v, dy->dim[0], length, w, x->attr, err) ||
        !check_times("conv1d_dx", &v, dy, err)) {
        return false;
    }
    if (dy->dim[2] != w->dim[2] || __builtin_mul_overflow(v.c, v.groups, &channels)) {
        return srn_fail(err, SRN_ERR_VALUE, "conv1d_dx: dy has %lld filters, but w %lld",
                        (long long)dy->dim[2], (long long)w->dim[2]);
    }
    int64_t dims[] = {v.batch, length, channels};
    x->out[0] = (srn_type){x->in[0]->dtype, srn_shape_of(3, dims)};
    return true;
}

static double conv1d_dx_cost(const srn_infer *x) {
    return cost(&x->in[0]->shape, &x->in[1]->shape);
}

static void conv1d_dx_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_dtype dtype = x->out[0]->type.dtype;
    srn_error unused = {0};
    conv v;
    conv_of_w(&v, x->in[0]->type.shape.dim[0], x->attr[EXTRA].i, &x->in[1]->type.shape, x->attr,
              &unused);
    int64_t in = v.c * v.groups, filters = v.f * v.groups, row = v.length * in;
    for (int64_t b = row0; b < row1; b++) {
        memset(srn_view_at(x->out[0], b * row), 0, (size_t)row * srn_dtype_size(dtype));
        for (int64_t i = 0; i < v.groups * v.k; i++) {
            int64_t g = i / v.k, j = i % v.k, t0 = 0, t1 = v.times;
            inside(&v, j, &t0, &t1);
            int64_t s = t0 * v.stride + j * v.dilation - v.left;
            void *dx = srn_view_at(x->out[0], b * row + s * in + g * v.c);
            srn_gemm_problem p = {.tb = true, .m = t1 - t0, .n = v.c, .k = v.f, .c = dx, .d = dx};
            p.a = srn_view_at(x->in[0], (b * v.times + t0) * filters + g * v.f);
            p.b = srn_view_at(x->in[1], j * v.c * filters + g * v.f);
            p.lda = p.ldb = filters;
            p.ldc = p.ldd = v.stride * in;
            if (t0 < t1) {
                srn_gemm(dtype, &p);
            }
        }
    }
}

/* dx is linear in dy and in w, and dx . x = dy . y: what conv1d is to x, dx is to dy. */
static void conv1d_dx_vjp(srn_vjp *x) {
    srn_attr attrs[EXTRA + 1];
    memcpy(attrs, x->attr, EXTRA * sizeof *attrs);
    if (x->need[0]) {
        srn_val in[] = {x->dout[0], x->in[1]};
        x->din[0] = srn_emit(x->g, SRN_OP_conv1d, 2, in, attrs);
    }
    if (x->need[1]) {
        srn_val in[] = {x->dout[0], x->in[0]};
        attrs[EXTRA].i = srn_type_of(x->g, x->in[1])->shape.dim[0];
        x->din[1] = srn_emit(x->g, SRN_OP_conv1d_dw, 2, in, attrs);
    }
}

const srn_op srn_op_conv1d_dx = {
    .name = "conv1d_dx",
    .doc =
        "conv1d_dx(dy, w; stride, dilation, pad_left, pad_right, groups, length): the gradient of\n"
        "conv1d by its x of `length` time steps, which is the transposed convolution of dy.\n"
        "dy (B, T', F), w (k, C / groups, F) -> (B, T, C).",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .attrs = conv1d_dx_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = conv1d_dx_infer,
    .vjp = conv1d_dx_vjp,
    .rows = batch_rows,
    .cost = conv1d_dx_cost,
    .min_block = 4,
    .exec = conv1d_dx_exec,
};

/* ---- conv1d_dw ---- */

static bool conv_of_dy(conv *v, const srn_shape *in, const srn_shape *dy, const srn_attr *attr,
                       srn_error *err) {
    if (!check_attrs(v, attr, err) || !check_groups(v, dy->dim[2], err)) {
        return false;
    }
    v->batch = in->dim[0];
    v->length = in->dim[1];
    v->k = attr[EXTRA].i;
    v->c = in->dim[2] / v->groups;
    v->f = dy->dim[2] / v->groups;
    return check_length(v, err);
}

static bool conv1d_dw_infer(srn_infer *x, srn_error *err) {
    const srn_shape *in = &x->in[0]->shape, *dy = &x->in[1]->shape;
    conv v;
    if (!check_operands("conv1d_dw", "x", "dy", x->in[0], x->in[1], err) ||
        !conv_of_dy(&v, in, dy, x->attr, err) || !check_times("conv1d_dw", &v, dy, err)) {
        return false;
    }
    if (in->dim[0] != dy->dim[0] || in->dim[2] % v.groups != 0) {
        char in_text[SRN_SHAPE_TEXT], dy_text[SRN_SHAPE_TEXT];
        return srn_fail(
            err, SRN_ERR_VALUE,
            "conv1d_dw: x %s and dy %s must be of one batch, and the channels of x divisible "
            "by groups, %lld",
            srn_shape_text(in_text, in), srn_shape_text(dy_text, dy), (long long)v.groups);
    }
    int64_t dims[] = {v.k, v.c, dy->dim[2]};
    x->out[0] = (srn_type){x->in[0]->dtype, srn_shape_of(3, dims)};
    return true;
}

static int64_t tap_rows(const srn_infer *x) {
    return x->out[0].shape.dim[0];
}

static double conv1d_dw_cost(const srn_infer *x) {
    return cost(&x->in[1]->shape, &x->out[0].shape);
}

/* dw[j] for the taps [j0, j1), from the ys [from, to) of the whole batch, added. */
static void dw_taps(const conv *v, const srn_exec *x, int64_t j0, int64_t j1, int64_t from,
                    int64_t to) {
    int64_t in = v->c * v->groups, filters = v->f * v->groups;
    for (int64_t i = 0; i < v->groups * (j1 - j0) && from < to; i++) {
        int64_t g = i / (j1 - j0), j = j0 + i % (j1 - j0), t0 = from, t1 = to;
        inside(v, j, &t0, &t1);
        int64_t s = t0 * v->stride + j * v->dilation - v->left;
        void *dw = srn_view_at(x->out[0], j * v->c * filters + g * v->f);
        srn_gemm_problem p = {.ta = true, .m = v->c, .n = v->f, .k = t1 - t0, .c = dw, .d = dw};
        p.a = srn_view_at(x->in[0], s * in + g * v->c);
        p.b = srn_view_at(x->in[1], t0 * filters + g * v->f);
        p.lda = v->stride * in;
        p.ldb = p.ldc = p.ldd = filters;
        p.blocks = v->batch;
        p.block_a = v->length * in;
        p.block_other = v->times * filters;
        if (t0 < t1) {
            srn_gemm(x->out[0]->type.dtype, &p);
        }
    }
}

static void conv1d_dw_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_dtype dtype = x->out[0]->type.dtype;
    srn_error unused = {0};
    conv v;
    conv_of_dy(&v, &x->in[0]->type.shape, &x->in[1]->type.shape, x->attr, &unused);
    int64_t in = v.c * v.groups, filters = v.f * v.groups, tap = v.c * filters, t0, t1;
    void *dw = srn_view_at(x->out[0], row0 * tap);
    memset(dw, 0, (size_t)((row1 - row0) * tap) * srn_dtype_size(dtype));
    whole_windows(&v, &t0, &t1);
    if (v.batch == 0) {
        return;
    }
    if (v.dilation > 1 && v.k > 1) { /* windows with holes go by taps */
        t0 = t1 = 0;
    }
    srn_gemm_problem p = {.ta = true, .m = (row1 - row0) * in, .n = filters, .k = t1 - t0};
    p.a = srn_view_at(x->in[0], (t0 * v.stride - v.left + row0) * in);
    p.b = srn_view_at(x->in[1], t0 * filters);
    p.c = dw;
    p.d = dw;
    p.lda = v.stride * in;
    p.ldb = p.ldc = p.ldd = filters;
    p.blocks = v.batch;
    p.block_a = v.length * in;
    p.block_other = v.times * filters;
    if (t0 < t1) {
        srn_gemm(dtype, &p);
    }
    dw_taps(&v, x, row0, row1, 0, t0);
    dw_taps(&v, x, row0, row1, t1, v.times);
}

const srn_op srn_op_conv1d_dw = {
    .name = "conv1d_dw",
    .doc = "conv1d_dw(x, dy; stride, dilation, pad_left, pad_right, groups, kernel_size): the "
           "gradient\n"
           "of conv1d by its w. x (B, T, C), dy (B, T', F) -> (kernel_size, C / groups, F).",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .attrs = conv1d_dw_attrs,
    .diff = SRN_DIFF_NONE,
    .parallel = SRN_ROWS,
    .infer = conv1d_dw_infer,
    .rows = tap_rows,
    .cost = conv1d_dw_cost,
    .exec = conv1d_dw_exec,
};
