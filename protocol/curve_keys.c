#include "protocol/curve_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- one key ---- */

static const char z85_digits[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void aq_curve_pair_wipe(struct aq_curve_pair *pair) {
    explicit_bzero(pair, sizeof *pair);
}

void aq_curve_keys_wipe(struct aq_curve_keys *keys) {
    explicit_bzero(keys, sizeof *keys);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct aq_text trim(struct aq_text text) {
    while (text.len && is_space(text.at[0]))
        text = (struct aq_text){text.at + 1, text.len - 1};
    while (text.len && is_space(text.at[text.len - 1]))
        text.len--;
    return text;
}

static int digit(const char *digits, char c) {
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Each five characters are one 32-bit number. */
static bool is_z85(const char *text) {
    for (int group = 0; group < AQ_CURVE_Z85_CHARS; group += 5) {
        uint64_t value = 0;
        for (int i = 0; i < 5; i++) {
            int d = digit(z85_digits, text[group + i]);
            if (d < 0) return false;
            value = value * 85 + (uint64_t)d;
        }
        if (value > UINT32_MAX) return false;
    }
    return true;
}

/* At most 42 bytes; SIZE_MAX where the text is no base64. */
static size_t decode_base64(struct aq_text text, char out[42]) {
    while (text.len && text.at[text.len - 1] == '=')
        text.len--;
    size_t len = 0;
    uint32_t bits = 0, held = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        int d = digit(base64_digits, text.at[i]);
        if (d < 0 || len == 42) return SIZE_MAX;
        held = held << 6 | (uint32_t)d;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[len++] = (char)(held >> bits & 0xff);
    }
    return len;
}

int aq_curve_key_parse(struct aq_text text, char out_z85[AQ_CURVE_Z85_CHARS + 1], struct aq_error *error) {
    static const char allowed[] = "allowed is a key of 40 characters of Z85, or its base64";
    char z85[42];
    text = trim(text);
    size_t len = text.len;
    if (len == AQ_CURVE_Z85_CHARS)
        memcpy(z85, text.at, len);
    else if (len >= 54 && len <= AQ_CURVE_ALLQUEUE_CHARS)
        len = decode_base64(text, z85);
    else
        return aq_error_set(error, AQ_EPARSE, "found a text of %u characters, %s", text.len, allowed);
    if (len == AQ_CURVE_Z85_CHARS + 1 && z85[AQ_CURVE_Z85_CHARS] == '\0') len--;
    bool ok = len == AQ_CURVE_Z85_CHARS && is_z85(z85);
    if (ok) {
        memcpy(out_z85, z85, AQ_CURVE_Z85_CHARS);
        out_z85[AQ_CURVE_Z85_CHARS] = '\0';
    }
    explicit_bzero(z85, sizeof z85);
    return ok ? 0
              : aq_error_set(error, AQ_EPARSE, "found a text of %u characters that is no key, %s", text.len,
                             allowed);
}

const char *aq_curve_key_format(const char *z85, char out[AQ_CURVE_ALLQUEUE_CHARS + 1]) {
    unsigned char bytes[42] = {0}; /* the key, its NUL, and one byte that stands for padding */
    memcpy(bytes, z85, AQ_CURVE_Z85_CHARS);
    for (size_t i = 0, o = 0; i < sizeof bytes; i += 3, o += 4) {
        uint32_t held = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int k = 0; k < 4; k++)
            out[o + (size_t)k] = base64_digits[held >> (18 - 6 * k) & 63];
    }
    out[AQ_CURVE_ALLQUEUE_CHARS - 1] = '=';
    out[AQ_CURVE_ALLQUEUE_CHARS] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return out;
}

/* ---- keys files ---- */

/* The file is read here and not by the JSON library, so that no copy of a secret is left behind. */
struct reader {
    const char *at, *end;
    const char *name;
    uint32_t line;
    struct aq_error *error;
};

static int wrong(const struct reader *reader, const char *what) {
    return aq_error_set(reader->error, AQ_EPARSE, "%s:%u: %s", reader->name, reader->line, what);
}

static char next_char(struct reader *reader) {
    while (reader->at < reader->end && is_space(*reader->at))
        if (*reader->at++ == '\n') reader->line++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static int expect(struct reader *reader, char c, const char *what) {
    if (next_char(reader) != c) return wrong(reader, what);
    reader->at++;
    return 0;
}

/* Of the escapes only those are known that can stand in a key or a name. */
static int read_string(struct reader *reader, char *out, size_t size, uint32_t *len) {
    int rc = expect(reader, '"', "found something else, allowed is a text in quotes");
    if (rc) return rc;
    for (*len = 0; reader->at < reader->end && *reader->at != '"'; reader->at++) {
        char c = *reader->at;
        if (c == '\\' && reader->at + 1 < reader->end && reader->at[1] == '/') c = *++reader->at;
        if (c == '\\' || (unsigned char)c < ' ')
            return wrong(reader, "a character in a text that occurs in no key");
        if (*len == size) return wrong(reader, "a text that is longer than any key");
        out[(*len)++] = c;
    }
    return expect(reader, '"', "a text without an end");
}

enum { SERVER_PUBLIC, SERVER_SECRET, CLIENT_PUBLIC, CLIENT_SECRET, MEMBER_COUNT };
static const char *const member_names[MEMBER_COUNT] = {"server_public", "server_secret", "client_public",
                                                       "client_secret"};

static char *member_key(struct aq_curve_keys *keys, int member) {
    struct aq_curve_pair *pair = member < CLIENT_PUBLIC ? &keys->server : &keys->client;
    return member == SERVER_PUBLIC || member == CLIENT_PUBLIC ? pair->public_z85 : pair->secret_z85;
}

static int read_member(struct reader *reader, struct aq_curve_keys *keys, uint32_t *given) {
    char text[64];
    uint32_t len, member = 0;
    int rc = read_string(reader, text, sizeof text, &len);
    if (rc) return rc;
    while (member < MEMBER_COUNT && !aq_text_is((struct aq_text){text, len}, member_names[member]))
        member++;
    if (member == MEMBER_COUNT)
        return wrong(reader, "found another name, allowed are server_public, server_secret, client_public, "
                             "client_secret");
    if (*given & 1u << member) return wrong(reader, "a name that was there before");
    *given |= 1u << member;
    if ((rc = expect(reader, ':', "a name that no colon follows"))) return rc;
    rc = read_string(reader, text, sizeof text, &len);
    if (!rc &&
        (rc = aq_curve_key_parse((struct aq_text){text, len}, member_key(keys, (int)member), reader->error)))
        aq_error_prefix(reader->error, "%s:%u: %s", reader->name, reader->line, member_names[member]);
    explicit_bzero(text, sizeof text);
    return rc;
}

static int read_members(struct reader *reader, struct aq_curve_keys *keys, uint32_t *given) {
    int rc = expect(reader, '{', "found something else, allowed is an object of keys");
    if (rc) return rc;
    for (bool first = true; next_char(reader) != '}'; first = false) {
        if (!first && (rc = expect(reader, ',', "no comma between two keys"))) return rc;
        if ((rc = read_member(reader, keys, given))) return rc;
    }
    reader->at++;
    return next_char(reader) || reader->at < reader->end ? wrong(reader, "something behind the end") : 0;
}

static int check_given(const struct reader *reader, uint32_t given) {
    const uint32_t client = 1u << CLIENT_PUBLIC | 1u << CLIENT_SECRET;
    if (!(given & 1u << SERVER_PUBLIC)) return wrong(reader, "server_public is missing");
    if ((given & client) != 0 && (given & client) != client)
        return wrong(reader, "client_public and client_secret must be given together");
    return 0;
}

int aq_curve_keys_parse(struct aq_text text, const char *name, struct aq_curve_keys *out,
                        struct aq_error *error) {
    struct reader reader = {text.at, text.at + text.len, name, 1, error};
    struct aq_curve_keys keys = {0};
    uint32_t given = 0;
    int rc = read_members(&reader, &keys, &given);
    if (!rc) rc = check_given(&reader, given);
    if (!rc) {
        keys.has_server_secret = given & 1u << SERVER_SECRET;
        keys.has_client = given & 1u << CLIENT_PUBLIC;
        *out = keys;
    }
    aq_curve_keys_wipe(&keys);
    return rc;
}

uint32_t aq_curve_keys_format(const struct aq_curve_keys *keys, char *out, size_t size) {
    char text[AQ_CURVE_ALLQUEUE_CHARS + 1];
    uint32_t len = 0;
    for (int member = 0; member < MEMBER_COUNT; member++) {
        bool given =
            member == SERVER_PUBLIC || (member == SERVER_SECRET ? keys->has_server_secret : keys->has_client);
        if (!given) continue;
        aq_curve_key_format(member_key((struct aq_curve_keys *)keys, member), text);
        len += (uint32_t)snprintf(out + len, size - len, "%s\n  \"%s\": \"%s\"", member ? "," : "{",
                                  member_names[member], text);
    }
    explicit_bzero(text, sizeof text);
    return len + (uint32_t)snprintf(out + len, size - len, "\n}\n");
}

/* ---- allow-lists ---- */

void aq_curve_allow_list_close(struct aq_curve_allow_list *list) {
    aq_free(list->keys);
    *list = (struct aq_curve_allow_list){0};
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static int add_key(struct aq_curve_allow_list *list, const char *z85) {
    int rc = aq_array_reserve(&list->keys, &list->capacity, (size_t)list->count + 1, sizeof *list->keys);
    if (!rc) memcpy(list->keys[list->count++], z85, sizeof *list->keys);
    return rc;
}

static int read_line(struct aq_text line, struct aq_curve_allow_list *list, struct aq_error *error) {
    char z85[AQ_CURVE_Z85_CHARS + 1];
    struct aq_text key = trim(line);
    if (key.len == 0 || key.at[0] == '#') return 0;
    for (uint32_t i = 0; i < key.len; i++)
        if (is_space(key.at[i])) key.len = i;
    int rc = aq_curve_key_parse(key, z85, error);
    if (rc) return rc;
    rc = add_key(list, z85);
    return rc ? aq_error_set(error, rc, "out of memory") : 0;
}

int aq_curve_allow_list_parse(struct aq_text text, const char *name, struct aq_curve_allow_list *out,
                              struct aq_error *error) {
    struct aq_curve_allow_list list = {0};
    int rc = 0;
    uint32_t number = 1;
    for (uint32_t at = 0; !rc && at < text.len; number++) {
        uint32_t end = at;
        while (end < text.len && text.at[end] != '\n')
            end++;
        rc = read_line((struct aq_text){text.at + at, end - at}, &list, error);
        if (rc) aq_error_prefix(error, "%s:%u", name, number);
        at = end + 1;
    }
    if (rc) {
        aq_curve_allow_list_close(&list);
        return rc;
    }
    if (list.count) qsort(list.keys, list.count, sizeof *list.keys, compare);
    *out = list;
    return 0;
}

int aq_curve_allow_list_copy(const struct aq_curve_allow_list *list, struct aq_curve_allow_list *out) {
    struct aq_curve_allow_list copy = {0};
    int rc = aq_array_reserve(&copy.keys, &copy.capacity, list->count, sizeof *copy.keys);
    if (rc) return rc;
    if (list->count) memcpy(copy.keys, list->keys, list->count * sizeof *copy.keys);
    copy.count = list->count;
    *out = copy;
    return 0;
}

bool aq_curve_allow_list_has(const struct aq_curve_allow_list *list, const char *public_z85) {
    return list->count && bsearch(public_z85, list->keys, list->count, sizeof *list->keys, compare);
}
