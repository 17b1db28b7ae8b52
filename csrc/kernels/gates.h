/* The arithmetic of recurrent layers between their matrix products: gates, states and their slopes.
 *
 * n rows of a batch, u units; every matrix is row-major and contiguous, gates lie side by side in a
 * row: (n, 4u) in the order i, f, c, o for the LSTM, (n, 3u) in the order z, r, h for the GRU.
 * `act` and `rec` are words of SRN_ACTIVATIONS: the activation and the recurrent activation; only
 * such whose slope follows from their value are among them, so that a state need not be kept twice.
 * Outputs come first. No failure, no allocation; a row does not depend on the others.
 *
 *   lstm_forward     z := [i f g o] = rec, rec, act, rec of z;  c := f c_prev + i g;  h := o act(c)
 *   lstm_backward    from e = dh + dy, the gradient by h, and dc, that by c from the step after:
 *                    d := dc + e o act'(c);  dz := gradient by z;  dc_prev := d f
 *   gru_after        reset after the product (z holds b + h_prev R):
 *                    z, r := rec(x + z);  s := z_h;  hh := act(x_h + r s);
 *                    h := z h_prev + (1 - z) hh
 *   gru_reset        reset before the product: z, r := rec(z);  q := r h_prev m
 *   gru_before       and the rest, when z_h = x_h + q R_h: hh := act(z_h);  h as above
 *   gru_after_back   dz by x, drz by the recurrent side (its block h is that of dz times r),
 *                    dh_prev := e z
 *   gru_before_back  dz's blocks z and h;  dh_prev := e z
 *   gru_reset_back   from dq, the gradient by q: dz's block r;  dh_prev += dq r m
 *   rnn_forward      h := act(h)
 *   rnn_backward     dz := e act'(h)
 *   add, mul, mul_add    out := a + b, a b, out + a b; count elements
 *
 * e is dh + dy everywhere. dy may be NULL: 0; and m, a factor per state (dropout): 1.
 */
#ifndef SRN_KERNELS_GATES_H
#define SRN_KERNELS_GATES_H

#include <stdint.h>

#include "tensor/dtype.h"

/* clang-format off */
#define SRN_ACTIVATIONS(X)                                                                         \
    X(linear) X(tanh) X(sigmoid) X(relu) X(hard_sigmoid) X(softsign) X(elu) X(exponential)         \
    X(softplus) X(selu) X(relu6) X(leaky_relu)
/* clang-format on */

typedef enum srn_activation {
#define X(word) SRN_ACT_##word,
    SRN_ACTIVATIONS(X)
#undef X
        SRN_N_ACTIVATIONS
} srn_activation;

typedef struct srn_gates {
    void (*lstm_forward)(int act, int rec, int64_t n, int64_t u, void *z, void *c, void *h,
                         const void *c_prev);
    void (*lstm_backward)(int act, int rec, int64_t n, int64_t u, void *dz, void *dc_prev,
                          const void *gates, const void *c, const void *c_prev, const void *dh,
                          const void *dy, const void *dc);
    void (*gru_after)(int act, int rec, int64_t n, int64_t u, void *z, void *s, void *h,
                      const void *x, const void *h_prev);
    void (*gru_reset)(int rec, int64_t n, int64_t u, void *z, void *q, const void *h_prev,
                      const void *m);
    void (*gru_before)(int act, int64_t n, int64_t u, void *z, void *h, const void *h_prev);
    void (*gru_after_back)(int act, int rec, int64_t n, int64_t u, void *dz, void *drz,
                           void *dh_prev, const void *gates, const void *s, const void *h_prev,
                           const void *dh, const void *dy);
    void (*gru_before_back)(int act, int rec, int64_t n, int64_t u, void *dz, void *dh_prev,
                            const void *gates, const void *h_prev, const void *dh, const void *dy);
    void (*gru_reset_back)(int rec, int64_t n, int64_t u, void *dz, void *dh_prev,
                           const void *gates, const void *h_prev, const void *m, const void *dq);
    void (*rnn_forward)(int act, int64_t count, void *h);
    void (*rnn_backward)(int act, int64_t count, void *dz, const void *h, const void *dh,
                         const void *dy);
    void (*add)(int64_t count, void *out, const void *a, const void *b);
    void (*mul)(int64_t count, void *out, const void *a, const void *b);
    void (*mul_add)(int64_t count, void *out, const void *a, const void *b);
} srn_gates;

/* For SRN_F32 or SRN_F64, on this machine's best instruction set. */
const srn_gates *srn_gates_of(srn_dtype dtype);

/* One pair (f32, f64) per instruction set; `ref` computes with libm. */
extern const srn_gates srn_gates_ref[2], srn_gates_base[2];
#if defined(__x86_64__)
extern const srn_gates srn_gates_avx2[2], srn_gates_avx512[2];
#endif

#endif
