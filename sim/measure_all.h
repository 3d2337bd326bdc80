/* Many measured runs in worker processes, those that a database has already taken from there. */
#ifndef AQ_SIM_MEASURE_ALL_H
#define AQ_SIM_MEASURE_ALL_H

#include <signal.h>

#include "reports/plan.h"
#include "sim/measure.h"

struct aq_measure_options {
    uint32_t jobs;                     /* worker processes */
    const volatile sig_atomic_t *stop; /* ends all when non-zero; NULL: never */
    struct aq_store *store;            /* runs are taken from here and kept here; NULL: none */
    const char *version;               /* of the program, which runs that are kept are known by */
    const char *const *wanted;         /* figures beside those of the steady part; borrowed */
    uint32_t wanted_count;
    /* Which run comes next, as a number; false: none for now. */
    bool (*next)(void *arg, uint64_t *task);
    /* Makes the run of a number, whose scenario the taker frees, here and in the worker processes, which know
       what was there when they started. Errors: any; *error says more. */
    int (*make)(void *arg, uint64_t task, struct aq_measure_job *out, struct aq_error *error);
    /* Takes its figures, in no order. A negative return ends all with it. */
    int (*take)(void *arg, uint64_t task, const struct aq_measured *measured);
    void (*tick)(void *arg); /* now and then, if not NULL */
    void *arg;
};

struct aq_measure_outcome {
    bool interrupted; /* *stop ended it */
    uint64_t runs, reused, events;
};

/* Compiler and build type of this program: a literal. */
const char *aq_measure_build(void);

/* Errors: as aq_pool_run, aq_measure_run, the store and the functions; *error says more. What came back
   before is kept in the store. */
int aq_measure_all(const struct aq_measure_options *options, struct aq_measure_outcome *out,
                   struct aq_error *error);

#endif
