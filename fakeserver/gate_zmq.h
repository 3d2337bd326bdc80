/* The gate of a libzmq context: admits the clients of an allow-list to all CURVE servers of the context, and
   tells of those it refuses. Without a gate every client that knows the server's public key is let in, as
   AllQueue does. It is the context's ZAP handler (ZeroMQ RFC 27). */
#ifndef AQ_FAKESERVER_GATE_ZMQ_H
#define AQ_FAKESERVER_GATE_ZMQ_H

#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "protocol/curve_keys.h"

#define AQ_SERVER_GATE_KEYS_MAX   4096 /* refused keys that are remembered; the count goes on beyond */
#define AQ_SERVER_GATE_TOLD_PER_S 10   /* refusals told in a second at most */

struct aq_server_gate; /* opaque; see gate_zmq.c */

/* A client with this public key, from this IP address, was refused: told once for each key. refused: all
   refusals up to now, told or not. */
typedef void aq_server_gate_refused(void *owner, const char *public_z85, const char *from, uint64_t refused);

struct aq_server_gate_config {
    uv_loop_t *loop;
    void *context;                          /* libzmq's */
    const struct aq_curve_allow_list *list; /* copied */
    aq_server_gate_refused *refused;        /* may be NULL */
    void *owner;                            /* handed to it */
};

/* Must be open before the servers of the context are. Errors: AQ_ENOMEM, AQ_EEXISTS (the context has a gate),
   AQ_EIO; *out untouched. */
int aq_server_gate_open(const struct aq_server_gate_config *config, struct aq_server_gate **out,
                        struct aq_error *error);

/* Admits from now on the clients of this list, which is copied. Connections that are up stay up. Errors:
   AQ_ENOMEM (unchanged). */
int aq_server_gate_replace(struct aq_server_gate *gate, const struct aq_curve_allow_list *list);

struct aq_server_gate_counters {
    uint64_t admitted, refused; /* handshakes */
};
struct aq_server_gate_counters aq_server_gate_counters(const struct aq_server_gate *gate);

/* After the servers are closed; the memory is released by the loop. NULL is fine. */
void aq_server_gate_close(struct aq_server_gate *gate);

#endif
