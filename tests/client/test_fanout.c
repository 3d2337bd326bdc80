/* Calls that concern every server: one answer from all of theirs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

/* A rig whose servers all have a connection that is up and idle. */
static struct rig *open_connected(const struct aq_client_policy *policy, uint32_t servers) {
    struct rig *rig = rig_open(policy, servers, 7);
    static struct aq_request touch[8];
    for (uint32_t i = 0; i < servers; i++) {
        touch[i] = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, i, "x"));
        rig_call(rig, 0, 100 + i, &touch[i]);
        rig_connected(rig, 0, i);
        rig_ok(rig, 0, i);
    }
    rig_forget(rig);
    rig->marks = true;
    return rig;
}

static void stats_names_each_server(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 2);
    struct aq_request stats = rig_request(AQ_ACTION_STATS);
    rig_call(rig, 1, 1, &stats);
    for (uint32_t i = 2; i > 0; i--) {
        char name[] = "mail";
        struct aq_tube_stats tube = {.tube = aq_text_of(name), .ready = i * 10};
        struct aq_server_stats server = {.tubes = &tube, .tube_count = 1};
        struct aq_reply reply = {
            .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &server, .server_count = 1};
        rig_reply(rig, 2, i - 1, &reply);
        memset(name, 'x', 4); /* the reply was borrowed for its step alone */
    }
    rig_expect(rig, "[1] call 1 stats -> send 0 stats, send 1 stats\n"
                    "[2] reply 1\n"
                    "[2] reply 0 -> answer 1 ok S0,s0:5555:mail=10 S1,s1:5555:mail=20\n");
    rig_close(rig);
}

static void stats_names_the_silent_servers(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 3);
    struct aq_request stats = rig_request(AQ_ACTION_STATS);
    rig_call(rig, 1, 1, &stats);
    rig_disconnected(rig, 2, 1);
    rig_ok(rig, 3, 0);
    rig_ok(rig, 3, 2);
    rig_expect(
        rig,
        "[1] call 1 stats -> send 0 stats, send 1 stats, send 2 stats\n"
        "[2] disconnected 1 -> *server_became_sick, membership\n"
        "[3] reply 0\n"
        "[3] reply 2 -> *fan_out_incomplete, answer 1 ok S0,s0:5555 S2,s2:5555 \"no answer from 4D0V3Fq,s1:5555\"\n");
    rig_close(rig);
}

static void ping_says_who_is_silent(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 2);
    struct aq_request ping = rig_request(AQ_ACTION_PING);
    rig_call(rig, 1, 1, &ping);
    rig_ok(rig, 2, 0);
    rig_ok(rig, 2, 1);
    rig_call(rig, 3, 2, &ping);
    rig_ok(rig, 4, 0);
    rig_disconnected(rig, 5, 1);
    rig_expect(
        rig,
        "[1] call 1 ping -> send 0 ping, send 1 ping\n"
        "[2] reply 0\n"
        "[2] reply 1 -> answer 1 ok\n"
        "[3] call 2 ping -> send 0 ping, send 1 ping\n"
        "[4] reply 0\n"
        "[5] disconnected 1 -> *server_became_sick, *fan_out_incomplete, answer 2 refused \"no answer from 4D0V3Fq,s1:5555\", membership\n");
    rig_call(rig, 6, 3, &ping);
    rig_disconnected(rig, 7, 0);
    rig_disconnected(rig, 8, 1);
    rig_expect(rig, "[6] call 3 ping -> send 0 ping, connect 1\n"
                    "[7] disconnected 0 -> *server_became_sick, membership\n"
                    "[8] disconnected 1 -> answer 3 unavailable\n");
    rig_close(rig);
}

static void clear_is_ok_only_if_every_server_confirmed(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 2);
    struct aq_request clear = rig_tube(AQ_ACTION_CLEAR, "mail");
    rig_call(rig, 1, 1, &clear);
    rig_ok(rig, 2, 0);
    rig_ok(rig, 3, 1);
    rig_call(rig, 4, 2, &clear);
    rig_ok(rig, 5, 0);
    rig_error(rig, 6, 1, "no");
    rig_call(rig, 7, 3, &clear);
    rig_error(rig, 8, 0, "no");
    rig_error(rig, 9, 1, "no");
    rig_call(rig, 10, 4, &clear);
    rig_ok(rig, 11, 0);
    rig_disconnected(rig, 12, 1);
    rig_expect(
        rig,
        "[1] call 1 clear -> send 0 clear, send 1 clear\n"
        "[2] reply 0\n"
        "[3] reply 1 -> answer 1 ok\n"
        "[4] call 2 clear -> send 0 clear, send 1 clear\n"
        "[5] reply 0\n"
        "[6] reply 1 -> *fan_out_incomplete, answer 2 unknown\n"
        "[7] call 3 clear -> send 0 clear, send 1 clear\n"
        "[8] reply 0\n"
        "[9] reply 1 -> answer 3 refused \"no\"\n"
        "[10] call 4 clear -> send 0 clear, send 1 clear\n"
        "[11] reply 0\n"
        "[12] disconnected 1 -> *server_became_sick, *fan_out_incomplete, answer 4 unknown, membership\n");
    rig_close(rig);
}

static void clear_reaches_a_sick_server_once_it_is_back(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 2);
    struct aq_request clear = rig_tube(AQ_ACTION_CLEAR, "mail");
    rig_disconnected(rig, 1, 1);
    rig_call(rig, 2, 1, &clear);
    rig_ok(rig, 3, 0);
    rig_run(rig, 700);
    rig_connected(rig, 701, 1);
    rig_ok(rig, 702, 1);
    rig_ok(rig, 703, 1);
    rig_expect(rig, "[1] disconnected 1 -> *server_became_sick, membership\n"
                    "[2] call 1 clear -> send 0 clear\n"
                    "[3] reply 0\n"
                    "[413] wake -> connect 1\n"
                    "[701] connected 1 -> send 1 ping own\n"
                    "[702] reply 1 -> *server_became_well, send 1 clear, membership\n"
                    "[703] reply 1 -> answer 1 ok\n");
    rig_close(rig);
}

static void throttle_is_divided_and_never_switched_off(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 4);
    struct aq_request throttle = rig_tube(AQ_ACTION_THROTTLE, "mail");
    throttle.tps = 100;
    rig_call(rig, 1, 1, &throttle);
    struct aq_request low = throttle;
    low.tps = 2;
    rig_call(rig, 2, 2, &low);
    rig_expect(
        rig,
        "[1] call 1 throttle -> send 0 throttle 25/s, send 1 throttle 25/s, send 2 throttle 25/s, send 3 throttle 25/s\n"
        "[2] call 2 throttle -> send 0 throttle 1/s, send 1 throttle 1/s, send 2 throttle 1/s, send 3 throttle 1/s\n");
    rig_close(rig);
}

static void pause_goes_everywhere(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 2);
    struct aq_request pause = rig_tube(AQ_ACTION_PAUSE, "mail"),
                      unpause = rig_tube(AQ_ACTION_UNPAUSE, "mail");
    rig_call(rig, 1, 1, &pause);
    rig_ok(rig, 2, 0);
    rig_ok(rig, 2, 1);
    rig_call(rig, 3, 2, &unpause);
    struct aq_reply paused =
        rig_good(AQ_ACTION_PAUSE, (struct aq_text){0}); /* unpause is answered as pause */
    rig_reply(rig, 4, 0, &paused);
    rig_reply(rig, 4, 1, &paused);
    rig_expect(rig, "[1] call 1 pause -> send 0 pause, send 1 pause\n"
                    "[2] reply 0\n"
                    "[2] reply 1 -> answer 1 ok\n"
                    "[3] call 2 unpause -> send 0 unpause, send 1 unpause\n"
                    "[4] reply 0\n"
                    "[4] reply 1 -> answer 2 ok\n");
    rig_close(rig);
}

static void peek_asks_in_turn_until_one_has_a_job(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 3);
    struct aq_request peek = rig_tube(AQ_ACTION_PEEK, "mail");
    struct aq_job job = {.job_id = AQ_TEXT("j9")};
    struct aq_reply found = rig_good(AQ_ACTION_PEEK, (struct aq_text){0});
    found.jobs = &job;
    found.job_count = 1;
    rig_call(rig, 1, 1, &peek);
    rig_ok(rig, 2, 0);
    rig_reply(rig, 3, 1, &found);
    rig_call(rig, 4, 2, &peek);
    for (uint32_t i = 0; i < 3; i++)
        rig_ok(rig, 5, i);
    rig_call(rig, 6, 3, &peek);
    rig_ok(rig, 7, 0);
    rig_disconnected(rig, 8, 1);
    rig_ok(rig, 9, 2);
    rig_expect(rig, "[1] call 1 peek -> send 0 peek\n"
                    "[2] reply 0 -> send 1 peek\n"
                    "[3] reply 1 -> answer 1 ok S1,j9\n"
                    "[4] call 2 peek -> send 0 peek\n"
                    "[5] reply 0 -> send 1 peek\n"
                    "[5] reply 1 -> send 2 peek\n"
                    "[5] reply 2 -> answer 2 ok\n"
                    "[6] call 3 peek -> send 0 peek\n"
                    "[7] reply 0 -> send 1 peek\n"
                    "[8] disconnected 1 -> *server_became_sick, send 2 peek, membership\n"
                    "[9] reply 2 -> *fan_out_incomplete, answer 3 unknown\n");
    rig_close(rig);
}

static void kick_of_a_tube_kicks_one_job(void **state) {
    (void)state;
    struct rig *rig = open_connected(&aq_client_policy_strict, 3);
    struct aq_request kick = rig_tube(AQ_ACTION_KICK, "mail");
    struct aq_reply kicked = rig_good(AQ_ACTION_KICK, AQ_TEXT("j9"));
    rig_call(rig, 1, 1, &kick);
    rig_ok(rig, 2, 0);
    rig_reply(rig, 3, 1, &kicked);
    rig_call(rig, 4, 2, &kick);
    rig_disconnected(rig, 5, 0); /* it may have kicked one */
    rig_expect(
        rig,
        "[1] call 1 kick -> send 0 kick\n"
        "[2] reply 0 -> send 1 kick\n"
        "[3] reply 1 -> answer 1 ok S1,j9\n"
        "[4] call 2 kick -> send 0 kick\n"
        "[5] disconnected 0 -> *server_became_sick, *fan_out_incomplete, answer 2 unknown, membership\n");
    rig_close(rig);
}

static void it_ends_although_no_server_answers(void **state) {
    (void)state;
    static const enum aq_action actions[] = {AQ_ACTION_STATS,    AQ_ACTION_PING,  AQ_ACTION_CLEAR,
                                             AQ_ACTION_THROTTLE, AQ_ACTION_PAUSE, AQ_ACTION_PEEK,
                                             AQ_ACTION_KICK};
    for (uint32_t i = 0; i < 7; i++)
        for (int connect = 0; connect < 2; connect++) {
            struct rig *rig = rig_open(&aq_client_policy_strict, 3, 7);
            struct aq_request request = rig_tube(actions[i], "mail");
            rig_call(rig, 0, 1, &request);
            for (uint32_t server = 0; server < 3 && connect; server++)
                rig_connected(rig, 0, server);
            rig_run(rig, 30000);
            assert_int_equal(rig_count(rig, "answer 1"), 1);
            bool reads = i < 2 || i == 5;
            assert_int_equal(rig_count(rig, !connect || reads ? "answer 1 unavailable" : "answer 1 unknown"),
                             1);
            rig_close(rig);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats_names_each_server),
        cmocka_unit_test(stats_names_the_silent_servers),
        cmocka_unit_test(ping_says_who_is_silent),
        cmocka_unit_test(clear_is_ok_only_if_every_server_confirmed),
        cmocka_unit_test(clear_reaches_a_sick_server_once_it_is_back),
        cmocka_unit_test(throttle_is_divided_and_never_switched_off),
        cmocka_unit_test(pause_goes_everywhere),
        cmocka_unit_test(peek_asks_in_turn_until_one_has_a_job),
        cmocka_unit_test(kick_of_a_tube_kicks_one_job),
        cmocka_unit_test(it_ends_although_no_server_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
