#include "scenarios/tree.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define QUOTE_CHARS_MAX 60 /* of a value shown in an error, which has to stay one readable line */

#define NUMBER_MAX 60 /* characters; cJSON reads no more than 63 */
#define DEPTH_MAX  64 /* scenarios nest five levels; far below what cJSON and the stack stand */

static _Thread_local bool out_of_memory;

void aq_tree_begin(void) {
    out_of_memory = false;
}

bool aq_tree_out_of_memory(void) {
    return out_of_memory;
}

static size_t line_of(const char *text, size_t offset) {
    size_t line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Length of the UTF-8 sequence at the start of the text, 0 where there is none. */
static size_t utf8_length(const unsigned char *at, size_t left) {
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (at[0] < rows[i].low || at[0] > rows[i].high) continue;
        if (left < rows[i].length || at[1] < rows[i].second_low || at[1] > rows[i].second_high) return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if (at[k] < 0x80 || at[k] > 0xbf) return 0;
        return rows[i].length;
    }
    return 0;
}

/* ---- the grammar, checked before cJSON sees the text: cJSON is lenient, and tells bad input and lack of
 * memory apart by nothing ---- */

struct scan {
    const char *text;
    size_t length;
    size_t at;        /* of the next character, or of what is wrong */
    const char *what; /* what is wrong there; NULL: nothing, or just not what is allowed there */
};

static char next(const struct scan *s) {
    return s->at < s->length ? s->text[s->at] : 0;
}

static bool wrong(struct scan *s, const char *what) {
    s->what = what;
    return false;
}

static void skip_blanks(struct scan *s) {
    while (s->at < s->length && strchr(" \t\r\n", s->text[s->at]) && s->text[s->at])
        s->at++;
}

static bool unexpected(struct scan *s) {
    unsigned char c = (unsigned char)next(s);
    if (s->at >= s->length) return wrong(s, "the text ends too early");
    if (c == '/' || c == '#') return wrong(s, "JSON has no comments; the key \"notes\" takes free text");
    if (c == '\'') return wrong(s, "texts stand in double quotes");
    if (c >= 0x80 || c < ' ') return wrong(s, "a stray byte outside of a text");
    return false;
}

/* Reads the four digits behind \u at `at`. False where they are not there. */
static bool hex4(const char *at, unsigned *code) {
    *code = 0;
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)at[i])) return false;
        *code =
            *code * 16 + (unsigned)(isdigit((unsigned char)at[i]) ? at[i] - '0'
                                                                  : tolower((unsigned char)at[i]) - 'a' + 10);
    }
    return true;
}

/* Steps over \u and its digits, both halves of a pair together. */
static bool scan_unicode(struct scan *s) {
    const char *at = s->text + s->at;
    unsigned code, low = 0;
    if (!hex4(at + 2, &code)) return wrong(s, "\\u needs four hexadecimal digits");
    if (code == 0) return wrong(s, "\\u0000 is not allowed in texts");
    bool high = code >= 0xd800 && code < 0xdc00;
    bool paired =
        high && at[6] == '\\' && at[7] == 'u' && hex4(at + 8, &low) && low >= 0xdc00 && low < 0xe000;
    if (code >= 0xd800 && code < 0xe000 && !paired)
        return wrong(s, "half of a pair of \\u escapes stands alone");
    s->at += paired ? 12 : 6;
    return true;
}

/* Steps over a character inside of a string, or over an escape. */
static bool scan_char(struct scan *s) {
    unsigned char c = (unsigned char)next(s);
    if (c < 0x20)
        return wrong(s, s->at < s->length ? "a string is not closed on its line" : "a string is not closed");
    if (c == '\\') {
        char escape = s->text[s->at + 1];
        if (escape == 'u') return scan_unicode(s);
        if (!escape || !strchr("\"\\/bfnrt", escape))
            return wrong(s, "a backslash stands only before one of \" \\ / b f n r t u");
        s->at += 2;
        return true;
    }
    size_t step = c < 0x80 ? 1 : utf8_length((const unsigned char *)s->text + s->at, s->length - s->at);
    if (!step) return wrong(s, "the text is not UTF-8");
    s->at += step;
    return true;
}

static bool scan_string(struct scan *s) {
    if (next(s) != '"') return unexpected(s);
    s->at++;
    while (next(s) != '"')
        if (!scan_char(s)) return false;
    s->at++;
    return true;
}

static bool scan_digits(struct scan *s) {
    size_t start = s->at;
    while (isdigit((unsigned char)next(s)))
        s->at++;
    return s->at > start;
}

static bool scan_number(struct scan *s) {
    size_t minus = s->at, start = s->at += next(s) == '-';
    bool ok = scan_digits(s) && (s->text[start] != '0' || s->at == start + 1);
    if (ok && next(s) == '.') {
        s->at++;
        ok = scan_digits(s);
    }
    if (ok && (next(s) == 'e' || next(s) == 'E')) {
        s->at++;
        if (next(s) == '+' || next(s) == '-') s->at++;
        ok = scan_digits(s);
    }
    if (ok && s->at - minus > NUMBER_MAX) return wrong(s, "this number is too long");
    if (ok && !isalnum((unsigned char)next(s)) && !strchr(".+-%/_", next(s) ? next(s) : ' ')) return true;
    return wrong(
        s, "this is not a JSON number (a quantity with a unit stands in double quotes, such as \"250ms\")");
}

static bool scan_word(struct scan *s, const char *word) {
    size_t length = strlen(word);
    if (s->length - s->at < length || memcmp(s->text + s->at, word, length) != 0) return unexpected(s);
    s->at += length;
    return true;
}

static bool scan_value(struct scan *s, int depth);

/* The members of an object or the items of an array, up to the closing bracket. */
static bool scan_members(struct scan *s, char close, int depth) {
    if (depth > DEPTH_MAX) return wrong(s, "brackets are nested too deeply");
    s->at++;
    skip_blanks(s);
    for (bool first = true; !first || next(s) != close; first = false) {
        skip_blanks(s);
        if (close == '}') {
            if (!scan_string(s)) return false;
            skip_blanks(s);
            if (next(s) != ':') return unexpected(s);
            s->at++;
        }
        if (!scan_value(s, depth + 1)) return false;
        skip_blanks(s);
        if (next(s) == close) break;
        if (next(s) != ',') return unexpected(s);
        s->at++;
    }
    s->at++;
    return true;
}

static bool scan_value(struct scan *s, int depth) {
    skip_blanks(s);
    switch (next(s)) {
    case '{': return scan_members(s, '}', depth);
    case '[': return scan_members(s, ']', depth);
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    default: return next(s) == '-' || isdigit((unsigned char)next(s)) ? scan_number(s) : unexpected(s);
    }
}

static bool scan(struct scan *s) {
    if (!scan_value(s, 0)) return false;
    skip_blanks(s);
    return s->at == s->length || unexpected(s);
}

static void fault_set(struct aq_tree_fault *fault, const struct scan *s) {
    fault->line = line_of(s->text, s->at);
    if (s->what) {
        snprintf(fault->what, sizeof fault->what, "%s", s->what);
        return;
    }
    char piece[25], quoted[100];
    size_t left = s->length - s->at;
    snprintf(piece, sizeof piece, "%.*s", (int)(left < 24 ? left : 24), s->text + s->at);
    piece[strcspn(piece, "\r\n")] = 0;
    snprintf(fault->what, sizeof fault->what, "malformed JSON at %s",
             aq_tree_quote(quoted, sizeof quoted, piece));
}

int aq_tree_parse(const char *text, size_t length, cJSON **out, struct aq_tree_fault *fault) {
    struct scan s = {.text = text, .length = length};
    if (!scan(&s)) {
        fault_set(fault, &s);
        return AQ_EPARSE;
    }
    cJSON *json = cJSON_ParseWithLength(text, length);
    if (!json) return AQ_ENOMEM;
    *out = json;
    return 0;
}

/* A text of cJSON's as one of ours. */
static char *own(char *printed) {
    char *copy = printed ? aq_alloc(strlen(printed) + 1) : NULL;
    if (copy) memcpy(copy, printed, strlen(printed) + 1);
    cJSON_free(printed);
    return copy;
}

char *aq_tree_print(const cJSON *json) {
    return own(cJSON_Print(json));
}

char *aq_tree_print_bare(const cJSON *json) {
    return own(cJSON_PrintUnformatted(json));
}

cJSON *aq_tree_add(cJSON *object, const char *key, cJSON *item) {
    if (object && item && cJSON_AddItemToObject(object, key, item)) return item;
    out_of_memory = true;
    cJSON_Delete(item);
    return NULL;
}

cJSON *aq_tree_append(cJSON *array, cJSON *item) {
    if (array && item && cJSON_AddItemToArray(array, item)) return item;
    out_of_memory = true;
    cJSON_Delete(item);
    return NULL;
}

cJSON *aq_tree_member(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *aq_tree_quote(char *out, size_t size, const char *text) {
    size_t used = 0, shown = 0;
    out[used++] = '"';
    for (; *text && shown < QUOTE_CHARS_MAX && used + 12 < size; shown++) {
        unsigned char c = (unsigned char)*text;
        size_t step = c < 0x80 ? 1 : utf8_length((const unsigned char *)text, strlen(text));
        if (c < ' ' || c == 0x7f || !step) {
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", c);
            text++;
            continue;
        }
        memcpy(out + used, text, step);
        used += step;
        text += step;
    }
    snprintf(out + used, size - used, "%s\"", *text ? "..." : "");
    return out;
}

const char *aq_tree_describe(char *out, size_t size, const cJSON *json) {
    if (cJSON_IsString(json)) return aq_tree_quote(out, size, json->valuestring);
    if (cJSON_IsNumber(json))
        snprintf(out, size, "%.15g", json->valuedouble);
    else if (cJSON_IsBool(json))
        snprintf(out, size, "%s", cJSON_IsTrue(json) ? "true" : "false");
    else if (cJSON_IsNull(json))
        snprintf(out, size, "null");
    else if (cJSON_IsArray(json))
        snprintf(out, size, json->child ? "a list of %d" : "an empty list", cJSON_GetArraySize(json));
    else
        snprintf(out, size, json->child ? "an object" : "an empty object");
    return out;
}
