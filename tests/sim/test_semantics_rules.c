/* The rules for pause, throttle, workflows, fair queues and releases: what keeps them passes, and each way to
   break one is caught by its own cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_semantics;

#define S  AQ_US_PER_S
#define MS AQ_US_PER_MS

#define SERVER_PAUSED "a job of a paused tube was handed out"
#define FLEET_PAUSED  "a job was handed out after its caller was told that the tube is paused"
#define SERVER_FASTER "a server handed out more jobs of a tube than its throttle allows"
#define FLEET_FASTER                                                                                         \
    "more jobs of a tube were handed out than the throttle that its caller was told of allows"
#define TOO_EARLY       "a parent started before its children were finished"
#define TWICE           "a parent started twice"
#define WAITING_GIVEN   "a parent was handed out while it waited for its children"
#define NEVER           "a parent never started although its children are finished"
#define TIMEOUT_EARLY   "a parent timed out before its time"
#define TIMEOUT_LATE    "a parent timed out too late"
#define TIMEOUT_NEVER   "a parent never timed out"
#define TIMEOUT_ENDS    "a parent that timed out was run and should be buried, or the other way round"
#define REAPED          "a delayed job was dropped with its idle tube"
#define PASSED_OVER     "a shard of a fair queue was passed over"
#define RELEASE_IGNORED "a job over its limit of releases was not buried"
#define RELEASE_EARLY   "a job below its limit of releases was buried"

static struct aq_ledger fake;
static struct aq_command_spec commands[3];

static void begin(void) {
    fake_init(&fake, &aq_check_semantics, 3, 10);
    for (int i = 0; i < 3; i++)
        commands[i] = (struct aq_command_spec){.tube = (char *)"work", .tps = 2};
    fake.scenario.commands = commands;
    fake.scenario.command_count = 3;
    fake_start(&fake);
}

static void clean(void) {
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void caught(const char *cause) {
    assert_int_equal(fake_caught(&fake, cause), 1);
    assert_int_equal(fake.violations, 1);
    fake_close(&fake);
}

static void tap(aq_time_us at_us, uint32_t server, struct aq_tap about) {
    if (!about.tube.len) about.tube = AQ_TEXT("work");
    if (!about.priority) about.priority = 1;
    if (about.kind == AQ_TAP_LEASE) {
        about.ttl_s = 10;
        about.due_us = at_us + 10 * S;
        about.state = AQ_JOB_RESERVED;
        about.before = AQ_JOB_READY;
        if (!about.job_hash) about.job_hash = 77;
    }
    fake_see(&fake,
             (struct aq_observation){
                 .at_us = at_us, .kind = AQ_SEEN_TAP, .server = server, .tap = &about, .tap_token = 1});
}

static void lease(aq_time_us at_us, uint32_t server) {
    tap(at_us, server, (struct aq_tap){.kind = AQ_TAP_LEASE});
}

static void server_is(aq_time_us at_us, enum aq_seen_kind kind, uint32_t server) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind, .server = server});
}

/* The caller of a command hears that it was carried out. */
static void told(aq_time_us at_us, uint32_t command, enum aq_action action) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us,
                                            .kind = AQ_SEEN_ANSWER,
                                            .server = AQ_NOBODY,
                                            .caller = command,
                                            .is_command = true,
                                            .called_us = at_us,
                                            .action = action,
                                            .outcome = AQ_OUTCOME_OK});
}

/* It hears of a command that was given earlier. */
static void ends(aq_time_us called_us, aq_time_us at_us, uint32_t command, enum aq_action action,
                 enum aq_outcome outcome) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us,
                                            .kind = AQ_SEEN_ANSWER,
                                            .server = AQ_NOBODY,
                                            .caller = command,
                                            .is_command = true,
                                            .called_us = called_us,
                                            .action = action,
                                            .outcome = outcome});
}

/* An operator gives a command, and is not answered yet. */
static void asks(aq_time_us at_us, uint32_t command, enum aq_action action) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us,
                                            .kind = AQ_SEEN_CALL,
                                            .server = AQ_NOBODY,
                                            .caller = command,
                                            .is_command = true,
                                            .action = action});
}

/* ---- pause ---- */

static void a_tube_that_is_not_paused_any_more_may_be_served(void **state) {
    (void)state;
    begin();
    tap(1 * S, 0, (struct aq_tap){.kind = AQ_TAP_PAUSED});
    told(1 * S, 0, AQ_ACTION_PAUSE);
    tap(2 * S, 0, (struct aq_tap){.kind = AQ_TAP_EMPTY});
    tap(2 * S, 0, (struct aq_tap){.kind = AQ_TAP_LEASE, .tube = AQ_TEXT("other")});
    assert_true(fake.violations == 0);
    told(3 * S, 0, AQ_ACTION_UNPAUSE);
    tap(3 * S, 0, (struct aq_tap){.kind = AQ_TAP_UNPAUSED});
    lease(4 * S, 0);
    tap(5 * S, 0, (struct aq_tap){.kind = AQ_TAP_PAUSED});
    server_is(6 * S, AQ_SEEN_SERVER_DOWN, 0);
    server_is(7 * S, AQ_SEEN_SERVER_UP, 0);
    lease(8 * S, 0); /* a new process, which has forgotten it */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "pause_judged") == 1);
    fake_close(&fake);
}

static void a_job_of_a_paused_tube_is_caught(void **state) {
    (void)state;
    begin();
    tap(1 * S, 1, (struct aq_tap){.kind = AQ_TAP_PAUSED});
    lease(2 * S, 0);
    assert_int_equal(fake.violations, 0);
    lease(2 * S, 1);
    caught(SERVER_PAUSED);
}

static void a_pause_that_reached_one_server_only_is_caught(void **state) {
    (void)state;
    begin();
    tap(1 * S, 1, (struct aq_tap){.kind = AQ_TAP_PAUSED});
    told(1 * S, 0, AQ_ACTION_PAUSE);
    lease(2 * S, 0);
    caught(FLEET_PAUSED);
}

static void while_an_unpause_is_carried_out_servers_may_serve(void **state) {
    (void)state;
    begin();
    told(1 * S, 0, AQ_ACTION_PAUSE);
    asks(2 * S, 1, AQ_ACTION_UNPAUSE);
    lease(2 * S + 1 * MS, 0);
    told(2 * S + 2 * MS, 1, AQ_ACTION_UNPAUSE);
    clean();
}

static void what_one_client_was_told_says_nothing_where_clients_know_different_servers(void **state) {
    (void)state;
    fake_init(&fake, &aq_check_semantics, 3, 10);
    static struct aq_client_group group = {.share = 0.5};
    commands[0] = (struct aq_command_spec){.tube = (char *)"work", .tps = 2};
    fake.scenario.commands = commands;
    fake.scenario.command_count = 1;
    fake.scenario.clients.groups = &group;
    fake.scenario.clients.group_count = 1;
    fake_start(&fake);
    told(1 * S, 0, AQ_ACTION_PAUSE);
    lease(2 * S, 0);
    clean();
}

static void a_server_that_is_added_need_not_know_of_a_pause_or_throttle(void **state) {
    (void)state;
    begin();
    told(1 * S, 0, AQ_ACTION_PAUSE);
    told(1 * S, 1, AQ_ACTION_THROTTLE);
    fake_see(&fake, (struct aq_observation){
                        .at_us = 2 * S, .kind = AQ_SEEN_TOLD, .server = 2, .client = 0, .member = true});
    for (int i = 0; i < 9; i++)
        lease(3 * S, 2);
    clean();
}

/* With a disk that lasts the new process has to know what its predecessor had saved. */
static void a_restart_from_disk_keeps_pause_and_throttle(void **state) {
    (void)state;
    for (int saved = 0; saved < 2; saved++) {
        for (int throttle = 0; throttle < 2; throttle++) {
            fake_init(&fake, &aq_check_semantics, 3, 10);
            fake.scenario.servers.persistent = true;
            fake.scenario.servers.persist =
                (struct aq_distribution){.kind = AQ_DISTRIBUTION_CONSTANT, .a_us = 10 * MS};
            fake_start(&fake);
            aq_time_us told_us = saved ? 1 * S : 2 * S - 5 * MS;
            tap(told_us, 0, (struct aq_tap){.kind = throttle ? AQ_TAP_THROTTLED : AQ_TAP_PAUSED, .tps = 1});
            server_is(2 * S, AQ_SEEN_SERVER_DOWN, 0);
            server_is(3 * S, AQ_SEEN_SERVER_UP, 0);
            lease(4 * S, 0);
            lease(4 * S, 0);
            assert_int_equal(fake_caught(&fake, throttle ? SERVER_FASTER : SERVER_PAUSED),
                             saved ? 2 - throttle : 0);
            fake_close(&fake);
        }
    }
}

static void the_pause_of_a_fair_queue_holds_for_its_shards(void **state) {
    (void)state;
    begin();
    tap(1 * S, 1, (struct aq_tap){.kind = AQ_TAP_PAUSED, .tube = AQ_TEXT("fq-work")});
    tap(2 * S, 1, (struct aq_tap){.kind = AQ_TAP_LEASE, .tube = AQ_TEXT("fq-work_3")});
    caught(SERVER_PAUSED);
}

/* ---- throttle ---- */

static void throttled(aq_time_us at_us, uint32_t server, double tps) {
    tap(at_us, server, (struct aq_tap){.kind = AQ_TAP_THROTTLED, .tps = tps});
}

static void jobs_at_the_rate_of_the_throttle_pass(void **state) {
    (void)state;
    begin();
    throttled(1 * S, 0, 2);
    for (aq_time_us at_us = 2 * S; at_us < 6 * S; at_us += S) {
        lease(at_us, 0); /* two at once, then none for a second */
        lease(at_us, 0);
        lease(at_us, 1); /* no throttle here */
        lease(at_us, 1);
        lease(at_us, 1);
    }
    throttled(6 * S, 0, 0);
    for (int i = 0; i < 5; i++)
        lease(6 * S, 0);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "throttle_judged") == 8);
    fake_close(&fake);
}

static void a_server_that_is_faster_than_its_throttle_is_caught(void **state) {
    (void)state;
    begin();
    throttled(1 * S, 0, 2);
    lease(2 * S, 0);
    lease(2 * S + 500 * MS, 0);
    lease(2 * S + 990 * MS, 0);
    caught(SERVER_FASTER);
}

static void a_throttle_below_one_is_one_job_in_a_longer_window(void **state) {
    (void)state;
    begin();
    throttled(1 * S, 0, 0.5);
    lease(2 * S, 0);
    lease(4 * S, 0);
    assert_int_equal(fake.violations, 0);
    lease(5 * S, 0);
    caught(SERVER_FASTER);
}

static void a_fleet_that_is_faster_than_it_was_told_to_be_is_caught(void **state) {
    (void)state;
    begin(); /* 2 a second were wanted; three servers may have one each */
    told(1 * S, 0, AQ_ACTION_THROTTLE);
    lease(2 * S, 0);
    lease(2 * S, 1);
    lease(2 * S, 2);
    assert_int_equal(fake.violations, 0);
    lease(2 * S + 100 * MS, 0);
    caught(FLEET_FASTER);
}

/* Ten a second are 3.33 each: three in nine tenths of a second. Their windows may end together. */
static void uneven_shares_of_a_throttle_pass(void **state) {
    (void)state;
    begin();
    commands[0].tps = 10;
    told(1 * S, 0, AQ_ACTION_THROTTLE);
    for (aq_time_us at_us = 2 * S; at_us < 40 * S; at_us += 900 * MS)
        for (uint32_t i = 0; i < 9; i++)
            lease(at_us, i % 3);
    assert_int_equal(fake.violations, 0);
    for (int i = 0; i < 5; i++)
        lease(40 * S, 0);
    assert_true(fake_caught(&fake, FLEET_FASTER) > 0);
    fake_close(&fake);
}

/* A client that does not round up gives each of three servers less than one a second, which is to be kept. */
static void only_the_policy_allows_more_than_was_asked_for(void **state) {
    (void)state;
    for (int rounds = 0; rounds < 2; rounds++) {
        fake_init(&fake, &aq_check_semantics, 3, 10);
        commands[0] = (struct aq_command_spec){.tube = (char *)"work", .tps = 2};
        fake.scenario.commands = commands;
        fake.scenario.command_count = 1;
        fake.scenario.clients.policy.throttle_rounds_up = rounds;
        fake_start(&fake);
        told(1 * S, 0, AQ_ACTION_THROTTLE);
        for (aq_time_us at_us = 2 * S; at_us < 20 * S; at_us += S)
            for (uint32_t i = 0; i < 3; i++)
                lease(at_us, i);
        assert_true(rounds ? fake.violations == 0 : fake_caught(&fake, FLEET_FASTER) > 0);
        fake_close(&fake);
    }
}

static void while_a_throttle_is_lifted_servers_may_be_faster(void **state) {
    (void)state;
    begin();
    told(1 * S, 0, AQ_ACTION_THROTTLE);
    asks(2 * S, 1, AQ_ACTION_THROTTLE);
    for (int i = 0; i < 9; i++)
        lease(2 * S, 0);
    clean();
}

/* ---- what can be held against the whole fleet ---- */

static void a_pause_is_held_against_the_fleet_when_it_was_alone(void **state) {
    (void)state;
    begin();
    asks(1 * S, 0, AQ_ACTION_PAUSE);
    ends(1 * S, 2 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(3 * S, 0);
    caught(FLEET_PAUSED);
}

static void a_pause_that_an_unpause_may_have_overtaken_is_not(void **state) {
    (void)state;
    begin(); /* asked after it */
    asks(1 * S, 0, AQ_ACTION_PAUSE);
    asks(2 * S, 1, AQ_ACTION_UNPAUSE);
    ends(2 * S, 3 * S, 1, AQ_ACTION_UNPAUSE, AQ_OUTCOME_OK);
    ends(1 * S, 4 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(5 * S, 0);
    clean();
    begin(); /* asked before it, and still under way */
    asks(1 * S, 1, AQ_ACTION_UNPAUSE);
    asks(2 * S, 0, AQ_ACTION_PAUSE);
    ends(2 * S, 3 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(4 * S, 0);
    clean();
    begin(); /* asked before it, and nobody knows whether it will still arrive */
    asks(1 * S, 1, AQ_ACTION_UNPAUSE);
    ends(1 * S, 2 * S, 1, AQ_ACTION_UNPAUSE, AQ_OUTCOME_UNKNOWN);
    asks(3 * S, 0, AQ_ACTION_PAUSE);
    ends(3 * S, 4 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(5 * S, 0);
    clean();
}

static void a_pause_that_a_server_forgot_before_it_was_told_is_not(void **state) {
    (void)state;
    begin();
    asks(1 * S, 0, AQ_ACTION_PAUSE);
    server_is(2 * S, AQ_SEEN_SERVER_DOWN, 1);
    server_is(3 * S, AQ_SEEN_SERVER_UP, 1);
    ends(1 * S, 4 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(5 * S, 1);
    clean();
}

static void a_pause_by_a_client_that_was_told_to_leave_a_server_is_not(void **state) {
    (void)state;
    begin();
    fake_see(&fake, (struct aq_observation){.at_us = 1 * S, .kind = AQ_SEEN_TOLD, .server = 2, .address = 2});
    asks(2 * S, 0, AQ_ACTION_PAUSE);
    ends(2 * S, 3 * S, 0, AQ_ACTION_PAUSE, AQ_OUTCOME_OK);
    lease(4 * S, 2);
    clean();
}

/* ---- what puts and releases ask for ---- */

static void put_with(int64_t ttl_s, uint32_t priority) {
    tap(1 * S, 0,
        (struct aq_tap){
            .kind = AQ_TAP_PUT, .job_hash = 5, .state = AQ_JOB_READY, .ttl_s = ttl_s, .priority = priority});
}

static void begin_asking(int32_t least, int32_t most) {
    begin();
    fake.scenario.producers.ttl_given = true;
    fake.scenario.producers.ttl_s = 10;
    fake.scenario.producers.priority_min = least;
    fake.scenario.producers.priority_max = most;
}

static void a_job_has_what_its_put_asked_for(void **state) {
    (void)state;
    begin_asking(2, 12);
    put_with(10, 2);
    put_with(10, 9); /* servers keep up to 9 */
    assert_int_equal(fake.violations, 0);
    put_with(10, 1);
    caught("a job has another priority than its put asked for");
    begin_asking(5, 5);
    put_with(5, 5);
    caught("a job has another ttl than its put asked for");
    begin_asking(5, 5);
    put_with(10, 4);
    caught("a job has another priority than its put asked for");
}

static void a_release_has_the_delay_that_it_asked_for(void **state) {
    (void)state;
    for (int seconds = 2; seconds <= 3; seconds++) {
        begin();
        fake.scenario.workers.release_delay_s = 3;
        tap(1 * S, 0,
            (struct aq_tap){.kind = AQ_TAP_RELEASED,
                            .job_hash = 5,
                            .before = AQ_JOB_RESERVED,
                            .state = AQ_JOB_DELAYED,
                            .due_us = 1 * S + (aq_time_us)seconds * S});
        assert_int_equal(fake_caught(&fake, "the delay of a release was not kept"), seconds == 2);
        fake_close(&fake);
    }
}

/* ---- workflows ---- */

enum { PARENT = 500, CHILD = 600 };

static void hold(aq_time_us at_us, int32_t limit, aq_time_us due_us) {
    tap(at_us, 0,
        (struct aq_tap){.kind = AQ_TAP_PARENT_HELD,
                        .job_hash = PARENT,
                        .before = AQ_JOB_PARENT,
                        .state = AQ_JOB_PARENT,
                        .limit = limit,
                        .due_us = due_us});
}

static void child_done(aq_time_us at_us, uint64_t child) {
    tap(at_us, 0,
        (struct aq_tap){
            .kind = AQ_TAP_DONE, .job_hash = child, .parent_hash = PARENT, .before = AQ_JOB_RESERVED});
}

static void parent_is(aq_time_us at_us, enum aq_tap_kind kind, enum aq_job_state state) {
    tap(at_us, 0,
        (struct aq_tap){
            .kind = kind, .job_hash = PARENT, .before = AQ_JOB_PARENT, .state = state, .limit = 2});
}

static void a_parent_after_its_children_passes(void **state) {
    (void)state;
    begin();
    hold(1 * S, -1, 60 * S);
    child_done(2 * S, CHILD);
    parent_is(3 * S, AQ_TAP_CHILDREN_STARTED, AQ_JOB_PARENT); /* two of them */
    child_done(4 * S, CHILD + 1);
    parent_is(4 * S, AQ_TAP_PARENT_STARTED, AQ_JOB_READY);
    tap(5 * S, 0, (struct aq_tap){.kind = AQ_TAP_LEASE, .job_hash = PARENT});
    tap(6 * S, 0, (struct aq_tap){.kind = AQ_TAP_DONE, .job_hash = PARENT, .before = AQ_JOB_RESERVED});
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "workflow_judged") == 1);
    fake_close(&fake);
}

static void a_parent_before_its_last_child_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    tap(3 * S, 0, /* counted, but it is not finished */
        (struct aq_tap){.kind = AQ_TAP_EXPIRED,
                        .job_hash = CHILD + 1,
                        .parent_hash = PARENT,
                        .before = AQ_JOB_RESERVED,
                        .state = AQ_JOB_READY,
                        .expireds = 1});
    parent_is(3 * S, AQ_TAP_PARENT_STARTED, AQ_JOB_READY);
    caught(TOO_EARLY);
}

static void a_parent_that_starts_again_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    child_done(2 * S, CHILD + 1);
    parent_is(2 * S, AQ_TAP_PARENT_STARTED, AQ_JOB_READY);
    server_is(3 * S, AQ_SEEN_SERVER_DOWN, 0);
    server_is(4 * S, AQ_SEEN_SERVER_UP, 0);
    parent_is(5 * S, AQ_TAP_TIMED_OUT, AQ_JOB_READY);
    caught(TWICE);
}

static void a_parent_that_is_given_away_while_it_waits_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    tap(2 * S, 0, (struct aq_tap){.kind = AQ_TAP_LEASE, .job_hash = PARENT});
    caught(WAITING_GIVEN);
}

static void a_parent_that_never_starts_is_caught_at_the_end(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    child_done(2 * S, CHILD + 1);
    lease(9 * S, 1);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    caught(NEVER);
}

static void a_parent_lost_with_its_server_is_not_waited_for(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    child_done(2 * S, CHILD + 1);
    server_is(2 * S, AQ_SEEN_SERVER_DOWN, 0);
    lease(9 * S, 1);
    clean();
}

static void a_timeout_is_judged_by_its_moment(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 11 * S);
    parent_is(11 * S, AQ_TAP_TIMED_OUT, AQ_JOB_BURIED);
    clean();
    begin();
    hold(1 * S, 2, 11 * S);
    parent_is(10 * S, AQ_TAP_TIMED_OUT, AQ_JOB_BURIED);
    caught(TIMEOUT_EARLY);
    begin();
    hold(1 * S, 2, 11 * S);
    parent_is(12 * S, AQ_TAP_TIMED_OUT, AQ_JOB_BURIED);
    caught(TIMEOUT_LATE);
}

static void put_child(aq_time_us at_us, uint64_t child) {
    tap(at_us, 0,
        (struct aq_tap){.kind = AQ_TAP_PUT,
                        .job_hash = child,
                        .parent_hash = PARENT,
                        .state = AQ_JOB_READY,
                        .priority = 1});
}

/* What the server says of its children is not believed. */
static void a_parent_whose_server_miscounts_its_children_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, -1, 60 * S);
    for (uint64_t i = 0; i < 3; i++)
        put_child(1 * S, CHILD + i);
    parent_is(2 * S, AQ_TAP_CHILDREN_STARTED, AQ_JOB_PARENT); /* two, it says */
    child_done(3 * S, CHILD);
    child_done(3 * S, CHILD + 1);
    parent_is(3 * S, AQ_TAP_PARENT_STARTED, AQ_JOB_READY);
    caught(TOO_EARLY);
}

static void a_noop_that_ends_before_its_children_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    parent_is(2 * S, AQ_TAP_NOOP_DONE, AQ_JOB_PARENT);
    caught(TOO_EARLY);
    begin();
    hold(1 * S, 2, 60 * S);
    child_done(2 * S, CHILD);
    parent_is(60 * S, AQ_TAP_NOOP_DONE, AQ_JOB_PARENT); /* it has waited for its time */
    clean();
    begin();
    hold(1 * S, 2, 60 * S);
    fake.servers[0].clock_jumped = true;
    parent_is(40 * S, AQ_TAP_NOOP_DONE, AQ_JOB_PARENT); /* 60 s by the server's clock */
    clean();
}

static void a_timeout_ends_as_it_was_asked_for(void **state) {
    (void)state;
    for (int run = 0; run < 2; run++) {
        begin();
        fake.scenario.producers.parents.run_on_timeout = run;
        hold(1 * S, 2, 11 * S);
        parent_is(11 * S, AQ_TAP_TIMED_OUT, run ? AQ_JOB_READY : AQ_JOB_BURIED);
        clean();
        begin();
        fake.scenario.producers.parents.run_on_timeout = run;
        hold(1 * S, 2, 11 * S);
        parent_is(11 * S, AQ_TAP_TIMED_OUT, run ? AQ_JOB_BURIED : AQ_JOB_READY);
        caught(TIMEOUT_ENDS);
    }
}

static void a_parent_that_never_times_out_is_caught_at_the_end(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 11 * S);
    lease(20 * S, 1);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    caught(TIMEOUT_NEVER);
}

/* ---- idle tubes ---- */

static void a_delayed_job_that_goes_with_its_idle_tube_is_caught(void **state) {
    (void)state;
    begin();
    tap(1 * S, 0,
        (struct aq_tap){.kind = AQ_TAP_REAPED, .job_hash = 77, .before = AQ_JOB_DELAYED, .priority = 5});
    caught(REAPED);
}

/* ---- fair queues ---- */

static void shard(aq_time_us at_us, enum aq_tap_kind kind, const char *tube) {
    tap(at_us, 0,
        (struct aq_tap){.kind = kind,
                        .job_hash = 77,
                        .state = kind == AQ_TAP_PUT ? AQ_JOB_READY : AQ_JOB_RESERVED,
                        .tube = aq_text_of(tube)});
}

static void shards_in_turn_pass(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 5; i++) {
        shard(1 * S, AQ_TAP_PUT, "fq-a_0");
        shard(1 * S, AQ_TAP_PUT, "fq-a_1");
    }
    for (int i = 0; i < 5; i++) {
        shard(2 * S, AQ_TAP_LEASE, "fq-a_0");
        shard(2 * S, AQ_TAP_LEASE, "fq-a_1");
    }
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "fair_judged") == 10);
    fake_close(&fake);
}

static void a_shard_that_is_passed_over_is_caught_when_its_turn_comes(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 5; i++) {
        shard(1 * S, AQ_TAP_PUT, "fq-a_0");
        shard(1 * S, AQ_TAP_PUT, "fq-a_1");
    }
    for (int i = 0; i < 4; i++)
        shard(2 * S, AQ_TAP_LEASE, "fq-a_0");
    assert_int_equal(fake.violations, 0);
    shard(3 * S, AQ_TAP_LEASE, "fq-a_1");
    caught(PASSED_OVER);
}

static void a_shard_that_is_never_served_is_caught_at_the_end(void **state) {
    (void)state;
    begin();
    shard(1 * S, AQ_TAP_PUT, "fq-a_1");
    for (int i = 0; i < 4; i++)
        shard(1 * S, AQ_TAP_PUT, "fq-a_0");
    for (int i = 0; i < 4; i++)
        shard(2 * S, AQ_TAP_LEASE, "fq-a_0");
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    caught(PASSED_OVER);
}

static void tubes_that_are_no_fair_queues_have_no_turns(void **state) {
    (void)state;
    begin();
    shard(1 * S, AQ_TAP_PUT, "a_1");
    for (int i = 0; i < 4; i++)
        shard(1 * S, AQ_TAP_PUT, "a_0");
    for (int i = 0; i < 4; i++)
        shard(2 * S, AQ_TAP_LEASE, "a_0");
    clean();
}

static void a_complete_parent_that_times_out_is_caught(void **state) {
    (void)state;
    begin();
    hold(1 * S, 2, 11 * S);
    child_done(2 * S, CHILD);
    child_done(3 * S, CHILD + 1);
    parent_is(11 * S, AQ_TAP_TIMED_OUT, AQ_JOB_BURIED);
    caught("a parent timed out although its children are finished");
}

/* ---- releases ---- */

static void released(enum aq_tap_kind kind, uint32_t releases) {
    tap(1 * S, 0,
        (struct aq_tap){.kind = kind,
                        .job_hash = 77,
                        .before = AQ_JOB_RESERVED,
                        .state = kind == AQ_TAP_RELEASED ? AQ_JOB_READY : AQ_JOB_BURIED,
                        .releases = releases});
}

static void the_seventh_release_buries(void **state) {
    (void)state;
    begin();
    released(AQ_TAP_RELEASED, 6);
    released(AQ_TAP_AUTOBURIED, 7);
    clean();
    begin();
    released(AQ_TAP_RELEASED, 7);
    caught(RELEASE_IGNORED);
    begin();
    released(AQ_TAP_AUTOBURIED, 6);
    caught(RELEASE_EARLY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tube_that_is_not_paused_any_more_may_be_served),
        cmocka_unit_test(a_job_of_a_paused_tube_is_caught),
        cmocka_unit_test(a_pause_that_reached_one_server_only_is_caught),
        cmocka_unit_test(while_an_unpause_is_carried_out_servers_may_serve),
        cmocka_unit_test(what_one_client_was_told_says_nothing_where_clients_know_different_servers),
        cmocka_unit_test(a_server_that_is_added_need_not_know_of_a_pause_or_throttle),
        cmocka_unit_test(a_restart_from_disk_keeps_pause_and_throttle),
        cmocka_unit_test(the_pause_of_a_fair_queue_holds_for_its_shards),
        cmocka_unit_test(jobs_at_the_rate_of_the_throttle_pass),
        cmocka_unit_test(a_server_that_is_faster_than_its_throttle_is_caught),
        cmocka_unit_test(a_throttle_below_one_is_one_job_in_a_longer_window),
        cmocka_unit_test(a_fleet_that_is_faster_than_it_was_told_to_be_is_caught),
        cmocka_unit_test(uneven_shares_of_a_throttle_pass),
        cmocka_unit_test(only_the_policy_allows_more_than_was_asked_for),
        cmocka_unit_test(while_a_throttle_is_lifted_servers_may_be_faster),
        cmocka_unit_test(a_parent_after_its_children_passes),
        cmocka_unit_test(a_parent_before_its_last_child_is_caught),
        cmocka_unit_test(a_parent_that_starts_again_is_caught),
        cmocka_unit_test(a_parent_that_is_given_away_while_it_waits_is_caught),
        cmocka_unit_test(a_parent_that_never_starts_is_caught_at_the_end),
        cmocka_unit_test(a_parent_lost_with_its_server_is_not_waited_for),
        cmocka_unit_test(a_timeout_is_judged_by_its_moment),
        cmocka_unit_test(a_parent_whose_server_miscounts_its_children_is_caught),
        cmocka_unit_test(a_noop_that_ends_before_its_children_is_caught),
        cmocka_unit_test(a_timeout_ends_as_it_was_asked_for),
        cmocka_unit_test(a_parent_that_never_times_out_is_caught_at_the_end),
        cmocka_unit_test(a_delayed_job_that_goes_with_its_idle_tube_is_caught),
        cmocka_unit_test(shards_in_turn_pass),
        cmocka_unit_test(a_shard_that_is_passed_over_is_caught_when_its_turn_comes),
        cmocka_unit_test(a_shard_that_is_never_served_is_caught_at_the_end),
        cmocka_unit_test(tubes_that_are_no_fair_queues_have_no_turns),
        cmocka_unit_test(a_pause_is_held_against_the_fleet_when_it_was_alone),
        cmocka_unit_test(a_pause_that_an_unpause_may_have_overtaken_is_not),
        cmocka_unit_test(a_pause_that_a_server_forgot_before_it_was_told_is_not),
        cmocka_unit_test(a_pause_by_a_client_that_was_told_to_leave_a_server_is_not),
        cmocka_unit_test(a_job_has_what_its_put_asked_for),
        cmocka_unit_test(a_release_has_the_delay_that_it_asked_for),
        cmocka_unit_test(a_complete_parent_that_times_out_is_caught),
        cmocka_unit_test(the_seventh_release_buries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
