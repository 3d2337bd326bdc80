#include "client/client.h"

#include "client/internal.h"

int aq_client_new(const struct aq_client_config *config, struct aq_client **out) {
    if (config->server_count == 0) return AQ_EINVALID;
    for (uint32_t i = 0; i < config->server_count; i++)
        if (config->servers[i] >= config->book->count) return AQ_EINVALID;
    struct aq_client *client = aq_alloc_zeroed(1, sizeof *client);
    if (!client) return AQ_ENOMEM;
    client->policy = config->policy;
    client->book = config->book;
    client->random = config->random;
    client->free_call = client->pending = client->free_tried = client->free_fan_out = NONE;
    client->next_correlation = 1;
    client->held = client->lost = client->sick_sweep = client->drain_at = client->drain_sweep = NONE;
    client->sweep_at_us = client->boot_us = AQ_TIME_NEVER;
    client->sick_sweep_at_us = client->policy->sick_sweep_us == AQ_TIME_NEVER ? AQ_TIME_NEVER : 0;
    int rc = aq_members_init(client, config->servers, config->server_count);
    if (rc) {
        aq_client_free(client);
        return rc;
    }
    *out = client;
    return 0;
}

void aq_client_free(struct aq_client *client) {
    if (!client) return;
    AQ_ASSERT(!client->effects);
    aq_fan_outs_close(client);
    aq_deadlines_close(&client->deadlines);
    aq_free(client->own_list);
    aq_free(client->place_of);
    aq_free(client->excluded);
    aq_free(client->skipped);
    aq_free(client->servers);
    aq_free(client->calls);
    aq_free(client->by_correlation);
    aq_free(client->tried);
    aq_free(client->drains);
    aq_free(client);
}

static void wake(struct aq_client *client) {
    uint32_t id;
    while (!client->failed && aq_deadlines_take_due(&client->deadlines, client->now_us, &id))
        if (id % 2)
            aq_health_timer(client, id / 2);
        else
            aq_attempts_deadline(client, id / 2);
    if (client->sweep_at_us <= client->now_us && !client->failed) aq_commands_sweep(client);
    if (client->sick_sweep_at_us <= client->now_us && !client->failed) aq_sweeps_sick(client);
}

static void connection_event(struct aq_client *client, const struct aq_client_event *event) {
    uint32_t place = aq_members_known(client, event->server);
    if (!(place & PLACE_RECORD)) return;
    if (event->kind == AQ_CLIENT_CONNECTED)
        aq_connections_connected(client, place & ~PLACE_RECORD);
    else
        aq_connections_disconnected(client, place & ~PLACE_RECORD);
}

int aq_client_step(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                   struct aq_client_effects *effects) {
    AQ_ASSERT(!client->effects && now_us >= client->now_us);
    effects->count = 0;
    aq_arena_reset(&effects->texts);
    int rc = aq_array_reserve(&effects->items, &effects->capacity, 1, sizeof *effects->items);
    if (rc) return rc;
    client->now_us = now_us;
    if (client->boot_us == AQ_TIME_NEVER) client->boot_us = now_us;
    client->effects = effects;
    switch (event->kind) {
    case AQ_CLIENT_CALL: aq_attempts_begin(client, event->call, event->request); break;
    case AQ_CLIENT_CONNECTED:
    case AQ_CLIENT_DISCONNECTED: connection_event(client, event); break;
    case AQ_CLIENT_REPLY: aq_replies_handle(client, event); break;
    case AQ_CLIENT_WAKE: wake(client); break;
    }
    aq_attempts_run_pending(client);
    aq_effects_membership(client);
    client->effects = NULL;
    return client->failed ? AQ_ENOMEM : 0;
}

aq_time_us aq_client_next_wake(const struct aq_client *client) {
    return aq_time_min(aq_deadlines_next(&client->deadlines),
                       aq_time_min(client->sweep_at_us, client->sick_sweep_at_us));
}

uint32_t aq_client_calls_open(const struct aq_client *client) {
    return client->open;
}
