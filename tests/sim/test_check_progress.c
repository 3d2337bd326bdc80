#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_progress;

#define NO_PROGRESS "no progress"
#define STUCK       "caller stuck"
#define S           AQ_US_PER_S

static struct aq_ledger fake;

/* 3 servers, 10 clients and workers; the progress budget is 30 s. */
static void begin(void) {
    fake_init(&fake, &aq_check_progress, 3, 10);
}

static void tap_in(aq_time_us at_us, uint32_t server, enum aq_tap_kind kind, enum aq_job_state before,
                   enum aq_job_state state, const char *tube) {
    struct aq_tap tap = {
        .kind = kind, .before = before, .state = state, .job_hash = 1, .tube = aq_text_of(tube)};
    fake_see(&fake,
             (struct aq_observation){.at_us = at_us, .kind = AQ_SEEN_TAP, .server = server, .tap = &tap});
}

static void tap(aq_time_us at_us, uint32_t server, enum aq_tap_kind kind, enum aq_job_state before,
                enum aq_job_state state) {
    tap_in(at_us, server, kind, before, state, "work");
}

static void put(aq_time_us at_us, uint32_t server) {
    tap(at_us, server, AQ_TAP_PUT, AQ_JOB_READY, AQ_JOB_READY);
}
static void lease(aq_time_us at_us, uint32_t server) {
    tap(at_us, server, AQ_TAP_LEASE, AQ_JOB_READY, AQ_JOB_RESERVED);
}
static void done(aq_time_us at_us, uint32_t server) {
    tap(at_us, server, AQ_TAP_DONE, AQ_JOB_RESERVED, AQ_JOB_RESERVED);
}

static void see(aq_time_us at_us, enum aq_seen_kind kind) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind});
}

static void call(aq_time_us at_us, enum aq_seen_kind kind, bool producer, uint32_t caller, uint64_t number) {
    fake_see(&fake,
             (struct aq_observation){
                 .at_us = at_us, .kind = kind, .is_producer = producer, .caller = caller, .call = number});
}

static void a_backlog_that_drains_within_the_budget_passes(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0);
    put(2 * S, 1);
    see(60 * S, AQ_SEEN_HEALED);
    lease(70 * S, 0);
    done(71 * S, 0);
    lease(90 * S, 1);
    done(91 * S, 1);
    call(200 * S, AQ_SEEN_CALL, false, 0, 1); /* an hour of idle polling would be fine as well */
    call(200 * S, AQ_SEEN_ANSWER, false, 0, 1);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "drained_after_s") == 31);
    assert_true(fake_figure(&fake, "longest_gap_s") == 19); /* 71 to 90: from then on nothing is ready */
    assert_true(fake.out.judged > 0);
    fake_close(&fake);
}

static void stalls_before_the_healing_are_excused(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0);
    call(1 * S, AQ_SEEN_CALL, false, 0, 1);
    see(600 * S, AQ_SEEN_HEALED);
    lease(601 * S, 0);
    done(601 * S, 0);
    fake.scenario.clients.policy.call_timeout_us = AQ_TIME_NEVER;
    call(602 * S, AQ_SEEN_ANSWER, false, 0, 1);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void ready_jobs_that_nobody_completes_are_caught(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0);
    put(1 * S, 1);
    see(60 * S, AQ_SEEN_HEALED);
    lease(70 * S, 0);
    done(71 * S, 0); /* the budget starts anew; the job at server 1 stays */
    fake.record.virtual_us = 101 * S - 1;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);

    begin();
    fake_start(&fake);
    put(1 * S, 0);
    put(1 * S, 1);
    see(60 * S, AQ_SEEN_HEALED);
    lease(70 * S, 0);
    done(71 * S, 0);
    fake.record.virtual_us = 101 * S; /* the whole budget has gone by */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, NO_PROGRESS), 1);
    fake_close(&fake);
}

/* Jobs go out and come back without ever being completed: the waits add up. */
static void leases_without_completions_are_no_progress(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0);
    see(60 * S, AQ_SEEN_HEALED);
    for (uint32_t i = 0; i < 4; i++) {
        lease((70 + 20 * i) * S, 0);
        tap((80 + 20 * i) * S, 0, AQ_TAP_EXPIRED, AQ_JOB_RESERVED, AQ_JOB_READY);
    }
    lease(141 * S, 0);
    done(142 * S, 0);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, NO_PROGRESS), 1);
    assert_true(fake_figure(&fake, "longest_gap_s") == 41);
    fake_close(&fake);
}

static void burying_a_job_for_good_is_progress(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    for (uint32_t i = 0; i < 3; i++)
        put(1 * S, 0);
    see(60 * S, AQ_SEEN_HEALED);
    lease(80 * S, 0);
    tap(80 * S, 0, AQ_TAP_EXPIRED, AQ_JOB_RESERVED, AQ_JOB_BURIED);
    lease(105 * S, 0);
    tap(105 * S, 0, AQ_TAP_AUTOBURIED, AQ_JOB_RESERVED, AQ_JOB_BURIED);
    lease(130 * S, 0);
    done(130 * S, 0);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "completions_after_healing") == 3);
    fake_close(&fake);
}

static void what_no_worker_can_get_at_is_not_waited_for(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0); /* this server goes down */
    fake_see(&fake, (struct aq_observation){
                        .at_us = 2 * S, .kind = AQ_SEEN_SERVER_DOWN, .server = 0, .memory_lost = true});
    tap(3 * S, 1, AQ_TAP_PUT, AQ_JOB_READY, AQ_JOB_DELAYED);
    put(3 * S, 1);
    lease(4 * S, 1);
    tap(5 * S, 1, AQ_TAP_BURIED, AQ_JOB_RESERVED, AQ_JOB_BURIED);
    put(5 * S, 1);
    lease(6 * S, 1); /* held by a worker that died, with an hour to go */
    tap_in(6 * S, 2, AQ_TAP_PUT, AQ_JOB_READY, AQ_JOB_READY, "another tube");
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 1000 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "ready_at_end") == 0 && fake_figure(&fake, "reserved_at_end") == 1);
    fake_close(&fake);
}

static void restored_and_matured_jobs_are_waited_for(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    tap(3 * S, 1, AQ_TAP_PUT, AQ_JOB_READY, AQ_JOB_DELAYED);
    see(60 * S, AQ_SEEN_HEALED);
    tap(100 * S, 1, AQ_TAP_MATURED, AQ_JOB_DELAYED, AQ_JOB_READY);
    fake.record.virtual_us = 131 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);

    begin();
    fake_start(&fake);
    put(1 * S, 0);
    fake_see(&fake, (struct aq_observation){.at_us = 2 * S, .kind = AQ_SEEN_SERVER_DOWN, .server = 0});
    tap(9 * S, 0, AQ_TAP_RESTORED, AQ_JOB_READY, AQ_JOB_READY);
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 91 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_true(fake_figure(&fake, "ready_at_end") == 1);
    fake_close(&fake);
}

static void a_call_beyond_the_clients_own_limit_is_stuck(void **state) {
    (void)state;
    begin(); /* strict: 30 s, and 1 s of slack */
    fake_start(&fake);
    see(60 * S, AQ_SEEN_HEALED);
    call(61 * S, AQ_SEEN_CALL, false, 0, 1);
    call(61 * S, AQ_SEEN_CALL, false, 1, 2);
    call(61 * S, AQ_SEEN_CALL, false, 2, 3);
    call(61 * S, AQ_SEEN_CALL, true, 0, 4);
    call(92 * S, AQ_SEEN_ANSWER, false, 0, 1);
    assert_int_equal(fake.violations, 0);
    call(92 * S + 1, AQ_SEEN_ANSWER, false, 1, 2);
    assert_int_equal(fake_caught(&fake, STUCK), 1);
    fake.record.virtual_us = 93 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, STUCK), 3); /* worker 2 and producer 0 still wait */
    assert_true(fake_figure(&fake, "stuck_calls") == 3);
    fake_close(&fake);
}

static void the_clients_own_limit_holds_under_faults_as_well(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    call(1 * S, AQ_SEEN_CALL, false, 0, 1);
    call(1 * S, AQ_SEEN_CALL, true, 1, 2);
    call(32 * S, AQ_SEEN_ANSWER, false, 0, 1);
    assert_int_equal(fake.violations, 0);
    call(32 * S + 1, AQ_SEEN_ANSWER, true, 1, 2);
    assert_int_equal(fake_caught(&fake, STUCK), 1);
    fake_close(&fake);
}

static void operator_says(aq_time_us at_us, uint32_t server, enum aq_tap_kind kind) {
    struct aq_tap tap = {.kind = kind, .tube = AQ_TEXT("work")};
    fake_see(&fake,
             (struct aq_observation){.at_us = at_us, .kind = AQ_SEEN_TAP, .server = server, .tap = &tap});
}

/* Paused before the healing or after it, for good or until it starts anew without its memory. */
static void jobs_of_a_tube_that_an_operator_has_paused_are_out_of_reach(void **state) {
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        begin();
        fake_start(&fake);
        put(1 * S, 0);
        if (variant != 1) operator_says(2 * S, 0, AQ_TAP_PAUSED);
        see(60 * S, AQ_SEEN_HEALED);
        if (variant == 1) operator_says(61 * S, 0, AQ_TAP_PAUSED);
        if (variant == 2) operator_says(62 * S, 0, AQ_TAP_UNPAUSED);
        if (variant == 3) {
            fake_see(&fake,
                     (struct aq_observation){
                         .at_us = 62 * S, .kind = AQ_SEEN_SERVER_DOWN, .server = 0, .memory_lost = true});
            put(63 * S, 0);
        }
        fake.record.virtual_us = 120 * S;
        assert_int_equal(fake_finish(&fake), variant < 2 ? AQ_VERDICT_PASS : AQ_VERDICT_FAIL);
        assert_int_equal(fake_caught(&fake, NO_PROGRESS), variant >= 2);
        fake_close(&fake);
    }
}

static void without_a_limit_of_the_client_the_budget_counts_from_the_healing(void **state) {
    (void)state;
    begin();
    fake.scenario.clients.policy.call_timeout_us = AQ_TIME_NEVER;
    fake_start(&fake);
    call(1 * S, AQ_SEEN_CALL, false, 3, 1);
    call(1 * S, AQ_SEEN_CALL, true, 3, 2);
    call(1 * S, AQ_SEEN_CALL, true, 3, 3); /* one producer, several calls */
    see(60 * S, AQ_SEEN_HEALED);
    call(62 * S, AQ_SEEN_CALL, false, 4, 4);
    call(63 * S, AQ_SEEN_ANSWER, true, 3, 3);
    fake.record.virtual_us = 91 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, STUCK), 2); /* calls 1 and 2; call 4 has a second left */
    fake_close(&fake);
}

static void told(uint32_t client, uint32_t address, bool member) {
    fake_see(
        &fake,
        (struct aq_observation){
            .at_us = 5 * S, .kind = AQ_SEEN_TOLD, .client = client, .address = address, .member = member});
}

/* Jobs on a server that every client was told to leave stay there; those on a drained one must not. */
static void jobs_out_of_everyones_reach_are_excused_by_name(void **state) {
    (void)state;
    static const enum aq_fault_kind kinds[] = {AQ_FAULT_UPDATE_SERVERS, AQ_FAULT_DRAIN};
    for (int i = 0; i < 2; i++)
        for (uint32_t clients = 9; clients <= 10; clients++) {
            struct aq_fault_spec fault = {.kind = kinds[i]};
            begin();
            fake.scenario.faults = &fault;
            fake.scenario.fault_count = 1;
            fake_start(&fake);
            put(1 * S, 1);
            fake_see(&fake, (struct aq_observation){.at_us = 5 * S, .kind = AQ_SEEN_FAULT, .fault = 0});
            for (uint32_t client = 0; client < clients; client++)
                told(client, 1, false);
            see(60 * S, AQ_SEEN_HEALED);
            fake.record.virtual_us = 120 * S;
            bool excused = i == 0 && clients == 10;
            assert_int_equal(fake_finish(&fake), excused ? AQ_VERDICT_PASS : AQ_VERDICT_FAIL);
            assert_true(!excused || strstr(fake.out.remark, "no client is to use"));
            fake_close(&fake);
        }
}

static void an_abandoned_call_is_excused(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    call(61 * S, AQ_SEEN_CALL, false, 0, 1);
    call(61 * S, AQ_SEEN_CALL, true, 0, 2);
    see(62 * S, AQ_SEEN_HEALED);
    call(63 * S, AQ_SEEN_ABANDONED, false, 0, 1);
    call(63 * S, AQ_SEEN_ABANDONED, true, 0, 2);
    fake.record.virtual_us = 500 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void a_run_that_was_never_healed_is_unknown(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    put(1 * S, 0);
    fake.record.virtual_us = 500 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    assert_int_equal(fake.out.judged, 0);
    fake_close(&fake);
}

/* With the defaults the budget and the time to settle are both a minute: what hangs all that time is seen. */
static void a_call_that_hangs_for_the_whole_budget_is_stuck(void **state) {
    (void)state;
    begin();
    fake.scenario.clients.policy.call_timeout_us = AQ_TIME_NEVER;
    fake_start(&fake);
    call(1 * S, AQ_SEEN_CALL, false, 3, 1);
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 90 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, STUCK), 1);
    fake_close(&fake);
}

static void a_run_too_short_for_the_budget_is_unknown_while_something_waits(void **state) {
    (void)state;
    begin(); /* a call that hangs */
    fake.scenario.clients.policy.call_timeout_us = AQ_TIME_NEVER;
    fake_start(&fake);
    call(1 * S, AQ_SEEN_CALL, false, 3, 1);
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 89 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);

    begin(); /* a ready job that nobody takes */
    fake_start(&fake);
    put(1 * S, 0);
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 89 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);

    begin(); /* nothing waits: drained early */
    fake_start(&fake);
    put(1 * S, 0);
    see(60 * S, AQ_SEEN_HEALED);
    lease(61 * S, 0);
    done(62 * S, 0);
    call(62 * S, AQ_SEEN_CALL, false, 3, 1); /* a poll under way */
    fake.record.virtual_us = 63 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);

    begin(); /* no budget was wanted */
    fake.scenario.budgets.progress_us = AQ_TIME_NEVER;
    fake_start(&fake);
    put(1 * S, 0);
    see(60 * S, AQ_SEEN_HEALED);
    fake.record.virtual_us = 89 * S;
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backlog_that_drains_within_the_budget_passes),
        cmocka_unit_test(stalls_before_the_healing_are_excused),
        cmocka_unit_test(ready_jobs_that_nobody_completes_are_caught),
        cmocka_unit_test(leases_without_completions_are_no_progress),
        cmocka_unit_test(burying_a_job_for_good_is_progress),
        cmocka_unit_test(what_no_worker_can_get_at_is_not_waited_for),
        cmocka_unit_test(restored_and_matured_jobs_are_waited_for),
        cmocka_unit_test(the_clients_own_limit_holds_under_faults_as_well),
        cmocka_unit_test(jobs_of_a_tube_that_an_operator_has_paused_are_out_of_reach),
        cmocka_unit_test(a_call_beyond_the_clients_own_limit_is_stuck),
        cmocka_unit_test(without_a_limit_of_the_client_the_budget_counts_from_the_healing),
        cmocka_unit_test(a_call_that_hangs_for_the_whole_budget_is_stuck),
        cmocka_unit_test(a_run_too_short_for_the_budget_is_unknown_while_something_waits),
        cmocka_unit_test(jobs_out_of_everyones_reach_are_excused_by_name),
        cmocka_unit_test(an_abandoned_call_is_excused),
        cmocka_unit_test(a_run_that_was_never_healed_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
