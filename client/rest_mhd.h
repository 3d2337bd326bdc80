/* The REST port for local applications: AllQueue's routes over HTTP/1.1, read and written by libmicrohttpd on
   the libuv loop, in one thread. A request waits for its servers without holding anything up.

   Limits: the head of a request holds at most AQ_REST_HEAD_BYTES_MAX bytes, its body body_bytes_max; longer
   bodies are answered with 413. Each stretch in which the peer is waited for (until a request has come whole,
   and until its answer is taken) lasts at most idle_ms. */
#ifndef AQ_CLIENT_REST_MHD_H
#define AQ_CLIENT_REST_MHD_H

#include <uv.h>

#include "client/gateway.h"

#define AQ_REST_HEAD_BYTES_MAX 32768
#define AQ_REST_DISCARDED_MAX                                                                                \
    (16u << 20) /* of a body that is too long; behind that the connection is cut                             \
                 */
#define AQ_REST_RECEIVED_BYTES_MAX (64u << 20) /* of the bodies of all requests that have not come whole */

struct aq_rest; /* opaque; see rest_mhd.c */

struct aq_rest_config {
    uv_loop_t *loop;
    struct aq_gateway *gateway;
    bool upstream;
    uint32_t body_bytes_max;
    uint32_t connections_max; /* further ones wait to be accepted */
    uint32_t idle_ms;
    int fd; /* a listening stream socket; taken over, also where an error is returned */
};

/* Errors: AQ_ENOMEM, AQ_EIO; *out untouched. */
int aq_rest_open(const struct aq_rest_config *config, struct aq_rest **out, struct aq_error *error);

/* Accepts nothing more; connections close as soon as what they wait for is answered. */
void aq_rest_drain(struct aq_rest *rest);

uint32_t aq_rest_connections(const struct aq_rest *rest);

/* Closes everything; requests under way are answered with 503 where that is possible at once. The memory is
   released by the loop, which must run until it has nothing left to do. NULL is fine. Not from within a
   callback of the gateway. */
void aq_rest_close(struct aq_rest *rest);

#endif
