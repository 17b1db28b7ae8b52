/* Which dtype an op takes, in the words that all ops use. `name` is the op's. */
#ifndef SRN_OPS_CHECK_H
#define SRN_OPS_CHECK_H

#include "graph/op.h"

static inline bool srn_expect_float(const srn_type *in, const char *name, srn_error *err) {
    if (srn_dtype_is_float(in->dtype)) {
        return true;
    }
    return srn_fail(err, SRN_ERR_TYPE,
                    "%s: expected float32 or float64, got %s; convert it with cast first", name,
                    srn_dtype_name(in->dtype));
}

static inline bool srn_expect_number(const srn_type *in, const char *name, srn_error *err) {
    if (in->dtype != SRN_BOOL) {
        return true;
    }
    return srn_fail(err, SRN_ERR_TYPE, "%s: expected numbers, got bool; convert it with cast first",
                    name);
}

#endif
