/* One vector of floats or doubles, as wide as the instruction set of the including file.
 *
 * A file that is compiled for an instruction set first includes this with SRN_SIMD 0 (baseline:
 * SSE2 or NEON, 16 bytes), 1 (AVX2 and FMA, 32 bytes) or 2 (AVX-512F, 64 bytes) defined; this header
 * then switches the compiler to that set for the rest of the file. Arithmetic is written with + and
 * * on the vector types (the GCC extension), FMA comes from -ffp-contract=fast; only what is no
 * arithmetic, and min and max, need the names of instructions.
 *
 *     v_f32, v_f64       the vectors, VL_F32 and VL_F64 elements long;  bits_f32, bits_f64: the same
 *                        as unsigned integers
 *     at_most, at_least  the smaller or larger of each element and a bound; NaN stays
 *     mask_f32(count)    the first `count` elements, 0 <= count <= VL_F32
 *     load, store        full, unaligned;  load_some, store_some: what the mask names, the rest is
 *                        zero (load) or stays (store); memory outside the mask is not touched
 *     load_part, store_part    the first `count` elements, as the same; but stored in pieces of 8, 4, 2
 *                        and 1 without a mask: memory that a masked store might have touched cannot
 *                        be loaded again until the store has left the core, which costs more than
 *                        the arithmetic when rows lie close together
 *     load_rows, store_rows    a vector from 2, 4 ... rows, `ld` apart, each with 8 bytes at least
 *     fours              four elements each of as many rows, `ld` apart, as a vector has room for
 *     spread             a number each for every four elements: p[0] four times, p[1] four times ...
 *     fold               the sums over these fours: in the first four elements, the rest is any
 *     hsum               the sum of the elements
 *     turn4              four by four elements transposed
 */
#ifndef SRN_KERNELS_SIMD_H
#define SRN_KERNELS_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if SRN_SIMD == 2
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#define SIMD_BYTES 64
#elif SRN_SIMD == 1
#pragma GCC target("avx2,fma")
#define SIMD_BYTES 32
#else
#define SIMD_BYTES 16
#endif

#define SIMD_INLINE static inline __attribute__((always_inline, unused))

typedef float v_f32 __attribute__((vector_size(SIMD_BYTES)));
typedef double v_f64 __attribute__((vector_size(SIMD_BYTES)));
typedef uint32_t bits_f32 __attribute__((vector_size(SIMD_BYTES)));
typedef uint64_t bits_f64 __attribute__((vector_size(SIMD_BYTES)));
#define VL_F32 (SIMD_BYTES / 4)
#define VL_F64 (SIMD_BYTES / 8)

#define SIMD_COMMON(V, T, S)                                                                       \
    SIMD_INLINE V load_##S(const T *p) {                                                           \
        V v;                                                                                       \
        memcpy(&v, p, sizeof v);                                                                   \
        return v;                                                                                  \
    }                                                                                              \
    SIMD_INLINE void store_##S(T *p, V v) {                                                        \
        memcpy(p, &v, sizeof v);                                                                   \
    }
SIMD_COMMON(v_f32, float, f32)
SIMD_COMMON(v_f64, double, f64)
#undef SIMD_COMMON

/* One instruction on x86, whose result is the second operand where one is NaN. */
#if SRN_SIMD == 2
#define SIMD_BOUND(op, suffix, v) _mm512_##op##_##suffix(_mm512_set1_##suffix(bound), v)
#elif SRN_SIMD == 1
#define SIMD_BOUND(op, suffix, v) _mm256_##op##_##suffix(_mm256_set1_##suffix(bound), v)
#elif defined(__x86_64__)
#define SIMD_BOUND(op, suffix, v) _mm_##op##_##suffix(_mm_set1_##suffix(bound), v)
#endif
#ifdef SIMD_BOUND
#define SIMD_BOUNDS(T, S, suffix)                                                                  \
    SIMD_INLINE v_##S at_most_##S(v_##S v, T bound) {                                              \
        return SIMD_BOUND(min, suffix, v);                                                         \
    }                                                                                              \
    SIMD_INLINE v_##S at_least_##S(v_##S v, T bound) {                                             \
        return SIMD_BOUND(max, suffix, v);                                                         \
    }
#else
#define SIMD_BOUNDS(T, S, suffix)                                                                  \
    SIMD_INLINE v_##S at_most_##S(v_##S v, T bound) {                                              \
        const bits_##S over = (bits_##S)(v > bound);                                               \
        return (v_##S)(((bits_##S)(bound - (v_##S){0}) & over) | ((bits_##S)v & ~over));           \
    }                                                                                              \
    SIMD_INLINE v_##S at_least_##S(v_##S v, T bound) {                                             \
        return -at_most_##S(-v, -bound);                                                           \
    }
#endif
SIMD_BOUNDS(float, f32, ps)
SIMD_BOUNDS(double, f64, pd)
#undef SIMD_BOUNDS
#undef SIMD_BOUND

/* to[p][j] = from[j][p] for four by four elements. */
#if defined(__clang__)
#define SIMD_SHUFFLE(I, a, b, i0, i1, i2, i3) __builtin_shufflevector(a, b, i0, i1, i2, i3)
#else
#define SIMD_SHUFFLE(I, a, b, i0, i1, i2, i3) __builtin_shuffle(a, b, (I){i0, i1, i2, i3})
#endif
#define SIMD_TURN4(T, INT, S)                                                                      \
    typedef T quad_##S __attribute__((vector_size(4 * sizeof(T))));                                \
    typedef INT quad_index_##S __attribute__((vector_size(4 * sizeof(T))));                        \
    SIMD_INLINE void turn4_##S(T *to, int64_t to_ld, const T *from, int64_t from_ld) {             \
        quad_##S r[4], lo[2], hi[2];                                                               \
        for (int i = 0; i < 4; i++) {                                                              \
            memcpy(&r[i], from + i * from_ld, sizeof r[i]);                                        \
        }                                                                                          \
        for (int i = 0; i < 2; i++) {                                                              \
            const quad_##S a = r[2 * i], b = r[2 * i + 1];                                         \
            lo[i] = SIMD_SHUFFLE(quad_index_##S, a, b, 0, 4, 1, 5);                                \
            hi[i] = SIMD_SHUFFLE(quad_index_##S, a, b, 2, 6, 3, 7);                                \
        }                                                                                          \
        r[0] = SIMD_SHUFFLE(quad_index_##S, lo[0], lo[1], 0, 1, 4, 5);                             \
        r[1] = SIMD_SHUFFLE(quad_index_##S, lo[0], lo[1], 2, 3, 6, 7);                             \
        r[2] = SIMD_SHUFFLE(quad_index_##S, hi[0], hi[1], 0, 1, 4, 5);                             \
        r[3] = SIMD_SHUFFLE(quad_index_##S, hi[0], hi[1], 2, 3, 6, 7);                             \
        for (int i = 0; i < 4; i++) {                                                              \
            memcpy(to + i * to_ld, &r[i], sizeof r[i]);                                            \
        }                                                                                          \
    }
SIMD_TURN4(float, int32_t, f32)
SIMD_TURN4(double, int64_t, f64)
#undef SIMD_TURN4

#if SRN_SIMD == 0
/* Two rows of half a vector each. */
#define SIMD_HALVES(T, S)                                                                          \
    typedef T half_##S __attribute__((vector_size(SIMD_BYTES / 2)));                               \
    SIMD_INLINE v_##S load_rows_##S(const T *p, int64_t ld, int rows) {                            \
        half_##S half[2];                                                                          \
        (void)rows;                                                                                \
        memcpy(&half[0], p, sizeof half[0]);                                                       \
        memcpy(&half[1], p + ld, sizeof half[1]);                                                  \
        v_##S v;                                                                                   \
        memcpy(&v, half, sizeof v);                                                                \
        return v;                                                                                  \
    }                                                                                              \
    SIMD_INLINE void store_rows_##S(T *p, v_##S v, int64_t ld, int rows) {                         \
        half_##S half[2];                                                                          \
        (void)rows;                                                                                \
        memcpy(half, &v, sizeof v);                                                                \
        memcpy(p, &half[0], sizeof half[0]);                                                       \
        memcpy(p + ld, &half[1], sizeof half[1]);                                                  \
    }
SIMD_HALVES(float, f32)
SIMD_HALVES(double, f64)
#undef SIMD_HALVES
#endif

#if SRN_SIMD > 0

SIMD_INLINE __m128 load_two_rows(const float *p, int64_t ld) {
    return _mm_loadh_pi(_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)p), (const __m64 *)(p + ld));
}
SIMD_INLINE void store_two_rows(float *p, __m128 v, int64_t ld) {
    _mm_storel_pi((__m64 *)p, v);
    _mm_storeh_pi((__m64 *)(p + ld), v);
}

/* The first count modulo 8 elements, the others zero. */
SIMD_INLINE void store_less_than_8(float *p, __m256 v, int64_t count) {
    __m128 quarter = _mm256_castps256_ps128(v);
    if (count & 4) {
        _mm_storeu_ps(p, quarter);
        quarter = _mm256_extractf128_ps(v, 1);
    }
    p += count & 4;
    if (count & 2) {
        _mm_storel_pi((__m64 *)p, quarter);
        quarter = _mm_movehl_ps(quarter, quarter);
    }
    p += count & 2;
    if (count & 1) {
        _mm_store_ss(p, quarter);
    }
}
#endif

#if SRN_SIMD == 2

typedef __mmask16 simd_mask_f32;
typedef __mmask8 simd_mask_f64;

SIMD_INLINE simd_mask_f32 mask_f32(int64_t count) {
    return (simd_mask_f32)((1u << count) - 1);
}
SIMD_INLINE simd_mask_f64 mask_f64(int64_t count) {
    return (simd_mask_f64)((1u << count) - 1);
}
SIMD_INLINE v_f32 load_some_f32(const float *p, simd_mask_f32 mask) {
    return (v_f32)_mm512_maskz_loadu_ps(mask, p);
}
SIMD_INLINE v_f64 load_some_f64(const double *p, simd_mask_f64 mask) {
    return (v_f64)_mm512_maskz_loadu_pd(mask, p);
}
SIMD_INLINE void store_some_f32(float *p, v_f32 v, simd_mask_f32 mask) {
    _mm512_mask_storeu_ps(p, mask, (__m512)v);
}
SIMD_INLINE void store_some_f64(double *p, v_f64 v, simd_mask_f64 mask) {
    _mm512_mask_storeu_pd(p, mask, (__m512d)v);
}
SIMD_INLINE v_f32 load_part_f32(const float *p, int64_t count) {
    if (count == 4) {
        return (v_f32)_mm512_zextps128_ps512(_mm_loadu_ps(p));
    }
    return load_some_f32(p, mask_f32(count));
}
SIMD_INLINE void store_part_f32(float *p, v_f32 v, int64_t count) {
    if (count == 4) {
        _mm_storeu_ps(p, _mm512_castps512_ps128((__m512)v));
        return;
    }
    __m256 half = _mm512_castps512_ps256((__m512)v);
    if (count & 8) {
        _mm256_storeu_ps(p, half);
        half = _mm512_extractf32x8_ps((__m512)v, 1);
    }
    store_less_than_8(p + (count & 8), half, count);
}
SIMD_INLINE v_f64 load_part_f64(const double *p, int64_t count) {
    return (v_f64)load_part_f32((const float *)p, 2 * count);
}
SIMD_INLINE void store_part_f64(double *p, v_f64 v, int64_t count) {
    store_part_f32((float *)p, (v_f32)v, 2 * count);
}
SIMD_INLINE v_f32 fours_f32(const float *p, int64_t ld) {
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(p + ld), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 2 * ld), 2);
    return (v_f32)_mm512_insertf32x4(v, _mm_loadu_ps(p + 3 * ld), 3);
}
SIMD_INLINE v_f64 fours_f64(const double *p, int64_t ld) {
    __m512d v = _mm512_castpd256_pd512(_mm256_loadu_pd(p));
    return (v_f64)_mm512_insertf64x4(v, _mm256_loadu_pd(p + ld), 1);
}
SIMD_INLINE v_f32 load_rows_f32(const float *p, int64_t ld, int rows) {
    if (rows == 2) {
        return (v_f32)_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(p)),
                                         _mm256_loadu_ps(p + ld), 1);
    }
    if (rows == 4) {
        return fours_f32(p, ld);
    }
    __m512 v = _mm512_castps128_ps512(load_two_rows(p, ld));
    v = _mm512_insertf32x4(v, load_two_rows(p + 2 * ld, ld), 1);
    v = _mm512_insertf32x4(v, load_two_rows(p + 4 * ld, ld), 2);
    return (v_f32)_mm512_insertf32x4(v, load_two_rows(p + 6 * ld, ld), 3);
}
SIMD_INLINE v_f64 load_rows_f64(const double *p, int64_t ld, int rows) {
    return (v_f64)load_rows_f32((const float *)p, 2 * ld, rows);
}
SIMD_INLINE void store_rows_f32(float *p, v_f32 v, int64_t ld, int rows) {
    if (rows == 2) {
        _mm256_storeu_ps(p, _mm512_castps512_ps256((__m512)v));
        _mm256_storeu_ps(p + ld, _mm512_extractf32x8_ps((__m512)v, 1));
    } else if (rows == 4) {
        _mm_storeu_ps(p, _mm512_castps512_ps128((__m512)v));
        _mm_storeu_ps(p + ld, _mm512_extractf32x4_ps((__m512)v, 1));
        _mm_storeu_ps(p + 2 * ld, _mm512_extractf32x4_ps((__m512)v, 2));
        _mm_storeu_ps(p + 3 * ld, _mm512_extractf32x4_ps((__m512)v, 3));
    } else {
        store_two_rows(p, _mm512_castps512_ps128((__m512)v), ld);
        store_two_rows(p + 2 * ld, _mm512_extractf32x4_ps((__m512)v, 1), ld);
        store_two_rows(p + 4 * ld, _mm512_extractf32x4_ps((__m512)v, 2), ld);
        store_two_rows(p + 6 * ld, _mm512_extractf32x4_ps((__m512)v, 3), ld);
    }
}
SIMD_INLINE void store_rows_f64(double *p, v_f64 v, int64_t ld, int rows) {
    store_rows_f32((float *)p, (v_f32)v, 2 * ld, rows);
}
SIMD_INLINE v_f32 spread_f32(const float *p) {
    const __m512i each = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    return (v_f32)_mm512_permutexvar_ps(each, _mm512_castps128_ps512(_mm_loadu_ps(p)));
}
SIMD_INLINE v_f64 spread_f64(const double *p) {
    const __m512i each = _mm512_set_epi64(1, 1, 1, 1, 0, 0, 0, 0);
    return (v_f64)_mm512_permutexvar_pd(each, _mm512_castpd128_pd512(_mm_loadu_pd(p)));
}
SIMD_INLINE v_f32 fold_f32(v_f32 v) {
    v += (v_f32)_mm512_shuffle_f32x4((__m512)v, (__m512)v, 0x4E);
    return v + (v_f32)_mm512_shuffle_f32x4((__m512)v, (__m512)v, 0xB1);
}
SIMD_INLINE v_f64 fold_f64(v_f64 v) {
    return v + (v_f64)_mm512_shuffle_f64x2((__m512d)v, (__m512d)v, 0x4E);
}
SIMD_INLINE float hsum_f32(v_f32 v) {
    return _mm512_reduce_add_ps((__m512)v);
}
SIMD_INLINE double hsum_f64(v_f64 v) {
    return _mm512_reduce_add_pd((__m512d)v);
}

#elif SRN_SIMD == 1

typedef __m256i simd_mask_f32;
typedef __m256i simd_mask_f64;

/* A window into -1 ... -1 0 ... 0: as many -1 as elements wanted. */
SIMD_INLINE simd_mask_f32 mask_f32(int64_t count) {
    static const int32_t ramp[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ramp + 8 - count));
}
SIMD_INLINE simd_mask_f64 mask_f64(int64_t count) {
    static const int64_t ramp[8] = {-1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ramp + 4 - count));
}
SIMD_INLINE v_f32 load_some_f32(const float *p, simd_mask_f32 mask) {
    return (v_f32)_mm256_maskload_ps(p, mask);
}
SIMD_INLINE v_f64 load_some_f64(const double *p, simd_mask_f64 mask) {
    return (v_f64)_mm256_maskload_pd(p, mask);
}
SIMD_INLINE void store_some_f32(float *p, v_f32 v, simd_mask_f32 mask) {
    _mm256_maskstore_ps(p, mask, (__m256)v);
}
SIMD_INLINE void store_some_f64(double *p, v_f64 v, simd_mask_f64 mask) {
    _mm256_maskstore_pd(p, mask, (__m256d)v);
}
SIMD_INLINE v_f32 load_part_f32(const float *p, int64_t count) {
    return count == 4 ? (v_f32)_mm256_zextps128_ps256(_mm_loadu_ps(p))
                      : load_some_f32(p, mask_f32(count));
}
SIMD_INLINE void store_part_f32(float *p, v_f32 v, int64_t count) {
    if (count == 4) {
        _mm_storeu_ps(p, _mm256_castps256_ps128((__m256)v));
    } else {
        store_less_than_8(p, (__m256)v, count);
    }
}
SIMD_INLINE v_f64 load_part_f64(const double *p, int64_t count) {
    return (v_f64)load_part_f32((const float *)p, 2 * count);
}
SIMD_INLINE void store_part_f64(double *p, v_f64 v, int64_t count) {
    store_part_f32((float *)p, (v_f32)v, 2 * count);
}
SIMD_INLINE v_f32 fours_f32(const float *p, int64_t ld) {
    return (v_f32)_mm256_set_m128(_mm_loadu_ps(p + ld), _mm_loadu_ps(p));
}
SIMD_INLINE v_f64 fours_f64(const double *p, int64_t ld) {
    (void)ld;
    return load_f64(p);
}
SIMD_INLINE v_f32 load_rows_f32(const float *p, int64_t ld, int rows) {
    return rows == 2 ? fours_f32(p, ld)
                     : (v_f32)_mm256_set_m128(load_two_rows(p + 2 * ld, ld), load_two_rows(p, ld));
}
SIMD_INLINE v_f64 load_rows_f64(const double *p, int64_t ld, int rows) {
    return (v_f64)load_rows_f32((const float *)p, 2 * ld, rows);
}
SIMD_INLINE void store_rows_f32(float *p, v_f32 v, int64_t ld, int rows) {
    __m128 low = _mm256_castps256_ps128((__m256)v), high = _mm256_extractf128_ps((__m256)v, 1);
    if (rows == 2) {
        _mm_storeu_ps(p, low);
        _mm_storeu_ps(p + ld, high);
    } else {
        store_two_rows(p, low, ld);
        store_two_rows(p + 2 * ld, high, ld);
    }
}
SIMD_INLINE void store_rows_f64(double *p, v_f64 v, int64_t ld, int rows) {
    store_rows_f32((float *)p, (v_f32)v, 2 * ld, rows);
}
SIMD_INLINE v_f32 spread_f32(const float *p) {
    return (v_f32)_mm256_set_m128(_mm_set1_ps(p[1]), _mm_set1_ps(p[0]));
}
SIMD_INLINE v_f64 spread_f64(const double *p) {
    return (v_f64)_mm256_set1_pd(*p);
}
SIMD_INLINE v_f32 fold_f32(v_f32 v) {
    return v + (v_f32)_mm256_permute2f128_ps((__m256)v, (__m256)v, 1);
}
SIMD_INLINE v_f64 fold_f64(v_f64 v) {
    return v;
}
SIMD_INLINE float hsum_f32(v_f32 v) {
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}
SIMD_INLINE double hsum_f64(v_f64 v) {
    return (v[0] + v[2]) + (v[1] + v[3]);
}

#else

#define SIMD_SOME(V, T, S)                                                                         \
    typedef int64_t simd_mask_##S;                                                                 \
    SIMD_INLINE simd_mask_##S mask_##S(int64_t count) {                                            \
        return count;                                                                              \
    }                                                                                              \
    SIMD_INLINE V load_some_##S(const T *p, simd_mask_##S count) {                                 \
        V v = {0};                                                                                 \
        for (int i = 0; i < SIMD_BYTES / (int)sizeof(T); i++) {                                    \
            v[i] = i < count ? p[i] : 0;                                                           \
        }                                                                                          \
        return v;                                                                                  \
    }                                                                                              \
    SIMD_INLINE void store_some_##S(T *p, V v, simd_mask_##S count) {                              \
        for (int i = 0; i < SIMD_BYTES / (int)sizeof(T); i++) {                                    \
            if (i < count) {                                                                       \
                p[i] = v[i];                                                                       \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    SIMD_INLINE V load_part_##S(const T *p, int64_t count) {                                       \
        return load_some_##S(p, count);                                                            \
    }                                                                                              \
    SIMD_INLINE void store_part_##S(T *p, V v, int64_t count) {                                    \
        store_some_##S(p, v, count);                                                               \
    }                                                                                              \
    SIMD_INLINE V fours_##S(const T *p, int64_t ld) {                                              \
        (void)ld;                                                                                  \
        return load_##S(p);                                                                        \
    }                                                                                              \
    SIMD_INLINE V spread_##S(const T *p) {                                                         \
        return *p - (V){0};                                                                        \
    }                                                                                              \
    SIMD_INLINE V fold_##S(V v) {                                                                  \
        return v;                                                                                  \
    }
SIMD_SOME(v_f32, float, f32)
SIMD_SOME(v_f64, double, f64)
#undef SIMD_SOME

SIMD_INLINE float hsum_f32(v_f32 v) {
    return (v[0] + v[2]) + (v[1] + v[3]);
}
SIMD_INLINE double hsum_f64(v_f64 v) {
    return v[0] + v[1];
}

#endif
#endif
