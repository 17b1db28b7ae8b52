/* A graph over a batch becomes one whose work goes through it in parts: see batch_split.c. */
#ifndef SRN_COMPILE_BATCH_SPLIT_H
#define SRN_COMPILE_BATCH_SPLIT_H

#include "compile/plan.h"

/* A new graph that computes the same, and the spec in its terms (arrays in `arena`). NULL: not worth
 * it or not possible, and nothing has changed; or memory is short, and err says so. */
srn_graph *srn_batch_split(const srn_graph *g, const srn_compile_spec *spec,
                           srn_compile_spec *spec_out, srn_arena *arena, srn_error *err);

#endif
