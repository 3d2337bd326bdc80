#include "sim/fingerprint.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

#define ID_CHARS_MIN 21 /* a job's id has 22 characters, the longest word of a story has 20 */

/* A text that grows in fixed room; what does not fit is left out. */
struct plain {
    char *text;
    size_t size, used;
};

static void put(struct plain *plain, const char *text, size_t length) {
    for (size_t i = 0; i < length && plain->used + 1 < plain->size; i++)
        plain->text[plain->used++] = text[i];
    plain->text[plain->used] = '\0';
}

static void put_word(struct plain *plain, const char *word, size_t length) {
    if (plain->used) put(plain, " ", 1);
    put(plain, word, length);
}

/* Numbers, ids ("SERVER,JOB", "Ab3dEf.." and whole ones) and times differ from run to run. */
static bool varies(const char *word, size_t length) {
    if (length >= ID_CHARS_MIN) return true;
    for (size_t i = 0; i < length; i++)
        if (isdigit((unsigned char)word[i]) || (word[i] == ',' && i + 1 < length)) return true;
    return length > 2 && word[length - 1] == '.' && word[length - 2] == '.';
}

static bool is_word(const char *word, size_t length, const char *what) {
    return strlen(what) == length && memcmp(word, what, length) == 0;
}

/* "server 2" becomes the part that it plays: "origin" or "server". A colon behind it stays. */
static const char *put_server(struct plain *plain, const char *number, int32_t origin) {
    char *end;
    long index = strtol(number, &end, 10);
    const char *role = origin >= 0 && index == origin ? "origin" : "server";
    put_word(plain, role, strlen(role));
    if (*end == ':') put(plain, ":", 1);
    return end + strcspn(end, " ");
}

/* Appends the text without what varies. */
static void put_plain(struct plain *plain, const char *text, int32_t origin) {
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        const char *next = at + length + (at[length] == ' ');
        if (is_word(at, length, "server") && isdigit((unsigned char)*next)) {
            next = put_server(plain, next, origin);
            next += *next == ' ';
        } else if (length && !varies(at, length)) {
            put_word(plain, at, length);
        } else if (length && at[length - 1] == ':') {
            put(plain, ":", 1); /* "< done Ab,Xy: ok" */
        }
        at = next;
    }
}

/* Is the line one of those that are in the shape, which are separated by " | "? */
static bool has_line(const char *shape, const char *line) {
    size_t length = strlen(line);
    for (const char *at = shape; (at = strstr(at, line)); at++) {
        bool begins = at == shape || (at >= shape + 3 && memcmp(at - 3, " | ", 3) == 0);
        if (begins && (at[length] == '\0' || strncmp(at + length, " | ", 3) == 0)) return true;
    }
    return false;
}

/* A story's line without its time, "[12.345678] ". */
static const char *without_time(const char *line) {
    const char *end = line[0] == '[' ? strstr(line, "] ") : NULL;
    return end ? end + 2 : line;
}

static void shape_of(const struct aq_record_violation *violation, char *out, size_t size) {
    struct plain shape = {out, size, 0};
    for (uint32_t i = 0; i < violation->line_count; i++) {
        char text[300] = "";
        struct plain line = {text, sizeof text, 0};
        put_plain(&line, without_time(violation->lines[i]), violation->origin);
        if (has_line(out, text)) continue;
        if (shape.used) put(&shape, " | ", 3);
        put(&shape, text, line.used);
    }
}

static uint64_t hash_of(const struct aq_fingerprint *f) {
    uint64_t hash = XXH3_64bits(f->check, strlen(f->check));
    hash = XXH3_64bits_withSeed(f->cause, strlen(f->cause), hash);
    return XXH3_64bits_withSeed(f->shape, strlen(f->shape), hash);
}

static void seal(struct aq_fingerprint *f) {
    snprintf(f->hex, sizeof f->hex, "%016llx", (unsigned long long)hash_of(f));
}

void aq_fingerprint_make(struct aq_fingerprint *out, const char *check, const char *cause,
                         const char *shape) {
    *out = (struct aq_fingerprint){.hex = ""};
    struct plain plain = {out->cause, sizeof out->cause, 0};
    snprintf(out->check, sizeof out->check, "%s", check);
    snprintf(out->shape, sizeof out->shape, "%s", shape);
    put_plain(&plain, cause, -1);
    seal(out);
}

bool aq_fingerprint_broken(const struct aq_record_check *check) {
    return check->verdict == AQ_VERDICT_FAIL && !check->caught && !check->expected_to_fail;
}

static const struct aq_record_violation *first_violation(const struct aq_record *record, const char *check) {
    for (uint32_t i = 0; i < record->violation_count; i++)
        if (strcmp(record->violations[i].check, check) == 0) return &record->violations[i];
    return NULL;
}

/* A check that fails without a violation, such as one of a whole run's figures, says why in its remark. */
void aq_fingerprint_of_check(const struct aq_record *record, const struct aq_record_check *check,
                             struct aq_fingerprint *out) {
    const struct aq_record_violation *violation = first_violation(record, check->name);
    char shape[sizeof out->shape] = "";
    if (violation) shape_of(violation, shape, sizeof shape);
    aq_fingerprint_make(out, check->name, violation ? violation->cause : check->remark, shape);
}

static bool missed(const struct aq_record_check *check) {
    return check->expected_to_fail && check->verdict == AQ_VERDICT_PASS;
}

int aq_fingerprint_of_run(const struct aq_record *record, struct aq_fingerprint *out) {
    if (record->verdict != AQ_VERDICT_FAIL) return AQ_ENOENT;
    for (uint32_t i = 0; i < record->check_count; i++)
        if (aq_fingerprint_broken(&record->checks[i])) {
            aq_fingerprint_of_check(record, &record->checks[i], out);
            return 0;
        }
    for (uint32_t i = 0; i < record->check_count; i++)
        if (missed(&record->checks[i])) {
            aq_fingerprint_make(out, "not-caught", record->checks[i].name, "");
            return 0;
        }
    return AQ_ENOENT;
}
