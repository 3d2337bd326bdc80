/* A fake server's port: a ROUTER socket with CURVE on a libuv loop, which answers REQ and DEALER peers as
   AllQueue's REP socket would, except that a reply may also come late, twice or never.

   Requests are decoded into memory of the transport that lives until the owner says finished; a request is
   handed over as the event for aq_server_step, and replies are sent when the core's REPLY effects say so.
   Nothing is called back from within a call. One thread: that of the loop.

   A message is any number of envelope frames, an empty frame, and a body of one frame:
   - REQ with REQ_CORRELATE, as AllQueue's clients: [4 bytes correlation][empty][body];
   - REQ: [empty][body]; the correlation is 0;
   - other envelopes of up to AQ_SERVER_ENVELOPE_BYTES_MAX bytes: given back unchanged in front of the reply;
     the correlation is 0.
   A message without an empty frame, or with a longer envelope, is dropped and counted as malformed, as REP
   drops it. So is one with a body of several frames; AllQueue takes the second for another request and gets
   stuck in the end, which is modelled by blank requests already. A body that cannot be decoded is handed over
   without a request: "blank" where there is nothing but white space, else with the error's text. An action
   that AllQueue does not know is handed over as one that servers answer with {}.

   Limits: a peer's requests wait in the peer's own send queue and in TCP once 1,000 are unread here: none is
   dropped. Of the replies to a peer that does not read, AQ_SERVER_UNREAD_MAX wait; more are dropped and
   counted. A peer that sends a message of more than AQ_SERVER_WIRE_BYTES_MAX bytes is disconnected. */
#ifndef AQ_FAKESERVER_TRANSPORT_ZMQ_H
#define AQ_FAKESERVER_TRANSPORT_ZMQ_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/time.h"
#include "fakeserver/handshakes_zmq.h"
#include "fakeserver/server.h"
#include "protocol/curve_keys.h"

#define AQ_SERVER_ENVELOPE_BYTES_MAX 1024
#define AQ_SERVER_UNREAD_MAX         8192 /* several times what a client has under way */
#define AQ_SERVER_WIRE_BYTES_MAX     (AQ_MESSAGE_BYTES_MAX + 65536)
#define AQ_SERVER_PEERS_IDLE_MAX     65536 /* peers without a request under way that are remembered */

struct aq_server_transport; /* opaque; see transport_zmq.c */

/* event.kind is AQ_SERVER_REQUEST, with peer, correlation, token, and request or malformed, all valid until
   aq_server_transport_finished(token). The callee may use every function of the transport except close. */
typedef void aq_server_transport_request(void *owner, const struct aq_server_event *event);

/* Told once: rc 0 and the port on which the server listens, or an error and why it does not. */
typedef void aq_server_transport_listening(void *owner, int rc, uint16_t port, const struct aq_error *error);

struct aq_server_transport_config {
    uv_loop_t *loop;
    void *context;                    /* libzmq's; see aq_zmq_context_new */
    const struct aq_curve_pair *keys; /* the server's; copied */
    const char *host;                 /* numeric address to listen on; copied */
    uint16_t port;                    /* 0: any free one */
    aq_time_us bind_for_us;  /* how long to go on trying while the port is still in use, as it is for a
                                moment after a crash. 0: try once */
    aq_time_us handshake_us; /* a peer that has not finished its handshake by then is disconnected; 0: 30 s,
                                as AllQueue on libzmq does */
    aq_server_transport_request *request;
    aq_server_transport_listening *listening;
    aq_server_transport_stranger *stranger; /* may be NULL */
    void *owner;                            /* handed to all three */
};

/* Begins to listen; what comes of it is told from the loop. Where the port was free,
   aq_server_transport_port knows it at once. Errors: AQ_ENOMEM, AQ_EINVALID (host or keys), AQ_EIO (no
   socket; cannot listen there); *out untouched. */
int aq_server_transport_open(const struct aq_server_transport_config *config,
                             struct aq_server_transport **out, struct aq_error *error);

/* The port on which it listens; 0 before that. */
uint16_t aq_server_transport_port(const struct aq_server_transport *transport);

/* Sends a reply to a request that is not finished, any number of times. A peer that has gone away gets none.
   Errors: AQ_ELIMIT (longer than AQ_MESSAGE_BYTES_MAX), AQ_ENOMEM; nothing sent. */
int aq_server_transport_reply(struct aq_server_transport *transport, uint32_t peer, uint32_t correlation,
                              const struct aq_reply *reply);

/* Sends these bytes in place of a reply: for faults. Errors: AQ_ENOMEM. */
int aq_server_transport_reply_bytes(struct aq_server_transport *transport, uint32_t peer,
                                    uint32_t correlation, const void *bytes, size_t len);

/* The memory of a request is no longer needed. Exactly once for each. */
void aq_server_transport_finished(struct aq_server_transport *transport, uint32_t token);

/* Stops or goes on reading requests; they wait in the peers' queues meanwhile. Reading at the start. */
void aq_server_transport_pause(struct aq_server_transport *transport, bool paused);

/* Who asks: a connection, or one envelope of a connection. */
struct aq_server_peer {
    const char *route;  /* the connection's name in the ROUTER socket: bytes, borrowed */
    uint32_t route_len; /* 1..255 */
    uint32_t client; /* the number that a client transport with name_routes gave it; UINT32_MAX for others */
    char from[46];   /* IP address of the other end, or empty */
};

/* Valid while a request of this peer is not finished, and in general longer. False where the handle is not in
   use. */
bool aq_server_transport_peer(const struct aq_server_transport *transport, uint32_t peer,
                              struct aq_server_peer *out);

/* Ends: all connections drop, all requests are taken back, nothing is called back any more. abrupt: replies
   that have not left yet are lost, as in a crash; otherwise they get a second to leave. The memory is
   released by the loop, which must run until it has nothing left to do before it is closed; the port is free
   again moments later. NULL is fine. Not from within a callback. */
void aq_server_transport_close(struct aq_server_transport *transport, bool abrupt);

struct aq_server_transport_counters {
    uint64_t requests;        /* handed over */
    uint64_t undecodable;     /* of these: without a request */
    uint64_t malformed;       /* messages dropped: no empty frame, a body of several frames */
    uint64_t replies;         /* sent */
    uint64_t replies_no_peer; /* not sent: the peer has gone */
    uint64_t replies_unread;  /* not sent: too many wait already */
    uint32_t unfinished;      /* requests now */
    uint32_t peers;           /* remembered now */
};
struct aq_server_transport_counters aq_server_transport_counters(const struct aq_server_transport *transport);

#endif
