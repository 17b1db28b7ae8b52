/* The loops of vector_body.h for AVX2 with FMA. */
#if defined(__x86_64__)

#define SRN_SIMD 1
#include "kernels/simd.h"

#define SRN_VECTOR_TABLE srn_vector_avx2
#include "kernels/vector_body.h"

#endif