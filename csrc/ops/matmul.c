/* matmul: y = op(a) op(b) + bias, op the transpose of the last two axes where asked for.
 *
 *     a (..., M, K) b (K, N)         y (..., M, N)   one product: all leading axes of a are rows
 *     a (..., M, K) b (..., K, N)    y (..., M, N)   one product per matrix, leading axes broadcast
 *
 * bias, if there, is what the sums start from: (N,) for every row, or as large as y.
 * Gradient, with A = op(a) and B = op(b):   dA = dy B^T,  dB = A^T dy,  dbias = sum of dy's rows
 * (transposed back where a or b came transposed; summed over what was broadcast). For b (K, N) and
 * many leading axes, dB is one product over all rows.
 *
 * Rows are those of y, so no sum is split among threads. Memory: none besides y.
 */
#include "graph/emit.h"
#include "kernels/gemm.h"

enum { TRANSPOSE_A, TRANSPOSE_B };

static const srn_attr_spec matmul_attrs[] = {
    {.name = "transpose_a", .kind = SRN_ATTR_BOOL},
    {.name = "transpose_b", .kind = SRN_ATTR_BOOL},
    {0},
};

/* The sizes of one product. `flat`: there is one only, b holds one matrix and a is not transposed, so
 * that a's leading axes are rows. */
typedef struct product {
    bool ta, tb, flat;
    int64_t m, n, k;
} product;

/* Else there is one for each matrix of the leading axes. */
typedef struct leads {
    srn_shape all, a, b;
} leads;

/* Types and attributes were checked, or are being checked. */
static product product_of(const srn_type *a, const srn_type *b, const srn_attr *attr) {
    const srn_shape *sa = &a->shape, *sb = &b->shape;
    product p = {.ta = attr[TRANSPOSE_A].i, .tb = attr[TRANSPOSE_B].i};
    p.flat = sb->rank == 2 && (sa->rank == 2 || !p.ta);
    p.m = sa->dim[sa->rank - (p.ta ? 1 : 2)];
    p.k = sa->dim[sa->rank - (p.ta ? 2 : 1)];
    p.n = sb->dim[sb->rank - (p.tb ? 2 : 1)];
    if (p.flat) {
        p.m *= srn_shape_product(sa, 0, sa->rank - 2);
    }
    return p;
}

/* False when they don't fit. */
static bool leads_of(leads *l, const srn_type *a, const srn_type *b) {
    l->a = srn_shape_of(a->shape.rank - 2, a->shape.dim);
    l->b = srn_shape_of(b->shape.rank - 2, b->shape.dim);
    return srn_shape_broadcast(&l->all, &l->a, &l->b);
}

static bool check_types(const srn_type *a, const srn_type *b, srn_error *err) {
    if (!srn_dtype_is_float(a->dtype) || a->dtype != b->dtype) {
        return srn_fail(
            err, SRN_ERR_TYPE,
            "matmul: needs two tensors of one floating point dtype, got %s and %s; cast one "
            "of them first",
            srn_dtype_name(a->dtype), srn_dtype_name(b->dtype));
    }
    char ta[SRN_SHAPE_TEXT], tb[SRN_SHAPE_TEXT];
    if (a->shape.rank < 2 || b->shape.rank < 2) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "matmul: needs tensors of at least two axes, got a %s and b %s; reshape a vector "
            "to one row or one column first",
            srn_shape_text(ta, &a->shape), srn_shape_text(tb, &b->shape));
    }
    return true;
}

static bool check_bias(const srn_infer *x, int64_t n, srn_error *err) {
    if (x->n_in < 3) {
        return true;
    }
    const srn_type *bias = x->in[2];
    bool row = bias->shape.rank == 1 && bias->shape.dim[0] == n;
    if (bias->dtype != x->in[0]->dtype ||
        !(row || srn_shape_equal(&bias->shape, &x->out[0].shape))) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE,
                        "matmul: the bias must hold one number per column of y, (%lld,), or one "
                        "per element, of dtype %s, got %s of %s; add anything else behind the "
                        "product",
                        (long long)n, srn_dtype_name(x->in[0]->dtype),
                        srn_shape_text(text, &bias->shape), srn_dtype_name(bias->dtype));
    }
    return true;
}

static bool matmul_infer(srn_infer *x, srn_error *err) {
    const srn_type *a = x->in[0], *b = x->in[1];
    if (!check_types(a, b, err)) {
        return false;
    }
    char ta[SRN_SHAPE_TEXT], tb[SRN_SHAPE_TEXT];
    product p = product_of(a, b, x->attr);
    leads l;
    int64_t k_b = b->shape.dim[b->shape.rank - (p.tb ? 1 : 2)];
    if (p.k != k_b) {
        return srn_fail(err, SRN_ERR_VALUE,
                        "matmul: the %s axis of a %s must equal the %s of b %s: %lld != %lld",
                        p.ta ? "second to last" : "last", srn_shape_text(ta, &a->shape),
                        p.tb                 ? "last"
                        : b->shape.rank == 2 ? "first"
                                             : "second to last",
                        srn_shape_text(tb, &b->shape), (long long)p.k, (long long)k_b);
    }
    if (!p.flat && !leads_of(&l, a, b)) {
        return srn_fail(
            err, SRN_ERR_VALUE,
            "matmul: the leading axes of a %s and b %s do not broadcast: each pair must be "
            "equal, or one of them 1",
            srn_shape_text(ta, &a->shape), srn_shape_text(tb, &b->shape));
    }
    srn_shape out = p.flat ? a->shape : l.all;
    out.rank += p.flat ? 0 : 2;
    out.dim[out.rank - 2] = a->shape.dim[a->shape.rank - (p.ta ? 1 : 2)];
    out.dim[out.rank - 1] = p.n;
    x->out[0] = (srn_type){a->dtype, out};
    return check_bias(x, p.n, err);
}

static srn_val as_matrix(srn_graph *g, srn_val v) {
    if (v == SRN_NONE) {
        return SRN_NONE;
    }
    srn_shape s = srn_type_of(g, v)->shape;
    int64_t dims[] = {srn_shape_product(&s, 0, s.rank - 1), s.dim[s.rank - 1]};
    srn_shape matrix = srn_shape_of(2, dims);
    return srn_reshape(g, v, &matrix);
}

/* dy b^T. A turned copy of a plain matrix, a weight mostly, leaves a scan's loop (graph/scan.c),
 * where turning it inside the product would happen at every step. */
static srn_val times_transposed(srn_graph *g, srn_val dy, srn_val b) {
    if (srn_type_of(g, b)->shape.rank != 2) {
        return srn_matmul(g, dy, b, false, true);
    }
    int64_t swap[] = {1, 0};
    return srn_matmul(g, dy, srn_transpose(g, b, (srn_ints){2, swap}), false, false);
}

static void matmul_vjp(srn_vjp *x) {
    srn_graph *g = x->g;
    srn_val a = x->in[0], b = x->in[1], dy = x->dout[0];
    bool ta = x->attr[TRANSPOSE_A].i, tb = x->attr[TRANSPOSE_B].i;
    srn_shape sa = srn_type_of(g, a)->shape, sb = srn_type_of(g, b)->shape;
    if (x->need[0]) {
        srn_val da = ta   ? srn_matmul(g, b, dy, tb, true)
                     : tb ? srn_matmul(g, dy, b, false, false)
                          : times_transposed(g, dy, b);
        x->din[0] = srn_sum_to(g, da, &sa);
    }
    if (x->n_in > 2 && x->need[2]) {
        srn_shape row = srn_type_of(g, x->in[2])->shape;
        x->din[2] = srn_sum_to(g, dy, &row);
    }
    if (x->need[1]) {
        if (product_of(srn_type_of(g, a), srn_type_of(g, b), x->attr).flat) {
            a = as_matrix(g, a);
            dy = as_matrix(g, dy);
        }
        srn_val db = tb ? srn_matmul(g, dy, a, true, ta) : srn_matmul(g, a, dy, !ta, false);
        x->din[1] = srn_sum_to(g, db, &sb);
    }
}

static int64_t matmul_rows(const srn_infer *x) {
    srn_shape lead = x->out[0].shape;
    const product p = product_of(x->in[0], x->in[1], x->attr);
    lead.rank -= 2;
    return p.m * (p.flat ? 1 : srn_shape_count(&lead));
}

/* Rows of a block: whole tiles of the kernel (16), enough for a thread, and so many that the way
 * through a large B (L2 and beyond) pays; few rows, those of weight gradients, make two blocks. */
static int64_t block_of(const product *p) {
    const double much = 65536, each = (double)p->n * (double)p->k;
    if (each <= much) {
        return ((int64_t)(much / (each + 1)) / 16 + 1) * 16;
    }
    int64_t half = ((p->m + 1) / 2 + 3) / 4 * 4;
    return half < 128 ? half : 128;
}

/* What makes blocks of block_of rows: see partition in compile/compile.c. */
static double matmul_cost(const srn_infer *x) {
    const product p = product_of(x->in[0], x->in[1], x->attr);
    return (double)matmul_rows(x) * SRN_WORTH_A_THREAD / ((double)block_of(&p) - 0.5);
}

/* Which matrix of `lead_from` (broadcast to `lead`) belongs to number `i` of `lead`. */
static int64_t matrix_at(const srn_shape *lead_from, const srn_shape *lead, int64_t i) {
    int64_t strides[SRN_MAX_RANK], at = 0;
    srn_shape_strides(strides, lead_from, lead);
    for (int32_t axis = lead->rank - 1; axis >= 0; axis--) {
        at += i % lead->dim[axis] * strides[axis];
        i /= lead->dim[axis];
    }
    return at;
}

/* Rows of a matrix per leading index, one product each. */
static void matrix_by_matrix(const srn_exec *x, const product *p, srn_gemm_problem *g, int64_t row0,
                             int64_t row1) {
    leads l;
    leads_of(&l, &x->in[0]->type, &x->in[1]->type);
    while (row0 < row1) {
        int64_t i = row0 / p->m, first = row0 % p->m;
        int64_t a = matrix_at(&l.a, &l.all, i) * p->m * p->k + first * (p->ta ? 1 : p->k);
        g->m = row1 - row0 < p->m - first ? row1 - row0 : p->m - first;
        g->a = srn_view_at(x->in[0], a);
        g->b = srn_view_at(x->in[1], matrix_at(&l.b, &l.all, i) * p->k * p->n);
        g->c = srn_view_at(x->out[0], row0 * p->n);
        g->d = x->n_in < 3 ? NULL : srn_view_at(x->in[2], row0 * g->ldd);
        srn_gemm(x->out[0]->type.dtype, g);
        row0 += g->m;
    }
}

static void matmul_exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const product p = product_of(&x->in[0]->type, &x->in[1]->type, x->attr);
    srn_gemm_problem g = {.ta = p.ta, .tb = p.tb, .n = p.n, .k = p.k, .ldc = p.n};
    g.lda = p.ta ? p.m : p.k;
    g.ldb = p.tb ? p.k : p.n;
    const srn_view *bias = x->n_in < 3 ? NULL : x->in[2];
    g.ldd = bias == NULL || bias->type.shape.rank == 1 ? 0 : p.n;
    g.d = bias == NULL ? NULL : srn_view_at(bias, row0 * g.ldd);
    if (!p.flat) {
        matrix_by_matrix(x, &p, &g, row0, row1);
        return;
    }
    g.m = row1 - row0;
    g.a = srn_view_at(x->in[0], row0 * (p.ta ? 1 : p.k));
    g.b = x->in[1]->data;
    g.c = srn_view_at(x->out[0], row0 * p.n);
    srn_gemm(x->out[0]->type.dtype, &g);
}

const srn_op srn_op_matmul = {
    .name = "matmul",
    .doc =
        "matmul(a, b, bias?): y[..., i, j] = sum over p of a[..., i, p] * b[..., p, j] + bias[j]\n"
        "a (..., M, K), b (K, N) or (..., K, N), bias (N,) or like y -> y (..., M, N); leading "
        "axes broadcast.\n"
        "transpose_a, transpose_b: a is (..., K, M), b is (..., N, K).",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .attrs = matmul_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .infer = matmul_infer,
    .vjp = matmul_vjp,
    .rows = matmul_rows,
    .cost = matmul_cost,
    .exec = matmul_exec,
};
