/* The gates of gates.h with the functions of libm, to compare with; the loops are in gates_body.h. */
#define SRN_SIMD 0
#include "kernels/simd.h"

#include "kernels/gates.h"

#include <math.h>

#define LIBM(T, S, EXP, TANH)                                                                      \
    static inline T srn_exp_##S(T x) {                                                             \
        return EXP(x);                                                                             \
    }                                                                                              \
    static inline T srn_tanh_##S(T x) {                                                            \
        return TANH(x);                                                                            \
    }                                                                                              \
    static inline T srn_sigmoid_##S(T x) {                                                         \
        return 1 / (1 + EXP(-x));                                                                  \
    }                                                                                              \
    static inline T srn_squash_##S(bool is_tanh, T x) {                                            \
        return is_tanh ? TANH(x) : 1 / (1 + EXP(-x));                                              \
    }
LIBM(float, f32, expf, tanhf)
LIBM(double, f64, exp, tanh)

#define T float
#define S f32
#include "kernels/gates_body.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/gates_body.h"

const srn_gates srn_gates_ref[2] = {GATES(f32), GATES(f64)};
