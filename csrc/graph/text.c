/* The dump of a graph: one node a line,
 *   %7 = matmul(%3, %5) {transpose_a=0, transpose_b=0} : float32 (32, 20)    dense
 * the body of a scan indented below it. */
#include "graph/text.h"

#include "base/memory.h"
#include "graph/graph.h"

bool srn_text_type(srn_text *text, const srn_type *type, srn_error *err) {
    char shape[SRN_SHAPE_TEXT];
    return srn_text_add(text, err, "%s %s", srn_dtype_name(type->dtype),
                        srn_shape_text(shape, &type->shape));
}

static bool add_ints(srn_text *text, srn_ints ints, srn_error *err) {
    enum { SHOWN = 12 }; /* a scan lists hundreds of outputs */
    bool ok = srn_text_add(text, err, "[");
    for (int32_t i = 0; ok && i < ints.n && i < SHOWN; i++) {
        ok = srn_text_add(text, err, "%s%lld", i > 0 ? " " : "", (long long)ints.v[i]);
    }
    return ok && srn_text_add(text, err, ints.n > SHOWN ? " ...]" : "]");
}

static bool add_attr(srn_text *text, const srn_attr_spec *spec, const srn_attr *attr,
                     srn_error *err) {
    switch (spec->kind) {
    case SRN_ATTR_FLOAT:
        return srn_text_add(text, err, "%s=%g", spec->name, attr->f);
    case SRN_ATTR_INTS:
        return srn_text_add(text, err, "%s=", spec->name) && add_ints(text, attr->ints, err);
    case SRN_ATTR_WORD:
        return srn_text_add(text, err, "%s=%s", spec->name, spec->words[attr->i]);
    case SRN_ATTR_DTYPE:
        return srn_text_add(text, err, "%s=%s", spec->name, srn_dtype_name((srn_dtype)attr->i));
    case SRN_ATTR_BODY:
        return srn_text_add(text, err, "%s", spec->name);
    case SRN_ATTR_INT:
    case SRN_ATTR_BOOL:
        break;
    }
    return srn_text_add(text, err, "%s=%lld", spec->name, (long long)attr->i);
}

bool srn_text_attrs(srn_text *text, const srn_op *op, const srn_attr *attr, srn_error *err) {
    bool ok = true;
    for (int32_t i = 0; ok && op->attrs != NULL && op->attrs[i].name != NULL; i++) {
        ok = srn_text_add(text, err, i == 0 ? " {" : ", ") &&
             add_attr(text, &op->attrs[i], &attr[i], err);
        if (ok && op->attrs[i + 1].name == NULL) {
            ok = srn_text_add(text, err, "}");
        }
    }
    return ok;
}

static bool add_graph(srn_text *text, const srn_graph *g, int indent, srn_error *err);

static bool add_node(srn_text *text, const srn_graph *g, const srn_node *node, int indent,
                     srn_error *err) {
    bool ok = srn_text_add(text, err, "%*s%%%d = %s(", indent, "", (int)node->out, node->op->name);
    for (int32_t i = 0; ok && i < node->n_in; i++) {
        const char *comma = i > 0 ? ", " : "";
        ok = node->in[i] == SRN_NONE ? srn_text_add(text, err, "%s-", comma)
                                     : srn_text_add(text, err, "%s%%%d", comma, (int)node->in[i]);
    }
    ok = ok && srn_text_add(text, err, ")") && srn_text_attrs(text, node->op, node->attr, err) &&
         srn_text_add(text, err, " : ");
    ok = ok && node->n_out > 0 && srn_text_type(text, srn_type_of(g, node->out), err);
    if (ok && node->n_out > 1) {
        ok = srn_text_add(text, err, " and %d more", (int)node->n_out - 1);
    }
    ok = ok && srn_text_add(text, err, node->scope == NULL ? "\n" : "    %s\n",
                            node->scope == NULL ? "" : node->scope);
    for (int32_t i = 0; ok && node->op->attrs != NULL && node->op->attrs[i].name != NULL; i++) {
        if (node->op->attrs[i].kind == SRN_ATTR_BODY) {
            ok = add_graph(text, node->attr[i].body, indent + 4, err);
        }
    }
    return ok;
}

static bool add_graph(srn_text *text, const srn_graph *g, int indent, srn_error *err) {
    bool ok = true;
    for (int32_t i = 0; ok && i < g->n_nodes; i++) {
        ok = add_node(text, g, &g->nodes[i], indent, err);
    }
    return ok;
}

char *srn_graph_text(const srn_graph *g, srn_error *err) {
    srn_text text = {0};
    if (!srn_text_add(&text, err, "graph: %d nodes\n", (int)g->n_nodes) ||
        !add_graph(&text, g, 0, err)) {
        srn_free(text.data);
        return NULL;
    }
    return text.data;
}
