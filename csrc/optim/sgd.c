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

#define DEFINE_SGD(T, S)                                                                           \
    static void plain_##S(const srn_optim_part *p, T lr) {                                         \
        T *restrict w = p->w;                                                                      \
        const T *restrict g = p->gradient;                                                         \
        const T decay = (T)p->decay;                                                               \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            w[i] = (w[i] - decay * w[i]) - lr * g[i];                                              \
        }                                                                                          \
    }                                                                                              \
    static void momentum_##S(const srn_optim_part *p, T lr, T mu, bool nesterov) {                 \
        T *restrict w = p->w, *restrict v = p->slots[0];                                           \
        const T *restrict g = p->gradient;                                                         \
        const T decay = (T)p->decay;                                                               \
        for (int64_t i = 0; i < p->n; i++) {                                                       \
            v[i] = mu * v[i] - lr * g[i];                                                          \
            w[i] = (w[i] - decay * w[i]) + (nesterov ? mu * v[i] - lr * g[i] : v[i]);              \
        }                                                                                          \
    }                                                                                              \
    static void sgd_##S(const srn_optim_config *c, const srn_optim_part *p) {                      \
        if (c->momentum > 0) {                                                                     \
            momentum_##S(p, (T)c->learning_rate, (T)c->momentum, c->nesterov);                     \
        } else {                                                                                   \
            plain_##S(p, (T)c->learning_rate);                                                     \
        }                                                                                          \
    }
DEFINE_SGD(float, f32)
DEFINE_SGD(double, f64)

void srn_optim_sgd(const srn_optim_config *config, const srn_optim_part *part) {
    (part->dtype == SRN_F32 ? sgd_f32 : sgd_f64)(config, part);
}
