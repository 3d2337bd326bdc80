/* done, delete, touch, release, bury: what a worker does with a job that it holds. */
#include "base/error.h"
#include "base/limits.h"
#include "fakeserver/internal.h"

static void answer(const struct aq_request *request, struct aq_reply *reply) {
    reply->has_job_id = true;
    reply->job_id = request->job_id;
}

static void soft_error(struct aq_reply *reply, struct aq_text error) {
    reply->has_error = true;
    reply->error = error;
}

/* The job that the request names, if it is held. */
static uint32_t held_job(const struct aq_server *server, const struct aq_request *request) {
    uint32_t slot = aq_slab_find(&server->slab, request->job_id);
    if (slot == AQ_NO_INDEX) return slot;
    return aq_slab_at(&server->slab, slot)->state == AQ_JOB_RESERVED ? slot : AQ_NO_INDEX;
}

/* The completion found no job to act on. The tap shows the job where it is here in another state. */
static void miss(struct aq_server *server, const struct aq_request *request) {
    uint32_t slot = aq_slab_find(&server->slab, request->job_id);
    if (slot == AQ_NO_INDEX) {
        aq_server_tap_request(server, AQ_TAP_MISSED, request->job_id, request->tube);
        return;
    }
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    struct aq_tap *tap = aq_server_tap(server, AQ_TAP_MISSED, job, job->state, true);
    if (tap) tap->job_id = request->job_id;
}

void aq_server_note_finished(struct aq_server *server, const struct aq_stored_job *job) {
    aq_time_us now = aq_server_clock(server, server->now_us), start = job->due - aq_seconds_us(job->ttl_s);
    aq_time_us held_us = now > start ? now - start : 0;
    int rc = aq_finished_note(&aq_server_tube_of(server, job)->finished, server->now_us, held_us);
    if (rc) aq_server_fail(server, rc);
}

void aq_server_note_unfinished(struct aq_server *server, const struct aq_stored_job *job) {
    if (server->policy->stats_count_all_ends) aq_server_note_finished(server, job);
}

/* The job is over, and counts for its parent, where it has one. False: refused. */
static bool finish(struct aq_server *server, uint32_t slot, enum aq_tap_kind kind,
                   const struct aq_request *request, struct aq_reply *reply) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    bool held = job->state == AQ_JOB_RESERVED;
    if (held && aq_workflow_fails(server, job, request, reply)) return false;
    if (held) aq_server_note_finished(server, job);
    bool stays = (job->state == AQ_JOB_READY && server->policy->delete_ready_keeps_file) ||
                 (kind == AQ_TAP_DONE && AQ_SERVER_MUTANT(DONE_STAYS));
    if (!stays) aq_server_unsave(server, job);
    aq_server_tap(server, kind, job, job->state, true);
    uint64_t parent = job->parent, hash = job->hash;
    aq_server_remove(server, slot);
    if (AQ_SERVER_MUTANT(DELETED_UNCOUNTED) && kind == AQ_TAP_DELETED) return true;
    if (held || !server->policy->child_counts_when_held_only)
        aq_workflow_child_over(server, parent, hash, kind);
    return true;
}

void aq_server_done(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_JOB_ID, "job_id")) return;
    answer(request, reply);
    uint32_t slot = held_job(server, request);
    if (slot == AQ_NO_INDEX) {
        if (!AQ_SERVER_MUTANT(UNHELD_OK))
            soft_error(reply, aq_server_text(server, "Couldn't find job job_id = ", request->job_id,
                                             " to set done"));
        miss(server, request);
        return;
    }
    finish(server, slot, AQ_TAP_DONE, request, reply);
}

/* May delete take a job in this state, and does it say so? AllQueue looks at reserved and buried jobs; with a
   tube it goes through its ready jobs too, but forgets that it has found the job. */
static bool deletable(struct aq_server *server, const struct aq_request *request,
                      const struct aq_stored_job *job, bool *says_so) {
    *says_so = true;
    if (!server->policy->delete_ready_reports_error) return true;
    if (job->state == AQ_JOB_RESERVED || job->state == AQ_JOB_BURIED) return true;
    *says_so = false;
    return job->state == AQ_JOB_READY && aq_text_equal(request->tube, aq_server_tube_of(server, job)->name);
}

void aq_server_delete(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    answer(request, reply);
    bool says_so = false;
    uint32_t slot = aq_slab_find(&server->slab, request->job_id);
    if (slot == AQ_NO_INDEX || !deletable(server, request, aq_slab_at(&server->slab, slot), &says_so))
        miss(server, request);
    else if (!finish(server, slot, AQ_TAP_DELETED, request, reply))
        return;
    if (!says_so) soft_error(reply, AQ_TEXT("Job ID not found in reserved or buried."));
}

void aq_server_touch(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_JOB_ID, "job_id")) return;
    answer(request, reply);
    uint32_t slot = held_job(server, request);
    if (slot == AQ_NO_INDEX) {
        if (!server->policy->touch_unknown_ok)
            soft_error(reply,
                       aq_server_text(server, "Couldn't find job job_id = ", request->job_id, " to touch"));
        miss(server, request);
        return;
    }
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    if (!AQ_SERVER_MUTANT(TOUCH_IDLE))
        job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(job->ttl_s);
    int rc = aq_deadlines_set(&server->leases, slot, aq_server_over(server, job->due));
    if (rc) aq_server_fail(server, rc);
    if (!server->policy->touch_not_saved) aq_server_save(server, job, AQ_JOB_RESERVED, AQ_SAVE_IN_PLACE);
    aq_server_tap(server, AQ_TAP_TOUCHED, job, AQ_JOB_RESERVED, true);
}

static enum aq_job_state state_after_release(const struct aq_request *request,
                                             const struct aq_stored_job *job) {
    bool often = (int64_t)job->releases > (int64_t)job->expired_limit * 2;
    if (often && !AQ_SERVER_MUTANT(RELEASES_UNBOUNDED)) return AQ_JOB_BURIED;
    return request->given & AQ_PARAM_DELAY && request->delay_s >= 1 ? AQ_JOB_DELAYED : AQ_JOB_READY;
}

/* The holder gives the job up: its lease ends, and the tap shows which one that was. */
static void give_up(struct aq_server *server, uint32_t slot, enum aq_job_state state, enum aq_tap_kind kind) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    uint64_t lease = job->lease;
    bool bury = state == AQ_JOB_BURIED;
    job->lease = 0;
    aq_server_move(server, slot, state, bury ? job->priority : job->own_priority);
    aq_server_save(server, job, AQ_JOB_RESERVED, bury ? AQ_SAVE_RENAME : AQ_SAVE_REMOVE_FIRST);
    struct aq_tap *tap = aq_server_tap(server, kind, job, AQ_JOB_RESERVED, true);
    if (tap) tap->lease = lease;
    if (bury) aq_workflow_child_unfinished(server, job, kind);
}

void aq_server_release(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_JOB_ID, "job_id")) return;
    answer(request, reply);
    uint32_t slot = held_job(server, request);
    if (slot == AQ_NO_INDEX) {
        if (!server->policy->touch_unknown_ok)
            soft_error(reply,
                       aq_server_text(server, "Couldn't find job job_id = ", request->job_id, " to release"));
        miss(server, request);
        return;
    }
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->releases++;
    enum aq_job_state state = state_after_release(request, job);
    if (state == AQ_JOB_BURIED) aq_server_note_unfinished(server, job);
    if (state == AQ_JOB_DELAYED)
        job->due = aq_server_clock(server, server->now_us) +
                   aq_seconds_us(request->delay_s - AQ_SERVER_MUTANT(DELAY_SHORT));
    give_up(server, slot, state, state == AQ_JOB_BURIED ? AQ_TAP_AUTOBURIED : AQ_TAP_RELEASED);
}

void aq_server_bury(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    answer(request, reply);
    uint32_t slot = held_job(server, request);
    if (slot == AQ_NO_INDEX) {
        miss(server, request);
    } else {
        aq_server_note_unfinished(server, aq_slab_at(&server->slab, slot));
        give_up(server, slot, AQ_JOB_BURIED, AQ_TAP_BURIED);
    }
    if (slot == AQ_NO_INDEX || server->policy->bury_reports_error)
        soft_error(reply, aq_server_text(server, "Couldn't bury job_id = ", request->job_id, ""));
}
