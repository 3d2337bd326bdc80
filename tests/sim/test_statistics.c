#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "sim/statistics.h"

static void assert_near(double got, double wanted, double relative) {
    if (fabs(got - wanted) > relative * fabs(wanted)) fail_msg("%.17g instead of %.17g", got, wanted);
}

/* Values to 17 digits, computed with 40 digits of precision from the definition of the incomplete gamma
 * function. */
static const struct {
    double x, df, tail;
} body[] = {
    {1, 1, 0.3173105078629141},
    {3.841459, 1, 0.049999994653195765},
    {5, 1, 0.025347318677468264},
    {10, 10, 0.44049328506521241},
    {0.1, 5, 0.99983768338807738},
    {3.5, 2.5, 0.24443025068128153},
    {18.307038, 10, 0.050000000824732241},
    {1000, 1000, 0.49405285382923964},
    {1200, 1000, 1.2255942330622904e-5},
    {12, 12, 0.44567964136461124},
    {14, 12, 0.30070827617436096},
    {39.5, 40, 0.49259432437493799},
    {42.5, 40, 0.36387004160284585},
    {1e5, 1e5, 0.49940529189520669},
    {101000, 1e5, 0.01286884037723367},
    {1001000, 1e6, 0.23967680482552136},
};
static const struct {
    double x, df, tail;
} tail[] = {
    {100, 10, 5.4497019829205293e-17}, {200, 100, 1.1784500720979422e-8},
    {50, 7, 1.4444852779215405e-8},    {400, 3, 2.2138865931011177e-86},
    {30.6648497062136, 3, 1e-6},       {1007000, 1e6, 3.9319296357575028e-7},
};

static void chi_square_tail_agrees_with_exact_values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof body / sizeof *body; i++)
        assert_near(aq_statistics_chi_square_sf(body[i].x, body[i].df), body[i].tail, 1e-10);
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
        assert_near(aq_statistics_chi_square_sf(tail[i].x, tail[i].df), tail[i].tail, 1e-9);
}

static void with_two_degrees_of_freedom_the_tail_is_exponential(void **state) {
    (void)state;
    for (double x = 0.01; x < 600; x *= 1.7)
        assert_near(aq_statistics_chi_square_sf(x, 2), exp(-x / 2), 1e-12);
}

static void with_one_degree_of_freedom_the_tail_is_that_of_the_normal(void **state) {
    (void)state;
    for (double x = 0.01; x < 600; x *= 1.7)
        assert_near(aq_statistics_chi_square_sf(x, 1), erfc(sqrt(x / 2)), 1e-12);
}

static void series_and_fraction_meet_without_a_step(void **state) {
    (void)state;
    for (double a = 0.5; a < 2e6; a *= 3) {
        double x = a + 1, before = aq_statistics_gamma_q(a, nextafter(x, 0)),
               after = aq_statistics_gamma_q(a, x);
        assert_near(after, before, 1e-12);
    }
}

static void the_tail_is_whole_at_zero_and_nothing_far_out(void **state) {
    (void)state;
    assert_true(aq_statistics_chi_square_sf(0, 3) == 1);
    assert_true(aq_statistics_chi_square_sf(-1, 3) == 1);
    assert_true(aq_statistics_gamma_q(2, INFINITY) == 0);
    assert_true(aq_statistics_chi_square_sf(1e9, 3) == 0);
    assert_true(isnan(aq_statistics_chi_square_sf(1, 0)));
    assert_true(isnan(aq_statistics_gamma_q(-1, 1)));
    assert_true(isnan(aq_statistics_gamma_q(1, -1)));
}

/* R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
 * (1998), table I, method 3. */
static void wilson_interval_agrees_with_newcombes_table(void **state) {
    (void)state;
    static const struct {
        uint64_t hits, trials;
        double low, high;
    } rows[] = {
        {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aq_interval interval = aq_statistics_wilson(rows[i].hits, rows[i].trials, AQ_Z_95);
        assert_true(fabs(interval.low - rows[i].low) < 5e-5);
        assert_true(fabs(interval.high - rows[i].high) < 5e-5);
    }
    struct aq_interval nothing = aq_statistics_wilson(0, 0, AQ_Z_95),
                       all = aq_statistics_wilson(20, 20, AQ_Z_95);
    assert_true(nothing.low == 0 && nothing.high == 1);
    assert_true(all.high == 1 && fabs(all.low - (1 - 0.1611)) < 5e-5);
}

/* With all or one of n the bound has a closed form: p^n = 0.05, and 1 - (1 - p)^n = 0.05. The others are from
 * Newcombe's table I, method 5, whose two sides have 97.5 % each. */
static void the_least_share_is_that_of_clopper_and_pearson(void **state) {
    (void)state;
    for (int n = 1; n <= 400; n += 37) {
        assert_near(aq_statistics_share_low((uint64_t)n, (uint64_t)n, 0.95), pow(0.05, 1.0 / n), 1e-12);
        assert_near(aq_statistics_share_low(1, (uint64_t)n, 0.95), 1 - pow(0.95, 1.0 / n), 1e-12);
    }
    assert_true(fabs(aq_statistics_share_low(15, 148, 0.975) - 0.0578) < 5e-5);
    assert_true(fabs(aq_statistics_share_low(81, 263, 0.975) - 0.2527) < 5e-5);
    assert_true(aq_statistics_share_low(0, 50, 0.95) == 0);
}

static void clean_trials_exclude_what_the_rule_of_three_says(void **state) {
    (void)state;
    assert_int_equal(aq_statistics_clean_trials(0.01, 0.95), 299); /* 0.99^298 = 0.0500, 0.99^299 = 0.0495 */
    assert_int_equal(aq_statistics_clean_trials(0.5, 0.95), 5);
    assert_int_equal(aq_statistics_clean_trials(1, 0.95), 1);
    assert_int_equal(aq_statistics_clean_trials(0, 0.95), 0);
    for (double share = 1e-6; share < 0.01; share *= 3) {
        uint64_t trials = aq_statistics_clean_trials(share, 0.95);
        assert_near((double)trials * share, 3, 0.02); /* ln 20 is 2.9957 */
    }
}

static void evenness_is_measured_as_defined(void **state) {
    (void)state;
    const uint64_t equal[] = {7, 7, 7, 7}, one[] = {12, 0, 0, 0}, mixed[] = {2, 4, 4, 4, 5, 5, 7, 9},
                   none[] = {0, 0};
    assert_true(aq_statistics_jain(equal, 4) == 1 && aq_statistics_cv(equal, 4) == 0);
    assert_near(aq_statistics_jain(one, 4), 0.25, 1e-15);
    assert_near(aq_statistics_max_over_mean(one, 4), 4, 1e-15);
    assert_near(aq_statistics_cv(mixed, 8), 2.0 / 5, 1e-15); /* mean 5, standard deviation 2 */
    assert_near(aq_statistics_jain(mixed, 8), 1600.0 / (8 * 232), 1e-15);
    assert_near(aq_statistics_max_over_mean(mixed, 8), 1.8, 1e-15);
    assert_true(aq_statistics_jain(none, 2) == 1 && aq_statistics_cv(none, 2) == 0);
    assert_true(aq_statistics_max_over_mean(none, 2) == 0 && aq_statistics_jain(none, 0) == 1);
}

/* The table of Student's t, as printed in any book. */
static void quantiles_of_student_are_those_of_the_table(void **state) {
    (void)state;
    assert_near(aq_statistics_t_975(1), 12.7062, 1e-5);
    assert_near(aq_statistics_t_975(2), 4.30265, 1e-5);
    assert_near(aq_statistics_t_975(3), 3.18245, 1e-5);
    assert_near(aq_statistics_t_975(4), 2.77645, 1e-5);
    assert_near(aq_statistics_t_975(9), 2.26216, 1e-5);
    assert_near(aq_statistics_t_975(30), 2.04227, 1e-5);
    assert_near(aq_statistics_t_975(1000), 1.96234, 1e-5);
    assert_near(aq_statistics_t_975(100000), 1.95999, 1e-5);
    assert_true(isinf(aq_statistics_t_975(0)));
}

/* 1, 2, 3, 4: mean 2.5, deviation sqrt(5 / 3), t of 3 degrees. */
static void an_interval_of_a_mean_is_as_worked_out_by_hand(void **state) {
    struct aq_mean_interval found = aq_statistics_mean((double[]){1, 2, 3, 4}, 4);
    (void)state;
    assert_near(found.mean, 2.5, 1e-14);
    assert_near(found.half, 3.18245 * sqrt(5.0 / 3 / 4), 1e-5);
    found = aq_statistics_mean((double[]){7}, 1);
    assert_true(found.mean == 7 && isinf(found.half));
    assert_true(aq_statistics_mean((double[]){3, 3, 3}, 3).half == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_student_are_those_of_the_table),
        cmocka_unit_test(an_interval_of_a_mean_is_as_worked_out_by_hand),
        cmocka_unit_test(chi_square_tail_agrees_with_exact_values),
        cmocka_unit_test(with_two_degrees_of_freedom_the_tail_is_exponential),
        cmocka_unit_test(with_one_degree_of_freedom_the_tail_is_that_of_the_normal),
        cmocka_unit_test(series_and_fraction_meet_without_a_step),
        cmocka_unit_test(the_tail_is_whole_at_zero_and_nothing_far_out),
        cmocka_unit_test(wilson_interval_agrees_with_newcombes_table),
        cmocka_unit_test(the_least_share_is_that_of_clopper_and_pearson),
        cmocka_unit_test(clean_trials_exclude_what_the_rule_of_three_says),
        cmocka_unit_test(evenness_is_measured_as_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
