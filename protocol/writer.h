/* Writing of messages: appends to an aq_bytes, or only counts. Private to protocol/. */
#ifndef AQ_PROTOCOL_WRITER_H
#define AQ_PROTOCOL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "protocol/codec.h"

/* After a failure it counts on and keeps the first error, so that callers check once, at the end. */
struct aq_writer {
    char *at; /* NULL while only counting */
    size_t len;
    size_t capacity; /* SIZE_MAX while only counting */
    size_t limit;    /* longest message allowed: AQ_MESSAGE_BYTES_MAX unless changed after the beginning */
    struct aq_bytes *bytes;
    int rc;
};

/* `bytes` NULL: only count. */
struct aq_writer aq_writer_begin(struct aq_bytes *bytes);

/* Sets the length of the buffer, 0 on failure. Errors: AQ_ENOMEM, AQ_ELIMIT. */
int aq_writer_end(struct aq_writer *writer);

/* Makes room for `more` bytes, or goes over to counting. */
void aq_writer_grow(struct aq_writer *writer, size_t more);

static inline void aq_write(struct aq_writer *writer, const char *at, size_t len) {
    if (__builtin_expect(len > writer->capacity - writer->len, 0)) aq_writer_grow(writer, len);
    if (writer->at && len) memcpy(writer->at + writer->len, at, len);
    writer->len += len;
}

#define AQ_WRITE(writer, literal) aq_write((writer), (literal), sizeof(literal) - 1)

/* The inside of a JSON string: escapes what JSON wants escaped, leaves all else as it is. */
void aq_write_escaped(struct aq_writer *writer, struct aq_text text);

/* A whole JSON string, quotes included. */
static inline void aq_write_string(struct aq_writer *writer, struct aq_text text) {
    AQ_WRITE(writer, "\"");
    aq_write_escaped(writer, text);
    AQ_WRITE(writer, "\"");
}

void aq_write_unsigned(struct aq_writer *writer, uint64_t value);
void aq_write_signed(struct aq_writer *writer, int64_t value);

/* The shortest decimal form that reads back as the same value, which must be finite. */
void aq_write_double(struct aq_writer *writer, double value);

/* Appends again what was written from place `from` up to `to`. */
void aq_write_again(struct aq_writer *writer, size_t from, size_t to);

#endif
