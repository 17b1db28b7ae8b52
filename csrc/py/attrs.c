/* Keyword arguments to attributes, by the op's schema: unknown names, missing ones and wrong kinds
 * are TypeErrors that say what the op takes. */
#include <string.h>

#include "py/args.h"

static const char *const kind_names[] = {
    [SRN_ATTR_INT] = "int",   [SRN_ATTR_FLOAT] = "float", [SRN_ATTR_BOOL] = "bool",
    [SRN_ATTR_INTS] = "ints", [SRN_ATTR_WORD] = "word",   [SRN_ATTR_DTYPE] = "dtype",
    [SRN_ATTR_BODY] = "body",
};

const char *srn_py_attr_kind(srn_attr_kind kind) {
    return kind_names[kind];
}

/* "axes (ints), keepdims (bool)" */
static PyObject *schema_text(const srn_op *op) {
    PyObject *text = PyUnicode_FromString("");
    for (const srn_attr_spec *spec = op->attrs; text != NULL && spec != NULL && spec->name != NULL;
         spec++) {
        PyObject *longer = PyUnicode_FromFormat("%U%s%s (%s)", text, spec == op->attrs ? "" : ", ",
                                                spec->name, kind_names[spec->kind]);
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

static bool unknown(const srn_op *op, PyObject *name) {
    PyObject *schema = schema_text(op);
    if (schema != NULL) {
        PyErr_Format(PyExc_TypeError, "%s: no attribute '%U'; this op takes %s%U", op->name, name,
                     PyUnicode_GET_LENGTH(schema) == 0 ? "none" : "", schema);
        Py_DECREF(schema);
    }
    return false;
}

static bool read_word(int64_t *out, const srn_attr_spec *spec, PyObject *object, const char *what) {
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s: expected a str, got %.200s", what,
                     Py_TYPE(object)->tp_name);
        return false;
    }
    for (int i = 0; spec->words[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(object, spec->words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    PyObject *words = PyUnicode_FromString(spec->words[0]);
    for (int i = 1; words != NULL && spec->words[i] != NULL; i++) {
        PyObject *longer = PyUnicode_FromFormat("%U, %s", words, spec->words[i]);
        Py_DECREF(words);
        words = longer;
    }
    if (words != NULL) {
        PyErr_Format(PyExc_ValueError, "%s: got %R, expected one of: %U", what, object, words);
        Py_DECREF(words);
    }
    return false;
}

static bool read_attr(srn_attr *out, const srn_op *op, const srn_attr_spec *spec, PyObject *object,
                      srn_arena *arena) {
    char what[128];
    PyOS_snprintf(what, sizeof what, "%s: %s", op->name, spec->name);
    bool flag = false;
    srn_dtype dtype = SRN_F32;
    switch (spec->kind) {
    case SRN_ATTR_INT:
        return srn_py_int64(&out->i, object, what);
    case SRN_ATTR_FLOAT:
        return srn_py_double(&out->f, object, what);
    case SRN_ATTR_BOOL:
        if (!srn_py_bool(&flag, object, what)) {
            return false;
        }
        out->i = flag;
        return true;
    case SRN_ATTR_INTS:
        return srn_py_ints(&out->ints, object, what, arena);
    case SRN_ATTR_WORD:
        return read_word(&out->i, spec, object, what);
    case SRN_ATTR_DTYPE:
        if (!srn_py_dtype(&dtype, object, what)) {
            return false;
        }
        out->i = dtype;
        return true;
    case SRN_ATTR_BODY:
        break;
    }
    PyErr_Format(PyExc_TypeError, "%s: a body cannot be given as an attribute", what);
    return false;
}

bool srn_py_attrs(srn_attr *attrs, const srn_op *op, PyObject *const *values, PyObject *names,
                  srn_arena *arena) {
    bool given[SRN_MAX_ATTRS] = {false};
    int n = 0;
    for (; op->attrs != NULL && op->attrs[n].name != NULL; n++) {
        attrs[n] = op->attrs[n].dflt;
    }
    Py_ssize_t n_names = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t k = 0; k < n_names; k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        int i = 0;
        while (i < n && PyUnicode_CompareWithASCIIString(name, op->attrs[i].name) != 0) {
            i++;
        }
        if (i == n) {
            return unknown(op, name);
        }
        if (!read_attr(&attrs[i], op, &op->attrs[i], values[k], arena)) {
            return false;
        }
        given[i] = true;
    }
    for (int i = 0; i < n; i++) {
        if (op->attrs[i].required && !given[i]) {
            PyErr_Format(PyExc_TypeError, "%s: the attribute '%s' (%s) is required", op->name,
                         op->attrs[i].name, kind_names[op->attrs[i].kind]);
            return false;
        }
    }
    return true;
}
