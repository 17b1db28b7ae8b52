/* Choosing the loops, and what all of them share; see vector.h. */
#include "kernels/vector.h"

#include <math.h>

#include "base/cpu.h"

const srn_vector *srn_vectors(void) {
    switch (srn_cpu_isa()) {
    case SRN_ISA_REF:
        return &srn_vector_ref;
#if defined(__x86_64__)
    case SRN_ISA_AVX2:
        return &srn_vector_avx2;
    case SRN_ISA_AVX512:
        return &srn_vector_avx512;
#endif
    default:
        return &srn_vector_base;
    }
}

srn_total srn_fold_start(srn_fold f, srn_dtype dtype) {
    bool flt = srn_dtype_is_float(dtype);
    switch (f) {
    case SRN_FOLD_SUM:
        return flt ? (srn_total){.f = 0} : (srn_total){.i = 0};
    case SRN_FOLD_PROD:
        return flt ? (srn_total){.f = 1} : (srn_total){.i = 1};
    case SRN_FOLD_MAX:
        return flt                 ? (srn_total){.f = -INFINITY}
               : dtype == SRN_BOOL ? (srn_total){.i = 0}
                                   : (srn_total){.i = INT64_MIN};
    default:
        return flt                 ? (srn_total){.f = INFINITY}
               : dtype == SRN_BOOL ? (srn_total){.i = 1}
                                   : (srn_total){.i = INT64_MAX};
    }
}

#define STORE(T, member)                                                                           \
    for (int64_t j = 0; j < columns; j++) {                                                        \
        ((T *)out)[j] = (T)total[j].member;                                                        \
    }                                                                                              \
    break;

void srn_fold_store(srn_dtype dtype, void *out, const srn_total *total, int64_t columns) {
    switch (dtype) {
    case SRN_F32:
        STORE(float, f)
    case SRN_F64:
        STORE(double, f)
    case SRN_I32:
        STORE(int32_t, i)
    case SRN_I64:
        STORE(int64_t, i)
    default:
        STORE(bool, i)
    }
}
