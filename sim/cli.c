#include "sim/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

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

int aq_cli_number(const char *command, const char *option, const char *text, uint64_t min, uint64_t max,
                  uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno || *end || value < min || value > max)
        return aq_cli_usage(command, "--%s: found \"%s\", allowed is a whole number, %" PRIu64 " to %" PRIu64,
                            option, text, min, max);
    *out = value;
    return 0;
}

int aq_cli_count(const char *command, const char *option, const char *text, uint32_t min, uint32_t max,
                 uint32_t *out) {
    uint64_t value;
    int code = aq_cli_number(command, option, text, min, max, &value);
    if (!code) *out = (uint32_t)value;
    return code;
}

/* Digits up to `end`, from 1 on; *rest is what follows `end`. */
static bool read_part(const char *text, char end, uint32_t *out, const char **rest) {
    char *after;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 10);
    if (text[0] < '0' || text[0] > '9' || errno || *after != end || value < 1 || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    *rest = after + 1;
    return true;
}

int aq_cli_shard(const char *command, const char *text, uint32_t *shard, uint32_t *shards) {
    const char *rest;
    uint32_t number, count;
    if (!read_part(text, '/', &number, &rest) || !read_part(rest, '\0', &count, &rest) || number > count)
        return aq_cli_usage(command, "--shard: found \"%s\", allowed is K/N with K from 1 to N", text);
    *shard = number;
    *shards = count;
    return 0;
}

/* ---- signals ---- */

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number) {
    (void)number;
    stop_wanted = 1;
}

const volatile sig_atomic_t *aq_cli_stop(void) {
    return &stop_wanted;
}

void aq_cli_watch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = SA_RESETHAND}; /* a second one ends the program at once */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
