/* Fair queues: their shards are served in turn. A shard that has ready jobs all the while waits for at most
   one job of each other shard. Judged on each server by itself, as AllQueue promises no more. */
#include "sim/semantics.h"

#include <string.h>

#include "base/memory.h"

#define PASSED_OVER "a shard of a fair queue was passed over"

#define PREFIX_DEFAULT    "fq-"
#define SEPARATOR_DEFAULT ":s:"
#define NONE              UINT32_MAX

struct shard {
    uint64_t last_job; /* that became ready, for the story */
    uint64_t since;    /* jobs that its queue had handed out when it was served last, or became ready */
    uint32_t queue;    /* index in queues */
    uint32_t ready;    /* jobs */
    uint32_t next_of_server;
};

struct queue {
    uint64_t handed_out;
    uint32_t shards;
    bool limited; /* it or a shard has been paused or throttled: turns mean nothing any more */
};

struct fair {
    struct aq_semantics_counts counts;
    bool off;                  /* shards with too many reserved jobs are passed over on purpose */
    uint32_t *first_of_server; /* into shards */
    struct shard *shards;
    uint32_t shard_count, shard_capacity;
    struct queue *queues;
    uint32_t queue_count, queue_capacity;
    struct aq_map shard_of, queue_of; /* keys of tube and server */
};

static struct aq_text text_or(const char *text, const char *otherwise) {
    return aq_text_of(text && *text ? text : otherwise);
}

static uint32_t length_before_number(struct aq_text tube) {
    uint32_t at = tube.len;
    while (at > 0 && tube.at[at - 1] >= '0' && tube.at[at - 1] <= '9')
        at--;
    return at > 1 && at < tube.len && tube.at[at - 1] == '_' ? at - 1 : 0;
}

static uint32_t length_before(struct aq_text tube, struct aq_text separator) {
    for (uint32_t at = 1; at + separator.len < tube.len; at++)
        if (memcmp(tube.at + at, separator.at, separator.len) == 0) return at;
    return 0;
}

struct aq_text aq_semantics_family(const struct aq_semantics *s, struct aq_text tube) {
    const struct aq_fair_section *fair = &s->scenario->servers.fair;
    struct aq_text prefix = text_or(fair->prefix, PREFIX_DEFAULT), suffix = text_or(fair->suffix, "");
    struct aq_text family = {tube.at, fair->by_key
                                          ? length_before(tube, text_or(fair->separator, SEPARATOR_DEFAULT))
                                          : length_before_number(tube)};
    const struct aq_text mark = suffix.len ? suffix : prefix;
    const struct aq_text none = {0};
    if (family.len < mark.len) return none;
    const char *at = suffix.len ? family.at + family.len - suffix.len : family.at;
    return memcmp(at, mark.at, mark.len) == 0 ? family : none;
}

static int init(void *state, const struct aq_semantics *s) {
    struct fair *f = state;
    f->off = s->scenario->servers.fair.reservation_max > 0;
    f->first_of_server = aq_alloc(((size_t)s->server_count + 1) * sizeof *f->first_of_server);
    if (!f->first_of_server) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->server_count; i++)
        f->first_of_server[i] = NONE;
    return 0;
}

static void close_state(void *state) {
    struct fair *f = state;
    aq_free(f->first_of_server);
    aq_free(f->shards);
    aq_free(f->queues);
    aq_map_close(&f->shard_of);
    aq_map_close(&f->queue_of);
}

static int queue_at(struct fair *f, uint64_t key, uint32_t *out) {
    if (aq_map_get(&f->queue_of, key, out)) return 0;
    int rc = aq_array_reserve(&f->queues, &f->queue_capacity, (size_t)f->queue_count + 1, sizeof *f->queues);
    if (!rc) rc = aq_map_set(&f->queue_of, key, f->queue_count);
    if (rc) return rc;
    f->queues[f->queue_count] = (struct queue){0};
    *out = f->queue_count++;
    return 0;
}

/* The shard of this tube; *out is NULL where it is none. */
static int shard_at(struct fair *f, const struct aq_semantics *s, const struct aq_observation *seen,
                    struct shard **out) {
    uint64_t key = aq_semantics_tube_key(seen->server, seen->tap->tube);
    uint32_t index, queue;
    *out = NULL;
    if (!aq_map_get(&f->shard_of, key, &index)) {
        struct aq_text family = aq_semantics_family(s, seen->tap->tube);
        if (!family.len) return 0;
        int rc = queue_at(f, aq_semantics_tube_key(seen->server, family), &queue);
        if (!rc)
            rc = aq_array_reserve(&f->shards, &f->shard_capacity, (size_t)f->shard_count + 1,
                                  sizeof *f->shards);
        if (!rc) rc = aq_map_set(&f->shard_of, key, f->shard_count);
        if (rc) return rc;
        index = f->shard_count++;
        f->queues[queue].shards++;
        f->shards[index] = (struct shard){.queue = queue, .next_of_server = f->first_of_server[seen->server]};
        f->first_of_server[seen->server] = index;
    }
    *out = &f->shards[index];
    return 0;
}

static bool waited_too_long(const struct fair *f, const struct shard *shard) {
    const struct queue *queue = &f->queues[shard->queue];
    return !queue->limited && queue->handed_out - shard->since > queue->shards;
}

static int handed_out(struct fair *f, struct aq_semantics *s, const struct aq_semantics_tap *tap,
                      struct shard *shard) {
    struct queue *queue = &f->queues[shard->queue];
    bool passed_over = waited_too_long(f, shard);
    f->counts.judged += !queue->limited;
    shard->since = ++queue->handed_out;
    return passed_over ? aq_semantics_bad(s, tap, PASSED_OVER) : 0;
}

/* A pause or throttle of a queue or of one of its shards. */
static int limited(struct fair *f, const struct aq_semantics *s, const struct aq_observation *seen) {
    struct aq_text family = aq_semantics_family(s, seen->tap->tube);
    struct aq_text name = family.len ? family : seen->tap->tube;
    uint32_t queue;
    int rc = queue_at(f, aq_semantics_tube_key(seen->server, name), &queue);
    if (!rc) f->queues[queue].limited = true;
    return rc;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct fair *f = state;
    const struct aq_tap *about = tap->seen->tap;
    struct shard *shard;
    if (f->off) return 0;
    if (about->kind == AQ_TAP_PAUSED || about->kind == AQ_TAP_THROTTLED) return limited(f, s, tap->seen);
    bool leaves = aq_semantics_was_ready(about), enters = aq_semantics_is_ready(about);
    if (!about->job_hash || leaves == enters) return 0;
    int rc = shard_at(f, s, tap->seen, &shard);
    if (rc || !shard) return rc;
    if (enters) {
        if (shard->ready++ == 0) shard->since = f->queues[shard->queue].handed_out;
        shard->last_job = about->job_hash;
        return 0;
    }
    shard->ready -= shard->ready > 0;
    bool taken = about->kind == AQ_TAP_LEASE || about->kind == AQ_TAP_TAKEN;
    return taken ? handed_out(f, s, tap, shard) : 0;
}

static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    (void)s;
    struct fair *f = state;
    for (uint32_t i = f->first_of_server[server]; i != NONE; i = f->shards[i].next_of_server)
        f->shards[i].ready = 0;
}

/* Shards that were never served any more. */
static int finish(void *state, struct aq_semantics *s) {
    struct fair *f = state;
    for (uint32_t i = 0; i < f->shard_count; i++) {
        if (!f->shards[i].ready || !waited_too_long(f, &f->shards[i])) continue;
        int rc = aq_semantics_bad_copy(s, f->shards[i].last_job, PASSED_OVER);
        if (rc) return rc;
    }
    return 0;
}

const struct aq_semantics_rule aq_semantics_fair = {
    .figure = "fair_judged",
    .taps = AQ_TAPS_OF_JOBS | AQ_TAP_BIT(PAUSED) | AQ_TAP_BIT(THROTTLED),
    .state_bytes = sizeof(struct fair),
    .init = init,
    .tap = tap_seen,
    .forget = forget,
    .finish = finish,
    .close = close_state,
};
