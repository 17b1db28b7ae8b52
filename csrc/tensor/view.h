/* A view names memory it does not own: dtype, shape, contiguous row-major data. */
#ifndef SRN_TENSOR_VIEW_H
#define SRN_TENSOR_VIEW_H

#include "tensor/shape.h"

typedef struct srn_view {
    srn_type type;
    void *data; /* NULL: nobody reads this output */
} srn_view;

#endif
