/* Faults of the network as plain data, and the pure decision whether one acts on a
   message or a connection. */
#ifndef AQ_SIM_LINK_RULES_H
#define AQ_SIM_LINK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/distribution.h"
#include "scenarios/scenario.h"

/* A set of small integers; NULL bits: all. */
struct aq_index_set {
    uint64_t *bits;
    uint32_t size; /* indexes below this may be in the set */
};

static inline bool aq_index_set_has(const struct aq_index_set *set, uint32_t index) {
    return !set->bits || (index < set->size && (set->bits[index / 64] >> (index % 64) & 1));
}

/* An empty set for indexes below size. Errors: AQ_ENOMEM. */
int aq_index_set_init(struct aq_index_set *set, uint32_t size);
void aq_index_set_close(struct aq_index_set *set);
static inline void aq_index_set_add(struct aq_index_set *set, uint32_t index) {
    set->bits[index / 64] |= UINT64_C(1) << (index % 64);
}

/* One rule in force on the links between a set of clients and a set of servers. */
struct aq_link_rule {
    enum aq_fault_kind kind; /* LATENCY to PARTITION, or REFUSED */
    enum aq_direction direction;
    double probability; /* LOSS: of each message; CORRUPT: of each chunk */
    uint64_t nth;       /* CORRUPT: just this one of the bytes that it meets, from 1; 0: by probability */
    struct aq_distribution delay; /* LATENCY, JITTER, SLOW_CLOSE */
    uint32_t bytes_per_s;         /* BANDWIDTH */
    uint32_t piece_bytes;         /* CHOP */
    aq_time_us pause_us;          /* CHOP */
    uint64_t bytes_met;           /* CORRUPT with nth: bytes so far */
    struct aq_index_set clients, servers;
    uint64_t touched; /* receipt: messages or connection attempts it acted on */
};

struct aq_link_rules {
    struct aq_link_rule **items; /* borrowed rules, in the order they came into force */
    uint32_t count;
    uint32_t capacity;
};

int aq_link_rules_add(struct aq_link_rules *rules, struct aq_link_rule *rule);
void aq_link_rules_remove(struct aq_link_rules *rules, const struct aq_link_rule *rule);
void aq_link_rules_close(struct aq_link_rules *rules);

/* What happens to one message between client and server in the direction (TO_SERVER or TO_CLIENT). */
struct aq_link_decision {
    bool blocked;        /* a partition: nothing passes while it lasts */
    bool lost;           /* this transmission is lost; a later one may pass */
    aq_time_us extra_us; /* added delay */
};
struct aq_link_decision aq_link_decide(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                                       enum aq_direction direction, struct aq_random *random);

/* What only bytes can show; for worlds that carry them. The bytes of a connection pass in chunks, and what is
   decided above for a message holds for a chunk. */

/* How fast and in what pieces bytes may pass at this moment. */
struct aq_link_shape {
    uint32_t bytes_per_s; /* the lowest limit in force; 0: none */
    uint32_t piece_bytes; /* at most so many at a time; 0: no bound */
    aq_time_us pause_us;  /* wait after each piece */
};
/* Receipts are given where chunk_bytes, the size of a chunk that is asked about for the first time, is not 0.
 */
struct aq_link_shape aq_link_shape(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                                   enum aq_direction direction, uint32_t chunk_bytes);

/* Flips one bit of the chunk for each rule that acts on it. */
void aq_link_corrupt(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                     enum aq_direction direction, struct aq_random *random, uint8_t *bytes, uint32_t count);

/* How long is the end of a connection held back on its way in the direction? */
aq_time_us aq_link_close_delay(struct aq_link_rules *rules, uint32_t client, uint32_t server,
                               enum aq_direction direction, struct aq_random *random);

/* Is a new connection refused? */
bool aq_link_refuses(struct aq_link_rules *rules, uint32_t client, uint32_t server);

#endif
