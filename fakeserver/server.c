/* The server's life, its queue and its service; what requests do is in the actions. */
#include "fakeserver/server.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"

#define TUBE_EXPIRE_US (3600 * AQ_US_PER_S) /* AllQueue's default */
#define SERVICE_MAX_US 1e18                 /* longer than any run; so that sums with times never wrap */

static aq_server_action *const actions[AQ_ACTION_COUNT] = {
    [AQ_ACTION_PUT] = aq_server_put,
    [AQ_ACTION_GET] = aq_server_get,
    [AQ_ACTION_GET_MULTIPLE] = aq_server_get,
    [AQ_ACTION_DONE] = aq_server_done,
    [AQ_ACTION_DELETE] = aq_server_delete,
    [AQ_ACTION_TOUCH] = aq_server_touch,
    [AQ_ACTION_RELEASE] = aq_server_release,
    [AQ_ACTION_BURY] = aq_server_bury,
    [AQ_ACTION_KICK] = aq_server_kick,
    [AQ_ACTION_PEEK] = aq_server_peek,
    [AQ_ACTION_CLEAR] = aq_server_clear,
    [AQ_ACTION_STATS] = aq_server_stats,
    [AQ_ACTION_PAUSE] = aq_server_pause,
    [AQ_ACTION_UNPAUSE] = aq_server_unpause,
    [AQ_ACTION_THROTTLE] = aq_server_set_throttle,
    [AQ_ACTION_SET_PARENT_JOB] = aq_server_set_parent_job,
    [AQ_ACTION_SET_CHILDREN_STARTED] = aq_server_set_children_started,
    [AQ_ACTION_ADMIN] = aq_server_admin,
    [AQ_ACTION_PING] = aq_server_ping,
    [AQ_ACTION_VERSION] = aq_server_version,
    [AQ_ACTION_DRAIN] = aq_server_unknown,
    [AQ_ACTION_ADD_SERVER] = aq_server_unknown,
    [AQ_ACTION_UPDATE_SERVERS] = aq_server_unknown,
};

int aq_server_new(const struct aq_server_config *config, struct aq_server **out) {
    struct aq_server *server = aq_alloc_zeroed(1, sizeof *server);
    if (!server) return AQ_ENOMEM;
    server->policy = config->policy;
    server->service = config->service;
    server->persistent = config->persistent;
    server->taps = config->taps;
    server->default_ttl_s = config->default_ttl_s;
    server->fair = config->fair;
    server->tube_expire_us = config->tube_expire_us ? config->tube_expire_us : TUBE_EXPIRE_US;
    server->queue_max = config->queue_max;
    server->clock_offset_us = config->clock_offset_us;
    server->random = config->random;
    server->parents.first_free = server->last_fair = AQ_NO_INDEX;
    aq_slab_init(&server->slab);
    *out = server;
    return 0;
}

void aq_server_free(struct aq_server *server) {
    if (!server) return;
    aq_slab_close(&server->slab);
    aq_tubes_close(&server->tubes);
    aq_deadlines_close(&server->leases);
    aq_deadlines_close(&server->delays);
    aq_deadlines_close(&server->timeouts);
    aq_free(server->parents.items);
    aq_arena_close(&server->held_texts[0]);
    aq_arena_close(&server->held_texts[1]);
    aq_free(server->queue);
    aq_free(server->rules);
    aq_free(server->redirect_host);
    aq_free(server);
}

/* ---- rules in force ---- */

/* The tube that a rule is compared with: the one that is named, for a completion the one of its job. */
static struct aq_text tube_of_request(const struct aq_server *server, const struct aq_request *request) {
    if (!request) return (struct aq_text){0};
    if (!aq_action_is_completion(request->action)) return request->tube;
    uint32_t slot = aq_slab_find(&server->slab, request->job_id);
    if (slot == AQ_NO_INDEX) return request->tube;
    return aq_server_tube_of(server, aq_slab_at(&server->slab, slot))->name;
}

const struct aq_fault_rule *aq_server_acting(struct aq_server *server, enum aq_server_fault_kind kind) {
    const struct aq_request *request = server->current.request;
    enum aq_action action = request ? (enum aq_action)request->action : AQ_ACTION_COUNT;
    for (uint32_t i = 0; i < server->rule_count; i++) {
        struct aq_fault_rule *rule = &server->rules[i];
        if (rule->kind != kind) continue;
        if (aq_fault_decide(rule, action, tube_of_request(server, request), &server->random)) return rule;
    }
    return NULL;
}

/* The product of all SLOW rules that act on the current request. */
static double slow_factor(struct aq_server *server) {
    const struct aq_request *request = server->current.request;
    enum aq_action action = request ? (enum aq_action)request->action : AQ_ACTION_COUNT;
    double factor = 1;
    for (uint32_t i = 0; i < server->rule_count; i++) {
        struct aq_fault_rule *rule = &server->rules[i];
        if (rule->kind != AQ_SERVER_FAULT_SLOW) continue;
        if (aq_fault_decide(rule, action, tube_of_request(server, request), &server->random))
            factor *= rule->factor;
    }
    return factor;
}

static uint32_t rule_place(const struct aq_server *server, uint32_t id) {
    uint32_t place = 0;
    while (place < server->rule_count && server->rules[place].id < id)
        place++;
    return place;
}

static void take_out_of_force(struct aq_server *server, uint32_t id) {
    uint32_t place = rule_place(server, id);
    if (place == server->rule_count || server->rules[place].id != id) return;
    struct aq_fault_rule rule = server->rules[place];
    server->rule_count--;
    memmove(&server->rules[place], &server->rules[place + 1], (server->rule_count - place) * sizeof rule);
    if (rule.kind == AQ_SERVER_FAULT_CLOCK_JUMP) server->clock_offset_us -= rule.jump_us;
    if (rule.kind == AQ_SERVER_FAULT_STALLED_SWEEPS) server->stalls--;
    if (rule.kind == AQ_SERVER_FAULT_DISK_FULL) server->disks_full--;
    if (rule.kind == AQ_SERVER_FAULT_PAUSE && --server->pauses == 0 && server->serving)
        server->service_end_us = aq_time_after(server->service_end_us, server->now_us - server->paused_at_us);
}

static void put_in_force(struct aq_server *server, const struct aq_fault_rule *rule) {
    take_out_of_force(server, rule->id);
    int rc = aq_array_reserve(&server->rules, &server->rule_capacity, (size_t)server->rule_count + 1,
                              sizeof *rule);
    if (rc) {
        aq_server_fail(server, rc);
        return;
    }
    uint32_t place = rule_place(server, rule->id);
    memmove(&server->rules[place + 1], &server->rules[place], (server->rule_count - place) * sizeof *rule);
    server->rules[place] = *rule;
    server->rule_count++;
    struct aq_fault_rule *kept = &server->rules[place];
    if (kept->kind == AQ_SERVER_FAULT_CLOCK_JUMP) server->clock_offset_us += kept->jump_us;
    if (kept->kind == AQ_SERVER_FAULT_PAUSE && server->pauses++ == 0) server->paused_at_us = server->now_us;
    if (kept->kind == AQ_SERVER_FAULT_STALLED_SWEEPS) server->stalls++;
    if (kept->kind == AQ_SERVER_FAULT_DISK_FULL) server->disks_full++;
    if (kept->kind == AQ_SERVER_FAULT_CLOCK_JUMP || kept->kind == AQ_SERVER_FAULT_PAUSE ||
        kept->kind == AQ_SERVER_FAULT_STALLED_SWEEPS) {
        kept->matched++;
        kept->touched++;
    }
}

/* ---- queue ---- */

static void finish(struct aq_server *server, uint32_t token) {
    aq_server_tell(server, AQ_SERVER_FINISHED)->token = token;
}

static void grow_queue(struct aq_server *server) {
    uint32_t capacity = server->queue_capacity ? server->queue_capacity * 2 : 8;
    struct aq_pending *queue = capacity ? aq_alloc(capacity * sizeof *queue) : NULL;
    if (!queue) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < server->queue_count; i++)
        queue[i] = server->queue[(server->queue_first + i) & (server->queue_capacity - 1)];
    aq_free(server->queue);
    server->queue = queue;
    server->queue_capacity = capacity;
    server->queue_first = 0;
}

static bool idle(const struct aq_server *server) {
    return !server->serving && !server->holding && !server->saving && !server->pauses && !server->queue_count;
}

static void arrive(struct aq_server *server, const struct aq_server_event *event) {
    AQ_ASSERT(!event->request || event->request->action < AQ_ACTION_COUNT);
    server->requests++;
    if (server->queue_count >= server->queue_max && !idle(server)) {
        server->dropped++;
        finish(server, event->token);
        return;
    }
    if (server->queue_count == server->queue_capacity) grow_queue(server);
    if (server->rc) return;
    server->queue[(server->queue_first + server->queue_count++) & (server->queue_capacity - 1)] =
        (struct aq_pending){
            .peer = event->peer,
            .correlation = event->correlation,
            .token = event->token,
            .request = event->request,
            .malformed = event->malformed,
        };
}

/* ---- service ---- */

static aq_time_us draw_service_us(struct aq_server *server) {
    const struct aq_request *request = server->current.request;
    enum aq_action action = request ? (enum aq_action)request->action : AQ_ACTION_PING;
    aq_time_us span_us = aq_distribution_draw(&server->service->by_action[action], &server->random);
    if (!server->rule_count) return span_us;
    double us = (double)span_us * slow_factor(server);
    return us < SERVICE_MAX_US ? (aq_time_us)(us + 0.5) : (aq_time_us)SERVICE_MAX_US;
}

static void start(struct aq_server *server) {
    server->current = server->queue[server->queue_first];
    server->queue_first = (server->queue_first + 1) & (server->queue_capacity - 1);
    server->queue_count--;
    if (server->wedged || (server->rule_count && aq_server_acting(server, AQ_SERVER_FAULT_DROP_REQUEST))) {
        finish(server, server->current.token);
        return;
    }
    server->service_us = draw_service_us(server);
    server->service_end_us = aq_time_after(server->now_us, server->service_us);
    server->serving = true;
}

static void answer(struct aq_server *server, const struct aq_reply *reply, uint32_t copies) {
    while (copies-- > 0) {
        struct aq_server_effect *effect = aq_server_tell(server, AQ_SERVER_REPLY);
        effect->peer = server->current.peer;
        effect->correlation = server->current.correlation;
        effect->reply = *reply;
    }
    finish(server, server->current.token);
}

static void apply_malformed(struct aq_server *server, struct aq_reply *reply, uint32_t *copies) {
    struct aq_text text = server->current.malformed;
    if (server->policy->blank_request_wedges && aq_text_is(text, AQ_MALFORMED_BLANK)) {
        server->wedged = true;
        *copies = 0;
        return;
    }
    aq_server_refuse(server, NULL, reply, text);
}

static void apply(struct aq_server *server, struct aq_reply *reply, uint32_t *copies) {
    const struct aq_request *request = server->current.request;
    const struct aq_fault_rule *error = NULL;
    if (server->rule_count) {
        error = aq_server_acting(server, AQ_SERVER_FAULT_ERROR_REPLY);
        if (aq_server_acting(server, AQ_SERVER_FAULT_DUPLICATE_REPLY)) *copies = 2;
        if (aq_server_acting(server, AQ_SERVER_FAULT_DROP_REPLY)) *copies = 0;
    }
    if (error) {
        aq_server_refuse(server, request, reply, error->error.len ? error->error : AQ_TEXT("injected"));
    } else if (!request) {
        apply_malformed(server, reply, copies);
    } else if (!aq_redirect_breaks(server, request, reply)) {
        bool redirected = server->redirected;
        server->actions++;
        actions[request->action](server, request, reply);
        bool twice = redirected && server->policy->redirect_double_encodes;
        if (twice && request->action != AQ_ACTION_GET && reply->kind != AQ_REPLY_ERROR)
            reply->damage |= AQ_DAMAGE_QUOTED;
    }
    if (server->policy->counts_characters && aq_damage_has_wide(reply)) reply->damage |= AQ_DAMAGE_CUT;
    if (server->rule_count) aq_damage_by_faults(server, reply);
}

static void complete(struct aq_server *server) {
    const struct aq_request *request = server->current.request;
    struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = request ? request->action : AQ_ACTION_PING};
    uint32_t copies = 1;
    server->serving = false;
    server->busy_us += server->service_us;
    apply(server, &reply, &copies);
    if (server->writes == 0) {
        answer(server, &reply, copies);
        return;
    }
    server->held = reply;
    server->held_copies = copies;
    server->holding = server->saving = true;
}

/* What this reply points to lasts until the next step; what comes after it in this step must not be freed
 * with it. */
static void answer_held(struct aq_server *server) {
    server->holding = false;
    answer(server, &server->held, server->held_copies);
    server->generation ^= 1;
}

/* Does all that can be done now: a saved reply first, then what the sweeps find, then service. */
static void advance(struct aq_server *server) {
    while (!server->pauses && !server->saving && !server->rc) {
        if (server->holding) answer_held(server);
        if (!server->wedged) {
            aq_server_sweep(server);
            if (server->writes) {
                server->saving = true;
                return;
            }
        }
        if (server->serving) {
            if (server->now_us < server->service_end_us) return;
            complete(server);
        } else {
            if (server->queue_count == 0) return;
            start(server);
        }
    }
}

/* ---- steps ---- */

static void free_generation(struct aq_server *server, uint32_t generation) {
    aq_slab_bury_dead(&server->slab, generation);
    aq_arena_reset(&server->held_texts[generation]);
}

static void begin(struct aq_server *server, aq_time_us now_us, struct aq_server_effects *effects) {
    AQ_ASSERT(!server->stepping);
    AQ_ASSERT(!server->started || now_us >= server->now_us);
    server->stepping = true;
    server->now_us = now_us;
    if (!server->started) {
        server->start_us = server->swept_us = now_us;
        server->reap_us = server->policy->reaper_ignores_delayed ? now_us + AQ_REAP_PERIOD_US : AQ_TIME_NEVER;
    }
    server->started = true;
    server->rc = 0;
    server->writes = 0;
    server->effects = effects;
    effects->count = 0;
    aq_arena_reset(&effects->texts);
    free_generation(server, server->generation ^ 1);
    if (!server->holding) free_generation(server, server->generation);
}

static void handle(struct aq_server *server, const struct aq_server_event *event) {
    server->restoring = event->kind == AQ_SERVER_RESTORE;
    switch (event->kind) {
    case AQ_SERVER_REQUEST: arrive(server, event); break;
    case AQ_SERVER_SAVED: server->saving = false; break;
    case AQ_SERVER_RESTORE: {
        int rc = aq_server_restore(server, event->record);
        if (rc) aq_server_fail(server, rc);
        break;
    }
    case AQ_SERVER_FAULT: put_in_force(server, event->rule); break;
    case AQ_SERVER_HEAL: take_out_of_force(server, event->rule_id); break;
    case AQ_SERVER_WAKE: break;
    }
}

int aq_server_step(struct aq_server *server, aq_time_us now_us, const struct aq_server_event *event,
                   struct aq_server_effects *effects) {
    begin(server, now_us, effects);
    /* What was due before the event comes first. But a restart loads everything before it does anything, and
       until SAVED nothing is due. */
    if (event->kind != AQ_SERVER_RESTORE && event->kind != AQ_SERVER_SAVED) advance(server);
    if (!server->rc) handle(server, event);
    bool changed = event->kind != AQ_SERVER_RESTORE && event->kind != AQ_SERVER_WAKE;
    if (changed && !server->rc) advance(server);
    server->effects = NULL;
    server->stepping = false;
    return server->rc;
}

aq_time_us aq_server_next_wake(const struct aq_server *server) {
    if (server->pauses || server->saving) return AQ_TIME_NEVER;
    aq_time_us wake_us = server->serving ? server->service_end_us : AQ_TIME_NEVER;
    if (!server->wedged) wake_us = aq_time_min(wake_us, aq_server_next_sweep(server));
    return wake_us < server->now_us ? server->now_us : wake_us; /* a restored lease may be over long since */
}

/* ---- looking in ---- */

struct aq_server_counters aq_server_counters(const struct aq_server *server) {
    struct aq_server_counters counters = {
        .requests = server->requests,
        .dropped = server->dropped,
        .queue = server->queue_count + (server->serving || server->holding),
        .busy_us = server->busy_us,
    };
    memcpy(counters.jobs, server->jobs, sizeof counters.jobs);
    return counters;
}

const struct aq_fault_rule *aq_server_rule(const struct aq_server *server, uint32_t rule_id) {
    uint32_t place = rule_place(server, rule_id);
    return place < server->rule_count && server->rules[place].id == rule_id ? &server->rules[place] : NULL;
}

void aq_server_each_job(const struct aq_server *server,
                        void (*visit)(void *arg, const struct aq_job_record *record), void *arg) {
    for (uint32_t slot = 0; slot < server->slab.slots; slot++) {
        const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
        if (job->state == AQ_JOB_FREE) continue;
        struct aq_job_record record = aq_server_record(server, job);
        visit(arg, &record);
    }
}
