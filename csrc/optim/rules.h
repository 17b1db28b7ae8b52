/* The update rules, one file each; called by optim.c for one variable at a time.
 *
 * A rule's loop is a template in its element type T, made for float and for double and for every
 * instruction set. Scalars are computed in double and rounded once. `decay` is learning rate times
 * weight decay, 0 for none: w -= decay w comes before the update.
 */
#ifndef SRN_OPTIM_RULES_H
#define SRN_OPTIM_RULES_H

#include "base/cpu.h"
#include "optim/optim.h"

/* X(isa, attribute of its functions), in the order of srn_isa from SRN_ISA_BASE on; SEQRNN_KERNELS=ref
 * has the baseline. */
#if defined(__x86_64__)
#define SRN_FOR_EACH_ISA(X)                                                                        \
    X(base, )                                                                                      \
    X(avx2, __attribute__((target("avx2,fma"))))                                                   \
    X(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,"                 \
                                    "prefer-vector-width=512"))))
#else
#define SRN_FOR_EACH_ISA(X) X(base, )
#endif

/* The loop for this processor and dtype, in a table with a row per instruction set. */
#define SRN_LOOP(table, dtype)                                                                     \
    (table)[srn_cpu_isa() > SRN_ISA_BASE ? srn_cpu_isa() - SRN_ISA_BASE : 0][dtype]

/* One variable with its gradient and slots, n elements each. */
typedef struct srn_optim_part {
    srn_dtype dtype;
    int64_t n;
    void *w;
    const void *gradient;
    void *slots[SRN_OPTIM_MAX_SLOTS];
    double decay;
} srn_optim_part;

void srn_optim_clip(const srn_optim_config *config, const srn_optim_target *target, void *gradient);

void srn_optim_sgd(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_rmsprop(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_adam(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
void srn_optim_nadam(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
double srn_optim_nadam_u(const srn_optim_config *config, int64_t t); /* u_t of nadam.c */

#endif
