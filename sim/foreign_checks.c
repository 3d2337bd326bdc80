/* What cannot be seen of clients and servers that are other programs, and which checks judge what can. */
#include "sim/checks.h"

#define CHOICES "a foreign client's choices cannot be seen"
#define INSIDE  "what foreign servers do cannot be seen"

/* A check that is blind to something. */
struct blind {
    enum aq_check check;
    const char *why;
    bool none_needed;   /* a pass with nothing to judge stands: it is sure that there was nothing */
    bool seen_stands;   /* a pass with something to judge stands */
    bool hears_nothing; /* without what it is blind to it would take everything for a violation */
};

static const struct blind blind_to_clients[] = {
    {AQ_CHECK_FAILOVER, CHOICES, .none_needed = true},
    {AQ_CHECK_MEMBERSHIP, CHOICES},
};

static const struct blind blind_to_servers[] = {
    {AQ_CHECK_COMPLETION_ORIGIN, INSIDE, .hears_nothing = true},
    {AQ_CHECK_COMPLETION_ARRIVAL, INSIDE, .hears_nothing = true},
    {AQ_CHECK_NO_FALSE_ACK, INSIDE, .hears_nothing = true},
    {AQ_CHECK_SINGLE_LEASE, INSIDE, .hears_nothing = true},
    {AQ_CHECK_FAILOVER, "whether foreign servers stop cannot be seen", .seen_stands = true},
    {AQ_CHECK_PROGRESS, "which jobs are ready at foreign servers cannot be seen"},
    {AQ_CHECK_SEMANTICS, INSIDE, .hears_nothing = true},
};

extern const struct aq_checker aq_check_arrivals;
extern const struct aq_checker aq_check_conservation_answers, aq_check_duplicate_put_answers,
    aq_check_duplicate_execution_answers;

const struct aq_checker *aq_checker_for(const struct aq_scenario *scenario, enum aq_check check) {
    if (scenario->clients.exec && check == AQ_CHECK_DISTRIBUTION) return &aq_check_arrivals;
    if (scenario->servers.connect && check == AQ_CHECK_CONSERVATION) return &aq_check_conservation_answers;
    if (scenario->servers.connect && check == AQ_CHECK_DUPLICATE_PUT) return &aq_check_duplicate_put_answers;
    if (scenario->servers.connect && check == AQ_CHECK_DUPLICATE_EXECUTION)
        return &aq_check_duplicate_execution_answers;
    return aq_checkers[check];
}

bool aq_check_hears_nothing(const struct aq_scenario *scenario, enum aq_check check) {
    for (size_t i = 0; scenario->servers.connect && i < sizeof blind_to_servers / sizeof *blind_to_servers;
         i++)
        if (blind_to_servers[i].check == check) return blind_to_servers[i].hears_nothing;
    return false;
}

static void admit(const struct blind *rows, size_t count, enum aq_check check, struct aq_record_check *out) {
    for (size_t i = 0; i < count; i++) {
        const struct blind *row = &rows[i];
        bool stands =
            out->verdict == AQ_VERDICT_FAIL ||
            (out->verdict == AQ_VERDICT_PASS && (out->judged ? row->seen_stands : row->none_needed));
        if (row->check != check || stands) continue;
        out->verdict = AQ_VERDICT_UNKNOWN;
        out->remark = row->why;
    }
}

void aq_check_admit_blind(const struct aq_scenario *scenario, enum aq_check check,
                          struct aq_record_check *out) {
    if (scenario->clients.exec)
        admit(blind_to_clients, sizeof blind_to_clients / sizeof *blind_to_clients, check, out);
    if (scenario->servers.connect)
        admit(blind_to_servers, sizeof blind_to_servers / sizeof *blind_to_servers, check, out);
}
