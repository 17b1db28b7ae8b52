/* The gates of gates.h for the baseline: SSE2, NEON; the loops are in gates_body.h. */
#define SRN_SIMD 0
#include "kernels/simd.h"

#include "kernels/gates.h"
#include "kernels/vmath.h"

#define T float
#define S f32
#include "kernels/gates_body.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/gates_body.h"

const srn_gates srn_gates_base[2] = {GATES(f32), GATES(f64)};
