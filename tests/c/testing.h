/* Checks for the C tests: CHECK counts, test_summary prints a line and returns the exit status.
 *
 *     int main(void)
 *     {
 *         test_this();
 *         return test_summary("this");
 *     }
 */
#ifndef SRN_TESTING_H
#define SRN_TESTING_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int test_count, test_failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        test_count++;                                                                              \
        if (!(condition)) {                                                                        \
            test_failures++;                                                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)

/* |got - want| <= tolerance * max(1, |want|); two NaNs agree, and so do equal infinities. */
#define CHECK_NEAR(got, want, tolerance)                                                           \
    do {                                                                                           \
        double got_ = (double)(got), want_ = (double)(want), scale_ = fmax(1, fabs(want_));        \
        test_count++;                                                                              \
        if (!(got_ == want_ || (isnan(got_) && isnan(want_)) ||                                    \
              fabs(got_ - want_) <= (tolerance) * scale_)) {                                       \
            test_failures++;                                                                       \
            fprintf(stderr, "%s:%d: %s is %.17g, expected %.17g\n", __FILE__, __LINE__, #got,      \
                    got_, want_);                                                                  \
        }                                                                                          \
    } while (0)

/* The error's text contains these words. */
#define CHECK_SAYS(err, words)                                                                     \
    do {                                                                                           \
        test_count++;                                                                              \
        if (strstr((err).text, words) == NULL) {                                                   \
            test_failures++;                                                                       \
            fprintf(stderr, "%s:%d: the error says '%s', expected '%s' in it\n", __FILE__,         \
                    __LINE__, (err).text, words);                                                  \
        }                                                                                          \
    } while (0)

static inline int test_summary(const char *name) {
    fprintf(stderr, "%s: %d checks, %d failures\n", name, test_count, test_failures);
    return test_failures > 0;
}

#endif
