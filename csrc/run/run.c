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

/* A block of a scan: rows of the batch through all time steps; without state, some of the steps. */
static void run_scan_block(void *context, int64_t block, int worker) {
    const job *j = context;
    const srn_step *step = j->step;
    int64_t number = step - j->ws->plan->steps;
    int64_t begin = block * step->block_rows, end = begin + step->block_rows;
    srn_scan_run(j->ws->bodies[number * j->ws->workers + worker], step, &j->exec, begin,
                 end < step->rows ? end : step->rows);
}

static void run_step(srn_workspace *ws, job *j) {
    const srn_step *step = j->step;
    srn_block_fn fn = step->body != NULL ? run_scan_block : run_block;
    int64_t blocks = (step->rows + step->block_rows - 1) / step->block_rows;
    if (blocks == 1) {
        fn(j, 0, 0);
    } else if (blocks > 1 && ws->workers == 1 && step->body == NULL) {
        j->exec.scratch = ws->scratch;
        step->op->exec(&j->exec, 0, step->rows);
    } else {
        srn_pool_run(blocks, ws->workers, fn, j);
    }
}

void srn_workspace_walk_rows(srn_workspace *ws, const srn_run_state *state, int64_t row0,
                             int64_t row1, int64_t batch) {
    const srn_view *const *arg = ws->args;
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        const srn_step *step = &ws->plan->steps[i];
        srn_exec x = {.n_in = step->n_in,
                      .n_out = step->n_out,
                      .in = arg,
                      .out = arg + step->n_in,
                      .attr = step->attr,
                      .scratch = ws->scratch,
                      .state = state};
        arg += step->n_in + step->n_out;
        int64_t each = step->rows / batch;
        step->op->exec(&x, row0 * each, row1 * each);
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
        run_step(ws, &j);
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
