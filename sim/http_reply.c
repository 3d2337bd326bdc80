#include "sim/http_reply.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LENGTH_UNKNOWN UINT64_MAX
#define LENGTH_MAX     (UINT64_C(1) << 30)

struct head {
    uint32_t status;
    uint64_t length; /* of the body; LENGTH_UNKNOWN: not given */
    bool chunked, closes;
};

static const char *find_line_end(const char *at, const char *end) {
    const char *found = memchr(at, '\n', (size_t)(end - at));
    return found && found > at && found[-1] == '\r' ? found - 1 : found;
}

static const char *after_line_end(const char *at) {
    return *at == '\r' ? at + 2 : at + 1;
}

/* The length of the head with its empty line; 0: it is not whole yet. */
static size_t head_length(const char *bytes, size_t len) {
    const char *end = bytes + len;
    for (const char *line = bytes, *stop; line < end; line = after_line_end(stop)) {
        stop = find_line_end(line, end);
        if (!stop) return 0;
        if (stop == line) return (size_t)(after_line_end(stop) - bytes);
    }
    return 0;
}

static bool is_named(const char *line, const char *stop, const char *name, const char **value) {
    size_t len = strlen(name);
    if ((size_t)(stop - line) <= len || strncasecmp(line, name, len) != 0 || line[len] != ':') return false;
    *value = line + len + 1;
    while (*value < stop && (**value == ' ' || **value == '\t'))
        ++*value;
    return true;
}

static bool has_word(const char *value, const char *stop, const char *word) {
    size_t len = strlen(word);
    for (; (size_t)(stop - value) >= len; value++)
        if (strncasecmp(value, word, len) == 0) return true;
    return false;
}

static bool read_number(const char *at, const char *stop, unsigned base, uint64_t *out) {
    uint64_t number = 0;
    const char *from = at;
    for (; at < stop && isxdigit((unsigned char)*at); at++) {
        unsigned digit = isdigit((unsigned char)*at) ? (unsigned)(*at - '0')
                                                     : (unsigned)(tolower((unsigned char)*at) - 'a') + 10;
        if (digit >= base || number > LENGTH_MAX) return false;
        number = number * base + digit;
    }
    *out = number;
    return at > from;
}

static bool read_head(const char *bytes, size_t len, struct head *out) {
    const char *end = bytes + len, *stop = find_line_end(bytes, end), *value;
    uint64_t status = 0;
    if (stop - bytes < 12 || memcmp(bytes, "HTTP/1.", 7) != 0) return false;
    if (!read_number(bytes + 9, bytes + 12, 10, &status)) return false;
    *out = (struct head){.status = (uint32_t)status, .length = LENGTH_UNKNOWN, .closes = bytes[7] == '0'};
    for (const char *line = after_line_end(stop); line < end; line = after_line_end(stop)) {
        stop = find_line_end(line, end);
        if (is_named(line, stop, "content-length", &value) && !read_number(value, stop, 10, &out->length))
            return false;
        if (is_named(line, stop, "transfer-encoding", &value))
            out->chunked = has_word(value, stop, "chunked");
        if (is_named(line, stop, "connection", &value) && has_word(value, stop, "close")) out->closes = true;
    }
    return true;
}

/* Walks over the chunks; with `join` puts their contents together at the begin. */
static enum aq_http_progress read_chunks(char *body, char *end, bool join, size_t *joined) {
    *joined = 0;
    for (char *at = body;;) {
        const char *stop = find_line_end(at, end);
        uint64_t size;
        if (!stop) return AQ_HTTP_MORE;
        if (!read_number(at, stop, 16, &size)) return AQ_HTTP_WRONG;
        char *content = at + (after_line_end(stop) - at);
        if (size == 0) return head_length(content, (size_t)(end - content)) ? AQ_HTTP_WHOLE : AQ_HTTP_MORE;
        if (size > (uint64_t)(end - content)) return AQ_HTTP_MORE;
        stop = find_line_end(content + size, end);
        if (!stop) return AQ_HTTP_MORE;
        if (stop != content + size) return AQ_HTTP_WRONG;
        if (join) memmove(body + *joined, content, size);
        *joined += size;
        at = content + size + (after_line_end(stop) - stop);
    }
}

static enum aq_http_progress read_body(const struct head *head, char *body, char *end, bool ended,
                                       struct aq_http_reply *out) {
    size_t have = (size_t)(end - body), joined;
    bool bare = head->status == 204 || head->status == 304;
    if (head->chunked && !bare) {
        enum aq_http_progress progress = read_chunks(body, end, false, &joined);
        if (progress == AQ_HTTP_WHOLE) read_chunks(body, end, true, &joined);
        out->body = (struct aq_text){body, (uint32_t)joined};
        return progress == AQ_HTTP_MORE && ended ? AQ_HTTP_WRONG : progress;
    }
    uint64_t wanted = bare ? 0 : head->length;
    out->keeps_alive = out->keeps_alive && wanted != LENGTH_UNKNOWN;
    out->body = (struct aq_text){body, (uint32_t)(wanted < have ? wanted : have)};
    if (wanted == LENGTH_UNKNOWN) return ended ? AQ_HTTP_WHOLE : AQ_HTTP_MORE;
    return have >= wanted ? AQ_HTTP_WHOLE : ended ? AQ_HTTP_WRONG : AQ_HTTP_MORE;
}

enum aq_http_progress aq_http_reply_read(char *bytes, size_t len, bool ended, struct aq_http_reply *out) {
    struct aq_http_reply reply = {0};
    struct head head;
    size_t known = len < 7 ? len : 7, length = head_length(bytes, len);
    if (memcmp(bytes, "HTTP/1.", known) != 0) return AQ_HTTP_WRONG;
    if (!length) return ended || len > AQ_HTTP_HEAD_BYTES_MAX ? AQ_HTTP_WRONG : AQ_HTTP_MORE;
    if (!read_head(bytes, length, &head)) return AQ_HTTP_WRONG;
    if (head.status < 200) /* "100 Continue": the answer comes behind it */
        return aq_http_reply_read(bytes + length, len - length, ended, out);
    reply.status = head.status;
    reply.keeps_alive = !head.closes;
    enum aq_http_progress progress = read_body(&head, bytes + length, bytes + len, ended, &reply);
    if (progress == AQ_HTTP_WHOLE) *out = reply;
    return progress;
}
