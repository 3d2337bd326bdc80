/* The control socket: commands come as lines on a unix socket or a port of the loopback network, and each is
   answered by a line. */
#ifndef AQ_SIM_CONTROL_UV_H
#define AQ_SIM_CONTROL_UV_H

#include <stddef.h>
#include <uv.h>

#include "base/error.h"

#define AQ_CONTROL_CONNECTIONS_MAX 64
#define AQ_CONTROL_UNSENT_MAX      1048576 /* bytes of answers; a peer that does not read is not read either */

struct aq_control; /* opaque; see control_uv.c */

struct aq_control_config {
    uv_loop_t *loop;
    const char
        *where; /* a path, or "127.0.0.1:PORT" (also localhost, [::1]) with 0 for any free port; copied */
    size_t line_max; /* bytes; a longer line is answered by an error and ends its connection */
    /* Called for each line, without its line feed. The answer has none either; NULL ends the connection. */
    char *(*command)(void *owner, const char *line, size_t len);
    void (*answer_free)(char *answer);
    void *owner; /* handed to command */
};

/* Begins to listen. Errors: AQ_EINVALID (where), AQ_EEXISTS (another process serves there), AQ_EIO,
 *AQ_ENOMEM; out untouched. */
int aq_control_open(const struct aq_control_config *config, struct aq_control **out, struct aq_error *error);

/* Where it listens, with the real port. Valid until closed. */
const char *aq_control_where(const struct aq_control *control);

/* Ends all connections and removes the path. The memory is released by the loop. NULL is fine. Not from
   within a command. */
void aq_control_close(struct aq_control *control);

#endif
