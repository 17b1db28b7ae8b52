/* The graph: nodes and values in an arena, addressed by number.
 *
 * A node applies an op to values and has one or more output values, numbered consecutively. Nodes
 * are appended only, so their order is a topological order. Every value knows dtype and shape.
 * Errors are sticky: once g->err is set every emit returns SRN_NONE, so that gradient rules need
 * no checks between their lines. An emit that fails leaves the graph as it was.
 */
#ifndef SRN_GRAPH_GRAPH_H
#define SRN_GRAPH_GRAPH_H

#include "base/arena.h"
#include "graph/op.h"

typedef struct srn_node {
    const srn_op *op;
    srn_op_id id;
    int32_t n_in, n_out;
    const srn_val *in;
    srn_val out; /* the first; the others follow */
    const srn_attr *attr;
    const char *scope;   /* name of the layer that was being called, or NULL */
    const void *payload; /* constant: its data; variable, input: their name */
} srn_node;

typedef struct srn_value {
    srn_type type;
    int32_t node;  /* its maker */
    int32_t index; /* which output */
} srn_value;

struct srn_graph {
    srn_arena arena;
    srn_error err; /* sticky */
    srn_node *nodes;
    int32_t n_nodes, cap_nodes;
    srn_value *values;
    int32_t n_values, cap_values;
    const char *scope;             /* given to new nodes */
    int32_t n_inputs, n_variables; /* leaves are numbered in order of emission: attr[0].i */
    srn_graph *bodies;             /* the body graphs this graph owns, a list through next_body */
    srn_graph *next_body;
};

srn_graph *srn_graph_new(srn_error *err);
void srn_graph_drop(srn_graph *g); /* and the bodies it owns; NULL is fine */

/* ---- leaves ---- */
srn_val srn_emit_input(srn_graph *g, const char *name, srn_type type);
srn_val srn_emit_variable(srn_graph *g, const char *name, srn_type type);
srn_val srn_emit_constant(srn_graph *g, srn_type type, const void *data); /* copied */
srn_val srn_emit_scalar(srn_graph *g, srn_dtype dtype, double value);     /* shape () */

/* ---- any op. `attrs` in schema order or NULL for all defaults; ints and bodies are copied. ----
 * Returns the first output. */
srn_val srn_emit(srn_graph *g, srn_op_id id, int32_t n_in, const srn_val *in,
                 const srn_attr *attrs);

/* A copy of node number `node` of another graph, its inputs replaced by map[input]; sets map[] for
 * its outputs. Constants come with their data; inputs and variables must be in the map already. */
bool srn_import_node(srn_graph *g, const srn_graph *from, int32_t node, srn_val *map);
srn_graph *srn_graph_clone(const srn_graph *g, srn_error *err); /* same numbers */

/* ---- looking ---- */
static inline const srn_type *srn_type_of(const srn_graph *g, srn_val v) {
    return &g->values[v].type;
}
static inline const srn_node *srn_maker(const srn_graph *g, srn_val v) {
    return &g->nodes[g->values[v].node];
}
/* A text of the graph, one node a line; bodies indented. Malloc'ed with srn_alloc; NULL on error. */
char *srn_graph_text(const srn_graph *g, srn_error *err);

#endif
