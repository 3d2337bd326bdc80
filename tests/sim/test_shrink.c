/* Shrinking: what comes out fails in the same way, is small, and does not hang on the number of processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/load.h"
#include "sim/shrink.h"

/* Three faults of which one matters, and more of everything than it takes. */
static const char text[] =
    "{\"duration\":\"6s\",\"settle\":\"40s\",\"budgets\":{\"progress\":\"30s\"},\"servers\":{\"count\":3,\"profile\":"
    "\"upstream\"},\"clients\":{\"count\":4,\"profile\":\"upstream\"},\"workers\":{\"count\":8,\"process\":{\"exp\":\"50ms\"},"
    "\"poll\":{\"exp\":\"100ms\"}},\"producers\":{\"arrivals\":{\"poisson\":\"30/s\"},\"ttl\":\"5s\"},\"faults\":["
    "{\"kind\":\"herd\",\"at\":\"1s\"},{\"kind\":\"malformed_reply\",\"at\":\"2s\",\"for\":\"2s\",\"probability\":0.2,"
    "\"actions\":[\"put\"],\"may_miss\":true},{\"kind\":\"latency\",\"at\":\"1s\",\"for\":\"1s\",\"delay\":\"2ms\"}]}";

static struct aq_scenario *scenario_of(const char *json) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    if (aq_scenario_parse(json, "big.json", NULL, &scenario, &error)) fail_msg("%s", error.text);
    return scenario;
}

static struct aq_shrink_options options_of(const struct aq_scenario *scenario) {
    return (struct aq_shrink_options){
        .scenario = scenario, .seed = 1, .failure = "duplicate-put", .jobs = 2, .seeds = 32};
}

static void shrunk_with(const struct aq_shrink_options *options, struct aq_shrunk *out) {
    struct aq_error error = {0};
    if (aq_shrink(options, out, &error)) fail_msg("%s", error.text);
}

/* Runs the text as allqsim run would, and looks for the failure. */
static bool fails_alike(const char *json, const char *check, const char *hex) {
    struct aq_scenario *scenario = scenario_of(json);
    struct aq_run_options options = {.scenario = scenario, .seed = scenario->seed};
    struct aq_record record;
    struct aq_fingerprint fingerprint = {.hex = ""};
    struct aq_error error = {0};
    aq_record_init(&record);
    if (aq_run_identify(scenario, scenario->seed, &record) || aq_run_scenario(&options, &record, &error))
        fail_msg("%s", error.text);
    assert_int_equal(record.verdict, AQ_VERDICT_FAIL);
    for (uint32_t i = 0; i < record.check_count; i++)
        if (aq_fingerprint_broken(&record.checks[i]) && strcmp(record.checks[i].name, check) == 0)
            aq_fingerprint_of_check(&record, &record.checks[i], &fingerprint);
    aq_record_close(&record);
    aq_scenario_free(scenario);
    return strcmp(fingerprint.hex, hex) == 0;
}

static void a_failing_run_becomes_small_and_fails_alike(void **state) {
    (void)state;
    struct aq_scenario *scenario = scenario_of(text);
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk shrunk;
    shrunk_with(&options, &shrunk);
    assert_string_equal(shrunk.fingerprint.check, "duplicate-put");
    assert_int_equal(shrunk.end, AQ_SHRINK_SMALLEST);
    assert_int_equal(shrunk.before.scenario.faults, 3);
    assert_int_equal(shrunk.after.scenario.faults, 1);
    assert_in_range(shrunk.after.scenario.servers, 1, 2);
    assert_in_range(shrunk.after.scenario.clients, 1, 2);
    assert_in_range(shrunk.after.run.jobs, 1, 20);
    assert_true(shrunk.after.run.events * 10 < shrunk.before.run.events);
    assert_true(shrunk.runs > 20);
    assert_true(fails_alike(shrunk.text, "duplicate-put", shrunk.fingerprint.hex));
    aq_shrunk_close(&shrunk);
    aq_scenario_free(scenario);
}

static void the_result_does_not_hang_on_the_number_of_processes(void **state) {
    (void)state;
    struct aq_scenario *scenario = scenario_of(text);
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk one, three;
    options.runs_max = 120;
    options.jobs = 1;
    shrunk_with(&options, &one);
    options.jobs = 3;
    shrunk_with(&options, &three);
    assert_string_equal(one.text, three.text);
    assert_int_equal(one.runs, three.runs);
    assert_int_equal(one.end, AQ_SHRINK_RUNS);
    assert_int_equal(one.runs, 121); /* and the one that shows that the file fails */
    aq_shrunk_close(&one);
    aq_shrunk_close(&three);
    aq_scenario_free(scenario);
}

static void stop_soon(void *arg, const struct aq_shrink_progress *progress) {
    if (progress->now.scenario.faults < 3) *(volatile sig_atomic_t *)arg = 1;
}

static void an_interruption_keeps_the_best_so_far(void **state) {
    (void)state;
    struct aq_scenario *scenario = scenario_of(text);
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk shrunk;
    static volatile sig_atomic_t stop;
    stop = 0;
    options.stop = &stop;
    options.tick = stop_soon;
    options.arg = (void *)(uintptr_t)&stop;
    shrunk_with(&options, &shrunk);
    assert_int_equal(shrunk.end, AQ_SHRINK_INTERRUPTED);
    assert_true(shrunk.after.scenario.faults < 3);
    assert_true(fails_alike(shrunk.text, "duplicate-put", shrunk.fingerprint.hex));
    aq_shrunk_close(&shrunk);
    aq_scenario_free(scenario);
}

static void what_does_not_fail_can_not_be_shrunk(void **state) {
    (void)state;
    struct aq_scenario *scenario =
        scenario_of("{\"duration\":\"2s\",\"clients\":{\"count\":2},\"workers\":{\"count\":4},"
                    "\"producers\":{\"arrivals\":{\"poisson\":\"20/s\"}}}");
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk shrunk;
    struct aq_error error = {0};
    assert_int_equal(aq_shrink(&options, &shrunk, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "does not fail"));
    aq_scenario_free(scenario);
}

static void a_failure_that_the_run_does_not_have_is_refused_with_those_it_has(void **state) {
    (void)state;
    struct aq_scenario *scenario = scenario_of(text);
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk shrunk;
    struct aq_error error = {0};
    options.failure = "single-lease";
    assert_int_equal(aq_shrink(&options, &shrunk, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "single-lease"));
    assert_non_null(strstr(error.text, "duplicate-put ("));
    aq_scenario_free(scenario);
}

/* A client with a bug that ends its process: when it is told of a delete. */
static int abort_on_delete(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                           struct aq_client_effects *effects) {
    if (event->kind == AQ_CLIENT_CALL && event->request->action == AQ_ACTION_DELETE) abort();
    return aq_client_step(client, now_us, event, effects);
}

static void a_crash_is_kept_as_a_crash(void **state) {
    (void)state;
    struct aq_scenario *scenario = scenario_of(
        "{\"duration\":\"3s\",\"settle\":\"5s\",\"servers\":{\"count\":2},\"clients\":{\"count\":3},\"workers\":"
        "{\"count\":6,\"delete_ratio\":0.2,\"process\":{\"exp\":\"20ms\"}},\"producers\":{\"arrivals\":"
        "{\"poisson\":\"50/s\"}},\"faults\":[{\"kind\":\"herd\",\"at\":\"1s\"}]}");
    struct aq_shrink_options options = options_of(scenario);
    struct aq_shrunk shrunk;
    options.failure = "crash";
    options.client_step = abort_on_delete;
    options.runs_max = 150;
    shrunk_with(&options, &shrunk);
    assert_string_equal(shrunk.fingerprint.check, "crash");
    assert_int_equal(shrunk.after.scenario.faults, 0);
    assert_int_equal(shrunk.after.scenario.servers, 1);
    assert_int_equal(shrunk.after.scenario.clients, 1);
    assert_in_range(shrunk.after.scenario.workers, 1, 6);
    aq_shrunk_close(&shrunk);
    aq_scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_run_becomes_small_and_fails_alike),
        cmocka_unit_test(the_result_does_not_hang_on_the_number_of_processes),
        cmocka_unit_test(an_interruption_keeps_the_best_so_far),
        cmocka_unit_test(what_does_not_fail_can_not_be_shrunk),
        cmocka_unit_test(a_failure_that_the_run_does_not_have_is_refused_with_those_it_has),
        cmocka_unit_test(a_crash_is_kept_as_a_crash),
    };
    return cmocka_run_group_tests_name("shrinking", tests, NULL, NULL);
}
