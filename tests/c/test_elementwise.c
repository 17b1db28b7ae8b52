/* Elementwise ops, reductions, cumsum, softmax and random numbers: values for every broadcast, set of
 * axes and partition, gradients against central differences, errors. */
#include "values.h"

#include "graphs.h"

typedef struct call { /* one application of an op */
    const srn_op *op;
    srn_attr attr[4];
    srn_view in[3], out;
} call;

static bool infer(call *c, int32_t n_in, srn_error *err) {
    const srn_type *types[] = {&c->in[0].type, &c->in[1].type, &c->in[2].type};
    c->out.type = (srn_type){0};
    srn_infer x = {.n_in = n_in, .in = types, .attr = c->attr, .n_out = 1, .out = &c->out.type};
    return c->op->infer(&x, err);
}

/* In blocks of `block` rows; 0: all at once. */
static void run(call *c, int32_t n_in, int64_t block) {
    static const srn_run_state state = {.seed = 1, .step = 2};
    const srn_type *types[] = {&c->in[0].type, &c->in[1].type, &c->in[2].type};
    srn_infer shapes = {
        .n_in = n_in, .in = types, .attr = c->attr, .n_out = 1, .out = &c->out.type};
    const srn_view *in[] = {&c->in[0], &c->in[1], &c->in[2]}, *out[] = {&c->out};
    srn_exec x = {.n_in = n_in, .n_out = 1, .in = in, .out = out, .attr = c->attr, .state = &state};
    int64_t rows = c->op->rows(&shapes);
    block = block == 0 ? rows : block;
    for (int64_t row = 0; row < rows; row += block) {
        c->op->exec(&x, row, row + block < rows ? row + block : rows);
    }
}

static srn_type type_of(srn_dtype dtype, int32_t rank, const int64_t *dims) {
    return (srn_type){dtype, srn_shape_of(rank, dims)};
}

static int64_t index_in(const srn_shape *shape, const srn_shape *out, int64_t flat) {
    int64_t strides[SRN_MAX_RANK], index = 0;
    srn_shape_strides(strides, shape, out);
    for (int32_t i = out->rank - 1; i >= 0; i--) {
        index += flat % out->dim[i] * strides[i];
        flat /= out->dim[i];
    }
    return index;
}

static void test_broadcast(void) {
    static const int64_t shapes[][4] = {{3, 4, 5, 2}, {1, 1, 1, 2}, {3, 1, 5, 2}, {1, 4, 1, 1},
                                        {3, 4, 5, 1}, {1, 1, 1, 1}, {3, 1, 1, 2}, {1, 4, 5, 1}};
    static cell data[3][120], got[120], again[120];
    static bool condition[120];
    for (int i = 0; i < 360; i++) {
        data[i / 120][i % 120] = noise(i);
        condition[i % 120] = noise(i) > 0;
    }
    for (int pair = 0; pair < 64; pair++) {
        call c = {.op = &srn_op_sub, .out = {.data = got}};
        c.in[0] = (srn_view){type_of(SRN_F64, 4, shapes[pair / 8]), data[0]};
        c.in[1] = (srn_view){type_of(SRN_F64, 4, shapes[pair % 8]), data[1]};
        srn_error err = {0};
        CHECK(infer(&c, 2, &err));
        run(&c, 2, 0);
        const srn_shape *out = &c.out.type.shape;
        const int64_t n = srn_shape_count(out);
        for (int64_t i = 0; i < n; i++) {
            double a = data[0][index_in(&c.in[0].type.shape, out, i)];
            CHECK(got[i] == a - data[1][index_in(&c.in[1].type.shape, out, i)]);
        }
        c.out.data = again;
        run(&c, 2, 7);
        CHECK(memcmp(got, again, (size_t)n * sizeof *got) == 0);

        call w = {.op = &srn_op_where, .out = {.data = got}};
        w.in[0] = (srn_view){type_of(SRN_BOOL, 4, shapes[(pair + pair / 8) % 8]), condition};
        w.in[1] = c.in[0];
        w.in[2] = c.in[1];
        CHECK(infer(&w, 3, &err));
        run(&w, 3, 11);
        out = &w.out.type.shape;
        for (int64_t i = 0; i < srn_shape_count(out); i++) {
            bool first = condition[index_in(&w.in[0].type.shape, out, i)];
            const srn_view *from = &w.in[first ? 1 : 2];
            CHECK(got[i] == ((cell *)from->data)[index_in(&from->type.shape, out, i)]);
        }
    }
}

/* More rows than a tile holds, of widths that are written out into tiles and one that is not. */
static void test_broadcast_rows(void) {
    enum { ROWS = 390, MOST = ROWS * 300 };
    static cell data[2][MOST], got[MOST], again[MOST];
    static const int64_t widths[] = {2, 41, 256, 300};
    for (int k = 0; k < 4 * 16 * 2; k++) {
        const srn_dtype dtype = k % 2 ? SRN_F32 : SRN_I64;
        const int64_t width = widths[k / 2 % 4];
        call c = {.op = &srn_op_sub, .out = {.data = got}};
        for (int i = 0; i < 2; i++) {
            const int set = k / 8 >> (2 * i) & 3; /* which axes are repeated */
            const int64_t dims[] = {3, set & 1 ? 1 : 130, set & 2 ? 1 : width};
            c.in[i] = (srn_view){type_of(dtype, 3, dims), data[i]};
            for (int64_t j = 0; j < srn_shape_count(&c.in[i].type.shape); j++) {
                put(dtype, data[i], j, 1000 * noise(j + i * MOST));
            }
        }
        srn_error err = {0};
        CHECK(infer(&c, 2, &err));
        run(&c, 2, 0);
        const srn_shape *out = &c.out.type.shape;
        bool right = true;
        for (int64_t i = 0; i < srn_shape_count(out); i++) {
            const double a = at(dtype, data[0], index_in(&c.in[0].type.shape, out, i));
            const double b = at(dtype, data[1], index_in(&c.in[1].type.shape, out, i));
            right =
                right && at(dtype, got, i) == (dtype == SRN_F32 ? (double)(float)(a - b) : a - b);
        }
        CHECK(right);
        c.out.data = again;
        run(&c, 2, 997);
        CHECK(memcmp(got, again, srn_type_bytes(&c.out.type)) == 0);
    }
}

/* Every set of axes of a shape of rank 4, in every dtype. */
static void test_reduce(void) {
    static const int64_t dims[2][4] = {{3, 4, 5, 2}, {2, 1, 3, 70}};
    static cell data[420], got[420], again[420];
    for (int k = 0; k < 40; k++) {
        const srn_op *ops[] = {&srn_op_sum, &srn_op_prod, &srn_op_max, &srn_op_min};
        const srn_dtype dtype = (srn_dtype)(k / 8);
        const int f = k % 4;
        call c = {.op = ops[f], .out = {.data = got}};
        c.in[0] = (srn_view){type_of(dtype, 4, dims[k / 4 % 2]), data};
        const int64_t n = srn_shape_count(&c.in[0].type.shape);
        for (int i = 0; i < n; i++) {
            put(dtype, data, i, srn_dtype_is_float(dtype) ? 1.2 + noise(i) : 3 * noise(i));
        }
        for (int set = 0; set < 16 && !(dtype == SRN_BOOL && f < 2); set++) {
            int64_t axes[4], kept[4];
            c.attr[0].ints = (srn_ints){0, axes};
            for (int i = 0; i < 4; i++) {
                if (set >> i & 1) {
                    axes[c.attr[0].ints.n++] = i % 2 ? i : i - 4;
                }
                kept[i] = set == 0 || set >> i & 1 ? 1 : c.in[0].type.shape.dim[i];
            }
            c.attr[1].i = 1;
            srn_error err = {0};
            CHECK(infer(&c, 1, &err));
            srn_shape want = srn_shape_of(4, kept);
            CHECK(srn_shape_equal(&c.out.type.shape, &want) && c.out.type.dtype == dtype);
            run(&c, 1, 0);
            int64_t strides[4];
            double truth[420];
            srn_shape_strides(strides, &want, &c.in[0].type.shape);
            for (int64_t i = 0; i < srn_shape_count(&want); i++) {
                truth[i] = f == 0 ? 0 : f == 1 ? 1 : f == 2 ? -1e9 : 1e9;
            }
            for (int64_t i = 0; i < n; i++) {
                double *m = &truth[index_in(&want, &c.in[0].type.shape, i)];
                const double x = at(dtype, data, i);
                *m = f == 0 ? *m + x : f == 1 ? *m * x : f == 2 ? fmax(*m, x) : fmin(*m, x);
            }
            for (int64_t i = 0; i < srn_shape_count(&want); i++) {
                CHECK_NEAR(at(dtype, got, i), truth[i], dtype == SRN_F32 ? 1e-6 : 1e-14);
            }
            c.out.data = again;
            run(&c, 1, 3);
            c.out.data = got;
            CHECK(memcmp(got, again, srn_type_bytes(&c.out.type)) == 0);
        }
    }
}

static void test_axis_ops(void) {
    static const int64_t dims[] = {3, 4, 5};
    static cell data[60], got[60], again[60];
    for (srn_dtype dtype = SRN_F32; dtype < SRN_BOOL; dtype++) {
        for (int i = 0; i < 60; i++) {
            put(dtype, data, i, 3 * noise(i));
        }
        for (int axis = 0; axis < 3; axis++) {
            const int64_t n = dims[axis], inner = axis == 0 ? 20 : axis == 1 ? 5 : 1;
            srn_error err = {0};
            call c = {.op = &srn_op_cumsum, .out = {.data = got}};
            c.in[0] = (srn_view){type_of(dtype, 3, dims), data};
            c.attr[0].i = axis - 3;
            for (int reverse = 0; reverse < 2; reverse++) {
                c.attr[1].i = reverse;
                CHECK(infer(&c, 1, &err));
                run(&c, 1, 0);
                for (int i = 0; i < 60; i++) {
                    double sum = 0;
                    const int64_t place = i / inner % n;
                    for (int64_t k = reverse ? place : 0; k < (reverse ? n : place + 1); k++) {
                        sum += at(dtype, data, i + (k - place) * inner);
                    }
                    CHECK_NEAR(at(dtype, got, i), sum, dtype == SRN_F32 ? 1e-6 : 1e-15);
                }
                c.out.data = again;
                run(&c, 1, 3);
                c.out.data = got;
                CHECK(memcmp(got, again, srn_type_bytes(&c.out.type)) == 0);
            }
            for (int least = 0; least < 2; least++) {
                c.op = least ? &srn_op_argmin : &srn_op_argmax;
                CHECK(infer(&c, 1, &err) && c.out.type.dtype == SRN_I64);
                run(&c, 1, 4);
                for (int64_t row = 0; row < 60 / n; row++) {
                    const int64_t first = row / inner * n * inner + row % inner;
                    int64_t best = 0;
                    for (int64_t k = 1; k < n; k++) {
                        double now = at(dtype, data, first + k * inner);
                        double then = at(dtype, data, first + best * inner);
                        best = (least ? now < then : now > then) ? k : best;
                    }
                    CHECK(at(SRN_I64, got, row) == (double)best);
                }
            }
        }
    }
    float with_nan[] = {1, 5, NAN, 7, NAN};
    int64_t five = 5, place = -1;
    call c = {.op = &srn_op_argmax, .attr = {{.i = 0}}, .out = {.data = &place}};
    c.in[0] = (srn_view){type_of(SRN_F32, 1, &five), with_nan};
    srn_error err = {0};
    CHECK(infer(&c, 1, &err));
    run(&c, 1, 0);
    CHECK(place == 2);
}

/* Dropped is where the uniform number of the same element is below the rate. */
static void test_mask_is_uniform(void) {
    static const double rates[] = {0, 1e-9, 0.2, 0.5, 0.999, 1};
    static const int64_t n = 3000;
    static cell uniform[3000], mask[3000];
    for (int k = 0; k < 6; k++) {
        call u = {.op = &srn_op_random_uniform, .out = {.data = uniform}};
        call m = {.op = &srn_op_dropout_mask, .out = {.data = mask}};
        u.attr[0].ints = m.attr[0].ints = (srn_ints){1, &n};
        u.attr[2].i = m.attr[3].i = 5;
        m.attr[2].f = rates[k];
        srn_error err = {0};
        CHECK(infer(&u, 0, &err) && infer(&m, 0, &err));
        run(&u, 0, 0);
        run(&m, 0, 0);
        bool right = true;
        for (int64_t i = 0; i < n; i++) {
            right = right && (at(SRN_F32, uniform, i) < rates[k]) == (at(SRN_F32, mask, i) == 0);
        }
        CHECK(right);
    }
}

static void test_random(void) {
    const srn_op *ops[] = {&srn_op_random_uniform, &srn_op_random_normal, &srn_op_dropout_mask};
    static const int64_t dims[] = {10, 300};
    static cell got[3000], again[3000], other[3000];
    for (srn_dtype dtype = SRN_F32; dtype <= SRN_F64; dtype++) {
        for (int k = 0; k < 3; k++) {
            const int seed = k == 2 ? 3 : 2;
            call c = {.op = ops[k], .out = {.data = got}};
            c.attr[0].ints = (srn_ints){2, dims};
            c.attr[1].i = dtype;
            c.attr[2].f = k == 2 ? 0.25 : 0;
            c.attr[seed].i = 5;
            srn_error err = {0};
            CHECK(infer(&c, 0, &err) && srn_shape_count(&c.out.type.shape) == 3000);
            run(&c, 0, 0);
            c.out.data = again;
            run(&c, 0, 37);
            CHECK(memcmp(got, again, srn_type_bytes(&c.out.type)) == 0);
            c.attr[seed].i = 6;
            c.out.data = other;
            run(&c, 0, 0);
            CHECK(memcmp(got, other, srn_type_bytes(&c.out.type)) != 0);
        }
        int dropped = 0;
        for (int i = 0; i < 3000; i++) {
            double x = at(dtype, got, i);
            dropped += x == 0;
            CHECK(x == 0 || x == (dtype == SRN_F32 ? (double)(4 / 3.0f) : 4 / 3.0));
        }
        CHECK(abs(dropped - 750) < 5 * 24); /* five deviations */
    }
    test_mask_is_uniform();
    call all = {.op = &srn_op_dropout_mask, .out = {.data = got}};
    all.attr[0].ints = (srn_ints){2, dims};
    all.attr[2].f = 1;
    srn_error err = {0};
    CHECK(infer(&all, 0, &err));
    run(&all, 0, 0);
    CHECK(at(SRN_F32, got, 0) == 0 && at(SRN_F32, got, 2999) == 0);
}

/* ---- gradients ---- */

/* A graph of two float64 inputs, its scalar sum(weights * y), and the gradients by both. */
typedef struct slope {
    srn_graph *g;
    srn_val a, b, y;
    runner run;
} slope;

static void slope_begin(slope *s, srn_type a, srn_type b) {
    srn_error err = {0};
    s->g = srn_graph_new(&err);
    s->a = srn_emit_input(s->g, "a", a);
    s->b = srn_emit_input(s->g, "b", b);
}

/* `weighted`: each element of y counts differently; else all count 1. Values in order: the sum, da,
 * and db unless y does not depend on b. */
static void slope_compile(slope *s, bool weighted) {
    srn_error err = {0};
    const srn_val wrt[] = {s->a, s->b};
    srn_val sum = weighted ? weigh(s->g, s->y, 9) : srn_sum(s->g, s->y, (srn_ints){0, NULL}, false);
    srn_val results[3] = {sum, SRN_NONE, SRN_NONE};
    CHECK(srn_gradient(s->g, 1, results, NULL, 2, wrt, results + 1, &err));
    CHECK(runner_start(&s->run, s->g, results[2] == SRN_NONE ? 2 : 3, results, &err));
    CHECK(!srn_failed(&err) && !srn_failed(&s->g->err));
}

static void slope_end(slope *s) {
    runner_stop(&s->run);
    srn_graph_drop(s->g);
}

static void slope_check(slope *s) {
    static const int32_t numbers[] = {0, 1};
    slope_compile(s, true);
    check_gradients(&s->run, s->run.plan->n_outputs - 1, numbers);
    slope_end(s);
}

static void test_unary_gradients(void) {
    static const srn_op_id anywhere[] = {SRN_OP_neg,        SRN_OP_abs,     SRN_OP_sign,
                                         SRN_OP_square,     SRN_OP_exp,     SRN_OP_expm1,
                                         SRN_OP_sin,        SRN_OP_cos,     SRN_OP_tanh,
                                         SRN_OP_sigmoid,    SRN_OP_relu,    SRN_OP_erf,
                                         SRN_OP_floor,      SRN_OP_softmax, SRN_OP_log_softmax,
                                         SRN_OP_cumsum,     SRN_OP_sqrt,    SRN_OP_rsqrt,
                                         SRN_OP_reciprocal, SRN_OP_log,     SRN_OP_log1p,
                                         SRN_OP_atan,       SRN_OP_sinh,    SRN_OP_cosh,
                                         SRN_OP_asinh,      SRN_OP_cbrt};
    for (size_t i = 0; i < sizeof anywhere / sizeof *anywhere; i++) {
        slope s;
        slope_begin(&s, f64_type(2, 3, 7, 0), f64_type(1, 2, 0, 0));
        bool positive = anywhere[i] == SRN_OP_sqrt || anywhere[i] == SRN_OP_rsqrt ||
                        anywhere[i] == SRN_OP_reciprocal || anywhere[i] == SRN_OP_log;
        srn_val x = positive ? srn_shift(s.g, s.a, 1.5) : s.a;
        /* The second term keeps a gradient where the op has none. */
        s.y = srn_add(s.g, srn_emit1(s.g, anywhere[i], x), srn_square(s.g, s.a));
        slope_check(&s);
    }
}

static void test_binary_gradients(void) {
    static const srn_op_id ops[] = {SRN_OP_add, SRN_OP_sub,     SRN_OP_mul,     SRN_OP_div,
                                    SRN_OP_pow, SRN_OP_maximum, SRN_OP_minimum, SRN_OP_mod};
    const srn_type shapes[] = {f64_type(3, 2, 3, 4), f64_type(1, 4, 0, 0), f64_type(0, 0, 0, 0),
                               f64_type(3, 2, 1, 4), f64_type(2, 3, 1, 0)};
    for (int k = 0; k < 8 * 25; k++) {
        slope s;
        slope_begin(&s, shapes[k / 5 % 5], shapes[k % 5]);
        bool apart = ops[k / 25] == SRN_OP_mod || ops[k / 25] == SRN_OP_pow;
        srn_val a = apart ? srn_shift(s.g, s.a, 2.3) : s.a;
        srn_val b = apart || ops[k / 25] == SRN_OP_div ? srn_shift(s.g, s.b, 1.7) : s.b;
        s.y = srn_emit2(s.g, ops[k / 25], a, b);
        slope_check(&s);
        slope_begin(&s, shapes[k / 5 % 5], shapes[k % 5]);
        srn_val condition = srn_emit2(s.g, SRN_OP_less, s.b, srn_scale(s.g, s.a, 0.5));
        s.y = srn_where(s.g, condition, srn_square(s.g, s.a), s.b);
        slope_check(&s);
    }
}

static void test_reduce_gradients(void) {
    static const srn_op_id ops[] = {SRN_OP_sum, SRN_OP_prod, SRN_OP_max, SRN_OP_min};
    for (int k = 0; k < 4 * 16; k++) {
        slope s;
        slope_begin(&s, f64_type(3, 2, 3, 4), f64_type(1, 2, 0, 0));
        int64_t axes[3];
        srn_attr attrs[] = {{.ints = {0, axes}}, {.i = k / 8 % 2}};
        for (int i = 0; i < 3; i++) {
            if (k >> i & 1) {
                axes[attrs[0].ints.n++] = i;
            }
        }
        s.y = srn_emit(s.g, ops[k / 16], 1, &s.a, attrs);
        slope_compile(&s, true);
        double *x = srn_workspace_input(s.run.ws, 0);
        x[5] = x[14] = x[15] = 0; /* one or two zeros in the products */
        x[14] = ops[k / 16] == SRN_OP_prod ? 0 : x[14] + 0.01; /* no tie for max and min */
        check_gradients(&s.run, 1, (int32_t[]){0});
        slope_end(&s);
    }
}

/* Where a slope is a matter of convention: y from a and b, the gradients wanted. */
static void at_point(srn_op_id op, double a, double b, double da, double db) {
    slope s;
    slope_begin(&s, f64_type(0, 0, 0, 0), f64_type(0, 0, 0, 0));
    bool two = srn_ops[op]->max_in == 2;
    s.y = two ? srn_emit2(s.g, op, s.a, s.b) : srn_emit1(s.g, op, s.a);
    slope_compile(&s, false);
    *(double *)srn_workspace_input(s.run.ws, 0) = a;
    if (two) {
        *(double *)srn_workspace_input(s.run.ws, 1) = b;
    }
    srn_run(s.run.ws, 0, 0);
    CHECK_NEAR(*runner_output(&s.run, 1), da, 1e-15);
    if (two) {
        CHECK_NEAR(*runner_output(&s.run, 2), db, 1e-15);
    }
    slope_end(&s);
}

static void test_conventions(void) {
    at_point(SRN_OP_abs, 0, 0, 0, 0);
    at_point(SRN_OP_relu, 0, 0, 0, 0);
    at_point(SRN_OP_sqrt, 0, 0, INFINITY, 0);
    at_point(SRN_OP_maximum, 2, 2, 0.5, 0.5);
    at_point(SRN_OP_minimum, 2, 2, 0.5, 0.5);
    at_point(SRN_OP_maximum, 2, 3, 0, 1);
    at_point(SRN_OP_pow, 0, 2, 0, 0);
    at_point(SRN_OP_pow, 0, 1, 1, 0);
    at_point(SRN_OP_pow, 0, 0, 0, 0);
    at_point(SRN_OP_pow, -2, 3, 12, 0);
    at_point(SRN_OP_pow, 2, 0, 0, log(2));

    slope s; /* a tie of three shares */
    slope_begin(&s, f64_type(1, 5, 0, 0), f64_type(0, 0, 0, 0));
    s.y = srn_emit1(s.g, SRN_OP_max, s.a);
    slope_compile(&s, false);
    static const double x[] = {3, 1, 3, 0, 3}, want[] = {1, 0, 1, 0, 1};
    memcpy(srn_workspace_input(s.run.ws, 0), x, sizeof x);
    srn_run(s.run.ws, 0, 0);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(runner_output(&s.run, 1)[i], want[i] / 3, 1e-15);
    }
    slope_end(&s);

    slope_begin(&s, f64_type(1, 5, 0, 0), f64_type(0, 0, 0, 0)); /* x stopped(x): only one factor */
    s.y = srn_mul(s.g, s.a, srn_emit1(s.g, SRN_OP_stop_gradient, s.a));
    s.y = srn_cast(s.g, srn_cast(s.g, s.y, SRN_F32), SRN_F64);
    slope_compile(&s, false);
    memcpy(srn_workspace_input(s.run.ws, 0), x, sizeof x);
    srn_run(s.run.ws, 0, 0);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(runner_output(&s.run, 1)[i], x[i], 1e-15);
    }
    slope_end(&s);
}

/* ---- errors ---- */

static void refuse(const srn_op *op, srn_attr attr, srn_status status, const char *words,
                   int32_t n_in, srn_type a, srn_type b) {
    srn_error err = {0};
    call c = {.op = op, .attr = {attr}, .in = {{.type = a}, {.type = b}, {.type = b}}};
    CHECK(!infer(&c, n_in, &err));
    CHECK(err.status == status);
    CHECK_SAYS(err, words);
}

static void test_errors(void) {
    static const int64_t dims[] = {2, 3}, other[] = {2, 4}, none[] = {2, 0}, twice[] = {1, -1},
                         far = 2;
    const srn_type f32 = type_of(SRN_F32, 2, dims), f64 = type_of(SRN_F64, 2, dims);
    const srn_type i32 = type_of(SRN_I32, 2, dims), flag = type_of(SRN_BOOL, 2, dims);
    const srn_type wide = type_of(SRN_F32, 2, other), empty = type_of(SRN_F32, 2, none);
    const srn_attr no = {0};
    refuse(&srn_op_exp, no, SRN_ERR_TYPE, "exp: expected float32 or float64, got int32", 1, i32,
           i32);
    refuse(&srn_op_neg, no, SRN_ERR_TYPE, "got bool", 1, flag, flag);
    refuse(&srn_op_logical_not, no, SRN_ERR_TYPE, "expected bool, got float32", 1, f32, f32);
    refuse(&srn_op_add, no, SRN_ERR_TYPE, "got float32 and float64", 2, f32, f64);
    refuse(&srn_op_add, no, SRN_ERR_VALUE, "(2, 3) and (2, 4)", 2, f32, wide);
    refuse(&srn_op_add, no, SRN_ERR_TYPE, "got bool on both sides", 2, flag, flag);
    refuse(&srn_op_div, no, SRN_ERR_TYPE, "got int32; convert both sides with cast", 2, i32, i32);
    refuse(&srn_op_logical_or, no, SRN_ERR_TYPE, "got float32 and bool", 2, f32, flag);
    refuse(&srn_op_where, no, SRN_ERR_TYPE, "the condition must be bool, got float32", 3, f32, f32);
    refuse(&srn_op_where, no, SRN_ERR_VALUE, "(2, 3)", 3, flag, wide);
    refuse(&srn_op_tanh_grad, no, SRN_ERR_VALUE, "dy is float64", 2, f32, f64);
    refuse(&srn_op_sum, no, SRN_ERR_TYPE, "got bool", 1, flag, flag);
    refuse(&srn_op_sum, (srn_attr){.ints = {1, &far}}, SRN_ERR_VALUE, "axis 2 is out of range", 1,
           f32, f32);
    refuse(&srn_op_max, (srn_attr){.ints = {2, twice}}, SRN_ERR_VALUE, "given twice", 1, f32, f32);
    refuse(&srn_op_max, (srn_attr){.ints = {1, twice}}, SRN_ERR_VALUE, "(2, 0)", 1, empty, empty);
    refuse(&srn_op_argmax, (srn_attr){.i = 1}, SRN_ERR_VALUE, "no elements", 1, empty, empty);
    refuse(&srn_op_argmax, (srn_attr){.i = -3}, SRN_ERR_VALUE, "axis -3", 1, f32, f32);
    refuse(&srn_op_cumsum, (srn_attr){.i = 2}, SRN_ERR_VALUE, "axis 2", 1, f32, f32);
    refuse(&srn_op_softmax, no, SRN_ERR_TYPE, "softmax: expected float32", 1, i32, i32);
    refuse(&srn_op_log_softmax, no, SRN_ERR_VALUE, "(2, 0)", 1, empty, empty);
}

int main(void) {
    test_broadcast();
    test_broadcast_rows();
    test_reduce();
    test_axis_ops();
    test_random();
    test_unary_gradients();
    test_binary_gradients();
    test_reduce_gradients();
    test_conventions();
    test_errors();
    return test_summary("elementwise");
}
