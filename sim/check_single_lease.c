/* A job has at most one valid lease at any instant, and a lease lasts as long as it was given for. */
#include "sim/checks.h"

struct state {
    uint64_t judged;
    uint64_t ended_early_excused; /* the server's clock jumped, or it started again from disk */
};

static int violation(struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job, const char *cause) {
    return aq_ledger_violation(ledger, AQ_CHECK_SINGLE_LEASE, seen, copy, job, cause);
}

static int judge_tap(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    enum aq_tap_kind kind = seen->tap->kind;
    bool hands_out = kind == AQ_TAP_LEASE || kind == AQ_TAP_TAKEN;
    if (!hands_out && kind != AQ_TAP_EXPIRED) return 0;
    state->judged++;
    if (!copy || copy->gone || copy->state != AQ_JOB_RESERVED || seen->at_us >= copy->lease_until_us)
        return 0;
    if (aq_ledger_copy_lost(ledger, copy)) return 0;
    if (hands_out) return violation(ledger, seen, copy, job, "leased while another lease was valid");
    if (!copy->restored && !aq_ledger_server(ledger, copy->server)->clock_jumped)
        return violation(ledger, seen, copy, job, "lease ended early");
    state->ended_early_excused++;
    return 0;
}

static int judge_answer(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (seen->action != AQ_ACTION_GET && seen->action != AQ_ACTION_GET_MULTIPLE) return 0;
    if (!copy || seen->empty || seen->outcome != AQ_OUTCOME_OK) return 0;
    state->judged++;
    /* Where no server leased it at all, no-false-ack says so. */
    if (copy->leases && copy->executions >= copy->leases && copy->executions < UINT16_MAX)
        return violation(ledger, seen, copy, job, "one lease told to two workers");
    return 0;
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    return seen->kind == AQ_SEEN_TAP ? judge_tap(arg, ledger, seen, copy, job)
                                     : judge_answer(arg, ledger, seen, copy, job);
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct state *state = arg;
    const struct aq_record_figure figure = {"ended_early_excused", (double)state->ended_early_excused};
    int rc = aq_check_figures(record, &figure, 1, out);
    if (rc) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_SINGLE_LEASE, record, state->judged, "no job was handed out",
                             out);
}

const struct aq_checker aq_check_single_lease = {
    .check = AQ_CHECK_SINGLE_LEASE,
    .holds_when = "a job has at most one valid lease at any instant",
    .interests = 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_ANSWER,
    .actions = AQ_ACTIONS_GET,
    .taps = AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(EXPIRED),
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
};
