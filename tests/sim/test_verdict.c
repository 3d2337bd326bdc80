/* The verdict: every rule of it, and that there is never a false pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/verdict.h"

#define BIT(check) (1u << AQ_CHECK_##check)

static struct aq_scenario scenario;
static struct aq_record record;
static struct aq_record_check checks[AQ_CHECK_COUNT];
static struct aq_record_fault faults[2];
static struct aq_record_mark marks[2];

/* A run in which every check holds, one fault acted and one mark was reached. */
static int begin(void **state) {
    (void)state;
    scenario = (struct aq_scenario){0};
    aq_record_init(&record);
    for (int i = 0; i < AQ_CHECK_COUNT; i++)
        checks[i] = (struct aq_record_check){
            .name = aq_check_word((enum aq_check)i), .verdict = AQ_VERDICT_PASS, .judged = 1};
    faults[0] = (struct aq_record_fault){.name = "crash", .struck = true, .touched = 1};
    faults[1] = (struct aq_record_fault){.name = "loss", .struck = true, .touched = 7};
    marks[0] = (struct aq_record_mark){"put_unknown", 1};
    marks[1] = (struct aq_record_mark){"malformed_reply", 0};
    record.faults = faults;
    record.fault_count = 2;
    record.marks = marks;
    record.mark_count = 2;
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_record_close(&record);
    return 0;
}

static void reaches(enum aq_verdict verdict, int exit_code, const char *reason) {
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_string_equal(record.reason, reason);
    assert_int_equal(record.verdict, verdict);
    assert_int_equal(record.exit_code, exit_code);
}

static void fails(enum aq_check check) {
    checks[check].verdict = AQ_VERDICT_FAIL;
}

static void all_checks_holding_is_a_pass(void **state) {
    (void)state;
    checks[AQ_CHECK_SLO].judged = 0; /* nothing was asked of it */
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "all checks hold; with something to judge: 12");
}

static void a_check_that_need_not_judge_does_not_spoil_the_run(void **state) {
    (void)state;
    checks[AQ_CHECK_FAILOVER].verdict = checks[AQ_CHECK_MEMBERSHIP].verdict = AQ_VERDICT_UNKNOWN;
    scenario.expect_unknown = BIT(FAILOVER) | BIT(SLO);
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "checks that could not judge: membership");
    scenario.expect_unknown |= BIT(MEMBERSHIP);
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS,
            "all checks hold; with something to judge: 11; unknown, as expected: failover, membership");
    fails(AQ_CHECK_FAILOVER); /* what is allowed is silence */
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_PROGRESS, "broken: failover");
}

static void each_broken_check_has_the_exit_code_of_its_class(void **state) {
    static const struct {
        enum aq_check check;
        int code;
    } classes[] = {{AQ_CHECK_COMPLETION_ORIGIN, 1},
                   {AQ_CHECK_COMPLETION_ARRIVAL, 1},
                   {AQ_CHECK_NO_FALSE_ACK, 1},
                   {AQ_CHECK_CONSERVATION, 1},
                   {AQ_CHECK_SINGLE_LEASE, 1},
                   {AQ_CHECK_DUPLICATE_PUT, 1},
                   {AQ_CHECK_DUPLICATE_EXECUTION, 1},
                   {AQ_CHECK_MEMBERSHIP, 1},
                   {AQ_CHECK_SEMANTICS, 1},
                   {AQ_CHECK_FAILOVER, 2},
                   {AQ_CHECK_PROGRESS, 2},
                   {AQ_CHECK_DISTRIBUTION, 3},
                   {AQ_CHECK_SLO, 3}};
    assert_int_equal(sizeof classes / sizeof *classes, AQ_CHECK_COUNT);
    for (size_t i = 0; i < AQ_CHECK_COUNT; i++) {
        begin(state);
        fails(classes[i].check);
        assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
        assert_int_equal(record.verdict, AQ_VERDICT_FAIL);
        assert_int_equal(record.exit_code, classes[i].code);
        assert_non_null(strstr(record.reason, aq_check_word(classes[i].check)));
        end(state);
    }
}

static void the_gravest_of_several_decides(void **state) {
    (void)state;
    fails(AQ_CHECK_SLO);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE, "broken: slo");
    fails(AQ_CHECK_PROGRESS);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_PROGRESS, "broken: progress, slo");
    fails(AQ_CHECK_CONSERVATION);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_SAFETY, "broken: conservation, progress, slo");
}

static void what_is_expected_and_caught_is_a_pass_that_says_so(void **state) {
    (void)state;
    scenario.expect_strict = (struct aq_expectation){.given = true, .caught = BIT(PROGRESS) | BIT(FAILOVER)};
    fails(AQ_CHECK_PROGRESS);
    fails(AQ_CHECK_FAILOVER);
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "caught as expected: failover, progress");
    assert_true(checks[AQ_CHECK_PROGRESS].caught && checks[AQ_CHECK_PROGRESS].expected_to_fail);
    assert_true(!checks[AQ_CHECK_SLO].caught && !checks[AQ_CHECK_SLO].expected_to_fail);
}

static void what_fails_sometimes_may_fail_or_pass(void **state) {
    (void)state;
    scenario.expect_strict =
        (struct aq_expectation){.given = true, .caught = BIT(FAILOVER), .sometimes = BIT(PROGRESS)};
    fails(AQ_CHECK_FAILOVER);
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "caught as expected: failover");
    fails(AQ_CHECK_PROGRESS);
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "caught as expected: failover, progress");
    fails(AQ_CHECK_SLO);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE, "broken: slo");
}

static void what_is_expected_and_not_caught_fails(void **state) {
    (void)state;
    scenario.expect_strict = (struct aq_expectation){.given = true, .caught = BIT(PROGRESS) | BIT(FAILOVER)};
    fails(AQ_CHECK_PROGRESS);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_PROGRESS, "expected to be caught, but not caught: failover");
    checks[AQ_CHECK_FAILOVER].verdict = AQ_VERDICT_UNKNOWN; /* neither does silence count as caught */
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_PROGRESS, "expected to be caught, but not caught: failover");
}

static void a_broken_check_beside_the_expected_ones_fails(void **state) {
    (void)state;
    scenario.expect_strict = (struct aq_expectation){.given = true, .caught = BIT(PROGRESS)};
    fails(AQ_CHECK_PROGRESS);
    fails(AQ_CHECK_CONSERVATION);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_SAFETY, "broken: conservation");
}

static void the_expectation_is_that_of_the_clients_profile(void **state) {
    (void)state;
    scenario.expect_upstream = (struct aq_expectation){.given = true, .caught = BIT(PROGRESS)};
    fails(AQ_CHECK_PROGRESS);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_PROGRESS, "broken: progress");
    scenario.clients.profile = AQ_PROFILE_UPSTREAM;
    scenario.servers.profile = AQ_PROFILE_STRICT;
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "caught as expected: progress");
}

static void a_fault_that_touched_nothing_makes_the_run_unknown(void **state) {
    (void)state;
    faults[1].touched = 0;
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "faults that touched nothing: loss");
    faults[0].struck = false;
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "faults that touched nothing: crash, loss");
    scenario.expect_strict = (struct aq_expectation){.given = true, .caught = BIT(PROGRESS)};
    fails(AQ_CHECK_PROGRESS); /* caught, but not by what was to show it */
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "faults that touched nothing: crash, loss");
}

static void a_check_that_could_not_judge_makes_the_run_unknown(void **state) {
    (void)state;
    checks[AQ_CHECK_SINGLE_LEASE].verdict = checks[AQ_CHECK_SEMANTICS].verdict = AQ_VERDICT_UNKNOWN;
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "checks that could not judge: single-lease, semantics");
}

static void a_required_mark_that_was_not_reached_makes_the_run_unknown(void **state) {
    (void)state;
    char *wanted[] = {"put_unknown", "malformed_reply", "no_such_mark"};
    scenario.required_marks.names = wanted;
    scenario.required_marks.count = 1;
    reaches(AQ_VERDICT_PASS, AQ_EXIT_PASS, "all checks hold; with something to judge: 13");
    scenario.required_marks.count = 3;
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN, "required marks not reached: malformed_reply, no_such_mark");
}

static void a_broken_check_outweighs_what_is_unknown(void **state) {
    (void)state;
    char *wanted[] = {"malformed_reply"};
    scenario.required_marks.names = wanted;
    scenario.required_marks.count = 1;
    faults[0].touched = 0;
    checks[AQ_CHECK_SEMANTICS].verdict = AQ_VERDICT_UNKNOWN;
    fails(AQ_CHECK_SLO);
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE, "broken: slo");
}

static void an_interrupted_run_is_never_a_pass(void **state) {
    (void)state;
    record.interrupted = true;
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_INTERRUPTED, "interrupted before its end");
    scenario.expect_strict =
        (struct aq_expectation){.given = true, .caught = BIT(PROGRESS)}; /* it might still have come */
    reaches(AQ_VERDICT_UNKNOWN, AQ_EXIT_INTERRUPTED, "interrupted before its end");
    fails(AQ_CHECK_CONSERVATION); /* but what is broken stays broken */
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_INTERRUPTED, "broken: conservation");
}

static void a_figure_outside_its_range_fails_and_is_named(void **state) {
    (void)state;
    struct aq_expected_figure figures[] = {{"jobs.lost_declared", 1, 5, false},
                                           {"jobs.completed", 7, 7, false}};
    scenario.expect_strict = (struct aq_expectation){.given = true, .figures = figures, .figure_count = 2};
    record.jobs.lost_declared = 5;
    record.jobs.completed = 7;
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_int_equal(record.verdict, AQ_VERDICT_PASS);
    record.jobs.lost_declared = 6;
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE,
            "figures not as expected: jobs.lost_declared is 6, expected are 1 to 5");
    record.jobs.completed = 8;
    reaches(
        AQ_VERDICT_FAIL, AQ_EXIT_MEASURE,
        "figures not as expected: jobs.lost_declared is 6, expected are 1 to 5, jobs.completed is 8, expected is 7");
    figures[0] = (struct aq_expected_figure){"jobs.lots", 0, 9, false};
    record.jobs.completed = 7;
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE,
            "figures not as expected: jobs.lots (no figure of this run has that name)");
}

static void exact_figures_hold_for_the_scenario_as_written_only(void **state) {
    (void)state;
    struct aq_expected_figure figure = {"jobs.completed", 7, 7, true};
    scenario.expect_strict = (struct aq_expectation){.given = true, .figures = &figure, .figure_count = 1};
    scenario.seed = record.seed = 4;
    scenario.as_written = true;
    reaches(AQ_VERDICT_FAIL, AQ_EXIT_MEASURE, "figures not as expected: jobs.completed is 0, expected is 7");
    record.seed = 5;
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_int_equal(record.verdict, AQ_VERDICT_PASS);
    record.seed = 4;
    scenario.as_written = false;
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_int_equal(record.verdict, AQ_VERDICT_PASS);
    scenario.as_written = true;
    record.world = "live";
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_int_equal(record.verdict, AQ_VERDICT_PASS);
}

static void names_beyond_the_room_of_the_reason_do_no_harm(void **state) {
    (void)state;
    static struct aq_record_fault many[200];
    for (size_t i = 0; i < 200; i++)
        many[i] = (struct aq_record_fault){.name = "a fault with quite a long name"};
    record.faults = many;
    record.fault_count = 200;
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), 0);
    assert_int_equal(record.verdict, AQ_VERDICT_UNKNOWN);
    assert_true(strlen(record.reason) < 500);
}

static void running_out_of_memory_is_reported(void **state) {
    (void)state;
    aq_alloc_fail_after(0);
    assert_int_equal(aq_verdict_reach(&scenario, &record, checks), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_checks_holding_is_a_pass, begin, end),
        cmocka_unit_test(each_broken_check_has_the_exit_code_of_its_class),
        cmocka_unit_test_setup_teardown(the_gravest_of_several_decides, begin, end),
        cmocka_unit_test_setup_teardown(what_is_expected_and_caught_is_a_pass_that_says_so, begin, end),
        cmocka_unit_test_setup_teardown(what_fails_sometimes_may_fail_or_pass, begin, end),
        cmocka_unit_test_setup_teardown(what_is_expected_and_not_caught_fails, begin, end),
        cmocka_unit_test_setup_teardown(a_broken_check_beside_the_expected_ones_fails, begin, end),
        cmocka_unit_test_setup_teardown(the_expectation_is_that_of_the_clients_profile, begin, end),
        cmocka_unit_test_setup_teardown(a_fault_that_touched_nothing_makes_the_run_unknown, begin, end),
        cmocka_unit_test_setup_teardown(a_check_that_could_not_judge_makes_the_run_unknown, begin, end),
        cmocka_unit_test_setup_teardown(a_check_that_need_not_judge_does_not_spoil_the_run, begin, end),
        cmocka_unit_test_setup_teardown(a_required_mark_that_was_not_reached_makes_the_run_unknown, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_broken_check_outweighs_what_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(an_interrupted_run_is_never_a_pass, begin, end),
        cmocka_unit_test_setup_teardown(a_figure_outside_its_range_fails_and_is_named, begin, end),
        cmocka_unit_test_setup_teardown(exact_figures_hold_for_the_scenario_as_written_only, begin, end),
        cmocka_unit_test_setup_teardown(names_beyond_the_room_of_the_reason_do_no_harm, begin, end),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_reported, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
