/* Parents, which wait for their children. */
#include "tests/fakeserver_model/model_parts.h"

#define TIMEOUT_DEFAULT_S 3600

static struct model_job *waiting(struct model *model, uint32_t name) {
    struct model_job *job = model_job_of(model, name);
    return job && job->state == AQ_JOB_PARENT ? job : NULL;
}

/* What becomes of a parent is the server's own doing. */
static struct line *own_tap(struct model *model, enum aq_tap_kind kind, const struct model_job *job,
                            const struct model_job *before) {
    const struct operation *operation = model->operation;
    model->operation = NULL;
    struct line *line = model_tap_change(model, kind, job, before);
    model->operation = operation;
    return line;
}

bool model_parent_lets(struct model *model) {
    if (!given(model, AQ_PARAM_PARENT_ID)) return true;
    return waiting(model, model->operation->parent) != NULL;
}

void model_child_put(struct model *model, const struct model_job *child) {
    struct model_job *parent = child->has_parent ? waiting(model, child->parent) : NULL;
    if (!parent) return;
    parent->started++;
    model_save(model, parent, AQ_JOB_PARENT);
}

/* A noop is never queued: it is over at once. */
static void start(struct model *model, struct model_job *parent, enum aq_tap_kind kind, bool bury) {
    struct model_job before = *parent;
    if (parent->noop && !bury) {
        if (!model->trips) model_unsave(model, parent);
        struct line *line = own_tap(model, AQ_TAP_NOOP_DONE, parent, &before);
        line->state = 0;
        line->due_us = 0;
        model_take_out(model, parent);
        model_child_ended(model, &before, AQ_TAP_NOOP_DONE);
        return;
    }
    bool stays = model->policy.parent_file_stays && !bury && !model->tubes[parent->tube].folder;
    if (bury)
        model_move(model, parent, AQ_JOB_BURIED);
    else
        model_move_after(model, parent, model->policy.parent_loses_priority ? 0 : parent->delay_s);
    if (model->policy.parent_loses_priority && !bury) parent->priority = PRIORITY_DEFAULT;
    parent->children = parent->started = 0; /* from now on it is a job like any other */
    parent->limit = parent->delay_s = 0;
    parent->run_on_timeout = parent->noop = false;
    model_save(model, parent, stays ? parent->state : before.state);
    own_tap(model, kind, parent, &before);
}

/* Starts the parent, or keeps its counts. */
static void check(struct model *model, struct model_job *parent) {
    int64_t limit = parent->limit - planted(model, PLANT_PARENT_EARLY);
    bool known = parent->limit > 0 || (parent->limit == 0 && !model->policy.parent_zero_never_starts);
    if (known && (int64_t)parent->children >= limit)
        start(model, parent, AQ_TAP_PARENT_STARTED, false);
    else
        model_save(model, parent, AQ_JOB_PARENT);
}

void model_child_ended(struct model *model, const struct model_job *child, enum aq_tap_kind cause) {
    bool finished =
        cause == AQ_TAP_DONE || cause == AQ_TAP_DELETED || cause == AQ_TAP_TAKEN || cause == AQ_TAP_NOOP_DONE;
    if (!finished && !model->policy.child_counts_on_expiry) return;
    if (cause == AQ_TAP_CLEARED && child->state != AQ_JOB_RESERVED) return;
    struct model_job *parent = child->has_parent ? waiting(model, child->parent) : NULL;
    if (!parent) return;
    if (cause == AQ_TAP_DELETED && model->policy.child_counts_when_held_only &&
        child->state != AQ_JOB_RESERVED)
        return;
    parent->children += 1 + (planted(model, PLANT_PARENT_TWICE) && cause == AQ_TAP_DONE);
    struct line *line = own_tap(model, AQ_TAP_CHILD_COUNTED, parent, parent);
    line->child = child->name;
    line->cause = cause;
    check(model, parent);
}

/* Would the end of this child end noops one after the other, up to one whose own parent is not here? */
static bool breaks(struct model *model, const struct model_job *child) {
    const struct model_job *parent = child->has_parent ? waiting(model, child->parent) : NULL;
    if (!parent || !parent->noop || !parent->has_parent) return false;
    if (parent->limit <= 0 || (int64_t)parent->children + 1 < parent->limit) return false;
    return !waiting(model, parent->parent) || breaks(model, parent);
}

bool model_child_fails(struct model *model, const struct model_job *child) {
    if (!model->policy.noop_needs_parent || !breaks(model, child)) return false;
    model->trips = true; /* before it could remove a noop's file */
    model_child_ended(model, child, AQ_TAP_DONE);
    model->trips = false;
    model_fail(model);
    return true;
}

void model_time_out(struct model *model, struct model_job *parent) {
    bool runs = parent->run_on_timeout || planted(model, PLANT_PARENT_TIMEOUT);
    start(model, parent, AQ_TAP_TIMED_OUT, !runs);
}

void model_set_parent_job(struct model *model) {
    const struct aq_request *request = asked(model);
    if (model_lacks(model, AQ_PARAM_TUBE)) return;
    bool refused = !model_parent_lets(model) && !model->policy.nested_parents_uncounted;
    int tube = NO_TUBE;
    if (!refused) tube = model->policy.fair_skips_parents ? model->operation->tube : model_put_tube(model);
    if (tube == NO_TUBE) {
        model_fail(model);
        return;
    }
    struct model_job job = model_job_asked(model, tube);
    job.limit = given(model, AQ_PARAM_LIMIT) ? request->limit : -1;
    job.delay_s = given(model, AQ_PARAM_DELAY) ? request->delay_s : 0;
    job.noop = request->noop;
    job.run_on_timeout = request->run_on_timeout;
    model_tube_make(model, tube);
    struct model_job *parent = model_add(model, job);
    model_move(model, parent, AQ_JOB_PARENT);
    parent->due_us = model_span_end_us(model->now_us, given(model, AQ_PARAM_TIMEOUT) ? request->timeout_s
                                                                                     : TIMEOUT_DEFAULT_S);
    model_save(model, parent, AQ_JOB_PARENT);
    struct line *line = model_tap(model, AQ_TAP_PARENT_HELD, parent);
    line->before = AQ_JOB_PARENT;
    line->limit = parent->limit;
    if (!model->policy.nested_parents_uncounted) model_child_put(model, parent);
    struct model_job told = *parent;
    check(model, parent);
    line = model_reply(model, AQ_REPLY_RESPONSE);
    line->job = told.name;
    line->jobs = 1;
    line = seen_line(model->seen, "job");
    line->job = told.name;
    line->tube = model_tube_told(model, told.tube);
    line->body = told.body;
}

void model_set_children_started(struct model *model) {
    if (model_lacks(model, AQ_PARAM_JOB_ID)) return;
    struct model_job *parent = waiting(model, model->operation->job);
    if (!parent) {
        model_fail(model);
        return;
    }
    parent->limit = parent->started + planted(model, PLANT_CHILDREN_LATE);
    model_tap_change(model, AQ_TAP_CHILDREN_STARTED, parent, parent);
    check(model, parent);
    model_reply(model, AQ_REPLY_RESPONSE)->job = model->operation->job;
}
