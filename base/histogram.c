#include "base/histogram.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define SUB ((uint64_t)1 << AQ_HISTOGRAM_SUB_BITS)

int aq_histogram_init(struct aq_histogram *h) {
    uint64_t *buckets = aq_alloc_zeroed(AQ_HISTOGRAM_BUCKETS, sizeof *buckets);
    if (!buckets) return AQ_ENOMEM;
    *h = (struct aq_histogram){.min_us = AQ_TIME_NEVER, .buckets = buckets};
    return 0;
}

void aq_histogram_close(struct aq_histogram *h) {
    aq_free(h->buckets);
    *h = (struct aq_histogram){.min_us = AQ_TIME_NEVER};
}

/* Values below SUB have a bucket each; above, the leading bit names the group and the next 7 bits the bucket
 * in it. */
static uint32_t bucket_of(uint64_t us) {
    if (us < SUB) return (uint32_t)us;
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll(us) - AQ_HISTOGRAM_SUB_BITS;
    uint64_t index = ((uint64_t)(exponent + 1) << AQ_HISTOGRAM_SUB_BITS) + ((us >> exponent) - SUB);
    return index < AQ_HISTOGRAM_BUCKETS ? (uint32_t)index : AQ_HISTOGRAM_BUCKETS - 1;
}

aq_time_us aq_histogram_bucket_max_us(uint32_t index) {
    if (index < SUB) return index;
    uint32_t exponent = (index >> AQ_HISTOGRAM_SUB_BITS) - 1;
    uint64_t low = ((index & (SUB - 1)) + SUB) << exponent;
    return low + ((uint64_t)1 << exponent) - 1;
}

void aq_histogram_record(struct aq_histogram *h, aq_time_us span_us) {
    h->buckets[bucket_of(span_us)]++;
    h->count++;
    h->sum_us += span_us;
    if (span_us < h->min_us) h->min_us = span_us;
    if (span_us > h->max_us) h->max_us = span_us;
}

void aq_histogram_add(struct aq_histogram *into, const struct aq_histogram *other) {
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += other->buckets[i];
    into->count += other->count;
    into->sum_us += other->sum_us;
    if (other->min_us < into->min_us) into->min_us = other->min_us;
    if (other->max_us > into->max_us) into->max_us = other->max_us;
}

aq_time_us aq_histogram_quantile(const struct aq_histogram *h, double share) {
    if (h->count == 0) return 0;
    /* A share such as 0.07 is not exact in binary: without the allowance 0.07 of 100 would be 8. */
    uint64_t wanted = (uint64_t)ceil(share * (double)h->count * (1 - 1e-12)), seen = 0;
    if (wanted < 1) wanted = 1;
    if (wanted > h->count) wanted = h->count;
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted) {
            aq_time_us bound_us = i + 1 < AQ_HISTOGRAM_BUCKETS ? aq_histogram_bucket_max_us(i) : h->max_us;
            return aq_time_min(bound_us, h->max_us);
        }
    }
    return h->max_us;
}
