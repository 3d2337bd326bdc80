/* What acts on tubes and on the server: kick, clear, stats, pause, throttle, admin, ping, version, and what
 * is not known. */
#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"

/* The version that an AllQueue server reports is that of its image; this is the release whose behaviour is
 * modelled. */
#define VERSION "0.1.4"

void aq_server_refuse(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply,
                      struct aq_text error) {
    *reply = (struct aq_reply){.kind = AQ_REPLY_ERROR, .action = reply->action, .error = error};
    struct aq_text none = {0};
    aq_server_tap_request(server, AQ_TAP_FAILED, request ? request->job_id : none,
                          request ? request->tube : none);
}

bool aq_server_lacks(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply,
                     enum aq_param param, const char *name) {
    if (request->given & param) return false;
    aq_server_refuse(server, request, reply,
                     aq_server_text(server, "Missing hash key: \"", aq_text_of(name), "\""));
    return true;
}

/* Which buried job a kick takes: the oldest of the tube, or the one that is named. */
static uint32_t job_to_kick(struct aq_server *server, const struct aq_request *request, bool named) {
    if (named) {
        uint32_t slot = aq_slab_find(&server->slab, request->job_id);
        if (slot == AQ_NO_INDEX) return slot;
        return aq_slab_at(&server->slab, slot)->state == AQ_JOB_BURIED ? slot : AQ_NO_INDEX;
    }
    struct aq_tube *tube = aq_server_tube(server, request->tube, false);
    if (!tube) return AQ_NO_INDEX;
    uint32_t slot = tube->lists[AQ_LIST_BURIED].first;
    bool deeper = slot == AQ_NO_INDEX && aq_fair_reaches_shards(server, tube);
    for (uint32_t i = 0; deeper && i < tube->shards->count && slot == AQ_NO_INDEX; i++)
        if (tube->shards->tubes[i] != AQ_NO_INDEX)
            slot = server->tubes.items[tube->shards->tubes[i]].lists[AQ_LIST_BURIED].first;
    return slot;
}

void aq_server_kick(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    bool named = request->given & AQ_PARAM_JOB_ID && !server->policy->kick_ignores_job_id;
    if (!named && aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    uint32_t slot = job_to_kick(server, request, named);
    if (slot == AQ_NO_INDEX) {
        if (!named) return;
        reply->has_job_id = reply->has_error = true;
        reply->job_id = request->job_id;
        reply->error = aq_server_text(server, "Couldn't find job job_id = ", request->job_id, " to kick");
        aq_server_tap_request(server, AQ_TAP_MISSED, request->job_id, request->tube);
        return;
    }
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    if (!server->policy->kick_keeps_counts) job->expireds = job->releases = 0;
    bool lost = server->policy->priority_lost_on_expiry;
    aq_server_move(server, slot, AQ_JOB_READY, lost ? AQ_PRIORITY_DEFAULT : job->priority);
    aq_server_save(server, job, AQ_JOB_BURIED, AQ_SAVE_REMOVE_FIRST);
    aq_server_tap(server, AQ_TAP_KICKED, job, AQ_JOB_BURIED, true);
    reply->has_job_id = true;
    reply->job_id = aq_job_id(job);
}

static void clear_job(struct aq_server *server, uint32_t slot) {
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    bool held = job->state == AQ_JOB_RESERVED;
    if (held) aq_server_note_unfinished(server, job);
    aq_server_unsave(server, job);
    aq_server_tap(server, AQ_TAP_CLEARED, job, job->state, true);
    uint64_t parent = held && server->policy->child_counts_on_expiry ? job->parent : 0, hash = job->hash;
    aq_server_remove(server, slot);
    aq_workflow_child_over(server, parent, hash, AQ_TAP_CLEARED);
}

static void unsave_list(struct aq_server *server, const struct aq_job_list *list) {
    for (uint32_t slot = list->first; slot != AQ_NO_INDEX; slot = aq_slab_at(&server->slab, slot)->next)
        aq_server_unsave(server, aq_slab_at(&server->slab, slot));
}

/* Files that AllQueue removes although their jobs stay: those of ready jobs that pause or throttle have kept,
 * and of all that is reserved anywhere. */
static void unsave_others(struct aq_server *server, const struct aq_tube *tube) {
    if (!server->policy->clear_unsaves_others || !server->persistent) return;
    for (uint32_t bucket = 0; bucket < AQ_PRIORITY_BUCKETS; bucket++)
        unsave_list(server, &tube->lists[bucket]);
    for (uint32_t i = 0; i < server->tubes.count; i++)
        if (&server->tubes.items[i] != tube)
            unsave_list(server, &server->tubes.items[i].lists[AQ_LIST_RESERVED]);
}

static void clear_tube(struct aq_server *server, struct aq_tube *tube) {
    bool as_get = server->policy->clear_through_get;
    while (tube->ready_buckets && !server->rc && (!as_get || aq_server_may_get(server, tube)))
        clear_job(server, aq_tube_first_ready(tube));
    unsave_others(server, tube);
    static const uint8_t others[] = {AQ_LIST_DELAYED, AQ_LIST_RESERVED, AQ_LIST_BURIED, AQ_LIST_PARENT};
    for (size_t i = 0; i < sizeof others; i++)
        while (tube->lists[others[i]].first != AQ_NO_INDEX && !server->rc)
            clear_job(server, tube->lists[others[i]].first);
}

void aq_server_clear(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    (void)reply;
    if (!(request->given & AQ_PARAM_TUBE)) return;
    bool makes = server->policy->looking_makes_tube;
    struct aq_tube *tube = aq_server_tube(server, request->tube, makes);
    if (!tube) return;
    if (makes) aq_server_make_tube(server, tube);
    clear_tube(server, tube);
    if (!aq_fair_reaches_shards(server, tube)) return;
    for (uint32_t i = 0; i < tube->shards->count; i++)
        if (tube->shards->tubes[i] != AQ_NO_INDEX)
            clear_tube(server, &server->tubes.items[tube->shards->tubes[i]]);
}

static struct aq_tube_stats stats_of(const struct aq_server *server, const struct aq_tube *tube) {
    return (struct aq_tube_stats){.tube = tube->name,
                                  .ready = tube->jobs[AQ_JOB_READY],
                                  .delayed = tube->jobs[AQ_JOB_DELAYED],
                                  .reserved = tube->jobs[AQ_JOB_RESERVED],
                                  .buried = tube->jobs[AQ_JOB_BURIED],
                                  .parents = tube->jobs[AQ_JOB_PARENT],
                                  .throttle_size = tube->throttle.size,
                                  .has_throttle = tube->throttle.size != 0,
                                  .avg_s = aq_finished_mean_s(&tube->finished),
                                  .tps = aq_finished_per_s(&tube->finished, server->now_us)};
}

/* Adds the figures of a shard to those of its queue; the mean counts each by what it is made of. */
static void add_shard(const struct aq_server *server, struct aq_tube_stats *sum, uint32_t sum_count,
                      const struct aq_tube *shard) {
    struct aq_tube_stats more = stats_of(server, shard);
    uint32_t count = sum_count + shard->finished.count;
    sum->ready += more.ready;
    sum->delayed += more.delayed;
    sum->reserved += more.reserved;
    sum->buried += more.buried;
    sum->parents += more.parents;
    sum->tps += more.tps;
    if (count) sum->avg_s = (sum->avg_s * sum_count + more.avg_s * shard->finished.count) / count;
}

static struct aq_tube_stats stats_of_queue(const struct aq_server *server, const struct aq_tube *tube) {
    struct aq_tube_stats sum = stats_of(server, tube);
    uint32_t count = tube->finished.count;
    for (uint32_t i = 0; i < tube->shards->count; i++) {
        if (tube->shards->tubes[i] == AQ_NO_INDEX) continue;
        const struct aq_tube *shard = &server->tubes.items[tube->shards->tubes[i]];
        add_shard(server, &sum, count, shard);
        count += shard->finished.count;
    }
    return sum;
}

static bool has_made_shard(const struct aq_server *server, const struct aq_tube *tube) {
    for (uint32_t i = 0; tube->shards && i < tube->shards->count; i++) {
        uint32_t shard = tube->shards->tubes[i];
        if (shard != AQ_NO_INDEX && server->tubes.items[shard].made) return true;
    }
    return false;
}

int aq_server_read_stats(const struct aq_server *server, struct aq_arena *arena,
                         struct aq_server_stats *out) {
    struct aq_tube_stats *tubes = aq_arena_alloc(arena, (server->tubes.count + 1) * sizeof *tubes);
    if (!tubes) return AQ_ENOMEM;
    *out = (struct aq_server_stats){
        .tubes = tubes, .action_count = server->actions, .job_get = server->gets, .job_put = server->puts};
    bool shards_shown = server->policy->fair_shows_shards;
    for (uint32_t i = 0; i < server->tubes.count; i++) {
        const struct aq_tube *tube = &server->tubes.items[i];
        bool made = tube->made || (!shards_shown && has_made_shard(server, tube));
        bool shard = tube->family != AQ_NO_INDEX;
        bool hidden =
            !made && (server->policy->stats_hide_tubeless || (tube->fair && !shard && shards_shown));
        if (hidden || (shard && !shards_shown)) continue;
        tubes[out->tube_count++] =
            tube->shards && !shards_shown ? stats_of_queue(server, tube) : stats_of(server, tube);
    }
    return 0;
}

void aq_server_stats(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    (void)request;
    struct aq_arena *texts = aq_server_texts(server);
    struct aq_server_stats *stats = aq_arena_alloc(texts, sizeof *stats);
    int rc = stats ? aq_server_read_stats(server, texts, stats) : AQ_ENOMEM;
    if (rc) {
        aq_server_fail(server, rc);
        return;
    }
    reply->kind = AQ_REPLY_STATS;
    reply->servers = stats;
    reply->server_count = 1;
}

static void set_paused(struct aq_server *server, struct aq_tube *tube, bool paused) {
    if (tube->paused != paused) {
        tube->paused = paused;
        if (!server->policy->restart_forgets_pause) aq_server_save_tube(server, tube);
    }
    aq_server_tap_request(server, paused ? AQ_TAP_PAUSED : AQ_TAP_UNPAUSED, (struct aq_text){0}, tube->name);
}

void aq_server_pause(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    reply->action = AQ_ACTION_PAUSE;
    if (!(request->given & AQ_PARAM_TUBE)) return;
    bool needs_tube = server->policy->pause_needs_tube;
    struct aq_tube *tube = aq_server_tube(server, request->tube, !needs_tube);
    if (tube && (tube->made || !needs_tube)) set_paused(server, tube, true);
}

/* AllQueue answers unpause with "pause" as well. */
void aq_server_unpause(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    reply->action = AQ_ACTION_PAUSE;
    if (!(request->given & AQ_PARAM_TUBE)) return;
    struct aq_tube *tube = aq_server_tube(server, request->tube, false);
    if (tube) set_paused(server, tube, false);
}

void aq_server_set_throttle(struct aq_server *server, const struct aq_request *request,
                            struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TPS, "tps")) return;
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return;
    aq_server_make_tube(server, tube);
    bool truncate = server->policy->throttle_truncates;
    aq_throttle_set(&tube->throttle, request->tps, truncate);
    aq_fair_note(&server->tubes, tube);
    aq_server_save_tube(server, tube);
    struct aq_tap *tap = aq_server_tap_request(server, AQ_TAP_THROTTLED, (struct aq_text){0}, tube->name);
    if (tap) tap->tps = tube->throttle.tps;
    char value[32];
    snprintf(value, sizeof value, "%.15g", truncate ? trunc(request->tps) : tube->throttle.tps);
    reply->has_value = true;
    reply->value = aq_server_text(server, value, (struct aq_text){0}, "");
}

/* Of admin only the redirect is known; anything else is answered and does nothing. */
void aq_server_admin(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    reply->kind = AQ_REPLY_RESULT;
    if (!(request->given & AQ_PARAM_ADDRESS) || !(request->given & AQ_PARAM_PORT)) return;
    char *host = aq_alloc(request->address.len + 1);
    if (!host) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    if (request->address.len) memcpy(host, request->address.at, request->address.len);
    aq_free(server->redirect_host);
    server->redirect_host = host;
    server->redirect_host_len = request->address.len;
    server->redirect_port = request->port;
    server->redirected = true;
    reply->has_value = true;
    reply->value = AQ_TEXT("redirect");
}

void aq_server_ping(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    (void)server, (void)request;
    reply->kind = AQ_REPLY_PONG;
}

void aq_server_version(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    (void)server, (void)request;
    reply->kind = AQ_REPLY_VERSION;
    reply->has_value = true;
    reply->value = AQ_TEXT(VERSION);
}

/* What only a client understands: AllQueue's server answers {}. */
void aq_server_unknown(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    reply->kind = AQ_REPLY_EMPTY;
    aq_server_tap_request(server, AQ_TAP_FAILED, request->job_id, request->tube);
}
