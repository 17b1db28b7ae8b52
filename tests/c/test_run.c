/* Runs on several threads: the same bits for any number of them, also when two callers run plans at
 * the same time. With ThreadSanitizer (make ctest-tsan) a test that blocks share nothing. */
#include <pthread.h>

#include "tests/c/testing.h"

#include "base/pool.h"
#include "tests/c/every_layer.h"

enum { REPEATS = 3 };

static size_t output_bytes(const runner *run, int32_t i) {
    return srn_type_bytes(&srn_workspace_output(run->ws, i)->type);
}

static bool same_outputs(const runner *a, const runner *b) {
    bool same = true;
    for (int32_t i = 0; i <= EVERY_INPUTS; i++) {
        size_t bytes = output_bytes(a, i);
        same = same && bytes == output_bytes(b, i) &&
               memcmp(runner_output(a, i), runner_output(b, i), bytes) == 0;
    }
    return same;
}

static void *run_again(void *r) {
    for (uint64_t i = 0; i < REPEATS; i++) {
        srn_run(((runner *)r)->ws, 5, i);
    }
    return NULL;
}

/* Before anything else has run: kernels are chosen and threads made by two callers at once. */
static void test_two_callers(const every_layer *e, runner *a, runner *b) {
    srn_error err = {0};
    srn_pool_set_threads(3);
    CHECK(runner_start(a, e->graph, EVERY_INPUTS + 1, e->outputs, &err));
    CHECK(runner_start(b, e->graph, EVERY_INPUTS + 1, e->outputs, &err));
    pthread_t other;
    CHECK(pthread_create(&other, NULL, run_again, b) == 0);
    run_again(a);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(isfinite(*runner_output(a, 0)) && *runner_output(a, 0) != 0);
    CHECK(same_outputs(a, b));
}

static void test_number_of_threads(const every_layer *e, const runner *expected) {
    srn_error err = {0};
    for (int threads = 1; threads <= 8; threads++) {
        srn_pool_set_threads(threads);
        runner run;
        CHECK(runner_start(&run, e->graph, EVERY_INPUTS + 1, e->outputs, &err));
        run_again(&run);
        CHECK(same_outputs(&run, expected));
        runner_stop(&run);
    }
}

/* A product that BLAS makes, where it is better: there a row's bits depend on the others of its
 * block. */
static void test_large_product(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val a = srn_emit_input(g, "a", f64_type(2, 129, 1100, 0));
    srn_val b = srn_emit_input(g, "b", f64_type(2, 1100, 1030, 0));
    a = srn_cast(g, a, SRN_F32);
    srn_val product = srn_matmul(g, a, srn_cast(g, b, SRN_F32), false, false);
    runner run[2];
    for (int i = 0; i < 2; i++) {
        srn_pool_set_threads(1 + i);
        CHECK(runner_start(&run[i], g, 1, &product, &err));
        srn_run(run[i].ws, 0, 0);
    }
    CHECK(memcmp(runner_output(&run[0], 0), runner_output(&run[1], 0), output_bytes(&run[0], 0)) ==
          0);
    runner_stop(&run[0]);
    runner_stop(&run[1]);
    srn_graph_drop(g);
}

static void test_dtype(srn_dtype dtype) {
    srn_error err = {0};
    every_layer e;
    CHECK(every_layer_new(&e, dtype, &err));
    runner a, b;
    test_two_callers(&e, &a, &b);
    test_number_of_threads(&e, &a);
    srn_run(b.ws, 5, 0);
    CHECK(!same_outputs(&a, &b)); /* another step, another dropout mask */
    runner_stop(&a);
    runner_stop(&b);
    srn_graph_drop(e.graph);
}

int main(void) {
    test_dtype(SRN_F32);
    test_dtype(SRN_F64);
    test_large_product();
    srn_pool_stop();
    return test_summary("run");
}
