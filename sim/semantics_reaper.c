/* Idle tubes: a tube may be dropped when it has not been used for long, but not while jobs are delayed in it.
 */
#include "sim/semantics.h"

#define REAPED "a delayed job was dropped with its idle tube"

struct reaper {
    struct aq_semantics_counts
        counts; /* judged: delayed jobs that came to the end of their delay, or did not */
};

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct reaper *r = state;
    r->counts.judged++;
    return tap->seen->tap->kind == AQ_TAP_REAPED ? aq_semantics_bad(s, tap, REAPED) : 0;
}

const struct aq_semantics_rule aq_semantics_reaper = {
    .figure = "idle_tube_judged",
    .taps = AQ_TAP_BIT(REAPED) | AQ_TAP_BIT(MATURED),
    .state_bytes = sizeof(struct reaper),
    .tap = tap_seen,
};
