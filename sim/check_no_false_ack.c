/* Nobody is told something that looks like success when nothing was applied, and nothing that was
 * acknowledged is undone. */
#include "sim/checks.h"
#include "sim/semantics.h"

#include "base/memory.h"

struct state {
    uint64_t judged;
    aq_time_us
        *applied_us; /* owned; by command: when a server last did that for its client, plus 1; 0: never */
    uint32_t command_count;
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

/* ---- commands ---- */

static int init(void *arg, const struct aq_ledger *ledger) {
    struct state *state = arg;
    state->command_count = aq_ledger_scenario(ledger)->command_count;
    state->applied_us = aq_alloc_zeroed((size_t)state->command_count + 1, sizeof *state->applied_us);
    return state->applied_us ? 0 : AQ_ENOMEM;
}

static void close_state(void *arg) {
    aq_free(((struct state *)arg)->applied_us);
}

/* The tap that a server makes which does what a command asks for; AQ_TAP_COUNT where doing nothing may be
   right, as with an unpause of what is not paused, or a clear of an empty tube. */
static enum aq_tap_kind tap_of(enum aq_command_kind kind) {
    switch (kind) {
    case AQ_COMMAND_PAUSE: return AQ_TAP_PAUSED;
    case AQ_COMMAND_THROTTLE: return AQ_TAP_THROTTLED;
    case AQ_COMMAND_KICK: return AQ_TAP_KICKED;
    default: return AQ_TAP_COUNT;
    }
}

/* Is the job of the tap in the tube that the command names: itself, or the fair queue that it is a shard of?
 */
static bool in_tube(const struct aq_ledger *ledger, struct aq_text tube, const char *name) {
    const struct aq_semantics shared = {.scenario = aq_ledger_scenario(ledger)};
    struct aq_text wanted = aq_text_of(name);
    return aq_text_equal(tube, wanted) || aq_text_equal(aq_semantics_family(&shared, tube), wanted);
}

static void note_applied(struct state *state, const struct aq_ledger *ledger,
                         const struct aq_observation *seen) {
    for (uint32_t i = 0; i < state->command_count; i++) {
        const struct aq_command_spec *command = &aq_ledger_scenario(ledger)->commands[i];
        bool ours = seen->client == AQ_NOBODY || seen->client == command->client;
        if (ours && tap_of(command->kind) == seen->tap->kind &&
            in_tube(ledger, seen->tap->tube, command->tube))
            state->applied_us[i] = seen->at_us + 1;
    }
}

static int judge_command(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen) {
    if (seen->caller >= state->command_count || !aq_answer_is_ok(seen)) return 0;
    enum aq_command_kind kind = aq_ledger_scenario(ledger)->commands[seen->caller].kind;
    /* A kick that names no job says that there was none. */
    if (tap_of(kind) == AQ_TAP_COUNT || (kind == AQ_COMMAND_KICK && !seen->job_hash)) return 0;
    state->judged++;
    if (state->applied_us[seen->caller] > seen->called_us) return 0;
    return violation(ledger, seen, NULL, NULL, "command told ok, but no server did it");
}

/* ---- answers ---- */

static int judge_answer(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    int rc = seen->is_command ? judge_command(state, ledger, seen) : 0;
    if (rc) return rc;
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
    if (kind == AQ_TAP_PAUSED || kind == AQ_TAP_THROTTLED || kind == AQ_TAP_KICKED) {
        note_applied(state, ledger, seen);
        return 0;
    }
    if ((kind == AQ_TAP_PUT || kind == AQ_TAP_PARENT_HELD) && job && job->put_answered &&
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
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(PARENT_HELD) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) |
            AQ_TAP_BIT(RESTORED) | AQ_TAP_BIT(PAUSED) | AQ_TAP_BIT(THROTTLED) | AQ_TAP_BIT(KICKED),
    .state_bytes = sizeof(struct state),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
