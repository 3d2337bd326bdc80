/* Each row of the policy table makes its one difference when it alone is set on a strict server; and the
 * table names its rows. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fakeserver/policy.h"
#include "tests/fakeserver/trace.h"

/* A strict server with one row of the table set from its written form. */
static struct world *strict_but(const char *name, const char *value) {
    struct aq_server_policy policy = aq_server_policy_strict;
    struct aq_error error;
    assert_int_equal(aq_policy_set(&aq_server_policy_table, &policy, name, value, &error), 0);
    return world_new(&policy);
}

static void put(struct world *w, int64_t ttl_s, int64_t delay_s, int32_t expired_limit) {
    world_send(w, (struct aq_request){
                      .action = AQ_ACTION_PUT,
                      .given = AQ_PARAM_TUBE | AQ_PARAM_TTL | AQ_PARAM_DELAY | AQ_PARAM_PRIORITY |
                               AQ_PARAM_EXPIRED_LIMIT,
                      .tube = AQ_TEXT("t"),
                      .ttl_s = ttl_s,
                      .delay_s = delay_s,
                      .priority = 2,
                      .expired_limit = expired_limit,
                  });
}

static void the_table_names_spans_without_their_unit(void **state) {
    (void)state;
    assert_int_equal(aq_server_policy_table.count, 51);
    const struct aq_policy_field *field = aq_policy_find(&aq_server_policy_table, "lease_sweep");
    assert_non_null(field);
    assert_int_equal(field->type, AQ_POLICY_SPAN);
    assert_int_equal(field->offset, offsetof(struct aq_server_policy, lease_sweep_us));
    assert_non_null(aq_policy_find(&aq_server_policy_table, "delay_sweep"));
    assert_null(aq_policy_find(&aq_server_policy_table, "lease_sweep_us"));
    assert_non_null(aq_policy_find(&aq_server_policy_table, "blank_request_wedges"));
}

static void strict_has_no_quirk_and_upstream_has_all(void **state) {
    (void)state;
    for (size_t i = 0; i < aq_server_policy_table.count; i++) {
        const struct aq_policy_field *field = &aq_server_policy_table.fields[i];
        if (field->type != AQ_POLICY_BOOL) continue;
        assert_false(*((const bool *)((const char *)&aq_server_policy_strict + field->offset)));
        assert_true(*((const bool *)((const char *)&aq_server_policy_upstream + field->offset)));
    }
    assert_true(aq_server_policy_strict.lease_sweep_us == 0 && aq_server_policy_strict.delay_sweep_us == 0);
    assert_true(aq_server_policy_upstream.lease_sweep_us == 3000000 &&
                aq_server_policy_upstream.delay_sweep_us == 1000000);
    assert_true(aq_server_policy_strict.parent_sweep_us == 0 &&
                aq_server_policy_upstream.parent_sweep_us == 5000000);
}

static void lease_sweep_finds_leases_at_its_ticks(void **state) {
    (void)state;
    struct world *w = strict_but("lease_sweep", "700ms");
    put(w, 1, 0, 3);
    world_get(w, "t");
    world_forget(w);
    world_until(w, 3);
    world_expect(w, "[1.4] expired J1 ready p2 x1 #1\n");
    world_free(w);

    w = strict_but("lease_sweep", "never");
    put(w, 1, 0, 3);
    world_get(w, "t");
    world_forget(w);
    world_until(w, 1e6);
    world_expect(w, "");
    world_free(w);
}

static void delay_sweep_finds_delayed_jobs_at_its_ticks(void **state) {
    (void)state;
    struct world *w = strict_but("delay_sweep", "700ms");
    put(w, 1, 2, 3);
    world_forget(w);
    world_until(w, 3);
    world_expect(w, "[2.1] matured J1 ready p2\n");
    world_free(w);
}

static void whole_seconds_stretch_spans_to_the_end_of_the_next_second(void **state) {
    (void)state;
    struct world *w = strict_but("whole_seconds", "true");
    world_until(w, 0.3);
    put(w, 1, 2, 3);
    put(w, 2, 0, 3);
    world_get(w, "t");
    world_forget(w);
    world_until(w, 5);
    world_expect(w, "[3] expired J2 ready p2 x1 #1\n[3] matured J1 ready p2\n");
    world_free(w);
}

static void priority_lost_on_expiry_and_kick_is_five(void **state) {
    (void)state;
    struct world *w = strict_but("priority_lost_on_expiry", "true");
    put(w, 1, 0, 3);
    world_get(w, "t");
    world_until(w, 1);
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_forget(w);
    world_on_tube(w, AQ_ACTION_KICK, "t");
    world_expect(w, "[1] kicked J1 ready p5\n[1] 5 < kick J1\n");
    world_free(w);
}

/* Alone, a row changes the reply and nothing else. */
static void rows_about_replies_change_only_the_reply(void **state) {
    (void)state;
    struct world *w = strict_but("bury_reports_error", "true");
    put(w, 60, 0, 3);
    world_get(w, "t");
    world_forget(w);
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_expect(w, "[0] buried J1 buried p2 #1\n[0] 3 < bury J1 error \"Couldn't bury job_id = J1\"\n");
    world_free(w);

    w = strict_but("touch_unknown_ok", "true");
    world_on_job(w, AQ_ACTION_TOUCH, "x");
    world_on_job(w, AQ_ACTION_RELEASE, "x");
    world_expect(w, "[0] missed 'x'\n[0] 1 < touch 'x'\n[0] missed 'x'\n[0] 2 < release 'x'\n");
    world_free(w);

    w = strict_but("delete_ready_reports_error", "true");
    put(w, 60, 0, 3);
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_DELETE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_JOB_ID,
                                      .tube = AQ_TEXT("t"),
                                      .job_id = world_id(w, "J1")});
    world_expect(
        w,
        "[0] deleted J1 from ready\n[0] 2 < delete J1 error \"Job ID not found in reserved or buried.\"\n");
    world_free(w);
}

static void delete_by_presence_deletes_when_told_not_to(void **state) {
    (void)state;
    struct world *w = strict_but("delete_by_presence", "true");
    put(w, 60, 0, 3);
    put(w, 60, 0, 3);
    world_forget(w);
    struct aq_request get = {
        .action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE | AQ_PARAM_REMOVE, .tube = AQ_TEXT("t")};
    world_send(w, get);
    get.given = AQ_PARAM_TUBE;
    world_send(w, get);
    world_expect(
        w,
        "[0] taken J1 from ready #1\n[0] 3 < get J1 ''\n[0] lease J2 reserved p2 #2 ->60\n[0] 4 < get J2 ''\n");
    world_free(w);
}

static void kick_ignores_job_id_and_takes_the_oldest(void **state) {
    (void)state;
    struct world *w = strict_but("kick_ignores_job_id", "true");
    put(w, 60, 0, 3);
    put(w, 60, 0, 3);
    world_get(w, "t");
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_on_job(w, AQ_ACTION_BURY, "J2");
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_KICK,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_JOB_ID,
                                      .tube = AQ_TEXT("t"),
                                      .job_id = world_id(w, "J2")});
    world_expect(w, "[0] kicked J1 ready p2\n[0] 7 < kick J1\n");
    world_free(w);
}

static void kick_keeps_counts_so_that_the_next_expiry_buries_again(void **state) {
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct world *w = strict_but("kick_keeps_counts", keeps ? "true" : "false");
        put(w, 1, 0, 1);
        world_get(w, "t");
        world_until(w, 1);
        world_on_tube(w, AQ_ACTION_KICK, "t");
        world_get(w, "t");
        world_forget(w);
        world_until(w, 2);
        world_expect(w, keeps ? "[2] expired J1 buried p2 x2 #2\n" : "[2] expired J1 buried p2 x1 #2\n");
        world_free(w);
    }
    struct world *w = strict_but("kick_keeps_counts", "false");
    put(w, 1, 0, 2);
    for (int i = 0; i < 2; i++) {
        world_get(w, "t");
        world_until(w, i + 1);
    }
    world_on_tube(w, AQ_ACTION_KICK, "t");
    world_get(w, "t");
    world_forget(w);
    world_until(w, 3);
    world_expect(w, "[3] expired J1 ready p2 x1 #3\n");
    world_free(w);
}

static void pause_needs_tube_or_is_lost(void **state) {
    (void)state;
    for (int needs = 0; needs < 2; needs++) {
        struct world *w = strict_but("pause_needs_tube", needs ? "true" : "false");
        w->taps_shown = false;
        world_on_tube(w, AQ_ACTION_PAUSE, "t");
        put(w, 60, 0, 3);
        world_get(w, "t");
        put(w, 60, 0, 3);
        world_on_tube(w, AQ_ACTION_PAUSE, "t");
        world_get(w, "t");
        world_expect(
            w,
            needs
                ? "[0] 1 < pause\n[0] 2 < put J1\n[0] 3 < get J1 ''\n[0] 4 < put J2\n[0] 5 < pause\n[0] 6 < get\n"
                : "[0] 1 < pause\n[0] 2 < put J1\n[0] 3 < get\n[0] 4 < put J2\n[0] 5 < pause\n[0] 6 < get\n");
        world_free(w);
    }
}

static void clear_through_get_is_stopped_by_pause_and_throttle(void **state) {
    (void)state;
    struct world *w = strict_but("clear_through_get", "true");
    for (int i = 0; i < 3; i++)
        put(w, 60, 0, 3);
    put(w, 60, 9, 3);
    world_on_tube(w, AQ_ACTION_PAUSE, "t");
    world_forget(w);
    world_on_tube(w, AQ_ACTION_CLEAR, "t");
    world_on_tube(w, AQ_ACTION_UNPAUSE, "t");
    world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                      .tube = AQ_TEXT("t"),
                                      .tps = 2});
    world_on_tube(w, AQ_ACTION_CLEAR, "t");
    world_expect(
        w,
        "[0] cleared J4 from delayed\n[0] 6 < clear\n[0] unpaused\n[0] 7 < pause\n[0] throttled 2\n[0] 8 < throttle =2\n"
        "[0] cleared J1 from ready\n[0] cleared J2 from ready\n[0] 9 < clear\n");
    world_free(w);
}

static void throttle_counts_empty_gets(void **state) {
    (void)state;
    struct world *w = strict_but("throttle_counts_empty", "true");
    w->taps_shown = false;
    world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                      .tube = AQ_TEXT("t"),
                                      .tps = 1});
    world_get(w, "t");
    put(w, 60, 0, 3);
    world_get(w, "t");
    world_expect(w, "[0] 1 < throttle =1\n[0] 2 < get\n[0] 3 < put J1\n[0] 4 < get\n");
    world_free(w);
}

static void throttle_truncates_to_whole_numbers(void **state) {
    (void)state;
    struct world *w = strict_but("throttle_truncates", "true");
    world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                      .tube = AQ_TEXT("t"),
                                      .tps = 0.9});
    world_expect(w, "[0] throttled 0\n[0] 1 < throttle =0\n");
    world_free(w);
}

static void redirect_refuses_gets_while_jobs_are_held(void **state) {
    (void)state;
    struct world *w = strict_but("redirect_refuses_gets", "true");
    put(w, 60, 0, 3);
    world_send(w, (struct aq_request){.action = AQ_ACTION_ADMIN,
                                      .given = AQ_PARAM_ADDRESS | AQ_PARAM_PORT,
                                      .address = AQ_TEXT("h"),
                                      .port = 1});
    world_forget(w);
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_DELETE, "J1");
    world_get(w, "t");
    world_expect(
        w,
        "[0] empty\n[0] 3 < {}\n[0] deleted J1 from ready\n[0] 4 < delete J1\n[0] empty\n[0] 5 < redirect :1 =h\n");
    world_free(w);
}

static void a_blank_request_wedges_the_server_for_ever(void **state) {
    (void)state;
    struct world *w = strict_but("blank_request_wedges", "true");
    put(w, 1, 0, 3);
    world_get(w, "t");
    world_forget(w);
    world_malformed(w, "blank ");
    world_malformed(w, AQ_MALFORMED_BLANK);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_until(w, 100);
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_expect(w, "[0] failed\n[0] 3 < error: blank \n");
    world_expect_open(w, 0);
    assert_true(aq_server_next_wake(w->server) == AQ_TIME_NEVER);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_spans_without_their_unit),
        cmocka_unit_test(strict_has_no_quirk_and_upstream_has_all),
        cmocka_unit_test(lease_sweep_finds_leases_at_its_ticks),
        cmocka_unit_test(delay_sweep_finds_delayed_jobs_at_its_ticks),
        cmocka_unit_test(whole_seconds_stretch_spans_to_the_end_of_the_next_second),
        cmocka_unit_test(priority_lost_on_expiry_and_kick_is_five),
        cmocka_unit_test(rows_about_replies_change_only_the_reply),
        cmocka_unit_test(delete_by_presence_deletes_when_told_not_to),
        cmocka_unit_test(kick_ignores_job_id_and_takes_the_oldest),
        cmocka_unit_test(kick_keeps_counts_so_that_the_next_expiry_buries_again),
        cmocka_unit_test(pause_needs_tube_or_is_lost),
        cmocka_unit_test(clear_through_get_is_stopped_by_pause_and_throttle),
        cmocka_unit_test(throttle_counts_empty_gets),
        cmocka_unit_test(throttle_truncates_to_whole_numbers),
        cmocka_unit_test(redirect_refuses_gets_while_jobs_are_held),
        cmocka_unit_test(a_blank_request_wedges_the_server_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
