/* Parents wait for their children, for as long as they may; and each quirk of that makes its difference
 * alone. */
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

static struct world *strict(void) {
    return strict_but(NULL);
}

#define NO_LIMIT (-1)

static struct aq_request parent_request(int32_t limit) {
    return (struct aq_request){.action = AQ_ACTION_SET_PARENT_JOB,
                               .given = AQ_PARAM_TUBE | AQ_PARAM_PRIORITY |
                                        (limit == NO_LIMIT ? 0 : (uint32_t)AQ_PARAM_LIMIT),
                               .tube = AQ_TEXT("t"),
                               .priority = 2,
                               .limit = limit};
}

static void put_parent(struct world *w, int32_t limit) {
    world_send(w, parent_request(limit));
}

/* A noop below another parent. */
static void put_noop(struct world *w, int32_t limit, struct aq_text above) {
    struct aq_request request = parent_request(limit);
    request.given |= AQ_PARAM_NOOP | AQ_PARAM_PARENT_ID;
    request.noop = true;
    request.parent_id = above;
    world_send(w, request);
}

static void put_child(struct world *w, const char *parent) {
    static char id[AQ_JOB_REF_CHARS_MAX + 1];
    struct aq_text text = world_id(w, parent);
    snprintf(id, sizeof id, "%.*s", AQ_TEXT_ARGS(text));
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_PARENT_ID | AQ_PARAM_TTL,
                                      .tube = AQ_TEXT("c"),
                                      .ttl_s = 10,
                                      .parent_id = aq_text_of(id)});
}

static void get_and_done(struct world *w, const char *job) {
    world_get(w, "c");
    world_on_job(w, AQ_ACTION_DONE, job);
}

static void a_parent_starts_with_the_done_of_its_last_child(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, 2);
    put_child(w, "J1");
    put_child(w, "J1");
    world_get(w, "t");
    world_forget(w);
    get_and_done(w, "J2");
    world_expect(w,
                 "[0] lease J2 reserved p5 #1 ->10 of J1 @c\n[0] 5 < get J2 ''\n"
                 "[0] done J2 from reserved #1 of J1 @c\n[0] child_counted J1 parent p2 ->3600 1/2 done J2\n"
                 "[0] 6 < done J2\n");
    get_and_done(w, "J3");
    world_get(w, "t");
    world_expect(w,
                 "[0] lease J3 reserved p5 #2 ->10 of J1 @c\n[0] 7 < get J3 ''\n"
                 "[0] done J3 from reserved #2 of J1 @c\n[0] child_counted J1 parent p2 ->3600 2/2 done J3\n"
                 "[0] parent_started J1 ready p2 2/2\n[0] 8 < done J3\n"
                 "[0] lease J1 reserved p2 #3 ->60\n[0] 9 < get J1 ''\n");
    world_free(w);
}

static void a_waiting_parent_is_in_stats_and_no_get_finds_it(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, 1);
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_expect(w, "[0] parent_held J1 parent p2 ->3600 0/1\n[0] 1 < set_parent_job J1 J1 ''\n"
                    "[0] empty\n[0] 2 < get\n"
                    "[0] missed J1 parent p2 ->3600\n"
                    "[0] 3 < done J1 error \"Couldn't find job job_id = J1 to set done\"\n"
                    "[0] 4 < stats actions 4 gets 1 puts 0; t 0/0/0/0/1\n");
    world_free(w);
}

static void set_children_started_waits_for_those_that_were_put(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, NO_LIMIT);
    put_child(w, "J1");
    put_child(w, "J1");
    get_and_done(w, "J2");
    world_forget(w);
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J1");
    world_expect(w, "[0] children_started J1 parent p2 ->3600 1/2\n[0] 6 < set_children_started J1\n");
    get_and_done(w, "J3");
    world_expect(w,
                 "[0] lease J3 reserved p5 #2 ->10 of J1 @c\n[0] 7 < get J3 ''\n"
                 "[0] done J3 from reserved #2 of J1 @c\n[0] child_counted J1 parent p2 ->3600 2/2 done J3\n"
                 "[0] parent_started J1 ready p2 2/2\n[0] 8 < done J3\n");
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J1");
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "nobody");
    world_expect(w, "[0] failed J1\n[0] 9 < error: Missing hash key: \"J1\"\n"
                    "[0] failed 'nobody'\n[0] 10 < error: Missing hash key: \"nobody\"\n");
    world_free(w);
}

/* The children were all done before it was said that they were all put. */
static void set_children_started_starts_a_parent_whose_children_are_done(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, NO_LIMIT);
    put_child(w, "J1");
    get_and_done(w, "J2");
    world_forget(w);
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J1");
    world_expect(w, "[0] children_started J1 parent p2 ->3600 1/1\n[0] parent_started J1 ready p2 1/1\n"
                    "[0] 5 < set_children_started J1\n");
    world_free(w);
}

static void a_parent_without_children_starts_at_once_and_upstream_never(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "parent_zero_never_starts" : NULL);
        put_parent(w, 0);
        put_parent(w, NO_LIMIT);
        world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J2");
        world_expect(w,
                     quirk ? "[0] parent_held J1 parent p2 ->3600 0/0\n[0] 1 < set_parent_job J1 J1 ''\n"
                             "[0] parent_held J2 parent p2 ->3600 0/-1\n[0] 2 < set_parent_job J2 J2 ''\n"
                             "[0] children_started J2 parent p2 ->3600 0/0\n[0] 3 < set_children_started J2\n"
                           : "[0] parent_held J1 parent p2 ->3600 0/0\n[0] parent_started J1 ready p2 0/0\n"
                             "[0] 1 < set_parent_job J1 J1 ''\n"
                             "[0] parent_held J2 parent p2 ->3600 0/-1\n[0] 2 < set_parent_job J2 J2 ''\n"
                             "[0] children_started J2 parent p2 ->3600 0/0\n"
                             "[0] parent_started J2 ready p2 0/0\n[0] 3 < set_children_started J2\n");
        world_free(w);
    }
}

static void put_timed(struct world *w, int64_t timeout_s, bool run) {
    struct aq_request request = parent_request(1);
    request.given |= AQ_PARAM_TIMEOUT | AQ_PARAM_RUN_ON_TIMEOUT;
    request.timeout_s = timeout_s;
    request.run_on_timeout = run;
    world_send(w, request);
}

static void a_timeout_runs_the_parent_or_buries_it(void **state) {
    (void)state;
    struct world *w = strict();
    put_timed(w, 7, true);
    put_timed(w, 5, false);
    world_forget(w);
    world_until(w, 100);
    world_expect(w, "[5] timed_out J2 buried p2 0/1\n[7] timed_out J1 ready p2 0/1\n");
    world_on_tube(w, AQ_ACTION_KICK, "t");
    world_expect(w, "[100] kicked J2 ready p2\n[100] 3 < kick J2\n");
    world_free(w);

    struct aq_server_policy policy = aq_server_policy_upstream;
    w = world_new(&policy);
    put_timed(w, 7, true);
    put_timed(w, 5, false);
    world_forget(w);
    world_until(w, 100);
    world_expect(w, "[10] timed_out J2 buried p2 0/1\n[10] timed_out J1 ready p5 0/1\n");
    world_free(w);
}

static void a_child_of_a_parent_that_has_started_is_refused_and_upstream_put_all_the_same(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "parent_unknown_after_put" : NULL);
        put_child(w, "gone");
        world_get(w, "c");
        world_expect(w, quirk ? "[0] put J1 ready p5 @c\n[0] 1 < error: Missing hash key: \"gone\"\n"
                                "[0] lease J1 reserved p5 #1 ->10 @c\n[0] 2 < get J1 ''\n"
                              : "[0] failed @c\n[0] 1 < error: Missing hash key: \"gone\"\n"
                                "[0] empty @c\n[0] 2 < get\n");
        world_free(w);
    }
}

/* One child that expires twice looks like two that were done. */
static void an_expiry_counts_as_the_end_of_a_child_only_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "child_counts_on_expiry" : NULL);
        put_parent(w, 2);
        put_child(w, "J1");
        world_get(w, "c");
        world_until(w, 10);
        world_get(w, "c");
        world_forget(w);
        world_until(w, 20);
        world_expect(w, quirk ? "[20] expired J2 ready p5 x2 #2 of J1 @c\n"
                                "[20] child_counted J1 parent p2 ->3600 2/2 expired J2\n"
                                "[20] parent_started J1 ready p2 2/2\n"
                              : "[20] expired J2 ready p5 x2 #2 of J1 @c\n");
        world_free(w);
    }
}

static void a_buried_or_cleared_child_counts_only_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "child_counts_on_expiry" : NULL);
        put_parent(w, 9);
        put_child(w, "J1");
        put_child(w, "J1");
        world_get(w, "c");
        world_get(w, "c");
        world_forget(w);
        world_on_job(w, AQ_ACTION_BURY, "J2");
        world_on_tube(w, AQ_ACTION_CLEAR, "c");
        world_expect(w, quirk ? "[0] buried J2 buried p5 #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/9 buried J2\n[0] 6 < bury J2\n"
                                "[0] cleared J3 from reserved #2 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 2/9 cleared J3\n"
                                "[0] cleared J2 from buried of J1 @c\n[0] 7 < clear\n"
                              : "[0] buried J2 buried p5 #1 of J1 @c\n[0] 6 < bury J2\n"
                                "[0] cleared J3 from reserved #2 of J1 @c\n"
                                "[0] cleared J2 from buried of J1 @c\n[0] 7 < clear\n");
        world_free(w);
    }
}

static void a_deleted_child_counts_and_upstream_only_when_it_was_held(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "child_counts_when_held_only" : NULL);
        put_parent(w, 9);
        put_child(w, "J1");
        put_child(w, "J1");
        world_get(w, "c");
        world_forget(w);
        world_on_job(w, AQ_ACTION_DELETE, "J3");
        world_on_job(w, AQ_ACTION_DELETE, "J2");
        world_expect(w, quirk ? "[0] deleted J3 from ready of J1 @c\n[0] 5 < delete J3\n"
                                "[0] deleted J2 from reserved #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/9 deleted J2\n[0] 6 < delete J2\n"
                              : "[0] deleted J3 from ready of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/9 deleted J3\n[0] 5 < delete J3\n"
                                "[0] deleted J2 from reserved #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 2/9 deleted J2\n[0] 6 < delete J2\n");
        world_free(w);
    }
}

static void taking_the_last_child_hands_out_the_parent_in_the_same_get(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, 1);
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_PARENT_ID,
                                      .tube = AQ_TEXT("t"),
                                      .parent_id = world_id(w, "J1")});
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_GET,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_COUNT | AQ_PARAM_REMOVE,
                                      .tube = AQ_TEXT("t"),
                                      .count = 5,
                                      .remove = true});
    world_expect(w, "[0] taken J2 from ready #1 of J1\n[0] child_counted J1 parent p2 ->3600 1/1 taken J2\n"
                    "[0] parent_started J1 ready p2 1/1\n[0] taken J1 from ready #2\n"
                    "[0] 3 < get many J2 '' J1 ''\n");
    world_free(w);
}

static void a_parent_keeps_priority_and_delay_only_in_strict(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but(quirk ? "parent_loses_priority" : NULL);
        struct aq_request request = parent_request(1);
        request.given |= AQ_PARAM_DELAY;
        request.delay_s = 3;
        world_send(w, request);
        put_child(w, "J1");
        world_get(w, "c");
        world_forget(w);
        world_on_job(w, AQ_ACTION_DONE, "J2");
        world_until(w, 10);
        world_expect(w, quirk ? "[0] done J2 from reserved #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/1 done J2\n"
                                "[0] parent_started J1 ready p5 1/1\n[0] 4 < done J2\n"
                              : "[0] done J2 from reserved #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/1 done J2\n"
                                "[0] parent_started J1 delayed p2 ->3 1/1\n[0] 4 < done J2\n"
                                "[3] matured J1 ready p2\n");
        world_free(w);
    }
}

/* J1 waits for J2, which waits for J3. */
static void nested_parents_start_one_after_the_other(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, NO_LIMIT);
    struct aq_request middle = parent_request(1);
    middle.given |= AQ_PARAM_PARENT_ID;
    middle.parent_id = world_id(w, "J1");
    world_send(w, middle);
    put_child(w, "J2");
    world_forget(w);
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J1");
    get_and_done(w, "J3");
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_DONE, "J2");
    world_expect(
        w, "[0] children_started J1 parent p2 ->3600 0/1\n[0] 4 < set_children_started J1\n"
           "[0] lease J3 reserved p5 #1 ->10 of J2 @c\n[0] 5 < get J3 ''\n"
           "[0] done J3 from reserved #1 of J2 @c\n[0] child_counted J2 parent p2 ->3600 1/1 done J3 of J1\n"
           "[0] parent_started J2 ready p2 1/1 of J1\n[0] 6 < done J3\n"
           "[0] lease J2 reserved p2 #2 ->60 of J1\n[0] 7 < get J2 ''\n"
           "[0] done J2 from reserved #2 of J1\n[0] child_counted J1 parent p2 ->3600 1/1 done J2\n"
           "[0] parent_started J1 ready p2 1/1\n[0] 8 < done J2\n");
    world_free(w);
}

static void a_nested_parent_is_not_counted_as_put_upstream(void **state) {
    (void)state;
    struct world *w = strict_but("nested_parents_uncounted");
    put_parent(w, NO_LIMIT);
    struct aq_request nested = parent_request(1);
    nested.given |= AQ_PARAM_PARENT_ID;
    nested.parent_id = world_id(w, "J1");
    world_send(w, nested);
    world_forget(w);
    world_on_job(w, AQ_ACTION_SET_CHILDREN_STARTED, "J1");
    world_expect(w, "[0] children_started J1 parent p2 ->3600 0/0\n[0] parent_started J1 ready p2 0/0\n"
                    "[0] 3 < set_children_started J1\n");
    nested.parent_id = AQ_TEXT("gone");
    world_send(w, nested);
    world_expect(w, "[0] parent_held J3 parent p2 ->3600 0/1\n[0] 4 < set_parent_job J3 J3 ''\n");
    world_free(w);

    w = strict();
    world_send(w, nested);
    world_expect(w, "[0] failed\n[0] 1 < error: Missing hash key: \"gone\"\n");
    world_free(w);
}

static void a_noop_parent_is_never_queued_and_counts_upwards(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, 1);
    put_noop(w, 1, world_id(w, "J1"));
    put_noop(w, 1, world_id(w, "J2"));
    put_child(w, "J3");
    world_get(w, "c");
    world_forget(w);
    world_on_job(w, AQ_ACTION_DONE, "J4");
    world_expect(
        w, "[0] done J4 from reserved #1 of J3 @c\n[0] child_counted J3 parent p2 ->3600 1/1 done J4 of J2\n"
           "[0] noop_done J3 from parent 1/1 of J2\n"
           "[0] child_counted J2 parent p2 ->3600 1/1 noop_done J3 of J1\n"
           "[0] noop_done J2 from parent 1/1 of J1\n"
           "[0] child_counted J1 parent p2 ->3600 1/1 noop_done J2\n"
           "[0] parent_started J1 ready p2 1/1\n[0] 6 < done J4\n");
    world_free(w);
}

static void a_noop_whose_parent_is_gone_fails_the_done_of_its_last_child_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = strict_but("nested_parents_uncounted");
        w->policy.noop_needs_parent = quirk;
        put_noop(w, 1, AQ_TEXT("gone"));
        put_child(w, "J1");
        world_get(w, "c");
        world_forget(w);
        world_on_job(w, AQ_ACTION_DONE, "J2");
        world_expect(w, quirk ? "[0] child_counted J1 parent p2 ->3600 1/1 done J2\n"
                                "[0] noop_done J1 from parent 1/1\n[0] failed J2\n"
                                "[0] 4 < error: Missing hash key: the parent of the noop parent of J2\n"
                              : "[0] done J2 from reserved #1 of J1 @c\n"
                                "[0] child_counted J1 parent p2 ->3600 1/1 done J2\n"
                                "[0] noop_done J1 from parent 1/1\n[0] 4 < done J2\n");
        world_on_job(w, AQ_ACTION_DONE, "J2");
        world_expect(w, quirk ? "[0] done J2 from reserved #1 of J1 @c\n[0] 5 < done J2\n"
                              : "[0] missed J2\n"
                                "[0] 5 < done J2 error \"Couldn't find job job_id = J2 to set done\"\n");
        world_free(w);
    }
}

static void a_parent_may_bring_its_own_id_once(void **state) {
    (void)state;
    struct world *w = strict();
    struct aq_request request = parent_request(1);
    request.given |= AQ_PARAM_JOB_ID;
    request.job_id = AQ_TEXT("mine");
    world_send(w, request);
    world_send(w, request);
    put_child(w, "mine");
    world_expect(w, "[0] parent_held J1 parent p2 ->3600 0/1\n[0] 1 < set_parent_job J1 J1 ''\n"
                    "[0] failed J1\n[0] 2 < error: Job exists: \"J1\"\n"
                    "[0] put J2 ready p5 of J1 @c\n[0] 3 < put J2\n");
    world_free(w);
}

static void a_deleted_or_cleared_parent_is_gone(void **state) {
    (void)state;
    struct world *w = strict();
    put_parent(w, 1);
    put_parent(w, 1);
    world_forget(w);
    world_on_job(w, AQ_ACTION_DELETE, "J1");
    world_on_tube(w, AQ_ACTION_CLEAR, "t");
    world_until(w, 10000);
    world_expect(
        w, "[0] deleted J1 from parent\n[0] 3 < delete J1\n[0] cleared J2 from parent\n[0] 4 < clear\n");
    world_free(w);
}

/* A chain as long as this must not need as much stack. */
static void five_hundred_levels_of_noops_unwind_at_once(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    w->config.taps = false;
    put_parent(w, 1);
    for (int i = 1; i < WORLD_JOBS_MAX - 1; i++) {
        char above[16];
        snprintf(above, sizeof above, "J%d", i);
        put_noop(w, 1, world_id(w, above));
    }
    char last[16], child[16];
    snprintf(last, sizeof last, "J%d", WORLD_JOBS_MAX - 1);
    snprintf(child, sizeof child, "J%d", WORLD_JOBS_MAX);
    put_child(w, last);
    world_get(w, "c");
    world_forget(w);
    world_on_job(w, AQ_ACTION_DONE, child);
    struct aq_server_counters counters = aq_server_counters(w->server);
    assert_int_equal(counters.jobs[AQ_JOB_PARENT], 0);
    assert_int_equal(counters.jobs[AQ_JOB_READY], 1);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parent_starts_with_the_done_of_its_last_child),
        cmocka_unit_test(a_waiting_parent_is_in_stats_and_no_get_finds_it),
        cmocka_unit_test(set_children_started_waits_for_those_that_were_put),
        cmocka_unit_test(set_children_started_starts_a_parent_whose_children_are_done),
        cmocka_unit_test(a_parent_without_children_starts_at_once_and_upstream_never),
        cmocka_unit_test(a_timeout_runs_the_parent_or_buries_it),
        cmocka_unit_test(a_child_of_a_parent_that_has_started_is_refused_and_upstream_put_all_the_same),
        cmocka_unit_test(an_expiry_counts_as_the_end_of_a_child_only_upstream),
        cmocka_unit_test(a_buried_or_cleared_child_counts_only_upstream),
        cmocka_unit_test(a_deleted_child_counts_and_upstream_only_when_it_was_held),
        cmocka_unit_test(taking_the_last_child_hands_out_the_parent_in_the_same_get),
        cmocka_unit_test(a_parent_keeps_priority_and_delay_only_in_strict),
        cmocka_unit_test(nested_parents_start_one_after_the_other),
        cmocka_unit_test(a_nested_parent_is_not_counted_as_put_upstream),
        cmocka_unit_test(a_noop_parent_is_never_queued_and_counts_upwards),
        cmocka_unit_test(a_noop_whose_parent_is_gone_fails_the_done_of_its_last_child_upstream),
        cmocka_unit_test(a_parent_may_bring_its_own_id_once),
        cmocka_unit_test(a_deleted_or_cleared_parent_is_gone),
        cmocka_unit_test(five_hundred_levels_of_noops_unwind_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
