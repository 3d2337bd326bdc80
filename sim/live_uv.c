#include "sim/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <uv.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/transport_zmq.h"
#include "fakeserver/transport_zmq.h"
#include "protocol/loop_zmq.h"
#include "scenarios/load.h"
#include "sim/keys_env.h"
#include "sim/live_lag_uv.h"
#include "sim/live_warm_uv.h"
#include "sim/proxy_uv.h"
#include "sim/virtual_internal.h"

#define SOCKETS_CLOSING 1024 /* closed, but libzmq has not come to them yet: a socket counts until then */
#define FILES_OWN       200  /* the process itself: libraries, database, trace, libzmq's threads, the loop */
#define FILES_A_PAIR                                                                                         \
    3 /* client and server, connected: the client's socket and mailbox, the server's socket */
#define FILES_OF_CLIENT 2   /* of them */
#define FILES_A_PROCESS 2   /* of an external client: what it writes, and its end */
#define FILES_OF_PUTS   16  /* its connections for puts that are under way at a time, beside its workers' */
#define EVENTS_AT_ONCE  256 /* due events handled before the sockets have their turn */
#define TIMER_SLACK_US  (500 * AQ_US_PER_MS) /* other processes run on the same cores */
#define OWN_TOKEN       UINT32_MAX
/* Until libzmq's threads have let go of a crashed server's port. */
#define BIND_FOR_US (30 * AQ_US_PER_S)

/* One fake server's port, which outlives its processes. */
struct port {
    struct aq_live *live;
    uint32_t server;
    uint16_t number;                       /* of the server itself; 0 before the first start */
    uint16_t outer;                        /* of the proxy, where it is given; 0: any */
    struct aq_server_transport *transport; /* NULL while down */
    struct aq_proxy *proxy;                /* in front of it, or NULL */
    uint32_t strangers_told;               /* bits 1 << enum aq_stranger */
    struct aq_request own;                 /* a request of the harness itself, while it is in the server */
};

struct aq_live {
    struct aq_virtual *world;
    double speed;
    uint64_t start_ns;
    uv_loop_t loop;
    bool loop_made;
    void *context; /* libzmq's */
    struct aq_curve_pair server_keys, client_keys;
    struct aq_client_transport *clients;
    struct aq_live_warm *warm; /* NULL: clients make each connection when they want it */
    struct aq_live_lag *lag;   /* NULL likewise */
    struct port *ports;        /* by server */
    uint32_t port_count;
    int timer_fd;
    uv_poll_t timer;
    bool timer_made;
    struct aq_server_gate *gate;                                               /* NULL: everyone is let in */
    void (*stranger)(void *owner, uint32_t server, enum aq_stranger stranger); /* of the outside, or NULL */
    void *stranger_owner;
    uint64_t strangers;
    bool outside;          /* the clients are other processes */
    bool proxies;          /* in front of every server */
    int rc;                /* what a callback ran into */
    struct aq_error error; /* and why, where that is known */
};

/* ---- can it run ---- */

aq_time_us aq_live_timer_slack_us(double speed) {
    return (aq_time_us)((double)TIMER_SLACK_US * (speed > 0 ? speed : 1));
}

bool aq_live_needs_proxy(enum aq_fault_kind kind) {
    return kind >= AQ_FAULT_LATENCY && kind <= AQ_FAULT_HALF_OPEN;
}

/* Proxies stand between clients and servers only where a scenario asks for what needs them. */
static bool needs_proxies(const struct aq_scenario *s) {
    for (uint32_t i = 0; i < s->fault_count; i++)
        if (aq_live_needs_proxy(s->faults[i].kind)) return true;
    return false;
}

/* The program's soft limit of open files goes up to the hard one. Errors: AQ_EIO, AQ_ELIMIT. */
static int raise_file_limit(uint64_t needed, const struct aq_scenario *s, struct aq_error *error) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return aq_error_set(error, AQ_EIO, "the limit of open files cannot be read: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (needed <= limit.rlim_max) return 0;
    return aq_error_set(
        error, AQ_ELIMIT,
        "%u clients with %u servers need %llu open files, and %llu are allowed (ulimit -Hn): use "
        "fewer, or --world virtual",
        s->clients.count, s->servers.count, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
}

int aq_live_check(const struct aq_scenario *s, double speed, struct aq_error *error) {
    int rc = aq_scenario_check_world(s, true, error);
    if (rc) return rc;
    if (s->balancer != AQ_BALANCER_NONE)
        return aq_error_set(error, AQ_EUNSUPPORTED, "balancer: a load balancer needs --world virtual");
    if (s->servers.shared_identity > 1)
        return aq_error_set(error, AQ_EUNSUPPORTED,
                            "servers.shared_identity: two servers behind one address need --world virtual");
    if (needs_proxies(s) && speed != 1)
        return aq_error_set(error, AQ_EUNSUPPORTED,
                            "faults: those on links act in real time, so this scenario needs --speed 1");
    if (s->servers.connect && speed != 1)
        return aq_error_set(
            error, AQ_EUNSUPPORTED,
            "servers.connect: servers that run elsewhere keep their own time, so they need --speed 1");
    if (s->clients.exec && speed != 1)
        return aq_error_set(error, AQ_EUNSUPPORTED,
                            "clients.exec: other programs keep their own time, so they need --speed 1");
    uint64_t pairs = (uint64_t)s->clients.count * s->servers.count;
    uint64_t files = FILES_A_PAIR + (needs_proxies(s) ? AQ_PROXY_FDS_PER_CONNECTION : 0);
    if (s->clients.exec) {
        uint64_t calls = s->workers.count / s->clients.count + FILES_OF_PUTS;
        uint64_t foreign = s->clients.count * (FILES_A_PROCESS + calls);
        files -= FILES_OF_CLIENT;
        return raise_file_limit(pairs * files + foreign + s->servers.count * 5 + FILES_OWN, s, error);
    }
    return raise_file_limit(pairs * files + s->servers.count * 4 + FILES_OWN, s, error);
}

/* ---- time ---- */

/* Sets the world's clock to now; it never goes back, and stands until the run begins. */
static void read_clock(struct aq_live *live) {
    if (live->start_ns == 0) return;
    double us = (double)(uv_hrtime() - live->start_ns) / 1000.0 * live->speed;
    if ((aq_time_us)us > live->world->now_us) live->world->now_us = (aq_time_us)us;
}

static void on_timer(uv_poll_t *poll, int status, int events) {
    struct aq_live *live = poll->data;
    uint64_t expired;
    (void)status;
    (void)events;
    if (read(live->timer_fd, &expired, sizeof expired) < 0 && errno != EAGAIN) live->rc = AQ_EIO;
}

/* Wakes the loop when the world's time is at_us: finer than the milliseconds of the loop's own timers. */
static int arm_timer(struct aq_live *live, aq_time_us at_us) {
    double ns = (double)(at_us - live->world->now_us) * 1000.0 / live->speed;
    uint64_t whole = ns < 1 ? 1 : ns > 1e15 ? (uint64_t)1e15 : (uint64_t)ns;
    struct itimerspec when = {.it_value = {(time_t)(whole / 1000000000), (long)(whole % 1000000000)}};
    return timerfd_settime(live->timer_fd, 0, &when, NULL) ? AQ_EIO : 0;
}

/* *more: not everything that is due was handled. */
static int handle_due(struct aq_live *live, aq_time_us until_us, bool *more) {
    struct aq_virtual *v = live->world;
    struct aq_event event;
    aq_time_us before_us = aq_time_min(until_us, v->now_us + 1);
    for (int i = 0; i < EVENTS_AT_ONCE; i++) {
        *more = aq_wheel_pop(&v->wheel, before_us, &event);
        int rc = *more ? virtual_handle(v, &event) : 0;
        if (rc || !*more) return rc;
    }
    return 0;
}

static int start_clock(struct aq_live *live);
static int tell_connected(struct aq_live *live);

static int live_run(struct aq_virtual *v, aq_time_us until_us) {
    struct aq_live *live = v->network_self;
    int rc = live->start_ns ? 0 : start_clock(live);
    while (!rc) {
        if (v->config.stop && *v->config.stop) return AQ_EINTERRUPTED;
        bool more;
        read_clock(live);
        rc = handle_due(live, until_us, &more);
        if (!rc) rc = tell_connected(live);
        if (rc || live->rc) return rc ? rc : live->rc;
        if (!more && v->now_us >= until_us) return 0;
        aq_time_us wake_us = aq_time_min(aq_wheel_next_us(&v->wheel), until_us);
        if (!more && wake_us > v->now_us) {
            rc = arm_timer(live, wake_us);
            if (!rc) uv_run(&live->loop, UV_RUN_ONCE);
        } else {
            uv_run(&live->loop, UV_RUN_NOWAIT);
        }
    }
    return rc;
}

/* ---- what the sockets tell ---- */

/* The end of every callback: calls that applications made meanwhile are taken. */
static void settle(struct aq_live *live, int rc) {
    if (!rc && live->world->submitted_count) rc = clients_take_calls(live->world);
    if (rc && !live->rc) live->rc = rc;
    if (rc) uv_stop(&live->loop);
}

static void tell_client(struct aq_live *live, uint32_t client, const struct aq_client_event *event) {
    if (live->rc) return;
    read_clock(live);
    live->world->events++;
    settle(live, client_event(live->world, client, event));
}

static void on_client_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    struct aq_live *live = owner;
    enum aq_live_warm_fate fate =
        live->warm ? aq_live_warm_event(live->warm, client, event) : AQ_LIVE_WARM_PASS;
    if (fate == AQ_LIVE_WARM_KEEP) return;
    if (fate == AQ_LIVE_WARM_FIRST)
        tell_client(live, client,
                    &(struct aq_client_event){.kind = AQ_CLIENT_CONNECTED, .server = event->server});
    tell_client(live, client, event);
}

/* Clients that asked for a connection which was there already. */
static int tell_connected(struct aq_live *live) {
    struct aq_client_event event = {.kind = AQ_CLIENT_CONNECTED};
    uint32_t client;
    while (live->warm && !live->rc && aq_live_warm_next(live->warm, &client, &event.server))
        tell_client(live, client, &event);
    return live->rc;
}

static void on_request(void *owner, const struct aq_server_event *event) {
    struct port *port = owner;
    if (port->live->rc) return;
    read_clock(port->live);
    port->live->world->events++;
    settle(port->live, server_event(port->live->world, port->server, event));
}

static void on_listening(void *owner, int rc, uint16_t number, const struct aq_error *error) {
    struct port *port = owner;
    if (!rc) {
        port->number = number;
        return;
    }
    port->live->error = *error;
    settle(port->live, rc);
}

/* Told once: a client with a wrong key comes again and again. */
static void on_stranger(void *owner, enum aq_stranger stranger) {
    struct port *port = owner;
    struct aq_live *live = port->live;
    live->strangers++;
    if (port->strangers_told >> stranger & 1) return;
    port->strangers_told |= 1u << stranger;
    live->stranger(live->stranger_owner, port->server, stranger);
}

/* ---- the network as the nodes use it ---- */

static struct aq_live *live_of(const struct aq_virtual *v) {
    return v->network_self;
}

/* Behind proxies each client has an address of its own, from which the proxies know it: 127.1.0.1 for the
 * first. */
#define SOURCES_A_NET 250

static void source_address(uint32_t client, char text[48]) {
    snprintf(text, 48, "127.%u.%u.%u", 1 + client / (SOURCES_A_NET * SOURCES_A_NET),
             client / SOURCES_A_NET % SOURCES_A_NET, 1 + client % SOURCES_A_NET);
}

static uint32_t client_from(void *self, const struct sockaddr *peer) {
    const struct aq_live *live = self;
    if (live->outside) return AQ_PROXY_NOBODY;
    if (peer->sa_family != AF_INET) return AQ_PROXY_NOBODY;
    uint32_t ip = ntohl(((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr);
    uint32_t client =
        (((ip >> 16 & 255) - 1) * SOURCES_A_NET + (ip >> 8 & 255)) * SOURCES_A_NET + (ip & 255) - 1;
    return client < live->world->scenario->clients.count ? client : AQ_PROXY_NOBODY;
}

/* A server's logical address, which ids are made of, stands for its host and the port that it really has.
   What has nothing behind it is a port that nothing listens on. */
static int connect_now(void *owner, uint32_t client, uint32_t address) {
    struct aq_live *live = owner;
    const struct aq_virtual *v = live->world;
    const struct aq_address *to = &v->config.book->items[address];
    char endpoint[AQ_ADDRESS_CHARS_MAX + 8];
    const struct port *port = address < live->port_count ? &live->ports[address] : NULL;
    unsigned number = port ? port->proxy ? aq_proxy_port(port->proxy) : port->number : 9;
    if (port && port->proxy && v->scenario->servers.connect)
        snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", number);
    else
        snprintf(endpoint, sizeof endpoint, "%.*s:%u", (int)to->host_len, to->text, number);
    char source[48];
    source_address(client, source);
    return aq_client_transport_connect(live->clients, client, address, endpoint,
                                       port && port->proxy ? source : NULL);
}

static int live_connect(struct aq_virtual *v, uint32_t client, uint32_t address) {
    struct aq_live *live = live_of(v);
    if (live->warm && aq_live_warm_take(live->warm, client, address)) return 0;
    return connect_now(live, client, address);
}

static void live_close(struct aq_virtual *v, uint32_t client, uint32_t address) {
    if (live_of(v)->warm) aq_live_warm_close(live_of(v)->warm, client, address);
    aq_client_transport_close(live_of(v)->clients, client, address);
}

static int live_send_request(struct aq_virtual *v, uint32_t client, uint32_t address, uint32_t correlation,
                             const struct aq_request *request) {
    return aq_client_transport_send(live_of(v)->clients, client, address, correlation, request);
}

static int live_send_reply(struct aq_virtual *v, uint32_t peer, uint32_t server, uint32_t correlation,
                           const struct aq_reply *reply) {
    struct port *port = &live_of(v)->ports[server];
    if (peer == AQ_NOBODY || !port->transport) return 0;
    return aq_server_transport_reply(port->transport, peer, correlation, reply);
}

static int live_hand_over(struct aq_virtual *v, uint32_t server, const struct aq_request *request) {
    struct port *port = &live_of(v)->ports[server];
    if (request) port->own = *request; /* its texts are the address book's */
    struct aq_server_event event = {.kind = AQ_SERVER_REQUEST,
                                    .peer = AQ_NOBODY,
                                    .token = OWN_TOKEN,
                                    .request = request ? &port->own : NULL,
                                    .malformed = AQ_TEXT(AQ_MALFORMED_BLANK)};
    return server_event(v, server, &event);
}

static void live_release_request(struct aq_virtual *v, uint32_t server, uint32_t token) {
    struct port *port = &live_of(v)->ports[server];
    if (token != OWN_TOKEN && port->transport) aq_server_transport_finished(port->transport, token);
}

static uint32_t live_client_of(struct aq_virtual *v, uint32_t server, uint32_t peer) {
    struct aq_server_peer who;
    const struct port *port = &live_of(v)->ports[server];
    if (live_of(v)->outside) return AQ_NOBODY;
    return port->transport && aq_server_transport_peer(port->transport, peer, &who) ? who.client : AQ_NOBODY;
}

static void live_client_gone(struct aq_virtual *v, uint32_t client) {
    if (live_of(v)->warm) aq_live_warm_client_gone(live_of(v)->warm, client);
    aq_client_transport_close_client(live_of(v)->clients, client);
}

static int put_proxy(struct aq_live *live, struct port *port, const char *host, struct aq_error *error) {
    bool elsewhere = live->world->scenario->servers.connect;
    const struct aq_network_section *network = &live->world->scenario->network;
    struct aq_proxy_config config = {.loop = &live->loop,
                                     .host = elsewhere ? "127.0.0.1" : host,
                                     .port = port->outer,
                                     .server = port->server,
                                     .server_host = host,
                                     .server_port = port->number,
                                     .rules = &live->world->rules,
                                     .seed = live->world->config.seed,
                                     .client_of = client_from,
                                     .self = live,
                                     .retransmit_first_us = network->retransmit_first_us,
                                     .retransmit_max_us = network->retransmit_max_us,
                                     .connect_retry_us = AQ_US_PER_S,
                                     .answer_half_open = true};
    return aq_proxy_new(&config, &port->proxy, error);
}

static int live_server_up(struct aq_virtual *v, uint32_t server) {
    struct aq_live *live = live_of(v);
    struct port *port = &live->ports[server];
    const struct aq_address *address = &v->config.book->items[server];
    char host[64];
    struct aq_error error = {0};
    snprintf(host, sizeof host, "%.*s", (int)address->host_len, address->text);
    struct aq_server_transport_config config = {.loop = &live->loop,
                                                .context = live->context,
                                                .keys = &live->server_keys,
                                                .host = host,
                                                .port = port->number,
                                                .bind_for_us = BIND_FOR_US,
                                                .request = on_request,
                                                .listening = on_listening,
                                                .stranger = live->stranger ? on_stranger : NULL,
                                                .owner = port};
    int rc = aq_server_transport_open(&config, &port->transport, &error);
    if (!rc && port->number == 0) port->number = aq_server_transport_port(port->transport);
    if (!rc && !port->proxy && live->proxies) rc = put_proxy(live, port, host, &error);
    if (rc) live->error = error;
    return rc;
}

static int live_server_gone(struct aq_virtual *v, uint32_t server) {
    struct port *port = &live_of(v)->ports[server];
    aq_server_transport_close(port->transport, true);
    port->transport = NULL;
    return 0;
}

static int live_server_resumed(struct aq_virtual *v, uint32_t server) {
    (void)v;
    (void)server;
    return 0; /* libzmq's own threads accept connections while a core is paused */
}

static int live_reset(struct aq_virtual *v, const struct aq_link_rule *between, bool half_open,
                      uint64_t *touched) {
    struct aq_live *live = live_of(v);
    for (uint32_t i = 0; i < live->port_count; i++)
        if (live->ports[i].proxy) aq_proxy_reset(live->ports[i].proxy, between, half_open, touched);
    return 0;
}

static const struct network live_network = {
    .connect = live_connect,
    .close = live_close,
    .send_request = live_send_request,
    .send_reply = live_send_reply,
    .hand_over = live_hand_over,
    .release_request = live_release_request,
    .client_of = live_client_of,
    .client_gone = live_client_gone,
    .server_up = live_server_up,
    .server_gone = live_server_gone,
    .server_resumed = live_server_resumed,
    .reset = live_reset,
    .run = live_run,
};

/* ---- the start ---- */

/* With a server of its own, whose keys are its own as well. */
static int measure_lag(struct aq_live *live) {
    struct aq_curve_pair keys;
    int rc = aq_zmq_curve_pair(&keys);
    if (rc) return rc;
    struct aq_live_lag_config config = {.loop = &live->loop,
                                        .context = live->context,
                                        .server_keys = &keys,
                                        .client_keys = &live->client_keys};
    return aq_live_lag_new(&config, &live->lag);
}

static int warm_up(struct aq_live *live) {
    struct aq_live_warm_config config = {.loop = &live->loop,
                                         .scenario = live->world->scenario,
                                         .stop = live->world->config.stop,
                                         .connect = connect_now,
                                         .owner = live};
    int rc = aq_live_warm_new(&config, &live->warm);
    return rc ? rc : aq_live_warm_run(live->warm);
}

/* With the clients' connections up, so that it is not their hundreds of handshakes that is measured. */
static int start_clock(struct aq_live *live) {
    int rc = live->outside ? 0 : warm_up(live);
    if (!rc && !live->outside) rc = measure_lag(live);
    live->start_ns = uv_hrtime();
    return rc ? rc : live->rc;
}

/* ---- life ---- */

static int make_timer(struct aq_live *live) {
    live->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (live->timer_fd < 0 || uv_poll_init(&live->loop, &live->timer, live->timer_fd)) return AQ_EIO;
    live->timer_made = true;
    live->timer.data = live;
    return uv_poll_start(&live->timer, UV_READABLE, on_timer) ? AQ_EIO : 0;
}

static int make_keys(struct aq_live *live) {
    int rc = aq_zmq_curve_pair(&live->server_keys);
    return rc ? rc : aq_zmq_curve_pair(&live->client_keys);
}

/* Servers that run elsewhere have the keys that AllQueue's variables name. */
static int keys_of_environment(struct aq_live *live, struct aq_error *error) {
    int rc = aq_keys_env_read(&live->client_keys, live->server_keys.public_z85, error);
    if (rc) aq_error_prefix(error, "servers.connect");
    return rc;
}

/* Servers that run elsewhere: their ports are known, and proxies stand before them from the start. */
static int reach_servers(struct aq_live *live, struct aq_error *error) {
    for (uint32_t i = 0; i < live->port_count; i++) {
        struct port *port = &live->ports[i];
        const struct aq_address *address = &live->world->config.book->items[i];
        char host[AQ_ADDRESS_CHARS_MAX + 1];
        port->number = address->port;
        snprintf(host, sizeof host, "%.*s", (int)address->host_len, address->text);
        int rc = live->proxies ? put_proxy(live, port, host, error) : 0;
        if (rc) return rc;
    }
    return 0;
}

static int make_sockets(struct aq_live *live, struct aq_error *error) {
    const struct aq_scenario *s = live->world->scenario;
    uint32_t ours = s->clients.exec ? 0 : s->clients.count;
    uint32_t sockets =
        ours * (s->servers.count + 2) + s->servers.count + AQ_LIVE_LAG_SOCKETS + SOCKETS_CLOSING;
    int rc = aq_zmq_context_new(sockets, 1, &live->context, error);
    if (!rc && s->servers.connect)
        rc = keys_of_environment(live, error);
    else if (!rc)
        rc = make_keys(live);
    if (rc) return rc;
    struct aq_client_transport_config config = {.loop = &live->loop,
                                                .context = live->context,
                                                .keys = &live->client_keys,
                                                .server_public_z85 = live->server_keys.public_z85,
                                                .monitors_max = 256,
                                                .name_routes = true,
                                                .event = on_client_event,
                                                .owner = live};
    return aq_client_transport_new(&config, &live->clients, error);
}

int aq_live_new(struct aq_virtual *world, double speed, struct aq_live **out, struct aq_error *error) {
    struct aq_live *live = aq_alloc_zeroed(1, sizeof *live);
    if (!live) return AQ_ENOMEM;
    *live = (struct aq_live){.world = world, .speed = speed, .timer_fd = -1};
    live->proxies = needs_proxies(world->scenario);
    uint32_t count = world->scenario->servers.count;
    live->ports = aq_alloc_zeroed(count, sizeof *live->ports);
    int rc = live->ports ? 0 : AQ_ENOMEM;
    live->port_count = live->ports ? count : 0;
    for (uint32_t i = 0; i < live->port_count; i++)
        live->ports[i] = (struct port){.live = live, .server = i};
    if (!rc && uv_loop_init(&live->loop)) rc = AQ_EIO;
    live->loop_made = !rc;
    if (!rc) rc = make_timer(live);
    if (!rc) rc = make_sockets(live, error);
    if (!rc && world->scenario->servers.connect) rc = reach_servers(live, error);
    if (rc) {
        aq_live_free(live);
        return rc;
    }
    world->network = &live_network;
    world->network_self = live;
    *out = live;
    return 0;
}

static int open_gate(struct aq_live *live, const struct aq_live_outside *outside, struct aq_error *error) {
    struct aq_server_gate_config config = {.loop = &live->loop,
                                           .context = live->context,
                                           .list = outside->allowed,
                                           .refused = outside->refused,
                                           .owner = outside->owner};
    return aq_server_gate_open(&config, &live->gate, error);
}

int aq_live_serve_outside(struct aq_live *live, const struct aq_live_outside *outside,
                          struct aq_error *error) {
    live->outside = true;
    live->stranger = outside->stranger;
    live->stranger_owner = outside->owner;
    if (outside->server_keys) live->server_keys = *outside->server_keys;
    live->proxies = live->proxies || outside->proxies;
    for (uint32_t i = 0; i < live->port_count; i++) {
        uint16_t number = live->world->config.book->items[i].port;
        if (live->proxies)
            live->ports[i].outer = number;
        else
            live->ports[i].number = number;
    }
    return outside->allowed ? open_gate(live, outside, error) : 0;
}

const struct aq_error *aq_live_error(const struct aq_live *live) {
    return &live->error;
}

const struct aq_curve_pair *aq_live_client_keys(const struct aq_live *live) {
    return &live->client_keys;
}

const char *aq_live_server_public_z85(const struct aq_live *live) {
    return live->server_keys.public_z85;
}

struct uv_loop_s *aq_live_loop(struct aq_live *live) {
    return &live->loop;
}

void aq_live_enter(struct aq_live *live) {
    read_clock(live);
}

void aq_live_leave(struct aq_live *live, int rc) {
    settle(live, rc);
}

bool aq_live_has_proxies(const struct aq_live *live) {
    return live->proxies;
}

uint64_t aq_live_strangers(const struct aq_live *live) {
    return live->strangers;
}

struct aq_server_gate_counters aq_live_gate_counters(const struct aq_live *live) {
    return live->gate ? aq_server_gate_counters(live->gate) : (struct aq_server_gate_counters){0};
}

struct aq_lag aq_live_lag(const struct aq_live *live) {
    return live->lag ? aq_live_lag_measured(live->lag) : (struct aq_lag){0};
}

void aq_live_free(struct aq_live *live) {
    if (!live) return;
    aq_live_lag_end(live->lag);
    for (uint32_t i = 0; i < live->port_count; i++) {
        aq_server_transport_close(live->ports[i].transport, true);
        aq_proxy_free(live->ports[i].proxy);
    }
    aq_client_transport_free(live->clients);
    aq_server_gate_close(live->gate);
    if (live->timer_made) uv_close((uv_handle_t *)&live->timer, NULL);
    if (live->loop_made) {
        uv_run(&live->loop, UV_RUN_DEFAULT);
        uv_loop_close(&live->loop);
    }
    aq_live_lag_free(live->lag);
    aq_live_warm_free(live->warm);
    if (live->timer_fd >= 0) close(live->timer_fd);
    if (live->context) zmq_ctx_term(live->context);
    aq_curve_pair_wipe(&live->server_keys);
    aq_curve_pair_wipe(&live->client_keys);
    aq_free(live->ports);
    aq_free(live);
}
