/* Products with few columns for AVX-512, float: C (m, n) := op(A) B + D, n <= 20 and not 16.
 *
 * A vector holds four by four numbers, so that 20 columns fill five vectors, and what is loaded of A
 * serves all columns. Two forms, for the two layouts of A:
 *
 *     rows     lane 4 q + s of a sum: every fourth term, from s on, of one column;
 *              sum += (A[i][p .. p + 3], repeated four times) * (B, packed to match),
 *              and at the end the four lanes of a column are added. Five vectors: the first four
 *              have the columns 4 q, 4 q + 1, ... so that adding lanes brings sixteen columns into
 *              their order; the fifth has the columns 16 + q, and is added with those of other rows.
 *              Where there are less than four, vector j has the columns 4 j + q.
 *     outer    A turned, the gradient of a weight: lane 4 q + s is C[4 i + s][4 j + q];
 *              sum += (A[p][4 i .. 4 i + 3], repeated) * (B[p][4 j .. 4 j + 3], each four times)
 *
 * Up to 4 x 5 and 5 x 5 vectors of sums are in registers. Long sums are made in pieces, which are
 * added in C. The order of a sum depends on k and the blocks alone; which kernel makes it, on n, k,
 * the blocks and `ta`. Memory: a piece of B, packed, 20 KB on the stack.
 */
#if defined(__x86_64__)
#define SRN_SIMD 2
#include "kernels/simd.h"

#include "kernels/gemm_small.h"

typedef v_f32 V;
enum { MOST_ROWS = 4, MOST_FOURS = 5 }; /* of a tile; columns, and rows of C turned, in fours */
enum { PIECE_FOURS = 64, OUTER_PIECE = 256 }; /* terms of a piece */

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static __mmask8 mask4(int64_t count) {
    return (__mmask8)(count >= 4 ? 15 : count <= 0 ? 0 : (1u << count) - 1);
}

/* Four numbers, or those of the mask and zeros, repeated. */
SIMD_INLINE V repeat4(const float *p) {
    return (V)_mm512_broadcast_f32x4(_mm_loadu_ps(p));
}
SIMD_INLINE V repeat_some(const float *p, __mmask8 mask) {
    return (V)_mm512_broadcast_f32x4(_mm_maskz_loadu_ps(mask, p));
}

/* Lane 4 q + r becomes lane 4 r + q. */
SIMD_INLINE V turn(V v) {
    const __m512i from = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return (V)_mm512_permutexvar_ps(from, (__m512)v);
}

/* In each four lanes the sums over those of a, b, c, d. */
SIMD_INLINE V sums4(V a, V b, V c, V d) {
#define LOW(a, b) (V) _mm512_unpacklo_ps((__m512)(a), (__m512)(b))
#define HIGH(a, b) (V) _mm512_unpackhi_ps((__m512)(a), (__m512)(b))
    const V ab = LOW(a, b) + HIGH(a, b), cd = LOW(c, d) + HIGH(c, d);
    return (V)_mm512_unpacklo_pd((__m512d)ab, (__m512d)cd) +
           (V)_mm512_unpackhi_pd((__m512d)ab, (__m512d)cd);
}

/* ---- rows ---- */

/* One piece of the sum. */
typedef struct piece {
    int64_t m, lda, ldc, ldd;       /* of a block of rows; then the next begins, */
    int64_t next_a, next_c, next_d; /* so far behind the end of this one */
    int64_t tap, taps, p0, terms;   /* so many terms, from p0 on, of so many taps from `tap` on */
    int64_t gap;                    /* from the last whole four of a tap to the next tap */
    bool add;                       /* D */
} piece;

/* Where a row lies. */
typedef struct place {
    const float *a, *d;
    float *c;
    int64_t i;
} place;

SIMD_INLINE void step_on(place *at, const piece *g) {
    at->a += g->lda;
    at->c += g->ldc;
    at->d += g->ldd;
    if (++at->i == g->m) {
        at->i = 0;
        at->a += g->next_a;
        at->c += g->next_c;
        at->d += g->next_d;
    }
}

SIMD_INLINE void put(float *c, const float *d, bool add, V sum, int64_t columns) {
    if (columns >= VL_F32) {
        store_f32(c, add ? sum + load_f32(d) : sum);
    } else {
        const __mmask16 mask = mask_f32(columns);
        store_some_f32(c, add ? sum + load_some_f32(d, mask) : sum, mask);
    }
}

/* The compiler must not store with the instruction that takes `sum` out of a vector: under a mask that
 * one, unlike a plain store, faults where there is no memory. */
SIMD_INLINE void put4(float *c, const float *d, bool add, __m128 sum, __mmask8 mask) {
    if (mask == 15) {
        _mm_storeu_ps(c, add ? _mm_add_ps(sum, _mm_loadu_ps(d)) : sum);
    } else {
        sum = add ? _mm_add_ps(sum, _mm_maskz_loadu_ps(mask, d)) : sum;
        __asm__("" : "+v"(sum));
        _mm_mask_storeu_ps(c, mask, sum);
    }
}

/* acc[r][j] += four terms of row r, LEFT, times those of B. */
#define MULTIPLY(LEFT)                                                                             \
    do {                                                                                           \
        V right[MOST_FOURS];                                                                       \
        _Pragma("GCC unroll 8") for (int j = 0; j < fours; j++, b += VL_F32) {                     \
            right[j] = load_f32(b);                                                                \
        }                                                                                          \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++) {                                   \
            const V left = LEFT;                                                                   \
            _Pragma("GCC unroll 8") for (int j = 0; j < fours; j++) {                              \
                acc[r][j] += left * right[j];                                                      \
            }                                                                                      \
        }                                                                                          \
    } while (0)

SIMD_INLINE void tile(const int rows, const int fours, const piece *g, const float *b,
                      const place *at, int64_t columns) {
    const bool add = g->add;
    V acc[MOST_ROWS][MOST_FOURS];
#pragma GCC unroll 8
    for (int r = 0; r < MOST_ROWS; r++) {
#pragma GCC unroll 8
        for (int j = 0; j < fours; j++) {
            acc[r][j] = (V){0};
        }
    }
    const __mmask8 rest = mask4(g->terms % 4);
    int64_t p = 0;
    for (int64_t tap = g->taps; tap > 0; tap--, p += g->gap) {
        for (int64_t q = g->terms / 4; q > 0; q--, p += 4) {
            MULTIPLY(repeat4(at[r].a + p));
        }
        if (rest != 0) {
            MULTIPLY(repeat_some(at[r].a + p, rest));
        }
    }
    const int joined = fours == 1 ? 0 : fours < 4 ? fours : 4; /* the others go over four rows */
#pragma GCC unroll 8
    for (int r = 0; joined > 0 && r < rows; r++) {
        V sum = sums4(acc[r][0], acc[r][1], joined > 2 ? acc[r][2] : (V){0},
                      joined > 3 ? acc[r][3] : (V){0});
        put(at[r].c, at[r].d, add, joined < 4 ? turn(sum) : sum, columns);
    }
#pragma GCC unroll 8
    for (int j = joined; j < fours; j++) {
        const V sum = turn(sums4(acc[0][j], acc[1][j], acc[2][j], acc[3][j]));
        const __mmask8 mask = mask4(columns - 4 * j);
#define PUT_ROW(r)                                                                                 \
    if (r < rows) {                                                                                \
        put4(at[r].c + 4 * j, at[r].d + 4 * j, add, _mm512_extractf32x4_ps((__m512)sum, r), mask); \
    }
        PUT_ROW(0)
        PUT_ROW(1)
        PUT_ROW(2)
        PUT_ROW(3)
    }
}

/* Four numbers each from four places, `ld` apart; those of the mask, `count` places. */
SIMD_INLINE V fours_some(const float *p, int64_t ld, __mmask8 mask, int64_t count) {
    __m512 v = _mm512_castps128_ps512(_mm_maskz_loadu_ps(count > 0 ? mask : 0, p));
    v = _mm512_insertf32x4(v, _mm_maskz_loadu_ps(count > 1 ? mask : 0, p + ld), 1);
    v = _mm512_insertf32x4(v, _mm_maskz_loadu_ps(count > 2 ? mask : 0, p + 2 * ld), 2);
    return (V)_mm512_insertf32x4(v, _mm_maskz_loadu_ps(count > 3 ? mask : 0, p + 3 * ld), 3);
}

/* Up to 16 columns of up to four rows: lane 4 q + s of to[g] is row s, column 4 q + g. */
SIMD_INLINE void pack_joined(float *to, const float *b, int64_t ld, int64_t rows, __mmask16 mask) {
    __m512 r[4];
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) {
        r[s] = _mm512_maskz_loadu_ps(s < rows ? mask : 0, b + s * ld);
    }
    const __m512d a0 = (__m512d)LOW(r[0], r[1]), a1 = (__m512d)HIGH(r[0], r[1]),
                  b0 = (__m512d)LOW(r[2], r[3]), b1 = (__m512d)HIGH(r[2], r[3]);
    store_f32(to, (V)_mm512_unpacklo_pd(a0, b0));
    store_f32(to + VL_F32, (V)_mm512_unpackhi_pd(a0, b0));
    store_f32(to + 2 * VL_F32, (V)_mm512_unpacklo_pd(a1, b1));
    store_f32(to + 3 * VL_F32, (V)_mm512_unpackhi_pd(a1, b1));
}

/* `rows` rows of op(B), as they lie at b, the way tiles want them: zero where there is nothing.
 * Returns where the next go. */
SIMD_INLINE float *pack(const int fours, float *to, const srn_gemm_problem *t, const float *b,
                        int64_t rows) {
    const int joined = fours >= 4 ? 4 : 0;
    const int64_t ld = t->ldb, n = t->n;
    for (; rows > 0; rows -= 4, b += t->tb ? 4 : 4 * ld, to += fours * VL_F32) {
        if (t->tb) {
            const __mmask8 mask = mask4(rows);
#pragma GCC unroll 8
            for (int g = 0; g < fours; g++) {
                const int first = g < joined ? g : 4 * g, apart = g < joined ? 4 : 1;
                const int64_t count = (n - first + apart - 1) / apart;
                store_f32(to + g * VL_F32, fours_some(b + first * ld, apart * ld, mask, count));
            }
            continue;
        }
        if (joined > 0) {
            pack_joined(to, b, ld, rows, mask_f32(smaller(n, VL_F32)));
        }
#pragma GCC unroll 8
        for (int g = joined; g < fours; g++) {
            store_f32(to + g * VL_F32, turn(fours_some(b + 4 * g, ld, mask4(n - 4 * g), rows)));
        }
    }
    return to;
}

/* One piece, with n columns: B packed, then all rows. */
SIMD_INLINE void all_rows(const int fours, const srn_gemm_problem *t, const piece *g, place at) {
    float packed[PIECE_FOURS * MOST_FOURS * VL_F32], *to = packed;
    const int64_t each = t->k / (t->taps > 1 ? t->taps : 1), ld = t->tb ? 1 : t->ldb;
    for (int64_t tap = g->tap; tap < g->tap + g->taps; tap++) {
        to = pack(fours, to, t, (const float *)t->b + (tap * each + g->p0) * ld, g->terms);
    }
    at.a += g->tap * t->tap_step + g->p0;
    int64_t left = t->m * (t->blocks > 1 ? t->blocks : 1);
    place each_at[MOST_ROWS];
    for (; left >= MOST_ROWS; left -= MOST_ROWS) {
#pragma GCC unroll 8
        for (int r = 0; r < MOST_ROWS; r++) {
            each_at[r] = at;
            step_on(&at, g);
        }
        tile(MOST_ROWS, fours, g, packed, each_at, t->n);
    }
    for (; left > 0; left--, step_on(&at, g)) {
        tile(1, fours, g, packed, &at, t->n);
    }
}

#define ROWS(fours)                                                                                \
    static void rows_##fours(const srn_gemm_problem *t, const piece *g, place at) {                \
        all_rows(fours, t, g, at);                                                                 \
    }
ROWS(1)
ROWS(2)
ROWS(3)
ROWS(4)
ROWS(5)

/* `more`: C has the pieces before. */
static void rows_piece(const srn_gemm_problem *t, piece g, bool more) {
    static void (*const by_width[])(const srn_gemm_problem *, const piece *, place) = {
        rows_1, rows_2, rows_3, rows_4, rows_5,
    };
    place at = {.a = t->a, .d = t->d, .c = t->c};
    g.m = t->m;
    g.lda = t->lda;
    g.ldc = t->ldc;
    g.ldd = t->ldd;
    g.next_a = t->block_a - t->m * t->lda;
    g.next_c = t->block_other - t->m * t->ldc;
    g.gap = t->tap_step - g.terms / 4 * 4;
    g.add = more || t->d != NULL;
    if (more || t->d == NULL || t->d == t->c) {
        at.d = t->c;
        g.ldd = t->ldc;
        g.next_d = g.next_c;
    }
    by_width[(t->n - 1) / 4](t, &g, at);
}

/* All taps in one piece if they fit; else each for itself. */
static void rows(const srn_gemm_problem *t) {
    const int64_t taps = t->taps > 1 ? t->taps : 1, each = t->k / taps;
    if (taps * ((each + 3) / 4) <= PIECE_FOURS) {
        rows_piece(t, (piece){.taps = taps, .terms = each}, false);
        return;
    }
    for (int64_t tap = 0; tap < taps; tap++) {
        for (int64_t p = 0; p < each; p += 4 * PIECE_FOURS) {
            const int64_t terms = smaller(each - p, 4 * PIECE_FOURS);
            rows_piece(t, (piece){.tap = tap, .taps = 1, .p0 = p, .terms = terms},
                       tap > 0 || p > 0);
        }
    }
}

/* ---- outer ---- */

/* The rows of A and B over which is summed, from one on. (Pointers that lie side by side the
 * compiler would keep in one vector.) */
typedef struct sum_rows {
    const float *a;
    int64_t i, k, lda, next_a; /* row i of a block of k; the next begins so far behind its end */
    const float *b;
    __mmask8 mask_a, mask_b; /* the last columns of A and B */
    int64_t ldb, next_b;
    int64_t careful; /* rows at the end of a block, behind which nothing must be read */
} sum_rows;

SIMD_INLINE V spread_some(const float *p, __mmask8 mask) {
    const __m512i each = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    const __m512 v = _mm512_castps128_ps512(_mm_maskz_loadu_ps(mask, p));
    return (V)_mm512_permutexvar_ps(each, v);
}

/* n rows of one block. Of four columns that are not all there, the others are read from the row
 * behind; unless `careful`. */
SIMD_INLINE void add_rows(const int down, const int fours, const bool careful, sum_rows *at,
                          int64_t n, V acc[MOST_FOURS][MOST_FOURS]) {
    const float *a = at->a, *b = at->b;
    for (int64_t r = 0; r < n; r++, a += at->lda, b += at->ldb) {
        V left[MOST_FOURS];
#pragma GCC unroll 8
        for (int i = 0; i < down; i++) {
            left[i] =
                careful && i == down - 1 ? repeat_some(a + 4 * i, at->mask_a) : repeat4(a + 4 * i);
        }
#pragma GCC unroll 8
        for (int j = 0; j < fours; j++) {
            const V right = careful && j == fours - 1 ? spread_some(b + 4 * j, at->mask_b)
                                                      : spread_f32(b + 4 * j);
#pragma GCC unroll 8
            for (int i = 0; i < down; i++) {
                acc[i][j] += left[i] * right;
            }
        }
    }
    at->a = a;
    at->b = b;
    at->i += n > 0 ? n : 0;
}

/* sums[i][j]: four by four elements of C, from the next n rows. */
SIMD_INLINE void outer_tile(const int down, const int fours, sum_rows *at, int64_t n, float *sums) {
    V acc[MOST_FOURS][MOST_FOURS];
#pragma GCC unroll 8
    for (int i = 0; i < down; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < fours; j++) {
            acc[i][j] = (V){0};
        }
    }
    while (n > 0) {
        const int64_t before = at->i, last = smaller(at->k, before + n);
        add_rows(down, fours, false, at, smaller(last, at->k - at->careful) - before, acc);
        add_rows(down, fours, true, at, last - at->i, acc);
        n -= last - before;
        if (last == at->k) {
            at->i = 0;
            at->a += at->next_a;
            at->b += at->next_b;
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < down; i++) {
#pragma GCC unroll 8
        for (int j = 0; j < fours; j++, sums += VL_F32) {
            store_f32(sums, turn(acc[i][j]));
        }
    }
}

#define OUTER(down, fours)                                                                         \
    static void outer_##down##_##fours(sum_rows *at, int64_t n, float *sums) {                     \
        outer_tile(down, fours, at, n, sums);                                                      \
    }
#define OUTER_5(down) OUTER(down, 1) OUTER(down, 2) OUTER(down, 3) OUTER(down, 4) OUTER(down, 5)
OUTER_5(1)
OUTER_5(2)
OUTER_5(3)
OUTER_5(4)
OUTER_5(5)

/* m rows of C from i0 on: sums + D, or + C if there are `more` sums than these. */
static void put_sums(const srn_gemm_problem *t, int64_t i0, int64_t m, const float *sums,
                     bool more) {
    const bool add = more || t->d != NULL;
    const int64_t fours = (t->n + 3) / 4;
    for (int64_t i = 0; i < m; i++, sums += i % 4 == 0 ? (fours - 1) * VL_F32 + 4 : 4) {
        float *c = (float *)t->c + (i0 + i) * t->ldc;
        const float *d = more || !add ? c : (const float *)t->d + (i0 + i) * t->ldd;
        for (int64_t j = 0; j < fours; j++) {
            const __m128 sum = _mm_loadu_ps(sums + j * VL_F32);
            put4(c + 4 * j, d + 4 * j, add, sum, mask4(t->n - 4 * j));
        }
    }
}

/* m rows of C from i0 on, no more than a tile has. */
static void outer_rows(const srn_gemm_problem *t, int64_t i0, int64_t m) {
    typedef void tile_fn(sum_rows *, int64_t, float *);
#define BY_WIDTH(down)                                                                             \
    {                                                                                              \
        outer_##down##_1, outer_##down##_2, outer_##down##_3, outer_##down##_4, outer_##down##_5   \
    }
    static tile_fn *const tiles[MOST_FOURS][MOST_FOURS] = {BY_WIDTH(1), BY_WIDTH(2), BY_WIDTH(3),
                                                           BY_WIDTH(4), BY_WIDTH(5)};
    sum_rows at = {.a = (const float *)t->a + i0, .b = t->b, .k = t->k};
    at.lda = t->lda;
    at.ldb = t->ldb;
    at.next_a = t->block_a - t->k * t->lda;
    at.next_b = t->block_other - t->k * t->ldb;
    at.mask_a = mask4(m - (m - 1) / 4 * 4);
    at.mask_b = mask4(t->n - (t->n - 1) / 4 * 4);
    const int64_t all = (t->blocks > 1 ? t->blocks : 1) * t->k;
    if (m % 4 != 0 || t->n % 4 != 0) {
        at.careful = t->lda < 4 || t->ldb < 4 ? 4 : 1;
    }
    int64_t p = 0;
    do {
        float sums[MOST_FOURS * MOST_FOURS * VL_F32];
        const int64_t rows = smaller(OUTER_PIECE, all - p);
        tiles[(m - 1) / 4][(t->n - 1) / 4](&at, rows, sums);
        put_sums(t, i0, m, sums, p > 0);
        p += rows;
    } while (p < all);
}

static void outer(const srn_gemm_problem *t) {
    const int64_t down = (t->m + 3) / 4, tiles = (down + MOST_FOURS - 1) / MOST_FOURS;
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t i0 = i * down / tiles * 4, i1 = (i + 1) * down / tiles * 4;
        outer_rows(t, i0, smaller(i1, t->m) - i0);
    }
}

bool srn_gemm_narrow_avx512(const srn_gemm_problem *t) {
    if (t->n == VL_F32 || t->n > 4 * MOST_FOURS) {
        return false;
    }
    if (t->ta) {
        if (t->tb || t->lda < 1 || t->ldb < 1 || (t->blocks > 1 ? t->blocks : 1) * t->k < 64) {
            return false;
        }
        outer(t);
        return true;
    }
    if (t->k < 4) {
        return false;
    }
    rows(t);
    return true;
}
#endif
