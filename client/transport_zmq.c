#include "client/transport_zmq.h"

#include <stddef.h>
#include <string.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/transport_internal.h"

static const char *const trouble_words[] = {
#define X(name, word) word,
    AQ_CLIENT_TROUBLES(X)
#undef X
};

const char *aq_client_trouble_word(enum aq_client_trouble trouble) {
    AQ_ASSERT((unsigned)trouble < AQ_CLIENT_TROUBLE_COUNT);
    return trouble_words[trouble];
}

/* ---- life of the transport ---- */

int aq_client_transport_new(const struct aq_client_transport_config *config, struct aq_client_transport **out,
                            struct aq_error *error) {
    struct aq_client_transport *t = aq_alloc_zeroed(1, sizeof *t);
    if (!t) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    t->config = *config;
    t->keys = *config->keys;
    memcpy(t->server_public_z85, config->server_public_z85, AQ_CURVE_Z85_CHARS);
    t->config.keys = &t->keys;
    t->config.server_public_z85 = t->server_public_z85;
    t->free_sent = NONE;
    aq_zmq_queue_init(&t->queue, config->loop);
    *out = t;
    return 0;
}

static void on_ended(struct aq_zmq_queue *queue) {
    struct aq_client_transport *t =
        (struct aq_client_transport *)((char *)queue - offsetof(struct aq_client_transport, queue));
    while (t->free_connections) {
        struct connection *c = t->free_connections;
        t->free_connections = c->next_free;
        aq_free(c);
    }
    aq_links_close(t);
    aq_bytes_close(&t->bytes);
    aq_arena_close(&t->texts);
    aq_curve_pair_wipe(&t->keys);
    aq_free(t);
}

static void end_when_released(struct aq_client_transport *t) {
    if (t->ending && t->connections == 0) aq_zmq_queue_close(&t->queue, on_ended);
}

/* ---- callbacks ---- */

static void tell(struct aq_client_transport *t, uint32_t link, const struct aq_client_event *event) {
    AQ_ASSERT(!t->calling);
    t->calling = true;
    t->config.event(t->config.owner, t->links[link].client, event);
    t->calling = false;
}

void aq_connection_tell_trouble(struct aq_client_transport *t, uint32_t link, enum aq_client_trouble trouble,
                                const char *detail) {
    struct link *l = &t->links[link];
    if (l->told == trouble + 1) return;
    l->told = (uint8_t)(trouble + 1);
    if (!t->config.trouble) return;
    AQ_ASSERT(!t->calling);
    t->calling = true;
    t->config.trouble(t->config.owner, l->client, l->address, trouble, detail);
    t->calling = false;
}

/* ---- life of a connection ---- */

static struct connection *take_connection(struct aq_client_transport *t, uint32_t link) {
    struct connection *c = t->free_connections;
    if (c)
        t->free_connections = c->next_free;
    else if (!(c = aq_alloc(sizeof *c)))
        return NULL;
    *c = (struct connection){
        .transport = t, .serial = ++t->next_serial, .link = link, .sent_first = NONE, .sent_last = NONE};
    aq_zmq_watch_init(&c->watch, &t->queue, aq_connection_look);
    t->connections++;
    t->counters.open++;
    t->links[link].connection = c;
    return c;
}

static void recycle(struct connection *c) {
    struct aq_client_transport *t = c->transport;
    uint32_t link = c->link;
    bool tell_stalled = c->tell_stalled && !t->ending;
    c->next_free = t->free_connections;
    t->free_connections = c;
    t->connections--;
    if (tell_stalled)
        aq_connection_tell_trouble(t, link, AQ_CLIENT_TROUBLE_STALLED,
                                   c->tcp_up ? "during the handshake" : "no connection yet");
    end_when_released(t);
}

void aq_connection_released(struct connection *c) {
    AQ_ASSERT(c->handles > 0);
    if (--c->handles == 0 && c->state == CONNECTION_CLOSED) recycle(c);
}

static void on_closed(struct aq_zmq_watch *watch) {
    aq_connection_released((struct connection *)((char *)watch - offsetof(struct connection, watch)));
}

/* From here on nothing is reported of it. */
static void close_connection(struct connection *c) {
    struct aq_client_transport *t = c->transport;
    AQ_ASSERT(c->state != CONNECTION_CLOSED);
    if (c->state == CONNECTION_UP) t->counters.up--;
    if (c->state == CONNECTION_RESOLVING) uv_cancel((uv_req_t *)&c->resolve);
    c->state = CONNECTION_CLOSED;
    t->counters.open--;
    t->links[c->link].connection = NULL;
    aq_sent_forget_all(t, c);
    aq_connection_stop_monitor(c);
    aq_zmq_watch_close(&c->watch, on_closed);
    if (c->handles == 0) recycle(c);
}

/* ---- looks ---- */

static void came_up(struct connection *c) {
    struct aq_client_transport *t = c->transport;
    struct link *link = &t->links[c->link];
    c->state = CONNECTION_UP;
    t->counters.connected++;
    t->counters.up++;
    link->told = 0;
    aq_connection_stop_monitor(c);
    tell(t, c->link, &(struct aq_client_event){.kind = AQ_CLIENT_CONNECTED, .server = link->address});
}

/* Lost, or never made. */
static void went_down(struct connection *c, enum aq_client_trouble trouble) {
    struct aq_client_transport *t = c->transport;
    uint32_t link = c->link, address = t->links[link].address;
    char detail[TROUBLE_TEXT_MAX];
    memcpy(detail, c->detail, sizeof detail);
    *(c->state == CONNECTION_UP ? &t->counters.lost : &t->counters.failed) += 1;
    close_connection(c);
    aq_connection_tell_trouble(t, link, trouble, detail);
    /* The owner may have been told of the trouble, but of nothing else yet: it has made no new connection. */
    tell(t, link, &(struct aq_client_event){.kind = AQ_CLIENT_DISCONNECTED, .server = address});
}

/* The rest of a message of which the first frames made no sense. */
static void skip_rest(void *socket, zmq_msg_t *frame) {
    while (zmq_msg_more(frame) && zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0)
        continue;
}

/* Reads [4 bytes][empty][body], as REQ expects it. False where nothing is waiting. *frame is then the body;
 *whole tells whether the message has this form, *correlated whether at least the first frame has. */
static bool read_message(void *socket, zmq_msg_t *frame, uint32_t *correlation, bool *correlated,
                         bool *whole) {
    *correlated = *whole = false;
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) return false;
    if (zmq_msg_size(frame) == sizeof *correlation && zmq_msg_more(frame)) {
        memcpy(correlation, zmq_msg_data(frame), sizeof *correlation);
        *correlated = true;
        *whole = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) == 0 && zmq_msg_more(frame) &&
                 zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0 && !zmq_msg_more(frame);
    }
    skip_rest(socket, frame);
    return true;
}

static const struct aq_reply *decode(struct aq_client_transport *t, zmq_msg_t *body, enum aq_action action,
                                     struct aq_reply *reply) {
    aq_arena_reset(&t->texts);
    int rc = aq_reply_decode(zmq_msg_data(body), zmq_msg_size(body), action, &t->texts, reply, NULL);
    if (!rc) return reply;
    t->counters.nonsense++;
    return NULL;
}

static void tell_reply(struct connection *c, zmq_msg_t *body, uint32_t correlation, bool whole) {
    struct aq_client_transport *t = c->transport;
    struct aq_client_event event = {
        .kind = AQ_CLIENT_REPLY, .server = t->links[c->link].address, .correlation = correlation};
    struct aq_reply reply;
    uint8_t action;
    if (!aq_sent_take(t, c, correlation, &action))
        t->counters.stray++;
    else if (whole)
        event.reply = decode(t, body, action, &reply);
    else
        t->counters.nonsense++;
    tell(t, c->link, &event);
}

/* True where the budget was used up. Callbacks may close the connection. */
static bool read_replies(struct connection *c) {
    uint64_t serial = c->serial;
    bool correlated, whole;
    uint32_t correlation;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    int left = AQ_ZMQ_LOOK_BUDGET;
    while (left > 0 && c->serial == serial && c->state == CONNECTION_UP &&
           read_message(c->watch.socket, &frame, &correlation, &correlated, &whole)) {
        left--;
        c->transport->counters.received++;
        if (correlated)
            tell_reply(c, &frame, correlation, whole);
        else
            c->transport->counters.nonsense++;
    }
    zmq_msg_close(&frame);
    return left == 0;
}

/* After a first look, a change that leaves a connecting socket unable to send is the end of its one attempt,
   also where no monitor tells. With a monitor, that says why. */
static void look_while_connecting(struct connection *c) {
    if (aq_zmq_events(c->watch.socket) & ZMQ_POLLOUT)
        came_up(c);
    else if (c->looked && !c->monitor.socket)
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_HANDSHAKE, "the other end ended the connection");
    c->looked = true;
}

bool aq_connection_look(struct aq_zmq_watch *watch) {
    struct connection *c = (struct connection *)((char *)watch - offsetof(struct connection, watch));
    uint64_t serial = c->serial;
    if (c->state == CONNECTION_CONNECTING) look_while_connecting(c);
    if (c->serial != serial) return false;
    if (c->state == CONNECTION_FAILED) {
        went_down(c, (enum aq_client_trouble)c->trouble);
        return false;
    }
    if (c->state != CONNECTION_UP) return false;
    bool more = read_replies(c);
    if (c->serial != serial || c->state != CONNECTION_UP) return false;
    int events = aq_zmq_events(watch->socket);
    if (more || events & ZMQ_POLLIN) return true;
    if (!(events & ZMQ_POLLOUT)) went_down(c, AQ_CLIENT_TROUBLE_LOST);
    return false;
}

/* ---- what the owner asks for ---- */

int aq_client_transport_connect(struct aq_client_transport *transport, uint32_t client, uint32_t address,
                                const char *endpoint, const char *source) {
    uint32_t link;
    int rc = aq_links_make(transport, client, address, &link);
    if (rc) return rc;
    AQ_ASSERT(!transport->links[link].connection);
    struct connection *c = take_connection(transport, link);
    if (!c) return AQ_ENOMEM;
    transport->counters.connects++;
    aq_connection_start(c, endpoint, source);
    return 0;
}

static bool send_frames(void *socket, uint32_t correlation, const struct aq_bytes *bytes) {
    return zmq_send(socket, &correlation, sizeof correlation, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, "", 0, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, bytes->at, bytes->len, ZMQ_DONTWAIT) >= 0;
}

int aq_client_transport_send(struct aq_client_transport *transport, uint32_t client, uint32_t address,
                             uint32_t correlation, const struct aq_request *request) {
    struct connection *c = aq_links_connection(transport, client, address);
    if (!c || c->state != CONNECTION_UP) {
        transport->counters.unsent++;
        return 0;
    }
    int rc = aq_request_encode(request, &transport->bytes);
    if (!rc) rc = aq_sent_add(transport, c, correlation, request->action);
    if (rc) return rc;
    if (send_frames(c->watch.socket, correlation, &transport->bytes))
        transport->counters.sent++;
    else
        transport->counters.unsent++;
    if (aq_zmq_events(c->watch.socket) != ZMQ_POLLOUT) aq_zmq_watch_wake(&c->watch);
    return 0;
}

void aq_client_transport_close(struct aq_client_transport *transport, uint32_t client, uint32_t address) {
    struct connection *c = aq_links_connection(transport, client, address);
    if (!c) return;
    c->tell_stalled = c->state == CONNECTION_CONNECTING && c->handles > 0;
    close_connection(c);
}

void aq_client_transport_close_client(struct aq_client_transport *transport, uint32_t client) {
    if (client >= transport->client_count) return;
    for (uint32_t at = transport->first_of_client[client]; at != NONE;) {
        struct link *link = &transport->links[at];
        at = link->next_of_client;
        if (link->connection) close_connection(link->connection);
    }
}

void aq_client_transport_free(struct aq_client_transport *transport) {
    if (!transport) return;
    AQ_ASSERT(!transport->calling);
    for (uint32_t i = 0; i < transport->link_count; i++)
        if (transport->links[i].connection) close_connection(transport->links[i].connection);
    transport->ending = true;
    end_when_released(transport);
}

struct aq_client_transport_counters
aq_client_transport_counters(const struct aq_client_transport *transport) {
    return transport->counters;
}
