#include "fakeserver/transport_zmq.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/memory.h"
#include "fakeserver/transport_peers.h"
#include "protocol/codec.h"
#include "protocol/loop_zmq.h"

#define NONE            UINT32_MAX
#define UNREAD_REQUESTS 1000 /* of one peer, as libzmq does by default: then TCP holds the others back */
#define BACKLOG         1024 /* a thousand clients may come at once */
#define HANDSHAKE_MS    30000
#define BIND_AGAIN_MS   10
#define GOODBYE_MS      1000 /* for replies to leave */
#define ARENA_KEPT_BYTES                                                                                     \
    16384 /* a request larger than this gives its memory back, so that a few large ones do not fill it */

/* A request that is not finished. It stays in place: the core borrows it. */
struct request {
    struct aq_arena texts;
    struct aq_request request;
    uint32_t peer;
    uint32_t next_free;
    bool used, large;
};

struct aq_server_transport {
    struct aq_server_transport_config config;
    struct aq_zmq_queue queue;
    struct aq_zmq_watch watch;
    struct aq_handshakes handshakes;
    uv_timer_t timer; /* tells of listening, or tries again to */
    void *socket;     /* while it does not listen yet; then it is the watch's */
    uint64_t bind_until_ms;
    struct aq_peers peers;
    struct request **requests; /* by token */
    uint32_t request_count, request_capacity, free_request;
    struct aq_bytes bytes; /* the reply being sent */
    struct aq_server_transport_counters counters;
    uint32_t handles; /* what the loop has not let go of yet */
    uint16_t port;
    bool paused, calling;
    char host[AQ_ADDRESS_CHARS_MAX + 1];
    char incoming[1 + 255 + AQ_SERVER_ENVELOPE_BYTES_MAX]; /* kind, route and frames of the message read */
};

/* ---- listening ---- */

static int set_int(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* MANDATORY only makes libzmq say that a reply could not be sent. */
static int set_options(const struct aq_server_transport_config *config, void *socket) {
    int64_t bytes_max = AQ_SERVER_WIRE_BYTES_MAX;
    aq_time_us handshake_ms = config->handshake_us ? config->handshake_us / AQ_US_PER_MS : HANDSHAKE_MS;
    if (handshake_ms == 0) handshake_ms = 1;
    if (handshake_ms > INT32_MAX) handshake_ms = INT32_MAX;
    return set_int(socket, ZMQ_LINGER, 0) | set_int(socket, ZMQ_ROUTER_MANDATORY, 1) |
           set_int(socket, ZMQ_RCVHWM, UNREAD_REQUESTS) | set_int(socket, ZMQ_SNDHWM, AQ_SERVER_UNREAD_MAX) |
           set_int(socket, ZMQ_BACKLOG, BACKLOG) | set_int(socket, ZMQ_CURVE_SERVER, 1) |
           set_int(socket, ZMQ_HANDSHAKE_IVL, (int)handshake_ms) |
           set_int(socket, ZMQ_IPV6, strchr(config->host, ':') != NULL) |
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) |
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, config->keys->secret_z85, AQ_CURVE_Z85_CHARS + 1);
}

static int read_port(void *socket, uint16_t *out) {
    char endpoint[256];
    size_t size = sizeof endpoint;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size)) return AQ_EIO;
    const char *colon = strrchr(endpoint, ':');
    *out = colon ? (uint16_t)atoi(colon + 1) : 0;
    return *out ? 0 : AQ_EIO;
}

/* Errors: AQ_EEXISTS: the port is in use; AQ_EIO. */
static int listen_now(struct aq_server_transport *t, struct aq_error *error) {
    char endpoint[AQ_ADDRESS_CHARS_MAX + 32];
    const char *colon = strchr(t->host, ':');
    snprintf(endpoint, sizeof endpoint, "tcp://%s%s%s:%u", colon ? "[" : "", t->host, colon ? "]" : "",
             t->config.port);
    if (zmq_bind(t->socket, endpoint)) {
        int code = zmq_errno() == EADDRINUSE ? AQ_EEXISTS : AQ_EIO;
        return aq_error_set(error, code, "cannot listen on %s: %s", endpoint, zmq_strerror(zmq_errno()));
    }
    int rc = read_port(t->socket, &t->port);
    if (!rc) rc = aq_zmq_watch_open(&t->watch, t->socket);
    if (rc) {
        t->port = 0;
        return aq_error_set(error, rc, "cannot listen on %s: %s", endpoint, zmq_strerror(zmq_errno()));
    }
    t->socket = NULL;
    t->handles++;
    return 0;
}

static void tell_listening(struct aq_server_transport *t, int rc, const struct aq_error *error) {
    t->calling = true;
    t->config.listening(t->config.owner, rc, t->port, rc ? error : NULL);
    t->calling = false;
}

static void on_timer(uv_timer_t *timer) {
    struct aq_server_transport *t = timer->data;
    struct aq_error error;
    int rc = t->socket ? listen_now(t, &error) : 0;
    if (rc == AQ_EEXISTS && uv_now(t->config.loop) < t->bind_until_ms)
        uv_timer_start(&t->timer, on_timer, BIND_AGAIN_MS, 0);
    else
        tell_listening(t, rc, &error);
}

static bool look(struct aq_zmq_watch *watch);

static int make_socket(struct aq_server_transport *t, struct aq_error *error) {
    t->socket = zmq_socket(t->config.context, ZMQ_ROUTER);
    if (!t->socket) return aq_error_set(error, AQ_EIO, "no socket: %s", zmq_strerror(zmq_errno()));
    if (!set_options(&t->config, t->socket)) return 0;
    return aq_error_set(error, AQ_EINVALID, "libzmq does not take the keys or another option: %s",
                        zmq_strerror(zmq_errno()));
}

static int watch_handshakes(struct aq_server_transport *t, struct aq_error *error) {
    if (!t->config.stranger) return 0;
    if (aq_handshakes_open(&t->handshakes, &t->queue, t->config.context, t->socket, t->config.stranger,
                           t->config.owner))
        return aq_error_set(error, AQ_EIO, "no socket to watch handshakes: %s", zmq_strerror(zmq_errno()));
    t->handles++;
    return 0;
}

int aq_server_transport_open(const struct aq_server_transport_config *config,
                             struct aq_server_transport **out, struct aq_error *error) {
    struct aq_server_transport *t = aq_alloc_zeroed(1, sizeof *t);
    if (!t) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    t->config = *config;
    t->free_request = NONE;
    aq_peers_init(&t->peers);
    aq_zmq_queue_init(&t->queue, config->loop);
    aq_zmq_watch_init(&t->watch, &t->queue, look);
    uv_timer_init(config->loop, &t->timer);
    t->timer.data = t;
    t->handles = 2;
    snprintf(t->host, sizeof t->host, "%s", config->host);
    t->config.host = t->host;
    t->bind_until_ms = uv_now(config->loop) + config->bind_for_us / AQ_US_PER_MS;
    int rc = make_socket(t, error);
    t->config.keys = NULL; /* libzmq has them now */
    if (!rc) rc = watch_handshakes(t, error);
    if (!rc) rc = listen_now(t, error);
    if (rc == AQ_EEXISTS) rc = config->bind_for_us ? 0 : AQ_EIO;
    if (rc) {
        aq_server_transport_close(t, true);
        if (error) error->code = rc;
        return rc;
    }
    uv_timer_start(&t->timer, on_timer, t->port ? 0 : BIND_AGAIN_MS, 0);
    *out = t;
    return 0;
}

uint16_t aq_server_transport_port(const struct aq_server_transport *transport) {
    return transport->port;
}

/* ---- requests ---- */

static int take_request(struct aq_server_transport *t, uint32_t *token) {
    if (t->free_request != NONE) {
        *token = t->free_request;
        t->free_request = t->requests[*token]->next_free;
        t->requests[*token]->used = true;
        return 0;
    }
    int rc = aq_array_reserve(&t->requests, &t->request_capacity, (size_t)t->request_count + 1,
                              sizeof *t->requests);
    if (rc) return rc;
    struct request *request = aq_alloc_zeroed(1, sizeof *request);
    if (!request) return AQ_ENOMEM;
    request->used = true;
    *token = t->request_count;
    t->requests[t->request_count++] = request;
    return 0;
}

static void give_back(struct aq_server_transport *t, uint32_t token) {
    struct request *request = t->requests[token];
    request->used = false;
    request->next_free = t->free_request;
    t->free_request = token;
    if (request->large)
        aq_arena_close(&request->texts);
    else
        aq_arena_reset(&request->texts);
}

static bool is_blank(const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != ' ' && (bytes[i] < '\t' || bytes[i] > '\r')) return false;
    return true;
}

/* Fills request or malformed of the event. Errors: AQ_ENOMEM. */
static int decode(struct request *request, const char *bytes, size_t len, struct aq_server_event *event) {
    struct aq_error error;
    request->large = len > ARENA_KEPT_BYTES;
    if (is_blank(bytes, len)) {
        event->malformed = AQ_TEXT(AQ_MALFORMED_BLANK);
        return 0;
    }
    int rc = aq_request_decode(bytes, len, &request->texts, &request->request, &error);
    if (rc == AQ_ENOENT) {
        request->request =
            (struct aq_request){.action = AQ_ACTION_UPDATE_SERVERS}; /* servers have none such */
        rc = 0;
    }
    if (!rc)
        event->request = &request->request;
    else if (rc != AQ_ENOMEM)
        return aq_arena_text(&request->texts, aq_text_of(error.text), &event->malformed);
    return rc;
}

static void hand_over(struct aq_server_transport *t, uint32_t peer, uint32_t correlation, zmq_msg_t *body) {
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST, .peer = peer, .correlation = correlation};
    int rc = take_request(t, &event.token);
    if (!rc) {
        t->requests[event.token]->peer = peer;
        rc = decode(t->requests[event.token], zmq_msg_data(body), zmq_msg_size(body), &event);
        if (rc) give_back(t, event.token);
    }
    if (rc) {
        aq_peers_finished(&t->peers, peer, AQ_SERVER_PEERS_IDLE_MAX);
        t->counters.malformed++;
        return;
    }
    t->counters.requests++;
    t->counters.unfinished++;
    if (!event.request) t->counters.undecodable++;
    t->calling = true;
    t->config.request(t->config.owner, &event);
    t->calling = false;
}

void aq_server_transport_finished(struct aq_server_transport *transport, uint32_t token) {
    AQ_ASSERT(token < transport->request_count && transport->requests[token]->used);
    uint32_t peer = transport->requests[token]->peer;
    give_back(transport, token);
    aq_peers_finished(&transport->peers, peer, AQ_SERVER_PEERS_IDLE_MAX);
    transport->counters.unfinished--;
}

/* ---- messages ---- */

/* One message as it is read, frame by frame. */
struct message {
    uint32_t len; /* of t->incoming */
    uint16_t route_len;
    uint32_t frames; /* of the envelope */
    uint32_t correlation;
    bool whole;
};

static bool next_frame(void *socket, zmq_msg_t *frame) {
    return zmq_msg_more(frame) && zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0;
}

static bool keep_frame(struct aq_server_transport *t, struct message *m, zmq_msg_t *frame) {
    size_t size = zmq_msg_size(frame);
    if (size > AQ_SERVER_ENVELOPE_BYTES_MAX || m->len + 2 + size > sizeof t->incoming) return false;
    t->incoming[m->len] = (char)(size & 0xff);
    t->incoming[m->len + 1] = (char)(size >> 8);
    memcpy(t->incoming + m->len + 2, zmq_msg_data(frame), size);
    m->len += 2 + (uint32_t)size;
    m->frames++;
    return true;
}

/* False where nothing is waiting. *frame is the body of a whole message. */
static bool read_message(struct aq_server_transport *t, struct message *m, zmq_msg_t *frame) {
    void *socket = t->watch.socket;
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) return false;
    *m = (struct message){.len = 1};
    m->route_len = (uint16_t)zmq_msg_size(frame);
    AQ_ASSERT(m->route_len <= 255);
    memcpy(t->incoming + m->len, zmq_msg_data(frame), m->route_len);
    m->len += m->route_len;
    bool kept = true;
    while (next_frame(socket, frame) && zmq_msg_size(frame) > 0 && zmq_msg_more(frame) && kept)
        kept = keep_frame(t, m, frame);
    m->whole = kept && zmq_msg_size(frame) == 0 && next_frame(socket, frame) && !zmq_msg_more(frame);
    while (next_frame(socket, frame))
        continue;
    return true;
}

/* A single frame of four bytes is a correlation: it goes with the request, not with the peer. */
static void set_envelope(struct aq_server_transport *t, struct message *m) {
    uint32_t start = 1u + m->route_len;
    enum aq_envelope kind = m->frames ? AQ_ENVELOPE_FRAMES : AQ_ENVELOPE_PLAIN;
    if (m->frames == 1 && m->len == start + 2 + sizeof m->correlation) {
        kind = AQ_ENVELOPE_CORRELATED;
        memcpy(&m->correlation, t->incoming + start + 2, sizeof m->correlation);
        m->len = start;
    }
    t->incoming[0] = (char)kind;
}

static void describe(struct aq_peer *peer, zmq_msg_t *body) {
    struct aq_text route = aq_peer_route(peer);
    const char *from = zmq_msg_gets(body, "Peer-Address");
    peer->client = aq_zmq_route_client(route.at, route.len);
    snprintf(peer->from, sizeof peer->from, "%s", from ? from : "");
}

static void take_message(struct aq_server_transport *t, struct message *m, zmq_msg_t *body) {
    uint32_t peer;
    bool made;
    if (m->whole) set_envelope(t, m);
    if (!m->whole ||
        aq_peers_open(&t->peers, (struct aq_text){t->incoming, m->len}, m->route_len, &peer, &made)) {
        t->counters.malformed++;
        return;
    }
    if (made) describe(&t->peers.items[peer], body);
    hand_over(t, peer, m->correlation, body);
}

static bool look(struct aq_zmq_watch *watch) {
    struct aq_server_transport *t =
        (struct aq_server_transport *)((char *)watch - offsetof(struct aq_server_transport, watch));
    struct message message;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    int left = AQ_ZMQ_LOOK_BUDGET;
    while (left > 0 && !t->paused && read_message(t, &message, &frame)) {
        left--;
        take_message(t, &message, &frame);
    }
    zmq_msg_close(&frame);
    bool waiting =
        aq_zmq_events(watch->socket) & ZMQ_POLLIN; /* asked for when paused too: it quiets the file */
    return !t->paused && (left == 0 || waiting);
}

void aq_server_transport_pause(struct aq_server_transport *transport, bool paused) {
    transport->paused = paused;
    if (!paused && transport->watch.socket) aq_zmq_watch_wake(&transport->watch);
}

/* ---- replies ---- */

static bool send_more(void *socket, const void *bytes, size_t len) {
    return zmq_send(socket, bytes, len, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0;
}

static bool send_envelope(void *socket, const struct aq_peer *peer, uint32_t correlation) {
    if (aq_peer_envelope(peer) == AQ_ENVELOPE_CORRELATED)
        return send_more(socket, &correlation, sizeof correlation) && send_more(socket, "", 0);
    struct aq_text frames = aq_peer_frames(peer);
    for (uint32_t at = 0; at < frames.len;) {
        const unsigned char *frame = (const unsigned char *)frames.at + at;
        uint32_t len = frame[0] | (uint32_t)frame[1] << 8;
        if (!send_more(socket, frame + 2, len)) return false;
        at += 2 + len;
    }
    return send_more(socket, "", 0);
}

int aq_server_transport_reply_bytes(struct aq_server_transport *transport, uint32_t peer,
                                    uint32_t correlation, const void *bytes, size_t len) {
    const struct aq_peer *to = aq_peers_at(&transport->peers, peer);
    void *socket = transport->watch.socket;
    struct aq_text route = to ? aq_peer_route(to) : (struct aq_text){0};
    if (to && send_more(socket, route.at, route.len)) {
        /* What follows the route is not refused any more: where the peer goes away now, libzmq drops it. */
        if (send_envelope(socket, to, correlation) && zmq_send(socket, bytes, len, ZMQ_DONTWAIT) >= 0)
            transport->counters.replies++;
        else
            transport->counters.replies_no_peer++;
    } else if (to && zmq_errno() == EAGAIN) {
        transport->counters.replies_unread++;
    } else {
        transport->counters.replies_no_peer++;
    }
    if (socket && aq_zmq_events(socket) & ZMQ_POLLIN) aq_zmq_watch_wake(&transport->watch);
    return 0;
}

int aq_server_transport_reply(struct aq_server_transport *transport, uint32_t peer, uint32_t correlation,
                              const struct aq_reply *reply) {
    int rc = aq_reply_encode(reply, &transport->bytes);
    if (rc) return rc;
    return aq_server_transport_reply_bytes(transport, peer, correlation, transport->bytes.at,
                                           transport->bytes.len);
}

/* ---- looking in ---- */

bool aq_server_transport_peer(const struct aq_server_transport *transport, uint32_t peer,
                              struct aq_server_peer *out) {
    const struct aq_peer *found = aq_peers_at(&transport->peers, peer);
    if (!found) return false;
    struct aq_text route = aq_peer_route(found);
    *out = (struct aq_server_peer){.route = route.at, .route_len = route.len, .client = found->client};
    memcpy(out->from, found->from, sizeof out->from);
    return true;
}

struct aq_server_transport_counters
aq_server_transport_counters(const struct aq_server_transport *transport) {
    struct aq_server_transport_counters counters = transport->counters;
    counters.peers = transport->peers.used;
    return counters;
}

/* ---- end ---- */

static void released(struct aq_server_transport *t) {
    if (--t->handles > 0) return;
    for (uint32_t i = 0; i < t->request_count; i++) {
        aq_arena_close(&t->requests[i]->texts);
        aq_free(t->requests[i]);
    }
    aq_free(t->requests);
    aq_peers_close(&t->peers);
    aq_bytes_close(&t->bytes);
    aq_free(t);
}

static void on_queue_closed(struct aq_zmq_queue *queue) {
    released((struct aq_server_transport *)((char *)queue - offsetof(struct aq_server_transport, queue)));
}

static void on_watch_closed(struct aq_zmq_watch *watch) {
    released((struct aq_server_transport *)((char *)watch - offsetof(struct aq_server_transport, watch)));
}

static void on_handshakes_closed(struct aq_handshakes *handshakes) {
    released((struct aq_server_transport *)((char *)handshakes -
                                            offsetof(struct aq_server_transport, handshakes)));
}

static void on_timer_closed(uv_handle_t *handle) {
    released(handle->data);
}

void aq_server_transport_close(struct aq_server_transport *transport, bool abrupt) {
    if (!transport) return;
    AQ_ASSERT(!transport->calling);
    if (!abrupt && transport->watch.socket) set_int(transport->watch.socket, ZMQ_LINGER, GOODBYE_MS);
    aq_handshakes_close(&transport->handshakes, on_handshakes_closed);
    aq_zmq_watch_close(&transport->watch, on_watch_closed);
    if (transport->socket) zmq_close(transport->socket);
    uv_close((uv_handle_t *)&transport->timer, on_timer_closed);
    aq_zmq_queue_close(&transport->queue, on_queue_closed);
}
