/* A run depends on its scenario and seed alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "tests/sim/run_rig.h"

/* Small, but with faults of every family, so that every path takes part. */
static const char mixed[] =
    "{\"name\":\"mixed\",\"duration\":\"20s\",\"settle\":\"60s\","
    "\"servers\":{\"count\":3,\"persistent\":true},\"clients\":{\"count\":20},"
    "\"workers\":{\"count\":60,\"release_ratio\":0.02,\"bury_ratio\":0.01,\"delete_ratio\":0.1,\"abandon_ratio\":0.01,"
    "\"touch_every\":\"1s\"},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"5s\",\"priority\":[1,9],\"body_bytes\":300},"
    "\"network\":{\"loss\":0.001},"
    "\"faults\":["
    "{\"kind\":\"crash\",\"at\":\"3s\",\"for\":\"2s\",\"servers\":0},"
    "{\"kind\":\"pause\",\"at\":\"6s\",\"for\":\"2s\",\"servers\":1},"
    "{\"kind\":\"slow\",\"at\":\"6s\",\"for\":\"2s\",\"servers\":2,\"factor\":10},"
    "{\"kind\":\"drop_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.05},"
    "{\"kind\":\"drop_request\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.05},"
    "{\"kind\":\"duplicate_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.2},"
    "{\"kind\":\"malformed_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.01},"
    "{\"kind\":\"truncated_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.01},"
    "{\"kind\":\"oversized_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.01},"
    "{\"kind\":\"empty_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.01},"
    "{\"kind\":\"wrong_id_reply\",\"at\":\"9s\",\"for\":\"3s\",\"actions\":[\"done\",\"delete\",\"touch\"],\"probability\":0.01},"
    "{\"kind\":\"stalled_sweeps\",\"at\":\"10s\",\"for\":\"2s\",\"servers\":0},"
    "{\"kind\":\"disk_full\",\"at\":\"11s\",\"for\":\"1s\",\"servers\":2},"
    "{\"kind\":\"error_reply\",\"at\":\"9s\",\"for\":\"3s\",\"probability\":0.02},"
    "{\"kind\":\"jitter\",\"at\":\"1s\",\"for\":\"15s\",\"delay\":{\"exp\":\"2ms\"}},"
    "{\"kind\":\"loss\",\"at\":\"12s\",\"for\":\"2s\",\"probability\":0.1},"
    "{\"kind\":\"partition\",\"at\":\"14s\",\"for\":\"2s\",\"clients\":{\"share\":0.5},\"servers\":{\"random\":1}},"
    "{\"kind\":\"reset\",\"at\":\"16s\"},"
    "{\"kind\":\"half_open\",\"at\":\"17s\",\"servers\":1},"
    "{\"kind\":\"client_crash\",\"at\":\"8s\",\"for\":\"1s\",\"clients\":{\"random\":3}},"
    "{\"kind\":\"worker_crash\",\"at\":\"5s\",\"workers\":{\"random\":5}},"
    "{\"kind\":\"burst\",\"at\":\"4s\",\"count\":200}"
    "]}";

/* Servers and clients of the release: replies that are encoded twice, cut, or refused in all their ways. */
static const char release[] =
    "{\"name\":\"release\",\"duration\":\"20s\",\"settle\":\"30s\","
    "\"servers\":{\"count\":3,\"persistent\":true,\"profile\":\"upstream\"},"
    "\"clients\":{\"count\":10,\"profile\":\"upstream\"},"
    "\"workers\":{\"count\":30,\"release_ratio\":0.02,\"bury_ratio\":0.01,\"delete_ratio\":0.1},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"5s\",\"priority\":[1,9]},"
    "\"faults\":["
    "{\"kind\":\"crash\",\"at\":\"3s\",\"for\":\"2s\",\"servers\":0},"
    "{\"kind\":\"disk_full\",\"at\":\"1s\",\"for\":\"1s\",\"servers\":1},"
    "{\"kind\":\"malformed_reply\",\"at\":\"6s\",\"for\":\"1s\",\"probability\":0.01},"
    "{\"kind\":\"redirect\",\"at\":\"8s\",\"servers\":1,\"server\":2}"
    "]}";

static void same_seed_gives_the_same_trace(void **state) {
    (void)state;
    struct aq_record a, b;
    run_text(mixed, &(struct run_variation){.seed = 7}, &a);
    run_text(mixed, &(struct run_variation){.seed = 7}, &b);
    assert_int_equal(a.trace_hash, b.trace_hash);
    assert_int_equal(a.events, b.events);
    assert_true(a.events > 20000);
    aq_record_close(&a);
    aq_record_close(&b);
}

static void another_seed_gives_another_trace(void **state) {
    (void)state;
    struct aq_record a, b;
    run_text(mixed, &(struct run_variation){.seed = 7}, &a);
    run_text(mixed, &(struct run_variation){.seed = 8}, &b);
    assert_int_not_equal(a.trace_hash, b.trace_hash);
    aq_record_close(&a);
    aq_record_close(&b);
}

static void the_release_goes_the_same_way_in_both_fidelities(void **state) {
    (void)state;
    struct aq_record a, b;
    run_text(release, &(struct run_variation){.seed = 5, .fidelity = "message"}, &a);
    run_text(release, &(struct run_variation){.seed = 5, .fidelity = "wire"}, &b);
    assert_int_equal(a.trace_hash, b.trace_hash);
    assert_true(a.events > 10000);
    aq_record_close(&a);
    aq_record_close(&b);
}

static void wire_and_message_fidelity_give_the_same_trace(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct aq_record a, b;
        run_text(mixed, &(struct run_variation){.seed = seed, .fidelity = "message"}, &a);
        run_text(mixed, &(struct run_variation){.seed = seed, .fidelity = "wire"}, &b);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_string_equal(a.fidelity, "message");
        assert_string_equal(b.fidelity, "wire");
        aq_record_close(&a);
        aq_record_close(&b);
    }
}

static void heap_layout_changes_nothing(void **state) {
    (void)state;
    struct aq_record a, b;
    run_text(mixed, &(struct run_variation){.seed = 7}, &a);
    uint64_t hash = a.trace_hash;
    aq_record_close(&a);
    aq_alloc_set_padding(4080);
    run_text(mixed, &(struct run_variation){.seed = 7}, &b);
    assert_int_equal(b.trace_hash, hash);
    aq_record_close(&b);
    aq_alloc_set_padding(0);
}

static void one_more_worker_leaves_the_streams_of_the_others_alone(void **state) {
    (void)state;
    static const char lone[] =
        "{\"name\":\"lone\",\"duration\":\"5s\",\"servers\":{\"count\":1},\"clients\":{\"count\":1},"
        "\"workers\":{\"count\":%u,\"poll\":{\"exp\":\"100ms\"}},"
        "\"producers\":{\"arrivals\":{\"poisson\":\"50/s\"}}}";
    char one[400], two[400];
    struct aq_record a, b;
    snprintf(one, sizeof one, lone, 1u);
    snprintf(two, sizeof two, lone, 2u);
    run_text(one, &(struct run_variation){.seed = 3}, &a);
    run_text(two, &(struct run_variation){.seed = 3}, &b);
    assert_int_equal(a.jobs.produced, b.jobs.produced);
    assert_true(a.jobs.produced > 150);
    aq_record_close(&a);
    aq_record_close(&b);
}

static void a_correct_client_comes_out_clean_of_mixed_faults(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct aq_record record;
        run_text(mixed, &(struct run_variation){.seed = seed}, &record);
        for (uint32_t i = 0; i < record.check_count; i++)
            if (record.checks[i].verdict == AQ_VERDICT_FAIL)
                fail_msg("seed %llu: %s: %s", (unsigned long long)seed, record.checks[i].name,
                         record.checks[i].remark);
        aq_record_close(&record);
    }
}

/* Runs out of memory at the n-th allocation for ever later n, in steps that grow. */
static void running_out_of_memory_is_an_error_and_leaks_nothing(void **state) {
    (void)state;
    static const char tiny[] =
        "{\"name\":\"tiny\",\"duration\":\"1s\",\"settle\":\"1s\",\"servers\":{\"count\":2,\"persistent\":true},"
        "\"clients\":{\"count\":2},\"workers\":{\"count\":4,\"ramp\":\"0s\"},"
        "\"producers\":{\"arrivals\":{\"poisson\":\"50/s\"},\"body_bytes\":100},"
        "\"faults\":[{\"kind\":\"crash\",\"at\":\"300ms\",\"for\":\"100ms\",\"servers\":1}]}";
    struct aq_error error = {0};
    struct aq_scenario *scenario;
    if (aq_scenario_parse(tiny, "tiny", NULL, &scenario, &error)) fail_msg("%s", error.text);
    int failures = 0, rc = AQ_ENOMEM;
    for (uint64_t n = 0; rc; n += 1 + n / 16) {
        struct aq_record record;
        struct aq_run_options options = {.scenario = scenario, .seed = 1};
        aq_record_init(&record);
        aq_alloc_fail_after(n);
        rc = aq_run_scenario(&options, &record, &error);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc) assert_int_equal(rc, AQ_ENOMEM);
        failures += rc != 0;
        aq_record_close(&record);
    }
    assert_true(failures > 50);
    aq_scenario_free(scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_trace),
        cmocka_unit_test(another_seed_gives_another_trace),
        cmocka_unit_test(wire_and_message_fidelity_give_the_same_trace),
        cmocka_unit_test(the_release_goes_the_same_way_in_both_fidelities),
        cmocka_unit_test(heap_layout_changes_nothing),
        cmocka_unit_test(one_more_worker_leaves_the_streams_of_the_others_alone),
        cmocka_unit_test(a_correct_client_comes_out_clean_of_mixed_faults),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
