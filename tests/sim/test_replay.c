/* Replay: a stored run goes the same way again; where it does not, the place is named; and where it is
   stopped its state is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/load.h"
#include "sim/replay.h"
#include "sim/replay_show.h"
#include "tests/reports/scratch.h"

#define STORED_LINES 50000

static const char text[] =
    "{\"name\":\"stored\",\"duration\":\"6s\",\"servers\":{\"count\":2,\"profile\":\"upstream\"},\"clients\":{\"count\":3,"
    "\"profile\":\"upstream\"},\"workers\":{\"count\":60,\"process\":{\"exp\":\"300ms\"}},\"producers\":{\"arrivals\":"
    "{\"poisson\":\"120/s\"}},\"faults\":[{\"kind\":\"pause\",\"at\":\"2s\",\"for\":\"2s\",\"servers\":[1]}]}";

struct trace {
    struct aq_record_event *lines;
    uint32_t count;
};

static int keep_line(void *arg, aq_time_us at_us, const char *line) {
    struct trace *trace = arg;
    assert_true(trace->count < STORED_LINES);
    trace->lines[trace->count] = (struct aq_record_event){trace->count, at_us, strdup(line)};
    trace->count++;
    return 0;
}

/* Runs it, and stores it as allqsim run does. */
static void store_run(const char *path, bool events) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    struct aq_record record;
    struct aq_store *store = NULL;
    struct trace trace = {calloc(STORED_LINES, sizeof *trace.lines), 0};
    int64_t run;
    if (aq_scenario_parse(text, "stored.json", NULL, &scenario, &error)) fail_msg("%s", error.text);
    struct aq_run_options options = {
        .scenario = scenario, .seed = 7, .trace_line = keep_line, .trace_arg = &trace};
    aq_record_init(&record);
    assert_int_equal(aq_run_identify(scenario, 7, &record), 0);
    record.version = record.reproduce = "";
    record.seed_text = "7";
    assert_int_equal(aq_run_scenario(&options, &record, &error), 0);
    assert_true(record.checkpoint_count > 20);
    if (aq_store_open(path, true, &store, &error) || aq_store_begin_run(store, &record, &run, &error) ||
        (events && aq_store_add_events(store, run, trace.lines, trace.count, &error)) ||
        aq_store_finish_run(store, run, &record, &error))
        fail_msg("%s", error.text);
    aq_store_close(store);
    for (uint32_t i = 0; i < trace.count; i++)
        free((void *)(uintptr_t)trace.lines[i].text);
    free(trace.lines);
    aq_record_close(&record);
    aq_scenario_free(scenario);
}

static void replay_it(const char *path, struct aq_replay_options *options, struct aq_replay_outcome *out) {
    struct aq_stored_run stored;
    struct aq_store *store = NULL;
    struct aq_error error = {0};
    if (aq_stored_run_load(path, 0, NULL, &stored, &error) || aq_store_open(path, false, &store, &error))
        fail_msg("%s", error.text);
    options->stored = &stored;
    options->store = store;
    if (aq_replay(options, out, &error)) fail_msg("%s", error.text);
    aq_store_close(store);
    aq_stored_run_close(&stored);
}

static void a_stored_run_goes_the_same_way_again(void **state) {
    const struct scratch *scratch = *state;
    struct aq_replay_outcome outcome;
    for (int events = 0; events < 2; events++) {
        store_run(scratch->path, events);
        replay_it(scratch->path, &(struct aq_replay_options){0}, &outcome);
        assert_int_equal(outcome.verdict, AQ_REPLAY_SAME);
        assert_true(outcome.whole);
        assert_true(outcome.compared > 20);
        assert_string_equal(outcome.difference, "");
    }
}

static void another_hash_in_the_database_is_a_difference_behind_the_last_checkpoint(void **state) {
    const struct scratch *scratch = *state;
    struct aq_replay_outcome outcome;
    store_run(scratch->path, false);
    scratch_execute(scratch->path, "UPDATE run SET trace_hash = '0123456789abcdef'");
    replay_it(scratch->path, &(struct aq_replay_options){0}, &outcome);
    assert_int_equal(outcome.verdict, AQ_REPLAY_DIFFERS);
    assert_non_null(strstr(outcome.difference, "and its end (hash stored 0123456789abcdef"));
}

static void the_difference_lies_between_two_checkpoints(void **state) {
    const struct scratch *scratch = *state;
    struct aq_replay_outcome outcome;
    char expected[120];
    store_run(scratch->path, false);
    int64_t from = scratch_integer(scratch->path, "SELECT steps FROM checkpoint WHERE position = 9");
    int64_t to = scratch_integer(scratch->path, "SELECT steps FROM checkpoint WHERE position = 10");
    scratch_execute(scratch->path, "UPDATE checkpoint SET hash = '0123456789abcdef' WHERE position >= 10");
    replay_it(scratch->path, &(struct aq_replay_options){0}, &outcome);
    assert_int_equal(outcome.verdict, AQ_REPLAY_DIFFERS);
    snprintf(expected, sizeof expected, "between step %lld at ", (long long)from);
    assert_non_null(strstr(outcome.difference, expected));
    snprintf(expected, sizeof expected, "and step %lld at ", (long long)to);
    assert_non_null(strstr(outcome.difference, expected));
}

static void with_the_full_trace_the_first_event_that_differs_is_named(void **state) {
    const struct scratch *scratch = *state;
    struct aq_replay_outcome outcome;
    store_run(scratch->path, true);
    scratch_execute(scratch->path, "UPDATE event SET text = 'something else' WHERE number >= 4200");
    replay_it(scratch->path, &(struct aq_replay_options){0}, &outcome);
    assert_int_equal(outcome.verdict, AQ_REPLAY_DIFFERS);
    assert_non_null(strstr(outcome.difference, "event 4200: stored is \"something else\", found was \"["));
}

static int note_time(void *arg, struct aq_run *run) {
    (void)run;
    *(bool *)arg = true;
    return 0;
}

static void it_stops_where_it_is_told_to_and_is_compared_that_far(void **state) {
    const struct scratch *scratch = *state;
    struct aq_replay_outcome outcome;
    bool inspected = false;
    store_run(scratch->path, false);
    replay_it(scratch->path,
              &(struct aq_replay_options){.until_us = 2500000, .inspect = note_time, .arg = &inspected},
              &outcome);
    assert_int_equal(outcome.verdict, AQ_REPLAY_SAME);
    assert_false(outcome.whole);
    assert_int_equal(outcome.end_us, 2500000);
    assert_true(inspected);
    assert_true(outcome.compared > 3);
    replay_it(scratch->path, &(struct aq_replay_options){.until_us = 1}, &outcome);
    assert_int_equal(outcome.verdict, AQ_REPLAY_UNSURE);
}

/* ---- what is shown ---- */

struct look {
    struct aq_show_list list;
    char *page;
    size_t bytes;
};

static int write_page(void *arg, struct aq_run *run) {
    struct look *look = arg;
    FILE *stream = open_memstream(&look->page, &look->bytes);
    struct aq_json_put_writer json = {.stream = stream};
    aq_show_write(&look->list, run, &json);
    fclose(stream);
    return 0;
}

static int observed(void *arg, const struct aq_observation *seen) {
    return aq_show_observed(&((struct look *)arg)->list, seen);
}

static int seek(void *arg, const struct aq_observation *seen) {
    return aq_show_seek(&((struct look *)arg)->list, seen);
}

static void look_at(const char *what, aq_time_us until_us, struct look *look) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    struct aq_record record;
    if (aq_scenario_parse(text, "stored.json", NULL, &scenario, &error)) fail_msg("%s", error.text);
    if (aq_show_add(&look->list, what, scenario, &error)) fail_msg("%s", error.text);
    for (int pass = !aq_show_wants_seek(&look->list); pass < 2; pass++) {
        struct aq_run_options options = {.scenario = scenario,
                                         .seed = 7,
                                         .until_us = until_us,
                                         .observed = pass ? observed : seek,
                                         .inspect = pass ? write_page : NULL,
                                         .watch_arg = look};
        aq_record_init(&record);
        if (aq_run_scenario(&options, &record, &error)) fail_msg("%s", error.text);
        aq_record_close(&record);
    }
    aq_scenario_free(scenario);
}

static void assert_shows(const struct look *look, const char *words) {
    if (!strstr(look->page, words)) fail_msg("\"%s\" is not in %s", words, look->page);
}

static void close_look(struct look *look) {
    aq_show_close(&look->list);
    free(look->page);
    *look = (struct look){.page = NULL};
}

static void a_paused_server_is_shown_with_its_fault_tubes_leases_and_connections(void **state) {
    (void)state;
    struct look look = {.page = NULL};
    look_at("server:1", 2500000, &look);
    assert_shows(&look, "[{\"server\":1,");
    assert_shows(&look, "\"up\":true,\"paused\":true,\"stopped\":true,");
    assert_shows(&look, "{\"tube\":\"default\",\"ready\":");
    assert_shows(&look, "\"leases\":[{\"job\":\"");
    assert_shows(&look, "\"connections\":[{\"client\":");
    assert_shows(&look, "\"faults\":[{\"kind\":\"pause\",");
    close_look(&look);
    look_at("server:0", 2500000, &look);
    assert_shows(&look, "\"paused\":false,\"stopped\":false,");
    assert_shows(&look, "\"faults\":[]");
    close_look(&look);
}

static void a_client_is_shown_with_the_calls_that_hang_at_the_paused_server(void **state) {
    (void)state;
    struct look look = {.page = NULL};
    look_at("client:2", 2500000, &look);
    assert_shows(&look, "[{\"client\":2,\"up\":true,");
    assert_shows(&look, "{\"server\":1,\"address\":\"127.0.1.2:5555\",\"health\":\"well\",\"member\":true,"
                        "\"connection\":\"up\",\"calls_sent\":");
    assert_shows(&look, "\"state\":\"flying\",\"server\":1,");
    close_look(&look);
}

/* The id as its server gave it, out of what is shown of the put's number. */
static void a_job_is_found_by_its_put_and_by_its_id_alike(void **state) {
    (void)state;
    struct look by_number = {.page = NULL}, by_id = {.page = NULL};
    char what[120];
    look_at("job:20", 6000000, &by_number);
    assert_shows(&by_number, "\"put_number\":20,");
    assert_shows(&by_number, "> put");
    assert_shows(&by_number, ": put ");
    assert_shows(&by_number, "-> address "); /* requests are known by the id alone */
    const char *put = strstr(by_number.page, ": put ");
    snprintf(what, sizeof what, "job:S,%.22s", put + strlen(": put "));
    look_at(what, 6000000, &by_id);
    assert_shows(&by_id, "\"put_number\":20,");
    assert_string_equal(strstr(by_id.page, "\"life\""), strstr(by_number.page, "\"life\""));
    close_look(&by_number);
    close_look(&by_id);
}

static void what_is_not_there_can_not_be_shown(void **state) {
    (void)state;
    static const char *const bad[] = {"server:2", "client:-1", "client:3", "worker:1",
                                      "server",   "job:",      "job:S,",   ""};
    struct aq_scenario *scenario = NULL;
    struct aq_show_list list = {.count = 0};
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_parse(text, "stored.json", NULL, &scenario, &error), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(aq_show_add(&list, bad[i], scenario, &error), AQ_EINVALID);
        assert_non_null(strstr(error.text, "--show: found \""));
    }
    assert_int_equal(list.count, 0);
    aq_scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stored_run_goes_the_same_way_again, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(
            another_hash_in_the_database_is_a_difference_behind_the_last_checkpoint, scratch_make,
            scratch_remove),
        cmocka_unit_test_setup_teardown(the_difference_lies_between_two_checkpoints, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(with_the_full_trace_the_first_event_that_differs_is_named,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(it_stops_where_it_is_told_to_and_is_compared_that_far, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(a_paused_server_is_shown_with_its_fault_tubes_leases_and_connections),
        cmocka_unit_test(a_client_is_shown_with_the_calls_that_hang_at_the_paused_server),
        cmocka_unit_test(a_job_is_found_by_its_put_and_by_its_id_alike),
        cmocka_unit_test(what_is_not_there_can_not_be_shown),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
