/* Shrinking: searches for the smallest scenario and seed that fail as a given run did. Variants of the
   scenario (scenarios/reduce.h) are run in worker processes, a few seeds each, and the first that fails with
   the same fingerprint is gone on from. What is found does not hang on the number of processes. */
#ifndef AQ_SIM_SHRINK_H
#define AQ_SIM_SHRINK_H

#include <signal.h>

#include "scenarios/reduce.h"
#include "sim/fingerprint.h"
#include "sim/run.h"

#define AQ_SHRINK_SEEDS_DEFAULT 64
#define AQ_SHRINK_CPU_LIMIT_S   120 /* for one run */

/* What a run came to, as far as it matters here. */
struct aq_shrink_run {
    uint64_t events, jobs; /* jobs that producers tried to put */
    aq_time_us virtual_us;
    aq_time_us failed_us; /* of the failure that is kept */
};

/* How large a scenario and its run are. */
struct aq_shrink_size {
    struct aq_reduce_size scenario;
    struct aq_shrink_run run;
    aq_time_us duration_us;
};

struct aq_shrink_progress {
    uint64_t runs;
    const char *pass; /* what is being tried: "faults" */
    struct aq_shrink_size now;
};

struct aq_shrink_options {
    const struct aq_scenario *scenario; /* borrowed; a drawn one, if it came from a section explore */
    uint64_t seed;
    const char *failure;  /* a check, or a fingerprint of 16 digits; NULL: the first failure of the run */
    uint32_t jobs;        /* worker processes, at least 1 */
    uint64_t runs_max;    /* 0: no bound */
    uint64_t for_us;      /* wall clock; 0: no bound */
    uint32_t seeds;       /* tried for each variant at most, at least 1 */
    uint32_t cpu_limit_s; /* for one run; 0: AQ_SHRINK_CPU_LIMIT_S */
    const volatile sig_atomic_t *stop; /* ends the search when non-zero; NULL: never */
    aq_client_step_fn client_step;     /* NULL: aq_client_step; see sim/virtual.h */
    /* Called now and then, if not NULL. */
    void (*tick)(void *arg, const struct aq_shrink_progress *progress);
    void *arg;
};

enum aq_shrink_end { AQ_SHRINK_SMALLEST, AQ_SHRINK_RUNS, AQ_SHRINK_TIME, AQ_SHRINK_INTERRUPTED };

struct aq_shrunk {
    struct aq_fingerprint fingerprint; /* of the failure that was kept */
    struct aq_shrink_size before, after;
    uint64_t seed;
    uint64_t runs;
    enum aq_shrink_end end;
    char *text; /* owned: the scenario as a file, with seed and summary */
};

/* Shrinks. Errors: AQ_ENOENT (the run does not fail, or not in the way wanted: *error says how it ends),
   AQ_EINVALID, AQ_EUNSUPPORTED, AQ_ENOMEM, AQ_EINTERNAL; *out untouched. */
int aq_shrink(const struct aq_shrink_options *options, struct aq_shrunk *out, struct aq_error *error);
void aq_shrunk_close(struct aq_shrunk *shrunk);

#endif
