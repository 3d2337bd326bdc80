/* Coverage marks that can be seen from outside: situations in which servers, callers and faults met, counted
   from the stream of observations. The client core has further ones of its own (enum aq_client_mark). */
#ifndef AQ_SIM_MARKS_H
#define AQ_SIM_MARKS_H

#include "sim/checks.h"

/* X(NAME, word, what happened) */
#define AQ_MARKS(X)                                                                                          \
    X(PUT_ACCEPTED_TWICE, "put_accepted_twice", "one call of a producer made a second job")                  \
    X(PUT_UNKNOWN_APPLIED, "put_unknown_applied", "a put was told unknown, and had been applied")            \
    X(PUT_UNKNOWN_NOT_APPLIED, "put_unknown_not_applied", "a put was told unknown, and was not applied")     \
    X(PUT_UNAVAILABLE, "put_unavailable", "a put reached no server, and its caller was told so")             \
    X(GET_UNKNOWN, "get_unknown", "a get was told unknown")                                                  \
    X(COMPLETION_UNKNOWN_APPLIED, "completion_unknown_applied",                                              \
      "a completion was told unknown, and had been applied")                                                 \
    X(COMPLETION_UNKNOWN_NOT_APPLIED, "completion_unknown_not_applied",                                      \
      "a completion was told unknown, and was not applied")                                                  \
    X(COMPLETION_UNAVAILABLE, "completion_unavailable", "a completion did not reach its origin")             \
    X(CALL_ABANDONED, "call_abandoned", "a caller died, gave up, or lost its client with a call open")       \
    X(LEASE_EXPIRED, "lease_expired", "a lease ran out")                                                     \
    X(GET_REPLY_LOST, "get_reply_lost", "a lease ran out of which no worker had been told")                  \
    X(LEASE_EXPIRED_DURING_PARTITION, "lease_expired_during_partition",                                      \
      "a lease ran out while a partition was in force")                                                      \
    X(EXPIRY_BURIED, "expiry_buried", "a job ran out too often and was buried")                              \
    X(DONE_AFTER_EXPIRY, "done_after_expiry", "a done came for a job whose lease was over")                  \
    X(COMPLETION_AFTER_END, "completion_after_end", "a completion came for a job that had been finished")    \
    X(COMPLETION_OF_LOST_JOB, "completion_of_lost_job", "a completion came for a job that a crash had lost") \
    X(COMPLETION_TO_RESTARTED_SERVER, "completion_to_restarted_server",                                      \
      "a completion came to a later process of the server that had handed the job out")                      \
    X(DRAINED_WHILE_RESERVED, "drained_while_reserved",                                                      \
      "a completion was applied at a server that its client had been told to leave")                         \
    X(LEASED_AGAIN_AFTER_EXPIRY, "leased_again_after_expiry", "a job was handed out again after an expiry")  \
    X(LEASED_AGAIN_AFTER_LOST_REPLY, "leased_again_after_lost_reply",                                        \
      "a job was handed out again whose first worker never heard of it")                                     \
    X(LEASED_AGAIN_AFTER_RELEASE, "leased_again_after_release",                                              \
      "a job was handed out again after a release")                                                          \
    X(LEASED_AGAIN_AFTER_KICK, "leased_again_after_kick", "a job was handed out again after a kick")         \
    X(LEASED_AGAIN_AFTER_RESTART, "leased_again_after_restart",                                              \
      "a job was handed out again after a restart from disk")                                                \
    X(JOB_DELETED, "job_deleted", "a job was deleted")                                                       \
    X(JOB_TAKEN, "job_taken", "a get took a job for good")                                                   \
    X(LEASE_TOUCHED, "lease_touched", "a lease was renewed")                                                 \
    X(JOB_RELEASED, "job_released", "a job was put back")                                                    \
    X(JOB_BURIED, "job_buried", "a job was buried by its holder")                                            \
    X(JOB_KICKED, "job_kicked", "a buried job was kicked")                                                   \
    X(JOB_CLEARED, "job_cleared", "a job was cleared away")                                                  \
    X(JOB_MATURED, "job_matured", "a delayed job became ready")                                              \
    X(PARENT_STARTED, "parent_started", "all children of a parent were finished")                            \
    X(PARENT_TIMED_OUT, "parent_timed_out", "a parent had waited too long for its children")                 \
    X(NOOP_DONE, "noop_done", "a noop parent was over")                                                      \
    X(TUBE_PAUSED, "tube_paused", "a tube was paused")                                                       \
    X(TUBE_THROTTLED, "tube_throttled", "a tube was throttled")                                              \
    X(TUBE_REAPED, "tube_reaped", "an idle tube was dropped with a delayed job")                             \
    X(RELEASE_BURIED, "release_buried", "a job was released too often and was buried")                       \
    X(REQUEST_FAILED, "request_failed", "a server answered with an error and changed nothing")               \
    X(JOB_RESTORED, "job_restored", "a job came back from disk")                                             \
    X(LEASE_RESTORED, "lease_restored", "a job came back from disk with its lease")                          \
    X(JOB_RENAMED, "job_renamed", "a job came back from disk with another id")                               \
    X(JOB_LOST, "job_lost", "a crash lost a job with the memory")                                            \
    X(LEASE_LOST, "lease_lost", "a crash lost a job that a worker held")                                     \
    X(SERVER_RESTARTED, "server_restarted", "a server's process started again")                              \
    X(SERVER_STOPPED, "server_stopped", "a server was up and silent to everyone")                            \
    X(CRASH_DURING_PARTITION, "crash_during_partition", "a server crashed while a partition was in force")   \
    X(ALL_SERVERS_DOWN, "all_servers_down", "the last server that was up went down")                         \
    X(CLIENT_RESTARTED, "client_restarted", "a client's process started again")                              \
    X(FAULTS_OVERLAPPED, "faults_overlapped", "a fault struck while another was in force")

enum aq_mark {
#define X(name, word, text) AQ_MARK_##name,
    AQ_MARKS(X)
#undef X
    /* then, for each kind of fault in their order: "fault_crash", it struck */
    AQ_MARK_FAULT_FIRST,
    AQ_MARK_COUNT = AQ_MARK_FAULT_FIRST + AQ_FAULT_KIND_COUNT
};

/* All marks of a run: those of the clients first, then these. */
#define AQ_RUN_MARK_COUNT (AQ_CLIENT_MARK_COUNT + AQ_MARK_COUNT)

/* The name of a mark of the run, by its place among all; a literal. */
const char *aq_mark_word(uint32_t mark);
/* One sentence; NULL for those of the clients and of faults, whose names say it. */
const char *aq_mark_text(uint32_t mark);
/* The place of the mark with this name. False, *out untouched, where there is none. */
bool aq_mark_find(const char *word, uint32_t *out);

/* Counts them; sits with the checks and is shown the same books. Its state begins with uint64_t counts, by
   enum aq_mark. It gives no verdict. */
extern const struct aq_checker aq_mark_watcher;

#endif
