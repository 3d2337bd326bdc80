/* JSON lines for local applications, on TCP or a unix socket: one request a line, one answer a line, in the
   order of the requests. Many requests may be under way on one connection.

   Lines of up to 3 characters are ignored. A line that is too long is answered with a failure and skipped. A
   peer that has closed its sending half gets the answers that it waits for; then the connection is closed. A
   peer that does not read its answers is not read from either. A connection is closed when nothing happens on
   it for idle_ms: no line begins, a line that has begun does not end, or answers are not taken. */
#ifndef AQ_CLIENT_JSON_LINES_UV_H
#define AQ_CLIENT_JSON_LINES_UV_H

#include <uv.h>

#include "client/gateway.h"

#define AQ_JSON_LINES_UNDER_WAY_MAX 64         /* requests on one connection; more wait unread */
#define AQ_JSON_LINES_UNSENT_MAX    (1u << 20) /* bytes of answers not taken, before reading stops */

struct aq_json_lines; /* opaque; see json_lines_uv.c */

struct aq_json_lines_config {
    uv_loop_t *loop;
    struct aq_gateway *gateway;
    bool upstream;
    enum aq_gateway_listener listener; /* AQ_GATEWAY_TCP or AQ_GATEWAY_UNIX */
    uint32_t line_bytes_max;           /* without the line feed */
    uint32_t connections_max;
    uint32_t idle_ms;
    int fd; /* a listening stream socket; the listener's from now on, also where an error is returned */
};

/* Errors: AQ_ENOMEM, AQ_EIO; *out untouched. The loop must run once more before it is closed, also then. */
int aq_json_lines_open(const struct aq_json_lines_config *config, struct aq_json_lines **out,
                       struct aq_error *error);

/* Accepts and reads nothing more; connections close as soon as what they wait for is answered. */
void aq_json_lines_drain(struct aq_json_lines *lines);

/* Connections that are not closed yet. */
uint32_t aq_json_lines_connections(const struct aq_json_lines *lines);

/* Closes everything; calls under way are forgotten. The memory is released by the loop, which must run until
   it has nothing left to do. NULL is fine. */
void aq_json_lines_close(struct aq_json_lines *lines);

#endif
