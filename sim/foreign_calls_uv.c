/* Calls to clients that are other programs: one call at a time on each connection, a new connection where
   none is idle, and a queue where there are as many as AllQueue's client serves at a time. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/foreign_internal_uv.h"
#include "sim/http_reply.h"

#define CONNECTIONS_MAX 200  /* as many as AllQueue's client serves at a time */
#define IDLE_MS         1000 /* it closes idle ones after 3 s: a call must not meet that */
#define CHUNK_BYTES     4096

struct foreign_connection {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct foreign_client *client;
    struct foreign_connection *next, *prev;
    uint64_t call; /* 0: idle */
    enum aq_action action;
    uint64_t idle_since_ms;
    bool connected, writing, closing;
    struct aq_bytes out; /* the call as it is sent */
    struct aq_bytes in;  /* what has come of the answer */
};

static void on_closed(uv_handle_t *handle) {
    struct foreign_connection *c = handle->data;
    struct aq_foreign *all = c->client->all;
    aq_bytes_close(&c->out);
    aq_bytes_close(&c->in);
    aq_free(c);
    foreign_handle_closed(all);
}

/* Idle connections stand in front, the one used last at the head; all others behind them. */
static void unlink_it(struct foreign_connection *c) {
    struct foreign_client *client = c->client;
    *(c->prev ? &c->prev->next : &client->first) = c->next;
    *(c->next ? &c->next->prev : &client->last) = c->prev;
    c->next = c->prev = NULL;
}

static void link_first(struct foreign_connection *c) {
    struct foreign_client *client = c->client;
    c->next = client->first;
    *(c->next ? &c->next->prev : &client->last) = c;
    client->first = c;
}

static void link_last(struct foreign_connection *c) {
    struct foreign_client *client = c->client;
    c->prev = client->last;
    *(c->prev ? &c->prev->next : &client->first) = c;
    client->last = c;
}

static void close_connection(struct foreign_connection *c) {
    if (c->closing) return;
    c->closing = true;
    unlink_it(c);
    c->client->connections--;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* ---- answers ---- */

static int take_waiting(struct foreign_client *client);

/* Tells the caller, and gives the connection, where it stays, to the next call. */
static void answer(struct foreign_connection *c, const struct aq_dialect_answer *told, bool stays) {
    struct foreign_client *client = c->client;
    struct aq_virtual *v = client->all->config.world;
    uint64_t call = c->call;
    c->call = 0;
    c->in.len = 0;
    c->idle_since_ms = uv_now(client->all->loop);
    if (stays && !c->writing) {
        unlink_it(c);
        link_first(c);
    } else {
        close_connection(c);
    }
    aq_live_enter(client->all->config.live);
    v->events++;
    int rc = aq_workload_answer(v->workload, v->now_us, call, told->outcome,
                                told->has_reply ? &told->reply : NULL);
    if (!rc) rc = take_waiting(client);
    aq_live_leave(client->all->config.live, rc);
}

static void fail(struct foreign_connection *c, enum aq_outcome outcome) {
    struct aq_dialect_answer told = {.outcome = outcome};
    if (c->call)
        answer(c, &told, false);
    else
        close_connection(c);
}

static void understood(struct foreign_connection *c, int rc, const struct aq_dialect_answer *told,
                       bool stays) {
    if (rc)
        aq_live_leave(c->client->all->config.live, rc);
    else
        answer(c, told, stays);
}

static void read_line(struct foreign_connection *c) {
    const char *end = c->in.len ? memchr(c->in.at, '\n', c->in.len) : NULL;
    struct aq_dialect_answer told;
    if (!end) return;
    uint32_t len = (uint32_t)(end - c->in.at);
    bool more = len + 1 < c->in.len; /* nobody has asked for that: such a connection is not trusted */
    aq_arena_reset(&c->client->all->arena);
    int rc = aq_dialect_read_line(c->action, (struct aq_text){c->in.at, len}, &c->client->all->arena, &told);
    understood(c, rc, &told, !more);
}

static void read_rest(struct foreign_connection *c, bool ended) {
    struct aq_http_reply reply;
    struct aq_dialect_answer told;
    enum aq_http_progress progress = aq_http_reply_read(c->in.at, c->in.len, ended, &reply);
    if (progress == AQ_HTTP_MORE) return;
    if (progress == AQ_HTTP_WRONG) {
        fail(c, AQ_OUTCOME_UNKNOWN);
        return;
    }
    aq_arena_reset(&c->client->all->arena);
    int rc = aq_dialect_read_rest(c->action, reply.status, reply.body, &c->client->all->arena, &told);
    understood(c, rc, &told, reply.keeps_alive && !ended);
}

/* ---- the stream ---- */

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct foreign_connection *c = handle->data;
    (void)wanted;
    if (aq_array_reserve(&c->in.at, &c->in.capacity, (size_t)c->in.len + CHUNK_BYTES, 1))
        *buffer = uv_buf_init(NULL, 0); /* comes back as UV_ENOBUFS */
    else
        *buffer = uv_buf_init(c->in.at + c->in.len, c->in.capacity - c->in.len);
}

/* The end of a connection with a call on it: what was sent may have been carried out. */
static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer) {
    struct foreign_connection *c = stream->data;
    bool rest = c->client->all->scenario->clients.speak == AQ_DIALECT_REST, ended = len < 0;
    (void)buffer;
    if (c->closing || len == 0) return;
    if (len == UV_ENOBUFS) {
        aq_live_leave(c->client->all->config.live, AQ_ENOMEM);
        return;
    }
    if (len > 0) c->in.len += (uint32_t)len;
    if (!c->call) {
        close_connection(c); /* its peer has closed it, or speaks without being asked */
        return;
    }
    if (rest && c->in.len)
        read_rest(c, ended);
    else if (!rest)
        read_line(c);
    if (ended && !c->closing) fail(c, AQ_OUTCOME_UNKNOWN);
}

static void on_written(uv_write_t *write, int status) {
    struct foreign_connection *c = write->data;
    c->writing = false;
    if (status && !c->closing) fail(c, AQ_OUTCOME_UNKNOWN);
}

static bool send_call(struct foreign_connection *c) {
    uv_buf_t buffer = uv_buf_init(c->out.at, c->out.len);
    c->writing = uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) == 0;
    return c->writing;
}

/* Refused: nothing was sent, so certainly nothing was done. */
static void on_connected(uv_connect_t *connect, int status) {
    struct foreign_connection *c = connect->data;
    if (c->closing) return;
    if (status || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read)) {
        fail(c, AQ_OUTCOME_UNAVAILABLE);
        return;
    }
    c->connected = true;
    uv_tcp_nodelay(&c->tcp, 1);
    if (!send_call(c)) fail(c, AQ_OUTCOME_UNAVAILABLE);
}

/* ---- calls ---- */

static struct foreign_connection *idle_connection(struct foreign_client *client) {
    struct foreign_connection *c = client->first;
    return c && !c->call ? c : NULL;
}

static int open_connection(struct foreign_client *client, struct foreign_connection **out) {
    struct foreign_connection *c = aq_alloc_zeroed(1, sizeof *c);
    if (!c) return AQ_ENOMEM;
    if (uv_tcp_init(client->all->loop, &c->tcp)) {
        aq_free(c);
        return AQ_EIO;
    }
    client->all->open_handles++;
    c->client = client;
    c->tcp.data = c->connect.data = c->write.data = c;
    link_last(c);
    client->connections++;
    *out = c;
    return 0;
}

static bool connect_to(struct foreign_connection *c) {
    const struct foreign_client *client = c->client;
    bool rest = client->all->scenario->clients.speak == AQ_DIALECT_REST;
    struct sockaddr_in to;
    uv_ip4_addr("127.0.0.1", rest ? client->rest_port : client->lines_port, &to);
    return uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)&to, on_connected) == 0;
}

/* What cannot even begin is answered here, within the event in which the call was made. */
static int start_call(struct foreign_connection *c, uint64_t call, const struct aq_request *request) {
    struct aq_virtual *v = c->client->all->config.world;
    int rc = aq_dialect_write(c->client->all->scenario->clients.speak, request, &c->out);
    if (rc == AQ_ENOMEM) return rc;
    c->call = call;
    c->action = (enum aq_action)request->action;
    unlink_it(c);
    link_last(c);
    if (!rc && (c->connected ? send_call(c) : connect_to(c))) return 0;
    c->call = 0;
    close_connection(c);
    return aq_workload_answer(v->workload, v->now_us, call, rc ? AQ_OUTCOME_INVALID : AQ_OUTCOME_UNAVAILABLE,
                              NULL);
}

static int wait_for_connection(struct foreign_client *client, uint64_t call,
                               const struct aq_request *request) {
    if (client->first_waiting && client->waiting_count == client->waiting_capacity) {
        client->waiting_count -= client->first_waiting;
        memmove(client->waiting, client->waiting + client->first_waiting,
                client->waiting_count * sizeof *client->waiting);
        client->first_waiting = 0;
    }
    int rc = aq_array_reserve(&client->waiting, &client->waiting_capacity, (size_t)client->waiting_count + 1,
                              sizeof *client->waiting);
    if (!rc) client->waiting[client->waiting_count++] = (struct foreign_waiting){call, request};
    return rc;
}

int foreign_call(struct foreign_client *client, uint64_t call, const struct aq_request *request) {
    struct foreign_connection *c = idle_connection(client);
    if (!c && client->connections >= CONNECTIONS_MAX) return wait_for_connection(client, call, request);
    int rc = c ? 0 : open_connection(client, &c);
    return rc ? rc : start_call(c, call, request);
}

static int take_waiting(struct foreign_client *client) {
    if (client->first_waiting == client->waiting_count) return 0;
    struct foreign_waiting next = client->waiting[client->first_waiting++];
    if (client->first_waiting == client->waiting_count) client->first_waiting = client->waiting_count = 0;
    return foreign_call(client, next.call, next.request);
}

void foreign_close_idle(struct foreign_client *client) {
    uint64_t now_ms = uv_now(client->all->loop);
    for (struct foreign_connection *c = client->first, *next; c; c = next) {
        next = c->next;
        if (c->call) break;
        if (now_ms - c->idle_since_ms >= IDLE_MS) close_connection(c);
    }
}

void foreign_drop_calls(struct foreign_client *client) {
    client->first_waiting = client->waiting_count = 0;
    while (client->first) {
        client->first->call = 0;
        close_connection(client->first);
    }
}
