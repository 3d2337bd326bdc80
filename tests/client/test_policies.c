/* The upstream profile, and that each choice of the policy table has its effect alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

/* Upstream without its sweeps and rounds, which have stories of their own (test_upstream.c). */
static struct aq_client_policy plain_upstream(void) {
    struct aq_client_policy policy = aq_client_policy_upstream;
    policy.sick_sweep_us = AQ_TIME_NEVER;
    policy.backoff_rounds = 0;
    policy.rebuild_wait_us = policy.reconnect_pause_us = 0;
    return policy;
}

static struct rig *open_upstream(uint32_t servers) {
    struct aq_client_policy policy = plain_upstream();
    struct rig *rig = rig_open(&policy, servers, 7);
    rig->marks = true;
    return rig;
}

/* The strict profile with some fields changed. */
static struct rig *open_changed(struct aq_client_policy policy, uint32_t servers) {
    struct rig *rig = rig_open(&policy, servers, 7);
    rig->marks = true;
    return rig;
}

static void the_table_names_every_field_without_its_unit(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    const struct aq_policy_table *table = &aq_client_policy_table;
    assert_int_equal(table->count, 38);
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->fields[i].name;
        assert_null(strstr(name, "_us"));
        assert_ptr_equal(aq_policy_find(table, name), &table->fields[i]);
        const char *value = table->fields[i].type == AQ_POLICY_BOOL    ? "true"
                            : table->fields[i].type == AQ_POLICY_COUNT ? "3"
                            : table->fields[i].type == AQ_POLICY_WORD  ? table->fields[i].words[1]
                                                                       : "250ms";
        assert_int_equal(aq_policy_set(table, &policy, name, value, NULL), 0);
    }
    assert_int_equal(policy.connect_timeout_us, 250000);
    assert_int_equal(policy.drain_sweep_us, 250000);
    assert_int_equal(policy.in_flight_per_server, 3);
    assert_true(policy.throttle_rounds_up && policy.id_from_host_only && policy.first_when_all_sick);
    assert_int_equal(aq_policy_set(table, &policy, "request_timeout", "never", NULL), 0);
    assert_true(policy.request_timeout_us == AQ_TIME_NEVER);
}

static void two_servers_on_one_host_collide(void **state) {
    (void)state;
    const char *addresses[] = {"one:5555", "one:5556", "two:5555"};
    struct rig *rig = rig_open_at(&aq_client_policy_upstream, addresses, 3, 7);
    uint32_t servers[3];
    assert_int_equal(aq_client_eligible(rig->client, true, servers, 3), 2);
    assert_int_equal(servers[0], 1);
    assert_int_equal(servers[1], 2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_expect(rig, "[0] call 1 done -> connect 1\n");
    rig_close(rig);
    rig = rig_open_at(&aq_client_policy_strict, addresses, 3, 7);
    assert_int_equal(aq_client_eligible(rig->client, true, servers, 3), 3);
    assert_int_equal(servers[0], 0);
    rig_close(rig);
}

static void one_request_is_under_way_and_the_others_queue(void **state) {
    (void)state;
    struct rig *rig = open_upstream(1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &get);
    rig_ok(rig, 60000, 0);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 get\n"
                    "[2] call 2 get -> choice 0, *call_queued_behind_another\n"
                    "[60000] reply 0 -> answer 1 ok, send 0 get\n");
    rig_close(rig);
}

static void an_unreachable_server_costs_ten_seconds(void **state) {
    (void)state;
    struct rig *rig = open_upstream(2);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_disconnected(rig, 5, 0); /* refused: connects again and again, as libzmq does */
    rig_run(rig, 105);
    rig_run(rig, 10000);
    rig_connected(rig, 10001, 1);
    rig_ok(rig, 10002, 1);
    rig_run(rig, 20000); /* the ping of the first fails as well: only that makes it sick */
    rig_expect(rig, "[0] call 1 put -> choice 0, connect 0\n"
                    "[5] disconnected 0\n"
                    "[105] wake -> connect 0\n"
                    "[10000] wake -> close 0, connect 0, retry 1, *put_retried_elsewhere, connect 1\n"
                    "[10001] connected 1 -> send 1 put\n"
                    "[10002] reply 1 -> answer 1 ok S1,j1\n"
                    "[20000] wake -> *server_became_sick, *probe_failed, membership\n");
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK);
    rig_close(rig);
}

static void rebuilding_makes_a_dead_server_well_for_a_while(void **state) {
    (void)state;
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    for (int well = 0; well < 2; well++) {
        struct aq_client_policy policy = aq_client_policy_strict;
        policy.well_on_rebuild = well;
        struct rig *rig = open_changed(policy, 2);
        rig_call(rig, 0, 1, &put);
        rig_disconnected(rig, 1, 0);
        assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK);
        rig_run(rig, 800); /* the first probe comes after 400 to 600 ms */
        assert_int_equal(aq_client_health(rig->client, 0), well ? AQ_SERVER_WELL : AQ_SERVER_PROBING);
        rig_close(rig);
    }
}

static void a_put_that_was_sent_may_be_sent_again_elsewhere(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.retry_put_after_send = true;
    struct rig *rig = open_changed(policy, 2);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_disconnected(rig, 2, 0);
    rig_connected(rig, 3, 1);
    rig_error(rig, 4, 1, "no");
    rig_expect(
        rig,
        "[0] call 1 put -> choice 0, connect 0\n"
        "[1] connected 0 -> send 0 put\n"
        "[2] disconnected 0 -> *server_became_sick, membership, retry 1, *put_retried_elsewhere, connect 1\n"
        "[3] connected 1 -> send 1 put\n"
        "[4] reply 1 -> *put_unknown, answer 1 unknown\n");
    rig_close(rig);
}

static void failures_are_empty_replies(void **state) {
    (void)state;
    struct aq_client_policy policy = plain_upstream();
    policy.retry_put_after_send = false;
    struct rig *rig = open_changed(policy, 1);
    struct aq_request wrong = rig_job(AQ_ACTION_DONE, "abcdefg,j1"), get = rig_tube(AQ_ACTION_GET, "t");
    struct aq_request bury = rig_job(AQ_ACTION_BURY, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &wrong);
    rig_call(rig, 0, 2, &get);
    rig_run(rig, 10000);
    rig_connected(rig, 10001, 0);
    rig_ok(rig, 10002, 0);
    rig_call(rig, 10003, 3, &bury);
    rig_malformed(rig, 10004, 0);
    rig_call(rig, 10005, 4, &get);
    struct aq_reply unknown_action = {.kind = AQ_REPLY_EMPTY};
    rig_reply(rig, 10006, 0, &unknown_action);
    rig_expect(rig, "[0] call 1 done -> answer 1 empty\n"
                    "[0] call 2 get -> choice 0, connect 0\n"
                    "[10000] wake -> close 0, connect 0, answer 2 empty\n"
                    "[10001] connected 0 -> send 0 ping own\n"
                    "[10002] reply 0\n"
                    "[10003] call 3 bury -> send 0 bury j1\n"
                    "[10004] reply 0 -> *malformed_reply, *completion_unknown, answer 3 empty\n"
                    "[10005] call 4 get -> choice 0, send 0 get\n"
                    "[10006] reply 0 -> answer 4 empty\n");
    rig_close(rig);
}

static void a_server_lost_with_a_request_under_way_hangs_for_ever(void **state) {
    (void)state;
    struct rig *rig = open_upstream(1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_disconnected(rig, 2, 0);
    rig_call(rig, 3, 2, &get);
    rig_run(rig, 10000000);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 get\n"
                    "[2] disconnected 0\n"
                    "[3] call 2 get -> choice 0, *call_queued_behind_another\n");
    assert_int_equal(aq_client_calls_open(rig->client), 2);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_close(rig);
    struct aq_client_policy policy = plain_upstream();
    policy.reconnect_recovers = true;
    rig = open_changed(policy, 1);
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_call(rig, 1, 2, &get);
    rig_disconnected(rig, 2, 0);
    rig_run(rig, 102);
    rig_connected(rig, 103, 0);
    rig_ok(rig, 104, 0);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 get\n"
                    "[1] call 2 get -> choice 0, *call_queued_behind_another\n"
                    "[2] disconnected 0 -> answer 1 empty\n"
                    "[102] wake -> connect 0\n"
                    "[103] connected 0 -> send 0 get\n"
                    "[104] reply 0 -> answer 2 ok\n");
    rig_close(rig);
}

static void a_reply_that_never_comes_blocks_for_ever(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.request_timeout_us = AQ_TIME_NEVER;
    struct rig *rig = open_changed(policy, 1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_run(rig, 29999);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n[1] connected 0 -> send 0 get\n");
    rig_run(rig, 30000);
    rig_expect(rig, "[30000] wake -> answer 1 unknown, send 0 ping own\n");
    rig_close(rig);
    policy.call_timeout_us = AQ_TIME_NEVER;
    rig = open_changed(policy, 1);
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    assert_true(aq_client_next_wake(rig->client) == AQ_TIME_NEVER);
    rig_close(rig);
}

static void with_all_sick_the_first_is_used(void **state) {
    (void)state;
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t"), touch[3];
    uint32_t first[2] = {0};
    for (int policy_set = 0; policy_set < 2; policy_set++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct aq_client_policy policy = aq_client_policy_strict;
            policy.first_when_all_sick = policy_set;
            struct rig *rig = rig_open(&policy, 3, seed);
            for (uint32_t i = 0; i < 3; i++) {
                touch[i] = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, i, "j"));
                rig_call(rig, 0, i, &touch[i]);
                rig_disconnected(rig, 0, i);
            }
            rig_call(rig, 1, 9, &put);
            first[policy_set] += rig_count(rig, "choice 0");
            rig_close(rig);
        }
    assert_int_equal(first[1], 20);
    assert_in_range(first[0], 1, 15);
}

static void puts_still_go_to_a_draining_server(void **state) {
    (void)state;
    struct rig *rig = open_upstream(2);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s1");
    rig_call(rig, 0, 1, &drain);
    uint32_t servers[2];
    assert_int_equal(aq_client_eligible(rig->client, true, servers, 2), 2);
    rig_close(rig);
}

static void a_draining_server_leaves_although_it_holds_jobs(void **state) {
    (void)state;
    struct rig *rig = open_upstream(2);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s1");
    struct aq_tube_stats tube = {.ready = 2, .reserved = 1};
    struct aq_server_stats stats = {.tubes = &tube, .tube_count = 1};
    struct aq_reply reply = {
        .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &stats, .server_count = 1};
    rig_call(rig, 0, 1, &drain);
    rig_run(rig, 20000);
    rig_connected(rig, 20001, 1);
    rig_reply(rig, 20002, 1, &reply);
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_DRAINING);
    tube.reserved = 0;
    rig_run(rig, 40002); /* the pause begins when a sweep ends */
    rig_reply(rig, 40003, 1, &reply);
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_REMOVED);
    rig_close(rig);
}

static void pause_goes_to_one_server(void **state) {
    (void)state;
    struct rig *rig = open_upstream(3);
    struct aq_request pause = rig_tube(AQ_ACTION_PAUSE, "t");
    rig_call(rig, 0, 1, &pause);
    rig_expect(rig, "[0] call 1 pause -> choice 0, connect 0\n");
    rig_close(rig);
}

static void clear_skips_the_sick_and_looks_like_success(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.clear_sick = false;
    struct rig *rig = open_changed(policy, 2);
    struct aq_request clear = rig_tube(AQ_ACTION_CLEAR, "t");
    struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 0, 1, &touch);
    rig_disconnected(rig, 1, 1);
    rig_forget(rig);
    rig_call(rig, 2, 2, &clear);
    rig_connected(rig, 3, 0);
    rig_ok(rig, 4, 0);
    rig_expect(rig, "[2] call 2 clear -> connect 0\n"
                    "[3] connected 0 -> send 0 clear\n"
                    "[4] reply 0 -> answer 2 ok\n");
    rig_close(rig);
}

static void a_small_throttle_is_switched_off_by_division(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.throttle_rounds_up = false;
    struct rig *rig = open_changed(policy, 2);
    struct aq_request throttle = rig_tube(AQ_ACTION_THROTTLE, "t");
    throttle.tps = 1;
    rig_call(rig, 0, 1, &throttle);
    rig_connected(rig, 1, 0);
    assert_true(rig->sends[0].request.tps < 1);
    rig_close(rig);
}

static void spans_of_the_table_are_kept(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.connect_timeout_us = 300 * AQ_US_PER_MS;
    policy.request_timeout_us = 200 * AQ_US_PER_MS;
    policy.call_timeout_us = 10 * AQ_US_PER_S;
    policy.probe_first_us = 100 * AQ_US_PER_MS;
    policy.probe_max_us = 150 * AQ_US_PER_MS;
    policy.probe_timeout_us = 40 * AQ_US_PER_MS;
    struct rig *rig = open_changed(policy, 1);
    struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &touch);
    rig_run(rig, 299);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_run(rig, 300);
    uint64_t now_ms = 300, wait_ms = 100;
    for (uint32_t i = 0; i < 5; i++, wait_ms = 150) {
        assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK);
        uint64_t at_ms = aq_client_next_wake(rig->client) / 1000 + 1;
        assert_in_range(at_ms, now_ms + wait_ms * 8 / 10, now_ms + wait_ms * 12 / 10 + 2);
        rig_run(rig, at_ms);
        assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_PROBING);
        assert_in_range(aq_client_next_wake(rig->client) / 1000, at_ms + 39, at_ms + 40);
        now_ms = at_ms + 40;
        if (i < 4) rig_run(rig, now_ms);
    }
    rig_connected(rig, now_ms - 2, 0);
    rig_ok(rig, now_ms - 1, 0);
    rig_forget(rig);
    rig_run(rig, now_ms - 1 + 200);
    assert_int_equal(rig_count(rig, "*reply_timed_out"), 1);
    assert_true(rig->effects.count > 0 && aq_client_calls_open(rig->client) == 1);
    for (aq_time_us next_us; (next_us = aq_client_next_wake(rig->client)) < 10 * AQ_US_PER_S;)
        rig_run(rig, next_us / 1000 + 1);
    assert_int_equal(aq_client_calls_open(rig->client), 1);
    rig_run(rig, 10000);
    assert_int_equal(aq_client_calls_open(rig->client), 0);
    rig_close(rig);
}

static void words_are_distinct(void **state) {
    (void)state;
    for (int a = 0; a < AQ_CLIENT_MARK_COUNT; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(aq_client_mark_word((enum aq_client_mark)a),
                                    aq_client_mark_word((enum aq_client_mark)b));
    assert_string_equal(aq_outcome_word(AQ_OUTCOME_EMPTY), "empty");
    assert_string_equal(aq_outcome_word(AQ_OUTCOME_INVALID), "invalid");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_every_field_without_its_unit),
        cmocka_unit_test(two_servers_on_one_host_collide),
        cmocka_unit_test(one_request_is_under_way_and_the_others_queue),
        cmocka_unit_test(an_unreachable_server_costs_ten_seconds),
        cmocka_unit_test(rebuilding_makes_a_dead_server_well_for_a_while),
        cmocka_unit_test(a_put_that_was_sent_may_be_sent_again_elsewhere),
        cmocka_unit_test(failures_are_empty_replies),
        cmocka_unit_test(a_server_lost_with_a_request_under_way_hangs_for_ever),
        cmocka_unit_test(a_reply_that_never_comes_blocks_for_ever),
        cmocka_unit_test(with_all_sick_the_first_is_used),
        cmocka_unit_test(puts_still_go_to_a_draining_server),
        cmocka_unit_test(a_draining_server_leaves_although_it_holds_jobs),
        cmocka_unit_test(pause_goes_to_one_server),
        cmocka_unit_test(clear_skips_the_sick_and_looks_like_success),
        cmocka_unit_test(a_small_throttle_is_switched_off_by_division),
        cmocka_unit_test(spans_of_the_table_are_kept),
        cmocka_unit_test(words_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
