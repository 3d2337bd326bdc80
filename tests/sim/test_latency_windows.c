/* Latencies over time: each window tells of the spans that ended in it and of no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "sim/latency_windows.h"

static struct aq_latency_windows windows;
static struct aq_histogram all;

static int begin(void **state) {
    (void)state;
    return aq_latency_windows_init(&windows) || aq_histogram_init(&all);
}

static int end(void **state) {
    (void)state;
    aq_latency_windows_close(&windows);
    aq_histogram_close(&all);
    return 0;
}

static void add(uint32_t window) {
    assert_int_equal(aq_latency_windows_add(&windows, window, AQ_LATENCY_PUT, &all), 0);
}

static void a_window_tells_of_its_own_spans_alone(void **state) {
    (void)state;
    aq_histogram_record(&all, 100);
    add(0);
    aq_histogram_record(&all, 7);
    aq_histogram_record(&all, 9);
    add(1);
    assert_int_equal(windows.row_count, 2);
    const struct aq_record_latency_window *first = &windows.rows[0], *second = &windows.rows[1];
    assert_string_equal(second->operation, "put");
    assert_true(first->window == 0 && first->spans == 1 && first->min_us == 100 && first->p50_us == 100 &&
                first->p999_us == 100 && first->max_us == 100 && first->sum_us == 100);
    assert_true(second->window == 1 && second->spans == 2 && second->sum_us == 16);
    assert_true(second->min_us == 7 && second->p50_us == 7 && second->p90_us == 9 && second->max_us == 9);
}

static void a_window_without_spans_has_no_row(void **state) {
    (void)state;
    add(0);
    aq_histogram_record(&all, 5);
    add(1);
    add(2);
    assert_int_equal(windows.row_count, 1);
    assert_int_equal(windows.rows[0].window, 1);
}

/* Of each window, the same as a histogram of its spans alone would say; only the ends are rounded to buckets.
 */
static void the_quantiles_are_those_of_a_histogram_of_the_window(void **state) {
    struct aq_random random;
    (void)state;
    aq_random_init(&random, 1, "test", 0);
    for (uint32_t window = 0; window < 50; window++) {
        struct aq_histogram one;
        assert_int_equal(aq_histogram_init(&one), 0);
        for (uint64_t i = 0, count = 1 + aq_random_below(&random, 3000); i < count; i++) {
            uint64_t span_us = aq_random_u64(&random) >> (14 + i % 50);
            aq_histogram_record(&all, span_us);
            aq_histogram_record(&one, span_us);
        }
        add(window);
        const struct aq_record_latency_window *row = &windows.rows[window];
        assert_true(row->spans == one.count && row->sum_us == one.sum_us);
        assert_true(row->max_us >= one.max_us && row->min_us >= one.min_us);
        const aq_time_us quantiles[] = {row->p50_us, row->p90_us, row->p99_us, row->p999_us};
        const double shares[] = {0.5, 0.9, 0.99, 0.999};
        for (int i = 0; i < 4; i++) {
            aq_time_us expected_us = aq_histogram_quantile(&one, shares[i]);
            if (expected_us == one.max_us) expected_us = row->max_us;
            assert_int_equal(quantiles[i], expected_us);
        }
        aq_histogram_close(&one);
    }
}

static void running_out_of_memory_is_told(void **state) {
    struct aq_latency_windows half;
    (void)state;
    for (uint64_t n = 0; n < AQ_LATENCY_COUNT; n++) {
        aq_alloc_fail_after(n);
        assert_int_equal(aq_latency_windows_init(&half), AQ_ENOMEM);
        aq_latency_windows_close(&half);
    }
    aq_histogram_record(&all, 1);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_latency_windows_add(&windows, 0, AQ_LATENCY_PUT, &all), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    add(0);
    assert_int_equal(windows.row_count, 1);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_window_tells_of_its_own_spans_alone),
        T(a_window_without_spans_has_no_row),
        T(the_quantiles_are_those_of_a_histogram_of_the_window),
        T(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
