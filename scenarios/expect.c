/* The readers of what a run is expected to show. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "scenarios/reader.h"
#include "scenarios/scenario.h"

/* A number, or the least and the greatest. */
static int read_range(struct aq_reader *r, const cJSON *json, struct aq_expected_figure *figure) {
    const cJSON *low = json, *high = json;
    if (cJSON_IsArray(json) && cJSON_GetArraySize(json) == 2 && !figure->exact) {
        low = json->child;
        high = low->next;
    }
    if (!cJSON_IsNumber(low) || !cJSON_IsNumber(high))
        return aq_reader_wrong(
            r, json, figure->exact ? "a number" : "a number, or a list of the least and the greatest");
    if (low->valuedouble > high->valuedouble)
        return aq_reader_fail(r, AQ_EINVALID, "found %.15g before %.15g, allowed is the lesser number first",
                              low->valuedouble, high->valuedouble);
    figure->min = low->valuedouble;
    figure->max = high->valuedouble;
    return 0;
}

/* "GROUP.NAME": the groups are known here, the names in them only where the figures are made. */
static int check_name(struct aq_reader *r, const char *name) {
    const char *dot = strchr(name, '.');
    char group[40];
    uint32_t index;
    if (!dot || dot == name || !dot[1] || strlen(name) > AQ_FIGURE_NAME_MAX)
        return aq_reader_fail(r, AQ_EINVALID,
                              "the name of a figure is GROUP.NAME, such as \"jobs.lost_declared\"");
    snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
    if (aq_words_find(&aq_words_figure_groups, group, &index)) return 0;
    return aq_reader_unknown(r, "group of figures", group, aq_words_figure_groups.list,
                             aq_words_figure_groups.count);
}

static int keep_name(struct aq_reader *r, const char *name, struct aq_expected_figure *figure) {
    size_t size = strlen(name) + 1;
    int rc = check_name(r, name);
    if (rc) return rc;
    figure->name = aq_alloc(size);
    if (!figure->name) return aq_reader_nomem(r);
    memcpy(figure->name, name, size);
    return 0;
}

/* Adds the members of an object to the list. What was read belongs to the expectation also after a failure.
 */
static int read_figures(struct aq_reader *r, const cJSON *json, bool exact,
                        struct aq_expectation *expectation) {
    if (!cJSON_IsObject(json) || !json->child)
        return aq_reader_wrong(r, json, "an object of figures, such as {\"jobs.lost_declared\": 0}");
    size_t count = expectation->figure_count + (size_t)cJSON_GetArraySize(json);
    struct aq_expected_figure *figures =
        aq_realloc(expectation->figures, count * sizeof *expectation->figures);
    if (!figures) return aq_reader_nomem(r);
    expectation->figures = figures;
    const cJSON *member;
    cJSON_ArrayForEach(member, json) {
        struct aq_expected_figure *figure = &figures[expectation->figure_count];
        *figure = (struct aq_expected_figure){.exact = exact};
        size_t length = aq_reader_enter(r, member->string);
        int rc = keep_name(r, member->string, figure);
        if (rc) return rc;
        expectation->figure_count++;
        rc = read_range(r, member, figure);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

static int read_part(struct aq_reader *r, const cJSON *part, struct aq_expectation *expectation) {
    static const char *const words[] = {"caught", "figures", "exact", "sometimes"};
    if (strcmp(part->string, words[0]) == 0)
        return aq_read_word_bits(r, &aq_words_checks, part, &expectation->caught);
    if (strcmp(part->string, words[1]) == 0) return read_figures(r, part, false, expectation);
    if (strcmp(part->string, words[2]) == 0) return read_figures(r, part, true, expectation);
    if (strcmp(part->string, words[3]) == 0)
        return aq_read_word_bits(r, &aq_words_checks, part, &expectation->sometimes);
    return aq_reader_unknown(r, "key", part->string, words, 4);
}

int aq_read_expectation(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_expectation *expectation = (struct aq_expectation *)at;
    (void)key;
    expectation->given = true;
    if (cJSON_IsString(json) && strcmp(json->valuestring, "pass") == 0) return 0;
    if (!cJSON_IsObject(json) || !json->child)
        return aq_reader_wrong(r, json,
                               "\"pass\", or an object with caught, sometimes, figures or exact, such as "
                               "{\"caught\": [names of the checks that must fail]}");
    const cJSON *part;
    cJSON_ArrayForEach(part, json) {
        for (const cJSON *other = json->child; other != part; other = other->next)
            if (strcmp(other->string, part->string) == 0)
                return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", part->string);
        size_t length = aq_reader_enter(r, part->string);
        int rc = read_part(r, part, expectation);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}
