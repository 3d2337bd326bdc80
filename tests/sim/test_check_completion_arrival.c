#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define CHECK AQ_CHECK_COMPLETION_ARRIVAL

static struct see see;

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see_start(&see);
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

/* A server that answers the soft error as a success: told ok with an error in it. */
static void answer_with_error(uint64_t call, uint32_t worker, enum aq_action action, uint32_t job) {
    char own[16];
    snprintf(own, sizeof own, "J%u", job);
    see_raw(&see, (struct aq_observation){.kind = AQ_SEEN_ANSWER,
                                          .caller = worker,
                                          .client = worker % SEE_CLIENTS,
                                          .server = AQ_NOBODY,
                                          .call = call,
                                          .action = action,
                                          .outcome = AQ_OUTCOME_OK,
                                          .error = true,
                                          .job = aq_text_of(own),
                                          .job_hash = aq_text_hash(aq_text_of(own))});
}

static void completions_applied_once_and_told_ok_pass(void **state) {
    (void)state;
    see_completion(&see, 6, 3, AQ_ACTION_TOUCH, 7);
    see_completion(&see, 6, 3, AQ_ACTION_RELEASE, 7);
    see_get(&see, 5, 3, 7);
    see_completion(&see, 5, 3, AQ_ACTION_BURY, 7);
    see_completion(&see, 5, 3, AQ_ACTION_DELETE, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, CHECK)->judged, 4);
}

static void a_client_that_forgot_the_origin_of_a_job_is_caught(void **state) {
    (void)state;
    see_answer(&see, see_call(&see, 6, AQ_ACTION_DONE, 7), AQ_OUTCOME_INVALID);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told invalid, though its client had handed the job out");
}

static void a_client_that_has_restarted_may_have_forgotten_it(void **state) {
    (void)state;
    see_raw(&see, (struct aq_observation){.kind = AQ_SEEN_CLIENT_DOWN, .client = 6 % SEE_CLIENTS});
    see_answer(&see, see_call(&see, 6, AQ_ACTION_DONE, 7), AQ_OUTCOME_INVALID);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void a_release_that_buries_is_applied(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_RELEASE, 7);
    see_tap(&see, 3, AQ_TAP_AUTOBURIED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void told_ok_without_any_tap_is_caught(void **state) {
    (void)state;
    static const enum aq_action actions[] = {AQ_ACTION_DONE, AQ_ACTION_DELETE, AQ_ACTION_TOUCH,
                                             AQ_ACTION_RELEASE, AQ_ACTION_BURY};
    for (uint32_t i = 0; i < 5; i++)
        see_answer(&see, see_call(&see, 6, actions[i], 7), AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 5, "told ok, not applied at the origin");
}

static void told_ok_of_what_was_applied_before_the_call_is_caught(void **state) {
    (void)state;
    see_completion(&see, 6, 3, AQ_ACTION_TOUCH, 7);
    see_answer(&see, see_call(&see, 6, AQ_ACTION_TOUCH, 7), AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told ok, not applied at the origin");
}

static void told_ok_of_what_another_servers_tap_says_is_caught(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_TOUCH, 7);
    see_tap(&see, 2, AQ_TAP_TOUCHED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told ok, not applied at the origin");
}

static void told_ok_of_another_workers_done_is_caught(void **state) {
    (void)state;
    see_at(&see, 20 * AQ_US_PER_S);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 5, 3, 7);
    uint64_t late = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_done(&see, 5, 3, 7);
    see_tap(&see, 3, AQ_TAP_MISSED, late, 7);
    see_answer(&see, late, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told ok, not applied at the origin");
}

static void told_ok_of_a_job_that_ended_long_ago_is_caught(void **state) {
    (void)state;
    see_done(&see, 6, 3, 7);
    assert_null(aq_ledger_job_by_token(see.ledger, 7));
    uint64_t call = see_call(&see, 6, AQ_ACTION_TOUCH, 7);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told ok, not applied at the origin");
}

static void told_refused_though_applied_is_caught(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told refused, but applied");
}

static void told_of_an_error_though_applied_is_caught(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_BURY, 7);
    see_tap(&see, 3, AQ_TAP_BURIED, call, 7);
    answer_with_error(call, 6, AQ_ACTION_BURY, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told refused, but applied");
}

static void a_request_applied_after_its_refusal_is_caught(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_answer(&see, call, AQ_OUTCOME_UNAVAILABLE);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "told refused, but applied");
}

static void a_second_application_is_caught(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "applied twice");
}

static void refusals_are_judged_without_the_calls_of_taps(void **state) {
    (void)state;
    see.taps_name_clients_only = true;
    see_completion(&see, 6, 3, AQ_ACTION_TOUCH, 7); /* ended, so that it confuses nobody */
    uint64_t call = see_call(&see, 6, AQ_ACTION_TOUCH, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_TOUCHED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_answer(&see, call, AQ_OUTCOME_UNAVAILABLE);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 2, "told refused, but applied");
}

/* Three ways in which a done of worker 2 may be taken for one of worker 6, both of client 2. */
static void a_tap_is_not_taken_for_that_of_another_call(void **state) {
    (void)state;
    see.taps_name_clients_only = true;
    for (uint32_t way = 0; way < 3; way++) {
        uint32_t job = 20 + way;
        see_put(&see, 1, 3, job);
        see_get(&see, 2, 3, job);
        uint64_t first = see_call(&see, 2, AQ_ACTION_DONE, job);
        if (way != 1) see_send(&see, first, 3);
        if (way == 1) see_abandoned(&see, first);
        if (way == 2) see_answer(&see, first, AQ_OUTCOME_UNKNOWN);
        uint64_t second = see_call(&see, 6, AQ_ACTION_DONE, job);
        if (way == 1) see_send(&see, first, 3);
        see_tap(&see, 3, AQ_TAP_DONE, first, job);
        see_send(&see, second, 3);
        see_tap(&see, 3, AQ_TAP_MISSED, second, job);
        see_answer(&see, second, AQ_OUTCOME_REFUSED);
        if (way == 0) see_answer(&see, first, AQ_OUTCOME_OK);
    }
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void the_tap_of_another_client_is_not_taken_for_ones_own(void **state) {
    (void)state;
    see.taps_name_clients_only = true;
    uint64_t other = see_call(&see, 5, AQ_ACTION_DONE, 99), own = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, other, 7);
    see_answer(&see, own, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void an_ambiguous_retry_told_unknown_passes(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    see_put(&see, 1, 2, 8);
    see_get(&see, 6, 2, 8);
    see_done(&see, 6, 2, 8);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "told_unknown") == 1);
    assert_int_equal(see.record.completions.unknown, 1);
}

static void a_refusal_of_what_was_not_applied_passes(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_FAILED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_done(&see, 6, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void two_workers_touching_in_turn_pass(void **state) {
    (void)state;
    uint64_t first = see_call(&see, 6, AQ_ACTION_TOUCH, 7), second = see_call(&see, 5, AQ_ACTION_TOUCH, 7);
    see_tap(&see, 3, AQ_TAP_TOUCHED, first, 7);
    see_tap(&see, 3, AQ_TAP_TOUCHED, second, 7);
    see_answer(&see, first, AQ_OUTCOME_OK);
    see_answer(&see, second, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void done_again_after_a_restart_undid_the_first_passes(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED, .state = AQ_JOB_RESERVED, .action = AQ_ACTION_COUNT};
    see_tap_as(&see, 3, tap, 0, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    see_expect(&see, AQ_CHECK_NO_FALSE_ACK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see.record.jobs.completed, 1);
}

static void without_answers_nothing_is_judged(void **state) {
    (void)state;
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_abandoned(&see, call);
    see_expect(&see, CHECK, AQ_VERDICT_UNKNOWN, 0, NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_client_that_forgot_the_origin_of_a_job_is_caught),
        T(a_client_that_has_restarted_may_have_forgotten_it),
        T(completions_applied_once_and_told_ok_pass),
        T(a_release_that_buries_is_applied),
        T(told_ok_without_any_tap_is_caught),
        T(told_ok_of_what_was_applied_before_the_call_is_caught),
        T(told_ok_of_what_another_servers_tap_says_is_caught),
        T(told_ok_of_another_workers_done_is_caught),
        T(told_ok_of_a_job_that_ended_long_ago_is_caught),
        T(told_refused_though_applied_is_caught),
        T(told_of_an_error_though_applied_is_caught),
        T(a_request_applied_after_its_refusal_is_caught),
        T(a_second_application_is_caught),
        T(refusals_are_judged_without_the_calls_of_taps),
        T(a_tap_is_not_taken_for_that_of_another_call),
        T(the_tap_of_another_client_is_not_taken_for_ones_own),
        T(an_ambiguous_retry_told_unknown_passes),
        T(a_refusal_of_what_was_not_applied_passes),
        T(two_workers_touching_in_turn_pass),
        T(done_again_after_a_restart_undid_the_first_passes),
        T(without_answers_nothing_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
