#include "client/json_lines_uv.h"

#include <stdio.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/app_answers.h"

#define READ_BYTES        65536
#define IGNORED_BYTES_MAX 3     /* lines that AllQueue's own client takes for noise */
#define KEPT_BYTES        65536 /* of buffers that are empty */
#define BACKLOG           1024

/* One request of a connection, in the order in which they came. */
struct line {
    struct line *next;
    struct connection *connection;
    uint64_t call; /* 0: none under way */
    bool done;
    struct aq_text_out answer; /* with its line feed, once done */
};

struct connection {
    struct connection *next, *prev;
    struct aq_json_lines *lines;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    uv_timer_t timer;
    int open_handles;          /* handles that uv has not closed yet */
    struct line *first, *last; /* not answered yet, or not written yet */
    uint32_t under_way;        /* their number */
    struct aq_bytes input;     /* read, not taken yet */
    uint32_t scanned;          /* of input: there is no line feed up to here */
    bool skipping;             /* the rest of a line that was too long */
    bool reading, taking, ended, closing;
    uint64_t active_ms; /* when something was last read, answered or written */
    uint64_t begun_ms;  /* when the line that is not complete began */
    size_t unsent;      /* as the timer last saw it */
};

struct aq_json_lines {
    struct aq_json_lines_config config;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } io;
    struct connection *first;
    uint32_t connections; /* in the list */
    uint32_t unclosed;    /* connections and the listening socket: what uv still knows */
    struct line *free_lines;
    bool draining, closing;
    char read_buffer[READ_BYTES]; /* shared: a read is taken at once */
};

struct answer_write {
    uv_write_t request;
    struct aq_bytes bytes;
};

static void take_input(struct connection *c);

static uint64_t now_ms(const struct aq_json_lines *lines) {
    return uv_now(lines->config.loop);
}

/* ---- the lives of lines, connections and the listener ---- */

static struct line *new_line(struct connection *c) {
    struct aq_json_lines *lines = c->lines;
    struct line *line = lines->free_lines;
    if (line)
        lines->free_lines = line->next;
    else if (!(line = aq_alloc_zeroed(1, sizeof *line)))
        return NULL;
    line->next = NULL;
    line->connection = c;
    line->call = 0;
    line->done = false;
    if (c->last)
        c->last->next = line;
    else
        c->first = line;
    c->last = line;
    c->under_way++;
    return line;
}

static void drop_first_line(struct connection *c) {
    struct line *line = c->first;
    c->first = line->next;
    if (!c->first) c->last = NULL;
    c->under_way--;
    if (line->answer.bytes.capacity > KEPT_BYTES)
        aq_text_out_close(&line->answer);
    else
        aq_text_out_reset(&line->answer);
    line->next = c->lines->free_lines;
    c->lines->free_lines = line;
}

static void release(struct aq_json_lines *lines) {
    if (lines->unclosed || !lines->closing) return;
    while (lines->free_lines) {
        struct line *line = lines->free_lines;
        lines->free_lines = line->next;
        aq_text_out_close(&line->answer);
        aq_free(line);
    }
    aq_free(lines);
}

static void on_connection_closed(uv_handle_t *handle) {
    struct connection *c = handle->data;
    if (--c->open_handles) return;
    struct aq_json_lines *lines = c->lines;
    aq_bytes_close(&c->input);
    aq_free(c);
    lines->unclosed--;
    release(lines);
}

static void close_connection(struct connection *c) {
    if (c->closing) return;
    c->closing = true;
    struct aq_json_lines *lines = c->lines;
    while (c->first) {
        if (c->first->call) aq_gateway_forget(lines->config.gateway, c->first->call);
        drop_first_line(c);
    }
    if (c->next) c->next->prev = c->prev;
    *(c->prev ? &c->prev->next : &lines->first) = c->next;
    lines->connections--;
    aq_gateway_traffic(lines->config.gateway, lines->config.listener)->connections--;
    uv_close(&c->io.handle, on_connection_closed);
    uv_close((uv_handle_t *)&c->timer, on_connection_closed);
}

/* ---- answers ---- */

static void on_written(uv_write_t *request, int status) {
    struct answer_write *write = (struct answer_write *)request;
    struct connection *c = request->handle->data;
    aq_bytes_close(&write->bytes);
    aq_free(write);
    if (c->closing) return;
    if (status) {
        close_connection(c);
        return;
    }
    c->active_ms = now_ms(c->lines);
    take_input(c);
}

/* Writes; what the peer does not take at once is copied and waits. False: the connection is of no more use.
 */
static bool write_out(struct connection *c, const struct aq_bytes *bytes) {
    size_t taken = 0;
    if (uv_stream_get_write_queue_size(&c->io.stream) == 0) {
        uv_buf_t all = uv_buf_init(bytes->at, bytes->len);
        int rc = uv_try_write(&c->io.stream, &all, 1);
        if (rc < 0 && rc != UV_EAGAIN) return false;
        if (rc > 0) taken = (size_t)rc;
    }
    if (taken == bytes->len) return true;
    struct answer_write *write = aq_alloc_zeroed(1, sizeof *write);
    size_t rest = bytes->len - taken;
    if (!write || aq_array_reserve(&write->bytes.at, &write->bytes.capacity, rest, 1)) {
        aq_free(write);
        return false;
    }
    memcpy(write->bytes.at, bytes->at + taken, rest);
    uv_buf_t buffer = uv_buf_init(write->bytes.at, (unsigned)rest);
    if (uv_write(&write->request, &c->io.stream, &buffer, 1, on_written)) {
        aq_bytes_close(&write->bytes);
        aq_free(write);
        return false;
    }
    return true;
}

static void write_answers(struct connection *c) {
    while (c->first && c->first->done) {
        const struct aq_text_out *answer = &c->first->answer;
        if (answer->failed || !write_out(c, &answer->bytes)) {
            close_connection(c);
            return;
        }
        drop_first_line(c);
    }
}

static void answered(void *asker, uint64_t tag, const struct aq_gateway_answer *answer) {
    struct line *line = asker;
    struct connection *c = line->connection;
    const struct aq_json_lines_config *config = &c->lines->config;
    (void)tag;
    aq_app_answers_line(config->gateway, config->upstream, config->listener, answer, &line->answer);
    AQ_TEXT_OUT(&line->answer, "\n");
    line->call = 0;
    line->done = true;
    c->active_ms = now_ms(c->lines);
    if (c->taking) return;
    write_answers(c);
    if (!c->closing) take_input(c);
}

/* ---- requests ---- */

static void submit(struct connection *c, const char *at, uint32_t len) {
    const struct aq_json_lines_config *config = &c->lines->config;
    if (len && at[len - 1] == '\r') len--;
    if (len <= IGNORED_BYTES_MAX) return;
    struct line *line = new_line(c);
    if (!line) {
        close_connection(c);
        return;
    }
    if (config->upstream && at[0] != '{') len = 0; /* only strict takes a bare ping */
    uint64_t call = aq_gateway_submit(config->gateway, at, len, answered, line, 0);
    if (!line->done) line->call = call;
}

static void answer_too_long(struct connection *c) {
    const struct aq_json_lines_config *config = &c->lines->config;
    struct line *line = new_line(c);
    if (!line) {
        close_connection(c);
        return;
    }
    char why[80];
    snprintf(why, sizeof why, "the line is too long, allowed are %u bytes", config->line_bytes_max);
    struct aq_gateway_answer answer = {
        .action = AQ_ACTION_COUNT,
        .outcome = config->upstream ? AQ_OUTCOME_EMPTY : AQ_OUTCOME_INVALID,
        .why = why,
    };
    answered(line, 0, &answer);
}

static bool has_room(const struct connection *c) {
    return c->under_way < AQ_JSON_LINES_UNDER_WAY_MAX &&
           uv_stream_get_write_queue_size(&c->io.stream) < AQ_JSON_LINES_UNSENT_MAX;
}

/* Takes one line out of input[*from...]; false where there is none that is complete. */
static bool take_line(struct connection *c, uint32_t *from) {
    struct aq_bytes *input = &c->input;
    uint32_t max = c->lines->config.line_bytes_max, at = *from > c->scanned ? *from : c->scanned;
    const char *feed = at < input->len ? memchr(input->at + at, '\n', input->len - at) : NULL;
    uint32_t end = feed ? (uint32_t)(feed - input->at) : input->len, len = end - *from;
    bool complete = feed || (c->ended && len > 0);
    bool too_long = len > max + 1 || (complete && len == max + 1 && input->at[end - 1] != '\r');
    if (!complete) c->scanned = input->len;
    if (!complete && !too_long && !c->skipping) return false;
    if (too_long && !c->skipping) answer_too_long(c);
    if (!too_long && !c->skipping) submit(c, input->at + *from, len);
    c->skipping = !complete;
    *from = feed ? end + 1 : end;
    if (complete) c->begun_ms = now_ms(c->lines);
    return !c->closing && *from < input->len;
}

static void keep_rest(struct connection *c, uint32_t from) {
    struct aq_bytes *input = &c->input;
    if (from == 0) return;
    memmove(input->at, input->at + from, input->len - from);
    input->len -= from;
    c->scanned = c->scanned > from ? c->scanned - from : 0;
    if (input->len == 0 && input->capacity > KEPT_BYTES) aq_bytes_close(input);
}

static void set_reading(struct connection *c);

/* Takes as many lines as may be under way, then reads on, waits, or ends. */
static void take_input(struct connection *c) {
    if (c->taking || c->closing) return;
    c->taking = true;
    for (bool more = true; more && !c->closing;) {
        uint32_t from = 0;
        more = c->input.len > 0 && !c->lines->draining;
        bool stopped = false;
        while (more && !(stopped = !has_room(c)))
            more = take_line(c, &from);
        if (c->closing) break;
        keep_rest(c, from);
        write_answers(c);
        if (stopped && !has_room(c)) more = false;
    }
    c->taking = false;
    if (!c->closing) set_reading(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *c = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(c->lines->read_buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct connection *c = stream->data;
    if (count == 0) return;
    if (count < 0 && count != UV_EOF) {
        close_connection(c);
        return;
    }
    c->active_ms = now_ms(c->lines);
    if (count == UV_EOF) {
        c->ended = true;
    } else {
        struct aq_bytes *input = &c->input;
        if (input->len == 0 && !c->skipping) c->begun_ms = c->active_ms;
        if (aq_array_reserve(&input->at, &input->capacity, (size_t)input->len + (size_t)count, 1)) {
            close_connection(c);
            return;
        }
        memcpy(input->at + input->len, buffer->base, (size_t)count);
        input->len += (uint32_t)count;
    }
    take_input(c);
}

static void set_reading(struct connection *c) {
    bool over = c->ended || c->lines->draining;
    bool done = over && c->under_way == 0 && (c->input.len == 0 || c->lines->draining);
    if (done && uv_stream_get_write_queue_size(&c->io.stream) == 0) {
        close_connection(c);
        return;
    }
    bool want = !over && has_room(c);
    if (want == c->reading) return;
    c->reading = want;
    if (!want)
        uv_read_stop(&c->io.stream);
    else if (uv_read_start(&c->io.stream, on_alloc, on_read))
        close_connection(c);
}

/* ---- time ---- */

/* Since when the peer is being waited for; now, where it is not. */
static uint64_t waiting_since_ms(struct connection *c) {
    size_t unsent = uv_stream_get_write_queue_size(&c->io.stream);
    bool taken = unsent < c->unsent;
    c->unsent = unsent;
    if (unsent) {
        if (taken) c->active_ms = now_ms(c->lines);
        return c->active_ms;
    }
    if (c->under_way) return now_ms(c->lines);
    bool within_line = c->input.len > 0 || c->skipping;
    return within_line && !c->lines->config.upstream ? c->begun_ms : c->active_ms;
}

static void on_timer(uv_timer_t *timer) {
    struct connection *c = timer->data;
    const struct aq_json_lines_config *config = &c->lines->config;
    uint64_t until_ms = waiting_since_ms(c) + config->idle_ms, now = now_ms(c->lines);
    if (until_ms > now) {
        uv_timer_start(timer, on_timer, until_ms - now, 0);
        return;
    }
    aq_gateway_traffic(config->gateway, config->listener)->timed_out++;
    close_connection(c);
}

/* ---- the listener ---- */

static void refuse(struct aq_json_lines *lines, struct connection *c) {
    struct aq_text_out out = {0};
    aq_gateway_traffic(lines->config.gateway, lines->config.listener)->refused++;
    if (!lines->config.upstream) {
        aq_app_answers_failure(&out, "too many connections", AQ_OUTCOME_UNAVAILABLE);
        AQ_TEXT_OUT(&out, "\n");
        uv_buf_t buffer = uv_buf_init(out.bytes.at, out.bytes.len);
        uv_try_write(&c->io.stream, &buffer, 1);
    }
    aq_text_out_close(&out);
    uv_close(&c->io.handle, on_connection_closed);
    uv_close((uv_handle_t *)&c->timer, on_connection_closed);
    c->closing = true;
}

static int init_stream(struct aq_json_lines *lines, uv_stream_t *stream) {
    return lines->config.listener == AQ_GATEWAY_TCP
               ? uv_tcp_init(lines->config.loop, (uv_tcp_t *)stream)
               : uv_pipe_init(lines->config.loop, (uv_pipe_t *)stream, 0);
}

static void on_connection(uv_stream_t *listening, int status) {
    struct aq_json_lines *lines = listening->data;
    if (status) return;
    struct connection *c = aq_alloc_zeroed(1, sizeof *c);
    if (!c) return; /* uv keeps the connection and does not tell of another until it is accepted */
    c->lines = lines;
    init_stream(lines, &c->io.stream);
    uv_timer_init(lines->config.loop, &c->timer);
    c->io.handle.data = c->timer.data = c;
    c->open_handles = 2;
    lines->unclosed++;
    int rc = uv_accept(listening, &c->io.stream);
    if (rc || lines->connections >= lines->config.connections_max) {
        refuse(lines, c);
        return;
    }
    struct aq_gateway_traffic *traffic = aq_gateway_traffic(lines->config.gateway, lines->config.listener);
    traffic->accepted++;
    traffic->connections++;
    lines->connections++;
    c->next = lines->first;
    if (c->next) c->next->prev = c;
    lines->first = c;
    if (lines->config.listener == AQ_GATEWAY_TCP) uv_tcp_nodelay(&c->io.tcp, 1);
    c->active_ms = c->begun_ms = now_ms(lines);
    uv_timer_start(&c->timer, on_timer, lines->config.idle_ms, 0);
    set_reading(c);
}

static void on_listener_closed(uv_handle_t *handle) {
    struct aq_json_lines *lines = handle->data;
    lines->unclosed--;
    release(lines);
}

int aq_json_lines_open(const struct aq_json_lines_config *config, struct aq_json_lines **out,
                       struct aq_error *error) {
    struct aq_json_lines *lines = aq_alloc_zeroed(1, sizeof *lines);
    if (!lines) {
        close(config->fd);
        return aq_error_set(error, AQ_ENOMEM, "out of memory");
    }
    lines->config = *config;
    init_stream(lines, &lines->io.stream);
    lines->io.handle.data = lines;
    lines->unclosed = 1;
    int rc = config->listener == AQ_GATEWAY_TCP ? uv_tcp_open(&lines->io.tcp, config->fd)
                                                : uv_pipe_open(&lines->io.pipe, config->fd);
    if (rc) close(config->fd);
    if (!rc) rc = uv_listen(&lines->io.stream, BACKLOG, on_connection);
    if (rc) {
        aq_json_lines_close(lines);
        return aq_error_set(error, AQ_EIO, "cannot listen: %s", uv_strerror(rc));
    }
    *out = lines;
    return 0;
}

void aq_json_lines_drain(struct aq_json_lines *lines) {
    if (lines->draining) return;
    lines->draining = true;
    uv_close(&lines->io.handle, on_listener_closed);
    for (struct connection *c = lines->first, *next; c; c = next) {
        next = c->next;
        set_reading(c);
    }
}

uint32_t aq_json_lines_connections(const struct aq_json_lines *lines) {
    return lines->connections;
}

void aq_json_lines_close(struct aq_json_lines *lines) {
    if (!lines) return;
    AQ_ASSERT(!lines->closing);
    if (!lines->draining) uv_close(&lines->io.handle, on_listener_closed);
    lines->draining = lines->closing = true;
    while (lines->first)
        close_connection(lines->first);
    release(lines);
}
