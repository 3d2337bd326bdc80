/* Marks: each counts what it is called after, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "sim/marks.h"
#include "tests/sim/observe.h"

static struct see see;

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see.faults[0].kind = AQ_FAULT_PARTITION;
    see.faults[1].kind = AQ_FAULT_LOSS;
    see.scenario.faults = see.faults;
    see.scenario.fault_count = 2;
    see_start(&see);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

static uint64_t hits(enum aq_mark mark) {
    return aq_ledger_marks(see.ledger)[mark];
}

/* Fails where any mark but these was reached. */
static void only(const enum aq_mark *marks, size_t count) {
    for (uint32_t i = 0; i < AQ_MARK_COUNT; i++) {
        bool wanted = false;
        for (size_t k = 0; k < count; k++)
            wanted |= marks[k] == i;
        if ((hits((enum aq_mark)i) > 0) != wanted)
            fail_msg("%s was reached %llu times", aq_mark_word(AQ_CLIENT_MARK_COUNT + i),
                     (unsigned long long)hits((enum aq_mark)i));
    }
}
#define ONLY(...)                                                                                            \
    only((const enum aq_mark[]){__VA_ARGS__},                                                                \
         sizeof(const enum aq_mark[]){__VA_ARGS__} / sizeof(enum aq_mark))

static void put_and_lease(void) {
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
}

static void complete(enum aq_action action, enum aq_tap_kind tap, enum aq_outcome outcome) {
    uint64_t call = see_call(&see, 6, action, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, tap, call, 7);
    see_answer(&see, call, outcome);
}

static void a_plain_job_reaches_none(void **state) {
    (void)state;
    put_and_lease();
    complete(AQ_ACTION_DONE, AQ_TAP_DONE, AQ_OUTCOME_OK);
    only(NULL, 0);
}

static void an_expiry_and_a_late_done(void **state) {
    (void)state;
    put_and_lease();
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    complete(AQ_ACTION_DONE, AQ_TAP_MISSED, AQ_OUTCOME_OK);
    ONLY(AQ_MARK_LEASE_EXPIRED, AQ_MARK_DONE_AFTER_EXPIRY);
    see_get(&see, 5, 3, 7);
    assert_int_equal(hits(AQ_MARK_LEASED_AGAIN_AFTER_EXPIRY), 1);
}

static void an_expiry_that_nobody_knew_of_is_a_lost_reply(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_GET, 0);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_LEASE, call, 7);
    see_fault(&see, 0, true);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_fault(&see, 0, false);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    ONLY(AQ_MARK_LEASE_EXPIRED, AQ_MARK_GET_REPLY_LOST, AQ_MARK_LEASE_EXPIRED_DURING_PARTITION,
         AQ_MARK_GET_UNKNOWN, AQ_MARK_FAULT_FIRST + AQ_FAULT_PARTITION);
    see_get(&see, 5, 3, 7);
    assert_int_equal(hits(AQ_MARK_LEASED_AGAIN_AFTER_LOST_REPLY), 1);
}

static void a_crash_that_takes_a_leased_job(void **state) {
    (void)state;
    put_and_lease();
    see_server_down(&see, 3, true);
    see_lost(&see, 3, 7);
    see_server_up(&see, 3);
    complete(AQ_ACTION_DONE, AQ_TAP_MISSED, AQ_OUTCOME_REFUSED);
    ONLY(AQ_MARK_JOB_LOST, AQ_MARK_LEASE_LOST, AQ_MARK_SERVER_RESTARTED, AQ_MARK_COMPLETION_OF_LOST_JOB,
         AQ_MARK_COMPLETION_TO_RESTARTED_SERVER);
}

static void unknown_puts_by_what_became_of_them(void **state) {
    (void)state;
    uint64_t call = see_put_call(&see, 1, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    assert_int_equal(hits(AQ_MARK_PUT_UNKNOWN_APPLIED), 1);
    assert_int_equal(hits(AQ_MARK_PUT_UNKNOWN_NOT_APPLIED), 0);
    call = see_put_call(&see, 1, 8);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    call = see_put_call(&see, 1, 9);
    see_answer(&see, call, AQ_OUTCOME_UNAVAILABLE);
    ONLY(AQ_MARK_PUT_UNKNOWN_APPLIED, AQ_MARK_PUT_UNKNOWN_NOT_APPLIED, AQ_MARK_PUT_UNAVAILABLE);
    assert_int_equal(hits(AQ_MARK_PUT_UNKNOWN_NOT_APPLIED), 1);
}

static void unknown_completions_by_what_became_of_them(void **state) {
    (void)state;
    put_and_lease();
    complete(AQ_ACTION_DONE, AQ_TAP_DONE, AQ_OUTCOME_UNKNOWN);
    ONLY(AQ_MARK_COMPLETION_UNKNOWN_APPLIED);
    see_put(&see, 1, 3, 8);
    see_get(&see, 6, 3, 8);
    see_answer(&see, see_call(&see, 6, AQ_ACTION_DONE, 8), AQ_OUTCOME_UNKNOWN);
    assert_int_equal(hits(AQ_MARK_COMPLETION_UNKNOWN_NOT_APPLIED), 1);
    assert_int_equal(hits(AQ_MARK_COMPLETION_UNKNOWN_APPLIED), 1);
}

static void a_put_that_makes_two_jobs(void **state) {
    (void)state;
    uint64_t call = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    see_tap(&see, 4, AQ_TAP_PUT, call, 1007);
    see_answer(&see, call, AQ_OUTCOME_OK);
    ONLY(AQ_MARK_PUT_ACCEPTED_TWICE);
}

static void a_completion_at_a_server_that_its_client_was_told_to_leave(void **state) {
    (void)state;
    put_and_lease();
    see_raw(&see, (struct aq_observation){.kind = AQ_SEEN_TOLD,
                                          .client = 6 % SEE_CLIENTS,
                                          .caller = AQ_NOBODY,
                                          .server = 3,
                                          .address = 3,
                                          .member = false});
    complete(AQ_ACTION_DONE, AQ_TAP_DONE, AQ_OUTCOME_OK);
    ONLY(AQ_MARK_DRAINED_WHILE_RESERVED);
}

static void faults_that_strike_and_overlap(void **state) {
    (void)state;
    see_fault(&see, 0, true);
    assert_int_equal(hits(AQ_MARK_FAULTS_OVERLAPPED), 0);
    see_server_down(&see, 2, true);
    see_fault(&see, 1, true);
    see_fault(&see, 1, false);
    see_fault(&see, 0, false);
    ONLY(AQ_MARK_FAULT_FIRST + AQ_FAULT_PARTITION, AQ_MARK_FAULT_FIRST + AQ_FAULT_LOSS,
         AQ_MARK_FAULTS_OVERLAPPED, AQ_MARK_CRASH_DURING_PARTITION);
}

static void the_last_server_that_goes_down(void **state) {
    (void)state;
    for (uint32_t server = 0; server < SEE_SERVERS; server++) {
        assert_int_equal(hits(AQ_MARK_ALL_SERVERS_DOWN), 0);
        see_server_down(&see, server, true);
    }
    ONLY(AQ_MARK_ALL_SERVERS_DOWN);
}

static void every_mark_has_a_name_of_its_own_by_which_it_is_found(void **state) {
    (void)state;
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++) {
        uint32_t found;
        assert_true(aq_mark_find(aq_mark_word(i), &found));
        assert_int_equal(found, i);
    }
    uint32_t untouched = 77;
    assert_false(aq_mark_find("no_such_mark", &untouched));
    assert_int_equal(untouched, 77);
    assert_non_null(aq_mark_text(AQ_CLIENT_MARK_COUNT + AQ_MARK_JOB_LOST));
    assert_null(aq_mark_text(0));
    assert_string_equal(aq_mark_word(AQ_CLIENT_MARK_COUNT + AQ_MARK_FAULT_FIRST + AQ_FAULT_CRASH),
                        "fault_crash");
}

static void the_page_explains_every_mark(void **state) {
    (void)state;
    static char page[40000];
    FILE *file = fopen("docs/EXPLORE.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++) {
        char row[300];
        if (!aq_mark_text(i)) continue;
        snprintf(row, sizeof row, "\n| `%s` | %s |\n", aq_mark_word(i), aq_mark_text(i));
        if (!strstr(page, row)) fail_msg("docs/EXPLORE.md has no row for %s", aq_mark_word(i));
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_plain_job_reaches_none),
        T(an_expiry_and_a_late_done),
        T(an_expiry_that_nobody_knew_of_is_a_lost_reply),
        T(a_crash_that_takes_a_leased_job),
        T(unknown_puts_by_what_became_of_them),
        T(unknown_completions_by_what_became_of_them),
        T(a_put_that_makes_two_jobs),
        T(a_completion_at_a_server_that_its_client_was_told_to_leave),
        T(faults_that_strike_and_overlap),
        T(the_last_server_that_goes_down),
        T(every_mark_has_a_name_of_its_own_by_which_it_is_found),
        T(the_page_explains_every_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
