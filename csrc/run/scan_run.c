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

/* The new states are those before the next step. */
static void carry_states(srn_workspace *body, int32_t n_state) {
    for (int32_t k = 0; k < n_state; k++) {
        const srn_view *new_state = &body->views[body->plan->outputs[k]];
        if (!body->stacked[k]) {
            memcpy(body->states[k], new_state->data, srn_type_bytes(&new_state->type));
        }
        point_input(body, k, body->stacked[k] ? new_state->data : body->states[k]);
    }
}

void srn_scan_run(srn_workspace *body, const srn_exec *x, int64_t begin, int64_t end) {
    int32_t n_state = (int32_t)x->attr[SRN_SCAN_N_STATE].i;
    int32_t n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i;
    int64_t length = x->attr[SRN_SCAN_LENGTH].i;
    bool reverse = x->attr[SRN_SCAN_REVERSE].i != 0;
    point_outside(body, x, n_state, n_seq);
    srn_run_state state = *x->state;
    for (int64_t i = n_state > 0 ? 0 : begin; i < (n_state > 0 ? length : end); i++) {
        int64_t t = reverse ? length - 1 - i : i;
        point_at_step(body, x, n_state, n_seq, t, length);
        state.iteration = x->state->iteration * length + t;
        srn_workspace_walk(body, &state);
        carry_states(body, n_state);
    }
    for (int32_t k = 0; k < n_state; k++) {
        const srn_view *last = &body->views[body->plan->outputs[k]];
        if (x->out[k]->data != NULL) {
            memcpy(x->out[k]->data, last->data, srn_type_bytes(&last->type));
        }
    }
}
