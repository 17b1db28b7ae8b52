/* Gradients of slices that lie side by side. */
#ifndef SRN_AUTODIFF_TILE_H
#define SRN_AUTODIFF_TILE_H

#include "graph/graph.h"

/* Where every part of a value was read by a slice of its own (the time steps of a loop, the gates of
 * a cell), the n contributions to its gradient are zeros but for one part each. If those parts tile
 * the value along one axis, their concatenation is the sum: returns it, else SRN_NONE. */
srn_val srn_join_tiles(srn_graph *g, int32_t n, const srn_val *contributions);

#endif
