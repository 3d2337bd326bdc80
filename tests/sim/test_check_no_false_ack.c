#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/observe.h"

#define CHECK AQ_CHECK_NO_FALSE_ACK

static struct see see;

static int set_up(void **state) {
    (void)state;
    see_open(&see);
    see_start(&see);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    see_close(&see);
    return 0;
}

static void restored(uint32_t server, uint32_t job, enum aq_job_state job_state) {
    struct aq_tap tap = {.kind = AQ_TAP_RESTORED, .state = job_state, .action = AQ_ACTION_COUNT};
    see_tap_as(&see, server, tap, 0, job);
}

static void restart(uint32_t server) {
    see_server_down(&see, server, false);
    see_server_up(&see, server);
}

static void successes_that_are_true_pass(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    see_answer(&see, see_call(&see, 6, AQ_ACTION_CLEAR, 0), AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, CHECK)->judged, 4);
}

static void failures_are_no_false_success(void **state) {
    (void)state;
    for (int outcome = AQ_OUTCOME_REFUSED; outcome <= AQ_OUTCOME_EMPTY; outcome++)
        see_answer(&see, see_put_call(&see, 1, (uint32_t)outcome), (enum aq_outcome)outcome);
    see_get(&see, 6, 3, 0);
    see_expect(&see, CHECK, AQ_VERDICT_UNKNOWN, 0, NULL);
}

static void a_put_told_ok_that_no_server_took_is_caught(void **state) {
    (void)state;
    uint64_t call = see_put_call(&see, 1, 7);
    see_send(&see, call, 3);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "put told ok, but no server accepted it");
    assert_int_equal(see_violation(&see, CHECK)->token, 7);
}

static void a_put_told_the_id_of_another_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 8);
    uint64_t call = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    struct aq_observation seen = {.kind = AQ_SEEN_ANSWER,
                                  .caller = 1,
                                  .client = 1,
                                  .server = AQ_NOBODY,
                                  .call = call,
                                  .action = AQ_ACTION_PUT,
                                  .is_producer = true,
                                  .token = 7,
                                  .job = AQ_TEXT("srvDDDD,J8"),
                                  .job_hash = aq_text_hash(AQ_TEXT("J8"))};
    see_raw(&see, seen);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "put told the id of another job");
}

static void a_get_told_of_an_unknown_job_is_caught(void **state) {
    (void)state;
    see_got(&see, see_call(&see, 6, AQ_ACTION_GET, 0), 9);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "get told of a job that no server handed out");
}

static void a_get_told_of_a_job_that_was_only_put_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_got(&see, see_call(&see, 6, AQ_ACTION_GET, 0), 7);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "get told of a job that no server handed out");
}

static void a_get_told_of_another_clients_job_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    uint64_t mine = see_call(&see, 6, AQ_ACTION_GET, 0), other = see_call(&see, 5, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_LEASE, mine, 7);
    see_got(&see, other, 7);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "get told of a job handed to another client");
}

static void a_get_told_of_the_wrong_body_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_LEASE, call, 7);
    see_raw(&see, (struct aq_observation){.kind = AQ_SEEN_ANSWER,
                                          .caller = 6,
                                          .client = 2,
                                          .server = AQ_NOBODY,
                                          .call = call,
                                          .action = AQ_ACTION_GET,
                                          .token = 8,
                                          .job = AQ_TEXT("srvDDDD,J7"),
                                          .job_hash = aq_text_hash(AQ_TEXT("J7"))});
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "get told of a job with the body of another");
}

static void a_completion_told_ok_that_was_not_applied_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_answer(&see, see_call(&see, 6, AQ_ACTION_DONE, 7), AQ_OUTCOME_OK);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "completion told ok, but not applied");
}

static void an_empty_answer_to_clear_is_caught(void **state) {
    (void)state;
    see_answer(&see, see_call(&see, 6, AQ_ACTION_CLEAR, 0), AQ_OUTCOME_EMPTY);
    see_answer(&see, see_call(&see, 6, AQ_ACTION_UPDATE_SERVERS, 0), AQ_OUTCOME_EMPTY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 2, "failed call told as success");
}

static void a_forgotten_job_that_comes_back_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    restart(3);
    restored(3, 7, AQ_JOB_READY);
    see_held(&see, 3, 7, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged completion came back");
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see.record.jobs.completed, 0);
    assert_int_equal(see.record.jobs.held, 1);
}

static void a_kept_job_that_comes_back_after_its_ack_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_at(&see, 20 * AQ_US_PER_S);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    see_tap(&see, 3, AQ_TAP_LEASE, see_call(&see, 5, AQ_ACTION_GET, 0), 7);
    see_all_held(&see);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged completion came back");
}

static void a_job_that_came_back_before_its_ack_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    restart(3);
    restored(3, 7, AQ_JOB_RESERVED);
    see_answer(&see, call, AQ_OUTCOME_OK);
    see_held(&see, 3, 7, AQ_JOB_RESERVED);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged completion came back");
}

static void a_renamed_job_that_comes_back_after_its_ack_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    for (uint32_t round = 1; round <= 2; round++) { /* its file stays under the first name */
        restart(3);
        struct aq_tap tap = {.kind = AQ_TAP_RESTORED,
                             .state = AQ_JOB_READY,
                             .action = AQ_ACTION_COUNT,
                             .former_id = AQ_TEXT("J7")};
        see_tap_as(&see, 3, tap, 0, round * 1000 + 7);
        if (round == 2) break;
        see_get(&see, 6, 3, 1007);
        see_done(&see, 6, 3, 1007);
    }
    see_held(&see, 3, 2007, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged completion came back");
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_PASS, 0, NULL);
}

static void an_unacknowledged_completion_may_come_back(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    restart(3);
    restored(3, 7, AQ_JOB_RESERVED);
    see_answer(&see, call, AQ_OUTCOME_UNKNOWN);
    see_held(&see, 3, 7, AQ_JOB_RESERVED);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    see_expect(&see, AQ_CHECK_CONSERVATION, AQ_VERDICT_PASS, 0, NULL);
}

static void an_acknowledged_put_may_go_with_the_memory_of_a_crash(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_put(&see, 1, 3, 8);
    see_server_down(&see, 3, true);
    see_lost(&see, 3, 7); /* and of 8 nothing is said */
    see_server_up(&see, 3);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see.record.jobs.lost_declared, 2);
    assert_int_equal(see.record.jobs.unexplained, 0);
}

static void an_acknowledged_put_lost_by_a_server_that_kept_its_disk_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_server_down(&see, 3, false);
    see_lost(&see, 3, 7);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged put was lost");
}

static void an_acknowledged_put_that_is_nowhere_at_the_end_is_caught(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_put(&see, 1, 3, 8);
    see_held(&see, 3, 8, AQ_JOB_READY);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 1, "acknowledged put was lost");
}

static void puts_refused_and_yet_made_are_counted(void **state) {
    (void)state;
    uint64_t before = see_put_call(&see, 1, 7), after = see_put_call(&see, 1, 8);
    see_tap(&see, 3, AQ_TAP_PUT, before, 7);
    see_answer(&see, before, AQ_OUTCOME_REFUSED);
    see_answer(&see, after, AQ_OUTCOME_UNAVAILABLE);
    see_tap(&see, 3, AQ_TAP_PUT, after, 8);
    see_finish(&see);
    assert_true(see_figure(&see, CHECK, "puts_refused_but_made") == 2);
}

/* ---- commands ---- */

static struct aq_command_spec commands[] = {
    {.kind = AQ_COMMAND_PAUSE, .action = AQ_ACTION_PAUSE, .tube = "default", .client = 2},
    {.kind = AQ_COMMAND_KICK, .action = AQ_ACTION_KICK, .tube = "default", .client = 2},
    {.kind = AQ_COMMAND_STATS, .action = AQ_ACTION_STATS, .client = 2},
};

static void begin_with_commands(void) {
    see_close(&see);
    see_open(&see);
    see.scenario.commands = commands;
    see.scenario.command_count = sizeof commands / sizeof *commands;
    see_start(&see);
}

static void done_for(uint32_t client, enum aq_tap_kind kind, const char *tube) {
    struct aq_tap tap = {.kind = kind, .action = AQ_ACTION_PAUSE, .tube = aq_text_of(tube)};
    see_raw(&see, (struct aq_observation){
                      .kind = AQ_SEEN_TAP, .server = 1, .client = client, .caller = AQ_NOBODY, .tap = &tap});
}

static void answer_to_command(uint32_t command, aq_time_us called_us, enum aq_outcome outcome,
                              uint64_t job_hash) {
    see_raw(&see, (struct aq_observation){.kind = AQ_SEEN_ANSWER,
                                          .caller = command,
                                          .is_command = true,
                                          .client = 2,
                                          .server = AQ_NOBODY,
                                          .action = commands[command].action,
                                          .outcome = outcome,
                                          .job_hash = job_hash,
                                          .called_us = called_us});
}

static void a_command_told_ok_that_a_server_did_passes(void **state) {
    (void)state;
    begin_with_commands();
    aq_time_us called_us = see.now_us;
    done_for(2, AQ_TAP_PAUSED, "default");
    answer_to_command(0, called_us, AQ_OUTCOME_OK, 0);
    done_for(2, AQ_TAP_KICKED, "default");
    answer_to_command(1, called_us, AQ_OUTCOME_OK, 5);
    answer_to_command(1, see.now_us, AQ_OUTCOME_OK, 0); /* nothing was there to be kicked */
    answer_to_command(2, see.now_us, AQ_OUTCOME_OK, 0); /* stats change nothing */
    answer_to_command(0, see.now_us, AQ_OUTCOME_UNKNOWN, 0);
    see_expect(&see, CHECK, AQ_VERDICT_PASS, 0, NULL);
    assert_int_equal(see_check(&see, CHECK)->judged, 2);
}

static void a_command_told_ok_that_no_server_did_is_caught(void **state) {
    (void)state;
    begin_with_commands();
    done_for(2, AQ_TAP_PAUSED, "default"); /* before the call */
    aq_time_us called_us = see.now_us + 1;
    done_for(3, AQ_TAP_PAUSED, "default"); /* for another client */
    done_for(2, AQ_TAP_PAUSED, "other");
    done_for(2, AQ_TAP_UNPAUSED, "default");
    answer_to_command(0, called_us, AQ_OUTCOME_OK, 0);
    answer_to_command(1, called_us, AQ_OUTCOME_OK, 5);
    see_expect(&see, CHECK, AQ_VERDICT_FAIL, 2, "command told ok, but no server did it");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(successes_that_are_true_pass),
        T(failures_are_no_false_success),
        T(a_put_told_ok_that_no_server_took_is_caught),
        T(a_put_told_the_id_of_another_is_caught),
        T(a_get_told_of_an_unknown_job_is_caught),
        T(a_get_told_of_a_job_that_was_only_put_is_caught),
        T(a_get_told_of_another_clients_job_is_caught),
        T(a_get_told_of_the_wrong_body_is_caught),
        T(a_completion_told_ok_that_was_not_applied_is_caught),
        T(an_empty_answer_to_clear_is_caught),
        T(a_forgotten_job_that_comes_back_is_caught),
        T(a_kept_job_that_comes_back_after_its_ack_is_caught),
        T(a_job_that_came_back_before_its_ack_is_caught),
        T(a_renamed_job_that_comes_back_after_its_ack_is_caught),
        T(an_unacknowledged_completion_may_come_back),
        T(an_acknowledged_put_may_go_with_the_memory_of_a_crash),
        T(an_acknowledged_put_lost_by_a_server_that_kept_its_disk_is_caught),
        T(an_acknowledged_put_that_is_nowhere_at_the_end_is_caught),
        T(puts_refused_and_yet_made_are_counted),
        T(a_command_told_ok_that_a_server_did_passes),
        T(a_command_told_ok_that_no_server_did_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
