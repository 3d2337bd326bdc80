/* The worker processes of an exploration, and the messages between them and the process that hands out the
   seeds. */
#ifndef AQ_SIM_EXPLORE_WORKER_H
#define AQ_SIM_EXPLORE_WORKER_H

#include <sys/types.h>

#include "sim/explore.h"

/* What a worker sends for a seed: this, then the failures, their times, and the two texts with their NULs.
   Both ends are one program, so that structs go as they are. */
struct aq_explore_message {
    uint64_t bytes; /* of the whole message */
    int32_t rc;     /* what kept the exploration from going on: `reason` says why; 0: nothing */
    uint32_t failure_count;
    uint32_t reason_bytes, drawn_bytes;
    struct aq_explored_seed seed; /* but for the pointers */
    uint64_t marks[AQ_RUN_MARK_COUNT];
};

struct aq_explore_worker {
    pid_t pid; /* 0: there is none */
    int to, from;
    int errors; /* file that takes its standard error */
    bool busy;
    uint64_t seed; /* that it is busy with */
    char *input;   /* owned: what came of a message so far; 8-aligned */
    uint32_t used, capacity;
};

/* Starts the process. `others` are closed in it: it must not keep their pipes open. Errors: AQ_EINTERNAL,
   AQ_ENOMEM. */
int aq_explore_worker_start(struct aq_explore_worker *worker, const struct aq_explore_options *options,
                            const struct aq_draw *draw, const struct aq_explore_worker *others,
                            uint32_t other_count, struct aq_error *error);

/* Hands it a seed. One that has died meanwhile shows when its answer is read. */
void aq_explore_worker_give(struct aq_explore_worker *worker, uint64_t seed);

/* Reads what has come. Returns 1 with a whole message in input, 0 where more is wanted, AQ_EINTERNAL where
   the process is at its end, AQ_ENOMEM. */
int aq_explore_worker_read(struct aq_explore_worker *worker);

/* How a process ended that was at its end, in words with the last line that it wrote: "signal 6 (Aborted):
 *...". no_memory: it was killed from outside, as the kernel does when memory runs out. */
void aq_explore_worker_post_mortem(struct aq_explore_worker *worker, char *text, size_t size,
                                   bool *no_memory);

/* Ends the process at once, whatever it does. */
void aq_explore_worker_stop(struct aq_explore_worker *worker);

#endif
