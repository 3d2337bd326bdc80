#include "sim/pool.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "sim/pool_worker.h"

#define TICK_MS 200

struct pool {
    const struct aq_pool_options *options;
    struct aq_pool_worker *workers;
    struct pollfd *polls;
    bool ended; /* a function wants no more */
    bool told;  /* the workers know that they are to stop */
    struct aq_error *error;
};

static int out_of_memory(struct pool *pool) {
    return aq_error_set(pool->error, AQ_ENOMEM, "out of memory for the results of worker processes");
}

static bool stopped(const struct pool *pool) {
    return pool->options->stop && *pool->options->stop;
}

/* Gives a task to a worker that has none; starts its process where it has died or is new. */
static int give(struct pool *pool, struct aq_pool_worker *worker, uint64_t task) {
    int rc = worker->pid ? 0 : aq_pool_worker_start(worker, pool->options, pool->workers, pool->error);
    size_t bytes = 0;
    const void *input = pool->options->input ? pool->options->input(pool->options->arg, task, &bytes) : NULL;
    if (!rc) aq_pool_worker_give(worker, task, input, bytes);
    return rc;
}

static int give_all(struct pool *pool, uint32_t *busy) {
    uint64_t task;
    *busy = 0;
    for (uint32_t i = 0; i < pool->options->jobs; i++) {
        struct aq_pool_worker *worker = &pool->workers[i];
        bool wants = !worker->busy && !pool->ended && !stopped(pool);
        int rc = wants && pool->options->next(pool->options->arg, &task) ? give(pool, worker, task) : 0;
        if (rc) return rc;
        *busy += worker->busy;
    }
    return 0;
}

/* What a function of the caller wants. */
static int after(struct pool *pool, int rc) {
    if (rc > 0) pool->ended = true;
    return rc < 0 ? rc : 0;
}

static int take_death(struct pool *pool, struct aq_pool_worker *worker) {
    char why[600];
    bool no_memory;
    aq_pool_worker_post_mortem(worker, why, sizeof why, &no_memory);
    return after(pool, pool->options->died(pool->options->arg, worker->task, why, no_memory));
}

static int take_result(struct pool *pool, struct aq_pool_worker *worker) {
    int rc = aq_pool_worker_read(worker);
    if (rc == AQ_EINTERNAL) return take_death(pool, worker);
    if (rc == AQ_ENOMEM) return out_of_memory(pool);
    if (rc == 0) return 0;
    worker->busy = false;
    return after(pool, pool->options->result(pool->options->arg, worker->task, worker->input + 1,
                                             worker->used - sizeof *worker->input));
}

static int wait_for_results(struct pool *pool) {
    uint32_t count = pool->options->jobs;
    for (uint32_t i = 0; i < count; i++)
        pool->polls[i] =
            (struct pollfd){.fd = pool->workers[i].busy ? pool->workers[i].from : -1, .events = POLLIN};
    if (poll(pool->polls, count, TICK_MS) < 0) return errno == EINTR ? 0 : AQ_EINTERNAL;
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc && !pool->ended; i++)
        if (pool->polls[i].revents) rc = take_result(pool, &pool->workers[i]);
    return rc;
}

static void tell_to_stop(struct pool *pool) {
    for (uint32_t i = 0; i < pool->options->jobs && !pool->told; i++)
        if (pool->workers[i].busy) kill(pool->workers[i].pid, SIGTERM);
    pool->told = true;
}

static int go(struct pool *pool) {
    uint32_t busy;
    int rc = give_all(pool, &busy);
    while (!rc && busy && !pool->ended && (!stopped(pool) || pool->options->finish)) {
        if (stopped(pool)) tell_to_stop(pool);
        rc = wait_for_results(pool);
        if (pool->options->tick) pool->options->tick(pool->options->arg);
        if (!rc) rc = give_all(pool, &busy);
    }
    return rc;
}

int aq_pool_run(const struct aq_pool_options *options, struct aq_error *error) {
    struct pool pool = {.options = options, .error = error};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    AQ_ASSERT(options->jobs >= 1 && options->jobs <= AQ_POOL_JOBS_MAX);
    pool.workers = aq_alloc_zeroed(options->jobs, sizeof *pool.workers);
    pool.polls = aq_alloc(options->jobs * sizeof *pool.polls);
    sigaction(SIGPIPE, &ignore, &before); /* a worker that died is noticed when it is read from */
    int rc = pool.workers && pool.polls ? go(&pool) : out_of_memory(&pool);
    for (uint32_t i = 0; pool.workers && i < options->jobs; i++)
        aq_pool_worker_stop(&pool.workers[i]);
    aq_free(pool.workers);
    aq_free(pool.polls);
    sigaction(SIGPIPE, &before, NULL);
    return rc;
}

uint32_t aq_pool_jobs_standard(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > AQ_POOL_JOBS_MAX ? AQ_POOL_JOBS_MAX : (uint32_t)processors;
}
