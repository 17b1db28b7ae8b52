/* Reverse-mode differentiation, graph to graph: appends the nodes of the backward pass. */
#ifndef SRN_AUTODIFF_GRADIENT_H
#define SRN_AUTODIFF_GRADIENT_H

#include "graph/graph.h"

/* Sum over i of seed_i . d y_i / d x_j, for each of the n_x values x. `seeds[i]` has the type of
 * y_i; SRN_NONE as a seed means ones (y_i must then hold one element). dx[j] becomes SRN_NONE when
 * y does not depend on x_j. Iterative; the adjoints are accumulated in a fixed order. */
bool srn_gradient(srn_graph *g, int32_t n_y, const srn_val *y, const srn_val *seeds, int32_t n_x,
                  const srn_val *x, srn_val *dx, srn_error *err);

#endif
