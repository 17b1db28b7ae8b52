/* Whether the rows of a batch go through a scan's body without meeting: then blocks of rows can
 * walk the whole loop, each on a thread of its own, with one barrier at the end. */
#ifndef SRN_COMPILE_BATCH_ROWS_H
#define SRN_COMPILE_BATCH_ROWS_H

#include "compile/plan.h"

/* The size of the batch, the leading axis of every value made in the body, or 0 when a step mixes
 * the rows, or sums over them, or has no leading batch axis. Row r of a step's output then belongs
 * to the batch's row r * batch / step->rows. */
int64_t srn_batch_rows(const srn_plan *body, int32_t n_state, srn_arena *arena, srn_error *err);

/* Elementary operations of one walk, roughly. */
double srn_plan_cost(const srn_plan *plan);

#endif
