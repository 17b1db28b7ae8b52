/* Chooses the gates of this machine. */
#include "kernels/gates.h"

#include "base/cpu.h"

const srn_gates *srn_gates_of(srn_dtype dtype) {
    static const srn_gates *const table[] = {
        [SRN_ISA_REF] = srn_gates_ref,
        [SRN_ISA_BASE] = srn_gates_base,
#if defined(__x86_64__)
        [SRN_ISA_AVX2] = srn_gates_avx2,
        [SRN_ISA_AVX512] = srn_gates_avx512,
#endif
    };
    return &table[srn_cpu_isa()][dtype == SRN_F64];
}
