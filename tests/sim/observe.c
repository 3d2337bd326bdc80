#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

static const char *const ids[SEE_SERVERS] = {"srvAAAA", "srvBBBB", "srvCCCC", "srvDDDD",
                                             "srvEEEE", "srvFFFF", "srvGGGG", "srvHHHH"};

struct texts {
    char own[24];   /* "J7" */
    char full[40];  /* "srvAAAA,J7" */
    char token[24]; /* "7" */
};

static uint64_t token_of(const struct see *see, uint32_t job) {
    return see->plain_tokens ? job : job % 1000;
}

static struct aq_observation nothing(enum aq_seen_kind kind) {
    return (struct aq_observation){.kind = kind,
                                   .caller = AQ_NOBODY,
                                   .client = AQ_NOBODY,
                                   .server = AQ_NOBODY,
                                   .address = AQ_NOBODY,
                                   .fault = AQ_NOBODY,
                                   .eligible_set = AQ_NOBODY};
}

void see_open(struct see *see) {
    memset(see, 0, sizeof *see);
    struct aq_scenario *scenario = &see->scenario;
    scenario->duration_us = 60 * AQ_US_PER_S;
    scenario->settle_us = 60 * AQ_US_PER_S;
    scenario->window_us = AQ_US_PER_S;
    scenario->servers.count = SEE_SERVERS;
    scenario->servers.policy = (struct aq_server_policy){0};
    scenario->servers.default_ttl_s = 3600;
    scenario->clients.count = SEE_CLIENTS;
    scenario->workers.count = 2 * SEE_CLIENTS;
    scenario->producers.priority_min = scenario->producers.priority_max = 5;
    scenario->faults = see->faults;
    scenario->budgets.failover_leave_us = 10 * AQ_US_PER_S;
    scenario->budgets.failover_return_us = 10 * AQ_US_PER_S;
    scenario->budgets.progress_us = 30 * AQ_US_PER_S;
    scenario->budgets.duplicate_executions_max = 1;
    scenario->budgets.distribution_p_min = 1e-7;
    for (uint32_t i = 0; i < SEE_SERVERS; i++) {
        see->server_ids[i] = ids[i];
        see->all_servers[i] = i;
    }
    see->set_offsets[1] = SEE_SERVERS;
    see->sets = (struct aq_eligible_sets){
        .members = see->all_servers, .offsets = see->set_offsets, .count = 1, .members_count = SEE_SERVERS};
}

void see_start(struct see *see) {
    struct aq_ledger_config config = {.scenario = &see->scenario,
                                      .book = &see->book,
                                      .eligible_sets = &see->sets,
                                      .server_ids = see->server_ids};
    assert_int_equal(aq_ledger_new(&config, &see->ledger), 0);
    for (uint32_t i = 0; i < SEE_SERVERS; i++) {
        struct aq_observation seen = nothing(AQ_SEEN_SERVER_UP);
        seen.server = i;
        assert_int_equal(aq_ledger_observe(see->ledger, &seen), 0);
    }
}

void see_close(struct see *see) {
    if (see->finished) aq_record_close(&see->record);
    aq_ledger_free(see->ledger);
    see->ledger = NULL;
}

void see_at(struct see *see, aq_time_us at_us) {
    assert_true(at_us >= see->now_us);
    see->now_us = at_us - (at_us >= SEE_STEP_US ? SEE_STEP_US : at_us);
}

void see_raw(struct see *see, struct aq_observation seen) {
    see->now_us += SEE_STEP_US;
    seen.at_us = see->now_us;
    assert_int_equal(aq_ledger_observe(see->ledger, &seen), 0);
}

static void write_texts(const struct see *see, struct texts *texts, uint32_t server, uint32_t job) {
    snprintf(texts->own, sizeof texts->own, "J%u", job);
    snprintf(texts->full, sizeof texts->full, "%s,J%u", ids[server % SEE_SERVERS], job);
    snprintf(texts->token, sizeof texts->token, "%llu", (unsigned long long)token_of(see, job));
}

static void name_job(const struct see *see, struct texts *texts, struct aq_observation *seen, uint32_t server,
                     uint32_t job) {
    write_texts(see, texts, server, job);
    seen->job = aq_text_of(texts->full);
    seen->job_hash = aq_text_hash(aq_text_of(texts->own));
}

static struct see_call *remembered(struct see *see, uint64_t call) {
    struct see_call *of = &see->calls[call & (SEE_CALLS - 1)];
    assert_true(call != 0 && of->call == call);
    return of;
}

static void from_caller(const struct see_call *of, struct aq_observation *seen) {
    seen->caller = of->caller;
    seen->client = of->caller % SEE_CLIENTS;
    seen->is_producer = of->is_producer;
    seen->call = of->call;
    seen->action = of->action;
    seen->called_us = of->called_us;
}

static uint64_t make_call(struct see *see, struct see_call of) {
    of.call = ++see->calls_made;
    of.called_us = see->now_us + SEE_STEP_US;
    see->calls[of.call & (SEE_CALLS - 1)] = of;
    struct aq_observation seen = nothing(AQ_SEEN_CALL);
    struct texts texts;
    from_caller(&of, &seen);
    seen.called_us = 0;
    if (of.job) seen.token = token_of(see, of.job);
    if (!of.is_producer && of.job) name_job(see, &texts, &seen, 0, of.job);
    see_raw(see, seen);
    return of.call;
}

uint64_t see_call(struct see *see, uint32_t worker, enum aq_action action, uint32_t job) {
    return make_call(see, (struct see_call){.action = action, .caller = worker, .job = job});
}

uint64_t see_put_call(struct see *see, uint32_t producer, uint32_t job) {
    return make_call(
        see, (struct see_call){.action = AQ_ACTION_PUT, .caller = producer, .job = job, .is_producer = true});
}

void see_send(struct see *see, uint64_t call, uint32_t server) {
    struct see_call *of = remembered(see, call);
    struct aq_observation seen = nothing(AQ_SEEN_SEND);
    struct texts texts;
    seen.client = of->caller % SEE_CLIENTS;
    seen.server = server;
    seen.address = server;
    seen.action = of->action;
    if (aq_action_is_completion(of->action)) {
        name_job(see, &texts, &seen, 0, of->job);
        seen.job = aq_text_of(texts.own);
    }
    see_raw(see, seen);
}

static enum aq_job_state state_after(enum aq_tap_kind kind) {
    switch (kind) {
    case AQ_TAP_LEASE:
    case AQ_TAP_TOUCHED: return AQ_JOB_RESERVED;
    case AQ_TAP_BURIED:
    case AQ_TAP_AUTOBURIED: return AQ_JOB_BURIED;
    default: return AQ_JOB_READY;
    }
}

static bool has_job(enum aq_tap_kind kind) {
    return kind != AQ_TAP_EMPTY && kind != AQ_TAP_FAILED;
}

void see_tap(struct see *see, uint32_t server, enum aq_tap_kind kind, uint64_t call, uint32_t job) {
    struct aq_tap tap = {.kind = kind, .state = state_after(kind), .action = AQ_ACTION_COUNT, .priority = 5};
    tap.before = kind == AQ_TAP_LEASE || kind == AQ_TAP_TAKEN ? AQ_JOB_READY : AQ_JOB_RESERVED;
    tap.ttl_s = SEE_TTL_US / AQ_US_PER_S;
    if (kind == AQ_TAP_LEASE) tap.lease = ++see->leases_made;
    if (kind == AQ_TAP_LEASE || kind == AQ_TAP_TOUCHED) tap.due_us = see->now_us + SEE_STEP_US + SEE_TTL_US;
    see_tap_as(see, server, tap, call, job);
}

void see_tap_as(struct see *see, uint32_t server, struct aq_tap tap, uint64_t call, uint32_t job) {
    struct aq_observation seen = nothing(AQ_SEEN_TAP);
    struct texts texts;
    write_texts(see, &texts, server, job);
    if (call) {
        from_caller(remembered(see, call), &seen);
        tap.action = seen.action;
        seen.called_us = 0;
        if (see->taps_name_clients_only) {
            seen.call = 0;
            seen.caller = AQ_NOBODY;
            seen.is_producer = false;
        }
    }
    seen.server = server;
    seen.incarnation = see->incarnation[server];
    if (job && (has_job(tap.kind) || aq_action_is_completion(tap.action))) {
        if (!tap.job_id.len) tap.job_id = aq_text_of(texts.own);
        if (!tap.job_hash) tap.job_hash = aq_text_hash(tap.job_id);
        if (tap.kind != AQ_TAP_MISSED && tap.kind != AQ_TAP_FAILED) {
            if (!tap.body.len) tap.body = aq_text_of(texts.token);
            seen.tap_token = token_of(see, job);
        }
        seen.job_hash = tap.job_hash;
    }
    if (!tap.tube.len) tap.tube = AQ_TEXT("default");
    seen.tap = &tap;
    see_raw(see, seen);
}

void see_answer(struct see *see, uint64_t call, enum aq_outcome outcome) {
    struct see_call *of = remembered(see, call);
    struct aq_observation seen = nothing(AQ_SEEN_ANSWER);
    struct texts texts;
    from_caller(of, &seen);
    seen.outcome = outcome;
    seen.last = true;
    if (of->job) seen.token = token_of(see, of->job);
    if (of->job && (!of->is_producer || outcome == AQ_OUTCOME_OK)) name_job(see, &texts, &seen, 0, of->job);
    see_raw(see, seen);
}

void see_got(struct see *see, uint64_t call, uint32_t job) {
    struct aq_observation seen = nothing(AQ_SEEN_ANSWER);
    struct texts texts;
    from_caller(remembered(see, call), &seen);
    seen.last = true;
    seen.empty = job == 0;
    if (job) {
        seen.token = token_of(see, job);
        name_job(see, &texts, &seen, 0, job);
    }
    see_raw(see, seen);
}

void see_abandoned(struct see *see, uint64_t call) {
    struct see_call *of = remembered(see, call);
    struct aq_observation seen = nothing(AQ_SEEN_ABANDONED);
    struct texts texts;
    from_caller(of, &seen);
    if (of->job) seen.token = token_of(see, of->job);
    if (!of->is_producer && of->job) name_job(see, &texts, &seen, 0, of->job);
    see_raw(see, seen);
}

void see_choice(struct see *see, uint32_t client, uint32_t server, enum aq_action action,
                uint32_t eligible_set) {
    struct aq_observation seen = nothing(AQ_SEEN_CHOICE);
    seen.client = client;
    seen.server = server;
    seen.action = action;
    seen.eligible_set = eligible_set;
    see_raw(see, seen);
}

void see_server_down(struct see *see, uint32_t server, bool memory_lost) {
    struct aq_observation seen = nothing(AQ_SEEN_SERVER_DOWN);
    seen.server = server;
    seen.incarnation = see->incarnation[server];
    seen.memory_lost = memory_lost;
    see_raw(see, seen);
}

void see_server_up(struct see *see, uint32_t server) {
    struct aq_observation seen = nothing(AQ_SEEN_SERVER_UP);
    seen.server = server;
    seen.incarnation = ++see->incarnation[server];
    see_raw(see, seen);
}

void see_lost(struct see *see, uint32_t server, uint32_t job) {
    struct aq_observation seen = nothing(AQ_SEEN_JOB_LOST);
    struct texts texts;
    name_job(see, &texts, &seen, server, job);
    seen.job = aq_text_of(texts.own);
    seen.server = server;
    see_raw(see, seen);
}

void see_kind(struct see *see, enum aq_seen_kind kind, uint32_t server) {
    struct aq_observation seen = nothing(kind);
    seen.server = server;
    see_raw(see, seen);
}

void see_fault(struct see *see, uint32_t fault, bool begins) {
    struct aq_observation seen = nothing(begins ? AQ_SEEN_FAULT : AQ_SEEN_FAULT_END);
    seen.fault = fault;
    see_raw(see, seen);
}

void see_put(struct see *see, uint32_t producer, uint32_t server, uint32_t job) {
    uint64_t call = see_put_call(see, producer, job);
    see_send(see, call, server);
    see_tap(see, server, AQ_TAP_PUT, call, job);
    see_answer(see, call, AQ_OUTCOME_OK);
}

void see_get(struct see *see, uint32_t worker, uint32_t server, uint32_t job) {
    uint64_t call = see_call(see, worker, AQ_ACTION_GET, 0);
    see_send(see, call, server);
    see_tap(see, server, job ? AQ_TAP_LEASE : AQ_TAP_EMPTY, call, job);
    see_got(see, call, job);
}

static enum aq_tap_kind tap_of_completion(enum aq_action action) {
    switch (action) {
    case AQ_ACTION_DONE: return AQ_TAP_DONE;
    case AQ_ACTION_DELETE: return AQ_TAP_DELETED;
    case AQ_ACTION_TOUCH: return AQ_TAP_TOUCHED;
    case AQ_ACTION_RELEASE: return AQ_TAP_RELEASED;
    default: return AQ_TAP_BURIED;
    }
}

void see_completion(struct see *see, uint32_t worker, uint32_t server, enum aq_action action, uint32_t job) {
    uint64_t call = see_call(see, worker, action, job);
    see_send(see, call, server);
    see_tap(see, server, tap_of_completion(action), call, job);
    see_answer(see, call, AQ_OUTCOME_OK);
}

void see_done(struct see *see, uint32_t worker, uint32_t server, uint32_t job) {
    see_completion(see, worker, server, AQ_ACTION_DONE, job);
}

void see_held(struct see *see, uint32_t server, uint32_t job, enum aq_job_state state) {
    struct texts texts;
    write_texts(see, &texts, server, job);
    struct aq_job_record held = {.state = state,
                                 .job_id = aq_text_of(texts.own),
                                 .tube = AQ_TEXT("default"),
                                 .body = aq_text_of(texts.token)};
    assert_int_equal(aq_ledger_reckon(see->ledger, server, &held), 0);
}

static int hold(void *arg, struct aq_ledger_copy *copy) {
    struct see *see = arg;
    if (copy->gone || aq_ledger_copy_lost(see->ledger, copy) ||
        !aq_ledger_server(see->ledger, copy->server)->up)
        return 0;
    struct aq_job_record held = {.state = copy->state, .job_id = aq_text_of(copy->id)};
    assert_int_equal(aq_ledger_reckon(see->ledger, copy->server, &held), 0);
    return 0;
}

void see_all_held(struct see *see) {
    assert_int_equal(aq_ledger_each_copy(see->ledger, hold, see), 0);
}

void see_finish(struct see *see) {
    aq_record_init(&see->record);
    see->finished = true;
    assert_int_equal(aq_ledger_finish(see->ledger, see->now_us + SEE_STEP_US, &see->record), 0);
}

const struct aq_record_check *see_check(const struct see *see, enum aq_check check) {
    assert_true(see->finished && (uint32_t)check < see->record.check_count);
    return &see->record.checks[check];
}

double see_figure(const struct see *see, enum aq_check check, const char *name) {
    const struct aq_record_check *of = see_check(see, check);
    for (uint32_t i = 0; i < of->figure_count; i++)
        if (strcmp(of->figures[i].name, name) == 0) return of->figures[i].value;
    return -1;
}

const struct aq_record_violation *see_violation(const struct see *see, enum aq_check check) {
    for (uint32_t i = 0; i < see->record.violation_count; i++)
        if (strcmp(see->record.violations[i].check, aq_check_word(check)) == 0)
            return &see->record.violations[i];
    return NULL;
}

void see_expect(struct see *see, enum aq_check check, enum aq_verdict verdict, uint64_t violations,
                const char *cause) {
    if (!see->finished) see_finish(see);
    const struct aq_record_violation *first = see_violation(see, check);
    assert_string_equal(first ? first->cause : "", cause ? cause : "");
    assert_int_equal(see_check(see, check)->violations, violations);
    assert_string_equal(aq_verdict_word(see_check(see, check)->verdict), aq_verdict_word(verdict));
}

void see_expect_line(const struct aq_record_violation *violation, const char *part) {
    assert_non_null(violation);
    for (uint32_t i = 0; i < violation->line_count; i++)
        if (strstr(violation->lines[i], part)) return;
    for (uint32_t i = 0; i < violation->line_count; i++)
        print_error("%s\n", violation->lines[i]);
    fail_msg("no line of the story holds \"%s\"", part);
}
