/* The upstream profile as a whole, as stories with virtual times: what AllQueue's client does while a server
   is away, and what its sweeps, drains and redirects do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

static struct aq_request put, get, stats, ping;

static struct rig *open_served(const struct aq_client_policy *policy, uint32_t servers) {
    struct rig *rig = rig_open(policy, servers, 7);
    put = rig_tube(AQ_ACTION_PUT, "t");
    get = rig_tube(AQ_ACTION_GET, "t");
    stats = rig_request(AQ_ACTION_STATS);
    ping = rig_request(AQ_ACTION_PING);
    for (uint32_t i = 0; i < servers; i++)
        rig_set(rig, i, RIG_SERVES);
    rig_live(rig, 100);
    return rig;
}

/* Calls until one is aimed at this server; earlier ones are answered meanwhile. Returns its name. */
static uint64_t call_at(struct rig *rig, uint64_t ms, uint64_t call, const struct aq_request *request,
                        uint32_t server) {
    char word[16];
    snprintf(word, sizeof word, "choice %u", server);
    for (;; call++) {
        rig_forget(rig);
        rig_call(rig, ms, call, request);
        if (rig_count(rig, word)) return call;
    }
}

static void expect_end(const struct rig *rig, uint64_t call, enum aq_outcome outcome, uint64_t from_ms,
                       uint64_t until_ms) {
    assert_int_equal(rig->ends[call].times, 1);
    assert_int_equal(rig->ends[call].outcome, outcome);
    assert_in_range(rig->ends[call].ms, from_ms, until_ms);
}

static void a_put_aimed_at_a_dead_server_moves_after_twenty_seconds_and_later_ones_avoid_it(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    rig_kill(rig, 1000, 0);
    uint64_t call = call_at(rig, 2000, 1, &put, 0);
    rig_live(rig, 60000);
    expect_end(rig, call, AQ_OUTCOME_OK, 22500, 22520);
    assert_int_equal(rig_sent_to(rig, call), 1);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK);
    for (uint64_t i = 0; i < 20; i++) {
        rig_call(rig, 60000 + i * 100, 20 + i, &put);
        rig_live(rig, 60000 + i * 100 + 50);
        expect_end(rig, 20 + i, AQ_OUTCOME_OK, 60000 + i * 100, 60010 + i * 100);
        assert_int_equal(rig_sent_to(rig, 20 + i), 1);
    }
    rig_close(rig);
    rig = open_served(&aq_client_policy_strict, 2);
    rig_kill(rig, 1000, 0);
    call = call_at(rig, 2000, 1, &put, 0);
    rig_live(rig, 60000);
    expect_end(rig, call, AQ_OUTCOME_OK, 2000, 3010);
    rig_close(rig);
}

static void a_done_to_a_dead_server_answers_an_empty_object_after_a_minute(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_kill(rig, 1000, 0);
    rig_call(rig, 2000, 1, &done);
    rig_live(rig, 110000);
    expect_end(rig, 1, AQ_OUTCOME_EMPTY, 2000 + 61000, 2000 + 62000);
    /* strict: it waits for its origin, as long as a caller waits at most */
    rig_close(rig);
    rig = open_served(&aq_client_policy_strict, 2);
    done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_kill(rig, 1000, 0);
    rig_call(rig, 2000, 1, &done);
    rig_live(rig, 110000);
    expect_end(rig, 1, AQ_OUTCOME_UNAVAILABLE, 32000, 32000);
    rig_close(rig);
}

static void a_done_is_delivered_by_a_later_round_when_its_server_is_back(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_kill(rig, 1000, 0);
    rig_call(rig, 2000, 1, &done);
    rig_live(rig, 14000); /* it pings in its first round, and libzmq connects again and again */
    rig_set(rig, 0, RIG_SERVES);
    rig_live(rig, 110000);
    expect_end(rig, 1, AQ_OUTCOME_OK, 14000, 14110);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_close(rig);
}

static void a_server_killed_with_a_request_under_way_is_stuck_though_it_restarts(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_set(rig, 0, RIG_SWALLOWS);
    uint64_t first = call_at(rig, 1000, 1, &put, 0);
    rig_live(rig, 1010);
    rig_kill(rig, 1010, 0);
    rig_set(rig, 0, RIG_SERVES); /* back at once, and well for whoever connects anew */
    rig_call(rig, 2500, 30, &done);
    rig_call(rig, 2500, 31, &stats);
    rig_call(rig, 2500, 32, &ping);
    uint64_t second = call_at(rig, 2500, 33, &get, 0);
    rig_live(rig, 3600 * 1000);
    for (uint64_t call = 30; call <= 32; call++)
        assert_int_equal(rig->ends[call].times, 0);
    assert_int_equal(rig->ends[first].times, 0);
    assert_int_equal(rig->ends[second].times, 0);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    /* add_server makes the connection anew; who was stuck stays so, the sweep too */
    struct aq_request add = rig_address(AQ_ACTION_ADD_SERVER, "s0:5555");
    rig_call(rig, 3700 * 1000, 50, &add);
    rig_call(rig, 3700 * 1000, 51, &done);
    rig_live(rig, 7200 * 1000);
    expect_end(rig, 51, AQ_OUTCOME_OK, 3700 * 1000, 3700 * 1000 + 10);
    assert_int_equal(rig->ends[30].times, 0);
    assert_int_equal(aq_client_next_wake(rig->client), AQ_TIME_NEVER);
    /* update_servers makes all anew, and sweeps again */
    struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0:5555,s1:5555");
    rig_call(rig, 7200 * 1000, 52, &update);
    rig_live(rig, 7210 * 1000);
    assert_in_range(aq_client_next_wake(rig->client), 7320 * AQ_US_PER_S, 7321 * AQ_US_PER_S);
    assert_int_equal(rig->ends[30].times, 0);
    rig_close(rig);
}

static void callers_of_a_dead_server_fail_one_after_the_other(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    rig_kill(rig, 1000, 0);
    uint64_t calls[3], next = 1;
    for (uint32_t i = 0; i < 3; i++) {
        calls[i] = call_at(rig, 2000, next, &put, 0);
        next = calls[i] + 1;
    }
    rig_live(rig, 100000);
    for (uint32_t i = 0; i < 3; i++)
        expect_end(rig, calls[i], AQ_OUTCOME_OK, 22500 + i * 22500, 22510 + i * 22500);
    rig_close(rig);
}

static void the_sick_sweep_finds_a_dead_server_and_makes_it_well_for_ten_seconds_each_time(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    rig_kill(rig, 1000, 0);
    static const struct {
        uint64_t ms;
        enum aq_server_health health;
    } seen[] = {
        {119000, AQ_SERVER_WELL}, /* nobody has used it */
        {129900, AQ_SERVER_WELL}, {130100, AQ_SERVER_SICK}, {130400, AQ_SERVER_WELL},
        {140200, AQ_SERVER_WELL}, {140400, AQ_SERVER_SICK}, {260000, AQ_SERVER_SICK},
        {270700, AQ_SERVER_WELL}, {280600, AQ_SERVER_SICK}, /* every 120 s and its own 20 s */
    };
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        rig_live(rig, seen[i].ms);
        if (aq_client_health(rig->client, 0) != seen[i].health)
            fail_msg("at %u ms it is not as expected", (unsigned)seen[i].ms);
    }
    rig_set(rig, 0, RIG_SERVES);
    rig_live(rig, 399000);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK); /* back, and not noticed */
    rig_live(rig, 401000);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_close(rig);
    rig = open_served(&aq_client_policy_upstream, 1);
    rig_live(rig, 1000000);
    assert_int_equal(rig->send_count, 0); /* a single server is not swept */
    rig_close(rig);
}

static void a_failed_send_makes_a_sick_server_well_again(void **state) {
    (void)state;
    struct rig *rig = open_served(&aq_client_policy_upstream, 2);
    struct aq_request touch = rig_job(AQ_ACTION_TOUCH, rig_job_at(rig, 0, "j1"));
    rig_kill(rig, 1000, 0);
    call_at(rig, 2000, 1, &put, 0);
    rig_live(rig, 30000);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_SICK);
    rig_call(rig, 30000, 40, &touch);
    rig_live(rig, 45000);
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_WELL);
    rig_close(rig);
}

static void stats_fail_with_one_server_after_ten_seconds_and_longer_each_time(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_upstream;
    policy.sick_sweep_us = AQ_TIME_NEVER;
    struct rig *rig = open_served(&policy, 2);
    rig_set(rig, 1, RIG_REFUSES); /* dead from the start: its connection never succeeded */
    uint64_t at_ms = 1000;
    for (uint64_t i = 0; i < 3; i++) {
        rig_call(rig, at_ms, i, &stats);
        rig_live(rig, at_ms + 15000);
        expect_end(rig, i, AQ_OUTCOME_EMPTY, at_ms + 12250 + i * 1000, at_ms + 12300 + i * 1000);
        at_ms += 16000;
    }
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_WELL);
    rig_call(rig, at_ms, 10, &ping); /* only that makes it sick */
    rig_live(rig, at_ms + 15000);
    expect_end(rig, 10, AQ_OUTCOME_REFUSED, at_ms + 10000, at_ms + 10010);
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_SICK);
    rig_call(rig, at_ms + 15000, 11, &stats); /* of the well one alone */
    rig_live(rig, at_ms + 15010);
    expect_end(rig, 11, AQ_OUTCOME_OK, at_ms + 15000, at_ms + 15010);
    rig_close(rig);
}

static void with_every_server_dead_the_first_takes_the_calls(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_upstream;
    policy.sick_sweep_us = AQ_TIME_NEVER;
    struct rig *rig = open_served(&policy, 3);
    for (uint32_t i = 0; i < 3; i++)
        rig_set(rig, i, RIG_REFUSES);
    rig_call(rig, 1000, 1, &get);
    rig_live(rig, 300000);
    assert_int_equal(rig->ends[1].times, 1);
    assert_int_equal(rig->ends[1].outcome, AQ_OUTCOME_EMPTY);
    assert_in_range(rig->ends[1].ms, 1000 + 80000, 1000 + 100000);
    rig_close(rig);
}

static void more_than_two_hundred_callers_wait(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_upstream;
    policy.sick_sweep_us = AQ_TIME_NEVER;
    policy.callers_max = 3;
    struct rig *rig = open_served(&policy, 1);
    rig_set(rig, 0, RIG_SWALLOWS);
    for (uint64_t i = 0; i < 5; i++)
        rig_call(rig, 1000, i, &get);
    rig_live(rig, 1010);
    rig_forget(rig);
    struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0:5555");
    rig_call(rig, 2000, 9, &update); /* not even this is served */
    rig_expect(rig, "[2000] call 9 update_servers\n");
    assert_int_equal(aq_client_calls_open(rig->client), 6);
    rig_ok(rig, 3000, 0);
    rig_expect(rig, "[3000] reply 0 -> answer 0 ok, send 0 get, choice 0\n");
    rig_close(rig);
    assert_int_equal(aq_client_policy_upstream.callers_max, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_aimed_at_a_dead_server_moves_after_twenty_seconds_and_later_ones_avoid_it),
        cmocka_unit_test(a_done_to_a_dead_server_answers_an_empty_object_after_a_minute),
        cmocka_unit_test(a_done_is_delivered_by_a_later_round_when_its_server_is_back),
        cmocka_unit_test(a_server_killed_with_a_request_under_way_is_stuck_though_it_restarts),
        cmocka_unit_test(callers_of_a_dead_server_fail_one_after_the_other),
        cmocka_unit_test(the_sick_sweep_finds_a_dead_server_and_makes_it_well_for_ten_seconds_each_time),
        cmocka_unit_test(a_failed_send_makes_a_sick_server_well_again),
        cmocka_unit_test(stats_fail_with_one_server_after_ten_seconds_and_longer_each_time),
        cmocka_unit_test(with_every_server_dead_the_first_takes_the_calls),
        cmocka_unit_test(more_than_two_hundred_callers_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
