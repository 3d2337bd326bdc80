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

static uint32_t add_job(struct aq_server *server, struct aq_text body) {
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

void aq_server_put(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    if (request->parent_id.len) {
        aq_server_refuse(server, request, reply, AQ_TEXT("unsupported parameter parent_id"));
        return;
    }
    server->puts++;
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return;
    uint32_t slot = add_job(server, request->body);
    if (slot == AQ_NO_INDEX) return;
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->tube = (uint32_t)(tube - server->tubes.items);
    job->priority = bucket_of(request);
    job->ttl_s = clamped_seconds(request->given & AQ_PARAM_TTL ? request->ttl_s : server->default_ttl_s);
    job->expired_limit = request->given & AQ_PARAM_EXPIRED_LIMIT ? request->expired_limit : AQ_EXPIRED_LIMIT;
    job->state = AQ_JOB_READY;
    if (request->given & AQ_PARAM_DELAY && request->delay_s >= 1) {
        job->state = AQ_JOB_DELAYED;
        job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(request->delay_s);
    }
    aq_server_enter(server, slot);
    aq_server_persist(server, job);
    aq_server_tap(server, AQ_TAP_PUT, job, AQ_JOB_READY, true);
    reply->has_job_id = true;
    reply->job_id = aq_job_id(job);
}

static struct aq_job handed_out(const struct aq_server *server, const struct aq_stored_job *job) {
    return (struct aq_job){.job_id = aq_job_id(job),
                           .body = aq_job_body(job),
                           .tube = aq_server_tube_of(server, job)->name,
                           .expireds = job->expireds,
                           .releases = job->releases};
}

static void lease(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->lease = ++server->leases_made;
    job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(job->ttl_s);
    aq_server_move(server, slot, AQ_JOB_RESERVED, job->priority);
    aq_server_persist(server, job);
    aq_server_tap(server, AQ_TAP_LEASE, job, AQ_JOB_READY, true);
}

/* get with delete: no lease is left, only the number of the one that began and ended here. */
static void take(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->lease = ++server->leases_made;
    aq_server_unpersist(server, aq_job_id(job));
    aq_server_tap(server, AQ_TAP_TAKEN, job, AQ_JOB_READY, true);
    int rc = aq_finished_note(&aq_server_tube_of(server, job)->finished, server->now_us, 0);
    if (rc) aq_server_fail(server, rc);
    aq_server_remove(server, slot);
}

bool aq_server_may_get(struct aq_server *server, struct aq_tube *tube) {
    if (tube->paused || !aq_throttle_open(&tube->throttle, server->now_us)) return false;
    if (!tube->ready_buckets && !server->policy->throttle_counts_empty) return true;
    int rc = aq_throttle_note(&tube->throttle, server->now_us);
    if (rc) aq_server_fail(server, rc);
    return true;
}

/* The next job of the tube for a get, or AQ_NO_INDEX. */
static uint32_t next_for_get(struct aq_server *server, struct aq_tube *tube) {
    if (!aq_server_may_get(server, tube)) return AQ_NO_INDEX;
    return aq_tube_first_ready(tube);
}

static bool redirected(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (!server->redirected) return false;
    bool empty = server->slab.live == 0;
    if (!empty && !server->policy->redirect_refuses_gets) return false;
    reply->kind = empty ? AQ_REPLY_REDIRECT : AQ_REPLY_EMPTY;
    if (empty) {
        struct aq_text host = {server->redirect_host, server->redirect_host_len};
        reply->has_value = true;
        reply->value = aq_server_text(server, "", host, "");
        reply->port = server->redirect_port;
    }
    aq_server_tap_request(server, AQ_TAP_EMPTY, (struct aq_text){0}, request->tube);
    return true;
}

void aq_server_get(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    server->gets++;
    reply->action = AQ_ACTION_GET;
    if (redirected(server, request, reply)) return;
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return;
    tube->made = true;
    int32_t wanted = request->given & AQ_PARAM_COUNT ? request->count : 1;
    reply->many = wanted != 1;
    if (wanted > AQ_JOBS_PER_GET_MAX) wanted = AQ_JOBS_PER_GET_MAX;
    bool given = request->given & AQ_PARAM_REMOVE;
    bool remove = given && (request->remove || server->policy->delete_by_presence);

    /* Room for as many as there can be: gets in a loop would waste what the arena cannot take back. */
    uint64_t room = tube->jobs[AQ_JOB_READY];
    if (wanted > 0 && room > (uint32_t)wanted) room = (uint32_t)wanted;
    struct aq_job *jobs =
        wanted > 0 && room ? aq_arena_alloc(aq_server_texts(server), room * sizeof *jobs) : NULL;
    if (wanted > 0 && room && !jobs) aq_server_fail(server, AQ_ENOMEM);
    for (int32_t i = 0; i < wanted && !server->rc; i++) {
        uint32_t slot = next_for_get(server, tube);
        if (slot == AQ_NO_INDEX) break;
        AQ_ASSERT(reply->job_count < room);
        jobs[reply->job_count++] = handed_out(server, aq_slab_at(&server->slab, slot));
        if (remove)
            take(server, slot);
        else
            lease(server, slot);
    }
    reply->jobs = jobs;
    if (reply->job_count == 0)
        aq_server_tap_request(server, AQ_TAP_EMPTY, (struct aq_text){0}, request->tube);
}

void aq_server_peek(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    reply->action = AQ_ACTION_GET;
    struct aq_tube *tube = aq_server_tube(server, request->tube, false);
    if (!tube) return;
    uint32_t slot = request->buried ? tube->lists[AQ_LIST_BURIED].first : aq_tube_first_ready(tube);
    if (slot == AQ_NO_INDEX) return;
    struct aq_job *job = aq_arena_alloc(aq_server_texts(server), sizeof *job);
    if (!job) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    *job = handed_out(server, aq_slab_at(&server->slab, slot));
    reply->jobs = job;
    reply->job_count = 1;
}
