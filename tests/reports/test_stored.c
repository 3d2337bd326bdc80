/* Explorations and plans come back from the database as they went in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/plan.h"
#include "reports/print.h"
#include "reports/store.h"
#include "sample.h"
#include "scratch.h"

static struct aq_store *opened(const char *path) {
    struct aq_store *store = NULL;
    struct aq_error error = {0};
    if (aq_store_open(path, true, &store, &error)) fail_msg("%s", error.text);
    return store;
}

/* Writes the record as a whole run; returns its number. */
static int64_t written(const char *path, const struct aq_record *record) {
    struct aq_store *store = opened(path);
    struct aq_error error = {0};
    int64_t run = 0;
    if (aq_store_begin_run(store, record, &run, &error)) fail_msg("%s", error.text);
    if (aq_store_finish_run(store, run, record, &error)) fail_msg("%s", error.text);
    aq_store_close(store);
    return run;
}

/* ---- explorations ---- */

static char *exploration_json(const struct aq_exploration *exploration) {
    return sample_exploration_printed(aq_print_exploration_json, exploration);
}

static int64_t store_exploration(struct aq_store *store, const struct aq_exploration *exploration) {
    struct aq_error error = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_begin_exploration(store, exploration, &number, &error), 0);
    assert_int_equal(aq_store_add_seeds(store, number, sample_seeds, 4, &error), 0);
    assert_int_equal(aq_store_finish_exploration(store, number, exploration, &error), 0);
    return number;
}

static void an_exploration_is_read_back_as_it_was(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    sample_fill(&record);
    assert_int_equal(written(scratch->path, &record), 1);
    aq_record_close(&record);
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_exploration again = {0};
    int64_t number = store_exploration(store, &sample_exploration);
    if (aq_store_load_exploration(store, number, &again, &error)) fail_msg("%s", error.text);
    char *before = exploration_json(&sample_exploration), *after = exploration_json(&again.exploration);
    assert_string_equal(before, after);
    assert_string_equal(again.exploration.scenario_text, "{}");
    assert_true(again.exploration.seed_to == UINT64_MAX);
    assert_int_equal(again.exploration.jobs, 2);
    assert_int_equal(again.exploration.marks[0].seeds, 2);
    free(before);
    free(after);
    aq_stored_exploration_close(&again);
    aq_store_close(store);
}

/* The first failure's run has no violation of the check; it gets one. The second one has no run. */
static void a_failure_has_its_story_and_its_command(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    sample_fill(&record);
    written(scratch->path, &record);
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_exploration again = {0};
    int64_t number = store_exploration(store, &sample_exploration);
    assert_int_equal(aq_store_load_exploration(store, number, &again, &error), 0);
    assert_null(again.proofs[0].story.check);
    assert_string_equal(again.proofs[0].reproduce, record.reproduce);
    assert_string_equal(again.proofs[1].reproduce, "allqsim explore swarm --seeds 10..13 --seeds 12..12");
    aq_stored_exploration_close(&again);
    scratch_execute(scratch->path,
                    "UPDATE exploration_failure SET check_name = 'completion-origin' WHERE run_id = 1;"
                    "UPDATE exploration SET seed_to = 13");
    assert_int_equal(aq_store_load_exploration(store, number, &again, &error), 0);
    const struct aq_record_violation *story = &again.proofs[0].story;
    assert_string_equal(story->cause, record.violations[0].cause);
    assert_int_equal(story->line_count, record.violations[0].line_count);
    for (uint32_t i = 0; i < story->line_count; i++)
        assert_string_equal(story->lines[i], record.violations[0].lines[i]);
    assert_string_equal(again.proofs[1].reproduce, "allqsim explore swarm --seeds 12..12");
    aq_stored_exploration_close(&again);
    aq_store_close(store);
    aq_record_close(&record);
}

static void seeds_are_added_up_in_stretches(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_exploration again = {0};
    int64_t number = 0;
    const struct aq_exploration_failure failures[] = {{"aa", "a", "", "", 5, 3, 3, 0},
                                                      {"bb", "a", "", "", 4, 999, 999, 0},
                                                      {"cc", "a", "", "", 3, 1000, 1000, 0}};
    struct aq_exploration exploration = sample_exploration;
    exploration.failures = failures;
    exploration.failure_count = 3;
    assert_int_equal(aq_store_begin_exploration(store, &exploration, &number, &error), 0);
    struct aq_explored_seed *seeds = calloc(1000, sizeof *seeds);
    for (uint32_t i = 0; i < 1000; i++)
        seeds[i] = (struct aq_explored_seed){.seed = i + 1,
                                             .verdict = i % 4 ? AQ_SEED_PASS : AQ_SEED_FAIL,
                                             .reason = "",
                                             .drawn = "",
                                             .wall_us = 10};
    assert_int_equal(aq_store_add_seeds(store, number, seeds, 1000, &error), 0);
    free(seeds);
    assert_int_equal(aq_store_finish_exploration(store, number, &exploration, &error), 0);
    assert_int_equal(aq_store_load_exploration(store, number, &again, &error), 0);
    assert_int_equal(again.stretch_count, 200);
    uint64_t sums[4] = {0};
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(again.stretches[i].from_seed, 5 * i + 1);
        sums[0] += again.stretches[i].seeds;
        sums[1] += again.stretches[i].failing;
        sums[2] += again.stretches[i].busy_us;
        sums[3] += again.stretches[i].new_sorts;
    }
    assert_int_equal(sums[0], 1000);
    assert_int_equal(sums[1], 250);
    assert_int_equal(sums[2], 10000);
    assert_int_equal(sums[3], 3);
    assert_int_equal(again.stretches[0].new_sorts, 1);
    assert_int_equal(again.stretches[199].new_sorts, 2);
    aq_stored_exploration_close(&again);
    aq_store_close(store);
}

static void what_is_not_there_or_never_ended_is_said(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_exploration exploration = {0};
    struct aq_stored_plan plan = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_begin_exploration(store, &sample_exploration, &number, &error), 0);
    assert_int_equal(aq_store_load_exploration(store, number, &exploration, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "exploration 1 never ended"));
    assert_non_null(strstr(error.text, sample_exploration.reproduce));
    assert_int_equal(aq_store_load_exploration(store, 7, &exploration, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "holds no exploration 7"));
    assert_int_equal(aq_store_load_plan(store, 7, &plan, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "holds no plan 7"));
    aq_stored_exploration_close(&exploration);
    aq_stored_plan_close(&plan);
    aq_store_close(store);
}

static void assert_chosen(struct aq_store *store, enum aq_stored_kind kind, int64_t number) {
    struct aq_error error = {0};
    enum aq_stored_kind found;
    int64_t found_number;
    assert_int_equal(aq_store_choose(store, &found, &found_number, &error), 0);
    assert_int_equal(found, kind);
    assert_int_equal(found_number, number);
}

static void a_report_is_about_what_there_is(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_record record;
    struct aq_plan plan = sample_plan;
    int64_t number;
    assert_chosen(store, AQ_STORED_RUN, 0);
    assert_int_equal(aq_store_begin_exploration(store, &sample_exploration, &number, &error), 0);
    assert_chosen(store, AQ_STORED_RUN, 0);
    sample_fill(&record);
    record.reproduce = "allqsim explore swarm --print-seed 11 > drawn.json && allqsim run drawn.json";
    assert_int_equal(written(scratch->path, &record), 1);
    assert_int_equal(aq_store_finish_exploration(store, number, &sample_exploration, &error), 0);
    assert_chosen(store, AQ_STORED_EXPLORATION, 1);
    plan.started_unix_s = sample_exploration.started_unix_s - 1;
    assert_int_equal(aq_store_add_plan(store, &plan, &number, &error), 0);
    assert_chosen(store, AQ_STORED_EXPLORATION, 1);
    plan.started_unix_s += 2;
    assert_int_equal(aq_store_add_plan(store, &plan, &number, &error), 0);
    assert_chosen(store, AQ_STORED_PLAN, 2);
    record.reproduce = "allqsim run swarm";
    assert_int_equal(written(scratch->path, &record), 2);
    assert_chosen(store, AQ_STORED_RUN, 2);
    aq_store_close(store);
    aq_record_close(&record);
}

/* ---- plans ---- */

static char *plan_json(const struct aq_plan *plan) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(aq_print_plan_json(stream, plan), 0);
    assert_int_equal(aq_print_plan_text(stream, plan), 0);
    fclose(stream);
    return text;
}

static void a_plan_is_read_back_as_it_was(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_plan again = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_add_plan(store, &sample_plan, &number, &error), 0);
    if (aq_store_load_plan(store, number, &again, &error)) fail_msg("%s", error.text);
    char *before = plan_json(&sample_plan), *after = plan_json(&again.plan);
    assert_string_equal(before, after);
    assert_int_equal(again.plan.term_count, 1);
    assert_true(again.plan.measures[0].bound == 0.25);
    assert_true(isinf(again.plan.rows[1].values[0].theory)); /* no end */
    free(before);
    free(after);
    aq_stored_plan_close(&again);
    aq_store_close(store);
}

/* Version 4 had no table of measures. */
static void a_plan_of_an_earlier_version_has_its_terms_first(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path);
    struct aq_error error = {0};
    struct aq_stored_plan again = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_add_plan(store, &sample_plan, &number, &error), 0);
    scratch_execute(scratch->path, "DELETE FROM plan_measure; UPDATE plan_knee SET theory_clients = NULL");
    if (aq_store_load_plan(store, number, &again, &error)) fail_msg("%s", error.text);
    assert_int_equal(again.plan.measure_count, 2);
    assert_int_equal(again.plan.term_count, 1);
    assert_string_equal(again.plan.measures[0].text, "p99(get) < 250ms");
    assert_string_equal(again.plan.measures[0].unit, "s");
    assert_string_equal(again.plan.measures[1].text, "fairness");
    assert_true(isnan(again.plan.measures[0].bound));
    assert_true(again.plan.rows[0].values[1].mean == 0.99);
    assert_non_null(strstr(again.plan.not_modelled, "earlier version"));
    aq_stored_plan_close(&again);
    aq_store_close(store);
}

/* ---- short of memory ---- */

static void memory_may_run_out_while_they_are_read(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    struct aq_error error = {0};
    struct aq_stored_plan plan = {0};
    struct aq_stored_exploration exploration = {0};
    int64_t number = 0;
    sample_fill(&record);
    written(scratch->path, &record);
    struct aq_store *store = opened(scratch->path);
    int64_t first = store_exploration(store, &sample_exploration);
    assert_int_equal(aq_store_add_plan(store, &sample_plan, &number, &error), 0);
    int rc = AQ_ENOMEM, rounds = 0;
    for (uint64_t n = 0; rc == AQ_ENOMEM; n++, rounds++) {
        aq_alloc_fail_after(n);
        rc = aq_store_load_exploration(store, first, &exploration, &error);
        aq_stored_exploration_close(&exploration);
    }
    assert_int_equal(rc, 0);
    assert_true(rounds > 4);
    rc = AQ_ENOMEM;
    for (uint64_t n = 0; rc == AQ_ENOMEM; n++) {
        aq_alloc_fail_after(n);
        rc = aq_store_load_plan(store, number, &plan, &error);
        aq_stored_plan_close(&plan);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(rc, 0);
    aq_store_close(store);
    aq_record_close(&record);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        T(an_exploration_is_read_back_as_it_was),
        T(a_failure_has_its_story_and_its_command),
        T(seeds_are_added_up_in_stretches),
        T(what_is_not_there_or_never_ended_is_said),
        T(a_report_is_about_what_there_is),
        T(a_plan_is_read_back_as_it_was),
        T(a_plan_of_an_earlier_version_has_its_terms_first),
        T(memory_may_run_out_while_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
