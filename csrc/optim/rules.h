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
