/* What rnn, lstm and gru share: names of activations, checks, the walk over time with masks, the
 * recurrent products and the gradient of R.
 *
 * Time-major: sequences are (T, B, width). An exec takes the rows [row0, row1) of the batch through
 * all T steps, so rows need no barrier between steps, and a row never depends on another. A step at
 * which a row is masked changes nothing in that row: the states stay, the output repeats the last
 * one (zero before the first valid step) or is zero (`zero_output`), the gradient passes by.
 * In what follows G is the number of gates, n = row1 - row0.
 */
#ifndef SRN_OPS_RECURRENT_H
#define SRN_OPS_RECURRENT_H

#include "graph/emit.h"
#include "graph/op.h"
#include "kernels/gates.h"

#define SRN_MAX_GATES 4
#define SRN_RECURRENT_BLOCK 16 /* fewest rows worth a thread */

extern const char *const srn_activation_words[SRN_N_ACTIVATIONS + 1];

/* ---- the walk ---- */

typedef struct srn_steps {
    const srn_gates *gates;
    srn_dtype dtype;
    size_t size; /* bytes of an element */
    int64_t times, batch, units;
    int64_t row0, n;   /* rows of this block */
    const bool *mask;  /* (T, B), true where valid; NULL: everywhere */
    const void *rmask; /* (n_rmask, B, U): what h is multiplied by before R; NULL: ones */
    int64_t n_rmask;   /* 1 for all gates, or G: one each */
    bool reverse, zero_output;
    bool far;      /* the sequence is too large for the cache */
    char *scratch; /* what is left of it */
} srn_steps;

/* `sequence` is (T, B, G U). */
srn_steps srn_steps_of(const srn_exec *x, const srn_view *sequence, int64_t n_gates, int64_t row0,
                       int64_t row1);
void srn_steps_mask(srn_steps *s, const srn_exec *x, int32_t mask_input); /* and rmask, the next */

/* Time of the i-th step; the rows of a sequence at time t, of a (B, width) matrix; NULL for an
 * absent or unread one. Widths are in units. */
int64_t srn_time(const srn_steps *s, int64_t i);
void *srn_rows_at(const srn_steps *s, const srn_view *sequence, int64_t t, int64_t width);
void *srn_rows_of(const srn_steps *s, const srn_view *matrix);
/* The state before step i: the one after step i - 1, or `first` (B, U). */
const void *srn_rows_before(const srn_steps *s, const srn_view *states, const srn_view *first,
                            int64_t i);
/* An (n, width U) matrix from the scratch; an (n, U) one of zeros. */
void *srn_scratch_rows(srn_steps *s, int64_t width);
void *srn_zero_rows(srn_steps *s);
size_t srn_rows_bytes(const srn_steps *s, int64_t width); /* of an (n, width U) matrix */

/* For the op structs: the scratch for `pieces` matrices, `width` U wide together; the operations of
 * all rows. */
size_t srn_scratch_bytes(const srn_type *sequence, int64_t n_gates, int64_t width, int32_t pieces);
double srn_recurrent_cost(const srn_type *sequence, int64_t n_gates);

/* A state on its way: kept at every step in `home` (T, B, U), or only the last two in scratch. */
typedef struct srn_state {
    const srn_view *home;
    void *spare[2];
    const void *before;
    void *now;
} srn_state;
srn_state srn_state_of(srn_steps *s, const srn_view *first, const srn_view *home);
void srn_state_advance(const srn_steps *s, srn_state *state, int64_t i);
/* After the step: masked rows keep what was before. */
void srn_state_hold(const srn_steps *s, srn_state *state, int64_t i);
/* Writes the output of step i, unless the state's home is y; before srn_state_hold. */
void srn_write_output(const srn_steps *s, const srn_view *y, const srn_state *h, int64_t i);
void srn_write_state(const srn_steps *s, const srn_view *out, const srn_state *state);

/* The gradient by a state on its way back: `now` is that after the step, `before` that before it,
 * which the step fills in. */
typedef struct srn_way_back {
    void *now, *before;
} srn_way_back;
srn_way_back srn_way_back_of(srn_steps *s, const srn_view *last); /* absent: zero */
/* After the step: at masked rows it passed by; then `now` is that before the step. */
void srn_way_back_pass(const srn_steps *s, srn_way_back *d, int64_t i);
void srn_write_gradient(const srn_steps *s, const srn_view *out, const srn_way_back *d);

/* The part of the gradient by the new h that comes from outputs (n, U): dy_t, or `e` := dy_t + what
 * waits, where `waiting` (n, U) collects the gradients of repeated outputs until the valid step they
 * repeat; NULL for none. Of masked rows it is not used. */
const void *srn_gather_gradient(const srn_steps *s, void *e, const srn_view *dy, void *waiting,
                                int64_t i);
/* Masked rows of `out` become those of `from` (NULL: zero); width in units. */
void srn_mask_rows(const srn_steps *s, int64_t i, void *out, const void *from, int64_t width);

/* ---- the recurrent products ---- */

/* What h is multiplied by before the block `gate` of R, (n, U); NULL: ones. */
const void *srn_rmask_rows(const srn_steps *s, int64_t gate);
/* Blocks first .. first + count - 1 of z (n, G U) := start + (h * rmask) R. `start` is like z, or one
 * row for all (start_row 0, else G U), or NULL for zero; `spare` (n, U) when rmask. */
void srn_recurrent_add(const srn_steps *s, int64_t n_gates, int64_t first, int64_t count, void *z,
                       const void *start, int64_t start_row, const void *h, const void *r,
                       void *spare);
/* dh := start + (dz R') * rmask over the same blocks; rt (G U, U) is R transposed; `start` is dh, or
 * NULL for zero. */
void srn_recurrent_back(const srn_steps *s, int64_t n_gates, int64_t first, int64_t count, void *dh,
                        const void *start, const void *dz, const void *rt, void *spare);
/* c (n, width) := a b + d; a (n, depth); d NULL: zero. */
void srn_product(const srn_steps *s, int64_t width, int64_t depth, void *c, int64_t ldc,
                 const void *a, int64_t lda, const void *b, int64_t ldb, const void *d,
                 int64_t ldd);

/* ---- checks: input i of op `op`, called `name` in the error. sizes = {T, B, U}, G gates ---- */

typedef struct srn_sizes {
    const char *op;
    int64_t times, batch, units, n_gates;
    srn_dtype dtype;
} srn_sizes;

/* Input i is (T, B, G U), float, T and U positive: sets the sizes. */
bool srn_sizes_of(srn_sizes *sizes, const srn_infer *x, const char *op, int32_t i, const char *name,
                  int64_t n_gates, srn_error *err);
bool srn_expect_state(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                      srn_error *err); /* (B, U) */
bool srn_expect_sequence(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                         int64_t width, srn_error *err); /* (T, B, width U) */
bool srn_expect_weights(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                        bool transposed, srn_error *err); /* (U, G U), or (G U, U) */
/* The gradients by y at input `dy`, by the states up to input `last`, all optional. */
bool srn_expect_gradients(const srn_sizes *sizes, const srn_infer *x, int32_t dy, int32_t last,
                          srn_error *err);
/* mask and rmask at inputs i and i + 1, both optional. */
bool srn_expect_masks(const srn_sizes *sizes, const srn_infer *x, int32_t i, srn_error *err);
bool srn_expect_shape(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                      srn_dtype dtype, srn_shape shape, srn_error *err);
static inline bool srn_has_input(const srn_infer *x, int32_t i) {
    return i < x->n_in && x->in[i] != NULL;
}
srn_type srn_sequence_type(const srn_sizes *sizes, int64_t width); /* (T, B, width U) */
srn_type srn_state_type(const srn_sizes *sizes);                   /* (B, U) */

/* ---- the gradient of R, and what the rules share ---- */

/* Input i of a node, SRN_NONE beyond the last. */
static inline srn_val srn_vjp_input(const srn_vjp *x, int32_t i) {
    return i < x->n_in ? x->in[i] : SRN_NONE;
}
/* Only outputs 0 .. n - 1 may have gradients, and rmask (input i) none: else an error. */
bool srn_vjp_allowed(const srn_vjp *x, const char *op, int32_t n, int32_t rmask_input);
/* R transposed, packed once per run. */
srn_val srn_emit_transposed(srn_graph *g, srn_val r);
/* Blocks first .. first + count - 1 of dR (U, count U) = sum over t, b of (before * rmask)' dz. */
srn_val srn_emit_weight_gradient(srn_graph *g, srn_val before, srn_val rmask, srn_val dz,
                                 int64_t first, int64_t count);
/* The same for the states after each step (T, B, U) and the first one (B, U): products with the
 * states before each, without moving them. */
srn_val srn_emit_recurrent_gradient(srn_graph *g, srn_val states, srn_val first_state, bool reverse,
                                    srn_val rmask, srn_val dz, int64_t first, int64_t count);

#endif
