/* The error channel; see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool srn_fail(srn_error *err, srn_status status, const char *format, ...) {
    if (err->status == SRN_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args); /* a longer text is cut */
        va_end(args);
        err->status = status;
    }
    return false;
}

bool srn_failed(const srn_error *err) {
    return err->status != SRN_OK;
}

void srn_error_clear(srn_error *err) {
    err->status = SRN_OK;
    err->text[0] = '\0';
}
