/* Simplification; see simplify.h.
 *
 * One walk forward gives each value the earliest value that equals it: by a hash table over
 * (op, inputs, attributes), and by a few rules (a transpose of a transpose, a reshape to the same
 * shape, times one). One walk backward marks what is alive; then a product takes in the row that
 * is added to it. Time and memory linear in the number of nodes.
 */
#include "compile/simplify.h"

#include <string.h>

#include "base/memory.h"

typedef struct table { /* node numbers by hash; SRN_NONE is empty; size is a power of two */
    int32_t *slots;
    uint64_t size;
} table;

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++) {
        hash = mix(hash, p[i]);
    }
    return hash;
}

static uint64_t hash_attr(uint64_t hash, srn_attr_kind kind, const srn_attr *attr) {
    if (kind == SRN_ATTR_INTS) {
        hash = mix(hash, (uint64_t)attr->ints.n);
        return attr->ints.n == 0
                   ? hash
                   : hash_bytes(hash, attr->ints.v, (size_t)attr->ints.n * sizeof(int64_t));
    }
    return kind == SRN_ATTR_FLOAT ? hash_bytes(hash, &attr->f, sizeof attr->f)
                                  : mix(hash, (uint64_t)attr->i);
}

static bool equal_attr(srn_attr_kind kind, const srn_attr *a, const srn_attr *b) {
    if (kind == SRN_ATTR_INTS) {
        return a->ints.n == b->ints.n &&
               (a->ints.n == 0 ||
                memcmp(a->ints.v, b->ints.v, (size_t)a->ints.n * sizeof(int64_t)) == 0);
    }
    return kind == SRN_ATTR_FLOAT ? memcmp(&a->f, &b->f, sizeof a->f) == 0 : a->i == b->i;
}

enum { SMALL_CONSTANT = 64 }; /* bytes: larger ones are not compared */

static size_t constant_bytes(const srn_graph *g, const srn_node *node) {
    return srn_type_bytes(srn_type_of(g, node->out));
}

/* Nodes that may be merged with an equal one. */
static bool is_mergeable(const srn_graph *g, const srn_node *node) {
    switch (node->id) {
    case SRN_OP_input:
    case SRN_OP_variable:
    case SRN_OP_scan: /* comparing bodies is not worth it */
        return false;
    case SRN_OP_constant:
        return constant_bytes(g, node) <= SMALL_CONSTANT;
    default:
        return (node->op->flags & SRN_FLAG_RANDOM) == 0;
    }
}

static srn_val same_input(const srn_val *same, const srn_node *node, int32_t i) {
    return node->in[i] == SRN_NONE ? SRN_NONE : same[node->in[i]];
}

static uint64_t hash_node(const srn_graph *g, const srn_node *node, const srn_val *same) {
    uint64_t hash = mix(17, node->id);
    for (int32_t i = 0; i < node->n_in; i++) {
        hash = mix(hash, (uint64_t)(int64_t)same_input(same, node, i));
    }
    if (node->id == SRN_OP_constant) {
        return hash_bytes(hash, node->payload, constant_bytes(g, node));
    }
    for (int32_t i = 0; node->op->attrs != NULL && node->op->attrs[i].name != NULL; i++) {
        hash = hash_attr(hash, node->op->attrs[i].kind, &node->attr[i]);
    }
    return hash;
}

static bool equal_nodes(const srn_graph *g, const srn_node *a, const srn_node *b,
                        const srn_val *same) {
    if (a->id != b->id || a->n_in != b->n_in) {
        return false;
    }
    for (int32_t i = 0; i < a->n_in; i++) {
        if (same_input(same, a, i) != same_input(same, b, i)) {
            return false;
        }
    }
    if (a->id == SRN_OP_constant) {
        const srn_type *type = srn_type_of(g, a->out), *other = srn_type_of(g, b->out);
        return type->dtype == other->dtype && srn_shape_equal(&type->shape, &other->shape) &&
               memcmp(a->payload, b->payload, constant_bytes(g, a)) == 0;
    }
    for (int32_t i = 0; a->op->attrs != NULL && a->op->attrs[i].name != NULL; i++) {
        if (!equal_attr(a->op->attrs[i].kind, &a->attr[i], &b->attr[i])) {
            return false;
        }
    }
    return true;
}

/* The number of an equal earlier node, or of this one, which is entered. */
static int32_t find_equal(table *t, const srn_graph *g, int32_t number, const srn_val *same) {
    const srn_node *node = &g->nodes[number];
    uint64_t at = hash_node(g, node, same);
    for (;; at++) {
        int32_t *slot = &t->slots[at & (t->size - 1)];
        if (*slot == SRN_NONE) {
            *slot = number;
            return number;
        }
        if (equal_nodes(g, &g->nodes[*slot], node, same)) {
            return *slot;
        }
    }
}

static bool is_scalar_constant(const srn_graph *g, srn_val v, double value) {
    const srn_node *node = srn_maker(g, v);
    const srn_type *type = srn_type_of(g, v);
    if (node->id != SRN_OP_constant || srn_shape_count(&type->shape) != 1) {
        return false;
    }
    return type->dtype == SRN_F32   ? *(const float *)node->payload == (float)value
           : type->dtype == SRN_F64 ? *(const double *)node->payload == value
                                    : false;
}

static bool is_undone(const srn_graph *g, const srn_node *node, srn_val v) {
    const srn_node *before = srn_maker(g, v);
    if (before->id != SRN_OP_transpose) {
        return false;
    }
    srn_ints first = before->attr[0].ints, second = node->attr[0].ints;
    for (int32_t i = 0; i < second.n; i++) {
        if (first.v[second.v[i]] != i) {
            return false;
        }
    }
    return true;
}

/* An operand of `node` that equals its result, or SRN_NONE. */
static srn_val unchanged(const srn_graph *g, const srn_node *node, const srn_val *same) {
    if (node->n_in == 0 || node->n_out != 1 || node->in[0] == SRN_NONE) {
        return SRN_NONE;
    }
    srn_val a = same[node->in[0]];
    const srn_type *type = srn_type_of(g, node->out), *from = srn_type_of(g, a);
    bool alike = type->dtype == from->dtype && srn_shape_equal(&type->shape, &from->shape);
    switch (node->id) {
    case SRN_OP_reshape:
    case SRN_OP_broadcast_to:
    case SRN_OP_cast:
    case SRN_OP_stop_gradient:
        return alike ? a : SRN_NONE;
    case SRN_OP_transpose:
        return is_undone(g, node, a) ? same[srn_maker(g, a)->in[0]] : SRN_NONE;
    case SRN_OP_mul:
    case SRN_OP_div:
        return alike && is_scalar_constant(g, same[node->in[1]], 1) ? a : SRN_NONE;
    default:
        return SRN_NONE;
    }
}

static bool merge(srn_simplified *s, const srn_graph *g, srn_arena *arena, srn_error *err) {
    table t = {.size = 16};
    while (t.size < 2 * (uint64_t)g->n_nodes) {
        t.size *= 2;
    }
    t.slots = srn_arena_alloc(arena, t.size * sizeof *t.slots, err);
    if (t.slots == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < t.size; i++) {
        t.slots[i] = SRN_NONE;
    }
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const srn_node *node = &g->nodes[i];
        srn_val other = unchanged(g, node, s->same);
        int32_t equal =
            other == SRN_NONE && is_mergeable(g, node) ? find_equal(&t, g, i, s->same) : i;
        for (int32_t k = 0; k < node->n_out; k++) {
            s->same[node->out + k] = other != SRN_NONE ? other : g->nodes[equal].out + k;
        }
    }
    return true;
}

static void mark(srn_simplified *s, const srn_graph *g, int32_t n, const srn_val *values) {
    for (int32_t i = 0; i < n; i++) {
        if (values[i] != SRN_NONE) {
            srn_val v = s->same[values[i]];
            s->readers[v]++;
            s->live[g->values[v].node] = true;
        }
    }
}

/* A product whose only reader adds a row to it, or a matrix of its size: the product can start from
 * that. The product dies, and the sum becomes a product of three inputs. Returns the product's node. */
static int32_t product_to_absorb(const srn_simplified *s, const srn_graph *g,
                                 const srn_node *node) {
    if (node->id != SRN_OP_add) {
        return SRN_NONE;
    }
    for (int32_t k = 0; k < 2; k++) {
        srn_val v = s->same[node->in[k]], row = s->same[node->in[1 - k]];
        const srn_node *product = srn_maker(g, v);
        const srn_shape *shape = &srn_type_of(g, v)->shape, *bias = &srn_type_of(g, row)->shape;
        bool fits = (product->id == SRN_OP_matmul && product->attr[0].i == 0) ||
                    product->id == SRN_OP_conv1d;
        fits = fits && product->n_in == 2 && product->op->max_in == 3 && s->readers[v] == 1;
        bool row_fits = bias->rank == 1 && bias->dim[0] == shape->dim[shape->rank - 1];
        bool all_fits = product->id == SRN_OP_matmul && srn_shape_equal(bias, shape);
        if (fits && (row_fits || all_fits) &&
            srn_shape_equal(shape, &srn_type_of(g, node->out)->shape)) {
            return g->values[v].node;
        }
    }
    return SRN_NONE;
}

static void absorb(srn_simplified *s, const srn_graph *g) {
    for (int32_t i = 0; i < g->n_nodes; i++) {
        s->absorbs[i] = s->live[i] ? product_to_absorb(s, g, &g->nodes[i]) : SRN_NONE;
        if (s->absorbs[i] != SRN_NONE) {
            s->live[s->absorbs[i]] = false;
        }
    }
}

bool srn_simplify(srn_simplified *out, const srn_graph *g, const srn_compile_spec *spec,
                  srn_arena *arena, srn_error *err) {
    out->same = srn_arena_alloc(arena, ((size_t)g->n_values + 1) * sizeof *out->same, err);
    out->readers = srn_arena_alloc(arena, ((size_t)g->n_values + 1) * sizeof *out->readers, err);
    out->absorbs = srn_arena_alloc(arena, ((size_t)g->n_nodes + 1) * sizeof *out->absorbs, err);
    out->live = srn_arena_alloc(arena, (size_t)g->n_nodes + 1, err);
    if (srn_failed(err) || !merge(out, g, arena, err)) {
        return false;
    }
    mark(out, g, spec->n_outputs, spec->outputs);
    mark(out, g, spec->n_gradients, spec->gradients);
    mark(out, g, spec->n_assigns, spec->assign_values);
    for (int32_t i = g->n_nodes - 1; i >= 0; i--) {
        if (out->live[i]) {
            mark(out, g, g->nodes[i].n_in, g->nodes[i].in);
        }
    }
    absorb(out, g);
    return true;
}
