/* The small GEMM for AVX2 and FMA; see gemm_small.h and gemm_small_body.h. */
#if defined(__x86_64__)
#define SRN_SIMD 1
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

const srn_gemm_small srn_gemm_small_avx2 = {gemm_f32, gemm_f64, NULL};
#endif
