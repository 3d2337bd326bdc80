/* A connection from its beginning until it is up or has failed. */
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/assert.h"
#include "client/transport_internal.h"

#define WATCHED_EVENTS                                                                                       \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |       \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                            \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* Told from the loop, for this may be within a call of the owner. */
void aq_connection_fail(struct connection *c, enum aq_client_trouble trouble, const char *format, ...) {
    if (c->state == CONNECTION_FAILED || c->state == CONNECTION_CLOSED) return;
    c->state = CONNECTION_FAILED;
    c->trouble = (uint8_t)trouble;
    va_list args;
    va_start(args, format);
    vsnprintf(c->detail, sizeof c->detail, format, args);
    va_end(args);
    aq_zmq_watch_wake(&c->watch);
}

/* ---- the monitor ---- */

static void on_monitor_closed(struct aq_zmq_watch *watch) {
    struct connection *c = (struct connection *)((char *)watch - offsetof(struct connection, monitor));
    aq_connection_released(c);
}

/* In this order: libzmq's I/O thread waits for ever where it has an event to tell and nobody reads. */
void aq_connection_stop_monitor(struct connection *c) {
    if (!c->monitor.socket) return;
    zmq_socket_monitor(c->watch.socket, NULL, 0);
    aq_zmq_watch_close(&c->monitor, on_monitor_closed);
    c->transport->counters.monitored--;
}

/* What a look at the socket does not tell: that there was no TCP connection, and why a handshake failed. */
static void take_event(struct connection *c, uint16_t event, uint32_t value) {
    switch (event) {
    case ZMQ_EVENT_CONNECTED: c->tcp_up = true; break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: c->through = true; break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_NOT_ADMITTED, "status %u", value);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_HANDSHAKE, "protocol error 0x%08x", value);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_HANDSHAKE, "%s", zmq_strerror((int)value));
        break;
    case ZMQ_EVENT_CLOSED:
        if (!c->tcp_up) aq_connection_fail(c, AQ_CLIENT_TROUBLE_REFUSED, "%s", "");
        break;
    case ZMQ_EVENT_DISCONNECTED:
        aq_connection_fail(c, c->through ? AQ_CLIENT_TROUBLE_LOST : AQ_CLIENT_TROUBLE_HANDSHAKE,
                           "the other end %s", c->through ? "went away at once" : "ended the connection");
        break;
    default: break;
    }
}

static bool look_at_monitor(struct aq_zmq_watch *watch) {
    struct connection *c = (struct connection *)((char *)watch - offsetof(struct connection, monitor));
    uint16_t event;
    uint32_t value;
    while (c->state == CONNECTION_CONNECTING && aq_zmq_monitor_read(watch->socket, &event, &value))
        take_event(c, event, value);
    return false;
}

/* Without a monitor a connection works as well, but its failure may go unnoticed. */
static void start_monitor(struct connection *c) {
    struct aq_client_transport *t = c->transport;
    if (t->counters.monitored >= t->config.monitors_max) return;
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://aq.%p.%llu", (void *)t, (unsigned long long)c->serial);
    void *socket = zmq_socket(t->config.context, ZMQ_PAIR);
    if (!socket) return;
    aq_zmq_watch_init(&c->monitor, &t->queue, look_at_monitor);
    int zero = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    if (zmq_socket_monitor(c->watch.socket, endpoint, WATCHED_EVENTS) || zmq_connect(socket, endpoint) ||
        aq_zmq_watch_open(&c->monitor, socket)) {
        zmq_socket_monitor(c->watch.socket, NULL, 0);
        zmq_close(socket);
        return;
    }
    c->handles++;
    t->counters.monitored++;
}

/* ---- the socket ---- */

static int set_int(void *socket, int option, int value) {
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* Unlimited sending, so that "can send" means "is connected": what is under way is bounded by the core. No
   attempt after the first: the core decides on that. */
static int set_options(struct connection *c, void *socket, bool ipv6) {
    const struct aq_client_transport *t = c->transport;
    int64_t bytes_max = (int64_t)REPLY_WIRE_FACTOR * AQ_MESSAGE_BYTES_MAX;
    const size_t key_size = AQ_CURVE_Z85_CHARS + 1;
    int rc = set_int(socket, ZMQ_LINGER, 0) | set_int(socket, ZMQ_IMMEDIATE, 1) |
             set_int(socket, ZMQ_RECONNECT_IVL, -1) | set_int(socket, ZMQ_SNDHWM, 0) |
             set_int(socket, ZMQ_IPV6, ipv6) |
             zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) |
             zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, t->server_public_z85, key_size) |
             zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, t->keys.public_z85, key_size) |
             zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, t->keys.secret_z85, key_size);
    if (!rc && t->config.name_routes) {
        char route[AQ_ZMQ_ROUTE_CHARS_MAX + 1];
        uint32_t len = aq_zmq_route_write(route, t->links[c->link].client, c->serial);
        rc = zmq_setsockopt(socket, ZMQ_ROUTING_ID, route, len);
    }
    return rc;
}

static void write_endpoint(const struct connection *c, const char *host, char out[ENDPOINT_CHARS]) {
    bool ipv6 = strchr(host, ':');
    const char *open = ipv6 ? "[" : "", *close = ipv6 ? "]" : "";
    if (!*c->source)
        snprintf(out, ENDPOINT_CHARS, "tcp://%s%s%s:%u", open, host, close, c->port);
    else
        snprintf(out, ENDPOINT_CHARS, "tcp://%s%s%s:0;%s%s%s:%u", open, c->source, close, open, host, close,
                 c->port);
}

static void no_socket(struct connection *c) {
    aq_connection_fail(c, AQ_CLIENT_TROUBLE_NO_SOCKET, "%s", zmq_strerror(zmq_errno()));
}

static void start_connecting(struct connection *c, const char *host) {
    char endpoint[ENDPOINT_CHARS];
    c->state = CONNECTION_CONNECTING;
    void *socket = zmq_socket(c->transport->config.context, ZMQ_DEALER);
    if (!socket) {
        no_socket(c);
        return;
    }
    if (set_options(c, socket, strchr(host, ':')) || aq_zmq_watch_open(&c->watch, socket)) {
        no_socket(c);
        zmq_close(socket);
        return;
    }
    c->handles++;
    start_monitor(c);
    write_endpoint(c, host, endpoint);
    if (zmq_connect(socket, endpoint)) no_socket(c);
}

/* ---- the host ---- */

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct connection *c = request->data;
    char host[INET6_ADDRSTRLEN];
    if (c->state == CONNECTION_RESOLVING) {
        if (!status)
            status = found->ai_family == AF_INET6
                         ? uv_ip6_name((const struct sockaddr_in6 *)found->ai_addr, host, sizeof host)
                         : uv_ip4_name((const struct sockaddr_in *)found->ai_addr, host, sizeof host);
        if (status)
            aq_connection_fail(c, AQ_CLIENT_TROUBLE_UNRESOLVED, "%s", uv_strerror(status));
        else
            start_connecting(c, host);
    }
    uv_freeaddrinfo(found);
    aq_connection_released(c);
}

static bool is_numeric(const char *host) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return uv_ip4_addr(host, 0, &v4) == 0 || uv_ip6_addr(host, 0, &v6) == 0;
}

static void resolve(struct connection *c, const char *host) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    c->resolve.data = c;
    int rc = uv_getaddrinfo(c->transport->config.loop, &c->resolve, on_resolved, host, NULL, &hints);
    if (rc)
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_UNRESOLVED, "%s", uv_strerror(rc));
    else
        c->handles++;
}

/* Takes "host:port" or "[host]:port" apart. */
static bool parse(const char *endpoint, char *host, size_t size, uint16_t *port) {
    const char *colon = strrchr(endpoint, ':');
    if (!colon || colon == endpoint) return false;
    struct aq_text text = {endpoint, (uint32_t)(colon - endpoint)};
    if (text.at[0] == '[' && text.at[text.len - 1] == ']') text = (struct aq_text){text.at + 1, text.len - 2};
    uint32_t value = 0;
    for (const char *at = colon + 1; *at; at++) {
        if (*at < '0' || *at > '9' || value > UINT16_MAX) return false;
        value = value * 10 + (uint32_t)(*at - '0');
    }
    if (text.len == 0 || text.len >= size || value == 0 || value > UINT16_MAX) return false;
    memcpy(host, text.at, text.len);
    host[text.len] = '\0';
    *port = (uint16_t)value;
    return true;
}

void aq_connection_start(struct connection *c, const char *endpoint, const char *source) {
    char host[AQ_ADDRESS_CHARS_MAX + 1];
    c->state = CONNECTION_RESOLVING;
    if (!parse(endpoint, host, sizeof host, &c->port) ||
        (source && (strlen(source) >= sizeof c->source || !is_numeric(source)))) {
        aq_connection_fail(c, AQ_CLIENT_TROUBLE_NO_SOCKET, "not an address");
        return;
    }
    snprintf(c->source, sizeof c->source, "%s", source ? source : "");
    if (is_numeric(host))
        start_connecting(c, host);
    else
        resolve(c, host);
}
