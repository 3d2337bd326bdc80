#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "fakeserver/internal.h"
#include "protocol/ids.h"

/* AllQueue's loader looks for another field name than its writer uses: a ready job gets a new id and default
 * attributes. */
static int add_renamed(struct aq_server *server, const struct aq_job_record *record, uint32_t *slot) {
    char id[AQ_JOB_ID_CHARS];
    int rc;
    do {
        uint64_t words[2] = {aq_random_u64(&server->random), 0};
        words[1] = aq_random_u64(&server->random);
        aq_job_id_write(words, id);
        rc = aq_slab_add(&server->slab, (struct aq_text){id, AQ_JOB_ID_CHARS}, record->body, slot);
    } while (rc == AQ_EEXISTS);
    if (rc) return rc;
    struct aq_stored_job *job = aq_slab_at(&server->slab, *slot);
    job->priority = job->own_priority = AQ_PRIORITY_DEFAULT;
    job->expired_limit = AQ_EXPIRED_LIMIT;
    job->ttl_s = server->default_ttl_s;
    return 0;
}

static int add_as_it_was(struct aq_server *server, const struct aq_job_record *record, uint32_t *slot) {
    int rc = aq_slab_add(&server->slab, record->job_id, record->body, slot);
    if (rc) return rc;
    struct aq_stored_job *job = aq_slab_at(&server->slab, *slot);
    bool lost = record->state == AQ_JOB_READY && server->policy->priority_lost_on_expiry;
    job->priority = lost ? AQ_PRIORITY_DEFAULT : (uint8_t)record->priority;
    job->own_priority = (uint8_t)(record->own_priority ? record->own_priority : record->priority);
    job->parent = record->parent_hash;
    job->expired_limit = record->expired_limit;
    job->ttl_s = record->ttl_s;
    job->expireds = record->expireds;
    job->releases = record->releases;
    if (record->state != AQ_JOB_READY && record->state != AQ_JOB_BURIED)
        job->due = record->due_us + AQ_CLOCK_ZERO;
    if (record->state == AQ_JOB_RESERVED) job->lease = ++server->leases_made;
    return 0;
}

static int add_parent(struct aq_server *server, const struct aq_job_record *record,
                      struct aq_stored_job *job) {
    uint32_t place;
    int rc = aq_parents_take(&server->parents, &place);
    if (rc) return rc;
    server->parents.items[place] = (struct aq_parent){.delay_s = record->delay_s,
                                                      .children = record->children,
                                                      .started = record->started,
                                                      .limit = record->limit,
                                                      .run_on_timeout = record->run_on_timeout,
                                                      .noop = record->noop};
    job->lease = place;
    return 0;
}

/* AllQueue reads the throttle of a tube when it finds ready or delayed jobs of it. */
static int restore_tube(struct aq_server *server, const struct aq_job_record *record) {
    struct aq_tube *tube = aq_server_tube(server, record->tube, true);
    if (!tube) return AQ_ENOMEM;
    tube->paused = record->paused;
    tube->kept_tps = record->tps;
    if (tube->made || !server->policy->restart_forgets_throttle)
        aq_throttle_set(&tube->throttle, record->tps, false);
    if (tube->family != AQ_NO_INDEX) aq_fair_note(&server->tubes, tube);
    return 0;
}

static bool is_valid(const struct aq_job_record *record) {
    if (record->is_tube) return record->tps >= 0;
    bool prioritized = record->priority >= 1 && record->priority < AQ_PRIORITY_BUCKETS &&
                       record->own_priority >= 0 && record->own_priority < AQ_PRIORITY_BUCKETS;
    return record->job_id.len > 0 && record->job_id.len <= AQ_JOB_REF_CHARS_MAX && prioritized &&
           (unsigned)record->state < AQ_JOB_STATE_COUNT && record->ttl_s >= 0 &&
           record->ttl_s <= AQ_SECONDS_MAX;
}

/* Is this where AllQueue does not look, or where it looks for another name? */
static bool is_overlooked(const struct aq_server *server, const struct aq_job_record *record) {
    if (record->state == AQ_JOB_BURIED) return server->policy->restart_forgets_buried;
    bool by_tube = record->state == AQ_JOB_READY || record->state == AQ_JOB_DELAYED;
    return by_tube && server->policy->tube_names_are_paths && record->tube.len &&
           memchr(record->tube.at, '/', record->tube.len);
}

/* The file under the former id is left or removed; the new one is written when the job next changes. */
static void save_renamed(struct aq_server *server, const struct aq_job_record *record,
                         const struct aq_stored_job *job) {
    if (server->policy->restart_revives_done || !server->persistent) return;
    struct aq_server_effect *effect = aq_server_tell(server, AQ_SERVER_UNPERSIST);
    effect->record = (struct aq_job_record){.job_id = record->job_id, .folder = record->folder};
    server->writes++;
    aq_server_save(server, job, AQ_JOB_READY, AQ_SAVE_IN_PLACE);
}

int aq_server_restore(struct aq_server *server, const struct aq_job_record *record) {
    if (!is_valid(record)) return AQ_EINVALID;
    if (record->is_tube) return restore_tube(server, record);
    if (is_overlooked(server, record)) return 0;
    struct aq_tube *tube = aq_server_tube(server, record->tube, true);
    if (!tube) return AQ_ENOMEM;
    uint32_t index = (uint32_t)(tube - server->tubes.items), slot;
    bool renamed = record->state == AQ_JOB_READY && server->policy->restart_renames_ready;
    int rc = renamed ? add_renamed(server, record, &slot) : add_as_it_was(server, record, &slot);
    if (rc) return rc;
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->tube = index;
    job->state = (uint8_t)record->state;
    if (job->state == AQ_JOB_PARENT && (rc = add_parent(server, record, job))) return rc;
    aq_server_enter(server, slot);
    if (renamed) save_renamed(server, record, job);
    struct aq_tap *tap = aq_server_tap(server, AQ_TAP_RESTORED, job, record->state, false);
    if (tap && renamed) tap->former_id = record->job_id;
    if (tap && job->state == AQ_JOB_PARENT) {
        tap->children = record->children;
        tap->limit = record->limit;
    }
    return 0;
}
