/* What only one of the two worlds can do. */
#include "scenarios/load.h"

/* Faults that act on bytes: the virtual network carries whole messages and knows no sizes. */
static bool needs_bytes(enum aq_fault_kind kind) {
    return kind == AQ_FAULT_BANDWIDTH || kind == AQ_FAULT_CHOP || kind == AQ_FAULT_CORRUPT ||
           kind == AQ_FAULT_SLOW_CLOSE;
}

/* Links are broken between all clients and servers, as the proxies cannot tell whose connection it is. */
static bool breaks_links(enum aq_fault_kind kind) {
    return kind >= AQ_FAULT_LATENCY && kind <= AQ_FAULT_HALF_OPEN;
}

static bool is_told_by_operator(enum aq_fault_kind kind) {
    return kind == AQ_FAULT_ADD_SERVER || kind == AQ_FAULT_UPDATE_SERVERS || kind == AQ_FAULT_DRAIN;
}

/* Clients that are other programs: what they do between their ports cannot be seen or changed. */
static int check_exec(const struct aq_scenario *s, struct aq_error *error) {
    for (uint32_t i = 0; i < s->fault_count; i++) {
        const struct aq_fault_spec *fault = &s->faults[i];
        const char *kind = aq_fault_word(fault->kind);
        if (breaks_links(fault->kind) && fault->clients.given)
            return aq_error_set(error, AQ_EUNSUPPORTED,
                                "faults[%u]: \"%s\" cannot tell the connections of single clients apart with "
                                "clients.exec: leave out clients",
                                i, kind);
        if (fault->kind == AQ_FAULT_CLIENT_CLOCK_JUMP)
            return aq_error_set(error, AQ_EUNSUPPORTED,
                                "faults[%u]: \"%s\" needs our own clients: leave out clients.exec", i, kind);
        if (is_told_by_operator(fault->kind) && s->clients.speak == AQ_DIALECT_REST)
            return aq_error_set(
                error, AQ_EUNSUPPORTED,
                "faults[%u]: AllQueue's REST has nothing for \"%s\": use it with clients.speak "
                "\"json_lines\"",
                i, kind);
    }
    bool rest = s->clients.speak == AQ_DIALECT_REST;
    if (rest && s->command_count)
        return aq_error_set(
            error, AQ_EUNSUPPORTED,
            "commands: AllQueue's REST has nothing for them: use clients.speak \"json_lines\"");
    if (rest && s->producers.parents.share > 0)
        return aq_error_set(
            error, AQ_EUNSUPPORTED,
            "producers.parents: AllQueue's REST cannot start what waits for its children: use "
            "clients.speak \"json_lines\"");
    if (s->required_marks.count == 0) return 0;
    return aq_error_set(error, AQ_EUNSUPPORTED, "require_marks: the clients of clients.exec show no marks");
}

/* Servers that are not ours: nothing of what they do can be seen or changed. */
static int check_connect(const struct aq_scenario *s, struct aq_error *error) {
    if (s->clients.exec)
        return aq_error_set(error, AQ_EUNSUPPORTED,
                            "servers.connect: it needs our own clients: leave out clients.exec");
    for (uint32_t i = 0; i < s->fault_count; i++) {
        enum aq_fault_kind kind = s->faults[i].kind;
        if (kind < AQ_FAULT_LATENCY || kind == AQ_FAULT_REDIRECT || kind == AQ_FAULT_BLANK_REQUEST)
            return aq_error_set(
                error, AQ_EUNSUPPORTED,
                "faults[%u]: \"%s\" acts inside servers, and those of servers.connect are not "
                "ours: break links, clients, workers or load, or leave out servers.connect",
                i, aq_fault_word(kind));
        if (s->faults[i].on_event)
            return aq_error_set(
                error, AQ_EUNSUPPORTED,
                "faults[%u].on: what the servers of servers.connect do cannot be seen: use at", i);
    }
    for (uint32_t i = 0; i < s->slo_count; i++)
        if (s->slos[i].kind == AQ_SLO_THROUGHPUT)
            return aq_error_set(
                error, AQ_EUNSUPPORTED,
                "slo[%u].throughput: what the servers of servers.connect complete cannot be seen: use "
                "latency or availability",
                i);
    return 0;
}

int aq_scenario_check_world(const struct aq_scenario *scenario, bool live, struct aq_error *error) {
    for (uint32_t i = 0; !live && i < scenario->fault_count; i++) {
        enum aq_fault_kind kind = scenario->faults[i].kind;
        if (needs_bytes(kind))
            return aq_error_set(error, AQ_EUNSUPPORTED, "faults[%u]: fault \"%s\" needs --world live", i,
                                aq_fault_word(kind));
    }
    if (!live && scenario->clients.exec)
        return aq_error_set(error, AQ_EUNSUPPORTED, "clients.exec: other programs need --world live");
    if (!live && scenario->servers.connect)
        return aq_error_set(error, AQ_EUNSUPPORTED, "servers.connect: real servers need --world live");
    int rc = scenario->servers.connect ? check_connect(scenario, error) : 0;
    return !rc && scenario->clients.exec ? check_exec(scenario, error) : rc;
}
