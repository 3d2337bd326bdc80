#include "scenarios/suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/file.h"
#include "scenarios/reader.h"

#define WORDS_MAX  1000 /* entries of one list; folders count as one */
#define WORD_BYTES 4000 /* of a path or setting */
#define JOBS_MAX   256

/* The members that are plain values; lists and seeds are read by hand. */
struct plain {
    char *name, *fidelity;
    uint32_t jobs;
    bool check_replay;
};

#define PLAIN(key, sort, ...)                                                                                \
    { .name = #key, .type = AQ_KEY_##sort, .offset = offsetof(struct plain, key), __VA_ARGS__ }

static const struct aq_key plain_keys[] = {
    PLAIN(name, TEXT, .min = 1, .max = 100),
    PLAIN(fidelity, TEXT, .min = 1, .max = 20),
    PLAIN(jobs, COUNT, .min = 1, .max = JOBS_MAX),
    PLAIN(check_replay, BOOL),
};

/* ---- lists ---- */

static int read_words(struct aq_reader *r, const cJSON *json, const char *what, uint32_t least,
                      struct aq_suite_words *out) {
    static const struct aq_key list = {.max = WORDS_MAX},
                               word = {.type = AQ_KEY_TEXT, .min = 1, .max = WORD_BYTES};
    const cJSON *item;
    int i = 0, rc = aq_reader_list(r, &list, json, what, sizeof *out->list, &out->list, &out->count);
    if (rc) return rc;
    if (out->count < least) return aq_reader_wrong(r, json, "a list of at least %u %s", least, what);
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_read_text(r, &word, item, (char *)&out->list[i++]);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* ---- seeds ---- */

static const char *read_seed(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno || value > AQ_SUITE_SEED_MAX) return NULL;
    *out = value;
    return end;
}

bool aq_suite_read_seeds(const char *text, struct aq_suite_seeds *out) {
    struct aq_suite_seeds seeds = {.given = true};
    const char *at = read_seed(text, &seeds.from);
    if (!at || strncmp(at, "..", 2) != 0) return false;
    at = read_seed(at + 2, &seeds.to);
    if (!at || *at || seeds.from > seeds.to) return false;
    *out = seeds;
    return true;
}

static int read_seeds(struct aq_reader *r, const cJSON *json, struct aq_suite_seeds *out) {
    if (cJSON_IsString(json) && aq_suite_read_seeds(json->valuestring, out)) return 0;
    return aq_reader_wrong(r, json, "a text such as \"1..3\": the lower seed first, both below 10^15");
}

/* ---- the whole ---- */

enum special { SCHEMA, NOTES, SCENARIOS, PROFILES, SETTINGS, SEEDS, SPECIAL_COUNT };
static const char *const special_names[SPECIAL_COUNT] = {"$schema",  "notes",    "scenarios",
                                                         "profiles", "settings", "seeds"};

static int read_special(struct aq_reader *r, enum special which, const cJSON *json, struct aq_suite *suite) {
    switch (which) {
    case SCHEMA:
    case NOTES: return aq_read_ignored(r, NULL, json, NULL);
    case SCENARIOS:
        return read_words(r, json, "scenarios: files, folders, names of the library", 1, &suite->scenarios);
    case PROFILES: return read_words(r, json, "profiles", 1, &suite->profiles);
    case SETTINGS: return read_words(r, json, "settings such as \"clients.count=20\"", 0, &suite->settings);
    case SEEDS: return read_seeds(r, json, &suite->seeds);
    case SPECIAL_COUNT: break;
    }
    return 0;
}

static int unknown_key(struct aq_reader *r, const char *found) {
    enum { PLAIN_COUNT = sizeof plain_keys / sizeof *plain_keys };
    const char *names[SPECIAL_COUNT + PLAIN_COUNT];
    memcpy(names, special_names, sizeof special_names);
    for (size_t i = 0; i < PLAIN_COUNT; i++)
        names[SPECIAL_COUNT + i] = plain_keys[i].name;
    return aq_reader_unknown(r, "key", found, names, SPECIAL_COUNT + PLAIN_COUNT);
}

static int read_member(struct aq_reader *r, const cJSON *member, struct aq_suite *suite,
                       struct plain *plain) {
    for (int i = 0; i < SPECIAL_COUNT; i++)
        if (strcmp(member->string, special_names[i]) == 0)
            return read_special(r, (enum special)i, member, suite);
    for (size_t i = 0; i < sizeof plain_keys / sizeof *plain_keys; i++)
        if (strcmp(member->string, plain_keys[i].name) == 0)
            return aq_reader_value(r, &plain_keys[i], member, plain);
    return unknown_key(r, member->string);
}

static int read_members(struct aq_reader *r, const cJSON *tree, struct aq_suite *suite, struct plain *plain) {
    const cJSON *member, *other;
    if (!cJSON_IsObject(tree)) return aq_reader_wrong(r, tree, "an object: a suite stands in { }");
    cJSON_ArrayForEach(member, tree) {
        size_t length = aq_reader_enter(r, member->string);
        for (other = tree->child; other != member; other = other->next)
            if (strcmp(other->string, member->string) == 0)
                return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", member->string);
        int rc = read_member(r, member, suite, plain);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    if (suite->scenarios.count == 0)
        return aq_reader_fail(r, AQ_EINVALID, "the key \"scenarios\" is missing");
    return 0;
}

/* The text from `from` to `to` as a new one. */
static char *part_of(const char *from, const char *to) {
    char *copy = aq_alloc((size_t)(to - from) + 1);
    if (!copy) return NULL;
    memcpy(copy, from, (size_t)(to - from));
    copy[to - from] = '\0';
    return copy;
}

static int name_after_file(struct aq_reader *r, const char *path, struct aq_suite *suite) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *end = base + strlen(base);
    if (end - base > 5 && strcmp(end - 5, ".json") == 0) end -= 5;
    if (!suite->name) suite->name = part_of(base, end);
    if (slash) suite->folder = part_of(path, slash == path ? slash + 1 : slash);
    return suite->name && (suite->folder || !slash) ? 0 : aq_reader_nomem(r);
}

int aq_suite_load(const char *path, struct aq_suite **out, struct aq_error *error) {
    struct aq_reader reader = {.name = path, .error = error};
    struct plain plain = {0};
    cJSON *tree = NULL;
    int rc = aq_file_read_tree(path, &tree, error);
    if (rc) return rc;
    struct aq_suite *suite = aq_alloc_zeroed(1, sizeof *suite);
    rc = suite ? read_members(&reader, tree, suite, &plain) : aq_reader_nomem(&reader);
    cJSON_Delete(tree);
    if (suite) {
        suite->name = plain.name;
        suite->fidelity = plain.fidelity;
        suite->jobs = plain.jobs;
        suite->check_replay = plain.check_replay;
    }
    if (!rc) rc = name_after_file(&reader, path, suite);
    if (rc)
        aq_suite_free(suite);
    else
        *out = suite;
    return rc;
}

static void free_words(struct aq_suite_words *words) {
    for (uint32_t i = 0; i < words->count; i++)
        aq_free(words->list[i]);
    aq_free(words->list);
}

void aq_suite_free(struct aq_suite *suite) {
    if (!suite) return;
    free_words(&suite->scenarios);
    free_words(&suite->profiles);
    free_words(&suite->settings);
    aq_free(suite->name);
    aq_free(suite->folder);
    aq_free(suite->fidelity);
    aq_free(suite);
}
