#include "sim/marks.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "sim/client_lists.h"

struct state {
    uint64_t counts[AQ_MARK_COUNT]; /* first: see the header */
    struct aq_client_lists lists;
    bool *server_up; /* by server; owned */
    uint32_t up_count;
    uint32_t in_force; /* faults */
    bool left;         /* some client was told to leave some server */
};

/* ---- names ---- */

static const char *const words[AQ_MARK_COUNT] = {
#define X(name, word, text) word,
    AQ_MARKS(X)
#undef X
#define X(name, word, text) "fault_" word,
        AQ_FAULT_KINDS(X)
#undef X
};

const char *aq_mark_word(uint32_t mark) {
    AQ_ASSERT(mark < AQ_RUN_MARK_COUNT);
    if (mark < AQ_CLIENT_MARK_COUNT) return aq_client_mark_word((enum aq_client_mark)mark);
    return words[mark - AQ_CLIENT_MARK_COUNT];
}

const char *aq_mark_text(uint32_t mark) {
    static const char *const texts[] = {
#define X(name, word, text) text,
        AQ_MARKS(X)
#undef X
    };
    bool own = mark >= AQ_CLIENT_MARK_COUNT && mark < AQ_CLIENT_MARK_COUNT + AQ_MARK_FAULT_FIRST;
    return own ? texts[mark - AQ_CLIENT_MARK_COUNT] : NULL;
}

bool aq_mark_find(const char *word, uint32_t *out) {
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++)
        if (strcmp(aq_mark_word(i), word) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* ---- counting ---- */

static int init(void *arg, const struct aq_ledger *ledger) {
    struct state *s = arg;
    const struct aq_scenario *scenario = aq_ledger_scenario(ledger);
    s->server_up = aq_alloc_zeroed(scenario->servers.count, sizeof *s->server_up);
    return s->server_up ? aq_client_lists_init(&s->lists, scenario) : AQ_ENOMEM;
}

static void close_state(void *arg) {
    struct state *s = arg;
    aq_client_lists_close(&s->lists);
    aq_free(s->server_up);
}

static void reach(struct state *s, bool reached, enum aq_mark mark) {
    s->counts[mark] += reached;
}

static bool partitioned(const struct aq_ledger *ledger) {
    return aq_ledger_faults_in_force(ledger, AQ_FAULT_PARTITION) > 0;
}

static void see_lease(struct state *s, const struct aq_ledger_copy *copy) {
    static const enum aq_mark marks[] = {
        [AQ_AGAIN_TTL] = AQ_MARK_LEASED_AGAIN_AFTER_EXPIRY,
        [AQ_AGAIN_LOST_REPLY] = AQ_MARK_LEASED_AGAIN_AFTER_LOST_REPLY,
        [AQ_AGAIN_RELEASED] = AQ_MARK_LEASED_AGAIN_AFTER_RELEASE,
        [AQ_AGAIN_KICKED] = AQ_MARK_LEASED_AGAIN_AFTER_KICK,
        [AQ_AGAIN_RESTART] = AQ_MARK_LEASED_AGAIN_AFTER_RESTART,
    };
    if (copy && copy->again > AQ_AGAIN_NOT && copy->again <= AQ_AGAIN_RESTART)
        s->counts[marks[copy->again]]++;
}

static void see_expiry(struct state *s, const struct aq_ledger *ledger, const struct aq_tap *tap,
                       const struct aq_ledger_copy *copy) {
    s->counts[AQ_MARK_LEASE_EXPIRED]++;
    reach(s, copy && !copy->told, AQ_MARK_GET_REPLY_LOST);
    reach(s, partitioned(ledger), AQ_MARK_LEASE_EXPIRED_DURING_PARTITION);
    reach(s, tap->state == AQ_JOB_BURIED, AQ_MARK_EXPIRY_BURIED);
}

/* A completion that came for a job that its server does not hold, or not for its sender. */
static void see_missed(struct state *s, const struct aq_ledger *ledger, const struct aq_tap *tap,
                       const struct aq_ledger_copy *copy) {
    if (!copy || !aq_action_is_completion(tap->action)) return;
    bool lost = aq_ledger_copy_lost(ledger, copy);
    reach(s, lost, AQ_MARK_COMPLETION_OF_LOST_JOB);
    reach(s, copy->gone && !lost, AQ_MARK_COMPLETION_AFTER_END);
    reach(s, !copy->gone && !lost && tap->action == AQ_ACTION_DONE, AQ_MARK_DONE_AFTER_EXPIRY);
}

static void see_completion(struct state *s, const struct aq_observation *seen,
                           const struct aq_ledger_copy *copy) {
    if (!copy || !aq_action_is_completion(seen->tap->action) || seen->server != copy->server) return;
    reach(s, copy->leases && seen->incarnation > copy->lease_incarnation,
          AQ_MARK_COMPLETION_TO_RESTARTED_SERVER);
    if (!s->left || seen->client == AQ_NOBODY || seen->tap->kind == AQ_TAP_MISSED) return;
    reach(s, aq_client_lists_standing(&s->lists, seen->client, seen->server) == AQ_STANDING_LEFT,
          AQ_MARK_DRAINED_WHILE_RESERVED);
}

static void see_restored(struct state *s, const struct aq_tap *tap) {
    s->counts[AQ_MARK_JOB_RESTORED]++;
    reach(s, tap->state == AQ_JOB_RESERVED, AQ_MARK_LEASE_RESTORED);
    reach(s, tap->former_id.len > 0, AQ_MARK_JOB_RENAMED);
}

static void see_tap(struct state *s, const struct aq_ledger *ledger, const struct aq_observation *seen,
                    const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    const struct aq_tap *tap = seen->tap;
    see_completion(s, seen, copy);
    switch (tap->kind) {
    case AQ_TAP_PUT: reach(s, job && job->copies_made > 0, AQ_MARK_PUT_ACCEPTED_TWICE); break;
    case AQ_TAP_LEASE: see_lease(s, copy); break;
    case AQ_TAP_TAKEN: s->counts[AQ_MARK_JOB_TAKEN]++; break;
    case AQ_TAP_DELETED: s->counts[AQ_MARK_JOB_DELETED]++; break;
    case AQ_TAP_TOUCHED: s->counts[AQ_MARK_LEASE_TOUCHED]++; break;
    case AQ_TAP_RELEASED: s->counts[AQ_MARK_JOB_RELEASED]++; break;
    case AQ_TAP_BURIED: s->counts[AQ_MARK_JOB_BURIED]++; break;
    case AQ_TAP_KICKED: s->counts[AQ_MARK_JOB_KICKED]++; break;
    case AQ_TAP_EXPIRED: see_expiry(s, ledger, tap, copy); break;
    case AQ_TAP_AUTOBURIED: s->counts[AQ_MARK_RELEASE_BURIED]++; break;
    case AQ_TAP_MATURED: s->counts[AQ_MARK_JOB_MATURED]++; break;
    case AQ_TAP_CLEARED: s->counts[AQ_MARK_JOB_CLEARED]++; break;
    case AQ_TAP_MISSED: see_missed(s, ledger, tap, copy); break;
    case AQ_TAP_RESTORED: see_restored(s, tap); break;
    case AQ_TAP_PARENT_STARTED: s->counts[AQ_MARK_PARENT_STARTED]++; break;
    case AQ_TAP_TIMED_OUT: s->counts[AQ_MARK_PARENT_TIMED_OUT]++; break;
    case AQ_TAP_NOOP_DONE: s->counts[AQ_MARK_NOOP_DONE]++; break;
    case AQ_TAP_PAUSED: s->counts[AQ_MARK_TUBE_PAUSED]++; break;
    case AQ_TAP_THROTTLED: s->counts[AQ_MARK_TUBE_THROTTLED]++; break;
    case AQ_TAP_REAPED: s->counts[AQ_MARK_TUBE_REAPED]++; break;
    case AQ_TAP_FAILED: s->counts[AQ_MARK_REQUEST_FAILED]++; break;
    default: break;
    }
}

static void see_answer(struct state *s, const struct aq_observation *seen, const struct aq_ledger_copy *copy,
                       const struct aq_ledger_job *job) {
    if (seen->outcome == AQ_OUTCOME_OK) return;
    bool unknown = seen->outcome == AQ_OUTCOME_UNKNOWN, unavailable = seen->outcome == AQ_OUTCOME_UNAVAILABLE;
    unsigned bit = 1u << seen->action;
    if (bit & AQ_ACTIONS_PUT) {
        bool made = job && job->copies_made > 0;
        reach(s, unknown && made, AQ_MARK_PUT_UNKNOWN_APPLIED);
        reach(s, unknown && !made, AQ_MARK_PUT_UNKNOWN_NOT_APPLIED);
        reach(s, unavailable, AQ_MARK_PUT_UNAVAILABLE);
    } else if (bit & AQ_ACTIONS_GET) {
        reach(s, unknown, AQ_MARK_GET_UNKNOWN);
    } else if (aq_action_is_completion(seen->action)) {
        bool applied = aq_completion_applied(copy, seen, false);
        reach(s, unknown && applied, AQ_MARK_COMPLETION_UNKNOWN_APPLIED);
        reach(s, unknown && !applied, AQ_MARK_COMPLETION_UNKNOWN_NOT_APPLIED);
        reach(s, unavailable, AQ_MARK_COMPLETION_UNAVAILABLE);
    }
}

static void see_server(struct state *s, const struct aq_ledger *ledger, const struct aq_observation *seen) {
    bool up = seen->kind == AQ_SEEN_SERVER_UP;
    if (seen->server >= aq_ledger_scenario(ledger)->servers.count || s->server_up[seen->server] == up) return;
    s->server_up[seen->server] = up;
    s->up_count += up ? 1u : -1u;
    reach(s, up && seen->incarnation > 0, AQ_MARK_SERVER_RESTARTED);
    reach(s, !up && partitioned(ledger), AQ_MARK_CRASH_DURING_PARTITION);
    reach(s, s->up_count == 0, AQ_MARK_ALL_SERVERS_DOWN);
}

static void see_fault(struct state *s, const struct aq_ledger *ledger, const struct aq_observation *seen) {
    const struct aq_scenario *scenario = aq_ledger_scenario(ledger);
    if (seen->fault < scenario->fault_count)
        s->counts[AQ_MARK_FAULT_FIRST + scenario->faults[seen->fault].kind]++;
    reach(s, s->in_force++ > 0, AQ_MARK_FAULTS_OVERLAPPED);
}

static int observe(void *arg, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct state *s = arg;
    switch (seen->kind) {
    case AQ_SEEN_TAP: see_tap(s, ledger, seen, copy, job); break;
    case AQ_SEEN_ANSWER: see_answer(s, seen, copy, job); break;
    case AQ_SEEN_ABANDONED: s->counts[AQ_MARK_CALL_ABANDONED]++; break;
    case AQ_SEEN_JOB_LOST:
        s->counts[AQ_MARK_JOB_LOST]++;
        reach(s, copy && copy->lease, AQ_MARK_LEASE_LOST);
        break;
    case AQ_SEEN_SERVER_UP:
    case AQ_SEEN_SERVER_DOWN: see_server(s, ledger, seen); break;
    case AQ_SEEN_SERVER_STOPPED: s->counts[AQ_MARK_SERVER_STOPPED]++; break;
    case AQ_SEEN_CLIENT_UP: reach(s, seen->at_us > 0, AQ_MARK_CLIENT_RESTARTED); break;
    case AQ_SEEN_CLIENT_DOWN: aq_client_lists_restart(&s->lists, seen->client); break;
    case AQ_SEEN_TOLD:
        s->left |= !seen->member;
        return aq_client_lists_tell(&s->lists, seen->client, seen->address, seen->member);
    case AQ_SEEN_FAULT: see_fault(s, ledger, seen); break;
    case AQ_SEEN_FAULT_END: s->in_force -= s->in_force > 0; break;
    default: break;
    }
    return 0;
}

#define SEEN(name) (1u << AQ_SEEN_##name)

const struct aq_checker aq_mark_watcher = {
    .check = AQ_CHECK_COUNT,
    .holds_when = "",
    .interests = SEEN(TAP) | SEEN(ANSWER) | SEEN(ABANDONED) | SEEN(JOB_LOST) | SEEN(SERVER_UP) |
                 SEEN(SERVER_DOWN) | SEEN(SERVER_STOPPED) | SEEN(CLIENT_UP) | SEEN(CLIENT_DOWN) | SEEN(TOLD) |
                 SEEN(FAULT) | SEEN(FAULT_END),
    .taps = ~AQ_TAP_BIT(EMPTY),
    .state_bytes = sizeof(struct state),
    .init = init,
    .observe = observe,
    .close = close_state,
};
