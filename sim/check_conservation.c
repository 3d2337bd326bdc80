/* Every job that a server accepted was completed, is still held, or was lost for a declared reason; and no
 * job comes from nowhere. */
#include "sim/checks.h"

#include "base/memory.h"

#define TOLD_NOBODY "a job was taken for good, and told to nobody"

/* Jobs that gets have deleted for a client. */
struct taking {
    uint64_t taken;          /* by servers */
    uint64_t told;           /* to its workers */
    uint64_t hidden_at_most; /* behind answers that say unknown, or that never came */
    uint64_t open;           /* gets that have not ended */
    aq_time_us last_us;      /* when the last was taken */
};

struct state {
    struct taking *takings; /* owned; by client */
    uint32_t clients;
    uint64_t appeared;
    uint64_t never_saved; /* never acknowledged, and not on disk when the server came back */
    uint64_t on_disk;     /* held by a server that is down and keeps its disk */
};

static struct taking *taking_of(struct state *state, const struct aq_observation *seen) {
    return seen->client < state->clients ? &state->takings[seen->client] : NULL;
}

/* A get begins, or has ended. One whose end nobody knows may hide as many jobs as it asked for. */
static void get_seen(struct state *state, const struct aq_ledger *ledger, const struct aq_observation *seen) {
    struct taking *taking = taking_of(state, seen);
    if (!taking) return;
    if (seen->kind == AQ_SEEN_CALL) {
        taking->open++;
        return;
    }
    bool answered = seen->kind == AQ_SEEN_ANSWER;
    if (!answered || seen->last) taking->open--;
    if (!answered || seen->outcome == AQ_OUTCOME_UNKNOWN || seen->outcome == AQ_OUTCOME_EMPTY)
        taking->hidden_at_most += aq_ledger_scenario(ledger)->workers.batch;
    else if (seen->outcome == AQ_OUTCOME_OK && !seen->empty)
        taking->told++;
}

/* Did a client hide jobs that were taken for it, behind answers which say that all is known? */
static int judge_takings(struct state *state, struct aq_ledger *ledger) {
    int rc = 0;
    for (uint32_t client = 0; client < state->clients && !rc; client++) {
        const struct taking *taking = &state->takings[client];
        uint64_t under_way = taking->open * aq_ledger_scenario(ledger)->workers.batch;
        if (taking->taken <= taking->told + taking->hidden_at_most + under_way) continue;
        const struct aq_observation seen = {.at_us = taking->last_us,
                                            .kind = AQ_SEEN_KIND_COUNT,
                                            .server = AQ_NOBODY,
                                            .client = client,
                                            .caller = AQ_NOBODY};
        rc = aq_ledger_violation(ledger, AQ_CHECK_CONSERVATION, &seen, NULL, NULL, TOLD_NOBODY);
    }
    return rc;
}

static int init(void *arg, const struct aq_ledger *ledger) {
    struct state *state = arg;
    state->clients = aq_ledger_scenario(ledger)->clients.count;
    state->takings = aq_alloc_zeroed((size_t)state->clients + 1, sizeof *state->takings);
    return state->takings ? 0 : AQ_ENOMEM;
}

static void close_state(void *arg) {
    aq_free(((struct state *)arg)->takings);
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *state = arg;
    if (seen->kind != AQ_SEEN_TAP) {
        get_seen(state, ledger, seen);
        return 0;
    }
    enum aq_tap_kind kind = seen->tap->kind;
    struct taking *taking = kind == AQ_TAP_TAKEN ? taking_of(state, seen) : NULL;
    if (taking) {
        taking->taken++;
        taking->last_us = seen->at_us;
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
    if (!rc) rc = judge_takings(arg, ledger);
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
    .interests = 1 << AQ_SEEN_TAP | 1 << AQ_SEEN_CALL | 1 << AQ_SEEN_ANSWER | 1 << AQ_SEEN_ABANDONED,
    .actions = AQ_ACTIONS_GET,
    .taps = AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN) | AQ_TAP_BIT(RESTORED),
    .state_bytes = sizeof(struct state),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
