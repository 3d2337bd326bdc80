/* A job that workers are handed more than once has a cause each time, and the share of such jobs stays within
 * the budget. */
#include "sim/checks.h"

enum cause {
    CAUSE_TTL,
    CAUSE_LOST_REPLY,
    CAUSE_RELEASED,
    CAUSE_KICKED,
    CAUSE_RESTART,
    CAUSE_DUPLICATE_PUT,
    CAUSE_CAME_BACK,
    CAUSE_UNEXPLAINED,
    CAUSE_COUNT
};

static const char *const figure_names[CAUSE_COUNT] = {
    "ttl_expiry",     "lost_reply",    "released",  "kicked",
    "server_restart", "duplicate_put", "came_back", "unexplained",
};

struct state {
    uint64_t executions;
    uint64_t by_cause[CAUSE_COUNT]; /* executions beyond the first of their job */
    uint64_t jobs;                  /* with an excused second execution */
};

/* Why the copy could be handed out again, as its last lease found it. */
static enum cause cause_of(const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (!copy) return CAUSE_UNEXPLAINED;
    if (copy->executions >= copy->leases && copy->executions < UINT16_MAX) return CAUSE_UNEXPLAINED;
    if (copy->lease_again == AQ_AGAIN_CAME_BACK) return CAUSE_CAME_BACK;
    if (copy->executions == 0) return job->copies_made > 1 ? CAUSE_DUPLICATE_PUT : CAUSE_UNEXPLAINED;
    switch ((enum aq_ledger_again)copy->lease_again) {
    case AQ_AGAIN_TTL: return CAUSE_TTL;
    case AQ_AGAIN_LOST_REPLY: return CAUSE_LOST_REPLY;
    case AQ_AGAIN_RELEASED: return CAUSE_RELEASED;
    case AQ_AGAIN_KICKED: return CAUSE_KICKED;
    case AQ_AGAIN_RESTART: return CAUSE_RESTART;
    default: return CAUSE_UNEXPLAINED;
    }
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *state = arg;
    if (seen->action != AQ_ACTION_GET && seen->action != AQ_ACTION_GET_MULTIPLE) return 0;
    if (!job || seen->empty || seen->outcome != AQ_OUTCOME_OK) return 0;
    state->executions++;
    if (job->executions == 0) return 0;
    enum cause cause = cause_of(copy, job);
    state->by_cause[cause]++;
    if (cause == CAUSE_CAME_BACK)
        return aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_EXECUTION, seen, copy, job,
                                   "executed again after an acknowledged completion");
    if (cause == CAUSE_UNEXPLAINED)
        return aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_EXECUTION, seen, copy, job,
                                   "executed again without a cause");
    state->jobs += job->executions == 1;
    return 0;
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct state *state = arg;
    const struct aq_ledger_totals *totals = aq_ledger_totals(ledger);
    double completed = totals->completed ? (double)totals->completed : 1;
    double share = (double)state->jobs / completed;
    struct aq_record_figure figures[CAUSE_COUNT + 2];
    for (uint32_t i = 0; i < CAUSE_COUNT; i++)
        figures[i] = (struct aq_record_figure){figure_names[i], (double)state->by_cause[i]};
    figures[CAUSE_COUNT] = (struct aq_record_figure){"jobs_again", (double)state->jobs};
    figures[CAUSE_COUNT + 1] = (struct aq_record_figure){"share_of_completed", share};
    int rc = aq_check_figures(record, figures, CAUSE_COUNT + 2, out);
    double budget = aq_ledger_scenario(ledger)->budgets.duplicate_executions_max;
    if (!rc && budget < 1 && share > budget) /* 1: no bound */
        rc = aq_ledger_violation(ledger, AQ_CHECK_DUPLICATE_EXECUTION, NULL, NULL, NULL,
                                 "more jobs executed again than the budget allows");
    if (rc) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_DUPLICATE_EXECUTION, record, state->executions,
                             "no worker was handed a job", out);
}

const struct aq_checker aq_check_duplicate_execution = {
    .check = AQ_CHECK_DUPLICATE_EXECUTION,
    .holds_when =
        "every job that was executed more than once has an excused cause, and they stay within the budget",
    .interests = 1 << AQ_SEEN_ANSWER,
    .actions = AQ_ACTIONS_GET,
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
};
