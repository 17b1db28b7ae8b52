/* The one thread pool of the process; pthread stays in pool.c.
 *
 * Work is a number of independent blocks whose partition never depends on the number of threads,
 * so results do not either. Small work stays on the calling thread; workers look for the next job for
 * 40 us, then sleep; a forked child gets a fresh pool; two callers at once: the second runs its work
 * alone, on its own thread.
 */
#ifndef SRN_BASE_POOL_H
#define SRN_BASE_POOL_H

#include <stdint.h>

#define SRN_MAX_THREADS 64

/* `worker` is 0 .. threads-1 and unique among the blocks that run at the same time. */
typedef void (*srn_block_fn)(void *context, int64_t block, int worker);

/* Runs blocks 0 .. n_blocks-1 on at most `max_workers` threads, the caller among them (worker 0);
 * returns when all are done. Never fails: if threads cannot be made the caller does the work. */
void srn_pool_run(int64_t n_blocks, int max_workers, srn_block_fn fn, void *context);

/* Default: the CPU affinity mask, OMP_NUM_THREADS if smaller or set. Clipped to 1 .. 64. */
int srn_pool_threads(void);
void srn_pool_set_threads(int n);
/* Joins the workers (module unload, tests); the next run starts new ones. */
void srn_pool_stop(void);

#endif
