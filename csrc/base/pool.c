/* The thread pool; see pool.h.
 *
 * A job is described once, then workers 1 .. want-1 are called. Every thread has a share of the blocks,
 * the same one from job to job, so that it finds in its cache what it left there; when its own are
 * done it helps the others with theirs. When the caller runs out of blocks it dismisses the
 * workers that have not answered yet, so that it waits only for blocks that are really being worked
 * on. `busy` is held for the length of a job: whoever finds it taken (a second caller, or a block
 * that calls the pool again) works alone.
 *
 * A worker's state says whose turn it is: the caller makes IDLE to CALLED and, to dismiss, back; the
 * worker CALLED to WORKING and, when done, to IDLE. Waking a sleeper costs up to 50 us and the gaps
 * between the jobs of a run are shorter, so whoever waits first looks for SPIN_NS at what it waits
 * for, then sleeps. Before it sleeps it says so and looks once more; the other side changes the
 * state and then looks for sleepers: one of them sees the other.
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

enum { SPIN_NS = 40000 };

enum { IDLE, CALLED, WORKING };

typedef struct worker {
    _Alignas(64) _Atomic int state;
    _Atomic bool asleep;
    pthread_cond_t wake;
    pthread_t thread;
} worker;

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER; /* of `job` and n_workers */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of sleeping and waking */
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static worker workers[SRN_MAX_THREADS]; /* number 0 is the caller */
static int n_workers = 1;
static _Atomic bool stopping, caller_asleep;

typedef struct share { /* of a thread in the job: blocks next .. end-1 wait */
    _Alignas(64) _Atomic int64_t next;
    int64_t end;
} share;

static struct {
    srn_block_fn fn;
    void *context;
    int n_shares;
    share shares[SRN_MAX_THREADS];
} job;

static _Atomic int threads_wanted; /* 0: not decided yet */

static void work(int number) {
    for (int i = 0; i < job.n_shares; i++) {
        share *s = &job.shares[(number + i) % job.n_shares];
        int64_t block;
        while ((block = atomic_fetch_add(&s->next, 1)) < s->end) {
            job.fn(job.context, block, number);
        }
    }
}

/* ---- waiting ---- */

static bool take_call(worker *me) {
    int called = CALLED;
    return atomic_load(&me->state) == CALLED &&
           atomic_compare_exchange_strong(&me->state, &called, WORKING);
}

static bool is_done(worker *w) {
    return atomic_load(&w->state) != WORKING;
}

static void pause_a_little(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Looks at the worker again and again, for SPIN_NS at most; who else wants this processor gets it. */
static bool spin_until(bool (*condition)(worker *), worker *w) {
    const int64_t end = srn_clock() + SPIN_NS;
    do {
        for (int i = 0; i < 32; i++) {
            if (condition(w)) {
                return true;
            }
            pause_a_little();
        }
        sched_yield();
    } while (srn_clock() < end && !atomic_load(&stopping));
    return false;
}

/* ---- the workers ---- */

/* False: the pool stops. */
static bool await_call(worker *me) {
    if (spin_until(take_call, me)) {
        return true;
    }
    bool called;
    pthread_mutex_lock(&lock);
    atomic_store(&me->asleep, true);
    while (!(called = take_call(me)) && !atomic_load(&stopping)) {
        pthread_cond_wait(&me->wake, &lock);
    }
    atomic_store(&me->asleep, false);
    pthread_mutex_unlock(&lock);
    return called;
}

static void *worker_main(void *self) {
    worker *me = self;
    srn_fpu_enter();
    while (await_call(me)) {
        work((int)(me - workers));
        atomic_store(&me->state, IDLE);
        if (atomic_load(&caller_asleep)) {
            pthread_mutex_lock(&lock);
            pthread_cond_signal(&finished);
            pthread_mutex_unlock(&lock);
        }
    }
    return NULL;
}

/* A forked child has one thread, and locks in the state they had when it was made. */
static void after_fork_in_child(void) {
    pthread_mutex_init(&busy, NULL);
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&finished, NULL);
    n_workers = 1;
    atomic_store(&stopping, false);
    atomic_store(&caller_asleep, false);
}

static void register_fork_handler(void) {
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* Makes workers until there are `want` threads, or as many as the system gives. Signals stay with
 * the threads of the program. */
static int hire(int want) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (n_workers >= want) {
        return want;
    }
    pthread_once(&once, register_fork_handler);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (n_workers < want) {
        worker *w = &workers[n_workers];
        atomic_store(&w->state, IDLE);
        atomic_store(&w->asleep, false);
        pthread_cond_init(&w->wake, NULL);
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            break;
        }
        n_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return n_workers < want ? n_workers : want;
}

/* ---- the caller ---- */

static void call(worker *w) {
    atomic_store(&w->state, CALLED);
    if (atomic_load(&w->asleep)) {
        pthread_mutex_lock(&lock);
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&lock);
    }
}

static void wait_for(worker *w) {
    int called = CALLED;
    if (atomic_compare_exchange_strong(&w->state, &called, IDLE) || spin_until(is_done, w)) {
        return;
    }
    pthread_mutex_lock(&lock);
    atomic_store(&caller_asleep, true);
    while (!is_done(w)) {
        pthread_cond_wait(&finished, &lock);
    }
    atomic_store(&caller_asleep, false);
    pthread_mutex_unlock(&lock);
}

static void run_parallel(int64_t n_blocks, int want) {
    want = hire(want);
    job.n_shares = want;
    for (int i = 0; i < want; i++) {
        job.shares[i].end = n_blocks * (i + 1) / want;
        atomic_store(&job.shares[i].next, n_blocks * i / want);
    }
    for (int i = 1; i < want; i++) {
        call(&workers[i]);
    }
    work(0);
    for (int i = 1; i < want; i++) {
        wait_for(&workers[i]);
    }
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
    run_parallel(n_blocks, want);
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
    atomic_store(&stopping, true);
    for (int i = 1; i < n_workers; i++) {
        pthread_cond_signal(&workers[i].wake);
    }
    pthread_mutex_unlock(&lock);
    for (int i = 1; i < n_workers; i++) {
        pthread_join(workers[i].thread, NULL);
        pthread_cond_destroy(&workers[i].wake);
    }
    n_workers = 1;
    atomic_store(&stopping, false);
    pthread_mutex_unlock(&busy);
}
