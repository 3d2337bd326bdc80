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
    job->expireds++;
    job->lease = 0;
    bool bury = (int64_t)job->expireds >= job->expired_limit;
    bool lost = server->policy->priority_lost_on_expiry;
    aq_server_move(server, slot, bury ? AQ_JOB_BURIED : AQ_JOB_READY,
                   lost ? AQ_PRIORITY_DEFAULT : job->priority);
    aq_server_persist(server, job);
    struct aq_tap *tap = aq_server_tap(server, AQ_TAP_EXPIRED, job, AQ_JOB_RESERVED, false);
    if (tap) tap->lease = lease;
}

static void mature(struct aq_server *server, uint32_t slot) {
    struct aq_stored_job *job = aq_slab_at(&server->slab, slot);
    aq_server_move(server, slot, AQ_JOB_READY, job->priority);
    aq_server_persist(server, job);
    aq_server_tap(server, AQ_TAP_MATURED, job, AQ_JOB_DELAYED, false);
}

/* Has any lease or delay run out on the server's clock, found by a sweep or not? */
static bool any_over(const struct aq_server *server) {
    aq_time_us now = aq_server_clock(server, server->now_us);
    return aq_deadlines_next(&server->leases) <= now || aq_deadlines_next(&server->delays) <= now;
}

static void sweep_all(struct aq_server *server) {
    uint32_t slot;
    aq_time_us limit = sweep_limit(server, &server->leases, server->policy->lease_sweep_us);
    while (limit && aq_deadlines_take_due(&server->leases, limit, &slot))
        expire(server, slot);
    limit = sweep_limit(server, &server->delays, server->policy->delay_sweep_us);
    while (limit && aq_deadlines_take_due(&server->delays, limit, &slot))
        mature(server, slot);
}

void aq_server_sweep(struct aq_server *server) {
    if (any_over(server)) sweep_all(server);
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
    return aq_time_min(next_tick(server, &server->leases, server->policy->lease_sweep_us),
                       next_tick(server, &server->delays, server->policy->delay_sweep_us));
}
