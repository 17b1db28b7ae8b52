/* Stochastic gradient descent, with momentum (Polyak, 1964, Some methods of speeding up the
 * convergence of iteration methods) and Nesterov's form of it (Sutskever et al., 2013, On the
 * importance of initialization and momentum in deep learning), as Keras writes them:
 *
 *   mu = 0      w = w - lr g
 *   momentum    v = mu v - lr g,  w = w + v
 *   nesterov    v = mu v - lr g,  w = w + mu v - lr g
 *
 * The learning rate is inside v. Slots: v, when mu > 0.
 */
#include "optim/rules.h"

#define DEFINE_SGD(isa, target, T, S)                                                              \
    target static void plain_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {     \
        const T lr = (T)c->learning_rate, decay = (T)p->decay;                                     \
        T *restrict w = p->w;                                                                      \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            w[i] = (w[i] - decay * w[i]) - lr * g[i];                                              \
        }                                                                                          \
    }                                                                                              \
    target static void momentum_##S##_##isa(const srn_optim_config *c, const srn_optim_part *p) {  \
        const T lr = (T)c->learning_rate, mu = (T)c->momentum, decay = (T)p->decay;                \
        const bool nesterov = c->nesterov;                                                         \
        T *restrict w = p->w, *restrict v = p->slots[0];                                           \
        const T *restrict g = p->gradient;                                                         \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            v[i] = mu * v[i] - lr * g[i];                                                          \
            w[i] = (w[i] - decay * w[i]) + (nesterov ? mu * v[i] - lr * g[i] : v[i]);              \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_SGD(isa, target, float, f32)                                                            \
    DEFINE_SGD(isa, target, double, f64)
SRN_FOR_EACH_ISA(DEFINE)

typedef void (*loop)(const srn_optim_config *, const srn_optim_part *);
#define PLAIN(isa, target) {plain_f32_##isa, plain_f64_##isa},
#define MOMENTUM(isa, target) {momentum_f32_##isa, momentum_f64_##isa},
static const loop plain[][2] = {SRN_FOR_EACH_ISA(PLAIN)};
static const loop momentum[][2] = {SRN_FOR_EACH_ISA(MOMENTUM)};

void srn_optim_sgd(const srn_optim_config *config, const srn_optim_part *part) {
    const loop update =
        config->momentum > 0 ? SRN_FOR_ISA(momentum)[part->dtype] : SRN_FOR_ISA(plain)[part->dtype];
    update(config, part);
}
