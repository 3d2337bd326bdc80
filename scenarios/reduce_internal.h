/* The passes of the reduction among themselves: how each is described, and what they share. */
#ifndef AQ_SCENARIOS_REDUCE_INTERNAL_H
#define AQ_SCENARIOS_REDUCE_INTERNAL_H

#include "scenarios/keys.h"
#include "scenarios/reduce.h"

enum aq_reduced {
    AQ_REDUCED_MADE,
    AQ_REDUCED_SAME,    /* this item can not be made smaller: on to the next */
    AQ_REDUCED_NO_ITEM, /* the step has no more items: on to the next step */
    AQ_REDUCED_NO_STEP, /* the pass has no more steps */
};

/* What a pass works on. */
struct aq_reduction {
    cJSON *tree; /* a copy, to be changed */
    const struct aq_reduce_hints *hints;
    uint32_t step, item;
};

struct aq_reduce_pass {
    const char *word;
    enum aq_reduced (*reduce)(struct aq_reduction *r);
};

extern const struct aq_reduce_pass aq_reduce_faults, aq_reduce_commands, aq_reduce_slo, aq_reduce_groups,
    aq_reduce_servers, aq_reduce_clients, aq_reduce_workers, aq_reduce_end, aq_reduce_few, aq_reduce_time,
    aq_reduce_jobs, aq_reduce_targets, aq_reduce_values, aq_reduce_keys;

/* Delta debugging of a list: in step s it is cut into 2^s parts, of which the item-th from the end is to go;
   the last step takes out one at a time. At least `keep` stay. */
enum aq_reduced aq_reduce_chunk(uint32_t length, uint32_t keep, uint32_t step, uint32_t item, uint32_t *from,
                                uint32_t *count);

/* "servers", "clients" or "workers": how many there are, the default included. */
uint32_t aq_reduce_count_of(const cJSON *tree, const char *section);

/* A section of the file, made where it is missing; NULL where memory ran out. */
cJSON *aq_reduce_section(cJSON *tree, const char *section);

/* Sets a member in place of an old one; takes the value in any case. A failure shows in
   aq_tree_out_of_memory. */
void aq_reduce_set(cJSON *object, const char *key, cJSON *value);

#endif
