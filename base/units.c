#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DURATION_MAX_US (10.0 * 366 * 86400 * 1e6)

struct unit {
    const char *name;
    double factor;
};

/* Parses NUMBER UNIT with nothing before, between or after. */
static int parse(const char *text, const struct unit *units, double *out) {
    if (!isdigit((unsigned char)text[0])) return AQ_EPARSE;
    size_t digits = strspn(text, "0123456789.");
    char number[32];
    if (digits >= sizeof number ||
        digits != strcspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/+-_% "))
        return AQ_EPARSE;
    memcpy(number, text, digits);
    number[digits] = 0;
    char *end;
    double value = strtod(number, &end);
    if (*end) return AQ_EPARSE;
    for (const struct unit *u = units; u->name; u++)
        if (strcmp(text + digits, u->name) == 0) {
            *out = value * u->factor;
            return 0;
        }
    return AQ_EPARSE;
}

int aq_units_duration(const char *text, aq_time_us *out_us) {
    static const struct unit units[] = {{"us", 1},     {"ms", 1e3},    {"s", 1e6}, {"m", 60e6},
                                        {"h", 3600e6}, {"d", 86400e6}, {NULL, 0}};
    double us;
    if (strcmp(text, "0") == 0) {
        *out_us = 0;
        return 0;
    }
    if (parse(text, units, &us) || us > DURATION_MAX_US) return AQ_EPARSE;
    *out_us = (aq_time_us)llround(us);
    return 0;
}

int aq_units_rate(const char *text, double *out_per_s) {
    static const struct unit units[] = {{"/s", 1}, {"/m", 1.0 / 60}, {"/h", 1.0 / 3600}, {NULL, 0}};
    return parse(text, units, out_per_s);
}

int aq_units_bytes(const char *text, uint64_t *out_bytes) {
    static const struct unit units[] = {{"B", 1},    {"kB", 1e3},        {"KiB", 1024},
                                        {"MB", 1e6}, {"MiB", 1048576.0}, {NULL, 0}};
    double bytes;
    if (parse(text, units, &bytes) || bytes > 1e15) return AQ_EPARSE;
    *out_bytes = (uint64_t)llround(bytes);
    return 0;
}

const char *aq_units_format_span(char *text, size_t size, aq_time_us span_us) {
    if (span_us == AQ_TIME_NEVER)
        snprintf(text, size, "never");
    else if (span_us < 1000)
        snprintf(text, size, "%u us", (unsigned)span_us);
    else if (span_us < 999500) /* "%.3g" would round above to 1e+03 */
        snprintf(text, size, "%.3g ms", (double)span_us / 1e3);
    else if (span_us < UINT64_C(999500000))
        snprintf(text, size, "%.3g s", (double)span_us / 1e6);
    else
        snprintf(text, size, "%.0f s", (double)span_us / 1e6);
    return text;
}

const char *aq_units_format_count(char *text, size_t size, uint64_t count) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < n && used + 2 < size; i++) {
        if (i && (n - i) % 3 == 0) text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
    return text;
}
