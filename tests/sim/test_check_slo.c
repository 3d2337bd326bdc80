#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_slo;

#define S AQ_US_PER_S

static struct aq_ledger fake;

static void begin(struct aq_slo *slos, uint32_t count) {
    fake_init(&fake, &aq_check_slo, 3, 10);
    fake.scenario.slos = slos;
    fake.scenario.slo_count = count;
    fake_start(&fake);
}

static void answer(enum aq_action action, aq_time_us took_us, enum aq_outcome outcome) {
    fake_see(&fake, (struct aq_observation){.at_us = 100 * S,
                                            .called_us = 100 * S - took_us,
                                            .kind = AQ_SEEN_ANSWER,
                                            .action = action,
                                            .outcome = outcome,
                                            .last = true});
}

static void got(bool empty) {
    fake_see(&fake, (struct aq_observation){
                        .at_us = 1, .kind = AQ_SEEN_ANSWER, .action = AQ_ACTION_GET, .empty = empty});
}

static void tap(aq_time_us at_us, enum aq_tap_kind kind) {
    struct aq_tap seen = {.kind = kind};
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = AQ_SEEN_TAP, .tap = &seen});
}

static void without_thresholds_the_check_does_not_apply(void **state) {
    (void)state;
    begin(NULL, 0);
    answer(AQ_ACTION_PUT, 50 * S, AQ_OUTCOME_UNAVAILABLE);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 0);
    assert_true(fake.out.remark[0]);
    fake_close(&fake);
}

static void latency_is_judged_at_its_quantile_and_for_its_operation(void **state) {
    (void)state;
    for (uint32_t slow = 1; slow <= 2; slow++) {
        struct aq_slo slos[] = {
            {.kind = AQ_SLO_LATENCY, .action = AQ_ACTION_PUT, .quantile = 0.99, .bound = 0.5},
            {.kind = AQ_SLO_LATENCY, .action = AQ_ACTION_DONE, .quantile = 0.5, .bound = 0.01}};
        begin(slos, 2);
        for (uint32_t i = 0; i < 100; i++) {
            answer(AQ_ACTION_PUT, i < slow ? 2 * S : 100000, AQ_OUTCOME_OK);
            answer(AQ_ACTION_DONE, 1000, AQ_OUTCOME_OK);
            answer(AQ_ACTION_GET, 30 * S, AQ_OUTCOME_OK);
        }
        assert_int_equal(fake_finish(&fake), slow == 2 ? AQ_VERDICT_FAIL : AQ_VERDICT_PASS);
        assert_true(fabs(fake_figure(&fake, "put_p99_s") - (slow == 2 ? 2 : 0.1)) < 0.02);
        assert_true(fabs(fake_figure(&fake, "done_p50_s") - 0.001) < 1e-5);
        assert_int_equal(fake.out.judged, 2);
        if (slow == 2) assert_string_equal(fake.out.remark, "put_p99_s is 2, allowed is at most 0.5");
        fake_close(&fake);
    }
}

static void throughput_counts_completed_jobs_over_the_duration(void **state) {
    (void)state;
    for (uint32_t jobs = 119; jobs <= 120; jobs++) {
        struct aq_slo slo = {.kind = AQ_SLO_THROUGHPUT, .bound = 2};
        begin(&slo, 1); /* 60 s */
        for (uint32_t i = 0; i < jobs; i++)
            tap(i, i % 3 ? AQ_TAP_DONE : i % 2 ? AQ_TAP_TAKEN : AQ_TAP_DELETED);
        tap(30 * S, AQ_TAP_PUT);
        tap(61 * S, AQ_TAP_DONE); /* after the end of the load */
        assert_int_equal(fake_finish(&fake), jobs == 120 ? AQ_VERDICT_PASS : AQ_VERDICT_FAIL);
        assert_true(fabs(fake_figure(&fake, "throughput_per_s") - jobs / 60.0) < 1e-9);
        fake_close(&fake);
    }
}

static void availability_counts_calls_that_came_to_something(void **state) {
    (void)state;
    struct aq_slo slos[] = {{.kind = AQ_SLO_AVAILABILITY, .action = AQ_ACTION_PUT, .bound = 0.6},
                            {.kind = AQ_SLO_AVAILABILITY, .action = AQ_ACTION_GET, .bound = 0.999}};
    begin(slos, 2);
    static const enum aq_outcome outcomes[] = {AQ_OUTCOME_OK,      AQ_OUTCOME_REFUSED, AQ_OUTCOME_UNAVAILABLE,
                                               AQ_OUTCOME_UNKNOWN, AQ_OUTCOME_EMPTY,   AQ_OUTCOME_INVALID};
    for (uint32_t i = 0; i < 6; i++)
        answer(AQ_ACTION_PUT, 1, outcomes[i]);
    got(true);
    assert_int_equal(fake.violations, 0);
    fake_see(&fake, (struct aq_observation){.at_us = 5, .kind = AQ_SEEN_ABANDONED, .action = AQ_ACTION_PUT});
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake.violations, 1);
    assert_true(fabs(fake_figure(&fake, "put_availability") - 3.0 / 7) < 1e-12);
    assert_true(fake_figure(&fake, "get_availability") == 1);
    fake_close(&fake);
}

static void empty_gets_are_a_share_of_answered_gets(void **state) {
    (void)state;
    struct aq_slo slo = {.kind = AQ_SLO_EMPTY_GETS, .bound = 0.5};
    begin(&slo, 1);
    got(true);
    got(false);
    answer(AQ_ACTION_GET, 1, AQ_OUTCOME_UNAVAILABLE);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "empty_gets_share") == 0.5);
    fake_close(&fake);
    begin(&slo, 1);
    got(true);
    got(true);
    got(false);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);
}

static void a_get_of_several_jobs_is_one_get(void **state) {
    (void)state;
    struct aq_slo slo = {.kind = AQ_SLO_EMPTY_GETS, .bound = 0.6};
    begin(&slo, 1);
    struct aq_observation seen = {.at_us = 1, .kind = AQ_SEEN_ANSWER, .action = AQ_ACTION_GET_MULTIPLE};
    for (uint32_t i = 0; i < 4; i++) {
        seen.last = i == 3;
        fake_see(&fake, seen);
    }
    seen.empty = true;
    fake_see(&fake, seen);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "empty_gets_share") == 0.5);
    fake_close(&fake);
}

static void a_threshold_on_what_never_happened_is_unknown(void **state) {
    (void)state;
    struct aq_slo slos[] = {{.kind = AQ_SLO_LATENCY, .action = AQ_ACTION_PUT, .quantile = 0.99, .bound = 0.5},
                            {.kind = AQ_SLO_EMPTY_GETS, .bound = 0.5}};
    begin(slos, 2);
    got(false);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    assert_non_null(strstr(fake.out.remark, "put_p99_s: nothing to measure"));
    assert_int_equal(fake.out.judged, 1);
    fake_close(&fake);
    begin(slos, 2); /* a broken one is worse */
    got(true);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_thresholds_the_check_does_not_apply),
        cmocka_unit_test(latency_is_judged_at_its_quantile_and_for_its_operation),
        cmocka_unit_test(throughput_counts_completed_jobs_over_the_duration),
        cmocka_unit_test(availability_counts_calls_that_came_to_something),
        cmocka_unit_test(empty_gets_are_a_share_of_answered_gets),
        cmocka_unit_test(a_get_of_several_jobs_is_one_get),
        cmocka_unit_test(a_threshold_on_what_never_happened_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
