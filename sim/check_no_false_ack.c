/* Nobody is told something that looks like success when nothing was applied, and nothing that was
 * acknowledged is undone. */
#include "sim/checks.h"

struct state {
    uint64_t judged;
    uint64_t refused_but_made; /* puts that a server accepted though the producer was told no: allowed, but
                                  worth knowing */
};

static int violation(struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job, const char *cause) {
    return aq_ledger_violation(ledger, AQ_CHECK_NO_FALSE_ACK, seen, copy, job, cause);
}

static int judge_put(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (aq_answer_is_no(seen) && job && job->copies_made) state->refused_but_made++;
    if (!aq_answer_is_ok(seen)) return 0;
    state->judged++;
    if (!job || job->copies_made == 0)
        return violation(ledger, seen, copy, job, "put told ok, but no server accepted it");
    if (seen->job_hash && (!copy || aq_ledger_job_of(ledger, copy) != job))
        return violation(ledger, seen, copy, job, "put told the id of another job");
    return 0;
}

static int judge_get(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (seen->outcome != AQ_OUTCOME_OK || seen->empty) return 0;
    state->judged++;
    if (!copy ? seen->job_hash != 0 || !job : copy->leases == 0)
        return violation(ledger, seen, copy, job, "get told of a job that no server handed out");
    if (job->token && seen->token && job->token != seen->token)
        return violation(ledger, seen, copy, job, "get told of a job with the body of another");
    /* With several leases out, the answer may be about an earlier one, whose client the books no longer know.
     */
    if (copy && copy->leases == 1 && copy->holder_client != AQ_NOBODY && copy->holder_client != seen->client)
        return violation(ledger, seen, copy, job, "get told of a job handed to another client");
    return 0;
}

static int judge_completion(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                            const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (!aq_answer_is_ok(seen)) return 0;
    state->judged++;
    if (!aq_completion_applied(copy, seen, false))
        return violation(ledger, seen, copy, job, "completion told ok, but not applied");
    bool ends = seen->action == AQ_ACTION_DONE || seen->action == AQ_ACTION_DELETE;
    if (ends && !copy->gone) return violation(ledger, seen, copy, job, "acknowledged completion came back");
    return 0;
}

static int judge_answer(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    switch (seen->action) {
    case AQ_ACTION_PUT:
    case AQ_ACTION_SET_PARENT_JOB: return judge_put(state, ledger, seen, copy, job);
    case AQ_ACTION_GET:
    case AQ_ACTION_GET_MULTIPLE: return judge_get(state, ledger, seen, copy, job);
    case AQ_ACTION_CLEAR:
    case AQ_ACTION_UPDATE_SERVERS:
        /* "{}" says that the call failed; for these two it is also what success looks like. */
        state->judged++;
        if (seen->outcome == AQ_OUTCOME_EMPTY)
            return violation(ledger, seen, copy, job, "failed call told as success");
        return 0;
    default:
        if (!aq_action_is_completion(seen->action)) return 0;
        return judge_completion(state, ledger, seen, copy, job);
    }
}

static bool is_acked_and_gone(const struct aq_observation *seen, const struct aq_ledger_copy *copy,
                              const struct aq_ledger_job *job) {
    if (!copy->gone || copy->lost) return false;
    bool under_former_id = copy->hash != seen->tap->job_hash;
    return copy->acked || (under_former_id && job->completions_ok > 0);
}

static int judge_tap(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    enum aq_tap_kind kind = seen->tap->kind;
    if (kind == AQ_TAP_PUT && job && job->put_answered &&
        (job->put_outcome == AQ_OUTCOME_REFUSED || job->put_outcome == AQ_OUTCOME_UNAVAILABLE))
        state->refused_but_made++;
    if (kind != AQ_TAP_LEASE && kind != AQ_TAP_TAKEN && kind != AQ_TAP_RESTORED) return 0;
    bool back = copy ? is_acked_and_gone(seen, copy, job) : aq_ledger_forgot_token(ledger, seen->tap_token);
    return back ? violation(ledger, seen, copy, job, "acknowledged completion came back") : 0;
}

static bool put_was_acked(const struct aq_ledger_job *job) {
    return job && job->put_answered && job->put_outcome == AQ_OUTCOME_OK;
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (seen->kind == AQ_SEEN_ANSWER) return judge_answer(arg, ledger, seen, copy, job);
    if (seen->kind == AQ_SEEN_TAP) return judge_tap(arg, ledger, seen, copy, job);
    if (!copy || copy->gone || !put_was_acked(job)) return 0;
    const struct aq_ledger_server *server = aq_ledger_server(ledger, copy->server);
    bool declared = server->up || server->lost_before > server->incarnation;
    return declared ? 0 : violation(ledger, seen, copy, job, "acknowledged put was lost");
}

/* A copy that should be there and is not; conservation says so as well, whoever was told of it. */
static int look_for_lost_put(void *arg, struct aq_ledger_copy *copy) {
    struct aq_ledger *ledger = arg;
    const struct aq_ledger_job *job = aq_ledger_job_of(ledger, copy);
    if (copy->gone || copy->reckoned || !aq_ledger_server(ledger, copy->server)->up) return 0;
    if (aq_ledger_copy_lost(ledger, copy) || !put_was_acked(job)) return 0;
    return violation(ledger, NULL, copy, job, "acknowledged put was lost");
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    const struct state *state = arg;
    const struct aq_record_figure figure = {"puts_refused_but_made", (double)state->refused_but_made};
    int rc = aq_ledger_each_copy(ledger, look_for_lost_put, ledger);
    if (!rc) rc = aq_check_figures(record, &figure, 1, out);
    if (rc) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_NO_FALSE_ACK, record, state->judged,
                             "nobody was told of a success", out);
}

const struct aq_checker aq_check_no_false_ack = {
    .check = AQ_CHECK_NO_FALSE_ACK,
    .holds_when =
        "nobody was told something that looks like success when nothing was applied or it was undone",
    .interests = 1 << AQ_SEEN_ANSWER | 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_JOB_LOST,
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(RESTORED),
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
};
