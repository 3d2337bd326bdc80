/* Leases: a lease lasts as long as the job's ttl, and ends with it. */
#include "sim/semantics.h"

#define LENGTH "a lease is not as long as the job's ttl"
#define EARLY  "a lease ended before its time"
#define LATE   "a lease outlived its time"

struct lease {
    struct aq_semantics_counts counts;
    aq_time_us slack_us;
};

static int init(void *state, const struct aq_semantics *s) {
    struct lease *l = state;
    l->slack_us = aq_semantics_slack_us(s, s->scenario->servers.policy.lease_sweep_us);
    return 0;
}

static const char *judge_length(struct lease *l, const struct aq_observation *seen) {
    l->counts.judged++;
    aq_time_us due_us = aq_time_after(seen->at_us, (aq_time_us)seen->tap->ttl_s * AQ_US_PER_S);
    aq_time_us off_us = seen->tap->due_us > due_us ? seen->tap->due_us - due_us : due_us - seen->tap->due_us;
    return off_us <= AQ_SEMANTICS_EXACT_US ? NULL : LENGTH;
}

/* A lease has ended, or was used: what is wrong with the moment. */
static const char *judge_end(struct lease *l, const struct aq_semantics *s,
                             const struct aq_semantics_tap *tap) {
    const struct aq_ledger_copy *copy = tap->copy;
    const struct aq_observation *seen = tap->seen;
    if (!copy || copy->server != seen->server || copy->lease_until_us == 0) return NULL;
    l->counts.judged++;
    if (seen->tap->kind == AQ_TAP_EXPIRED && seen->at_us < copy->lease_until_us) return EARLY;
    return aq_semantics_late(s, seen->server, copy->lease_until_us, l->slack_us, seen->at_us) ? LATE : NULL;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct lease *l = state;
    const struct aq_tap *about = tap->seen->tap;
    const char *wrong = NULL;
    if (!tap->exact || about->job_hash == 0) return 0;
    if (about->kind == AQ_TAP_LEASE)
        wrong = judge_length(l, tap->seen);
    else if (about->kind == AQ_TAP_TOUCHED && (wrong = judge_length(l, tap->seen)) == NULL)
        wrong = judge_end(l, s, tap);
    else if (about->kind != AQ_TAP_TOUCHED && about->before == AQ_JOB_RESERVED)
        wrong = judge_end(l, s, tap);
    return wrong ? aq_semantics_bad(s, tap, wrong) : 0;
}

struct walk {
    const struct lease *rule;
    struct aq_semantics *s;
};

static int judge_left(void *arg, struct aq_ledger_copy *copy) {
    const struct walk *walk = arg;
    struct aq_semantics *s = walk->s;
    if (copy->gone || copy->state != AQ_JOB_RESERVED || copy->lease == 0) return 0;
    if (aq_ledger_copy_lost(s->ledger, copy) || !aq_semantics_judgeable(s, copy->server)) return 0;
    if (!aq_semantics_late(s, copy->server, copy->lease_until_us, walk->rule->slack_us, s->last_us)) return 0;
    return aq_ledger_violation(s->ledger, AQ_CHECK_SEMANTICS, NULL, copy, aq_ledger_job_of(s->ledger, copy),
                               LATE);
}

static int finish(void *state, struct aq_semantics *s) {
    struct walk walk = {state, s};
    return aq_ledger_each_copy(s->ledger, judge_left, &walk);
}

const struct aq_semantics_rule aq_semantics_lease = {
    .figure = "lease_judged",
    .taps = AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TOUCHED) | AQ_TAP_BIT(DONE) | AQ_TAP_BIT(DELETED) |
            AQ_TAP_BIT(RELEASED) | AQ_TAP_BIT(BURIED) | AQ_TAP_BIT(EXPIRED),
    .state_bytes = sizeof(struct lease),
    .init = init,
    .tap = tap_seen,
    .finish = finish,
};
