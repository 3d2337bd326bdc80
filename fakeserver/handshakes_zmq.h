/* Who comes to a server's port and does not get through the handshake: told by libzmq's monitor of the
   socket.

   libzmq reports wrong keys, other mechanisms and peers that stall, but not a peer that does not speak ZMTP:
   its connection just ends. Such an end counts where no handshake at all has succeeded since the connection
   was accepted, so that no client is ever taken for a stranger. */
#ifndef AQ_FAKESERVER_HANDSHAKES_ZMQ_H
#define AQ_FAKESERVER_HANDSHAKES_ZMQ_H

#include "protocol/loop_zmq.h"

/* X(NAME, what it did) */
#define AQ_STRANGERS(X)                                                                                      \
    X(WRONG_KEY, "has another key for this server (A_CURVE_SERVER_PUBLICKEY)")                               \
    X(NO_CURVE, "speaks ZMTP, but without CURVE keys")                                                       \
    X(NOT_ZMTP, "does not speak ZMTP")                                                                       \
    X(MALFORMED, "sends a handshake that makes no sense")                                                    \
    X(UNFINISHED, "went away or stalled before the handshake was through")

enum aq_stranger {
#define X(name, text) AQ_STRANGER_##name,
    AQ_STRANGERS(X)
#undef X
        AQ_STRANGER_COUNT
};

/* What it did, a literal: follows "a peer ". */
const char *aq_stranger_text(enum aq_stranger stranger);

/* Told of each. The callee must not use the transport. */
typedef void aq_server_transport_stranger(void *owner, enum aq_stranger stranger);

/* Embedded in the transport, at a fixed place. */
struct aq_handshakes {
    struct aq_zmq_watch watch;
    void *monitored; /* the server's socket; NULL while closed */
    aq_server_transport_stranger *stranger;
    void *owner;
    uint64_t succeeded;         /* handshakes */
    uint32_t failed;            /* and told; the ends of their connections follow */
    uint64_t *succeeded_before; /* by descriptor: handshakes when it was accepted */
    uint32_t descriptors;       /* room for these */
    void (*closed)(struct aq_handshakes *handshakes);
};

/* Begins to watch a socket that does not listen yet. Errors: AQ_EIO (closed again). */
int aq_handshakes_open(struct aq_handshakes *handshakes, struct aq_zmq_queue *queue, void *context,
                       void *socket, aq_server_transport_stranger *stranger, void *owner);

/* To be called before the socket is closed. True where it was open: then closed is called from the loop, and
   only after that may the memory be used again. */
bool aq_handshakes_close(struct aq_handshakes *handshakes, void (*closed)(struct aq_handshakes *handshakes));

#endif
