/* Throttle: a server hands out no more jobs of a tube than its throttle allows in any window, and where a
   caller was told that a tube is throttled, the fleet as a whole does not either. A throttle below one a
   second is one job in a longer window. */
#include "sim/semantics.h"

#include "base/memory.h"

#define SERVER_FASTER "a server handed out more jobs of a tube than its throttle allows"
#define FLEET_FASTER                                                                                         \
    "more jobs of a tube were handed out than the throttle that its caller was told of allows"

/* Windows are cut to whole microseconds, and the level is a sum of rounded numbers. */
#define RATE_SLACK  1.00001
#define LEVEL_SLACK 0.001

#define SIZE_MAX_JUDGED 65536 /* jobs in a window; a higher throttle is none in practice */

/* The times of the last jobs handed out, as many as one window allows. */
struct limiter {
    uint64_t key;
    uint32_t server;
    uint32_t size;     /* 0: no throttle */
    uint32_t capacity; /* of times */
    uint32_t next;     /* index in times of the oldest */
    aq_time_us window_us, told_us;
    aq_time_us *times; /* owned; AQ_TIME_NEVER: none yet */
};

/* A tube that a caller has throttled through its client. Each server has a window of its own, so that what
   all of them hand out in any span is bounded by the rate and what their windows hold: a bucket that leaks at
   that rate and never overflows. */
struct bucket {
    uint64_t name_hash;
    double per_s; /* 0: no throttle */
    double most, level;
    aq_time_us at_us; /* of the level */
};

struct throttle {
    struct aq_semantics_counts counts;
    struct limiter *limiters;
    uint32_t count, capacity;
    struct aq_map by_key;
    struct bucket *buckets;
    uint32_t bucket_count, bucket_capacity;
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

static void empty(struct limiter *limiter) {
    limiter->next = 0;
    for (uint32_t i = 0; i < limiter->size; i++)
        limiter->times[i] = AQ_TIME_NEVER;
}

static int set(struct throttle *t, const struct aq_observation *seen) {
    double tps = seen->tap->tps;
    uint64_t key = aq_semantics_tube_key(seen->server, seen->tap->tube);
    struct limiter *limiter = find(t, key);
    if (!limiter && !(tps > 0)) return 0;
    if (!limiter) {
        int rc = make(t, key, seen->server, &limiter);
        if (rc) return rc;
    }
    limiter->size = 0;
    limiter->told_us = seen->at_us;
    if (!(tps > 0) || tps > SIZE_MAX_JUDGED) return 0;
    uint32_t size = tps < 1 ? 1 : (uint32_t)tps;
    int rc = aq_array_reserve(&limiter->times, &limiter->capacity, size, sizeof *limiter->times);
    if (rc) return rc;
    limiter->size = size;
    limiter->window_us = (aq_time_us)(size / tps * AQ_US_PER_S);
    empty(limiter);
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

static struct bucket *bucket_of(const struct throttle *t, struct aq_text tube) {
    uint64_t hash = t->bucket_count ? aq_text_hash(tube) : 0;
    for (uint32_t i = 0; i < t->bucket_count; i++)
        if (t->buckets[i].name_hash == hash) return &t->buckets[i];
    return NULL;
}

static bool overflows(struct bucket *bucket, aq_time_us at_us) {
    bucket->level -= (double)(at_us - bucket->at_us) / 1e6 * bucket->per_s;
    if (bucket->level < 0) bucket->level = 0;
    bucket->at_us = at_us;
    return ++bucket->level > bucket->most;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct throttle *t = state;
    const struct aq_observation *seen = tap->seen;
    if (seen->tap->kind == AQ_TAP_THROTTLED) return set(t, seen);
    if (!t->count && !t->bucket_count) return 0;
    struct aq_text tube = aq_semantics_controlled_by(s, seen->tap->tube);
    struct limiter *limiter = find(t, aq_semantics_tube_key(seen->server, tube));
    struct bucket *bucket = bucket_of(t, tube);
    bool here = limiter && limiter->size, everywhere = bucket && bucket->per_s > 0;
    if (!here && !everywhere) return 0;
    t->counts.judged++;
    /* both take note, whichever speaks */
    bool server_faster = here && is_too_fast(limiter, seen->at_us);
    bool fleet_faster = everywhere && overflows(bucket, seen->at_us);
    if (!server_faster && !fleet_faster) return 0;
    return aq_semantics_bad(s, tap, server_faster ? SERVER_FASTER : FLEET_FASTER);
}

/* While a command is carried out some servers know the new throttle and others the former. */
static void asked(void *state, const struct aq_semantics *s, const struct aq_observation *seen) {
    if (seen->action != AQ_ACTION_THROTTLE) return;
    struct bucket *bucket = bucket_of(state, aq_text_of(s->scenario->commands[seen->caller].tube));
    if (bucket) bucket->per_s = 0;
}

static int command_done(void *state, struct aq_semantics *s, const struct aq_observation *seen) {
    struct throttle *t = state;
    if (seen->action != AQ_ACTION_THROTTLE) return 0;
    const struct aq_command_spec *command = &s->scenario->commands[seen->caller];
    struct bucket *bucket = bucket_of(t, aq_text_of(command->tube));
    if (!bucket) {
        int rc = aq_array_reserve(&t->buckets, &t->bucket_capacity, (size_t)t->bucket_count + 1,
                                  sizeof *t->buckets);
        if (rc) return rc;
        bucket = &t->buckets[t->bucket_count++];
        bucket->name_hash = aq_text_hash(aq_text_of(command->tube));
    }
    double per_s = command->tps > 0 ? command->tps : 0;
    bool rounded = per_s > 0 && per_s < s->server_count && s->scenario->clients.policy.throttle_rounds_up;
    if (rounded) per_s = s->server_count;
    double windows = per_s > s->server_count ? per_s : s->server_count; /* each holds one job at least */
    *bucket = (struct bucket){bucket->name_hash, per_s * RATE_SLACK, windows + LEVEL_SLACK, 0, seen->at_us};
    return 0;
}

static void fleet_changed(void *state) {
    struct throttle *t = state;
    t->bucket_count = 0;
}

/* A new process begins its windows anew. */
static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    struct throttle *t = state;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->limiters[i].server != server) continue;
        if (!aq_semantics_outlives(s, t->limiters[i].told_us)) t->limiters[i].size = 0;
        empty(&t->limiters[i]);
    }
}

static void close_state(void *state) {
    struct throttle *t = state;
    for (uint32_t i = 0; i < t->count; i++)
        aq_free(t->limiters[i].times);
    aq_free(t->limiters);
    aq_free(t->buckets);
    aq_map_close(&t->by_key);
}

const struct aq_semantics_rule aq_semantics_throttle = {
    .figure = "throttle_judged",
    .taps = AQ_TAP_BIT(THROTTLED) | AQ_TAP_BIT(LEASE) | AQ_TAP_BIT(TAKEN),
    .state_bytes = sizeof(struct throttle),
    .tap = tap_seen,
    .asked = asked,
    .command = command_done,
    .fleet_changed = fleet_changed,
    .forget = forget,
    .close = close_state,
};
