/* What the files of the fake server core share: its tables, and the steps from which the actions are made. */
#ifndef AQ_FAKESERVER_INTERNAL_H
#define AQ_FAKESERVER_INTERNAL_H

#include "base/arena.h"
#include "base/deadlines.h"
#include "base/limits.h"
#include "base/map.h"
#include "fakeserver/mutants.h"
#include "fakeserver/server.h"

#define AQ_NO_INDEX          UINT32_MAX
#define AQ_BODY_INLINE_BYTES 48 /* most bodies are a token or a short command */
#define AQ_ID_INLINE_BYTES   24 /* the ids that servers make have 22 */
/* 64 jobs: about 9 kB, small enough for a thousand servers with a few jobs each */
#define AQ_SLAB_CHUNK_BITS  6
#define AQ_SLAB_CHUNK_JOBS  (1u << AQ_SLAB_CHUNK_BITS)
#define AQ_PRIORITY_DEFAULT 5
#define AQ_EXPIRED_LIMIT    3                    /* AllQueue's default of expired_limit */
#define AQ_REAP_PERIOD_US   (3600 * AQ_US_PER_S) /* how often AllQueue looks for idle tubes */
#define AQ_AVERAGED_JOBS    100                  /* completions of which stats reports the mean */
/* longer spans of seconds are cut: 31,700 years, so that sums never wrap */
#define AQ_SECONDS_MAX INT64_C(1000000000000)

/* The server's own clock reads now + AQ_CLOCK_ZERO + offset: shifted so that it stays positive,
   and in its order as an unsigned number, when the clock jumps to before the start of the run. A
   whole number of seconds. */
#define AQ_CLOCK_ZERO UINT64_C(4000000000000000000)

/* ---- jobs.c: all jobs in slots that never move, found by id ---- */

#define AQ_JOB_FREE 0xff /* state of a slot that holds no job */

struct aq_stored_job {
    uint64_t hash;  /* aq_text_hash of the id */
    uint64_t lease; /* number of the lease while reserved; place among the parents while a parent; else 0 */
    /* the server's clock: end of the lease, when a delayed job is ready, when a parent times out */
    aq_time_us due;
    int64_t ttl_s;   /* 0..AQ_SECONDS_MAX */
    uint64_t parent; /* aq_text_hash of the id of its parent, which may be here or not; 0: none */
    uint32_t next,
        prev;      /* in the list of its tube, state and priority; next also links free and dead slots */
    uint32_t tube; /* index of its tube */
    uint32_t body_len;
    uint32_t expireds, releases;
    int32_t expired_limit;
    uint8_t state;    /* enum aq_job_state, or AQ_JOB_FREE */
    uint8_t priority; /* bucket 1..9 */
    uint8_t id_len;
    uint8_t own_priority; /* bucket that it was put with, to which a release brings it back */
    union {
        char inside[AQ_ID_INLINE_BYTES];
        char *outside; /* owned; where id_len does not fit inside */
    } id;
    union {
        char inside[AQ_BODY_INLINE_BYTES];
        char *outside; /* owned; where body_len does not fit inside */
    } body;
};

struct aq_slab {
    struct aq_stored_job **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t slots;         /* handed out at least once; lower slots are live, dead or free */
    uint32_t first_free;    /* linked through next */
    uint32_t first_dead[2]; /* removed, but their texts may still be in use: two generations */
    uint32_t live;
    struct aq_map by_hash;
};

void aq_slab_init(struct aq_slab *slab);
void aq_slab_close(struct aq_slab *slab);

static inline struct aq_stored_job *aq_slab_at(const struct aq_slab *slab, uint32_t slot) {
    return &slab->chunks[slot >> AQ_SLAB_CHUNK_BITS][slot & (AQ_SLAB_CHUNK_JOBS - 1)];
}

/* A job with this id (of at most AQ_JOB_REF_CHARS_MAX characters) and body, both copied;
   everything else is zero and belongs to the caller. Errors: AQ_ENOMEM, AQ_EEXISTS (a job with the
   same hash); nothing changed then. */
int aq_slab_add(struct aq_slab *slab, struct aq_text id, struct aq_text body, uint32_t *out_slot);

/* The slot of the job with this id, or AQ_NO_INDEX. */
uint32_t aq_slab_find(const struct aq_slab *slab, struct aq_text id);

/* The job can no longer be found; its texts stay until aq_slab_bury_dead of this generation, 0 or 1. */
void aq_slab_remove(struct aq_slab *slab, uint32_t slot, uint32_t generation);

/* Frees what removed jobs of this generation have left. */
void aq_slab_bury_dead(struct aq_slab *slab, uint32_t generation);

static inline struct aq_text aq_job_id(const struct aq_stored_job *job) {
    return (struct aq_text){job->id_len <= AQ_ID_INLINE_BYTES ? job->id.inside : job->id.outside,
                            job->id_len};
}
static inline struct aq_text aq_job_body(const struct aq_stored_job *job) {
    return (struct aq_text){job->body_len <= AQ_BODY_INLINE_BYTES ? job->body.inside : job->body.outside,
                            job->body_len};
}

/* ---- tubes.c: tubes by name, their lists of jobs, throttle and figures ---- */

/* Lists of a tube: one for each priority bucket of the ready jobs, then one for each other
   state. First in, first out. */
enum {
    AQ_LIST_DELAYED = AQ_PRIORITY_BUCKETS,
    AQ_LIST_RESERVED,
    AQ_LIST_BURIED,
    AQ_LIST_PARENT,
    AQ_LIST_COUNT
};

struct aq_job_list {
    uint32_t first, last; /* slots, or AQ_NO_INDEX */
};

/* A sliding window: at most `size` gets in any `window_us`. */
struct aq_throttle {
    double tps;    /* as set; 0: none */
    uint32_t size; /* 0: none */
    aq_time_us window_us;
    aq_time_us *calls; /* ring of the times of the last calls */
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t first, count;
};

/* What stats reports about finished jobs. */
struct aq_finished {
    aq_time_us *held_us; /* ring of AQ_AVERAGED_JOBS; NULL before the first */
    uint32_t count, next;
    aq_time_us sum_us;
    uint64_t minute;     /* that samples[0] counts */
    uint64_t samples[3]; /* finished in this minute, the last and the one before */
};

struct aq_tube {
    struct aq_text name; /* owned */
    struct aq_job_list lists[AQ_LIST_COUNT];
    uint64_t jobs[AQ_JOB_STATE_COUNT];
    uint32_t ready_buckets; /* bit set for each bucket that is not empty */
    bool made;              /* has had a ready queue since the server started, and not been reaped since */
    bool folder;            /* has had one since the server started */
    bool paused;
    bool fair;            /* the name of a fair queue: its jobs lie in shards */
    double kept_tps;      /* throttle found on disk for a tube that is not made yet; 0: none */
    aq_time_us polled_us; /* last put or get */
    struct aq_throttle throttle;
    struct aq_finished finished;
    uint32_t family;          /* index of the fair queue whose shard it is, or AQ_NO_INDEX */
    uint32_t place;           /* among the shards of that */
    struct aq_shards *shards; /* of a fair queue that has any; owned */
};

/* The shards of one fair queue. A bit of `visit` is set where a get has to look at the shard: it has ready
   jobs, or a throttle that counts gets in vain. */
struct aq_shards {
    uint32_t *tubes; /* by place; AQ_NO_INDEX where there is none yet */
    uint64_t *visit;
    uint32_t count, tube_capacity, word_capacity;
    uint32_t cursor; /* place where the next get begins */
};

struct aq_tube_set {
    struct aq_tube *items; /* in the order in which they were first named */
    uint32_t count, capacity;
    uint32_t last; /* found last: most servers have one busy tube */
    struct aq_map by_hash;
};

void aq_tubes_close(struct aq_tube_set *set);
/* The index of the tube, or AQ_NO_INDEX. */
uint32_t aq_tubes_find(struct aq_tube_set *set, struct aq_text name);
/* Finds or makes it. Errors: AQ_ENOMEM (nothing changed). */
int aq_tubes_make(struct aq_tube_set *set, struct aq_text name, uint32_t *out_index);

/* Puts the job at the end of the list of its state and priority, or takes it out. */
void aq_tube_link(struct aq_tube *tube, struct aq_slab *slab, uint32_t slot);
void aq_tube_unlink(struct aq_tube *tube, struct aq_slab *slab, uint32_t slot);
/* The ready job to hand out next, or AQ_NO_INDEX. */
static inline uint32_t aq_tube_first_ready(const struct aq_tube *tube) {
    if (AQ_SERVER_MUTANT(PRIORITY_LAST) && tube->ready_buckets)
        return tube->lists[31 - __builtin_clz(tube->ready_buckets)].first;
    return tube->ready_buckets ? tube->lists[__builtin_ctz(tube->ready_buckets)].first : AQ_NO_INDEX;
}
static inline uint32_t aq_list_of(enum aq_job_state state, uint8_t priority) {
    return state == AQ_JOB_READY ? priority : (uint32_t)AQ_LIST_DELAYED + state - AQ_JOB_DELAYED;
}

void aq_throttle_set(struct aq_throttle *throttle, double tps, bool truncate);
/* May one more get pass now? */
bool aq_throttle_open(struct aq_throttle *throttle, aq_time_us now_us);
/* One get has passed. Errors: AQ_ENOMEM. */
int aq_throttle_note(struct aq_throttle *throttle, aq_time_us now_us);

/* A job that was held for this long is finished. Errors: AQ_ENOMEM. */
int aq_finished_note(struct aq_finished *finished, aq_time_us now_us, aq_time_us held_us);
double aq_finished_mean_s(const struct aq_finished *finished);
double aq_finished_per_s(const struct aq_finished *finished, aq_time_us now_us);

/* ---- workflow.c: what parents have ---- */

/* What a waiting parent has beyond a job. */
struct aq_parent {
    int64_t delay_s;
    uint32_t next_free;
    uint32_t children; /* that count as finished */
    uint32_t started;  /* that were put */
    int32_t limit;     /* children that start it; below 0: not known yet */
    bool run_on_timeout;
    bool noop;
};

struct aq_parents {
    struct aq_parent *items;
    uint32_t count, capacity;
    uint32_t first_free; /* AQ_NO_INDEX: none */
};

/* ---- server.c ---- */

struct aq_pending {
    uint32_t peer, correlation, token;
    const struct aq_request *request; /* NULL: malformed */
    struct aq_text malformed;
};

/* A request's way:

       queue --start--> serving --apply--> (holding, until SAVED) --answer--> gone

   `saving` is set by every step that asked for something to be written, and stops everything but the queue
   until SAVED. */
struct aq_server {
    const struct aq_server_policy *policy;
    const struct aq_service_model *service;
    bool persistent, taps;
    int64_t default_ttl_s;
    uint32_t queue_max;
    struct aq_random random;

    struct aq_fair_config fair;
    aq_time_us tube_expire_us;

    aq_time_us now_us;   /* of the step under way */
    aq_time_us start_us; /* of the first step: sweeps tick from here */
    aq_time_us swept_us; /* sweeps have been made up to here */
    int64_t clock_offset_us;
    aq_time_us reap_us; /* when the next look for idle tubes is due; AQ_TIME_NEVER: not */
    bool started, stepping;
    bool restoring; /* nothing but RESTORE so far */
    bool wedged;    /* answers nobody any more */

    struct aq_slab slab;
    struct aq_tube_set tubes;
    struct aq_parents parents;
    /* by slot, the server's clock: from when a sweep finds it over */
    struct aq_deadlines leases, delays, timeouts;
    uint32_t last_fair; /* fair queue that a job was last handed out from, or AQ_NO_INDEX */
    uint64_t jobs[AQ_JOB_STATE_COUNT];
    uint64_t leases_made;

    struct aq_pending *queue;                          /* ring */
    uint32_t queue_first, queue_count, queue_capacity; /* capacity is a power of two, or 0 */

    struct aq_pending current; /* while serving or holding */
    bool serving, holding, saving;
    aq_time_us service_end_us, service_us;
    struct aq_reply held; /* while holding */
    uint32_t held_copies;

    /* What replies of a persistent server point to, and removed jobs: must outlast the step while the reply
       is held. The current generation belongs to the reply that is held or in the making; the other one is
       freed when the next step begins. */
    struct aq_arena held_texts[2];
    uint32_t generation;

    struct aq_fault_rule *rules; /* in the order of their ids */
    uint32_t rule_count, rule_capacity;
    uint32_t pauses; /* PAUSE rules in force */
    aq_time_us paused_at_us;
    uint32_t stalls;     /* STALLED_SWEEPS rules in force */
    uint32_t disks_full; /* DISK_FULL rules in force */

    bool redirected;
    char *redirect_host; /* owned */
    uint32_t redirect_host_len;
    uint16_t redirect_port;

    uint64_t requests, dropped, actions, gets, puts;
    aq_time_us busy_us;

    struct aq_server_effects *effects; /* of the step under way */
    struct aq_server_effect nowhere;   /* where effects go that there is no memory for */
    uint32_t writes;                   /* PERSIST and UNPERSIST effects of the step under way */
    int rc;                            /* the first failure of the step under way */
};

/* ---- effects.c: what a step tells, and how jobs change ---- */

/* A failed allocation is kept in server->rc and ends the step. */

/* Adds an effect, with nothing set but its kind. Never NULL. */
struct aq_server_effect *aq_server_tell(struct aq_server *server, enum aq_server_effect_kind kind);

/* A tap about a job (NULL: none), in the name of the request in service if `asked`.
   NULL where taps are off. */
struct aq_tap *aq_server_tap(struct aq_server *server, enum aq_tap_kind kind, const struct aq_stored_job *job,
                             enum aq_job_state before, bool asked);
/* A tap without a job: EMPTY, FAILED, MISSED, and those about tubes. NULL where taps are off. */
struct aq_tap *aq_server_tap_request(struct aq_server *server, enum aq_tap_kind kind, struct aq_text job_id,
                                     struct aq_text tube);

/* Adds a job that is in no list yet to its tube, or takes it out of its list, and out of
   or into the deadlines. */
void aq_server_enter(struct aq_server *server, uint32_t slot);
/* Moves a job to another state (job->due already set where the state has one) and priority. */
void aq_server_move(struct aq_server *server, uint32_t slot, enum aq_job_state state, uint8_t priority);
/* The job is gone; its texts stay valid as the effects need them. */
void aq_server_remove(struct aq_server *server, uint32_t slot);

struct aq_tube *aq_server_tube(struct aq_server *server, struct aq_text name, bool make);
/* The tube comes to be, where it is not: it has a ready queue, and stats show it. */
void aq_server_make_tube(struct aq_server *server, struct aq_tube *tube);

static inline struct aq_tube *aq_server_tube_of(const struct aq_server *server,
                                                const struct aq_stored_job *job) {
    return &server->tubes.items[job->tube];
}
static inline struct aq_arena *aq_server_texts(struct aq_server *server) {
    return server->persistent ? &server->held_texts[server->generation] : &server->effects->texts;
}
/* before + middle + after in memory that lasts as long as the reply. */
struct aq_text aq_server_text(struct aq_server *server, const char *before, struct aq_text middle,
                              const char *after);

static inline void aq_server_fail(struct aq_server *server, int rc) {
    if (!server->rc) server->rc = rc;
}

/* ---- saving.c: what is to be written to disk ---- */

/* How a job gets to where it is now, as far as its file is concerned. */
enum aq_saving {
    AQ_SAVE_IN_PLACE,     /* it was not on disk, or its file is written again */
    AQ_SAVE_REMOVE_FIRST, /* its old file is removed, then the new one written */
    AQ_SAVE_WRITE_FIRST,  /* the other way round */
    AQ_SAVE_RENAME,       /* its old file becomes the new one */
};

/* The job, which was in the state `before`, is to be on disk as it is now. */
void aq_server_save(struct aq_server *server, const struct aq_stored_job *job, enum aq_job_state before,
                    enum aq_saving saving);
/* The job's file is to be removed. */
void aq_server_unsave(struct aq_server *server, const struct aq_stored_job *job);
/* The tube's throttle and pause are to be on disk as they are now. */
void aq_server_save_tube(struct aq_server *server, const struct aq_tube *tube);
struct aq_job_record aq_server_record(const struct aq_server *server, const struct aq_stored_job *job);
/* The disk is full, and the request would need more of it: it is refused. */
bool aq_server_disk_refuses(struct aq_server *server, const struct aq_request *request,
                            struct aq_reply *reply);

/* ---- workflow.c: parents and their children ---- */

/* A place for a new parent. Errors: AQ_ENOMEM. */
int aq_parents_take(struct aq_parents *parents, uint32_t *out);
void aq_parents_give(struct aq_parents *parents, uint32_t place);
static inline struct aq_parent *aq_parent_of(const struct aq_server *server,
                                             const struct aq_stored_job *job) {
    return &server->parents.items[job->lease];
}

/* The waiting parent that a job names, or AQ_NO_INDEX. */
uint32_t aq_workflow_parent(const struct aq_server *server, uint64_t parent_hash);
/* A job that names this parent was put. */
void aq_workflow_child_put(struct aq_server *server, uint64_t parent_hash);
/* A child is over, or counts so, for this cause: may start its parent, and in turn what that was a child of.
   The child itself may be gone. */
void aq_workflow_child_over(struct aq_server *server, uint64_t parent_hash, uint64_t child_hash,
                            enum aq_tap_kind cause);
/* A child is held no longer without having been finished: over only with child_counts_on_expiry. */
void aq_workflow_child_unfinished(struct aq_server *server, const struct aq_stored_job *child,
                                  enum aq_tap_kind cause);
/* The end of this child would end a noop parent whose own parent is not here, and AllQueue fails then: the
   noop parents are gone, the child is not touched, the request is refused. */
bool aq_workflow_fails(struct aq_server *server, const struct aq_stored_job *child,
                       const struct aq_request *request, struct aq_reply *reply);
/* A parent has waited for as long as it may. */
void aq_workflow_time_out(struct aq_server *server, uint32_t slot);

/* ---- fair_queues.c ---- */

/* Sets `fair`, `family` and `place` of a tube that is new. Errors: AQ_ENOMEM. */
int aq_fair_place(struct aq_server *server, uint32_t tube);
/* The tube that a job with this key goes to; AQ_NO_INDEX and a refusal where there is none. */
uint32_t aq_fair_shard(struct aq_server *server, uint32_t queue, const struct aq_request *request,
                       struct aq_reply *reply);
/* The next job of the fair queue for a get, or AQ_NO_INDEX. */
uint32_t aq_fair_next(struct aq_server *server, uint32_t queue);
/* Whether a get has to look at this tube may have changed. */
void aq_fair_note(struct aq_tube_set *set, struct aq_tube *tube);
/* The name under which jobs of this tube are shown: the queue's, or its own. */
struct aq_text aq_fair_shown(const struct aq_server *server, const struct aq_tube *tube);
/* Whether what is done to the queue's name is done to its shards as well. */
static inline bool aq_fair_reaches_shards(const struct aq_server *server, const struct aq_tube *tube) {
    return tube->fair && tube->shards && !server->policy->fair_controls_literal;
}

/* ---- redirect.c ---- */

/* A get in the redirect phase may be answered by it. */
bool aq_redirect_answers(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply);
/* Likewise a ping or version. */
bool aq_redirect_breaks(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply);

/* ---- damage.c: replies that say something else, or nothing ---- */

void aq_damage_by_faults(struct aq_server *server, struct aq_reply *reply);
/* Non-ASCII text in the reply, which AllQueue's counting of characters cuts? */
bool aq_damage_has_wide(const struct aq_reply *reply);

/* ---- rules (server.c) ---- */

/* The first rule of this kind, in the order of ids, that acts on the current request; or NULL. */
const struct aq_fault_rule *aq_server_acting(struct aq_server *server, enum aq_server_fault_kind kind);

/* ---- time ---- */

static inline aq_time_us aq_server_clock(const struct aq_server *server, aq_time_us at_us) {
    return at_us + AQ_CLOCK_ZERO + (uint64_t)server->clock_offset_us;
}
/* World time at which the server's clock shows this, if it does not jump; 0 for before the run. */
static inline aq_time_us aq_server_world(const struct aq_server *server, aq_time_us clock) {
    int64_t at_us = (int64_t)(clock - AQ_CLOCK_ZERO - (uint64_t)server->clock_offset_us);
    return at_us < 0 ? 0 : (aq_time_us)at_us;
}
static inline aq_time_us aq_seconds_us(int64_t seconds) {
    if (seconds <= 0) return 0;
    return (aq_time_us)(seconds < AQ_SECONDS_MAX ? seconds : AQ_SECONDS_MAX) * AQ_US_PER_S;
}

/* ---- sweeps.c: leases, delays and waits that are over, idle tubes ---- */

/* From when on a sweep takes this moment as past. */
aq_time_us aq_server_over(const struct aq_server *server, aq_time_us due);
void aq_server_sweep(struct aq_server *server);
aq_time_us aq_server_next_sweep(const struct aq_server *server);

/* ---- restore.c. Errors: AQ_EINVALID, AQ_EEXISTS, AQ_ENOMEM. ---- */
int aq_server_restore(struct aq_server *server, const struct aq_job_record *record);

/* ---- actions_*.c ---- */

/* Applies one request and fills *reply, which comes zeroed but for its action and as a RESPONSE. */
typedef void aq_server_action(struct aq_server *server, const struct aq_request *request,
                              struct aq_reply *reply);

/* The reply is this error, and nothing was changed. */
void aq_server_refuse(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply,
                      struct aq_text error);
/* As AllQueue says it; false if the parameter is there. */
bool aq_server_lacks(struct aq_server *server, const struct aq_request *request, struct aq_reply *reply,
                     enum aq_param param, const char *name);

/* May a get of this tube be served now, as far as pause and throttle go? */
bool aq_server_may_get(struct aq_server *server, struct aq_tube *tube);
/* A job ended that had been held for this long: stats tell the mean. */
void aq_server_note_finished(struct aq_server *server, const struct aq_stored_job *job);
/* Likewise one that was not finished: AllQueue counts these too. */
void aq_server_note_unfinished(struct aq_server *server, const struct aq_stored_job *job);
/* What put and set_parent_job set in a job that is in no list yet. */
void aq_server_fill_job(struct aq_server *server, const struct aq_request *request, uint32_t tube,
                        struct aq_stored_job *job);
/* A job with a new id. AQ_NO_INDEX where there is no memory. */
uint32_t aq_server_new_job(struct aq_server *server, struct aq_text body);
struct aq_job aq_server_handed_out(const struct aq_server *server, const struct aq_stored_job *job);

/* actions_jobs.c */
aq_server_action aq_server_put, aq_server_get, aq_server_peek;
/* actions_lease.c */
aq_server_action aq_server_done, aq_server_delete, aq_server_touch, aq_server_release, aq_server_bury;
/* workflow.c */
aq_server_action aq_server_set_parent_job, aq_server_set_children_started;
/* actions_admin.c */
aq_server_action aq_server_kick, aq_server_clear, aq_server_stats, aq_server_pause, aq_server_unpause,
    aq_server_set_throttle, aq_server_admin, aq_server_ping, aq_server_version, aq_server_unknown;

#endif
