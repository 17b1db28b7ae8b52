/* Emitting a graph in parts: depth by depth the whole nodes, then the region as a scan without state.
 *
 *   stacked     a value of a region, outside of it: (parts, ...), the value of each part
 *   natural     such a value as it was in the graph given; for a leading batch the same bytes
 */
#include <string.h>

#include "compile/batch_regions.h"
#include "graph/emit.h"
#include "graph/scan.h"

/* ---- natural, and stacked ---- */

static srn_shape part_shape(const srn_split *s, srn_val v, srn_axis axis) {
    srn_shape shape = srn_type_of(s->g, v)->shape;
    shape.dim[axis.at] = shape.dim[axis.at] / s->batch * (s->batch / s->parts);
    return shape;
}

/* Between (outer, parts, inner), which is natural, and (parts, outer, inner). */
static srn_val exchange(srn_split *s, srn_val v, const srn_shape *part, srn_axis axis,
                        bool to_parts) {
    int64_t outer = srn_shape_product(part, 0, axis.at) * axis.before;
    if (outer <= 1) { /* or no elements */
        return v;
    }
    srn_shape flat = {3, {s->parts, outer, srn_shape_count(part) / outer}};
    if (to_parts) {
        flat.dim[0] = outer;
        flat.dim[1] = s->parts;
    }
    int64_t perm[] = {1, 0, 2};
    return srn_transpose(s->to, srn_reshape(s->to, v, &flat), (srn_ints){3, perm});
}

/* The value as it was in the graph given. */
static srn_val natural(srn_split *s, srn_val v) {
    if (v == SRN_NONE || s->whole[v] != SRN_NONE) {
        return v == SRN_NONE ? v : s->whole[v];
    }
    srn_shape part = part_shape(s, v, s->axis[v]);
    srn_val flat = exchange(s, s->stacked[v], &part, s->axis[v], false);
    s->whole[v] = srn_reshape(s->to, flat, &srn_type_of(s->g, v)->shape);
    return s->whole[v];
}

/* (parts, ...) with the batch at `axis` of each part. */
static srn_val in_parts(srn_split *s, srn_val v, srn_axis axis) {
    if (axis.at == SRN_AXIS_PARTIAL ||
        (srn_split_in_region(s, v) && srn_axis_equal(s->axis[v], axis))) {
        return s->stacked[v];
    }
    srn_shape part = part_shape(s, v, axis), stacked = {part.rank + 1, {s->parts}};
    if (part.rank == SRN_MAX_RANK) {
        srn_fail(&s->to->err, SRN_ERR_VALUE, "batch: %d axes", (int)part.rank);
        return SRN_NONE;
    }
    memcpy(stacked.dim + 1, part.dim, (size_t)part.rank * sizeof *part.dim);
    return srn_reshape(s->to, exchange(s, natural(s, v), &part, axis, true), &stacked);
}

/* ---- emitting ---- */

static void set_scope(srn_graph *g, const srn_node *node) {
    g->scope = srn_arena_string(&g->arena, node->scope, &g->err);
}

static bool emit_leaves(srn_split *s) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        srn_type type = node->n_out > 0 ? *srn_type_of(s->g, node->out) : (srn_type){0};
        if (node->id == SRN_OP_input) {
            s->whole[node->out] = srn_emit_input(s->to, node->payload, type);
        } else if (node->id == SRN_OP_variable) {
            s->whole[node->out] = srn_emit_variable(s->to, node->payload, type);
        }
    }
    return !srn_failed(&s->to->err);
}

static bool emit_whole(srn_split *s, int32_t depth) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        bool leaf = node->id == SRN_OP_input || node->id == SRN_OP_variable;
        if (!s->live[i] || s->kind[i] != SRN_KIND_WHOLE || s->depth[i] != depth || leaf) {
            continue;
        }
        for (int32_t k = 0; k < node->n_in; k++) {
            natural(s, node->in[k]);
        }
        set_scope(s->to, node);
        if (srn_failed(&s->to->err) || !srn_import_node(s->to, s->g, i, s->whole)) {
            return false;
        }
    }
    return true;
}

static bool is_of(const srn_split *s, int32_t i, int32_t depth) {
    return s->live[i] && s->kind[i] != SRN_KIND_WHOLE && s->depth[i] == depth;
}

/* What the region reads from outside: sequences and constants get their numbers later. */
static void find_inputs(srn_split *s, int32_t depth, srn_axis *sequence, bool *constant) {
    for (int32_t i = s->g->n_nodes - 1; i >= 0; i--) {
        const srn_node *node = &s->g->nodes[i];
        for (int32_t k = 0; (is_of(s, i, depth) || s->wanted[i]) && k < node->n_in; k++) {
            srn_val v = node->in[k];
            if (v == SRN_NONE) {
                continue;
            }
            srn_axis need = s->rule[i].need[k];
            switch (srn_split_way(s, v, need, depth)) {
            case SRN_WAY_COPIED:
                s->wanted[srn_split_maker(s, v)] = true;
                break;
            case SRN_WAY_SEQUENCE:
                if (sequence[v].at != SRN_NONE && !srn_axis_equal(sequence[v], need)) {
                    srn_fail(&s->to->err, SRN_ERR_VALUE, "batch: read in two ways");
                }
                sequence[v] = need;
                break;
            case SRN_WAY_CONSTANT:
                constant[v] = true;
                break;
            case SRN_WAY_DIRECT:
                break;
            }
        }
    }
}

static void add_input(srn_split *s, srn_val *as, srn_val v, srn_val outside, bool sequence) {
    srn_type type = {0};
    if (outside != SRN_NONE) {
        type = *srn_type_of(s->to, outside);
        type.shape.rank -= sequence;
        memmove(type.shape.dim, type.shape.dim + sequence,
                (size_t)type.shape.rank * sizeof *type.shape.dim);
    }
    as[v] = outside == SRN_NONE ? SRN_NONE : srn_emit_input(s->body, NULL, type);
    s->inputs[s->n_inputs++] = outside;
}

static srn_val region_input(const srn_split *s, srn_val v, srn_axis need, int32_t depth) {
    switch (srn_split_way(s, v, need, depth)) {
    case SRN_WAY_SEQUENCE:
        return s->as_sequence[v];
    case SRN_WAY_CONSTANT:
        return s->as_constant[v];
    default:
        return s->inner[v];
    }
}

static bool fill_region(srn_split *s, int32_t depth) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        if (!is_of(s, i, depth) && !s->wanted[i]) {
            continue;
        }
        srn_val *in = srn_arena_alloc(s->arena, ((size_t)node->n_in + 1) * sizeof *in, s->err);
        for (int32_t k = 0; in != NULL && k < node->n_in; k++) {
            srn_val v = node->in[k];
            in[k] = v == SRN_NONE ? v : region_input(s, v, s->rule[i].need[k], depth);
        }
        set_scope(s->body, node);
        srn_val out = in == NULL ? SRN_NONE
                                 : srn_batch_emit(s->body, s->g, node, in, &s->rule[i], s->batch,
                                                  s->batch / s->parts, s->arena);
        if (out == SRN_NONE) {
            return false;
        }
        for (int32_t k = 0; k < node->n_out; k++) {
            s->inner[node->out + k] = out + k;
        }
    }
    return true;
}

/* The parts of a sum, largest ... together: a sum of sums in pairs. */
static srn_val combined(srn_split *s, srn_op_id reduction, srn_val stacked) {
    int64_t first = 0;
    if (reduction != SRN_OP_sum) {
        srn_attr attrs[] = {{.ints = {1, &first}}, {.i = false}};
        return srn_emit(s->to, reduction, 1, &stacked, attrs);
    }
    srn_shape shape = srn_type_of(s->to, stacked)->shape, one = {shape.rank - 1, {0}};
    memcpy(one.dim, shape.dim + 1, (size_t)one.rank * sizeof *one.dim);
    srn_val sums[SRN_MOST_PARTS];
    for (int64_t p = 0; p < s->parts; p++) {
        sums[p] = srn_reshape(s->to, srn_slice_axis(s->to, stacked, 0, p, p + 1), &one);
    }
    for (int64_t n = s->parts; n > 1; n /= 2) { /* a power of two */
        for (int64_t p = 0; p < n / 2; p++) {
            sums[p] = srn_add(s->to, sums[p], sums[n / 2 + p]);
        }
    }
    return sums[0];
}

/* The region's scan, and what becomes of its outputs. */
static bool emit_region_scan(srn_split *s, int32_t depth, int32_t n_seq, int64_t *outputs) {
    int32_t n = 0;
    for (srn_val v = 0; v < s->g->n_values; v++) {
        if (is_of(s, srn_split_maker(s, v), depth) && s->crosses[v]) {
            outputs[n++] = s->inner[v];
        }
    }
    srn_attr attrs[] = {
        [SRN_SCAN_BODY] = {.body = s->body}, [SRN_SCAN_N_STATE] = {.i = 0},
        [SRN_SCAN_N_SEQ] = {.i = n_seq},     [SRN_SCAN_OUTPUTS] = {.ints = {n, outputs}},
        [SRN_SCAN_REVERSE] = {.i = 0},       [SRN_SCAN_LENGTH] = {.i = s->parts},
    };
    s->to->scope = NULL;
    srn_val out = n == 0 ? SRN_NONE : srn_emit(s->to, SRN_OP_scan, s->n_inputs, s->inputs, attrs);
    for (srn_val v = 0; out != SRN_NONE && v < s->g->n_values; v++) {
        const int32_t maker = srn_split_maker(s, v);
        if (!is_of(s, maker, depth) || !s->crosses[v]) {
            continue;
        }
        s->stacked[v] = out++;
        if (s->kind[maker] == SRN_KIND_COMBINED) {
            s->whole[v] = combined(s, s->rule[maker].combine, s->stacked[v]);
        }
    }
    return !srn_failed(&s->to->err);
}

static bool emit_region(srn_split *s, int32_t depth) {
    const int32_t n_values = s->g->n_values;
    srn_axis *sequence =
        srn_arena_alloc(s->arena, ((size_t)n_values + 1) * sizeof *sequence, s->err);
    bool *constant = srn_arena_alloc(s->arena, (size_t)n_values + 1, s->err);
    int64_t *outputs = srn_arena_alloc(s->arena, ((size_t)n_values + 1) * sizeof *outputs, s->err);
    s->wanted = srn_arena_alloc(s->arena, (size_t)s->g->n_nodes + 1, s->err);
    s->body = srn_failed(s->err) ? NULL : srn_graph_new(s->err);
    if (s->body == NULL) {
        return false;
    }
    for (srn_val v = 0; v < n_values; v++) {
        sequence[v] = SRN_NO_AXIS;
    }
    find_inputs(s, depth, sequence, constant);
    s->n_inputs = 0;
    for (srn_val v = 0; v < n_values; v++) {
        if (sequence[v].at != SRN_NONE) {
            add_input(s, s->as_sequence, v, in_parts(s, v, sequence[v]), true);
        }
    }
    int32_t n_seq = s->n_inputs;
    for (srn_val v = 0; v < n_values; v++) {
        if (constant[v]) {
            add_input(s, s->as_constant, v, natural(s, v), false);
        }
    }
    bool ok = !srn_failed(&s->to->err) && fill_region(s, depth) &&
              emit_region_scan(s, depth, n_seq, outputs);
    if (!ok && srn_failed(&s->body->err)) {
        srn_fail(&s->to->err, s->body->err.status, "%s", s->body->err.text);
    }
    srn_graph_drop(s->body);
    return ok;
}

static bool has_region(const srn_split *s, int32_t depth) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        if (is_of(s, i, depth)) {
            return true;
        }
    }
    return false;
}

/* ---- the new spec ---- */

static const srn_val *translated(srn_split *s, int32_t n, const srn_val *values) {
    srn_val *out = srn_arena_alloc(s->arena, ((size_t)n + 1) * sizeof *out, s->err);
    for (int32_t k = 0; out != NULL && k < n; k++) {
        out[k] = natural(s, values[k]);
    }
    return out;
}

bool srn_split_emit(srn_split *s, srn_compile_spec *spec) {
    bool ok = emit_leaves(s);
    for (int32_t depth = 0; ok && depth < s->n_regions; depth++) {
        ok = emit_whole(s, depth) && (!has_region(s, depth) || emit_region(s, depth));
    }
    if (!ok) {
        return false;
    }
    *spec = *s->spec;
    spec->batch = 0;
    spec->outputs = translated(s, spec->n_outputs, spec->outputs);
    spec->gradients = translated(s, spec->n_gradients, spec->gradients);
    spec->gradient_like = translated(s, spec->n_gradients, spec->gradient_like);
    spec->assign_values = translated(s, spec->n_assigns, spec->assign_values);
    return !srn_failed(&s->to->err) && !srn_failed(s->err);
}
