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
    job->priority = AQ_PRIORITY_DEFAULT;
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
    job->expired_limit = record->expired_limit;
    job->ttl_s = record->ttl_s;
    job->expireds = record->expireds;
    job->releases = record->releases;
    if (record->state == AQ_JOB_RESERVED || record->state == AQ_JOB_DELAYED)
        job->due = record->due_us + AQ_CLOCK_ZERO;
    if (record->state == AQ_JOB_RESERVED) job->lease = ++server->leases_made;
    return 0;
}

int aq_server_restore(struct aq_server *server, const struct aq_job_record *record) {
    if (record->job_id.len == 0 || record->job_id.len > AQ_JOB_REF_CHARS_MAX || record->priority < 1 ||
        record->priority >= AQ_PRIORITY_BUCKETS || (unsigned)record->state >= AQ_JOB_STATE_COUNT ||
        record->ttl_s < 0 || record->ttl_s > AQ_SECONDS_MAX)
        return AQ_EINVALID;
    if (record->state == AQ_JOB_BURIED && server->policy->restart_forgets_buried) return 0;
    uint32_t tube, slot;
    int rc = aq_tubes_make(&server->tubes, record->tube, &tube);
    if (rc) return rc;
    bool renamed = record->state == AQ_JOB_READY && server->policy->restart_renames_ready;
    rc = renamed ? add_renamed(server, record, &slot) : add_as_it_was(server, record, &slot);
    if (rc) return rc;
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    job->tube = tube;
    job->state = (uint8_t)record->state;
    aq_server_enter(server, slot);
    if (renamed) {
        if (!server->policy->restart_revives_done) aq_server_unpersist(server, record->job_id);
        aq_server_persist(server, job);
    }
    struct aq_tap *tap = aq_server_tap(server, AQ_TAP_RESTORED, job, record->state, false);
    if (tap && renamed) tap->former_id = record->job_id;
    return 0;
}
