/* Fault proxies: a TCP proxy in front of one server that does to real bytes what the link rules in force say.

   A proxy listens on a port of its own and connects on to the server for each connection of a client. It asks
   the same functions as the virtual network (sim/link_rules.h), here for each chunk of bytes that arrives,
   and in each direction by itself. Times are kept to about two milliseconds and are never too short. What
   cannot be done with a socket of the kernel in between: a connection that is refused, or that a partition
   keeps from being set up, is accepted by the kernel first; then it is reset, or left without an answer.

   Rules may come and go at any time; a proxy looks at those in force when it acts. Chunks that were let pass
   keep the delay they drew. All calls are for the thread of the loop. */
#ifndef AQ_SIM_PROXY_UV_H
#define AQ_SIM_PROXY_UV_H

#include <uv.h>

#include "base/error.h"
#include "base/time.h"
#include "sim/link_rules.h"

#define AQ_PROXY_FDS_PER_CONNECTION 2      /* sockets of a proxied connection; a listening one comes on top */
#define AQ_PROXY_BUFFER_BYTES       262144 /* per connection and direction; reading stops when it is full */
#define AQ_PROXY_NOBODY             UINT32_MAX /* a peer that is no client: rules for all clients hold for it */

struct aq_proxy; /* opaque */

struct aq_proxy_config {
    uv_loop_t *loop;             /* borrowed */
    const char *host;            /* numeric address to listen on */
    uint16_t port;               /* 0: any free one */
    uint32_t server;             /* index of the server behind it, for the rules */
    const char *server_host;     /* its numeric address */
    uint16_t server_port;        /* its real port */
    struct aq_link_rules *rules; /* borrowed; those in force */
    uint64_t seed;
    /* The client that connects from this address, or AQ_PROXY_NOBODY. */
    uint32_t (*client_of)(void *self, const struct sockaddr *peer);
    void *self;
    aq_time_us retransmit_first_us; /* wait before a lost or blocked chunk is tried again; doubles */
    aq_time_us retransmit_max_us;   /* up to this */
    aq_time_us connect_retry_us; /* the same for setting up a connection, up to 64 times this; Linux: 1 s */
    /* After half_open the client's next bytes are answered with a reset, as by a machine that has started
       anew and as in the virtual world. Otherwise they vanish without an answer, as in a router. */
    bool answer_half_open;
};

/* Starts to listen. Errors: AQ_EINVALID (not a numeric address), AQ_EIO (no such address here, no more
   descriptors), AQ_ENOMEM; *error says which; *out untouched. The loop has to run once after an error. */
int aq_proxy_new(const struct aq_proxy_config *config, struct aq_proxy **out, struct aq_error *error);

/* Closes all; connections that are up are reset. The memory goes in later turns of the loop, when it has
   closed the sockets. NULL is fine. */
void aq_proxy_free(struct aq_proxy *proxy);

uint16_t aq_proxy_port(const struct aq_proxy *proxy);

/* Connects on to this address from now on; connections that are up stay. Errors: AQ_EINVALID. */
int aq_proxy_set_server(struct aq_proxy *proxy, const char *host, uint16_t port, struct aq_error *error);

/* Breaks the connections that are up between the clients and servers of the sets. Reset: both sides get a
   RST. Half-open: the server's side is closed and the client is not told. *touched grows by their number. */
void aq_proxy_reset(struct aq_proxy *proxy, const struct aq_link_rule *between, bool half_open,
                    uint64_t *touched);

struct aq_proxy_counters {
    uint64_t accepted;        /* connections of clients, refused ones too */
    uint64_t refused;         /* by a rule */
    uint64_t abandoned;       /* given up by the client before a partition let them through */
    uint64_t failed_accepts;  /* no descriptor or memory for one; the peer waits */
    uint64_t failed_connects; /* the server did not take one; the client was reset */
    uint64_t given_up;        /* reset because too many attempts were lost or blocked in a row */
    uint64_t bytes_to_server; /* passed on */
    uint64_t bytes_to_client;
    uint64_t bytes_swallowed;  /* towards a side that is gone */
    uint32_t connections;      /* there now, waiting and closing ones too */
    uint32_t blocks_in_use;    /* blocks of AQ_BLOCK_BYTES that hold bytes now */
    uint32_t blocks_allocated; /* kept for ever */
};
struct aq_proxy_counters aq_proxy_counters(const struct aq_proxy *proxy);

#endif
