/* Sums and products of floats over columns, in whole vectors; a template, see vector_body.h.
 *
 *   total[j] = total[j] f x[0][j] f x[1][j] f ...        f is + or *
 *
 * In the order of FOLD: blocks of FOLD_ROWS rows, whose part is in a register, four rows pairwise.
 * Columns are taken WIDTH at a time. Where a vector would be incomplete it begins earlier, or in
 * rows shorter than a vector it reaches into the next row, and what it should not have is dropped:
 * so the bits of a column don't depend on its neighbours.
 */

enum { NAME(WIDTH) = 64 / sizeof(T) };
#define WIDTH NAME(WIDTH)

typedef T NAME(lanes) __attribute__((vector_size(64)));
typedef T NAME(any_lanes) __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
#define LANES(p) (*(const NAME(any_lanes) *)(p))
#define JOINED(a, b) (f == SRN_FOLD_SUM ? (a) + (b) : (a) * (b))

/* n rows of one vector. */
INLINE void NAME(fold_rows)(const srn_fold f, T *part, const T *in, int64_t n, int64_t stride) {
    NAME(lanes) sum = (T)(f == SRN_FOLD_SUM ? 0 : 1) - (NAME(lanes)){0};
    int64_t r = 0;
    for (; r + 4 <= n; r += 4, in += 4 * stride) {
        NAME(lanes) a = JOINED(LANES(in), LANES(in + stride));
        NAME(lanes) b = JOINED(LANES(in + 2 * stride), LANES(in + 3 * stride));
        a = JOINED(a, b);
        sum = JOINED(sum, a);
    }
    for (; r < n; r++, in += stride) {
        sum = JOINED(sum, LANES(in));
    }
    memcpy(part, &sum, sizeof sum);
}

/* As many of the n rows as can be read so; returns how many that were. */
INLINE int64_t NAME(fold_vectors)(const srn_fold f, srn_total *total, const T *in, int64_t n,
                                  int64_t stride, int64_t columns) {
    if (columns < WIDTH) {
        n = n < 2 ? 0 : (n - (WIDTH - columns + stride - 1) / stride) / FOLD_ROWS * FOLD_ROWS;
    }
    for (int64_t r = 0; r < n; r += FOLD_ROWS) {
        const int64_t rows = n - r < FOLD_ROWS ? n - r : FOLD_ROWS;
        T part[WIDTH];
        int64_t j = 0;
        for (; j + WIDTH <= columns; j += WIDTH) {
            NAME(fold_rows)(f, part, in + r * stride + j, rows, stride);
            for (int i = 0; i < WIDTH; i++) {
                total[j + i].f = JOINED(total[j + i].f, (double)part[i]);
            }
        }
        if (j < columns) {
            const int64_t begin = columns < WIDTH ? 0 : columns - WIDTH;
            NAME(fold_rows)(f, part, in + r * stride + begin, rows, stride);
            for (; j < columns; j++) {
                total[j].f = JOINED(total[j].f, (double)part[j - begin]);
            }
        }
    }
    return n > 0 ? n : 0;
}

#undef WIDTH
#undef LANES
#undef JOINED
