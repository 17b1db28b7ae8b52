/* The element types. f32 and f64 are computed with; integers index; bool masks. */
#ifndef SRN_TENSOR_DTYPE_H
#define SRN_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum srn_dtype { SRN_F32, SRN_F64, SRN_I32, SRN_I64, SRN_BOOL, SRN_N_DTYPES } srn_dtype;

size_t srn_dtype_size(srn_dtype dtype);      /* bytes: 4 8 4 8 1 */
const char *srn_dtype_name(srn_dtype dtype); /* "float32" ... "bool" */
bool srn_dtype_is_float(srn_dtype dtype);
bool srn_dtype_from_name(srn_dtype *out, const char *name);

#endif
