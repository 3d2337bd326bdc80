#include "tests/sim/fake_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

aq_time_us aq_ledger_timer_slack_us(const struct aq_ledger *ledger) {
    (void)ledger;
    return 0;
}

const struct aq_scenario *aq_ledger_scenario(const struct aq_ledger *ledger) {
    return &ledger->scenario;
}

const struct aq_eligible_sets *aq_ledger_eligible_sets(const struct aq_ledger *ledger) {
    return &ledger->sets;
}

const struct aq_ledger_server *aq_ledger_server(const struct aq_ledger *ledger, uint32_t server) {
    assert_true(server < FAKE_SERVERS);
    return &ledger->servers[server];
}

uint32_t aq_ledger_faults_in_force(const struct aq_ledger *ledger, enum aq_fault_kind kind) {
    return ledger->in_force[kind];
}

int aq_ledger_each_copy(struct aq_ledger *ledger, int (*visit)(void *arg, struct aq_ledger_copy *copy),
                        void *arg) {
    int rc = 0;
    for (uint32_t i = 0; i < ledger->copy_count && !rc; i++)
        rc = visit(arg, &ledger->copies[i]);
    return rc;
}

int aq_check_figures(struct aq_record *record, const struct aq_record_figure *figures, uint32_t count,
                     struct aq_record_check *out) {
    struct aq_record_figure *copies = aq_arena_alloc(&record->memory, (count + 1) * sizeof *copies);
    if (!copies) return AQ_ENOMEM;
    memcpy(copies, figures, count * sizeof *copies);
    out->figures = copies;
    out->figure_count = count;
    return 0;
}

int aq_check_conclude(const struct aq_ledger *ledger, enum aq_check check, struct aq_record *record,
                      uint64_t judged, const char *nothing, struct aq_record_check *out) {
    (void)check, (void)record;
    out->judged = judged;
    out->verdict = ledger->violations ? AQ_VERDICT_FAIL : judged ? AQ_VERDICT_PASS : AQ_VERDICT_UNKNOWN;
    out->remark = ledger->violations ? ledger->causes[0].cause : judged ? "" : nothing;
    return 0;
}

struct aq_ledger_copy *aq_ledger_copy_by_hash(struct aq_ledger *ledger, uint64_t hash) {
    for (uint32_t i = 0; i < ledger->copy_count; i++)
        if (ledger->copies[i].hash == hash) return &ledger->copies[i];
    return NULL;
}

bool aq_ledger_copy_lost(const struct aq_ledger *ledger, const struct aq_ledger_copy *copy) {
    (void)ledger;
    return copy->lost;
}

struct aq_ledger_job *aq_ledger_job_of(struct aq_ledger *ledger, const struct aq_ledger_copy *copy) {
    (void)ledger, (void)copy;
    return NULL;
}

int aq_ledger_violation(struct aq_ledger *ledger, enum aq_check check, const struct aq_observation *seen,
                        const struct aq_ledger_copy *copy, const struct aq_ledger_job *job,
                        const char *cause) {
    (void)copy, (void)job;
    assert_int_equal(check, ledger->checker->check);
    ledger->violations++;
    if (seen) ledger->last_bad = *seen;
    uint32_t i = 0;
    while (i < FAKE_CAUSES - 1 && ledger->causes[i].cause && strcmp(ledger->causes[i].cause, cause) != 0)
        i++;
    ledger->causes[i].cause = cause;
    ledger->causes[i].count++;
    return 0;
}

uint64_t aq_ledger_violations_of(const struct aq_ledger *ledger, enum aq_check check) {
    assert_int_equal(check, ledger->checker->check);
    return ledger->violations;
}

void fake_init(struct aq_ledger *fake, const struct aq_checker *checker, uint32_t servers, uint32_t clients) {
    *fake = (struct aq_ledger){.checker = checker};
    assert_true(servers <= FAKE_SERVERS);
    for (uint32_t i = 0; i < FAKE_SERVERS; i++)
        fake->servers[i].up = true;
    struct aq_scenario *scenario = &fake->scenario;
    scenario->servers.count = servers;
    scenario->servers.policy = aq_server_policy_strict;
    scenario->clients.count = clients;
    scenario->clients.policy = aq_client_policy_strict;
    scenario->workers.count = clients;
    scenario->workers.tube = "work";
    scenario->duration_us = 60 * AQ_US_PER_S;
    scenario->settle_us = 60 * AQ_US_PER_S;
    scenario->window_us = AQ_US_PER_S;
    scenario->budgets.failover_leave_us = 5 * AQ_US_PER_S;
    scenario->budgets.failover_return_us = 10 * AQ_US_PER_S;
    scenario->budgets.progress_us = 30 * AQ_US_PER_S;
    scenario->budgets.distribution_p_min = 1e-6;
    fake->state = aq_alloc_zeroed(1, checker->state_bytes);
    assert_non_null(fake->state);
}

void fake_start(struct aq_ledger *fake) {
    aq_record_init(&fake->record);
    if (fake->checker->init) assert_int_equal(fake->checker->init(fake->state, fake), 0);
}

void fake_see_copy(struct aq_ledger *fake, struct aq_observation seen, const struct aq_ledger_copy *copy,
                   const struct aq_ledger_job *job) {
    assert_true(fake->checker->interests & 1u << seen.kind);
    assert_int_equal(fake->checker->observe(fake->state, fake, &seen, copy, job), 0);
}

void fake_see(struct aq_ledger *fake, struct aq_observation seen) {
    fake_see_copy(fake, seen, NULL, NULL);
}

enum aq_verdict fake_finish(struct aq_ledger *fake) {
    assert_int_equal(fake->checker->finish(fake->state, fake, &fake->record, &fake->out), 0);
    assert_non_null(fake->out.remark);
    if (fake->out.verdict == AQ_VERDICT_PASS) assert_int_equal(fake->violations, 0);
    if (fake->out.verdict == AQ_VERDICT_FAIL) assert_true(fake->violations > 0 && fake->out.remark[0]);
    return fake->out.verdict;
}

void fake_close(struct aq_ledger *fake) {
    if (fake->checker->close) fake->checker->close(fake->state);
    aq_free(fake->state);
    aq_free(fake->sets.members);
    aq_free(fake->sets.offsets);
    aq_record_close(&fake->record);
}

static bool is_set(const struct aq_eligible_sets *sets, uint32_t set, const uint32_t *members,
                   uint32_t count) {
    uint32_t from = sets->offsets[set], to = sets->offsets[set + 1];
    return to - from == count && memcmp(sets->members + from, members, count * sizeof *members) == 0;
}

uint32_t fake_set(struct aq_ledger *fake, const uint32_t *members, uint32_t count) {
    struct aq_eligible_sets *sets = &fake->sets;
    for (uint32_t i = 0; i < sets->count; i++)
        if (is_set(sets, i, members, count)) return i;
    assert_int_equal(aq_array_reserve(&sets->offsets, &sets->offsets_capacity, (size_t)sets->count + 2,
                                      sizeof *sets->offsets),
                     0);
    assert_int_equal(aq_array_reserve(&sets->members, &sets->members_capacity,
                                      (size_t)sets->members_count + count, sizeof *sets->members),
                     0);
    if (sets->count == 0) sets->offsets[0] = 0;
    memcpy(sets->members + sets->members_count, members, count * sizeof *members);
    sets->members_count += count;
    sets->offsets[++sets->count] = sets->members_count;
    return sets->count - 1;
}

uint64_t fake_caught(const struct aq_ledger *fake, const char *cause) {
    for (uint32_t i = 0; i < FAKE_CAUSES && fake->causes[i].cause; i++)
        if (strcmp(fake->causes[i].cause, cause) == 0) return fake->causes[i].count;
    return 0;
}

double fake_figure(const struct aq_ledger *fake, const char *name) {
    for (uint32_t i = 0; i < fake->out.figure_count; i++)
        if (strcmp(fake->out.figures[i].name, name) == 0) return fake->out.figures[i].value;
    fail_msg("no figure %s", name);
    return 0;
}
