/* Worker processes that carry out tasks, each known by a number, one at a time in each process. A process
   that dies ends nothing: its task is told as such and another process takes its place. */
#ifndef AQ_SIM_POOL_H
#define AQ_SIM_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AQ_POOL_JOBS_MAX 256

struct aq_pool_options {
    uint32_t jobs;                     /* worker processes, 1 to AQ_POOL_JOBS_MAX */
    uint32_t cpu_limit_s;              /* processor time for one task; 0: no bound */
    const volatile sig_atomic_t *stop; /* no further task is handed out when non-zero; NULL: never */
    /* After *stop: false: processes are ended at once, and their tasks come to nothing; true: each gets a
       SIGTERM, for which it has the handler of the calling process, and is waited for. */
    bool finish;

    /* In the worker: carries a task out and answers with aq_pool_send, once. False ends the process. */
    bool (*work)(void *arg, uint64_t task, int to);
    /* Instead of `work`, where tasks come with something that did not exist yet when the worker was started.
     */
    bool (*work_on)(void *arg, uint64_t task, const void *input, size_t bytes, int to);
    /* In the calling process, with work_on: what goes with the task; borrowed until the next call. */
    const void *(*input)(void *arg, uint64_t task, size_t *bytes);

    /* In the calling process. `next` gives the task to be handed out; false: none is left, for now. A
       negative return of the others ends the whole with it, a positive one ends it well. The message is
       aligned to 8. */
    bool (*next)(void *arg, uint64_t *task);
    int (*result)(void *arg, uint64_t task, const void *message, size_t bytes);
    /* The process of the task died: `why`, with the last words that it wrote. no_memory: it was killed from
       outside, as the kernel does when memory runs out. */
    int (*died)(void *arg, uint64_t task, const char *why, bool no_memory);
    void (*tick)(void *arg); /* now and then, if not NULL */
    void *arg;
};

/* Carries out all tasks, or those until *stop. Errors: AQ_EINTERNAL (no process could be made), AQ_ENOMEM,
   those of the functions; *error says more where it is the pool's own. */
int aq_pool_run(const struct aq_pool_options *options, struct aq_error *error);

/* A piece of a message. */
struct aq_pool_part {
    const void *data;
    size_t bytes;
};

/* In the worker: sends the pieces as one message. False where nobody reads it any more. */
bool aq_pool_send(int to, const struct aq_pool_part *parts, size_t count);

/* Processors of this machine, as far as AQ_POOL_JOBS_MAX. */
uint32_t aq_pool_jobs_standard(void);

#endif
