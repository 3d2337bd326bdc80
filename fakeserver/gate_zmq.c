#include "fakeserver/gate_zmq.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/map.h"
#include "base/memory.h"
#include "protocol/ids.h"
#include "protocol/loop_zmq.h"

#define ENDPOINT       "inproc://zeromq.zap.01" /* where libzmq asks */
#define KEY_BYTES      32
#define FRAME_MAX      255
#define NAME_MAX_BYTES 64 /* of a request id, which libzmq makes: "1" */

struct aq_server_gate {
    struct aq_server_gate_config config;
    struct aq_curve_allow_list list;
    struct aq_zmq_queue queue;
    struct aq_zmq_watch watch;
    struct aq_map told; /* hash of a refused key that was told */
    struct aq_server_gate_counters counters;
    uint64_t second; /* in which told_now were told */
    uint32_t told_now;
    uint32_t handles;
};

/* What libzmq asks: a copy of the frames that matter. */
struct question {
    char route[FRAME_MAX];
    size_t route_len;
    char id[NAME_MAX_BYTES];
    size_t id_len;
    char from[FRAME_MAX + 1];
    char public_z85[AQ_CURVE_Z85_CHARS + 1];
    bool whole;
};

enum { ROUTE, EMPTY, VERSION, ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, KEY, FRAME_COUNT };

static void take_frame(struct question *q, int place, zmq_msg_t *frame) {
    const char *at = zmq_msg_data(frame);
    size_t size = zmq_msg_size(frame);
    switch (place) {
    case ROUTE:
        q->route_len = size < sizeof q->route ? size : sizeof q->route;
        memcpy(q->route, at, q->route_len);
        break;
    case ID:
        q->id_len = size < sizeof q->id ? size : sizeof q->id;
        memcpy(q->id, at, q->id_len);
        break;
    case ADDRESS: snprintf(q->from, sizeof q->from, "%.*s", (int)size, at); break;
    case KEY: q->whole = size == KEY_BYTES && zmq_z85_encode(q->public_z85, zmq_msg_data(frame), size); break;
    default: break;
    }
}

static bool read_question(void *socket, struct question *q) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    *q = (struct question){0};
    int place = 0;
    while (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0) {
        take_frame(q, place++, &frame);
        if (!zmq_msg_more(&frame)) break;
    }
    zmq_msg_close(&frame);
    q->whole = q->whole && place == FRAME_COUNT;
    return place > 0;
}

static void answer(void *socket, const struct question *q, bool admitted) {
    const int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    const char *status = admitted ? "200" : "400", *text = admitted ? "OK" : "this key is not let in";
    const char *user = admitted ? q->public_z85 : "";
    zmq_send(socket, q->route, q->route_len, more);
    zmq_send(socket, "", 0, more);
    zmq_send(socket, "1.0", 3, more);
    zmq_send(socket, q->id, q->id_len, more);
    zmq_send(socket, status, 3, more);
    zmq_send(socket, text, strlen(text), more);
    zmq_send(socket, user, strlen(user), more);
    zmq_send(socket, "", 0, ZMQ_DONTWAIT);
}

/* A key that comes when too many have been told in this second may be told when it comes again. */
static bool is_news(struct aq_server_gate *gate, const char *public_z85) {
    uint64_t key = aq_map_mix(aq_text_hash(aq_text_of(public_z85)));
    uint64_t second = uv_now(gate->config.loop) / 1000;
    uint32_t value;
    if (aq_map_get(&gate->told, key, &value) || gate->told.count >= AQ_SERVER_GATE_KEYS_MAX) return false;
    if (second != gate->second) gate->told_now = 0;
    gate->second = second;
    if (gate->told_now >= AQ_SERVER_GATE_TOLD_PER_S || aq_map_set(&gate->told, key, 0)) return false;
    gate->told_now++;
    return true;
}

static bool look(struct aq_zmq_watch *watch) {
    struct aq_server_gate *gate =
        (struct aq_server_gate *)((char *)watch - offsetof(struct aq_server_gate, watch));
    struct question q;
    int left = AQ_ZMQ_LOOK_BUDGET;
    for (; left > 0 && read_question(watch->socket, &q); left--) {
        bool admitted = q.whole && aq_curve_allow_list_has(&gate->list, q.public_z85);
        answer(watch->socket, &q, admitted);
        if (admitted) {
            gate->counters.admitted++;
            continue;
        }
        gate->counters.refused++;
        if (q.whole && gate->config.refused && is_news(gate, q.public_z85))
            gate->config.refused(gate->config.owner, q.public_z85, q.from, gate->counters.refused);
    }
    return left == 0 || aq_zmq_events(watch->socket) & ZMQ_POLLIN;
}

/* The socket's own limits must not drop a question: a thousand clients may come at once. */
static int listen_for_questions(struct aq_server_gate *gate, struct aq_error *error) {
    int zero = 0;
    void *socket = zmq_socket(gate->config.context, ZMQ_ROUTER);
    if (!socket) return aq_error_set(error, AQ_EIO, "no socket: %s", zmq_strerror(zmq_errno()));
    int rc = zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero) |
             zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, sizeof zero) |
             zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, sizeof zero) | zmq_bind(socket, ENDPOINT);
    if (!rc && !aq_zmq_watch_open(&gate->watch, socket)) {
        gate->handles++;
        return 0;
    }
    int code = rc && zmq_errno() == EADDRINUSE ? AQ_EEXISTS : AQ_EIO;
    aq_error_set(error, code, "cannot answer for the context's CURVE servers: %s", zmq_strerror(zmq_errno()));
    zmq_close(socket);
    return code;
}

int aq_server_gate_open(const struct aq_server_gate_config *config, struct aq_server_gate **out,
                        struct aq_error *error) {
    struct aq_server_gate *gate = aq_alloc_zeroed(1, sizeof *gate);
    if (!gate || aq_curve_allow_list_copy(config->list, &gate->list)) {
        aq_free(gate);
        return aq_error_set(error, AQ_ENOMEM, "out of memory");
    }
    gate->config = *config;
    gate->config.list = &gate->list;
    aq_zmq_queue_init(&gate->queue, config->loop);
    aq_zmq_watch_init(&gate->watch, &gate->queue, look);
    gate->handles = 1;
    int rc = listen_for_questions(gate, error);
    if (rc)
        aq_server_gate_close(gate);
    else
        *out = gate;
    return rc;
}

int aq_server_gate_replace(struct aq_server_gate *gate, const struct aq_curve_allow_list *list) {
    struct aq_curve_allow_list copy;
    int rc = aq_curve_allow_list_copy(list, &copy);
    if (rc) return rc;
    aq_curve_allow_list_close(&gate->list);
    gate->list = copy;
    return 0;
}

struct aq_server_gate_counters aq_server_gate_counters(const struct aq_server_gate *gate) {
    return gate->counters;
}

static void released(struct aq_server_gate *gate) {
    if (--gate->handles > 0) return;
    aq_curve_allow_list_close(&gate->list);
    aq_map_close(&gate->told);
    aq_free(gate);
}

static void on_queue_closed(struct aq_zmq_queue *queue) {
    released((struct aq_server_gate *)((char *)queue - offsetof(struct aq_server_gate, queue)));
}

static void on_watch_closed(struct aq_zmq_watch *watch) {
    released((struct aq_server_gate *)((char *)watch - offsetof(struct aq_server_gate, watch)));
}

void aq_server_gate_close(struct aq_server_gate *gate) {
    if (!gate) return;
    aq_zmq_watch_close(&gate->watch, on_watch_closed);
    aq_zmq_queue_close(&gate->queue, on_queue_closed);
}
