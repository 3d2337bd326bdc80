#include "client/rest_mhd.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/app_answers.h"
#include "client/rest_routes.h"

#define SWEEP_MS_MAX 1000

/* What a connection waits for. */
enum phase {
    PHASE_REQUEST, /* for the peer: a request that is complete */
    PHASE_SERVERS, /* for the servers */
    PHASE_ANSWER,  /* for the peer: that it takes the answer */
    PHASE_CUT,     /* for nothing more: it took too long */
};

struct connection {
    struct connection *next, *prev;
    struct aq_rest *rest;
    int fd;
    enum phase phase;
    bool in_request; /* its head has come */
    uint64_t since_ms;
};

struct request {
    struct request *next, *prev;
    struct aq_rest *rest;
    struct connection *from;
    struct MHD_Connection *connection;
    struct aq_rest_match match;
    struct aq_text_out body; /* as far as it has come */
    size_t seen;             /* bytes of the body that have come */
    bool too_long;
    bool no_room; /* too much is being received */
    bool begun;   /* submitted, or turned away */
    bool suspended;
    uint64_t call;   /* 0: none under way */
    unsigned status; /* 0: not answered yet */
    struct aq_text_out answer;
    struct aq_text_out missing; /* of stats: who did not answer */
};

struct aq_rest {
    struct aq_rest_config config;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t due, sweep;
    uint32_t open_handles;
    struct connection *connections;
    uint32_t connection_count;
    struct request *requests;
    size_t received; /* bytes of all bodies */
    bool draining, closing, running;
    bool resumed; /* since MHD_run was called last */
};

static uint64_t now_ms(const struct aq_rest *rest) {
    return uv_now(rest->config.loop);
}

static void enter(struct connection *c, enum phase phase) {
    if (c->phase == PHASE_CUT) return;
    c->phase = phase;
    c->since_ms = now_ms(c->rest);
}

/* ---- answers ---- */

static enum MHD_Result queue_answer(struct request *r) {
    struct aq_rest *rest = r->rest;
    if (r->answer.failed) return MHD_NO;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        r->answer.bytes.len, r->answer.bytes.len ? r->answer.bytes.at : "", MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    bool metrics = r->match.route && r->match.kind == AQ_REST_METRICS;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            metrics ? "text/plain; version=0.0.4; charset=utf-8" : "application/json");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, r->match.allow);
    if (r->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (r->missing.bytes.len) MHD_add_response_header(response, "X-AllQ-Incomplete", r->missing.bytes.at);
    if (rest->draining) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    enter(r->from, PHASE_ANSWER);
    return result;
}

/* An answer that does not come from a server. Upstream says nothing, with status 200. */
static void turn_away(struct request *r, unsigned status, enum aq_outcome outcome, const char *why) {
    r->begun = true;
    r->status = r->rest->config.upstream ? MHD_HTTP_OK : status;
    aq_text_out_reset(&r->answer);
    if (!r->rest->config.upstream) aq_app_answers_failure(&r->answer, why, outcome);
}

static void on_due(uv_timer_t *timer);

/* Takes effect in the next MHD_run, for which nothing but this asks. */
static void resume(struct request *r) {
    if (!r->suspended) return;
    r->suspended = false;
    MHD_resume_connection(r->connection);
    r->rest->resumed = true;
    if (!r->rest->running) uv_timer_start(&r->rest->due, on_due, 0, 0);
}

static void answered(void *asker, uint64_t tag, const struct aq_gateway_answer *answer) {
    struct request *r = asker;
    (void)tag;
    r->call = 0;
    r->status = aq_app_answers_rest(r->rest->config.gateway, r->rest->config.upstream, answer, &r->answer);
    const struct aq_reply *reply = answer->outcome == AQ_OUTCOME_OK ? answer->reply : NULL;
    if (reply && reply->kind == AQ_REPLY_STATS && reply->has_error)
        aq_text_out_format(&r->missing, "%.*s%c", AQ_TEXT_ARGS(reply->error), 0);
    resume(r);
}

/* ---- requests ---- */

static bool look_up(void *context, const char *name, struct aq_text *out) {
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(context, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &len) !=
        MHD_YES)
        return false;
    *out = (struct aq_text){value ? value : "", value ? (uint32_t)len : 0};
    return true;
}

static void answer_here(struct request *r) {
    struct aq_gateway *gateway = r->rest->config.gateway;
    r->status = MHD_HTTP_OK;
    if (r->match.kind == AQ_REST_METRICS) {
        aq_gateway_write_metrics(gateway, &r->answer);
        return;
    }
    aq_gateway_write_health(gateway, &r->answer);
    if (aq_gateway_well_servers(gateway) == 0) r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
}

static void submit(struct request *r) {
    const struct aq_rest_config *config = &r->rest->config;
    struct aq_text body = {r->body.bytes.at, r->body.bytes.len};
    struct aq_text_out json = {0};
    struct aq_error error = {0};
    if (aq_rest_routes_request(r->match.route, config->upstream, body, look_up, r->connection, &json,
                               &error)) {
        turn_away(r, MHD_HTTP_BAD_REQUEST, AQ_OUTCOME_INVALID, error.text);
    } else if (json.failed) {
        turn_away(r, MHD_HTTP_SERVICE_UNAVAILABLE, AQ_OUTCOME_UNAVAILABLE, "out of memory");
    } else {
        uint64_t call = aq_gateway_submit(config->gateway, json.bytes.at, json.bytes.len, answered, r, 0);
        if (!r->status) r->call = call;
    }
    aq_text_out_close(&json);
}

/* The request has come whole. */
static void begin(struct request *r) {
    r->begun = true;
    enter(r->from, PHASE_SERVERS);
    if (r->too_long)
        turn_away(r, MHD_HTTP_CONTENT_TOO_LARGE, AQ_OUTCOME_INVALID, "the body is too long");
    else if (r->no_room || r->body.failed)
        turn_away(r, MHD_HTTP_SERVICE_UNAVAILABLE, AQ_OUTCOME_UNAVAILABLE, "too much is being received");
    else if (r->rest->draining)
        turn_away(r, MHD_HTTP_SERVICE_UNAVAILABLE, AQ_OUTCOME_UNAVAILABLE, "this client is ending");
    else if (!r->match.route && r->match.known_path)
        turn_away(r, MHD_HTTP_METHOD_NOT_ALLOWED, AQ_OUTCOME_INVALID, "this path does not have this method");
    else if (!r->match.route)
        turn_away(r, MHD_HTTP_NOT_FOUND, AQ_OUTCOME_INVALID, "there is no such path");
    else if (r->match.kind == AQ_REST_CALL)
        submit(r);
    else
        answer_here(r);
    /* What has been received is no longer needed. */
    r->rest->received -= r->body.bytes.len;
    aq_text_out_close(&r->body);
}

/* False where the connection must be cut. */
static bool receive(struct request *r, const char *at, size_t len) {
    struct aq_rest *rest = r->rest;
    r->seen += len;
    r->too_long = r->seen > rest->config.body_bytes_max;
    if (r->too_long) return r->seen <= rest->config.body_bytes_max + AQ_REST_DISCARDED_MAX;
    if (!r->match.route || !r->match.body) return true; /* nobody reads it */
    if (rest->received + len > AQ_REST_RECEIVED_BYTES_MAX) r->no_room = true;
    if (r->no_room || r->body.failed) return true;
    uint32_t before = r->body.bytes.len;
    aq_text_out_add(&r->body, at, len);
    rest->received += r->body.bytes.len;
    rest->received -= before;
    return true;
}

/* A length that is announced and too long is answered before the body comes, where the peer waits for that or
   the body is not worth reading to its end. */
static bool is_hopeless(struct MHD_Connection *connection, uint32_t max) {
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!text) return false;
    unsigned long long len = strtoull(text, NULL, 10);
    if (len <= max) return false;
    return len > AQ_REST_DISCARDED_MAX ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
}

static struct request *new_request(struct aq_rest *rest, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *from = info ? info->socket_context : NULL;
    if (!from) return NULL;
    struct request *r = aq_alloc_zeroed(1, sizeof *r);
    if (!r) return NULL;
    r->rest = rest;
    r->from = from;
    r->connection = connection;
    r->next = rest->requests;
    if (r->next) r->next->prev = r;
    rest->requests = r;
    from->in_request = true;
    return r;
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context) {
    struct aq_rest *rest = owner;
    struct request *r = *context;
    (void)version;
    if (!r) {
        if (!(r = new_request(rest, connection))) return MHD_NO;
        *context = r;
        r->match = aq_rest_routes_find(rest->config.upstream, method, path);
        if (!is_hopeless(connection, rest->config.body_bytes_max)) return MHD_YES;
        turn_away(r, MHD_HTTP_CONTENT_TOO_LARGE, AQ_OUTCOME_INVALID, "the body is too long");
        return queue_answer(r);
    }
    if (*upload_len) {
        size_t len = *upload_len;
        *upload_len = 0;
        return receive(r, upload, len) ? MHD_YES : MHD_NO;
    }
    if (!r->begun) begin(r);
    if (r->status) return queue_answer(r);
    r->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static void on_completed(void *owner, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code) {
    struct aq_rest *rest = owner;
    struct request *r = *context;
    (void)connection;
    (void)code;
    if (!r) return;
    if (r->call) aq_gateway_forget(rest->config.gateway, r->call);
    if (r->next) r->next->prev = r->prev;
    *(r->prev ? &r->prev->next : &rest->requests) = r->next;
    rest->received -= r->body.bytes.len;
    r->from->in_request = false;
    enter(r->from, PHASE_REQUEST);
    aq_text_out_close(&r->body);
    aq_text_out_close(&r->answer);
    aq_text_out_close(&r->missing);
    aq_free(r);
    *context = NULL;
}

/* ---- connections ---- */

static void add_connection(struct aq_rest *rest, struct MHD_Connection *connection, void **context) {
    struct aq_gateway_traffic *traffic = aq_gateway_traffic(rest->config.gateway, AQ_GATEWAY_HTTP);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = aq_alloc_zeroed(1, sizeof *c);
    if (!c) return; /* its requests will find no context, and be cut */
    c->rest = rest;
    c->fd = info ? info->connect_fd : -1;
    enter(c, PHASE_REQUEST);
    c->next = rest->connections;
    if (c->next) c->next->prev = c;
    rest->connections = c;
    rest->connection_count++;
    traffic->accepted++;
    traffic->connections++;
    *context = c;
}

static void on_notify_connection(void *owner, struct MHD_Connection *connection, void **context,
                                 enum MHD_ConnectionNotificationCode code) {
    struct aq_rest *rest = owner;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add_connection(rest, connection, context);
        return;
    }
    struct connection *c = *context;
    if (!c) return;
    if (c->next) c->next->prev = c->prev;
    *(c->prev ? &c->prev->next : &rest->connections) = c->next;
    rest->connection_count--;
    aq_gateway_traffic(rest->config.gateway, AQ_GATEWAY_HTTP)->connections--;
    aq_free(c);
    *context = NULL;
}

/* libmicrohttpd then finds the end of the stream, and closes. */
static void cut(struct connection *c) {
    c->phase = PHASE_CUT;
    shutdown(c->fd, SHUT_RDWR);
}

/* Whether the peer has begun a request that has not been read yet. */
static bool has_unread(const struct connection *c) {
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void on_sweep(uv_timer_t *timer) {
    struct aq_rest *rest = timer->data;
    uint64_t now = now_ms(rest);
    for (struct connection *c = rest->connections; c; c = c->next) {
        bool waits = c->phase == PHASE_REQUEST || c->phase == PHASE_ANSWER;
        if (waits && now - c->since_ms >= rest->config.idle_ms) {
            aq_gateway_traffic(rest->config.gateway, AQ_GATEWAY_HTTP)->timed_out++;
            cut(c);
        } else if (rest->draining && c->phase == PHASE_REQUEST && !c->in_request && !has_unread(c)) {
            cut(c);
        }
    }
}

/* ---- the loop ---- */

static void run(struct aq_rest *rest) {
    MHD_UNSIGNED_LONG_LONG due_ms;
    if (rest->running || rest->closing) return;
    rest->running = true;
    do {
        rest->resumed = false;
        MHD_run(rest->daemon);
    } while (rest->resumed);
    rest->running = false;
    if (MHD_get_timeout(rest->daemon, &due_ms) == MHD_YES)
        uv_timer_start(&rest->due, on_due, due_ms, 0);
    else
        uv_timer_stop(&rest->due);
}

static void on_due(uv_timer_t *timer) {
    run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct aq_rest *rest = handle->data;
    if (--rest->open_handles == 0) aq_free(rest);
}

static struct MHD_Daemon *start(struct aq_rest *rest) {
    const struct aq_rest_config *config = &rest->config;
    unsigned idle_s = config->idle_ms / 1000 + 3; /* on_sweep is first */
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, rest,
                            MHD_OPTION_LISTEN_SOCKET, config->fd, MHD_OPTION_CONNECTION_LIMIT,
                            config->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)AQ_REST_HEAD_BYTES_MAX,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, rest, MHD_OPTION_NOTIFY_CONNECTION,
                            on_notify_connection, rest, MHD_OPTION_END);
}

int aq_rest_open(const struct aq_rest_config *config, struct aq_rest **out, struct aq_error *error) {
    struct aq_rest *rest = aq_alloc_zeroed(1, sizeof *rest);
    if (!rest) {
        close(config->fd);
        return aq_error_set(error, AQ_ENOMEM, "out of memory");
    }
    rest->config = *config;
    rest->daemon = start(rest);
    const union MHD_DaemonInfo *info =
        rest->daemon ? MHD_get_daemon_info(rest->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || uv_poll_init(config->loop, &rest->poll, info->epoll_fd)) {
        if (rest->daemon)
            MHD_stop_daemon(rest->daemon);
        else
            close(config->fd);
        aq_free(rest);
        return aq_error_set(error, AQ_EIO, "libmicrohttpd does not start: %s", strerror(errno));
    }
    uv_timer_init(config->loop, &rest->due);
    uv_timer_init(config->loop, &rest->sweep);
    rest->poll.data = rest->due.data = rest->sweep.data = rest;
    rest->open_handles = 3;
    uv_poll_start(&rest->poll, UV_READABLE, on_poll);
    uint64_t every_ms = config->idle_ms / 4 + 1;
    if (every_ms > SWEEP_MS_MAX) every_ms = SWEEP_MS_MAX;
    uv_timer_start(&rest->sweep, on_sweep, every_ms, every_ms);
    run(rest);
    *out = rest;
    return 0;
}

void aq_rest_drain(struct aq_rest *rest) {
    if (rest->draining) return;
    run(rest); /* what waits to be accepted is served */
    rest->draining = true;
    MHD_socket fd = MHD_quiesce_daemon(rest->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    on_sweep(&rest->sweep);
    uv_timer_start(&rest->sweep, on_sweep, 20, 20);
    run(rest);
}

uint32_t aq_rest_connections(const struct aq_rest *rest) {
    return rest->connection_count;
}

void aq_rest_close(struct aq_rest *rest) {
    if (!rest) return;
    AQ_ASSERT(!rest->running && !rest->closing);
    for (struct request *r = rest->requests; r; r = r->next) {
        if (r->call) aq_gateway_forget(rest->config.gateway, r->call);
        r->call = 0;
        if (!r->status)
            turn_away(r, MHD_HTTP_SERVICE_UNAVAILABLE, AQ_OUTCOME_UNKNOWN, "this client is ending");
        resume(r);
    }
    run(rest);
    rest->closing = true;
    uv_close((uv_handle_t *)&rest->poll, on_handle_closed);
    uv_close((uv_handle_t *)&rest->due, on_handle_closed);
    uv_close((uv_handle_t *)&rest->sweep, on_handle_closed);
    MHD_stop_daemon(rest->daemon);
}
