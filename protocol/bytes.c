#include "protocol/codec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/memory.h"
#include "protocol/writer.h"

void aq_bytes_close(struct aq_bytes *bytes) {
    aq_free(bytes->at);
    *bytes = (struct aq_bytes){0};
}

struct aq_writer aq_writer_begin(struct aq_bytes *bytes) {
    struct aq_writer writer = {.capacity = SIZE_MAX, .limit = AQ_MESSAGE_BYTES_MAX};
    if (!bytes) return writer;
    writer.at = bytes->at;
    writer.capacity = bytes->capacity;
    writer.bytes = bytes;
    return writer;
}

int aq_writer_end(struct aq_writer *writer) {
    AQ_ASSERT(writer->bytes);
    if (!writer->rc && writer->len > writer->limit) writer->rc = AQ_ELIMIT;
    writer->bytes->len = writer->rc ? 0 : (uint32_t)writer->len;
    return writer->rc;
}

static void give_up(struct aq_writer *writer, int rc) {
    writer->rc = rc;
    writer->at = NULL;
    writer->capacity = SIZE_MAX;
}

void aq_writer_grow(struct aq_writer *writer, size_t more) {
    size_t wanted = writer->len + more;
    if (wanted > writer->limit) {
        give_up(writer, AQ_ELIMIT);
        return;
    }
    struct aq_bytes *bytes = writer->bytes;
    int rc = aq_array_reserve(&bytes->at, &bytes->capacity, wanted, 1);
    if (rc) {
        give_up(writer, rc);
        return;
    }
    writer->at = bytes->at;
    writer->capacity = bytes->capacity;
}

static bool must_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\';
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Not zero where one of the eight bytes must be escaped: "has a byte below n" of Anderson's Bit Twiddling
 * Hacks. */
static uint64_t any_to_escape(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
    uint64_t low = (word - EACH_BYTE(0x20)) & ~word;
    uint64_t quotes = (quote - EACH_BYTE(1)) & ~quote, backslashes = (backslash - EACH_BYTE(1)) & ~backslash;
    return (low | quotes | backslashes) & EACH_BYTE(0x80);
}

/* The place of the first byte at or after `from` that must be escaped, or the length. */
static uint32_t plain_until(struct aq_text text, uint32_t from) {
    while (text.len - from >= 8) {
        uint64_t word;
        memcpy(&word, text.at + from, sizeof word);
        if (any_to_escape(word)) break;
        from += 8;
    }
    while (from < text.len && !must_escape((unsigned char)text.at[from]))
        from++;
    return from;
}

static void write_escape(struct aq_writer *writer, unsigned char c) {
    static const char letters[] = "btn fr"; /* of 8 to 13; 11 has none */
    if (c == '"' || c == '\\') {
        aq_write(writer, (char[]){'\\', (char)c}, 2);
    } else if (c >= 8 && c <= 13 && c != 11) {
        aq_write(writer, (char[]){'\\', letters[c - 8]}, 2);
    } else {
        static const char digits[] = "0123456789abcdef";
        aq_write(writer, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
    }
}

void aq_write_escaped(struct aq_writer *writer, struct aq_text text) {
    for (uint32_t from = 0; from < text.len;) {
        uint32_t until = plain_until(text, from);
        aq_write(writer, text.at + from, until - from);
        if (until == text.len) return;
        write_escape(writer, (unsigned char)text.at[until]);
        from = until + 1;
    }
}

void aq_write_unsigned(struct aq_writer *writer, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    aq_write(writer, digits + at, sizeof digits - at);
}

void aq_write_signed(struct aq_writer *writer, int64_t value) {
    if (value < 0) AQ_WRITE(writer, "-");
    aq_write_unsigned(writer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void aq_write_double(struct aq_writer *writer, double value) {
    AQ_ASSERT(isfinite(value));
    if (fabs(value) < 1e15 && value == trunc(value) && !(value == 0 && signbit(value))) {
        aq_write_signed(writer, (int64_t)value);
        return;
    }
    char text[32];
    int len = 0;
    for (int precision = 15; precision <= 17; precision++) {
        len = snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) break;
    }
    aq_write(writer, text, (size_t)len);
}

void aq_write_again(struct aq_writer *writer, size_t from, size_t to) {
    size_t len = to - from;
    if (len > writer->capacity - writer->len) aq_writer_grow(writer, len);
    aq_write(writer, writer->at ? writer->at + from : NULL, len);
}
