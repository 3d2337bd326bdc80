#include "client/text_out.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

void aq_text_out_close(struct aq_text_out *out) {
    aq_bytes_close(&out->bytes);
    out->failed = false;
}

void aq_text_out_reset(struct aq_text_out *out) {
    out->bytes.len = 0;
    out->failed = false;
}

static char *room_for(struct aq_text_out *out, size_t len) {
    struct aq_bytes *bytes = &out->bytes;
    if (out->failed) return NULL;
    if (len > UINT32_MAX - bytes->len ||
        aq_array_reserve(&bytes->at, &bytes->capacity, bytes->len + len, 1)) {
        out->failed = true;
        bytes->len = 0;
        return NULL;
    }
    return bytes->at + bytes->len;
}

void aq_text_out_add(struct aq_text_out *out, const char *at, size_t len) {
    char *room = len ? room_for(out, len) : NULL;
    if (!room) return;
    memcpy(room, at, len);
    out->bytes.len += (uint32_t)len;
}

void aq_text_out_format(struct aq_text_out *out, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    char *room = len > 0 ? room_for(out, (size_t)len + 1) : NULL;
    if (room) {
        vsnprintf(room, (size_t)len + 1, format, again);
        out->bytes.len += (uint32_t)len;
    }
    va_end(again);
    va_end(args);
}

static void add_escape(struct aq_text_out *out, unsigned char c) {
    switch (c) {
    case '"': AQ_TEXT_OUT(out, "\\\""); return;
    case '\\': AQ_TEXT_OUT(out, "\\\\"); return;
    case '\n': AQ_TEXT_OUT(out, "\\n"); return;
    case '\r': AQ_TEXT_OUT(out, "\\r"); return;
    case '\t': AQ_TEXT_OUT(out, "\\t"); return;
    default: aq_text_out_format(out, "\\u%04x", c);
    }
}

void aq_text_out_json(struct aq_text_out *out, struct aq_text text) {
    AQ_TEXT_OUT(out, "\"");
    for (uint32_t from = 0; from < text.len;) {
        uint32_t to = from;
        while (to < text.len && (unsigned char)text.at[to] >= 0x20 && text.at[to] != '"' &&
               text.at[to] != '\\')
            to++;
        aq_text_out_add(out, text.at + from, to - from);
        if (to < text.len) add_escape(out, (unsigned char)text.at[to++]);
        from = to;
    }
    AQ_TEXT_OUT(out, "\"");
}
