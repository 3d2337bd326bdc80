/* Bugs that the server core can be built with, on which the checks of what a single server promises are
   tried; see base/mutants.h. The core asks AQ_SERVER_MUTANT(NAME) at the decision that the bug gets wrong,
   which is false in a build without mutants. */
#ifndef AQ_FAKESERVER_MUTANTS_H
#define AQ_FAKESERVER_MUTANTS_H

#include "base/mutants.h"

/* X(NAME, name, family, what it does wrong) */
#define AQ_SERVER_MUTANTS(X)                                                                                 \
    X(PRIORITY_LAST, "priority-last", "priority", "gets hand out the least urgent job first")                \
    X(DELAY_SHORT, "delay-short", "delay", "a released job is ready a second before its delay is over")      \
    X(PUT_AT_ONCE, "put-at-once", "delay", "a job that was put with a delay of a second is ready at once")   \
    X(LEASE_SHORT, "lease-short", "lease", "a lease is a second shorter than the job's ttl")                 \
    X(TOUCH_IDLE, "touch-idle", "lease", "touch says yes and renews nothing")                                \
    X(EXPIRIES_UNBOUNDED, "expiries-unbounded", "limits", "a job may expire as often as it likes")           \
    X(RELEASES_UNBOUNDED, "releases-unbounded", "limits", "a job may be released as often as it likes")      \
    X(PAUSE_IDLE, "pause-idle", "pause", "a paused tube hands out jobs")                                     \
    X(THROTTLE_IDLE, "throttle-idle", "throttle", "a throttled tube hands out jobs at any rate")             \
    X(PARENT_EARLY, "parent-early", "workflow", "a parent starts when all children but one are finished")    \
    X(DELETED_UNCOUNTED, "deleted-uncounted", "workflow", "a deleted child does not count for its parent")   \
    X(SHARD_AGAIN, "shard-again", "fair queues", "the shard that was served last is served first again")     \
    X(BURIED_LOST, "buried-lost", "conservation", "a job that expired too often is dropped, not buried")     \
    X(DONE_STAYS, "done-stays", "persistence", "a job that was done stays on disk")                          \
    X(PUT_UNSAVED, "put-unsaved", "persistence", "a job that was put is not written to disk")                \
    X(UNHELD_OK, "unheld-ok", "completions", "done of a job that is not held is answered as success")        \
    X(PUT_DOUBLED, "put-doubled", "puts", "one put in 100 makes two jobs")

enum aq_server_mutant {
    AQ_SERVER_MUTANT_NONE,
#define X(name, word, family, breaks) AQ_SERVER_MUTANT_##name,
    AQ_SERVER_MUTANTS(X)
#undef X
};

extern const struct aq_mutant_table aq_server_mutants; /* in the order of the list */

#ifdef AQ_MUTANTS
extern uint32_t aq_server_mutant_alive;
#define AQ_SERVER_MUTANT(name) (aq_server_mutant_alive == AQ_SERVER_MUTANT_##name)
#else
#define AQ_SERVER_MUTANT(name) ((void)AQ_SERVER_MUTANT_##name, 0)
#endif

#endif
