/* NumPy arrays in and out: see arrays.h. */
#include "py/arrays.h"
#include "base/pool.h"

#include <string.h>

static const int type_numbers[SRN_N_DTYPES] = {
    [SRN_F32] = NPY_FLOAT32, [SRN_F64] = NPY_FLOAT64, [SRN_I32] = NPY_INT32,
    [SRN_I64] = NPY_INT64,   [SRN_BOOL] = NPY_BOOL,
};

/* Whether the elements are of this dtype: C may have two integer types of the same size. */
static bool has_dtype(PyArrayObject *a, srn_dtype dtype) {
    return PyArray_EquivTypenums(PyArray_TYPE(a), type_numbers[dtype]) && PyArray_ISNOTSWAPPED(a);
}

/* Axes before `first` may have any size. */
static bool has_axes(PyArrayObject *a, const srn_shape *shape, int first) {
    bool same = PyArray_NDIM(a) == shape->rank;
    for (int i = first; same && i < shape->rank; i++) {
        same = PyArray_DIM(a, i) == shape->dim[i];
    }
    return same;
}

static bool has_shape(PyArrayObject *a, const srn_shape *shape) {
    return has_axes(a, shape, 0);
}

PyObject *srn_py_dims(const srn_shape *shape) {
    PyObject *dims = PyTuple_New(shape->rank);
    for (int i = 0; dims != NULL && i < shape->rank; i++) {
        PyObject *dim = PyLong_FromLongLong(shape->dim[i]);
        if (dim == NULL) {
            Py_CLEAR(dims);
        } else {
            PyTuple_SET_ITEM(dims, i, dim);
        }
    }
    return dims;
}

static void raise_shape(PyArrayObject *a, const srn_shape *expected, const char *what) {
    char text[SRN_SHAPE_TEXT];
    PyObject *got = PyObject_GetAttrString((PyObject *)a, "shape");
    if (got != NULL) {
        PyErr_Format(PyExc_ValueError, "%s: expected shape %s, got %R", what,
                     srn_shape_text(text, expected), got);
        Py_DECREF(got);
    }
}

PyArrayObject *srn_py_array(const srn_type *type) {
    npy_intp dims[SRN_MAX_RANK];
    for (int i = 0; i < type->shape.rank; i++) {
        dims[i] = (npy_intp)type->shape.dim[i];
    }
    return (PyArrayObject *)PyArray_SimpleNew(type->shape.rank, dims, type_numbers[type->dtype]);
}

/* What NumPy makes of it: a new reference. Ragged lists fail here, with NumPy's words. */
static PyArrayObject *as_array(PyObject *object) {
    if (PyArray_Check(object)) {
        Py_INCREF(object);
        return (PyArrayObject *)object;
    }
    return (PyArrayObject *)PyArray_FROM_O(object);
}

/* The general way: NumPy's own cast into an array that borrows `to`. */
static bool cast_in(void *to, const srn_type *type, PyArrayObject *from, const char *what) {
    PyArray_Descr *descr = PyArray_DescrFromType(type_numbers[type->dtype]);
    if (!PyArray_CanCastArrayTo(from, descr, NPY_SAME_KIND_CASTING)) {
        PyErr_Format(PyExc_TypeError,
                     "%s: expected %s, got %S, which does not convert to it safely", what,
                     srn_dtype_name(type->dtype), (PyObject *)PyArray_DESCR(from));
        Py_DECREF(descr);
        return false;
    }
    if (to == NULL) {
        Py_DECREF(descr);
        return true;
    }
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, PyArray_NDIM(from),
                                          PyArray_DIMS(from), NULL, to, NPY_ARRAY_CARRAY, NULL);
    bool ok = view != NULL && PyArray_CopyInto((PyArrayObject *)view, from) == 0;
    Py_XDECREF(view);
    return ok;
}

bool srn_py_copy_in(void *to, const srn_type *type, PyObject *object, const char *what) {
    PyArrayObject *from = as_array(object);
    if (from == NULL) {
        return false;
    }
    bool ok = has_shape(from, &type->shape);
    if (!ok) {
        raise_shape(from, &type->shape, what);
    } else if (!has_dtype(from, type->dtype) || !PyArray_IS_C_CONTIGUOUS(from)) {
        ok = cast_in(to, type, from, what);
    } else if (to != NULL) {
        memcpy(to, PyArray_DATA(from), (size_t)PyArray_NBYTES(from));
    }
    Py_DECREF(from);
    return ok;
}

static bool rows_exist(const int64_t *rows, int64_t n, int64_t count, const char *what) {
    for (int64_t i = 0; i < n; i++) {
        if (rows[i] < 0 || rows[i] >= count) {
            PyErr_Format(PyExc_IndexError, "%s: there is no row %lld, the array has %lld", what,
                         (long long)rows[i], (long long)count);
            return false;
        }
    }
    return true;
}

/* Bytes of row i are at i * bytes: a copy each. */
typedef struct gathering {
    char *to;
    const char *from;
    const int64_t *rows;
    int64_t n;
    size_t bytes; /* of a row */
} gathering;

enum { GATHER_BLOCKS = 8 };

static void gather_block(void *context, int64_t block, int worker) {
    (void)worker;
    const gathering *g = context;
    int64_t end = g->n * (block + 1) / GATHER_BLOCKS;
    for (int64_t i = g->n * block / GATHER_BLOCKS; i < end; i++) {
        memcpy(g->to + (size_t)i * g->bytes, g->from + (size_t)g->rows[i] * g->bytes, g->bytes);
    }
}

/* By the threads that will compute with these rows: each has the same share of every job. */
static void gather_plain(gathering *g) {
    const size_t worth = 16384;
    bool many = (size_t)g->n * g->bytes >= worth;
    srn_pool_run(GATHER_BLOCKS, many ? SRN_MAX_THREADS : 1, gather_block, g);
}

/* Rows that are strided or of another dtype: NumPy picks them out. */
static bool gather_any(void *to, const srn_type *type, PyArrayObject *from, const int64_t *rows,
                       const char *what) {
    npy_intp n = (npy_intp)type->shape.dim[0];
    PyObject *index = PyArray_SimpleNew(1, &n, NPY_INT64);
    if (index == NULL) {
        return false;
    }
    memcpy(PyArray_DATA((PyArrayObject *)index), rows, (size_t)n * sizeof *rows);
    PyObject *picked = PyObject_GetItem((PyObject *)from, index);
    bool ok = picked != NULL && srn_py_copy_in(to, type, picked, what);
    Py_DECREF(index);
    Py_XDECREF(picked);
    return ok;
}

bool srn_py_gather_in(void *to, const srn_type *type, PyObject *object, const int64_t *rows,
                      const char *what) {
    PyArrayObject *from = as_array(object);
    if (from == NULL) {
        return false;
    }
    int64_t n = type->shape.rank > 0 ? type->shape.dim[0] : 0;
    bool ok = type->shape.rank > 0 && has_axes(from, &type->shape, 1);
    if (!ok) {
        raise_shape(from, &type->shape, what);
    } else if (!rows_exist(rows, n, PyArray_DIM(from, 0), what)) {
        ok = false;
    } else if (!has_dtype(from, type->dtype) || !PyArray_IS_C_CONTIGUOUS(from)) {
        ok = gather_any(to, type, from, rows, what);
    } else if (to != NULL && n > 0) {
        gather_plain(&(gathering){.to = to,
                                  .from = PyArray_DATA(from),
                                  .rows = rows,
                                  .n = n,
                                  .bytes = srn_type_bytes(type) / (size_t)n});
    }
    Py_DECREF(from);
    return ok;
}

void *srn_py_storage(const srn_type *type, PyObject *object, const char *what) {
    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s: expected an array, got %.200s", what,
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    PyArrayObject *a = (PyArrayObject *)object;
    if (!has_dtype(a, type->dtype)) {
        PyErr_Format(PyExc_TypeError, "%s: expected dtype %s, got %S", what,
                     srn_dtype_name(type->dtype), (PyObject *)PyArray_DESCR(a));
        return NULL;
    }
    if (!has_shape(a, &type->shape)) {
        raise_shape(a, &type->shape, what);
        return NULL;
    }
    if (!PyArray_ISCARRAY(a)) {
        PyErr_Format(PyExc_ValueError,
                     "%s: expected a C-contiguous, aligned, writeable array; "
                     "numpy.ascontiguousarray(a) makes one",
                     what);
        return NULL;
    }
    return PyArray_DATA(a);
}

bool srn_py_type_of(srn_type *out, PyArrayObject *array, const char *what) {
    if (PyArray_NDIM(array) > SRN_MAX_RANK) {
        PyErr_Format(PyExc_ValueError, "%s: %d axes, expected %d at most", what,
                     PyArray_NDIM(array), SRN_MAX_RANK);
        return false;
    }
    for (int d = 0; d < SRN_N_DTYPES; d++) {
        if (!has_dtype(array, (srn_dtype)d)) {
            continue;
        }
        *out = (srn_type){(srn_dtype)d, {PyArray_NDIM(array), {0}}};
        for (int i = 0; i < PyArray_NDIM(array); i++) {
            out->shape.dim[i] = PyArray_DIM(array, i);
        }
        return true;
    }
    PyErr_Format(PyExc_TypeError,
                 "%s: expected float32, float64, int32, int64 or bool in native byte order, got %S",
                 what, (PyObject *)PyArray_DESCR(array));
    return false;
}

PyArrayObject *srn_py_plain(PyObject *object, const char *what) {
    PyArrayObject *a = as_array(object);
    if (a == NULL) {
        return NULL;
    }
    if (PyArray_TYPE(a) == NPY_OBJECT) {
        PyErr_Format(PyExc_TypeError, "%s: got an array of Python objects, expected numbers", what);
        Py_DECREF(a);
        return NULL;
    }
    PyObject *plain = PyArray_FROM_OF((PyObject *)a, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED |
                                                         NPY_ARRAY_NOTSWAPPED);
    Py_DECREF(a);
    return (PyArrayObject *)plain;
}
