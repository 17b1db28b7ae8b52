/* Liveness once, then no malloc in a run.
 *
 * A slot's bytes are needed from the step that makes it to the last step that reads it or one of
 * its aliases; outputs and gradients to the end. Walking the steps in order, each new slot takes
 * the smallest gap that holds it, or the end of the block; slots that die leave gaps, which grow
 * together with their neighbours. Gradients lie side by side at the front, in their order.
 */
#include "compile/memory_plan.h"

#include <string.h>

#include "base/memory.h"

typedef struct gap {
    size_t begin, end;
} gap;

typedef struct layout {
    srn_plan *plan;
    gap *gaps; /* sorted, apart from each other */
    int32_t n_gaps;
    size_t end;
    int32_t *last; /* by root slot: the last step that needs it */
    int32_t *dies; /* by step: first of a list of roots that die behind it */
    int32_t *next; /* by root: the next in that list */
    bool *placed;  /* by root: has its offset */
    bool *taken;   /* by root: another slot took over its bytes */
    srn_error *err;
} layout;

static size_t slot_bytes(const srn_plan *plan, int32_t slot) {
    size_t bytes = srn_round_up(srn_type_bytes(&plan->slots[slot].type), SRN_ALIGN);
    return bytes == 0 ? SRN_ALIGN : bytes;
}

static bool take(layout *l, size_t bytes, size_t *offset) {
    int32_t best = -1;
    for (int32_t i = 0; i < l->n_gaps; i++) {
        size_t size = l->gaps[i].end - l->gaps[i].begin;
        if (size >= bytes && (best < 0 || size < l->gaps[best].end - l->gaps[best].begin)) {
            best = i;
        }
    }
    if (best < 0) {
        *offset = l->end;
        return srn_size_add(&l->end, l->end, bytes, l->err);
    }
    *offset = l->gaps[best].begin;
    l->gaps[best].begin += bytes;
    if (l->gaps[best].begin == l->gaps[best].end) {
        l->n_gaps--;
        memmove(&l->gaps[best], &l->gaps[best + 1], (size_t)(l->n_gaps - best) * sizeof *l->gaps);
    }
    return true;
}

static void give_back(layout *l, size_t begin, size_t bytes) {
    int32_t low = 0, high = l->n_gaps; /* the first gap behind `begin` */
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (l->gaps[middle].begin < begin) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = begin + bytes;
    bool joins_left = low > 0 && l->gaps[low - 1].end == begin;
    bool joins_right = low < l->n_gaps && l->gaps[low].begin == end;
    if (joins_left && joins_right) {
        l->gaps[low - 1].end = l->gaps[low].end;
        l->n_gaps--;
        memmove(&l->gaps[low], &l->gaps[low + 1], (size_t)(l->n_gaps - low) * sizeof *l->gaps);
    } else if (joins_left) {
        l->gaps[low - 1].end = end;
    } else if (joins_right) {
        l->gaps[low].begin = begin;
    } else {
        memmove(&l->gaps[low + 1], &l->gaps[low], (size_t)(l->n_gaps - low) * sizeof *l->gaps);
        l->gaps[low] = (gap){begin, end};
        l->n_gaps++;
    }
}

static void needs(layout *l, int32_t slot, int32_t step) {
    if (slot != SRN_NONE) {
        int32_t root = l->plan->slots[slot].root;
        l->last[root] = step > l->last[root] ? step : l->last[root];
    }
}

static void find_last_uses(layout *l, const int32_t *gradient_slots) {
    srn_plan *plan = l->plan;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        const srn_step *step = &plan->steps[i];
        for (int32_t k = 0; k < step->n_in; k++) {
            needs(l, step->in[k], i);
        }
        for (int32_t k = 0; k < step->n_out; k++) {
            needs(l, step->out[k], i);
        }
    }
    for (int32_t i = 0; i < plan->n_outputs; i++) {
        needs(l, plan->outputs[i], plan->n_steps);
    }
    for (int32_t i = 0; i < plan->n_assigns; i++) {
        needs(l, plan->assigns[i].slot, plan->n_steps);
    }
    for (int32_t i = 0; i < plan->n_gradients; i++) {
        needs(l, gradient_slots[i], plan->n_steps);
    }
    for (int32_t i = 0; i <= plan->n_steps; i++) {
        l->dies[i] = SRN_NONE;
    }
    for (int32_t slot = plan->n_slots - 1; slot >= 0; slot--) {
        if (plan->slots[slot].root == slot && plan->slots[slot].home == SRN_HOME_BLOCK) {
            l->next[slot] = l->dies[l->last[slot]];
            l->dies[l->last[slot]] = slot;
        }
    }
}

static void place_gradients(layout *l, const int32_t *gradient_slots) {
    srn_plan *plan = l->plan;
    size_t size = srn_dtype_size(plan->gradient_dtype);
    plan->gradient_offset = 0;
    for (int32_t i = 0; i < plan->n_gradients; i++) {
        int32_t root = plan->slots[gradient_slots[i]].root;
        plan->slots[root].offset = (int64_t)((size_t)plan->gradients[i] * size);
        l->placed[root] = true;
    }
    l->end = srn_round_up((size_t)plan->gradients[plan->n_gradients] * size, SRN_ALIGN);
}

/* Output 0 may take over the bytes of an input that dies in this step. */
static void take_over(layout *l, const srn_step *step, int32_t number) {
    srn_plan *plan = l->plan;
    if ((step->op->flags & SRN_FLAG_INPLACE) == 0 || step->n_in == 0 || step->in[0] == SRN_NONE) {
        return;
    }
    int32_t from = plan->slots[step->in[0]].root, to = step->out[0];
    for (int32_t k = 1; k < step->n_in; k++) {
        if (step->in[k] != SRN_NONE && plan->slots[step->in[k]].root == from) {
            return; /* read twice: its other reader may be broadcast */
        }
    }
    if (plan->slots[from].home != SRN_HOME_BLOCK || plan->slots[step->in[0]].shift != 0 ||
        l->last[from] != number || plan->slots[to].home != SRN_HOME_BLOCK || l->placed[to] ||
        slot_bytes(plan, from) != slot_bytes(plan, to) ||
        !srn_shape_equal(&plan->slots[step->in[0]].type.shape, &plan->slots[to].type.shape) ||
        plan->slots[from].type.dtype != plan->slots[to].type.dtype) {
        return;
    }
    plan->slots[to].offset = plan->slots[from].offset;
    l->placed[to] = true;
    l->taken[from] = true;
}

static bool place_step(layout *l, int32_t number) {
    srn_plan *plan = l->plan;
    const srn_step *step = &plan->steps[number];
    take_over(l, step, number);
    for (int32_t k = 0; k < step->n_out; k++) {
        int32_t slot = step->out[k];
        if (plan->slots[slot].home != SRN_HOME_BLOCK || l->placed[slot]) {
            continue;
        }
        size_t offset;
        if (!take(l, slot_bytes(plan, slot), &offset)) {
            return false;
        }
        plan->slots[slot].offset = (int64_t)offset;
        l->placed[slot] = true;
    }
    for (int32_t slot = l->dies[number]; slot != SRN_NONE; slot = l->next[slot]) {
        if (!l->taken[slot]) {
            give_back(l, (size_t)plan->slots[slot].offset, slot_bytes(plan, slot));
        }
    }
    return true;
}

bool srn_plan_memory(srn_plan *plan, const int32_t *gradient_slots, srn_arena *arena,
                     srn_error *err) {
    size_t n_slots = (size_t)plan->n_slots + 1, n_steps = (size_t)plan->n_steps + 1;
    layout l = {.plan = plan, .err = err};
    l.gaps = srn_arena_alloc(arena, n_slots * sizeof *l.gaps, err);
    l.last = srn_arena_alloc(arena, n_slots * sizeof *l.last, err);
    l.next = srn_arena_alloc(arena, n_slots * sizeof *l.next, err);
    l.dies = srn_arena_alloc(arena, (n_steps + 1) * sizeof *l.dies, err);
    l.placed = srn_arena_alloc(arena, n_slots, err);
    l.taken = srn_arena_alloc(arena, n_slots, err);
    if (srn_failed(err)) {
        return false;
    }
    find_last_uses(&l, gradient_slots);
    place_gradients(&l, gradient_slots);
    bool ok = true;
    for (int32_t i = 0; ok && i < plan->n_steps; i++) {
        ok = place_step(&l, i);
    }
    for (int32_t slot = 0; slot < plan->n_slots; slot++) {
        srn_slot *s = &plan->slots[slot];
        if (s->home == SRN_HOME_BLOCK) {
            s->offset = plan->slots[s->root].offset + s->shift; /* aliases follow */
        }
    }
    plan->block_bytes = l.end;
    return ok;
}
