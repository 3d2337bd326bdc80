#include "sim/control_uv.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/tcp_socket.h"
#include "client/unix_socket.h"

#define READ_BYTES  65536
#define WHERE_CHARS 128

union stream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct connection {
    struct aq_control *control;
    struct connection *next, *prev;
    union stream io;
    char *input; /* read, not taken yet */
    uint32_t input_len, input_capacity;
    uint32_t scanned; /* of it: there is no line feed up to here */
    uint32_t writes;
    bool ended, closing; /* ended: the peer sends no more, or shall not */
};

struct aq_control {
    struct aq_control_config config;
    char where[WHERE_CHARS];
    bool tcp;
    union stream io;
    struct aq_unix_socket socket;
    struct connection *first;
    uint32_t connections;
    uint32_t handles; /* that the loop has not let go of */
    bool closing;
    char read_buffer[READ_BYTES]; /* shared: a read is taken at once */
};

struct answer_write {
    uv_write_t request;
    struct connection *connection;
    char *answer;
};

/* ---- ends ---- */

static void let_go(struct aq_control *control) {
    if (--control->handles == 0) aq_free(control);
}

static void on_connection_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    struct aq_control *control = c->control;
    aq_free(c->input);
    aq_free(c);
    let_go(control);
}

static void close_connection(struct connection *c) {
    if (c->closing) return;
    c->closing = true;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->control->first = c->next;
    if (c->next) c->next->prev = c->prev;
    c->control->connections--;
    uv_close(&c->io.handle, on_connection_closed);
}

/* ---- answers ---- */

static void take_lines(struct connection *c);

static void on_written(uv_write_t *request, int status) {
    struct answer_write *write = (struct answer_write *)request;
    struct connection *c = write->connection;
    c->control->config.answer_free(write->answer);
    aq_free(write);
    c->writes--;
    if (status)
        close_connection(c);
    else
        take_lines(c);
}

static void send_answer(struct connection *c, char *answer) {
    struct answer_write *write = answer ? aq_alloc(sizeof *write) : NULL;
    if (!write) {
        if (answer) c->control->config.answer_free(answer);
        close_connection(c);
        return;
    }
    *write = (struct answer_write){.connection = c, .answer = answer};
    static char line_feed[] = "\n"; /* borrowed until it is written */
    uv_buf_t parts[] = {uv_buf_init(answer, (unsigned)strlen(answer)), uv_buf_init(line_feed, 1)};
    c->writes++;
    if (uv_write(&write->request, &c->io.stream, parts, 2, on_written) == 0) return;
    c->writes--;
    c->control->config.answer_free(answer);
    aq_free(write);
    close_connection(c);
}

static void answer_line(struct connection *c, const char *line, size_t len) {
    if (len && line[len - 1] == '\r') len--;
    if (len) send_answer(c, c->control->config.command(c->control->config.owner, line, len));
}

/* ---- input ---- */

static bool may_take(const struct connection *c) {
    return !c->closing && uv_stream_get_write_queue_size(&c->io.stream) < AQ_CONTROL_UNSENT_MAX;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
    struct connection *c = handle->data;
    (void)suggested;
    *out = uv_buf_init(c->control->read_buffer, READ_BYTES);
}

/* The command gets what is too long as well, and says what is wrong with it. */
static void give_up_line(struct connection *c) {
    c->ended = true;
    send_answer(c,
                c->control->config.command(c->control->config.owner, c->input, c->control->config.line_max));
    c->input_len = 0;
}

static void take_lines(struct connection *c) {
    uint32_t taken = 0;
    while (may_take(c) && taken < c->input_len) {
        uint32_t from = c->scanned > taken ? c->scanned : taken;
        const char *feed = memchr(c->input + from, '\n', c->input_len - from);
        if (!feed && !c->ended) break;
        uint32_t end = feed ? (uint32_t)(feed - c->input) : c->input_len;
        answer_line(c, c->input + taken, end - taken);
        taken = feed ? end + 1 : end;
        c->scanned = taken;
    }
    if (c->closing) return;
    c->input_len -= taken;
    if (taken && c->input_len) memmove(c->input, c->input + taken, c->input_len);
    bool waits = !may_take(c);
    c->scanned = waits ? 0 : c->input_len;
    if (!waits && c->input_len > c->control->config.line_max) give_up_line(c);
    if (c->ended && !c->input_len && !c->writes)
        close_connection(c);
    else if (c->ended || waits)
        uv_read_stop(&c->io.stream);
    else
        uv_read_start(&c->io.stream, on_alloc, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    struct connection *c = stream->data;
    if (got == UV_EOF) {
        c->ended = true;
    } else if (got < 0 || aq_array_reserve(&c->input, &c->input_capacity, c->input_len + (size_t)got, 1)) {
        close_connection(c);
        return;
    } else {
        memcpy(c->input + c->input_len, buffer->base, (size_t)got);
        c->input_len += (uint32_t)got;
    }
    take_lines(c);
}

/* ---- connections ---- */

static void init_stream(struct aq_control *control, union stream *io, void *data) {
    if (control->tcp)
        uv_tcp_init(control->config.loop, &io->tcp);
    else
        uv_pipe_init(control->config.loop, &io->pipe, 0);
    io->handle.data = data;
}

static void on_connection(uv_stream_t *listener, int status) {
    struct aq_control *control = listener->data;
    struct connection *c = status < 0 ? NULL : aq_alloc_zeroed(1, sizeof *c);
    if (!c) return;
    c->control = control;
    init_stream(control, &c->io, c);
    control->handles++;
    control->connections++;
    c->next = control->first;
    if (c->next) c->next->prev = c;
    control->first = c;
    if (uv_accept(listener, &c->io.stream) || control->connections > AQ_CONTROL_CONNECTIONS_MAX ||
        uv_read_start(&c->io.stream, on_alloc, on_read))
        close_connection(c);
}

/* ---- listening ---- */

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

/* "host:port" without a slash. */
static bool split(const char *where, char host[64], uint16_t *port) {
    const char *colon = strrchr(where, ':');
    char *end;
    if (strchr(where, '/') || !colon || colon[1] < '0' || colon[1] > '9') return false;
    unsigned long number = strtoul(colon + 1, &end, 10);
    size_t len = (size_t)(colon - where);
    if (*end || number > 65535 || len == 0 || len >= 64) return false;
    bool brackets = where[0] == '[' && colon[-1] == ']';
    snprintf(host, 64, "%.*s", (int)(len - (brackets ? 2 : 0)), where + brackets);
    *port = (uint16_t)number;
    return true;
}

static int open_socket(struct aq_control *control, int *fd, struct aq_error *error) {
    char host[64];
    uint16_t port;
    control->tcp = split(control->config.where, host, &port);
    if (!control->tcp) {
        int rc = aq_unix_socket_open(control->config.where, &control->socket, error);
        if (rc) return rc;
        *fd = control->socket.fd;
        snprintf(control->where, WHERE_CHARS, "%s", control->config.where);
        return 0;
    }
    if (!is_loopback(host))
        return aq_error_set(error, AQ_EINVALID,
                            "control: found \"%s\", allowed is a path or a port of the loopback network, as "
                            "127.0.0.1:0",
                            control->config.where);
    int rc = aq_tcp_socket_open(host, port, fd, &port, error);
    bool v6 = strchr(host, ':');
    if (!rc) snprintf(control->where, WHERE_CHARS, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
    return rc;
}

static int start_to_listen(struct aq_control *control, int fd, struct aq_error *error) {
    init_stream(control, &control->io, control);
    control->handles = 1;
    int rc = control->tcp ? uv_tcp_open(&control->io.tcp, fd) : uv_pipe_open(&control->io.pipe, fd);
    if (rc) close(fd);
    if (!rc) rc = uv_listen(&control->io.stream, AQ_CONTROL_CONNECTIONS_MAX, on_connection);
    return rc ? aq_error_set(error, AQ_EIO, "control: %s: %s", control->where, uv_strerror(rc)) : 0;
}

int aq_control_open(const struct aq_control_config *config, struct aq_control **out, struct aq_error *error) {
    struct aq_control *control = aq_alloc_zeroed(1, sizeof *control);
    if (!control) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    control->config = *config;
    control->socket.lock_fd = -1;
    int fd = -1, rc = open_socket(control, &fd, error);
    if (rc) {
        aq_free(control);
        return rc;
    }
    rc = start_to_listen(control, fd, error);
    if (rc)
        aq_control_close(control);
    else
        *out = control;
    return rc;
}

const char *aq_control_where(const struct aq_control *control) {
    return control->where;
}

static void on_listener_closed(uv_handle_t *handle) {
    let_go(handle->data);
}

void aq_control_close(struct aq_control *control) {
    if (!control || control->closing) return;
    control->closing = true;
    while (control->first)
        close_connection(control->first);
    aq_unix_socket_close(&control->socket);
    uv_close(&control->io.handle, on_listener_closed);
}
