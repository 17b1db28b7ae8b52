/* exp, tanh and sigmoid of a vector (simd.h) as straight-line code: no branch, no table, no call.
 *
 *   exp(x) = 2^n e^r     n = round(x / ln 2), r = x - n ln 2 in two parts (Cody, Waite, 1980,
 *                        Software Manual for the Elementary Functions), |r| <= 0.3466
 *   e^r    = 1 + r + r^2 q(r)      float: q of degree 4, fitted to the smallest largest relative
 *                        error (Lawson's algorithm), 0.2 ulp; double: Taylor, q of degree 11, 4e-18
 *   n                    lies in the low bits of x / ln 2 + `magic`, 1.5 times the number above
 *                        which floats are whole
 *   2^n                  written into the exponent bits; exp does it in two halves, so that inf and
 *                        denormals come out
 *   tanh(x) = v / (2 - v), signed as x     v = 1 - exp(-2|x|) = (1 - 2^n) - 2^n (e^r - 1); here r may
 *                        be made in one part, as its error grows with -n, which v hardly feels
 *   sigmoid(x) = 1 / w   w = 1 + exp(-x) = (2^n + 1) + 2^n (e^r - 1)
 *
 * Largest error seen over the whole range, with and without fused multiply-add (test_vector.c
 * repeats the measurement): float exp 1.1, tanh 2.5, sigmoid 2.4 ulp; double, in units of 2^-52 of
 * the value, 0.7, 1.7, 1.3. NaN stays NaN, the infinities give their limits, tanh(-0) = -0. Results
 * below the smallest normal number may be 0.
 */
#ifndef SRN_KERNELS_VMATH_H
#define SRN_KERNELS_VMATH_H

/* e^r - 1 */
SIMD_INLINE v_f32 expm1_core_f32(v_f32 r) {
    v_f32 q = 0x1.6bec06p-10f * r + 0x1.122776p-7f;
    q = q * r + 0x1.555674p-5f;
    q = q * r + 0x1.5554b0p-3f;
    q = q * r + 0x1.fffffep-2f;
    return r + r * r * q;
}

SIMD_INLINE v_f64 expm1_core_f64(v_f64 r) {
    v_f64 q = 1.0 / 6227020800.0 * r + 1.0 / 479001600.0;
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

/* For an element type: bits of the mantissa, largest exponent, ln 2 in two parts and in one, and the
 * range of exp. The bits of `shifted` shifted to the left by `mantissa` are 2^n, as bias is added.
 * The bounds let NaN through. Where n would be beyond 2^n's range in sigmoid, it stays, and r becomes
 * so large that e^-x comes out infinite, or so near that only denormal results differ. */
#define SRN_DEFINE_VMATH(T, S, mantissa, bias, ln2_high, ln2_low, ln2, highest, lowest)            \
    static const T log2e_##S = (T)1.4426950408889634,                                              \
                   magic_##S = (T)1.5 * (T)((int64_t)1 << mantissa) + bias;                        \
                                                                                                   \
    SIMD_INLINE v_##S exp_##S(v_##S x) {                                                           \
        x = at_least_##S(at_most_##S(x, highest), lowest);                                         \
        v_##S shifted = x * log2e_##S + (magic_##S + bias), n = shifted - (magic_##S + bias);      \
        v_##S r = (x - n * ln2_high) - n * ln2_low;                                                \
        bits_##S both = (bits_##S)shifted, half = both >> 1; /* of n + 2 bias > 0 */               \
        v_##S low = (v_##S)(half << mantissa), high = (v_##S)((both - half) << mantissa);          \
        return (1 + expm1_core_##S(r)) * low * high;                                               \
    }                                                                                              \
                                                                                                   \
    SIMD_INLINE v_##S tanh_##S(v_##S x) {                                                          \
        const bits_##S sign = (bits_##S)(-(v_##S){0});                                             \
        v_##S y = (v_##S)((bits_##S)x | sign);                                                     \
        y = at_least_##S(y + y, -87);                                                              \
        v_##S shifted = y * log2e_##S + magic_##S;                                                 \
        v_##S s = (v_##S)((bits_##S)shifted << mantissa);                                          \
        v_##S core = expm1_core_##S(y - (shifted - magic_##S) * ln2);                              \
        v_##S v = (1 - s) - s * core;                                                              \
        return (v_##S)((bits_##S)(v / (2 - v)) | ((bits_##S)x & sign));                            \
    }                                                                                              \
                                                                                                   \
    SIMD_INLINE v_##S sigmoid_##S(v_##S x) {                                                       \
        x = at_most_##S(x, 87);                                                                    \
        v_##S shifted = at_most_##S(magic_##S - x * log2e_##S, magic_##S + bias);                  \
        v_##S s = (v_##S)((bits_##S)shifted << mantissa), n = shifted - magic_##S;                 \
        v_##S core = expm1_core_##S((-x - n * ln2_high) - n * ln2_low);                            \
        return 1 / (1 + s * (1 + core));                                                           \
    }

SRN_DEFINE_VMATH(float, f32, 23, 127, 0.693359375f, -2.12194440e-4f, 0.693147182f, 89, -104)
SRN_DEFINE_VMATH(double, f64, 52, 1023, 0x1.62e42feep-1, 0x1.a39ef35793c76p-33, 0.69314718055994531,
                 710, -746)

#endif
