/* A connection of a client and the one that goes on to the server: how they are set up, and how they end. */
#include <sys/socket.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "sim/proxy_internal_uv.h"

#define CONNECT_DOUBLINGS_MAX 6 /* Linux waits 1 s for an answer to a SYN, then 2 s, up to 64 s */

/* ---- life ---- */

/* Where memory is out, the client's next wire draws the same numbers, which does no harm. */
static void seed_random(struct wire *wire) {
    struct aq_proxy *proxy = wire->proxy;
    uint32_t nth = 0;
    uint64_t client = wire->client & 0xfffff, key = aq_map_mix(wire->client);
    aq_map_get(&proxy->connects, key, &nth);
    aq_map_set(&proxy->connects, key, nth + 1);
    aq_random_init(&wire->random, proxy->config.seed, "proxy",
                   (uint64_t)proxy->config.server << 52 | client << 32 | nth);
}

static struct wire *take_wire(struct aq_proxy *proxy) {
    struct wire *wire = proxy->free_wires;
    if (wire)
        proxy->free_wires = wire->next;
    else
        wire = aq_alloc(sizeof *wire);
    if (!wire) return NULL;
    *wire = (struct wire){.proxy = proxy, .next = proxy->wires, .handles = 4, .open = {true, true}};
    if (wire->next) wire->next->previous = wire;
    proxy->wires = wire;
    proxy->counters.connections++;
    for (int side = 0; side < 2; side++) {
        uv_tcp_init(proxy->config.loop, &wire->sides[side]); /* makes no socket yet, cannot fail */
        wire->sides[side].data = wire;
        pipe_init(&wire->pipes[side], wire,
                  side == CLIENT_SIDE ? AQ_DIRECTION_TO_SERVER : AQ_DIRECTION_TO_CLIENT);
    }
    return wire;
}

static void recycle(struct wire *wire) {
    struct aq_proxy *proxy = wire->proxy;
    for (int side = 0; side < 2; side++)
        aq_byte_queue_clear(&wire->pipes[side].queue, &proxy->pool);
    if (wire->next) wire->next->previous = wire->previous;
    if (wire->previous)
        wire->previous->next = wire->next;
    else
        proxy->wires = wire->next;
    wire->next = proxy->free_wires;
    proxy->free_wires = wire;
    proxy->counters.connections--;
    proxy_let_go(proxy);
}

static void on_closed(uv_handle_t *handle) {
    struct wire *wire = handle->data;
    if (--wire->handles == 0) recycle(wire);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct wire *wire = ((struct pipe *)handle->data)->wire;
    if (--wire->handles == 0) recycle(wire);
}

void wire_close_side(struct wire *wire, enum side side, bool reset) {
    uv_os_fd_t fd;
    if (!wire->open[side]) return;
    wire->open[side] = false;
    wire->pipes[side].ended = true;
    wire->pipes[side].reading = false;
    if (reset && uv_fileno((uv_handle_t *)&wire->sides[side], &fd) == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    uv_close((uv_handle_t *)&wire->sides[side], on_closed);
    if (wire->open[!side]) return;
    wire->state = WIRE_CLOSING;
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&wire->pipes[i].timer, on_timer_closed);
}

/* Reset: models a middle box that lost its state, or an RST. Cannot let bytes that are queued arrive before.
 */
void wire_reset(struct wire *wire) {
    wire_close_side(wire, CLIENT_SIDE, true);
    wire_close_side(wire, SERVER_SIDE, true);
}

void wire_settle(struct wire *wire) {
    for (int side = 0; side < 2; side++)
        if (wire->pipes[!side].done && wire->pipes[side].ended) wire_close_side(wire, (enum side)side, false);
}

/* The other side learns it by the network, as all else; what it still sends goes nowhere. */
void wire_side_broken(struct wire *wire, enum side side) {
    if (!wire->open[side]) return;
    wire_close_side(wire, side, false);
    if (wire->state != WIRE_CLOSING) pipe_set_end(&wire->pipes[side], END_RESET);
}

/* Half-open: models a server, or a middle box, that lost its connections without a word to the client.
   Cannot hide that the server's side sees an orderly close; its own process did not crash. */
void wire_half_open(struct wire *wire) {
    wire->forgotten = true;
    wire_close_side(wire, SERVER_SIDE, false);
}

void wire_abandon(struct wire *wire) {
    wire->proxy->counters.abandoned++;
    wire_reset(wire);
}

/* ---- setting up ---- */

static void on_connected(uv_connect_t *request, int status) {
    struct wire *wire = request->data;
    if (wire->state != WIRE_CONNECTING) return;
    if (status < 0) {
        wire->proxy->counters.failed_connects++;
        wire_reset(wire);
        return;
    }
    wire->state = WIRE_UP;
    uv_tcp_nodelay(&wire->sides[SERVER_SIDE], 1);
    pipe_run(&wire->pipes[SERVER_SIDE]);
    if (wire->state == WIRE_UP) pipe_run(&wire->pipes[CLIENT_SIDE]);
}

static void connect_on(struct wire *wire) {
    wire->state = WIRE_CONNECTING;
    wire->connect.data = wire;
    int rc = uv_tcp_connect(&wire->connect, &wire->sides[SERVER_SIDE],
                            (const struct sockaddr *)&wire->proxy->server, on_connected);
    if (rc) on_connected(&wire->connect, rc);
}

/* Refused: models a closed port or a full accept queue. Cannot keep the kernel from accepting first: the
   client sees its connection come up and be reset at once. */
static void finish_set_up(struct wire *wire) {
    struct aq_proxy *proxy = wire->proxy;
    if (aq_link_refuses(proxy->config.rules, wire->client, proxy->config.server)) {
        proxy->counters.refused++;
        wire_reset(wire);
    } else {
        connect_on(wire);
    }
}

/* As in the virtual network: a connection is set up when a packet gets through in both directions. */
static void ask_for_the_way(struct wire *wire, aq_time_us now_us) {
    const struct aq_proxy_config *config = &wire->proxy->config;
    struct aq_link_decision there = {0}, back = {0};
    if (config->rules->count) {
        there = aq_link_decide(config->rules, wire->client, config->server, AQ_DIRECTION_TO_SERVER,
                               &wire->random);
        back = aq_link_decide(config->rules, wire->client, config->server, AQ_DIRECTION_TO_CLIENT,
                              &wire->random);
    }
    wire->way_is_free = !there.blocked && !there.lost && !back.blocked && !back.lost;
    aq_time_us wait_us = wire->way_is_free ? aq_time_after(there.extra_us, back.extra_us)
                                           : config->connect_retry_us << wire->attempts;
    wire->set_up_us = aq_time_after(now_us, wait_us);
    if (!wire->way_is_free && wire->attempts < CONNECT_DOUBLINGS_MAX) wire->attempts++;
}

static void on_set_up_timer(uv_timer_t *timer);

/* The loop's clock is a little behind, so its timer may fire too early. */
static void set_up(struct wire *wire) {
    aq_time_us now_us = proxy_now_us();
    if (!wire->way_is_free && now_us >= wire->set_up_us) ask_for_the_way(wire, now_us);
    if (wire->way_is_free && now_us >= wire->set_up_us)
        finish_set_up(wire);
    else
        proxy_start_timer(&wire->pipes[CLIENT_SIDE].timer, on_set_up_timer, now_us, wire->set_up_us);
}

static void on_set_up_timer(uv_timer_t *timer) {
    set_up(((struct pipe *)timer->data)->wire);
}

static uint32_t client_of(const struct aq_proxy *proxy, const uv_tcp_t *tcp) {
    struct sockaddr_storage peer;
    int length = sizeof peer;
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&peer, &length)) return AQ_PROXY_NOBODY;
    return proxy->config.client_of(proxy->config.self, (const struct sockaddr *)&peer);
}

int wire_accept(struct aq_proxy *proxy) {
    struct wire *wire = take_wire(proxy);
    if (!wire) return AQ_ENOMEM;
    if (uv_accept((uv_stream_t *)&proxy->listener, (uv_stream_t *)&wire->sides[CLIENT_SIDE])) {
        wire_reset(wire); /* there was none */
        return 0;
    }
    proxy->counters.accepted++;
    wire->client = client_of(proxy, &wire->sides[CLIENT_SIDE]);
    seed_random(wire);
    uv_tcp_nodelay(&wire->sides[CLIENT_SIDE], 1);
    set_up(wire);
    pipe_run(&wire->pipes[CLIENT_SIDE]); /* reads, and so notices a client that gives up */
    return 0;
}
