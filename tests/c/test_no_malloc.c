/* A run allocates nothing: malloc itself is counted, not only the core's own way to it. One graph
 * with a layer of every kind, forward and backward, on one thread and on two. */
#include <stdatomic.h>

#include "tests/c/testing.h"

#include "base/pool.h"
#include "tests/c/every_layer.h"

static atomic_long calls;

/* Sanitizers have a malloc of their own; the counter of srn_alloc remains. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { COUNTED = 0 };
#else
enum { COUNTED = 1 };

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

static void test_a_run_allocates_nothing(int threads) {
    srn_error err = {0};
    every_layer e;
    CHECK(every_layer_new(&e, SRN_F64, &err));
    srn_pool_set_threads(threads);
    runner run;
    CHECK(runner_start(&run, e.graph, EVERY_INPUTS + 1, e.outputs, &err));
    srn_run(run.ws, 0, 0); /* starts the threads */
    long before = calls;
    int64_t own = srn_memory_allocations();
    srn_run(run.ws, 0, 1);
    CHECK(calls == before);
    CHECK(srn_memory_allocations() == own);
    runner_stop(&run);
    srn_graph_drop(e.graph);
}

static void test_the_count_counts(void) {
    long before = calls;
    srn_error err = {0};
    srn_free(srn_alloc(100, &err));
    CHECK(calls == before + COUNTED);
}

int main(void) {
    test_the_count_counts();
    test_a_run_allocates_nothing(1);
    test_a_run_allocates_nothing(2);
    return test_summary("no_malloc");
}
