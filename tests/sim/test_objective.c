/* Objectives as text: what they mean, where they are wrong, and what intervals say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "sim/objective.h"

static void terms_name_figures_of_the_report(void **state) {
    static const struct {
        const char *text, *measure, *figure;
        bool at_least, or_equal;
        double bound;
    } expected[] = {
        {"p99(get_to_done) < 250ms", "p99(get_to_done)", "run.steady_get_to_done_p99_s", false, false, 0.25},
        {"p999( put )<=1.5s", "p999( put )", "run.steady_put_p999_s", false, true, 1.5},
        {"mean(wait) < 2m", "mean(wait)", "run.steady_wait_mean_s", false, false, 120},
        {"empty_get_ratio < 20%", "empty_get_ratio", "run.steady_empty_get_ratio", false, false, 0.2},
        {"empty_get_ratio < 0.2", "empty_get_ratio", "run.steady_empty_get_ratio", false, false, 0.2},
        {"throughput >= 30000/m", "throughput", "run.steady_throughput_per_s", true, true, 500},
        {"fairness>.95", "fairness", "run.steady_fairness", true, false, 0.95},
        {"max(done) > 0", "max(done)", "run.steady_done_max_s", true, false, 0},
        {"servers.0.queue_max < 40", "servers.0.queue_max", "servers.0.queue_max", false, false, 40},
        {"no-false-ack.violations <= 0", "no-false-ack.violations", "no-false-ack.violations", false, true,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct aq_objective objective;
        struct aq_error error = {0};
        if (aq_objective_parse(expected[i].text, "--slo", &objective, &error)) fail_msg("%s", error.text);
        const struct aq_objective_term *term = &objective.terms[0];
        assert_int_equal(objective.count, 1);
        assert_string_equal(term->text, expected[i].text);
        assert_string_equal(term->measure, expected[i].measure);
        assert_string_equal(term->figure, expected[i].figure);
        assert_true(term->at_least == expected[i].at_least && term->or_equal == expected[i].or_equal);
        assert_true(fabs(term->bound - expected[i].bound) < 1e-12);
    }
}

static void terms_are_separated_by_commas(void **state) {
    struct aq_objective objective;
    (void)state;
    assert_int_equal(aq_objective_parse(" p50(get) < 1ms ,fairness > 0.9", "--slo", &objective, NULL), 0);
    assert_int_equal(objective.count, 2);
    assert_string_equal(objective.terms[0].text, "p50(get) < 1ms");
    assert_string_equal(objective.terms[1].text, "fairness > 0.9");
}

static void mistakes_name_their_place_and_what_is_allowed(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"p98(get) < 1s",
         "--slo: column 1: found \"p98\", allowed is p50, p90, p95, p99, p999, mean or max in front"},
        {"p99(got) < 1s", "--slo: column 5: found \"got\", allowed is put, get, done, wait"},
        {"p99(get < 1s", "--slo: column 9: found \"<\", allowed is \")\""},
        {"p99(get) = 1s", "--slo: column 10: found \"=\", allowed is <, <=, > or >="},
        {"p99(get) <", "--slo: column 11: found \"\", allowed is a span such as"},
        {"p99(get) < 250", "--slo: column 12: found \"250\", allowed is a span such as 250ms"},
        {"p99(get) < 250/s", "--slo: column 12: found \"250/s\", allowed is a span such as 250ms"},
        {"empty_get_ratio < 2ms", "--slo: column 19: found \"2ms\", allowed is a ratio"},
        {"empty_gets < 2", "--slo: column 1: found \"empty_gets\", allowed is a measure such as"},
        {"throughput > 5/s fairness > 1", "--slo: column 18: found \"f\", allowed is \",\" or the end"},
        {"throughput > 5/s,", "--slo: column 18: found \"\", allowed is a measure"},
        {"throughput > 5/s, fairness > 0.5, throughput > 5/s",
         "--slo: column 35: found \"throughput > 5/s\", allowed is each term once"},
        {"throughput > nan/s", "--slo: column 14: found \"nan/s\", allowed is a rate"},
        {"", "--slo: column 1: found \"\", allowed is a measure"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct aq_objective objective = {.count = 77};
        struct aq_error error = {0};
        assert_int_equal(aq_objective_parse(wrong[i].text, "--slo", &objective, &error), AQ_EPARSE);
        if (strncmp(error.text, wrong[i].message, strlen(wrong[i].message)) != 0)
            fail_msg("%s\nexpected: %s", error.text, wrong[i].message);
        assert_int_equal(objective.count, 77);
    }
}

static enum aq_held judged(const char *text, double low, double high) {
    struct aq_objective objective;
    assert_int_equal(aq_objective_parse(text, "--slo", &objective, NULL), 0);
    return aq_objective_judge(&objective.terms[0], low, high);
}

static void an_interval_decides_only_where_all_of_it_is_on_one_side(void **state) {
    (void)state;
    assert_int_equal(judged("fairness > 0.9", 0.91, 0.99), AQ_HELD_YES);
    assert_int_equal(judged("fairness > 0.9", 0.8, 0.9), AQ_HELD_NO);
    assert_int_equal(judged("fairness > 0.9", 0.8, 0.91), AQ_HELD_OPEN);
    assert_int_equal(judged("fairness >= 0.9", 0.9, 0.9), AQ_HELD_YES);
    assert_int_equal(judged("p99(get) < 1s", 0.9, 1), AQ_HELD_OPEN);
    assert_int_equal(judged("p99(get) <= 1s", 0.9, 1), AQ_HELD_YES);
    assert_int_equal(judged("p99(get) <= 1s", -INFINITY, INFINITY), AQ_HELD_OPEN);
    assert_int_equal(judged("p99(get) <= 1s", NAN, NAN), AQ_HELD_NO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_name_figures_of_the_report),
        cmocka_unit_test(terms_are_separated_by_commas),
        cmocka_unit_test(mistakes_name_their_place_and_what_is_allowed),
        cmocka_unit_test(an_interval_decides_only_where_all_of_it_is_on_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
