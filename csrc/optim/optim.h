/* Optimizers: flat loops, in place, over the gradients of all variables side by side.
 *
 * `slots` are flat buffers of the same length and order as the gradients (m, v, momentum, ...),
 * owned by the caller and zero at the start. One pass reads gradient, slots and variable once.
 * Formulas as in Keras 3 (see each file); t counts from 1. Fixed order of every sum, so the same
 * bits for any number of threads.
 */
#ifndef SRN_OPTIM_OPTIM_H
#define SRN_OPTIM_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/dtype.h"

typedef enum srn_optim_kind {
    SRN_OPTIM_SGD,     /* slots: velocity if momentum > 0 */
    SRN_OPTIM_RMSPROP, /* slots: mean square; + momentum if momentum > 0; + mean gradient if centered */
    SRN_OPTIM_ADAM,  /* slots: m, v; + v_hat if amsgrad */
    SRN_OPTIM_NADAM, /* slots: m, v */
    SRN_N_OPTIM_KINDS
} srn_optim_kind;

typedef struct srn_optim_config {
    srn_optim_kind kind;
    double learning_rate, momentum, rho, beta_1, beta_2, epsilon, weight_decay; /* decay 0: none */
    bool nesterov, amsgrad, centered;
    double clipnorm, clipvalue, global_clipnorm; /* 0: none; one of them at most */
    double u_product; /* Nadam: product of u_1 .. u_{t-1}; srn_optim_step multiplies u_t in */
} srn_optim_config;

#define SRN_OPTIM_MAX_SLOTS 3
int srn_optim_slots(const srn_optim_config *config);

typedef struct srn_optim_target {
    int32_t n; /* variables */
    void *const *variables;
    const int64_t *begin; /* n + 1 element offsets into gradient and slots */
    srn_dtype dtype;      /* of variables, gradient and slots: SRN_F32 or SRN_F64 */
} srn_optim_target;

/* Clips `gradient` in place, then updates. t is iterations + 1. */
void srn_optim_step(srn_optim_config *config, const srn_optim_target *target, void *gradient,
                    void *const *slots, int64_t t);

#endif
