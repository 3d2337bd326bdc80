#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define CHECK AQ_CHECK_COMPLETION_ORIGIN

static struct see see;

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see_start(&see);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

static void completions_of_every_kind_at_the_origin_pass(void **state) {
    (void)state;
    static const enum aq_action actions[] = {AQ_ACTION_TOUCH, AQ_ACTION_RELEASE, AQ_ACTION_BURY,
                                             AQ_ACTION_DELETE, AQ_ACTION_DONE};
    for (uint32_t i = 0; i < 5; i++) {
        see_put(&see, 1, i, 10 + i);
        see_get(&see, 2, i, 10 + i);
        see_completion(&see, 2, i, actions[i], 10 + i);
    }
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, CHECK)->judged, 5);
    assert_int_equal(see.record.completions.sent, 5);
    assert_int_equal(see.record.completions.applied, 5);
    assert_int_equal(see.record.completions.acked, 5);
    assert_int_equal(see.record.completions.misrouted, 0);
}

static void without_completions_nothing_is_judged(void **state) {
    (void)state;
    see_put(&see, 1, 0, 7);
    see_get(&see, 2, 0, 7);
    see_expect(&see, CHECK, AQ_VERDICT_UNKNOWN, 0, NULL);
    assert_string_equal(see_check(&see, CHECK)->remark, "nothing to judge: no completion reached a server");
}

static void a_completion_at_another_server_is_caught_with_its_story(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 2);
    see_tap(&see, 2, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "completion at another server");
    assert_int_equal(see.record.completions.misrouted, 1);
    const struct aq_record_violation *violation = see_violation(&see, CHECK);
    assert_int_equal(violation->origin, 3);
    assert_int_equal(violation->receiver, 2);
    assert_int_equal(violation->token, 7);
    assert_int_equal(violation->at_us, 11 * SEE_STEP_US);
    assert_string_equal(violation->job, "srvDDDD,J7");
    see_expect_line(violation, "[0.001000] producer 1 of client 1 > put");
    see_expect_line(violation, "server 3: lease");
    see_expect_line(violation, "[0.011000] worker 6 of client 2 > done srvDDDD,J7 -> server 2: missed");
    assert_string_equal(see_check(&see, CHECK)->remark,
                        "1 violation, the first: completion at another server");
}

static void an_error_reply_at_another_server_is_caught_as_well(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 2, AQ_TAP_FAILED, call, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "completion at another server");
}

static void an_id_that_no_server_issued_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 99);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 99);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "completion for an id that no server issued");
    assert_string_equal(see_violation(&see, CHECK)->job, "J99");
}

static void a_worker_that_completes_twice_is_excused(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    assert_null(aq_ledger_job_by_token(see.ledger, 7)); /* forgotten already */
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "late") == 1);
}

static void a_late_completion_after_another_workers_is_excused(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_at(&see, 20 * AQ_US_PER_S);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 5, 3, 7);
    see_done(&see, 5, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void a_completion_of_a_job_lost_in_a_crash_is_counted_and_excused(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_server_down(&see, 3, true);
    see_lost(&see, 3, 7);
    see_server_up(&see, 3);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_answer(&see, call, AQ_OUTCOME_REFUSED);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see.record.completions.origin_gone, 1);
    assert_true(see_figure(&see, CHECK, "origin_gone") == 1);
}

static void a_lost_memory_is_known_without_a_word_on_each_job(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_server_down(&see, 3, true);
    see_server_up(&see, 3);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_MISSED, call, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "origin_gone") == 1);
    assert_int_equal(see.record.jobs.lost_declared, 1);
}

static void the_next_process_of_a_server_that_kept_its_disk_is_the_origin(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED,
                         .state = AQ_JOB_RESERVED,
                         .action = AQ_ACTION_COUNT,
                         .due_us = see.now_us + SEE_TTL_US};
    see_tap_as(&see, 3, tap, 0, 7);
    see_done(&see, 6, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "arrived") == 1);
    assert_true(see_figure(&see, CHECK, "origin_gone") == 0);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(completions_of_every_kind_at_the_origin_pass),
        T(without_completions_nothing_is_judged),
        T(a_completion_at_another_server_is_caught_with_its_story),
        T(an_error_reply_at_another_server_is_caught_as_well),
        T(an_id_that_no_server_issued_is_caught),
        T(a_worker_that_completes_twice_is_excused),
        T(a_late_completion_after_another_workers_is_excused),
        T(a_completion_of_a_job_lost_in_a_crash_is_counted_and_excused),
        T(a_lost_memory_is_known_without_a_word_on_each_job),
        T(the_next_process_of_a_server_that_kept_its_disk_is_the_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
