/* Emitting a scan, with the hoist: what depends on the sequences alone runs before the loop.
 *
 * x_t @ K for T steps is T small GEMMs; hoisted it is one of T times the rows. Only work worth it
 * moves: heavy nodes (GEMM, layer norm, gather), what leads to them, and the light nodes right
 * behind (the bias). A cheap node alone stays in the loop, where its result needs no memory over
 * time. What does not change from step to step moves out always.
 *
 * The new body keeps the rest; its inputs are the states, then those sequences, then those
 * constants that the rest reads. Each of its values becomes a stacked output of the scan, so that
 * the way back finds in the graph whatever it needs; the compiler drops what nobody reads.
 */
#include "graph/scan.h"

#include <string.h>

#include "base/memory.h"
#include "graph/lift.h"

typedef struct hoist {
    srn_graph *g, *body; /* around the loop; the new body */
    const srn_graph *from;
    int64_t length;
    int32_t n_state, n_in;
    const srn_val *in;
    srn_depends *depends;   /* by value of from */
    bool *lifted, *read;    /* by node of from: moves out; by value of from: read in the new body */
    srn_val *outer, *inner; /* by value of from: its value in g, in the new body */
    srn_val *inputs;        /* of the new scan */
    int32_t n_inputs, n_seq;
    int64_t *outputs;
    srn_arena arena;
} hoist;

static bool is_heavy(const srn_node *node) {
    return node->id == SRN_OP_matmul || node->id == SRN_OP_layer_norm || node->id == SRN_OP_take;
}

static srn_depends depends_of(const hoist *h, const srn_node *node) {
    srn_depends depends =
        node->op->flags & SRN_FLAG_RANDOM ? SRN_DEPENDS_STATE : SRN_DEPENDS_NOTHING;
    for (int32_t i = 0; i < node->n_in; i++) {
        srn_val v = node->in[i];
        if (v != SRN_NONE && h->depends[v] > depends) {
            depends = h->depends[v];
        }
    }
    return depends;
}

/* Fills depends and lifted. A value that must be made in the loop counts as depending on state. */
static void classify(hoist *h, int32_t n_seq) {
    const srn_graph *from = h->from;
    for (int32_t i = 0; i < from->n_nodes; i++) {
        const srn_node *node = &from->nodes[i];
        srn_depends depends = depends_of(h, node);
        if (node->id == SRN_OP_input) {
            int64_t number = node->attr[0].i;
            depends = number < h->n_state           ? SRN_DEPENDS_STATE
                      : number < h->n_state + n_seq ? SRN_DEPENDS_TIME
                                                    : SRN_DEPENDS_NOTHING;
        } else if (depends == SRN_DEPENDS_TIME && !srn_can_lift(from, node, h->depends)) {
            depends = SRN_DEPENDS_STATE;
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            h->depends[node->out + k] = depends;
        }
        h->lifted[i] = depends == SRN_DEPENDS_TIME && is_heavy(node);
    }
    /* What leads to a lifted node, then what follows from one. */
    for (int32_t i = from->n_nodes - 1; i >= 0; i--) {
        const srn_node *node = &from->nodes[i];
        for (int32_t k = 0; h->lifted[i] && k < node->n_in; k++) {
            if (node->in[k] != SRN_NONE && h->depends[node->in[k]] == SRN_DEPENDS_TIME) {
                h->lifted[from->values[node->in[k]].node] = true;
            }
        }
    }
    for (int32_t i = 0; i < from->n_nodes; i++) {
        const srn_node *node = &from->nodes[i];
        bool time = h->depends[node->out] == SRN_DEPENDS_TIME && node->id != SRN_OP_input;
        bool behind = false, ready = true;
        for (int32_t k = 0; time && k < node->n_in; k++) {
            if (node->in[k] == SRN_NONE || h->depends[node->in[k]] != SRN_DEPENDS_TIME) {
                continue;
            }
            const srn_node *maker = srn_maker(from, node->in[k]);
            bool lifted = h->lifted[maker - from->nodes];
            behind = behind || (lifted && maker->id != SRN_OP_input);
            ready = ready && (lifted || maker->id == SRN_OP_input);
        }
        h->lifted[i] = time && (h->lifted[i] || (behind && ready));
    }
}

static bool moves_out(const hoist *h, int32_t i) {
    const srn_node *node = &h->from->nodes[i];
    return h->lifted[i] || (node->n_out > 0 && h->depends[node->out] == SRN_DEPENDS_NOTHING);
}

/* Emits into g what moves out. */
static bool emit_outside(hoist *h) {
    for (int32_t i = 0; i < h->from->n_nodes; i++) {
        const srn_node *node = &h->from->nodes[i];
        if (node->id == SRN_OP_input) {
            h->outer[node->out] = h->in[node->attr[0].i];
        } else if (h->lifted[i]) {
            srn_val out = srn_lift(h->g, h->from, node, h->depends, h->outer, h->length);
            for (int32_t k = 0; k < node->n_out; k++) {
                h->outer[node->out + k] = out == SRN_NONE ? SRN_NONE : out + k;
            }
        } else if (moves_out(h, i) && !srn_import_node(h->g, h->from, i, h->outer)) {
            return false;
        }
        if (srn_failed(&h->g->err)) {
            return false;
        }
    }
    return true;
}

/* One input of the new body. */
static bool add_input(hoist *h, srn_val v, bool time) {
    srn_type type = *srn_type_of(h->from, v);
    h->inner[v] = srn_emit_input(h->body, NULL, type);
    h->inputs[h->n_inputs++] = h->outer[v];
    h->n_seq += time;
    return h->inner[v] != SRN_NONE;
}

/* Inputs of the new body: all states, then sequences and constants that it reads. */
static bool make_inputs(hoist *h, int32_t n_out, const srn_val *outputs) {
    const srn_graph *from = h->from;
    for (int32_t i = 0; i < from->n_nodes; i++) {
        const srn_node *node = &from->nodes[i];
        for (int32_t k = 0; k < node->n_in && !moves_out(h, i); k++) {
            if (node->in[k] != SRN_NONE) {
                h->read[node->in[k]] = true;
            }
        }
    }
    for (int32_t k = 0; k < n_out; k++) {
        h->read[outputs[k]] = true;
    }
    srn_depends passes[] = {SRN_DEPENDS_STATE, SRN_DEPENDS_TIME, SRN_DEPENDS_NOTHING};
    for (int pass = 0; pass < 3; pass++) {
        for (srn_val v = 0; v < from->n_values; v++) {
            int32_t maker = from->values[v].node;
            const srn_node *node = &from->nodes[maker];
            bool leaf = node->id == SRN_OP_input;
            bool state = leaf && node->attr[0].i < h->n_state;
            bool wanted = h->depends[v] == passes[pass] &&
                          (pass == 0 ? state : h->read[v] && (leaf || moves_out(h, maker)));
            if (wanted && !add_input(h, v, pass == 1)) {
                return false;
            }
        }
    }
    return true;
}

/* The rest of the nodes, then the list of outputs: given ones, then every value made in the loop
 * and every state as it was before the step. */
static int32_t fill_body(hoist *h, int32_t n_out, const srn_val *outputs) {
    for (int32_t i = 0; i < h->from->n_nodes; i++) {
        const srn_node *node = &h->from->nodes[i];
        h->body->scope = srn_arena_string(&h->body->arena, node->scope, &h->body->err);
        if (node->id != SRN_OP_input && !moves_out(h, i) &&
            !srn_import_node(h->body, h->from, i, h->inner)) {
            return -1;
        }
    }
    int32_t n = 0;
    for (int32_t k = 0; k < n_out; k++) {
        h->outputs[n++] = h->inner[outputs[k]];
    }
    for (srn_val v = 0; v < h->body->n_values; v++) {
        const srn_node *node = srn_maker(h->body, v);
        if (node->id != SRN_OP_input || node->attr[0].i < h->n_state) {
            h->outputs[n++] = v;
        }
    }
    return n;
}

static void *room(hoist *h, int64_t n, size_t item) {
    return srn_arena_alloc(&h->arena, ((size_t)n + 1) * item, &h->g->err);
}

static bool start(hoist *h, int32_t n_out) {
    int32_t n_values = h->from->n_values, n_nodes = h->from->n_nodes;
    h->depends = room(h, n_values, sizeof *h->depends);
    h->lifted = room(h, n_nodes, sizeof *h->lifted);
    h->read = room(h, n_values, sizeof *h->read);
    h->outer = room(h, n_values, sizeof *h->outer);
    h->inner = room(h, n_values, sizeof *h->inner);
    h->inputs = room(h, (int64_t)n_values + h->n_in, sizeof *h->inputs);
    h->outputs = room(h, (int64_t)n_values + n_out, sizeof *h->outputs);
    h->body = srn_graph_new(&h->g->err);
    return !srn_failed(&h->g->err);
}

static bool check_request(srn_graph *g, const srn_graph *body, int32_t n_state, int32_t n_seq,
                          int32_t n_in, const srn_val *in, int32_t n_out, const srn_val *outputs) {
    srn_error *err = &g->err;
    if (srn_failed(err)) {
        return false;
    }
    if (n_state < 0 || n_seq < 0 || n_state > n_in || n_seq > n_in - n_state || n_out < n_state ||
        n_in != body->n_inputs || body->n_variables != 0) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "scan: %d inputs (%d states, %d sequences), %d outputs for a body of %d "
                        "inputs and %d variables: expected as many inputs as the body has, an "
                        "output for each state and no variables",
                        (int)n_in, (int)n_state, (int)n_seq, (int)n_out, (int)body->n_inputs,
                        (int)body->n_variables);
    }
    for (int32_t i = 0; i < n_in; i++) {
        if (in[i] < 0 || in[i] >= g->n_values) {
            return srn_fail(err, SRN_ERR_VALUE, "scan: input %d is no value of the graph", (int)i);
        }
    }
    for (int32_t k = 0; k < n_out; k++) {
        if (outputs[k] < 0 || outputs[k] >= body->n_values) {
            return srn_fail(err, SRN_ERR_VALUE, "scan: output %d is no value of the body", (int)k);
        }
    }
    return true;
}

srn_val srn_emit_scan(srn_graph *g, const srn_graph *body, int64_t length, int32_t n_state,
                      int32_t n_seq, int32_t n_in, const srn_val *in, int32_t n_out,
                      const srn_val *outputs, bool reverse) {
    if (!check_request(g, body, n_state, n_seq, n_in, in, n_out, outputs) ||
        !srn_scan_check(g, body, length, n_state, n_seq, in, outputs)) {
        return SRN_NONE;
    }
    hoist h = {.g = g, .from = body, .length = length, .n_state = n_state, .n_in = n_in, .in = in};
    srn_arena_init(&h.arena);
    srn_val out = SRN_NONE;
    if (start(&h, n_out)) {
        classify(&h, n_seq);
        int32_t n = -1;
        if (emit_outside(&h) && make_inputs(&h, n_out, outputs)) {
            n = fill_body(&h, n_out, outputs);
        }
        if (n >= 0 && !srn_failed(&h.body->err)) {
            srn_attr attrs[] = {
                [SRN_SCAN_BODY] = {.body = h.body},  [SRN_SCAN_N_STATE] = {.i = n_state},
                [SRN_SCAN_N_SEQ] = {.i = h.n_seq},   [SRN_SCAN_OUTPUTS] = {.ints = {n, h.outputs}},
                [SRN_SCAN_REVERSE] = {.i = reverse}, [SRN_SCAN_LENGTH] = {.i = length},
            };
            out = srn_emit(g, SRN_OP_scan, h.n_inputs, h.inputs, attrs);
        } else if (srn_failed(&h.body->err)) {
            srn_fail(&g->err, h.body->err.status, "%s", h.body->err.text);
        }
    }
    srn_graph_drop(h.body);
    srn_arena_deinit(&h.arena);
    return out;
}
