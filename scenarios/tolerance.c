#include "scenarios/tolerance.h"

#include <string.h>

#include "base/memory.h"
#include "scenarios/file.h"
#include "scenarios/reader.h"

#define RULES_MAX  1000
#define NAME_BYTES 200

/* What depends on the order of events varies from seed to seed: such figures get room; what must not be at
 * all gets none. */
const char aq_tolerance_standard[] =
    "{\n"
    "  \"verdicts\": \"not_worse\",\n"
    "  \"missing\": \"broken\",\n"
    "  \"figures\": [\n"
    "    {\"figure\": \"jobs.unexplained\", \"worse\": \"higher\"},\n"
    "    {\"figure\": \"jobs.completed\", \"worse\": \"lower\", \"relative\": 0.05, \"absolute\": 5},\n"
    "    {\"figure\": \"jobs.executed_again\", \"worse\": \"higher\", \"relative\": 0.25, \"absolute\": 10},\n"
    "    {\"figure\": \"completions.unknown\", \"worse\": \"higher\", \"relative\": 0.25, \"absolute\": 10},\n"
    "    {\"figure\": \"latency.*.p50_s\", \"worse\": \"higher\", \"relative\": 0.1, \"absolute\": 0.001},\n"
    "    {\"figure\": \"latency.*.p99_s\", \"worse\": \"higher\", \"relative\": 0.25, \"absolute\": 0.005},\n"
    "    {\"figure\": \"failover.p99_s\", \"worse\": \"higher\", \"relative\": 0.25, \"absolute\": 0.1}\n"
    "  ]\n"
    "}\n";

static const struct aq_words words_worse = {(const char *const[]){"higher", "lower", "either", "never"}, 4};
static const struct aq_words words_verdicts = {(const char *const[]){"not_worse", "any"}, 2};
static const struct aq_words words_missing = {(const char *const[]){"broken", "allowed"}, 2};

#define ROW(owner, key, sort, preset, ...)                                                                   \
    {                                                                                                        \
        .name = #key, .type = AQ_KEY_##sort, .offset = offsetof(struct owner, key), .standard = preset,      \
        __VA_ARGS__                                                                                          \
    }

static const struct aq_key rule_keys[] = {
    ROW(aq_tolerance_rule, figure, TEXT, NULL, .min = 1, .max = NAME_BYTES, .required = true),
    ROW(aq_tolerance_rule, scenario, TEXT, NULL, .min = 1, .max = NAME_BYTES),
    ROW(aq_tolerance_rule, worse, WORD, "\"either\"", .words = &words_worse),
    ROW(aq_tolerance_rule, relative, NUMBER, "0"),
    ROW(aq_tolerance_rule, absolute, NUMBER, "0"),
    ROW(aq_tolerance_rule, beyond_noise, BOOL, "true"),
};
static const struct aq_object rule_object = {"figures", rule_keys, sizeof rule_keys / sizeof *rule_keys};

static const struct aq_key verdicts_key = {.type = AQ_KEY_FLAG_WORD, .words = &words_verdicts};
static const struct aq_key missing_key = {.type = AQ_KEY_FLAG_WORD, .words = &words_missing};

static int read_rules(struct aq_reader *r, const cJSON *json, struct aq_tolerance *t) {
    static const struct aq_key list = {.max = RULES_MAX};
    const cJSON *item;
    int i = 0, rc = aq_reader_list(r, &list, json, "rules", sizeof *t->rules, &t->rules, &t->rule_count);
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_reader_object(r, item, &rule_object, &t->rules[i++], NULL);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

static int read_member(struct aq_reader *r, const cJSON *member, struct aq_tolerance *t) {
    static const char *const known[] = {"$schema", "notes", "verdicts", "missing", "figures"};
    const char *name = member->string;
    if (strcmp(name, "$schema") == 0 || strcmp(name, "notes") == 0)
        return aq_read_ignored(r, NULL, member, NULL);
    if (strcmp(name, "verdicts") == 0) return aq_reader_value(r, &verdicts_key, member, &t->any_verdict);
    if (strcmp(name, "missing") == 0) return aq_reader_value(r, &missing_key, member, &t->may_miss);
    if (strcmp(name, "figures") == 0) return read_rules(r, member, t);
    return aq_reader_unknown(r, "key", name, known, sizeof known / sizeof *known);
}

static int read_members(struct aq_reader *r, const cJSON *tree, struct aq_tolerance *t) {
    const cJSON *member, *other;
    if (!cJSON_IsObject(tree)) return aq_reader_wrong(r, tree, "an object: tolerances stand in { }");
    cJSON_ArrayForEach(member, tree) {
        size_t length = aq_reader_enter(r, member->string);
        for (other = tree->child; other != member; other = other->next)
            if (strcmp(other->string, member->string) == 0)
                return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", member->string);
        int rc = read_member(r, member, t);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

static int read_standard(cJSON **tree, struct aq_error *error) {
    struct aq_tree_fault fault;
    aq_tree_begin();
    int rc = aq_tree_parse(aq_tolerance_standard, strlen(aq_tolerance_standard), tree, &fault);
    return rc ? aq_error_set(error, rc, "out of memory") : 0;
}

int aq_tolerance_load(const char *path, struct aq_tolerance **out, struct aq_error *error) {
    struct aq_reader reader = {.name = path ? path : "the standard tolerance", .error = error};
    cJSON *tree = NULL;
    int rc = path ? aq_file_read_tree(path, &tree, error) : read_standard(&tree, error);
    if (rc) return rc;
    struct aq_tolerance *tolerance = aq_alloc_zeroed(1, sizeof *tolerance);
    rc = tolerance ? read_members(&reader, tree, tolerance) : aq_reader_nomem(&reader);
    cJSON_Delete(tree);
    if (rc)
        aq_tolerance_free(tolerance);
    else
        *out = tolerance;
    return rc;
}

void aq_tolerance_free(struct aq_tolerance *tolerance) {
    if (!tolerance) return;
    for (uint32_t i = 0; i < tolerance->rule_count; i++) {
        aq_free(tolerance->rules[i].figure);
        aq_free(tolerance->rules[i].scenario);
    }
    aq_free(tolerance->rules);
    aq_free(tolerance);
}

/* A star stands for any characters. Tries again from the last star only, so that it takes no longer than the
   product of the lengths. */
static bool fits(const char *pattern, const char *text) {
    const char *star = NULL, *again = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

const struct aq_tolerance_rule *aq_tolerance_rule_of(const struct aq_tolerance *tolerance,
                                                     const char *scenario, const char *figure) {
    for (uint32_t i = 0; i < tolerance->rule_count; i++) {
        const struct aq_tolerance_rule *rule = &tolerance->rules[i];
        if (fits(rule->figure, figure) && (!rule->scenario || fits(rule->scenario, scenario))) return rule;
    }
    return NULL;
}
