/* Parts of a batch, so that a thread can take its rows through layer after layer.
 *
 * Nodes whose samples do not meet (batch_axis.h) go into regions. A region is a scan without state over
 * the parts of the batch: its iterations run in parallel (run/scan_run.c), so there is one barrier per
 * region instead of one per node, and what a part computes stays in its thread's cache; lines that two
 * cores share cost 80 to 400 ns each. The partition follows from the shapes alone, so the bits do not
 * depend on the number of threads.
 *
 *   region d    the nodes with samples in them that are ready once the whole values of depth d are
 *   whole       the other nodes: weights turned, statistics over the batch, the loss; a sum over
 *               samples is one in each part and a small one over the parts
 *
 * Whole values that are the same for all samples (zeros, broadcast scalars) are made in the region.
 */
#include "compile/batch_split.h"

#include "compile/batch_regions.h"

enum { MOST_REGIONS = 8, GOOD_SAMPLES = 16, MIN_SAMPLES = 8, FARTHEST = 64 };

/* ---- which nodes ---- */

static void mark(srn_split *s, int32_t n, const srn_val *values) {
    for (int32_t i = 0; i < n; i++) {
        if (values[i] != SRN_NONE) {
            s->read[values[i]] = true;
            s->live[srn_split_maker(s, values[i])] = true;
        }
    }
}

static void find_live(srn_split *s) {
    mark(s, s->spec->n_outputs, s->spec->outputs);
    mark(s, s->spec->n_gradients, s->spec->gradients);
    mark(s, s->spec->n_gradients, s->spec->gradient_like);
    mark(s, s->spec->n_assigns, s->spec->assign_values);
    for (int32_t i = s->g->n_nodes - 1; i >= 0; i--) {
        if (s->live[i]) {
            mark(s, s->g->nodes[i].n_in, s->g->nodes[i].in);
        }
    }
}

/* A value that the region can make itself, with the batch at `axis`. */
static bool copy_in(srn_split *s, srn_val v, srn_axis axis, int32_t steps) {
    const int32_t number = srn_split_maker(s, v);
    const srn_node *node = &s->g->nodes[number];
    if (s->copy[v].at != SRN_NONE || s->kind[number] != SRN_KIND_WHOLE) {
        return srn_axis_equal(s->kind[number] == SRN_KIND_WHOLE ? s->copy[v] : s->axis[v], axis);
    }
    srn_batch_rule rule;
    if (steps > FARTHEST ||
        !srn_batch_rule_back(&rule, s->g, node, axis, s->batch, s->arena, s->err)) {
        return false;
    }
    for (int32_t k = 0; k < node->n_in; k++) {
        if (rule.need[k].at != SRN_NONE && !copy_in(s, node->in[k], rule.need[k], steps + 1)) {
            return false;
        }
    }
    s->rule[number] = rule;
    if (node->op->flags & SRN_FLAG_RANDOM) { /* one set of numbers, for whoever reads them */
        s->kind[number] = SRN_KIND_MAPPED;
        s->axis[v] = axis;
    } else {
        s->copy[v] = axis;
    }
    return true;
}

static bool reads_batch(const srn_split *s, const srn_node *node) {
    for (int32_t k = 0; k < node->n_in; k++) {
        if (node->in[k] != SRN_NONE && s->axis[node->in[k]].at != SRN_NONE) {
            return true;
        }
    }
    return false;
}

/* A sum over samples that is larger than what it sums is better made at once, from all parts. */
static bool is_small(const srn_split *s, const srn_node *node) {
    double in = 0;
    for (int32_t k = 0; k < node->n_in; k++) {
        in += (double)srn_shape_count(&srn_type_of(s->g, node->in[k])->shape);
    }
    return (double)srn_shape_count(&srn_type_of(s->g, node->out)->shape) * (double)s->parts <= in;
}

/* Nodes worth a region: if one of them cannot be split the graph stays as it is. */
static bool is_heavy(const srn_node *node) {
    switch (node->id) {
    case SRN_OP_rnn:
    case SRN_OP_rnn_grad:
    case SRN_OP_lstm:
    case SRN_OP_lstm_grad:
    case SRN_OP_gru:
    case SRN_OP_gru_grad:
    case SRN_OP_scan:
        return true;
    default:
        return false;
    }
}

static bool outputs_have_batch(const srn_split *s, const srn_node *node,
                               const srn_batch_rule *rule) {
    for (int32_t k = 0; k < node->n_out; k++) {
        if (rule->out[k].at == SRN_NONE && s->read[node->out + k]) {
            return false;
        }
    }
    return true;
}

/* Sums over samples, reshaped or added, stay sums in each part: the gradient by a weight of an
 * unrolled loop has thousands. */
static bool keeps_sums(srn_split *s, int32_t i) {
    const srn_node *node = &s->g->nodes[i];
    bool ok = node->id == SRN_OP_reshape || node->id == SRN_OP_add;
    for (int32_t k = 0; ok && k < node->n_in; k++) {
        const int32_t maker = srn_split_maker(s, node->in[k]);
        ok = s->kind[maker] == SRN_KIND_COMBINED && s->rule[maker].combine == SRN_OP_sum;
    }
    srn_axis *axes = ok ? srn_arena_alloc(s->arena, 3 * sizeof *axes, s->err) : NULL;
    if (axes == NULL) {
        return false;
    }
    axes[0] = axes[1] = (srn_axis){SRN_AXIS_PARTIAL, 1, 1};
    axes[2] = SRN_NO_AXIS;
    s->rule[i] = (srn_batch_rule){.need = axes, .out = axes + 2, .combine = SRN_OP_sum};
    s->kind[i] = SRN_KIND_COMBINED;
    return true;
}

static bool classify_node(srn_split *s, int32_t i) {
    const srn_node *node = &s->g->nodes[i];
    if (node->id == SRN_OP_input) {
        const srn_shape *shape = &srn_type_of(s->g, node->out)->shape;
        bool samples = shape->rank > 0 && shape->dim[0] == s->batch;
        s->axis[node->out] = samples ? (srn_axis){0, 1, 1} : SRN_NO_AXIS;
        return true;
    }
    if (!reads_batch(s, node)) { /* scans forward and back draw the same in the same iteration */
        return keeps_sums(s, i) ||
               (!srn_failed(s->err) && (node->id != SRN_OP_scan || !srn_batch_draws(node)));
    }
    srn_batch_rule rule;
    if (!srn_batch_rule_of(&rule, s->g, node, s->axis, s->batch, s->arena, s->err)) {
        return !is_heavy(node) && !srn_failed(s->err);
    }
    bool combines = rule.combine != SRN_N_OPS;
    if (combines ? !is_small(s, node) : !outputs_have_batch(s, node, &rule)) {
        return !is_heavy(node);
    }
    s->rule[i] = rule;
    s->kind[i] = combines ? SRN_KIND_COMBINED : SRN_KIND_MAPPED;
    for (int32_t k = 0; k < node->n_out; k++) {
        s->axis[node->out + k] = combines ? SRN_NO_AXIS : rule.out[k];
    }
    for (int32_t k = 0; k < node->n_in; k++) {
        srn_val v = node->in[k];
        if (v != SRN_NONE && rule.need[k].at != SRN_NONE && s->axis[v].at == SRN_NONE) {
            copy_in(s, v, rule.need[k], 0);
        }
    }
    return !srn_failed(s->err);
}

/* Turned weights: on the way to another core they cost more than turning them there. */
static bool find_local(srn_split *s) {
    const size_t small = 65536;
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        if (s->live[i] && s->kind[i] == SRN_KIND_WHOLE && node->id == SRN_OP_transpose &&
            srn_maker(s->g, node->in[0])->id == SRN_OP_variable &&
            srn_type_bytes(srn_type_of(s->g, node->out)) <= small) {
            s->local[i] = srn_batch_rule_alike(&s->rule[i], node, s->arena, s->err);
        }
    }
    return !srn_failed(s->err);
}

static bool classify(srn_split *s) {
    bool ok = true;
    for (int32_t i = 0; ok && i < s->g->n_nodes; i++) {
        ok = !s->live[i] || classify_node(s, i);
    }
    return ok;
}

/* ---- when ---- */

/* When a node can run that reads v so. */
static int32_t ready(const srn_split *s, srn_val v, srn_axis need) {
    const int32_t maker = srn_split_maker(s, v);
    if (s->kind[maker] == SRN_KIND_WHOLE) {
        return need.at != SRN_NONE && srn_axis_equal(s->copy[v], need) ? s->copy_depth[maker]
                                                                       : s->depth[maker];
    }
    bool direct =
        need.at == SRN_AXIS_PARTIAL ||
        (need.at != SRN_NONE && srn_split_in_region(s, v) && srn_axis_equal(s->axis[v], need));
    return s->depth[maker] + !direct;
}

static bool find_depths(srn_split *s) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        for (int32_t k = 0; s->live[i] && k < node->n_in; k++) {
            if (node->in[k] == SRN_NONE) {
                continue;
            }
            srn_axis need = s->rule[i].need == NULL ? SRN_NO_AXIS : s->rule[i].need[k];
            int32_t depth =
                ready(s, node->in[k], s->kind[i] == SRN_KIND_WHOLE ? SRN_NO_AXIS : need);
            s->depth[i] = depth > s->depth[i] ? depth : s->depth[i];
            depth = ready(s, node->in[k], need);
            s->copy_depth[i] = depth > s->copy_depth[i] ? depth : s->copy_depth[i];
        }
        if (s->live[i] && s->depth[i] >= s->n_regions) {
            s->n_regions = s->depth[i] + 1;
        }
    }
    return s->n_regions <= MOST_REGIONS;
}

static void cross(srn_split *s, int32_t n, const srn_val *values) {
    for (int32_t k = 0; k < n; k++) {
        if (values[k] != SRN_NONE) {
            s->crosses[values[k]] = true;
        }
    }
}

static void find_crossing(srn_split *s) {
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        for (int32_t k = 0; s->live[i] && k < node->n_in; k++) {
            srn_val v = node->in[k];
            if (v == SRN_NONE || s->kind[srn_split_maker(s, v)] == SRN_KIND_WHOLE) {
                continue;
            }
            srn_axis need = s->rule[i].need == NULL ? SRN_NO_AXIS : s->rule[i].need[k];
            bool direct = s->kind[i] != SRN_KIND_WHOLE &&
                          srn_split_way(s, v, need, s->depth[i]) == SRN_WAY_DIRECT;
            bool for_copy = s->kind[i] == SRN_KIND_WHOLE && s->rule[i].need != NULL;
            s->crosses[v] = s->crosses[v] || !direct || for_copy;
        }
    }
    cross(s, s->spec->n_outputs, s->spec->outputs);
    cross(s, s->spec->n_gradients, s->spec->gradients);
    cross(s, s->spec->n_gradients, s->spec->gradient_like);
    cross(s, s->spec->n_assigns, s->spec->assign_values);
}

/* ---- whether ---- */

/* A power of two, so that threads get equal shares; parts of less than 16 rows are slower per row. */
static int64_t count_parts(int64_t batch) {
    for (int64_t parts = SRN_MOST_PARTS; parts > 1; parts /= 2) {
        if (batch % parts == 0 && batch / parts >= GOOD_SAMPLES) {
            return parts;
        }
    }
    return batch % 2 == 0 && batch / 2 >= MIN_SAMPLES ? 2 : 1;
}

static bool is_worth_it(const srn_split *s) {
    double cost = 0;
    for (int32_t i = 0; i < s->g->n_nodes; i++) {
        const srn_node *node = &s->g->nodes[i];
        for (int32_t k = 0; s->live[i] && s->kind[i] != SRN_KIND_WHOLE && k < node->n_out; k++) {
            cost += (double)srn_shape_count(&srn_type_of(s->g, node->out + k)->shape);
        }
    }
    return cost >= 4096 * (double)s->parts;
}

static bool make_room(srn_split *s) {
    size_t nodes = (size_t)s->g->n_nodes + 1, values = (size_t)s->g->n_values + 1;
    s->live = srn_arena_alloc(s->arena, nodes, s->err);
    s->kind = srn_arena_alloc(s->arena, nodes * sizeof *s->kind, s->err);
    s->local = srn_arena_alloc(s->arena, nodes, s->err);
    s->rule = srn_arena_alloc(s->arena, nodes * sizeof *s->rule, s->err);
    s->depth = srn_arena_alloc(s->arena, nodes * sizeof *s->depth, s->err);
    s->copy_depth = srn_arena_alloc(s->arena, nodes * sizeof *s->copy_depth, s->err);
    s->axis = srn_arena_alloc(s->arena, values * sizeof *s->axis, s->err);
    s->copy = srn_arena_alloc(s->arena, values * sizeof *s->copy, s->err);
    s->read = srn_arena_alloc(s->arena, values, s->err);
    s->crosses = srn_arena_alloc(s->arena, values, s->err);
    srn_val **maps[] = {&s->whole,       &s->stacked,     &s->inner,
                        &s->as_sequence, &s->as_constant, &s->inputs};
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        *maps[m] = srn_arena_alloc(s->arena, 2 * values * sizeof **maps[m], s->err);
    }
    for (srn_val v = 0; !srn_failed(s->err) && v < s->g->n_values; v++) {
        s->axis[v] = s->copy[v] = SRN_NO_AXIS;
        s->whole[v] = s->stacked[v] = SRN_NONE;
    }
    return !srn_failed(s->err);
}

srn_graph *srn_batch_split(const srn_graph *g, const srn_compile_spec *spec,
                           srn_compile_spec *spec_out, srn_arena *arena, srn_error *err) {
    srn_split s = {.g = g, .spec = spec, .batch = spec->batch, .arena = arena, .err = err};
    s.parts = count_parts(s.batch);
    if (s.parts < 2 || !make_room(&s)) {
        return NULL;
    }
    find_live(&s);
    if (!classify(&s) || !find_local(&s) || !is_worth_it(&s) || !find_depths(&s)) {
        return NULL;
    }
    find_crossing(&s);
    s.to = srn_graph_new(err);
    if (s.to == NULL || srn_split_emit(&s, spec_out)) {
        return s.to;
    }
    /* Too many axes, say: then the graph stays as it is. Short memory is an error. */
    if (s.to->err.status == SRN_ERR_MEMORY) {
        srn_fail(err, SRN_ERR_MEMORY, "%s", s.to->err.text);
    }
    srn_graph_drop(s.to);
    return NULL;
}
