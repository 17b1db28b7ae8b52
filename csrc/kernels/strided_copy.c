/* Copies between layouts; see strided_copy.h.
 *
 * Axes that lie in one piece on both sides are merged first. Then the two innermost axes are one of
 *   runs: contiguous on both sides, a memcpy each; short ones in pieces of 16 bytes
 *   repeats: one element to a contiguous run
 *   turns: contiguous across each other, of 4-byte elements: 4 x 4 at a time
 *   anything else (steps, other turns): element by element, in square tiles, so that of two
 *   sides that run across each other both stay in the cache.
 */
#include "kernels/strided_copy.h"

#include <string.h>

typedef struct axis {
    int64_t n, dst, src; /* length and strides */
} axis;

enum { TILE = 32 };

#define TILED(NAME, BYTES)                                                                         \
    static void NAME(const axis *outer, const axis *inner, char *dst, const char *src) {           \
        for (int64_t i0 = 0; i0 < outer->n; i0 += TILE) {                                          \
            int64_t i1 = outer->n - i0 < TILE ? outer->n : i0 + TILE;                              \
            for (int64_t j0 = 0; j0 < inner->n; j0 += TILE) {                                      \
                int64_t nj = inner->n - j0 < TILE ? inner->n - j0 : TILE;                          \
                for (int64_t i = i0; i < i1; i++) {                                                \
                    char *d = dst + (i * outer->dst + j0 * inner->dst) * BYTES;                    \
                    const char *s = src + (i * outer->src + j0 * inner->src) * BYTES;              \
                    for (int64_t j = 0; j < nj; j++) {                                             \
                        memcpy(d + j * inner->dst * BYTES, s + j * inner->src * BYTES, BYTES);     \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
TILED(tiled_1, 1)
TILED(tiled_4, 4)
TILED(tiled_8, 8)

typedef uint32_t quad __attribute__((vector_size(16)));

static quad load_quad(const void *from) {
    quad v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* dst[i][j] = src[j][i] for i, j < 4; rows are that many elements apart. */
static void turn_4x4(uint32_t *dst, int64_t dst_row, const uint32_t *src, int64_t src_row) {
    const quad a = load_quad(src), b = load_quad(src + src_row);
    const quad c = load_quad(src + 2 * src_row), d = load_quad(src + 3 * src_row);
    const quad ab = __builtin_shuffle(a, b, (quad){0, 4, 1, 5});
    const quad cd = __builtin_shuffle(c, d, (quad){0, 4, 1, 5});
    const quad ab_high = __builtin_shuffle(a, b, (quad){2, 6, 3, 7});
    const quad cd_high = __builtin_shuffle(c, d, (quad){2, 6, 3, 7});
    const quad rows[] = {__builtin_shuffle(ab, cd, (quad){0, 1, 4, 5}),
                         __builtin_shuffle(ab, cd, (quad){2, 3, 6, 7}),
                         __builtin_shuffle(ab_high, cd_high, (quad){0, 1, 4, 5}),
                         __builtin_shuffle(ab_high, cd_high, (quad){2, 3, 6, 7})};
    for (int64_t i = 0; i < 4; i++) {
        memcpy(dst + i * dst_row, &rows[i], sizeof rows[i]);
    }
}

/* outer runs along src, inner along dst. */
static void turn(const axis *outer, const axis *inner, void *to, const void *from) {
    uint32_t *dst = to;
    const uint32_t *src = from;
    const int64_t n = outer->n / 4 * 4, m = inner->n / 4 * 4;
    for (int64_t i = 0; i < n; i += 4) {
        for (int64_t j = 0; j < m; j += 4) {
            turn_4x4(dst + i * outer->dst + j, outer->dst, src + j * inner->src + i, inner->src);
        }
    }
    for (int64_t i = 0; i < outer->n; i++) {
        for (int64_t j = i < n ? m : 0; j < inner->n; j++) {
            dst[i * outer->dst + j] = src[j * inner->src + i];
        }
    }
}

/* n runs, each some pieces of 16 bytes: few, so that a call for each would take longer. */
static void short_runs(int64_t n, char *dst, int64_t step_dst, const char *src, int64_t step_src,
                       size_t bytes) {
    for (int64_t i = 0; i < n; i++) {
        for (size_t k = 0; k < bytes; k += sizeof(quad)) {
            const quad piece = load_quad(src + k);
            memcpy(dst + k, &piece, sizeof piece);
        }
        dst += step_dst;
        src += step_src;
    }
}

#define REPEAT(T)                                                                                  \
    for (int64_t i = 0; i < outer->n; i++) {                                                       \
        T *d = (T *)dst + i * outer->dst;                                                          \
        const T v = ((const T *)src)[i * outer->src];                                              \
        for (int64_t j = 0; j < inner->n; j++) {                                                   \
            d[j] = v;                                                                              \
        }                                                                                          \
    }

static void repeat(const axis *outer, const axis *inner, void *dst, const void *src, size_t item) {
    if (item == 4) {
        REPEAT(uint32_t)
    } else if (item == 8) {
        REPEAT(uint64_t)
    } else {
        REPEAT(uint8_t)
    }
}

static void copy_two(const axis *outer, const axis *inner, char *dst, const char *src,
                     size_t item) {
    if (inner->dst == 1 && inner->src == 1) {
        int64_t step_dst = outer->dst * (int64_t)item, step_src = outer->src * (int64_t)item;
        size_t bytes = (size_t)inner->n * item;
        if (bytes <= 128 && bytes % sizeof(quad) == 0) {
            short_runs(outer->n, dst, step_dst, src, step_src, bytes);
            return;
        }
        for (int64_t i = 0; i < outer->n; i++) {
            memcpy(dst + i * step_dst, src + i * step_src, bytes);
        }
    } else if (inner->dst == 1 && inner->src == 0) {
        repeat(outer, inner, dst, src, item);
    } else if (item == 4 && inner->dst == 1 && outer->src == 1) {
        turn(outer, inner, dst, src);
    } else if (item == 4) {
        tiled_4(outer, inner, dst, src);
    } else if (item == 8) {
        tiled_8(outer, inner, dst, src);
    } else {
        tiled_1(outer, inner, dst, src);
    }
}

/* Drops axes of length 1 and joins neighbours; returns how many are left. */
static int32_t merge(axis *axes, const srn_shape *shape, const int64_t *dst_stride,
                     const int64_t *src_stride) {
    int32_t n = 0;
    for (int32_t i = 0; i < shape->rank; i++) {
        axis next = {shape->dim[i], dst_stride[i], src_stride[i]};
        if (next.n == 1) {
            continue;
        }
        axis *last = n > 0 ? &axes[n - 1] : NULL;
        if (last != NULL && last->dst == next.n * next.dst && last->src == next.n * next.src) {
            *last = (axis){last->n * next.n, next.dst, next.src};
        } else {
            axes[n++] = next;
        }
    }
    return n;
}

void srn_strided_copy(const srn_shape *shape, void *dst, const int64_t *dst_stride, const void *src,
                      const int64_t *src_stride, size_t item) {
    if (srn_shape_count(shape) == 0) {
        return;
    }
    axis axes[SRN_MAX_RANK + 2] = {{1, 1, 1}, {1, 1, 1}}; /* two more than there are, in front */
    int32_t n = 2 + merge(axes + 2, shape, dst_stride, src_stride);
    const axis *inner = &axes[n - 1], *outer = &axes[n - 2];
    int64_t index[SRN_MAX_RANK + 2] = {0};
    for (;;) {
        int64_t at_dst = 0, at_src = 0;
        for (int32_t i = 0; i < n - 2; i++) {
            at_dst += index[i] * axes[i].dst;
            at_src += index[i] * axes[i].src;
        }
        copy_two(outer, inner, (char *)dst + at_dst * (int64_t)item,
                 (const char *)src + at_src * (int64_t)item, item);
        int32_t i = n - 3; /* the next index, the last axis first */
        while (i >= 0 && ++index[i] == axes[i].n) {
            index[i--] = 0;
        }
        if (i < 0) {
            return;
        }
    }
}

#define FILL(T)                                                                                    \
    do {                                                                                           \
        T v = (T)value, *to = dst;                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                          \
            to[i] = v;                                                                             \
        }                                                                                          \
    } while (0)

void srn_fill_value(void *dst, int64_t n, srn_dtype dtype, double value) {
    switch (dtype) {
    case SRN_F32:
        FILL(float);
        break;
    case SRN_F64:
        FILL(double);
        break;
    case SRN_I32:
        FILL(int32_t);
        break;
    case SRN_I64:
        FILL(int64_t);
        break;
    default:
        memset(dst, value != 0, (size_t)n);
        break;
    }
}
