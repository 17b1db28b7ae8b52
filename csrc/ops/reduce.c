/* Reductions: sum, prod, max, min over any set of axes; argmax, argmin, cumsum along one.
 *
 *   y[k] = x[k, r1] + x[k, r2] + ...      k runs over the kept axes, r over the reduced ones
 *
 * Neighbouring axes of the same kind are merged, which leaves two cases: the last axis is reduced,
 * then y is made from runs of neighbours; or it is kept, then up to 128 neighbouring columns are
 * reduced together, row after row. Floats are added in blocks, the blocks in double, in an order
 * that depends on the shape alone (kernels/vector.h). Rows are elements of the output; memory: none
 * beside the output.
 */
#include "graph/emit.h"
#include "kernels/vector.h"
#include "ops/check.h"

enum { AXES, KEEPDIMS }; /* attributes */

static const srn_attr_spec reduce_attrs[] = {
    {.name = "axes", .kind = SRN_ATTR_INTS}, /* empty: all */
    {.name = "keepdims", .kind = SRN_ATTR_BOOL},
    {0},
};

/* ---- shape rules ---- */

/* reduced[axis] for an axes attribute that was checked. */
static void mark_axes(bool reduced[SRN_MAX_RANK], int32_t rank, srn_ints axes) {
    for (int32_t i = 0; i < SRN_MAX_RANK; i++) {
        reduced[i] = axes.n == 0;
    }
    for (int32_t i = 0; i < axes.n; i++) {
        reduced[axes.v[i] < 0 ? axes.v[i] + rank : axes.v[i]] = true;
    }
}

static bool check_axis(int64_t axis, const srn_shape *shape, const char *name, srn_error *err) {
    if (axis < -shape->rank || axis >= shape->rank) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE, "%s: axis %lld is out of range for shape %s", name,
                        (long long)axis, srn_shape_text(text, shape));
    }
    return true;
}

static bool check_axes(srn_ints axes, const srn_shape *shape, const char *name, srn_error *err) {
    bool seen[SRN_MAX_RANK] = {false};
    for (int32_t i = 0; i < axes.n; i++) {
        if (!check_axis(axes.v[i], shape, name, err)) {
            return false;
        }
        int64_t axis = axes.v[i] < 0 ? axes.v[i] + shape->rank : axes.v[i];
        if (seen[axis]) {
            return srn_fail(err, SRN_ERR_VALUE, "%s: axis %lld is given twice", name,
                            (long long)axes.v[i]);
        }
        seen[axis] = true;
    }
    return true;
}

static srn_shape shape_after(const srn_shape *shape, srn_ints axes, bool keepdims) {
    bool reduced[SRN_MAX_RANK];
    srn_shape out = {0};
    mark_axes(reduced, shape->rank, axes);
    for (int32_t i = 0; i < shape->rank; i++) {
        if (!reduced[i]) {
            out.dim[out.rank++] = shape->dim[i];
        } else if (keepdims) {
            out.dim[out.rank++] = 1;
        }
    }
    return out;
}

static bool infer_reduce(srn_infer *x, const char *name, srn_error *err) {
    const srn_type *in = x->in[0];
    if (!check_axes(x->attr[AXES].ints, &in->shape, name, err)) {
        return false;
    }
    x->out[0].dtype = in->dtype;
    x->out[0].shape = shape_after(&in->shape, x->attr[AXES].ints, x->attr[KEEPDIMS].i != 0);
    return true;
}

static bool take_number(srn_infer *x, const char *name, srn_error *err) {
    return srn_expect_number(x->in[0], name, err) && infer_reduce(x, name, err);
}

/* The largest of nothing does not exist. */
static bool take_some(srn_infer *x, const char *name, srn_error *err) {
    if (!infer_reduce(x, name, err)) {
        return false;
    }
    if (srn_shape_count(&x->in[0]->shape) == 0 && srn_shape_count(&x->out[0].shape) > 0) {
        char text[SRN_SHAPE_TEXT];
        return srn_fail(err, SRN_ERR_VALUE, "%s: shape %s has no elements along the reduced axes",
                        name, srn_shape_text(text, &x->in[0]->shape));
    }
    return true;
}

static int64_t out_elements(const srn_infer *x) {
    return srn_shape_count(&x->out[0].shape);
}

/* A term costs an eighth of what a block is measured in (compile/compile.c), and narrow blocks of
 * columns would cost more than threads gain. */
static double reduce_cost(const srn_infer *x) {
    return (double)srn_shape_count(&x->in[0]->shape) / 8;
}

/* ---- execution ---- */

typedef struct axes_group { /* neighbouring axes, merged; strides in elements of x */
    int32_t n;
    int64_t dim[SRN_MAX_RANK], stride[SRN_MAX_RANK];
} axes_group;

typedef struct layout {
    axes_group kept, reduced;
    bool by_runs; /* the last axis is a reduced one */
} layout;

static void layout_of(layout *l, const srn_shape *shape, srn_ints axes) {
    bool reduced[SRN_MAX_RANK];
    mark_axes(reduced, shape->rank, axes);
    *l = (layout){0};
    axes_group *last = NULL;
    for (int32_t i = 0; i < shape->rank; i++) {
        axes_group *group = reduced[i] ? &l->reduced : &l->kept;
        if (shape->dim[i] == 1) {
            continue;
        }
        if (group != last) {
            group->dim[group->n++] = 1;
        }
        group->dim[group->n - 1] *= shape->dim[i];
        group->stride[group->n - 1] = srn_shape_product(shape, i + 1, shape->rank);
        last = group;
    }
    l->by_runs = last != &l->kept;
    if (l->reduced.n == 0) { /* sums of one term */
        l->reduced.dim[l->reduced.n++] = 1;
    }
    if (l->kept.n == 0) { /* one sum */
        l->kept.dim[l->kept.n++] = 1;
    }
}

/* Where element `index` of the first n axes of a group begins. */
static int64_t offset_of(const axes_group *group, int32_t n, int64_t index) {
    int64_t offset = 0;
    for (int32_t i = n - 1; i >= 0; i--) {
        offset += index % group->dim[i] * group->stride[i];
        index /= group->dim[i];
    }
    return offset;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Up to SRN_FOLD_COLUMNS outputs at a time, neighbours on the last kept axis. */
static void run(srn_fold f, const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_vector *vectors = srn_vectors();
    const srn_view *in = x->in[0], *out = x->out[0];
    const srn_dtype dtype = in->type.dtype;
    const srn_total start = srn_fold_start(f, dtype);
    layout l;
    layout_of(&l, &in->type.shape, x->attr[AXES].ints);
    const int32_t last = l.reduced.n - 1, last_kept = l.kept.n - 1;
    const int64_t terms = l.reduced.dim[last], stride = l.reduced.stride[last];
    const int64_t width = l.kept.dim[last_kept];
    int64_t outer = 1;
    for (int32_t i = 0; i < last; i++) {
        outer *= l.reduced.dim[i];
    }
    for (int64_t row = row0, n; row < row1; row += n) {
        n = smaller(smaller(width - row % width, row1 - row), SRN_FOLD_COLUMNS);
        srn_total total[SRN_FOLD_COLUMNS];
        for (int64_t j = 0; j < n; j++) {
            total[j] = start;
        }
        const int64_t begin = offset_of(&l.kept, l.kept.n, row);
        for (int64_t r = 0; r < outer; r++) {
            const void *from = srn_view_at(in, begin + offset_of(&l.reduced, last, r));
            if (l.by_runs) {
                vectors->fold_runs(f, dtype, total, from, terms, l.kept.stride[last_kept], n);
            } else {
                vectors->fold(f, dtype, total, from, terms, stride, n);
            }
        }
        srn_fold_store(dtype, srn_view_at(out, row), total, n);
    }
}

/* ---- gradient rules ---- */

/* A gradient by the output, in the shape that broadcasts against x. */
static srn_val with_axes(srn_vjp *p, srn_val dy) {
    srn_shape shape = srn_type_of(p->g, p->in[0])->shape;
    shape = shape_after(&shape, p->attr[AXES].ints, true);
    return srn_reshape(p->g, dy, &shape);
}

static void vjp_sum(srn_vjp *p) {
    srn_shape shape = srn_type_of(p->g, p->in[0])->shape;
    p->din[0] = srn_broadcast_to(p->g, with_axes(p, p->dout[0]), &shape);
}

/* Equal extremes share: dx = dy [x == y] / (how many of them). */
static void vjp_extreme(srn_vjp *p) {
    srn_graph *g = p->g;
    srn_val hit = srn_emit2(g, SRN_OP_equal, p->in[0], with_axes(p, p->out[0]));
    srn_val ones = srn_cast(g, hit, srn_type_of(g, p->in[0])->dtype);
    srn_val count = srn_sum(g, ones, p->attr[AXES].ints, true);
    p->din[0] = srn_mul(g, ones, srn_div(g, with_axes(p, p->dout[0]), count));
}

/* The product of all others: of the others than zero, P / x; where x is the only zero, P itself;
 * else another factor is zero. */
static void vjp_prod(srn_vjp *p) {
    srn_graph *g = p->g;
    const srn_val x = p->in[0];
    const srn_ints axes = p->attr[AXES].ints;
    const srn_dtype dtype = srn_type_of(g, x)->dtype;
    srn_val zero = srn_emit_scalar(g, dtype, 0), one = srn_emit_scalar(g, dtype, 1);
    srn_val is_zero = srn_emit2(g, SRN_OP_equal, x, zero);
    srn_val factors = srn_where(g, is_zero, one, x);
    srn_attr attrs[] = {{.ints = axes}, {.i = true}};
    srn_val product = srn_emit(g, SRN_OP_prod, 1, &factors, attrs);
    srn_val zeros = srn_sum(g, srn_cast(g, is_zero, dtype), axes, true);
    srn_val no_zero = srn_emit2(g, SRN_OP_equal, zeros, zero);
    srn_val one_zero = srn_emit2(g, SRN_OP_equal, zeros, one);
    srn_val at_zero = srn_where(g, one_zero, product, zero);
    srn_val elsewhere = srn_where(g, no_zero, srn_div(g, product, factors), zero);
    srn_val others = srn_where(g, is_zero, at_zero, elsewhere);
    p->din[0] = srn_mul(g, with_axes(p, p->dout[0]), others);
}

/* ---- the ops ---- */

#define REDUCTION(word, fold, types, rule, text)                                                   \
    static bool infer_##word(srn_infer *x, srn_error *err) {                                       \
        return types(x, #word, err);                                                               \
    }                                                                                              \
    static void exec_##word(const srn_exec *x, int64_t row0, int64_t row1) {                       \
        run(fold, x, row0, row1);                                                                  \
    }                                                                                              \
    const srn_op srn_op_##word = {                                                                 \
        .name = #word,                                                                             \
        .doc = text,                                                                               \
        .min_in = 1,                                                                               \
        .max_in = 1,                                                                               \
        .n_out = 1,                                                                                \
        .attrs = reduce_attrs,                                                                     \
        .diff = SRN_DIFF_RULE,                                                                     \
        .parallel = SRN_ROWS,                                                                      \
        .infer = infer_##word,                                                                     \
        .vjp = rule,                                                                               \
        .rows = out_elements,                                                                      \
        .cost = reduce_cost,                                                                       \
        .min_block = 32,                                                                           \
        .exec = exec_##word,                                                                       \
    };

REDUCTION(sum, SRN_FOLD_SUM, take_number, vjp_sum,
          "sum(x, axes=all, keepdims=False): numbers, same dtype; of nothing 0.")
REDUCTION(prod, SRN_FOLD_PROD, take_number, vjp_prod,
          "prod(x, axes=all, keepdims=False): numbers, same dtype; of nothing 1.")
REDUCTION(max, SRN_FOLD_MAX, take_some, vjp_extreme,
          "max(x, axes=all, keepdims=False): any dtype (of bool: any); a NaN comes out. Gradient\n"
          "shared by equal ones.")
REDUCTION(min, SRN_FOLD_MIN, take_some, vjp_extreme,
          "min(x, axes=all, keepdims=False): any dtype (of bool: all); a NaN comes out. Gradient\n"
          "shared by equal ones.")

/* ---- along one axis ---- */

enum { AXIS, REVERSE };

static int32_t axis_of(const srn_attr *attr, const srn_shape *shape) {
    int64_t axis = attr[AXIS].i;
    return (int32_t)(axis < 0 ? axis + shape->rank : axis);
}

/* x as (outer, n, inner). */
static void split_at(const srn_shape *shape, int32_t axis, int64_t *n, int64_t *inner) {
    *n = shape->dim[axis];
    *inner = srn_shape_product(shape, axis + 1, shape->rank);
}

/* ---- argmax, argmin ---- */

static const srn_attr_spec arg_attrs[] = {
    {.name = "axis", .kind = SRN_ATTR_INT, .dflt = {.i = -1}},
    {0},
};

static bool infer_arg(srn_infer *x, const char *name, srn_error *err) {
    const srn_shape *shape = &x->in[0]->shape;
    if (!check_axis(x->attr[AXIS].i, shape, name, err)) {
        return false;
    }
    const int64_t axis = axis_of(x->attr, shape);
    x->out[0].dtype = SRN_I64;
    x->out[0].shape = shape_after(shape, (srn_ints){1, &axis}, false);
    if (shape->dim[axis] == 0) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: axis %lld has no elements", name, (long long)axis);
    }
    return true;
}

#define SEARCH(T, relation)                                                                        \
    {                                                                                              \
        const T *x = from;                                                                         \
        int64_t best = 0;                                                                          \
        for (int64_t i = 1; i < n; i++) {                                                          \
            const T now = x[i * inner], then = x[best * inner];                                    \
            if (now relation then || (now != now && then == then)) { /* the first NaN wins */      \
                best = i;                                                                          \
            }                                                                                      \
        }                                                                                          \
        return best;                                                                               \
    }

#define SEARCH_BY_TYPE(relation)                                                                   \
    switch (dtype) {                                                                               \
    case SRN_F32:                                                                                  \
        SEARCH(float, relation)                                                                    \
    case SRN_F64:                                                                                  \
        SEARCH(double, relation)                                                                   \
    case SRN_I32:                                                                                  \
        SEARCH(int32_t, relation)                                                                  \
    case SRN_I64:                                                                                  \
        SEARCH(int64_t, relation)                                                                  \
    default:                                                                                       \
        SEARCH(bool, relation)                                                                     \
    }

static int64_t first_largest(srn_dtype dtype, const void *from, int64_t n, int64_t inner) {
    SEARCH_BY_TYPE(>)
}

static int64_t first_smallest(srn_dtype dtype, const void *from, int64_t n,
                              int64_t inner){SEARCH_BY_TYPE(<)}

#define SEARCH_OP(word, search, text)                                                              \
    static bool infer_##word(srn_infer *x, srn_error *err) {                                       \
        return infer_arg(x, #word, err);                                                           \
    }                                                                                              \
    static void exec_##word(const srn_exec *x, int64_t row0, int64_t row1) {                       \
        const srn_view *in = x->in[0];                                                             \
        int64_t n, inner, *out = x->out[0]->data;                                                  \
        split_at(&in->type.shape, axis_of(x->attr, &in->type.shape), &n, &inner);                  \
        for (int64_t row = row0; row < row1; row++) {                                              \
            int64_t first = row / inner * n * inner + row % inner;                                 \
            out[row] = search(in->type.dtype, srn_view_at(in, first), n, inner);                   \
        }                                                                                          \
    }                                                                                              \
    const srn_op srn_op_##word = {                                                                 \
        .name = #word,                                                                             \
        .doc = text,                                                                               \
        .min_in = 1,                                                                               \
        .max_in = 1,                                                                               \
        .n_out = 1,                                                                                \
        .attrs = arg_attrs,                                                                        \
        .diff = SRN_DIFF_ZERO,                                                                     \
        .parallel = SRN_ROWS,                                                                      \
        .infer = infer_##word,                                                                     \
        .rows = out_elements,                                                                      \
        .exec = exec_##word,                                                                       \
    };

SEARCH_OP(argmax, first_largest,
          "argmax(x, axis=-1): int64, where the first of the largest is; the axis goes away.")
    SEARCH_OP(argmin, first_smallest,
              "argmin(x, axis=-1): int64, where the first of the smallest is; the axis goes away.")

    /* ---- cumsum ---- */

    static const srn_attr_spec cumsum_attrs[] = {
        {.name = "axis", .kind = SRN_ATTR_INT, .dflt = {.i = -1}},
        {.name = "reverse", .kind = SRN_ATTR_BOOL},
        {0},
    };

static bool infer_cumsum(srn_infer *x, srn_error *err) {
    x->out[0] = *x->in[0];
    return srn_expect_number(x->in[0], "cumsum", err) &&
           check_axis(x->attr[AXIS].i, &x->in[0]->shape, "cumsum", err);
}

static int64_t rows_cumsum(const srn_infer *x) {
    const srn_shape *shape = &x->in[0]->shape;
    int64_t n = shape->dim[axis_of(x->attr, shape)];
    return n == 0 ? 0 : srn_shape_count(shape) / n;
}

static void vjp_cumsum(srn_vjp *p) {
    srn_attr attrs[] = {p->attr[AXIS], {.i = !p->attr[REVERSE].i}};
    p->din[0] = srn_emit(p->g, SRN_OP_cumsum, 1, &p->dout[0], attrs);
}

/* Columns first .. first + columns - 1, side by side, step from one term to the next; floats are
 * added in double. */
#define ACCUMULATE(T, TOTAL)                                                                       \
    {                                                                                              \
        const T *x = from;                                                                         \
        T *y = to;                                                                                 \
        TOTAL total[SRN_FOLD_COLUMNS] = {0};                                                       \
        for (int64_t i = 0; i < n; i++, x += step, y += step) {                                    \
            for (int64_t j = 0; j < columns; j++) {                                                \
                total[j] += (TOTAL)x[j];                                                           \
                y[j] = (T)total[j];                                                                \
            }                                                                                      \
        }                                                                                          \
        break;                                                                                     \
    }

static void accumulate(srn_dtype dtype, void *to, const void *from, int64_t n, int64_t step,
                       int64_t columns) {
    switch (dtype) {
    case SRN_F32:
        ACCUMULATE(float, double)
    case SRN_F64:
        ACCUMULATE(double, double)
    case SRN_I32:
        ACCUMULATE(int32_t, uint32_t)
    default:
        ACCUMULATE(int64_t, uint64_t)
    }
}

static void exec_cumsum(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_view *in = x->in[0], *out = x->out[0];
    int64_t n, inner;
    split_at(&in->type.shape, axis_of(x->attr, &in->type.shape), &n, &inner);
    const bool reverse = x->attr[REVERSE].i != 0;
    for (int64_t row = row0, columns; row < row1; row += columns) {
        columns = inner - row % inner;
        columns = columns < row1 - row ? columns : row1 - row;
        columns = columns < SRN_FOLD_COLUMNS ? columns : SRN_FOLD_COLUMNS;
        int64_t first = row / inner * n * inner + row % inner + (reverse ? (n - 1) * inner : 0);
        accumulate(in->type.dtype, srn_view_at(out, first), srn_view_at(in, first), n,
                   reverse ? -inner : inner, columns);
    }
}

const srn_op srn_op_cumsum = {
    .name = "cumsum",
    .doc = "cumsum(x, axis=-1, reverse=False): y[i] = x[0] + ... + x[i] along the axis, numbers;\n"
           "reverse: y[i] = x[i] + ... + x[n-1].",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = cumsum_attrs,
    .diff = SRN_DIFF_RULE,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_INPLACE,
    .infer = infer_cumsum,
    .vjp = vjp_cumsum,
    .rows = rows_cumsum,
    .exec = exec_cumsum,
};
