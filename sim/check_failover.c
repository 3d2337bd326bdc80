/* Failover: clients leave a server soon after it stops, and use it again after it returns.

   A watch is kept on each server from the moment it stops until every client has used it again. Its array has
   one word for each client: while the server is stopped, how late the client last chose it; afterwards,
   whether the client has come back to it, and if not, how many choices the client had made when it became
   fair to expect that.

   A client can learn that a server has stopped only by turning to it. So its budget counts from its first
   choice of the stopped server, in its present process. */
#include "sim/checks.h"
#include "sim/client_lists.h"

#include "base/assert.h"
#include "base/memory.h"

#include <string.h>

#define STILL_CHOSEN "still chosen after it stopped"
#define NEVER_USED   "never used again after it returned"
#define NOT_USED     "not used again by anyone after it returned"

/* Choices per server of its list that a client makes before it is blamed for never choosing one of them: a
   uniform client misses one of n servers in 24 n choices with a probability below e^-24, 4e-11. */
#define CHOICES_PER_SERVER 24
#define FLAG               (UINT64_C(1) << 63) /* while stopped: reported; afterwards: used again */

/* Faults that can keep a healthy server from looking well to its clients. */
#define BIT(kind) (UINT64_C(1) << AQ_FAULT_##kind)
#define HINDRANCES                                                                                           \
    (BIT(PAUSE) | BIT(SLOW) | BIT(ERROR_REPLY) | BIT(DROP_REQUEST) | BIT(DROP_REPLY) |                       \
     BIT(MALFORMED_REPLY) | BIT(TRUNCATED_REPLY) | BIT(EMPTY_REPLY) | BIT(WRONG_ID_REPLY) | BIT(LATENCY) |   \
     BIT(JITTER) | BIT(LOSS) | BIT(BANDWIDTH) | BIT(CHOP) | BIT(CORRUPT) | BIT(SLOW_CLOSE) |                 \
     BIT(PARTITION) | BIT(RESET) | BIT(REFUSED) | BIT(HALF_OPEN) | BIT(CLIENT_CLOCK_JUMP))

struct watch {
    uint32_t server;
    aq_time_us stopped_us;
    aq_time_us returned_us; /* AQ_TIME_NEVER while it is stopped */
    aq_time_us settle_us;   /* when choices start to count; AQ_TIME_NEVER while they must not */
    bool settled;           /* they count: the array holds snapshots of choices_of */
    uint32_t used_by;       /* clients that use it again */
    uint64_t *of_client;    /* owned; kept when the watch is free */
    aq_time_us *first_us;   /* owned likewise, by client: its first choice of the stopped server; 0: none */
    uint32_t next;          /* free list */
};

struct failover {
    const struct aq_scenario *scenario;
    struct aq_client_lists lists;
    uint32_t servers, clients;
    uint8_t *stopped;     /* by server: bits DOWN and PAUSED */
    bool *sent_away;      /* by server: clients were told to drain it, or it sent them elsewhere */
    uint32_t *watch_of;   /* by server: index of its watch plus one */
    uint64_t *choices_of; /* by client */
    bool *in_force;       /* by fault */
    uint32_t fault_count; /* of them; more faults may come during the run */
    struct watch *watches;
    uint32_t watch_count, watch_capacity, first_free; /* first_free: index plus one */
    aq_time_us next_settle_us;
    struct aq_histogram leave, comeback;
    aq_time_us first_use_max_us;
    aq_time_us clock_us; /* how long a client's clock may have stood still: the longest jump so far */
    uint64_t stops, returns, choices, retries, excused, late, unused;
};

enum { DOWN = 1, PAUSED = 2 };

static int init(void *state, const struct aq_ledger *ledger) {
    struct failover *f = state;
    f->scenario = aq_ledger_scenario(ledger);
    f->servers = f->scenario->servers.count;
    f->clients = f->scenario->clients.count;
    f->next_settle_us = AQ_TIME_NEVER;
    int rc = aq_client_lists_init(&f->lists, f->scenario);
    if (!rc) rc = aq_histogram_init(&f->leave);
    if (!rc) rc = aq_histogram_init(&f->comeback);
    if (rc) return rc;
    f->stopped = aq_alloc_zeroed((size_t)f->servers + 1, sizeof *f->stopped);
    f->sent_away = aq_alloc_zeroed((size_t)f->servers + 1, sizeof *f->sent_away);
    f->watch_of = aq_alloc_zeroed((size_t)f->servers + 1, sizeof *f->watch_of);
    f->choices_of = aq_alloc_zeroed((size_t)f->clients + 1, sizeof *f->choices_of);
    f->fault_count = f->scenario->fault_count;
    f->in_force = aq_alloc_zeroed((size_t)f->fault_count + 1, sizeof *f->in_force);
    return f->stopped && f->sent_away && f->watch_of && f->choices_of && f->in_force ? 0 : AQ_ENOMEM;
}

static void close_state(void *state) {
    struct failover *f = state;
    aq_client_lists_close(&f->lists);
    if (f->leave.buckets) aq_histogram_close(&f->leave);
    if (f->comeback.buckets) aq_histogram_close(&f->comeback);
    for (uint32_t i = 0; i < f->watch_count; i++) {
        aq_free(f->watches[i].of_client);
        aq_free(f->watches[i].first_us);
    }
    aq_free(f->stopped);
    aq_free(f->sent_away);
    aq_free(f->watch_of);
    aq_free(f->choices_of);
    aq_free(f->in_force);
    aq_free(f->watches);
}

/* ---- watches ---- */

static int watch_new(struct failover *f, uint32_t server, struct watch **out) {
    if (!f->first_free) {
        int rc =
            aq_array_reserve(&f->watches, &f->watch_capacity, (size_t)f->watch_count + 1, sizeof *f->watches);
        if (rc) return rc;
        struct watch *made = &f->watches[f->watch_count++];
        *made = (struct watch){.server = AQ_NOBODY, .settle_us = AQ_TIME_NEVER};
        made->of_client = aq_alloc(((size_t)f->clients + 1) * sizeof *made->of_client);
        made->first_us = aq_alloc(((size_t)f->clients + 1) * sizeof *made->first_us);
        if (!made->of_client || !made->first_us) return AQ_ENOMEM;
        f->first_free = f->watch_count;
    }
    struct watch *watch = &f->watches[f->first_free - 1];
    f->watch_of[server] = f->first_free;
    f->first_free = watch->next;
    *watch = (struct watch){.server = server,
                            .returned_us = AQ_TIME_NEVER,
                            .settle_us = AQ_TIME_NEVER,
                            .of_client = watch->of_client,
                            .first_us = watch->first_us};
    memset(watch->of_client, 0, f->clients * sizeof *watch->of_client);
    memset(watch->first_us, 0, f->clients * sizeof *watch->first_us);
    *out = watch;
    return 0;
}

static void watch_free(struct failover *f, struct watch *watch) {
    f->watch_of[watch->server] = 0;
    watch->server = AQ_NOBODY;
    watch->settle_us = AQ_TIME_NEVER;
    watch->next = f->first_free;
    f->first_free = (uint32_t)(watch - f->watches) + 1;
}

static struct watch *watch_on(struct failover *f, uint32_t server) {
    return server < f->servers && f->watch_of[server] ? &f->watches[f->watch_of[server] - 1] : NULL;
}

/* ---- a server that has returned ---- */

/* May the fault strike the server? Those that are drawn may be any. */
static bool may_strike(const struct aq_fault_spec *fault, uint32_t server) {
    if (!fault->servers.given || fault->servers.index_count == 0) return true;
    for (uint32_t i = 0; i < fault->servers.index_count; i++)
        if (fault->servers.indexes[i] == server) return true;
    return false;
}

static bool concerns(const struct aq_fault_spec *fault, uint32_t server) {
    return HINDRANCES >> fault->kind & 1 && may_strike(fault, server);
}

static bool is_hindered(const struct failover *f, uint32_t server) {
    for (uint32_t i = 0; i < f->scenario->fault_count; i++)
        if (f->in_force[i] && concerns(&f->scenario->faults[i], server)) return true;
    return false;
}

/* Choices count from the budget after now_us on, or after the last hindrance has ended. */
static void settle_later(struct failover *f, struct watch *watch, aq_time_us now_us) {
    watch->settled = false;
    watch->settle_us = is_hindered(f, watch->server)
                           ? AQ_TIME_NEVER
                           : aq_time_after(now_us, f->scenario->budgets.failover_return_us);
    f->next_settle_us = aq_time_min(f->next_settle_us, watch->settle_us);
}

static void settle_due(struct failover *f, aq_time_us now_us) {
    f->next_settle_us = AQ_TIME_NEVER;
    for (uint32_t i = 0; i < f->watch_count; i++) {
        struct watch *watch = &f->watches[i];
        if (watch->server == AQ_NOBODY || watch->settled || watch->settle_us == AQ_TIME_NEVER) continue;
        if (watch->settle_us > now_us) {
            f->next_settle_us = aq_time_min(f->next_settle_us, watch->settle_us);
            continue;
        }
        watch->settled = true;
        for (uint32_t client = 0; client < f->clients; client++)
            if (!(watch->of_client[client] & FLAG)) watch->of_client[client] = f->choices_of[client];
    }
}

static uint32_t longest_list(const struct aq_scenario *scenario) {
    uint32_t longest = scenario->servers.count;
    for (uint32_t i = 0; i < scenario->clients.group_count; i++)
        if (scenario->clients.groups[i].server_count > longest)
            longest = scenario->clients.groups[i].server_count;
    return longest;
}

static int blame(struct failover *f, struct aq_ledger *ledger, const struct watch *watch, uint32_t client,
                 const char *cause) {
    struct aq_observation seen = {.at_us = watch->settle_us,
                                  .kind = AQ_SEEN_CHOICE,
                                  .caller = AQ_NOBODY,
                                  .client = client,
                                  .server = watch->server,
                                  .address = watch->server,
                                  .action = AQ_ACTION_GET};
    f->unused++;
    return aq_ledger_violation(ledger, AQ_CHECK_FAILOVER, &seen, NULL, NULL, cause);
}

/* Blames the clients that had ample opportunity and did not use the server; or all of them together. */
static int judge_return(struct failover *f, struct aq_ledger *ledger, struct watch *watch) {
    if (!watch->settled || f->sent_away[watch->server]) return 0;
    uint64_t enough = (uint64_t)CHOICES_PER_SERVER * longest_list(f->scenario), together = 0,
             before = f->unused;
    for (uint32_t client = 0; client < f->clients; client++) {
        if (watch->of_client[client] & FLAG) continue;
        uint64_t choices = f->choices_of[client] - watch->of_client[client];
        if (choices == 0) continue;
        if (aq_client_lists_standing(&f->lists, client, watch->server) != AQ_STANDING_MEMBER) continue;
        together += choices;
        if (choices < enough) continue;
        int rc = blame(f, ledger, watch, client, NEVER_USED);
        if (rc) return rc;
    }
    if (f->unused > before || watch->used_by || together < enough) return 0;
    return blame(f, ledger, watch, AQ_NOBODY, NOT_USED);
}

/* ---- stops and returns ---- */

static int stopped(struct failover *f, struct aq_ledger *ledger, uint32_t server, aq_time_us now_us) {
    struct watch *watch = watch_on(f, server);
    if (watch) {
        int rc = judge_return(f, ledger, watch);
        if (rc) return rc;
        watch_free(f, watch);
    }
    int rc = watch_new(f, server, &watch);
    if (rc) return rc;
    watch->stopped_us = now_us;
    f->stops++;
    return 0;
}

/* Takes the leave times of all clients that know the server into the histogram. */
static void count_leave_times(struct failover *f, const struct watch *watch) {
    for (uint32_t client = 0; client < f->clients; client++)
        if (aq_client_lists_standing(&f->lists, client, watch->server) == AQ_STANDING_MEMBER)
            aq_histogram_record(&f->leave, watch->of_client[client] & ~FLAG);
}

static void returned(struct failover *f, uint32_t server, aq_time_us now_us) {
    struct watch *watch = watch_on(f, server);
    AQ_ASSERT(watch);
    count_leave_times(f, watch);
    memset(watch->of_client, 0, f->clients * sizeof *watch->of_client);
    watch->returned_us = now_us;
    f->returns++;
    settle_later(f, watch, now_us);
}

static int server_changed(struct failover *f, struct aq_ledger *ledger, const struct aq_observation *seen) {
    /* Of servers that share an address none is missed while another is up. */
    if (seen->server >= f->servers || seen->server < f->scenario->servers.shared_identity) return 0;
    uint8_t *bits = &f->stopped[seen->server], before = *bits;
    switch (seen->kind) {
    case AQ_SEEN_SERVER_DOWN: *bits |= DOWN; break;
    case AQ_SEEN_SERVER_STOPPED: *bits |= PAUSED; break;
    case AQ_SEEN_SERVER_RESUMED: *bits &= (uint8_t)~PAUSED; break;
    default: *bits = 0; /* a new process */
    }
    if (!before && *bits) return stopped(f, ledger, seen->server, seen->at_us);
    if (before && !*bits) returned(f, seen->server, seen->at_us);
    return 0;
}

/* ---- choices ---- */

/* True if the client saw a server that runs among those to choose from. */
static bool had_another(const struct failover *f, const struct aq_eligible_sets *sets, uint32_t set) {
    AQ_ASSERT(set < sets->count);
    for (uint32_t i = sets->offsets[set]; i < sets->offsets[set + 1]; i++)
        if (sets->members[i] < f->servers && !f->stopped[sets->members[i]]) return true;
    return false;
}

static int chosen_while_stopped(struct failover *f, struct aq_ledger *ledger, struct watch *watch,
                                const struct aq_observation *seen) {
    if (!had_another(f, aq_ledger_eligible_sets(ledger), seen->eligible_set)) {
        f->excused++;
        return 0;
    }
    aq_time_us span_us = seen->at_us - watch->stopped_us, *first_us = &watch->first_us[seen->client];
    if (*first_us == 0) *first_us = seen->at_us;
    uint64_t *word = &watch->of_client[seen->client];
    aq_time_us budget_us = aq_time_after(f->scenario->budgets.failover_leave_us, f->clock_us);
    bool late = seen->at_us - *first_us > budget_us, reported = *word & FLAG;
    *word = span_us | (late || reported ? FLAG : 0);
    if (!late || reported) return 0;
    f->late++;
    return aq_ledger_violation(ledger, AQ_CHECK_FAILOVER, seen, NULL, NULL, STILL_CHOSEN);
}

/* What it had learnt is gone with its process. */
static void client_gone(struct failover *f, uint32_t client) {
    aq_client_lists_restart(&f->lists, client);
    for (uint32_t i = 0; i < f->watch_count; i++)
        f->watches[i].first_us[client] = 0;
}

static void chosen_again(struct failover *f, struct watch *watch, const struct aq_observation *seen) {
    uint64_t *word = &watch->of_client[seen->client];
    if (*word & FLAG) return;
    *word = FLAG;
    aq_time_us span_us = seen->at_us - watch->returned_us;
    if (watch->used_by++ == 0 && span_us > f->first_use_max_us) f->first_use_max_us = span_us;
    aq_histogram_record(&f->comeback, span_us);
    if (watch->used_by == f->clients) watch_free(f, watch);
}

static int choice_seen(struct failover *f, struct aq_ledger *ledger, const struct aq_observation *seen) {
    AQ_ASSERT(seen->client < f->clients);
    if (seen->at_us >= f->next_settle_us) settle_due(f, seen->at_us);
    bool retry = seen->eligible_set >= aq_ledger_eligible_sets(ledger)->count; /* it names no set */
    if (!retry) {
        f->choices++;
        f->choices_of[seen->client]++;
    }
    struct watch *watch = watch_on(f, seen->server);
    if (!watch) return 0;
    bool stops = watch->returned_us == AQ_TIME_NEVER;
    if (retry && stops) f->retries++; /* it may have tried all others: counted, not judged */
    if (retry && stops) return 0;
    if (stops) return chosen_while_stopped(f, ledger, watch, seen);
    chosen_again(f, watch, seen);
    return 0;
}

/* ---- faults that hinder clients from seeing that a server is well ---- */

static int make_room_for_fault(struct failover *f, uint32_t fault) {
    if (fault < f->fault_count) return 0;
    uint32_t count = fault * 2 + 1;
    bool *in_force = aq_realloc(f->in_force, count * sizeof *in_force);
    if (!in_force) return AQ_ENOMEM;
    memset(in_force + f->fault_count, 0, (count - f->fault_count) * sizeof *in_force);
    f->in_force = in_force;
    f->fault_count = count;
    return 0;
}

/* A client whose clock is set back waits so much longer for a reply before it doubts the server. */
static void note_clock(struct failover *f, const struct aq_fault_spec *fault) {
    aq_time_us span_us = (aq_time_us)(fault->jump_us < 0 ? -fault->jump_us : fault->jump_us);
    if (fault->kind == AQ_FAULT_CLIENT_CLOCK_JUMP && span_us > f->clock_us) f->clock_us = span_us;
}

/* Whoever left the server on order need not come back when a new list still has it. */
static void note_sent_away(struct failover *f, const struct aq_fault_spec *fault) {
    for (uint32_t server = 0; fault->kind == AQ_FAULT_REDIRECT && server < f->servers; server++)
        f->sent_away[server] |= may_strike(fault, server);
    if (fault->kind == AQ_FAULT_DRAIN && fault->server_list[0] < f->servers)
        f->sent_away[fault->server_list[0]] = true;
}

static int fault_changed(struct failover *f, struct aq_ledger *ledger, const struct aq_observation *seen) {
    bool healed = seen->kind == AQ_SEEN_HEALED;
    const struct aq_fault_spec *fault = healed ? NULL : &f->scenario->faults[seen->fault];
    AQ_ASSERT(healed || seen->fault < f->scenario->fault_count);
    int grown = healed ? 0 : make_room_for_fault(f, seen->fault);
    if (grown) return grown;
    if (!healed) {
        note_clock(f, fault);
        note_sent_away(f, fault);
    }
    if (healed)
        memset(f->in_force, 0, f->fault_count * sizeof *f->in_force);
    else
        f->in_force[seen->fault] = seen->kind == AQ_SEEN_FAULT;
    for (uint32_t i = 0; i < f->watch_count; i++) {
        struct watch *watch = &f->watches[i];
        if (watch->server == AQ_NOBODY || watch->returned_us == AQ_TIME_NEVER) continue;
        if (healed ? watch->settled || watch->settle_us != AQ_TIME_NEVER : !concerns(fault, watch->server))
            continue;
        /* What was seen until now still counts, unless it is so little that frequent faults would make this
         * expensive. */
        if (watch->settled && seen->at_us - watch->settle_us >= f->scenario->budgets.failover_return_us) {
            int rc = judge_return(f, ledger, watch);
            if (rc) return rc;
        }
        settle_later(f, watch, seen->at_us);
    }
    return 0;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct failover *f = state;
    (void)copy, (void)job;
    if (f->scenario->balancer != AQ_BALANCER_NONE) return 0;
    switch (seen->kind) {
    case AQ_SEEN_CHOICE: return choice_seen(f, ledger, seen);
    case AQ_SEEN_TOLD: return aq_client_lists_tell(&f->lists, seen->client, seen->address, seen->member);
    case AQ_SEEN_CLIENT_DOWN: client_gone(f, seen->client); return 0;
    case AQ_SEEN_FAULT:
    case AQ_SEEN_FAULT_END:
    case AQ_SEEN_HEALED: return fault_changed(f, ledger, seen);
    default: return server_changed(f, ledger, seen);
    }
}

/* ---- the verdict ---- */

static int close_watches(struct failover *f, struct aq_ledger *ledger) {
    for (uint32_t i = 0; i < f->watch_count; i++) {
        struct watch *watch = &f->watches[i];
        if (watch->server == AQ_NOBODY) continue;
        if (watch->returned_us == AQ_TIME_NEVER) count_leave_times(f, watch);
        int rc = judge_return(f, ledger, watch);
        if (rc) return rc;
        watch_free(f, watch);
    }
    return 0;
}

static int add_figures(const struct failover *f, struct aq_record *record, struct aq_record_check *out) {
    const struct aq_record_figure figures[] = {
        {"leave_p50_s", (double)aq_histogram_quantile(&f->leave, 0.5) / 1e6},
        {"leave_p99_s", (double)aq_histogram_quantile(&f->leave, 0.99) / 1e6},
        {"leave_max_s", f->leave.count ? (double)f->leave.max_us / 1e6 : 0},
        {"return_first_max_s", (double)f->first_use_max_us / 1e6},
        {"return_p50_s", (double)aq_histogram_quantile(&f->comeback, 0.5) / 1e6},
        {"return_max_s", f->comeback.count ? (double)f->comeback.max_us / 1e6 : 0},
        {"stops", (double)f->stops},
        {"returns", (double)f->returns},
        {"choices_excused", (double)f->excused},
        {"retries_while_stopped", (double)f->retries},
    };
    return aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
}

static const char *remark_of(const struct failover *f, struct aq_record *record) {
    if (f->scenario->balancer != AQ_BALANCER_NONE)
        return "behind a load balancer clients do not see the servers: not applicable";
    if (f->stops == 0) return "no server stopped: not applicable";
    if (f->choices == 0) return "no client chose a server";
    if (f->late + f->unused == 0) return "";
    return aq_record_text(
        record,
        "%llu times a client still chose a server more than %.3f s after it could know that it had stopped, %llu times a "
        "server was not used again after it returned",
        (unsigned long long)f->late, (double)f->scenario->budgets.failover_leave_us / 1e6,
        (unsigned long long)f->unused);
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct failover *f = state;
    int rc = close_watches(f, ledger);
    if (rc) return rc;
    if (!record->clients.failover.buckets && (rc = aq_histogram_init(&record->clients.failover))) return rc;
    aq_histogram_add(&record->clients.failover, &f->leave);
    out->judged = f->choices ? f->leave.count : 0;
    out->verdict = f->late + f->unused ? AQ_VERDICT_FAIL : AQ_VERDICT_PASS;
    if (f->stops && f->choices == 0) out->verdict = AQ_VERDICT_UNKNOWN;
    out->remark = remark_of(f, record);
    return out->remark ? add_figures(f, record, out) : AQ_ENOMEM;
}

const struct aq_checker aq_check_failover = {
    .check = AQ_CHECK_FAILOVER,
    .holds_when =
        "clients leave a server within the budget after it stops, and use it again after it returns",
    .interests = 1u << AQ_SEEN_CHOICE | 1u << AQ_SEEN_TOLD | 1u << AQ_SEEN_CLIENT_DOWN | 1u << AQ_SEEN_FAULT |
                 1u << AQ_SEEN_FAULT_END | 1u << AQ_SEEN_HEALED | 1u << AQ_SEEN_SERVER_UP |
                 1u << AQ_SEEN_SERVER_DOWN | 1u << AQ_SEEN_SERVER_STOPPED | 1u << AQ_SEEN_SERVER_RESUMED,
    .state_bytes = sizeof(struct failover),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
