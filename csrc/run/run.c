/* Walking a plan: each step once, in blocks of rows whose partition stands in the plan, so that the
 * bits do not depend on the number of threads. No allocation, no failure. */
#include "run/run.h"

#include <string.h>

#include "base/cpu.h"
#include "base/pool.h"
#include "run/workspace.h"

typedef struct job {
    srn_workspace *ws;
    int32_t number; /* of the step */
} job;

static void run_block(void *context, int64_t block, int worker) {
    const job *j = context;
    const srn_step *step = &j->ws->plan->steps[j->number];
    srn_exec x = j->ws->execs[j->number]; /* each worker has scratch of its own */
    x.scratch = j->ws->scratch + (size_t)worker * j->ws->plan->scratch_bytes;
    int64_t begin = block * step->block_rows, end = begin + step->block_rows;
    step->op->exec(&x, begin, end < step->rows ? end : step->rows);
}

/* Some steps of a scan without state, or all steps of one with. */
static void run_scan_block(void *context, int64_t block, int worker) {
    const job *j = context;
    const srn_step *step = &j->ws->plan->steps[j->number];
    int64_t begin = block * step->block_rows, end = begin + step->block_rows;
    srn_scan_run(j->ws->bodies[(int64_t)j->number * j->ws->workers + worker],
                 &j->ws->execs[j->number], begin, end < step->rows ? end : step->rows);
}

/* One thread makes the same blocks as many: BLAS gives a row other bits in a block of another size. */
static void run_step(srn_workspace *ws, int32_t number) {
    const srn_step *step = &ws->plan->steps[number];
    if (step->body == NULL && (ws->apart || step->rows <= step->block_rows)) {
        if (step->rows > 0) {
            step->op->exec(&ws->execs[number], 0, step->rows);
        }
        return;
    }
    job j = {ws, number};
    int64_t blocks = (step->rows + step->block_rows - 1) / step->block_rows;
    srn_pool_run(blocks, ws->workers, step->body != NULL ? run_scan_block : run_block, &j);
}

static void walk_watched(srn_workspace *ws) {
    int64_t before = srn_clock();
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        run_step(ws, i);
        int64_t now = srn_clock();
        ws->nanoseconds[i] += now - before;
        before = now;
    }
    ws->runs++;
}

void srn_workspace_walk(srn_workspace *ws, const srn_run_state *state) {
    ws->state = *state;
    if (ws->nanoseconds != NULL) {
        walk_watched(ws);
        return;
    }
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        run_step(ws, i);
    }
}

void srn_run(srn_workspace *ws, uint64_t seed, uint64_t step) {
    uint64_t mode = srn_fpu_enter();
    srn_run_state state = {.seed = seed, .step = step};
    srn_workspace_walk(ws, &state);
    const srn_plan *plan = ws->plan;
    for (int32_t i = 0; i < plan->n_assigns; i++) {
        const srn_view *from = &ws->views[plan->assigns[i].slot];
        const srn_view *to = &ws->views[plan->variables[plan->assigns[i].variable]];
        memcpy(to->data, from->data, srn_type_bytes(&from->type));
    }
    srn_fpu_leave(mode);
}
