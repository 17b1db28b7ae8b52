/* Counter-based random numbers: a pure function of (seed, stream, step, element).
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, 2011, Parallel Random Numbers: As Easy as 1, 2, 3).
 * The key is (seed, stream), the counter (step, block of four elements): the same element gets
 * the same number whatever thread asks for it, and no state is kept.
 */
#ifndef SRN_BASE_RNG_H
#define SRN_BASE_RNG_H

#include <stdint.h>

typedef struct srn_rng_key {
    uint64_t seed;   /* of the run: seqrnn.utils.set_random_seed, the model */
    uint64_t stream; /* of the node: one per dropout layer and so on */
    uint64_t step;   /* of the run: one per batch; a scan mixes its iteration in */
} srn_rng_key;

/* Four words for block number `block` (elements 4*block .. 4*block+3). */
void srn_rng_block(srn_rng_key key, uint64_t block, uint32_t out[4]);
/* 32 random bits for each of the elements first .. first+n-1 of the stream, from which the numbers
 * below are made. */
void srn_rng_words(srn_rng_key key, int64_t first, int64_t n, uint32_t *out);
/* [0, 1) with 24 bits, [0, 1) with 32 bits widened to double, standard normal (Box-Muller);
 * elements first .. first+n-1 of the stream. */
void srn_rng_uniform_f32(srn_rng_key key, int64_t first, int64_t n, float *out);
void srn_rng_uniform_f64(srn_rng_key key, int64_t first, int64_t n, double *out);
void srn_rng_normal_f32(srn_rng_key key, int64_t first, int64_t n, float *out);
void srn_rng_normal_f64(srn_rng_key key, int64_t first, int64_t n, double *out);

#endif
