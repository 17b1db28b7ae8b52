/* Adafactor (Shazeer and Stern, 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory
 * Cost), as Keras writes it, for each variable. b = 1 - t^beta_2_decay, e1 = epsilon, e2 = epsilon_2,
 * RMS(x) the root of the mean square of all elements:
 *
 *   a matrix, or each of the matrices in the last two axes (rows i, columns j):
 *     r_i = b r_i + (1 - b) mean_j(g_ij^2 + e1),   c_j = b c_j + (1 - b) mean_i(g_ij^2 + e1)
 *     v_ij = r_i c_j / mean(r)
 *   a vector or a number:
 *     v = b v + (1 - b) (g^2 + e1)
 *   u = g / sqrt(v);   g if v = 0, which it is where e1^2 is, and g: no 0 / 0
 *   w = w - alpha u / max(1, RMS(u) / clip_threshold)
 *                                       alpha = min(lr, 1 / sqrt(t)) max(e2, RMS(w))
 *
 * Slots: v; r and c, which fill the front of the variable's part: all r_i (all c_j) of the first
 * matrix, of the second, ... The rest of them is not used, as v is kept whole, like in Keras, whose
 * files have it. u takes the place of g.
 */
#include <math.h>

#include "optim/rules.h"

#define DEFINE_ADAFACTOR(isa, target, T, S, SQRT)                                                  \
    target static void matrix_##S##_##isa(T *restrict g, T *restrict v, T *restrict r,             \
                                          T *restrict c, int64_t rows, int64_t columns, T b,       \
                                          T eps) {                                                 \
        double mean = 0;                                                                           \
        for (int64_t j = 0; j < columns; j++) {                                                    \
            c[j] *= b;                                                                             \
        }                                                                                          \
        for (int64_t i = 0; i < rows; i++) {                                                       \
            double sum = 0;                                                                        \
            for (int64_t j = 0; j < columns; j++) {                                                \
                const T square = g[i * columns + j] * g[i * columns + j] + eps;                    \
                sum += (double)square;                                                             \
                c[j] += (1 - b) / (T)rows * square;                                                \
            }                                                                                      \
            r[i] = b * r[i] + (1 - b) * (T)(sum / (double)columns);                                \
            mean += (double)r[i] / (double)rows;                                                   \
        }                                                                                          \
        for (int64_t i = 0; i < rows; i++) {                                                       \
            const T share = r[i] / (T)mean;                                                        \
            for (int64_t j = 0; j < columns; j++) {                                                \
                const T moment = v[i * columns + j] = share * c[j];                                \
                g[i * columns + j] /= SQRT(moment > 0 ? moment : 1);                               \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    target static void adafactor_##S##_##isa(const srn_optim_part *p, double beta, double eps) {   \
        T *restrict g = p->gradient, *restrict v = p->slots[0];                                    \
        T *restrict r = p->slots[1], *restrict c = p->slots[2];                                    \
        const int64_t size = p->rows * p->columns;                                                 \
        for (int64_t i = 0, k = 0; size > 0 && i < p->n; i += size, k++) {                         \
            matrix_##S##_##isa(g + i, v + i, r + k * p->rows, c + k * p->columns, p->rows,         \
                               p->columns, (T)beta, (T)eps);                                       \
        }                                                                                          \
        for (int64_t i = 0; size == 0 && i < p->n; i++) {                                          \
            v[i] = (T)beta * v[i] + (1 - (T)beta) * (g[i] * g[i] + (T)eps);                        \
            g[i] /= SQRT(v[i] > 0 ? v[i] : 1);                                                     \
        }                                                                                          \
    }
#define DEFINE(isa, target)                                                                        \
    DEFINE_ADAFACTOR(isa, target, float, f32, sqrtf)                                               \
    DEFINE_ADAFACTOR(isa, target, double, f64, sqrt)
SRN_FOR_EACH_ISA(DEFINE)

#define ROW(isa, target) {adafactor_f32_##isa, adafactor_f64_##isa},
static void (*const loops[][2])(const srn_optim_part *, double, double) = {SRN_FOR_EACH_ISA(ROW)};

static double root_mean_square(const srn_optim_part *part, const void *x) {
    return sqrt(srn_optim_sum_of_squares(part->dtype, x, part->n) / (double)part->n);
}

void srn_optim_adafactor(const srn_optim_config *config, const srn_optim_part *part, int64_t t) {
    const double beta = 1 - pow((double)t, config->beta_2_decay);
    SRN_FOR_ISA(loops)[part->dtype](part, beta, config->epsilon);
    srn_optim_scale(part->dtype, part->w, part->n, 1 - part->decay);
    const double rate = fmin(config->learning_rate, 1 / sqrt((double)t));
    const double alpha = rate * fmax(config->epsilon_2, root_mean_square(part, part->w));
    const double u = root_mean_square(part, part->gradient) / config->clip_threshold;
    srn_optim_subtract(part->dtype, part->w, part->gradient, part->n, alpha / (u > 1 ? u : 1));
}
