/* Jobs: put, get, what a holder may do, kick, peek and clear. */
#include "tests/fakeserver_model/model_parts.h"

/* ---- which job ---- */

static struct model_job *chosen_of(struct model *model, int tube, enum aq_job_state state, bool newest) {
    struct model_job *best = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->state != state || job->tube != tube) continue;
        bool better = !best;
        if (best && newest)
            better = job->order > best->order;
        else if (best && state == AQ_JOB_READY && job->priority != best->priority)
            better = job->priority < best->priority;
        else if (best)
            better = job->order < best->order;
        if (better) best = job;
    }
    return best;
}

/* Of a fair queue: of the first shard that has one. */
static struct model_job *chosen_in_reach(struct model *model, int tube, enum aq_job_state state,
                                         bool newest) {
    int reached[1 + SHARDS_MAX];
    uint32_t count = model_reach(model, tube, asked(model)->action == AQ_ACTION_PEEK, reached);
    struct model_job *job = NULL;
    for (uint32_t i = 0; i < count && !job; i++)
        job = chosen_of(model, reached[i], state, newest);
    return job;
}

/* The lowest priority where that counts, then the oldest. */
struct model_job *model_first_of(struct model *model, int tube, enum aq_job_state state) {
    return chosen_of(model, tube, state, false);
}

uint32_t model_count_of(const struct model *model, int tube, enum aq_job_state state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->job_count; i++)
        count += model->jobs[i].tube == tube && model->jobs[i].state == state;
    return count;
}

/* ---- put ---- */

static int64_t clamped(const struct model *model, int64_t priority) {
    if (priority < 1) return 1;
    if (priority > 9) return planted(model, PLANT_PUT_PRIORITY) ? 8 : 9;
    return priority;
}

struct model_job model_job_asked(struct model *model, int tube) {
    const struct aq_request *request = asked(model);
    struct model_job job = {.name = model->operation->serial, .tube = tube};
    job.body = given(model, AQ_PARAM_BODY) ? model->operation->serial : 0;
    job.priority = given(model, AQ_PARAM_PRIORITY) ? clamped(model, request->priority) : PRIORITY_DEFAULT;
    job.own_priority = job.priority;
    job.ttl_s = given(model, AQ_PARAM_TTL) ? model_span_s(request->ttl_s) : model->setup->default_ttl_s;
    job.expired_limit = given(model, AQ_PARAM_EXPIRED_LIMIT) ? request->expired_limit : EXPIRED_LIMIT_DEFAULT;
    job.has_parent = given(model, AQ_PARAM_PARENT_ID);
    if (job.has_parent) job.parent = model->operation->parent;
    return job;
}

void model_put(struct model *model) {
    if (model_lacks(model, AQ_PARAM_TUBE)) return;
    model->puts++;
    bool orphan = !model_parent_lets(model);
    bool refused = orphan && !model->policy.parent_unknown_after_put;
    int tube = refused ? NO_TUBE : model_put_tube(model);
    if (tube == NO_TUBE) {
        model_fail(model);
        return;
    }
    struct model_job *job = model_add(model, model_job_asked(model, tube));
    model_move_after(model, job, given(model, AQ_PARAM_DELAY) ? asked(model)->delay_s : 0);
    model_save(model, job, job->state);
    model_tap(model, AQ_TAP_PUT, job);
    model_child_put(model, job);
    if (orphan)
        model_reply(model, AQ_REPLY_ERROR)->error = true;
    else
        model_reply(model, AQ_REPLY_RESPONSE)->job = model->operation->serial;
}

/* ---- get ---- */

struct model_job *model_take(struct model *model, int number) {
    struct model_tube *tube = model_tube_make(model, number);
    if (tube->paused || !model_throttle_lets(model, tube)) return NULL;
    struct model_job *job = chosen_of(model, number, AQ_JOB_READY, planted(model, PLANT_GET_ORDER));
    if (job || model->policy.throttle_counts_empty) model_throttle_count(model, tube);
    return job;
}

static void lease(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    model_move(model, job, AQ_JOB_RESERVED);
    job->lease = ++model->leases;
    job->due_us = model_span_end_us(model->now_us, job->ttl_s) + planted(model, PLANT_GET_TTL);
    model_save(model, job, before.state);
    struct line *line = model_tap_change(model, AQ_TAP_LEASE, job, &before);
    line->lease = (int64_t)job->lease;
    line->due_us = (int64_t)job->due_us;
}

/* A job is gone. */
static void end(struct model *model, enum aq_tap_kind kind, struct model_job *job) {
    struct model_job ended = *job;
    bool cleared = kind == AQ_TAP_CLEARED;
    if (job->state == AQ_JOB_RESERVED || kind == AQ_TAP_TAKEN)
        if (!cleared || model->policy.stats_count_all_ends) model_completed(model, job);
    bool stays =
        kind == AQ_TAP_DELETED && job->state == AQ_JOB_READY && model->policy.delete_ready_keeps_file;
    if (!stays) model_unsave(model, job);
    struct line *line = model_tap_change(model, kind, job, job);
    line->state = 0;
    line->due_us = 0;
    line->children = line->limit = 0;
    if (kind == AQ_TAP_TAKEN) line->lease = (int64_t)++model->leases;
    model_take_out(model, job);
    model_child_ended(model, &ended, kind);
}

static void job_lines(struct model *model, struct line *head, const struct model_job *jobs, uint32_t count) {
    head->jobs = count;
    for (uint32_t i = 0; i < count; i++) {
        struct line *line = seen_line(model->seen, "job");
        line->job = jobs[i].name;
        line->tube = model_tube_told(model, jobs[i].tube);
        line->body = jobs[i].body;
        line->expireds = jobs[i].expireds;
        line->releases = jobs[i].releases;
    }
}

/* The release goes on asking, but only its throttle notices. */
static void ask_in_vain(struct model *model, int number, int64_t times) {
    struct model_tube *tube = &model->tubes[number];
    if (!model->policy.throttle_counts_each || !model->policy.throttle_counts_empty) return;
    for (int64_t i = 0; i < times && !tube->paused && model_throttle_lets(model, tube); i++)
        model_throttle_count(model, tube);
}

void model_get(struct model *model) {
    const struct aq_request *request = asked(model);
    int tube = model->operation->tube;
    if (model_lacks(model, AQ_PARAM_TUBE)) return;
    model->gets++;
    if (model_redirected(model)) return;
    if (!tube_is_queue(tube))
        model_tube_make(model, tube);
    else
        model_tube_of(model, tube);
    model->tubes[tube].used_us = model->now_us;
    int64_t wanted = given(model, AQ_PARAM_COUNT) ? request->count : 1;
    bool many = wanted != 1;
    if (planted(model, PLANT_GET_MANY_SHORT) && wanted > 1) wanted--;
    bool removes = given(model, AQ_PARAM_REMOVE) && (request->remove || model->policy.delete_by_presence);
    if (planted(model, PLANT_GET_DELETE)) removes = false;
    struct model_job found[MODEL_JOBS_MAX];
    uint32_t count = 0;
    for (int64_t i = 0; i < wanted; i++) {
        struct model_job *job = tube_is_queue(tube) ? model_take_fair(model, tube) : model_take(model, tube);
        if (!job) {
            ask_in_vain(model, tube, wanted - i - 1);
            break;
        }
        if (!removes) lease(model, job);
        found[count++] = *job;
        if (removes) end(model, AQ_TAP_TAKEN, job);
    }
    if (count == 0) model_tap(model, AQ_TAP_EMPTY, NULL)->tube = tube;
    struct line *line = model_reply(model, AQ_REPLY_RESPONSE);
    line->many = many;
    job_lines(model, line, found, count);
}

void model_peek(struct model *model) {
    int number = model->operation->tube;
    if (model_lacks(model, AQ_PARAM_TUBE)) return;
    bool buried = given(model, AQ_PARAM_BURIED) && asked(model)->buried;
    if (model->policy.looking_makes_tube && !buried) model_tube_make(model, number);
    enum aq_job_state state = buried ? AQ_JOB_BURIED : AQ_JOB_READY;
    struct model_job *job = chosen_in_reach(model, number, state, planted(model, PLANT_PEEK_LAST));
    if (planted(model, PLANT_PAUSE_PEEK) && model->tubes[number].paused) job = NULL;
    struct model_job found = job ? *job : (struct model_job){0};
    job_lines(model, model_reply(model, AQ_REPLY_RESPONSE), &found, job != NULL);
}

/* ---- leases that run out ---- */

void model_expire(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    if (model->policy.stats_count_all_ends) model_completed(model, job);
    if (!planted(model, PLANT_EXPIRY_COUNT)) job->expireds++;
    int64_t limit = job->expired_limit + planted(model, PLANT_EXPIRY_LIMIT);
    bool buried = (int64_t)job->expireds >= limit;
    model_move(model, job, buried ? AQ_JOB_BURIED : AQ_JOB_READY);
    if (planted(model, PLANT_EXPIRY_ORDER)) job->order = 0;
    if (model->policy.priority_lost_on_expiry) job->priority = PRIORITY_DEFAULT;
    model_save(model, job, before.state);
    model_tap_change(model, AQ_TAP_EXPIRED, job, &before);
    before = *job;
    model_child_ended(model, &before, AQ_TAP_EXPIRED);
}

/* ---- completions ---- */

static void reply_job_id(struct model *model, bool error) {
    struct line *line = model_reply(model, AQ_REPLY_RESPONSE);
    line->job = model->operation->job;
    line->error = error;
}

static void missed(struct model *model, const struct model_job *job) {
    struct line *line = model_tap(model, AQ_TAP_MISSED, job);
    line->job = model->operation->job;
    if (!job) line->tube = model->operation->tube;
}

/* The job asked for, if a client holds it. Else the miss is told, and `error` in the reply if there is one.
 */
static struct model_job *held(struct model *model, bool error) {
    struct model_job *job = model_job_of(model, model->operation->job);
    if (job && job->state == AQ_JOB_RESERVED) return job;
    missed(model, job);
    reply_job_id(model, error);
    return NULL;
}

void model_done(struct model *model) {
    if (model_lacks(model, AQ_PARAM_JOB_ID)) return;
    struct model_job *job = model_job_of(model, model->operation->job);
    bool wrong = planted(model, PLANT_DONE_OF_READY) && job && job->state == AQ_JOB_READY;
    if (!wrong) job = held(model, true);
    if (!job || model_child_fails(model, job)) return;
    end(model, AQ_TAP_DONE, job);
    reply_job_id(model, false);
}

void model_delete(struct model *model) {
    struct model_job *job = model_job_of(model, model->operation->job);
    bool finds = job != NULL, error = false;
    if (job && model->policy.delete_ready_reports_error) {
        bool tube_fits = given(model, AQ_PARAM_TUBE) && model->operation->tube == job->tube;
        error = job->state == AQ_JOB_READY;
        finds = job->state == AQ_JOB_RESERVED || job->state == AQ_JOB_BURIED ||
                (job->state == AQ_JOB_READY && tube_fits);
    }
    if (planted(model, PLANT_DELETE_OF_BURIED) && job && job->state == AQ_JOB_BURIED) finds = false;
    if (finds && job->state == AQ_JOB_RESERVED && model_child_fails(model, job)) return;
    if (finds)
        end(model, AQ_TAP_DELETED, job);
    else
        missed(model, job);
    reply_job_id(model, error || !finds);
}

void model_touch(struct model *model) {
    if (model_lacks(model, AQ_PARAM_JOB_ID)) return;
    struct model_job *job = held(model, !model->policy.touch_unknown_ok);
    if (!job) return;
    aq_time_us from_us = planted(model, PLANT_TOUCH_ADDS) ? job->due_us : model->now_us;
    job->due_us = model_span_end_us(from_us, job->ttl_s);
    job->since_us = model->now_us;
    if (!model->policy.touch_not_saved) model_save(model, job, job->state);
    struct line *line = model_tap_change(model, AQ_TAP_TOUCHED, job, job);
    line->due_us = (int64_t)job->due_us;
    reply_job_id(model, false);
}

void model_release(struct model *model) {
    if (model_lacks(model, AQ_PARAM_JOB_ID)) return;
    struct model_job *job = held(model, !model->policy.touch_unknown_ok);
    if (!job) return;
    struct model_job before = *job;
    job->releases++;
    int64_t limit = job->expired_limit * 2 - planted(model, PLANT_RELEASE_LIMIT);
    bool buries = (int64_t)job->releases > limit;
    if (!buries) job->priority = job->own_priority;
    if (buries && model->policy.stats_count_all_ends) model_completed(model, job);
    if (buries)
        model_move(model, job, AQ_JOB_BURIED);
    else
        model_move_after(model, job, given(model, AQ_PARAM_DELAY) ? asked(model)->delay_s : 0);
    if (planted(model, PLANT_RELEASE_PRIORITY)) job->priority = PRIORITY_DEFAULT;
    model_save(model, job, before.state);
    model_tap_change(model, job->state == AQ_JOB_BURIED ? AQ_TAP_AUTOBURIED : AQ_TAP_RELEASED, job, &before);
    before = *job;
    if (before.state == AQ_JOB_BURIED) model_child_ended(model, &before, AQ_TAP_AUTOBURIED);
    reply_job_id(model, false);
}

void model_bury(struct model *model) {
    struct model_job *job = held(model, true);
    if (!job) return;
    struct model_job before = *job;
    if (model->policy.stats_count_all_ends) model_completed(model, job);
    model_move(model, job, AQ_JOB_BURIED);
    if (planted(model, PLANT_BURY_COUNTS)) job->expireds++;
    model_save(model, job, before.state);
    model_tap_change(model, AQ_TAP_BURIED, job, &before);
    before = *job;
    model_child_ended(model, &before, AQ_TAP_BURIED);
    reply_job_id(model, model->policy.bury_reports_error);
}

/* ---- kick and clear ---- */

void model_kick(struct model *model) {
    int tube = model->operation->tube;
    bool names_job = given(model, AQ_PARAM_JOB_ID) && !model->policy.kick_ignores_job_id;
    if (!names_job && model_lacks(model, AQ_PARAM_TUBE)) return;
    struct model_job *job =
        names_job ? model_job_of(model, model->operation->job)
                  : chosen_in_reach(model, tube, AQ_JOB_BURIED, planted(model, PLANT_KICK_NEWEST));
    if (names_job && (!job || job->state != AQ_JOB_BURIED)) {
        missed(model, NULL);
        reply_job_id(model, true);
        return;
    }
    uint32_t name = job ? job->name : 0;
    if (job) {
        struct model_job before = *job;
        model_move(model, job, AQ_JOB_READY);
        if (model->policy.priority_lost_on_expiry) job->priority = PRIORITY_DEFAULT;
        if (!model->policy.kick_keeps_counts) job->expireds = job->releases = 0;
        model_save(model, job, before.state);
        model_tap_change(model, AQ_TAP_KICKED, job, &before);
    }
    model_reply(model, AQ_REPLY_RESPONSE)->job = name;
}

/* A job that clear takes out; in which order is the core's choice. */
static struct model_job *cleared_next(struct model *model, int tube) {
    struct model_job *next = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->tube != tube) continue;
        if (job->state == AQ_JOB_READY && model->policy.clear_through_get) continue;
        if (job->state == AQ_JOB_DELAYED && planted(model, PLANT_CLEAR_DELAYED)) continue;
        if (!next || model_told_at(model, job->name) < model_told_at(model, next->name)) next = job;
    }
    return next;
}

/* The files of jobs that stay: of this tube, or of all. */
static void unsave_others(struct model *model, int tube, enum aq_job_state state) {
    if (!model->policy.clear_unsaves_others) return;
    for (uint32_t i = 0; i < model->job_count; i++)
        if (model->jobs[i].state == state && (tube == NO_TUBE || model->jobs[i].tube == tube))
            model_unsave(model, &model->jobs[i]);
}

static void clear(struct model *model, int number) {
    struct model_job *job;
    if (model->policy.clear_through_get)
        while (model_count_of(model, number, AQ_JOB_READY) && (job = model_take(model, number)))
            end(model, AQ_TAP_CLEARED, job);
    unsave_others(model, number, AQ_JOB_READY);
    while ((job = cleared_next(model, number)))
        end(model, AQ_TAP_CLEARED, job);
    unsave_others(model, NO_TUBE, AQ_JOB_RESERVED);
}

void model_clear(struct model *model) {
    int number = model->operation->tube;
    if (given(model, AQ_PARAM_TUBE)) {
        if (model->policy.looking_makes_tube) model_tube_make(model, number);
        int reached[1 + SHARDS_MAX];
        uint32_t count = model_reach(model, number, false, reached);
        for (uint32_t i = 0; i < count; i++)
            if (model->tubes[reached[i]].known) clear(model, reached[i]);
    }
    model_reply(model, AQ_REPLY_RESPONSE);
}
