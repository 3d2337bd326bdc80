/* Priority: a job is not handed out while one of higher priority is ready in its tube on its server. */
#include "sim/semantics.h"

#include "base/memory.h"

#define PASSED_OVER "a job was handed out before one of higher priority"
#define NONE        UINT32_MAX

/* Ready jobs of one tube on one server, by priority. */
struct tube {
    uint32_t ready[AQ_PRIORITY_BUCKETS];
    uint32_t filled;         /* a bit for each priority that has some */
    uint32_t next_of_server; /* NONE: the last */
};

struct priority {
    struct aq_semantics_counts counts;
    uint32_t *first_of_server; /* into tubes; NONE: it has none */
    struct tube *tubes;
    uint32_t tube_count, tube_capacity;
    struct aq_map tube_of; /* tube and server to index in tubes */
};

static int init(void *state, const struct aq_semantics *s) {
    struct priority *p = state;
    p->first_of_server = aq_alloc(((size_t)s->server_count + 1) * sizeof *p->first_of_server);
    if (!p->first_of_server) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->server_count; i++)
        p->first_of_server[i] = NONE;
    return 0;
}

static void close_state(void *state) {
    struct priority *p = state;
    aq_free(p->first_of_server);
    aq_free(p->tubes);
    aq_map_close(&p->tube_of);
}

static int tube_at(struct priority *p, uint32_t server, struct aq_text name, struct tube **out) {
    uint64_t key = aq_semantics_tube_key(server, name);
    uint32_t index;
    if (!aq_map_get(&p->tube_of, key, &index)) {
        index = p->tube_count;
        int rc = aq_array_reserve(&p->tubes, &p->tube_capacity, (size_t)index + 1, sizeof *p->tubes);
        if (!rc) rc = aq_map_set(&p->tube_of, key, index);
        if (rc) return rc;
        p->tubes[index] = (struct tube){.next_of_server = p->first_of_server[server]};
        p->first_of_server[server] = index;
        p->tube_count++;
    }
    *out = &p->tubes[index];
    return 0;
}

static int tap_seen(void *state, struct aq_semantics *s, const struct aq_semantics_tap *seen) {
    struct priority *p = state;
    const struct aq_tap *tap = seen->seen->tap;
    bool leaves = aq_semantics_was_ready(tap), enters = aq_semantics_is_ready(tap);
    if (tap->job_hash == 0 || leaves == enters || tap->priority >= AQ_PRIORITY_BUCKETS) return 0;
    struct tube *tube;
    int rc = tube_at(p, seen->seen->server, tap->tube, &tube);
    if (rc) return rc;
    uint32_t bit = 1u << tap->priority;
    if (enters) {
        tube->ready[tap->priority]++;
        tube->filled |= bit;
        return 0;
    }
    bool passed_over = false;
    if (tap->kind == AQ_TAP_LEASE || tap->kind == AQ_TAP_TAKEN) {
        p->counts.judged++;
        passed_over = tube->filled & (bit - 1);
    }
    if (!(tube->filled & bit))
        p->counts.extra++;
    else if (--tube->ready[tap->priority] == 0)
        tube->filled &= ~bit;
    return passed_over ? aq_semantics_bad(s, seen, PASSED_OVER) : 0;
}

static void forget(void *state, const struct aq_semantics *s, uint32_t server) {
    (void)s;
    struct priority *p = state;
    for (uint32_t i = p->first_of_server[server]; i != NONE; i = p->tubes[i].next_of_server)
        p->tubes[i] = (struct tube){.next_of_server = p->tubes[i].next_of_server};
}

const struct aq_semantics_rule aq_semantics_priority = {
    .figure = "priority_judged",
    .extra = "priority_unbooked", /* ready jobs handed out that were not known to be ready */
    .taps = AQ_TAPS_OF_JOBS,
    .state_bytes = sizeof(struct priority),
    .init = init,
    .tap = tap_seen,
    .forget = forget,
    .close = close_state,
};
