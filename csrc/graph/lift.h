/* Lifting a node of a scan's body over time: the same computation for all T steps at once. */
#ifndef SRN_GRAPH_LIFT_H
#define SRN_GRAPH_LIFT_H

#include "graph/graph.h"

/* What a body value depends on. */
typedef enum srn_depends {
    SRN_DEPENDS_NOTHING, /* the same at every step: constants and what follows from them */
    SRN_DEPENDS_TIME,    /* on the step's own slices of the sequences alone */
    SRN_DEPENDS_STATE,   /* on the state, or on random numbers: must stay in the loop */
} srn_depends;

/* Whether a node of `body`, none of whose inputs depends on the state, can be lifted. */
bool srn_can_lift(const srn_graph *body, const srn_node *node, const srn_depends *depends);
/* Emits the lifted node into g. `outer[v]` is the value of body value v in g: with a leading time
 * axis of `length` when depends[v] is SRN_DEPENDS_TIME. Returns the first output. */
srn_val srn_lift(srn_graph *g, const srn_graph *body, const srn_node *node,
                 const srn_depends *depends, const srn_val *outer, int64_t length);

#endif
