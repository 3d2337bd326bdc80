#include "client/internal.h"

void aq_health_set_timer(struct aq_client *client, uint32_t server) {
    const struct client_server *s = &client->servers[server];
    aq_time_us at_us = aq_time_min(s->probe_at_us, s->reconnect_at_us);
    if (aq_deadlines_set(&client->deadlines, 2 * server + 1, at_us)) client->failed = true;
}

/* The wait before a probe: doubled with each that failed, and spread by 20 % either way so that many clients
   do not probe a server that comes back in the same instant. */
void aq_health_schedule_probe(struct aq_client *client, uint32_t server) {
    const struct aq_client_policy *policy = client->policy;
    struct client_server *s = &client->servers[server];
    aq_time_us wait_us = policy->probe_first_us;
    bool bounded = !AQ_CLIENT_MUTANT(PROBED_RARELY);
    for (uint32_t i = 0; i < s->failed_probes && (wait_us < policy->probe_max_us || !bounded); i++)
        wait_us = aq_time_after(wait_us, wait_us);
    if (s->failed_probes && bounded) wait_us = aq_time_min(wait_us, policy->probe_max_us);
    if (AQ_CLIENT_MUTANT(NEVER_PROBED)) wait_us = AQ_TIME_NEVER;
    if (wait_us != AQ_TIME_NEVER)
        wait_us = 1 + (aq_time_us)((double)wait_us * (0.8 + 0.4 * aq_random_unit(&client->random)));
    s->probe_at_us = aq_time_after(client->now_us, wait_us);
    aq_health_set_timer(client, server);
}

static void drop_probe(struct aq_client *client, uint32_t server) {
    uint32_t probe = client->servers[server].probe;
    if (probe == NONE) return;
    client->servers[server].probe = NONE;
    client->servers[server].suspected = false;
    aq_calls_take(client, probe);
    aq_calls_free(client, probe);
}

/* WELL or PROBING to SICK; a server that is sick stays so and keeps its timer. */
static void become_sick(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->health == AQ_SERVER_SICK) return;
    if (s->health == AQ_SERVER_PROBING) {
        aq_effects_mark(client, AQ_CLIENT_MARK_PROBE_FAILED);
        if (s->failed_probes < UINT8_MAX) s->failed_probes++;
    } else {
        aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_BECAME_SICK);
    }
    s->health = AQ_SERVER_SICK;
    aq_health_schedule_probe(client, server);
    aq_members_health_changed(client, server);
}

void aq_health_pinged(struct aq_client *client, uint32_t server, bool answered) {
    struct client_server *s = &client->servers[server];
    if (answered) {
        s->failed_probes = 0;
        aq_health_well(client, server);
    } else if (client->policy->sick_on_failure) {
        if (s->health == AQ_SERVER_WELL) aq_health_failed(client, server);
    } else if (s->health == AQ_SERVER_SICK) {
        aq_effects_mark(client, AQ_CLIENT_MARK_PROBE_FAILED);
    } else if (s->health == AQ_SERVER_WELL) {
        become_sick(client, server);
    }
}

static void move_calls_on(struct aq_client *client, uint32_t server) {
    while (client->servers[server].flying != NONE) {
        uint32_t call = client->servers[server].flying;
        aq_calls_take(client, call);
        if (AQ_CLIENT_MUTANT(LOST_IS_UNSENT))
            aq_attempts_failed_unsent(client, call);
        else
            aq_attempts_failed_sent(client, call);
    }
    if (client->servers[server].rebuilding) return; /* what waits goes on waiting for that */
    while (client->servers[server].waiting != NONE) {
        uint32_t call = client->servers[server].waiting;
        aq_calls_take(client, call);
        aq_attempts_failed_unsent(client, call);
    }
}

void aq_health_failed(struct aq_client *client, uint32_t server) {
    drop_probe(client, server);
    aq_connections_close(client, server);
    become_sick(client, server);
    move_calls_on(client, server);
}

void aq_health_well(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->health == AQ_SERVER_WELL) return;
    s->health = AQ_SERVER_WELL;
    aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_BECAME_WELL);
    if (client->policy->sick_on_failure) {
        drop_probe(client, server);
        s->failed_probes = 0;
        s->probe_at_us = AQ_TIME_NEVER;
        aq_health_set_timer(client, server);
    }
    aq_members_health_changed(client, server);
    while (s->parked != NONE) {
        uint32_t call = s->parked;
        aq_calls_take(client, call);
        aq_attempts_pend(client, call);
    }
}

void aq_health_forget(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    drop_probe(client, server);
    s->failed_probes = 0;
    s->probe_at_us = AQ_TIME_NEVER;
    aq_health_set_timer(client, server);
    aq_health_well(client, server);
}

static void probe(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->hung || s->probe != NONE || (s->position == NONE && s->parked == NONE)) return;
    uint32_t call = aq_calls_new(client, CALL_KIND_PROBE, AQ_ACTION_PING);
    if (call == NONE) return;
    client->calls[call].server = server;
    s->probe = call;
    client->calls[call].deadline_us = aq_time_after(client->now_us, client->policy->probe_timeout_us);
    aq_time_us wait_us = aq_time_min(client->policy->probe_timeout_us, client->policy->connect_timeout_us);
    aq_calls_set_deadline(client, call, aq_time_after(client->now_us, wait_us));
    if (s->health == AQ_SERVER_SICK) {
        s->health = AQ_SERVER_PROBING;
        if (s->connection == CONNECTION_CONNECTING && !client->policy->sick_on_failure)
            aq_connections_close(client,
                                 server); /* a connection that has not come in all that time is made anew */
    }
    if (s->connection == CONNECTION_IDLE && s->reconnect_at_us == AQ_TIME_NEVER)
        aq_connections_open(client, server);
    if (AQ_CLIENT_MUTANT(WELL_BY_TIME)) {
        aq_health_well(client, server);
        return;
    }
    aq_connections_flush(client, server);
}

void aq_health_suspect(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->probe != NONE || s->hung) return;
    if (s->connection == CONNECTION_IDLE && s->reconnect_at_us == AQ_TIME_NEVER)
        aq_connections_open(client, server);
    probe(client, server);
    s = &client->servers[server];
    s->suspected = s->health == AQ_SERVER_WELL && s->probe != NONE;
}

/* Where failures do not make sick, a failed ping alone does; the connection is made anew if nothing else is
 * under way on it. */
void aq_health_probe_failed(struct aq_client *client, uint32_t server) {
    if (client->policy->sick_on_failure) {
        aq_health_failed(client, server);
        return;
    }
    drop_probe(client, server);
    struct client_server *s = &client->servers[server];
    if (s->health == AQ_SERVER_WELL) {
        s->health = AQ_SERVER_PROBING;
        aq_effects_mark(client, AQ_CLIENT_MARK_SERVER_BECAME_SICK);
    }
    become_sick(client, server);
    if (s->connection != CONNECTION_UP || s->flying != NONE) return;
    aq_connections_close(client, server);
    if (s->waiting != NONE) aq_connections_open(client, server);
}

void aq_health_timer(struct aq_client *client, uint32_t server) {
    struct client_server *s = &client->servers[server];
    if (s->reconnect_at_us <= client->now_us) {
        s->reconnect_at_us = AQ_TIME_NEVER;
        if (s->rebuilding)
            aq_connections_rebuilt(client, server);
        else if (s->connection == CONNECTION_IDLE && (s->waiting != NONE || s->probe != NONE))
            aq_connections_open(client, server);
    }
    if (s->probe_at_us <= client->now_us) {
        s->probe_at_us = AQ_TIME_NEVER;
        probe(client, server);
    }
    aq_health_set_timer(client, server);
}
