/* Parents: jobs that wait until their children are finished, or for too long. */
#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

#define TIMEOUT_DEFAULT_S 3600 /* AllQueue's default of timeout */
#define LIMIT_UNKNOWN     (-1)

int aq_parents_take(struct aq_parents *parents, uint32_t *out) {
    if (parents->first_free != AQ_NO_INDEX) {
        *out = parents->first_free;
        parents->first_free = parents->items[*out].next_free;
        return 0;
    }
    int rc = aq_array_reserve(&parents->items, &parents->capacity, (size_t)parents->count + 1,
                              sizeof *parents->items);
    if (rc) return rc;
    *out = parents->count++;
    return 0;
}

void aq_parents_give(struct aq_parents *parents, uint32_t place) {
    parents->items[place].next_free = parents->first_free;
    parents->first_free = place;
}

static uint32_t find(const struct aq_server *server, uint64_t hash) {
    uint32_t slot;
    return hash && aq_map_get(&server->slab.by_hash, hash, &slot) ? slot : AQ_NO_INDEX;
}

uint32_t aq_workflow_parent(const struct aq_server *server, uint64_t parent_hash) {
    uint32_t slot = find(server, parent_hash);
    bool waits = slot != AQ_NO_INDEX && aq_slab_at(&server->slab, slot)->state == AQ_JOB_PARENT;
    return waits ? slot : AQ_NO_INDEX;
}

/* ---- the start of a parent ---- */

/* What taps tell of a parent stays true after it has left its place. */
static struct aq_tap *tell(struct aq_server *server, enum aq_tap_kind kind, const struct aq_stored_job *job,
                           const struct aq_parent *parent, bool asked) {
    struct aq_tap *tap = aq_server_tap(server, kind, job, AQ_JOB_PARENT, asked);
    if (!tap) return NULL;
    tap->children = parent->children;
    tap->limit = parent->limit;
    return tap;
}

/* The parent is no noop: it is queued. AllQueue leaves its file where it is if the folder of its tube is
 * missing. */
static void queue(struct aq_server *server, uint32_t slot, enum aq_tap_kind kind) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    const struct aq_parent parent = *aq_parent_of(server, job);
    bool lost = server->policy->parent_loses_priority;
    bool delayed = parent.delay_s >= 1 && !lost;
    bool stays = server->policy->parent_file_stays && !aq_server_tube_of(server, job)->folder;
    if (delayed) job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(parent.delay_s);
    aq_server_move(server, slot, delayed ? AQ_JOB_DELAYED : AQ_JOB_READY,
                   lost ? AQ_PRIORITY_DEFAULT : job->own_priority);
    aq_server_save(server, job, AQ_JOB_PARENT, stays ? AQ_SAVE_IN_PLACE : AQ_SAVE_RENAME);
    tell(server, kind, job, &parent, false);
}

/* The noop is over. Returns the parent that it counts for, 0 for none. */
static uint64_t end_noop(struct aq_server *server, uint32_t slot, bool file_stays) {
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    uint64_t above = job->parent;
    if (!file_stays) aq_server_unsave(server, job);
    tell(server, AQ_TAP_NOOP_DONE, job, aq_parent_of(server, job), false);
    aq_server_remove(server, slot);
    return above;
}

static bool is_complete(const struct aq_server *server, const struct aq_parent *parent) {
    if (parent->limit == 0) return !server->policy->parent_zero_never_starts;
    return parent->limit > 0 && (int64_t)parent->children >= parent->limit - AQ_SERVER_MUTANT(PARENT_EARLY);
}

static void count_child(struct aq_server *server, uint32_t slot, uint64_t child_hash,
                        enum aq_tap_kind cause) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    struct aq_parent *parent = aq_parent_of(server, job);
    parent->children++;
    struct aq_tap *tap = tell(server, AQ_TAP_CHILD_COUNTED, job, parent, false);
    if (tap) {
        tap->child_hash = child_hash;
        tap->cause = cause;
    }
}

/* Counts a child of `parent_hash`, 0 for none, and then what follows upwards: levels are unlimited, so this
 * is a loop. */
static void climb(struct aq_server *server, uint64_t parent_hash, uint64_t child_hash, enum aq_tap_kind cause,
                  bool files_stay) {
    uint32_t slot;
    while ((slot = aq_workflow_parent(server, parent_hash)) != AQ_NO_INDEX && !server->rc) {
        struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
        count_child(server, slot, child_hash, cause);
        if (!is_complete(server, aq_parent_of(server, job))) {
            if (!server->policy->restart_resets_parents)
                aq_server_save(server, job, AQ_JOB_PARENT, AQ_SAVE_IN_PLACE);
            return;
        }
        if (!aq_parent_of(server, job)->noop) {
            queue(server, slot, AQ_TAP_PARENT_STARTED);
            return;
        }
        child_hash = job->hash;
        cause = AQ_TAP_NOOP_DONE;
        parent_hash = end_noop(server, slot, files_stay);
    }
}

/* The parent is complete, or has waited for too long. */
static void start(struct aq_server *server, uint32_t slot, enum aq_tap_kind kind) {
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    if (!aq_parent_of(server, job)->noop) {
        queue(server, slot, kind);
        return;
    }
    uint64_t hash = job->hash;
    climb(server, end_noop(server, slot, false), hash, AQ_TAP_NOOP_DONE, false);
}

/* After a change of what a waiting parent knows of its children. */
static void changed(struct aq_server *server, uint32_t slot) {
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    if (is_complete(server, aq_parent_of(server, job)))
        start(server, slot, AQ_TAP_PARENT_STARTED);
    else if (!server->policy->restart_resets_parents)
        aq_server_save(server, job, AQ_JOB_PARENT, AQ_SAVE_IN_PLACE);
}

/* ---- children ---- */

void aq_workflow_child_put(struct aq_server *server, uint64_t parent_hash) {
    uint32_t slot = aq_workflow_parent(server, parent_hash);
    if (slot == AQ_NO_INDEX) return;
    aq_parent_of(server, aq_slab_at(&server->slab, slot))->started++;
    changed(server, slot);
}

void aq_workflow_child_over(struct aq_server *server, uint64_t parent_hash, uint64_t child_hash,
                            enum aq_tap_kind cause) {
    if (parent_hash) climb(server, parent_hash, child_hash, cause, false);
}

void aq_workflow_child_unfinished(struct aq_server *server, const struct aq_stored_job *child,
                                  enum aq_tap_kind cause) {
    if (child->parent && server->policy->child_counts_on_expiry)
        climb(server, child->parent, child->hash, cause, false);
}

/* Would the end of a child of this parent, which is here, end noops up to one whose own parent is not here?
 */
static bool breaks_above(const struct aq_server *server, uint64_t parent_hash) {
    uint32_t slot = aq_workflow_parent(server, parent_hash);
    while (slot != AQ_NO_INDEX) {
        const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
        const struct aq_parent *parent = aq_parent_of(server, job);
        struct aq_parent then = *parent;
        then.children++;
        if (!parent->noop || !is_complete(server, &then) || !job->parent) return false;
        slot = aq_workflow_parent(server, job->parent);
    }
    return true;
}

bool aq_workflow_fails(struct aq_server *server, const struct aq_stored_job *child,
                       const struct aq_request *request, struct aq_reply *reply) {
    if (!child->parent || !server->policy->noop_needs_parent) return false;
    if (aq_workflow_parent(server, child->parent) == AQ_NO_INDEX) return false;
    if (!breaks_above(server, child->parent)) return false;
    climb(server, child->parent, child->hash, AQ_TAP_DONE, true);
    aq_server_refuse(
        server, request, reply,
        aq_server_text(server, "Missing hash key: the parent of the noop parent of ", aq_job_id(child), ""));
    return true;
}

void aq_workflow_time_out(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    const struct aq_parent parent = *aq_parent_of(server, job);
    if (parent.run_on_timeout) {
        start(server, slot, AQ_TAP_TIMED_OUT);
        return;
    }
    aq_server_move(server, slot, AQ_JOB_BURIED, job->priority);
    aq_server_save(server, job, AQ_JOB_PARENT, AQ_SAVE_RENAME);
    tell(server, AQ_TAP_TIMED_OUT, job, &parent, false);
}

/* ---- the actions ---- */

static uint32_t new_parent(struct aq_server *server, const struct aq_request *request,
                           struct aq_reply *reply) {
    if (request->job_id.len == 0) return aq_server_new_job(server, request->body);
    if (request->job_id.len > AQ_JOB_REF_CHARS_MAX) {
        aq_server_refuse(server, request, reply, AQ_TEXT("id is too long"));
        return AQ_NO_INDEX;
    }
    uint32_t slot;
    int rc = aq_slab_add(&server->slab, request->job_id, request->body, &slot);
    if (rc == AQ_EEXISTS)
        aq_server_refuse(server, request, reply,
                         aq_server_text(server, "Job exists: \"", request->job_id, "\""));
    else if (rc)
        aq_server_fail(server, rc);
    return rc ? AQ_NO_INDEX : slot;
}

/* The tube in which the parent will be queued. AllQueue does not think of fair queues here: it takes their
 * name for that of a tube, from which no get takes anything. */
static uint32_t tube_for(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    struct aq_tube *tube = aq_server_tube(server, request->tube, true);
    if (!tube) return AQ_NO_INDEX;
    uint32_t index = (uint32_t)(tube - server->tubes.items);
    if (tube->fair && !server->policy->fair_skips_parents)
        return aq_fair_shard(server, index, request, reply);
    aq_server_make_tube(server, tube);
    return index;
}

static int32_t limit_of(const struct aq_request *request) {
    return request->given & AQ_PARAM_LIMIT && request->limit >= 0 ? request->limit : LIMIT_UNKNOWN;
}

static void hold(struct aq_server *server, const struct aq_request *request, uint32_t slot, uint32_t place) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    int64_t timeout_s = request->given & AQ_PARAM_TIMEOUT ? request->timeout_s : TIMEOUT_DEFAULT_S;
    server->parents.items[place] = (struct aq_parent){
        .delay_s = request->given & AQ_PARAM_DELAY ? request->delay_s : 0,
        .limit = limit_of(request),
        .run_on_timeout = request->run_on_timeout,
        .noop = request->noop,
    };
    job->state = AQ_JOB_PARENT;
    job->lease = place;
    job->due = aq_server_clock(server, server->now_us) + aq_seconds_us(timeout_s);
    aq_server_enter(server, slot);
    aq_server_save(server, job, AQ_JOB_PARENT, AQ_SAVE_IN_PLACE);
    tell(server, AQ_TAP_PARENT_HELD, job, &server->parents.items[place], true);
}

/* Counts a nested parent as a child that was put. False: refused. */
static bool nest(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply) {
    if (!request->parent_id.len || server->policy->nested_parents_uncounted) return true;
    if (aq_workflow_parent(server, aq_text_hash(request->parent_id)) != AQ_NO_INDEX) return true;
    aq_server_refuse(server, request, reply,
                     aq_server_text(server, "Missing hash key: \"", request->parent_id, "\""));
    return false;
}

void aq_server_set_parent_job(struct aq_server *server, const struct aq_request *request,
                              struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_TUBE, "tube")) return;
    if (aq_server_disk_refuses(server, request, reply) || !nest(server, request, reply)) return;
    uint32_t tube = tube_for(server, request, reply);
    if (tube == AQ_NO_INDEX) return;
    uint32_t slot = new_parent(server, request, reply);
    if (slot == AQ_NO_INDEX) return;
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    aq_server_fill_job(server, request, tube, job);
    uint32_t place = AQ_NO_INDEX;
    int rc = aq_parents_take(&server->parents, &place);
    struct aq_job *shown = aq_arena_alloc(aq_server_texts(server), sizeof *shown);
    if (rc || !shown) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    hold(server, request, slot, place);
    *shown = aq_server_handed_out(server, job);
    reply->has_job_id = true;
    reply->job_id = shown->job_id;
    reply->jobs = shown;
    reply->job_count = 1;
    if (job->parent && !server->policy->nested_parents_uncounted) aq_workflow_child_put(server, job->parent);
    if (is_complete(server, &server->parents.items[place])) start(server, slot, AQ_TAP_PARENT_STARTED);
}

void aq_server_set_children_started(struct aq_server *server, const struct aq_request *request,
                                    struct aq_reply *reply) {
    if (aq_server_lacks(server, request, reply, AQ_PARAM_JOB_ID, "job_id")) return;
    uint32_t slot = aq_slab_find(&server->slab, request->job_id);
    if (slot == AQ_NO_INDEX || aq_slab_at(&server->slab, slot)->state != AQ_JOB_PARENT) {
        aq_server_refuse(server, request, reply,
                         aq_server_text(server, "Missing hash key: \"", request->job_id, "\""));
        return;
    }
    const struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    struct aq_parent *parent = aq_parent_of(server, job);
    reply->has_job_id = true;
    reply->job_id = request->job_id;
    parent->limit = parent->started < INT32_MAX ? (int32_t)parent->started : INT32_MAX;
    tell(server, AQ_TAP_CHILDREN_STARTED, job, parent, true);
    changed(server, slot);
}
