/* What a federation client does where AllQueue's public release and AllQueue's documentation differ: one
   table of choices. A profile is a filled table; each choice can be set alone. */
#ifndef AQ_CLIENT_POLICY_H
#define AQ_CLIENT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/policy.h"
#include "base/time.h"

/* X(TYPE, C type, field, strict, upstream, what it means). Spans are microseconds,
   written "250ms" in scenarios. */
#define AQ_CLIENT_POLICIES(X)                                                                                            \
    X(BOOL, bool, id_from_host_only, false, true,                                                                        \
      "A server's id is made from its host alone, so that two servers on one host collide")                              \
    X(COUNT, uint32_t, in_flight_per_server, 1024, 1,                                                                    \
      "Requests under way to one server at a time; further ones wait their turn")                                        \
    X(SPAN, aq_time_us, connect_timeout_us, 1 * AQ_US_PER_S, 10 * AQ_US_PER_S,                                           \
      "How long a request waits for a connection before the attempt counts as failed, nothing sent")                     \
    X(SPAN, aq_time_us, request_timeout_us, 5 * AQ_US_PER_S, AQ_TIME_NEVER,                                              \
      "How long a sent request waits for its reply; never: a lost reply blocks for ever")                                \
    X(SPAN, aq_time_us, call_timeout_us, 30 * AQ_US_PER_S, AQ_TIME_NEVER,                                                \
      "How long a caller waits at most, all attempts together")                                                          \
    X(COUNT, uint32_t, forced_attempts, 0, 3,                                                                            \
      "Attempts to connect for a call that must reach its origin; 0: as many as fit into call_timeout")                  \
    X(BOOL, bool, retry_put_after_send, false, true,                                                                     \
      "A put that may have been applied is sent again to another server")                                                \
    X(BOOL, bool, report_unknown, true, false,                                                                           \
      "A call whose effect is not known is answered as unknown instead of as an empty reply")                            \
    X(BOOL, bool, sick_on_failure, true, false,                                                                          \
      "A failed request or lost connection makes a server sick at once; otherwise only a failed ping does")              \
    X(BOOL, bool, well_on_rebuild, false, true,                                                                          \
      "Rebuilding a connection marks the server well before it has answered")                                            \
    X(SPAN, aq_time_us, probe_first_us, 500 * AQ_US_PER_MS, 120 * AQ_US_PER_S,                                           \
      "Wait before a sick server is first probed")                                                                       \
    X(SPAN, aq_time_us, probe_max_us, 10 * AQ_US_PER_S, 120 * AQ_US_PER_S,                                               \
      "Longest wait between probes of a sick server; the wait doubles up to here")                                       \
    X(SPAN, aq_time_us, probe_timeout_us, 1 * AQ_US_PER_S, 10 * AQ_US_PER_S,                                             \
      "How long a probe waits for its answer")                                                                           \
    X(BOOL, bool, first_when_all_sick, false, true,                                                                      \
      "With no well server left the first of the list is used; otherwise any of the sick ones")                          \
    X(BOOL, bool, put_to_draining, false, true, "Puts still go to a draining server")                                    \
    X(SPAN, aq_time_us, drain_sweep_us, 20 * AQ_US_PER_S, 20 * AQ_US_PER_S,                                              \
      "How often a draining server's stats are read to see whether it is empty")                                         \
    X(BOOL, bool, drain_ignores_leases, false, true,                                                                     \
      "A draining server counts as empty unless a tube has both ready and reserved jobs")                                \
    X(BOOL, bool, reconnect_recovers, true, false,                                                                       \
      "A connection lost with a request under way works again after it is rebuilt")                                      \
    X(BOOL, bool, pause_everywhere, true, false,                                                                         \
      "pause and unpause go to every server, not to a random one")                                                       \
    X(BOOL, bool, clear_sick, true, false,                                                                               \
      "What goes to every server also goes to sick ones, clear and throttle once they are back, or reports the failure") \
    X(BOOL, bool, throttle_rounds_up, true, false,                                                                       \
      "The share of a throttle per server is at least 1, where a plain division gives 0 and switches it off")

struct aq_client_policy {
#define X(type, c_type, field, strict, upstream, text) c_type field;
    AQ_CLIENT_POLICIES(X)
#undef X
};

extern const struct aq_client_policy aq_client_policy_strict;
extern const struct aq_client_policy aq_client_policy_upstream;

/* The rows of the table above, in its order. */
extern const struct aq_policy_table aq_client_policy_table;

#endif
