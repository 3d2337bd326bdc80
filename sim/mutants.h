/* Tries an exploration on a mutant: how many seeds does it take until a check sees it? */
#ifndef AQ_SIM_MUTANTS_H
#define AQ_SIM_MUTANTS_H

#include "base/mutants.h"
#include "reports/mutants.h"
#include "sim/explore.h"

#define AQ_MUTANT_SEARCHES_MAX 1000

struct aq_mutant_options {
    const struct aq_scenario *scenario; /* borrowed */
    uint32_t jobs;                      /* worker processes */
    uint64_t seeds_max;                 /* of one search */
    uint32_t searches;                  /* 1 to AQ_MUTANT_SEARCHES_MAX */
    const volatile sig_atomic_t *stop;
};

/* Lets row number `row` of a table live, and searches. A seed that fails without the mutant as well is no
   finding; a seed whose process dies is one, of "crash". Fills *out, of which check and cause are either
   literals or lie in *texts. *out_interrupted says whether *stop ended it. Errors: AQ_EUNSUPPORTED (a build
   without mutants), those of aq_explore. */
int aq_mutant_try(const struct aq_mutant_options *options, const struct aq_mutant_table *table, uint32_t row,
                  struct aq_arena *texts, struct aq_mutant_finding *out, bool *out_interrupted,
                  struct aq_error *error);

#endif
