#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "sim/client_lists.h"
#include "tests/sim/fake_ledger.h"

extern const struct aq_checker aq_check_membership;

#define UNTOLD "talked to a server it was never told about"
#define LEFT   "chose a server it was told to leave"

static struct aq_ledger fake;

static void choose(uint32_t client, uint32_t address, enum aq_action action) {
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_CHOICE,
                                            .client = client,
                                            .server = address,
                                            .address = address,
                                            .action = action});
}

static void send_to(uint32_t client, uint32_t address, enum aq_action action) {
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_SEND,
                                            .client = client,
                                            .server = address < 4 ? address : AQ_NOBODY,
                                            .address = address,
                                            .action = action});
}

static void tell(uint32_t client, uint32_t address, bool member) {
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_TOLD,
                                            .client = client,
                                            .server = AQ_NOBODY,
                                            .address = address,
                                            .member = member});
}

static void begin(void) {
    fake_init(&fake, &aq_check_membership, 4, 10);
}

static void servers_of_the_list_may_be_used(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    for (uint32_t client = 0; client < 10; client++)
        for (uint32_t server = 0; server < 4; server++) {
            choose(client, server, AQ_ACTION_GET);
            send_to(client, server, AQ_ACTION_DONE);
        }
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 80);
    fake_close(&fake);
}

static void a_server_that_is_up_and_never_chosen_is_a_violation(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    for (uint32_t i = 0; i < 1000; i++)
        choose(i % 10, i % 3, AQ_ACTION_GET);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    assert_int_equal(fake_caught(&fake, "never chose a server it was told about, which was up all the time"),
                     1);
    fake_close(&fake);
}

static void a_server_that_was_down_may_be_left_out(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_SERVER_DOWN, .server = 3, .client = AQ_NOBODY});
    for (uint32_t i = 0; i < 1000; i++)
        choose(i % 10, i % 3, AQ_ACTION_GET);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    fake_close(&fake);
}

static void an_address_never_told_about_is_a_violation_until_it_is_told(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    send_to(3, 4, AQ_ACTION_PUT);
    choose(3, 4, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, UNTOLD), 2);
    tell(3, 4, true);
    send_to(3, 4, AQ_ACTION_PUT);
    choose(3, 4, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, UNTOLD), 2);
    send_to(2, 4, AQ_ACTION_PUT); /* another client was not told */
    assert_int_equal(fake_caught(&fake, UNTOLD), 3);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);
}

static void a_server_left_takes_completions_but_no_new_work(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    tell(5, 1, false);
    send_to(5, 1, AQ_ACTION_DONE);
    choose(6, 1, AQ_ACTION_PUT);
    assert_int_equal(fake.violations, 0);
    choose(5, 1, AQ_ACTION_PUT);
    choose(5, 1, AQ_ACTION_GET);
    assert_int_equal(fake_caught(&fake, LEFT), 2);
    tell(5, 1, true);
    choose(5, 1, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, LEFT), 2);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_FAIL);
    fake_close(&fake);
}

static void gets_go_on_at_a_draining_server(void **state) {
    (void)state;
    begin();
    uint32_t target = 2;
    struct aq_fault_spec drain = {.kind = AQ_FAULT_DRAIN, .server_list = &target, .server_list_count = 1};
    fake.scenario.faults = &drain;
    fake.scenario.fault_count = 1;
    fake_start(&fake);
    tell(1, 2, false);
    choose(1, 2, AQ_ACTION_GET);
    choose(1, 2, AQ_ACTION_GET_MULTIPLE);
    assert_int_equal(fake.violations, 0);
    choose(1, 2, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, LEFT), 1);
    fake_close(&fake);
}

static void a_redirect_makes_its_target_known_once_it_has_struck(void **state) {
    (void)state;
    begin();
    uint32_t target = 6;
    struct aq_fault_spec redirect = {
        .kind = AQ_FAULT_REDIRECT, .server_list = &target, .server_list_count = 1};
    fake.scenario.faults = &redirect;
    fake.scenario.fault_count = 1;
    fake_start(&fake);
    send_to(1, 6, AQ_ACTION_GET);
    assert_int_equal(fake_caught(&fake, UNTOLD), 1);
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_FAULT, .fault = 0});
    send_to(1, 6, AQ_ACTION_GET);
    assert_int_equal(fake_caught(&fake, UNTOLD), 1);
    fake_close(&fake);
}

/* The server that redirects does not know of the client's list. */
static void a_redirect_names_its_target_also_to_who_was_told_to_leave_it(void **state) {
    (void)state;
    begin();
    uint32_t target = 1;
    struct aq_fault_spec redirect = {
        .kind = AQ_FAULT_REDIRECT, .server_list = &target, .server_list_count = 1};
    fake.scenario.faults = &redirect;
    fake.scenario.fault_count = 1;
    fake_start(&fake);
    tell(5, 1, false);
    choose(5, 1, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, LEFT), 1);
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_FAULT, .fault = 0});
    choose(5, 1, AQ_ACTION_PUT);
    assert_int_equal(fake.violations, 1);
    fake_close(&fake);
}

static void a_client_that_starts_anew_has_its_first_list_again(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    tell(5, 1, false);
    tell(5, 7, true);
    fake_see(&fake, (struct aq_observation){.kind = AQ_SEEN_CLIENT_DOWN, .client = 5});
    choose(5, 1, AQ_ACTION_PUT);
    assert_int_equal(fake.violations, 0);
    choose(5, 7, AQ_ACTION_PUT);
    assert_int_equal(fake_caught(&fake, UNTOLD), 1);
    fake_close(&fake);
}

/* 10 clients: 9 and 8 know server 3 and a dead address, 7 to 5 know servers 0 and 1, the others all four. */
static void groups_have_lists_of_their_own_from_the_highest_client_down(void **state) {
    (void)state;
    begin();
    uint32_t first[] = {3, 5}, second[] = {0, 1};
    struct aq_client_group groups[] = {{.share = 0.2, .servers = first, .server_count = 2},
                                       {.share = 0.25, .servers = second, .server_count = 2}};
    fake.scenario.clients.groups = groups;
    fake.scenario.clients.group_count = 2;
    fake_start(&fake);
    static const char knows[10][7] = {"1111000", "1111000", "1111000", "1111000", "1111000",
                                      "1100000", "1100000", "1100000", "0001010", "0001010"};
    for (uint32_t client = 0; client < 10; client++)
        for (uint32_t address = 0; address < 7; address++) {
            uint64_t before = fake.violations;
            send_to(client, address, AQ_ACTION_PUT);
            assert_int_equal(fake.violations - before, knows[client][address] == '0');
        }
    assert_int_equal(aq_client_group_size(&fake.scenario.clients, 0), 2);
    assert_int_equal(aq_client_group_size(&fake.scenario.clients, 1), 3);
    assert_int_equal(aq_client_group_of(&fake.scenario.clients, 9), 0);
    assert_int_equal(aq_client_group_of(&fake.scenario.clients, 5), 1);
    assert_int_equal(aq_client_group_of(&fake.scenario.clients, 4), UINT32_MAX);
    fake_close(&fake);
}

static void groups_never_take_more_clients_than_there_are(void **state) {
    (void)state;
    struct aq_client_group groups[] = {{.share = 0.7}, {.share = 0.6}, {.share = 0.1}};
    struct aq_client_section clients = {.count = 10, .groups = groups, .group_count = 3};
    assert_int_equal(aq_client_group_size(&clients, 0), 7);
    assert_int_equal(aq_client_group_size(&clients, 1), 3);
    assert_int_equal(aq_client_group_size(&clients, 2), 0);
    assert_int_equal(aq_client_group_of(&clients, 0), 1);
    struct aq_client_group tenths[] = {{.share = 0.1}, {.share = 0.1}, {.share = 0.1}};
    clients = (struct aq_client_section){.count = 4, .groups = tenths, .group_count = 3};
    assert_int_equal(aq_client_group_size(&clients, 0), 0); /* 0.4, 0.8 and 1.2 clients, rounded */
    assert_int_equal(aq_client_group_size(&clients, 1), 1);
    assert_int_equal(aq_client_group_size(&clients, 2), 0);
}

static void behind_a_balancer_nothing_is_judged(void **state) {
    (void)state;
    begin();
    fake.scenario.balancer = AQ_BALANCER_PER_REQUEST;
    fake_start(&fake);
    send_to(1, 9, AQ_ACTION_PUT);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_PASS);
    assert_int_equal(fake.out.judged, 0);
    assert_true(fake.out.remark[0]);
    fake_close(&fake);
}

static void a_run_without_a_request_is_unknown(void **state) {
    (void)state;
    begin();
    fake_start(&fake);
    assert_int_equal(fake_finish(&fake), AQ_VERDICT_UNKNOWN);
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_of_the_list_may_be_used),
        cmocka_unit_test(a_server_that_is_up_and_never_chosen_is_a_violation),
        cmocka_unit_test(a_server_that_was_down_may_be_left_out),
        cmocka_unit_test(an_address_never_told_about_is_a_violation_until_it_is_told),
        cmocka_unit_test(a_server_left_takes_completions_but_no_new_work),
        cmocka_unit_test(gets_go_on_at_a_draining_server),
        cmocka_unit_test(a_redirect_makes_its_target_known_once_it_has_struck),
        cmocka_unit_test(a_redirect_names_its_target_also_to_who_was_told_to_leave_it),
        cmocka_unit_test(a_client_that_starts_anew_has_its_first_list_again),
        cmocka_unit_test(groups_have_lists_of_their_own_from_the_highest_client_down),
        cmocka_unit_test(groups_never_take_more_clients_than_there_are),
        cmocka_unit_test(behind_a_balancer_nothing_is_judged),
        cmocka_unit_test(a_run_without_a_request_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
