/* The JSON Schema (draft 7) of scenario files, made from the tables of keys. It is as strict as a schema can
   be: sums, orders and indexes are left to the loader. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/memory.h"
#include "scenarios/draw_check.h"
#include "scenarios/tree.h"
#include "scenarios/keys.h"
#include "scenarios/load.h"

#define PATTERN_BYTES    1000 /* the names of all keys of the file */
#define NUMBER_PATTERN   "[0-9]+([.][0-9]*)?"
#define ADDRESS_PATTERN  "[A-Za-z0-9_.-]+(:[0-9]+)?"
#define DURATION_PATTERN "(0|" NUMBER_PATTERN "(us|ms|s|m|h|d))"

static cJSON *object_schema(const struct aq_object *object);

/* ---- pieces ---- */

static cJSON *typed(const char *type) {
    cJSON *schema = cJSON_CreateObject();
    aq_tree_add(schema, "type", cJSON_CreateString(type));
    return schema;
}

static cJSON *patterned(const char *pattern) {
    cJSON *schema = typed("string");
    aq_tree_add(schema, "pattern", cJSON_CreateString(pattern));
    return schema;
}

/* {"allOf": [{"$ref": ..}]}: beside a plain $ref, draft 7 ignores all other keywords. */
static cJSON *referred(const char *where) {
    cJSON *schema = cJSON_CreateObject(), *ref = cJSON_CreateObject();
    aq_tree_add(ref, "$ref", cJSON_CreateString(where));
    aq_tree_append(aq_tree_add(schema, "allOf", cJSON_CreateArray()), ref);
    return schema;
}

static cJSON *words_array(const char *const *words, uint32_t count) {
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < count; i++)
        aq_tree_append(list, cJSON_CreateString(words[i]));
    return list;
}

static cJSON *one_of_words(const struct aq_words *words) {
    cJSON *schema = cJSON_CreateObject();
    aq_tree_add(schema, "enum", words_array(words->list, words->count));
    return schema;
}

static cJSON *constant(const char *word) {
    cJSON *schema = cJSON_CreateObject();
    aq_tree_add(schema, "const", cJSON_CreateString(word));
    return schema;
}

static cJSON *array_of(cJSON *items, double least, double most, bool unique) {
    cJSON *schema = typed("array");
    aq_tree_add(schema, "items", items);
    if (least > 0) aq_tree_add(schema, "minItems", cJSON_CreateNumber(least));
    if (most > 0) aq_tree_add(schema, "maxItems", cJSON_CreateNumber(most));
    if (unique) aq_tree_add(schema, "uniqueItems", cJSON_CreateBool(true));
    return schema;
}

/* {word: value} and nothing else. */
static cJSON *choice(const char *word, cJSON *value) {
    cJSON *schema = typed("object");
    aq_tree_add(aq_tree_add(schema, "properties", cJSON_CreateObject()), word, value);
    aq_tree_add(schema, "required", words_array(&word, 1));
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *range(cJSON *schema, const struct aq_key *key) {
    aq_tree_add(schema, key->above ? "exclusiveMinimum" : "minimum", cJSON_CreateNumber(key->min));
    if (key->max > 0) aq_tree_add(schema, "maximum", cJSON_CreateNumber(key->max));
    return schema;
}

/* The words of a list separated by blanks, as an array. */
static cJSON *listed(cJSON *into, const char *list) {
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, " ");
        char word[40];
        AQ_ASSERT(length < sizeof word);
        memcpy(word, at, length);
        word[length] = 0;
        aq_tree_append(into, cJSON_CreateString(word));
        at += length + (at[length] == ' ');
    }
    return into;
}

/* ---- one function a type, where it takes more than a line ---- */

static cJSON *text_schema(const struct aq_key *key) {
    cJSON *schema = typed("string");
    if (key->min > 0) aq_tree_add(schema, "minLength", cJSON_CreateNumber(key->min));
    aq_tree_add(schema, "maxLength", cJSON_CreateNumber(key->max));
    return schema;
}

static cJSON *service_schema(void) {
    static const struct aq_key path = {.min = 1, .max = 4096};
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, choice("empirical", text_schema(&path)));
    cJSON *object = aq_tree_append(forms, typed("object"));
    cJSON *members = aq_tree_add(object, "properties", cJSON_CreateObject());
    aq_tree_add(members, "default", referred("#/definitions/distribution"));
    for (uint32_t i = 0; i < aq_words_server_actions.count; i++)
        aq_tree_add(members, aq_words_server_actions.list[i], referred("#/definitions/distribution"));
    aq_tree_add(object, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *pair_schema(const struct aq_key *key) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, range(typed("integer"), key));
    aq_tree_append(forms, array_of(range(typed("integer"), key), 2, 2, false));
    return schema;
}

static cJSON *rate_schema(void) {
    return patterned("^" NUMBER_PATTERN "/(s|m|h)$");
}

static cJSON *arrivals_schema(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    cJSON *bursts = typed("object"), *members = aq_tree_add(bursts, "properties", cJSON_CreateObject());
    static const struct aq_key jobs = {.min = 1, .max = 1e7};
    aq_tree_add(members, "rate", rate_schema());
    aq_tree_add(members, "jobs", range(typed("integer"), &jobs));
    listed(aq_tree_add(bursts, "required", cJSON_CreateArray()), "rate jobs");
    aq_tree_add(bursts, "additionalProperties", cJSON_CreateBool(false));
    aq_tree_append(forms, constant("none"));
    aq_tree_append(forms, choice("poisson", rate_schema()));
    aq_tree_append(forms, choice("constant", rate_schema()));
    aq_tree_append(forms, choice("bursts", bursts));
    return schema;
}

static cJSON *one_of(const char *const *words) {
    cJSON *schema = cJSON_CreateObject(), *list = aq_tree_add(schema, "enum", cJSON_CreateArray());
    for (; *words; words++)
        aq_tree_append(list, cJSON_CreateString(*words));
    return schema;
}

static cJSON *policy_schema(const struct aq_policy_table *table) {
    cJSON *schema = typed("object"), *members = aq_tree_add(schema, "properties", cJSON_CreateObject());
    for (size_t i = 0; i < table->count; i++) {
        const struct aq_policy_field *field = &table->fields[i];
        const struct aq_key count = {.max = UINT32_MAX};
        cJSON *member = field->type == AQ_POLICY_BOOL    ? typed("boolean")
                        : field->type == AQ_POLICY_COUNT ? range(typed("integer"), &count)
                        : field->type == AQ_POLICY_WORD  ? one_of(field->words)
                                                         : patterned("^(never|" DURATION_PATTERN ")$");
        aq_tree_add(member, "description", cJSON_CreateString(field->text));
        aq_tree_add(members, field->name, member);
    }
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *figure_name_schema(void) {
    char pattern[400] = "^(";
    for (uint32_t i = 0; i < aq_words_figure_groups.count; i++) {
        size_t used = strlen(pattern);
        int more = snprintf(pattern + used, sizeof pattern - used, "%s%s", i ? "|" : "",
                            aq_words_figure_groups.list[i]);
        AQ_ASSERT(more > 0 && (size_t)more < sizeof pattern - used - sizeof ")[.].+$");
    }
    strcat(pattern, ")[.].+$");
    cJSON *schema = patterned(pattern);
    aq_tree_add(schema, "maxLength", cJSON_CreateNumber(AQ_FIGURE_NAME_MAX));
    return schema;
}

/* An object of numbers, or of ranges as well. */
static cJSON *figures_schema(bool ranges) {
    cJSON *schema = typed("object"), *number = typed("number");
    aq_tree_add(schema, "minProperties", cJSON_CreateNumber(1));
    aq_tree_add(schema, "propertyNames", figure_name_schema());
    if (!ranges) {
        aq_tree_add(schema, "additionalProperties", number);
        return schema;
    }
    cJSON *forms = aq_tree_add(aq_tree_add(schema, "additionalProperties", cJSON_CreateObject()), "oneOf",
                               cJSON_CreateArray());
    aq_tree_append(forms, number);
    aq_tree_append(forms, array_of(typed("number"), 2, 2, false));
    return schema;
}

static cJSON *expectation_schema(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, constant("pass"));
    cJSON *parts = aq_tree_append(forms, typed("object"));
    cJSON *members = aq_tree_add(parts, "properties", cJSON_CreateObject());
    aq_tree_add(members, "caught", array_of(one_of_words(&aq_words_checks), 1, 0, true));
    aq_tree_add(members, "sometimes", array_of(one_of_words(&aq_words_checks), 1, 0, true));
    aq_tree_add(members, "figures", figures_schema(true));
    aq_tree_add(members, "exact", figures_schema(false));
    aq_tree_add(parts, "additionalProperties", cJSON_CreateBool(false));
    aq_tree_add(parts, "minProperties", cJSON_CreateNumber(1));
    return schema;
}

/* "then": only these keys, and these are needed. */
static cJSON *keys_schema(const char *allowed, const char *also, const char *required) {
    cJSON *schema = cJSON_CreateObject(), *names = cJSON_CreateObject();
    listed(listed(aq_tree_add(names, "enum", cJSON_CreateArray()), allowed), also);
    aq_tree_add(schema, "propertyNames", names);
    if (required) listed(aq_tree_add(schema, "required", cJSON_CreateArray()), required);
    return schema;
}

static cJSON *requires(const char *list) {
    cJSON *schema = cJSON_CreateObject();
    listed(aq_tree_add(schema, "required", cJSON_CreateArray()), list);
    return schema;
}

static cJSON *excludes(const char *list) {
    cJSON *schema = cJSON_CreateObject();
    aq_tree_add(schema, "not", requires(list));
    return schema;
}

static cJSON *burst_schema(void) {
    const struct aq_fault_keys *row = &aq_fault_keys[AQ_FAULT_BURST];
    cJSON *schema = keys_schema(AQ_FAULT_COMMON_KEYS, row->keys, row->required);
    cJSON *ways = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    cJSON *count = requires("count");
    aq_tree_add(count, "not", requires("for"));
    aq_tree_append(ways, count);
    aq_tree_append(ways, requires("factor"));
    return schema;
}

/* A fault's keys hang on its kind, and on one another. */
static cJSON *fault_schema(const struct aq_object *object) {
    cJSON *schema = object_schema(object), *all = aq_tree_add(schema, "allOf", cJSON_CreateArray());
    cJSON *when = cJSON_CreateObject(), *ways = aq_tree_add(when, "anyOf", cJSON_CreateArray());
    aq_tree_append(ways, requires("at"));
    aq_tree_append(ways, requires("on"));
    aq_tree_append(all, when);
    aq_tree_append(all, excludes("nth probability"));
    for (int kind = 0; kind < AQ_FAULT_KIND_COUNT; kind++) {
        const struct aq_fault_keys *row = &aq_fault_keys[kind];
        cJSON *rule = aq_tree_append(all, cJSON_CreateObject());
        cJSON *condition = aq_tree_add(rule, "if", requires("kind"));
        aq_tree_add(aq_tree_add(condition, "properties", cJSON_CreateObject()), "kind",
                    constant(aq_words_faults.list[kind]));
        aq_tree_add(rule, "then",
                    kind == AQ_FAULT_BURST ? burst_schema()
                                           : keys_schema(AQ_FAULT_COMMON_KEYS, row->keys, row->required));
    }
    return schema;
}

/* A command's keys hang on its action. */
static cJSON *command_schema(const struct aq_object *object) {
    cJSON *schema = object_schema(object), *all = aq_tree_add(schema, "allOf", cJSON_CreateArray());
    cJSON *times = cJSON_CreateObject();
    cJSON *needs = aq_tree_add(times, "dependencies", cJSON_CreateObject());
    listed(aq_tree_add(needs, "times", cJSON_CreateArray()), "every");
    aq_tree_append(all, times);
    for (int kind = 0; kind < AQ_COMMAND_KIND_COUNT; kind++) {
        const struct aq_command_keys *row = &aq_command_keys[kind];
        cJSON *rule = aq_tree_append(all, cJSON_CreateObject());
        cJSON *condition = aq_tree_add(rule, "if", requires("action"));
        aq_tree_add(aq_tree_add(condition, "properties", cJSON_CreateObject()), "action",
                    constant(aq_words_commands.list[kind]));
        aq_tree_add(rule, "then", keys_schema(AQ_COMMAND_COMMON_KEYS, row->keys, row->required));
    }
    return schema;
}

static cJSON *slo_schema(const struct aq_object *object) {
    cJSON *schema = object_schema(object), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    for (size_t i = 0; i < sizeof aq_slo_forms / sizeof *aq_slo_forms; i++)
        aq_tree_append(forms, keys_schema(aq_slo_forms[i], NULL, aq_slo_forms[i]));
    return schema;
}

static cJSON *name_schema(const char *signs, double most) {
    char pattern[100];
    snprintf(pattern, sizeof pattern, "^[A-Za-z0-9%s]{1,%.0f}$", signs, most);
    return patterned(pattern);
}

static cJSON *tube_schema(double most) {
    return name_schema("_.:/\\u0080-\\uffff-", most);
}

static cJSON *bytes_schema(const struct aq_key *key) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, range(typed("integer"), key));
    aq_tree_append(forms, patterned("^" NUMBER_PATTERN "(B|kB|KiB|MB|MiB)$"));
    return schema;
}

static cJSON *ignored_schema(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, typed("string"));
    aq_tree_append(forms, array_of(typed("string"), 0, 0, false));
    return schema;
}

static cJSON *indexes_schema(const struct aq_key *key) {
    static const struct aq_key index = {.max = UINT32_MAX};
    return array_of(range(typed("integer"), &index), 1, key ? key->max : 0, true);
}

static cJSON *pair_of(cJSON *items) {
    return array_of(items, 2, 2, false);
}

/* Two numbers, durations or rates. */
static cJSON *range_schema(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "anyOf", cJSON_CreateArray());
    aq_tree_append(forms, pair_of(typed("number")));
    aq_tree_append(forms, pair_of(patterned("^" DURATION_PATTERN "$")));
    aq_tree_append(forms, pair_of(rate_schema()));
    return schema;
}

/* Values, or null for leaving the key out. */
static cJSON *any_of_schema(void) {
    cJSON *item = cJSON_CreateObject(), *forms = aq_tree_add(item, "anyOf", cJSON_CreateArray());
    aq_tree_append(forms, typed("null"));
    aq_tree_append(forms, referred("#/definitions/drawn"));
    return array_of(item, 1, 0, false);
}

static cJSON *draw_body_schema(enum aq_draw_kind kind) {
    static const struct aq_key part = {.max = 1};
    switch (kind) {
    case AQ_DRAW_RANGE:
    case AQ_DRAW_LOG_RANGE: return range_schema();
    case AQ_DRAW_ANY_OF: return any_of_schema();
    case AQ_DRAW_CHANCE: return range(typed("number"), &part);
    case AQ_DRAW_SHARE: return pair_of(range(typed("number"), &part));
    case AQ_DRAW_INDEX:
    case AQ_DRAW_SUBSET: return one_of_words(&aq_words_drawn);
    case AQ_DRAW_COUNT: break;
    }
    AQ_ASSERT(!"a draw");
    return NULL;
}

/* A value with draws in it: a plain one, a draw, or a list or an object of these. */
static cJSON *drawn_definition(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "anyOf", cJSON_CreateArray());
    static const char *const plain[] = {"string", "number", "boolean"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        aq_tree_append(forms, typed(plain[i]));
    aq_tree_append(forms, array_of(referred("#/definitions/drawn"), 0, 0, false));
    for (int kind = 0; kind < AQ_DRAW_COUNT; kind++)
        aq_tree_append(forms, choice(aq_words_draws.list[kind], draw_body_schema((enum aq_draw_kind)kind)));
    cJSON *object = aq_tree_append(forms, typed("object")), *names = cJSON_CreateObject();
    aq_tree_add(names, "not", one_of_words(&aq_words_draws));
    aq_tree_add(object, "propertyNames", names);
    aq_tree_add(object, "additionalProperties", referred("#/definitions/drawn"));
    return schema;
}

/* Paths that begin with a key of the file which may be drawn. */
static const char *settings_pattern(char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "^(");
    for (size_t i = 0; i < aq_object_scenario.count; i++) {
        const char *name = aq_object_scenario.keys[i].name;
        if (*name == '$' || aq_key_listed(AQ_NOT_DRAWN_KEYS, name)) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", out[used - 1] == '(' ? "" : "|", name);
        AQ_ASSERT(used < size);
    }
    snprintf(out + used, size - used, ")([.][A-Za-z0-9_]+)*$");
    return out;
}

static cJSON *drawn_settings_schema(void) {
    char pattern[PATTERN_BYTES];
    cJSON *schema = typed("object"),
          *patterns = aq_tree_add(schema, "patternProperties", cJSON_CreateObject());
    aq_tree_add(patterns, settings_pattern(pattern, sizeof pattern), referred("#/definitions/drawn"));
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *drawn_fault_schema(const struct aq_object *object) {
    char pattern[PATTERN_BYTES];
    cJSON *schema = typed("object"), *members = aq_tree_add(schema, "properties", cJSON_CreateObject());
    for (size_t i = 0; i < object->count; i++) {
        const char *name = object->keys[i].name;
        aq_tree_add(members, name,
                    strcmp(name, "kind") == 0   ? one_of_words(&aq_words_faults)
                    : strcmp(name, "name") == 0 ? typed("string")
                                                : referred("#/definitions/drawn"));
    }
    aq_tree_add(members, "family", typed("string"));
    aq_tree_add(members, "when", patterned(settings_pattern(pattern, sizeof pattern)));
    aq_tree_add(members, "instances", referred("#/definitions/drawn"));
    listed(aq_tree_add(schema, "required", cJSON_CreateArray()), "kind");
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *exec_schema(const struct aq_key *key) {
    static const struct aq_key word = {.min = 1, .max = 4096};
    return array_of(text_schema(&word), key->min, key->max, false);
}

static cJSON *value_schema(const struct aq_key *key) {
    static const struct aq_key index = {.max = UINT32_MAX};
    switch (key->type) {
    case AQ_KEY_IGNORED: return ignored_schema();
    case AQ_KEY_TEXT: return text_schema(key);
    case AQ_KEY_NAME: return name_schema("_.:/-", key->max);
    case AQ_KEY_TUBE: return tube_schema(key->max);
    case AQ_KEY_BOOL: return typed("boolean");
    case AQ_KEY_COUNT:
    case AQ_KEY_COUNT64:
    case AQ_KEY_INTEGER: return range(typed("integer"), key);
    case AQ_KEY_NUMBER: return range(typed("number"), key);
    case AQ_KEY_BYTES: return bytes_schema(key);
    case AQ_KEY_SPAN:
        return patterned(key->never ? "^(never|" DURATION_PATTERN ")$" : "^" DURATION_PATTERN "$");
    case AQ_KEY_SECONDS: return patterned("^" DURATION_PATTERN "$");
    case AQ_KEY_TTL: return patterned("^(default|" DURATION_PATTERN ")$");
    case AQ_KEY_JUMP: return patterned("^-?" DURATION_PATTERN "$");
    case AQ_KEY_RATE: return rate_schema();
    case AQ_KEY_DISTRIBUTION: return referred("#/definitions/distribution");
    case AQ_KEY_SERVICE: return service_schema();
    case AQ_KEY_WORD:
    case AQ_KEY_FLAG_WORD:
    case AQ_KEY_ON: return one_of_words(key->words);
    case AQ_KEY_ACTIONS: return array_of(one_of_words(key->words), 1, 0, true);
    case AQ_KEY_SELECTION: return referred("#/definitions/selection");
    case AQ_KEY_SERVER: return range(typed("integer"), &index);
    case AQ_KEY_SERVER_LIST:
    case AQ_KEY_GROUP_SERVERS: return indexes_schema(key);
    case AQ_KEY_PRIORITY:
    case AQ_KEY_RANGE: return pair_schema(key);
    case AQ_KEY_TUBES: return array_of(tube_schema(AQ_TUBE_CHARS_MAX), 0, key->max, false);
    case AQ_KEY_COMMANDS: return array_of(command_schema(key->object), 0, key->max, false);
    case AQ_KEY_ARRIVALS: return arrivals_schema();
    case AQ_KEY_CLIENT_POLICY: return policy_schema(&aq_client_policy_table);
    case AQ_KEY_SERVER_POLICY: return policy_schema(&aq_server_policy_table);
    case AQ_KEY_EXPECTATION: return expectation_schema();
    case AQ_KEY_SECTION: return object_schema(key->object);
    case AQ_KEY_EXEC: return exec_schema(key);
    case AQ_KEY_CONNECT: return patterned("^" ADDRESS_PATTERN "(," ADDRESS_PATTERN ")*$");
    case AQ_KEY_GROUPS: return array_of(object_schema(key->object), 0, key->max, false);
    case AQ_KEY_FAULTS: return array_of(fault_schema(key->object), 0, key->max, false);
    case AQ_KEY_SLOS: return array_of(slo_schema(key->object), 0, key->max, false);
    case AQ_KEY_MARKS: return array_of(name_schema("_.:/-", 100), 0, key->max, false);
    case AQ_KEY_DRAWN_SETTINGS: return drawn_settings_schema();
    case AQ_KEY_DRAWN_FAULTS: return array_of(drawn_fault_schema(key->object), 0, key->max, false);
    case AQ_KEY_TYPE_COUNT: break;
    }
    AQ_ASSERT(!"a key of no type");
    return NULL;
}

static cJSON *key_schema(const struct aq_key *key) {
    cJSON *schema = value_schema(key), *standard = NULL;
    struct aq_tree_fault fault;
    aq_tree_add(schema, "description", cJSON_CreateString(key->text));
    if (key->standard) {
        int rc = aq_tree_parse(key->standard, strlen(key->standard), &standard, &fault);
        AQ_ASSERT(rc != AQ_EPARSE);
        aq_tree_add(schema, "default", standard);
    }
    return schema;
}

static cJSON *object_schema(const struct aq_object *object) {
    cJSON *schema = typed("object"), *members = aq_tree_add(schema, "properties", cJSON_CreateObject());
    cJSON *required = NULL;
    for (size_t i = 0; i < object->count; i++) {
        const struct aq_key *key = &object->keys[i];
        aq_tree_add(members, key->name, key_schema(key));
        if (!key->required) continue;
        if (!required) required = aq_tree_add(schema, "required", cJSON_CreateArray());
        aq_tree_append(required, cJSON_CreateString(key->name));
    }
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

/* ---- definitions ---- */

static cJSON *span_pair(const char *low, const char *high) {
    cJSON *schema = typed("object"), *members = aq_tree_add(schema, "properties", cJSON_CreateObject());
    cJSON *required = aq_tree_add(schema, "required", cJSON_CreateArray());
    aq_tree_add(members, low, patterned("^" DURATION_PATTERN "$"));
    aq_tree_add(members, high, patterned("^" DURATION_PATTERN "$"));
    listed(listed(required, low), high);
    aq_tree_add(schema, "additionalProperties", cJSON_CreateBool(false));
    return schema;
}

static cJSON *distribution_definition(void) {
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, patterned("^" DURATION_PATTERN "$"));
    aq_tree_append(forms, choice("exp", patterned("^" DURATION_PATTERN "$")));
    aq_tree_append(forms, choice("uniform", array_of(patterned("^" DURATION_PATTERN "$"), 2, 2, false)));
    aq_tree_append(forms, choice("lognormal", span_pair("median", "p99")));
    aq_tree_append(forms, choice("pareto", span_pair("min", "p99")));
    aq_tree_append(forms, choice("quantiles",
                                 array_of(patterned("^" DURATION_PATTERN "$"), 2, AQ_QUANTILES_MAX, false)));
    return schema;
}

static cJSON *selection_definition(void) {
    static const struct aq_key index = {.max = UINT32_MAX}, count = {.min = 1, .max = UINT32_MAX};
    static const struct aq_key share = {.max = 1, .above = true};
    cJSON *schema = cJSON_CreateObject(), *forms = aq_tree_add(schema, "oneOf", cJSON_CreateArray());
    aq_tree_append(forms, constant("all"));
    aq_tree_append(forms, range(typed("integer"), &index));
    aq_tree_append(forms, indexes_schema(NULL));
    aq_tree_append(forms, choice("random", range(typed("integer"), &count)));
    aq_tree_append(forms, choice("share", range(typed("number"), &share)));
    return schema;
}

/* cJSON indents by tabs and puts one behind each colon; two blanks and one blank read better. Texts hold no
 * raw tabs. */
static char *tidy(const char *text) {
    size_t tabs = 0;
    for (const char *c = text; *c; c++)
        tabs += *c == '\t';
    char *out = aq_alloc(strlen(text) + tabs + 2), *to = out;
    if (!out) return NULL;
    for (const char *c = text; *c; c++) {
        *to = *c == '\t' ? ' ' : *c;
        to++;
        if (*c == '\t' && c > text && c[-1] != ':') *to++ = ' ';
    }
    *to++ = '\n';
    *to = 0;
    return out;
}

int aq_scenario_schema(char **out) {
    aq_tree_begin();
    cJSON *schema = cJSON_CreateObject();
    aq_tree_add(schema, "$schema", cJSON_CreateString("http://json-schema.org/draft-07/schema#"));
    aq_tree_add(schema, "title", cJSON_CreateString("Scenario of allqsim"));
    cJSON *definitions = aq_tree_add(schema, "definitions", cJSON_CreateObject());
    aq_tree_add(definitions, "distribution", distribution_definition());
    aq_tree_add(definitions, "selection", selection_definition());
    aq_tree_add(definitions, "drawn", drawn_definition());
    cJSON *top = object_schema(&aq_object_scenario);
    while (top && top->child) {
        cJSON *member = cJSON_DetachItemViaPointer(top, top->child);
        aq_tree_add(schema, member->string, member);
    }
    cJSON_Delete(top);
    char *printed = schema && !aq_tree_out_of_memory() ? aq_tree_print(schema) : NULL;
    char *text = printed ? tidy(printed) : NULL;
    aq_free(printed);
    cJSON_Delete(schema);
    if (!text) return AQ_ENOMEM;
    *out = text;
    return 0;
}
