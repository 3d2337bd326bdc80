/* The queue of a run's events: a hierarchical timing wheel (Varghese and Lauck, "Hashed and hierarchical
   timing wheels", 1987). It needs no comparisons: a push and a pop cost the same however many events wait.

   A time is a number of LEVELS digits of BITS bits. An event lies at the level of the first digit, from the
   top, in which it differs from the wheel's own time, in the bucket of its digit there; so a bucket of level
   0 is one microsecond. When time enters a bucket of a higher level, its events move to lower ones. A bucket
   keeps its events in the order they came, hence events of one time come out in the order of their sequence.
 */
#ifndef AQ_BASE_WHEEL_H
#define AQ_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"

#define AQ_WHEEL_BITS         11 /* level 1 spans 4.2 s: most timers move once, most messages never */
#define AQ_WHEEL_BUCKETS      (1 << AQ_WHEEL_BITS)
#define AQ_WHEEL_LEVELS       ((64 + AQ_WHEEL_BITS - 1) / AQ_WHEEL_BITS)
#define AQ_WHEEL_CHUNK_EVENTS 5 /* a chunk fills two cache lines */

/* Some events of one bucket, one after the other. */
struct aq_wheel_chunk {
    uint32_t next;       /* chunk of the bucket, or of the free ones; 0: none */
    uint16_t first, end; /* events[first] .. events[end - 1] are there */
    struct aq_event events[AQ_WHEEL_CHUNK_EVENTS];
};

struct aq_wheel_bucket {
    uint32_t first, last; /* chunks */
};

struct aq_wheel_level {
    uint64_t filled[AQ_WHEEL_BUCKETS / 64];           /* a bit for each bucket that has events */
    uint32_t filled_words;                            /* a bit for each word of filled that is not zero */
    struct aq_wheel_bucket buckets[AQ_WHEEL_BUCKETS]; /* valid where the bit is set */
};

struct aq_wheel {
    aq_time_us now_us; /* no event is earlier */
    uint32_t count;    /* of events */
    uint32_t room;     /* events that the chunks are enough for */
    uint32_t chunk_capacity, chunks_used, first_free;
    struct aq_wheel_chunk *chunks; /* chunk 0 is never used */
    struct aq_wheel_level levels[AQ_WHEEL_LEVELS];
};

/* All zero is a valid empty wheel at time 0. */
void aq_wheel_close(struct aq_wheel *wheel);

/* event.at_us must not be before the last one popped, event.sequence above all pushed before. Errors:
   AQ_ENOMEM (wheel unchanged). */
int aq_wheel_push(struct aq_wheel *wheel, struct aq_event event);

/* Takes the first event out if it is earlier than before_us. False, *out untouched, where there is none. */
bool aq_wheel_pop(struct aq_wheel *wheel, aq_time_us before_us, struct aq_event *out);

/* No event is earlier than this: the time of the first where it is less than two milliseconds away, else when
   its bucket begins. AQ_TIME_NEVER where there is none. */
aq_time_us aq_wheel_next_us(const struct aq_wheel *wheel);

#endif
