/* Rows of a batch in a scan's body; see batch_rows.h.
 *
 * Values made in the loop (states, and what steps compute) must have the batch as leading axis, and
 * every step must read them row by row. What comes from outside the loop (weights, slices of the
 * sequences) is complete before a step begins and may be read in any way.
 */
#include "compile/batch_rows.h"

#include "base/memory.h"

static const srn_shape *shape_of(const srn_plan *plan, int32_t slot) {
    return &plan->slots[slot].type.shape;
}

static bool leads(const srn_plan *plan, int32_t slot, int64_t batch) {
    const srn_shape *shape = shape_of(plan, slot);
    return shape->rank >= 1 && shape->dim[0] == batch;
}

static bool keeps_axis_0(srn_ints axes, int32_t rank) {
    for (int32_t i = 0; i < axes.n; i++) {
        if (axes.v[i] == 0 || axes.v[i] == -rank) {
            return false;
        }
    }
    return axes.n > 0;
}

/* A full first axis, walked upward. */
static bool whole_axis_0(srn_ints start, srn_ints step, int64_t length, int64_t batch) {
    return start.v[0] == 0 && step.v[0] == 1 && length == batch;
}

/* Whether the op reads input `k`, which the loop made, row by row, given that input and output have
 * the batch in front. */
static bool reads_by_rows(const srn_plan *plan, const srn_step *step, srn_op_id id, int32_t k,
                          int64_t batch) {
    const srn_shape *in = shape_of(plan, step->in[k]), *out = shape_of(plan, step->out[0]);
    const srn_attr *attr = step->attr;
    if (step->op->flags & SRN_FLAG_ELEMENTWISE) {
        return in->rank == out->rank;
    }
    switch (id) {
    case SRN_OP_matmul:
        return k == 0 && attr[0].i == 0 && in->rank >= 2 && shape_of(plan, step->in[1])->rank == 2;
    case SRN_OP_layer_norm:
    case SRN_OP_softmax:
    case SRN_OP_log_softmax:
        return k == 0 && in->rank >= 2;
    case SRN_OP_layer_norm_grad: /* dy, x, mean, rstd; gamma is a weight */
        return k < 4 && out->rank >= 2;
    case SRN_OP_sum:
    case SRN_OP_max:
    case SRN_OP_min:
    case SRN_OP_prod:
        return keeps_axis_0(attr[0].ints, in->rank);
    case SRN_OP_slice:
        return whole_axis_0(attr[0].ints, attr[2].ints, attr[1].ints.v[0], batch);
    case SRN_OP_unslice:
        return whole_axis_0(attr[1].ints, attr[2].ints, attr[0].ints.v[0], batch);
    case SRN_OP_concat:
        return attr[0].i != 0 && attr[0].i != -in->rank;
    case SRN_OP_transpose:
        return attr[0].ints.v[0] == 0;
    case SRN_OP_broadcast_to:
        return in->rank == out->rank;
    case SRN_OP_take: /* a table by ids of the loop */
        return k == 1 && attr[0].i == 0;
    case SRN_OP_copy:
        return true;
    default:
        return false;
    }
}

static srn_op_id id_of(const srn_op *op) {
    int id = 0;
    while (srn_ops[id] != op) {
        id++;
    }
    return (srn_op_id)id;
}

static bool goes_by_rows(const srn_plan *plan, const srn_step *step, const bool *made,
                         int64_t batch) {
    if (step->op->parallel != SRN_ROWS || step->rows % batch != 0) {
        return false;
    }
    srn_op_id id = id_of(step->op);
    bool ok = true;
    for (int32_t k = 0; ok && k < step->n_out; k++) {
        ok = plan->slots[step->out[k]].home == SRN_HOME_NOWHERE || leads(plan, step->out[k], batch);
    }
    bool any = false;
    for (int32_t k = 0; ok && k < step->n_in; k++) {
        if (step->in[k] != SRN_NONE && made[plan->slots[step->in[k]].root]) {
            any = true;
            ok = leads(plan, step->in[k], batch) && reads_by_rows(plan, step, id, k, batch);
        }
    }
    /* Without an input of the loop the output's rows are whatever the op writes in order. */
    bool in_order = any || step->n_in == 0 || (step->op->flags & SRN_FLAG_ELEMENTWISE) != 0 ||
                    id == SRN_OP_copy;
    return ok && in_order;
}

int64_t srn_batch_rows(const srn_plan *body, int32_t n_state, srn_arena *arena, srn_error *err) {
    bool *made = srn_arena_alloc(arena, (size_t)body->n_slots + 1, err);
    if (made == NULL || n_state == 0) {
        return 0;
    }
    const srn_shape *first = shape_of(body, body->outputs[0]);
    int64_t batch = first->rank == 0 ? 0 : first->dim[0];
    bool ok = batch > 1;
    for (int32_t k = 0; ok && k < n_state; k++) {
        ok = leads(body, body->outputs[k], batch);
        if (body->inputs[k] != SRN_NONE) {
            made[body->inputs[k]] = true;
        }
    }
    for (int32_t i = 0; ok && i < body->n_steps; i++) {
        for (int32_t k = 0; k < body->steps[i].n_out; k++) {
            made[body->steps[i].out[k]] = true;
        }
    }
    for (int32_t i = 0; ok && i < body->n_steps; i++) {
        ok = goes_by_rows(body, &body->steps[i], made, batch);
    }
    return ok ? batch : 0;
}

double srn_plan_cost(const srn_plan *plan) {
    double cost = 0;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        cost += plan->steps[i].cost;
    }
    return cost;
}
