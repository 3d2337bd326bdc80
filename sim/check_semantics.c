/* Semantics: servers keep what AllQueue promises about priority, delay, leases, limits, pause, throttle,
   workflows, fair queues and idle tubes. All of it is read from what servers did; requests and replies play
   no part. */
#include "sim/semantics.h"

#include "base/memory.h"
#include "base/real.h"

static const struct aq_semantics_rule *const rules[] = {
    &aq_semantics_priority, &aq_semantics_delay,    &aq_semantics_lease,    &aq_semantics_limit,
    &aq_semantics_pause,    &aq_semantics_throttle, &aq_semantics_workflow, &aq_semantics_fair,
    &aq_semantics_reaper,   &aq_semantics_asked,
};
#define RULES (sizeof rules / sizeof *rules)

/* Commands of one sort, whose requests may overtake one another. */
struct orders {
    uint32_t open;       /* asked and not ended yet */
    aq_time_us asked_us; /* when the last was asked */
    bool unsure;         /* one ended without anyone knowing how: what it asked for may still come true */
};

enum { PAUSES, THROTTLES, ORDERS };

struct check {
    struct aq_semantics shared;
    struct orders orders[ORDERS];
    aq_time_us changed_us;             /* when the fleet last changed, plus 1; 0: never */
    void *states[RULES];               /* owned; each begins with struct aq_semantics_counts */
    uint16_t interested[AQ_TAP_COUNT]; /* bits 1 << index of the rules that a tap is shown to */
};
_Static_assert(RULES <= 16, "interested holds a bit for each rule");

/* ---- what rules share ---- */

/* A span that fewer than one draw of 10^12 is longer than. */
static aq_time_us longest_us(const struct aq_distribution *d) {
    double us = d->a_us;
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT: break;
    case AQ_DISTRIBUTION_UNIFORM: us = d->b_us; break;
    case AQ_DISTRIBUTION_EXPONENTIAL: us = d->a_us * 28; break;                   /* e^-28 */
    case AQ_DISTRIBUTION_LOGNORMAL: us = d->a_us * aq_exp(d->shape * 7.1); break; /* 7.1 sigma */
    case AQ_DISTRIBUTION_PARETO: us = d->a_us * aq_exp(28 / d->shape); break;
    case AQ_DISTRIBUTION_EMPIRICAL: us = d->quantiles_us[d->quantile_count - 1]; break;
    }
    return us < 1e15 ? (aq_time_us)us + 1 : AQ_TIME_NEVER;
}

aq_time_us aq_semantics_slack_us(const struct aq_semantics *s, aq_time_us sweep_us) {
    const struct aq_server_section *servers = &s->scenario->servers;
    aq_time_us slack_us = sweep_us;
    if (servers->policy.whole_seconds) slack_us = aq_time_after(slack_us, AQ_US_PER_S);
    if (servers->persistent) slack_us = aq_time_after(slack_us, longest_us(&servers->persist));
    slack_us = aq_time_after(slack_us, sweep_us ? 100 * AQ_US_PER_MS : AQ_SEMANTICS_EXACT_US);
    return aq_time_after(slack_us, aq_ledger_timer_slack_us(s->ledger));
}

bool aq_semantics_late(const struct aq_semantics *s, uint32_t server, aq_time_us due_us, aq_time_us slack_us,
                       aq_time_us at_us) {
    const struct aq_semantics_server *at = &s->servers[server];
    if (at->down || at->stopped) return false;
    aq_time_us from_us = due_us > at->awake_us ? due_us : at->awake_us;
    return at_us > aq_time_after(from_us, slack_us);
}

/* A scenario that may wipe a disk says so by one of its faults. */
static bool disks_last(const struct aq_scenario *scenario) {
    for (uint32_t i = 0; i < scenario->fault_count; i++)
        if (scenario->faults[i].disk_lost || scenario->faults[i].kind == AQ_FAULT_DISK_FULL) return false;
    return scenario->servers.persistent;
}

bool aq_semantics_outlives(const struct aq_semantics *s, aq_time_us told_us) {
    return disks_last(s->scenario) && aq_time_after(told_us, s->saving_us) < s->last_us;
}

bool aq_semantics_judgeable(const struct aq_semantics *s, uint32_t server) {
    return server < s->server_count && !aq_ledger_server(s->ledger, server)->clock_jumped;
}

int aq_semantics_bad(struct aq_semantics *s, const struct aq_semantics_tap *tap, const char *cause) {
    return aq_ledger_violation(s->ledger, AQ_CHECK_SEMANTICS, tap->seen, tap->copy, tap->job, cause);
}

int aq_semantics_bad_copy(struct aq_semantics *s, uint64_t job_hash, const char *cause) {
    struct aq_ledger_copy *copy = aq_ledger_copy_by_hash(s->ledger, job_hash);
    return aq_ledger_violation(s->ledger, AQ_CHECK_SEMANTICS, NULL, copy,
                               copy ? aq_ledger_job_of(s->ledger, copy) : NULL, cause);
}

/* ---- the check ---- */

static int init(void *state, const struct aq_ledger *ledger) {
    struct check *c = state;
    struct aq_semantics *s = &c->shared;
    s->scenario = aq_ledger_scenario(ledger);
    s->ledger = (struct aq_ledger *)ledger; /* only read until the first observation */
    s->server_count = s->scenario->servers.count;
    s->one_fleet = s->scenario->clients.group_count == 0 && s->scenario->balancer == AQ_BALANCER_NONE &&
                   s->scenario->servers.shared_identity < 2;
    s->saving_us = longest_us(&s->scenario->servers.persist);
    s->servers = aq_alloc_zeroed((size_t)s->server_count + 1, sizeof *s->servers);
    int rc = s->servers ? 0 : AQ_ENOMEM;
    for (size_t i = 0; i < RULES && !rc; i++) {
        c->states[i] = aq_alloc_zeroed(1, rules[i]->state_bytes);
        rc = c->states[i] ? 0 : AQ_ENOMEM;
        if (!rc && rules[i]->init) rc = rules[i]->init(c->states[i], s);
        for (uint32_t kind = 0; kind < AQ_TAP_COUNT; kind++)
            if (rules[i]->taps >> kind & 1) c->interested[kind] |= (uint16_t)(1u << i);
    }
    return rc;
}

static void close_state(void *state) {
    struct check *c = state;
    for (size_t i = 0; i < RULES; i++) {
        if (c->states[i] && rules[i]->close) rules[i]->close(c->states[i]);
        aq_free(c->states[i]);
    }
    aq_free(c->shared.servers);
}

static int tap_seen(struct check *c, const struct aq_semantics_tap *tap) {
    int rc = 0;
    for (uint32_t left = c->interested[tap->seen->tap->kind]; left && !rc; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        rc = rules[i]->tap(c->states[i], &c->shared, tap);
    }
    return rc;
}

static int command_done(struct check *c, const struct aq_observation *seen) {
    int rc = 0;
    for (size_t i = 0; i < RULES && !rc; i++)
        if (rules[i]->command) rc = rules[i]->command(c->states[i], &c->shared, seen);
    return rc;
}

static struct orders *orders_of(struct check *c, enum aq_action action) {
    return &c->orders[action == AQ_ACTION_THROTTLE ? THROTTLES : PAUSES];
}

static void asked(struct check *c, const struct aq_observation *seen) {
    struct orders *orders = orders_of(c, seen->action);
    orders->open++;
    orders->asked_us = seen->at_us;
    for (size_t i = 0; i < RULES; i++)
        if (rules[i]->asked) rules[i]->asked(c->states[i], &c->shared, seen);
}

/* A command has ended. What its caller was told of all servers can be held against them where no other
   command and no change of the fleet came in between. */
static int command_ended(struct check *c, const struct aq_observation *seen) {
    struct orders *orders = orders_of(c, seen->action);
    if (orders->open) orders->open--;
    if (seen->kind == AQ_SEEN_ABANDONED || seen->outcome == AQ_OUTCOME_UNKNOWN ||
        seen->outcome == AQ_OUTCOME_EMPTY)
        orders->unsure = true;
    if (!c->shared.one_fleet || seen->kind == AQ_SEEN_ABANDONED || !aq_answer_is_ok(seen)) return 0;
    bool alone = orders->open == 0 && orders->asked_us <= seen->called_us && !orders->unsure;
    return alone && c->changed_us <= seen->called_us ? command_done(c, seen) : 0;
}

static void fleet_changed(struct check *c) {
    c->changed_us = c->shared.last_us + 1;
    for (size_t i = 0; i < RULES; i++)
        if (rules[i]->fleet_changed) rules[i]->fleet_changed(c->states[i]);
}

static void server_changed(struct check *c, const struct aq_observation *seen) {
    struct aq_semantics_server *server = &c->shared.servers[seen->server];
    switch (seen->kind) {
    case AQ_SEEN_SERVER_DOWN:
        server->down = true;
        for (size_t i = 0; i < RULES; i++)
            if (rules[i]->forget) rules[i]->forget(c->states[i], &c->shared, seen->server);
        if (!disks_last(c->shared.scenario)) fleet_changed(c);
        return;
    case AQ_SEEN_SERVER_STOPPED: server->stopped = true; return;
    case AQ_SEEN_SERVER_UP: server->down = server->stopped = false; break;
    default: server->stopped = false;
    }
    server->awake_us = seen->at_us;
}

/* From now on what a client tells every server that it knows may not reach one that others use. */
static bool leaves_some_out(const struct check *c, const struct aq_observation *seen) {
    if (seen->kind == AQ_SEEN_TOLD) return !seen->member;
    return seen->kind == AQ_SEEN_FAULT && c->shared.scenario->faults[seen->fault].kind == AQ_FAULT_REDIRECT;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct check *c = state;
    c->shared.ledger = ledger;
    c->shared.last_us = seen->at_us;
    if (seen->kind == AQ_SEEN_TOLD && seen->member) fleet_changed(c);
    if (leaves_some_out(c, seen)) c->shared.one_fleet = false;
    if (seen->kind == AQ_SEEN_CALL && seen->is_command) asked(c, seen);
    if (seen->is_command && (seen->kind == AQ_SEEN_ANSWER || seen->kind == AQ_SEEN_ABANDONED))
        return command_ended(c, seen);
    bool ours = seen->kind == AQ_SEEN_TAP ||
                (seen->kind >= AQ_SEEN_SERVER_UP && seen->kind <= AQ_SEEN_SERVER_RESUMED);
    if (!ours || seen->server >= c->shared.server_count) return 0;
    if (seen->kind != AQ_SEEN_TAP) {
        server_changed(c, seen);
        return 0;
    }
    bool exact = !aq_ledger_server(ledger, seen->server)->clock_jumped;
    const struct aq_semantics_tap tap = {seen, copy, job, exact};
    return tap_seen(c, &tap);
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct check *c = state;
    struct aq_record_figure figures[2 * RULES];
    uint32_t count = 0;
    uint64_t judged = 0;
    int rc = 0;
    c->shared.ledger = ledger;
    for (size_t i = 0; i < RULES && !rc; i++) {
        if (rules[i]->finish) rc = rules[i]->finish(c->states[i], &c->shared);
        const struct aq_semantics_counts *counts = c->states[i];
        figures[count++] = (struct aq_record_figure){rules[i]->figure, (double)counts->judged};
        if (rules[i]->extra)
            figures[count++] = (struct aq_record_figure){rules[i]->extra, (double)counts->extra};
        judged += counts->judged;
    }
    if (!rc) rc = aq_check_figures(record, figures, count, out);
    return rc ? rc
              : aq_check_conclude(ledger, AQ_CHECK_SEMANTICS, record, judged, "no job was handed out", out);
}

const struct aq_checker aq_check_semantics = {
    .check = AQ_CHECK_SEMANTICS,
    .holds_when =
        "what puts ask for, priority, delay, ttl, limits, pause, throttle, workflows, fair queues and idle tubes do what AllQueue promises",
    .interests = 1u << AQ_SEEN_CALL | 1u << AQ_SEEN_ANSWER | 1u << AQ_SEEN_ABANDONED | 1u << AQ_SEEN_TAP |
                 1u << AQ_SEEN_TOLD | 1u << AQ_SEEN_FAULT | 1u << AQ_SEEN_SERVER_UP |
                 1u << AQ_SEEN_SERVER_DOWN | 1u << AQ_SEEN_SERVER_STOPPED | 1u << AQ_SEEN_SERVER_RESUMED,
    .actions = AQ_ACTION_BIT(PAUSE) | AQ_ACTION_BIT(UNPAUSE) | AQ_ACTION_BIT(THROTTLE),
    .state_bytes = sizeof(struct check),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
