/* The element types; see dtype.h. */
#include "tensor/dtype.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[SRN_N_DTYPES] = {
    [SRN_F32] = {"float32", 4}, [SRN_F64] = {"float64", 8}, [SRN_I32] = {"int32", 4},
    [SRN_I64] = {"int64", 8},   [SRN_BOOL] = {"bool", 1},
};

size_t srn_dtype_size(srn_dtype dtype) {
    return dtypes[dtype].size;
}

const char *srn_dtype_name(srn_dtype dtype) {
    return dtypes[dtype].name;
}

bool srn_dtype_is_float(srn_dtype dtype) {
    return dtype == SRN_F32 || dtype == SRN_F64;
}

bool srn_dtype_from_name(srn_dtype *out, const char *name) {
    for (int i = 0; i < SRN_N_DTYPES; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *out = (srn_dtype)i;
            return true;
        }
    }
    return false;
}
