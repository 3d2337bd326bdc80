#include <stdio.h>

#include "client/internal.h"

static aq_time_us next_sweep_us(const struct aq_client *client) {
    aq_time_us every_us = client->policy->drain_sweep_us, since_us = client->now_us - client->boot_us;
    if (!client->policy->drain_wedges || every_us == 0 || every_us == AQ_TIME_NEVER)
        return aq_time_after(client->now_us, every_us);
    return aq_time_after(client->now_us, every_us - since_us % every_us);
}

/* server NONE: an id that is unknown. */
static void note_drain(struct aq_client *client, uint32_t server) {
    if (!client->policy->drain_wedges) return;
    if (aq_array_reserve(&client->drains, &client->drains_capacity, (size_t)client->drains_count + 1,
                         sizeof *client->drains)) {
        client->failed = true;
        return;
    }
    client->drains[client->drains_count++] = server;
    if (client->sweep_at_us == AQ_TIME_NEVER && client->drain_at == NONE)
        client->sweep_at_us = next_sweep_us(client);
}

void aq_commands_drain(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    note_drain(client, server);
    if (s->draining || s->position == NONE) return;
    s->draining = true;
    client->draining_count++;
    aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_DRAINING);
    aq_members_health_changed(client, server);
    if (client->sweep_at_us == AQ_TIME_NEVER && !client->policy->drain_wedges)
        client->sweep_at_us = next_sweep_us(client);
}

static bool drain(struct aq_client *client, struct aq_text target) {
    uint32_t address = aq_members_by_id(client, target);
    if (address == NONE && aq_address_book_find(client->book, target, &address)) address = NONE;
    uint32_t server = address == NONE ? NONE : aq_members_record(client, address);
    if (server != NONE) {
        aq_commands_drain(client, aq_members_moved(client, server));
        return true;
    }
    if (!client->policy->drain_wedges) return false;
    if (!memchr(target.at, ':', target.len)) note_drain(client, NONE); /* an unknown address is passed over */
    return true;
}

static bool learn(struct aq_client *client, struct aq_text text, uint32_t *address) {
    int rc = aq_address_book_add(client->book, text, address, NULL);
    if (rc == AQ_ENOMEM) client->failed = true;
    return rc == 0;
}

/* What was known of the server goes with its old connection. */
static void forget(struct aq_client *client, uint32_t address) {
    uint32_t server = aq_members_record(client, address);
    if (server == NONE) return;
    aq_connections_forget(client, server);
    aq_health_forget(client, server);
}

static void add(struct aq_client *client, uint32_t address) {
    bool is_new = aq_members_add(client, address), was_draining = false;
    if (!is_new && !client->failed && !client->policy->update_rebuilds) {
        uint32_t server = aq_members_record(client, address);
        if (server == NONE) return;
        was_draining = client->servers[server].draining;
        client->servers[server].draining = false;
        client->draining_count -= was_draining;
        aq_members_health_changed(client, server);
    }
    if (client->policy->update_rebuilds) forget(client, address);
    if (is_new || was_draining) aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_ADDED);
}

static bool add_server(struct aq_client *client, struct aq_text text) {
    uint32_t address;
    if (!learn(client, text, &address)) return false;
    add(client, address);
    return true;
}

/* A table of connections made anew knows nothing of the old one. */
static void forget_all(struct aq_client *client) {
    for (uint32_t i = 0; i < client->server_count; i++) {
        client->servers[i].draining = false;
        forget(client, client->servers[i].address);
    }
    aq_members_forget_moves(client);
    aq_sweeps_forget(client);
}

/* All of "a:1,b:2" or nothing. */
static bool update_servers(struct aq_client *client, struct aq_text text) {
    uint32_t most = 1, count = 0;
    for (uint32_t i = 0; i < text.len; i++)
        most += text.at[i] == ',';
    uint32_t *addresses = aq_arena_alloc(&client->effects->texts, most * sizeof *addresses);
    if (!addresses) {
        client->failed = true;
        return false;
    }
    for (uint32_t at = 0; at <= text.len; count++) {
        uint32_t end = at;
        while (end < text.len && text.at[end] != ',')
            end++;
        if (!learn(client, (struct aq_text){text.at + at, end - at}, &addresses[count])) return false;
        at = end + 1;
    }
    if (client->policy->update_rebuilds) forget_all(client);
    for (uint32_t i = 0; AQ_CLIENT_MUTANT(OLD_KEPT) && i < count; i++)
        aq_members_add(client, addresses[i]);
    if (!AQ_CLIENT_MUTANT(OLD_KEPT)) aq_members_replace(client, addresses, count);
    aq_effects_mark(client, AQ_CLIENT_MARK_SERVERS_REPLACED);
    return true;
}

void aq_commands_run(struct aq_client *client, uint32_t call) {
    const struct client_call *c = &client->calls[call];
    struct aq_text text = c->request->address;
    bool ok = false;
    if (text.len && c->action == AQ_ACTION_DRAIN) ok = drain(client, text);
    if (text.len && c->action == AQ_ACTION_ADD_SERVER) ok = add_server(client, text);
    if (text.len && c->action == AQ_ACTION_UPDATE_SERVERS) ok = update_servers(client, text);
    struct aq_reply *reply = ok ? aq_arena_alloc(&client->effects->texts, sizeof *reply) : NULL;
    if (ok && !reply) client->failed = true;
    if (client->failed) return;
    if (reply)
        *reply = (struct aq_reply){
            .kind = AQ_REPLY_RESPONSE, .action = c->action, .has_value = true, .value = c->request->address};
    aq_calls_end(client, call, ok ? AQ_OUTCOME_OK : AQ_OUTCOME_INVALID, reply);
}

int aq_commands_redirect(struct aq_client *client, uint32_t server, const struct aq_reply *reply) {
    char port[8];
    int len = snprintf(port, sizeof port, "%u", reply->port);
    struct aq_text text;
    if (aq_arena_join(&client->effects->texts, reply->value, ':', (struct aq_text){port, (uint32_t)len},
                      &text)) {
        client->failed = true;
        return 0;
    }
    uint32_t address;
    if (!learn(client, text, &address)) return AQ_EPARSE;
    if (address == client->servers[server].address) return AQ_EPARSE;
    aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_REDIRECTED);
    if (client->policy->redirect_random_id) {
        aq_members_move(client, server, address);
        return 0;
    }
    if (aq_members_add(client, address)) aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_ADDED);
    if (AQ_CLIENT_MUTANT(REDIRECT_MOVES))
        client->servers[server].moved_to = aq_members_record(client, address);
    aq_commands_drain(client, server);
    return 0;
}

void aq_commands_sweep(struct aq_client *client) {
    if (client->policy->drain_wedges) {
        aq_sweeps_drain(client);
        return;
    }
    client->sweep_at_us = AQ_TIME_NEVER;
    if (client->draining_count == 0) return;
    aq_time_us every_us = client->policy->drain_sweep_us;
    client->sweep_at_us = aq_time_after(client->now_us, every_us ? every_us : 1);
    for (uint32_t i = 0; i < client->server_count; i++) {
        struct client_server *s = &client->servers[i];
        if (!s->draining || s->sweeping || s->hung || s->health != AQ_SERVER_WELL) continue;
        uint32_t call = aq_calls_new(client, CALL_KIND_SWEEP, AQ_ACTION_STATS);
        if (call == NONE) return;
        s->sweeping = true;
        client->calls[call].server = i;
        aq_attempts_pend(client, call);
    }
}

static bool tube_is_empty(const struct aq_client_policy *policy, const struct aq_tube_stats *tube) {
    if (policy->drain_ignores_leases) return !(tube->ready && tube->reserved);
    if (AQ_CLIENT_MUTANT(LEASES_IGNORED)) return !tube->ready;
    return !(tube->ready || tube->delayed || tube->reserved || tube->buried || tube->parents);
}

static bool has_put(const struct aq_client *client, uint32_t first) {
    uint32_t call = first;
    if (call == NONE) return false;
    do {
        const struct client_call *c = &client->calls[call];
        if (c->action == AQ_ACTION_PUT || c->action == AQ_ACTION_SET_PARENT_JOB) return true;
        call = c->next;
    } while (call != first);
    return false;
}

bool aq_commands_is_empty(const struct aq_client *client, uint32_t server, const struct aq_reply *stats) {
    const struct aq_client_policy *policy = client->policy;
    const struct client_server *s = &client->servers[server];
    for (uint32_t i = 0; i < stats->server_count; i++)
        for (uint32_t k = 0; k < stats->servers[i].tube_count; k++)
            if (!tube_is_empty(policy, &stats->servers[i].tubes[k])) return false;
    /* A put of this client that is still on its way would be stranded. */
    return policy->drain_ignores_leases || !(has_put(client, s->flying) || has_put(client, s->waiting));
}

void aq_commands_swept(struct aq_client *client, uint32_t server, const struct aq_reply *reply) {
    const struct client_server *s = &client->servers[server];
    if (!s->draining || s->position == NONE || !aq_commands_is_empty(client, server, reply)) return;
    aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_DRAINED);
    aq_members_remove(client, server);
}
