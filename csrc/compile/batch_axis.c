/* What each op does to the axis of the batch; see batch_axis.h. */
#include "compile/batch_look.h"

#include <string.h>

#include "graph/emit.h"

static const srn_shape *shape_in(const srn_look *x, int32_t k) {
    return &srn_type_of(x->g, x->node->in[k])->shape;
}

static const srn_shape *shape_out(const srn_look *x, int32_t k) {
    return &srn_type_of(x->g, x->node->out + k)->shape;
}

static bool has_batch(const srn_look *x, int32_t k) {
    return srn_axis_in(x, k).at != SRN_NONE;
}

static int32_t wrapped(int64_t axis, int32_t rank) {
    return (int32_t)(axis < 0 ? axis + rank : axis);
}

static bool make_room(srn_look *x) {
    srn_batch_rule *rule = x->rule;
    *rule = (srn_batch_rule){.combine = SRN_N_OPS};
    int32_t n_in = x->node->n_in, n_out = x->node->n_out;
    rule->need = srn_arena_alloc(x->arena, ((size_t)n_in + 1) * sizeof *rule->need, x->err);
    rule->out = srn_arena_alloc(x->arena, ((size_t)n_out + 1) * sizeof *rule->out, x->err);
    for (int32_t k = 0; rule->need != NULL && k < n_in; k++) {
        rule->need[k] = SRN_NO_AXIS;
    }
    for (int32_t k = 0; rule->out != NULL && k < n_out; k++) {
        rule->out[k] = SRN_NO_AXIS;
    }
    return rule->need != NULL && rule->out != NULL;
}

/* ---- ops that broadcast ---- */

/* Inputs that run along axis `out` of the output must have it as well. */
static bool broadcasts(srn_look *x, srn_axis out) {
    const srn_shape *to = shape_out(x, 0);
    for (int32_t k = 0; k < x->node->n_in; k++) {
        const srn_shape *from = shape_in(x, k);
        int32_t at = out.at - (to->rank - from->rank);
        if (at >= 0 && from->dim[at] == to->dim[out.at]) {
            x->rule->need[k] = srn_axis_moved(out, at);
        }
    }
    x->rule->out[0] = out;
    return true;
}

static int32_t first_with_batch(const srn_look *x) {
    int32_t k = 0;
    while (!has_batch(x, k)) {
        k++;
    }
    return k;
}

static bool elementwise(srn_look *x) {
    int32_t k = first_with_batch(x);
    srn_axis axis = srn_axis_in(x, k);
    return broadcasts(x,
                      srn_axis_moved(axis, axis.at + shape_out(x, 0)->rank - shape_in(x, k)->rank));
}

/* ---- ops with a fixed place for the batch ---- */

enum { MOST = 9, W = -1 }; /* W: whole, the same for all samples */
typedef struct place {
    srn_op_id id;
    int8_t in[MOST], out[6];
    bool adds; /* over the samples */
} place;

static const place places[] = {
    {.id = SRN_OP_rnn, .in = {1, W, 0, 1, 1}, .out = {1, 0, 1}},
    {.id = SRN_OP_rnn_grad, .in = {1, 0, W, 1, 1, 1}, .out = {1, 0}},
    {.id = SRN_OP_lstm, .in = {1, W, 0, 0, 1, 1}, .out = {1, 0, 0, 1, 1, 1}},
    {.id = SRN_OP_lstm_grad, .in = {1, 0, 0, W, 1, 1, 0, 1, 1}, .out = {1, 0, 0}},
    {.id = SRN_OP_gru, .in = {1, W, W, 0, 1, 1}, .out = {1, 0, 1, 1, 1}},
    {.id = SRN_OP_gru_grad, .in = {1, 0, W, 1, 1, 1, 0, 1, 1}, .out = {1, 1, 0}},
    {.id = SRN_OP_conv1d, .in = {0, W, W}, .out = {0}},
    {.id = SRN_OP_conv1d_dx, .in = {0, W}, .out = {0}},
    {.id = SRN_OP_conv1d_dw, .in = {0, 0}, .out = {W}, .adds = true},
};

static const place *place_of(srn_op_id id) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].id == id) {
            return &places[i];
        }
    }
    return NULL;
}

static bool placed(srn_look *x, const place *p) {
    for (int32_t k = 0; k < x->node->n_in; k++) {
        if (p->in[k] != W && x->node->in[k] != SRN_NONE) {
            x->rule->need[k] = (srn_axis){p->in[k], 1, 1};
            if (shape_in(x, k)->dim[p->in[k]] != x->batch) {
                return false;
            }
        }
    }
    for (int32_t k = 0; k < x->node->n_out; k++) {
        const srn_shape *shape = shape_out(x, k);
        if (p->out[k] != W && shape->rank > p->out[k] && shape->dim[p->out[k]] == x->batch) {
            x->rule->out[k] = (srn_axis){p->out[k], 1, 1};
        }
    }
    x->rule->combine = p->adds ? SRN_OP_sum : SRN_N_OPS;
    return true;
}

/* ---- products ---- */

enum { A, B, BIAS };

/* Rows of a, or leading axes, that are the batch's. */
static bool rows_of_a(srn_look *x, srn_axis axis, int32_t row_axis) {
    const srn_shape *a = shape_in(x, A), *b = shape_in(x, B), *out = shape_out(x, 0);
    x->rule->need[A] = axis;
    x->rule->out[0] =
        srn_axis_moved(axis, axis.at == row_axis ? out->rank - 2 : axis.at + out->rank - a->rank);
    if (x->node->n_in > 2 && shape_in(x, BIAS)->rank > 1) {
        x->rule->need[BIAS] = x->rule->out[0];
    }
    int32_t at = axis.at - (a->rank - b->rank);
    bool leads = axis.at < a->rank - 2 && b->rank > 2 && at >= 0;
    if (leads && b->dim[at] == a->dim[axis.at]) {
        x->rule->need[B] = srn_axis_moved(axis, at);
    }
    return true;
}

static bool matmul(srn_look *x) {
    const srn_shape *a = shape_in(x, A), *b = shape_in(x, B), *out = shape_out(x, 0);
    bool ta = x->node->attr[0].i != 0, tb = x->node->attr[1].i != 0;
    int32_t inner_a = a->rank - (ta ? 2 : 1), inner_b = b->rank - (tb ? 1 : 2);
    srn_axis in_a = srn_axis_in(x, A), in_b = srn_axis_in(x, B);
    if (in_a.at == inner_a || (in_a.at == SRN_NONE && in_b.at == inner_b)) {
        srn_axis axis = in_a.at == inner_a ? in_a : in_b;
        x->rule->need[A] = srn_axis_moved(axis, inner_a);
        x->rule->need[B] = srn_axis_moved(axis, inner_b);
        x->rule->combine = SRN_OP_sum;
        return x->node->n_in == 2 && a->rank == 2 && b->rank == 2;
    }
    if (in_a.at != SRN_NONE) {
        return rows_of_a(x, in_a, a->rank - (ta ? 1 : 2));
    }
    if (in_b.at == SRN_NONE || x->node->n_in > 2) {
        return false;
    }
    x->rule->need[B] = in_b;
    if (in_b.at >= b->rank - 2) { /* columns of b */
        x->rule->out[0] = srn_axis_moved(in_b, out->rank - 1);
        return true;
    }
    int32_t at = in_b.at - (b->rank - a->rank);
    if (at >= 0 && a->dim[at] == b->dim[in_b.at]) {
        x->rule->need[A] = srn_axis_moved(in_b, at);
    }
    x->rule->out[0] = srn_axis_moved(in_b, in_b.at + out->rank - b->rank);
    return true;
}

/* ---- ops along other axes ---- */

/* All inputs and outputs have the batch where the first input has it. */
static bool alike(srn_look *x) {
    int32_t k = first_with_batch(x);
    for (int32_t i = 0; i < x->node->n_in; i++) {
        x->rule->need[i] = srn_axis_in(x, k);
    }
    for (int32_t i = 0; i < x->node->n_out; i++) {
        x->rule->out[i] = srn_axis_in(x, k);
    }
    return true;
}

static bool alike_but(srn_look *x, int64_t axis) {
    int32_t k = first_with_batch(x);
    return srn_axis_in(x, k).at != wrapped(axis, shape_in(x, k)->rank) && alike(x);
}

static bool reduce(srn_look *x) {
    const srn_ints axes = x->node->attr[0].ints;
    const srn_axis axis = srn_axis_in(x, 0);
    int32_t rank = shape_in(x, 0)->rank, before = 0;
    x->rule->need[0] = axis;
    bool over = axes.n == 0;
    for (int32_t i = 0; i < axes.n; i++) {
        over = over || wrapped(axes.v[i], rank) == axis.at;
        before += wrapped(axes.v[i], rank) < axis.at;
    }
    if (over) {
        x->rule->combine = x->node->id;
    } else {
        x->rule->out[0] = srn_axis_moved(axis, axis.at - (x->node->attr[1].i != 0 ? 0 : before));
    }
    return true;
}

static bool argument(srn_look *x) { /* argmax, argmin */
    const srn_axis axis = srn_axis_in(x, 0);
    int32_t along = wrapped(x->node->attr[0].i, shape_in(x, 0)->rank);
    x->rule->need[0] = axis;
    x->rule->out[0] = srn_axis_moved(axis, axis.at - (along < axis.at));
    return along != axis.at;
}

static bool layer_norm(srn_look *x) { /* over the last axis; also its gradient */
    const srn_axis axis = srn_axis_in(x, 0);
    bool grad = x->node->id == SRN_OP_layer_norm_grad;
    for (int32_t k = 0; k < (grad ? 4 : 1); k++) {
        x->rule->need[k] = axis;
    }
    for (int32_t k = 0; k < x->node->n_out; k++) {
        x->rule->out[k] = axis;
    }
    return axis.at != SRN_NONE && axis.at < shape_in(x, 0)->rank - 1;
}

/* ---- ops that move elements ---- */

static bool transpose(srn_look *x) {
    const srn_ints perm = x->node->attr[0].ints;
    x->rule->need[0] = srn_axis_in(x, 0);
    for (int32_t i = 0; i < perm.n; i++) {
        if (perm.v[i] == srn_axis_in(x, 0).at) {
            x->rule->out[0] = srn_axis_moved(srn_axis_in(x, 0), i);
        }
    }
    return true;
}

/* Where the batch is after a reshape. */
static bool reshaped(srn_axis *axis, const srn_shape *from, const srn_shape *to, int64_t batch) {
    int64_t outer = srn_shape_product(from, 0, axis->at) * axis->before, front = 1;
    for (int32_t at = 0; at < to->rank; at++) {
        int64_t dim = to->dim[at];
        if (outer > 0 && front * dim > outer) { /* the batch begins within this axis */
            int64_t before = outer / front;
            *axis = (srn_axis){at, before, dim / (before * batch)};
            return outer % front == 0 && dim % (before * batch) == 0;
        }
        front *= dim;
    }
    return false;
}

static bool reshape(srn_look *x) {
    x->rule->need[0] = x->rule->out[0] = srn_axis_in(x, 0);
    return reshaped(&x->rule->out[0], shape_in(x, 0), shape_out(x, 0), x->batch);
}

/* The batch's axis whole, from the first to the last. */
static bool cut(srn_look *x, srn_ints start, srn_ints step) {
    const srn_axis axis = srn_axis_in(x, 0);
    return start.v[axis.at] == 0 && step.v[axis.at] == 1 &&
           shape_in(x, 0)->dim[axis.at] == shape_out(x, 0)->dim[axis.at] && alike(x);
}

static bool pad(srn_look *x) {
    const srn_attr *attr = x->node->attr;
    int32_t at = srn_axis_in(x, 0).at;
    return attr[0].ints.v[at] == 0 && attr[1].ints.v[at] == 0 && alike(x);
}

/* x (A.., n, B..) by indices (I..) -> (A.., I.., B..); take_grad back. */
static bool take(srn_look *x) {
    const srn_axis of_x = srn_axis_in(x, 0), of_ids = srn_axis_in(x, 1);
    int32_t along = wrapped(x->node->attr[0].i, shape_in(x, 0)->rank);
    int32_t ids = shape_in(x, 1)->rank;
    if (of_x.at == SRN_NONE) {
        x->rule->need[1] = of_ids;
        x->rule->out[0] = srn_axis_moved(of_ids, along + of_ids.at);
        return true;
    }
    x->rule->need[0] = of_x;
    x->rule->out[0] = srn_axis_moved(of_x, of_x.at < along ? of_x.at : of_x.at - 1 + ids);
    return of_x.at != along;
}

static bool take_grad(srn_look *x) {
    const srn_axis of_ids = srn_axis_in(x, 1);
    int32_t along = wrapped(x->node->attr[0].i, shape_out(x, 0)->rank);
    x->rule->need[0] = srn_axis_moved(of_ids, along + of_ids.at);
    x->rule->need[1] = of_ids;
    x->rule->combine = SRN_OP_sum;
    return of_ids.at != SRN_NONE;
}

/* ---- all ops ---- */

static bool of_op(srn_look *x) {
    const srn_node *node = x->node;
    if (node->op->flags & SRN_FLAG_ELEMENTWISE) {
        return elementwise(x);
    }
    const place *fixed = place_of(node->id);
    if (fixed != NULL) {
        return placed(x, fixed);
    }
    switch (node->id) {
    case SRN_OP_scan:
        return srn_batch_rule_of_scan(x);
    case SRN_OP_matmul:
        return matmul(x);
    case SRN_OP_sum:
    case SRN_OP_max:
    case SRN_OP_min:
    case SRN_OP_prod:
        return reduce(x);
    case SRN_OP_argmax:
    case SRN_OP_argmin:
        return argument(x);
    case SRN_OP_layer_norm:
    case SRN_OP_layer_norm_grad:
        return layer_norm(x);
    case SRN_OP_softmax:
    case SRN_OP_log_softmax:
    case SRN_OP_argsort:
        return alike_but(x, -1);
    case SRN_OP_cumsum:
    case SRN_OP_concat:
        return alike_but(x, node->attr[0].i);
    case SRN_OP_copy:
        return alike(x);
    case SRN_OP_pick: /* (.., n) by (..): the axis is the same, counted from the front */
        return shape_in(x, 1)->rank > srn_axis_in(x, first_with_batch(x)).at && alike(x);
    case SRN_OP_pick_grad:
        return alike(x);
    case SRN_OP_transpose:
        return transpose(x);
    case SRN_OP_reshape:
        return reshape(x);
    case SRN_OP_broadcast_to:
        return elementwise(x);
    case SRN_OP_slice:
        return cut(x, node->attr[0].ints, node->attr[2].ints);
    case SRN_OP_unslice:
        return cut(x, node->attr[1].ints, node->attr[2].ints);
    case SRN_OP_pad:
        return pad(x);
    case SRN_OP_take:
        return take(x);
    case SRN_OP_take_grad:
        return take_grad(x);
    default:
        return false;
    }
}

bool srn_batch_rule_of(srn_batch_rule *rule, const srn_graph *g, const srn_node *node,
                       const srn_axis *axis, int64_t batch, srn_arena *arena, srn_error *err) {
    srn_look x = {rule, g, node, axis, batch, arena, err};
    return make_room(&x) && of_op(&x);
}

bool srn_batch_rule_back(srn_batch_rule *rule, const srn_graph *g, const srn_node *node,
                         srn_axis out, int64_t batch, srn_arena *arena, srn_error *err) {
    srn_look x = {.rule = rule, .g = g, .node = node, .batch = batch, .arena = arena, .err = err};
    switch (node->id) {
    case SRN_OP_reshape:
        if (!make_room(&x)) {
            return false;
        }
        rule->need[0] = rule->out[0] = out;
        return reshaped(&rule->need[0], shape_out(&x, 0), shape_in(&x, 0), batch);
    case SRN_OP_fill:
    case SRN_OP_random_uniform:
    case SRN_OP_random_normal:
    case SRN_OP_dropout_mask:
    case SRN_OP_broadcast_to:
        return make_room(&x) && broadcasts(&x, out);
    default:
        return (node->op->flags & SRN_FLAG_ELEMENTWISE) != 0 && make_room(&x) &&
               broadcasts(&x, out);
    }
}

bool srn_batch_rule_alike(srn_batch_rule *rule, const srn_node *node, srn_arena *arena,
                          srn_error *err) {
    srn_look x = {.rule = rule, .node = node, .arena = arena, .err = err};
    return make_room(&x);
}

/* ---- emitting ---- */

/* Which attribute holds the size of the output along the batch's axis, or -1. */
static int sizes_attr(srn_op_id id) {
    switch (id) {
    case SRN_OP_reshape:
    case SRN_OP_broadcast_to:
    case SRN_OP_fill:
    case SRN_OP_random_uniform:
    case SRN_OP_random_normal:
    case SRN_OP_dropout_mask:
    case SRN_OP_unslice:
        return 0;
    case SRN_OP_slice: /* `stop`, where the axis is whole */
        return 1;
    default:
        return -1;
    }
}

srn_val srn_batch_emit(srn_graph *g, const srn_graph *from, const srn_node *node, const srn_val *in,
                       const srn_batch_rule *rule, int64_t batch, int64_t part, srn_arena *arena) {
    int which = sizes_attr(node->id);
    if (node->id == SRN_OP_constant) {
        return srn_emit_constant(g, *srn_type_of(from, node->out), node->payload);
    }
    if (node->id == SRN_OP_scan) {
        return srn_batch_emit_scan(g, node, in, rule, batch, part, arena);
    }
    if (which < 0 || rule->out[0].at == SRN_NONE) {
        return srn_emit(g, node->id, node->n_in, in, node->attr);
    }
    srn_attr attrs[SRN_MAX_ATTRS];
    int64_t dims[SRN_MAX_RANK];
    for (int32_t i = 0; node->op->attrs[i].name != NULL; i++) {
        attrs[i] = node->attr[i];
    }
    srn_ints *sizes = &attrs[which].ints;
    memcpy(dims, sizes->v, (size_t)sizes->n * sizeof *dims);
    const int32_t at = rule->out[0].at; /* where a reshape may have -1 */
    dims[at] = srn_type_of(from, node->out)->shape.dim[at] / batch * part;
    sizes->v = dims;
    return srn_emit(g, node->id, node->n_in, in, attrs);
}
