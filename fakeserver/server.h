/* The fake AllQueue server core: tubes, leases, completions, one request at a time. It does no I/O: events,
   time and random numbers go in; replies, records to persist and taps come out. */
#ifndef AQ_FAKESERVER_SERVER_H
#define AQ_FAKESERVER_SERVER_H

#include "base/distribution.h"
#include "base/random.h"
#include "base/time.h"
#include "fakeserver/faults.h"
#include "fakeserver/policy.h"
#include "protocol/message.h"

struct aq_server; /* opaque; see server.c */

enum aq_job_state {
    AQ_JOB_READY,
    AQ_JOB_DELAYED,
    AQ_JOB_RESERVED,
    AQ_JOB_BURIED,
    AQ_JOB_PARENT,
    AQ_JOB_STATE_COUNT
};

/* How long the server works on one request. */
struct aq_service_model {
    /* prepared; AQ_DISTRIBUTION_CONSTANT 0 costs no time */
    struct aq_distribution by_action[AQ_ACTION_COUNT];
};

/* A job as it is kept on disk, and as it is given back at a restart; or what is kept of a tube. */
struct aq_job_record {
    enum aq_job_state state;
    struct aq_text job_id, tube, body;
    int32_t priority, expired_limit;
    int32_t own_priority; /* to which a release brings it back; 0: priority */
    int64_t ttl_s;
    uint32_t expireds, releases;
    uint64_t parent_hash; /* aq_text_hash of the id of its parent; 0: none */
    /* PARENT: children finished and put, the number that starts it (below 0: not known yet), its delay */
    uint32_t children, started;
    int32_t limit;
    int64_t delay_s;
    bool run_on_timeout, noop;
    /* Where servers keep the files of each state apart (policy moves_in_steps) 1 + state, so that a job may
       have several records; else 0. A record is known by its folder and its job_id. */
    uint8_t folder;
    /* PERSIST: what is in this folder under job_id is removed in the same instant; 0: none */
    uint8_t moved_from;
    bool is_tube; /* of the tube: `tps` and `paused` are all that is kept; job_id is empty */
    bool paused;
    double tps; /* throttle; 0: none */
    /* DELAYED: when it is ready; RESERVED: when the lease ends; PARENT: when it times out. The server's own
       clock: world time plus clock_offset_us and all jumps, modulo 2^64. Else 0 */
    aq_time_us due_us;
};

/* What the server did, told to the ledger. Taps are true whatever becomes of the reply. */
#define AQ_TAPS(X)                                                                                           \
    X(PUT, "put")               /* a job was accepted: ready or delayed */                                   \
    X(LEASE, "lease")           /* a job was handed out; ends at due_us */                                   \
    X(TAKEN, "taken")           /* get with delete: handed out and gone at once */                           \
    X(EMPTY, "empty")           /* a get found nothing (also: paused, throttled) */                          \
    X(DONE, "done")             /* a held job was finished */                                                \
    X(DELETED, "deleted")       /* a job was deleted, whatever its state was */                              \
    X(TOUCHED, "touched")       /* a lease was renewed; ends at due_us */                                    \
    X(RELEASED, "released")     /* a held job was put back, ready or delayed */                              \
    X(BURIED, "buried")         /* a held job was buried by its holder */                                    \
    X(KICKED, "kicked")         /* a buried job was made ready */                                            \
    X(EXPIRED, "expired")       /* a lease ran out; the job is ready again or, with state BURIED, buried */  \
    X(AUTOBURIED, "autoburied") /* a release went over the limit and buried the job */                       \
    X(MATURED, "matured")       /* a delayed job became ready */                                             \
    X(CLEARED, "cleared")       /* a job was removed by clear */                                             \
    X(MISSED, "missed")         /* a completion named a job that is not here, or not in a state for it */    \
    X(RESTORED, "restored")     /* a job came back from disk; former_id where its id changed */              \
    X(FAILED, "failed")         /* a request was answered with an error and changed nothing */               \
    X(PARENT_HELD, "parent_held")           /* set_parent_job: accepted, waits for its children */           \
    X(CHILD_COUNTED, "child_counted")       /* of the parent: a child counts as finished, for `cause` */     \
    X(CHILDREN_STARTED, "children_started") /* of the parent: all children are put, `limit` of them */       \
    X(PARENT_STARTED, "parent_started")     /* its children are finished: ready, or delayed */               \
    X(TIMED_OUT, "timed_out")               /* a parent has waited too long: ready, delayed or buried */     \
    X(NOOP_DONE, "noop_done")               /* a noop parent is over, and gone, without being queued */      \
    X(PAUSED, "paused")                     /* gets of the tube bring nothing from now on */                 \
    X(UNPAUSED, "unpaused")                 /* the end of that */                                            \
    X(THROTTLED, "throttled")               /* gets of the tube are limited to `tps` from now on */          \
    X(REAPED, "reaped")                     /* an idle tube was dropped, and this delayed job with it */

enum aq_tap_kind {
#define X(name, word) AQ_TAP_##name,
    AQ_TAPS(X)
#undef X
        AQ_TAP_COUNT
};
const char *aq_tap_word(enum aq_tap_kind kind);

struct aq_tap {
    enum aq_tap_kind kind;
    /* the request that caused it; AQ_ACTION_COUNT for the server's own: sweeps, restores, and what becomes of
       a parent because of its children */
    enum aq_action action;
    enum aq_job_state state; /* of the job afterwards; meaningless when it is gone */
    /* of the job just before; PARENT for PARENT_HELD; meaningless for PUT, EMPTY, MISSED, RESTORED, FAILED */
    enum aq_job_state before;
    /* CHILD_COUNTED: what ended the child: DONE, DELETED, TAKEN, NOOP_DONE; with the policy
       child_counts_on_expiry EXPIRED, BURIED and CLEARED as well */
    enum aq_tap_kind cause;
    uint32_t peer; /* who asked; UINT32_MAX for the server's own */
    uint32_t correlation;
    uint32_t priority; /* bucket 1..9 of the job */
    uint32_t expireds; /* of the job, after this */
    uint32_t releases; /* likewise */
    uint64_t job_hash; /* aq_text_hash of job_id; 0 where there is no job */
    /* number of the lease that this made, renewed or ended; unique on this server object; 0: none */
    uint64_t lease;
    /* LEASE, TOUCHED: end of the lease; delayed job: when it is ready; parent: when it times out, or
       AQ_TIME_NEVER; world time */
    aq_time_us due_us;
    int64_t ttl_s;        /* of the job */
    uint64_t parent_hash; /* aq_text_hash of the parent's id as the job names it, here or not; 0: none */
    uint64_t child_hash;  /* CHILD_COUNTED: aq_text_hash of the child's id; else 0 */
    /* of a job that is or just was a PARENT: children that count as finished, and how many start it; a limit
       of 0 or less: not known yet. Else 0 */
    uint32_t children;
    int32_t limit;
    double tps;               /* THROTTLED: gets per second, as it is in force */
    struct aq_text job_id;    /* as the server knows it: no server prefix. MISSED: as asked for */
    struct aq_text former_id; /* RESTORED */
    struct aq_text tube;
    struct aq_text body; /* of the job, where there is one */
};

/* `malformed` of a message that is empty or holds white space only. */
#define AQ_MALFORMED_BLANK "blank"

enum aq_server_event_kind {
    AQ_SERVER_REQUEST, /* a request arrived: peer, correlation, request, token */
    /* all that PERSIST and UNPERSIST have asked for up to now is on disk. Wanted after each step with such
       effects, those of sweeps included, but not RESTORE: until then the server only lets requests wait.
       Harmless when nothing is waited for */
    AQ_SERVER_SAVED,
    AQ_SERVER_RESTORE, /* at start, before any request: one record from disk */
    AQ_SERVER_FAULT,   /* put *rule in force, copied */
    AQ_SERVER_HEAL,    /* take the rule with this id out of force */
    AQ_SERVER_WAKE,    /* the time that aq_server_next_wake named has come; harmless at any other time */
};

struct aq_server_event {
    enum aq_server_event_kind kind;
    uint32_t peer;        /* REQUEST: where the reply goes */
    uint32_t correlation; /* REQUEST: handed back in the reply */
    uint32_t token;       /* REQUEST: the owner's name for the request's memory */
    uint32_t rule_id;     /* HEAL */
    /* REQUEST: borrowed until the FINISHED effect with this token. NULL for bytes that make no
       sense: `malformed` says why */
    const struct aq_request *request;
    struct aq_text malformed; /* REQUEST without request: text of the error reply; borrowed likewise */
    const struct aq_job_record *record; /* RESTORE: borrowed for this step */
    const struct aq_fault_rule *rule;   /* FAULT: borrowed for this step, its texts while in force */
};

enum aq_server_effect_kind {
    AQ_SERVER_REPLY,   /* send reply to peer */
    AQ_SERVER_PERSIST, /* write record to disk, replacing what is there under its folder and job_id or tube */
    AQ_SERVER_UNPERSIST, /* remove what is there under record.folder and record.job_id or tube */
    AQ_SERVER_FINISHED,  /* the request's memory (token) is no longer needed; exactly once for each REQUEST */
    AQ_SERVER_TAP,       /* tell the ledger */
};

struct aq_server_effect {
    enum aq_server_effect_kind kind;
    uint32_t peer, correlation; /* REPLY */
    uint32_t token;             /* FINISHED */
    union {                     /* all texts are valid until the next step */
        struct aq_reply reply;
        struct aq_job_record record;
        struct aq_tap tap;
    };
};

/* The effects of one step, in the order in which they must be carried out. Of PERSIST and UNPERSIST each
   takes effect by itself where the policy moves_in_steps is on; otherwise those of one step do together. With
   persistence on, PERSIST and UNPERSIST come first and the REPLY of the same request comes in the step of
   SAVED. One struct serves many servers in turn. All zero is valid and empty. */
struct aq_server_effects {
    struct aq_server_effect *items;
    uint32_t count;
    uint32_t capacity;
    struct aq_arena texts;
};
void aq_server_effects_close(struct aq_server_effects *effects);

/* Which tubes are fair queues, and how their shards are made and chosen. All zero: AllQueue's defaults. */
struct aq_fair_config {
    struct aq_text prefix;    /* names that begin so; empty: "fq-". Borrowed while the server lives */
    struct aq_text suffix;    /* instead, names that end so; empty: the prefix counts */
    struct aq_text separator; /* between the queue's name and the key, by key only; empty: ":s:" */
    bool by_key;              /* a shard for each key; else keys are hashed to `shards` of them */
    uint32_t shards;          /* 0: 10 */
    uint32_t reservation_max; /* hashed shards with so many reserved jobs are passed over; 0: no bound */
};

struct aq_server_config {
    const struct aq_server_policy *policy;  /* borrowed; unchanged while the server lives */
    const struct aq_service_model *service; /* borrowed likewise */
    bool persistent;                        /* emit PERSIST and wait for SAVED before replying */
    bool taps;                              /* emit TAP */
    int64_t default_ttl_s;                  /* AllQueue: 3600 */
    struct aq_fair_config fair;
    /* idle tubes are dropped after this, with the policy reaper_ignores_delayed; 0: AllQueue's 1 h */
    aq_time_us tube_expire_us;
    /* requests that may wait; further ones are dropped and counted. AllQueue on libzmq: 1000 a peer */
    uint32_t queue_max;
    int64_t clock_offset_us; /* a clock jump that outlived the process: added to now for leases and delays */
    /* the server's own stream, copied. Each start of a server needs another one, or it would make
       the same job ids again */
    struct aq_random random;
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_server_new(const struct aq_server_config *config, struct aq_server **out);

/* Frees the server as a crash would: waiting requests are forgotten without FINISHED; their owner takes
   them back. NULL is fine. */
void aq_server_free(struct aq_server *server);

/* The one entry point. Empties *effects, handles the event and fills *effects. now_us must not fall
   from step to step. Sweeps with a period tick from the first step on, whatever its event. Must not be
   called from within itself. Errors: AQ_ENOMEM: the server should be freed. AQ_EINVALID, AQ_EEXISTS: a
   RESTORE of a record with an impossible id, state, priority or ttl, or with the id of a job that is
   here; nothing changed. */
int aq_server_step(struct aq_server *server, aq_time_us now_us, const struct aq_server_event *event,
                   struct aq_server_effects *effects);

/* When WAKE is wanted next, never before the last step; AQ_TIME_NEVER for not at all.
   Changes only in a step. */
aq_time_us aq_server_next_wake(const struct aq_server *server);

/* Counters since the server was made. */
struct aq_server_counters {
    uint64_t requests;                 /* arrived */
    uint64_t dropped;                  /* refused because queue_max were waiting */
    uint64_t jobs[AQ_JOB_STATE_COUNT]; /* held now, by state */
    uint32_t queue;                    /* requests waiting or in service now */
    aq_time_us busy_us;                /* time spent in service, of requests completed */
};
struct aq_server_counters aq_server_counters(const struct aq_server *server);

/* What the server would answer to stats now. Tables lie in arena; names of tubes are borrowed until the next
   step. Errors: AQ_ENOMEM. */
int aq_server_read_stats(const struct aq_server *server, struct aq_arena *arena, struct aq_server_stats *out);

/* The receipts of a rule in force. NULL where there is none with this id. Valid until the next step. */
const struct aq_fault_rule *aq_server_rule(const struct aq_server *server, uint32_t rule_id);

/* Calls visit for each job held, in a fixed order (by the job's slot). For the final
   reckoning and for replay. */
void aq_server_each_job(const struct aq_server *server,
                        void (*visit)(void *arg, const struct aq_job_record *record), void *arg);

/* A tube as it stands. */
struct aq_tube_view {
    struct aq_text name; /* of a fair queue or its shard: the shard's own */
    uint64_t jobs[AQ_JOB_STATE_COUNT];
    bool paused;
    double tps; /* throttle; 0: none */
};

/* Calls visit for each tube that was ever named, in the order in which they were; for each rule in force, in
   the order of their ids. For replay; borrowed for the visit. */
void aq_server_each_tube(const struct aq_server *server,
                         void (*visit)(void *arg, const struct aq_tube_view *tube), void *arg);
void aq_server_each_rule(const struct aq_server *server,
                         void (*visit)(void *arg, const struct aq_fault_rule *rule), void *arg);

/* Checks every invariant of the server's tables; aborts where one is broken. */
void aq_server_check(const struct aq_server *server);

#endif
