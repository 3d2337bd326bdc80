/* The course of one plan: the scenario is scaled for each point, runs are measured, the outcome is stored and
 * printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/cli_plan.h"
#include "sim/cli_words.h"
#include "sim/measure_all.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

static int no_memory(struct aq_plan_session *s) {
    return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
}

/* ---- the question ---- */

static int load(struct aq_plan_session *s) {
    const struct aq_plan_arguments *a = s->arguments;
    struct aq_scenario_options options = {a->settings, a->setting_count, a->profile, NULL};
    int rc = aq_scenario_find(a->scenario, s->path, sizeof s->path, &s->error);
    return rc ? rc : aq_scenario_load(s->path, &options, &s->scenario, &s->error);
}

/* 1, 2 or 5 times a power of ten, so that the grid has about 40 points. */
static uint32_t nice_step(const struct aq_plan_grid *grid) {
    static const uint32_t factors[] = {1, 2, 5};
    uint32_t least = (grid->clients_to - grid->clients_from) / 40;
    for (uint32_t power = 1;; power *= 10)
        for (size_t i = 0; i < 3; i++)
            if (factors[i] * power > least) return factors[i] * power;
}

static int take_scale(struct aq_plan_session *s) {
    const struct aq_plan_arguments *a = s->arguments;
    const struct aq_scenario *base = s->scenario;
    s->grid = a->grid;
    if (!s->grid.clients_step) s->grid.clients_step = nice_step(&s->grid);
    s->scale =
        (struct aq_plan_scale){base, a->workers_per_client, base->producers.rate_per_s / base->clients.count};
    if (a->workers_per_client <= 0)
        s->scale.workers_per_client = (double)base->workers.count / base->clients.count;
    s->warm_up_us = base->plan.warm_up_us == AQ_TIME_NEVER ? base->duration_us / 4 : base->plan.warm_up_us;
    if (s->warm_up_us + base->window_us > base->duration_us || s->warm_up_us == 0)
        return aq_error_set(
            &s->error, AQ_EINVALID,
            "%s: plan.warm_up: nothing of duration is left to be measured: make warm_up shorter", s->path);
    if (s->grid.survive && base->fault_count)
        return aq_error_set(
            &s->error, AQ_EINVALID,
            "%s: has faults of its own, which --survive would have to add to: leave one of them out",
            s->path);
    return 0;
}

static int take_objective(struct aq_plan_session *s) {
    const char *text = s->arguments->slo ? s->arguments->slo : s->scenario->plan.slo;
    char origin[4200];
    if (!text)
        return aq_error_set(&s->error, AQ_EINVALID,
                            "%s: has no plan.slo: give the objective with --slo, such as 'p99(get) < 50ms'",
                            s->path);
    snprintf(origin, sizeof origin, "%s%s", s->arguments->slo ? "--slo" : s->path,
             s->arguments->slo ? "" : ": plan.slo");
    return aq_objective_parse(text, origin, &s->objective, &s->error);
}

static const char *reproduce_line(struct aq_plan_session *s) {
    const struct aq_plan_arguments *a = s->arguments;
    const struct aq_plan_grid *grid = &s->grid;
    struct aq_cli_line line;
    char text[64];
    aq_cli_line_begin(&line, &s->memory, "allqsim plan");
    aq_cli_line_word(&line, a->scenario);
    snprintf(text, sizeof text, "%u..%u", grid->clients_from, grid->clients_to);
    aq_cli_line_option(&line, "--clients", text);
    snprintf(text, sizeof text, "%u", grid->clients_step);
    aq_cli_line_option(&line, "--step", text);
    snprintf(text, sizeof text, "%u..%u", grid->servers_from, grid->servers_to);
    aq_cli_line_option(&line, "--servers", text);
    snprintf(text, sizeof text, "%.15g", a->workers_per_client);
    if (a->workers_per_client > 0) aq_cli_line_option(&line, "--workers-per-client", text);
    aq_cli_line_option(&line, "--slo", a->slo);
    snprintf(text, sizeof text, "%u", grid->survive);
    if (grid->survive) aq_cli_line_option(&line, "--survive", text);
    snprintf(text, sizeof text, "%u", grid->seeds_max);
    aq_cli_line_option(&line, "--seeds", text);
    snprintf(text, sizeof text, "%u/%u", grid->shard, grid->shards);
    if (grid->shards > 1) aq_cli_line_option(&line, "--shard", text);
    aq_cli_line_option(&line, "--profile", a->profile);
    for (uint32_t i = 0; i < a->setting_count; i++)
        aq_cli_line_option(&line, "--set", a->settings[i]);
    return line.text;
}

static const char *profile_word(enum aq_profile profile) {
    return profile == AQ_PROFILE_STRICT ? "strict" : "upstream";
}

static int describe(struct aq_plan_session *s) {
    const struct aq_scenario *base = s->scenario;
    s->plan = (struct aq_plan){.scenario = base->name,
                               .scenario_text = base->text,
                               .scenario_hash = base->hash,
                               .objective = s->arguments->slo ? s->arguments->slo : base->plan.slo,
                               .client_profile = profile_word(base->clients.profile),
                               .server_profile = profile_word(base->servers.profile),
                               .version = AQ_VERSION,
                               .build = aq_measure_build(),
                               .reproduce = reproduce_line(s),
                               .started_unix_s = time(NULL),
                               .clients_from = s->grid.clients_from,
                               .clients_to = s->grid.clients_to,
                               .clients_step = s->grid.clients_step,
                               .servers_from = s->grid.servers_from,
                               .servers_to = s->grid.servers_to,
                               .survive = s->grid.survive,
                               .seeds_min = s->grid.seeds_min,
                               .seeds_max = s->grid.seeds_max,
                               .shard = s->grid.shard,
                               .shards = s->grid.shards,
                               .workers_per_client = s->scale.workers_per_client,
                               .jobs_per_client_s = s->scale.jobs_per_client_s,
                               .duration_us = base->duration_us,
                               .warm_up_us = s->warm_up_us,
                               .not_modelled = "",
                               .advice = ""};
    return s->plan.reproduce ? 0 : no_memory(s);
}

/* ---- runs ---- */

/* The servers with the highest indexes end as measuring begins, and stay away. */
static void write_crash(char *text, size_t size, const struct aq_plan_run *run, aq_time_us at_us) {
    size_t used = (size_t)snprintf(
        text, size, "faults=[{\"kind\":\"crash\",\"at\":\"%" PRIu64 "us\",\"servers\":[", at_us);
    for (uint32_t i = 0; i < run->down && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%u", i ? "," : "", run->servers - run->down + i);
    snprintf(text + used, size - used, "]}]");
}

static void write_arrivals(char *text, size_t size, const struct aq_scenario *base, double jobs_per_s) {
    static const char key[] = "producers.arrivals=";
    switch (base->producers.arrivals) {
    case AQ_ARRIVALS_NONE: snprintf(text, size, "%s\"none\"", key); break;
    case AQ_ARRIVALS_POISSON: snprintf(text, size, "%s{\"poisson\":\"%.15g/s\"}", key, jobs_per_s); break;
    case AQ_ARRIVALS_CONSTANT: snprintf(text, size, "%s{\"constant\":\"%.15g/s\"}", key, jobs_per_s); break;
    case AQ_ARRIVALS_BURSTS:
        snprintf(text, size, "%s{\"bursts\":{\"rate\":\"%.15g/s\",\"jobs\":%u}}", key, jobs_per_s,
                 base->producers.burst_jobs);
        break;
    }
}

static int make(void *arg, uint64_t task, struct aq_measure_job *out, struct aq_error *error) {
    const struct aq_plan_session *s = arg;
    const struct aq_plan_arguments *a = s->arguments;
    struct aq_plan_run run = aq_plan_run_unpack(task);
    char texts[6][24 * 1024 / 6];
    const char *settings[AQ_PLAN_SETTINGS_MAX + 6];
    uint32_t count = a->setting_count;
    memcpy(settings, a->settings, count * sizeof *settings);
    snprintf(texts[0], sizeof texts[0], "servers.count=%u", run.servers);
    snprintf(texts[1], sizeof texts[1], "clients.count=%u", run.clients);
    snprintf(texts[2], sizeof texts[2], "workers.count=%u",
             (uint32_t)(run.clients * s->scale.workers_per_client + 0.5));
    snprintf(texts[3], sizeof texts[3], "settle=\"0\"");
    write_arrivals(texts[4], sizeof texts[4], s->scenario, run.clients * s->scale.jobs_per_client_s);
    write_crash(texts[5], sizeof texts[5], &run, s->warm_up_us);
    for (uint32_t i = 0; i < (run.down ? 6 : 5); i++)
        settings[count++] = texts[i];
    struct aq_scenario_options options = {settings, count, a->profile, "message"};
    struct aq_measure_job job = {.seed = run.seed, .steady_from_us = s->warm_up_us};
    int rc = aq_scenario_load(s->path, &options, &job.scenario, error);
    if (!rc) *out = job;
    return rc;
}

static bool next(void *arg, uint64_t *task) {
    struct aq_plan_session *s = arg;
    struct aq_plan_run run;
    if (!aq_planner_next(&s->planner, &run)) return false;
    *task = aq_plan_run_pack(&run);
    return true;
}

static int take(void *arg, uint64_t task, const struct aq_measured *measured) {
    struct aq_plan_session *s = arg;
    struct aq_plan_run run = aq_plan_run_unpack(task);
    return aq_planner_take(&s->planner, &run, measured);
}

static void tick(void *arg) {
    struct aq_plan_session *s = arg;
    uint32_t done = 0;
    uint64_t runs = 0, now_us = aq_wall_us();
    if (!s->terminal || now_us - s->last_line_us < AQ_US_PER_S) return;
    s->last_line_us = now_us;
    for (uint32_t i = 0; i < s->planner.search_count; i++)
        done += s->planner.searches[i].done;
    for (uint32_t i = 0; i < s->planner.point_count; i++)
        runs += s->planner.points[i].have;
    fprintf(stderr, "\r\033[K%" PRIu64 " runs, %u points, %u of %u knees, %.0f s", runs,
            s->planner.point_count, done, s->planner.search_count, (double)(now_us - s->start_us) / 1e6);
}

static int measure(struct aq_plan_session *s, struct aq_store *store) {
    const char *wanted[AQ_OBJECTIVE_TERMS_MAX];
    for (uint32_t i = 0; i < s->objective.count; i++)
        wanted[i] = s->objective.terms[i].figure;
    struct aq_measure_options options = {.jobs = s->arguments->jobs,
                                         .stop = s->stop,
                                         .store = store,
                                         .version = AQ_VERSION,
                                         .wanted = wanted,
                                         .wanted_count = s->objective.count,
                                         .next = next,
                                         .make = make,
                                         .take = take,
                                         .tick = tick,
                                         .arg = s};
    struct aq_measure_outcome outcome;
    if (aq_planner_init(&s->planner, &s->grid, &s->objective)) return no_memory(s);
    int rc = aq_measure_all(&options, &outcome, &s->error);
    if (s->terminal) fputs("\r\033[K", stderr);
    s->plan.interrupted = outcome.interrupted;
    s->plan.runs = outcome.runs;
    s->plan.reused_runs = outcome.reused;
    s->plan.events = outcome.events;
    s->plan.wall_us = aq_wall_us() - s->start_us;
    return rc;
}

/* ---- the outcome ---- */

static int finish(struct aq_plan_session *s, struct aq_store *store) {
    int64_t number;
    if (aq_plan_conclude(&s->planner, &s->scale, &s->memory, &s->plan)) return no_memory(s);
    bool part = s->plan.shards > 1; /* its runs are kept; the plan is made of those of all parts */
    int rc = store && !part ? aq_store_add_plan(store, &s->plan, &number, &s->error) : 0;
    if (rc) return rc;
    s->exit_code = s->plan.interrupted                   ? AQ_EXIT_INTERRUPTED
                   : part || s->plan.recommended_clients ? AQ_EXIT_PASS
                                                         : AQ_EXIT_MEASURE;
    if (s->arguments->quiet) return 0;
    rc = s->arguments->json ? aq_print_plan_json(stdout, &s->plan) : aq_print_plan_text(stdout, &s->plan);
    return rc ? aq_error_set(&s->error, rc, "standard output could not be written") : 0;
}

int aq_plan_session_run(struct aq_plan_session *s) {
    struct aq_store *store = NULL;
    s->start_us = aq_wall_us();
    s->terminal = isatty(STDERR_FILENO);
    int rc = load(s);
    if (!rc) rc = take_scale(s);
    if (!rc) rc = take_objective(s);
    if (!rc) rc = describe(s);
    if (!rc && s->arguments->database) rc = aq_store_open(s->arguments->database, true, &store, &s->error);
    if (!rc) rc = measure(s, store);
    if (!rc) rc = finish(s, store);
    aq_store_close(store);
    return rc;
}

void aq_plan_session_close(struct aq_plan_session *s) {
    aq_planner_close(&s->planner);
    aq_scenario_free(s->scenario);
    aq_arena_close(&s->memory);
}
