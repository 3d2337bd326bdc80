/* The reference model: a server's behaviour written down once more, as plainly as possible, from the protocol
   page and the sentences of the policy table. Small arrays and linear searches; it knows nothing of how the
   core does it. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_MODEL_H
#define AQ_TESTS_FAKESERVER_MODEL_MODEL_H

#include "tests/fakeserver_model/observed.h"
#include "tests/fakeserver_model/operation.h"

#define MODEL_JOBS_MAX  128
#define MODEL_CALLS_MAX 64   /* the generator throttles to less */
#define MODEL_HELD_MAX  100  /* completions that the mean counts */
#define MODEL_DONE_MAX  4096 /* completions of one tube in one process */

/* Planted differences, each a rule that the model then gets wrong. X(NAME, action that it is about, what is
   wrong) */
#define PLANTS(X)                                                                                            \
    X(PUT_PRIORITY, PUT, "a priority above 9 is not cut to 9")                                               \
    X(PUT_DELAY, PUT, "a delay of one second is none")                                                       \
    X(GET_ORDER, GET, "last in, first out within a priority")                                                \
    X(GET_TTL, GET, "a lease lasts one microsecond longer")                                                  \
    X(GET_DELETE, GET, "get with delete only leases the job")                                                \
    X(GET_MANY_SHORT, GET_MULTIPLE, "one job less than asked for when there is more than one")               \
    X(EXPIRY_COUNT, GET, "an expiry is not counted")                                                         \
    X(EXPIRY_LIMIT, GET, "a job is buried one expiry late")                                                  \
    X(EXPIRY_ORDER, GET, "an expired job comes before the others of its priority")                           \
    X(DONE_OF_READY, DONE, "done finishes a ready job as well")                                              \
    X(DELETE_OF_BURIED, DELETE, "a buried job is not found")                                                 \
    X(TOUCH_ADDS, TOUCH, "touch adds to the lease what is left of it")                                       \
    X(RELEASE_LIMIT, RELEASE, "the release that reaches the limit buries")                                   \
    X(RELEASE_PRIORITY, RELEASE, "a released job has priority 5")                                            \
    X(BURY_COUNTS, BURY, "bury counts as an expiry")                                                         \
    X(KICK_NEWEST, KICK, "kick takes the newest job")                                                        \
    X(PEEK_LAST, PEEK, "peek shows the last job of the tube")                                                \
    X(CLEAR_DELAYED, CLEAR, "clear leaves delayed jobs")                                                     \
    X(STATS_DELAYED, STATS, "stats count delayed jobs as ready")                                             \
    X(STATS_AVERAGE, STATS, "the mean counts a completion less")                                             \
    X(PAUSE_PEEK, PAUSE, "a pause stops peek as well")                                                       \
    X(UNPAUSE_LOST, UNPAUSE, "unpause does nothing")                                                         \
    X(THROTTLE_WINDOW, THROTTLE, "a get counts for one microsecond more")                                    \
    X(ADMIN_AT_ONCE, ADMIN, "a redirect is told while jobs are held")                                        \
    X(PING_COUNTS, PING, "a ping counts as no action")                                                       \
    X(VERSION_EMPTY, VERSION, "version is not known")                                                        \
    X(PARENT_TAKEN, SET_PARENT_JOB, "set_parent_job is answered by {}")                                      \
    X(CHILDREN_TAKEN, SET_CHILDREN_STARTED, "set_children_started is answered by {}")                        \
    X(RESTART_LEASE, COUNT, "a restart begins leases anew")

enum plant {
    PLANT_NONE,
#define X(name, action, text) PLANT_##name,
    PLANTS(X)
#undef X
        PLANT_COUNT
};

struct model_job {
    uint32_t name;
    int tube;
    uint32_t body; /* the number of the put that gave it; 0: none */
    enum aq_job_state state;
    int64_t priority, expired_limit, ttl_s;
    uint32_t expireds, releases;
    aq_time_us since_us;      /* RESERVED: when the lease began; DELAYED: when the delay did */
    aq_time_us due_us;        /* RESERVED, DELAYED: when that is over; else 0 */
    int64_t priority_on_disk; /* where it is not `priority`; else 0 */
    uint64_t lease;           /* RESERVED: its number; else 0 */
    uint64_t order;           /* when it came into its state, among all changes */
};

struct model_tube {
    bool known, ready_queue, paused;
    double throttle; /* gets per second; 0: none */
    aq_time_us calls_us[MODEL_CALLS_MAX];
    uint32_t calls;
    aq_time_us held_us[MODEL_HELD_MAX]; /* the newest last */
    uint32_t held;
    aq_time_us done_us[MODEL_DONE_MAX];
    uint32_t done;
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
    struct model_job left[MODEL_JOBS_MAX]; /* files that belong to no job held */
    uint32_t left_count;
    /* the process */
    aq_time_us started_us; /* its first step: sweeps tick from here */
    bool started;
    struct model_tube tubes[TUBES];
    int tube_order[TUBES]; /* in which they were made */
    uint32_t tube_count;
    uint64_t orders, leases;
    uint64_t requests, actions, gets, puts;
    bool redirect;
    uint16_t redirect_port;
    uint32_t renamed; /* jobs renamed in this story */
    /* the request at hand */
    const struct operation *operation;
    struct seen *seen;
    const struct seen *by_core; /* what the core has told, for what it may choose */
};

void model_init(struct model *model, const struct setup *setup, enum plant plant, const struct seen *by_core);

/* Lets time pass up to now_us: leases run out, delays end. What happened is added to *seen; if `late`, it is
   only noticed at now_us. */
void model_advance(struct model *model, aq_time_us now_us, bool late, struct seen *seen);

/* One request at the time it is. */
void model_request(struct model *model, const struct operation *operation, struct seen *seen);

/* The process ends. All that is on disk, in model->left. */
void model_stop(struct model *model);

/* The new process is given the file with this name. */
void model_restore(struct model *model, uint32_t name, struct seen *seen);

/* The file of a job. */
struct model_job model_file(const struct model_job *job);

const struct model_job *model_find(const struct model *model, uint32_t name);

/* When a lease or delay of this job that is over at due_us is noticed. */
aq_time_us model_noticed_us(const struct model *model, const struct model_job *job);

const char *plant_name(enum plant plant);
const char *plant_text(enum plant plant);
enum aq_action plant_action(enum plant plant);

#endif
