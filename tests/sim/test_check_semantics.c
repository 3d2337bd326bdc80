#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_semantics;

#define PRIORITY      "a job was handed out before one of higher priority"
#define DELAY_EARLY   "a delayed job was ready before its time"
#define DELAY_LATE    "a delayed job was ready too late"
#define DELAY_NEVER   "a delayed job was never ready"
#define DELAY_WRONG   "the delay of a put was not kept"
#define LEASE_LENGTH  "a lease is not as long as the job's ttl"
#define LEASE_EARLY   "a lease ended before its time"
#define LEASE_LATE    "a lease outlived its time"
#define LIMIT_IGNORED "a job over its limit of expiries was not buried"
#define LIMIT_EARLY   "a job below its limit of expiries was buried"
#define MS            AQ_US_PER_MS
#define S             AQ_US_PER_S

static struct aq_ledger fake;

static void begin(bool upstream) {
    fake_init(&fake, &aq_check_semantics, 3, 10);
    if (upstream) fake.scenario.servers.policy = aq_server_policy_upstream;
    fake_start(&fake);
}

static void see(aq_time_us at_us, enum aq_seen_kind kind, uint32_t server) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind, .server = server});
}

/* Tube and lease times default to what is right. */
static void tap_as(aq_time_us at_us, uint32_t server, struct aq_tap tap, const struct aq_ledger_copy *copy,
                   uint64_t token) {
    if (!tap.tube.len) tap.tube = AQ_TEXT("work");
    if (tap.kind == AQ_TAP_LEASE && !tap.due_us) tap.due_us = at_us + (aq_time_us)tap.ttl_s * S;
    if (!tap.job_hash) tap.job_hash = 77;
    struct aq_observation seen = {
        .at_us = at_us, .kind = AQ_SEEN_TAP, .server = server, .tap = &tap, .tap_token = token};
    fake_see_copy(&fake, seen, copy, NULL);
}

static void put(aq_time_us at_us, uint32_t server, uint32_t priority) {
    tap_as(at_us, server, (struct aq_tap){.kind = AQ_TAP_PUT, .state = AQ_JOB_READY, .priority = priority},
           NULL, 0);
}

static void lease(aq_time_us at_us, uint32_t server, uint32_t priority) {
    tap_as(at_us, server,
           (struct aq_tap){.kind = AQ_TAP_LEASE,
                           .before = AQ_JOB_READY,
                           .state = AQ_JOB_RESERVED,
                           .priority = priority,
                           .ttl_s = 10},
           NULL, 0);
}

static void move(aq_time_us at_us, uint32_t server, enum aq_tap_kind kind, enum aq_job_state before,
                 enum aq_job_state state, uint32_t priority) {
    tap_as(at_us, server,
           (struct aq_tap){.kind = kind, .before = before, .state = state, .priority = priority}, NULL, 0);
}

/* ---- priority ---- */

static void jobs_in_order_of_priority_pass(void **state) {
    (void)state;
    begin(false);
    put(1, 0, 5);
    put(2, 0, 3);
    put(3, 1, 1); /* at another server */
    tap_as(4, 0, (struct aq_tap){.kind = AQ_TAP_PUT, .priority = 1, .tube = AQ_TEXT("other")}, NULL, 0);
    lease(5, 0, 3);
    lease(6, 0, 5);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "priority_judged") == 2 && fake_figure(&fake, "priority_unbooked") == 0);
    fake_close(&fake);
}

static void a_job_handed_out_before_a_better_one_is_caught(void **state) {
    (void)state;
    begin(false);
    put(1, 0, 5);
    put(2, 0, 3);
    lease(3, 0, 5);
    assert_int_equal(fake_caught(&fake, PRIORITY), 1);
    lease(4, 0, 3);
    assert_int_equal(fake.violations, 1);
    put(5, 0, 9);
    put(6, 0, 8);
    tap_as(7, 0, (struct aq_tap){.kind = AQ_TAP_TAKEN, .before = AQ_JOB_READY, .priority = 9}, NULL, 0);
    assert_int_equal(fake_caught(&fake, PRIORITY), 2);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);
}

/* Every way into and out of the ready queue is booked: only a job that is ready can be passed over. */
static void each_way_in_and_out_of_the_ready_queue_is_booked(void **state) {
    (void)state;
    static const struct {
        enum aq_tap_kind kind;
        enum aq_job_state before, state;
    } in[] = {{AQ_TAP_EXPIRED, AQ_JOB_RESERVED, AQ_JOB_READY},
              {AQ_TAP_RELEASED, AQ_JOB_RESERVED, AQ_JOB_READY},
              {AQ_TAP_KICKED, AQ_JOB_BURIED, AQ_JOB_READY},
              {AQ_TAP_MATURED, AQ_JOB_DELAYED, AQ_JOB_READY},
              {AQ_TAP_RESTORED, AQ_JOB_READY, AQ_JOB_READY}},
      no[] = {{AQ_TAP_EXPIRED, AQ_JOB_RESERVED, AQ_JOB_BURIED},
              {AQ_TAP_RELEASED, AQ_JOB_RESERVED, AQ_JOB_DELAYED},
              {AQ_TAP_BURIED, AQ_JOB_RESERVED, AQ_JOB_BURIED},
              {AQ_TAP_RESTORED, AQ_JOB_READY, AQ_JOB_BURIED},
              {AQ_TAP_PUT, AQ_JOB_READY, AQ_JOB_DELAYED},
              {AQ_TAP_DONE, AQ_JOB_RESERVED, AQ_JOB_RESERVED},
              {AQ_TAP_MISSED, AQ_JOB_READY, AQ_JOB_READY},
              {AQ_TAP_TOUCHED, AQ_JOB_RESERVED, AQ_JOB_RESERVED}},
      out[] = {{AQ_TAP_DELETED, AQ_JOB_READY, AQ_JOB_READY},
               {AQ_TAP_CLEARED, AQ_JOB_READY, AQ_JOB_READY},
               {AQ_TAP_LEASE, AQ_JOB_READY, AQ_JOB_RESERVED}};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        begin(false);
        move(1, 0, in[i].kind, in[i].before, in[i].state, 2);
        put(2, 0, 6);
        lease(3, 0, 6);
        assert_int_equal(fake_caught(&fake, PRIORITY), 1);
        fake_close(&fake);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        begin(false);
        move(1, 0, no[i].kind, no[i].before, no[i].state, 2);
        put(2, 0, 6);
        lease(3, 0, 6);
        assert_int_equal(fake_caught(&fake, PRIORITY), 0);
        fake_close(&fake);
    }
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        begin(false);
        put(1, 0, 2);
        put(2, 0, 6);
        move(3, 0, out[i].kind, out[i].before, out[i].state, 2);
        lease(4, 0, 6);
        assert_int_equal(fake_caught(&fake, PRIORITY), 0);
        fake_close(&fake);
    }
}

static void what_a_crash_took_cannot_be_passed_over(void **state) {
    (void)state;
    begin(false);
    put(1, 0, 1);
    put(1, 1, 1);
    see(2, AQ_SEEN_SERVER_DOWN, 0);
    see(3, AQ_SEEN_SERVER_UP, 0);
    put(4, 0, 7);
    lease(5, 0, 7);
    assert_int_equal(fake.violations, 0);
    put(6, 1, 7);
    lease(7, 1, 7); /* the other server has kept its job */
    assert_int_equal(fake_caught(&fake, PRIORITY), 1);
    fake_close(&fake);
}

/* ---- delay ---- */

static void delay(aq_time_us at_us, uint64_t job, aq_time_us due_us) {
    tap_as(at_us, 0,
           (struct aq_tap){
               .kind = AQ_TAP_PUT, .state = AQ_JOB_DELAYED, .due_us = due_us, .job_hash = job, .priority = 5},
           NULL, 0);
}

static void mature(aq_time_us at_us, uint64_t job) {
    tap_as(at_us, 0,
           (struct aq_tap){.kind = AQ_TAP_MATURED,
                           .before = AQ_JOB_DELAYED,
                           .state = AQ_JOB_READY,
                           .job_hash = job,
                           .priority = 5},
           NULL, 0);
}

static void a_delayed_job_is_ready_at_its_moment_or_wrong(void **state) {
    (void)state;
    for (uint32_t upstream = 0; upstream < 2; upstream++) {
        aq_time_us slack_us = upstream ? 2100 * MS : 1 * MS;
        begin(upstream);
        for (uint64_t job = 1; job <= 4; job++)
            delay(0, job, 5 * S);
        mature(5 * S, 1);
        mature(5 * S - 1, 2);
        assert_int_equal(fake_caught(&fake, DELAY_EARLY), 1);
        mature(5 * S + slack_us, 3);
        assert_int_equal(fake.violations, 1);
        mature(5 * S + slack_us + 1, 4);
        assert_int_equal(fake_caught(&fake, DELAY_LATE), 1);
        assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
        assert_true(fake_figure(&fake, "delay_judged") == 4);
        fake_close(&fake);
    }
}

static void a_stop_excuses_a_late_job_and_a_clock_jump_any(void **state) {
    (void)state;
    begin(false);
    delay(0, 1, 5 * S);
    delay(0, 2, 5 * S);
    delay(0, 4, 5 * S);
    see(4 * S, AQ_SEEN_SERVER_STOPPED, 0);
    mature(9 * S, 4); /* seen just before the end of the stop */
    see(9 * S, AQ_SEEN_SERVER_RESUMED, 0);
    mature(9 * S, 1);
    assert_int_equal(fake.violations, 0);
    mature(9 * S + 2 * MS, 2);
    assert_int_equal(fake_caught(&fake, DELAY_LATE), 1);
    delay(10 * S, 3, 15 * S);
    fake.servers[0].clock_jumped = true;
    mature(11 * S, 3);
    assert_int_equal(fake.violations, 1);
    fake_close(&fake);
}

static void a_delayed_job_that_stays_delayed_is_caught_at_the_end(void **state) {
    (void)state;
    begin(false);
    delay(0, 1, 5 * S);
    delay(0, 2, 5 * S);
    delay(0, 3, 50 * S); /* not due yet */
    tap_as(1, 0, (struct aq_tap){.kind = AQ_TAP_DELETED, .before = AQ_JOB_DELAYED, .job_hash = 2}, NULL, 0);
    put(20 * S, 1, 5);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, DELAY_NEVER), 1);
    fake_close(&fake);

    begin(false); /* lost in a crash: no longer waited for */
    delay(0, 1, 5 * S);
    delay(0, 2, 5 * S);
    see(1 * S, AQ_SEEN_SERVER_DOWN, 0);
    see(2 * S, AQ_SEEN_SERVER_UP, 0);
    put(20 * S, 0, 5);
    lease(20 * S, 0, 5);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void the_delay_that_producers_ask_for_is_given(void **state) {
    (void)state;
    begin(false);
    fake.scenario.producers.delay_s = 5;
    struct aq_tap tap = {.kind = AQ_TAP_PUT, .state = AQ_JOB_DELAYED, .priority = 1, .due_us = 8 * S};
    tap_as(3 * S, 0, tap, NULL, 1);
    assert_int_equal(fake.violations, 0);
    tap.due_us = 7 * S;
    tap_as(3 * S, 0, tap, NULL, 2);
    assert_int_equal(fake_caught(&fake, DELAY_WRONG), 1);
    tap.state = AQ_JOB_READY;
    tap_as(3 * S, 0, tap, NULL, 3);
    assert_int_equal(fake_caught(&fake, DELAY_WRONG), 2);
    tap_as(3 * S, 0, tap, NULL, 0); /* someone else's job */
    assert_int_equal(fake_caught(&fake, DELAY_WRONG), 2);
    fake_close(&fake);
}

/* ---- leases ---- */

static void a_lease_is_as_long_as_the_ttl(void **state) {
    (void)state;
    begin(false);
    put(1, 0, 5);
    lease(2, 0, 5);
    assert_int_equal(fake.violations, 0);
    struct aq_tap tap = {
        .kind = AQ_TAP_TOUCHED, .before = AQ_JOB_RESERVED, .state = AQ_JOB_RESERVED, .ttl_s = 10};
    tap.due_us = 13 * S;
    tap_as(3 * S, 0, tap, NULL, 0);
    assert_int_equal(fake.violations, 0);
    tap_as(4 * S, 0, tap, NULL, 0);
    assert_int_equal(fake_caught(&fake, LEASE_LENGTH), 1);
    fake_close(&fake);
}

static void a_lease_ends_at_its_moment_or_wrong(void **state) {
    (void)state;
    for (uint32_t upstream = 0; upstream < 2; upstream++) {
        aq_time_us slack_us = upstream ? 4100 * MS : 1 * MS;
        begin(upstream);
        struct aq_ledger_copy copy = {.server = 0, .lease_until_us = 10 * S};
        struct aq_tap tap = {
            .kind = AQ_TAP_EXPIRED, .before = AQ_JOB_RESERVED, .state = AQ_JOB_READY, .priority = 5};
        tap_as(10 * S, 0, tap, &copy, 0);
        assert_int_equal(fake.violations, 0);
        tap_as(10 * S - 1, 0, tap, &copy, 0);
        assert_int_equal(fake_caught(&fake, LEASE_EARLY), 1);
        tap_as(10 * S + slack_us, 0, tap, &copy, 0);
        assert_int_equal(fake_caught(&fake, LEASE_LATE), 0);
        tap_as(10 * S + slack_us + 1, 0, tap, &copy, 0);
        assert_int_equal(fake_caught(&fake, LEASE_LATE), 1);
        tap = (struct aq_tap){.kind = AQ_TAP_DONE, .before = AQ_JOB_RESERVED};
        tap_as(9 * S, 0, tap, &copy, 0);
        assert_int_equal(fake.violations, 2);
        tap_as(20 * S, 0, tap, &copy, 0);
        assert_int_equal(fake_caught(&fake, LEASE_LATE), 2);
        fake_close(&fake);
    }
}

static void a_lease_that_never_ends_is_caught_at_the_end(void **state) {
    (void)state;
    struct aq_ledger_copy copies[] = {
        {.server = 0, .state = AQ_JOB_RESERVED, .lease = 1, .lease_until_us = 10 * S},
        {.server = 0, .state = AQ_JOB_RESERVED, .lease = 2, .lease_until_us = 30 * S}, /* not due */
        {.server = 0, .state = AQ_JOB_RESERVED, .lease = 3, .lease_until_us = 10 * S, .gone = 1},
        {.server = 0, .state = AQ_JOB_RESERVED, .lease = 3, .lease_until_us = 10 * S, .lost = 1},
        {.server = 0, .state = AQ_JOB_READY, .lease_until_us = 10 * S},
        {.server = 1, .state = AQ_JOB_RESERVED, .lease = 4, .lease_until_us = 10 * S}, /* down */
    };
    begin(false);
    fake.copies = copies;
    fake.copy_count = sizeof copies / sizeof *copies;
    see(1 * S, AQ_SEEN_SERVER_DOWN, 1);
    put(20 * S, 0, 5);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, LEASE_LATE), 1);
    fake_close(&fake);
}

/* ---- the limit of expiries ---- */

static void expire(uint32_t expireds, enum aq_job_state state, uint64_t token) {
    struct aq_tap tap = {.kind = AQ_TAP_EXPIRED,
                         .before = AQ_JOB_RESERVED,
                         .state = state,
                         .expireds = expireds,
                         .priority = 5};
    tap_as(1, 0, tap, NULL, token);
}

static void a_job_is_buried_at_its_limit_of_expiries_and_not_before(void **state) {
    (void)state;
    begin(false);
    expire(2, AQ_JOB_READY, 1);
    expire(3, AQ_JOB_BURIED, 1);
    assert_int_equal(fake.violations, 0);
    expire(3, AQ_JOB_READY, 1);
    assert_int_equal(fake_caught(&fake, LIMIT_IGNORED), 1);
    expire(2, AQ_JOB_BURIED, 1);
    assert_int_equal(fake_caught(&fake, LIMIT_EARLY), 1);
    expire(9, AQ_JOB_READY, 0); /* someone else's job, with a limit of its own */
    assert_int_equal(fake.violations, 2);
    fake.scenario.producers.expired_limit = 5;
    expire(4, AQ_JOB_READY, 1);
    expire(5, AQ_JOB_BURIED, 1);
    assert_int_equal(fake.violations, 2);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_true(fake_figure(&fake, "limit_judged") == 6);
    fake_close(&fake);
}

static void a_run_without_a_job_is_unknown(void **state) {
    (void)state;
    begin(false);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_in_order_of_priority_pass),
        cmocka_unit_test(a_job_handed_out_before_a_better_one_is_caught),
        cmocka_unit_test(each_way_in_and_out_of_the_ready_queue_is_booked),
        cmocka_unit_test(what_a_crash_took_cannot_be_passed_over),
        cmocka_unit_test(a_delayed_job_is_ready_at_its_moment_or_wrong),
        cmocka_unit_test(a_stop_excuses_a_late_job_and_a_clock_jump_any),
        cmocka_unit_test(a_delayed_job_that_stays_delayed_is_caught_at_the_end),
        cmocka_unit_test(the_delay_that_producers_ask_for_is_given),
        cmocka_unit_test(a_lease_is_as_long_as_the_ttl),
        cmocka_unit_test(a_lease_ends_at_its_moment_or_wrong),
        cmocka_unit_test(a_lease_that_never_ends_is_caught_at_the_end),
        cmocka_unit_test(a_job_is_buried_at_its_limit_of_expiries_and_not_before),
        cmocka_unit_test(a_run_without_a_job_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
