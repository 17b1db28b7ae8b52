/* An op lives in one place: name, formula, shape rule, gradient rule and execution in one struct.
 */
#ifndef SRN_GRAPH_OP_H
#define SRN_GRAPH_OP_H

#include "base/error.h"
#include "base/rng.h"
#include "graph/op_list.h"
#include "tensor/view.h"

typedef struct srn_graph srn_graph;
typedef struct srn_plan srn_plan;
typedef int32_t srn_val; /* a value of a graph: an index, or SRN_NONE */
#define SRN_NONE (-1)

typedef enum srn_op_id {
#define X(word) SRN_OP_##word,
    SRN_OP_LIST(X)
#undef X
        SRN_N_OPS
} srn_op_id;

/* ---- attributes: static facts of a node, in the order of the op's schema ---- */
typedef enum srn_attr_kind {
    SRN_ATTR_INT,
    SRN_ATTR_FLOAT,
    SRN_ATTR_BOOL,
    SRN_ATTR_INTS,  /* a list of integers */
    SRN_ATTR_WORD,  /* one of `words`, kept as its index in .i */
    SRN_ATTR_DTYPE, /* kept in .i */
    SRN_ATTR_BODY,  /* the body graph of a scan, owned by the graph */
} srn_attr_kind;

typedef struct srn_ints {
    int32_t n;
    const int64_t *v;
} srn_ints;

typedef union srn_attr {
    int64_t i; /* INT, BOOL, WORD, DTYPE */
    double f;
    srn_ints ints;
    srn_graph *body;
} srn_attr;

typedef struct srn_attr_spec {
    const char *name; /* NULL ends the list */
    srn_attr_kind kind;
    bool required; /* else `dflt` */
    srn_attr dflt;
    const char *const *words; /* WORD: NULL-terminated */
} srn_attr_spec;

#define SRN_MAX_ATTRS 8

/* ---- shape rule ---- */
typedef struct srn_infer {
    int32_t n_in;
    const srn_type *const *in; /* NULL for an absent optional input */
    const srn_attr *attr;
    int32_t n_out;
    srn_type *out; /* n_out of them, to fill; preset to zero */
} srn_infer;
#define SRN_MAX_OUT 8 /* of an op with a fixed number of outputs */

/* ---- gradient rule: emits nodes ---- */
typedef struct srn_vjp {
    srn_graph *g;
    int32_t n_in, n_out;
    const srn_val *in;  /* inputs of the node */
    const srn_val *out; /* outputs of the node */
    const srn_attr *attr;
    const srn_val *dout; /* gradients by the outputs; SRN_NONE is zero (at least one isn't) */
    const bool *need;    /* which inputs want a gradient: never for integers and bools */
    srn_val *din;        /* to fill; preset to SRN_NONE, which means zero */
} srn_vjp;

/* ---- execution: can't fail, doesn't allocate ---- */
typedef struct srn_run_state {
    uint64_t seed, step; /* for random ops */
    int64_t iteration;   /* of the scan around, 0 outside */
} srn_run_state;

typedef struct srn_exec {
    int32_t n_in, n_out;
    const srn_view *const *in;  /* NULL for an absent optional input */
    const srn_view *const *out; /* ->data NULL: nobody reads it, skip it */
    const srn_attr *attr;
    void *scratch; /* op->scratch bytes, this worker's own */
    const srn_run_state *state;
} srn_exec;

/* Whether an op can be differentiated is always stated. */
typedef enum srn_diff {
    SRN_DIFF_RULE, /* vjp is the rule */
    SRN_DIFF_ZERO, /* the gradient is zero: comparisons, floor, random numbers, stop_gradient */
    SRN_DIFF_NONE, /* asking for it is an error: gradient ops, which are not differentiated again */
} srn_diff;

/* How an op runs in parallel. */
typedef enum srn_parallel {
    SRN_WHOLE, /* exec once with rows 0 .. 1 */
    SRN_ROWS,  /* exec in blocks [row0, row1) of 0 .. rows(): any partition, same bits */
} srn_parallel;

/* Flags. */
enum {
    SRN_FLAG_ALIAS = 1,       /* output 0 has the bytes of input 0 (reshape): no exec */
    SRN_FLAG_OPTIONAL = 2,    /* inputs may be SRN_NONE, the op's infer says which */
    SRN_FLAG_ELEMENTWISE = 4, /* out[i] depends on in[..][i] alone, broadcast where infer allows */
    SRN_FLAG_RANDOM = 8,      /* depends on state: never merged, never hoisted out of a scan */
    SRN_FLAG_INPLACE = 16,    /* output 0 may share memory with an equal-typed input 0 that dies */
};

/* Elementary operations of a block of rows that are worth a thread's while. */
#define SRN_WORTH_A_THREAD 32768.0

typedef struct srn_op {
    const char *name;
    const char *doc;            /* formula and shapes, one or more lines, for people */
    int32_t min_in, max_in;     /* max_in -1: any number */
    int32_t n_out;              /* -1: as many as the ints attribute `outputs` has entries */
    const srn_attr_spec *attrs; /* NULL: none */
    srn_diff diff;
    srn_parallel parallel;
    uint32_t flags;
    bool (*infer)(srn_infer *x, srn_error *err);
    void (*vjp)(srn_vjp *x);
    size_t (*scratch)(const srn_infer *x); /* NULL: none. Bytes per worker */
    int64_t (*rows)(const srn_infer *x);   /* SRN_ROWS: number of rows */
    /* SRN_ROWS: elementary operations of all rows, from which the rows of a block follow;
     * NULL: the elements of inputs and outputs. */
    double (*cost)(const srn_infer *x);
    int32_t min_block; /* SRN_ROWS: fewest rows worth a block (GEMMs want 16); 0 is 1 */
    void (*exec)(const srn_exec *x, int64_t row0, int64_t row1);
} srn_op;

extern const srn_op *const srn_ops[SRN_N_OPS];
#define X(word) extern const srn_op srn_op_##word;
SRN_OP_LIST(X)
#undef X
/* NULL when there is none of that name. */
const srn_op *srn_op_find(const char *name);

#endif
