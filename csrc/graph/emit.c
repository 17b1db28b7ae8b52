/* Short names for emitting nodes; see emit.h. */
#include "graph/emit.h"

srn_val srn_emit1(srn_graph *g, srn_op_id id, srn_val a) {
    return srn_emit(g, id, 1, &a, NULL);
}

srn_val srn_emit2(srn_graph *g, srn_op_id id, srn_val a, srn_val b) {
    srn_val in[] = {a, b};
    return srn_emit(g, id, 2, in, NULL);
}

srn_val srn_neg(srn_graph *g, srn_val a) {
    return srn_emit1(g, SRN_OP_neg, a);
}

srn_val srn_square(srn_graph *g, srn_val a) {
    return srn_emit1(g, SRN_OP_square, a);
}

srn_val srn_add(srn_graph *g, srn_val a, srn_val b) {
    if (a == SRN_NONE || b == SRN_NONE) {
        return a == SRN_NONE ? b : a;
    }
    return srn_emit2(g, SRN_OP_add, a, b);
}

srn_val srn_sub(srn_graph *g, srn_val a, srn_val b) {
    return srn_emit2(g, SRN_OP_sub, a, b);
}

/* The number that v repeats, as (); SRN_NONE when v is no repeated number. */
static srn_val repeated(srn_graph *g, srn_val v) {
    while (srn_shape_count(&srn_type_of(g, v)->shape) != 1) {
        const srn_node *maker = srn_maker(g, v);
        if (maker->id != SRN_OP_broadcast_to && maker->id != SRN_OP_reshape) {
            return SRN_NONE;
        }
        v = maker->in[0];
    }
    return srn_reshape(g, v, &(srn_shape){.rank = 0});
}

static bool has_shape(const srn_graph *g, srn_val v, const srn_shape *shape) {
    return srn_shape_equal(&srn_type_of(g, v)->shape, shape);
}

/* A product or quotient. The gradient of a mean is one number for all elements: it stays one, and
 * meets the elements in the first product with them. */
static srn_val scaled(srn_graph *g, srn_op_id id, srn_val a, srn_val b) {
    srn_shape out;
    if (a == SRN_NONE || b == SRN_NONE ||
        !srn_shape_broadcast(&out, &srn_type_of(g, a)->shape, &srn_type_of(g, b)->shape) ||
        srn_shape_count(&out) <= 1) {
        return srn_emit2(g, id, a, b);
    }
    srn_val one_a = repeated(g, a), one_b = repeated(g, b);
    if (one_a != SRN_NONE && one_b != SRN_NONE) {
        return srn_broadcast_to(g, srn_emit2(g, id, one_a, one_b), &out);
    }
    a = one_a != SRN_NONE && has_shape(g, b, &out) ? one_a : a;
    b = one_b != SRN_NONE && has_shape(g, a, &out) ? one_b : b;
    return srn_emit2(g, id, a, b);
}

srn_val srn_mul(srn_graph *g, srn_val a, srn_val b) {
    return scaled(g, SRN_OP_mul, a, b);
}

srn_val srn_div(srn_graph *g, srn_val a, srn_val b) {
    return scaled(g, SRN_OP_div, a, b);
}

srn_val srn_where(srn_graph *g, srn_val condition, srn_val a, srn_val b) {
    srn_val in[] = {condition, a, b};
    return srn_emit(g, SRN_OP_where, 3, in, NULL);
}

srn_val srn_scalar_like(srn_graph *g, srn_val a, double value) {
    return a == SRN_NONE ? SRN_NONE : srn_emit_scalar(g, srn_type_of(g, a)->dtype, value);
}

srn_val srn_scale(srn_graph *g, srn_val a, double factor) {
    return srn_mul(g, a, srn_scalar_like(g, a, factor));
}

srn_val srn_shift(srn_graph *g, srn_val a, double term) {
    return srn_emit2(g, SRN_OP_add, a, srn_scalar_like(g, a, term));
}

srn_val srn_cast(srn_graph *g, srn_val a, srn_dtype dtype) {
    srn_attr attrs[] = {{.i = dtype}};
    return srn_emit(g, SRN_OP_cast, 1, &a, attrs);
}

static srn_ints ints_of(const srn_shape *shape) {
    return (srn_ints){shape->rank, shape->dim};
}

srn_val srn_fill(srn_graph *g, srn_type type, double value) {
    srn_attr attrs[] = {{.ints = ints_of(&type.shape)}, {.f = value}, {.i = type.dtype}};
    return srn_emit(g, SRN_OP_fill, 0, NULL, attrs);
}

srn_val srn_zeros_like(srn_graph *g, srn_val a) {
    return a == SRN_NONE ? SRN_NONE : srn_fill(g, *srn_type_of(g, a), 0);
}

srn_val srn_matmul(srn_graph *g, srn_val a, srn_val b, bool transpose_a, bool transpose_b) {
    srn_val in[] = {a, b};
    srn_attr attrs[] = {{.i = transpose_a}, {.i = transpose_b}};
    return srn_emit(g, SRN_OP_matmul, 2, in, attrs);
}

srn_val srn_sum(srn_graph *g, srn_val a, srn_ints axes, bool keepdims) {
    srn_attr attrs[] = {{.ints = axes}, {.i = keepdims}};
    return srn_emit(g, SRN_OP_sum, 1, &a, attrs);
}

srn_val srn_sum_to(srn_graph *g, srn_val a, const srn_shape *shape) {
    if (a == SRN_NONE) {
        return SRN_NONE;
    }
    /* Copies: a shape of the graph moves when nodes are added. */
    const srn_shape from = srn_type_of(g, a)->shape, to = *shape;
    if (srn_shape_equal(&from, &to)) {
        return a;
    }
    int64_t axes[SRN_MAX_RANK];
    int32_t n = 0, lead = from.rank - to.rank;
    for (int32_t i = 0; i < from.rank; i++) {
        if (i < lead || (to.dim[i - lead] == 1 && from.dim[i] != 1)) {
            axes[n++] = i;
        }
    }
    if (n > 0) {
        a = srn_sum(g, a, (srn_ints){n, axes}, true);
    }
    return srn_reshape(g, a, &to);
}

srn_val srn_broadcast_to(srn_graph *g, srn_val a, const srn_shape *shape) {
    if (a != SRN_NONE && srn_shape_equal(&srn_type_of(g, a)->shape, shape)) {
        return a;
    }
    const srn_shape to = *shape; /* a shape of the graph moves when nodes are added */
    srn_val one = a == SRN_NONE ? SRN_NONE : repeated(g, a);
    srn_attr attrs[] = {{.ints = ints_of(&to)}};
    return srn_emit(g, SRN_OP_broadcast_to, 1, one == SRN_NONE ? &a : &one, attrs);
}

srn_val srn_reshape(srn_graph *g, srn_val a, const srn_shape *shape) {
    if (a != SRN_NONE && srn_shape_equal(&srn_type_of(g, a)->shape, shape)) {
        return a;
    }
    srn_attr attrs[] = {{.ints = ints_of(shape)}};
    return srn_emit(g, SRN_OP_reshape, 1, &a, attrs);
}

srn_val srn_transpose(srn_graph *g, srn_val a, srn_ints perm) {
    srn_attr attrs[] = {{.ints = perm}};
    return srn_emit(g, SRN_OP_transpose, 1, &a, attrs);
}

srn_val srn_slice(srn_graph *g, srn_val a, srn_ints start, srn_ints stop, srn_ints step) {
    srn_attr attrs[] = {{.ints = start}, {.ints = stop}, {.ints = step}};
    return srn_emit(g, SRN_OP_slice, 1, &a, attrs);
}

srn_val srn_slice_axis(srn_graph *g, srn_val a, int32_t axis, int64_t begin, int64_t end) {
    if (a == SRN_NONE) {
        return SRN_NONE;
    }
    srn_shape stop = srn_type_of(g, a)->shape;
    int64_t start[SRN_MAX_RANK] = {0}, step[SRN_MAX_RANK];
    for (int32_t i = 0; i < stop.rank; i++) {
        step[i] = 1;
    }
    start[axis] = begin;
    stop.dim[axis] = end;
    return srn_slice(g, a, (srn_ints){stop.rank, start}, ints_of(&stop),
                     (srn_ints){stop.rank, step});
}

srn_val srn_concat(srn_graph *g, int32_t n, const srn_val *parts, int32_t axis) {
    srn_attr attrs[] = {{.i = axis}};
    return srn_emit(g, SRN_OP_concat, n, parts, attrs);
}
