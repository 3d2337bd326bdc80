#include "client/internal.h"

static uint32_t check_list(const struct aq_client *client, uint32_t first, enum call_state state,
                           uint32_t server) {
    uint32_t count = 0, call = first;
    if (first == NONE) return 0;
    do {
        AQ_ASSERT(call < client->call_count && count < client->call_count);
        const struct client_call *c = &client->calls[call];
        AQ_ASSERT(c->kind != CALL_KIND_FREE && c->state == state);
        AQ_ASSERT(client->calls[c->next].prev == call);
        if (server != NONE) AQ_ASSERT(c->server == server);
        count++;
        call = c->next;
    } while (call != first);
    return count;
}

static void check_flying(const struct aq_client *client, const struct client_call *c, uint32_t call) {
    const struct client_server *s = &client->servers[c->server];
    AQ_ASSERT(aq_calls_of_correlation(client, c->correlation) == call);
    AQ_ASSERT(s->connection == CONNECTION_UP || s->hung);
    AQ_ASSERT(c->sent_us <= client->now_us);
}

static void check_call(const struct aq_client *client, uint32_t call) {
    const struct client_call *c = &client->calls[call];
    aq_time_us deadline_us = aq_deadlines_of(&client->deadlines, 2 * call);
    if (c->kind == CALL_KIND_FREE) {
        AQ_ASSERT(deadline_us == AQ_TIME_NEVER && c->state == CALL_LOOSE);
        return;
    }
    AQ_ASSERT(c->state != CALL_PENDING);
    AQ_ASSERT((c->kind == CALL_KIND_APPLICATION || c->kind == CALL_KIND_CHILD) == (c->request != NULL));
    AQ_ASSERT(!c->turn || c->state == CALL_WAITING);
    if (c->kind == CALL_KIND_SICK_SWEEP) AQ_ASSERT(client->sick_sweep == call);
    if (c->kind != CALL_KIND_PROBE) AQ_ASSERT(deadline_us <= c->deadline_us || c->state == CALL_FANNED);
    if (c->state == CALL_LOOSE) AQ_ASSERT(c->kind == CALL_KIND_PROBE);
    if (c->kind == CALL_KIND_PROBE) AQ_ASSERT(client->servers[c->server].probe == call);
    if (c->kind == CALL_KIND_SWEEP) AQ_ASSERT(client->servers[c->server].sweeping);
    if (c->state == CALL_FLYING) check_flying(client, c, call);
    if (c->state == CALL_FANNED)
        AQ_ASSERT(c->kind == CALL_KIND_APPLICATION && c->fan_out < client->fan_out_count);
    else
        AQ_ASSERT(c->server < client->server_count || c->state == CALL_HELD);
    uint32_t tried = 0;
    for (uint32_t at = c->tried; at != NONE; at = client->tried[at].next)
        AQ_ASSERT(++tried <= client->tried_count);
}

/* Those that have their turn are in front, and nobody waits for a turn that is free. */
static void check_turns(const struct aq_client *client, const struct client_server *s, uint32_t waiting) {
    uint32_t call = s->waiting, in_flight_max = client->policy->in_flight_per_server;
    for (uint32_t i = 0; i < waiting; i++, call = client->calls[call].next) {
        AQ_ASSERT(client->calls[call].turn == (i < s->turns));
        if (i == s->turns) AQ_ASSERT(s->no_turn == call);
    }
    if (s->turns == waiting) AQ_ASSERT(s->no_turn == NONE);
    AQ_ASSERT(s->turns <= waiting);
    if (s->hung || s->rebuilding) return;
    if (s->no_turn != NONE) AQ_ASSERT(s->turns + s->in_flight >= (in_flight_max ? in_flight_max : 1));
    if (s->connection == CONNECTION_UP) AQ_ASSERT(s->turns == 0);
    if (s->connection == CONNECTION_IDLE && waiting) AQ_ASSERT(s->reconnect_at_us != AQ_TIME_NEVER);
}

static uint32_t check_server(const struct aq_client *client, uint32_t server) {
    const struct client_server *s = &client->servers[server];
    const struct aq_client_policy *policy = client->policy;
    AQ_ASSERT(client->place_of[s->address] == (PLACE_RECORD | server));
    if (s->position != NONE)
        AQ_ASSERT(s->position < client->list_count && client->list[s->position] == s->address);
    else
        AQ_ASSERT(!s->draining);
    uint32_t waiting = check_list(client, s->waiting, CALL_WAITING, server);
    uint32_t parked = check_list(client, s->parked, CALL_PARKED, server);
    uint32_t flying = check_list(client, s->flying, CALL_FLYING, server);
    AQ_ASSERT(flying == s->in_flight);
    AQ_ASSERT(flying <= policy->in_flight_per_server || flying <= 1);
    if (s->probe != NONE) AQ_ASSERT(client->calls[s->probe].kind == CALL_KIND_PROBE);
    uint32_t resting = check_list(client, s->resting, CALL_RESTING, server);
    check_turns(client, s, waiting);
    if (resting || s->rebuilding) AQ_ASSERT(s->rebuilding && s->reconnect_at_us != AQ_TIME_NEVER);
    AQ_ASSERT(aq_members_moved(client, server) == server || s->position == NONE);
    if (s->health == AQ_SERVER_WELL && policy->sick_on_failure)
        AQ_ASSERT(!parked && (s->probe != NONE) == s->suspected);
    if (s->health == AQ_SERVER_PROBING) AQ_ASSERT(s->probe != NONE);
    bool watched = s->position != NONE || parked;
    if (s->health == AQ_SERVER_SICK && watched && !s->hung)
        AQ_ASSERT(s->probe_at_us != AQ_TIME_NEVER || s->probe != NONE ||
                  policy->probe_first_us == AQ_TIME_NEVER || policy->probe_max_us == AQ_TIME_NEVER);
    AQ_ASSERT(aq_deadlines_of(&client->deadlines, 2 * server + 1) ==
              aq_time_min(s->probe_at_us, s->reconnect_at_us));
    return waiting + parked + flying + resting +
           (s->probe != NONE && client->calls[s->probe].state == CALL_LOOSE);
}

static void check_excluded(const struct aq_client *client) {
    uint32_t no_put = 0, no_get = 0, at = 0, draining = 0;
    for (uint32_t i = 0; i < client->list_count && client->place_of; i++) {
        uint32_t place = client->place_of[client->list[i]];
        AQ_ASSERT(place & PLACE_RECORD || place == i + 1);
        if (!(place & PLACE_RECORD)) continue;
        const struct client_server *s = &client->servers[place & ~PLACE_RECORD];
        AQ_ASSERT(s->position == i);
        draining += s->draining;
        bool get = s->health != AQ_SERVER_WELL,
             put = get || (s->draining && !client->policy->put_to_draining);
        no_put += put;
        no_get += get;
        if (put) AQ_ASSERT(client->excluded[at++] == (i << 2 | EXCLUDED_PUT | (get ? EXCLUDED_GET : 0)));
    }
    AQ_ASSERT(at == client->excluded_count && no_put == client->no_put && no_get == client->no_get);
    AQ_ASSERT(draining == client->draining_count);
    AQ_ASSERT(draining == 0 || client->sweep_at_us != AQ_TIME_NEVER || client->drain_at != NONE ||
              client->policy->drain_sweep_us == AQ_TIME_NEVER);
}

void aq_client_check(const struct aq_client *client) {
    AQ_ASSERT(!client->effects && !client->failed && !client->membership_changed && client->pending == NONE);
    uint32_t listed = 0, used = 0, fanned = 0, open = 0, correlated = 0, flying = 0, free_places = 0;
    for (uint32_t i = 0; i < client->server_count; i++) {
        listed += check_server(client, i);
        flying += client->servers[i].in_flight;
    }
    for (uint32_t i = 0; i < client->call_count; i++) {
        check_call(client, i);
        used += client->calls[i].kind != CALL_KIND_FREE;
        fanned += client->calls[i].state == CALL_FANNED || client->calls[i].state == CALL_PAUSED;
        open += client->calls[i].kind == CALL_KIND_APPLICATION;
    }
    uint32_t held = check_list(client, client->held, CALL_HELD, NONE);
    AQ_ASSERT(held == client->held_count && (client->policy->callers_max || held == 0));
    listed += held + check_list(client, client->lost, CALL_LOST, NONE);
    AQ_ASSERT(used == listed + fanned && open == client->open);
    for (uint32_t call = client->free_call; call != NONE; call = client->calls[call].next)
        AQ_ASSERT(client->calls[call].kind == CALL_KIND_FREE && ++free_places <= client->call_count);
    AQ_ASSERT(free_places + used == client->call_count);
    for (uint32_t i = 0; client->by_correlation && i <= client->correlation_mask; i++)
        correlated += client->by_correlation[i] != NONE;
    AQ_ASSERT(correlated == flying);
    check_excluded(client);
    aq_fan_outs_check(client);
}
