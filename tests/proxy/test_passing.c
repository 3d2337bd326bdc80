/* Without a fault, a proxy is not there: bytes, ends and back-pressure pass through it. */
#include "tests/proxy/rig.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void fifty_megabytes_in_random_pieces_come_back_byte_for_byte(void **state) {
    struct rig *rig = *state;
    uint64_t total = 50 * 1000 * 1000;
    rig_start(rig, NULL);
    struct end *client = rig_connect(rig, 1);
    WAIT_FOR(rig, client->connected);
    client->close_when_sent = true;
    send_bytes(client, total, 131072);
    WAIT_FOR(rig, client->eof);
    assert_int_equal(client->received, total);
    assert_int_equal(client->wrong_bytes, 0);
    struct aq_proxy_counters counters = aq_proxy_counters(rig->proxy);
    assert_int_equal(counters.bytes_to_server, total);
    assert_int_equal(counters.bytes_to_client, total);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
    assert_int_equal(aq_proxy_counters(rig->proxy).blocks_in_use, 0);
}

static void single_bytes_pass_as_they_come(void **state) {
    struct rig *rig = *state;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, NULL);
    send_bytes(client, 2000, 1);
    WAIT_FOR(rig, client->received == 2000);
    assert_int_equal(client->wrong_bytes, 0);
}

static void a_half_closed_connection_still_carries_the_answer(void **state) {
    struct rig *rig = *state;
    struct end *server;
    rig->accept_quiet = true;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    client->close_when_sent = true;
    send_bytes(client, 10, 0);
    WAIT_FOR(rig, server->eof);
    assert_int_equal(server->received, 10);
    assert_false(client->eof);
    server->close_when_sent = true;
    send_bytes(server, 100000, 5000);
    WAIT_FOR(rig, client->eof);
    assert_int_equal(client->received, 100000);
    assert_int_equal(client->wrong_bytes, 0);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
}

static void a_reset_of_one_side_reaches_the_other(void **state) {
    struct rig *rig = *state;
    struct end *server;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    hang_up(client, true);
    WAIT_FOR(rig, server->error);
    assert_int_equal(server->error, UV_ECONNRESET);
    client = rig_connect_up(rig, 1, &server);
    hang_up(server, true);
    WAIT_FOR(rig, client->error);
    assert_int_equal(client->error, UV_ECONNRESET);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
}

static void bytes_before_a_close_arrive_though_the_reader_is_slow(void **state) {
    struct rig *rig = *state;
    struct end *server;
    rig->accept_deaf = rig->accept_quiet = true;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    client->close_when_sent = true;
    send_bytes(client, 200000, 60000);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).bytes_to_server > 0 && client->sent == 200000);
    listen_again(server);
    WAIT_FOR(rig, server->eof);
    assert_int_equal(server->received, 200000);
    assert_int_equal(server->wrong_bytes, 0);
}

static void a_reader_that_stops_bounds_what_the_proxy_holds(void **state) {
    struct rig *rig = *state;
    struct end *server;
    uint64_t total = 40 * 1000 * 1000; /* more than the buffers of the kernel take */
    uint32_t blocks_max = AQ_PROXY_BUFFER_BYTES / AQ_BLOCK_BYTES;
    rig->accept_deaf = rig->accept_quiet = true;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    send_bytes(client, total, 131072);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).blocks_in_use == blocks_max);
    assert_true(client->sent < total);
    listen_again(server);
    WAIT_FOR(rig, server->received == total);
    assert_int_equal(server->wrong_bytes, 0);
    assert_int_equal(aq_proxy_counters(rig->proxy).blocks_allocated, blocks_max);
    assert_int_equal(aq_proxy_counters(rig->proxy).blocks_in_use, 0);
}

static void the_other_direction_flows_while_one_is_stuck(void **state) {
    struct rig *rig = *state;
    struct end *server;
    rig->accept_deaf = rig->accept_quiet = true;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    send_bytes(client, 40 * 1000 * 1000, 131072);
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).blocks_in_use == AQ_PROXY_BUFFER_BYTES / AQ_BLOCK_BYTES);
    send_bytes(server, 5 * 1000 * 1000, 131072);
    WAIT_FOR(rig, client->received == 5 * 1000 * 1000);
    assert_int_equal(client->wrong_bytes, 0);
}

#define MANY 1000

static uint64_t received_by_all(const struct rig *rig) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rig->client_count; i++)
        sum += rig->clients[i]->received;
    return sum;
}

static void a_thousand_connections_pass_through_one_proxy_and_nothing_is_left(void **state) {
    struct rig *rig = *state;
    rig_start(rig, NULL);
    for (uint32_t i = 0; i < MANY; i++)
        rig_connect(rig, i);
    WAIT_FOR(rig, rig->accepted_count == MANY && aq_proxy_counters(rig->proxy).connections == MANY);
    for (uint32_t i = 0; i < MANY; i++)
        send_bytes(rig->clients[i], 5000, 3000);
    WAIT_FOR(rig, received_by_all(rig) == MANY * 5000);
    assert_int_equal(aq_proxy_counters(rig->proxy).blocks_in_use, 0);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(rig->clients[i]->wrong_bytes, 0);
        shut_down(rig->clients[i]);
    }
    WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
    for (uint32_t i = 0; i < MANY; i++)
        WAIT_FOR(rig, rig->clients[i]->eof);
}

static void a_warm_proxy_allocates_nothing(void **state) {
    struct rig *rig = *state;
    struct end *client[20];
    rig_start(rig, NULL);
    for (int round = 0; round < 2; round++) {
        if (round) aq_alloc_fail_after(0);
        for (uint32_t i = 0; i < 20; i++)
            client[i] = rig_connect_up(rig, i, NULL);
        for (uint32_t i = 0; i < 20; i++)
            send_bytes(client[i], 200000, 9000);
        for (uint32_t i = 0; i < 20; i++)
            WAIT_FOR(rig, client[i]->received == 200000);
        for (uint32_t i = 0; i < 20; i++)
            shut_down(client[i]);
        WAIT_FOR(rig, aq_proxy_counters(rig->proxy).connections == 0);
    }
    void *unused = aq_alloc(1); /* the failure is still pending: nobody has asked */
    aq_alloc_fail_after(UINT64_MAX);
    assert_null(unused);
    assert_int_equal(aq_proxy_counters(rig->proxy).failed_accepts, 0);
}

static void out_of_memory_makes_a_connection_wait_and_not_fail(void **state) {
    struct rig *rig = *state;
    uint64_t failed = 0;
    for (uint64_t skip = 0; skip < 8; skip++) {
        rig_start(rig, NULL); /* a cold one each time */
        aq_alloc_fail_after(skip);
        struct end *client = rig_connect(rig, 0);
        send_bytes(client, 500000, 131072);
        WAIT_FOR(rig, client->received == 500000);
        aq_alloc_fail_after(UINT64_MAX);
        assert_int_equal(client->wrong_bytes, 0);
        failed += aq_proxy_counters(rig->proxy).failed_accepts;
        aq_proxy_free(rig->proxy);
        rig->proxy = NULL;
    }
    assert_int_equal(failed, 1); /* the first; the others hit what is made later */
}

static void a_server_that_is_down_resets_its_clients_until_it_is_back(void **state) {
    struct rig *rig = *state;
    rig_listen(rig);
    rig_start(rig, NULL);
    rig_stop_listening(rig);
    struct end *client = rig_connect(rig, 1);
    WAIT_FOR(rig, client->error);
    assert_int_equal(client->error, UV_ECONNRESET);
    assert_int_equal(aq_proxy_counters(rig->proxy).failed_connects, 1);
    rig_listen(rig);
    client = rig_connect_up(rig, 1, NULL);
    send_bytes(client, 100, 0);
    WAIT_FOR(rig, client->received == 100);
}

static void a_server_may_move(void **state) {
    struct rig *rig = *state;
    struct aq_error error = {0};
    rig_listen(rig);
    rig_start(rig, NULL);
    rig_stop_listening(rig);
    rig->server_port = 0;
    rig_listen(rig);
    assert_int_equal(aq_proxy_set_server(rig->proxy, "127.0.0.1", rig->server_port, &error), 0);
    rig_connect_up(rig, 1, NULL);
    assert_int_equal(aq_proxy_set_server(rig->proxy, "localhost", 1, &error), AQ_EINVALID);
    assert_string_equal(error.text, "\"localhost\" is not a numeric address");
    rig_connect_up(rig, 1, NULL);
}

static void a_proxy_that_is_freed_resets_what_is_up(void **state) {
    struct rig *rig = *state;
    struct end *server;
    rig_start(rig, NULL);
    struct end *client = rig_connect_up(rig, 1, &server);
    aq_proxy_free(rig->proxy);
    rig->proxy = NULL;
    WAIT_FOR(rig, client->error && server->error);
    assert_int_equal(client->error, UV_ECONNRESET);
    assert_int_equal(server->error, UV_ECONNRESET);
}

static uint32_t nobody(void *self, const struct sockaddr *peer) {
    (void)self, (void)peer;
    return AQ_PROXY_NOBODY;
}

static void an_address_that_is_not_here_is_an_error(void **state) {
    struct rig *rig = *state;
    struct aq_error error = {0};
    struct aq_proxy_config config = {.loop = &rig->loop,
                                     .host = "203.0.113.1",
                                     .server_host = "127.0.0.1",
                                     .server_port = 1,
                                     .rules = &rig->rules,
                                     .client_of = nobody};
    assert_int_equal(aq_proxy_new(&config, &rig->proxy, &error), AQ_EIO);
    assert_non_null(strstr(error.text, "cannot listen on 203.0.113.1: "));
    config.host = "here";
    assert_int_equal(aq_proxy_new(&config, &rig->proxy, &error), AQ_EINVALID);
    config.host = "127.0.0.1";
    config.server_host = "there";
    assert_int_equal(aq_proxy_new(&config, &rig->proxy, &error), AQ_EINVALID);
    aq_alloc_fail_after(0);
    assert_int_equal(aq_proxy_new(&config, &rig->proxy, &error), AQ_ENOMEM);
    aq_alloc_fail_after(UINT64_MAX);
    assert_null(rig->proxy);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(fifty_megabytes_in_random_pieces_come_back_byte_for_byte),
        RIG_TEST(single_bytes_pass_as_they_come),
        RIG_TEST(a_half_closed_connection_still_carries_the_answer),
        RIG_TEST(a_reset_of_one_side_reaches_the_other),
        RIG_TEST(bytes_before_a_close_arrive_though_the_reader_is_slow),
        RIG_TEST(a_reader_that_stops_bounds_what_the_proxy_holds),
        RIG_TEST(the_other_direction_flows_while_one_is_stuck),
        RIG_TEST(a_thousand_connections_pass_through_one_proxy_and_nothing_is_left),
        RIG_TEST(a_warm_proxy_allocates_nothing),
        RIG_TEST(out_of_memory_makes_a_connection_wait_and_not_fail),
        RIG_TEST(a_server_that_is_down_resets_its_clients_until_it_is_back),
        RIG_TEST(a_server_may_move),
        RIG_TEST(a_proxy_that_is_freed_resets_what_is_up),
        RIG_TEST(an_address_that_is_not_here_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
