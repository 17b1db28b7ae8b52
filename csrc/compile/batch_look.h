/* Inside of the rules for the batch's axis: batch_axis.c has the ops, batch_scan.c the scan. */
#ifndef SRN_COMPILE_BATCH_LOOK_H
#define SRN_COMPILE_BATCH_LOOK_H

#include "compile/batch_axis.h"

typedef struct srn_look { /* at one node */
    srn_batch_rule *rule;
    const srn_graph *g;
    const srn_node *node;
    const srn_axis *axis; /* by value of g */
    int64_t batch;
    srn_arena *arena;
    srn_error *err;
} srn_look;

static inline srn_axis srn_axis_in(const srn_look *x, int32_t k) {
    return x->node->in[k] == SRN_NONE ? SRN_NO_AXIS : x->axis[x->node->in[k]];
}

static inline srn_axis srn_axis_moved(srn_axis axis, int32_t at) {
    axis.at = at;
    return axis;
}

/* The rule of a scan, from those of its body's nodes; and the scan once more, for a part. */
bool srn_batch_rule_of_scan(srn_look *x);
srn_val srn_batch_emit_scan(srn_graph *g, const srn_node *node, const srn_val *in,
                            const srn_batch_rule *rule, int64_t batch, int64_t part,
                            srn_arena *arena);

#endif
