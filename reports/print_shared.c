#include "reports/print_shared.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* The well-formed byte sequences of Unicode, table 3-7: the second byte has narrower bounds behind some first
 * bytes. */
size_t aq_print_utf8_length(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    if (at[0] < 0x80) return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4) return 0;
    length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] == 0xe0) low = 0xa0;
    if (at[0] == 0xed) high = 0x9f;
    if (at[0] == 0xf0) low = 0x90;
    if (at[0] == 0xf4) high = 0x8f;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xbf) return 0;
    return length;
}

/* Writes one character or its escape into piece; returns the bytes of text that it stands for. */
static size_t plain_piece(char piece[8], const char *text) {
    size_t length = aq_print_utf8_length(text);
    unsigned char first = (unsigned char)text[0], second = length == 2 ? (unsigned char)text[1] : 0;
    bool control = first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0); /* C0, DEL, C1 */
    if (length == 0 || control) {
        const char *name = first == '\n' ? "\\n" : first == '\t' ? "\\t" : first == '\r' ? "\\r" : NULL;
        if (name)
            strcpy(piece, name);
        else
            snprintf(piece, 8, "\\x%02x", first);
        return 1;
    }
    memcpy(piece, text, length);
    piece[length] = 0;
    return length;
}

uint32_t aq_print_columns(const char *text) {
    uint32_t columns = 0;
    for (; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80) columns++;
    return columns;
}

const char *aq_print_plain(char *out, size_t size, uint32_t columns, const char *text) {
    AQ_ASSERT(size >= 4 && columns >= 3);
    size_t used = 0,
           used_with_dots =
               0; /* ends of out: of all so far, and of the longest part that leaves room for "..." */
    uint32_t width = 0;
    char piece[8];
    for (const char *at = text ? text : ""; *at;) {
        at += plain_piece(piece, at);
        size_t length = strlen(piece);
        width += aq_print_columns(piece);
        if (width > columns || used + length >= size) {
            strcpy(out + used_with_dots, "...");
            return out;
        }
        memcpy(out + used, piece, length);
        used += length;
        if (width + 3 <= columns && used + 3 < size) used_with_dots = used;
    }
    out[used] = 0;
    return out;
}

/* Number of violations of the same check before this one. */
static uint32_t turn_of(const struct aq_record *record, uint32_t violation) {
    uint32_t turn = 0;
    for (uint32_t i = 0; i < violation; i++)
        if (strcmp(record->violations[i].check, record->violations[violation].check) == 0) turn++;
    return turn;
}

uint32_t aq_print_choose_stories(const struct aq_record *record, uint32_t *chosen, uint32_t max) {
    uint32_t count = 0;
    for (uint32_t turn = 0; turn < record->violation_count && count < max; turn++) {
        uint32_t before = count;
        for (uint32_t i = 0; i < record->violation_count && count < max; i++)
            if (turn_of(record, i) == turn) chosen[count++] = i;
        if (count == before) break;
    }
    return count;
}

const char *aq_print_story_title(char *out, size_t size, const struct aq_record_violation *violation) {
    char job[32 + 64] = "", token[32] = "", origin[32] = "", receiver[32] = "";
    if (violation->job && violation->job[0]) snprintf(job, sizeof job, ", job %.79s", violation->job);
    if (violation->token) snprintf(token, sizeof token, ", call %" PRIu64, violation->token);
    if (violation->origin >= 0)
        snprintf(origin, sizeof origin, ", origin server %" PRId32, violation->origin);
    if (violation->receiver >= 0)
        snprintf(receiver, sizeof receiver, ", received by server %" PRId32, violation->receiver);
    snprintf(out, size, "%s: %s%s%s%s%s", violation->check, violation->cause, job, token, origin, receiver);
    return out;
}

void aq_print_wrapped(FILE *stream, uint32_t column, uint32_t indent, const char *text) {
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        char word[4096];
        snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1), text);
        uint32_t width = aq_print_columns(word);
        if (!first && column + 1 + width > AQ_PRINT_LINE_COLUMNS) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fputs(word, stream);
        column += width;
        first = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', stream);
}
