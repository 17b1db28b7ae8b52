/* The walk over time, masks and recurrent products of rnn, lstm and gru; see recurrent.h. */
#include "ops/recurrent.h"

#include <string.h>

#include "base/memory.h"
#include "kernels/gemm.h"

const char *const srn_activation_words[SRN_N_ACTIVATIONS + 1] = {
#define X(word) #word,
    SRN_ACTIVATIONS(X)
#undef X
        NULL,
};

/* ---- the walk ---- */

srn_steps srn_steps_of(const srn_exec *x, const srn_view *sequence, int64_t n_gates, int64_t row0,
                       int64_t row1) {
    const srn_type *type = &sequence->type;
    return (srn_steps){
        .gates = srn_gates_of(type->dtype),
        .dtype = type->dtype,
        .size = srn_dtype_size(type->dtype),
        .times = type->shape.dim[0],
        .batch = type->shape.dim[1],
        .units = type->shape.dim[2] / n_gates,
        .row0 = row0,
        .n = row1 - row0,
        .far = srn_type_bytes(type) > 1 << 20,
        .scratch = x->scratch,
    };
}

void srn_steps_mask(srn_steps *s, const srn_exec *x, int32_t mask_input) {
    const srn_view *mask = mask_input < x->n_in ? x->in[mask_input] : NULL;
    const srn_view *rmask = mask_input + 1 < x->n_in ? x->in[mask_input + 1] : NULL;
    s->mask = mask == NULL ? NULL : mask->data;
    s->rmask = rmask == NULL ? NULL : rmask->data;
    s->n_rmask = rmask == NULL ? 0 : rmask->type.shape.dim[0];
}

int64_t srn_time(const srn_steps *s, int64_t i) {
    return s->reverse ? s->times - 1 - i : i;
}

void *srn_rows_at(const srn_steps *s, const srn_view *sequence, int64_t t, int64_t width) {
    if (sequence == NULL || sequence->data == NULL) {
        return NULL;
    }
    int64_t row = t * s->batch + s->row0;
    return (char *)sequence->data + (size_t)(row * width * s->units) * s->size;
}

void *srn_rows_of(const srn_steps *s, const srn_view *matrix) {
    return srn_rows_at(s, matrix, 0, 1);
}

const void *srn_rows_before(const srn_steps *s, const srn_view *states, const srn_view *first,
                            int64_t i) {
    return i == 0 ? srn_rows_of(s, first) : srn_rows_at(s, states, srn_time(s, i - 1), 1);
}

size_t srn_rows_bytes(const srn_steps *s, int64_t width) {
    return (size_t)(s->n * width * s->units) * s->size;
}

void *srn_scratch_rows(srn_steps *s, int64_t width) {
    void *rows = s->scratch;
    s->scratch += srn_round_up(srn_rows_bytes(s, width), SRN_ALIGN);
    return rows;
}

void *srn_zero_rows(srn_steps *s) {
    void *rows = srn_scratch_rows(s, 1);
    memset(rows, 0, srn_rows_bytes(s, 1));
    return rows;
}

size_t srn_scratch_bytes(const srn_type *sequence, int64_t n_gates, int64_t width, int32_t pieces) {
    const srn_shape *shape = &sequence->shape;
    int64_t row = shape->dim[2] / n_gates * width;
    return (size_t)(shape->dim[1] * row) * srn_dtype_size(sequence->dtype) +
           (size_t)pieces * SRN_ALIGN;
}

double srn_recurrent_cost(const srn_type *sequence, int64_t n_gates) {
    double batch = (double)sequence->shape.dim[1], gates = (double)sequence->shape.dim[2];
    double units = gates / (double)n_gates;
    double row = (double)sequence->shape.dim[0] * gates * (2 * units + 20);
    /* R beyond the L2 cache wants blocks of 32 rows: so much for all rows makes them. */
    return gates * units <= 262144 ? batch * row : batch * SRN_WORTH_A_THREAD / 31.5;
}

srn_state srn_state_of(srn_steps *s, const srn_view *first, const srn_view *home) {
    srn_state state = {.home = home, .now = srn_rows_of(s, first)};
    for (int k = 0; k < 2; k++) {
        state.spare[k] = srn_scratch_rows(s, 1);
    }
    return state;
}

void srn_state_advance(const srn_steps *s, srn_state *state, int64_t i) {
    void *kept = srn_rows_at(s, state->home, srn_time(s, i), 1);
    state->before = state->now;
    state->now = kept != NULL ? kept : state->spare[i % 2];
}

void srn_mask_rows(const srn_steps *s, int64_t i, void *out, const void *from, int64_t width) {
    if (s->mask == NULL) {
        return;
    }
    const bool *valid = s->mask + srn_time(s, i) * s->batch + s->row0;
    size_t bytes = (size_t)(width * s->units) * s->size;
    for (int64_t row = 0; row < s->n; row++) {
        char *to = (char *)out + (size_t)row * bytes;
        if (!valid[row] && from == NULL) {
            memset(to, 0, bytes);
        } else if (!valid[row]) {
            memcpy(to, (const char *)from + (size_t)row * bytes, bytes);
        }
    }
}

void srn_state_hold(const srn_steps *s, srn_state *state, int64_t i) {
    srn_mask_rows(s, i, state->now, state->before, 1);
}

void srn_write_output(const srn_steps *s, const srn_view *y, const srn_state *h, int64_t i) {
    void *out = srn_rows_at(s, y, srn_time(s, i), 1);
    if (out == NULL || out == h->now) {
        return;
    }
    memcpy(out, h->now, srn_rows_bytes(s, 1));
    bool repeat = i > 0 && !s->zero_output;
    srn_mask_rows(s, i, out, repeat ? srn_rows_at(s, y, srn_time(s, i - 1), 1) : NULL, 1);
}

void srn_write_state(const srn_steps *s, const srn_view *out, const srn_state *state) {
    void *rows = srn_rows_of(s, out);
    if (rows != NULL) {
        memcpy(rows, state->now, srn_rows_bytes(s, 1));
    }
}

srn_way_back srn_way_back_of(srn_steps *s, const srn_view *last) {
    srn_way_back d = {.now = srn_zero_rows(s), .before = srn_scratch_rows(s, 1)};
    const void *rows = srn_rows_of(s, last);
    if (rows != NULL) {
        memcpy(d.now, rows, srn_rows_bytes(s, 1));
    }
    return d;
}

void srn_way_back_pass(const srn_steps *s, srn_way_back *d, int64_t i) {
    srn_mask_rows(s, i, d->before, d->now, 1);
    *d = (srn_way_back){.now = d->before, .before = d->now};
}

void srn_write_gradient(const srn_steps *s, const srn_view *out, const srn_way_back *d) {
    void *rows = srn_rows_of(s, out);
    if (rows != NULL) {
        memcpy(rows, d->now, srn_rows_bytes(s, 1));
    }
}

const void *srn_gather_gradient(const srn_steps *s, void *e, const srn_view *dy, void *waiting,
                                int64_t i) {
    const void *now = srn_rows_at(s, dy, srn_time(s, i), 1);
    if (now == NULL || s->mask == NULL) {
        return now;
    }
    s->gates->add(s->n * s->units, e, waiting, now);
    const bool *valid = s->mask + srn_time(s, i) * s->batch + s->row0;
    size_t bytes = (size_t)s->units * s->size;
    for (int64_t row = 0; row < s->n; row++) {
        char *later = (char *)waiting + (size_t)row * bytes;
        if (valid[row] || s->zero_output) { /* it arrives, or is lost */
            memset(later, 0, bytes);
        } else {
            memcpy(later, (char *)e + (size_t)row * bytes, bytes);
        }
    }
    return e;
}

/* ---- the recurrent products ---- */

static const void *at(const srn_steps *s, const void *data, int64_t elements) {
    return (const char *)data + (size_t)elements * s->size;
}

void srn_product(const srn_steps *s, int64_t width, int64_t depth, void *c, int64_t ldc,
                 const void *a, int64_t lda, const void *b, int64_t ldb, const void *d,
                 int64_t ldd) {
    srn_gemm(s->dtype, &(srn_gemm_problem){.m = s->n,
                                           .n = width,
                                           .k = depth,
                                           .a = a,
                                           .lda = lda,
                                           .b = b,
                                           .ldb = ldb,
                                           .d = d,
                                           .ldd = ldd,
                                           .c = c,
                                           .ldc = ldc});
}

const void *srn_rmask_rows(const srn_steps *s, int64_t gate) {
    if (s->rmask == NULL) {
        return NULL;
    }
    int64_t which = s->n_rmask == 1 ? 0 : gate;
    return at(s, s->rmask, (which * s->batch + s->row0) * s->units);
}

void srn_recurrent_add(const srn_steps *s, int64_t n_gates, int64_t first, int64_t count, void *z,
                       const void *start, int64_t start_row, const void *h, const void *r,
                       void *spare) {
    const int64_t u = s->units, row = n_gates * u;
    const int64_t step = s->n_rmask <= 1 ? count : 1; /* blocks that share a factor */
    if (s->far && start != NULL && start_row != 0) {
        /* The product would read it in tiles and wait for the memory; a copy reads ahead. */
        for (int64_t i = 0; i < s->n; i++) {
            int64_t from = i * row + first * u;
            memcpy((char *)z + (size_t)from * s->size, at(s, start, from),
                   (size_t)(count * u) * s->size);
        }
        start = z;
    }
    for (int64_t g = first; g < first + count; g += step) {
        const void *left = h;
        if (s->rmask != NULL) {
            s->gates->mul(s->n * u, spare, h, srn_rmask_rows(s, g));
            left = spare;
        }
        void *block = (char *)z + (size_t)(g * u) * s->size;
        const void *from = start == NULL ? NULL : at(s, start, g * u);
        srn_product(s, step * u, u, block, row, left, u, at(s, r, g * u), row, from, start_row);
    }
}

void srn_recurrent_back(const srn_steps *s, int64_t n_gates, int64_t first, int64_t count, void *dh,
                        const void *start, const void *dz, const void *rt, void *spare) {
    const int64_t u = s->units, row = n_gates * u;
    const int64_t step = s->n_rmask <= 1 ? count : 1;
    for (int64_t g = first; g < first + count; g += step, start = dh) {
        const void *block = at(s, dz, g * u), *weights = at(s, rt, g * u * u);
        if (s->rmask == NULL) {
            srn_product(s, u, step * u, dh, u, block, row, weights, u, start, u);
            continue;
        }
        srn_product(s, u, step * u, spare, u, block, row, weights, u, NULL, 0);
        (start == NULL ? s->gates->mul : s->gates->mul_add)(s->n * u, dh, spare,
                                                            srn_rmask_rows(s, g));
    }
}

/* ---- checks ---- */

bool srn_sizes_of(srn_sizes *sizes, const srn_infer *x, const char *op, int32_t i, const char *name,
                  int64_t n_gates, srn_error *err) {
    char text[SRN_SHAPE_TEXT];
    if (!srn_has_input(x, i)) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: %s is missing", op, name);
    }
    const srn_type *type = x->in[i];
    const srn_shape *shape = &type->shape;
    if (!srn_dtype_is_float(type->dtype)) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: %s must be float32 or float64, got %s", op, name,
                        srn_dtype_name(type->dtype));
    }
    if (shape->rank != 3 || shape->dim[2] % n_gates != 0 || shape->dim[2] == 0) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: %s must have shape (steps, batch, %d * units) with at least one unit, "
                        "got %s",
                        op, name, (int)n_gates, srn_shape_text(text, shape));
    }
    if (shape->dim[0] == 0) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "%s: the sequence has no time steps, %s has shape %s; expected at least one", op, name,
            srn_shape_text(text, shape));
    }
    *sizes = (srn_sizes){.op = op,
                         .times = shape->dim[0],
                         .batch = shape->dim[1],
                         .units = shape->dim[2] / n_gates,
                         .n_gates = n_gates,
                         .dtype = type->dtype};
    return true;
}

bool srn_expect_shape(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                      srn_dtype dtype, srn_shape shape, srn_error *err) {
    if (!srn_has_input(x, i)) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: %s is missing", sizes->op, name);
    }
    const srn_type *type = x->in[i];
    if (type->dtype != dtype) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: %s must be %s, got %s", sizes->op, name,
                        srn_dtype_name(dtype), srn_dtype_name(type->dtype));
    }
    if (!srn_shape_equal(&type->shape, &shape)) {
        char want[SRN_SHAPE_TEXT], got[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "%s: %s must have shape %s, got %s (the sequence has %lld steps, batch "
                        "%lld, %lld units)",
                        sizes->op, name, srn_shape_text(want, &shape),
                        srn_shape_text(got, &type->shape), (long long)sizes->times,
                        (long long)sizes->batch, (long long)sizes->units);
    }
    return true;
}

srn_type srn_sequence_type(const srn_sizes *sizes, int64_t width) {
    return (srn_type){sizes->dtype, {3, {sizes->times, sizes->batch, width * sizes->units}}};
}

srn_type srn_state_type(const srn_sizes *sizes) {
    return (srn_type){sizes->dtype, {2, {sizes->batch, sizes->units}}};
}

bool srn_expect_state(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                      srn_error *err) {
    return srn_expect_shape(sizes, x, i, name, sizes->dtype, srn_state_type(sizes).shape, err);
}

bool srn_expect_sequence(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                         int64_t width, srn_error *err) {
    return srn_expect_shape(sizes, x, i, name, sizes->dtype, srn_sequence_type(sizes, width).shape,
                            err);
}

bool srn_expect_weights(const srn_sizes *sizes, const srn_infer *x, int32_t i, const char *name,
                        bool transposed, srn_error *err) {
    int64_t all = sizes->n_gates * sizes->units;
    srn_shape shape = {2, {transposed ? all : sizes->units, transposed ? sizes->units : all}};
    return srn_expect_shape(sizes, x, i, name, sizes->dtype, shape, err);
}

bool srn_expect_gradients(const srn_sizes *sizes, const srn_infer *x, int32_t dy, int32_t last,
                          srn_error *err) {
    if (srn_has_input(x, dy) &&
        !srn_expect_sequence(sizes, x, dy, "the gradient by the output", 1, err)) {
        return false;
    }
    for (int32_t i = dy + 1; i <= last; i++) {
        if (srn_has_input(x, i) &&
            !srn_expect_state(sizes, x, i, "the gradient by a final state", err)) {
            return false;
        }
    }
    return true;
}

bool srn_expect_masks(const srn_sizes *sizes, const srn_infer *x, int32_t i, srn_error *err) {
    srn_shape mask = {2, {sizes->times, sizes->batch}};
    if (srn_has_input(x, i) && !srn_expect_shape(sizes, x, i, "the mask", SRN_BOOL, mask, err)) {
        return false;
    }
    if (!srn_has_input(x, i + 1)) {
        return true;
    }
    srn_shape factors = {3, {sizes->n_gates, sizes->batch, sizes->units}};
    if (x->in[i + 1]->shape.rank == 3 && x->in[i + 1]->shape.dim[0] == 1) {
        factors.dim[0] = 1; /* shared by all gates */
    }
    return srn_expect_shape(sizes, x, i + 1, "the recurrent dropout mask", sizes->dtype, factors,
                            err);
}

/* ---- the gradient of R ---- */

bool srn_vjp_allowed(const srn_vjp *x, const char *op, int32_t n, int32_t rmask_input) {
    for (int32_t k = n; k < x->n_out; k++) {
        if (x->dout[k] != SRN_NONE) {
            return srn_fail(&x->g->err, SRN_ERR_VALUE,
                            "%s: output %d is for the gradient rule and has no gradient itself", op,
                            (int)k);
        }
    }
    if (rmask_input < x->n_in && x->need[rmask_input]) {
        return srn_fail(&x->g->err, SRN_ERR_VALUE,
                        "%s: the recurrent dropout mask has no gradient; use stop_gradient", op);
    }
    return !srn_failed(&x->g->err);
}

srn_val srn_emit_transposed(srn_graph *g, srn_val r) {
    const int64_t perm[] = {1, 0};
    return srn_transpose(g, r, (srn_ints){2, perm});
}

/* (T, B, W) as (T B, W). */
static srn_val flat(srn_graph *g, srn_val v) {
    if (v == SRN_NONE) {
        return SRN_NONE;
    }
    srn_shape shape = srn_type_of(g, v)->shape;
    return srn_reshape(g, v, &(srn_shape){2, {shape.dim[0] * shape.dim[1], shape.dim[2]}});
}

srn_val srn_emit_weight_gradient(srn_graph *g, srn_val before, srn_val rmask, srn_val dz,
                                 int64_t first, int64_t count) {
    if (srn_failed(&g->err)) {
        return SRN_NONE;
    }
    int64_t u = srn_type_of(g, before)->shape.dim[2], all = srn_type_of(g, dz)->shape.dim[2];
    int64_t n_rmask = rmask == SRN_NONE ? 0 : srn_type_of(g, rmask)->shape.dim[0];
    int64_t step = n_rmask <= 1 ? count : 1;
    srn_val blocks[SRN_MAX_GATES];
    int32_t n = 0;
    for (int64_t k = first; k < first + count; k += step) {
        srn_val left = before, right = dz;
        if (n_rmask > 0) {
            srn_val factor = n_rmask == 1 ? rmask : srn_slice_axis(g, rmask, 0, k, k + 1);
            left = srn_mul(g, before, factor);
        }
        if (step * u < all) {
            right = srn_slice_axis(g, dz, 2, k * u, (k + step) * u);
        }
        blocks[n++] = srn_matmul(g, flat(g, left), flat(g, right), true, false);
    }
    return n == 1 ? blocks[0] : srn_concat(g, n, blocks, 1);
}

static bool is_zero(const srn_graph *g, srn_val v) {
    const srn_node *maker = srn_maker(g, v);
    while (maker->id == SRN_OP_reshape || maker->id == SRN_OP_broadcast_to) {
        maker = srn_maker(g, maker->in[0]);
    }
    return maker->id == SRN_OP_fill && maker->attr[1].f == 0;
}

srn_val srn_emit_recurrent_gradient(srn_graph *g, srn_val states, srn_val first_state, bool reverse,
                                    srn_val rmask, srn_val dz, int64_t first, int64_t count) {
    if (srn_failed(&g->err)) {
        return SRN_NONE;
    }
    srn_shape shape = srn_type_of(g, states)->shape;
    const int64_t times = shape.dim[0], begin = reverse ? times - 1 : 0; /* the first step */
    srn_val sum = SRN_NONE;
    if (times > 1) {
        srn_val before = srn_slice_axis(g, states, 0, reverse, times - 1 + reverse);
        srn_val later = srn_slice_axis(g, dz, 0, !reverse, times - reverse);
        sum = srn_emit_weight_gradient(g, before, rmask, later, first, count);
    }
    if (times > 1 && !srn_failed(&g->err) && is_zero(g, first_state)) {
        return sum;
    }
    shape.dim[0] = 1;
    srn_val before = srn_reshape(g, first_state, &shape);
    srn_val earliest = srn_slice_axis(g, dz, 0, begin, begin + 1);
    return srn_add(g, sum, srn_emit_weight_gradient(g, before, rmask, earliest, first, count));
}
