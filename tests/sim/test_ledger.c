#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/ledger_books.h"
#include "tests/sim/observe.h"

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

static bool is_known(uint32_t job) {
    return aq_ledger_job_by_token(see.ledger, job) != NULL;
}

static void a_job_is_forgotten_when_all_about_it_is_heard(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    assert_true(is_known(7));
    see_answer(&see, call, AQ_OUTCOME_OK);
    assert_false(is_known(7));
    assert_true(aq_ledger_forgot_token(see.ledger, 7));
    assert_true(aq_ledger_forgot_hash(see.ledger, aq_text_hash(AQ_TEXT("J7"))));
    assert_false(aq_ledger_forgot_token(see.ledger, 8));
    assert_int_equal(aq_ledger_completed(see.ledger), 1);
    assert_int_equal(aq_ledger_alive(see.ledger), 0);
}

static void a_job_is_kept_while_a_request_about_it_is_under_way(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_DONE, 7);
    see_send(&see, call, 3);
    see_send(&see, call, 3);
    see_tap(&see, 3, AQ_TAP_DONE, call, 7);
    see_answer(&see, call, AQ_OUTCOME_OK);
    assert_true(is_known(7));
}

static void a_job_is_kept_until_its_producer_is_answered(void **state) {
    (void)state;
    uint64_t put = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, put, 7);
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    assert_true(is_known(7));
    see_answer(&see, put, AQ_OUTCOME_OK);
    assert_false(is_known(7));
}

static void a_taken_job_is_kept_until_its_worker_has_it(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    uint64_t call = see_call(&see, 6, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_TAKEN, call, 7);
    assert_true(is_known(7));
    see_got(&see, call, 7);
    assert_false(is_known(7));
}

static void a_job_with_a_past_is_kept(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_at(&see, see.now_us + 2 * SEE_TTL_US);
    see_tap(&see, 3, AQ_TAP_EXPIRED, 0, 7);
    see_get(&see, 5, 3, 7);
    see_done(&see, 5, 3, 7);
    assert_true(is_known(7));
}

static void released_and_buried_jobs_are_forgotten_too(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_completion(&see, 6, 3, AQ_ACTION_RELEASE, 7);
    see_get(&see, 5, 3, 7);
    see_completion(&see, 5, 3, AQ_ACTION_BURY, 7);
    see_tap(&see, 3, AQ_TAP_KICKED, 0, 7);
    see_get(&see, 5, 3, 7);
    see_completion(&see, 5, 3, AQ_ACTION_TOUCH, 7);
    see_done(&see, 5, 3, 7);
    assert_false(is_known(7));
}

static void a_put_that_was_never_sent_is_forgotten(void **state) {
    (void)state;
    see_answer(&see, see_put_call(&see, 1, 7), AQ_OUTCOME_INVALID);
    assert_false(is_known(7));
}

static void jobs_of_producers_unknown_to_us_are_followed_and_forgotten(void **state) {
    (void)state;
    see_tap(&see, 3, AQ_TAP_PUT, 0, 7);
    assert_true(is_known(7));
    see_get(&see, 6, 3, 7);
    see_done(&see, 6, 3, 7);
    assert_false(is_known(7));
    assert_false(aq_ledger_forgot_token(see.ledger, 7)); /* it was none of ours */
    see_finish(&see);
    for (uint32_t check = 0; check <= AQ_CHECK_DUPLICATE_EXECUTION; check++)
        assert_int_equal(see_check(&see, check)->violations, 0);
}

static void the_copies_of_a_job_hang_together(void **state) {
    (void)state;
    uint64_t call = see_put_call(&see, 1, 7);
    see_tap(&see, 3, AQ_TAP_PUT, call, 7);
    see_tap(&see, 2, AQ_TAP_PUT, call, 1007);
    struct aq_ledger_job *job = aq_ledger_job_by_token(see.ledger, 7);
    struct aq_ledger_copy *first = aq_ledger_copy_by_hash(see.ledger, aq_text_hash(AQ_TEXT("J7")));
    struct aq_ledger_copy *second = aq_ledger_copy_by_hash(see.ledger, aq_text_hash(AQ_TEXT("J1007")));
    assert_ptr_equal(aq_ledger_job_of(see.ledger, first), job);
    assert_ptr_equal(aq_ledger_job_of(see.ledger, second), job);
    assert_int_equal(job->copies_made, 2);
    assert_int_equal(job->copies_alive, 2);
    assert_string_equal(second->id, "J1007");
    assert_int_equal(first->server, 3);
}

static void a_million_jobs_leave_memory_for_those_in_flight_only(void **state) {
    (void)state;
    see.plain_tokens = true;
    for (uint32_t job = 1; job <= 1000000; job++) {
        see_put(&see, 1, job % SEE_SERVERS, job);
        if (job <= 10) continue;
        see_get(&see, 6, (job - 10) % SEE_SERVERS, job - 10);
        see_done(&see, 6, (job - 10) % SEE_SERVERS, job - 10);
    }
    assert_int_equal(aq_ledger_completed(see.ledger), 999990);
    assert_int_equal(aq_ledger_alive(see.ledger), 10);
    assert_int_equal(see.ledger->cells.used, 11);
    assert_int_equal(see.ledger->further.used, 0);
    assert_true(see.ledger->by_hash.capacity <= 64 && see.ledger->by_token.capacity <= 64);
    assert_int_equal(aq_ledger_violations(see.ledger), 0);
}

/* Otherwise a second completion of one of them looks like one of a job that never was. */
static void thousands_of_jobs_forgotten_lately_are_all_known(void **state) {
    (void)state;
    see.plain_tokens = true;
    for (uint32_t job = 1; job <= 4000; job++) {
        see_put(&see, 1, 3, job);
        see_get(&see, 6, 3, job);
        see_done(&see, 6, 3, job);
    }
    for (uint32_t job = 1; job <= 4000; job++) {
        char id[16];
        snprintf(id, sizeof id, "J%u", job);
        if (!aq_ledger_forgot_hash(see.ledger, aq_text_hash(aq_text_of(id)))) fail_msg("%s is not known", id);
    }
    assert_false(aq_ledger_forgot_hash(see.ledger, aq_text_hash(AQ_TEXT("J4001"))));
}

/* Its worker does not know, and will ask for it. */
static void a_job_that_is_cleared_from_a_workers_hands_is_kept(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_tap(&see, 3, AQ_TAP_CLEARED, 0, 7);
    assert_true(is_known(7));
    see_put(&see, 1, 3, 8);
    see_tap(&see, 3, AQ_TAP_CLEARED, 0, 8);
    assert_false(is_known(8));
}

static void a_job_in_flight_costs_little_memory(void **state) {
    (void)state;
    assert_int_equal(sizeof(struct aq_ledger_event), 16);
    assert_true(sizeof(struct aq_books_cell) <= 336);
}

static void once_warm_nothing_is_allocated(void **state) {
    (void)state;
    for (uint32_t job = 1; job <= 100; job++)
        see_put(&see, 1, 3, job);
    for (uint32_t job = 1; job <= 100; job++) {
        see_get(&see, 6, 3, job);
        see_done(&see, 6, 3, job);
    }
    aq_alloc_fail_after(0);
    for (uint32_t job = 101; job <= 200; job++)
        see_put(&see, 1, 3, job);
    for (uint32_t job = 101; job <= 200; job++) {
        see_get(&see, 6, 3, job);
        see_done(&see, 6, 3, job);
    }
    aq_alloc_fail_after(UINT64_MAX);
    assert_int_equal(aq_ledger_completed(see.ledger), 200);
}

static void a_story_keeps_the_first_event_and_the_latest(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    for (uint32_t i = 0; i < 100; i++) /* far past what a counter of one byte holds */
        see_completion(&see, 6, 3, AQ_ACTION_TOUCH, 7);
    see_tap(&see, 3, AQ_TAP_LEASE, see_call(&see, 5, AQ_ACTION_GET, 0), 7);
    see_finish(&see);
    const struct aq_record_violation *story = see_violation(&see, AQ_CHECK_SINGLE_LEASE);
    assert_non_null(story);
    assert_int_equal(story->line_count, AQ_LEDGER_HISTORY + 1);
    assert_string_equal(story->lines[0], "[0.001000] producer 1 of client 1 > put srvDDDD,J7");
    assert_string_equal(story->lines[1], "[0.402000] client 2 sends touch srvDDDD,J7 to server 3");
    assert_string_equal(story->lines[6],
                        "[0.407000] worker 6 of client 2 > touch srvDDDD,J7 -> server 3: touched");
    assert_string_equal(story->lines[7], "[0.408000] worker 6 of client 2 < touch srvDDDD,J7: ok");
    assert_string_equal(story->lines[8],
                        "[0.410000] worker 5 of client 1 > get srvDDDD,J7 -> server 3: lease");
}

static void a_story_tells_what_became_of_the_servers(void **state) {
    (void)state;
    see_put(&see, 1, 3, 7);
    see_get(&see, 6, 3, 7);
    see_server_down(&see, 3, true);
    see_lost(&see, 3, 7);
    see_server_up(&see, 3);
    see_kind(&see, AQ_SEEN_SERVER_STOPPED, 5);
    see_kind(&see, AQ_SEEN_SERVER_STOPPED, 2);
    see_kind(&see, AQ_SEEN_SERVER_RESUMED, 2);
    see_tap(&see, 2, AQ_TAP_MISSED, see_call(&see, 6, AQ_ACTION_DONE, 7), 7);
    see_finish(&see);
    const struct aq_record_violation *story = see_violation(&see, AQ_CHECK_COMPLETION_ORIGIN);
    see_expect_line(story, "[0.009000] server 3: down, memory lost");
    see_expect_line(story, "[0.010000] server 3 lost srvDDDD,J7 with its memory");
    see_expect_line(story, "[0.011000] server 3: up");
    see_expect_line(story, "[0.013000] server 2: stopped");
    see_expect_line(story, "[0.014000] server 2: resumed");
    for (uint32_t i = 0; i < story->line_count; i++) {
        assert_null(strstr(story->lines[i], "server 5"));
        assert_null(strstr(story->lines[i], "[0.000000]"));
        if (i) assert_true(strncmp(story->lines[i - 1], story->lines[i], 10) <= 0);
    }
}

static void a_story_of_a_workflow_tells_of_its_children_and_parent(void **state) {
    (void)state;
    struct aq_tap parent = {
        .state = AQ_JOB_PARENT, .before = AQ_JOB_PARENT, .priority = 5, .limit = 3, .due_us = AQ_TIME_NEVER};
    parent.kind = AQ_TAP_PARENT_HELD;
    see_tap_as(&see, 3, parent, see_put_call(&see, 1, 7), 7);
    struct aq_tap child = {.kind = AQ_TAP_PUT, .parent_hash = aq_text_hash(AQ_TEXT("J7")), .priority = 5};
    see_tap_as(&see, 3, child, see_put_call(&see, 1, 8), 8);
    child.kind = AQ_TAP_LEASE; /* no due_us: a lease that is not as long as it should be */
    child.ttl_s = 10;
    child.state = AQ_JOB_RESERVED;
    see_tap_as(&see, 3, child, see_call(&see, 6, AQ_ACTION_GET, 0), 8);
    parent.kind = AQ_TAP_PARENT_STARTED;
    parent.action = AQ_ACTION_COUNT;
    parent.state = AQ_JOB_READY;
    parent.children = 2;
    see_tap_as(&see, 3, parent, 0, 7);
    see_finish(&see);
    assert_int_equal(see_check(&see, AQ_CHECK_SEMANTICS)->violations, 2);
    const struct aq_record_violation *first = see_violation(&see, AQ_CHECK_SEMANTICS);
    see_expect_line(first, "lease, child of srvDDDD,J7");
    see_expect_line(first + 1, "server 3: parent_started srvDDDD,J7, 2 children finished of 3");
}

static void ten_stories_are_kept_and_all_violations_counted(void **state) {
    (void)state;
    for (uint32_t i = 1; i <= 25; i++)
        see_tap(&see, 2, AQ_TAP_MISSED, see_call(&see, 6, AQ_ACTION_DONE, 100 + i), 100 + i);
    assert_int_equal(aq_ledger_violations(see.ledger), 25);
    see_finish(&see);
    assert_int_equal(see.record.violation_count, AQ_STORIES_PER_CHECK);
    assert_int_equal(see_check(&see, AQ_CHECK_COMPLETION_ORIGIN)->violations, 25);
    assert_string_equal(see.record.violations[9].job, "J110");
}

static void the_record_outlives_the_ledger(void **state) {
    (void)state;
    see_tap(&see, 2, AQ_TAP_MISSED, see_call(&see, 6, AQ_ACTION_DONE, 9), 9);
    see_finish(&see);
    aq_ledger_free(see.ledger);
    see.ledger = NULL;
    assert_string_equal(see.record.checks[AQ_CHECK_COMPLETION_ORIGIN].name, "completion-origin");
    assert_string_equal(see.record.violations[0].cause, "completion for an id that no server issued");
    assert_string_equal(see.record.violations[0].lines[0],
                        "[0.002000] worker 6 of client 2 > done J9 -> server 2: missed");
    assert_string_equal(see.record.servers[2].id, "srvCCCC");
}

static void servers_are_counted(void **state) {
    (void)state;
    see_put(&see, 1, 3, 1);
    see_put(&see, 1, 3, 2);
    see_put(&see, 1, 3, 3);
    see_get(&see, 6, 3, 1);
    see_get(&see, 6, 3, 2);
    see_get(&see, 6, 2, 0);
    see_done(&see, 6, 3, 1);
    see_completion(&see, 6, 3, AQ_ACTION_BURY, 2);
    see_choice(&see, 0, 3, AQ_ACTION_PUT, 0);
    see_choice(&see, 0, 3, AQ_ACTION_PUT, 0);
    see_choice(&see, 0, 3, AQ_ACTION_GET, 0);
    see_choice(&see, 0, 2, AQ_ACTION_GET, 0);
    see_tap(&see, 3, AQ_TAP_FAILED, see_put_call(&see, 1, 4), 4);
    see_tap(&see, 3, AQ_TAP_MISSED, see_call(&see, 6, AQ_ACTION_DONE, 2), 2);
    see_server_down(&see, 3, true);
    see_lost(&see, 3, 3);
    see_server_up(&see, 3);
    see_put(&see, 1, 2, 5);
    see_held(&see, 2, 5, AQ_JOB_READY);
    see_finish(&see);
    const struct aq_record_server *third = &see.record.servers[3];
    assert_int_equal(see.record.server_count, SEE_SERVERS);
    assert_int_equal(third->puts, 3);
    assert_int_equal(third->gets, 2);
    assert_int_equal(see.record.servers[2].empty_gets, 1);
    assert_int_equal(third->completions, 2);
    assert_int_equal(third->buried, 1);
    assert_int_equal(third->errors, 1);
    assert_int_equal(third->missed, 1);
    assert_int_equal(third->lost, 1);
    assert_int_equal(third->incarnations, 2);
    assert_int_equal(third->choices, 3);
    assert_true(third->share == 0.75);
    assert_int_equal(see.record.servers[2].held[AQ_JOB_READY], 1);
}

static void rows_of_servers_that_are_there_are_filled(void **state) {
    (void)state;
    see_put(&see, 1, 1, 1);
    aq_record_init(&see.record);
    struct aq_record_server *rows = aq_arena_alloc(&see.record.memory, 2 * sizeof *rows);
    memset(rows, 0, 2 * sizeof *rows);
    rows[1].requests = 42;
    see.record.servers = rows;
    see.record.server_count = 2;
    see.finished = true;
    assert_int_equal(aq_ledger_finish(see.ledger, see.now_us, &see.record), 0);
    assert_ptr_equal(see.record.servers, rows);
    assert_int_equal(rows[1].puts, 1);
    assert_int_equal(rows[1].requests, 42);
}

static void the_state_of_servers_is_known(void **state) {
    (void)state;
    assert_true(aq_ledger_server(see.ledger, 3)->up);
    see_server_down(&see, 3, true);
    assert_false(aq_ledger_server(see.ledger, 3)->up);
    assert_int_equal(aq_ledger_server(see.ledger, 3)->since_us, see.now_us);
    see_server_up(&see, 3);
    assert_int_equal(aq_ledger_server(see.ledger, 3)->incarnation, 1);
    assert_int_equal(aq_ledger_server(see.ledger, 3)->lost_before, 1);
    see_kind(&see, AQ_SEEN_SERVER_STOPPED, 3);
    assert_true(aq_ledger_server(see.ledger, 3)->stopped);
    see_kind(&see, AQ_SEEN_SERVER_RESUMED, 3);
    assert_false(aq_ledger_server(see.ledger, 3)->stopped);
    assert_false(aq_ledger_server(see.ledger, 4000)->up);
}

/* One run with a violation in it; the first failure of an allocation ends it. */
static int short_run(void) {
    struct aq_ledger_config config = {.scenario = &see.scenario,
                                      .book = &see.book,
                                      .eligible_sets = &see.sets,
                                      .server_ids = see.server_ids};
    struct aq_ledger *ledger = NULL;
    struct aq_record record;
    int rc = aq_ledger_new(&config, &ledger);
    aq_record_init(&record);
    struct aq_tap tap = {
        .kind = AQ_TAP_PUT, .action = AQ_ACTION_PUT, .job_hash = 77, .job_id = AQ_TEXT("J7")};
    struct aq_observation run[] = {
        {.kind = AQ_SEEN_CALL, .call = 1, .action = AQ_ACTION_PUT, .token = 7, .is_producer = true},
        {.kind = AQ_SEEN_TAP, .server = 20, .call = 1, .tap = &tap, .tap_token = 7},
        {.kind = AQ_SEEN_ANSWER, .call = 1, .action = AQ_ACTION_PUT, .token = 7, .is_producer = true},
        {.kind = AQ_SEEN_ANSWER, .call = 2, .action = AQ_ACTION_DONE, .job_hash = 77},
    };
    for (uint32_t i = 0; i < 4 && !rc; i++)
        rc = aq_ledger_observe(ledger, &run[i]);
    if (!rc) rc = aq_ledger_finish(ledger, 10, &record);
    aq_record_close(&record);
    aq_ledger_free(ledger);
    return rc;
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state) {
    (void)state;
    uint64_t skip = 0;
    int rc = AQ_ENOMEM;
    for (; rc && skip < 10000; skip++) {
        aq_alloc_fail_after(skip);
        rc = short_run();
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || rc == AQ_ENOMEM);
    }
    assert_int_equal(rc, 0);
    assert_true(skip > 20);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_job_is_forgotten_when_all_about_it_is_heard),
        T(a_job_is_kept_while_a_request_about_it_is_under_way),
        T(a_job_is_kept_until_its_producer_is_answered),
        T(a_taken_job_is_kept_until_its_worker_has_it),
        T(a_job_with_a_past_is_kept),
        T(released_and_buried_jobs_are_forgotten_too),
        T(a_put_that_was_never_sent_is_forgotten),
        T(jobs_of_producers_unknown_to_us_are_followed_and_forgotten),
        T(the_copies_of_a_job_hang_together),
        T(a_million_jobs_leave_memory_for_those_in_flight_only),
        T(thousands_of_jobs_forgotten_lately_are_all_known),
        T(a_job_that_is_cleared_from_a_workers_hands_is_kept),
        T(a_job_in_flight_costs_little_memory),
        T(once_warm_nothing_is_allocated),
        T(a_story_keeps_the_first_event_and_the_latest),
        T(a_story_tells_what_became_of_the_servers),
        T(a_story_of_a_workflow_tells_of_its_children_and_parent),
        T(ten_stories_are_kept_and_all_violations_counted),
        T(the_record_outlives_the_ledger),
        T(servers_are_counted),
        T(rows_of_servers_that_are_there_are_filled),
        T(the_state_of_servers_is_known),
        T(every_failed_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
