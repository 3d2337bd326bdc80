/* The inside of the ledger: pools, maps and counters, shared by the ledger's own files only. */
#ifndef AQ_SIM_LEDGER_BOOKS_H
#define AQ_SIM_LEDGER_BOOKS_H

#include "base/arena.h"
#include "sim/checks.h"
#include "sim/ledger.h"

/* items never move, so that growing copies nothing; large enough for huge pages */
#define AQ_POOL_CHUNK_ITEMS      16384
#define AQ_LEDGER_FORGOTTEN      65536 /* ids of jobs forgotten lately: half a MiB; a power of two */
#define AQ_LEDGER_FORGOTTEN_WAYS 8     /* of them that share their low bits: a line of the cache */
#define AQ_LEDGER_SERVER_EVENTS  4     /* ups and downs remembered of each server */

/* Items of one size in chunks, with a free list through their first four bytes. */
struct aq_pool {
    void **chunks;
    uint32_t chunk_count, chunk_capacity;
    uint32_t used;       /* slots handed out at least once */
    uint32_t first_free; /* UINT32_MAX: none */
    size_t item_bytes;
};

void aq_pool_init(struct aq_pool *pool, size_t item_bytes);
void aq_pool_close(struct aq_pool *pool);
/* A zeroed item. Errors: AQ_ENOMEM (*out untouched). */
int aq_pool_take(struct aq_pool *pool, uint32_t *out);
/* Zeroes the item but for its link. */
void aq_pool_give(struct aq_pool *pool, uint32_t index);
static inline void *aq_pool_at(const struct aq_pool *pool, uint32_t index) {
    return (char *)pool->chunks[index / AQ_POOL_CHUNK_ITEMS] +
           pool->item_bytes * (index % AQ_POOL_CHUNK_ITEMS);
}

/* A job and its first copy, which for nearly every job is its only one: side by side, so that one
   look-up leads to both. */
struct aq_books_cell {
    struct aq_ledger_job job;
    struct aq_ledger_copy first;
};
/* set in the index of a copy that lies in `further`; without it, that of its cell */
#define AQ_BOOKS_FURTHER 0x80000000u

struct aq_books_server_event {
    aq_time_us at_us;
    uint8_t kind; /* enum aq_seen_kind */
    bool memory_lost;
    uint32_t incarnation;
};

struct aq_books_server {
    struct aq_ledger_server seen;
    uint32_t incarnations; /* processes that came up */
    uint64_t puts, gets, empty_gets, completions, errors, missed, expired, buried, lost, choices;
    uint64_t held[AQ_JOB_STATE_COUNT];
    struct aq_books_server_event events[AQ_LEDGER_SERVER_EVENTS]; /* a ring */
    uint32_t event_count;
};

/* Checks that want to see observations of one kind and detail: a tap's kind or a call's action, else 0. */
#define AQ_BOOKS_DETAILS 32
_Static_assert(AQ_TAP_COUNT <= AQ_BOOKS_DETAILS && AQ_ACTION_COUNT <= AQ_BOOKS_DETAILS,
               "details fit into a word");
struct aq_books_audience {
    uint32_t count;
    struct {
        int (*observe)(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                       const struct aq_ledger_copy *copy, const struct aq_ledger_job *job);
        void *state;
    } seats[AQ_CHECK_COUNT + 1]; /* and one for the marks */
};

struct aq_ledger {
    struct aq_ledger_config config;
    struct aq_pool cells;   /* struct aq_books_cell: index is the job's */
    struct aq_pool further; /* struct aq_ledger_copy: second and later copies */
    struct aq_map by_token;
    struct aq_map by_hash;
    uint64_t *forgotten; /* by the low bits of the hash, those of equal ones latest first */
    uint64_t max_token;  /* highest that a producer of ours has put */
    aq_time_us now_us;   /* of the last observation */
    struct aq_books_server *servers;
    uint32_t server_count, server_capacity;
    uint32_t faults_in_force[AQ_FAULT_KIND_COUNT];
    struct aq_ledger_totals totals;
    /* checks */
    const struct aq_checker *checkers[AQ_CHECK_COUNT];
    void *states[AQ_CHECK_COUNT];
    void *marks; /* state of aq_mark_watcher */
    struct aq_books_audience audiences[AQ_SEEN_KIND_COUNT][AQ_BOOKS_DETAILS];
    /* violations */
    uint64_t violations[AQ_CHECK_COUNT];
    uint64_t violations_total;
    const char *first_cause[AQ_CHECK_COUNT];
    struct aq_record_violation stories[AQ_CHECK_COUNT][AQ_STORIES_PER_CHECK];
    struct aq_arena texts; /* of the stories */
};

/* Where the ids of forgotten jobs lie that share the low bits of this hash. */
static inline uint64_t *aq_books_forgotten(const struct aq_ledger *ledger, uint64_t hash) {
    return &ledger->forgotten[hash % (AQ_LEDGER_FORGOTTEN / AQ_LEDGER_FORGOTTEN_WAYS) *
                              AQ_LEDGER_FORGOTTEN_WAYS];
}

/* ledger_books.c: jobs and copies */
static inline struct aq_ledger_job *aq_books_job(const struct aq_ledger *ledger, uint32_t index) {
    return &((struct aq_books_cell *)aq_pool_at(&ledger->cells, index))->job;
}
static inline struct aq_ledger_copy *aq_books_copy(const struct aq_ledger *ledger, uint32_t index) {
    if (__builtin_expect(index & AQ_BOOKS_FURTHER, 0))
        return aq_pool_at(&ledger->further, index & ~AQ_BOOKS_FURTHER);
    return &((struct aq_books_cell *)aq_pool_at(&ledger->cells, index))->first;
}
/* The server's books, made where it is new. Errors: AQ_ENOMEM. */
int aq_books_server(struct aq_ledger *ledger, uint32_t server, struct aq_books_server **out);
/* A new logical job; *out is its index. Errors: AQ_ENOMEM. */
int aq_books_add_job(struct aq_ledger *ledger, uint64_t token, uint32_t *out);
/* A new copy, alive, of a job. Errors: AQ_ENOMEM. */
int aq_books_add_copy(struct aq_ledger *ledger, uint32_t job, uint32_t server, uint32_t incarnation,
                      uint64_t hash, struct aq_text id, struct aq_ledger_copy **out);
/* Adds the observation to the job's history. */
void aq_books_remember(struct aq_ledger_job *job, const struct aq_observation *seen);
/* Forgets the job if it ended cleanly and nothing about it is under way. */
void aq_books_forget_if_clean(struct aq_ledger *ledger, struct aq_ledger_job *job);
/* Forgets the job and its copies. */
void aq_books_forget(struct aq_ledger *ledger, struct aq_ledger_job *job);

/* ledger_calls.c and ledger_taps.c: takes an observation into the books. `copy` and `job` are what it is
   about, or NULL. Errors: AQ_ENOMEM. */
int aq_books_call(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job);
int aq_books_answer(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                    struct aq_ledger_job *job);
int aq_books_abandoned(struct aq_ledger *ledger, const struct aq_observation *seen,
                       struct aq_ledger_copy *copy, struct aq_ledger_job *job);
int aq_books_sent(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job);
int aq_books_tap(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                 struct aq_ledger_job *job);
int aq_books_lost(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                  struct aq_ledger_job *job);
int aq_books_server_changed(struct aq_ledger *ledger, const struct aq_observation *seen);
int aq_books_fault(struct aq_ledger *ledger, const struct aq_observation *seen);

/* story.c: fills the story of a violation; texts lie in ledger->texts. Errors: AQ_ENOMEM. */
int aq_story_tell(struct aq_ledger *ledger, struct aq_record_violation *out,
                  const struct aq_observation *seen, const struct aq_ledger_copy *copy,
                  const struct aq_ledger_job *job);

#endif
