#include "reports/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "reports/json_write.h"
#include "reports/print_shared.h"

#define STORIES_MAX      5
#define JSON_INTEGER_MAX (UINT64_C(1) << 53) /* the largest that every reader of JSON keeps exact */

static void field_hash(struct aq_json_put_writer *json, const char *key, uint64_t hash) {
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    aq_json_field_text(json, key, digits);
}

/* The value of a whole decimal number without leading zeros that JSON readers keep exact. */
static bool is_exact_number(const char *text) {
    uint64_t value = 0;
    if (!text[0] || (text[0] == '0' && text[1])) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > JSON_INTEGER_MAX) return false;
    }
    return true;
}

/* A number where it can be one, otherwise a text. */
static void put_seed(struct aq_json_put_writer *json, const struct aq_record *record) {
    char decimal[24];
    const char *text = record->seed_text;
    if (!text || !text[0]) {
        snprintf(decimal, sizeof decimal, "%" PRIu64, record->seed);
        text = decimal;
    }
    aq_json_put_key(json, "seed");
    if (is_exact_number(text))
        aq_json_put_number_text(json, text);
    else
        aq_json_put_text(json, text);
}

static void put_identity(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_text(json, "verdict", aq_verdict_word(record->verdict));
    aq_json_field_text(json, "reason", record->reason);
    if (record->interrupted) {
        aq_json_put_key(json, "interrupted");
        aq_json_put_bool(json, true);
    }
    put_seed(json, record);
    aq_json_field_text(json, "scenario", record->scenario);
    field_hash(json, "scenario_hash", record->scenario_hash);
    field_hash(json, "trace_hash", record->trace_hash);
    aq_json_field_text(json, "reproduce", record->reproduce);
    aq_json_field_u64(json, "events", record->events);
    aq_json_field_seconds(json, "virtual_s", record->virtual_us);
    aq_json_field_seconds(json, "wall_s", record->wall_us);
    aq_json_field_u64(json, "peak_rss_bytes", record->peak_rss_bytes);
}

static void put_totals(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "jobs", '{');
    aq_json_field_u64(json, "produced", record->jobs.produced);
    aq_json_field_u64(json, "accepted", record->jobs.accepted);
    aq_json_field_u64(json, "completed", record->jobs.completed);
    aq_json_field_u64(json, "held", record->jobs.held);
    aq_json_field_u64(json, "lost_declared", record->jobs.lost_declared);
    aq_json_field_u64(json, "unexplained", record->jobs.unexplained);
    aq_json_field_u64(json, "executed_again", record->jobs.executed_again);
    aq_json_put_close(json, '}');
    aq_json_field_open(json, "completions", '{');
    aq_json_field_u64(json, "sent", record->completions.sent);
    aq_json_field_u64(json, "applied", record->completions.applied);
    aq_json_field_u64(json, "acked", record->completions.acked);
    aq_json_field_u64(json, "misrouted", record->completions.misrouted);
    aq_json_field_u64(json, "origin_gone", record->completions.origin_gone);
    aq_json_field_u64(json, "unknown", record->completions.unknown);
    aq_json_put_close(json, '}');
}

static void put_server(struct aq_json_put_writer *json, const struct aq_record_server *server) {
    static const char *const states[] = {"ready", "delayed", "reserved", "buried", "parent"};
    aq_json_put_open(json, '{');
    aq_json_field_u64(json, "index", server->index);
    aq_json_field_text(json, "id", server->id);
    aq_json_field_text(json, "address", server->address);
    aq_json_field_u64(json, "puts", server->puts);
    aq_json_field_u64(json, "gets", server->gets);
    aq_json_field_u64(json, "empty_gets", server->empty_gets);
    aq_json_field_u64(json, "completions", server->completions);
    aq_json_field_double(json, "share", server->share);
    aq_json_field_u64(json, "choices", server->choices);
    aq_json_field_u64(json, "requests", server->requests);
    aq_json_field_u64(json, "errors", server->errors);
    aq_json_field_u64(json, "missed", server->missed);
    aq_json_field_u64(json, "expired", server->expired);
    aq_json_field_u64(json, "buried", server->buried);
    aq_json_field_u64(json, "lost", server->lost);
    aq_json_field_double(json, "busy", server->busy);
    aq_json_field_u64(json, "queue_max", server->queue_max);
    aq_json_field_u64(json, "incarnations", server->incarnations);
    aq_json_field_open(json, "held", '{');
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        aq_json_field_u64(json, states[i], server->held[i]);
    aq_json_put_close(json, '}');
    aq_json_put_close(json, '}');
}

static void put_servers(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "servers", '[');
    for (uint32_t i = 0; i < record->server_count; i++)
        put_server(json, &record->servers[i]);
    aq_json_put_close(json, ']');
}

static void put_quantiles(struct aq_json_put_writer *json, const struct aq_histogram *histogram) {
    bool any = histogram->count > 0; /* an empty one has no quantiles: null */
    aq_json_field_seconds(json, "p50", any ? aq_histogram_quantile(histogram, 0.5) : AQ_TIME_NEVER);
    aq_json_field_seconds(json, "p99", any ? aq_histogram_quantile(histogram, 0.99) : AQ_TIME_NEVER);
    aq_json_field_seconds(json, "max", any ? histogram->max_us : AQ_TIME_NEVER);
}

static void put_clients(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "clients", '{');
    aq_json_field_u64(json, "count", record->clients.count);
    aq_json_field_u64(json, "workers", record->clients.workers);
    aq_json_field_open(json, "failover_s", '{');
    put_quantiles(json, &record->clients.failover);
    aq_json_put_close(json, '}');
    aq_json_put_close(json, '}');
}

static void put_latencies(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "latency_s", '{');
    for (uint32_t i = 0; i < record->latency_count; i++) {
        aq_json_field_open(json, record->latencies[i].operation, '{');
        aq_json_field_u64(json, "count", record->latencies[i].histogram.count);
        put_quantiles(json, &record->latencies[i].histogram);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
}

/* A figure stands beside the fixed keys of its check; one with the name of a fixed key is told apart by a
 * prefix. */
static void put_figure(struct aq_json_put_writer *json, const struct aq_record_figure *figure) {
    static const char *const fixed[] = {"verdict", "caught", "judged", "violations", "remark"};
    char key[128];
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (figure->name && strcmp(figure->name, fixed[i]) == 0) {
            snprintf(key, sizeof key, "figure_%s", figure->name);
            aq_json_field_double(json, key, figure->value);
            return;
        }
    aq_json_field_double(json, figure->name, figure->value);
}

static void put_checks(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "checks", '{');
    for (uint32_t i = 0; i < record->check_count; i++) {
        const struct aq_record_check *check = &record->checks[i];
        aq_json_field_open(json, check->name, '{');
        aq_json_field_text(json, "verdict", aq_verdict_word(check->verdict));
        aq_json_put_key(json, "caught");
        aq_json_put_bool(json, check->caught);
        aq_json_field_u64(json, "judged", check->judged);
        aq_json_field_u64(json, "violations", check->violations);
        aq_json_field_text(json, "remark", check->remark);
        for (uint32_t f = 0; f < check->figure_count; f++)
            put_figure(json, &check->figures[f]);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
}

/* Of the whole run. */
static void put_figures(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "figures", '{');
    for (uint32_t i = 0; i < record->figure_count; i++)
        aq_json_field_double(json, record->figures[i].name, record->figures[i].value);
    aq_json_put_close(json, '}');
}

static void put_faults(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "faults", '[');
    for (uint32_t i = 0; i < record->fault_count; i++) {
        const struct aq_record_fault *fault = &record->faults[i];
        aq_json_put_open(json, '{');
        aq_json_field_text(json, "kind", fault->kind);
        aq_json_field_text(json, "name", fault->name);
        aq_json_field_text(json, "target", fault->target);
        aq_json_field_seconds(json, "at_s", fault->at_us);
        aq_json_field_seconds(json, "until_s", fault->until_us);
        aq_json_field_u64(json, "touched", fault->touched);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_phase(struct aq_json_put_writer *json, const struct aq_record *record,
                      const struct aq_record_phase *phase) {
    uint64_t total = 0;
    for (uint32_t s = 0; s < record->server_count; s++)
        total += phase->choices ? phase->choices[s] : 0;
    aq_json_put_open(json, '{');
    aq_json_field_text(json, "name", phase->name);
    aq_json_field_seconds(json, "from_s", phase->from_us);
    aq_json_field_seconds(json, "to_s", phase->to_us);
    aq_json_field_open(json, "choices", '[');
    for (uint32_t s = 0; s < record->server_count; s++)
        aq_json_put_u64(json, phase->choices ? phase->choices[s] : 0);
    aq_json_put_close(json, ']');
    aq_json_field_open(json, "shares", '[');
    for (uint32_t s = 0; s < record->server_count; s++)
        aq_json_put_double(json, total ? (double)phase->choices[s] / (double)total : 0);
    aq_json_put_close(json, ']');
    aq_json_put_close(json, '}');
}

static void put_phases(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "phases", '[');
    for (uint32_t i = 0; i < record->phase_count; i++)
        put_phase(json, record, &record->phases[i]);
    aq_json_put_close(json, ']');
}

static void put_marks(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_field_open(json, "marks", '{');
    for (uint32_t i = 0; i < record->mark_count; i++)
        aq_json_field_u64(json, record->marks[i].name, record->marks[i].count);
    aq_json_put_close(json, '}');
}

static void put_stories(struct aq_json_put_writer *json, const struct aq_record *record) {
    uint32_t chosen[STORIES_MAX], count = aq_print_choose_stories(record, chosen, STORIES_MAX);
    char title[1024];
    aq_json_field_open(json, "stories", '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct aq_record_violation *violation = &record->violations[chosen[i]];
        aq_json_put_open(json, '[');
        aq_json_put_text(json, aq_print_story_title(title, sizeof title, violation));
        for (uint32_t l = 0; l < violation->line_count; l++)
            aq_json_put_text(json, violation->lines[l]);
        aq_json_put_close(json, ']');
    }
    aq_json_put_close(json, ']');
}

int aq_print_json(FILE *stream, const struct aq_record *record) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    put_identity(&json, record);
    put_totals(&json, record);
    put_servers(&json, record);
    put_clients(&json, record);
    put_latencies(&json, record);
    put_checks(&json, record);
    put_figures(&json, record);
    put_faults(&json, record);
    put_phases(&json, record);
    put_marks(&json, record);
    put_stories(&json, record);
    aq_json_put_close(&json, '}');
    putc('\n', stream);
    return fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
