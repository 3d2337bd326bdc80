/* The books of what servers did and what became of them. */
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "sim/ledger_books.h"

/* The copy is no longer held: completed. */
static void complete(struct aq_ledger *ledger, struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    job->ended = 1;
    copy->lease = 0;
    copy->state = AQ_JOB_READY;
    if (!copy->gone) {
        ledger->totals.alive--;
        job->copies_alive--;
    } else if (copy->lost)
        ledger->totals.lost--;
    else
        return;
    copy->gone = 1;
    copy->lost = 0;
    ledger->totals.completed++;
}

/* The copy was gone and is held again. */
static void revive(struct aq_ledger *ledger, struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    job->unclean = 1;
    copy->again = copy->acked ? AQ_AGAIN_CAME_BACK : AQ_AGAIN_RESTART;
    if (copy->lost)
        ledger->totals.lost--;
    else if (!copy->renamed)
        ledger->totals.completed--;
    else
        ledger->totals.appeared++;
    copy->gone = copy->lost = copy->renamed = 0;
    ledger->totals.alive++;
    job->copies_alive++;
}

/* A job whose earlier life has been forgotten, since it ended cleanly: what is known of that. */
static void recall(struct aq_ledger_job *job) {
    job->unclean = 1;
    job->ended = 1;
    job->copies_made = 1;
    job->executions = 1;
    job->completions_ok = 1;
    job->put_answered = 1;
    job->put_outcome = AQ_OUTCOME_OK;
}

/* The logical job that a tap's body names, made where the books have none. */
static int job_for(struct aq_ledger *ledger, const struct aq_observation *seen, uint32_t *out,
                   bool *was_forgotten) {
    uint64_t token = seen->tap_token;
    *was_forgotten = aq_ledger_forgot_token(ledger, token);
    if (token && aq_map_get(&ledger->by_token, aq_map_mix(token), out)) return 0;
    int rc = aq_books_add_job(ledger, token, out);
    if (rc) return rc;
    if (*was_forgotten)
        recall(aq_books_job(ledger, *out));
    else
        aq_books_job(ledger, *out)->foreign = 1;
    return 0;
}

/* A copy that the books do not know: just put, or from nowhere. */
static int discover(struct aq_ledger *ledger, const struct aq_observation *seen, bool put,
                    struct aq_ledger_copy **copy) {
    uint32_t job;
    bool was_forgotten;
    int rc = job_for(ledger, seen, &job, &was_forgotten);
    if (rc) return rc;
    rc = aq_books_add_copy(ledger, job, seen->server, seen->incarnation, seen->tap->job_hash,
                           seen->tap->job_id, copy);
    if (rc) return rc;
    if (put) return 0;
    aq_books_job(ledger, job)->unclean = 1;
    if (was_forgotten) {
        ledger->totals.completed--;
        (*copy)->again = AQ_AGAIN_CAME_BACK;
        (*copy)->acked = 1;
    } else
        ledger->totals.appeared++;
    return 0;
}

static int put(struct aq_ledger *ledger, const struct aq_observation *seen) {
    struct aq_ledger_copy *copy;
    int rc = discover(ledger, seen, true, &copy);
    if (rc) return rc;
    struct aq_ledger_job *job = aq_books_job(ledger, copy->job);
    copy->state = (uint8_t)seen->tap->state;
    if (++job->copies_made > 1) job->unclean = 1;
    ledger->totals.accepted++;
    ledger->servers[seen->server].puts++;
    aq_books_remember(job, seen);
    return 0;
}

static void hand_out(struct aq_ledger *ledger, const struct aq_observation *seen,
                     struct aq_ledger_copy *copy) {
    const struct aq_tap *tap = seen->tap;
    copy->state = AQ_JOB_RESERVED;
    copy->lease = tap->lease;
    copy->lease_until_us = tap->due_us;
    copy->lease_incarnation = seen->incarnation;
    copy->holder = AQ_NOBODY;
    copy->holder_client = seen->client;
    copy->lease_again = copy->again;
    copy->again = AQ_AGAIN_NOT;
    copy->told = copy->restored = 0;
    if (copy->leases < UINT16_MAX) copy->leases++;
    ledger->servers[seen->server].gets++;
}

/* A held job was put back, ready, delayed or buried. */
static void set_aside(const struct aq_observation *seen, struct aq_ledger_copy *copy) {
    copy->state = (uint8_t)seen->tap->state;
    copy->lease = 0;
    copy->again = AQ_AGAIN_RELEASED;
    copy->aside_us = seen->at_us;
    copy->aside_call = aq_ledger_call_of_tap(copy, seen);
}

static void expire(const struct aq_observation *seen, struct aq_ledger_copy *copy,
                   struct aq_ledger_job *job) {
    copy->state = (uint8_t)seen->tap->state;
    copy->lease = 0;
    copy->again = copy->told ? AQ_AGAIN_TTL : AQ_AGAIN_LOST_REPLY;
    job->unclean = 1;
}

static void finish(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                   struct aq_ledger_job *job) {
    copy->ended_us = seen->at_us;
    copy->ended_call = aq_ledger_call_of_tap(copy, seen);
    copy->completions_applied++;
    complete(ledger, copy, job);
}

/* What an applied tap changes in the state of its copy. */
static void change(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                   struct aq_ledger_job *job) {
    const struct aq_tap *tap = seen->tap;
    copy->incarnation = seen->incarnation;
    switch (tap->kind) {
    case AQ_TAP_LEASE: hand_out(ledger, seen, copy); break;
    case AQ_TAP_TAKEN:
        hand_out(ledger, seen, copy);
        complete(ledger, copy, job);
        break;
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED: finish(ledger, seen, copy, job); break;
    case AQ_TAP_CLEARED:
        job->unclean |= copy->lease != 0; /* whoever holds it will ask for it again */
        complete(ledger, copy, job);
        break;
    case AQ_TAP_NOOP_DONE: complete(ledger, copy, job); break;
    case AQ_TAP_TOUCHED:
        copy->lease_until_us = tap->due_us;
        copy->restored = 0;
        copy->touched_us = seen->at_us;
        copy->touched_call = aq_ledger_call_of_tap(copy, seen);
        break;
    case AQ_TAP_RELEASED:
    case AQ_TAP_BURIED:
    case AQ_TAP_AUTOBURIED: set_aside(seen, copy); break;
    case AQ_TAP_EXPIRED: expire(seen, copy, job); break;
    case AQ_TAP_KICKED: copy->again = AQ_AGAIN_KICKED; /* fall through */
    case AQ_TAP_CHILD_COUNTED:
    case AQ_TAP_CHILDREN_STARTED:
    case AQ_TAP_PARENT_STARTED:
    case AQ_TAP_TIMED_OUT:
    case AQ_TAP_MATURED: copy->state = (uint8_t)tap->state; break;
    default: break;
    }
}

static void count(struct aq_books_server *server, const struct aq_tap *tap) {
    bool buries =
        tap->kind == AQ_TAP_BURIED || tap->kind == AQ_TAP_AUTOBURIED ||
        ((tap->kind == AQ_TAP_EXPIRED || tap->kind == AQ_TAP_TIMED_OUT) && tap->state == AQ_JOB_BURIED);
    server->buried += buries;
    server->empty_gets += tap->kind == AQ_TAP_EMPTY;
    server->expired += tap->kind == AQ_TAP_EXPIRED;
    server->missed += tap->kind == AQ_TAP_MISSED;
    server->errors += tap->kind == AQ_TAP_FAILED;
    server->completions += aq_tap_applies_completion(tap);
}

/* A request for completion arrived, applied or not. */
static void count_completion(struct aq_ledger *ledger, const struct aq_observation *seen,
                             struct aq_ledger_copy *copy, struct aq_ledger_job *job) {
    if (!copy) return;
    copy->completions_seen++;
    if (copy->server != seen->server)
        ledger->totals.misrouted++;
    else if (aq_ledger_copy_lost(ledger, copy))
        ledger->totals.origin_gone++;
    if (!aq_tap_applies_completion(seen->tap) || copy->server != seen->server)
        job->unclean = 1;
    else
        ledger->totals.applied++;
}

/* The same job under the id that the restart gave it. */
static int rename_copy(struct aq_ledger *ledger, const struct aq_observation *seen,
                       struct aq_ledger_copy *old, struct aq_ledger_copy **out) {
    struct aq_ledger_job *job = aq_books_job(ledger, old->job);
    struct aq_ledger_copy *copy;
    int rc = aq_books_add_copy(ledger, old->job, seen->server, seen->incarnation, seen->tap->job_hash,
                               seen->tap->job_id, &copy);
    if (rc) return rc;
    copy->executions = old->executions;
    copy->leases = old->executions;
    copy->again = AQ_AGAIN_RESTART;
    if (!old->gone) { /* it lives on as the new one */
        ledger->totals.alive--;
        job->copies_alive--;
        old->gone = old->renamed = 1;
        old->lease = 0;
    } else if (old->lost) { /* it was not lost after all */
        ledger->totals.lost--;
        old->lost = 0;
        old->renamed = 1;
    } else if (job->ended) { /* what had been completed is back */
        ledger->totals.completed--;
        if (job->completions_ok) copy->again = AQ_AGAIN_CAME_BACK;
    } else
        ledger->totals.appeared++;
    *out = copy;
    return 0;
}

static int restore(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy) {
    const struct aq_tap *tap = seen->tap;
    int rc = 0;
    if (!copy)
        rc = discover(ledger, seen, false, &copy);
    else if (copy->hash != tap->job_hash)
        rc = rename_copy(ledger, seen, copy, &copy);
    else if (copy->gone)
        revive(ledger, copy, aq_books_job(ledger, copy->job));
    else if (copy->state == AQ_JOB_RESERVED && tap->state != AQ_JOB_RESERVED)
        copy->again = AQ_AGAIN_RESTART;
    if (rc) return rc;
    copy->incarnation = seen->incarnation;
    copy->state = (uint8_t)tap->state;
    copy->restored = 1;
    if (tap->state != AQ_JOB_RESERVED)
        copy->lease = 0;
    else if (tap->due_us)
        copy->lease_until_us = tap->due_us;
    struct aq_ledger_job *job = aq_books_job(ledger, copy->job);
    job->unclean = 1;
    aq_books_remember(job, seen);
    return 0;
}

/* The copy must be in the books and alive for a tap that says that its server holds or held it. */
static int bring_alive(struct aq_ledger *ledger, const struct aq_observation *seen,
                       struct aq_ledger_copy **copy) {
    enum aq_tap_kind kind = seen->tap->kind;
    if (!*copy) return discover(ledger, seen, false, copy);
    bool ends =
        kind == AQ_TAP_DONE || kind == AQ_TAP_DELETED || kind == AQ_TAP_CLEARED || kind == AQ_TAP_NOOP_DONE;
    if ((*copy)->gone && !ends) revive(ledger, *copy, aq_books_job(ledger, (*copy)->job));
    return 0;
}

int aq_books_tap(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                 struct aq_ledger_job *job) {
    const struct aq_tap *tap = seen->tap;
    struct aq_books_server *server;
    int rc = aq_books_server(ledger, seen->server, &server);
    if (rc) return rc;
    count(server, tap);
    if (!tap->job_hash) return 0;
    if (tap->kind == AQ_TAP_PUT || tap->kind == AQ_TAP_PARENT_HELD) return put(ledger, seen);
    /* The job is lost, and nothing declared it: it will be missing when the books are closed. */
    if (tap->kind == AQ_TAP_REAPED) {
        if (copy) aq_books_remember(job, seen);
        return 0;
    }
    if (tap->kind == AQ_TAP_RESTORED) return restore(ledger, seen, copy);
    if (tap->kind == AQ_TAP_MISSED || tap->kind == AQ_TAP_FAILED || (copy && copy->server != seen->server)) {
        if (aq_tap_is_completion(tap)) count_completion(ledger, seen, copy, job);
        if (copy) aq_books_remember(job, seen);
        return 0;
    }
    if ((rc = bring_alive(ledger, seen, &copy)) != 0) return rc;
    job = aq_books_job(ledger, copy->job);
    if (aq_tap_is_completion(tap)) count_completion(ledger, seen, copy, job);
    aq_books_remember(job, seen);
    change(ledger, seen, copy, job);
    aq_books_forget_if_clean(ledger, job);
    return 0;
}

int aq_books_lost(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job) {
    if (!copy || copy->gone) return 0;
    struct aq_books_server *server;
    int rc = aq_books_server(ledger, copy->server, &server);
    if (rc) return rc;
    server->lost++;
    copy->gone = copy->lost = 1;
    copy->lease = 0;
    job->copies_alive--;
    job->unclean = 1;
    ledger->totals.alive--;
    ledger->totals.lost++;
    aq_books_remember(job, seen);
    return 0;
}

int aq_books_server_changed(struct aq_ledger *ledger, const struct aq_observation *seen) {
    struct aq_books_server *server;
    int rc = aq_books_server(ledger, seen->server, &server);
    if (rc) return rc;
    server->events[server->event_count++ % AQ_LEDGER_SERVER_EVENTS] = (struct aq_books_server_event){
        seen->at_us, (uint8_t)seen->kind, seen->memory_lost, seen->incarnation};
    server->seen.since_us = seen->at_us;
    switch (seen->kind) {
    case AQ_SEEN_SERVER_UP:
        server->seen.up = true;
        server->seen.incarnation = seen->incarnation;
        server->incarnations++;
        break;
    case AQ_SEEN_SERVER_DOWN:
        server->seen.up = false;
        if (seen->memory_lost) server->seen.lost_before = seen->incarnation + 1;
        break;
    case AQ_SEEN_SERVER_STOPPED: server->seen.stopped = true; break;
    default: server->seen.stopped = false; break;
    }
    return 0;
}

/* Where the servers of a fault were drawn, any of them may have been struck. */
static int mark_jumped(struct aq_ledger *ledger, const struct aq_fault_spec *fault) {
    const struct aq_selection *servers = &fault->servers;
    struct aq_books_server *server;
    if (!servers->given || !servers->index_count) {
        for (uint32_t i = 0; i < ledger->server_count; i++)
            ledger->servers[i].seen.clock_jumped = true;
        return 0;
    }
    for (uint32_t i = 0; i < servers->index_count; i++) {
        int rc = aq_books_server(ledger, servers->indexes[i], &server);
        if (rc) return rc;
        server->seen.clock_jumped = true;
    }
    return 0;
}

int aq_books_fault(struct aq_ledger *ledger, const struct aq_observation *seen) {
    if (seen->fault >= ledger->config.scenario->fault_count) return 0;
    const struct aq_fault_spec *fault = &ledger->config.scenario->faults[seen->fault];
    if (seen->kind == AQ_SEEN_FAULT)
        ledger->faults_in_force[fault->kind]++;
    else if (ledger->faults_in_force[fault->kind])
        ledger->faults_in_force[fault->kind]--;
    bool upsets_clock = fault->kind == AQ_FAULT_CLOCK_JUMP || fault->kind == AQ_FAULT_STALLED_SWEEPS;
    return upsets_clock ? mark_jumped(ledger, fault) : 0;
}
