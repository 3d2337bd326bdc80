/* Readers of values that are made of others: selections, lists, policies, sections. Whatever they allocate
   belongs to the scenario from then on, also when a later value is wrong. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/reader.h"
#include "scenarios/scenario.h"

int aq_read_section(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    return aq_reader_object(r, json, key->object, at, NULL);
}

/* ---- servers, clients, workers by index ---- */

static int read_index(struct aq_reader *r, const cJSON *json, uint32_t *out) {
    static const struct aq_key key = {.type = AQ_KEY_COUNT};
    return aq_read_count(r, &key, json, (char *)out);
}

/* Fills a new list with the indexes of a JSON array. */
static int read_indexes(struct aq_reader *r, const cJSON *json, uint32_t **list, uint32_t *count) {
    uint32_t used = 0, size = (uint32_t)cJSON_GetArraySize(json);
    *list = aq_alloc_zeroed(size, sizeof **list);
    if (!*list) return aq_reader_nomem(r);
    *count = size;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, (int)used);
        int rc = read_index(r, item, &(*list)[used]);
        if (rc) return rc;
        used++;
        aq_reader_leave(r, length);
    }
    return 0;
}

static int read_drawn(struct aq_reader *r, const cJSON *json, struct aq_selection *selection) {
    static const char *const words[] = {"random", "share"};
    static const struct aq_key random_key = {.type = AQ_KEY_COUNT, .min = 1};
    static const struct aq_key share_key = {.type = AQ_KEY_NUMBER, .max = 1, .above = true};
    size_t which = 0;
    const cJSON *value = NULL;
    int rc = aq_reader_choice(r, json, "selection", words, 2, &which, &value);
    if (rc) return rc;
    size_t length = aq_reader_enter(r, words[which]);
    rc = which == 0 ? aq_read_count(r, &random_key, value, (char *)&selection->random_count)
                    : aq_read_number(r, &share_key, value, (char *)&selection->share);
    if (rc == 0) aq_reader_leave(r, length);
    return rc;
}

int aq_read_selection(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    struct aq_selection *selection = (struct aq_selection *)at;
    if (cJSON_IsString(json) && strcmp(json->valuestring, "all") == 0) return 0;
    selection->given = true;
    if (cJSON_IsObject(json)) return read_drawn(r, json, selection);
    if (cJSON_IsArray(json) && json->child)
        return read_indexes(r, json, &selection->indexes, &selection->index_count);
    if (!cJSON_IsNumber(json))
        return aq_reader_wrong(r, json,
                               "an index, a list of indexes, {\"random\": n}, {\"share\": 0.5} or \"all\"");
    uint32_t index;
    int rc = read_index(r, json, &index);
    if (rc) return rc;
    selection->indexes = aq_alloc(sizeof index);
    if (!selection->indexes) return aq_reader_nomem(r);
    selection->indexes[0] = index;
    selection->index_count = 1;
    return 0;
}

static int read_server_list(struct aq_reader *r, const struct aq_key *key, const cJSON *json, uint32_t **list,
                            uint32_t *count) {
    if (!cJSON_IsArray(json) || !json->child)
        return aq_reader_wrong(r, json, "a list of one server or more, by index from 0");
    if (cJSON_GetArraySize(json) > (int)key->max)
        return aq_reader_fail(r, AQ_ELIMIT, "found %d servers, allowed are at most %.0f",
                              cJSON_GetArraySize(json), key->max);
    return read_indexes(r, json, list, count);
}

int aq_read_server_list(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_fault_spec *fault = (struct aq_fault_spec *)at;
    if (fault->server_list)
        return 0; /* both server and server_list: no kind takes both, which is said later */
    return read_server_list(r, key, json, &fault->server_list, &fault->server_list_count);
}

int aq_read_group_servers(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_client_group *group = (struct aq_client_group *)at;
    return read_server_list(r, key, json, &group->servers, &group->server_count);
}

int aq_read_server(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    struct aq_fault_spec *fault = (struct aq_fault_spec *)at;
    uint32_t index;
    int rc = read_index(r, json, &index);
    if (rc) return rc;
    fault->server_list = aq_alloc(sizeof index);
    if (!fault->server_list) return aq_reader_nomem(r);
    fault->server_list[0] = index;
    fault->server_list_count = 1;
    return 0;
}

/* ---- load ---- */

int aq_read_priority(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_producer_section *producers = (struct aq_producer_section *)at;
    const cJSON *low = json, *high = json;
    if (cJSON_IsArray(json)) {
        if (cJSON_GetArraySize(json) != 2)
            return aq_reader_wrong(r, json, "a number, or a list of the least and the greatest");
        low = json->child;
        high = low->next;
    }
    int rc = aq_read_integer(r, key, low, (char *)&producers->priority_min);
    if (rc == 0) rc = aq_read_integer(r, key, high, (char *)&producers->priority_max);
    if (rc == 0 && producers->priority_min > producers->priority_max)
        return aq_reader_fail(r, AQ_EINVALID, "found %d before %d, allowed is the lesser number first",
                              producers->priority_min, producers->priority_max);
    return rc;
}

struct bursts {
    double rate_per_s;
    uint32_t jobs;
};

static const struct aq_key burst_keys[] = {
    {"rate", AQ_KEY_RATE, offsetof(struct bursts, rate_per_s), .max = 1e6, .required = true},
    {"jobs", AQ_KEY_COUNT, offsetof(struct bursts, jobs), .min = 1, .max = 1e7, .required = true},
};
static const struct aq_object burst_object = {"bursts", burst_keys, 2};

int aq_read_arrivals(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    static const char *const words[] = {"poisson", "constant", "bursts"};
    static const struct aq_key rate_key = {.type = AQ_KEY_RATE, .max = 1e9};
    (void)key;
    struct aq_producer_section *producers = (struct aq_producer_section *)at;
    if (cJSON_IsString(json) && strcmp(json->valuestring, "none") == 0) return 0;
    if (!cJSON_IsObject(json))
        return aq_reader_wrong(r, json,
                               "\"none\", {\"poisson\": \"500/s\"}, {\"constant\": \"500/s\"} or "
                               "{\"bursts\": {\"rate\": \"1/m\", \"jobs\": 500}}");
    size_t which = 0;
    const cJSON *value = NULL;
    struct bursts bursts = {0, 0};
    int rc = aq_reader_choice(r, json, "kind of arrivals", words, 3, &which, &value);
    if (rc) return rc;
    size_t length = aq_reader_enter(r, words[which]);
    rc = which == 2 ? aq_reader_object(r, value, &burst_object, &bursts, NULL)
                    : aq_read_rate(r, &rate_key, value, (char *)&bursts.rate_per_s);
    if (rc) return rc;
    aq_reader_leave(r, length);
    producers->arrivals = (enum aq_arrivals)(AQ_ARRIVALS_POISSON + which);
    producers->rate_per_s = bursts.rate_per_s;
    producers->burst_jobs = bursts.jobs;
    return 0;
}

/* ---- servers and clients ---- */

/* For actions that are not named where "default" is not given either: as in the row of the key. */
static const struct aq_distribution service_standard = {.kind = AQ_DISTRIBUTION_EXPONENTIAL, .a_us = 60};

/* The actions that servers see, under their words, and "default". */
int aq_read_service(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_service_model *service = (struct aq_service_model *)at;
    struct aq_distribution standard = service_standard, by_action[AQ_ACTION_COUNT];
    struct aq_key plain = *key;
    const char *names[AQ_ACTION_COUNT + 1] = {"default"};
    uint32_t given = 0, count = aq_words_server_actions.count;
    plain.offset = 0;
    memcpy(names + 1, aq_words_server_actions.list, count * sizeof *names);
    if (!cJSON_IsObject(json))
        return aq_reader_wrong(r, json, "an object of actions, or default, with a time for each");
    const cJSON *member;
    cJSON_ArrayForEach(member, json) {
        uint32_t index = 0;
        size_t length = aq_reader_enter(r, member->string);
        const struct aq_words words = {names, count + 1};
        if (!aq_words_find(&words, member->string, &index))
            return aq_reader_unknown(r, "key", member->string, names, count + 1);
        if (given >> index & 1)
            return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", member->string);
        given |= UINT32_C(1) << index;
        int rc = aq_read_distribution(r, &plain, member, (char *)(index ? &by_action[index - 1] : &standard));
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    for (uint32_t i = 0; i < AQ_ACTION_COUNT; i++)
        service->by_action[i] = i < count && given >> (i + 1) & 1 ? by_action[i] : standard;
    return 0;
}

/* One policy from its JSON. A zero makes sense for spans of a server only: there it means "at the exact
 * moment". */
static int read_policy(struct aq_reader *r, const struct aq_policy_table *table,
                       const struct aq_policy_field *field, bool zero_ok, const cJSON *json, void *policy) {
    char text[40] = "", what[200], allowed[200];
    bool fits = true;
    if (field->type == AQ_POLICY_BOOL && cJSON_IsBool(json))
        snprintf(text, sizeof text, "%s", cJSON_IsTrue(json) ? "true" : "false");
    else if (field->type == AQ_POLICY_COUNT && cJSON_IsNumber(json))
        snprintf(text, sizeof text, "%.15g", json->valuedouble);
    else if ((field->type == AQ_POLICY_SPAN || field->type == AQ_POLICY_WORD) && cJSON_IsString(json) &&
             strlen(json->valuestring) < sizeof text)
        snprintf(text, sizeof text, "%s", json->valuestring);
    else
        fits = false;
    bool zero = fits && !zero_ok && field->type == AQ_POLICY_SPAN && strtod(text, NULL) == 0 && *text != 'n';
    if (fits && !zero && aq_policy_set(table, policy, field->name, text, NULL) == 0) return 0;
    return aq_reader_fail(r, AQ_EINVALID, "found %s, allowed is %s%s",
                          aq_tree_describe(what, sizeof what, json),
                          aq_policy_allowed(field, allowed, sizeof allowed),
                          zero_ok || field->type != AQ_POLICY_SPAN ? "" : ", more than 0");
}

/* Does the strict profile have 0 there? */
static bool is_zero(const struct aq_policy_field *field) {
    const void *at = (const char *)&aq_client_policy_strict + field->offset;
    if (field->type == AQ_POLICY_SPAN) return *(const aq_time_us *)at == 0;
    return field->type == AQ_POLICY_COUNT && *(const uint32_t *)at == 0;
}

/* Servers may have 0 anywhere, clients where it is the strict profile's value. */
static int read_policies(struct aq_reader *r, const struct aq_policy_table *table, bool servers,
                         const cJSON *json, void *policy) {
    const char *names[64];
    uint64_t given = 0;
    AQ_ASSERT(table->count <= 64);
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->fields[i].name;
    if (!cJSON_IsObject(json)) return aq_reader_wrong(r, json, "an object of policies");
    const cJSON *member;
    cJSON_ArrayForEach(member, json) {
        size_t length = aq_reader_enter(r, member->string);
        const struct aq_policy_field *field = aq_policy_find(table, member->string);
        if (!field) return aq_reader_unknown(r, "policy", member->string, names, table->count);
        size_t index = (size_t)(field - table->fields);
        if (given >> index & 1)
            return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" is there twice", member->string);
        given |= UINT64_C(1) << index;
        int rc = read_policy(r, table, field, servers || is_zero(field), member, policy);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

int aq_read_client_policy(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    struct aq_client_section *clients = (struct aq_client_section *)at;
    clients->policy =
        clients->profile == AQ_PROFILE_STRICT ? aq_client_policy_strict : aq_client_policy_upstream;
    return read_policies(r, &aq_client_policy_table, false, json, &clients->policy);
}

int aq_read_server_policy(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    (void)key;
    struct aq_server_section *servers = (struct aq_server_section *)at;
    servers->policy =
        servers->profile == AQ_PROFILE_STRICT ? aq_server_policy_strict : aq_server_policy_upstream;
    return read_policies(r, &aq_server_policy_table, true, json, &servers->policy);
}

/* ---- tubes and ranges ---- */

int aq_read_tubes(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    static const struct aq_key tube_key = {.type = AQ_KEY_TUBE, .max = AQ_TUBE_CHARS_MAX};
    struct aq_worker_section *workers = (struct aq_worker_section *)at;
    int rc = aq_reader_list(r, key, json, "tubes", sizeof *workers->further_tubes, &workers->further_tubes,
                            &workers->further_tube_count);
    int i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_read_tube(r, &tube_key, item, (char *)&workers->further_tubes[i++]);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

int aq_read_range(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_range *range = (struct aq_range *)at;
    const cJSON *low = json, *high = json;
    if (cJSON_IsArray(json)) {
        if (cJSON_GetArraySize(json) != 2)
            return aq_reader_wrong(r, json, "a number, or a list of the least and the greatest");
        low = json->child;
        high = low->next;
    }
    int rc = aq_read_count(r, key, low, (char *)&range->least);
    if (rc == 0) rc = aq_read_count(r, key, high, (char *)&range->most);
    if (rc == 0 && range->least > range->most)
        return aq_reader_fail(r, AQ_EINVALID, "found %u before %u, allowed is the lesser number first",
                              range->least, range->most);
    return rc;
}

/* ---- lists of objects ---- */

int aq_read_groups(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_client_section *clients = (struct aq_client_section *)at;
    int rc = aq_reader_list(r, key, json, "groups", sizeof *clients->groups, &clients->groups,
                            &clients->group_count);
    int i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_reader_object(r, item, key->object, &clients->groups[i++], NULL);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

int aq_read_exec(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    static const struct aq_key word_key = {.type = AQ_KEY_TEXT, .min = 1, .max = 4096};
    struct aq_client_section *clients = (struct aq_client_section *)at;
    if (cJSON_IsArray(json) && !json->child) return aq_reader_wrong(r, json, "a list of one word or more");
    int rc =
        aq_reader_list(r, key, json, "words", sizeof *clients->exec, &clients->exec, &clients->exec_count);
    int i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_read_text(r, &word_key, item, (char *)&clients->exec[i++]);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* "host:port", a missing port being AllQueue's own. */
static bool is_address(const char *text, size_t length) {
    size_t host = 0, port;
    while (host < length && (isalnum((unsigned char)text[host]) || strchr("_.-", text[host])))
        host++;
    for (port = host + 1; port < length && isdigit((unsigned char)text[port]);)
        port++;
    return host && (host == length || (text[host] == ':' && port > host + 1 && port == length));
}

int aq_read_connect(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_server_section *servers = (struct aq_server_section *)at;
    const char *text = cJSON_IsString(json) ? json->valuestring : "";
    uint32_t count = 0;
    for (const char *item = text, *end;; item = end + 1) {
        end = item + strcspn(item, ",");
        count++;
        if (!is_address(item, (size_t)(end - item)))
            return aq_reader_wrong(r, json, "a list of servers such as \"10.0.0.1:5555,10.0.0.2:5555\"");
        if (!*end) break;
    }
    if (count > AQ_SERVERS_MAX)
        return aq_reader_fail(r, AQ_ELIMIT, "found %u servers, allowed are at most %u", count,
                              AQ_SERVERS_MAX);
    int rc = aq_read_text(r, key, json, (char *)&servers->connect);
    if (!rc) servers->count = count;
    return rc;
}

int aq_read_marks(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    static const struct aq_key name_key = {.type = AQ_KEY_NAME, .max = 100};
    struct aq_mark_list *marks = (struct aq_mark_list *)at;
    int rc = aq_reader_list(r, key, json, "marks", sizeof *marks->names, &marks->names, &marks->count);
    int i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        size_t length = aq_reader_enter_item(r, i);
        rc = aq_read_name(r, &name_key, item, (char *)&marks->names[i++]);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}
