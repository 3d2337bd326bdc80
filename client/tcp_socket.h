/* Listening TCP sockets for the local ports. */
#ifndef AQ_CLIENT_TCP_SOCKET_H
#define AQ_CLIENT_TCP_SOCKET_H

#include <stdint.h>

#include "base/error.h"

/* Listens on host (a numeric IPv4 or IPv6 address, or "localhost") and port, 0 for any free one. *fd is
   non-blocking and the caller's to close; *bound is the real port. Errors: AQ_EINVALID (host), AQ_EIO (the
   port is taken, not allowed, ...); outputs untouched. */
int aq_tcp_socket_open(const char *host, uint16_t port, int *fd, uint16_t *bound, struct aq_error *error);

#endif
