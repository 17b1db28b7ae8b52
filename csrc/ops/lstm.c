/* LSTM over a whole sequence, and its gradient.
 *
 *   z_t = xz_t + (h_{t-1} * m) R                 xz = x W + b is one product before, for all steps
 *   i, f, o = rec(z_i), rec(z_f), rec(z_o)       g = act(z_c)
 *   c_t = f * c_{t-1} + i * g                    h_t = o * act(c_t)
 *
 * xz (T, B, 4U), gates side by side in the order i, f, c, o; R (U, 4U); h0, c0 (B, U);
 * m (1 or 4, B, U) recurrent dropout. Masked steps: recurrent.h. `reverse` walks t = T-1 .. 0.
 *
 * Backward, from the last step to the first, with e the whole gradient by h_t and d that by c_t:
 *   d += e * o * act'(c_t);   dz_i = d * g * rec'(i);   dz_f = d * c_{t-1} * rec'(f)
 *   dz_c = d * i * act'(g);   dz_o = e * act(c_t) * rec'(o)
 *   d_{t-1} = d * f;          dh_{t-1} = (dz R') * m
 * act' and rec' follow from the values of act and rec. dR = sum (h_{t-1} * m)' dz_t is one product
 * over all steps and rows, emitted as a node of its own behind this one.
 *
 * Memory: of the forward pass the activated gates and c, 5 T B U; y besides; h only with a mask.
 * act(c_t) is computed again. Work per step and row: 4 U^2 multiply-adds, twice that backward.
 *
 * Hochreiter, Schmidhuber (1997), Long Short-Term Memory; with the forget gate of Gers,
 * Schmidhuber, Cummins (2000), Learning to Forget. Dropout: Gal, Ghahramani (2016), A Theoretically
 * Grounded Application of Dropout in Recurrent Neural Networks.
 */
#include "ops/recurrent.h"

enum { GATES = 4 };
enum { ACT, REC, REVERSE, ZERO_OUTPUT };
enum { XZ, R, H0, C0, MASK, RMASK };                             /* inputs */
enum { Y, HT, CT, SAVED, CS, HS };                               /* outputs */
enum { DY, DHT, DCT, RT, G_SAVED, G_CS, G_C0, G_MASK, G_RMASK }; /* inputs of the gradient */
enum { DXZ, DH0, DC0 };                                          /* outputs of the gradient */

static const srn_attr_spec attrs[] = {
    {.name = "activation",
     .kind = SRN_ATTR_WORD,
     .dflt = {.i = SRN_ACT_tanh},
     .words = srn_activation_words},
    {.name = "recurrent_activation",
     .kind = SRN_ATTR_WORD,
     .dflt = {.i = SRN_ACT_sigmoid},
     .words = srn_activation_words},
    {.name = "reverse", .kind = SRN_ATTR_BOOL},
    {.name = "zero_output", .kind = SRN_ATTR_BOOL},
    {0},
};

/* ---- forward ---- */

static bool lstm_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "lstm", XZ, "the projected input", GATES, err) ||
        !srn_expect_weights(&sizes, x, R, "the recurrent kernel", false, err) ||
        !srn_expect_state(&sizes, x, H0, "the initial state h", err) ||
        !srn_expect_state(&sizes, x, C0, "the initial state c", err) ||
        !srn_expect_masks(&sizes, x, MASK, err)) {
        return false;
    }
    x->out[Y] = x->out[CS] = x->out[HS] = srn_sequence_type(&sizes, 1);
    x->out[HT] = x->out[CT] = srn_state_type(&sizes);
    x->out[SAVED] = srn_sequence_type(&sizes, GATES);
    return true;
}

static size_t lstm_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[XZ], GATES, GATES + 5, 6);
}

static void lstm_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[XZ], GATES, row0, row1);
    srn_steps_mask(&s, x, MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    bool own = x->out[HS]->data != NULL || s.mask != NULL; /* else the states are the output */
    srn_state h = srn_state_of(&s, x->in[H0], x->out[own ? HS : Y]);
    srn_state c = srn_state_of(&s, x->in[C0], x->out[CS]);
    void *z_spare = srn_scratch_rows(&s, GATES), *spare = srn_scratch_rows(&s, 1);
    for (int64_t i = 0; i < s.times; i++) {
        int64_t t = srn_time(&s, i);
        void *saved = srn_rows_at(&s, x->out[SAVED], t, GATES);
        void *z = saved != NULL ? saved : z_spare;
        srn_state_advance(&s, &h, i);
        srn_state_advance(&s, &c, i);
        srn_recurrent_add(&s, GATES, 0, GATES, z, srn_rows_at(&s, x->in[XZ], t, GATES),
                          GATES * s.units, h.before, x->in[R]->data, spare);
        s.gates->lstm_forward((int)x->attr[ACT].i, (int)x->attr[REC].i, s.n, s.units, z, c.now,
                              h.now, c.before);
        srn_write_output(&s, x->out[Y], &h, i);
        srn_state_hold(&s, &h, i);
        srn_state_hold(&s, &c, i);
    }
    srn_write_state(&s, x->out[HT], &h);
    srn_write_state(&s, x->out[CT], &c);
}

static void lstm_vjp(srn_vjp *x) {
    if (!srn_vjp_allowed(x, "lstm", SAVED, RMASK)) {
        return;
    }
    srn_val mask = srn_vjp_input(x, MASK), rmask = srn_vjp_input(x, RMASK);
    srn_val in[] = {
        [DY] = x->dout[Y],         [DHT] = x->dout[HT],
        [DCT] = x->dout[CT],       [RT] = srn_emit_transposed(x->g, x->in[R]),
        [G_SAVED] = x->out[SAVED], [G_CS] = x->out[CS],
        [G_C0] = x->in[C0],        [G_MASK] = mask,
        [G_RMASK] = rmask,
    };
    srn_val grad = srn_emit(x->g, SRN_OP_lstm_grad, G_RMASK + 1, in, x->attr);
    if (grad == SRN_NONE) {
        return;
    }
    x->din[XZ] = grad + DXZ;
    x->din[H0] = grad + DH0;
    x->din[C0] = grad + DC0;
    if (x->need[R]) {
        srn_val states = x->out[mask == SRN_NONE ? Y : HS];
        x->din[R] = srn_emit_recurrent_gradient(x->g, states, x->in[H0], x->attr[REVERSE].i, rmask,
                                                grad + DXZ, 0, GATES);
    }
}

static int64_t lstm_rows(const srn_infer *x) {
    return x->in[XZ]->shape.dim[1];
}

static double lstm_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[XZ], GATES);
}

const srn_op srn_op_lstm = {
    .name = "lstm",
    .doc =
        "lstm(xz, R, h0, c0, mask?, rmask?; activation, recurrent_activation, reverse, "
        "zero_output) -> y, hT, cT, gates, cs, hs\n"
        "z_t = xz_t + (h * rmask) R; c = f c + i g; h = o act(c); gates in the order i, f, c, o.\n"
        "xz (T, B, 4U), R (U, 4U), h0, c0 (B, U), mask (T, B) bool, rmask (1 or 4, B, U); "
        "y, cs, hs (T, B, U), hT, cT (B, U), gates (T, B, 4U).\n"
        "gates, cs, hs (states after each step) are for the gradient.",
    .min_in = 4,
    .max_in = 6,
    .n_out = 6,
    .attrs = attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = lstm_infer,
    .vjp = lstm_vjp,
    .scratch = lstm_scratch,
    .rows = lstm_rows,
    .cost = lstm_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = lstm_exec,
};

/* ---- backward ---- */

static bool lstm_grad_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "lstm_grad", G_SAVED, "the gates", GATES, err) ||
        !srn_expect_gradients(&sizes, x, DY, DCT, err) ||
        !srn_expect_weights(&sizes, x, RT, "the transposed recurrent kernel", true, err) ||
        !srn_expect_sequence(&sizes, x, G_CS, "the states c", 1, err) ||
        !srn_expect_state(&sizes, x, G_C0, "the initial state c", err) ||
        !srn_expect_masks(&sizes, x, G_MASK, err)) {
        return false;
    }
    x->out[DXZ] = srn_sequence_type(&sizes, GATES);
    x->out[DH0] = x->out[DC0] = srn_state_type(&sizes);
    return true;
}

static size_t lstm_grad_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[G_SAVED], GATES, GATES + 7, 8);
}

static void lstm_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[G_SAVED], GATES, row0, row1);
    srn_steps_mask(&s, x, G_MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    srn_way_back dh = srn_way_back_of(&s, x->in[DHT]), dc = srn_way_back_of(&s, x->in[DCT]);
    void *waiting = srn_zero_rows(&s), *e = srn_scratch_rows(&s, 1);
    void *spare = srn_scratch_rows(&s, 1), *dz_spare = srn_scratch_rows(&s, GATES);
    for (int64_t i = s.times - 1; i >= 0; i--) {
        int64_t t = srn_time(&s, i);
        void *wanted = srn_rows_at(&s, x->out[DXZ], t, GATES);
        void *dz = wanted != NULL ? wanted : dz_spare;
        const void *dy = srn_gather_gradient(&s, e, x->in[DY], waiting, i);
        s.gates->lstm_backward((int)x->attr[ACT].i, (int)x->attr[REC].i, s.n, s.units, dz,
                               dc.before, srn_rows_at(&s, x->in[G_SAVED], t, GATES),
                               srn_rows_at(&s, x->in[G_CS], t, 1),
                               srn_rows_before(&s, x->in[G_CS], x->in[G_C0], i), dh.now, dy,
                               dc.now);
        srn_mask_rows(&s, i, dz, NULL, GATES);
        srn_recurrent_back(&s, GATES, 0, GATES, dh.before, NULL, dz, x->in[RT]->data, spare);
        srn_way_back_pass(&s, &dh, i);
        srn_way_back_pass(&s, &dc, i);
    }
    srn_write_gradient(&s, x->out[DH0], &dh);
    srn_write_gradient(&s, x->out[DC0], &dc);
}

static int64_t lstm_grad_rows(const srn_infer *x) {
    return x->in[G_SAVED]->shape.dim[1];
}

static double lstm_grad_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[G_SAVED], GATES);
}

const srn_op srn_op_lstm_grad = {
    .name = "lstm_grad",
    .doc = "lstm_grad(dy?, dhT?, dcT?, R', gates, cs, c0, mask?, rmask?; attributes of lstm) -> "
           "dxz, dh0, dc0\n"
           "Backward through all steps; shapes as in lstm, R' is R transposed (4U, U).",
    .min_in = 7,
    .max_in = 9,
    .n_out = 3,
    .attrs = attrs,
    .diff = SRN_DIFF_NONE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = lstm_grad_infer,
    .scratch = lstm_grad_scratch,
    .rows = lstm_grad_rows,
    .cost = lstm_grad_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = lstm_grad_exec,
};
