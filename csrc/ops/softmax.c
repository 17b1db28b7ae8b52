/* Softmax and its logarithm over the last axis.
 *
 *   softmax(x)_i     = exp(x_i - m) / s        m = max_j x_j,  s = sum_j exp(x_j - m)
 *   log_softmax(x)_i = (x_i - m) - log s
 *
 * Subtracting m keeps exp from overflowing. Gradients, with sums over the last axis:
 *
 *   softmax: dx = y (dy - sum y dy)            log_softmax: dx = dy - exp(y) sum dy
 *
 * Rows are the leading axes; memory: none beside the output.
 */
#include "graph/emit.h"
#include "kernels/vector.h"
#include "ops/check.h"

static bool infer(srn_infer *x, const char *name, srn_error *err) {
    const srn_type *in = x->in[0];
    char text[SRN_SHAPE_TEXT];
    if (!srn_expect_float(in, name, err)) {
        return false;
    }
    if (in->shape.rank == 0 || in->shape.dim[in->shape.rank - 1] == 0) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: shape %s has no last axis with elements to normalise over", name,
                        srn_shape_text(text, &in->shape));
    }
    x->out[0] = *in;
    return true;
}

static bool infer_softmax(srn_infer *x, srn_error *err) {
    return infer(x, "softmax", err);
}

static bool infer_log_softmax(srn_infer *x, srn_error *err) {
    return infer(x, "log_softmax", err);
}

static int64_t rows(const srn_infer *x) {
    return srn_shape_product(&x->in[0]->shape, 0, x->in[0]->shape.rank - 1);
}

static void run(const srn_exec *x, int64_t row0, int64_t row1, bool logarithm) {
    const srn_view *in = x->in[0], *out = x->out[0];
    const int64_t n = in->type.shape.dim[in->type.shape.rank - 1];
    for (int64_t row = row0; row < row1; row++) {
        srn_vectors()->softmax(in->type.dtype, srn_view_at(out, row * n), srn_view_at(in, row * n),
                               n, logarithm);
    }
}

static void exec_softmax(const srn_exec *x, int64_t row0, int64_t row1) {
    run(x, row0, row1, false);
}

static void exec_log_softmax(const srn_exec *x, int64_t row0, int64_t row1) {
    run(x, row0, row1, true);
}

static srn_val sum_last(srn_graph *g, srn_val a) {
    const int64_t last = -1;
    return srn_sum(g, a, (srn_ints){1, &last}, true);
}

static void vjp_softmax(srn_vjp *p) {
    srn_graph *g = p->g;
    const srn_val y = p->out[0], dy = p->dout[0];
    p->din[0] = srn_mul(g, y, srn_sub(g, dy, sum_last(g, srn_mul(g, y, dy))));
}

static void vjp_log_softmax(srn_vjp *p) {
    srn_graph *g = p->g;
    const srn_val dy = p->dout[0], probability = srn_emit1(g, SRN_OP_exp, p->out[0]);
    p->din[0] = srn_sub(g, dy, srn_mul(g, probability, sum_last(g, dy)));
}

const srn_op srn_op_softmax = {
    .name = "softmax",
    .doc = "softmax(x) = exp(x) / sum exp(x) over the last axis, floats.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_INPLACE,
    .infer = infer_softmax,
    .vjp = vjp_softmax,
    .rows = rows,
    .exec = exec_softmax,
};

const srn_op srn_op_log_softmax = {
    .name = "log_softmax",
    .doc = "log_softmax(x) = x - log sum exp(x) over the last axis, floats.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_INPLACE,
    .infer = infer_log_softmax,
    .vjp = vjp_log_softmax,
    .rows = rows,
    .exec = exec_log_softmax,
};
