/* GRU over a whole sequence, and its gradient.
 *
 *   z, r = rec(xz_z + (h_{t-1} * m) R_z [+ b_z]), rec(xz_r + (h_{t-1} * m) R_r [+ b_r])
 *   reset_after:   s = (h_{t-1} * m) R_h + b_h      hh = act(xz_h + r * s)
 *   else:          s = r * h_{t-1} * m              hh = act(xz_h + s R_h)
 *   h_t = z * h_{t-1} + (1 - z) * hh
 *
 * xz (T, B, 3U) = x W + the input bias, one product before, for all steps; blocks in the order
 * z, r, h; R (U, 3U); b (3U), the recurrent bias, with reset_after only; h0 (B, U); m (1 or 3, B, U)
 * recurrent dropout. Masked steps: recurrent.h. `reverse` walks t = T-1 .. 0.
 *
 * Backward, from the last step to the first, with e the whole gradient by h_t:
 *   dz_z = e * (h_{t-1} - hh) * rec'(z)             dz_h = e * (1 - z) * act'(hh)
 *   reset_after:   dz_r = dz_h * s * rec'(r)        the recurrent side gets (dz_z, dz_r, dz_h * r)
 *   else:          ds = dz_h R_h'                   dz_r = ds * h_{t-1} * m * rec'(r)
 *   dh_{t-1} = e * z + the recurrent side times R' * m [+ ds * r * m]
 * dR and db are products and sums over all steps and rows, emitted as nodes of their own.
 *
 * Memory: of the forward pass the activated gates and s, 4 T B U; y besides; h only with a mask.
 * Work per step and row: 3 U^2 multiply-adds, twice that backward.
 *
 * Cho et al. (2014), Learning Phrase Representations using RNN Encoder-Decoder for Statistical
 * Machine Translation (reset before the product); reset_after is the form of NVIDIA's cuDNN.
 */
#include "ops/recurrent.h"

enum { GATES = 3, BLOCK_H = 2 };
enum { ACT, REC, RESET_AFTER, REVERSE, ZERO_OUTPUT };
enum { XZ, R, RB, H0, MASK, RMASK };                             /* inputs */
enum { Y, HT, SAVED, S, HS };                                    /* outputs */
enum { DY, DHT, RT, G_SAVED, G_S, G_HS, G_H0, G_MASK, G_RMASK }; /* inputs of the gradient */
enum { DXZ, DRZ, DH0 };                                          /* outputs of the gradient */

static const srn_attr_spec attrs[] = {
    {.name = "activation",
     .kind = SRN_ATTR_WORD,
     .dflt = {.i = SRN_ACT_tanh},
     .words = srn_activation_words},
    {.name = "recurrent_activation",
     .kind = SRN_ATTR_WORD,
     .dflt = {.i = SRN_ACT_sigmoid},
     .words = srn_activation_words},
    {.name = "reset_after", .kind = SRN_ATTR_BOOL, .dflt = {.i = true}},
    {.name = "reverse", .kind = SRN_ATTR_BOOL},
    {.name = "zero_output", .kind = SRN_ATTR_BOOL},
    {0},
};

/* ---- forward ---- */

static bool gru_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "gru", XZ, "the projected input", GATES, err) ||
        !srn_expect_weights(&sizes, x, R, "the recurrent kernel", false, err) ||
        !srn_expect_state(&sizes, x, H0, "the initial state", err) ||
        !srn_expect_masks(&sizes, x, MASK, err)) {
        return false;
    }
    srn_shape bias = {1, {GATES * sizes.units}};
    if (srn_has_input(x, RB) && !x->attr[RESET_AFTER].i) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "gru: a recurrent bias came, which exists only with reset_after=True; add "
                        "it to the input bias");
    }
    if (srn_has_input(x, RB) &&
        !srn_expect_shape(&sizes, x, RB, "the recurrent bias", sizes.dtype, bias, err)) {
        return false;
    }
    x->out[Y] = x->out[S] = x->out[HS] = srn_sequence_type(&sizes, 1);
    x->out[HT] = srn_state_type(&sizes);
    x->out[SAVED] = srn_sequence_type(&sizes, GATES);
    return true;
}

static size_t gru_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[XZ], GATES, GATES + 4, 5);
}

/* One step with the reset gate behind the product. */
static void step_after(const srn_steps *s, const srn_exec *x, const srn_state *h, void *z,
                       void *side, const void *xz, void *spare) {
    const void *bias = x->in[RB] == NULL ? NULL : x->in[RB]->data;
    srn_recurrent_add(s, GATES, 0, GATES, z, bias, 0, h->before, x->in[R]->data, spare);
    s->gates->gru_after((int)x->attr[ACT].i, (int)x->attr[REC].i, s->n, s->units, z, side, h->now,
                        xz, h->before);
}

/* One step with the reset gate before the product. */
static void step_before(const srn_steps *s, const srn_exec *x, const srn_state *h, void *z,
                        void *side, const void *xz, void *spare) {
    const int64_t u = s->units;
    const char *r = x->in[R]->data;
    const size_t block_h = (size_t)(BLOCK_H * u) * s->size;
    srn_recurrent_add(s, GATES, 0, BLOCK_H, z, xz, GATES * u, h->before, r, spare);
    s->gates->gru_reset((int)x->attr[REC].i, s->n, u, z, side, h->before,
                        srn_rmask_rows(s, BLOCK_H));
    srn_product(s, u, u, (char *)z + block_h, GATES * u, side, u, r + block_h, GATES * u,
                (const char *)xz + block_h, GATES * u);
    s->gates->gru_before((int)x->attr[ACT].i, s->n, u, z, h->now, h->before);
}

static void gru_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[XZ], GATES, row0, row1);
    srn_steps_mask(&s, x, MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    bool own = x->out[HS]->data != NULL || s.mask != NULL; /* else the states are the output */
    srn_state h = srn_state_of(&s, x->in[H0], x->out[own ? HS : Y]);
    void *z_spare = srn_scratch_rows(&s, GATES), *s_spare = srn_scratch_rows(&s, 1);
    void *spare = srn_scratch_rows(&s, 1);
    for (int64_t i = 0; i < s.times; i++) {
        int64_t t = srn_time(&s, i);
        const void *xz = srn_rows_at(&s, x->in[XZ], t, GATES);
        void *saved = srn_rows_at(&s, x->out[SAVED], t, GATES);
        void *saved_s = srn_rows_at(&s, x->out[S], t, 1);
        void *z = saved != NULL ? saved : z_spare, *side = saved_s != NULL ? saved_s : s_spare;
        srn_state_advance(&s, &h, i);
        if (x->attr[RESET_AFTER].i) {
            step_after(&s, x, &h, z, side, xz, spare);
        } else {
            step_before(&s, x, &h, z, side, xz, spare);
        }
        srn_write_output(&s, x->out[Y], &h, i);
        srn_state_hold(&s, &h, i);
    }
    srn_write_state(&s, x->out[HT], &h);
}

/* dR; without reset_after the block h of R is multiplied by s instead of h * m. */
static srn_val kernel_gradient(const srn_vjp *x, srn_val states, srn_val rmask, srn_val grad) {
    const bool reverse = x->attr[REVERSE].i;
    if (x->attr[RESET_AFTER].i) {
        return srn_emit_recurrent_gradient(x->g, states, x->in[H0], reverse, rmask, grad + DRZ, 0,
                                           GATES);
    }
    srn_val parts[] = {
        srn_emit_recurrent_gradient(x->g, states, x->in[H0], reverse, rmask, grad + DXZ, 0,
                                    BLOCK_H),
        srn_emit_weight_gradient(x->g, x->out[S], SRN_NONE, grad + DXZ, BLOCK_H, 1),
    };
    return srn_concat(x->g, 2, parts, 1);
}

static void gru_vjp(srn_vjp *x) {
    if (!srn_vjp_allowed(x, "gru", SAVED, RMASK)) {
        return;
    }
    srn_val mask = srn_vjp_input(x, MASK), rmask = srn_vjp_input(x, RMASK);
    srn_val states = x->out[mask == SRN_NONE ? Y : HS];
    srn_val in[] = {
        [DY] = x->dout[Y],         [DHT] = x->dout[HT], [RT] = srn_emit_transposed(x->g, x->in[R]),
        [G_SAVED] = x->out[SAVED], [G_S] = x->out[S],   [G_HS] = states,
        [G_H0] = x->in[H0],        [G_MASK] = mask,     [G_RMASK] = rmask,
    };
    srn_val grad = srn_emit(x->g, SRN_OP_gru_grad, G_RMASK + 1, in, x->attr);
    if (grad == SRN_NONE) {
        return;
    }
    x->din[XZ] = grad + DXZ;
    x->din[H0] = grad + DH0;
    if (x->need[R]) {
        x->din[R] = kernel_gradient(x, states, rmask, grad);
    }
    if (x->need[RB]) {
        const int64_t axes[] = {0, 1};
        x->din[RB] = srn_sum(x->g, grad + DRZ, (srn_ints){2, axes}, false);
    }
}

static int64_t gru_rows(const srn_infer *x) {
    return x->in[XZ]->shape.dim[1];
}

static double gru_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[XZ], GATES);
}

const srn_op srn_op_gru = {
    .name = "gru",
    .doc = "gru(xz, R, rb?, h0, mask?, rmask?; activation, recurrent_activation, reset_after, "
           "reverse, zero_output) -> y, hT, gates, s, hs\n"
           "z, r = rec(xz + (h * rmask) R + rb); hh = act(xz_h + r ((h * rmask) R_h + rb_h)), or "
           "without reset_after act(xz_h + (r h rmask) R_h); h = z h + (1 - z) hh.\n"
           "xz (T, B, 3U), R (U, 3U), rb (3U), h0 (B, U), mask (T, B) bool, rmask (1 or 3, B, U); "
           "y, s, hs (T, B, U), hT (B, U), gates (T, B, 3U) in the order z, r, h.\n"
           "gates, s, hs (states after each step) are for the gradient.",
    .min_in = 4,
    .max_in = 6,
    .n_out = 5,
    .attrs = attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = gru_infer,
    .vjp = gru_vjp,
    .scratch = gru_scratch,
    .rows = gru_rows,
    .cost = gru_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = gru_exec,
};

/* ---- backward ---- */

static bool gru_grad_infer(srn_infer *x, srn_error *err) {
    srn_sizes sizes;
    if (!srn_sizes_of(&sizes, x, "gru_grad", G_SAVED, "the gates", GATES, err) ||
        !srn_expect_gradients(&sizes, x, DY, DHT, err) ||
        !srn_expect_weights(&sizes, x, RT, "the transposed recurrent kernel", true, err) ||
        !srn_expect_sequence(&sizes, x, G_S, "s", 1, err) ||
        !srn_expect_sequence(&sizes, x, G_HS, "the states", 1, err) ||
        !srn_expect_state(&sizes, x, G_H0, "the initial state", err) ||
        !srn_expect_masks(&sizes, x, G_MASK, err)) {
        return false;
    }
    x->out[DXZ] = x->out[DRZ] = srn_sequence_type(&sizes, GATES);
    x->out[DH0] = srn_state_type(&sizes);
    return true;
}

static size_t gru_grad_scratch(const srn_infer *x) {
    return srn_scratch_bytes(x->in[G_SAVED], GATES, 2 * GATES + 5, 7);
}

/* One step's matrices, n rows each. */
typedef struct step {
    int64_t i;
    const void *gates, *s, *before, *dy;
    void *dz, *drz, *spare;
} step;

static void back_after(const srn_steps *s, const srn_exec *x, const step *k, srn_way_back *dh) {
    s->gates->gru_after_back((int)x->attr[ACT].i, (int)x->attr[REC].i, s->n, s->units, k->dz,
                             k->drz, dh->before, k->gates, k->s, k->before, dh->now, k->dy);
    srn_mask_rows(s, k->i, k->dz, NULL, GATES);
    srn_mask_rows(s, k->i, k->drz, NULL, GATES);
    srn_recurrent_back(s, GATES, 0, GATES, dh->before, dh->before, k->drz, x->in[RT]->data,
                       k->spare);
    srn_way_back_pass(s, dh, k->i);
}

static void back_before(const srn_steps *s, const srn_exec *x, const step *k, srn_way_back *dh) {
    const int64_t u = s->units;
    const char *dz_h = (const char *)k->dz + (size_t)(BLOCK_H * u) * s->size;
    const char *rt_h = (const char *)x->in[RT]->data + (size_t)(BLOCK_H * u * u) * s->size;
    s->gates->gru_before_back((int)x->attr[ACT].i, (int)x->attr[REC].i, s->n, u, k->dz, dh->before,
                              k->gates, k->before, dh->now, k->dy);
    srn_product(s, u, u, k->spare, u, dz_h, GATES * u, rt_h, u, NULL, 0);
    s->gates->gru_reset_back((int)x->attr[REC].i, s->n, u, k->dz, dh->before, k->gates, k->before,
                             srn_rmask_rows(s, BLOCK_H), k->spare);
    srn_mask_rows(s, k->i, k->dz, NULL, GATES);
    srn_recurrent_back(s, GATES, 0, BLOCK_H, dh->before, dh->before, k->dz, x->in[RT]->data,
                       k->spare);
    srn_way_back_pass(s, dh, k->i);
}

static void gru_grad_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_steps s = srn_steps_of(x, x->in[G_SAVED], GATES, row0, row1);
    srn_steps_mask(&s, x, G_MASK);
    s.reverse = x->attr[REVERSE].i;
    s.zero_output = x->attr[ZERO_OUTPUT].i;
    srn_way_back dh = srn_way_back_of(&s, x->in[DHT]);
    void *waiting = srn_zero_rows(&s);
    void *dz_spare = srn_scratch_rows(&s, GATES), *drz_spare = srn_scratch_rows(&s, GATES);
    void *e = srn_scratch_rows(&s, 1);
    step k = {.spare = srn_scratch_rows(&s, 1)};
    for (k.i = s.times - 1; k.i >= 0; k.i--) {
        int64_t t = srn_time(&s, k.i);
        void *dz = srn_rows_at(&s, x->out[DXZ], t, GATES);
        void *drz = srn_rows_at(&s, x->out[DRZ], t, GATES);
        k.dz = dz != NULL ? dz : dz_spare;
        k.drz = drz != NULL ? drz : drz_spare;
        k.gates = srn_rows_at(&s, x->in[G_SAVED], t, GATES);
        k.s = srn_rows_at(&s, x->in[G_S], t, 1);
        k.before = srn_rows_before(&s, x->in[G_HS], x->in[G_H0], k.i);
        k.dy = srn_gather_gradient(&s, e, x->in[DY], waiting, k.i);
        if (x->attr[RESET_AFTER].i) {
            back_after(&s, x, &k, &dh);
        } else {
            back_before(&s, x, &k, &dh);
        }
    }
    srn_write_gradient(&s, x->out[DH0], &dh);
}

static int64_t gru_grad_rows(const srn_infer *x) {
    return x->in[G_SAVED]->shape.dim[1];
}

static double gru_grad_cost(const srn_infer *x) {
    return srn_recurrent_cost(x->in[G_SAVED], GATES);
}

const srn_op srn_op_gru_grad = {
    .name = "gru_grad",
    .doc =
        "gru_grad(dy?, dhT?, R', gates, s, hs, h0, mask?, rmask?; attributes of gru) -> "
        "dxz, drz, dh0\n"
        "Backward through all steps; shapes as in gru, R' is R transposed. drz (T, B, 3U) is the "
        "gradient by the recurrent side, with reset_after only.",
    .min_in = 7,
    .max_in = 9,
    .n_out = 3,
    .attrs = attrs,
    .diff = SRN_DIFF_NONE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_OPTIONAL,
    .infer = gru_grad_infer,
    .scratch = gru_grad_scratch,
    .rows = gru_grad_rows,
    .cost = gru_grad_cost,
    .min_block = SRN_RECURRENT_BLOCK,
    .exec = gru_grad_exec,
};
