/* How fast requests and replies go over real sockets, beside bare libzmq in the same run: the machine's speed
 * cancels out in the ratio.
 *
 * bare   DEALER sockets and one ROUTER socket a server, CURVE, one process and one loop, looked at as the
 *        transports do: texts of the same length go there and back, and nobody reads them.
 * whole  the same number of connections, and as many requests under way, through client core, codec,
 *        transports and fake server core: callers put a job, fetch one and complete it, each as soon as the
 *        call before is answered.
 *
 * Bare is measured before and after the other, for the machine's speed drifts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>
#include <zmq.h>

#include "base/deadlines.h"
#include "base/memory.h"
#include "base/units.h"
#include "client/transport_zmq.h"
#include "fakeserver/transport_zmq.h"
#include "protocol/loop_zmq.h"

#define SERVERS            4
#define CALLERS_PER_CLIENT 5
#define IO_THREADS         1
#define WARM_UP_S          1.0
#define CONNECT_S          180 /* a CURVE handshake takes some milliseconds of processor time */
#define FILES_BESIDES      200

/* As long as what the whole sends and gets on average. */
#define BARE_REQUEST                                                                                         \
    "{\"action\":\"done\",\"params\":{\"job_id\":\"0123456789abcdefghijkl\",\"tube\":\"bench\",\"b\":\"\"}}"
#define BARE_REPLY                                                                                              \
    "{\"response\":{\"action\":\"get\",\"job\":{\"job_id\":\"0123456789abcdefghijkl\",\"body\":\"0123456789\"," \
    "\"tube\":\"bench\",\"expireds\":\"0\",\"releases\":\"0\"}},\"job\":{}}"

static const uint32_t sizes[] = {25, 1000}; /* clients */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static aq_time_us now_us(void) {
    return uv_hrtime() / 1000;
}

static void fail(const char *what) {
    fprintf(stderr, "bench_live: %s\n", what);
    exit(70);
}

static void check(int rc, const char *what) {
    if (rc) fail(what);
}

/* What both have in common. */
struct bench {
    uv_loop_t loop;
    void *context;
    struct aq_curve_pair server_keys, client_keys;
    uint32_t clients, connections, callers;
    uint32_t up;      /* connections */
    uint64_t answers; /* that have come back */
    bool stop;        /* ask nothing more */
    bool ticked;
    uv_timer_t tick; /* so that the loop comes back to look at the clock */
};

static void on_tick(uv_timer_t *timer) {
    ((struct bench *)timer->data)->ticked = true;
}

static void open_bench(struct bench *b, uint32_t clients) {
    *b = (struct bench){
        .clients = clients, .connections = clients * SERVERS, .callers = clients * CALLERS_PER_CLIENT};
    check(uv_loop_init(&b->loop), "no loop");
    check(aq_zmq_context_new(b->connections * 3 + 64, IO_THREADS, &b->context, NULL), "no context");
    check(aq_zmq_curve_pair(&b->server_keys) || aq_zmq_curve_pair(&b->client_keys), "no CURVE in libzmq");
    uv_timer_init(&b->loop, &b->tick);
    b->tick.data = b;
    uv_timer_start(&b->tick, on_tick, 5, 5);
}

static void close_bench(struct bench *b) {
    uv_close((uv_handle_t *)&b->tick, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    check(uv_loop_close(&b->loop), "a handle was left open");
    while (zmq_ctx_term(b->context))
        continue;
}

static void wait_until_up(struct bench *b) {
    double end = seconds() + CONNECT_S;
    while (b->up < b->connections) {
        uv_run(&b->loop, UV_RUN_ONCE);
        if (seconds() > end) fail("not all connections came up");
    }
}

static void run_for(struct bench *b, double for_s) {
    double end = seconds() + for_s;
    do {
        b->ticked = false;
        while (!b->ticked)
            uv_run(&b->loop, UV_RUN_ONCE);
    } while (seconds() < end);
}

struct rate {
    uint64_t answers;
    double seconds;
    double processor_s; /* of all threads: what other programs do at the same time does not count */
};

static double per_s(const struct rate *rate) {
    return (double)rate->answers / rate->seconds;
}

static double per_processor_s(const struct rate *rate) {
    return (double)rate->answers / rate->processor_s;
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Once everything is warm. Adds to *rate. */
static void measure(struct bench *b, double for_s, struct rate *rate) {
    run_for(b, WARM_UP_S);
    double start = seconds(), processor = processor_seconds();
    uint64_t before = b->answers;
    run_for(b, for_s);
    rate->seconds += seconds() - start;
    rate->processor_s += processor_seconds() - processor;
    rate->answers += b->answers - before;
    b->stop = true;
}

/* ---- bare ---- */

struct bare_socket {
    struct aq_zmq_watch watch;
    struct bench *bench;
    uint32_t under_way; /* requests that it keeps under way */
    bool server, up;
};

static void bare_send(void *socket, const void *route, size_t route_len, uint32_t correlation,
                      const char *text, size_t len) {
    const int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    if (route_len) zmq_send(socket, route, route_len, more);
    zmq_send(socket, &correlation, sizeof correlation, more);
    zmq_send(socket, "", 0, more);
    zmq_send(socket, text, len, ZMQ_DONTWAIT);
}

/* False where nothing waits. */
static bool bare_receive(void *socket, zmq_msg_t *frame, char route[256], size_t *route_len) {
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) return false;
    *route_len = zmq_msg_size(frame);
    memcpy(route, zmq_msg_data(frame), *route_len < 256 ? *route_len : 256);
    while (zmq_msg_more(frame) && zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0)
        continue;
    return true;
}

static void bare_came_up(struct bare_socket *s) {
    s->up = true;
    s->bench->up++;
}

static void bare_answered(struct bare_socket *s) {
    s->bench->answers++;
    if (!s->bench->stop) bare_send(s->watch.socket, NULL, 0, 1, BARE_REQUEST, sizeof BARE_REQUEST - 1);
}

static bool bare_look(struct aq_zmq_watch *watch) {
    struct bare_socket *s = (struct bare_socket *)watch; /* its first member */
    char route[256];
    size_t route_len;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (!s->server && !s->up && aq_zmq_events(watch->socket) & ZMQ_POLLOUT) bare_came_up(s);
    int left = AQ_ZMQ_LOOK_BUDGET;
    for (; left > 0 && bare_receive(watch->socket, &frame, route, &route_len); left--) {
        if (s->server)
            bare_send(watch->socket, route, route_len, 1, BARE_REPLY, sizeof BARE_REPLY - 1);
        else
            bare_answered(s);
    }
    zmq_msg_close(&frame);
    return left == 0 || aq_zmq_events(watch->socket) & ZMQ_POLLIN;
}

static void set_int(void *socket, int option, int value) {
    check(zmq_setsockopt(socket, option, &value, sizeof value), "an option of libzmq");
}

static void bare_bind(struct bare_socket *s, char endpoint[64]) {
    size_t size = 64;
    void *socket = zmq_socket(s->bench->context, ZMQ_ROUTER);
    if (!socket) fail("no socket");
    set_int(socket, ZMQ_LINGER, 0);
    set_int(socket, ZMQ_BACKLOG, 1024);
    set_int(socket, ZMQ_CURVE_SERVER, 1);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, s->bench->server_keys.secret_z85, 41);
    check(zmq_bind(socket, "tcp://127.0.0.1:*"), "cannot listen");
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    s->server = true;
    check(aq_zmq_watch_open(&s->watch, socket), "cannot watch");
}

static void bare_connect(struct bare_socket *s, const char *endpoint) {
    void *socket = zmq_socket(s->bench->context, ZMQ_DEALER);
    if (!socket) fail("no socket");
    set_int(socket, ZMQ_LINGER, 0);
    set_int(socket, ZMQ_IMMEDIATE, 1);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, s->bench->server_keys.public_z85, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, s->bench->client_keys.public_z85, 41);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, s->bench->client_keys.secret_z85, 41);
    check(zmq_connect(socket, endpoint), "cannot connect");
    check(aq_zmq_watch_open(&s->watch, socket), "cannot watch");
}

static void bare_closed(struct aq_zmq_watch *watch) {
    (void)watch;
}

static void queue_closed(struct aq_zmq_queue *queue) {
    (void)queue;
}

static void time_bare(uint32_t clients, double for_s, struct rate *rate) {
    struct bench b;
    struct aq_zmq_queue queue;
    char endpoints[SERVERS][64];
    open_bench(&b, clients);
    uint32_t count = b.connections + SERVERS;
    struct bare_socket *sockets = aq_alloc_zeroed(count, sizeof *sockets);
    if (!sockets) fail("out of memory");
    aq_zmq_queue_init(&queue, &b.loop);
    for (uint32_t i = 0; i < count; i++) {
        sockets[i].bench = &b;
        aq_zmq_watch_init(&sockets[i].watch, &queue, bare_look);
        if (i < SERVERS)
            bare_bind(&sockets[i], endpoints[i]);
        else
            bare_connect(&sockets[i], endpoints[i % SERVERS]);
    }
    wait_until_up(&b);
    for (uint32_t i = 0; i < b.callers; i++) {
        struct bare_socket *s = &sockets[SERVERS + i % b.connections];
        bare_send(s->watch.socket, NULL, 0, 1, BARE_REQUEST, sizeof BARE_REQUEST - 1);
        aq_zmq_watch_wake(&s->watch);
    }
    measure(&b, for_s, rate);
    for (uint32_t i = 0; i < count; i++)
        aq_zmq_watch_close(&sockets[i].watch, bare_closed);
    aq_zmq_queue_close(&queue, queue_closed);
    close_bench(&b);
    aq_free(sockets);
}

/* ---- whole ---- */

struct whole;

struct whole_server {
    struct whole *whole;
    struct aq_server *core;
    struct aq_server_transport *transport;
};

struct whole_caller {
    struct aq_request request;
    char job_id[AQ_JOB_REF_CHARS_MAX + 1];
};

struct whole {
    struct bench bench;
    struct aq_service_model service; /* no time at all */
    struct aq_client_policy policy;  /* strict, but patient: thousands connect at once */
    struct whole_server servers[SERVERS];
    uint32_t addresses[SERVERS];
    struct aq_address_book book;
    struct aq_client **cores;
    struct aq_client_transport *transport;
    struct aq_client_effects client_effects;
    struct aq_server_effects server_effects;
    struct aq_deadlines wakes; /* of clients, then servers */
    uv_timer_t wake;
    struct whole_caller *callers;
    uint32_t *idle; /* callers whose call was answered in this step */
    uint32_t idle_count;
    bool started;      /* all connections are up: the callers go to work */
    uint64_t troubled; /* answers that were not as they should be */
};

static void want_wake(struct whole *w, uint32_t id, aq_time_us at_us) {
    check(aq_deadlines_set(&w->wakes, id, at_us), "out of memory");
}

static void server_step(struct whole_server *server, const struct aq_server_event *event) {
    struct whole *w = server->whole;
    struct aq_server_effects *effects = &w->server_effects;
    check(aq_server_step(server->core, now_us(), event, effects), "a server failed");
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct aq_server_effect *e = &effects->items[i];
        if (e->kind == AQ_SERVER_REPLY)
            check(aq_server_transport_reply(server->transport, e->peer, e->correlation, &e->reply),
                  "a reply cannot be sent");
        else if (e->kind == AQ_SERVER_FINISHED)
            aq_server_transport_finished(server->transport, e->token);
    }
    want_wake(w, w->bench.clients + (uint32_t)(server - w->servers), aq_server_next_wake(server->core));
}

static void on_request(void *owner, const struct aq_server_event *event) {
    server_step(owner, event);
}

static void on_listening(void *owner, int rc, uint16_t port, const struct aq_error *error) {
    (void)owner;
    (void)port;
    if (rc) fail(error->text);
}

static const struct aq_request put = {.action = AQ_ACTION_PUT,
                                      .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                      .tube = {"bench", 5},
                                      .body = {"0123456789", 10}};

/* Put, get, done, and again; a get that finds nothing is followed by a put. */
static void next_request(struct whole *w, struct whole_caller *caller, const struct aq_client_effect *e) {
    const struct aq_reply *reply = e->reply;
    if (e->outcome != AQ_OUTCOME_OK) w->troubled++;
    bool found = caller->request.action == AQ_ACTION_GET && reply && reply->job_count;
    if (found) {
        snprintf(caller->job_id, sizeof caller->job_id, "%.*s", AQ_TEXT_ARGS(reply->jobs[0].job_id));
        caller->request = (struct aq_request){
            .action = AQ_ACTION_DONE, .given = AQ_PARAM_JOB_ID, .job_id = aq_text_of(caller->job_id)};
    } else if (caller->request.action == AQ_ACTION_PUT) {
        caller->request =
            (struct aq_request){.action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE, .tube = AQ_TEXT("bench")};
    } else {
        caller->request = put;
    }
    w->idle[w->idle_count++] = (uint32_t)e->call;
}

static void carry_out(struct whole *w, uint32_t client, const struct aq_client_effect *e) {
    switch (e->kind) {
    case AQ_CLIENT_CONNECT:
        check(
            aq_client_transport_connect(w->transport, client, e->server, w->book.items[e->server].text, NULL),
            "out of memory");
        break;
    case AQ_CLIENT_CLOSE: aq_client_transport_close(w->transport, client, e->server); break;
    case AQ_CLIENT_SEND:
        check(aq_client_transport_send(w->transport, client, e->server, e->correlation, &e->request),
              "a request cannot be sent");
        break;
    case AQ_CLIENT_ANSWER:
        w->bench.answers++;
        next_request(w, &w->callers[e->call], e);
        break;
    default: break;
    }
}

static void one_step(struct whole *w, uint32_t client, const struct aq_client_event *event) {
    struct aq_client_effects *effects = &w->client_effects;
    check(aq_client_step(w->cores[client], now_us(), event, effects), "a client failed");
    for (uint32_t i = 0; i < effects->count; i++)
        carry_out(w, client, &effects->items[i]);
    want_wake(w, client, aq_client_next_wake(w->cores[client]));
}

static void call(struct whole *w, uint32_t caller) {
    one_step(w, caller / CALLERS_PER_CLIENT,
             &(struct aq_client_event){.kind = AQ_CLIENT_CALL,
                                       .server = UINT32_MAX,
                                       .call = caller,
                                       .request = &w->callers[caller].request});
}

static void make_calls(struct whole *w) {
    while (w->idle_count && w->started && !w->bench.stop)
        call(w, w->idle[--w->idle_count]);
}

static void on_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    struct whole *w = owner;
    if (event->kind == AQ_CLIENT_CONNECTED) w->bench.up++;
    if (event->kind == AQ_CLIENT_DISCONNECTED) w->troubled++;
    one_step(w, client, event);
    make_calls(w);
}

static void on_wake(uv_timer_t *timer) {
    struct whole *w = timer->data;
    uint32_t id;
    while (aq_deadlines_take_due(&w->wakes, now_us(), &id)) {
        if (id < w->bench.clients)
            one_step(w, id, &(struct aq_client_event){.kind = AQ_CLIENT_WAKE, .server = UINT32_MAX});
        else
            server_step(&w->servers[id - w->bench.clients],
                        &(struct aq_server_event){.kind = AQ_SERVER_WAKE});
    }
    make_calls(w);
}

static void open_server(struct whole *w, uint32_t n) {
    struct whole_server *server = &w->servers[n];
    struct bench *b = &w->bench;
    char text[64];
    server->whole = w;
    struct aq_server_config core = {.policy = &aq_server_policy_strict,
                                    .service = &w->service,
                                    .default_ttl_s = 3600,
                                    .queue_max = 100000};
    aq_random_init(&core.random, 1, "server", n);
    struct aq_server_transport_config config = {.loop = &b->loop,
                                                .context = b->context,
                                                .keys = &b->server_keys,
                                                .host = "127.0.0.1",
                                                .request = on_request,
                                                .listening = on_listening,
                                                .owner = server};
    struct aq_error error;
    check(aq_server_new(&core, &server->core), "out of memory");
    if (aq_server_transport_open(&config, &server->transport, &error)) fail(error.text);
    snprintf(text, sizeof text, "127.0.0.1:%u", aq_server_transport_port(server->transport));
    check(aq_address_book_add(&w->book, aq_text_of(text), &w->addresses[n], NULL), "out of memory");
}

static void open_client(struct whole *w, uint32_t n) {
    struct aq_client_config config = {
        .book = &w->book, .policy = &w->policy, .servers = w->addresses, .server_count = SERVERS};
    aq_random_init(&config.random, 1, "client", n);
    check(aq_client_new(&config, &w->cores[n]), "out of memory");
}

static void open_whole(struct whole *w, uint32_t clients) {
    struct bench *b = &w->bench;
    open_bench(b, clients);
    w->policy = aq_client_policy_strict;
    w->policy.connect_timeout_us = w->policy.request_timeout_us = w->policy.call_timeout_us =
        2 * CONNECT_S * AQ_US_PER_S;
    w->cores = aq_alloc_zeroed(clients, sizeof *w->cores);
    w->callers = aq_alloc_zeroed(b->callers, sizeof *w->callers);
    w->idle = aq_alloc_zeroed(b->callers, sizeof *w->idle);
    if (!w->cores || !w->callers || !w->idle) fail("out of memory");
    for (uint32_t i = 0; i < SERVERS; i++)
        open_server(w, i);
    struct aq_client_transport_config config = {.loop = &b->loop,
                                                .context = b->context,
                                                .keys = &b->client_keys,
                                                .server_public_z85 = b->server_keys.public_z85,
                                                .event = on_event,
                                                .owner = w};
    check(aq_client_transport_new(&config, &w->transport, NULL), "out of memory");
    for (uint32_t i = 0; i < clients; i++)
        open_client(w, i);
    uv_timer_init(&b->loop, &w->wake);
    w->wake.data = w;
    uv_timer_start(&w->wake, on_wake, 10, 10);
}

static void close_whole(struct whole *w) {
    aq_client_transport_free(w->transport);
    for (uint32_t i = 0; i < SERVERS; i++) {
        aq_server_transport_close(w->servers[i].transport, true);
        aq_server_free(w->servers[i].core);
    }
    uv_close((uv_handle_t *)&w->wake, NULL);
    close_bench(&w->bench);
    for (uint32_t i = 0; i < w->bench.clients; i++)
        aq_client_free(w->cores[i]);
    aq_free(w->cores);
    aq_free(w->callers);
    aq_free(w->idle);
    aq_address_book_close(&w->book);
    aq_client_effects_close(&w->client_effects);
    aq_server_effects_close(&w->server_effects);
    aq_deadlines_close(&w->wakes);
}

/* A call to every server makes every connection; then every caller starts to put, get and complete. */
static void time_whole(uint32_t clients, double for_s, struct rate *rate) {
    struct whole *w = aq_alloc_zeroed(1, sizeof *w);
    if (!w) fail("out of memory");
    open_whole(w, clients);
    for (uint32_t i = 0; i < clients; i++) {
        w->callers[i * CALLERS_PER_CLIENT].request = (struct aq_request){.action = AQ_ACTION_PING};
        call(w, i * CALLERS_PER_CLIENT);
    }
    wait_until_up(&w->bench);
    for (uint32_t i = 0; i < w->bench.callers; i++) {
        if (i % CALLERS_PER_CLIENT == 0) continue; /* goes on when its ping is answered */
        w->callers[i].request = put;
        w->idle[w->idle_count++] = i;
    }
    w->started = true;
    make_calls(w);
    measure(&w->bench, for_s, rate);
    if (w->troubled) fprintf(stderr, "bench_live: %llu calls failed\n", (unsigned long long)w->troubled);
    close_whole(w);
    aq_free(w);
}

static uint64_t raise_file_limit(void) {
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit), "no limit of files");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

int main(int argc, char **argv) {
    double for_s = argc > 1 ? atof(argv[1]) : 3;
    uint32_t largest = argc > 2 ? (uint32_t)atol(argv[2]) : 4000;
    if (for_s <= 0 || argc > 3) {
        fprintf(stderr, "usage: bench_live [SECONDS_PER_MEASUREMENT [LARGEST_NUMBER_OF_CONNECTIONS]]\n");
        return 64;
    }
    uint64_t files = raise_file_limit();
    printf("                               per second                  per processor second\n"
           "connections  clients  callers     bare    whole  whole/bare     bare    whole  whole/bare\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && sizes[i] * SERVERS <= largest; i++) {
        uint32_t clients = sizes[i], connections = clients * SERVERS;
        if (connections * 3 + FILES_BESIDES > files) {
            printf("%11u: needs %u files, the limit is %llu\n", connections, connections * 3 + FILES_BESIDES,
                   (unsigned long long)files);
            continue;
        }
        struct rate bare = {0}, whole = {0};
        time_bare(clients, for_s / 2, &bare);
        time_whole(clients, for_s, &whole);
        time_bare(clients, for_s / 2, &bare);
        printf("%11u %8u %8u %8.0f %8.0f %11.2f %8.0f %8.0f %11.2f\n", connections, clients,
               clients * CALLERS_PER_CLIENT, per_s(&bare), per_s(&whole), per_s(&whole) / per_s(&bare),
               per_processor_s(&bare), per_processor_s(&whole),
               per_processor_s(&whole) / per_processor_s(&bare));
        fflush(stdout);
    }
    return 0;
}
