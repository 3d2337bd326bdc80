/* Ports that stay ours while no server listens on them, between its processes. */
#ifndef AQ_SIM_PORT_HOLD_H
#define AQ_SIM_PORT_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Binds a socket that never listens to host (a numeric IPv4 address) and port, 0 for any free one: a server
   may listen there, and the system gives the port to nobody who asks for any. *fd is the caller's to close.
   Errors: AQ_EINVALID (host), AQ_EIO (in use, no such address, not allowed); outputs untouched. */
int aq_port_hold(const char *host, uint16_t port, int *fd, uint16_t *bound, struct aq_error *error);

/* The addresses of fake servers that processes of others connect to: "127.0.1.1:PORT" for the first, with
   free ports, held. All zero is a valid empty one. */
#define AQ_HELD_ADDRESS_CHARS 24
struct aq_held_addresses {
    char (*texts)[AQ_HELD_ADDRESS_CHARS]; /* owned */
    int *fds;                             /* owned */
    uint32_t count;
};

/* Hosts are as in scenarios: one for each server, or the same for all. Errors: AQ_ENOMEM, AQ_EIO; *out is to
   be closed all the same. */
int aq_held_addresses_open(uint32_t count, bool same_host, struct aq_held_addresses *out,
                           struct aq_error *error);
void aq_held_addresses_close(struct aq_held_addresses *held);

#endif
