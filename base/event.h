/* What waits in a queue of events, and their order: by (time, sequence), a total order, so that a run has one
   possible history. */
#ifndef AQ_BASE_EVENT_H
#define AQ_BASE_EVENT_H

#include <stdbool.h>

#include "base/time.h"

struct aq_event {
    aq_time_us at_us;
    uint64_t sequence; /* rises by one with every event pushed; unique */
    uint32_t kind;     /* meaning belongs to the queue's owner */
    uint32_t subject;  /* index of what the event is about */
};

static inline bool aq_event_before(const struct aq_event *a, const struct aq_event *b) {
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->sequence < b->sequence);
}

#endif
