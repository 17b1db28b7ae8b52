/* A bump allocator; see arena.h. Chunks double from 4 KiB to 256 KiB; a bigger object gets a chunk
 * of its own size. */
#include "base/arena.h"

#include <string.h>

#include "base/memory.h"

struct srn_arena_chunk {
    srn_arena_chunk *next;
    size_t used, size; /* of the whole chunk, this header included */
};

enum { HEADER = SRN_ALIGN, SMALLEST = 4096, LARGEST = 262144 };

void srn_arena_init(srn_arena *arena) {
    arena->chunks = NULL;
}

void srn_arena_deinit(srn_arena *arena) {
    for (srn_arena_chunk *chunk = arena->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        srn_free(chunk);
    }
    arena->chunks = NULL;
}

static srn_arena_chunk *add_chunk(srn_arena *arena, size_t bytes, srn_error *err) {
    size_t need, size = SMALLEST;
    if (!srn_size_add(&need, bytes, HEADER, err)) {
        return NULL;
    }
    if (arena->chunks != NULL) {
        size = 2 * arena->chunks->size;
        size = size > LARGEST ? LARGEST : size;
    }
    size = size < need ? need : size;
    srn_arena_chunk *chunk = srn_alloc(size, err);
    if (chunk != NULL) {
        *chunk = (srn_arena_chunk){arena->chunks, HEADER, size};
        arena->chunks = chunk;
    }
    return chunk;
}

void *srn_arena_alloc(srn_arena *arena, size_t bytes, srn_error *err) {
    size_t align = bytes >= SRN_ALIGN ? SRN_ALIGN : 16;
    srn_arena_chunk *chunk = arena->chunks;
    size_t at = chunk == NULL ? 0 : srn_round_up(chunk->used, align);
    if (chunk == NULL || at > chunk->size || chunk->size - at < bytes) {
        chunk = add_chunk(arena, bytes, err);
        if (chunk == NULL) {
            return NULL;
        }
        at = chunk->used;
    }
    chunk->used = at + bytes;
    return memset((char *)chunk + at, 0, bytes);
}

void *srn_arena_copy(srn_arena *arena, const void *data, size_t bytes, srn_error *err) {
    void *copy = srn_arena_alloc(arena, bytes, err);
    if (copy != NULL && bytes > 0) {
        memcpy(copy, data, bytes);
    }
    return copy;
}

char *srn_arena_string(srn_arena *arena, const char *text, srn_error *err) {
    return text == NULL ? NULL : srn_arena_copy(arena, text, strlen(text) + 1, err);
}
