#include "sim/virtual_internal.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

int virtual_push(struct aq_virtual *v, aq_time_us at_us, enum event_kind kind, uint32_t subject) {
    if (at_us == AQ_TIME_NEVER) return 0;
    AQ_ASSERT(at_us >= v->now_us);
    return aq_wheel_push(&v->wheel, (struct aq_event){at_us, ++v->sequence, kind, subject});
}

int virtual_want_wake(struct aq_virtual *v, struct wake *wake, aq_time_us wanted_us, enum event_kind kind,
                      uint32_t subject) {
    if (wanted_us >= wake->near_us) return 0; /* holds for AQ_TIME_NEVER too */
    if (wanted_us < v->now_us) wanted_us = v->now_us;
    wake->far_us = aq_time_min(wake->far_us, wake->near_us);
    wake->near_us = wanted_us;
    return virtual_push(v, wanted_us, kind, subject);
}

/* Forgets the wake-up that has just come. */
static void wake_came(struct wake *wake, aq_time_us now_us) {
    if (wake->near_us <= now_us) {
        wake->near_us = wake->far_us;
        wake->far_us = AQ_TIME_NEVER;
    }
}

int virtual_observe(struct aq_virtual *v, const struct aq_observation *seen) {
    return v->config.observer.observe(v->config.observer.self, seen);
}

/* ---- the world as others see it ---- */

static int world_set_timer(void *world, enum aq_timer_kind kind, uint32_t subject, aq_time_us at_us,
                           uint64_t *ticket) {
    static const enum event_kind kinds[] = {EVENT_WORKER, EVENT_ARRIVAL, EVENT_STRIKE, EVENT_FAULT_END,
                                            EVENT_COMMAND};
    struct aq_virtual *v = world;
    *ticket = v->sequence + 1;
    return virtual_push(v, at_us, kinds[kind], subject);
}

static int world_submit(void *world, uint32_t client, uint64_t call, const struct aq_request *request) {
    struct aq_virtual *v = world;
    int rc = aq_array_reserve(&v->submitted, &v->submitted_capacity, (size_t)v->submitted_count + 1,
                              sizeof *v->submitted);
    if (rc) return rc;
    v->submitted[v->submitted_count++] = (struct submitted){client, call, request};
    return 0;
}

static bool world_client_is_up(void *world, uint32_t client) {
    return client_is_up(world, client);
}
static int world_client_crash(void *world, uint32_t client) {
    return client_crash(world, client);
}
static int world_client_start(void *world, uint32_t client) {
    return client_start(world, client);
}

static int world_client_clock(void *world, uint32_t client, int64_t jump_us) {
    return client_clock(world, client, jump_us);
}

static bool world_server_is_up(void *world, uint32_t server) {
    const struct aq_virtual *v = world;
    return v->servers[server].core || v->servers[server].starting || v->scenario->servers.connect;
}

static int world_server_crash(void *world, uint32_t server, bool disk_lost) {
    return server_crash(world, server, disk_lost);
}

static int world_server_start(void *world, uint32_t server) {
    struct aq_virtual *v = world;
    return server_start(v, server, v->scenario->servers.start_us);
}

static int world_server_fault(void *world, uint32_t server, const struct aq_fault_rule *rule) {
    return server_fault(world, server, rule);
}

static int world_server_heal(void *world, uint32_t server, uint32_t rule_id, uint64_t *touched) {
    return server_heal(world, server, rule_id, touched);
}

static int world_server_redirect(void *world, uint32_t server, uint32_t address, uint64_t *touched) {
    return server_redirect(world, server, address, touched);
}

static int world_server_blank(void *world, uint32_t server, uint64_t *touched) {
    return server_blank(world, server, touched);
}

static int world_link_fault(void *world, struct aq_link_rule *rule) {
    return aq_link_rules_add(&((struct aq_virtual *)world)->rules, rule);
}

static int world_link_heal(void *world, struct aq_link_rule *rule) {
    aq_link_rules_remove(&((struct aq_virtual *)world)->rules, rule);
    return 0;
}

static int world_reset(void *world, const struct aq_link_rule *between, bool half_open, uint64_t *touched) {
    struct aq_virtual *v = world;
    return v->network->reset(v, between, half_open, touched);
}

static const struct aq_world_ops world_ops = {
    .set_timer = world_set_timer,
    .submit = world_submit,
    .client_is_up = world_client_is_up,
    .client_crash = world_client_crash,
    .client_start = world_client_start,
    .client_clock = world_client_clock,
    .server_is_up = world_server_is_up,
    .server_crash = world_server_crash,
    .server_start = world_server_start,
    .server_fault = world_server_fault,
    .server_heal = world_server_heal,
    .server_redirect = world_server_redirect,
    .server_blank = world_server_blank,
    .link_fault = world_link_fault,
    .link_heal = world_link_heal,
    .reset = world_reset,
};

struct aq_world aq_virtual_world(struct aq_virtual *v) {
    return (struct aq_world){v, &world_ops};
}

void aq_virtual_attach(struct aq_virtual *v, struct aq_workload *workload, struct aq_nemesis *nemesis) {
    v->workload = workload;
    v->nemesis = nemesis;
}

/* ---- life ---- */

/* The list of servers that clients outside the groups are configured with. */
static int make_list(struct aq_virtual *v) {
    const struct aq_scenario *s = v->scenario;
    uint32_t shared = s->servers.shared_identity > 1 ? s->servers.shared_identity - 1 : 0;
    v->all_server_count = v->balancer_address != AQ_NOBODY ? 1 : s->servers.count - shared;
    v->all_servers = aq_alloc(v->all_server_count * sizeof *v->all_servers);
    if (!v->all_servers) return AQ_ENOMEM;
    for (uint32_t i = 0; i < v->all_server_count; i++)
        v->all_servers[i] = v->balancer_address != AQ_NOBODY ? v->balancer_address : i ? i + shared : 0;
    return 0;
}

static int make_nodes(struct aq_virtual *v) {
    const struct aq_scenario *s = v->scenario;
    v->clients = aq_alloc_zeroed(s->clients.count, sizeof *v->clients);
    v->servers = aq_alloc_zeroed(s->servers.count, sizeof *v->servers);
    v->connection_of = aq_alloc_zeroed((size_t)s->clients.count * v->addresses, sizeof *v->connection_of);
    v->scratch = aq_alloc((v->addresses + 1) * sizeof *v->scratch);
    if (!v->clients || !v->servers || !v->connection_of || !v->scratch) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->clients.count; i++)
        v->clients[i] = (struct client_node){
            .wake = {AQ_TIME_NEVER, AQ_TIME_NEVER}, .put_set = UINT32_MAX, .get_set = UINT32_MAX};
    for (uint32_t i = 0; i < s->servers.count; i++) {
        v->servers[i].wake = (struct wake){AQ_TIME_NEVER, AQ_TIME_NEVER};
        v->servers[i].incarnation = UINT32_MAX;
        aq_random_init(&v->servers[i].random, v->config.seed, "server process", i);
    }
    return 0;
}

int aq_virtual_new(const struct aq_virtual_config *config, struct aq_virtual **out) {
    struct aq_virtual *v = aq_alloc_zeroed(1, sizeof *v);
    if (!v) return AQ_ENOMEM;
    v->config = *config;
    v->scenario = config->scenario;
    v->network = &virtual_network;
    if (!v->config.client_step) v->config.client_step = aq_client_step;
    v->addresses = config->book->count;
    v->balancer_address = v->scenario->balancer == AQ_BALANCER_NONE ? AQ_NOBODY : config->book->count - 1;
    v->first_free_connection = UINT32_MAX;
    aq_packets_init(&v->packets, v->scenario->wire);
    aq_random_init(&v->balancer_random, config->seed, "balancer", 0);
    int rc = make_list(v);
    if (!rc) rc = make_nodes(v);
    if (rc) {
        aq_virtual_free(v);
        return rc;
    }
    *out = v;
    return 0;
}

void aq_virtual_free(struct aq_virtual *v) {
    if (!v) return;
    for (uint32_t i = 0; v->clients && i < v->scenario->clients.count; i++)
        aq_client_free(v->clients[i].core);
    for (uint32_t i = 0; v->servers && i < v->scenario->servers.count; i++) {
        aq_server_free(v->servers[i].core);
        aq_disk_close(&v->servers[i].disk);
    }
    aq_wheel_close(&v->wheel);
    aq_packets_close(&v->packets);
    aq_link_rules_close(&v->rules);
    aq_client_effects_close(&v->client_effects);
    aq_server_effects_close(&v->server_effects);
    aq_map_close(&v->set_of_hash);
    aq_free(v->clients);
    aq_free(v->servers);
    aq_free(v->connections);
    aq_free(v->connection_of);
    aq_free(v->submitted);
    aq_free(v->all_servers);
    aq_free(v->scratch);
    aq_free(v);
}

int aq_virtual_start(struct aq_virtual *v) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < v->scenario->servers.count; i++)
        rc = server_up(v, i);
    for (uint32_t i = 0; !rc && i < v->scenario->clients.count; i++)
        rc = client_start(v, i);
    return rc;
}

int aq_virtual_start_all(struct aq_virtual *v) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < v->scenario->servers.count && !v->scenario->servers.connect; i++)
        if (!v->servers[i].core && !v->servers[i].starting) rc = server_up(v, i);
    for (uint32_t i = 0; !rc && i < v->scenario->clients.count; i++)
        if (!client_is_up(v, i)) rc = client_start(v, i);
    return rc ? rc : clients_take_calls(v);
}

/* ---- events ---- */

static int dispatch(struct aq_virtual *v, const struct aq_event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_DELIVER: return network_deliver(v, e->subject);
    case EVENT_CLIENT_WAKE:
        wake_came(&v->clients[e->subject].wake, e->at_us);
        return client_woken(v, e->subject);
    case EVENT_SERVER_WAKE:
        wake_came(&v->servers[e->subject].wake, e->at_us);
        return server_woken(v, e->subject);
    case EVENT_SAVED:
        return e->sequence == v->servers[e->subject].save_ticket ? server_saved(v, e->subject) : 0;
    case EVENT_SERVER_UP:
        return e->sequence == v->servers[e->subject].start_ticket ? server_up(v, e->subject) : 0;
    case EVENT_HANDSHAKE: return network_handshake(v, e->subject);
    case EVENT_HANGUP: return network_hangup(v, e->subject);
    case EVENT_RETRANSMIT: return network_retransmit(v, e->subject);
    case EVENT_WORKER: return aq_workload_worker_timer(v->workload, v->now_us, e->subject, e->sequence);
    case EVENT_ARRIVAL: return aq_workload_arrival(v->workload, v->now_us);
    case EVENT_STRIKE: return aq_nemesis_strike(v->nemesis, v->now_us, e->subject);
    case EVENT_FAULT_END: return aq_nemesis_fault_end(v->nemesis, v->now_us, e->subject);
    case EVENT_COMMAND: return aq_workload_command(v->workload, v->now_us, e->subject);
    }
    return AQ_EINVALID;
}

int virtual_handle(struct aq_virtual *v, const struct aq_event *event) {
    v->events++;
    aq_trace_add(v->config.trace,
                 (struct aq_trace_record){event->at_us, event->kind, event->subject, 0, 0, event->sequence});
    int rc = dispatch(v, event);
    return !rc && v->submitted_count ? clients_take_calls(v) : rc;
}

int aq_virtual_run(struct aq_virtual *v, aq_time_us until_us) {
    struct aq_event event;
    if (v->network->run) return v->network->run(v, until_us);
    while (aq_wheel_pop(&v->wheel, until_us, &event)) {
        v->now_us = event.at_us;
        int rc = virtual_handle(v, &event);
        if (rc) return rc;
        if (v->config.stop && *v->config.stop) return AQ_EINTERRUPTED;
    }
    v->now_us = until_us;
    return 0;
}

aq_time_us aq_virtual_now(const struct aq_virtual *v) {
    return v->now_us;
}
uint64_t aq_virtual_events(const struct aq_virtual *v) {
    return v->events;
}
uint32_t aq_virtual_pending(const struct aq_virtual *v) {
    return v->wheel.count;
}
const uint64_t *aq_virtual_marks(const struct aq_virtual *v) {
    return v->marks;
}
