/* Rows of the policy table about disks, redirects, idle tubes and stats, each alone on a strict server; and
 * the faults that spoil replies, stall sweeps and fill disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakeserver/trace.h"

static struct world *strict_but(const char *name) {
    struct aq_server_policy policy = aq_server_policy_strict;
    struct aq_error error;
    if (name) assert_int_equal(aq_policy_set(&aq_server_policy_table, &policy, name, "true", &error), 0);
    return world_new(&policy);
}

static struct world *persistent_but(const char *name) {
    struct world *w = strict_but(name);
    w->config.persistent = true;
    world_restart(w, false);
    return w;
}

static void set_throttle(struct world *w, double tps) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                      .tube = AQ_TEXT("t"),
                                      .tps = tps});
}

static void put_delayed(struct world *w, const char *tube, int64_t delay_s) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_DELAY,
                                      .tube = aq_text_of(tube),
                                      .delay_s = delay_s});
}

static void put_saved(struct world *w, const char *tube) {
    world_put(w, tube, "b");
    world_saved(w);
}

static void get_saved(struct world *w, const char *tube) {
    world_get(w, tube);
    world_saved(w);
}

static void on_job_saved(struct world *w, enum aq_action action, const char *job) {
    world_on_job(w, action, job);
    world_saved(w);
}

static void stats(struct world *w) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
}

/* ---- the disk ---- */

static void a_move_is_one_write_in_strict_and_two_steps_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "moves_in_steps" : NULL);
        w->taps_shown = false;
        put_delayed(w, "t", 1);
        world_saved(w);
        world_until(w, 1);
        world_saved(w);
        get_saved(w, "t");
        on_job_saved(w, AQ_ACTION_RELEASE, "J1");
        get_saved(w, "t");
        on_job_saved(w, AQ_ACTION_BURY, "J1");
        world_on_tube(w, AQ_ACTION_KICK, "t");
        world_saved(w);
        world_expect(w, quirk ? "[0] write J1 delayed\n[0] 1 < put J1\n"
                                "[1] write J1 ready\n[1] erase J1 delayed\n"
                                "[1] erase J1 ready\n[1] write J1 reserved\n[1] 2 < get J1 ''\n"
                                "[1] erase J1 reserved\n[1] write J1 ready\n[1] 3 < release J1\n"
                                "[1] erase J1 ready\n[1] write J1 reserved\n[1] 4 < get J1 '' x0 r1\n"
                                "[1] write J1 buried from reserved\n[1] 5 < bury J1\n"
                                "[1] erase J1 buried\n[1] write J1 ready\n[1] 6 < kick J1\n"
                              : "[0] write J1 delayed\n[0] 1 < put J1\n[1] write J1 ready\n"
                                "[1] write J1 reserved\n[1] 2 < get J1 ''\n"
                                "[1] write J1 ready\n[1] 3 < release J1\n"
                                "[1] write J1 reserved\n[1] 4 < get J1 '' x0 r1\n"
                                "[1] write J1 buried\n[1] 5 < bury J1\n"
                                "[1] write J1 ready\n[1] 6 < kick J1\n");
        assert_int_equal(w->disk_count, 1);
        world_free(w);
    }
}

static void a_touch_is_not_saved_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "touch_not_saved" : NULL);
        put_saved(w, "t");
        get_saved(w, "t");
        world_until(w, 50);
        on_job_saved(w, AQ_ACTION_TOUCH, "J1");
        world_forget(w);
        world_restart(w, true);
        world_expect(w, quirk ? "[50] restored J1 reserved p5 #1 ->60\n"
                              : "[50] restored J1 reserved p5 #1 ->110\n");
        world_free(w);
    }
}

static void a_ready_job_that_was_deleted_comes_back_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "delete_ready_keeps_file" : NULL);
        put_saved(w, "t");
        on_job_saved(w, AQ_ACTION_DELETE, "J1");
        world_forget(w);
        world_restart(w, true);
        world_expect(w, quirk ? "[0] restored J1 ready p5\n" : "");
        world_free(w);
    }
}

static void clear_removes_the_files_of_jobs_held_elsewhere_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "clear_unsaves_others" : NULL);
        put_saved(w, "u");
        get_saved(w, "u");
        put_saved(w, "t");
        world_on_tube(w, AQ_ACTION_CLEAR, "t");
        world_saved(w);
        assert_int_equal(aq_server_counters(w->server).jobs[AQ_JOB_RESERVED], 1);
        assert_int_equal(w->disk_count, quirk ? 0 : 1);
        world_free(w);
    }
}

static void a_throttle_survives_a_restart_and_upstream_only_with_jobs(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        for (int jobs = 0; jobs < 2; jobs++) {
            struct world *w = persistent_but(quirk ? "restart_forgets_throttle" : NULL);
            set_throttle(w, 3);
            world_saved(w);
            if (jobs) put_saved(w, "t");
            world_restart(w, true);
            world_forget(w);
            put_saved(w, "t");
            world_forget(w);
            stats(w);
            bool kept = jobs || !quirk;
            assert_true((strstr(w->text, "max 3") != NULL) == kept);
            world_free(w);
        }
    }
}

static void a_throttle_that_was_lifted_is_not_on_disk(void **state) {
    (void)state;
    struct world *w = persistent_but(NULL);
    set_throttle(w, 3);
    world_saved(w);
    set_throttle(w, 0);
    world_saved(w);
    world_expect(w, "[0] write tube t max 3\n[0] throttled 3\n[0] 1 < throttle =3\n[0] erase tube t\n"
                    "[0] throttled 0\n[0] 2 < throttle =0\n");
    assert_int_equal(w->disk_count, 0);
    world_free(w);
}

static void a_pause_survives_a_restart_only_in_strict(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "restart_forgets_pause" : NULL);
        w->taps_shown = false;
        put_saved(w, "t");
        world_on_tube(w, AQ_ACTION_PAUSE, "t");
        world_saved(w);
        world_restart(w, true);
        world_forget(w);
        get_saved(w, "t");
        world_expect(w, quirk ? "[0] write J1 reserved\n[0] 3 < get J1 'b'\n" : "[0] 3 < get\n");
        world_free(w);
    }
}

static void a_tube_with_a_slash_is_not_found_at_a_restart_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "tube_names_are_paths" : NULL);
        put_saved(w, "a/b");
        put_saved(w, "ab");
        put_saved(w, "a/b");
        get_saved(w, "a/b");
        world_forget(w);
        world_restart(w, true);
        world_expect(w, quirk ? "[0] restored J1 reserved p5 #1 ->60 @a/b\n[0] restored J2 ready p5 @ab\n"
                              : "[0] restored J1 reserved p5 #1 ->60 @a/b\n[0] restored J2 ready p5 @ab\n"
                                "[0] restored J3 ready p5 @a/b\n");
        world_free(w);
    }
}

static struct aq_request parent_request(void) {
    return (struct aq_request){.action = AQ_ACTION_SET_PARENT_JOB,
                               .given = AQ_PARAM_TUBE | AQ_PARAM_LIMIT | AQ_PARAM_RUN_ON_TIMEOUT,
                               .tube = AQ_TEXT("p"),
                               .limit = 2,
                               .run_on_timeout = true};
}

static void put_child(struct world *w, const char *parent) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_PARENT_ID,
                                      .tube = AQ_TEXT("t"),
                                      .parent_id = world_id(w, parent)});
    world_saved(w);
}

static void a_restart_keeps_what_a_parent_knows_and_upstream_forgets_it(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "restart_resets_parents" : NULL);
        world_send(w, parent_request());
        world_saved(w);
        put_child(w, "J1");
        put_child(w, "J1");
        get_saved(w, "t");
        on_job_saved(w, AQ_ACTION_DONE, "J2");
        world_restart(w, true);
        get_saved(w, "t");
        world_forget(w);
        world_on_job(w, AQ_ACTION_DONE, "J3");
        world_saved(w);
        world_expect(w, quirk ? "[0] erase J3\n[0] done J3 from reserved #1 of J1\n"
                                "[0] child_counted J1 parent p5 ->3600 1/-1 done J3 @p\n[0] 7 < done J3\n"
                              : "[0] erase J3\n[0] done J3 from reserved #1 of J1\n"
                                "[0] child_counted J1 parent p5 ->3600 2/2 done J3 @p\n[0] write J1 ready\n"
                                "[0] parent_started J1 ready p5 2/2 @p\n[0] 7 < done J3\n");
        world_free(w);
    }
}

/* The tube has nothing ready or delayed since the restart, so that its folder is missing. */
static void a_parent_that_starts_without_a_folder_comes_back_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but("moves_in_steps");
        w->policy.parent_file_stays = quirk;
        world_send(w, parent_request());
        world_saved(w);
        world_restart(w, true);
        world_until(w, 3600);
        world_saved(w);
        get_saved(w, "p");
        on_job_saved(w, AQ_ACTION_DONE, "J1");
        world_forget(w);
        world_restart(w, true);
        world_expect(w, quirk ? "[3600] restored J1 parent p5 ->3600 @p\n" : "");
        world_free(w);
    }
}

static void a_full_disk_refuses_puts_and_upstream_acknowledges_what_is_lost(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = persistent_but(quirk ? "disk_errors_ignored" : NULL);
        w->taps_shown = false;
        put_saved(w, "t");
        world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_DISK_FULL, .id = 1, .probability = 1});
        world_forget(w);
        world_put(w, "t", "b");
        world_expect(w, quirk ? "[0] 2 < put J2\n" : "[0] 2 < error: No space left on device\n");
        assert_int_equal(aq_server_rule(w->server, 1)->touched, 1);
        get_saved(w, "t");
        on_job_saved(w, AQ_ACTION_DONE, "J1"); /* removing needs no room */
        world_expect(w, quirk ? "[0] 3 < get J1 'b'\n[0] erase J1\n[0] 4 < done J1\n"
                              : "[0] write J1 reserved\n[0] 3 < get J1 'b'\n[0] erase J1\n[0] 4 < done J1\n");
        world_heal(w, 1);
        put_saved(w, "t");
        assert_int_equal(w->disk_count, 1);
        world_free(w);
    }
}

/* ---- redirect ---- */

static struct world *redirected(const char *quirk) {
    struct world *w = strict_but(quirk);
    w->taps_shown = false;
    world_send(w, (struct aq_request){.action = AQ_ACTION_ADMIN,
                                      .given = AQ_PARAM_ADDRESS | AQ_PARAM_PORT,
                                      .address = AQ_TEXT("h"),
                                      .port = 1});
    world_forget(w);
    return w;
}

static void a_get_after_a_redirect_fails_upstream_as_soon_as_there_is_a_tube(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = redirected(quirk ? "redirect_fails_on_tubes" : NULL);
        world_get(w, "t");
        world_put(w, "t", "b");
        world_on_job(w, AQ_ACTION_DELETE, "J1");
        world_get(w, "t");
        world_expect(
            w, quirk ? "[0] 2 < redirect :1 =h\n[0] 3 < put J1\n[0] 4 < delete J1\n"
                       "[0] 5 < error: Invalid Int32: \"0.0\"\n"
                     : "[0] 2 < redirect :1 =h\n[0] 3 < put J1\n[0] 4 < delete J1\n[0] 5 < redirect :1 =h\n");
        world_free(w);
    }
}

static void replies_after_a_redirect_are_encoded_twice_upstream(void **state) {
    (void)state;
    struct world *w = redirected("redirect_double_encodes");
    world_put(w, "t", "b");
    world_get(w, "t");
    world_on_tube(w, AQ_ACTION_GET_MULTIPLE, "u");
    world_on_tube(w, AQ_ACTION_DRAIN, "t");
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT});
    world_expect(w, "[0] 2 < put J1 damage 1\n[0] 3 < get J1 'b'\n[0] 4 < get damage 1\n[0] 5 < {} damage 1\n"
                    "[0] 6 < error: Missing hash key: \"tube\"\n");
    world_free(w);
}

/* Only the word get is refused. */
static void get_multiple_jobs_goes_on_after_a_redirect_upstream(void **state) {
    (void)state;
    struct world *w = redirected("redirect_refuses_gets");
    world_put(w, "t", "b");
    world_get(w, "t");
    world_on_tube(w, AQ_ACTION_GET_MULTIPLE, "t");
    world_expect(w, "[0] 2 < put J1\n[0] 3 < {}\n[0] 4 < get J1 'b'\n");
    world_free(w);
}

static void ping_breaks_after_a_redirect_upstream(void **state) {
    (void)state;
    struct world *w = redirected("redirect_breaks_ping");
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_VERSION});
    world_expect(w, "[0] 2 < error: Unexpected char 'p' at line 1, column 1\n"
                    "[0] 3 < error: Unexpected char 'v' at line 1, column 1\n");
    world_free(w);
}

/* ---- tubes ---- */

static void an_idle_tube_is_dropped_with_its_delayed_jobs_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "reaper_ignores_delayed" : NULL);
        put_delayed(w, "t", 9000);
        put_delayed(w, "u", 9000);
        world_on_tube(w, AQ_ACTION_PAUSE, "t");
        world_until(w, 3601);
        world_get(w, "u");
        world_forget(w);
        world_until(w, 9000);
        world_expect(w, quirk ? "[9000] reaped J1 from delayed\n[9000] matured J2 ready p5 @u\n"
                              : "[9000] matured J1 ready p5\n[9000] matured J2 ready p5 @u\n");
        world_put(w, "t", "b");
        world_forget(w);
        world_get(w, "t");
        world_expect(w, quirk ? "[9000] lease J3 reserved p5 #1 ->9060\n[9000] 6 < get J3 'b'\n"
                              : "[9000] empty\n[9000] 6 < get\n");
        world_free(w);
    }
}

static void peek_and_clear_make_tubes_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "looking_makes_tube" : NULL);
        world_on_tube(w, AQ_ACTION_PEEK, "a");
        world_on_tube(w, AQ_ACTION_CLEAR, "b");
        world_forget(w);
        stats(w);
        world_expect(w, quirk ? "[0] 3 < stats actions 3 gets 0 puts 0; a 0/0/0/0/0; b 0/0/0/0/0\n"
                              : "[0] 3 < stats actions 3 gets 0 puts 0\n");
        world_free(w);
    }
}

static void a_get_of_many_uses_up_the_throttle_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but("throttle_counts_empty");
        w->policy.throttle_counts_each = quirk;
        w->taps_shown = false;
        set_throttle(w, 3);
        world_send(w, (struct aq_request){.action = AQ_ACTION_GET_MULTIPLE,
                                          .given = AQ_PARAM_TUBE | AQ_PARAM_COUNT,
                                          .tube = AQ_TEXT("t"),
                                          .count = 10});
        world_put(w, "t", "b");
        world_forget(w);
        world_get(w, "t");
        world_expect(w, quirk ? "[0] 4 < get\n" : "[0] 4 < get J1 'b'\n");
        world_free(w);
    }
}

static void stats_count_what_was_not_finished_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "stats_count_all_ends" : NULL);
        world_put(w, "t", "b");
        world_get(w, "t");
        world_until(w, 60);
        world_get(w, "t");
        world_until(w, 80);
        world_on_job(w, AQ_ACTION_BURY, "J1");
        world_forget(w);
        stats(w);
        world_expect(w, quirk ? "[80] 5 < stats actions 5 gets 2 puts 1; t 0/0/0/1/0 avg 40\n"
                              : "[80] 5 < stats actions 5 gets 2 puts 1; t 0/0/0/1/0\n");
        world_free(w);
    }
}

/* An expired job lies with priority 5, and a release brings its own back. */
static void a_release_brings_the_own_priority_back(void **state) {
    (void)state;
    struct world *w = strict_but("priority_lost_on_expiry");
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_PRIORITY,
                                      .tube = AQ_TEXT("t"),
                                      .priority = 2});
    world_get(w, "t");
    world_until(w, 60);
    world_get(w, "t");
    world_forget(w);
    world_on_job(w, AQ_ACTION_RELEASE, "J1");
    world_expect(w, "[60] released J1 ready p2 x1 #2\n[60] 4 < release J1\n");
    world_free(w);
}

/* ---- replies ---- */

static void text_that_is_not_ascii_cuts_the_reply_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "counts_characters" : NULL);
        w->taps_shown = false;
        world_put(w, "t", "plain");
        world_put(w, "t", "gr\xc3\xbcn");
        world_get(w, "t");
        world_get(w, "t");
        world_expect(w, quirk ? "[0] 1 < put J1\n[0] 2 < put J2\n[0] 3 < get J1 'plain'\n"
                                "[0] 4 < get J2 'gr\xc3\xbcn' damage 2\n"
                              : "[0] 1 < put J1\n[0] 2 < put J2\n[0] 3 < get J1 'plain'\n"
                                "[0] 4 < get J2 'gr\xc3\xbcn'\n");
        world_free(w);
    }
}

static void each_way_to_spoil_a_reply_leaves_the_job_as_it_is(void **state) {
    (void)state;
    static const struct {
        enum aq_server_fault_kind kind;
        const char *reply;
    } ways[] = {
        {AQ_SERVER_FAULT_MALFORMED_REPLY, "[0] 2 < get J1 'b' damage 4\n"},
        {AQ_SERVER_FAULT_TRUNCATED_REPLY, "[0] 2 < get J1 'b' damage 8\n"},
        {AQ_SERVER_FAULT_EMPTY_REPLY, "[0] 2 < get J1 'b' damage 16\n"},
        {AQ_SERVER_FAULT_OVERSIZED_REPLY, "[0] 2 < get J1 'b' damage 32\n"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct world *w = strict_but(NULL);
        w->taps_shown = false;
        world_fault(w, (struct aq_fault_rule){
                           .kind = ways[i].kind, .id = 1, .probability = 1, .actions = 1 << AQ_ACTION_GET});
        world_put(w, "t", "b");
        world_forget(w);
        world_get(w, "t");
        world_expect(w, ways[i].reply);
        world_on_job(w, AQ_ACTION_DONE, "J1");
        world_expect(w, "[0] 3 < done J1\n");
        assert_int_equal(aq_server_rule(w->server, 1)->touched, 1);
        world_free(w);
    }
}

static void a_wrong_id_names_a_job_that_nobody_has(void **state) {
    (void)state;
    struct world *w = strict_but(NULL);
    w->taps_shown = false;
    world_put(w, "t", "b");
    world_fault(w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_WRONG_ID_REPLY, .id = 1, .probability = 1});
    world_forget(w);
    world_get(w, "t");
    assert_null(strstr(w->text, "J1")); /* but another one, the second that was heard of */
    world_expect(w, "[0] 2 < get J2 'b'\n");
    world_heal(w, 1);
    world_on_job(w, AQ_ACTION_DONE, "J2");
    world_expect(w, "[0] 3 < done J2 error \"Couldn't find job job_id = J2 to set done\"\n");
    world_free(w);
}

static void stalled_sweeps_let_leases_delays_and_waits_go_on(void **state) {
    (void)state;
    for (int upstream = 0; upstream < 2; upstream++) {
        struct world *w = world_new(upstream ? &aq_server_policy_upstream : &aq_server_policy_strict);
        world_put(w, "t", "b");
        world_get(w, "t");
        put_delayed(w, "t", 5);
        world_fault(
            w, (struct aq_fault_rule){.kind = AQ_SERVER_FAULT_STALLED_SWEEPS, .id = 1, .probability = 1});
        world_forget(w);
        world_until(w, 100);
        world_get(w, "t");
        world_expect(w, "[100] empty\n[100] 4 < get\n");
        world_heal(w, 1);
        world_until(w, 110);
        world_expect(w, upstream ? "[101] matured J2 ready p5\n[102] expired J1 ready p5 x1 #1\n"
                                 : "[100] expired J1 ready p5 x1 #1\n[100] matured J2 ready p5\n");
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_is_one_write_in_strict_and_two_steps_upstream),
        cmocka_unit_test(a_touch_is_not_saved_upstream),
        cmocka_unit_test(a_ready_job_that_was_deleted_comes_back_upstream),
        cmocka_unit_test(clear_removes_the_files_of_jobs_held_elsewhere_upstream),
        cmocka_unit_test(a_throttle_survives_a_restart_and_upstream_only_with_jobs),
        cmocka_unit_test(a_throttle_that_was_lifted_is_not_on_disk),
        cmocka_unit_test(a_pause_survives_a_restart_only_in_strict),
        cmocka_unit_test(a_tube_with_a_slash_is_not_found_at_a_restart_upstream),
        cmocka_unit_test(a_restart_keeps_what_a_parent_knows_and_upstream_forgets_it),
        cmocka_unit_test(a_parent_that_starts_without_a_folder_comes_back_upstream),
        cmocka_unit_test(a_full_disk_refuses_puts_and_upstream_acknowledges_what_is_lost),
        cmocka_unit_test(a_get_after_a_redirect_fails_upstream_as_soon_as_there_is_a_tube),
        cmocka_unit_test(replies_after_a_redirect_are_encoded_twice_upstream),
        cmocka_unit_test(get_multiple_jobs_goes_on_after_a_redirect_upstream),
        cmocka_unit_test(ping_breaks_after_a_redirect_upstream),
        cmocka_unit_test(an_idle_tube_is_dropped_with_its_delayed_jobs_upstream),
        cmocka_unit_test(peek_and_clear_make_tubes_upstream),
        cmocka_unit_test(a_get_of_many_uses_up_the_throttle_upstream),
        cmocka_unit_test(stats_count_what_was_not_finished_upstream),
        cmocka_unit_test(a_release_brings_the_own_priority_back),
        cmocka_unit_test(text_that_is_not_ascii_cuts_the_reply_upstream),
        cmocka_unit_test(each_way_to_spoil_a_reply_leaves_the_job_as_it_is),
        cmocka_unit_test(a_wrong_id_names_a_job_that_nobody_has),
        cmocka_unit_test(stalled_sweeps_let_leases_delays_and_waits_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
