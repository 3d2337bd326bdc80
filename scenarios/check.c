/* What no single key can show: sums, orders, and indexes that have to exist. */
#include "base/memory.h"
#include "scenarios/reader.h"
#include "scenarios/scenario.h"

#define WINDOWS_MAX   100000 /* counters over time are kept for each of them */
#define WORKFLOW_MAX  100000 /* jobs that follow from one arrival */
#define BEYOND_MAX    64     /* addresses with nothing behind them that a scenario may name */
#define BEYOND_TEXT   "servers (from servers.count on: addresses with nothing behind them)"
#define SUM_TOLERANCE 1e-9 /* 0.1 + 0.2 + 0.7 is to count as 1 */

/* Fails at a path that is given in full. */
#define FAIL_AT(r, where, ...) (aq_reader_enter(r, where), aq_reader_fail(r, AQ_EINVALID, __VA_ARGS__))

static int check_run(struct aq_reader *r, const struct aq_scenario *s) {
    uint64_t windows = s->duration_us / s->window_us + s->settle_us / s->window_us;
    if (windows <= WINDOWS_MAX) return 0;
    return FAIL_AT(r, "window",
                   "duration and settle hold %llu windows, allowed are at most %d: take a wider window",
                   (unsigned long long)windows, WINDOWS_MAX);
}

static int check_servers(struct aq_reader *r, const struct aq_scenario *s) {
    size_t length = aq_reader_enter(r, "servers");
    if (s->servers.shared_identity > s->servers.count)
        return FAIL_AT(r, "shared_identity", "found %u, there are %u servers", s->servers.shared_identity,
                       s->servers.count);
    if (s->servers.shared_identity > 1 && s->balancer != AQ_BALANCER_NONE)
        return FAIL_AT(r, "shared_identity", "it excludes a balancer, behind which clients know no server");
    aq_reader_leave(r, length);
    return 0;
}

static int check_workers(struct aq_reader *r, const struct aq_scenario *s) {
    const struct aq_worker_section *w = &s->workers;
    double sum = w->release_ratio + w->bury_ratio + w->delete_ratio + w->abandon_ratio;
    size_t length = aq_reader_enter(r, "workers");
    if (sum > 1 + SUM_TOLERANCE)
        return aq_reader_fail(
            r, AQ_EINVALID,
            "release_ratio, bury_ratio, delete_ratio and abandon_ratio add up to %.10g, allowed is at most 1",
            sum);
    if (aq_time_after(w->start_us, w->ramp_us) > s->duration_us)
        return FAIL_AT(r, "ramp", "the last worker would start after the end of duration");
    aq_reader_leave(r, length);
    return 0;
}

static int check_producers(struct aq_reader *r, const struct aq_scenario *s) {
    const struct aq_producer_section *p = &s->producers;
    size_t length = aq_reader_enter(r, "producers");
    if (p->stop_us > s->duration_us) return FAIL_AT(r, "stop", "it is after the end of duration");
    if (p->arrivals != AQ_ARRIVALS_NONE && p->start_us >= p->stop_us)
        return FAIL_AT(r, "start",
                       "it is not before stop, or not before the end of duration: no job would ever be put");
    aq_reader_leave(r, length);
    return 0;
}

static int check_network(struct aq_reader *r, const struct aq_scenario *s) {
    size_t length = aq_reader_enter(r, "network");
    if (s->network.retransmit_first_us > s->network.retransmit_max_us)
        return FAIL_AT(r, "retransmit_first", "it is longer than retransmit_max");
    aq_reader_leave(r, length);
    return 0;
}

static int check_policy(struct aq_reader *r, const struct aq_scenario *s) {
    size_t clients = aq_reader_enter(r, "clients"), length = aq_reader_enter(r, "policy");
    if (s->clients.policy.in_flight_per_server == 0)
        return FAIL_AT(r, "in_flight_per_server",
                       "found 0, allowed is 1 or more: no request would ever be sent");
    aq_time_us first_us = s->clients.policy.probe_first_us;
    if (first_us != AQ_TIME_NEVER && first_us > s->clients.policy.probe_max_us)
        return FAIL_AT(r, "probe_first", "it is longer than probe_max");
    aq_reader_leave(r, length);
    aq_reader_leave(r, clients);
    return 0;
}

/* No index is there twice: clear where they ascend, otherwise seen with one bit for each possible index. */
static int check_twice(struct aq_reader *r, const uint32_t *list, uint32_t count, uint32_t end) {
    uint32_t ascending = 1;
    while (ascending < count && list[ascending - 1] < list[ascending])
        ascending++;
    if (ascending >= count) return 0;
    uint8_t *seen = aq_alloc_zeroed(end / 8 + 1, 1);
    if (!seen) return aq_reader_nomem(r);
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        if (seen[list[i] / 8] >> (list[i] % 8) & 1)
            rc = aq_reader_fail(r, AQ_EINVALID, "%u is there twice", list[i]);
        seen[list[i] / 8] |= (uint8_t)(1u << (list[i] % 8));
    }
    aq_free(seen);
    return rc;
}

/* Every index is below `end`, none is there twice. */
static int check_indexes(struct aq_reader *r, const uint32_t *list, uint32_t count, uint32_t end,
                         const char *what) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] < end) continue;
        return aq_reader_fail(r, AQ_EINVALID, "found %u, allowed is an index of %s from 0 to %u", list[i],
                              what, end - 1);
    }
    return check_twice(r, list, count, end);
}

static int check_groups(struct aq_reader *r, const struct aq_scenario *s) {
    double sum = 0;
    size_t clients = aq_reader_enter(r, "clients"), length = aq_reader_enter(r, "groups");
    for (uint32_t i = 0; i < s->clients.group_count; i++) {
        const struct aq_client_group *group = &s->clients.groups[i];
        size_t item = aq_reader_enter_item(r, (int)i), list = aq_reader_enter(r, "servers");
        int rc =
            check_indexes(r, group->servers, group->server_count, s->servers.count + BEYOND_MAX, BEYOND_TEXT);
        if (rc) return rc;
        sum += group->share;
        aq_reader_leave(r, list);
        aq_reader_leave(r, item);
    }
    if (sum > 1 + SUM_TOLERANCE)
        return aq_reader_fail(r, AQ_EINVALID, "the shares add up to %.10g, allowed is at most 1", sum);
    aq_reader_leave(r, length);
    aq_reader_leave(r, clients);
    return 0;
}

static int check_selection(struct aq_reader *r, const char *key, const struct aq_selection *selection,
                           uint32_t count, const char *what) {
    size_t length = aq_reader_enter(r, key);
    if (selection->random_count > count) {
        aq_reader_enter(r, "random");
        return aq_reader_fail(r, AQ_EINVALID, "found %u, allowed are at most %u %s", selection->random_count,
                              count, what);
    }
    int rc = check_indexes(r, selection->indexes, selection->index_count, count, what);
    if (rc == 0) aq_reader_leave(r, length);
    return rc;
}

static int check_fault(struct aq_reader *r, const struct aq_scenario *s, const struct aq_fault_spec *fault) {
    const char *keys = aq_fault_keys[fault->kind].keys;
    if (fault->at_us >= s->duration_us) return FAIL_AT(r, "at", "it is not before the end of duration");
    if (aq_key_listed(keys, "workers") && s->workers.count == 0)
        return aq_reader_fail(r, AQ_EINVALID, "there are no workers to hit: workers.count is 0");
    if (fault->kind == AQ_FAULT_DISK_FULL && !s->servers.persistent)
        return FAIL_AT(r, "kind", "there is no disk to fill: servers.persistent is false");
    if (fault->disk_lost && !s->servers.persistent)
        return FAIL_AT(r, "disk", "there is no disk to lose: servers.persistent is false");
    if (fault->kind == AQ_FAULT_BURST && !fault->count && s->producers.arrivals == AQ_ARRIVALS_NONE)
        return FAIL_AT(r, "factor", "there are no arrivals to multiply: producers.arrivals is \"none\"");
    int rc = check_selection(r, "servers", &fault->servers, s->servers.count, "servers");
    if (rc == 0) rc = check_selection(r, "clients", &fault->clients, s->clients.count, "clients");
    if (rc == 0) rc = check_selection(r, "workers", &fault->workers, s->workers.count, "workers");
    if (rc) return rc;
    size_t length = aq_reader_enter(r, aq_key_listed(keys, "server") ? "server" : "server_list");
    rc = check_indexes(r, fault->server_list, fault->server_list_count, s->servers.count + BEYOND_MAX,
                       BEYOND_TEXT);
    if (rc == 0) aq_reader_leave(r, length);
    return rc;
}

static int check_faults(struct aq_reader *r, const struct aq_scenario *s) {
    size_t length = aq_reader_enter(r, "faults");
    for (uint32_t i = 0; i < s->fault_count; i++) {
        size_t item = aq_reader_enter_item(r, (int)i);
        int rc = check_fault(r, s, &s->faults[i]);
        if (rc) return rc;
        aq_reader_leave(r, item);
    }
    aq_reader_leave(r, length);
    return 0;
}

/* How many jobs the largest workflow has: those of each level, the topmost first. */
static double jobs_of_workflow(const struct aq_parent_section *parents) {
    double level = 1, sum = 1;
    for (uint32_t i = 0; i < parents->levels; i++)
        sum += level *= parents->children.most;
    return sum;
}

static int check_parents(struct aq_reader *r, const struct aq_scenario *s) {
    double jobs = jobs_of_workflow(&s->producers.parents);
    size_t producers = aq_reader_enter(r, "producers"), length = aq_reader_enter(r, "parents");
    if (jobs > WORKFLOW_MAX)
        return FAIL_AT(r, "levels",
                       "a workflow may have %.0f jobs, allowed are %d: take fewer levels or children", jobs,
                       WORKFLOW_MAX);
    aq_reader_leave(r, length);
    aq_reader_leave(r, producers);
    return 0;
}

static int check_commands(struct aq_reader *r, const struct aq_scenario *s) {
    size_t length = aq_reader_enter(r, "commands");
    for (uint32_t i = 0; i < s->command_count; i++) {
        const struct aq_command_spec *command = &s->commands[i];
        size_t item = aq_reader_enter_item(r, (int)i);
        if (command->at_us >= s->duration_us) return FAIL_AT(r, "at", "it is not before the end of duration");
        if (command->client >= s->clients.count)
            return FAIL_AT(r, "client", "found %u, allowed is an index of clients from 0 to %u",
                           command->client, s->clients.count - 1);
        if (command->server >= s->servers.count + BEYOND_MAX)
            return FAIL_AT(r, "server", "found %u, allowed is an index of " BEYOND_TEXT " from 0 to %u",
                           command->server, s->servers.count + BEYOND_MAX - 1);
        aq_reader_leave(r, item);
    }
    aq_reader_leave(r, length);
    return 0;
}

int aq_scenario_check(struct aq_reader *r, const struct aq_scenario *s) {
    static int (*const checks[])(struct aq_reader *, const struct aq_scenario *) = {
        check_run,    check_servers, check_workers, check_producers, check_network,
        check_policy, check_groups,  check_faults,  check_parents,   check_commands};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int rc = checks[i](r, s);
        if (rc) return rc;
    }
    return 0;
}
