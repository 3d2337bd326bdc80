/* Workflows: a parent is handed out after all its children are finished, once; or when it has waited for its
   timeout. Children are counted here by their own ends, not by what the server says of the parent. */
#include "sim/semantics.h"

#include "base/memory.h"

#define TOO_EARLY     "a parent started before its children were finished"
#define TWICE         "a parent started twice"
#define WAITING_GIVEN "a parent was handed out while it waited for its children"
#define NEVER         "a parent never started although its children are finished"
#define IGNORED       "a parent timed out although its children are finished"
#define TIMEOUT_EARLY "a parent timed out before its time"
#define TIMEOUT_LATE  "a parent timed out too late"
#define TIMEOUT_NEVER "a parent never timed out"
#define TIMEOUT_ENDS  "a parent that timed out was run and should be buried, or the other way round"

#define NONE UINT32_MAX

struct parent {
    uint64_t job_hash;
    aq_time_us due_us;        /* when it times out */
    aq_time_us complete_us;   /* when the last child that it waits for was finished; AQ_TIME_NEVER: not yet */
    int32_t limit;            /* 0 or less: not known yet */
    uint32_t finished;        /* children done, deleted or taken */
    uint32_t finished_unheld; /* of these: deleted while nobody held them */
    uint32_t put;             /* children that its server has accepted */
    bool all_put;             /* set_children_started has been called: it has to wait for all of these */
    uint32_t server;
    bool started;
    uint32_t next_free;
};

struct workflow {
    struct aq_semantics_counts counts;
    aq_time_us timeout_slack_us;
    struct parent *parents;
    uint32_t count, capacity, first_free, alive;
    struct aq_map by_hash;
};

static int init(void *state, const struct aq_semantics *s) {
    struct workflow *w = state;
    w->first_free = NONE;
    w->timeout_slack_us = aq_semantics_slack_us(s, s->scenario->servers.policy.parent_sweep_us);
    return 0;
}

static void close_state(void *state) {
    struct workflow *w = state;
    aq_free(w->parents);
    aq_map_close(&w->by_hash);
}

static struct parent *find(const struct workflow *w, uint64_t job_hash) {
    uint32_t index;
    return w->alive && job_hash && aq_map_get(&w->by_hash, job_hash, &index) ? &w->parents[index] : NULL;
}

static int add(struct workflow *w, const struct aq_observation *seen) {
    uint32_t index = w->first_free;
    if (index == NONE) {
        int rc = aq_array_reserve(&w->parents, &w->capacity, (size_t)w->count + 1, sizeof *w->parents);
        if (rc) return rc;
    }
    int rc = aq_map_set(&w->by_hash, seen->tap->job_hash, index == NONE ? w->count : index);
    if (rc) return rc;
    if (index == NONE)
        index = w->count++;
    else
        w->first_free = w->parents[index].next_free;
    w->alive++;
    w->parents[index] = (struct parent){.job_hash = seen->tap->job_hash,
                                        .due_us = seen->tap->due_us,
                                        .complete_us = AQ_TIME_NEVER,
                                        .limit = seen->tap->limit,
                                        .finished = seen->tap->children,
                                        .server = seen->server};
    return 0;
}

static void drop(struct workflow *w, struct parent *parent) {
    aq_map_remove(&w->by_hash, parent->job_hash);
    parent->job_hash = 0;
    parent->next_free = w->first_free;
    w->first_free = (uint32_t)(parent - w->parents);
    w->alive--;
}

static void judge_complete(struct parent *parent, aq_time_us at_us) {
    bool complete = parent->limit > 0 && (int64_t)parent->finished - parent->finished_unheld >= parent->limit;
    if (complete && parent->complete_us == AQ_TIME_NEVER) parent->complete_us = at_us;
}

/* A nested parent is a child as well, though not every server counts it. */
static void child_put(struct workflow *w, const struct aq_observation *seen) {
    struct parent *parent = find(w, seen->tap->parent_hash);
    if (parent && parent->server == seen->server) parent->put++;
}

/* A job has ended, and counts for its parent. */
static void child_finished(struct workflow *w, const struct aq_observation *seen) {
    const struct aq_tap *tap = seen->tap;
    struct parent *parent = find(w, tap->parent_hash);
    if (!parent || parent->server != seen->server) return;
    parent->finished++;
    parent->finished_unheld += tap->kind == AQ_TAP_DELETED && tap->before != AQ_JOB_RESERVED;
    judge_complete(parent, seen->at_us);
}

static bool is_early(const struct parent *parent) {
    if (parent->all_put && parent->finished < parent->put) return true;
    return parent->limit > 0 && parent->finished < (uint32_t)parent->limit;
}

static const char *judge_start(struct workflow *w, struct parent *parent) {
    w->counts.judged++;
    if (parent->started) return TWICE;
    parent->started = true;
    return is_early(parent) ? TOO_EARLY : NULL;
}

static const char *judge_timeout(struct workflow *w, const struct aq_semantics *s,
                                 const struct aq_semantics_tap *tap, struct parent *parent) {
    const struct aq_observation *seen = tap->seen;
    w->counts.judged++;
    if (parent->started) return TWICE;
    parent->started = true;
    bool run = seen->tap->state != AQ_JOB_BURIED;
    if (seen->tap_token && run != s->scenario->producers.parents.run_on_timeout) return TIMEOUT_ENDS;
    if (parent->complete_us != AQ_TIME_NEVER) return IGNORED;
    if (!tap->exact) return NULL;
    if (seen->at_us < parent->due_us) return TIMEOUT_EARLY;
    bool late = aq_semantics_late(s, seen->server, parent->due_us, w->timeout_slack_us, seen->at_us);
    return late ? TIMEOUT_LATE : NULL;
}

/* What the tap says of a parent that is known. */
static const char *judge(struct workflow *w, struct aq_semantics *s, const struct aq_semantics_tap *tap,
                         struct parent *parent) {
    const struct aq_tap *about = tap->seen->tap;
    switch (about->kind) {
    case AQ_TAP_CHILDREN_STARTED:
        parent->limit = about->limit;
        parent->all_put = true;
        judge_complete(parent, tap->seen->at_us);
        return NULL;
    case AQ_TAP_PARENT_STARTED: return judge_start(w, parent);
    case AQ_TAP_TIMED_OUT: return judge_timeout(w, s, tap, parent);
    case AQ_TAP_NOOP_DONE: /* complete, or timed out, by a clock that may have jumped */
        w->counts.judged++;
        return is_early(parent) && tap->exact && tap->seen->at_us < parent->due_us ? TOO_EARLY : NULL;
    case AQ_TAP_LEASE:
    case AQ_TAP_TAKEN: return parent->started ? NULL : WAITING_GIVEN;
    default: return NULL;
    }
}

static bool ends(const struct aq_tap *tap) {
    return tap->kind == AQ_TAP_DONE || tap->kind == AQ_TAP_DELETED || tap->kind == AQ_TAP_TAKEN ||
           tap->kind == AQ_TAP_NOOP_DONE;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct workflow *w = state;
    const struct aq_tap *about = tap->seen->tap;
    struct parent *parent = find(w, about->job_hash);
    const char *wrong = parent ? judge(w, s, tap, parent) : NULL;
    int rc = wrong ? aq_semantics_bad(s, tap, wrong) : 0;
    bool waits = about->kind == AQ_TAP_PARENT_HELD ||
                 (about->kind == AQ_TAP_RESTORED && about->state == AQ_JOB_PARENT);
    if (!rc && waits && !parent) rc = add(w, tap->seen);
    if (about->parent_hash && (about->kind == AQ_TAP_PUT || about->kind == AQ_TAP_PARENT_HELD))
        child_put(w, tap->seen);
    if (about->parent_hash && ends(about)) child_finished(w, tap->seen);
    if (parent && (ends(about) || about->kind == AQ_TAP_CLEARED)) drop(w, parent);
    return rc;
}

/* Those that have started stay known: they must not start again. */
static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    (void)s;
    struct workflow *w = state;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->parents[i].job_hash && w->parents[i].server == server && !w->parents[i].started)
            drop(w, &w->parents[i]);
}

/* NULL, or what is wrong with a parent that still waits. */
static const char *judge_waiting(const struct workflow *w, const struct aq_semantics *s,
                                 const struct parent *parent) {
    if (aq_semantics_late(s, parent->server, parent->complete_us, w->timeout_slack_us, s->last_us))
        return NEVER;
    bool exact = aq_semantics_judgeable(s, parent->server);
    bool late = aq_semantics_late(s, parent->server, parent->due_us, w->timeout_slack_us, s->last_us);
    return exact && late ? TIMEOUT_NEVER : NULL;
}

static int finish(void *state, struct aq_semantics *s) {
    struct workflow *w = state;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct parent *parent = &w->parents[i];
        const char *wrong = parent->job_hash && !parent->started ? judge_waiting(w, s, parent) : NULL;
        int rc = wrong ? aq_semantics_bad_copy(s, parent->job_hash, wrong) : 0;
        if (rc) return rc;
    }
    return 0;
}

const struct aq_semantics_rule aq_semantics_workflow = {
    .figure = "workflow_judged",
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(PARENT_HELD) | AQ_TAP_BIT(CHILDREN_STARTED) |
            AQ_TAP_BIT(PARENT_STARTED) | AQ_TAP_BIT(TIMED_OUT) | AQ_TAP_BIT(NOOP_DONE) |
            AQ_TAP_BIT(RESTORED) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(DONE) |
            AQ_TAP_BIT(DELETED) | AQ_TAP_BIT(CLEARED),
    .state_bytes = sizeof(struct workflow),
    .init = init,
    .tap = tap_seen,
    .forget = forget,
    .finish = finish,
    .close = close_state,
};
