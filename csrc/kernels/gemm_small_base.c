/* The small GEMM for baseline: SSE2, NEON; see gemm_small.h and gemm_small_body.h. */
#define SRN_SIMD 0
#include "kernels/simd.h"

#include "kernels/gemm_small.h"

#define T float
#define S f32
#include "kernels/gemm_small_body.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/gemm_small_body.h"

const srn_gemm_small srn_gemm_small_base = {gemm_f32, gemm_f64, NULL};
