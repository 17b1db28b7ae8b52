/* The small GEMM for one element type T (suffix S) and one instruction set (simd.h).
 *
 * C is cut into tiles of R rows by V vectors, whose sums stay in registers:
 *
 *     acc[r][v] = D[r][v]
 *     for p < k:   acc[r][v] += A[r][p] (one number, repeated) * B[p][v] (a vector)
 *
 * A tile takes R + V loads for R * V multiply-adds. The last vector of a row may be incomplete: it
 * is loaded and stored under a mask. If it has four elements or fewer, most lanes of it would idle:
 * instead its four columns of several p fill one vector (`ends`),
 *
 *     sum[4 q + j] += A[r][p + q] * B[p + q][j],   q < VL / 4, added over q at the end
 *
 * with one multiply-add where there were VL / 4 (20 columns: 5 in place of 8). B transposed is first
 * turned into a panel of V vectors by GEMM_SMALL_K rows on the stack (40 KB at most); so is an
 * incomplete panel where masks are slow.
 * Tiles of a panel run over all rows before the next panel, so the panel of B stays in the nearest
 * cache.
 *
 * The idea of register tiles: Goto and van de Geijn (2008), Anatomy of High-Performance Matrix
 * Multiplication. Their packing of A and blocking for the outer caches is left to OpenBLAS.
 */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define F(stem) JOIN(stem, S)
#define V JOIN(v, S)
#define VL ((int64_t)(SIMD_BYTES / sizeof(T)))

/* Vectors of a panel, and rows of a tile of 1, 2, 3 ... vectors: as the registers allow. */
#ifndef PANEL_VECTORS
#define MASKED_LOADS (SRN_SIMD > 0)
/* B is packed when that pays: too large for the nearest cache as it lies, and used by many rows;
 * fewer when its rows are pages apart, so that they crowd into a few sets of that cache. */
#define PACK_ROWS(stride) ((stride) % 4096 == 0 ? 24 : 48)
#define PACK_BYTES 32768
/* How a panel ends: with a whole vector, one under a mask, one of four columns. */
enum { WHOLE, MASKED, FOUR };
#if SRN_SIMD == 2
#define PANEL_VECTORS 5
#define TILE_ROWS(vectors) ((vectors) <= 3 ? 8 : 4)
#else
#define PANEL_VECTORS 3
#define TILE_ROWS(vectors) ((vectors) == 1 ? 8 : 4)
#endif
#endif

typedef struct F(panel) {
    int64_t m, k, rs, cs, ldb, ldc, ldd; /* A[i][p] is a[i * rs + p * cs] */
    int64_t taps, gap;                   /* so many times k, `gap` between them */
    bool more;                           /* not the first piece of the sum: C holds those before */
    int64_t rest;                        /* elements of the last vector */
    JOIN(simd_mask, S) mask;             /* the same, when MASKED */
    const T *ends;                       /* when FOUR: the last columns of B, (k, 4) */
} F(panel);

/* Values per vector of four columns. */
#define QUADS (SRN_SIMD > 0 ? VL / 4 : 1)

SIMD_INLINE V F(load_end)(const int end, const F(panel) * g, const T *p) {
    return end == MASKED ? F(load_some)(p, g->mask) : F(load_part)(p, g->rest);
}

/* The last vector of a row goes to C; D was added already unless it ends with four columns. */
SIMD_INLINE void F(finish)(const int end, const F(panel) * g, T *c, const T *d, V sum) {
    if (end == FOUR) {
        sum = F(fold)(sum);
    }
    if (g->more) {
        sum += F(load_end)(end, g, c);
    } else if (end == FOUR && d != NULL) {
        sum += F(load_end)(end, g, d);
    }
    if (end == MASKED) {
        F(store_some)(c, sum, g->mask);
    } else {
        F(store_part)(c, sum, g->rest);
    }
}

SIMD_INLINE void F(begin)(const int rows, const int vectors, const int end, const F(panel) * g,
                          const T *d, V acc[8][PANEL_VECTORS]) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            const bool last = end != WHOLE && v == vectors - 1;
            const T *from = d + r * g->ldd + v * VL;
            acc[r][v] = d == NULL || (last && end == FOUR) ? (V){0}
                        : last                             ? F(load_end)(end, g, from)
                                                           : F(load)(from);
        }
    }
}

SIMD_INLINE void F(put)(const int rows, const int vectors, const int end, const F(panel) * g,
                        const T *d, T *c, V acc[8][PANEL_VECTORS]) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            const bool last = end != WHOLE && v == vectors - 1;
            const int64_t at = r * g->ldc + v * VL;
            if (!last) {
                F(store)(c + at, g->more ? acc[r][v] + F(load)(c + at) : acc[r][v]);
            } else {
                F(finish)(end, g, c + at, d == NULL ? d : d + r * g->ldd + v * VL, acc[r][v]);
            }
        }
    }
}

SIMD_INLINE void F(tile)(const int rows, const int vectors, const int end, const F(panel) * g,
                         const T *a, const T *b, const T *d, T *c) {
    V acc[8][PANEL_VECTORS];
    const int full = end == FOUR ? vectors - 1 : vectors; /* that are multiplied the usual way */
    F(begin)(rows, vectors, end, g, d, acc);
    const int64_t rs = g->rs, ldb = g->ldb;
    const int64_t cs = end == FOUR ? 1 : g->cs, step = end == FOUR ? QUADS : 1;
    const T *ends = g->ends;
    for (int64_t q = g->taps; q > 0; q--, a += g->gap) {
        const T *at[8]; /* where the rows are */
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            at[r] = a + r * rs;
        }
        for (int64_t p = g->k; p > 0; p -= step, a += step * cs) {
#pragma GCC unroll 4
            for (int64_t s = 0; s < step; s++, b += ldb) {
                V row[PANEL_VECTORS];
#pragma GCC unroll 8
                for (int v = 0; v < full; v++) {
                    const bool some = end == MASKED && v == vectors - 1 && MASKED_LOADS;
                    row[v] = some ? F(load_some)(b + v * VL, g->mask) : F(load)(b + v * VL);
                }
#pragma GCC unroll 8
                for (int r = 0; r < rows; r++) {
                    V left = (end == FOUR ? at[r][s] : a[r * rs]) - (V){0}; /* repeated */
#pragma GCC unroll 8
                    for (int v = 0; v < full; v++) {
                        acc[r][v] += left * row[v];
                    }
                }
            }
            if (end == FOUR) {
                const V row = F(load)(ends);
                ends += VL;
#pragma GCC unroll 8
                for (int r = 0; r < rows; r++) {
                    acc[r][full] += F(spread)(at[r]) * row;
                    at[r] += step;
                }
            }
        }
    }
    F(put)(rows, vectors, end, g, d, c, acc);
}

/* All rows of one panel of B. */
SIMD_INLINE void F(rows)(const int vectors, const int end, const F(panel) * g, const T *a,
                         const T *b, const T *d, T *c) {
    int64_t i = 0;
    if (TILE_ROWS(vectors) == 8) {
        for (; i + 8 <= g->m; i += 8) {
            F(tile)(8, vectors, end, g, a + i * g->rs, b, d == NULL ? d : d + i * g->ldd,
                    c + i * g->ldc);
        }
    }
    for (; i + 4 <= g->m; i += 4) {
        F(tile)(4, vectors, end, g, a + i * g->rs, b, d == NULL ? d : d + i * g->ldd,
                c + i * g->ldc);
    }
    if (i + 2 <= g->m) {
        F(tile)(2, vectors, end, g, a + i * g->rs, b, d == NULL ? d : d + i * g->ldd,
                c + i * g->ldc);
        i += 2;
    }
    if (i < g->m) {
        F(tile)(1, vectors, end, g, a + i * g->rs, b, d == NULL ? d : d + i * g->ldd,
                c + i * g->ldc);
    }
}

#define PANEL(vectors)                                                                             \
    static void F(panel_##vectors)(int end, const F(panel) * g, const T *a, const T *b,            \
                                   const T *d, T *c) {                                             \
        if (end == WHOLE) {                                                                        \
            F(rows)(vectors, WHOLE, g, a, b, d, c);                                                \
        } else if (end == MASKED || QUADS <= 1) {                                                  \
            F(rows)(vectors, MASKED, g, a, b, d, c);                                               \
        } else {                                                                                   \
            F(rows)(vectors, FOUR, g, a, b, d, c);                                                 \
        }                                                                                          \
    }
PANEL(1)
PANEL(2)
PANEL(3)
#if PANEL_VECTORS == 5
PANEL(4)
PANEL(5)
#endif
#undef PANEL

/* panel[p][j] = b[j][p] for p < k, j < width; rows of the panel are `ld` apart. */
static void F(turn)(T *panel, int64_t ld, int64_t k, int64_t width, const T *b, int64_t ldb) {
    int64_t j4 = width / 4 * 4, p4 = k / 4 * 4;
    for (int64_t j = 0; j < j4; j += 4) {
        for (int64_t p = 0; p < p4; p += 4) {
            F(turn4)(panel + p * ld + j, ld, b + j * ldb + p, ldb);
        }
    }
    for (int64_t p = 0; p < k; p++) {
        for (int64_t j = p < p4 ? j4 : 0; j < ld; j++) {
            panel[p * ld + j] = j < width ? b[j * ldb + p] : 0;
        }
    }
}

/* panel[p][j] = b[p][j]. */
static void F(gather)(T *panel, int64_t ld, int64_t k, int64_t width, const T *b, int64_t ldb) {
    int64_t full = width / VL * VL;
    for (int64_t p = 0; p < k; p++, panel += ld, b += ldb) {
        for (int64_t j = 0; j < full; j += VL) {
            F(store)(panel + j, F(load)(b + j));
        }
        for (int64_t j = full; j < ld; j++) {
            panel[j] = j < width ? b[j] : 0;
        }
    }
}

/* Whether the last columns of C make a vector of four columns; no matter of the number of rows. */
SIMD_INLINE bool F(is_four)(const F(panel) * g, int64_t n) {
    return QUADS > 1 && n % VL > 0 && n % VL <= 4 && g->k % QUADS == 0;
}

/* ends[p][j] = op(B)[p][j], the last g->rest columns from b on, zero beyond them. */
static void F(take_ends)(T *ends, const F(panel) * g, const T *b, int64_t ldb, bool tb) {
    const int64_t k = g->k * g->taps;
    if (!tb && g->rest == 4) {
        for (int64_t p = 0; p < k; p += QUADS) {
            F(store)(ends + 4 * p, F(fours)(b + p * ldb, ldb));
        }
        return;
    }
    for (int64_t j = 0; j < 4; j++) {
        for (int64_t p = 0; p < k; p++) {
            ends[4 * p + j] = j >= g->rest ? 0 : b[tb ? j * ldb + p : p * ldb + j];
        }
    }
}

/* One piece of the sum: the k taps rows of op(B) from p0 on. The vectors of a row are dealt to the
 * panels as evenly as can be. */
static void F(piece)(const srn_gemm_problem *t, F(panel) * g, int64_t p0, const T *a) {
    static void (*const panels[])(int, const F(panel) *, const T *, const T *, const T *, T *) = {
        NULL,       F(panel_1), F(panel_2), F(panel_3),
#if PANEL_VECTORS == 5
        F(panel_4), F(panel_5),
#endif
    };
    T packed[GEMM_SMALL_K * PANEL_VECTORS * SIMD_BYTES / sizeof(T)], ends[GEMM_SMALL_K * 4];
    g->ends = ends;
    const int64_t vectors = (t->n + VL - 1) / VL;
    const int64_t n_panels = (vectors + PANEL_VECTORS - 1) / PANEL_VECTORS;
    const bool far = t->m >= PACK_ROWS(t->ldb * (int64_t)sizeof(T)) && n_panels > 1 &&
                     t->n * t->k * (int64_t)sizeof(T) > PACK_BYTES;
    for (int64_t i = 0, v = 0; i < n_panels; i++) {
        int64_t wide = (vectors - v) / (n_panels - i), j = v * VL;
        int64_t width = t->n - j < wide * VL ? t->n - j : wide * VL;
        int end = width == wide * VL ? WHOLE : g->cs == 1 && F(is_four)(g, t->n) ? FOUR : MASKED;
        const T *b = t->b, *d = t->d;
        b += t->tb ? j * t->ldb + p0 : p0 * t->ldb + j;
        if (end != WHOLE) {
            g->rest = width - (wide - 1) * VL;
        }
        if (end == MASKED) {
            g->mask = F(mask)(g->rest);
        } else if (end == FOUR) {
            wide--;
            width = wide * VL;
            F(take_ends)(ends, g, b + width * (t->tb ? t->ldb : 1), t->ldb, t->tb);
        }
        g->ldb = t->ldb;
        if (t->tb || far || (end == MASKED && !MASKED_LOADS)) {
            (t->tb ? F(turn) : F(gather))(packed, wide * VL, g->k * g->taps, width, b, t->ldb);
            b = packed;
            g->ldb = wide * VL;
        }
        wide += end == FOUR;
        panels[wide](end, g, a, b, g->more || d == NULL ? NULL : d + j, (T *)t->c + j);
        v += wide;
    }
}

/* All taps in one piece if they fit; else each tap for itself. */
static void F(gemm)(const srn_gemm_problem *t) {
    F(panel) g = {.m = t->m, .ldc = t->ldc, .ldd = t->ldd, .taps = 1};
    const int64_t taps = t->taps > 0 ? t->taps : 1, each = t->k / taps;
    g.rs = t->ta ? 1 : t->lda;
    g.cs = t->ta ? t->lda : 1;
    if (taps > 1 && t->k <= GEMM_SMALL_K) {
        g.taps = taps;
        g.k = each;
        g.gap = t->tap_step - each;
        F(piece)(t, &g, 0, t->a);
        return;
    }
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t p = 0;
        do {
            g.k = each - p < GEMM_SMALL_K ? each - p : GEMM_SMALL_K;
            g.more = tap > 0 || p > 0;
            F(piece)(t, &g, tap * each + p, (const T *)t->a + tap * t->tap_step + p * g.cs);
            p += g.k;
        } while (p < each);
    }
}

#undef JOIN_
#undef JOIN
#undef F
#undef V
#undef VL
#undef QUADS
