/* Layer normalization of rows for one element type T (suffix S) and one instruction set (simd.h).
 *
 * The mean is taken from the first element on, so that numbers far from zero keep their digits. A row
 * is read in vectors, three times forward and twice backward: it stays in the nearest cache.
 * Its last, incomplete vector is loaded with zeros behind; where a centred value would make these
 * count, `keep` (ones, then zeros) removes them. Sums run over the vectors in order, then over the
 * elements of one vector: nothing depends on the other rows.
 */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define F(stem) JOIN(stem, S)
#define V JOIN(v, S)
#define VL ((int64_t)(SIMD_BYTES / sizeof(T)))

/* Calls VECTOR(i, load, store) for each vector of a row; the loads and stores of the last one may be
 * masked. */
#define LOAD_ALL(p) F(load)(p)
#define LOAD_SOME(p) F(load_some)(p, mask)
#define STORE_ALL(p, v) F(store)(p, v)
#define STORE_SOME(p, v) F(store_some)(p, v, mask)
#define EACH_VECTOR(VECTOR)                                                                        \
    do {                                                                                           \
        for (int64_t i = 0; i < full; i += VL) {                                                   \
            VECTOR(i, LOAD_ALL, STORE_ALL, 1)                                                      \
        }                                                                                          \
        if (full < n) {                                                                            \
            VECTOR(full, LOAD_SOME, STORE_SOME, keep)                                              \
        }                                                                                          \
    } while (0)

#define SUM(i, LOAD, STORE, inside) sum += (LOAD(x + i) - first) * (inside);
#define SQUARES(i, LOAD, STORE, inside)                                                            \
    {                                                                                              \
        V d = (LOAD(x + i) - first - centre) * (inside);                                           \
        squares += d * d;                                                                          \
    }
#define NORMALIZE(i, LOAD, STORE, inside)                                                          \
    {                                                                                              \
        V hat = (LOAD(x + i) - first - centre) * scale;                                            \
        if (gamma != NULL) {                                                                       \
            hat *= LOAD(gamma + i);                                                                \
        }                                                                                          \
        if (beta != NULL) {                                                                        \
            hat += LOAD(beta + i);                                                                 \
        }                                                                                          \
        STORE(y + i, hat);                                                                         \
    }

static void F(forward) SRN_NORM_FORWARD(T) {
    const V ones = (V){0} + 1;
    const int64_t full = n / VL * VL;
    const T share = 1 / (T)n; /* dividing would take as long as all the rest */
    const JOIN(simd_mask, S) mask = F(mask)(n - full);
    const V keep = F(load_some)((const T *)&ones, mask);
    for (int64_t r = 0; r < rows; r++, x += n) {
        const T first = n > 0 ? *x : 0;
        V sum = {0}, squares = {0};
        EACH_VECTOR(SUM);
        const T centre = F(hsum)(sum) * share;
        EACH_VECTOR(SQUARES);
        const T scale = 1 / SQUARE_ROOT(F(hsum)(squares) * share + epsilon);
        if (y != NULL) {
            EACH_VECTOR(NORMALIZE);
            y += n;
        }
        if (mean != NULL) {
            mean[r] = first + centre;
        }
        if (rstd != NULL) {
            rstd[r] = scale;
        }
    }
}

#define SCALED(i, LOAD)                                                                            \
    V g = LOAD(dy + i), hat = (LOAD(x + i) - centre) * scale;                                      \
    if (gamma != NULL) {                                                                           \
        g *= LOAD(gamma + i);                                                                      \
    }
/* Past the end g is zero. */
#define SUMS(i, LOAD, STORE, inside)                                                               \
    {                                                                                              \
        SCALED(i, LOAD)                                                                            \
        sum += g;                                                                                  \
        sum_hat += g * hat;                                                                        \
    }
#define GRADIENTS(i, LOAD, STORE, inside)                                                          \
    {                                                                                              \
        SCALED(i, LOAD)                                                                            \
        if (dx != NULL) {                                                                          \
            STORE(dx + i, (g - mean_g - hat * mean_g_hat) * scale);                                \
        }                                                                                          \
        if (dgamma_terms != NULL) {                                                                \
            STORE(dgamma_terms + i, LOAD(dy + i) * hat);                                           \
        }                                                                                          \
    }

static void F(backward) SRN_NORM_BACKWARD(T) {
    const int64_t full = n / VL * VL;
    const T share = 1 / (T)n; /* dividing would take as long as all the rest */
    const JOIN(simd_mask, S) mask = F(mask)(n - full);
    for (int64_t r = 0; r < rows; r++, x += n, dy += n) {
        const T centre = mean[r], scale = rstd[r];
        V sum = {0}, sum_hat = {0};
        EACH_VECTOR(SUMS);
        const T mean_g = F(hsum)(sum) * share, mean_g_hat = F(hsum)(sum_hat) * share;
        EACH_VECTOR(GRADIENTS);
        dx += dx != NULL ? n : 0;
        dgamma_terms += dgamma_terms != NULL ? n : 0;
    }
}

#undef JOIN_
#undef JOIN
#undef F
#undef V
#undef VL
#undef LOAD_ALL
#undef LOAD_SOME
#undef STORE_ALL
#undef STORE_SOME
#undef EACH_VECTOR
#undef SUM
#undef SQUARES
#undef NORMALIZE
#undef SCALED
#undef SUMS
#undef GRADIENTS
