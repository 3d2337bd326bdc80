/* One worker process of a pool: its start, its messages and its end. */
#ifndef AQ_SIM_POOL_WORKER_H
#define AQ_SIM_POOL_WORKER_H

#include <sys/types.h>

#include "sim/pool.h"

struct aq_pool_worker {
    pid_t pid; /* 0: there is none */
    int to, from;
    int errors; /* file that takes its standard error */
    bool busy;
    uint64_t task;   /* that it is busy with */
    uint64_t *input; /* owned: what came of a message so far; the first word is the bytes of all of it */
    uint32_t used, capacity;
};

/* Starts the process. `others` are closed in it: it must not keep their pipes open. Errors: AQ_EINTERNAL. */
int aq_pool_worker_start(struct aq_pool_worker *worker, const struct aq_pool_options *options,
                         const struct aq_pool_worker *others, struct aq_error *error);

/* Hands it a task, with its input where that is not NULL. One that has died meanwhile shows when its answer
 * is read. */
void aq_pool_worker_give(struct aq_pool_worker *worker, uint64_t task, const void *input, size_t bytes);

/* Reads what has come. Returns 1 with a whole message in input, 0 where more is wanted, AQ_EINTERNAL where
   the process is at its end, AQ_ENOMEM. */
int aq_pool_worker_read(struct aq_pool_worker *worker);

/* How a process ended that was at its end, in words with the last line that it wrote: "Aborted: internal
 * error: ...". */
void aq_pool_worker_post_mortem(struct aq_pool_worker *worker, char *text, size_t size, bool *no_memory);

/* Ends the process at once, whatever it does. */
void aq_pool_worker_stop(struct aq_pool_worker *worker);

#endif
