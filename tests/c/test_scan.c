/* scan: values against a plain loop, gradients against central differences, and that the hoist and
 * the sink take place. */
#include "tests/c/testing.h"

#include "base/pool.h"
#include "graph/scan.h"
#include "tests/c/graphs.h"

enum { T = 4, B = 3, F = 2, U = 5 };

typedef struct rnn {
    srn_graph *g;
    srn_val x, h0, k, r, b, ys, last;
} rnn;

/* h' = tanh(x_t K + b + h R), y = h' */
static rnn build_rnn(bool reverse, srn_error *err) {
    rnn m = {.g = srn_graph_new(err), .ys = SRN_NONE, .last = SRN_NONE};
    srn_graph *body = srn_graph_new(err);
    if (m.g == NULL || body == NULL) {
        srn_graph_drop(body);
        return m;
    }
    m.x = srn_emit_input(m.g, "x", f64_type(3, T, B, F));
    m.h0 = srn_emit_input(m.g, "h0", f64_type(2, B, U, 0));
    m.k = srn_emit_input(m.g, "K", f64_type(2, F, U, 0));
    m.r = srn_emit_input(m.g, "R", f64_type(2, U, U, 0));
    m.b = srn_emit_input(m.g, "b", f64_type(1, U, 0, 0));
    srn_val h = srn_emit_input(body, "h", f64_type(2, B, U, 0));
    srn_val x = srn_emit_input(body, "x", f64_type(2, B, F, 0));
    srn_val k = srn_emit_input(body, "K", f64_type(2, F, U, 0));
    srn_val r = srn_emit_input(body, "R", f64_type(2, U, U, 0));
    srn_val b = srn_emit_input(body, "b", f64_type(1, U, 0, 0));
    srn_val z = srn_add(body, srn_matmul(body, x, k, false, false), b);
    z = srn_add(body, z, srn_matmul(body, h, r, false, false));
    srn_val out = srn_emit1(body, SRN_OP_tanh, z);
    srn_val in[] = {m.h0, m.x, m.k, m.r, m.b}, outputs[] = {out, out};
    m.last = srn_emit_scan(m.g, body, T, 1, 1, 5, in, 2, outputs, reverse);
    m.ys = m.last == SRN_NONE ? SRN_NONE : m.last + 1;
    if (srn_failed(&body->err)) {
        srn_fail(err, body->err.status, "%s", body->err.text);
    }
    srn_graph_drop(body);
    return m;
}

static void test_values(bool reverse) {
    srn_error err = {0};
    rnn m = build_rnn(reverse, &err);
    srn_val outputs[] = {m.ys, m.last};
    runner run;
    CHECK(runner_start(&run, m.g, 2, outputs, &err));
    srn_run(run.ws, 0, 0);
    const double *x = srn_workspace_input(run.ws, 0), *h0 = srn_workspace_input(run.ws, 1);
    const double *k = srn_workspace_input(run.ws, 2), *r = srn_workspace_input(run.ws, 3);
    const double *bias = srn_workspace_input(run.ws, 4);
    double h[B][U];
    memcpy(h, h0, sizeof h);
    for (int step = 0; step < T; step++) {
        int t = reverse ? T - 1 - step : step;
        double next[B][U];
        for (int i = 0; i < B; i++) {
            for (int u = 0; u < U; u++) {
                double z = bias[u];
                for (int f = 0; f < F; f++) {
                    z += x[(t * B + i) * F + f] * k[f * U + u];
                }
                for (int v = 0; v < U; v++) {
                    z += h[i][v] * r[v * U + u];
                }
                next[i][u] = tanh(z);
                CHECK_NEAR(runner_output(&run, 0)[(t * B + i) * U + u], next[i][u], 1e-12);
            }
        }
        memcpy(h, next, sizeof h);
    }
    for (int i = 0; i < B * U; i++) {
        CHECK_NEAR(runner_output(&run, 1)[i], (&h[0][0])[i], 1e-12);
    }
    runner_stop(&run);
    srn_graph_drop(m.g);
}

static int count_nodes(const srn_graph *g, srn_op_id id) {
    int n = 0;
    for (int32_t i = 0; i < g->n_nodes; i++) {
        n += g->nodes[i].id == id;
    }
    return n;
}

static void test_gradient(bool reverse) {
    srn_error err = {0};
    rnn m = build_rnn(reverse, &err);
    srn_val outputs[6] = {srn_add(m.g, weigh(m.g, m.ys, 7), weigh(m.g, m.last, 8))};
    srn_val wrt[] = {m.x, m.h0, m.k, m.r, m.b};
    int32_t numbers[] = {0, 1, 2, 3, 4};
    CHECK(srn_gradient(m.g, 1, outputs, NULL, 5, wrt, outputs + 1, &err));
    /* Hoist: of the two products of a step one is left in it. Sink: none of the weight gradients
     * is, only dz R^T. */
    for (int32_t i = 0; i < m.g->n_nodes; i++) {
        if (m.g->nodes[i].id == SRN_OP_scan) {
            const srn_graph *body = m.g->nodes[i].attr[SRN_SCAN_BODY].body;
            CHECK(count_nodes(body, SRN_OP_matmul) == 1);
            CHECK(m.g->nodes[i].attr[SRN_SCAN_N_STATE].i == 1);
        }
    }
    CHECK(count_nodes(m.g, SRN_OP_scan) == 2);
    CHECK(count_nodes(m.g, SRN_OP_matmul) == 4); /* xK; dK, dR, dx */
    runner run;
    CHECK(runner_start(&run, m.g, 6, outputs, &err));
    check_gradients(&run, 5, numbers);
    runner_stop(&run);
    srn_graph_drop(m.g);
}

/* A constant that is used in ways the sink does not know, twice; a state nobody computes with;
 * integers beside floats:  h' = h * c + sin(c) * x,  n' = n + 1. */
static void test_carried_constant(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err), *body = srn_graph_new(&err);
    srn_type slice = f64_type(2, B, U, 0), count = {SRN_I32, {0, {0}}};
    srn_val x = srn_emit_input(g, "x", f64_type(3, T, B, U)), c = srn_emit_input(g, "c", slice);
    srn_val h0 = srn_emit_input(g, "h0", slice);
    srn_val in[] = {h0, srn_emit_scalar(g, SRN_I32, 0), x, c};
    srn_val h = srn_emit_input(body, "h", slice), n = srn_emit_input(body, "n", count);
    srn_val x_t = srn_emit_input(body, "x", slice), c_in = srn_emit_input(body, "c", slice);
    srn_val out = srn_add(body, srn_mul(body, h, c_in),
                          srn_mul(body, srn_emit1(body, SRN_OP_sin, c_in), x_t));
    srn_val n_new = srn_add(body, n, srn_emit_scalar(body, SRN_I32, 1));
    srn_val outs[] = {out, n_new, h}; /* y: the state before the step */
    srn_val first = srn_emit_scan(g, body, T, 2, 1, 4, in, 3, outs, false);
    CHECK(first != SRN_NONE);
    srn_val results[5] = {srn_add(g, weigh(g, first, 1), weigh(g, first + 2, 2))};
    srn_val wrt[] = {x, c, h0};
    int32_t numbers[] = {0, 1, 2};
    CHECK(srn_gradient(g, 1, results, NULL, 3, wrt, results + 1, &err));
    results[4] = first + 1;
    runner run;
    CHECK(runner_start(&run, g, 5, results, &err));
    check_gradients(&run, 3, numbers);
    CHECK(*(const int32_t *)srn_workspace_output(run.ws, 4)->data == T);
    runner_stop(&run);
    srn_graph_drop(body);
    srn_graph_drop(g);
}

/* A scan in a scan: s' = tanh(s + sum over the inner steps of (x_t[j] * w)). */
static void test_nested(void) {
    srn_error err = {0};
    enum { INNER = 3 };
    srn_type row = f64_type(1, U, 0, 0);
    srn_graph *g = srn_graph_new(&err), *outer = srn_graph_new(&err), *inner = srn_graph_new(&err);
    srn_val a = srn_emit_input(inner, "a", row), x_j = srn_emit_input(inner, "x", row);
    srn_val w_in = srn_emit_input(inner, "w", row);
    srn_val a_new = srn_add(inner, a, srn_emit1(inner, SRN_OP_sin, srn_mul(inner, x_j, w_in)));
    srn_val s = srn_emit_input(outer, "s", row);
    srn_val x_t = srn_emit_input(outer, "x", f64_type(2, INNER, U, 0));
    srn_val w_out = srn_emit_input(outer, "w", row);
    srn_val inner_in[] = {s, x_t, w_out}, inner_out[] = {a_new};
    srn_val sum = srn_emit_scan(outer, inner, INNER, 1, 1, 3, inner_in, 1, inner_out, false);
    srn_val s_new = srn_emit1(outer, SRN_OP_tanh, sum);
    srn_val x = srn_emit_input(g, "x", f64_type(3, T, INNER, U));
    srn_val s0 = srn_emit_input(g, "s0", row), w = srn_emit_input(g, "w", row);
    srn_val in[] = {s0, x, w}, out[] = {s_new, s_new};
    srn_val first = srn_emit_scan(g, outer, T, 1, 1, 3, in, 2, out, false);
    CHECK(first != SRN_NONE);
    srn_val results[4] = {weigh(g, first + 1, 3)}, wrt[] = {x, s0, w};
    int32_t numbers[] = {0, 1, 2};
    CHECK(srn_gradient(g, 1, results, NULL, 3, wrt, results + 1, &err));
    runner run;
    CHECK(runner_start(&run, g, 4, results, &err));
    check_gradients(&run, 3, numbers);
    runner_stop(&run);
    srn_graph_drop(inner);
    srn_graph_drop(outer);
    srn_graph_drop(g);
}

/* h' = tanh(h R + x_t + m), m a row by which the batch's rows meet (the sum of h over the batch) or
 * not: only where they don't is the batch cut into parts, in a scan without state around this one. */
enum { LONG = 24, MANY = 64, PARTS = 4, WIDE = 16 };

static srn_val emit_wide(srn_graph *g, bool meet) {
    srn_graph *body = srn_graph_new(&g->err);
    srn_type state = f64_type(2, MANY, WIDE, 0), square = f64_type(2, WIDE, WIDE, 0);
    srn_val in[] = {srn_emit_input(g, "h0", state),
                    srn_emit_input(g, "x", f64_type(3, LONG, MANY, WIDE)),
                    srn_emit_input(g, "R", square)};
    srn_val h = srn_emit_input(body, "h", state), x = srn_emit_input(body, "x", state);
    srn_val r = srn_emit_input(body, "R", square);
    srn_val z = srn_add(body, srn_matmul(body, h, r, false, false), x);
    srn_val m = srn_sum(body, h, (srn_ints){1, (int64_t[]){meet ? 0 : 1}}, true);
    srn_val out = srn_emit1(body, SRN_OP_tanh, srn_add(body, z, srn_scale(body, m, 0.01)));
    srn_val outputs[] = {out, out};
    srn_val first = srn_emit_scan(g, body, LONG, 1, 1, 3, in, 2, outputs, false);
    srn_graph_drop(body);
    return first;
}

static void check_wide(const runner *run, bool meet) {
    const double *h0 = srn_workspace_input(run->ws, 0), *x = srn_workspace_input(run->ws, 1);
    const double *r = srn_workspace_input(run->ws, 2), *ys = runner_output(run, 1);
    for (int t = 0; t < LONG; t++) {
        const double *h = t == 0 ? h0 : ys + (t - 1) * MANY * WIDE;
        for (int i = 0; i < MANY * WIDE; i++) {
            double z = x[t * MANY * WIDE + i], m = 0;
            for (int v = 0; v < WIDE; v++) {
                z += h[i / WIDE * WIDE + v] * r[v * WIDE + i % WIDE];
            }
            for (int v = 0; v < (meet ? MANY : WIDE); v++) {
                m += meet ? h[v * WIDE + i % WIDE] : h[i / WIDE * WIDE + v];
            }
            CHECK_NEAR(ys[t * MANY * WIDE + i], tanh(z + 0.01 * m), 1e-12);
        }
    }
}

static void test_parts_of_the_batch(bool meet) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val first = emit_wide(g, meet);
    srn_val outputs[5] = {first, first + 1}, wrt[] = {0, 1, 2};
    srn_val loss = srn_add(g, weigh(g, first, 1), weigh(g, first + 1, 2));
    CHECK(srn_gradient(g, 1, &loss, NULL, 3, wrt, outputs + 2, &err));
    double *kept[5] = {NULL};
    for (int threads = 1; threads <= 3; threads++) {
        srn_pool_set_threads(threads);
        runner run;
        srn_compile_spec spec = {.n_outputs = 5, .outputs = outputs, .batch = MANY};
        CHECK(runner_start_spec(&run, g, &spec, &err));
        int split = 0;
        for (int32_t i = 0; i < run.plan->n_steps; i++) {
            const srn_step *step = &run.plan->steps[i];
            split += step->body != NULL && step->attr[SRN_SCAN_N_STATE].i == 0;
            CHECK(step->body == NULL || step->rows == (meet ? 1 : PARTS));
        }
        CHECK(split == (meet ? 0 : 1));
        srn_run(run.ws, 0, 0);
        check_wide(&run, meet);
        for (int k = 0; k < 5; k++) {
            size_t bytes = srn_type_bytes(&srn_workspace_output(run.ws, k)->type);
            if (threads == 1) {
                kept[k] = malloc(bytes);
                memcpy(kept[k], runner_output(&run, k), bytes);
            }
            CHECK(memcmp(kept[k], runner_output(&run, k), bytes) == 0);
        }
        runner_stop(&run);
    }
    for (int k = 0; k < 5; k++) {
        free(kept[k]);
    }
    srn_graph_drop(g);
}

static void test_refused(void) {
    srn_error err = {0};
    rnn m = build_rnn(false, &err);
    srn_graph *body = srn_graph_new(&err);
    srn_val h = srn_emit_input(body, "h", f64_type(2, B, U, 0));
    srn_val x = srn_emit_input(body, "x", f64_type(2, B, U, 0));
    srn_val in[] = {m.h0, m.x}, outputs[] = {srn_add(body, h, x)};
    int32_t nodes = m.g->n_nodes;
    CHECK(srn_emit_scan(m.g, body, T, 1, 1, 2, in, 1, outputs, false) == SRN_NONE);
    CHECK_SAYS(m.g->err, "sequence 1: got float64 (4, 3, 2), expected float64 (4, 3, 5)");
    CHECK(m.g->n_nodes == nodes);
    srn_error_clear(&m.g->err);
    CHECK(srn_emit_scan(m.g, body, 0, 1, 1, 2, in, 1, outputs, false) == SRN_NONE);
    CHECK_SAYS(m.g->err, "0 time steps");
    srn_graph_drop(body);
    srn_graph_drop(m.g);
}

/* Every allocation between an empty graph and a workspace fails once: an error comes back, nothing
 * leaks, and the next try works. Then a run allocates nothing. */
static void test_allocations(void) {
    int64_t live = srn_memory_live();
    int64_t failures = 0;
    for (int64_t n = 0;; n++) {
        srn_memory_fail_at(n);
        srn_error err = {0};
        rnn m = build_rnn(false, &err);
        bool ok = m.g != NULL && m.ys != SRN_NONE;
        runner run = {0};
        if (ok) {
            srn_val outputs[4] = {weigh(m.g, m.ys, 7)}, wrt[] = {m.x, m.k, m.r};
            ok = srn_gradient(m.g, 1, outputs, NULL, 3, wrt, outputs + 1, &err) &&
                 runner_start(&run, m.g, 4, outputs, &err);
        }
        bool failed = srn_failed(&err) || (m.g != NULL && srn_failed(&m.g->err));
        CHECK(ok != failed);
        srn_memory_fail_at(-1);
        if (ok) {
            int64_t before = srn_memory_allocations();
            srn_run(run.ws, 0, 0);
            CHECK(srn_memory_allocations() == before);
        }
        runner_stop(&run);
        srn_graph_drop(m.g);
        CHECK(srn_memory_live() == live);
        if (ok) {
            break;
        }
        failures++;
    }
    CHECK(failures > 50);
}

int main(void) {
    test_values(false);
    test_values(true);
    test_gradient(false);
    test_gradient(true);
    test_carried_constant();
    test_nested();
    test_parts_of_the_batch(false);
    test_parts_of_the_batch(true);
    test_refused();
    test_allocations();
    return test_summary("scan");
}
