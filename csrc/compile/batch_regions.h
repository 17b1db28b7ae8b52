/* Inside of the split: batch_split.c decides what goes where, batch_emit.c emits it. */
#ifndef SRN_COMPILE_BATCH_REGIONS_H
#define SRN_COMPILE_BATCH_REGIONS_H

#include "compile/batch_axis.h"
#include "compile/plan.h"

#define SRN_MOST_PARTS 8

typedef enum srn_split_kind {
    SRN_KIND_WHOLE,   /* once, outside */
    SRN_KIND_MAPPED,  /* in a region */
    SRN_KIND_COMBINED /* in a region, and its parts are combined outside */
} srn_split_kind;

typedef struct srn_split {
    const srn_graph *g;
    const srn_compile_spec *spec;
    int64_t batch, parts;
    bool *live;           /* by node */
    bool *read;           /* by value */
    srn_split_kind *kind; /* by node */
    srn_axis *axis;       /* by value: of mapped ones, and of inputs that are the batch's */
    srn_batch_rule *rule; /* by node: of mapped ones, or of copies in a region */
    srn_axis *copy;       /* by value: where a whole value, made again in a region, has the batch */
    bool *local;          /* by node: whole and small, made in each part rather than sent there */
    int32_t *depth;       /* by node */
    int32_t *copy_depth;  /* by node */
    int32_t n_regions;
    bool *crosses; /* by value of a region: wanted outside */
    bool *wanted;  /* by node: a copy that the region at hand reads */
    /* emitting */
    srn_graph *to, *body;
    srn_val *whole, *stacked;           /* by value: in `to` */
    srn_val *inner;                     /* by value: in `body` */
    srn_val *as_sequence, *as_constant; /* by value: the same as an input of `body` */
    srn_val *inputs;                    /* of the region's scan */
    int32_t n_inputs;
    srn_arena *arena;
    srn_error *err;
} srn_split;

static inline int32_t srn_split_maker(const srn_split *s, srn_val v) {
    return s->g->values[v].node;
}

static inline bool srn_split_in_region(const srn_split *s, srn_val v) {
    return s->kind[srn_split_maker(s, v)] == SRN_KIND_MAPPED;
}

/* Asked of a sum over samples: that of each part. */
enum { SRN_AXIS_PARTIAL = SRN_NONE - 1 };

/* How a node of a region, or a copy, gets at an input. */
typedef enum srn_split_way_kind {
    SRN_WAY_DIRECT,   /* from the same region */
    SRN_WAY_COPIED,   /* made again in it */
    SRN_WAY_SEQUENCE, /* part by part */
    SRN_WAY_CONSTANT, /* whole */
} srn_split_way_kind;

static inline srn_split_way_kind srn_split_way(const srn_split *s, srn_val v, srn_axis need,
                                               int32_t depth) {
    const int32_t maker = srn_split_maker(s, v);
    if (need.at == SRN_NONE) {
        return s->local[maker] ? SRN_WAY_COPIED : SRN_WAY_CONSTANT;
    }
    if (need.at == SRN_AXIS_PARTIAL) {
        return s->depth[maker] == depth ? SRN_WAY_DIRECT : SRN_WAY_SEQUENCE;
    }
    if (srn_split_in_region(s, v) && srn_axis_equal(s->axis[v], need)) {
        return s->depth[maker] == depth ? SRN_WAY_DIRECT : SRN_WAY_SEQUENCE;
    }
    return s->kind[maker] == SRN_KIND_WHOLE && srn_axis_equal(s->copy[v], need) ? SRN_WAY_COPIED
                                                                                : SRN_WAY_SEQUENCE;
}

/* The new graph in s->to, and the spec in its terms. False: it did not work out, see s->to->err. */
bool srn_split_emit(srn_split *s, srn_compile_spec *spec);

#endif
