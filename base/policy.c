#include "base/policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/units.h"

const struct aq_policy_field *aq_policy_find(const struct aq_policy_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].name, name) == 0) return &table->fields[i];
    return NULL;
}

static int parse_count(const char *text, uint32_t *out) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX) return AQ_EPARSE;
    *out = (uint32_t)value;
    return 0;
}

static int parse_word(const char *text, const char *const *words, uint32_t *out) {
    for (uint32_t i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return 0;
        }
    return AQ_EPARSE;
}

static int set_field(const struct aq_policy_field *field, char *at, const char *value) {
    switch (field->type) {
    case AQ_POLICY_BOOL: {
        bool yes = strcmp(value, "true") == 0;
        if (!yes && strcmp(value, "false") != 0) return AQ_EPARSE;
        memcpy(at, &yes, sizeof yes);
        return 0;
    }
    case AQ_POLICY_SPAN: {
        aq_time_us span_us = AQ_TIME_NEVER;
        if (strcmp(value, "never") != 0 && aq_units_duration(value, &span_us)) return AQ_EPARSE;
        memcpy(at, &span_us, sizeof span_us);
        return 0;
    }
    case AQ_POLICY_COUNT: {
        uint32_t count;
        if (parse_count(value, &count)) return AQ_EPARSE;
        memcpy(at, &count, sizeof count);
        return 0;
    }
    case AQ_POLICY_WORD: {
        uint32_t word;
        if (parse_word(value, field->words, &word)) return AQ_EPARSE;
        memcpy(at, &word, sizeof word);
        return 0;
    }
    }
    return AQ_EINVALID;
}

const char *aq_policy_allowed(const struct aq_policy_field *field, char *text, size_t size) {
    static const char *const by_type[] = {
        [AQ_POLICY_BOOL] = "true or false",
        [AQ_POLICY_SPAN] = "a duration such as \"250ms\", or \"never\"",
        [AQ_POLICY_COUNT] = "a whole number",
    };
    size_t used = 0;
    if (field->type != AQ_POLICY_WORD) snprintf(text, size, "%s", by_type[field->type]);
    for (uint32_t i = 0; field->type == AQ_POLICY_WORD && field->words[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", field->words[i]);
    return text;
}

int aq_policy_set(const struct aq_policy_table *table, void *policy, const char *name, const char *value,
                  struct aq_error *error) {
    const struct aq_policy_field *field = aq_policy_find(table, name);
    if (!field) return aq_error_set(error, AQ_ENOENT, "no policy is called \"%s\"", name);
    int rc = set_field(field, (char *)policy + field->offset, value);
    if (!rc) return 0;
    char allowed[200];
    return aq_error_set(error, rc, "policy %s: found \"%s\", allowed is %s", name, value,
                        aq_policy_allowed(field, allowed, sizeof allowed));
}

const char *aq_policy_format(const struct aq_policy_field *field, const void *policy, char *text,
                             size_t size) {
    const char *at = (const char *)policy + field->offset;
    bool yes;
    aq_time_us span_us;
    uint32_t count;
    switch (field->type) {
    case AQ_POLICY_BOOL:
        memcpy(&yes, at, sizeof yes);
        snprintf(text, size, "%s", yes ? "true" : "false");
        break;
    case AQ_POLICY_SPAN:
        memcpy(&span_us, at, sizeof span_us);
        if (span_us == AQ_TIME_NEVER)
            snprintf(text, size, "never");
        else
            snprintf(text, size, "%lluus", (unsigned long long)span_us);
        break;
    case AQ_POLICY_COUNT:
        memcpy(&count, at, sizeof count);
        snprintf(text, size, "%u", count);
        break;
    case AQ_POLICY_WORD:
        memcpy(&count, at, sizeof count);
        snprintf(text, size, "%s", field->words[count]);
        break;
    }
    return text;
}
