/* Shapes: at most SRN_MAX_RANK axes, row-major (C order), sizes int64_t, zero allowed. */
#ifndef SRN_TENSOR_SHAPE_H
#define SRN_TENSOR_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tensor/dtype.h"

#define SRN_MAX_RANK 8

typedef struct srn_shape {
    int32_t rank;
    int64_t dim[SRN_MAX_RANK];
} srn_shape;

typedef struct srn_type {
    srn_dtype dtype;
    srn_shape shape;
} srn_type;

srn_shape srn_shape_of(int32_t rank, const int64_t *dims); /* rank <= SRN_MAX_RANK */
int64_t srn_shape_count(const srn_shape *shape); /* elements; shapes in a graph were checked */
/* Product of the dims from axis `begin` to `end` - 1. */
int64_t srn_shape_product(const srn_shape *shape, int32_t begin, int32_t end);
bool srn_shape_equal(const srn_shape *a, const srn_shape *b);
/* NumPy's rule. False (no error written) when the two do not fit. */
bool srn_shape_broadcast(srn_shape *out, const srn_shape *a, const srn_shape *b);
/* Row-major strides in elements; 0 on the axes along which `shape` (aligned at the right of
 * `target`) is repeated. */
void srn_shape_strides(int64_t *strides, const srn_shape *shape, const srn_shape *target);
bool srn_shape_check(const srn_shape *shape, srn_error *err); /* negative dims, overflow */
size_t srn_type_bytes(const srn_type *type);

/* "(32, 50, 1)" into a caller's buffer; returns the buffer. */
#define SRN_SHAPE_TEXT 192
const char *srn_shape_text(char *buffer, const srn_shape *shape);

#endif
