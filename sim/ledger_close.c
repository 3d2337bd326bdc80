/* The end of the books: the final reckoning with what servers hold, the verdicts, the record. */
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "sim/ledger_books.h"

int aq_ledger_reckon(struct aq_ledger *ledger, uint32_t server, const struct aq_job_record *held) {
    struct aq_books_server *books;
    int rc = aq_books_server(ledger, server, &books);
    if (rc) return rc;
    AQ_ASSERT((uint32_t)held->state < AQ_JOB_STATE_COUNT);
    books->held[held->state]++;
    ledger->totals.held++;
    struct aq_ledger_copy *copy = aq_ledger_copy_by_hash(ledger, aq_text_hash(held->job_id));
    bool expected = copy && !copy->gone && copy->server == server;
    if (copy) copy->reckoned = 1;
    if (expected) return 0;
    struct aq_observation seen = {.at_us = ledger->now_us,
                                  .kind = AQ_SEEN_KIND_COUNT,
                                  .server = server,
                                  .client = AQ_NOBODY,
                                  .caller = AQ_NOBODY,
                                  .job = held->job_id};
    ledger->totals.appeared++;
    return aq_ledger_violation(
        ledger, AQ_CHECK_CONSERVATION, &seen, copy, copy ? aq_books_job(ledger, copy->job) : NULL,
        copy && copy->server == server ? "job appeared after its end" : "job appeared");
}

static int keep_text(struct aq_record *record, const char **text) {
    *text = aq_record_text(record, "%s", *text);
    return *text ? 0 : AQ_ENOMEM;
}

static int keep_violation(struct aq_record *record, struct aq_record_violation *violation) {
    const char **lines = aq_arena_alloc(&record->memory, (violation->line_count + 1) * sizeof *lines);
    if (!lines) return AQ_ENOMEM;
    for (uint32_t i = 0; i < violation->line_count; i++) {
        lines[i] = violation->lines[i];
        if (keep_text(record, &lines[i])) return AQ_ENOMEM;
    }
    violation->lines = lines;
    return keep_text(record, &violation->job);
}

static uint32_t stories_of(const struct aq_ledger *ledger, uint32_t check) {
    uint64_t count = ledger->violations[check];
    return count < AQ_STORIES_PER_CHECK ? (uint32_t)count : AQ_STORIES_PER_CHECK;
}

static int keep_violations(struct aq_ledger *ledger, struct aq_record *record) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < AQ_CHECK_COUNT; i++)
        count += stories_of(ledger, i);
    struct aq_record_violation *all = aq_arena_alloc(&record->memory, (count + 1) * sizeof *all);
    if (!all) return AQ_ENOMEM;
    uint32_t at = 0;
    for (uint32_t i = 0; i < AQ_CHECK_COUNT; i++) {
        for (uint32_t story = 0; story < stories_of(ledger, i); story++) {
            all[at] = ledger->stories[i][story];
            int rc = keep_violation(record, &all[at++]);
            if (rc) return rc;
        }
    }
    record->violations = all;
    record->violation_count = count;
    return 0;
}

static int judge(struct aq_ledger *ledger, struct aq_record *record) {
    struct aq_record_check *checks = aq_arena_alloc(&record->memory, AQ_CHECK_COUNT * sizeof *checks);
    if (!checks) return AQ_ENOMEM;
    for (uint32_t i = 0; i < AQ_CHECK_COUNT; i++) {
        const struct aq_checker *checker = ledger->checkers[i];
        checks[i] = (struct aq_record_check){.name = aq_check_word((enum aq_check)i),
                                             .holds_when = checker->holds_when,
                                             .verdict = AQ_VERDICT_UNKNOWN,
                                             .remark = ""};
        int rc = checker->finish(ledger->states[i], ledger, record, &checks[i]);
        if (rc) return rc;
        checks[i].violations = ledger->violations[i];
        if (checks[i].violations) checks[i].verdict = AQ_VERDICT_FAIL;
        aq_check_admit_blind(ledger->config.scenario, (enum aq_check)i, &checks[i]);
    }
    record->checks = checks;
    record->check_count = AQ_CHECK_COUNT;
    return 0;
}

static void keep_totals(const struct aq_ledger_totals *totals, struct aq_record *record) {
    record->jobs.produced = totals->produced;
    record->jobs.accepted = totals->accepted;
    record->jobs.completed = totals->completed;
    record->jobs.held = totals->held;
    record->jobs.lost_declared = totals->lost;
    record->jobs.unexplained = totals->appeared + totals->vanished;
    record->jobs.executed_again = totals->executed_again;
    record->completions.sent = totals->sent;
    record->completions.applied = totals->applied;
    record->completions.acked = totals->acked;
    record->completions.misrouted = totals->misrouted;
    record->completions.origin_gone = totals->origin_gone;
    record->completions.unknown = totals->unknown;
}

static int make_servers(struct aq_ledger *ledger, struct aq_record *record) {
    uint32_t count = ledger->server_count;
    struct aq_record_server *servers = aq_arena_alloc(&record->memory, (count + 1) * sizeof *servers);
    if (!servers) return AQ_ENOMEM;
    memset(servers, 0, (count + 1) * sizeof *servers);
    for (uint32_t i = 0; i < count; i++) {
        bool named = ledger->config.server_ids && i < ledger->config.scenario->servers.count;
        servers[i].index = i;
        servers[i].id = named ? ledger->config.server_ids[i] : "";
        servers[i].address = "";
        if (keep_text(record, &servers[i].id)) return AQ_ENOMEM;
    }
    record->servers = servers;
    record->server_count = count;
    return 0;
}

static void keep_server(const struct aq_books_server *books, uint64_t choices, struct aq_record_server *out) {
    out->puts = books->puts;
    out->gets = books->gets;
    out->empty_gets = books->empty_gets;
    out->completions = books->completions;
    out->errors = books->errors;
    out->missed = books->missed;
    out->expired = books->expired;
    out->buried = books->buried;
    out->lost = books->lost;
    out->choices = books->choices;
    out->share = choices ? (double)books->choices / (double)choices : 0;
    out->incarnations = books->incarnations;
    for (uint32_t state = 0; state < AQ_JOB_STATE_COUNT; state++)
        out->held[state] = books->held[state];
}

static int keep_servers(struct aq_ledger *ledger, struct aq_record *record) {
    int rc = record->servers ? 0 : make_servers(ledger, record);
    if (rc) return rc;
    uint64_t choices = 0;
    for (uint32_t i = 0; i < ledger->server_count; i++)
        choices += ledger->servers[i].choices;
    /* The rows are const to readers of the record; they were made for us to fill. */
    struct aq_record_server *servers = (struct aq_record_server *)record->servers;
    for (uint32_t i = 0; i < record->server_count && i < ledger->server_count; i++)
        keep_server(&ledger->servers[i], choices, &servers[i]);
    return 0;
}

int aq_ledger_finish(struct aq_ledger *ledger, aq_time_us end_us, struct aq_record *record) {
    if (end_us > ledger->now_us) ledger->now_us = end_us;
    int rc = judge(ledger, record);
    if (!rc) rc = keep_violations(ledger, record);
    if (!rc) rc = keep_servers(ledger, record);
    if (!rc) keep_totals(&ledger->totals, record);
    return rc;
}
