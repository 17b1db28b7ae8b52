/* exp, tanh and sigmoid as straight-line code: no branch, no table, no call, so that the compiler
 * turns a loop over them into vector code of whatever width it is allowed (gates, softmax).
 *
 *   exp(x) = 2^n e^r     n = round(x / ln 2), r = x - n ln 2 in two parts (Cody, Waite, 1980,
 *                        Software Manual for the Elementary Functions), |r| <= 0.3466
 *   e^r    = 1 + r + r^2 q(r)      float: q of degree 4, fitted to the smallest largest relative
 *                        error (Lawson's algorithm), 0.2 ulp; double: Taylor, q of degree 11, 4e-18
 *   2^n                  written into the exponent bits, in two halves: inf and denormals come out
 *   tanh(x) = -u / (2 + u), signed as x    u = exp(-2|x|) - 1 = 2^n (e^r - 1) + (2^n - 1)
 *   sigmoid(x) = 1 / (1 + exp(-x)); in float like tanh, from 2^n (e^r - 1) + (2^n + 1)
 *
 * Largest error seen over the whole range, with and without fused multiply-add (test_vector.c
 * repeats the measurement): float exp 1.1, tanh 2.5, sigmoid 2.4 ulp; double, in units of 2^-52 of
 * the value, 0.7, 1.7, 1.3. NaN stays NaN, the infinities give their limits, tanh(-0) = -0. Results
 * below the smallest normal number may be 0.
 */
#ifndef SRN_KERNELS_VMATH_H
#define SRN_KERNELS_VMATH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float srn_float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t srn_bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double srn_double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint64_t srn_bits_of_double(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- float ---- */

/* Adding 1.5 2^23 leaves the nearest integer in the low bits; the comparisons let NaN through. */
#define SRN_MAGIC_F32 12582912.0f

/* e^r - 1 */
static inline float srn_expm1_core_f32(float r) {
    float q = 0x1.6bec06p-10f;
    q = q * r + 0x1.122776p-7f;
    q = q * r + 0x1.555674p-5f;
    q = q * r + 0x1.5554b0p-3f;
    q = q * r + 0x1.fffffep-2f;
    return r + r * r * q;
}

static inline float srn_reduce_f32(float x, float n) {
    return (x - n * 0.693359375f) - n * -2.12194440e-4f;
}

static inline float srn_exp_f32(float x) {
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float shifted = x * 1.44269504f + SRN_MAGIC_F32;
    float r = srn_reduce_f32(x, shifted - SRN_MAGIC_F32);
    uint32_t n = srn_bits_of(shifted) - 0x4B400000u + 254u; /* > 0 */
    uint32_t half = n >> 1;
    float low = srn_float_of(half << 23), high = srn_float_of((n - half) << 23);
    return (1.0f + srn_expm1_core_f32(r)) * low * high;
}

/* tanh(x) or sigmoid(x), written once so that a vector may hold both: with e^y = s (1 + core) and
 * s = 2^n, made at once since n + 127 are the low bits of `shifted`,
 * w = s core + (s - 1 or s + 1) is u of tanh or the denominator of sigmoid. Sigmoid is 0 where e^-x is
 * too large for a float: for 89 s is infinite. */
static inline float srn_squash_f32(bool is_tanh, float x) {
    const float magic = SRN_MAGIC_F32 + 127.0f;
    uint32_t bits = srn_bits_of(x);
    float y = is_tanh ? -2.0f * srn_float_of(bits & 0x7FFFFFFFu) : x < -88.37f ? 89.0f : -x;
    y = y < -87.0f ? -87.0f : y;
    float shifted = y * 1.44269504f + magic;
    float s = srn_float_of(srn_bits_of(shifted) << 23);
    float core = srn_expm1_core_f32(srn_reduce_f32(y, shifted - magic));
    float w = s * core + (is_tanh ? s - 1.0f : s + 1.0f);
    float value = (is_tanh ? -w : 1.0f) / (is_tanh ? 2.0f + w : w);
    return srn_float_of(srn_bits_of(value) | (is_tanh ? bits & 0x80000000u : 0));
}

static inline float srn_tanh_f32(float x) {
    return srn_squash_f32(true, x);
}

static inline float srn_sigmoid_f32(float x) {
    return srn_squash_f32(false, x);
}

/* ---- double ---- */

#define SRN_MAGIC_F64 6755399441055744.0 /* 1.5 2^52 */

static inline double srn_expm1_core_f64(double r) {
    double q = 1.0 / 6227020800.0;
    q = q * r + 1.0 / 479001600.0;
    q = q * r + 1.0 / 39916800.0;
    q = q * r + 1.0 / 3628800.0;
    q = q * r + 1.0 / 362880.0;
    q = q * r + 1.0 / 40320.0;
    q = q * r + 1.0 / 5040.0;
    q = q * r + 1.0 / 720.0;
    q = q * r + 1.0 / 120.0;
    q = q * r + 1.0 / 24.0;
    q = q * r + 1.0 / 6.0;
    q = q * r + 0.5;
    return r + r * r * q;
}

static inline double srn_reduce_f64(double x, double n) {
    return (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
}

static inline double srn_exp_f64(double x) {
    x = x > 710.0 ? 710.0 : x;
    x = x < -746.0 ? -746.0 : x;
    double shifted = x * 1.4426950408889634 + SRN_MAGIC_F64;
    double r = srn_reduce_f64(x, shifted - SRN_MAGIC_F64);
    uint64_t n = srn_bits_of_double(shifted) - 0x4338000000000000u + 2046u;
    uint64_t half = n >> 1;
    double low = srn_double_of(half << 52), high = srn_double_of((n - half) << 52);
    return (1.0 + srn_expm1_core_f64(r)) * low * high;
}

static inline double srn_tanh_f64(double x) {
    uint64_t sign = srn_bits_of_double(x) & 0x8000000000000000u;
    double y = -2.0 * srn_double_of(srn_bits_of_double(x) & 0x7FFFFFFFFFFFFFFFu);
    y = y < -40.0 ? -40.0 : y;
    double shifted = y * 1.4426950408889634 + SRN_MAGIC_F64;
    double r = srn_reduce_f64(y, shifted - SRN_MAGIC_F64);
    double scale = srn_double_of((srn_bits_of_double(shifted) - 0x4338000000000000u + 1023u) << 52);
    double u = scale * srn_expm1_core_f64(r) + (scale - 1.0);
    return srn_double_of(srn_bits_of_double(-u / (2.0 + u)) | sign);
}

static inline double srn_sigmoid_f64(double x) {
    return 1.0 / (1.0 + srn_exp_f64(-x));
}

static inline double srn_squash_f64(bool is_tanh, double x) {
    return is_tanh ? srn_tanh_f64(x) : srn_sigmoid_f64(x);
}

#endif
