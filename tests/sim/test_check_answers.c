/* The checks that need no taps: a run told by calls and answers alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

static struct see see;
static char connect_text[] = "a,b";

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see.scenario.servers.connect = connect_text;
    see.scenario.servers.count = 2;
    see.scenario.producers.ttl_given = true;
    see.scenario.producers.ttl_s = SEE_TTL_US / AQ_US_PER_S;
    see_start(&see);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

static void put(uint32_t job, enum aq_outcome outcome) {
    see_answer(&see, see_put_call(&see, 1, job), outcome);
}

static void get(uint32_t job) {
    see_got(&see, see_call(&see, 5, AQ_ACTION_GET, 0), job);
}

static void complete(uint32_t job, enum aq_action action, enum aq_outcome outcome) {
    see_answer(&see, see_call(&see, 5, action, job), outcome);
}

/* So many gets that bring nothing that every server must have been asked. */
static void find_nothing(void) {
    for (int i = 0; i < 40; i++)
        get(0);
}

static void what_was_put_and_completed_adds_up(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 3; job++) {
        put(job, AQ_OUTCOME_OK);
        get(job);
        complete(job, job == 3 ? AQ_ACTION_DELETE : AQ_ACTION_DONE, AQ_OUTCOME_OK);
    }
    put(4, AQ_OUTCOME_UNAVAILABLE);
    put(5, AQ_OUTCOME_OK);
    get(5);
    complete(5, AQ_ACTION_BURY, AQ_OUTCOME_REFUSED); /* as AllQueue's server answers */
    put(6, AQ_OUTCOME_OK);
    get(6);
    complete(6, AQ_ACTION_DONE, AQ_OUTCOME_UNKNOWN);
    assert_int_equal(aq_ledger_alive(see.ledger), 0);
    find_nothing();
    see_at(&see, 100 * AQ_US_PER_S);
    find_nothing();
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_PASS, 0, NULL);
    see_expect(&see, AQ_CHECK_DUPLICATE_PUT, AQ_VERDICT_PASS, 0, NULL);
    see_expect(&see, AQ_CHECK_DUPLICATE_EXECUTION, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see.record.jobs.accepted, 5);
    assert_int_equal(see.record.jobs.completed, 3);
}

static void a_job_that_is_never_handed_out_is_lost(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_OK);
    assert_int_equal(aq_ledger_alive(see.ledger), 1);
    find_nothing();
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_FAIL, 1, "put and acknowledged, and never handed out");
    see_expect_line(see_violation(&see, AQ_CHECK_CONSERVATION), "put");
    assert_int_equal(see.record.jobs.unexplained, 1);
}

static void a_job_that_may_still_wait_or_be_held_is_not_lost(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_OK);
    put(2, AQ_OUTCOME_OK);
    find_nothing();
    get(2); /* so the tube was not empty a moment ago */
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_UNKNOWN, 0, NULL);
    assert_true(see_figure(&see, AQ_CHECK_CONSERVATION, "waiting") == 1);
    assert_true(see_figure(&see, AQ_CHECK_CONSERVATION, "unfinished") == 1);
}

static void a_job_that_does_not_come_back_after_its_lease_is_lost(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_OK);
    get(1);
    complete(1, AQ_ACTION_RELEASE, AQ_OUTCOME_OK);
    see_at(&see, 100 * AQ_US_PER_S);
    find_nothing();
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_FAIL, 1,
               "handed out, not completed, and never seen again");
}

static void a_job_from_nowhere_is_unexpected(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_REFUSED);
    get(1);
    get(77);
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_FAIL, 2,
               "handed out a job whose producer was told that it was not put");
    assert_true(see_figure(&see, AQ_CHECK_CONSERVATION, "unexpected") == 2);
}

static void two_ids_of_one_put_are_a_duplicate(void **state) {
    (void)state;
    put(7, AQ_OUTCOME_OK);
    get(7);
    complete(7, AQ_ACTION_DONE, AQ_OUTCOME_OK);
    get(1007);
    see_expect(&see, AQ_CHECK_DUPLICATE_PUT, AQ_VERDICT_FAIL, 1, "one put was handed out under several ids");
    see_expect(&see, AQ_CHECK_DUPLICATE_EXECUTION, AQ_VERDICT_PASS, 0, NULL);
}

static void two_ids_of_a_put_that_ended_unknown_are_excused(void **state) {
    (void)state;
    put(7, AQ_OUTCOME_UNKNOWN);
    get(7);
    get(1007);
    see_expect(&see, AQ_CHECK_DUPLICATE_PUT, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, AQ_CHECK_DUPLICATE_PUT, "excused") == 1);
}

static void a_job_comes_again_after_its_lease_or_a_release_only(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_OK);
    get(1);
    complete(1, AQ_ACTION_RELEASE, AQ_OUTCOME_OK);
    get(1);
    see_at(&see, see.now_us + SEE_TTL_US + 1);
    get(1);
    get(1);
    see_expect(&see, AQ_CHECK_DUPLICATE_EXECUTION, AQ_VERDICT_FAIL, 1, "executed again without a cause");
    assert_true(see_figure(&see, AQ_CHECK_DUPLICATE_EXECUTION, "excused") == 2);
}

static void a_job_that_comes_after_its_completion_is_a_violation(void **state) {
    (void)state;
    put(1, AQ_OUTCOME_OK);
    get(1);
    complete(1, AQ_ACTION_DONE, AQ_OUTCOME_OK);
    see_at(&see, see.now_us + SEE_TTL_US + 1);
    get(1);
    see_expect(&see, AQ_CHECK_DUPLICATE_EXECUTION, AQ_VERDICT_FAIL, 1,
               "executed again after an acknowledged completion");
}

static void checks_that_need_taps_say_that_they_see_nothing(void **state) {
    (void)state;
    static const enum aq_check blind[] = {
        AQ_CHECK_COMPLETION_ORIGIN, AQ_CHECK_COMPLETION_ARRIVAL, AQ_CHECK_NO_FALSE_ACK, AQ_CHECK_SINGLE_LEASE,
        AQ_CHECK_FAILOVER,          AQ_CHECK_PROGRESS,           AQ_CHECK_SEMANTICS};
    put(1, AQ_OUTCOME_OK);
    get(1);
    complete(1, AQ_ACTION_DONE, AQ_OUTCOME_OK);
    see_finish(&see);
    for (size_t i = 0; i < sizeof blind / sizeof *blind; i++) {
        see_expect(&see, blind[i], AQ_VERDICT_UNKNOWN, 0, NULL);
        assert_non_null(strstr(see_check(&see, blind[i])->remark, "cannot be seen"));
    }
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_was_put_and_completed_adds_up),
        T(a_job_that_is_never_handed_out_is_lost),
        T(a_job_that_may_still_wait_or_be_held_is_not_lost),
        T(a_job_that_does_not_come_back_after_its_lease_is_lost),
        T(a_job_from_nowhere_is_unexpected),
        T(two_ids_of_one_put_are_a_duplicate),
        T(two_ids_of_a_put_that_ended_unknown_are_excused),
        T(a_job_comes_again_after_its_lease_or_a_release_only),
        T(a_job_that_comes_after_its_completion_is_a_violation),
        T(checks_that_need_taps_say_that_they_see_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
