/* _core.Graph: nodes are appended, values are numbers. A call that fails raises and leaves the
 * graph usable: the core's sticky error is taken out and raised. The GIL is held throughout, so a
 * graph may be shared between threads. */
#include <string.h>

#include "autodiff/gradient.h"
#include "base/memory.h"
#include "graph/scan.h"
#include "py/args.h"
#include "py/arrays.h"

static srn_graph *graph_of(PyObject *self) {
    return ((srn_py_graph *)self)->g;
}

/* Raises the graph's error and clears it. */
static PyObject *raise_sticky(srn_graph *g) {
    srn_py_raise(&g->err);
    srn_error_clear(&g->err);
    return NULL;
}

static PyObject *value_or_raise(srn_graph *g, srn_val v) {
    return v == SRN_NONE ? raise_sticky(g) : PyLong_FromLong(v);
}

static PyObject *consecutive(srn_val first, int32_t n) {
    PyObject *values = PyTuple_New(n);
    for (int32_t i = 0; values != NULL && i < n; i++) {
        PyObject *value = PyLong_FromLong(first + i);
        if (value == NULL) {
            Py_CLEAR(values);
        } else {
            PyTuple_SET_ITEM(values, i, value);
        }
    }
    return values;
}

/* ---- life ---- */

static PyObject *graph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Graph() takes no arguments");
        return NULL;
    }
    srn_py_graph *self = (srn_py_graph *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    srn_error err = {0};
    self->g = srn_graph_new(&err);
    if (self->g == NULL) {
        Py_DECREF(self);
        return srn_py_raise(&err);
    }
    return (PyObject *)self;
}

static void graph_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    srn_graph_drop(graph_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *graph_str(PyObject *self) {
    srn_error err = {0};
    char *text = srn_graph_text(graph_of(self), &err);
    if (text == NULL) {
        return srn_py_raise(&err);
    }
    PyObject *str = srn_py_text(text);
    srn_free(text);
    return str;
}

/* ---- leaves ---- */

static bool leaf_arguments(const char **name, srn_type *type, const char *function,
                           PyObject *const *args, Py_ssize_t n_args, PyObject *names) {
    static const char *const words[] = {"name", "shape", "dtype", NULL};
    srn_py_signature signature = {function, words, 3, 3};
    PyObject *given[3];
    char what[64];
    PyOS_snprintf(what, sizeof what, "%s: shape", function);
    if (!srn_py_arguments(given, &signature, args, n_args, names)) {
        return false;
    }
    *name = srn_py_utf8(given[0], function);
    return *name != NULL && srn_py_shape(&type->shape, given[1], what) &&
           srn_py_dtype(&type->dtype, given[2], function);
}

static PyObject *graph_input(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *names) {
    const char *name;
    srn_type type;
    if (!leaf_arguments(&name, &type, "Graph.input", args, n_args, names)) {
        return NULL;
    }
    return value_or_raise(graph_of(self), srn_emit_input(graph_of(self), name, type));
}

static PyObject *graph_variable(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *names) {
    const char *name;
    srn_type type;
    if (!leaf_arguments(&name, &type, "Graph.variable", args, n_args, names)) {
        return NULL;
    }
    return value_or_raise(graph_of(self), srn_emit_variable(graph_of(self), name, type));
}

static PyObject *graph_constant(PyObject *self, PyObject *object) {
    PyArrayObject *array = srn_py_plain(object, "Graph.constant");
    srn_type type;
    PyObject *value = NULL;
    if (array != NULL && srn_py_type_of(&type, array, "Graph.constant")) {
        srn_graph *g = graph_of(self);
        value = value_or_raise(g, srn_emit_constant(g, type, PyArray_DATA(array)));
    }
    Py_XDECREF(array);
    return value;
}

/* ---- nodes ---- */

static const srn_op *op_named(srn_op_id *id, PyObject *self, PyObject *name) {
    PyObject *number = NULL;
    if (PyUnicode_Check(name)) {
        number = PyDict_GetItemWithError(srn_py_state_of(self)->op_ids, name);
    }
    if (number == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "Graph.emit: there is no op %R", name);
        }
        return NULL;
    }
    *id = (srn_op_id)PyLong_AsLong(number);
    if (srn_ops[*id]->infer == NULL || *id == SRN_OP_scan) {
        PyErr_Format(PyExc_ValueError, "Graph.emit: use Graph.%U() for this one", name);
        return NULL;
    }
    return srn_ops[*id];
}

static PyObject *graph_emit(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *names) {
    if (n_args != 2) {
        PyErr_Format(PyExc_TypeError,
                     "Graph.emit(op, inputs, **attrs): got %zd positional arguments", n_args);
        return NULL;
    }
    srn_graph *g = graph_of(self);
    srn_op_id id;
    const srn_op *op = op_named(&id, self, args[0]);
    if (op == NULL) {
        return NULL;
    }
    srn_arena arena;
    srn_arena_init(&arena);
    srn_attr attrs[SRN_MAX_ATTRS];
    srn_val *in;
    int32_t n_in;
    PyObject *out = NULL;
    bool absent = (op->flags & SRN_FLAG_OPTIONAL) != 0;
    if (srn_py_values(&in, &n_in, args[1], g, absent, op->name, &arena) &&
        srn_py_attrs(attrs, op, args + 2, names, &arena)) {
        srn_val first = srn_emit(g, id, n_in, in, attrs);
        out = first == SRN_NONE ? raise_sticky(g) : consecutive(first, srn_maker(g, first)->n_out);
    }
    srn_arena_deinit(&arena);
    return out;
}

static bool scan_body(const srn_graph **body, PyObject *self, PyObject *object) {
    if (!Py_IS_TYPE(object, Py_TYPE(self))) {
        PyErr_Format(PyExc_TypeError, "Graph.scan: the body must be a Graph, got %.200s",
                     Py_TYPE(object)->tp_name);
        return false;
    }
    if (object == self) {
        PyErr_SetString(PyExc_ValueError, "Graph.scan: a graph cannot be its own body");
        return false;
    }
    *body = graph_of(object);
    return true;
}

static PyObject *graph_scan(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *names) {
    enum { BODY, LENGTH, N_STATE, N_SEQ, INPUTS, OUTPUTS, REVERSE, N };
    static const char *const words[] = {"body",   "length",  "n_state", "n_seq",
                                        "inputs", "outputs", "reverse", NULL};
    static const srn_py_signature signature = {"Graph.scan", words, 6, 7};
    PyObject *given[N];
    srn_graph *g = graph_of(self);
    const srn_graph *body;
    int64_t length;
    int32_t n_state, n_seq, n_in, n_out;
    srn_val *in, *outputs;
    bool reverse = false;
    PyObject *out = NULL;
    srn_arena arena;
    srn_arena_init(&arena);
    if (srn_py_arguments(given, &signature, args, n_args, names) &&
        scan_body(&body, self, given[BODY]) &&
        srn_py_int64(&length, given[LENGTH], "Graph.scan: length") &&
        srn_py_int32(&n_state, given[N_STATE], "Graph.scan: n_state") &&
        srn_py_int32(&n_seq, given[N_SEQ], "Graph.scan: n_seq") &&
        srn_py_values(&in, &n_in, given[INPUTS], g, false, "Graph.scan: inputs", &arena) &&
        srn_py_values(&outputs, &n_out, given[OUTPUTS], body, false, "Graph.scan: outputs",
                      &arena) &&
        (given[REVERSE] == NULL || srn_py_bool(&reverse, given[REVERSE], "Graph.scan: reverse"))) {
        srn_val first =
            srn_emit_scan(g, body, length, n_state, n_seq, n_in, in, n_out, outputs, reverse);
        out = first == SRN_NONE ? raise_sticky(g) : consecutive(first, n_out);
    }
    srn_arena_deinit(&arena);
    return out;
}

/* ---- gradient ---- */

static PyObject *value_list(const srn_val *values, int32_t n) {
    PyObject *list = PyList_New(n);
    for (int32_t i = 0; list != NULL && i < n; i++) {
        PyObject *item = values[i] == SRN_NONE ? Py_NewRef(Py_None) : PyLong_FromLong(values[i]);
        if (item == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, item);
        }
    }
    return list;
}

/* None: all seeds are absent. */
static bool read_seeds(srn_val **seeds, int32_t n_y, PyObject *object, const srn_graph *g,
                       srn_arena *arena) {
    if (object != Py_None) {
        int32_t n;
        if (!srn_py_values(seeds, &n, object, g, true, "Graph.gradient: seeds", arena)) {
            return false;
        }
        if (n != n_y) {
            PyErr_Format(PyExc_ValueError, "Graph.gradient: got %d seeds for %d ys", (int)n,
                         (int)n_y);
        }
        return n == n_y;
    }
    srn_error err = {0};
    *seeds = srn_arena_alloc(arena, ((size_t)n_y + 1) * sizeof **seeds, &err);
    if (*seeds == NULL) {
        srn_py_raise(&err);
        return false;
    }
    for (int32_t i = 0; i < n_y; i++) {
        (*seeds)[i] = SRN_NONE;
    }
    return true;
}

static PyObject *graph_gradient(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *names) {
    static const char *const words[] = {"ys", "seeds", "xs", NULL};
    static const srn_py_signature signature = {"Graph.gradient", words, 3, 3};
    PyObject *given[3];
    srn_graph *g = graph_of(self);
    srn_val *ys, *xs, *seeds;
    int32_t n_y, n_x;
    PyObject *out = NULL;
    srn_error err = {0};
    srn_arena arena;
    srn_arena_init(&arena);
    if (srn_py_arguments(given, &signature, args, n_args, names) &&
        srn_py_values(&ys, &n_y, given[0], g, false, "Graph.gradient: ys", &arena) &&
        srn_py_values(&xs, &n_x, given[2], g, false, "Graph.gradient: xs", &arena) &&
        read_seeds(&seeds, n_y, given[1], g, &arena)) {
        srn_val *dx = srn_arena_alloc(&arena, ((size_t)n_x + 1) * sizeof *dx, &err);
        if (dx != NULL && srn_gradient(g, n_y, ys, seeds, n_x, xs, dx, &err)) {
            out = value_list(dx, n_x);
        } else {
            srn_py_raise(&err);
            srn_error_clear(&g->err);
        }
    }
    srn_arena_deinit(&arena);
    return out;
}

/* ---- looking and compiling ---- */

static PyObject *graph_type(PyObject *self, PyObject *object) {
    srn_val v;
    if (!srn_py_value(&v, object, graph_of(self), "Graph.type")) {
        return NULL;
    }
    const srn_type *type = srn_type_of(graph_of(self), v);
    return Py_BuildValue("sN", srn_dtype_name(type->dtype), srn_py_dims(&type->shape));
}

/* [(variable number, value)] into two arrays. */
static bool read_assigns(srn_compile_spec *spec, PyObject *object, const srn_graph *g,
                         srn_arena *arena) {
    PyObject *pairs = srn_py_tuple(object, "Graph.compile: assigns");
    if (pairs == NULL) {
        return false;
    }
    srn_error err = {0};
    size_t n = (size_t)PyTuple_GET_SIZE(pairs);
    int32_t *variables = srn_arena_alloc(arena, (n + 1) * sizeof *variables, &err);
    srn_val *values = srn_arena_alloc(arena, (n + 1) * sizeof *values, &err);
    bool ok = variables != NULL && values != NULL;
    if (!ok) {
        srn_py_raise(&err);
    }
    for (size_t i = 0; ok && i < n; i++) {
        PyObject *number, *value;
        PyObject *pair = PyTuple_GET_ITEM(pairs, (Py_ssize_t)i);
        if (!PyTuple_Check(pair)) {
            PyErr_SetString(PyExc_TypeError,
                            "Graph.compile: assigns: expected pairs (variable number, value)");
        }
        ok = PyTuple_Check(pair) && PyArg_ParseTuple(pair, "OO", &number, &value) &&
             srn_py_int32(&variables[i], number, "Graph.compile: assigns") &&
             srn_py_value(&values[i], value, g, "Graph.compile: assigns");
        if (ok && (variables[i] < 0 || variables[i] >= g->n_variables)) {
            PyErr_Format(PyExc_IndexError, "Graph.compile: assigns: there is no variable %d of %d",
                         (int)variables[i], (int)g->n_variables);
            ok = false;
        }
    }
    spec->n_assigns = (int32_t)n;
    spec->assign_variables = variables;
    spec->assign_values = values;
    Py_DECREF(pairs);
    return ok;
}

static PyObject *graph_compile(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *names) {
    enum { OUTPUTS, GRADIENTS, LIKE, ASSIGNS, BATCH, N };
    static const char *const words[] = {"outputs", "gradients", "gradient_like",
                                        "assigns", "batch",     NULL};
    static const srn_py_signature signature = {"Graph.compile", words, 1, N};
    PyObject *given[N];
    srn_graph *g = graph_of(self);
    srn_compile_spec spec = {0};
    srn_val *outputs, *gradients = NULL, *like = NULL;
    int32_t n_like = 0;
    PyObject *plan = NULL;
    srn_arena arena;
    srn_arena_init(&arena);
    if (!srn_py_arguments(given, &signature, args, n_args, names) ||
        !srn_py_values(&outputs, &spec.n_outputs, given[OUTPUTS], g, false,
                       "Graph.compile: outputs", &arena) ||
        (given[GRADIENTS] != NULL && !srn_py_values(&gradients, &spec.n_gradients, given[GRADIENTS],
                                                    g, true, "Graph.compile: gradients", &arena)) ||
        (given[LIKE] != NULL && !srn_py_values(&like, &n_like, given[LIKE], g, false,
                                               "Graph.compile: gradient_like", &arena)) ||
        (given[ASSIGNS] != NULL && !read_assigns(&spec, given[ASSIGNS], g, &arena)) ||
        (given[BATCH] != NULL &&
         !srn_py_int64(&spec.batch, given[BATCH], "Graph.compile: batch"))) {
        goto done;
    }
    if (n_like != spec.n_gradients) {
        PyErr_Format(PyExc_ValueError, "Graph.compile: got %d gradients, but %d gradient_like",
                     (int)spec.n_gradients, (int)n_like);
        goto done;
    }
    spec.outputs = outputs;
    spec.gradients = gradients;
    spec.gradient_like = like;
    plan = srn_py_plan_new(srn_py_state_of(self), g, &spec);
done:
    srn_arena_deinit(&arena);
    return plan;
}

/* ---- scope: the layer's name, kept by the graph for its nodes ---- */

static PyObject *graph_scope(PyObject *self, void *unused) {
    (void)unused;
    const char *scope = graph_of(self)->scope;
    return scope == NULL ? Py_NewRef(Py_None) : srn_py_text(scope);
}

static int graph_set_scope(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    srn_graph *g = graph_of(self);
    if (value == NULL || value == Py_None) {
        g->scope = NULL;
        return 0;
    }
    const char *scope = srn_py_utf8(value, "Graph.scope");
    if (scope == NULL) {
        return -1;
    }
    if (g->scope != NULL && strcmp(g->scope, scope) == 0) {
        return 0;
    }
    srn_error err = {0};
    const char *mine = srn_arena_string(&g->arena, scope, &err);
    if (mine == NULL) {
        srn_py_raise(&err);
        return -1;
    }
    g->scope = mine;
    return 0;
}

/* ---- the type ---- */

#define CALL(f) ((PyCFunction)(void (*)(void))(f))
#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef graph_methods[] = {
    {"input", CALL(graph_input), FAST, "input(name, shape, dtype): an array given to each run."},
    {"variable", CALL(graph_variable), FAST, "variable(name, shape, dtype): storage between runs."},
    {"constant", graph_constant, METH_O, "constant(array): copied into the graph."},
    {"emit", CALL(graph_emit), FAST,
     "emit(op, inputs, /, **attrs): appends a node, returns its output values."},
    {"scan", CALL(graph_scan), FAST,
     "scan(body, length, n_state, n_seq, inputs, outputs, reverse=False): the body once per time "
     "step; returns the final states, then the stacked ys."},
    {"gradient", CALL(graph_gradient), FAST,
     "gradient(ys, seeds, xs): appends the backward pass; None where y does not depend on x."},
    {"type", graph_type, METH_O, "type(value): (dtype, shape)."},
    {"compile", CALL(graph_compile), FAST,
     "compile(outputs, gradients=(), gradient_like=(), assigns=(), batch=0): a Plan; inputs with "
     "`batch` in front hold samples, which may be computed in parts."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef graph_getset[] = {
    {"scope", graph_scope, graph_set_scope, "Name of the layer that new nodes belong to, or None.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot graph_slots[] = {
    {Py_tp_doc, "A graph under construction: nodes are appended, values are numbers."},
    {Py_tp_new, graph_new},
    {Py_tp_dealloc, graph_dealloc},
    {Py_tp_str, graph_str},
    {Py_tp_methods, graph_methods},
    {Py_tp_getset, graph_getset},
    {0, NULL},
};

PyType_Spec srn_py_graph_spec = {
    .name = "seqrnn._core.Graph",
    .basicsize = sizeof(srn_py_graph),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = graph_slots,
};
