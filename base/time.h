/* The one notion of time: whole microseconds since the start of the run. */
#ifndef AQ_BASE_TIME_H
#define AQ_BASE_TIME_H

#include <stdint.h>

typedef uint64_t aq_time_us;

#define AQ_TIME_NEVER UINT64_MAX /* a deadline that never comes */
#define AQ_US_PER_MS  UINT64_C(1000)
#define AQ_US_PER_S   UINT64_C(1000000)

/* Sum of a time and a span; AQ_TIME_NEVER where either is never or the sum does not fit. */
static inline aq_time_us aq_time_after(aq_time_us at_us, aq_time_us span_us) {
    return span_us > AQ_TIME_NEVER - at_us ? AQ_TIME_NEVER : at_us + span_us;
}

static inline aq_time_us aq_time_min(aq_time_us a_us, aq_time_us b_us) {
    return a_us < b_us ? a_us : b_us;
}

#endif
