/* The error channel: a status and a text, the first one wins.
 *
 * Every function that can fail takes `srn_error *err` last and returns false (or SRN_NONE, or NULL)
 * after srn_fail() wrote there. Texts say what was wrong, what came and what was expected.
 * Nothing in the core aborts, prints or jumps.
 */
#ifndef SRN_BASE_ERROR_H
#define SRN_BASE_ERROR_H

#include <stdbool.h>

typedef enum srn_status {
    SRN_OK = 0,
    SRN_ERR_MEMORY,   /* MemoryError */
    SRN_ERR_VALUE,    /* ValueError: a value or a shape does not fit */
    SRN_ERR_TYPE,     /* TypeError: a dtype or a kind does not fit */
    SRN_ERR_INDEX,    /* IndexError: an index is out of range */
    SRN_ERR_INTERNAL, /* SystemError: our own bug */
} srn_status;

typedef struct srn_error {
    srn_status status;
    char text[1000];
} srn_error;

/* Records the failure unless one is recorded already; returns false, so that callers can
 * `return srn_fail(err, ...)`. */
bool srn_fail(srn_error *err, srn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool srn_failed(const srn_error *err);
void srn_error_clear(srn_error *err);

#endif
