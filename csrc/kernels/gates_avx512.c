/* The gates of gates.h for AVX-512; the loops are in gates_body.h. */
#if defined(__x86_64__)
#define SRN_SIMD 2
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

const srn_gates srn_gates_avx512[2] = {GATES(f32), GATES(f64)};
#endif
