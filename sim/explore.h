/* Exploration: many seeds of one scenario, each drawn and run in a worker process, whose death is a finding
   and not the end. The results come back in the order of the seeds, so that nothing hangs on the number of
   processes but the time that it takes. */
#ifndef AQ_SIM_EXPLORE_H
#define AQ_SIM_EXPLORE_H

#include <signal.h>

#include "reports/exploration.h"
#include "scenarios/draw.h"
#include "sim/fingerprint.h"
#include "sim/marks.h"
#include "sim/run.h"

/* Seeds go into JSON as numbers and into the database as signed ones; scenarios allow as many. */
#define AQ_EXPLORE_SEED_MAX    UINT64_C(999999999999999)
#define AQ_EXPLORE_CPU_LIMIT_S 120 /* for one seed; a run that goes on for ever must end as well */

/* What a seed showed beyond its row. Borrowed for the call. */
struct aq_seed_detail {
    const struct aq_fingerprint *failures; /* as many as the seed's fingerprints */
    const aq_time_us *failed_us;           /* when each first showed, in the run's time */
    uint64_t marks[AQ_RUN_MARK_COUNT];
};

struct aq_explore_options {
    const struct aq_scenario *scenario; /* borrowed; with or without a section explore */
    uint64_t seed_from, seed_to;        /* both included; seed_to AQ_EXPLORE_SEED_MAX: no bound of its own */
    uint32_t shard, shards;             /* only seeds that are shard - 1 modulo shards; 1 of 1: all */
    uint32_t jobs;                      /* worker processes, at least 1 */
    uint64_t for_us;                    /* wall clock; 0: no bound */
    double replay_share;                /* of the seeds that are run twice, to compare the hashes */
    uint32_t cpu_limit_s;               /* for one seed; 0: AQ_EXPLORE_CPU_LIMIT_S */
    const volatile sig_atomic_t *stop;  /* ends the exploration when non-zero; NULL: never */
    aq_client_step_fn client_step;      /* NULL: aq_client_step; see sim/virtual.h */
    /* How a run is done, in the worker; NULL: aq_run_scenario. */
    int (*run)(const struct aq_run_options *options, struct aq_record *record, struct aq_error *error);
    /* Called with each result, in the order of the seeds, in the calling process. A negative return ends the
       exploration with it; a positive one ends it well. */
    int (*done)(void *arg, const struct aq_explored_seed *seed, const struct aq_seed_detail *detail);
    /* Called now and then while seeds are run, if not NULL. */
    void (*tick)(void *arg);
    void *arg;
};

/* Explores. *out_interrupted says whether *stop ended it: seeds under way are not among the results then.
   Errors: AQ_EINVALID, AQ_EUNSUPPORTED (what was drawn can not be run), AQ_ENOMEM, AQ_EINTERNAL (no process
   could be made), what `done` returned; *error says more. */
int aq_explore(const struct aq_explore_options *options, bool *out_interrupted, struct aq_error *error);

#endif
