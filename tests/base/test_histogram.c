/* Histograms: bounded error, quantiles, sums. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/histogram.h"
#include "base/memory.h"
#include "base/random.h"

static void a_value_is_reported_at_most_0_8_percent_above(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "histogram", 0);
    for (int i = 0; i < 20000; i++) {
        aq_time_us value_us = aq_random_u64(&random) >> (17 + aq_random_below(&random, 47));
        struct aq_histogram h;
        if (i % 1000 == 0) value_us = (UINT64_C(1) << (i / 1000)) - (i > 0);
        assert_int_equal(aq_histogram_init(&h), 0);
        aq_histogram_record(&h, value_us);
        aq_histogram_record(&h, UINT64_C(1) << 47); /* so that max_us does not hide the bucket's bound */
        aq_time_us reported_us = aq_histogram_quantile(&h, 0.5);
        assert_true(reported_us >= value_us);
        assert_true((double)reported_us <= (double)value_us * 1.008);
        aq_histogram_close(&h);
    }
}

static void small_values_are_exact(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 256; i++)
        assert_int_equal(aq_histogram_bucket_max_us(i), i);
}

static void bucket_bounds_rise(void **state) {
    (void)state;
    for (uint32_t i = 1; i < AQ_HISTOGRAM_BUCKETS; i++)
        assert_true(aq_histogram_bucket_max_us(i) > aq_histogram_bucket_max_us(i - 1));
    assert_true(aq_histogram_bucket_max_us(AQ_HISTOGRAM_BUCKETS - 1) == (UINT64_C(1) << 48) - 1);
}

static int ascending(const void *a, const void *b) {
    aq_time_us x = *(const aq_time_us *)a, y = *(const aq_time_us *)b;
    return x < y ? -1 : x > y;
}

static void quantiles_are_those_of_the_sorted_values(void **state) {
    (void)state;
    enum { VALUES = 5000 };
    static aq_time_us values_us[VALUES];
    struct aq_random random;
    aq_random_init(&random, 1, "histogram", 1);
    struct aq_histogram h;
    assert_int_equal(aq_histogram_init(&h), 0);
    uint64_t sum_us = 0;
    for (int i = 0; i < VALUES; i++) {
        values_us[i] = (aq_time_us)(aq_random_exponential(&random) * 20000);
        sum_us += values_us[i];
        aq_histogram_record(&h, values_us[i]);
    }
    qsort(values_us, VALUES, sizeof *values_us, ascending);
    for (int per_mille = 1; per_mille <= 1000; per_mille++) {
        aq_time_us exact_us = values_us[VALUES / 1000 * per_mille - 1];
        aq_time_us got_us = aq_histogram_quantile(&h, per_mille / 1000.0);
        assert_true(got_us >= exact_us);
        assert_true((double)got_us <= (double)exact_us * 1.008);
    }
    assert_int_equal(h.count, VALUES);
    assert_int_equal(h.sum_us, sum_us);
    assert_int_equal(h.min_us, values_us[0]);
    assert_int_equal(h.max_us, values_us[VALUES - 1]);
    assert_int_equal(aq_histogram_quantile(&h, 1), values_us[VALUES - 1]);
    assert_int_equal(aq_histogram_quantile(&h, 0), values_us[0] < 256 ? values_us[0] : 0);
    aq_histogram_close(&h);
}

/* 0.07 * 100 is above 7 in binary floating point; the 7th value is still the one. */
static void a_share_that_is_no_binary_fraction_is_not_rounded_up(void **state) {
    (void)state;
    struct aq_histogram h;
    assert_int_equal(aq_histogram_init(&h), 0);
    for (aq_time_us us = 1; us <= 100; us++)
        aq_histogram_record(&h, us);
    for (int percent = 1; percent <= 100; percent++)
        assert_int_equal(aq_histogram_quantile(&h, percent / 100.0), percent);
    assert_int_equal(aq_histogram_quantile(&h, 0.071), 8);
    aq_histogram_close(&h);
}

static void an_empty_histogram_answers_zero(void **state) {
    (void)state;
    struct aq_histogram h;
    assert_int_equal(aq_histogram_init(&h), 0);
    assert_int_equal(aq_histogram_quantile(&h, 0.5), 0);
    assert_true(h.min_us == AQ_TIME_NEVER);
    aq_histogram_close(&h);
}

static void adding_is_as_recording_everything_in_one(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "histogram", 2);
    struct aq_histogram parts[2], whole;
    assert_int_equal(aq_histogram_init(&parts[0]) | aq_histogram_init(&parts[1]) | aq_histogram_init(&whole),
                     0);
    for (int i = 0; i < 3000; i++) {
        aq_time_us value_us = aq_random_u64(&random) >> (20 + aq_random_below(&random, 44)) | 1;
        aq_histogram_record(&parts[i % 2], value_us);
        aq_histogram_record(&whole, value_us);
    }
    aq_histogram_record(&parts[1], 0); /* the ends of the whole lie in the added part */
    aq_histogram_record(&whole, 0);
    aq_histogram_record(&parts[1], UINT64_C(1) << 45);
    aq_histogram_record(&whole, UINT64_C(1) << 45);
    aq_histogram_add(&parts[0], &parts[1]);
    assert_int_equal(parts[0].count, whole.count);
    assert_int_equal(parts[0].sum_us, whole.sum_us);
    assert_int_equal(parts[0].min_us, whole.min_us);
    assert_int_equal(parts[0].max_us, whole.max_us);
    assert_memory_equal(parts[0].buckets, whole.buckets, AQ_HISTOGRAM_BUCKETS * sizeof *whole.buckets);
    aq_histogram_close(&parts[0]);
    aq_histogram_close(&parts[1]);
    aq_histogram_close(&whole);
}

static void longer_spans_than_the_last_bucket_keep_their_maximum(void **state) {
    (void)state;
    struct aq_histogram h;
    assert_int_equal(aq_histogram_init(&h), 0);
    aq_time_us long_us = UINT64_C(1) << 60;
    aq_histogram_record(&h, long_us);
    assert_true(h.max_us == long_us);
    assert_true(aq_histogram_quantile(&h, 0.5) == long_us);
    aq_histogram_close(&h);
}

static void no_memory_is_reported(void **state) {
    (void)state;
    struct aq_histogram h = {.count = 42};
    aq_alloc_fail_after(0);
    assert_int_equal(aq_histogram_init(&h), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(h.count, 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_reported_at_most_0_8_percent_above),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(bucket_bounds_rise),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(a_share_that_is_no_binary_fraction_is_not_rounded_up),
        cmocka_unit_test(an_empty_histogram_answers_zero),
        cmocka_unit_test(adding_is_as_recording_everything_in_one),
        cmocka_unit_test(longer_spans_than_the_last_bucket_keep_their_maximum),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
