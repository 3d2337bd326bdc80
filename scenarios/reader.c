#include "scenarios/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/nearest.h"
#include "scenarios/scenario.h"

#define MESSAGE_MAX 900 /* leaves room for the place in an error's text */

size_t aq_reader_enter(struct aq_reader *r, const char *key) {
    size_t length = strlen(r->path), used = length;
    char quoted[100];
    bool plain = *key && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$") ==
                             strlen(key);
    if (length && plain && used + 1 < sizeof r->path) r->path[used++] = '.';
    snprintf(r->path + used, sizeof r->path - used, plain ? "%s" : "[%s]",
             plain ? key : aq_tree_quote(quoted, sizeof quoted, key));
    return length;
}

size_t aq_reader_enter_item(struct aq_reader *r, int index) {
    size_t length = strlen(r->path);
    snprintf(r->path + length, sizeof r->path - length, "[%d]", index);
    return length;
}

void aq_reader_leave(struct aq_reader *r, size_t length) {
    r->path[length] = 0;
}

/* Is the value at the reader's path part of what the setting put there? */
static bool set_by(const struct aq_reader *r, const struct aq_reader_setting *setting) {
    size_t length = strlen(setting->path);
    return strncmp(r->path, setting->path, length) == 0 && strchr(".[", r->path[length]) != NULL;
}

static int fail_with(struct aq_reader *r, int code, const char *message) {
    const char *between = *r->path ? ": " : "";
    for (uint32_t i = r->setting_count; i-- > 0;)
        if (set_by(r, &r->settings[i])) {
            char shown[200];
            return aq_error_set(r->error, code, "--set %s: %s%s%s",
                                aq_tree_quote(shown, sizeof shown, r->settings[i].text), r->path, between,
                                message);
        }
    return aq_error_set(r->error, code, "%s: %s%s%s", r->name, r->path, between, message);
}

int aq_reader_fail(struct aq_reader *r, int code, const char *format, ...) {
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return fail_with(r, code, message);
}

int aq_reader_wrong(struct aq_reader *r, const cJSON *found, const char *allowed, ...) {
    char message[MESSAGE_MAX], what[200];
    va_list args;
    va_start(args, allowed);
    vsnprintf(message, sizeof message, allowed, args);
    va_end(args);
    return aq_reader_fail(r, AQ_EINVALID, "found %s, allowed is %s",
                          aq_tree_describe(what, sizeof what, found), message);
}

int aq_reader_unknown(struct aq_reader *r, const char *what, const char *found, const char *const *known,
                      size_t count) {
    char list[MESSAGE_MAX - 250], quoted[200], hint[120] = "";
    size_t used = 0;
    list[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t need = strlen(known[i]) + 2;
        if (used + need + 4 > sizeof list) { /* a rest that does not fit is left out visibly */
            snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known[i]);
    }
    const char *nearest = aq_word_nearest(found, known, count);
    if (nearest) snprintf(hint, sizeof hint, "; did you mean \"%s\"?", nearest);
    return aq_reader_fail(r, AQ_EINVALID, "unknown %s %s%s (allowed: %s)", what,
                          aq_tree_quote(quoted, sizeof quoted, found), hint, list);
}

int aq_reader_nomem(struct aq_reader *r) {
    return aq_error_set(r->error, AQ_ENOMEM, "%s: out of memory", r->name);
}

static int (*const readers[])(struct aq_reader *, const struct aq_key *, const cJSON *, char *) = {
#define X(name, reader) [AQ_KEY_##name] = aq_read_##reader,
    AQ_KEY_TYPES(X)
#undef X
};

int aq_reader_value(struct aq_reader *r, const struct aq_key *key, const cJSON *json, void *base) {
    AQ_ASSERT(key->type < AQ_KEY_TYPE_COUNT);
    return readers[key->type](r, key, json, (char *)base + key->offset);
}

/* Every member is a known key, and none is there twice. */
static int check_members(struct aq_reader *r, const cJSON *json, const struct aq_object *object,
                         uint64_t *given) {
    const cJSON *member;
    cJSON_ArrayForEach(member, json) {
        size_t length = aq_reader_enter(r, member->string), index;
        if (!aq_key_find(object, member->string, &index)) {
            const char *names[64];
            for (size_t i = 0; i < object->count; i++)
                names[i] = object->keys[i].name;
            return aq_reader_unknown(r, "key", member->string, names, object->count);
        }
        if (*given >> index & 1)
            return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", member->string);
        *given |= UINT64_C(1) << index;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* The default goes the way of any other value, so that both always mean the same. */
static int read_standard(struct aq_reader *r, const struct aq_key *key, void *base) {
    if (!key->standard) return 0;
    cJSON *json = NULL;
    struct aq_tree_fault fault;
    int rc = aq_tree_parse(key->standard, strlen(key->standard), &json, &fault);
    AQ_ASSERT(rc != AQ_EPARSE);
    if (rc) return aq_reader_nomem(r);
    rc = aq_reader_value(r, key, json, base);
    AQ_ASSERT(rc == 0 || rc == AQ_ENOMEM);
    cJSON_Delete(json);
    return rc;
}

static int read_key(struct aq_reader *r, const cJSON *json, const struct aq_key *key, void *base) {
    const cJSON *member = json ? aq_tree_member(json, key->name) : NULL;
    int rc = 0;
    if (!member && key->required)
        return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is missing", key->name);
    size_t length = aq_reader_enter(r, key->name);
    if (member)
        rc = aq_reader_value(r, key, member, base);
    else if (key->type == AQ_KEY_SECTION)
        rc = aq_reader_object(r, NULL, key->object, (char *)base + key->offset, NULL);
    else
        rc = read_standard(r, key, base);
    if (rc == 0) aq_reader_leave(r, length);
    return rc;
}

int aq_reader_object(struct aq_reader *r, const cJSON *json, const struct aq_object *object, void *base,
                     uint64_t *given) {
    uint64_t seen = 0;
    if (json && !cJSON_IsObject(json))
        return aq_reader_wrong(r, json, "an object with keys of \"%s\"", object->name);
    int rc = check_members(r, json, object, &seen);
    for (size_t i = 0; i < object->count && rc == 0; i++)
        rc = read_key(r, json, &object->keys[i], base);
    if (rc == 0 && given) *given = seen;
    return rc;
}

int aq_reader_choice(struct aq_reader *r, const cJSON *json, const char *what, const char *const *words,
                     size_t count, size_t *index, const cJSON **value) {
    const cJSON *only = json->child;
    AQ_ASSERT(cJSON_IsObject(json));
    if (!only || only->next) {
        int members = cJSON_GetArraySize(json);
        return aq_reader_fail(
            r, AQ_EINVALID, "found %d keys, allowed is exactly one that says which %s it is", members, what);
    }
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], only->string) == 0) {
            *index = i;
            *value = only;
            return 0;
        }
    return aq_reader_unknown(r, what, only->string, words, count);
}

void *aq_reader_table(struct aq_reader *r, size_t count, size_t bytes) {
    struct aq_scenario *s = r->scenario;
    AQ_ASSERT(s);
    if (aq_array_reserve(&s->tables, &s->table_capacity, (size_t)s->table_count + 1, sizeof *s->tables))
        return NULL;
    void *table = aq_alloc_zeroed(count, bytes);
    if (table) s->tables[s->table_count++] = table;
    return table;
}

int aq_reader_list(struct aq_reader *r, const struct aq_key *key, const cJSON *json, const char *what,
                   size_t bytes, void *items_pointer, uint32_t *count) {
    if (!cJSON_IsArray(json)) return aq_reader_wrong(r, json, "a list of %s", what);
    uint32_t size = (uint32_t)cJSON_GetArraySize(json);
    if (size > key->max)
        return aq_reader_fail(r, AQ_ELIMIT, "found %u %s, allowed are at most %.0f", size, what, key->max);
    if (size == 0) return 0;
    void *items = aq_alloc_zeroed(size, bytes);
    if (!items) return aq_reader_nomem(r);
    memcpy(items_pointer, &items, sizeof items);
    *count = size;
    return 0;
}
