/* Explorations: the same results however many processes there are, and nothing that a worker does ends them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/explore_tally.h"
#include "sim/verdict.h"

#define RESULTS_MAX 256

/* A few thousand events a seed; the public release fails now and then. */
static const char small[] =
    "{\"name\":\"small\",\"settle\":\"70s\",\"clients\":{\"profile\":\"PROFILE\"},\"workers\":{\"process\":{\"exp\":\"50ms\"},"
    "\"poll\":{\"exp\":\"200ms\"},\"ramp\":\"0\"},\"producers\":{\"ttl\":\"2s\"},\"explore\":{\"settings\":{\"duration\":"
    "{\"range\":[\"2s\",\"6s\"]},\"servers.count\":{\"range\":[2,3]},\"clients.count\":{\"range\":[2,4]},\"workers.count\":"
    "{\"range\":[4,8]},\"producers.arrivals\":{\"poisson\":{\"range\":[\"10/s\",\"30/s\"]}}},\"faults\":[{\"kind\":\"crash\","
    "\"for\":{\"range\":[\"100ms\",\"2s\"]},\"servers\":{\"index_of\":\"servers\"}},{\"kind\":\"drop_reply\",\"probability\":0.05}]}}";

struct taken {
    uint64_t seed;
    enum aq_seed_verdict verdict;
    uint64_t trace_hash, events;
    char fingerprint[17];
    char reason[200], drawn[400];
    bool replayed;
};

struct gathered {
    struct taken results[RESULTS_MAX];
    uint32_t count;
    uint32_t end_after; /* results; 0: never */
    volatile sig_atomic_t *stop;
    uint32_t stop_after; /* results; 0: never */
    struct aq_explore_tally tally;
    bool interrupted;
    struct aq_error error;
};

static int gather(void *arg, const struct aq_explored_seed *seed, const struct aq_seed_detail *detail) {
    struct gathered *g = arg;
    assert_true(g->count < RESULTS_MAX);
    struct taken *taken = &g->results[g->count++];
    *taken = (struct taken){.seed = seed->seed,
                            .verdict = seed->verdict,
                            .trace_hash = seed->trace_hash,
                            .events = seed->events,
                            .replayed = seed->replayed};
    if (seed->fingerprint_count)
        snprintf(taken->fingerprint, sizeof taken->fingerprint, "%s", seed->fingerprints[0]);
    snprintf(taken->reason, sizeof taken->reason, "%s", seed->reason);
    snprintf(taken->drawn, sizeof taken->drawn, "%s", seed->drawn);
    if (g->stop_after == g->count) *g->stop = 1;
    int rc = aq_tally_add(&g->tally, seed, detail);
    return rc ? rc : g->end_after == g->count;
}

static struct aq_scenario *scenario_of(const char *profile) {
    char text[2000];
    const char *at = strstr(small, "PROFILE");
    struct aq_scenario *scenario;
    struct aq_error error = {0};
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - small), small, profile, at + strlen("PROFILE"));
    if (aq_scenario_parse(text, "small.json", NULL, &scenario, &error)) fail_msg("%s", error.text);
    return scenario;
}

static struct aq_explore_options options_of(struct aq_scenario *scenario, uint64_t from, uint64_t to,
                                            uint32_t jobs) {
    return (struct aq_explore_options){.scenario = scenario,
                                       .seed_from = from,
                                       .seed_to = to,
                                       .shard = 1,
                                       .shards = 1,
                                       .jobs = jobs,
                                       .done = gather};
}

/* Explores and frees the scenario. */
static int explore(struct aq_explore_options *options, struct gathered *g) {
    options->arg = g;
    int rc = aq_explore(options, &g->interrupted, &g->error);
    aq_scenario_free((struct aq_scenario *)options->scenario);
    return rc;
}

static struct gathered *run(const char *profile, uint64_t from, uint64_t to, uint32_t jobs) {
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of(profile), from, to, jobs);
    options.replay_share = 0.2;
    if (explore(&options, g)) fail_msg("%s", g->error.text);
    return g;
}

static void discard(struct gathered *g) {
    aq_tally_close(&g->tally);
    free(g);
}

static void the_number_of_processes_changes_nothing(void **state) {
    (void)state;
    struct gathered *one = run("upstream", 5, 44, 1), *four = run("upstream", 5, 44, 4);
    assert_int_equal(one->count, 40);
    assert_memory_equal(one->results, four->results, sizeof one->results);
    assert_int_equal(one->tally.failure_count, four->tally.failure_count);
    assert_true(one->tally.failure_count > 0 && one->tally.seeds[AQ_SEED_PASS] > 0);
    for (uint32_t i = 0; i < one->tally.failure_count; i++) {
        assert_string_equal(one->tally.failures[i].fingerprint.hex, four->tally.failures[i].fingerprint.hex);
        assert_int_equal(one->tally.failures[i].quickest_seed, four->tally.failures[i].quickest_seed);
        assert_int_equal(one->tally.failures[i].seeds, four->tally.failures[i].seeds);
    }
    assert_memory_equal(one->tally.mark_hits, four->tally.mark_hits, sizeof one->tally.mark_hits);
    for (uint32_t i = 0; i < one->count; i++)
        assert_int_equal(one->results[i].seed, 5 + i);
    assert_in_range(one->tally.replay_checked, 2, 16);
    discard(one);
    discard(four);
}

static void the_shards_together_are_the_whole(void **state) {
    (void)state;
    struct gathered *whole = run("strict", 1, 20, 2);
    uint32_t seen = 0;
    for (uint32_t shard = 1; shard <= 3; shard++) {
        struct gathered *g = calloc(1, sizeof *g);
        struct aq_explore_options options = options_of(scenario_of("strict"), 1, 20, 2);
        options.replay_share = 0.2;
        options.shard = shard;
        options.shards = 3;
        assert_int_equal(explore(&options, g), 0);
        for (uint32_t i = 0; i < g->count; i++)
            assert_memory_equal(&g->results[i], &whole->results[g->results[i].seed - 1],
                                sizeof g->results[i]);
        seen += g->count;
        discard(g);
    }
    assert_int_equal(seen, 20);
    discard(whole);
}

static int abort_at_thirteen(const struct aq_run_options *options, struct aq_record *record,
                             struct aq_error *error) {
    if (options->seed == 13) {
        fprintf(stderr, "internal error: some/file.c:12: f: broken invariant: all is well\n");
        abort();
    }
    return aq_run_scenario(options, record, error);
}

static void the_crash_of_a_worker_is_a_finding_and_not_the_end(void **state) {
    (void)state;
    for (uint32_t jobs = 1; jobs <= 2; jobs++) {
        struct gathered *g = calloc(1, sizeof *g);
        struct aq_explore_options options = options_of(scenario_of("strict"), 10, 19, jobs);
        options.run = abort_at_thirteen;
        assert_int_equal(explore(&options, g), 0);
        assert_int_equal(g->count, 10);
        const struct taken *crashed = &g->results[3];
        assert_int_equal(crashed->verdict, AQ_SEED_CRASH);
        assert_non_null(strstr(crashed->reason, "Aborted"));
        assert_non_null(strstr(crashed->reason, "broken invariant: all is well"));
        assert_non_null(strstr(crashed->drawn, "servers.count="));
        assert_int_equal(g->tally.seeds[AQ_SEED_PASS], 9);
        assert_int_equal(g->tally.failure_count, 1);
        assert_string_equal(g->tally.failures[0].fingerprint.check, "crash");
        assert_string_equal(g->tally.failures[0].fingerprint.cause,
                            "Aborted: internal error:: f: broken invariant: all is well");
        assert_int_equal(g->tally.exit_code, AQ_EXIT_INTERNAL);
        discard(g);
    }
}

static int starve_at_twelve(const struct aq_run_options *options, struct aq_record *record,
                            struct aq_error *error) {
    if (options->seed == 12) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    if (options->seed == 14) raise(SIGKILL);
    return aq_run_scenario(options, record, error);
}

static void running_out_of_memory_is_neither_pass_nor_fail(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of("strict"), 10, 19, 2);
    options.run = starve_at_twelve;
    assert_int_equal(explore(&options, g), 0);
    assert_int_equal(g->results[2].verdict, AQ_SEED_NO_RUN);
    assert_int_equal(g->results[4].verdict, AQ_SEED_NO_RUN);
    assert_int_equal(g->tally.seeds[AQ_SEED_NO_RUN], 2);
    assert_int_equal(g->tally.seeds[AQ_SEED_PASS], 8);
    assert_int_equal(g->tally.failure_count, 0);
    assert_int_equal(g->tally.exit_code, 0);
    discard(g);
}

static int spin_at_eleven(const struct aq_run_options *options, struct aq_record *record,
                          struct aq_error *error) {
    static volatile uint64_t turns;
    while (options->seed == 11)
        turns = turns + 1;
    return aq_run_scenario(options, record, error);
}

static void a_run_without_end_is_ended(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of("strict"), 10, 12, 1);
    options.run = spin_at_eleven;
    options.cpu_limit_s = 1;
    assert_int_equal(explore(&options, g), 0);
    assert_int_equal(g->count, 3);
    assert_int_equal(g->results[1].verdict, AQ_SEED_CRASH);
    assert_non_null(strstr(g->results[1].reason, "did not end"));
    discard(g);
}

/* The second run of a seed is another one: something that is no part of the seed decides. */
static int differ_at_fifteen(const struct aq_run_options *options, struct aq_record *record,
                             struct aq_error *error) {
    static uint64_t runs_of_fifteen;
    struct aq_run_options changed = *options;
    if (options->seed == 15) changed.seed += runs_of_fifteen++;
    return aq_run_scenario(&changed, record, error);
}

static void a_seed_that_runs_differently_the_second_time_is_a_finding(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of("strict"), 13, 17, 2);
    options.run = differ_at_fifteen;
    options.replay_share = 1;
    assert_int_equal(explore(&options, g), 0);
    assert_int_equal(g->tally.replay_checked, 5);
    assert_int_equal(g->tally.seeds[AQ_SEED_FAIL], 1);
    assert_int_equal(g->results[2].verdict, AQ_SEED_FAIL);
    assert_string_equal(g->tally.failures[0].fingerprint.check, "replay");
    assert_int_equal(g->tally.exit_code, AQ_EXIT_NOT_REPRODUCIBLE);
    discard(g);
}

/* The results told of an exploration that is stopped in its seventh. */
static void interrupt_with(uint32_t jobs, struct gathered *g) {
    static volatile sig_atomic_t stop;
    stop = 0;
    struct aq_explore_options options = options_of(scenario_of("strict"), 1, 100000, jobs);
    options.stop = g->stop = &stop;
    g->stop_after = 7;
    assert_int_equal(explore(&options, g), 0);
    assert_true(g->interrupted);
    for (uint32_t i = 1; i < g->count; i++)
        assert_true(g->results[i].seed > g->results[i - 1].seed);
}

/* With one worker nothing more comes. With two the other may have been ahead, and what it did is told. */
static void an_interruption_leaves_what_was_done(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    interrupt_with(1, g);
    assert_int_equal(g->count, 7);
    assert_int_equal(g->results[6].seed, 7);
    discard(g);
    g = calloc(1, sizeof *g);
    interrupt_with(2, g);
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(g->results[i].seed, i + 1);
    assert_in_range(g->count, 7, 2000);
    discard(g);
}

static void the_receiver_may_end_it(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of("strict"), 1, 100000, 2);
    g->end_after = 5;
    assert_int_equal(explore(&options, g), 0);
    assert_false(g->interrupted);
    assert_int_equal(g->count, 5);
    discard(g);
}

static void it_ends_with_its_time(void **state) {
    (void)state;
    struct gathered *g = calloc(1, sizeof *g);
    struct aq_explore_options options = options_of(scenario_of("strict"), 1, AQ_EXPLORE_SEED_MAX, 1);
    options.for_us = 1;
    assert_int_equal(explore(&options, g), 0);
    assert_true(g->count <= 1);
    discard(g);
}

static void what_cannot_be_run_ends_it_with_the_reason(void **state) {
    (void)state;
    struct aq_scenario *scenario;
    struct gathered *g = calloc(1, sizeof *g);
    assert_int_equal(aq_scenario_parse("{\"explore\":{\"settings\":{\"workers.batch\":{\"range\":[0,0]}}}}",
                                       "bad.json", NULL, &scenario, &g->error),
                     0);
    struct aq_explore_options options = options_of(scenario, 1, 10, 2);
    assert_int_equal(explore(&options, g), AQ_EINVALID);
    assert_non_null(strstr(g->error.text, "workers.batch: found 0"));
    discard(g);
}

static void a_printed_scenario_repeats_the_hash(void **state) {
    (void)state;
    struct gathered *g = run("strict", 3, 6, 1);
    struct aq_scenario *base = scenario_of("strict"), *printed, *again;
    struct aq_draw *draw;
    struct aq_record record;
    struct aq_error error = {0};
    assert_int_equal(aq_draw_new(base, &draw), 0);
    assert_int_equal(aq_draw_scenario(draw, 5, &printed, NULL, &error), 0);
    assert_int_equal(aq_scenario_parse(printed->text, "drawn.json", NULL, &again, &error), 0);
    struct aq_run_options options = {.scenario = again, .seed = 5};
    aq_record_init(&record);
    assert_int_equal(aq_run_identify(again, 5, &record), 0);
    assert_int_equal(aq_run_scenario(&options, &record, &error), 0);
    assert_int_equal(record.trace_hash, g->results[2].trace_hash);
    aq_record_close(&record);
    aq_scenario_free(again);
    aq_scenario_free(printed);
    aq_draw_free(draw);
    aq_scenario_free(base);
    discard(g);
}

/* ---- the search ---- */

static void feed(struct aq_explore_tally *tally, uint64_t seed, const char *check, int *ended) {
    struct aq_seed_detail detail = {.failed_us = (const aq_time_us[]){300}};
    struct aq_fingerprint fingerprint;
    const char *hex = fingerprint.hex;
    struct aq_explored_seed row = {
        .seed = seed, .verdict = AQ_SEED_PASS, .events = 9, .virtual_us = 1000, .wall_us = 10};
    if (check) {
        aq_fingerprint_make(&fingerprint, check, "cause", "");
        detail.failures = &fingerprint;
        row.fingerprints = &hex;
        row.fingerprint_count = 1;
        row.verdict = AQ_SEED_FAIL;
    }
    *ended = aq_tally_add(tally, &row, &detail);
}

static void searches_go_over_seeds_of_their_own(void **state) {
    (void)state;
    struct aq_explore_tally tally = {.until_found = "progress", .repetitions = 2};
    int ended;
    feed(&tally, 1, NULL, &ended);
    feed(&tally, 2, "failover", &ended);
    assert_int_equal(ended, 0);
    feed(&tally, 3, "progress", &ended);
    assert_int_equal(ended, 0);
    feed(&tally, 4, "progress", &ended);
    assert_int_equal(ended, 1);
    assert_int_equal(tally.find_count, 2);
    assert_true(tally.finds[0].found && tally.finds[1].found);
    assert_int_equal(tally.finds[0].seeds, 3);
    assert_int_equal(tally.finds[0].found_seed, 3);
    assert_int_equal(tally.finds[0].virtual_us, 2300); /* the last run up to its failure */
    assert_int_equal(tally.finds[0].wall_us, 30);
    assert_int_equal(tally.finds[1].from_seed, 4);
    assert_int_equal(tally.finds[1].seeds, 1);
    aq_tally_close(&tally);
}

static void a_search_that_finds_nothing_says_so(void **state) {
    (void)state;
    struct aq_explore_tally tally = {.until_found = "progress", .repetitions = 3};
    int ended;
    for (uint64_t seed = 1; seed < 8; seed++)
        feed(&tally, seed, seed == 3 ? "progress" : NULL, &ended);
    assert_int_equal(tally.find_count, 2);
    assert_true(tally.finds[0].found);
    assert_false(tally.finds[1].found);
    assert_int_equal(tally.finds[1].seeds, 4);
    aq_tally_close(&tally);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_processes_changes_nothing),
        cmocka_unit_test(the_shards_together_are_the_whole),
        cmocka_unit_test(the_crash_of_a_worker_is_a_finding_and_not_the_end),
        cmocka_unit_test(running_out_of_memory_is_neither_pass_nor_fail),
        cmocka_unit_test(a_run_without_end_is_ended),
        cmocka_unit_test(a_seed_that_runs_differently_the_second_time_is_a_finding),
        cmocka_unit_test(an_interruption_leaves_what_was_done),
        cmocka_unit_test(the_receiver_may_end_it),
        cmocka_unit_test(it_ends_with_its_time),
        cmocka_unit_test(what_cannot_be_run_ends_it_with_the_reason),
        cmocka_unit_test(a_printed_scenario_repeats_the_hash),
        cmocka_unit_test(searches_go_over_seeds_of_their_own),
        cmocka_unit_test(a_search_that_finds_nothing_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
