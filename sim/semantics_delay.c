/* Delay: a delayed job becomes ready when its delay is over, neither before nor much later. */
#include "sim/semantics.h"

#include "base/memory.h"

#define EARLY "a delayed job was ready before its time"
#define LATE  "a delayed job was ready too late"
#define NEVER "a delayed job was never ready"
#define WRONG "the delay of a put was not kept"
#define OTHER "the delay of a release was not kept"
#define NONE  UINT32_MAX

struct delayed_job {
    uint64_t job_hash;
    aq_time_us due_us;
    uint32_t server;
    uint32_t next, prev; /* of its server, NONE at the ends; next: of the free ones as well */
};

struct delay {
    struct aq_semantics_counts counts;
    aq_time_us slack_us;
    uint32_t *first_of_server; /* into jobs; NONE: it has none */
    uint32_t server_count;
    struct delayed_job *jobs;
    uint32_t count, capacity, first_free;
    struct aq_map by_hash; /* job hash to index in jobs */
};

static int init(void *state, const struct aq_semantics *s) {
    struct delay *d = state;
    d->slack_us = aq_semantics_slack_us(s, s->scenario->servers.policy.delay_sweep_us);
    d->first_free = NONE;
    d->server_count = s->server_count;
    d->first_of_server = aq_alloc(((size_t)s->server_count + 1) * sizeof *d->first_of_server);
    if (!d->first_of_server) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->server_count; i++)
        d->first_of_server[i] = NONE;
    return 0;
}

static void close_state(void *state) {
    struct delay *d = state;
    aq_free(d->first_of_server);
    aq_free(d->jobs);
    aq_map_close(&d->by_hash);
}

static void drop(struct delay *d, uint32_t index) {
    struct delayed_job *job = &d->jobs[index];
    if (job->next != NONE) d->jobs[job->next].prev = job->prev;
    if (job->prev != NONE)
        d->jobs[job->prev].next = job->next;
    else
        d->first_of_server[job->server] = job->next;
    aq_map_remove(&d->by_hash, job->job_hash);
    job->next = d->first_free;
    d->first_free = index;
}

static int note(struct delay *d, const struct aq_observation *seen) {
    uint32_t index, *first = &d->first_of_server[seen->server];
    if (aq_map_get(&d->by_hash, seen->tap->job_hash, &index)) drop(d, index);
    if (d->first_free == NONE) {
        int rc = aq_array_reserve(&d->jobs, &d->capacity, (size_t)d->count + 1, sizeof *d->jobs);
        if (rc) return rc;
        d->jobs[d->count].next = NONE;
        d->first_free = d->count++;
    }
    index = d->first_free;
    int rc = aq_map_set(&d->by_hash, seen->tap->job_hash, index);
    if (rc) return rc;
    struct delayed_job *job = &d->jobs[index];
    d->first_free = job->next;
    *job = (struct delayed_job){.job_hash = seen->tap->job_hash,
                                .due_us = seen->tap->due_us,
                                .server = seen->server,
                                .next = *first,
                                .prev = NONE};
    if (*first != NONE) d->jobs[*first].prev = index;
    *first = index;
    return 0;
}

/* NULL, or what is wrong with the moment at which a delayed job became ready. */
static const char *judge_end(struct delay *d, const struct aq_semantics *s,
                             const struct aq_semantics_tap *tap) {
    const struct aq_observation *seen = tap->seen;
    uint32_t index;
    if (!aq_map_get(&d->by_hash, seen->tap->job_hash, &index)) return NULL;
    aq_time_us due_us = d->jobs[index].due_us;
    drop(d, index);
    if (seen->tap->kind != AQ_TAP_MATURED || !tap->exact) return NULL;
    d->counts.judged++;
    if (seen->at_us < due_us) return EARLY;
    return aq_semantics_late(s, seen->server, due_us, d->slack_us, seen->at_us) ? LATE : NULL;
}

/* Is what a put or release of ours was given the delay that it asked for? */
static bool is_kept(struct delay *d, const struct aq_semantics_tap *tap, int64_t delay_s) {
    const struct aq_observation *seen = tap->seen;
    if (seen->tap_token == 0 || delay_s < 1) return true;
    d->counts.judged++;
    if (seen->tap->state != AQ_JOB_DELAYED) return false;
    aq_time_us due_us = aq_time_after(seen->at_us, (aq_time_us)delay_s * AQ_US_PER_S);
    aq_time_us off_us = seen->tap->due_us > due_us ? seen->tap->due_us - due_us : due_us - seen->tap->due_us;
    return !tap->exact || off_us <= AQ_SEMANTICS_EXACT_US;
}

static const char *judge_delay(struct delay *d, const struct aq_semantics *s,
                               const struct aq_semantics_tap *tap) {
    if (tap->seen->tap->kind == AQ_TAP_PUT)
        return is_kept(d, tap, s->scenario->producers.delay_s) ? NULL : WRONG;
    return is_kept(d, tap, s->scenario->workers.release_delay_s) ? NULL : OTHER;
}

static bool ends(const struct aq_tap *tap) {
    return tap->kind != AQ_TAP_PUT && tap->kind != AQ_TAP_RESTORED && tap->before == AQ_JOB_DELAYED;
}

static bool begins(const struct aq_tap *tap) {
    switch (tap->kind) {
    case AQ_TAP_PUT:
    case AQ_TAP_RELEASED:
    case AQ_TAP_RESTORED:
    case AQ_TAP_PARENT_STARTED:
    case AQ_TAP_TIMED_OUT: return tap->state == AQ_JOB_DELAYED;
    default: return false;
    }
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *tap) {
    struct delay *d = state;
    const struct aq_tap *about = tap->seen->tap;
    if (about->job_hash == 0) return 0;
    bool given = about->kind == AQ_TAP_PUT || about->kind == AQ_TAP_RELEASED;
    const char *wrong = given ? judge_delay(d, s, tap) : ends(about) ? judge_end(d, s, tap) : NULL;
    int rc = wrong ? aq_semantics_bad(s, tap, wrong) : 0;
    return !rc && begins(about) ? note(d, tap->seen) : rc;
}

static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    (void)s;
    struct delay *d = state;
    while (d->first_of_server[server] != NONE)
        drop(d, d->first_of_server[server]);
}

static int finish(void *state, struct aq_semantics *s) {
    struct delay *d = state;
    for (uint32_t i = 0; i < d->server_count; i++) {
        if (!aq_semantics_judgeable(s, i)) continue;
        for (uint32_t k = d->first_of_server[i]; k != NONE; k = d->jobs[k].next) {
            if (!aq_semantics_late(s, i, d->jobs[k].due_us, d->slack_us, s->last_us)) continue;
            int rc = aq_semantics_bad_copy(s, d->jobs[k].job_hash, NEVER);
            if (rc) return rc;
        }
    }
    return 0;
}

const struct aq_semantics_rule aq_semantics_delay = {
    .figure = "delay_judged",
    .taps = AQ_TAPS_OF_JOBS,
    .state_bytes = sizeof(struct delay),
    .init = init,
    .tap = tap_seen,
    .forget = forget,
    .finish = finish,
    .close = close_state,
};
