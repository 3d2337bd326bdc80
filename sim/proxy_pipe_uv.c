/* One direction of a connection: bytes are read, let pass or held, and written when they are due. */
#include "base/assert.h"
#include "sim/proxy_internal_uv.h"

#define RETRANSMISSIONS_MAX 15    /* Linux: net.ipv4.tcp_retries2 */
#define BURST_US            50000 /* BANDWIDTH: what is saved up while nothing is sent, as time */
#define PORTIONS_PER_S      200   /* BANDWIDTH: bytes leave in portions of so much time, not one by one */
#define STARVED_US          10000 /* until memory is asked for again */

static enum side source_of(const struct pipe *pipe) {
    return pipe->direction == AQ_DIRECTION_TO_SERVER ? CLIENT_SIDE : SERVER_SIDE;
}

static enum side sink_of(const struct pipe *pipe) {
    return pipe->direction == AQ_DIRECTION_TO_SERVER ? SERVER_SIDE : CLIENT_SIDE;
}

static uv_stream_t *stream_of(const struct pipe *pipe, enum side side) {
    return (uv_stream_t *)&pipe->wire->sides[side];
}

static struct aq_link_rules *rules_of(const struct pipe *pipe) {
    return pipe->wire->proxy->config.rules;
}

static uint32_t server_of(const struct pipe *pipe) {
    return pipe->wire->proxy->config.server;
}

static struct aq_block_pool *pool_of(const struct pipe *pipe) {
    return &pipe->wire->proxy->pool;
}

void pipe_init(struct pipe *pipe, struct wire *wire, enum aq_direction direction) {
    *pipe = (struct pipe){.wire = wire,
                          .direction = direction,
                          .queue = {.blocks_max = AQ_PROXY_BUFFER_BYTES / AQ_BLOCK_BYTES}};
    uv_timer_init(wire->proxy->config.loop, &pipe->timer);
    pipe->timer.data = pipe->write.data = pipe->shutdown.data = pipe;
}

/* ---- reading ---- */

static struct pipe *pipe_from(const uv_handle_t *handle) {
    struct wire *wire = handle->data;
    return &wire->pipes[(const uv_tcp_t *)handle == &wire->sides[SERVER_SIDE]];
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
    struct pipe *pipe = pipe_from(handle);
    uint32_t size = 0;
    (void)suggested;
    uint8_t *room = aq_byte_queue_room(&pipe->queue, pool_of(pipe), &size);
    *out = uv_buf_init((char *)room, room ? size : 0);
}

static void stop_reading(struct pipe *pipe) {
    if (pipe->reading) uv_read_stop(stream_of(pipe, source_of(pipe)));
    pipe->reading = false;
}

/* The source has ended, or failed, with what libuv says. */
static void source_over(struct pipe *pipe, ssize_t status) {
    struct wire *wire = pipe->wire;
    if (wire->state == WIRE_SETTING_UP && !wire->way_is_free) {
        wire_abandon(wire);
    } else if (status == UV_EOF) {
        stop_reading(pipe);
        pipe->ended = true;
        pipe_set_end(pipe, END_CLOSE);
    } else {
        wire_side_broken(wire, source_of(pipe));
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct pipe *pipe = pipe_from((const uv_handle_t *)stream);
    if (buffer->base) aq_byte_queue_add(&pipe->queue, pool_of(pipe), count > 0 ? (uint32_t)count : 0);
    pipe->starved = count == UV_ENOBUFS; /* memory is out */
    if (count < 0 && !pipe->starved)
        source_over(pipe, count);
    else if (count)
        pipe_run(pipe);
}

static void set_reading(struct pipe *pipe) {
    bool wanted = !pipe->ended && !pipe->starved && pipe->wire->open[source_of(pipe)] &&
                  !aq_byte_queue_is_full(&pipe->queue);
    if (!wanted) {
        stop_reading(pipe);
    } else if (!pipe->reading &&
               (pipe->wire->state == WIRE_UP || pipe->direction == AQ_DIRECTION_TO_SERVER)) {
        pipe->reading = uv_read_start(stream_of(pipe, source_of(pipe)), on_room, on_read) == 0;
    }
}

/* ---- letting pass ---- */

static aq_time_us retransmit_after(const struct pipe *pipe, uint8_t attempts) {
    const struct aq_proxy_config *config = &pipe->wire->proxy->config;
    return aq_time_min(config->retransmit_first_us << attempts, config->retransmit_max_us);
}

/* Latency, jitter, loss and partition: models a long, uneven, bad or cut way under TCP. What is lost or
   blocked is tried again after a wait that doubles, and holds up what follows it. Cannot show duplicates,
   reordering or a smaller congestion window: the kernels at both ends never see a lost packet.
   False: the next chunk, or the end, is lost or blocked this time. */
static bool try_to_pass(struct pipe *pipe, aq_time_us now_us, aq_time_us *due_us) {
    struct aq_link_decision decision = {0};
    if (rules_of(pipe)->count)
        decision = aq_link_decide(rules_of(pipe), pipe->wire->client, server_of(pipe), pipe->direction,
                                  &pipe->wire->random);
    if (decision.blocked || decision.lost) {
        pipe->retry_us = aq_time_after(now_us, retransmit_after(pipe, pipe->attempts++));
        return false;
    }
    *due_us = aq_time_after(now_us, decision.extra_us); /* and not before what is in front of it */
    pipe->attempts = 0;
    return true;
}

/* Slow close: models a peer whose FIN comes late. Cannot hold back a reset. */
static void let_end_pass(struct pipe *pipe, aq_time_us now_us) {
    if (!try_to_pass(pipe, now_us, &pipe->end_due_us)) return;
    pipe->end_let_pass = true;
    if (pipe->end != END_CLOSE || !rules_of(pipe)->count) return;
    aq_time_us held_us = aq_link_close_delay(rules_of(pipe), pipe->wire->client, server_of(pipe),
                                             pipe->direction, &pipe->wire->random);
    pipe->end_due_us = aq_time_after(pipe->end_due_us, held_us);
}

static void let_pass(struct pipe *pipe, aq_time_us now_us) {
    struct aq_chunk *chunk;
    aq_time_us due_us;
    if (now_us < pipe->retry_us) return;
    while ((chunk = aq_byte_queue_held(&pipe->queue))) {
        if (!try_to_pass(pipe, now_us, &due_us)) return;
        /* Corrupt: models memory that flips bits behind the checksums. Cannot lose or add bytes. */
        if (rules_of(pipe)->count)
            aq_link_corrupt(rules_of(pipe), pipe->wire->client, server_of(pipe), pipe->direction,
                            &pipe->wire->random, chunk->bytes, chunk->count);
        aq_byte_queue_let_pass(&pipe->queue, due_us);
    }
    if (pipe->end && !pipe->end_let_pass) let_end_pass(pipe, now_us);
}

/* ---- writing ---- */

/* Bandwidth: models a thin line by a token bucket for each connection and direction. Cannot share one line
   among connections.
   How many of the wanted bytes are paid for now; none: *wake_us says when a portion will be. */
static uint32_t affordable(struct pipe *pipe, uint32_t bytes_per_s, uint32_t wanted, aq_time_us now_us,
                           aq_time_us *wake_us) {
    uint32_t portion = bytes_per_s / PORTIONS_PER_S;
    if (portion < 1) portion = 1;
    if (portion > wanted) portion = wanted;
    double byte_us = 1e6 / bytes_per_s, portion_us = portion * byte_us, now = (double)now_us;
    double oldest = now - (portion_us > BURST_US ? portion_us : BURST_US);
    if (pipe->paid_us < oldest) pipe->paid_us = oldest;
    double count = (now - pipe->paid_us) / byte_us;
    if (count < portion) {
        *wake_us = (aq_time_us)(pipe->paid_us + portion_us) + 1;
        return 0;
    }
    uint32_t some = count < wanted ? (uint32_t)count : wanted;
    pipe->paid_us += some * byte_us;
    return some;
}

/* Chop: models tiny packets by writing piece by piece. Cannot keep the receiver's kernel from joining pieces
   that its process is too slow to read one by one.
   How much of the chunk may be written now. 0: not before *wake_us. */
static uint32_t allowance(struct pipe *pipe, struct aq_chunk *chunk, aq_time_us now_us, aq_time_us *wake_us,
                          aq_time_us *pause_us) {
    uint32_t wanted = chunk->count - chunk->sent;
    *pause_us = 0;
    if (!rules_of(pipe)->count) return wanted;
    struct aq_link_shape shape = aq_link_shape(rules_of(pipe), pipe->wire->client, server_of(pipe),
                                               pipe->direction, chunk->counted ? 0 : chunk->count);
    chunk->counted = true;
    if (shape.piece_bytes) {
        *wake_us = pipe->resume_us;
        if (now_us < pipe->resume_us) return 0;
        if (wanted > shape.piece_bytes) wanted = shape.piece_bytes;
        *pause_us = shape.pause_us;
    }
    return shape.bytes_per_s ? affordable(pipe, shape.bytes_per_s, wanted, now_us, wake_us) : wanted;
}

static void take(struct pipe *pipe, uint32_t count) {
    struct aq_proxy_counters *counters = &pipe->wire->proxy->counters;
    if (!pipe->wire->open[sink_of(pipe)])
        counters->bytes_swallowed += count;
    else if (pipe->direction == AQ_DIRECTION_TO_SERVER)
        counters->bytes_to_server += count;
    else
        counters->bytes_to_client += count;
    aq_byte_queue_take(&pipe->queue, pool_of(pipe), count);
}

static void on_written(uv_write_t *request, int status) {
    struct pipe *pipe = request->data;
    uint32_t count = pipe->writing;
    pipe->writing = 0;
    if (status == 0) take(pipe, count);
    if (pipe->wire->state == WIRE_CLOSING) return;
    if (status) wire_side_broken(pipe->wire, sink_of(pipe));
    pipe_run(pipe);
}

/* A machine that does not know the connection answers with a reset. */
static void answer_for_the_gone(struct pipe *pipe) {
    struct wire *wire = pipe->wire;
    if (wire->forgotten && wire->proxy->config.answer_half_open &&
        pipe->direction == AQ_DIRECTION_TO_SERVER && wire->pipes[SERVER_SIDE].end == END_NONE)
        pipe_set_end(&wire->pipes[SERVER_SIDE], END_RESET);
}

/* Writes bytes of the first chunk, or hands them to the loop when the sink's buffer is full. */
static void write_some(struct pipe *pipe, struct aq_chunk *chunk, uint32_t count) {
    uv_stream_t *sink = stream_of(pipe, sink_of(pipe));
    if (!pipe->wire->open[sink_of(pipe)]) {
        take(pipe, count);
        answer_for_the_gone(pipe);
        return;
    }
    uv_buf_t buffer = uv_buf_init((char *)chunk->bytes + chunk->sent, count);
    int written = uv_try_write(sink, &buffer, 1);
    if (written == UV_EAGAIN) written = 0;
    int rc = written < 0 ? written : 0;
    if (!rc && (uint32_t)written < count) {
        buffer.base += written;
        buffer.len -= (size_t)written;
        rc = uv_write(&pipe->write, sink, &buffer, 1, on_written);
        if (!rc) pipe->writing = count - (uint32_t)written;
    }
    if (written > 0) take(pipe, (uint32_t)written);
    if (rc) wire_side_broken(pipe->wire, sink_of(pipe));
}

static void on_shut_down(uv_shutdown_t *request, int status) {
    (void)request, (void)status; /* nothing hangs on it: a failed one shows when reading */
}

/* The end has come to the sink. */
static void finish(struct pipe *pipe) {
    struct wire *wire = pipe->wire;
    enum side sink = sink_of(pipe);
    pipe->done = true;
    if (!wire->open[sink]) {
        answer_for_the_gone(pipe);
        if (wire->forgotten && wire->pipes[SERVER_SIDE].end == END_NONE)
            wire_close_side(wire, CLIENT_SIDE, false);
    } else if (pipe->end == END_RESET) {
        wire_close_side(wire, sink, true);
    } else {
        uv_shutdown(&pipe->shutdown, stream_of(pipe, sink), on_shut_down);
    }
    wire_settle(wire);
}

/* Writes what is due. Returns when to go on; AQ_TIME_NEVER: when something happens. */
static aq_time_us write_due(struct pipe *pipe, aq_time_us now_us) {
    struct aq_chunk *chunk;
    while (!pipe->writing && (chunk = aq_byte_queue_first(&pipe->queue))) {
        aq_time_us wake_us = AQ_TIME_NEVER, pause_us;
        if (now_us < chunk->due_us) return chunk->due_us;
        uint32_t count = allowance(pipe, chunk, now_us, &wake_us, &pause_us);
        if (!count) return wake_us;
        if (pause_us) pipe->resume_us = aq_time_after(now_us, pause_us);
        write_some(pipe, chunk, count);
        if (pipe->wire->state != WIRE_UP) return AQ_TIME_NEVER;
    }
    if (pipe->done || !pipe->end_let_pass || !aq_byte_queue_is_empty(&pipe->queue)) return AQ_TIME_NEVER;
    if (now_us < pipe->end_due_us) return pipe->end_due_us;
    finish(pipe);
    return AQ_TIME_NEVER;
}

/* ---- all of it ---- */

static void on_timer(uv_timer_t *timer) {
    struct pipe *pipe = timer->data;
    pipe->starved = false;
    pipe_run(pipe);
}

void pipe_run(struct pipe *pipe) {
    struct wire *wire = pipe->wire;
    if (wire->state == WIRE_CLOSING) return;
    aq_time_us wake_us = AQ_TIME_NEVER, now_us = wire->state == WIRE_UP ? proxy_now_us() : 0;
    if (wire->state == WIRE_UP) {
        let_pass(pipe, now_us);
        if (pipe->attempts > RETRANSMISSIONS_MAX) { /* the kernel would give the connection up */
            wire->proxy->counters.given_up++;
            wire_reset(wire);
            return;
        }
        wake_us = write_due(pipe, now_us);
        if (wire->state != WIRE_UP) return;
        if (pipe->attempts) wake_us = aq_time_min(wake_us, pipe->retry_us);
    }
    set_reading(pipe);
    if (pipe->starved) wake_us = aq_time_min(wake_us, now_us + STARVED_US);
    if (wire->state != WIRE_UP) return;
    if (wake_us != AQ_TIME_NEVER)
        proxy_start_timer(&pipe->timer, on_timer, now_us, wake_us);
    else
        uv_timer_stop(&pipe->timer);
}

void pipe_set_end(struct pipe *pipe, enum pipe_end end) {
    pipe->end = end;
    pipe->end_let_pass = false;
    pipe->done = false;
    pipe_run(pipe);
}
