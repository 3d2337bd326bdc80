#include "client/internal.h"

#include "protocol/codec.h"

/* A message cannot be longer than its body by more than this, so that shorter bodies need no exact count. */
#define SURELY_FITS_BYTES 50000

static bool is_get(enum aq_action action) {
    return action == AQ_ACTION_GET || action == AQ_ACTION_GET_MULTIPLE;
}

static enum call_route route_of(const struct aq_client_policy *policy, const struct aq_request *request) {
    switch ((enum aq_action)request->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_SET_PARENT_JOB: return request->parent_id.len ? CALL_ROUTE_ORIGIN : CALL_ROUTE_PUT;
    case AQ_ACTION_KICK: return request->job_id.len ? CALL_ROUTE_ORIGIN : CALL_ROUTE_IN_TURN;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH:
    case AQ_ACTION_RELEASE:
    case AQ_ACTION_BURY:
    case AQ_ACTION_SET_CHILDREN_STARTED: return CALL_ROUTE_ORIGIN;
    case AQ_ACTION_PAUSE:
    case AQ_ACTION_UNPAUSE: return policy->pause_everywhere ? CALL_ROUTE_EVERY : CALL_ROUTE_GET;
    case AQ_ACTION_STATS:
    case AQ_ACTION_PING:
    case AQ_ACTION_CLEAR:
    case AQ_ACTION_THROTTLE: return CALL_ROUTE_EVERY;
    case AQ_ACTION_PEEK: return CALL_ROUTE_IN_TURN;
    case AQ_ACTION_DRAIN:
    case AQ_ACTION_ADD_SERVER:
    case AQ_ACTION_UPDATE_SERVERS: return CALL_ROUTE_CLIENT;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE:
    case AQ_ACTION_ADMIN:
    case AQ_ACTION_VERSION:
    case AQ_ACTION_COUNT: break;
    }
    return CALL_ROUTE_GET;
}

static bool needs_tube(const struct aq_request *request) {
    switch ((enum aq_action)request->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE:
    case AQ_ACTION_PEEK:
    case AQ_ACTION_CLEAR:
    case AQ_ACTION_PAUSE:
    case AQ_ACTION_UNPAUSE:
    case AQ_ACTION_THROTTLE:
    case AQ_ACTION_SET_PARENT_JOB: return true;
    case AQ_ACTION_KICK: return request->job_id.len == 0;
    default: return false;
    }
}

static bool is_valid(const struct aq_request *request) {
    if (request->action >= AQ_ACTION_COUNT) return false;
    if (needs_tube(request) && request->tube.len == 0) return false;
    return request->body.len <= SURELY_FITS_BYTES || aq_request_wire_bytes(request) <= AQ_MESSAGE_BYTES_MAX;
}

/* The record of the server that the call must go to; NONE where the id names none that is known. */
static uint32_t origin_of(struct aq_client *client, const struct aq_request *request) {
    bool by_parent = request->action == AQ_ACTION_PUT || request->action == AQ_ACTION_SET_PARENT_JOB;
    struct aq_job_ref ref;
    if (aq_job_ref_parse(by_parent ? request->parent_id : request->job_id, &ref) || ref.server.len == 0)
        return NONE;
    uint32_t address = aq_members_by_id(client, ref.server);
    return address == NONE ? NONE : aq_members_record(client, address);
}

static void choose(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t tried = c->tried, address = aq_members_choose(client, c->route == CALL_ROUTE_PUT, tried);
    if (address == NONE) {
        aq_attempts_give_up(client, call);
        return;
    }
    aq_effects_membership(client);
    bool first = tried == NONE;
    struct aq_client_effect *told =
        aq_effects_add(client, first ? AQ_CLIENT_CHOICE : AQ_CLIENT_RETRY, address);
    told->call = c->name;
    told->action = (enum aq_action)c->action;
    if (!first && c->route == CALL_ROUTE_PUT) aq_effects_mark(client, AQ_CLIENT_MARK_PUT_RETRIED_ELSEWHERE);
    if (!first && is_get(c->action)) aq_effects_mark(client, AQ_CLIENT_MARK_GET_RETRIED_ELSEWHERE);
    c->server = aq_members_record(client, address);
    if (c->server != NONE) aq_connections_enqueue(client, call);
}

static void park(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    struct client_server *s = &client->servers[c->server];
    if (!c->waited && c->kind == CALL_KIND_APPLICATION)
        aq_effects_mark(client, AQ_CLIENT_MARK_COMPLETION_WAITED_FOR_ORIGIN);
    c->waited = true;
    aq_calls_append(client, &s->parked, call, CALL_PARKED);
    aq_calls_set_deadline(client, call, c->deadline_us);
    if (s->health == AQ_SERVER_SICK && s->probe_at_us == AQ_TIME_NEVER)
        aq_health_schedule_probe(client, c->server);
}

/* Gives a loose call to a server, or keeps it for its origin. */
static void run(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    switch ((enum call_route)c->route) {
    case CALL_ROUTE_PUT:
    case CALL_ROUTE_GET: choose(client, call); return;
    case CALL_ROUTE_ORIGIN:
        if (client->policy->sick_on_failure && client->servers[c->server].health != AQ_SERVER_WELL)
            park(client, call);
        else
            aq_connections_enqueue(client, call);
        return;
    case CALL_ROUTE_ONCE: aq_connections_enqueue(client, call); return;
    case CALL_ROUTE_EVERY:
    case CALL_ROUTE_IN_TURN: aq_fan_outs_begin(client, call); return;
    case CALL_ROUTE_CLIENT: aq_commands_run(client, call); return;
    }
}

void aq_attempts_begin(struct aq_client *client, uint64_t name, const struct aq_request *request) {
    uint32_t call = aq_calls_new(client, CALL_KIND_APPLICATION, request->action);
    if (call == NONE) return;
    struct client_call *c = &client->calls[call];
    c->name = name;
    c->request = request;
    c->deadline_us = aq_time_after(client->now_us, client->policy->call_timeout_us);
    client->open++;
    bool valid = is_valid(request);
    if (valid) {
        c->route = (uint8_t)route_of(client->policy, request);
        if (c->route == CALL_ROUTE_ORIGIN) {
            c->server = origin_of(client, request);
            valid = c->server != NONE;
        }
    }
    if (valid)
        run(client, call);
    else if (!client->failed)
        aq_calls_end(client, call, AQ_OUTCOME_INVALID, NULL);
}

void aq_attempts_pend(struct aq_client *client, uint32_t call) {
    aq_calls_append(client, &client->pending, call, CALL_PENDING);
}

/* Calls that failed somewhere are tried again only when all that this step tells about servers is known. */
void aq_attempts_run_pending(struct aq_client *client) {
    while (client->pending != NONE && !client->failed) {
        uint32_t call = client->pending;
        aq_calls_take(client, call);
        run(client, call);
    }
}

void aq_attempts_give_up(struct aq_client *client, uint32_t call) {
    bool ambiguous = client->calls[call].ambiguous;
    aq_calls_end(client, call, ambiguous ? AQ_OUTCOME_UNKNOWN : AQ_OUTCOME_UNAVAILABLE, NULL);
}

void aq_attempts_failed_unsent(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    switch ((enum call_route)c->route) {
    case CALL_ROUTE_PUT:
    case CALL_ROUTE_GET:
        aq_calls_add_tried(client, call, c->server);
        aq_attempts_pend(client, call);
        return;
    case CALL_ROUTE_ORIGIN:
        if (c->attempts < UINT16_MAX) c->attempts++;
        if (client->policy->forced_attempts && c->attempts >= client->policy->forced_attempts)
            aq_attempts_give_up(client, call);
        else
            aq_attempts_pend(client, call);
        return;
    default: aq_attempts_give_up(client, call);
    }
}

/* May the request be sent again, although it may have been applied? To the same origin where nothing changes
   by a second done, delete or touch; elsewhere where a first get only leaves a lease that runs out. A get
   that deletes leaves none. */
static bool may_repeat(const struct aq_client *client, const struct client_call *c) {
    switch ((enum aq_action)c->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_SET_PARENT_JOB: return client->policy->retry_put_after_send;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE:
        return !(c->request->given & AQ_PARAM_REMOVE) || !client->policy->report_unknown;
    case AQ_ACTION_VERSION: return true;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH: return true;
    default: return false;
    }
}

void aq_attempts_failed_sent(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    c->ambiguous = true;
    if (c->route == CALL_ROUTE_ONCE || !may_repeat(client, c)) {
        aq_attempts_give_up(client, call);
        return;
    }
    if (c->route != CALL_ROUTE_ORIGIN) aq_calls_add_tried(client, call, c->server);
    aq_attempts_pend(client, call);
}

static void request_timed_out(struct aq_client *client, uint32_t call) {
    const struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    const struct client_server *s = &client->servers[server];
    aq_effects_mark(client, AQ_CLIENT_MARK_REPLY_TIMED_OUT);
    if (client->policy->sick_on_failure && s->heard_us <= c->sent_us && !s->hung) {
        aq_health_failed(client, server);
        return;
    }
    aq_calls_take(client, call);
    aq_attempts_failed_sent(client, call);
    aq_connections_flush(client, server);
}

static void connect_timed_out(struct aq_client *client, uint32_t call) {
    uint32_t server = client->calls[call].server;
    if (client->policy->sick_on_failure) {
        aq_health_failed(client, server);
        return;
    }
    aq_calls_take(client, call);
    aq_attempts_failed_unsent(client, call);
    aq_health_suspect(client, server);
}

static void call_timed_out(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    bool was_flying = c->state == CALL_FLYING;
    if (was_flying) c->ambiguous = true;
    aq_calls_take(client, call);
    aq_attempts_give_up(client, call);
    if (was_flying) aq_connections_flush(client, server);
}

void aq_attempts_deadline(struct aq_client *client, uint32_t call) {
    const struct client_call *c = &client->calls[call];
    if (c->kind == CALL_KIND_PROBE) {
        if (!client->servers[c->server].hung) aq_health_probe_failed(client, c->server);
        return;
    }
    if (c->deadline_us <= client->now_us) {
        call_timed_out(client, call);
    } else if (c->state == CALL_FLYING) {
        request_timed_out(client, call);
    } else if (c->state == CALL_WAITING) {
        const struct client_server *s = &client->servers[c->server];
        if (s->connection == CONNECTION_UP || s->hung)
            aq_calls_set_deadline(client, call, c->deadline_us); /* it only waits for its turn now */
        else
            connect_timed_out(client, call);
    } else if (c->state != CALL_PENDING) { /* a pending call gets a new deadline at the end of this step */
        AQ_ASSERT(!"a state with a deadline");
    }
}
