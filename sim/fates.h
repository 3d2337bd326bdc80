/* What answers alone tell of each job: the multisets of what was put, handed out and completed. For servers
   of which nothing else is known. */
#ifndef AQ_SIM_FATES_H
#define AQ_SIM_FATES_H

#include "sim/observation.h"

/* One job, by its token: what its producer and workers were told. */
struct aq_fate {
    uint64_t id_hash;       /* of the id under which it was last handed out; 0: never */
    aq_time_us handed_us;   /* when it was last handed out: the call of that get */
    uint32_t handed;        /* times that a worker got it */
    uint8_t called : 1;     /* a producer of ours has put it */
    uint8_t put_ok : 1;     /* and was told so */
    uint8_t put_no : 1;     /* and was told that this was not done */
    uint8_t put_maybe : 1;  /* and cannot know */
    uint8_t done : 1;       /* a worker was told that it completed it */
    uint8_t done_maybe : 1; /* a worker tried to and cannot know */
    uint8_t aside : 1;      /* a worker buried it, or may have */
    uint8_t freed : 1; /* since it was last handed out its worker released it, or was lost with its call */
};

struct aq_fates {
    struct aq_fate *items; /* owned, by token */
    uint32_t count, capacity;
};

void aq_fates_close(struct aq_fates *fates);

/* The fate of what a CALL, ANSWER or ABANDONED is about, as it was before; NULL where its token is none that
   a producer of ours has put. */
const struct aq_fate *aq_fates_find(const struct aq_fates *fates, const struct aq_observation *seen);

/* Takes a CALL, ANSWER or ABANDONED into account. Errors: AQ_ENOMEM. */
int aq_fates_take(struct aq_fates *fates, const struct aq_observation *seen);

/* An ANSWER of a get that hands out a job. */
bool aq_seen_hands_out(const struct aq_observation *seen);

/* Put for sure, and neither completed nor set aside as far as anyone knows. */
static inline bool aq_fate_is_open(const struct aq_fate *fate) {
    return fate->put_ok && !fate->done && !fate->done_maybe && !fate->aside;
}

#endif
