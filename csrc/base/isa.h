/* The same function for several instruction sets, where a whole file per set (kernels/) would be too
 * much.
 *
 *     #define DEFINE(isa, target) target static void add_##isa(float *x, int64_t n) { ... }
 *     SRN_FOR_EACH_ISA(DEFINE)
 *     #define ROW(isa, target) add_##isa,
 *     static void (*const add[])(float *, int64_t) = {SRN_FOR_EACH_ISA(ROW)};
 *     SRN_FOR_ISA(add)(x, n);
 *
 * The sets come in the order of srn_isa from SRN_ISA_BASE on; SEQRNN_KERNELS=ref has the baseline.
 */
#ifndef SRN_BASE_ISA_H
#define SRN_BASE_ISA_H

#include "base/cpu.h"

#if defined(__x86_64__)
#define SRN_FOR_EACH_ISA(X)                                                                        \
    X(base, )                                                                                      \
    X(avx2, __attribute__((target("avx2,fma"))))                                                   \
    X(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,"                 \
                                    "prefer-vector-width=512"))))
#else
#define SRN_FOR_EACH_ISA(X) X(base, )
#endif

#define SRN_FOR_ISA(table) (table)[srn_cpu_isa() > SRN_ISA_BASE ? srn_cpu_isa() - SRN_ISA_BASE : 0]

#endif
