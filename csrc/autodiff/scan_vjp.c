/* The gradient of a scan: a reversed scan over the gradient of its body.
 *
 *   forward   (s_{t+1}, y_t) = body(s_t, x_t, c)
 *   backward  (ds_t, dx_t, dc += ...) = vjp of body at (s_t, x_t, c), for (ds_{t+1}, dy_t)
 *
 * 1. Differentiate a copy of the body (the "step"): forward nodes, then backward nodes.
 * 2. The backward nodes alone become the body of the reversed scan. What they read of the forward
 *    part is not computed again: a sequence or a constant of the forward scan is an input, any
 *    other value is one of the forward scan's stacked outputs.
 * 3. The sink: a constant's gradient that is a sum over time of a^T b or of a sum over axes leaves
 *    the loop. The factors are stacked, and one GEMM (one sum) over T times the rows does the rest.
 *    Any other gradient of a constant is accumulated in a state of the reversed scan.
 */
#include <string.h>

#include "autodiff/gradient.h"
#include "base/memory.h"
#include "graph/emit.h"
#include "graph/scan.h"

/* One summand of a constant's gradient. */
typedef struct summand {
    int32_t constant; /* number of the input of the forward scan */
    enum { MATMUL, SUM, CARRY } kind;
    srn_val v[2];     /* in the step: factors, or the summed value, or the whole */
    int32_t place[2]; /* of v[i] among the outputs of the reversed scan, or -1 */
    srn_ints axes;    /* SUM */
} summand;

typedef struct reversal {
    const srn_vjp *x;           /* the scan's place in the graph */
    srn_graph *g, *step, *body; /* around; differentiated copy; reversed body */
    const srn_graph *forward;   /* the forward body; the step begins with the same numbers */
    srn_ints outputs;
    int32_t n_state, n_seq;
    int64_t length;
    srn_arena arena;
    int32_t n_forward; /* values of the forward part of the step */
    srn_val *dinput;   /* gradient by each input of the body, in the step */
    srn_val *map;      /* value of the step -> value of the reversed body */
    srn_val *saved;    /* value of the forward part -> its stacked output in g */
    bool *live, *read; /* by node and by value of the step */
    summand *summands;
    int32_t n_summands;
    srn_val *in; /* inputs of the reversed scan */
    int32_t n_in, n_seq_in;
    srn_val *out; /* outputs of the reversed body */
    int32_t n_out, n_carried;
    int32_t *place; /* value of the step -> its place among the stacked outputs, or -1 */
} reversal;

static void *room(reversal *r, int64_t n, size_t item) {
    return srn_arena_alloc(&r->arena, ((size_t)n + 1) * item, &r->g->err);
}

/* Input leaves keep their numbers: find the value of input `number` of the forward body. */
static srn_val *list_inputs(reversal *r) {
    srn_val *inputs = room(r, r->forward->n_inputs, sizeof *inputs);
    for (int32_t i = 0; inputs != NULL && i < r->forward->n_nodes; i++) {
        const srn_node *node = &r->forward->nodes[i];
        if (node->id == SRN_OP_input) {
            inputs[node->attr[0].i] = node->out;
        }
    }
    return inputs;
}

static bool is_float(const srn_graph *g, srn_val v) {
    return srn_dtype_is_float(srn_type_of(g, v)->dtype);
}

/* Which outputs of the body have a gradient: float states, and ys the graph around asks for. */
static bool has_seed(const reversal *r, int32_t k) {
    return k < r->n_state ? is_float(r->forward, (srn_val)r->outputs.v[k])
                          : r->x->dout[k] != SRN_NONE;
}

/* Step 1. Seeds are inputs of the step, in the order of the outputs. */
static bool differentiate(reversal *r, srn_val *seeds) {
    srn_error *err = &r->g->err;
    r->step = srn_graph_clone(r->forward, err);
    if (r->step == NULL) {
        return false;
    }
    r->n_forward = r->step->n_values;
    srn_val *inputs = list_inputs(r);
    srn_val *ys = room(r, r->outputs.n, sizeof *ys), *given = room(r, r->outputs.n, sizeof *given);
    srn_val *xs = room(r, r->x->n_in, sizeof *xs), *dxs = room(r, r->x->n_in, sizeof *dxs);
    int32_t *number = room(r, r->x->n_in, sizeof *number);
    r->dinput = room(r, r->x->n_in, sizeof *r->dinput);
    if (srn_failed(err)) {
        return false;
    }
    int32_t n_y = 0, n_x = 0;
    for (int32_t k = 0; k < r->outputs.n; k++) {
        seeds[k] = SRN_NONE;
        if (has_seed(r, k)) {
            ys[n_y] = (srn_val)r->outputs.v[k];
            seeds[k] = srn_emit_input(r->step, NULL, *srn_type_of(r->step, ys[n_y]));
            given[n_y++] = seeds[k];
        }
    }
    for (int32_t i = 0; i < r->x->n_in; i++) {
        r->dinput[i] = SRN_NONE;
        bool wanted = i < r->n_state ? is_float(r->forward, inputs[i]) : r->x->need[i];
        if (wanted) {
            number[n_x] = i;
            xs[n_x++] = inputs[i];
        }
    }
    if (!srn_gradient(r->step, n_y, ys, given, n_x, xs, dxs, err)) {
        return false;
    }
    for (int32_t j = 0; j < n_x; j++) {
        r->dinput[number[j]] = dxs[j];
    }
    return true;
}

/* ---- the sink ---- */

static bool is_backward(const reversal *r, srn_val v) {
    return v >= r->n_forward;
}

static bool is_constant_input(const reversal *r, srn_val v) {
    const srn_node *node = srn_maker(r->step, v);
    return !is_backward(r, v) && node->id == SRN_OP_input &&
           node->attr[0].i >= r->n_state + r->n_seq;
}

/* A value with one slice per step, so that it can be stacked. */
static bool varies(const reversal *r, srn_val v) {
    const srn_node *node = srn_maker(r->step, v);
    return !is_constant_input(r, v) && (node->n_in > 0 || node->id == SRN_OP_input) &&
           srn_type_of(r->step, v)->shape.rank < SRN_MAX_RANK;
}

static void add_summand(reversal *r, summand s) {
    r->summands[r->n_summands++] = s;
}

/* Looks through reshapes, which keep the elements' order. */
static srn_val through_reshape(const reversal *r, srn_val v) {
    while (is_backward(r, v) && srn_maker(r->step, v)->id == SRN_OP_reshape) {
        v = srn_maker(r->step, v)->in[0];
    }
    return v;
}

/* Splits dc into summands, `most` of all constants together; sums are walked with a list of their
 * own, not recursively. */
static void split(reversal *r, int32_t constant, srn_val dc, srn_val *stack, int32_t most) {
    int32_t depth = 0;
    stack[depth++] = dc;
    while (depth > 0) {
        srn_val whole = stack[--depth], v = through_reshape(r, whole);
        const srn_node *node = srn_maker(r->step, v);
        summand s = {.constant = constant, .kind = CARRY, .v = {whole, SRN_NONE}};
        bool backward = is_backward(r, v);
        if (backward && v == whole && node->id == SRN_OP_add && r->n_summands + depth + 2 < most &&
            srn_shape_equal(&srn_type_of(r->step, node->in[0])->shape,
                            &srn_type_of(r->step, node->in[1])->shape)) {
            stack[depth++] = node->in[1];
            stack[depth++] = node->in[0];
            continue;
        }
        if (backward && node->id == SRN_OP_matmul && node->attr[0].i != 0 && node->attr[1].i == 0 &&
            srn_type_of(r->step, v)->shape.rank == 2 && varies(r, node->in[0]) &&
            varies(r, node->in[1])) {
            s.kind = MATMUL;
            s.v[0] = node->in[0];
            s.v[1] = node->in[1];
        } else if (backward && node->id == SRN_OP_sum && varies(r, node->in[0])) {
            s.kind = SUM;
            s.v[0] = node->in[0];
            s.axes = node->attr[0].ints;
        }
        add_summand(r, s);
    }
}

static bool sink(reversal *r) {
    int32_t most = r->step->n_values;
    r->summands = room(r, most + r->x->n_in, sizeof *r->summands);
    srn_val *stack = room(r, most + r->x->n_in, sizeof *stack);
    if (srn_failed(&r->g->err)) {
        return false;
    }
    for (int32_t i = r->n_state + r->n_seq; i < r->x->n_in; i++) {
        if (r->dinput[i] != SRN_NONE) {
            split(r, i, r->dinput[i], stack, most);
        }
    }
    return true;
}

/* ---- step 2: the reversed body ---- */

static void mark(reversal *r, srn_val v) {
    if (v != SRN_NONE) {
        r->read[v] = true;
        r->live[r->step->values[v].node] = true;
    }
}

/* Which backward nodes are wanted, and which forward values they read. */
static void mark_live(reversal *r) {
    for (int32_t i = 0; i < r->n_state + r->n_seq; i++) {
        mark(r, r->dinput[i]);
    }
    for (int32_t j = 0; j < r->n_summands; j++) {
        const summand *s = &r->summands[j];
        for (int k = 0; k < 2; k++) {
            /* a factor of the forward part is stacked already */
            if (s->v[k] != SRN_NONE && (s->kind == CARRY || is_backward(r, s->v[k]))) {
                mark(r, s->v[k]);
            }
        }
    }
    for (int32_t i = r->step->n_nodes - 1; i >= 0; i--) {
        const srn_node *node = &r->step->nodes[i];
        if (!r->live[i] || !is_backward(r, node->out)) {
            continue;
        }
        for (int32_t k = 0; k < node->n_in; k++) {
            mark(r, node->in[k]);
        }
    }
}

/* The forward value's slices of all steps, in the graph around. */
static srn_val stacked(const reversal *r, srn_val v) {
    const srn_node *node = srn_maker(r->step, v);
    if (node->id == SRN_OP_input && node->attr[0].i >= r->n_state) {
        return r->x->in[node->attr[0].i];
    }
    return r->saved[v];
}

static bool add_input(reversal *r, srn_val v, srn_val outer) {
    r->map[v] = srn_emit_input(r->body, NULL, *srn_type_of(r->step, v));
    r->in[r->n_in++] = outer;
    return r->map[v] != SRN_NONE;
}

/* Inputs: gradients of the states; accumulators; gradients of the ys and saved values; constants. */
static bool make_inputs(reversal *r, const srn_val *seeds, srn_val *accumulators) {
    srn_graph *g = r->g;
    for (int32_t k = 0; k < r->n_state; k++) {
        if (seeds[k] != SRN_NONE) {
            srn_val ds = r->x->dout[k];
            if (!add_input(r, seeds[k], ds == SRN_NONE ? srn_zeros_like(g, r->x->out[k]) : ds)) {
                return false;
            }
        }
    }
    for (int32_t j = 0; j < r->n_summands; j++) {
        if (r->summands[j].kind == CARRY) {
            srn_val c = r->x->in[r->summands[j].constant];
            r->in[r->n_in++] = srn_zeros_like(g, c);
            accumulators[j] = srn_emit_input(r->body, NULL, *srn_type_of(g, c));
        }
    }
    r->n_carried = r->n_in;
    for (int32_t k = r->n_state; k < r->outputs.n; k++) {
        if (seeds[k] != SRN_NONE && r->read[seeds[k]] && !add_input(r, seeds[k], r->x->dout[k])) {
            return false;
        }
    }
    for (int constants = 0; constants < 2; constants++) {
        for (srn_val v = 0; v < r->n_forward; v++) {
            bool leaf =
                srn_maker(r->step, v)->n_in == 0 && srn_maker(r->step, v)->id != SRN_OP_input;
            if (r->read[v] && !leaf && is_constant_input(r, v) == (constants == 1) &&
                !add_input(r, v, stacked(r, v))) {
                return false;
            }
        }
        r->n_seq_in = constants == 0 ? r->n_in - r->n_carried : r->n_seq_in;
    }
    return !srn_failed(&g->err);
}

static bool fill_body(reversal *r) {
    for (int32_t i = 0; i < r->step->n_nodes; i++) {
        const srn_node *node = &r->step->nodes[i];
        bool forward = !is_backward(r, node->out);
        bool import =
            forward ? node->n_in == 0 && node->id != SRN_OP_input : node->id != SRN_OP_input;
        if (r->live[i] && import) {
            r->body->scope = srn_arena_string(&r->body->arena, node->scope, &r->body->err);
            if (!srn_import_node(r->body, r->step, i, r->map)) {
                return false;
            }
        }
    }
    return true;
}

static int32_t add_output(reversal *r, srn_val v) {
    r->out[r->n_out] = v;
    return r->n_out++;
}

/* A value of the step as a stacked output, once; returns its place among the outputs. */
static int32_t add_stacked(reversal *r, srn_val v) {
    if (r->place[v] < 0) {
        r->place[v] = add_output(r, r->map[v]);
    }
    return r->place[v];
}

static void make_outputs(reversal *r, const srn_val *seeds, const srn_val *accumulators,
                         int32_t *dseq_place) {
    for (int32_t k = 0; k < r->n_state; k++) {
        if (seeds[k] != SRN_NONE) {
            srn_val ds = r->dinput[k];
            add_output(r, ds == SRN_NONE ? srn_zeros_like(r->body, r->map[seeds[k]]) : r->map[ds]);
        }
    }
    for (int32_t j = 0; j < r->n_summands; j++) {
        summand *s = &r->summands[j];
        if (s->kind == CARRY) {
            s->place[0] = add_output(r, srn_add(r->body, accumulators[j], r->map[s->v[0]]));
        }
    }
    for (int32_t i = r->n_state; i < r->n_state + r->n_seq; i++) {
        dseq_place[i] = r->dinput[i] == SRN_NONE ? -1 : add_stacked(r, r->dinput[i]);
    }
    for (int32_t j = 0; j < r->n_summands; j++) {
        summand *s = &r->summands[j];
        for (int k = 0; s->kind != CARRY && k < 2; k++) {
            bool stack = s->v[k] != SRN_NONE && is_backward(r, s->v[k]);
            s->place[k] = stack ? add_stacked(r, s->v[k]) : -1;
        }
    }
}

/* ---- step 3: after the reversed scan ---- */

/* (T, B, K) -> (T*B, K) */
static srn_val flatten(srn_graph *g, srn_val v) {
    if (v == SRN_NONE) {
        return SRN_NONE;
    }
    srn_shape shape = srn_type_of(g, v)->shape;
    srn_shape flat = {2, {shape.dim[0] * shape.dim[1], shape.dim[2]}};
    return srn_reshape(g, v, &flat);
}

static srn_val finish_summand(reversal *r, const summand *s, srn_val first) {
    srn_graph *g = r->g;
    srn_val v[2] = {SRN_NONE, SRN_NONE};
    for (int k = 0; k < 2; k++) {
        if (s->v[k] != SRN_NONE) {
            v[k] = s->place[k] >= 0 ? first + s->place[k] : stacked(r, s->v[k]);
        }
    }
    if (s->kind == CARRY) {
        return v[0];
    }
    srn_val sum;
    if (s->kind == MATMUL) {
        sum = srn_matmul(g, flatten(g, v[0]), flatten(g, v[1]), true, false);
    } else {
        int32_t rank = srn_type_of(g, v[0])->shape.rank;
        int64_t axes[SRN_MAX_RANK] = {0};
        int32_t n = s->axes.n == 0 ? 0 : 1;
        for (int32_t i = 0; i < s->axes.n; i++) {
            axes[n++] = s->axes.v[i] < 0 ? s->axes.v[i] + rank : s->axes.v[i] + 1;
        }
        sum = srn_sum(g, v[0], (srn_ints){n, axes}, false);
    }
    srn_shape shape = srn_type_of(g, r->x->in[s->constant])->shape;
    return srn_reshape(g, sum, &shape);
}

static void finish(reversal *r, const srn_val *seeds, const int32_t *dseq_place, srn_val first) {
    int32_t place = 0;
    for (int32_t k = 0; k < r->n_state; k++) {
        if (seeds[k] != SRN_NONE) {
            r->x->din[k] = r->x->need[k] ? first + place : SRN_NONE;
            place++;
        }
    }
    for (int32_t i = r->n_state; i < r->n_state + r->n_seq; i++) {
        r->x->din[i] = dseq_place[i] < 0 ? SRN_NONE : first + dseq_place[i];
    }
    for (int32_t j = 0; j < r->n_summands && !srn_failed(&r->g->err); j++) {
        const summand *s = &r->summands[j];
        srn_val *dc = &r->x->din[s->constant];
        *dc = srn_add(r->g, *dc, finish_summand(r, s, first));
    }
}

static bool start(reversal *r) {
    int32_t n_values = r->step->n_values, n_nodes = r->step->n_nodes;
    r->map = room(r, n_values, sizeof *r->map);
    r->live = room(r, n_nodes, sizeof *r->live);
    r->read = room(r, n_values, sizeof *r->read);
    r->in = room(r, 2 * (int64_t)n_values + r->n_summands, sizeof *r->in);
    r->out = room(r, 3 * (int64_t)n_values + 2 * (int64_t)r->n_summands, sizeof *r->out);
    r->saved = room(r, r->n_forward, sizeof *r->saved);
    r->place = room(r, n_values, sizeof *r->place);
    r->body = srn_graph_new(&r->g->err);
    if (srn_failed(&r->g->err)) {
        return false;
    }
    for (int32_t v = 0; v < n_values; v++) {
        r->place[v] = -1;
    }
    /* Backward, so that a value that is a y already is found there. */
    for (int32_t k = r->outputs.n - 1; k >= r->n_state; k--) {
        r->saved[r->outputs.v[k]] = r->x->out[k];
    }
    return true;
}

static void reverse(reversal *r) {
    srn_val *seeds = room(r, r->outputs.n, sizeof *seeds);
    int32_t *dseq_place = room(r, r->x->n_in, sizeof *dseq_place);
    if (srn_failed(&r->g->err) || !differentiate(r, seeds) || !sink(r) || !start(r)) {
        return;
    }
    srn_val *accumulators = room(r, r->n_summands, sizeof *accumulators);
    mark_live(r);
    if (accumulators == NULL || !make_inputs(r, seeds, accumulators) || !fill_body(r)) {
        return;
    }
    make_outputs(r, seeds, accumulators, dseq_place);
    if (srn_failed(&r->body->err)) {
        return;
    }
    srn_val first = srn_emit_scan(r->g, r->body, r->length, r->n_carried, r->n_seq_in, r->n_in,
                                  r->in, r->n_out, r->out, r->x->attr[SRN_SCAN_REVERSE].i == 0);
    if (first != SRN_NONE) {
        finish(r, seeds, dseq_place, first);
    }
}

void srn_scan_vjp(srn_vjp *x) {
    reversal r = {
        .x = x,
        .g = x->g,
        .forward = x->attr[SRN_SCAN_BODY].body,
        .outputs = x->attr[SRN_SCAN_OUTPUTS].ints,
        .n_state = (int32_t)x->attr[SRN_SCAN_N_STATE].i,
        .n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i,
        .length = x->attr[SRN_SCAN_LENGTH].i,
    };
    srn_arena_init(&r.arena);
    reverse(&r);
    if (r.body != NULL && srn_failed(&r.body->err)) {
        srn_fail(&x->g->err, r.body->err.status, "%s", r.body->err.text);
    }
    srn_graph_drop(r.step);
    srn_graph_drop(r.body);
    srn_arena_deinit(&r.arena);
}
