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
#define AQ_SERVER_POLICIES(X)                                                                                                                                            \
    X(SPAN, aq_time_us, lease_sweep_us, 0, 3 * AQ_US_PER_S,                                                                                                              \
      "How often leases are checked for expiry; 0: at the exact moment")                                                                                                 \
    X(SPAN, aq_time_us, delay_sweep_us, 0, 1 * AQ_US_PER_S,                                                                                                              \
      "How often delayed jobs are checked; 0: at the exact moment")                                                                                                      \
    X(BOOL, bool, whole_seconds, false, true,                                                                                                                            \
      "Start times are cut to whole seconds and compared with less-than, so that spans grow by up to 1 s more")                                                          \
    X(BOOL, bool, priority_lost_on_expiry, false, true,                                                                                                                  \
      "An expired, kicked or restarted job has priority 5")                                                                                                              \
    X(BOOL, bool, bury_reports_error, false, true,                                                                                                                       \
      "The reply to bury carries an error although the job is buried")                                                                                                   \
    X(BOOL, bool, touch_unknown_ok, false, true,                                                                                                                         \
      "touch and release of a job that is not held are answered as success")                                                                                             \
    X(BOOL, bool, delete_by_presence, false, true, "get with delete: false deletes the job as well")                                                                     \
    X(BOOL, bool, delete_ready_reports_error, false, true,                                                                                                               \
      "delete of a ready job needs its tube and answers with an error although the job is gone; a delayed one is not found")                                             \
    X(BOOL, bool, kick_ignores_job_id, false, true,                                                                                                                      \
      "kick takes the oldest buried job of the tube, whichever job was asked for")                                                                                       \
    X(BOOL, bool, kick_keeps_counts, false, true,                                                                                                                        \
      "A kicked job keeps its counts of expiries and releases, so that the next expiry buries it again")                                                                 \
    X(BOOL, bool, pause_needs_tube, false, true, "pause of a tube that no put or get has made yet is lost")                                                              \
    X(BOOL, bool, throttle_counts_empty, false, true,                                                                                                                    \
      "A get that finds nothing counts against the throttle as well")                                                                                                    \
    X(BOOL, bool, throttle_truncates, false, true,                                                                                                                       \
      "A throttle is cut to a whole number of gets per second, so that less than 1 switches it off")                                                                     \
    X(BOOL, bool, redirect_refuses_gets, false, true,                                                                                                                    \
      "After a redirect a get is refused although jobs are still held here")                                                                                             \
    X(BOOL, bool, clear_through_get, false, true,                                                                                                                        \
      "clear takes ready jobs as get does, so that pause stops and throttle limits it")                                                                                  \
    X(BOOL, bool, restart_renames_ready, false, true,                                                                                                                    \
      "A restart from disk gives ready jobs new ids and default attributes")                                                                                             \
    X(BOOL, bool, restart_forgets_buried, false, true, "A restart from disk does not load buried jobs")                                                                  \
    X(BOOL, bool, restart_revives_done, false, true,                                                                                                                     \
      "The file of a renamed ready job is never removed, so that the job comes back at the next restart")                                                                \
    X(BOOL, bool, blank_request_wedges, false, true,                                                                                                                     \
      "A blank request stops the server from answering anyone")                                                                                                          \
    X(SPAN, aq_time_us, parent_sweep_us, 0, 5 * AQ_US_PER_S,                                                                                                             \
      "How often waiting parents are checked for their timeout; 0: at the exact moment")                                                                                 \
    X(BOOL, bool, child_counts_on_expiry, false, true,                                                                                                                   \
      "Each time that a child expires, is buried or is cleared while held it counts as finished for its parent")                                                         \
    X(BOOL, bool, child_counts_when_held_only, false, true,                                                                                                              \
      "The deletion of a child that nobody holds does not count for its parent")                                                                                         \
    X(BOOL, bool, parent_unknown_after_put, false, true,                                                                                                                 \
      "A put whose parent is not here is answered with an error although the job is put")                                                                                \
    X(BOOL, bool, nested_parents_uncounted, false, true,                                                                                                                 \
      "A parent with a parent is not counted as a child that was put, and its own parent need not be here")                                                              \
    X(BOOL, bool, parent_zero_never_starts, false, true,                                                                                                                 \
      "A parent with no child to wait for, by its limit or by set_children_started, waits for its timeout")                                                              \
    X(BOOL, bool, parent_loses_priority, false, true, "A parent that starts has priority 5 and no delay")                                                                \
    X(BOOL, bool, noop_needs_parent, false, true,                                                                                                                        \
      "The end of the last child of a noop parent whose own parent is not here fails: the noop is gone, the child still held")                                           \
    X(BOOL, bool, restart_resets_parents, false, true,                                                                                                                   \
      "A restart from disk gives parents the counts that they had when they were put, and no limit")                                                                     \
    X(BOOL, bool, parent_file_stays, false, true,                                                                                                                        \
      "A parent that starts in a tube that has not been used since a restart comes back at the next one")                                                                \
    X(BOOL, bool, fair_controls_literal, false, true,                                                                                                                    \
      "peek, kick, clear, pause and throttle of a fair queue do not reach its shards")                                                                                   \
    X(BOOL, bool, fair_shows_shards, false, true,                                                                                                                        \
      "Jobs and stats of fair queues name the shard as their tube")                                                                                                      \
    X(BOOL, bool, fair_skips_parents, false, true,                                                                                                                       \
      "A parent whose tube is a fair queue starts in a tube of that very name, from which no get takes anything")                                                        \
    X(BOOL, bool, fair_steps_back, false, true,                                                                                                                          \
      "After a get in vain the next get of a fair queue begins one shard earlier")                                                                                       \
    X(BOOL, bool, fair_one_cursor, false, true,                                                                                                                          \
      "A get of another fair queue makes one with a shard for each key begin with its first again")                                                                      \
    X(BOOL, bool, throttle_counts_each, false, true,                                                                                                                     \
      "get_multiple_jobs counts against the throttle for each job that it wanted and did not find")                                                                      \
    X(BOOL, bool, looking_makes_tube, false, true, "peek and clear make the tube, so that stats show it")                                                                \
    X(BOOL, bool, reaper_ignores_delayed, false, true,                                                                                                                   \
      "Each hour tubes without ready jobs or throttle that nobody used for tube_expire are dropped, with their pause and their delayed jobs")                            \
    X(BOOL, bool, redirect_fails_on_tubes, false, true,                                                                                                                  \
      "After a redirect a get fails as long as there is any tube")                                                                                                       \
    X(BOOL, bool, redirect_double_encodes, false, true,                                                                                                                  \
      "After a redirect replies are encoded twice, those to get excepted")                                                                                               \
    X(BOOL, bool, redirect_breaks_ping, false, true,                                                                                                                     \
      "After a redirect ping and version are answered with an error")                                                                                                    \
    X(BOOL, bool, counts_characters, false, true,                                                                                                                        \
      "A reply with text that is not ASCII is cut, since characters are counted in place of bytes")                                                                      \
    X(BOOL, bool, moves_in_steps, false, true,                                                                                                                           \
      "On disk a job that changes its state is removed and then written, or written and then removed where its delay is over: a crash between them loses or doubles it") \
    X(BOOL, bool, touch_not_saved, false, true,                                                                                                                          \
      "touch is not written to disk, so that a restart knows the former lease")                                                                                          \
    X(BOOL, bool, delete_ready_keeps_file, false, true,                                                                                                                  \
      "The file of a ready job that is deleted stays, so that the job comes back at a restart")                                                                          \
    X(BOOL, bool, clear_unsaves_others, false, true,                                                                                                                     \
      "clear removes the files of ready jobs that it leaves, and of the reserved jobs of all tubes")                                                                     \
    X(BOOL, bool, restart_forgets_throttle, false, true,                                                                                                                 \
      "A restart from disk knows the throttle only of tubes with ready or delayed jobs")                                                                                 \
    X(BOOL, bool, restart_forgets_pause, false, true, "A restart from disk does not know pauses")                                                                        \
    X(BOOL, bool, tube_names_are_paths, false, true,                                                                                                                     \
      "Ready and delayed jobs of a tube with a slash in its name are not found at a restart from disk")                                                                  \
    X(BOOL, bool, disk_errors_ignored, false, true,                                                                                                                      \
      "What a full disk does not take is acknowledged all the same")                                                                                                     \
    X(BOOL, bool, stats_count_all_ends, false, true,                                                                                                                     \
      "Expired, buried and cleared jobs count as completed in stats")                                                                                                    \
    X(BOOL, bool, stats_hide_tubeless, false, true,                                                                                                                      \
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
