/* Building a graph: nodes and values appended to growing arrays, everything they point to in the
 * arena. See graph.h. */
#include "graph/graph.h"

#include <string.h>

#include "base/memory.h"

srn_graph *srn_graph_new(srn_error *err) {
    srn_graph *g = srn_alloc_zero(sizeof *g, err);
    if (g != NULL) {
        srn_arena_init(&g->arena);
    }
    return g;
}

void srn_graph_drop(srn_graph *g) {
    if (g == NULL) {
        return;
    }
    for (srn_graph *body = g->bodies, *next; body != NULL; body = next) {
        next = body->next_body;
        srn_graph_drop(body); /* as deep as scans are nested */
    }
    srn_arena_deinit(&g->arena);
    srn_free(g->nodes);
    srn_free(g->values);
    srn_free(g);
}

/* Makes room for `more` items in a growing array. */
static bool reserve(void **array, int32_t *cap, int32_t n, int32_t more, size_t item,
                    srn_error *err) {
    if (n > INT32_MAX - more) {
        return srn_fail(err, SRN_ERR_VALUE, "the graph has too many nodes: 2^31 at most");
    }
    if (n + more <= *cap) {
        return true;
    }
    int64_t cap_new = *cap < 32 ? 64 : 2 * (int64_t)*cap;
    if (cap_new < n + more) {
        cap_new = n + more;
    }
    if (cap_new > INT32_MAX) {
        cap_new = INT32_MAX;
    }
    size_t bytes;
    if (!srn_size_mul(&bytes, (size_t)cap_new, item, err)) {
        return false;
    }
    void *array_new = srn_alloc(bytes, err);
    if (array_new == NULL) {
        return false;
    }
    if (n > 0) {
        memcpy(array_new, *array, (size_t)n * item);
    }
    srn_free(*array);
    *array = array_new;
    *cap = (int32_t)cap_new;
    return true;
}

/* The node in the arena's terms: inputs and attributes must live as long as the graph. */
static srn_val append(srn_graph *g, const srn_node *node, const srn_type *types) {
    srn_error *err = &g->err;
    if (!reserve((void **)&g->nodes, &g->cap_nodes, g->n_nodes, 1, sizeof *g->nodes, err) ||
        !reserve((void **)&g->values, &g->cap_values, g->n_values, node->n_out, sizeof *g->values,
                 err)) {
        return SRN_NONE;
    }
    srn_node *mine = &g->nodes[g->n_nodes];
    *mine = *node;
    mine->out = g->n_values;
    for (int32_t i = 0; i < node->n_out; i++) {
        g->values[g->n_values++] = (srn_value){types[i], g->n_nodes, i};
    }
    g->n_nodes++;
    return mine->out;
}

/* ---- leaves ---- */

static srn_val emit_leaf(srn_graph *g, srn_op_id id, int64_t number, srn_type type,
                         const void *payload, size_t payload_bytes) {
    srn_error *err = &g->err;
    if (srn_failed(err) || !srn_shape_check(&type.shape, err)) {
        return SRN_NONE;
    }
    srn_attr attr = {.i = number};
    srn_node node = {.op = srn_ops[id], .id = id, .n_out = 1, .scope = g->scope};
    node.attr = srn_arena_copy(&g->arena, &attr, sizeof attr, err);
    if (payload != NULL) {
        node.payload = srn_arena_copy(&g->arena, payload, payload_bytes, err);
    }
    return srn_failed(err) ? SRN_NONE : append(g, &node, &type);
}

static size_t name_bytes(const char *name) {
    return name == NULL ? 0 : strlen(name) + 1;
}

srn_val srn_emit_input(srn_graph *g, const char *name, srn_type type) {
    srn_val v = emit_leaf(g, SRN_OP_input, g->n_inputs, type, name, name_bytes(name));
    g->n_inputs += v != SRN_NONE;
    return v;
}

srn_val srn_emit_variable(srn_graph *g, const char *name, srn_type type) {
    srn_val v = emit_leaf(g, SRN_OP_variable, g->n_variables, type, name, name_bytes(name));
    g->n_variables += v != SRN_NONE;
    return v;
}

srn_val srn_emit_constant(srn_graph *g, srn_type type, const void *data) {
    if (srn_failed(&g->err) || !srn_shape_check(&type.shape, &g->err)) {
        return SRN_NONE;
    }
    return emit_leaf(g, SRN_OP_constant, 0, type, data, srn_type_bytes(&type));
}

srn_val srn_emit_scalar(srn_graph *g, srn_dtype dtype, double value) {
    srn_type type = {dtype, {0, {0}}};
    float f32 = (float)value;
    int32_t i32 = (int32_t)value;
    int64_t i64 = (int64_t)value;
    bool flag = value != 0;
    const void *data[SRN_N_DTYPES] = {
        [SRN_F32] = &f32, [SRN_F64] = &value, [SRN_I32] = &i32,
        [SRN_I64] = &i64, [SRN_BOOL] = &flag,
    };
    return srn_emit_constant(g, type, data[dtype]);
}

/* ---- any op ---- */

static int32_t count_attrs(const srn_op *op) {
    int32_t n = 0;
    while (op->attrs != NULL && op->attrs[n].name != NULL) {
        n++;
    }
    return n;
}

static bool own_body(srn_graph *g, srn_attr *attr) {
    srn_graph *body = srn_graph_clone(attr->body, &g->err);
    if (body == NULL) {
        return false;
    }
    body->next_body = g->bodies;
    g->bodies = body;
    attr->body = body;
    return true;
}

/* The attributes in the arena: given ones or defaults, lists and bodies copied. */
static const srn_attr *own_attrs(srn_graph *g, const srn_op *op, const srn_attr *attrs) {
    static const srn_attr none;
    int32_t n = count_attrs(op);
    if (n == 0) {
        return &none;
    }
    srn_attr *mine = srn_arena_alloc(&g->arena, (size_t)n * sizeof *mine, &g->err);
    for (int32_t i = 0; mine != NULL && i < n; i++) {
        const srn_attr_spec *spec = &op->attrs[i];
        if (attrs == NULL && spec->required) {
            srn_fail(&g->err, SRN_ERR_INTERNAL, "%s: attribute '%s' is missing", op->name,
                     spec->name);
            return NULL;
        }
        mine[i] = attrs == NULL ? spec->dflt : attrs[i];
        if (spec->kind == SRN_ATTR_INTS && mine[i].ints.n > 0) {
            mine[i].ints.v = srn_arena_copy(&g->arena, mine[i].ints.v,
                                            (size_t)mine[i].ints.n * sizeof(int64_t), &g->err);
            if (mine[i].ints.v == NULL) {
                return NULL;
            }
        } else if (spec->kind == SRN_ATTR_BODY && !own_body(g, &mine[i])) {
            return NULL;
        }
    }
    return mine;
}

static bool check_inputs(srn_graph *g, const srn_op *op, int32_t n_in, const srn_val *in) {
    if (n_in < op->min_in || (op->max_in >= 0 && n_in > op->max_in)) {
        return srn_fail(&g->err, SRN_ERR_VALUE, "%s: got %d inputs, expected %d to %d", op->name,
                        (int)n_in, (int)op->min_in, (int)op->max_in);
    }
    for (int32_t i = 0; i < n_in; i++) {
        bool absent = in[i] == SRN_NONE && (op->flags & SRN_FLAG_OPTIONAL) != 0;
        if (!absent && (in[i] < 0 || in[i] >= g->n_values)) {
            return srn_fail(&g->err, SRN_ERR_VALUE,
                            "%s: input %d is %d, which is no value of this graph (0 to %d)",
                            op->name, (int)i, (int)in[i], (int)g->n_values - 1);
        }
    }
    return true;
}

/* How many outputs: fixed, or as many as the attribute `outputs` lists. */
static int32_t count_outputs(const srn_op *op, const srn_attr *attrs) {
    if (op->n_out >= 0) {
        return op->n_out;
    }
    for (int32_t i = 0;; i++) {
        if (strcmp(op->attrs[i].name, "outputs") == 0) {
            return attrs[i].ints.n;
        }
    }
}

/* Runs the shape rule; types_out has room for n_out. */
static bool infer_types(srn_graph *g, const srn_op *op, int32_t n_in, const srn_val *in,
                        const srn_attr *attr, int32_t n_out, srn_type *types_out) {
    enum { FEW = 16 };
    const srn_type *few[FEW];
    const srn_type **types_in = few;
    if (n_in > FEW) {
        types_in = srn_alloc((size_t)n_in * sizeof *types_in, &g->err);
        if (types_in == NULL) {
            return false;
        }
    }
    for (int32_t i = 0; i < n_in; i++) {
        types_in[i] = in[i] == SRN_NONE ? NULL : srn_type_of(g, in[i]);
    }
    srn_infer x = {.n_in = n_in, .in = types_in, .attr = attr, .n_out = n_out, .out = types_out};
    bool ok = op->infer(&x, &g->err);
    for (int32_t i = 0; ok && i < n_out; i++) {
        ok = srn_shape_check(&types_out[i].shape, &g->err);
    }
    if (types_in != few) {
        srn_free(types_in);
    }
    return ok;
}

srn_val srn_emit(srn_graph *g, srn_op_id id, int32_t n_in, const srn_val *in,
                 const srn_attr *attrs) {
    const srn_op *op = srn_ops[id];
    srn_error *err = &g->err;
    if (srn_failed(err) || !check_inputs(g, op, n_in, in)) {
        return SRN_NONE;
    }
    if (op->infer == NULL) {
        srn_fail(err, SRN_ERR_VALUE, "%s: leaves have their own emit functions", op->name);
        return SRN_NONE;
    }
    const srn_attr *attr = own_attrs(g, op, attrs);
    if (attr == NULL) {
        return SRN_NONE;
    }
    int32_t n_out = count_outputs(op, attr);
    srn_type few[SRN_MAX_OUT] = {{0, {0, {0}}}};
    srn_type *types = few;
    if (n_out > SRN_MAX_OUT) {
        types = srn_alloc_zero((size_t)n_out * sizeof *types, err);
        if (types == NULL) {
            return SRN_NONE;
        }
    }
    srn_val out = SRN_NONE;
    if (infer_types(g, op, n_in, in, attr, n_out, types)) {
        srn_node node = {
            .op = op, .id = id, .n_in = n_in, .n_out = n_out, .attr = attr, .scope = g->scope};
        node.in = srn_arena_copy(&g->arena, in, (size_t)n_in * sizeof *in, err);
        out = node.in == NULL ? SRN_NONE : append(g, &node, types);
    }
    if (types != few) {
        srn_free(types);
    }
    return out;
}

/* ---- copies ---- */

bool srn_import_node(srn_graph *g, const srn_graph *from, int32_t number, srn_val *map) {
    const srn_node *node = &from->nodes[number];
    if (node->id == SRN_OP_constant) {
        map[node->out] = srn_emit_constant(g, *srn_type_of(from, node->out), node->payload);
        return map[node->out] != SRN_NONE;
    }
    enum { FEW = 16 };
    srn_val few[FEW];
    srn_val *in = few;
    if (node->n_in > FEW) {
        in = srn_alloc((size_t)node->n_in * sizeof *in, &g->err);
        if (in == NULL) {
            return false;
        }
    }
    for (int32_t i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] == SRN_NONE ? SRN_NONE : map[node->in[i]];
    }
    srn_val out = srn_emit(g, node->id, node->n_in, in, node->attr);
    for (int32_t i = 0; out != SRN_NONE && i < node->n_out; i++) {
        map[node->out + i] = out + i;
    }
    if (in != few) {
        srn_free(in);
    }
    return out != SRN_NONE;
}

static bool import_leaf(srn_graph *g, const srn_graph *from, const srn_node *node, srn_val *map) {
    srn_type type = *srn_type_of(from, node->out);
    map[node->out] = node->id == SRN_OP_input ? srn_emit_input(g, node->payload, type)
                                              : srn_emit_variable(g, node->payload, type);
    return map[node->out] != SRN_NONE;
}

srn_graph *srn_graph_clone(const srn_graph *from, srn_error *err) {
    srn_graph *g = srn_graph_new(err);
    srn_val *map = srn_alloc(((size_t)from->n_values + 1) * sizeof *map, err);
    bool ok = g != NULL && map != NULL;
    for (int32_t i = 0; ok && i < from->n_nodes; i++) {
        const srn_node *node = &from->nodes[i];
        g->scope = srn_arena_string(&g->arena, node->scope, &g->err);
        bool leaf = node->id == SRN_OP_input || node->id == SRN_OP_variable;
        ok = leaf ? import_leaf(g, from, node, map) : srn_import_node(g, from, i, map);
    }
    srn_free(map);
    if (!ok && g != NULL) {
        if (srn_failed(&g->err)) {
            srn_fail(err, g->err.status, "%s", g->err.text);
        }
        srn_graph_drop(g);
        return NULL;
    }
    if (ok) {
        g->scope = NULL;
    }
    return ok ? g : NULL;
}
