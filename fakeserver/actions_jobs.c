/* put, get, get_multiple_jobs, peek. */
#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

static uint8_t bucket_of(const struct aq_request *request) {
    if (!(request->given & AQ_PARAM_PRIORITY)) return AQ_PRIORITY_DEFAULT;
    if (request->priority < 1) return 1;
    return request->priority < AQ_PRIORITY_BUCKETS ? (uint8_t)request->priority : AQ_PRIORITY_BUCKETS - 1;
}

static int64_t clamped_seconds(int64_t seconds) {
    if (seconds < 0) return 0;
    return seconds < AQ_SECONDS_MAX ? seconds : AQ_SECONDS_MAX;
}

uint32_t aq_server_new_job(struct aq_server *server, struct aq_text body) {
    char id[AQ_JOB_ID_CHARS];
    uint32_t slot = AQ_NO_INDEX;
    int rc;
    do {
        uint64_t words[2];
        words[0] = aq_random_u64(&server->random);
        words[1] = aq_random_u64(&server->random);
        aq_job_id_write(words, id);
        rc = aq_slab_add(&server->slab, (struct aq_text){id, AQ_JOB_ID_CHARS}, body, &slot);
    } while (rc == AQ_EEXISTS);
    if (rc) aq_server_fail(server, rc);
    return slot;
}

void aq_server_fill_job(struct aq_server *server, const struct aq_request *request, uint32_t tube,
                        struct aq_stored_job *job) {
    job->tube = tube;
    job->priority = job->own_priority = bucket_of(request);
    job->ttl_s = clamped_seconds(request->given & AQ_PARAM_TTL ? request->ttl_s : server->default_ttl_s);
    job->expired_limit = request->given & AQ_PARAM_EXPIRED_LIMIT ? request->expired_limit : AQ_EXPIRED_LIMIT;
    job->parent = request->parent_id.len ? aq_text_hash(request->parent_id) : 0;
}

/* The parent is not here. False: nothing is put because of that. */
static bool parent_allows(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply,
                          bool put_all_the_same) {
    if (!request->parent_id.len) return true;
    if (server->policy->parent_unknown_after_put != put_all_the_same) return true;
    if (aq_workflow_parent(server, aq_text_hash(request->parent_id)) != AQ_NO_INDEX) return true;
    struct aq_text error = aq_server_text(server, "Missing hash key: \"", request->parent_id, "\"");
    if (!put_all_the_same) {
        aq_server_refuse(server, request, reply, error);
        return false;
    }
    reply->kind = AQ_REPLY_ERROR; /* no FAILED: the job is put */
    reply->error = error;
    return false;
}

/* The tube that a put goes to, or AQ_NO_INDEX. */
static uint32_t tube_for(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return AQ_NO_INDEX;
    uint32_t index = (uint32_t)(tube - server->tubes.items);
    return tube->fair ? aq_fair_shard(server, index, request, reply) : index;
}

static void put(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    server->puts++;
    if (aq_server_disk_refuses(server, request, reply)) return;
    if (!parent_allows(server, request, reply, false)) return;
    uint32_t tube = tube_for(server, request, reply);
    if (tube == AQ_NO_INDEX) return;
    uint32_t slot = aq_server_new_job(server, request->body);
    if (slot == AQ_NO_INDEX) return;
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    aq_server_fill_job(server, request, tube, job);
    job->state = AQ_JOB_READY;
    if (request->given & AQ_PARAM_DELAY && request->delay_s >= (AQ_SERVER_MUTANT(PUT_AT_ONCE) ? 2 : 1)) {
        job->state = AQ_JOB_DELAYED;
        job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(request->delay_s);
    }
    aq_server_enter(server, slot);
    if (!AQ_SERVER_MUTANT(PUT_UNSAVED)) aq_server_save(server, job, job->state, AQ_SAVE_IN_PLACE);
    aq_server_tap(server, AQ_TAP_PUT, job, AQ_JOB_READY, true);
    if (!parent_allows(server, request, reply, true)) return;
    reply->has_job_id = true;
    reply->job_id = aq_job_id(job);
    if (job->parent) aq_workflow_child_put(server, job->parent);
}

void aq_server_put(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    put(server, request, reply);
    if (AQ_SERVER_MUTANT(PUT_DOUBLED) && server->puts % 100 == 0) put(server, request, reply);
}

struct aq_job aq_server_handed_out(const struct aq_server *server, const struct aq_stored_job *job) {
    return (struct aq_job){.job_id = aq_job_id(job),
                           .body = aq_job_body(job),
                           .tube = aq_fair_shown(server, aq_server_tube_of(server, job)),
                           .expireds = job->expireds,
                           .releases = job->releases};
}

static void lease(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->lease = ++server->leases_made;
    job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(job->ttl_s);
    if (AQ_SERVER_MUTANT(LEASE_SHORT)) job->due -= AQ_US_PER_S;
    aq_server_move(server, slot, AQ_JOB_RESERVED, job->priority);
    aq_server_save(server, job, AQ_JOB_READY, AQ_SAVE_REMOVE_FIRST);
    aq_server_tap(server, AQ_TAP_LEASE, job, AQ_JOB_READY, true);
}

/* get with delete: no lease is left, only the number of the one that began and ended here. */
static void take(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->lease = ++server->leases_made;
    aq_server_unsave(server, job);
    aq_server_tap(server, AQ_TAP_TAKEN, job, AQ_JOB_READY, true);
    job->lease = 0;
    job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(job->ttl_s);
    aq_server_note_finished(server, job);
    uint64_t parent = job->parent, hash = job->hash;
    aq_server_remove(server, slot);
    aq_workflow_child_over(server, parent, hash, AQ_TAP_TAKEN);
}

bool aq_server_may_get(struct aq_server *server, struct aq_tube *tube) {
    bool paused = tube->paused && !AQ_SERVER_MUTANT(PAUSE_IDLE);
    if (paused || !aq_throttle_open(&tube->throttle, server->now_us)) return false;
    if (!tube->ready_buckets && !server->policy->throttle_counts_empty) return true;
    int rc = aq_throttle_note(&tube->throttle, server->now_us);
    if (rc) aq_server_fail(server, rc);
    return true;
}

/* The next job of the tube for a get, or AQ_NO_INDEX. */
static uint32_t next_for_get(struct aq_server *server, uint32_t index) {
    struct aq_tube *tube = &server->tubes.items[index];
    if (tube->fair) return aq_fair_next(server, index);
    if (!aq_server_may_get(server, tube)) return AQ_NO_INDEX;
    return aq_tube_first_ready(tube);
}

/* AllQueue goes on asking a tube that has had nothing. */
static void ask_in_vain(struct aq_server *server, uint32_t index, int32_t times) {
    struct aq_tube *tube = &server->tubes.items[index];
    const struct aq_server_policy *policy = server->policy;
    if (!policy->throttle_counts_each || !policy->throttle_counts_empty || !tube->throttle.size) return;
    while (times-- > 0 && !server->rc && aq_server_may_get(server, tube))
        ;
}

/* As many jobs as there can be: gets in a loop would waste what the arena cannot take back. Taking a last
 * child makes a parent ready. */
static uint32_t room_for(const struct aq_server *server, const struct aq_tube *tube, int32_t wanted,
                         bool remove) {
    uint64_t room = tube->fair ? server->jobs[AQ_JOB_READY] : tube->jobs[AQ_JOB_READY];
    if (remove) room += server->jobs[AQ_JOB_PARENT];
    if (wanted <= 0) return 0;
    return room < (uint32_t)wanted ? (uint32_t)room : (uint32_t)wanted;
}

/* Hands out up to `wanted` jobs. */
static void hand_out(struct aq_server *server, uint32_t tube, int32_t wanted, bool remove,
                     struct aq_reply *reply) {
    uint32_t room = room_for(server, &server->tubes.items[tube], wanted, remove);
    struct aq_job *jobs = room ? aq_arena_alloc(aq_server_texts(server), room * sizeof *jobs) : NULL;
    if (room && !jobs) aq_server_fail(server, AQ_ENOMEM);
    for (int32_t i = 0; i < wanted && !server->rc; i++) {
        uint32_t slot = next_for_get(server, tube);
        if (slot == AQ_NO_INDEX) {
            ask_in_vain(server, tube, wanted - i - 1);
            break;
        }
        AQ_ASSERT(reply->job_count < room);
        jobs[reply->job_count++] = aq_server_handed_out(server, aq_slab_at(&server->slab, slot));
        if (remove)
            take(server, slot);
        else
            lease(server, slot);
    }
    reply->jobs = jobs;
}

void aq_server_get(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    server->gets++;
    reply->action = AQ_ACTION_GET;
    if (aq_redirect_answers(server, request, reply)) return;
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return;
    if (!tube->fair) aq_server_make_tube(server, tube);
    tube->polled_us = server->now_us;
    int32_t wanted = request->given & AQ_PARAM_COUNT ? request->count : 1;
    reply->many = wanted != 1;
    if (wanted > AQ_JOBS_PER_GET_MAX) wanted = AQ_JOBS_PER_GET_MAX;
    bool given = request->given & AQ_PARAM_REMOVE;
    bool remove = given && (request->remove || server->policy->delete_by_presence);
    hand_out(server, (uint32_t)(tube - server->tubes.items), wanted, remove, reply);
    if (reply->job_count == 0)
        aq_server_tap_request(server, AQ_TAP_EMPTY, (struct aq_text){0}, request->tube);
}

/* The job that a peek at this tube shows, or AQ_NO_INDEX. */
static uint32_t job_to_show(const struct aq_tube *tube, bool buried) {
    return buried ? tube->lists[AQ_LIST_BURIED].first : aq_tube_first_ready(tube);
}

/* The first shard after the last one taken from that has something to show. */
static uint32_t shard_job_to_show(const struct aq_server *server, const struct aq_shards *shards,
                                  bool buried) {
    for (uint32_t i = 0; i < shards->count; i++) {
        uint32_t index = shards->tubes[(shards->cursor + i) % shards->count];
        uint32_t slot = index == AQ_NO_INDEX ? index : job_to_show(&server->tubes.items[index], buried);
        if (slot != AQ_NO_INDEX) return slot;
    }
    return AQ_NO_INDEX;
}

void aq_server_peek(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    reply->action = AQ_ACTION_GET;
    bool makes = server->policy->looking_makes_tube && !request->buried;
    struct aq_tube *tube = aq_server_tube(server, request->tube, makes);
    if (!tube) return;
    if (makes) aq_server_make_tube(server, tube);
    uint32_t slot = aq_fair_reaches_shards(server, tube)
                        ? shard_job_to_show(server, tube->shards, request->buried)
                        : job_to_show(tube, request->buried);
    if (slot == AQ_NO_INDEX) return;
    struct aq_job *job = aq_arena_alloc(aq_server_texts(server), sizeof *job);
    if (!job) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    *job = aq_server_handed_out(server, aq_slab_at(&server->slab, slot));
    reply->jobs = job;
    reply->job_count = 1;
}
