/* What the results of an exploration add up to. */
#ifndef AQ_SIM_EXPLORE_TALLY_H
#define AQ_SIM_EXPLORE_TALLY_H

#include "sim/explore.h"

struct aq_tally_failure {
    struct aq_fingerprint fingerprint;
    uint64_t seeds, first_seed, quickest_seed, quickest_events;
    int64_t run; /* of the quickest seed in the database; 0: not there */
};

struct aq_explore_tally {
    uint64_t seeds[AQ_SEED_VERDICT_COUNT];
    uint64_t replay_checked;
    uint64_t events, virtual_us, busy_us;
    struct aq_tally_failure *failures; /* owned; in the order in which they were found */
    uint32_t failure_count, failure_capacity;
    uint64_t mark_hits[AQ_RUN_MARK_COUNT];  /* in all runs together */
    uint64_t mark_seeds[AQ_RUN_MARK_COUNT]; /* seeds that reached it */
    int exit_code;                          /* the gravest of a seed; 0: all pass */
    /* the search for a check or fingerprint; NULL: none */
    const char *until_found;           /* borrowed */
    uint32_t repetitions;              /* searches wanted */
    struct aq_exploration_find *finds; /* owned; the last one may go on */
    uint32_t find_count, find_capacity;
    bool find_open;
};

/* Sorts a result in. Returns 1 where enough was found. Errors: AQ_ENOMEM. */
int aq_tally_add(struct aq_explore_tally *tally, const struct aq_explored_seed *seed,
                 const struct aq_seed_detail *detail);

/* Failures by number of seeds, most first; equals by fingerprint. */
void aq_tally_sort(struct aq_explore_tally *tally);

uint64_t aq_tally_seeds(const struct aq_explore_tally *tally);
uint32_t aq_tally_marks_hit(const struct aq_explore_tally *tally);

/* Can the mark be reached in the virtual world at all? Some faults are for the live one only. */
bool aq_tally_mark_possible(uint32_t mark);

void aq_tally_close(struct aq_explore_tally *tally);

#endif
