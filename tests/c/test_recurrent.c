/* rnn, lstm and gru against plain loops in double, forward and backward.
 *
 * The graph is evaluated here node by node, so that the rows can be split in any way. Gradients of
 * loss = sum(wy * y) + sum(wh * hT) + sum(wc * cT) are compared with central differences of the
 * plain loop's loss. Shapes, masks, factors and words are drawn from a fixed sequence.
 */
#include <stdlib.h>

#include "autodiff/gradient.h"
#include "base/memory.h"
#include "graph/emit.h"
#include "kernels/gates.h"
#include "testing.h"

enum { RNN, LSTM, GRU_AFTER, GRU_BEFORE, N_KINDS };
static const int64_t n_gates_of[] = {1, 4, 3, 3};
enum { XZ, R, RB, H0, C0, WY, WH, WC, N_ARRAYS };
enum { NO_MASK, GAPS, LEFT_PADDED, RIGHT_PADDED, ALL_MASKED_ROW, N_MASKS };
enum { MAX_T = 9, MAX_B = 7, MAX_U = 21, MAX_N = MAX_T * MAX_B * MAX_U * 4 };

typedef struct problem {
    int kind, act, rec, mask_kind;
    int64_t times, batch, units, n_rmask;
    bool reverse, zero_output, bias;
    bool use_y, use_h, use_c; /* in the loss */
    double array[N_ARRAYS][MAX_N];
    double rmask[MAX_N];
    bool mask[MAX_T * MAX_B];
    double y[MAX_N], h[MAX_N], c[MAX_N]; /* what the plain loop gives: y, hT, cT */
} problem;

static uint64_t lcg = 42;

static uint64_t draw(uint64_t n) {
    lcg = lcg * 6364136223846793005u + 1442695040888963407u;
    return (lcg >> 33) % n;
}

static double uniform(void) {
    return (double)draw(1000001) / 500000 - 1;
}

/* ---- the plain loop ---- */

static double activation(int word, double x) {
    const double alpha = 1.67326324235437728481, scale = 1.05070098735548049342;
    switch (word) {
    case SRN_ACT_tanh:
        return tanh(x);
    case SRN_ACT_sigmoid:
        return 1 / (1 + exp(-x));
    case SRN_ACT_relu:
        return fmax(x, 0);
    case SRN_ACT_hard_sigmoid:
        return fmin(fmax(x / 6 + 0.5, 0), 1);
    case SRN_ACT_softsign:
        return x / (1 + fabs(x));
    case SRN_ACT_elu:
        return x > 0 ? x : exp(x) - 1;
    case SRN_ACT_exponential:
        return exp(x);
    case SRN_ACT_softplus:
        return log(1 + exp(x));
    case SRN_ACT_selu:
        return scale * (x > 0 ? x : alpha * (exp(x) - 1));
    case SRN_ACT_relu6:
        return fmin(fmax(x, 0), 6);
    case SRN_ACT_leaky_relu:
        return x < 0 ? 0.2 * x : x;
    default:
        return x;
    }
}

/* sum over k of h[k] * m[k] * R[k][column] */
static double product(const problem *p, int64_t b, const double *h, int64_t gate, int64_t column) {
    int64_t all = n_gates_of[p->kind] * p->units;
    double sum = 0;
    for (int64_t k = 0; k < p->units; k++) {
        int64_t which = p->n_rmask > 1 ? gate : 0;
        double m = p->n_rmask == 0 ? 1 : p->rmask[(which * p->batch + b) * p->units + k];
        sum += h[k] * m * p->array[R][k * all + gate * p->units + column];
    }
    return sum;
}

static double plain_gru(const problem *p, int64_t b, int64_t j, const double *x, const double *h) {
    int64_t u = p->units;
    const double *rb = p->array[RB];
    double z = activation(p->rec, x[j] + product(p, b, h, 0, j) + (p->bias ? rb[j] : 0));
    double hh;
    if (p->kind == GRU_AFTER) {
        double r =
            activation(p->rec, x[u + j] + product(p, b, h, 1, j) + (p->bias ? rb[u + j] : 0));
        double side = product(p, b, h, 2, j) + (p->bias ? rb[2 * u + j] : 0);
        hh = activation(p->act, x[2 * u + j] + r * side);
    } else {
        double reset[MAX_U];
        for (int64_t k = 0; k < u; k++) {
            reset[k] = h[k] * activation(p->rec, x[u + k] + product(p, b, h, 1, k));
        }
        hh = activation(p->act, x[2 * u + j] + product(p, b, reset, 2, j));
    }
    return z * h[j] + (1 - z) * hh;
}

static void plain_step(const problem *p, int64_t b, const double *x, double *h, double *c) {
    int64_t u = p->units;
    double h_new[MAX_U], c_new[MAX_U] = {0};
    for (int64_t j = 0; j < u; j++) {
        if (p->kind == RNN) {
            h_new[j] = activation(p->act, x[j] + product(p, b, h, 0, j));
        } else if (p->kind == LSTM) {
            double i = activation(p->rec, x[j] + product(p, b, h, 0, j));
            double f = activation(p->rec, x[u + j] + product(p, b, h, 1, j));
            double g = activation(p->act, x[2 * u + j] + product(p, b, h, 2, j));
            double o = activation(p->rec, x[3 * u + j] + product(p, b, h, 3, j));
            c_new[j] = f * c[j] + i * g;
            h_new[j] = o * activation(p->act, c_new[j]);
        } else {
            h_new[j] = plain_gru(p, b, j, x, h);
        }
    }
    memcpy(h, h_new, (size_t)u * sizeof *h);
    memcpy(c, c_new, (size_t)u * sizeof *c);
}

static double plain(problem *p) {
    int64_t u = p->units, all = n_gates_of[p->kind] * u;
    double loss = 0;
    for (int64_t b = 0; b < p->batch; b++) {
        double h[MAX_U], c[MAX_U], y[MAX_U] = {0};
        memcpy(h, p->array[H0] + b * u, sizeof h);
        memcpy(c, p->array[C0] + b * u, sizeof c);
        for (int64_t i = 0; i < p->times; i++) {
            int64_t t = p->reverse ? p->times - 1 - i : i, row = t * p->batch + b;
            if (p->mask_kind == NO_MASK || p->mask[row]) {
                plain_step(p, b, p->array[XZ] + row * all, h, c);
                memcpy(y, h, sizeof y);
            } else if (p->zero_output) {
                memset(y, 0, sizeof y);
            }
            for (int64_t j = 0; j < u; j++) {
                p->y[row * u + j] = y[j];
                loss += p->use_y ? y[j] * p->array[WY][row * u + j] : 0;
            }
        }
        for (int64_t j = 0; j < u; j++) {
            p->h[b * u + j] = h[j];
            p->c[b * u + j] = c[j];
            loss += p->use_h ? h[j] * p->array[WH][b * u + j] : 0;
            loss += p->use_c ? c[j] * p->array[WC][b * u + j] : 0;
        }
    }
    return loss;
}

/* ---- evaluating a graph node by node ---- */

typedef struct evaluation {
    const srn_graph *g;
    srn_view *views; /* one per value */
} evaluation;

static void execute(evaluation *e, const srn_node *node, const bool *read, int64_t split) {
    const srn_view *in[16], *out[SRN_MAX_OUT];
    srn_view unread[SRN_MAX_OUT];
    const srn_type *types[16];
    srn_type types_out[SRN_MAX_OUT];
    for (int32_t k = 0; k < node->n_in; k++) {
        in[k] = node->in[k] == SRN_NONE ? NULL : &e->views[node->in[k]];
        types[k] = in[k] == NULL ? NULL : &in[k]->type;
    }
    for (int32_t k = 0; k < node->n_out; k++) {
        unread[k] = e->views[node->out + k];
        unread[k].data = NULL;
        types_out[k] = unread[k].type;
        out[k] = node->n_out == 1 || read[node->out + k] ? &e->views[node->out + k] : &unread[k];
    }
    srn_infer infer = {node->n_in, types, node->attr, node->n_out, types_out};
    int64_t rows = node->op->rows == NULL ? 1 : node->op->rows(&infer);
    srn_run_state state = {0};
    /* Filled with NaN, so that what was not written shows. */
    size_t bytes = node->op->scratch == NULL ? 0 : node->op->scratch(&infer);
    void *scratch = srn_alloc(bytes, NULL);
    srn_exec x = {node->n_in, node->n_out, in, out, node->attr, scratch, &state};
    for (int64_t row = 0, step = split; row < rows; row += step, step++) {
        memset(scratch, 0xFF, bytes);
        node->op->exec(&x, row, row + step < rows ? row + step : rows);
    }
    srn_free(scratch);
}

/* inputs[i] is the data of input number i. */
static evaluation evaluate(const srn_graph *g, void *const *inputs, const bool *read,
                           int64_t split) {
    evaluation e = {g, srn_alloc_zero((size_t)g->n_values * sizeof(srn_view), NULL)};
    for (int32_t v = 0; v < g->n_values; v++) {
        const srn_node *node = srn_maker(g, v);
        e.views[v].type = g->values[v].type;
        size_t bytes = srn_type_bytes(&e.views[v].type);
        e.views[v].data = srn_alloc(bytes, NULL);
        memset(e.views[v].data, 0xFF, bytes);
        if (node->id == SRN_OP_input) {
            memcpy(e.views[v].data, inputs[node->attr[0].i], bytes);
        } else if (node->id == SRN_OP_constant) {
            memcpy(e.views[v].data, node->payload, bytes);
        }
    }
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const srn_node *node = &g->nodes[i];
        if (node->id == SRN_OP_input || node->id == SRN_OP_constant) {
            continue;
        }
        if (node->op->flags & SRN_FLAG_ALIAS) {
            memcpy(e.views[node->out].data, e.views[node->in[0]].data,
                   srn_type_bytes(&e.views[node->out].type));
        } else {
            execute(&e, node, read, split);
        }
    }
    return e;
}

static void evaluation_drop(evaluation *e) {
    for (int32_t v = 0; v < e->g->n_values; v++) {
        srn_free(e->views[v].data);
    }
    srn_free(e->views);
}

static double value_at(const srn_view *view, int64_t i) {
    return view->type.dtype == SRN_F32 ? (double)((const float *)view->data)[i]
                                       : ((const double *)view->data)[i];
}

/* ---- the fused op of a problem ---- */

typedef struct built {
    srn_graph *g;
    srn_val in[N_ARRAYS], rmask, mask;
    srn_val y, h, c, gradient[N_ARRAYS];
} built;

static srn_type type_of(const problem *p, int which, srn_dtype dtype) {
    int64_t t = p->times, b = p->batch, u = p->units, all = n_gates_of[p->kind] * u;
    srn_shape shapes[N_ARRAYS] = {
        [XZ] = {3, {t, b, all}}, [R] = {2, {u, all}},   [RB] = {1, {all}},  [H0] = {2, {b, u}},
        [C0] = {2, {b, u}},      [WY] = {3, {t, b, u}}, [WH] = {2, {b, u}}, [WC] = {2, {b, u}},
    };
    return (srn_type){dtype, shapes[which]};
}

static srn_val emit_op(const problem *p, built *f) {
    srn_attr attrs[] = {{.i = p->act}, {.i = p->rec}, {.i = p->reverse}, {.i = p->zero_output}};
    srn_attr rnn[] = {{.i = p->act}, {.i = p->reverse}, {.i = p->zero_output}};
    srn_attr gru[] = {{.i = p->act},
                      {.i = p->rec},
                      {.i = p->kind == GRU_AFTER},
                      {.i = p->reverse},
                      {.i = p->zero_output}};
    const srn_val *in = f->in;
    srn_val three[] = {in[XZ], in[R], in[H0], f->mask, f->rmask};
    srn_val four[] = {in[XZ], in[R], in[H0], in[C0], f->mask, f->rmask};
    srn_val biased[] = {in[XZ], in[R], p->bias ? in[RB] : SRN_NONE, in[H0], f->mask, f->rmask};
    switch (p->kind) {
    case RNN:
        return srn_emit(f->g, SRN_OP_rnn, 5, three, rnn);
    case LSTM:
        return srn_emit(f->g, SRN_OP_lstm, 6, four, attrs);
    default:
        return srn_emit(f->g, SRN_OP_gru, 6, biased, gru);
    }
}

static srn_val weighted(srn_graph *g, srn_val value, srn_val weight) {
    return srn_sum(g, srn_mul(g, value, weight), (srn_ints){0, NULL}, false);
}

static built build(const problem *p, srn_dtype dtype) {
    srn_error err = {0};
    built f = {.g = srn_graph_new(&err), .mask = SRN_NONE, .rmask = SRN_NONE};
    for (int k = 0; k < N_ARRAYS; k++) {
        f.in[k] = srn_emit_input(f.g, "x", type_of(p, k, dtype));
    }
    srn_type mask = {SRN_BOOL, {2, {p->times, p->batch}}};
    srn_type rmask = {dtype, {3, {p->n_rmask, p->batch, p->units}}};
    srn_val masks[] = {srn_emit_input(f.g, "mask", mask), srn_emit_input(f.g, "rmask", rmask)};
    f.mask = p->mask_kind == NO_MASK ? SRN_NONE : masks[0];
    f.rmask = p->n_rmask == 0 ? SRN_NONE : masks[1];
    f.y = emit_op(p, &f);
    f.h = f.y + 1;
    f.c = f.y + 2;
    srn_val loss = SRN_NONE;
    if (p->use_y) {
        loss = srn_add(f.g, loss, weighted(f.g, f.y, f.in[WY]));
    }
    if (p->use_h) {
        loss = srn_add(f.g, loss, weighted(f.g, f.h, f.in[WH]));
    }
    if (p->use_c) {
        loss = srn_add(f.g, loss, weighted(f.g, f.c, f.in[WC]));
    }
    CHECK(srn_gradient(f.g, 1, &loss, NULL, WY, f.in, f.gradient, &err));
    if (srn_failed(&err)) {
        fprintf(stderr, "%s\n", err.text);
    }
    return f;
}

/* Only what some node reads, or we do. */
static bool *readers(const built *f) {
    bool *read = srn_alloc_zero((size_t)f->g->n_values, NULL);
    for (int32_t i = 0; i < f->g->n_nodes; i++) {
        const srn_node *node = &f->g->nodes[i];
        for (int32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != SRN_NONE) {
                read[node->in[k]] = true;
            }
        }
    }
    for (int k = 0; k < WY; k++) {
        if (f->gradient[k] != SRN_NONE) {
            read[f->gradient[k]] = true;
        }
    }
    read[f->y] = read[f->h] = true;
    return read;
}

static evaluation run(const problem *p, const built *f, srn_dtype dtype, int64_t split) {
    static float narrow[N_ARRAYS + 1][MAX_N];
    void *inputs[N_ARRAYS + 2];
    for (int k = 0; k < N_ARRAYS + 1; k++) {
        const double *wide = k < N_ARRAYS ? p->array[k] : p->rmask;
        for (int i = 0; i < MAX_N; i++) {
            narrow[k][i] = (float)wide[i];
        }
        int at = k < N_ARRAYS ? k : N_ARRAYS + 1;
        inputs[at] = dtype == SRN_F32 ? (void *)narrow[k] : (void *)(uintptr_t)wide;
    }
    inputs[N_ARRAYS] = (void *)(uintptr_t)p->mask;
    bool *read = readers(f);
    evaluation e = evaluate(f->g, inputs, read, split);
    srn_free(read);
    return e;
}

/* ---- the checks ---- */

static void check_gradients(problem *p, const built *f, const evaluation *e) {
    const double step = 1e-5;
    for (int k = 0; k < WY; k++) {
        if (f->gradient[k] == SRN_NONE) {
            continue;
        }
        int64_t n = srn_shape_count(&e->views[f->gradient[k]].type.shape);
        for (int64_t i = 0; i < n; i += 1 + n / 40) { /* 40 of them, spread */
            double kept = p->array[k][i];
            p->array[k][i] = kept + step;
            double up = plain(p);
            p->array[k][i] = kept - step;
            double down = plain(p);
            p->array[k][i] = kept;
            CHECK_NEAR(value_at(&e->views[f->gradient[k]], i), (up - down) / (2 * step), 1e-6);
        }
    }
    plain(p);
}

static void check_values(const problem *p, const built *f, const evaluation *e, double tolerance) {
    int64_t n = p->batch * p->units;
    for (int64_t i = 0; i < p->times * n; i++) {
        CHECK_NEAR(value_at(&e->views[f->y], i), p->y[i], tolerance);
    }
    for (int64_t i = 0; i < n; i++) {
        CHECK_NEAR(value_at(&e->views[f->h], i), p->h[i], tolerance);
        if (p->use_c) {
            CHECK_NEAR(value_at(&e->views[f->c], i), p->c[i], tolerance);
        }
    }
}

static bool same_bits(const evaluation *a, const evaluation *b, srn_val v) {
    return v == SRN_NONE ||
           memcmp(a->views[v].data, b->views[v].data, srn_type_bytes(&a->views[v].type)) == 0;
}

static void check_problem(problem *p) {
    plain(p);
    built f = build(p, SRN_F64), f32 = build(p, SRN_F32);
    evaluation e = run(p, &f, SRN_F64, p->batch), e32 = run(p, &f32, SRN_F32, p->batch);
    evaluation split = run(p, &f32, SRN_F32, 1);
    check_values(p, &f, &e, 1e-12);
    check_values(p, &f32, &e32, 2e-5);
    check_gradients(p, &f, &e);
    CHECK(same_bits(&e32, &split, f32.y) && same_bits(&e32, &split, f32.h));
    for (int k = 0; k < WY; k++) {
        CHECK(same_bits(&e32, &split, f32.gradient[k]));
    }
    evaluation_drop(&e);
    evaluation_drop(&e32);
    evaluation_drop(&split);
    srn_graph_drop(f.g);
    srn_graph_drop(f32.g);
}

static void fill_mask(problem *p) {
    for (int64_t t = 0; t < p->times; t++) {
        for (int64_t b = 0; b < p->batch; b++) {
            bool valid[N_MASKS] = {
                [NO_MASK] = true,
                [GAPS] = draw(3) > 0,
                [LEFT_PADDED] = t >= b % (p->times + 1),
                [RIGHT_PADDED] = t < p->times - b % (p->times + 1),
                [ALL_MASKED_ROW] = b != p->batch / 2,
            };
            p->mask[t * p->batch + b] = valid[p->mask_kind];
        }
    }
}

/* With unbounded words a state grows from step to step; a small R keeps it in bounds. */
static void fill(problem *p) {
    bool bounded = p->act == SRN_ACT_tanh && p->rec == SRN_ACT_sigmoid;
    double scale = bounded ? 0.5 : 0.5 / (double)p->units;
    for (int k = 0; k < N_ARRAYS; k++) {
        for (int i = 0; i < MAX_N; i++) {
            p->array[k][i] = uniform() * (k == R ? scale : 1);
        }
    }
    for (int i = 0; i < MAX_N; i++) {
        p->rmask[i] = draw(4) > 0 ? 1 / 0.75 : 0;
    }
    fill_mask(p);
}

static void draw_problem(problem *p, int kind) {
    static const int64_t shapes[][3] = {
        {5, 3, 4}, {1, 1, 1}, {1, 4, 5}, {9, 1, 3}, {4, 7, 1}, {3, 2, 17}, {2, 5, 21}, {6, 6, 8},
    };
    const int64_t *shape = shapes[draw(8)];
    bool usual = draw(2) == 0;
    p->kind = kind;
    p->times = shape[0];
    p->batch = shape[1];
    p->units = shape[2];
    p->act = usual ? SRN_ACT_tanh : (int)draw(SRN_N_ACTIVATIONS);
    p->rec = usual ? SRN_ACT_sigmoid : (int)draw(SRN_N_ACTIVATIONS);
    p->mask_kind = (int)draw(N_MASKS);
    int64_t factors[] = {0, 1, n_gates_of[kind]};
    p->n_rmask = factors[draw(3)];
    p->reverse = draw(2);
    p->zero_output = draw(2);
    p->bias = kind == GRU_AFTER && draw(3) > 0;
    int use = (int)draw(4);
    p->use_y = use != 1;
    p->use_h = use == 1 || use == 2;
    p->use_c = kind == LSTM && use > 0;
    fill(p);
}

static void test_random_problems(void) {
    problem *p = srn_alloc_zero(sizeof *p, NULL);
    for (int i = 0; i < 100 * N_KINDS; i++) {
        draw_problem(p, i % N_KINDS);
        int before = test_failures;
        check_problem(p);
        if (test_failures > before) {
            fprintf(stderr,
                    "problem %d: kind %d (T %d, B %d, U %d) act %d rec %d mask %d rmask %d reverse "
                    "%d zero %d bias %d use %d%d%d\n",
                    i, p->kind, (int)p->times, (int)p->batch, (int)p->units, p->act, p->rec,
                    p->mask_kind, (int)p->n_rmask, p->reverse, p->zero_output, p->bias, p->use_y,
                    p->use_h, p->use_c);
        }
    }
    srn_free(p);
}

/* Every word in each role, beside a bounded one. */
static void test_words(void) {
    problem *p = srn_alloc_zero(sizeof *p, NULL);
    for (int word = 0; word < SRN_N_ACTIVATIONS; word++) {
        for (int i = 0; i < 2 * N_KINDS; i++) {
            draw_problem(p, i / 2);
            p->act = i % 2 ? SRN_ACT_softsign : word;
            p->rec = i % 2 ? word : SRN_ACT_hard_sigmoid;
            fill(p);
            check_problem(p);
        }
    }
    srn_free(p);
}

/* Widths that leave pieces of a vector, which up to eight rows share, and three rows besides. */
static void test_shared_vectors(void) {
    static const int64_t units[] = {1, 2, 4, 6, 8, 10, 12, 14, 18, 20};
    problem *p = srn_alloc_zero(sizeof *p, NULL);
    for (int i = 0; i < 10 * N_KINDS; i++) {
        draw_problem(p, i % N_KINDS);
        p->times = 3;
        p->batch = 11;
        p->units = units[i / N_KINDS];
        p->act = SRN_ACT_tanh;
        p->rec = SRN_ACT_sigmoid;
        fill(p);
        check_problem(p);
    }
    srn_free(p);
}

static void expect_error(srn_op_id id, int32_t n, const srn_type *types, const char *words) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[8];
    for (int32_t i = 0; i < n; i++) {
        in[i] = types[i].shape.rank < 0 ? SRN_NONE : srn_emit_input(g, "x", types[i]);
    }
    CHECK(srn_emit(g, id, n, in, NULL) == SRN_NONE);
    CHECK_SAYS(g->err, words);
    srn_graph_drop(g);
}

static void test_errors(void) {
    const srn_type xz = {SRN_F32, {3, {5, 2, 12}}}, r = {SRN_F32, {2, {3, 12}}};
    const srn_type s = {SRN_F32, {2, {2, 3}}}, none = {SRN_F32, {-1, {0}}};
    const srn_type flat = {SRN_F32, {2, {5, 12}}}, odd = {SRN_F32, {3, {5, 2, 13}}};
    const srn_type empty = {SRN_F32, {3, {0, 2, 12}}}, whole = {SRN_I32, {3, {5, 2, 12}}};
    const srn_type wide = {SRN_F64, {2, {3, 12}}}, turned = {SRN_F32, {2, {12, 3}}};
    const srn_type mask = {SRN_BOOL, {2, {2, 5}}}, floats = {SRN_F32, {2, {5, 2}}};
    const srn_type factors = {SRN_F32, {3, {2, 2, 3}}}, rb = {SRN_F32, {1, {9}}};
    expect_error(SRN_OP_lstm, 4, (srn_type[]){flat, r, s, s}, "(steps, batch, 4 * units)");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){odd, r, s, s}, "got (5, 2, 13)");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){empty, r, s, s}, "no time steps");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){whole, r, s, s}, "got int32");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){xz, wide, s, s}, "must be float32, got float64");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){xz, turned, s, s}, "shape (3, 12), got (12, 3)");
    expect_error(SRN_OP_lstm, 4, (srn_type[]){xz, r, s, none}, "initial state c is missing");
    expect_error(SRN_OP_lstm, 5, (srn_type[]){xz, r, s, s, mask}, "mask must have shape (5, 2)");
    expect_error(SRN_OP_lstm, 5, (srn_type[]){xz, r, s, s, floats}, "mask must be bool");
    expect_error(SRN_OP_lstm, 6, (srn_type[]){xz, r, s, s, none, factors}, "(4, 2, 3)");
    expect_error(SRN_OP_gru, 4, (srn_type[]){xz, r, rb, s}, "(4, 12), got (3, 12)");
    expect_error(SRN_OP_rnn, 3, (srn_type[]){xz, r, s}, "(12, 12), got (3, 12)");
}

int main(void) {
    test_random_problems();
    test_words();
    test_shared_vectors();
    test_errors();
    return test_summary("recurrent");
}
