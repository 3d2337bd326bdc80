/* Comparisons: how variants are read, and what pairs of runs say of their difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/error.h"
#include "sim/what_if.h"

static struct aq_arena memory;

static int begin(void **state) {
    (void)state;
    aq_arena_init(&memory);
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_arena_close(&memory);
    return 0;
}

static void values_are_separated_by_commas_of_their_own(void **state) {
    static struct aq_what_if_vary vary;
    (void)state;
    assert_int_equal(
        aq_what_if_parse("workers.poll=1s,{\"uniform\":[\"1s\",\"2s\"]},\"3s\"", &memory, &vary, NULL), 0);
    assert_int_equal(vary.count, 3);
    assert_string_equal(vary.settings[0], "workers.poll=1s");
    assert_string_equal(vary.settings[1], "workers.poll={\"uniform\":[\"1s\",\"2s\"]}");
    assert_string_equal(vary.settings[2], "workers.poll=\"3s\"");
}

static void one_value_or_no_path_is_refused(void **state) {
    static struct aq_what_if_vary vary = {.count = 77};
    struct aq_error error = {0};
    (void)state;
    assert_int_equal(aq_what_if_parse("workers.poll=1s", &memory, &vary, &error), AQ_EPARSE);
    assert_int_equal(aq_what_if_parse("=1,2", &memory, &vary, &error), AQ_EPARSE);
    assert_int_equal(aq_what_if_parse("workers.poll", &memory, &vary, &error), AQ_EPARSE);
    assert_int_equal(vary.count, 77);
}

static void variants_are_all_combinations(void **state) {
    static struct aq_what_if_vary vary[2];
    const char *settings[AQ_WHAT_IF_VARY_MAX];
    (void)state;
    assert_int_equal(aq_what_if_parse("a=1,2", &memory, &vary[0], NULL), 0);
    assert_int_equal(aq_what_if_parse("b=x,y,z", &memory, &vary[1], NULL), 0);
    assert_int_equal(aq_what_if_variants(vary, 2), 6);
    aq_what_if_settings(vary, 2, 0, settings);
    assert_string_equal(settings[0], "a=1");
    assert_string_equal(settings[1], "b=x");
    aq_what_if_settings(vary, 2, 5, settings);
    assert_string_equal(settings[0], "a=2");
    assert_string_equal(settings[1], "b=z");
    aq_what_if_settings(vary, 2, 4, settings);
    assert_string_equal(settings[1], "b=y");
}

/* What the seeds share drops out: values between 1 and 9 that differ by 0.5 each time, and a little. */
static void pairs_tell_a_small_difference_from_a_large_spread(void **state) {
    static struct aq_measured base[4], other[4];
    static const double shared[] = {1, 9, 4, 7}, noise[] = {0.01, -0.01, 0.02, -0.02};
    struct aq_what_if_difference found;
    (void)state;
    for (int i = 0; i < 4; i++) {
        base[i].count = other[i].count = 0;
        aq_measured_add(&base[i], "figure", shared[i]);
        aq_measured_add(&other[i], "figure", shared[i] + 0.5 + noise[i]);
    }
    aq_what_if_compare(base, other, 4, "figure", &found);
    assert_true(found.differs && found.pairs == 4 && fabs(found.difference.mean - 0.5) < 1e-12);
    assert_true(found.difference.half < 0.1 && found.value.half > 3);
    aq_what_if_compare(base, base, 4, "figure", &found);
    assert_false(found.differs);
}

static void a_seed_that_has_nothing_to_measure_is_left_out(void **state) {
    static struct aq_measured base[3], other[3];
    struct aq_what_if_difference found;
    (void)state;
    for (int i = 0; i < 3; i++) {
        base[i].count = other[i].count = 0;
        aq_measured_add(&base[i], "figure", i == 1 ? NAN : 1);
        aq_measured_add(&other[i], "figure", 2);
    }
    aq_what_if_compare(base, other, 3, "figure", &found);
    assert_int_equal(found.pairs, 2);
    assert_true(found.difference.mean == 1);
    aq_what_if_compare(base, other, 3, "no such", &found);
    assert_true(found.pairs == 0 && !found.differs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_separated_by_commas_of_their_own),
        cmocka_unit_test(one_value_or_no_path_is_refused),
        cmocka_unit_test(variants_are_all_combinations),
        cmocka_unit_test(pairs_tell_a_small_difference_from_a_large_spread),
        cmocka_unit_test(a_seed_that_has_nothing_to_measure_is_left_out),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
