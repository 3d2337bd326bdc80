#include "base/assert.h"
#include "fakeserver/internal.h"

/* AllQueue compares whole seconds with less-than: a span is over when the second after the one in which it
 * ends begins. */
aq_time_us aq_server_over(const struct aq_server *server, aq_time_us due) {
    return server->policy->whole_seconds ? (due / AQ_US_PER_S + 1) * AQ_US_PER_S : due;
}

/* The moment up to which a sweep of this period has to look now, on the server's clock; 0 where none is to be
 * made. */
static aq_time_us sweep_limit(const struct aq_server *server, const struct aq_deadlines *deadlines,
                              aq_time_us period_us) {
    aq_time_us now = aq_server_clock(server, server->now_us);
    if (deadlines->count == 0 || aq_deadlines_next(deadlines) > now) return 0;
    if (period_us == 0) return now;
    if (period_us == AQ_TIME_NEVER) return 0;
    aq_time_us tick_us = server->now_us - (server->now_us - server->start_us) % period_us;
    return tick_us > server->swept_us ? aq_server_clock(server, tick_us) : 0;
}

static void expire(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    uint64_t lease = job->lease;
    aq_server_note_unfinished(server, job);
    job->expireds++;
    job->lease = 0;
    bool bury = (int64_t)job->expireds >= job->expired_limit && !AQ_SERVER_MUTANT(EXPIRIES_UNBOUNDED);
    bool lost = server->policy->priority_lost_on_expiry;
    aq_server_move(server, slot, bury ? AQ_JOB_BURIED : AQ_JOB_READY,
                   lost ? AQ_PRIORITY_DEFAULT : job->priority);
    aq_server_save(server, job, AQ_JOB_RESERVED, bury ? AQ_SAVE_RENAME : AQ_SAVE_REMOVE_FIRST);
    struct aq_tap *tap = aq_server_tap(server, AQ_TAP_EXPIRED, job, AQ_JOB_RESERVED, false);
    if (tap) tap->lease = lease;
    if (AQ_SERVER_MUTANT(BURIED_LOST) && bury) {
        aq_server_unsave(server, job);
        aq_server_remove(server, slot);
        return;
    }
    aq_workflow_child_unfinished(server, job, AQ_TAP_EXPIRED);
}

static void mature(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    aq_server_move(server, slot, AQ_JOB_READY, job->priority);
    aq_server_save(server, job, AQ_JOB_DELAYED, AQ_SAVE_WRITE_FIRST);
    aq_server_tap(server, AQ_TAP_MATURED, job, AQ_JOB_DELAYED, false);
}

/* Has any lease or delay run out on the server's clock, found by a sweep or not? */
static bool any_over(const struct aq_server *server) {
    aq_time_us now = aq_server_clock(server, server->now_us);
    return aq_deadlines_next(&server->leases) <= now || aq_deadlines_next(&server->delays) <= now ||
           aq_deadlines_next(&server->timeouts) <= now;
}

static void sweep_all(struct aq_server *server) {
    uint32_t slot;
    aq_time_us limit = sweep_limit(server, &server->leases, server->policy->lease_sweep_us);
    while (limit && aq_deadlines_take_due(&server->leases, limit, &slot))
        expire(server, slot);
    limit = sweep_limit(server, &server->delays, server->policy->delay_sweep_us);
    while (limit && aq_deadlines_take_due(&server->delays, limit, &slot))
        mature(server, slot);
    limit = sweep_limit(server, &server->timeouts, server->policy->parent_sweep_us);
    while (limit && aq_deadlines_take_due(&server->timeouts, limit, &slot))
        aq_workflow_time_out(server, slot);
}

/* ---- idle tubes ---- */

static bool is_idle(const struct aq_server *server, const struct aq_tube *tube, aq_time_us tick_us) {
    aq_time_us polled_us = tube->polled_us;
    if (tube->family != AQ_NO_INDEX && server->tubes.items[tube->family].polled_us > polled_us)
        polled_us = server->tubes.items[tube->family].polled_us;
    bool used = aq_time_after(polled_us, server->tube_expire_us) >= tick_us;
    return tube->made && !tube->ready_buckets && !tube->throttle.size && !used;
}

/* AllQueue drops the tube alone: what is delayed in it is told to nobody any more, but stays on disk. */
static void drop(struct aq_server *server, struct aq_tube *tube) {
    while (tube->lists[AQ_LIST_DELAYED].first != AQ_NO_INDEX) {
        uint32_t slot = tube->lists[AQ_LIST_DELAYED].first;
        aq_server_tap(server, AQ_TAP_REAPED, aq_slab_at(&server->slab, slot), AQ_JOB_DELAYED, false);
        aq_server_remove(server, slot);
    }
    tube->made = tube->paused = false;
}

/* Looks for tubes that were idle at the first of the hours that have passed. Nobody can see that it comes
 * late: it comes before whatever else happens here. */
static void reap(struct aq_server *server) {
    aq_time_us tick_us = server->now_us - (server->now_us - server->start_us) % AQ_REAP_PERIOD_US;
    for (uint32_t i = 0; i < server->tubes.count; i++)
        if (is_idle(server, &server->tubes.items[i], tick_us)) drop(server, &server->tubes.items[i]);
    server->reap_us = tick_us + AQ_REAP_PERIOD_US;
}

/* Leaves nothing due behind that was due before it, but for what a stall keeps. */
void aq_server_sweep(struct aq_server *server) {
    if (server->now_us >= server->reap_us) reap(server);
    if (any_over(server) && !server->stalls) sweep_all(server);
    server->swept_us = server->now_us;
}

static aq_time_us next_tick(const struct aq_server *server, const struct aq_deadlines *deadlines,
                            aq_time_us period_us) {
    if (deadlines->count == 0 || period_us == AQ_TIME_NEVER) return AQ_TIME_NEVER;
    aq_time_us at_us = aq_server_world(server, aq_deadlines_next(deadlines));
    if (period_us == 0) return at_us;
    if (at_us <= server->swept_us) at_us = server->swept_us + 1;
    AQ_ASSERT(at_us > server->start_us);
    return server->start_us + (at_us - server->start_us + period_us - 1) / period_us * period_us;
}

aq_time_us aq_server_next_sweep(const struct aq_server *server) {
    if (server->stalls) return AQ_TIME_NEVER;
    aq_time_us at_us = aq_time_min(next_tick(server, &server->leases, server->policy->lease_sweep_us),
                                   next_tick(server, &server->delays, server->policy->delay_sweep_us));
    return aq_time_min(at_us, next_tick(server, &server->timeouts, server->policy->parent_sweep_us));
}
