/* The loop of a scan: point the body's inputs and stacked outputs at step t, walk the body, carry
 * the states over. Nothing is copied but states that no stacked output holds. */
#include <string.h>

#include "graph/scan.h"
#include "run/workspace.h"

static char *slice(const srn_view *view, int64_t t, int64_t length) {
    int64_t bytes = (int64_t)srn_type_bytes(&view->type) / length;
    return (char *)view->data + t * bytes;
}

static void point_input(srn_workspace *body, int32_t i, void *data) {
    if (body->plan->inputs[i] != SRN_NONE) {
        srn_workspace_point(body, body->plan->inputs[i], data);
    }
}

/* Bytes row0 .. row1-1 of `batch` rows of a view. */
static void copy_rows(char *to, const srn_view *from, int64_t row0, int64_t row1, int64_t batch) {
    int64_t bytes = (int64_t)srn_type_bytes(&from->type) / batch;
    memcpy(to + row0 * bytes, (const char *)from->data + row0 * bytes,
           (size_t)((row1 - row0) * bytes));
}

static void point_outside(srn_workspace *body, const srn_exec *x, int32_t n_state, int32_t n_seq) {
    for (int32_t i = 0; i < x->n_in; i++) {
        if (i < n_state || i >= n_state + n_seq) {
            point_input(body, i, x->in[i]->data);
        }
    }
}

static void point_at_step(srn_workspace *body, const srn_exec *x, int32_t n_state, int32_t n_seq,
                          int64_t t, int64_t length) {
    for (int32_t k = n_state; k < n_state + n_seq; k++) {
        point_input(body, k, slice(x->in[k], t, length));
    }
    for (int32_t y = n_state; y < x->n_out; y++) {
        srn_workspace_point(body, body->plan->outputs[y], slice(x->out[y], t, length));
    }
}

static void run_without_state(srn_workspace *body, const srn_exec *x, int64_t begin, int64_t end) {
    int32_t n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i;
    int64_t length = x->attr[SRN_SCAN_LENGTH].i;
    srn_run_state state = *x->state;
    for (int64_t t = begin; t < end; t++) {
        point_at_step(body, x, 0, n_seq, t, length);
        state.iteration = x->state->iteration * length + t;
        srn_workspace_walk(body, &state);
    }
}

void srn_scan_run(srn_workspace *body, const srn_step *step, const srn_exec *x, int64_t row0,
                  int64_t row1) {
    int32_t n_state = (int32_t)x->attr[SRN_SCAN_N_STATE].i;
    int32_t n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i;
    int64_t length = x->attr[SRN_SCAN_LENGTH].i, batch = step->rows;
    bool reverse = x->attr[SRN_SCAN_REVERSE].i != 0;
    point_outside(body, x, n_state, n_seq);
    if (n_state == 0) {
        run_without_state(body, x, row0, row1);
        return;
    }
    srn_run_state state = *x->state;
    for (int64_t i = 0; i < length; i++) {
        int64_t t = reverse ? length - 1 - i : i;
        point_at_step(body, x, n_state, n_seq, t, length);
        state.iteration = x->state->iteration * length + t;
        if (step->block_rows < batch) {
            srn_workspace_walk_rows(body, &state, row0, row1, batch);
        } else {
            srn_workspace_walk(body, &state);
        }
        for (int32_t k = 0; k < n_state; k++) {
            const srn_view *new_state = &body->views[body->plan->outputs[k]];
            if (!body->stacked[k]) {
                copy_rows(body->states[k], new_state, row0, row1, batch);
            }
            point_input(body, k, body->stacked[k] ? new_state->data : body->states[k]);
        }
    }
    for (int32_t k = 0; k < n_state; k++) {
        if (x->out[k]->data != NULL) {
            copy_rows(x->out[k]->data, &body->views[body->plan->outputs[k]], row0, row1, batch);
        }
    }
}
