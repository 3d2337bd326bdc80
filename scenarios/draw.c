#include "scenarios/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/real.h"
#include "base/units.h"
#include "protocol/ids.h"
#include "scenarios/draw_check.h"
#include "scenarios/load.h"
#include "scenarios/settings.h"

#define DURATION_DEFAULT_US                                                                                  \
    (60 * AQ_US_PER_S) /* as in the rows of scenarios/keys.c, which a test compares                          \
                        */
#define SERVERS_DEFAULT 4
#define CLIENTS_DEFAULT 100
#define WORKERS_DEFAULT 500

struct aq_draw {
    cJSON *tree; /* the whole file; owned */
    char *name;  /* owned */
};

/* One drawing: the tree that becomes the scenario, and what was drawn so far. */
struct drawing {
    cJSON *tree;
    uint64_t seed;
    struct aq_random random; /* of the setting or fault that is being drawn */
    char *summary;           /* owned */
    uint32_t summary_used, summary_capacity;
    bool failed; /* out of memory */
};

int aq_draw_new(const struct aq_scenario *scenario, struct aq_draw **out) {
    struct aq_tree_fault fault;
    struct aq_draw *draw = aq_alloc_zeroed(1, sizeof *draw);
    if (!draw) return AQ_ENOMEM;
    draw->name = aq_alloc(strlen(scenario->name) + 1);
    if (!draw->name || aq_tree_parse(scenario->text, strlen(scenario->text), &draw->tree, &fault)) {
        aq_draw_free(draw);
        return AQ_ENOMEM; /* the text was made by the loader, so it is JSON */
    }
    strcpy(draw->name, scenario->name);
    *out = draw;
    return 0;
}

void aq_draw_free(struct aq_draw *draw) {
    if (!draw) return;
    cJSON_Delete(draw->tree);
    aq_free(draw->name);
    aq_free(draw);
}

/* ---- the summary ---- */

static void tell(struct drawing *d, const char *text) {
    size_t length = strlen(text);
    if (aq_array_reserve(&d->summary, &d->summary_capacity, d->summary_used + length + 1, 1)) {
        d->failed = true;
        return;
    }
    memcpy(d->summary + d->summary_used, text, length + 1);
    d->summary_used += (uint32_t)length;
}

static void tell_value(struct drawing *d, const char *name, const cJSON *value) {
    char *text = value ? aq_tree_print_bare(value) : NULL;
    if (!text) {
        d->failed = true;
        return;
    }
    if (d->summary_used) tell(d, " ");
    tell(d, name);
    tell(d, "=");
    tell(d, text);
    aq_free(text);
}

/* ---- single draws ---- */

static uint32_t count_of(const struct drawing *d, const char *section, uint32_t standard) {
    const cJSON *json = aq_tree_member(d->tree, section);
    const cJSON *count = json ? aq_tree_member(json, "count") : NULL;
    return cJSON_IsNumber(count) && count->valuedouble >= 1 ? (uint32_t)count->valuedouble : standard;
}

static uint32_t drawn_count(const struct drawing *d, const cJSON *body) {
    static const uint32_t standards[] = {SERVERS_DEFAULT, CLIENTS_DEFAULT, WORKERS_DEFAULT};
    uint32_t index = 0;
    bool known = aq_words_find(&aq_words_drawn, body->valuestring, &index);
    AQ_ASSERT(known);
    return count_of(d, body->valuestring, standards[index]);
}

/* Short enough to read: what is drawn is rounded to so many digits before it is used. */
static double rounded(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.4g", value);
    return strtod(text, NULL);
}

static double between(struct aq_random *random, double low, double high, bool log) {
    double part = aq_random_unit(random);
    if (!log) return low + part * (high - low);
    return aq_exp(aq_log(low) + part * (aq_log(high) - aq_log(low)));
}

static double draw_whole(struct aq_random *random, double low, double high, bool log) {
    if (!log && high - low < UINT32_MAX)
        return low + (double)aq_random_below(random, (uint32_t)(high - low) + 1);
    double value = floor(between(random, low, high + 1, log));
    return value < high ? value : high;
}

static cJSON *draw_range(struct drawing *d, const cJSON *body, bool log) {
    struct aq_draw_end low, high;
    char text[48];
    bool read = aq_draw_read_end(body->child, &low) && aq_draw_read_end(body->child->next, &high);
    AQ_ASSERT(read);
    double low_us = aq_draw_unit_us(low.unit), high_us = aq_draw_unit_us(high.unit);
    if (low_us > 0) { /* in whole multiples of the finer unit */
        const char *unit = low_us < high_us ? low.unit : high.unit;
        double us = aq_draw_unit_us(unit);
        double value =
            draw_whole(&d->random, ceil(low.value * low_us / us), floor(high.value * high_us / us), log);
        snprintf(text, sizeof text, "%.0f%s", value, unit);
        return cJSON_CreateString(text);
    }
    bool whole = low.whole && high.whole && low.unit[0] == '\0';
    double value = whole ? draw_whole(&d->random, low.value, high.value, log)
                         : rounded(between(&d->random, low.value, high.value, log));
    if (low.unit[0] == '\0') return cJSON_CreateNumber(value);
    snprintf(text, sizeof text, "%.4g%s", value, low.unit);
    return cJSON_CreateString(text);
}

static cJSON *draw_share(struct drawing *d, const cJSON *body) {
    const cJSON *json = aq_tree_member(d->tree, "duration");
    aq_time_us duration_us = DURATION_DEFAULT_US;
    char text[32];
    if (cJSON_IsString(json)) (void)aq_units_duration(json->valuestring, &duration_us);
    double share = between(&d->random, body->child->valuedouble, body->child->next->valuedouble, false);
    snprintf(text, sizeof text, "%.0fms", floor(share * (double)duration_us / 1000));
    return cJSON_CreateString(text);
}

/* Each is in with one half; one that is drawn is always in, so that the list is not empty. */
static cJSON *draw_subset(struct drawing *d, uint32_t count) {
    uint32_t always = aq_random_below(&d->random, count);
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < count; i++)
        if (aq_random_below(&d->random, 2) || i == always) aq_tree_append(list, cJSON_CreateNumber(i));
    return list;
}

static cJSON *resolve(struct drawing *d, const cJSON *json);

static cJSON *draw_one(struct drawing *d, enum aq_draw_kind kind, const cJSON *body) {
    switch (kind) {
    case AQ_DRAW_RANGE: return draw_range(d, body, false);
    case AQ_DRAW_LOG_RANGE: return draw_range(d, body, true);
    case AQ_DRAW_SHARE: return draw_share(d, body);
    case AQ_DRAW_CHANCE: return cJSON_CreateBool(aq_random_chance(&d->random, body->valuedouble));
    case AQ_DRAW_INDEX: return cJSON_CreateNumber(aq_random_below(&d->random, drawn_count(d, body)));
    case AQ_DRAW_SUBSET: return draw_subset(d, drawn_count(d, body));
    case AQ_DRAW_ANY_OF: {
        uint32_t count = (uint32_t)cJSON_GetArraySize(body);
        return resolve(d, cJSON_GetArrayItem(body, (int)aq_random_below(&d->random, count)));
    }
    case AQ_DRAW_COUNT: break;
    }
    AQ_ASSERT(!"a draw");
    return NULL;
}

/* A copy of the value with every draw carried out; NULL when out of memory. */
static cJSON *resolve(struct drawing *d, const cJSON *json) {
    enum aq_draw_kind kind;
    const cJSON *body, *item;
    if (aq_draw_is(json, &kind, &body)) return draw_one(d, kind, body);
    if (!cJSON_IsArray(json) && !cJSON_IsObject(json)) return cJSON_Duplicate(json, true);
    cJSON *copy = cJSON_IsArray(json) ? cJSON_CreateArray() : cJSON_CreateObject();
    cJSON_ArrayForEach(item, json) {
        cJSON *value = resolve(d, item);
        if (cJSON_IsNull(value))
            cJSON_Delete(value); /* left out */
        else if (cJSON_IsArray(json))
            aq_tree_append(copy, value);
        else
            aq_tree_add(copy, item->string, value);
    }
    return copy;
}

/* ---- the section ---- */

static int draw_settings(struct drawing *d, struct aq_reader *r, const cJSON *settings) {
    const cJSON *member;
    cJSON_ArrayForEach(member, settings) {
        aq_random_init(&d->random, d->seed, "explore setting", aq_text_hash(aq_text_of(member->string)));
        cJSON *value = resolve(d, member);
        if (cJSON_IsNull(value)) { /* as it is without */
            cJSON_Delete(value);
            continue;
        }
        tell_value(d, member->string, value);
        int rc = aq_settings_set(r, d->tree, member->string, strlen(member->string), value, NULL);
        if (rc) return rc;
    }
    return 0;
}

/* What faults of one stream have in common: their name, else their kind. */
static const char *label_of(const cJSON *fault, const char *first, const char *second) {
    const cJSON *label = aq_tree_member(fault, first);
    return (label ? label : aq_tree_member(fault, second))->valuestring;
}

/* How many of the faults before this one have its label. */
static uint32_t before(const cJSON *faults, const cJSON *fault) {
    uint32_t count = 0;
    for (const cJSON *other = faults->child; other != fault; other = other->next)
        count += strcmp(label_of(other, "name", "kind"), label_of(fault, "name", "kind")) == 0;
    return count;
}

static bool is_off(const struct drawing *d, const cJSON *fault, double off_ratio) {
    struct aq_random random;
    aq_random_init(&random, d->seed, "explore family",
                   aq_text_hash(aq_text_of(label_of(fault, "family", "kind"))));
    return aq_random_chance(&random, off_ratio);
}

/* "when" names a setting of the file that has to be true as drawn. */
static bool is_possible(const struct drawing *d, const cJSON *fault) {
    const cJSON *when = aq_tree_member(fault, "when"), *at = d->tree;
    if (!when) return true;
    for (const char *path = when->valuestring; at && *path;) {
        char part[64];
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        at = aq_tree_member(at, part);
        path += length + (path[length] == '.');
    }
    return cJSON_IsTrue(at);
}

static uint32_t draw_instances(struct drawing *d, const cJSON *fault) {
    const cJSON *json = aq_tree_member(fault, "instances");
    cJSON *value = json ? resolve(d, json) : NULL;
    double instances = cJSON_IsNumber(value) ? value->valuedouble : 1;
    cJSON_Delete(value);
    return instances > 0 ? (uint32_t)instances : 0;
}

static void draw_fault(struct drawing *d, const cJSON *fault, cJSON *list) {
    static const char standard_at[] = "{\"share_of_duration\": [0, 0.9]}";
    cJSON *drawn = aq_tree_append(list, cJSON_CreateObject());
    const cJSON *member;
    cJSON_ArrayForEach(member, fault) {
        cJSON *value = aq_key_listed(AQ_DRAWN_FAULT_KEYS, member->string) ? NULL : resolve(d, member);
        if (value && !cJSON_IsNull(value))
            aq_tree_add(drawn, member->string, value);
        else
            cJSON_Delete(value);
    }
    if (!aq_tree_member(fault, "may_miss")) aq_tree_add(drawn, "may_miss", cJSON_CreateTrue());
    if (aq_tree_member(fault, "at") || aq_tree_member(fault, "on")) return;
    cJSON *at = cJSON_Parse(standard_at);
    aq_tree_add(drawn, "at", at ? resolve(d, at) : NULL);
    cJSON_Delete(at);
}

/* The faults of the file itself come first. */
static void draw_faults(struct drawing *d, const cJSON *faults, double off_ratio) {
    cJSON *list = aq_tree_member(d->tree, "faults");
    const cJSON *fault;
    char text[16];
    if (!list) list = aq_tree_add(d->tree, "faults", cJSON_CreateArray());
    tell(d, " faults:");
    cJSON_ArrayForEach(fault, faults) {
        const char *label = label_of(fault, "name", "kind");
        aq_random_init(&d->random, d->seed, "explore fault",
                       aq_text_hash(aq_text_of(label)) + before(faults, fault));
        if (is_off(d, fault, off_ratio) || !is_possible(d, fault)) continue;
        uint32_t instances = draw_instances(d, fault);
        for (uint32_t i = 0; i < instances; i++)
            draw_fault(d, fault, list);
        if (instances == 0) continue;
        snprintf(text, sizeof text, "*%u", instances);
        tell(d, " ");
        tell(d, label);
        if (instances > 1) tell(d, text);
    }
}

/* The draws stand in the copy that the drawn scenario is made from, and are not part of it. */
static int draw_section(struct drawing *d, struct aq_reader *r) {
    cJSON *section = cJSON_DetachItemFromObjectCaseSensitive(d->tree, "explore");
    const cJSON *settings = section ? aq_tree_member(section, "settings") : NULL;
    const cJSON *faults = section ? aq_tree_member(section, "faults") : NULL;
    const cJSON *off = section ? aq_tree_member(section, "off_ratio") : NULL;
    int rc = settings ? draw_settings(d, r, settings) : 0;
    if (rc == 0 && faults) draw_faults(d, faults, off ? off->valuedouble : 0.5);
    cJSON_Delete(section);
    return rc;
}

/* What does not belong to a drawn scenario, or is another one's. */
static int draw_head(struct drawing *d, struct aq_reader *r, const char *name) {
    cJSON_DeleteItemFromObjectCaseSensitive(d->tree, "$schema");
    cJSON_DeleteItemFromObjectCaseSensitive(d->tree, "notes");
    int rc = aq_settings_set(r, d->tree, "name", 4, cJSON_CreateString(name), NULL);
    return rc ? rc : aq_settings_set(r, d->tree, "seed", 4, cJSON_CreateNumber((double)d->seed), NULL);
}

static int draw_tree(struct drawing *d, const char *name, struct aq_scenario **out, struct aq_error *error) {
    struct aq_reader reader = {.name = name, .error = error};
    int rc = draw_section(d, &reader);
    if (rc == 0) rc = draw_head(d, &reader, name);
    if (d->failed || aq_tree_out_of_memory()) rc = aq_reader_nomem(&reader);
    char *text = rc ? NULL : aq_tree_print_bare(d->tree);
    if (rc == 0 && !text) rc = aq_reader_nomem(&reader);
    if (rc == 0) rc = aq_scenario_parse(text, name, NULL, out, error);
    aq_free(text);
    if (rc && rc != AQ_ENOMEM)
        aq_error_prefix(error, "what was drawn for seed %llu", (unsigned long long)d->seed);
    return rc;
}

int aq_draw_scenario(const struct aq_draw *draw, uint64_t seed, struct aq_scenario **out, char **summary,
                     struct aq_error *error) {
    struct drawing d = {.tree = cJSON_Duplicate(draw->tree, true), .seed = seed};
    struct aq_scenario *scenario = NULL;
    if (!d.tree) return aq_error_set(error, AQ_ENOMEM, "%s: out of memory", draw->name);
    aq_tree_begin();
    int rc = draw_tree(&d, draw->name, &scenario, error);
    cJSON_Delete(d.tree);
    if (rc || !summary) aq_free(d.summary);
    if (rc) return rc;
    if (summary) *summary = d.summary;
    *out = scenario;
    return 0;
}
