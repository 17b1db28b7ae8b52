/* Reading the arguments of a call: see args.h. */
#include "py/args.h"

#include "base/memory.h"

static bool fill_positional(PyObject **out, const srn_py_signature *s, PyObject *const *args,
                            Py_ssize_t n_args) {
    if (n_args > s->positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes %d positional arguments at most, got %zd",
                     s->name, s->positional, n_args);
        return false;
    }
    for (Py_ssize_t i = 0; i < n_args; i++) {
        out[i] = args[i];
    }
    return true;
}

static bool fill_named(PyObject **out, const srn_py_signature *s, PyObject *name, PyObject *value) {
    for (int i = 0; s->args[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(name, s->args[i]) != 0) {
            continue;
        }
        if (out[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got argument '%U' twice", s->name, name);
            return false;
        }
        out[i] = value;
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", s->name, name);
    return false;
}

bool srn_py_arguments(PyObject **out, const srn_py_signature *signature, PyObject *const *args,
                      Py_ssize_t n_args, PyObject *names) {
    for (int i = 0; signature->args[i] != NULL; i++) {
        out[i] = NULL;
    }
    if (!fill_positional(out, signature, args, n_args)) {
        return false;
    }
    Py_ssize_t n_named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < n_named; i++) {
        if (!fill_named(out, signature, PyTuple_GET_ITEM(names, i), args[n_args + i])) {
            return false;
        }
    }
    for (int i = 0; i < signature->required; i++) {
        if (out[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() misses the argument '%s'", signature->name,
                         signature->args[i]);
            return false;
        }
    }
    return true;
}

/* ---- one value ---- */

bool srn_py_int64(int64_t *out, PyObject *object, const char *what) {
    PyObject *number = PyNumber_Index(object);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError, "%s: expected an integer, got %.200s", what,
                         Py_TYPE(object)->tp_name);
        }
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow != 0) {
        PyErr_Format(PyExc_ValueError, "%s: %R does not fit into 64 bits", what, object);
        return false;
    }
    *out = value;
    return value != -1 || !PyErr_Occurred();
}

bool srn_py_int32(int32_t *out, PyObject *object, const char *what) {
    int64_t value;
    if (!srn_py_int64(&value, object, what)) {
        return false;
    }
    if (value < INT32_MIN || value > INT32_MAX) {
        PyErr_Format(PyExc_ValueError, "%s: %R does not fit into 32 bits", what, object);
        return false;
    }
    *out = (int32_t)value;
    return true;
}

bool srn_py_double(double *out, PyObject *object, const char *what) {
    *out = PyFloat_AsDouble(object);
    if (*out != -1.0 || !PyErr_Occurred()) {
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%s: expected a number, got %.200s", what,
                     Py_TYPE(object)->tp_name);
    }
    return false;
}

bool srn_py_bool(bool *out, PyObject *object, const char *what) {
    if (!PyBool_Check(object) && !PyArray_IsScalar(object, Bool)) {
        PyErr_Format(PyExc_TypeError, "%s: expected True or False, got %.200s", what,
                     Py_TYPE(object)->tp_name);
        return false;
    }
    int truth = PyObject_IsTrue(object);
    *out = truth == 1;
    return truth >= 0;
}

const char *srn_py_utf8(PyObject *object, const char *what) {
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s: expected a str, got %.200s", what,
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return PyUnicode_AsUTF8(object);
}

bool srn_py_dtype(srn_dtype *out, PyObject *object, const char *what) {
    const char *name = PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
    if (name != NULL && srn_dtype_from_name(out, name)) {
        return true;
    }
    PyErr_Clear(); /* a str that has no UTF-8 form is no dtype either */
    PyErr_Format(PyExc_TypeError,
                 "%s: expected 'float32', 'float64', 'int32', 'int64' or 'bool', got %R", what,
                 object);
    return false;
}

/* ---- lists ---- */

PyObject *srn_py_tuple(PyObject *object, const char *what) {
    if (!PyTuple_Check(object) && !PyList_Check(object) && !PySequence_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s: expected a sequence, got %.200s", what,
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    return PySequence_Tuple(object);
}

bool srn_py_shape(srn_shape *out, PyObject *object, const char *what) {
    PyObject *dims = srn_py_tuple(object, what);
    bool ok = dims != NULL;
    if (ok && PyTuple_GET_SIZE(dims) > SRN_MAX_RANK) {
        PyErr_Format(PyExc_ValueError, "%s: %zd axes, expected %d at most", what,
                     PyTuple_GET_SIZE(dims), SRN_MAX_RANK);
        ok = false;
    }
    *out = (srn_shape){0, {0}};
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(dims); i++) {
        ok = srn_py_int64(&out->dim[i], PyTuple_GET_ITEM(dims, i), what);
        out->rank++;
    }
    Py_XDECREF(dims);
    return ok;
}

/* Room for one item at least, so that an empty list is no NULL. */
static void *room(srn_arena *arena, Py_ssize_t n, size_t size) {
    srn_error err = {0};
    size_t bytes = 0;
    void *block = NULL;
    if (srn_size_mul(&bytes, (size_t)n + 1, size, &err)) {
        block = srn_arena_alloc(arena, bytes, &err);
    }
    if (block == NULL) {
        srn_py_raise(&err);
    }
    return block;
}

static bool short_enough(PyObject *tuple, const char *what) {
    if (PyTuple_GET_SIZE(tuple) >= INT32_MAX) {
        PyErr_Format(PyExc_ValueError, "%s: more than 2^31 items", what);
        return false;
    }
    return true;
}

bool srn_py_ints(srn_ints *out, PyObject *object, const char *what, srn_arena *arena) {
    PyObject *tuple = srn_py_tuple(object, what);
    int64_t *items = NULL;
    bool ok = tuple != NULL && short_enough(tuple, what);
    if (ok) {
        items = room(arena, PyTuple_GET_SIZE(tuple), sizeof *items);
        ok = items != NULL;
    }
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(tuple); i++) {
        ok = srn_py_int64(&items[i], PyTuple_GET_ITEM(tuple, i), what);
    }
    if (ok) {
        *out = (srn_ints){(int32_t)PyTuple_GET_SIZE(tuple), items};
    }
    Py_XDECREF(tuple);
    return ok;
}

bool srn_py_value(srn_val *out, PyObject *object, const srn_graph *g, const char *what) {
    int64_t value;
    if (!srn_py_int64(&value, object, what)) {
        return false;
    }
    if (value < 0 || value >= g->n_values) {
        PyErr_Format(PyExc_IndexError, "%s: %lld is no value of this graph, which has %d of them",
                     what, (long long)value, (int)g->n_values);
        return false;
    }
    *out = (srn_val)value;
    return true;
}

bool srn_py_values(srn_val **out, int32_t *n, PyObject *object, const srn_graph *g, bool absent,
                   const char *what, srn_arena *arena) {
    PyObject *tuple = srn_py_tuple(object, what);
    srn_val *items = NULL;
    bool ok = tuple != NULL && short_enough(tuple, what);
    if (ok) {
        items = room(arena, PyTuple_GET_SIZE(tuple), sizeof *items);
        ok = items != NULL;
    }
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (item == Py_None && absent) {
            items[i] = SRN_NONE;
        } else {
            ok = srn_py_value(&items[i], item, g, what);
        }
    }
    if (ok) {
        *out = items;
        *n = (int32_t)PyTuple_GET_SIZE(tuple);
    }
    Py_XDECREF(tuple);
    return ok;
}
