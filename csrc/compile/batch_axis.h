/* Where the batch is: which axis of which value counts samples that do not meet.
 *
 * A node may be computed for a part of the batch when each of its inputs either is that part too or does
 * not depend on the batch. A rule says which axis of each input must be the batch's, which axis of
 * each output then is, and for a sum over samples how the parts come together again.
 */
#ifndef SRN_COMPILE_BATCH_AXIS_H
#define SRN_COMPILE_BATCH_AXIS_H

#include "graph/graph.h"

/* dim[at] = before * batch * after: a reshape may have merged the batch with its neighbours. */
typedef struct srn_axis {
    int32_t at; /* SRN_NONE: no batch in it */
    int64_t before, after;
} srn_axis;

#define SRN_NO_AXIS ((srn_axis){SRN_NONE, 1, 1})

static inline bool srn_axis_equal(srn_axis a, srn_axis b) {
    return a.at == b.at && a.before == b.before && a.after == b.after;
}

typedef struct srn_batch_rule {
    srn_axis *need, *out; /* by input; by output */
    srn_op_id combine;    /* SRN_N_OPS, or the outputs are a part's sum, max ...: how to combine */
    struct srn_batch_rule
        *body;           /* scan: by node of its body; `out` NULL: the same for all samples */
    srn_axis *body_axis; /* scan: by value of its body */
} srn_batch_rule;

/* The rule of a node some of whose inputs have the batch (`axis` by value of g); false when the node
 * has to see all samples at once, or when memory is short. */
bool srn_batch_rule_of(srn_batch_rule *rule, const srn_graph *g, const srn_node *node,
                       const srn_axis *axis, int64_t batch, srn_arena *arena, srn_error *err);
/* The rule of a node without samples in its inputs that is the same for all of them (fill,
 * broadcast_to, elementwise ...), such that its output has the batch at `out`. */
bool srn_batch_rule_back(srn_batch_rule *rule, const srn_graph *g, const srn_node *node,
                         srn_axis out, int64_t batch, srn_arena *arena, srn_error *err);

/* Whether the node draws random numbers, or the body of a scan does: they depend on the iteration. */
bool srn_batch_draws(const srn_node *node);

/* The rule of a node that is the same for every part, whole. */
bool srn_batch_rule_alike(srn_batch_rule *rule, const srn_node *node, srn_arena *arena,
                          srn_error *err);

/* The node once more in g, for `part` of `batch` samples; `in` are its inputs in g. */
srn_val srn_batch_emit(srn_graph *g, const srn_graph *from, const srn_node *node, const srn_val *in,
                       const srn_batch_rule *rule, int64_t batch, int64_t part, srn_arena *arena);

#endif
