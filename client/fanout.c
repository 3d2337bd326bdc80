#include "client/internal.h"

enum child_state {
    CHILD_NOT_ASKED,
    CHILD_ASKED,
    CHILD_CONFIRMED,
    CHILD_REFUSED,
    CHILD_UNREACHED,
    CHILD_UNKNOWN,
    CHILD_STATES
};

struct fan_child {
    uint32_t server; /* record */
    enum child_state state;
};

/* A call to every server. Lives from the call to its answer. */
struct fan_out {
    uint32_t call; /* NONE while unused */
    uint32_t next; /* unused: the next unused one; in turn: the place to ask next */
    uint32_t count;
    uint32_t counts[CHILD_STATES]; /* children in each state */
    struct fan_child *children;    /* in arena, in list order */
    struct aq_server_stats *stats; /* in arena: what they answered, by place */
    struct aq_reply refusal;       /* copied: the first refusal */
    struct aq_arena arena; /* emptied when the record is used again, so that the answer outlives the call */
};

static uint32_t new_record(struct aq_client *client) {
    uint32_t at = client->free_fan_out;
    if (at != NONE) {
        client->free_fan_out = client->fan_outs[at].next;
        struct aq_arena arena = client->fan_outs[at].arena;
        aq_arena_reset(&arena);
        client->fan_outs[at] = (struct fan_out){.arena = arena};
        return at;
    }
    if (aq_array_reserve(&client->fan_outs, &client->fan_out_capacity, (size_t)client->fan_out_count + 1,
                         sizeof *client->fan_outs)) {
        client->failed = true;
        return NONE;
    }
    client->fan_outs[client->fan_out_count] = (struct fan_out){.call = NONE};
    return client->fan_out_count++;
}

static void free_record(struct aq_client *client, uint32_t fan_out) {
    struct fan_out *fan = &client->fan_outs[fan_out];
    fan->call = NONE;
    fan->next = client->free_fan_out;
    client->free_fan_out = fan_out;
}

void aq_fan_outs_close(struct aq_client *client) {
    for (uint32_t i = 0; i < client->fan_out_count; i++)
        aq_arena_close(&client->fan_outs[i].arena);
    aq_free(client->fan_outs);
}

static void set_state(struct fan_out *fan, uint32_t place, enum child_state state) {
    fan->counts[fan->children[place].state]--;
    fan->children[place].state = state;
    fan->counts[state]++;
}

static bool goes_elsewhere(const struct aq_client *client, enum aq_action action) {
    return action == AQ_ACTION_CLEAR && client->policy->clear_elsewhere;
}

/* One server at a time? */
static bool is_in_turn(const struct aq_client *client, const struct client_call *parent) {
    return parent->route == CALL_ROUTE_IN_TURN || client->policy->fan_out_in_turn;
}

static void ask(struct aq_client *client, uint32_t fan_out, uint32_t place) {
    struct fan_out *fan = &client->fan_outs[fan_out];
    const struct client_call parent = client->calls[fan->call];
    uint32_t call = aq_calls_new(client, CALL_KIND_CHILD, parent.action);
    if (call == NONE) return;
    set_state(fan, place, CHILD_ASKED);
    struct client_call *c = &client->calls[call];
    bool changes = parent.action == AQ_ACTION_CLEAR || parent.action == AQ_ACTION_THROTTLE ||
                   parent.action == AQ_ACTION_PAUSE || parent.action == AQ_ACTION_UNPAUSE;
    c->route = changes && client->policy->clear_sick && !goes_elsewhere(client, parent.action)
                   ? CALL_ROUTE_ORIGIN
                   : CALL_ROUTE_ONCE;
    c->name = parent.name;
    c->request = parent.request;
    c->deadline_us = parent.deadline_us;
    c->too_big = parent.too_big;
    c->server = fan->children[place].server;
    c->fan_out = fan_out;
    c->place = place;
    aq_attempts_pend(client, call);
}

/* Children for all members, or for those that are well only. False: no memory. */
static bool make_children(struct aq_client *client, struct fan_out *fan) {
    size_t count = client->list_count ? client->list_count : 1;
    fan->children = aq_arena_alloc(&fan->arena, count * sizeof *fan->children);
    fan->stats = aq_arena_alloc(&fan->arena, count * sizeof *fan->stats);
    if (!fan->children || !fan->stats) return false;
    for (uint32_t i = 0; i < client->list_count; i++) {
        uint32_t server = aq_members_record(client, client->list[i]);
        if (server == NONE) return false;
        if ((!client->policy->clear_sick || AQ_CLIENT_MUTANT(SICK_SKIPPED)) &&
            client->servers[server].health != AQ_SERVER_WELL)
            continue;
        fan->children[fan->count++] = (struct fan_child){server, CHILD_NOT_ASKED};
    }
    fan->counts[CHILD_NOT_ASKED] = fan->count;
    return true;
}

void aq_fan_outs_begin(struct aq_client *client, uint32_t call) {
    uint32_t fan_out = new_record(client);
    if (fan_out == NONE) return;
    struct fan_out *fan = &client->fan_outs[fan_out];
    fan->call = call;
    client->calls[call].fan_out = fan_out;
    client->calls[call].state = CALL_FANNED;
    aq_calls_set_deadline(client, call, AQ_TIME_NEVER); /* its children have it; it was held with one */
    if (!make_children(client, fan)) {
        client->failed = true;
        return;
    }
    if (fan->count == 0) {
        client->calls[call].state = CALL_LOOSE;
        free_record(client, fan_out);
        aq_calls_end(client, call, AQ_OUTCOME_UNAVAILABLE, NULL);
        return;
    }
    uint32_t first = is_in_turn(client, &client->calls[call]) ? 1 : fan->count;
    for (uint32_t i = 0; i < first; i++)
        ask(client, fan_out, i);
    fan->next = first;
}

double aq_fan_outs_share(const struct aq_client *client, uint32_t fan_out, double tps) {
    const struct fan_out *fan = &client->fan_outs[fan_out];
    if (tps <= 0) return tps;
    double share = AQ_CLIENT_MUTANT(THROTTLE_WHOLE) ? tps : tps / fan->count;
    return share < 1 && client->policy->throttle_rounds_up ? 1 : share;
}

static struct aq_text server_name(struct aq_client *client, uint32_t server) {
    const struct aq_address *address = &client->book->items[client->servers[server].filed_as];
    struct aq_text id = aq_members_id(client, server), name = {0};
    if (aq_arena_join(&client->effects->texts, id, ',', aq_text_of(address->text), &name))
        client->failed = true;
    return name;
}

static bool is_silent(const struct fan_child *child) {
    return child->state == CHILD_UNREACHED || child->state == CHILD_UNKNOWN;
}

/* "no answer from ID,host:port ID,host:port" */
static void name_silent(struct aq_client *client, const struct fan_out *fan, struct aq_reply *reply) {
    reply->has_error = true;
    reply->error = AQ_TEXT("no answer from");
    for (uint32_t i = 0; i < fan->count && !client->failed; i++) {
        if (!is_silent(&fan->children[i])) continue;
        struct aq_text name = server_name(client, fan->children[i].server);
        if (aq_arena_join(&client->effects->texts, reply->error, ' ', name, &reply->error))
            client->failed = true;
    }
}

static enum aq_outcome sum_up_stats(struct aq_client *client, const struct fan_out *fan,
                                    struct aq_reply *reply) {
    uint32_t heard = fan->counts[CHILD_CONFIRMED];
    reply->kind = AQ_REPLY_STATS;
    struct aq_server_stats *servers = aq_arena_alloc(&client->effects->texts, (heard + 1) * sizeof *servers);
    if (!servers) {
        client->failed = true;
        return AQ_OUTCOME_UNKNOWN;
    }
    for (uint32_t i = 0; i < fan->count; i++) {
        if (fan->children[i].state != CHILD_CONFIRMED) continue;
        servers[reply->server_count] = fan->stats[i];
        servers[reply->server_count++].server = server_name(client, fan->children[i].server);
    }
    reply->servers = servers;
    if (heard < fan->count) name_silent(client, fan, reply);
    return AQ_OUTCOME_OK;
}

static enum aq_outcome sum_up_ping(struct aq_client *client, const struct fan_out *fan,
                                   struct aq_reply *reply) {
    if (fan->counts[CHILD_CONFIRMED] == fan->count) {
        reply->kind = AQ_REPLY_PONG;
        return AQ_OUTCOME_OK;
    }
    reply->kind = AQ_REPLY_ERROR;
    name_silent(client, fan, reply);
    return AQ_OUTCOME_REFUSED;
}

/* How the whole ended, when all children have; *reply is filled where the outcome has one. */
static enum aq_outcome sum_up(struct aq_client *client, const struct fan_out *fan, struct aq_reply *reply) {
    enum aq_action action = client->calls[fan->call].action;
    uint32_t silent = fan->counts[CHILD_UNREACHED] + fan->counts[CHILD_UNKNOWN];
    *reply = (struct aq_reply){.kind = AQ_REPLY_RESPONSE, .action = (uint8_t)action};
    bool names_all = action == AQ_ACTION_PING && !client->policy->report_unknown;
    if (fan->counts[CHILD_UNREACHED] == fan->count && !names_all) return AQ_OUTCOME_UNAVAILABLE;
    if (fan->counts[CHILD_REFUSED] == fan->count) {
        *reply = fan->refusal;
        return AQ_OUTCOME_REFUSED;
    }
    bool reads = action == AQ_ACTION_STATS || action == AQ_ACTION_PING || action == AQ_ACTION_PEEK;
    if (reads && silent == fan->count && !names_all) return AQ_OUTCOME_UNAVAILABLE;
    if (fan->counts[CHILD_CONFIRMED] < fan->count) {
        aq_effects_mark(client, AQ_CLIENT_MARK_FAN_OUT_INCOMPLETE);
        if (!client->policy->report_unknown && !names_all) return AQ_OUTCOME_UNKNOWN;
    }
    if (action == AQ_ACTION_STATS) return sum_up_stats(client, fan, reply);
    if (action == AQ_ACTION_PING) return sum_up_ping(client, fan, reply);
    bool enough = AQ_CLIENT_MUTANT(SILENT_CONFIRMED) && fan->counts[CHILD_CONFIRMED] > 0;
    return enough || fan->counts[CHILD_CONFIRMED] == fan->count ? AQ_OUTCOME_OK : AQ_OUTCOME_UNKNOWN;
}

/* The answer; `found` is the reply of the server that had a job, where one was asked after the other. */
static void finish(struct aq_client *client, uint32_t fan_out, uint32_t server,
                   const struct aq_reply *found) {
    struct fan_out *fan = &client->fan_outs[fan_out];
    uint32_t call = fan->call;
    enum aq_outcome outcome = AQ_OUTCOME_OK;
    struct aq_reply *reply = NULL;
    if (!found) {
        reply = aq_arena_alloc(&client->effects->texts, sizeof *reply);
        if (!reply) {
            client->failed = true;
            return;
        }
        outcome = sum_up(client, fan, reply);
        if (outcome == AQ_OUTCOME_UNKNOWN || outcome == AQ_OUTCOME_UNAVAILABLE) reply = NULL;
    }
    free_record(client, fan_out);
    client->calls[call].server = found ? server : NONE;
    aq_calls_end(client, call, outcome, found ? found : reply);
}

static enum child_state state_of(enum aq_outcome outcome) {
    switch (outcome) {
    case AQ_OUTCOME_OK: return CHILD_CONFIRMED;
    case AQ_OUTCOME_REFUSED:
    case AQ_OUTCOME_EMPTY: return CHILD_REFUSED;
    case AQ_OUTCOME_UNAVAILABLE: return CHILD_UNREACHED;
    default: return CHILD_UNKNOWN;
    }
}

/* Keeps of the reply what the answer will need. */
static void keep_reply(struct aq_client *client, struct fan_out *fan, uint32_t place,
                       const struct aq_reply *reply) {
    struct aq_reply copy;
    enum child_state state = fan->children[place].state;
    bool stats = state == CHILD_CONFIRMED && reply->kind == AQ_REPLY_STATS;
    if (!stats && !(state == CHILD_REFUSED && fan->counts[CHILD_REFUSED] == 1)) return;
    if (aq_reply_copy(reply, &fan->arena, &copy)) {
        client->failed = true;
        return;
    }
    if (!stats) fan->refusal = copy;
    if (stats) fan->stats[place] = copy.server_count ? copy.servers[0] : (struct aq_server_stats){0};
}

/* The rest is not asked: to it nothing was done. */
static void leave_rest(struct fan_out *fan) {
    for (; fan->next < fan->count; fan->next++)
        set_state(fan, fan->next, CHILD_UNREACHED);
}

/* The first that failed; NONE where none did. */
static uint32_t first_silent(const struct fan_out *fan) {
    for (uint32_t i = 0; i < fan->count; i++)
        if (is_silent(&fan->children[i])) return fan->children[i].server;
    return NONE;
}

/* The whole call is tried again as if it were for one server only. */
static void go_elsewhere(struct aq_client *client, uint32_t fan_out, uint32_t server) {
    uint32_t call = client->fan_outs[fan_out].call;
    struct client_call *c = &client->calls[call];
    aq_effects_mark(client, AQ_CLIENT_MARK_FAN_OUT_INCOMPLETE);
    free_record(client, fan_out);
    c->state = CALL_LOOSE;
    c->fan_out = NONE;
    c->route = CALL_ROUTE_GET;
    c->server = server;
    aq_calls_set_deadline(client, call, c->deadline_us);
    aq_attempts_failed_unsent(client, call);
}

void aq_fan_outs_child_ended(struct aq_client *client, uint32_t fan_out, uint32_t place, uint32_t server,
                             enum aq_outcome outcome, const struct aq_reply *reply) {
    struct fan_out *fan = &client->fan_outs[fan_out];
    const struct client_call *parent = &client->calls[fan->call];
    enum aq_action action = parent->action;
    set_state(fan, place, state_of(outcome));
    if (reply) keep_reply(client, fan, place, reply);
    if (client->failed || fan->counts[CHILD_ASKED]) return;
    bool found = parent->route == CALL_ROUTE_IN_TURN && outcome == AQ_OUTCOME_OK &&
                 (action == AQ_ACTION_KICK ? reply->has_job_id : reply->job_count > 0);
    bool may_have_kicked = action == AQ_ACTION_KICK && outcome == AQ_OUTCOME_UNKNOWN;
    bool ends =
        client->policy->fan_out_in_turn && action != AQ_ACTION_PING && is_silent(&fan->children[place]);
    if (ends) leave_rest(fan);
    if (!found && !may_have_kicked && fan->next < fan->count)
        ask(client, fan_out, fan->next++);
    else if (goes_elsewhere(client, action) && first_silent(fan) != NONE)
        go_elsewhere(client, fan_out, first_silent(fan));
    else
        finish(client, fan_out, server, found ? reply : NULL);
}

void aq_fan_outs_check(const struct aq_client *client) {
    for (uint32_t i = 0; i < client->fan_out_count; i++) {
        const struct fan_out *fan = &client->fan_outs[i];
        if (fan->call == NONE) continue;
        const struct client_call *call = &client->calls[fan->call];
        AQ_ASSERT(call->kind == CALL_KIND_APPLICATION && call->state == CALL_FANNED && call->fan_out == i);
        uint32_t counts[CHILD_STATES] = {0}, under_way = 0;
        for (uint32_t k = 0; k < fan->count; k++)
            counts[fan->children[k].state]++;
        AQ_ASSERT(memcmp(counts, fan->counts, sizeof counts) == 0);
        for (uint32_t k = 0; k < client->call_count; k++)
            under_way += client->calls[k].kind == CALL_KIND_CHILD && client->calls[k].fan_out == i;
        AQ_ASSERT(under_way == counts[CHILD_ASKED] && under_way > 0);
    }
}
