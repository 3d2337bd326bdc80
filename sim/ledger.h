/* The ledger: follows every job from its producer's call to its end, from observations alone. It never trusts the client: a job is
   known by the token in its body and by the id its server gave it. Jobs that ended cleanly are forgotten, so memory goes with the jobs
   in flight, not with the jobs done. */
#ifndef AQ_SIM_LEDGER_H
#define AQ_SIM_LEDGER_H

#include "base/map.h"
#include "base/time.h"
#include "protocol/ids.h"
#include "reports/record.h"
#include "scenarios/scenario.h"
#include "sim/observation.h"

#define AQ_LEDGER_HISTORY     12 /* events remembered for each job's story */
#define AQ_STORIES_PER_CHECK  10 /* violations kept with their story; the others are counted */

/* One remembered event of a job, for stories. */
struct aq_ledger_event {
    aq_time_us at_us;
    uint8_t kind;        /* enum aq_seen_kind */
    uint8_t what;        /* enum aq_action, or enum aq_tap_kind for TAP */
    uint8_t outcome;     /* enum aq_outcome of an ANSWER */
    uint8_t is_producer;
    uint32_t caller;
    uint32_t client;
    uint32_t server;
};

/* One logical job: what one producer call put, and everything that became of it. */
struct aq_ledger_job {
    uint64_t token;         /* in its body; 0 for a job that no producer of ours put */
    uint64_t put_call;      /* the producer's call */
    uint32_t copies;        /* first of its copies on servers, chained by next_of_job; UINT32_MAX: none alive */
    uint32_t copies_made;   /* PUT taps with this token */
    uint32_t copies_alive;
    uint32_t executions;    /* times that a worker was handed it */
    uint32_t completions_ok;/* completions that ended it (done, delete) of which the worker was told ok */
    uint32_t open_calls;    /* calls about it that have not been answered or abandoned */
    uint8_t put_answered;   /* the producer has an outcome: put_outcome */
    uint8_t put_outcome;    /* enum aq_outcome */
    uint8_t unclean;        /* something about it was not plain: kept for late messages */
    uint8_t ended;          /* it was completed: done, deleted, taken or cleared at a server */
    uint8_t history_count;  /* events seen, at most 255 */
    struct aq_ledger_event history[AQ_LEDGER_HISTORY]; /* a ring: the first event stays, the latest replace the oldest others */
};

/* One job as a server holds it. Usually a logical job has one; retries and restarts make more. */
struct aq_ledger_copy {
    uint64_t hash;             /* aq_text_hash of the server's job id */
    uint32_t job;              /* index of its logical job */
    uint32_t next_of_job;
    uint32_t server;           /* where it lies: the origin that completions must reach */
    uint32_t incarnation;      /* of the server, that last accepted, restored or handed it out */
    uint32_t lease_incarnation;/* that handed it out */
    uint32_t holder;           /* worker that was told of the lease; AQ_NOBODY */
    uint32_t holder_client;    /* client that asked for the lease */
    uint64_t lease;            /* number of the valid lease; 0: none */
    aq_time_us lease_until_us; /* end of the last lease in world time, as handed out or renewed */
    uint32_t completions_sent; /* requests for completion that clients sent for it */
    uint32_t completions_seen; /* taps of such requests, at any server */
    uint32_t completions_applied; /* DONE and DELETED taps at its origin */
    uint32_t open_completions; /* completion calls of workers not yet answered or abandoned */
    uint8_t state;             /* enum aq_job_state */
    uint8_t gone;              /* it is no longer held by its server: completed or lost */
    uint8_t lost;              /* gone with the memory of a crash */
    uint8_t reckoned;          /* seen in the final walk over the servers */
    uint16_t executions;       /* of this copy */
    char id[AQ_JOB_ID_CHARS + 2]; /* the server's id, NUL-terminated, cut where longer */
};

struct aq_ledger; /* opaque: pools and maps in ledger.c, with the state of every check */

struct aq_ledger_config {
    const struct aq_scenario *scenario;          /* borrowed */
    const struct aq_address_book *book;          /* borrowed */
    const struct aq_eligible_sets *eligible_sets;/* borrowed; grows while the run goes on */
    const char *const *server_ids;               /* borrowed: by server index, the ids that clients give them, for stories */
};

/* Errors: AQ_ENOMEM (*out untouched). */
int aq_ledger_new(const struct aq_ledger_config *config, struct aq_ledger **out);
void aq_ledger_free(struct aq_ledger *ledger);

/* The one entry: shows the observation to every check that is interested, then takes it into the books. Errors: AQ_ENOMEM. */
int aq_ledger_observe(struct aq_ledger *ledger, const struct aq_observation *seen);

/* The final reckoning: call once for each job that each server still holds, after the last observation. Errors: AQ_ENOMEM. */
int aq_ledger_reckon(struct aq_ledger *ledger, uint32_t server, const struct aq_job_record *held);

/* Closes the books at `end_us`: every check gives its verdict; fills checks, violations, jobs, completions of the record and the part of
   servers and figures that the ledger knows. Errors: AQ_ENOMEM. */
int aq_ledger_finish(struct aq_ledger *ledger, aq_time_us end_us, struct aq_record *record);

/* Violations so far, for progress lines. */
uint64_t aq_ledger_violations(const struct aq_ledger *ledger);

/* Jobs completed so far (done, deleted, taken), and jobs accepted that are not gone: for progress lines and to see that the
   backlog has drained. */
uint64_t aq_ledger_completed(const struct aq_ledger *ledger);
uint64_t aq_ledger_alive(const struct aq_ledger *ledger);

/* ---- for checks ---- */

const struct aq_scenario *aq_ledger_scenario(const struct aq_ledger *ledger);
const struct aq_eligible_sets *aq_ledger_eligible_sets(const struct aq_ledger *ledger);
struct aq_ledger_job *aq_ledger_job_of(struct aq_ledger *ledger, const struct aq_ledger_copy *copy);

/* The copy with this server-side id (hash of it), or NULL. */
struct aq_ledger_copy *aq_ledger_copy_by_hash(struct aq_ledger *ledger, uint64_t hash);
/* The logical job with this token, or NULL. */
struct aq_ledger_job *aq_ledger_job_by_token(struct aq_ledger *ledger, uint64_t token);
/* Every copy and job alive or kept, in slot order. */
void aq_ledger_each_copy(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_copy *copy), void *arg);
void aq_ledger_each_job(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_job *job), void *arg);

/* The state of a server as observed. */
struct aq_ledger_server {
    bool up, stopped;
    uint32_t incarnation;
    aq_time_us since_us;        /* of the last change of up or stopped */
    bool clock_jumped;          /* a clock_jump fault has struck it */
};
const struct aq_ledger_server *aq_ledger_server(const struct aq_ledger *ledger, uint32_t server);

/* Faults in force now, by kind: for excuses by name. */
uint32_t aq_ledger_faults_in_force(const struct aq_ledger *ledger, enum aq_fault_kind kind);

/* Records a violation of a check: counts it and, for the first few, builds the story from the job's history. `copy` and `job` may be NULL.
   `cause` is a short literal, stable across runs, for grouping. Errors: AQ_ENOMEM. */
int aq_ledger_violation(struct aq_ledger *ledger, enum aq_check check, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job, const char *cause);
uint64_t aq_ledger_violations_of(const struct aq_ledger *ledger, enum aq_check check);

#endif
