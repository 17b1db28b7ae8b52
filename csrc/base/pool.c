/* The thread pool; see pool.h.
 *
 * A job is described once, under the lock, then workers 1 .. want-1 are woken one by one and every
 * thread takes the next block from a shared counter until none is left. When the caller runs out
 * of blocks it dismisses the workers that have not woken yet, so that it waits only for blocks
 * that are really being worked on. `busy` is held for the length of a job: whoever finds it taken
 * (a second caller, or a block that calls the pool again) works alone.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"

typedef struct worker {
    pthread_t thread;
    pthread_cond_t wake;
    bool called; /* there is a job for this worker */
} worker;

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static worker workers[SRN_MAX_THREADS]; /* number 0 is the caller */
static int n_workers = 1;
static int n_working; /* called and not yet done */
static bool stopping;

static struct {
    srn_block_fn fn;
    void *context;
    int64_t n_blocks;
    _Atomic int64_t next;
} job;

static _Atomic int threads_wanted; /* 0: not decided yet */

static void work(int number) {
    int64_t block;
    while ((block = atomic_fetch_add(&job.next, 1)) < job.n_blocks) {
        job.fn(job.context, block, number);
    }
}

static void *worker_main(void *self) {
    worker *me = self;
    srn_fpu_enter();
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!me->called && !stopping) {
            pthread_cond_wait(&me->wake, &lock);
        }
        if (stopping) {
            break;
        }
        me->called = false;
        pthread_mutex_unlock(&lock);
        work((int)(me - workers));
        pthread_mutex_lock(&lock);
        if (--n_working == 0) {
            pthread_cond_signal(&finished);
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* A forked child has one thread, and locks in the state they had when it was made. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&busy, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&finished, NULL);
    n_workers = 1;
    n_working = 0;
    stopping = false;
}

static void register_fork_handler(void) {
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* Makes workers until there are `want` threads, or as many as the system gives. Signals stay with
 * the threads of the program. */
static int hire(int want) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork_handler);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (n_workers < want) {
        worker *w = &workers[n_workers];
        w->called = false;
        pthread_cond_init(&w->wake, NULL);
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            break;
        }
        n_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return n_workers < want ? n_workers : want;
}

static void run_parallel(int want) {
    pthread_mutex_lock(&lock);
    want = hire(want);
    n_working = want - 1;
    for (int i = 1; i < want; i++) {
        workers[i].called = true;
        pthread_cond_signal(&workers[i].wake);
    }
    pthread_mutex_unlock(&lock);
    work(0);
    pthread_mutex_lock(&lock);
    for (int i = 1; i < want; i++) {
        n_working -= workers[i].called;
        workers[i].called = false;
    }
    while (n_working > 0) {
        pthread_cond_wait(&finished, &lock);
    }
    pthread_mutex_unlock(&lock);
}

void srn_pool_run(int64_t n_blocks, int max_workers, srn_block_fn fn, void *context) {
    int want = srn_pool_threads();
    want = max_workers < want ? max_workers : want;
    want = n_blocks < want ? (int)n_blocks : want;
    if (want <= 1 || pthread_mutex_trylock(&busy) != 0) {
        for (int64_t block = 0; block < n_blocks; block++) {
            fn(context, block, 0);
        }
        return;
    }
    job.fn = fn;
    job.context = context;
    job.n_blocks = n_blocks;
    atomic_store(&job.next, 0);
    run_parallel(want);
    pthread_mutex_unlock(&busy);
}

static int default_threads(void) {
    const char *omp = getenv("OMP_NUM_THREADS");
    int n = omp == NULL ? 0 : atoi(omp); /* "4,2": the outermost level */
    if (n >= 1) {
        return n;
    }
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return CPU_COUNT(&set);
    }
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int srn_pool_threads(void) {
    if (atomic_load(&threads_wanted) == 0) {
        srn_pool_set_threads(default_threads());
    }
    return atomic_load(&threads_wanted);
}

void srn_pool_set_threads(int n) {
    n = n < 1 ? 1 : n;
    atomic_store(&threads_wanted, n > SRN_MAX_THREADS ? SRN_MAX_THREADS : n);
}

void srn_pool_stop(void) {
    pthread_mutex_lock(&busy);
    pthread_mutex_lock(&lock);
    stopping = true;
    for (int i = 1; i < n_workers; i++) {
        pthread_cond_signal(&workers[i].wake);
    }
    pthread_mutex_unlock(&lock);
    for (int i = 1; i < n_workers; i++) {
        pthread_join(workers[i].thread, NULL);
        pthread_cond_destroy(&workers[i].wake);
    }
    n_workers = 1;
    stopping = false;
    pthread_mutex_unlock(&busy);
}
