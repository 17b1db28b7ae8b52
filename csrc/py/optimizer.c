/* _core.Optimizer: the update rule with its state: a flat array per slot (m, v, momentum, ...) of
 * the same length and order as the gradients of its variables. The formulas are in csrc/optim/.
 *
 * The variables' arrays and the slots are kept alive by this object; a step changes them in place
 * without the GIL, so only one step at a time is allowed.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "py/args.h"
#include "py/arrays.h"

static const struct {
    const char *name;
    srn_optim_kind kind;
} kinds[] = {
    {"sgd", SRN_OPTIM_SGD},
    {"rmsprop", SRN_OPTIM_RMSPROP},
    {"adam", SRN_OPTIM_ADAM},
    {"nadam", SRN_OPTIM_NADAM},
    {"adagrad", SRN_OPTIM_ADAGRAD},
    {"adadelta", SRN_OPTIM_ADADELTA},
    {"adamax", SRN_OPTIM_ADAMAX},
    {"ftrl", SRN_OPTIM_FTRL},
    {"lion", SRN_OPTIM_LION},
    {"lamb", SRN_OPTIM_LAMB},
    {"adafactor", SRN_OPTIM_ADAFACTOR},
    {"schedule_free", SRN_OPTIM_SCHEDULE_FREE},
};

typedef enum field_type { NUMBER, FLAG, COUNT } field_type;
#define FIELD(type, member) {#member, offsetof(srn_optim_config, member), type}
static const struct {
    const char *name;
    size_t offset;
    field_type type;
} fields[] = {
    FIELD(NUMBER, learning_rate),
    FIELD(NUMBER, momentum),
    FIELD(NUMBER, rho),
    FIELD(NUMBER, beta_1),
    FIELD(NUMBER, beta_2),
    FIELD(NUMBER, epsilon),
    FIELD(NUMBER, weight_decay),
    FIELD(FLAG, nesterov),
    FIELD(FLAG, amsgrad),
    FIELD(FLAG, centered),
    FIELD(NUMBER, clipnorm),
    FIELD(NUMBER, clipvalue),
    FIELD(NUMBER, global_clipnorm),
    FIELD(NUMBER, u_product),
    FIELD(NUMBER, initial_accumulator),
    FIELD(NUMBER, learning_rate_power),
    FIELD(NUMBER, l1),
    FIELD(NUMBER, l2),
    FIELD(NUMBER, l2_shrinkage),
    FIELD(NUMBER, beta),
    FIELD(NUMBER, beta_2_decay),
    FIELD(NUMBER, epsilon_2),
    FIELD(NUMBER, clip_threshold),
    FIELD(COUNT, warmup_steps),
    FIELD(NUMBER, loss_scale_factor),
    FIELD(COUNT, accumulation_steps),
    FIELD(FLAG, use_ema),
    FIELD(NUMBER, ema_momentum),
    FIELD(COUNT, ema_overwrite_frequency),
};

/* ---- one step at a time ---- */

static bool in_place(PyObject *item, const void *data, int64_t count, srn_dtype dtype) {
    PyArrayObject *a = (PyArrayObject *)item;
    return PyArray_DATA(a) == data && PyArray_ISWRITEABLE(a) &&
           (size_t)PyArray_NBYTES(a) == (size_t)count * srn_dtype_size(dtype);
}

/* NumPy resizes an array that others point to when it is told not to look (refcheck=False). */
bool srn_py_optimizer_in_place(const srn_py_optimizer *o) {
    bool ok = true;
    for (int32_t i = 0; ok && i < o->target.n; i++) {
        ok = in_place(PyTuple_GET_ITEM(o->variables, i), o->variable_data[i],
                      o->begin[i + 1] - o->begin[i], o->target.dtype);
    }
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(o->slots); i++) {
        ok = in_place(PyTuple_GET_ITEM(o->slots, i), o->slot_data[i], o->begin[o->target.n],
                      o->target.dtype);
    }
    if (!ok) {
        PyErr_SetString(PyExc_ValueError,
                        "an array of the optimizer, a variable or a slot, was resized or made "
                        "read-only since the optimizer was made; make a new optimizer");
    }
    return ok;
}

bool srn_py_optimizer_take(srn_py_optimizer *o, double learning_rate) {
    if (o->busy == getpid()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this optimizer is stepping in another thread; train one model from one "
                        "thread at a time");
        return false;
    }
    if (!srn_py_optimizer_in_place(o)) {
        return false;
    }
    o->busy = getpid();
    o->config.learning_rate = learning_rate;
    return true;
}

void srn_py_optimizer_release(srn_py_optimizer *o) {
    o->busy = 0;
}

bool srn_py_iteration(int64_t *t, PyObject *object, const char *what) {
    if (!srn_py_int64(t, object, what)) {
        return false;
    }
    if (*t < 0 || *t == INT64_MAX) {
        PyErr_Format(PyExc_ValueError, "%s: got %R, expected the steps made so far, 0 or more",
                     what, object);
        return false;
    }
    *t += 1;
    return true;
}

/* ---- making one ---- */

static bool read_kind(srn_optim_config *config, PyObject *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, kinds[i].name) == 0) {
            config->kind = kinds[i].kind;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "Optimizer: got %R, expected 'sgd', 'adam' or another rule",
                 name);
    return false;
}

static bool read_count(int64_t *count, PyObject *value, const char *what) {
    if (!srn_py_int64(count, value, what)) {
        return false;
    }
    if (*count < 0) {
        PyErr_Format(PyExc_ValueError, "%s: got %R, expected 0 or more", what, value);
        return false;
    }
    return true;
}

static bool read_field(srn_optim_config *config, PyObject *name, PyObject *value) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (PyUnicode_CompareWithASCIIString(name, fields[i].name) != 0) {
            continue;
        }
        void *member = (char *)config + fields[i].offset;
        char what[64];
        PyOS_snprintf(what, sizeof what, "Optimizer: %s", fields[i].name);
        if (fields[i].type == FLAG) {
            return srn_py_bool(member, value, what);
        }
        if (value == Py_None) { /* the member stays 0: no clipping, no decay, ... */
            return true;
        }
        return fields[i].type == COUNT ? read_count(member, value, what)
                                       : srn_py_double(member, value, what);
    }
    PyErr_Format(PyExc_TypeError, "Optimizer() got an unexpected keyword argument '%U'", name);
    return false;
}

static bool read_config(srn_optim_config *config, PyObject **undecayed, PyObject *kwargs) {
    *config = (srn_optim_config){.kind = config->kind,
                                 .learning_rate = 0.001,
                                 .rho = 0.9,
                                 .beta_1 = 0.9,
                                 .beta_2 = 0.999,
                                 .epsilon = 1e-7,
                                 .learning_rate_power = -0.5,
                                 .beta_2_decay = -0.8,
                                 .epsilon_2 = 1e-3,
                                 .clip_threshold = 1,
                                 .u_product = 1};
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &name, &value)) {
        if (PyUnicode_CompareWithASCIIString(name, "undecayed") == 0) {
            *undecayed = value;
        } else if (!read_field(config, name, value)) {
            return false;
        }
    }
    int clips = (config->clipnorm != 0) + (config->clipvalue != 0) + (config->global_clipnorm != 0);
    if (clips > 1) {
        PyErr_SetString(PyExc_ValueError,
                        "Optimizer: clipnorm, clipvalue and global_clipnorm exclude each other");
    }
    return clips <= 1;
}

static bool read_variables(srn_py_optimizer *self) {
    Py_ssize_t n = PyTuple_GET_SIZE(self->variables);
    srn_error err = {0};
    self->variable_data = srn_alloc(((size_t)n + 1) * sizeof(void *), &err);
    self->begin = srn_alloc_zero(((size_t)n + 1) * sizeof(int64_t), &err);
    self->last_axes = srn_alloc_zero(((size_t)n + 1) * sizeof *self->last_axes, &err);
    self->undecayed = srn_alloc_zero((size_t)n + 1, &err);
    self->idle = srn_alloc_zero((size_t)n + 1, &err);
    if (self->variable_data == NULL || self->begin == NULL || self->last_axes == NULL ||
        self->undecayed == NULL || self->idle == NULL) {
        srn_py_raise(&err);
        return false;
    }
    srn_dtype dtype = SRN_F32;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(self->variables, i);
        srn_type type;
        char what[64];
        PyOS_snprintf(what, sizeof what, "Optimizer: variable %zd", i);
        if (!PyArray_Check(item)) {
            PyErr_Format(PyExc_TypeError, "%s: expected an array, got %.200s", what,
                         Py_TYPE(item)->tp_name);
            return false;
        }
        if (!srn_py_type_of(&type, (PyArrayObject *)item, what)) {
            return false;
        }
        dtype = i == 0 ? type.dtype : dtype;
        if (!srn_dtype_is_float(type.dtype) || type.dtype != dtype) {
            PyErr_Format(PyExc_TypeError,
                         "%s: got %s, expected float32 or float64, and the same "
                         "for all of them (the first is %s)",
                         what, srn_dtype_name(type.dtype), srn_dtype_name(dtype));
            return false;
        }
        self->variable_data[i] = srn_py_storage(&type, item, what);
        if (self->variable_data[i] == NULL) {
            return false;
        }
        /* The arrays exist, so their sizes in bytes do not overflow together. */
        self->begin[i + 1] = self->begin[i] + srn_shape_count(&type.shape);
        if (type.shape.rank >= 2) {
            self->last_axes[i][0] = type.shape.dim[type.shape.rank - 2];
            self->last_axes[i][1] = type.shape.dim[type.shape.rank - 1];
        }
    }
    self->target = (srn_optim_target){.n = (int32_t)n,
                                      .variables = self->variable_data,
                                      .begin = self->begin,
                                      .dtype = dtype,
                                      .last_axes = (const int64_t (*)[2])self->last_axes,
                                      .undecayed = self->undecayed,
                                      .idle = self->idle};
    return true;
}

/* A bool per variable; false for all if `values` is NULL. */
static bool read_flags(srn_py_optimizer *self, bool *flags, PyObject *values, const char *what) {
    const Py_ssize_t n = self->target.n;
    if (values == NULL) {
        memset(flags, 0, (size_t)n * sizeof *flags);
        return true;
    }
    PyObject *tuple = srn_py_tuple(values, what);
    if (tuple == NULL) {
        return false;
    }
    bool ok = PyTuple_GET_SIZE(tuple) == n;
    if (!ok) {
        PyErr_Format(PyExc_ValueError, "%s: got %zd flags for %zd variables", what,
                     PyTuple_GET_SIZE(tuple), n);
    }
    for (Py_ssize_t i = 0; ok && i < n; i++) {
        ok = srn_py_bool(&flags[i], PyTuple_GET_ITEM(tuple, i), what);
    }
    Py_DECREF(tuple);
    return ok;
}

static void fill(void *data, srn_dtype dtype, int64_t n, double value) {
    for (int64_t i = 0; i < n; i++) {
        if (dtype == SRN_F32) {
            ((float *)data)[i] = (float)value;
        } else {
            ((double *)data)[i] = value;
        }
    }
}

static bool make_slots(srn_py_optimizer *self) {
    int n = srn_optim_slots(&self->config);
    self->slots = PyTuple_New(n);
    srn_type type = {self->target.dtype, {1, {self->begin[self->target.n]}}};
    for (int i = 0; self->slots != NULL && i < n; i++) {
        PyArrayObject *slot = srn_py_array(&type);
        if (slot == NULL) {
            return false;
        }
        self->slot_data[i] = PyArray_DATA(slot);
        fill(self->slot_data[i], type.dtype, PyArray_SIZE(slot),
             srn_optim_slot_start(&self->config, i));
        PyTuple_SET_ITEM(self->slots, i, (PyObject *)slot);
    }
    return self->slots != NULL;
}

static PyObject *optimizer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *kind, *variables;
    if (!PyArg_ParseTuple(args, "OO:Optimizer", &kind, &variables)) {
        return NULL;
    }
    srn_py_optimizer *self = (srn_py_optimizer *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    PyObject *undecayed = NULL;
    bool ok = read_kind(&self->config, kind) && read_config(&self->config, &undecayed, kwargs);
    self->variables = ok ? srn_py_tuple(variables, "Optimizer: variables") : NULL;
    if (self->variables == NULL || !read_variables(self) ||
        !read_flags(self, self->undecayed, undecayed, "Optimizer: undecayed") ||
        !make_slots(self)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- life: arrays may take part in reference cycles ---- */

static int optimizer_traverse(PyObject *object, visitproc visit, void *arg) {
    srn_py_optimizer *self = (srn_py_optimizer *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->variables);
    Py_VISIT(self->slots);
    return 0;
}

static void optimizer_dealloc(PyObject *object) {
    srn_py_optimizer *self = (srn_py_optimizer *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->variables);
    Py_XDECREF(self->slots);
    srn_free(self->variable_data);
    srn_free(self->begin);
    srn_free(self->last_axes);
    srn_free(self->undecayed);
    srn_free(self->idle);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- use ---- */

static PyObject *optimizer_step(PyObject *object, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *names) {
    static const char *const words[] = {"gradient", "learning_rate", "iteration", NULL};
    static const srn_py_signature signature = {"Optimizer.step", words, 3, 1};
    srn_py_optimizer *self = (srn_py_optimizer *)object;
    PyObject *given[3];
    double rate;
    srn_py_work work = {.optimizer = self};
    if (!srn_py_arguments(given, &signature, args, n_args, names) ||
        !srn_py_double(&rate, given[1], "Optimizer.step: learning_rate") ||
        !srn_py_iteration(&work.t, given[2], "Optimizer.step: iteration")) {
        return NULL;
    }
    /* A copy: clipping works in place. */
    srn_type type = {self->target.dtype, {1, {self->begin[self->target.n]}}};
    PyArrayObject *gradient = srn_py_array(&type);
    bool ok = gradient != NULL &&
              srn_py_copy_in(PyArray_DATA(gradient), &type, given[0], "Optimizer.step: gradient");
    if (ok && srn_py_optimizer_take(self, rate)) {
        work.gradient = PyArray_DATA(gradient);
        srn_py_work_do(&work);
        srn_py_optimizer_release(self);
    }
    Py_XDECREF(gradient);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *optimizer_slots_of(PyObject *object, void *unused) {
    (void)unused;
    return Py_NewRef(((srn_py_optimizer *)object)->slots);
}

static int optimizer_set_idle(PyObject *object, PyObject *value, void *unused) {
    (void)unused;
    srn_py_optimizer *self = (srn_py_optimizer *)object;
    if (self->busy == getpid()) {
        PyErr_SetString(PyExc_RuntimeError, "this optimizer is stepping in another thread");
        return -1;
    }
    return read_flags(self, self->idle, value, "Optimizer: idle") ? 0 : -1;
}

/* The number in the config itself, as an array of no axes. */
static PyObject *optimizer_u_product(PyObject *object, void *unused) {
    (void)unused;
    srn_py_optimizer *self = (srn_py_optimizer *)object;
    PyObject *array = PyArray_SimpleNewFromData(0, NULL, NPY_DOUBLE, &self->config.u_product);
    if (array != NULL && PyArray_SetBaseObject((PyArrayObject *)array, Py_NewRef(object)) < 0) {
        Py_CLEAR(array);
    }
    return array;
}

/* ---- the type ---- */

static PyMethodDef optimizer_methods[] = {
    {"step", (PyCFunction)(void (*)(void))optimizer_step, METH_FASTCALL | METH_KEYWORDS,
     "step(gradient, *, learning_rate, iteration): one update by a flat gradient. `iteration` "
     "counts from 0."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef optimizer_getset[] = {
    {"slots", optimizer_slots_of, NULL, "The state: flat arrays, writeable.", NULL},
    {"u_product", optimizer_u_product, NULL,
     "Nadam: the product of the momentum schedule so far, a float64 array without axes, writeable.",
     NULL},
    {"idle", NULL, optimizer_set_idle,
     "A bool per variable: whether steps leave it alone, as it has no gradient. Write only.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot optimizer_slots[] = {
    {Py_tp_doc, "Optimizer(kind, variables, **config): an update rule with its state."},
    {Py_tp_new, optimizer_new},
    {Py_tp_dealloc, optimizer_dealloc},
    {Py_tp_traverse, optimizer_traverse},
    {Py_tp_methods, optimizer_methods},
    {Py_tp_getset, optimizer_getset},
    {0, NULL},
};

PyType_Spec srn_py_optimizer_spec = {
    .name = "seqrnn._core.Optimizer",
    .basicsize = sizeof(srn_py_optimizer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = optimizer_slots,
};
