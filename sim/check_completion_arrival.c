/* What a worker is told of its completions must be what happened at the origin: told ok means applied, once;
 * told no means not applied. */
#include "sim/checks.h"

#include "base/memory.h"

struct state {
    uint64_t judged;
    uint64_t told_ok;
    uint64_t told_no;      /* refused, unavailable, invalid, or with an error */
    uint64_t told_unknown; /* ambiguous: allowed whatever happened */
    bool *restarted;       /* owned; by client: its process has ended, and what it had learnt with it */
    uint32_t clients;
};

static int violation(struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job, const char *cause) {
    return aq_ledger_violation(ledger, AQ_CHECK_COMPLETION_ARRIVAL, seen, copy, job, cause);
}

/* Does a client not know the origin of a job that it handed out itself? What workers complete are such jobs.
 */
static bool is_lost_origin(const struct state *state, const struct aq_observation *seen) {
    if (seen->outcome != AQ_OUTCOME_INVALID || seen->is_producer || seen->is_command) return false;
    return seen->client < state->clients && !state->restarted[seen->client];
}

static int judge_answer(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (aq_answer_is_ok(seen)) {
        state->judged++;
        state->told_ok++;
        if (!aq_completion_applied(copy, seen, false))
            return violation(ledger, seen, copy, job, "told ok, not applied at the origin");
    } else if (aq_answer_is_no(seen)) {
        state->judged++;
        state->told_no++;
        if (is_lost_origin(state, seen))
            return violation(ledger, seen, copy, job,
                             "told invalid, though its client had handed the job out");
        if (aq_completion_applied(copy, seen, true))
            return violation(ledger, seen, copy, job, "told refused, but applied");
    } else
        state->told_unknown++;
    return 0;
}

static int judge_tap(struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    const struct aq_tap *tap = seen->tap;
    if (!copy || copy->server != seen->server || !aq_tap_applies_completion(tap)) return 0;
    bool ends = tap->kind == AQ_TAP_DONE || tap->kind == AQ_TAP_DELETED;
    if (ends && copy->gone && !copy->lost) return violation(ledger, seen, copy, job, "applied twice");
    /* The request was on its way while its caller was told that it had not been applied. */
    uint32_t mark = aq_ledger_call_of_tap(copy, seen);
    if (mark && mark == copy->refused_call)
        return violation(ledger, seen, copy, job, "told refused, but applied");
    return 0;
}

static int init(void *arg, const struct aq_ledger *ledger) {
    struct state *state = arg;
    state->clients = aq_ledger_scenario(ledger)->clients.count;
    state->restarted = aq_alloc_zeroed((size_t)state->clients + 1, sizeof *state->restarted);
    return state->restarted ? 0 : AQ_ENOMEM;
}

static void close_state(void *arg) {
    aq_free(((struct state *)arg)->restarted);
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *state = arg;
    if (seen->kind == AQ_SEEN_CLIENT_DOWN) {
        if (seen->client < state->clients) state->restarted[seen->client] = true;
        return 0;
    }
    if (seen->kind == AQ_SEEN_TAP) return judge_tap(ledger, seen, copy, job);
    return aq_action_is_completion(seen->action) ? judge_answer(arg, ledger, seen, copy, job) : 0;
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct state *state = arg;
    const struct aq_record_figure figures[] = {{"told_ok", (double)state->told_ok},
                                               {"told_no", (double)state->told_no},
                                               {"told_unknown", (double)state->told_unknown}};
    int rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    if (rc) return rc;
    return aq_check_conclude_completions(ledger, AQ_CHECK_COMPLETION_ARRIVAL, record, state->judged,
                                         "no worker was told how a completion ended", out);
}

const struct aq_checker aq_check_completion_arrival = {
    .check = AQ_CHECK_COMPLETION_ARRIVAL,
    .holds_when = "every completion that a worker was told succeeded was applied exactly once at its origin",
    .interests = 1 << AQ_SEEN_ANSWER | 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_CLIENT_DOWN,
    .actions = AQ_ACTION_BIT(DONE) | AQ_ACTION_BIT(DELETE) | AQ_ACTION_BIT(TOUCH) | AQ_ACTION_BIT(RELEASE) |
               AQ_ACTION_BIT(BURY),
    .taps = AQ_TAPS_OF_COMPLETIONS,
    .state_bytes = sizeof(struct state),
    .init = init,
    .close = close_state,
    .observe = observe,
    .finish = finish,
};
