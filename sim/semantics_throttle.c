/* Throttle: a server hands out no more jobs of a tube than its throttle allows in any window, and where a
   caller was told that a tube is throttled, the fleet as a whole does not either. A throttle below one a
   second is one job in a longer window. */
#include "sim/semantics.h"

#include "base/memory.h"

#define SERVER_FASTER "a server handed out more jobs of a tube than its throttle allows"
#define FLEET_FASTER                                                                                         \
    "more jobs of a tube were handed out than the throttle that its caller was told of allows"

#define SIZE_MAX_JUDGED 65536 /* jobs in a window; a higher throttle is none in practice */
#define FLEET           UINT32_MAX

/* The times of the last jobs handed out, as many as one window allows. */
struct limiter {
    uint64_t key;
    uint32_t server;   /* FLEET: all of them together */
    uint32_t size;     /* 0: no throttle */
    uint32_t capacity; /* of times */
    uint32_t next;     /* index in times of the oldest */
    aq_time_us window_us;
    aq_time_us *times; /* owned; AQ_TIME_NEVER: none yet */
};

struct throttle {
    struct aq_semantics_counts counts;
    struct limiter *limiters;
    uint32_t count, capacity;
    struct aq_map by_key;
};

static struct limiter *find(const struct throttle *t, uint64_t key) {
    uint32_t index;
    return t->count && aq_map_get(&t->by_key, key, &index) ? &t->limiters[index] : NULL;
}

static int make(struct throttle *t, uint64_t key, uint32_t server, struct limiter **out) {
    int rc = aq_array_reserve(&t->limiters, &t->capacity, (size_t)t->count + 1, sizeof *t->limiters);
    if (!rc) rc = aq_map_set(&t->by_key, key, t->count);
    if (rc) return rc;
    *out = &t->limiters[t->count++];
    **out = (struct limiter){.key = key, .server = server};
    return 0;
}

static int set(struct throttle *t, uint64_t key, uint32_t server, double tps) {
    struct limiter *limiter = find(t, key);
    if (!limiter && !(tps > 0)) return 0;
    if (!limiter) {
        int rc = make(t, key, server, &limiter);
        if (rc) return rc;
    }
    limiter->size = 0;
    if (!(tps > 0) || tps > SIZE_MAX_JUDGED) return 0;
    uint32_t size = tps < 1 ? 1 : (uint32_t)tps;
    int rc = aq_array_reserve(&limiter->times, &limiter->capacity, size, sizeof *limiter->times);
    if (rc) return rc;
    limiter->size = size;
    limiter->next = 0;
    limiter->window_us = (aq_time_us)(size / tps * AQ_US_PER_S);
    for (uint32_t i = 0; i < size; i++)
        limiter->times[i] = AQ_TIME_NEVER;
    return 0;
}

/* A job was handed out. Was that one too many? */
static bool is_too_fast(struct limiter *limiter, aq_time_us at_us) {
    aq_time_us oldest_us = limiter->times[limiter->next];
    limiter->times[limiter->next] = at_us;
    limiter->next = (limiter->next + 1) % limiter->size;
    return oldest_us != AQ_TIME_NEVER &&
           at_us + AQ_SEMANTICS_EXACT_US < aq_time_after(oldest_us, limiter->window_us);
}

static int handed_out(struct throttle *t, struct aq_semantics *s, const struct aq_semantics_tap *tap,
                      uint32_t server, const char *cause) {
    struct aq_text tube = aq_semantics_controlled_by(s, tap->seen->tap->tube);
    struct limiter *limiter = find(t, aq_semantics_tube_key(server, tube));
    if (!limiter || !limiter->size) return 0;
    t->counts.judged++;
    return is_too_fast(limiter, tap->seen->at_us) ? aq_semantics_bad(s, tap, cause) : 0;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct throttle *t = state;
    const struct aq_observation *seen = tap->seen;
    if (seen->tap->kind == AQ_TAP_THROTTLED)
        return set(t, aq_semantics_tube_key(seen->server, seen->tap->tube), seen->server, seen->tap->tps);
    if (!t->count) return 0;
    int rc = handed_out(t, s, tap, seen->server, SERVER_FASTER);
    return rc ? rc : handed_out(t, s, tap, FLEET, FLEET_FASTER);
}

/* Each server's share is one a second at least, so that the fleet may be as fast as it has servers. */
static int command_done(void *state, struct aq_semantics *s, const struct aq_observation *seen) {
    struct throttle *t = state;
    if (seen->action != AQ_ACTION_THROTTLE) return 0;
    const struct aq_command_spec *command = &s->scenario->commands[seen->caller];
    double tps = command->tps;
    if (tps > 0 && tps < s->server_count) tps = s->server_count;
    return set(t, aq_semantics_tube_key(FLEET, aq_text_of(command->tube)), FLEET, tps);
}

/* A throttle that is kept on disk is told again by the tap of the new process. */
static void forget(void *state, uint32_t server) {
    struct throttle *t = state;
    for (uint32_t i = 0; i < t->count; i++)
        if (t->limiters[i].server == server) t->limiters[i].size = 0;
}

static void close_state(void *state) {
    struct throttle *t = state;
    for (uint32_t i = 0; i < t->count; i++)
        aq_free(t->limiters[i].times);
    aq_free(t->limiters);
    aq_map_close(&t->by_key);
}

const struct aq_semantics_rule aq_semantics_throttle = {
    .figure = "throttle_judged",
    .taps = AQ_TAP_BIT(THROTTLED) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN),
    .state_bytes = sizeof(struct throttle),
    .tap = tap_seen,
    .command = command_done,
    .forget = forget,
    .close = close_state,
};
