/* Where the time of a run goes: a table from the counters of a watched workspace. */
#include "base/memory.h"
#include "base/text.h"
#include "run/workspace.h"

bool srn_workspace_watch(srn_workspace *ws, srn_error *err) {
    if (ws->nanoseconds == NULL) {
        size_t bytes = ((size_t)ws->plan->n_steps + 1) * sizeof *ws->nanoseconds;
        ws->nanoseconds = srn_alloc_zero(bytes, err);
    }
    bool ok = ws->nanoseconds != NULL;
    for (int32_t i = 0; ok && i < ws->plan->n_steps; i++) {
        srn_workspace *body = ws->bodies[(int64_t)i * ws->workers];
        ok = body == NULL || srn_workspace_watch(body, err);
    }
    return ok;
}

static bool add_times(srn_text *text, const srn_workspace *ws, int64_t runs, int indent,
                      srn_error *err) {
    int64_t total = 0;
    for (int32_t i = 0; i < ws->plan->n_steps; i++) {
        total += ws->nanoseconds[i];
    }
    double all = total > 0 ? (double)total : 1, each = runs > 0 ? (double)runs * 1e3 : 1e3;
    bool ok = srn_text_add(text, err, "%*s%.1f us, %lld runs\n", indent, "", (double)total / each,
                           (long long)runs);
    for (int32_t i = 0; ok && i < ws->plan->n_steps; i++) {
        const srn_step *step = &ws->plan->steps[i];
        ok = srn_text_add(text, err, "%*s%4d %9.1f us %5.1f %%  %-14s %s\n", indent, "", (int)i,
                          (double)ws->nanoseconds[i] / each, 100 * (double)ws->nanoseconds[i] / all,
                          step->op->name, step->scope == NULL ? "" : step->scope);
        const srn_workspace *body = ws->bodies[(int64_t)i * ws->workers];
        if (ok && body != NULL && body->runs > 0) { /* of parallel steps: the caller's */
            ok = add_times(text, body, runs, indent + 4, err);
        }
    }
    return ok;
}

char *srn_workspace_times(const srn_workspace *ws, srn_error *err) {
    srn_text text = {0};
    if (!add_times(&text, ws, ws->runs, 0, err)) {
        srn_free(text.data);
        return NULL;
    }
    return text.data;
}
