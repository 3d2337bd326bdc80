/* Bugs that the client core can be built with; see base/mutants.h. The core asks AQ_CLIENT_MUTANT(NAME) at
   the decision that the bug gets wrong, which is false in a build without mutants. */
#ifndef AQ_CLIENT_MUTANTS_H
#define AQ_CLIENT_MUTANTS_H

#include "base/mutants.h"

/* X(NAME, name, family, what it does wrong) */
#define AQ_CLIENT_MUTANTS(X)                                                                                 \
    X(PREFIX_KEPT, "prefix-kept", "server ids", "one completion in 50 goes out with the server in its id")   \
    X(ID_OF_HOST, "id-of-host", "server ids", "the table from ids to servers is kept by host")               \
    X(BATCH_UNNAMED, "batch-unnamed", "server ids", "only the first job of a batch gets its server's name")  \
    X(DONE_ELSEWHERE, "done-elsewhere", "routing",                                                           \
      "a completion whose origin is sick goes to a well server")                                             \
    X(TOUCH_ANYWHERE, "touch-anywhere", "routing", "touch goes to a random server")                          \
    X(LEFT_TO_FIRST, "left-to-first", "routing",                                                             \
      "completions of a server that is no member any more go to the first member")                           \
    X(PUT_REPEATED, "put-repeated", "retry", "a put that may have been applied is sent to another server")   \
    X(DONE_WANDERS, "done-wanders", "retry", "a completion without an answer is sent to another server")     \
    X(TAKING_REPEATED, "taking-repeated", "retry", "a get that deletes is repeated when its reply is lost")  \
    X(UNKNOWN_DENIED, "unknown-denied", "retry", "what may have been applied is told as certainly not")      \
    X(TIMEOUT_OK, "timeout-ok", "timeouts", "a completion without an answer is told as success")             \
    X(TIME_ANEW, "time-anew", "timeouts", "each attempt has the time of the whole call")                     \
    X(NO_TIMEOUT, "no-timeout", "timeouts", "a request waits for its reply without a bound of its own")      \
    X(PARKED_FOR_EVER, "parked-for-ever", "timeouts", "a call that waits for its origin has no time limit")  \
    X(NEVER_PROBED, "never-probed", "sick and well", "a sick server is never probed")                        \
    X(SICK_CHOSEN, "sick-chosen", "sick and well", "sick servers are chosen like well ones")                 \
    X(WELL_BY_TIME, "well-by-time", "sick and well",                                                         \
      "a sick server is well when it is probed, not when it answers")                                        \
    X(PROBED_RARELY, "probed-rarely", "sick and well", "the wait between two probes doubles without bound")  \
    X(LEASES_IGNORED, "leases-ignored", "drain", "a draining server without ready jobs counts as empty")     \
    X(DRAINING_PUTS, "draining-puts", "drain", "puts go to draining servers")                                \
    X(LEFT_UNREACHABLE, "left-unreachable", "drain",                                                         \
      "completions of a server that is no member any more fail at once")                                     \
    X(REDIRECT_MOVES, "redirect-moves", "redirect",                                                          \
      "completions of a server that redirects go to the server that it names")                               \
    X(STALE_REPLY, "stale-reply", "correlation", "a late reply answers whichever call waits")                \
    X(REPLIES_IN_ORDER, "replies-in-order", "correlation", "a reply answers the oldest call of its server")  \
    X(NONSENSE_OK, "nonsense-ok", "correlation", "a reply that makes no sense is told as success")           \
    X(LOST_IS_UNSENT, "lost-is-unsent", "reconnect",                                                         \
      "what was under way on a lost connection counts as not sent")                                          \
    X(RECONNECT_HANGS, "reconnect-hangs", "reconnect",                                                       \
      "a connection lost with a request under way never works again")                                        \
    X(PAUSE_ONE, "pause-one", "fan-out", "pause goes to one server only")                                    \
    X(THROTTLE_WHOLE, "throttle-whole", "fan-out", "each server gets the whole of a throttle")               \
    X(SILENT_CONFIRMED, "silent-confirmed", "fan-out", "one server's word counts for all")                   \
    X(SICK_SKIPPED, "sick-skipped", "fan-out", "what goes to every server leaves out the sick ones")         \
    X(TTL_CUT, "ttl-cut", "clamps", "a ttl above 5 s is cut to that")                                        \
    X(PRIORITY_CUT, "priority-cut", "clamps", "a priority above 4 is cut to that")                           \
    X(DELAY_CUT, "delay-cut", "clamps", "a delay above 2 s is cut to that")                                  \
    X(LIMIT_LOST, "limit-lost", "clamps", "the limit of expiries is not passed on")                          \
    X(DONE_TWICE, "done-twice", "double completion", "one completion in 50 is sent twice")                   \
    X(JOB_TWICE, "job-twice", "double completion", "the first job of a batch is handed out twice")           \
    X(ADD_IGNORED, "add-ignored", "membership", "add_server says yes and changes nothing")                   \
    X(OLD_KEPT, "old-kept", "membership", "update_servers only adds")                                        \
    X(LAST_LEFT_OUT, "last-left-out", "membership", "the last server of the list is never chosen")           \
    X(CHOICE_BIASED, "choice-biased", "membership", "servers at the front of the list are preferred")

enum aq_client_mutant {
    AQ_CLIENT_MUTANT_NONE,
#define X(name, word, family, breaks) AQ_CLIENT_MUTANT_##name,
    AQ_CLIENT_MUTANTS(X)
#undef X
};

extern const struct aq_mutant_table aq_client_mutants; /* in the order of the list */

#ifdef AQ_MUTANTS
extern uint32_t aq_client_mutant_alive;
#define AQ_CLIENT_MUTANT(name) (aq_client_mutant_alive == AQ_CLIENT_MUTANT_##name)
#else
#define AQ_CLIENT_MUTANT(name) ((void)AQ_CLIENT_MUTANT_##name, 0)
#endif

#endif
