#include "tests/transport/rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "protocol/codec.h"

int rig_count_files(void) {
    int count = 0;
    DIR *files = opendir("/proc/self/fd");
    assert_non_null(files);
    while (readdir(files))
        count++;
    closedir(files);
    return count;
}

/* Files that the libraries open once and keep. */
static void warm_up(void) {
    static bool warm;
    uv_loop_t loop;
    struct aq_curve_pair pair;
    if (warm) return;
    warm = true;
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_loop_close(&loop);
    assert_int_equal(aq_zmq_curve_pair(&pair), 0);
}

static void on_deadline(uv_timer_t *timer) {
    ((struct rig *)timer->data)->expired = true;
}

void rig_open(struct rig *rig) {
    struct aq_error error;
    warm_up();
    *rig = (struct rig){.files_before = rig_count_files()};
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    assert_int_equal(aq_zmq_context_new(16384, 1, &rig->context, &error), 0);
    assert_int_equal(aq_zmq_curve_pair(&rig->server_keys), 0);
    assert_int_equal(aq_zmq_curve_pair(&rig->client_keys), 0);
    assert_int_equal(aq_zmq_curve_pair(&rig->other_keys), 0);
    uv_timer_init(&rig->loop, &rig->deadline);
    rig->deadline.data = rig;
    uv_timer_start(&rig->deadline, on_deadline, RIG_DEADLINE_MS, 0);
    aq_zmq_queue_init(&rig->raw_queue, &rig->loop);
}

static void nothing(struct aq_zmq_queue *queue) {
    (void)queue;
}

void rig_close(struct rig *rig) {
    uv_close((uv_handle_t *)&rig->deadline, NULL);
    aq_zmq_queue_close(&rig->raw_queue, nothing);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    while (zmq_ctx_term(rig->context))
        continue;
    assert_int_equal(rig_count_files(), rig->files_before);
}

void rig_step(struct rig *rig, const char *file, int line) {
    uv_run(&rig->loop, UV_RUN_ONCE);
    if (rig->expired) fail_msg("%s:%d: waited %d ms in vain", file, line, RIG_DEADLINE_MS);
}

static void on_lingered(uv_timer_t *timer) {
    *(bool *)timer->data = true;
    uv_close((uv_handle_t *)timer, NULL);
}

void rig_linger(struct rig *rig, uint64_t ms) {
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&rig->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_lingered, ms, 0);
    RIG_UNTIL(rig, over && !uv_is_active((uv_handle_t *)&timer));
    uv_run(&rig->loop, UV_RUN_NOWAIT); /* the timer is on this stack: let the loop be done with it */
}

/* ---- port ---- */

static void on_request(void *owner, const struct aq_server_event *event) {
    struct port *port = owner;
    assert_int_equal(event->kind, AQ_SERVER_REQUEST);
    assert_true(port->count < RIG_SEEN_MAX);
    port->asked[port->count++] = (struct asked){.event = *event};
}

static void on_listening(void *owner, int rc, uint16_t number, const struct aq_error *error) {
    struct port *port = owner;
    assert_int_equal(port->listening, 0);
    assert_true(rc ? error != NULL && number == 0 : error == NULL && number != 0);
    port->listening = rc ? rc : 1;
    port->port = number;
    snprintf(port->endpoint, sizeof port->endpoint, "127.0.0.1:%u", number);
}

struct aq_server_transport_config port_config(struct port *port, struct rig *rig) {
    *port = (struct port){.rig = rig};
    return (struct aq_server_transport_config){.loop = &rig->loop,
                                               .context = rig->context,
                                               .keys = &rig->server_keys,
                                               .host = "127.0.0.1",
                                               .request = on_request,
                                               .listening = on_listening,
                                               .owner = port};
}

void port_open_with(struct port *port, const struct aq_server_transport_config *config) {
    struct aq_error error;
    assert_int_equal(aq_server_transport_open(config, &port->transport, &error), 0);
    RIG_UNTIL(port->rig, port->listening);
}

void port_open(struct port *port, struct rig *rig, uint16_t number) {
    struct aq_server_transport_config config = port_config(port, rig);
    config.port = number;
    config.bind_for_us = 10 * AQ_US_PER_S;
    port_open_with(port, &config);
    assert_int_equal(port->listening, 1);
    assert_int_equal(aq_server_transport_port(port->transport), port->port);
}

void port_close(struct port *port, bool abrupt) {
    aq_server_transport_close(port->transport, abrupt);
    port->transport = NULL;
}

void port_finish(struct port *port, uint32_t n) {
    assert_false(port->asked[n].finished);
    port->asked[n].finished = true;
    aq_server_transport_finished(port->transport, port->asked[n].event.token);
}

void port_reply(struct port *port, uint32_t n, const char *job_id) {
    const struct aq_server_event *event = &port->asked[n].event;
    struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE,
                             .action = event->request->action,
                             .has_job_id = true,
                             .job_id = aq_text_of(job_id)};
    assert_int_equal(aq_server_transport_reply(port->transport, event->peer, event->correlation, &reply), 0);
    port_finish(port, n);
}

/* ---- fleet ---- */

static void on_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    struct fleet *fleet = owner;
    assert_true(fleet->count < RIG_SEEN_MAX);
    struct told *told = &fleet->told[fleet->count++];
    *told = (struct told){
        .kind = event->kind, .client = client, .server = event->server, .correlation = event->correlation};
    if (event->kind == AQ_CLIENT_CONNECTED) fleet->up++;
    if (event->kind == AQ_CLIENT_DISCONNECTED) fleet->down++;
    if (event->kind == AQ_CLIENT_REPLY) fleet->replies++;
    if (event->reply) {
        struct aq_text text = event->reply->job_id.len ? event->reply->job_id : event->reply->error;
        told->has_reply = true;
        told->reply_kind = event->reply->kind;
        snprintf(told->text, sizeof told->text, "%.*s", AQ_TEXT_ARGS(text));
    }
    if (fleet->on_event) fleet->on_event(fleet, told);
}

static void on_trouble(void *owner, uint32_t client, uint32_t address, enum aq_client_trouble trouble,
                       const char *detail) {
    struct fleet *fleet = owner;
    (void)client;
    (void)address;
    assert_non_null(detail);
    fleet->troubles[trouble]++;
}

struct aq_client_transport_config fleet_config(struct fleet *fleet, struct rig *rig) {
    *fleet = (struct fleet){.rig = rig};
    return (struct aq_client_transport_config){.loop = &rig->loop,
                                               .context = rig->context,
                                               .keys = &rig->client_keys,
                                               .server_public_z85 = rig->server_keys.public_z85,
                                               .monitors_max = AQ_CLIENT_MONITORS_DEFAULT,
                                               .event = on_event,
                                               .trouble = on_trouble,
                                               .owner = fleet};
}

void fleet_open_with(struct fleet *fleet, const struct aq_client_transport_config *config) {
    assert_int_equal(aq_client_transport_new(config, &fleet->transport, NULL), 0);
}

void fleet_open(struct fleet *fleet, struct rig *rig) {
    struct aq_client_transport_config config = fleet_config(fleet, rig);
    fleet_open_with(fleet, &config);
}

void fleet_close(struct fleet *fleet) {
    aq_client_transport_free(fleet->transport);
    fleet->transport = NULL;
}

void fleet_put(struct fleet *fleet, uint32_t client, uint32_t address, uint32_t correlation,
               const char *body) {
    struct aq_request request = {.action = AQ_ACTION_PUT,
                                 .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                 .tube = AQ_TEXT("t"),
                                 .body = aq_text_of(body)};
    assert_int_equal(aq_client_transport_send(fleet->transport, client, address, correlation, &request), 0);
}

/* ---- raw ---- */

static bool look(struct aq_zmq_watch *watch) {
    struct raw *raw = (struct raw *)((char *)watch - offsetof(struct raw, watch));
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (!raw->closed && zmq_msg_recv(&frame, raw->socket, ZMQ_DONTWAIT) >= 0) {
        assert_true(raw->count < RIG_SEEN_MAX);
        struct raw_message *message = &raw->messages[raw->count++];
        *message = (struct raw_message){0};
        bool more = true;
        while (more) {
            assert_true(message->frames < RAW_FRAMES_MAX);
            uint32_t n = message->frames++;
            size_t size = zmq_msg_size(&frame), room = sizeof message->bytes[n] - 1;
            message->len[n] = (uint32_t)size;
            memcpy(message->bytes[n], zmq_msg_data(&frame), size < room ? size : room);
            more = zmq_msg_more(&frame);
            if (more) assert_true(zmq_msg_recv(&frame, raw->socket, ZMQ_DONTWAIT) >= 0);
        }
        if (raw->on_message) raw->on_message(raw, message);
    }
    zmq_msg_close(&frame);
    return false;
}

void raw_open(struct raw *raw, struct rig *rig, int type) {
    *raw = (struct raw){.rig = rig};
    raw->messages = aq_alloc_zeroed(RIG_SEEN_MAX, sizeof *raw->messages);
    raw->socket = zmq_socket(rig->context, type);
    assert_non_null(raw->messages);
    assert_non_null(raw->socket);
    raw_set(raw, ZMQ_LINGER, 0);
    aq_zmq_watch_init(&raw->watch, &rig->raw_queue, look);
}

void raw_set(struct raw *raw, int option, int value) {
    assert_int_equal(zmq_setsockopt(raw->socket, option, &value, sizeof value), 0);
}

void raw_curve_client(struct raw *raw, const struct aq_curve_pair *keys, const char *server_public) {
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_CURVE_SERVERKEY, server_public, 41), 0);
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_CURVE_PUBLICKEY, keys->public_z85, 41), 0);
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, keys->secret_z85, 41), 0);
}

void raw_curve_server(struct raw *raw, const struct aq_curve_pair *keys) {
    raw_set(raw, ZMQ_CURVE_SERVER, 1);
    assert_int_equal(zmq_setsockopt(raw->socket, ZMQ_CURVE_SECRETKEY, keys->secret_z85, 41), 0);
}

void raw_connect(struct raw *raw, const char *endpoint) {
    char full[80];
    snprintf(full, sizeof full, "tcp://%s", endpoint);
    assert_int_equal(zmq_connect(raw->socket, full), 0);
    assert_int_equal(aq_zmq_watch_open(&raw->watch, raw->socket), 0);
}

void raw_bind(struct raw *raw, char endpoint[64]) {
    char full[80];
    size_t size = sizeof full;
    assert_int_equal(zmq_bind(raw->socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(raw->socket, ZMQ_LAST_ENDPOINT, full, &size), 0);
    snprintf(endpoint, 64, "%.63s", full + strlen("tcp://"));
    assert_int_equal(aq_zmq_watch_open(&raw->watch, raw->socket), 0);
}

void raw_send(struct raw *raw, ...) {
    va_list args;
    va_start(args, raw);
    const char *frame = va_arg(args, const char *);
    while (frame) {
        const char *next = va_arg(args, const char *);
        assert_true(zmq_send(raw->socket, frame, strlen(frame), ZMQ_DONTWAIT | (next ? ZMQ_SNDMORE : 0)) >=
                    0);
        frame = next;
    }
    va_end(args);
    aq_zmq_watch_wake(&raw->watch);
}

static void on_raw_closed(struct aq_zmq_watch *watch) {
    struct raw *raw = (struct raw *)((char *)watch - offsetof(struct raw, watch));
    raw->socket = NULL;
}

void raw_close(struct raw *raw) {
    raw->closed = true;
    assert_true(aq_zmq_watch_close(&raw->watch, on_raw_closed));
    RIG_UNTIL(raw->rig, !raw->socket);
    aq_free(raw->messages);
}

/* ---- TCP ---- */

int tcp_listen(char endpoint[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(endpoint, 64, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static int try_to_connect(const char *endpoint) {
    char host[64];
    struct sockaddr_in to;
    const char *colon = strchr(endpoint, ':');
    snprintf(host, sizeof host, "%.*s", (int)(colon - endpoint), endpoint);
    assert_int_equal(uv_ip4_addr(host, atoi(colon + 1), &to), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

int tcp_connect(const char *endpoint) {
    int fd = try_to_connect(endpoint);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

bool tcp_answers(const char *endpoint) {
    int fd = try_to_connect(endpoint);
    if (fd >= 0) close(fd);
    return fd >= 0;
}
