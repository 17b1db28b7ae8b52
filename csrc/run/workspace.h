/* What run.c and scan_run.c share of a workspace. */
#ifndef SRN_RUN_WORKSPACE_H
#define SRN_RUN_WORKSPACE_H

#include "run/run.h"

struct srn_workspace {
    const srn_plan *plan;
    srn_view *views;        /* by slot */
    const srn_view **args;  /* inputs and outputs of all steps, one after the other */
    srn_exec *execs;        /* by step: what exec gets, with the first scratch area */
    srn_run_state state;    /* of the run at hand */
    srn_workspace **bodies; /* of scans: step i's from i * workers on, else NULL */
    char *block, *inputs, *scratch;
    int workers;          /* scratch areas */
    size_t bytes;         /* of this workspace and its bodies */
    int64_t *nanoseconds; /* by step, when watched: spent there in all runs */
    int64_t runs;         /* watched ones */
    /* body of a scan: */
    bool apart;    /* its steps, or those of a scan around it, go in parallel: rows do not */
    char **states; /* room for each new state ... */
    bool *stacked; /* ... unless it lies in a stacked output */
};

/* Moves a slot's bytes, and those of its aliases, elsewhere. */
void srn_workspace_point(srn_workspace *ws, int32_t slot, void *data);
/* All steps once. */
void srn_workspace_walk(srn_workspace *ws, const srn_run_state *state);
/* The loop of a scan, of which x are inputs and outputs; without state steps begin .. end-1 alone. */
void srn_scan_run(srn_workspace *body, const srn_exec *x, int64_t begin, int64_t end);

#endif
