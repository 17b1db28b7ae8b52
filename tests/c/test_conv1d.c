/* conv1d against the plain sum of its formula, in both dtypes, for strides, dilations, paddings and
 * groups, any split of the rows; gradients against central differences; mistakes. */
#include "tests/c/testing.h"

#include "tests/c/evaluate.h"
#include "tests/c/graphs.h"

typedef struct conv {
    int64_t batch, length, channels, kernel, filters;
    int64_t stride, dilation, left, right, groups;
} conv;

static srn_type type_of(srn_dtype dtype, int64_t a, int64_t b, int64_t c) {
    int64_t dims[] = {a, b, c};
    return (srn_type){dtype, srn_shape_of(3, dims)};
}

static srn_val emit_conv(srn_graph *g, const conv *v, srn_val x, srn_val w) {
    srn_val in[] = {x, w};
    srn_attr attrs[] = {
        {.i = v->stride}, {.i = v->dilation}, {.i = v->left}, {.i = v->right}, {.i = v->groups}};
    return srn_emit(g, SRN_OP_conv1d, 2, in, attrs);
}

static int64_t times_of(const conv *v) {
    return (v->length + v->left + v->right - v->dilation * (v->kernel - 1) - 1) / v->stride + 1;
}

enum { ROOM = 100000 };
static double x64[ROOM], w64[ROOM];
static float x32[ROOM], w32[ROOM];

/* y[b, t, f] and the sum of the absolute values of its terms. */
static double plain(const conv *v, int64_t b, int64_t t, int64_t f, double *size) {
    double sum = 0;
    int64_t c_group = v->channels / v->groups, group = f / (v->filters / v->groups);
    *size = 0;
    for (int64_t j = 0; j < v->kernel; j++) {
        int64_t s = t * v->stride + j * v->dilation - v->left;
        for (int64_t c = 0; c < c_group && s >= 0 && s < v->length; c++) {
            double term = x64[(b * v->length + s) * v->channels + group * c_group + c] *
                          w64[(j * c_group + c) * v->filters + f];
            sum += term;
            *size += fabs(term);
        }
    }
    return sum;
}

static void check_values(const conv *v, srn_dtype dtype, int64_t block) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    fill_numbers(x64, v->batch * v->length * v->channels, 1);
    fill_numbers(w64, v->kernel * v->channels / v->groups * v->filters, 2);
    for (int i = 0; i < ROOM; i++) {
        x64[i] = x32[i] = (float)x64[i];
        w64[i] = w32[i] = (float)w64[i];
    }
    srn_val x = srn_emit_input(g, "x", type_of(dtype, v->batch, v->length, v->channels));
    srn_val w =
        srn_emit_input(g, "w", type_of(dtype, v->kernel, v->channels / v->groups, v->filters));
    srn_val y = emit_conv(g, v, x, w);
    CHECK(y != SRN_NONE);
    if (y == SRN_NONE) {
        fprintf(stderr, "  %s\n", g->err.text);
        srn_graph_drop(g);
        return;
    }
    const void *in32[] = {x32, w32}, *in64[] = {x64, w64};
    evaluation e = evaluate(g, dtype == SRN_F32 ? in32 : in64, block);
    int64_t times = times_of(v);
    srn_type want = type_of(dtype, v->batch, times, v->filters);
    CHECK(srn_shape_equal(&e.views[y].type.shape, &want.shape));
    bool near = true;
    for (int64_t i = 0; i < v->batch * times * v->filters; i++) {
        double size,
            sum = plain(v, i / v->filters / times, i / v->filters % times, i % v->filters, &size);
        double got = dtype == SRN_F32 ? (double)((float *)e.views[y].data)[i]
                                      : ((double *)e.views[y].data)[i];
        double rounding = dtype == SRN_F32 ? 0x1p-24 : 0x1p-52;
        near = near && fabs(got - sum) <= rounding * size * (double)(v->kernel * v->channels + 2);
    }
    CHECK(near);
    evaluation_drop(&e);
    srn_graph_drop(g);
}

/* By x and w; and the blocks of rows of the gradient ops don't matter. */
static void check_gradient(const conv *v) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val in[] = {
        srn_emit_input(g, "x", type_of(SRN_F64, v->batch, v->length, v->channels)),
        srn_emit_input(g, "w", type_of(SRN_F64, v->kernel, v->channels / v->groups, v->filters))};
    srn_val loss = weigh(g, srn_square(g, emit_conv(g, v, in[0], in[1])), 3), d[2];
    CHECK(srn_gradient(g, 1, &loss, NULL, 2, in, d, &err));
    if (srn_failed(&err)) {
        fprintf(stderr, "  %s\n", err.text);
        srn_graph_drop(g);
        return;
    }
    srn_val outputs[] = {loss, d[0], d[1]};
    runner r;
    CHECK(runner_start(&r, g, 3, outputs, &err));
    check_gradients(&r, 2, (int32_t[]){0, 1});
    srn_run(r.ws, 0, 0);
    const void *inputs[] = {srn_workspace_input(r.ws, 0), srn_workspace_input(r.ws, 1)};
    for (int64_t block = 1; block <= 2; block++) {
        evaluation e = evaluate(g, inputs, block);
        for (int32_t k = 1; k <= 2; k++) {
            CHECK(memcmp(e.views[outputs[k]].data, runner_output(&r, k),
                         srn_type_bytes(&e.views[outputs[k]].type)) == 0);
        }
        evaluation_drop(&e);
    }
    runner_stop(&r);
    srn_graph_drop(g);
}

static void check(conv v) {
    for (int64_t block = 1; block <= 3; block++) {
        check_values(&v, SRN_F32, block);
        check_values(&v, SRN_F64, block);
    }
    if (v.batch * v.length * v.channels < 300) {
        check_gradient(&v);
    }
}

static void test_forms(void) {
    /*          B   T   C  k  F   S  D  L  R  G */
    check((conv){3, 50, 1, 4, 20, 2, 1, 0, 0, 1}); /* the book's layer */
    check((conv){2, 9, 3, 3, 5, 1, 1, 0, 0, 1});
    check((conv){2, 9, 3, 3, 5, 1, 1, 1, 1, 1}); /* same */
    check((conv){2, 9, 3, 3, 5, 2, 1, 1, 1, 1});
    check((conv){2, 10, 2, 4, 3, 3, 1, 1, 2, 1});
    check((conv){2, 9, 2, 2, 4, 1, 4, 4, 0, 1}); /* causal, dilated */
    check((conv){2, 12, 2, 3, 4, 1, 2, 0, 0, 1});
    check((conv){2, 12, 2, 3, 4, 3, 2, 2, 3, 1});
    check((conv){2, 9, 4, 3, 6, 1, 1, 1, 1, 2});
    check((conv){2, 9, 6, 3, 6, 2, 2, 4, 0, 3});
    check((conv){2, 9, 4, 3, 4, 1, 1, 2, 0, 4}); /* depthwise */
    check((conv){1, 1, 1, 1, 1, 1, 1, 0, 0, 1});
    check((conv){2, 3, 2, 5, 3, 1, 1, 4, 0, 1}); /* kernel longer than x */
    check((conv){2, 3, 2, 2, 3, 1, 8, 8, 0, 1}); /* only the last tap ever inside */
    check((conv){2, 4, 2, 1, 3, 2, 1, 3, 3, 1}); /* ys that see nothing but padding */
    check((conv){1, 4, 2, 2, 3, 9, 1, 0, 0, 1});
    check((conv){2, 300, 16, 3, 40, 1, 1, 2, 0, 1});
    check((conv){2, 300, 16, 3, 40, 1, 16, 32, 0, 1});
}

/* ---- mistakes ---- */

static void check_error(conv v, srn_type x, srn_type w, srn_status status, const char *words) {
    srn_error err = {0};
    srn_graph *g = srn_graph_new(&err);
    srn_val y = emit_conv(g, &v, srn_emit_input(g, "x", x), srn_emit_input(g, "w", w));
    CHECK(y == SRN_NONE);
    CHECK(g->err.status == status);
    CHECK_SAYS(g->err, words);
    srn_graph_drop(g);
}

static void test_errors(void) {
    const conv plain_one = {.stride = 1, .dilation = 1, .groups = 1};
    const srn_type x = type_of(SRN_F32, 2, 5, 4), w = type_of(SRN_F32, 3, 4, 6);
    conv v = plain_one;
    check_error(v, x, type_of(SRN_F64, 3, 4, 6), SRN_ERR_TYPE, "float32 and float64");
    check_error(v, (srn_type){SRN_F32, {2, {5, 4}}}, w, SRN_ERR_VALUE, "3-D x and w");
    check_error(v, x, type_of(SRN_F32, 3, 3, 6), SRN_ERR_VALUE, "got 4 channels");
    check_error(v, x, type_of(SRN_F32, 6, 4, 6), SRN_ERR_VALUE, "spans 6 time steps, but x has 5");
    check_error(v, x, type_of(SRN_F32, 0, 4, 6), SRN_ERR_VALUE, "of size 1 or more");
    v.dilation = 3;
    check_error(v, x, w, SRN_ERR_VALUE, "spans 7 time steps");
    v = plain_one;
    v.stride = 0;
    check_error(v, x, w, SRN_ERR_VALUE, "stride 0");
    v = plain_one;
    v.left = -1;
    check_error(v, x, w, SRN_ERR_VALUE, "pad_left -1");
    v = plain_one;
    v.groups = 4;
    check_error(v, x, type_of(SRN_F32, 3, 1, 6), SRN_ERR_VALUE, "divisible by groups, 4");
    v.groups = 2;
    check_error(v, x, w, SRN_ERR_VALUE, "4 channels and 2 groups");
}

int main(void) {
    test_forms();
    test_errors();
    return test_summary("conv1d");
}
