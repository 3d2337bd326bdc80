/* What each action does and answers, in both profiles. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakeserver/trace.h"

#define TUBE_T .tube = AQ_TEXT("t")

static struct world *strict(void) {
    return world_new(&aq_server_policy_strict);
}
static struct world *upstream(void) {
    return world_new(&aq_server_policy_upstream);
}

static struct aq_request put_with(uint32_t given) {
    return (struct aq_request){.action = AQ_ACTION_PUT,
                               .given = AQ_PARAM_TUBE | AQ_PARAM_BODY | given,
                               TUBE_T,
                               .body = AQ_TEXT("b")};
}

static void put_with_priority(struct world *world, int32_t priority) {
    struct aq_request request = put_with(AQ_PARAM_PRIORITY);
    request.priority = priority;
    world_send(world, request);
}

static void a_job_goes_from_put_through_get_to_done(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = i ? upstream() : strict();
        world_put(w, "t", "work");
        world_until(w, 1);
        world_get(w, "t");
        world_until(w, 3);
        world_on_job(w, AQ_ACTION_DONE, "J1");
        world_get(w, "t");
        world_expect(w, "[0] put J1 ready p5\n"
                        "[0] 1 < put J1\n"
                        "[1] lease J1 reserved p5 #1 ->61\n"
                        "[1] 2 < get J1 'work'\n"
                        "[3] done J1 from reserved #1\n"
                        "[3] 3 < done J1\n"
                        "[3] empty\n"
                        "[3] 4 < get\n");
        world_expect_open(w, 0);
        world_free(w);
    }
}

static void priorities_are_clamped_and_lower_numbers_come_first_in_order_of_arrival(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    static const int32_t priorities[] = {9, 5, 0, -3, 12, 1, 5, 2};
    for (int i = 0; i < 8; i++)
        put_with_priority(w, priorities[i]);
    world_expect(w, "[0] 1 < put J1\n[0] 2 < put J2\n[0] 3 < put J3\n[0] 4 < put J4\n"
                    "[0] 5 < put J5\n[0] 6 < put J6\n[0] 7 < put J7\n[0] 8 < put J8\n");
    w->taps_shown = true;
    for (int i = 0; i < 8; i++)
        world_get(w, "t");
    world_expect(w, "[0] lease J3 reserved p1 #1 ->60\n[0] 9 < get J3 'b'\n"
                    "[0] lease J4 reserved p1 #2 ->60\n[0] 10 < get J4 'b'\n"
                    "[0] lease J6 reserved p1 #3 ->60\n[0] 11 < get J6 'b'\n"
                    "[0] lease J8 reserved p2 #4 ->60\n[0] 12 < get J8 'b'\n"
                    "[0] lease J2 reserved p5 #5 ->60\n[0] 13 < get J2 'b'\n"
                    "[0] lease J7 reserved p5 #6 ->60\n[0] 14 < get J7 'b'\n"
                    "[0] lease J1 reserved p9 #7 ->60\n[0] 15 < get J1 'b'\n"
                    "[0] lease J5 reserved p9 #8 ->60\n[0] 16 < get J5 'b'\n");
    world_free(w);
}

static void put_makes_its_own_id_whatever_the_client_says(void **state) {
    (void)state;
    struct world *w = strict();
    struct aq_request request = put_with(AQ_PARAM_JOB_ID);
    request.job_id = AQ_TEXT("mine");
    world_send(w, request);
    world_on_job(w, AQ_ACTION_DELETE, "mine");
    world_expect(w, "[0] put J1 ready p5\n[0] 1 < put J1\n"
                    "[0] missed 'mine'\n"
                    "[0] 2 < delete 'mine' error \"Job ID not found in reserved or buried.\"\n");
    assert_int_equal(world_id(w, "J1").len, AQ_JOB_ID_CHARS);
    world_free(w);
}

static void a_missing_parameter_is_an_error_that_names_it(void **state) {
    (void)state;
    struct world *w = strict();
    static const enum aq_action need_tube[] = {AQ_ACTION_PUT,  AQ_ACTION_GET,  AQ_ACTION_GET_MULTIPLE,
                                               AQ_ACTION_PEEK, AQ_ACTION_KICK, AQ_ACTION_THROTTLE};
    for (int i = 0; i < 6; i++)
        world_send(w, (struct aq_request){.action = (uint8_t)need_tube[i]});
    world_expect(w, "[0] failed\n[0] 1 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 2 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 3 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 4 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 5 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 6 < error: Missing hash key: \"tube\"\n");
    static const enum aq_action need_job[] = {AQ_ACTION_DONE, AQ_ACTION_TOUCH, AQ_ACTION_RELEASE};
    for (int i = 0; i < 3; i++)
        world_send(w, (struct aq_request){.action = (uint8_t)need_job[i]});
    world_on_tube(w, AQ_ACTION_THROTTLE, "t");
    world_expect(w, "[0] failed\n[0] 7 < error: Missing hash key: \"job_id\"\n"
                    "[0] failed\n[0] 8 < error: Missing hash key: \"job_id\"\n"
                    "[0] failed\n[0] 9 < error: Missing hash key: \"job_id\"\n"
                    "[0] failed\n[0] 10 < error: Missing hash key: \"tps\"\n");
    world_free(w);
}

static void get_with_a_count_answers_a_list_with_one_lease_for_each_job(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    for (int i = 0; i < 3; i++)
        world_put(w, "t", "b");
    world_forget(w);
    w->taps_shown = true;
    struct aq_request get = {
        .action = AQ_ACTION_GET_MULTIPLE, .given = AQ_PARAM_TUBE | AQ_PARAM_COUNT, TUBE_T, .count = 2};
    world_send(w, get);
    get.count = 5;
    world_send(w, get);
    world_send(w, get);
    get.count = 0;
    world_send(w, get);
    get.count = -1;
    world_send(w, get);
    get.count = 1;
    world_send(w, get);
    world_expect(
        w,
        "[0] lease J1 reserved p5 #1 ->60\n[0] lease J2 reserved p5 #2 ->60\n[0] 4 < get many J1 'b' J2 'b'\n"
        "[0] lease J3 reserved p5 #3 ->60\n[0] 5 < get many J3 'b'\n"
        "[0] empty\n[0] 6 < get many\n"
        "[0] empty\n[0] 7 < get many\n"
        "[0] empty\n[0] 8 < get many\n"
        "[0] empty\n[0] 9 < get\n");
    world_free(w);
}

static void get_with_delete_takes_the_job_for_good(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_put(w, "t", "c");
    world_forget(w);
    struct aq_request get = {
        .action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE | AQ_PARAM_REMOVE, TUBE_T, .remove = true};
    world_send(w, get);
    get.remove = false;
    world_send(w, get);
    world_expect(w, "[0] taken J1 from ready #1\n[0] 3 < get J1 'b'\n"
                    "[0] lease J2 reserved p5 #2 ->60\n[0] 4 < get J2 'c'\n");
    world_free(w);

    w = upstream();
    world_put(w, "t", "b");
    world_forget(w);
    world_send(w, get);
    world_expect(w, "[0] taken J1 from ready #1\n[0] 2 < get J1 'b'\n");
    world_free(w);
}

static void done_of_a_job_that_is_not_held_is_a_soft_error(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = i ? upstream() : strict();
        world_put(w, "t", "b");
        world_forget(w);
        world_on_job(w, AQ_ACTION_DONE, "J1");
        world_on_job(w, AQ_ACTION_DONE, "other");
        world_expect(w, "[0] missed J1 ready p5\n"
                        "[0] 2 < done J1 error \"Couldn't find job job_id = J1 to set done\"\n"
                        "[0] missed 'other'\n"
                        "[0] 3 < done 'other' error \"Couldn't find job job_id = other to set done\"\n");
        world_free(w);
    }
}

static void touch_and_release_of_a_job_that_is_not_held_succeed_only_upstream(void **state) {
    (void)state;
    struct world *w = strict();
    world_on_job(w, AQ_ACTION_TOUCH, "x");
    world_on_job(w, AQ_ACTION_RELEASE, "x");
    world_expect(w,
                 "[0] missed 'x'\n[0] 1 < touch 'x' error \"Couldn't find job job_id = x to touch\"\n"
                 "[0] missed 'x'\n[0] 2 < release 'x' error \"Couldn't find job job_id = x to release\"\n");
    world_free(w);
    w = upstream();
    world_on_job(w, AQ_ACTION_TOUCH, "x");
    world_on_job(w, AQ_ACTION_RELEASE, "x");
    world_expect(w, "[0] missed 'x'\n[0] 1 < touch 'x'\n"
                    "[0] missed 'x'\n[0] 2 < release 'x'\n");
    world_free(w);
}

static void touch_renews_the_lease_under_its_number(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_get(w, "t");
    world_forget(w);
    world_until(w, 50);
    world_on_job(w, AQ_ACTION_TOUCH, "J1");
    world_until(w, 109.999999);
    world_expect(w, "[50] touched J1 reserved p5 #1 ->110\n[50] 3 < touch J1\n");
    world_until(w, 110);
    world_expect(w, "[110] expired J1 ready p5 x1 #1\n");
    world_free(w);
}

static void release_puts_back_and_buries_over_the_limit(void **state) {
    (void)state;
    struct world *w = strict();
    struct aq_request put = put_with(AQ_PARAM_EXPIRED_LIMIT | AQ_PARAM_PRIORITY);
    put.expired_limit = 1;
    put.priority = 3;
    world_send(w, put);
    world_forget(w);
    struct aq_request release = {
        .action = AQ_ACTION_RELEASE, .given = AQ_PARAM_JOB_ID, .job_id = world_id(w, "J1")};
    world_get(w, "t");
    world_send(w, release);
    world_get(w, "t");
    release.given |= AQ_PARAM_DELAY;
    release.delay_s = 10;
    world_send(w, release);
    world_until(w, 10);
    world_get(w, "t");
    world_send(w, release);
    world_get(w, "t");
    world_expect(w, "[0] lease J1 reserved p3 #1 ->60\n[0] 2 < get J1 'b'\n"
                    "[0] released J1 ready p3 #1\n[0] 3 < release J1\n"
                    "[0] lease J1 reserved p3 #2 ->60\n[0] 4 < get J1 'b' x0 r1\n"
                    "[0] released J1 delayed p3 #2 ->10\n[0] 5 < release J1\n"
                    "[10] matured J1 ready p3\n"
                    "[10] lease J1 reserved p3 #3 ->70\n[10] 6 < get J1 'b' x0 r2\n"
                    "[10] autoburied J1 buried p3 #3\n[10] 7 < release J1\n"
                    "[10] empty\n[10] 8 < get\n");
    world_free(w);
}

static void the_seventh_release_buries_by_default(void **state) {
    (void)state;
    struct world *w = upstream();
    world_put(w, "t", "b");
    for (int i = 1; i <= 7; i++) {
        world_get(w, "t");
        world_forget(w);
        world_on_job(w, AQ_ACTION_RELEASE, "J1");
        const char *what = i < 7 ? "released J1 ready" : "autoburied J1 buried";
        char expected[100];
        snprintf(expected, sizeof expected, "[0] %s p5 #%d\n[0] %d < release J1\n", what, i, 2 * i + 1);
        world_expect(w, expected);
    }
    world_free(w);
}

static void bury_succeeds_and_upstream_answers_an_error_all_the_same(void **state) {
    (void)state;
    struct world *w = strict();
    world_put(w, "t", "b");
    world_get(w, "t");
    world_forget(w);
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_on_job(w, AQ_ACTION_BURY, "x");
    world_expect(w, "[0] buried J1 buried p5 #1\n[0] 3 < bury J1\n"
                    "[0] missed 'x'\n[0] 4 < bury 'x' error \"Couldn't bury job_id = x\"\n");
    world_free(w);

    w = upstream();
    world_put(w, "t", "b");
    world_get(w, "t");
    world_forget(w);
    world_on_job(w, AQ_ACTION_BURY, "J1");
    world_expect(w, "[0] buried J1 buried p5 #1\n[0] 3 < bury J1 error \"Couldn't bury job_id = J1\"\n");
    world_free(w);
}

/* J1 is put back to ready, J2 buried, J3 held, J4 delayed. */
static struct world *one_job_in_each_state(const struct aq_server_policy *policy) {
    struct world *w = world_new(policy);
    for (int i = 0; i < 3; i++)
        world_put(w, "t", "b");
    struct aq_request delayed = put_with(AQ_PARAM_DELAY);
    delayed.delay_s = 100;
    world_send(w, delayed);
    for (int i = 0; i < 3; i++)
        world_get(w, "t");
    world_on_job(w, AQ_ACTION_RELEASE, "J1");
    world_on_job(w, AQ_ACTION_BURY, "J2");
    world_forget(w);
    return w;
}

static void delete_takes_a_job_in_any_state(void **state) {
    (void)state;
    struct world *w = one_job_in_each_state(&aq_server_policy_strict);
    for (int i = 0; i < 4; i++)
        world_on_job(w, AQ_ACTION_DELETE, (const char *[]){"J1", "J2", "J3", "J4"}[i]);
    world_expect(w, "[0] deleted J1 from ready\n[0] 10 < delete J1\n"
                    "[0] deleted J2 from buried\n[0] 11 < delete J2\n"
                    "[0] deleted J3 from reserved #3\n[0] 12 < delete J3\n"
                    "[0] deleted J4 from delayed\n[0] 13 < delete J4\n");
    assert_true(aq_server_next_wake(w->server) == AQ_TIME_NEVER);
    world_free(w);
}

static void delete_upstream_finds_ready_jobs_only_with_their_tube_and_denies_it(void **state) {
    (void)state;
    struct world *w = one_job_in_each_state(&aq_server_policy_upstream);
    for (int i = 0; i < 4; i++)
        world_on_job(w, AQ_ACTION_DELETE, (const char *[]){"J1", "J2", "J3", "J4"}[i]);
    struct aq_request request = {
        .action = AQ_ACTION_DELETE, .given = AQ_PARAM_JOB_ID | AQ_PARAM_TUBE, TUBE_T};
    request.job_id = world_id(w, "J1");
    world_send(w, request);
    world_expect(
        w,
        "[0] missed J1 ready p5\n[0] 10 < delete J1 error \"Job ID not found in reserved or buried.\"\n"
        "[0] deleted J2 from buried\n[0] 11 < delete J2\n"
        "[0] deleted J3 from reserved #3\n[0] 12 < delete J3\n"
        "[0] missed J4 delayed p5 ->100\n[0] 13 < delete J4 error \"Job ID not found in reserved or buried.\"\n"
        "[0] deleted J1 from ready\n[0] 14 < delete J1 error \"Job ID not found in reserved or buried.\"\n");
    world_free(w);
}

static void kick_takes_the_named_job_in_strict_and_the_oldest_upstream(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world *w = i ? upstream() : strict();
        put_with_priority(w, 2);
        put_with_priority(w, 2);
        for (int j = 0; j < 2; j++)
            world_get(w, "t");
        world_on_job(w, AQ_ACTION_BURY, "J1");
        world_on_job(w, AQ_ACTION_BURY, "J2");
        world_forget(w);
        struct aq_request kick = {.action = AQ_ACTION_KICK, .given = AQ_PARAM_JOB_ID | AQ_PARAM_TUBE, TUBE_T};
        kick.job_id = world_id(w, "J2");
        world_send(w, kick);
        world_on_tube(w, AQ_ACTION_KICK, "t");
        world_on_tube(w, AQ_ACTION_KICK, "t");
        if (i)
            world_expect(w, "[0] kicked J1 ready p5\n[0] 7 < kick J1\n"
                            "[0] kicked J2 ready p5\n[0] 8 < kick J2\n"
                            "[0] 9 < kick\n");
        else
            world_expect(w, "[0] kicked J2 ready p2\n[0] 7 < kick J2\n"
                            "[0] kicked J1 ready p2\n[0] 8 < kick J1\n"
                            "[0] 9 < kick\n");
        world_free(w);
    }
    struct world *w = strict();
    world_on_job(w, AQ_ACTION_KICK, "x");
    world_expect(w, "[0] missed 'x'\n[0] 1 < kick 'x' error \"Couldn't find job job_id = x to kick\"\n");
    world_free(w);
}

static void peek_shows_without_reserving(void **state) {
    (void)state;
    struct world *w = one_job_in_each_state(&aq_server_policy_strict);
    struct aq_request peek = {.action = AQ_ACTION_PEEK, .given = AQ_PARAM_TUBE, TUBE_T};
    world_send(w, peek);
    world_send(w, peek);
    peek.buried = true;
    peek.given |= AQ_PARAM_BURIED;
    world_send(w, peek);
    peek.tube = AQ_TEXT("none");
    world_send(w, peek);
    world_expect(w,
                 "[0] 10 < get J1 'b' x0 r1\n[0] 11 < get J1 'b' x0 r1\n[0] 12 < get J2 'b'\n[0] 13 < get\n");
    world_free(w);
}

static void clear_empties_one_tube_in_every_state(void **state) {
    (void)state;
    struct world *w = one_job_in_each_state(&aq_server_policy_strict);
    world_put(w, "other", "b");
    world_forget(w);
    world_on_tube(w, AQ_ACTION_CLEAR, "t");
    world_on_tube(w, AQ_ACTION_CLEAR, "none");
    world_send(w, (struct aq_request){.action = AQ_ACTION_CLEAR});
    world_get(w, "other");
    world_expect(w,
                 "[0] cleared J1 from ready\n[0] cleared J4 from delayed\n[0] cleared J3 from reserved #3\n"
                 "[0] cleared J2 from buried\n"
                 "[0] 11 < clear\n[0] 12 < clear\n[0] 13 < clear\n"
                 "[0] lease J5 reserved p5 #4 ->60 @other\n[0] 14 < get J5 'b'\n");
    world_free(w);
}

static void stats_count_jobs_by_state_and_requests(void **state) {
    (void)state;
    struct world *w = one_job_in_each_state(&aq_server_policy_strict);
    world_put(w, "u", "b");
    world_until(w, 30);
    w->taps_shown = false;
    world_on_job(w, AQ_ACTION_DONE, "J3");
    struct aq_request throttle = {
        .action = AQ_ACTION_THROTTLE, .given = AQ_PARAM_TUBE | AQ_PARAM_TPS, TUBE_T, .tps = 3};
    world_send(w, throttle);
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_until(w, 60);
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_until(w, 200);
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_expect(
        w, "[30] 13 < stats actions 13 gets 3 puts 5; t 1/1/0/1/0 max 3 avg 30; u 1/0/0/0/0\n"
           "[60] 14 < stats actions 14 gets 3 puts 5; t 1/1/0/1/0 max 3 avg 30 tps 0.00833333; u 1/0/0/0/0\n"
           "[200] 15 < stats actions 15 gets 3 puts 5; t 2/0/0/1/0 max 3 avg 30; u 1/0/0/0/0\n");
    world_free(w);
}

static void the_mean_covers_the_last_hundred_jobs(void **state) {
    (void)state;
    struct world *w = strict();
    w->taps_shown = false;
    for (int i = 0; i < 150; i++) {
        world_put(w, "t", "b");
        world_get(w, "t");
        world_until(w, i < 50 ? i + 1 : 50 + 2.0 * (i - 49));
        char job[16];
        snprintf(job, sizeof job, "J%d", i + 1);
        world_on_job(w, AQ_ACTION_DONE, job);
    }
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_expect(w, "[250] 451 < stats actions 451 gets 150 puts 150; t 0/0/0/0/0 avg 2 tps 0.5\n");
    world_free(w);
}

static void pause_makes_gets_empty_until_unpause(void **state) {
    (void)state;
    struct world *w = strict();
    world_on_tube(w, AQ_ACTION_PAUSE, "t");
    world_put(w, "t", "b");
    world_get(w, "t");
    world_on_tube(w, AQ_ACTION_UNPAUSE, "t");
    world_get(w, "t");
    world_on_tube(w, AQ_ACTION_UNPAUSE, "none");
    world_expect(
        w,
        "[0] paused\n[0] 1 < pause\n[0] put J1 ready p5\n[0] 2 < put J1\n[0] empty\n[0] 3 < get\n"
        "[0] unpaused\n[0] 4 < pause\n[0] lease J1 reserved p5 #1 ->60\n[0] 5 < get J1 'b'\n[0] 6 < pause\n");
    world_free(w);
}

static void ping_and_version_answer(void **state) {
    (void)state;
    struct world *w = strict();
    world_send(w, (struct aq_request){.action = AQ_ACTION_PING});
    world_send(w, (struct aq_request){.action = AQ_ACTION_VERSION});
    world_expect(w, "[0] 1 < pong\n[0] 2 < version =0.1.4\n");
    world_free(w);
}

static void what_is_not_known_is_refused(void **state) {
    (void)state;
    struct world *w = strict();
    world_send(w, (struct aq_request){.action = AQ_ACTION_SET_PARENT_JOB});
    world_send(w, (struct aq_request){.action = AQ_ACTION_SET_CHILDREN_STARTED});
    world_send(w, (struct aq_request){.action = AQ_ACTION_ADMIN});
    world_send(w, (struct aq_request){.action = AQ_ACTION_DRAIN});
    struct aq_request child = put_with(AQ_PARAM_PARENT_ID);
    child.parent_id = AQ_TEXT("p");
    world_send(w, child);
    world_malformed(w, "Unexpected char 'x' at line 1, column 1");
    world_malformed(w, AQ_MALFORMED_BLANK);
    world_expect(w, "[0] failed\n[0] 1 < error: Missing hash key: \"tube\"\n"
                    "[0] failed\n[0] 2 < error: Missing hash key: \"job_id\"\n"
                    "[0] 3 < result\n"
                    "[0] failed\n[0] 4 < {}\n"
                    "[0] failed\n[0] 5 < error: Missing hash key: \"p\"\n"
                    "[0] failed\n[0] 6 < error: Unexpected char 'x' at line 1, column 1\n"
                    "[0] failed\n[0] 7 < error: blank\n");
    world_expect_open(w, 0);
    world_free(w);
}

static void after_a_redirect_the_jobs_go_out_first_and_then_the_address(void **state) {
    (void)state;
    struct aq_request redirect = {.action = AQ_ACTION_ADMIN,
                                  .given = AQ_PARAM_ADDRESS | AQ_PARAM_PORT,
                                  .address = AQ_TEXT("new.host"),
                                  .port = 5556};
    struct world *w = strict();
    world_put(w, "t", "b");
    world_send(w, redirect);
    world_get(w, "t");
    world_get(w, "t");
    world_on_job(w, AQ_ACTION_DONE, "J1");
    world_get(w, "t");
    world_send(w, redirect);
    world_expect(w, "[0] put J1 ready p5\n[0] 1 < put J1\n[0] 2 < result =redirect\n"
                    "[0] lease J1 reserved p5 #1 ->60\n[0] 3 < get J1 'b'\n"
                    "[0] empty\n[0] 4 < get\n"
                    "[0] done J1 from reserved #1\n[0] 5 < done J1\n"
                    "[0] empty\n[0] 6 < redirect :5556 =new.host\n"
                    "[0] 7 < result =redirect\n");
    world_free(w);

    w = upstream();
    world_put(w, "t", "b");
    world_send(w, redirect);
    world_get(w, "t");
    world_expect(
        w,
        "[0] put J1 ready p5\n[0] 1 < put J1\n[0] 2 < result =redirect\n[0] failed\n[0] 3 < error: Invalid Int32: \"0.0\"\n");
    world_free(w);
}

static void a_long_body_comes_back_whole(void **state) {
    (void)state;
    struct world *w = strict();
    static char body[200000];
    memset(body, 'x', sizeof body - 1);
    struct aq_request put = put_with(0);
    put.body = aq_text_of(body);
    w->taps_shown = false;
    world_send(w, put);
    put.body.len = 48;
    world_send(w, put);
    put.body.len = 49;
    world_send(w, put);
    static const uint32_t lengths[] = {sizeof body - 1, 48, 49};
    for (int i = 0; i < 3; i++) {
        struct aq_request get = {
            .action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE | AQ_PARAM_REMOVE, TUBE_T, .remove = true};
        struct aq_server_event event = {.kind = AQ_SERVER_REQUEST, .request = &get};
        assert_int_equal(aq_server_step(w->server, 0, &event, &w->effects), 0);
        const struct aq_reply *reply = &w->effects.items[1].reply;
        assert_int_equal(reply->job_count, 1);
        assert_int_equal(reply->jobs[0].body.len, lengths[i]);
        assert_memory_equal(reply->jobs[0].body.at, body, lengths[i]);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_goes_from_put_through_get_to_done),
        cmocka_unit_test(priorities_are_clamped_and_lower_numbers_come_first_in_order_of_arrival),
        cmocka_unit_test(put_makes_its_own_id_whatever_the_client_says),
        cmocka_unit_test(a_missing_parameter_is_an_error_that_names_it),
        cmocka_unit_test(get_with_a_count_answers_a_list_with_one_lease_for_each_job),
        cmocka_unit_test(get_with_delete_takes_the_job_for_good),
        cmocka_unit_test(done_of_a_job_that_is_not_held_is_a_soft_error),
        cmocka_unit_test(touch_and_release_of_a_job_that_is_not_held_succeed_only_upstream),
        cmocka_unit_test(touch_renews_the_lease_under_its_number),
        cmocka_unit_test(release_puts_back_and_buries_over_the_limit),
        cmocka_unit_test(the_seventh_release_buries_by_default),
        cmocka_unit_test(bury_succeeds_and_upstream_answers_an_error_all_the_same),
        cmocka_unit_test(delete_takes_a_job_in_any_state),
        cmocka_unit_test(delete_upstream_finds_ready_jobs_only_with_their_tube_and_denies_it),
        cmocka_unit_test(kick_takes_the_named_job_in_strict_and_the_oldest_upstream),
        cmocka_unit_test(peek_shows_without_reserving),
        cmocka_unit_test(clear_empties_one_tube_in_every_state),
        cmocka_unit_test(stats_count_jobs_by_state_and_requests),
        cmocka_unit_test(the_mean_covers_the_last_hundred_jobs),
        cmocka_unit_test(pause_makes_gets_empty_until_unpause),
        cmocka_unit_test(ping_and_version_answer),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(after_a_redirect_the_jobs_go_out_first_and_then_the_address),
        cmocka_unit_test(a_long_body_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
