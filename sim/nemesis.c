#include "sim/nemesis.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

/* One fault of the list and its state. */
struct fault {
    const struct aq_fault_spec *spec;
    struct aq_receipt receipt;
    struct aq_link_rule rule; /* link faults, while in force */
    uint32_t *targets;        /* servers, clients or workers of the strike in force; owned */
    uint32_t target_count, target_capacity;
    uint64_t done_before; /* what done_by said at the strike */
    bool in_force;
    bool armed; /* waits for its event, or for its timer set by the event */
    bool removed;
};

struct aq_nemesis {
    struct aq_nemesis_config config;
    struct fault *faults;
    uint32_t count;
    uint32_t *silent; /* by server: faults in force that silence it */
    uint32_t awaited; /* bits 1 << enum aq_tap_kind that some fault waits for */
    struct aq_random random;
    bool healed;
};

int aq_nemesis_new(const struct aq_nemesis_config *config, struct aq_nemesis **out) {
    struct aq_nemesis *n = aq_alloc_zeroed(1, sizeof *n);
    if (!n) return AQ_ENOMEM;
    n->config = *config;
    n->count = config->scenario->fault_count;
    uint32_t capacity = config->fault_capacity > n->count ? config->fault_capacity : n->count;
    n->faults = aq_alloc_zeroed((size_t)capacity + 1, sizeof *n->faults);
    n->silent = aq_alloc_zeroed(config->scenario->servers.count, sizeof *n->silent);
    if (!n->faults || !n->silent) {
        aq_free(n->faults);
        aq_free(n->silent);
        aq_free(n);
        return AQ_ENOMEM;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        n->faults[i].spec = &config->scenario->faults[i];
        n->faults[i].receipt.first_us = AQ_TIME_NEVER;
    }
    aq_random_init(&n->random, config->seed, "nemesis", 0);
    *out = n;
    return 0;
}

static void close_rule(struct fault *f) {
    aq_index_set_close(&f->rule.clients);
    aq_index_set_close(&f->rule.servers);
}

void aq_nemesis_free(struct aq_nemesis *n) {
    if (!n) return;
    for (uint32_t i = 0; i < n->count; i++) {
        aq_free(n->faults[i].targets);
        close_rule(&n->faults[i]);
    }
    aq_free(n->faults);
    aq_free(n->silent);
    aq_free(n);
}

/* ---- targets ---- */

static int add_target(struct fault *f, uint32_t index) {
    int rc =
        aq_array_reserve(&f->targets, &f->target_capacity, (size_t)f->target_count + 1, sizeof *f->targets);
    if (rc) return rc;
    f->targets[f->target_count++] = index;
    return 0;
}

/* `wanted` distinct indexes below `total`, in rising order: each index is taken with the chance that keeps
   all subsets equally likely (Knuth, The Art of Computer Programming 2, algorithm S). */
static int draw_targets(struct aq_nemesis *n, struct fault *f, uint32_t wanted, uint32_t total) {
    for (uint32_t i = 0; i < total && wanted > 0; i++) {
        if (aq_random_below(&n->random, total - i) >= wanted) continue;
        int rc = add_target(f, i);
        if (rc) return rc;
        wanted--;
    }
    return 0;
}

static int select_targets(struct aq_nemesis *n, struct fault *f, const struct aq_selection *selection,
                          uint32_t total) {
    f->target_count = 0;
    if (!selection->given) return draw_targets(n, f, total, total);
    if (selection->random_count)
        return draw_targets(n, f, selection->random_count < total ? selection->random_count : total, total);
    if (selection->share > 0) return draw_targets(n, f, (uint32_t)(selection->share * total + 0.5), total);
    for (uint32_t i = 0; i < selection->index_count; i++) {
        int rc = add_target(f, selection->indexes[i]);
        if (rc) return rc;
    }
    return 0;
}

/* The set of a selection for a link rule; all stays a set without bits. Uses the fault's target list on the
 * way. */
static int select_set(struct aq_nemesis *n, struct fault *f, const struct aq_selection *selection,
                      uint32_t total, struct aq_index_set *set) {
    *set = (struct aq_index_set){0};
    if (!selection->given) return 0;
    int rc = select_targets(n, f, selection, total);
    if (!rc) rc = aq_index_set_init(set, total);
    for (uint32_t i = 0; !rc && i < f->target_count; i++)
        aq_index_set_add(set, f->targets[i]);
    return rc;
}

/* ---- what each kind does ---- */

/* The rule that a server fault puts in force. The fault's place in the list is its id. */
static struct aq_fault_rule server_rule(const struct aq_nemesis *n, const struct fault *f) {
    static const uint8_t kinds[AQ_FAULT_KIND_COUNT] = {
        [AQ_FAULT_PAUSE] = AQ_SERVER_FAULT_PAUSE,
        [AQ_FAULT_SLOW] = AQ_SERVER_FAULT_SLOW,
        [AQ_FAULT_ERROR_REPLY] = AQ_SERVER_FAULT_ERROR_REPLY,
        [AQ_FAULT_DROP_REQUEST] = AQ_SERVER_FAULT_DROP_REQUEST,
        [AQ_FAULT_DROP_REPLY] = AQ_SERVER_FAULT_DROP_REPLY,
        [AQ_FAULT_DUPLICATE_REPLY] = AQ_SERVER_FAULT_DUPLICATE_REPLY,
        [AQ_FAULT_CLOCK_JUMP] = AQ_SERVER_FAULT_CLOCK_JUMP,
        [AQ_FAULT_MALFORMED_REPLY] = AQ_SERVER_FAULT_MALFORMED_REPLY,
        [AQ_FAULT_TRUNCATED_REPLY] = AQ_SERVER_FAULT_TRUNCATED_REPLY,
        [AQ_FAULT_OVERSIZED_REPLY] = AQ_SERVER_FAULT_OVERSIZED_REPLY,
        [AQ_FAULT_EMPTY_REPLY] = AQ_SERVER_FAULT_EMPTY_REPLY,
        [AQ_FAULT_WRONG_ID_REPLY] = AQ_SERVER_FAULT_WRONG_ID_REPLY,
        [AQ_FAULT_STALLED_SWEEPS] = AQ_SERVER_FAULT_STALLED_SWEEPS,
        [AQ_FAULT_DISK_FULL] = AQ_SERVER_FAULT_DISK_FULL,
    };
    const struct aq_fault_spec *spec = f->spec;
    return (struct aq_fault_rule){.kind = kinds[spec->kind],
                                  .id = (uint32_t)(f - n->faults),
                                  .actions = spec->actions,
                                  .tube = aq_text_of(spec->tube),
                                  .probability = spec->probability,
                                  .nth = spec->nth,
                                  .factor = spec->factor,
                                  .jump_us = spec->jump_us,
                                  .error = aq_text_of(spec->error)};
}

static bool is_server_rule(enum aq_fault_kind kind) {
    return kind >= AQ_FAULT_PAUSE && kind <= AQ_FAULT_DISK_FULL;
}
static bool is_link_rule(enum aq_fault_kind kind) {
    return kind >= AQ_FAULT_LATENCY && kind <= AQ_FAULT_PARTITION;
}
static bool lasts(enum aq_fault_kind kind) {
    return kind == AQ_FAULT_CRASH || is_server_rule(kind) || is_link_rule(kind) || kind == AQ_FAULT_REFUSED ||
           kind == AQ_FAULT_CLIENT_CRASH || kind == AQ_FAULT_CLIENT_CLOCK_JUMP ||
           kind == AQ_FAULT_WORKER_OVERRUN || kind == AQ_FAULT_WORKER_REPEAT || kind == AQ_FAULT_POISON_JOB;
}

/* A fault that leaves the server connected but silent towards everyone: for the failover check it has
 * stopped. */
static bool silences(const struct aq_fault_spec *s) {
    bool all_messages = s->actions == 0 && !s->tube && s->probability >= 1 && s->nth == 0;
    if (s->kind == AQ_FAULT_PAUSE) return true;
    if (s->kind == AQ_FAULT_DROP_REQUEST || s->kind == AQ_FAULT_DROP_REPLY) return all_messages;
    return s->kind == AQ_FAULT_PARTITION && !s->clients.given;
}

static int observe_silence(struct aq_nemesis *n, uint32_t server, aq_time_us now_us, bool begins) {
    struct aq_observation seen = {.at_us = now_us,
                                  .kind = begins ? AQ_SEEN_SERVER_STOPPED : AQ_SEEN_SERVER_RESUMED,
                                  .server = server,
                                  .client = AQ_NOBODY,
                                  .caller = AQ_NOBODY};
    return n->config.observer.observe(n->config.observer.self, &seen);
}

static bool has_target(const struct fault *f, uint32_t target) {
    for (uint32_t i = 0; i < f->target_count; i++)
        if (f->targets[i] == target) return true;
    return false;
}

/* A server has stopped with the first fault that silences it, and goes on with the end of the last. The end
   of one of several is told as both: for a moment something may have come through, such as the answers of a
   paused server that cannot be asked. */
static int tell_silence(struct aq_nemesis *n, const struct fault *f, aq_time_us now_us, bool begins) {
    if (!silences(f->spec)) return 0;
    bool link = is_link_rule(f->spec->kind);
    for (uint32_t server = 0; server < n->config.scenario->servers.count; server++) {
        if (link ? !aq_index_set_has(&f->rule.servers, server) : !has_target(f, server)) continue;
        bool others = begins ? n->silent[server]++ > 0 : --n->silent[server] > 0;
        int rc = begins ? 0 : observe_silence(n, server, now_us, false);
        if (!rc && begins != others) rc = observe_silence(n, server, now_us, true);
        if (rc) return rc;
    }
    return 0;
}

static int strike_servers(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    int rc = select_targets(n, f, &f->spec->servers, n->config.scenario->servers.count);
    struct aq_fault_rule rule = server_rule(n, f);
    for (uint32_t i = 0; !rc && i < f->target_count; i++) {
        uint32_t server = f->targets[i];
        bool up = world->ops->server_is_up(world->self, server);
        if (f->spec->kind == AQ_FAULT_CRASH && up) {
            f->receipt.touched++;
            rc = world->ops->server_crash(world->self, server, f->spec->disk_lost);
        } else if (f->spec->kind == AQ_FAULT_RESTART && !up) {
            f->receipt.touched++;
            rc = world->ops->server_start(world->self, server);
        } else if (is_server_rule(f->spec->kind) && up) {
            rc = world->ops->server_fault(world->self, server, &rule);
        }
    }
    return rc;
}

static int strike_links(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    const struct aq_fault_spec *spec = f->spec;
    close_rule(f);
    f->rule = (struct aq_link_rule){.kind = spec->kind,
                                    .direction = spec->direction,
                                    .probability = spec->probability,
                                    .nth = spec->nth,
                                    .delay = spec->delay,
                                    .bytes_per_s = spec->bytes_per_s,
                                    .piece_bytes = spec->piece_bytes,
                                    .pause_us = spec->pause_us};
    int rc = select_set(n, f, &spec->servers, n->config.scenario->servers.count, &f->rule.servers);
    if (!rc) rc = select_set(n, f, &spec->clients, n->config.scenario->clients.count, &f->rule.clients);
    if (rc) return rc;
    if (spec->kind == AQ_FAULT_RESET || spec->kind == AQ_FAULT_HALF_OPEN)
        return world->ops->reset(world->self, &f->rule, spec->kind == AQ_FAULT_HALF_OPEN,
                                 &f->receipt.touched);
    return world->ops->link_fault(world->self, &f->rule);
}

static int strike_clients(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    int rc = select_targets(n, f, &f->spec->clients, n->config.scenario->clients.count);
    for (uint32_t i = 0; !rc && i < f->target_count; i++) {
        bool up = world->ops->client_is_up(world->self, f->targets[i]);
        f->receipt.touched += up;
        if (f->spec->kind == AQ_FAULT_CLIENT_CRASH)
            rc = up ? world->ops->client_crash(world->self, f->targets[i]) : 0;
        else /* the clock is the machine's: it outlives the process */
            rc = world->ops->client_clock(world->self, f->targets[i], f->spec->jump_us);
    }
    return rc;
}

static int strike_worker(struct aq_nemesis *n, struct fault *f, aq_time_us now_us, uint32_t worker) {
    bool touched = false;
    int rc = 0;
    switch (f->spec->kind) {
    case AQ_FAULT_WORKER_OVERRUN:
        aq_workload_process_factor(n->config.workload, worker, f->spec->factor);
        break;
    case AQ_FAULT_WORKER_REPEAT: aq_workload_repeat(n->config.workload, worker, true); break;
    case AQ_FAULT_HERD: rc = aq_workload_herd(n->config.workload, now_us, worker, &touched); break;
    default: rc = aq_workload_worker_crash(n->config.workload, now_us, worker, &touched);
    }
    f->receipt.touched += touched;
    return rc;
}

/* What the workload has counted so far of what a fault makes it do. */
static uint64_t done_by(const struct aq_nemesis *n, enum aq_fault_kind kind) {
    switch (kind) {
    case AQ_FAULT_WORKER_OVERRUN: return aq_workload_overruns(n->config.workload);
    case AQ_FAULT_WORKER_REPEAT: return aq_workload_repeats(n->config.workload);
    case AQ_FAULT_POISON_JOB: return aq_workload_poisoned(n->config.workload);
    case AQ_FAULT_BURST: return aq_workload_puts(n->config.workload);
    default: return 0;
    }
}

static int strike_workers(struct aq_nemesis *n, struct fault *f, aq_time_us now_us) {
    int rc = select_targets(n, f, &f->spec->workers, n->config.scenario->workers.count);
    for (uint32_t i = 0; !rc && i < f->target_count; i++)
        rc = strike_worker(n, f, now_us, f->targets[i]);
    return rc;
}

static int strike_load(struct aq_nemesis *n, struct fault *f, aq_time_us now_us) {
    if (f->spec->count == 0) {
        aq_workload_arrival_factor(n->config.workload, f->spec->factor);
        return 0;
    }
    uint64_t before = aq_workload_puts(n->config.workload);
    int rc = aq_workload_burst(n->config.workload, now_us, f->spec->count);
    f->receipt.touched += aq_workload_puts(n->config.workload) - before;
    return rc;
}

/* Tells what a client may use from now on, for the membership check. */
static int observe_told(struct aq_nemesis *n, aq_time_us now_us, uint32_t client, uint32_t address,
                        bool member) {
    struct aq_observation seen = {.at_us = now_us,
                                  .kind = AQ_SEEN_TOLD,
                                  .client = client,
                                  .caller = AQ_NOBODY,
                                  .server = address < n->config.scenario->servers.count ? address : AQ_NOBODY,
                                  .address = address,
                                  .member = member};
    return n->config.observer.observe(n->config.observer.self, &seen);
}

static bool in_list(const struct aq_fault_spec *spec, uint32_t address) {
    for (uint32_t i = 0; i < spec->server_list_count; i++)
        if (spec->server_list[i] == address) return true;
    return false;
}

static int tell_membership(struct aq_nemesis *n, const struct fault *f, aq_time_us now_us, uint32_t client) {
    const struct aq_fault_spec *spec = f->spec;
    if (spec->kind != AQ_FAULT_UPDATE_SERVERS)
        return observe_told(n, now_us, client, spec->server_list[0], spec->kind == AQ_FAULT_ADD_SERVER);
    int rc = 0;
    for (uint32_t a = 0; !rc && a < n->config.book->count; a++)
        rc = observe_told(n, now_us, client, a, in_list(spec, a));
    return rc;
}

/* "host:port,host:port" of the fault's list in memory that the caller frees. NULL when out of memory. */
static char *address_list(const struct aq_nemesis *n, const struct aq_fault_spec *spec) {
    size_t size = 1;
    for (uint32_t i = 0; i < spec->server_list_count; i++)
        size += strlen(n->config.book->items[spec->server_list[i]].text) + 1;
    char *list = aq_alloc(size);
    if (!list) return NULL;
    size_t used = 0;
    for (uint32_t i = 0; i < spec->server_list_count; i++)
        used += (size_t)snprintf(list + used, size - used, "%s%s", i ? "," : "",
                                 n->config.book->items[spec->server_list[i]].text);
    return list;
}

static int strike_membership(struct aq_nemesis *n, struct fault *f, aq_time_us now_us) {
    static const uint8_t actions[AQ_FAULT_KIND_COUNT] = {[AQ_FAULT_ADD_SERVER] = AQ_ACTION_ADD_SERVER,
                                                         [AQ_FAULT_UPDATE_SERVERS] = AQ_ACTION_UPDATE_SERVERS,
                                                         [AQ_FAULT_DRAIN] = AQ_ACTION_DRAIN};
    int rc = select_targets(n, f, &f->spec->clients, n->config.scenario->clients.count);
    char *list = rc ? NULL : address_list(n, f->spec);
    if (!list) return rc ? rc : AQ_ENOMEM;
    struct aq_request request = {
        .action = actions[f->spec->kind], .given = AQ_PARAM_ADDRESS, .address = aq_text_of(list)};
    for (uint32_t i = 0; !rc && i < f->target_count; i++) {
        uint32_t client = f->targets[i];
        if (!n->config.world.ops->client_is_up(n->config.world.self, client)) continue;
        f->receipt.touched++;
        rc = tell_membership(n, f, now_us, client);
        if (!rc) rc = aq_workload_tell(n->config.workload, now_us, client, &request);
    }
    aq_free(list);
    return rc;
}

static int strike_redirect(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    int rc = select_targets(n, f, &f->spec->servers, n->config.scenario->servers.count);
    for (uint32_t i = 0; !rc && i < f->target_count; i++) {
        rc = world->ops->server_redirect(world->self, f->targets[i], f->spec->server_list[0],
                                         &f->receipt.touched);
    }
    return rc;
}

static int strike_blank(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    int rc = select_targets(n, f, &f->spec->servers, n->config.scenario->servers.count);
    for (uint32_t i = 0; !rc && i < f->target_count; i++)
        rc = world->ops->server_blank(world->self, f->targets[i], &f->receipt.touched);
    return rc;
}

static int carry_out(struct aq_nemesis *n, struct fault *f, aq_time_us now_us) {
    f->done_before = done_by(n, f->spec->kind);
    switch (f->spec->kind) {
    case AQ_FAULT_LATENCY:
    case AQ_FAULT_JITTER:
    case AQ_FAULT_LOSS:
    case AQ_FAULT_BANDWIDTH:
    case AQ_FAULT_CHOP:
    case AQ_FAULT_CORRUPT:
    case AQ_FAULT_SLOW_CLOSE:
    case AQ_FAULT_PARTITION:
    case AQ_FAULT_RESET:
    case AQ_FAULT_REFUSED:
    case AQ_FAULT_HALF_OPEN: return strike_links(n, f);
    case AQ_FAULT_CLIENT_CRASH:
    case AQ_FAULT_CLIENT_CLOCK_JUMP: return strike_clients(n, f);
    case AQ_FAULT_POISON_JOB: aq_workload_poison(n->config.workload, f->spec->probability); return 0;
    case AQ_FAULT_WORKER_CRASH:
    case AQ_FAULT_WORKER_REPEAT:
    case AQ_FAULT_HERD:
    case AQ_FAULT_WORKER_OVERRUN: return strike_workers(n, f, now_us);
    case AQ_FAULT_BURST: return strike_load(n, f, now_us);
    case AQ_FAULT_ADD_SERVER:
    case AQ_FAULT_UPDATE_SERVERS:
    case AQ_FAULT_DRAIN: return strike_membership(n, f, now_us);
    case AQ_FAULT_REDIRECT: return strike_redirect(n, f);
    case AQ_FAULT_BLANK_REQUEST: return strike_blank(n, f);
    default: return strike_servers(n, f);
    }
}

/* Ends a fault in force and takes its receipts. */
static int lift(struct aq_nemesis *n, struct fault *f) {
    const struct aq_world *world = &n->config.world;
    enum aq_fault_kind kind = f->spec->kind;
    int rc = 0;
    if (is_link_rule(kind) || kind == AQ_FAULT_REFUSED) {
        f->receipt.touched += f->rule.touched;
        rc = world->ops->link_heal(world->self, &f->rule);
    }
    f->receipt.touched += done_by(n, kind) - f->done_before;
    if (kind == AQ_FAULT_BURST) aq_workload_arrival_factor(n->config.workload, 1);
    if (kind == AQ_FAULT_POISON_JOB) aq_workload_poison(n->config.workload, 0);
    for (uint32_t i = 0; !rc && i < f->target_count; i++) {
        uint32_t target = f->targets[i];
        if (kind == AQ_FAULT_CRASH && !world->ops->server_is_up(world->self, target))
            rc = world->ops->server_start(world->self, target);
        if (kind == AQ_FAULT_CLIENT_CRASH && !world->ops->client_is_up(world->self, target))
            rc = world->ops->client_start(world->self, target);
        if (is_server_rule(kind))
            rc = world->ops->server_heal(world->self, target, (uint32_t)(f - n->faults), &f->receipt.touched);
        if (kind == AQ_FAULT_CLIENT_CLOCK_JUMP)
            rc = world->ops->client_clock(world->self, target, -f->spec->jump_us);
        if (kind == AQ_FAULT_WORKER_OVERRUN) aq_workload_process_factor(n->config.workload, target, 1);
        if (kind == AQ_FAULT_WORKER_REPEAT) aq_workload_repeat(n->config.workload, target, false);
    }
    return rc;
}

/* ---- when ---- */

static int set_timer(struct aq_nemesis *n, enum aq_timer_kind kind, const struct fault *f, aq_time_us at_us) {
    uint64_t ticket;
    if (at_us == AQ_TIME_NEVER) return 0;
    return n->config.world.ops->set_timer(n->config.world.self, kind, (uint32_t)(f - n->faults), at_us,
                                          &ticket);
}

static int arm(struct aq_nemesis *n, struct fault *f, aq_time_us now_us) {
    f->armed = f->spec->on_event;
    if (f->armed) n->awaited |= 1u << f->spec->on;
    return f->armed ? 0 : set_timer(n, AQ_TIMER_STRIKE, f, aq_time_after(now_us, f->spec->at_us));
}

int aq_nemesis_start(struct aq_nemesis *n, aq_time_us now_us) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < n->count; i++)
        rc = arm(n, &n->faults[i], now_us);
    return rc;
}

int aq_nemesis_add(struct aq_nemesis *n, aq_time_us now_us) {
    if (n->healed) return 0;
    AQ_ASSERT(n->count < n->config.fault_capacity);
    struct fault *f = &n->faults[n->count];
    *f = (struct fault){.spec = &n->config.scenario->faults[n->count]};
    f->receipt.first_us = AQ_TIME_NEVER;
    uint32_t index = n->count++;
    bool now = !f->spec->on_event && f->spec->at_us == 0;
    return now ? aq_nemesis_strike(n, now_us, index) : arm(n, f, now_us);
}

static int observe_fault(struct aq_nemesis *n, const struct fault *f, aq_time_us now_us,
                         enum aq_seen_kind kind) {
    struct aq_observation seen = {.at_us = now_us,
                                  .kind = kind,
                                  .fault = (uint32_t)(f - n->faults),
                                  .server = AQ_NOBODY,
                                  .client = AQ_NOBODY,
                                  .caller = AQ_NOBODY};
    return n->config.observer.observe(n->config.observer.self, &seen);
}

static bool is_lasting(const struct fault *f) {
    return lasts(f->spec->kind) || (f->spec->kind == AQ_FAULT_BURST && f->spec->count == 0);
}

int aq_nemesis_strike(struct aq_nemesis *n, aq_time_us now_us, uint32_t index) {
    struct fault *f = &n->faults[index];
    const struct aq_fault_spec *spec = f->spec;
    if (n->healed || f->removed) return 0;
    if (f->in_force) return set_timer(n, AQ_TIMER_STRIKE, f, aq_time_after(now_us, spec->every_us));
    f->in_force = is_lasting(f);
    f->receipt.strikes++;
    if (f->receipt.first_us == AQ_TIME_NEVER) f->receipt.first_us = now_us;
    f->receipt.until_us = f->in_force ? AQ_TIME_NEVER : now_us;
    int rc = observe_fault(n, f, now_us, AQ_SEEN_FAULT);
    if (!rc) rc = carry_out(n, f, now_us);
    if (!rc) rc = tell_silence(n, f, now_us, true);
    if (!rc && !f->in_force) rc = observe_fault(n, f, now_us, AQ_SEEN_FAULT_END);
    if (!rc && f->in_force) rc = set_timer(n, AQ_TIMER_FAULT_END, f, aq_time_after(now_us, spec->for_us));
    bool again = spec->every_us != AQ_TIME_NEVER && (spec->times == 0 || f->receipt.strikes < spec->times);
    if (!rc && again) rc = set_timer(n, AQ_TIMER_STRIKE, f, aq_time_after(now_us, spec->every_us));
    return rc;
}

int aq_nemesis_fault_end(struct aq_nemesis *n, aq_time_us now_us, uint32_t index) {
    struct fault *f = &n->faults[index];
    if (!f->in_force) return 0;
    f->in_force = false;
    f->receipt.until_us = now_us;
    int rc = lift(n, f);
    if (!rc) rc = tell_silence(n, f, now_us, false);
    if (!rc) rc = observe_fault(n, f, now_us, AQ_SEEN_FAULT_END);
    return rc;
}

int aq_nemesis_tap(struct aq_nemesis *n, aq_time_us now_us, enum aq_tap_kind kind) {
    if (!(n->awaited >> kind & 1)) return 0;
    bool others = false;
    for (uint32_t i = 0; i < n->count; i++) {
        struct fault *f = &n->faults[i];
        if (!f->armed || f->removed || f->spec->on != kind) continue;
        if (now_us < f->spec->at_us) {
            others = true;
            continue;
        }
        f->armed = false;
        int rc = set_timer(n, AQ_TIMER_STRIKE, f, now_us);
        if (rc) return rc;
    }
    if (!others) n->awaited &= ~(1u << kind);
    return 0;
}

static void drop_target(struct fault *f, uint32_t target) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->target_count; i++)
        if (f->targets[i] != target) f->targets[kept++] = f->targets[i];
    f->target_count = kept;
}

uint32_t aq_nemesis_room(const struct aq_nemesis *n) {
    return n->config.fault_capacity > n->count ? n->config.fault_capacity - n->count : 0;
}

int aq_nemesis_remove(struct aq_nemesis *n, aq_time_us now_us, uint32_t index) {
    n->faults[index].removed = true;
    return aq_nemesis_fault_end(n, now_us, index);
}

int aq_nemesis_restart(struct aq_nemesis *n, aq_time_us now_us, uint32_t server) {
    const struct aq_world *world = &n->config.world;
    for (uint32_t i = 0; i < n->count; i++) {
        struct fault *f = &n->faults[i];
        if (!f->in_force || f->spec->kind != AQ_FAULT_CRASH || !has_target(f, server)) continue;
        drop_target(f, server);
        int rc = f->target_count ? 0 : aq_nemesis_fault_end(n, now_us, i);
        if (rc) return rc;
    }
    return world->ops->server_is_up(world->self, server) ? 0 : world->ops->server_start(world->self, server);
}

int aq_nemesis_server_started(struct aq_nemesis *n, aq_time_us now_us, uint32_t server) {
    for (uint32_t i = 0; i < n->count; i++) {
        struct fault *f = &n->faults[i];
        if (!f->in_force || !is_server_rule(f->spec->kind) || !has_target(f, server)) continue;
        if (f->spec->kind == AQ_FAULT_PAUSE) { /* it ended with the process that was paused */
            drop_target(f, server);
            n->silent[server]--;
            continue;
        }
        struct aq_fault_rule rule = server_rule(n, f);
        int rc = n->config.world.ops->server_fault(n->config.world.self, server, &rule);
        if (rc) return rc;
    }
    return n->silent[server] ? observe_silence(n, server, now_us, true) : 0;
}

int aq_nemesis_server_ending(struct aq_nemesis *n, uint32_t server) {
    for (uint32_t i = 0; i < n->count; i++) {
        struct fault *f = &n->faults[i];
        if (!f->in_force || !is_server_rule(f->spec->kind) || !has_target(f, server)) continue;
        int rc = n->config.world.ops->server_heal(n->config.world.self, server, i, &f->receipt.touched);
        if (rc) return rc;
    }
    return 0;
}

int aq_nemesis_heal(struct aq_nemesis *n, aq_time_us now_us) {
    n->healed = true;
    for (uint32_t i = 0; i < n->count; i++) {
        int rc = aq_nemesis_fault_end(n, now_us, i);
        if (rc) return rc;
    }
    return 0;
}

void aq_nemesis_describe(const struct aq_nemesis *n, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < n->count && used + 1 < size; i++)
        if (n->faults[i].in_force)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used ? "+" : "", n->faults[i].spec->name);
}

struct aq_receipt aq_nemesis_receipt(const struct aq_nemesis *n, uint32_t fault) {
    return n->faults[fault].receipt;
}

bool aq_nemesis_is_in_force(const struct aq_nemesis *n, uint32_t fault) {
    return n->faults[fault].in_force;
}

bool aq_nemesis_is_alive(const struct aq_nemesis *n, uint32_t fault) {
    const struct fault *f = &n->faults[fault];
    const struct aq_fault_spec *spec = f->spec;
    if (f->in_force) return true;
    if (f->removed || n->healed) return false;
    if (f->receipt.strikes == 0) return true;
    return spec->every_us != AQ_TIME_NEVER && (spec->times == 0 || f->receipt.strikes < spec->times);
}
