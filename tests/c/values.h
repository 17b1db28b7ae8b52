/* Made-up numbers, and elements of any dtype as doubles. */
#ifndef SRN_VALUES_H
#define SRN_VALUES_H

#include "tensor/dtype.h"
#include "testing.h"

typedef double cell __attribute__((may_alias)); /* memory for any dtype */

/* A number in [-1, 1), the same for the same i. */
static inline double noise(int64_t i) {
    uint64_t z = (uint64_t)i * 0x9E3779B97F4A7C15u + 12345;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)(int64_t)(z ^ (z >> 31)) * 0x1p-63;
}

static inline void put(srn_dtype dtype, void *x, int64_t i, double value) {
    switch (dtype) {
    case SRN_F32:
        ((float *)x)[i] = (float)value;
        break;
    case SRN_F64:
        ((double *)x)[i] = value;
        break;
    case SRN_I32:
        ((int32_t *)x)[i] = (int32_t)value;
        break;
    case SRN_I64:
        ((int64_t *)x)[i] = (int64_t)value;
        break;
    default:
        ((bool *)x)[i] = value > 0;
    }
}

static inline double at(srn_dtype dtype, const void *x, int64_t i) {
    switch (dtype) {
    case SRN_F32:
        return (double)((const float *)x)[i];
    case SRN_F64:
        return ((const double *)x)[i];
    case SRN_I32:
        return ((const int32_t *)x)[i];
    case SRN_I64:
        return (double)((const int64_t *)x)[i];
    default:
        return ((const bool *)x)[i];
    }
}

#endif
