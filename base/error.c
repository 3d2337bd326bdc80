#include "base/error.h"

#include <stdio.h>
#include <string.h>

const char *aq_error_name(int code) {
    switch (code) {
    case AQ_OK: return "no error";
#define X(name, value, text)                                                                                 \
    case AQ_E##name: return text;
        AQ_ERRORS(X)
#undef X
    default: return "unknown error";
    }
}

int aq_error_set(struct aq_error *error, int code, const char *format, ...) {
    if (!error) return code;
    va_list args;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

void aq_error_prefix(struct aq_error *error, const char *format, ...) {
    if (!error) return;
    char old[AQ_ERROR_TEXT_MAX];
    memcpy(old, error->text, sizeof old);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof error->text) return;
    size_t room = sizeof error->text - (size_t)used;
    if (snprintf(error->text + used, room, ": %s", old) >= (int)room) return; /* cut at the end */
}
