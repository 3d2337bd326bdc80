/* Who gets in, and that those who do not disturb nobody else: wrong keys, no keys, the allow-list, peers that
   are not ZMTP, that stall, that send noise, a thousand at once; and a server that comes back on its port. */
#include "tests/transport/rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;
static struct port port;
static struct fleet fleet;

static int set_up(void **state) {
    (void)state;
    rig_open(&rig);
    fleet_open(&fleet, &rig);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fleet_close(&fleet);
    if (port.transport) port_close(&port, true);
    rig_close(&rig);
    return 0;
}

static void connect_to(uint32_t client, const char *endpoint) {
    assert_int_equal(aq_client_transport_connect(fleet.transport, client, 0, endpoint, NULL), 0);
}

/* The server still serves: a client with the right keys comes in and gets its answer. */
static void assert_serves(uint32_t client) {
    uint32_t up = fleet.up, asked = port.count, replies = fleet.replies;
    connect_to(client, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == up + 1);
    fleet_put(&fleet, client, 0, 1, "b");
    RIG_UNTIL(&rig, port.count == asked + 1);
    port_reply(&port, asked, "j");
    RIG_UNTIL(&rig, fleet.replies == replies + 1);
}

static void a_client_with_another_servers_key_is_told_so_once(void **state) {
    (void)state;
    struct fleet lost;
    struct aq_client_transport_config config = fleet_config(&lost, &rig);
    config.server_public_z85 = rig.other_keys.public_z85;
    fleet_open_with(&lost, &config);
    port_open(&port, &rig, 0);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(aq_client_transport_connect(lost.transport, 0, 0, port.endpoint, NULL), 0);
        RIG_UNTIL(&rig, lost.down == i);
    }
    assert_int_equal(lost.up, 0);
    assert_int_equal(lost.troubles[AQ_CLIENT_TROUBLE_HANDSHAKE], 1);
    assert_serves(0);
    fleet_close(&lost);
}

static uint32_t strangers[AQ_STRANGER_COUNT];

static void on_stranger(void *owner, enum aq_stranger stranger) {
    (void)owner;
    strangers[stranger]++;
}

static void open_watched_port(aq_time_us handshake_us) {
    struct aq_server_transport_config config = port_config(&port, &rig);
    memset(strangers, 0, sizeof strangers);
    config.stranger = on_stranger;
    config.handshake_us = handshake_us;
    port_open_with(&port, &config);
}

static uint32_t all_strangers(void) {
    uint32_t all = 0;
    for (int i = 0; i < AQ_STRANGER_COUNT; i++)
        all += strangers[i];
    return all;
}

static void each_kind_of_stranger_is_told_by_its_name(void **state) {
    (void)state;
    open_watched_port(2 * AQ_US_PER_S);
    struct fleet lost;
    struct aq_client_transport_config config = fleet_config(&lost, &rig);
    config.server_public_z85 = rig.other_keys.public_z85;
    fleet_open_with(&lost, &config);
    assert_int_equal(aq_client_transport_connect(lost.transport, 0, 0, port.endpoint, NULL), 0);
    RIG_UNTIL(&rig, strangers[AQ_STRANGER_WRONG_KEY] == 1 && lost.down == 1);
    fleet_close(&lost);
    struct raw raw;
    raw_open(&raw, &rig, ZMQ_REQ);
    raw_set(&raw, ZMQ_RECONNECT_IVL, -1);
    raw_connect(&raw, port.endpoint);
    RIG_UNTIL(&rig, strangers[AQ_STRANGER_NO_CURVE] == 1);
    raw_close(&raw);
    int plain = tcp_connect(port.endpoint), silent = tcp_connect(port.endpoint);
    assert_int_equal(write(plain, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    RIG_UNTIL(&rig, strangers[AQ_STRANGER_NOT_ZMTP] == 1 && strangers[AQ_STRANGER_UNFINISHED] == 1);
    close(plain);
    close(silent);
    assert_int_equal(all_strangers(), 4);
}

static void clients_that_come_and_go_are_no_strangers(void **state) {
    (void)state;
    open_watched_port(0);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t client = 0; client < 5; client++)
            connect_to(client, port.endpoint);
        RIG_UNTIL(&rig, fleet.up == 5 * (round + 1));
        for (uint32_t client = 0; client < 5; client++)
            aq_client_transport_close(fleet.transport, client, 0);
    }
    int plain = tcp_connect(port.endpoint); /* told after all that came before it */
    assert_int_equal(write(plain, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    RIG_UNTIL(&rig, strangers[AQ_STRANGER_NOT_ZMTP] == 1);
    close(plain);
    assert_int_equal(all_strangers(), 1);
}

static void a_peer_without_keys_gets_nowhere(void **state) {
    (void)state;
    struct raw raw;
    port_open(&port, &rig, 0);
    raw_open(&raw, &rig, ZMQ_REQ);
    raw_connect(&raw, port.endpoint);
    zmq_send(raw.socket, "ping", 4, ZMQ_DONTWAIT); /* refused where it was hung up on already */
    aq_zmq_watch_wake(&raw.watch);
    rig_linger(&rig, 200); /* it tries again and again meanwhile */
    assert_serves(0);
    assert_int_equal(port.count, 1);
    assert_int_equal(raw.count, 0);
    raw_close(&raw);
}

struct refusals {
    uint32_t count;
    uint64_t refused;
    char key[41], from[64];
};

static void on_refused(void *owner, const char *public_z85, const char *from, uint64_t refused) {
    struct refusals *refusals = owner;
    refusals->count++;
    refusals->refused = refused;
    snprintf(refusals->key, sizeof refusals->key, "%s", public_z85);
    snprintf(refusals->from, sizeof refusals->from, "%s", from);
}

static void only_clients_on_the_allow_list_get_in(void **state) {
    (void)state;
    struct refusals refusals = {0};
    struct fleet others;
    struct aq_server_gate *gate, *second;
    struct aq_curve_allow_list list;
    struct aq_error error;
    char text[100];
    snprintf(text, sizeof text, "# ours\n%s\n", rig.client_keys.public_z85);
    assert_int_equal(aq_curve_allow_list_parse(aq_text_of(text), "list", &list, &error), 0);
    struct aq_server_gate_config gate_config = {
        .loop = &rig.loop, .context = rig.context, .list = &list, .refused = on_refused, .owner = &refusals};
    assert_int_equal(aq_server_gate_open(&gate_config, &gate, &error), 0);
    assert_int_equal(aq_server_gate_open(&gate_config, &second, &error), AQ_EEXISTS);
    port_open(&port, &rig, 0);
    struct aq_client_transport_config config = fleet_config(&others, &rig);
    config.keys = &rig.other_keys;
    fleet_open_with(&others, &config);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(aq_client_transport_connect(others.transport, 0, 0, port.endpoint, NULL), 0);
        RIG_UNTIL(&rig, others.down == i);
    }
    assert_int_equal(others.up, 0);
    assert_int_equal(others.troubles[AQ_CLIENT_TROUBLE_NOT_ADMITTED], 1);
    assert_int_equal(refusals.count, 1);
    assert_string_equal(refusals.key, rig.other_keys.public_z85);
    assert_string_equal(refusals.from, "127.0.0.1");
    assert_serves(0);
    assert_int_equal(aq_server_gate_counters(gate).refused, 5);
    assert_int_equal(aq_server_gate_counters(gate).admitted, 1);
    aq_curve_allow_list_close(&list);

    snprintf(text, sizeof text, "%s\n", rig.other_keys.public_z85); /* now the other way round */
    assert_int_equal(aq_curve_allow_list_parse(aq_text_of(text), "list", &list, &error), 0);
    assert_int_equal(aq_server_gate_replace(gate, &list), 0);
    assert_int_equal(aq_client_transport_connect(others.transport, 0, 0, port.endpoint, NULL), 0);
    RIG_UNTIL(&rig, others.up == 1);
    connect_to(1, port.endpoint);
    RIG_UNTIL(&rig, fleet.down == 1);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_NOT_ADMITTED], 1);
    assert_int_equal(refusals.count, 2);
    aq_curve_allow_list_close(&list);
    fleet_close(&others);
    port_close(&port, true);
    aq_server_gate_close(gate);
}

static void a_server_that_is_not_zmtp_is_a_failed_handshake(void **state) {
    (void)state;
    char endpoint[64], noise[4096];
    int listener = tcp_listen(endpoint);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7 + 1);
    for (uint32_t i = 1; i <= 3; i++) {
        connect_to(0, endpoint);
        int peer = accept(listener, NULL, NULL);
        assert_true(send(peer, noise, sizeof noise, MSG_NOSIGNAL) > 0);
        RIG_UNTIL(&rig, fleet.down == i);
        close(peer);
    }
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_HANDSHAKE], 1);
    assert_int_equal(fleet.up, 0);
    close(listener);
}

static void a_server_that_stalls_in_the_handshake_can_be_given_up(void **state) {
    (void)state;
    char endpoint[64];
    int listener = tcp_listen(endpoint);
    for (uint32_t i = 0; i < 3; i++) {
        connect_to(0, endpoint);
        int peer = accept(listener, NULL, NULL);
        rig_linger(&rig, 50);
        assert_int_equal(fleet.count, 0);
        aq_client_transport_close(fleet.transport, 0, 0);
        rig_linger(&rig, 10);
        close(peer);
    }
    assert_int_equal(fleet.count, 0);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_STALLED], 1);
    close(listener);
}

/* Sends as much as the other end takes: it may have hung up, and be right to. */
static size_t send_noise(int fd, size_t bytes) {
    char noise[16384];
    size_t sent = 0;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 31 + i / 256);
    while (sent < bytes) {
        ssize_t n = send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        if (n > 0) sent += (size_t)n;
        if (n < 0 && errno != EAGAIN) break;
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        if (n < 0) rig_linger(&rig, 1);
    }
    return sent;
}

static void ten_megabytes_of_noise_disturb_nobody(void **state) {
    (void)state;
    port_open(&port, &rig, 0);
    assert_serves(0);
    size_t sent = 0;
    uint32_t connections = 0;
    while (sent < 10000000 && connections < 20000) { /* hung up on, it comes again */
        int peer = tcp_connect(port.endpoint);
        sent += send_noise(peer, 1000000);
        close(peer);
        connections++;
    }
    assert_true(sent >= 10000000);
    assert_int_equal(port.count, 1);
    assert_serves(1);
    assert_int_equal(fleet.down, 0);
}

static void a_peer_that_stalls_in_the_handshake_is_dropped(void **state) {
    (void)state;
    char byte;
    struct aq_server_transport_config config = port_config(&port, &rig);
    config.handshake_us = AQ_US_PER_S; /* more than the others need on a busy machine */
    port_open_with(&port, &config);
    int peer = tcp_connect(port.endpoint);
    assert_int_equal(send(peer, "\xff\0\0\0\0\0\0\0\1\x7f\3", 11, MSG_NOSIGNAL), 11); /* half a greeting */
    assert_serves(0);
    ssize_t got; /* it sees the end: after the server's own greeting */
    do {
        rig_linger(&rig, 5);
        got = recv(peer, &byte, 1, 0);
    } while (got > 0 || (got < 0 && errno == EAGAIN));
    close(peer);
    assert_serves(1);
}

static uint32_t raise_file_limit(uint32_t wanted) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur / 4 < wanted ? (uint32_t)(limit.rlim_cur / 4) : wanted;
}

static void a_thousand_half_open_connections_keep_nobody_out(void **state) {
    (void)state;
    uint32_t count = raise_file_limit(1000);
    int *peers = calloc(count, sizeof *peers);
    port_open(&port, &rig, 0);
    for (uint32_t i = 0; i < count; i++) {
        peers[i] = tcp_connect(port.endpoint);
        if (i % 2) assert_int_equal(send(peers[i], "\xff", 1, MSG_NOSIGNAL), 1);
        if (i % 64 == 0) uv_run(&rig.loop, UV_RUN_NOWAIT);
    }
    assert_serves(0);
    for (uint32_t i = 0; i < count; i++)
        close(peers[i]);
    assert_serves(1);
    int files = rig_count_files();
    for (int waits = 0; files > rig.files_before + 40 && waits < 1000;
         waits++) { /* the server lets go of them */
        rig_linger(&rig, 5);
        files = rig_count_files();
    }
    assert_true(files <= rig.files_before + 40);
    free(peers);
}

static void a_killed_server_comes_back_on_its_port(void **state) {
    (void)state;
    port_open(&port, &rig, 0);
    uint16_t number = port.port;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t client = 0; client < 20; client++)
            connect_to(client, port.endpoint);
        RIG_UNTIL(&rig, fleet.up == 20 * (round + 1));
        for (uint32_t client = 0; client < 20; client++)
            fleet_put(&fleet, client, 0, client, "b");
        RIG_UNTIL(&rig, port.count == 20); /* requests under way when it goes */
        port_close(&port, true);
        port_open(&port, &rig, number);
        assert_int_equal(port.port, number);
        RIG_UNTIL(&rig, fleet.down == 20 * (round + 1));
        fleet.count = 0;
    }
    assert_serves(0);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_LOST], 5 * 20); /* each came up again in between */
}

static void a_port_in_use_is_an_error_at_once_or_when_the_time_is_over(void **state) {
    (void)state;
    struct port second;
    struct aq_error error;
    port_open(&port, &rig, 0);
    struct aq_server_transport_config config = port_config(&second, &rig);
    config.port = port.port;
    assert_int_equal(aq_server_transport_open(&config, &second.transport, &error), AQ_EIO);
    assert_non_null(strstr(error.text, "in use"));
    config.bind_for_us = 50 * AQ_US_PER_MS;
    port_open_with(&second, &config);
    assert_int_equal(second.listening, AQ_EEXISTS);
    assert_int_equal(aq_server_transport_port(second.transport), 0);
    port_close(&second, true);
    config.host = "203.0.113.1"; /* no address of this machine: trying again would not help */
    assert_int_equal(aq_server_transport_open(&config, &second.transport, &error), AQ_EIO);
    struct aq_curve_pair broken = {.public_z85 = "x", .secret_z85 = "x"};
    config = port_config(&second, &rig);
    config.keys = &broken;
    assert_int_equal(aq_server_transport_open(&config, &second.transport, &error), AQ_EINVALID);
}

static void close_first_port(uv_timer_t *timer) {
    (void)timer;
    port_close(&port, true);
}

static void a_port_is_waited_for_until_it_is_free(void **state) {
    (void)state;
    struct port second;
    uv_timer_t timer;
    port_open(&port, &rig, 0);
    uv_timer_init(&rig.loop, &timer);
    uv_timer_start(&timer, close_first_port, 50, 0);
    uint16_t number = port.port;
    port_open(&second, &rig, number);
    assert_null(port.transport);
    assert_int_equal(second.port, number);
    port_close(&second, true);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_client_with_another_servers_key_is_told_so_once),
        TEST(each_kind_of_stranger_is_told_by_its_name),
        TEST(clients_that_come_and_go_are_no_strangers),
        TEST(a_peer_without_keys_gets_nowhere),
        TEST(only_clients_on_the_allow_list_get_in),
        TEST(a_server_that_is_not_zmtp_is_a_failed_handshake),
        TEST(a_server_that_stalls_in_the_handshake_can_be_given_up),
        TEST(ten_megabytes_of_noise_disturb_nobody),
        TEST(a_peer_that_stalls_in_the_handshake_is_dropped),
        TEST(a_thousand_half_open_connections_keep_nobody_out),
        TEST(a_killed_server_comes_back_on_its_port),
        TEST(a_port_is_waited_for_until_it_is_free),
        TEST(a_port_in_use_is_an_error_at_once_or_when_the_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
