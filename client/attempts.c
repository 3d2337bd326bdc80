#include "client/internal.h"

#include "protocol/codec.h"

/* A message cannot be longer than its body by more than this, so that shorter bodies need no exact count. */
#define SURELY_FITS_BYTES 50000

/* Between the repetitions of a call that is answered by nonsense: the first comes at once, the second after
   this, and the pauses double up to 6.4 s. */
#define FIRST_PAUSE_US (100 * AQ_US_PER_MS)
#define PAUSES_DOUBLED 7

static bool is_get(enum aq_action action) {
    return action == AQ_ACTION_GET || action == AQ_ACTION_GET_MULTIPLE;
}

static enum call_route route_of(const struct aq_client_policy *policy, const struct aq_request *request) {
    switch ((enum aq_action)request->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_SET_PARENT_JOB: return request->parent_id.len ? CALL_ROUTE_ORIGIN : CALL_ROUTE_PUT;
    case AQ_ACTION_KICK:
        if (request->job_id.len) return CALL_ROUTE_ORIGIN;
        return policy->kick_at_random ? CALL_ROUTE_GET : CALL_ROUTE_IN_TURN;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH:
    case AQ_ACTION_RELEASE:
    case AQ_ACTION_BURY:
    case AQ_ACTION_SET_CHILDREN_STARTED: return CALL_ROUTE_ORIGIN;
    case AQ_ACTION_PAUSE:
    case AQ_ACTION_UNPAUSE:
        return policy->pause_everywhere && !AQ_CLIENT_MUTANT(PAUSE_ONE) ? CALL_ROUTE_EVERY : CALL_ROUTE_GET;
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

static bool needs_tube(const struct aq_client_policy *policy, const struct aq_request *request) {
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
    case AQ_ACTION_KICK: return request->job_id.len == 0 || policy->kick_at_random;
    default: return false;
    }
}

static bool is_too_big(const struct aq_client_policy *policy, const struct aq_request *request) {
    uint32_t most = policy->message_bytes_max;
    if (most > AQ_MESSAGE_BYTES_MAX) most = AQ_MESSAGE_BYTES_MAX;
    if (most == AQ_MESSAGE_BYTES_MAX && request->body.len <= SURELY_FITS_BYTES) return false;
    return aq_request_wire_bytes(request) > most;
}

/* The record of the server that the call must go to; NONE where the id names none that is known. */
static uint32_t origin_of(struct aq_client *client, struct aq_text server) {
    uint32_t address = aq_members_by_id(client, server);
    return address == NONE ? NONE : aq_members_record(client, address);
}

/* Finds where the call goes. False: the call is wrong. */
static bool find_route(struct aq_client *client, struct client_call *c) {
    const struct aq_client_policy *policy = client->policy;
    const struct aq_request *request = c->request;
    if (request->action >= AQ_ACTION_COUNT) return false;
    if (needs_tube(policy, request) && request->tube.len == 0) return false;
    c->too_big = is_too_big(policy, request);
    if (c->too_big && !policy->big_message_fails) return false;
    c->once = request->action == AQ_ACTION_KICK && policy->kick_at_random;
    c->route = (uint8_t)route_of(policy, request);
    if (c->route != CALL_ROUTE_ORIGIN) return true;
    bool puts = request->action == AQ_ACTION_PUT || request->action == AQ_ACTION_SET_PARENT_JOB;
    struct aq_text id = puts ? request->parent_id : request->job_id;
    struct aq_job_ref ref = {0};
    if (id.len && aq_job_ref_parse(id, &ref)) return false;
    if (ref.server.len == 0) {
        c->route = puts ? CALL_ROUTE_PUT : CALL_ROUTE_GET;
        return policy->bare_id_at_random;
    }
    c->server = origin_of(client, ref.server);
    return c->server != NONE;
}

uint32_t aq_attempts_choose(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t tried = c->tried, address = aq_members_choose(client, c->route == CALL_ROUTE_PUT, tried);
    if (address == NONE) {
        aq_attempts_give_up(client, call);
        return NONE;
    }
    aq_effects_membership(client);
    bool first = tried == NONE && c->round == 0;
    struct aq_client_effect *told =
        aq_effects_add(client, first ? AQ_CLIENT_CHOICE : AQ_CLIENT_RETRY, address);
    told->call = c->name;
    told->action = (enum aq_action)c->action;
    if (!first && c->route == CALL_ROUTE_PUT) aq_effects_mark(client, AQ_CLIENT_MARK_PUT_RETRIED_ELSEWHERE);
    if (!first && is_get(c->action)) aq_effects_mark(client, AQ_CLIENT_MARK_GET_RETRIED_ELSEWHERE);
    return aq_members_record(client, address);
}

static void choose(struct aq_client *client, uint32_t call) {
    uint32_t server = aq_attempts_choose(client, call);
    if (server == NONE) return;
    client->calls[call].server = server;
    aq_connections_enqueue(client, call);
}

static void park(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    struct client_server *s = &client->servers[c->server];
    if (!c->waited && c->kind == CALL_KIND_APPLICATION)
        aq_effects_mark(client, AQ_CLIENT_MARK_COMPLETION_WAITED_FOR_ORIGIN);
    c->waited = true;
    if (AQ_CLIENT_MUTANT(PARKED_FOR_EVER)) c->deadline_us = AQ_TIME_NEVER;
    aq_calls_append(client, &s->parked, call, CALL_PARKED);
    aq_calls_set_deadline(client, call, c->deadline_us);
    if (s->health == AQ_SERVER_SICK && s->probe_at_us == AQ_TIME_NEVER)
        aq_health_schedule_probe(client, c->server);
}

/* Mutants' doings: a server that is not the origin. */
static bool goes_astray(const struct aq_client *client, const struct client_call *c) {
    if (AQ_CLIENT_MUTANT(DONE_ELSEWHERE)) return client->servers[c->server].health != AQ_SERVER_WELL;
    if (AQ_CLIENT_MUTANT(DONE_WANDERS)) return c->ambiguous && aq_action_is_completion(c->action);
    return AQ_CLIENT_MUTANT(TOUCH_ANYWHERE) && c->action == AQ_ACTION_TOUCH;
}

static uint32_t astray(struct aq_client *client) {
    uint32_t address = aq_members_choose(client, false, NONE);
    return aq_members_record(client, address == NONE ? client->list[0] : address);
}

/* Gives a loose call to a server, or keeps it for its origin. */
static void go_route(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (c->server != NONE) c->server = aq_members_moved(client, c->server);
    switch ((enum call_route)c->route) {
    case CALL_ROUTE_NONE: AQ_ASSERT(!"a call with a route"); return;
    case CALL_ROUTE_PUT:
    case CALL_ROUTE_GET: choose(client, call); return;
    case CALL_ROUTE_ORIGIN:
        if (goes_astray(client, c)) c->server = astray(client);
        if (client->policy->sick_on_failure && client->servers[c->server].health != AQ_SERVER_WELL)
            park(client, call);
        else
            aq_connections_enqueue(client, call);
        return;
    case CALL_ROUTE_ONCE:
        if (c->kind == CALL_KIND_CHILD && c->action == AQ_ACTION_PING && !client->policy->sick_on_failure)
            aq_connections_ping(client, call, false); /* tells the server's health */
        else
            aq_connections_enqueue(client, call);
        return;
    case CALL_ROUTE_EVERY:
    case CALL_ROUTE_IN_TURN: aq_fan_outs_begin(client, call); return;
    case CALL_ROUTE_CLIENT: aq_commands_run(client, call); return;
    }
}

static void run(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    if (c->kind == CALL_KIND_SICK_SWEEP) {
        aq_sweeps_sick_go_on(client, call);
        return;
    }
    switch ((enum call_step)c->step) {
    case STEP_BEGIN: go_route(client, call); return;
    case STEP_FAILED:
        c->step = STEP_BEGIN;
        aq_attempts_failed_unsent(client, call);
        if (client->calls[call].step != STEP_AGAIN) aq_connections_flush(client, server);
        return;
    case STEP_AGAIN: /* its ping goes in front of those who wait for their turn */
        aq_backoff_failed(client, call);
        aq_connections_flush(client, server);
        return;
    case STEP_ROUND: aq_backoff_round(client, call); return;
    case STEP_TARGET: aq_backoff_target(client, call); return;
    case STEP_SEND: aq_connections_enqueue(client, call); return;
    }
}

void aq_attempts_begin(struct aq_client *client, uint64_t name, const struct aq_request *request) {
    uint32_t call = aq_calls_new(client, CALL_KIND_APPLICATION, request->action), most;
    if (call == NONE) return;
    struct client_call *c = &client->calls[call];
    c->name = name;
    c->request = request;
    c->deadline_us = aq_time_after(client->now_us, client->policy->call_timeout_us);
    client->open++;
    most = client->policy->callers_max;
    if (most && client->open - client->held_count > most) {
        client->held_count++;
        aq_calls_append(client, &client->held, call, CALL_HELD);
        aq_calls_set_deadline(client, call, c->deadline_us);
    } else if (find_route(client, c)) {
        run(client, call);
    } else if (!client->failed) {
        aq_calls_end(client, call, AQ_OUTCOME_INVALID, NULL);
    }
}

void aq_attempts_release_held(struct aq_client *client) {
    while (client->held != NONE && client->open - client->held_count < client->policy->callers_max) {
        uint32_t call = client->held;
        aq_calls_take(client, call);
        aq_attempts_pend(client, call);
    }
}

void aq_attempts_pend(struct aq_client *client, uint32_t call) {
    aq_calls_append(client, &client->pending, call, CALL_PENDING);
}

/* Calls that failed somewhere are tried again only when all that this step tells about servers is known. */
void aq_attempts_run_pending(struct aq_client *client) {
    while (client->pending != NONE && !client->failed) {
        uint32_t call = client->pending;
        aq_calls_take(client, call);
        struct client_call *c = &client->calls[call];
        if (c->route == CALL_ROUTE_NONE && !find_route(client, c)) {
            if (!client->failed) aq_calls_end(client, call, AQ_OUTCOME_INVALID, NULL);
        } else {
            run(client, call);
        }
    }
}

void aq_attempts_give_up(struct aq_client *client, uint32_t call) {
    bool ambiguous = client->calls[call].ambiguous && !AQ_CLIENT_MUTANT(UNKNOWN_DENIED);
    if (AQ_CLIENT_MUTANT(TIMEOUT_OK) && ambiguous && aq_action_is_completion(client->calls[call].action)) {
        aq_calls_end(client, call, AQ_OUTCOME_OK, NULL);
        return;
    }
    aq_calls_end(client, call, ambiguous ? AQ_OUTCOME_UNKNOWN : AQ_OUTCOME_UNAVAILABLE, NULL);
}

/* The attempt has failed. Another is made as the policies say. */
static void try_again(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    bool rounds = client->policy->backoff_rounds > 0;
    if (AQ_CLIENT_MUTANT(TIME_ANEW) && c->kind == CALL_KIND_APPLICATION)
        c->deadline_us = aq_time_after(client->now_us, client->policy->call_timeout_us);
    c->step = rounds ? STEP_AGAIN : STEP_BEGIN;
    if (!rounds && c->route != CALL_ROUTE_ORIGIN) aq_calls_add_tried(client, call, c->server);
    aq_attempts_pend(client, call);
}

static bool is_single(const struct client_call *c) {
    return c->once || c->route == CALL_ROUTE_ONCE || c->kind == CALL_KIND_SWEEP;
}

void aq_attempts_failed_unsent(struct aq_client *client, uint32_t call) {
    const struct client_call *c = &client->calls[call];
    bool hopeless = c->too_big && c->route == CALL_ROUTE_ORIGIN && !client->policy->backoff_rounds;
    if (c->pinging)
        aq_backoff_pinged(client, call, NULL);
    else if (is_single(c) || hopeless)
        aq_attempts_give_up(client, call);
    else
        try_again(client, call);
}

/* May the request be sent again, although it may have been applied? To the same origin where nothing changes
   by a second done, delete or touch; elsewhere where a first get only leaves a lease that runs out. A get
   that deletes leaves none. */
static bool may_repeat(const struct aq_client *client, const struct client_call *c) {
    if (client->policy->retry_put_after_send) return true;
    switch ((enum aq_action)c->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_SET_PARENT_JOB: return AQ_CLIENT_MUTANT(PUT_REPEATED);
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE:
        return AQ_CLIENT_MUTANT(TAKING_REPEATED) || !(c->request->given & AQ_PARAM_REMOVE) ||
               !client->policy->report_unknown;
    case AQ_ACTION_VERSION: return true;
    case AQ_ACTION_DONE:
    case AQ_ACTION_DELETE:
    case AQ_ACTION_TOUCH: return true;
    default: return false;
    }
}

/* Asks again at growing intervals: a server that answers nonsense does so at once, where one that does not
 * answer sets the pace by its silence. */
static void ask_again(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint16_t repetitions = c->round;
    if (c->round < PAUSES_DOUBLED) c->round++;
    if (repetitions == 0) {
        aq_attempts_pend(client, call);
        return;
    }
    aq_time_us pause_us = FIRST_PAUSE_US << (repetitions - 1);
    c->state = CALL_PAUSED;
    aq_calls_set_deadline(client, call, aq_time_min(c->deadline_us, aq_time_after(client->now_us, pause_us)));
}

void aq_attempts_answered_nonsense(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    bool asks = !c->pinging && c->route == CALL_ROUTE_ORIGIN && !client->policy->backoff_rounds;
    if (!asks || is_single(c) || !may_repeat(client, c)) {
        aq_attempts_failed_sent(client, call);
        return;
    }
    c->ambiguous = true;
    ask_again(client, call);
}

void aq_attempts_failed_sent(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (c->pinging) {
        aq_backoff_pinged(client, call, NULL);
        return;
    }
    c->ambiguous = true;
    if (is_single(c) || !may_repeat(client, c))
        aq_attempts_give_up(client, call);
    else
        try_again(client, call);
}

/* A reply that came after the request was sent may have left before it: then a ping must tell. */
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
    if (client->policy->sick_on_failure) aq_health_suspect(client, server);
    aq_connections_flush(client, server);
}

static void connect_timed_out(struct aq_client *client, uint32_t call) {
    uint32_t server = client->calls[call].server;
    if (client->policy->sick_on_failure) {
        aq_health_failed(client, server);
        return;
    }
    bool pings = client->policy->backoff_rounds && client->policy->retry_pings;
    aq_calls_take(client, call);
    if (client->calls[call].pinging) {
        aq_attempts_failed_unsent(client, call);
        aq_connections_flush(client, server);
    } else {
        aq_connections_send_failed(client, call);
        if (!pings) aq_health_suspect(client, server);
    }
}

/* Callers that are always less patient than the timeouts must not hide a server that has stopped. */
static void call_timed_out(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    uint32_t server = c->server;
    bool flying = c->state == CALL_FLYING, had_turn = flying || (c->state == CALL_WAITING && c->turn);
    bool in_silence = had_turn && (!flying || client->servers[server].heard_us <= c->sent_us);
    if (flying && !c->pinging) c->ambiguous = true;
    aq_calls_take(client, call);
    aq_attempts_give_up(client, call);
    if (in_silence && client->policy->sick_on_failure) aq_health_suspect(client, server);
    if (had_turn) aq_connections_flush(client, server);
}

void aq_attempts_deadline(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    if (c->kind == CALL_KIND_PROBE) {
        if (!client->servers[c->server].hung) aq_health_probe_failed(client, c->server);
        return;
    }
    if (c->deadline_us <= client->now_us) {
        call_timed_out(client, call);
        return;
    }
    switch ((enum call_state)c->state) {
    case CALL_FLYING: request_timed_out(client, call); return;
    case CALL_WAITING: connect_timed_out(client, call); return;
    case CALL_PAUSED:
        aq_calls_take(client, call);
        aq_attempts_pend(client, call);
        return;
    case CALL_PENDING: return; /* gets a new deadline at the end of this step */
    default: AQ_ASSERT(!"a state with a deadline");
    }
}
