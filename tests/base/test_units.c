/* Quantities with units, both ways. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/units.h"

static void durations_are_read_in_every_unit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        aq_time_us us;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"1us", 1},
        {"250ms", 250000},
        {"1.5ms", 1500},
        {"0.5us", 1}, /* to nearest, halves away from zero */
        {"0.4us", 0},
        {"3s", 3000000},
        {"0.001s", 1000},
        {"2m", 120000000},
        {"1h", UINT64_C(3600000000)},
        {"7d", UINT64_C(604800000000)},
        {"3660d", UINT64_C(316224000000000)}, /* ten years of 366 days */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        aq_time_us us = 99;
        assert_int_equal(aq_units_duration(cases[i].text, &us), 0);
        assert_true(us == cases[i].us);
    }
}

static void malformed_durations_leave_the_output_alone(void **state) {
    (void)state;
    const char *bad[] = {"",       "1",
                         "s",      "-1s",
                         "+1s",    " 1s",
                         "1s ",    "1 s",
                         "1S",     "1sec",
                         "1.2.3s", "1..s",
                         ".5s",    "1e3s",
                         "0x1s",   "1,5s",
                         "1ss",    "never",
                         "inf s",  "nans",
                         "3661d",  "1w",
                         "1ms1us", "00",
                         "1µs",    "99999999999999999999999999999999s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        aq_time_us us = 99;
        assert_int_equal(aq_units_duration(bad[i], &us), AQ_EPARSE);
        assert_int_equal(us, 99);
    }
}

static void rates_are_per_second(void **state) {
    (void)state;
    double per_s = 0;
    assert_int_equal(aq_units_rate("2000/s", &per_s), 0);
    assert_true(per_s == 2000);
    assert_int_equal(aq_units_rate("0.5/s", &per_s), 0);
    assert_true(per_s == 0.5);
    assert_int_equal(aq_units_rate("120/m", &per_s), 0);
    assert_true(per_s > 1.999999 && per_s < 2.000001);
    assert_int_equal(aq_units_rate("3600/h", &per_s), 0);
    assert_true(per_s > 0.999999 && per_s < 1.000001);
    per_s = 99;
    const char *bad[] = {"", "5", "/s", "5/", "5/d", "5 /s", "-5/s", "5/s/s", "5s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(aq_units_rate(bad[i], &per_s), AQ_EPARSE);
    assert_true(per_s == 99);
}

static void sizes_are_in_bytes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"0B", 0},       {"5B", 5},        {"64kB", 64000},  {"64KiB", 65536},
                 {"1.5kB", 1500}, {"2MB", 2000000}, {"2MiB", 2097152}};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(aq_units_bytes(cases[i].text, &bytes), 0);
        assert_int_equal(bytes, cases[i].bytes);
    }
    bytes = 99;
    const char *bad[] = {"", "0", "5", "5b", "5KB", "5kiB", "5GB", "-5B", "5 B", "9999999999999999B"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(aq_units_bytes(bad[i], &bytes), AQ_EPARSE);
    assert_int_equal(bytes, 99);
}

static void spans_are_written_with_three_digits_and_no_exponent(void **state) {
    (void)state;
    static const struct {
        aq_time_us us;
        const char *text;
    } cases[] = {
        {0, "0 us"},
        {12, "12 us"},
        {999, "999 us"},
        {1000, "1 ms"},
        {1250, "1.25 ms"},
        {340000, "340 ms"},
        {999400, "999 ms"},
        {999499, "999 ms"},
        {999500, "1 s"},
        {999900, "1 s"},
        {999999, "1 s"},
        {1000000, "1 s"},
        {1250000, "1.25 s"},
        {99900000, "99.9 s"},
        {999499999, "999 s"},
        {999500000, "1000 s"},
        {999999999, "1000 s"},
        {UINT64_C(1000000000), "1000 s"},
        {UINT64_C(3600000000), "3600 s"},
        {UINT64_C(86400000000), "86400 s"},
        {AQ_TIME_NEVER, "never"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        assert_string_equal(aq_units_format_span(text, sizeof text, cases[i].us), cases[i].text);
    }
}

static void counts_are_written_in_groups_of_three(void **state) {
    (void)state;
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {999, "999"},
                 {1000, "1,000"},
                 {123456, "123,456"},
                 {1234567, "1,234,567"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        assert_string_equal(aq_units_format_count(text, sizeof text, cases[i].count), cases[i].text);
    }
}

static void a_count_never_leaves_its_buffer(void **state) {
    (void)state;
    for (size_t size = 1; size < 12; size++) {
        char text[16];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = '#';
        aq_units_format_count(text, size, 1234567);
        for (size_t i = size; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
        assert_non_null(memchr(text, 0, size));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_every_unit),
        cmocka_unit_test(malformed_durations_leave_the_output_alone),
        cmocka_unit_test(rates_are_per_second),
        cmocka_unit_test(sizes_are_in_bytes),
        cmocka_unit_test(spans_are_written_with_three_digits_and_no_exponent),
        cmocka_unit_test(counts_are_written_in_groups_of_three),
        cmocka_unit_test(a_count_never_leaves_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
