/* What became of planted bugs: which check caught each, after how many seeds. Plain data; the simulator fills
   it, the printers print it. */
#ifndef AQ_REPORTS_MUTANTS_H
#define AQ_REPORTS_MUTANTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct aq_mutant_finding {
    const char *name, *core, *family, *breaks; /* core: "client" or "server" */
    const char *check, *cause;    /* by which it was found most often; "" where it was not found */
    uint32_t searches, found;     /* each search begins behind the seed that ended the one before */
    uint64_t seeds;               /* of all searches together */
    uint64_t found_seed;          /* the first that showed it; meaningless where none did */
    double median_seeds;          /* that a search took, of those that found it */
    uint64_t virtual_us, busy_us; /* of all seeds, run one after the other */
    /* Share of the seeds that show it: as seen, and the least that is compatible with that at 95 % (Clopper
       and Pearson); the clean seeds after which a bug with that least rate is excluded at 95 %, 0 where
       unknown. */
    double rate, rate_low;
    uint64_t clean_seeds;
};

struct aq_mutant_report {
    const char *scenario;
    uint64_t seeds_max; /* of one search */
    const struct aq_mutant_finding *findings;
    uint32_t count;
    uint64_t wall_us;
    bool interrupted;
};

/* A table for people, and one JSON object. Errors: AQ_EIO. */
int aq_print_mutants_text(FILE *stream, const struct aq_mutant_report *report);
int aq_print_mutants_json(FILE *stream, const struct aq_mutant_report *report);

#endif
