#include "sim/steady.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"
#include "sim/semantics.h"

int aq_steady_init(struct aq_steady *s, uint32_t server_count) {
    *s = (struct aq_steady){.server_count = server_count};
    s->requests = aq_alloc_zeroed(server_count, sizeof *s->requests);
    s->busy_us = aq_alloc_zeroed(server_count, sizeof *s->busy_us);
    s->up_us = aq_alloc_zeroed(server_count, sizeof *s->up_us);
    if (!s->requests || !s->busy_us || !s->up_us) return AQ_ENOMEM;
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        if (aq_histogram_init(&s->spans[i])) return AQ_ENOMEM;
    return 0;
}

void aq_steady_close(struct aq_steady *s) {
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        aq_histogram_close(&s->spans[i]);
    aq_free(s->requests);
    aq_free(s->busy_us);
    aq_free(s->up_us);
    aq_free(s->ready);
    aq_free(s->ready_there);
    aq_map_close(&s->tubes);
    *s = (struct aq_steady){0};
}

/* ---- what is ready where ---- */

/* The number of a tube, made at its first job. Errors: AQ_ENOMEM. */
static int tube_of(struct aq_steady *s, struct aq_text name, uint32_t *out) {
    uint64_t key = aq_text_hash(name);
    if (aq_map_get(&s->tubes, key, out)) return 0;
    size_t there = (size_t)s->tube_count * s->server_count;
    int rc = aq_array_reserve(&s->ready, &s->tube_capacity, (size_t)s->tube_count + 1, sizeof *s->ready);
    if (!rc)
        rc = aq_array_reserve(&s->ready_there, &s->there_capacity, there + s->server_count,
                              sizeof *s->ready_there);
    if (!rc) rc = aq_map_set(&s->tubes, key, s->tube_count);
    if (rc) return rc;
    s->ready[s->tube_count] = 0;
    memset(s->ready_there + there, 0, s->server_count * sizeof *s->ready_there);
    *out = s->tube_count++;
    return 0;
}

static int count_ready(struct aq_steady *s, uint32_t server, const struct aq_tap *tap) {
    int change = (int)aq_semantics_is_ready(tap) - (int)aq_semantics_was_ready(tap);
    uint32_t tube;
    if (change == 0) return 0;
    int rc = tube_of(s, tap->tube, &tube);
    if (rc) return rc;
    s->now.ready += (uint64_t)change;
    s->ready[tube] += (uint64_t)change;
    s->ready_there[(size_t)tube * s->server_count + server] += (uint32_t)change;
    return 0;
}

/* What comes back from disk is told anew. */
static void forget_server(struct aq_steady *s, uint32_t server) {
    for (uint32_t tube = 0; tube < s->tube_count; tube++) {
        uint32_t *there = &s->ready_there[(size_t)tube * s->server_count + server];
        s->ready[tube] -= *there;
        s->now.ready -= *there;
        *there = 0;
    }
}

static void count_empty(struct aq_steady *s, uint32_t server, const struct aq_tap *tap) {
    uint32_t tube;
    if (aq_map_get(&s->tubes, aq_text_hash(tap->tube), &tube) &&
        s->ready[tube] > s->ready_there[(size_t)tube * s->server_count + server])
        s->now.hidden_gets++;
}

static int count_tap(struct aq_steady *s, uint32_t server, const struct aq_tap *tap) {
    switch (tap->kind) {
    case AQ_TAP_EMPTY: count_empty(s, server, tap); return 0;
    case AQ_TAP_MISSED:
    case AQ_TAP_FAILED: return 0;
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_TAKEN: s->now.completions++; break;
    default: break;
    }
    return tap->job_hash ? count_ready(s, server, tap) : 0;
}

/* ---- calls ---- */

static void count_answer(struct aq_steady *s, const struct aq_observation *seen) {
    bool is_get = seen->action == AQ_ACTION_GET || seen->action == AQ_ACTION_GET_MULTIPLE;
    if (!is_get && seen->action != AQ_ACTION_PUT && seen->action != AQ_ACTION_DONE) return;
    bool abandoned = seen->kind == AQ_SEEN_ABANDONED;
    if (is_get && !abandoned && !seen->empty && !seen->last) return;
    s->now.calls++;
    s->now.failed_calls += abandoned || seen->outcome == AQ_OUTCOME_UNAVAILABLE ||
                           seen->outcome == AQ_OUTCOME_UNKNOWN || seen->outcome == AQ_OUTCOME_EMPTY;
    if (!is_get || abandoned || seen->outcome != AQ_OUTCOME_OK) return;
    s->now.gets++;
    s->now.empty_gets += seen->empty;
}

int aq_steady_observe(struct aq_steady *s, const struct aq_observation *seen) {
    switch (seen->kind) {
    case AQ_SEEN_TAP: return count_tap(s, seen->server, seen->tap);
    case AQ_SEEN_ANSWER:
    case AQ_SEEN_ABANDONED: count_answer(s, seen); return 0;
    case AQ_SEEN_SERVER_DOWN: forget_server(s, seen->server); return 0;
    default: return 0;
    }
}

/* ---- beginning and end ---- */

/* Leaves in `s` the difference to what it held: from zero, what there was until the beginning. */
static void take(struct aq_steady *s, const struct aq_workload *workload, const struct aq_virtual *world) {
    for (int i = 0; i < AQ_LATENCY_COUNT; i++) {
        const struct aq_histogram *all = aq_workload_latency(workload, (enum aq_latency)i);
        struct aq_histogram *kept = &s->spans[i];
        kept->max_us = 0;
        for (uint32_t b = 0; b < AQ_HISTOGRAM_BUCKETS; b++) {
            kept->buckets[b] = all->buckets[b] - kept->buckets[b];
            if (kept->buckets[b]) kept->max_us = aq_time_min(aq_histogram_bucket_max_us(b), all->max_us);
        }
        kept->count = all->count - kept->count;
        kept->sum_us = all->sum_us - kept->sum_us;
    }
    for (uint32_t i = 0; i < s->server_count; i++) {
        struct aq_virtual_server_state state = aq_virtual_server_state(world, i);
        s->requests[i] = state.requests - s->requests[i];
        s->busy_us[i] = state.busy_us - s->busy_us[i];
        s->up_us[i] = state.up_us - s->up_us[i];
    }
}

void aq_steady_begin(struct aq_steady *s, aq_time_us now_us, const struct aq_workload *workload,
                     const struct aq_virtual *world) {
    AQ_ASSERT(!s->begun);
    s->begun = true;
    s->from_us = now_us;
    s->first = s->now;
    take(s, workload, world);
}

void aq_steady_end(struct aq_steady *s, aq_time_us now_us, const struct aq_workload *workload,
                   const struct aq_virtual *world) {
    AQ_ASSERT(s->begun && !s->to_us && now_us > s->from_us);
    s->to_us = now_us;
    take(s, workload, world);
}

/* ---- figures ---- */

struct figures {
    struct aq_record *record;
    struct aq_record_figure *items;
    uint32_t count, capacity;
    bool failed;
};

static void add(struct figures *f, const char *name, double value) {
    AQ_ASSERT(f->count < f->capacity);
    f->items[f->count++] = (struct aq_record_figure){aq_record_text(f->record, "steady_%s", name), value};
    f->failed |= !f->items[f->count - 1].name;
}

static double ratio(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

static void add_spans(struct figures *f, const char *operation, const struct aq_histogram *h) {
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50_s", 0.5}, {"p90_s", 0.9}, {"p95_s", 0.95}, {"p99_s", 0.99}, {"p999_s", 0.999}};
    char name[64];
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        snprintf(name, sizeof name, "%s_%s", operation, quantiles[i].name);
        add(f, name, h->count ? (double)aq_histogram_quantile(h, quantiles[i].share) / AQ_US_PER_S : NAN);
    }
    snprintf(name, sizeof name, "%s_max_s", operation);
    add(f, name, h->count ? (double)h->max_us / AQ_US_PER_S : NAN);
    snprintf(name, sizeof name, "%s_mean_s", operation);
    add(f, name, h->count ? ratio(h->sum_us, h->count) / AQ_US_PER_S : NAN);
    snprintf(name, sizeof name, "%s_count", operation);
    add(f, name, (double)h->count);
}

/* Of the servers that were up for more than half of the time. */
static void add_servers(const struct aq_steady *s, struct figures *f) {
    double sum = 0, most = 0, requests = 0, squares = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->server_count; i++) {
        if (s->up_us[i] <= (s->to_us - s->from_us) / 2) continue;
        double busy = (double)s->busy_us[i] / (double)s->up_us[i];
        sum += busy;
        if (busy > most) most = busy;
        requests += (double)s->requests[i];
        squares += (double)s->requests[i] * (double)s->requests[i];
        count++;
    }
    add(f, "utilization", count ? sum / count : NAN);
    add(f, "utilization_max", count ? most : NAN);
    add(f, "fairness", squares > 0 ? requests * requests / (count * squares) : 1); /* Jain's index */
}

int aq_steady_fill(const struct aq_steady *s, struct aq_record *record) {
    struct figures f = {.record = record, .capacity = record->figure_count + 8 * AQ_LATENCY_COUNT + 16};
    if (!s->to_us) return 0;
    f.items = aq_arena_alloc(&record->memory, f.capacity * sizeof *f.items);
    if (!f.items) return AQ_ENOMEM;
    if (record->figure_count) memcpy(f.items, record->figures, record->figure_count * sizeof *f.items);
    f.count = record->figure_count;
    const struct aq_steady_counts *now = &s->now, *first = &s->first;
    double span_s = (double)(s->to_us - s->from_us) / AQ_US_PER_S;
    add(&f, "throughput_per_s", (double)(now->completions - first->completions) / span_s);
    add(&f, "empty_get_ratio", ratio(now->empty_gets - first->empty_gets, now->gets - first->gets));
    add(&f, "hidden_work_ratio", ratio(now->hidden_gets - first->hidden_gets, now->gets - first->gets));
    add(&f, "failed_call_ratio", ratio(now->failed_calls - first->failed_calls, now->calls - first->calls));
    add(&f, "ready_growth_per_s", ((double)now->ready - (double)first->ready) / span_s);
    add_servers(s, &f);
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        add_spans(&f, aq_latency_word((enum aq_latency)i), &s->spans[i]);
    if (f.failed) return AQ_ENOMEM;
    record->figures = f.items;
    record->figure_count = f.count;
    return 0;
}
