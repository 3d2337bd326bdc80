/* The client processes of the virtual world: their cores, and what becomes of the cores' effects. */
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"
#include "sim/virtual_internal.h"

/* The configured list of a client: the groups take the clients from the highest index down, in their order.
 */
void client_list(const struct aq_virtual *v, uint32_t client, const uint32_t **servers, uint32_t *count) {
    const struct aq_client_section *s = &v->scenario->clients;
    double from_top = (double)(s->count - 1 - client), taken = 0;
    for (uint32_t i = 0; i < s->group_count; i++) {
        taken += s->groups[i].share * s->count;
        if (from_top < (double)(uint64_t)(taken + 0.5)) {
            *servers = s->groups[i].servers;
            *count = s->groups[i].server_count;
            return;
        }
    }
    *servers = v->all_servers;
    *count = v->all_server_count;
}

static struct aq_observation about_client(const struct aq_virtual *v, enum aq_seen_kind kind,
                                          uint32_t client) {
    return (struct aq_observation){.at_us = v->now_us,
                                   .kind = kind,
                                   .client = client,
                                   .caller = AQ_NOBODY,
                                   .server = AQ_NOBODY,
                                   .address = AQ_NOBODY};
}

bool client_is_up(const struct aq_virtual *v, uint32_t client) {
    return v->clients[client].core || v->clients[client].foreign_up;
}

int client_ready(struct aq_virtual *v, uint32_t client) {
    v->clients[client].lives++;
    v->clients[client].foreign_up = true;
    struct aq_observation seen = about_client(v, AQ_SEEN_CLIENT_UP, client);
    return virtual_observe(v, &seen);
}

int client_start(struct aq_virtual *v, uint32_t client) {
    struct client_node *node = &v->clients[client];
    if (v->foreign) return v->foreign->start(v->foreign_self, client);
    struct aq_client_config config = {.book = v->config.book, .policy = &v->scenario->clients.policy};
    client_list(v, client, &config.servers, &config.server_count);
    aq_random_init(&config.random, v->config.seed, "client", (uint64_t)node->lives << 32 | client);
    int rc = aq_client_new(&config, &node->core);
    if (rc) return rc;
    node->lives++;
    node->put_set = node->get_set = UINT32_MAX;
    struct aq_observation seen = about_client(v, AQ_SEEN_CLIENT_UP, client);
    rc = virtual_observe(v, &seen);
    if (rc) return rc;
    return virtual_want_wake(v, &node->wake, aq_client_next_wake(node->core), EVENT_CLIENT_WAKE, client);
}

int client_crash(struct aq_virtual *v, uint32_t client) {
    struct client_node *node = &v->clients[client];
    bool was_up = client_is_up(v, client);
    aq_client_free(node->core);
    node->core = NULL;
    node->foreign_up = false;
    if (v->foreign)
        v->foreign->kill(v->foreign_self, client);
    else
        v->network->client_gone(v, client);
    if (!was_up) return 0; /* it was only starting */
    struct aq_observation seen = about_client(v, AQ_SEEN_CLIENT_DOWN, client);
    int rc = virtual_observe(v, &seen);
    return rc ? rc : aq_workload_client_down(v->workload, v->now_us, client);
}

/* ---- the sets of eligible servers ---- */

/* Finds or adds the set in scratch[0..count-1]. */
static int number_set(struct aq_virtual *v, uint32_t count, uint32_t *out) {
    if (count == 0) { /* nothing is eligible: what is chosen then is a last resort, no free choice */
        *out = AQ_NOBODY;
        return 0;
    }
    struct aq_eligible_sets *sets = v->config.eligible_sets;
    uint64_t hash =
        aq_text_hash((struct aq_text){(const char *)v->scratch, count * (uint32_t)sizeof *v->scratch});
    if (aq_map_get(&v->set_of_hash, hash, out)) return 0;
    int rc = aq_array_reserve(&sets->members, &sets->members_capacity, (size_t)sets->members_count + count,
                              sizeof *sets->members);
    if (!rc)
        rc = aq_array_reserve(&sets->offsets, &sets->offsets_capacity, (size_t)sets->count + 2,
                              sizeof *sets->offsets);
    if (!rc) rc = aq_map_set(&v->set_of_hash, hash, sets->count);
    if (rc) return rc;
    memcpy(sets->members + sets->members_count, v->scratch, count * sizeof *v->scratch);
    sets->offsets[sets->count] = sets->members_count;
    sets->members_count += count;
    sets->offsets[sets->count + 1] = sets->members_count;
    *out = sets->count++;
    return 0;
}

static int eligible_set(struct aq_virtual *v, struct client_node *node, bool for_put, uint32_t *out) {
    uint32_t *cached = for_put ? &node->put_set : &node->get_set;
    if (*cached == UINT32_MAX) {
        uint32_t count = aq_client_eligible(node->core, for_put, v->scratch, v->addresses);
        int rc = number_set(v, count < v->addresses ? count : v->addresses, cached);
        if (rc) return rc;
    }
    *out = *cached;
    return 0;
}

/* ---- effects ---- */

static uint32_t server_at(const struct aq_virtual *v, uint32_t address) {
    return address < v->scenario->servers.count ? address : AQ_NOBODY;
}

static int observe_choice(struct aq_virtual *v, uint32_t client, const struct aq_client_effect *e) {
    struct aq_observation seen = about_client(v, AQ_SEEN_CHOICE, client);
    seen.server = server_at(v, e->server);
    seen.address = e->server;
    seen.call = e->call;
    seen.eligible_set = AQ_NOBODY; /* a retry is no free choice: it avoids where it has been */
    seen.action = e->action;
    if (e->kind == AQ_CLIENT_CHOICE) {
        bool for_put = e->action == AQ_ACTION_PUT || e->action == AQ_ACTION_SET_PARENT_JOB;
        int rc = eligible_set(v, &v->clients[client], for_put, &seen.eligible_set);
        if (rc) return rc;
    }
    return virtual_observe(v, &seen);
}

static int send(struct aq_virtual *v, uint32_t client, const struct aq_client_effect *e) {
    struct aq_observation seen = about_client(v, AQ_SEEN_SEND, client);
    seen.server = server_at(v, e->server);
    seen.address = e->server;
    seen.call = e->call;
    seen.own = e->own;
    seen.action = (enum aq_action)e->request.action;
    if (aq_action_is_completion(seen.action)) {
        seen.job = e->request.job_id;
        seen.job_hash = aq_text_hash(e->request.job_id);
    }
    int rc = virtual_observe(v, &seen);
    return rc ? rc : v->network->send_request(v, client, e->server, e->correlation, &e->request);
}

static int carry_out(struct aq_virtual *v, uint32_t client, const struct aq_client_effect *e) {
    switch (e->kind) {
    case AQ_CLIENT_CONNECT: return v->network->connect(v, client, e->server);
    case AQ_CLIENT_CLOSE: v->network->close(v, client, e->server); return 0;
    case AQ_CLIENT_SEND: return send(v, client, e);
    case AQ_CLIENT_ANSWER: return aq_workload_answer(v->workload, v->now_us, e->call, e->outcome, e->reply);
    case AQ_CLIENT_CHOICE:
    case AQ_CLIENT_RETRY: return observe_choice(v, client, e);
    case AQ_CLIENT_MEMBERSHIP: v->clients[client].put_set = v->clients[client].get_set = UINT32_MAX; return 0;
    case AQ_CLIENT_MARK: v->marks[e->mark]++; return 0;
    }
    return AQ_EINVALID;
}

/* ---- time as a client's clock shows it ---- */

/* It never goes back: a clock that was set back stands still, as a program that guards against it takes it.
 */
static aq_time_us clock_of(struct aq_virtual *v, struct client_node *node) {
    if (node->clock_us == 0 && node->clock_seen_us == 0) return v->now_us;
    int64_t shown_us = (int64_t)v->now_us + node->clock_us;
    if (shown_us > (int64_t)node->clock_seen_us) node->clock_seen_us = (aq_time_us)shown_us;
    return node->clock_seen_us;
}

/* When the clock will show this. */
static aq_time_us world_time(const struct client_node *node, aq_time_us clock_us) {
    if (node->clock_us == 0 || clock_us == AQ_TIME_NEVER) return clock_us;
    int64_t at_us = (int64_t)clock_us - node->clock_us;
    return at_us > 0 ? (aq_time_us)at_us : 0;
}

int client_clock(struct aq_virtual *v, uint32_t client, int64_t jump_us) {
    struct client_node *node = &v->clients[client];
    clock_of(v, node);
    if (node->clock_seen_us == 0) node->clock_seen_us = v->now_us;
    node->clock_us += jump_us;
    return node->core ? client_woken(v, client) : 0;
}

int client_event(struct aq_virtual *v, uint32_t client, const struct aq_client_event *event) {
    struct client_node *node = &v->clients[client];
    if (!node->core) return 0;
    int rc = v->config.client_step(node->core, clock_of(v, node), event, &v->client_effects);
    for (uint32_t i = 0; !rc && i < v->client_effects.count; i++)
        rc = carry_out(v, client, &v->client_effects.items[i]);
    if (rc) return rc;
    return virtual_want_wake(v, &node->wake, world_time(node, aq_client_next_wake(node->core)),
                             EVENT_CLIENT_WAKE, client);
}

int client_woken(struct aq_virtual *v, uint32_t client) {
    struct client_node *node = &v->clients[client];
    if (!node->core) return 0;
    aq_time_us next_us = world_time(node, aq_client_next_wake(node->core));
    if (next_us > v->now_us) return virtual_want_wake(v, &node->wake, next_us, EVENT_CLIENT_WAKE, client);
    struct aq_client_event event = {.kind = AQ_CLIENT_WAKE, .server = UINT32_MAX};
    return client_event(v, client, &event);
}

int clients_take_calls(struct aq_virtual *v) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < v->submitted_count; i++) {
        struct submitted s = v->submitted[i]; /* the array may grow and move meanwhile */
        if (v->foreign) {
            rc = v->foreign->call(v->foreign_self, s.client, s.call, s.request);
            continue;
        }
        struct aq_client_event event = {
            .kind = AQ_CLIENT_CALL, .server = UINT32_MAX, .call = s.call, .request = s.request};
        rc = client_event(v, s.client, &event);
    }
    v->submitted_count = 0;
    return rc;
}
