/* The federation client core: chooses a server for each call, keeps a job's origin in its id, sends
   completions back there, and stops using servers that have stopped working. It does no I/O: events, time and
   random numbers go in, effects come out.

   Servers are named by their index in an address book that many clients may share. Per server nothing is
   allocated before the client first uses it.

   Where a call goes:
     one server, chosen uniformly
         put, get, get_multiple_jobs, set_parent_job without a parent, admin, version; pause and unpause where
         the policy pause_everywhere is off
     the server named in the id
         done, delete, touch, release, bury, set_children_started, kick with a job id, and put or
         set_parent_job with a parent
     every member at once
         stats, ping, clear, throttle, pause, unpause
     one member after the other, in list order, until one has a job
         peek, and kick with a tube alone: it kicks one job, wherever it is
     the client itself, answered in the same step with the address in the reply's value
         drain, add_server, update_servers
   The policies kick_at_random, bare_id_at_random, fan_out_in_turn and clear_elsewhere change this.
   Policies change this: kick_at_random, bare_id_at_random, fan_out_in_turn, clear_elsewhere.

   The one answer to a call to several members:
     stats
         OK with one aq_server_stats for each server that answered, in list order; where some were silent,
         error names them. UNAVAILABLE where none answered.
     ping
         OK with AQ_REPLY_PONG where all answered, REFUSED with AQ_REPLY_ERROR naming the silent ones where
         some did, UNAVAILABLE where none did.
     clear, throttle, pause, unpause
         OK where every member confirmed; UNAVAILABLE where it reached none; REFUSED where all refused; else
         UNKNOWN, for it is applied in part.
     peek, kick
         OK with the job found, or without one where every member answered that it has none; UNKNOWN where
         nothing was found and some were silent (for kick already at the first that may have kicked);
         UNAVAILABLE where none answered.
   Where the policy report_unknown is off, UNKNOWN, UNAVAILABLE and INVALID are told as EMPTY, and so is an
   answer to stats that is incomplete. */
#ifndef AQ_CLIENT_CLIENT_H
#define AQ_CLIENT_CLIENT_H

#include "base/arena.h"
#include "base/random.h"
#include "base/time.h"
#include "client/address_book.h"
#include "client/policy.h"
#include "protocol/message.h"

struct aq_client; /* opaque; see client.c */

/* How a call ended, as its caller is told. */
enum aq_outcome {
    AQ_OUTCOME_OK,          /* the server applied it and said so; the reply is at hand */
    AQ_OUTCOME_REFUSED,     /* the server answered that it did not apply it; the reply is at hand */
    AQ_OUTCOME_UNAVAILABLE, /* certainly not applied: it reached no server */
    AQ_OUTCOME_UNKNOWN,     /* it may or may not have been applied */
    /* the call itself is wrong: unknown origin in the id, too large, a parameter missing */
    AQ_OUTCOME_INVALID,
    AQ_OUTCOME_EMPTY, /* upstream only: "{}", by which AllQueue's client says that something failed */
};

/* "ok", "refused", "unavailable", "unknown", "invalid", "empty": literals. */
const char *aq_outcome_word(enum aq_outcome outcome);

enum aq_client_event_kind {
    AQ_CLIENT_CALL,         /* an application calls: call, request */
    AQ_CLIENT_CONNECTED,    /* the connection to server is up */
    AQ_CLIENT_DISCONNECTED, /* the connection to server is gone, or could not be made */
    AQ_CLIENT_REPLY,        /* a reply came from server: correlation, reply */
    AQ_CLIENT_WAKE,         /* the time that aq_client_next_wake named has come */
};

struct aq_client_event {
    enum aq_client_event_kind kind;
    uint32_t server;                  /* address-book index; not for CALL and WAKE */
    uint32_t correlation;             /* REPLY: of the SEND that it answers */
    uint64_t call;                    /* CALL: the caller's name for it; handed back in ANSWER */
    const struct aq_request *request; /* CALL: borrowed until the ANSWER of this call, texts included */
    const struct aq_reply *reply;     /* REPLY: borrowed for this step; NULL where the bytes made no sense */
};

enum aq_client_effect_kind {
    /* start to connect to server; CONNECTED or DISCONNECTED must follow, unless CLOSE comes first */
    AQ_CLIENT_CONNECT,
    AQ_CLIENT_CLOSE,  /* drop the connection to server; nothing more may be reported of it */
    AQ_CLIENT_SEND,   /* send request to server, on a connection that is up */
    AQ_CLIENT_ANSWER, /* answer call: outcome, reply */
    /* told for measurement: call picked server among the eligible ones (a free choice, first attempt) */
    AQ_CLIENT_CHOICE,
    AQ_CLIENT_RETRY, /* told for measurement: call picked server after an attempt elsewhere had failed */
    /* told for measurement: the set of servers that free choices are made from has changed */
    AQ_CLIENT_MEMBERSHIP,
    AQ_CLIENT_MARK, /* told for measurement: a named point was reached (mark) */
};

/* Named points in the client whose reach is counted. X(NAME, name in reports). */
#define AQ_CLIENT_MARKS(X)                                                                                   \
    X(SERVER_BECAME_SICK, "server_became_sick")                                                              \
    X(SERVER_BECAME_WELL, "server_became_well")                                                              \
    X(PROBE_FAILED, "probe_failed")                                                                          \
    X(PUT_RETRIED_ELSEWHERE, "put_retried_elsewhere")                                                        \
    X(GET_RETRIED_ELSEWHERE, "get_retried_elsewhere")                                                        \
    X(PUT_UNKNOWN, "put_unknown")                                                                            \
    X(COMPLETION_RESENT, "completion_resent")                                                                \
    X(COMPLETION_UNKNOWN, "completion_unknown")                                                              \
    X(COMPLETION_WAITED_FOR_ORIGIN, "completion_waited_for_origin")                                          \
    X(REPLY_TIMED_OUT, "reply_timed_out")                                                                    \
    X(STRAY_REPLY_DROPPED, "stray_reply_dropped")                                                            \
    X(MALFORMED_REPLY, "malformed_reply")                                                                    \
    X(ALL_SERVERS_SICK, "all_servers_sick")                                                                  \
    X(CALL_QUEUED_BEHIND_ANOTHER, "call_queued_behind_another")                                              \
    X(SERVER_ADDED, "server_added")                                                                          \
    X(SERVER_DRAINING, "server_draining")                                                                    \
    X(SERVER_DRAINED, "server_drained")                                                                      \
    X(SERVER_REDIRECTED, "server_redirected")                                                                \
    X(SERVERS_REPLACED, "servers_replaced")                                                                  \
    X(FAN_OUT_INCOMPLETE, "fan_out_incomplete")

enum aq_client_mark {
#define X(name, word) AQ_CLIENT_MARK_##name,
    AQ_CLIENT_MARKS(X)
#undef X
        AQ_CLIENT_MARK_COUNT
};
const char *aq_client_mark_word(enum aq_client_mark mark);

struct aq_client_effect {
    enum aq_client_effect_kind kind;
    /* CONNECT, CLOSE, SEND, CHOICE, RETRY; ANSWER: the server that answered, or UINT32_MAX */
    uint32_t server;
    uint32_t correlation;      /* SEND: unique within this client until it wraps at 2^32 */
    enum aq_client_mark mark;  /* MARK */
    enum aq_action action;     /* CHOICE, RETRY: what the call wants */
    enum aq_outcome outcome;   /* ANSWER */
    bool own;                  /* SEND: the client's own (a probe, a drain sweep), not made for a call */
    uint64_t call;             /* ANSWER, CHOICE, RETRY; SEND: the call it is made for, unless own */
    struct aq_request request; /* SEND: texts borrowed from the call's request or from effects->texts */
    /* ANSWER: borrowed, valid until the next step; NULL for outcomes without one */
    const struct aq_reply *reply;
};

/* The effects of one step, in the order in which they must be carried out. One struct serves many clients in
   turn. All zero is a valid empty one. */
struct aq_client_effects {
    struct aq_client_effect *items;
    uint32_t count;
    uint32_t capacity;
    struct aq_arena texts; /* texts and structs made in this step */
};
void aq_client_effects_close(struct aq_client_effects *effects);

struct aq_client_config {
    /* borrowed and shared; grows when add_server, update_servers or a redirect names an address
       that it does not have yet */
    struct aq_address_book *book;
    const struct aq_client_policy *policy; /* borrowed; unchanged while the client lives */
    /* borrowed while the client lives: address-book indexes of the configured list */
    const uint32_t *servers;
    uint32_t server_count;   /* at least 1 */
    struct aq_random random; /* the client's own stream, copied */
};

/* A client that has connected to nothing yet; it connects on first use. Errors: AQ_EINVALID (empty list or an
   index outside the book), AQ_ENOMEM; *out untouched. */
int aq_client_new(const struct aq_client_config *config, struct aq_client **out);

/* Frees the client; calls under way are forgotten without an answer. NULL is fine. */
void aq_client_free(struct aq_client *client);

/* The one entry point. Empties *effects, handles the event and fills *effects. now_us must not fall from step
   to step. Must not be called from within itself. Errors: AQ_ENOMEM: the client may have lost the event and
   should be freed. */
int aq_client_step(struct aq_client *client, aq_time_us now_us, const struct aq_client_event *event,
                   struct aq_client_effects *effects);

/* When WAKE is wanted next; AQ_TIME_NEVER for not at all. Changes only in a step. */
aq_time_us aq_client_next_wake(const struct aq_client *client);

/* The servers among which a put (for_put) or get is now chosen: writes up to `room` address-book indexes in
   list order and returns their number, which may be larger than room. */
uint32_t aq_client_eligible(const struct aq_client *client, bool for_put, uint32_t *out, uint32_t room);

/* What the client thinks of a server: for reports and replay. */
enum aq_server_health {
    AQ_SERVER_WELL,
    AQ_SERVER_SICK,
    AQ_SERVER_PROBING,
    AQ_SERVER_DRAINING,
    AQ_SERVER_REMOVED
};
enum aq_server_health aq_client_health(const struct aq_client *client, uint32_t server);

/* ---- a look inside, for replay; borrowed for the visit ---- */

struct aq_client_server_view {
    uint32_t server; /* address-book index */
    enum aq_server_health health;
    bool member;            /* still on the list */
    const char *connection; /* "idle", "connecting", "up": literals */
    uint32_t waiting, parked, flying,
        resting;            /* calls at it: not sent, for it to be well, sent, for a connection */
    uint32_t failed_probes; /* in a row */
    aq_time_us heard_us;    /* when the last reply came; 0: none yet */
    aq_time_us probe_at_us; /* when the next probe starts; only while it is sick */
};

struct aq_client_call_view {
    uint64_t call;       /* the caller's name for it; 0: the client's own */
    const char *made_by; /* "application", "part", "probe", "sweep": literals */
    const char *state;   /* "waiting", "flying", ...: literals */
    enum aq_action action;
    uint32_t server;        /* that it is at, was at last, or must go to; UINT32_MAX: not known yet */
    aq_time_us deadline_us; /* for the whole call; AQ_TIME_NEVER: none */
    aq_time_us sent_us;     /* flying: since when; else 0 */
    bool may_be_applied;    /* an attempt was sent, and its outcome is not known */
    struct aq_text job;     /* that it names; empty: none */
};

/* Each server that the client has used or thought about; each call that is not over. In a fixed order. */
void aq_client_each_server(const struct aq_client *client,
                           void (*visit)(void *arg, const struct aq_client_server_view *server), void *arg);
void aq_client_each_call(const struct aq_client *client,
                         void (*visit)(void *arg, const struct aq_client_call_view *call), void *arg);

/* Calls that have not been answered yet. */
uint32_t aq_client_calls_open(const struct aq_client *client);

/* Checks every invariant of the client's tables; aborts where one is broken. For tests. */
void aq_client_check(const struct aq_client *client);

#endif
