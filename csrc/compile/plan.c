/* A plan's end and its dump:
 *   step  op {attributes}  in <- slots @ offsets  rows/block_rows  layer */
#include "compile/plan.h"

#include "base/memory.h"
#include "graph/text.h"

void srn_plan_drop(srn_plan *plan) {
    if (plan == NULL) {
        return;
    }
    for (int32_t i = 0; i < plan->n_steps; i++) {
        srn_plan_drop(plan->steps[i].body); /* as deep as scans are nested */
    }
    srn_arena_deinit(&plan->arena);
    srn_free(plan);
}

static bool add_slot(srn_text *text, const srn_plan *plan, int32_t slot, srn_error *err) {
    if (slot == SRN_NONE) {
        return srn_text_add(text, err, " -");
    }
    static const char *const homes[] = {
        [SRN_HOME_BLOCK] = "@",
        [SRN_HOME_INPUT] = "input ",
        [SRN_HOME_VARIABLE] = "variable ",
        [SRN_HOME_CONSTANT] = "constant",
        [SRN_HOME_NOWHERE] = "unread",
    };
    const srn_slot *s = &plan->slots[slot];
    bool ok = srn_text_add(text, err, " [") && srn_text_type(text, &s->type, err) &&
              srn_text_add(text, err, " %s", homes[s->home]);
    if (ok && s->home != SRN_HOME_CONSTANT && s->home != SRN_HOME_NOWHERE) {
        ok = srn_text_add(text, err, "%lld", (long long)s->offset);
    }
    return ok && srn_text_add(text, err, "]");
}

static bool add_plan(srn_text *text, const srn_plan *plan, int indent, srn_error *err) {
    bool ok = srn_text_add(text, err, "%*splan: %d steps, %zu bytes, %zu bytes of scratch\n",
                           indent, "", (int)plan->n_steps, plan->block_bytes, plan->scratch_bytes);
    for (int32_t i = 0; ok && i < plan->n_steps; i++) {
        const srn_step *step = &plan->steps[i];
        ok = srn_text_add(text, err, "%*s%4d %s", indent, "", (int)i, step->op->name) &&
             (step->body != NULL || srn_text_attrs(text, step->op, step->attr, err));
        for (int32_t k = 0; ok && k < step->n_in; k++) {
            ok = add_slot(text, plan, step->in[k], err);
        }
        ok = ok && srn_text_add(text, err, " ->");
        for (int32_t k = 0; ok && k < step->n_out; k++) {
            ok = add_slot(text, plan, step->out[k], err);
        }
        ok = ok && srn_text_add(text, err, " rows %lld by %lld  %s\n", (long long)step->rows,
                                (long long)step->block_rows, step->scope ? step->scope : "");
        if (ok && step->body != NULL) {
            ok = add_plan(text, step->body, indent + 4, err);
        }
    }
    return ok;
}

char *srn_plan_text(const srn_plan *plan, srn_error *err) {
    srn_text text = {0};
    if (!add_plan(&text, plan, 0, err)) {
        srn_free(text.data);
        return NULL;
    }
    return text.data;
}
