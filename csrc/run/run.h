/* Running a plan: a workspace holds all the bytes of one run; the run walks the steps.
 *
 * srn_run can't fail and calls no allocator. Run one workspace from one thread at a time.
 */
#ifndef SRN_RUN_RUN_H
#define SRN_RUN_RUN_H

#include "compile/plan.h"

typedef struct srn_workspace srn_workspace;

srn_workspace *srn_workspace_new(const srn_plan *plan, srn_error *err);
void srn_workspace_drop(srn_workspace *ws); /* NULL is fine */
size_t srn_workspace_bytes(const srn_workspace *ws);
int srn_workspace_threads(const srn_workspace *ws); /* as many as it was made for */

void *srn_workspace_input(srn_workspace *ws, int32_t i); /* to be filled; NULL: not used */
/* The caller's storage of variable i, contiguous, of the declared type; it must stay valid. */
void srn_workspace_bind(srn_workspace *ws, int32_t i, void *data);
const srn_view *srn_workspace_output(const srn_workspace *ws, int32_t i);
void *srn_workspace_gradients(srn_workspace *ws); /* the flat buffer */

void srn_run(srn_workspace *ws, uint64_t seed, uint64_t step);

/* Where the time of the runs goes, from here on: false and an error when memory is short. */
bool srn_workspace_watch(srn_workspace *ws, srn_error *err);
/* A table, one step of the plan a line: microseconds per run, share, op, layer; a scan's body below
 * it. Made with srn_alloc; the workspace must be watched. */
char *srn_workspace_times(const srn_workspace *ws, srn_error *err);

#endif
