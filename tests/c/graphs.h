/* Building and running small float64 graphs in the C tests. */
#ifndef SRN_TEST_GRAPHS_H
#define SRN_TEST_GRAPHS_H

#include <stdlib.h>
#include <string.h>

#include "autodiff/gradient.h"
#include "base/memory.h"
#include "graph/emit.h"
#include "run/run.h"

static inline srn_type f64_type(int32_t rank, int64_t a, int64_t b, int64_t c) {
    int64_t dims[] = {a, b, c};
    return (srn_type){SRN_F64, srn_shape_of(rank, dims)};
}

/* Numbers in (-1, 1) that repeat from run to run. */
static inline void fill_numbers(double *to, int64_t n, uint32_t seed) {
    uint32_t state = seed * 2654435761u + 12345u;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (double)(state >> 8) / (double)(1 << 23) - 1.0;
    }
}

/* A graph whose inputs are float64, filled with numbers of their own. */
typedef struct runner {
    srn_plan *plan;
    srn_workspace *ws;
    int32_t n_inputs;
} runner;

static inline bool runner_start_spec(runner *r, const srn_graph *g, const srn_compile_spec *spec,
                                     srn_error *err) {
    r->n_inputs = g->n_inputs;
    r->plan = srn_compile(g, spec, err);
    r->ws = r->plan == NULL ? NULL : srn_workspace_new(r->plan, err);
    for (int32_t i = 0; r->ws != NULL && i < r->n_inputs; i++) {
        if (r->plan->inputs[i] != SRN_NONE) {
            const srn_type *type = &r->plan->slots[r->plan->inputs[i]].type;
            if (type->dtype == SRN_F64) {
                fill_numbers(srn_workspace_input(r->ws, i), srn_shape_count(&type->shape),
                             (uint32_t)i + 1);
            }
        }
    }
    return r->ws != NULL;
}

static inline bool runner_start(runner *r, const srn_graph *g, int32_t n_outputs,
                                const srn_val *outputs, srn_error *err) {
    srn_compile_spec spec = {.n_outputs = n_outputs, .outputs = outputs};
    return runner_start_spec(r, g, &spec, err);
}

static inline void runner_stop(runner *r) {
    srn_workspace_drop(r->ws);
    srn_plan_drop(r->plan);
}

static inline double *runner_output(const runner *r, int32_t i) {
    return srn_workspace_output(r->ws, i)->data;
}

/* Output 0 is a scalar, outputs 1 .. n its gradients by inputs wrt[0 .. n-1]: each element against
 * a central difference. Counts as one check each. */
static inline void check_gradients(runner *r, int32_t n, const int32_t *wrt) {
    const double step = 1e-5;
    srn_run(r->ws, 0, 0);
    for (int32_t j = 0; j < n; j++) {
        const srn_view *view = srn_workspace_output(r->ws, j + 1);
        int64_t count = srn_shape_count(&view->type.shape);
        double *analytic = malloc((size_t)count * sizeof *analytic);
        srn_run(r->ws, 0, 0);
        memcpy(analytic, view->data, (size_t)count * sizeof *analytic);
        double *x = srn_workspace_input(r->ws, wrt[j]);
        for (int64_t i = 0; i < count; i++) {
            double kept = x[i];
            x[i] = kept + step;
            srn_run(r->ws, 0, 0);
            double above = *runner_output(r, 0);
            x[i] = kept - step;
            srn_run(r->ws, 0, 0);
            double below = *runner_output(r, 0);
            x[i] = kept;
            CHECK_NEAR(analytic[i], (above - below) / (2 * step), 1e-6);
        }
        free(analytic);
    }
}

/* sum(v * fixed numbers): a scalar that every element of v moves. */
static inline srn_val weigh(srn_graph *g, srn_val v, uint32_t seed) {
    srn_type type = *srn_type_of(g, v);
    int64_t count = srn_shape_count(&type.shape);
    double *numbers = malloc((size_t)count * sizeof *numbers + 8);
    fill_numbers(numbers, count, seed);
    srn_val weights = srn_emit_constant(g, type, numbers);
    free(numbers);
    return srn_sum(g, srn_mul(g, v, weights), (srn_ints){0, NULL}, false);
}

#endif
