/* Lifting a node over time: attributes that count axes shift by one, operands of lower rank get
 * axes of one so that the time axis stays in front; see lift.h. */
#include "graph/lift.h"

#include "graph/emit.h"

enum { MOST_INPUTS = 64 }; /* a wider concat stays in the loop */

static bool is_time(const srn_node *node, int32_t input, const srn_depends *depends) {
    return depends[node->in[input]] == SRN_DEPENDS_TIME;
}

static bool only_first_is_time(const srn_node *node, const srn_depends *depends) {
    for (int32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] != SRN_NONE && is_time(node, i, depends) != (i == 0)) {
            return false;
        }
    }
    return true;
}

static bool all_are_time(const srn_node *node, const srn_depends *depends) {
    for (int32_t i = 0; i < node->n_in; i++) {
        if (!is_time(node, i, depends)) {
            return false;
        }
    }
    return true;
}

bool srn_can_lift(const srn_graph *body, const srn_node *node, const srn_depends *depends) {
    for (int32_t i = 0; i < node->n_out; i++) {
        if (srn_type_of(body, node->out + i)->shape.rank == SRN_MAX_RANK) {
            return false;
        }
    }
    switch (node->id) {
    case SRN_OP_tanh_grad: /* these do not broadcast */
    case SRN_OP_sigmoid_grad:
    case SRN_OP_relu_grad:
        return all_are_time(node, depends);
    case SRN_OP_matmul: /* (B, F) by a fixed (F, U) */
        return only_first_is_time(node, depends) && node->attr[0].i == 0 &&
               srn_type_of(body, node->in[0])->shape.rank >= 2 &&
               srn_type_of(body, node->in[1])->shape.rank == 2;
    case SRN_OP_layer_norm:
        return only_first_is_time(node, depends) && srn_type_of(body, node->in[0])->shape.rank >= 1;
    case SRN_OP_take: /* an embedding: a fixed table, ids that change */
        return !is_time(node, 0, depends) && node->attr[0].i == 0;
    case SRN_OP_concat:
        return node->n_in <= MOST_INPUTS && all_are_time(node, depends) && node->attr[0].i >= 0;
    case SRN_OP_softmax:
    case SRN_OP_log_softmax:
    case SRN_OP_reshape:
    case SRN_OP_transpose:
    case SRN_OP_slice:
    case SRN_OP_stop_gradient:
    case SRN_OP_copy:
        return true;
    default:
        return (node->op->flags & SRN_FLAG_ELEMENTWISE) != 0;
    }
}

static srn_ints prepend(int64_t *room, int64_t first, srn_ints rest, int64_t shift) {
    room[0] = first;
    for (int32_t i = 0; i < rest.n; i++) {
        room[i + 1] = rest.v[i] + shift;
    }
    return (srn_ints){rest.n + 1, room};
}

/* Operand of an elementwise node: (T, ...) with as many axes as the result. */
static srn_val widen(srn_graph *g, srn_val v, int32_t rank) {
    srn_shape from = srn_type_of(g, v)->shape, to = {rank, {from.dim[0]}};
    int32_t extra = rank - from.rank;
    for (int32_t i = 1; i < rank; i++) {
        to.dim[i] = i <= extra ? 1 : from.dim[i - extra];
    }
    return srn_reshape(g, v, &to);
}

static srn_val lift_elementwise(srn_graph *g, const srn_graph *body, const srn_node *node,
                                const srn_depends *depends, const srn_val *outer) {
    srn_val in[3];
    int32_t rank = srn_type_of(body, node->out)->shape.rank + 1;
    for (int32_t i = 0; i < node->n_in; i++) {
        in[i] = outer[node->in[i]];
        if (is_time(node, i, depends)) {
            in[i] = widen(g, in[i], rank);
        }
    }
    return srn_emit(g, node->id, node->n_in, in, node->attr);
}

srn_val srn_lift(srn_graph *g, const srn_graph *body, const srn_node *node,
                 const srn_depends *depends, const srn_val *outer, int64_t length) {
    if (node->op->flags & SRN_FLAG_ELEMENTWISE) {
        return lift_elementwise(g, body, node, depends, outer);
    }
    int64_t room[3][SRN_MAX_RANK];
    srn_val x = outer[node->in[0]];
    const srn_attr *attr = node->attr;
    switch (node->id) {
    case SRN_OP_reshape: {
        srn_shape shape = srn_type_of(body, node->out)->shape;
        srn_ints dims = prepend(room[0], length, (srn_ints){shape.rank, shape.dim}, 0);
        shape = srn_shape_of(dims.n, dims.v);
        return srn_reshape(g, x, &shape);
    }
    case SRN_OP_transpose:
        return srn_transpose(g, x, prepend(room[0], 0, attr[0].ints, 1));
    case SRN_OP_slice:
        return srn_slice(g, x, prepend(room[0], 0, attr[0].ints, 0),
                         prepend(room[1], length, attr[1].ints, 0),
                         prepend(room[2], 1, attr[2].ints, 0));
    default:
        break;
    }
    /* The same node with other inputs; concat's axis moves by one. */
    srn_attr attrs[SRN_MAX_ATTRS];
    for (int32_t i = 0; node->op->attrs != NULL && node->op->attrs[i].name != NULL; i++) {
        attrs[i] = attr[i];
    }
    if (node->id == SRN_OP_concat) {
        attrs[0].i += 1;
    }
    srn_val in[MOST_INPUTS];
    for (int32_t i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] == SRN_NONE ? SRN_NONE : outer[node->in[i]];
    }
    return srn_emit(g, node->id, node->n_in, in, attrs);
}
