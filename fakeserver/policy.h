/* What an AllQueue server does where its public release and its documentation differ: one table of
   choices, two profiles. */
#ifndef AQ_FAKESERVER_POLICY_H
#define AQ_FAKESERVER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/policy.h"
#include "base/time.h"

/* X(TYPE, C type, field, strict, upstream, what it means). Spans are microseconds,
   written "3s" in scenarios. */
#define AQ_SERVER_POLICIES(X)                                                                                                \
    X(SPAN, aq_time_us, lease_sweep_us, 0, 3 * AQ_US_PER_S,                                                                  \
      "How often leases are checked for expiry; 0: at the exact moment")                                                     \
    X(SPAN, aq_time_us, delay_sweep_us, 0, 1 * AQ_US_PER_S,                                                                  \
      "How often delayed jobs are checked; 0: at the exact moment")                                                          \
    X(BOOL, bool, whole_seconds, false, true,                                                                                \
      "Start times are cut to whole seconds and compared with less-than, so that spans grow by up to 1 s more")              \
    X(BOOL, bool, priority_lost_on_expiry, false, true,                                                                      \
      "An expired, kicked or restarted job has priority 5")                                                                  \
    X(BOOL, bool, bury_reports_error, false, true,                                                                           \
      "The reply to bury carries an error although the job is buried")                                                       \
    X(BOOL, bool, touch_unknown_ok, false, true,                                                                             \
      "touch and release of a job that is not held are answered as success")                                                 \
    X(BOOL, bool, delete_by_presence, false, true, "get with delete: false deletes the job as well")                         \
    X(BOOL, bool, delete_ready_reports_error, false, true,                                                                   \
      "delete of a ready job needs its tube and answers with an error although the job is gone; a delayed one is not found") \
    X(BOOL, bool, kick_ignores_job_id, false, true,                                                                          \
      "kick takes the oldest buried job of the tube, whichever job was asked for")                                           \
    X(BOOL, bool, kick_keeps_counts, false, true,                                                                            \
      "A kicked job keeps its counts of expiries and releases, so that the next expiry buries it again")                     \
    X(BOOL, bool, pause_needs_tube, false, true, "pause of a tube that no put or get has made yet is lost")                  \
    X(BOOL, bool, throttle_counts_empty, false, true,                                                                        \
      "A get that finds nothing counts against the throttle as well")                                                        \
    X(BOOL, bool, throttle_truncates, false, true,                                                                           \
      "A throttle is cut to a whole number of gets per second, so that less than 1 switches it off")                         \
    X(BOOL, bool, redirect_refuses_gets, false, true,                                                                        \
      "After a redirect a get is refused although jobs are still held here")                                                 \
    X(BOOL, bool, clear_through_get, false, true,                                                                            \
      "clear takes ready jobs as get does, so that pause stops and throttle limits it")                                      \
    X(BOOL, bool, restart_renames_ready, false, true,                                                                        \
      "A restart from disk gives ready jobs new ids and default attributes")                                                 \
    X(BOOL, bool, restart_forgets_buried, false, true, "A restart from disk does not load buried jobs")                      \
    X(BOOL, bool, restart_revives_done, false, true,                                                                         \
      "The file of a renamed ready job is never removed, so that the job comes back at the next restart")                    \
    X(BOOL, bool, blank_request_wedges, false, true,                                                                         \
      "A blank request stops the server from answering anyone")                                                              \
    X(BOOL, bool, stats_hide_tubeless, false, true,                                                                          \
      "Jobs of a tube that has no ready queue since a restart are missing from stats")

struct aq_server_policy {
#define X(type, c_type, field, strict, upstream, text) c_type field;
    AQ_SERVER_POLICIES(X)
#undef X
};

extern const struct aq_server_policy aq_server_policy_strict;
extern const struct aq_server_policy aq_server_policy_upstream;
extern const struct aq_policy_table aq_server_policy_table;

#endif
