/* The server processes of the virtual world: their cores, their disks, and what becomes of the cores'
 * effects. */
#include "base/error.h"
#include "base/memory.h"
#include "protocol/ids.h"
#include "sim/body.h"
#include "sim/virtual_internal.h"

static struct aq_observation about_server(const struct aq_virtual *v, enum aq_seen_kind kind,
                                          uint32_t server) {
    return (struct aq_observation){.at_us = v->now_us,
                                   .kind = kind,
                                   .server = server,
                                   .incarnation = v->servers[server].incarnation,
                                   .client = AQ_NOBODY,
                                   .caller = AQ_NOBODY,
                                   .address = AQ_NOBODY};
}

/* ---- effects ---- */

static int observe_tap(struct aq_virtual *v, uint32_t server, const struct aq_tap *tap) {
    struct aq_observation seen = about_server(v, AQ_SEEN_TAP, server);
    if (tap->peer != AQ_NOBODY) seen.client = v->network->client_of(v, server, tap->peer);
    seen.action = tap->action;
    seen.tap = tap;
    seen.tap_token = aq_body_token(tap->body, NULL);
    seen.job_hash = tap->job_hash;
    int rc = virtual_observe(v, &seen);
    return rc ? rc : aq_nemesis_tap(v->nemesis, v->now_us, tap->kind);
}

/* The first thing a step wants on disk starts the write; SAVED comes when all of it is there. */
static int persist(struct aq_virtual *v, uint32_t server, const struct aq_server_effect *e) {
    struct server_node *node = &v->servers[server];
    int rc = aq_disk_stage(&node->disk, &e->record, e->kind == AQ_SERVER_UNPERSIST);
    if (rc || node->save_ticket) return rc;
    aq_time_us write_us = aq_distribution_draw(&v->scenario->servers.persist, &node->random);
    node->save_ticket = v->sequence + 1;
    node->save_from_us = v->now_us;
    node->save_us = write_us;
    return virtual_push(v, aq_time_after(v->now_us, write_us), EVENT_SAVED, server);
}

static int carry_out(struct aq_virtual *v, uint32_t server, const struct aq_server_effect *e) {
    switch (e->kind) {
    case AQ_SERVER_REPLY: return v->network->send_reply(v, e->peer, server, e->correlation, &e->reply);
    case AQ_SERVER_PERSIST:
    case AQ_SERVER_UNPERSIST: return persist(v, server, e);
    case AQ_SERVER_FINISHED: v->network->release_request(v, server, e->token); return 0;
    case AQ_SERVER_TAP: return observe_tap(v, server, &e->tap);
    }
    return AQ_EINVALID;
}

int server_event(struct aq_virtual *v, uint32_t server, const struct aq_server_event *event) {
    struct server_node *node = &v->servers[server];
    int rc = aq_server_step(node->core, v->now_us, event, &v->server_effects);
    for (uint32_t i = 0; !rc && i < v->server_effects.count; i++)
        rc = carry_out(v, server, &v->server_effects.items[i]);
    if (rc) return rc;
    return virtual_want_wake(v, &node->wake, aq_server_next_wake(node->core), EVENT_SERVER_WAKE, server);
}

int server_woken(struct aq_virtual *v, uint32_t server) {
    struct server_node *node = &v->servers[server];
    if (!node->core) return 0;
    aq_time_us next_us = aq_server_next_wake(node->core);
    if (next_us > v->now_us) return virtual_want_wake(v, &node->wake, next_us, EVENT_SERVER_WAKE, server);
    struct aq_server_event event = {.kind = AQ_SERVER_WAKE};
    return server_event(v, server, &event);
}

int server_saved(struct aq_virtual *v, uint32_t server) {
    struct server_node *node = &v->servers[server];
    node->save_ticket = 0;
    int rc = aq_disk_commit(&node->disk);
    if (rc) return rc;
    struct aq_server_event event = {.kind = AQ_SERVER_SAVED};
    return server_event(v, server, &event);
}

/* ---- life ---- */

int server_start(struct aq_virtual *v, uint32_t server, aq_time_us delay_us) {
    struct server_node *node = &v->servers[server];
    if (node->core || node->starting) return 0;
    node->starting = true;
    node->start_ticket = v->sequence + 1;
    return virtual_push(v, aq_time_after(v->now_us, delay_us), EVENT_SERVER_UP, server);
}

static int restore(struct aq_virtual *v, uint32_t server) {
    struct aq_disk *disk = &v->servers[server].disk;
    uint32_t count = disk->records.count; /* what restoring itself writes comes behind */
    for (uint32_t i = 0; i < count; i++) {
        if (!disk->records.slots[i].used) continue;
        struct aq_server_event event = {.kind = AQ_SERVER_RESTORE, .record = &disk->records.slots[i].record};
        int rc = server_event(v, server, &event);
        /* A crash between two steps of a move may have left two files of one job. */
        if (rc && (rc != AQ_EEXISTS || !event.record->folder)) return rc;
    }
    return 0;
}

static struct aq_fair_config fair_config(const struct aq_fair_section *fair) {
    return (struct aq_fair_config){.prefix = aq_text_of(fair->prefix),
                                   .suffix = aq_text_of(fair->suffix),
                                   .separator = aq_text_of(fair->separator),
                                   .by_key = fair->by_key,
                                   .shards = fair->shards,
                                   .reservation_max = fair->reservation_max};
}

int server_up(struct aq_virtual *v, uint32_t server) {
    struct server_node *node = &v->servers[server];
    const struct aq_server_section *s = &v->scenario->servers;
    node->starting = false;
    node->incarnation++;
    if (s->connect) { /* it runs elsewhere, and is taken to be up all the time */
        struct aq_observation seen = about_server(v, AQ_SEEN_SERVER_UP, server);
        return virtual_observe(v, &seen);
    }
    struct aq_server_config config = {.policy = &s->policy,
                                      .service = &s->service,
                                      .persistent = s->persistent,
                                      .taps = true,
                                      .default_ttl_s = s->default_ttl_s,
                                      .fair = fair_config(&s->fair),
                                      .tube_expire_us = s->tube_expire_us,
                                      .queue_max = s->queue_max};
    aq_random_init(&config.random, v->config.seed, "server", (uint64_t)node->incarnation << 32 | server);
    int rc = aq_server_new(&config, &node->core);
    if (rc) return rc;
    node->up_since_us = v->now_us;
    struct aq_observation seen = about_server(v, AQ_SEEN_SERVER_UP, server);
    rc = virtual_observe(v, &seen);
    if (!rc) rc = v->network->server_up(v, server);
    if (!rc) rc = restore(v, server);
    return rc ? rc : aq_nemesis_server_started(v->nemesis, v->now_us, server);
}

struct loss_walk {
    struct aq_virtual *v;
    uint32_t server;
    int rc;
};

/* Tells of a job that is in the ending process's memory but not on disk. */
static void lose_job(void *arg, const struct aq_job_record *record) {
    struct loss_walk *walk = arg;
    if (walk->rc || aq_disk_has(&walk->v->servers[walk->server].disk, record)) return;
    struct aq_observation seen = about_server(walk->v, AQ_SEEN_JOB_LOST, walk->server);
    seen.job = record->job_id;
    seen.job_hash = aq_text_hash(record->job_id);
    walk->rc = virtual_observe(walk->v, &seen);
}

/* What of the write under way the disk has got. */
static double share_saved(const struct aq_virtual *v, const struct server_node *node) {
    if (!node->save_ticket || !v->scenario->servers.policy.moves_in_steps) return 0;
    aq_time_us passed_us = v->now_us - node->save_from_us;
    return node->save_us ? (double)passed_us / (double)node->save_us : 0;
}

int server_crash(struct aq_virtual *v, uint32_t server, bool disk_lost) {
    struct server_node *node = &v->servers[server];
    if (!node->core) { /* it was only starting */
        node->starting = false;
        node->start_ticket = 0;
        return 0;
    }
    node->ending = true;
    int rc = aq_nemesis_server_ending(v->nemesis, server);
    node->ending = false;
    if (rc) return rc;
    rc = aq_disk_rollback(&node->disk, share_saved(v, node));
    if (rc) return rc;
    if (disk_lost) aq_disk_wipe(&node->disk);
    struct aq_observation seen = about_server(v, AQ_SEEN_SERVER_DOWN, server);
    seen.memory_lost = disk_lost || !v->scenario->servers.persistent;
    rc = virtual_observe(v, &seen);
    struct loss_walk walk = {v, server, rc};
    aq_server_each_job(node->core, lose_job, &walk);
    struct aq_server_counters counters = aq_server_counters(node->core);
    node->busy_us += counters.busy_us;
    node->requests += counters.requests;
    node->up_us += v->now_us - node->up_since_us;
    node->save_ticket = 0;
    node->paused = 0;
    node->wake = (struct wake){AQ_TIME_NEVER, AQ_TIME_NEVER};
    aq_server_free(node->core);
    node->core = NULL;
    rc = v->network->server_gone(v, server);
    return walk.rc ? walk.rc : rc;
}

/* ---- faults ---- */

int server_fault(struct aq_virtual *v, uint32_t server, const struct aq_fault_rule *rule) {
    struct server_node *node = &v->servers[server];
    if (!node->core) return 0;
    if (rule->kind == AQ_SERVER_FAULT_PAUSE) node->paused++;
    struct aq_server_event event = {.kind = AQ_SERVER_FAULT, .rule = rule};
    return server_event(v, server, &event);
}

int server_heal(struct aq_virtual *v, uint32_t server, uint32_t rule_id, uint64_t *touched) {
    struct server_node *node = &v->servers[server];
    const struct aq_fault_rule *rule = node->core ? aq_server_rule(node->core, rule_id) : NULL;
    if (!rule) return 0;
    *touched += rule->touched;
    if (node->ending) return 0; /* no step that would still do something */
    bool pause = rule->kind == AQ_SERVER_FAULT_PAUSE;
    struct aq_server_event event = {.kind = AQ_SERVER_HEAL, .rule_id = rule_id};
    int rc = server_event(v, server, &event);
    if (rc || !pause || --node->paused > 0) return rc;
    return v->network->server_resumed(v, server);
}

int server_redirect(struct aq_virtual *v, uint32_t server, uint32_t address, uint64_t *touched) {
    if (!v->servers[server].core) return 0;
    ++*touched;
    const struct aq_address *to = &v->config.book->items[address];
    struct aq_request request = {.action = AQ_ACTION_ADMIN,
                                 .given = AQ_PARAM_ADDRESS | AQ_PARAM_PORT,
                                 .address = {to->text, to->host_len},
                                 .port = to->port};
    return v->network->hand_over(v, server, &request);
}

int server_blank(struct aq_virtual *v, uint32_t server, uint64_t *touched) {
    if (!v->servers[server].core) return 0;
    ++*touched;
    return v->network->hand_over(v, server, NULL);
}

/* ---- questions ---- */

struct aq_virtual_server_state aq_virtual_server_state(const struct aq_virtual *v, uint32_t server) {
    const struct server_node *node = &v->servers[server];
    struct aq_virtual_server_state state = {.up = node->core || v->scenario->servers.connect,
                                            .incarnations = node->incarnation + 1,
                                            .up_us = node->up_us,
                                            .busy_us = node->busy_us,
                                            .requests = node->requests};
    if (!node->core) return state;
    state.counters = aq_server_counters(node->core);
    state.up_us += v->now_us - node->up_since_us;
    state.busy_us += state.counters.busy_us;
    state.requests += state.counters.requests;
    return state;
}

int aq_virtual_stats(const struct aq_virtual *v, uint32_t server, struct aq_arena *arena,
                     struct aq_server_stats *out) {
    const struct server_node *node = &v->servers[server];
    return node->core && !node->paused ? aq_server_read_stats(node->core, arena, out) : AQ_ENOENT;
}

uint64_t aq_virtual_touched(const struct aq_virtual *v, uint32_t rule_id) {
    uint64_t touched = 0;
    for (uint32_t i = 0; i < v->scenario->servers.count; i++) {
        const struct server_node *node = &v->servers[i];
        const struct aq_fault_rule *rule = node->core ? aq_server_rule(node->core, rule_id) : NULL;
        if (rule) touched += rule->touched;
    }
    return touched;
}

void aq_virtual_each_job(const struct aq_virtual *v, uint32_t server,
                         void (*visit)(void *arg, const struct aq_job_record *record), void *arg) {
    const struct server_node *node = &v->servers[server];
    if (node->core) {
        aq_server_each_job(node->core, visit, arg);
        return;
    }
    for (uint32_t i = 0; i < node->disk.records.count; i++)
        if (node->disk.records.slots[i].used && !node->disk.records.slots[i].record.is_tube)
            visit(arg, &node->disk.records.slots[i].record);
}
