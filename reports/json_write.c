#include "reports/json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "reports/print_shared.h"

static void begin_value(struct aq_json_put_writer *json) {
    if (json->comma) putc(',', json->stream);
    json->comma = true;
}

void aq_json_put_open(struct aq_json_put_writer *json, char bracket) {
    begin_value(json);
    putc(bracket, json->stream);
    json->comma = false;
}

void aq_json_put_close(struct aq_json_put_writer *json, char bracket) {
    putc(bracket, json->stream);
    json->comma = true;
}

static void write_string(const struct aq_json_put_writer *json, const char *text) {
    FILE *stream = json->stream;
    putc('"', stream);
    while (*text) {
        unsigned char first = (unsigned char)*text;
        size_t length = aq_print_utf8_length(text);
        if (first == '"' || first == '\\')
            fprintf(stream, "\\%c", first);
        else if (first == '\n')
            fputs("\\n", stream);
        else if (first == '\t')
            fputs("\\t", stream);
        else if (first < 0x20 || first == 0x7f || (first == '<' && json->for_html))
            fprintf(stream, "\\u%04x", first);
        else if (length == 0)
            fputs("\\ufffd", stream);
        else
            fwrite(text, 1, length, stream);
        text += length ? length : 1;
    }
    putc('"', stream);
}

void aq_json_put_key(struct aq_json_put_writer *json, const char *key) {
    begin_value(json);
    write_string(json, key ? key : "");
    putc(':', json->stream);
    json->comma = false;
}

void aq_json_put_text(struct aq_json_put_writer *json, const char *text) {
    begin_value(json);
    write_string(json, text ? text : "");
}

void aq_json_put_u64(struct aq_json_put_writer *json, uint64_t value) {
    begin_value(json);
    fprintf(json->stream, "%" PRIu64, value);
}

void aq_json_put_i64(struct aq_json_put_writer *json, int64_t value) {
    begin_value(json);
    fprintf(json->stream, "%" PRId64, value);
}

void aq_json_put_bool(struct aq_json_put_writer *json, bool value) {
    begin_value(json);
    fputs(value ? "true" : "false", json->stream);
}

void aq_json_put_double(struct aq_json_put_writer *json, double value) {
    char digits[40];
    begin_value(json);
    if (!isfinite(value)) {
        fputs("null", json->stream);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value + 0.0); /* -0 becomes 0 */
        if (strtod(digits, NULL) == value) break;
    }
    fputs(digits, json->stream);
}

void aq_json_put_seconds(struct aq_json_put_writer *json, aq_time_us span_us) {
    char decimals[8];
    begin_value(json);
    if (span_us == AQ_TIME_NEVER) {
        fputs("null", json->stream);
        return;
    }
    snprintf(decimals, sizeof decimals, ".%06u", (unsigned)(span_us % AQ_US_PER_S));
    int last = 6;
    while (last > 0 && decimals[last] == '0')
        last--;
    decimals[last == 0 ? 0 : last + 1] = 0;
    fprintf(json->stream, "%" PRIu64 "%s", span_us / AQ_US_PER_S, decimals);
}

void aq_json_put_number_text(struct aq_json_put_writer *json, const char *digits) {
    begin_value(json);
    fputs(digits, json->stream);
}

/* ---- members ---- */

void aq_json_field_text(struct aq_json_put_writer *json, const char *key, const char *text) {
    aq_json_put_key(json, key);
    aq_json_put_text(json, text);
}

void aq_json_field_u64(struct aq_json_put_writer *json, const char *key, uint64_t value) {
    aq_json_put_key(json, key);
    aq_json_put_u64(json, value);
}

void aq_json_field_bool(struct aq_json_put_writer *json, const char *key, bool value) {
    aq_json_put_key(json, key);
    aq_json_put_bool(json, value);
}

void aq_json_field_double(struct aq_json_put_writer *json, const char *key, double value) {
    aq_json_put_key(json, key);
    aq_json_put_double(json, value);
}

void aq_json_field_seconds(struct aq_json_put_writer *json, const char *key, aq_time_us span_us) {
    aq_json_put_key(json, key);
    aq_json_put_seconds(json, span_us);
}

void aq_json_field_open(struct aq_json_put_writer *json, const char *key, char bracket) {
    aq_json_put_key(json, key);
    aq_json_put_open(json, bracket);
}
