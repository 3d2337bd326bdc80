/* The ledger: follows every job from its producer's call to its end, from observations alone. It never trusts
   the client: a job is known by the token in its body and by the id its server gave it. Jobs that ended
   cleanly are forgotten, so memory goes with the jobs in flight, not with the jobs done. */
#ifndef AQ_SIM_LEDGER_H
#define AQ_SIM_LEDGER_H

#include "base/map.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "reports/record.h"
#include "scenarios/scenario.h"
#include "sim/observation.h"

#define AQ_LEDGER_HISTORY    8  /* events remembered for each job's story: 128 bytes a job */
#define AQ_STORIES_PER_CHECK 10 /* violations kept with their story; the others are counted */

/* One remembered event of a job, for stories: 16 bytes, since every job in flight has eight of them. */
struct aq_ledger_event {
    uint64_t at_us : 49;  /* 17 years */
    uint64_t kind : 5;    /* enum aq_seen_kind */
    uint64_t action : 5;  /* enum aq_action; of a TAP: the request that caused it, AQ_ACTION_COUNT: none */
    uint64_t tap : 5;     /* enum aq_tap_kind of a TAP */
    uint64_t caller : 26; /* all ones: nobody; so for client and server */
    uint64_t client : 17;
    uint64_t server : 13;
    uint64_t outcome : 3; /* enum aq_outcome of an ANSWER */
    uint64_t is_producer : 1;
    uint64_t is_command : 1;
    uint64_t fact : 1; /* error or empty of an ANSWER */
};

/* One logical job: what one producer call put, and everything that became of it. */
struct aq_ledger_job {
    uint64_t token;       /* in its body; 0 for a job whose body names none */
    uint64_t put_call;    /* the producer's call; 0 where no producer of ours put it */
    uint32_t copies;      /* first of its copies on servers, chained by next_of_job; UINT32_MAX: none kept */
    uint32_t copies_made; /* PUT taps with this token */
    uint32_t copies_alive;
    uint32_t executions;     /* times that a worker was handed it */
    uint32_t completions_ok; /* completions that ended it (done, delete) of which the worker was told ok */
    uint32_t open_calls;     /* calls about it that have not been answered or abandoned */
    uint8_t put_answered;    /* the producer has an outcome: put_outcome */
    uint8_t put_outcome;     /* enum aq_outcome */
    uint8_t put_abandoned;   /* the producer will never have one */
    uint8_t unclean;         /* something about it was not plain: kept for late messages */
    uint8_t ended;           /* it was completed: done, deleted, taken or cleared at a server */
    uint8_t foreign;         /* no producer of ours put it */
    uint8_t history_count;   /* events seen; where it would pass 255 it falls back, the ring's place kept */
    uint8_t used;            /* the slot holds a job */
    /* the first event stays, the others are a ring of the latest */
    struct aq_ledger_event history[AQ_LEDGER_HISTORY];
};

/* Why a job that had been handed out could be handed out again. */
enum aq_ledger_again {
    AQ_AGAIN_NOT,        /* nothing made it free */
    AQ_AGAIN_TTL,        /* the lease ran out in a worker's hands */
    AQ_AGAIN_LOST_REPLY, /* the lease ran out without a worker having been told of it */
    AQ_AGAIN_RELEASED,   /* a worker put it back */
    AQ_AGAIN_KICKED,     /* it was buried and then kicked */
    AQ_AGAIN_RESTART,    /* its server started again from disk */
    AQ_AGAIN_CAME_BACK,  /* it was completed, the worker was told so, and it came back */
};

/* One job as a server holds it. Usually a logical job has one; retries and restarts make more. */
struct aq_ledger_copy {
    uint64_t hash;             /* aq_text_hash of the server's job id */
    uint64_t lease;            /* number of the valid lease; 0: none */
    aq_time_us lease_until_us; /* end of the last lease in world time, as handed out or renewed */
    aq_time_us ended_us;       /* when a done or delete was last applied; 0: never */
    aq_time_us aside_us;       /* likewise release or bury */
    aq_time_us touched_us;     /* likewise touch */
    uint32_t ended_call;       /* aq_ledger_call_mark of the call that did it; 0 where unknown */
    uint32_t aside_call;
    uint32_t touched_call;
    uint32_t refused_call; /* of the last completion that its caller was told was not applied */
    uint32_t job;          /* index of its logical job */
    uint32_t next_of_job;
    uint32_t server;              /* where it lies: the origin that completions must reach */
    uint32_t incarnation;         /* of the server, that last accepted, restored or handed it out */
    uint32_t lease_incarnation;   /* that handed it out */
    uint32_t holder;              /* worker that was told of the lease; AQ_NOBODY */
    uint32_t holder_client;       /* client that asked for the lease; AQ_NOBODY where unknown */
    uint32_t completions_sent;    /* requests for completion that clients sent for it */
    uint32_t completions_seen;    /* taps of such requests, at any server */
    uint32_t completions_applied; /* DONE and DELETED taps at its origin */
    uint32_t last_call;           /* aq_ledger_call_mark of the last completion call about it */
    uint32_t last_client;         /* its client */
    uint32_t open_completions;    /* completion calls of workers not yet answered or abandoned */
    uint16_t leases;              /* times that its server handed it out; stays at UINT16_MAX */
    uint16_t executions;          /* times that a worker was told so; stays at UINT16_MAX */
    uint8_t state;                /* enum aq_job_state */
    uint8_t gone;                 /* it is no longer held by its server: completed, lost or renamed */
    uint8_t lost;                 /* gone with the memory of a crash */
    uint8_t renamed;              /* gone under this id: a restart gave it another */
    uint8_t acked;                /* a worker was told that it completed it */
    uint8_t restored;             /* it came back from disk, and has not been handed out or touched since */
    uint8_t told;                 /* a worker was told of the last lease */
    uint8_t again;                /* enum aq_ledger_again: what has made it free since its last lease */
    uint8_t lease_again;          /* likewise: what had made it free for its last lease */
    uint8_t last_action;          /* of last_call: enum aq_action */
    /* last_call was made when no other was open and no request on its way, and none has been since */
    uint8_t last_alone;
    uint8_t abandoned; /* a completion call about it was abandoned: its request may come at any time */
    uint8_t reckoned;  /* seen in the final walk over the servers */
    uint8_t used;      /* the slot holds a copy */
    char id[AQ_JOB_ID_CHARS + 2]; /* the server's id, NUL-terminated, cut where longer */
};

struct aq_ledger; /* opaque: pools and maps in ledger.c, with the state of every check */

struct aq_ledger_config {
    const struct aq_scenario *scenario;           /* borrowed */
    const struct aq_address_book *book;           /* borrowed */
    const struct aq_eligible_sets *eligible_sets; /* borrowed; grows while the run goes on */
    /* borrowed: by server index, the ids that clients give them, for stories */
    const char *const *server_ids;
    aq_time_us timer_slack_us; /* how late the world's timers may come: 0 in the virtual one */
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_ledger_new(const struct aq_ledger_config *config, struct aq_ledger **out);
void aq_ledger_free(struct aq_ledger *ledger);

/* The one entry: shows the observation to every check that is interested, then takes it into the
   books. Errors: AQ_ENOMEM. */
int aq_ledger_observe(struct aq_ledger *ledger, const struct aq_observation *seen);

/* The final reckoning: call once for each job that each server still holds, after the last observation. A
   copy in the books that no server holds then has vanished, unless its server is down and its disk was kept.
   Errors: AQ_ENOMEM. */
int aq_ledger_reckon(struct aq_ledger *ledger, uint32_t server, const struct aq_job_record *held);

/* Closes the books at `end_us`: every check gives its verdict; fills checks, violations, jobs and completions
   of the record, and of each server what observations tell: puts, gets, empty_gets, completions, errors,
   missed, expired, buried, lost, choices, share, incarnations and held. record->servers is made where it is
   NULL, with index and id; otherwise its rows are filled in place. Whether a failure was expected is not
   judged here. Errors: AQ_ENOMEM. */
int aq_ledger_finish(struct aq_ledger *ledger, aq_time_us end_us, struct aq_record *record);

/* Violations so far, for progress lines. */
uint64_t aq_ledger_violations(const struct aq_ledger *ledger);

/* Jobs completed so far (done, deleted, taken), and jobs accepted that are not gone: for progress lines and
   to see that the backlog has drained. */
uint64_t aq_ledger_completed(const struct aq_ledger *ledger);
uint64_t aq_ledger_alive(const struct aq_ledger *ledger);

/* ---- for checks ---- */

const struct aq_scenario *aq_ledger_scenario(const struct aq_ledger *ledger);
aq_time_us aq_ledger_timer_slack_us(const struct aq_ledger *ledger);
const struct aq_eligible_sets *aq_ledger_eligible_sets(const struct aq_ledger *ledger);
struct aq_ledger_job *aq_ledger_job_of(struct aq_ledger *ledger, const struct aq_ledger_copy *copy);

/* Lost with the memory of a crash: marked so, or not seen since its server lost its memory. */
bool aq_ledger_copy_lost(const struct aq_ledger *ledger, const struct aq_ledger_copy *copy);

/* The copy with this server-side id (hash of it), or NULL. */
struct aq_ledger_copy *aq_ledger_copy_by_hash(struct aq_ledger *ledger, uint64_t hash);
/* The logical job with this token, or NULL. */
struct aq_ledger_job *aq_ledger_job_by_token(struct aq_ledger *ledger, uint64_t token);
/* The token was put by a producer of ours, and the ledger has forgotten its job: it ended
   cleanly and was acknowledged. */
bool aq_ledger_forgot_token(const struct aq_ledger *ledger, uint64_t token);
/* The same of a server-side id. Only the ids forgotten lately are known, so false is no proof. */
bool aq_ledger_forgot_hash(const struct aq_ledger *ledger, uint64_t hash);

/* 32 bits that stand for a call in the books, never 0; 0 for call 0. */
uint32_t aq_ledger_call_mark(uint64_t call);

/* The mark of the call that a completion's tap was made for: as the tap says, or the only one that it
   can be; 0 where unknown. */
uint32_t aq_ledger_call_of_tap(const struct aq_ledger_copy *copy, const struct aq_observation *seen);

/* Every copy and job alive or kept, in slot order, until a visit does not return 0; its value is returned. */
int aq_ledger_each_copy(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_copy *copy),
                        void *arg);
int aq_ledger_each_job(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_job *job),
                       void *arg);

/* The state of a server as observed. */
struct aq_ledger_server {
    bool up, stopped;
    uint32_t incarnation;
    aq_time_us since_us; /* of the last change of up or stopped */
    /* a clock_jump or stalled_sweeps fault has struck it, or may have where its servers were drawn */
    bool clock_jumped;
    uint32_t lost_before; /* incarnations below this have lost their memory */
};
const struct aq_ledger_server *aq_ledger_server(const struct aq_ledger *ledger, uint32_t server);

/* Faults in force now, by kind: for excuses by name. */
uint32_t aq_ledger_faults_in_force(const struct aq_ledger *ledger, enum aq_fault_kind kind);

/* Records a violation of a check: counts it and, for the first few, builds the story from the job's history.
   `copy` and `job` may be NULL. `seen` is NULL for what shows only when the books are closed. `cause` is a
   short literal, stable across runs, for grouping. Errors: AQ_ENOMEM. */
int aq_ledger_violation(struct aq_ledger *ledger, enum aq_check check, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job,
                        const char *cause);
uint64_t aq_ledger_violations_of(const struct aq_ledger *ledger, enum aq_check check);
/* The cause of its first violation, or NULL. */
const char *aq_ledger_first_cause(const struct aq_ledger *ledger, enum aq_check check);

/* How often each mark was reached, by enum aq_mark. */
const uint64_t *aq_ledger_marks(const struct aq_ledger *ledger);

/* What the books add up to; jobs counts copies on servers. */
struct aq_ledger_totals {
    uint64_t produced;       /* put calls of producers */
    uint64_t accepted;       /* PUT taps */
    uint64_t completed;      /* copies done, deleted, taken or cleared, and not back since */
    uint64_t lost;           /* copies lost for a declared reason */
    uint64_t alive;          /* copies accepted and not gone */
    uint64_t appeared;       /* copies that came from nowhere: never put, or held after their end */
    uint64_t vanished;       /* copies in the books and on no server; known when the books are closed */
    uint64_t held;           /* copies that servers hold, or keep on disk; likewise */
    uint64_t executed_again; /* logical jobs that workers were handed more than once */
    uint64_t sent, applied, acked, misrouted, origin_gone, unknown; /* completions */
};
const struct aq_ledger_totals *aq_ledger_totals(const struct aq_ledger *ledger);
/* For the checks that count what is theirs. */
struct aq_ledger_totals *aq_ledger_totals_edit(struct aq_ledger *ledger);

#endif
