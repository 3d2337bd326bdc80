/* The clients' connections against plain libzmq servers (REP as AllQueue's, ROUTER) and bare fake servers. */
#include "tests/transport/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

static struct rig rig;
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
    rig_close(&rig);
    return 0;
}

static void connect_to(uint32_t client, uint32_t address, const char *endpoint) {
    assert_int_equal(aq_client_transport_connect(fleet.transport, client, address, endpoint, NULL), 0);
}

static void open_server(struct raw *raw, int type, char endpoint[64]) {
    raw_open(raw, &rig, type);
    raw_curve_server(raw, &rig.server_keys);
    raw_bind(raw, endpoint);
}

#define REPLY(id)                                                                                            \
    "{\"response\": {\"action\": \"put\",\"job_id\": \"" id "\"},\"job\": {\"job_id\": \"" id "\"}}"

static void answer_put(struct raw *raw, const struct raw_message *message) {
    assert_int_equal(message->frames, 1); /* REP has taken the envelope off */
    raw_send(raw, REPLY("j1"), NULL);
}

static void a_rep_socket_as_allqueues_server_answers(void **state) {
    (void)state;
    struct raw raw;
    char endpoint[64];
    open_server(&raw, ZMQ_REP, endpoint);
    raw.on_message = answer_put;
    connect_to(3, 7, endpoint);
    assert_int_equal(fleet.count, 0); /* nothing is called back from within connect */
    RIG_UNTIL(&rig, fleet.up == 1);
    assert_int_equal(fleet.told[0].client, 3);
    assert_int_equal(fleet.told[0].server, 7);
    for (uint32_t i = 0; i < 20; i++)
        fleet_put(&fleet, 3, 7, 100 + i, "b");
    assert_int_equal(fleet.replies, 0);
    RIG_UNTIL(&rig, fleet.replies == 20);
    for (uint32_t i = 0; i < 20; i++) { /* REP answers one after the other */
        assert_int_equal(fleet.told[1 + i].correlation, 100 + i);
        assert_true(fleet.told[1 + i].has_reply);
        assert_string_equal(fleet.told[1 + i].text, "j1");
    }
    assert_string_equal(raw.messages[0].bytes[0],
                        "{\"action\":\"put\",\"params\":{\"tube\":\"t\",\"body\":\"b\"}}");
    raw_close(&raw);
    RIG_UNTIL(&rig, fleet.down == 1);
}

static void the_frames_are_those_of_a_req_socket(void **state) {
    (void)state;
    struct raw raw;
    char endpoint[64];
    open_server(&raw, ZMQ_ROUTER, endpoint);
    connect_to(0, 0, endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    fleet_put(&fleet, 0, 0, 0x01020304, "b");
    RIG_UNTIL(&rig, raw.count == 1);
    uint32_t correlation = 0x01020304;
    assert_int_equal(raw.messages[0].frames, 4);
    assert_int_equal(raw.messages[0].len[0], 5); /* a route that ROUTER made */
    assert_int_equal(raw.messages[0].len[1], 4);
    assert_memory_equal(raw.messages[0].bytes[1], &correlation, 4);
    assert_int_equal(raw.messages[0].len[2], 0);
    raw_close(&raw);
}

static void replies_out_of_order_find_their_requests(void **state) {
    (void)state;
    struct port port;
    char id[32];
    port_open(&port, &rig, 0);
    connect_to(0, 0, port.endpoint);
    connect_to(1, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 2);
    for (uint32_t i = 0; i < 100; i++)
        fleet_put(&fleet, i % 2, 0, i / 2, i % 2 ? "one" : "zero");
    RIG_UNTIL(&rig, port.count == 100);
    for (uint32_t i = 100; i > 0; i--) {
        const struct aq_server_event *event = &port.asked[i - 1].event;
        bool one = aq_text_is(event->request->body, "one");
        snprintf(id, sizeof id, "%s-%u", one ? "one" : "zero", event->correlation);
        port_reply(&port, i - 1, id);
    }
    RIG_UNTIL(&rig, fleet.replies == 100);
    for (uint32_t i = 2; i < fleet.count; i++) {
        const struct told *told = &fleet.told[i];
        snprintf(id, sizeof id, "%s-%u", told->client ? "one" : "zero", told->correlation);
        assert_string_equal(told->text, id);
    }
    struct aq_client_transport_counters counters = aq_client_transport_counters(fleet.transport);
    assert_int_equal(counters.stray, 0);
    assert_int_equal(counters.unanswered, 0);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 2);
}

static void late_double_and_missing_replies_are_told_as_they_come(void **state) {
    (void)state;
    struct port port;
    port_open(&port, &rig, 0);
    connect_to(0, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    for (uint32_t i = 0; i < 3; i++)
        fleet_put(&fleet, 0, 0, i, "b");
    RIG_UNTIL(&rig, port.count == 3);
    const struct aq_server_event *event = &port.asked[2].event;
    struct aq_reply reply = {.kind = AQ_REPLY_ERROR, .error = AQ_TEXT("twice")};
    aq_server_transport_reply(port.transport, event->peer, event->correlation, &reply);
    port_finish(&port, 0); /* never answered */
    RIG_UNTIL(&rig, fleet.replies == 1);
    aq_server_transport_reply(port.transport, event->peer, event->correlation, &reply);
    port_finish(&port, 2);
    port_reply(&port, 1, "late");
    RIG_UNTIL(&rig, fleet.replies == 3);
    assert_int_equal(fleet.told[1].correlation, 2);
    assert_string_equal(fleet.told[1].text, "twice");
    assert_int_equal(fleet.told[2].correlation, 2);
    assert_false(fleet.told[2].has_reply);
    assert_int_equal(fleet.told[3].correlation, 1);
    assert_string_equal(fleet.told[3].text, "late");
    struct aq_client_transport_counters counters = aq_client_transport_counters(fleet.transport);
    assert_int_equal(counters.stray, 1);
    assert_int_equal(counters.unanswered, 1);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 1);
    assert_int_equal(aq_client_transport_counters(fleet.transport).unanswered, 0);
}

static void replies_that_make_no_sense_are_told_without_a_reply(void **state) {
    (void)state;
    struct raw raw;
    char endpoint[64];
    open_server(&raw, ZMQ_ROUTER, endpoint);
    connect_to(0, 0, endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    fleet_put(&fleet, 0, 0, 0x61616161, "b"); /* "aaaa" */
    fleet_put(&fleet, 0, 0, 0x62626262, "b");
    fleet_put(&fleet, 0, 0, 0x63636363, "b");
    RIG_UNTIL(&rig, raw.count == 3);
    char route[6] = {0};
    memcpy(route, raw.messages[0].bytes[0], 5);
    /* The first byte of a route that ROUTER makes is 0: raw_send's texts would end there. */
#define SEND_TO_CLIENT(...)                                                                                  \
    do {                                                                                                     \
        assert_int_equal(zmq_send(raw.socket, route, 5, ZMQ_SNDMORE), 5);                                    \
        raw_send(&raw, __VA_ARGS__, NULL);                                                                   \
    } while (0)
    SEND_TO_CLIENT("no correlation");
    SEND_TO_CLIENT("aaaa", "", "<html>");
    SEND_TO_CLIENT("bbbb", "not empty", REPLY("x"));
    SEND_TO_CLIENT("cccc", "", REPLY("x"), "one frame more");
    SEND_TO_CLIENT("cccc", "", REPLY("x"));
    RIG_UNTIL(&rig, fleet.replies == 4);
    for (uint32_t i = 1; i <= 4; i++)
        assert_false(fleet.told[i].has_reply);
    assert_int_equal(fleet.told[2].correlation, 0x62626262);
    struct aq_client_transport_counters counters = aq_client_transport_counters(fleet.transport);
    assert_int_equal(counters.received, 5);
    assert_int_equal(counters.nonsense, 4);
    assert_int_equal(counters.stray, 1);
    assert_int_equal(counters.up, 1);
    raw_close(&raw);
    RIG_UNTIL(&rig, fleet.down == 1);
}

static void nothing_is_told_of_a_connection_after_close(void **state) {
    (void)state;
    struct port port;
    port_open(&port, &rig, 0);
    connect_to(0, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    fleet_put(&fleet, 0, 0, 1, "b");
    RIG_UNTIL(&rig, port.count == 1);
    port_reply(&port, 0, "j1");
    aq_client_transport_close(fleet.transport, 0, 0);
    aq_client_transport_close(fleet.transport, 0, 0); /* no connection: nothing happens */
    fleet_put(&fleet, 0, 0, 2, "b");
    connect_to(0, 0, port.endpoint); /* a new one at once */
    RIG_UNTIL(&rig, fleet.up == 2);
    fleet_put(&fleet, 0, 0, 3, "b");
    RIG_UNTIL(&rig, port.count == 2);
    port_reply(&port, 1, "j3");
    RIG_UNTIL(&rig, fleet.replies == 1);
    assert_string_equal(fleet.told[2].text, "j3");
    assert_int_equal(fleet.down, 0);
    assert_int_equal(aq_client_transport_counters(fleet.transport).unsent, 1);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 1);
}

static void close_everything(struct fleet *f, const struct told *told) {
    if (told->kind != AQ_CLIENT_REPLY) return;
    aq_client_transport_close_client(f->transport, told->client);
    assert_int_equal(aq_client_transport_connect(f->transport, told->client, 1, "127.0.0.1:1", NULL), 0);
}

static void a_callback_may_close_and_connect(void **state) {
    (void)state;
    struct port port;
    port_open(&port, &rig, 0);
    connect_to(4, 0, port.endpoint);
    connect_to(4, 2, port.endpoint);
    connect_to(5, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 3);
    fleet.on_event = close_everything;
    for (uint32_t i = 0; i < 10; i++)
        fleet_put(&fleet, 4, 0, i, "b");
    RIG_UNTIL(&rig, port.count == 10);
    for (uint32_t i = 0; i < 10; i++)
        port_reply(&port, i, "j");
    RIG_UNTIL(&rig, fleet.down == 1); /* of the one made last, which is refused */
    assert_int_equal(fleet.replies, 1);
    assert_int_equal(fleet.told[fleet.count - 1].server, 1);
    assert_int_equal(aq_client_transport_counters(fleet.transport).up, 1);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 2);
}

static void what_cannot_be_reached_is_told_once_with_its_reason(void **state) {
    (void)state;
    char nobody[64];
    int listener = tcp_listen(nobody);
    close(listener);
    for (uint32_t round = 1; round <= 3; round++) {
        connect_to(0, 0, nobody);
        connect_to(0, 1, "no-such-host.invalid:5555");
        connect_to(0, 2, "nonsense");
        assert_int_equal(aq_client_transport_connect(fleet.transport, 0, 3, nobody, "not.an.address"), 0);
        RIG_UNTIL(&rig, fleet.down == 4 * round);
    }
    assert_int_equal(fleet.up, 0);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_REFUSED], 1);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_UNRESOLVED], 1);
    assert_int_equal(fleet.troubles[AQ_CLIENT_TROUBLE_NO_SOCKET], 2);
    struct aq_client_transport_counters counters = aq_client_transport_counters(fleet.transport);
    assert_int_equal(counters.failed, 12);
    assert_int_equal(counters.open, 0);
}

static void a_connection_comes_from_the_source_that_was_asked_for(void **state) {
    (void)state;
    struct port port;
    struct aq_server_peer peer;
    port_open(&port, &rig, 0);
    assert_int_equal(aq_client_transport_connect(fleet.transport, 0, 0, port.endpoint, "127.0.3.4"), 0);
    RIG_UNTIL(&rig, fleet.up == 1);
    fleet_put(&fleet, 0, 0, 1, "b");
    RIG_UNTIL(&rig, port.count == 1);
    assert_true(aq_server_transport_peer(port.transport, port.asked[0].event.peer, &peer));
    assert_string_equal(peer.from, "127.0.3.4");
    assert_int_equal(peer.client, UINT32_MAX);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 1);
}

static void a_name_is_resolved(void **state) {
    (void)state;
    struct port port;
    char endpoint[64];
    port_open(&port, &rig, 0);
    snprintf(endpoint, sizeof endpoint, "localhost:%u", port.port);
    connect_to(0, 0, endpoint);
    RIG_UNTIL(&rig, fleet.up + fleet.down == 1);
    assert_true(fleet.up == 1 || fleet.troubles[AQ_CLIENT_TROUBLE_REFUSED] == 1); /* localhost may be ::1 */
    port_close(&port, true);
}

static void the_server_sees_which_client_asks_where_routes_have_names(void **state) {
    (void)state;
    struct fleet named;
    struct port port;
    struct aq_server_peer peer;
    struct aq_client_transport_config config = fleet_config(&named, &rig);
    config.name_routes = true;
    fleet_open_with(&named, &config);
    port_open(&port, &rig, 0);
    for (uint32_t client = 0; client < 50; client++)
        assert_int_equal(aq_client_transport_connect(named.transport, client * 1000, 0, port.endpoint, NULL),
                         0);
    RIG_UNTIL(&rig, named.up == 50);
    for (uint32_t client = 0; client < 50; client++)
        fleet_put(&named, client * 1000, 0, client, "b");
    RIG_UNTIL(&rig, port.count == 50);
    for (uint32_t i = 0; i < 50; i++) {
        assert_true(aq_server_transport_peer(port.transport, port.asked[i].event.peer, &peer));
        assert_int_equal(peer.client, port.asked[i].event.correlation * 1000);
    }
    port_close(&port, true);
    fleet_close(&named);
}

static void without_a_monitor_connections_work_and_failed_handshakes_are_seen(void **state) {
    (void)state;
    struct fleet blind;
    struct port port;
    struct aq_client_transport_config config = fleet_config(&blind, &rig);
    config.monitors_max = 0;
    fleet_open_with(&blind, &config);
    port_open(&port, &rig, 0);
    assert_int_equal(aq_client_transport_connect(blind.transport, 0, 0, port.endpoint, NULL), 0);
    RIG_UNTIL(&rig, blind.up == 1);
    port_close(&port, true);
    RIG_UNTIL(&rig, blind.down == 1);
    assert_int_equal(blind.troubles[AQ_CLIENT_TROUBLE_LOST], 1);
    fleet_close(&blind);

    config = fleet_config(&blind, &rig);
    config.monitors_max = 0;
    config.server_public_z85 = rig.other_keys.public_z85;
    fleet_open_with(&blind, &config);
    port_open(&port, &rig, 0);
    assert_int_equal(aq_client_transport_connect(blind.transport, 0, 0, port.endpoint, NULL), 0);
    RIG_UNTIL(&rig, blind.down == 1);
    assert_int_equal(blind.troubles[AQ_CLIENT_TROUBLE_HANDSHAKE], 1);
    port_close(&port, true);
    fleet_close(&blind);
}

static void round_trips(struct port *port, uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++) {
        fleet_put(&fleet, 0, 0, i, "b");
        RIG_UNTIL(&rig, port->count == i + 1);
        port_reply(port, i, "j");
        RIG_UNTIL(&rig, fleet.replies == i + 1);
        assert_true(fleet.told[fleet.count - 1].has_reply);
    }
}

static void once_warm_requests_and_replies_allocate_nothing(void **state) {
    (void)state;
    struct port port;
    port_open(&port, &rig, 0);
    connect_to(0, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    round_trips(&port, 0, 10);
    aq_alloc_fail_after(0);
    round_trips(&port, 10, 300);
    void *memory = aq_alloc(1); /* the first allocation since, and so the one that fails */
    aq_alloc_fail_after(UINT64_MAX);
    assert_null(memory);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 1);
}

static void a_request_beyond_the_limit_is_refused(void **state) {
    (void)state;
    struct port port;
    char *body = malloc(AQ_MESSAGE_BYTES_MAX + 1);
    memset(body, 'x', AQ_MESSAGE_BYTES_MAX);
    body[AQ_MESSAGE_BYTES_MAX] = '\0';
    struct aq_request request = {.action = AQ_ACTION_PUT,
                                 .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                 .tube = AQ_TEXT("t"),
                                 .body = aq_text_of(body)};
    port_open(&port, &rig, 0);
    connect_to(0, 0, port.endpoint);
    RIG_UNTIL(&rig, fleet.up == 1);
    assert_int_equal(aq_client_transport_send(fleet.transport, 0, 0, 1, &request), AQ_ELIMIT);
    request.body.len -= 1000; /* one that just fits is carried */
    assert_int_equal(aq_client_transport_send(fleet.transport, 0, 0, 2, &request), 0);
    RIG_UNTIL(&rig, port.count == 1);
    assert_int_equal(port.asked[0].event.request->body.len, request.body.len);
    port_reply(&port, 0, "j");
    RIG_UNTIL(&rig, fleet.replies == 1);
    port_close(&port, true);
    RIG_UNTIL(&rig, fleet.down == 1);
    free(body);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_rep_socket_as_allqueues_server_answers),
        TEST(the_frames_are_those_of_a_req_socket),
        TEST(replies_out_of_order_find_their_requests),
        TEST(late_double_and_missing_replies_are_told_as_they_come),
        TEST(replies_that_make_no_sense_are_told_without_a_reply),
        TEST(nothing_is_told_of_a_connection_after_close),
        TEST(a_callback_may_close_and_connect),
        TEST(what_cannot_be_reached_is_told_once_with_its_reason),
        TEST(a_connection_comes_from_the_source_that_was_asked_for),
        TEST(a_name_is_resolved),
        TEST(the_server_sees_which_client_asks_where_routes_have_names),
        TEST(without_a_monitor_connections_work_and_failed_handshakes_are_seen),
        TEST(once_warm_requests_and_replies_allocate_nothing),
        TEST(a_request_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
