/* A plan: what a graph becomes once dead nodes are gone, equal ones merged and every buffer has its
 * place. Immutable, independent of the graph, printable; data that something other than run/
 * could walk.
 */
#ifndef SRN_COMPILE_PLAN_H
#define SRN_COMPILE_PLAN_H

#include "base/arena.h"
#include "graph/graph.h"

/* Where a slot's bytes are. */
typedef enum srn_home {
    SRN_HOME_BLOCK,    /* at `offset` of the workspace's block */
    SRN_HOME_INPUT,    /* input number `offset` */
    SRN_HOME_VARIABLE, /* variable number `offset`, owned by the caller */
    SRN_HOME_CONSTANT, /* `data`, in the plan */
    SRN_HOME_NOWHERE,  /* an output nobody reads */
} srn_home;

typedef struct srn_slot {
    srn_type type;
    srn_home home; /* of the root */
    int64_t offset;
    const void *data;
    int32_t root;       /* whose bytes these are: itself, or for an alias (reshape) another slot */
    int64_t shift;      /* alias: bytes from the beginning of the root's */
    int32_t next_alias; /* list of a root's aliases; SRN_NONE at the end */
} srn_slot;

typedef struct srn_step {
    const srn_op *op;
    const srn_attr *attr;
    int32_t n_in, n_out;
    const int32_t *in, *out; /* slots; SRN_NONE for an absent input */
    int64_t rows;            /* 1 for SRN_WHOLE */
    int64_t block_rows;      /* rows per block, independent of the number of threads */
    double cost;             /* elementary operations of all rows, roughly */
    size_t scratch;          /* bytes per worker */
    const char *scope;
    srn_plan *body; /* scan: the plan of its body */
} srn_step;

typedef struct srn_assign { /* after the run: variable := slot */
    int32_t variable, slot;
} srn_assign;

struct srn_plan {
    srn_arena arena;
    int32_t n_slots, n_steps, n_inputs, n_variables, n_outputs, n_gradients, n_assigns;
    srn_slot *slots;
    srn_step *steps;
    int32_t *inputs;    /* slot of input i, or SRN_NONE: not used */
    int32_t *variables; /* slot of variable i, or SRN_NONE: not used */
    int32_t *outputs;   /* slot of output i; in the block, each with bytes of its own */
    srn_assign *assigns;
    int64_t *gradients; /* n_gradients + 1: where each begins in the flat buffer, in elements */
    srn_dtype gradient_dtype;
    size_t gradient_offset; /* of the flat buffer in the block, bytes */
    size_t block_bytes;     /* of the workspace's block */
    size_t scratch_bytes;   /* per worker: the largest of the steps */
};

typedef struct srn_compile_spec {
    int32_t n_outputs;
    const srn_val *outputs;
    /* Body of a scan: the first outputs are new states, which may share their bytes with a later
     * output. */
    int32_t n_state;
    /* These land side by side, in this order, in one flat buffer; SRN_NONE: zeros of the type in
     * gradient_like. */
    int32_t n_gradients;
    const srn_val *gradients;
    const srn_val *gradient_like; /* values with the shapes of the gradients (the variables) */
    int32_t n_assigns;
    const int32_t *assign_variables; /* number of the variable */
    const srn_val *assign_values;
    /* Inputs with so many in front hold a batch of samples, whose parts may be computed side by side;
     * 0: none do. */
    int64_t batch;
} srn_compile_spec;

srn_plan *srn_compile(const srn_graph *g, const srn_compile_spec *spec, srn_error *err);
void srn_plan_drop(srn_plan *plan);
/* One step a line: op, shapes, offsets, layer. Made with srn_alloc. */
char *srn_plan_text(const srn_plan *plan, srn_error *err);

#endif
