/* The parts of the client transport among themselves.

   A connection:  resolving --> connecting --> up --> closed
                      |             |
                      +-> failed <--+    (DISCONNECTED is to be told)  --> closed

   The link of a client to an address stays when its connection goes, so that a trouble is told only once; the
   connection goes back to the pool when the loop has let go of its handles. */
#ifndef AQ_CLIENT_TRANSPORT_INTERNAL_H
#define AQ_CLIENT_TRANSPORT_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "client/transport_zmq.h"
#include "protocol/codec.h"
#include "protocol/loop_zmq.h"

#define NONE UINT32_MAX

#define SENT_MAX          65536 /* unanswered requests of one connection that are remembered */
#define ENDPOINT_CHARS    640   /* "tcp://source:0;host:port" with numeric hosts */
#define SOURCE_CHARS      64
#define TROUBLE_TEXT_MAX  160
#define REPLY_WIRE_FACTOR 4 /* AllQueue limits requests only, and a reply to get holds the body twice */

enum connection_state {
    CONNECTION_CLOSED,     /* nothing more is reported of it; its handles may still be closing */
    CONNECTION_RESOLVING,  /* asking for the address of the host */
    CONNECTION_CONNECTING, /* TCP or handshake under way */
    CONNECTION_UP,
    CONNECTION_FAILED, /* before it was up; not told yet */
};

struct connection {
    struct aq_zmq_watch watch;   /* its socket */
    struct aq_zmq_watch monitor; /* the socket that tells how connecting goes */
    struct aq_client_transport *transport;
    struct connection *next_free;
    uint64_t serial; /* a new one each time it is used */
    uint32_t link;
    uint32_t sent_first, sent_last; /* unanswered requests, oldest first */
    uint32_t sent_count;
    uint32_t handles; /* what the loop has not let go of yet */
    uint16_t port;
    uint8_t state;
    uint8_t trouble; /* FAILED, and CLOSED with tell_stalled */
    bool tcp_up;     /* as the monitor told */
    bool through;    /* handshake done, as the monitor told */
    bool looked;     /* its socket has been looked at */
    bool tell_stalled;
    char source[SOURCE_CHARS];
    char detail[TROUBLE_TEXT_MAX];
    uv_getaddrinfo_t resolve;
};

struct link {
    uint32_t client, address;
    struct connection *connection; /* NULL for none */
    uint32_t next_of_client;
    uint8_t told; /* the trouble last told plus one; 0 none since it was up */
};

/* A request without a reply yet: replies do not always say what they answer. */
struct sent {
    uint64_t key;        /* of its connection and correlation, in the map */
    uint32_t next, prev; /* in its connection's list; next: free places */
    uint8_t action;
};

struct aq_client_transport {
    struct aq_client_transport_config config;
    struct aq_curve_pair keys;
    char server_public_z85[AQ_CURVE_Z85_CHARS + 1];
    struct aq_zmq_queue queue;
    struct aq_client_transport_counters counters;

    struct link *links;
    uint32_t link_count, link_capacity;
    struct aq_map by_pair;     /* client and address -> link */
    uint32_t *first_of_client; /* link, or NONE */
    uint32_t client_count, client_capacity;

    struct connection *free_connections;
    uint32_t connections; /* not in the pool */
    uint64_t next_serial;

    struct sent *sent;
    uint32_t sent_count, sent_capacity, free_sent;
    struct aq_map by_key;

    struct aq_bytes bytes; /* the request being sent */
    struct aq_arena texts; /* of the reply being told */
    bool calling;          /* a callback is under way */
    bool ending;           /* freed by its owner */
};

/* transport_links.c: who is connected to what, and what was sent on it. */
struct connection *aq_links_connection(const struct aq_client_transport *t, uint32_t client,
                                       uint32_t address);
int aq_links_make(struct aq_client_transport *t, uint32_t client, uint32_t address, uint32_t *out);
int aq_sent_add(struct aq_client_transport *t, struct connection *c, uint32_t correlation, uint8_t action);
bool aq_sent_take(struct aq_client_transport *t, struct connection *c, uint32_t correlation, uint8_t *action);
void aq_sent_forget_all(struct aq_client_transport *t, struct connection *c);
void aq_links_close(struct aq_client_transport *t);

/* transport_connect.c: a connection from its beginning until it is up or has failed. */
void aq_connection_start(struct connection *c, const char *endpoint, const char *source);
void aq_connection_fail(struct connection *c, enum aq_client_trouble trouble, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void aq_connection_stop_monitor(struct connection *c);

/* transport_zmq.c */
bool aq_connection_look(struct aq_zmq_watch *watch);
void aq_connection_released(struct connection *c); /* the loop has let go of one of its handles */
void aq_connection_tell_trouble(struct aq_client_transport *t, uint32_t link, enum aq_client_trouble trouble,
                                const char *detail);

#endif
