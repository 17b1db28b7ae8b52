/* What the files of the binding share: Python, NumPy, the module's state, the Python types.
 *
 * Conventions: a function that fails sets a Python exception and returns false or NULL. Objects
 * given to a call are borrowed for that call; nothing of the core keeps a Python object.
 */
#ifndef SRN_PY_PY_H
#define SRN_PY_PY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL srn_numpy_api
#ifndef SRN_PY_LOADS_NUMPY /* module.c alone */
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <sys/types.h>

#include "base/error.h"
#include "compile/plan.h"
#include "graph/graph.h"
#include "optim/optim.h"
#include "run/run.h"

typedef struct srn_py_state {
    PyTypeObject *graph, *plan, *optimizer;
    PyObject *op_ids; /* dict: name -> srn_op_id */
} srn_py_state;

typedef struct srn_py_graph {
    PyObject_HEAD
    srn_graph *g;
} srn_py_graph;

typedef struct srn_py_optimizer {
    PyObject_HEAD
    srn_optim_config config;
    srn_optim_target target;
    PyObject *variables; /* tuple of arrays: keeps what target.variables points to */
    PyObject *slots;     /* tuple of flat arrays */
    void **variable_data;
    int64_t *begin;
    int64_t (*last_axes)[2];
    bool *undecayed, *idle;
    void *slot_data[SRN_OPTIM_MAX_SLOTS];
    pid_t busy; /* the process in which a step is under way in some thread, else 0: a fork during a
                 * step leaves its thread behind */
} srn_py_optimizer;

extern PyType_Spec srn_py_graph_spec, srn_py_plan_spec, srn_py_optimizer_spec;

/* The state of the module that made this object's type (our types cannot be subclassed). */
srn_py_state *srn_py_state_of(PyObject *self);

/* ---- errors.c ---- */
PyObject *srn_py_raise(const srn_error *err); /* always NULL */
PyObject *srn_py_text(const char *text);      /* str; bytes cut inside a character are replaced */

/* ---- plan.c ---- */
PyObject *srn_py_plan_new(srn_py_state *state, const srn_graph *g, const srn_compile_spec *spec);

/* ---- optimizer.c ---- */
/* Marks the optimizer as stepping; an exception if it is. */
bool srn_py_optimizer_take(srn_py_optimizer *o, double learning_rate);
void srn_py_optimizer_release(srn_py_optimizer *o);
bool srn_py_optimizer_in_place(const srn_py_optimizer *o); /* its arrays are where they were */
bool srn_py_iteration(int64_t *t, PyObject *object, const char *what); /* t = iteration + 1 */

/* ---- work.c: the one place that drops the GIL ---- */
typedef struct srn_py_work {
    srn_workspace *ws; /* NULL: no run */
    uint64_t seed, step;
    srn_py_optimizer *optimizer; /* NULL: no step. Its `busy` is set by the caller */
    void *gradient;
    int64_t t;
} srn_py_work;
void srn_py_work_do(const srn_py_work *work);

#endif
