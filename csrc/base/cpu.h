/* What this processor can do, and its floating point mode. */
#ifndef SRN_BASE_CPU_H
#define SRN_BASE_CPU_H

#include <stdint.h>

typedef enum srn_isa { SRN_ISA_REF, SRN_ISA_BASE, SRN_ISA_AVX2, SRN_ISA_AVX512 } srn_isa;

/* The best of this machine (AVX2 means AVX2+FMA), or what SEQRNN_KERNELS=ref|base|avx2|avx512
 * asks for if the machine has it; decided once. */
srn_isa srn_cpu_isa(void);
const char *srn_isa_name(srn_isa isa);

/* Flush-to-zero and denormals-are-zero for the calling thread; restore with the returned word. */
uint64_t srn_fpu_enter(void);
void srn_fpu_leave(uint64_t saved);

/* Nanoseconds since some moment, steadily. */
int64_t srn_clock(void);

#endif
