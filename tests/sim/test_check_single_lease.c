#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define CHECK AQ_CHECK_SINGLE_LEASE

static struct see see;
static uint32_t struck[1] = {3};

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see.scenario.fault_count = 1;
    see.faults[0] = (struct aq_fault_spec){.kind = AQ_FAULT_CLOCK_JUMP,
                                           .servers = {.given = true, .indexes = struck, .index_count = 1}};
    see_start(&see);
    see_put(&see, 1, 3, 7);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

static void leases_one_after_the_other_pass(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_completion(&see, 6, 3, AQ_ACTION_RELEASE, 7);
    see_get(&see, 5, 3, 7);
    see_at(&see, see.now_us + SEE_TTL_US);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 4, 3, 7);
    see_done(&see, 4, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, CHECK)->judged, 7);
}

static void without_leases_nothing_is_judged(void **state) {
    (void)state;
    see_expect(&see, CHECK, AQ_VERDICT_UNKNOWN, 0, NULL);
}

static void a_second_valid_lease_is_caught(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_tap(&see, 3, AQ_TAP_LEASE, see_call(&see, 5, AQ_ACTION_GET, 0), 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "leased while another lease was valid");
}

static void taking_a_leased_job_is_caught(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_tap(&see, 3, AQ_TAP_TAKEN, see_call(&see, 5, AQ_ACTION_GET, 0), 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "leased while another lease was valid");
}

static void a_renewed_lease_is_valid_longer(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_at(&see, see.now_us + SEE_TTL_US / 2);
    see_completion(&see, 6, 3, AQ_ACTION_TOUCH, 7);
    see_at(&see, see.now_us + SEE_TTL_US * 3 / 4);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "lease ended early");
}

static void an_expiry_one_microsecond_early_is_caught(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    aq_time_us due_us = see.now_us - SEE_STEP_US + SEE_TTL_US;
    see_at(&see, due_us - 1);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "lease ended early");
    assert_int_equal(see_violation(&see, CHECK)->at_us, due_us - 1);
}

static void an_expiry_at_its_time_passes(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_at(&see, see.now_us - SEE_STEP_US + SEE_TTL_US);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "ended_early_excused") == 0);
}

static void an_early_expiry_by_a_clock_that_jumped_is_excused(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_fault(&see, 0, true);
    assert_int_equal(aq_ledger_faults_in_force(see.ledger, AQ_FAULT_CLOCK_JUMP), 1);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_fault(&see, 0, false);
    assert_int_equal(aq_ledger_faults_in_force(see.ledger, AQ_FAULT_CLOCK_JUMP), 0);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_true(see_figure(&see, CHECK, "ended_early_excused") == 1);
}

static void the_jumped_clock_of_another_server_is_no_excuse(void **state) {
    (void)state;
    see_put(&see, 1, 2, 8);
    see_get(&see, 6, 2, 8);
    see_fault(&see, 0, true);
    see_tap(&see, 2, AQ_TAP_EXPIRED, 0, 8);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "lease ended early");
}

static void an_early_expiry_after_a_restart_is_excused(void **state) {
    (void)state;
    see_get(&see, 6, 3, 7);
    see_server_down(&see, 3, false);
    see_server_up(&see, 3);
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED, .state = AQ_JOB_RESERVED, .action = AQ_ACTION_COUNT};
    see_tap_as(&see, 3, tap, 0, 7);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 5, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

static void one_lease_told_to_two_workers_is_caught(void **state) {
    (void)state;
    uint64_t first = see_call(&see, 6, AQ_ACTION_GET, 0), second = see_call(&see, 2, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_LEASE, first, 7);
    see_got(&see, first, 7);
    see_got(&see, second, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "one lease told to two workers");
    see_expect(&see, AQ_CHECK_DUPLICATE_EXECUTION, AQ_VERDICT_FAIL, 1, "executed again without a cause");
}

static void a_reply_that_arrives_after_its_lease_ran_out_passes(void **state) {
    (void)state;
    uint64_t first = see_call(&see, 6, AQ_ACTION_GET, 0), second = see_call(&see, 5, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_LEASE, first, 7);
    see_at(&see, see.now_us + 2 * SEE_TTL_US);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_tap(&see, 3, AQ_TAP_LEASE, second, 7);
    see_got(&see, second, 7);
    see_got(&see, first, 7);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(leases_one_after_the_other_pass),
        T(without_leases_nothing_is_judged),
        T(a_second_valid_lease_is_caught),
        T(taking_a_leased_job_is_caught),
        T(a_renewed_lease_is_valid_longer),
        T(an_expiry_one_microsecond_early_is_caught),
        T(an_expiry_at_its_time_passes),
        T(an_early_expiry_by_a_clock_that_jumped_is_excused),
        T(the_jumped_clock_of_another_server_is_no_excuse),
        T(an_early_expiry_after_a_restart_is_excused),
        T(one_lease_told_to_two_workers_is_caught),
        T(a_reply_that_arrives_after_its_lease_ran_out_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
