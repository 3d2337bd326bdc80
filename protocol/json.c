#include "protocol/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

#define SHOWN_BYTES_MAX 40     /* of a found text that a message shows */
#define EXACT_MAX       0x1p53 /* whole numbers up to here survive cJSON, which holds doubles */

/* While a message is parsed, cJSON allocates in this arena and frees nothing. cJSON's hooks are one for the
   process, so they are set before main and all that differs lies here, per thread. */
static _Thread_local struct {
    struct aq_arena *arena;
    uint32_t allocations;
    bool out_of_memory;
} parsing;

static void *hook_alloc(size_t bytes) {
    if (!parsing.arena) return aq_alloc(bytes);
    void *memory = aq_arena_alloc(parsing.arena, bytes);
    if (!memory) parsing.out_of_memory = true;
    parsing.allocations++;
    return memory;
}

static void hook_free(void *memory) {
    if (!parsing.arena) aq_free(memory);
}

__attribute__((constructor)) static void set_hooks(void) {
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = hook_alloc, .free_fn = hook_free});
}

/* Length of the UTF-8 character at `at`, 0 where there is none. Table 3-7 of the Unicode standard. */
static size_t utf8_char(const unsigned char *at, size_t left) {
    unsigned char c = at[0];
    if (c < 0x80) return 1;
    size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c < 0xc2 || c > 0xf4 || left < len) return 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    return len;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Not zero where one of eight bytes is NUL, a backslash or not ASCII. */
static uint64_t any_special(uint64_t word) {
    uint64_t backslash = word ^ EACH_BYTE('\\');
    uint64_t nuls = word - EACH_BYTE(1), backslashes = (backslash - EACH_BYTE(1)) & ~backslash;
    return (nuls | backslashes | word) & EACH_BYTE(0x80);
}

/* `escapes`: backslashes are JSON's, and \u0000 is refused: cJSON would end the text there without a word. */
static int check(const char *bytes, size_t len, bool escapes, struct aq_error *error) {
    const unsigned char *at = (const unsigned char *)bytes;
    for (size_t i = 0; i < len;) {
        uint64_t word;
        if (len - i >= sizeof word) {
            memcpy(&word, at + i, sizeof word);
            if (!any_special(word)) {
                i += sizeof word;
                continue;
            }
        }
        size_t step = utf8_char(at + i, len - i);
        if (step == 0)
            return aq_error_set(error, AQ_EPARSE, "byte %zu: found 0x%02x, allowed is UTF-8", i, at[i]);
        bool nul = at[i] == 0;
        if (escapes && at[i] == '\\') {
            nul = len - i >= 6 && memcmp(at + i + 1, "u0000", 5) == 0;
            step = len - i >= 2 && at[i + 1] < 0x80 ? 2 : 1;
        }
        if (nul) return aq_error_set(error, AQ_EPARSE, "byte %zu: a NUL character is not allowed", i);
        i += step;
    }
    return 0;
}

int aq_json_check_text(const char *bytes, size_t len, struct aq_error *error) {
    return check(bytes, len, false, error);
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

int aq_json_parse(const char *bytes, size_t len, struct aq_arena *arena, const cJSON **out,
                  struct aq_error *error) {
    AQ_ASSERT(!parsing.arena);
    int rc = check(bytes, len, true, error);
    if (rc) return rc;
    /* A copy with a NUL behind it: cJSON up to 1.7.17 may look one byte past the end of a message that was
     * cut. */
    char *copy = aq_arena_alloc(arena, len + 1);
    if (!copy) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    memcpy(copy, bytes, len);
    copy[len] = 0;
    parsing.arena = arena;
    parsing.allocations = 0;
    parsing.out_of_memory = false;
    const char *end = copy;
    const cJSON *root = cJSON_ParseWithLengthOpts(copy, len, &end, false);
    parsing.arena = NULL;
    if (parsing.out_of_memory) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    if (!root) return aq_error_set(error, AQ_EPARSE, "byte %zu: this is not JSON", (size_t)(end - copy));
    AQ_ASSERT(parsing.allocations > 0); /* nobody else may set cJSON's hooks */
    end = skip_blanks(end, copy + len);
    if (end < copy + len)
        return aq_error_set(error, AQ_EPARSE, "byte %zu: found more text behind the message",
                            (size_t)(end - copy));
    *out = root;
    return 0;
}

void aq_json_rewind(struct aq_arena *arena, const struct aq_arena *mark) {
    if (!mark->current) {
        aq_arena_reset(arena); /* it was empty, and its first block may be new */
        return;
    }
    arena->current = mark->current;
    arena->used = mark->used;
}

const cJSON *aq_json_member(const cJSON *object, const char *key) {
    const cJSON *found = NULL;
    for (const cJSON *item = object->child; item; item = item->next)
        if (strcmp(item->string, key) == 0) found = item;
    return found;
}

void aq_json_show(const char *text, char *out, size_t size) {
    size_t len = strlen(text), shown = len;
    if (len > SHOWN_BYTES_MAX) {
        shown = SHOWN_BYTES_MAX;
        while (((unsigned char)text[shown] & 0xc0) == 0x80)
            shown--;
    }
    snprintf(out, size, "\"%.*s%s\"", (int)shown, text, shown < len ? "..." : "");
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20) *c = '?';
}

static void describe(const cJSON *item, char *out, size_t size) {
    if (cJSON_IsString(item))
        aq_json_show(item->valuestring, out, size);
    else if (cJSON_IsNumber(item))
        snprintf(out, size, "%.15g", item->valuedouble);
    else if (cJSON_IsBool(item))
        snprintf(out, size, "%s", cJSON_IsTrue(item) ? "true" : "false");
    else
        snprintf(out, size, "%s", cJSON_IsNull(item) ? "null" : cJSON_IsArray(item) ? "a list" : "an object");
}

int aq_json_wrong(const cJSON *item, struct aq_json_place place, const char *allowed,
                  struct aq_error *error) {
    if (!error) return AQ_EPARSE;
    char found[AQ_JSON_SHOWN_MAX];
    describe(item, found, sizeof found);
    return aq_error_set(error, AQ_EPARSE, "%s%s: found %s, allowed is %s", place.within, place.field, found,
                        allowed);
}

int aq_json_missing(struct aq_json_place place, const char *needed_by, struct aq_error *error) {
    return aq_error_set(error, AQ_EPARSE, "%s%s: missing, %s needs it", place.within, place.field, needed_by);
}

static bool is_whole(double value) {
    return fabs(value) <= EXACT_MAX && value == trunc(value);
}

int aq_json_text(const cJSON *item, struct aq_json_place place, struct aq_arena *arena, struct aq_text *out,
                 struct aq_error *error) {
    if (cJSON_IsString(item)) {
        *out = aq_text_of(item->valuestring);
        return 0;
    }
    char number[32];
    const char *text = cJSON_IsTrue(item)    ? "true"
                       : cJSON_IsFalse(item) ? "false"
                       : cJSON_IsNull(item)  ? ""
                                             : NULL;
    if (cJSON_IsNumber(item)) {
        if (fabs(item->valuedouble) > EXACT_MAX)
            return aq_json_wrong(item, place, "a text, or a number up to 2^53", error);
        snprintf(number, sizeof number, is_whole(item->valuedouble) ? "%.0f" : "%.15g", item->valuedouble);
        text = number;
    }
    if (!text) return aq_json_wrong(item, place, "a text", error);
    int rc = aq_arena_text(arena, aq_text_of(text), out);
    return rc ? aq_error_set(error, rc, "out of memory") : 0;
}

/* Digits with at most a minus in front. */
static bool parse_whole(const char *text, int64_t *out) {
    const char *digits = text + (*text == '-');
    if (*digits == 0 || digits[strspn(digits, "0123456789")] != 0) return false;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

int aq_json_whole(const cJSON *item, struct aq_json_place place, int64_t min, int64_t max, int64_t *out,
                  struct aq_error *error) {
    int64_t value = 0;
    bool good = false;
    if (cJSON_IsNumber(item) && is_whole(item->valuedouble)) {
        value = (int64_t)item->valuedouble;
        good = true;
    } else if (cJSON_IsString(item)) {
        good = parse_whole(item->valuestring, &value);
    }
    if (!good || value < min || value > max) {
        char allowed[80];
        snprintf(allowed, sizeof allowed, "a whole number from %" PRId64 " to %" PRId64, min, max);
        return aq_json_wrong(item, place, allowed, error);
    }
    *out = value;
    return 0;
}

/* A decimal number; neither hexadecimal, nor blanks, nor words such as "inf". */
static bool parse_number(const char *text, double *out) {
    if (text[strspn(text, "0123456789+-.eE")] != 0 || *text == 0 || *text == '+') return false;
    char *end;
    *out = strtod(text, &end);
    return *end == 0;
}

int aq_json_number(const cJSON *item, struct aq_json_place place, double *out, struct aq_error *error) {
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (cJSON_IsString(item) && !parse_number(item->valuestring, &value)) value = NAN;
    if (!isfinite(value)) return aq_json_wrong(item, place, "a number", error);
    *out = value;
    return 0;
}

int aq_json_bool(const cJSON *item, struct aq_json_place place, bool *out, struct aq_error *error) {
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    bool yes = cJSON_IsTrue(item) || strcmp(text, "true") == 0;
    if (!yes && !cJSON_IsFalse(item) && strcmp(text, "false") != 0)
        return aq_json_wrong(item, place, "true or false", error);
    *out = yes;
    return 0;
}
