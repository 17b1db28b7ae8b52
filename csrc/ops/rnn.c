/* The simple recurrent layer over a whole sequence, and its gradient.
 *
 *   h_t = act(xz_t + (h_{t-1} * m) R)            xz = x W + b is one product before, for all steps
 *
 * xz (T, B, U); R (U, U); h0 (B, U); m (1, B, U) recurrent dropout. Masked steps: recurrent.h.
 * `reverse` walks t = T-1 .. 0.
 *
 * Backward, from the last step to the first, with e the whole gradient by h_t:
 *   dz_t = e * act'(h_t)                         dh_{t-1} = (dz_t R') * m
 * dR = sum (h_{t-1} * m)' dz_t is one product over all steps and rows, emitted as a node of its own.
 *
 * Memory: the output; h besides only with a mask. Work per step and row: U^2 multiply-adds, twice
 * that backward.
 *
 * Elman (1990), Finding Structure in Time.
 */
#include "ops/recurrent.h"

enum { GATES = 1 };
enum { ACT, REVERSE, ZERO_OUTPUT };
enum { XZ, R, H0, MASK, RMASK };             /* inputs */
enum { Y, HT, HS };                          /* outputs */
enum { DY, DHT, RT, G_HS, G_MASK, G_RMASK }; /* inputs of the gradient */
enum { DXZ, DH0 };                           /* outputs of the gradient */

static const srn_attr_spec attrs[] = {
    {.name = "activation",
     .kind = SRN_ATTR_WORD,
     .dflt = {.i = SRN_ACT_tanh},
     .words = srn_activation_words},
    {.name = "reverse", .kind = SRN_ATTR_BOOL},
    {.name = "zero_output", .kind = SRN_ATTR_BOOL},
    {0},
};

/* ---- forward ---- */

static bool rnn_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "rnn", XZ, "the projected input", GATES, err) ||
        !srn_expect_weights(&sizes, x, R, "the recurrent kernel", false, err) ||
        !srn_expect_state(&sizes, x, H0, "the initial state", err) ||
        !srn_expect_masks(&sizes, x, MASK, err)) {
        return false;
    }
    x->out[Y] = x->out[HS] = srn_sequence_type(&sizes, 1);
    x->out[HT] = srn_state_type(&sizes);
    return true;
}

static size_t rnn_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[XZ], GATES, 3, 3);
}

static void rnn_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[XZ], GATES, row0, row1);
    srn_steps_mask(&s, x, MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    bool own = x->out[HS]->data != NULL || s.mask != NULL; /* else the states are the output */
    srn_state h = srn_state_of(&s, x->in[H0], x->out[own ? HS : Y]);
    void *spare = srn_scratch_rows(&s, 1);
    for (int64_t i = 0; i < s.times; i++) {
        srn_state_advance(&s, &h, i);
        srn_recurrent_add(&s, GATES, 0, GATES, h.now,
                          srn_rows_at(&s, x->in[XZ], srn_time(&s, i), 1), s.units, h.before,
                          x->in[R]->data, spare);
        s.gates->rnn_forward((int)x->attr[ACT].i, s.n * s.units, h.now);
        srn_write_output(&s, x->out[Y], &h, i);
        srn_state_hold(&s, &h, i);
    }
    srn_write_state(&s, x->out[HT], &h);
}

static void rnn_vjp(srn_vjp *x) {
    if (!srn_vjp_allowed(x, "rnn", HS, RMASK)) {
        return;
    }
    srn_val mask = srn_vjp_input(x, MASK), rmask = srn_vjp_input(x, RMASK);
    srn_val states = x->out[mask == SRN_NONE ? Y : HS];
    srn_val in[] = {
        [DY] = x->dout[Y], [DHT] = x->dout[HT], [RT] = srn_emit_transposed(x->g, x->in[R]),
        [G_HS] = states,   [G_MASK] = mask,     [G_RMASK] = rmask,
    };
    srn_val grad = srn_emit(x->g, SRN_OP_rnn_grad, G_RMASK + 1, in, x->attr);
    if (grad == SRN_NONE) {
        return;
    }
    x->din[XZ] = grad + DXZ;
    x->din[H0] = grad + DH0;
    if (x->need[R]) {
        x->din[R] = srn_emit_recurrent_gradient(x->g, states, x->in[H0], x->attr[REVERSE].i, rmask,
                                                grad + DXZ, 0, GATES);
    }
}

static int64_t rnn_rows(const srn_infer *x) {
    return x->in[XZ]->shape.dim[1];
}

static double rnn_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[XZ], GATES);
}

const srn_op srn_op_rnn = {
    .name = "rnn",
    .doc = "rnn(xz, R, h0, mask?, rmask?; activation, reverse, zero_output) -> y, hT, hs\n"
           "h_t = act(xz_t + (h * rmask) R).\n"
           "xz (T, B, U), R (U, U), h0 (B, U), mask (T, B) bool, rmask (1, B, U); "
           "y, hs (T, B, U), hT (B, U).\n"
           "hs (states after each step) is for the gradient.",
    .min_in = 3,
    .max_in = 5,
    .n_out = 3,
    .attrs = attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = rnn_infer,
    .vjp = rnn_vjp,
    .scratch = rnn_scratch,
    .rows = rnn_rows,
    .cost = rnn_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = rnn_exec,
};

/* ---- backward ---- */

static bool rnn_grad_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "rnn_grad", G_HS, "the states", GATES, err) ||
        !srn_expect_gradients(&sizes, x, DY, DHT, err) ||
        !srn_expect_weights(&sizes, x, RT, "the transposed recurrent kernel", true, err) ||
        !srn_expect_masks(&sizes, x, G_MASK, err)) {
        return false;
    }
    x->out[DXZ] = srn_sequence_type(&sizes, 1);
    x->out[DH0] = srn_state_type(&sizes);
    return true;
}

static size_t rnn_grad_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[G_HS], GATES, 6, 6);
}

static void rnn_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[G_HS], GATES, row0, row1);
    srn_steps_mask(&s, x, G_MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    srn_way_back dh = srn_way_back_of(&s, x->in[DHT]);
    void *waiting = srn_zero_rows(&s), *e = srn_scratch_rows(&s, 1);
    void *spare = srn_scratch_rows(&s, 1), *dz_spare = srn_scratch_rows(&s, 1);
    for (int64_t i = s.times - 1; i >= 0; i--) {
        int64_t t = srn_time(&s, i);
        void *wanted = srn_rows_at(&s, x->out[DXZ], t, 1);
        void *dz = wanted != NULL ? wanted : dz_spare;
        const void *dy = srn_gather_gradient(&s, e, x->in[DY], waiting, i);
        s.gates->rnn_backward((int)x->attr[ACT].i, s.n * s.units, dz,
                              srn_rows_at(&s, x->in[G_HS], t, 1), dh.now, dy);
        srn_mask_rows(&s, i, dz, NULL, 1);
        srn_recurrent_back(&s, GATES, 0, GATES, dh.before, NULL, dz, x->in[RT]->data, spare);
        srn_way_back_pass(&s, &dh, i);
    }
    srn_write_gradient(&s, x->out[DH0], &dh);
}

static int64_t rnn_grad_rows(const srn_infer *x) {
    return x->in[G_HS]->shape.dim[1];
}

static double rnn_grad_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[G_HS], GATES);
}

const srn_op srn_op_rnn_grad = {
    .name = "rnn_grad",
    .doc = "rnn_grad(dy?, dhT?, R', hs, mask?, rmask?; attributes of rnn) -> dxz, dh0\n"
           "Backward through all steps; shapes as in rnn, R' is R transposed.",
    .min_in = 4,
    .max_in = 6,
    .n_out = 2,
    .attrs = attrs,
    .diff = SRN_DIFF_NONE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = rnn_grad_infer,
    .scratch = rnn_grad_scratch,
    .rows = rnn_grad_rows,
    .cost = rnn_grad_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = rnn_grad_exec,
};
