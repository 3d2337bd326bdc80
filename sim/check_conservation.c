/* Every job that a server accepted was completed, is still held, or was lost for a declared reason; and no
 * job comes from nowhere. */
#include "sim/checks.h"

#include "base/map.h"

#define TOLD_NOBODY "a job was taken for good, and told to nobody"

struct state {
    struct aq_map
        taken; /* by call of a get that deletes: jobs that a server took for it, and not told of yet */
    uint64_t appeared;
    uint64_t never_saved; /* never acknowledged, and not on disk when the server came back */
    uint64_t on_disk;     /* held by a server that is down and keeps its disk */
};

static int note_taken(struct state *state, const struct aq_observation *seen) {
    uint64_t key = aq_map_mix(seen->call);
    uint32_t count = 0;
    if (!seen->call) return 0;
    aq_map_get(&state->taken, key, &count);
    return aq_map_set(&state->taken, key, count + 1);
}

/* An answer that hides a job which was taken for it ends that job's life without a trace. One that says that
 * it does not know hides nothing. */
static int get_ended(struct state *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    uint64_t key = aq_map_mix(seen->call);
    uint32_t count;
    if (!state->taken.count || !aq_map_get(&state->taken, key, &count)) return 0;
    bool answered = seen->kind == AQ_SEEN_ANSWER;
    if (answered && seen->outcome == AQ_OUTCOME_OK && !seen->empty && count > 0) count--;
    if (answered && !seen->last) return aq_map_set(&state->taken, key, count);
    aq_map_remove(&state->taken, key);
    if (!answered || seen->outcome == AQ_OUTCOME_UNKNOWN || count == 0) return 0;
    return aq_ledger_violation(ledger, AQ_CHECK_CONSERVATION, seen, copy, job, TOLD_NOBODY);
}

static void close_state(void *arg) {
    aq_map_close(&((struct state *)arg)->taken);
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *state = arg;
    if (seen->kind != AQ_SEEN_TAP) return get_ended(state, ledger, seen, copy, job);
    enum aq_tap_kind kind = seen->tap->kind;
    if (kind == AQ_TAP_TAKEN) {
        int rc = note_taken(state, seen);
        if (rc) return rc;
    }
    if (kind != AQ_TAP_LEASE && kind != AQ_TAP_TAKEN && kind != AQ_TAP_RESTORED) return 0;
    /* What was acknowledged and came back is known, and no-false-ack's to report. */
    bool known =
        copy ? !copy->renamed || !copy->gone || job->ended : aq_ledger_forgot_token(ledger, seen->tap_token);
    if (known) return 0;
    state->appeared++;
    return aq_ledger_violation(ledger, AQ_CHECK_CONSERVATION, seen, copy, job, "job appeared");
}

struct walk {
    struct state *state;
    struct aq_ledger *ledger;
};

/* A copy that the books hold and no server has shown. */
static int explain(void *arg, struct aq_ledger_copy *copy) {
    struct walk *walk = arg;
    if (copy->gone || copy->reckoned) return 0;
    struct aq_ledger_totals *totals = aq_ledger_totals_edit(walk->ledger);
    const struct aq_ledger_server *server = aq_ledger_server(walk->ledger, copy->server);
    const struct aq_ledger_job *job = aq_ledger_job_of(walk->ledger, copy);
    bool acked = job->put_answered && job->put_outcome == AQ_OUTCOME_OK;
    if (aq_ledger_copy_lost(walk->ledger, copy)) {
        totals->lost++;
    } else if (!server->up) {
        walk->state->on_disk++;
        totals->held++;
    } else if (copy->incarnation < server->incarnation && !acked) {
        walk->state->never_saved++;
        totals->lost++;
    } else {
        totals->vanished++;
        return aq_ledger_violation(walk->ledger, AQ_CHECK_CONSERVATION, NULL, copy, job, "job vanished");
    }
    return 0;
}

static int finish(void *arg, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct walk walk = {arg, ledger};
    int rc = aq_ledger_each_copy(ledger, explain, &walk);
    if (rc) return rc;
    const struct aq_ledger_totals *totals = aq_ledger_totals(ledger);
    const struct aq_record_figure figures[] = {
        {"accepted", (double)totals->accepted},
        {"completed", (double)totals->completed},
        {"held", (double)totals->held},
        {"lost_declared", (double)totals->lost},
        {"appeared", (double)totals->appeared},
        {"vanished", (double)totals->vanished},
        {"never_saved", (double)walk.state->never_saved},
        {"on_disk", (double)walk.state->on_disk},
    };
    rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    if (rc) return rc;
    return aq_check_conclude(ledger, AQ_CHECK_CONSERVATION, record, totals->accepted, "no job was accepted",
                             out);
}

const struct aq_checker aq_check_conservation = {
    .check = AQ_CHECK_CONSERVATION,
    .holds_when = "accepted jobs = completed + still held + lost for a declared reason; nothing unexplained",
    .interests = 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_ANSWER | 1 << AQ_SEEN_ABANDONED,
    .actions = AQ_ACTION_BIT(GET) | AQ_ACTION_BIT(GET_MULTIPLE),
    .taps = AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(RESTORED),
    .state_bytes = sizeof(struct state),
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
