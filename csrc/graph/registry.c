/* The table of all ops, made from the word list. */
#include <string.h>

#include "graph/op.h"

const srn_op *const srn_ops[SRN_N_OPS] = {
#define X(word) &srn_op_##word,
    SRN_OP_LIST(X)
#undef X
};

const srn_op *srn_op_find(const char *name) {
    for (int i = 0; i < SRN_N_OPS; i++) {
        if (strcmp(srn_ops[i]->name, name) == 0) {
            return srn_ops[i];
        }
    }
    return NULL;
}
