/* The steady part of a run: what it counts, and that the rest is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/measure.h"

static int measure(const char *json, aq_time_us from_us, struct aq_measured *out, struct aq_error *error) {
    struct aq_scenario *scenario;
    int rc = aq_scenario_parse(json, "steady", NULL, &scenario, error);
    if (rc) return rc;
    rc = aq_measure_run(&(struct aq_measure_job){scenario, 1, from_us, false},
                        (const char *const[]){"jobs.completed"}, 1, out, error);
    aq_scenario_free(scenario);
    return rc;
}

static void measured(const char *json, aq_time_us from_us, struct aq_measured *out) {
    struct aq_error error = {0};
    if (measure(json, from_us, out, &error)) fail_msg("%s", error.text);
}

static double figure(const struct aq_measured *measured, const char *name) {
    double value = 0;
    if (!aq_measured_get(measured, name, &value)) fail_msg("there is no %s", name);
    return value;
}

static void near(double found, double expected, double absolute) {
    if (!(fabs(found - expected) <= absolute)) fail_msg("found %g, expected %g", found, expected);
}

/* 1,000 jobs at the start, done in the first second or two; then 10 a second. */
static void the_start_is_left_out(void **state) {
    struct aq_measured found;
    (void)state;
    measured(
        "{\"duration\": \"20s\", \"servers\": {\"count\": 1, \"service\": {\"default\": \"1ms\"}}, \"workers\": "
        "{\"count\": 50, \"process\": \"1ms\", \"poll\": {\"exp\": \"1s\"}}, \"producers\": {\"arrivals\": {\"constant\": "
        "\"10/s\"}}, \"network\": {\"latency\": \"0\"}, \"faults\": [{\"kind\": \"burst\", \"at\": \"0\", "
        "\"count\": 1000}]}",
        10000000, &found);
    near(figure(&found, "run.steady_throughput_per_s"), 10, 0.4);
    near(figure(&found, "run.steady_put_count"), 100, 1);
    near(figure(&found, "run.steady_put_p50_s"), 0.001, 0.0002);
    near(figure(&found, "run.steady_ready_growth_per_s"), 0, 0.4);
    /* 50 workers poll once a second, and 10 gets more bring a job; with puts and dones 80 requests of 1 ms */
    near(figure(&found, "run.steady_empty_get_ratio"), 5.0 / 6, 0.02);
    near(figure(&found, "run.steady_utilization"), 0.08, 0.004);
    assert_true(figure(&found, "jobs.completed") > 1100); /* the wanted one is of all the run */
}

/* Server 1 takes no puts, so that gets there are empty while jobs wait at server 0. */
static void hidden_work_is_an_empty_get_while_a_job_waits_elsewhere(void **state) {
    static const char *const format =
        "{\"duration\": \"20s\", \"servers\": {\"count\": 2}, \"workers\": {\"count\": 20, \"process\": \"1s\", \"poll\": "
        "\"1s\"}, \"producers\": {\"arrivals\": {\"constant\": \"%d/s\"}}, \"faults\": [{\"kind\": \"error_reply\", \"at\": "
        "\"0\", \"servers\": 1, \"actions\": [\"put\"]}]}";
    struct aq_measured found;
    char json[600];
    (void)state;
    snprintf(json, sizeof json, format, 200); /* a backlog at server 0 */
    measured(json, 10000000, &found);
    near(figure(&found, "run.steady_hidden_work_ratio"), 0.5, 0.08);
    near(figure(&found, "run.steady_empty_get_ratio"), 0.5, 0.08);
    snprintf(json, sizeof json, format, 1); /* hardly ever a job anywhere */
    measured(json, 10000000, &found);
    assert_true(figure(&found, "run.steady_empty_get_ratio") > 0.9);
    assert_true(figure(&found, "run.steady_hidden_work_ratio") < 0.6);
}

/* The jobs of server 1 go with its memory: they are no hidden work. */
static void work_that_is_lost_is_not_hidden(void **state) {
    struct aq_measured found;
    (void)state;
    measured(
        "{\"duration\": \"20s\", \"settle\": \"0\", \"servers\": {\"count\": 2}, \"workers\": {\"count\": 20, "
        "\"process\": \"1ms\", \"poll\": \"100ms\", \"start\": \"6s\"}, \"producers\": {\"arrivals\": {\"constant\": "
        "\"100/s\"}, \"stop\": \"4s\"}, \"faults\": [{\"kind\": \"crash\", \"at\": \"5s\", \"servers\": 1}]}",
        10000000, &found);
    assert_true(figure(&found, "run.steady_empty_get_ratio") == 1);
    assert_true(figure(&found, "run.steady_hidden_work_ratio") == 0);
    assert_true(figure(&found, "run.steady_fairness") == 1); /* of the server that is up */
}

static void what_there_was_none_of_is_not_a_number(void **state) {
    struct aq_measured found;
    (void)state;
    measured("{\"duration\": \"4s\", \"settle\": \"0\", \"producers\": {\"arrivals\": \"none\"}}", 1000000,
             &found);
    assert_true(isnan(figure(&found, "run.steady_put_p99_s")) &&
                isnan(figure(&found, "run.steady_wait_mean_s")));
    assert_true(figure(&found, "run.steady_throughput_per_s") == 0);
}

static void a_figure_that_no_run_has_is_named(void **state) {
    struct aq_measured untouched = {.count = 77};
    struct aq_error error = {0};
    struct aq_scenario *scenario;
    (void)state;
    assert_int_equal(aq_scenario_parse("{\"duration\": \"2s\"}", "steady", NULL, &scenario, &error), 0);
    assert_int_equal(aq_measure_run(&(struct aq_measure_job){scenario, 1, 500000, false},
                                    (const char *const[]){"jobs.perplexed"}, 1, &untouched, &error),
                     AQ_ENOENT);
    assert_non_null(strstr(error.text, "jobs.perplexed"));
    assert_int_equal(untouched.count, 77);
    aq_scenario_free(scenario);
}

static void running_out_of_memory_is_told(void **state) {
    struct aq_measured found;
    int rc = AQ_ENOMEM;
    (void)state;
    for (uint64_t n = 0; rc == AQ_ENOMEM; n += 1 + n / 20) {
        struct aq_error error = {0};
        aq_alloc_fail_after(n);
        rc = measure(
            "{\"duration\": \"2s\", \"settle\": \"0\", \"clients\": {\"count\": 3}, \"workers\": {\"count\": 5}, "
            "\"producers\": {\"arrivals\": {\"constant\": \"20/s\"}}}",
            1000000, &found, &error);
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || rc == AQ_ENOMEM);
    }
    assert_true(figure(&found, "run.steady_throughput_per_s") > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_start_is_left_out),
        cmocka_unit_test(hidden_work_is_an_empty_get_while_a_job_waits_elsewhere),
        cmocka_unit_test(work_that_is_lost_is_not_hidden),
        cmocka_unit_test(what_there_was_none_of_is_not_a_number),
        cmocka_unit_test(a_figure_that_no_run_has_is_named),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
