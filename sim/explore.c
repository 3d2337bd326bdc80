#include "sim/explore.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/explore_worker.h"
#include "sim/verdict.h"

#define TICK_MS 200

/* A result that waits for those of lower seeds. */
struct waiting {
    uint64_t seed;
    struct aq_explore_message *message; /* owned; the rest of it behind it */
};

struct exploration {
    const struct aq_explore_options *options;
    struct aq_draw *draw;
    struct aq_explore_worker *workers;
    uint64_t next_seed;   /* to be handed out; above seed_to: none is left */
    uint64_t next_result; /* to be told */
    struct waiting *waiting;
    uint32_t waiting_count, waiting_capacity;
    uint64_t deadline_us; /* of the wall clock */
    bool ended;           /* `done` wants no more */
    struct aq_error *error;
};

static uint64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * AQ_US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

static bool interrupted(const struct exploration *x) {
    return x->options->stop && *x->options->stop;
}

/* ---- seeds ---- */

/* The first seed of the shard from this one on. */
static uint64_t in_shard(const struct exploration *x, uint64_t seed) {
    uint64_t shards = x->options->shards, ahead = (x->options->shard - 1 + shards - seed % shards) % shards;
    return seed + ahead;
}

static bool seeds_left(const struct exploration *x) {
    if (x->ended || interrupted(x) || x->next_seed > x->options->seed_to) return false;
    return x->options->for_us == 0 || wall_us() < x->deadline_us;
}

/* Gives a seed to a worker that has none; starts its process where it has died or is new. */
static int give(struct exploration *x, struct aq_explore_worker *worker) {
    if (worker->pid == 0) {
        int rc = aq_explore_worker_start(worker, x->options, x->draw, x->workers, x->options->jobs, x->error);
        if (rc) return rc;
    }
    aq_explore_worker_give(worker, x->next_seed);
    x->next_seed = in_shard(x, x->next_seed + 1);
    return 0;
}

static int give_all(struct exploration *x, uint32_t *busy) {
    *busy = 0;
    for (uint32_t i = 0; i < x->options->jobs; i++) {
        struct aq_explore_worker *worker = &x->workers[i];
        int rc = !worker->busy && seeds_left(x) ? give(x, worker) : 0;
        if (rc) return rc;
        *busy += worker->busy;
    }
    return 0;
}

/* ---- results ---- */

static int out_of_memory(struct exploration *x) {
    return aq_error_set(x->error, AQ_ENOMEM, "out of memory for the results of an exploration");
}

/* Puts the pointers of a message in order and tells it. */
static int tell(struct exploration *x, struct aq_explore_message *message) {
    const char *list[64], *texts;
    struct aq_seed_detail detail;
    struct aq_explored_seed seed = message->seed;
    detail.failed_us = (const aq_time_us *)(message + 1);
    detail.failures = (const struct aq_fingerprint *)(detail.failed_us + message->failure_count);
    memcpy(detail.marks, message->marks, sizeof detail.marks);
    texts = (const char *)(detail.failures + message->failure_count);
    AQ_ASSERT(message->failure_count <= sizeof list / sizeof *list);
    for (uint32_t i = 0; i < message->failure_count; i++)
        list[i] = detail.failures[i].hex;
    seed.reason = texts;
    seed.drawn = texts + message->reason_bytes;
    seed.fingerprints = list;
    seed.fingerprint_count = message->failure_count;
    if (message->rc) return aq_error_set(x->error, message->rc, "%s", seed.reason);
    int rc = x->options->done(x->options->arg, &seed, &detail);
    if (rc > 0) x->ended = true;
    return rc < 0 ? rc : 0;
}

static int find_waiting(const struct exploration *x, uint64_t seed) {
    for (uint32_t i = 0; i < x->waiting_count; i++)
        if (x->waiting[i].seed == seed) return (int)i;
    return -1;
}

/* The lowest of those that wait, where gaps do not matter any more. */
static int find_lowest(const struct exploration *x) {
    int lowest = -1;
    for (uint32_t i = 0; i < x->waiting_count; i++)
        if (lowest < 0 || x->waiting[i].seed < x->waiting[lowest].seed) lowest = (int)i;
    return lowest;
}

static int tell_waiting(struct exploration *x, bool gaps) {
    int rc = 0, at;
    while (!rc && !x->ended && (at = gaps ? find_lowest(x) : find_waiting(x, x->next_result)) >= 0) {
        struct waiting taken = x->waiting[at];
        x->waiting[at] = x->waiting[--x->waiting_count];
        x->next_result = in_shard(x, taken.seed + 1);
        rc = tell(x, taken.message);
        aq_free(taken.message);
    }
    return rc;
}

static int take_message(struct exploration *x, const void *input, size_t bytes) {
    struct aq_explore_message *message = aq_alloc(bytes);
    if (!message || aq_array_reserve(&x->waiting, &x->waiting_capacity, (size_t)x->waiting_count + 1,
                                     sizeof *x->waiting)) {
        aq_free(message);
        return out_of_memory(x);
    }
    memcpy(message, input, bytes);
    x->waiting[x->waiting_count++] = (struct waiting){message->seed.seed, message};
    return tell_waiting(x, false);
}

/* The message that a worker that died could not send. */
static int take_death(struct exploration *x, struct aq_explore_worker *worker) {
    struct {
        struct aq_explore_message message;
        aq_time_us failed_us;
        struct aq_fingerprint failure;
        char texts[2000];
    } made = {
        .message = {.seed = {.seed = worker->seed, .verdict = AQ_SEED_CRASH, .exit_code = AQ_EXIT_INTERNAL},
                    .failure_count = 1}};
    struct aq_scenario *scenario;
    char why[600], *drawn = NULL;
    bool no_memory;
    aq_explore_worker_post_mortem(worker, why, sizeof why, &no_memory);
    if (aq_draw_scenario(x->draw, made.message.seed.seed, &scenario, &drawn, x->error) == 0)
        aq_scenario_free(scenario);
    aq_fingerprint_make(&made.failure, "crash", why, "");
    if (no_memory) {
        made.message.seed.verdict = AQ_SEED_NO_RUN;
        snprintf(why, sizeof why, "its process was killed, as happens when memory runs out");
    }
    int reason = snprintf(made.texts, sizeof made.texts, "%s", why);
    int line =
        snprintf(made.texts + reason + 1, sizeof made.texts - (size_t)reason - 1, "%s", drawn ? drawn : "");
    size_t room = sizeof made.texts - (size_t)reason - 2;
    aq_free(drawn);
    made.message.reason_bytes = (uint32_t)reason + 1;
    made.message.drawn_bytes = (uint32_t)((size_t)line < room ? (size_t)line : room) + 1;
    return take_message(x, &made, sizeof made);
}

static int take_result(struct exploration *x, struct aq_explore_worker *worker) {
    int rc = aq_explore_worker_read(worker);
    if (rc == AQ_EINTERNAL) return take_death(x, worker);
    if (rc == AQ_ENOMEM) return out_of_memory(x);
    if (rc == 0) return 0;
    worker->busy = false;
    return take_message(x, worker->input, worker->used);
}

/* ---- the whole ---- */

static int wait_for_results(struct exploration *x, struct pollfd *polls) {
    uint32_t count = x->options->jobs;
    for (uint32_t i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = x->workers[i].busy ? x->workers[i].from : -1, .events = POLLIN};
    if (poll(polls, count, TICK_MS) < 0) return errno == EINTR ? 0 : AQ_EINTERNAL;
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc && !x->ended; i++)
        if (polls[i].revents) rc = take_result(x, &x->workers[i]);
    return rc;
}

static int go(struct exploration *x, struct pollfd *polls) {
    uint32_t busy;
    int rc = give_all(x, &busy);
    while (!rc && busy && !x->ended && !interrupted(x)) {
        rc = wait_for_results(x, polls);
        if (x->options->tick) x->options->tick(x->options->arg);
        if (!rc) rc = give_all(x, &busy);
    }
    return rc ? rc : tell_waiting(x, interrupted(x));
}

static void close_all(struct exploration *x) {
    for (uint32_t i = 0; x->workers && i < x->options->jobs; i++)
        aq_explore_worker_stop(&x->workers[i]);
    for (uint32_t i = 0; i < x->waiting_count; i++)
        aq_free(x->waiting[i].message);
    aq_free(x->waiting);
    aq_free(x->workers);
    aq_draw_free(x->draw);
}

int aq_explore(const struct aq_explore_options *options, bool *out_interrupted, struct aq_error *error) {
    struct exploration x = {.options = options, .error = error};
    AQ_ASSERT(options->jobs >= 1 && options->shard >= 1 && options->shard <= options->shards);
    struct pollfd *polls = aq_alloc(options->jobs * sizeof *polls);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before); /* a worker that died is noticed when it is read from */
    x.workers = aq_alloc_zeroed(options->jobs, sizeof *x.workers);
    x.next_seed = x.next_result = in_shard(&x, options->seed_from);
    x.deadline_us = wall_us() + options->for_us;
    int rc = polls && x.workers ? aq_draw_new(options->scenario, &x.draw) : AQ_ENOMEM;
    if (rc)
        out_of_memory(&x);
    else
        rc = go(&x, polls);
    *out_interrupted = interrupted(&x) && !x.ended;
    close_all(&x);
    aq_free(polls);
    sigaction(SIGPIPE, &before, NULL);
    return rc;
}
