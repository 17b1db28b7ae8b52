/* A run allocates nothing: malloc itself is counted, not only the core's own way to it. One graph
 * with a layer of every kind, forward and backward, on one thread and on two. */
#include <stdatomic.h>

#include "tests/c/testing.h"

#include "base/pool.h"
#include "graph/scan.h"
#include "tests/c/graphs.h"

static atomic_long calls;

/* Under AddressSanitizer malloc is taken already; the counter of srn_alloc remains. */
#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    calls++;
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes) {
    calls++;
    return __libc_calloc(n, bytes);
}

void *realloc(void *block, size_t bytes) {
    calls++;
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    calls++;
    return __libc_memalign(alignment, bytes);
}
#endif

enum { T = 20, B = 40, U = 16 };

/* An input (rows, columns) for a weight. */
static srn_val weight(srn_graph *g, int64_t rows, int64_t columns) {
    return srn_emit_input(g, "w", f64_type(2, rows, columns, 0));
}

static srn_val lstm(srn_graph *g, srn_val x, srn_val h0) {
    srn_val xz = srn_matmul(g, x, weight(g, U, 4 * U), false, false);
    srn_val in[] = {xz, weight(g, U, 4 * U), h0, h0};
    return srn_emit(g, SRN_OP_lstm, 4, in, NULL);
}

static srn_val gru(srn_graph *g, srn_val x, srn_val h0) {
    srn_val xz = srn_matmul(g, x, weight(g, U, 3 * U), false, false);
    srn_val rb = srn_emit_input(g, "b", f64_type(1, 3 * U, 0, 0));
    srn_val in[] = {xz, weight(g, U, 3 * U), rb, h0};
    return srn_emit(g, SRN_OP_gru, 4, in, NULL);
}

/* h' = tanh(layer_norm(x_t + h R)) */
static srn_val scan(srn_graph *g, srn_val x, srn_val h0) {
    srn_graph *body = srn_graph_new(&g->err);
    srn_val h = srn_emit_input(body, "h", f64_type(2, B, U, 0));
    srn_val x_t = srn_emit_input(body, "x", f64_type(2, B, U, 0));
    srn_val r = weight(body, U, U), gamma = srn_emit_input(body, "gamma", f64_type(1, U, 0, 0));
    srn_val z = srn_add(body, x_t, srn_matmul(body, h, r, false, false));
    srn_val norm = srn_emit2(body, SRN_OP_layer_norm, z, gamma);
    srn_val out = srn_emit1(body, SRN_OP_tanh, norm), outputs[] = {out, out};
    srn_val in[] = {h0, x, weight(g, U, U), srn_emit_input(g, "gamma", f64_type(1, U, 0, 0))};
    srn_val first = srn_emit_scan(g, body, T, 1, 1, 4, in, 2, outputs, false);
    srn_graph_drop(body);
    return first + 1;
}

static srn_val conv(srn_graph *g, srn_val x) {
    srn_val in[] = {x, srn_emit_input(g, "w", f64_type(3, 3, U, U))};
    return srn_emit(g, SRN_OP_conv1d, 2, in, NULL);
}

static void test_a_run_allocates_nothing(int threads) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val x = srn_emit_input(g, "x", f64_type(3, T, B, U));
    srn_val h0 = srn_emit_input(g, "h0", f64_type(2, B, U, 0));
    srn_val y = scan(g, gru(g, lstm(g, x, h0), h0), h0);
    y = conv(g, srn_transpose(g, y, (srn_ints){3, (int64_t[]){1, 0, 2}}));
    y = srn_emit1(g, SRN_OP_log_softmax, srn_matmul(g, y, weight(g, U, 5), false, false));
    srn_val outputs[64] = {weigh(g, y, 3)}, wrt[63];
    int32_t n = 0;
    for (srn_val v = 0; v < g->n_values && n < 63; v++) {
        if (srn_maker(g, v)->id == SRN_OP_input) {
            wrt[n++] = v;
        }
    }
    CHECK(n == 11);
    CHECK(srn_gradient(g, 1, outputs, NULL, n, wrt, outputs + 1, &err));
    srn_pool_set_threads(threads);
    runner run;
    CHECK(runner_start(&run, g, n + 1, outputs, &err));
    srn_run(run.ws, 0, 0); /* starts the threads */
    long before = calls;
    int64_t own = srn_memory_allocations();
    srn_run(run.ws, 0, 1);
    CHECK(calls == before);
    CHECK(srn_memory_allocations() == own);
    runner_stop(&run);
    srn_graph_drop(g);
}

static void test_the_count_counts(void) {
    long before = calls;
    srn_error err = {0};
    srn_free(srn_alloc(100, &err));
#ifndef __SANITIZE_ADDRESS__
    CHECK(calls == before + 1);
#else
    CHECK(calls == before);
#endif
}

int main(void) {
    test_the_count_counts();
    test_a_run_allocates_nothing(1);
    test_a_run_allocates_nothing(2);
    return test_summary("no_malloc");
}
