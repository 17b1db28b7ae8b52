/* Layer normalization for AVX-512; see norm_body.h. */
#if defined(__x86_64__)
#define SRN_SIMD 2
#include "kernels/simd.h"

#include <math.h>
#include <stddef.h>

#include "kernels/norm.h"

#define T float
#define S f32
#define SQUARE_ROOT sqrtf
#include "kernels/norm_body.h"
#undef T
#undef S
#undef SQUARE_ROOT

#define T double
#define S f64
#define SQUARE_ROOT sqrt
#include "kernels/norm_body.h"

const srn_norm srn_norm_avx512 = {forward_f32, forward_f64, backward_f32, backward_f64};
#endif
