/* Leaves: values that come from outside. Nothing is executed; a plan gives them their home.
 * attr[0] is their number, in order of emission; the payload their name (input, variable) or their
 * data (constant). They are emitted by srn_emit_input, _variable, _constant. */
#include "graph/op.h"

static const srn_attr_spec leaf_attrs[] = {
    {.name = "number", .kind = SRN_ATTR_INT, .required = true},
    {0},
};

const srn_op srn_op_input = {
    .name = "input",
    .doc = "input: an array given to each run, of the declared shape and dtype.",
    .n_out = 1,
    .attrs = leaf_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_WHOLE,
};

const srn_op srn_op_variable = {
    .name = "variable",
    .doc = "variable: storage that lives on between runs: weights, moving averages.",
    .n_out = 1,
    .attrs = leaf_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_WHOLE,
};

const srn_op srn_op_constant = {
    .name = "constant",
    .doc = "constant: data known when the graph is built.",
    .n_out = 1,
    .attrs = leaf_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_WHOLE,
};
