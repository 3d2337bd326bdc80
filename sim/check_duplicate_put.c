/* One producer call makes at most one job, unless its producer was told that the outcome is unknown, or will
 * never be told. */
#include "sim/checks.h"

static const char several[] = "one put made several jobs";

struct state {
    uint64_t judged;
    uint64_t excused; /* further jobs of puts whose producer knows that it cannot know */
};

static int violation(struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    return aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_PUT, seen, copy, job, several);
}

static bool is_put(const struct aq_observation *seen) {
    return seen->action == AQ_ACTION_PUT || seen->action == AQ_ACTION_SET_PARENT_JOB;
}

/* While the call is open nobody can say; its answer will. */
static int judge_tap(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (!job)
        return aq_ledger_forgot_token(ledger, seen->tap_token) ? violation(ledger, seen, copy, NULL) : 0;
    if (job->copies_made == 0) return 0;
    if (job->put_answered && job->put_outcome != AQ_OUTCOME_UNKNOWN)
        return violation(ledger, seen, copy, job);
    if (job->put_answered || job->put_abandoned) state->excused++;
    return 0;
}

static int judge_end(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (!is_put(seen)) return 0;
    state->judged++;
    if (!job || job->copies_made < 2) return 0;
    if (seen->kind == AQ_SEEN_ANSWER && seen->outcome != AQ_OUTCOME_UNKNOWN)
        return violation(ledger, seen, copy, job);
    state->excused += job->copies_made - 1;
    return 0;
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    return seen->kind == AQ_SEEN_TAP ? judge_tap(arg, ledger, seen, copy, job)
                                     : judge_end(arg, ledger, seen, copy, job);
}

struct walk {
    struct state *state;
    struct aq_ledger *ledger;
};

/* A call that is still open at the end was reported as nothing, so it has no excuse. */
static int judge_open(void *arg, struct aq_ledger_job *job) {
    struct walk *walk = arg;
    if (job->foreign || job->put_answered || job->put_abandoned || job->put_call == 0) return 0;
    walk->state->judged++;
    return job->copies_made > 1 ? violation(walk->ledger, NULL, NULL, job) : 0;
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct walk walk = {arg, ledger};
    int rc = aq_ledger_each_job(ledger, judge_open, &walk);
    if (rc) return rc;
    const struct aq_record_figure figure = {"excused", (double)walk.state->excused};
    if ((rc = aq_check_figures(record, &figure, 1, out)) != 0) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_DUPLICATE_PUT, record, walk.state->judged,
                             "no producer put a job", out);
}

const struct aq_checker aq_check_duplicate_put = {
    .check = AQ_CHECK_DUPLICATE_PUT,
    .holds_when =
        "one producer call made at most one job, unless the client reported that the outcome is unknown",
    .interests = 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_ANSWER | 1 << AQ_SEEN_ABANDONED,
    .actions = AQ_ACTIONS_PUT,
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(PARENT_HELD),
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
};
