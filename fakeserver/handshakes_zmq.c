#include "fakeserver/handshakes_zmq.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "base/memory.h"

#define DESCRIPTORS_MAX 1048576 /* more than a process may have */
#define WATCHED                                                                                              \
    (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |                           \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                            \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

const char *aq_stranger_text(enum aq_stranger stranger) {
    static const char *const texts[] = {
#define X(name, text) text,
        AQ_STRANGERS(X)
#undef X
    };
    return texts[stranger];
}

/* ---- what libzmq tells ---- */

static void accepted(struct aq_handshakes *h, uint32_t descriptor) {
    uint32_t room = h->descriptors;
    if (descriptor >= DESCRIPTORS_MAX) return;
    if (aq_array_reserve(&h->succeeded_before, &h->descriptors, (size_t)descriptor + 1,
                         sizeof *h->succeeded_before))
        return;
    memset(h->succeeded_before + room, 0, (h->descriptors - room) * sizeof *h->succeeded_before);
    h->succeeded_before[descriptor] = h->succeeded + 1; /* 0: nothing is known of it */
}

static void failed(struct aq_handshakes *h, enum aq_stranger stranger) {
    h->failed++;
    h->stranger(h->owner, stranger);
}

static void failed_protocol(struct aq_handshakes *h, uint32_t what) {
    failed(h, what == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC        ? AQ_STRANGER_WRONG_KEY
              : what == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? AQ_STRANGER_NO_CURVE
                                                                   : AQ_STRANGER_MALFORMED);
}

/* libzmq's I/O thread tells of a failure and of the end of its connection one right after the other. */
static void disconnected(struct aq_handshakes *h, uint32_t descriptor) {
    uint64_t before = descriptor < h->descriptors ? h->succeeded_before[descriptor] : 0;
    if (before) h->succeeded_before[descriptor] = 0;
    if (h->failed)
        h->failed--;
    else if (before == h->succeeded + 1)
        h->stranger(h->owner, AQ_STRANGER_NOT_ZMTP);
}

static void take_event(struct aq_handshakes *h, uint16_t event, uint32_t value) {
    switch (event) {
    case ZMQ_EVENT_ACCEPTED: accepted(h, value); break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: h->succeeded++; break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: failed_protocol(h, value); break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: failed(h, AQ_STRANGER_UNFINISHED); break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: h->failed++; break; /* the gate tells of it */
    case ZMQ_EVENT_DISCONNECTED: disconnected(h, value); break;
    default: break;
    }
}

static bool look(struct aq_zmq_watch *watch) {
    struct aq_handshakes *h = (struct aq_handshakes *)((char *)watch - offsetof(struct aq_handshakes, watch));
    uint16_t event;
    uint32_t value;
    for (int left = AQ_ZMQ_LOOK_BUDGET; left > 0; left--) {
        if (!aq_zmq_monitor_read(watch->socket, &event, &value)) return false;
        take_event(h, event, value);
    }
    return true;
}

/* ---- life ---- */

int aq_handshakes_open(struct aq_handshakes *h, struct aq_zmq_queue *queue, void *context, void *socket,
                       aq_server_transport_stranger *stranger, void *owner) {
    *h = (struct aq_handshakes){.monitored = socket, .stranger = stranger, .owner = owner};
    aq_zmq_watch_init(&h->watch, queue, look);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://aq.handshakes.%p", socket);
    void *pair = zmq_socket(context, ZMQ_PAIR);
    int zero = 0; /* no limit to what waits: libzmq's I/O thread would wait for us */
    if (pair && zmq_setsockopt(pair, ZMQ_RCVHWM, &zero, sizeof zero) == 0 &&
        zmq_socket_monitor(socket, endpoint, WATCHED) == 0 && zmq_connect(pair, endpoint) == 0 &&
        aq_zmq_watch_open(&h->watch, pair) == 0)
        return 0;
    zmq_socket_monitor(socket, NULL, 0);
    if (pair) zmq_close(pair);
    h->monitored = NULL;
    return AQ_EIO;
}

static void on_closed(struct aq_zmq_watch *watch) {
    struct aq_handshakes *h = (struct aq_handshakes *)((char *)watch - offsetof(struct aq_handshakes, watch));
    h->closed(h);
}

bool aq_handshakes_close(struct aq_handshakes *h, void (*closed)(struct aq_handshakes *handshakes)) {
    if (!h->monitored) return false;
    zmq_socket_monitor(h->monitored, NULL, 0);
    h->monitored = NULL;
    h->closed = closed;
    aq_free(h->succeeded_before);
    h->succeeded_before = NULL;
    h->descriptors = 0;
    return aq_zmq_watch_close(&h->watch, on_closed);
}
