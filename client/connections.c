#include "client/internal.h"

/* libzmq's own pause before it connects again */
#define RECONNECT_WAIT_US (100 * AQ_US_PER_MS)

static aq_time_us not_now(const struct aq_client *client, aq_time_us span_us) {
    return aq_time_after(client->now_us, span_us ? span_us : 1);
}

void aq_connections_open(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    AQ_ASSERT(s->connection == CONNECTION_IDLE);
    s->connection = CONNECTION_CONNECTING;
    aq_effects_add(client, AQ_CLIENT_CONNECT, s->address);
    if (client->policy->well_on_rebuild && s->health != AQ_SERVER_WELL) aq_health_well(client, server);
}

void aq_connections_close(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->connection == CONNECTION_IDLE) return;
    s->connection = CONNECTION_IDLE;
    aq_effects_add(client, AQ_CLIENT_CLOSE, s->address);
}

static struct aq_text without_server(struct aq_text id) {
    struct aq_job_ref ref;
    return aq_job_ref_parse(id, &ref) ? id : ref.job;
}

/* The request as the server understands it: ids without the server's name. */
static void write_request(const struct aq_client *client, const struct client_call *c,
                          struct aq_request *out) {
    if (!c->request) {
        *out = (struct aq_request){.action = c->action};
        return;
    }
    *out = *c->request;
    if (c->route == CALL_ROUTE_ORIGIN) {
        if (out->parent_id.len) out->parent_id = without_server(out->parent_id);
        if (c->action != AQ_ACTION_PUT && c->action != AQ_ACTION_SET_PARENT_JOB && out->job_id.len)
            out->job_id = without_server(out->job_id);
    }
    if (c->action == AQ_ACTION_THROTTLE) out->tps = aq_fan_outs_share(client, c->fan_out, out->tps);
}

/* Where the call is named in effects: children by their parent's name, the client's own by none. */
static void send_call(struct aq_client *client, uint32_t server, uint32_t call) {
    struct client_server *s = &client->servers[server];
    struct client_call *c = &client->calls[call];
    aq_calls_append(client, &s->flying, call, CALL_FLYING);
    s->in_flight++;
    c->sent_us = client->now_us;
    uint32_t correlation = aq_calls_correlate(client, call);
    if (c->kind != CALL_KIND_PROBE)
        aq_calls_set_deadline(
            client, call, aq_time_min(c->deadline_us, not_now(client, client->policy->request_timeout_us)));
    if (c->ambiguous && aq_action_is_completion(c->action))
        aq_effects_mark(client, AQ_CLIENT_MARK_COMPLETION_RESENT);
    struct aq_client_effect *effect = aq_effects_add(client, AQ_CLIENT_SEND, s->address);
    effect->correlation = correlation;
    effect->own = c->kind == CALL_KIND_PROBE || c->kind == CALL_KIND_SWEEP;
    effect->call = c->name;
    write_request(client, c, &effect->request);
}

static bool has_room(const struct aq_client *client, const struct client_server *s) {
    return s->in_flight < client->policy->in_flight_per_server || s->in_flight == 0;
}

void aq_connections_flush(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->connection != CONNECTION_UP || s->hung) return;
    if (s->probe != NONE && client->calls[s->probe].state == CALL_LOOSE && has_room(client, s))
        send_call(client, server, s->probe);
    while (s->waiting != NONE && has_room(client, s)) {
        uint32_t call = s->waiting;
        aq_calls_take(client, call);
        send_call(client, server, call);
    }
}

void aq_connections_enqueue(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    struct client_server *s = &client->servers[server];
    aq_calls_append(client, &s->waiting, call, CALL_WAITING);
    if (s->connection == CONNECTION_UP || s->hung) {
        aq_connections_flush(client, server);
        if (c->state == CALL_FLYING) return;
        aq_calls_set_deadline(client, call, c->deadline_us);
        aq_effects_mark(client, AQ_CLIENT_MARK_CALL_QUEUED_BEHIND_ANOTHER);
        return;
    }
    aq_calls_set_deadline(client, call,
                          aq_time_min(c->deadline_us, not_now(client, client->policy->connect_timeout_us)));
    if (s->connection == CONNECTION_IDLE && s->reconnect_at_us == AQ_TIME_NEVER)
        aq_connections_open(client, server);
}

void aq_connections_connected(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->connection != CONNECTION_CONNECTING) return;
    s->connection = CONNECTION_UP;
    aq_connections_flush(client, server);
}

/* Where failures do not make a server sick: what was under way has failed, what waits goes on waiting for the
 * next connection. */
static void lost(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->in_flight && !client->policy->reconnect_recovers) {
        s->hung = true;
        s->probe_at_us = AQ_TIME_NEVER;
        aq_health_set_timer(client, server);
        return;
    }
    if (s->probe != NONE && client->calls[s->probe].state == CALL_FLYING)
        aq_health_probe_failed(client, server);
    while (client->servers[server].flying != NONE) {
        uint32_t call = client->servers[server].flying;
        aq_calls_take(client, call);
        aq_attempts_failed_sent(client, call);
    }
    s = &client->servers[server];
    uint32_t first = s->waiting;
    if (first == NONE && s->probe == NONE) return;
    if (first != NONE) {
        uint32_t call = first;
        do {
            const struct client_call *c = &client->calls[call];
            aq_time_us by_us =
                aq_time_min(c->deadline_us, not_now(client, client->policy->connect_timeout_us));
            if (aq_deadlines_of(&client->deadlines, 2 * call) > by_us)
                aq_calls_set_deadline(client, call, by_us);
            call = c->next;
        } while (call != first);
    }
    if (s->connection == CONNECTION_IDLE) {
        s->reconnect_at_us = client->now_us + RECONNECT_WAIT_US;
        aq_health_set_timer(client, server);
    }
}

void aq_connections_disconnected(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->connection == CONNECTION_IDLE) return;
    s->connection = CONNECTION_IDLE;
    if (s->hung) return;
    if (!client->policy->reconnect_recovers && s->in_flight) {
        lost(client, server);
        return;
    }
    if (client->policy->sick_on_failure)
        aq_health_failed(client, server);
    else
        lost(client, server);
}
