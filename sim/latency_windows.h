/* Latencies over time: at the end of each window of time, what the histograms took in since the last one.
   Nothing is done for each measurement. */
#ifndef AQ_SIM_LATENCY_WINDOWS_H
#define AQ_SIM_LATENCY_WINDOWS_H

#include "reports/record.h"
#include "sim/workload.h"

struct aq_latency_windows {
    struct aq_histogram last[AQ_LATENCY_COUNT]; /* as they were at the end of the last window */
    struct aq_record_latency_window *rows;
    uint32_t row_count, row_capacity;
};

/* Errors: AQ_ENOMEM. close accepts a half-made one. */
int aq_latency_windows_init(struct aq_latency_windows *windows);
void aq_latency_windows_close(struct aq_latency_windows *windows);

/* Ends a window for one latency; nothing measured, no row. Errors: AQ_ENOMEM. */
int aq_latency_windows_add(struct aq_latency_windows *windows, uint32_t window, enum aq_latency latency,
                           const struct aq_histogram *now);

#endif
