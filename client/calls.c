#include "client/internal.h"

/* Room for as many requests under way as there are calls, twice over, so that a free slot is always near. */
static int grow_correlations(struct aq_client *client, uint32_t calls) {
    uint32_t size = client->correlation_mask + 1;
    if (client->by_correlation && size >= 2 * calls) return 0;
    if (!client->by_correlation) size = 4;
    while (size < 2 * calls)
        size *= 2;
    uint32_t *slots = aq_alloc(size * sizeof *slots);
    if (!slots) return AQ_ENOMEM;
    memset(slots, 0xff, size * sizeof *slots);
    for (uint32_t i = 0; i < client->call_count; i++)
        if (client->calls[i].state == CALL_FLYING) slots[client->calls[i].correlation & (size - 1)] = i;
    aq_free(client->by_correlation);
    client->by_correlation = slots;
    client->correlation_mask = size - 1;
    return 0;
}

static uint32_t new_place(struct aq_client *client) {
    uint32_t call = client->free_call;
    if (call != NONE) {
        client->free_call = client->calls[call].next;
        return call;
    }
    if (aq_array_reserve(&client->calls, &client->call_capacity, (size_t)client->call_count + 1,
                         sizeof *client->calls) ||
        grow_correlations(client, client->call_count + 1)) {
        client->failed = true;
        return NONE;
    }
    return client->call_count++;
}

uint32_t aq_calls_new(struct aq_client *client, enum call_kind kind, enum aq_action action) {
    uint32_t call = new_place(client);
    if (call == NONE) return NONE;
    client->calls[call] =
        (struct client_call){.deadline_us = AQ_TIME_NEVER,
                             .server = NONE,
                             .next = NONE,
                             .prev = NONE,
                             .tried = NONE,
                             .fan_out = NONE,
                             .failed_at = NONE,
                             .kind = (uint8_t)kind,
                             .state = CALL_LOOSE,
                             .route = kind == CALL_KIND_APPLICATION ? CALL_ROUTE_NONE : CALL_ROUTE_ONCE,
                             .action = (uint8_t)action};
    return call;
}

static void free_tried(struct aq_client *client, uint32_t tried) {
    while (tried != NONE) {
        uint32_t next = client->tried[tried].next;
        client->tried[tried].next = client->free_tried;
        client->free_tried = tried;
        tried = next;
    }
}

void aq_calls_free(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    AQ_ASSERT(c->kind != CALL_KIND_FREE && (c->state == CALL_LOOSE || c->state == CALL_FANNED));
    aq_deadlines_remove(&client->deadlines, 2 * call);
    free_tried(client, c->tried);
    c->kind = CALL_KIND_FREE;
    c->state = CALL_LOOSE;
    c->next = client->free_call;
    client->free_call = call;
}

void aq_calls_set_deadline(struct aq_client *client, uint32_t call, aq_time_us at_us) {
    if (aq_deadlines_set(&client->deadlines, 2 * call, at_us)) client->failed = true;
}

/* Lists are rings known by their first call, so that the last is at hand as well. */
void aq_calls_append(struct aq_client *client, uint32_t *list, uint32_t call, enum call_state state) {
    struct client_call *calls = client->calls, *c = &calls[call];
    AQ_ASSERT(c->state == CALL_LOOSE);
    c->state = (uint8_t)state;
    if (*list == NONE) {
        *list = c->next = c->prev = call;
        return;
    }
    uint32_t first = *list, last = calls[first].prev;
    c->next = first;
    c->prev = last;
    calls[last].next = calls[first].prev = call;
}

static void unlink_call(struct aq_client *client, uint32_t *list, uint32_t call) {
    struct client_call *calls = client->calls, *c = &calls[call];
    if (c->next == call) {
        AQ_ASSERT(*list == call);
        *list = NONE;
    } else {
        calls[c->prev].next = c->next;
        calls[c->next].prev = c->prev;
        if (*list == call) *list = c->next;
    }
    c->next = c->prev = NONE;
    c->state = CALL_LOOSE;
}

void aq_calls_take(struct aq_client *client, uint32_t call) {
    struct client_call *c = &client->calls[call];
    struct client_server *server = c->server == NONE ? NULL : &client->servers[c->server];
    switch ((enum call_state)c->state) {
    case CALL_LOOSE:
    case CALL_FANNED: return;
    case CALL_PAUSED: c->state = CALL_LOOSE; return;
    case CALL_RESTING: unlink_call(client, &server->resting, call); return;
    case CALL_LOST: unlink_call(client, &client->lost, call); return;
    case CALL_HELD:
        unlink_call(client, &client->held, call);
        client->held_count--;
        return;
    case CALL_PENDING: unlink_call(client, &client->pending, call); return;
    case CALL_WAITING:
        if (c->turn)
            server->turns--;
        else if (server->no_turn == call)
            server->no_turn = c->next == server->waiting ? NONE : c->next;
        c->turn = false;
        unlink_call(client, &server->waiting, call);
        return;
    case CALL_PARKED: unlink_call(client, &server->parked, call); return;
    case CALL_FLYING:
        unlink_call(client, &server->flying, call);
        server->in_flight--;
        client->by_correlation[c->correlation & client->correlation_mask] = NONE;
        return;
    }
}

uint32_t aq_calls_of_correlation(const struct aq_client *client, uint32_t correlation) {
    if (!client->by_correlation) return NONE;
    uint32_t call = client->by_correlation[correlation & client->correlation_mask];
    return call != NONE && client->calls[call].correlation == correlation ? call : NONE;
}

uint32_t aq_calls_correlate(struct aq_client *client, uint32_t call) {
    uint32_t *slots = client->by_correlation, mask = client->correlation_mask;
    while (slots[client->next_correlation & mask] != NONE)
        client->next_correlation++;
    uint32_t correlation = client->next_correlation++;
    slots[correlation & mask] = call;
    client->calls[call].correlation = correlation;
    return correlation;
}

void aq_calls_add_tried(struct aq_client *client, uint32_t call, uint32_t server) {
    uint32_t at = client->free_tried;
    if (at != NONE) {
        client->free_tried = client->tried[at].next;
    } else if (aq_array_reserve(&client->tried, &client->tried_capacity, (size_t)client->tried_count + 1,
                                sizeof *client->tried)) {
        client->failed = true;
        return;
    } else {
        at = client->tried_count++;
    }
    client->tried[at] = (struct client_tried){server, client->calls[call].tried};
    client->calls[call].tried = at;
}

static void mark_unknown(struct aq_client *client, enum aq_action action) {
    if (action == AQ_ACTION_PUT || action == AQ_ACTION_SET_PARENT_JOB)
        aq_effects_mark(client, AQ_CLIENT_MARK_PUT_UNKNOWN);
    else if (aq_action_is_completion(action))
        aq_effects_mark(client, AQ_CLIENT_MARK_COMPLETION_UNKNOWN);
}

static void answer(struct aq_client *client, uint32_t call, enum aq_outcome outcome,
                   const struct aq_reply *reply) {
    struct client_call *c = &client->calls[call];
    bool from_server = c->server != NONE && reply;
    if (from_server) {
        reply = aq_replies_with_origin(client, reply, c->server);
        if (!reply) client->failed = true;
    }
    if (outcome == AQ_OUTCOME_UNKNOWN) mark_unknown(client, c->action);
    if (!client->policy->report_unknown &&
        (outcome == AQ_OUTCOME_UNAVAILABLE || outcome == AQ_OUTCOME_UNKNOWN || outcome == AQ_OUTCOME_INVALID))
        outcome = AQ_OUTCOME_EMPTY;
    struct aq_client_effect *effect =
        aq_effects_add(client, AQ_CLIENT_ANSWER, from_server ? client->servers[c->server].address : NONE);
    effect->outcome = outcome;
    effect->call = c->name;
    effect->reply = reply;
    client->open--;
    aq_calls_free(client, call);
    if (client->held != NONE) aq_attempts_release_held(client);
}

void aq_calls_end(struct aq_client *client, uint32_t call, enum aq_outcome outcome,
                  const struct aq_reply *reply) {
    struct client_call c = client->calls[call];
    switch ((enum call_kind)c.kind) {
    case CALL_KIND_APPLICATION: answer(client, call, outcome, reply); return;
    case CALL_KIND_CHILD:
        aq_calls_free(client, call);
        aq_fan_outs_child_ended(client, c.fan_out, c.place, c.server, outcome, reply);
        return;
    case CALL_KIND_SWEEP:
        client->servers[c.server].sweeping = false;
        if (client->drain_sweep == call) client->drain_sweep = NONE;
        aq_calls_free(client, call);
        reply = outcome == AQ_OUTCOME_OK ? reply : NULL;
        if (client->policy->drain_wedges)
            aq_sweeps_drain_swept(client, c.server, reply);
        else if (reply)
            aq_commands_swept(client, c.server, reply);
        return;
    case CALL_KIND_SICK_SWEEP:
    case CALL_KIND_PROBE: /* ends in health.c */
    case CALL_KIND_FREE: AQ_ASSERT(!"a call that can end");
    }
}
