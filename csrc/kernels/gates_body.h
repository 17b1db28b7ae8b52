/* The gates of gates.h for one element type T (suffix S) and one instruction set (simd.h).
 *
 * Every kernel walks the rows in vectors; the last vector of a row may be incomplete and is loaded
 * and stored in part, so no loop ends in single elements. What happens to one vector is
 * written once, in a function ..._at, with the usual pair (tanh, sigmoid) compiled in and all other
 * pairs behind a switch.
 */
#ifndef SRN_KERNELS_GATES_BODY_H
#define SRN_KERNELS_GATES_BODY_H

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define F(stem) JOIN(stem, S)
#define V JOIN(v, S)
#define VL ((int64_t)(SIMD_BYTES / sizeof(T)))

/* In a function ..._at: `some` says that only `rest` elements exist. */
#define LOAD(p) (some ? F(load_part)(p, rest) : F(load)(p))
#define STORE(p, v) (some ? F(store_part)(p, v, rest) : F(store)(p, v))

/* `at` for every vector of n rows of u elements: row i, first element j. */
#define EACH_VECTOR(n, u, at)                                                                      \
    do {                                                                                           \
        const int64_t rest = (u) % VL;                                                             \
        for (int64_t i = 0; i < (n); i++) {                                                        \
            int64_t j = 0;                                                                         \
            for (; j + VL <= (u); j += VL) {                                                       \
                const bool some = false;                                                           \
                at;                                                                                \
            }                                                                                      \
            if (j < (u)) {                                                                         \
                const bool some = true;                                                            \
                at;                                                                                \
            }                                                                                      \
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

/* ---- activations, and their slopes from their values ---- */

static __attribute__((noinline)) V F(activate_any)(int word, V v) {
    const T zero = 0, one = 1, scale = (T)SRN_SELU_SCALE, alpha = (T)SRN_SELU_ALPHA;
    switch (word) {
    case SRN_ACT_tanh:
        MAP(v, F(srn_tanh)(x));
        break;
    case SRN_ACT_sigmoid:
        MAP(v, F(srn_sigmoid)(x));
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
        MAP(v, F(srn_exp)(x));
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
        MAP(v, F(srn_tanh)(x));
        return v;
    }
    if (CONSTANT(word, sigmoid)) {
        MAP(v, F(srn_sigmoid)(x));
        return v;
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

/* ---- gates side by side, without regard to where one ends ---- */

/* One vector of a row whose columns [from, to) want tanh and the others sigmoid; `column` is that of
 * its first element, and may run into the next row. */
SIMD_INLINE V F(squash_at)(V v, int64_t column, int64_t from, int64_t to) {
    if (column + VL <= from || column >= to) {
        return F(activate)(SRN_ACT_sigmoid, v);
    }
    if (column >= from && column + VL <= to) {
        return F(activate)(SRN_ACT_tanh, v);
    }
    T t[VL];
    memcpy(t, &v, sizeof t);
    const int32_t first = (int32_t)(from - column), end = (int32_t)(to - column);
    _Pragma("GCC unroll 1") for (int32_t k = 0; k < VL; k++) {
        t[k] = F(srn_squash)(k >= first && k < end, t[k]);
    }
    memcpy(&v, t, sizeof v);
    return v;
}

/* z (n, width) := its activations, see squash_at. For to + VL <= from + width: what runs into the next
 * row is not tanh. */
static void F(squash_rows)(int64_t n, int64_t width, int64_t from, int64_t to, T *z) {
    int64_t count = n * width, j = 0, column = 0;
    for (; j + VL <= count; j += VL) {
        F(store)(z + j, F(squash_at)(F(load)(z + j), column, from, to));
        column += VL;
        column -= column >= width ? width : 0;
    }
    if (j < count) {
        V v = F(squash_at)(F(load_part)(z + j, count - j), column, from, to);
        F(store_part)(z + j, v, count - j);
    }
}

/* ---- LSTM ---- */

SIMD_INLINE void F(lstm_forward_at)(bool some, int64_t rest, int act, int rec, int64_t u, T *z,
                                    T *c, T *h, const T *c_prev) {
    V i = F(activate)(rec, LOAD(z));
    V f = F(activate)(rec, LOAD(z + u));
    V g = F(activate)(act, LOAD(z + 2 * u));
    V o = F(activate)(rec, LOAD(z + 3 * u));
    V now = f * LOAD(c_prev) + i * g;
    STORE(z, i);
    STORE(z + u, f);
    STORE(z + 2 * u, g);
    STORE(z + 3 * u, o);
    STORE(c, now);
    STORE(h, o * F(activate)(act, now));
}

SIMD_INLINE void F(lstm_forward_rows)(int act, int rec, int64_t n, int64_t u, T *z, T *c, T *h,
                                      const T *c_prev) {
    EACH_VECTOR(n, u,
                F(lstm_forward_at)(some, rest, act, rec, u, z + 4 * i * u + j, c + i * u + j,
                                   h + i * u + j, c_prev + i * u + j));
}

SIMD_INLINE void F(lstm_combine_at)(bool some, int64_t rest, int64_t u, const T *z, T *c, T *h,
                                    const T *c_prev) {
    V now = LOAD(z + u) * LOAD(c_prev) + LOAD(z) * LOAD(z + 2 * u);
    STORE(c, now);
    STORE(h, LOAD(z + 3 * u) * F(activate)(SRN_ACT_tanh, now));
}

/* The same where vectors along a row of all gates are fewer than those along each. */
static void F(lstm_forward_flat)(int64_t n, int64_t u, T *z, T *c, T *h, const T *c_prev) {
    F(squash_rows)(n, 4 * u, 2 * u, 3 * u, z);
    EACH_VECTOR(n, u,
                F(lstm_combine_at)(some, rest, u, z + 4 * i * u + j, c + i * u + j, h + i * u + j,
                                   c_prev + i * u + j));
}

static void F(lstm_forward)(int act, int rec, int64_t n, int64_t u, void *z, void *c, void *h,
                            const void *c_prev) {
    if (act == SRN_ACT_tanh && rec == SRN_ACT_sigmoid && u > VL &&
        4 * ((u + VL - 1) / VL) > (4 * u + VL - 1) / VL) {
        F(lstm_forward_flat)(n, u, z, c, h, c_prev);
        return;
    }
    SPECIALISE(act, rec, F(lstm_forward_rows), n, u, z, c, h, c_prev);
}

SIMD_INLINE void F(lstm_backward_at)(bool some, int64_t rest, int act, int rec, int64_t u, T *dz,
                                     T *dc_prev, const T *gates, const T *c, const T *c_prev,
                                     const T *e, const T *dc) {
    V i = LOAD(gates), f = LOAD(gates + u), g = LOAD(gates + 2 * u), o = LOAD(gates + 3 * u);
    V squashed = F(activate)(act, LOAD(c)), dh = LOAD(e);
    V d = LOAD(dc) + dh * o * F(slope)(act, squashed);
    STORE(dz, d * g * F(slope)(rec, i));
    STORE(dz + u, d * LOAD(c_prev) * F(slope)(rec, f));
    STORE(dz + 2 * u, d * i * F(slope)(act, g));
    STORE(dz + 3 * u, dh * squashed * F(slope)(rec, o));
    STORE(dc_prev, d * f);
}

SIMD_INLINE void F(lstm_backward_rows)(int act, int rec, int64_t n, int64_t u, T *dz, T *dc_prev,
                                       const T *gates, const T *c, const T *c_prev, const T *e,
                                       const T *dc) {
    EACH_VECTOR(n, u,
                F(lstm_backward_at)(some, rest, act, rec, u, dz + 4 * i * u + j,
                                    dc_prev + i * u + j, gates + 4 * i * u + j, c + i * u + j,
                                    c_prev + i * u + j, e + i * u + j, dc + i * u + j));
}

static void F(lstm_backward)(int act, int rec, int64_t n, int64_t u, void *dz, void *dc_prev,
                             const void *gates, const void *c, const void *c_prev, const void *e,
                             const void *dc) {
    SPECIALISE(act, rec, F(lstm_backward_rows), n, u, dz, dc_prev, gates, c, c_prev, e, dc);
}

/* ---- GRU ---- */

SIMD_INLINE void F(gru_after_at)(bool some, int64_t rest, int act, int rec, int64_t u, T *z, T *s,
                                 T *h, const T *x, const T *h_prev) {
    V keep = F(activate)(rec, LOAD(z) + LOAD(x));
    V r = F(activate)(rec, LOAD(z + u) + LOAD(x + u));
    V side = LOAD(z + 2 * u);
    V hh = F(activate)(act, LOAD(x + 2 * u) + r * side);
    STORE(z, keep);
    STORE(z + u, r);
    STORE(z + 2 * u, hh);
    STORE(s, side);
    STORE(h, hh + keep * (LOAD(h_prev) - hh));
}

SIMD_INLINE void F(gru_after_rows)(int act, int rec, int64_t n, int64_t u, T *z, T *s, T *h,
                                   const T *x, const T *h_prev) {
    EACH_VECTOR(n, u,
                F(gru_after_at)(some, rest, act, rec, u, z + 3 * i * u + j, s + i * u + j,
                                h + i * u + j, x + 3 * i * u + j, h_prev + i * u + j));
}

static void F(gru_after)(int act, int rec, int64_t n, int64_t u, void *z, void *s, void *h,
                         const void *x, const void *h_prev) {
    SPECIALISE(act, rec, F(gru_after_rows), n, u, z, s, h, x, h_prev);
}

SIMD_INLINE void F(gru_reset_at)(bool some, int64_t rest, int rec, int64_t u, T *z, T *q,
                                 const T *h_prev, const T *m) {
    V r = F(activate)(rec, LOAD(z + u));
    V left = LOAD(h_prev);
    STORE(z, F(activate)(rec, LOAD(z)));
    STORE(z + u, r);
    STORE(q, r * (m == NULL ? left : left * LOAD(m)));
}

static void F(gru_reset)(int rec, int64_t n, int64_t u, void *z_, void *q_, const void *h_prev_,
                         const void *m_) {
    T *z = z_, *q = q_;
    const T *h_prev = h_prev_, *m = m_;
    EACH_VECTOR(n, u,
                F(gru_reset_at)(some, rest, rec, u, z + 3 * i * u + j, q + i * u + j,
                                h_prev + i * u + j, m == NULL ? NULL : m + i * u + j));
}

SIMD_INLINE void F(gru_before_at)(bool some, int64_t rest, int act, int64_t u, T *z, T *h,
                                  const T *h_prev) {
    V hh = F(activate)(act, LOAD(z + 2 * u));
    STORE(z + 2 * u, hh);
    STORE(h, hh + LOAD(z) * (LOAD(h_prev) - hh));
}

static void F(gru_before)(int act, int64_t n, int64_t u, void *z_, void *h_, const void *h_prev_) {
    T *z = z_, *h = h_;
    const T *h_prev = h_prev_;
    EACH_VECTOR(n, u,
                F(gru_before_at)(some, rest, act, u, z + 3 * i * u + j, h + i * u + j,
                                 h_prev + i * u + j));
}

SIMD_INLINE void F(gru_after_back_at)(bool some, int64_t rest, int act, int rec, int64_t u, T *dz,
                                      T *drz, T *dh_prev, const T *gates, const T *s,
                                      const T *h_prev, const T *e) {
    V keep = LOAD(gates), r = LOAD(gates + u), hh = LOAD(gates + 2 * u), dh = LOAD(e);
    V dkeep = dh * (LOAD(h_prev) - hh) * F(slope)(rec, keep);
    V dhh = dh * (1 - keep) * F(slope)(act, hh);
    V dr = dhh * LOAD(s) * F(slope)(rec, r);
    STORE(dz, dkeep);
    STORE(dz + u, dr);
    STORE(dz + 2 * u, dhh);
    STORE(drz, dkeep);
    STORE(drz + u, dr);
    STORE(drz + 2 * u, dhh * r);
    STORE(dh_prev, dh * keep);
}

SIMD_INLINE void F(gru_after_back_rows)(int act, int rec, int64_t n, int64_t u, T *dz, T *drz,
                                        T *dh_prev, const T *gates, const T *s, const T *h_prev,
                                        const T *e) {
    EACH_VECTOR(n, u,
                F(gru_after_back_at)(some, rest, act, rec, u, dz + 3 * i * u + j,
                                     drz + 3 * i * u + j, dh_prev + i * u + j,
                                     gates + 3 * i * u + j, s + i * u + j, h_prev + i * u + j,
                                     e + i * u + j));
}

static void F(gru_after_back)(int act, int rec, int64_t n, int64_t u, void *dz, void *drz,
                              void *dh_prev, const void *gates, const void *s, const void *h_prev,
                              const void *e) {
    SPECIALISE(act, rec, F(gru_after_back_rows), n, u, dz, drz, dh_prev, gates, s, h_prev, e);
}

SIMD_INLINE void F(gru_before_back_at)(bool some, int64_t rest, int act, int rec, int64_t u, T *dz,
                                       T *dh_prev, const T *gates, const T *h_prev, const T *e) {
    V keep = LOAD(gates), hh = LOAD(gates + 2 * u), dh = LOAD(e);
    STORE(dz, dh * (LOAD(h_prev) - hh) * F(slope)(rec, keep));
    STORE(dz + 2 * u, dh * (1 - keep) * F(slope)(act, hh));
    STORE(dh_prev, dh * keep);
}

static void F(gru_before_back)(int act, int rec, int64_t n, int64_t u, void *dz_, void *dh_prev_,
                               const void *gates_, const void *h_prev_, const void *e_) {
    T *dz = dz_, *dh_prev = dh_prev_;
    const T *gates = gates_, *h_prev = h_prev_, *e = e_;
    EACH_VECTOR(n, u,
                F(gru_before_back_at)(some, rest, act, rec, u, dz + 3 * i * u + j,
                                      dh_prev + i * u + j, gates + 3 * i * u + j,
                                      h_prev + i * u + j, e + i * u + j));
}

SIMD_INLINE void F(gru_reset_back_at)(bool some, int64_t rest, int rec, int64_t u, T *dz,
                                      T *dh_prev, const T *gates, const T *h_prev, const T *m,
                                      const T *dq) {
    V r = LOAD(gates + u), d = LOAD(dq);
    d = m == NULL ? d : d * LOAD(m);
    STORE(dz + u, d * LOAD(h_prev) * F(slope)(rec, r));
    STORE(dh_prev, LOAD(dh_prev) + d * r);
}

static void F(gru_reset_back)(int rec, int64_t n, int64_t u, void *dz_, void *dh_prev_,
                              const void *gates_, const void *h_prev_, const void *m_,
                              const void *dq_) {
    T *dz = dz_, *dh_prev = dh_prev_;
    const T *gates = gates_, *h_prev = h_prev_, *m = m_, *dq = dq_;
    EACH_VECTOR(n, u,
                F(gru_reset_back_at)(some, rest, rec, u, dz + 3 * i * u + j, dh_prev + i * u + j,
                                     gates + 3 * i * u + j, h_prev + i * u + j,
                                     m == NULL ? NULL : m + i * u + j, dq + i * u + j));
}

/* ---- simple RNN, and what all of them need: contiguous, so one long row ---- */

SIMD_INLINE void F(rnn_forward_rows)(int act, int rec, int64_t count, T *h) {
    (void)rec;
    EACH_VECTOR(1, count, STORE(h + j, F(activate)(act, LOAD(h + j))));
}

static void F(rnn_forward)(int act, int64_t count, void *h) {
    SPECIALISE(act, SRN_ACT_sigmoid, F(rnn_forward_rows), count, h);
}

SIMD_INLINE void F(rnn_backward_rows)(int act, int rec, int64_t count, T *dz, const T *h,
                                      const T *e) {
    (void)rec;
    EACH_VECTOR(1, count, STORE(dz + j, LOAD(e + j) * F(slope)(act, LOAD(h + j))));
}

static void F(rnn_backward)(int act, int64_t count, void *dz, const void *h, const void *e) {
    SPECIALISE(act, SRN_ACT_sigmoid, F(rnn_backward_rows), count, dz, h, e);
}

static void F(add)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_VECTOR(1, count, STORE(out + j, LOAD(a + j) + LOAD(b + j)));
}

static void F(mul)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_VECTOR(1, count, STORE(out + j, LOAD(a + j) * LOAD(b + j)));
}

static void F(mul_add)(int64_t count, void *out_, const void *a_, const void *b_) {
    T *out = out_;
    const T *a = a_, *b = b_;
    EACH_VECTOR(1, count, STORE(out + j, LOAD(out + j) + LOAD(a + j) * LOAD(b + j)));
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
