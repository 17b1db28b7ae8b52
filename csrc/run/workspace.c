/* A workspace: every byte of one run, made before it. One block for the plan's slots, one for the
 * inputs, scratch for each worker; views that know where each slot is. */
#include "run/workspace.h"

#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "graph/scan.h"

void srn_workspace_drop(srn_workspace *ws) {
    if (ws == NULL) {
        return;
    }
    for (int64_t i = 0; ws->bodies != NULL && i < (int64_t)ws->plan->n_steps * ws->workers; i++) {
        srn_workspace_drop(ws->bodies[i]);
    }
    srn_free(ws->bodies);
    srn_free(ws->views);
    srn_free((void *)ws->args);
    srn_free(ws->execs);
    srn_free(ws->block);
    srn_free(ws->inputs);
    srn_free(ws->scratch);
    srn_free(ws->states);
    srn_free(ws->stacked);
    srn_free(ws->nanoseconds);
    srn_free(ws);
}

static char *room(srn_workspace *ws, size_t bytes, srn_error *err) {
    ws->bytes += bytes;
    return srn_alloc_zero(bytes, err);
}

void srn_workspace_point(srn_workspace *ws, int32_t slot, void *data) {
    int32_t at = ws->plan->slots[slot].root;
    for (; at != SRN_NONE; at = ws->plan->slots[at].next_alias) {
        ws->views[at].data = data == NULL ? NULL : (char *)data + ws->plan->slots[at].shift;
    }
}

static void place_slots(srn_workspace *ws) {
    const srn_plan *plan = ws->plan;
    for (int32_t i = 0; i < plan->n_slots; i++) {
        const srn_slot *slot = &plan->slots[i];
        ws->views[i].type = slot->type;
        if (slot->home == SRN_HOME_BLOCK) {
            ws->views[i].data = ws->block + slot->offset;
        } else if (slot->home == SRN_HOME_CONSTANT) {
            ws->views[i].data = (char *)(uintptr_t)slot->data + slot->shift; /* never written */
        }
    }
    const srn_view **arg = ws->args;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        const srn_step *step = &plan->steps[i];
        ws->execs[i] = (srn_exec){.n_in = step->n_in,
                                  .n_out = step->n_out,
                                  .in = arg,
                                  .out = arg + step->n_in,
                                  .attr = step->attr,
                                  .scratch = ws->scratch,
                                  .state = &ws->state};
        for (int32_t k = 0; k < step->n_in; k++) {
            *arg++ = step->in[k] == SRN_NONE ? NULL : &ws->views[step->in[k]];
        }
        for (int32_t k = 0; k < step->n_out; k++) {
            *arg++ = &ws->views[step->out[k]];
        }
    }
}

static srn_workspace *new_body(const srn_step *step, int workers, bool apart, srn_error *err);

/* Bodies of scans: one each, or one for each worker where steps go in parallel. */
static bool make_bodies(srn_workspace *ws, srn_error *err) {
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        const srn_step *step = &ws->plan->steps[i];
        int64_t blocks = (step->rows + step->block_rows - 1) / step->block_rows;
        int most = blocks < ws->workers ? (int)blocks : ws->workers;
        for (int w = 0; step->body != NULL && w < most; w++) {
            bool apart = ws->apart || blocks > 1;
            srn_workspace *body = new_body(step, apart ? 1 : ws->workers, apart, err);
            if (body == NULL) {
                return false;
            }
            ws->bodies[(int64_t)i * ws->workers + w] = body;
            ws->bytes += body->bytes;
        }
    }
    return true;
}

static srn_workspace *new_workspace(const srn_plan *plan, int workers, bool apart, srn_error *err) {
    srn_workspace *ws = srn_alloc_zero(sizeof *ws, err);
    if (ws == NULL) {
        return NULL;
    }
    ws->plan = plan;
    ws->workers = workers;
    ws->apart = apart;
    size_t n_args = 0;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        n_args += (size_t)plan->steps[i].n_in + (size_t)plan->steps[i].n_out;
    }
    size_t n_bodies = (size_t)plan->n_steps * (size_t)workers;
    ws->views = (srn_view *)room(ws, (size_t)plan->n_slots * sizeof *ws->views, err);
    ws->args = (const srn_view **)room(ws, n_args * sizeof *ws->args, err);
    ws->execs = (srn_exec *)room(ws, (size_t)plan->n_steps * sizeof *ws->execs, err);
    ws->bodies = (srn_workspace **)room(ws, n_bodies * sizeof *ws->bodies, err);
    ws->block = room(ws, plan->block_bytes, err);
    ws->scratch = room(ws, (size_t)workers * plan->scratch_bytes, err);
    if (srn_failed(err)) {
        srn_workspace_drop(ws);
        return NULL;
    }
    place_slots(ws);
    if (!make_bodies(ws, err)) {
        srn_workspace_drop(ws);
        return NULL;
    }
    return ws;
}

/* A new state whose bytes are those of a stacked output needs no room of its own. */
static bool make_state_room(srn_workspace *ws, int32_t n_state, srn_error *err) {
    const srn_plan *plan = ws->plan;
    size_t bytes = (size_t)n_state * sizeof *ws->states;
    ws->stacked = (bool *)room(ws, (size_t)n_state, err);
    for (int32_t k = 0; ws->stacked != NULL && k < n_state; k++) {
        for (int32_t y = n_state; y < plan->n_outputs; y++) {
            ws->stacked[k] = ws->stacked[k] || plan->slots[plan->outputs[y]].root ==
                                                   plan->slots[plan->outputs[k]].root;
        }
        bytes =
            srn_round_up(bytes, SRN_ALIGN) + srn_type_bytes(&plan->slots[plan->outputs[k]].type);
    }
    ws->states = (char **)room(ws, bytes, err);
    if (ws->stacked == NULL || ws->states == NULL) {
        return false;
    }
    size_t at = (size_t)n_state * sizeof *ws->states;
    for (int32_t k = 0; k < n_state; k++) {
        at = srn_round_up(at, SRN_ALIGN);
        ws->states[k] = (char *)ws->states + at;
        at += srn_type_bytes(&plan->slots[plan->outputs[k]].type);
    }
    return true;
}

/* The workspace of a scan's body: inputs stay where the loop finds them. */
static srn_workspace *new_body(const srn_step *step, int workers, bool apart, srn_error *err) {
    int32_t n_state = (int32_t)step->attr[SRN_SCAN_N_STATE].i;
    srn_workspace *ws = new_workspace(step->body, workers, apart, err);
    if (ws != NULL && !make_state_room(ws, n_state, err)) {
        srn_workspace_drop(ws);
        return NULL;
    }
    return ws;
}

srn_workspace *srn_workspace_new(const srn_plan *plan, srn_error *err) {
    srn_workspace *ws = new_workspace(plan, srn_pool_threads(), false, err);
    if (ws == NULL) {
        return NULL;
    }
    size_t bytes = 0;
    for (int32_t i = 0; i < plan->n_inputs; i++) {
        if (plan->inputs[i] != SRN_NONE) {
            bytes += srn_round_up(srn_type_bytes(&plan->slots[plan->inputs[i]].type), SRN_ALIGN);
        }
    }
    ws->inputs = room(ws, bytes, err);
    if (ws->inputs == NULL) {
        srn_workspace_drop(ws);
        return NULL;
    }
    bytes = 0;
    for (int32_t i = 0; i < plan->n_inputs; i++) {
        if (plan->inputs[i] != SRN_NONE) {
            srn_workspace_point(ws, plan->inputs[i], ws->inputs + bytes);
            bytes += srn_round_up(srn_type_bytes(&plan->slots[plan->inputs[i]].type), SRN_ALIGN);
        }
    }
    return ws;
}

size_t srn_workspace_bytes(const srn_workspace *ws) {
    return ws->bytes;
}

int srn_workspace_threads(const srn_workspace *ws) {
    return ws->workers;
}

void *srn_workspace_input(srn_workspace *ws, int32_t i) {
    int32_t slot = ws->plan->inputs[i];
    return slot == SRN_NONE ? NULL : ws->views[slot].data;
}

void srn_workspace_bind(srn_workspace *ws, int32_t i, void *data) {
    if (ws->plan->variables[i] != SRN_NONE) {
        srn_workspace_point(ws, ws->plan->variables[i], data);
    }
}

const srn_view *srn_workspace_output(const srn_workspace *ws, int32_t i) {
    return &ws->views[ws->plan->outputs[i]];
}

void *srn_workspace_gradients(srn_workspace *ws) {
    return ws->block + ws->plan->gradient_offset;
}
