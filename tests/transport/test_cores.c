/* The client core and the fake server core over real sockets: jobs go round, and the strict client copes with
   lost, double and late replies and with servers that die and come back. */
#include "tests/transport/cores.h"

#include <stdio.h>

static struct cores cores;

static int set_up(void **state) {
    (void)state;
    cores_open(&cores);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    cores_close(&cores);
    return 0;
}

static const struct core_call *wait_for(uint32_t call) {
    RIG_UNTIL(&cores.rig, cores.calls[call].answered);
    return &cores.calls[call];
}

static uint32_t taps(enum aq_tap_kind kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < cores.server_count; i++)
        count += cores.servers[i].taps[kind];
    return count;
}

static void a_job_is_put_fetched_and_completed_at_its_origin(void **state) {
    (void)state;
    cores_start(&cores, 1, 1);
    const struct core_call *put = wait_for(cores_put(&cores, 0, "hello"));
    assert_int_equal(put->outcome, AQ_OUTCOME_OK);
    const struct core_call *get = wait_for(cores_get(&cores, 0));
    assert_int_equal(get->outcome, AQ_OUTCOME_OK);
    assert_string_equal(get->body, "hello");
    assert_string_equal(get->job_id, put->job_id);
    const struct core_call *done = wait_for(cores_done(&cores, 0, get->job_id));
    assert_int_equal(done->outcome, AQ_OUTCOME_OK);
    assert_int_equal(taps(AQ_TAP_DONE), 1);
    const struct core_call *empty = wait_for(cores_get(&cores, 0));
    assert_int_equal(empty->outcome, AQ_OUTCOME_OK);
    assert_string_equal(empty->job_id, "");
}

static void the_jobs_of_many_clients_all_reach_their_origins(void **state) {
    (void)state;
    static char bodies[300][16];
    /* Eighty handshakes at once take their time on a busy machine, and this is not about giving up. */
    cores.client_policy.connect_timeout_us = cores.client_policy.probe_timeout_us = 30 * AQ_US_PER_S;
    cores.client_policy.request_timeout_us = 30 * AQ_US_PER_S;
    cores_start(&cores, 4, 20);
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(bodies[i], sizeof bodies[i], "job %u", i);
        cores_put(&cores, i % 20, bodies[i]);
    }
    RIG_UNTIL(&cores.rig, cores.answered == 300);
    uint32_t completed = 0;
    while (completed < 300) {
        cores.call_count = cores.answered = 0;
        memset(cores.calls, 0, sizeof cores.calls);
        for (uint32_t client = 0; client < 20; client++)
            cores_get(&cores, client);
        RIG_UNTIL(&cores.rig, cores.answered == 20);
        for (uint32_t i = 0; i < 20; i++)
            if (*cores.calls[i].job_id) cores_done(&cores, i, cores.calls[i].job_id);
        RIG_UNTIL(&cores.rig, cores.answered == cores.call_count);
        for (uint32_t i = 20; i < cores.call_count; i++)
            assert_int_equal(cores.calls[i].outcome, AQ_OUTCOME_OK);
        completed += cores.call_count - 20;
    }
    assert_int_equal(taps(AQ_TAP_PUT), 300);
    assert_int_equal(taps(AQ_TAP_DONE), 300);
    assert_int_equal(taps(AQ_TAP_MISSED), 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(cores.servers[i].taps[AQ_TAP_PUT] > 0);
        assert_int_equal(cores.servers[i].taps[AQ_TAP_DONE], cores.servers[i].taps[AQ_TAP_PUT]);
    }
}

static struct aq_fault_rule fault(enum aq_server_fault_kind kind, uint64_t nth) {
    return (struct aq_fault_rule){
        .kind = kind, .id = 1, .actions = 1u << AQ_ACTION_PUT, .probability = 1, .factor = 1, .nth = nth};
}

static void a_lost_reply_ends_as_unknown(void **state) {
    (void)state;
    cores.client_policy.request_timeout_us = 100 * AQ_US_PER_MS;
    cores_start(&cores, 1, 1);
    struct aq_fault_rule rule = fault(AQ_SERVER_FAULT_DROP_REPLY, 1);
    cores_server_fault(&cores, 0, &rule);
    assert_int_equal(wait_for(cores_put(&cores, 0, "lost"))->outcome, AQ_OUTCOME_UNKNOWN);
    assert_int_equal(taps(AQ_TAP_PUT), 1);
    RIG_UNTIL(&cores.rig, cores.marks[AQ_CLIENT_MARK_SERVER_BECAME_WELL] == 1);
    assert_int_equal(wait_for(cores_put(&cores, 0, "kept"))->outcome, AQ_OUTCOME_OK);
}

static void a_double_reply_is_dropped(void **state) {
    (void)state;
    cores_start(&cores, 1, 1);
    struct aq_fault_rule rule = fault(AQ_SERVER_FAULT_DUPLICATE_REPLY, 0);
    cores_server_fault(&cores, 0, &rule);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(wait_for(cores_put(&cores, 0, "b"))->outcome, AQ_OUTCOME_OK);
    RIG_UNTIL(&cores.rig, cores.marks[AQ_CLIENT_MARK_STRAY_REPLY_DROPPED] == 10);
    assert_int_equal(cores.marks[AQ_CLIENT_MARK_MALFORMED_REPLY], 0);
}

static void a_reply_that_makes_no_sense_ends_as_unknown_and_a_long_one_is_read(void **state) {
    (void)state;
    static const enum aq_server_fault_kind spoilt[] = {
        AQ_SERVER_FAULT_MALFORMED_REPLY, AQ_SERVER_FAULT_TRUNCATED_REPLY, AQ_SERVER_FAULT_EMPTY_REPLY};
    cores_start(&cores, 1, 1);
    for (uint32_t i = 0; i < 3; i++) {
        struct aq_fault_rule rule = fault(spoilt[i], 0);
        cores_server_fault(&cores, 0, &rule);
        assert_int_equal(wait_for(cores_put(&cores, 0, "spoilt"))->outcome, AQ_OUTCOME_UNKNOWN);
        assert_int_equal(cores.marks[AQ_CLIENT_MARK_MALFORMED_REPLY], i + 1);
        cores_server_heal(&cores, 0, 1);
    }
    struct aq_fault_rule rule = fault(AQ_SERVER_FAULT_OVERSIZED_REPLY, 0);
    cores_server_fault(&cores, 0, &rule);
    assert_int_equal(wait_for(cores_put(&cores, 0, "long"))->outcome, AQ_OUTCOME_OK);
    assert_int_equal(taps(AQ_TAP_PUT), 4);
}

static void a_late_reply_is_dropped_and_the_server_found_well_again(void **state) {
    (void)state;
    cores.client_policy.request_timeout_us = 100 * AQ_US_PER_MS;
    cores.client_policy.sick_on_failure = false; /* the connection stays, so that the late reply arrives */
    cores_start(&cores, 1, 1);
    assert_int_equal(wait_for(cores_put(&cores, 0, "a"))->outcome, AQ_OUTCOME_OK);
    struct aq_fault_rule rule = fault(AQ_SERVER_FAULT_PAUSE, 0);
    cores_server_fault(&cores, 0, &rule);
    assert_int_equal(wait_for(cores_put(&cores, 0, "late"))->outcome, AQ_OUTCOME_UNKNOWN);
    cores_server_heal(&cores, 0, 1);
    RIG_UNTIL(&cores.rig, cores.marks[AQ_CLIENT_MARK_STRAY_REPLY_DROPPED] >= 1);
    assert_int_equal(taps(AQ_TAP_PUT), 2);
    assert_int_equal(wait_for(cores_put(&cores, 0, "b"))->outcome, AQ_OUTCOME_OK);
}

static void a_dead_server_is_left_out_and_used_again_when_it_is_back(void **state) {
    (void)state;
    cores_start(&cores, 2, 4);
    for (uint32_t i = 0; i < 40; i++)
        cores_put(&cores, i % 4, "before");
    RIG_UNTIL(&cores.rig, cores.answered == 40);
    cores_server_kill(&cores, 0);
    uint32_t first = cores.call_count;
    for (uint32_t i = 0; i < 40; i++)
        cores_put(&cores, i % 4, "meanwhile");
    RIG_UNTIL(&cores.rig, cores.answered == 80);
    for (uint32_t i = first; i < 80; i++) /* what was sent into the crash is not known to have arrived */
        assert_true(cores.calls[i].outcome == AQ_OUTCOME_OK ? cores.calls[i].server == cores.addresses[1]
                                                            : cores.calls[i].outcome == AQ_OUTCOME_UNKNOWN);
    RIG_UNTIL(&cores.rig, cores.marks[AQ_CLIENT_MARK_SERVER_BECAME_SICK] >= 4);
    first = cores.call_count;
    for (uint32_t i = 0; i < 40; i++)
        cores_put(&cores, i % 4, "without it");
    RIG_UNTIL(&cores.rig, cores.answered == 120);
    for (uint32_t i = first; i < 120; i++)
        assert_int_equal(cores.calls[i].outcome, AQ_OUTCOME_OK);
    cores_server_start(&cores, 0);
    RIG_UNTIL(&cores.rig, cores.marks[AQ_CLIENT_MARK_SERVER_BECAME_WELL] >= 4);
    uint32_t before = cores.servers[0].taps[AQ_TAP_PUT];
    for (uint32_t i = 0; i < 100; i++)
        cores_put(&cores, i % 4, "after");
    RIG_UNTIL(&cores.rig, cores.answered == 220);
    assert_true(cores.servers[0].taps[AQ_TAP_PUT] > before + 20);
    assert_true(cores.troubles <= 2 * 4); /* lost, then refused, once for each client */
}

static void a_refused_connection_fails_over_well_before_the_connect_timeout(void **state) {
    (void)state;
    cores.client_policy.connect_timeout_us = 30 * AQ_US_PER_S;
    cores.client_policy.call_timeout_us = 40 * AQ_US_PER_S;
    cores_start(&cores, 2, 1);
    cores_server_kill(&cores, 0);
    while (tcp_answers(cores.book.items[cores.addresses[0]].text))
        rig_linger(&cores.rig, 1);
    uint64_t start = uv_hrtime();
    for (uint32_t i = 0; i < 20; i++)
        cores_put(&cores, 0, "b");
    RIG_UNTIL(&cores.rig, cores.answered == 20);
    assert_true(uv_hrtime() - start < UINT64_C(15000000000));
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(cores.calls[i].outcome, AQ_OUTCOME_OK);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_put_fetched_and_completed_at_its_origin),
        TEST(the_jobs_of_many_clients_all_reach_their_origins),
        TEST(a_lost_reply_ends_as_unknown),
        TEST(a_double_reply_is_dropped),
        TEST(a_reply_that_makes_no_sense_ends_as_unknown_and_a_long_one_is_read),
        TEST(a_late_reply_is_dropped_and_the_server_found_well_again),
        TEST(a_dead_server_is_left_out_and_used_again_when_it_is_back),
        TEST(a_refused_connection_fails_over_well_before_the_connect_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
