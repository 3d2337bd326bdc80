#include "tests/fakeserver_model/model.h"

#include <math.h>
#include <string.h>

#define PRIORITY_DEFAULT      5
#define EXPIRED_LIMIT_DEFAULT 3
#define ENDLESS_S             INT64_C(1000000000000)

static const struct aq_server_policy *policy(const struct model *model) {
    return &model->policy;
}

static bool planted(const struct model *model, enum plant plant) {
    return model->plant == plant;
}

static const struct aq_request *asked(const struct model *model) {
    return &model->operation->request;
}

static bool given(const struct model *model, uint32_t params) {
    return (asked(model)->given & params) == params;
}

/* ---- what can be seen ---- */

static struct line *line_of(struct model *model, const char *word) {
    struct line *line = seen_line(model->seen, word);
    line->at_us = (int64_t)(model->told_us ? model->told_us : model->now_us);
    if (model->operation) {
        line->correlation = model->operation->serial;
        line->peer = operation_peer(model->operation);
    } else
        line->peer = UINT32_MAX;
    return line;
}

static struct line *tap(struct model *model, enum aq_tap_kind kind, const struct model_job *job) {
    struct line *line = line_of(model, aq_tap_word(kind));
    line->action = AQ_ACTION_COUNT;
    if (model->operation && model->operation->kind == OPERATION_REQUEST) line->action = asked(model)->action;
    line->tube = NO_TUBE;
    if (!job) return line;
    line->job = job->name;
    line->state = job->state;
    line->tube = job->tube;
    line->body = job->body;
    line->priority = job->priority;
    line->expireds = job->expireds;
    line->ttl_s = job->ttl_s;
    line->due_us = job->state == AQ_JOB_DELAYED ? (int64_t)job->due_us : 0;
    return line;
}

/* A tap about a job that was in another state, or the same, until now. */
static struct line *tap_change(struct model *model, enum aq_tap_kind kind, const struct model_job *job,
                               const struct model_job *before) {
    struct line *line = tap(model, kind, job);
    line->before = before->state;
    line->lease = (int64_t)before->lease;
    return line;
}

static struct line *reply(struct model *model, enum aq_reply_kind kind) {
    struct line *line = line_of(model, "reply");
    line->kind = kind;
    line->action = model->operation->kind == OPERATION_REQUEST
                       ? aq_action_answered_as((enum aq_action)asked(model)->action)
                       : AQ_ACTION_PING;
    return line;
}

static void reply_job_id(struct model *model, bool error) {
    struct line *line = reply(model, AQ_REPLY_RESPONSE);
    line->job = model->operation->job;
    line->error = error;
}

static void fail(struct model *model) {
    struct line *line = tap(model, AQ_TAP_FAILED, NULL);
    line->tube = model->operation->tube;
    line->job = model->operation->job;
    reply(model, AQ_REPLY_ERROR)->error = true;
}

/* ---- jobs ---- */

const struct model_job *model_find(const struct model *model, uint32_t name) {
    for (uint32_t i = 0; i < model->job_count; i++)
        if (model->jobs[i].name == name) return &model->jobs[i];
    return NULL;
}

static struct model_job *find(struct model *model, uint32_t name) {
    return (struct model_job *)model_find(model, name);
}

static struct model_job *add(struct model *model, struct model_job job) {
    AQ_ASSERT(model->job_count < MODEL_JOBS_MAX);
    model->jobs[model->job_count] = job;
    return &model->jobs[model->job_count++];
}

static void leave(struct model *model, struct model_job file) {
    AQ_ASSERT(model->left_count < MODEL_JOBS_MAX);
    model->left[model->left_count++] = file;
}

static void take_out(struct model *model, struct model_job *job) {
    *job = model->jobs[--model->job_count];
}

static void move(struct model *model, struct model_job *job, enum aq_job_state state) {
    job->state = state;
    job->order = ++model->orders;
    job->lease = 0;
    job->due_us = 0;
    job->since_us = model->now_us;
    job->priority_on_disk = 0;
    if (state == AQ_JOB_READY || state == AQ_JOB_DELAYED) model->tubes[job->tube].ready_queue = true;
}

static int64_t clamped(const struct model *model, int64_t priority) {
    if (priority < 1) return 1;
    if (priority > 9 && !planted(model, PLANT_PUT_PRIORITY)) return 9;
    return priority > 9 ? 8 : priority;
}

/* The job of a tube in a state that comes first: the lowest priority where that counts, then the oldest. */
static struct model_job *first_of(struct model *model, int tube, enum aq_job_state state) {
    struct model_job *best = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->tube != tube || job->state != state) continue;
        bool better = !best;
        if (best && state == AQ_JOB_READY && job->priority != best->priority)
            better = job->priority < best->priority;
        else if (best)
            better = job->order < best->order;
        if (better) best = job;
    }
    return best;
}

static struct model_job *newest_of(struct model *model, int tube, enum aq_job_state state) {
    struct model_job *best = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->tube == tube && job->state == state && (!best || job->order > best->order)) best = job;
    }
    return best;
}

static uint32_t count_of(const struct model *model, int tube, enum aq_job_state state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->job_count; i++)
        count += model->jobs[i].tube == tube && model->jobs[i].state == state;
    return count;
}

/* ---- tubes ---- */

static struct model_tube *tube_of(struct model *model, int tube) {
    struct model_tube *found = &model->tubes[tube];
    if (!found->known) {
        found->known = true;
        model->tube_order[model->tube_count++] = tube;
    }
    return found;
}

/* A job of the tube was finished after it was held this long. */
static void completed(struct model *model, int number, aq_time_us span_us) {
    struct model_tube *tube = tube_of(model, number);
    if (tube->held == MODEL_HELD_MAX) {
        memmove(tube->held_us, tube->held_us + 1, sizeof tube->held_us - sizeof tube->held_us[0]);
        tube->held--;
    }
    tube->held_us[tube->held++] = span_us;
    AQ_ASSERT(tube->done < MODEL_DONE_MAX);
    tube->done_us[tube->done++] = model->now_us;
}

/* ---- time ---- */

/* Spans that would not fit are as good as endless. */
static int64_t sensible(int64_t span_s) {
    if (span_s > ENDLESS_S) return ENDLESS_S;
    return span_s > 0 ? span_s : 0;
}

static aq_time_us span_end_us(aq_time_us from_us, int64_t span_s) {
    return from_us + (aq_time_us)sensible(span_s) * AQ_US_PER_S;
}

aq_time_us model_noticed_us(const struct model *model, const struct model_job *job) {
    aq_time_us sweep_us =
        job->state == AQ_JOB_RESERVED ? policy(model)->lease_sweep_us : policy(model)->delay_sweep_us;
    aq_time_us over_us = job->due_us;
    /* whole seconds: the second of the end is less than that of the clock */
    if (policy(model)->whole_seconds) over_us = (over_us / AQ_US_PER_S + 1) * AQ_US_PER_S;
    if (sweep_us == 0) return over_us;
    aq_time_us tick_us = model->started_us + sweep_us;
    aq_time_us from_us = job->since_us + 1; /* a sweep at that very moment was before the request */
    if (over_us > from_us) from_us = over_us;
    if (tick_us >= from_us) return tick_us;
    return tick_us + (from_us - tick_us + sweep_us - 1) / sweep_us * sweep_us;
}

static void expire(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    if (!planted(model, PLANT_EXPIRY_COUNT)) job->expireds++;
    int64_t limit = job->expired_limit + planted(model, PLANT_EXPIRY_LIMIT);
    bool buried = (int64_t)job->expireds >= limit;
    move(model, job, buried ? AQ_JOB_BURIED : AQ_JOB_READY);
    if (planted(model, PLANT_EXPIRY_ORDER)) job->order = 0;
    if (policy(model)->priority_lost_on_expiry) job->priority = PRIORITY_DEFAULT;
    tap_change(model, AQ_TAP_EXPIRED, job, &before);
}

static void mature(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    move(model, job, AQ_JOB_READY);
    tap_change(model, AQ_TAP_MATURED, job, &before);
}

/* Where the core tells next about this job. */
static uint32_t told_at(const struct model *model, uint32_t name) {
    uint32_t at = model->seen->count;
    while (at < model->by_core->count && model->by_core->lines[at].job != name)
        at++;
    return at;
}

/* Which of two spans is noticed first: leases before delays, then what was over first. Nothing is promised
   about ends of the same moment: there the core may choose. */
static bool is_before(const struct model *model, const struct model_job *a, const struct model_job *b) {
    aq_time_us a_us = model_noticed_us(model, a), b_us = model_noticed_us(model, b);
    if (a_us != b_us && !model->told_us) return a_us < b_us;
    if (a->state != b->state) return a->state == AQ_JOB_RESERVED;
    aq_time_us unit_us = policy(model)->whole_seconds ? AQ_US_PER_S : 1;
    if (a->due_us / unit_us != b->due_us / unit_us) return a->due_us < b->due_us;
    return told_at(model, a->name) < told_at(model, b->name);
}

void model_advance(struct model *model, aq_time_us now_us, bool late, struct seen *seen) {
    AQ_ASSERT(now_us >= model->now_us);
    model->told_us = late ? now_us : 0;
    model->seen = seen;
    model->operation = NULL;
    if (!model->started) model->started_us = now_us;
    model->started = true;
    for (;;) {
        struct model_job *next = NULL;
        for (uint32_t i = 0; i < model->job_count; i++) {
            struct model_job *job = &model->jobs[i];
            if (job->state != AQ_JOB_RESERVED && job->state != AQ_JOB_DELAYED) continue;
            if (model_noticed_us(model, job) > now_us) continue;
            if (!next || is_before(model, job, next)) next = job;
        }
        if (!next) break;
        aq_time_us at_us = model_noticed_us(model, next);
        if (at_us > model->now_us) model->now_us = at_us;
        if (next->state == AQ_JOB_RESERVED)
            expire(model, next);
        else
            mature(model, next);
    }
    model->now_us = now_us;
    model->told_us = 0;
}

/* ---- requests: jobs ---- */

static void delay(struct model *model, struct model_job *job, int64_t delay_s) {
    bool waits = delay_s >= 1 + planted(model, PLANT_PUT_DELAY);
    move(model, job, waits ? AQ_JOB_DELAYED : AQ_JOB_READY);
    if (waits) job->due_us = span_end_us(model->now_us, delay_s);
}

static void put(struct model *model) {
    const struct aq_request *request = asked(model);
    if (!given(model, AQ_PARAM_TUBE)) {
        fail(model);
        return;
    }
    model->puts++;
    tube_of(model, model->operation->tube)->ready_queue = true;
    struct model_job *job =
        add(model,
            (struct model_job){
                .name = model->operation->serial,
                .tube = model->operation->tube,
                .body = given(model, AQ_PARAM_BODY) ? model->operation->serial : 0,
                .priority =
                    given(model, AQ_PARAM_PRIORITY) ? clamped(model, request->priority) : PRIORITY_DEFAULT,
                .ttl_s = given(model, AQ_PARAM_TTL) ? sensible(request->ttl_s) : model->setup->default_ttl_s,
                .expired_limit =
                    given(model, AQ_PARAM_EXPIRED_LIMIT) ? request->expired_limit : EXPIRED_LIMIT_DEFAULT,
            });
    delay(model, job, given(model, AQ_PARAM_DELAY) ? request->delay_s : 0);
    tap(model, AQ_TAP_PUT, job);
    reply(model, AQ_REPLY_RESPONSE)->job = job->name;
}

/* May this get be served by the throttle? Half a get per second is one in two seconds. */
static bool throttle_lets(struct model *model, struct model_tube *tube) {
    if (tube->throttle <= 0) return true;
    double window_s = tube->throttle < 1 ? 1 / tube->throttle : 1;
    aq_time_us window_us = (aq_time_us)llround(window_s * (double)AQ_US_PER_S);
    window_us += planted(model, PLANT_THROTTLE_WINDOW);
    uint32_t calls = 0;
    for (uint32_t i = 0; i < tube->calls; i++)
        calls += model->now_us - tube->calls_us[i] < window_us;
    return (double)calls < tube->throttle;
}

static void throttle_count(struct model *model, struct model_tube *tube) {
    if (tube->throttle <= 0) return;
    if (tube->calls == MODEL_CALLS_MAX) {
        memmove(tube->calls_us, tube->calls_us + 1, sizeof tube->calls_us - sizeof tube->calls_us[0]);
        tube->calls--;
    }
    tube->calls_us[tube->calls++] = model->now_us;
}

/* What the tube gives to one get; NULL for nothing. */
static struct model_job *take(struct model *model, int number) {
    struct model_tube *tube = tube_of(model, number);
    tube->ready_queue = true;
    if (tube->paused || !throttle_lets(model, tube)) return NULL;
    struct model_job *job = planted(model, PLANT_GET_ORDER) ? newest_of(model, number, AQ_JOB_READY)
                                                            : first_of(model, number, AQ_JOB_READY);
    if (job || policy(model)->throttle_counts_empty) throttle_count(model, tube);
    return job;
}

static void lease(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    move(model, job, AQ_JOB_RESERVED);
    job->lease = ++model->leases;
    job->due_us = span_end_us(model->now_us, job->ttl_s) + planted(model, PLANT_GET_TTL);
    struct line *line = tap_change(model, AQ_TAP_LEASE, job, &before);
    line->lease = (int64_t)job->lease;
    line->due_us = (int64_t)job->due_us;
}

static void job_lines(struct model *model, struct line *head, const struct model_job *jobs, uint32_t count) {
    head->jobs = count;
    for (uint32_t i = 0; i < count; i++) {
        struct line *line = seen_line(model->seen, "job");
        line->job = jobs[i].name;
        line->tube = jobs[i].tube;
        line->body = jobs[i].body;
        line->expireds = jobs[i].expireds;
        line->releases = jobs[i].releases;
    }
}

static bool redirected(struct model *model) {
    if (!model->redirect) return false;
    if (model->job_count == 0 || planted(model, PLANT_ADMIN_AT_ONCE)) {
        tap(model, AQ_TAP_EMPTY, NULL)->tube = model->operation->tube;
        struct line *line = reply(model, AQ_REPLY_REDIRECT);
        line->port = model->redirect_port;
        line->value = true; /* a host */
        return true;
    }
    if (!policy(model)->redirect_refuses_gets) return false;
    tap(model, AQ_TAP_EMPTY, NULL)->tube = model->operation->tube;
    reply(model, AQ_REPLY_EMPTY);
    return true;
}

static void get(struct model *model) {
    const struct aq_request *request = asked(model);
    int tube = model->operation->tube;
    if (!given(model, AQ_PARAM_TUBE)) {
        fail(model);
        return;
    }
    model->gets++;
    if (redirected(model)) return;
    tube_of(model, tube)->ready_queue = true;
    int64_t wanted = given(model, AQ_PARAM_COUNT) ? request->count : 1;
    bool many = wanted != 1;
    if (planted(model, PLANT_GET_MANY_SHORT) && wanted > 1) wanted--;
    bool removes = given(model, AQ_PARAM_REMOVE) && (request->remove || policy(model)->delete_by_presence);
    if (planted(model, PLANT_GET_DELETE)) removes = false;
    struct model_job found[MODEL_JOBS_MAX];
    uint32_t count = 0;
    while ((int64_t)count < wanted) {
        struct model_job *job = take(model, tube);
        if (!job) break;
        if (!removes) lease(model, job);
        found[count++] = *job;
        if (!removes) continue;
        struct line *line = tap_change(model, AQ_TAP_TAKEN, job, job);
        line->state = 0;
        line->lease = (int64_t)++model->leases;
        completed(model, tube, 0);
        take_out(model, job);
    }
    if (count == 0) tap(model, AQ_TAP_EMPTY, NULL)->tube = tube;
    struct line *line = reply(model, AQ_REPLY_RESPONSE);
    line->many = many;
    job_lines(model, line, found, count);
}

static void peek(struct model *model) {
    int number = model->operation->tube;
    if (!given(model, AQ_PARAM_TUBE)) {
        fail(model);
        return;
    }
    bool buried = given(model, AQ_PARAM_BURIED) && asked(model)->buried;
    enum aq_job_state state = buried ? AQ_JOB_BURIED : AQ_JOB_READY;
    struct model_job *job =
        planted(model, PLANT_PEEK_LAST) ? newest_of(model, number, state) : first_of(model, number, state);
    if (planted(model, PLANT_PAUSE_PEEK) && model->tubes[number].paused) job = NULL;
    struct model_job found = job ? *job : (struct model_job){0};
    job_lines(model, reply(model, AQ_REPLY_RESPONSE), &found, job != NULL);
}

/* ---- requests: completions ---- */

static void missed(struct model *model, const struct model_job *job) {
    struct line *line = tap(model, AQ_TAP_MISSED, job);
    line->job = model->operation->job;
    if (!job) line->tube = model->operation->tube;
}

/* The job asked for, if a client holds it. Else the miss is told, and `error` in the reply if there is one.
 */
static struct model_job *held(struct model *model, bool error) {
    struct model_job *job = find(model, model->operation->job);
    if (job && job->state == AQ_JOB_RESERVED) return job;
    missed(model, job);
    reply_job_id(model, error);
    return NULL;
}

static void end(struct model *model, enum aq_tap_kind kind, struct model_job *job) {
    if (job->state == AQ_JOB_RESERVED && kind != AQ_TAP_CLEARED) {
        aq_time_us from_us =
            job->due_us - (aq_time_us)job->ttl_s * AQ_US_PER_S; /* touched or got, here or before */
        completed(model, job->tube, model->now_us - from_us);
    }
    struct line *line = tap_change(model, kind, job, job);
    line->state = 0;
    line->due_us = 0;
    take_out(model, job);
}

static void done(struct model *model) {
    if (!given(model, AQ_PARAM_JOB_ID)) {
        fail(model);
        return;
    }
    struct model_job *job = find(model, model->operation->job);
    bool wrong = planted(model, PLANT_DONE_OF_READY) && job && job->state == AQ_JOB_READY;
    if (!wrong) job = held(model, true);
    if (!job) return;
    end(model, AQ_TAP_DONE, job);
    reply_job_id(model, false);
}

static void delete_job(struct model *model) {
    struct model_job *job = find(model, model->operation->job);
    bool finds = job != NULL, error = false;
    if (job && policy(model)->delete_ready_reports_error) {
        bool tube_fits = given(model, AQ_PARAM_TUBE) && model->operation->tube == job->tube;
        error = job->state == AQ_JOB_READY;
        finds = job->state != AQ_JOB_DELAYED && (job->state != AQ_JOB_READY || tube_fits);
    }
    if (planted(model, PLANT_DELETE_OF_BURIED) && job && job->state == AQ_JOB_BURIED) finds = false;
    if (finds)
        end(model, AQ_TAP_DELETED, job);
    else
        missed(model, job);
    reply_job_id(model, error || !finds);
}

static void touch(struct model *model) {
    if (!given(model, AQ_PARAM_JOB_ID)) {
        fail(model);
        return;
    }
    struct model_job *job = held(model, !policy(model)->touch_unknown_ok);
    if (!job) return;
    aq_time_us from_us = planted(model, PLANT_TOUCH_ADDS) ? job->due_us : model->now_us;
    job->due_us = span_end_us(from_us, job->ttl_s);
    job->since_us = model->now_us;
    job->priority_on_disk = 0;
    struct line *line = tap_change(model, AQ_TAP_TOUCHED, job, job);
    line->due_us = (int64_t)job->due_us;
    reply_job_id(model, false);
}

static void release(struct model *model) {
    if (!given(model, AQ_PARAM_JOB_ID)) {
        fail(model);
        return;
    }
    struct model_job *job = held(model, !policy(model)->touch_unknown_ok);
    if (!job) return;
    struct model_job before = *job;
    job->releases++;
    int64_t limit = job->expired_limit * 2 - planted(model, PLANT_RELEASE_LIMIT);
    if ((int64_t)job->releases > limit)
        move(model, job, AQ_JOB_BURIED);
    else
        delay(model, job, given(model, AQ_PARAM_DELAY) ? asked(model)->delay_s : 0);
    if (planted(model, PLANT_RELEASE_PRIORITY)) job->priority = PRIORITY_DEFAULT;
    tap_change(model, job->state == AQ_JOB_BURIED ? AQ_TAP_AUTOBURIED : AQ_TAP_RELEASED, job, &before);
    reply_job_id(model, false);
}

static void bury(struct model *model) {
    struct model_job *job = held(model, true);
    if (!job) return;
    struct model_job before = *job;
    move(model, job, AQ_JOB_BURIED);
    if (planted(model, PLANT_BURY_COUNTS)) job->expireds++;
    tap_change(model, AQ_TAP_BURIED, job, &before);
    reply_job_id(model, policy(model)->bury_reports_error);
}

/* ---- requests: tubes ---- */

static void kick(struct model *model) {
    int tube = model->operation->tube;
    bool names_job = given(model, AQ_PARAM_JOB_ID) && !policy(model)->kick_ignores_job_id;
    if (!names_job && !given(model, AQ_PARAM_TUBE)) {
        fail(model);
        return;
    }
    struct model_job *job;
    if (names_job)
        job = find(model, model->operation->job);
    else if (planted(model, PLANT_KICK_NEWEST))
        job = newest_of(model, tube, AQ_JOB_BURIED);
    else
        job = first_of(model, tube, AQ_JOB_BURIED);
    if (names_job && (!job || job->state != AQ_JOB_BURIED)) {
        missed(model, NULL);
        reply_job_id(model, true);
        return;
    }
    uint32_t name = job ? job->name : 0;
    if (job) {
        struct model_job before = *job;
        move(model, job, AQ_JOB_READY);
        if (policy(model)->priority_lost_on_expiry) job->priority = PRIORITY_DEFAULT;
        if (!policy(model)->kick_keeps_counts) job->expireds = job->releases = 0;
        tap_change(model, AQ_TAP_KICKED, job, &before);
    }
    reply(model, AQ_REPLY_RESPONSE)->job = name;
}

/* A job that clear takes out; in which order is the core's choice. */
static struct model_job *cleared_next(struct model *model, int tube) {
    struct model_job *next = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->tube != tube) continue;
        if (job->state == AQ_JOB_READY && policy(model)->clear_through_get) continue;
        if (job->state == AQ_JOB_DELAYED && planted(model, PLANT_CLEAR_DELAYED)) continue;
        if (!next || told_at(model, job->name) < told_at(model, next->name)) next = job;
    }
    return next;
}

static void clear(struct model *model) {
    int number = model->operation->tube;
    if (given(model, AQ_PARAM_TUBE) && model->tubes[number].known) {
        struct model_job *job;
        if (policy(model)->clear_through_get)
            while (count_of(model, number, AQ_JOB_READY) && (job = take(model, number)))
                end(model, AQ_TAP_CLEARED, job);
        while ((job = cleared_next(model, number)))
            end(model, AQ_TAP_CLEARED, job);
    }
    reply(model, AQ_REPLY_RESPONSE);
}

static void pause(struct model *model, bool paused) {
    if (given(model, AQ_PARAM_TUBE)) {
        struct model_tube *tube = &model->tubes[model->operation->tube];
        bool lost = paused ? policy(model)->pause_needs_tube && !tube->ready_queue : !tube->known;
        if (!paused && planted(model, PLANT_UNPAUSE_LOST)) lost = true;
        if (!lost) tube_of(model, model->operation->tube)->paused = paused;
    }
    reply(model, AQ_REPLY_RESPONSE);
}

static void throttle(struct model *model) {
    if (!given(model, AQ_PARAM_TUBE | AQ_PARAM_TPS)) {
        fail(model);
        return;
    }
    struct model_tube *tube = tube_of(model, model->operation->tube);
    double tps = asked(model)->tps;
    if (policy(model)->throttle_truncates) tps = trunc(tps);
    tube->throttle = tps > 0 ? tps : 0;
    tube->ready_queue = true;
    tube->calls = 0; /* its second begins anew */
    reply(model, AQ_REPLY_RESPONSE)->value = llround(tube->throttle * 1e6);
}

/* ---- requests: the server ---- */

static int64_t mean_us(const struct model *model, const struct model_tube *tube) {
    uint32_t count = tube->held;
    double sum = 0;
    if (planted(model, PLANT_STATS_AVERAGE) && count > 1) count--;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)tube->held_us[i];
    return count ? llround(sum / count) : 0;
}

/* Completions a second in the last two whole minutes. */
static int64_t tps_millionths(const struct model *model, const struct model_tube *tube) {
    aq_time_us minute_us = 60 * AQ_US_PER_S;
    aq_time_us minute = model->now_us / minute_us;
    uint32_t count = 0;
    for (uint32_t i = 0; i < tube->done; i++) {
        aq_time_us of = tube->done_us[i] / minute_us;
        count += of < minute && of + 2 >= minute;
    }
    return llround(count / 120.0 * 1e6);
}

static void stats(struct model *model) {
    reply(model, AQ_REPLY_STATS);
    for (uint32_t i = 0; i < model->tube_count; i++) {
        int number = model->tube_order[i];
        const struct model_tube *tube = &model->tubes[number];
        if (policy(model)->stats_hide_tubeless && !tube->ready_queue) continue;
        struct line *line = seen_line(model->seen, "tube");
        line->tube = number;
        line->ready = count_of(model, number, AQ_JOB_READY);
        line->delayed = count_of(model, number, AQ_JOB_DELAYED);
        line->reserved = count_of(model, number, AQ_JOB_RESERVED);
        line->buried = count_of(model, number, AQ_JOB_BURIED);
        line->parents = count_of(model, number, AQ_JOB_PARENT);
        if (planted(model, PLANT_STATS_DELAYED)) line->ready += line->delayed;
        line->throttle = (int64_t)ceil(tube->throttle);
        line->avg_us = mean_us(model, tube);
        line->tps_millionths = tps_millionths(model, tube);
    }
    struct line *line = seen_line(model->seen, "global");
    line->action_count = (int64_t)model->actions;
    line->job_get = (int64_t)model->gets;
    line->job_put = (int64_t)model->puts;
}

static void admin(struct model *model) {
    if (given(model, AQ_PARAM_ADDRESS | AQ_PARAM_PORT)) {
        model->redirect = true;
        model->redirect_port = asked(model)->port;
        reply(model, AQ_REPLY_RESULT)->value = true;
    } else
        fail(model);
}

static void parents(struct model *model, enum plant plant) {
    if (planted(model, plant))
        reply(model, AQ_REPLY_EMPTY);
    else
        fail(model);
}

static void serve(struct model *model) {
    switch ((enum aq_action)asked(model)->action) {
    case AQ_ACTION_PUT: put(model); break;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: get(model); break;
    case AQ_ACTION_DONE: done(model); break;
    case AQ_ACTION_DELETE: delete_job(model); break;
    case AQ_ACTION_TOUCH: touch(model); break;
    case AQ_ACTION_RELEASE: release(model); break;
    case AQ_ACTION_BURY: bury(model); break;
    case AQ_ACTION_KICK: kick(model); break;
    case AQ_ACTION_PEEK: peek(model); break;
    case AQ_ACTION_CLEAR: clear(model); break;
    case AQ_ACTION_STATS: stats(model); break;
    case AQ_ACTION_PAUSE: pause(model, true); break;
    case AQ_ACTION_UNPAUSE: pause(model, false); break;
    case AQ_ACTION_THROTTLE: throttle(model); break;
    case AQ_ACTION_SET_PARENT_JOB: parents(model, PLANT_PARENT_TAKEN); break;
    case AQ_ACTION_SET_CHILDREN_STARTED: parents(model, PLANT_CHILDREN_TAKEN); break;
    case AQ_ACTION_ADMIN: admin(model); break;
    case AQ_ACTION_PING: reply(model, AQ_REPLY_PONG); break;
    case AQ_ACTION_VERSION:
        reply(model, AQ_REPLY_VERSION)->value = !planted(model, PLANT_VERSION_EMPTY);
        break;
    default: AQ_ASSERT(!"an action that only a client understands"); break;
    }
}

void model_request(struct model *model, const struct operation *operation, struct seen *seen) {
    model->operation = operation;
    model->seen = seen;
    model->requests++;
    bool sense = operation->kind == OPERATION_REQUEST;
    bool forgotten =
        sense && operation->request.action == AQ_ACTION_PING && planted(model, PLANT_PING_COUNTS);
    if (sense && !forgotten) model->actions++;
    if (sense)
        serve(model);
    else
        fail(model);
    model->operation = NULL;
}

/* ---- life ---- */

static void new_process(struct model *model) {
    model->started = false;
    model->started_us = model->now_us;
    for (int i = 0; i < TUBES; i++) {
        struct model_tube *tube = &model->tubes[i];
        tube->known = tube->ready_queue = tube->paused = false;
        tube->throttle = 0;
        tube->calls = tube->held = tube->done = 0;
    }
    model->tube_count = 0;
    model->leases = 0;
    model->requests = model->actions = model->gets = model->puts = 0;
    model->redirect = false;
}

void model_init(struct model *model, const struct setup *setup, enum plant plant,
                const struct seen *by_core) {
    model->by_core = by_core;
    model->setup = setup;
    model->policy = setup->policy;
    model->plant = plant;
    model->now_us = setup->start_us;
    model->job_count = model->left_count = model->renamed = 0;
    model->orders = 0;
    new_process(model);
}

struct model_job model_file(const struct model_job *job) {
    struct model_job file = *job;
    if (job->priority_on_disk) file.priority = job->priority_on_disk;
    return file;
}

void model_stop(struct model *model) {
    if (model->setup->persistent)
        for (uint32_t i = 0; i < model->job_count; i++)
            leave(model, model_file(&model->jobs[i]));
    model->job_count = 0;
    new_process(model);
}

void model_restore(struct model *model, uint32_t name, struct seen *seen) {
    model->seen = seen;
    uint32_t at = 0;
    while (at < model->left_count && model->left[at].name != name)
        at++;
    AQ_ASSERT(at < model->left_count);
    struct model_job file = model->left[at], job = file;
    if (file.state == AQ_JOB_BURIED && policy(model)->restart_forgets_buried) return;
    bool renames = file.state == AQ_JOB_READY && policy(model)->restart_renames_ready;
    if (!renames || !policy(model)->restart_revives_done) model->left[at] = model->left[--model->left_count];
    if (renames) {
        job.name = RENAMED_FIRST + model->renamed++;
        job.ttl_s = model->setup->default_ttl_s;
        job.priority = PRIORITY_DEFAULT;
        job.expired_limit = EXPIRED_LIMIT_DEFAULT;
        job.expireds = job.releases = 0;
    }
    bool loses_priority = file.state == AQ_JOB_READY && policy(model)->priority_lost_on_expiry;
    if (loses_priority) job.priority = PRIORITY_DEFAULT;
    move(model, &job, file.state);
    if (loses_priority && !renames) job.priority_on_disk = file.priority; /* a start only reads */
    job.due_us = file.due_us;
    if (job.state == AQ_JOB_RESERVED) {
        job.lease = ++model->leases;
        job.since_us = model->now_us;
        if (planted(model, PLANT_RESTART_LEASE)) job.due_us = span_end_us(model->now_us, job.ttl_s);
    }
    struct model_tube *tube = tube_of(model, job.tube);
    if (job.state == AQ_JOB_READY || job.state == AQ_JOB_DELAYED) tube->ready_queue = true;
    const struct model_job *held_now = add(model, job);
    struct line *line = tap(model, AQ_TAP_RESTORED, held_now);
    line->former = renames ? file.name : 0;
    line->lease = (int64_t)job.lease;
    if (job.state == AQ_JOB_RESERVED) line->due_us = (int64_t)job.due_us;
}

static const struct {
    const char *name, *text;
    enum aq_action action;
} plants[PLANT_COUNT] = {[PLANT_NONE] = {"NONE", "nothing is wrong", AQ_ACTION_COUNT},
#define X(name, action, text) [PLANT_##name] = {#name, text, AQ_ACTION_##action},
                         PLANTS(X)
#undef X
};

const char *plant_name(enum plant plant) {
    return plants[plant].name;
}

const char *plant_text(enum plant plant) {
    return plants[plant].text;
}

enum aq_action plant_action(enum plant plant) {
    return plants[plant].action;
}
