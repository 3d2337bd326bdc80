/* The course of one exploration: the progress line, the database, the runs that are kept, the report. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/print.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/cli_explore.h"
#include "sim/cli_words.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

#define STORE_EVERY_US       (1 * AQ_US_PER_S)
#define REPETITIONS_STANDARD 10

static int no_memory(struct aq_explore_session *s) {
    return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
}

/* ---- the progress line ---- */

static void print_progress(struct aq_explore_session *s) {
    const struct aq_explore_tally *tally = &s->tally;
    uint64_t now_us = aq_wall_us(), seeds = aq_tally_seeds(tally);
    if (!s->terminal || now_us - s->last_line_us < AQ_US_PER_S) return;
    s->last_line_us = now_us;
    double elapsed_s = (double)(now_us - s->start_us) / 1e6;
    fprintf(stderr, "\r\033[K%" PRIu64 " seeds, %.1f/s, %.1f virtual hours, %u of %u marks, %u failures",
            seeds, (double)seeds / elapsed_s, (double)tally->virtual_us / 3.6e9, aq_tally_marks_hit(tally),
            (unsigned)AQ_RUN_MARK_COUNT, tally->failure_count);
    const struct aq_explore_arguments *a = s->arguments;
    double left_s = 1e18;
    if (a->for_us) left_s = (double)a->for_us / 1e6 - elapsed_s;
    double all = (double)(a->seed_to - a->seed_from + 1) / a->shards;
    if (a->seed_to < AQ_EXPLORE_SEED_MAX && seeds &&
        (all - (double)seeds) * elapsed_s / (double)seeds < left_s)
        left_s = (all - (double)seeds) * elapsed_s / (double)seeds;
    fprintf(stderr, ", %.0f s left", left_s > 0 ? left_s : 0);
}

static void end_progress(const struct aq_explore_session *s) {
    if (s->terminal) fputs("\r\033[K", stderr);
}

/* ---- the database ---- */

static int store_waiting(struct aq_explore_session *s) {
    if (!s->store || !s->waiting_count) return 0;
    int rc = aq_store_add_seeds(s->store, s->number, s->waiting, s->waiting_count, &s->error);
    s->waiting_count = 0;
    s->last_store_us = aq_wall_us();
    aq_arena_reset(&s->waiting_texts);
    return rc;
}

static const char *keep(struct aq_arena *arena, const char *text, bool *failed) {
    size_t bytes = strlen(text) + 1;
    char *copy = aq_arena_alloc(arena, bytes);
    if (copy) memcpy(copy, text, bytes);
    *failed |= !copy;
    return copy;
}

static int keep_seed(struct aq_explore_session *s, const struct aq_explored_seed *seed) {
    bool failed = false;
    if (!s->store) return 0;
    if (aq_array_reserve(&s->waiting, &s->waiting_capacity, (size_t)s->waiting_count + 1, sizeof *s->waiting))
        return no_memory(s);
    struct aq_explored_seed *kept = &s->waiting[s->waiting_count];
    *kept = *seed;
    kept->reason = keep(&s->waiting_texts, seed->reason, &failed);
    kept->drawn = keep(&s->waiting_texts, seed->drawn, &failed);
    const char **list = aq_arena_alloc(&s->waiting_texts, (seed->fingerprint_count + 1) * sizeof *list);
    for (uint32_t i = 0; list && i < seed->fingerprint_count; i++)
        list[i] = keep(&s->waiting_texts, seed->fingerprints[i], &failed);
    kept->fingerprints = list;
    if (failed || !list) return no_memory(s);
    s->waiting_count++;
    return aq_wall_us() - s->last_store_us < STORE_EVERY_US ? 0 : store_waiting(s);
}

/* ---- what comes while it goes on ---- */

static void on_tick(void *arg) {
    print_progress(arg);
}

static void print_seed_line(const struct aq_explored_seed *seed) {
    fprintf(stderr, "seed %" PRIu64 ": %s: %s; %" PRIu64 " events; %s\n", seed->seed,
            aq_seed_verdict_word(seed->verdict), seed->reason, seed->events, seed->drawn);
}

static int on_seed(void *arg, const struct aq_explored_seed *seed, const struct aq_seed_detail *detail) {
    struct aq_explore_session *s = arg;
    int rc = keep_seed(s, seed);
    if (rc) return rc;
    if (s->arguments->verbose) {
        end_progress(s);
        print_seed_line(seed);
    }
    rc = aq_tally_add(&s->tally, seed, detail);
    return rc < 0 ? no_memory(s) : rc;
}

/* ---- runs that are kept ---- */

static const char *draw_line(struct aq_explore_session *s, struct aq_record *record, uint64_t seed) {
    const struct aq_explore_arguments *a = s->arguments;
    struct aq_cli_line line;
    aq_cli_line_begin(&line, &record->memory, "allqsim explore");
    aq_cli_line_word(&line, a->scenario);
    aq_cli_line_option(&line, "--profile", a->profile);
    aq_cli_line_option(&line, "--fidelity", a->fidelity);
    for (uint32_t i = 0; i < a->setting_count; i++)
        aq_cli_line_option(&line, "--set", a->settings[i]);
    return line.text
               ? aq_record_text(record, "%s --print-seed %" PRIu64 " > drawn.json && allqsim run drawn.json",
                                line.text, seed)
               : NULL;
}

static int store_run(struct aq_explore_session *s, struct aq_record *record, int64_t *run) {
    int rc = aq_store_begin_run(s->store, record, run, &s->error);
    return rc ? rc : aq_store_finish_run(s->store, *run, record, &s->error);
}

/* Everything happens again, so the run need not have been kept when it happened first. */
static int run_again(struct aq_explore_session *s, const struct aq_draw *draw, uint64_t seed, int64_t *run) {
    struct aq_scenario *scenario;
    struct aq_record record;
    int rc = aq_draw_scenario(draw, seed, &scenario, NULL, &s->error);
    if (rc) return rc;
    struct aq_run_options options = {.scenario = scenario, .seed = seed};
    aq_record_init(&record);
    rc = aq_run_identify(scenario, seed, &record);
    record.version = AQ_VERSION;
    record.started_unix_s = s->exploration.started_unix_s;
    record.seed_text = aq_record_text(&record, "%" PRIu64, seed);
    record.reproduce = draw_line(s, &record, seed);
    if (rc || !record.seed_text || !record.reproduce) rc = no_memory(s);
    if (!rc) rc = aq_run_scenario(&options, &record, &s->error);
    if (!rc) rc = store_run(s, &record, run);
    aq_record_close(&record);
    aq_scenario_free(scenario);
    return rc;
}

static int64_t run_of_seed(const struct aq_explore_tally *tally, uint64_t seed) {
    for (uint32_t i = 0; i < tally->failure_count; i++)
        if (tally->failures[i].run && tally->failures[i].quickest_seed == seed) return tally->failures[i].run;
    return 0;
}

/* A seed whose process died would take this one with it: it is known by its number alone. */
static int keep_runs(struct aq_explore_session *s) {
    struct aq_draw *draw;
    int rc = 0;
    if (!s->store || !s->tally.failure_count) return 0;
    if (aq_draw_new(s->scenario, &draw)) return no_memory(s);
    for (uint32_t i = 0; i < s->tally.failure_count && !rc; i++) {
        struct aq_tally_failure *failure = &s->tally.failures[i];
        if (strcmp(failure->fingerprint.check, "crash") == 0) continue;
        failure->run = run_of_seed(&s->tally, failure->quickest_seed);
        if (!failure->run) rc = run_again(s, draw, failure->quickest_seed, &failure->run);
        print_progress(s);
    }
    aq_draw_free(draw);
    return rc;
}

/* ---- the outcome ---- */

static const char *reproduce_line(struct aq_explore_session *s) {
    const struct aq_explore_arguments *a = s->arguments;
    struct aq_cli_line line;
    char text[64];
    aq_cli_line_begin(&line, &s->texts, "allqsim explore");
    aq_cli_line_word(&line, a->scenario);
    snprintf(text, sizeof text, "%" PRIu64 "..", a->seed_from);
    if (a->seed_to < AQ_EXPLORE_SEED_MAX)
        snprintf(text, sizeof text, "%" PRIu64 "..%" PRIu64, a->seed_from, a->seed_to);
    if (a->seeds_given) aq_cli_line_option(&line, "--seeds", text);
    snprintf(text, sizeof text, "%gs", (double)a->for_us / 1e6);
    if (a->for_us) aq_cli_line_option(&line, "--for", text);
    snprintf(text, sizeof text, "%u/%u", a->shard, a->shards);
    if (a->shards > 1) aq_cli_line_option(&line, "--shard", text);
    aq_cli_line_option(&line, "--until-found", a->until_found);
    aq_cli_line_option(&line, "--profile", a->profile);
    aq_cli_line_option(&line, "--fidelity", a->fidelity);
    for (uint32_t i = 0; i < a->setting_count; i++)
        aq_cli_line_option(&line, "--set", a->settings[i]);
    return line.text;
}

static int identify(struct aq_explore_session *s) {
    const struct aq_explore_arguments *a = s->arguments;
    struct aq_record record;
    aq_record_init(&record);
    int rc = aq_run_identify(s->scenario, 0, &record); /* for the words */
    s->exploration =
        (struct aq_exploration){.scenario = s->scenario->name,
                                .scenario_text = s->scenario->text,
                                .scenario_hash = s->scenario->hash,
                                .client_profile = record.client_profile,
                                .server_profile = record.server_profile,
                                .version = AQ_VERSION,
                                .build = record.build,
                                .reproduce = reproduce_line(s),
                                .started_unix_s = (int64_t)time(NULL),
                                .seed_from = a->seed_from,
                                .seed_to = a->seed_to == AQ_EXPLORE_SEED_MAX ? UINT64_MAX : a->seed_to,
                                .shard = a->shard,
                                .shards = a->shards,
                                .jobs = a->jobs};
    aq_record_close(&record);
    return rc || !s->exploration.reproduce ? no_memory(s) : 0;
}

static bool is_required(const struct aq_explore_session *s, const char *mark) {
    const struct aq_mark_list *required = &s->scenario->explore.required_marks;
    for (uint32_t i = 0; i < required->count; i++)
        if (strcmp(required->names[i], mark) == 0) return true;
    return false;
}

static int fill_marks(struct aq_explore_session *s) {
    struct aq_exploration_mark *marks = aq_arena_alloc(&s->texts, AQ_RUN_MARK_COUNT * sizeof *marks);
    uint32_t count = 0;
    if (!marks) return no_memory(s);
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++) {
        const char *name = aq_mark_word(i);
        if (!aq_tally_mark_possible(i)) continue;
        marks[count] = (struct aq_exploration_mark){name, s->tally.mark_hits[i], s->tally.mark_seeds[i],
                                                    is_required(s, name)};
        count++;
    }
    s->exploration.marks = marks;
    s->exploration.mark_count = count;
    return 0;
}

static int fill_failures(struct aq_explore_session *s) {
    const struct aq_explore_tally *tally = &s->tally;
    struct aq_exploration_failure *list =
        aq_arena_alloc(&s->texts, (tally->failure_count + 1) * sizeof *list);
    if (!list) return no_memory(s);
    for (uint32_t i = 0; i < tally->failure_count; i++) {
        const struct aq_tally_failure *from = &tally->failures[i];
        list[i] = (struct aq_exploration_failure){.fingerprint = from->fingerprint.hex,
                                                  .check = from->fingerprint.check,
                                                  .cause = from->fingerprint.cause,
                                                  .shape = from->fingerprint.shape,
                                                  .seeds = from->seeds,
                                                  .first_seed = from->first_seed,
                                                  .quickest_seed = from->quickest_seed,
                                                  .run = from->run};
    }
    s->exploration.failures = list;
    s->exploration.failure_count = tally->failure_count;
    return 0;
}

static int fill_outcome(struct aq_explore_session *s) {
    struct aq_exploration *x = &s->exploration;
    const struct aq_explore_tally *t = &s->tally;
    char text[120];
    bool failed = false;
    int rc = fill_failures(s);
    if (!rc) rc = fill_marks(s);
    if (rc) return rc;
    memcpy(x->seeds, t->seeds, sizeof x->seeds);
    x->events = t->events;
    x->virtual_us = t->virtual_us;
    x->busy_us = t->busy_us;
    x->replay_checked = t->replay_checked;
    x->finds = t->finds;
    x->find_count = t->find_count;
    aq_exploration_conclude(x, t->exit_code, text, sizeof text);
    x->reason = keep(&s->texts, text, &failed);
    s->exit_code = x->exit_code;
    return failed ? no_memory(s) : 0;
}

static int print(struct aq_explore_session *s) {
    const struct aq_explore_arguments *a = s->arguments;
    int rc = a->json    ? aq_print_exploration_json(stdout, &s->exploration)
             : a->quiet ? 0
                        : aq_print_exploration_text(stdout, &s->exploration);
    if (!rc && s->store && !a->json && !a->quiet)
        printf("Database: %s, exploration %" PRId64 "\n", a->database, s->number);
    if (!rc && fflush(stdout)) rc = AQ_EIO;
    return rc ? aq_error_set(&s->error, rc, "output could not be written: %s", strerror(errno)) : 0;
}

static int explore(struct aq_explore_session *s) {
    const struct aq_explore_arguments *a = s->arguments;
    struct aq_explore_options options = {.scenario = s->scenario,
                                         .seed_from = a->seed_from,
                                         .seed_to = a->seed_to,
                                         .shard = a->shard,
                                         .shards = a->shards,
                                         .jobs = a->jobs,
                                         .for_us = a->for_us,
                                         .replay_share = a->replay_share,
                                         .stop = s->stop,
                                         .done = on_seed,
                                         .tick = on_tick,
                                         .arg = s};
    s->tally.until_found = a->until_found;
    s->tally.repetitions = a->repetitions ? a->repetitions : REPETITIONS_STANDARD;
    s->terminal = isatty(STDERR_FILENO) && !a->quiet;
    s->start_us = s->last_store_us = aq_wall_us();
    int rc = aq_explore(&options, &s->exploration.interrupted, &s->error);
    s->exploration.wall_us = aq_wall_us() - s->start_us;
    if (!rc) rc = store_waiting(s);
    aq_tally_sort(&s->tally);
    if (!rc) rc = keep_runs(s);
    end_progress(s);
    return rc;
}

static int open_database(struct aq_explore_session *s) {
    if (!s->arguments->database) return 0;
    int rc = aq_store_open(s->arguments->database, true, &s->store, &s->error);
    if (!rc) rc = aq_store_begin_exploration(s->store, &s->exploration, &s->number, &s->error);
    return rc;
}

int aq_explore_session_run(struct aq_explore_session *s) {
    int rc = identify(s);
    if (!rc) rc = open_database(s);
    if (!rc) rc = explore(s);
    if (!rc) rc = fill_outcome(s);
    if (!rc && s->store) rc = aq_store_finish_exploration(s->store, s->number, &s->exploration, &s->error);
    return rc ? rc : print(s);
}

void aq_explore_session_close(struct aq_explore_session *s) {
    aq_store_close(s->store);
    aq_free(s->waiting);
    aq_arena_close(&s->texts);
    aq_arena_close(&s->waiting_texts);
    aq_tally_close(&s->tally);
    aq_scenario_free(s->scenario);
}
