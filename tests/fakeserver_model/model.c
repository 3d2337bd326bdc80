#include "tests/fakeserver_model/model.h"

#include <string.h>

#include "tests/fakeserver_model/model_parts.h"

#define REAP_US (3600 * AQ_US_PER_S)

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

int model_tube_told(const struct model *model, int tube) {
    int queue = tube == NO_TUBE ? NO_TUBE : tube_queue_of(tube);
    return queue == NO_TUBE || model->policy.fair_shows_shards ? tube : queue;
}

struct line *model_tap(struct model *model, enum aq_tap_kind kind, const struct model_job *job) {
    struct line *line = line_of(model, aq_tap_word(kind));
    line->action = AQ_ACTION_COUNT;
    if (model->operation && model->operation->kind == OPERATION_REQUEST) line->action = asked(model)->action;
    line->tube = NO_TUBE;
    if (!job) return line;
    line->job = job->name;
    line->state = job->state;
    line->tube = job->tube; /* the shard itself */
    line->body = job->body;
    line->priority = job->priority;
    line->expireds = job->expireds;
    line->ttl_s = job->ttl_s;
    line->parent = job->parent;
    if (job->state == AQ_JOB_DELAYED || job->state == AQ_JOB_PARENT) line->due_us = (int64_t)job->due_us;
    return line;
}

struct line *model_tap_change(struct model *model, enum aq_tap_kind kind, const struct model_job *job,
                              const struct model_job *before) {
    struct line *line = model_tap(model, kind, job);
    line->before = before->state;
    line->lease = (int64_t)before->lease;
    if (before->state == AQ_JOB_PARENT) {
        line->children = before->children;
        line->limit = before->limit;
    }
    return line;
}

struct line *model_reply(struct model *model, enum aq_reply_kind kind) {
    struct line *line = line_of(model, "reply");
    line->kind = kind;
    line->action = model->operation->kind == OPERATION_REQUEST
                       ? aq_action_answered_as((enum aq_action)asked(model)->action)
                       : AQ_ACTION_PING;
    bool is_get = asked(model)->action == AQ_ACTION_GET; /* not get_multiple_jobs, nor peek */
    if (model->redirect && model->policy.redirect_double_encodes && !is_get && kind != AQ_REPLY_ERROR)
        line->damage = AQ_DAMAGE_QUOTED;
    return line;
}

void model_fail(struct model *model) {
    struct line *line = model_tap(model, AQ_TAP_FAILED, NULL);
    line->tube = model->operation->tube;
    line->job = model->operation->job;
    model_reply(model, AQ_REPLY_ERROR)->error = true;
}

bool model_lacks(struct model *model, uint32_t params) {
    if (given(model, params)) return false;
    model_fail(model);
    return true;
}

/* ---- jobs ---- */

const struct model_job *model_find(const struct model *model, uint32_t name) {
    for (uint32_t i = 0; i < model->job_count; i++)
        if (model->jobs[i].name == name) return &model->jobs[i];
    return NULL;
}

struct model_job *model_job_of(struct model *model, uint32_t name) {
    return (struct model_job *)model_find(model, name);
}

struct model_job *model_add(struct model *model, struct model_job job) {
    AQ_ASSERT(model->job_count < MODEL_JOBS_MAX);
    model->jobs[model->job_count] = job;
    return &model->jobs[model->job_count++];
}

void model_take_out(struct model *model, struct model_job *job) {
    *job = model->jobs[--model->job_count];
}

void model_move(struct model *model, struct model_job *job, enum aq_job_state state) {
    job->state = state;
    job->order = ++model->orders;
    job->lease = 0;
    job->due_us = 0;
    job->since_us = model->now_us;
    if (state != AQ_JOB_READY && state != AQ_JOB_DELAYED) return;
    model_tube_make(model, job->tube)->used_us = model->now_us;
}

void model_move_after(struct model *model, struct model_job *job, int64_t delay_s) {
    bool waits = delay_s >= 1 + planted(model, PLANT_PUT_DELAY);
    model_move(model, job, waits ? AQ_JOB_DELAYED : AQ_JOB_READY);
    if (waits) job->due_us = model_span_end_us(model->now_us, delay_s);
}

int64_t model_span_s(int64_t span_s) {
    if (span_s > ENDLESS_S) return ENDLESS_S;
    return span_s > 0 ? span_s : 0;
}

aq_time_us model_span_end_us(aq_time_us from_us, int64_t span_s) {
    return from_us + (aq_time_us)model_span_s(span_s) * AQ_US_PER_S;
}

/* ---- time ---- */

static bool has_end(const struct model_job *job) {
    return job->state == AQ_JOB_RESERVED || job->state == AQ_JOB_DELAYED || job->state == AQ_JOB_PARENT;
}

aq_time_us model_noticed_us(const struct model *model, const struct model_job *job) {
    aq_time_us sweep_us = job->state == AQ_JOB_RESERVED  ? model->policy.lease_sweep_us
                          : job->state == AQ_JOB_DELAYED ? model->policy.delay_sweep_us
                                                         : model->policy.parent_sweep_us;
    aq_time_us over_us = job->due_us;
    if (over_us == AQ_TIME_NEVER) return AQ_TIME_NEVER;
    /* whole seconds: the second of the end is less than that of the clock */
    if (model->policy.whole_seconds) over_us = (over_us / AQ_US_PER_S + 1) * AQ_US_PER_S;
    if (sweep_us == 0) return over_us;
    aq_time_us tick_us = model->started_us + sweep_us;
    aq_time_us from_us = job->since_us + 1; /* a sweep at that very moment was before the request */
    if (over_us > from_us) from_us = over_us;
    if (tick_us >= from_us) return tick_us;
    return tick_us + (from_us - tick_us + sweep_us - 1) / sweep_us * sweep_us;
}

uint32_t model_told_at(const struct model *model, uint32_t name) {
    uint32_t at = model->seen->count;
    while (at < model->by_core->count && model->by_core->lines[at].job != name)
        at++;
    return at;
}

/* Which of two spans is noticed first. Sweeps of one moment: leases, then delays, then parents; in each what
   was over first. Nothing is promised about ends of the same moment: there the core may choose. */
static bool is_before(const struct model *model, const struct model_job *a, const struct model_job *b) {
    aq_time_us a_us = model_noticed_us(model, a), b_us = model_noticed_us(model, b);
    static const int rank[] = {[AQ_JOB_RESERVED] = 0, [AQ_JOB_DELAYED] = 1, [AQ_JOB_PARENT] = 2};
    if (a_us != b_us && !model->told_us) return a_us < b_us;
    if (a->state != b->state) return rank[a->state] < rank[b->state];
    aq_time_us unit_us = model->policy.whole_seconds ? AQ_US_PER_S : 1;
    if (a->due_us / unit_us != b->due_us / unit_us) return a->due_us < b->due_us;
    return model_told_at(model, a->name) < model_told_at(model, b->name);
}

static void mature(struct model *model, struct model_job *job) {
    struct model_job before = *job;
    model_move(model, job, AQ_JOB_READY);
    model_save(model, job, before.state);
    model_tap_change(model, AQ_TAP_MATURED, job, &before);
}

static struct model_job *next_over(struct model *model, aq_time_us now_us) {
    struct model_job *next = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (!has_end(job) || model_noticed_us(model, job) > now_us) continue;
        if (!next || is_before(model, job, next)) next = job;
    }
    return next;
}

static void reap(struct model *model) {
    for (uint32_t i = 0; i < model->tube_count; i++) {
        int number = model->tube_order[i];
        struct model_tube *tube = &model->tubes[number];
        if (!tube->ready_queue || tube->throttle > 0 || model_count_of(model, number, AQ_JOB_READY)) continue;
        aq_time_us used_us = tube->used_us;
        int queue = tube_queue_of(number);
        if (queue != NO_TUBE && model->tubes[queue].used_us > used_us) used_us = model->tubes[queue].used_us;
        if (used_us + model->setup->tube_expire_us >= model->reap_us) continue;
        model_tube_drop(model, number);
    }
    model->reap_us += REAP_US;
}

void model_advance(struct model *model, aq_time_us now_us, bool late, struct seen *seen) {
    AQ_ASSERT(now_us >= model->now_us);
    model->told_us = late ? now_us : 0;
    if (late) model->now_us = now_us;
    model->seen = seen;
    model->operation = NULL;
    if (!model->started) {
        model->started_us = now_us;
        model->reap_us = now_us + REAP_US;
    }
    model->started = true;
    for (;;) {
        struct model_job *next = next_over(model, now_us);
        aq_time_us reap_us = model->policy.reaper_ignores_delayed ? model->reap_us : AQ_TIME_NEVER;
        aq_time_us at_us = next ? model_noticed_us(model, next) : AQ_TIME_NEVER;
        bool reaps = reap_us <= now_us && (!next || late || reap_us <= at_us);
        if (!next && !reaps) break;
        if (reaps) at_us = reap_us;
        if (at_us > model->now_us) model->now_us = at_us;
        if (reaps)
            reap(model);
        else if (next->state == AQ_JOB_RESERVED)
            model_expire(model, next);
        else if (next->state == AQ_JOB_DELAYED)
            mature(model, next);
        else
            model_time_out(model, next);
    }
    model->now_us = now_us;
    model->told_us = 0;
}

/* ---- requests ---- */

static void ping(struct model *model, enum aq_reply_kind kind) {
    if (model->redirect && model->policy.redirect_breaks_ping) {
        model->actions--; /* it was no request */
        model_fail(model);
        return;
    }
    struct line *line = model_reply(model, kind);
    if (kind == AQ_REPLY_VERSION) line->value = !planted(model, PLANT_VERSION_EMPTY);
}

static void serve(struct model *model) {
    switch ((enum aq_action)asked(model)->action) {
    case AQ_ACTION_PUT: model_put(model); break;
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: model_get(model); break;
    case AQ_ACTION_DONE: model_done(model); break;
    case AQ_ACTION_DELETE: model_delete(model); break;
    case AQ_ACTION_TOUCH: model_touch(model); break;
    case AQ_ACTION_RELEASE: model_release(model); break;
    case AQ_ACTION_BURY: model_bury(model); break;
    case AQ_ACTION_KICK: model_kick(model); break;
    case AQ_ACTION_PEEK: model_peek(model); break;
    case AQ_ACTION_CLEAR: model_clear(model); break;
    case AQ_ACTION_STATS: model_stats(model); break;
    case AQ_ACTION_PAUSE: model_pause(model, true); break;
    case AQ_ACTION_UNPAUSE: model_pause(model, false); break;
    case AQ_ACTION_THROTTLE: model_throttle(model); break;
    case AQ_ACTION_SET_PARENT_JOB: model_set_parent_job(model); break;
    case AQ_ACTION_SET_CHILDREN_STARTED: model_set_children_started(model); break;
    case AQ_ACTION_ADMIN: model_admin(model); break;
    case AQ_ACTION_PING: ping(model, AQ_REPLY_PONG); break;
    case AQ_ACTION_VERSION: ping(model, AQ_REPLY_VERSION); break;
    default: AQ_ASSERT(!"an action that only a client understands"); break;
    }
}

void model_request(struct model *model, const struct operation *operation, struct seen *seen) {
    model->operation = operation;
    model->seen = seen;
    model->requests++;
    bool sense = operation->kind == OPERATION_REQUEST;
    bool forgotten = sense && asked(model)->action == AQ_ACTION_PING && planted(model, PLANT_PING_COUNTS);
    if (sense && !forgotten) model->actions++;
    if (sense)
        serve(model);
    else
        model_fail(model);
    model->operation = NULL;
}

/* ---- life ---- */

static void new_process(struct model *model) {
    model->started = false;
    model->started_us = model->now_us;
    for (int i = 0; i < TUBES; i++) {
        struct model_tube *tube = &model->tubes[i];
        tube->known = tube->ready_queue = tube->paused = tube->folder = false;
        tube->throttle = tube->throttle_waits = 0;
        tube->used_us = 0;
        tube->calls = tube->held = tube->done = tube->cursor = 0;
    }
    model->tube_count = 0;
    model->job_count = 0;
    model->leases = 0;
    model->last_fair = NO_TUBE;
    model->requests = model->actions = model->gets = model->puts = 0;
    model->redirect = model->trips = false;
}

void model_init(struct model *model, const struct setup *setup, enum plant plant,
                const struct seen *by_core) {
    model->setup = setup;
    model->policy = setup->policy;
    model->plant = plant;
    model->by_core = by_core;
    model->now_us = setup->start_us;
    model->told_us = 0;
    model->file_count = model->renamed = 0;
    model->orders = 0;
    new_process(model);
}

void model_restart(struct model *model) {
    new_process(model);
}
