/* One step of an optimizer: see optim.h.
 *
 * Memory: none. Denormal numbers, into which m and v of an idle weight decay, are flushed to zero.
 */
#include "optim/optim.h"

#include "base/cpu.h"
#include "optim/rules.h"

static int rule_slots(const srn_optim_config *config) {
    switch (config->kind) {
    case SRN_OPTIM_SGD:
        return config->momentum > 0;
    case SRN_OPTIM_RMSPROP:
        return 1 + (config->momentum > 0) + config->centered;
    case SRN_OPTIM_ADAM:
        return 2 + config->amsgrad;
    case SRN_OPTIM_ADAGRAD:
    case SRN_OPTIM_LION:
        return 1;
    case SRN_OPTIM_ADAFACTOR:
        return 3;
    default:
        return 2;
    }
}

int srn_optim_slots(const srn_optim_config *config) {
    return rule_slots(config) + config->use_ema + (config->accumulation_steps > 0);
}

double srn_optim_slot_start(const srn_optim_config *config, int slot) {
    const bool sums = config->kind == SRN_OPTIM_ADAGRAD || config->kind == SRN_OPTIM_FTRL;
    return sums && slot == 0 ? config->initial_accumulator : 0;
}

static void update(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    switch (config->kind) {
    case SRN_OPTIM_SGD:
        srn_optim_sgd(config, part);
        break;
    case SRN_OPTIM_RMSPROP:
        srn_optim_rmsprop(config, part);
        break;
    case SRN_OPTIM_ADAM:
        srn_optim_adam(config, part, t);
        break;
    case SRN_OPTIM_NADAM:
        srn_optim_nadam(config, part, t);
        break;
    case SRN_OPTIM_ADAGRAD:
        srn_optim_adagrad(config, part);
        break;
    case SRN_OPTIM_ADADELTA:
        srn_optim_adadelta(config, part);
        break;
    case SRN_OPTIM_ADAMAX:
        srn_optim_adamax(config, part, t);
        break;
    case SRN_OPTIM_FTRL:
        srn_optim_ftrl(config, part);
        break;
    case SRN_OPTIM_LION:
        srn_optim_lion(config, part);
        break;
    case SRN_OPTIM_LAMB:
        srn_optim_lamb(config, part, t);
        break;
    case SRN_OPTIM_ADAFACTOR:
        srn_optim_adafactor(config, part, t);
        break;
    default:
        srn_optim_schedule_free(config, part, t);
    }
}

static void *at(const srn_optim_target *target, void *flat, int32_t variable) {
    return (char *)flat + target->begin[variable] * (int64_t)srn_dtype_size(target->dtype);
}

static void update_all(srn_optim_config *config, const srn_optim_target *target, void *gradient,
                       void *const *slots, int64_t t) {
    srn_optim_clip(config, target, gradient);
    for (int32_t i = 0; i < target->n; i++) {
        if (target->idle != NULL && target->idle[i]) {
            continue;
        }
        const bool undecayed = target->undecayed != NULL && target->undecayed[i];
        srn_optim_part part = {
            .dtype = target->dtype,
            .n = target->begin[i + 1] - target->begin[i],
            .w = target->variables[i],
            .gradient = at(target, gradient, i),
            .decay = undecayed ? 0 : config->learning_rate * config->weight_decay,
        };
        if (target->last_axes != NULL) {
            part.rows = target->last_axes[i][0];
            part.columns = target->last_axes[i][1];
        }
        for (int k = 0; k < rule_slots(config); k++) {
            part.slots[k] = at(target, slots[k], i);
        }
        update(config, &part, t);
    }
    if (config->kind == SRN_OPTIM_NADAM) {
        config->u_product *= srn_optim_nadam_u(config, t);
    }
}

static void average_all(const srn_optim_config *config, const srn_optim_target *target,
                        void *average, int64_t t) {
    const double q = t == 1 ? 0 : config->ema_momentum;
    const int64_t every = config->ema_overwrite_frequency;
    for (int32_t i = 0; i < target->n; i++) {
        srn_optim_average(target->dtype, target->variables[i], at(target, average, i),
                          target->begin[i + 1] - target->begin[i], q, every > 0 && t % every == 0);
    }
}

void srn_optim_step(srn_optim_config *config, const srn_optim_target *target, void *gradient,
                    void *const *slots, int64_t t) {
    const uint64_t fpu = srn_fpu_enter();
    const int64_t count = target->begin[target->n] - target->begin[0];
    const int64_t every = config->accumulation_steps > 0 ? config->accumulation_steps : 1;
    const bool updates = t % every == 0;
    void *g = at(target, gradient, 0);
    if (config->loss_scale_factor != 0) {
        srn_optim_scale(target->dtype, g, count, 1 / config->loss_scale_factor);
    }
    if (every > 1) {
        void *sum = slots[srn_optim_slots(config) - 1];
        srn_optim_accumulate(target->dtype, g, at(target, sum, 0), count, updates ? every : 0);
    }
    t = (t - 1) / every + 1;
    if (updates) {
        update_all(config, target, gradient, slots, t);
    }
    if (config->use_ema) {
        average_all(config, target, slots[rule_slots(config)], t);
    }
    srn_fpu_leave(fpu);
}
