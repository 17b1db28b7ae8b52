/* The size of a workspace, without making one: for a plan P and W workers
 *
 *   views and arguments of the steps + block + W scratch + the inputs' bytes,
 *   and for each scan as many bodies as blocks run side by side, each with room for its new states.
 *
 * Mirrors workspace.c part by part; tests/c/test_need.c compares the two.
 */
#include "run/need.h"

#include "base/memory.h"
#include "graph/scan.h"
#include "run/workspace.h"

static size_t bytes_of(const srn_plan *plan, int32_t slot) {
    return srn_type_bytes(&plan->slots[slot].type);
}

static size_t need_of_states(const srn_plan *body, int32_t n_state) {
    size_t bytes = (size_t)n_state * sizeof(char *);
    for (int32_t k = 0; k < n_state; k++) {
        bytes = srn_round_up(bytes, SRN_ALIGN) + bytes_of(body, body->outputs[k]);
    }
    return bytes + (size_t)n_state * sizeof(bool);
}

/* Without the inputs, which a scan's body finds where they are. */
static size_t need_of_steps(const srn_plan *plan, int workers) {
    size_t bytes = (size_t)plan->n_slots * sizeof(srn_view) + plan->block_bytes +
                   (size_t)workers * plan->scratch_bytes;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        const srn_step *step = &plan->steps[i];
        bytes += sizeof(srn_exec) +
                 ((size_t)step->n_in + (size_t)step->n_out) * sizeof(srn_view *) +
                 (size_t)workers * sizeof(srn_workspace *);
        if (step->body == NULL) {
            continue;
        }
        int64_t blocks = (step->rows + step->block_rows - 1) / step->block_rows;
        int64_t bodies = blocks < workers ? blocks : workers;
        bytes +=
            (size_t)bodies * (need_of_steps(step->body, blocks > 1 ? 1 : workers) +
                              need_of_states(step->body, (int32_t)step->attr[SRN_SCAN_N_STATE].i));
    }
    return bytes;
}

size_t srn_workspace_need(const srn_plan *plan, int threads) {
    size_t bytes = need_of_steps(plan, threads);
    for (int32_t i = 0; i < plan->n_inputs; i++) {
        if (plan->inputs[i] != SRN_NONE) {
            bytes += srn_round_up(bytes_of(plan, plan->inputs[i]), SRN_ALIGN);
        }
    }
    return bytes;
}
