#include <stdio.h>

#include "client/gateway_internal.h"

int gateway_servers_grow(struct aq_gateway *gateway) {
    uint32_t wanted = gateway->config.book->count;
    if (wanted <= gateway->server_count) return 0;
    int rc = aq_array_reserve(&gateway->servers, &gateway->server_capacity, wanted, sizeof *gateway->servers);
    if (rc) return rc;
    memset(gateway->servers + gateway->server_count, 0,
           (wanted - gateway->server_count) * sizeof *gateway->servers);
    gateway->server_count = wanted;
    return 0;
}

const char *aq_server_health_word(enum aq_server_health health) {
    switch (health) {
    case AQ_SERVER_WELL: return "well";
    case AQ_SERVER_SICK: return "sick";
    case AQ_SERVER_PROBING: return "probing";
    case AQ_SERVER_DRAINING: return "draining";
    case AQ_SERVER_REMOVED: return "removed";
    }
    AQ_ASSERT(!"a health");
    return "";
}

struct aq_gateway_server aq_gateway_server(const struct aq_gateway *gateway, uint32_t server) {
    AQ_ASSERT(server < gateway->server_count);
    const struct aq_address *address = &gateway->config.book->items[server];
    const struct aq_server_id *id = aq_address_id(address, gateway->config.policy->id_from_host_only);
    return (struct aq_gateway_server){.id = aq_server_id_text(id),
                                      .address = address->text,
                                      .health = aq_client_health(gateway->client, server),
                                      .connected = gateway->servers[server].connected};
}

bool aq_gateway_next_member(const struct aq_gateway *gateway, uint32_t *server) {
    for (uint32_t i = *server; i < gateway->server_count; i++)
        if (aq_client_health(gateway->client, i) != AQ_SERVER_REMOVED) {
            *server = i;
            return true;
        }
    return false;
}

uint32_t aq_gateway_well_servers(const struct aq_gateway *gateway) {
    uint32_t well = 0;
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++)
        well += aq_client_health(gateway->client, i) == AQ_SERVER_WELL;
    return well;
}

static void log_line(const struct aq_gateway *gateway, const char *address, const char *what) {
    char line[GATEWAY_WHY_MAX + AQ_ADDRESS_CHARS_MAX];
    snprintf(line, sizeof line, "server %s %s", address, what);
    gateway->config.world.log(gateway->config.world.context, line);
}

#define MARK(name) (UINT64_C(1) << AQ_CLIENT_MARK_##name)

/* Of all that happened in the step, the most telling. */
static const char *why_sick(const struct aq_gateway *gateway, uint64_t marks) {
    if (gateway->why[0]) return gateway->why;
    if (marks & MARK(REPLY_TIMED_OUT)) return "a reply did not come in time";
    if (marks & MARK(MALFORMED_REPLY)) return "a reply made no sense";
    if (marks & MARK(PROBE_FAILED)) return "it does not answer";
    return "no connection came about in time, or it does not answer";
}

static enum gateway_shown shown_of(enum aq_server_health health) {
    switch (health) {
    case AQ_SERVER_WELL: return SHOWN_WELL;
    case AQ_SERVER_SICK:
    case AQ_SERVER_PROBING: return SHOWN_SICK;
    case AQ_SERVER_DRAINING: return SHOWN_DRAINING;
    case AQ_SERVER_REMOVED: break;
    }
    return SHOWN_REMOVED;
}

static void show(struct aq_gateway *gateway, uint32_t server, uint64_t marks) {
    struct gateway_server *s = &gateway->servers[server];
    enum gateway_shown now = shown_of(aq_client_health(gateway->client, server));
    const char *address = gateway->config.book->items[server].text;
    if (now == SHOWN_WELL && s->shown == SHOWN_NOTHING) return; /* assumed, not known; see first_heard */
    if (now == s->shown || (now == SHOWN_REMOVED && s->shown == SHOWN_NOTHING)) return;
    s->shown = (uint8_t)now;
    if (now != SHOWN_SICK) {
        static const char *const words[] = {"", "is well", "", "is draining", "is no longer used"};
        log_line(gateway, address, words[now]);
        return;
    }
    char what[GATEWAY_WHY_MAX];
    snprintf(what, sizeof what, "is sick: %.200s", why_sick(gateway, marks));
    log_line(gateway, address, what);
    snprintf(gateway->last_why, sizeof gateway->last_why, "%.64s: %.160s", address, why_sick(gateway, marks));
}

/* A server counts as well until it fails; that it really is there shows at the first connection. */
static void first_heard(struct aq_gateway *gateway, uint32_t server) {
    struct gateway_server *s = &gateway->servers[server];
    if (s->shown != SHOWN_NOTHING || aq_client_health(gateway->client, server) != AQ_SERVER_WELL) return;
    s->shown = SHOWN_WELL;
    log_line(gateway, gateway->config.book->items[server].text, "is well: connected");
}

void gateway_servers_marked(struct aq_gateway *gateway, enum aq_client_event_kind kind, uint32_t server,
                            uint64_t marks) {
    const uint64_t telling = MARK(SERVER_BECAME_SICK) | MARK(SERVER_BECAME_WELL) | MARK(SERVER_ADDED) |
                             MARK(SERVER_DRAINING) | MARK(SERVER_DRAINED) | MARK(SERVERS_REPLACED);
    if (kind == AQ_CLIENT_CONNECTED) first_heard(gateway, server);
    if (!(marks & telling)) return;
    for (uint32_t i = 0; i < gateway->server_count; i++)
        show(gateway, i, marks);
}
