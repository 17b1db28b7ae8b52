/* The loops of vector_body.h for AVX2 with FMA. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma")

#define SRN_VECTOR_TABLE srn_vector_avx2
#include "kernels/vector_body.h"

#endif