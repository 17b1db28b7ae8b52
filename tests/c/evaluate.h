/* Evaluates a graph node by node, without plan and threads, in blocks of rows of any size: so that a
 * test can show that the partition does not matter. Any dtype. */
#ifndef SRN_TEST_EVALUATE_H
#define SRN_TEST_EVALUATE_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/emit.h"

typedef struct evaluation {
    int32_t n;
    srn_view *views; /* one per value of the graph */
} evaluation;

static inline void evaluate_node(evaluation *e, const srn_graph *g, const srn_node *node,
                                 int64_t block) {
    const srn_view *in[16] = {NULL}, *out[16] = {NULL};
    const srn_type *types[16] = {NULL};
    srn_type types_out[16];
    for (int32_t i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] == SRN_NONE ? NULL : &e->views[node->in[i]];
        types[i] = in[i] == NULL ? NULL : &in[i]->type;
    }
    for (int32_t i = 0; i < node->n_out; i++) {
        out[i] = &e->views[node->out + i];
        types_out[i] = *srn_type_of(g, node->out + i);
    }
    srn_infer infer = {node->n_in, types, node->attr, node->n_out, types_out};
    srn_run_state state = {0, 0, 0};
    void *scratch = malloc(node->op->scratch == NULL ? 1 : node->op->scratch(&infer) + 1);
    srn_exec exec = {node->n_in, node->n_out, in, out, node->attr, scratch, &state};
    int64_t rows = node->op->parallel == SRN_ROWS ? node->op->rows(&infer) : 1;
    for (int64_t row = 0; row < rows; row += block) {
        node->op->exec(&exec, row, rows - row < block ? rows : row + block);
    }
    free(scratch);
}

/* The graph's inputs, in order, have their data in `inputs`. Outputs are NaN (all bits set) before
 * they are computed. */
static inline evaluation evaluate(const srn_graph *g, const void *const *inputs, int64_t block) {
    evaluation e = {g->n_values, calloc((size_t)g->n_values + 1, sizeof(srn_view))};
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const srn_node *node = &g->nodes[i];
        for (int32_t k = 0; k < node->n_out; k++) {
            srn_view *view = &e.views[node->out + k];
            view->type = *srn_type_of(g, node->out + k);
            size_t bytes = srn_type_bytes(&view->type);
            view->data = malloc(bytes + 1);
            memset(view->data, 0xff, bytes);
            if (node->id == SRN_OP_input || node->id == SRN_OP_constant) {
                memcpy(view->data,
                       node->id == SRN_OP_input ? inputs[node->attr[0].i] : node->payload, bytes);
            }
        }
        if (node->id != SRN_OP_input && node->id != SRN_OP_constant) {
            evaluate_node(&e, g, node, block);
        }
    }
    return e;
}

static inline void evaluation_drop(evaluation *e) {
    for (int32_t i = 0; i < e->n; i++) {
        free(e->views[i].data);
    }
    free(e->views);
}

#endif
