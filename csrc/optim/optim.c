/* One step of an optimizer: clip, then decay and update each variable; see optim.h.
 *
 * Memory: none. Denormal numbers, into which m and v of an idle weight decay, are flushed to zero.
 */
#include "optim/optim.h"

#include "base/cpu.h"
#include "optim/rules.h"

int srn_optim_slots(const srn_optim_config *config) {
    switch (config->kind) {
    case SRN_OPTIM_SGD:
        return config->momentum > 0;
    case SRN_OPTIM_RMSPROP:
        return 1 + (config->momentum > 0) + config->centered;
    case SRN_OPTIM_ADAM:
        return 2 + config->amsgrad;
    default:
        return 2;
    }
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
    default:
        srn_optim_nadam(config, part, t);
    }
}

void srn_optim_step(srn_optim_config *config, const srn_optim_target *target, void *gradient,
                    void *const *slots, int64_t t) {
    const uint64_t fpu = srn_fpu_enter();
    const int64_t size = (int64_t)srn_dtype_size(target->dtype);
    const int n_slots = srn_optim_slots(config);
    srn_optim_clip(config, target, gradient);
    for (int32_t i = 0; i < target->n; i++) {
        const int64_t begin = target->begin[i];
        srn_optim_part part = {
            .dtype = target->dtype,
            .n = target->begin[i + 1] - begin,
            .w = target->variables[i],
            .gradient = (const char *)gradient + begin * size,
            .decay = config->learning_rate * config->weight_decay,
        };
        for (int k = 0; k < n_slots; k++) {
            part.slots[k] = (char *)slots[k] + begin * size;
        }
        update(config, &part, t);
    }
    if (config->kind == SRN_OPTIM_NADAM) {
        config->u_product *= srn_optim_nadam_u(config, t);
    }
    srn_fpu_leave(fpu);
}
