/* Tubes: their throttles and pauses, and the requests about all of the server. */
#include <math.h>
#include <string.h>

#include "tests/fakeserver_model/model_parts.h"

struct model_tube *model_tube_of(struct model *model, int tube) {
    struct model_tube *found = &model->tubes[tube];
    if (!found->known && tube_queue_of(tube) != NO_TUBE) model_tube_of(model, tube_queue_of(tube));
    if (!found->known) model->tube_order[model->tube_count++] = tube;
    found->known = true;
    return found;
}

struct model_tube *model_tube_make(struct model *model, int tube) {
    struct model_tube *made = model_tube_of(model, tube);
    if (!made->ready_queue) made->used_us = model->now_us;
    made->ready_queue = made->folder = true;
    return made;
}

/* In which order they go is the core's choice. */
static struct model_job *told_next(struct model *model, int tube, enum aq_job_state state) {
    struct model_job *next = NULL;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct model_job *job = &model->jobs[i];
        if (job->tube != tube || job->state != state) continue;
        if (!next || model_told_at(model, job->name) < model_told_at(model, next->name)) next = job;
    }
    return next;
}

void model_tube_drop(struct model *model, int number) {
    struct model_tube *tube = &model->tubes[number];
    struct model_job *job;
    while ((job = told_next(model, number, AQ_JOB_DELAYED))) {
        /* its file stays */
        struct line *line = model_tap_change(model, AQ_TAP_REAPED, job, job);
        line->at_us = 0; /* told at the next step, whenever that is */
        line->state = 0;
        line->due_us = 0;
        model_take_out(model, job);
    }
    tube->ready_queue = tube->paused = false;
}

void model_completed(struct model *model, const struct model_job *job) {
    struct model_tube *tube = model_tube_of(model, job->tube);
    /* it was got, or touched, by this process or the one before; a job that is taken is held for no time */
    aq_time_us from_us = model->now_us;
    if (job->state == AQ_JOB_RESERVED) from_us = job->due_us - (aq_time_us)job->ttl_s * AQ_US_PER_S;
    if (tube->held == MODEL_HELD_MAX) {
        memmove(tube->held_us, tube->held_us + 1, sizeof tube->held_us - sizeof tube->held_us[0]);
        tube->held--;
    }
    tube->held_us[tube->held++] = model->now_us - from_us;
    AQ_ASSERT(tube->done < MODEL_DONE_MAX);
    tube->done_us[tube->done++] = model->now_us;
}

/* ---- throttle and pause ---- */

/* May this get be served by the throttle? Half a get per second is one in two seconds. */
bool model_throttle_lets(const struct model *model, const struct model_tube *tube) {
    if (tube->throttle <= 0) return true;
    double window_s = tube->throttle < 1 ? 1 / tube->throttle : 1;
    aq_time_us window_us = (aq_time_us)llround(window_s * (double)AQ_US_PER_S);
    window_us += planted(model, PLANT_THROTTLE_WINDOW);
    uint32_t calls = 0;
    for (uint32_t i = 0; i < tube->calls; i++)
        calls += model->now_us - tube->calls_us[i] < window_us;
    return (double)calls < tube->throttle;
}

void model_throttle_count(struct model *model, struct model_tube *tube) {
    if (tube->throttle <= 0) return;
    if (tube->calls == MODEL_CALLS_MAX) {
        memmove(tube->calls_us, tube->calls_us + 1, sizeof tube->calls_us - sizeof tube->calls_us[0]);
        tube->calls--;
    }
    tube->calls_us[tube->calls++] = model->now_us;
}

void model_throttle(struct model *model) {
    if (model_lacks(model, AQ_PARAM_TUBE | AQ_PARAM_TPS)) return;
    int number = model->operation->tube;
    struct model_tube *tube = model_tube_make(model, number);
    double tps = asked(model)->tps;
    if (model->policy.throttle_truncates) tps = trunc(tps);
    tube->throttle = tps > 0 ? tps : 0;
    tube->calls = 0; /* its second begins anew */
    model_save_tube(model, number);
    struct line *line = model_tap(model, AQ_TAP_THROTTLED, NULL);
    line->tube = number;
    line->rate_millionths = llround(tube->throttle * 1e6);
    double told = model->policy.throttle_truncates ? tps : tube->throttle; /* as cut, or as in force */
    model_reply(model, AQ_REPLY_RESPONSE)->value = llround(told * 1e6);
}

void model_pause(struct model *model, bool paused) {
    int number = model->operation->tube;
    if (given(model, AQ_PARAM_TUBE)) {
        struct model_tube *tube = &model->tubes[number];
        bool lost = paused ? model->policy.pause_needs_tube && !tube->ready_queue : !tube->known;
        if (!paused && planted(model, PLANT_UNPAUSE_LOST)) lost = true;
        if (!lost) {
            if (paused) model_tube_of(model, number);
            bool changes = tube->paused != paused;
            tube->paused = paused;
            if (changes && !model->policy.restart_forgets_pause) model_save_tube(model, number);
            model_tap(model, paused ? AQ_TAP_PAUSED : AQ_TAP_UNPAUSED, NULL)->tube = number;
        }
    }
    model_reply(model, AQ_REPLY_RESPONSE);
}

/* ---- stats ---- */

/* Is this tube part of what stats tell as that one? */
static bool is_part(const struct model *model, int tube, int told) {
    return tube == told || model_tube_told(model, tube) == told;
}

static int64_t mean_us(const struct model *model, int told) {
    uint32_t count = 0;
    double sum = 0;
    for (int number = 0; number < TUBES; number++) {
        const struct model_tube *tube = &model->tubes[number];
        uint32_t held = is_part(model, number, told) ? tube->held : 0;
        if (planted(model, PLANT_STATS_AVERAGE) && held > 1) held--;
        for (uint32_t i = 0; i < held; i++)
            sum += (double)tube->held_us[i];
        count += held;
    }
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

static void add_counts(const struct model *model, int tube, struct line *line) {
    line->ready += model_count_of(model, tube, AQ_JOB_READY);
    line->delayed += model_count_of(model, tube, AQ_JOB_DELAYED);
    line->reserved += model_count_of(model, tube, AQ_JOB_RESERVED);
    line->buried += model_count_of(model, tube, AQ_JOB_BURIED);
    line->parents += model_count_of(model, tube, AQ_JOB_PARENT);
}

/* One tube; or a fair queue with all of its shards, unless shards are shown. */
static void tube_line(struct model *model, int number) {
    const struct model_tube *tube = &model->tubes[number];
    struct line *line = seen_line(model->seen, "tube");
    line->tube = number;
    for (int i = 0; i < TUBES; i++)
        if (is_part(model, i, number)) {
            add_counts(model, i, line);
            line->tps_millionths += tps_millionths(model, &model->tubes[i]);
        }
    if (planted(model, PLANT_STATS_DELAYED)) line->ready += line->delayed;
    line->throttle = (int64_t)ceil(tube->throttle);
    line->avg_us = mean_us(model, number);
}

/* A tube without a ready queue may be missing from stats; a queue that has not been asked itself always is
   where shards are shown. */
static bool is_told(const struct model *model, int number) {
    if (model_tube_told(model, number) != number) return false;
    for (int i = 0; i < TUBES; i++)
        if (is_part(model, i, number) && model->tubes[i].ready_queue) return true;
    return !model->policy.stats_hide_tubeless && !(tube_is_queue(number) && model->policy.fair_shows_shards);
}

void model_stats(struct model *model) {
    model_reply(model, AQ_REPLY_STATS);
    for (int number = 0; number < TUBES; number++)
        if (model->tubes[number].known && is_told(model, number)) tube_line(model, number);
    struct line *line = seen_line(model->seen, "global");
    line->action_count = (int64_t)model->actions;
    line->job_get = (int64_t)model->gets;
    line->job_put = (int64_t)model->puts;
}

/* ---- the phase after a redirect ---- */

void model_admin(struct model *model) {
    bool redirect = given(model, AQ_PARAM_ADDRESS | AQ_PARAM_PORT);
    if (redirect) model->redirect_port = asked(model)->port;
    model_reply(model, AQ_REPLY_RESULT)->value = redirect;
    model->redirect = model->redirect || redirect; /* from the next request on */
}

bool model_redirected(struct model *model) {
    if (!model->redirect) return false;
    /* the release looks for the word get alone */
    if (model->policy.redirect_refuses_gets && asked(model)->action != AQ_ACTION_GET) return false;
    bool tubes = false;
    for (int i = 0; i < TUBES && model->policy.redirect_fails_on_tubes; i++)
        tubes = tubes || model->tubes[i].ready_queue;
    bool empty = model->job_count == 0 || planted(model, PLANT_ADMIN_AT_ONCE);
    if (!tubes && !empty && !model->policy.redirect_refuses_gets) return false;
    if (tubes) {
        model_fail(model);
        return true;
    }
    model_tap(model, AQ_TAP_EMPTY, NULL)->tube = model->operation->tube;
    struct line *line = model_reply(model, empty ? AQ_REPLY_REDIRECT : AQ_REPLY_EMPTY);
    if (!empty) return true;
    line->port = model->redirect_port;
    line->value = true; /* a host */
    return true;
}
