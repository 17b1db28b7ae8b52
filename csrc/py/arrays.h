/* NumPy arrays in and out. `what` names the array in messages: "input 'x'". */
#ifndef SRN_PY_ARRAYS_H
#define SRN_PY_ARRAYS_H

#include "py/py.h"

/* A fresh C-contiguous array, its contents not set. */
PyArrayObject *srn_py_array(const srn_type *type);

/* Copies an array, or what NumPy can make one of, to `to` (NULL: only checks). The shape must be
 * equal; the dtype is cast where NumPy calls it 'same_kind' (so integers become floats, but floats
 * never integers). Strides, byte order and alignment may be anything. */
bool srn_py_copy_in(void *to, const srn_type *type, PyObject *object, const char *what);

/* Rows of an array along its first axis, type->shape.dim[0] of them, by their numbers; the other axes
 * must be equal. Otherwise as srn_py_copy_in. */
bool srn_py_gather_in(void *to, const srn_type *type, PyObject *object, const int64_t *rows,
                      const char *what);

/* The memory of an array that the core works on in place: it must be of exactly this type,
 * C-contiguous, aligned, writeable, in native byte order. NULL and an exception otherwise. */
void *srn_py_storage(const srn_type *type, PyObject *object, const char *what);

/* The type of an array of one of our dtypes, or a TypeError. */
bool srn_py_type_of(srn_type *out, PyArrayObject *array, const char *what);

/* The same as a C-contiguous, aligned, native array: a new reference. */
PyArrayObject *srn_py_plain(PyObject *object, const char *what);

PyObject *srn_py_dims(const srn_shape *shape); /* a tuple of ints */

#endif
