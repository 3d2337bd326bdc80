/* Smaller variants of a scenario, for shrinking: the same with fewer faults, servers, clients, workers and
   jobs, less time, and fewer keys. They come in passes, the big steps of each first. Whether a variant is
   still of interest only a run can tell, and whether it is valid the loader. */
#ifndef AQ_SCENARIOS_REDUCE_H
#define AQ_SCENARIOS_REDUCE_H

#include "base/time.h"
#include "scenarios/tree.h"

/* What a run of the scenario showed; aims some of the variants. */
struct aq_reduce_hints {
    uint64_t jobs;        /* that producers put */
    aq_time_us failed_us; /* when the failure showed */
};

/* A place in the order of the variants; all zero: the first. It stays good when the scenario is replaced by
   the variant made there: what comes then is what had still been left. */
struct aq_reduce_place {
    uint32_t pass, step, item;
};

/* Makes the first variant at *place or behind it, and moves *place there. *out is for cJSON_Delete. Errors:
   AQ_ENOENT (there are no more), AQ_ENOMEM; *out untouched. */
int aq_reduce_next(const cJSON *tree, const struct aq_reduce_hints *hints, struct aq_reduce_place *place,
                   cJSON **out);

/* On to the next place. */
static inline void aq_reduce_pass_over(struct aq_reduce_place *place) {
    place->item++;
}

/* The pass that a place is in, in a word for people: "faults". */
const char *aq_reduce_pass_word(const struct aq_reduce_place *place);

/* Sizes as the scenario has them. */
struct aq_reduce_size {
    uint32_t faults, servers, clients, workers;
    uint32_t lines; /* of its text */
};
/* Errors: AQ_ENOMEM. */
int aq_reduce_measure(const cJSON *tree, struct aq_reduce_size *out);

/* Takes out what means nothing for the run: notes, the section explore, marks, empty sections, the name, the
   seed. Spells out the defaults that variants make smaller. Errors: AQ_ENOMEM. */
int aq_reduce_tidy(cJSON *tree);

/* Puts seed, summary and notes (one text for each, NULL at the end) in front. Errors: AQ_ENOMEM. */
int aq_reduce_sign(cJSON *tree, uint64_t seed, const char *summary, const char *const *notes);

#endif
