/* Optimizers: flat loops, in place, over the gradients of all variables side by side.
 *
 * `slots` are flat buffers of the same length and order as the gradients (m, v, momentum, ...),
 * owned by the caller and at the start what srn_optim_slot_start says. One pass reads gradient,
 * slots and variable once, but for LAMB and Adafactor, whose steps depend on norms of a whole
 * variable. Formulas as in Keras 3 (see each file); t counts from 1. Fixed order of every sum, so
 * the same bits for any number of threads.
 *
 * A step, in this order:
 *
 *   unscale      g = g / loss_scale_factor
 *   accumulate   with accumulation_steps k >= 2, k - 1 of k steps only add g to a sum; the k-th
 *                goes on with the mean of the k gradients, as step t/k of what follows
 *   clip         clip.c
 *   decay        w = w - lr weight_decay w, unless `undecayed`
 *   update       the rule
 *   average      with use_ema: a = q a + (1 - q) w, q = ema_momentum, at the first step 0; every
 *                ema_overwrite_frequency steps w = a (Polyak and Juditsky, 1992, Acceleration of
 *                Stochastic Approximation by Averaging)
 */
#ifndef SRN_OPTIM_OPTIM_H
#define SRN_OPTIM_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/dtype.h"

typedef enum srn_optim_kind {
    SRN_OPTIM_SGD,     /* slots: velocity if momentum > 0 */
    SRN_OPTIM_RMSPROP, /* slots: mean square; + momentum if momentum > 0; + mean gradient if centered */
    SRN_OPTIM_ADAM,          /* slots: m, v; + v_hat if amsgrad */
    SRN_OPTIM_NADAM,         /* slots: m, v */
    SRN_OPTIM_ADAGRAD,       /* slots: sum of squares */
    SRN_OPTIM_ADADELTA,      /* slots: mean square of gradients, of steps */
    SRN_OPTIM_ADAMAX,        /* slots: m, u */
    SRN_OPTIM_FTRL,          /* slots: sum of squares, z */
    SRN_OPTIM_LION,          /* slots: m */
    SRN_OPTIM_LAMB,          /* slots: m, v */
    SRN_OPTIM_ADAFACTOR,     /* slots: v, r, c; see adafactor.c for what is where in r and c */
    SRN_OPTIM_SCHEDULE_FREE, /* slots: z, which the caller makes a copy of the variable; v */
    SRN_N_OPTIM_KINDS
} srn_optim_kind;

typedef struct srn_optim_config {
    srn_optim_kind kind;
    double learning_rate, momentum, rho, beta_1, beta_2, epsilon, weight_decay; /* decay 0: none */
    bool nesterov, amsgrad, centered;
    double clipnorm, clipvalue, global_clipnorm; /* 0: none; one of them at most */
    double u_product; /* Nadam: product of u_1 .. u_{t-1}; srn_optim_step multiplies u_t in */
    double initial_accumulator; /* Adagrad, Ftrl: where the sum of squares starts */
    double learning_rate_power, l1, l2, l2_shrinkage, beta; /* Ftrl */
    double beta_2_decay, epsilon_2, clip_threshold; /* Adafactor; epsilon is its epsilon_1 */
    int64_t warmup_steps;                           /* schedule-free; 0: none */
    double loss_scale_factor;                       /* 0: none */
    int64_t accumulation_steps;                     /* 0: none */
    bool use_ema;
    double ema_momentum;
    int64_t ema_overwrite_frequency; /* 0: never */
} srn_optim_config;

#define SRN_OPTIM_MAX_RULE_SLOTS 3
#define SRN_OPTIM_MAX_SLOTS (SRN_OPTIM_MAX_RULE_SLOTS + 2)

/* The slots of the rule, then the average if use_ema, then the sum of gradients if accumulating. */
int srn_optim_slots(const srn_optim_config *config);
double srn_optim_slot_start(const srn_optim_config *config, int slot);

typedef struct srn_optim_target {
    int32_t n; /* variables */
    void *const *variables;
    const int64_t *begin;          /* n + 1 element offsets into gradient and slots */
    srn_dtype dtype;               /* of variables, gradient and slots: SRN_F32 or SRN_F64 */
    const int64_t (*last_axes)[2]; /* sizes of the last two axes; 0, 0 with fewer axes */
    const bool *undecayed;         /* variables without decay; NULL: none */
    const bool *idle; /* variables without gradient, which a step leaves alone; NULL: none */
} srn_optim_target;

/* Uses `gradient` up. t is the number of calls before this one, plus 1. */
void srn_optim_step(srn_optim_config *config, const srn_optim_target *target, void *gradient,
                    void *const *slots, int64_t t);

#endif
