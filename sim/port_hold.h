/* Ports that stay ours while no server listens on them, between its processes. */
#ifndef AQ_SIM_PORT_HOLD_H
#define AQ_SIM_PORT_HOLD_H

#include <stdint.h>

#include "base/error.h"

/* Binds a socket that never listens to host (a numeric IPv4 address) and port, 0 for any free one: a server
   may listen there, and the system gives the port to nobody who asks for any. *fd is the caller's to close.
   Errors: AQ_EINVALID (host), AQ_EIO (in use, no such address, not allowed); outputs untouched. */
int aq_port_hold(const char *host, uint16_t port, int *fd, uint16_t *bound, struct aq_error *error);

#endif
