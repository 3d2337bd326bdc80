/* Sweeps of the servers one after the other, as AllQueue's client makes them. They go through the connections
   like any call, so that one reply which never comes stops them for ever. */
#include "client/internal.h"

/* ---- the sick ---- */

static void end_sick_sweep(struct aq_client *client, uint32_t call) {
    client->sick_sweep = NONE;
    aq_calls_free(client, call);
    aq_time_us every_us = client->policy->sick_sweep_us;
    client->sick_sweep_at_us = aq_time_after(client->now_us, every_us ? every_us : 1);
}

static void ping_next(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (c->place >= client->list_count) {
        end_sick_sweep(client, call);
        return;
    }
    uint32_t server = aq_members_record(client, client->list[c->place]);
    if (server == NONE) return;
    c->server = server;
    c->round = 0;
    aq_connections_ping(client, call, false);
}

/* A single server is not swept. */
void aq_sweeps_sick(struct aq_client *client) {
    client->sick_sweep_at_us = AQ_TIME_NEVER;
    AQ_ASSERT(client->sick_sweep == NONE);
    uint32_t call = aq_calls_new(client, CALL_KIND_SICK_SWEEP, AQ_ACTION_PING);
    if (call == NONE) return;
    client->sick_sweep = call;
    client->calls[call].place = 0;
    if (client->list_count < 2)
        end_sick_sweep(client, call);
    else
        ping_next(client, call);
}

/* A server that did not answer gets a new connection and is pinged once more. */
void aq_sweeps_sick_go_on(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (!c->pinged && c->round == 0 && client->servers[c->server].position != NONE) {
        c->round = 1;
        aq_connections_restart(client, c->server);
        aq_connections_ping(client, call, true);
        return;
    }
    c->place++;
    ping_next(client, call);
}

/* ---- the draining ---- */

static void end_drain_sweep(struct aq_client *client) {
    aq_time_us every_us = client->policy->drain_sweep_us;
    client->drain_at = NONE;
    client->sweep_at_us = aq_time_after(client->now_us, every_us ? every_us : 1);
}

/* An entry that names no member ends every sweep here. */
static void look_at(struct aq_client *client, uint32_t entry) {
    uint32_t server = entry < client->drains_count ? client->drains[entry] : NONE;
    if (server == NONE || client->servers[server].position == NONE) {
        end_drain_sweep(client);
        return;
    }
    uint32_t call = aq_calls_new(client, CALL_KIND_SWEEP, AQ_ACTION_STATS);
    if (call == NONE) return;
    client->drain_at = entry;
    client->drain_sweep = call;
    client->servers[server].sweeping = true;
    client->calls[call].server = server;
    aq_attempts_pend(client, call);
}

void aq_sweeps_drain(struct aq_client *client) {
    client->sweep_at_us = AQ_TIME_NEVER;
    if (client->drains_count) look_at(client, 0);
}

/* stats: NULL where they did not come, which ends the sweep. */
void aq_sweeps_drain_swept(struct aq_client *client, uint32_t server, const struct aq_reply *stats) {
    uint32_t entry = client->drain_at;
    if (entry >= client->drains_count || client->drains[entry] != server) return; /* forgotten meanwhile */
    if (!stats) {
        end_drain_sweep(client);
        return;
    }
    if (client->servers[server].position != NONE && aq_commands_is_empty(client, server, stats)) {
        uint32_t *at = client->drains + entry;
        memmove(at, at + 1, (client->drains_count - entry - 1) * sizeof *at);
        client->drains_count--;
        aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_DRAINED);
        aq_members_remove(client, server);
    } else {
        entry++;
    }
    if (entry < client->drains_count)
        look_at(client, entry);
    else
        end_drain_sweep(client);
}

/* ---- both ---- */

static void drop(struct aq_client *client, uint32_t *sweep) {
    uint32_t call = *sweep;
    if (call == NONE) return;
    uint32_t server = client->calls[call].server;
    *sweep = NONE;
    aq_calls_take(client, call);
    aq_calls_free(client, call);
    aq_connections_flush(client, server);
}

void aq_sweeps_forget(struct aq_client *client) {
    if (client->drain_sweep != NONE)
        client->servers[client->calls[client->drain_sweep].server].sweeping = false;
    drop(client, &client->drain_sweep);
    drop(client, &client->sick_sweep);
    client->drains_count = 0;
    client->drain_at = NONE;
    if (client->policy->drain_wedges) client->sweep_at_us = AQ_TIME_NEVER;
    if (client->policy->sick_sweep_us != AQ_TIME_NEVER) client->sick_sweep_at_us = client->now_us;
}
