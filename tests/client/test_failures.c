/* What a strict client does when connections, servers and replies fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

static struct rig *open_strict(uint32_t servers) {
    struct rig *rig = rig_open(&aq_client_policy_strict, servers, 7);
    rig->marks = true;
    return rig;
}

static void put_moves_on_while_nothing_was_sent(void **state) {
    (void)state;
    struct rig *rig = open_strict(3);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_disconnected(rig, 5, rig->effects.items[0].server);
    rig_run(rig, 1005);
    rig_expect(
        rig,
        "[0] call 1 put -> choice 0, connect 0\n"
        "[5] disconnected 0 -> *server_became_sick, membership, retry 1, *put_retried_elsewhere, connect 1\n"
        "[590] wake -> connect 0\n"
        "[1005] wake -> close 1, *server_became_sick, membership, retry 2, *put_retried_elsewhere, connect 2\n");
    rig_close(rig);
}

static void put_is_unavailable_when_no_server_could_be_reached(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_disconnected(rig, 5, 0);
    rig_disconnected(rig, 6, 1);
    rig_expect(
        rig,
        "[0] call 1 put -> choice 0, connect 0\n"
        "[5] disconnected 0 -> *server_became_sick, membership, retry 1, *put_retried_elsewhere, connect 1\n"
        "[6] disconnected 1 -> *server_became_sick, answer 1 unavailable, membership\n");
    rig_close(rig);
}

static void put_is_unknown_once_it_was_sent(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &put);
    rig_disconnected(rig, 10, 0);
    rig_expect(
        rig,
        "[0] call 1 put -> choice 0, connect 0\n"
        "[1] connected 0 -> send 0 put\n"
        "[2] call 2 put -> choice 0, send 0 put\n"
        "[10] disconnected 0 -> *server_became_sick, *put_unknown, answer 1 unknown, *put_unknown, answer 2 unknown, membership\n");
    rig_close(rig);
}

static void silence_makes_a_server_sick_and_drops_its_connection(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &put);
    rig_run(rig, 5002);
    rig_expect(
        rig,
        "[0] call 1 put -> choice 0, connect 0\n"
        "[1] connected 0 -> send 0 put\n"
        "[2] call 2 put -> choice 0, send 0 put\n"
        "[5001] wake -> *reply_timed_out, close 0, *server_became_sick, *put_unknown, answer 1 unknown, *put_unknown, answer 2 unknown, membership\n");
    rig_close(rig);
}

static void one_lost_reply_leaves_a_talking_server_well(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &put);
    rig_ok(rig, 10, 0);
    rig_run(rig, 5002);
    rig_reply_to(rig, 5003, 0, rig->sends[0].correlation, NULL);
    rig_ok(rig, 5004, 0);
    rig_run(rig, 9000);
    rig_expect(rig, "[0] call 1 put -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 put\n"
                    "[2] call 2 put -> choice 0, send 0 put\n"
                    "[10] reply 0 -> answer 2 ok S0,j1\n"
                    "[5001] wake -> *reply_timed_out, *put_unknown, answer 1 unknown, send 0 ping own\n"
                    "[5003] reply 0 -> *stray_reply_dropped\n"
                    "[5004] reply 0\n");
    rig_close(rig);
}

static void get_is_tried_at_each_server_once(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &get);
    uint32_t first = rig->effects.items[0].server;
    rig_connected(rig, 1, first);
    rig_run(rig, 5001);
    rig_connected(rig, 5002, !first);
    rig_disconnected(rig, 5100, !first);
    rig_expect(
        rig,
        "[0] call 1 get -> choice 0, connect 0\n"
        "[1] connected 0 -> send 0 get\n"
        "[5001] wake -> *reply_timed_out, close 0, *server_became_sick, membership, retry 1, *get_retried_elsewhere, connect 1\n"
        "[5002] connected 1 -> send 1 get\n"
        "[5100] disconnected 1 -> *server_became_sick, answer 1 unknown, membership\n");
    rig_close(rig);
}

static void a_get_that_deletes_is_not_repeated(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    get.given |= AQ_PARAM_REMOVE;
    get.remove = true;
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, rig->effects.items[0].server);
    rig_disconnected(rig, 2, rig_sent_to(rig, 1));
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 get\n"
                    "[2] disconnected 0 -> *server_became_sick, answer 1 unknown, membership\n");
    rig_close(rig);
}

static void done_waits_for_its_origin(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_disconnected(rig, 5, 1);
    rig_run(rig, 700);
    rig_connected(rig, 701, 1);
    rig_ok(rig, 702, 1);
    rig_ok(rig, 703, 1);
    rig_expect(rig, "[0] call 1 done -> connect 1\n"
                    "[5] disconnected 1 -> *server_became_sick, *completion_waited_for_origin, membership\n"
                    "[417] wake -> connect 1\n"
                    "[701] connected 1 -> send 1 ping own\n"
                    "[702] reply 1 -> *server_became_well, send 1 done j1, membership\n"
                    "[703] reply 1 -> answer 1 ok S1,j1\n");
    rig_close(rig);
}

static void done_is_unavailable_if_the_origin_stays_away(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_run(rig, 30000);
    assert_int_equal(rig_count(rig, "answer"), 1);
    assert_int_equal(rig_count(rig, "answer 1 unavailable"), 1);
    assert_int_equal(rig_count(rig, "*completion_waited_for_origin"), 1);
    assert_int_equal(rig->send_count, 0);
    rig_close(rig);
}

static void done_is_sent_again_after_a_lost_reply(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_connected(rig, 1, 0);
    rig_malformed(rig, 10, 0);
    rig_ok(rig, 20, 0);
    rig_expect(rig, "[0] call 1 done -> connect 0\n"
                    "[1] connected 0 -> send 0 done j1\n"
                    "[10] reply 0 -> *malformed_reply, *completion_resent, send 0 done j1\n"
                    "[20] reply 0 -> answer 1 ok S0,j1\n");
    rig_close(rig);
}

/* The reply to an earlier request proves nothing about now: a ping has to. */
static void a_server_that_was_heard_after_the_request_is_pinged_when_it_times_out(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    struct aq_reply good = rig_good(AQ_ACTION_PUT, aq_text_of("j1"));
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_call(rig, 2, 2, &put);
    rig_reply_to(rig, 3, 0, rig->sends[0].correlation, &good);
    rig_forget(rig);
    rig_run(rig, 6400);
    rig_expect(rig, "[5002] wake -> *reply_timed_out, *put_unknown, answer 2 unknown, send 0 ping own\n"
                    "[6002] wake -> close 0, *server_became_sick, membership\n");
    rig_close(rig);
}

/* Callers that give up before the request's own timeout would keep it in use for ever. */
static void a_silent_server_is_pinged_when_a_caller_gives_up_early(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.call_timeout_us = 2 * AQ_US_PER_S;
    struct rig *rig = rig_open(&policy, 1, 7);
    rig->marks = true;
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 1, 0);
    rig_run(rig, 3300);
    rig_expect(rig, "[0] call 1 put -> choice 0, connect 0\n"
                    "[1] connected 0 -> send 0 put\n"
                    "[2000] wake -> *put_unknown, answer 1 unknown, send 0 ping own\n"
                    "[3000] wake -> close 0, *server_became_sick, membership\n");
    rig_close(rig);
}

/* The first repetition comes at once, then the pauses double. */
static void an_origin_that_answers_nonsense_is_not_asked_in_a_loop(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_connected(rig, 1, 0);
    rig_malformed(rig, 10, 0);
    rig_malformed(rig, 11, 0);
    rig_run(rig, 1000);
    rig_malformed(rig, 1000, 0);
    rig_run(rig, 2000);
    rig_ok(rig, 2000, 0);
    rig_expect(rig, "[0] call 1 done -> connect 0\n"
                    "[1] connected 0 -> send 0 done j1\n"
                    "[10] reply 0 -> *malformed_reply, *completion_resent, send 0 done j1\n"
                    "[11] reply 0 -> *malformed_reply\n"
                    "[111] wake -> *completion_resent, send 0 done j1\n"
                    "[1000] reply 0 -> *malformed_reply\n"
                    "[1200] wake -> *completion_resent, send 0 done j1\n"
                    "[2000] reply 0 -> answer 1 ok S0,j1\n");
    rig_close(rig);
}

/* Until the call's own time is up. */
static void nonsense_for_ever_ends_as_unknown_after_a_few_attempts(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_connected(rig, 1, 0);
    uint32_t answered = 0;
    for (uint64_t ms = 2; ms < 31000; ms++) {
        rig_run(rig, ms);
        if (rig->send_count == answered) continue;
        answered = rig->send_count;
        rig_malformed(rig, ms, 0);
    }
    assert_int_equal(rig_count(rig, "answer 1 unknown"), 1);
    assert_in_range(rig_count(rig, "send 0 done j1"), 8, 13);
    rig_close(rig);
}

static void a_refusal_after_a_lost_reply_is_unknown(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &done);
    rig_connected(rig, 1, 0);
    rig_malformed(rig, 10, 0);
    rig_error(rig, 20, 0, "Couldn't find job");
    rig_expect(rig, "[0] call 1 done -> connect 0\n"
                    "[1] connected 0 -> send 0 done j1\n"
                    "[10] reply 0 -> *malformed_reply, *completion_resent, send 0 done j1\n"
                    "[20] reply 0 -> *completion_unknown, answer 1 unknown\n");
    rig_close(rig);
}

static void release_and_bury_are_not_sent_again(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request release = rig_job(AQ_ACTION_RELEASE, rig_job_at(rig, 0, "j1"));
    struct aq_request bury = rig_job(AQ_ACTION_BURY, rig_job_at(rig, 0, "j2"));
    rig_call(rig, 0, 1, &release);
    rig_call(rig, 0, 2, &bury);
    rig_connected(rig, 1, 0);
    rig_disconnected(rig, 10, 0);
    rig_expect(
        rig,
        "[0] call 1 release -> connect 0\n"
        "[0] call 2 bury\n"
        "[1] connected 0 -> send 0 release j1, send 0 bury j2\n"
        "[10] disconnected 0 -> *server_became_sick, *completion_unknown, answer 1 unknown, *completion_unknown, answer 2 unknown, membership\n");
    rig_close(rig);
}

static void resending_stops_at_the_call_timeout(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.call_timeout_us = 8 * AQ_US_PER_S;
    struct rig *rig = rig_open(&policy, 1, 7);
    rig->marks = true;
    struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &touch);
    rig_connected(rig, 0, 0);
    rig_run(rig, 5999);
    rig_connected(rig, 6000, 0);
    rig_ok(rig, 6001, 0);
    rig_expect(
        rig,
        "[0] call 1 touch -> connect 0\n"
        "[0] connected 0 -> send 0 touch j1\n"
        "[5000] wake -> *reply_timed_out, close 0, *server_became_sick, *completion_waited_for_origin, membership\n"
        "[5412] wake -> connect 0\n"
        "[6000] connected 0 -> send 0 ping own\n"
        "[6001] reply 0 -> *server_became_well, *completion_resent, send 0 touch j1, membership\n");
    rig_run(rig, 8000);
    rig_expect(rig, "[8000] wake -> *completion_unknown, answer 1 unknown, send 0 ping own\n");
    rig_close(rig);
}

static void a_reply_about_another_job_or_action_is_malformed(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request bury = rig_job(AQ_ACTION_BURY, rig_job_at(rig, 0, "j1")),
                      put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &bury);
    rig_connected(rig, 1, 0);
    struct aq_reply other_job = rig_good(AQ_ACTION_BURY, AQ_TEXT("j2"));
    rig_reply(rig, 2, 0, &other_job);
    rig_call(rig, 3, 2, &put);
    struct aq_reply other_action = rig_good(AQ_ACTION_GET, (struct aq_text){0});
    rig_reply(rig, 4, 0, &other_action);
    rig_expect(rig, "[0] call 1 bury -> connect 0\n"
                    "[1] connected 0 -> send 0 bury j1\n"
                    "[2] reply 0 -> *malformed_reply, *completion_unknown, answer 1 unknown\n"
                    "[3] call 2 put -> choice 0, send 0 put\n"
                    "[4] reply 0 -> *malformed_reply, *put_unknown, answer 2 unknown\n");
    rig_close(rig);
}

static void a_reply_from_another_server_is_dropped(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request bury = rig_job(AQ_ACTION_BURY, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 0, 1, &bury);
    rig_connected(rig, 1, 0);
    struct aq_reply reply = rig_good(AQ_ACTION_BURY, AQ_TEXT("j1"));
    rig_reply_to(rig, 2, 1, rig->sends[0].correlation, &reply);
    rig_reply_to(rig, 3, 0, rig->sends[0].correlation, &reply);
    rig_reply_to(rig, 4, 0, rig->sends[0].correlation, &reply);
    rig_expect(rig, "[0] call 1 bury -> connect 0\n"
                    "[1] connected 0 -> send 0 bury j1\n"
                    "[2] reply 1 -> *stray_reply_dropped\n"
                    "[3] reply 0 -> answer 1 ok S0,j1\n"
                    "[4] reply 0 -> *stray_reply_dropped\n");
    rig_close(rig);
}

/* Without answers, the waits between probes double: about 0.5, 1, 2, 4, 8, 10, 10 s, each with a second for
 * the probe. */
static void probes_back_off_and_an_answer_makes_well(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 0, 1, &touch);
    rig_disconnected(rig, 0, 1);
    uint64_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 10000, 10000}, now_ms = 0;
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_SICK);
        rig_run(rig, now_ms + waits_ms[i] * 8 / 10 - 1);
        rig_forget(rig);
        uint64_t at_ms = (aq_client_next_wake(rig->client) + 999) / 1000;
        while (at_ms < now_ms + waits_ms[i] * 8 / 10) {
            rig_run(rig, at_ms); /* the touch gives up on the way */
            at_ms = (aq_client_next_wake(rig->client) + 999) / 1000;
        }
        assert_in_range(at_ms, now_ms + waits_ms[i] * 8 / 10, now_ms + waits_ms[i] * 12 / 10 + 1);
        rig_run(rig, at_ms);
        if (aq_client_health(rig->client, 1) != AQ_SERVER_PROBING) {
            at_ms = (aq_client_next_wake(rig->client) + 999) / 1000; /* that was the touch */
            assert_in_range(at_ms, now_ms + waits_ms[i] * 8 / 10, now_ms + waits_ms[i] * 12 / 10 + 1);
            rig_run(rig, at_ms);
        }
        assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_PROBING);
        assert_int_equal(rig_count(rig, "connect 1"), 1);
        now_ms = at_ms + 1000;
        if (i < 6) rig_run(rig, now_ms);
    }
    rig_connected(rig, now_ms - 500, 1);
    rig_ok(rig, now_ms - 400, 1);
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_WELL);
    rig_disconnected(rig, now_ms, 1);
    assert_in_range(aq_client_next_wake(rig->client), (now_ms + 400) * 1000, (now_ms + 601) * 1000);
    rig_close(rig);
}

static void with_all_sick_a_call_still_tries_and_success_makes_well(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_disconnected(rig, 1, 0);
    rig_disconnected(rig, 1, 1);
    rig_forget(rig);
    rig_call(rig, 2, 2, &put);
    uint32_t server = rig->effects.items[1].server;
    rig_connected(rig, 3, server);
    rig_ok(rig, 4, server);
    rig_expect(rig, "[2] call 2 put -> *all_servers_sick, choice 1, connect 1\n"
                    "[3] connected 1 -> send 1 put\n"
                    "[4] reply 1 -> *server_became_well, answer 2 ok S1,j1, membership\n");
    rig_close(rig);
}

static void the_wait_begins_anew_when_a_call_made_a_server_well(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &get);
    rig_run(rig, 6000); /* several probes have failed */
    rig_call(rig, 6001, 2, &get);
    rig_connected(rig, 6002, 0);
    struct aq_reply reply = rig_good(AQ_ACTION_GET, (struct aq_text){0});
    for (uint32_t i = 0; i < rig->send_count; i++)
        if (rig->sends[i].call == 2) rig_reply_to(rig, 6003, 0, rig->sends[i].correlation, &reply);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_disconnected(rig, 6004, 0);
    assert_in_range(aq_client_next_wake(rig->client), 6404000, 6605000);
    rig_close(rig);
}

static void membership_is_told_before_the_choice_it_concerns(void **state) {
    (void)state;
    struct rig *rig = rig_open(&aq_client_policy_strict, 3, 7);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    for (uint64_t i = 1; i <= 6; i++)
        rig_call(rig, 0, i, &get);
    rig_expect(rig, "[0] call 1 get -> choice 0, connect 0\n"
                    "[0] call 2 get -> choice 2, connect 2\n"
                    "[0] call 3 get -> choice 1, connect 1\n"
                    "[0] call 4 get -> choice 0\n"
                    "[0] call 5 get -> choice 1\n"
                    "[0] call 6 get -> choice 0\n");
    rig_run(rig, 1000);
    rig_expect(
        rig,
        "[1000] wake -> close 0, close 2, close 1, membership, retry 2, connect 2, retry 1, connect 1, retry 1, retry 1, retry 0, connect 0, retry 2\n");
    rig_close(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_moves_on_while_nothing_was_sent),
        cmocka_unit_test(put_is_unavailable_when_no_server_could_be_reached),
        cmocka_unit_test(put_is_unknown_once_it_was_sent),
        cmocka_unit_test(silence_makes_a_server_sick_and_drops_its_connection),
        cmocka_unit_test(one_lost_reply_leaves_a_talking_server_well),
        cmocka_unit_test(get_is_tried_at_each_server_once),
        cmocka_unit_test(a_get_that_deletes_is_not_repeated),
        cmocka_unit_test(done_waits_for_its_origin),
        cmocka_unit_test(done_is_unavailable_if_the_origin_stays_away),
        cmocka_unit_test(done_is_sent_again_after_a_lost_reply),
        cmocka_unit_test(a_server_that_was_heard_after_the_request_is_pinged_when_it_times_out),
        cmocka_unit_test(a_silent_server_is_pinged_when_a_caller_gives_up_early),
        cmocka_unit_test(an_origin_that_answers_nonsense_is_not_asked_in_a_loop),
        cmocka_unit_test(nonsense_for_ever_ends_as_unknown_after_a_few_attempts),
        cmocka_unit_test(a_refusal_after_a_lost_reply_is_unknown),
        cmocka_unit_test(release_and_bury_are_not_sent_again),
        cmocka_unit_test(resending_stops_at_the_call_timeout),
        cmocka_unit_test(a_reply_about_another_job_or_action_is_malformed),
        cmocka_unit_test(a_reply_from_another_server_is_dropped),
        cmocka_unit_test(probes_back_off_and_an_answer_makes_well),
        cmocka_unit_test(with_all_sick_a_call_still_tries_and_success_makes_well),
        cmocka_unit_test(the_wait_begins_anew_when_a_call_made_a_server_well),
        cmocka_unit_test(membership_is_told_before_the_choice_it_concerns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
