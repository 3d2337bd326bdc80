/* Readers of the section `explore`: its values are checked as far as they can be before something is drawn.
 */
#include "scenarios/draw_check.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"
#include "base/units.h"

#define X(name, word) word,
static const char *const draw_list[] = {AQ_DRAWS(X)};
#undef X
const struct aq_words aq_words_draws = {draw_list, AQ_DRAW_COUNT};

static const char *const drawn_list[] = {"servers", "clients", "workers"};
const struct aq_words aq_words_drawn = {drawn_list, 3};

/* ---- what is what ---- */

double aq_draw_unit_us(const char *unit) {
    static const struct {
        const char *name;
        double us;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0) return units[i].us;
    return 0;
}

bool aq_draw_read_end(const cJSON *json, struct aq_draw_end *out) {
    aq_time_us span_us;
    double per_s;
    if (cJSON_IsNumber(json)) {
        *out = (struct aq_draw_end){json->valuedouble, "", json->valuedouble == floor(json->valuedouble)};
        return true;
    }
    if (!cJSON_IsString(json)) return false;
    const char *text = json->valuestring;
    if (aq_units_duration(text, &span_us) && aq_units_rate(text, &per_s)) return false;
    char *unit;
    double value = strtod(text, &unit);
    if (strlen(unit) >= sizeof out->unit) return false;
    *out = (struct aq_draw_end){.value = value, .whole = value == floor(value)};
    strcpy(out->unit, *unit ? unit : "us"); /* "0" */
    return true;
}

bool aq_draw_is(const cJSON *json, enum aq_draw_kind *kind, const cJSON **body) {
    uint32_t index;
    if (!cJSON_IsObject(json) || !json->child || json->child->next) return false;
    if (!aq_words_find(&aq_words_draws, json->child->string, &index)) return false;
    *kind = (enum aq_draw_kind)index;
    *body = json->child;
    return true;
}

/* ---- checks ---- */

static int check_pair(struct aq_reader *r, const cJSON *body, bool log, double min, double max) {
    struct aq_draw_end low, high;
    bool pair = cJSON_IsArray(body) && cJSON_GetArraySize(body) == 2;
    if (!pair || !aq_draw_read_end(body->child, &low) || !aq_draw_read_end(body->child->next, &high))
        return aq_reader_wrong(r, body, "a list of two numbers, two durations or two rates");
    double low_us = aq_draw_unit_us(low.unit), high_us = aq_draw_unit_us(high.unit);
    if (low_us == 0 && strcmp(low.unit, high.unit) != 0)
        return aq_reader_wrong(r, body, "two values of one unit");
    if ((low_us > 0) != (high_us > 0)) return aq_reader_wrong(r, body, "two values of one sort");
    double from = low_us > 0 ? low.value * low_us : low.value;
    double to = high_us > 0 ? high.value * high_us : high.value;
    if (from > to) return aq_reader_fail(r, AQ_EINVALID, "the greater value stands first");
    if (log && !(from > 0)) return aq_reader_fail(r, AQ_EINVALID, "\"log_range\" begins above 0");
    if (max > min && (from < min || to > max || low_us > 0))
        return aq_reader_fail(r, AQ_EINVALID, "allowed are two numbers from %.15g to %.15g", min, max);
    return 0;
}

static int check_value(struct aq_reader *r, const cJSON *json);

/* null stands for: leave the key out. */
static int check_list(struct aq_reader *r, const cJSON *body, bool null_ok) {
    int index = 0;
    const cJSON *item;
    if (!cJSON_IsArray(body) || !body->child) return aq_reader_wrong(r, body, "a list of one value or more");
    cJSON_ArrayForEach(item, body) {
        size_t length = aq_reader_enter_item(r, index++);
        int rc = null_ok && cJSON_IsNull(item) ? 0 : check_value(r, item);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

static int check_draw(struct aq_reader *r, enum aq_draw_kind kind, const cJSON *body) {
    static const struct aq_key chance = {.type = AQ_KEY_NUMBER, .max = 1};
    static const struct aq_key word = {.type = AQ_KEY_WORD, .words = &aq_words_drawn};
    double number;
    uint32_t index;
    switch (kind) {
    case AQ_DRAW_RANGE: return check_pair(r, body, false, 0, 0);
    case AQ_DRAW_LOG_RANGE: return check_pair(r, body, true, 0, 0);
    case AQ_DRAW_SHARE: return check_pair(r, body, false, 0, 1);
    case AQ_DRAW_ANY_OF: return check_list(r, body, true);
    case AQ_DRAW_CHANCE: return aq_read_number(r, &chance, body, (char *)&number);
    case AQ_DRAW_INDEX:
    case AQ_DRAW_SUBSET: return aq_read_word(r, &word, body, (char *)&index);
    case AQ_DRAW_COUNT: break;
    }
    return 0;
}

/* A plain value is left to the drawn scenario; within it there may be draws. */
static int check_value(struct aq_reader *r, const cJSON *json) {
    enum aq_draw_kind kind;
    const cJSON *body, *member;
    if (aq_draw_is(json, &kind, &body)) {
        size_t length = aq_reader_enter(r, body->string);
        int rc = check_draw(r, kind, body);
        if (rc == 0) aq_reader_leave(r, length);
        return rc;
    }
    if (cJSON_IsNull(json)) return aq_reader_wrong(r, json, "a value, or null as one of \"any_of\"");
    if (cJSON_IsArray(json) && json->child) return check_list(r, json, false);
    if (!cJSON_IsObject(json)) return 0;
    cJSON_ArrayForEach(member, json) {
        uint32_t index;
        size_t length = aq_reader_enter(r, member->string);
        if (aq_words_find(&aq_words_draws, member->string, &index))
            return aq_reader_fail(r, AQ_EINVALID, "a draw stands alone in its object");
        int rc = check_value(r, member);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* "servers.count": the first part has to be a section or key of the file. */
static int check_setting_path(struct aq_reader *r, const char *path) {
    const char *names[64];
    char first[64];
    size_t length = strcspn(path, ".");
    for (size_t i = 0; i < aq_object_scenario.count; i++)
        names[i] = aq_object_scenario.keys[i].name;
    snprintf(first, sizeof first, "%.*s", length < sizeof first ? (int)length : (int)sizeof first - 1, path);
    if (!aq_key_find(&aq_object_scenario, first, NULL))
        return aq_reader_unknown(r, "key", first, names, aq_object_scenario.count);
    if (aq_key_listed(AQ_NOT_DRAWN_KEYS, first))
        return aq_reader_fail(r, AQ_EINVALID, "\"%s\" is not drawn as a setting", first);
    for (const char *at = path; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_.", *at))
            return aq_reader_fail(r, AQ_EINVALID, "a path holds letters, digits, _ and dots");
    return 0;
}

int aq_read_drawn_settings(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    const cJSON *member;
    (void)key, (void)at;
    if (!cJSON_IsObject(json))
        return aq_reader_wrong(r, json,
                               "an object of paths, such as {\"servers.count\": {\"range\": [2, 6]}}");
    cJSON_ArrayForEach(member, json) {
        size_t length = aq_reader_enter(r, member->string);
        int rc = check_setting_path(r, member->string);
        if (rc == 0) rc = check_value(r, member);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* The kind is a plain word, and the other keys are those of the kind. */
static int check_drawn_fault(struct aq_reader *r, const cJSON *json) {
    static const struct aq_key kind_key = {.type = AQ_KEY_WORD, .words = &aq_words_faults};
    const cJSON *member, *kind_json = cJSON_IsObject(json) ? aq_tree_member(json, "kind") : NULL;
    uint32_t kind;
    if (!cJSON_IsObject(json)) return aq_reader_wrong(r, json, "an object with keys of \"faults\"");
    if (!kind_json) return aq_reader_fail(r, AQ_EINVALID, "the key \"kind\" is missing");
    size_t length = aq_reader_enter(r, "kind");
    int rc = aq_read_word(r, &kind_key, kind_json, (char *)&kind);
    if (rc) return rc;
    aq_reader_leave(r, length);
    cJSON_ArrayForEach(member, json) {
        const char *name = member->string;
        length = aq_reader_enter(r, name);
        if (!aq_key_listed(AQ_FAULT_COMMON_KEYS, name) && !aq_key_listed(aq_fault_keys[kind].keys, name) &&
            !aq_key_listed(AQ_DRAWN_FAULT_KEYS, name))
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" takes no \"%s\" (allowed: %s %s %s)",
                                  aq_fault_word((enum aq_fault_kind)kind), name, AQ_FAULT_COMMON_KEYS,
                                  aq_fault_keys[kind].keys, AQ_DRAWN_FAULT_KEYS);
        if (aq_key_listed("family when name", name) && !cJSON_IsString(member))
            return aq_reader_wrong(r, member, "a text");
        if (strcmp(name, "when") == 0 && (rc = check_setting_path(r, member->valuestring)) != 0) return rc;
        rc = check_value(r, member);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

int aq_read_drawn_faults(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    int index = 0;
    const cJSON *item;
    (void)at;
    if (!cJSON_IsArray(json)) return aq_reader_wrong(r, json, "a list of faults");
    if (cJSON_GetArraySize(json) > (int)key->max)
        return aq_reader_fail(r, AQ_ELIMIT, "found %d faults, allowed are at most %.0f",
                              cJSON_GetArraySize(json), key->max);
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, index++);
        int rc = check_drawn_fault(r, item);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}
