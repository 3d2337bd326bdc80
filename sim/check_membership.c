/* Membership: a client turns only to servers that it has been told about, with new work not to those it was
   told to leave, and it leaves none out that works. */
#include "sim/checks.h"
#include "sim/client_lists.h"

#include "base/memory.h"

#define UNTOLD "talked to a server it was never told about"
#define LEFT   "chose a server it was told to leave"
#define UNUSED "never chose a server it was told about, which was up all the time"

/* So many choices for each server of a list, and a uniform client leaves one out once in e^50 runs. */
#define CHOICES_PER_SERVER_MIN 50

struct membership {
    struct aq_client_lists lists;
    uint8_t *special;   /* owned, by address: DRAINED, REDIRECTED */
    uint32_t addresses; /* entries in special */
    bool balanced;      /* the one address that clients know is the balancer's */
    uint64_t sends, choices, told;
    uint64_t untold, left, unused;
    uint64_t *chosen; /* owned: by first list and server, the choices of the clients with that list */
    bool *was_away;   /* owned, by server: it was down or stopped at some time */
    bool hidden;      /* a fault may have kept healthy servers out of reach */
};

/* Faults under which a client may rightly leave out a server that is up. */
static bool hides_servers(enum aq_fault_kind kind) {
    return kind != AQ_FAULT_CRASH && kind != AQ_FAULT_RESTART && kind != AQ_FAULT_PAUSE &&
           kind != AQ_FAULT_CLIENT_CRASH && kind != AQ_FAULT_WORKER_CRASH &&
           kind != AQ_FAULT_WORKER_OVERRUN && kind != AQ_FAULT_WORKER_REPEAT && kind != AQ_FAULT_HERD &&
           kind != AQ_FAULT_POISON_JOB && kind != AQ_FAULT_BURST && kind != AQ_FAULT_OVERSIZED_REPLY &&
           kind != AQ_FAULT_STALLED_SWEEPS && kind != AQ_FAULT_DISK_FULL;
}

enum {
    DRAINED = 1,    /* the scenario drains it: gets go on there until it is empty */
    REDIRECTED = 2, /* a server may have named it to any client */
};

static void mark(struct membership *m, const struct aq_fault_spec *fault, uint8_t bit) {
    for (uint32_t i = 0; i < fault->server_list_count; i++)
        m->special[fault->server_list[i]] |= bit;
}

static int mark_drained(struct membership *m, const struct aq_scenario *scenario) {
    for (uint32_t i = 0; i < scenario->fault_count; i++)
        for (uint32_t k = 0; k < scenario->faults[i].server_list_count; k++)
            if (scenario->faults[i].server_list[k] >= m->addresses)
                m->addresses = scenario->faults[i].server_list[k] + 1;
    for (uint32_t i = 0; i < scenario->command_count; i++)
        if (scenario->commands[i].server >= m->addresses) m->addresses = scenario->commands[i].server + 1;
    m->special = aq_alloc_zeroed((size_t)m->addresses + 1, sizeof *m->special);
    if (!m->special) return AQ_ENOMEM;
    for (uint32_t i = 0; i < scenario->fault_count; i++)
        if (scenario->faults[i].kind == AQ_FAULT_DRAIN) mark(m, &scenario->faults[i], DRAINED);
    for (uint32_t i = 0; i < scenario->command_count; i++)
        if (scenario->commands[i].kind == AQ_COMMAND_DRAIN)
            m->special[scenario->commands[i].server] |= DRAINED;
    return 0;
}

static int init(void *state, const struct aq_ledger *ledger) {
    struct membership *m = state;
    const struct aq_scenario *scenario = aq_ledger_scenario(ledger);
    m->balanced = scenario->balancer != AQ_BALANCER_NONE;
    size_t lists =
        (size_t)scenario->clients.group_count + 1; /* the last is that of the clients outside the groups */
    m->chosen = aq_alloc_zeroed(lists * scenario->servers.count, sizeof *m->chosen);
    m->was_away = aq_alloc_zeroed(scenario->servers.count, sizeof *m->was_away);
    for (uint32_t i = 0; m->was_away && i < scenario->servers.shared_identity; i++)
        m->was_away[i] = true; /* clients cannot tell it from the others at its address */
    int rc = m->chosen && m->was_away ? aq_client_lists_init(&m->lists, scenario) : AQ_ENOMEM;
    return rc ? rc : mark_drained(m, scenario);
}

static void close_state(void *state) {
    struct membership *m = state;
    aq_client_lists_close(&m->lists);
    aq_free(m->special);
    aq_free(m->chosen);
    aq_free(m->was_away);
}

static uint64_t *chosen_by(const struct membership *m, uint32_t list, uint32_t server) {
    return &m->chosen[(size_t)list * m->lists.scenario->servers.count + server];
}

static void count_choice(struct membership *m, uint32_t client, uint32_t server) {
    const struct aq_client_section *clients = &m->lists.scenario->clients;
    uint32_t group = aq_client_group_of(clients, client);
    ++*chosen_by(m, group < clients->group_count ? group : clients->group_count, server);
}

static bool is_special(const struct membership *m, uint32_t address, uint8_t bit) {
    return address < m->addresses && m->special[address] & bit;
}

/* What a redirecting server names is a member, also for a client that had been told to leave it before. */
static enum aq_standing standing_of(const struct membership *m, uint32_t client, uint32_t address) {
    if (is_special(m, address, REDIRECTED)) return AQ_STANDING_MEMBER;
    return aq_client_lists_standing(&m->lists, client, address);
}

static int send_seen(struct membership *m, struct aq_ledger *ledger, const struct aq_observation *seen,
                     const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    if (seen->address == AQ_NOBODY) return 0;
    m->sends++;
    if (standing_of(m, seen->client, seen->address) != AQ_STANDING_UNKNOWN) return 0;
    m->untold++;
    return aq_ledger_violation(ledger, AQ_CHECK_MEMBERSHIP, seen, copy, job, UNTOLD);
}

static int choice_seen(struct membership *m, struct aq_ledger *ledger, const struct aq_observation *seen) {
    uint32_t address = seen->server == AQ_NOBODY ? seen->address : seen->server;
    if (address == AQ_NOBODY) return 0;
    m->choices++;
    if (seen->server < m->lists.scenario->servers.count) count_choice(m, seen->client, seen->server);
    enum aq_standing standing = standing_of(m, seen->client, address);
    if (standing == AQ_STANDING_MEMBER) return 0;
    if (standing == AQ_STANDING_UNKNOWN) {
        m->untold++;
        return aq_ledger_violation(ledger, AQ_CHECK_MEMBERSHIP, seen, NULL, NULL, UNTOLD);
    }
    bool takes_out = seen->action == AQ_ACTION_GET || seen->action == AQ_ACTION_GET_MULTIPLE;
    if (takes_out && is_special(m, address, DRAINED)) return 0;
    m->left++;
    return aq_ledger_violation(ledger, AQ_CHECK_MEMBERSHIP, seen, NULL, NULL, LEFT);
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct membership *m = state;
    if (m->balanced) return 0;
    const struct aq_fault_spec *faults = m->lists.scenario->faults;
    switch (seen->kind) {
    case AQ_SEEN_FAULT:
        m->hidden = m->hidden || hides_servers(faults[seen->fault].kind);
        if (faults[seen->fault].kind == AQ_FAULT_REDIRECT) mark(m, &faults[seen->fault], REDIRECTED);
        return 0;
    case AQ_SEEN_SERVER_DOWN:
    case AQ_SEEN_SERVER_STOPPED:
        if (seen->server < m->lists.scenario->servers.count) m->was_away[seen->server] = true;
        return 0;
    case AQ_SEEN_SEND: return send_seen(m, ledger, seen, copy, job);
    case AQ_SEEN_CHOICE: return choice_seen(m, ledger, seen);
    case AQ_SEEN_CLIENT_DOWN: aq_client_lists_restart(&m->lists, seen->client); return 0;
    case AQ_SEEN_TOLD:
        m->told++;
        return aq_client_lists_tell(&m->lists, seen->client, seen->address, seen->member);
    default: return 0;
    }
}

static bool on_list(const struct aq_client_section *clients, uint32_t list, uint32_t server) {
    if (list == clients->group_count) return true;
    for (uint32_t i = 0; i < clients->groups[list].server_count; i++)
        if (clients->groups[list].servers[i] == server) return true;
    return false;
}

/* The servers that the clients with one list never chose. */
static int judge_list(struct membership *m, struct aq_ledger *ledger, uint32_t list) {
    const struct aq_scenario *s = m->lists.scenario;
    uint64_t choices = 0, servers = 0;
    for (uint32_t server = 0; server < s->servers.count; server++) {
        choices += *chosen_by(m, list, server);
        servers += on_list(&s->clients, list, server);
    }
    if (choices < CHOICES_PER_SERVER_MIN * servers) return 0;
    for (uint32_t server = 0; server < s->servers.count; server++) {
        bool excused = m->was_away[server] || !on_list(&s->clients, list, server);
        if (excused || *chosen_by(m, list, server)) continue;
        struct aq_observation seen = {
            .kind = AQ_SEEN_KIND_COUNT, .server = server, .client = AQ_NOBODY, .caller = AQ_NOBODY};
        m->unused++;
        int rc = aq_ledger_violation(ledger, AQ_CHECK_MEMBERSHIP, &seen, NULL, NULL, UNUSED);
        if (rc) return rc;
    }
    return 0;
}

/* Judged where nothing else explains that a client turns away from a server. */
static int judge_lists(struct membership *m, struct aq_ledger *ledger) {
    int rc = 0;
    if (m->balanced || m->hidden || m->told) return 0;
    for (uint32_t list = 0; !rc && list <= m->lists.scenario->clients.group_count; list++)
        rc = judge_list(m, ledger, list);
    return rc;
}

static const char *remark_of(const struct membership *m, struct aq_record *record) {
    if (m->balanced) return "behind a load balancer clients know its address alone: not applicable";
    if (m->sends + m->choices == 0) return "no client turned to any server";
    if (m->untold + m->left + m->unused == 0) return "";
    return aq_record_text(
        record,
        "%llu times at a server never told about, %llu times at one told to leave, %llu servers left out",
        (unsigned long long)m->untold, (unsigned long long)m->left, (unsigned long long)m->unused);
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct membership *m = state;
    int rc = judge_lists(m, ledger);
    if (rc) return rc;
    out->judged = m->sends + m->choices;
    out->verdict = m->untold + m->left + m->unused ? AQ_VERDICT_FAIL : AQ_VERDICT_PASS;
    if (out->judged == 0 && !m->balanced) out->verdict = AQ_VERDICT_UNKNOWN;
    out->remark = remark_of(m, record);
    if (!out->remark) return AQ_ENOMEM;
    const struct aq_record_figure figures[] = {
        {"sends", (double)m->sends}, {"choices", (double)m->choices}, {"told", (double)m->told}};
    return aq_check_figures(record, figures, sizeof figures / sizeof *figures, out);
}

const struct aq_checker aq_check_membership = {
    .check = AQ_CHECK_MEMBERSHIP,
    .holds_when = "a client talks only to servers it has been told about, and to each of them that works",
    .interests = 1u << AQ_SEEN_SEND | 1u << AQ_SEEN_CHOICE | 1u << AQ_SEEN_TOLD | 1u << AQ_SEEN_CLIENT_DOWN |
                 1u << AQ_SEEN_SERVER_DOWN | 1u << AQ_SEEN_SERVER_STOPPED | 1u << AQ_SEEN_FAULT,
    .state_bytes = sizeof(struct membership),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
