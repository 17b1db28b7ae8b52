/* The gates of gates.h for one element type T (suffix S) and one instruction set (simd.h).
 *
 * Every kernel walks the rows in vectors. Behind a row's whole vectors less than one may be left:
 * several rows share vectors with that (with 20 units and vectors of 16, four rows), or it is loaded
 * and stored in part, so no loop ends in single elements. What happens to one vector is written once,
 * in a function ..._at, with the usual pair (tanh, sigmoid) compiled in and all other pairs behind a
 * switch. What waits for an activation comes in a pass of its own over all rows, so that the
 * processor has enough to do meanwhile.
 */
#ifndef SRN_KERNELS_GATES_BODY_H
#define SRN_KERNELS_GATES_BODY_H

#include <math.h>

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define F(stem) JOIN(stem, S)
#define V JOIN(v, S)
#define VL ((int64_t)(SIMD_BYTES / sizeof(T)))

/* In a function ..._at: `rows` says where the vector lies: 0, in one row; 1, in one row, but only
 * `rest` elements exist; 2 or more, in so many rows, `ld` apart, which share it. */
#define LOAD(p, ld) F(take)(rows, rest, p, ld)
#define STORE(p, ld, v) F(put)(rows, rest, p, ld, v)
/* e, the gradient by h. */
#define GRADIENT(ld) (dy == NULL ? LOAD(dh, ld) : LOAD(dh, ld) + LOAD(dy, ld))

/* Rows share vectors with what is left of them behind whole ones, its pieces of half a vector, a
 * quarter ...: of `n` rows as many as have a partner for each piece, no piece being too small. */
#define MOST_ROWS (SIMD_BYTES / 8)
#define SHARING(n, rest)                                                                           \
    ((rest) == 0 || VL / ((rest) & -(rest)) > MOST_ROWS ? 0 : (n) - (n) % (VL / ((rest) & -(rest))))

/* `at` for every vector of n rows of u elements: row i, first element j. */
#define EACH_VECTOR(n, u, at)                                                                      \
    do {                                                                                           \
        const int64_t rest = (u) % VL, whole = (u) - rest, sharing = SHARING(n, rest);             \
        for (int64_t i = 0; i < (n); i++) {                                                        \
            for (int64_t j = 0; j < whole; j += VL) {                                              \
                const int rows = 0;                                                                \
                at;                                                                                \
            }                                                                                      \
        }                                                                                          \
        int64_t j = whole;                                                                         \
        for (int64_t i = sharing; i < (n) && rest > 0; i++) {                                      \
            const int rows = 1;                                                                    \
            at;                                                                                    \
        }                                                                                          \
        EACH_SHARED_VECTOR(2, at);                                                                 \
        EACH_SHARED_VECTOR(4, at);                                                                 \
        EACH_SHARED_VECTOR(8, at);                                                                 \
    } while (0)

#define EACH_SHARED_VECTOR(share, at)                                                              \
    if (share <= MOST_ROWS && (rest & (VL / share))) {                                             \
        const int rows = share;                                                                    \
        for (int64_t i = 0; i < sharing; i += share) {                                             \
            at;                                                                                    \
        }                                                                                          \
        j += VL / share;                                                                           \
    }

/* For every vector of n elements. */
#define EACH_OF(n, at)                                                                             \
    do {                                                                                           \
        const int64_t rest = (n) % VL, whole = (n) - rest;                                         \
        int64_t j = 0;                                                                             \
        for (; j < whole; j += VL) {                                                               \
            const int rows = 0;                                                                    \
            at;                                                                                    \
        }                                                                                          \
        if (rest > 0) {                                                                            \
            const int rows = 1;                                                                    \
            at;                                                                                    \
        }                                                                                          \
    } while (0)

/* Calls `body` with the usual words as constants, or with any. */
#define SPECIALISE(act, rec, body, ...)                                                            \
    do {                                                                                           \
        if ((act) == SRN_ACT_tanh && (rec) == SRN_ACT_sigmoid) {                                   \
            body(SRN_ACT_tanh, SRN_ACT_sigmoid, __VA_ARGS__);                                      \
        } else {                                                                                   \
            body(act, rec, __VA_ARGS__);                                                           \
        }                                                                                          \
    } while (0)

#define CONSTANT(word, name) (__builtin_constant_p(word) && (word) == SRN_ACT_##name)

#define SRN_SELU_SCALE 1.05070098735548049342
#define SRN_SELU_ALPHA 1.67326324235437728481

#endif

/* v[k] := expression of x = v[k]; a loop the compiler may not unroll becomes vector code. */
#define MAP(v, expression)                                                                         \
    do {                                                                                           \
        T t[VL];                                                                                   \
        memcpy(t, &(v), sizeof t);                                                                 \
        _Pragma("GCC unroll 1") for (int k = 0; k < VL; k++) {                                     \
            const T x = t[k];                                                                      \
            t[k] = (expression);                                                                   \
        }                                                                                          \
        memcpy(&(v), t, sizeof t);                                                                 \
    } while (0)

SIMD_INLINE V F(take)(const int rows, int64_t rest, const T *p, int64_t ld) {
    return rows == 0 ? F(load)(p) : rows == 1 ? F(load_part)(p, rest) : F(load_rows)(p, ld, rows);
}

SIMD_INLINE void F(put)(const int rows, int64_t rest, T *p, int64_t ld, V v) {
    if (rows == 0) {
        F(store)(p, v);
    } else if (rows == 1) {
        F(store_part)(p, v, rest);
    } else {
        F(store_rows)(p, v, ld, rows);
    }
}

/* ---- activations, and their slopes from their values ---- */

static __attribute__((noinline)) V F(activate_any)(int word, V v) {
    const T zero = 0, one = 1, scale = (T)SRN_SELU_SCALE, alpha = (T)SRN_SELU_ALPHA;
    switch (word) {
    case SRN_ACT_tanh:
        v = F(tanh)(v);
        break;
    case SRN_ACT_sigmoid:
        v = F(sigmoid)(v);
        break;
    case SRN_ACT_relu:
        MAP(v, x < zero ? zero : x); /* NaN stays */
        break;
    case SRN_ACT_hard_sigmoid:
        MAP(v, x / 6 + (T)0.5);
        MAP(v, x < zero ? zero : x > one ? one : x);
        break;
    case SRN_ACT_softsign:
        MAP(v, x / (one + (x < zero ? -x : x)));
        break;
    case SRN_ACT_elu:
        MAP(v, x > zero ? x : (T)expm1((double)x));
        break;
    case SRN_ACT_exponential:
        v = F(exp)(v);
        break;
    case SRN_ACT_softplus: /* log(1 + e^x) without overflow */
        MAP(v, (x > zero ? x : zero) + (T)log1p(exp(-fabs((double)x))));
        break;
    case SRN_ACT_selu:
        MAP(v, scale * (x > zero ? x : alpha * (T)expm1((double)x)));
        break;
    case SRN_ACT_relu6:
        MAP(v, x < zero ? zero : x > 6 ? (T)6 : x);
        break;
    case SRN_ACT_leaky_relu:
        MAP(v, x < zero ? (T)0.2 * x : x);
        break;
    }
    return v;
}

SIMD_INLINE V F(activate)(int word, V v) {
    if (CONSTANT(word, tanh)) {
        return F(tanh)(v);
    }
    if (CONSTANT(word, sigmoid)) {
        return F(sigmoid)(v);
    }
    return F(activate_any)(word, v);
}

static __attribute__((noinline)) V F(slope_any)(int word, V v) {
    const T zero = 0, one = 1, scale = (T)SRN_SELU_SCALE, alpha = (T)SRN_SELU_ALPHA;
    switch (word) {
    case SRN_ACT_linear:
        MAP(v, zero * x + one);
        break;
    case SRN_ACT_tanh:
        v = 1 - v * v;
        break;
    case SRN_ACT_sigmoid:
        v = v * (1 - v);
        break;
    case SRN_ACT_relu:
        MAP(v, x > zero ? one : zero);
        break;
    case SRN_ACT_hard_sigmoid:
        MAP(v, x > zero && x < one ? one / 6 : zero);
        break;
    case SRN_ACT_softsign:
        MAP(v, one - (x < zero ? -x : x));
        v *= v;
        break;
    case SRN_ACT_elu:
        MAP(v, x > zero ? one : x + one);
        break;
    case SRN_ACT_exponential:
        break;
    case SRN_ACT_softplus:
        MAP(v, (T)-expm1(-(double)x));
        break;
    case SRN_ACT_selu:
        MAP(v, x > zero ? scale : x + scale * alpha);
        break;
    case SRN_ACT_relu6:
        MAP(v, x > zero && x < 6 ? one : zero);
        break;
    case SRN_ACT_leaky_relu:
        MAP(v, x < zero ? (T)0.2 : one);
        break;
    }
    return v;
}

SIMD_INLINE V F(slope)(int word, V y) {
    if (CONSTANT(word, tanh)) {
        return 1 - y * y;
    }
    if (CONSTANT(word, sigmoid)) {
        return y * (1 - y);
    }
    return F(slope_any)(word, y);
}

/* ---- LSTM ---- */

SIMD_INLINE void F(lstm_forward_at)(const int rows, int64_t rest, int act, int rec, int64_t u, T *z,
                                    T *c, const T *c_prev) {
    V i = F(activate)(rec, LOAD(z, 4 * u));
    V f = F(activate)(rec, LOAD(z + u, 4 * u));
    V g = F(activate)(act, LOAD(z + 2 * u, 4 * u));
    V o = F(activate)(rec, LOAD(z + 3 * u, 4 * u));
    V now = f * LOAD(c_prev, u) + i * g;
    STORE(z, 4 * u, i);
    STORE(z + u, 4 * u, f);
    STORE(z + 2 * u, 4 * u, g);
    STORE(z + 3 * u, 4 * u, o);
    STORE(c, u, now);
}

SIMD_INLINE void F(lstm_output_at)(const int rows, int64_t rest, int act, int64_t u, T *h,
                                   const T *z, const T *c) {
    STORE(h, u, LOAD(z + 3 * u, 4 * u) * F(activate)(act, LOAD(c, u)));
}

SIMD_INLINE void F(lstm_forward_rows)(int act, int rec, int64_t n, int64_t u, T *z, T *c, T *h,
                                      const T *c_prev) {
    EACH_VECTOR(n, u,
                F(lstm_forward_at)(rows, rest, act, rec, u, z + 4 * i * u + j, c + i * u + j,
                                   c_prev + i * u + j));
    EACH_VECTOR(n, u,
                F(lstm_output_at)(rows, rest, act, u, h + i * u + j, z + 4 * i * u + j,
                                  c + i * u + j));
}

static void F(lstm_forward)(int act, int rec, int64_t n, int64_t u, void *z, void *c, void *h,
                            const void *c_prev) {
    SPECIALISE(act, rec, F(lstm_forward_rows), n, u, z, c, h, c_prev);
}

SIMD_INLINE void F(lstm_backward_at)(const int rows, int64_t rest, int act, int rec, int64_t u,
                                     T *dz, T *dc_prev, const T *gates, const T *c, const T *c_prev,
                                     const T *dh, const T *dy, const T *dc) {
    V i = LOAD(gates, 4 * u), f = LOAD(gates + u, 4 * u), g = LOAD(gates + 2 * u, 4 * u),
      o = LOAD(gates + 3 * u, 4 * u);
    V squashed = F(activate)(act, LOAD(c, u)), e = GRADIENT(u);
    V d = LOAD(dc, u) + e * o * F(slope)(act, squashed);
    STORE(dz, 4 * u, d * g * F(slope)(rec, i));
    STORE(dz + u, 4 * u, d * LOAD(c_prev, u) * F(slope)(rec, f));
    STORE(dz + 2 * u, 4 * u, d * i * F(slope)(act, g));
    STORE(dz + 3 * u, 4 * u, e * squashed * F(slope)(rec, o));
    STORE(dc_prev, u, d * f);
}

SIMD_INLINE void F(lstm_backward_rows)(int act, int rec, int64_t n, int64_t u, T *dz, T *dc_prev,
                                       const T *gates, const T *c, const T *c_prev, const T *dh,
                                       const T *dy, const T *dc) {
    EACH_VECTOR(n, u,
                F(lstm_backward_at)(rows, rest, act, rec, u, dz + 4 * i * u + j,
                                    dc_prev + i * u + j, gates + 4 * i * u + j, c + i * u + j,
                                    c_prev + i * u + j, dh + i * u + j,
                                    dy == NULL ? NULL : dy + i * u + j, dc + i * u + j));
}

static void F(lstm_backward)(int act, int rec, int64_t n, int64_t u, void *dz, void *dc_prev,
                             const void *gates, const void *c, const void *c_prev, const void *dh,
                             const void *dy, const void *dc) {
    SPECIALISE(act, rec, F(lstm_backward_rows), n, u, dz, dc_prev, gates, c, c_prev, dh, dy, dc);
}

/* ---- GRU ---- */

SIMD_INLINE void F(gru_after_gates_at)(const int rows, int64_t rest, int rec, int64_t u, T *z,
                                       const T *x) {
    STORE(z, 3 * u, F(activate)(rec, LOAD(z, 3 * u) + LOAD(x, 3 * u)));
    STORE(z + u, 3 * u, F(activate)(rec, LOAD(z + u, 3 * u) + LOAD(x + u, 3 * u)));
}

SIMD_INLINE void F(gru_after_at)(const int rows, int64_t rest, int act, int64_t u, T *z, T *s, T *h,
                                 const T *x, const T *h_prev) {
    V side = LOAD(z + 2 * u, 3 * u);
    V hh = F(activate)(act, LOAD(x + 2 * u, 3 * u) + LOAD(z + u, 3 * u) * side);
    STORE(z + 2 * u, 3 * u, hh);
    STORE(s, u, side);
    STORE(h, u, hh + LOAD(z, 3 * u) * (LOAD(h_prev, u) - hh));
}

SIMD_INLINE void F(gru_after_rows)(int act, int rec, int64_t n, int64_t u, T *z, T *s, T *h,
                                   const T *x, const T *h_prev) {
    EACH_VECTOR(n, u,
                F(gru_after_gates_at)(rows, rest, rec, u, z + 3 * i * u + j, x + 3 * i * u + j));
    EACH_VECTOR(n, u,
                F(gru_after_at)(rows, rest, act, u, z + 3 * i * u + j, s + i * u + j, h + i * u + j,
                                x + 3 * i * u + j, h_prev + i * u + j));
}

static void F(gru_after)(int act, int rec, int64_t n, int64_t u, void *z, void *s, void *h,
                         const void *x, const void *h_prev) {
    SPECIALISE(act, rec, F(gru_after_rows), n, u, z, s, h, x, h_prev);
}

SIMD_INLINE void F(gru_reset_at)(const int rows, int64_t rest, int rec, int64_t u, T *z, T *q,
                                 const T *h_prev, const T *m) {
    V r = F(activate)(rec, LOAD(z + u, 3 * u));
    V left = LOAD(h_prev, u);
    STORE(z, 3 * u, F(activate)(rec, LOAD(z, 3 * u)));
    STORE(z + u, 3 * u, r);
    STORE(q, u, r * (m == NULL ? left : left * LOAD(m, u)));
}

static void F(gru_reset)(int rec, int64_t n, int64_t u, void *z_, void *q_, const void *h_prev_,
                         const void *m_) {
    T *z = z_, *q = q_;
    const T *h_prev = h_prev_, *m = m_;
    EACH_VECTOR(n, u,
                F(gru_reset_at)(rows, rest, rec, u, z + 3 * i * u + j, q + i * u + j,
                                h_prev + i * u + j, m == NULL ? NULL : m + i * u + j));
}

SIMD_INLINE void F(gru_before_at)(const int rows, int64_t rest, int act, int64_t u, T *z, T *h,
                                  const T *h_prev) {
    V hh = F(activate)(act, LOAD(z + 2 * u, 3 * u));
    STORE(z + 2 * u, 3 * u, hh);
    STORE(h, u, hh + LOAD(z, 3 * u) * (LOAD(h_prev, u) - hh));
}

static void F(gru_before)(int act, int64_t n, int64_t u, void *z_, void *h_, const void *h_prev_) {
    T *z = z_, *h = h_;
    const T *h_prev = h_prev_;
    EACH_VECTOR(n, u,
                F(gru_before_at)(rows, rest, act, u, z + 3 * i * u + j, h + i * u + j,
                                 h_prev + i * u + j));
}

SIMD_INLINE void F(gru_after_back_at)(const int rows, int64_t rest, int act, int rec, int64_t u,
                                      T *dz, T *drz, T *dh_prev, const T *gates, const T *s,
                                      const T *h_prev, const T *dh, const T *dy) {
    V keep = LOAD(gates, 3 * u), r = LOAD(gates + u, 3 * u), hh = LOAD(gates + 2 * u, 3 * u),
      e = GRADIENT(u);
    V dkeep = e * (LOAD(h_prev, u) - hh) * F(slope)(rec, keep);
    V dhh = e * (1 - keep) * F(slope)(act, hh);
    V dr = dhh * LOAD(s, u) * F(slope)(rec, r);
    STORE(dz, 3 * u, dkeep);
    STORE(dz + u, 3 * u, dr);
    STORE(dz + 2 * u, 3 * u, dhh);
    STORE(drz, 3 * u, dkeep);
    STORE(drz + u, 3 * u, dr);
    STORE(drz + 2 * u, 3 * u, dhh * r);
    STORE(dh_prev, u, e * keep);
}

SIMD_INLINE void F(gru_after_back_rows)(int act, int rec, int64_t n, int64_t u, T *dz, T *drz,
                                        T *dh_prev, const T *gates, const T *s, const T *h_prev,
                                        const T *dh, const T *dy) {
    EACH_VECTOR(n, u,
                F(gru_after_back_at)(rows, rest, act, rec, u, dz + 3 * i * u + j,
                                     drz + 3 * i * u + j, dh_prev + i * u + j,
                                     gates + 3 * i * u + j, s + i * u + j, h_prev + i * u + j,
                                     dh + i * u + j, dy == NULL ? NULL : dy + i * u + j));
}

static void F(gru_after_back)(int act, int rec, int64_t n, int64_t u, void *dz, void *drz,
                              void *dh_prev, const void *gates, const void *s, const void *h_prev,
                              const void *dh, const void *dy) {
    SPECIALISE(act, rec, F(gru_after_back_rows), n, u, dz, drz, dh_prev, gates, s, h_prev, dh, dy);
}

SIMD_INLINE void F(gru_before_back_at)(const int rows, int64_t rest, int act, int rec, int64_t u,
                                       T *dz, T *dh_prev, const T *gates, const T *h_prev,
                                       const T *dh, const T *dy) {
    V keep = LOAD(gates, 3 * u), hh = LOAD(gates + 2 * u, 3 * u), e = GRADIENT(u);
    STORE(dz, 3 * u, e * (LOAD(h_prev, u) - hh) * F(slope)(rec, keep));
    STORE(dz + 2 * u, 3 * u, e * (1 - keep) * F(slope)(act, hh));
    STORE(dh_prev, u, e * keep);
}

static void F(gru_before_back)(int act, int rec, int64_t n, int64_t u, void *dz_, void *dh_prev_,
                               const void *gates_, const void *h_prev_, const void *dh_,
                               const void *dy_) {
    T *dz = dz_, *dh_prev = dh_prev_;
    const T *gates = gates_, *h_prev = h_prev_, *dh = dh_, *dy = dy_;
    EACH_VECTOR(n, u,
                F(gru_before_back_at)(rows, rest, act, rec, u, dz + 3 * i * u + j,
                                      dh_prev + i * u + j, gates + 3 * i * u + j,
                                      h_prev + i * u + j, dh + i * u + j,
                                      dy == NULL ? NULL : dy + i * u + j));
}

SIMD_INLINE void F(gru_reset_back_at)(const int rows, int64_t rest, int rec, int64_t u, T *dz,
                                      T *dh_prev, const T *gates, const T *h_prev, const T *m,
                                      const T *dq) {
    V r = LOAD(gates + u, 3 * u), d = LOAD(dq, u);
    d = m == NULL ? d : d * LOAD(m, u);
    STORE(dz + u, 3 * u, d * LOAD(h_prev, u) * F(slope)(rec, r));
    STORE(dh_prev, u, LOAD(dh_prev, u) + d * r);
}

static void F(gru_reset_back)(int rec, int64_t n, int64_t u, void *dz_, void *dh_prev_,
                              const void *gates_, const void *h_prev_, const void *m_,
                              const void *dq_) {
    T *dz = dz_, *dh_prev = dh_prev_;
    const T *gates = gates_, *h_prev = h_prev_, *m = m_, *dq = dq_;
    EACH_VECTOR(n, u,
                F(gru_reset_back_at)(rows, rest, rec, u, dz + 3 * i * u + j, dh_prev + i * u + j,
                                     gates + 3 * i * u + j, h_prev + i * u + j,
                                     m == NULL ? NULL : m + i * u + j, dq + i * u + j));
}

/* ---- simple RNN, and what all of them need: contiguous, so one long row ---- */

SIMD_INLINE void F(rnn_forward_rows)(int act, int rec, int64_t count, T *h) {
    (void)rec;
    EACH_OF(count, STORE(h + j, 0, F(activate)(act, LOAD(h + j, 0))));
}

static void F(rnn_forward)(int act, int64_t count, void *h) {
    SPECIALISE(act, SRN_ACT_sigmoid, F(rnn_forward_rows), count, h);
}

SIMD_INLINE void F(rnn_backward_at)(const int rows, int64_t rest, int act, T *dz, const T *h,
                                    const T *dh, const T *dy) {
    STORE(dz, 0, GRADIENT(0) * F(slope)(act, LOAD(h, 0)));
}

SIMD_INLINE void F(rnn_backward_rows)(int act, int rec, int64_t count, T *dz, const T *h,
                                      const T *dh, const T *dy) {
    (void)rec;
    EACH_OF(count,
            F(rnn_backward_at)(rows, rest, act, dz + j, h + j, dh + j, dy == NULL ? NULL : dy + j));
}

static void F(rnn_backward)(int act, int64_t count, void *dz, const void *h, const void *dh,
                            const void *dy) {
    SPECIALISE(act, SRN_ACT_sigmoid, F(rnn_backward_rows), count, dz, h, dh, dy);
}

static void F(add)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_OF(count, STORE(out + j, 0, LOAD(a + j, 0) + LOAD(b + j, 0)));
}

static void F(mul)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_OF(count, STORE(out + j, 0, LOAD(a + j, 0) * LOAD(b + j, 0)));
}

static void F(mul_add)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_OF(count, STORE(out + j, 0, LOAD(out + j, 0) + LOAD(a + j, 0) * LOAD(b + j, 0)));
}

#undef MAP

#ifndef GATES
#define GATES(S)                                                                                   \
    {                                                                                              \
        .lstm_forward = lstm_forward_##S,                                                          \
        .lstm_backward = lstm_backward_##S,                                                        \
        .gru_after = gru_after_##S,                                                                \
        .gru_reset = gru_reset_##S,                                                                \
        .gru_before = gru_before_##S,                                                              \
        .gru_after_back = gru_after_back_##S,                                                      \
        .gru_before_back = gru_before_back_##S,                                                    \
        .gru_reset_back = gru_reset_back_##S,                                                      \
        .rnn_forward = rnn_forward_##S,                                                            \
        .rnn_backward = rnn_backward_##S,                                                          \
        .add = add_##S,                                                                            \
        .mul = mul_##S,                                                                            \
        .mul_add = mul_add_##S,                                                                    \
    }
#endif
