/* Service times, the queue, and every fault rule. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakeserver/trace.h"

static struct world *strict(void) {
    return world_new(&aq_server_policy_strict);
}

static struct aq_fault_rule rule(enum aq_server_fault_kind kind, uint32_t id) {
    return (struct aq_fault_rule){.kind = kind, .id = id, .probability = 1, .factor = 1};
}

static void expect_receipt(struct world *w, uint32_t id, uint64_t matched, uint64_t touched) {
    const struct aq_fault_rule *found = aq_server_rule(w->server, id);
    assert_non_null(found);
    assert_int_equal(found->matched, matched);
    assert_int_equal(found->touched, touched);
}

static void every_kind_of_fault_and_tap_has_a_word(void **state) {
    (void)state;
    assert_string_equal(aq_server_fault_word(AQ_SERVER_FAULT_PAUSE), "pause");
    assert_string_equal(aq_server_fault_word(AQ_SERVER_FAULT_CLOCK_JUMP), "clock_jump");
    assert_string_equal(aq_tap_word(AQ_TAP_PUT), "put");
    assert_string_equal(aq_tap_word(AQ_TAP_FAILED), "failed");
}

/* ---- the decision alone ---- */

static void a_rule_matches_by_action_and_tube(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "test", 0);
    struct aq_fault_rule r = rule(AQ_SERVER_FAULT_DROP_REPLY, 1);
    r.actions = 1u << AQ_ACTION_DONE;
    r.tube = AQ_TEXT("a");
    assert_false(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("a"), &random));
    assert_false(aq_fault_decide(&r, AQ_ACTION_DONE, AQ_TEXT("b"), &random));
    assert_false(aq_fault_decide(&r, AQ_ACTION_DONE, (struct aq_text){0}, &random));
    assert_int_equal(r.matched, 0);
    assert_true(aq_fault_decide(&r, AQ_ACTION_DONE, AQ_TEXT("a"), &random));
    r.actions = 0;
    assert_true(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("a"), &random));
    r.tube = (struct aq_text){0};
    assert_true(aq_fault_decide(&r, AQ_ACTION_COUNT, (struct aq_text){0}, &random));
    r.actions = UINT32_MAX >> (32 - AQ_ACTION_COUNT);
    assert_false(aq_fault_decide(&r, AQ_ACTION_COUNT, (struct aq_text){0}, &random));
    assert_int_equal(r.matched, 3);
    assert_int_equal(r.touched, 3);
}

static void the_nth_match_alone_is_touched(void **state) {
    (void)state;
    struct aq_random random;
    aq_random_init(&random, 1, "test", 0);
    struct aq_fault_rule r = rule(AQ_SERVER_FAULT_DROP_REPLY, 1);
    r.nth = 3;
    for (int i = 1; i <= 6; i++)
        assert_int_equal(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("t"), &random), i == 3);
    assert_int_equal(r.matched, 6);
    assert_int_equal(r.touched, 1);
}

static void a_probability_is_kept_and_draws_only_between_zero_and_one(void **state) {
    (void)state;
    struct aq_random random, untouched;
    aq_random_init(&random, 1, "test", 0);
    untouched = random;
    struct aq_fault_rule r = rule(AQ_SERVER_FAULT_DROP_REPLY, 1);
    r.tube = AQ_TEXT("a");
    r.probability = 0.3;
    assert_false(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("b"), &random));
    r.probability = 1;
    assert_true(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("a"), &random));
    r.probability = 0;
    assert_false(aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("a"), &random));
    assert_memory_equal(&random, &untouched, sizeof random);
    r.probability = 0.3;
    r.touched = r.matched = 0;
    for (int i = 0; i < 100000; i++)
        aq_fault_decide(&r, AQ_ACTION_PUT, AQ_TEXT("a"), &random);
    assert_int_equal(r.matched, 100000);
    assert_in_range(r.touched, 29300, 30700); /* more than 4 standard deviations (145) to either side */
}

/* ---- service and queue ---- */

static void requests_are_served_one_at_a_time_in_the_order_of_arrival(void **state) {
    (void)state;
    struct world *w = strict();
    world_service(w, 1000000);
    w->service.by_action[AQ_ACTION_PING] = AQ_CONSTANT_US(0);
    world_put(w, "t", "b");
    world_until(w, 0.5);
    world_get(w, "t");
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_get(w, "t");
    assert_int_equal(aq_server_counters(w->server).queue, 4);
    world_until(w, 10);
    world_expect(w, "[1] put J1 ready p5\n[1] 1 < put J1\n"
                    "[2] lease J1 reserved p5 #1 ->62\n[2] 2 < get J1 'b'\n"
                    "[2] 3 < pong\n"
                    "[3] empty\n[3] 4 < get\n");
    struct aq_server_counters counters = aq_server_counters(w->server);
    assert_int_equal(counters.queue, 0);
    assert_int_equal(counters.requests, 4);
    assert_int_equal(counters.busy_us, 3000000);
    world_free(w);
}

static void malformed_bytes_take_the_time_of_a_ping(void **state) {
    (void)state;
    struct world *w = strict();
    w->service.by_action[AQ_ACTION_PING] = AQ_CONSTANT_US(2000000);
    world_malformed(w, "what?");
    world_until(w, 5);
    world_expect(w, "[2] failed\n[2] 1 < error: what?\n");
    world_free(w);
}

static void requests_beyond_the_queue_are_dropped_and_finished(void **state) {
    (void)state;
    struct world *w = strict();
    aq_server_free(w->server);
    w->config.queue_max = 2;
    assert_int_equal(aq_server_new(&w->config, &w->server), 0);
    world_service(w, 1000000);
    for (int i = 0; i < 5; i++)
        world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_expect_open(w, 3); /* one in service, two waiting */
    world_until(w, 1);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 10);
    world_expect(w, "[1] 1 < pong\n[2] 2 < pong\n[3] 3 < pong\n[4] 6 < pong\n");
    assert_int_equal(aq_server_counters(w->server).dropped, 3);
    assert_int_equal(aq_server_counters(w->server).requests, 7);
    world_expect_open(w, 0);
    world_free(w);
}

static void a_server_without_a_queue_still_serves_when_idle(void **state) {
    (void)state;
    struct world *w = strict();
    aq_server_free(w->server);
    w->config.queue_max = 0;
    assert_int_equal(aq_server_new(&w->config, &w->server), 0);
    world_service(w, 1000000);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 5);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 10);
    world_expect(w, "[1] 1 < pong\n[6] 3 < pong\n");
    world_free(w);
}

/* ---- the rules ---- */

static void slow_multiplies_service_times(void **state) {
    (void)state;
    struct world *w = strict();
    world_service(w, 1000000);
    struct aq_fault_rule slow = rule(AQ_SERVER_FAULT_SLOW, 4);
    slow.factor = 2.5;
    slow.actions = 1u << AQ_ACTION_PING;
    world_fault(w, slow);
    slow.id = 9;
    slow.factor = 2;
    slow.nth = 2;
    world_fault(w, slow);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_VERSION});
    world_until(w, 7.6);
    expect_receipt(w, 4, 2, 2);
    expect_receipt(w, 9, 2, 1);
    world_heal(w, 4);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 20);
    world_expect(w, "[2.5] 1 < pong\n[7.5] 2 < pong\n[8.5] 3 < version =0.1.4\n[9.5] 4 < pong\n");
    world_free(w);
}

static void an_error_reply_changes_nothing(void **state) {
    (void)state;
    struct world *w = strict();
    world_service(w, 1000000);
    struct aq_fault_rule error = rule(AQ_SERVER_FAULT_ERROR_REPLY, 1);
    error.tube = AQ_TEXT("t");
    world_fault(w, error);
    world_put(w, "t", "b");
    world_put(w, "u", "b");
    world_until(w, 2);
    error.error = AQ_TEXT("disk full");
    world_fault(w, error); /* the same id: replaces the rule */
    world_put(w, "t", "b");
    world_until(w, 10);
    world_expect(w, "[1] failed\n[1] 1 < error: injected\n"
                    "[2] put J1 ready p5 @u\n[2] 2 < put J1\n"
                    "[3] failed\n[3] 3 < error: disk full\n");
    assert_int_equal(aq_server_counters(w->server).jobs[AQ_JOB_READY], 1);
    expect_receipt(w, 1, 1, 1);
    world_free(w);
}

static void a_dropped_request_is_not_applied_and_takes_no_time(void **state) {
    (void)state;
    struct world *w = strict();
    world_service(w, 1000000);
    struct aq_fault_rule drop = rule(AQ_SERVER_FAULT_DROP_REQUEST, 1);
    drop.actions = 1u << AQ_ACTION_PUT;
    drop.nth = 1;
    world_fault(w, drop);
    world_put(w, "t", "b");
    world_expect_open(w, 0);
    world_put(w, "t", "b");
    world_until(w, 10);
    world_expect(w, "[1] put J1 ready p5\n[1] 2 < put J1\n");
    expect_receipt(w, 1, 2, 1);
    world_free(w);
}

static void a_dropped_reply_is_applied_all_the_same(void **state) {
    (void)state;
    struct world *w = strict();
    struct aq_fault_rule drop = rule(AQ_SERVER_FAULT_DROP_REPLY, 1);
    drop.actions = 1u << AQ_ACTION_GET;
    world_fault(w, drop);
    world_put(w, "t", "b");
    world_get(w, "t");
    world_expect(w, "[0] put J1 ready p5\n[0] 1 < put J1\n[0] lease J1 reserved p5 #1 ->60\n");
    world_expect_open(w, 0);
    world_free(w);
}

static void a_duplicated_reply_comes_twice_and_is_applied_once(void **state) {
    (void)state;
    struct world *w = strict();
    world_fault(w, rule(AQ_SERVER_FAULT_DUPLICATE_REPLY, 1));
    world_put(w, "t", "b");
    world_expect(w, "[0] put J1 ready p5\n[0] 1 < put J1\n[0] 1 < put J1\n");
    world_fault(w, rule(AQ_SERVER_FAULT_DROP_REPLY, 2));
    world_put(w, "t", "b");
    world_expect(w, "[0] put J2 ready p5\n");
    expect_receipt(w, 1, 2, 2);
    expect_receipt(w, 2, 1, 1);
    world_free(w);
}

static void a_completion_matches_by_the_tube_of_its_job(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_put(w, "u", "b");
    world_get(w, "t");
    world_get(w, "u");
    world_forget(w);
    struct aq_fault_rule drop = rule(AQ_SERVER_FAULT_DROP_REPLY, 1);
    drop.tube = AQ_TEXT("u");
    world_fault(w, drop);
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_on_job(w, AQ_ACTION_DONE, "J2");
    world_on_job(w, AQ_ACTION_DONE, "J2");
    w->taps_shown = false;
    expect_receipt(w, 1, 1, 1);
    world_expect(w, "[0] done J1 from reserved #1\n[0] 5 < done J1\n[0] done J2 from reserved #2 @u\n"
                    "[0] missed J2\n[0] 7 < done J2 error \"Couldn't find job job_id = J2 to set done\"\n");
    world_free(w);
}

static void a_pause_freezes_service_and_sweeps_while_requests_queue_up(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_get(w, "t");
    world_forget(w);
    world_until(w, 55);
    world_service(w, 4000000);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 56);
    world_fault(w, rule(AQ_SERVER_FAULT_PAUSE, 1));
    assert_true(aq_server_next_wake(w->server) == AQ_TIME_NEVER);
    world_until(w, 70);
    world_fault(w, rule(AQ_SERVER_FAULT_PAUSE, 2));
    world_heal(w, 1);
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_until(w, 100);
    world_expect(w, "");
    expect_receipt(w, 2, 1, 1);
    world_heal(w, 2);
    world_until(w, 200);
    world_expect(w, "[100] expired J1 ready p5 x1 #1\n[103] 3 < pong\n[107] missed J1 ready p5 x1\n"
                    "[107] 4 < done J1 error \"Couldn't find job job_id = J1 to set done\"\n");
    assert_int_equal(aq_server_counters(w->server).busy_us, 8000000);
    world_free(w);
}

static void a_paused_server_starts_nothing(void **state) {
    (void)state;
    struct world *w = strict();
    world_fault(w, rule(AQ_SERVER_FAULT_PAUSE, 1));
    world_put(w, "t", "b");
    world_until(w, 3);
    world_expect(w, "");
    world_heal(w, 1);
    world_heal(w, 1);
    world_heal(w, 99);
    world_expect(w, "[3] put J1 ready p5\n[3] 1 < put J1\n");
    world_free(w);
}

static void rules_are_asked_in_the_order_of_their_ids(void **state) {
    (void)state;
    struct world *w = strict();
    struct aq_fault_rule error = rule(AQ_SERVER_FAULT_ERROR_REPLY, 5);
    error.error = AQ_TEXT("five");
    world_fault(w, error);
    error.id = 3;
    error.error = AQ_TEXT("three");
    world_fault(w, error);
    world_put(w, "t", "b");
    world_heal(w, 3);
    world_put(w, "t", "b");
    world_expect(w, "[0] failed\n[0] 1 < error: three\n[0] failed\n[0] 2 < error: five\n");
    world_free(w);
}

static void a_server_without_taps_answers_the_same(void **state) {
    (void)state;
    struct world *w = strict();
    aq_server_free(w->server);
    w->config.taps = false;
    assert_int_equal(aq_server_new(&w->config, &w->server), 0);
    world_put(w, "t", "b");
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_get(w, "t");
    world_expect(w, "[0] 1 < put J1\n[0] 2 < get J1 'b'\n[0] 3 < done J1\n[0] 4 < get\n");
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_fault_and_tap_has_a_word),
        cmocka_unit_test(a_rule_matches_by_action_and_tube),
        cmocka_unit_test(the_nth_match_alone_is_touched),
        cmocka_unit_test(a_probability_is_kept_and_draws_only_between_zero_and_one),
        cmocka_unit_test(requests_are_served_one_at_a_time_in_the_order_of_arrival),
        cmocka_unit_test(malformed_bytes_take_the_time_of_a_ping),
        cmocka_unit_test(requests_beyond_the_queue_are_dropped_and_finished),
        cmocka_unit_test(a_server_without_a_queue_still_serves_when_idle),
        cmocka_unit_test(slow_multiplies_service_times),
        cmocka_unit_test(an_error_reply_changes_nothing),
        cmocka_unit_test(a_dropped_request_is_not_applied_and_takes_no_time),
        cmocka_unit_test(a_dropped_reply_is_applied_all_the_same),
        cmocka_unit_test(a_duplicated_reply_comes_twice_and_is_applied_once),
        cmocka_unit_test(a_completion_matches_by_the_tube_of_its_job),
        cmocka_unit_test(a_pause_freezes_service_and_sweeps_while_requests_queue_up),
        cmocka_unit_test(a_paused_server_starts_nothing),
        cmocka_unit_test(rules_are_asked_in_the_order_of_their_ids),
        cmocka_unit_test(a_server_without_taps_answers_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
