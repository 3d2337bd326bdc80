#include "sim/run_record.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/marks.h"
#include "sim/trust.h"
#include "sim/verdict.h"

#define BUILD_TEXT AQ_COMPILER " " AQ_BUILD_TYPE

/* Zeroed room for a table in the record. NULL when out of memory. */
static void *table(struct aq_record *record, size_t count, size_t item_bytes) {
    void *memory = aq_arena_alloc(&record->memory, count * item_bytes + 1);
    if (memory) memset(memory, 0, count * item_bytes);
    return memory;
}

static const char *profile_word(enum aq_profile profile) {
    return profile == AQ_PROFILE_UPSTREAM ? "upstream" : "strict";
}

/* ---- settings ---- */

struct option_list {
    struct aq_record *record;
    struct aq_record_option *items;
    uint32_t count;
    bool failed;
};

#define OPTIONS_MAX 128

static void add_option(struct option_list *list, const char *name, const char *value) {
    struct aq_record_option option = {aq_record_text(list->record, "%s", name),
                                      aq_record_text(list->record, "%s", value)};
    if (!option.name || !option.value || list->count == OPTIONS_MAX)
        list->failed = true;
    else
        list->items[list->count++] = option;
}

static void add_number(struct option_list *list, const char *name, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    add_option(list, name, text);
}

static void add_policies(struct option_list *list, const char *prefix, const struct aq_policy_table *policies,
                         const void *policy) {
    for (size_t i = 0; i < policies->count; i++) {
        const struct aq_policy_field *field = &policies->fields[i];
        char name[96], value[32];
        snprintf(name, sizeof name, "%s.policy.%s", prefix, field->name);
        aq_policy_format(field, policy, value, sizeof value);
        add_option(list, name, value);
    }
}

static int fill_options(const struct aq_run *run, struct aq_record *record) {
    const struct aq_scenario *s = run->options->scenario;
    struct option_list list = {record, table(record, OPTIONS_MAX, sizeof *list.items), 0, false};
    if (!list.items) return AQ_ENOMEM;
    add_number(&list, "clients.count", s->clients.count);
    add_option(&list, "clients.profile", profile_word(s->clients.profile));
    add_number(&list, "servers.count", s->servers.count);
    add_option(&list, "servers.profile", profile_word(s->servers.profile));
    add_option(&list, "servers.persistent", s->servers.persistent ? "true" : "false");
    if (run->tube_suffix[0]) add_option(&list, "tube_suffix", run->tube_suffix);
    add_number(&list, "workers.count", s->workers.count);
    add_number(&list, "workers.batch", s->workers.batch);
    add_number(&list, "duration_us", s->duration_us);
    add_number(&list, "settle_us", s->settle_us);
    add_policies(&list, "clients", &aq_client_policy_table, &s->clients.policy);
    add_policies(&list, "servers", &aq_server_policy_table, &s->servers.policy);
    record->options = list.items;
    record->option_count = list.count;
    return list.failed ? AQ_ENOMEM : 0;
}

/* ---- faults ---- */

static void describe_selection(const struct aq_selection *selection, const char *noun, char *text,
                               size_t size) {
    size_t used = 0;
    text[0] = 0;
    if (!selection->given)
        snprintf(text, size, "all %ss", noun);
    else if (selection->random_count)
        snprintf(text, size, "%u random %s%s", selection->random_count, noun,
                 selection->random_count == 1 ? "" : "s");
    else if (selection->share > 0)
        snprintf(text, size, "%.4g %% of %ss", selection->share * 100, noun);
    else
        used = (size_t)snprintf(text, size, "%s%s", noun, selection->index_count == 1 ? "" : "s");
    for (uint32_t i = 0; i < selection->index_count && used + 1 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%u", i ? "," : " ", selection->indexes[i]);
}

static const char *target_text(struct aq_record *record, const struct aq_fault_spec *spec) {
    char servers[120], clients[120], workers[120];
    describe_selection(&spec->servers, "server", servers, sizeof servers);
    describe_selection(&spec->clients, "client", clients, sizeof clients);
    describe_selection(&spec->workers, "worker", workers, sizeof workers);
    switch (spec->kind) {
    case AQ_FAULT_LATENCY:
    case AQ_FAULT_JITTER:
    case AQ_FAULT_LOSS:
    case AQ_FAULT_BANDWIDTH:
    case AQ_FAULT_CHOP:
    case AQ_FAULT_CORRUPT:
    case AQ_FAULT_SLOW_CLOSE:
    case AQ_FAULT_PARTITION:
    case AQ_FAULT_RESET:
    case AQ_FAULT_REFUSED:
    case AQ_FAULT_HALF_OPEN: return aq_record_text(record, "%s - %s", clients, servers);
    case AQ_FAULT_CLIENT_CRASH:
    case AQ_FAULT_CLIENT_CLOCK_JUMP:
    case AQ_FAULT_ADD_SERVER:
    case AQ_FAULT_UPDATE_SERVERS:
    case AQ_FAULT_DRAIN: return aq_record_text(record, "%s", clients);
    case AQ_FAULT_WORKER_CRASH:
    case AQ_FAULT_WORKER_OVERRUN:
    case AQ_FAULT_WORKER_REPEAT:
    case AQ_FAULT_HERD: return aq_record_text(record, "%s", workers);
    case AQ_FAULT_POISON_JOB:
    case AQ_FAULT_BURST: return aq_record_text(record, "producers");
    default: return aq_record_text(record, "%s", servers);
    }
}

static int fill_faults(const struct aq_run *run, struct aq_record *record) {
    const struct aq_scenario *s = run->options->scenario;
    struct aq_record_fault *faults = table(record, s->fault_count, sizeof *faults);
    if (!faults) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->fault_count; i++) {
        struct aq_receipt receipt = aq_nemesis_receipt(run->nemesis, i);
        faults[i] = (struct aq_record_fault){.kind = aq_fault_word(s->faults[i].kind),
                                             .name = aq_record_text(record, "%s", s->faults[i].name),
                                             .target = target_text(record, &s->faults[i]),
                                             .at_us = receipt.strikes ? receipt.first_us : s->faults[i].at_us,
                                             .until_us = receipt.until_us,
                                             .touched = receipt.touched,
                                             .struck = receipt.strikes > 0};
        if (!faults[i].name || !faults[i].target) return AQ_ENOMEM;
    }
    record->faults = faults;
    record->fault_count = s->fault_count;
    return 0;
}

/* ---- load ---- */

static int fill_phases(const struct aq_run *run, struct aq_record *record) {
    const struct aq_metrics *m = &run->metrics;
    struct aq_record_phase *phases = table(record, m->phase_count, sizeof *phases);
    struct aq_record_window *windows = table(record, m->window_count, sizeof *windows);
    if (!phases || !windows) return AQ_ENOMEM;
    for (uint32_t i = 0; i < m->phase_count; i++) {
        uint64_t *choices = table(record, m->server_count, sizeof *choices);
        phases[i] = m->phases[i];
        phases[i].name = aq_record_text(record, "%s", m->phases[i].name);
        if (!choices || !phases[i].name) return AQ_ENOMEM;
        memcpy(choices, m->phases[i].choices, m->server_count * sizeof *choices);
        phases[i].choices = choices;
    }
    if (m->window_count) memcpy(windows, m->windows, m->window_count * sizeof *windows);
    record->phases = phases;
    record->phase_count = m->phase_count;
    record->windows = windows;
    record->window_count = m->window_count;
    return 0;
}

/* What the world knows of the servers, beside what the ledger has filled in. */
static int fill_servers(const struct aq_run *run, struct aq_record *record) {
    struct aq_record_server *servers =
        (struct aq_record_server *)record->servers; /* made for this run's record */
    for (uint32_t i = 0; i < record->server_count && i < run->metrics.server_count; i++) {
        struct aq_virtual_server_state state = aq_virtual_server_state(run->world, i);
        servers[i].address = aq_record_text(record, "%s", run->book.items[i].text);
        servers[i].requests = state.requests;
        servers[i].busy = state.up_us ? (double)state.busy_us / (double)state.up_us : 0;
        servers[i].queue_max = run->metrics.queue_max[i];
        servers[i].incarnations = state.incarnations;
        if (!servers[i].address) return AQ_ENOMEM;
    }
    return 0;
}

static int fill_latencies(const struct aq_run *run, struct aq_record *record) {
    struct aq_record_latency *latencies = table(record, AQ_LATENCY_COUNT, sizeof *latencies);
    if (!latencies) return AQ_ENOMEM;
    record->latencies = latencies;
    for (int i = 0; i < AQ_LATENCY_COUNT; i++) {
        latencies[i].operation = aq_latency_word((enum aq_latency)i);
        int rc = aq_histogram_init(&latencies[i].histogram);
        if (rc) return rc;
        record->latency_count++;
        aq_histogram_add(&latencies[i].histogram, aq_workload_latency(run->workload, (enum aq_latency)i));
    }
    return 0;
}

static int fill_latency_windows(const struct aq_run *run, struct aq_record *record) {
    const struct aq_latency_windows *windows = &run->latency_windows;
    struct aq_record_latency_window *rows = table(record, windows->row_count, sizeof *rows);
    if (!rows) return AQ_ENOMEM;
    if (windows->row_count) memcpy(rows, windows->rows, windows->row_count * sizeof *rows);
    record->latency_windows = rows;
    record->latency_window_count = windows->row_count;
    return 0;
}

static int fill_marks(const struct aq_run *run, struct aq_record *record) {
    struct aq_record_mark *marks = table(record, AQ_RUN_MARK_COUNT, sizeof *marks);
    if (!marks) return AQ_ENOMEM;
    const uint64_t *clients = aq_virtual_marks(run->world), *others = aq_ledger_marks(run->ledger);
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++)
        marks[i] = (struct aq_record_mark){
            aq_mark_word(i), i < AQ_CLIENT_MARK_COUNT ? clients[i] : others[i - AQ_CLIENT_MARK_COUNT]};
    record->marks = marks;
    record->mark_count = AQ_RUN_MARK_COUNT;
    return 0;
}

/* ---- the whole ---- */

struct reckoning {
    struct aq_ledger *ledger;
    uint32_t server;
    int rc;
};

static void reckon_job(void *arg, const struct aq_job_record *held) {
    struct reckoning *reckoning = arg;
    if (!reckoning->rc) reckoning->rc = aq_ledger_reckon(reckoning->ledger, reckoning->server, held);
}

static int reckon(struct aq_run *run) {
    for (uint32_t i = 0; i < run->metrics.server_count; i++) {
        struct reckoning reckoning = {run->ledger, i, 0};
        aq_virtual_each_job(run->world, i, reckon_job, &reckoning);
        if (reckoning.rc) return reckoning.rc;
    }
    return 0;
}

int aq_run_identify(const struct aq_scenario *s, uint64_t seed, struct aq_record *record) {
    record->scenario = aq_record_text(record, "%s", s->name);
    record->summary = aq_record_text(record, "%s", s->summary);
    record->scenario_text = aq_record_text(record, "%s", s->text);
    if (!record->scenario || !record->summary || !record->scenario_text) return AQ_ENOMEM;
    record->scenario_hash = s->hash;
    record->seed = seed;
    record->build = BUILD_TEXT;
    record->world = "virtual";
    record->fidelity = s->wire ? "wire" : "message";
    record->client_profile = profile_word(s->clients.profile);
    record->server_profile = profile_word(s->servers.profile);
    record->window_us = s->window_us;
    record->clients.count = s->clients.count;
    record->clients.workers = s->workers.count;
    return 0;
}

/* What commands were told. */
static int fill_figures(struct aq_run *run, struct aq_record *record) {
    const struct aq_stats_sum *stats = aq_workload_stats(run->workload);
    const struct aq_record_figure figures[] = {
        {"stats_servers", (double)stats->servers},   {"stats_tubes", (double)stats->tubes},
        {"stats_ready", (double)stats->ready},       {"stats_delayed", (double)stats->delayed},
        {"stats_reserved", (double)stats->reserved}, {"stats_buried", (double)stats->buried},
        {"stats_parents", (double)stats->parents},   {"stats_tps", stats->tps},
    };
    if (stats->answers == 0) return 0;
    struct aq_record_figure *kept = table(record, sizeof figures / sizeof *figures, sizeof *figures);
    if (!kept) return AQ_ENOMEM;
    memcpy(kept, figures, sizeof figures);
    record->figures = kept;
    record->figure_count = sizeof figures / sizeof *figures;
    return 0;
}

static void fill_outcome(struct aq_run *run, struct aq_record *record) {
    record->trace_hash = aq_trace_hash(&run->trace);
    record->interrupted = run->interrupted;
    record->events = aq_virtual_events(run->world);
    record->virtual_us = run->end_us;
}

static int judge_trust(const struct aq_run *run, struct aq_record *record) {
    struct aq_lag lag = aq_live_lag(run->live);
    double speed = run->options->speed > 0 ? run->options->speed : 1;
    return aq_trust_judge(run->options->scenario, &lag, speed, record,
                          (struct aq_record_check *)record->checks);
}

static int fill_checkpoints(const struct aq_run *run, struct aq_record *record) {
    uint32_t count = run->trace.checkpoint_count;
    struct aq_record_checkpoint *kept = table(record, count, sizeof *kept);
    if (!kept) return AQ_ENOMEM;
    memcpy(kept, run->trace.checkpoints, count * sizeof *kept);
    record->checkpoints = kept;
    record->checkpoint_count = count;
    return 0;
}

int aq_run_fill_record(struct aq_run *run, struct aq_record *record) {
    fill_outcome(run, record);
    int rc = fill_options(run, record);
    if (!rc) rc = fill_faults(run, record);
    if (!rc) rc = fill_phases(run, record);
    if (!rc) rc = fill_latencies(run, record);
    if (!rc) rc = fill_latency_windows(run, record);
    if (!rc) rc = fill_marks(run, record);
    if (!rc) rc = fill_checkpoints(run, record);
    if (!rc) rc = fill_figures(run, record);
    if (!rc) rc = aq_steady_fill(&run->steady, record);
    if (!rc) rc = reckon(run);
    if (!rc) rc = aq_ledger_finish(run->ledger, run->end_us, record);
    if (!rc) rc = fill_servers(run, record);
    if (!rc && run->live) rc = judge_trust(run, record);
    if (!rc) rc = aq_verdict_reach(run->options->scenario, record, (struct aq_record_check *)record->checks);
    return rc;
}
