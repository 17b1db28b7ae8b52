/* Reverse mode, graph to graph (Linnainmaa, 1970; Griewank and Walther, 2008, Evaluating
 * Derivatives).
 *
 * Walk the nodes backward from the last y. A value's gradient is the sum of what its readers
 * contributed; all readers come after its maker, so the sum is complete when the maker is reached.
 * Contributions wait in a list per value and are added in the order in which they were made.
 * A node takes part when one of its inputs depends on an x and one of its outputs has a gradient.
 * Memory: a few words per value; no recursion.
 */
#include "autodiff/gradient.h"

#include <string.h>

#include "autodiff/tile.h"
#include "base/memory.h"
#include "graph/emit.h"

typedef struct term { /* one contribution to a value's gradient */
    srn_val v;
    int32_t next; /* index of the next one, SRN_NONE at the end */
} term;

typedef struct walk {
    srn_graph *g;
    int32_t n_values;      /* of the forward graph */
    bool *active;          /* value depends on an x and is a float */
    int32_t *first, *last; /* list of terms per value */
    term *terms;
    int32_t n_terms, cap_terms;
    srn_val *lists; /* dout and din of one node */
    bool *need;
} walk;

static bool add_term(walk *w, srn_val value, srn_val contribution) {
    if (w->n_terms == w->cap_terms) {
        int32_t cap = w->cap_terms < 128 ? 256 : 2 * w->cap_terms;
        term *terms = srn_alloc((size_t)cap * sizeof *terms, &w->g->err);
        if (terms == NULL) {
            return false;
        }
        if (w->n_terms > 0) {
            memcpy(terms, w->terms, (size_t)w->n_terms * sizeof *terms);
        }
        srn_free(w->terms);
        w->terms = terms;
        w->cap_terms = cap;
    }
    int32_t at = w->n_terms++;
    w->terms[at] = (term){contribution, SRN_NONE};
    if (w->first[value] == SRN_NONE) {
        w->first[value] = at;
    } else {
        w->terms[w->last[value]].next = at;
    }
    w->last[value] = at;
    return true;
}

/* Contributions that tile the value, put together; SRN_NONE where they don't. */
static srn_val joined(walk *w, int32_t at) {
    int32_t n = 0;
    for (int32_t i = at; i != SRN_NONE; i = w->terms[i].next) {
        n++;
    }
    srn_val *contributions =
        n < 2 ? NULL : srn_alloc((size_t)n * sizeof *contributions, &w->g->err);
    if (contributions == NULL) {
        return SRN_NONE;
    }
    n = 0;
    for (int32_t i = at; i != SRN_NONE; i = w->terms[i].next) {
        contributions[n++] = w->terms[i].v;
    }
    srn_val whole = srn_join_tiles(w->g, n, contributions);
    srn_free(contributions);
    return whole;
}

/* The sum of the contributions; kept as the only term. SRN_NONE when there are none. */
static srn_val total(walk *w, srn_val value) {
    int32_t at = w->first[value];
    if (at == SRN_NONE) {
        return SRN_NONE;
    }
    srn_val sum = joined(w, at);
    if (sum == SRN_NONE) {
        sum = w->terms[at].v;
        for (int32_t i = w->terms[at].next; i != SRN_NONE; i = w->terms[i].next) {
            sum = srn_add(w->g, sum, w->terms[i].v);
        }
    }
    w->terms[at] = (term){sum, SRN_NONE};
    w->last[value] = at;
    return sum;
}

static void mark_active(walk *w, int32_t n_x, const srn_val *x, int32_t n_nodes) {
    for (int32_t j = 0; j < n_x; j++) {
        w->active[x[j]] = srn_dtype_is_float(srn_type_of(w->g, x[j])->dtype);
    }
    for (int32_t i = 0; i < n_nodes; i++) {
        const srn_node *node = &w->g->nodes[i];
        bool depends = false;
        for (int32_t k = 0; k < node->n_in && !depends; k++) {
            depends = node->in[k] != SRN_NONE && w->active[node->in[k]];
        }
        for (int32_t k = 0; depends && node->op->diff != SRN_DIFF_ZERO && k < node->n_out; k++) {
            srn_val v = node->out + k;
            w->active[v] = srn_dtype_is_float(srn_type_of(w->g, v)->dtype);
        }
    }
}

/* One node: gradients of its outputs to contributions to its inputs. */
static bool visit(walk *w, int32_t number) {
    srn_graph *g = w->g;
    const srn_node node = g->nodes[number]; /* a copy: the array grows below */
    srn_val *dout = w->lists, *din = w->lists + node.n_out;
    bool wanted = false;
    for (int32_t k = 0; k < node.n_out; k++) {
        dout[k] = w->active[node.out + k] ? total(w, node.out + k) : SRN_NONE;
        wanted = wanted || dout[k] != SRN_NONE;
    }
    if (!wanted || srn_failed(&g->err)) {
        return !srn_failed(&g->err);
    }
    bool any = false;
    for (int32_t k = 0; k < node.n_in; k++) {
        din[k] = SRN_NONE;
        w->need[k] = node.in[k] != SRN_NONE && w->active[node.in[k]];
        any = any || w->need[k];
    }
    if (!any || node.op->diff == SRN_DIFF_ZERO) {
        return true; /* an x itself */
    }
    if (node.op->diff != SRN_DIFF_RULE) {
        return srn_fail(&g->err, SRN_ERR_VALUE,
                        "%s has no gradient rule: second derivatives are not supported",
                        node.op->name);
    }
    srn_vjp x = {.g = g,
                 .n_in = node.n_in,
                 .n_out = node.n_out,
                 .in = node.in,
                 .attr = node.attr,
                 .dout = dout,
                 .need = w->need,
                 .din = din};
    srn_val *out = din + node.n_in;
    for (int32_t k = 0; k < node.n_out; k++) {
        out[k] = node.out + k;
    }
    x.out = out;
    g->scope = node.scope;
    node.op->vjp(&x);
    bool ok = !srn_failed(&g->err);
    for (int32_t k = 0; ok && k < node.n_in; k++) {
        ok = !w->need[k] || din[k] == SRN_NONE || add_term(w, node.in[k], din[k]);
    }
    return ok;
}

static bool start(walk *w, int32_t n_y, const srn_val *y, const srn_val *seeds) {
    srn_graph *g = w->g;
    for (int32_t i = 0; i < n_y; i++) {
        if (!w->active[y[i]]) {
            continue;
        }
        const srn_type type = *srn_type_of(g, y[i]);
        srn_val seed = seeds == NULL ? SRN_NONE : seeds[i];
        if (seed == SRN_NONE) {
            if (srn_shape_count(&type.shape) != 1) {
                char text[SRN_SHAPE_TEXT];
                return srn_fail(&g->err, SRN_ERR_VALUE,
                                "gradient: expected a scalar to differentiate, got shape %s",
                                srn_shape_text(text, &type.shape));
            }
            seed = srn_fill(g, type, 1);
        }
        if (seed == SRN_NONE || !add_term(w, y[i], seed)) {
            return false;
        }
    }
    return true;
}

static bool check_values(srn_graph *g, int32_t n, const srn_val *v, const char *what) {
    for (int32_t i = 0; i < n; i++) {
        if (v[i] < 0 || v[i] >= g->n_values) {
            return srn_fail(&g->err, SRN_ERR_VALUE, "gradient: %s %d is no value of this graph",
                            what, (int)v[i]);
        }
    }
    return true;
}

static bool allocate(walk *w) {
    size_t n = (size_t)w->n_values;
    size_t widest = 0;
    for (int32_t i = 0; i < w->g->n_nodes; i++) {
        const srn_node *node = &w->g->nodes[i];
        size_t width = 2 * (size_t)node->n_out + (size_t)node->n_in;
        widest = width > widest ? width : widest;
    }
    srn_error *err = &w->g->err;
    w->active = srn_alloc_zero(n, err);
    w->first = srn_alloc(n * sizeof *w->first, err);
    w->last = srn_alloc(n * sizeof *w->last, err);
    w->lists = srn_alloc(widest * sizeof *w->lists, err);
    w->need = srn_alloc_zero(widest, err);
    if (srn_failed(err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        w->first[i] = SRN_NONE;
    }
    return true;
}

bool srn_gradient(srn_graph *g, int32_t n_y, const srn_val *y, const srn_val *seeds, int32_t n_x,
                  const srn_val *x, srn_val *dx, srn_error *err) {
    walk w = {.g = g, .n_values = g->n_values};
    int32_t n_nodes = g->n_nodes;
    const char *scope = g->scope;
    bool ok = !srn_failed(&g->err) && check_values(g, n_y, y, "y") &&
              check_values(g, n_x, x, "x") && allocate(&w);
    if (ok) {
        mark_active(&w, n_x, x, n_nodes);
        ok = start(&w, n_y, y, seeds);
    }
    for (int32_t i = n_nodes - 1; ok && i >= 0; i--) {
        ok = visit(&w, i);
    }
    for (int32_t j = 0; ok && j < n_x; j++) {
        dx[j] = w.active[x[j]] ? total(&w, x[j]) : SRN_NONE;
        ok = !srn_failed(&g->err);
    }
    g->scope = scope;
    srn_free(w.active);
    srn_free(w.first);
    srn_free(w.last);
    srn_free(w.terms);
    srn_free(w.lists);
    srn_free(w.need);
    return ok || srn_fail(err, g->err.status, "%s", g->err.text);
}
