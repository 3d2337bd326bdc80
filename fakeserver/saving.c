/* What is to be written to disk. A server that keeps one record for each job replaces it in one go; AllQueue
 * has a file for each job and state, and writes and removes them one after the other. */
#include "base/error.h"
#include "fakeserver/internal.h"

struct aq_job_record aq_server_record(const struct aq_server *server, const struct aq_stored_job *job) {
    bool has_due = job->state == AQ_JOB_RESERVED || job->state == AQ_JOB_DELAYED;
    struct aq_job_record record = {
        .state = job->state,
        .job_id = aq_job_id(job),
        .tube = aq_server_tube_of(server, job)->name,
        .body = aq_job_body(job),
        .priority = job->priority,
        .own_priority = job->own_priority,
        .expired_limit = job->expired_limit,
        .ttl_s = job->ttl_s,
        .expireds = job->expireds,
        .releases = job->releases,
        .parent_hash = job->parent,
        .folder = server->policy->moves_in_steps ? (uint8_t)(1 + job->state) : 0,
    };
    if (has_due || job->state == AQ_JOB_PARENT) record.due_us = job->due - AQ_CLOCK_ZERO;
    if (job->state != AQ_JOB_PARENT) return record;
    const struct aq_parent *parent = aq_parent_of(server, job);
    bool reset = server->policy->restart_resets_parents;
    record.children = reset ? 0 : parent->children;
    record.started = reset ? 0 : parent->started;
    record.limit = reset ? -1 : parent->limit;
    record.delay_s = parent->delay_s;
    record.run_on_timeout = parent->run_on_timeout;
    record.noop = parent->noop;
    return record;
}

/* Counts a write that the full disk does not take. */
static void count_failed(struct aq_server *server) {
    for (uint32_t i = 0; i < server->rule_count; i++) {
        struct aq_fault_rule *rule = &server->rules[i];
        if (rule->kind != AQ_SERVER_FAULT_DISK_FULL) continue;
        rule->matched++;
        rule->touched++;
        return;
    }
}

/* A full disk takes nothing new. What replaces a record of the same size needs no room. */
static bool write_fails(struct aq_server *server) {
    if (!server->disks_full || !server->policy->disk_errors_ignored) return false;
    count_failed(server);
    return true;
}

static void write(struct aq_server *server, const struct aq_job_record *record) {
    if (write_fails(server)) return;
    aq_server_tell(server, AQ_SERVER_PERSIST)->record = *record;
    server->writes++;
}

static void remove_file(struct aq_server *server, uint8_t folder, struct aq_text job_id) {
    aq_server_tell(server, AQ_SERVER_UNPERSIST)->record =
        (struct aq_job_record){.folder = folder, .job_id = job_id};
    server->writes++;
}

void aq_server_save(struct aq_server *server, const struct aq_stored_job *job, enum aq_job_state before,
                    enum aq_saving saving) {
    if (!server->persistent) return;
    struct aq_job_record record = aq_server_record(server, job);
    bool apart = record.folder && before != job->state && saving != AQ_SAVE_IN_PLACE;
    uint8_t old = (uint8_t)(1 + before);
    if (apart && saving == AQ_SAVE_REMOVE_FIRST) remove_file(server, old, record.job_id);
    if (apart && saving == AQ_SAVE_RENAME) record.moved_from = old;
    write(server, &record);
    if (apart && saving == AQ_SAVE_WRITE_FIRST) remove_file(server, old, record.job_id);
}

void aq_server_unsave(struct aq_server *server, const struct aq_stored_job *job) {
    if (!server->persistent) return;
    remove_file(server, server->policy->moves_in_steps ? (uint8_t)(1 + job->state) : 0, aq_job_id(job));
}

void aq_server_save_tube(struct aq_server *server, const struct aq_tube *tube) {
    if (!server->persistent) return;
    bool paused = tube->paused && !server->policy->restart_forgets_pause;
    struct aq_job_record record = {
        .is_tube = true, .tube = tube->name, .tps = tube->throttle.tps, .paused = paused};
    if (record.tps > 0 || paused) {
        write(server, &record);
        return;
    }
    aq_server_tell(server, AQ_SERVER_UNPERSIST)->record = record;
    server->writes++;
}

bool aq_server_disk_refuses(struct aq_server *server, const struct aq_request *request,
                            struct aq_reply *reply) {
    if (!server->disks_full || !server->persistent || server->policy->disk_errors_ignored) return false;
    count_failed(server);
    aq_server_refuse(server, request, reply, AQ_TEXT("No space left on device"));
    return true;
}
