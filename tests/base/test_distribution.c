/* Distributions of spans: their means, their percentiles, and what is refused. */
#include "test.h"

#include <math.h>

#include "base/distribution.h"
#include "base/error.h"

enum { DRAWS = 200000 };

static struct aq_distribution prepared(enum aq_distribution_kind kind, double a_us, double b_us) {
    struct aq_distribution d = {.kind = kind, .a_us = a_us, .b_us = b_us};
    assert_int_equal(aq_distribution_prepare(&d), 0);
    return d;
}

/* Share of the draws at or below bound_us must be `share`, within six deviations. */
static void share_below(const struct aq_distribution *d, double bound_us, double share) {
    struct aq_random random;
    aq_random_init(&random, 3, "distribution", d->kind);
    int below = 0;
    for (int i = 0; i < DRAWS; i++)
        below += (double)aq_distribution_draw(d, &random) <= bound_us;
    assert_true(fabs(below - share * DRAWS) < 6 * sqrt(share * (1 - share) * DRAWS));
}

static void mean_within(const struct aq_distribution *d, double deviation_us) {
    struct aq_random random;
    aq_random_init(&random, 4, "distribution", d->kind);
    double sum_us = 0;
    for (int i = 0; i < DRAWS; i++)
        sum_us += (double)aq_distribution_draw(d, &random);
    assert_true(fabs(sum_us / DRAWS - aq_distribution_mean_us(d)) < 6 * deviation_us / sqrt(DRAWS));
}

static void constants_are_constant(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_CONSTANT, 1234, 0), made = AQ_CONSTANT_US(1234);
    struct aq_random random, before;
    aq_random_init(&random, 1, "distribution", 0);
    before = random;
    assert_int_equal(aq_distribution_draw(&d, &random), 1234);
    assert_int_equal(aq_distribution_draw(&made, &random), 1234);
    assert_memory_equal(&random, &before, sizeof random);
    assert_true(aq_distribution_mean_us(&d) == 1234);
    made.a_us = 1.4;
    assert_int_equal(aq_distribution_draw(&made, &random), 1);
    made.a_us = 1.6;
    assert_int_equal(aq_distribution_draw(&made, &random), 2);
}

static void uniform_stays_within_its_ends(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_UNIFORM, 1000, 5000);
    struct aq_random random;
    aq_random_init(&random, 1, "distribution", 0);
    for (int i = 0; i < 10000; i++) {
        aq_time_us us = aq_distribution_draw(&d, &random);
        assert_true(us >= 1000 && us <= 5000);
    }
    assert_true(aq_distribution_mean_us(&d) == 3000);
    mean_within(&d, 4000 / sqrt(12));
    share_below(&d, 2000.5, 0.250125);
}

static void exponential_has_its_mean_and_median(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_EXPONENTIAL, 1000000, 0);
    assert_true(aq_distribution_mean_us(&d) == 1000000);
    mean_within(&d, 1000000);
    share_below(&d, 1000000 * log(2), 0.5);
    share_below(&d, 1000000 * log(100), 0.99);
}

static void lognormal_has_its_median_and_99th_percentile(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_LOGNORMAL, 20000, 200000);
    share_below(&d, 20000, 0.5);
    share_below(&d, 200000, 0.99);
    double variance =
        (exp(d.shape * d.shape) - 1) * aq_distribution_mean_us(&d) * aq_distribution_mean_us(&d);
    mean_within(&d, sqrt(variance));
}

static void pareto_has_its_minimum_and_99th_percentile(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_PARETO, 10000, 40000);
    struct aq_random random;
    aq_random_init(&random, 1, "distribution", 0);
    for (int i = 0; i < 10000; i++)
        assert_true(aq_distribution_draw(&d, &random) >= 10000);
    share_below(&d, 40000, 0.99);
    share_below(&d, 20000, 0.9); /* half of the way in decades of the tail */
    double alpha = d.shape;      /* ln 100 / ln 4 = 3.32: the variance is finite */
    mean_within(&d, 10000 * sqrt(alpha / (alpha - 2)) / (alpha - 1));
}

static void a_heavy_pareto_has_no_mean(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_PARETO, 1, 101);
    assert_true(isinf(aq_distribution_mean_us(&d)));
    d = prepared(AQ_DISTRIBUTION_PARETO, 1, 99);
    assert_true(isfinite(aq_distribution_mean_us(&d)));
}

static const double quartiles_us[] = {1000, 2000, 2000, 5000, 9000};

static void an_empirical_one_has_its_quantiles_and_lines_between(void **state) {
    (void)state;
    struct aq_distribution d = {
        .kind = AQ_DISTRIBUTION_EMPIRICAL, .quantiles_us = quartiles_us, .quantile_count = 5};
    struct aq_random random;
    assert_int_equal(aq_distribution_prepare(&d), 0);
    aq_random_init(&random, 1, "distribution", 0);
    for (int i = 0; i < 10000; i++) {
        aq_time_us us = aq_distribution_draw(&d, &random);
        assert_true(us >= 1000 && us <= 9000);
    }
    share_below(&d, 1500.5, 0.125);
    share_below(&d, 1999.4, 0.25);
    share_below(&d, 2000.5, 0.5);
    share_below(&d, 5000, 0.75);
    share_below(&d, 7000, 0.875);
    assert_true(aq_distribution_mean_us(&d) == 3500); /* (1500 + 2000 + 3500 + 7000) / 4 */
    mean_within(&d, 2300);
}

static void an_empirical_one_draws_once(void **state) {
    (void)state;
    struct aq_distribution d = {
        .kind = AQ_DISTRIBUTION_EMPIRICAL, .quantiles_us = quartiles_us, .quantile_count = 2};
    struct aq_random random, other;
    assert_int_equal(aq_distribution_prepare(&d), 0);
    aq_random_init(&random, 1, "distribution", 0);
    other = random;
    for (int i = 0; i < 100; i++)
        assert_int_equal(aq_distribution_draw(&d, &random),
                         (aq_time_us)(1000.5 + 1000 * aq_random_unit(&other)));
}

static void quantiles_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const double falls[] = {1, 3, 2}, negative[] = {-1, 3}, none[] = {NAN, 3}, late[] = {1, NAN},
                        same[] = {3, 3};
    const struct {
        const double *us;
        uint32_t count;
        int rc;
    } rows[] = {
        {falls, 3, AQ_EINVALID}, {falls, 2, 0},           {negative, 2, AQ_EINVALID}, {none, 2, AQ_EINVALID},
        {late, 2, AQ_EINVALID},  {falls, 1, AQ_EINVALID}, {NULL, 0, AQ_EINVALID},     {same, 2, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aq_distribution d = {
            .kind = AQ_DISTRIBUTION_EMPIRICAL, .quantiles_us = rows[i].us, .quantile_count = rows[i].count};
        assert_int_equal(aq_distribution_prepare(&d), rows[i].rc);
    }
}

static void draws_never_exceed_the_longest_span(void **state) {
    (void)state;
    struct aq_distribution d = prepared(AQ_DISTRIBUTION_PARETO, 1, 1e30);
    struct aq_random random;
    aq_random_init(&random, 1, "distribution", 0);
    aq_time_us longest_us = 0;
    for (int i = 0; i < 10000; i++) {
        aq_time_us us = aq_distribution_draw(&d, &random);
        if (us > longest_us) longest_us = us;
    }
    assert_true(longest_us == UINT64_C(1000000000000000000));
    assert_true(aq_time_after(longest_us, longest_us) != AQ_TIME_NEVER);
}

static void impossible_parameters_are_refused(void **state) {
    (void)state;
    static const struct aq_distribution bad[] = {
        {AQ_DISTRIBUTION_CONSTANT, -1, 0}, {AQ_DISTRIBUTION_CONSTANT, NAN, 0},
        {AQ_DISTRIBUTION_UNIFORM, 5, 4},   {AQ_DISTRIBUTION_UNIFORM, -1, 4},
        {AQ_DISTRIBUTION_UNIFORM, 1, NAN}, {AQ_DISTRIBUTION_EXPONENTIAL, -1, 0},
        {AQ_DISTRIBUTION_LOGNORMAL, 0, 5}, {AQ_DISTRIBUTION_LOGNORMAL, 5, 4},
        {AQ_DISTRIBUTION_PARETO, 0, 5},    {AQ_DISTRIBUTION_PARETO, 5, 5},
        {AQ_DISTRIBUTION_PARETO, 5, 4},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct aq_distribution d = bad[i];
        assert_int_equal(aq_distribution_prepare(&d), AQ_EINVALID);
    }
    prepared(AQ_DISTRIBUTION_UNIFORM, 5, 5);
    prepared(AQ_DISTRIBUTION_LOGNORMAL, 5, 5);
    prepared(AQ_DISTRIBUTION_EXPONENTIAL, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_constant),
        cmocka_unit_test(uniform_stays_within_its_ends),
        cmocka_unit_test(exponential_has_its_mean_and_median),
        cmocka_unit_test(lognormal_has_its_median_and_99th_percentile),
        cmocka_unit_test(pareto_has_its_minimum_and_99th_percentile),
        cmocka_unit_test(a_heavy_pareto_has_no_mean),
        cmocka_unit_test(an_empirical_one_has_its_quantiles_and_lines_between),
        cmocka_unit_test(an_empirical_one_draws_once),
        cmocka_unit_test(quantiles_that_make_no_sense_are_refused),
        cmocka_unit_test(draws_never_exceed_the_longest_span),
        cmocka_unit_test(impossible_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
