/* Optimizers and clipping against plain loops in double, written from Keras' formulas. */
#include "optim/optim.h"
#include "values.h"

enum { N = 103, STEPS = 7 }; /* odd, so that vector tails are met */

static const int64_t begin[] = {0, 40, 40, 103}; /* the second variable is empty */

static double norm(const double *g, int64_t from, int64_t to) {
    double sum = 0;
    for (int64_t i = from; i < to; i++) {
        sum += g[i] * g[i];
    }
    return sqrt(sum);
}

static void clip(const srn_optim_config *c, double *g) {
    double all = norm(g, 0, N);
    for (int v = 0; v < 3; v++) {
        double own = norm(g, begin[v], begin[v + 1]);
        for (int64_t i = begin[v]; i < begin[v + 1]; i++) {
            if (c->clipvalue > 0) {
                g[i] = fmin(fmax(g[i], -c->clipvalue), c->clipvalue);
            }
            if (c->clipnorm > 0) {
                g[i] = g[i] * c->clipnorm / fmax(own, c->clipnorm);
            }
            if (c->global_clipnorm > 0) {
                g[i] *= c->global_clipnorm * fmin(1 / all, 1 / c->global_clipnorm);
            }
        }
    }
}

typedef struct truth { /* one weight */
    double w, m, v, h;
} truth;

/* Rules without a step number; false for the others. */
static bool plain_stepless(const srn_optim_config *c, truth *s, double g) {
    const double lr = c->learning_rate, b1 = c->beta_1, b2 = c->beta_2;
    if (c->kind == SRN_OPTIM_ADAGRAD) {
        s->v += g * g;
        s->w -= lr * g / sqrt(c->initial_accumulator + s->v + c->epsilon);
    } else if (c->kind == SRN_OPTIM_ADADELTA) {
        s->v = c->rho * s->v + (1 - c->rho) * g * g;
        double d = sqrt(s->m + c->epsilon) / sqrt(s->v + c->epsilon) * g;
        s->m = c->rho * s->m + (1 - c->rho) * d * d;
        s->w -= lr * d;
    } else if (c->kind == SRN_OPTIM_LION) {
        double x = b1 * s->m + (1 - b1) * g;
        s->w -= x == 0 ? 0 : copysign(lr, x);
        s->m = b2 * s->m + (1 - b2) * g;
    } else if (c->kind == SRN_OPTIM_FTRL) {
        double old = c->initial_accumulator + s->v, now = old + g * g;
        s->m += g + 2 * c->l2_shrinkage * s->w - (sqrt(now) - sqrt(old)) / lr * s->w;
        double sparse = fmin(fmax(s->m, -c->l1), c->l1) - s->m;
        s->w = sparse / ((sqrt(now) + c->beta) / lr + 2 * c->l2);
        s->v += g * g;
    } else {
        return false;
    }
    return true;
}

static void plain_step(const srn_optim_config *c, truth *s, double g, int t, double u_product) {
    const double lr = c->learning_rate, b1 = c->beta_1, b2 = c->beta_2;
    s->w -= s->w * c->weight_decay * lr;
    if (plain_stepless(c, s, g)) {
        return;
    }
    if (c->kind == SRN_OPTIM_ADAMAX) {
        s->m += (g - s->m) * (1 - b1);
        s->v = fmax(b2 * s->v, fabs(g));
        s->w -= lr / (1 - pow(b1, t)) * s->m / (s->v + c->epsilon);
    } else if (c->kind == SRN_OPTIM_SGD) {
        s->m = c->momentum * s->m - lr * g;
        s->w += c->nesterov ? c->momentum * s->m - lr * g : s->m;
    } else if (c->kind == SRN_OPTIM_RMSPROP) {
        s->v = c->rho * s->v + (1 - c->rho) * g * g;
        s->h = c->rho * s->h + (1 - c->rho) * g;
        double variance = s->v - (c->centered ? s->h * s->h : 0);
        s->m = c->momentum * s->m + lr * g / sqrt(variance + c->epsilon);
        s->w -= s->m;
    } else {
        s->m += (g - s->m) * (1 - b1);
        s->v += (g * g - s->v) * (1 - b2);
        s->h = fmax(s->h, s->v);
        if (c->kind == SRN_OPTIM_ADAM) {
            double alpha = lr * sqrt(1 - pow(b2, t)) / (1 - pow(b1, t));
            s->w -= s->m * alpha / (sqrt(c->amsgrad ? s->h : s->v) + c->epsilon);
        } else {
            double u = b1 * (1 - 0.5 * pow(0.96, t)), u2 = b1 * (1 - 0.5 * pow(0.96, t + 1));
            double now = u_product * u, next = now * u2;
            double m_hat = u2 * s->m / (1 - next) + (1 - u) * g / (1 - now);
            s->w -= lr * m_hat / (sqrt(s->v / (1 - pow(b2, t))) + c->epsilon);
        }
    }
}

typedef struct state {
    double wide[5][N]; /* w, gradient, three slots */
    float narrow[5][N];
} state;

static void step(state *s, srn_optim_config *c, srn_dtype dtype, int t) {
    void *rows[5];
    for (int k = 0; k < 5; k++) {
        rows[k] = dtype == SRN_F32 ? (void *)s->narrow[k] : (void *)s->wide[k];
    }
    const size_t size = srn_dtype_size(dtype);
    void *variables[3];
    for (int v = 0; v < 3; v++) {
        variables[v] = (char *)rows[0] + (size_t)begin[v] * size;
    }
    const srn_optim_target target = {.n = 3,
                                     .variables = variables,
                                     .begin = begin,
                                     .dtype = dtype};
    srn_optim_step(c, &target, rows[1], rows + 2, t);
}

static void check_rule(srn_optim_config config, int slots) {
    static state s;
    memset(&s, 0, sizeof s);
    truth want[N] = {0};
    CHECK(srn_optim_slots(&config) == slots);
    for (int i = 0; i < N; i++) {
        want[i].w = s.wide[0][i] = noise(i);
        s.narrow[0][i] = (float)noise(i);
    }
    for (int i = 0; i < N && slots > 0; i++) {
        s.wide[2][i] = srn_optim_slot_start(&config, 0);
        s.narrow[2][i] = (float)s.wide[2][i];
    }
    srn_optim_config c64 = config, c32 = config;
    double u_product = 1;
    for (int t = 1; t <= STEPS; t++) {
        double g[N];
        for (int i = 0; i < N; i++) {
            g[i] = s.wide[1][i] = 3 * noise(1000 * t + i);
            s.narrow[1][i] = (float)g[i];
        }
        clip(&config, g);
        for (int i = 0; i < N; i++) {
            plain_step(&config, &want[i], g[i], t, u_product);
        }
        step(&s, &c64, SRN_F64, t);
        step(&s, &c32, SRN_F32, t);
        u_product *= config.beta_1 * (1 - 0.5 * pow(0.96, t));
    }
    for (int i = 0; i < N; i++) {
        CHECK_NEAR(s.wide[0][i], want[i].w, 1e-13);
        CHECK_NEAR(s.narrow[0][i], want[i].w, 2e-6);
    }
    if (config.kind == SRN_OPTIM_NADAM) {
        CHECK_NEAR(c64.u_product, u_product, 1e-15);
    }
}

static void test_rules(void) {
    srn_optim_config c = {.learning_rate = 0.01,
                          .rho = 0.9,
                          .beta_1 = 0.9,
                          .beta_2 = 0.999,
                          .epsilon = 1e-7,
                          .u_product = 1};
    check_rule(c, 0);
    for (int decayed = 0; decayed < 2; decayed++) {
        c.weight_decay = decayed * 0.05;
        for (int option = 0; option < 4; option++) {
            srn_optim_config d = c;
            d.kind = SRN_OPTIM_SGD;
            d.momentum = option % 2 ? 0.9 : 0;
            d.nesterov = option / 2;
            if (option != 2) { /* nesterov without momentum is plain */
                check_rule(d, option % 2);
            }
            d.kind = SRN_OPTIM_RMSPROP;
            d.nesterov = false;
            d.centered = option / 2;
            check_rule(d, 1 + option % 2 + option / 2);
        }
        c.kind = SRN_OPTIM_ADAM;
        check_rule(c, 2);
        c.amsgrad = true;
        check_rule(c, 3);
        c.amsgrad = false;
        c.kind = SRN_OPTIM_NADAM;
        check_rule(c, 2);
        c.initial_accumulator = 0.1;
        c.learning_rate_power = -0.5;
        c.kind = SRN_OPTIM_ADAGRAD;
        check_rule(c, 1);
        c.kind = SRN_OPTIM_ADADELTA;
        check_rule(c, 2);
        c.kind = SRN_OPTIM_ADAMAX;
        check_rule(c, 2);
        c.kind = SRN_OPTIM_LION;
        check_rule(c, 1);
        c.kind = SRN_OPTIM_FTRL;
        check_rule(c, 2);
        c.l1 = c.l2 = c.l2_shrinkage = c.beta = 0.2;
        check_rule(c, 2);
        c.l1 = c.l2 = c.l2_shrinkage = c.beta = 0;
    }
}

static void test_clipped_rules(void) {
    srn_optim_config c = {.kind = SRN_OPTIM_ADAM,
                          .learning_rate = 0.01,
                          .beta_1 = 0.9,
                          .beta_2 = 0.999,
                          .epsilon = 1e-7,
                          .u_product = 1};
    static const double limits[] = {0.5, 5, 500};
    for (int i = 0; i < 3; i++) {
        srn_optim_config d = c;
        d.clipvalue = limits[i];
        check_rule(d, 2);
        d = c;
        d.clipnorm = limits[i];
        check_rule(d, 2);
        d = c;
        d.global_clipnorm = limits[i];
        check_rule(d, 2);
    }
}

/* Plain descent with rate 1 from 0 shows the clipped gradient itself. */
static void clipped(state *s, srn_optim_config c, double strange) {
    memset(s, 0, sizeof *s);
    c.learning_rate = 1;
    for (int i = 0; i < N; i++) {
        s->wide[1][i] = noise(i);
    }
    s->wide[1][1] = strange;
    step(s, &c, SRN_F64, 1);
}

static void test_strange_gradients(void) {
    static state s;
    clipped(&s, (srn_optim_config){.clipvalue = 0.1}, NAN);
    CHECK(isnan(s.wide[0][1]) && fabs(s.wide[0][0]) <= 0.1);
    clipped(&s, (srn_optim_config){.clipvalue = 0.1}, -INFINITY);
    CHECK_NEAR(s.wide[0][1], 0.1, 0);
    clipped(&s, (srn_optim_config){.clipnorm = 1}, NAN);
    CHECK(isnan(s.wide[0][0]) && isnan(s.wide[0][1]) && !isnan(s.wide[0][N - 1]));
    clipped(&s, (srn_optim_config){.clipnorm = 1}, INFINITY);
    CHECK(s.wide[0][0] == 0 && isnan(s.wide[0][1]) && s.wide[0][N - 1] != 0);
    clipped(&s, (srn_optim_config){.global_clipnorm = 1}, INFINITY);
    CHECK(isnan(s.wide[0][0]) && isnan(s.wide[0][1]) && isnan(s.wide[0][N - 1]));
    clipped(&s, (srn_optim_config){.global_clipnorm = 1}, NAN);
    CHECK(isnan(s.wide[0][0]) && isnan(s.wide[0][N - 1]));
}

/* Plain descent by 3, 5, 3, 5 in pairs, halved: w = -2, then -4, averaged to -2.5. */
static void test_around_the_rule(void) {
    static state s;
    memset(&s, 0, sizeof s);
    srn_optim_config c = {.learning_rate = 1,
                          .loss_scale_factor = 2,
                          .accumulation_steps = 2,
                          .use_ema = true,
                          .ema_momentum = 0.75,
                          .ema_overwrite_frequency = 2};
    static const double w[] = {0, -2, -2, -2.5}, sum[] = {1.5, 0, 1.5, 0};
    CHECK(srn_optim_slots(&c) == 2);
    for (int t = 1; t <= 4; t++) {
        for (int i = 0; i < N; i++) {
            s.wide[1][i] = s.narrow[1][i] = t % 2 ? 3 : 5;
        }
        step(&s, &c, SRN_F64, t);
        step(&s, &c, SRN_F32, t);
        for (int i = 0; i < N; i++) {
            CHECK(s.wide[0][i] == w[t - 1] && (double)s.narrow[0][i] == w[t - 1]);
            CHECK(s.wide[2][i] == w[t - 1] && (double)s.narrow[2][i] == w[t - 1]);
            CHECK(s.wide[3][i] == sum[t - 1] && (double)s.narrow[3][i] == sum[t - 1]);
        }
    }
}

static void test_left_alone(void) {
    double w[3] = {1, 1, 1}, g[3] = {1, 1, 1};
    void *const variables[] = {w, w + 1, w + 2};
    static const int64_t starts[] = {0, 1, 2, 3};
    static const bool undecayed[] = {false, true, false}, idle[] = {false, false, true};
    const srn_optim_target target = {.n = 3,
                                     .variables = variables,
                                     .begin = starts,
                                     .dtype = SRN_F64,
                                     .undecayed = undecayed,
                                     .idle = idle};
    srn_optim_config c = {.learning_rate = 0.5, .weight_decay = 0.5};
    srn_optim_step(&c, &target, g, NULL, 1);
    CHECK(w[0] == 0.25 && w[1] == 0.5 && w[2] == 1);
}

int main(void) {
    test_rules();
    test_clipped_rules();
    test_strange_gradients();
    test_around_the_rule();
    test_left_alone();
    return test_summary("optim");
}
