/* duplicate-put and duplicate-execution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define PUT     AQ_CHECK_DUPLICATE_PUT
#define EXECUTE AQ_CHECK_DUPLICATE_EXECUTION

static const char several[] = "one put made several jobs";
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

static void expect_cause(const char *name, double count) {
    assert_true(see_figure(&see, EXECUTE, name) == count);
}

static void expire(uint32_t server, uint32_t job) {
    see_at(&see, see.now_us + 2 * SEE_TTL_US);
    see_tap(&see, server, AQ_TAP_EXPIRED, 0, job);
}

static void restored(uint32_t server, uint32_t job, enum aq_job_state job_state) {
    see_server_down(&see, server, false);
    see_server_up(&see, server);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED, .state = job_state, .action = AQ_ACTION_COUNT};
    see_tap_as(&see, server, tap, 0, job);
}

/* Copies 7 and 1007 of one call, at two servers. */
static uint64_t put_twice(void) {
    uint64_t call = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    see_tap(&see, 2, AQ_TAP_PUT, call, 1007);
    return call;
}

static void one_job_for_each_put_passes(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_put(&see, 2, 3, 8);
    see_answer(&see, see_put_call(&see, 1, 9), AQ_OUTCOME_UNAVAILABLE);
    see_expect(&see, PUT, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, PUT)->judged, 3);
}

static void without_puts_nothing_is_judged(void **state) {
    (void)state;
    see_get(&see, 6, 3, 0);
    see_expect(&see, PUT, AQ_VERDICT_UNKNOWN, 0, NULL);
    see_expect(&see, EXECUTE, AQ_VERDICT_UNKNOWN, 0, NULL);
}

static void two_jobs_before_the_answer_are_caught(void **state) {
    (void)state;
    see_answer(&see, put_twice(), AQ_OUTCOME_OK);
    see_expect(&see, PUT, AQ_VERDICT_FAIL, 1, several);
    assert_int_equal(see_violation(&see, PUT)->token, 7);
}

static void two_jobs_of_a_refused_put_are_caught(void **state) {
    (void)state;
    see_answer(&see, put_twice(), AQ_OUTCOME_REFUSED);
    see_expect(&see, PUT, AQ_VERDICT_FAIL, 1, several);
}

static void a_second_job_after_the_answer_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_tap(&see, 2, AQ_TAP_PUT, see.calls_made, 1007);
    see_expect(&see, PUT, AQ_VERDICT_FAIL, 1, several);
}

static void a_second_job_after_the_first_was_done_and_forgotten_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    uint64_t call = see.calls_made;
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    assert_null(aq_ledger_job_by_token(see.ledger, 7));
    see_tap(&see, 2, AQ_TAP_PUT, call, 1007);
    see_get(&see, 6, 2, 1007);
    see_done(&see, 6, 2, 1007);
    see_expect(&see, PUT, AQ_VERDICT_FAIL, 1, several);
    expect_cause("duplicate_put", 1);
    assert_int_equal(see.record.jobs.accepted, 2);
    assert_int_equal(see.record.jobs.completed, 2);
}

static void two_jobs_of_an_unknown_put_are_excused(void **state) {
    (void)state;
    uint64_t call = put_twice();
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    see_tap(&see, 2, AQ_TAP_PUT, call, 2007);
    see_expect(&see, PUT, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, PUT, "excused") == 2);
}

static void two_jobs_of_an_abandoned_put_are_excused(void **state) {
    (void)state;
    see_abandoned(&see, put_twice());
    see_expect(&see, PUT, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, PUT)->judged, 1);
}

static void two_jobs_of_a_put_still_open_at_the_end_are_caught(void **state) {
    (void)state;
    put_twice();
    see_expect(&see, PUT, AQ_VERDICT_FAIL, 1, several);
}

static void jobs_executed_once_pass(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    see_expect(&see, EXECUTE, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, EXECUTE)->judged, 1);
    assert_int_equal(see.record.jobs.executed_again, 0);
}

static void each_excused_cause_is_named(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_get(&see, 6, 3, 1);
    expire(3, 1);
    see_get(&see, 5, 3, 1); /* the lease ran out */
    see_completion(&see, 5, 3, AQ_ACTION_RELEASE, 1);
    see_get(&see, 5, 3, 1); /* released */
    see_completion(&see, 5, 3, AQ_ACTION_BURY, 1);
    see_tap(&see, 3, AQ_TAP_KICKED, 0, 1);
    see_get(&see, 5, 3, 1); /* kicked */
    expire(3, 1);
    see_tap(&see, 3, AQ_TAP_LEASE, see_call(&see, 4, AQ_ACTION_GET, 0), 1); /* nobody hears of this one */
    expire(3, 1);
    see_get(&see, 5, 3, 1); /* reply lost */
    restored(3, 1, AQ_JOB_READY);
    see_get(&see, 5, 3, 1); /* restart */
    see_answer(&see, put_twice(), AQ_OUTCOME_UNKNOWN);
    see_get(&see, 5, 3, 7);
    see_get(&see, 5, 2, 1007); /* put twice */
    see_expect(&see, EXECUTE, AQ_VERDICT_PASS, 0, NULL);
    expect_cause("ttl_expiry", 1);
    expect_cause("released", 1);
    expect_cause("kicked", 1);
    expect_cause("lost_reply", 1);
    expect_cause("server_restart", 1);
    expect_cause("duplicate_put", 1);
    expect_cause("jobs_again", 2);
    assert_int_equal(see_check(&see, EXECUTE)->judged, 8);
    assert_int_equal(see.record.jobs.executed_again, 2);
}

static void a_first_execution_after_a_lost_reply_is_no_duplicate(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_tap(&see, 3, AQ_TAP_LEASE, see_call(&see, 4, AQ_ACTION_GET, 0), 1);
    expire(3, 1);
    see_get(&see, 5, 3, 1);
    see_expect(&see, EXECUTE, AQ_VERDICT_PASS, 0, NULL);
    expect_cause("jobs_again", 0);
}

static void a_job_under_the_name_that_a_restart_gave_it_is_the_same(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    expire(3, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED,
                         .state = AQ_JOB_READY,
                         .action = AQ_ACTION_COUNT,
                         .former_id = AQ_TEXT("J7")};
    see_tap_as(&see, 3, tap, 0, 1007);
    see_get(&see, 6, 3, 1007);
    see_expect(&see, EXECUTE, AQ_VERDICT_PASS, 0, NULL);
    expect_cause("server_restart", 1);
}

static void a_job_handed_out_again_for_nothing_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_get(&see, 6, 3, 1);
    see_at(&see, see.now_us + 2 * SEE_TTL_US);
    see_get(&see, 5, 3, 1); /* its lease is over, but the server has not said so */
    see_expect(&see, EXECUTE, AQ_VERDICT_FAIL, 1, "executed again without a cause");
    expect_cause("unexplained", 1);
}

static void a_cause_serves_for_one_lease_only(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_get(&see, 6, 3, 1);
    expire(3, 1);
    see_get(&see, 5, 3, 1);
    see_at(&see, see.now_us + 2 * SEE_TTL_US);
    see_get(&see, 4, 3, 1);
    see_expect(&see, EXECUTE, AQ_VERDICT_FAIL, 1, "executed again without a cause");
    expect_cause("ttl_expiry", 1);
}

static void a_job_that_came_back_after_its_acknowledged_end_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_get(&see, 6, 3, 1);
    see_done(&see, 6, 3, 1);
    restored(3, 1, AQ_JOB_READY);
    see_get(&see, 5, 3, 1);
    see_expect(&see, EXECUTE, AQ_VERDICT_FAIL, 1, "executed again after an acknowledged completion");
    expect_cause("came_back", 1);
}

static void run_again(double budget) {
    see.scenario.budgets.duplicate_executions_max = budget;
    for (uint32_t job = 1; job <= 4; job++) {
        see_put(&see, 1, 3, job);
        see_get(&see, 6, 3, job);
        if (job == 1) {
            expire(3, job);
            see_get(&see, 5, 3, job);
        }
        see_done(&see, 6, 3, job);
    }
}

static void more_jobs_again_than_the_budget_are_caught(void **state) {
    (void)state;
    run_again(0.24);
    see_expect(&see, EXECUTE, AQ_VERDICT_FAIL, 1, "more jobs executed again than the budget allows");
    expect_cause("share_of_completed", 0.25);
}

static void as_many_jobs_again_as_the_budget_pass(void **state) {
    (void)state;
    run_again(0.25);
    see_expect(&see, EXECUTE, AQ_VERDICT_PASS, 0, NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(one_job_for_each_put_passes),
        T(without_puts_nothing_is_judged),
        T(two_jobs_before_the_answer_are_caught),
        T(two_jobs_of_a_refused_put_are_caught),
        T(a_second_job_after_the_answer_is_caught),
        T(a_second_job_after_the_first_was_done_and_forgotten_is_caught),
        T(two_jobs_of_an_unknown_put_are_excused),
        T(two_jobs_of_an_abandoned_put_are_excused),
        T(two_jobs_of_a_put_still_open_at_the_end_are_caught),
        T(jobs_executed_once_pass),
        T(each_excused_cause_is_named),
        T(a_first_execution_after_a_lost_reply_is_no_duplicate),
        T(a_job_under_the_name_that_a_restart_gave_it_is_the_same),
        T(a_job_handed_out_again_for_nothing_is_caught),
        T(a_cause_serves_for_one_lease_only),
        T(a_job_that_came_back_after_its_acknowledged_end_is_caught),
        T(more_jobs_again_than_the_budget_are_caught),
        T(as_many_jobs_again_as_the_budget_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
