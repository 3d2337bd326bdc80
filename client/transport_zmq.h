/* The connections of many clients to AllQueue servers, over libzmq with CURVE on a libuv loop.

   It carries out what client cores ask for (CONNECT, SEND, CLOSE) and reports what happens (CONNECTED,
   DISCONNECTED, REPLY); it decides nothing, and never calls back from within a call. One thread: that of the
   loop.

   Each connection is a DEALER socket that speaks as AllQueue's REQ sockets do, with several requests under
   way: [4 bytes correlation][empty][body]. It tries to connect once; when that fails, or when the connection
   is lost, it reports DISCONNECTED and closes the socket: whether and when to try again is the core's.
   Replies that have not been read when the end of the connection is seen are lost with it, as with AllQueue's
   client: libzmq drops them where IMMEDIATE is set.

   Files: two for each connection, and two more while one of the first monitors_max connections that are being
   made at the same time is being made. */
#ifndef AQ_CLIENT_TRANSPORT_ZMQ_H
#define AQ_CLIENT_TRANSPORT_ZMQ_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "client/client.h"
#include "protocol/curve_keys.h"

struct aq_client_transport; /* opaque; see transport_zmq.c */

/* Why there is no connection. X(NAME, word) */
#define AQ_CLIENT_TROUBLES(X)                                                                                \
    X(REFUSED, "refused")            /* no TCP connection: refused, unreachable, timed out */                \
    X(UNRESOLVED, "unresolved")      /* the name of the host has no address */                               \
    X(NOT_ADMITTED, "not_admitted")  /* the server does not let this client's key in */                      \
    X(HANDSHAKE, "handshake_failed") /* the server has another key, or no AllQueue server listens there */   \
    X(STALLED, "stalled")            /* closed by the core before TCP and handshake were through */          \
    X(LOST, "lost")                  /* it was up, and went away */                                          \
    X(NO_SOCKET, "no_socket")        /* this process has no file or socket left, or the address is invalid */

enum aq_client_trouble {
#define X(name, word) AQ_CLIENT_TROUBLE_##name,
    AQ_CLIENT_TROUBLES(X)
#undef X
        AQ_CLIENT_TROUBLE_COUNT
};

/* The word, a literal. */
const char *aq_client_trouble_word(enum aq_client_trouble trouble);

/* kind is CONNECTED, DISCONNECTED or REPLY. A REPLY's reply is borrowed for the duration of the call; it is
   NULL where the bytes made no sense, or where no request with this correlation is open on this connection
   (answered already, or never sent). The callee may use every function of the transport except free. */
typedef void aq_client_transport_event(void *owner, uint32_t client, const struct aq_client_event *event);

/* The connection of client to address is now in this trouble: told once, and again only when the trouble is
   another one or the connection was up in between. For a person to read; comes before the DISCONNECTED, where
   there is one. detail adds to the trouble, one line; may be empty. The callee must not use the transport. */
typedef void aq_client_transport_trouble(void *owner, uint32_t client, uint32_t address,
                                         enum aq_client_trouble trouble, const char *detail);

struct aq_client_transport_config {
    uv_loop_t *loop;
    void *context;                    /* libzmq's; see aq_zmq_context_new */
    const struct aq_curve_pair *keys; /* the clients' pair; copied */
    const char *server_public_z85;    /* 40 characters; copied */
    uint32_t monitors_max;            /* connections that are watched closely while they are made. On another
                                         connection a failure before it is up goes unnoticed: neither CONNECTED nor
                                         DISCONNECTED follows until the core closes it. AQ_CLIENT_MONITORS_DEFAULT
                                         is enough for a client process */
    bool name_routes; /* show the client's number to the server: aq_server_peer.client. AllQueue's clients do
                         not */
    aq_client_transport_event *event;
    aq_client_transport_trouble *trouble; /* may be NULL */
    void *owner;                          /* handed to both */
};

#define AQ_CLIENT_MONITORS_DEFAULT 1024

/* Errors: AQ_ENOMEM, AQ_EIO (*out untouched). */
int aq_client_transport_new(const struct aq_client_transport_config *config, struct aq_client_transport **out,
                            struct aq_error *error);

/* Closes every connection at once; nothing is called back any more. The memory is released by the loop, which
   must run until it has nothing left to do before it is closed. NULL is fine. Not from within a callback. */
void aq_client_transport_free(struct aq_client_transport *transport);

/* Starts to connect client to address (its index in the address book) at endpoint, "host:port"; names are
   resolved. source: numeric local address to connect from, or NULL. There must be no connection of this
   client to this address. Whatever goes wrong from here on is reported as DISCONNECTED. Errors: AQ_ENOMEM
   (nothing started). */
int aq_client_transport_connect(struct aq_client_transport *transport, uint32_t client, uint32_t address,
                                const char *endpoint, const char *source);

/* Sends a request on a connection; the request is no longer needed afterwards. Where the connection has gone
   and this is not reported yet, or there is none, nothing is sent. Errors: AQ_ELIMIT (longer than
   AQ_MESSAGE_BYTES_MAX), AQ_ENOMEM; nothing sent. */
int aq_client_transport_send(struct aq_client_transport *transport, uint32_t client, uint32_t address,
                             uint32_t correlation, const struct aq_request *request);

/* Drops the connection, if there is one; nothing more is reported of it. What was sent and has not left yet
   is lost. */
void aq_client_transport_close(struct aq_client_transport *transport, uint32_t client, uint32_t address);

/* Drops all connections of a client, as the end of its process would. */
void aq_client_transport_close_client(struct aq_client_transport *transport, uint32_t client);

struct aq_client_transport_counters {
    uint64_t connects;   /* asked for */
    uint64_t connected;  /* came up */
    uint64_t lost;       /* were up, and went away */
    uint64_t failed;     /* did not come up: refused, handshake, no socket */
    uint64_t sent;       /* requests */
    uint64_t unsent;     /* requests for which there was no connection any more */
    uint64_t received;   /* replies, decoded or not */
    uint64_t nonsense;   /* of these: bytes that were no reply to what was asked */
    uint64_t stray;      /* of these: no request was open */
    uint32_t open;       /* connections now, up or being made */
    uint32_t up;         /* connections now */
    uint32_t monitored;  /* connections being watched closely now */
    uint32_t unanswered; /* requests now that no reply has come for, on open connections */
};
struct aq_client_transport_counters aq_client_transport_counters(const struct aq_client_transport *transport);

#endif
