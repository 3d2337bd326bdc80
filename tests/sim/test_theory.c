/* The formulas of queueing theory against values worked out by hand, or known in closed form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "sim/theory.h"

static void near(double found, double expected, double relative) {
    if (!(fabs(found - expected) <= relative * fabs(expected)))
        fail_msg("found %.12g, expected %.12g", found, expected);
}

/* One server, work of 1 s, think time of 1 s, two customers: R(1) = 1, X(1) = 1/2, Q(1) = 1/2, R(2) = 3/2,
   X(2) = 2 / (1 + 3/2). */
static void two_customers_are_as_worked_out_by_hand(void **state) {
    struct aq_theory_closed closed;
    (void)state;
    aq_theory_mva((struct aq_theory_station[]){{1, 1}}, 1, 1, 2, &closed);
    near(closed.throughput_per_s, 0.8, 1e-14);
    near(closed.response_s, 1.5, 1e-14);
    near(closed.utilization[0], 0.8, 1e-14);
    near(closed.customers_there[0], 1.2, 1e-14);
}

/* Work of 5, 4 and 3 s, think time of 15 s. X(1) = 1/27, so R(2) = (5 * 32 + 4 * 31 + 3 * 30) / 27 = 374/27
   and X(2) = 2 / (15 + 374/27) = 54/779; from Q(2) of 160, 124 and 90 by 779 twice, R(3) = 12 + 1532 * 2 /
   779. */
static void three_stations_are_as_worked_out_by_hand(void **state) {
    const struct aq_theory_station kinds[] = {{5, 1}, {4, 1}, {3, 1}};
    struct aq_theory_closed closed;
    (void)state;
    aq_theory_mva(kinds, 3, 15, 2, &closed);
    near(closed.throughput_per_s, 54.0 / 779, 1e-14);
    near(closed.response_s, 374.0 / 27, 1e-14);
    aq_theory_mva(kinds, 3, 15, 3, &closed);
    near(closed.response_s, 12 + 2.0 * (5 * 160 + 4 * 124 + 3 * 90) / 779, 1e-14);
    near(closed.utilization[0], closed.throughput_per_s * 5, 1e-14);
}

/* Without think time a balanced network of K stations has X(n) = n / (D (n + K - 1)). */
static void balanced_stations_follow_their_closed_form(void **state) {
    struct aq_theory_closed closed;
    (void)state;
    for (uint32_t customers = 1; customers < 200; customers += 13) {
        aq_theory_mva((struct aq_theory_station[]){{0.25, 7}}, 1, 0, customers, &closed);
        near(closed.throughput_per_s, customers / (0.25 * (customers + 6)), 1e-12);
    }
}

/* With one station it is the machine repairman, whose idle time is that of Erlang's loss formula B(n, Z / D).
 */
static void one_station_agrees_with_erlang(void **state) {
    struct aq_theory_closed closed;
    double load = 20, blocked = 1;
    (void)state;
    for (uint32_t n = 1; n <= 40; n++) {
        blocked = load * blocked / (n + load * blocked);
        aq_theory_mva((struct aq_theory_station[]){{0.05, 1}}, 1, 1, n, &closed);
        near(1 - closed.utilization[0], blocked, 1e-9);
    }
}

static void nobody_does_nothing(void **state) {
    struct aq_theory_closed closed;
    (void)state;
    aq_theory_mva((struct aq_theory_station[]){{1, 2}}, 1, 1, 0, &closed);
    assert_true(closed.throughput_per_s == 0 && closed.response_s == 0 && closed.utilization[0] == 0);
}

static void open_queues_are_as_in_the_books(void **state) {
    struct aq_theory_open open;
    (void)state;
    near(aq_theory_mm1_response_s(0.5, 1), 2, 1e-14);
    near(aq_theory_mm1_response_s(0.9, 1), 10, 1e-12);
    near(aq_theory_md1_response_s(0.5, 1), 1.5, 1e-14);
    near(aq_theory_md1_response_s(0.9, 1), 5.5, 1e-12);
    assert_true(isinf(aq_theory_mm1_response_s(1, 1)) && isinf(aq_theory_md1_response_s(2, 1)));
    /* M/M/1: the response is exponential, so its variance is the square of its mean */
    assert_true(aq_theory_mg1(0.9, &(struct aq_theory_moments){1, 2, 6}, &open));
    near(open.response_s, 10, 1e-12);
    near(open.response_variance, 100, 1e-12);
    assert_true(aq_theory_mg1(0.5, &(struct aq_theory_moments){1, 1, 1}, &open));
    near(open.response_s, 1.5, 1e-14);
    near(open.response_variance, 0.25 + 1.0 / 3, 1e-12);
    assert_false(aq_theory_mg1(1, &(struct aq_theory_moments){1, 1, 1}, &open));
}

static struct aq_distribution made(enum aq_distribution_kind kind, double a_us, double b_us) {
    struct aq_distribution d = {.kind = kind, .a_us = a_us, .b_us = b_us};
    assert_int_equal(aq_distribution_prepare(&d), 0);
    return d;
}

/* Against the draws themselves. */
static void moments_are_those_of_the_draws(void **state) {
    static const double measured_us[] = {1e6, 1.5e6, 2e6, 8e6};
    const struct aq_distribution all[] = {
        made(AQ_DISTRIBUTION_CONSTANT, 1e6, 0),
        made(AQ_DISTRIBUTION_UNIFORM, 1e6, 3e6),
        made(AQ_DISTRIBUTION_EXPONENTIAL, 1e6, 0),
        made(AQ_DISTRIBUTION_LOGNORMAL, 1e6, 2e6),
        made(AQ_DISTRIBUTION_PARETO, 1e6, 1.6e6),
        {.kind = AQ_DISTRIBUTION_EMPIRICAL, .quantiles_us = measured_us, .quantile_count = 4}};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct aq_random random;
        struct aq_theory_moments moments, drawn = {0};
        assert_true(aq_theory_moments(&all[i], &moments));
        aq_random_init(&random, 1, "moments", i);
        for (int n = 0; n < 1000000; n++) {
            double s = (double)aq_distribution_draw(&all[i], &random) / 1e6;
            aq_theory_mix(&drawn, &(struct aq_theory_moments){s, s * s, s * s * s}, 1e-6);
        }
        near(drawn.first, moments.first, 0.01);
        near(drawn.second, moments.second, 0.02);
        near(drawn.third, moments.third, 0.05);
    }
}

static void a_moment_that_is_infinite_is_told(void **state) {
    struct aq_theory_moments moments;
    struct aq_distribution heavy = made(AQ_DISTRIBUTION_PARETO, 1e3, 1e5); /* shape 1 */
    (void)state;
    assert_false(aq_theory_moments(&heavy, &moments));
}

/* With lambda = 0.5 and S = 1 the drift is 1/2 and the variance 1/2 (constant service): t is half the lag. At
   t = 1, -4 (1 - Phi(1)) + 4 phi(1), of the tables 0.1586553 and 0.2419707. */
static void what_two_customers_find_goes_together_for_a_while(void **state) {
    const struct aq_theory_moments service = {1, 1, 1};
    double before = 1;
    (void)state;
    assert_true(aq_theory_correlation(0.5, &service, 0) == 1);
    near(aq_theory_correlation(0.5, &service, 2), -4 * 0.1586552539 + 4 * 0.2419707245, 1e-8);
    for (double lag_s = 0.1; lag_s < 100; lag_s += 0.1) {
        double now = aq_theory_correlation(0.5, &service, lag_s);
        assert_true(now >= 0 && now < before + 1e-12);
        before = now;
    }
    assert_true(before < 1e-6);
}

/* The 99th percentile of an exponential is ln 100, that of the sum of two solves (1 + x) exp(-x) = 0.01. */
static void quantiles_of_sums_are_exact_where_they_can_be(void **state) {
    struct aq_distribution spread = made(AQ_DISTRIBUTION_EXPONENTIAL, 1e6, 0);
    (void)state;
    near(aq_theory_quantile_s(0.99, 0, NULL, 1, 1), log(100), 1e-9);
    near(aq_theory_quantile_s(0.99, 0.5, NULL, 2, 2), 0.5 + 6.638352068, 1e-8);
    near(aq_theory_quantile_s(0.5, 0, NULL, 3, 0), 3, 1e-9);
    /* one of the two as a spread instead */
    near(aq_theory_quantile_s(0.9, 0, &spread, 1, 1), 3.889720170, 5e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_customers_are_as_worked_out_by_hand),
        cmocka_unit_test(three_stations_are_as_worked_out_by_hand),
        cmocka_unit_test(balanced_stations_follow_their_closed_form),
        cmocka_unit_test(one_station_agrees_with_erlang),
        cmocka_unit_test(nobody_does_nothing),
        cmocka_unit_test(open_queues_are_as_in_the_books),
        cmocka_unit_test(moments_are_those_of_the_draws),
        cmocka_unit_test(a_moment_that_is_infinite_is_told),
        cmocka_unit_test(what_two_customers_find_goes_together_for_a_while),
        cmocka_unit_test(quantiles_of_sums_are_exact_where_they_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
