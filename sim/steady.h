/* What callers saw and servers did in the steady part of a run: from a given moment, when the start is
   forgotten, to the end of the load. Kept only where a run asks for it. */
#ifndef AQ_SIM_STEADY_H
#define AQ_SIM_STEADY_H

#include "base/map.h"
#include "sim/metrics.h"
#include "sim/virtual.h"
#include "sim/workload.h"

struct aq_steady_counts {
    uint64_t gets, empty_gets;    /* answered */
    uint64_t hidden_gets;         /* empty while a job of the tube was ready at another server */
    uint64_t calls, failed_calls; /* put, get, done: ended; unavailable, unknown or given up */
    uint64_t completions;
    uint64_t ready; /* jobs at that moment */
};

struct aq_steady {
    uint32_t server_count;
    aq_time_us from_us, to_us; /* to_us 0: not ended */
    bool begun;
    struct aq_steady_counts now, first;          /* so far; at the beginning */
    struct aq_histogram spans[AQ_LATENCY_COUNT]; /* at the beginning; afterwards, of the steady part alone */
    uint64_t *requests;  /* by server: served until the beginning; afterwards, in the steady part */
    aq_time_us *busy_us; /* likewise: time in service */
    aq_time_us *up_us;   /* likewise: time that it was up */
    struct aq_map tubes; /* hash of a tube's name: its number */
    uint32_t tube_count, tube_capacity;
    uint64_t *ready;         /* by tube: jobs ready at all servers */
    uint32_t *ready_there;   /* by tube, then server */
    uint32_t there_capacity; /* of ready_there */
};

/* Errors: AQ_ENOMEM; close accepts a half-made one, and an all-zero one. */
int aq_steady_init(struct aq_steady *steady, uint32_t server_count);
void aq_steady_close(struct aq_steady *steady);

/* Errors: AQ_ENOMEM. */
int aq_steady_observe(struct aq_steady *steady, const struct aq_observation *seen);

/* The steady part begins, and ends. */
void aq_steady_begin(struct aq_steady *steady, aq_time_us now_us, const struct aq_workload *workload,
                     const struct aq_virtual *world);
void aq_steady_end(struct aq_steady *steady, aq_time_us now_us, const struct aq_workload *workload,
                   const struct aq_virtual *world);

/* The names and values of all figures, NaN for spans of which there were none, in the record's arena, behind
   those that the record has. Nothing where it has not ended. Errors: AQ_ENOMEM. */
int aq_steady_fill(const struct aq_steady *steady, struct aq_record *record);

#endif
