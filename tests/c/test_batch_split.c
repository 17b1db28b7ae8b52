/* The batch in parts: the same numbers as whole, and every allocation on the way to a plan fails once. */
#include "tests/c/testing.h"

#include "graph/scan.h"
#include "tests/c/graphs.h"

enum { T = 6, B = 32, F = 4, U = 8, N_OUTPUTS = 6 };

typedef struct model {
    srn_graph *g;
    srn_val outputs[N_OUTPUTS];
} model;

/* h' = tanh(x_t + h R) m, y = h', with a mask m drawn in each step */
static srn_val emit_loop(srn_graph *g, srn_val h0, srn_val xs, srn_val r, srn_error *err) {
    srn_graph *body = srn_graph_new(err);
    if (body == NULL) {
        return SRN_NONE;
    }
    srn_val h = srn_emit_input(body, "h", f64_type(2, B, U, 0));
    srn_val x = srn_emit_input(body, "x", f64_type(2, B, U, 0));
    srn_val weights = srn_emit_input(body, "R", f64_type(2, U, U, 0));
    int64_t dims[] = {B, U};
    srn_attr attrs[] = {{.ints = {2, dims}}, {.i = SRN_F64}, {.f = 0}, {.i = 3}};
    srn_val mask = srn_emit(body, SRN_OP_dropout_mask, 0, NULL, attrs); /* of rate 0: ones */
    srn_val z = srn_add(body, x, srn_matmul(body, h, weights, false, false));
    srn_val out = srn_mul(body, srn_emit1(body, SRN_OP_tanh, z), mask);
    srn_val in[] = {h0, xs, r}, outputs[] = {out, out};
    srn_val last = srn_emit_scan(g, body, T, 1, 1, 3, in, 2, outputs, false);
    if (srn_failed(&body->err)) {
        srn_fail(err, body->err.status, "%s", body->err.text);
    }
    srn_graph_drop(body);
    return last == SRN_NONE ? SRN_NONE : last + 1;
}

/* A product, a loop over it time-major, statistics over the batch, and the gradient by the weights. */
static model build(srn_error *err) {
    model m = {.g = srn_graph_new(err)};
    srn_graph *g = m.g;
    if (g == NULL) {
        return m;
    }
    srn_val x = srn_emit_input(g, "x", f64_type(3, B, T, F));
    srn_val k = srn_emit_input(g, "K", f64_type(2, F, U, 0));
    srn_val r = srn_emit_input(g, "R", f64_type(2, U, U, 0));
    int64_t perm[] = {1, 0, 2}, first = 0;
    srn_val xs = srn_transpose(g, srn_matmul(g, x, k, false, false), (srn_ints){3, perm});
    srn_val h0 = srn_fill(g, f64_type(2, B, U, 0), 0);
    srn_val ys = emit_loop(g, h0, xs, r, err);
    srn_val y = srn_reshape(g, ys, &(srn_shape){2, {T * B, U}});
    srn_val mean = srn_scale(g, srn_sum(g, y, (srn_ints){1, &first}, true), 1.0 / (T * B));
    srn_val centred = srn_sub(g, y, mean);
    srn_val loss = srn_sum(g, srn_square(g, centred), (srn_ints){0, NULL}, false);
    srn_val wrt[] = {x, k, r};
    m.outputs[0] = loss;
    m.outputs[1] = centred;
    m.outputs[2] = ys;
    if (!srn_failed(&g->err) && !srn_failed(err)) {
        srn_gradient(g, 1, &loss, NULL, 3, wrt, m.outputs + 3, err);
    }
    return m;
}

static bool start(runner *run, const model *m, int64_t batch, srn_error *err) {
    srn_compile_spec spec = {.n_outputs = N_OUTPUTS, .outputs = m->outputs, .batch = batch};
    return runner_start_spec(run, m->g, &spec, err);
}

static int count_regions(const srn_plan *plan) {
    int n = 0;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        n += plan->steps[i].body != NULL && plan->steps[i].attr[SRN_SCAN_N_STATE].i == 0;
    }
    return n;
}

static void test_values(void) {
    srn_error err = {0};
    model m = build(&err);
    runner parts = {0}, whole = {0};
    CHECK(start(&parts, &m, B, &err) && start(&whole, &m, 0, &err));
    CHECK(count_regions(parts.plan) > 1);
    CHECK(count_regions(whole.plan) == 0);
    srn_run(parts.ws, 0, 0);
    srn_run(whole.ws, 0, 0);
    for (int k = 0; k < N_OUTPUTS; k++) {
        int64_t n = srn_shape_count(&srn_type_of(m.g, m.outputs[k])->shape);
        for (int64_t i = 0; i < n; i++) {
            CHECK_NEAR(runner_output(&parts, k)[i], runner_output(&whole, k)[i], 1e-11);
        }
    }
    runner_stop(&parts);
    runner_stop(&whole);
    srn_graph_drop(m.g);
}

/* An error comes back and not the plan of the whole, nothing leaks, and the next try works. */
static void test_allocations(void) {
    srn_error err = {0};
    model m = build(&err);
    int64_t live = srn_memory_live(), failures = 0;
    for (bool ok = false; !ok; failures += !ok) {
        runner run = {0};
        srn_error failure = {0};
        srn_memory_fail_at(failures);
        ok = start(&run, &m, B, &failure);
        srn_memory_fail_at(-1);
        CHECK(ok || failure.status == SRN_ERR_MEMORY);
        CHECK(!ok || count_regions(run.plan) > 1);
        if (ok) {
            int64_t before = srn_memory_allocations();
            srn_run(run.ws, 0, 0);
            CHECK(srn_memory_allocations() == before);
        }
        runner_stop(&run);
        CHECK(srn_memory_live() == live);
    }
    CHECK(failures > 50);
    srn_graph_drop(m.g);
}

int main(void) {
    test_values();
    test_allocations();
    return test_summary("batch_split");
}
