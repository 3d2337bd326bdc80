/* The parts of the workload, shared by its files: workload.c (its life, and who an answer is for),
   workload_calls.c, workers.c, producers.c, workflows.c and commands.c. */
#ifndef AQ_SIM_WORKLOAD_INTERNAL_H
#define AQ_SIM_WORKLOAD_INTERNAL_H

#include "protocol/ids.h"
#include "sim/app_calls.h"
#include "sim/workload.h"

/*
 *            poll timer          job
 *   WAITING ------------> GETTING ----> PROCESSING -----> COMPLETING --> (next job of the batch, or GETTING)
 *      ^                     |            |    ^
 *      +---- empty, failed --+    touch   v    | answer
 *                                       TOUCHING
 *   any state --- dies ---> DEAD --- replaced ---> GETTING
 */
enum worker_state { OFF, WAITING, GETTING, PROCESSING, TOUCHING, COMPLETING, DEAD };

struct worker {
    struct aq_random random;
    uint64_t ticket;      /* of its one valid timer */
    uint64_t call;        /* open call, or 0 */
    aq_time_us finish_us; /* PROCESSING, TOUCHING: end of the work on the job in hand */
    float factor;         /* on processing times */
    uint16_t held_first;  /* jobs in hand: held[held_first] .. held[held_count - 1] of its share */
    uint16_t held_count;
    uint16_t turn; /* the tube of its next get */
    uint8_t state; /* enum worker_state */
    bool repeats;  /* it completes each job twice */
    bool repeated; /* COMPLETING: for the second time */
};

/* A job in a worker's hands. */
struct held {
    uint64_t token;
    aq_time_us put_us;
    aq_time_us get_us; /* when the get was called that brought it */
    uint8_t ref_len : 7;
    uint8_t poison : 1; /* it kills the worker */
    char ref[AQ_JOB_REF_CHARS_MAX];
};

struct aq_workload {
    const struct aq_scenario *scenario;
    struct aq_world world;
    struct aq_observer observer;
    struct worker *workers;
    struct held *held; /* batch entries for each worker */
    struct aq_app_calls calls;
    struct aq_random random; /* arrivals */
    double next_arrival_us;  /* exact, so that constant arrivals do not drift */
    double arrival_factor;
    uint64_t tokens; /* jobs put so far */
    uint64_t overruns;
    struct aq_stats_sum stats; /* of the last stats that a command asked for */
    uint32_t puts_open;
    uint32_t old_open;   /* calls made before the load stopped that someone waits for */
    uint32_t old_serial; /* of the last of them */
    bool load_stopped;
    bool paired;                  /* see sim/run.h */
    uint64_t seed;                /* of the run */
    struct aq_text *worker_tubes; /* owned array; a worker's gets go to them in turn */
    uint32_t worker_tube_count;
    struct aq_text producer_tube, child_tube; /* child_tube is empty where children go to producer_tube */
    struct aq_text *command_tubes;            /* owned array, by command */
    char *tube_names;                         /* owned; what all of them point into */
    const struct aq_address_book *book;
    struct workflow *workflows;                                      /* owned; see workflows.c */
    uint32_t workflow_count, workflow_capacity, first_free_workflow; /* first_free_workflow: plus one */
    struct aq_random workflow_random, key_random, poison_random;
    double *key_weights;     /* owned: of shard keys, added up; NULL: all alike */
    double poison;           /* chance of a put to be poisonous */
    uint64_t poisoned;       /* jobs put */
    uint64_t repeats;        /* completions made a second time */
    uint32_t *command_times; /* owned: how often each was given */
    struct aq_histogram latencies[AQ_LATENCY_COUNT];
};

/* tubes.c: the names of all tubes that the workload uses, each with `suffix` behind it (NULL: none). */
int tubes_init(struct aq_workload *w, const char *suffix);
void tubes_close(struct aq_workload *w);

/* workload_calls.c */
int workload_observe(struct aq_workload *w, const struct aq_observation *seen);
/* The facts that every observation about a call shares. */
struct aq_observation workload_about(const struct aq_app_call *call, enum aq_seen_kind kind,
                                     aq_time_us now_us);
int workload_submit(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us);
/* Nobody will wait for this call from now on. */
void workload_wait_is_over(struct aq_workload *w, const struct aq_app_call *call);
/* The caller no longer waits: its call goes on without it. */
int workload_abandon(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us);
/* Tells of the answer to a call that hands out no job. */
int workload_observe_answer(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                            enum aq_outcome outcome, const struct aq_reply *reply);
void workload_record_latency(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us);

/* workers.c */
int worker_set_timer(struct aq_workload *w, struct worker *worker, aq_time_us at_us);
int worker_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                    enum aq_outcome outcome, const struct aq_reply *reply);
/* The worker's call was lost with the client process. */
int worker_resume(struct aq_workload *w, struct worker *worker, aq_time_us now_us);

/* producers.c */
int producers_init(struct aq_workload *w, uint64_t seed);
/* A put of a new job, not yet submitted; with a parent its id is copied. What is drawn comes from *random.
   NULL when out of memory. */
struct aq_app_call *producers_new_call(struct aq_workload *w, aq_time_us now_us, uint32_t client,
                                       struct aq_text parent, struct aq_random *random);
int producers_submit(struct aq_workload *w, struct aq_app_call *call, aq_time_us now_us);
int producers_set_next_arrival(struct aq_workload *w, aq_time_us now_us);

/* workflows.c */
int workflow_begin(struct aq_workload *w, aq_time_us now_us, uint32_t client);
/* A producer's call was answered: what follows from it. */
int workflow_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                      enum aq_outcome outcome, const struct aq_reply *reply);
/* The put of a child has ended, answered or not. */
int workflow_put_over(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us);

/* commands.c */
int commands_start(struct aq_workload *w, aq_time_us now_us);
int commands_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                      enum aq_outcome outcome, const struct aq_reply *reply);

#endif
