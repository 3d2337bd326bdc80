/* What is written, when a reply may go out, and what a restart gives back. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/error.h"
#include "tests/fakeserver/trace.h"

static struct world *persistent(const struct aq_server_policy *policy) {
    struct world *w = world_new(policy);
    aq_server_free(w->server);
    w->config.persistent = true;
    assert_int_equal(aq_server_new(&w->config, &w->server), 0);
    return w;
}

static struct world *strict(void) {
    return persistent(&aq_server_policy_strict);
}

static void put_as(struct world *w, int32_t priority, int64_t ttl_s, int64_t delay_s) {
    world_send(w, (struct aq_request){
                      .action = AQ_ACTION_PUT,
                      .given = AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_TTL | AQ_PARAM_DELAY |
                               AQ_PARAM_PRIORITY | AQ_PARAM_EXPIRED_LIMIT,
                      .tube = AQ_TEXT("t"),
                      .body = AQ_TEXT("b"),
                      .ttl_s = ttl_s,
                      .delay_s = delay_s,
                      .priority = priority,
                      .expired_limit = 9,
                  });
    world_saved(w);
}

static void a_reply_waits_until_its_change_is_saved(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_expect(w, "[0] write J1 ready\n[0] put J1 ready p5\n");
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_get(w, "t");
    world_until(w, 1);
    world_expect(w, "");
    world_expect_open(w, 3);
    assert_int_equal(aq_server_counters(w->server).queue, 3);
    world_saved(w);
    world_expect(w,
                 "[1] 1 < put J1\n[1] 2 < pong\n[1] write J1 reserved\n[1] lease J1 reserved p5 #1 ->61\n");
    world_until(w, 2);
    world_saved(w);
    world_expect(w, "[2] 3 < get J1 'b'\n");
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_expect(w, "[2] erase J1\n[2] done J1 from reserved #1\n");
    world_saved(w);
    world_expect(w, "[2] 4 < done J1\n");
    world_get(w, "t");
    world_expect(w, "[2] empty\n[2] 5 < get\n");
    assert_int_equal(w->disk_count, 0);
    world_expect_open(w, 0);
    world_free(w);
}

static void every_change_is_written(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    put_as(w, 5, 60, 0);
    put_as(w, 5, 60, 5);
    world_until(w, 5);
    world_expect(
        w, "[0] write J1 ready\n[0] 1 < put J1\n[0] write J2 delayed\n[0] 2 < put J2\n[5] write J2 ready\n");
    world_saved(w);
    static const enum aq_action steps[] = {AQ_ACTION_GET,  AQ_ACTION_TOUCH, AQ_ACTION_RELEASE,
                                           AQ_ACTION_GET,  AQ_ACTION_GET,   AQ_ACTION_BURY,
                                           AQ_ACTION_KICK, AQ_ACTION_CLEAR};
    static const char *const jobs[] = {"", "J1", "J1", "", "", "J1", "", ""};
    for (int i = 0; i < 8; i++) {
        if (*jobs[i])
            world_on_job(w, steps[i], jobs[i]);
        else
            world_on_tube(w, steps[i], "t");
        world_saved(w);
    }
    world_expect(w, "[5] write J1 reserved\n[5] 3 < get J1 'b'\n[5] write J1 reserved\n[5] 4 < touch J1\n"
                    "[5] write J1 ready\n[5] 5 < release J1\n[5] write J2 reserved\n[5] 6 < get J2 'b'\n"
                    "[5] write J1 reserved\n[5] 7 < get J1 'b' x0 r1\n[5] write J1 buried\n[5] 8 < bury J1\n"
                    "[5] write J1 ready\n[5] 9 < kick J1\n[5] erase J1\n[5] erase J2\n[5] 10 < clear\n");
    world_free(w);
}

static void get_with_delete_holds_the_job_until_its_reply(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "a body that is too long to be kept inside of the job itself");
    world_saved(w);
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_GET,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_REMOVE,
                                      .tube = AQ_TEXT("t"),
                                      .remove = true});
    for (int i = 0; i < 3; i++)
        world_put(w, "t", "another");
    world_expect(w, "[0] erase J1\n[0] taken J1 from ready #1\n");
    world_saved(w);
    world_expect(w, "[0] 2 < get J1 'a body that is too long to be kept inside of the job itself'\n"
                    "[0] write J2 ready\n[0] put J2 ready p5\n");
    world_free(w);
}

static void a_sweep_that_writes_holds_up_requests_until_saved(void **state) {
    (void)state;
    struct world *w = strict();
    put_as(w, 2, 10, 0);
    world_get(w, "t");
    world_saved(w);
    world_forget(w);
    world_until(w, 10);
    world_expect(w, "[10] write J1 ready\n[10] expired J1 ready p2 x1 #1\n");
    world_get(w, "t");
    world_expect(w, "");
    assert_true(aq_server_next_wake(w->server) == AQ_TIME_NEVER);
    world_saved(w);
    world_expect(w, "[10] write J1 reserved\n[10] lease J1 reserved p2 x1 #2 ->20\n");
    world_saved(w);
    world_expect(w, "[10] 3 < get J1 'b' x1 r0\n");
    world_free(w);
}

static void a_pause_between_saving_and_replying_holds_the_reply(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_PAUSE, .id = 1});
    world_forget(w);
    world_saved(w);
    world_until(w, 5);
    world_expect(w, "");
    world_heal(w, 1);
    world_expect(w, "[5] 1 < put J1\n");
    world_free(w);
}

static void a_dropped_reply_is_saved_and_finished_only_then(void **state) {
    (void)state;
    struct world *w = strict();
    world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_DROP_REPLY, .id = 1, .probability = 1});
    world_put(w, "t", "b");
    world_expect_open(w, 1);
    world_saved(w);
    world_expect_open(w, 0);
    world_expect(w, "[0] write J1 ready\n[0] put J1 ready p5\n");
    world_saved(w); /* nothing is waited for */
    world_expect(w, "");
    world_free(w);
}

/* The crash comes after the change was applied and before it was saved: nobody was told, and the request is
 * its owner's again. */
static void a_crash_before_saved_leaves_no_reply(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_get(w, "t");
    world_expect(w, "[0] write J1 ready\n[0] put J1 ready p5\n");
    w->disk_count = 0; /* the write was lost */
    world_restart(w, true);
    world_expect(w, "");
    world_expect_open(w, 2);
    assert_int_equal(aq_server_counters(w->server).jobs[AQ_JOB_READY], 0);
    world_free(w);
}

static void strict_restores_every_job_as_it_was(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    put_as(w, 3, 100, 0);
    put_as(w, 4, 50, 0);
    put_as(w, 2, 20, 0);
    put_as(w, 7, 60, 30);
    put_as(w, 8, 60, 0);
    for (int i = 0; i < 3; i++) { /* by priority: J3, J1, J2 */
        world_get(w, "t");
        world_saved(w);
    }
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_saved(w);
    world_on_job(w, AQ_ACTION_RELEASE, "J2");
    world_saved(w);
    world_until(w, 10);
    world_restart(w, false);
    world_forget(w);
    w->taps_shown = true;
    world_restart(w, true);
    world_expect(
        w, "[10] restored J1 buried p3\n[10] restored J2 ready p4\n[10] restored J3 reserved p2 #1 ->20\n"
           "[10] restored J4 delayed p7 ->30\n[10] restored J5 ready p8\n");
    world_until(w, 15);
    world_on_job(w, AQ_ACTION_DONE, "J3");
    world_saved(w);
    world_get(w, "t");
    world_saved(w);
    world_until(w, 30);
    world_saved(w);
    world_until(w, 64.9);
    world_expect(w, "[15] erase J3\n[15] done J3 from reserved #1\n[15] 11 < done J3\n"
                    "[15] write J2 reserved\n[15] lease J2 reserved p4 #2 ->65\n[15] 12 < get J2 'b' x0 r1\n"
                    "[30] write J4 ready\n[30] matured J4 ready p7\n");
    world_until(w, 65);
    world_expect(w, "[65] write J2 ready\n[65] expired J2 ready p4 x1 #2\n");
    world_free(w);
}

static void leases_that_ran_out_while_the_server_was_down_expire_at_once(void **state) {
    (void)state;
    struct world *w = strict();
    put_as(w, 3, 10, 0);
    world_get(w, "t");
    world_saved(w);
    world_until(w, 5);
    world_restart(w, false); /* down: nothing is loaded, nothing happens */
    world_until(w, 40);
    world_forget(w);
    world_restart(w, true);
    world_until(w, 40);
    world_expect(
        w, "[40] restored J1 reserved p3 #1 ->10\n[40] write J1 ready\n[40] expired J1 ready p3 x1 #1\n");
    world_free(w);
}

static void a_clock_that_stays_wrong_after_a_restart_still_fits_its_records(void **state) {
    (void)state;
    struct world *w = strict();
    world_fault(w, (struct aq_fault_rule){
                       .kind = AQ_SERVER_FAULT_CLOCK_JUMP, .id = 1, .jump_us = -100 * (int64_t)AQ_US_PER_S});
    put_as(w, 3, 10, 0);
    world_get(w, "t");
    world_saved(w);
    world_forget(w);
    w->config.clock_offset_us = -100 * (int64_t)AQ_US_PER_S;
    world_restart(w, true);
    world_until(w, 20);
    world_expect(
        w, "[0] restored J1 reserved p3 #1 ->10\n[10] write J1 ready\n[10] expired J1 ready p3 x1 #1\n");
    world_free(w);
}

/* J1 ready with priority 2 and ttl 20, J2 buried, J3 delayed until 30, J4 held until 60; then a restart. */
static struct world *restarted(struct aq_server_policy policy) {
    struct world *w = persistent(&policy);
    put_as(w, 1, 60, 0);
    put_as(w, 1, 60, 0);
    put_as(w, 7, 60, 30);
    put_as(w, 1, 60, 0);
    world_get(w, "t");
    world_saved(w);
    world_get(w, "t");
    world_saved(w);
    world_get(w, "t");
    world_saved(w);
    world_on_job(w, AQ_ACTION_RELEASE, "J1");
    world_saved(w);
    world_on_job(w, AQ_ACTION_BURY, "J2");
    world_saved(w);
    world_forget(w);
    world_restart(w, true);
    return w;
}

static void upstream_renames_ready_jobs_forgets_buried_ones_and_revives_done_ones(void **state) {
    (void)state;
    struct world *w = restarted(aq_server_policy_upstream);
    world_expect(w, "[0] restored J3 delayed p7 ->30\n[0] restored J4 reserved p1 #1 ->60\n"
                    "[0] restored J5 ready p5 was J1\n");
    world_get(w, "t");
    world_saved(w);
    world_on_job(w, AQ_ACTION_DONE, "J5");
    world_saved(w);
    world_expect(
        w,
        "[0] erase J5 ready\n[0] write J5 reserved\n[0] lease J5 reserved p5 #2 ->60\n[0] 10 < get J5 'b'\n"
        "[0] erase J5 reserved\n[0] done J5 from reserved #2\n[0] 11 < done J5\n");
    world_restart(w, true);
    world_expect(w, "[0] restored J3 delayed p7 ->30\n[0] restored J4 reserved p1 #1 ->60\n"
                    "[0] restored J6 ready p5 was J1\n");
    world_free(w);
}

static void restart_rows_act_one_by_one(void **state) {
    (void)state;
    struct aq_server_policy policy = aq_server_policy_strict;
    policy.restart_renames_ready = true;
    struct world *w = restarted(policy);
    world_expect(
        w, "[0] erase J1\n[0] write J5 ready\n[0] restored J5 ready p5 was J1\n[0] restored J2 buried p1\n"
           "[0] restored J3 delayed p7 ->30\n[0] restored J4 reserved p1 #1 ->60\n");
    world_free(w);

    policy = aq_server_policy_strict;
    policy.restart_forgets_buried = true;
    w = restarted(policy);
    world_expect(
        w,
        "[0] restored J1 ready p1\n[0] restored J3 delayed p7 ->30\n[0] restored J4 reserved p1 #1 ->60\n");
    assert_int_equal(w->disk_count, 4); /* its file stays */
    world_free(w);

    policy = aq_server_policy_strict;
    policy.priority_lost_on_expiry = true;
    w = restarted(policy);
    world_expect(w, "[0] restored J1 ready p5\n[0] restored J2 buried p1\n[0] restored J3 delayed p7 ->30\n"
                    "[0] restored J4 reserved p1 #1 ->60\n");
    world_free(w);

    policy = aq_server_policy_strict;
    policy.restart_revives_done = true; /* says something about renamed jobs only */
    w = restarted(policy);
    world_expect(w, "[0] restored J1 ready p1\n[0] restored J2 buried p1\n[0] restored J3 delayed p7 ->30\n"
                    "[0] restored J4 reserved p1 #1 ->60\n");
    world_free(w);
}

static void a_tube_without_a_ready_queue_is_missing_from_stats_upstream(void **state) {
    (void)state;
    for (int hide = 0; hide < 2; hide++) {
        struct world *w = strict();
        w->policy.stats_hide_tubeless = hide;
        w->taps_shown = false;
        put_as(w, 5, 60, 0);
        world_get(w, "t");
        world_saved(w);
        world_forget(w);
        world_restart(w, true);
        world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
        world_on_job(w, AQ_ACTION_RELEASE, "J1");
        world_saved(w);
        world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
        world_expect(
            w,
            hide
                ? "[0] 3 < stats actions 1 gets 0 puts 0\n[0] write J1 ready\n[0] 4 < release J1\n"
                  "[0] 5 < stats actions 3 gets 0 puts 0; t 1/0/0/0/0\n"
                : "[0] 3 < stats actions 1 gets 0 puts 0; t 0/0/1/0/0\n[0] write J1 ready\n[0] 4 < release J1\n"
                  "[0] 5 < stats actions 3 gets 0 puts 0; t 1/0/0/0/0\n");
        world_free(w);
    }
}

static void a_pause_needs_a_ready_queue_upstream(void **state) {
    (void)state;
    for (int needs = 0; needs < 2; needs++) {
        struct world *w = strict();
        w->policy.pause_needs_tube = needs;
        w->taps_shown = false;
        put_as(w, 5, 60, 0);
        world_get(w, "t");
        world_saved(w);
        world_restart(w, true);
        world_on_tube(w, AQ_ACTION_PAUSE, "t");
        world_saved(w);
        world_on_job(w, AQ_ACTION_RELEASE, "J1");
        world_saved(w);
        world_forget(w);
        world_get(w, "t");
        world_saved(w);
        world_expect(w, needs ? "[0] write J1 reserved\n[0] 5 < get J1 'b' x0 r1\n" : "[0] 5 < get\n");
        world_free(w);
    }
}

static void records_that_cannot_be_are_refused_and_change_nothing(void **state) {
    (void)state;
    struct world *w = strict();
    const struct aq_job_record good = {.state = AQ_JOB_READY,
                                       .job_id = AQ_TEXT("id-from-elsewhere-that-is-rather-long"),
                                       .tube = AQ_TEXT("t"),
                                       .priority = 5,
                                       .ttl_s = 60,
                                       .expired_limit = 3};
    struct aq_job_record bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = good;
    static char long_id[AQ_JOB_REF_CHARS_MAX + 1];
    memset(long_id, 'x', sizeof long_id);
    bad[0].job_id.len = 0;
    bad[1].job_id = (struct aq_text){long_id, sizeof long_id};
    bad[2].priority = 0;
    bad[3].priority = AQ_PRIORITY_BUCKETS;
    bad[4].state = AQ_JOB_STATE_COUNT;
    bad[5].ttl_s = -1;
    bad[6].ttl_s = INT64_MAX;
    struct aq_server_event event = {.kind = AQ_SERVER_RESTORE};
    for (int i = 0; i < 7; i++) {
        event.record = &bad[i];
        assert_int_equal(world_step(w, &event), AQ_EINVALID);
    }
    event.record = &good;
    assert_int_equal(world_step(w, &event), 0);
    assert_int_equal(world_step(w, &event), AQ_EEXISTS);
    world_get(w, "t");
    world_saved(w);
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_saved(w);
    world_expect(
        w,
        "[0] restored J1 ready p5\n[0] write J1 reserved\n[0] lease J1 reserved p5 #1 ->60\n[0] 1 < get J1 ''\n"
        "[0] erase J1\n[0] done J1 from reserved #1\n[0] 2 < done J1\n");
    world_free(w);
}

static void collect(void *arg, const struct aq_job_record *record) {
    struct aq_job_record *records = arg;
    while (records->job_id.len)
        records++;
    *records = *record;
}

static void each_job_shows_what_a_restart_would_need(void **state) {
    (void)state;
    struct world *w = strict();
    put_as(w, 3, 10, 0);
    put_as(w, 4, 20, 30);
    world_get(w, "t");
    world_saved(w);
    struct aq_job_record found[3] = {0};
    aq_server_each_job(w->server, collect, found);
    assert_int_equal(w->disk_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(aq_text_equal(found[i].job_id, w->disk[i].job_id) &&
                    aq_text_equal(found[i].body, w->disk[i].body));
        assert_int_equal(found[i].state, w->disk[i].state);
        assert_int_equal(found[i].priority, 3 + i);
        assert_int_equal(found[i].ttl_s, 10 + 10 * i);
        assert_int_equal(found[i].expired_limit, 9);
        assert_int_equal(found[i].due_us, (10 + 20 * i) * AQ_US_PER_S);
        assert_int_equal(w->disk[i].due_us, found[i].due_us);
    }
    assert_int_equal(found[2].job_id.len, 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_waits_until_its_change_is_saved),
        cmocka_unit_test(every_change_is_written),
        cmocka_unit_test(get_with_delete_holds_the_job_until_its_reply),
        cmocka_unit_test(a_sweep_that_writes_holds_up_requests_until_saved),
        cmocka_unit_test(a_pause_between_saving_and_replying_holds_the_reply),
        cmocka_unit_test(a_dropped_reply_is_saved_and_finished_only_then),
        cmocka_unit_test(a_crash_before_saved_leaves_no_reply),
        cmocka_unit_test(strict_restores_every_job_as_it_was),
        cmocka_unit_test(leases_that_ran_out_while_the_server_was_down_expire_at_once),
        cmocka_unit_test(a_clock_that_stays_wrong_after_a_restart_still_fits_its_records),
        cmocka_unit_test(upstream_renames_ready_jobs_forgets_buried_ones_and_revives_done_ones),
        cmocka_unit_test(restart_rows_act_one_by_one),
        cmocka_unit_test(a_tube_without_a_ready_queue_is_missing_from_stats_upstream),
        cmocka_unit_test(a_pause_needs_a_ready_queue_upstream),
        cmocka_unit_test(records_that_cannot_be_are_refused_and_change_nothing),
        cmocka_unit_test(each_job_shows_what_a_restart_would_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
