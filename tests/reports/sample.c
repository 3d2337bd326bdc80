#include "sample.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const struct aq_record_option options[] = {
    {"clients.count", "1000"}, {"servers.policy.note", "tab\there, quote \" and \\ and é"}, {"empty", ""}};

static const struct aq_record_server servers[] = {
    {.index = 0,
     .id = "gDt1JvS",
     .address = "10.0.0.1:5555",
     .puts = 52345,
     .gets = 51000,
     .empty_gets = 1234567,
     .completions = 50999,
     .requests = 1400000,
     .errors = 3,
     .missed = 2,
     .expired = 5,
     .buried = 1,
     .lost = 0,
     .choices = 250000,
     .share = 0.25,
     .busy = 0.1 + 0.2,
     .queue_max = 17,
     .incarnations = 1,
     .held = {1, 2, 3, 4, 5}},
    {.index = 1,
     .id = "+/x\033[31",
     .address = "a-very-long-host-name.example.org:65535",
     .puts = UINT64_MAX,
     .share = (double)NAN,
     .busy = (double)INFINITY,
     .queue_max = UINT32_MAX,
     .incarnations = 2,
     .held = {0, 0, 0, 0, UINT64_MAX}},
    {.index = 2, .id = "same", .address = "10.0.0.3:5555", .choices = 750000, .share = 0.75, .busy = -0.0},
};

static const uint64_t choices_before[] = {100, 100, 200}, choices_during[] = {200, 0, 200};
static const struct aq_record_phase phases[] = {
    {"before", 0, 20 * AQ_US_PER_S, choices_before},
    {"crash server 1", 20 * AQ_US_PER_S, 30500000, choices_during},
    {"nothing chosen", 30500000, AQ_TIME_NEVER, NULL},
};

static const struct aq_record_window windows[] = {
    {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1},
    {0, 1, UINT32_MAX, 0, 0, 0, 0, 0, 40, 0, 0, 0},
    {1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {1, 1, 0, 0, 0, 0, 0, 0, 60, 0, 0, 1},
};

static const struct aq_record_fault faults[] = {
    {"crash", "crash", "server 1", 20 * AQ_US_PER_S, 30500000, 1, true},
    {"drop_reply", "lost\nreplies \xff", "30 % of clients", 1, AQ_TIME_NEVER, 4321, true},
    {"latency", "never", "all", 99 * AQ_US_PER_S, 100 * AQ_US_PER_S, 0, false},
};

static const struct aq_record_figure origin_figures[] = {
    {"p_value", 0.1}, {"violations", 3}, {"not_a_number", (double)NAN}};
static const struct aq_record_figure again_figures[] = {{"ttl_expiry", 30}, {"negative_zero", -0.0}};
static const struct aq_record_check checks[] = {
    {.name = "completion-origin",
     .holds_when = "every completion reaches its origin",
     .verdict = AQ_VERDICT_FAIL,
     .caught = true,
     .expected_to_fail = true,
     .judged = 203412,
     .violations = 12,
     .remark = "12 completions went to another server",
     .figures = origin_figures,
     .figure_count = COUNT_OF(origin_figures)},
    {.name = "conservation",
     .holds_when = "nothing is unexplained",
     .judged = 5,
     .remark = "",
     .verdict = AQ_VERDICT_PASS},
    {.name = "duplicate-execution",
     .holds_when = "jobs are run once",
     .verdict = AQ_VERDICT_FAIL,
     .judged = 77,
     .violations = 2,
     .remark = "over the budget\nof 0.1 %",
     .figures = again_figures,
     .figure_count = COUNT_OF(again_figures)},
    {.name = "failover", .holds_when = "", .verdict = AQ_VERDICT_UNKNOWN, .remark = "nothing to judge"},
    {.name = "slo", .holds_when = "", .verdict = AQ_VERDICT_PASS, .expected_to_fail = true, .remark = ""},
};

static const char *const story_a[] = {"[20.000001] worker 7 > done gDt1JvS,abc -> server 1: missed",
                                      "[20.1] bell \a, escape \033[0m"};
static const char *const story_b[] = {"[1.5] worker 1 < get: same,job"};
static const struct aq_record_violation violations[] = {
    {"completion-origin", "completion at another server", 20000001, "gDt1JvS,abc", 41, 0, 1, story_a,
     COUNT_OF(story_a)},
    {"completion-origin", "completion at another server", 20000002, "gDt1JvS,abd", UINT64_MAX, 0, 2, NULL, 0},
    {"duplicate-execution", "executed twice", 1500000, "", 0, -1, -1, story_b, COUNT_OF(story_b)},
    {"completion-origin", "completion at another server", AQ_TIME_NEVER, "x", 1, -1, 3, story_b,
     COUNT_OF(story_b)},
};

static const struct aq_record_mark marks[] = {{"lease_expired", 1234}, {"reply_dropped", 0}};
static const struct aq_record_checkpoint checkpoints[] = {{256, 1500000, UINT64_C(0xfedcba9876543210)},
                                                          {512, 2500000, 1}};

static const struct aq_record_figure figures[] = {{"throughput_per_s", 3382.125},
                                                  {"jain_index", 1.0 / 3.0},
                                                  {"tiny", 5e-324},
                                                  {"infinite", (double)INFINITY}};

static void fill_histogram(struct aq_histogram *histogram, uint64_t step_us, uint32_t count) {
    assert_int_equal(aq_histogram_init(histogram), 0);
    for (uint32_t i = 1; i <= count; i++)
        aq_histogram_record(histogram, i * step_us);
}

static void fill_latencies(struct aq_record *record) {
    static const char *const operations[] = {"put", "get", "wait"};
    record->latencies = aq_arena_alloc(&record->memory, sizeof *record->latencies * COUNT_OF(operations));
    assert_non_null(record->latencies);
    record->latency_count = COUNT_OF(operations);
    for (uint32_t i = 0; i < record->latency_count; i++)
        record->latencies[i].operation = operations[i];
    fill_histogram(&record->latencies[0].histogram, 1000, 1000);
    fill_histogram(&record->latencies[1].histogram, 0, 0);
    fill_histogram(&record->latencies[2].histogram, UINT64_C(1) << 40, 300); /* beyond the last bucket, too */
    fill_histogram(&record->clients.failover, 250000, 4);
}

static const struct aq_record_latency_window latency_windows[] = {
    {"put", 0, 500, 125250000, 1000, 500000, 250000, 450000, 495000, 499500},
    {"wait", 0, 1, 7, 7, 7, 7, 7, 7, 7},
    {"put", UINT32_MAX, 500, 375250000, 501000, 1000000, 750000, 950000, 995000, 999500},
};

static void fill_totals(struct aq_record *record) {
    record->jobs.produced = 210000;
    record->jobs.accepted = 209990;
    record->jobs.completed = 209000;
    record->jobs.held = 12;
    record->jobs.lost_declared = 978;
    record->jobs.executed_again = 31;
    record->completions.sent = 209100;
    record->completions.applied = 209000;
    record->completions.acked = 208990;
    record->completions.misrouted = 12;
    record->completions.origin_gone = 50;
    record->completions.unknown = 38;
    record->clients.count = 1000;
    record->clients.workers = 5000;
}

void sample_fill(struct aq_record *record) {
    aq_record_init(record);
    record->scenario = "server-crash";
    record->summary = "One of the servers crashes while jobs are leased; its memory is lost.";
    record->scenario_text = "{\n  \"name\": \"server-crash\"\n}\n";
    record->scenario_hash = 0xfedcba9876543210u;
    record->trace_hash = 0x00000000000000abu;
    record->seed = UINT64_MAX;
    record->seed_text = aq_record_text(record, "%d", 4711);
    record->version = "0.1.0";
    record->build = "gcc 12.2.0 Release";
    record->world = "virtual";
    record->fidelity = "wire";
    record->client_profile = "strict";
    record->server_profile = "upstream";
    record->reproduce = "allqsim run server-crash --seed 4711";
    record->started_unix_s = 1700000000;
    record->verdict = AQ_VERDICT_FAIL;
    record->reason = "duplicate-execution failed; caught as expected: completion-origin";
    record->exit_code = 1;
    record->events = 12345678;
    record->virtual_us = 70250000;
    record->wall_us = 1500000;
    record->peak_rss_bytes = 220 * UINT64_C(1048576);
    record->window_us = AQ_US_PER_S;
    fill_totals(record);
    record->options = options, record->option_count = COUNT_OF(options);
    record->servers = servers, record->server_count = COUNT_OF(servers);
    record->phases = phases, record->phase_count = COUNT_OF(phases);
    record->windows = windows, record->window_count = COUNT_OF(windows);
    record->faults = faults, record->fault_count = COUNT_OF(faults);
    record->checks = checks, record->check_count = COUNT_OF(checks);
    record->violations = violations, record->violation_count = COUNT_OF(violations);
    record->marks = marks, record->mark_count = COUNT_OF(marks);
    record->figures = figures, record->figure_count = COUNT_OF(figures);
    record->checkpoints = checkpoints, record->checkpoint_count = COUNT_OF(checkpoints);
    fill_latencies(record);
    record->latency_windows = latency_windows;
    record->latency_window_count = COUNT_OF(latency_windows);
}

char *sample_printed(int (*print)(FILE *stream, const struct aq_record *record),
                     const struct aq_record *record) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(print(stream, record), 0);
    fclose(stream);
    return text;
}

char *sample_exploration_printed(int (*print)(FILE *stream, const struct aq_exploration *exploration),
                                 const struct aq_exploration *exploration) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(print(stream, exploration), 0);
    fclose(stream);
    return text;
}

/* ---- an exploration ---- */

static const char *const two[] = {"00000000000000aa", "00000000000000bb"};

const struct aq_explored_seed sample_seeds[4] = {
    {.seed = 10,
     .verdict = AQ_SEED_PASS,
     .reason = "all checks hold",
     .drawn = "servers.count=2",
     .trace_hash = 7,
     .events = 100,
     .virtual_us = 1000000,
     .wall_us = 2000,
     .replayed = true},
    {.seed = 11,
     .verdict = AQ_SEED_FAIL,
     .exit_code = 1,
     .reason = "broken: no-false-ack",
     .drawn = "servers.count=3",
     .trace_hash = UINT64_MAX,
     .events = 60,
     .virtual_us = 500000,
     .wall_us = 1000,
     .fingerprints = two,
     .fingerprint_count = 2},
    {.seed = 12, .verdict = AQ_SEED_CRASH, .exit_code = 70, .reason = "Aborted", .drawn = ""},
    {.seed = 13, .verdict = AQ_SEED_NO_RUN, .reason = "out of memory"},
};

static const struct aq_exploration_failure failures[] = {
    {"00000000000000aa", "no-false-ack", "told ok", "worker > done", 1, 11, 11, 1},
    {"00000000000000cc", "crash", "Aborted", "", 1, 12, 12, 0},
};
static const struct aq_exploration_mark exploration_marks[] = {
    {"lease_expired", 40, 2, true}, {"job_lost", 0, 0, true}, {"job_taken", 0, 0, false}};
static const struct aq_exploration_find finds[] = {
    {.from_seed = 10, .found_seed = 11, .found = true, .seeds = 2, .virtual_us = 1500000, .wall_us = 3000},
    {.from_seed = 12, .seeds = 2}};

const struct aq_exploration sample_exploration = {.scenario = "swarm",
                                                  .scenario_text = "{}",
                                                  .client_profile = "strict",
                                                  .server_profile = "strict",
                                                  .version = "0.1.0",
                                                  .build = "GNU 12 Debug",
                                                  .reproduce = "allqsim explore swarm --seeds 10..13",
                                                  .scenario_hash = 0xfedc,
                                                  .started_unix_s = 1700000000,
                                                  .seed_from = 10,
                                                  .seed_to = UINT64_MAX,
                                                  .shard = 1,
                                                  .shards = 1,
                                                  .jobs = 2,
                                                  .replay_checked = 1,
                                                  .exit_code = 1,
                                                  .reason = "2 sorts of failure in 2 of 4 seeds",
                                                  .seeds = {1, 1, 0, 1, 1},
                                                  .events = 160,
                                                  .virtual_us = 3600000000,
                                                  .busy_us = 3000,
                                                  .wall_us = 2000000,
                                                  .failures = failures,
                                                  .failure_count = 2,
                                                  .marks = exploration_marks,
                                                  .mark_count = 3,
                                                  .finds = finds,
                                                  .find_count = 2};

/* ---- a plan ---- */

static const struct aq_plan_measure measures[] = {{"p99(get) < 250ms", "p99(get)", "s", 0.25},
                                                  {"fairness", "fairness", "", NAN}};
static const struct aq_plan_value held[] = {{0.12, 0.01, 0.1, "holds"}, {0.99, 0.001, 1, ""}};
static const struct aq_plan_value broken[] = {{0.5, 0.05, INFINITY, "fails"}, {0.9, INFINITY, NAN, ""}};
static const struct aq_plan_row points[] = {
    {2, 200, 0, 3, "holds", held}, {2, 300, 0, 3, "fails", broken}, {2, 100, 1, 5, "holds", held}};
static const struct aq_plan_knee knees[] = {
    {.servers = 2,
     .holds = 200,
     .fails = 300,
     .theory = 200,
     .breaks = "server saturated: p99(get) is 500 ms"},
    {.servers = 2, .down = 1, .holds = 100, .theory = 100, .breaks = ""}};
static const char *const warnings[] = {"2 servers: theory and simulation part"};

const struct aq_plan sample_plan = {.scenario = "capacity",
                                    .scenario_text = "{}",
                                    .objective = "p99(get) < 250ms",
                                    .client_profile = "strict",
                                    .server_profile = "strict",
                                    .version = "0.1.0",
                                    .build = "GNU 12 Debug",
                                    .reproduce = "allqsim plan capacity --clients 100..300 --servers 2",
                                    .scenario_hash = 0xfedc,
                                    .started_unix_s = 1700000000,
                                    .clients_from = 100,
                                    .clients_to = 300,
                                    .clients_step = 100,
                                    .servers_from = 2,
                                    .servers_to = 2,
                                    .survive = 1,
                                    .seeds_min = 3,
                                    .seeds_max = 8,
                                    .workers_per_client = 1,
                                    .jobs_per_client_s = 0.5,
                                    .duration_us = 36000000,
                                    .warm_up_us = 6000000,
                                    .not_modelled = "",
                                    .measures = measures,
                                    .measure_count = 2,
                                    .term_count = 1,
                                    .rows = points,
                                    .row_count = 3,
                                    .knees = knees,
                                    .knee_count = 2,
                                    .warnings = warnings,
                                    .warning_count = 1,
                                    .recommended_clients = 100,
                                    .recommended_servers = 2,
                                    .advice = "Up to 50 clients for each server.",
                                    .runs = 11,
                                    .reused_runs = 4,
                                    .events = 1000,
                                    .wall_us = 2000000};

const struct aq_kept_run sample_kept_run = {0xfedc, 7, 6000000, true, "0.1.0", "GNU 12 Debug"};
const struct aq_kept_figure sample_kept_figures[2] = {{"run.steady_fairness", 0.75}, {"run.nothing_s", NAN}};
