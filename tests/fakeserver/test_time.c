/* Leases, delays, sweeps, throttles and clock jumps: what happens when. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakeserver/trace.h"

static void put(struct world *w, int64_t ttl_s, int64_t delay_s, int32_t priority) {
    world_send(w, (struct aq_request){
                      .action = AQ_ACTION_PUT,
                      .given = AQ_PARAM_TUBE | AQ_PARAM_TTL | AQ_PARAM_DELAY | AQ_PARAM_PRIORITY,
                      .tube = AQ_TEXT("t"),
                      .ttl_s = ttl_s,
                      .delay_s = delay_s,
                      .priority = priority,
                  });
}

static void throttle(struct world *w, double tps) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                      .tube = AQ_TEXT("t"),
                                      .tps = tps});
}

static void strict_leases_end_to_the_microsecond_and_keep_the_priority(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    world_until(w, 0.25);
    put(w, 2, 0, 3);
    for (int i = 0; i < 4; i++) {
        world_get(w, "t");
        world_until(w, 0.25 + 2 * (i + 1));
    }
    world_expect(w, "[0.25] put J1 ready p3\n[0.25] 1 < put J1\n"
                    "[0.25] lease J1 reserved p3 #1 ->2.25\n[0.25] 2 < get J1 ''\n"
                    "[2.25] expired J1 ready p3 x1 #1\n"
                    "[2.25] lease J1 reserved p3 x1 #2 ->4.25\n[2.25] 3 < get J1 '' x1 r0\n"
                    "[4.25] expired J1 ready p3 x2 #2\n"
                    "[4.25] lease J1 reserved p3 x2 #3 ->6.25\n[4.25] 4 < get J1 '' x2 r0\n"
                    "[6.25] expired J1 buried p3 x3 #3\n"
                    "[6.25] empty\n[6.25] 5 < get\n");
    world_free(w);
}

static void a_completion_at_the_moment_of_expiry_comes_too_late(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    put(w, 2, 0, 5);
    world_get(w, "t");
    world_forget(w);
    w->now_us = 2 * AQ_US_PER_S; /* the request is faster than the WAKE */
    w->taps_shown = false;
    world_on_job(w, AQ_ACTION_TOUCH, "J1");
    assert_int_equal(w->effects.items[0].tap.kind, AQ_TAP_EXPIRED);
    assert_int_equal(w->effects.items[1].tap.kind, AQ_TAP_MISSED);
    world_free(w);
}

/* ttl 1 from 0.2: 0 + 1 < 2 in whole seconds, seen by the sweep at 3. From 3.2: 3 + 1 < 5, seen at 6. */
static void upstream_leases_end_at_the_first_sweep_after_the_second_is_over(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_upstream);
    world_on_tube(w, AQ_ACTION_PING, "t"); /* sweeps tick from here on */
    world_until(w, 0.2);
    put(w, 1, 0, 3);
    world_get(w, "t");
    world_until(w, 3.2);
    world_get(w, "t");
    world_until(w, 9);
    world_expect(w, "[0] 1 < pong\n"
                    "[0.2] put J1 ready p3\n[0.2] 2 < put J1\n"
                    "[0.2] lease J1 reserved p3 #1 ->1.2\n[0.2] 3 < get J1 ''\n"
                    "[3] expired J1 ready p5 x1 #1\n"
                    "[3.2] lease J1 reserved p5 x1 #2 ->4.2\n[3.2] 4 < get J1 '' x1 r0\n"
                    "[6] expired J1 ready p5 x2 #2\n");
    world_free(w);
}

/* ttl 3 from 3.1: 3 + 3 < 7 in whole seconds, one second after the sweep at 6. */
static void upstream_expiry_takes_ttl_and_up_to_four_seconds(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_upstream);
    put(w, 3, 0, 5);
    world_until(w, 3.1);
    world_get(w, "t");
    world_forget(w);
    world_until(w, 8.9);
    world_expect(w, "");
    world_until(w, 9);
    world_expect(w, "[9] expired J1 ready p5 x1 #1\n");
    world_free(w);
}

static void delayed_jobs_ripen_exactly_in_strict_and_a_second_later_upstream(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    put(w, 60, 2, 7);
    put(w, 60, 0, 7);
    put(w, 60, -5, 7);
    world_until(w, 5);
    world_expect(w, "[0] put J1 delayed p7 ->2\n[0] 1 < put J1\n[0] put J2 ready p7\n[0] 2 < put J2\n"
                    "[0] put J3 ready p7\n[0] 3 < put J3\n[2] matured J1 ready p7\n");
    world_free(w);

    w = world_new(&aq_server_policy_upstream);
    put(w, 60, 2, 7);
    world_until(w, 0.5);
    put(w, 60, 2, 7);
    world_until(w, 5);
    world_expect(
        w, "[0] put J1 delayed p7 ->2\n[0] 1 < put J1\n[0.5] put J2 delayed p7 ->2.5\n[0.5] 2 < put J2\n"
           "[3] matured J1 ready p7\n[3] matured J2 ready p7\n");
    world_free(w);
}

static void endless_spans_do_not_wrap_and_negative_ones_are_none(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = world_new(i ? &aq_server_policy_upstream : &aq_server_policy_strict);
        put(w, INT64_MAX, 0, 5);
        put(w, 60, INT64_MAX, 5);
        world_get(w, "t");
        world_until(w, 1e6);
        world_expect(w, "[0] put J1 ready p5\n[0] 1 < put J1\n[0] put J2 delayed p5 ->1e+12\n[0] 2 < put J2\n"
                        "[0] lease J1 reserved p5 #1 ->1e+12\n[0] 3 < get J1 ''\n");
        put(w, INT64_MIN, INT64_MIN, INT32_MIN);
        world_get(w, "t");
        world_until(w, 1e6 + 3);
        world_expect(w,
                     i ? "[1000000] reaped J2 from delayed\n[1000000] put J3 ready p1\n[1000000] 4 < put J3\n"
                         "[1000000] lease J3 reserved p1 #2 ->1000000\n[1000000] 5 < get J3 ''\n"
                         "[1000002] expired J3 ready p5 x1 #2\n"
                       : "[1000000] put J3 ready p1\n[1000000] 4 < put J3\n"
                         "[1000000] lease J3 reserved p1 #2 ->1000000\n[1000000] 5 < get J3 ''\n"
                         "[1000000] expired J3 ready p1 x1 #2\n");
        world_free(w);
    }
}

/* The tick of 3 is made up for when the pause ends at 5, but finds only what was over at 3. */
static void a_sweep_that_a_pause_held_up_looks_as_of_its_tick(void **state) {
    (void)state;
    struct aq_server_policy policy = aq_server_policy_strict;
    policy.lease_sweep_us = 3 * AQ_US_PER_S;
    struct world *w = world_new(&policy);
    put(w, 2, 0, 5);
    put(w, 4, 0, 5);
    world_get(w, "t");
    world_get(w, "t");
    world_until(w, 1);
    world_forget(w);
    world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_PAUSE, .id = 1});
    world_until(w, 5);
    world_heal(w, 1);
    world_until(w, 9);
    world_expect(w, "[5] expired J1 ready p5 x1 #1\n[6] expired J2 ready p5 x1 #2\n");
    world_free(w);
}

static void a_throttle_is_a_sliding_window_of_one_second(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    w->taps_shown = false;
    for (int i = 0; i < 8; i++)
        put(w, 60, 0, 5);
    throttle(w, 2);
    world_forget(w);
    static const double times[] = {0, 0.6, 0.7, 0.999999, 1, 1.5, 1.6, 1.7};
    for (int i = 0; i < 8; i++) {
        world_until(w, times[i]);
        world_get(w, "t");
    }
    world_expect(w, "[0] 10 < get J1 ''\n[0.6] 11 < get J2 ''\n[0.7] 12 < get\n[0.999999] 13 < get\n"
                    "[1] 14 < get J3 ''\n[1.5] 15 < get\n[1.6] 16 < get J4 ''\n[1.7] 17 < get\n");
    throttle(w, 0);
    world_get(w, "t");
    world_expect(w, "[1.7] 18 < throttle =0\n[1.7] 19 < get J5 ''\n");
    world_free(w);
}

static void an_empty_get_uses_up_the_throttle_only_upstream(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = world_new(i ? &aq_server_policy_upstream : &aq_server_policy_strict);
        w->taps_shown = false;
        throttle(w, 1);
        world_get(w, "t");
        put(w, 60, 0, 5);
        world_get(w, "t");
        world_expect(w, i ? "[0] 1 < throttle =1\n[0] 2 < get\n[0] 3 < put J1\n[0] 4 < get\n"
                          : "[0] 1 < throttle =1\n[0] 2 < get\n[0] 3 < put J1\n[0] 4 < get J1 ''\n");
        world_free(w);
    }
}

static void a_throttle_below_one_is_kept_in_strict_and_off_upstream(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    w->taps_shown = false;
    put(w, 60, 0, 5);
    put(w, 60, 0, 5);
    throttle(w, 0.5);
    world_get(w, "t");
    world_until(w, 1.9);
    world_get(w, "t");
    world_until(w, 2);
    world_get(w, "t");
    throttle(w, 2.5);
    world_expect(w,
                 "[0] 1 < put J1\n[0] 2 < put J2\n[0] 3 < throttle =0.5\n[0] 4 < get J1 ''\n[1.9] 5 < get\n"
                 "[2] 6 < get J2 ''\n[2] 7 < throttle =2.5\n");
    world_free(w);
    w = world_new(&aq_server_policy_upstream);
    throttle(w, 0.5);
    throttle(w, 2.5);
    throttle(w, -1);
    world_expect(
        w,
        "[0] throttled 0\n[0] 1 < throttle =0\n[0] throttled 2\n[0] 2 < throttle =2\n[0] throttled 0\n[0] 3 < throttle =-1\n");
    world_free(w);
}

static void a_wide_throttle_window_keeps_its_order_as_it_grows(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    w->taps_shown = false;
    for (int i = 0; i < 60; i++)
        put(w, 60, 0, 5);
    throttle(w, 20);
    uint32_t served = 0;
    for (int i = 0; i < 50; i++) { /* one get every 40 ms: 25 a second are asked for, 20 pass */
        world_until(w, i * 0.04);
        uint64_t before = aq_server_counters(w->server).jobs[AQ_JOB_RESERVED];
        world_get(w, "t");
        served += aq_server_counters(w->server).jobs[AQ_JOB_RESERVED] > before;
    }
    assert_int_equal(served, 40);
    world_free(w);
}

static uint32_t gets_served(struct world *w, uint32_t sent) {
    uint64_t before = aq_server_counters(w->server).jobs[AQ_JOB_RESERVED];
    while (sent-- > 0)
        world_get(w, "t");
    return (uint32_t)(aq_server_counters(w->server).jobs[AQ_JOB_RESERVED] - before);
}

/* The ring of calls grows while its oldest call is not its first item. */
static void a_throttle_window_grows_in_the_middle(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    w->taps_shown = false;
    for (int i = 0; i < 40; i++)
        put(w, 60, 0, 5);
    throttle(w, 10);
    assert_int_equal(gets_served(w, 3), 3);
    world_until(w, 0.5);
    assert_int_equal(gets_served(w, 5), 5);
    world_until(w, 1);
    assert_int_equal(gets_served(w, 9), 5);
    world_until(w, 1.5);
    assert_int_equal(gets_served(w, 9), 5);
    world_until(w, 2);
    assert_int_equal(gets_served(w, 9), 5);
    world_free(w);
}

static void a_clock_jump_between_sweeps_waits_for_the_next(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_upstream);
    put(w, 60, 0, 5);
    put(w, 1, 0, 5);
    world_get(w, "t");
    world_get(w, "t");
    world_until(w, 4);
    world_forget(w);
    world_fault(w, (struct aq_fault_rule){
                       .kind = AQ_SERVER_FAULT_CLOCK_JUMP, .id = 1, .jump_us = 100 * (int64_t)AQ_US_PER_S});
    world_until(w, 5.9);
    world_expect(w, "");
    world_until(w, 9);
    world_expect(w, "[6] expired J1 ready p5 x1 #1\n");
    world_free(w);
}

static void a_clock_jump_ends_leases_early_and_its_healing_jumps_back(void **state) {
    (void)state;
    struct world *w = world_new(&aq_server_policy_strict);
    put(w, 60, 0, 5);
    put(w, 100, 0, 5);
    world_get(w, "t");
    world_get(w, "t");
    world_forget(w);
    world_until(w, 10);
    struct aq_fault_rule jump = {
        .kind = AQ_SERVER_FAULT_CLOCK_JUMP, .id = 7, .jump_us = 50 * (int64_t)AQ_US_PER_S};
    world_fault(w, jump);
    world_get(w, "t");
    world_expect(
        w,
        "[10] expired J1 ready p5 x1 #1\n[10] lease J1 reserved p5 x1 #3 ->70\n[10] 5 < get J1 '' x1 r0\n");
    assert_int_equal(aq_server_rule(w->server, 7)->touched, 1);
    world_until(w, 20);
    world_on_job(w, AQ_ACTION_TOUCH, "J2");
    world_expect(w, "[20] touched J2 reserved p5 #2 ->120\n[20] 6 < touch J2\n");
    world_heal(w, 7);
    assert_null(aq_server_rule(w->server, 7));
    world_until(w, 119.9);
    world_expect(w, "");
    world_until(w, 200);
    world_expect(w, "[120] expired J1 ready p5 x2 #3\n[170] expired J2 ready p5 x1 #2\n");
    world_free(w);
}

static void a_clock_that_jumps_to_before_the_run_still_orders_leases(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = world_new(i ? &aq_server_policy_upstream : &aq_server_policy_strict);
        w->taps_shown = false;
        put(w, 60, 0, 5);
        put(w, 60, 0, 5);
        world_get(w, "t");
        world_until(w, 1);
        world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_CLOCK_JUMP,
                                              .id = 1,
                                              .jump_us = -3600 * (int64_t)AQ_US_PER_S});
        world_get(w, "t");
        world_forget(w);
        w->taps_shown = true;
        world_until(w, 4000);
        world_expect(w, i ? "[63] expired J2 ready p5 x1 #2\n[3663] expired J1 ready p5 x1 #1\n"
                          : "[61] expired J2 ready p5 x1 #2\n[3660] expired J1 ready p5 x1 #1\n");
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_leases_end_to_the_microsecond_and_keep_the_priority),
        cmocka_unit_test(a_completion_at_the_moment_of_expiry_comes_too_late),
        cmocka_unit_test(upstream_leases_end_at_the_first_sweep_after_the_second_is_over),
        cmocka_unit_test(upstream_expiry_takes_ttl_and_up_to_four_seconds),
        cmocka_unit_test(delayed_jobs_ripen_exactly_in_strict_and_a_second_later_upstream),
        cmocka_unit_test(endless_spans_do_not_wrap_and_negative_ones_are_none),
        cmocka_unit_test(a_sweep_that_a_pause_held_up_looks_as_of_its_tick),
        cmocka_unit_test(a_throttle_is_a_sliding_window_of_one_second),
        cmocka_unit_test(an_empty_get_uses_up_the_throttle_only_upstream),
        cmocka_unit_test(a_throttle_below_one_is_kept_in_strict_and_off_upstream),
        cmocka_unit_test(a_wide_throttle_window_keeps_its_order_as_it_grows),
        cmocka_unit_test(a_throttle_window_grows_in_the_middle),
        cmocka_unit_test(a_clock_jump_between_sweeps_waits_for_the_next),
        cmocka_unit_test(a_clock_jump_ends_leases_early_and_its_healing_jumps_back),
        cmocka_unit_test(a_clock_that_jumps_to_before_the_run_still_orders_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
