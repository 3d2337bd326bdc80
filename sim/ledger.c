#include "sim/ledger.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "sim/ledger_books.h"
#include "sim/marks.h"

static bool has_action(enum aq_seen_kind kind) {
    return kind == AQ_SEEN_CALL || kind == AQ_SEEN_ANSWER || kind == AQ_SEEN_ABANDONED;
}

/* Makes the check see what it is interested in. */
static void seat(struct aq_ledger *ledger, const struct aq_checker *checker, void *state) {
    for (uint32_t kind = 0; kind < AQ_SEEN_KIND_COUNT; kind++) {
        if (!(checker->interests >> kind & 1)) continue;
        uint32_t details = kind == AQ_SEEN_TAP ? checker->taps : has_action(kind) ? checker->actions : 1;
        if (!details) details = ~0u;
        for (uint32_t detail = 0; detail < AQ_BOOKS_DETAILS; detail++) {
            struct aq_books_audience *audience = &ledger->audiences[kind][detail];
            if (!(details >> detail & 1)) continue;
            audience->seats[audience->count].observe = checker->observe;
            audience->seats[audience->count++].state = state;
        }
    }
}

static const struct aq_books_audience *audience_of(const struct aq_ledger *ledger,
                                                   const struct aq_observation *seen) {
    uint32_t detail = seen->kind == AQ_SEEN_TAP ? seen->tap->kind : has_action(seen->kind) ? seen->action : 0;
    AQ_ASSERT(detail < AQ_BOOKS_DETAILS);
    return &ledger->audiences[seen->kind][detail];
}

/* Gives an observer its state, and its seat if it hears anything. */
static int open_state(struct aq_ledger *ledger, const struct aq_checker *checker, bool hears, void **state) {
    *state = aq_alloc_zeroed(1, checker->state_bytes ? checker->state_bytes : 1);
    if (!*state) return AQ_ENOMEM;
    int rc = checker->init ? checker->init(*state, ledger) : 0;
    if (!rc && hears) seat(ledger, checker, *state);
    return rc;
}

static int open_checks(struct aq_ledger *ledger) {
    for (uint32_t i = 0; i < AQ_CHECK_COUNT; i++) {
        const struct aq_checker *checker = aq_checker_for(ledger->config.scenario, (enum aq_check)i);
        AQ_ASSERT(checker->check == i);
        ledger->checkers[i] = checker;
        bool hears = !aq_check_hears_nothing(ledger->config.scenario, (enum aq_check)i);
        int rc = open_state(ledger, checker, hears, &ledger->states[i]);
        if (rc) return rc;
    }
    return open_state(ledger, &aq_mark_watcher, true, &ledger->marks);
}

int aq_ledger_new(const struct aq_ledger_config *config, struct aq_ledger **out) {
    struct aq_ledger *ledger = aq_alloc_zeroed(1, sizeof *ledger);
    struct aq_books_server *last;
    int rc = AQ_ENOMEM;
    if (!ledger) return rc;
    ledger->config = *config;
    aq_pool_init(&ledger->cells, sizeof(struct aq_books_cell));
    aq_pool_init(&ledger->further, sizeof(struct aq_ledger_copy));
    aq_arena_init(&ledger->texts);
    ledger->forgotten = aq_alloc_zeroed(AQ_LEDGER_FORGOTTEN, sizeof *ledger->forgotten);
    if (!ledger->forgotten) goto failed;
    if (config->scenario->servers.count &&
        (rc = aq_books_server(ledger, config->scenario->servers.count - 1, &last)) != 0)
        goto failed;
    if ((rc = open_checks(ledger)) != 0) goto failed;
    *out = ledger;
    return 0;
failed:
    aq_ledger_free(ledger);
    return rc;
}

void aq_ledger_free(struct aq_ledger *ledger) {
    if (!ledger) return;
    for (uint32_t i = 0; i < AQ_CHECK_COUNT; i++) {
        if (ledger->states[i] && ledger->checkers[i]->close) ledger->checkers[i]->close(ledger->states[i]);
        aq_free(ledger->states[i]);
    }
    if (ledger->marks) aq_mark_watcher.close(ledger->marks);
    aq_free(ledger->marks);
    aq_pool_close(&ledger->cells);
    aq_pool_close(&ledger->further);
    aq_map_close(&ledger->by_token);
    aq_map_close(&ledger->by_hash);
    aq_arena_close(&ledger->texts);
    aq_free(ledger->forgotten);
    aq_free(ledger->servers);
    aq_free(ledger);
}

/* What an observation is about. */
static void find(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy **copy,
                 struct aq_ledger_job **job) {
    uint64_t hash = seen->job_hash, token = seen->token;
    if (seen->kind == AQ_SEEN_TAP) {
        hash = seen->tap->job_hash;
        token = seen->tap_token;
    } else if (seen->kind == AQ_SEEN_JOB_LOST && !hash)
        hash = aq_text_hash(seen->job);
    *copy = hash ? aq_ledger_copy_by_hash(ledger, hash) : NULL;
    if (!*copy && seen->kind == AQ_SEEN_TAP && seen->tap->former_id.len)
        *copy = aq_ledger_copy_by_hash(ledger, aq_text_hash(seen->tap->former_id));
    *job = *copy ? aq_books_job(ledger, (*copy)->job) : NULL;
    /* The id of a put's answer may be wrong, its token is not. */
    bool by_token = !*job || (seen->kind == AQ_SEEN_ANSWER && (*job)->token != token &&
                              (seen->action == AQ_ACTION_PUT || seen->action == AQ_ACTION_SET_PARENT_JOB));
    if (by_token) *job = aq_ledger_job_by_token(ledger, token);
}

static int take(struct aq_ledger *ledger, const struct aq_observation *seen, struct aq_ledger_copy *copy,
                struct aq_ledger_job *job) {
    struct aq_books_server *server;
    int rc = 0;
    switch (seen->kind) {
    case AQ_SEEN_CALL: return aq_books_call(ledger, seen, copy, job);
    case AQ_SEEN_ANSWER: return aq_books_answer(ledger, seen, copy, job);
    case AQ_SEEN_ABANDONED: return aq_books_abandoned(ledger, seen, copy, job);
    case AQ_SEEN_SEND: return aq_books_sent(ledger, seen, copy, job);
    case AQ_SEEN_TAP: return aq_books_tap(ledger, seen, copy, job);
    case AQ_SEEN_JOB_LOST: return aq_books_lost(ledger, seen, copy, job);
    case AQ_SEEN_SERVER_UP:
    case AQ_SEEN_SERVER_DOWN:
    case AQ_SEEN_SERVER_STOPPED:
    case AQ_SEEN_SERVER_RESUMED: return aq_books_server_changed(ledger, seen);
    case AQ_SEEN_FAULT:
    case AQ_SEEN_FAULT_END: return aq_books_fault(ledger, seen);
    case AQ_SEEN_CHOICE:
        if (seen->server != AQ_NOBODY && (rc = aq_books_server(ledger, seen->server, &server)) == 0)
            server->choices++;
        return rc;
    default: return 0;
    }
}

static bool is_about_a_job(const struct aq_observation *seen) {
    return seen->kind <= AQ_SEEN_ABANDONED || seen->kind == AQ_SEEN_SEND || seen->kind == AQ_SEEN_TAP ||
           seen->kind == AQ_SEEN_JOB_LOST;
}

int aq_ledger_observe(struct aq_ledger *ledger, const struct aq_observation *seen) {
    AQ_ASSERT((uint32_t)seen->kind < AQ_SEEN_KIND_COUNT && seen->at_us >= ledger->now_us);
    struct aq_ledger_copy *copy = NULL;
    struct aq_ledger_job *job = NULL;
    ledger->now_us = seen->at_us;
    if (is_about_a_job(seen)) find(ledger, seen, &copy, &job);
    const struct aq_books_audience *audience = audience_of(ledger, seen);
    for (uint32_t i = 0; i < audience->count; i++) {
        int rc = audience->seats[i].observe(audience->seats[i].state, ledger, seen, copy, job);
        if (rc) return rc;
    }
    return take(ledger, seen, copy, job);
}

uint64_t aq_ledger_violations(const struct aq_ledger *ledger) {
    return ledger->violations_total;
}
uint64_t aq_ledger_completed(const struct aq_ledger *ledger) {
    return ledger->totals.completed;
}
uint64_t aq_ledger_alive(const struct aq_ledger *ledger) {
    return ledger->totals.alive;
}

aq_time_us aq_ledger_timer_slack_us(const struct aq_ledger *ledger) {
    return ledger->config.timer_slack_us;
}

const struct aq_scenario *aq_ledger_scenario(const struct aq_ledger *ledger) {
    return ledger->config.scenario;
}

const struct aq_eligible_sets *aq_ledger_eligible_sets(const struct aq_ledger *ledger) {
    return ledger->config.eligible_sets;
}

struct aq_ledger_job *aq_ledger_job_of(struct aq_ledger *ledger, const struct aq_ledger_copy *copy) {
    return aq_books_job(ledger, copy->job);
}

bool aq_ledger_copy_lost(const struct aq_ledger *ledger, const struct aq_ledger_copy *copy) {
    if (copy->gone) return copy->lost;
    return copy->server < ledger->server_count &&
           copy->incarnation < ledger->servers[copy->server].seen.lost_before;
}

/* With many jobs alive each line of a cell is a miss of its own: ask for all of them at once. */
static void prefetch_cell(const struct aq_ledger *ledger, uint32_t index) {
    const char *cell = aq_pool_at(&ledger->cells, index);
    for (size_t at = 0; at < sizeof(struct aq_books_cell); at += 64)
        __builtin_prefetch(cell + at, 1);
}

struct aq_ledger_copy *aq_ledger_copy_by_hash(struct aq_ledger *ledger, uint64_t hash) {
    uint32_t index;
    if (!aq_map_get(&ledger->by_hash, hash, &index)) return NULL;
    if (!(index & AQ_BOOKS_FURTHER)) prefetch_cell(ledger, index);
    return aq_books_copy(ledger, index);
}

struct aq_ledger_job *aq_ledger_job_by_token(struct aq_ledger *ledger, uint64_t token) {
    uint32_t index;
    if (!token) return NULL;
    return aq_map_get(&ledger->by_token, aq_map_mix(token), &index) ? aq_books_job(ledger, index) : NULL;
}

bool aq_ledger_forgot_token(const struct aq_ledger *ledger, uint64_t token) {
    uint32_t index;
    return token != 0 && token <= ledger->max_token &&
           !aq_map_get(&ledger->by_token, aq_map_mix(token), &index);
}

bool aq_ledger_forgot_hash(const struct aq_ledger *ledger, uint64_t hash) {
    const uint64_t *forgotten = aq_books_forgotten(ledger, hash);
    for (uint32_t i = 0; i < AQ_LEDGER_FORGOTTEN_WAYS; i++)
        if (hash != 0 && forgotten[i] == hash) return true;
    return false;
}

uint32_t aq_ledger_call_mark(uint64_t call) {
    if (!call) return 0;
    uint32_t mark = (uint32_t)aq_map_mix(call);
    return mark ? mark : 1;
}

uint32_t aq_ledger_call_of_tap(const struct aq_ledger_copy *copy, const struct aq_observation *seen) {
    if (seen->call) return aq_ledger_call_mark(seen->call);
    bool fits = copy->last_alone && copy->last_action == seen->tap->action &&
                (seen->client == AQ_NOBODY || seen->client == copy->last_client);
    return fits ? copy->last_call : 0;
}

int aq_ledger_each_copy(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_copy *copy),
                        void *arg) {
    int rc = 0;
    for (uint32_t i = 0; i < ledger->cells.used && !rc; i++)
        if (aq_books_copy(ledger, i)->used) rc = visit(arg, aq_books_copy(ledger, i));
    for (uint32_t i = 0; i < ledger->further.used && !rc; i++)
        if (aq_books_copy(ledger, i | AQ_BOOKS_FURTHER)->used)
            rc = visit(arg, aq_books_copy(ledger, i | AQ_BOOKS_FURTHER));
    return rc;
}

int aq_ledger_each_job(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_job *job),
                       void *arg) {
    int rc = 0;
    for (uint32_t i = 0; i < ledger->cells.used && !rc; i++)
        if (aq_books_job(ledger, i)->used) rc = visit(arg, aq_books_job(ledger, i));
    return rc;
}

const struct aq_ledger_server *aq_ledger_server(const struct aq_ledger *ledger, uint32_t server) {
    static const struct aq_ledger_server never_seen;
    return server < ledger->server_count ? &ledger->servers[server].seen : &never_seen;
}

uint32_t aq_ledger_faults_in_force(const struct aq_ledger *ledger, enum aq_fault_kind kind) {
    return ledger->faults_in_force[kind];
}

int aq_ledger_violation(struct aq_ledger *ledger, enum aq_check check, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job,
                        const char *cause) {
    uint64_t before = ledger->violations[check];
    if (before < AQ_STORIES_PER_CHECK) {
        struct aq_record_violation story = {.check = aq_check_word(check), .cause = cause};
        int rc = aq_story_tell(ledger, &story, seen, copy, job);
        if (rc) return rc;
        ledger->stories[check][before] = story;
    }
    if (before == 0) ledger->first_cause[check] = cause;
    ledger->violations[check]++;
    ledger->violations_total++;
    return 0;
}

uint64_t aq_ledger_violations_of(const struct aq_ledger *ledger, enum aq_check check) {
    return ledger->violations[check];
}

const char *aq_ledger_first_cause(const struct aq_ledger *ledger, enum aq_check check) {
    return ledger->first_cause[check];
}

const uint64_t *aq_ledger_marks(const struct aq_ledger *ledger) {
    return ledger->marks;
}

const struct aq_ledger_totals *aq_ledger_totals(const struct aq_ledger *ledger) {
    return &ledger->totals;
}
struct aq_ledger_totals *aq_ledger_totals_edit(struct aq_ledger *ledger) {
    return &ledger->totals;
}
