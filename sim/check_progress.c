/* Progress: once the faults are healed, ready jobs get completed and every call gets its answer, each within
   a budget that starts anew with every completion. Stalls before that are excused by the faults. */
#include "sim/checks.h"
#include "sim/client_lists.h"

#include "base/assert.h"
#include "base/memory.h"

#include <string.h>

#define NO_PROGRESS "no progress"
#define STUCK       "caller stuck"

#define ANSWER_SLACK_US (1 * AQ_US_PER_S) /* an answer may come so much after the client's own time limit */

/* An open call of someone who can have several at once. */
struct open_call {
    aq_time_us called_us;
    uint32_t caller, client;
    uint32_t next_free;
    enum aq_action action;
    bool is_producer, is_command, open;
};

struct progress {
    const struct aq_scenario *scenario;
    struct aq_client_lists lists; /* without drains: a server that is drained is still to be emptied */
    bool draining;                /* what clients are being told is to drain a server */
    struct aq_text tube;          /* that the workers serve */
    uint32_t workers, servers;
    aq_time_us *called_us;   /* by worker: when its open call was made, plus 1; 0: none */
    uint32_t *client_of;     /* by worker: client of that call */
    struct open_call *calls; /* of everyone else */
    uint32_t call_count, call_capacity, first_free; /* first_free: index plus one */
    struct aq_map call_index;                       /* mixed call number to index in calls */
    struct {
        int64_t ready, reserved;
        bool paused;         /* the tube is, by an operator's command */
    } * jobs;                /* by server */
    int64_t ready, reserved; /* sums */
    bool *served;            /* by server: a worker's client is to use it after the healing; owned */
    int64_t in_reach;        /* ready jobs on those; known from the healing on */
    bool healed;
    bool waited_for; /* at the end a call from before the healing was open */
    aq_time_us healed_us, last_us;
    aq_time_us clock_us;         /* how long a client's clock may have stood still: the longest jump so far */
    aq_time_us waiting_since_us; /* jobs are ready and no time has been counted since; AQ_TIME_NEVER: none are
                                    ready */
    aq_time_us waited_us;        /* counted since the last completion */
    aq_time_us drained_us;       /* when ready and reserved last became none; AQ_TIME_NEVER: there are some */
    aq_time_us longest_gap_us;
    uint64_t answers, completions, stalls, stuck;
};

static int init(void *state, const struct aq_ledger *ledger) {
    struct progress *p = state;
    p->scenario = aq_ledger_scenario(ledger);
    p->tube = aq_text_of(p->scenario->workers.tube);
    p->workers = p->scenario->workers.count;
    p->servers = p->scenario->servers.count;
    p->waiting_since_us = AQ_TIME_NEVER;
    p->called_us = aq_alloc_zeroed((size_t)p->workers + 1, sizeof *p->called_us);
    p->client_of = aq_alloc_zeroed((size_t)p->workers + 1, sizeof *p->client_of);
    p->jobs = aq_alloc_zeroed((size_t)p->servers + 1, sizeof *p->jobs);
    p->served = aq_alloc_zeroed((size_t)p->servers + 1, sizeof *p->served);
    if (!p->called_us || !p->client_of || !p->jobs || !p->served) return AQ_ENOMEM;
    return aq_client_lists_init(&p->lists, p->scenario);
}

static void close_state(void *state) {
    struct progress *p = state;
    aq_client_lists_close(&p->lists);
    aq_free(p->called_us);
    aq_free(p->client_of);
    aq_free(p->jobs);
    aq_free(p->served);
    aq_free(p->calls);
    aq_map_close(&p->call_index);
}

/* ---- calls ---- */

static bool is_worker(const struct progress *p, const struct aq_observation *seen) {
    return !seen->is_producer && !seen->is_command && seen->caller < p->workers;
}

static int call_opened(struct progress *p, const struct aq_observation *seen) {
    if (is_worker(p, seen)) {
        p->called_us[seen->caller] = seen->at_us + 1;
        p->client_of[seen->caller] = seen->client;
        return 0;
    }
    if (!p->first_free) {
        int rc = aq_array_reserve(&p->calls, &p->call_capacity, (size_t)p->call_count + 1, sizeof *p->calls);
        if (rc) return rc;
        p->calls[p->call_count] = (struct open_call){0};
        p->first_free = ++p->call_count;
    }
    uint32_t index = p->first_free - 1;
    int rc = aq_map_set(&p->call_index, aq_map_mix(seen->call), index);
    if (rc) return rc;
    p->first_free = p->calls[index].next_free;
    p->calls[index] = (struct open_call){.called_us = seen->at_us,
                                         .caller = seen->caller,
                                         .client = seen->client,
                                         .action = seen->action,
                                         .is_producer = seen->is_producer,
                                         .is_command = seen->is_command,
                                         .open = true};
    return 0;
}

/* Closes a call; *called_us is when it was made. False where it is not open. */
static bool call_closed(struct progress *p, const struct aq_observation *seen, aq_time_us *called_us) {
    if (is_worker(p, seen)) {
        if (!p->called_us[seen->caller]) return false;
        *called_us = p->called_us[seen->caller] - 1;
        p->called_us[seen->caller] = 0;
        return true;
    }
    uint32_t index;
    uint64_t key = aq_map_mix(seen->call);
    if (!aq_map_get(&p->call_index, key, &index)) return false;
    aq_map_remove(&p->call_index, key);
    *called_us = p->calls[index].called_us;
    p->calls[index].open = false;
    p->calls[index].next_free = p->first_free;
    p->first_free = index + 1;
    return true;
}

/* True if a call made then should have been answered before now. Time before the faults were healed is
   excused, unless the client itself sets a limit, which holds under faults as well. */
static bool is_stuck(const struct progress *p, aq_time_us called_us, aq_time_us now_us) {
    aq_time_us timeout_us = p->scenario->clients.policy.call_timeout_us, due_us;
    if (p->scenario->clients.exec && !p->healed) return false; /* its limits are its own matter */
    if (timeout_us != AQ_TIME_NEVER)
        due_us = aq_time_after(called_us + p->clock_us, aq_time_after(timeout_us, ANSWER_SLACK_US));
    else if (!p->healed)
        due_us = AQ_TIME_NEVER;
    else
        due_us = aq_time_after(called_us > p->healed_us ? called_us : p->healed_us,
                               p->scenario->budgets.progress_us);
    return now_us > due_us;
}

static int answer_seen(struct progress *p, struct aq_ledger *ledger, const struct aq_observation *seen,
                       const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (p->healed) p->answers++;
    aq_time_us called_us;
    if (!call_closed(p, seen, &called_us) || !is_stuck(p, called_us, seen->at_us)) return 0;
    p->stuck++;
    return aq_ledger_violation(ledger, AQ_CHECK_PROGRESS, seen, copy, job, STUCK);
}

/* ---- jobs ---- */

/* What a tap says of the job's place before it: nowhere for one that is new here. */
static bool was_in(const struct aq_tap *tap, enum aq_job_state state) {
    switch (tap->kind) {
    case AQ_TAP_PUT:
    case AQ_TAP_RESTORED: return false;
    default: return tap->before == state;
    }
}

static bool is_in(const struct aq_tap *tap, enum aq_job_state state) {
    switch (tap->kind) {
    case AQ_TAP_TAKEN:
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_CLEARED:
    case AQ_TAP_NOOP_DONE:
    case AQ_TAP_REAPED: return false;
    default: return tap->state == state;
    }
}

/* A job has come to an end, or to where no worker can get at it. */
static bool is_progress(const struct aq_tap *tap) {
    switch (tap->kind) {
    case AQ_TAP_TAKEN:
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_CLEARED:
    case AQ_TAP_NOOP_DONE:
    case AQ_TAP_BURIED:
    case AQ_TAP_AUTOBURIED: return true;
    case AQ_TAP_EXPIRED:
    case AQ_TAP_TIMED_OUT: return tap->state == AQ_JOB_BURIED;
    default: return false;
    }
}

/* Time counts while jobs are ready that somebody is to take, and adds up until a job is completed. */
static void count_wait(struct progress *p, aq_time_us now_us) {
    if (p->waiting_since_us != AQ_TIME_NEVER) p->waited_us += now_us - p->waiting_since_us;
    p->waiting_since_us = p->in_reach > 0 ? now_us : AQ_TIME_NEVER;
}

static bool is_served(const struct progress *p, uint32_t server) {
    uint32_t clients = p->scenario->clients.count;
    if (p->scenario->balancer != AQ_BALANCER_NONE || server < p->scenario->servers.shared_identity)
        return true;
    for (uint32_t client = 0; client < clients && client < p->workers; client++)
        if (aq_client_lists_standing(&p->lists, client, server) == AQ_STANDING_MEMBER) return true;
    return false;
}

/* Are the server's ready jobs for somebody to take? */
static bool is_in_reach(const struct progress *p, uint32_t server) {
    return p->served[server] && !p->jobs[server].paused;
}

/* From now on lists stay as they are. Jobs on other servers are out of reach by the scenario's own doing. */
static void find_served(struct progress *p) {
    p->in_reach = 0;
    for (uint32_t server = 0; server < p->servers; server++) {
        p->served[server] = is_served(p, server);
        if (is_in_reach(p, server)) p->in_reach += p->jobs[server].ready;
    }
}

/* `seen` is the completion that ends it; NULL: the end of the run does. */
static int end_wait(struct progress *p, struct aq_ledger *ledger, const struct aq_observation *seen,
                    aq_time_us now_us) {
    count_wait(p, now_us);
    aq_time_us gap_us = p->waited_us;
    p->waited_us = 0;
    if (gap_us > p->longest_gap_us) p->longest_gap_us = gap_us;
    /* A completion just in time is in time; a run that ends there has shown a whole budget without one. */
    aq_time_us budget_us = p->scenario->budgets.progress_us;
    if (seen ? gap_us <= budget_us : gap_us < budget_us || p->in_reach <= 0) return 0;
    p->stalls++;
    return aq_ledger_violation(ledger, AQ_CHECK_PROGRESS, seen, NULL, NULL, NO_PROGRESS);
}

/* Adds to the jobs of a server, and sees whether waiting begins or pauses with that. */
static void jobs_changed(struct progress *p, const struct aq_observation *seen, int64_t ready,
                         int64_t reserved) {
    bool had_ready = p->in_reach > 0, had_any = p->ready + p->reserved > 0;
    p->jobs[seen->server].ready += ready;
    p->jobs[seen->server].reserved += reserved;
    p->ready += ready;
    p->reserved += reserved;
    if (!p->healed) return;
    if (is_in_reach(p, seen->server)) p->in_reach += ready;
    bool has_ready = p->in_reach > 0, has_any = p->ready + p->reserved > 0;
    if (had_any != has_any) p->drained_us = has_any ? AQ_TIME_NEVER : seen->at_us;
    if (had_ready != has_ready) count_wait(p, seen->at_us);
}

static void pause_changed(struct progress *p, const struct aq_observation *seen, bool paused) {
    bool had_ready = p->in_reach > 0, was_in_reach = is_in_reach(p, seen->server);
    p->jobs[seen->server].paused = paused;
    if (!p->healed || was_in_reach == is_in_reach(p, seen->server)) return;
    p->in_reach += was_in_reach ? -p->jobs[seen->server].ready : p->jobs[seen->server].ready;
    if (had_ready != (p->in_reach > 0)) count_wait(p, seen->at_us);
}

static int tap_seen(struct progress *p, struct aq_ledger *ledger, const struct aq_observation *seen) {
    const struct aq_tap *tap = seen->tap;
    bool pauses = tap->kind == AQ_TAP_PAUSED, unpauses = tap->kind == AQ_TAP_UNPAUSED;
    if ((pauses || unpauses) && seen->server < p->servers && aq_text_equal(tap->tube, p->tube))
        pause_changed(p, seen, pauses);
    if (tap->job_hash == 0 || tap->kind == AQ_TAP_MISSED || tap->kind == AQ_TAP_EMPTY ||
        tap->kind == AQ_TAP_FAILED)
        return 0;
    if (seen->server >= p->servers || !aq_text_equal(tap->tube, p->tube)) return 0;
    int64_t ready = is_in(tap, AQ_JOB_READY) - was_in(tap, AQ_JOB_READY);
    int64_t reserved = is_in(tap, AQ_JOB_RESERVED) - was_in(tap, AQ_JOB_RESERVED);
    if (ready || reserved) jobs_changed(p, seen, ready, reserved);
    if (!p->healed || !is_progress(tap)) return 0;
    p->completions++;
    return end_wait(p, ledger, seen, seen->at_us);
}

/* The jobs of a server that is down are out of reach; those that are kept come back as restored, and so does
 * its pause. */
static void server_down(struct progress *p, const struct aq_observation *seen) {
    if (seen->server >= p->servers) return;
    jobs_changed(p, seen, -p->jobs[seen->server].ready, -p->jobs[seen->server].reserved);
    if (seen->memory_lost) p->jobs[seen->server].paused = false;
}

static void fault_seen(struct progress *p, const struct aq_fault_spec *fault) {
    aq_time_us span_us = (aq_time_us)(fault->jump_us < 0 ? -fault->jump_us : fault->jump_us);
    p->draining = fault->kind == AQ_FAULT_DRAIN;
    if (fault->kind == AQ_FAULT_CLIENT_CLOCK_JUMP && span_us > p->clock_us) p->clock_us = span_us;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct progress *p = state;
    aq_time_us ignored;
    p->last_us = seen->at_us;
    switch (seen->kind) {
    case AQ_SEEN_CALL: return call_opened(p, seen);
    case AQ_SEEN_ANSWER: return answer_seen(p, ledger, seen, copy, job);
    case AQ_SEEN_ABANDONED: call_closed(p, seen, &ignored); return 0;
    case AQ_SEEN_TAP: return tap_seen(p, ledger, seen);
    case AQ_SEEN_SERVER_DOWN: server_down(p, seen); return 0;
    case AQ_SEEN_CLIENT_DOWN: aq_client_lists_restart(&p->lists, seen->client); return 0;
    case AQ_SEEN_FAULT: fault_seen(p, &p->scenario->faults[seen->fault]); return 0;
    case AQ_SEEN_TOLD:
        if (seen->action == AQ_ACTION_DRAIN || p->draining) return 0;
        return aq_client_lists_tell(&p->lists, seen->client, seen->address, seen->member);
    case AQ_SEEN_HEALED:
        p->healed = true;
        p->healed_us = seen->at_us;
        find_served(p);
        p->waiting_since_us = p->in_reach > 0 ? seen->at_us : AQ_TIME_NEVER;
        p->drained_us = p->ready + p->reserved > 0 ? AQ_TIME_NEVER : seen->at_us;
        return 0;
    default: return 0;
    }
}

/* ---- the verdict ---- */

/* The call is still open when the run ends: its whole time has gone by then without an answer. */
static int blame(struct progress *p, struct aq_ledger *ledger, const struct open_call *call,
                 aq_time_us end_us) {
    p->waited_for |= call->called_us < p->healed_us;
    if (!is_stuck(p, call->called_us, end_us + 1)) return 0;
    struct aq_observation seen = {.at_us = call->called_us,
                                  .kind = AQ_SEEN_CALL,
                                  .caller = call->caller,
                                  .client = call->client,
                                  .server = AQ_NOBODY,
                                  .address = AQ_NOBODY,
                                  .action = call->action,
                                  .is_producer = call->is_producer,
                                  .is_command = call->is_command};
    p->stuck++;
    return aq_ledger_violation(ledger, AQ_CHECK_PROGRESS, &seen, NULL, NULL, STUCK);
}

static int judge_open_calls(struct progress *p, struct aq_ledger *ledger, aq_time_us end_us) {
    for (uint32_t worker = 0; worker < p->workers; worker++) {
        if (!p->called_us[worker]) continue;
        struct open_call call = {.called_us = p->called_us[worker] - 1,
                                 .caller = worker,
                                 .client = p->client_of[worker],
                                 .action = AQ_ACTION_GET};
        int rc = blame(p, ledger, &call, end_us);
        if (rc) return rc;
    }
    for (uint32_t i = 0; i < p->call_count; i++) {
        int rc = p->calls[i].open ? blame(p, ledger, &p->calls[i], end_us) : 0;
        if (rc) return rc;
    }
    return 0;
}

/* Something still waited at the end, and the run was too short to tell a standstill from slowness. */
static bool too_short(const struct progress *p, aq_time_us end_us) {
    aq_time_us budget_us = p->scenario->budgets.progress_us;
    return p->workers && (p->in_reach > 0 || p->waited_for) && budget_us != AQ_TIME_NEVER &&
           end_us - p->healed_us < budget_us;
}

static const char *remark_of(const struct progress *p, struct aq_record *record, aq_time_us end_us) {
    if (!p->healed) return "the run ended before its faults were healed";
    if (p->stalls)
        return aq_record_text(record,
                              "no job was completed for up to %.3f s while jobs were ready; %llu calls stuck",
                              (double)p->longest_gap_us / 1e6, (unsigned long long)p->stuck);
    if (p->stuck)
        return aq_record_text(record, "%llu calls were not answered in time", (unsigned long long)p->stuck);
    if (too_short(p, end_us))
        return "jobs or calls still waited when settle was over, which is shorter than budgets.progress";
    if (p->ready > 0 && p->in_reach <= 0)
        return "jobs are left on servers that no client is to use: the faults of the scenario explain that";
    return "";
}

static int add_figures(const struct progress *p, struct aq_record *record, struct aq_record_check *out) {
    bool drained = p->healed && p->drained_us != AQ_TIME_NEVER;
    const struct aq_record_figure figures[] = {
        {"longest_gap_s", (double)p->longest_gap_us / 1e6},
        {"stuck_calls", (double)p->stuck},
        {"ready_at_end", (double)p->ready},
        {"reserved_at_end", (double)p->reserved},
        {"completions_after_healing", (double)p->completions},
        {"drained_after_s", drained ? (double)(p->drained_us - p->healed_us) / 1e6 : 0},
    };
    /* Where the backlog has not drained there is no such time. */
    return aq_check_figures(record, figures, sizeof figures / sizeof *figures - !drained, out);
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct progress *p = state;
    aq_time_us end_us = record->virtual_us > p->last_us ? record->virtual_us : p->last_us;
    int rc = p->healed && p->workers ? end_wait(p, ledger, NULL, end_us) : 0;
    if (!rc) rc = judge_open_calls(p, ledger, end_us);
    if (rc) return rc;
    out->judged = p->healed ? p->answers + p->completions + p->workers : 0;
    bool open = !p->healed || too_short(p, end_us);
    out->verdict = p->stalls + p->stuck ? AQ_VERDICT_FAIL : open ? AQ_VERDICT_UNKNOWN : AQ_VERDICT_PASS;
    out->remark = remark_of(p, record, end_us);
    return out->remark ? add_figures(p, record, out) : AQ_ENOMEM;
}

const struct aq_checker aq_check_progress = {
    .check = AQ_CHECK_PROGRESS,
    .holds_when =
        "after the faults are healed every call is answered and ready jobs get completed within the budget",
    .interests = 1u << AQ_SEEN_CALL | 1u << AQ_SEEN_ANSWER | 1u << AQ_SEEN_ABANDONED | 1u << AQ_SEEN_TAP |
                 1u << AQ_SEEN_SERVER_DOWN | 1u << AQ_SEEN_HEALED | 1u << AQ_SEEN_CLIENT_DOWN |
                 1u << AQ_SEEN_FAULT | 1u << AQ_SEEN_TOLD,
    .taps = AQ_TAPS_OF_JOBS | AQ_TAP_BIT(PAUSED) | AQ_TAP_BIT(UNPAUSED),
    .state_bytes = sizeof(struct progress),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
