/* Words for dumps, shared by the graph's and the plan's. */
#ifndef SRN_GRAPH_TEXT_H
#define SRN_GRAPH_TEXT_H

#include "base/text.h"
#include "graph/op.h"

bool srn_text_type(srn_text *text, const srn_type *type, srn_error *err);
/* " {axis=1, reverse=0}", or nothing; bodies are left to the caller. */
bool srn_text_attrs(srn_text *text, const srn_op *op, const srn_attr *attr, srn_error *err);

#endif
