/* What is on disk, and what a start makes of it. */
#include "tests/fakeserver_model/model_parts.h"

#include "base/error.h"

static uint32_t folder_of(const struct model *model, enum aq_job_state state) {
    return model->policy.moves_in_steps ? 1 + (uint32_t)state : 0;
}

static uint32_t file_at(const struct model *model, uint32_t folder, uint32_t name) {
    uint32_t at = 0;
    while (at < model->file_count && (model->files[at].is_tube || model->files[at].folder != folder ||
                                      model->files[at].job.name != name))
        at++;
    return at;
}

static void write(struct model *model, struct model_file file, uint32_t at) {
    AQ_ASSERT(at < MODEL_FILES_MAX);
    if (at == model->file_count) model->file_count++;
    model->files[at] = file;
}

static void erase(struct model *model, uint32_t at) {
    if (at < model->file_count) model->files[at] = model->files[--model->file_count];
}

struct model_job model_record(const struct model *model, const struct model_job *job) {
    struct model_job record = *job;
    if (job->state != AQ_JOB_PARENT || !model->policy.restart_resets_parents) return record;
    record.children = record.started = 0;
    record.limit = -1;
    return record;
}

void model_save(struct model *model, const struct model_job *job, enum aq_job_state before) {
    if (!model->setup->persistent) return;
    uint32_t folder = folder_of(model, job->state), former = folder_of(model, before);
    if (former != folder) erase(model, file_at(model, former, job->name));
    struct model_file file = {.folder = folder, .job = model_record(model, job)};
    write(model, file, file_at(model, folder, job->name));
}

void model_unsave(struct model *model, const struct model_job *job) {
    if (!model->setup->persistent) return;
    erase(model, file_at(model, folder_of(model, job->state), job->name));
}

void model_save_tube(struct model *model, int tube) {
    if (!model->setup->persistent) return;
    uint32_t at = 0;
    while (at < model->file_count && !(model->files[at].is_tube && model->files[at].job.tube == tube))
        at++;
    struct model_file file = {.is_tube = true, .job.tube = tube};
    file.paused = model->tubes[tube].paused && !model->policy.restart_forgets_pause;
    file.tps = model->tubes[tube].throttle;
    if (file.paused || file.tps > 0)
        write(model, file, at);
    else
        erase(model, at);
}

static void restore_tube(struct model *model, const struct model_file *file) {
    struct model_tube *tube = model_tube_of(model, file->job.tube);
    tube->paused = file->paused;
    tube->throttle_waits = file->tps;
}

void model_restored(struct model *model) {
    for (int i = 0; i < TUBES; i++) {
        struct model_tube *tube = &model->tubes[i];
        bool holds = model_count_of(model, i, AQ_JOB_READY) || model_count_of(model, i, AQ_JOB_DELAYED);
        if (holds || !model->policy.restart_forgets_throttle) tube->throttle = tube->throttle_waits;
        tube->throttle_waits = 0;
    }
}

void model_restore(struct model *model, const struct model_file *file, struct seen *seen) {
    model->seen = seen;
    if (file->is_tube) {
        restore_tube(model, file);
        return;
    }
    struct model_job job = file->job;
    enum aq_job_state state = job.state;
    if (state == AQ_JOB_BURIED && model->policy.restart_forgets_buried) return;
    bool renames = state == AQ_JOB_READY && model->policy.restart_renames_ready;
    if (!renames && model_find(model, job.name)) {
        struct line *line = seen_line(seen, "step_failed");
        line->at_us = (int64_t)model->now_us;
        line->value = AQ_EEXISTS;
        return;
    }
    uint32_t former = renames ? job.name : 0;
    if (renames && !model->policy.restart_revives_done) erase(model, file_at(model, file->folder, job.name));
    if (renames) {
        job.name = RENAMED_FIRST + model->renamed++;
        job.ttl_s = model->setup->default_ttl_s;
        job.expired_limit = EXPIRED_LIMIT_DEFAULT;
        job.expireds = job.releases = 0;
        job.has_parent = false;
        job.parent = 0;
    }
    if (state == AQ_JOB_READY && (renames || model->policy.priority_lost_on_expiry))
        job.priority = PRIORITY_DEFAULT;
    if (renames) job.own_priority = PRIORITY_DEFAULT;
    model_move(model, &job, state);
    job.due_us = file->job.due_us;
    if (state == AQ_JOB_RESERVED) {
        job.lease = ++model->leases;
        if (planted(model, PLANT_RESTART_LEASE)) job.due_us = model_span_end_us(model->now_us, job.ttl_s);
    }
    model_tube_of(model, job.tube);
    const struct model_job *held = model_add(model, job);
    if (renames && !model->policy.restart_revives_done) model_save(model, held, state);
    struct line *line = model_tap(model, AQ_TAP_RESTORED, held);
    line->former = former;
    line->lease = (int64_t)job.lease;
    if (state == AQ_JOB_RESERVED) line->due_us = (int64_t)job.due_us;
    if (state == AQ_JOB_PARENT) {
        line->children = job.children;
        line->limit = job.limit;
    }
}
