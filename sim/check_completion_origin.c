/* Every done, delete, touch, release and bury must be handled by the server that handed the job out. */
#include "sim/checks.h"

struct state {
    uint64_t judged;
    uint64_t arrived;     /* at the origin, which held or had held the job */
    uint64_t elsewhere;   /* at another server */
    uint64_t origin_gone; /* at the origin, which had lost the job in a crash */
    uint64_t late;        /* about a job that had ended and was forgotten */
};

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *state = arg;
    if (!aq_tap_is_completion(seen->tap)) return 0;
    state->judged++;
    if (!copy) {
        if (!aq_ledger_forgot_hash(ledger, seen->tap->job_hash))
            return aq_ledger_violation(ledger, AQ_CHECK_COMPLETION_ORIGIN, seen, NULL, NULL,
                                       "completion for an id that no server issued");
        state->late++;
    } else if (copy->server != seen->server) {
        state->elsewhere++;
        return aq_ledger_violation(ledger, AQ_CHECK_COMPLETION_ORIGIN, seen, copy, job,
                                   "completion at another server");
    } else if (aq_ledger_copy_lost(ledger, copy))
        state->origin_gone++;
    else
        state->arrived++;
    return 0;
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct state *state = arg;
    const struct aq_record_figure figures[] = {{"arrived", (double)state->arrived},
                                               {"elsewhere", (double)state->elsewhere},
                                               {"origin_gone", (double)state->origin_gone},
                                               {"late", (double)state->late}};
    int rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    if (rc) return rc;
    return aq_check_conclude_completions(ledger, AQ_CHECK_COMPLETION_ORIGIN, record, state->judged,
                                         "no completion reached a server", out);
}

const struct aq_checker aq_check_completion_origin = {
    .check = AQ_CHECK_COMPLETION_ORIGIN,
    .holds_when =
        "every done, delete, touch, release and bury was handled by the server that handed the job out",
    .interests = 1 << AQ_SEEN_TAP,
    .taps = AQ_TAPS_OF_COMPLETIONS,
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
};
