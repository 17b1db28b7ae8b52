/* Walking a plan: each step once, in blocks of rows whose partition stands in the plan, so that the
 * bits do not depend on the number of threads. No allocation, no failure. */
#include "run/run.h"

#include <string.h>

#include "base/cpu.h"
#include "base/pool.h"
#include "run/workspace.h"

typedef struct job {
    srn_workspace *ws;
    const srn_step *step;
    srn_exec exec;
} job;

static void run_block(void *context, int64_t block, int worker) {
    const job *j = context;
    srn_exec x = j->exec; /* each worker has scratch of its own */
    x.scratch = j->ws->scratch + (size_t)worker * j->ws->plan->scratch_bytes;
    int64_t begin = block * j->step->block_rows, end = begin + j->step->block_rows;
    j->step->op->exec(&x, begin, end < j->step->rows ? end : j->step->rows);
}

static void run_step(srn_workspace *ws, int32_t number, job *j) {
    const srn_step *step = j->step;
    if (step->body != NULL) {
        srn_scan_run(ws->bodies[number], &j->exec);
        return;
    }
    int64_t blocks = (step->rows + step->block_rows - 1) / step->block_rows;
    if (blocks == 1) {
        run_block(j, 0, 0);
    } else {
        srn_pool_run(blocks, ws->workers, run_block, j);
    }
}

void srn_workspace_walk(srn_workspace *ws, const srn_run_state *state) {
    int64_t before = ws->nanoseconds == NULL ? 0 : srn_clock();
    const srn_view *const *arg = ws->args;
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        const srn_step *step = &ws->plan->steps[i];
        job j = {
            .ws = ws,
            .step = step,
            .exec = {.n_in = step->n_in,
                     .n_out = step->n_out,
                     .in = arg,
                     .out = arg + step->n_in,
                     .attr = step->attr,
                     .state = state},
        };
        arg += step->n_in + step->n_out;
        run_step(ws, i, &j);
        if (ws->nanoseconds != NULL) {
            int64_t now = srn_clock();
            ws->nanoseconds[i] += now - before;
            before = now;
        }
    }
    ws->runs += ws->nanoseconds != NULL;
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
