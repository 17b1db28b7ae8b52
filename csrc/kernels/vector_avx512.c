/* The loops of vector_body.h for AVX-512 (F, BW, DQ, VL). */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")

#define SRN_SIMD 2
#include "kernels/simd.h"

#define SRN_VECTOR_TABLE srn_vector_avx512
#include "kernels/vector_body.h"

#endif