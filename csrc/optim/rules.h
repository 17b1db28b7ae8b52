/* The update rules, one file each; called by optim.c for one variable at a time.
 *
 * A rule's loop is a template in its element type T, made for float and for double and for every
 * instruction set. Scalars are computed in double and rounded once. `decay` is learning rate times
 * weight decay, 0 for none: w -= decay w comes before the update.
 */
#ifndef SRN_OPTIM_RULES_H
#define SRN_OPTIM_RULES_H

#include "base/isa.h"
#include "optim/optim.h"

/* One variable with its gradient and slots, n elements each. */
typedef struct srn_optim_part {
    srn_dtype dtype;
    int64_t n, rows, columns; /* the last two axes; 0, 0 with fewer axes */
    void *w;
    void *gradient; /* a rule may overwrite it */
    void *slots[SRN_OPTIM_MAX_RULE_SLOTS];
    double decay;
} srn_optim_part;

void srn_optim_clip(const srn_optim_config *config, const srn_optim_target *target, void *gradient);

void srn_optim_sgd(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_rmsprop(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_adam(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
void srn_optim_nadam(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
double srn_optim_nadam_u(const srn_optim_config *config, int64_t t); /* u_t of nadam.c */
void srn_optim_adagrad(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_adadelta(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_adamax(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
void srn_optim_ftrl(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_lion(const srn_optim_config *config, const srn_optim_part *part);
void srn_optim_lamb(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
void srn_optim_adafactor(const srn_optim_config *config, const srn_optim_part *part, int64_t t);
void srn_optim_schedule_free(const srn_optim_config *config, const srn_optim_part *part, int64_t t);

/* ---- passes.c: passes over n elements ---- */
double srn_optim_sum_of_squares(srn_dtype dtype, const void *x, int64_t n);
void srn_optim_scale(srn_dtype dtype, void *x, int64_t n, double factor); /* x *= factor */
void srn_optim_subtract(srn_dtype dtype, void *x, const void *y, int64_t n, double factor);
/* sum += g; with k > 0 instead: g = (sum + g) / k, sum = 0. */
void srn_optim_accumulate(srn_dtype dtype, void *gradient, void *sum, int64_t n, int64_t k);
/* a = q a + (1 - q) w; then w = a if `overwrite`. */
void srn_optim_average(srn_dtype dtype, void *w, void *a, int64_t n, double q, bool overwrite);

#endif
