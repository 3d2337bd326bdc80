/* What a put asks for is what the job gets: its priority and its ttl come to the server as its producer gave
   them. Delay and limit have rules of their own. */
#include "sim/semantics.h"

#define TTL      "a job has another ttl than its put asked for"
#define PRIORITY "a job has another priority than its put asked for"

struct asked {
    struct aq_semantics_counts counts;
};

/* Servers keep priorities from 1 to 9. */
static uint32_t kept_priority(int32_t priority) {
    if (priority < 1) return 1;
    return priority > 9 ? 9 : (uint32_t)priority;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct asked *a = state;
    const struct aq_tap *about = tap->seen->tap;
    const struct aq_producer_section *asked = &s->scenario->producers;
    if (tap->seen->tap_token == 0) return 0;
    a->counts.judged++;
    if (asked->ttl_given && about->ttl_s != asked->ttl_s) return aq_semantics_bad(s, tap, TTL);
    bool fits = about->priority >= kept_priority(asked->priority_min) &&
                about->priority <= kept_priority(asked->priority_max);
    return fits ? 0 : aq_semantics_bad(s, tap, PRIORITY);
}

const struct aq_semantics_rule aq_semantics_asked = {
    .figure = "asked_judged",
    .taps = AQ_TAP_BIT(PUT) | AQ_TAP_BIT(PARENT_HELD),
    .state_bytes = sizeof(struct asked),
    .tap = tap_seen,
};
