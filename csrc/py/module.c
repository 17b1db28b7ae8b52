/* The extension module seqrnn._core: types, the table of ops, the settings of the process.
 *
 * Multi-phase initialisation (PEP 489), all state in the module (PEP 3121), types on the heap.
 */
#define SRN_PY_LOADS_NUMPY
#include "py/py.h"

#include "base/cpu.h"
#include "base/pool.h"
#include "py/args.h"
#include "py/spares.h"

srn_py_state *srn_py_state_of(PyObject *self) {
    return PyType_GetModuleState(Py_TYPE(self));
}

/* ---- the table of ops ---- */

/* [(name, kind, required), ...] and {name: (word, ...)} */
static bool attr_rows(PyObject *attrs, PyObject *words, const srn_op *op) {
    for (const srn_attr_spec *s = op->attrs; s != NULL && s->name != NULL; s++) {
        PyObject *row = Py_BuildValue("ssO", s->name, srn_py_attr_kind(s->kind),
                                      s->required ? Py_True : Py_False);
        bool ok = row != NULL && PyList_Append(attrs, row) == 0;
        Py_XDECREF(row);
        if (!ok) {
            return false;
        }
        if (s->kind != SRN_ATTR_WORD) {
            continue;
        }
        PyObject *list = PyList_New(0);
        ok = list != NULL && PyDict_SetItemString(words, s->name, list) == 0;
        for (int i = 0; ok && s->words[i] != NULL; i++) {
            PyObject *word = PyUnicode_FromString(s->words[i]);
            ok = word != NULL && PyList_Append(list, word) == 0;
            Py_XDECREF(word);
        }
        Py_XDECREF(list);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static PyObject *op_row(const srn_op *op) {
    static const char *const diffs[] = {[SRN_DIFF_RULE] = "rule",
                                        [SRN_DIFF_ZERO] = "zero",
                                        [SRN_DIFF_NONE] = "none"};
    PyObject *attrs = PyList_New(0);
    PyObject *words = PyDict_New();
    PyObject *row = NULL;
    if (attrs != NULL && words != NULL && attr_rows(attrs, words, op)) {
        row = Py_BuildValue("{s:s, s:(ii), s:i, s:O, s:O, s:s, s:s, s:O, s:O}", "doc", op->doc,
                            "arity", (int)op->min_in, (int)op->max_in, "n_out", (int)op->n_out,
                            "attrs", attrs, "words", words, "differentiable", diffs[op->diff],
                            "parallel", op->parallel == SRN_ROWS ? "rows" : "whole",
                            "optional_inputs",
                            (op->flags & SRN_FLAG_OPTIONAL) != 0 ? Py_True : Py_False, "random",
                            (op->flags & SRN_FLAG_RANDOM) != 0 ? Py_True : Py_False);
    }
    Py_XDECREF(attrs);
    Py_XDECREF(words);
    return row;
}

static PyObject *core_op_table(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    PyObject *table = PyDict_New();
    for (int i = 0; table != NULL && i < SRN_N_OPS; i++) {
        PyObject *row = op_row(srn_ops[i]);
        if (row == NULL || PyDict_SetItemString(table, srn_ops[i]->name, row) < 0) {
            Py_CLEAR(table);
        }
        Py_XDECREF(row);
    }
    return table;
}

/* ---- settings ---- */

static PyObject *core_set_num_threads(PyObject *module, PyObject *object) {
    (void)module;
    int64_t n;
    if (!srn_py_int64(&n, object, "set_num_threads")) {
        return NULL;
    }
    if (n < 1) {
        PyErr_Format(PyExc_ValueError, "set_num_threads: expected 1 or more, got %lld",
                     (long long)n);
        return NULL;
    }
    srn_pool_set_threads(n > SRN_MAX_THREADS ? SRN_MAX_THREADS : (int)n);
    Py_RETURN_NONE;
}

static PyObject *core_num_threads(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyLong_FromLong(srn_pool_threads());
}

static PyObject *core_isa(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyUnicode_FromString(srn_isa_name(srn_cpu_isa()));
}

static PyObject *core_release_memory(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    srn_spares_drop_all();
    Py_RETURN_NONE;
}

static PyMethodDef core_methods[] = {
    {"op_table", core_op_table, METH_NOARGS, "op_table(): every op, its facts and its doc."},
    {"set_num_threads", core_set_num_threads, METH_O,
     "set_num_threads(n): threads of a run, 64 at most. Results do not depend on it."},
    {"num_threads", core_num_threads, METH_NOARGS, "num_threads(): threads of a run."},
    {"release_memory", core_release_memory, METH_NOARGS,
     "release_memory(): gives back the memory that is kept for further runs of plans."},
    {"isa", core_isa, METH_NOARGS, "isa(): the instruction set in use."},
    {NULL, NULL, 0, NULL},
};

/* ---- the module ---- */

static int add_type(PyTypeObject **out, PyObject *module, PyType_Spec *spec) {
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out == NULL ? -1 : PyModule_AddType(module, *out);
}

static int core_exec(PyObject *module) {
    srn_py_state *state = PyModule_GetState(module);
    import_array1(-1);
    state->op_ids = PyDict_New();
    if (state->op_ids == NULL) {
        return -1;
    }
    for (int i = 0; i < SRN_N_OPS; i++) {
        PyObject *id = PyLong_FromLong(i);
        int failed = id == NULL || PyDict_SetItemString(state->op_ids, srn_ops[i]->name, id) < 0;
        Py_XDECREF(id);
        if (failed) {
            return -1;
        }
    }
    if (add_type(&state->graph, module, &srn_py_graph_spec) < 0 ||
        add_type(&state->plan, module, &srn_py_plan_spec) < 0 ||
        add_type(&state->optimizer, module, &srn_py_optimizer_spec) < 0) {
        return -1;
    }
    return 0;
}

static int core_traverse(PyObject *module, visitproc visit, void *arg) {
    srn_py_state *state = PyModule_GetState(module);
    Py_VISIT(state->graph);
    Py_VISIT(state->plan);
    Py_VISIT(state->optimizer);
    Py_VISIT(state->op_ids);
    return 0;
}

static int core_clear(PyObject *module) {
    srn_py_state *state = PyModule_GetState(module);
    Py_CLEAR(state->graph);
    Py_CLEAR(state->plan);
    Py_CLEAR(state->optimizer);
    Py_CLEAR(state->op_ids);
    return 0;
}

static void core_free(void *module) {
    core_clear(module);
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED}, /* as NumPy */
#endif
    {0, NULL},
};

static PyModuleDef core_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "seqrnn._core",
    .m_doc = "The C core: graphs, plans, optimizers.",
    .m_size = sizeof(srn_py_state),
    .m_methods = core_methods,
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) {
    return PyModuleDef_Init(&core_def);
}
