/* Changes of the list of servers at run time: added, drained, replaced, redirected. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "rig.h"

static struct rig *open_strict(uint32_t servers) {
    struct rig *rig = rig_open(&aq_client_policy_strict, servers, 7);
    rig->marks = true;
    return rig;
}

static void expect_eligible(const struct rig *rig, bool for_put, const char *expected) {
    uint32_t servers[64], count = aq_client_eligible(rig->client, for_put, servers, 64);
    char text[256] = "";
    for (uint32_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), i ? " %u" : "%u", servers[i]);
    assert_string_equal(text, expected);
}

static void an_added_server_is_chosen_like_any_other(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request add = rig_address(AQ_ACTION_ADD_SERVER, "new"), get = rig_tube(AQ_ACTION_GET, "t");
    rig_call(rig, 0, 1, &add);
    rig_call(rig, 1, 2, &add);
    rig_expect(rig, "[0] call 1 add_server -> *server_added, answer 1 ok, membership\n"
                    "[1] call 2 add_server -> answer 2 ok\n");
    expect_eligible(rig, true, "0 1 2");
    uint32_t chosen = 0;
    for (uint64_t i = 0; i < 60; i++) {
        rig_call(rig, 2, i, &get);
        chosen += rig->effects.items[0].server == 2;
    }
    assert_in_range(chosen, 8, 32);
    rig_close(rig);
}

static void eligible_counts_beyond_its_room(void **state) {
    (void)state;
    struct rig *rig = open_strict(5);
    uint32_t servers[2] = {9, 9};
    assert_int_equal(aq_client_eligible(rig->client, true, servers, 1), 5);
    assert_int_equal(servers[0], 0);
    assert_int_equal(servers[1], 9);
    rig_close(rig);
}

static void sweep_reply(struct rig *rig, uint64_t ms, uint32_t server, struct aq_tube_stats tube) {
    struct aq_server_stats stats = {.tubes = &tube, .tube_count = 1};
    struct aq_reply reply = {
        .kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &stats, .server_count = 1};
    rig_reply(rig, ms, server, &reply);
}

static void a_draining_server_takes_no_puts_and_leaves_when_empty(void **state) {
    (void)state;
    struct rig *rig = open_strict(3);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s1");
    rig_call(rig, 0, 1, &drain);
    rig_call(rig, 1, 2, &drain);
    expect_eligible(rig, true, "0 2");
    expect_eligible(rig, false, "0 1 2");
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_DRAINING);
    rig_run(rig, 20000);
    rig_connected(rig, 20001, 1);
    sweep_reply(rig, 20002, 1, (struct aq_tube_stats){.tube = AQ_TEXT("t"), .reserved = 1});
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_DRAINING);
    rig_run(rig, 40000);
    sweep_reply(rig, 40001, 1, (struct aq_tube_stats){.tube = AQ_TEXT("t")});
    assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_REMOVED);
    expect_eligible(rig, false, "0 2");
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 40002, 3, &done);
    rig_ok(rig, 40003, 1);
    rig_run(rig, 100000);
    rig_expect(rig, "[0] call 1 drain -> *server_draining, answer 1 ok, membership\n"
                    "[1] call 2 drain -> answer 2 ok\n"
                    "[20000] wake -> connect 1\n"
                    "[20001] connected 1 -> send 1 stats own\n"
                    "[20002] reply 1\n"
                    "[40000] wake -> send 1 stats own\n"
                    "[40001] reply 1 -> *server_drained, membership\n"
                    "[40002] call 3 done -> send 1 done j1\n"
                    "[40003] reply 1 -> answer 3 ok S1,j1\n"
                    "[60000] wake\n");
    rig_close(rig);
}

static void any_job_keeps_a_draining_server(void **state) {
    (void)state;
    struct aq_tube_stats tubes[] = {
        {.ready = 1}, {.delayed = 1}, {.reserved = 1}, {.buried = 1}, {.parents = 1},
    };
    struct rig *rig = open_strict(2);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, rig_id(rig, 1));
    rig_call(rig, 0, 1, &drain);
    for (uint32_t i = 0; i < 5; i++) {
        rig_run(rig, 20000 * (i + 1));
        if (i == 0) rig_connected(rig, 20000, 1);
        sweep_reply(rig, 20000 * (i + 1), 1, tubes[i]);
        assert_int_equal(aq_client_health(rig->client, 1), AQ_SERVER_DRAINING);
    }
    rig_close(rig);
}

static void a_put_on_its_way_keeps_a_draining_server(void **state) {
    (void)state;
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.drain_sweep_us = 1 * AQ_US_PER_S;
    struct rig *rig = rig_open(&policy, 1, 7);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s0"), put = rig_tube(AQ_ACTION_PUT, "t");
    rig_call(rig, 0, 1, &put);
    rig_connected(rig, 0, 0);
    rig_call(rig, 0, 2, &drain);
    rig_run(rig, 1000);
    sweep_reply(rig, 1001, 0, (struct aq_tube_stats){0});
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_DRAINING);
    struct aq_reply reply = rig_good(AQ_ACTION_PUT, (struct aq_text){0});
    rig_reply_to(rig, 1002, 0, rig->sends[0].correlation, &reply);
    rig_run(rig, 2000);
    sweep_reply(rig, 2001, 0, (struct aq_tube_stats){0});
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_REMOVED);
    rig_forget(rig);
    rig_call(rig, 2002, 3, &put);
    rig_expect(rig, "[2002] call 3 put -> answer 3 unavailable\n");
    rig_close(rig);
}

static void adding_a_draining_or_removed_server_brings_it_back(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request drain = rig_address(AQ_ACTION_DRAIN, "s1"),
                      add = rig_address(AQ_ACTION_ADD_SERVER, "s1");
    struct aq_request only = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0");
    rig_call(rig, 0, 1, &drain);
    expect_eligible(rig, true, "0");
    rig_call(rig, 1, 2, &add);
    expect_eligible(rig, true, "0 1");
    rig_call(rig, 2, 3, &only);
    expect_eligible(rig, true, "0");
    rig_call(rig, 3, 4, &add);
    expect_eligible(rig, true, "0 1");
    rig_expect(rig, "[0] call 1 drain -> *server_draining, answer 1 ok, membership\n"
                    "[1] call 2 add_server -> *server_added, answer 2 ok, membership\n"
                    "[2] call 3 update_servers -> *servers_replaced, answer 3 ok, membership\n"
                    "[3] call 4 add_server -> *server_added, answer 4 ok, membership\n");
    rig_close(rig);
}

static void replacing_the_list_keeps_old_servers_for_completions(void **state) {
    (void)state;
    struct rig *rig = open_strict(3);
    struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s2,n1:7000,n1:7000,s2");
    rig_call(rig, 0, 1, &update);
    expect_eligible(rig, false, "2 3");
    assert_int_equal(aq_client_health(rig->client, 0), AQ_SERVER_REMOVED);
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 0, "j1"));
    rig_call(rig, 1, 2, &done);
    rig_connected(rig, 2, 0);
    rig_ok(rig, 3, 0);
    rig_expect(rig, "[0] call 1 update_servers -> *servers_replaced, answer 1 ok, membership\n"
                    "[1] call 2 done -> connect 0\n"
                    "[2] connected 0 -> send 0 done j1\n"
                    "[3] reply 0 -> answer 2 ok S0,j1\n");
    rig_close(rig);
}

static void a_removed_server_is_probed_only_for_what_waits_for_it(void **state) {
    (void)state;
    struct rig *rig = open_strict(2);
    struct aq_request update = rig_address(AQ_ACTION_UPDATE_SERVERS, "s0");
    struct aq_request done = rig_job(AQ_ACTION_DONE, rig_job_at(rig, 1, "j1"));
    rig_call(rig, 0, 1, &update);
    rig_call(rig, 1, 2, &done);
    rig_disconnected(rig, 2, 1);
    rig_run(rig, 800);
    rig_connected(rig, 801, 1);
    rig_ok(rig, 802, 1);
    rig_ok(rig, 803, 1);
    rig_disconnected(rig, 804, 1);
    rig_run(rig, 100000);
    rig_expect(rig, "[0] call 1 update_servers -> *servers_replaced, answer 1 ok, membership\n"
                    "[1] call 2 done -> connect 1\n"
                    "[2] disconnected 1 -> *server_became_sick, *completion_waited_for_origin\n"
                    "[414] wake -> connect 1\n"
                    "[801] connected 1 -> send 1 ping own\n"
                    "[802] reply 1 -> *server_became_well, send 1 done j1\n"
                    "[803] reply 1 -> answer 2 ok S1,j1\n"
                    "[804] disconnected 1 -> *server_became_sick\n"
                    "[1389] wake\n");
    assert_true(aq_client_next_wake(rig->client) == AQ_TIME_NEVER);
    rig_close(rig);
}

static void a_redirect_adds_one_server_and_drains_the_other(void **state) {
    (void)state;
    struct rig *rig = open_strict(1);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    struct aq_reply redirect = {.kind = AQ_REPLY_REDIRECT, .value = AQ_TEXT("new"), .port = 7000};
    rig_call(rig, 0, 1, &get);
    rig_connected(rig, 1, 0);
    rig_reply(rig, 2, 0, &redirect);
    expect_eligible(rig, true, "1");
    assert_string_equal(rig->book.items[1].text, "new:7000");
    struct aq_reply nowhere = {.kind = AQ_REPLY_REDIRECT};
    rig_connected(rig, 3, 1);
    rig_reply(rig, 4, 1, &nowhere);
    rig_expect(
        rig,
        "[0] call 1 get -> choice 0, connect 0\n"
        "[1] connected 0 -> send 0 get\n"
        "[2] reply 0 -> *server_redirected, *server_added, *server_draining, membership, retry 1, *get_retried_elsewhere, connect 1\n"
        "[3] connected 1 -> send 1 get\n"
        "[4] reply 1 -> *malformed_reply, answer 1 unknown\n");
    rig_close(rig);
}

static void the_book_finds_what_it_was_given(void **state) {
    (void)state;
    struct aq_address_book book = {0};
    uint32_t index = 99, found = 99;
    for (uint32_t i = 0; i < 300; i++) {
        char text[32];
        snprintf(text, sizeof text, "host%u:%u", i / 3, 5555 + i % 3);
        assert_int_equal(aq_address_book_add(&book, aq_text_of(text), &index, NULL), 0);
        assert_int_equal(index, i);
        assert_int_equal(book.items[i].port, 5555 + i % 3);
    }
    assert_int_equal(aq_address_book_add(&book, AQ_TEXT("host7"), &index, NULL), 0);
    assert_int_equal(index, 21);
    assert_int_equal(book.count, 300);
    assert_int_equal(aq_address_book_find(&book, AQ_TEXT("host7:5556"), &found), 0);
    assert_int_equal(found, 22);
    assert_int_equal(aq_address_book_find(&book, AQ_TEXT("host7:5558"), &found), AQ_ENOENT);
    assert_int_equal(found, 22);
    uint32_t with_id = 0;
    struct aq_text id = aq_server_id_text(&book.items[22].id_of_host);
    for (uint32_t i = aq_address_book_first_with_id(&book, true, id); i != UINT32_MAX;
         i = aq_address_next_with_id(&book.items[i], true)) {
        assert_int_equal(i / 3, 7);
        with_id++;
    }
    assert_int_equal(with_id, 3);
    id = aq_server_id_text(&book.items[22].id_of_address);
    assert_int_equal(aq_address_book_first_with_id(&book, false, id), 22);
    assert_int_equal(book.items[22].next_of_address, UINT32_MAX);
    aq_address_book_close(&book);
}

static void the_book_takes_addresses_only(void **state) {
    (void)state;
    static const char *const wrong[] = {"",      ":5555", "a:",  "a:0",     "a:65536",
                                        "a:12x", "a b:1", "a,b", "a:123456"};
    struct aq_address_book book = {0};
    struct aq_error error;
    uint32_t index = 99;
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(aq_address_book_add(&book, aq_text_of(wrong[i]), &index, &error), AQ_EPARSE);
        assert_non_null(strstr(error.text, "allowed"));
    }
    char lengthy[AQ_ADDRESS_CHARS_MAX + 2] = {0};
    memset(lengthy, 'a', sizeof lengthy - 1);
    assert_int_equal(aq_address_book_add(&book, aq_text_of(lengthy), &index, &error), AQ_ELIMIT);
    assert_int_equal(index, 99);
    assert_int_equal(book.count, 0);
    assert_int_equal(aq_address_book_add(&book, AQ_TEXT("[::1]:7000"), &index, &error), 0);
    assert_int_equal(book.items[index].port, 7000);
    assert_int_equal(aq_address_book_add(&book, AQ_TEXT("[::1]"), &index, &error), 0);
    assert_int_equal(book.items[index].port, 5555);
    aq_address_book_close(&book);
}

static void a_list_outside_the_book_is_no_client(void **state) {
    (void)state;
    struct aq_address_book book = {0};
    uint32_t servers[1] = {0};
    struct aq_client *client = NULL;
    struct aq_client_config config = {
        .book = &book, .policy = &aq_client_policy_strict, .servers = servers, .server_count = 1};
    assert_int_equal(aq_client_new(&config, &client), AQ_EINVALID);
    config.server_count = 0;
    assert_int_equal(aq_client_new(&config, &client), AQ_EINVALID);
    assert_null(client);
}

/* ---- experimental ways to choose ---- */

static struct rig *open_selecting(enum aq_select select, uint32_t servers, uint64_t seed) {
    struct aq_client_policy policy = aq_client_policy_strict;
    policy.select = select;
    return rig_open(&policy, servers, seed);
}

static void round_robin_takes_each_in_turn_and_passes_over_the_others(void **state) {
    (void)state;
    struct rig *rig = open_selecting(AQ_SELECT_ROUND_ROBIN, 4, 7);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t"), put = rig_tube(AQ_ACTION_PUT, "t"),
                      drain = rig_address(AQ_ACTION_DRAIN, "s1");
    uint32_t last = UINT32_MAX;
    for (uint64_t i = 0; i < 20; i++) {
        rig_call(rig, 0, i, &get);
        uint32_t chosen = rig->effects.items[0].server;
        if (last != UINT32_MAX) assert_int_equal(chosen, (last + 1) % 4);
        last = chosen;
    }
    rig_call(rig, 1, 20, &drain);
    uint32_t chosen[4] = {0};
    for (uint64_t i = 21; i < 51; i++) {
        rig_call(rig, 2, i, &put);
        chosen[rig->effects.items[0].server]++;
    }
    assert_true(chosen[0] == 10 && chosen[1] == 0 && chosen[2] == 10 && chosen[3] == 10);
    rig_close(rig);
}

/* Of two servers the busier one is chosen only where it is drawn twice. */
static void two_choices_avoid_the_busier_server(void **state) {
    (void)state;
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    uint32_t busier = 0, uneven = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rig *rig = open_selecting(AQ_SELECT_TWO_CHOICES, 2, seed);
        uint32_t under_way[2] = {0};
        for (uint64_t i = 0; i < 60; i++) {
            rig_call(rig, 0, i, &get);
            uint32_t chosen = rig->effects.items[0].server;
            busier += under_way[chosen] > under_way[1 - chosen];
            uneven += under_way[0] != under_way[1];
            under_way[chosen]++;
        }
        rig_close(rig);
    }
    assert_in_range(busier * 100 / uneven, 20, 30);
}

/* Server 0 has nothing, server 1 always something: 0 is chosen only where it is drawn twice. */
static void least_empty_avoids_the_server_that_had_nothing(void **state) {
    (void)state;
    struct rig *rig = open_selecting(AQ_SELECT_LEAST_EMPTY, 2, 7);
    struct aq_request get = rig_tube(AQ_ACTION_GET, "t");
    struct aq_job job = {.job_id = AQ_TEXT("j"), .body = AQ_TEXT("b")};
    struct aq_reply full = rig_good(AQ_ACTION_GET, AQ_TEXT("j")), empty = full;
    full.jobs = &job;
    full.job_count = 1;
    uint32_t chosen[2] = {0};
    bool connected[2] = {false};
    for (uint64_t i = 0; i < 60; i++) {
        rig_call(rig, i, i, &get);
        uint32_t server = rig->effects.items[0].server;
        chosen[server]++;
        if (!connected[server]) rig_connected(rig, i, server);
        connected[server] = true;
        rig_reply(rig, i, server, server ? &full : &empty);
    }
    assert_in_range(chosen[0], 8, 22);
    rig_close(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_added_server_is_chosen_like_any_other),
        cmocka_unit_test(eligible_counts_beyond_its_room),
        cmocka_unit_test(a_draining_server_takes_no_puts_and_leaves_when_empty),
        cmocka_unit_test(any_job_keeps_a_draining_server),
        cmocka_unit_test(a_put_on_its_way_keeps_a_draining_server),
        cmocka_unit_test(adding_a_draining_or_removed_server_brings_it_back),
        cmocka_unit_test(replacing_the_list_keeps_old_servers_for_completions),
        cmocka_unit_test(a_removed_server_is_probed_only_for_what_waits_for_it),
        cmocka_unit_test(a_redirect_adds_one_server_and_drains_the_other),
        cmocka_unit_test(round_robin_takes_each_in_turn_and_passes_over_the_others),
        cmocka_unit_test(two_choices_avoid_the_busier_server),
        cmocka_unit_test(least_empty_avoids_the_server_that_had_nothing),
        cmocka_unit_test(the_book_finds_what_it_was_given),
        cmocka_unit_test(the_book_takes_addresses_only),
        cmocka_unit_test(a_list_outside_the_book_is_no_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
