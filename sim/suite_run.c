/* The runs of a suite, in worker processes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sim/check_replay.h"
#include "sim/pool.h"
#include "sim/suite.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

#define PATIENCE_MS 60000 /* for the other workers' writing, each of which takes a moment */

/* What a worker sends for a run: this, then the reason with its NUL. */
struct message {
    int32_t rc;              /* what keeps the suite from going on: the reason says why; 0: nothing */
    struct aq_suite_run run; /* but for the texts, and what the other process knows */
};

/* ---- in the worker ---- */

static int run_once(const struct aq_suite_session *s, uint32_t number, struct aq_record *record,
                    struct aq_error *error) {
    struct aq_run_options options = {.scenario = s->entries[s->runs[number].row].scenario,
                                     .seed = aq_suite_seed_of(s, number),
                                     .stop = s->stop};
    int rc = aq_suite_identify(s, number, record);
    if (!rc) rc = aq_run_scenario(&options, record, error);
    if (!rc && s->arguments->check_replay && !record->interrupted)
        rc = aq_run_check_replay(&options, record, error);
    return rc;
}

static int store_run(const struct aq_suite_session *s, uint32_t number, const struct aq_record *record,
                     struct aq_error *error) {
    static struct aq_store *store; /* of this process, up to its end */
    if (!s->database) return 0;
    int rc = store ? 0 : aq_store_open(s->database, true, &store, error);
    if (rc) return rc;
    aq_store_set_patience_ms(store, PATIENCE_MS);
    return aq_store_finish_run(store, s->runs[number].run, record, error);
}

static void take_record(struct aq_suite_run *run, const struct aq_record *record) {
    run->state = record->interrupted ? AQ_SUITE_INTERRUPTED : AQ_SUITE_RAN;
    run->verdict = record->verdict;
    run->exit_code = record->exit_code;
    run->trace_hash = record->trace_hash;
    run->events = record->events;
    run->virtual_us = record->virtual_us;
    run->wall_us = record->wall_us;
}

static bool work(void *arg, uint64_t task, int to) {
    const struct aq_suite_session *s = arg;
    struct message message = {.run = {.state = AQ_SUITE_BROKEN, .exit_code = AQ_EXIT_INTERNAL}};
    struct aq_error error = {0};
    struct aq_record record;
    const char *reason = error.text;
    aq_record_init(&record);
    int rc = run_once(s, (uint32_t)task, &record, &error);
    if (!rc) {
        take_record(&message.run, &record);
        reason = record.reason;
        message.rc = store_run(s, (uint32_t)task, &record, &error);
        if (message.rc) reason = error.text;
    } else if (!error.text[0]) {
        aq_error_set(&error, rc, "%s", aq_error_name(rc));
    }
    const struct aq_pool_part parts[] = {{&message, sizeof message}, {reason, strlen(reason) + 1}};
    bool sent = aq_pool_send(to, parts, 2);
    aq_record_close(&record);
    return sent;
}

/* ---- in the process that hands them out ---- */

static bool next(void *arg, uint64_t *task) {
    struct aq_suite_session *s = arg;
    if (s->next_run == s->run_count) return false;
    *task = s->next_run++;
    return true;
}

static void print_progress(void *arg) {
    struct aq_suite_session *s = arg;
    uint64_t now_us = aq_wall_us();
    if (!s->terminal || now_us - s->last_line_us < AQ_US_PER_S / 4) return;
    s->last_line_us = now_us;
    fprintf(stderr, "\r\033[K%" PRIu32 " of %" PRIu32 " runs, %" PRIu32 " not passed, %.0f s", s->done_count,
            s->run_count, s->wrong_count, (double)(now_us - s->start_us) / 1e6);
}

static void print_line(struct aq_suite_session *s, const struct aq_suite_run *run) {
    if (s->terminal) fputs("\r\033[K", stderr);
    fprintf(stderr, "%s (%s), seed %s: %s: %s\n", s->rows[run->row].scenario, s->rows[run->row].profile,
            run->seed_text, aq_verdict_word(run->verdict), run->reason);
}

static int finish(struct aq_suite_session *s, struct aq_suite_run *run, const char *reason) {
    size_t bytes = strlen(reason) + 1;
    char *copy = aq_arena_alloc(&s->texts, bytes);
    if (!copy) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    run->reason = memcpy(copy, reason, bytes);
    s->done_count++;
    s->wrong_count += run->verdict != AQ_VERDICT_PASS;
    if (s->arguments->verbose) print_line(s, run);
    return 0;
}

static int take_result(void *arg, uint64_t task, const void *input, size_t bytes) {
    struct aq_suite_session *s = arg;
    const struct message *message = input;
    const char *reason = (const char *)(message + 1);
    struct aq_suite_run *run = &s->runs[task], known = *run;
    (void)bytes;
    if (message->rc) return aq_error_set(&s->error, message->rc, "%s", reason);
    *run = message->run;
    run->row = known.row;
    run->run = known.run;
    run->seed_text = known.seed_text;
    run->reproduce = known.reproduce;
    if (run->state == AQ_SUITE_BROKEN) run->verdict = AQ_VERDICT_FAIL;
    return finish(s, run, reason);
}

static int take_death(void *arg, uint64_t task, const char *why, bool no_memory) {
    struct aq_suite_session *s = arg;
    struct aq_suite_run *run = &s->runs[task];
    char reason[700];
    run->state = AQ_SUITE_BROKEN;
    run->verdict = no_memory ? AQ_VERDICT_UNKNOWN : AQ_VERDICT_FAIL;
    run->exit_code = no_memory ? AQ_EXIT_UNKNOWN : AQ_EXIT_INTERNAL;
    snprintf(reason, sizeof reason, "its process died: %s",
             no_memory ? "killed, as happens when memory runs out" : why);
    return finish(s, run, reason);
}

int aq_suite_run_all(struct aq_suite_session *s) {
    const struct aq_pool_options pool = {.jobs = s->arguments->jobs,
                                         .stop = s->stop,
                                         .finish = true,
                                         .work = work,
                                         .next = next,
                                         .result = take_result,
                                         .died = take_death,
                                         .tick = print_progress,
                                         .arg = s};
    s->start_us = aq_wall_us();
    int rc = aq_pool_run(&pool, &s->error);
    s->result.wall_us = aq_wall_us() - s->start_us;
    if (s->terminal) fputs("\r\033[K", stderr);
    return rc;
}
