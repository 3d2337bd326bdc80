/* Less of something: time, jobs, numbers, and keys that the scenario can do without. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "scenarios/reduce_internal.h"

/* ---- spans ---- */

static bool span_of(const cJSON *json, aq_time_us *out) {
    return cJSON_IsString(json) && aq_units_duration(json->valuestring, out) == 0;
}

/* In the largest unit that it is a whole multiple of. */
static cJSON *span_text(aq_time_us span_us) {
    char text[32];
    if (span_us % AQ_US_PER_S == 0)
        snprintf(text, sizeof text, "%llus", (unsigned long long)(span_us / AQ_US_PER_S));
    else if (span_us % 1000 == 0)
        snprintf(text, sizeof text, "%llums", (unsigned long long)(span_us / 1000));
    else
        snprintf(text, sizeof text, "%lluus", (unsigned long long)span_us);
    return cJSON_CreateString(text);
}

/* Down to so many digits. */
static uint64_t rounded(uint64_t value, int digits) {
    uint64_t unit = 1, limit = digits == 1 ? 10 : 100;
    while (value / unit >= limit)
        unit *= 10;
    return value / unit * unit;
}

/* ---- what comes after the failure ---- */

static void drop_late(cJSON *list, aq_time_us end_us) {
    aq_time_us at_us;
    for (cJSON *item = list ? list->child : NULL, *next; item; item = next) {
        next = item->next;
        if (span_of(aq_tree_member(item, "at"), &at_us) && at_us >= end_us)
            cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
    }
}

/* The run is over as soon as it has failed: up to there everything happens as it did. Step 0: at once; 1: but
   with time for what shows only when the faults are healed; 2: without that time alone. */
static enum aq_reduced end_early(struct aq_reduction *r) {
    aq_time_us duration_us = 0, settle_us = 0, end_us = (r->hints->failed_us / 1000 + 1) * 1000;
    if (r->step > 2) return AQ_REDUCED_NO_STEP;
    if (r->item) return AQ_REDUCED_NO_ITEM;
    (void)span_of(aq_tree_member(r->tree, "duration"), &duration_us);
    (void)span_of(aq_tree_member(r->tree, "settle"), &settle_us);
    bool cuts = r->step < 2 && r->hints->failed_us && end_us < duration_us,
         waives = r->step != 1 && settle_us;
    if (!cuts && !(waives && r->step == 2)) return AQ_REDUCED_SAME;
    if (waives) aq_reduce_set(r->tree, "settle", span_text(0));
    if (!cuts) return AQ_REDUCED_MADE;
    aq_reduce_set(r->tree, "duration", span_text(end_us));
    drop_late(aq_tree_member(r->tree, "faults"), end_us);
    drop_late(aq_tree_member(r->tree, "commands"), end_us);
    return AQ_REDUCED_MADE;
}

/* ---- time as a whole ---- */

#define SHIFTS 6 /* steps of moving, then steps of scaling */

static const double parts[SHIFTS] = {1, 0.9, 0.75, 0.5, 0.25, 0.1};

/* Calls visit with every moment and every span that lies on the run's course. */
static void each_time(cJSON *tree, bool spans, void (*visit)(cJSON *object, const char *key, double by),
                      double by) {
    static const char *const moments[] = {"at", NULL}, *const fault_spans[] = {"for", "every", NULL};
    static const char *const lists[] = {"faults", "commands"};
    cJSON *item;
    for (int l = 0; l < 2; l++) {
        cJSON_ArrayForEach(item, aq_tree_member(tree, lists[l])) {
            for (const char *const *key = moments; *key; key++)
                visit(item, *key, by);
            for (const char *const *key = fault_spans; spans && *key; key++)
                visit(item, *key, by);
        }
    }
    visit(tree, "duration", by);
    cJSON *producers = aq_tree_member(tree, "producers");
    if (!producers) return;
    visit(producers, "start", by);
    visit(producers, "stop", by);
}

static void earlier(cJSON *object, const char *key, double by_us) {
    aq_time_us at_us;
    if (!span_of(aq_tree_member(object, key), &at_us)) return;
    aq_time_us by = (aq_time_us)by_us;
    aq_reduce_set(object, key, span_text(at_us > by ? at_us - by : 0));
}

static void scaled(cJSON *object, const char *key, double by) {
    aq_time_us at_us;
    if (!span_of(aq_tree_member(object, key), &at_us) || at_us == 0) return;
    aq_reduce_set(object, key, span_text(rounded((aq_time_us)((double)at_us * by), 2)));
}

/* The first of the moments at which something happens. */
static aq_time_us first_moment(const cJSON *tree, aq_time_us otherwise_us) {
    static const char *const lists[] = {"faults", "commands"};
    aq_time_us first_us = AQ_TIME_NEVER, at_us;
    const cJSON *item;
    for (int l = 0; l < 2; l++)
        cJSON_ArrayForEach(item, aq_tree_member(tree, lists[l])) {
            if (span_of(aq_tree_member(item, "at"), &at_us) && at_us < first_us) first_us = at_us;
        }
    return first_us == AQ_TIME_NEVER ? otherwise_us : first_us;
}

/* Everything happens earlier; then everything happens faster. */
static enum aq_reduced less_time(struct aq_reduction *r) {
    if (r->step >= 2 * SHIFTS - 1) return AQ_REDUCED_NO_STEP;
    if (r->item) return AQ_REDUCED_NO_ITEM;
    if (r->step < SHIFTS) {
        aq_time_us first_us = first_moment(r->tree, r->hints->failed_us);
        double by_us = floor((double)first_us * parts[r->step] / 1000) * 1000;
        if (by_us < 1000) return AQ_REDUCED_SAME;
        each_time(r->tree, false, earlier, by_us);
    } else {
        each_time(r->tree, true, scaled, 1 - parts[r->step - SHIFTS + 1]);
    }
    return AQ_REDUCED_MADE;
}

/* ---- jobs ---- */

static const uint64_t targets[] = {1,   2,   3,   5,    8,    12,   20,    30,    50,
                                   100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000};
#define TARGETS (sizeof targets / sizeof *targets)

/* Before a fault strikes, jobs are put so long; those put at 0 find it in force. */
static const aq_time_us leads_us[] = {0, 100000, 1000000, 5000000};
#define LEADS (sizeof leads_us / sizeof *leads_us)

/* The n-th moment from which few jobs may be enough: before each fault and before the failure. */
static bool start_before(const struct aq_reduction *r, uint32_t n, aq_time_us *out) {
    aq_time_us at_us = r->hints->failed_us, lead_us = leads_us[n % LEADS];
    const cJSON *faults = aq_tree_member(r->tree, "faults");
    uint32_t count = faults ? (uint32_t)cJSON_GetArraySize(faults) : 0, fault = (uint32_t)(n / LEADS);
    if (fault > count || fault > 8) return false;
    if (fault < count && !span_of(aq_tree_member(cJSON_GetArrayItem(faults, (int)fault), "at"), &at_us))
        at_us = 0;
    *out = at_us > lead_us ? (at_us - lead_us) / 1000 * 1000 : 0;
    return true;
}

/* Evenly from the start until the failure, or the end. */
static void spread(struct aq_reduction *r, cJSON *producers, uint64_t jobs) {
    aq_time_us span_us = 60 * AQ_US_PER_S;
    char text[32];
    (void)span_of(aq_tree_member(r->tree, "duration"), &span_us);
    if (r->hints->failed_us && r->hints->failed_us < span_us) span_us = r->hints->failed_us;
    snprintf(text, sizeof text, "%.2g/s", (double)(jobs + 1) * 1e6 / (double)(span_us + 1));
    cJSON *arrivals = cJSON_CreateObject();
    aq_tree_add(arrivals, "constant", cJSON_CreateString(text));
    aq_reduce_set(producers, "arrivals", arrivals);
}

/* Item 0: just fewer; 1: fewer, spread over the time; then fewer, from a certain moment on, at the
   scenario's rate and slowly. */
static enum aq_reduced fewer_jobs(struct aq_reduction *r) {
    cJSON *producers = aq_reduce_section(r->tree, "producers"), *slow;
    const cJSON *limit = producers ? aq_tree_member(producers, "jobs") : NULL;
    uint64_t jobs = cJSON_IsNumber(limit) && limit->valuedouble > 0 ? (uint64_t)limit->valuedouble : 0;
    aq_time_us start_us = 0;
    if (!jobs || r->hints->jobs < jobs) jobs = r->hints->jobs;
    if (r->step >= TARGETS || targets[r->step] >= jobs) return AQ_REDUCED_NO_STEP;
    if (r->item >= 2 && !start_before(r, (r->item - 2) / 2, &start_us)) return AQ_REDUCED_NO_ITEM;
    aq_reduce_set(producers, "jobs", cJSON_CreateNumber((double)targets[r->step]));
    if (r->item == 1) spread(r, producers, targets[r->step]);
    if (r->item < 2) return AQ_REDUCED_MADE;
    aq_reduce_set(producers, "start", span_text(start_us));
    if (r->item % 2 == 0) return AQ_REDUCED_MADE;
    slow = cJSON_CreateObject();
    aq_tree_add(slow, "constant", cJSON_CreateString("10/s"));
    aq_reduce_set(producers, "arrivals", slow);
    return AQ_REDUCED_MADE;
}

/* ---- single values ---- */

/* A member that holds a span or a whole number that is to become smaller. */
struct value {
    cJSON *object;
    const char *key; /* of the member itself, or a literal */
};

static bool is_value(const cJSON *json) {
    static const char wholes[] = "count times nth jobs";
    aq_time_us span_us;
    if (cJSON_IsNumber(json)) return aq_key_listed(wholes, json->string);
    return span_of(json, &span_us);
}

/* The left-th value among the object's members; *left counts down. */
static bool find_in(cJSON *object, const char *keys, uint32_t *left, struct value *out) {
    cJSON *member;
    cJSON_ArrayForEach(member, object) {
        if (!aq_key_listed(keys, member->string) || !is_value(member) || (*left)--) continue;
        *out = (struct value){object, member->string};
        return true;
    }
    return false;
}

static bool find_value(cJSON *tree, uint32_t left, struct value *out) {
    static const char *const lists[] = {"faults", "commands"};
    cJSON *item, *producers = aq_tree_member(tree, "producers"), *workers = aq_tree_member(tree, "workers");
    if (find_in(tree, "duration settle", &left, out)) return true;
    for (int l = 0; l < 2; l++)
        cJSON_ArrayForEach(item, aq_tree_member(tree, lists[l])) {
            if (find_in(item, "at for count times nth delay", &left, out)) return true;
        }
    if (producers && find_in(producers, "ttl delay start stop jobs", &left, out)) return true;
    cJSON *arrivals = producers ? aq_tree_member(producers, "arrivals") : NULL;
    cJSON *bursts = arrivals ? aq_tree_member(arrivals, "bursts") : NULL; /* more than `jobs` come in one */
    if (bursts && find_in(bursts, "jobs", &left, out)) return true;
    return workers && find_in(workers, "start ramp restart", &left, out);
}

static enum aq_reduced smaller_values(struct aq_reduction *r) {
    static const double shares[] = {0, 0.0625, 0.125, 0.25, 0.5, 0.75};
    enum { SHARES = sizeof shares / sizeof *shares };
    struct value value;
    aq_time_us span_us = 0;
    if (r->step >= SHARES + 2) return AQ_REDUCED_NO_STEP;
    if (!find_value(r->tree, r->item, &value)) return AQ_REDUCED_NO_ITEM;
    const cJSON *old = aq_tree_member(value.object, value.key);
    bool is_span = span_of(old, &span_us);
    uint64_t before = is_span ? span_us : (uint64_t)old->valuedouble;
    uint64_t after = r->step < SHARES ? rounded((uint64_t)((double)before * shares[r->step]), 2)
                                      : rounded(before, (int)(r->step - SHARES) + 1);
    if (after >= before || (after == 0 && !is_span)) return AQ_REDUCED_SAME; /* no jobs mean no bound */
    aq_reduce_set(value.object, value.key, is_span ? span_text(after) : cJSON_CreateNumber((double)after));
    return AQ_REDUCED_MADE;
}

/* ---- keys that have defaults ---- */

#define KEYS_MAX 1000

struct member {
    cJSON *object, *member;
};

struct members {
    struct member items[KEYS_MAX];
    uint32_t count;
};

static void gather(struct members *members, cJSON *object, const char *stay, const char *only) {
    cJSON *member;
    cJSON_ArrayForEach(member, object) {
        if (aq_key_listed(stay, member->string) || (only && !aq_key_listed(only, member->string))) continue;
        if (strcmp(member->string, "policy") == 0 && cJSON_IsObject(member)) {
            gather(members, member, NULL, NULL); /* each choice goes back to that of the profile */
        } else if (members->count < KEYS_MAX) {
            members->items[members->count++] = (struct member){object, member};
        }
    }
}

/* Without it each of these means its default, and the scenario less. What a run is made of stays. */
static void gather_all(struct members *members, cJSON *tree) {
    static const char *const sections[] = {"servers", "clients", "workers", "producers", "network"};
    static const char *const lists[] = {"faults", "commands"};
    cJSON *item;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        cJSON *section = aq_tree_member(tree, sections[i]);
        if (section) gather(members, section, "count profile jobs groups", NULL);
    }
    for (int l = 0; l < 2; l++)
        cJSON_ArrayForEach(item, aq_tree_member(tree, lists[l])) {
            gather(members, item, NULL,
                   "name may_miss probability nth every times tube actions disk direction error");
        }
    gather(members, tree, NULL, "budgets window balancer fidelity slo");
}

static enum aq_reduced fewer_keys(struct aq_reduction *r) {
    static struct members members;
    uint32_t from, count;
    members.count = 0;
    gather_all(&members, r->tree);
    enum aq_reduced reduced = aq_reduce_chunk(members.count, 0, r->step, r->item, &from, &count);
    for (uint32_t i = 0; reduced == AQ_REDUCED_MADE && i < count; i++) {
        struct member *gone = &members.items[from + i];
        cJSON_Delete(cJSON_DetachItemViaPointer(gone->object, gone->member));
    }
    return reduced;
}

const struct aq_reduce_pass aq_reduce_end = {"events behind the failure", end_early};
const struct aq_reduce_pass aq_reduce_time = {"time", less_time};
const struct aq_reduce_pass aq_reduce_jobs = {"jobs", fewer_jobs};
const struct aq_reduce_pass aq_reduce_values = {"values", smaller_values};
const struct aq_reduce_pass aq_reduce_keys = {"keys", fewer_keys};
