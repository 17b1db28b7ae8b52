/* Errors, memory, arena, random numbers, thread pool, floating point mode. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/rng.h"
#include "testing.h"

static void test_error(void) {
    srn_error err = {0};
    CHECK(!srn_failed(&err));
    CHECK(!srn_fail(&err, SRN_ERR_VALUE, "got %d", 3));
    CHECK(!srn_fail(&err, SRN_ERR_TYPE, "second"));
    CHECK(err.status == SRN_ERR_VALUE && strcmp(err.text, "got 3") == 0);
    srn_error_clear(&err);
    CHECK(!srn_failed(&err) && err.text[0] == '\0');
    char tale[3000];
    memset(tale, 'x', sizeof tale);
    tale[sizeof tale - 1] = '\0';
    srn_fail(&err, SRN_ERR_VALUE, "%s", tale);
    CHECK(strlen(err.text) == sizeof err.text - 1);
}

static void test_memory(void) {
    srn_error err = {0};
    int64_t live = srn_memory_live(), calls = srn_memory_allocations();
    void *empty = srn_alloc(0, &err), *block = srn_alloc(100, &err);
    char *zero = srn_alloc_zero(1000, &err);
    CHECK(empty != NULL && block != NULL && zero != NULL);
    CHECK((uintptr_t)block % SRN_ALIGN == 0 && (uintptr_t)zero % SRN_ALIGN == 0);
    bool all_zero = true;
    for (int i = 0; i < 1000; i++) {
        all_zero = all_zero && zero[i] == 0;
    }
    CHECK(all_zero);
    CHECK(srn_memory_live() == live + 3 && srn_memory_allocations() == calls + 3);
    srn_free(empty);
    srn_free(block);
    srn_free(zero);
    srn_free(NULL);
    CHECK(srn_memory_live() == live && !srn_failed(&err));

    srn_memory_fail_at(1);
    block = srn_alloc(8, &err);
    CHECK(block != NULL && srn_alloc(8, &err) == NULL && err.status == SRN_ERR_MEMORY);
    srn_free(block);
    srn_error_clear(&err);
    block = srn_alloc(8, &err); /* fails once only */
    CHECK(block != NULL);
    srn_free(block);

    CHECK(srn_alloc(SIZE_MAX - 10, &err) == NULL && err.status == SRN_ERR_MEMORY);
    srn_error_clear(&err);
    size_t size;
    CHECK(srn_size_mul(&size, 6, 7, &err) && size == 42);
    CHECK(srn_size_add(&size, 6, 7, &err) && size == 13);
    CHECK(!srn_size_mul(&size, SIZE_MAX / 2, 3, &err) && err.status == SRN_ERR_MEMORY);
    srn_error_clear(&err);
    CHECK(!srn_size_add(&size, SIZE_MAX, 1, &err) && err.status == SRN_ERR_MEMORY);
    CHECK(srn_round_up(65, 64) == 128 && srn_round_up(64, 64) == 64 && srn_round_up(0, 64) == 0);
}

static void test_arena(void) {
    srn_error err = {0};
    srn_arena arena;
    int64_t live = srn_memory_live();
    srn_arena_init(&arena);
    unsigned char *parts[500];
    for (size_t i = 0; i < 500; i++) {
        size_t bytes = i * i % 1500;
        parts[i] = srn_arena_alloc(&arena, bytes, &err);
        CHECK((uintptr_t)parts[i] % (bytes >= 64 ? 64 : 16) == 0);
        bool fresh = true;
        for (size_t j = 0; j < bytes; j++) {
            fresh = fresh && parts[i][j] == 0;
        }
        CHECK(fresh);
        memset(parts[i], (int)(i % 251), bytes);
    }
    for (size_t i = 0; i < 500; i++) { /* nobody wrote into a neighbour */
        bool kept = true;
        for (size_t j = 0; j < i * i % 1500; j++) {
            kept = kept && parts[i][j] == i % 251;
        }
        CHECK(kept);
    }
    CHECK(srn_arena_alloc(&arena, 10000000, &err) != NULL);
    CHECK(strcmp(srn_arena_string(&arena, "word", &err), "word") == 0);
    CHECK(srn_arena_string(&arena, NULL, &err) == NULL && !srn_failed(&err));
    srn_memory_fail_at(0);
    CHECK(srn_arena_alloc(&arena, 10000000, &err) == NULL && err.status == SRN_ERR_MEMORY);
    srn_error_clear(&err);
    CHECK(srn_arena_alloc(&arena, SIZE_MAX - 8, &err) == NULL);
    srn_arena_deinit(&arena);
    CHECK(srn_memory_live() == live);
}

/* ---- random numbers ---- */

static uint64_t inverse(uint64_t odd) { /* modulo 2^64, by Newton */
    uint64_t x = odd;
    for (int i = 0; i < 6; i++) {
        x *= 2 - odd * x;
    }
    return x;
}

static uint64_t undo_shift(uint64_t z, int shift) {
    uint64_t x = z;
    for (int i = 0; i < 64; i += shift) {
        x = z ^ (x >> shift);
    }
    return x;
}

/* The seed whose hash (rng.c, with the stream that hashes to 0) is this Philox key. */
static srn_rng_key key_for(uint64_t philox_key, uint64_t step) {
    uint64_t z = undo_shift(philox_key, 31) * inverse(0x94D049BB133111EBu);
    z = undo_shift(z, 27) * inverse(0xBF58476D1CE4E5B9u);
    z = undo_shift(z, 30) - 0x9E3779B97F4A7C15u;
    return (srn_rng_key){.seed = z, .stream = 0 - 0x9E3779B97F4A7C15u, .step = step};
}

/* The known answers that come with the authors' Random123: counter, key, result. */
static void test_philox(void) {
    static const struct {
        uint64_t block, step, key;
        uint32_t out[4];
    } known[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x85a308d3243f6a88,
         0x0370734413198a2e,
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        srn_rng_block(key_for(known[i].key, known[i].step), known[i].block, out);
        CHECK(memcmp(out, known[i].out, sizeof out) == 0);
    }
}

/* Any run of elements has the words of its blocks. */
static void test_words(void) {
    const srn_rng_key key = {.seed = 1, .stream = 2, .step = 3};
    const int64_t far = ((int64_t)1 << 34) - 100; /* block numbers pass 2^32 */
    for (int64_t n = 0; n < 600; n += n < 60 ? 1 : 37) {
        for (int64_t first = far + n; first < far + n + 4; first++) {
            uint32_t got[600], block[4];
            srn_rng_words(key, first, n, got);
            bool right = true;
            for (int64_t i = 0; i < n; i++) {
                srn_rng_block(key, (uint64_t)(first + i) / 4, block);
                right = right && got[i] == block[(first + i) % 4];
            }
            CHECK(right);
        }
    }
}

enum { SAMPLES = 100000 };

static void check_moments(const double *x, double mean, double variance) {
    double sum = 0, squares = 0, neighbours = 0;
    for (int i = 0; i < SAMPLES; i++) {
        sum += x[i];
        squares += (x[i] - mean) * (x[i] - mean);
        neighbours += i == 0 ? 0 : (x[i] - mean) * (x[i - 1] - mean);
    }
    /* Five standard errors of the mean; the variance and the correlation spread a little more. */
    double band = 5 * sqrt(variance / SAMPLES);
    CHECK(fabs(sum / SAMPLES - mean) < band);
    CHECK(fabs(squares / SAMPLES - variance) < 2 * band);
    CHECK(fabs(neighbours / SAMPLES) < 2 * band);
}

static void test_rng(void) {
    static double wide[SAMPLES], parts[SAMPLES];
    static float narrow[SAMPLES];
    srn_rng_key key = {.seed = 42, .stream = 7, .step = 3};
    srn_rng_uniform_f64(key, 0, SAMPLES, wide);
    check_moments(wide, 0.5, 1.0 / 12);
    srn_rng_uniform_f32(key, 0, SAMPLES, narrow);
    bool inside = true, close = true;
    for (int i = 0; i < SAMPLES; i++) {
        inside = inside && wide[i] >= 0 && wide[i] < 1 && narrow[i] >= 0 && narrow[i] < 1;
        close = close && fabs(wide[i] - (double)narrow[i]) <= 0x1p-24;
    }
    CHECK(inside && close);
    for (int64_t i = 0, n = 1; i < SAMPLES; i += n, n = n % 13 + 1) { /* any partition */
        n = n < SAMPLES - i ? n : SAMPLES - i;
        srn_rng_uniform_f64(key, i, n, parts + i);
    }
    CHECK(memcmp(wide, parts, sizeof wide) == 0);
    for (int change = 0; change < 3; change++) {
        srn_rng_key other = key;
        *(change == 0 ? &other.seed : change == 1 ? &other.stream : &other.step) += 1;
        srn_rng_uniform_f64(other, 0, SAMPLES, parts);
        int equal = 0;
        for (int i = 0; i < SAMPLES; i++) {
            equal += wide[i] == parts[i];
        }
        CHECK(equal < 5);
    }
    srn_rng_normal_f64(key, 0, SAMPLES, wide);
    check_moments(wide, 0, 1);
    for (int64_t i = 0, n = 1; i < SAMPLES; i += n, n = n % 7 + 1) {
        n = n < SAMPLES - i ? n : SAMPLES - i;
        srn_rng_normal_f64(key, i, n, parts + i);
    }
    CHECK(memcmp(wide, parts, sizeof wide) == 0);
    srn_rng_normal_f32(key, 0, SAMPLES, narrow);
    int beyond = 0;
    bool same = true;
    for (int i = 0; i < SAMPLES; i++) {
        beyond += fabs(wide[i]) > 1.959963984540054; /* 5 % of a normal distribution */
        same = same && narrow[i] == (float)wide[i];
    }
    CHECK(same && abs(beyond - SAMPLES / 20) < 5 * 69);
}

/* ---- the pool ---- */

typedef struct tally {
    _Atomic int done[1000];
    _Atomic int busy[SRN_MAX_THREADS];
    _Atomic int clashes, most;
    int naps;
} tally;

static void count_block(void *context, int64_t block, int worker) {
    tally *t = context;
    if (atomic_fetch_add(&t->busy[worker], 1) != 0) {
        atomic_fetch_add(&t->clashes, 1);
    }
    if (worker > atomic_load(&t->most)) {
        atomic_store(&t->most, worker);
    }
    if (t->naps) {
        usleep(200);
    }
    atomic_fetch_add(&t->done[block], 1);
    atomic_fetch_sub(&t->busy[worker], 1);
}

static bool each_once(tally *t, int n) {
    for (int i = 0; i < n; i++) {
        if (t->done[i] != 1) {
            return false;
        }
    }
    return t->clashes == 0;
}

static void run_and_check(int n, int max_workers, int naps) {
    tally *t = calloc(1, sizeof *t);
    t->naps = naps;
    srn_pool_run(n, max_workers, count_block, t);
    CHECK(each_once(t, n));
    CHECK(t->most < max_workers);
    free(t);
}

static void nested_block(void *context, int64_t block, int worker) {
    (void)worker;
    tally *t = (tally *)context + block;
    srn_pool_run(50, 4, count_block, t);
}

static void *second_caller(void *unused) {
    (void)unused;
    for (int i = 0; i < 50; i++) {
        tally *t = calloc(1, sizeof *t);
        srn_pool_run(20, 4, count_block, t);
        if (!each_once(t, 20)) {
            free(t);
            return (void *)1;
        }
        free(t);
    }
    return NULL;
}

static void test_pool(void) {
    CHECK(srn_pool_threads() >= 1);
    srn_pool_set_threads(0);
    CHECK(srn_pool_threads() == 1);
    srn_pool_set_threads(1000);
    CHECK(srn_pool_threads() == SRN_MAX_THREADS);
    srn_pool_set_threads(4);
    run_and_check(0, 4, 0);
    run_and_check(1, 4, 0);
    run_and_check(3, 1, 0);
    for (int i = 0; i < 300; i++) {
        run_and_check(i % 40, 1 + i % 5, i % 10 == 0);
    }
    run_and_check(1000, 4, 0);
    for (int i = 0; i < 400; i++) { /* workers that still look for work, or fall asleep, or sleep */
        usleep((unsigned)(i % 8 * 10));
        run_and_check(6, 4, 0);
    }

    tally *nested = calloc(8, sizeof *nested);
    srn_pool_run(8, 4, nested_block, nested);
    for (int i = 0; i < 8; i++) {
        CHECK(each_once(&nested[i], 50));
    }
    free(nested);

    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, second_caller, NULL) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        CHECK(bad == NULL);
    }
}

/* Not under ThreadSanitizer, which ends a forked child that starts a thread. */
static void test_fork(void) {
#if !defined(__SANITIZE_THREAD__)
    pid_t child = fork();
    if (child == 0) {
        test_failures = 0;
        run_and_check(100, 4, 1);
        srn_pool_stop();
        _exit(test_failures);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
}

static void test_stop(void) {
    run_and_check(100, 4, 0);
    srn_pool_stop();
    run_and_check(100, 4, 0);
    srn_pool_stop();
    srn_pool_stop();
}

/* Denormals vanish after entering, on workers too, and are back after leaving. */
static volatile float smallest = 1.17549435e-38f;

static void halve(void *context, int64_t block, int worker) {
    (void)worker;
    usleep(1000);
    ((float *)context)[block] = smallest * 0.5f;
}

static void test_fpu(void) {
    float results[16];
    uint64_t mode = srn_fpu_enter();
    srn_pool_run(16, 4, halve, results);
    srn_fpu_leave(mode);
    for (int i = 0; i < 16; i++) {
        CHECK(results[i] == 0);
    }
    CHECK(smallest * 0.5f > 0);
    srn_pool_stop();
    CHECK(strcmp(srn_isa_name(SRN_ISA_AVX2), "avx2") == 0);
    CHECK(srn_cpu_isa() >= SRN_ISA_REF && srn_cpu_isa() <= SRN_ISA_AVX512);
}

int main(void) {
    test_error();
    test_memory();
    test_arena();
    test_philox();
    test_words();
    test_rng();
    test_pool();
    test_fork();
    test_stop();
    test_fpu();
    return test_summary("base");
}
