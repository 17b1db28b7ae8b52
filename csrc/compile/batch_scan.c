/* The batch's axis in a scan: see batch_axis.h.
 *
 * States, sequences and constants of the loop have the batch where the nodes of its body want it. This
 * is found by going through the body again and again: what a node's rule asks of an input of the body
 * holds from the next round on, and a state has the batch where the new state has it.
 */
#include <string.h>

#include "compile/batch_look.h"
#include "graph/scan.h"

/* What one round through a body found out: an input has the batch as well (`changed`); a value made in
 * the body should have it and does not yet (`open`). */
typedef struct round_result {
    bool changed, open;
} round_result;

bool srn_batch_draws(const srn_node *node) {
    const srn_graph *body = node->id == SRN_OP_scan ? node->attr[SRN_SCAN_BODY].body : NULL;
    bool draws = (node->op->flags & SRN_FLAG_RANDOM) != 0;
    for (int32_t i = 0; body != NULL && !draws && i < body->n_nodes; i++) {
        draws = srn_batch_draws(&body->nodes[i]);
    }
    return draws;
}

/* Numbers that all samples share are not the same in each part. */
static bool shares_numbers(const srn_look *x, const srn_graph *body) {
    for (int32_t i = 0; i < body->n_nodes; i++) {
        if (x->rule->body[i].out == NULL && srn_batch_draws(&body->nodes[i])) {
            return true;
        }
    }
    return false;
}

/* An input of a node of the body must have the batch at `need`. */
static bool demand(srn_look *x, const srn_graph *body, srn_val v, srn_axis need,
                   round_result *result) {
    srn_axis *axis = &x->rule->body_axis[v];
    const int32_t number = body->values[v].node;
    const srn_node *maker = &body->nodes[number];
    if (srn_axis_equal(need, *axis)) {
        return true;
    }
    if (axis->at != SRN_NONE || need.at == SRN_NONE) {
        return false;
    }
    if (maker->id != SRN_OP_input &&
        (maker->n_in > 0 || !srn_batch_rule_back(&x->rule->body[number], body, maker, need,
                                                 x->batch, x->arena, x->err))) {
        result->open = true;
        return true;
    }
    *axis = need;
    result->changed = true;
    return true;
}

static bool body_round(srn_look *x, const srn_graph *body, round_result *result) {
    srn_batch_rule *rule = x->rule;
    for (int32_t i = 0; i < body->n_nodes; i++) {
        const srn_node *node = &body->nodes[i];
        bool any = false;
        for (int32_t k = 0; k < node->n_in; k++) {
            any = any || (node->in[k] != SRN_NONE && rule->body_axis[node->in[k]].at != SRN_NONE);
        }
        if (!any) {
            continue;
        }
        srn_batch_rule *mine = &rule->body[i];
        if (!srn_batch_rule_of(mine, body, node, rule->body_axis, x->batch, x->arena, x->err) ||
            mine->combine != SRN_N_OPS) {
            return false;
        }
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != SRN_NONE && !demand(x, body, node->in[k], mine->need[k], result)) {
                return false;
            }
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            rule->body_axis[node->out + k] = mine->out[k];
        }
    }
    return true;
}

/* A state has the batch where the new state has it. */
static bool carry_states(srn_look *x, const srn_graph *body, round_result *result) {
    const srn_attr *attr = x->node->attr;
    srn_axis *axis = x->rule->body_axis;
    for (srn_val v = 0; v < body->n_values; v++) {
        const srn_node *leaf = srn_maker(body, v);
        if (leaf->id != SRN_OP_input || leaf->attr[0].i >= attr[SRN_SCAN_N_STATE].i) {
            continue;
        }
        srn_axis after = axis[attr[SRN_SCAN_OUTPUTS].ints.v[leaf->attr[0].i]];
        if (!srn_axis_equal(after, axis[v])) {
            if (axis[v].at != SRN_NONE) {
                return false;
            }
            axis[v] = after;
            result->changed = true;
        }
    }
    return true;
}

/* Every round but the last gives an input of the body an axis for good. */
static bool body_rules(srn_look *x, const srn_graph *body) {
    round_result result;
    do {
        result = (round_result){false, false};
        if (!body_round(x, body, &result) || !carry_states(x, body, &result)) {
            return false;
        }
    } while (result.changed);
    return !result.open && !shares_numbers(x, body);
}

bool srn_batch_rule_of_scan(srn_look *x) {
    const srn_node *node = x->node;
    const srn_graph *body = node->attr[SRN_SCAN_BODY].body;
    srn_batch_rule *rule = x->rule;
    int32_t n_state = (int32_t)node->attr[SRN_SCAN_N_STATE].i;
    int32_t n_seq = (int32_t)node->attr[SRN_SCAN_N_SEQ].i;
    srn_ints outputs = node->attr[SRN_SCAN_OUTPUTS].ints;
    rule->body_axis =
        srn_arena_alloc(x->arena, ((size_t)body->n_values + 1) * sizeof *rule->body_axis, x->err);
    rule->body =
        srn_arena_alloc(x->arena, ((size_t)body->n_nodes + 1) * sizeof *rule->body, x->err);
    if (srn_failed(x->err)) {
        return false;
    }
    for (srn_val v = 0; v < body->n_values; v++) {
        rule->body_axis[v] = SRN_NO_AXIS;
        const srn_node *leaf = srn_maker(body, v);
        int64_t k = leaf->id == SRN_OP_input ? leaf->attr[0].i : 0;
        if (leaf->id == SRN_OP_input && srn_axis_in(x, (int32_t)k).at != SRN_NONE) {
            srn_axis axis = srn_axis_in(x, (int32_t)k);
            axis.at -= k >= n_state && k < n_state + n_seq;
            if (axis.at < 0) {
                return false; /* the batch is the scan's time */
            }
            rule->body_axis[v] = axis;
        }
    }
    if (!body_rules(x, body)) {
        return false;
    }
    for (srn_val v = 0; v < body->n_values; v++) {
        const srn_node *leaf = srn_maker(body, v);
        if (leaf->id == SRN_OP_input && rule->body_axis[v].at != SRN_NONE) {
            int64_t k = leaf->attr[0].i;
            bool sequence = k >= n_state && k < n_state + n_seq;
            rule->need[k] = srn_axis_moved(rule->body_axis[v], rule->body_axis[v].at + sequence);
        }
    }
    for (int32_t k = 0; k < outputs.n; k++) {
        srn_axis axis = rule->body_axis[outputs.v[k]];
        if (axis.at != SRN_NONE) {
            rule->out[k] = srn_axis_moved(axis, axis.at + (k >= n_state));
        }
    }
    return true;
}

static srn_graph *part_of_body(const srn_graph *body, const srn_batch_rule *rule, int64_t batch,
                               int64_t part, srn_val *map, srn_arena *arena, srn_error *err) {
    srn_graph *g = srn_graph_new(err);
    for (int32_t i = 0; g != NULL && i < body->n_nodes; i++) {
        const srn_node *node = &body->nodes[i];
        g->scope = srn_arena_string(&g->arena, node->scope, &g->err);
        if (node->id == SRN_OP_input) {
            srn_type type = *srn_type_of(body, node->out);
            srn_axis axis = rule->body_axis[node->out];
            if (axis.at != SRN_NONE) {
                type.shape.dim[axis.at] = type.shape.dim[axis.at] / batch * part;
            }
            map[node->out] = srn_emit_input(g, node->payload, type);
        } else if (rule->body[i].out == NULL) {
            srn_import_node(g, body, i, map);
        } else {
            srn_val *in = srn_arena_alloc(arena, ((size_t)node->n_in + 1) * sizeof *in, &g->err);
            for (int32_t k = 0; in != NULL && k < node->n_in; k++) {
                in[k] = node->in[k] == SRN_NONE ? SRN_NONE : map[node->in[k]];
            }
            srn_val out =
                in == NULL ? SRN_NONE
                           : srn_batch_emit(g, body, node, in, &rule->body[i], batch, part, arena);
            for (int32_t k = 0; k < node->n_out; k++) {
                map[node->out + k] = out == SRN_NONE ? SRN_NONE : out + k;
            }
        }
        if (srn_failed(&g->err)) {
            srn_fail(err, g->err.status, "%s", g->err.text);
            srn_graph_drop(g);
            return NULL;
        }
    }
    return g;
}

srn_val srn_batch_emit_scan(srn_graph *g, const srn_node *node, const srn_val *in,
                            const srn_batch_rule *rule, int64_t batch, int64_t part,
                            srn_arena *arena) {
    const srn_graph *body = node->attr[SRN_SCAN_BODY].body;
    srn_ints outputs = node->attr[SRN_SCAN_OUTPUTS].ints;
    srn_val *map = srn_arena_alloc(arena, ((size_t)body->n_values + 1) * sizeof *map, &g->err);
    int64_t *values = srn_arena_alloc(arena, ((size_t)outputs.n + 1) * sizeof *values, &g->err);
    srn_graph *mine =
        srn_failed(&g->err) ? NULL : part_of_body(body, rule, batch, part, map, arena, &g->err);
    if (mine == NULL) {
        return SRN_NONE;
    }
    for (int32_t k = 0; k < outputs.n; k++) {
        values[k] = map[outputs.v[k]];
    }
    srn_attr attrs[SRN_MAX_ATTRS];
    memcpy(attrs, node->attr, (SRN_SCAN_LENGTH + 1) * sizeof *attrs);
    attrs[SRN_SCAN_BODY].body = mine;
    attrs[SRN_SCAN_OUTPUTS].ints.v = values;
    srn_val out = srn_emit(g, node->id, node->n_in, in, attrs);
    srn_graph_drop(mine);
    return out;
}
