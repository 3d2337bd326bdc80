/* The reference model: a server's behaviour written down once more, as plainly as possible, from the protocol
   page and the sentences of the policy table. Small arrays and linear searches; it knows nothing of how the
   core does it. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_MODEL_H
#define AQ_TESTS_FAKESERVER_MODEL_MODEL_H

#include "tests/fakeserver_model/observed.h"
#include "tests/fakeserver_model/operation.h"
#include "tests/fakeserver_model/plants.h"

#define MODEL_JOBS_MAX  128
#define MODEL_FILES_MAX 256
#define MODEL_CALLS_MAX 64   /* the generator throttles to less */
#define MODEL_HELD_MAX  100  /* completions that the mean counts */
#define MODEL_DONE_MAX  8192 /* completions of one tube in one process */

struct model_job {
    uint32_t name;
    int tube;      /* of a fair queue: the shard */
    uint32_t body; /* the number of the put that gave it; 0: none */
    enum aq_job_state state;
    int64_t priority, own_priority, expired_limit, ttl_s;
    uint32_t expireds, releases;
    uint32_t parent; /* name of its parent; 0: none */
    bool has_parent;
    /* of a parent */
    uint32_t children, started;
    int64_t limit; /* below 0: not known */
    int64_t delay_s;
    bool run_on_timeout, noop;
    aq_time_us since_us; /* RESERVED, DELAYED, PARENT: when that began */
    aq_time_us due_us;   /* RESERVED, DELAYED, PARENT: when that is over; else 0 */
    uint64_t lease;      /* RESERVED: its number; else 0 */
    uint64_t order;      /* when it came into its state, among all changes */
};

/* What is on disk: a job as it was written, or what is kept of a tube. */
struct model_file {
    uint32_t folder; /* 1 + state where states are kept apart; else 0 */
    struct model_job job;
    bool is_tube, paused; /* of job.tube */
    double tps;
};

struct model_tube {
    bool known, ready_queue, paused;
    bool folder;           /* this process has made one for its ready jobs */
    double throttle;       /* gets per second; 0: none */
    double throttle_waits; /* found on disk, until the start is over */
    aq_time_us used_us;
    aq_time_us calls_us[MODEL_CALLS_MAX];
    uint32_t calls;
    aq_time_us held_us[MODEL_HELD_MAX]; /* the newest last */
    uint32_t held;
    aq_time_us done_us[MODEL_DONE_MAX];
    uint32_t done;
    uint32_t cursor; /* of a fair queue: the shard that the next get begins with */
};

struct model {
    const struct setup *setup;
    struct aq_server_policy policy; /* of the setup; a test may change it */
    enum plant plant;
    /* the machine */
    aq_time_us now_us;
    aq_time_us told_us;                    /* when what happens now can be seen; 0: when it happens */
    struct model_job jobs[MODEL_JOBS_MAX]; /* in no order that matters */
    uint32_t job_count;
    struct model_file files[MODEL_FILES_MAX];
    uint32_t file_count;
    /* the process */
    aq_time_us started_us; /* its first step: sweeps tick from here */
    aq_time_us reap_us;    /* when idle tubes are looked for next */
    bool started;
    struct model_tube tubes[TUBES];
    int tube_order[TUBES]; /* in which they were made */
    uint32_t tube_count;
    uint64_t orders, leases;
    uint64_t requests, actions, gets, puts;
    int last_fair; /* the queue that the last get was about */
    bool redirect;
    uint16_t redirect_port;
    bool trips;       /* a request is about to fail over a noop whose parent is not here */
    uint32_t renamed; /* jobs renamed in this story */
    /* the request at hand */
    const struct operation *operation;
    struct seen *seen;
    const struct seen *by_core; /* what the core has told, for what it may choose */
};

void model_init(struct model *model, const struct setup *setup, enum plant plant, const struct seen *by_core);

/* Lets time pass up to now_us: leases run out, delays end, parents time out. What happened is added to *seen;
   if `late`, it is only noticed at now_us. */
void model_advance(struct model *model, aq_time_us now_us, bool late, struct seen *seen);

/* One request at the time it is. */
void model_request(struct model *model, const struct operation *operation, struct seen *seen);

/* The process ends, and another one begins. */
void model_restart(struct model *model);

/* The new process is given this file. */
void model_restore(struct model *model, const struct model_file *file, struct seen *seen);

/* That was the last; what was over meanwhile has been noticed. */
void model_restored(struct model *model);

/* NULL where no such job is held. */
const struct model_job *model_find(const struct model *model, uint32_t name);

/* The job as a record tells it. */
struct model_job model_record(const struct model *model, const struct model_job *job);

/* When the end of a job's lease, delay or wait is noticed. */
aq_time_us model_noticed_us(const struct model *model, const struct model_job *job);

#endif
