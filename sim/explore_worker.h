/* What a worker process of an exploration does: a seed is drawn and run, and what came of it is sent back. */
#ifndef AQ_SIM_EXPLORE_WORKER_H
#define AQ_SIM_EXPLORE_WORKER_H

#include "sim/explore.h"
#include "sim/pool.h"

/* What a worker sends for a seed: this, then the times of the failures, the failures, and the two texts with
   their NULs. Both ends are one program, so that structs go as they are. */
struct aq_explore_message {
    int32_t rc; /* what kept the exploration from going on: `reason` says why; 0: nothing */
    uint32_t failure_count;
    uint32_t reason_bytes, drawn_bytes;
    struct aq_explored_seed seed; /* but for the pointers */
    uint64_t marks[AQ_RUN_MARK_COUNT];
};

/* Runs a seed and sends the message. False where nobody reads it any more. */
bool aq_explore_work(const struct aq_explore_options *options, const struct aq_draw *draw, uint64_t seed,
                     int to);

#endif
