/* Fair queues: keys go to shards, gets take them in turn, and each quirk makes its difference alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/fakeserver/trace.h"

static struct world *world_with(struct aq_fair_config fair, const char *quirk) {
    struct aq_server_policy policy = aq_server_policy_strict;
    struct aq_error error;
    if (quirk) assert_int_equal(aq_policy_set(&aq_server_policy_table, &policy, quirk, "true", &error), 0);
    struct world *w = world_new(&policy);
    w->config.fair = fair;
    world_restart(w, false);
    w->taps_shown = false;
    return w;
}

static void put(struct world *w, const char *tube, const char *key, const char *body) {
    world_send(w, (struct aq_request){.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_SHARD_KEY | AQ_PARAM_BODY,
                                      .tube = aq_text_of(tube),
                                      .shard_key = aq_text_of(key),
                                      .body = aq_text_of(body)});
}

/* Bodies in the order in which they come, until nothing comes. */
static void expect_order(struct world *w, const char *tube, const char *expected) {
    char found[256] = "";
    for (;;) {
        world_forget(w);
        world_get(w, tube);
        const char *quote = strchr(w->text, '\'');
        if (!quote) break;
        strncat(found, quote + 1, strcspn(quote + 1, "'"));
    }
    world_forget(w);
    assert_string_equal(found, expected);
}

/* Adler-32 of one character c is (c + 1) * 65537, and of 'a' modulo 10 is 6; 'b' 3, 'c' 0. */
static void a_key_goes_to_the_shard_that_its_hash_names(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){0}, "fair_shows_shards");
    put(w, "fq-a", "a", "x");
    put(w, "fq-a", "b", "x");
    put(w, "fq-a", "c", "x");
    put(w, "fq-a", "Wikipedia", "x"); /* the well-known example: 0x11e60398 */
    world_forget(w);
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_expect(w, "[0] 5 < stats actions 5 gets 0 puts 4; fq-a_6 1/0/0/0/0; fq-a_3 1/0/0/0/0; "
                    "fq-a_0 1/0/0/0/0; fq-a_2 1/0/0/0/0\n");
    world_free(w);
}

static void a_put_without_a_key_is_refused(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){0}, NULL);
    world_put(w, "fq-a", "x");
    world_put(w, "plain", "x");
    world_expect(w, "[0] 1 < error: Shard key required for Fair Queue (fq-) tubes\n[0] 2 < put J1\n");
    world_free(w);
}

static void shards_are_taken_in_turn(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){0}, NULL);
    for (int i = 0; i < 3; i++)
        put(w, "fq-a", "c", "0");
    put(w, "fq-a", "b", "3");
    put(w, "fq-a", "b", "3");
    put(w, "fq-a", "a", "6");
    expect_order(w, "fq-a", "036030");
    world_free(w);
}

static void a_shard_with_too_many_reserved_jobs_is_passed_over(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){.reservation_max = 2}, NULL);
    for (int i = 0; i < 5; i++)
        put(w, "fq-a", "c", "0");
    put(w, "fq-a", "a", "6");
    expect_order(w, "fq-a", "060");
    world_free(w);
}

static void the_suffix_counts_in_place_of_the_prefix(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){.suffix = AQ_TEXT("-fair"), .shards = 2}, NULL);
    world_put(w, "fq-a", "plain");
    put(w, "mail-fair", "c", "0");
    world_put(w, "mail-fair", "no key");
    world_forget(w);
    world_get(w, "mail-fair");
    world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
    world_expect(w, "[0] 4 < get J2 '0'\n"
                    "[0] 5 < stats actions 5 gets 1 puts 3; fq-a 1/0/0/0/0; mail-fair 0/0/1/0/0\n");
    world_free(w);
}

static void each_key_has_a_shard_by_key(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){.by_key = true}, NULL);
    put(w, "fq-a", "x", "x");
    put(w, "fq-a", "x", "x");
    put(w, "fq-a", "y:1", "y");
    put(w, "fq-a", "z", "z");
    put(w, "fq-a", "z", "z");
    expect_order(w, "fq-a", "xyzxz");
    put(w, "fq-a", "bad key", "x");
    put(w, "fq-a", "-bad", "x");
    world_expect(
        w,
        "[0] 12 < error: Invalid shard_key 'bad key': letters and digits, then also -_=@:$!#, are allowed\n"
        "[0] 13 < error: Invalid shard_key '-bad': letters and digits, then also -_=@:$!#, are allowed\n");
    world_free(w);
}

static void two_queues_by_key_share_a_cursor_only_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w =
            world_with((struct aq_fair_config){.by_key = true}, quirk ? "fair_one_cursor" : NULL);
        for (int i = 0; i < 2; i++) {
            put(w, "fq-a", "x", "x");
            put(w, "fq-a", "y", "y");
            put(w, "fq-b", "z", "z");
        }
        world_forget(w);
        world_get(w, "fq-a");
        world_get(w, "fq-b");
        world_get(w, "fq-a");
        world_expect(w, quirk ? "[0] 7 < get J1 'x'\n[0] 8 < get J3 'z'\n[0] 9 < get J4 'x'\n"
                              : "[0] 7 < get J1 'x'\n[0] 8 < get J3 'z'\n[0] 9 < get J2 'y'\n");
        world_free(w);
    }
}

static void a_get_in_vain_steps_back_only_upstream(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = world_with((struct aq_fair_config){.shards = 2}, quirk ? "fair_steps_back" : NULL);
        put(w, "fq-a", "c", "0"); /* (99 + 1) * 65537 is even */
        world_get(w, "fq-a");
        world_get(w, "fq-a"); /* in vain, from shard 1 */
        put(w, "fq-a", "c", "0");
        put(w, "fq-a", "b", "1");
        expect_order(w, "fq-a", quirk ? "01" : "10");
        world_free(w);
    }
}

/* ---- what is done to the queue's name ---- */

static void pause_throttle_and_clear_reach_the_shards_only_in_strict(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = world_with((struct aq_fair_config){0}, quirk ? "fair_controls_literal" : NULL);
        put(w, "fq-a", "a", "x");
        put(w, "fq-a", "b", "x");
        world_forget(w);
        world_on_tube(w, AQ_ACTION_PEEK, "fq-a");
        world_on_tube(w, AQ_ACTION_PAUSE, "fq-a");
        world_get(w, "fq-a");
        world_expect(w, quirk ? "[0] 3 < get\n[0] 4 < pause\n[0] 5 < get J2 'x'\n"
                              : "[0] 3 < get J2 'x'\n[0] 4 < pause\n[0] 5 < get\n");
        world_on_tube(w, AQ_ACTION_UNPAUSE, "fq-a");
        world_send(w, (struct aq_request){.action = AQ_ACTION_THROTTLE,
                                          .given = AQ_PARAM_TUBE | AQ_PARAM_TPS,
                                          .tube = AQ_TEXT("fq-a"),
                                          .tps = 1});
        put(w, "fq-a", "c", "x");
        world_forget(w);
        world_get(w, "fq-a");
        world_get(w, "fq-a");
        world_expect(w, quirk ? "[0] 9 < get J1 'x'\n[0] 10 < get J3 'x'\n"
                              : "[0] 9 < get J3 'x'\n[0] 10 < get\n");
        w->taps_shown = true;
        put(w, "fq-a", "c", "y");
        world_forget(w);
        world_on_tube(w, AQ_ACTION_CLEAR, "fq-a");
        world_expect(w, quirk ? "[0] 12 < clear\n"
                              : "[0] cleared J4 from ready @fq-a_0\n[0] cleared J3 from reserved #1 @fq-a_0\n"
                                "[0] cleared J2 from ready @fq-a_3\n[0] cleared J1 from ready @fq-a_6\n"
                                "[0] 12 < clear\n");
        world_free(w);
    }
}

static void kick_of_the_queue_finds_buried_jobs_of_its_shards_only_in_strict(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = world_with((struct aq_fair_config){0}, quirk ? "fair_controls_literal" : NULL);
        put(w, "fq-a", "a", "x");
        world_get(w, "fq-a");
        world_on_job(w, AQ_ACTION_BURY, "J1");
        world_forget(w);
        world_on_tube(w, AQ_ACTION_KICK, "fq-a");
        world_expect(w, quirk ? "[0] 4 < kick\n" : "[0] 4 < kick J1\n");
        world_free(w);
    }
}

static void jobs_and_stats_show_the_queue_and_upstream_its_shards(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = world_with((struct aq_fair_config){0}, quirk ? "fair_shows_shards" : NULL);
        put(w, "fq-a", "a", "x");
        put(w, "fq-a", "b", "x");
        world_get(w, "fq-a");
        world_until(w, 4);
        world_on_job(w, AQ_ACTION_DONE, "J2");
        world_forget(w);
        world_send(w, (struct aq_request){.action = AQ_ACTION_STATS});
        world_expect(
            w, quirk ? "[4] 5 < stats actions 5 gets 1 puts 2; fq-a_6 1/0/0/0/0; fq-a_3 0/0/0/0/0 avg 4\n"
                     : "[4] 5 < stats actions 5 gets 1 puts 2; fq-a 1/0/0/0/0 avg 4\n");
        world_free(w);
    }
}

/* The name of a shard begins like that of a queue, and is one. */
static void the_name_of_a_shard_is_itself_a_queue(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){0}, NULL);
    put(w, "fq-a", "a", "x");
    world_get(w, "fq-a_6");
    world_put(w, "fq-a_6", "x");
    put(w, "fq-a_6", "a", "deeper");
    world_get(w, "fq-a_6");
    world_expect(w,
                 "[0] 1 < put J1\n[0] 2 < get\n[0] 3 < error: Shard key required for Fair Queue (fq-) tubes\n"
                 "[0] 4 < put J2\n[0] 5 < get J2 'deeper'\n");
    world_free(w);
}

static void a_parent_in_a_fair_queue_starts_in_its_shard_and_upstream_where_no_get_looks(void **state) {
    (void)state;
    for (int quirk = 0; quirk < 2; quirk++) {
        struct world *w = world_with((struct aq_fair_config){0}, quirk ? "fair_skips_parents" : NULL);
        struct aq_request parent = {.action = AQ_ACTION_SET_PARENT_JOB,
                                    .given = AQ_PARAM_TUBE | AQ_PARAM_SHARD_KEY | AQ_PARAM_LIMIT,
                                    .tube = AQ_TEXT("fq-a"),
                                    .shard_key = AQ_TEXT("a")};
        world_send(w, parent);
        world_get(w, "fq-a");
        world_expect(w, quirk ? "[0] 1 < set_parent_job J1 J1 ''\n[0] 2 < get\n"
                              : "[0] 1 < set_parent_job J1 J1 ''\n[0] 2 < get J1 ''\n");
        parent.given &= ~(uint32_t)AQ_PARAM_SHARD_KEY;
        world_send(w, parent);
        world_expect(w, quirk ? "[0] 3 < set_parent_job J2 J2 ''\n"
                              : "[0] 3 < error: Shard key required for Fair Queue (fq-) tubes\n");
        world_free(w);
    }
}

static void a_restart_finds_the_queue_of_each_shard(void **state) {
    (void)state;
    for (int by_key = 0; by_key < 2; by_key++) {
        struct world *w = world_with((struct aq_fair_config){.by_key = by_key}, NULL);
        w->config.persistent = true;
        world_restart(w, false);
        put(w, "fq-a", "a", "x");
        world_saved(w);
        put(w, "fq-a", "b", "y");
        world_saved(w);
        world_restart(w, true);
        world_forget(w);
        world_get(w, "fq-a");
        world_saved(w);
        world_expect(w, by_key ? "[0] write J1 reserved\n[0] 3 < get J1 'x'\n"
                               : "[0] write J2 reserved\n[0] 3 < get J2 'y'\n");
        world_free(w);
    }
}

static void hundreds_of_keys_are_taken_in_turn(void **state) {
    (void)state;
    struct world *w = world_with((struct aq_fair_config){.by_key = true}, NULL);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        put(w, "fq-a", key, "x");
    }
    char expected[64];
    for (int i = 0; i < 300; i++) {
        world_forget(w);
        uint32_t number = world_get(w, "fq-a");
        snprintf(expected, sizeof expected, "[0] %u < get J%d 'x'\n", number, i + 1);
        world_expect(w, expected);
    }
    put(w, "fq-a", "k70", "x");
    world_forget(w);
    world_get(w, "fq-a");
    world_expect(w, "[0] 602 < get J301 'x'\n");
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_goes_to_the_shard_that_its_hash_names),
        cmocka_unit_test(a_put_without_a_key_is_refused),
        cmocka_unit_test(shards_are_taken_in_turn),
        cmocka_unit_test(a_shard_with_too_many_reserved_jobs_is_passed_over),
        cmocka_unit_test(the_suffix_counts_in_place_of_the_prefix),
        cmocka_unit_test(each_key_has_a_shard_by_key),
        cmocka_unit_test(two_queues_by_key_share_a_cursor_only_upstream),
        cmocka_unit_test(a_get_in_vain_steps_back_only_upstream),
        cmocka_unit_test(pause_throttle_and_clear_reach_the_shards_only_in_strict),
        cmocka_unit_test(kick_of_the_queue_finds_buried_jobs_of_its_shards_only_in_strict),
        cmocka_unit_test(jobs_and_stats_show_the_queue_and_upstream_its_shards),
        cmocka_unit_test(the_name_of_a_shard_is_itself_a_queue),
        cmocka_unit_test(a_parent_in_a_fair_queue_starts_in_its_shard_and_upstream_where_no_get_looks),
        cmocka_unit_test(a_restart_finds_the_queue_of_each_shard),
        cmocka_unit_test(hundreds_of_keys_are_taken_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
