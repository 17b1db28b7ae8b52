/* Short names for emitting nodes from C: what gradient rules are written with. All return SRN_NONE
 * after an error (g->err). Binary ones broadcast like NumPy; both sides need the same dtype. */
#ifndef SRN_GRAPH_EMIT_H
#define SRN_GRAPH_EMIT_H

#include "graph/graph.h"

srn_val srn_emit1(srn_graph *g, srn_op_id id, srn_val a); /* default attributes */
srn_val srn_emit2(srn_graph *g, srn_op_id id, srn_val a, srn_val b);

srn_val srn_neg(srn_graph *g, srn_val a);
srn_val srn_square(srn_graph *g, srn_val a);
srn_val srn_add(srn_graph *g, srn_val a, srn_val b); /* SRN_NONE is zero: returns the other one */
srn_val srn_sub(srn_graph *g, srn_val a, srn_val b);
srn_val srn_mul(srn_graph *g, srn_val a, srn_val b);
srn_val srn_div(srn_graph *g, srn_val a, srn_val b);
srn_val srn_where(srn_graph *g, srn_val condition, srn_val a, srn_val b);
srn_val srn_scalar_like(srn_graph *g, srn_val a, double value); /* () of a's dtype */
srn_val srn_scale(srn_graph *g, srn_val a, double factor);      /* a * factor */
srn_val srn_shift(srn_graph *g, srn_val a, double term);        /* a + term */
srn_val srn_cast(srn_graph *g, srn_val a, srn_dtype dtype);
srn_val srn_fill(srn_graph *g, srn_type type, double value);
srn_val srn_zeros_like(srn_graph *g, srn_val a);

srn_val srn_matmul(srn_graph *g, srn_val a, srn_val b, bool transpose_a, bool transpose_b);
srn_val srn_sum(srn_graph *g, srn_val a, srn_ints axes, bool keepdims); /* axes.n == 0: all */
/* Sums away what broadcasting from `shape` to a's shape repeated. */
srn_val srn_sum_to(srn_graph *g, srn_val a, const srn_shape *shape);
srn_val srn_broadcast_to(srn_graph *g, srn_val a, const srn_shape *shape);
srn_val srn_reshape(srn_graph *g, srn_val a, const srn_shape *shape);
srn_val srn_transpose(srn_graph *g, srn_val a, srn_ints perm);
/* start, stop, step: one per axis, already clipped to the axis; a negative step walks down to
 * stop exclusive (-1 = past the front). */
srn_val srn_slice(srn_graph *g, srn_val a, srn_ints start, srn_ints stop, srn_ints step);
/* a[begin:end] along one axis. */
srn_val srn_slice_axis(srn_graph *g, srn_val a, int32_t axis, int64_t begin, int64_t end);
srn_val srn_concat(srn_graph *g, int32_t n, const srn_val *parts, int32_t axis);

#endif
