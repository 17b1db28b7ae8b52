/* scan: a body graph applied once per time step; what it means stands in graph/scan.h.
 *
 *   s_0 given;  (s_{t+1}, y_t) = body(s_t, x_t, c)  for t = 0 .. T-1
 *
 * The shape rule is here; emitting is graph/scan.c, the gradient autodiff/scan_vjp.c, the loop
 * run/scan_run.c. Memory: one slice of each state and of what the step computes; over time only
 * the stacked outputs that somebody reads.
 */
#include "graph/scan.h"

#include <string.h>

static bool same_type(const srn_type *a, const srn_type *b) {
    return a->dtype == b->dtype && srn_shape_equal(&a->shape, &b->shape);
}

static bool mismatch(srn_error *err, const char *what, int64_t i, const srn_type *got,
                     const srn_type *expected) {
    char a[SRN_SHAPE_TEXT], b[SRN_SHAPE_TEXT];
    return srn_fail(err, SRN_ERR_VALUE, "scan: %s %d: got %s %s, expected %s %s", what, (int)i,
                    srn_dtype_name(got->dtype), srn_shape_text(a, &got->shape),
                    srn_dtype_name(expected->dtype), srn_shape_text(b, &expected->shape));
}

static srn_type stacked(const srn_type *type, int64_t length) {
    srn_type to = {type->dtype, {type->shape.rank + 1, {length}}};
    memcpy(to.shape.dim + 1, type->shape.dim, sizeof(int64_t) * (SRN_MAX_RANK - 1));
    return to;
}

/* The number-th input of the body. */
static const srn_type *body_input(const srn_graph *body, int64_t number) {
    for (int32_t i = 0; i < body->n_nodes; i++) {
        const srn_node *node = &body->nodes[i];
        if (node->id == SRN_OP_input && node->attr[0].i == number) {
            return srn_type_of(body, node->out);
        }
    }
    return NULL;
}

static bool check_input(const srn_graph *body, int64_t length, int32_t n_state, int32_t n_seq,
                        int32_t i, const srn_type *got, srn_error *err) {
    const srn_type *type = body_input(body, i);
    if (i >= n_state && i < n_state + n_seq) {
        if (type->shape.rank == SRN_MAX_RANK) {
            return srn_fail(err, SRN_ERR_VALUE,
                            "scan: sequence %d has %d axes at each step, at most %d", (int)i,
                            (int)type->shape.rank, SRN_MAX_RANK - 1);
        }
        srn_type expected = stacked(type, length);
        return same_type(got, &expected) || mismatch(err, "sequence", i, got, &expected);
    }
    const char *what = i < n_state ? "state" : "constant";
    return same_type(got, type) || mismatch(err, what, i, got, type);
}

static bool check_length(int64_t length, srn_error *err) {
    return length >= 1 ||
           srn_fail(err, SRN_ERR_VALUE, "scan: got %lld time steps, expected at least 1",
                    (long long)length);
}

bool srn_scan_check(srn_graph *g, const srn_graph *body, int64_t length, int32_t n_state,
                    int32_t n_seq, const srn_val *in, const srn_val *outputs) {
    srn_error *err = &g->err;
    bool ok = check_length(length, err);
    for (int32_t i = 0; ok && i < body->n_inputs; i++) {
        ok = check_input(body, length, n_state, n_seq, i, srn_type_of(g, in[i]), err);
    }
    for (int32_t i = 0; ok && i < n_state; i++) {
        const srn_type *before = srn_type_of(g, in[i]), *after = srn_type_of(body, outputs[i]);
        ok = same_type(before, after) || mismatch(err, "new state", i, after, before);
    }
    return ok;
}

static bool infer(srn_infer *x, srn_error *err) {
    const srn_graph *body = x->attr[SRN_SCAN_BODY].body;
    int32_t n_state = (int32_t)x->attr[SRN_SCAN_N_STATE].i;
    int32_t n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i;
    int64_t length = x->attr[SRN_SCAN_LENGTH].i;
    srn_ints outputs = x->attr[SRN_SCAN_OUTPUTS].ints;
    bool ok = check_length(length, err);
    if (ok && (x->n_in != body->n_inputs || n_state < 0 || n_seq < 0 || outputs.n < n_state)) {
        ok = srn_fail(err, SRN_ERR_VALUE, "scan: got %d inputs, the body has %d", (int)x->n_in,
                      (int)body->n_inputs);
    }
    for (int32_t i = 0; ok && i < x->n_in; i++) {
        ok = check_input(body, length, n_state, n_seq, i, x->in[i], err);
    }
    for (int32_t k = 0; ok && k < outputs.n; k++) {
        if (outputs.v[k] < 0 || outputs.v[k] >= body->n_values) {
            return srn_fail(err, SRN_ERR_VALUE, "scan: output %d is no value of the body", (int)k);
        }
        const srn_type *type = srn_type_of(body, (srn_val)outputs.v[k]);
        if (k < n_state) {
            x->out[k] = *type;
            ok = same_type(type, x->in[k]) || mismatch(err, "new state", k, type, x->in[k]);
        } else if (type->shape.rank == SRN_MAX_RANK) {
            ok = srn_fail(err, SRN_ERR_VALUE, "scan: a step's value has %d axes, at most %d",
                          (int)type->shape.rank, SRN_MAX_RANK - 1);
        } else {
            x->out[k] = stacked(type, length);
        }
    }
    return ok;
}

static const srn_attr_spec attrs[] = {
    [SRN_SCAN_BODY] = {.name = "body", .kind = SRN_ATTR_BODY, .required = true},
    [SRN_SCAN_N_STATE] = {.name = "n_state", .kind = SRN_ATTR_INT, .required = true},
    [SRN_SCAN_N_SEQ] = {.name = "n_seq", .kind = SRN_ATTR_INT, .required = true},
    [SRN_SCAN_OUTPUTS] = {.name = "outputs", .kind = SRN_ATTR_INTS, .required = true},
    [SRN_SCAN_REVERSE] = {.name = "reverse", .kind = SRN_ATTR_BOOL},
    [SRN_SCAN_LENGTH] = {.name = "length", .kind = SRN_ATTR_INT, .required = true},
    {0},
};

const srn_op srn_op_scan = {
    .name = "scan",
    .doc =
        "scan(states.., sequences (T, ..).., constants..) -> final states.., stacked (T, ..)..:\n"
        "the body graph once per time step; reverse walks from the last step to the first.",
    .min_in = 0,
    .max_in = -1,
    .n_out = -1,
    .attrs = attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_WHOLE,
    .infer = infer,
    .vjp = srn_scan_vjp,
};
