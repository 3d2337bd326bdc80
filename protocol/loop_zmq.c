#include "protocol/loop_zmq.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/assert.h"

int aq_zmq_context_new(uint32_t sockets_max, uint32_t io_threads, void **out, struct aq_error *error) {
    void *context = zmq_ctx_new();
    if (!context) return aq_error_set(error, AQ_ENOMEM, "no libzmq context: out of memory or files");
    int limit = zmq_ctx_get(context, ZMQ_SOCKET_LIMIT);
    if (sockets_max > (uint32_t)limit) {
        zmq_ctx_term(context);
        return aq_error_set(error, AQ_ELIMIT, "%u sockets wanted, libzmq allows %d", sockets_max, limit);
    }
    int rc = zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)sockets_max);
    if (!rc) rc = zmq_ctx_set(context, ZMQ_IO_THREADS, (int)io_threads);
    AQ_ASSERT(!rc);
    *out = context;
    return 0;
}

int aq_zmq_curve_pair(struct aq_curve_pair *out) {
    struct aq_curve_pair pair;
    if (zmq_curve_keypair(pair.public_z85, pair.secret_z85)) return AQ_EUNSUPPORTED;
    *out = pair;
    aq_curve_pair_wipe(&pair);
    return 0;
}

/* ---- queue ---- */

static void take_out(struct aq_zmq_watch *watch) {
    struct aq_zmq_queue *queue = watch->queue;
    *(watch->prev ? &watch->prev->next : &queue->first) = watch->next;
    *(watch->next ? &watch->next->prev : &queue->last) = watch->prev;
    watch->next = watch->prev = NULL;
    watch->queued = false;
    queue->count--;
}

/* One round: every watch that is queued now has one look. */
static void on_idle(uv_idle_t *idle) {
    struct aq_zmq_queue *queue = idle->data;
    for (uint32_t left = queue->count; left > 0 && queue->first; left--) {
        struct aq_zmq_watch *watch = queue->first;
        take_out(watch);
        if (watch->look(watch)) aq_zmq_watch_wake(watch);
    }
    if (!queue->first) uv_idle_stop(idle);
}

void aq_zmq_queue_init(struct aq_zmq_queue *queue, uv_loop_t *loop) {
    *queue = (struct aq_zmq_queue){0};
    uv_idle_init(loop, &queue->idle);
    queue->idle.data = queue;
}

static void on_queue_closed(uv_handle_t *handle) {
    struct aq_zmq_queue *queue = handle->data;
    queue->closed(queue);
}

void aq_zmq_queue_close(struct aq_zmq_queue *queue, void (*closed)(struct aq_zmq_queue *queue)) {
    while (queue->first)
        take_out(queue->first);
    queue->closed = closed;
    uv_close((uv_handle_t *)&queue->idle, on_queue_closed);
}

/* ---- watches ---- */

void aq_zmq_watch_init(struct aq_zmq_watch *watch, struct aq_zmq_queue *queue, aq_zmq_look *look) {
    *watch = (struct aq_zmq_watch){.queue = queue, .look = look};
}

static void on_readable(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    aq_zmq_watch_wake(poll->data);
}

int aq_zmq_watch_open(struct aq_zmq_watch *watch, void *socket) {
    int fd;
    size_t size = sizeof fd;
    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size)) return AQ_EIO;
    if (uv_poll_init(watch->queue->idle.loop, &watch->poll, fd)) return AQ_EIO;
    watch->poll.data = watch;
    watch->socket = socket;
    int rc = uv_poll_start(&watch->poll, UV_READABLE, on_readable);
    AQ_ASSERT(rc == 0);
    aq_zmq_watch_wake(watch);
    return 0;
}

void aq_zmq_watch_wake(struct aq_zmq_watch *watch) {
    if (watch->queued) return;
    struct aq_zmq_queue *queue = watch->queue;
    if (!queue->first) uv_idle_start(&queue->idle, on_idle);
    watch->prev = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = watch;
    queue->last = watch;
    watch->queued = true;
    queue->count++;
}

static void on_watch_closed(uv_handle_t *handle) {
    struct aq_zmq_watch *watch = handle->data;
    watch->closed(watch);
}

bool aq_zmq_watch_close(struct aq_zmq_watch *watch, aq_zmq_closed *closed) {
    if (watch->queued) take_out(watch);
    if (!watch->socket) return false;
    watch->closed = closed;
    /* In this order: once the socket is closed, its descriptor's number may be another file's. */
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
    zmq_close(watch->socket);
    watch->socket = NULL;
    return true;
}

int aq_zmq_events(void *socket) {
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) ? 0 : events;
}

/* Two frames: event and value; the endpoint. */
bool aq_zmq_monitor_read(void *socket, uint16_t *event, uint32_t *value) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    bool got = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) == 6;
    if (got) {
        memcpy(event, zmq_msg_data(&frame), sizeof *event);
        memcpy(value, (const char *)zmq_msg_data(&frame) + 2, sizeof *value);
        bool more = zmq_msg_more(&frame);
        while (more && zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0)
            more = zmq_msg_more(&frame);
    }
    zmq_msg_close(&frame);
    return got;
}

/* ---- names of connections ---- */

uint32_t aq_zmq_route_write(char route[AQ_ZMQ_ROUTE_CHARS_MAX + 1], uint32_t client, uint64_t serial) {
    return (uint32_t)snprintf(route, AQ_ZMQ_ROUTE_CHARS_MAX + 1, "aq%u.%ld.%llu", client, (long)getpid(),
                              (unsigned long long)serial);
}

uint32_t aq_zmq_route_client(const void *route, size_t len) {
    const char *at = route;
    uint64_t client = 0;
    size_t i = 2;
    if (len < 4 || memcmp(at, "aq", 2) != 0) return UINT32_MAX;
    for (; i < len && at[i] >= '0' && at[i] <= '9' && client < UINT32_MAX; i++)
        client = client * 10 + (uint64_t)(at[i] - '0');
    return i > 2 && i < len && at[i] == '.' && client < UINT32_MAX ? (uint32_t)client : UINT32_MAX;
}
