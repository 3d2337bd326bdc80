/* Files of suites and of tolerances: what they say is taken, and running out of memory leaves nothing behind.
   What is wrong in them is told by the program: tests/sim/suite_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/suite.h"
#include "scenarios/tolerance.h"

static char path[] = "/tmp/aq-suite-XXXXXX";

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char suite_text[] =
    "{\"name\": \"n\", \"scenarios\": [\"a\", \"b/\"], \"profiles\": [\"strict\", \"client=upstream\"], \"seeds\": \"3..12\","
    "\"settings\": [\"x=1\"], \"fidelity\": \"wire\", \"jobs\": 7, \"check_replay\": true, \"notes\": [\"none\"]}";

static void a_suite_is_taken_word_for_word(void **state) {
    (void)state;
    struct aq_suite *suite;
    struct aq_error error = {0};
    write_file(suite_text);
    if (aq_suite_load(path, &suite, &error)) fail_msg("%s", error.text);
    assert_string_equal(suite->name, "n");
    assert_string_equal(suite->folder, "/tmp");
    assert_int_equal(suite->scenarios.count, 2);
    assert_string_equal(suite->scenarios.list[1], "b/");
    assert_string_equal(suite->profiles.list[1], "client=upstream");
    assert_string_equal(suite->settings.list[0], "x=1");
    assert_string_equal(suite->fidelity, "wire");
    assert_true(suite->seeds.given && suite->seeds.from == 3 && suite->seeds.to == 12);
    assert_int_equal(suite->jobs, 7);
    assert_true(suite->check_replay);
    aq_suite_free(suite);
}

static void a_suite_without_more_is_named_after_its_file(void **state) {
    (void)state;
    struct aq_suite *suite;
    struct aq_error error = {0};
    write_file("{\"scenarios\": [\"a\"]}");
    if (aq_suite_load(path, &suite, &error)) fail_msg("%s", error.text);
    assert_string_equal(suite->name, path + strlen("/tmp/"));
    assert_true(!suite->seeds.given && suite->profiles.count == 0 && suite->jobs == 0 && !suite->fidelity);
    aq_suite_free(suite);
}

static void seeds_are_two_numbers_the_lower_first(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "1",
                                        "1..",
                                        "..1",
                                        "2..1",
                                        "1...2",
                                        "a..b",
                                        "1..b",
                                        "-1..2",
                                        "1..2 ",
                                        " 1..2",
                                        "1..1e3",
                                        "0..1000000000000000"};
    struct aq_suite_seeds seeds = {.from = 77};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (aq_suite_read_seeds(wrong[i], &seeds) || seeds.from != 77) fail_msg("\"%s\" is taken", wrong[i]);
    assert_true(aq_suite_read_seeds("0..999999999999999", &seeds));
    assert_true(seeds.from == 0 && seeds.to == AQ_SUITE_SEED_MAX);
}

static void the_first_rule_that_fits_counts(void **state) {
    (void)state;
    struct aq_tolerance *t;
    struct aq_error error = {0};
    write_file(
        "{\"figures\": [{\"figure\": \"latency.*.p99_s\", \"scenario\": \"gray*\", \"worse\": \"higher\", \"relative\": 0.5},"
        "{\"figure\": \"latency.*\", \"absolute\": 2}, {\"figure\": \"*\", \"worse\": \"never\"}]}");
    if (aq_tolerance_load(path, &t, &error)) fail_msg("%s", error.text);
    assert_ptr_equal(aq_tolerance_rule_of(t, "gray-server", "latency.put.p99_s"), &t->rules[0]);
    assert_ptr_equal(aq_tolerance_rule_of(t, "baseline", "latency.put.p99_s"), &t->rules[1]);
    assert_ptr_equal(aq_tolerance_rule_of(t, "gray-server", "latency.put.p99_s.more"), &t->rules[1]);
    assert_ptr_equal(aq_tolerance_rule_of(t, "gray-server", "jobs.held"), &t->rules[2]);
    assert_int_equal(t->rules[0].worse, AQ_WORSE_HIGHER);
    assert_int_equal(t->rules[1].worse, AQ_WORSE_EITHER);
    assert_true(t->rules[0].beyond_noise && !t->any_verdict && !t->may_miss);
    t->rule_count -= 1;
    assert_null(aq_tolerance_rule_of(t, "gray-server", "jobs.held"));
    t->rule_count += 1;
    aq_tolerance_free(t);
}

/* Fails the n-th allocation for ever later n, until all succeed. */
static void loading_gives_everything_back_when_memory_runs_out(void **state) {
    (void)state;
    struct aq_suite *suite = NULL;
    struct aq_tolerance *tolerance = NULL;
    struct aq_error error = {0};
    uint64_t skip = 0;
    int rc = AQ_ENOMEM;
    write_file(suite_text);
    for (; rc; skip++) {
        aq_alloc_fail_after(skip);
        rc = aq_suite_load(path, &suite, &error);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc && (rc != AQ_ENOMEM || suite))
            fail_msg("allocation %llu: %s", (unsigned long long)skip, error.text);
    }
    assert_true(skip > 10);
    aq_suite_free(suite);
    for (rc = AQ_ENOMEM, skip = 0; rc; skip++) {
        aq_alloc_fail_after(skip);
        rc = aq_tolerance_load(NULL, &tolerance, &error);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc && (rc != AQ_ENOMEM || tolerance))
            fail_msg("allocation %llu: %s", (unsigned long long)skip, error.text);
    }
    assert_true(skip > 8);
    aq_tolerance_free(tolerance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suite_is_taken_word_for_word),
        cmocka_unit_test(a_suite_without_more_is_named_after_its_file),
        cmocka_unit_test(seeds_are_two_numbers_the_lower_first),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(loading_gives_everything_back_when_memory_runs_out),
    };
    int file = mkstemp(path);
    if (file < 0) return 1;
    close(file);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
