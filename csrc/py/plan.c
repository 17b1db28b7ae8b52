/* _core.Plan: a compiled graph. Immutable; any number of threads may run it at once.
 *
 * A call owns a workspace: one that is kept for the plan (spares.h), or a new one. Everything that can fail (reading the arguments, casting the inputs, making
 * the arrays for the results) is done before the run starts, so a failed call changes no variable.
 *
 * With `rows` (S, B), whole numbers, a call makes S runs: for run s, row rows[s, b] of each array
 * given becomes row b of the input, copied to its place in the workspace. So a part of an epoch is
 * one call. The inputs of run s are read after run s - 1; if that fails, the runs before it stand.
 */
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "py/args.h"
#include "py/arrays.h"
#include "py/spares.h"
#include "run/need.h"

typedef struct leaf { /* an input or a variable of the graph */
    srn_type type;
    const char *what; /* "input 'x'", for messages */
} leaf;

typedef struct srn_py_plan {
    PyObject_HEAD
    srn_plan *plan;
    srn_arena arena;
    leaf *inputs, *variables;
    srn_spares spares;
    bool watched; /* its runs are timed, step by step */
} srn_py_plan;

/* ---- life ---- */

static bool keep_leaves(srn_py_plan *self, const srn_graph *g, srn_error *err) {
    self->inputs = srn_arena_alloc(&self->arena, ((size_t)g->n_inputs + 1) * sizeof(leaf), err);
    self->variables =
        srn_arena_alloc(&self->arena, ((size_t)g->n_variables + 1) * sizeof(leaf), err);
    if (self->inputs == NULL || self->variables == NULL) {
        return false;
    }
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const srn_node *node = &g->nodes[i];
        if (node->id != SRN_OP_input && node->id != SRN_OP_variable) {
            continue;
        }
        bool input = node->id == SRN_OP_input;
        leaf *mine = (input ? self->inputs : self->variables) + node->attr[0].i;
        char what[128];
        PyOS_snprintf(what, sizeof what, "%s '%.100s'", input ? "input" : "variable",
                      (const char *)node->payload);
        mine->type = *srn_type_of(g, node->out);
        mine->what = srn_arena_string(&self->arena, what, err);
        if (mine->what == NULL) {
            return false;
        }
    }
    return true;
}

PyObject *srn_py_plan_new(srn_py_state *state, const srn_graph *g, const srn_compile_spec *spec) {
    srn_py_plan *self = (srn_py_plan *)state->plan->tp_alloc(state->plan, 0);
    if (self == NULL) {
        return NULL;
    }
    srn_arena_init(&self->arena);
    srn_error err = {0};
    self->plan = srn_compile(g, spec, &err);
    if (self->plan == NULL || !keep_leaves(self, g, &err)) {
        Py_DECREF(self);
        return srn_py_raise(&err);
    }
    return (PyObject *)self;
}

static void plan_dealloc(PyObject *object) {
    srn_py_plan *self = (srn_py_plan *)object;
    PyTypeObject *type = Py_TYPE(object);
    srn_spares_drop(&self->spares);
    srn_arena_deinit(&self->arena);
    srn_plan_drop(self->plan);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- workspaces ---- */

/* One for the present number of threads; those made for another number are of no use any more. */
static srn_workspace *take_workspace(srn_py_plan *self) {
    srn_workspace *spare;
    while ((spare = srn_spares_take(&self->spares)) != NULL) {
        if (srn_workspace_threads(spare) == srn_pool_threads()) {
            return spare;
        }
        srn_workspace_drop(spare);
    }
    srn_error err = {0};
    srn_workspace *ws = srn_workspace_new(self->plan, &err);
    if (ws == NULL || (self->watched && !srn_workspace_watch(ws, &err))) {
        srn_workspace_drop(ws);
        srn_py_raise(&err);
        return NULL;
    }
    return ws;
}

/* ---- what goes in ---- */

static bool right_number(PyObject *tuple, int32_t expected, const char *what) {
    if (PyTuple_GET_SIZE(tuple) != expected) {
        PyErr_Format(PyExc_ValueError, "the plan takes %d %s, got %zd", (int)expected, what,
                     PyTuple_GET_SIZE(tuple));
        return false;
    }
    return true;
}

/* `rows` NULL: the arrays are the inputs. */
static bool fill_inputs(srn_py_plan *self, srn_workspace *ws, PyObject *arrays,
                        const int64_t *rows) {
    for (int32_t i = 0; i < self->plan->n_inputs; i++) {
        const leaf *input = &self->inputs[i];
        PyObject *array = PyTuple_GET_ITEM(arrays, i);
        void *to = srn_workspace_input(ws, i);
        if (rows == NULL ? !srn_py_copy_in(to, &input->type, array, input->what)
                         : !srn_py_gather_in(to, &input->type, array, rows, input->what)) {
            return false;
        }
    }
    return true;
}

static bool bind_variables(srn_py_plan *self, srn_workspace *ws, PyObject *arrays) {
    for (int32_t i = 0; i < self->plan->n_variables; i++) {
        const leaf *variable = &self->variables[i];
        void *data = srn_py_storage(&variable->type, PyTuple_GET_ITEM(arrays, i), variable->what);
        if (data == NULL) {
            return false;
        }
        srn_workspace_bind(ws, i, data);
    }
    return true;
}

/* ---- what comes out: arrays made before the run, filled after it ---- */

/* With `gradients`, the flat gradient is the last. */
static PyObject *new_outputs(const srn_plan *plan, const srn_workspace *ws, bool gradients) {
    srn_type flat = {plan->gradient_dtype, {1, {plan->gradients[plan->n_gradients]}}};
    int32_t n = plan->n_outputs + gradients;
    PyObject *outputs = PyTuple_New(n);
    for (int32_t i = 0; outputs != NULL && i < n; i++) {
        bool last = i == plan->n_outputs;
        PyArrayObject *array = srn_py_array(last ? &flat : &srn_workspace_output(ws, i)->type);
        if (array == NULL) {
            Py_CLEAR(outputs);
        } else {
            PyTuple_SET_ITEM(outputs, i, (PyObject *)array);
        }
    }
    return outputs;
}

static void fill_outputs(PyObject *outputs, const srn_plan *plan, srn_workspace *ws) {
    for (int32_t i = 0; i < PyTuple_GET_SIZE(outputs); i++) {
        PyArrayObject *array = (PyArrayObject *)PyTuple_GET_ITEM(outputs, i);
        const void *data =
            i == plan->n_outputs ? srn_workspace_gradients(ws) : srn_workspace_output(ws, i)->data;
        if (PyArray_NBYTES(array) > 0) {
            memcpy(PyArray_DATA(array), data, (size_t)PyArray_NBYTES(array));
        }
    }
}

static double *totals_of(PyObject *object, const srn_view *from) {
    srn_type type = {SRN_F64, from->type.shape};
    return srn_py_storage(&type, object, "Plan: totals");
}

/* Output 1 of each run is added to `totals`. */
static bool add_totals(PyObject *totals, const srn_workspace *ws) {
    const srn_view *from = srn_workspace_output(ws, 1);
    double *to = totals_of(totals, from);
    for (int64_t i = 0; to != NULL && i < srn_shape_count(&from->type.shape); i++) {
        to[i] += from->type.dtype == SRN_F32 ? (double)((const float *)from->data)[i]
                                             : ((const double *)from->data)[i];
    }
    return to != NULL;
}

static int64_t *counter_of(PyObject *object) {
    static const srn_type counter = {SRN_I64, {0, {0}}};
    return srn_py_storage(&counter, object, "Plan.train: iteration");
}

/* ---- running ---- */

typedef struct call {
    PyObject *inputs, *variables; /* tuples, owned */
    PyObject *outputs;            /* owned */
    PyArrayObject *rows;          /* owned: a copy, which nobody changes; NULL: not given */
    PyObject *totals;             /* borrowed; NULL: not given */
    PyObject *iteration;          /* borrowed, of training: an array with the steps made */
    srn_py_work work;
} call;

static bool read_rows(call *c, const srn_py_plan *self, PyObject *object) {
    if (object == NULL || object == Py_None) {
        return true;
    }
    PyArrayObject *a = PyArray_Check(object) ? (PyArrayObject *)object : NULL;
    srn_type type;
    if (a == NULL || !srn_py_type_of(&type, a, "Plan: rows") || type.dtype != SRN_I64 ||
        type.shape.rank != 2 || type.shape.dim[0] == 0 || !PyArray_IS_C_CONTIGUOUS(a)) {
        PyErr_SetString(PyExc_TypeError, "Plan: rows: expected a C-contiguous array of int64 with "
                                         "a row of numbers for each run");
        return false;
    }
    for (int32_t i = 0; i < self->plan->n_inputs; i++) {
        const srn_shape *shape = &self->inputs[i].type.shape;
        if (shape->rank == 0 || shape->dim[0] != type.shape.dim[1]) {
            PyErr_Format(PyExc_ValueError, "Plan: rows: %lld to a run do not fill %s",
                         (long long)type.shape.dim[1], self->inputs[i].what);
            return false;
        }
    }
    c->rows = srn_py_array(&type);
    if (c->rows != NULL && PyArray_NBYTES(a) > 0) {
        memcpy(PyArray_DATA(c->rows), PyArray_DATA(a), (size_t)PyArray_NBYTES(a));
    }
    return c->rows != NULL;
}

static bool read_totals(call *c, const srn_py_plan *self, PyObject *object) {
    if (object == NULL || object == Py_None) {
        return true;
    }
    const srn_view *from = self->plan->n_outputs > 1 ? srn_workspace_output(c->work.ws, 1) : NULL;
    if (from == NULL || !srn_dtype_is_float(from->type.dtype)) {
        PyErr_SetString(PyExc_ValueError, "Plan: totals: the plan has no output 1 of floats");
        return false;
    }
    c->totals = object;
    return totals_of(object, from) != NULL;
}

/* given: inputs, variables; options: rows, totals. */
static bool prepare(srn_py_plan *self, call *c, PyObject *const *given, PyObject *const *options,
                    bool gradients) {
    c->inputs = srn_py_tuple(given[0], "inputs");
    c->variables = c->inputs == NULL ? NULL : srn_py_tuple(given[1], "variables");
    if (c->variables == NULL || !right_number(c->inputs, self->plan->n_inputs, "inputs") ||
        !right_number(c->variables, self->plan->n_variables, "variables") ||
        !read_rows(c, self, options[0])) {
        return false;
    }
    c->work.ws = take_workspace(self);
    if (c->work.ws == NULL || !read_totals(c, self, options[1])) {
        return false;
    }
    c->outputs = new_outputs(self->plan, c->work.ws, gradients);
    return c->outputs != NULL;
}

/* After each run. */
static bool count_run(call *c) {
    if (c->totals != NULL && !add_totals(c->totals, c->work.ws)) {
        return false;
    }
    c->work.step++;
    if (c->work.optimizer == NULL) {
        return true;
    }
    int64_t *iteration = counter_of(c->iteration);
    if (iteration != NULL) {
        *iteration = c->work.t++;
    }
    return iteration != NULL;
}

/* All runs. Each has a number, of which random numbers are a function. Other threads, and Python
 * that an input calls, may change the arrays between two runs, so each run looks at them anew. */
static bool do_runs(srn_py_plan *self, call *c) {
    int64_t n = c->rows == NULL ? 1 : PyArray_DIM(c->rows, 0);
    const int64_t *rows = c->rows == NULL ? NULL : PyArray_DATA(c->rows);
    for (int64_t i = 0; i < n; i++) {
        if (!fill_inputs(self, c->work.ws, c->inputs, rows) ||
            !bind_variables(self, c->work.ws, c->variables) ||
            (c->work.optimizer != NULL && !srn_py_optimizer_in_place(c->work.optimizer))) {
            return false;
        }
        srn_py_work_do(&c->work);
        if (!count_run(c)) {
            return false;
        }
        rows = rows == NULL ? NULL : rows + PyArray_DIM(c->rows, 1);
    }
    fill_outputs(c->outputs, self->plan, c->work.ws);
    return true;
}

static void cleanup(srn_py_plan *self, call *c) {
    srn_spares_give(&self->spares, c->work.ws);
    Py_XDECREF(c->inputs);
    Py_XDECREF(c->variables);
    Py_XDECREF(c->outputs);
    Py_XDECREF((PyObject *)c->rows);
}

/* Any int: its low 64 bits. */
static bool read_counter(uint64_t *out, PyObject *object) {
    if (object != NULL) {
        *out = PyLong_AsUnsignedLongLongMask(object);
    }
    return !PyErr_Occurred();
}

static PyObject *plan_run(PyObject *object, PyObject *const *args, Py_ssize_t n_args,
                          PyObject *names) {
    enum { INPUTS, VARIABLES, ROWS, TOTALS, SEED, STEP, GRADIENTS, N };
    static const char *const words[] = {"inputs", "variables", "rows",      "totals",
                                        "seed",   "step",      "gradients", NULL};
    static const srn_py_signature signature = {"Plan.run", words, 2, 2};
    srn_py_plan *self = (srn_py_plan *)object;
    PyObject *given[N];
    PyObject *result = NULL;
    bool gradients = false;
    call c = {0};
    if (srn_py_arguments(given, &signature, args, n_args, names) &&
        read_counter(&c.work.seed, given[SEED]) && read_counter(&c.work.step, given[STEP]) &&
        (given[GRADIENTS] == NULL ||
         srn_py_bool(&gradients, given[GRADIENTS], "Plan.run: gradients")) &&
        prepare(self, &c, given, &given[ROWS], gradients) && do_runs(self, &c)) {
        result = Py_NewRef(c.outputs);
    }
    cleanup(self, &c);
    return result;
}

/* The gradient buffer and the optimizer's slots are walked side by side. */
static bool fits(const srn_plan *plan, const srn_py_optimizer *o) {
    bool same = plan->n_gradients == o->target.n;
    for (int32_t i = 0; same && i <= o->target.n; i++) {
        same = plan->gradients[i] == o->begin[i];
    }
    if (!same || (o->target.n > 0 && plan->gradient_dtype != o->target.dtype)) {
        PyErr_Format(PyExc_ValueError,
                     "Plan.train: the plan has gradients of %d variables, %lld numbers of %s; the "
                     "optimizer was made for %d variables, %lld numbers of %s",
                     (int)plan->n_gradients, (long long)plan->gradients[plan->n_gradients],
                     srn_dtype_name(plan->gradient_dtype), (int)o->target.n,
                     (long long)o->begin[o->target.n], srn_dtype_name(o->target.dtype));
        return false;
    }
    return true;
}

static bool read_optimizer(call *c, srn_py_plan *self, PyObject *object, PyObject *iteration) {
    PyTypeObject *expected = srn_py_state_of((PyObject *)self)->optimizer;
    if (!Py_IS_TYPE(object, expected)) {
        PyErr_Format(PyExc_TypeError, "Plan.train: expected an Optimizer, got %.200s",
                     Py_TYPE(object)->tp_name);
        return false;
    }
    srn_py_optimizer *o = (srn_py_optimizer *)object;
    const int64_t *made = counter_of(iteration);
    if (made == NULL || !fits(self->plan, o)) {
        return false;
    }
    int64_t n = c->rows == NULL ? 1 : PyArray_DIM(c->rows, 0);
    if (*made < 0 || *made > INT64_MAX - n) {
        PyErr_Format(PyExc_ValueError,
                     "Plan.train: iteration: got %R, expected the steps made so far, 0 or more",
                     iteration);
        return false;
    }
    c->work.optimizer = o;
    c->work.gradient = srn_workspace_gradients(c->work.ws);
    c->iteration = iteration;
    c->work.t = *made + 1;
    return true;
}

static PyObject *plan_train(PyObject *object, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *names) {
    enum { INPUTS, VARIABLES, OPTIMIZER, RATE, ITERATION, ROWS, TOTALS, SEED, STEP, N };
    static const char *const words[] = {"inputs",    "variables", "optimizer", "learning_rate",
                                        "iteration", "rows",      "totals",    "seed",
                                        "step",      NULL};
    static const srn_py_signature signature = {"Plan.train", words, 5, 3};
    srn_py_plan *self = (srn_py_plan *)object;
    PyObject *given[N];
    PyObject *result = NULL;
    double rate;
    call c = {0};
    if (srn_py_arguments(given, &signature, args, n_args, names) &&
        read_counter(&c.work.seed, given[SEED]) && read_counter(&c.work.step, given[STEP]) &&
        srn_py_double(&rate, given[RATE], "Plan.train: learning_rate") &&
        prepare(self, &c, given, &given[ROWS], false) &&
        read_optimizer(&c, self, given[OPTIMIZER], given[ITERATION]) &&
        srn_py_optimizer_take(c.work.optimizer, rate)) {
        result = do_runs(self, &c) ? Py_NewRef(c.outputs) : NULL;
        srn_py_optimizer_release(c.work.optimizer);
    }
    cleanup(self, &c);
    return result;
}

/* ---- looking ---- */

static PyObject *plan_str(PyObject *object) {
    srn_error err = {0};
    char *text = srn_plan_text(((srn_py_plan *)object)->plan, &err);
    if (text == NULL) {
        return srn_py_raise(&err);
    }
    PyObject *str = srn_py_text(text);
    srn_free(text);
    return str;
}

static PyObject *plan_watch(PyObject *object, PyObject *unused) {
    (void)unused;
    srn_py_plan *self = (srn_py_plan *)object;
    self->watched = true;
    srn_spares_drop(&self->spares); /* the next run makes a watched one */
    Py_RETURN_NONE;
}

static PyObject *plan_times(PyObject *object, PyObject *unused) {
    (void)unused;
    srn_py_plan *self = (srn_py_plan *)object;
    const srn_workspace *last = srn_spares_last(&self->spares);
    if (!self->watched || last == NULL) {
        return PyUnicode_FromString("no runs were watched\n");
    }
    srn_error err = {0};
    char *text = srn_workspace_times(last, &err);
    if (text == NULL) {
        return srn_py_raise(&err);
    }
    PyObject *str = srn_py_text(text);
    srn_free(text);
    return str;
}

static PyObject *plan_gradient_offsets(PyObject *object, void *unused) {
    (void)unused;
    const srn_plan *plan = ((srn_py_plan *)object)->plan;
    PyObject *offsets = PyTuple_New(plan->n_gradients + 1);
    for (int32_t i = 0; offsets != NULL && i <= plan->n_gradients; i++) {
        PyObject *offset = PyLong_FromLongLong(plan->gradients[i]);
        if (offset == NULL) {
            Py_CLEAR(offsets);
        } else {
            PyTuple_SET_ITEM(offsets, i, offset);
        }
    }
    return offsets;
}

static PyObject *plan_workspace_bytes(PyObject *object, void *unused) {
    (void)unused;
    const srn_plan *plan = ((srn_py_plan *)object)->plan;
    return PyLong_FromSize_t(srn_workspace_need(plan, srn_pool_threads()));
}

/* ---- the type ---- */

#define CALL(f) ((PyCFunction)(void (*)(void))(f))
#define FAST (METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef plan_methods[] = {
    {"run", CALL(plan_run), FAST,
     "run(inputs, variables, *, rows=None, totals=None, seed=0, step=0, gradients=False): the "
     "outputs as fresh arrays; with gradients=True followed by the flat gradient. rows (runs, "
     "batch), int64: so many runs, each on these rows of the inputs; the outputs are those of the "
     "last. totals: a float64 array to which each run adds its output 1. Each run counts `step` "
     "up, of which random numbers are a function."},
    {"train", CALL(plan_train), FAST,
     "train(inputs, variables, optimizer, *, learning_rate, iteration, rows=None, totals=None, "
     "seed=0, step=0): run, then one step of the optimizer, for all `rows`. `iteration`, an int64 "
     "array of one number, the steps made so far, is counted up."},
    {"watch", plan_watch, METH_NOARGS, "watch(): times the steps of all runs from here on."},
    {"times", plan_times, METH_NOARGS,
     "times(): a table of where the time of the watched runs went, one step of the plan a line."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef plan_getset[] = {
    {"gradient_offsets", plan_gradient_offsets, NULL,
     "Where each gradient begins in the flat buffer, in elements, and where the last one ends.",
     NULL},
    {"workspace_bytes", plan_workspace_bytes, NULL,
     "Memory of one run with the present number of threads.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot plan_slots[] = {
    {Py_tp_doc, "A compiled graph; made by Graph.compile."},
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_str, plan_str},
    {Py_tp_methods, plan_methods},
    {Py_tp_getset, plan_getset},
    {0, NULL},
};

PyType_Spec srn_py_plan_spec = {
    .name = "seqrnn._core.Plan",
    .basicsize = sizeof(srn_py_plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = plan_slots,
};
