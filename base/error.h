/* Error codes and the message that goes with one. Functions return 0 or a negative AQ_E* code. */
#ifndef AQ_BASE_ERROR_H
#define AQ_BASE_ERROR_H

#include <stdarg.h>

#define AQ_ERRORS(X)                                                                                         \
    X(NOMEM, -1, "out of memory")                                                                            \
    X(INVALID, -2, "invalid value")                                                                          \
    X(PARSE, -3, "malformed input")                                                                          \
    X(LIMIT, -4, "limit exceeded")                                                                           \
    X(NOENT, -5, "not found")                                                                                \
    X(EXISTS, -6, "already there")                                                                           \
    X(IO, -7, "input or output failed")                                                                      \
    X(USAGE, -8, "wrong use of the command line")                                                            \
    X(INTERRUPTED, -9, "interrupted")                                                                        \
    X(UNSUPPORTED, -10, "not possible here")                                                                 \
    X(INTERNAL, -11, "internal error")                                                                       \
    X(DATABASE, -12, "a database that cannot be used")

enum aq_error_code {
    AQ_OK = 0,
#define X(name, value, text) AQ_E##name = value,
    AQ_ERRORS(X)
#undef X
};

#define AQ_ERROR_TEXT_MAX 1024

struct aq_error {
    int code;                     /* AQ_OK or AQ_E* */
    char text[AQ_ERROR_TEXT_MAX]; /* one line for a person: what, where, which value, what is allowed */
};

/* The general text of a code. Never NULL. */
const char *aq_error_name(int code);

/* Fills *error (which may be NULL) and returns code, so that a function can end with
   `return aq_error_set(...)`. */
int aq_error_set(struct aq_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that is there: adds the place while an error travels up. */
void aq_error_prefix(struct aq_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
