/* Faults of a server as plain data, and the pure decision whether one acts on a message. The same decision
   serves the simulated and the live world. What happens to a whole server (crash, restart) is done by the
   world that owns it. */
#ifndef AQ_FAKESERVER_FAULTS_H
#define AQ_FAKESERVER_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"
#include "protocol/message.h"

/* X(NAME, word in scenarios) */
#define AQ_SERVER_FAULTS(X)                                                                                  \
    X(PAUSE, "pause")                                                                                        \
    X(SLOW, "slow")                                                                                          \
    X(ERROR_REPLY, "error_reply")                                                                            \
    X(DROP_REQUEST, "drop_request")                                                                          \
    X(DROP_REPLY, "drop_reply")                                                                              \
    X(DUPLICATE_REPLY, "duplicate_reply")                                                                    \
    X(CLOCK_JUMP, "clock_jump")                                                                              \
    X(MALFORMED_REPLY, "malformed_reply")                                                                    \
    X(TRUNCATED_REPLY, "truncated_reply")                                                                    \
    X(OVERSIZED_REPLY, "oversized_reply")                                                                    \
    X(EMPTY_REPLY, "empty_reply")                                                                            \
    X(WRONG_ID_REPLY, "wrong_id_reply")                                                                      \
    X(STALLED_SWEEPS, "stalled_sweeps")                                                                      \
    X(DISK_FULL, "disk_full")

enum aq_server_fault_kind {
#define X(name, word) AQ_SERVER_FAULT_##name,
    AQ_SERVER_FAULTS(X)
#undef X
        AQ_SERVER_FAULT_COUNT
};
const char *aq_server_fault_word(enum aq_server_fault_kind kind);

/* One rule in force on a server. */
struct aq_fault_rule {
    enum aq_server_fault_kind kind;
    uint32_t id;      /* the owner's name for it; unique on the server */
    uint32_t actions; /* bit 1 << enum aq_action for each action it acts on; 0: all */
    /* acts on this tube only; empty: all. Borrowed while the rule is in force. Matches put,
       get, get_multiple_jobs, peek and the other requests that name a tube; a completion
       matches by the tube of its job */
    struct aq_text tube;
    double probability;   /* chance to act on a matching message, 0..1 */
    uint64_t nth;         /* act on the n-th matching message only, counted from 1; 0: on each */
    double factor;        /* SLOW: service times are multiplied by this */
    int64_t jump_us;      /* CLOCK_JUMP: added to the server's clock, once, when the rule comes into force */
    struct aq_text error; /* ERROR_REPLY: the text after "error: ". Borrowed likewise */
    uint64_t matched;     /* receipt: messages that matched */
    /* receipt: messages (or, for PAUSE, CLOCK_JUMP and STALLED_SWEEPS, times; for DISK_FULL, writes) it acted
     * on */
    uint64_t touched;
};

/* Does the rule act on this message? Counts it as matched, and as touched where the answer is yes. `tube` is
   the tube of the message or of its job, empty where unknown. Draws from random only where 0 < probability <
   1 and the message matches. */
bool aq_fault_decide(struct aq_fault_rule *rule, enum aq_action action, struct aq_text tube,
                     struct aq_random *random);

#endif
