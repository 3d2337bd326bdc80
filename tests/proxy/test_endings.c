/* How connections begin and end under faults: refused, reset, half-open, closed slowly, held by a partition.
 */
#include "tests/proxy/rig.h"

#include <stdlib.h>

/* An echo through the proxy, so that all that was under way before has come. */
static void exchange(struct rig *rig, struct end *client) {
    uint64_t wanted = client->received + 10;
    send_bytes(client, 10, 0);
    WAIT_FOR(rig, client->received == wanted);
}

static void a_reset_reaches_both_sides_of_the_connections_meant(void **state) {
    struct rig *rig = *state;
    struct end *server, *server_of_other;
    struct aq_link_rule between = rule_of(AQ_FAULT_RESET, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server), *other = rig_connect_up(rig, 2, &server_of_other);
    exchange(rig, client);
    exchange(rig, other);
    only_client(&between, 1);
    aq_proxy_reset(rig->proxy, &between, false, &touched);
    assert_int_equal(touched, 1);
    WAIT_FOR(rig, client->error && server->error);
    assert_int_equal(client->error, UV_ECONNRESET);
    assert_int_equal(server->error, UV_ECONNRESET);
    exchange(rig, other);
    assert_false(other->error || other->eof || server_of_other->error);
    assert_int_equal(aq_index_set_init(&between.servers, 4), 0); /* this server is not among them */
    aq_index_set_close(&between.clients);
    aq_proxy_reset(rig->proxy, &between, false, &touched);
    assert_int_equal(touched, 1);
    exchange(rig, other);
    exchange(rig, rig_connect_up(rig, 1, NULL));
    aq_index_set_close(&between.servers);
}

static void a_reset_takes_all_that_are_up(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule between = rule_of(AQ_FAULT_RESET, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, NULL);
    for (uint32_t i = 0; i < 50; i++)
        exchange(rig, rig_connect_up(rig, i, NULL));
    aq_proxy_reset(rig->proxy, &between, false, &touched);
    aq_proxy_reset(rig->proxy, &between, false, &touched); /* they are gone already */
    assert_int_equal(touched, 50);
    for (uint32_t i = 0; i < 50; i++)
        WAIT_FOR(rig, rig->clients[i]->error == UV_ECONNRESET && rig->accepted[i]->error == UV_ECONNRESET);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
}

static void a_half_open_connection_swallows_what_the_client_sends(void **state) {
    struct rig *rig = *state;
    struct end *server;
    struct aq_link_rule between = rule_of(AQ_FAULT_HALF_OPEN, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server), *other = rig_connect_up(rig, 2, NULL);
    exchange(rig, client);
    exchange(rig, other);
    only_client(&between, 1);
    aq_proxy_reset(rig->proxy, &between, true, &touched);
    assert_int_equal(touched, 1);
    WAIT_FOR(rig, server->eof);
    send_bytes(client, 1000 * 1000, 50000);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).bytes_swallowed == 1000 * 1000);
    exchange(rig, other);
    assert_false(client->eof || client->error);
    assert_int_equal(client->received, 10);
    aq_proxy_reset(rig->proxy, &between, true, &touched); /* it is half-open already */
    assert_int_equal(touched, 1);
    exchange(rig, rig_connect_up(rig, 1, NULL)); /* the next one is whole */
    hang_up(client, false);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 2);
    aq_index_set_close(&between.clients);
}

static void answering(struct aq_proxy_config *config) {
    config->answer_half_open = true;
}

static void a_half_open_connection_may_answer_with_a_reset(void **state) {
    struct rig *rig = *state;
    struct end *server;
    struct aq_link_rule between = rule_of(AQ_FAULT_HALF_OPEN, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, answering);
    struct end *client = rig_connect_up(rig, 1, &server), *other = rig_connect_up(rig, 2, NULL);
    exchange(rig, client);
    only_client(&between, 1);
    aq_proxy_reset(rig->proxy, &between, true, &touched);
    WAIT_FOR(rig, server->eof);
    exchange(rig, other);
    assert_false(client->eof || client->error); /* it believes in it until it sends */
    send_bytes(client, 1, 0);
    WAIT_FOR(rig, client->error);
    assert_int_equal(client->error, UV_ECONNRESET);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 1);
    aq_index_set_close(&between.clients);
}

static void a_client_that_closes_a_half_open_connection_is_let_go(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule between = rule_of(AQ_FAULT_HALF_OPEN, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, NULL);
    for (int reset = 0; reset < 2; reset++) {
        struct end *client = rig_connect_up(rig, 1, NULL);
        exchange(rig, client);
        aq_proxy_reset(rig->proxy, &between, true, &touched);
        hang_up(client, reset);
        WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
    }
    assert_int_equal(touched, 2);
}

static void a_refused_client_is_reset_and_never_reaches_the_server(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule rule = rule_of(AQ_FAULT_REFUSED, AQ_DIRECTION_BOTH);
    rig_start(rig, NULL);
    struct end *before = rig_connect_up(rig, 1, NULL);
    exchange(rig, before);
    only_client(&rule, 1);
    put_in_force(rig, &rule);
    struct end *client = rig_connect(rig, 1);
    WAIT_FOR(rig, client->error);
    assert_true(client->error == UV_ECONNRESET || client->error == UV_ECONNREFUSED);
    assert_int_equal(rule.touched, 1);
    exchange(rig, before); /* what is up stays */
    exchange(rig, rig_connect_up(rig, 2, NULL));
    assert_int_equal(rig->accepted_count, 2);
    assert_int_equal(aq_proxy_counters(rig->proxy).refused, 1);
    heal(rig, &rule);
    exchange(rig, rig_connect_up(rig, 1, NULL));
}

static void a_slow_close_holds_back_the_end_and_nothing_else(void **state) {
    struct rig *rig = *state;
    rig->accept_quiet = true;
    rig_start(rig, NULL);
    for (int to_client = 0; to_client < 2; to_client++) {
        struct end *server, *client = rig_connect_up(rig, 1, &server);
        struct end *from = to_client ? server : client, *to = to_client ? client : server;
        struct aq_link_rule rule =
            rule_of(AQ_FAULT_SLOW_CLOSE, to_client ? AQ_DIRECTION_TO_CLIENT : AQ_DIRECTION_TO_SERVER);
        rule.delay = AQ_CONSTANT_US(150 * MS);
        put_in_force(rig, &rule);
        aq_time_us start_us = now_us();
        from->close_when_sent = true;
        send_bytes(from, 1000, 0);
        WAIT_FOR(rig, to->received == 1000);
        assert_false(to->eof);
        shut_down(to); /* the end of the other direction is not late */
        WAIT_FOR(rig, to->eof && from->eof);
        assert_in_range(to->eof_us - start_us, 150 * MS, 500 * MS);
        assert_true(from->eof_us < to->eof_us);
        assert_int_equal(rule.touched, 1);
        heal(rig, &rule);
    }
}

/* Each attempt to set it up looks at both directions. */
static void a_partition_holds_new_connections_until_it_is_healed(void **state) {
    struct rig *rig = *state;
    static const enum aq_direction directions[] = {AQ_DIRECTION_TO_SERVER, AQ_DIRECTION_TO_CLIENT,
                                                   AQ_DIRECTION_BOTH};
    rig_start(rig, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, directions[i]);
        put_in_force(rig, &rule);
        struct end *client = rig_connect(rig, 1);
        send_bytes(client, 1000, 0);
        WAIT_FOR(rig, rule.touched >= 6);
        assert_int_equal(rig->accepted_count, i);
        assert_int_equal(client->received, 0);
        assert_false(client->eof || client->error);
        heal(rig, &rule);
        WAIT_FOR(rig, client->received == 1000);
        assert_int_equal(client->wrong_bytes, 0);
        assert_int_equal(rig->accepted_count, i + 1);
    }
}

static void a_client_that_gives_up_behind_a_partition_is_let_go(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, AQ_DIRECTION_BOTH);
    rig_start(rig, NULL);
    put_in_force(rig, &rule);
    for (uint32_t i = 0; i < 20; i++) {
        struct end *client = rig_connect(rig, i);
        WAIT_FOR(rig, client->connected);
        hang_up(client, i % 2);
    }
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).abandoned == 20);
    heal(rig, &rule);
    exchange(rig, rig_connect_up(rig, 1, NULL));
    assert_int_equal(rig->accepted_count, 1);
}

static void an_end_behind_a_partition_is_told_after_it(void **state) {
    struct rig *rig = *state;
    for (int reset = 0; reset < 2; reset++) {
        struct aq_link_rule rule = rule_of(AQ_FAULT_PARTITION, AQ_DIRECTION_TO_CLIENT);
        struct end *server;
        if (!rig->proxy) rig_start(rig, NULL);
        struct end *client = rig_connect_up(rig, 1, &server);
        exchange(rig, client);
        put_in_force(rig, &rule);
        hang_up(server, reset);
        WAIT_FOR(rig, rule.touched >= 4);
        assert_false(client->eof || client->error);
        heal(rig, &rule);
        WAIT_FOR(rig, client->eof || client->error);
        assert_int_equal(client->error, reset ? UV_ECONNRESET : 0);
        hang_up(client, false);
        WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
    }
}

static void latency_delays_the_set_up_of_a_connection_by_the_way_there_and_back(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule rule = rule_of(AQ_FAULT_LATENCY, AQ_DIRECTION_BOTH);
    rule.delay = AQ_CONSTANT_US(30 * MS);
    rig_start(rig, NULL);
    put_in_force(rig, &rule);
    aq_time_us start_us = now_us();
    struct end *client = rig_connect(rig, 1);
    WAIT_FOR(rig, rig->accepted_count == 1);
    assert_in_range(now_us() - start_us, 60 * MS, 500 * MS);
    send_bytes(client, 1, 0);
    WAIT_FOR(rig, client->received == 1);
    assert_in_range(client->last_us - start_us, 120 * MS, 1000 * MS);
    heal(rig, &rule);
}

static void a_proxy_may_be_freed_in_the_middle_of_everything(void **state) {
    struct rig *rig = *state;
    struct aq_link_rule rules[3] = {rule_of(AQ_FAULT_PARTITION, AQ_DIRECTION_BOTH),
                                    rule_of(AQ_FAULT_LATENCY, AQ_DIRECTION_BOTH),
                                    rule_of(AQ_FAULT_BANDWIDTH, AQ_DIRECTION_BOTH)};
    struct aq_link_rule between = rule_of(AQ_FAULT_HALF_OPEN, AQ_DIRECTION_BOTH);
    uint64_t touched = 0;
    rig_start(rig, NULL);
    for (uint32_t i = 0; i < 5; i++)
        exchange(rig, rig_connect_up(rig, i, NULL));
    only_client(&between, 4);
    aq_proxy_reset(rig->proxy, &between, true, &touched);
    aq_index_set_close(&between.clients);
    rules[1].delay = AQ_CONSTANT_US(3600 * AQ_US_PER_S);
    rules[2].bytes_per_s = 1;
    for (uint32_t i = 0; i < 3; i++) {
        only_client(&rules[i], i);
        put_in_force(rig, &rules[i]);
        send_bytes(rig->clients[i], 100000, 10000);
    }
    rig->accepted[3]->echo = false;
    send_bytes(rig->clients[3], 20 * 1000 * 1000, 100000);
    shut_down(rig->clients[4]);
    rig_connect(rig, 0);
    rig_connect(rig, 1);
    WAIT_FOR(rig, rules[0].touched > 3 && rules[1].touched > 3 && rules[2].touched > 0);
    aq_proxy_free(rig->proxy);
    rig->proxy = NULL;
    for (uint32_t i = 0; i < 5; i++)
        WAIT_FOR(rig, rig->clients[i]->error || rig->clients[i]->eof);
    for (uint32_t i = 0; i < 3; i++)
        heal(rig, &rules[i]);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_reset_reaches_both_sides_of_the_connections_meant),
        RIG_TEST(a_reset_takes_all_that_are_up),
        RIG_TEST(a_half_open_connection_swallows_what_the_client_sends),
        RIG_TEST(a_half_open_connection_may_answer_with_a_reset),
        RIG_TEST(a_client_that_closes_a_half_open_connection_is_let_go),
        RIG_TEST(a_refused_client_is_reset_and_never_reaches_the_server),
        RIG_TEST(a_slow_close_holds_back_the_end_and_nothing_else),
        RIG_TEST(a_partition_holds_new_connections_until_it_is_healed),
        RIG_TEST(a_client_that_gives_up_behind_a_partition_is_let_go),
        RIG_TEST(an_end_behind_a_partition_is_told_after_it),
        RIG_TEST(latency_delays_the_set_up_of_a_connection_by_the_way_there_and_back),
        RIG_TEST(a_proxy_may_be_freed_in_the_middle_of_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
