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
    /* Where failures close connections each one is built anew; elsewhere libzmq only connects again. */
    if (client->policy->well_on_rebuild && client->policy->sick_on_failure && s->health != AQ_SERVER_WELL)
        aq_health_well(client, server);
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
    *out = *c->request;
    bool keeps = AQ_CLIENT_MUTANT(PREFIX_KEPT) && c->name % 50 == 0;
    if (c->route == CALL_ROUTE_ORIGIN && !keeps) {
        if (out->parent_id.len) out->parent_id = without_server(out->parent_id);
        if (c->action != AQ_ACTION_PUT && c->action != AQ_ACTION_SET_PARENT_JOB && out->job_id.len)
            out->job_id = without_server(out->job_id);
    }
    if (c->action == AQ_ACTION_THROTTLE) out->tps = aq_fan_outs_share(client, c->fan_out, out->tps);
    if (AQ_CLIENT_MUTANT(TTL_CUT) && out->ttl_s > 5) out->ttl_s = 5;
    if (AQ_CLIENT_MUTANT(PRIORITY_CUT) && out->priority > 4) out->priority = 4;
    if (AQ_CLIENT_MUTANT(DELAY_CUT) && out->delay_s > 2) out->delay_s = 2;
    if (AQ_CLIENT_MUTANT(LIMIT_LOST)) out->given &= ~(uint32_t)AQ_PARAM_EXPIRED_LIMIT;
}

/* A mutant's doing: the last effect once more. The second reply will find nobody. */
static void send_again(struct aq_client *client, uint32_t address) {
    struct aq_client_effect *again = aq_effects_add(client, AQ_CLIENT_SEND, address);
    if (client->failed) return;
    *again = again[-1];
    again->correlation = client->next_correlation++;
}

/* Where the call is named in effects: children by their parent's name, the client's own by none. */
static void send_call(struct aq_client *client, uint32_t server, uint32_t call) {
    struct client_server *s = &client->servers[server];
    struct client_call *c = &client->calls[call];
    aq_calls_append(client, &s->flying, call, CALL_FLYING);
    s->in_flight++;
    c->sent_us = client->now_us;
    uint32_t correlation = aq_calls_correlate(client, call);
    bool own = c->pinging || c->kind == CALL_KIND_PROBE || c->kind == CALL_KIND_SWEEP;
    aq_time_us wait_us = c->pinging ? client->policy->probe_timeout_us : client->policy->request_timeout_us;
    if (AQ_CLIENT_MUTANT(NO_TIMEOUT)) wait_us = AQ_TIME_NEVER;
    aq_calls_set_deadline(client, call,
                          c->kind == CALL_KIND_PROBE ? c->deadline_us
                                                     : aq_time_min(c->deadline_us, not_now(client, wait_us)));
    if (c->ambiguous && !c->pinging && aq_action_is_completion(c->action))
        aq_effects_mark(client, AQ_CLIENT_MARK_COMPLETION_RESENT);
    struct aq_client_effect *effect = aq_effects_add(client, AQ_CLIENT_SEND, s->address);
    effect->correlation = correlation;
    effect->own = own;
    effect->call = c->name;
    if (own)
        effect->request = (struct aq_request){.action = (uint8_t)call_action(c)};
    else
        write_request(client, c, &effect->request);
    if (AQ_CLIENT_MUTANT(DONE_TWICE) && !own && aq_action_is_completion(c->action) && c->name % 50 == 0)
        send_again(client, s->address);
}

static bool has_room(const struct aq_client *client, const struct client_server *s) {
    uint32_t taken = s->turns + s->in_flight;
    return taken < client->policy->in_flight_per_server || taken == 0;
}

/* A call has its turn: it is sent, or waits for the connection from now on. */
static void give_turn(struct aq_client *client, uint32_t server, uint32_t call) {
    struct client_server *s = &client->servers[server];
    struct client_call *c = &client->calls[call];
    if (c->too_big && !c->pinging) {
        aq_calls_take(client, call);
        aq_connections_send_failed(client, call);
    } else if (s->connection == CONNECTION_UP) {
        aq_calls_take(client, call);
        send_call(client, server, call);
    } else {
        s->no_turn = c->next == s->waiting ? NONE : c->next;
        s->turns++;
        c->turn = true;
        aq_calls_set_deadline(
            client, call, aq_time_min(c->deadline_us, not_now(client, client->policy->connect_timeout_us)));
    }
}

void aq_connections_flush(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->hung || s->rebuilding) return;
    if (s->connection == CONNECTION_UP) {
        if (s->probe != NONE && client->calls[s->probe].state == CALL_LOOSE && has_room(client, s))
            send_call(client, server, s->probe);
        while (s->turns) {
            uint32_t call = s->waiting;
            aq_calls_take(client, call);
            send_call(client, server, call);
        }
    }
    while (!s->rebuilding && s->no_turn != NONE && has_room(client, s))
        give_turn(client, server, s->no_turn);
    if (s->connection == CONNECTION_IDLE && s->reconnect_at_us == AQ_TIME_NEVER && s->turns)
        aq_connections_open(client, server);
}

void aq_connections_enqueue(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    struct client_server *s = &client->servers[c->server];
    aq_calls_append(client, &s->waiting, call, CALL_WAITING);
    if (s->no_turn == NONE) s->no_turn = call;
    aq_calls_set_deadline(client, call, c->deadline_us);
    aq_connections_flush(client, c->server);
    c = &client->calls[call];
    if (c->state == CALL_WAITING && !c->turn)
        aq_effects_mark(client, AQ_CLIENT_MARK_CALL_QUEUED_BEHIND_ANOTHER);
}

void aq_connections_ping(struct aq_client *client, uint32_t call, bool first) {
    struct client_call *c = &client->calls[call];
    struct client_server *s = &client->servers[c->server];
    uint32_t behind = first ? s->no_turn : NONE, head = s->waiting;
    c->pinging = true;
    c->pinged = false;
    if (behind == NONE) {
        aq_connections_enqueue(client, call);
        return;
    }
    s->waiting = behind; /* a ring: what is put behind its last is in front of its first */
    aq_calls_append(client, &s->waiting, call, CALL_WAITING);
    s->waiting = behind == head ? call : head;
    s->no_turn = call;
    aq_calls_set_deadline(client, call, c->deadline_us);
    aq_connections_flush(client, c->server);
}

/* ---- connections made anew ---- */

static void fail_flying(struct aq_client *client, uint32_t server) {
    while (client->servers[server].flying != NONE) {
        uint32_t call = client->servers[server].flying;
        aq_calls_take(client, call);
        if (client->servers[server].probe == call)
            aq_health_probe_failed(client, server);
        else
            aq_attempts_failed_sent(client, call);
    }
}

void aq_connections_rebuilt(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    s->rebuilding = false;
    if (s->connection == CONNECTION_IDLE && s->reconnect_at_us == AQ_TIME_NEVER)
        aq_connections_open(client, server);
    if (client->policy->well_on_rebuild) aq_health_well(client, server);
    bool resting = client->servers[server].resting != NONE;
    while (client->servers[server].resting != NONE) {
        uint32_t call = client->servers[server].resting;
        aq_calls_take(client, call);
        aq_attempts_pend(client, call);
    }
    if (!resting) aq_connections_flush(client, server); /* else behind what those do */
}

static void rebuild(struct aq_client *client, uint32_t server, aq_time_us wait_us) {
    struct client_server *s = &client->servers[server];
    aq_connections_close(client, server);
    s->rebuilding = true;
    s->reconnect_at_us = AQ_TIME_NEVER;
    fail_flying(client, server);
    if (wait_us) {
        client->servers[server].reconnect_at_us = aq_time_after(client->now_us, wait_us);
        aq_health_set_timer(client, server);
    } else {
        aq_health_set_timer(client, server);
        aq_connections_rebuilt(client, server);
    }
}

/* The caller sleeps until the connection is built, and longer where it never worked. */
void aq_connections_send_failed(struct aq_client *client, uint32_t call) {
    const struct aq_client_policy *policy = client->policy;
    struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    struct client_server *s = &client->servers[server];
    aq_time_us wait_us = policy->rebuild_wait_us;
    if (!s->succeeded && policy->reconnect_pause_us)
        wait_us =
            aq_time_after(aq_time_after(wait_us, policy->reconnect_pause_us), s->failed_sends * AQ_US_PER_S);
    if (s->failed_sends < UINT8_MAX) s->failed_sends++;
    c->step = STEP_FAILED;
    aq_calls_append(client, &s->resting, call, CALL_RESTING);
    aq_calls_set_deadline(client, call, c->deadline_us);
    rebuild(client, server, wait_us);
}

void aq_connections_restart(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    s->hung = s->succeeded = false;
    s->failed_sends = 0;
    rebuild(client, server, client->policy->rebuild_wait_us);
}

/* Nobody wakes those that wait at a connection which hangs. */
void aq_connections_forget(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    uint32_t *lists[] = {&s->flying, &s->waiting};
    s->succeeded = false;
    s->failed_sends = 0;
    if (!s->hung) return;
    aq_connections_close(client, server);
    for (uint32_t i = 0; i < 2; i++)
        while (*lists[i] != NONE) {
            uint32_t call = *lists[i];
            aq_calls_take(client, call);
            aq_calls_append(client, &client->lost, call, CALL_LOST);
            aq_calls_set_deadline(client, call, client->calls[call].deadline_us);
        }
    s->hung = false;
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
    if (s->probe != NONE && client->calls[s->probe].state == CALL_FLYING)
        aq_health_probe_failed(client, server);
    fail_flying(client, server);
    s = &client->servers[server];
    if (s->connection == CONNECTION_IDLE && !s->rebuilding && (s->waiting != NONE || s->probe != NONE)) {
        s->reconnect_at_us = client->now_us + RECONNECT_WAIT_US;
        aq_health_set_timer(client, server);
    }
    aq_connections_flush(client, server);
}

void aq_connections_disconnected(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->connection == CONNECTION_IDLE) return;
    s->connection = CONNECTION_IDLE;
    if (s->hung) return;
    bool recovers = client->policy->reconnect_recovers && !AQ_CLIENT_MUTANT(RECONNECT_HANGS);
    if (!recovers && s->in_flight) {
        s->hung = true;
        s->probe_at_us = AQ_TIME_NEVER;
        aq_health_set_timer(client, server);
    } else if (client->policy->sick_on_failure) {
        aq_health_failed(client, server);
    } else {
        lost(client, server);
    }
}
