/* Readers of plain values: texts, numbers, spans, distributions. Each leaves its field untouched where it
 * fails. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/distribution.h"
#include "base/memory.h"
#include "base/units.h"
#include "scenarios/reader.h"
#include "scenarios/scenario.h"

int aq_read_ignored(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key, (void)at;
    const cJSON *item;
    if (cJSON_IsString(json)) return 0;
    if (!cJSON_IsArray(json)) return aq_reader_wrong(r, json, "a text or a list of texts");
    cJSON_ArrayForEach(item, json) if (!cJSON_IsString(item)) return aq_reader_wrong(
        r, item, "a text or a list of texts");
    return 0;
}

static int copy_text(struct aq_reader *r, const char *text, char *at) {
    size_t bytes = strlen(text) + 1;
    char *copy = aq_alloc(bytes);
    if (!copy) return aq_reader_nomem(r);
    memcpy(copy, text, bytes);
    memcpy(at, &copy, sizeof copy);
    return 0;
}

int aq_read_text(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    size_t length = cJSON_IsString(json) ? strlen(json->valuestring) : 0;
    if (!cJSON_IsString(json) || length < (size_t)key->min || length > (size_t)key->max)
        return aq_reader_wrong(r, json, "a text of %.0f to %.0f bytes", key->min, key->max);
    return copy_text(r, json->valuestring, at);
}

#define NAME_SIGNS "_.:-/"

static int read_name(struct aq_reader *r, const struct aq_key *key, const cJSON *json, bool foreign,
                     char *at) {
    const char *text = cJSON_IsString(json) ? json->valuestring : "";
    size_t length = strlen(text), used = 0;
    for (; used < length; used++) {
        unsigned char c = (unsigned char)text[used];
        if (!isalnum(c) && !strchr(NAME_SIGNS, c) && !(foreign && c >= 0x80)) break;
    }
    if (length == 0 || length > (size_t)key->max || used != length)
        return aq_reader_wrong(r, json, "a name of 1 to %.0f %s, digits and the signs %s", key->max,
                               foreign ? "bytes: letters of any language" : "letters", NAME_SIGNS);
    return copy_text(r, text, at);
}

int aq_read_name(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    return read_name(r, key, json, false, at);
}

/* Names that are not ASCII, and slashes, are where servers differ. */
int aq_read_tube(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    return read_name(r, key, json, true, at);
}

int aq_read_bool(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    if (!cJSON_IsBool(json)) return aq_reader_wrong(r, json, "true or false");
    bool value = cJSON_IsTrue(json);
    memcpy(at, &value, sizeof value);
    return 0;
}

static bool in_range(const struct aq_key *key, double value) {
    return (key->above ? value > key->min : value >= key->min) && (key->max == 0 || value <= key->max);
}

static int wrong_range(struct aq_reader *r, const struct aq_key *key, const cJSON *json, const char *what) {
    const char *low = key->above ? "above" : "from";
    if (key->max == 0) return aq_reader_wrong(r, json, "%s %s %.15g", what, low, key->min);
    return aq_reader_wrong(r, json, "%s %s %.15g to %.15g", what, low, key->min, key->max);
}

/* A whole number between the key's bounds; `most` is what the field holds. */
static int read_whole(struct aq_reader *r, const struct aq_key *key, const cJSON *json, double most,
                      double *out) {
    double value = cJSON_IsNumber(json) ? json->valuedouble : 0;
    if (!cJSON_IsNumber(json) || value != floor(value) || value > most || !in_range(key, value)) {
        struct aq_key shown = *key;
        if (key->max == 0) shown.max = most;
        return wrong_range(r, &shown, json, "a whole number");
    }
    *out = value;
    return 0;
}

int aq_read_count(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    double value = 0;
    int rc = read_whole(r, key, json, UINT32_MAX, &value);
    uint32_t count = rc ? 0 : (uint32_t)value;
    if (rc == 0) memcpy(at, &count, sizeof count);
    return rc;
}

int aq_read_count64(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    double value = 0;
    int rc = read_whole(r, key, json, 9007199254740991.0, &value);
    uint64_t count = rc ? 0 : (uint64_t)value;
    if (rc == 0) memcpy(at, &count, sizeof count);
    return rc;
}

int aq_read_integer(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    double value = 0;
    int rc = read_whole(r, key, json, INT32_MAX, &value);
    int32_t integer = rc ? 0 : (int32_t)value;
    if (rc == 0) memcpy(at, &integer, sizeof integer);
    return rc;
}

int aq_read_number(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    if (!cJSON_IsNumber(json) || !in_range(key, json->valuedouble))
        return wrong_range(r, key, json, "a number");
    memcpy(at, &json->valuedouble, sizeof json->valuedouble);
    return 0;
}

int aq_read_bytes(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    uint64_t bytes;
    if (!cJSON_IsString(json)) return aq_read_count(r, key, json, at);
    if (aq_units_bytes(json->valuestring, &bytes) || !in_range(key, (double)bytes))
        return wrong_range(r, key, json, "a number of bytes or a size such as \"4kB\" or \"2KiB\",");
    uint32_t value = (uint32_t)bytes;
    memcpy(at, &value, sizeof value);
    return 0;
}

int aq_read_span(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    aq_time_us span_us = AQ_TIME_NEVER;
    const char *text = cJSON_IsString(json) ? json->valuestring : "";
    bool never = key->never && strcmp(text, "never") == 0;
    if (!never && (aq_units_duration(text, &span_us) || (key->above && span_us == 0)))
        return aq_reader_wrong(r, json, "a duration such as \"250ms\" (units us, ms, s, m, h, d)%s%s",
                               key->above ? ", more than 0" : "", key->never ? ", or \"never\"" : "");
    memcpy(at, &span_us, sizeof span_us);
    return 0;
}

static bool whole_seconds(const struct aq_key *key, const cJSON *json, int64_t *out_s) {
    aq_time_us span_us;
    if (!cJSON_IsString(json) || aq_units_duration(json->valuestring, &span_us) || span_us % AQ_US_PER_S)
        return false;
    if (!in_range(key, (double)(span_us / AQ_US_PER_S))) return false;
    *out_s = (int64_t)(span_us / AQ_US_PER_S);
    return true;
}

int aq_read_seconds(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    int64_t seconds;
    if (!whole_seconds(key, json, &seconds))
        return aq_reader_wrong(r, json, "a duration of whole seconds, at least %.0f, such as \"30s\"",
                               key->min);
    memcpy(at, &seconds, sizeof seconds);
    return 0;
}

int aq_read_ttl(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_producer_section *producers = (struct aq_producer_section *)at;
    int64_t seconds = 0;
    bool standard = cJSON_IsString(json) && strcmp(json->valuestring, "default") == 0;
    if (!standard && !whole_seconds(key, json, &seconds))
        return aq_reader_wrong(
            r, json, "a duration of whole seconds, at least %.0f, such as \"30s\", or \"default\"", key->min);
    producers->ttl_given = !standard;
    producers->ttl_s = seconds;
    return 0;
}

int aq_read_jump(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    aq_time_us span_us;
    const char *text = cJSON_IsString(json) ? json->valuestring : "";
    bool back = *text == '-';
    if (aq_units_duration(text + back, &span_us) || span_us == 0)
        return aq_reader_wrong(r, json,
                               "a duration other than 0, forward or back, such as \"30s\" or \"-10s\"");
    int64_t jump_us = back ? -(int64_t)span_us : (int64_t)span_us;
    memcpy(at, &jump_us, sizeof jump_us);
    return 0;
}

int aq_read_rate(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    double per_s;
    if (!cJSON_IsString(json) || aq_units_rate(json->valuestring, &per_s) || !(per_s > 0) || per_s > key->max)
        return aq_reader_wrong(r, json, "a rate such as \"2000/s\" (units /s, /m, /h), above 0 to %.0f/s",
                               key->max);
    memcpy(at, &per_s, sizeof per_s);
    return 0;
}

/* ---- distributions ---- */

static const struct aq_key part_key = {.type = AQ_KEY_SPAN};

static int read_part(struct aq_reader *r, const cJSON *json, double *out_us) {
    aq_time_us span_us;
    int rc = aq_read_span(r, &part_key, json, (char *)&span_us);
    if (rc == 0) *out_us = (double)span_us;
    return rc;
}

struct aq_parts {
    aq_time_us low_us, high_us;
};

#define PART(name, field)                                                                                    \
    { name, AQ_KEY_SPAN, offsetof(struct aq_parts, field), .required = true }
static const struct aq_key lognormal_keys[] = {PART("median", low_us), PART("p99", high_us)};
static const struct aq_key pareto_keys[] = {PART("min", low_us), PART("p99", high_us)};
static const struct aq_object lognormal_object = {"lognormal", lognormal_keys, 2};
static const struct aq_object pareto_object = {"pareto", pareto_keys, 2};

static int read_parts(struct aq_reader *r, const cJSON *json, const struct aq_object *object,
                      struct aq_distribution *d) {
    struct aq_parts parts = {0, 0};
    int rc = aq_reader_object(r, json, object, &parts, NULL);
    d->a_us = (double)parts.low_us;
    d->b_us = (double)parts.high_us;
    return rc;
}

static int read_uniform(struct aq_reader *r, const cJSON *json, struct aq_distribution *d) {
    if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) != 2)
        return aq_reader_wrong(r, json, "a list of two durations, the shorter one first");
    size_t length = aq_reader_enter_item(r, 0);
    int rc = read_part(r, json->child, &d->a_us);
    if (rc) return rc;
    aq_reader_leave(r, length);
    length = aq_reader_enter_item(r, 1);
    rc = read_part(r, json->child->next, &d->b_us);
    if (rc == 0) aq_reader_leave(r, length);
    return rc;
}

/* Durations at evenly spaced probabilities. */
static int read_quantiles(struct aq_reader *r, const cJSON *json, struct aq_distribution *d) {
    int count = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    if (count < 2 || count > AQ_QUANTILES_MAX)
        return aq_reader_wrong(r, json, "a list of 2 to %d durations, from the least to the greatest",
                               AQ_QUANTILES_MAX);
    double *table = aq_reader_table(r, (size_t)count, sizeof *table);
    if (!table) return aq_reader_nomem(r);
    int i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        int rc = read_part(r, item, &table[i]);
        if (rc) return rc;
        if (i && table[i] < table[i - 1])
            return aq_reader_wrong(r, item, "a duration that is not below the one before it");
        aq_reader_leave(r, length);
        i++;
    }
    d->quantiles_us = table;
    d->quantile_count = (uint32_t)count;
    return 0;
}

static int read_shape(struct aq_reader *r, const cJSON *json, struct aq_distribution *d) {
    static const char *const words[] = {"exp", "uniform", "lognormal", "pareto", "quantiles"};
    static const enum aq_distribution_kind kinds[] = {AQ_DISTRIBUTION_EXPONENTIAL, AQ_DISTRIBUTION_UNIFORM,
                                                      AQ_DISTRIBUTION_LOGNORMAL, AQ_DISTRIBUTION_PARETO,
                                                      AQ_DISTRIBUTION_EMPIRICAL};
    static const char *const bounds[] = {"a duration", "the shorter duration first",
                                         "a median above 0 and a p99 that is not below it",
                                         "a min above 0 and a p99 above it", "durations in ascending order"};
    size_t which = 0;
    const cJSON *value = NULL;
    int rc = aq_reader_choice(r, json, "distribution", words, 5, &which, &value);
    if (rc) return rc;
    size_t length = aq_reader_enter(r, words[which]);
    d->kind = kinds[which];
    switch (d->kind) {
    case AQ_DISTRIBUTION_UNIFORM: rc = read_uniform(r, value, d); break;
    case AQ_DISTRIBUTION_LOGNORMAL: rc = read_parts(r, value, &lognormal_object, d); break;
    case AQ_DISTRIBUTION_PARETO: rc = read_parts(r, value, &pareto_object, d); break;
    case AQ_DISTRIBUTION_EMPIRICAL: rc = read_quantiles(r, value, d); break;
    default: rc = read_part(r, value, &d->a_us);
    }
    if (rc) return rc;
    if (aq_distribution_prepare(d)) {
        char low[40], high[40];
        return aq_reader_fail(r, AQ_EINVALID, "found %s and %s, allowed is %s",
                              aq_units_format_span(low, sizeof low, (aq_time_us)d->a_us),
                              aq_units_format_span(high, sizeof high, (aq_time_us)d->b_us), bounds[which]);
    }
    aq_reader_leave(r, length);
    return 0;
}

int aq_read_distribution(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_distribution d = AQ_CONSTANT_US(0);
    int rc;
    if (cJSON_IsObject(json))
        rc = read_shape(r, json, &d);
    else if (cJSON_IsString(json))
        rc = read_part(r, json, &d.a_us);
    else
        return aq_reader_wrong(
            r, json,
            "a duration such as \"20ms\", or one of {\"exp\": ..}, {\"uniform\": [.., ..]}, "
            "{\"lognormal\": {\"median\": .., \"p99\": ..}}, {\"pareto\": {\"min\": .., \"p99\": ..}}, {\"quantiles\": [.., ..]}");
    if (rc) return rc;
    if (key->above && !(aq_distribution_mean_us(&d) > key->min))
        return aq_reader_wrong(r, json, "a time with a mean above 0");
    memcpy(at, &d, sizeof d);
    return 0;
}

/* ---- words ---- */

static int find_word(struct aq_reader *r, const struct aq_words *words, const cJSON *json, uint32_t *index) {
    if (cJSON_IsString(json) && aq_words_find(words, json->valuestring, index)) return 0;
    if (cJSON_IsString(json))
        return aq_reader_unknown(r, "word", json->valuestring, words->list, words->count);
    return aq_reader_wrong(r, json, "one word in double quotes, such as \"%s\"", words->list[0]);
}

int aq_read_word(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    uint32_t index = 0;
    int rc = find_word(r, key->words, json, &index);
    if (rc == 0) memcpy(at, &index, sizeof index);
    return rc;
}

int aq_read_flag_word(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    uint32_t index = 0;
    int rc = find_word(r, key->words, json, &index);
    bool value = index == 1;
    if (rc == 0) memcpy(at, &value, sizeof value);
    return rc;
}

int aq_read_word_bits(struct aq_reader *r, const struct aq_words *words, const cJSON *json, uint32_t *out) {
    if (!cJSON_IsArray(json) || !json->child)
        return aq_reader_wrong(r, json, "a list of one word or more, such as [\"%s\"]", words->list[0]);
    uint32_t bits = 0;
    int at = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        uint32_t index = 0;
        size_t length = aq_reader_enter_item(r, at++);
        int rc = find_word(r, words, item, &index);
        if (rc) return rc;
        if (bits >> index & 1)
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" is there twice", words->list[index]);
        bits |= UINT32_C(1) << index;
        aq_reader_leave(r, length);
    }
    *out = bits;
    return 0;
}

int aq_read_actions(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    uint32_t bits;
    int rc = aq_read_word_bits(r, key->words, json, &bits);
    if (rc == 0) memcpy(at, &bits, sizeof bits);
    return rc;
}

int aq_read_on(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_fault_spec *fault = (struct aq_fault_spec *)at;
    uint32_t index = 0;
    int rc = find_word(r, key->words, json, &index);
    if (rc) return rc;
    fault->on_event = true;
    fault->on = (enum aq_tap_kind)index;
    return 0;
}
