/* Shapes and broadcasting; see shape.h. */
#include "tensor/shape.h"

#include <stdio.h>
#include <string.h>

srn_shape srn_shape_of(int32_t rank, const int64_t *dims) {
    srn_shape shape = {.rank = rank};
    for (int32_t i = 0; i < rank; i++) {
        shape.dim[i] = dims[i];
    }
    return shape;
}

int64_t srn_shape_product(const srn_shape *shape, int32_t begin, int32_t end) {
    int64_t product = 1;
    for (int32_t i = begin; i < end; i++) {
        product *= shape->dim[i];
    }
    return product;
}

int64_t srn_shape_count(const srn_shape *shape) {
    return srn_shape_product(shape, 0, shape->rank);
}

bool srn_shape_equal(const srn_shape *a, const srn_shape *b) {
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

bool srn_shape_broadcast(srn_shape *out, const srn_shape *a, const srn_shape *b) {
    srn_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int32_t i = 0; i < result.rank; i++) {
        int32_t ia = i - (result.rank - a->rank), ib = i - (result.rank - b->rank);
        int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da != db && da != 1 && db != 1) {
            return false;
        }
        result.dim[i] = da == 1 ? db : da;
    }
    *out = result;
    return true;
}

void srn_shape_strides(int64_t *strides, const srn_shape *shape, const srn_shape *target) {
    int64_t stride = 1;
    int32_t lead = target->rank - shape->rank;
    for (int32_t i = target->rank - 1; i >= 0; i--) {
        bool repeated = i < lead || (shape->dim[i - lead] == 1 && target->dim[i] != 1);
        strides[i] = repeated ? 0 : stride;
        stride *= i < lead ? 1 : shape->dim[i - lead];
    }
}

bool srn_shape_check(const srn_shape *shape, srn_error *err) {
    char text[SRN_SHAPE_TEXT];
    if (shape->rank < 0 || shape->rank > SRN_MAX_RANK) {
        return srn_fail(err, SRN_ERR_VALUE, "a shape has 0 to %d axes, got %d", SRN_MAX_RANK,
                        (int)shape->rank);
    }
    /* The largest element has 8 bytes; the product without the zeros must fit too, since strides
     * and partial products are made of it. */
    int64_t bytes = 8;
    for (int32_t i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dim[i];
        if (dim < 0) {
            return srn_fail(err, SRN_ERR_VALUE, "a dimension cannot be negative, got shape %s",
                            srn_shape_text(text, shape));
        }
        if (dim > 0 && __builtin_mul_overflow(bytes, dim, &bytes)) {
            return srn_fail(err, SRN_ERR_VALUE, "shape %s is too large: its bytes exceed 2^63",
                            srn_shape_text(text, shape));
        }
    }
    return true;
}

size_t srn_type_bytes(const srn_type *type) {
    return (size_t)srn_shape_count(&type->shape) * srn_dtype_size(type->dtype);
}

const char *srn_shape_text(char *buffer, const srn_shape *shape) {
    int at = snprintf(buffer, SRN_SHAPE_TEXT, "(");
    for (int32_t i = 0; i < shape->rank && at < SRN_SHAPE_TEXT - 4; i++) {
        at += snprintf(buffer + at, (size_t)(SRN_SHAPE_TEXT - at), i == 0 ? "%lld" : ", %lld",
                       (long long)shape->dim[i]);
    }
    if (at < SRN_SHAPE_TEXT) {
        snprintf(buffer + at, (size_t)(SRN_SHAPE_TEXT - at), shape->rank == 1 ? ",)" : ")");
    }
    return buffer;
}
