/* matmul and layer_norm as ops: against the plain formula, in both dtypes and for any split of the rows;
 * gradients against central differences; mistakes. (The product itself: test_gemm.c.) */
#include "tests/c/testing.h"

#include "kernels/norm.h"
#include "tests/c/evaluate.h"
#include "tests/c/graphs.h"

enum { ROOM = 20000 };
static double data64[3][ROOM];
static float data32[3][ROOM];

static srn_type type_of(srn_dtype dtype, int32_t rank, const int64_t *dims) {
    return (srn_type){dtype, srn_shape_of(rank, dims)};
}

#define TYPE(dtype, ...)                                                                           \
    type_of(dtype, (int32_t)(sizeof (int64_t[]){__VA_ARGS__} / sizeof(int64_t)),                   \
            (int64_t[]){__VA_ARGS__})

/* Inputs in both dtypes, the same numbers. */
static void fill_data(int n) {
    for (int i = 0; i < n; i++) {
        fill_numbers(data64[i], ROOM, (uint32_t)i + 1);
        for (int k = 0; k < ROOM; k++) {
            data64[i][k] = data32[i][k] = (float)data64[i][k];
        }
    }
}

static double element(const srn_view *view, int64_t i) {
    return view->type.dtype == SRN_F32 ? (double)((const float *)view->data)[i]
                                       : ((const double *)view->data)[i];
}

/* ---- matmul ---- */

/* Element (..., i, j) of y at flat index `at`: NumPy's rule, leading axes aligned at the right. */
static double plain_product(const srn_shape *a, const srn_shape *b, bool ta, bool tb,
                            const srn_shape *y, int64_t at, double *size) {
    int64_t ra = a->dim[a->rank - 2], ca = a->dim[a->rank - 1], cb = b->dim[b->rank - 1];
    int64_t rb = b->dim[b->rank - 2], j = at % y->dim[y->rank - 1];
    at /= y->dim[y->rank - 1];
    int64_t i = at % y->dim[y->rank - 2], k = ta ? ra : ca, matrix_a = 0, matrix_b = 0;
    at /= y->dim[y->rank - 2];
    int64_t step_a = 1, step_b = 1;
    for (int32_t back = 3; back <= y->rank; back++) {
        int64_t index = at % y->dim[y->rank - back];
        at /= y->dim[y->rank - back];
        if (back <= a->rank) {
            matrix_a += index % a->dim[a->rank - back] * step_a;
            step_a *= a->dim[a->rank - back];
        }
        if (back <= b->rank) {
            matrix_b += index % b->dim[b->rank - back] * step_b;
            step_b *= b->dim[b->rank - back];
        }
    }
    double sum = 0;
    *size = 0;
    for (int64_t p = 0; p < k; p++) {
        double term = data64[0][matrix_a * ra * ca + (ta ? p * ca + i : i * ca + p)] *
                      data64[1][matrix_b * rb * cb + (tb ? j * cb + p : p * cb + j)];
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static void check_product(srn_type a, srn_type b, bool ta, bool tb, srn_dtype dtype,
                          int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    a.dtype = b.dtype = dtype;
    srn_val in[] = {srn_emit_input(g, "a", a), srn_emit_input(g, "b", b)};
    srn_val y = srn_matmul(g, in[0], in[1], ta, tb);
    CHECK(y != SRN_NONE);
    if (y == SRN_NONE) {
        fprintf(stderr, "  %s\n", g->err.text);
        srn_graph_drop(g);
        return;
    }
    const void *in32[] = {data32[0], data32[1]}, *in64[] = {data64[0], data64[1]};
    evaluation e = evaluate(g, dtype == SRN_F32 ? in32 : in64, block);
    const srn_shape *shape = &e.views[y].type.shape;
    int64_t k = a.shape.dim[a.shape.rank - (ta ? 2 : 1)];
    bool near = true;
    for (int64_t i = 0; i < srn_shape_count(shape); i++) {
        double size, want = plain_product(&a.shape, &b.shape, ta, tb, shape, i, &size);
        double rounding = (dtype == SRN_F32 ? 0x1p-24 : 0x1p-52) * (double)(k + 2);
        near = near && fabs(element(&e.views[y], i) - want) <= rounding * size;
    }
    CHECK(near);
    evaluation_drop(&e);
    srn_graph_drop(g);
}

static void check_product_gradient(srn_type a, srn_type b, bool ta, bool tb) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[] = {srn_emit_input(g, "a", a), srn_emit_input(g, "b", b)}, d[2];
    srn_val loss = weigh(g, srn_square(g, srn_matmul(g, in[0], in[1], ta, tb)), 5);
    CHECK(srn_gradient(g, 1, &loss, NULL, 2, in, d, &err));
    srn_val outputs[] = {loss, d[0], d[1]};
    runner r;
    CHECK(runner_start(&r, g, 3, outputs, &err));
    check_gradients(&r, 2, (int32_t[]){0, 1});
    runner_stop(&r);
    srn_graph_drop(g);
}

static srn_type turned(srn_type type, bool turn) {
    if (turn) {
        int64_t *dim = type.shape.dim + type.shape.rank - 2;
        int64_t kept = dim[0];
        dim[0] = dim[1];
        dim[1] = kept;
    }
    return type;
}

/* All four transpositions of op(a), op(b). */
static void check_matmul(srn_type a, srn_type b) {
    for (int form = 0; form < 4; form++) {
        bool ta = form & 1, tb = form & 2;
        srn_type given_a = turned(a, ta), given_b = turned(b, tb);
        for (int64_t block = 1; block <= 100; block = block * 5 + 2) {
            check_product(given_a, given_b, ta, tb, SRN_F32, block);
            check_product(given_a, given_b, ta, tb, SRN_F64, block);
        }
        if (srn_shape_count(&a.shape) < 100 && srn_shape_count(&b.shape) < 100) {
            check_product_gradient(given_a, given_b, ta, tb);
        }
    }
}

static void test_matmul(void) {
    fill_data(2);
    check_matmul(TYPE(SRN_F64, 3, 4), TYPE(SRN_F64, 4, 5));
    check_matmul(TYPE(SRN_F64, 2, 3, 4), TYPE(SRN_F64, 4, 5));
    check_matmul(TYPE(SRN_F64, 2, 2, 3, 4), TYPE(SRN_F64, 4, 2));
    check_matmul(TYPE(SRN_F64, 3, 4), TYPE(SRN_F64, 2, 4, 5));
    check_matmul(TYPE(SRN_F64, 3, 2, 4), TYPE(SRN_F64, 3, 4, 5));
    check_matmul(TYPE(SRN_F64, 1, 2, 4), TYPE(SRN_F64, 3, 4, 5));
    check_matmul(TYPE(SRN_F64, 2, 1, 3, 4), TYPE(SRN_F64, 3, 4, 2));
    check_matmul(TYPE(SRN_F64, 40, 33), TYPE(SRN_F64, 33, 50));
    check_matmul(TYPE(SRN_F64, 5, 7, 20), TYPE(SRN_F64, 5, 20, 7));
}

static void check_matmul_error(srn_type a, srn_type b, bool ta, bool tb, srn_status status,
                               const char *words) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    CHECK(srn_matmul(g, srn_emit_input(g, "a", a), srn_emit_input(g, "b", b), ta, tb) == SRN_NONE);
    CHECK(g->err.status == status);
    CHECK_SAYS(g->err, words);
    srn_graph_drop(g);
}

static void test_matmul_errors(void) {
    check_matmul_error(
        TYPE(SRN_F32, 32, 20), TYPE(SRN_F32, 10, 5), false, false, SRN_ERR_VALUE,
        "matmul: the last axis of a (32, 20) must equal the first of b (10, 5): 20 != 10");
    check_matmul_error(TYPE(SRN_F32, 32, 20), TYPE(SRN_F32, 10, 5), true, true, SRN_ERR_VALUE,
                       "the second to last axis of a (32, 20) must equal the last of b (10, 5)");
    check_matmul_error(TYPE(SRN_F32, 2, 3, 4), TYPE(SRN_F32, 3, 4, 5), false, false, SRN_ERR_VALUE,
                       "leading axes of a (2, 3, 4) and b (3, 4, 5) do not broadcast");
    check_matmul_error(TYPE(SRN_F32, 4), TYPE(SRN_F32, 4, 5), false, false, SRN_ERR_VALUE,
                       "at least two axes");
    check_matmul_error(TYPE(SRN_I32, 3, 4), TYPE(SRN_F32, 4, 5), false, false, SRN_ERR_TYPE,
                       "got int32 and float32");
}

/* ---- layer_norm ---- */

enum { WITH_GAMMA = 1, WITH_BETA = 2 };

static srn_val emit_norm(srn_graph *g, srn_dtype dtype, int64_t rows, int64_t n, int with,
                         srn_val in[3]) {
    in[0] = srn_emit_input(g, "x", TYPE(dtype, rows, 1, n));
    srn_val gamma = srn_emit_input(g, "gamma", TYPE(dtype, n));
    srn_val beta = srn_emit_input(g, "beta", TYPE(dtype, n));
    in[1] = with & WITH_GAMMA ? gamma : SRN_NONE;
    in[2] = with & WITH_BETA ? beta : SRN_NONE;
    return srn_emit(g, SRN_OP_layer_norm, 3, in, NULL);
}

static void check_norm(srn_dtype dtype, int64_t rows, int64_t n, int with, int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[3], y = emit_norm(g, dtype, rows, n, with, in);
    const void *in32[] = {data32[0], data32[1], data32[2]};
    const void *in64[] = {data64[0], data64[1], data64[2]};
    evaluation e = evaluate(g, dtype == SRN_F32 ? in32 : in64, block);
    double near = dtype == SRN_F32 ? 2e-6 : 1e-13;
    for (int64_t r = 0; r < rows; r++) {
        const double *x = data64[0] + r * n;
        double mean = 0, var = 0;
        for (int64_t i = 0; i < n; i++) {
            mean += x[i] / (double)n;
        }
        for (int64_t i = 0; i < n; i++) {
            var += (x[i] - mean) * (x[i] - mean) / (double)n;
        }
        CHECK_NEAR(element(&e.views[y + 1], r), mean, near);
        CHECK_NEAR(element(&e.views[y + 2], r), 1 / sqrt(var + 1e-3), near * 10);
        for (int64_t i = 0; i < n; i++) {
            double want =
                (x[i] - mean) / sqrt(var + 1e-3) * (with & WITH_GAMMA ? data64[1][i] : 1) +
                (with & WITH_BETA ? data64[2][i] : 0);
            CHECK_NEAR(element(&e.views[y], r * n + i), want, near);
        }
    }
    evaluation_drop(&e);
    srn_graph_drop(g);
}

static void check_norm_gradient(int64_t rows, int64_t n, int with) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[3], y = emit_norm(g, SRN_F64, rows, n, with, in), wrt[3], d[3], outputs[4];
    int32_t n_wrt = 0, numbers[3];
    for (int32_t i = 0; i < 3; i++) {
        if (in[i] != SRN_NONE) {
            numbers[n_wrt] = i;
            wrt[n_wrt++] = in[i];
        }
    }
    srn_val loss = weigh(g, srn_mul(g, y, srn_square(g, y)), 8);
    CHECK(srn_gradient(g, 1, &loss, NULL, n_wrt, wrt, d, &err));
    outputs[0] = loss;
    memcpy(outputs + 1, d, sizeof d);
    runner r;
    CHECK(runner_start(&r, g, n_wrt + 1, outputs, &err));
    check_gradients(&r, n_wrt, numbers);
    runner_stop(&r);
    srn_graph_drop(g);
}

/* The kernels of this processor against the plain loops, forward and backward. */
static void check_norm_kernel(const srn_norm *kernel, int64_t rows, int64_t n) {
    enum { SIZE = 700 };
    static double y[2][SIZE], mean[2][8], rstd[2][8], dx[2][SIZE], terms[2][SIZE];
    static float y32[SIZE], mean32[8], rstd32[8], dx32[SIZE], terms32[SIZE];
    const srn_norm *both[] = {&srn_norm_ref, kernel};
    for (int k = 0; k < 2; k++) {
        memset(y[k], 0xff, sizeof y[k]);
        memset(dx[k], 0xff, sizeof dx[k]);
        both[k]->forward_f64(rows, n, 1e-3, data64[0], data64[1], data64[2], y[k], mean[k],
                             rstd[k]);
        both[k]->backward_f64(rows, n, data64[2], data64[0], mean[k], rstd[k], data64[1], dx[k],
                              terms[k]);
    }
    kernel->forward_f32(rows, n, 1e-3f, data32[0], data32[1], data32[2], y32, mean32, rstd32);
    kernel->backward_f32(rows, n, data32[2], data32[0], mean32, rstd32, data32[1], dx32, terms32);
    for (int64_t i = 0; i < rows * n; i++) {
        CHECK_NEAR(y[1][i], y[0][i], 1e-13);
        CHECK_NEAR(dx[1][i], dx[0][i], 1e-12);
        CHECK_NEAR(terms[1][i], terms[0][i], 1e-13);
        CHECK_NEAR(y32[i], y[0][i], 5e-6);
        CHECK_NEAR(terms32[i], terms[0][i], 5e-6);
        CHECK_NEAR(dx32[i], dx[0][i], n == 1 ? 1e-4 : 2e-5); /* rstd is up to 32 */
    }
    CHECK(isnan(y[1][rows * n]) && isnan(dx[1][rows * n])); /* nothing written past the end */
    /* Outputs that are not wanted; no gamma and beta. */
    kernel->forward_f64(rows, n, 1e-3, data64[0], NULL, NULL, NULL, mean[1], NULL);
    kernel->backward_f64(rows, n, data64[2], data64[0], mean[1], rstd[1], NULL, NULL, terms[1]);
    CHECK_NEAR(terms[1][rows * n - 1], terms[0][rows * n - 1], 1e-13);
}

static void test_layer_norm(void) {
    static const int64_t widths[] = {1, 2, 3, 4, 7, 8, 15, 16, 17, 20, 33, 64, 128};
    fill_data(3);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        check_norm(SRN_F32, 5, widths[i], WITH_GAMMA | WITH_BETA, 2);
        check_norm(SRN_F64, 5, widths[i], (int)i % 4, 3);
        check_norm_kernel(&srn_norm_base, 5, widths[i]);
        check_norm_kernel(srn_norms(), 5, widths[i]);
#if defined(__x86_64__)
        if (srn_norms() == &srn_norm_avx512) {
            check_norm_kernel(&srn_norm_avx2, 5, widths[i]);
        }
#endif
    }
    for (int with = 0; with < 4; with++) {
        check_norm_gradient(3, 5, with);
    }
    check_norm_gradient(2, 19, WITH_GAMMA | WITH_BETA);
}

static void test_layer_norm_errors(void) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val x = srn_emit_input(g, "x", TYPE(SRN_F32, 3, 4));
    srn_val in[] = {x, srn_emit_input(g, "gamma", TYPE(SRN_F32, 5))};
    CHECK(srn_emit(g, SRN_OP_layer_norm, 2, in, NULL) == SRN_NONE);
    CHECK_SAYS(g->err, "gamma must have shape (4,)");
    srn_error_clear(&g->err);
    CHECK(srn_emit1(g, SRN_OP_layer_norm, srn_emit_input(g, "i", TYPE(SRN_I32, 3, 4))) == SRN_NONE);
    CHECK_SAYS(g->err, "got int32");
    srn_graph_drop(g);
}

int main(void) {
    test_matmul();
    test_matmul_errors();
    test_layer_norm();
    test_layer_norm_errors();
    return test_summary("matmul and layer_norm");
}
