/* Autobury: a job is buried by its last allowed expiry or release, and not before. AllQueue allows
   expired_limit expiries, the last of which buries, and twice as many releases, the next of which buries. */
#include "sim/semantics.h"

#define EXPIRY_IGNORED  "a job over its limit of expiries was not buried"
#define EXPIRY_EARLY    "a job below its limit of expiries was buried"
#define RELEASE_IGNORED "a job over its limit of releases was not buried"
#define RELEASE_EARLY   "a job below its limit of releases was buried"

#define EXPIRED_LIMIT_DEFAULT 3 /* AllQueue's, where a put names none */

struct limit {
    struct aq_semantics_counts counts;
};

static uint32_t expiries_allowed(const struct aq_semantics *s) {
    int32_t asked = s->scenario->producers.expired_limit;
    return asked > 0 ? (uint32_t)asked : EXPIRED_LIMIT_DEFAULT;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct limit *l = state;
    const struct aq_observation *seen = tap->seen;
    const struct aq_tap *about = seen->tap;
    bool ours = seen->tap_token != 0;
    /* a restart that renames jobs gives them the default attributes */
    bool kept = seen->incarnation == 0 || !s->scenario->servers.policy.restart_renames_ready;
    if (!ours || !kept) return 0;
    l->counts.judged++;
    uint32_t allowed = expiries_allowed(s);
    bool expired = about->kind == AQ_TAP_EXPIRED;
    bool over = expired ? about->expireds >= allowed : about->releases > 2 * (uint64_t)allowed;
    bool buried = expired ? about->state == AQ_JOB_BURIED : about->kind == AQ_TAP_AUTOBURIED;
    if (over == buried) return 0;
    const char *ignored = expired ? EXPIRY_IGNORED : RELEASE_IGNORED;
    return aq_semantics_bad(s, tap, over ? ignored : expired ? EXPIRY_EARLY : RELEASE_EARLY);
}

const struct aq_semantics_rule aq_semantics_limit = {
    .figure = "limit_judged",
    .taps = AQ_TAP_BIT(EXPIRED) | AQ_TAP_BIT(RELEASED) | AQ_TAP_BIT(AUTOBURIED),
    .state_bytes = sizeof(struct limit),
    .tap = tap_seen,
};
