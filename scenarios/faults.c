/* Readers of the fault list and of service levels: objects whose allowed keys hang on their kind. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/reader.h"
#include "scenarios/scenario.h"

static bool has(const struct aq_object *object, uint64_t given, const char *name) {
    size_t index = 0;
    return aq_key_find(object, name, &index) && (given >> index & 1);
}

/* "a, b, c" of two lists separated by blanks. */
static const char *with_commas(char *out, size_t size, const char *first, const char *second) {
    size_t used = 0;
    for (int i = 0; i < 2; i++)
        for (const char *at = i ? second : first; at && *at && used + 1 < size;) {
            size_t word = strcspn(at, " ");
            used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)word, at);
            at += word + (at[word] == ' ');
        }
    return out;
}

static int own_text(struct aq_reader *r, const char *text, char **out) {
    if (*out) return 0;
    *out = aq_alloc(strlen(text) + 1);
    if (!*out) return aq_reader_nomem(r);
    memcpy(*out, text, strlen(text) + 1);
    return 0;
}

/* Every key that is there means something for this kind, and those that it needs are there. */
static int check_kind_keys(struct aq_reader *r, enum aq_fault_kind kind, uint64_t given) {
    const struct aq_fault_keys *row = &aq_fault_keys[kind];
    char list[300];
    for (size_t i = 0; i < aq_object_fault.count; i++) {
        const char *name = aq_object_fault.keys[i].name;
        bool meant = aq_key_listed(AQ_FAULT_COMMON_KEYS, name) || aq_key_listed(row->keys, name);
        bool there = given >> i & 1;
        if (there && !meant) {
            aq_reader_enter(r, name);
            if (strcmp(name, "for") == 0)
                return aq_reader_fail(r, AQ_EINVALID, "\"%s\" strikes at one moment and takes no \"for\"",
                                      aq_fault_word(kind));
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" takes no \"%s\" (allowed: %s)", aq_fault_word(kind),
                                  name, with_commas(list, sizeof list, AQ_FAULT_COMMON_KEYS, row->keys));
        }
        if (!there && aq_key_listed(row->required, name))
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" needs the key \"%s\"", aq_fault_word(kind), name);
    }
    return 0;
}

static int check_burst(struct aq_reader *r, uint64_t given) {
    bool count = has(&aq_object_fault, given, "count"), factor = has(&aq_object_fault, given, "factor");
    if (count == factor)
        return aq_reader_fail(r, AQ_EINVALID, "\"burst\" needs either \"count\" or \"factor\"%s",
                              count ? ", not both" : "");
    if (!count || !has(&aq_object_fault, given, "for")) return 0;
    aq_reader_enter(r, "for");
    return aq_reader_fail(r, AQ_EINVALID,
                          "\"burst\" with \"count\" strikes at one moment and takes no \"for\"");
}

static int check_delay(struct aq_reader *r, const struct aq_fault_spec *fault) {
    if (fault->kind != AQ_FAULT_LATENCY || fault->delay.kind == AQ_DISTRIBUTION_CONSTANT) return 0;
    aq_reader_enter(r, "delay");
    return aq_reader_fail(r, AQ_EINVALID,
                          "\"latency\" takes a plain duration; \"jitter\" takes a distribution");
}

static int check_loss(struct aq_reader *r, const struct aq_fault_spec *fault) {
    if (fault->kind != AQ_FAULT_LOSS || fault->probability <= 0.99) return 0;
    aq_reader_enter(r, "probability");
    return aq_reader_fail(
        r, AQ_EINVALID, "found %.15g, allowed is at most 0.99 for \"loss\"; \"partition\" lets nothing pass",
        fault->probability);
}

static int check_times(struct aq_reader *r, const struct aq_fault_spec *fault, uint64_t given) {
    const struct aq_object *object = &aq_object_fault;
    if (!has(object, given, "at") && !has(object, given, "on"))
        return aq_reader_fail(r, AQ_EINVALID, "a fault needs \"at\" or \"on\", to say when it strikes");
    if (has(object, given, "times") && fault->every_us == AQ_TIME_NEVER) {
        aq_reader_enter(r, "times");
        return aq_reader_fail(r, AQ_EINVALID, "\"times\" needs \"every\"");
    }
    if (fault->every_us == AQ_TIME_NEVER || fault->for_us == 0) return 0;
    if (fault->for_us < fault->every_us) return 0;
    aq_reader_enter(r, "every");
    return aq_reader_fail(r, AQ_EINVALID, "\"every\" has to be longer than \"for\", which is %s",
                          fault->for_us == AQ_TIME_NEVER ? "never over unless it is given" : "not shorter");
}

static int finish_fault(struct aq_reader *r, struct aq_fault_spec *fault, uint64_t given) {
    int rc = check_kind_keys(r, fault->kind, given);
    if (rc == 0 && fault->kind == AQ_FAULT_BURST) rc = check_burst(r, given);
    if (rc) return rc;
    if (has(&aq_object_fault, given, "nth") && has(&aq_object_fault, given, "probability")) {
        aq_reader_enter(r, "nth");
        return aq_reader_fail(r, AQ_EINVALID, "\"nth\" and \"probability\" exclude each other");
    }
    if (aq_fault_keys[fault->kind].momentary || (fault->kind == AQ_FAULT_BURST && fault->count))
        fault->for_us = 0;
    rc = check_delay(r, fault);
    if (rc == 0) rc = check_loss(r, fault);
    if (rc == 0) rc = check_times(r, fault, given);
    if (rc == 0) rc = own_text(r, aq_fault_word(fault->kind), &fault->name);
    if (rc == 0 && fault->kind == AQ_FAULT_ERROR_REPLY) rc = own_text(r, "injected error", &fault->error);
    return rc;
}

int aq_read_faults(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_scenario *scenario = (struct aq_scenario *)at;
    int rc = aq_reader_list(r, key, json, "faults", sizeof *scenario->faults, &scenario->faults,
                            &scenario->fault_count);
    uint32_t i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        uint64_t given = 0;
        struct aq_fault_spec *fault = &scenario->faults[i];
        size_t length = aq_reader_enter_item(r, (int)i++);
        rc = aq_reader_object(r, item, key->object, fault, &given);
        if (rc == 0) rc = finish_fault(r, fault, given);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}

/* ---- service levels ---- */

static enum aq_action slo_action(uint32_t index) {
    static const enum aq_action actions[] = {AQ_ACTION_PUT, AQ_ACTION_GET, AQ_ACTION_DONE};
    return actions[index];
}

static int finish_slo(struct aq_reader *r, const struct aq_slo_words *words, uint64_t given,
                      struct aq_slo *slo) {
    char list[100];
    uint32_t form = 0, count = sizeof aq_slo_forms / sizeof *aq_slo_forms;
    for (; form < count; form++) {
        char first[20];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(aq_slo_forms[form], " "), aq_slo_forms[form]);
        if (has(&aq_object_slo, given, first)) break;
    }
    if (form == count)
        return aq_reader_fail(
            r, AQ_EINVALID,
            "one of \"latency\", \"throughput\", \"availability\" and \"empty_gets\" is needed");
    for (size_t i = 0; i < aq_object_slo.count; i++)
        if (aq_key_listed(aq_slo_forms[form], aq_object_slo.keys[i].name) != (given >> i & 1))
            return aq_reader_fail(r, AQ_EINVALID, "the key \"%s\" %s; this one takes exactly: %s",
                                  aq_object_slo.keys[i].name,
                                  given >> i & 1 ? "does not belong here" : "is missing",
                                  with_commas(list, sizeof list, aq_slo_forms[form], NULL));
    slo->kind = (enum aq_slo_kind)form;
    switch (slo->kind) {
    case AQ_SLO_LATENCY:
        slo->action = slo_action(words->latency);
        slo->quantile = words->percentile / 100;
        slo->bound = (double)words->below_us / 1e6;
        break;
    case AQ_SLO_THROUGHPUT: slo->bound = words->throughput_per_s; break;
    case AQ_SLO_AVAILABILITY:
        slo->action = slo_action(words->availability);
        slo->bound = words->above;
        break;
    case AQ_SLO_EMPTY_GETS: slo->bound = words->empty_gets; break;
    }
    return 0;
}

int aq_read_slos(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_scenario *scenario = (struct aq_scenario *)at;
    int rc = aq_reader_list(r, key, json, "service levels", sizeof *scenario->slos, &scenario->slos,
                            &scenario->slo_count);
    uint32_t i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        uint64_t given = 0;
        struct aq_slo_words words = {0};
        size_t length = aq_reader_enter_item(r, (int)i);
        rc = aq_reader_object(r, item, key->object, &words, &given);
        if (rc == 0) rc = finish_slo(r, &words, given, &scenario->slos[i++]);
        if (rc) return rc;
        aq_reader_leave(r, length);
    }
    return 0;
}
