#include "sim/explore.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/explore_worker.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

/* A result that waits for those of lower seeds. */
struct waiting {
    uint64_t seed;
    struct aq_explore_message *message; /* owned; the rest of it behind it */
};

struct exploration {
    const struct aq_explore_options *options;
    struct aq_draw *draw;
    uint64_t next_seed;   /* to be handed out; above seed_to: none is left */
    uint64_t next_result; /* to be told */
    struct waiting *waiting;
    uint32_t waiting_count, waiting_capacity;
    uint64_t deadline_us; /* of the wall clock */
    bool ended;           /* `done` wants no more */
    struct aq_error *error;
};

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
    return x->options->for_us == 0 || aq_wall_us() < x->deadline_us;
}

static bool next_seed(void *arg, uint64_t *task) {
    struct exploration *x = arg;
    if (!seeds_left(x)) return false;
    *task = x->next_seed;
    x->next_seed = in_shard(x, x->next_seed + 1);
    return true;
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

static int take_result(void *arg, uint64_t task, const void *message, size_t bytes) {
    struct exploration *x = arg;
    (void)task; /* it is in the message */
    int rc = take_message(x, message, bytes);
    return rc ? rc : x->ended;
}

/* The message that a worker that died could not send. */
static int take_death(void *arg, uint64_t task, const char *why, bool no_memory) {
    struct exploration *x = arg;
    struct {
        struct aq_explore_message message;
        aq_time_us failed_us;
        struct aq_fingerprint failure;
        char texts[2000];
    } made = {.message = {.seed = {.seed = task, .verdict = AQ_SEED_CRASH, .exit_code = AQ_EXIT_INTERNAL},
                          .failure_count = 1}};
    struct aq_scenario *scenario;
    char *drawn = NULL;
    if (aq_draw_scenario(x->draw, made.message.seed.seed, &scenario, &drawn, x->error) == 0)
        aq_scenario_free(scenario);
    aq_fingerprint_make(&made.failure, "crash", why, "");
    if (no_memory) {
        made.message.seed.verdict = AQ_SEED_NO_RUN;
        why = "its process was killed, as happens when memory runs out";
    }
    int reason = snprintf(made.texts, sizeof made.texts, "%.600s", why);
    int line =
        snprintf(made.texts + reason + 1, sizeof made.texts - (size_t)reason - 1, "%s", drawn ? drawn : "");
    size_t room = sizeof made.texts - (size_t)reason - 2;
    aq_free(drawn);
    made.message.reason_bytes = (uint32_t)reason + 1;
    made.message.drawn_bytes = (uint32_t)((size_t)line < room ? (size_t)line : room) + 1;
    int rc = take_message(x, &made, sizeof made);
    return rc ? rc : x->ended;
}

/* ---- the whole ---- */

static bool work(void *arg, uint64_t task, int to) {
    const struct exploration *x = arg;
    return aq_explore_work(x->options, x->draw, task, to);
}

static void tick(void *arg) {
    const struct exploration *x = arg;
    if (x->options->tick) x->options->tick(x->options->arg);
}

static int go(struct exploration *x) {
    const struct aq_explore_options *o = x->options;
    struct aq_pool_options pool = {.jobs = o->jobs,
                                   .cpu_limit_s = o->cpu_limit_s ? o->cpu_limit_s : AQ_EXPLORE_CPU_LIMIT_S,
                                   .stop = o->stop,
                                   .work = work,
                                   .next = next_seed,
                                   .result = take_result,
                                   .died = take_death,
                                   .tick = tick,
                                   .arg = x};
    int rc = aq_pool_run(&pool, x->error);
    return rc ? rc : tell_waiting(x, interrupted(x));
}

static void close_all(struct exploration *x) {
    for (uint32_t i = 0; i < x->waiting_count; i++)
        aq_free(x->waiting[i].message);
    aq_free(x->waiting);
    aq_draw_free(x->draw);
}

int aq_explore(const struct aq_explore_options *options, bool *out_interrupted, struct aq_error *error) {
    struct exploration x = {.options = options, .error = error};
    AQ_ASSERT(options->jobs >= 1 && options->shard >= 1 && options->shard <= options->shards);
    x.next_seed = x.next_result = in_shard(&x, options->seed_from);
    x.deadline_us = aq_wall_us() + options->for_us;
    int rc = aq_draw_new(options->scenario, &x.draw);
    if (rc)
        out_of_memory(&x);
    else
        rc = go(&x);
    *out_interrupted = interrupted(&x) && !x.ended;
    close_all(&x);
    return rc;
}
