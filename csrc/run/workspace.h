/* What run.c and scan_run.c share of a workspace. */
#ifndef SRN_RUN_WORKSPACE_H
#define SRN_RUN_WORKSPACE_H

#include "run/run.h"

struct srn_workspace {
    const srn_plan *plan;
    srn_view *views;        /* by slot */
    const srn_view **args;  /* inputs and outputs of all steps, one after the other */
    srn_workspace **bodies; /* by step: of a scan's body, or NULL */
    char *block, *inputs, *scratch;
    int workers;          /* scratch areas */
    size_t bytes;         /* of this workspace and its bodies */
    int64_t *nanoseconds; /* by step, when watched: spent there in all runs */
    int64_t runs;         /* watched ones */
    /* body of a scan: */
    char **states; /* room for each new state ... */
    bool *stacked; /* ... unless it lies in a stacked output */
};

/* The workspace of a scan's body: inputs stay where the loop finds them. */
srn_workspace *srn_workspace_new_body(const srn_plan *plan, int32_t n_state, srn_error *err);
/* Moves a slot's bytes, and those of its aliases, elsewhere. */
void srn_workspace_point(srn_workspace *ws, int32_t slot, void *data);
/* All steps once. */
void srn_workspace_walk(srn_workspace *ws, const srn_run_state *state);
/* The loop of a scan; x is the scan's step. */
void srn_scan_run(srn_workspace *body, const srn_exec *x);

#endif
