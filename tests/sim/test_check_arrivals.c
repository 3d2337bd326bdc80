/* Distribution by what arrives at the servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_arrivals;

static struct aq_ledger fake;
static uint32_t correlation;

static void begin(uint32_t servers) {
    fake_init(&fake, &aq_check_arrivals, servers, 10);
    fake.scenario.budgets.distribution_p_min = 1e-6;
    fake_start(&fake);
}

static void arrive(uint32_t server, enum aq_tap_kind kind, enum aq_action action, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) {
        struct aq_tap tap = {.kind = kind, .action = action, .peer = 1, .correlation = ++correlation};
        fake_see(&fake,
                 (struct aq_observation){
                     .at_us = 1, .kind = AQ_SEEN_TAP, .server = server, .action = action, .tap = &tap});
    }
}

static void even_arrivals_pass_and_say_what_they_are(void **state) {
    (void)state;
    begin(3);
    arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, 100);
    arrive(1, AQ_TAP_LEASE, AQ_ACTION_GET, 110);
    arrive(2, AQ_TAP_EMPTY, AQ_ACTION_GET, 105);
    arrive(2, AQ_TAP_LEASE, AQ_ACTION_PEEK, 500); /* no choice of the kind */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 315);
    assert_non_null(strstr(fake.out.remark, "arrivals"));
    fake_close(&fake);
}

static void uneven_arrivals_fail(void **state) {
    (void)state;
    begin(3);
    arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, 100);
    arrive(1, AQ_TAP_PUT, AQ_ACTION_PUT, 200);
    arrive(2, AQ_TAP_PUT, AQ_ACTION_PUT, 100);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake.violations, 1);
    fake_close(&fake);
}

static void a_get_of_several_jobs_is_one_arrival(void **state) {
    (void)state;
    begin(2);
    arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, 100);
    arrive(1, AQ_TAP_PUT, AQ_ACTION_PUT, 100);
    for (int i = 0; i < 100; i++) {
        arrive(1, AQ_TAP_LEASE, AQ_ACTION_GET_MULTIPLE, 1);
        correlation--;
    }
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 201);
    fake_close(&fake);
}

static void nothing_is_judged_once_something_is_broken(void **state) {
    (void)state;
    begin(2);
    arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, 50);
    arrive(1, AQ_TAP_PUT, AQ_ACTION_PUT, 50);
    fake_see(&fake, (struct aq_observation){.at_us = 1, .kind = AQ_SEEN_SERVER_DOWN, .server = 1});
    arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, 1000);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "arrivals") == 100);
    assert_true(fake_figure(&fake, "arrivals_later") == 1000);
    fake_close(&fake);
}

static void too_few_arrivals_or_lists_of_their_own_are_unknown(void **state) {
    (void)state;
    for (uint32_t groups = 0; groups <= 1; groups++) {
        begin(2);
        fake.scenario.clients.group_count = groups;
        arrive(0, AQ_TAP_PUT, AQ_ACTION_PUT, groups ? 1000 : 39);
        assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
        assert_int_equal(fake.out.judged, 0);
        assert_non_null(strstr(fake.out.remark, "cannot be seen"));
        fake.scenario.clients.group_count = 0;
        fake_close(&fake);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_arrivals_pass_and_say_what_they_are),
        cmocka_unit_test(uneven_arrivals_fail),
        cmocka_unit_test(a_get_of_several_jobs_is_one_arrival),
        cmocka_unit_test(nothing_is_judged_once_something_is_broken),
        cmocka_unit_test(too_few_arrivals_or_lists_of_their_own_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
