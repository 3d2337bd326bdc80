/* A set of deadlines, one for each small integer id, of which the earliest is at hand and any can be moved or
   removed: an indexed 4-ary heap. Equal deadlines come out in the order of their ids. */
#ifndef AQ_BASE_DEADLINES_H
#define AQ_BASE_DEADLINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct aq_deadline {
    aq_time_us at_us;
    uint32_t id;
};

struct aq_deadlines {
    struct aq_deadline *items; /* heap order */
    uint32_t count;
    uint32_t capacity;
    uint32_t *place_of; /* by id: place in items plus one, 0 where the id has no deadline */
    uint32_t place_capacity;
};

/* All zero is a valid empty set. */
void aq_deadlines_close(struct aq_deadlines *deadlines);

/* Sets or moves the deadline of id; AQ_TIME_NEVER removes it. Errors: AQ_ENOMEM (unchanged). */
int aq_deadlines_set(struct aq_deadlines *deadlines, uint32_t id, aq_time_us at_us);
void aq_deadlines_remove(struct aq_deadlines *deadlines, uint32_t id);

/* The deadline of id, or AQ_TIME_NEVER. */
aq_time_us aq_deadlines_of(const struct aq_deadlines *deadlines, uint32_t id);

/* The earliest deadline, or AQ_TIME_NEVER. */
static inline aq_time_us aq_deadlines_next(const struct aq_deadlines *deadlines) {
    return deadlines->count ? deadlines->items[0].at_us : AQ_TIME_NEVER;
}

/* Takes the earliest out if it is due (at or before now). False, *id untouched, where nothing is due. */
bool aq_deadlines_take_due(struct aq_deadlines *deadlines, aq_time_us now_us, uint32_t *id);

#endif
