/* The allocator's one door; see memory.h. */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t countdown = -1; /* allocations until one fails */
static _Atomic int64_t n_allocations;
static _Atomic int64_t n_live;

static bool told_to_fail(void) {
    return atomic_load(&countdown) >= 0 && atomic_fetch_sub(&countdown, 1) == 0;
}

void *srn_alloc(size_t bytes, srn_error *err) {
    atomic_fetch_add(&n_allocations, 1);
    void *block = NULL;
    if (bytes <= PTRDIFF_MAX - SRN_ALIGN && !told_to_fail()) {
        block = aligned_alloc(SRN_ALIGN, srn_round_up(bytes > 0 ? bytes : 1, SRN_ALIGN));
    }
    if (block == NULL) {
        srn_fail(err, SRN_ERR_MEMORY, "out of memory: %zu bytes could not be allocated", bytes);
        return NULL;
    }
    atomic_fetch_add(&n_live, 1);
    return block;
}

void *srn_alloc_zero(size_t bytes, srn_error *err) {
    void *block = srn_alloc(bytes, err);
    if (block != NULL) {
        memset(block, 0, bytes);
    }
    return block;
}

void srn_free(void *block) {
    if (block != NULL) {
        atomic_fetch_sub(&n_live, 1);
        free(block);
    }
}

bool srn_size_mul(size_t *out, size_t a, size_t b, srn_error *err) {
    if (__builtin_mul_overflow(a, b, out)) {
        return srn_fail(err, SRN_ERR_MEMORY, "out of memory: %zu x %zu bytes is more than fits", a,
                        b);
    }
    return true;
}

bool srn_size_add(size_t *out, size_t a, size_t b, srn_error *err) {
    if (__builtin_add_overflow(a, b, out)) {
        return srn_fail(err, SRN_ERR_MEMORY, "out of memory: %zu + %zu bytes is more than fits", a,
                        b);
    }
    return true;
}

size_t srn_round_up(size_t bytes, size_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}

void srn_memory_fail_at(int64_t n) {
    atomic_store(&countdown, n);
}

int64_t srn_memory_allocations(void) {
    return atomic_load(&n_allocations);
}

int64_t srn_memory_live(void) {
    return atomic_load(&n_live);
}
