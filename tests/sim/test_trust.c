/* What a machine that was too slow excuses, and what not. */
#include <string.h>

#include "sim/trust.h"
#include "tests/base/test.h"

#define MS AQ_US_PER_MS

static struct aq_slo slos[] = {{.kind = AQ_SLO_THROUGHPUT, .bound = 100},
                               {.kind = AQ_SLO_LATENCY, .quantile = 0.99, .bound = 0.05}};

struct fixture {
    struct aq_scenario scenario;
    struct aq_record record;
    struct aq_record_check checks[AQ_CHECK_COUNT];
};

static void setup(struct fixture *f, aq_time_us shortest_us) {
    *f = (struct fixture){.scenario = {.slos = slos, .slo_count = 2}};
    f->scenario.clients.policy = aq_client_policy_strict;
    f->scenario.clients.policy.connect_timeout_us = shortest_us;
    aq_record_init(&f->record);
    for (int i = 0; i < AQ_CHECK_COUNT; i++)
        f->checks[i] = (struct aq_record_check){
            .name = aq_check_word((enum aq_check)i), .verdict = AQ_VERDICT_FAIL, .remark = "it broke"};
}

static void judge(struct fixture *f, struct aq_lag lag, double speed) {
    assert_int_equal(aq_trust_judge(&f->scenario, &lag, speed, &f->record, f->checks), 0);
}

static const struct aq_lag in_time = {100, 5 * MS, 20 * MS, 20, 30 * MS};

static void a_machine_in_time_excuses_nothing(void **state) {
    (void)state;
    struct fixture f;
    setup(&f, 1 * AQ_US_PER_S);
    judge(&f, in_time, 1);
    for (int i = 0; i < AQ_CHECK_COUNT; i++) {
        assert_int_equal(f.checks[i].verdict, AQ_VERDICT_FAIL);
        assert_string_equal(f.checks[i].remark, "it broke");
    }
    aq_record_close(&f.record);
}

static void a_late_one_excuses_what_depends_on_timers_and_nothing_else(void **state) {
    (void)state;
    static const enum aq_check timed[] = {AQ_CHECK_DUPLICATE_EXECUTION, AQ_CHECK_FAILOVER, AQ_CHECK_PROGRESS,
                                          AQ_CHECK_SEMANTICS, AQ_CHECK_SLO};
    struct fixture f;
    struct aq_lag lag = in_time;
    lag.handshake_max_us = 1200 * MS;
    setup(&f, 1 * AQ_US_PER_S);
    judge(&f, lag, 1);
    uint32_t unknown = 0;
    for (int i = 0; i < AQ_CHECK_COUNT; i++)
        unknown += f.checks[i].verdict == AQ_VERDICT_UNKNOWN;
    assert_int_equal(unknown, sizeof timed / sizeof *timed);
    for (size_t i = 0; i < sizeof timed / sizeof *timed; i++) {
        assert_int_equal(f.checks[timed[i]].verdict, AQ_VERDICT_UNKNOWN);
        assert_string_equal(f.checks[timed[i]].remark,
                            "the machine was too slow (lag 1.2 s, at most 500 ms): it broke");
    }
    aq_record_close(&f.record);
}

static void what_holds_on_a_late_machine_holds(void **state) {
    (void)state;
    struct fixture f;
    struct aq_lag lag = in_time;
    lag.message_max_us = 3 * AQ_US_PER_S;
    setup(&f, 1 * AQ_US_PER_S);
    f.checks[AQ_CHECK_PROGRESS].verdict = AQ_VERDICT_PASS;
    judge(&f, lag, 1);
    assert_int_equal(f.checks[AQ_CHECK_PROGRESS].verdict, AQ_VERDICT_PASS);
    assert_int_equal(f.checks[AQ_CHECK_FAILOVER].verdict, AQ_VERDICT_UNKNOWN);
    aq_record_close(&f.record);
}

static void a_threshold_on_latency_is_in_doubt_as_soon_as_the_harness_takes_half_of_it(void **state) {
    (void)state;
    struct fixture f;
    struct aq_lag lag = in_time;
    lag.message_p99_us = 26 * MS;
    setup(&f, 1 * AQ_US_PER_S);
    judge(&f, lag, 1);
    assert_int_equal(f.checks[AQ_CHECK_SLO].verdict, AQ_VERDICT_UNKNOWN);
    assert_string_equal(f.checks[AQ_CHECK_SLO].remark,
                        "the machine was too slow (lag 26 ms, at most 25 ms): it broke");
    assert_int_equal(f.checks[AQ_CHECK_FAILOVER].verdict, AQ_VERDICT_FAIL);
    aq_record_close(&f.record);
}

static void what_a_run_bears_follows_the_clients_timeouts_and_its_speed(void **state) {
    (void)state;
    struct fixture f;
    setup(&f, 200 * MS);
    assert_int_equal(aq_trust_lag_max_us(&f.scenario, 1), 100 * MS);
    assert_int_equal(aq_trust_lag_max_us(&f.scenario, 4), 25 * MS);
    f.scenario.clients.policy = aq_client_policy_upstream;
    assert_int_equal(aq_trust_lag_max_us(&f.scenario, 1), 500 * MS);
    aq_record_close(&f.record);
}

static void the_lag_stands_among_the_figures_of_the_run(void **state) {
    (void)state;
    static const struct aq_record_figure before[] = {{"throughput_per_s", 3}};
    struct fixture f;
    setup(&f, 1 * AQ_US_PER_S);
    f.record.figures = before;
    f.record.figure_count = 1;
    judge(&f, in_time, 1);
    assert_int_equal(f.record.figure_count, 4);
    assert_string_equal(f.record.figures[0].name, "throughput_per_s");
    assert_string_equal(f.record.figures[3].name, "lag_handshake_max_s");
    assert_true(f.record.figures[3].value == 0.03);
    aq_record_close(&f.record);
}

static void a_run_that_was_not_measured_has_no_lag(void **state) {
    (void)state;
    struct fixture f;
    setup(&f, 1 * AQ_US_PER_S);
    judge(&f, (struct aq_lag){0}, 1);
    assert_int_equal(f.record.figure_count, 0);
    assert_int_equal(f.checks[AQ_CHECK_FAILOVER].verdict, AQ_VERDICT_FAIL);
    aq_record_close(&f.record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_in_time_excuses_nothing),
        cmocka_unit_test(a_late_one_excuses_what_depends_on_timers_and_nothing_else),
        cmocka_unit_test(what_holds_on_a_late_machine_holds),
        cmocka_unit_test(a_threshold_on_latency_is_in_doubt_as_soon_as_the_harness_takes_half_of_it),
        cmocka_unit_test(what_a_run_bears_follows_the_clients_timeouts_and_its_speed),
        cmocka_unit_test(the_lag_stands_among_the_figures_of_the_run),
        cmocka_unit_test(a_run_that_was_not_measured_has_no_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
