#include "sim/explore_worker.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

#define FAILURES_MAX (AQ_CHECK_COUNT + 2) /* one for each check, one not caught, one not replayed */

/* What one seed came to. */
struct outcome {
    struct aq_explore_message message;
    struct aq_fingerprint failures[FAILURES_MAX];
    aq_time_us failed_us[FAILURES_MAX];
    char *reason, *drawn; /* owned */
};

static char *copy_text(const char *text) {
    char *copy = aq_alloc(strlen(text) + 1);
    if (copy) strcpy(copy, text);
    return copy;
}

static void add_failure(struct outcome *out, const struct aq_fingerprint *fingerprint, aq_time_us at_us) {
    AQ_ASSERT(out->message.failure_count < FAILURES_MAX);
    out->failures[out->message.failure_count] = *fingerprint;
    out->failed_us[out->message.failure_count++] = at_us;
}

static aq_time_us first_at(const struct aq_record *record, const char *check) {
    for (uint32_t i = 0; i < record->violation_count; i++)
        if (strcmp(record->violations[i].check, check) == 0) return record->violations[i].at_us;
    return record->virtual_us;
}

static void take_failures(struct outcome *out, const struct aq_record *record) {
    struct aq_fingerprint fingerprint;
    uint32_t broken = 0;
    for (uint32_t i = 0; i < record->check_count; i++) {
        if (!aq_fingerprint_broken(&record->checks[i])) continue;
        aq_fingerprint_of_check(record, &record->checks[i], &fingerprint);
        add_failure(out, &fingerprint, first_at(record, record->checks[i].name));
        broken++;
    }
    if (!broken && aq_fingerprint_of_run(record, &fingerprint) == 0)
        add_failure(out, &fingerprint, record->virtual_us);
}

static void take_record(struct outcome *out, const struct aq_record *record) {
    static const enum aq_seed_verdict verdicts[] = {AQ_SEED_PASS, AQ_SEED_FAIL, AQ_SEED_UNKNOWN};
    struct aq_explored_seed *seed = &out->message.seed;
    seed->verdict = verdicts[record->verdict];
    seed->exit_code = record->exit_code;
    seed->trace_hash = record->trace_hash;
    seed->events = record->events;
    seed->virtual_us = record->virtual_us;
    AQ_ASSERT(record->mark_count == AQ_RUN_MARK_COUNT);
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++)
        out->message.marks[i] = record->marks[i].count;
    out->reason = copy_text(record->reason);
    take_failures(out, record);
}

static int run_once(const struct aq_explore_options *options, const struct aq_scenario *scenario,
                    uint64_t seed, struct aq_record *record, struct aq_error *error) {
    struct aq_run_options run = {.scenario = scenario, .seed = seed, .client_step = options->client_step};
    int (*go)(const struct aq_run_options *, struct aq_record *, struct aq_error *) =
        options->run ? options->run : aq_run_scenario;
    aq_record_init(record);
    int rc = aq_run_identify(scenario, seed, record);
    return rc ? rc : go(&run, record, error);
}

/* The same seed again: everything has to happen again. */
static int replay(const struct aq_explore_options *options, const struct aq_scenario *scenario, uint64_t seed,
                  struct outcome *out, struct aq_error *error) {
    struct aq_record again;
    struct aq_fingerprint fingerprint;
    int rc = run_once(options, scenario, seed, &again, error);
    if (!rc && again.trace_hash != out->message.seed.trace_hash) {
        aq_fingerprint_make(&fingerprint, "replay", "two runs of one seed differ", "");
        add_failure(out, &fingerprint, out->message.seed.virtual_us);
        if (out->message.seed.verdict != AQ_SEED_FAIL) {
            out->message.seed.verdict = AQ_SEED_FAIL;
            out->message.seed.exit_code = AQ_EXIT_NOT_REPRODUCIBLE;
            aq_free(out->reason);
            out->reason = copy_text(fingerprint.cause);
        }
    }
    out->message.seed.replayed = !rc;
    aq_record_close(&again);
    return rc;
}

static bool wants_replay(const struct aq_explore_options *options, uint64_t seed) {
    struct aq_random random;
    aq_random_init(&random, seed, "explore replay", 0);
    return aq_random_chance(&random, options->replay_share);
}

static int run_seed(const struct aq_explore_options *options, const struct aq_draw *draw, uint64_t seed,
                    struct outcome *out, struct aq_error *error) {
    struct aq_scenario *scenario;
    struct aq_record record;
    int rc = aq_draw_scenario(draw, seed, &scenario, &out->drawn, error);
    if (rc) return rc;
    uint64_t start_us = aq_wall_us();
    rc = run_once(options, scenario, seed, &record, error);
    if (!rc) take_record(out, &record);
    out->message.seed.wall_us = aq_wall_us() - start_us;
    aq_record_close(&record);
    if (!rc && wants_replay(options, seed)) rc = replay(options, scenario, seed, out, error);
    aq_scenario_free(scenario);
    if (!rc && !out->reason) rc = AQ_ENOMEM;
    return rc;
}

/* A seed that there is no memory for is neither pass nor fail; anything else that keeps a run from being made
   would keep all of them. */
static void take_error(struct outcome *out, int rc, const char *text) {
    aq_free(out->reason);
    out->message.failure_count = 0;
    out->message.rc = rc == AQ_ENOMEM ? 0 : rc;
    if (rc == AQ_ENOMEM) out->message.seed.verdict = AQ_SEED_NO_RUN;
    out->reason = copy_text(rc == AQ_ENOMEM ? "out of memory" : text);
}

static bool send_outcome(int to, struct outcome *out) {
    struct aq_explore_message *message = &out->message;
    const char *reason = out->reason ? out->reason : "", *drawn = out->drawn ? out->drawn : "";
    message->reason_bytes = (uint32_t)strlen(reason) + 1;
    message->drawn_bytes = (uint32_t)strlen(drawn) + 1;
    const struct aq_pool_part parts[] = {{message, sizeof *message},
                                         {out->failed_us, message->failure_count * sizeof *out->failed_us},
                                         {out->failures, message->failure_count * sizeof *out->failures},
                                         {reason, message->reason_bytes},
                                         {drawn, message->drawn_bytes}};
    bool sent = aq_pool_send(to, parts, sizeof parts / sizeof *parts);
    aq_free(out->reason);
    aq_free(out->drawn);
    return sent;
}

bool aq_explore_work(const struct aq_explore_options *options, const struct aq_draw *draw, uint64_t seed,
                     int to) {
    static struct outcome out;
    struct aq_error error = {0};
    out.message = (struct aq_explore_message){.seed = {.seed = seed}};
    out.reason = out.drawn = NULL;
    int rc = run_seed(options, draw, seed, &out, &error);
    if (rc) take_error(&out, rc, error.text[0] ? error.text : aq_error_name(rc));
    return send_outcome(to, &out);
}
