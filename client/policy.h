/* What a federation client does where AllQueue's public release and AllQueue's documentation differ: one
   table of choices. A profile is a filled table; each choice can be set alone. */
#ifndef AQ_CLIENT_POLICY_H
#define AQ_CLIENT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/policy.h"
#include "base/time.h"

/* Which of the servers that may be chosen. Of two that are drawn, and are equal, the first is taken. */
#define AQ_SELECTS(X)                                                                                        \
    X(RANDOM, "random")           /* each with the same chance */                                            \
    X(ROUND_ROBIN, "round_robin") /* each in turn, from one that is drawn */                                 \
    X(TWO_CHOICES, "two_choices") /* of two that are drawn, the one with fewer requests under way */         \
    X(LEAST_EMPTY, "least_empty") /* of two that are drawn, the one whose last gets were less often empty */

enum aq_select {
#define X(name, word) AQ_SELECT_##name,
    AQ_SELECTS(X)
#undef X
};

/* X(TYPE, C type, field, strict, upstream, what it means). Spans are microseconds,
   written "250ms" in scenarios. */
#define AQ_CLIENT_POLICIES(X)                                                                                             \
    X(BOOL, bool, id_from_host_only, false, true,                                                                         \
      "A server's id is made from its host alone, so that two servers on one host collide")                               \
    X(COUNT, uint32_t, in_flight_per_server, 1024, 1,                                                                     \
      "Requests under way to one server at a time; further ones wait their turn")                                         \
    X(SPAN, aq_time_us, connect_timeout_us, 1 * AQ_US_PER_S, 10 * AQ_US_PER_S,                                            \
      "How long a request waits for a connection before the attempt counts as failed, nothing sent")                      \
    X(SPAN, aq_time_us, request_timeout_us, 5 * AQ_US_PER_S, AQ_TIME_NEVER,                                               \
      "How long a sent request waits for its reply; never: a lost reply blocks for ever")                                 \
    X(SPAN, aq_time_us, call_timeout_us, 30 * AQ_US_PER_S, AQ_TIME_NEVER,                                                 \
      "How long a caller waits at most, all attempts together")                                                           \
    X(COUNT, uint32_t, backoff_rounds, 0, 2,                                                                              \
      "After a failed attempt: so many rounds, in each of which the connection is made anew and the call sent again")     \
    X(BOOL, bool, retry_pings, false, true,                                                                               \
      "A round first pings the server that failed, then the one that the call will be sent to")                           \
    X(SPAN, aq_time_us, backoff_pause_us, 0, 2 * AQ_US_PER_S,                                                             \
      "Pause at the end of a round, times its number")                                                                    \
    X(SPAN, aq_time_us, rebuild_wait_us, 0, 250 * AQ_US_PER_MS,                                                           \
      "How long it takes until a connection that failed, or is made anew, is built")                                      \
    X(SPAN, aq_time_us, reconnect_pause_us, 0, 2 * AQ_US_PER_S,                                                           \
      "Pause after a failed send over a connection that never carried a reply; a second longer each time")                \
    X(BOOL, bool, retry_put_after_send, false, true,                                                                      \
      "A put that may have been applied is sent again to another server, other calls likewise")                           \
    X(BOOL, bool, report_unknown, true, false,                                                                            \
      "A call whose effect is not known is answered as unknown instead of as an empty reply")                             \
    X(BOOL, bool, sick_on_failure, true, false,                                                                           \
      "A failed request or lost connection makes a server sick at once; otherwise only a failed ping does")               \
    X(BOOL, bool, well_on_rebuild, false, true,                                                                           \
      "Rebuilding a connection marks the server well before it has answered")                                             \
    X(SPAN, aq_time_us, probe_first_us, 500 * AQ_US_PER_MS, AQ_TIME_NEVER,                                                \
      "Wait before a sick server is first probed")                                                                        \
    X(SPAN, aq_time_us, probe_max_us, 10 * AQ_US_PER_S, AQ_TIME_NEVER,                                                    \
      "Longest wait between probes of a sick server; the wait doubles up to here")                                        \
    X(SPAN, aq_time_us, probe_timeout_us, 1 * AQ_US_PER_S, AQ_TIME_NEVER,                                                 \
      "How long a probe or another ping waits for its answer")                                                            \
    X(SPAN, aq_time_us, sick_sweep_us, AQ_TIME_NEVER, 120 * AQ_US_PER_S,                                                  \
      "Pause between sweeps that ping all servers one after the other, the first at the start; never: none")              \
    X(BOOL, bool, first_when_all_sick, false, true,                                                                       \
      "With no well server left the first of the list is used; otherwise any of the sick ones")                           \
    X(BOOL, bool, put_to_draining, false, true, "Puts still go to a draining server")                                     \
    X(SPAN, aq_time_us, drain_sweep_us, 20 * AQ_US_PER_S, 20 * AQ_US_PER_S,                                               \
      "How often a draining server's stats are read to see whether it is empty")                                          \
    X(BOOL, bool, drain_ignores_leases, false, true,                                                                      \
      "A draining server counts as empty unless a tube has both ready and reserved jobs")                                 \
    X(BOOL, bool, drain_wedges, false, true,                                                                              \
      "Draining servers are swept in turn, from the start on; one drained twice or of an unknown id stops that for ever") \
    X(BOOL, bool, dropped_unreachable, false, true,                                                                       \
      "A completion for a server that is no member any more fails at once")                                               \
    X(BOOL, bool, update_rebuilds, false, true,                                                                           \
      "update_servers and add_server forget what was known of their servers; calls stuck there stay so for ever")         \
    X(BOOL, bool, redirect_random_id, false, true,                                                                        \
      "A redirected connection gets a random server id under which nothing finds it, but keeps its old name")             \
    X(BOOL, bool, reconnect_recovers, true, false,                                                                        \
      "A connection lost with a request under way works again after it is rebuilt")                                       \
    X(BOOL, bool, pause_everywhere, true, false,                                                                          \
      "pause and unpause go to every server, not to a random one")                                                        \
    X(BOOL, bool, clear_sick, true, false,                                                                                \
      "What goes to every server also goes to sick ones, clear and throttle once they are back, or reports the failure")  \
    X(BOOL, bool, throttle_rounds_up, true, false,                                                                        \
      "The share of a throttle per server is at least 1, where a plain division gives 0 and switches it off")             \
    X(BOOL, bool, fan_out_in_turn, false, true,                                                                           \
      "What goes to every server goes to one after the other, and ends at the first that fails; not so ping")             \
    X(BOOL, bool, clear_elsewhere, false, true,                                                                           \
      "A clear that fails at a server is sent to one other, whose answer counts for all")                                 \
    X(BOOL, bool, kick_at_random, false, true,                                                                            \
      "kick without a job id goes to one random server, with one it needs a tube; it is not tried again")                 \
    X(BOOL, bool, bare_id_at_random, false, true, "A call whose id names no server goes to a random one")                 \
    X(COUNT, uint32_t, message_bytes_max, AQ_MESSAGE_BYTES_MAX, AQ_MESSAGE_BYTES_MAX,                                     \
      "Longest request as a server gets it, in bytes")                                                                    \
    X(BOOL, bool, big_message_fails, false, true,                                                                         \
      "A longer request is a failed attempt, which makes healthy connections anew, instead of a wrong call")              \
    X(COUNT, uint32_t, callers_max, 0, 200,                                                                               \
      "Calls served at a time, further ones wait until one is answered; 0: any number")                                   \
    X(WORD, uint32_t, select, AQ_SELECT_RANDOM, AQ_SELECT_RANDOM,                                                         \
      "Which server a put or get goes to first; all but random are experiments of this project")

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
