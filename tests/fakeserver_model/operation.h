/* One step of the model test as plain data: what a client, the clock or an operator does to a server. Jobs
   are named by the number of the operation that made them, so that a story stays the same story when
   operations are taken out of it. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_OPERATION_H
#define AQ_TESTS_FAKESERVER_MODEL_OPERATION_H

#include <stdio.h>

#include "base/time.h"
#include "fakeserver/server.h"
#include "protocol/message.h"

#define STORY_OPS_MAX 4000          /* operations in one story */
#define RENAMED_FIRST STORY_OPS_MAX /* names of jobs that a restart renamed count from here on */
#define NAMES_MAX     (2 * STORY_OPS_MAX)
#define NO_TUBE       (-1)

/* Tubes by number: plain ones, then fair queues, then the shards of each. */
#define TUBES_PLAIN 4
#define QUEUES      2
#define SHARDS_MAX  3 /* of one fair queue: hashed ones, or keys */
#define TUBES_ASKED (TUBES_PLAIN + QUEUES)
#define TUBES       (TUBES_ASKED + 2 * QUEUES * SHARDS_MAX)
#define SHARD_KEYS  SHARDS_MAX
extern const char *const tube_names[TUBES];
extern const char *const shard_keys[SHARD_KEYS];

static inline bool tube_is_queue(int tube) {
    return tube >= TUBES_PLAIN && tube < TUBES_ASKED;
}

/* The tube of a queue's shard, by number or by key. */
static inline int tube_of_shard(int queue, bool by_key, uint32_t shard) {
    return TUBES_ASKED + ((queue - TUBES_PLAIN) * 2 + by_key) * SHARDS_MAX + (int)shard;
}

/* The queue that a shard belongs to; NO_TUBE for other tubes. */
static inline int tube_queue_of(int tube) {
    return tube < TUBES_ASKED ? NO_TUBE : TUBES_PLAIN + (tube - TUBES_ASKED) / (2 * SHARDS_MAX);
}

/* The tube as a client asks for it. */
static inline int tube_asked_of(int tube) {
    return tube < TUBES_ASKED ? tube : tube_queue_of(tube);
}

enum operation_kind {
    OPERATION_REQUEST,   /* request, with its texts named by the fields behind it */
    OPERATION_MALFORMED, /* bytes that make no request */
    OPERATION_ADVANCE,   /* span_us passes; the server is woken whenever it asks for it */
    OPERATION_OVERSLEEP, /* span_us passes, and nobody wakes the server */
    OPERATION_RESTART    /* the process ends and starts again from what is on disk */
};

struct operation {
    enum operation_kind kind;
    uint32_t serial;           /* its number in the story as it was made, from 1 */
    aq_time_us span_us;        /* ADVANCE, OVERSLEEP */
    struct aq_request request; /* its texts are empty: */
    int tube;                  /* of the request; NO_TUBE: none given */
    uint32_t job;              /* name of the job asked for; 0: one that nobody has made */
    uint32_t parent;           /* likewise */
    uint32_t shard_key;        /* index into shard_keys */
};

/* What a server is started with. */
struct setup {
    struct aq_server_policy policy;
    bool persistent;
    bool by_key; /* fair queues have a shard for each key */
    uint32_t reservation_max;
    int64_t default_ttl_s;
    aq_time_us tube_expire_us;
    aq_time_us start_us;  /* when the first process starts */
    uint64_t seed;        /* of the server's own random numbers */
    uint32_t jobs_enough; /* with so many held, puts are rare */
};

/* Who asks: the peer of a request. */
static inline uint32_t operation_peer(const struct operation *operation) {
    return 1000 + operation->serial % 7;
}

/* Makes the fields of all parameters that are not given zero, as they are in a request that was read. */
void operation_settle(struct operation *operation);

/* Writes the operation as one line without an end: `put (j12) tube a ttl 3`. */
void operation_print(FILE *out, const struct operation *operation);

#endif
