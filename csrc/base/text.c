/* A growing text; see text.h. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool grow(srn_text *text, size_t more, srn_error *err) {
    size_t want;
    if (!srn_size_add(&want, text->length, more, err)) {
        return false;
    }
    if (want <= text->capacity) {
        return true;
    }
    size_t capacity = want < 1024 ? 2048 : 2 * want;
    char *data = srn_alloc(capacity, err);
    if (data == NULL) {
        return false;
    }
    if (text->length > 0) {
        memcpy(data, text->data, text->length);
    }
    srn_free(text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
}

bool srn_text_add(srn_text *text, srn_error *err, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    bool ok = n >= 0 && grow(text, (size_t)n + 1, err);
    if (ok) {
        vsnprintf(text->data + text->length, (size_t)n + 1, format, again);
        text->length += (size_t)n;
    }
    va_end(again);
    return ok;
}
