/* The fake server's port against plain libzmq peers: REQ as AllQueue's clients use it, other REQ and DEALER
   peers, and messages that make no sense. */
#include "tests/transport/rig.h"

#include <stdio.h>
#include <stdlib.h>

#define PUT "{\"action\":\"put\",\"params\":{\"tube\":\"t\",\"body\":\"b\"}}"

static struct rig rig;
static struct port port;

static int set_up(void **state) {
    (void)state;
    rig_open(&rig);
    port_open(&port, &rig, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (port.transport) port_close(&port, true);
    rig_close(&rig);
    return 0;
}

static void open_peer(struct raw *raw, int type) {
    raw_open(raw, &rig, type);
    raw_curve_client(raw, &rig.client_keys, rig.server_keys.public_z85);
}

/* The options of AllQueue's client. */
static void open_allqueue_client(struct raw *raw) {
    open_peer(raw, ZMQ_REQ);
    raw_set(raw, ZMQ_REQ_CORRELATE, 1);
    raw_connect(raw, port.endpoint);
}

static void assert_frame(const struct raw_message *message, uint32_t n, const char *text) {
    assert_true(n < message->frames);
    assert_int_equal(message->len[n], strlen(text));
    assert_string_equal(message->bytes[n], text);
}

#define REPLY_J1 "{\"response\": {\"action\": \"put\",\"job_id\": \"j1\"},\"job\": {\"job_id\": \"j1\"}}"

static void a_req_socket_with_correlation_is_answered(void **state) {
    (void)state;
    struct raw raw;
    open_allqueue_client(&raw);
    raw_send(&raw, PUT, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    const struct aq_server_event *event = &port.asked[0].event;
    assert_non_null(event->request);
    assert_int_equal(event->request->action, AQ_ACTION_PUT);
    assert_true(aq_text_is(event->request->body, "b"));
    port_reply(&port, 0, "j1");
    RIG_UNTIL(&rig, raw.count == 1);
    assert_int_equal(raw.messages[0].frames, 1);
    assert_frame(&raw.messages[0], 0, REPLY_J1);
    raw_send(&raw, "ping", NULL); /* and again on the same socket: it is not stuck */
    RIG_UNTIL(&rig, port.count == 2);
    assert_int_equal(port.asked[1].event.request->action, AQ_ACTION_PING);
    assert_int_equal(port.asked[1].event.peer, event->peer);
    port_finish(&port, 1);
    raw_close(&raw);
}

static void a_req_socket_without_correlation_is_answered(void **state) {
    (void)state;
    struct raw raw;
    open_peer(&raw, ZMQ_REQ);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, PUT, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    assert_int_equal(port.asked[0].event.correlation, 0);
    port_reply(&port, 0, "j1");
    RIG_UNTIL(&rig, raw.count == 1);
    assert_frame(&raw.messages[0], 0, REPLY_J1);
    raw_close(&raw);
}

static void an_envelope_of_any_shape_comes_back_unchanged(void **state) {
    (void)state;
    struct raw raw;
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, "a longer id", "42", "", PUT, NULL);
    raw_send(&raw, "x", "", PUT, NULL);
    raw_send(&raw, "abcd", "", PUT, NULL);
    raw_send(&raw, "", PUT, NULL);
    raw_send(&raw, "a", "b", "", PUT, NULL);
    raw_send(&raw, "5long", "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 6);
    for (uint32_t i = 6; i > 0; i--) /* the last asked is answered first */
        port_reply(&port, i - 1, "j1");
    RIG_UNTIL(&rig, raw.count == 6);
    assert_frame(&raw.messages[0], 0, "5long");
    assert_frame(&raw.messages[0], 1, "");
    assert_frame(&raw.messages[0], 2, REPLY_J1);
    assert_frame(&raw.messages[1], 0, "a");
    assert_frame(&raw.messages[1], 1, "b");
    assert_frame(&raw.messages[1], 2, "");
    assert_frame(&raw.messages[2], 0, "");
    assert_frame(&raw.messages[2], 1, REPLY_J1);
    assert_frame(&raw.messages[3], 0, "abcd");
    assert_frame(&raw.messages[3], 1, "");
    assert_frame(&raw.messages[3], 2, REPLY_J1);
    assert_frame(&raw.messages[4], 0, "x");
    assert_frame(&raw.messages[4], 1, "");
    assert_int_equal(raw.messages[5].frames, 4);
    assert_frame(&raw.messages[5], 0, "a longer id");
    assert_frame(&raw.messages[5], 1, "42");
    assert_frame(&raw.messages[5], 2, "");
    assert_frame(&raw.messages[5], 3, REPLY_J1);
    uint32_t correlation;
    memcpy(&correlation, "abcd", 4);
    assert_int_equal(port.asked[2].event.correlation, correlation);
    raw_close(&raw);
}

static void messages_without_an_empty_frame_or_with_two_bodies_are_dropped(void **state) {
    (void)state;
    struct raw raw;
    static char large[AQ_SERVER_ENVELOPE_BYTES_MAX + 2];
    memset(large, 'x', sizeof large - 1);
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, PUT, NULL);
    raw_send(&raw, "a", "b", NULL);
    raw_send(&raw, "a", "", NULL);
    raw_send(&raw, "", NULL);
    raw_send(&raw, "", PUT, PUT, NULL);
    raw_send(&raw, large, "", PUT, NULL);
    raw_send(&raw, "last", "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    assert_int_equal(aq_server_transport_counters(port.transport).malformed, 6);
    port_reply(&port, 0, "j1");
    RIG_UNTIL(&rig, raw.count == 1);
    assert_frame(&raw.messages[0], 0, "last");
    raw_close(&raw);
}

static void bytes_that_are_no_request_are_handed_over_with_the_reason(void **state) {
    (void)state;
    struct raw raw;
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, "", " \n", NULL);
    raw_send(&raw, "", "{\"action\":\"put\"", NULL);
    raw_send(&raw, "", "{\"action\":\"fly\",\"params\":{}}", NULL);
    RIG_UNTIL(&rig, port.count == 3);
    assert_null(port.asked[0].event.request);
    assert_true(aq_text_is(port.asked[0].event.malformed, "blank"));
    assert_null(port.asked[1].event.request);
    assert_true(port.asked[1].event.malformed.len > 5);
    assert_non_null(port.asked[2].event.request); /* one that servers answer with {} */
    assert_int_equal(port.asked[2].event.request->action, AQ_ACTION_UPDATE_SERVERS);
    assert_int_equal(aq_server_transport_counters(port.transport).undecodable, 2);
    for (uint32_t i = 0; i < 3; i++)
        port_finish(&port, i);
    raw_close(&raw);
}

static void a_reply_may_come_late_or_twice_or_never(void **state) {
    (void)state;
    struct raw raw;
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, "none", "", PUT, NULL);
    raw_send(&raw, "once", "", PUT, NULL);
    raw_send(&raw, "two.", "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 3);
    const struct aq_server_event *twice = &port.asked[2].event;
    struct aq_reply pong = {.kind = AQ_REPLY_PONG};
    assert_int_equal(aq_server_transport_reply(port.transport, twice->peer, twice->correlation, &pong), 0);
    assert_int_equal(aq_server_transport_reply(port.transport, twice->peer, twice->correlation, &pong), 0);
    port_finish(&port, 2);
    RIG_UNTIL(&rig, raw.count == 2);
    port_finish(&port, 0);
    raw_send(&raw, "more", "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 4);
    port_reply(&port, 1, "late");
    port_finish(&port, 3);
    RIG_UNTIL(&rig, raw.count == 3);
    assert_frame(&raw.messages[0], 0, "two.");
    assert_frame(&raw.messages[1], 0, "two.");
    assert_frame(&raw.messages[1], 2, "pong");
    assert_frame(&raw.messages[2], 0, "once");
    struct aq_server_transport_counters counters = aq_server_transport_counters(port.transport);
    assert_int_equal(counters.replies, 3);
    assert_int_equal(counters.unfinished, 0);
    raw_close(&raw);
}

static void a_peer_that_has_gone_gets_no_reply(void **state) {
    (void)state;
    struct raw raw, other;
    open_allqueue_client(&raw);
    raw_send(&raw, PUT, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    raw_close(&raw);
    struct aq_reply pong = {.kind = AQ_REPLY_PONG};
    const struct aq_server_event *event = &port.asked[0].event;
    while (aq_server_transport_counters(port.transport).replies_no_peer == 0) {
        aq_server_transport_reply(port.transport, event->peer, event->correlation, &pong);
        rig_linger(&rig, 1);
    }
    port_finish(&port, 0);
    open_allqueue_client(&other);
    raw_send(&other, PUT, NULL);
    RIG_UNTIL(&rig, port.count == 2);
    port_reply(&port, 1, "j1");
    RIG_UNTIL(&rig, other.count == 1);
    raw_close(&other);
}

static void the_memory_of_requests_lives_until_they_are_finished(void **state) {
    (void)state;
    struct raw raw;
    char text[256], want[32];
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    for (uint32_t round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(text, sizeof text,
                     "{\"action\":\"put\",\"params\":{\"tube\":\"t\",\"body\":\"round %u job %d\"}}", round,
                     i);
            raw_send(&raw, "", text, NULL);
        }
        RIG_UNTIL(&rig, port.count == 300 * (round + 1));
        for (uint32_t i = 0; i < 300; i++) { /* finished out of order */
            uint32_t n = 300 * round + i * 7 % 300;
            snprintf(want, sizeof want, "round %u job %u", round, i * 7 % 300);
            assert_true(aq_text_is(port.asked[n].event.request->body, want));
            port_finish(&port, n);
        }
    }
    assert_int_equal(aq_server_transport_counters(port.transport).peers, 1);
    raw_close(&raw);
}

static void a_message_beyond_the_limit_drops_the_connection_and_no_other(void **state) {
    (void)state;
    struct raw raw, other;
    char *large = malloc(AQ_SERVER_WIRE_BYTES_MAX + 1);
    memset(large, 'x', AQ_SERVER_WIRE_BYTES_MAX + 1);
    open_peer(&other, ZMQ_DEALER);
    raw_connect(&other, port.endpoint);
    open_peer(&raw, ZMQ_DEALER);
    raw_set(&raw, ZMQ_IMMEDIATE, 1);
    raw_set(&raw, ZMQ_RECONNECT_IVL, -1);
    raw_connect(&raw, port.endpoint);
    RIG_UNTIL(&rig, aq_zmq_events(raw.socket) & ZMQ_POLLOUT);
    raw_send(&raw, "", NULL); /* a first one, malformed, shows that the connection is there */
    RIG_UNTIL(&rig, aq_server_transport_counters(port.transport).malformed == 1);
    large[AQ_MESSAGE_BYTES_MAX + 1] = '\0'; /* too long for a request, not for the wire */
    raw_send(&raw, "", large, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    assert_null(port.asked[0].event.request);
    port_finish(&port, 0);
    large[AQ_MESSAGE_BYTES_MAX + 1] = 'x';
    assert_true(zmq_send(raw.socket, "", 0, ZMQ_SNDMORE) == 0);
    assert_true(zmq_send(raw.socket, large, AQ_SERVER_WIRE_BYTES_MAX + 1, ZMQ_DONTWAIT) >= 0);
    aq_zmq_watch_wake(&raw.watch);
    RIG_UNTIL(&rig, !(aq_zmq_events(raw.socket) & ZMQ_POLLOUT));
    raw_send(&other, "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 2);
    port_reply(&port, 1, "j1");
    RIG_UNTIL(&rig, other.count == 1);
    raw_close(&raw);
    raw_close(&other);
    free(large);
}

static void a_paused_port_reads_nothing_and_loses_nothing(void **state) {
    (void)state;
    struct raw raw;
    uv_loop_configure(&rig.loop, UV_METRICS_IDLE_TIME);
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    aq_server_transport_pause(port.transport, true);
    for (int i = 0; i < 500; i++)
        raw_send(&raw, "", PUT, NULL);
    rig_linger(&rig, 100);
    uint64_t idle_ns =
        uv_metrics_idle_time(&rig.loop); /* the loop waits: it does not spin on what it leaves */
    rig_linger(&rig, 100);
    assert_true(uv_metrics_idle_time(&rig.loop) - idle_ns > 50 * 1000000);
    assert_int_equal(port.count, 0);
    aq_server_transport_pause(port.transport, false);
    RIG_UNTIL(&rig, port.count == 500);
    for (uint32_t i = 0; i < 500; i++)
        port_finish(&port, i);
    raw_close(&raw);
}

static void a_peer_is_known_by_its_route_and_address(void **state) {
    (void)state;
    struct raw raw;
    struct aq_server_peer peer;
    open_peer(&raw, ZMQ_DEALER);
    assert_int_equal(zmq_setsockopt(raw.socket, ZMQ_ROUTING_ID, "someone", 7), 0);
    raw_connect(&raw, port.endpoint);
    raw_send(&raw, "abcd", "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 1);
    assert_true(aq_server_transport_peer(port.transport, port.asked[0].event.peer, &peer));
    assert_int_equal(peer.route_len, 7);
    assert_memory_equal(peer.route, "someone", 7);
    assert_int_equal(peer.client, UINT32_MAX);
    assert_string_equal(peer.from, "127.0.0.1");
    assert_false(aq_server_transport_peer(port.transport, 12345, &peer));
    port_finish(&port, 0);
    raw_close(&raw);
}

static void a_busy_peer_does_not_starve_another(void **state) {
    (void)state;
    struct raw busy, other;
    open_peer(&busy, ZMQ_DEALER);
    raw_connect(&busy, port.endpoint);
    open_peer(&other, ZMQ_DEALER);
    raw_connect(&other, port.endpoint);
    raw_send(&other, "", PUT, NULL); /* both are connected */
    raw_send(&busy, "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 2);
    aq_server_transport_pause(port.transport, true);
    for (int i = 0; i < 900; i++)
        raw_send(&busy, "", PUT, NULL);
    raw_send(&other, "mine", "", PUT, NULL);
    rig_linger(&rig, 100);
    aq_server_transport_pause(port.transport, false);
    RIG_UNTIL(&rig, port.count == 903);
    uint32_t at = 2;
    while (port.asked[at].event.correlation == 0)
        at++;
    assert_true(at < 100); /* fair queueing between the peers, not first come first served */
    for (uint32_t i = 0; i < 903; i++)
        port_finish(&port, i);
    raw_close(&busy);
    raw_close(&other);
}

static void a_port_that_is_closed_in_order_lets_its_replies_leave(void **state) {
    (void)state;
    struct raw raw;
    open_peer(&raw, ZMQ_DEALER);
    raw_connect(&raw, port.endpoint);
    for (int i = 0; i < 200; i++)
        raw_send(&raw, "", PUT, NULL);
    RIG_UNTIL(&rig, port.count == 200);
    for (uint32_t i = 0; i < 200; i++)
        port_reply(&port, i, "j1");
    port_close(&port, false);
    RIG_UNTIL(&rig, raw.count == 200);
    raw_close(&raw);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_req_socket_with_correlation_is_answered),
        TEST(a_req_socket_without_correlation_is_answered),
        TEST(an_envelope_of_any_shape_comes_back_unchanged),
        TEST(messages_without_an_empty_frame_or_with_two_bodies_are_dropped),
        TEST(bytes_that_are_no_request_are_handed_over_with_the_reason),
        TEST(a_reply_may_come_late_or_twice_or_never),
        TEST(a_peer_that_has_gone_gets_no_reply),
        TEST(the_memory_of_requests_lives_until_they_are_finished),
        TEST(a_message_beyond_the_limit_drops_the_connection_and_no_other),
        TEST(a_paused_port_reads_nothing_and_loses_nothing),
        TEST(a_peer_is_known_by_its_route_and_address),
        TEST(a_busy_peer_does_not_starve_another),
        TEST(a_port_that_is_closed_in_order_lets_its_replies_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
