/* Passes over a graph before it becomes a plan: equal nodes are one, nodes that change nothing
 * are none, dead ones are dead. The graph itself stays as it is. */
#ifndef SRN_COMPILE_SIMPLIFY_H
#define SRN_COMPILE_SIMPLIFY_H

#include "compile/plan.h"

typedef struct srn_simplified {
    srn_val *same;    /* by value: the value to read instead, itself mostly */
    bool *live;       /* by node */
    int32_t *readers; /* by value: how many inputs of live nodes it is, or asked for */
    int32_t *absorbs; /* by node: the node in front that it takes in, or SRN_NONE; see absorb */
} srn_simplified;

/* The arrays live in `arena`. */
bool srn_simplify(srn_simplified *out, const srn_graph *g, const srn_compile_spec *spec,
                  srn_arena *arena, srn_error *err);

#endif
