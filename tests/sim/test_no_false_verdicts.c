/* Whole runs that a check once judged wrongly, or that nothing judged: no false alarm, no false pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/verdict.h"
#include "tests/sim/run_rig.h"

#define SETTINGS_MAX 12

/* A small fleet under a steady load, on which the cases build. */
static const char fleet[] =
    "{\"name\":\"fleet\",\"duration\":\"20s\",\"settle\":\"60s\",\"servers\":{\"count\":3},\"clients\":{\"count\":10},"
    "\"workers\":{\"count\":40,\"process\":{\"exp\":\"100ms\"},\"poll\":{\"exp\":\"200ms\"}},"
    "\"producers\":{\"arrivals\":{\"poisson\":\"100/s\"},\"ttl\":\"5s\"}}";

static void run(struct aq_record *record, uint64_t seed, const char *const *settings) {
    static char texts[SETTINGS_MAX][700];
    const char *list[SETTINGS_MAX];
    uint32_t count = 0;
    for (; settings[count]; count++) {
        assert_true(count < SETTINGS_MAX && strlen(settings[count]) < sizeof texts[0]);
        strcpy(texts[count], settings[count]);
        for (char *c = texts[count]; *c; c++)
            if (*c == '\'') *c = '"';
        list[count] = texts[count];
    }
    run_text(fleet, &(struct run_variation){.seed = seed, .settings = list, .setting_count = count}, record);
}

#define RUN(record, seed, ...) run((record), (seed), (const char *const[]){__VA_ARGS__, NULL})

static void comes_out(const struct aq_record *record, int exit_code) {
    if (record->exit_code != exit_code)
        fail_msg("seed %llu ends with %d: %s", (unsigned long long)record->seed, record->exit_code,
                 record->reason);
}

/* A sweep has to wait for the write that is under way. */
static void leases_that_end_during_a_slow_write_are_not_late(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct aq_record record;
        RUN(&record, seed, "servers.persistent=true", "servers.persist={'exp':'3ms'}", "producers.ttl=2s",
            "producers.delay=1s", "workers.abandon_ratio=0.05");
        comes_out(&record, AQ_EXIT_PASS);
        assert_true(record.checks[AQ_CHECK_SEMANTICS].judged > 1000);
        aq_record_close(&record);
    }
}

static void a_server_under_two_pauses_has_stopped_until_the_last_ends(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct aq_record record;
        RUN(&record, seed, "producers.ttl=2s",
            "faults=[{'kind':'pause','servers':1,'at':'3s','for':'5s'},"
            "{'kind':'pause','servers':1,'at':'5s','for':'6s'}]");
        comes_out(&record, AQ_EXIT_PASS);
        aq_record_close(&record);
    }
}

/* What it was asked before the partition is answered when it wakes up, which makes it look well. */
static void a_paused_server_that_wakes_up_cut_off_has_stopped_anew(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct aq_record record;
        RUN(&record, seed, "clients.count=40", "workers.count=120", "producers.ttl=2s",
            "faults=[{'kind':'pause','servers':[0,1],'at':'3s','for':'6s'},"
            "{'kind':'partition','servers':1,'direction':'to_server','at':'7s','for':'6s'}]");
        comes_out(&record, AQ_EXIT_PASS);
        aq_record_close(&record);
    }
}

/* Its first choice is as good as any other: nobody has told it. */
static void a_client_process_that_has_just_begun_cannot_know_who_is_down(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct aq_record record;
        RUN(&record, seed,
            "faults=[{'kind':'crash','servers':1,'at':'3s','for':'14s'},"
            "{'kind':'client_crash','at':'12s','for':'1s'}]");
        comes_out(&record, AQ_EXIT_PASS);
        assert_true(record.checks[AQ_CHECK_FAILOVER].judged > 0);
        aq_record_close(&record);
    }
}

static void a_redirect_strikes_no_server_that_is_still_starting(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 1, "servers.start=2s",
        "faults=[{'kind':'crash','servers':1,'at':'3s','for':'1s'},"
        "{'kind':'redirect','servers':1,'server':0,'at':'5s'}]");
    comes_out(&record, AQ_EXIT_UNKNOWN);
    assert_string_equal(record.reason, "faults that touched nothing: redirect");
    aq_record_close(&record);
}

static void jobs_that_everyone_was_told_to_leave_behind_are_no_standstill(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 1, "workers.start=10s", "budgets.progress=20s",
        "faults=[{'kind':'update_servers','at':'5s','server_list':[0,2]}]");
    comes_out(&record, AQ_EXIT_PASS);
    assert_true(record.jobs.held > 50);
    assert_non_null(strstr(check_of(&record, "progress")->remark, "no client is to use"));
    aq_record_close(&record);
}

/* With all defaults: as long to settle as progress may take. */
static void a_caller_that_hangs_for_ever_is_seen_within_the_default_time(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 1, "clients.profile=upstream",
        "faults=[{'kind':'drop_reply','actions':['get'],'nth':40,'at':'2s','for':'10s'}]");
    comes_out(&record, AQ_EXIT_PROGRESS);
    assert_string_equal(record.reason, "broken: progress");
    aq_record_close(&record);
    RUN(&record, 1, "clients.profile=upstream", "settle=20s",
        "faults=[{'kind':'drop_reply','actions':['get'],'nth':40,'at':'2s','for':'10s'}]");
    comes_out(&record, AQ_EXIT_UNKNOWN); /* too short to tell */
    aq_record_close(&record);
}

/* Otherwise whether they are ever answered would go unjudged. */
static void a_run_waits_for_the_answers_to_calls_from_before_the_healing(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 1, "workers.count=10", "producers.stop=10s",
        "faults=[{'kind':'drop_reply','actions':['get'],'at':'19500ms'}]");
    comes_out(&record, AQ_EXIT_PASS);
    /* a get from before the healing waits five seconds for its reply */
    assert_true(record.virtual_us >= 24 * AQ_US_PER_S);
    aq_record_close(&record);
}

static void bodies_of_every_size_give_one_trace_with_both_fidelities(void **state) {
    (void)state;
    static const char *const batches[] = {"workers.batch=1", "workers.batch=8"};
    for (size_t i = 0; i < 2; i++) {
        struct aq_record record;
        uint64_t hash;
        RUN(&record, 1, "producers.body_bytes=590000", "producers.jobs=40", batches[i]);
        comes_out(&record, AQ_EXIT_PASS);
        hash = record.trace_hash;
        aq_record_close(&record);
        RUN(&record, 1, "producers.body_bytes=590000", "producers.jobs=40", batches[i], "fidelity=wire");
        comes_out(&record, AQ_EXIT_PASS);
        assert_int_equal(record.trace_hash, hash);
        aq_record_close(&record);
    }
}

/* Each was carried out, and none had anything to act on. */
static void a_fault_that_touches_nothing_is_no_evidence(void **state) {
    (void)state;
    static const char *const idle[] = {
        "faults=[{'kind':'error_reply','actions':['kick'],'at':'2s','for':'5s'}]",
        "faults=[{'kind':'drop_request','tube':'another','at':'2s','for':'5s'}]",
        "faults=[{'kind':'drop_reply','actions':['bury'],'nth':1,'at':'2s'}]",
        "faults=[{'kind':'duplicate_reply','probability':1e-9,'at':'2s','for':'5s'}]",
        "faults=[{'kind':'slow','factor':5,'actions':['peek'],'at':'2s','for':'5s'}]",
        "faults=[{'kind':'refused','at':'15s','for':'1s'}]", /* nobody connects any more */
        "faults=[{'kind':'restart','at':'2s'}]",
        "faults=[{'kind':'crash','at':'2s','servers':{'share':0.1},'for':'1s'}]",
        "faults=[{'kind':'loss','probability':1e-9,'at':'2s','for':'5s'}]",
        "faults=[{'kind':'partition','clients':{'share':0.01},'at':'2s','for':'5s'}]",
        "faults=[{'kind':'crash','on':'buried','for':'1s'}]",
        "faults=[{'kind':'worker_overrun','factor':2,'workers':{'share':0.001},'at':'2s','for':'5s'}]"};
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        struct aq_record record;
        RUN(&record, 1, idle[i]);
        if (record.exit_code != AQ_EXIT_UNKNOWN) fail_msg("%s: %s", idle[i], record.reason);
        assert_int_equal(record.verdict, AQ_VERDICT_UNKNOWN);
        assert_memory_equal(record.reason, "faults that touched nothing: ", 29);
        aq_record_close(&record);
    }
}

static void a_check_with_nothing_to_judge_is_no_evidence(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 1, "producers.arrivals=none");
    comes_out(&record, AQ_EXIT_UNKNOWN);
    assert_int_equal(check_of(&record, "completion-origin")->verdict, AQ_VERDICT_UNKNOWN);
    assert_int_equal(check_of(&record, "conservation")->verdict, AQ_VERDICT_UNKNOWN);
    aq_record_close(&record);
    RUN(&record, 1, "require_marks=['put_unknown']");
    comes_out(&record, AQ_EXIT_UNKNOWN);
    assert_string_equal(record.reason, "required marks not reached: put_unknown");
    aq_record_close(&record);
}

static void passes_with_every_seed(const char *const *settings) {
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct aq_record record;
        run(&record, seed, settings);
        comes_out(&record, AQ_EXIT_PASS);
        aq_record_close(&record);
    }
}
#define PASSES(...) passes_with_every_seed((const char *const[]){__VA_ARGS__, NULL})

static void a_client_whose_clock_stands_still_doubts_a_stopped_server_later(void **state) {
    (void)state;
    PASSES("clients.count=40", "workers.count=120", "producers.ttl=2s",
           "faults=[{'kind':'pause','servers':1,'at':'4s','for':'14s'},"
           "{'kind':'client_clock_jump','at':'4s','for':'12s','jump':'-10s'}]");
}

static void a_client_whose_clock_stands_still_answers_later(void **state) {
    (void)state;
    PASSES("clients.policy.call_timeout=6s", "workers.count=10",
           "faults=[{'kind':'drop_reply','servers':1,'at':'17s'},"
           "{'kind':'client_clock_jump','at':'10s','for':'9s','jump':'10s'}]");
}

static void clients_that_were_sent_elsewhere_need_not_come_back(void **state) {
    (void)state;
    PASSES("duration=40s", "clients.policy.drain_sweep=1s", "budgets.failover_return=3s",
           "faults=[{'kind':'redirect','servers':1,'server':0,'at':'2s'},"
           "{'kind':'crash','servers':1,'at':'12s','for':'1s'}]");
}

/* A list pushed again does not end a drain. */
static void clients_that_drain_a_server_need_not_come_back_because_a_list_has_it(void **state) {
    (void)state;
    PASSES("duration=40s", "clients.policy.drain_sweep=1s", "budgets.failover_return=3s",
           "faults=[{'kind':'drain','server':1,'at':'2s'},"
           "{'kind':'update_servers','server_list':[0,1],'at':'2500ms'},"
           "{'kind':'crash','servers':1,'at':'12s','for':'1s'}]");
}

static void a_kick_of_a_fair_queue_is_applied_in_one_of_its_shards(void **state) {
    (void)state;
    PASSES("workers.tube=fq-a", "producers.tube=fq-a", "producers.shard_keys={'count':4}",
           "workers.bury_ratio=0.2", "commands=[{'action':'kick','tube':'fq-a','at':'2s','every':'200ms'}]");
}

static void a_completion_of_a_job_that_was_cleared_meanwhile_has_an_origin(void **state) {
    (void)state;
    PASSES("workers.process={'exp':'2s'}", "producers.ttl=30s", "producers.arrivals={'poisson':'400/s'}",
           "commands=[{'action':'clear','tube':'default','at':'5s','every':'500ms'}]");
}

/* The wait for jobs that nobody is to take is none when another job is there for a moment. */
static void time_with_jobs_out_of_reach_does_not_add_up(void **state) {
    (void)state;
    struct aq_record record;
    RUN(&record, 5, "budgets.progress=15s", "workers.abandon_ratio=0.02", "producers.ttl=25s",
        "faults=[{'kind':'update_servers','server_list':[0,2],'at':'5s'}]");
    comes_out(&record, AQ_EXIT_PASS);
    aq_record_close(&record);
}

static void a_fault_that_may_miss_is_no_question(void **state) {
    (void)state;
    PASSES("faults=[{'kind':'restart','servers':1,'at':'5s','may_miss':true}]");
    struct aq_record record;
    RUN(&record, 1, "faults=[{'kind':'restart','servers':1,'at':'5s'}]");
    comes_out(&record, AQ_EXIT_UNKNOWN);
    aq_record_close(&record);
}

/* Faults of every family at once, in storms of which each is another. */
static void a_strict_client_comes_clean_out_of_a_storm(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct aq_record record;
        RUN(&record, seed, seed % 2 ? "servers.persistent=true" : "servers.persistent=false",
            "workers.touch_every=1s", "workers.abandon_ratio=0.01", "workers.release_ratio=0.02",
            "workers.call_timeout=8s", "network.loss=0.005",
            "faults=[{'kind':'crash','servers':{'random':1},'at':'2s','for':'1s','every':'6s'},"
            "{'kind':'pause','servers':{'random':1},'at':'4s','for':'3s','every':'7s'},"
            "{'kind':'partition','clients':{'share':0.5},'servers':{'random':2},'at':'5s','for':'2s'},"
            "{'kind':'drop_reply','probability':0.05,'at':'3s','for':'12s'},"
            "{'kind':'drop_request','probability':0.05,'at':'3s','for':'12s'},"
            "{'kind':'client_crash','clients':{'random':2},'at':'6s','for':'500ms','every':'4s'},"
            "{'kind':'reset','at':'9s'},{'kind':'half_open','at':'12s'}]");
        comes_out(&record, AQ_EXIT_PASS);
        aq_record_close(&record);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leases_that_end_during_a_slow_write_are_not_late),
        cmocka_unit_test(a_server_under_two_pauses_has_stopped_until_the_last_ends),
        cmocka_unit_test(a_paused_server_that_wakes_up_cut_off_has_stopped_anew),
        cmocka_unit_test(a_client_process_that_has_just_begun_cannot_know_who_is_down),
        cmocka_unit_test(a_redirect_strikes_no_server_that_is_still_starting),
        cmocka_unit_test(jobs_that_everyone_was_told_to_leave_behind_are_no_standstill),
        cmocka_unit_test(a_caller_that_hangs_for_ever_is_seen_within_the_default_time),
        cmocka_unit_test(a_run_waits_for_the_answers_to_calls_from_before_the_healing),
        cmocka_unit_test(bodies_of_every_size_give_one_trace_with_both_fidelities),
        cmocka_unit_test(a_fault_that_touches_nothing_is_no_evidence),
        cmocka_unit_test(a_check_with_nothing_to_judge_is_no_evidence),
        cmocka_unit_test(a_client_whose_clock_stands_still_doubts_a_stopped_server_later),
        cmocka_unit_test(a_client_whose_clock_stands_still_answers_later),
        cmocka_unit_test(clients_that_were_sent_elsewhere_need_not_come_back),
        cmocka_unit_test(clients_that_drain_a_server_need_not_come_back_because_a_list_has_it),
        cmocka_unit_test(a_kick_of_a_fair_queue_is_applied_in_one_of_its_shards),
        cmocka_unit_test(a_completion_of_a_job_that_was_cleared_meanwhile_has_an_origin),
        cmocka_unit_test(time_with_jobs_out_of_reach_does_not_add_up),
        cmocka_unit_test(a_fault_that_may_miss_is_no_question),
        cmocka_unit_test(a_strict_client_comes_clean_out_of_a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
