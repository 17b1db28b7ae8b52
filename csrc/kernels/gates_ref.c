/* The gates of gates.h with the functions of libm, to compare with; the loops are in gates_body.h. */
#define SRN_SIMD 0
#include "kernels/simd.h"

#include "kernels/gates.h"

#include <math.h>

#define LIBM(S, name, expression)                                                                  \
    static inline v_##S name##_##S(v_##S v) {                                                      \
        for (size_t k = 0; k < sizeof v / sizeof v[0]; k++) {                                      \
            v[k] = (expression);                                                                   \
        }                                                                                          \
        return v;                                                                                  \
    }
LIBM(f32, exp, expf(v[k]))
LIBM(f64, exp, exp(v[k]))
LIBM(f32, tanh, tanhf(v[k]))
LIBM(f64, tanh, tanh(v[k]))
LIBM(f32, sigmoid, 1 / (1 + expf(-v[k])))
LIBM(f64, sigmoid, 1 / (1 + exp(-v[k])))
#undef LIBM

#define T float
#define S f32
#include "kernels/gates_body.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/gates_body.h"

const srn_gates srn_gates_ref[2] = {GATES(f32), GATES(f64)};
