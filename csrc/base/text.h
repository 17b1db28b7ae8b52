/* A growing text, for dumps. */
#ifndef SRN_BASE_TEXT_H
#define SRN_BASE_TEXT_H

#include <stddef.h>

#include "base/error.h"

typedef struct srn_text {
    char *data; /* zero-terminated once something was added; made with srn_alloc */
    size_t length, capacity;
} srn_text;

bool srn_text_add(srn_text *text, srn_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
