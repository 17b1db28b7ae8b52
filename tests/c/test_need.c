/* The size told in advance is that of the workspace made: for steps, and for scans whose bodies are
 * walked once, by rows of the batch, or inside each other. */
#include "tests/c/testing.h"

#include "base/pool.h"
#include "graph/scan.h"
#include "run/need.h"
#include "tests/c/graphs.h"

enum { T = 24, B = 70, U = 16 };

static void check_need(const srn_graph *g, int32_t n, const srn_val *outputs) {
    for (int threads = 1; threads <= 2; threads++) {
        srn_pool_set_threads(threads);
        srn_error err = {0};
        runner run;
        CHECK(runner_start(&run, g, n, outputs, &err));
        CHECK(srn_workspace_need(run.plan, threads) == srn_workspace_bytes(run.ws));
        CHECK(srn_workspace_bytes(run.ws) > 0);
        runner_stop(&run);
    }
}

static void test_steps(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(2, B, U, 0));
    srn_emit_input(g, "unused", f64_type(2, B, U, 0));
    srn_val w = srn_emit_input(g, "w", f64_type(2, U, U, 0));
    srn_val out = srn_emit1(g, SRN_OP_tanh, srn_matmul(g, a, w, false, false));
    check_need(g, 1, &out);
    srn_graph_drop(g);
}

/* h' = tanh(h R + x_t), and how often it was done. */
static srn_val emit_scan(srn_graph *g, srn_val h0, srn_val x, srn_val r) {
    srn_graph *body = srn_graph_new(&g->err);
    srn_type state = f64_type(2, B, U, 0), count = {SRN_I32, {0, {0}}};
    srn_val h = srn_emit_input(body, "h", state), n = srn_emit_input(body, "n", count);
    srn_val x_t = srn_emit_input(body, "x", state);
    srn_val r_in = srn_emit_input(body, "R", f64_type(2, U, U, 0));
    srn_val z = srn_add(body, srn_matmul(body, h, r_in, false, false), x_t);
    srn_val out = srn_emit1(body, SRN_OP_tanh, z);
    srn_val n_new = srn_add(body, n, srn_emit_scalar(body, SRN_I32, 1));
    srn_val in[] = {h0, srn_emit_scalar(g, SRN_I32, 0), x, r}, outs[] = {out, n_new, out};
    srn_val first = srn_emit_scan(g, body, T, 2, 1, 4, in, 3, outs, false);
    srn_graph_drop(body);
    return first;
}

static void test_scan(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val wrt[] = {srn_emit_input(g, "h0", f64_type(2, B, U, 0)),
                     srn_emit_input(g, "x", f64_type(3, T, B, U)),
                     srn_emit_input(g, "R", f64_type(2, U, U, 0))};
    srn_val first = emit_scan(g, wrt[0], wrt[1], wrt[2]);
    CHECK(first != SRN_NONE);
    srn_val outputs[4] = {weigh(g, first + 2, 3)};
    check_need(g, 1, outputs);
    CHECK(srn_gradient(g, 1, outputs, NULL, 3, wrt, outputs + 1, &err));
    check_need(g, 4, outputs);
    srn_graph_drop(g);
}

/* s' = s after an inner loop over x_t's rows: a -> sin(a) + x. */
static void test_nested(void) {
    srn_error err = {0};
    srn_type row = f64_type(1, U, 0, 0);
    srn_graph *g = srn_graph_new(&err), *outer = srn_graph_new(&err), *inner = srn_graph_new(&err);
    srn_val a = srn_emit_input(inner, "a", row), x_j = srn_emit_input(inner, "x", row);
    srn_val a_new = srn_add(inner, srn_emit1(inner, SRN_OP_sin, a), x_j);
    srn_val s = srn_emit_input(outer, "s", row);
    srn_val x_t = srn_emit_input(outer, "x", f64_type(2, B, U, 0));
    srn_val inner_in[] = {s, x_t};
    srn_val s_new = srn_emit_scan(outer, inner, B, 1, 1, 2, inner_in, 1, &a_new, false);
    srn_val in[] = {srn_emit_input(g, "s0", row), srn_emit_input(g, "x", f64_type(3, T, B, U))};
    srn_val first = srn_emit_scan(g, outer, T, 1, 1, 2, in, 1, &s_new, false);
    CHECK(first != SRN_NONE);
    check_need(g, 1, &first);
    srn_graph_drop(inner);
    srn_graph_drop(outer);
    srn_graph_drop(g);
}

int main(void) {
    test_steps();
    test_scan();
    test_nested();
    srn_pool_stop();
    return test_summary("need");
}
