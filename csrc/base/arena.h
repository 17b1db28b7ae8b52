/* A bump allocator: many small objects that die together (a graph, a plan). Pointers stay valid
 * until srn_arena_deinit. */
#ifndef SRN_BASE_ARENA_H
#define SRN_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

typedef struct srn_arena_chunk srn_arena_chunk;

typedef struct srn_arena {
    srn_arena_chunk *chunks;
} srn_arena;

void srn_arena_init(srn_arena *arena);
void srn_arena_deinit(srn_arena *arena);
/* Zeroed, aligned to 16 bytes (64 for bytes >= 64). NULL and an error when memory is short. */
void *srn_arena_alloc(srn_arena *arena, size_t bytes, srn_error *err);
void *srn_arena_copy(srn_arena *arena, const void *data, size_t bytes, srn_error *err);
char *srn_arena_string(srn_arena *arena, const char *text, srn_error *err); /* NULL -> NULL */

#endif
