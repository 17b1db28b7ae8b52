/* The loops of vector_body.h for the baseline: SSE2 on x86-64, NEON on ARM64. */

#define SRN_SIMD 0
#include "kernels/simd.h"

#define SRN_VECTOR_TABLE srn_vector_base
#include "kernels/vector_body.h"
