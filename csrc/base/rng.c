/* Philox4x32-10; see rng.h. Seed and stream are hashed into its 64-bit key, step and block number
 * are its counter. Round constants as in the paper.
 *
 * Blocks are independent: BLOCKS of them go through each round together, for which the compiler has
 * vector instructions. Memory: their words on the stack.
 */
#include "base/rng.h"

#include <math.h>

#include "base/isa.h"

/* The finalizer of SplitMix64 (Steele, Lea, Flood, 2014, Fast Splittable Pseudorandom Number
 * Generators): every bit of the input changes half of the output. */
static uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void philox(uint64_t key, uint64_t step, uint64_t block, uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static uint64_t key_of(srn_rng_key key) {
    return mix(key.seed ^ mix(key.stream));
}

void srn_rng_block(srn_rng_key key, uint64_t block, uint32_t out[4]) {
    philox(key_of(key), key.step, block, out);
}

/* ---- many blocks ---- */

enum { BLOCKS = 64, WORDS = 4 * BLOCKS, FEW = 12 };

#define DEFINE_MANY(isa, target)                                                                   \
    target static void philox_many_##isa(uint64_t key, uint64_t step, uint64_t block,              \
                                         uint32_t *out) {                                          \
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);                                   \
        uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];                                   \
        for (int i = 0; i < BLOCKS; i++) {                                                         \
            c0[i] = (uint32_t)(block + (uint64_t)i);                                               \
            c1[i] = (uint32_t)((block + (uint64_t)i) >> 32);                                       \
            c2[i] = (uint32_t)step;                                                                \
            c3[i] = (uint32_t)(step >> 32);                                                        \
        }                                                                                          \
        for (int round = 0; round < 10; round++) {                                                 \
            for (int i = 0; i < BLOCKS; i++) {                                                     \
                uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];   \
                c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;                                         \
                c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;                                         \
                c1[i] = (uint32_t)p1;                                                              \
                c3[i] = (uint32_t)p0;                                                              \
            }                                                                                      \
            k0 += 0x9E3779B9u;                                                                     \
            k1 += 0xBB67AE85u;                                                                     \
        }                                                                                          \
        for (int i = 0; i < BLOCKS; i++) {                                                         \
            out[4 * i] = c0[i];                                                                    \
            out[4 * i + 1] = c1[i];                                                                \
            out[4 * i + 2] = c2[i];                                                                \
            out[4 * i + 3] = c3[i];                                                                \
        }                                                                                          \
    }
SRN_FOR_EACH_ISA(DEFINE_MANY)

#define ROW(isa, target) philox_many_##isa,
static void (*const philox_many[])(uint64_t, uint64_t, uint64_t,
                                   uint32_t *) = {SRN_FOR_EACH_ISA(ROW)};

/* The words of elements first .. first+n-1, from w[first % 4] on, and how many elements these are:
 * as many of the n as fit. */
static int64_t draw(uint32_t w[WORDS], uint64_t hashed, uint64_t step, int64_t first, int64_t n) {
    const int64_t skipped = first % 4;
    const int64_t count = n < WORDS - skipped ? n : WORDS - skipped;
    const int64_t blocks = (skipped + count + 3) / 4;
    if (blocks >= FEW) {
        SRN_FOR_ISA(philox_many)(hashed, step, (uint64_t)first / 4, w);
        return count;
    }
    for (int64_t i = 0; i < blocks; i++) {
        philox(hashed, step, (uint64_t)(first / 4 + i), w + 4 * i);
    }
    return count;
}

/* Calls EXPR for every element i (0 .. n-1), whose word is w[j]; j % 4 is its place in the block. */
#define FOR_ELEMENTS(key, first, n, expr)                                                          \
    do {                                                                                           \
        const uint64_t hashed = key_of(key);                                                       \
        uint32_t w[WORDS];                                                                         \
        for (int64_t begin = 0, count; begin < (n); begin += count) {                              \
            count = draw(w, hashed, (key).step, (first) + begin, (n) - begin);                     \
            const int64_t skipped = ((first) + begin) % 4;                                         \
            for (int64_t k = 0; k < count; k++) {                                                  \
                const int64_t i = begin + k, j = skipped + k;                                      \
                expr;                                                                              \
            }                                                                                      \
        }                                                                                          \
    } while (0)

void srn_rng_words(srn_rng_key key, int64_t first, int64_t n, uint32_t *out) {
    FOR_ELEMENTS(key, first, n, out[i] = w[j]);
}

void srn_rng_uniform_f32(srn_rng_key key, int64_t first, int64_t n, float *out) {
    FOR_ELEMENTS(key, first, n, out[i] = (float)(w[j] >> 8) * 0x1p-24f);
}

void srn_rng_uniform_f64(srn_rng_key key, int64_t first, int64_t n, double *out) {
    FOR_ELEMENTS(key, first, n, out[i] = (double)w[j] * 0x1p-32);
}

/* Box and Muller, 1958, A Note on the Generation of Random Normal Deviates: words 0 and 1 make
 * elements 0 and 1, words 2 and 3 the other two. u is in (0, 1], so |z| <= 6.7. */
static double normal(const uint32_t w[WORDS], int64_t j) {
    double u = ((double)w[j & ~1] + 1) * 0x1p-32;
    double angle = (double)w[j | 1] * (6.283185307179586 * 0x1p-32);
    return sqrt(-2 * log(u)) * ((j & 1) == 0 ? cos(angle) : sin(angle));
}

void srn_rng_normal_f32(srn_rng_key key, int64_t first, int64_t n, float *out) {
    FOR_ELEMENTS(key, first, n, out[i] = (float)normal(w, j));
}

void srn_rng_normal_f64(srn_rng_key key, int64_t first, int64_t n, double *out) {
    FOR_ELEMENTS(key, first, n, out[i] = normal(w, j));
}
