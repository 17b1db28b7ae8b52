/* Ops that move elements, take and pick: each element of the result is looked up in x by the formula
 * of the op, for every dtype and any split of the rows; gradients against central differences. */
#include "tests/c/testing.h"

#include "tests/c/evaluate.h"
#include "tests/c/graphs.h"

enum { ROOM = 4096 };

static srn_type type_of(srn_dtype dtype, int32_t rank, const int64_t *dims) {
    return (srn_type){dtype, srn_shape_of(rank, dims)};
}

#define DIMS(...)                                                                                  \
    (int64_t[]) {                                                                                  \
        __VA_ARGS__                                                                                \
    }
#define N_OF(...) ((int32_t)(sizeof (int64_t[]){__VA_ARGS__} / sizeof(int64_t)))
#define TYPE(dtype, ...) type_of(dtype, N_OF(__VA_ARGS__), DIMS(__VA_ARGS__))
#define INTS(...) ((srn_ints){N_OF(__VA_ARGS__), DIMS(__VA_ARGS__)})

/* Element i of a test array, in any dtype: small whole numbers. */
static double number(srn_dtype dtype, int64_t i) {
    return dtype == SRN_BOOL ? (double)(i * i % 3 == 1) : (double)(i * 7 % 101 + 1);
}

static double element(const srn_view *view, int64_t i) {
    switch (view->type.dtype) {
    case SRN_F32:
        return (double)((const float *)view->data)[i];
    case SRN_F64:
        return ((const double *)view->data)[i];
    case SRN_I32:
        return ((const int32_t *)view->data)[i];
    case SRN_I64:
        return (double)((const int64_t *)view->data)[i];
    default:
        return ((const bool *)view->data)[i];
    }
}

static void set_element(void *data, srn_dtype dtype, int64_t i, double v) {
    switch (dtype) {
    case SRN_F32:
        ((float *)data)[i] = (float)v;
        break;
    case SRN_F64:
        ((double *)data)[i] = v;
        break;
    case SRN_I32:
        ((int32_t *)data)[i] = (int32_t)v;
        break;
    case SRN_I64:
        ((int64_t *)data)[i] = (int64_t)v;
        break;
    default:
        ((bool *)data)[i] = v != 0;
        break;
    }
}

static void unravel(int64_t *index, int64_t i, const srn_shape *shape) {
    for (int32_t axis = shape->rank - 1; axis >= 0; axis--) {
        index[axis] = i % shape->dim[axis];
        i /= shape->dim[axis];
    }
}

static int64_t ravel(const int64_t *index, const srn_shape *shape) {
    int64_t i = 0;
    for (int32_t axis = 0; axis < shape->rank; axis++) {
        i = i * shape->dim[axis] + index[axis];
    }
    return i;
}

/* ---- one op on x: element by element ---- */

typedef struct job {
    srn_op_id id;
    srn_attr attrs[8];
    /* The element of x that stands at index `to` of the result, or -1: `outside`. */
    int64_t (*source)(const struct job *job, const int64_t *to, const srn_shape *x);
    double outside;
} job;

static void run_job(const job *j, srn_dtype dtype, srn_type x_type, int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    x_type.dtype = dtype;
    srn_val x = srn_emit_input(g, "x", x_type);
    srn_val y = srn_emit(g, j->id, 1, &x, j->attrs);
    CHECK(y != SRN_NONE);
    if (y == SRN_NONE) {
        fprintf(stderr, "  %s\n", g->err.text);
        srn_graph_drop(g);
        return;
    }
    static double data[ROOM];
    for (int64_t i = 0; i < srn_shape_count(&x_type.shape); i++) {
        set_element(data, dtype, i, number(dtype, i));
    }
    const void *inputs[] = {data};
    evaluation e = evaluate(g, inputs, block);
    const srn_shape *out = &e.views[y].type.shape;
    bool same = e.views[y].type.dtype == dtype;
    for (int64_t i = 0; i < srn_shape_count(out); i++) {
        int64_t index[SRN_MAX_RANK];
        unravel(index, i, out);
        int64_t from = j->source(j, index, &x_type.shape);
        double want = from < 0 ? j->outside : number(dtype, from);
        same = same && element(&e.views[y], i) == (dtype == SRN_BOOL ? want != 0 : want);
    }
    CHECK(same);
    if (!same) {
        char text[SRN_SHAPE_TEXT];
        fprintf(stderr, "  %s of %s %s, block %d\n", srn_ops[j->id]->name, srn_dtype_name(dtype),
                srn_shape_text(text, &x_type.shape), (int)block);
    }
    evaluation_drop(&e);
    srn_graph_drop(g);
}

/* The gradient of sum(weights * op(x)) in float64. */
static void check_job_gradient(const job *j, srn_type x_type) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    x_type.dtype = SRN_F64;
    srn_val x = srn_emit_input(g, "x", x_type);
    srn_val loss = weigh(g, srn_square(g, srn_emit(g, j->id, 1, &x, j->attrs)), 7), dx;
    CHECK(srn_gradient(g, 1, &loss, NULL, 1, &x, &dx, &err));
    if (srn_failed(&err) || dx == SRN_NONE) {
        fprintf(stderr, "  %s: %s\n", srn_ops[j->id]->name, err.text);
    } else {
        srn_val outputs[] = {loss, dx};
        runner r;
        CHECK(runner_start(&r, g, 2, outputs, &err));
        check_gradients(&r, 1, (int32_t[]){0});
        runner_stop(&r);
    }
    srn_graph_drop(g);
}

static void check_job(const job *j, srn_type x_type) {
    for (int dtype = 0; dtype < SRN_N_DTYPES; dtype++) {
        run_job(j, (srn_dtype)dtype, x_type, 1);
        run_job(j, (srn_dtype)dtype, x_type, 3);
        run_job(j, (srn_dtype)dtype, x_type, 1000000);
    }
    if (srn_shape_count(&x_type.shape) > 0 && srn_shape_count(&x_type.shape) < 200) {
        check_job_gradient(j, x_type);
    }
}

/* ---- the formulas ---- */

static int64_t transposed(const job *j, const int64_t *to, const srn_shape *x) {
    int64_t from[SRN_MAX_RANK];
    for (int32_t i = 0; i < x->rank; i++) {
        from[j->attrs[0].ints.v[i]] = to[i];
    }
    return ravel(from, x);
}

static int64_t sliced(const job *j, const int64_t *to, const srn_shape *x) {
    int64_t from[SRN_MAX_RANK];
    for (int32_t i = 0; i < x->rank; i++) {
        from[i] = j->attrs[0].ints.v[i] + to[i] * j->attrs[2].ints.v[i];
    }
    return ravel(from, x);
}

static int64_t unsliced(const job *j, const int64_t *to, const srn_shape *x) {
    int64_t from[SRN_MAX_RANK];
    for (int32_t i = 0; i < x->rank; i++) {
        int64_t way = to[i] - j->attrs[1].ints.v[i], step = j->attrs[2].ints.v[i];
        from[i] = way / step;
        if (way % step != 0 || from[i] < 0 || from[i] >= x->dim[i]) {
            return -1;
        }
    }
    return ravel(from, x);
}

static int64_t broadcast(const job *j, const int64_t *to, const srn_shape *x) {
    int64_t from[SRN_MAX_RANK];
    for (int32_t i = 0; i < x->rank; i++) {
        from[i] = x->dim[i] == 1 ? 0 : to[j->attrs[0].ints.n - x->rank + i];
    }
    return ravel(from, x);
}

static int64_t padded(const job *j, const int64_t *to, const srn_shape *x) {
    int64_t from[SRN_MAX_RANK];
    for (int32_t i = 0; i < x->rank; i++) {
        from[i] = to[i] - j->attrs[0].ints.v[i];
        if (from[i] < 0 || from[i] >= x->dim[i]) {
            return -1;
        }
    }
    return ravel(from, x);
}

static void test_transpose(void) {
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(1, 0)}}, transposed, 0}, TYPE(0, 5, 7));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(1, 0)}}, transposed, 0}, TYPE(0, 40, 37));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(1, 0, 2)}}, transposed, 0}, TYPE(0, 3, 5, 4));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(1, 0, 2)}}, transposed, 0}, TYPE(0, 6, 5, 1));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(2, 0, 1)}}, transposed, 0}, TYPE(0, 3, 5, 4));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(0, 2, 1)}}, transposed, 0}, TYPE(0, 3, 5, 4));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(3, 1, 0, 2)}}, transposed, 0},
              TYPE(0, 2, 3, 4, 5));
    check_job(&(job){SRN_OP_transpose, {{.ints = INTS(0, 1)}}, transposed, 0}, TYPE(0, 5, 0));
    check_job(&(job){SRN_OP_transpose, {{.ints = {0, NULL}}}, transposed, 0}, type_of(0, 0, NULL));
}

static void test_slice(void) {
#define SLICE(start, stop, step)                                                                   \
    &(job){SRN_OP_slice, {{.ints = start}, {.ints = stop}, {.ints = step}}, sliced, 0}
    check_job(SLICE(INTS(2), INTS(7), INTS(1)), TYPE(0, 9));
    check_job(SLICE(INTS(8), INTS(-1), INTS(-3)), TYPE(0, 9));
    check_job(SLICE(INTS(0, 0, 4), INTS(3, 5, 8), INTS(1, 1, 1)), TYPE(0, 3, 5, 8));
    check_job(SLICE(INTS(0, 4, 1), INTS(3, -1, 8), INTS(2, -2, 3)), TYPE(0, 3, 5, 8));
    check_job(SLICE(INTS(1, 0, 0), INTS(2, 5, 4), INTS(1, 1, 1)), TYPE(0, 3, 5, 4));
    check_job(SLICE(INTS(2, 0), INTS(2, 4), INTS(1, 1)), TYPE(0, 3, 4));
    check_job(SLICE(INTS(1), INTS(2), INTS(INT64_MAX)), TYPE(0, 3));
    check_job(&(job){SRN_OP_slice,
                     {{.ints = {0, NULL}}, {.ints = {0, NULL}}, {.ints = {0, NULL}}},
                     sliced,
                     0},
              type_of(0, 0, NULL));
#undef SLICE
}

static void test_unslice(void) {
#define UNSLICE(shape, start, step)                                                                \
    &(job){SRN_OP_unslice, {{.ints = shape}, {.ints = start}, {.ints = step}}, unsliced, 0}
    check_job(UNSLICE(INTS(9), INTS(2), INTS(1)), TYPE(0, 5));
    check_job(UNSLICE(INTS(20), INTS(2), INTS(3)), TYPE(0, 5));
    check_job(UNSLICE(INTS(20), INTS(19), INTS(-4)), TYPE(0, 5));
    check_job(UNSLICE(INTS(20), INTS(16), INTS(-4)), TYPE(0, 5));
    check_job(UNSLICE(INTS(5, 9, 8), INTS(4, 1, 4), INTS(-2, 3, 1)), TYPE(0, 3, 3, 4));
    check_job(UNSLICE(INTS(4, 3), INTS(0, 0), INTS(1, 1)), TYPE(0, 0, 3));
    check_job(UNSLICE(INTS(4, 3), INTS(3, 0), INTS(INT64_MAX, 1)), TYPE(0, 1, 3));
#undef UNSLICE
}

static void test_broadcast_and_pad(void) {
    check_job(&(job){SRN_OP_broadcast_to, {{.ints = INTS(4, 5)}}, broadcast, 0}, TYPE(0, 5));
    check_job(&(job){SRN_OP_broadcast_to, {{.ints = INTS(4, 5)}}, broadcast, 0}, TYPE(0, 4, 1));
    check_job(&(job){SRN_OP_broadcast_to, {{.ints = INTS(3, 4, 2, 5)}}, broadcast, 0},
              TYPE(0, 4, 1, 5));
    check_job(&(job){SRN_OP_broadcast_to, {{.ints = INTS(3, 2)}}, broadcast, 0},
              type_of(0, 0, NULL));
    check_job(&(job){SRN_OP_broadcast_to, {{.ints = INTS(3, 0)}}, broadcast, 0}, TYPE(0, 3, 1));
    check_job(&(job){SRN_OP_pad, {{.ints = INTS(2)}, {.ints = INTS(3)}, {.f = 0}}, padded, 0},
              TYPE(0, 4));
    check_job(
        &(job){SRN_OP_pad, {{.ints = INTS(2, 0, 1)}, {.ints = INTS(1, 2, 0)}, {.f = 5}}, padded, 5},
        TYPE(0, 3, 4, 5));
    check_job(&(job){SRN_OP_pad, {{.ints = INTS(2, 1)}, {.ints = INTS(2, 0)}, {.f = 5}}, padded, 5},
              TYPE(0, 0, 5));
}

static int64_t same_place(const job *j, const int64_t *to, const srn_shape *x) {
    (void)j;
    return ravel(to, x);
}

static void test_copy_and_reshape(void) {
    check_job(&(job){SRN_OP_copy, {{0}}, same_place, 0}, TYPE(0, 3, 4));
    check_job(&(job){SRN_OP_copy, {{0}}, same_place, 0}, type_of(0, 0, NULL));
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val x = srn_emit_input(g, "x", TYPE(SRN_F64, 2, 6));
    srn_attr attrs[] = {{.ints = INTS(3, -1, 2)}};
    srn_val y = srn_emit(g, SRN_OP_reshape, 1, &x, attrs);
    srn_shape want = srn_shape_of(3, DIMS(3, 2, 2));
    CHECK(y != SRN_NONE && srn_shape_equal(&srn_type_of(g, y)->shape, &want));
    srn_val loss = weigh(g, srn_square(g, y), 3), dx;
    CHECK(srn_gradient(g, 1, &loss, NULL, 1, &x, &dx, &err));
    srn_val outputs[] = {loss, dx};
    runner r;
    CHECK(runner_start(&r, g, 2, outputs, &err));
    check_gradients(&r, 1, (int32_t[]){0});
    runner_stop(&r);
    srn_graph_drop(g);
}

static void test_fill_and_iota(void) {
    for (int dtype = 0; dtype < SRN_N_DTYPES; dtype++) {
        srn_error err = {0};
        srn_graph *g = srn_graph_new(&err);
        srn_val filled = srn_fill(g, TYPE((srn_dtype)dtype, 3, 5), 7);
        srn_attr attrs[] = {{.i = 6}, {.i = dtype}};
        srn_val numbers = dtype == SRN_BOOL ? SRN_NONE : srn_emit(g, SRN_OP_iota, 0, NULL, attrs);
        evaluation e = evaluate(g, NULL, 4);
        for (int64_t i = 0; i < 15; i++) {
            CHECK(element(&e.views[filled], i) == (dtype == SRN_BOOL ? 1 : 7));
        }
        for (int64_t i = 0; numbers != SRN_NONE && i < 6; i++) {
            CHECK(element(&e.views[numbers], i) == (double)i);
        }
        evaluation_drop(&e);
        srn_graph_drop(g);
    }
}

/* ---- ops of several inputs ---- */

static void check_concat(srn_dtype dtype, int64_t axis, int64_t block) {
    const int64_t lengths[] = {2, 1, 0, 4};
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    static double data[4][ROOM];
    const void *inputs[4];
    srn_val parts[4];
    for (int32_t k = 0; k < 4; k++) {
        srn_type type = TYPE(dtype, 3, 4, 5);
        type.shape.dim[axis < 0 ? axis + 3 : axis] = lengths[k];
        parts[k] = srn_emit_input(g, "part", type);
        for (int64_t i = 0; i < srn_shape_count(&type.shape); i++) {
            set_element(data[k], dtype, i, number(dtype, i + 31 * k));
        }
        inputs[k] = data[k];
    }
    srn_val y = srn_concat(g, 4, parts, (int32_t)axis);
    CHECK(y != SRN_NONE);
    evaluation e = evaluate(g, inputs, block);
    const srn_shape *out = &e.views[y].type.shape;
    int32_t a = (int32_t)(axis < 0 ? axis + 3 : axis);
    bool same = out->dim[a] == 7;
    for (int64_t i = 0; i < srn_shape_count(out); i++) {
        int64_t index[SRN_MAX_RANK];
        int32_t k = 0;
        unravel(index, i, out);
        while (index[a] >= lengths[k]) {
            index[a] -= lengths[k++];
        }
        int64_t from = ravel(index, &e.views[parts[k]].type.shape);
        same = same && element(&e.views[y], i) == number(dtype, from + 31 * k);
    }
    CHECK(same);
    evaluation_drop(&e);
    srn_graph_drop(g);
}

static void test_concat(void) {
    for (int dtype = 0; dtype < SRN_N_DTYPES; dtype++) {
        for (int64_t axis = -1; axis < 3; axis++) {
            check_concat((srn_dtype)dtype, axis, 1);
            check_concat((srn_dtype)dtype, axis, 2);
            check_concat((srn_dtype)dtype, axis, 100);
        }
    }
    for (int32_t axis = 0; axis < 2; axis++) {
        srn_error err = {0};
        srn_graph *g = srn_graph_new(&err);
        srn_val x[] = {srn_emit_input(g, "a", TYPE(SRN_F64, 3, 3)),
                       srn_emit_input(g, "b", TYPE(SRN_F64, 3, 3))};
        srn_val parts[] = {x[0], x[1], x[0]}, dx[2];
        srn_val loss = weigh(g, srn_square(g, srn_concat(g, 3, parts, axis)), 5);
        CHECK(srn_gradient(g, 1, &loss, NULL, 2, x, dx, &err));
        srn_val outputs[] = {loss, dx[0], dx[1]};
        runner r;
        CHECK(runner_start(&r, g, 3, outputs, &err));
        check_gradients(&r, 2, (int32_t[]){0, 1});
        runner_stop(&r);
        srn_graph_drop(g);
    }
}

static const int64_t chosen[] = {2, 0, -1, 3, 3, 99, -99, 1}; /* of 4 */
static const int64_t chosen_places[] = {2, 0, 3, 3, 3, 3, 0, 1};

static void check_take(srn_dtype dtype, srn_dtype index_dtype, int64_t axis, int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_type x_type = TYPE(dtype, 3, 3, 3);
    int32_t a = (int32_t)(axis < 0 ? axis + 3 : axis);
    x_type.shape.dim[a] = 4;
    static double data[ROOM], indices[8];
    for (int64_t i = 0; i < 36; i++) {
        set_element(data, dtype, i, number(dtype, i));
    }
    for (int64_t i = 0; i < 8; i++) {
        set_element(indices, index_dtype, i, (double)chosen[i]);
    }
    srn_val in[] = {srn_emit_input(g, "x", x_type),
                    srn_emit_input(g, "i", TYPE(index_dtype, 2, 4))};
    srn_attr attrs[] = {{.i = axis}};
    srn_val y = srn_emit(g, SRN_OP_take, 2, in, attrs);
    CHECK(y != SRN_NONE);
    const void *inputs[] = {data, indices};
    evaluation e = evaluate(g, inputs, block);
    const srn_shape *out = &e.views[y].type.shape;
    bool same = out->rank == 4;
    for (int64_t i = 0; i < srn_shape_count(out); i++) {
        int64_t to[SRN_MAX_RANK], from[3];
        unravel(to, i, out);
        for (int32_t k = 0; k < 3; k++) {
            from[k] = k < a ? to[k] : k == a ? chosen_places[to[a] * 4 + to[a + 1]] : to[k + 1];
        }
        same = same && element(&e.views[y], i) == number(dtype, ravel(from, &x_type.shape));
    }
    CHECK(same);
    evaluation_drop(&e);
    srn_graph_drop(g);
}

static void check_pick(srn_dtype dtype, int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    static double data[ROOM];
    for (int64_t i = 0; i < 32; i++) {
        set_element(data, dtype, i, number(dtype, i));
    }
    srn_val in[] = {srn_emit_input(g, "x", TYPE(dtype, 2, 4, 4)),
                    srn_emit_input(g, "i", TYPE(SRN_I64, 2, 4))};
    srn_val y = srn_emit(g, SRN_OP_pick, 2, in, NULL);
    const void *inputs[] = {data, chosen};
    evaluation e = evaluate(g, inputs, block);
    for (int64_t i = 0; i < 8; i++) {
        CHECK(element(&e.views[y], i) == number(dtype, i * 4 + chosen_places[i]));
    }
    evaluation_drop(&e);
    srn_graph_drop(g);
}

/* Also of the gradient: take_grad and pick_grad are differentiable. */
static void check_lookup_gradient(srn_op_id id, srn_type x_type, srn_type i_type, int64_t axis) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val x = srn_emit_input(g, "x", x_type), dx, ddx;
    srn_val in[] = {x, srn_emit_constant(g, i_type, chosen)};
    srn_attr attrs[] = {{.i = axis}};
    srn_val y = srn_emit(g, id, 2, in, id == SRN_OP_take ? attrs : NULL);
    srn_val loss = weigh(g, srn_mul(g, srn_square(g, y), y), 9);
    CHECK(srn_gradient(g, 1, &loss, NULL, 1, &x, &dx, &err));
    srn_val loss2 = weigh(g, dx, 4);
    CHECK(srn_gradient(g, 1, &loss2, NULL, 1, &x, &ddx, &err));
    for (int order = 1; order <= 2 && !srn_failed(&err); order++) {
        srn_val outputs[] = {order == 1 ? loss : loss2, order == 1 ? dx : ddx};
        runner r;
        CHECK(runner_start(&r, g, 2, outputs, &err));
        check_gradients(&r, 1, (int32_t[]){0});
        runner_stop(&r);
    }
    srn_graph_drop(g);
}

static void test_lookups(void) {
    for (int dtype = 0; dtype < SRN_N_DTYPES; dtype++) {
        for (int64_t axis = -1; axis < 3; axis++) {
            check_take((srn_dtype)dtype, SRN_I32, axis, 1);
            check_take((srn_dtype)dtype, SRN_I64, axis, 5);
            check_take((srn_dtype)dtype, SRN_I64, axis, 1000);
        }
        check_pick((srn_dtype)dtype, 1);
        check_pick((srn_dtype)dtype, 3);
    }
    check_lookup_gradient(SRN_OP_take, TYPE(SRN_F64, 4, 3), TYPE(SRN_I64, 2, 4), 0);
    check_lookup_gradient(SRN_OP_take, TYPE(SRN_F64, 3, 4, 2), TYPE(SRN_I64, 8), 1);
    check_lookup_gradient(SRN_OP_take, TYPE(SRN_F64, 3, 4), type_of(SRN_I64, 0, NULL), -1);
    check_lookup_gradient(SRN_OP_pick, TYPE(SRN_F64, 2, 4, 4), TYPE(SRN_I64, 2, 4), 0);
}

/* ---- mistakes ---- */

static void check_error(srn_op_id id, int32_t n_in, const srn_type *types, const srn_attr *attrs,
                        srn_status status, const char *words) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[4];
    for (int32_t i = 0; i < n_in; i++) {
        in[i] = srn_emit_input(g, "x", types[i]);
    }
    CHECK(srn_emit(g, id, n_in, in, attrs) == SRN_NONE);
    CHECK(g->err.status == status);
    CHECK_SAYS(g->err, words);
    srn_graph_drop(g);
}

#define REFUSED(id, types, status, words, ...)                                                     \
    check_error(id, (int32_t)(sizeof(types) / sizeof *(types)), types, (srn_attr[]){__VA_ARGS__},  \
                status, words)

static void test_errors(void) {
    const srn_type x[] = {TYPE(SRN_F32, 3, 4)}, two[] = {TYPE(SRN_F32, 3, 4), TYPE(SRN_F32, 3, 5)};
    const srn_type mixed[] = {TYPE(SRN_F32, 3, 4), TYPE(SRN_F64, 3, 4)};
    const srn_type ids[] = {TYPE(SRN_F32, 3, 4), TYPE(SRN_I32, 2)};
    const srn_type empty[] = {TYPE(SRN_F32, 0, 4), TYPE(SRN_I32, 2)};
    REFUSED(SRN_OP_reshape, x, SRN_ERR_VALUE, "12 elements", {.ints = INTS(5, -1)});
    REFUSED(SRN_OP_reshape, x, SRN_ERR_VALUE, "one axis at most", {.ints = INTS(-1, -1)});
    REFUSED(SRN_OP_reshape, x, SRN_ERR_VALUE, "at most 8",
            {.ints = INTS(1, 1, 1, 1, 1, 1, 1, 3, 4)});
    REFUSED(SRN_OP_reshape, x, SRN_ERR_VALUE, "", {.ints = INTS(-2, -6)});
    REFUSED(SRN_OP_transpose, x, SRN_ERR_VALUE, "each axis of x (3, 4) once", {.ints = INTS(0, 0)});
    REFUSED(SRN_OP_transpose, x, SRN_ERR_VALUE, "0 to 1", {.ints = INTS(0, 2)});
    REFUSED(SRN_OP_transpose, x, SRN_ERR_VALUE, "got (0,)", {.ints = INTS(0)});
    REFUSED(SRN_OP_broadcast_to, x, SRN_ERR_VALUE, "(3, 4) does not broadcast to (3, 1)",
            {.ints = INTS(3, 1)});
    REFUSED(SRN_OP_slice, x, SRN_ERR_VALUE, "one entry per axis", {.ints = INTS(0)},
            {.ints = INTS(1)}, {.ints = INTS(1)});
    REFUSED(SRN_OP_slice, x, SRN_ERR_VALUE, "axis 1 of length 4", {.ints = INTS(0, 0)},
            {.ints = INTS(3, 5)}, {.ints = INTS(1, 1)});
    REFUSED(SRN_OP_slice, x, SRN_ERR_VALUE, "step not 0", {.ints = INTS(0, 0)},
            {.ints = INTS(3, 4)}, {.ints = INTS(1, 0)});
    REFUSED(SRN_OP_unslice, x, SRN_ERR_VALUE, "do not fit axis 0", {.ints = INTS(3, 4)},
            {.ints = INTS(1, 0)}, {.ints = INTS(1, 1)});
    REFUSED(SRN_OP_pad, x, SRN_ERR_VALUE, "0 or more", {.ints = INTS(1, -1)}, {.ints = INTS(0, 0)},
            {.f = 0});
    REFUSED(SRN_OP_pad, x, SRN_ERR_VALUE, "axis 0", {.ints = INTS(INT64_MAX, 0)},
            {.ints = INTS(0, 0)}, {.f = 0});
    REFUSED(SRN_OP_concat, two, SRN_ERR_VALUE, "(3, 4) and tensor 1 (3, 5)", {.i = 0});
    REFUSED(SRN_OP_concat, two, SRN_ERR_VALUE, "axis 2 is not an axis", {.i = 2});
    REFUSED(SRN_OP_concat, mixed, SRN_ERR_TYPE, "float32 but tensor 1 is float64", {.i = 0});
    REFUSED(SRN_OP_take, two, SRN_ERR_TYPE, "int32 or int64", {.i = 0});
    REFUSED(SRN_OP_take, ids, SRN_ERR_VALUE, "no axis 2", {.i = 2});
    REFUSED(SRN_OP_take, empty, SRN_ERR_INDEX, "is empty", {.i = 0});
    REFUSED(SRN_OP_pick, ids, SRN_ERR_VALUE, "x (3, 4), indices (2,)", {.i = 0});
    check_error(SRN_OP_fill, 0, NULL, (srn_attr[]){{.ints = INTS(2)}, {.f = 3e9}, {.i = SRN_I32}},
                SRN_ERR_VALUE, "not a value of int32");
    check_error(SRN_OP_iota, 0, NULL, (srn_attr[]){{.i = -1}, {.i = SRN_I32}}, SRN_ERR_VALUE,
                "0 or more");
}

int main(void) {
    test_transpose();
    test_slice();
    test_unslice();
    test_broadcast_and_pad();
    test_copy_and_reshape();
    test_fill_and_iota();
    test_concat();
    test_lookups();
    test_errors();
    return test_summary("shape ops");
}
