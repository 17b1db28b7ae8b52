/* Building, differentiating and compiling graphs. */
#include "tests/c/testing.h"

#include "tests/c/graphs.h"

static void test_errors_leave_the_graph(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(2, 3, 4, 0));
    srn_val b = srn_emit_input(g, "b", f64_type(2, 5, 4, 0));
    int32_t nodes = g->n_nodes, values = g->n_values;
    CHECK(srn_add(g, a, b) == SRN_NONE);
    CHECK(g->err.status == SRN_ERR_VALUE);
    CHECK_SAYS(g->err, "(3, 4)");
    CHECK_SAYS(g->err, "(5, 4)");
    CHECK(srn_emit1(g, SRN_OP_tanh, a) == SRN_NONE); /* sticky */
    CHECK(g->n_nodes == nodes && g->n_values == values);
    srn_error_clear(&g->err);
    CHECK(srn_emit1(g, SRN_OP_tanh, 77) == SRN_NONE);
    CHECK_SAYS(g->err, "no value of this graph");
    srn_error_clear(&g->err);
    CHECK(srn_emit1(g, SRN_OP_add, a) == SRN_NONE); /* too few */
    srn_error_clear(&g->err);
    int64_t huge[] = {1LL << 40, 1LL << 40};
    CHECK(srn_fill(g, (srn_type){SRN_F64, srn_shape_of(2, huge)}, 0) == SRN_NONE);
    srn_error_clear(&g->err);
    CHECK(srn_emit1(g, SRN_OP_tanh, a) != SRN_NONE);
    srn_graph_drop(g);
}

/* y = sum(w * tanh(a b) * (a b)^2), a read three times over. */
static void test_gradient_of_shared_values(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(2, 3, 4, 0));
    srn_val b = srn_emit_input(g, "b", f64_type(1, 4, 0, 0)); /* broadcast */
    srn_val unused = srn_emit_input(g, "unused", f64_type(1, 2, 0, 0));
    srn_val p = srn_mul(g, a, b);
    srn_val y = srn_mul(g, srn_emit1(g, SRN_OP_tanh, p), srn_add(g, srn_square(g, p), a));
    srn_val results[4] = {weigh(g, y, 5)}, wrt[] = {a, b, unused};
    int32_t numbers[] = {0, 1};
    CHECK(srn_gradient(g, 1, results, NULL, 3, wrt, results + 1, &err));
    CHECK(results[3] == SRN_NONE);
    runner run;
    CHECK(runner_start(&run, g, 3, results, &err));
    check_gradients(&run, 2, numbers);
    runner_stop(&run);
    srn_graph_drop(g);
}

static int count_steps(const srn_plan *plan, srn_op_id id) {
    int n = 0;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        n += plan->steps[i].op == srn_ops[id];
    }
    return n;
}

static int count_nodes(const srn_graph *g, srn_op_id id) {
    int n = 0;
    for (int32_t i = 0; i < g->n_nodes; i++) {
        n += g->nodes[i].id == id;
    }
    return n;
}

/* Slices that tile their source: their gradients are joined. Else they are added. */
static void test_gradient_of_slices(int64_t missing) {
    enum { STEPS = 5 };
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(2, 3, STEPS, 0)), sum = SRN_NONE;
    for (int64_t t = 0; t < STEPS; t++) {
        if (t != missing) {
            srn_val part = srn_slice_axis(g, a, 1, t, t + 1);
            sum = srn_add(g, sum, weigh(g, srn_square(g, part), (uint32_t)t));
        }
    }
    srn_val results[2] = {sum};
    int32_t number = 0;
    CHECK(srn_gradient(g, 1, results, NULL, 1, &a, results + 1, &err));
    CHECK(count_nodes(g, SRN_OP_concat) == (missing < 0));
    runner run;
    CHECK(runner_start(&run, g, 2, results, &err));
    CHECK(missing >= 0 || count_steps(run.plan, SRN_OP_unslice) == 0);
    check_gradients(&run, 1, &number);
    runner_stop(&run);
    srn_graph_drop(g);
}

static void test_gradient_refuses(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(1, 4, 0, 0)), dx;
    srn_val y = srn_emit1(g, SRN_OP_tanh, a);
    CHECK(!srn_gradient(g, 1, &y, NULL, 1, &a, &dx, &err));
    CHECK_SAYS(err, "expected a scalar");
    srn_graph_drop(g);
}

static void test_simplification(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(3, 2, 3, 4));
    int64_t swap[] = {1, 0, 2};
    srn_ints perm = {3, swap};
    srn_val back = srn_transpose(g, srn_transpose(g, a, perm), perm);
    srn_val once = srn_emit1(g, SRN_OP_tanh, back), twice = srn_emit1(g, SRN_OP_tanh, a);
    srn_val sum = srn_add(g, once, srn_scale(g, twice, 1));
    srn_emit1(g, SRN_OP_exp, a); /* dead */
    runner run;
    CHECK(runner_start(&run, g, 1, &sum, &err));
    CHECK(count_steps(run.plan, SRN_OP_transpose) == 0);
    CHECK(count_steps(run.plan, SRN_OP_tanh) == 1);
    CHECK(count_steps(run.plan, SRN_OP_mul) == 0);
    CHECK(count_steps(run.plan, SRN_OP_exp) == 0);
    srn_run(run.ws, 0, 0);
    const double *x = srn_workspace_input(run.ws, 0);
    for (int i = 0; i < 24; i++) {
        CHECK_NEAR(runner_output(&run, 0)[i], 2 * tanh(x[i]), 1e-14);
    }
    runner_stop(&run);
    srn_graph_drop(g);
}

/* A chain of n nodes needs the room of two, and outputs keep theirs. */
static void test_memory_is_reused(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(1, 1000, 0, 0)), v = a;
    for (int i = 0; i < 50; i++) {
        v = srn_emit1(g, SRN_OP_sin, v);
    }
    srn_val outputs[] = {v, a, v}; /* an input and the same value again: bytes of their own */
    runner run;
    CHECK(runner_start(&run, g, 3, outputs, &err));
    CHECK(run.plan->block_bytes <= 5 * 8064);
    srn_run(run.ws, 0, 0);
    const double *x = srn_workspace_input(run.ws, 0);
    for (int i = 0; i < 1000; i += 99) {
        double want = x[i];
        for (int k = 0; k < 50; k++) {
            want = sin(want);
        }
        CHECK_NEAR(runner_output(&run, 0)[i], want, 1e-13);
        CHECK(runner_output(&run, 1)[i] == x[i]);
        CHECK(runner_output(&run, 2)[i] == runner_output(&run, 0)[i]);
    }
    CHECK(runner_output(&run, 0) != runner_output(&run, 2));
    runner_stop(&run);
    srn_graph_drop(g);
}

/* Gradients side by side, zeros where there is none; assigns after the run. */
static void test_gradients_and_assigns(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val w = srn_emit_variable(g, "w", f64_type(1, 3, 0, 0));
    srn_val idle = srn_emit_variable(g, "idle", f64_type(1, 2, 0, 0));
    srn_val mean = srn_emit_variable(g, "mean", f64_type(1, 3, 0, 0));
    srn_val x = srn_emit_input(g, "x", f64_type(1, 3, 0, 0));
    srn_val loss = srn_sum(g, srn_mul(g, srn_square(g, w), x), (srn_ints){0, NULL}, false);
    srn_val like[] = {idle, w}, gradients[2];
    CHECK(srn_gradient(g, 1, &loss, NULL, 2, like, gradients, &err));
    srn_val mean_new = srn_add(g, mean, x);
    int32_t number = 2;
    srn_val outputs[] = {loss, mean};
    srn_compile_spec spec = {.n_outputs = 2,
                             .outputs = outputs,
                             .n_gradients = 2,
                             .gradients = gradients,
                             .gradient_like = like,
                             .n_assigns = 1,
                             .assign_variables = &number,
                             .assign_values = &mean_new};
    srn_plan *plan = srn_compile(g, &spec, &err);
    srn_workspace *ws = srn_workspace_new(plan, &err);
    double w_data[] = {1, 2, 3}, idle_data[] = {9, 9}, mean_data[] = {10, 20, 30};
    srn_workspace_bind(ws, 0, w_data);
    srn_workspace_bind(ws, 1, idle_data);
    srn_workspace_bind(ws, 2, mean_data);
    double x_data[] = {1, 10, 100}, want[] = {0, 0, 2, 40, 600};
    memcpy(srn_workspace_input(ws, 0), x_data, sizeof x_data);
    srn_run(ws, 0, 0);
    CHECK_NEAR(*(double *)srn_workspace_output(ws, 0)->data, 1 + 40 + 900, 1e-12);
    CHECK(plan->gradients[0] == 0 && plan->gradients[1] == 2 && plan->gradients[2] == 5);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(((double *)srn_workspace_gradients(ws))[i], want[i], 1e-12);
    }
    CHECK(mean_data[0] == 11 && mean_data[2] == 130);
    CHECK(((double *)srn_workspace_output(ws, 1)->data)[0] == 10); /* as it was in the run */
    srn_workspace_drop(ws);
    srn_plan_drop(plan);
    srn_graph_drop(g);
}

/* Variables that nothing reads, each set to an input, which needs a copy in the block. */
static void test_variables_only_assigned(void) {
    enum { N = 100 };
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val inputs[N];
    int32_t numbers[N];
    double data[N] = {0};
    for (int32_t i = 0; i < N; i++) {
        srn_emit_variable(g, "v", f64_type(0, 0, 0, 0));
        inputs[i] = srn_emit_input(g, "x", f64_type(0, 0, 0, 0));
        numbers[i] = i;
    }
    srn_compile_spec spec = {.n_assigns = N, .assign_variables = numbers, .assign_values = inputs};
    srn_plan *plan = srn_compile(g, &spec, &err);
    srn_workspace *ws = srn_workspace_new(plan, &err);
    for (int32_t i = 0; i < N; i++) {
        srn_workspace_bind(ws, i, &data[i]);
        *(double *)srn_workspace_input(ws, i) = i + 1;
    }
    srn_run(ws, 0, 0);
    for (int32_t i = 0; i < N; i++) {
        CHECK(data[i] == i + 1);
    }
    srn_workspace_drop(ws);
    srn_plan_drop(plan);
    srn_graph_drop(g);
}

/* 100,000 nodes in a row: no recursion, no quadratic pass. */
static void test_long_chain(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(1, 2, 0, 0)), v = a;
    for (int i = 0; i < 100000; i++) {
        v = srn_emit1(g, SRN_OP_neg, v);
    }
    srn_val results[2] = {srn_sum(g, v, (srn_ints){0, NULL}, false)};
    CHECK(srn_gradient(g, 1, results, NULL, 1, &a, results + 1, &err));
    runner run;
    CHECK(runner_start(&run, g, 2, results, &err));
    srn_run(run.ws, 0, 0);
    CHECK(runner_output(&run, 1)[0] == 1 && runner_output(&run, 1)[1] == 1);
    runner_stop(&run);
    srn_graph_drop(g);
}

static void test_texts(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    g->scope = "dense";
    srn_val a = srn_emit_input(g, "a", f64_type(2, 2, 3, 0));
    srn_val sum = srn_sum(g, a, (srn_ints){1, (int64_t[]){1}}, true);
    char *text = srn_graph_text(g, &err);
    CHECK(text != NULL && strstr(text, "%1 = sum(%0) {axes=[1], keepdims=1} : float64 (2, 1)"
                                       "    dense") != NULL);
    srn_free(text);
    runner run;
    CHECK(runner_start(&run, g, 1, &sum, &err));
    text = srn_plan_text(run.plan, &err);
    CHECK(text != NULL && strstr(text, "sum {axes=[1], keepdims=1}") != NULL);
    srn_free(text);
    runner_stop(&run);
    srn_graph_drop(g);
}

int main(void) {
    test_errors_leave_the_graph();
    test_gradient_of_shared_values();
    test_gradient_of_slices(-1);
    test_gradient_of_slices(2);
    test_gradient_refuses();
    test_simplification();
    test_memory_is_reused();
    test_gradients_and_assigns();
    test_variables_only_assigned();
    test_long_chain();
    test_texts();
    return test_summary("graph");
}
