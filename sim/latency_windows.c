#include "sim/latency_windows.h"

#include "base/error.h"
#include "base/memory.h"

int aq_latency_windows_init(struct aq_latency_windows *windows) {
    *windows = (struct aq_latency_windows){0};
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        if (aq_histogram_init(&windows->last[i])) return AQ_ENOMEM;
    return 0;
}

void aq_latency_windows_close(struct aq_latency_windows *windows) {
    for (int i = 0; i < AQ_LATENCY_COUNT; i++)
        aq_histogram_close(&windows->last[i]);
    aq_free(windows->rows);
    *windows = (struct aq_latency_windows){0};
}

/* Number, from 1, of the span below or at which `per_mille` of `count` lie. */
static uint64_t rank_of(uint64_t count, uint64_t per_mille) {
    return (count / 1000) * per_mille + ((count % 1000) * per_mille + 999) / 1000;
}

/* One pass over the buckets takes the difference, finds the quantiles in it and brings `last` up to date. */
static void take(struct aq_histogram *last, const struct aq_histogram *now,
                 struct aq_record_latency_window *row) {
    static const uint64_t per_milles[] = {500, 900, 990, 999};
    aq_time_us *const quantiles[] = {&row->p50_us, &row->p90_us, &row->p99_us, &row->p999_us};
    uint64_t seen = 0;
    uint32_t found = 0;
    row->spans = now->count - last->count;
    row->sum_us = now->sum_us - last->sum_us;
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS && seen < row->spans; i++) {
        uint64_t added = now->buckets[i] - last->buckets[i];
        if (added == 0) continue;
        aq_time_us bound_us = aq_time_min(aq_histogram_bucket_max_us(i), now->max_us);
        if (i + 1 == AQ_HISTOGRAM_BUCKETS) bound_us = now->max_us;
        if (seen == 0) row->min_us = bound_us;
        row->max_us = bound_us;
        seen += added;
        last->buckets[i] = now->buckets[i];
        while (found < 4 && seen >= rank_of(row->spans, per_milles[found]))
            *quantiles[found++] = bound_us;
    }
    last->count = now->count;
    last->sum_us = now->sum_us;
}

int aq_latency_windows_add(struct aq_latency_windows *windows, uint32_t window, enum aq_latency latency,
                           const struct aq_histogram *now) {
    if (now->count == windows->last[latency].count) return 0;
    int rc = aq_array_reserve(&windows->rows, &windows->row_capacity, (size_t)windows->row_count + 1,
                              sizeof *windows->rows);
    if (rc) return rc;
    struct aq_record_latency_window *row = &windows->rows[windows->row_count++];
    *row = (struct aq_record_latency_window){.operation = aq_latency_word(latency), .window = window};
    take(&windows->last[latency], now, row);
    return 0;
}
