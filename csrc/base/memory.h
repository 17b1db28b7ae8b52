/* All memory of the core comes from here, so that tests can count and fail allocations.
 *
 * Blocks are 64-byte aligned (one cache line, one AVX-512 vector).
 */
#ifndef SRN_BASE_MEMORY_H
#define SRN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SRN_ALIGN 64

/* NULL and an error when memory is short; bytes == 0 yields a valid pointer. */
void *srn_alloc(size_t bytes, srn_error *err);
void *srn_alloc_zero(size_t bytes, srn_error *err);
void srn_free(void *block);

/* Checked arithmetic on sizes: false (and an error) on overflow. */
bool srn_size_mul(size_t *out, size_t a, size_t b, srn_error *err);
bool srn_size_add(size_t *out, size_t a, size_t b, srn_error *err);
size_t srn_round_up(size_t bytes, size_t multiple);

/* Test hooks. `fail_at` n >= 0 makes the n-th allocation from now (0 = the next) fail once;
 * -1 switches that off. Counters are process wide and atomic. */
void srn_memory_fail_at(int64_t n);
int64_t srn_memory_allocations(void); /* calls so far */
int64_t srn_memory_live(void);        /* blocks not yet freed */

#endif
