/* The trace of a run: a rolling hash over every event, and, if wanted, one line of
   text for each observation. */
#ifndef AQ_SIM_TRACE_H
#define AQ_SIM_TRACE_H

#include <stdio.h>

#include "reports/record.h"
#include "sim/observation.h"

#define AQ_TRACE_BLOCK 256 /* records hashed at a time */
#define AQ_TRACE_CHECKPOINTS                                                                                 \
    256 /* kept at most; between the half of it and all, of a run that is long enough */

/* What goes into the hash for one event. */
struct aq_trace_record {
    aq_time_us at_us;
    uint32_t kind;
    uint32_t a, b, c;
    uint64_t value;
};

struct aq_trace {
    uint64_t hash;    /* of the full blocks so far */
    uint64_t records; /* in them */
    uint32_t used;
    struct aq_trace_record block[AQ_TRACE_BLOCK];
    /* The hash after every so many blocks, evenly over the whole run; the distance doubles as it grows. */
    struct aq_record_checkpoint checkpoints[AQ_TRACE_CHECKPOINTS];
    uint32_t checkpoint_count;
    uint32_t checkpoint_blocks; /* distance */
    /* Called with the hash after each block, if not NULL. */
    void (*checkpoint)(void *arg, const struct aq_record_checkpoint *checkpoint);
    void *checkpoint_arg;
    /* Called with each line, without a newline, if not NULL. Errors go up. */
    int (*line)(void *arg, aq_time_us at_us, const char *text);
    void *line_arg;
};

void aq_trace_init(struct aq_trace *trace);
void aq_trace_flush(struct aq_trace *trace);

static inline void aq_trace_add(struct aq_trace *trace, struct aq_trace_record record) {
    trace->block[trace->used++] = record;
    if (trace->used == AQ_TRACE_BLOCK) aq_trace_flush(trace);
}

/* Takes an observation into the hash, and writes its line if lines are wanted. */
int aq_trace_observation(struct aq_trace *trace, const struct aq_observation *seen);

/* The hash of everything so far. */
uint64_t aq_trace_hash(struct aq_trace *trace);

/* One line for people: "[12.345678] worker 7 of client 3 > done Ab,Xy". Returns text. */
const char *aq_trace_describe(const struct aq_observation *seen, char *text, size_t size);

#endif
