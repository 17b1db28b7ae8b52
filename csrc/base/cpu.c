/* Instruction sets and floating point mode; see cpu.h. Other processors than x86-64 use the
 * baseline, which on ARM64 is NEON. */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static srn_isa best_isa(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        return wide ? SRN_ISA_AVX512 : SRN_ISA_AVX2;
    }
#endif
    return SRN_ISA_BASE;
}

const char *srn_isa_name(srn_isa isa) {
    static const char *const names[] = {"ref", "base", "avx2", "avx512"};
    return names[isa];
}

srn_isa srn_cpu_isa(void) {
    static _Atomic int decided = -1; /* two threads at once decide the same */
    int isa = atomic_load(&decided);
    if (isa < 0) {
        isa = (int)best_isa();
        const char *wish = getenv("SEQRNN_KERNELS");
        for (int i = 0; wish != NULL && i < isa; i++) {
            if (strcmp(wish, srn_isa_name((srn_isa)i)) == 0) {
                isa = i;
            }
        }
        atomic_store(&decided, isa);
    }
    return (srn_isa)isa;
}

#if defined(__x86_64__)

enum { MXCSR_DAZ = 1 << 6, MXCSR_FTZ = 1 << 15 };

uint64_t srn_fpu_enter(void) {
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | MXCSR_DAZ | MXCSR_FTZ);
    return saved;
}

void srn_fpu_leave(uint64_t saved) {
    _mm_setcsr((unsigned)saved);
}

#elif defined(__aarch64__)

uint64_t srn_fpu_enter(void) {
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(saved | (1u << 24)));
    return saved;
}

void srn_fpu_leave(uint64_t saved) {
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else

uint64_t srn_fpu_enter(void) {
    return 0;
}

void srn_fpu_leave(uint64_t saved) {
    (void)saved;
}

#endif

int64_t srn_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
