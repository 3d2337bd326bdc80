#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_failover;

#define STILL_CHOSEN "still chosen after it stopped"
#define NEVER_USED   "never used again after it returned"
#define NOT_USED     "not used again by anyone after it returned"
#define S            AQ_US_PER_S

static struct aq_ledger fake;
static uint32_t all, but_1, only_1; /* sets of eligible servers */

static void begin(void) {
    static const uint32_t members[] = {0, 1, 2, 3}, others[] = {0, 2, 3};
    fake_init(&fake, &aq_check_failover, 4, 10);
    all = fake_set(&fake, members, 4);
    but_1 = fake_set(&fake, others, 3);
    only_1 = fake_set(&fake, members + 1, 1);
}

static void server(aq_time_us at_us, enum aq_seen_kind kind, uint32_t index) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind, .server = index});
}

static void fault(aq_time_us at_us, enum aq_seen_kind kind) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us, .kind = kind, .fault = 0});
}

static void choose(aq_time_us at_us, uint32_t client, uint32_t index, uint32_t set) {
    fake_see(&fake, (struct aq_observation){.at_us = at_us,
                                            .kind = AQ_SEEN_CHOICE,
                                            .client = client,
                                            .server = index,
                                            .address = index,
                                            .eligible_set = set,
                                            .action = AQ_ACTION_GET});
}

/* This many choices of servers 0, 2 and 3 in turn. */
static void choose_others(aq_time_us at_us, uint32_t client, uint32_t count) {
    static const uint32_t others[] = {0, 2, 3};
    for (uint32_t i = 0; i < count; i++)
        choose(at_us, client, others[i % 3], but_1);
}

static void without_a_stop_the_check_does_not_apply(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(0, AQ_SEEN_SERVER_UP, 1);
    choose(1 * S, 0, 1, all);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 0);
    assert_true(fake.out.remark[0]);
    fake_close(&fake);
}

static void leave_and_return_times_are_measured_for_each_client(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    choose(10 * S, 0, 1, all);
    choose(11 * S, 0, 1, all);
    choose(13 * S, 1, 1, all);
    server(30 * S, AQ_SEEN_SERVER_UP, 1);
    choose(31 * S, 2, 1, all);
    for (uint32_t client = 0; client < 10; client++)
        choose(34 * S, client, 1, all);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 10);
    assert_true(fake_figure(&fake, "leave_max_s") == 3);
    assert_true(fake_figure(&fake, "leave_p50_s") == 0);
    assert_true(fake_figure(&fake, "return_first_max_s") == 1);
    assert_true(fabs(fake_figure(&fake, "return_p50_s") - 4) < 0.05 &&
                fake_figure(&fake, "return_max_s") == 4);
    assert_int_equal(fake.record.clients.failover.count, 10);
    assert_int_equal(fake.record.clients.failover.max_us, 3 * S);
    fake_close(&fake);
}

static void a_stopped_server_chosen_after_the_budget_is_a_violation_once_for_each_client(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_STOPPED, 1);
    choose(10 * S, 0, 1, all);
    choose(11 * S, 1, 1, all);
    choose(15 * S, 0, 1, all); /* just within */
    assert_int_equal(fake.violations, 0);
    choose(15 * S + 1, 0, 1, all);
    choose(16 * S, 0, 1, all);
    choose(17 * S, 1, 1, all);
    assert_int_equal(fake_caught(&fake, STILL_CHOSEN), 2);
    choose(18 * S, 1, 2, all);
    server(20 * S, AQ_SEEN_SERVER_RESUMED, 1);
    choose(30 * S, 1, 1, all);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_true(fake_figure(&fake, "leave_max_s") == 7);
    assert_int_equal(fake.violations, 2);
    fake_close(&fake);
}

static void with_nothing_else_to_choose_a_stopped_server_is_excused(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    choose(20 * S, 0, 1, only_1);
    for (uint32_t i = 0; i < 4; i++)
        if (i != 1) server(21 * S, AQ_SEEN_SERVER_DOWN, i);
    choose(30 * S, 0, 1, all);
    assert_int_equal(fake.violations, 0);
    server(31 * S, AQ_SEEN_SERVER_UP, 0);
    choose(32 * S, 0, 1, all);
    assert_int_equal(fake.violations, 0);
    choose(38 * S, 0, 1, all);
    assert_int_equal(fake_caught(&fake, STILL_CHOSEN), 1);
    fake_close(&fake);
}

/* Who has not turned to a server since it stopped cannot know; nor can a process that has just begun. */
static void the_budget_counts_from_when_the_client_could_know(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    choose(40 * S, 0, 1, all);
    choose(41 * S, 1, 1, all);
    fake_see(&fake, (struct aq_observation){.at_us = 44 * S, .kind = AQ_SEEN_CLIENT_DOWN, .client = 1});
    choose(47 * S, 1, 1, all);
    choose(52 * S, 1, 1, all);
    assert_int_equal(fake.violations, 0);
    choose(47 * S, 0, 1, all);
    choose(52 * S + 1, 1, 1, all);
    assert_int_equal(fake_caught(&fake, STILL_CHOSEN), 2);
    fake_close(&fake);
}

static void a_retry_at_a_stopped_server_is_counted_but_not_judged(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    choose(30 * S, 0, 1, AQ_NOBODY);
    choose(30 * S, 0, 2, all);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_true(fake_figure(&fake, "retries_while_stopped") == 1);
    assert_true(fake_figure(&fake, "leave_max_s") == 0);
    fake_close(&fake);
}

/* Down while paused, up again: one stop. */
static void overlapping_stops_are_one(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_STOPPED, 1);
    server(12 * S, AQ_SEEN_SERVER_DOWN, 1);
    server(14 * S, AQ_SEEN_SERVER_RESUMED, 1);
    choose(10 * S, 0, 1, all);
    choose(16 * S, 0, 1, all);
    assert_int_equal(fake_caught(&fake, STILL_CHOSEN), 1);
    server(20 * S, AQ_SEEN_SERVER_UP, 1);
    fake_finish(&fake);
    assert_true(fake_figure(&fake, "stops") == 1 && fake_figure(&fake, "returns") == 1);
    fake_close(&fake);
}

static void down_and_up(void) {
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    server(20 * S, AQ_SEEN_SERVER_UP, 1); /* choices count from 30 s on */
}

static void a_client_that_never_comes_back_is_caught_after_ample_choices(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    choose_others(29 * S, 3, 500); /* too early to count */
    choose_others(31 * S, 3, 96);
    choose_others(31 * S, 4, 96);
    choose(32 * S, 4, 1, all); /* late, but it does */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, NEVER_USED), 1);
    assert_int_equal(fake.last_bad.client, 3);
    fake_close(&fake);
}

static void too_few_choices_blame_nobody(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    choose(21 * S, 0, 1, all);
    choose_others(29 * S, 3, 500);
    choose_others(31 * S, 3, 95);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void a_run_that_ends_within_the_budget_blames_nobody(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    choose_others(29 * S, 3, 500);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void a_whole_fleet_that_avoids_a_server_is_caught_though_each_client_chose_little(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    for (uint32_t client = 0; client < 10; client++)
        choose_others(31 * S, client, 10);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, NOT_USED), 1);
    fake_close(&fake);
}

static void a_client_that_avoids_a_server_is_judged_before_the_next_stop(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    choose(21 * S, 0, 1, all);
    choose_others(31 * S, 3, 200);
    server(40 * S, AQ_SEEN_SERVER_DOWN, 1);
    assert_int_equal(fake_caught(&fake, NEVER_USED), 1);
    fake_close(&fake);
}

static void clients_that_do_not_know_a_server_need_not_use_it(void **state) {
    (void)state;
    begin();
    uint32_t others[] = {0, 2, 3};
    struct aq_client_group group = {.share = 0.5, .servers = others, .server_count = 3};
    fake.scenario.clients.groups = &group;
    fake.scenario.clients.group_count = 1;
    fake_start(&fake);
    down_and_up();
    choose(21 * S, 0, 1, all);
    fake_see(&fake, (struct aq_observation){
                        .at_us = 22 * S, .kind = AQ_SEEN_TOLD, .client = 2, .address = 1, .member = false});
    choose_others(31 * S, 9, 200); /* in the group */
    choose_others(31 * S, 2, 200); /* told to leave */
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 5); /* the group has no leave times */
    fake_close(&fake);
}

static void a_fault_that_hinders_the_return_excuses_it_while_it_lasts_and_a_budget_after(void **state) {
    (void)state;
    uint32_t target = 1;
    for (uint32_t round = 0; round < 3; round++) {
        begin();
        struct aq_fault_spec partition = {.kind = AQ_FAULT_PARTITION, .for_us = 40 * S};
        partition.servers.given = round == 1; /* rounds 0 and 1: it concerns server 1; round 2: another */
        if (round == 2) target = 3, partition.servers.given = true;
        if (partition.servers.given) partition.servers.indexes = &target, partition.servers.index_count = 1;
        fake.scenario.faults = &partition;
        fake.scenario.fault_count = 1;
        fake_start(&fake);
        down_and_up();
        fault(22 * S, AQ_SEEN_FAULT);
        choose(23 * S, 0, 1, all);
        choose_others(45 * S, 3, 200);
        fault(62 * S, AQ_SEEN_FAULT_END);
        choose_others(71 * S, 3, 200); /* not yet a budget after */
        choose_others(73 * S, 4, 96);
        fake_finish(&fake);
        assert_int_equal(fake_caught(&fake, NEVER_USED), round == 2 ? 2 : 1);
        fake_close(&fake);
    }
}

static void behind_a_balancer_the_check_does_not_apply(void **state) {
    (void)state;
    begin();
    fake.scenario.balancer = AQ_BALANCER_PER_CONNECTION;
    fake_start(&fake);
    server(10 * S, AQ_SEEN_SERVER_DOWN, 1);
    choose(30 * S, 0, 1, all);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 0);
    fake_close(&fake);
}

static void a_stop_that_no_client_was_there_to_notice_is_unknown(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    down_and_up();
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);
}

static void out_of_memory_is_reported(void **state) {
    (void)state;
    uint64_t failures = 0;
    for (uint64_t skip = 0;; skip++) {
        begin();
        aq_record_init(&fake.record);
        struct aq_observation down = {.at_us = 1, .kind = AQ_SEEN_SERVER_DOWN, .server = 1};
        aq_alloc_fail_after(skip);
        int rc = aq_check_failover.init(fake.state, &fake);
        if (!rc) rc = aq_check_failover.observe(fake.state, &fake, &down, NULL, NULL);
        if (!rc) rc = aq_check_failover.finish(fake.state, &fake, &fake.record, &fake.out);
        aq_alloc_fail_after(UINT64_MAX);
        fake_close(&fake);
        if (rc == 0) break;
        assert_int_equal(rc, AQ_ENOMEM);
        failures++;
    }
    assert_true(failures >= 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_stop_the_check_does_not_apply),
        cmocka_unit_test(leave_and_return_times_are_measured_for_each_client),
        cmocka_unit_test(a_stopped_server_chosen_after_the_budget_is_a_violation_once_for_each_client),
        cmocka_unit_test(with_nothing_else_to_choose_a_stopped_server_is_excused),
        cmocka_unit_test(the_budget_counts_from_when_the_client_could_know),
        cmocka_unit_test(a_retry_at_a_stopped_server_is_counted_but_not_judged),
        cmocka_unit_test(overlapping_stops_are_one),
        cmocka_unit_test(a_client_that_never_comes_back_is_caught_after_ample_choices),
        cmocka_unit_test(too_few_choices_blame_nobody),
        cmocka_unit_test(a_run_that_ends_within_the_budget_blames_nobody),
        cmocka_unit_test(a_whole_fleet_that_avoids_a_server_is_caught_though_each_client_chose_little),
        cmocka_unit_test(a_client_that_avoids_a_server_is_judged_before_the_next_stop),
        cmocka_unit_test(clients_that_do_not_know_a_server_need_not_use_it),
        cmocka_unit_test(a_fault_that_hinders_the_return_excuses_it_while_it_lasts_and_a_budget_after),
        cmocka_unit_test(behind_a_balancer_the_check_does_not_apply),
        cmocka_unit_test(a_stop_that_no_client_was_there_to_notice_is_unknown),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
