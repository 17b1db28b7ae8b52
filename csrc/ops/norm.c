/* Layer normalization over the last axis.
 *
 *     mean = sum(x) / n,  var = sum((x - mean)^2) / n,  rstd = 1 / sqrt(var + epsilon)
 *     xhat = (x - mean) rstd,  y = xhat gamma + beta          each row (..., :) by itself
 *
 * Backward, with g = dy gamma:
 *
 *     dx = rstd (g - sum(g) / n - xhat sum(g xhat) / n),  dgamma = sum over rows of dy xhat,
 *     dbeta = sum over rows of dy
 *
 * Shapes: x, y, dx (..., n); gamma, beta (n,), each optional; mean, rstd (...). The sums over rows
 * are nodes of their own, so that in a loop over time they can be made once, after the loop.
 * The variance is computed in a second pass over the row, not as the difference of two large
 * numbers.
 * Memory: none besides the outputs. Source: Ba, Kiros, Hinton (2016), Layer Normalization.
 */
#include "kernels/norm.h"
#include "graph/emit.h"

/* ---- layer_norm ---- */

enum { X, GAMMA, BETA };
enum { Y, MEAN, RSTD };

static const srn_attr_spec layer_norm_attrs[] = {
    {.name = "epsilon", .kind = SRN_ATTR_FLOAT, .dflt = {.f = 1e-3}},
    {0},
};

/* gamma or beta: absent, or (n,) of x's dtype. */
static bool check_per_feature(const char *op, const char *name, const srn_type *p,
                              const srn_type *x, srn_error *err) {
    if (p == NULL) {
        return true;
    }
    int64_t n = x->shape.dim[x->shape.rank - 1];
    if (p->dtype != x->dtype) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: %s is %s but x is %s; cast one of them first", op,
                        name, srn_dtype_name(p->dtype), srn_dtype_name(x->dtype));
    }
    if (p->shape.rank != 1 || p->shape.dim[0] != n) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: %s must have shape (%lld,), one element per feature of x, got %s", op,
                        name, (long long)n, srn_shape_text(text, &p->shape));
    }
    return true;
}

static bool check_x(const char *op, const srn_type *x, srn_error *err) {
    char text[SRN_SHAPE_TEXT];
    if (!srn_dtype_is_float(x->dtype)) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: x must be float32 or float64, got %s", op,
                        srn_dtype_name(x->dtype));
    }
    if (x->shape.rank < 1 || x->shape.dim[x->shape.rank - 1] < 1) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: x must have a last axis of at least one feature, got %s", op,
                        srn_shape_text(text, &x->shape));
    }
    return true;
}

static srn_shape rows_of(const srn_shape *x) {
    return srn_shape_of(x->rank - 1, x->dim);
}

static const srn_type *input(const srn_infer *x, int32_t i) {
    return i < x->n_in ? x->in[i] : NULL;
}

static bool layer_norm_infer(srn_infer *x, srn_error *err) {
    const srn_type *in = x->in[X];
    if (in == NULL) {
        return srn_fail(err, SRN_ERR_VALUE, "layer_norm: x is missing");
    }
    if (!check_x("layer_norm", in, err) ||
        !check_per_feature("layer_norm", "gamma", input(x, GAMMA), in, err) ||
        !check_per_feature("layer_norm", "beta", input(x, BETA), in, err)) {
        return false;
    }
    if (!(x->attr[0].f >= 0)) {
        return srn_fail(err, SRN_ERR_VALUE, "layer_norm: epsilon must be 0 or more, got %g",
                        x->attr[0].f);
    }
    x->out[Y] = *in;
    x->out[MEAN] = x->out[RSTD] = (srn_type){in->dtype, rows_of(&in->shape)};
    return true;
}

static srn_val value(const srn_vjp *x, int32_t i) {
    return i < x->n_in ? x->in[i] : SRN_NONE;
}

/* Of y alone: mean and rstd are there for this rule, not for people. */
static void layer_norm_vjp(srn_vjp *x) {
    srn_graph *g = x->g;
    srn_val dy = x->dout[Y], gamma = value(x, GAMMA), beta = value(x, BETA);
    if (x->dout[MEAN] != SRN_NONE || x->dout[RSTD] != SRN_NONE) {
        srn_fail(
            &g->err, SRN_ERR_VALUE,
            "layer_norm: only its first output can be differentiated; compute mean and variance "
            "by mean() and square() instead");
        return;
    }
    srn_val in[] = {dy, x->in[X], x->out[MEAN], x->out[RSTD], gamma};
    srn_val dx = srn_emit(g, SRN_OP_layer_norm_grad, 5, in, NULL);
    if (dx == SRN_NONE) {
        return;
    }
    x->din[X] = dx;
    if (gamma != SRN_NONE && x->need[GAMMA]) {
        x->din[GAMMA] = srn_sum_to(g, dx + 1, &srn_type_of(g, gamma)->shape);
    }
    if (beta != SRN_NONE && x->need[BETA]) {
        x->din[BETA] = srn_sum_to(g, dy, &srn_type_of(g, beta)->shape);
    }
}

static int64_t norm_rows(const srn_infer *x) {
    srn_shape rows = rows_of(&x->in[X]->shape);
    return srn_shape_count(&rows);
}

static double norm_cost(const srn_infer *x) {
    return 4 * (double)srn_shape_count(&x->in[X]->shape);
}

static void *at(const srn_view *view, int64_t element) {
    return view == NULL || view->data == NULL ? NULL : srn_view_at(view, element);
}

static const srn_view *view_of(const srn_exec *x, int32_t i) {
    return i < x->n_in ? x->in[i] : NULL;
}

static void layer_norm_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_type *type = &x->in[X]->type;
    int64_t n = type->shape.dim[type->shape.rank - 1];
    const void *in = at(x->in[X], row0 * n), *gamma = at(view_of(x, GAMMA), 0),
               *beta = at(view_of(x, BETA), 0);
    void *y = at(x->out[Y], row0 * n), *mean = at(x->out[MEAN], row0),
         *rstd = at(x->out[RSTD], row0);
    double epsilon = x->attr[0].f;
    if (type->dtype == SRN_F32) {
        srn_norms()->forward_f32(row1 - row0, n, (float)epsilon, in, gamma, beta, y, mean, rstd);
    } else {
        srn_norms()->forward_f64(row1 - row0, n, epsilon, in, gamma, beta, y, mean, rstd);
    }
}

const srn_op srn_op_layer_norm = {
    .name = "layer_norm",
    .doc = "layer_norm(x, gamma?, beta?; epsilon) -> y, mean, rstd: over the last axis,\n"
           "y = (x - mean) * rstd * gamma + beta, rstd = 1 / sqrt(var + epsilon), var biased.\n"
           "x, y (..., n); gamma, beta (n,), optional; mean, rstd (...). Only y is differentiable.",
    .min_in = 1,
    .max_in = 3,
    .n_out = 3,
    .attrs = layer_norm_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = layer_norm_infer,
    .vjp = layer_norm_vjp,
    .rows = norm_rows,
    .cost = norm_cost,
    .exec = layer_norm_exec,
};

/* ---- layer_norm_grad ---- */

enum { GRAD_DY, GRAD_X, GRAD_MEAN, GRAD_RSTD, GRAD_GAMMA };
enum { DX, DGAMMA_TERMS };

static bool layer_norm_grad_infer(srn_infer *x, srn_error *err) {
    const char *op = "layer_norm_grad";
    for (int32_t i = 0; i < GRAD_GAMMA; i++) {
        if (x->in[i] == NULL) {
            return srn_fail(err, SRN_ERR_VALUE, "%s: input %d is missing", op, (int)i);
        }
    }
    const srn_type *in = x->in[GRAD_X];
    if (!check_x(op, in, err) || !check_per_feature(op, "gamma", input(x, GRAD_GAMMA), in, err)) {
        return false;
    }
    srn_type row = {in->dtype, rows_of(&in->shape)};
    const srn_type *want[] = {in, in, &row, &row};
    for (int32_t i = 0; i < GRAD_GAMMA; i++) {
        if (x->in[i]->dtype != in->dtype || !srn_shape_equal(&x->in[i]->shape, &want[i]->shape)) {
            char got[SRN_SHAPE_TEXT], expected[SRN_SHAPE_TEXT];
            return srn_fail(err, SRN_ERR_VALUE, "%s: input %d must be %s %s, got %s %s", op, (int)i,
                            srn_dtype_name(in->dtype), srn_shape_text(expected, &want[i]->shape),
                            srn_dtype_name(x->in[i]->dtype), srn_shape_text(got, &x->in[i]->shape));
        }
    }
    x->out[DX] = x->out[DGAMMA_TERMS] = *in;
    return true;
}

static void layer_norm_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_type *type = &x->in[GRAD_X]->type;
    int64_t n = type->shape.dim[type->shape.rank - 1];
    const void *dy = at(x->in[GRAD_DY], row0 * n), *in = at(x->in[GRAD_X], row0 * n),
               *mean = at(x->in[GRAD_MEAN], row0), *rstd = at(x->in[GRAD_RSTD], row0),
               *gamma = at(view_of(x, GRAD_GAMMA), 0);
    void *dx = at(x->out[DX], row0 * n), *terms = at(x->out[DGAMMA_TERMS], row0 * n);
    if (type->dtype == SRN_F32) {
        srn_norms()->backward_f32(row1 - row0, n, dy, in, mean, rstd, gamma, dx, terms);
    } else {
        srn_norms()->backward_f64(row1 - row0, n, dy, in, mean, rstd, gamma, dx, terms);
    }
}

const srn_op srn_op_layer_norm_grad = {
    .name = "layer_norm_grad",
    .doc =
        "layer_norm_grad(dy, x, mean, rstd, gamma?) -> dx, dy * xhat: the backward of layer_norm.\n"
        "dx = rstd * (g - mean(g) - xhat * mean(g * xhat)), g = dy * gamma, xhat = (x - mean) * "
        "rstd.\n"
        "The second output, summed over rows, is the gradient by gamma.",
    .min_in = 4,
    .max_in = 5,
    .n_out = 2,
    .diff = SRN_DIFF_NONE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = layer_norm_grad_infer,
    .rows = norm_rows,
    .cost = norm_cost,
    .exec = layer_norm_grad_exec,
};
