/* A histogram of time spans with a bounded relative error: log-linear buckets, as in HdrHistogram, 128 to
   each power of two, so a reported value is at most 0.8 % above the recorded one. */
#ifndef AQ_BASE_HISTOGRAM_H
#define AQ_BASE_HISTOGRAM_H

#include <stdint.h>

#include "base/time.h"

#define AQ_HISTOGRAM_SUB_BITS 7
/* up to 2^48 us, 8.9 years */
#define AQ_HISTOGRAM_BUCKETS ((48 - AQ_HISTOGRAM_SUB_BITS + 1) << AQ_HISTOGRAM_SUB_BITS)

struct aq_histogram {
    uint64_t count;
    uint64_t sum_us;
    aq_time_us min_us; /* AQ_TIME_NEVER while empty */
    aq_time_us max_us; /* exact */
    uint64_t *buckets; /* AQ_HISTOGRAM_BUCKETS counters, owned */
};

/* Errors: AQ_ENOMEM. */
int aq_histogram_init(struct aq_histogram *histogram);
void aq_histogram_close(struct aq_histogram *histogram);

/* Longer spans than the last bucket holds are counted in it; max_us stays exact. */
void aq_histogram_record(struct aq_histogram *histogram, aq_time_us span_us);
void aq_histogram_add(struct aq_histogram *into, const struct aq_histogram *other);

/* The smallest bucket bound at or below which at least this share (0..1) of the records lies, never above
   max_us; 0 when empty. */
aq_time_us aq_histogram_quantile(const struct aq_histogram *histogram, double share);

/* Largest span that bucket `index` stands for. */
aq_time_us aq_histogram_bucket_max_us(uint32_t index);

#endif
