#include "sim/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/foreign_uv.h"
#include "sim/ledger.h"
#include "sim/live.h"
#include "sim/metrics.h"
#include "sim/nemesis.h"
#include "sim/run_record.h"
#include "sim/virtual.h"
#include "sim/workload.h"
#include "sim/wall_clock.h"

/* ---- set-up ---- */

static uint32_t highest_address(const struct aq_scenario *s) {
    uint32_t highest = s->servers.count - 1;
    for (uint32_t g = 0; g < s->clients.group_count; g++)
        for (uint32_t i = 0; i < s->clients.groups[g].server_count; i++)
            if (s->clients.groups[g].servers[i] > highest) highest = s->clients.groups[g].servers[i];
    for (uint32_t f = 0; f < s->fault_count; f++)
        for (uint32_t i = 0; i < s->faults[f].server_list_count; i++)
            if (s->faults[f].server_list[i] > highest) highest = s->faults[f].server_list[i];
    for (uint32_t i = 0; i < s->command_count; i++)
        if (s->commands[i].server > highest) highest = s->commands[i].server;
    return highest;
}

static int add_address(struct aq_address_book *book, const char *text, struct aq_error *error) {
    uint32_t index;
    return aq_address_book_add(book, aq_text_of(text), &index, error);
}

/* Servers that run elsewhere, as the scenario lists them. */
static int add_connected(struct aq_run *run, struct aq_error *error) {
    const char *item = run->options->scenario->servers.connect, *end;
    for (uint32_t i = 0;; item = end + 1, i++) {
        uint32_t index;
        end = item + strcspn(item, ",");
        struct aq_text address = {item, (uint32_t)(end - item)};
        int rc = aq_address_book_add(&run->book, address, &index, error);
        if (!rc && index != i)
            rc = aq_error_set(error, AQ_EUNSUPPORTED, "%.*s is there twice", AQ_TEXT_ARGS(address));
        if (rc) {
            aq_error_prefix(error, "servers.connect");
            return rc;
        }
        if (!*end) return 0;
    }
}

/* Servers get addresses of the loopback network, as they have in the live world, one host each unless they
 * share one. */
static int make_book(struct aq_run *run, struct aq_error *error) {
    const struct aq_scenario *s = run->options->scenario;
    int rc = s->servers.connect ? add_connected(run, error) : 0;
    if (rc) return rc;
    uint32_t count = highest_address(s) + 1;
    char text[64];
    for (uint32_t i = run->book.count; i < count; i++) {
        if (run->options->serve && i < s->servers.count)
            snprintf(text, sizeof text, "%s", run->options->serve->addresses[i]);
        else if (i < run->held.count)
            snprintf(text, sizeof text, "%s", run->held.texts[i]);
        else if (s->clients.exec ||
                 s->servers
                     .connect) /* other programs go where it says: nothing listens at the port "discard" */
            snprintf(text, sizeof text, "127.0.%u.%u:9", 1 + i / 254, 1 + i % 254);
        else if (s->servers.same_host)
            snprintf(text, sizeof text, "127.0.1.1:%u", 5555 + i);
        else
            snprintf(text, sizeof text, "127.0.%u.%u:5555", 1 + i / 254, 1 + i % 254);
        rc = add_address(&run->book, text, error);
        if (rc) return rc;
    }
    if (s->balancer == AQ_BALANCER_NONE) return 0;
    return add_address(&run->book, "127.0.0.2:5555", error);
}

static int make_server_ids(struct aq_run *run) {
    uint32_t count = run->options->scenario->servers.count;
    run->server_ids = aq_alloc(count * sizeof *run->server_ids);
    if (!run->server_ids) return AQ_ENOMEM;
    bool host_only = run->options->scenario->clients.policy.id_from_host_only;
    for (uint32_t i = 0; i < count; i++)
        run->server_ids[i] = aq_address_id(&run->book.items[i], host_only)->text;
    return 0;
}

static int begin_phase(struct aq_run *run, aq_time_us now_us);

static int observe(void *arg, const struct aq_observation *seen) {
    struct aq_run *run = arg;
    int rc = aq_trace_observation(&run->trace, seen);
    if (rc) return rc;
    aq_metrics_observe(&run->metrics, seen);
    if (run->options->steady_from_us) rc = aq_steady_observe(&run->steady, seen);
    if (!rc) rc = aq_ledger_observe(run->ledger, seen);
    if (!rc && run->options->observed) rc = run->options->observed(run->options->watch_arg, seen);
    if (rc || (seen->kind != AQ_SEEN_FAULT && seen->kind != AQ_SEEN_FAULT_END)) return rc;
    return begin_phase(run, seen->at_us);
}

/* What clients that are other programs need: the addresses that servers really have, and their processes. */
static int set_up_foreign(struct aq_run *run, struct aq_error *error) {
    const struct aq_live_outside outside = {0};
    int rc = aq_live_serve_outside(run->live, &outside, error);
    if (rc) return rc;
    struct aq_foreign_config config = {.world = run->world,
                                       .live = run->live,
                                       .keys = aq_live_client_keys(run->live),
                                       .server_public_z85 = aq_live_server_public_z85(run->live),
                                       .stop = run->options->stop,
                                       .error = error};
    return aq_foreign_new(&config, &run->foreign);
}

/* No two runs have the same, whatever their seeds: jobs that another has left behind are not met. */
static int make_tube_suffix(struct aq_run *run, struct aq_error *error) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return aq_error_set(error, AQ_EIO, "no random numbers: %s", strerror(errno));
    snprintf(run->tube_suffix, sizeof run->tube_suffix, ".%016" PRIx64, number);
    return 0;
}

static int set_up(struct aq_run *run, struct aq_error *error) {
    const struct aq_scenario *s = run->options->scenario;
    double speed = run->options->speed > 0 ? run->options->speed : 1;
    int rc = run->options->live ? aq_live_check(s, speed, error) : aq_scenario_check_world(s, false, error);
    if (!rc && s->clients.exec)
        rc = aq_held_addresses_open(s->servers.count, s->servers.same_host, &run->held, error);
    if (!rc) rc = make_book(run, error);
    if (!rc) rc = make_server_ids(run);
    if (!rc) rc = aq_metrics_init(&run->metrics, s->servers.count);
    if (!rc) rc = aq_latency_windows_init(&run->latency_windows);
    if (!rc && run->options->steady_from_us) rc = aq_steady_init(&run->steady, s->servers.count);
    run->states = aq_alloc_zeroed(s->servers.count, sizeof *run->states);
    if (!rc && !run->states) rc = AQ_ENOMEM;
    if (rc) return rc;
    aq_trace_init(&run->trace);
    run->trace.line = run->options->trace_line;
    run->trace.line_arg = run->options->trace_arg;
    run->trace.checkpoint = run->options->checkpoint;
    run->trace.checkpoint_arg = run->options->checkpoint_arg;
    struct aq_ledger_config ledger = {s, &run->book, &run->sets, run->server_ids, 0};
    if (run->options->live) ledger.timer_slack_us = aq_live_timer_slack_us(run->options->speed);
    rc = aq_ledger_new(&ledger, &run->ledger);
    if (rc) return rc;
    struct aq_observer observer = {run, observe};
    struct aq_virtual_config world = {.scenario = s,
                                      .book = &run->book,
                                      .seed = run->options->seed,
                                      .observer = observer,
                                      .trace = &run->trace,
                                      .eligible_sets = &run->sets,
                                      .client_step = run->options->client_step,
                                      .stop = run->options->stop};
    rc = aq_virtual_new(&world, &run->world);
    if (!rc && run->options->live) rc = aq_live_new(run->world, speed, &run->live, error);
    const struct aq_serve *serve = run->options->serve;
    if (!rc && serve) rc = aq_live_serve_outside(run->live, &serve->outside, error);
    if (!rc && s->clients.exec) rc = set_up_foreign(run, error);
    if (rc) return rc;
    struct aq_workload_config workload = {
        s,    run->options->seed,  aq_virtual_world(run->world), observer, &run->book,
        NULL, run->options->paired};
    if (s->servers.connect && s->servers.own_tube) {
        rc = make_tube_suffix(run, error);
        if (rc) return rc;
        workload.tube_suffix = run->tube_suffix;
    }
    rc = aq_workload_new(&workload, &run->workload);
    if (rc) return rc;
    struct aq_nemesis_config nemesis = {
        s, &run->book, run->options->seed, aq_virtual_world(run->world), run->workload, observer, 0};
    if (serve) nemesis.fault_capacity = s->fault_count + AQ_SERVE_ADDED_FAULTS_MAX;
    rc = aq_nemesis_new(&nemesis, &run->nemesis);
    if (rc) return rc;
    aq_virtual_attach(run->world, run->workload, run->nemesis);
    return 0;
}

static void tear_down(struct aq_run *run) {
    if (run->told_started) run->options->serve->ending(run->options->serve->owner);
    aq_foreign_free(run->foreign);
    aq_virtual_free(run->world);
    aq_live_free(run->live);
    aq_nemesis_free(run->nemesis);
    aq_workload_free(run->workload);
    aq_ledger_free(run->ledger);
    aq_metrics_close(&run->metrics);
    aq_latency_windows_close(&run->latency_windows);
    aq_steady_close(&run->steady);
    aq_address_book_close(&run->book);
    aq_held_addresses_close(&run->held);
    aq_free(run->server_ids);
    aq_free(run->states);
    aq_free(run->sets.members);
    aq_free(run->sets.offsets);
}

/* ---- the course of a run ---- */

static int begin_phase(struct aq_run *run, aq_time_us now_us) {
    char name[200];
    if (run->nemesis) aq_nemesis_describe(run->nemesis, name, sizeof name);
    if (!run->nemesis || !name[0])
        snprintf(name, sizeof name, "%s",
                 run->healed                ? "settle"
                 : run->metrics.phase_count ? "after"
                                            : "before");
    return aq_metrics_phase(&run->metrics, now_us, name);
}

static int tell_stats(struct aq_run *run) {
    struct aq_arena arena = {0};
    int rc = 0;
    for (uint32_t i = 0; !rc && i < run->metrics.server_count; i++) {
        struct aq_server_stats stats;
        rc = aq_virtual_stats(run->world, i, &arena, &stats);
        if (!rc)
            rc = run->options->stats(run->options->stats_arg, aq_virtual_now(run->world),
                                     run->book.items[i].text, &stats);
        if (rc == AQ_ENOENT) rc = 0;
        aq_arena_reset(&arena);
    }
    aq_arena_close(&arena);
    return rc;
}

static int close_window(struct aq_run *run) {
    for (uint32_t i = 0; i < run->metrics.server_count; i++) {
        struct aq_virtual_server_state state = aq_virtual_server_state(run->world, i);
        run->states[i] = (struct aq_window_state){.queue = state.counters.queue,
                                                  .ready = (uint32_t)state.counters.jobs[AQ_JOB_READY],
                                                  .reserved = (uint32_t)state.counters.jobs[AQ_JOB_RESERVED],
                                                  .up = state.up};
    }
    int rc = 0;
    for (int i = 0; i < AQ_LATENCY_COUNT && !rc; i++)
        rc = aq_latency_windows_add(&run->latency_windows, run->metrics.windows_closed, (enum aq_latency)i,
                                    aq_workload_latency(run->workload, (enum aq_latency)i));
    if (!rc && run->options->stats && !run->healed) rc = tell_stats(run);
    return rc ? rc : aq_metrics_close_window(&run->metrics, run->states);
}

/* Nothing is left that could still move: no job waits or is held, no put is under way, and nobody waits for
   an answer since before the end of the faults. */
static bool drained(const struct aq_run *run) {
    bool waits = run->options->scenario->producers.parents.share > 0; /* parents have their timeouts */
    if (aq_workload_puts_open(run->workload) || aq_workload_old_calls_open(run->workload)) return false;
    if (run->options->scenario->servers.connect) return aq_ledger_alive(run->ledger) == 0;
    for (uint32_t i = 0; i < run->metrics.server_count; i++) {
        struct aq_virtual_server_state state = aq_virtual_server_state(run->world, i);
        if (!state.up || state.counters.queue || state.counters.jobs[AQ_JOB_READY] ||
            state.counters.jobs[AQ_JOB_DELAYED] || state.counters.jobs[AQ_JOB_RESERVED])
            return false;
        if (waits && state.counters.jobs[AQ_JOB_PARENT]) return false;
    }
    return true;
}

/* The clients go on as they like, so nothing is healed and nothing demanded: only the faults' receipts are
 * taken. */
static int end_serving(struct aq_run *run, int rc) {
    if (rc == AQ_EINTERRUPTED) rc = close_window(run);
    return rc ? rc : aq_nemesis_heal(run->nemesis, aq_virtual_now(run->world));
}

static int tell_started(struct aq_run *run, struct aq_error *error) {
    const struct aq_serve *serve = run->options->serve;
    run->told_started = true;
    return serve->started(serve->owner, run, aq_live_loop(run->live), error);
}

static int heal(struct aq_run *run, aq_time_us now_us) {
    aq_workload_stop_load(run->workload);
    int rc = aq_nemesis_heal(run->nemesis, now_us);
    if (!rc) rc = aq_virtual_start_all(run->world);
    struct aq_observation seen = {.at_us = now_us,
                                  .kind = AQ_SEEN_HEALED,
                                  .server = AQ_NOBODY,
                                  .client = AQ_NOBODY,
                                  .caller = AQ_NOBODY};
    if (!rc) rc = observe(run, &seen);
    run->healed = true;
    return rc ? rc : begin_phase(run, now_us);
}

static void tell_progress(const struct aq_run *run, aq_time_us now_us, aq_time_us end_us) {
    if (!run->options->progress) return;
    struct aq_progress progress = {.now_us = now_us,
                                   .end_us = end_us,
                                   .events = aq_virtual_events(run->world),
                                   .completed = aq_ledger_completed(run->ledger),
                                   .violations = aq_ledger_violations(run->ledger),
                                   .settling = run->healed};
    run->options->progress(run->options->progress_arg, &progress);
}

/* What a run is that was stopped for a look at it: interrupted. */
static int stop_early(struct aq_run *run, aq_time_us until_us) {
    int rc = aq_virtual_run(run->world, until_us);
    run->end_us = aq_virtual_now(run->world);
    run->interrupted = !rc || rc == AQ_EINTERRUPTED;
    aq_metrics_end(&run->metrics, run->end_us);
    return run->interrupted ? 0 : rc;
}

/* At the end of a window: the steady part begins, or ends with the load. */
static void bound_steady(struct aq_run *run, aq_time_us now_us) {
    struct aq_steady *steady = &run->steady;
    if (!run->options->steady_from_us || steady->to_us) return;
    if (!steady->begun && now_us >= run->options->steady_from_us)
        aq_steady_begin(steady, now_us, run->workload, run->world);
    else if (steady->begun && now_us >= run->options->scenario->duration_us)
        aq_steady_end(steady, now_us, run->workload, run->world);
}

/* Window by window: load and faults for the scenario's duration, then until drained, at most the settle time.
 */
static int go(struct aq_run *run, struct aq_error *error) {
    const struct aq_serve *serve = run->options->serve;
    const struct aq_scenario *s = run->options->scenario;
    aq_time_us end_us = aq_time_after(s->duration_us, s->settle_us), now_us = 0;
    int rc = begin_phase(run, 0);
    if (!rc) rc = aq_virtual_start(run->world);
    if (!rc && run->foreign) rc = aq_foreign_await(run->foreign);
    if (!rc) rc = aq_workload_start(run->workload, 0);
    if (!rc) rc = aq_nemesis_start(run->nemesis, 0);
    if (!rc && serve) rc = tell_started(run, error);
    while (!rc && now_us < end_us && !(run->healed && drained(run))) {
        aq_time_us until_us = run->options->until_us;
        now_us = aq_time_min(now_us + s->window_us, run->healed ? end_us : s->duration_us);
        if (until_us && until_us <= now_us) return stop_early(run, until_us);
        rc = aq_virtual_run(run->world, now_us);
        if (!rc) rc = close_window(run);
        if (!rc) bound_steady(run, now_us);
        if (!rc) tell_progress(run, now_us, end_us);
        if (!rc && now_us == s->duration_us && !run->healed && !serve)
            rc = heal(run, aq_virtual_now(run->world));
    }
    if (serve) rc = end_serving(run, rc);
    run->end_us = aq_virtual_now(run->world);
    run->interrupted = rc == AQ_EINTERRUPTED;
    aq_metrics_end(&run->metrics, run->end_us);
    return run->interrupted ? 0 : rc;
}

static uint64_t peak_rss_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_maxrss * 1024;
}

int aq_run_scenario(const struct aq_run_options *options, struct aq_record *record, struct aq_error *error) {
    struct aq_run run = {.options = options};
    uint64_t start_us = aq_wall_us();
    aq_error_set(error, 0, "%s", "");
    int rc = set_up(&run, error);
    if (!rc) rc = go(&run, error);
    if (!rc && options->inspect) rc = options->inspect(options->watch_arg, &run);
    record->wall_us = aq_wall_us() - start_us;
    record->peak_rss_bytes = peak_rss_bytes();
    if (!rc) rc = aq_run_fill_record(&run, record);
    if (!rc && options->serve) rc = aq_serve_verdict(&run, record);
    if (rc && run.live && error && !error->text[0]) *error = *aq_live_error(run.live);
    if (!rc && run.foreign) rc = aq_foreign_verdict(run.foreign, record);
    tear_down(&run);
    if (rc && error && !error->text[0]) aq_error_set(error, rc, "%s", aq_error_name(rc));
    return rc;
}
