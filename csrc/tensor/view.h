/* A view names memory it does not own: dtype, shape, contiguous row-major data. */
#ifndef SRN_TENSOR_VIEW_H
#define SRN_TENSOR_VIEW_H

#include "tensor/shape.h"

typedef struct srn_view {
    srn_type type;
    void *data; /* NULL: nobody reads this output */
} srn_view;

static inline void *srn_view_at(const srn_view *view, int64_t element) {
    return (char *)view->data + element * (int64_t)srn_dtype_size(view->type.dtype);
}

#endif
