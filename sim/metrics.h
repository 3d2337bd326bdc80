/* Load over time: what each server did and how often it was chosen, in windows of time and in the phases
   between faults. Counts observations; judges nothing. */
#ifndef AQ_SIM_METRICS_H
#define AQ_SIM_METRICS_H

#include "reports/record.h"
#include "sim/observation.h"

struct aq_server_totals {
    uint64_t puts, gets, empty_gets, completions, errors, missed, expired, buried, lost, choices;
};

struct aq_metrics {
    uint32_t server_count;
    struct aq_server_totals *totals;  /* by server */
    struct aq_server_totals *last;    /* the totals at the end of the last window */
    struct aq_record_window *windows; /* one row for each server and window */
    uint32_t window_count, window_capacity;
    uint32_t windows_closed;
    struct aq_record_phase *phases; /* name and choices owned */
    uint32_t phase_count, phase_capacity;
    uint64_t *phase_start; /* choices by server at the start of the current phase */
    uint32_t *queue_max;   /* by server, at window ends */
};

/* Errors: AQ_ENOMEM. close accepts a half-made one. */
int aq_metrics_init(struct aq_metrics *metrics, uint32_t server_count);
void aq_metrics_close(struct aq_metrics *metrics);

void aq_metrics_observe(struct aq_metrics *metrics, const struct aq_observation *seen);

/* A phase begins; the one before ends. A phase of no length is taken back. Errors: AQ_ENOMEM. */
int aq_metrics_phase(struct aq_metrics *metrics, aq_time_us now_us, const char *name);
void aq_metrics_end(struct aq_metrics *metrics, aq_time_us now_us);

/* State of a server at the end of a window, beside what was counted. */
struct aq_window_state {
    uint32_t queue, ready, reserved;
    bool up;
};

/* Ends the current window. states: by server. Errors: AQ_ENOMEM. */
int aq_metrics_close_window(struct aq_metrics *metrics, const struct aq_window_state *states);

#endif
