/* Semantics: servers keep what AllQueue promises about priority, delay, leases and the limit of expiries. All
   of it is read from what servers did; requests and replies play no part. */
#include "sim/checks.h"

#include "base/assert.h"
#include "base/memory.h"
#include "base/real.h"

#define PRIORITY      "a job was handed out before one of higher priority"
#define DELAY_EARLY   "a delayed job was ready before its time"
#define DELAY_LATE    "a delayed job was ready too late"
#define DELAY_NEVER   "a delayed job was never ready"
#define DELAY_WRONG   "the delay of a put was not kept"
#define LEASE_LENGTH  "a lease is not as long as the job's ttl"
#define LEASE_EARLY   "a lease ended before its time"
#define LEASE_LATE    "a lease outlived its time"
#define LIMIT_IGNORED "a job over its limit of expiries was not buried"
#define LIMIT_EARLY   "a job below its limit of expiries was buried"

#define EXACT_US              (1 * AQ_US_PER_MS) /* how far "at the exact moment" may be off */
#define EXPIRED_LIMIT_DEFAULT 3                  /* AllQueue's, where a put names none */
#define NONE                  UINT32_MAX

/* Ready jobs of one tube on one server, by priority. */
struct tube {
    uint32_t ready[AQ_PRIORITY_BUCKETS];
    uint32_t filled;         /* a bit for each priority that has some */
    uint32_t next_of_server; /* NONE: the last */
};

/* A delayed job. */
struct delayed {
    uint64_t job_hash;
    aq_time_us due_us;
    uint32_t server;
    uint32_t next, prev; /* of its server, NONE at the ends; next: of the free ones as well */
};

struct server {
    uint32_t tubes, delayed; /* first of its tubes and delayed jobs; NONE: it has none */
    aq_time_us awake_us;     /* since then it has run without a stop */
    bool down, stopped;
};

struct semantics {
    const struct aq_scenario *scenario;
    aq_time_us delay_slack_us, lease_slack_us;
    struct server *servers;
    uint32_t server_count;
    struct tube *tubes;
    uint32_t tube_count, tube_capacity;
    struct aq_map tube_of; /* tube name and server to index in tubes */
    struct delayed *delayed;
    uint32_t delayed_count, delayed_capacity, first_free;
    struct aq_map delayed_of; /* job hash to index in delayed */
    aq_time_us last_us;
    uint64_t priorities, delays, leases, limits; /* judged */
    uint64_t unbooked;                           /* ready jobs handed out that were not known to be ready */
};

/* A span that fewer than one draw of 10^12 is longer than. */
static aq_time_us longest_us(const struct aq_distribution *d) {
    double us = d->a_us;
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT: break;
    case AQ_DISTRIBUTION_UNIFORM: us = d->b_us; break;
    case AQ_DISTRIBUTION_EXPONENTIAL: us = d->a_us * 28; break;                   /* e^-28 */
    case AQ_DISTRIBUTION_LOGNORMAL: us = d->a_us * aq_exp(d->shape * 7.1); break; /* 7.1 sigma */
    case AQ_DISTRIBUTION_PARETO: us = d->a_us * aq_exp(28 / d->shape); break;
    }
    return us < 1e15 ? (aq_time_us)us + 1 : AQ_TIME_NEVER;
}

/* The longest that the server's sweeps may come late: a period, a second where it counts in whole ones, the
 * write to disk that it may wait for, and a little. */
static aq_time_us slack(const struct aq_server_section *servers, aq_time_us sweep_us) {
    aq_time_us rounding_us = servers->policy.whole_seconds ? AQ_US_PER_S : 0;
    aq_time_us write_us = servers->persistent ? longest_us(&servers->persist) : 0;
    return aq_time_after(aq_time_after(aq_time_after(sweep_us, rounding_us), write_us),
                         sweep_us ? 100 * AQ_US_PER_MS : EXACT_US);
}

static int init(void *state, const struct aq_ledger *ledger) {
    struct semantics *s = state;
    s->scenario = aq_ledger_scenario(ledger);
    const struct aq_server_section *servers = &s->scenario->servers;
    s->delay_slack_us =
        aq_time_after(slack(servers, servers->policy.delay_sweep_us), aq_ledger_timer_slack_us(ledger));
    s->lease_slack_us =
        aq_time_after(slack(servers, servers->policy.lease_sweep_us), aq_ledger_timer_slack_us(ledger));
    s->first_free = NONE;
    s->server_count = s->scenario->servers.count;
    s->servers = aq_alloc_zeroed((size_t)s->server_count + 1, sizeof *s->servers);
    if (!s->servers) return AQ_ENOMEM;
    for (uint32_t i = 0; i < s->server_count; i++)
        s->servers[i].tubes = s->servers[i].delayed = NONE;
    return 0;
}

static void close_state(void *state) {
    struct semantics *s = state;
    aq_free(s->servers);
    aq_free(s->tubes);
    aq_map_close(&s->tube_of);
    aq_free(s->delayed);
    aq_map_close(&s->delayed_of);
}

static int bad(struct aq_ledger *ledger, const struct aq_observation *seen, const struct aq_ledger_copy *copy,
               const struct aq_ledger_job *job, const char *cause) {
    return aq_ledger_violation(ledger, AQ_CHECK_SEMANTICS, seen, copy, job, cause);
}

/* Later than due, the time that the server was stopped excused. What it does when it wakes up may be seen
 * before it is seen awake. */
static bool is_late(const struct semantics *s, uint32_t server, aq_time_us due_us, aq_time_us slack_us,
                    aq_time_us at_us) {
    const struct server *at = &s->servers[server];
    if (at->down || at->stopped) return false;
    aq_time_us from_us = due_us > at->awake_us ? due_us : at->awake_us;
    return at_us > aq_time_after(from_us, slack_us);
}

/* ---- priority ---- */

static int tube_at(struct semantics *s, uint32_t server, struct aq_text name, struct tube **out) {
    uint64_t key = aq_text_hash(name) ^ aq_map_mix((uint64_t)server + 1);
    uint32_t index;
    if (!aq_map_get(&s->tube_of, key, &index)) {
        index = s->tube_count;
        int rc = aq_array_reserve(&s->tubes, &s->tube_capacity, (size_t)index + 1, sizeof *s->tubes);
        if (!rc) rc = aq_map_set(&s->tube_of, key, index);
        if (rc) return rc;
        s->tubes[index] = (struct tube){.next_of_server = s->servers[server].tubes};
        s->servers[server].tubes = index;
        s->tube_count++;
    }
    *out = &s->tubes[index];
    return 0;
}

/* Was the job ready just before this tap, and is it afterwards? */
static bool was_ready(const struct aq_tap *tap) {
    return tap->kind != AQ_TAP_PUT && tap->kind != AQ_TAP_RESTORED && tap->before == AQ_JOB_READY;
}

static bool is_ready(const struct aq_tap *tap) {
    switch (tap->kind) {
    case AQ_TAP_LEASE:
    case AQ_TAP_TAKEN:
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_CLEARED:
    case AQ_TAP_NOOP_DONE:
    case AQ_TAP_REAPED: return false;
    default: return tap->state == AQ_JOB_READY;
    }
}

/* Books the tap; *passed_over tells whether a job went out while a better one was ready. */
static int book_ready(struct semantics *s, const struct aq_observation *seen, bool *passed_over) {
    const struct aq_tap *tap = seen->tap;
    bool leaves = was_ready(tap), enters = is_ready(tap);
    if (leaves == enters || tap->priority >= AQ_PRIORITY_BUCKETS) return 0;
    struct tube *tube;
    int rc = tube_at(s, seen->server, tap->tube, &tube);
    if (rc) return rc;
    uint32_t bit = 1u << tap->priority;
    if (enters) {
        tube->ready[tap->priority]++;
        tube->filled |= bit;
        return 0;
    }
    if (tap->kind == AQ_TAP_LEASE || tap->kind == AQ_TAP_TAKEN) {
        s->priorities++;
        *passed_over = tube->filled & (bit - 1);
    }
    if (tube->filled & bit) {
        if (--tube->ready[tap->priority] == 0) tube->filled &= ~bit;
    } else {
        s->unbooked++;
    }
    return 0;
}

/* ---- delay ---- */

static void drop_delayed(struct semantics *s, uint32_t index) {
    struct delayed *d = &s->delayed[index];
    if (d->next != NONE) s->delayed[d->next].prev = d->prev;
    if (d->prev != NONE)
        s->delayed[d->prev].next = d->next;
    else
        s->servers[d->server].delayed = d->next;
    aq_map_remove(&s->delayed_of, d->job_hash);
    d->next = s->first_free;
    s->first_free = index;
}

static int note_delayed(struct semantics *s, const struct aq_observation *seen) {
    uint32_t index, *first = &s->servers[seen->server].delayed;
    if (aq_map_get(&s->delayed_of, seen->tap->job_hash, &index)) drop_delayed(s, index);
    if (s->first_free == NONE) {
        int rc = aq_array_reserve(&s->delayed, &s->delayed_capacity, (size_t)s->delayed_count + 1,
                                  sizeof *s->delayed);
        if (rc) return rc;
        s->delayed[s->delayed_count].next = NONE;
        s->first_free = s->delayed_count++;
    }
    index = s->first_free;
    int rc = aq_map_set(&s->delayed_of, seen->tap->job_hash, index);
    if (rc) return rc;
    struct delayed *d = &s->delayed[index];
    s->first_free = d->next;
    *d = (struct delayed){.job_hash = seen->tap->job_hash,
                          .due_us = seen->tap->due_us,
                          .server = seen->server,
                          .next = *first,
                          .prev = NONE};
    if (*first != NONE) s->delayed[*first].prev = index;
    *first = index;
    return 0;
}

/* NULL, or what is wrong with the moment at which a delayed job became ready. */
static const char *judge_matured(struct semantics *s, const struct aq_observation *seen, bool exact) {
    uint32_t index;
    if (!aq_map_get(&s->delayed_of, seen->tap->job_hash, &index)) return NULL;
    aq_time_us due_us = s->delayed[index].due_us;
    drop_delayed(s, index);
    if (seen->tap->kind != AQ_TAP_MATURED || !exact) return NULL;
    s->delays++;
    if (seen->at_us < due_us) return DELAY_EARLY;
    return is_late(s, seen->server, due_us, s->delay_slack_us, seen->at_us) ? DELAY_LATE : NULL;
}

static bool is_about(aq_time_us at_us, aq_time_us wanted_us) {
    return at_us > wanted_us ? at_us - wanted_us <= EXACT_US : wanted_us - at_us <= EXACT_US;
}

/* NULL, or what is wrong with the delay that a put of ours was given. */
static const char *judge_put(struct semantics *s, const struct aq_observation *seen, bool exact) {
    int64_t delay_s = s->scenario->producers.delay_s;
    if (seen->tap_token == 0 || delay_s < 1) return NULL;
    s->delays++;
    if (seen->tap->state != AQ_JOB_DELAYED) return DELAY_WRONG;
    aq_time_us due_us = aq_time_after(seen->at_us, (aq_time_us)delay_s * AQ_US_PER_S);
    return exact && !is_about(seen->tap->due_us, due_us) ? DELAY_WRONG : NULL;
}

/* ---- leases ---- */

static const char *judge_lease(struct semantics *s, const struct aq_observation *seen) {
    s->leases++;
    aq_time_us due_us = aq_time_after(seen->at_us, (aq_time_us)seen->tap->ttl_s * AQ_US_PER_S);
    return is_about(seen->tap->due_us, due_us) ? NULL : LEASE_LENGTH;
}

/* A lease has ended, or was used: what is wrong with the moment. */
static const char *judge_lease_end(struct semantics *s, const struct aq_observation *seen,
                                   const struct aq_ledger_copy *copy) {
    if (!copy || copy->server != seen->server || copy->lease_until_us == 0) return NULL;
    s->leases++;
    if (seen->tap->kind == AQ_TAP_EXPIRED && seen->at_us < copy->lease_until_us) return LEASE_EARLY;
    return is_late(s, seen->server, copy->lease_until_us, s->lease_slack_us, seen->at_us) ? LEASE_LATE : NULL;
}

/* ---- the limit of expiries ---- */

static const char *judge_limit(struct semantics *s, const struct aq_observation *seen) {
    bool ours = seen->tap_token != 0;
    bool kept = seen->incarnation == 0 || !s->scenario->servers.policy.restart_renames_ready;
    if (!ours || !kept) return NULL;
    int32_t limit = s->scenario->producers.expired_limit;
    if (limit <= 0) limit = EXPIRED_LIMIT_DEFAULT;
    s->limits++;
    bool over = seen->tap->expireds >= (uint32_t)limit, buried = seen->tap->state == AQ_JOB_BURIED;
    if (over == buried) return NULL;
    return over ? LIMIT_IGNORED : LIMIT_EARLY;
}

/* ---- observations ---- */

/* NULL, or what is wrong with the times of this tap. `exact` is false where the server's clock has jumped. */
static const char *judge_times(struct semantics *s, const struct aq_observation *seen,
                               const struct aq_ledger_copy *copy, bool exact) {
    switch (seen->tap->kind) {
    case AQ_TAP_PUT: return judge_put(s, seen, exact);
    case AQ_TAP_LEASE: return exact ? judge_lease(s, seen) : NULL;
    case AQ_TAP_TOUCHED: {
        const char *wrong = exact ? judge_lease(s, seen) : NULL;
        return wrong || !exact ? wrong : judge_lease_end(s, seen, copy);
    }
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED:
    case AQ_TAP_RELEASED:
    case AQ_TAP_BURIED:
    case AQ_TAP_EXPIRED:
        return exact && seen->tap->before == AQ_JOB_RESERVED ? judge_lease_end(s, seen, copy) : NULL;
    default: return NULL;
    }
}

static bool was_delayed(const struct aq_tap *tap) {
    return tap->kind != AQ_TAP_PUT && tap->kind != AQ_TAP_RESTORED && tap->before == AQ_JOB_DELAYED;
}

static bool is_delayed(const struct aq_tap *tap) {
    bool enters = tap->kind == AQ_TAP_PUT || tap->kind == AQ_TAP_RELEASED || tap->kind == AQ_TAP_RESTORED;
    return enters && tap->state == AQ_JOB_DELAYED;
}

static int tap_seen(struct semantics *s, struct aq_ledger *ledger, const struct aq_observation *seen,
                    const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    const struct aq_tap *tap = seen->tap;
    bool idle = tap->kind == AQ_TAP_MISSED || tap->kind == AQ_TAP_EMPTY || tap->kind == AQ_TAP_FAILED;
    if (idle || tap->job_hash == 0 || seen->server >= s->server_count) return 0;
    bool exact = !aq_ledger_server(ledger, seen->server)->clock_jumped, passed_over = false;
    int rc = book_ready(s, seen, &passed_over);
    if (!rc && passed_over) rc = bad(ledger, seen, copy, job, PRIORITY);
    if (rc) return rc;
    const char *wrong = judge_times(s, seen, copy, exact);
    if (!wrong && was_delayed(tap)) wrong = judge_matured(s, seen, exact);
    if (wrong) rc = bad(ledger, seen, copy, job, wrong);
    if (!rc && is_delayed(tap)) rc = note_delayed(s, seen);
    if (rc) return rc;
    wrong = tap->kind == AQ_TAP_EXPIRED ? judge_limit(s, seen) : NULL;
    return wrong ? bad(ledger, seen, copy, job, wrong) : 0;
}

/* Everything that the process held is gone; what comes back from disk is told as restored. */
static void forget(struct semantics *s, struct server *server) {
    for (uint32_t i = server->tubes; i != NONE; i = s->tubes[i].next_of_server) {
        uint32_t next = s->tubes[i].next_of_server;
        s->tubes[i] = (struct tube){.next_of_server = next};
    }
    while (server->delayed != NONE)
        drop_delayed(s, server->delayed);
}

static void server_changed(struct semantics *s, const struct aq_observation *seen) {
    if (seen->server >= s->server_count) return;
    struct server *server = &s->servers[seen->server];
    switch (seen->kind) {
    case AQ_SEEN_SERVER_DOWN:
        server->down = true;
        forget(s, server);
        return;
    case AQ_SEEN_SERVER_STOPPED: server->stopped = true; return;
    case AQ_SEEN_SERVER_UP: server->down = server->stopped = false; break;
    default: server->stopped = false;
    }
    server->awake_us = seen->at_us;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct semantics *s = state;
    s->last_us = seen->at_us;
    if (seen->kind == AQ_SEEN_TAP) return tap_seen(s, ledger, seen, copy, job);
    server_changed(s, seen);
    return 0;
}

/* ---- the verdict ---- */

static bool is_judgeable(const struct semantics *s, const struct aq_ledger *ledger, uint32_t server) {
    return server < s->server_count && !aq_ledger_server(ledger, server)->clock_jumped;
}

static int judge_delayed_left(struct semantics *s, struct aq_ledger *ledger) {
    for (uint32_t i = 0; i < s->server_count; i++) {
        if (!is_judgeable(s, ledger, i)) continue;
        for (uint32_t k = s->servers[i].delayed; k != NONE; k = s->delayed[k].next) {
            if (!is_late(s, i, s->delayed[k].due_us, s->delay_slack_us, s->last_us)) continue;
            struct aq_ledger_copy *copy = aq_ledger_copy_by_hash(ledger, s->delayed[k].job_hash);
            int rc = bad(ledger, NULL, copy, copy ? aq_ledger_job_of(ledger, copy) : NULL, DELAY_NEVER);
            if (rc) return rc;
        }
    }
    return 0;
}

struct lease_walk {
    struct semantics *s;
    struct aq_ledger *ledger;
};

static int judge_lease_left(void *arg, struct aq_ledger_copy *copy) {
    struct lease_walk *walk = arg;
    if (copy->gone || copy->state != AQ_JOB_RESERVED || copy->lease == 0) return 0;
    if (aq_ledger_copy_lost(walk->ledger, copy)) return 0;
    if (!is_judgeable(walk->s, walk->ledger, copy->server)) return 0;
    if (!is_late(walk->s, copy->server, copy->lease_until_us, walk->s->lease_slack_us, walk->s->last_us))
        return 0;
    return bad(walk->ledger, NULL, copy, aq_ledger_job_of(walk->ledger, copy), LEASE_LATE);
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct semantics *s = state;
    struct lease_walk walk = {s, ledger};
    int rc = judge_delayed_left(s, ledger);
    if (!rc) rc = aq_ledger_each_copy(ledger, judge_lease_left, &walk);
    if (rc) return rc;
    const struct aq_record_figure figures[] = {
        {"priority_judged", (double)s->priorities}, {"delay_judged", (double)s->delays},
        {"lease_judged", (double)s->leases},        {"expired_limit_judged", (double)s->limits},
        {"priority_unbooked", (double)s->unbooked},
    };
    rc = aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
    uint64_t judged = s->priorities + s->delays + s->leases + s->limits;
    return rc ? rc
              : aq_check_conclude(ledger, AQ_CHECK_SEMANTICS, record, judged, "no job was handed out", out);
}

const struct aq_checker aq_check_semantics = {
    .check = AQ_CHECK_SEMANTICS,
    .holds_when = "priority, delay, ttl and the limit of expiries do what AllQueue promises",
    .interests = 1u << AQ_SEEN_TAP | 1u << AQ_SEEN_SERVER_UP | 1u << AQ_SEEN_SERVER_DOWN |
                 1u << AQ_SEEN_SERVER_STOPPED | 1u << AQ_SEEN_SERVER_RESUMED,
    .state_bytes = sizeof(struct semantics),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
