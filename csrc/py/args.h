/* Reading the arguments of a call. `what` names the argument in messages: "Graph.emit: inputs". */
#ifndef SRN_PY_ARGS_H
#define SRN_PY_ARGS_H

#include "base/arena.h"
#include "py/py.h"

typedef struct srn_py_signature {
    const char *name;        /* of the function */
    const char *const *args; /* their names, NULL-terminated */
    int required;            /* the first so many must be given */
    int positional;          /* the first so many may be given without their names */
} srn_py_signature;

/* Sorts what METH_FASTCALL | METH_KEYWORDS gives into `out` (one borrowed reference for each name,
 * NULL where nothing was given). */
bool srn_py_arguments(PyObject **out, const srn_py_signature *signature, PyObject *const *args,
                      Py_ssize_t n_args, PyObject *names);

bool srn_py_int64(int64_t *out, PyObject *object, const char *what);
bool srn_py_int32(int32_t *out, PyObject *object, const char *what);
bool srn_py_double(double *out, PyObject *object, const char *what);
bool srn_py_bool(bool *out, PyObject *object, const char *what); /* True, False, NumPy's bools */
const char *srn_py_utf8(PyObject *object, const char *what);     /* as long as the str lives */
bool srn_py_dtype(srn_dtype *out, PyObject *object, const char *what);
bool srn_py_shape(srn_shape *out, PyObject *object, const char *what);

/* Lists: as long as `arena` lives. */
bool srn_py_ints(srn_ints *out, PyObject *object, const char *what, srn_arena *arena);
/* Values of g; `absent` allows None for SRN_NONE. */
bool srn_py_values(srn_val **out, int32_t *n, PyObject *object, const srn_graph *g, bool absent,
                   const char *what, srn_arena *arena);
bool srn_py_value(srn_val *out, PyObject *object, const srn_graph *g, const char *what);

/* A new reference to a tuple (a list could change while we read it); NULL if it is no sequence. */
PyObject *srn_py_tuple(PyObject *object, const char *what);

/* ---- attrs.c: keyword arguments by the op's schema; `attrs` has room for SRN_MAX_ATTRS ---- */
bool srn_py_attrs(srn_attr *attrs, const srn_op *op, PyObject *const *values, PyObject *names,
                  srn_arena *arena);
const char *srn_py_attr_kind(srn_attr_kind kind); /* "int", "ints", ... */

#endif
