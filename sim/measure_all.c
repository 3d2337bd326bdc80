#include "sim/measure_all.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/pool.h"
#include "sim/wall_clock.h"

#define KEEP_EVERY_US (1 * AQ_US_PER_S)
#define CPU_LIMIT_S   600 /* for one run; one that goes on for ever must end as well */

/* A worker's answer. */
struct message {
    int rc;
    struct aq_error error;
    struct aq_measured measured;
};

/* A run that waits to be kept. */
struct unkept {
    struct aq_kept_run key;
    struct aq_measured measured;
};

struct session {
    const struct aq_measure_options *options;
    struct aq_measure_outcome *outcome;
    struct unkept *unkept; /* owned */
    uint32_t unkept_count, unkept_capacity;
    uint64_t kept_us; /* wall clock of the last time */
    int rc;           /* what went wrong in `next`, which can not say so */
    struct aq_error *error;
};

const char *aq_measure_build(void) {
    return AQ_COMPILER " " AQ_BUILD_TYPE;
}

/* ---- in the worker ---- */

static bool work(void *arg, uint64_t task, int to) {
    static struct message message;
    struct session *s = arg;
    struct aq_measure_job job;
    memset(&message, 0, sizeof message);
    message.rc = s->options->make(s->options->arg, task, &job, &message.error);
    if (!message.rc) {
        message.rc = aq_measure_run(&job, s->options->wanted, s->options->wanted_count, &message.measured,
                                    &message.error);
        aq_scenario_free(job.scenario);
    }
    struct aq_pool_part part = {&message, sizeof message};
    return aq_pool_send(to, &part, 1);
}

/* ---- the database ---- */

static int key_of(struct session *s, uint64_t task, struct aq_kept_run *key) {
    struct aq_measure_job job;
    int rc = s->options->make(s->options->arg, task, &job, s->error);
    if (rc) return rc;
    *key = (struct aq_kept_run){.scenario_hash = job.scenario->hash,
                                .seed = job.seed,
                                .steady_from_us = job.steady_from_us,
                                .paired = job.paired,
                                .version = s->options->version,
                                .build = aq_measure_build()};
    aq_scenario_free(job.scenario);
    return 0;
}

static void add_figure(void *arg, const char *name, double value) {
    aq_measured_add(arg, name, value);
}

static bool has_all(const struct session *s, const struct aq_measured *measured) {
    double value;
    for (uint32_t i = 0; i < s->options->wanted_count; i++)
        if (!aq_measured_get(measured, s->options->wanted[i], &value)) return false;
    return true;
}

/* Is the run in the database, with all that is wanted of it? */
static int find_kept(struct session *s, uint64_t task, struct aq_measured *measured, bool *found) {
    struct aq_kept_run key;
    uint32_t count;
    *found = false;
    if (!s->options->store) return 0;
    int rc = key_of(s, task, &key);
    *measured = (struct aq_measured){.count = 0};
    if (!rc) rc = aq_store_find_run(s->options->store, &key, add_figure, measured, &count, s->error);
    if (!rc) *found = count && has_all(s, measured);
    return rc;
}

static int keep_all(struct session *s) {
    static struct aq_kept_figure figures[AQ_MEASURED_MAX];
    s->kept_us = aq_wall_us();
    if (!s->unkept_count) return 0;
    int rc = aq_store_keep_begin(s->options->store, s->error);
    if (rc) return rc;
    for (uint32_t i = 0; i < s->unkept_count && !rc; i++) {
        const struct aq_measured *measured = &s->unkept[i].measured;
        for (uint32_t f = 0; f < measured->count; f++)
            figures[f] = (struct aq_kept_figure){measured->items[f].name, measured->items[f].value};
        rc = aq_store_keep_run(s->options->store, &s->unkept[i].key, figures, measured->count, s->error);
    }
    s->unkept_count = 0;
    return aq_store_keep_end(s->options->store, rc, s->error);
}

static int keep(struct session *s, uint64_t task, const struct aq_measured *measured) {
    if (!s->options->store) return 0;
    int rc =
        aq_array_reserve(&s->unkept, &s->unkept_capacity, (size_t)s->unkept_count + 1, sizeof *s->unkept);
    if (rc) return aq_error_set(s->error, rc, "out of memory for the figures of runs");
    struct unkept *unkept = &s->unkept[s->unkept_count];
    rc = key_of(s, task, &unkept->key);
    if (rc) return rc;
    unkept->measured = *measured;
    s->unkept_count++;
    return aq_wall_us() - s->kept_us < KEEP_EVERY_US ? 0 : keep_all(s);
}

/* ---- tasks ---- */

static int take(struct session *s, uint64_t task, const struct aq_measured *measured) {
    s->outcome->runs++;
    int rc = s->options->take(s->options->arg, task, measured);
    return rc < 0 ? aq_error_set(s->error, rc, "%s", aq_error_name(rc)) : 0;
}

static bool next(void *arg, uint64_t *task) {
    struct session *s = arg;
    struct aq_measured measured;
    while (!s->rc && s->options->next(s->options->arg, task)) {
        bool found;
        s->rc = find_kept(s, *task, &measured, &found);
        if (s->rc) return false;
        if (!found) return true;
        s->outcome->reused++;
        s->rc = take(s, *task, &measured);
    }
    return false;
}

static int result(void *arg, uint64_t task, const void *data, size_t bytes) {
    struct session *s = arg;
    const struct message *message = data;
    if (bytes != sizeof *message)
        return aq_error_set(s->error, AQ_EINTERNAL, "a worker process sent nonsense");
    if (message->rc) return aq_error_set(s->error, message->rc, "%s", message->error.text);
    s->outcome->events += message->measured.events;
    int rc = keep(s, task, &message->measured);
    return rc ? rc : take(s, task, &message->measured);
}

static int died(void *arg, uint64_t task, const char *why, bool no_memory) {
    struct session *s = arg;
    (void)task;
    return aq_error_set(s->error, no_memory ? AQ_ENOMEM : AQ_EINTERNAL, "the process of a run died: %s%s",
                        why, no_memory ? ": try fewer --jobs" : "");
}

static void tick(void *arg) {
    struct session *s = arg;
    if (s->options->tick) s->options->tick(s->options->arg);
}

int aq_measure_all(const struct aq_measure_options *options, struct aq_measure_outcome *out,
                   struct aq_error *error) {
    struct session s = {.options = options, .outcome = out, .error = error, .kept_us = aq_wall_us()};
    struct aq_pool_options pool = {.jobs = options->jobs,
                                   .cpu_limit_s = CPU_LIMIT_S,
                                   .stop = options->stop,
                                   .work = work,
                                   .next = next,
                                   .result = result,
                                   .died = died,
                                   .tick = tick,
                                   .arg = &s};
    *out = (struct aq_measure_outcome){0};
    int rc = aq_pool_run(&pool, error);
    if (!rc) rc = s.rc;
    struct aq_error first = error ? *error : (struct aq_error){0};
    int kept = options->store ? keep_all(&s) : 0;
    if (rc && error) *error = first;
    if (!rc) rc = kept;
    out->interrupted = options->stop && *options->stop;
    aq_free(s.unkept);
    return rc;
}
