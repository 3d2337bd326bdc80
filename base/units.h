/* Quantities with units, as people write them in scenarios: "250ms", "2000/s", "64kB"; and
   back to text for people. */
#ifndef AQ_BASE_UNITS_H
#define AQ_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

/* A number directly followed by us, ms, s, m, h or d. "0" alone is allowed. Errors: AQ_EPARSE (out untouched)
   for anything else, a negative number, or more than 10 years. */
int aq_units_duration(const char *text, aq_time_us *out_us);

/* A number directly followed by /s, /m or /h. Errors: AQ_EPARSE as above. */
int aq_units_rate(const char *text, double *out_per_s);

/* A number directly followed by B, kB (1000), KiB (1024), MB or MiB. Errors: AQ_EPARSE. */
int aq_units_bytes(const char *text, uint64_t *out_bytes);

/* Writes a span such as "1.25 s", "340 ms", "12 us" (never, for AQ_TIME_NEVER) and returns text. */
const char *aq_units_format_span(char *text, size_t size, aq_time_us span_us);

/* Writes a whole number with thousands separated by commas and returns text. */
const char *aq_units_format_count(char *text, size_t size, uint64_t count);

#endif
