#include "sim/cli.h"

#include <stdio.h>

#include "sim/verdict.h"

int aq_cli_fail(const struct aq_error *error) {
    fprintf(stderr, "allqsim: %s\n", error->text[0] ? error->text : aq_error_name(error->code));
    switch (error->code) {
    case AQ_EIO: return AQ_EXIT_OUTPUT;
    case AQ_EDATABASE: return AQ_EXIT_NO_DATABASE;
    case AQ_EINTERRUPTED: return AQ_EXIT_INTERRUPTED;
    case AQ_ENOMEM:
    case AQ_EINTERNAL: return AQ_EXIT_INTERNAL;
    default: return AQ_EXIT_USAGE;
    }
}

int aq_cli_usage(const char *command, const char *format, ...) {
    va_list args;
    fputs("allqsim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (allqsim %s%s--help tells more)\n", command, command[0] ? " " : "");
    return AQ_EXIT_USAGE;
}
