/* From the core's errors to Python's: one table. */
#include <string.h>

#include "py/py.h"

PyObject *srn_py_text(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *srn_py_raise(const srn_error *err) {
    PyObject *const exceptions[] = {
        [SRN_OK] = PyExc_SystemError,       [SRN_ERR_MEMORY] = PyExc_MemoryError,
        [SRN_ERR_VALUE] = PyExc_ValueError, [SRN_ERR_TYPE] = PyExc_TypeError,
        [SRN_ERR_INDEX] = PyExc_IndexError, [SRN_ERR_INTERNAL] = PyExc_SystemError,
    };
    PyObject *text = srn_py_text(srn_failed(err) ? err->text : "failed without saying why");
    if (text != NULL) {
        PyErr_SetObject(exceptions[err->status], text);
        Py_DECREF(text);
    }
    return NULL;
}
