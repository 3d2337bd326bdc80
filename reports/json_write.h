/* Writes JSON to a stream, piece by piece, with exact integers. Commas are put by the writer; the
   caller opens and closes. */
#ifndef AQ_REPORTS_JSON_WRITE_H
#define AQ_REPORTS_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"

struct aq_json_put_writer {
    FILE *stream;
    bool comma;    /* something stands before the next value in its object or array */
    bool for_html; /* stands inside a <script>: '<' is written as \u003c */
};

/* '{', '}', '[' or ']'. */
void aq_json_put_open(struct aq_json_put_writer *json, char bracket);
void aq_json_put_close(struct aq_json_put_writer *json, char bracket);

void aq_json_put_key(struct aq_json_put_writer *json, const char *key);

/* A string; NULL counts as "". Bytes that are no UTF-8 become U+FFFD. */
void aq_json_put_text(struct aq_json_put_writer *json, const char *text);
void aq_json_put_u64(struct aq_json_put_writer *json, uint64_t value);
void aq_json_put_i64(struct aq_json_put_writer *json, int64_t value);
void aq_json_put_bool(struct aq_json_put_writer *json, bool value);

/* The shortest of %.15g, %.16g and %.17g that reads back as the same number; null where it is not finite. */
void aq_json_put_double(struct aq_json_put_writer *json, double value);

/* Seconds with up to 6 decimals, exact; null for AQ_TIME_NEVER. */
void aq_json_put_seconds(struct aq_json_put_writer *json, aq_time_us span_us);

/* The same behind a key, as members of an object; aq_json_field_open begins an object or array there. */
void aq_json_field_text(struct aq_json_put_writer *json, const char *key, const char *text);
void aq_json_field_u64(struct aq_json_put_writer *json, const char *key, uint64_t value);
void aq_json_field_bool(struct aq_json_put_writer *json, const char *key, bool value);
void aq_json_field_double(struct aq_json_put_writer *json, const char *key, double value);
void aq_json_field_seconds(struct aq_json_put_writer *json, const char *key, aq_time_us span_us);
void aq_json_field_open(struct aq_json_put_writer *json, const char *key, char bracket);

/* Digits written as they are: a number that the caller vouches for. */
void aq_json_put_number_text(struct aq_json_put_writer *json, const char *digits);

#endif
