/* Adding T arrays of T steps, all zeros but for one step each, costs T^2; joining the steps costs T.
 * See tile.h. */
#include "autodiff/tile.h"

#include <stdlib.h>

#include "base/memory.h"
#include "graph/emit.h"

enum { SHAPE, START, STEP }; /* attributes of unslice */

typedef struct tile {
    int64_t begin;
    srn_val part;
} tile;

/* The only axis along which the unslice's part is smaller than the whole, walked by ones; or -1. */
static int32_t cut_axis(const srn_graph *g, const srn_node *node) {
    const srn_shape *part = &srn_type_of(g, node->in[0])->shape;
    int32_t axis = -1;
    for (int32_t i = 0; i < part->rank; i++) {
        if (node->attr[STEP].ints.v[i] != 1) {
            return -1;
        }
        if (part->dim[i] != node->attr[SHAPE].ints.v[i]) {
            if (axis >= 0) {
                return -1;
            }
            axis = i;
        }
    }
    return axis;
}

static int by_begin(const void *a, const void *b) {
    int64_t x = ((const tile *)a)->begin, y = ((const tile *)b)->begin;
    return (x > y) - (x < y);
}

/* Fills tiles and returns their axis; -1 where a contribution is something else. */
static int32_t collect(const srn_graph *g, int32_t n, const srn_val *contributions, tile *tiles) {
    int32_t common = -1;
    for (int32_t i = 0; i < n; i++) {
        const srn_node *node = srn_maker(g, contributions[i]);
        int32_t axis = node->id == SRN_OP_unslice ? cut_axis(g, node) : -1;
        if (axis < 0 || (i > 0 && axis != common)) {
            return -1;
        }
        common = axis;
        tiles[i] = (tile){node->attr[START].ints.v[axis], node->in[0]};
    }
    return common;
}

static bool cover(const srn_graph *g, int32_t n, const tile *tiles, int32_t axis, int64_t length) {
    int64_t end = 0;
    for (int32_t i = 0; i < n; i++) {
        if (tiles[i].begin != end) {
            return false;
        }
        end += srn_type_of(g, tiles[i].part)->shape.dim[axis];
    }
    return end == length;
}

srn_val srn_join_tiles(srn_graph *g, int32_t n, const srn_val *contributions) {
    tile *tiles = srn_alloc((size_t)n * sizeof *tiles, &g->err);
    srn_val *parts = srn_alloc((size_t)n * sizeof *parts, &g->err);
    srn_val joined = SRN_NONE;
    int32_t axis = tiles == NULL || parts == NULL ? -1 : collect(g, n, contributions, tiles);
    if (axis >= 0) {
        qsort(tiles, (size_t)n, sizeof *tiles, by_begin);
        if (cover(g, n, tiles, axis, srn_type_of(g, contributions[0])->shape.dim[axis])) {
            for (int32_t i = 0; i < n; i++) {
                parts[i] = tiles[i].part;
            }
            joined = srn_concat(g, n, parts, axis);
        }
    }
    srn_free(tiles);
    srn_free(parts);
    return joined;
}
