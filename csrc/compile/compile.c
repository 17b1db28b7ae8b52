/* Graph to plan: simplify, one step per live node, copies where an output needs bytes of its own,
 * bodies of scans compiled the same way, then the memory plan. See plan.h. */
#include "compile/plan.h"

#include <string.h>

#include "base/memory.h"
#include "compile/batch_split.h"
#include "compile/memory_plan.h"
#include "compile/simplify.h"
#include "graph/scan.h"

typedef struct build {
    const srn_graph *g;
    const srn_compile_spec *spec;
    srn_plan *plan;
    srn_arena arena; /* for the time of compiling */
    srn_simplified s;
    int32_t *slot; /* by value: its slot, or SRN_NONE */
    int32_t cap_slots, cap_steps;
    bool *pinned; /* by slot: is an output's or a gradient's already */
    srn_error *err;
} build;

static void *keep(build *b, int64_t n, size_t item) {
    size_t bytes;
    if (!srn_size_mul(&bytes, (size_t)n + 1, item, b->err)) {
        return NULL;
    }
    return srn_arena_alloc(&b->plan->arena, bytes, b->err);
}

static int32_t add_slot(build *b, srn_slot slot) {
    srn_plan *plan = b->plan;
    slot.root = plan->n_slots;
    slot.next_alias = SRN_NONE;
    plan->slots[plan->n_slots] = slot;
    return plan->n_slots++;
}

/* ---- sizes: upper bounds, so that the arrays never move ---- */

static bool start(build *b) {
    const srn_graph *g = b->g;
    const srn_compile_spec *spec = b->spec;
    srn_plan *plan = b->plan;
    int64_t n_values = 0, n_nodes = 0;
    for (int32_t i = 0; i < g->n_nodes; i++) {
        if (b->s.live[i]) {
            n_values += g->nodes[i].n_out;
            n_nodes++;
        }
    }
    /* A copy for each result; a leaf for each variable that is assigned to and not read. */
    int64_t extra = (int64_t)spec->n_outputs + spec->n_gradients + spec->n_assigns;
    int64_t n_slots = n_values + extra + spec->n_assigns;
    plan->slots = keep(b, n_slots, sizeof *plan->slots);
    plan->steps = keep(b, n_nodes + extra, sizeof *plan->steps);
    plan->inputs = keep(b, g->n_inputs, sizeof *plan->inputs);
    plan->variables = keep(b, g->n_variables, sizeof *plan->variables);
    plan->outputs = keep(b, spec->n_outputs, sizeof *plan->outputs);
    plan->assigns = keep(b, spec->n_assigns, sizeof *plan->assigns);
    plan->gradients = keep(b, spec->n_gradients, sizeof *plan->gradients);
    b->slot = srn_arena_alloc(&b->arena, ((size_t)g->n_values + 1) * sizeof *b->slot, b->err);
    b->pinned = srn_arena_alloc(&b->arena, (size_t)n_slots + 1, b->err);
    if (srn_failed(b->err)) {
        return false;
    }
    plan->n_inputs = g->n_inputs;
    plan->n_variables = g->n_variables;
    for (int32_t i = 0; i < g->n_inputs; i++) {
        plan->inputs[i] = SRN_NONE;
    }
    for (int32_t i = 0; i < g->n_variables; i++) {
        plan->variables[i] = SRN_NONE;
    }
    for (srn_val v = 0; v < g->n_values; v++) {
        b->slot[v] = SRN_NONE;
    }
    return true;
}

/* ---- leaves and steps ---- */

static bool add_leaf(build *b, const srn_node *node) {
    srn_plan *plan = b->plan;
    srn_slot slot = {.type = *srn_type_of(b->g, node->out), .offset = node->attr[0].i};
    if (node->id == SRN_OP_constant) {
        slot.home = SRN_HOME_CONSTANT;
        slot.data = srn_arena_copy(&plan->arena, node->payload, srn_type_bytes(&slot.type), b->err);
        if (slot.data == NULL) {
            return false;
        }
    } else {
        slot.home = node->id == SRN_OP_input ? SRN_HOME_INPUT : SRN_HOME_VARIABLE;
    }
    int32_t at = add_slot(b, slot);
    b->slot[node->out] = at;
    if (node->id == SRN_OP_input) {
        plan->inputs[slot.offset] = at;
    } else if (node->id == SRN_OP_variable) {
        plan->variables[slot.offset] = at;
    }
    return true;
}

/* A slice whose elements lie side by side: `skip` is where they begin. */
static bool is_piece(const build *b, const srn_node *node, int64_t *skip) {
    if (node->id != SRN_OP_slice) {
        return false;
    }
    const srn_shape *from = &srn_type_of(b->g, node->in[0])->shape;
    const srn_shape *to = &srn_type_of(b->g, node->out)->shape;
    srn_ints start = node->attr[0].ints, step = node->attr[2].ints;
    int64_t stride = 1;
    bool whole = true; /* all axes behind are */
    *skip = 0;
    for (int32_t axis = from->rank - 1; axis >= 0; axis--) {
        bool row = to->dim[axis] == 1 || step.v[axis] == 1;
        if (!row || (!whole && to->dim[axis] != 1)) {
            return false;
        }
        *skip += start.v[axis] * stride;
        stride *= from->dim[axis];
        whole = whole && to->dim[axis] == from->dim[axis];
    }
    return srn_shape_count(to) > 0;
}

static void add_alias(build *b, const srn_node *node, int64_t skip) {
    srn_plan *plan = b->plan;
    int32_t of = b->slot[b->s.same[node->in[0]]], root = plan->slots[of].root;
    int32_t at = add_slot(b, plan->slots[root]);
    plan->slots[at].type = *srn_type_of(b->g, node->out);
    plan->slots[at].root = root;
    plan->slots[at].shift =
        plan->slots[of].shift + skip * (int64_t)srn_dtype_size(plan->slots[at].type.dtype);
    plan->slots[at].next_alias = plan->slots[root].next_alias;
    plan->slots[root].next_alias = at;
    b->slot[node->out] = at;
}

static const srn_attr *keep_attrs(build *b, const srn_node *node) {
    static const srn_attr none;
    int32_t n = 0;
    while (node->op->attrs != NULL && node->op->attrs[n].name != NULL) {
        n++;
    }
    if (n == 0) {
        return &none;
    }
    srn_attr *attr = srn_arena_copy(&b->plan->arena, node->attr, (size_t)n * sizeof *attr, b->err);
    for (int32_t i = 0; attr != NULL && i < n; i++) {
        if (node->op->attrs[i].kind == SRN_ATTR_INTS && attr[i].ints.n > 0) {
            attr[i].ints.v = srn_arena_copy(&b->plan->arena, attr[i].ints.v,
                                            (size_t)attr[i].ints.n * sizeof(int64_t), b->err);
        } else if (node->op->attrs[i].kind == SRN_ATTR_BODY) {
            attr[i].body = NULL; /* its plan is in the step */
        }
    }
    return srn_failed(b->err) ? NULL : attr;
}

static double cost_of(const srn_op *op, const srn_infer *x) {
    if (op->cost != NULL) {
        return op->cost(x);
    }
    double cost = 0;
    for (int32_t i = 0; i < x->n_in; i++) {
        cost += x->in[i] == NULL ? 0 : (double)srn_shape_count(&x->in[i]->shape);
    }
    for (int32_t i = 0; i < x->n_out; i++) {
        cost += (double)srn_shape_count(&x->out[i].shape);
    }
    return cost;
}

/* Rows per block such that a block is worth a thread; never a matter of how many there are. */
static void partition(srn_step *step, int64_t rows, int64_t min_block) {
    double block = step->cost > SRN_WORTH_A_THREAD ? (double)rows * SRN_WORTH_A_THREAD / step->cost
                                                   : (double)rows;
    int64_t block_rows = (int64_t)block + 1;
    block_rows = block_rows < min_block ? min_block : block_rows;
    step->rows = rows;
    step->block_rows = block_rows > rows ? rows : block_rows;
    if (step->block_rows < 1) {
        step->block_rows = 1; /* no rows: no block either */
    }
}

/* A scan: T times its body, whose steps are independent of each other when there is no state. */
static void measure_scan(srn_step *step) {
    double each = 0;
    for (int32_t i = 0; i < step->body->n_steps; i++) {
        each += step->body->steps[i].cost;
    }
    int64_t length = step->attr[SRN_SCAN_LENGTH].i;
    step->cost = (double)length * each;
    partition(step, step->attr[SRN_SCAN_N_STATE].i == 0 ? length : 1, 1);
}

/* What the shape rule saw, once more: for scratch, rows and cost. */
static bool measure(build *b, srn_step *step) {
    const srn_type **in = srn_arena_alloc(&b->arena, ((size_t)step->n_in + 1) * sizeof *in, b->err);
    srn_type *out = srn_arena_alloc(&b->arena, ((size_t)step->n_out + 1) * sizeof *out, b->err);
    if (srn_failed(b->err)) {
        return false;
    }
    for (int32_t i = 0; i < step->n_in; i++) {
        in[i] = step->in[i] == SRN_NONE ? NULL : &b->plan->slots[step->in[i]].type;
    }
    for (int32_t i = 0; i < step->n_out; i++) {
        out[i] = b->plan->slots[step->out[i]].type;
    }
    srn_infer x = {
        .n_in = step->n_in, .in = in, .attr = step->attr, .n_out = step->n_out, .out = out};
    step->cost = cost_of(step->op, &x);
    partition(step, step->op->parallel == SRN_ROWS ? step->op->rows(&x) : 1, step->op->min_block);
    step->scratch = step->op->scratch == NULL ? 0 : srn_round_up(step->op->scratch(&x), SRN_ALIGN);
    if (step->scratch > b->plan->scratch_bytes) {
        b->plan->scratch_bytes = step->scratch;
    }
    return true;
}

/* The body's plan: new states, and those stacked outputs that are read. The step's outputs become
 * just these. */
static bool compile_body(build *b, const srn_node *node, srn_step *step) {
    srn_ints outputs = node->attr[SRN_SCAN_OUTPUTS].ints;
    int32_t n_state = (int32_t)node->attr[SRN_SCAN_N_STATE].i;
    srn_val *wanted = srn_arena_alloc(&b->arena, ((size_t)outputs.n + 1) * sizeof *wanted, b->err);
    int32_t *out = keep(b, outputs.n, sizeof *out);
    if (srn_failed(b->err)) {
        return false;
    }
    int32_t n = 0;
    for (int32_t k = 0; k < outputs.n; k++) {
        if (k < n_state || b->s.readers[node->out + k] > 0) {
            out[n] = step->out[k];
            wanted[n++] = (srn_val)outputs.v[k];
        }
    }
    srn_compile_spec spec = {.n_outputs = n, .outputs = wanted, .n_state = n_state};
    step->body = srn_compile(node->attr[SRN_SCAN_BODY].body, &spec, b->err);
    step->out = out;
    step->n_out = n;
    if (step->body != NULL) {
        measure_scan(step);
    }
    return step->body != NULL;
}

static bool add_step(build *b, const srn_node *node) {
    srn_plan *plan = b->plan;
    srn_step *step = &plan->steps[plan->n_steps];
    int32_t *in = keep(b, node->n_in, sizeof *in), *out = keep(b, node->n_out, sizeof *out);
    *step =
        (srn_step){.op = node->op, .n_in = node->n_in, .n_out = node->n_out, .in = in, .out = out};
    step->attr = keep_attrs(b, node);
    step->scope = srn_arena_string(&plan->arena, node->scope, b->err);
    if (srn_failed(b->err)) {
        return false;
    }
    for (int32_t i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] == SRN_NONE ? SRN_NONE : b->slot[b->s.same[node->in[i]]];
    }
    for (int32_t k = 0; k < node->n_out; k++) {
        srn_val v = node->out + k;
        srn_home home = b->s.readers[v] > 0 ? SRN_HOME_BLOCK : SRN_HOME_NOWHERE;
        out[k] = b->slot[v] = add_slot(b, (srn_slot){.type = *srn_type_of(b->g, v), .home = home});
    }
    plan->n_steps++; /* from here on srn_plan_drop sees the body */
    return node->id == SRN_OP_scan ? compile_body(b, node, step) : measure(b, step);
}

/* A product that starts from the row which `node` adds to it: the product's node with a third
 * input and the sum's output. */
static bool add_absorbing_step(build *b, const srn_node *node, const srn_node *product) {
    bool first = b->s.same[node->in[0]] == product->out;
    srn_val in[] = {product->in[0], product->in[1], node->in[first ? 1 : 0]};
    srn_node merged = *product;
    merged.n_in = 3;
    merged.in = in;
    merged.out = node->out;
    return add_step(b, &merged);
}

static bool add_node(build *b, int32_t number) {
    const srn_node *node = &b->g->nodes[number];
    if (node->id == SRN_OP_input || node->id == SRN_OP_variable || node->id == SRN_OP_constant) {
        return add_leaf(b, node);
    }
    int64_t skip = 0;
    if ((node->op->flags & SRN_FLAG_ALIAS) || is_piece(b, node, &skip)) {
        add_alias(b, node, skip);
        return true;
    }
    int32_t absorbed = b->s.absorbs[number];
    return absorbed == SRN_NONE ? add_step(b, node)
                                : add_absorbing_step(b, node, &b->g->nodes[absorbed]);
}

static bool add_steps(build *b) {
    for (int32_t i = 0; i < b->g->n_nodes; i++) {
        if (b->s.live[i] && !add_node(b, i)) {
            return false;
        }
    }
    return true;
}

/* ---- outputs, gradients, assigns ---- */

/* A step that makes a new slot out of nothing or of another slot. */
static int32_t add_extra(build *b, srn_op_id id, srn_type type, int32_t from, srn_attr *attrs) {
    srn_plan *plan = b->plan;
    int32_t *in = keep(b, 1, sizeof *in), *out = keep(b, 1, sizeof *out);
    if (srn_failed(b->err)) {
        return SRN_NONE;
    }
    in[0] = from;
    out[0] = add_slot(b, (srn_slot){.type = type, .home = SRN_HOME_BLOCK});
    srn_step *step = &plan->steps[plan->n_steps++];
    *step = (srn_step){.op = srn_ops[id],
                       .n_in = from == SRN_NONE ? 0 : 1,
                       .n_out = 1,
                       .in = in,
                       .out = out,
                       .attr = attrs};
    return measure(b, step) ? out[0] : SRN_NONE;
}

/* The value's slot, or a copy of it where its bytes are not in the block, or not its own, or part of
 * others. */
static int32_t own_slot(build *b, srn_val v, bool shared) {
    int32_t at = b->slot[b->s.same[v]];
    int32_t root = b->plan->slots[at].root;
    const srn_type *type = &b->plan->slots[at].type, *all = &b->plan->slots[root].type;
    if (b->plan->slots[root].home != SRN_HOME_BLOCK || (!shared && b->pinned[root]) ||
        srn_type_bytes(type) != srn_type_bytes(all)) {
        at = add_extra(b, SRN_OP_copy, *type, at, NULL);
        root = at;
    }
    if (at != SRN_NONE && !shared) {
        b->pinned[root] = true;
    }
    return at;
}

static int32_t zero_slot(build *b, srn_type type) {
    srn_attr *attrs = keep(b, 3, sizeof *attrs);
    int64_t *dims = keep(b, SRN_MAX_RANK, sizeof *dims);
    if (srn_failed(b->err)) {
        return SRN_NONE;
    }
    memcpy(dims, type.shape.dim, sizeof type.shape.dim);
    attrs[0].ints = (srn_ints){type.shape.rank, dims};
    attrs[1].f = 0;
    attrs[2].i = type.dtype;
    int32_t at = add_extra(b, SRN_OP_fill, type, SRN_NONE, attrs);
    if (at != SRN_NONE) {
        b->pinned[at] = true;
    }
    return at;
}

static bool add_results(build *b, int32_t *gradient_slots) {
    const srn_compile_spec *spec = b->spec;
    srn_plan *plan = b->plan;
    for (int32_t i = 0; i < spec->n_gradients; i++) {
        srn_val v = spec->gradients[i];
        gradient_slots[i] = v == SRN_NONE ? zero_slot(b, *srn_type_of(b->g, spec->gradient_like[i]))
                                          : own_slot(b, v, false);
        if (gradient_slots[i] == SRN_NONE) {
            return false;
        }
        const srn_type *type = &plan->slots[gradient_slots[i]].type;
        if (i > 0 && type->dtype != plan->gradient_dtype) {
            return srn_fail(b->err, SRN_ERR_TYPE,
                            "all trainable variables need one dtype, got float32 and float64");
        }
        plan->gradient_dtype = type->dtype;
        plan->gradients[i + 1] = plan->gradients[i] + srn_shape_count(&type->shape);
    }
    plan->n_gradients = spec->n_gradients;
    for (int32_t i = spec->n_state; i < spec->n_outputs; i++) {
        plan->outputs[i] = own_slot(b, spec->outputs[i], false);
    }
    for (int32_t i = 0; i < spec->n_state; i++) {
        plan->outputs[i] = own_slot(b, spec->outputs[i], true);
    }
    plan->n_outputs = spec->n_outputs;
    for (int32_t i = 0; i < spec->n_assigns && !srn_failed(b->err); i++) {
        int32_t at = own_slot(b, spec->assign_values[i], true);
        plan->assigns[i] = (srn_assign){spec->assign_variables[i], at};
    }
    plan->n_assigns = spec->n_assigns;
    return !srn_failed(b->err);
}

static bool check_spec(const srn_graph *g, const srn_compile_spec *spec, srn_error *err) {
    const struct {
        int32_t n;
        const srn_val *values;
        bool optional;
    } lists[] = {
        {spec->n_outputs, spec->outputs, false},
        {spec->n_gradients, spec->gradients, true},
        {spec->n_gradients, spec->gradient_like, false},
        {spec->n_assigns, spec->assign_values, false},
    };
    if (srn_failed(&g->err)) {
        return srn_fail(err, g->err.status, "%s", g->err.text);
    }
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        for (int32_t i = 0; i < lists[l].n; i++) {
            srn_val v = lists[l].values[i];
            if ((v < 0 || v >= g->n_values) && !(lists[l].optional && v == SRN_NONE)) {
                return srn_fail(err, SRN_ERR_VALUE, "compile: %d is no value of this graph",
                                (int)v);
            }
        }
    }
    for (int32_t i = 0; i < spec->n_assigns; i++) {
        if (spec->assign_variables[i] < 0 || spec->assign_variables[i] >= g->n_variables) {
            return srn_fail(err, SRN_ERR_VALUE, "compile: the graph has no variable %d",
                            (int)spec->assign_variables[i]);
        }
    }
    return true;
}

/* assign needs the variable's type; a variable that only is assigned to gets a slot too. */
static bool check_assigns(build *b) {
    for (int32_t i = 0; i < b->g->n_nodes; i++) {
        const srn_node *node = &b->g->nodes[i];
        for (int32_t k = 0; node->id == SRN_OP_variable && k < b->spec->n_assigns; k++) {
            if (node->attr[0].i != b->spec->assign_variables[k]) {
                continue;
            }
            const srn_type *to = srn_type_of(b->g, node->out);
            const srn_type *from = srn_type_of(b->g, b->spec->assign_values[k]);
            if (to->dtype != from->dtype || !srn_shape_equal(&to->shape, &from->shape)) {
                char a[SRN_SHAPE_TEXT], c[SRN_SHAPE_TEXT];
                return srn_fail(b->err, SRN_ERR_VALUE, "assign: the variable is %s %s, got %s %s",
                                srn_dtype_name(to->dtype), srn_shape_text(a, &to->shape),
                                srn_dtype_name(from->dtype), srn_shape_text(c, &from->shape));
            }
            if (b->slot[node->out] == SRN_NONE && !add_leaf(b, node)) {
                return false;
            }
        }
    }
    return true;
}

static srn_plan *compile_split(const srn_graph *g, const srn_compile_spec *spec, srn_error *err) {
    srn_arena arena;
    srn_arena_init(&arena);
    srn_compile_spec in_parts;
    srn_graph *split = srn_batch_split(g, spec, &in_parts, &arena, err);
    srn_plan *plan = split == NULL ? NULL : srn_compile(split, &in_parts, err);
    srn_graph_drop(split);
    srn_arena_deinit(&arena);
    return plan;
}

srn_plan *srn_compile(const srn_graph *g, const srn_compile_spec *spec, srn_error *err) {
    if (!check_spec(g, spec, err)) {
        return NULL;
    }
    srn_plan *in_parts = spec->batch > 1 ? compile_split(g, spec, err) : NULL;
    if (in_parts != NULL || srn_failed(err)) {
        return in_parts;
    }
    build b = {.g = g, .spec = spec, .err = err};
    srn_arena_init(&b.arena);
    b.plan = srn_alloc_zero(sizeof *b.plan, err);
    bool ok = b.plan != NULL;
    if (ok) {
        srn_arena_init(&b.plan->arena);
        int32_t *gradient_slots =
            srn_arena_alloc(&b.arena, ((size_t)spec->n_gradients + 1) * sizeof *gradient_slots,
                            err);
        ok = gradient_slots != NULL && srn_simplify(&b.s, g, spec, &b.arena, err) && start(&b) &&
             add_steps(&b) && check_assigns(&b) && add_results(&b, gradient_slots) &&
             srn_plan_memory(b.plan, gradient_slots, &b.arena, err);
    }
    srn_arena_deinit(&b.arena);
    if (!ok) {
        srn_plan_drop(b.plan);
        return NULL;
    }
    return b.plan;
}
