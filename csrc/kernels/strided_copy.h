/* Copies an array element by element between two layouts: what transposes, slices, pads, joins and
 * repeats. The bytes of the elements are moved, so the dtype does not matter. */
#ifndef SRN_KERNELS_STRIDED_COPY_H
#define SRN_KERNELS_STRIDED_COPY_H

#include <stddef.h>

#include "tensor/shape.h"

/* For each index i of the array `shape`: dst[sum i * dst_stride] = src[sum i * src_stride].
 * Strides in elements of `item` bytes (1, 4 or 8), also negative or zero; dst and src are the places
 * of index 0. Elements of dst must be distinct and not overlap src. */
void srn_strided_copy(const srn_shape *shape, void *dst, const int64_t *dst_stride, const void *src,
                      const int64_t *src_stride, size_t item);

/* n elements of one value, given as a number and stored as `dtype`. */
void srn_fill_value(void *dst, int64_t n, srn_dtype dtype, double value);

#endif
