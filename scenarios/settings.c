#include "scenarios/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a setting is on its way down. */
struct walk {
    struct aq_reader *reader;
    const char *text;       /* the whole setting */
    const char *at;         /* rest of the path */
    size_t left;            /* characters of it */
    cJSON *parent;          /* object or array that the next part names a member of */
    struct aq_reader where; /* only its path is used: "faults[0].at" */
};

static int fail(const struct walk *walk, const char *what) {
    char shown[300];
    aq_tree_quote(shown, sizeof shown, walk->text);
    return aq_error_set(walk->reader->error, AQ_EINVALID, "--set %s: %s%s%s", shown, walk->where.path,
                        *walk->where.path ? ": " : "", what);
}

/* A value that is JSON is taken as that, anything else as a text: 30s needs no quotes. */
static cJSON *value_of(const char *text) {
    cJSON *json = NULL;
    struct aq_tree_fault fault;
    int rc = aq_tree_parse(text, strlen(text), &json, &fault);
    return rc == AQ_EPARSE ? cJSON_CreateString(text) : json;
}

/* The item of the array that the part names, or -1. */
static int item_of(const struct walk *walk, const char *part) {
    size_t digits = strspn(part, "0123456789");
    if (digits == 0 || part[digits] || digits > 6) return -1;
    int index = atoi(part);
    return index < cJSON_GetArraySize(walk->parent) ? index : -1;
}

static int fail_item(const struct walk *walk) {
    char what[100];
    snprintf(what, sizeof what, "this is a list of %d; a number below that is needed next",
             cJSON_GetArraySize(walk->parent));
    return fail(walk, what);
}

/* Puts value, which is taken, in place of the member or item called part. */
static int put(struct walk *walk, const char *part, cJSON *value) {
    bool done;
    if (!value) return aq_reader_nomem(walk->reader);
    if (cJSON_IsArray(walk->parent)) {
        int index = item_of(walk, part);
        if (index < 0) {
            cJSON_Delete(value);
            return fail_item(walk);
        }
        done = cJSON_ReplaceItemInArray(walk->parent, index, value);
        aq_reader_enter_item(&walk->where, index);
    } else {
        done = aq_tree_member(walk->parent, part)
                   ? cJSON_ReplaceItemInObjectCaseSensitive(walk->parent, part, value)
                   : cJSON_AddItemToObject(walk->parent, part, value);
        aq_reader_enter(&walk->where, part);
    }
    /* cJSON reports success even when it had no memory for the name. */
    if (done && (cJSON_IsArray(walk->parent) || aq_tree_member(walk->parent, part) == value)) return 0;
    if (!done) cJSON_Delete(value);
    return aq_reader_nomem(walk->reader);
}

/* Goes down to the member or item called part; a missing object is made. */
static int descend(struct walk *walk, const char *part) {
    cJSON *next;
    if (cJSON_IsArray(walk->parent)) {
        int index = item_of(walk, part);
        if (index < 0) return fail_item(walk);
        next = cJSON_GetArrayItem(walk->parent, index);
        aq_reader_enter_item(&walk->where, index);
    } else {
        next = aq_tree_member(walk->parent, part);
        if (!next) next = aq_tree_add(walk->parent, part, cJSON_CreateObject());
        if (!next) return aq_reader_nomem(walk->reader);
        aq_reader_enter(&walk->where, part);
    }
    if (!cJSON_IsObject(next) && !cJSON_IsArray(next))
        return fail(walk, "this is neither an object nor a list");
    walk->parent = next;
    return 0;
}

int aq_settings_set(struct aq_reader *r, cJSON *tree, const char *text, size_t length, cJSON *value,
                    char *path) {
    struct walk walk = {.reader = r, .text = text, .at = text, .left = length, .parent = tree};
    for (;;) {
        char part[64];
        size_t size = 0;
        while (size < walk.left && walk.at[size] != '.')
            size++;
        if (size == 0 || size >= sizeof part) {
            cJSON_Delete(value);
            return fail(&walk, "the form is PATH=VALUE, such as clients.count=2000 or faults.0.at=30s");
        }
        memcpy(part, walk.at, size);
        part[size] = 0;
        if (size == walk.left) {
            int rc = put(&walk, part, value);
            if (rc == 0 && path) memcpy(path, walk.where.path, sizeof walk.where.path);
            return rc;
        }
        int rc = descend(&walk, part);
        if (rc) {
            cJSON_Delete(value);
            return rc;
        }
        walk.at += size + 1;
        walk.left -= size + 1;
    }
}

static int set_profile(struct aq_reader *r, cJSON *tree, const char *text) {
    static const char *const sides[] = {"client", "server"}, *const paths[] = {"clients.profile",
                                                                               "servers.profile"};
    const char *equals = strchr(text, '=');
    const char *word = equals ? equals + 1 : text;
    uint32_t index;
    bool any = false;
    bool known = aq_words_find(&aq_words_profiles, word, &index);
    for (int i = 0; i < 2 && known; i++) {
        if (equals &&
            ((size_t)(equals - text) != strlen(sides[i]) || strncmp(text, sides[i], strlen(sides[i])) != 0))
            continue;
        int rc = aq_settings_set(r, tree, paths[i], strlen(paths[i]), cJSON_CreateString(word), NULL);
        if (rc) return rc;
        any = true;
    }
    char shown[200];
    if (any) return 0;
    return aq_error_set(r->error, AQ_EINVALID,
                        "--profile: found %s, allowed is strict, upstream, client=PROFILE or server=PROFILE",
                        aq_tree_quote(shown, sizeof shown, text));
}

static int set_fidelity(struct aq_reader *r, cJSON *tree, const char *word) {
    uint32_t index;
    char shown[200];
    if (aq_words_find(&aq_words_fidelities, word, &index))
        return aq_settings_set(r, tree, "fidelity", strlen("fidelity"), cJSON_CreateString(word), NULL);
    return aq_error_set(r->error, AQ_EINVALID, "--fidelity: found %s, allowed is message or wire",
                        aq_tree_quote(shown, sizeof shown, word));
}

int aq_settings_apply(struct aq_reader *r, cJSON *tree, const struct aq_scenario_options *options,
                      struct aq_reader_setting *settings) {
    int rc = 0;
    for (uint32_t i = 0; i < options->setting_count && rc == 0; i++) {
        const char *text = options->settings[i], *equals = strchr(text, '=');
        settings[i].text = text;
        rc = aq_settings_set(r, tree, text, equals ? (size_t)(equals - text) : 0,
                             equals ? value_of(equals + 1) : NULL, settings[i].path);
    }
    r->settings = settings;
    r->setting_count = rc ? 0 : options->setting_count;
    if (rc == 0 && options->profile) rc = set_profile(r, tree, options->profile);
    if (rc == 0 && options->fidelity) rc = set_fidelity(r, tree, options->fidelity);
    return rc;
}
