/*
 * The virtual network: connections between clients and addresses, and the messages on them, with what TCP
 * does to them.
 *
 *   CONNECTING --- handshake ends ---> UP --- close, hang-up ---> CLOSED
 *       |                                                            ^
 *       +--- refused, closed by the client --------------------------+
 *
 * A lost or blocked message is held back with all that follow it on its direction and sent again after a
 * timeout that doubles, so order is kept and nothing is lost unless the connection is (RFC 6298, RFC 9293).
 * Bytes that had left when a connection was closed still arrive.
 */
#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "sim/virtual_internal.h"

#define RETRANSMISSIONS_MAX 15                /* Linux: net.ipv4.tcp_retries2 */
#define SYN_FIRST_US        (1 * AQ_US_PER_S) /* RFC 6298: initial timeout of a connection request */
#define SYN_MAX_US          (64 * AQ_US_PER_S)

/* ---- connections ---- */

static uint32_t *current(struct aq_virtual *v, uint32_t client, uint32_t address) {
    return &v->connection_of[(size_t)client * v->addresses + address];
}

static bool shares_address(const struct aq_virtual *v, uint32_t address) {
    return v->scenario->servers.shared_identity > 1 && address == 0;
}

/* Does a connection to this address lead to one server or another? */
static bool is_ambiguous(const struct aq_virtual *v, uint32_t address) {
    return address == v->balancer_address || shares_address(v, address);
}

static int new_connection(struct aq_virtual *v, uint32_t client, uint32_t address, uint32_t *out) {
    uint32_t slot = v->first_free_connection;
    if (slot != UINT32_MAX) {
        v->first_free_connection = v->connections[slot].next_free;
    } else {
        int rc = aq_array_reserve(&v->connections, &v->connection_capacity, (size_t)v->connection_count + 1,
                                  sizeof *v->connections);
        if (rc) return rc;
        slot = v->connection_count++;
    }
    struct connection *c = &v->connections[slot];
    bool one = address < v->scenario->servers.count && !is_ambiguous(v, address);
    *c = (struct connection){.client = client,
                             .address = address,
                             .server = one ? address : AQ_NOBODY,
                             .to_server = {.first = UINT32_MAX, .last = UINT32_MAX},
                             .to_client = {.first = UINT32_MAX, .last = UINT32_MAX}};
    aq_random_init(&c->random, v->config.seed, "connection",
                   (uint64_t)client << 32 | v->clients[client].connects++);
    *out = slot;
    return 0;
}

static void release(struct aq_virtual *v, uint32_t slot) {
    struct connection *c = &v->connections[slot];
    AQ_ASSERT(c->refs > 0);
    if (--c->refs > 0) return;
    c->state = CONNECTION_CLOSED;
    c->next_free = v->first_free_connection;
    v->first_free_connection = slot;
}

static void release_packet(struct aq_virtual *v, uint32_t slot) {
    uint32_t connection = aq_packets_at(&v->packets, slot)->connection;
    aq_packets_free(&v->packets, slot);
    if (connection != AQ_NOBODY) release(v, connection);
}

/* An event about a connection keeps it. */
static int push_about(struct aq_virtual *v, aq_time_us at_us, enum event_kind kind, uint32_t connection,
                      uint32_t subject) {
    int rc = virtual_push(v, at_us, kind, subject);
    if (!rc) v->connections[connection].refs++;
    return rc;
}

static void drop_held(struct aq_virtual *v, struct direction *direction) {
    uint32_t packet = direction->first;
    direction->first = direction->last = UINT32_MAX;
    while (packet != UINT32_MAX) {
        uint32_t next = aq_packets_at(&v->packets, packet)->next;
        release_packet(v, packet);
        packet = next;
    }
}

static void drop_all_held(struct aq_virtual *v, uint32_t slot) {
    v->connections[slot].refs++; /* outlives its packets */
    drop_held(v, &v->connections[slot].to_server);
    drop_held(v, &v->connections[slot].to_client);
    release(v, slot);
}

/* The server that a balancer, or chance, picks for this address: uniform over those behind it that are up;
 * AQ_NOBODY when none is. */
static uint32_t balance(struct aq_virtual *v, uint32_t address) {
    const struct aq_server_section *s = &v->scenario->servers;
    uint32_t up = 0, count = shares_address(v, address) ? s->shared_identity : s->count;
    for (uint32_t i = 0; i < count; i++)
        up += v->servers[i].core != NULL;
    if (up == 0) return AQ_NOBODY;
    uint32_t nth = aq_random_below(&v->balancer_random, up);
    for (uint32_t i = 0; i < count; i++)
        if (v->servers[i].core && nth-- == 0) return i;
    return AQ_NOBODY;
}

static bool through_balancer(const struct aq_virtual *v, const struct connection *c) {
    return is_ambiguous(v, c->address);
}

static aq_time_us latency(struct aq_virtual *v, struct connection *c) {
    return aq_distribution_draw(&v->scenario->network.latency, &c->random);
}

static int network_connect(struct aq_virtual *v, uint32_t client, uint32_t address) {
    uint32_t slot;
    AQ_ASSERT(*current(v, client, address) == 0);
    int rc = new_connection(v, client, address, &slot);
    if (rc) return rc;
    struct connection *c = &v->connections[slot];
    c->refs = 1;
    *current(v, client, address) = slot + 1;
    if (c->server == AQ_NOBODY && !through_balancer(v, c))
        return 0; /* nothing behind the address: no answer, ever */
    aq_time_us span_us = 0;
    for (uint32_t i = 0; i < 2 * v->scenario->network.connect_round_trips; i++)
        span_us += latency(v, c);
    return push_about(v, aq_time_after(v->now_us, span_us), EVENT_HANDSHAKE, slot, slot);
}

/* The client's end is gone. What had left still arrives at the server; what was held back does not. */
static void close_client_end(struct aq_virtual *v, uint32_t slot) {
    struct connection *c = &v->connections[slot];
    if (c->state == CONNECTION_CLOSED) return;
    c->state = CONNECTION_CLOSED;
    *current(v, c->client, c->address) = 0;
    drop_all_held(v, slot);
    release(v, slot); /* the client no longer knows it */
}

static void network_close(struct aq_virtual *v, uint32_t client, uint32_t address) {
    uint32_t slot = *current(v, client, address);
    if (slot) close_client_end(v, slot - 1);
}

static int tell_client(struct aq_virtual *v, uint32_t slot, enum aq_client_event_kind kind) {
    struct connection *c = &v->connections[slot];
    uint32_t client = c->client;
    struct aq_client_event event = {.kind = kind, .server = c->address};
    if (kind == AQ_CLIENT_DISCONNECTED) close_client_end(v, slot);
    return client_event(v, client, &event);
}

/* Does either direction block a connection's set-up? A lost packet delays it likewise. */
static bool set_up_blocked(struct aq_virtual *v, struct connection *c) {
    if (c->server == AQ_NOBODY) return false;
    struct aq_link_decision there =
        aq_link_decide(&v->rules, c->client, c->server, AQ_DIRECTION_TO_SERVER, &c->random);
    struct aq_link_decision back =
        aq_link_decide(&v->rules, c->client, c->server, AQ_DIRECTION_TO_CLIENT, &c->random);
    return there.blocked || there.lost || back.blocked || back.lost;
}

static int finish_set_up(struct aq_virtual *v, uint32_t slot) {
    struct connection *c = &v->connections[slot];
    if (through_balancer(v, c)) {
        uint32_t server = balance(v, c->address);
        if (server == AQ_NOBODY) return tell_client(v, slot, AQ_CLIENT_DISCONNECTED);
        if (v->scenario->balancer != AQ_BALANCER_PER_REQUEST) c->server = server;
    }
    if (set_up_blocked(v, c)) {
        aq_time_us wait_us = SYN_FIRST_US << c->attempts;
        if (wait_us < SYN_MAX_US) c->attempts++;
        return push_about(v, aq_time_after(v->now_us, wait_us), EVENT_HANDSHAKE, slot, slot);
    }
    if (c->server != AQ_NOBODY) {
        const struct server_node *node = &v->servers[c->server];
        if (!node->core || aq_link_refuses(&v->rules, c->client, c->server))
            return tell_client(v, slot, AQ_CLIENT_DISCONNECTED);
        c->incarnation = node->incarnation;
        if (node->paused) { /* its kernel accepts, the process does not */
            c->waits = true;
            return 0;
        }
    }
    c->state = CONNECTION_UP;
    return tell_client(v, slot, AQ_CLIENT_CONNECTED);
}

int network_handshake(struct aq_virtual *v, uint32_t slot) {
    int rc = v->connections[slot].state == CONNECTION_CONNECTING ? finish_set_up(v, slot) : 0;
    release(v, slot);
    return rc;
}

/* ---- ends ---- */

/* The client is told after a trip through the network. */
static int push_hangup(struct aq_virtual *v, uint32_t slot, aq_time_us wait_us) {
    struct connection *c = &v->connections[slot];
    if (c->state == CONNECTION_CLOSED || c->hangup_due) return 0;
    c->hangup_due = true;
    return push_about(v, aq_time_after(v->now_us, wait_us), EVENT_HANGUP, slot, slot);
}

int network_hangup(struct aq_virtual *v, uint32_t slot) {
    struct connection *c = &v->connections[slot];
    int rc = 0;
    c->hangup_due = false;
    if (c->state != CONNECTION_CLOSED) {
        bool blocked =
            c->server != AQ_NOBODY &&
            aq_link_decide(&v->rules, c->client, c->server, AQ_DIRECTION_TO_CLIENT, &c->random).blocked;
        /* Behind a partition the client learns it from the answer to its own next retransmission. */
        rc = blocked ? push_hangup(v, slot, SYN_FIRST_US) : tell_client(v, slot, AQ_CLIENT_DISCONNECTED);
    }
    release(v, slot);
    return rc;
}

static void network_client_gone(struct aq_virtual *v, uint32_t client) {
    for (uint32_t address = 0; address < v->addresses; address++)
        network_close(v, client, address);
}

static int forget_at_server(struct aq_virtual *v, uint32_t slot, bool tell) {
    struct connection *c = &v->connections[slot];
    c->server_forgot = true;
    drop_all_held(v, slot);
    return tell ? push_hangup(v, slot, latency(v, c)) : 0;
}

/* Requests that the ending process had not finished. */
static void forget_requests(struct aq_virtual *v, uint32_t server) {
    for (uint32_t i = 0; i < v->packets.used; i++) {
        struct aq_packet *packet = aq_packets_at(&v->packets, i);
        if (packet->used && packet->arrived && packet->server == server) release_packet(v, i);
    }
}

static int network_server_gone(struct aq_virtual *v, uint32_t server) {
    int rc = 0;
    forget_requests(v, server);
    for (uint32_t i = 0; !rc && i < v->connection_count; i++) {
        struct connection *c = &v->connections[i];
        bool set_up = c->state == CONNECTION_UP || (c->state == CONNECTION_CONNECTING && c->waits);
        if (c->refs > 0 && c->server == server && set_up) rc = forget_at_server(v, i, true);
    }
    return rc;
}

static int network_server_resumed(struct aq_virtual *v, uint32_t server) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < v->connection_count; i++) {
        struct connection *c = &v->connections[i];
        if (c->refs == 0 || c->server != server || !c->waits || c->state != CONNECTION_CONNECTING) continue;
        c->waits = false;
        rc = push_about(v, aq_time_after(v->now_us, latency(v, c)), EVENT_HANDSHAKE, i, i);
    }
    return rc;
}

static int network_reset(struct aq_virtual *v, const struct aq_link_rule *between, bool half_open,
                         uint64_t *touched) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < v->connection_count; i++) {
        struct connection *c = &v->connections[i];
        if (c->refs == 0 || c->state != CONNECTION_UP || c->server_forgot || c->server == AQ_NOBODY) continue;
        if (!aq_index_set_has(&between->clients, c->client) ||
            !aq_index_set_has(&between->servers, c->server))
            continue;
        ++*touched;
        rc = forget_at_server(v, i, !half_open);
    }
    return rc;
}

/* ---- messages ---- */

static struct direction *direction_of(struct connection *c, const struct aq_packet *packet) {
    return packet->to_client ? &c->to_client : &c->to_server;
}

/* One transmission of a packet whose turn it is: true, and the arrival is due, unless it is lost or blocked.
 */
static int try_to_send(struct aq_virtual *v, uint32_t slot, bool *sent) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    struct connection *c = &v->connections[packet->connection];
    struct direction *direction = direction_of(c, packet);
    aq_time_us span_us = latency(v, c);
    bool lost = aq_random_chance(&c->random, v->scenario->network.loss);
    if (v->rules.count) {
        struct aq_link_decision decision =
            aq_link_decide(&v->rules, c->client, packet->server,
                           packet->to_client ? AQ_DIRECTION_TO_CLIENT : AQ_DIRECTION_TO_SERVER, &c->random);
        lost = lost || decision.lost || decision.blocked;
        span_us = aq_time_after(span_us, decision.extra_us);
    }
    *sent = !lost;
    if (lost) return 0;
    aq_time_us at_us = aq_time_after(v->now_us, span_us);
    if (at_us < direction->last_us) at_us = direction->last_us;
    direction->last_us = at_us;
    return virtual_push(v, at_us, EVENT_DELIVER, slot);
}

static aq_time_us retransmit_after(const struct aq_virtual *v, uint8_t attempts) {
    aq_time_us first_us = v->scenario->network.retransmit_first_us,
               most_us = v->scenario->network.retransmit_max_us;
    return attempts < 32 ? aq_time_min(first_us << attempts, most_us) : most_us;
}

static int hold(struct aq_virtual *v, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    uint32_t connection = packet->connection;
    struct direction *direction = direction_of(&v->connections[connection], packet);
    bool first = direction->first == UINT32_MAX;
    packet->next = UINT32_MAX;
    if (first)
        direction->first = slot;
    else
        aq_packets_at(&v->packets, direction->last)->next = slot;
    direction->last = slot;
    if (!first) return 0;
    direction->attempts = 0;
    return push_about(v, aq_time_after(v->now_us, retransmit_after(v, 0)), EVENT_RETRANSMIT, connection,
                      connection * 2 + packet->to_client);
}

/* Puts a packet on its way, behind those that are held back. Takes a reference to the connection. */
static int transmit(struct aq_virtual *v, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    struct connection *c = &v->connections[packet->connection];
    c->refs++;
    bool sent = false;
    if (direction_of(c, packet)->first == UINT32_MAX) {
        int rc = try_to_send(v, slot, &sent);
        if (rc) return rc;
    }
    return sent ? 0 : hold(v, slot);
}

/* Sends what is held on one direction until something is lost again. */
static int send_held(struct aq_virtual *v, uint32_t slot, struct direction *direction, bool to_client) {
    bool sent = true, first = true;
    while (direction->first != UINT32_MAX) {
        uint32_t packet = direction->first, next = aq_packets_at(&v->packets, packet)->next;
        int rc = try_to_send(v, packet, &sent);
        if (rc) return rc;
        if (!sent) break;
        direction->first = next;
        direction->attempts = 0;
        first = false;
    }
    if (direction->first == UINT32_MAX) {
        direction->last = UINT32_MAX;
        return 0;
    }
    if (first && ++direction->attempts > RETRANSMISSIONS_MAX) /* the kernel gives the connection up */
        return forget_at_server(v, slot, true);
    return push_about(v, aq_time_after(v->now_us, retransmit_after(v, direction->attempts)), EVENT_RETRANSMIT,
                      slot, slot * 2 + to_client);
}

int network_retransmit(struct aq_virtual *v, uint32_t subject) {
    uint32_t slot = subject / 2;
    struct connection *c = &v->connections[slot];
    struct direction *direction = subject % 2 ? &c->to_client : &c->to_server;
    int rc = direction->first != UINT32_MAX ? send_held(v, slot, direction, subject % 2) : 0;
    release(v, slot);
    return rc;
}

static int network_send_request(struct aq_virtual *v, uint32_t client, uint32_t address, uint32_t correlation,
                                const struct aq_request *request) {
    uint32_t at = *current(v, client, address), slot;
    AQ_ASSERT(at && v->connections[at - 1].state == CONNECTION_UP);
    struct connection *c = &v->connections[at - 1];
    uint32_t server = through_balancer(v, c) && c->server == AQ_NOBODY ? balance(v, c->address) : c->server;
    if (server == AQ_NOBODY) return 0; /* a balancer with nothing behind it swallows the request */
    int rc = aq_packets_request(&v->packets, request, &slot);
    if (rc) return rc;
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    packet->connection = at - 1;
    packet->server = server;
    packet->correlation = correlation;
    return transmit(v, slot);
}

static int network_send_reply(struct aq_virtual *v, uint32_t connection, uint32_t server,
                              uint32_t correlation, const struct aq_reply *reply) {
    if (connection == AQ_NOBODY) return 0;
    const struct connection *c = &v->connections[connection];
    uint32_t slot;
    if (c->state != CONNECTION_UP || c->server_forgot) return 0;
    int rc = aq_packets_reply(&v->packets, reply, (enum aq_action)reply->action, &slot);
    if (rc) return rc;
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    packet->connection = connection;
    packet->server = server;
    packet->correlation = correlation;
    return transmit(v, slot);
}

static int give_to_server(struct aq_virtual *v, uint32_t server, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    int rc = aq_packets_open(packet);
    if (rc) return rc;
    packet->arrived = true;
    packet->server = server;
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST,
                                    .peer = packet->connection,
                                    .correlation = packet->correlation,
                                    .token = slot,
                                    .request = packet->malformed ? NULL : &packet->request,
                                    .malformed = packet->connection == AQ_NOBODY
                                                     ? AQ_TEXT(AQ_MALFORMED_BLANK)
                                                     : AQ_TEXT("malformed request")};
    return server_event(v, server, &event);
}

static int network_hand_over(struct aq_virtual *v, uint32_t server, const struct aq_request *request) {
    static const struct aq_request blank = {.action = AQ_ACTION_PING};
    uint32_t slot;
    int rc = aq_packets_request(&v->packets, request ? request : &blank, &slot);
    if (rc) return rc;
    aq_packets_at(&v->packets, slot)->connection = AQ_NOBODY;
    aq_packets_at(&v->packets, slot)->malformed = !request;
    return give_to_server(v, server, slot);
}

static int arrive_at_server(struct aq_virtual *v, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    struct connection *c = &v->connections[packet->connection];
    const struct server_node *node = &v->servers[packet->server];
    bool reborn = c->server != AQ_NOBODY && c->incarnation != node->incarnation;
    int rc = 0;
    if (node->core && !reborn && !c->server_forgot) return give_to_server(v, packet->server, slot);
    if (node->core)
        rc = push_hangup(v, packet->connection, latency(v, c)); /* its kernel answers with a reset */
    release_packet(v, slot);
    return rc;
}

int network_deliver(struct aq_virtual *v, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(&v->packets, slot);
    if (!packet->to_client) return arrive_at_server(v, slot);
    const struct connection *c = &v->connections[packet->connection];
    int rc = 0;
    if (c->state == CONNECTION_UP) {
        rc = aq_packets_open(packet);
        struct aq_client_event event = {.kind = AQ_CLIENT_REPLY,
                                        .server = c->address,
                                        .correlation = packet->correlation,
                                        .reply = packet->malformed ? NULL : &packet->reply};
        if (!rc) rc = client_event(v, c->client, &event);
    }
    release_packet(v, slot);
    return rc;
}

static void network_release_request(struct aq_virtual *v, uint32_t server, uint32_t token) {
    (void)server;
    release_packet(v, token);
}

static uint32_t network_client_of(struct aq_virtual *v, uint32_t server, uint32_t peer) {
    (void)server;
    return v->connections[peer].client;
}

static int network_server_up(struct aq_virtual *v, uint32_t server) {
    (void)v;
    (void)server;
    return 0; /* whoever connects from now on finds it up */
}

const struct network virtual_network = {
    .connect = network_connect,
    .close = network_close,
    .send_request = network_send_request,
    .send_reply = network_send_reply,
    .hand_over = network_hand_over,
    .release_request = network_release_request,
    .client_of = network_client_of,
    .client_gone = network_client_gone,
    .server_up = network_server_up,
    .server_gone = network_server_gone,
    .server_resumed = network_server_resumed,
    .reset = network_reset,
};
