/* A look inside the virtual world, for replay: nothing changes. */
#include "sim/virtual_internal.h"

struct aq_virtual_client_state aq_virtual_client_state(const struct aq_virtual *v, uint32_t client) {
    const struct client_node *node = &v->clients[client];
    return (struct aq_virtual_client_state){node->core, node->lives, node->clock_us};
}

const struct aq_server *aq_virtual_server_core(const struct aq_virtual *v, uint32_t server) {
    return v->servers[server].core;
}

uint32_t aq_virtual_server_pauses(const struct aq_virtual *v, uint32_t server) {
    return v->servers[server].paused;
}

void aq_virtual_each_connection(const struct aq_virtual *v,
                                void (*visit)(void *arg, const struct aq_virtual_connection *connection),
                                void *arg) {
    static const char *const states[] = {"connecting", "up", "closed"};
    for (uint32_t i = 0; i < v->connection_count; i++) {
        const struct connection *c = &v->connections[i];
        if (c->refs == 0) continue;
        struct aq_virtual_connection view = {.client = c->client,
                                             .address = c->address,
                                             .server = c->server,
                                             .state = states[c->state],
                                             .server_forgot = c->server_forgot,
                                             .attempts = {c->to_server.attempts, c->to_client.attempts}};
        visit(arg, &view);
    }
}
