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

static void carry(srn_workspace *body, int32_t k) {
    const srn_view *new_state = &body->views[body->plan->outputs[k]];
    char *data = new_state->data;
    if (!body->stacked[k]) {
        memcpy(body->states[k], data, srn_type_bytes(&new_state->type));
        data = body->states[k];
    }
    point_input(body, k, data);
}

void srn_scan_run(srn_workspace *body, const srn_exec *x) {
    int32_t n_state = (int32_t)x->attr[SRN_SCAN_N_STATE].i;
    int32_t n_seq = (int32_t)x->attr[SRN_SCAN_N_SEQ].i;
    int64_t length = x->attr[SRN_SCAN_LENGTH].i;
    bool reverse = x->attr[SRN_SCAN_REVERSE].i != 0;
    for (int32_t i = 0; i < x->n_in; i++) {
        if (i < n_state || i >= n_state + n_seq) {
            point_input(body, i, x->in[i]->data);
        }
    }
    srn_run_state state = *x->state;
    for (int64_t step = 0; step < length; step++) {
        int64_t t = reverse ? length - 1 - step : step;
        for (int32_t i = n_state; i < n_state + n_seq; i++) {
            point_input(body, i, slice(x->in[i], t, length));
        }
        for (int32_t y = n_state; y < x->n_out; y++) {
            srn_workspace_point(body, body->plan->outputs[y], slice(x->out[y], t, length));
        }
        state.iteration = x->state->iteration * length + t;
        srn_workspace_walk(body, &state);
        for (int32_t k = 0; k < n_state; k++) {
            carry(body, k);
        }
    }
    for (int32_t k = 0; k < n_state; k++) {
        const srn_view *new_state = &body->views[body->plan->outputs[k]];
        if (x->out[k]->data != NULL) {
            memcpy(x->out[k]->data, new_state->data, srn_type_bytes(&new_state->type));
        }
    }
}
