/* A look inside the client, for replay: nothing changes. */
#include "client/internal.h"

static const char *connection_word(const struct client_server *server) {
    static const char *const words[] = {"idle", "connecting", "up"};
    return words[server->connection];
}

static uint32_t length_of(const struct aq_client *client, uint32_t list) {
    uint32_t length = 0, call = list;
    if (list == NONE) return 0;
    do {
        length++;
        call = client->calls[call].next;
    } while (call != list && call != NONE);
    return length;
}

void aq_client_each_server(const struct aq_client *client,
                           void (*visit)(void *arg, const struct aq_client_server_view *server), void *arg) {
    for (uint32_t i = 0; i < client->server_count; i++) {
        const struct client_server *s = &client->servers[i];
        struct aq_client_server_view view = {.server = s->address,
                                             .health = aq_client_health(client, s->address),
                                             .member = s->position != NONE,
                                             .connection = connection_word(s),
                                             .waiting = length_of(client, s->waiting),
                                             .parked = length_of(client, s->parked),
                                             .flying = s->in_flight,
                                             .resting = length_of(client, s->resting),
                                             .failed_probes = s->failed_probes,
                                             .heard_us = s->heard_us,
                                             .probe_at_us = s->probe_at_us};
        visit(arg, &view);
    }
}

static const char *maker_word(const struct client_call *call) {
    switch ((enum call_kind)call->kind) {
    case CALL_KIND_APPLICATION: return "application";
    case CALL_KIND_CHILD: return "part";
    case CALL_KIND_PROBE: return "probe";
    default: return "sweep";
    }
}

static const char *state_word(const struct client_call *call) {
    static const char *const words[] = {"loose",  "pending", "waiting", "parked", "flying",
                                        "fanned", "resting", "paused",  "held",   "lost"};
    return words[call->state];
}

void aq_client_each_call(const struct aq_client *client,
                         void (*visit)(void *arg, const struct aq_client_call_view *call), void *arg) {
    for (uint32_t i = 0; i < client->call_count; i++) {
        const struct client_call *c = &client->calls[i];
        if (c->kind == CALL_KIND_FREE) continue;
        struct aq_client_call_view view = {.call = c->kind == CALL_KIND_APPLICATION ? c->name : 0,
                                           .made_by = maker_word(c),
                                           .state = state_word(c),
                                           .action = (enum aq_action)c->action,
                                           .server =
                                               c->server == NONE ? NONE : client->servers[c->server].address,
                                           .deadline_us = c->deadline_us,
                                           .sent_us = c->state == CALL_FLYING ? c->sent_us : 0,
                                           .may_be_applied = c->ambiguous,
                                           .job = c->request ? c->request->job_id : (struct aq_text){0}};
        visit(arg, &view);
    }
}
