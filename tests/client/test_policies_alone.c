/* What upstream does otherwise, each switched on alone in the strict profile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

static struct rig *open_alone(const char *policy, const char *value, uint32_t servers) {
    struct aq_client_policy alone = aq_client_policy_strict;
    assert_int_equal(aq_policy_set(&aq_client_policy_table, &alone, policy, value, NULL), 0);
    return rig_open(&alone, servers, 7);
}

static void rounds_try_a_call_again_with_a_connection_made_anew(void **state) {
    (void)state;
    struct rig *rig = open_alone("backoff_rounds", "2", 2);
    rig->policy.retry_pings = true;
    rig->policy.backoff_pause_us = 2 * AQ_US_PER_S;
    rig->policy.probe_first_us = rig->policy.probe_max_us = AQ_TIME_NEVER;
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_run(rig, 1000);
    rig_disconnected(rig, 1500, 0);
    rig_connected(rig, 1501, 1);
    rig_ok(rig, 1502, 1);
    rig_disconnected(rig, 1503, 1);
    rig_run(rig, 1504);
    assert_int_equal(aq_client_calls_open(rig->client), 0); /* it was sent: not again */
    rig_expect(rig, "[0] call 1 put -> choice 0, connect 0\n"
                    "[1000] wake -> close 0, connect 0, membership\n"
                    "[1500] disconnected 0 -> retry 1, connect 1\n"
                    "[1501] connected 1 -> send 1 ping own\n"
                    "[1502] reply 1 -> send 1 put\n"
                    "[1503] disconnected 1 -> answer 1 unknown, membership\n");
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_close(rig);
    rig = open_alone("backoff_rounds", "1", 1);
    rig->policy.sick_on_failure = false;
    rig_call(rig, 0, 1, &done);
    rig_run(rig, 1999);
    assert_int_equal(aq_client_calls_open(rig->client), 1);
    rig_run(rig, 2000);
    assert_int_equal(aq_client_calls_open(rig->client), 0);
    rig_close(rig);
}

static void the_pauses_of_rounds_and_connections_are_kept(void **state) {
    (void)state;
    static const struct {
        const char *policy;
        uint64_t end_ms; /* three attempts of a second each, and the pauses */
    } rows[] = {
        {"rebuild_wait", 3 * 1000 + 5 * 300}, /* after each failure, and at the start of each round */
        {"reconnect_pause", 3 * 1000 + 300 * 3},
        {"backoff_pause", 3 * 1000 + 300 * (1 + 2)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig *rig = open_alone(rows[i].policy, "300ms", 1);
        rig->policy.sick_on_failure = false;
        rig->policy.backoff_rounds = 2;
        struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
        rig_call(rig, 0, 1, &done);
        rig_run(rig, rows[i].end_ms - 1);
        assert_int_equal(aq_client_calls_open(rig->client), 1);
        rig_run(rig, rows[i].end_ms);
        assert_int_equal(aq_client_calls_open(rig->client), 0);
        rig_close(rig);
    }
}

static void a_sweep_pings_all_servers_in_turn(void **state) {
    (void)state;
    struct rig *rig = open_alone("sick_sweep", "60s", 2);
    rig_run(rig, 0);
    rig_connected(rig, 1, 0);
    rig_ok(rig, 2, 0);
    rig_connected(rig, 3, 1);
    rig_ok(rig, 4, 1);
    rig_run(rig, 60003);
    rig_run(rig, 60004);
    rig_expect(rig, "[0] wake -> connect 0\n[1] connected 0 -> send 0 ping own\n"
                    "[2] reply 0 -> connect 1\n[3] connected 1 -> send 1 ping own\n[4] reply 1\n"
                    "[60004] wake -> send 0 ping own\n");
    rig_close(rig);
}

static void a_second_drain_stops_all_later_ones(void **state) {
    (void)state;
    static const char *const second[] = {"s1", "unknown", "s9:5555"};
    for (uint32_t i = 0; i < 3; i++)
        for (int wedges = 0; wedges < 2; wedges++) {
            struct rig *rig = open_alone("drain_wedges", wedges ? "true" : "false", 3);
            for (uint32_t k = 0; k < 3; k++)
                rig_set(rig, k, RIG_SERVES);
            struct aq_request first = rig_address(AQ_ACTION_DRAIN, "s1");
            struct aq_request again = rig_address(AQ_ACTION_DRAIN, second[i]);
            struct aq_request other = rig_address(AQ_ACTION_DRAIN, "s2");
            struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
            rig_call(rig, 0, 0, &get);
            rig_live(rig, 5000);
            rig_call(rig, 5000, 1, &first);
            rig_call(rig, 5000, 2, &again);
            rig_call(rig, 5000, 3, &other);
            bool known = i == 0;
            assert_int_equal(rig->ends[2].outcome, wedges || known ? AQ_OUTCOME_OK : AQ_OUTCOME_INVALID);
            rig_live(rig, wedges ? 20010 : 25010); /* wedges: the sweeper has run since the start */
            assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_REMOVED);
            rig_live(rig, 100000);
            assert_int_equal(aq_client_health(rig->client, 2),
                             wedges && i < 2 ? AQ_SERVER_DRAINING : AQ_SERVER_REMOVED);
            rig_close(rig);
        }
}

static void a_completion_for_a_dropped_server_fails_at_once(void **state) {
    (void)state;
    struct rig *rig = open_alone("dropped_unreachable", "true", 2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 1, "j1"));
    struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0:5555");
    rig_call(rig, 0, 1, &update);
    rig_forget(rig);
    rig_call(rig, 1, 2, &done);
    rig_expect(rig, "[1] call 2 done -> answer 2 invalid\n");
    rig_close(rig);
}

static void update_servers_forgets_that_a_server_is_sick_or_draining(void **state) {
    (void)state;
    for (int rebuilds = 0; rebuilds < 2; rebuilds++) {
        struct rig *rig = open_alone("update_rebuilds", rebuilds ? "true" : "false", 2);
        struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 0, "j1"));
        struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0:5555,s1:5555");
        struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s1");
        rig_call(rig, 0, 1, &touch);
        rig_disconnected(rig, 1, 0);
        rig_call(rig, 2, 2, &drain);
        rig_call(rig, 3, 3, &update);
        assert_int_equal(aq_client_health(rig->client, 0), rebuilds ? AQ_SERVER_WELL : AQ_SERVER_SICK);
        assert_int_equal(aq_client_health(rig->client, 1), rebuilds ? AQ_SERVER_WELL : AQ_SERVER_DRAINING);
        rig_close(rig);
    }
}

static void a_redirected_connection_hands_out_jobs_that_nobody_finds(void **state) {
    (void)state;
    struct rig *rig = open_alone("redirect_random_id", "true", 1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t"), put = rig_tube(AQ_ACTION_PUT, "t");
    struct aq_request old = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j0")),
                      stats = rig_request(AQ_ACTION_STATS);
    struct aq_reply redirect = {.kind = AQ_REPLY_REDIRECT, .value = AQ_TEXT("b"), .port = 5555};
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_reply(rig, 2, 0, &redirect);
    rig_connected(rig, 3, 1);
    rig_ok(rig, 4, 1);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n[1] connected 0 -> send 0 get\n"
                    "[2] reply 0 -> close 0, membership, retry 1, connect 1\n"
                    "[3] connected 1 -> send 1 get\n[4] reply 1 -> answer 1 ok\n");
    rig_call(rig, 5, 2, &put);
    rig_ok(rig, 6, 1);
    const struct aq_reply *reply = NULL;
    for (uint32_t i = 0; i < rig->effects.count; i++)
        if (rig->effects.items[i].kind == AQ_CLIENT_ANSWER) reply = rig->effects.items[i].reply;
    assert_non_null(reply);
    char id[64], job[64];
    snprintf(id, sizeof id, "%.*s", AQ_SERVER_ID_CHARS, reply->job_id.at);
    snprintf(job, sizeof job, "%.*s", AQ_TEXT_ARGS(reply->job_id));
    assert_string_not_equal(id, rig_id(rig, 0));
    assert_string_not_equal(id, rig_id(rig, 1));
    assert_string_equal(job + AQ_SERVER_ID_CHARS, ",j1");
    rig_forget(rig);
    struct aq_request done = rig_job(AQ_ACTION_DONE, job);
    rig_call(rig, 7, 3, &done);
    rig_expect(rig, "[7] call 3 done -> answer 3 invalid\n");
    rig_call(rig, 8, 4, &old); /* the old id still leads there */
    rig_ok(rig, 9, 1);
    rig_call(rig, 10, 5, &stats);
    struct aq_server_stats empty = {.tube_count = 0};
    struct aq_reply answer = {
        .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &empty, .server_count = 1};
    rig_reply(rig, 11, 1, &answer);
    char expected[512];
    snprintf(expected, sizeof expected,
             "[8] call 4 done -> send 1 done j0\n[9] reply 1 -> answer 4 ok %s,j0\n"
             "[10] call 5 stats -> send 1 stats\n[11] reply 1 -> answer 5 ok %s,s0:5555\n",
             id, id);
    rig_expect(rig, expected);
    /* add_server of the old address puts a plain connection in its place */
    struct aq_request add = rig_address(AQ_ACTION_ADD_SERVER, "s0:5555");
    rig_call(rig, 12, 6, &add);
    rig_forget(rig);
    rig_call(rig, 13, 7, &old);
    rig_expect(rig, "[13] call 7 done -> connect 0\n");
    rig_close(rig);
}

static void what_goes_to_all_stops_at_the_first_failure(void **state) {
    (void)state;
    struct rig *rig = open_alone("fan_out_in_turn", "true", 3);
    rig->policy.clear_sick = false;
    struct aq_request throttle = rig_tube(AQ_ACTION_THROTTLE, "t");
    throttle.tps = 30;
    rig_call(rig, 0, 1, &throttle);
    rig_connected(rig, 1, 0);
    rig_ok(rig, 2, 0);
    rig_disconnected(rig, 3, 1);
    rig_expect(rig, "[0] call 1 throttle -> connect 0\n[1] connected 0 -> send 0 throttle 10/s\n"
                    "[2] reply 0 -> connect 1\n[3] disconnected 1 -> answer 1 unknown, membership\n");
    rig_close(rig);
}

static void a_clear_that_failed_is_sent_to_one_other(void **state) {
    (void)state;
    struct rig *rig = open_alone("clear_elsewhere", "true", 2);
    struct aq_request clear = rig_tube(AQ_ACTION_CLEAR, "t");
    rig_call(rig, 0, 1, &clear);
    rig_connected(rig, 1, 0);
    rig_ok(rig, 2, 0);
    rig_disconnected(rig, 3, 1);
    rig_ok(rig, 4, 0);
    rig_expect(rig, "[0] call 1 clear -> connect 0, connect 1\n[1] connected 0 -> send 0 clear\n[2] reply 0\n"
                    "[3] disconnected 1 -> membership, retry 0, send 0 clear\n[4] reply 0 -> answer 1 ok\n");
    rig_close(rig);
}

static void a_kick_goes_to_one_random_server(void **state) {
    (void)state;
    struct rig *rig = open_alone("kick_at_random", "true", 3);
    struct aq_request kick = rig_tube(AQ_ACTION_KICK, "t");
    struct aq_request bare = rig_job(AQ_ACTION_KICK, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &kick);
    rig_disconnected(rig, 1, 0); /* and is not tried again */
    rig_call(rig, 2, 2, &bare);
    rig_expect(rig, "[0] call 1 kick -> choice 0, connect 0\n"
                    "[1] disconnected 0 -> answer 1 unavailable, membership\n"
                    "[2] call 2 kick -> answer 2 invalid\n");
    rig_close(rig);
}

static void an_id_without_a_server_goes_to_a_random_one(void **state) {
    (void)state;
    struct rig *rig = open_alone("bare_id_at_random", "true", 3);
    struct aq_request bare = rig_job(AQ_ACTION_DONE, "j1"), three = rig_job(AQ_ACTION_DONE, "a,b,c"),
                      none = rig_request(AQ_ACTION_TOUCH);
    rig_call(rig, 0, 1, &bare);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &three);
    rig_call(rig, 3, 3, &none);
    rig_expect(rig, "[0] call 1 done -> choice 0, connect 0\n[1] connected 0 -> send 0 done j1\n"
                    "[2] call 2 done -> answer 2 invalid\n[3] call 3 touch -> choice 2, connect 2\n");
    rig_close(rig);
}

static void a_long_request_makes_healthy_connections_anew(void **state) {
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        struct rig *rig = open_alone("big_message_fails", fails ? "true" : "false", 2);
        rig->policy.message_bytes_max = 100;
        char body[101] = "";
        memset(body, 'x', 100);
        struct aq_request put = rig_tube(AQ_ACTION_PUT, "t"), small = put;
        put.given |= AQ_PARAM_BODY;
        put.body = aq_text_of(body);
        rig_call(rig, 0, 1, &small);
        rig_connected(rig, 1, 0);
        rig_ok(rig, 2, 0);
        rig_forget(rig);
        rig_call(rig, 3, 2, &put);
        if (fails) {
            assert_int_equal(rig_count(rig, "close 0, connect 0"), 1);
            assert_int_equal(rig_count(rig, "answer 2 unavailable"), 1);
        } else {
            rig_expect(rig, "[3] call 2 put -> answer 2 invalid\n");
        }
        rig_close(rig);
    }
}

static void a_long_request_to_every_server_is_sent_to_none(void **state) {
    (void)state;
    struct rig *rig = open_alone("big_message_fails", "true", 1);
    rig->policy.message_bytes_max = 100;
    char tube[101] = "";
    memset(tube, 'x', 100);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t"), clear = rig_tube(AQ_ACTION_CLEAR, tube);
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_ok(rig, 2, 0);
    rig_forget(rig);
    rig_call(rig, 3, 2, &clear);
    assert_int_equal(rig_count(rig, "send 0 clear"), 0);
    assert_int_equal(rig_count(rig, "close 0"), 1);
    rig_close(rig);
}

static void callers_wait_for_one_of_the_places(void **state) {
    (void)state;
    struct rig *rig = open_alone("callers_max", "1", 1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t"), wrong = rig_job(AQ_ACTION_DONE, "j1");
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &wrong);
    rig_call(rig, 3, 3, &get);
    rig_ok(rig, 4, 0);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n[1] connected 0 -> send 0 get\n"
                    "[2] call 2 done\n[3] call 3 get\n"
                    "[4] reply 0 -> answer 1 ok, answer 2 invalid, choice 0, send 0 get\n");
    rig_run(rig, 30003);
    assert_int_equal(aq_client_calls_open(rig->client), 0);
    rig_close(rig);
}

/* It waited for its place with a deadline; then its parts have it, and end it together. */
static void a_held_call_to_every_server_is_answered_once_at_its_deadline(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.callers_max = 1;
    policy.request_timeout_us = AQ_TIME_NEVER;
    struct rig *rig = rig_open(&policy, 2, 1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t"), stats = rig_request(AQ_ACTION_STATS);
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, rig_count(rig, "connect 1"));
    rig_call(rig, 2, 2, &stats);
    rig_ok(rig, 3, rig_sent_to(rig, 1));
    rig_connected(rig, 4, 1 - rig_sent_to(rig, 1));
    assert_int_equal(rig_count(rig, "stats"), 3); /* asked for, and sent to both */
    rig_run(rig, 40000);
    assert_int_equal(rig->ends[2].times, 1);
    assert_int_equal(rig->ends[2].outcome, AQ_OUTCOME_UNAVAILABLE);
    assert_int_equal(rig->ends[2].ms, 30002);
    assert_int_equal(aq_client_calls_open(rig->client), 0);
    rig_close(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_try_a_call_again_with_a_connection_made_anew),
        cmocka_unit_test(the_pauses_of_rounds_and_connections_are_kept),
        cmocka_unit_test(a_sweep_pings_all_servers_in_turn),
        cmocka_unit_test(a_held_call_to_every_server_is_answered_once_at_its_deadline),
        cmocka_unit_test(a_second_drain_stops_all_later_ones),
        cmocka_unit_test(a_completion_for_a_dropped_server_fails_at_once),
        cmocka_unit_test(update_servers_forgets_that_a_server_is_sick_or_draining),
        cmocka_unit_test(a_redirected_connection_hands_out_jobs_that_nobody_finds),
        cmocka_unit_test(what_goes_to_all_stops_at_the_first_failure),
        cmocka_unit_test(a_clear_that_failed_is_sent_to_one_other),
        cmocka_unit_test(a_kick_goes_to_one_random_server),
        cmocka_unit_test(an_id_without_a_server_goes_to_a_random_one),
        cmocka_unit_test(a_long_request_makes_healthy_connections_anew),
        cmocka_unit_test(a_long_request_to_every_server_is_sent_to_none),
        cmocka_unit_test(callers_wait_for_one_of_the_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
