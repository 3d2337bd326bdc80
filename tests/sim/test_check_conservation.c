#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define CHECK AQ_CHECK_CONSERVATION

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

static void own_tap(enum aq_tap_kind kind, enum aq_job_state job_state, uint32_t server, uint32_t job) {
    struct aq_tap tap = {.kind = kind, .state = job_state, .action = AQ_ACTION_COUNT};
    see_tap_as(&see, server, tap, 0, job);
}

/* accepted + appeared = completed + held + lost + vanished, whatever happened. */
static void the_books_balance(void) {
    double in = see_figure(&see, CHECK, "accepted") + see_figure(&see, CHECK, "appeared");
    double out = see_figure(&see, CHECK, "completed") + see_figure(&see, CHECK, "held") +
                 see_figure(&see, CHECK, "lost_declared") + see_figure(&see, CHECK, "vanished");
    assert_true(in == out);
}

static void completed_held_and_lost_jobs_add_up(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 6; job++)
        see_put(&see, 1, 3, job);
    see_get(&see, 6, 3, 1);
    see_done(&see, 6, 3, 1);
    uint64_t call = see_call(&see, 6, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_TAKEN, call, 2);
    see_got(&see, call, 2);
    own_tap(AQ_TAP_CLEARED, AQ_JOB_READY, 3, 3);
    see_put(&see, 1, 2, 10);
    see_held(&see, 2, 10, AQ_JOB_READY);
    see_server_down(&see, 3, true);
    for (uint32_t job = 4; job <= 6; job++)
        see_lost(&see, 3, job);
    see_server_up(&see, 3);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_int_equal(see.record.jobs.produced, 7);
    assert_int_equal(see.record.jobs.accepted, 7);
    assert_int_equal(see.record.jobs.completed, 3);
    assert_int_equal(see.record.jobs.lost_declared, 3);
    assert_int_equal(see.record.jobs.held, 1);
    assert_int_equal(see.record.jobs.unexplained, 0);
}

/* A parent is held while it waits, and ends as other jobs do; a noop ends without having been handed out. */
static void waiting_parents_are_in_the_books(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 4; job++) {
        uint64_t call = see_put_call(&see, 1, job);
        see_tap_as(&see, 3, (struct aq_tap){.kind = AQ_TAP_PARENT_HELD, .state = AQ_JOB_PARENT}, call, job);
        see_answer(&see, call, AQ_OUTCOME_OK);
    }
    own_tap(AQ_TAP_CHILD_COUNTED, AQ_JOB_PARENT, 3, 1);
    own_tap(AQ_TAP_PARENT_STARTED, AQ_JOB_READY, 3, 1);
    see_get(&see, 6, 3, 1);
    see_done(&see, 6, 3, 1);
    own_tap(AQ_TAP_TIMED_OUT, AQ_JOB_BURIED, 3, 2);
    own_tap(AQ_TAP_NOOP_DONE, AQ_JOB_PARENT, 3, 3);
    see_held(&see, 3, 2, AQ_JOB_BURIED);
    see_held(&see, 3, 4, AQ_JOB_PARENT);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_int_equal(see.record.jobs.accepted, 4);
    assert_int_equal(see.record.jobs.completed, 2);
    assert_int_equal(see.record.jobs.held, 2);
}

static void a_job_that_was_dropped_with_its_tube_has_vanished(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    own_tap(AQ_TAP_REAPED, AQ_JOB_DELAYED, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job vanished");
    the_books_balance();
}

static void without_jobs_nothing_is_judged(void **state) {
    (void)state;
    see_get(&see, 6, 3, 0);
    see_expect(&see, CHECK, AQ_VERDICT_UNKNOWN, 0, NULL);
}

static void a_job_that_is_nowhere_has_vanished(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_put(&see, 1, 3, 8);
    see_held(&see, 3, 8, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job vanished");
    the_books_balance();
    assert_string_equal(see_violation(&see, CHECK)->job, "srvDDDD,J7");
    assert_int_equal(see.record.jobs.unexplained, 1);
}

static void a_job_that_a_server_holds_after_its_end_has_appeared(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_held(&see, 3, 7, AQ_JOB_RESERVED);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job appeared after its end");
    the_books_balance();
}

static void a_job_held_by_another_server_than_its_own_has_appeared(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_held(&see, 3, 7, AQ_JOB_READY);
    see_held(&see, 2, 7, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job appeared");
    the_books_balance();
}

static void a_held_job_that_nobody_put_has_appeared(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_held(&see, 3, 7, AQ_JOB_READY);
    see_held(&see, 3, 8, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job appeared");
    the_books_balance();
}

static void a_lease_of_a_job_that_nobody_put_has_appeared(void **state) {
    (void)state;
    see_get(&see, 6, 3, 9);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job appeared");
    the_books_balance();
}

static void a_job_from_a_disk_that_nobody_put_has_appeared(void **state) {
    (void)state;
    own_tap(AQ_TAP_RESTORED, AQ_JOB_READY, 3, 9);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job appeared");
    the_books_balance();
}

static void jobs_come_back_from_disk(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 3; job++)
        see_put(&see, 1, 3, job);
    see_get(&see, 6, 3, 2);
    see_get(&see, 6, 3, 3);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 3);
    see_tap(&see, 3, AQ_TAP_DONE, call, 3); /* not yet saved */
    see_server_down(&see, 3, false);
    see_abandoned(&see, call);
    see_server_up(&see, 3);
    own_tap(AQ_TAP_RESTORED, AQ_JOB_READY, 3, 1);
    own_tap(AQ_TAP_RESTORED, AQ_JOB_RESERVED, 3, 2);
    own_tap(AQ_TAP_RESTORED, AQ_JOB_RESERVED, 3, 3);
    for (uint32_t job = 1; job <= 3; job++)
        see_held(&see, 3, job, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_int_equal(see.record.jobs.held, 3);
    assert_int_equal(see.record.jobs.completed, 0);
}

static void a_restart_that_renames_moves_the_job(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED,
                         .state = AQ_JOB_READY,
                         .action = AQ_ACTION_COUNT,
                         .former_id = AQ_TEXT("J7")};
    see_tap_as(&see, 3, tap, 0, 1007);
    see_get(&see, 6, 3, 1007);
    see_done(&see, 6, 3, 1007);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_int_equal(see.record.jobs.completed, 1);
}

static void an_unacknowledged_put_may_miss_the_disk(void **state) {
    (void)state;
    uint64_t call = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    see_server_down(&see, 3, false);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    see_server_up(&see, 3);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_true(see_figure(&see, CHECK, "never_saved") == 1);
}

static void an_acknowledged_put_that_misses_the_disk_has_vanished(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "job vanished");
    the_books_balance();
}

static void jobs_on_the_disk_of_a_server_that_is_down_are_held(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_server_down(&see, 3, false);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    the_books_balance();
    assert_true(see_figure(&see, CHECK, "on_disk") == 1);
}

/* Worker 6 asks for jobs that are deleted as they are handed out. Job 0: no server hears of it. */
static uint64_t taking_get(uint32_t server, uint32_t job) {
    see.scenario.workers.batch = 1;
    uint64_t call = see_call(&see, 6, AQ_ACTION_GET, 0);
    if (job) see_tap(&see, server, AQ_TAP_TAKEN, call, job);
    return call;
}

static void jobs_taken_behind_answers_that_say_unknown_are_accounted_for(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 4; job++)
        see_put(&see, 1, 3, job);
    see_got(&see, taking_get(3, 1), 1);
    see_answer(&see, taking_get(3, 2), AQ_OUTCOME_UNKNOWN);
    see_abandoned(&see, taking_get(3, 3));
    see_got(&see, taking_get(3, 0), 0);
    see_held(&see, 3, 4, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void a_job_whose_answer_is_under_way_at_the_end_is_accounted_for(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    taking_get(3, 1);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void a_job_that_was_taken_and_told_to_nobody_is_caught(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 2; job++)
        see_put(&see, 1, 3, job);
    uint64_t call = taking_get(3, 1); /* its reply is lost, and the client asks again */
    see_tap(&see, 3, AQ_TAP_TAKEN, call, 2);
    see_got(&see, call, 2);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "a job was taken for good, and told to nobody");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(completed_held_and_lost_jobs_add_up),
        T(waiting_parents_are_in_the_books),
        T(a_job_that_was_dropped_with_its_tube_has_vanished),
        T(without_jobs_nothing_is_judged),
        T(a_job_that_is_nowhere_has_vanished),
        T(a_job_that_a_server_holds_after_its_end_has_appeared),
        T(a_job_held_by_another_server_than_its_own_has_appeared),
        T(a_held_job_that_nobody_put_has_appeared),
        T(a_lease_of_a_job_that_nobody_put_has_appeared),
        T(a_job_from_a_disk_that_nobody_put_has_appeared),
        T(jobs_come_back_from_disk),
        T(a_restart_that_renames_moves_the_job),
        T(an_unacknowledged_put_may_miss_the_disk),
        T(an_acknowledged_put_that_misses_the_disk_has_vanished),
        T(jobs_taken_behind_answers_that_say_unknown_are_accounted_for),
        T(a_job_whose_answer_is_under_way_at_the_end_is_accounted_for),
        T(a_job_that_was_taken_and_told_to_nobody_is_caught),
        T(jobs_on_the_disk_of_a_server_that_is_down_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
