/* A ledger that knows what a test tells it and remembers violations: checks are driven through it one by one.
 */
#ifndef AQ_TESTS_FAKE_LEDGER_H
#define AQ_TESTS_FAKE_LEDGER_H

#include "sim/checks.h"

#define FAKE_SERVERS 64
#define FAKE_CAUSES  32

struct aq_ledger {
    struct aq_scenario scenario;
    struct aq_eligible_sets sets;
    struct aq_ledger_server servers[FAKE_SERVERS];
    uint32_t in_force[AQ_FAULT_KIND_COUNT];
    struct aq_ledger_copy *copies; /* borrowed, for the walk over all copies */
    uint32_t copy_count;
    struct {
        const char *cause;
        uint64_t count;
    } causes[FAKE_CAUSES];
    uint64_t violations;
    struct aq_observation last_bad; /* what the last violation was seen in */
    const struct aq_checker *checker;
    void *state;
    struct aq_record record;
    struct aq_record_check out;
};

/* One server of every kind: a scenario with these numbers and generous budgets, for the test to change before
 * fake_start. */
void fake_init(struct aq_ledger *fake, const struct aq_checker *checker, uint32_t servers, uint32_t clients);
void fake_start(struct aq_ledger *fake);
void fake_see(struct aq_ledger *fake, struct aq_observation seen);
void fake_see_copy(struct aq_ledger *fake, struct aq_observation seen, const struct aq_ledger_copy *copy,
                   const struct aq_ledger_job *job);
/* The verdict; everything else is in fake->out. */
enum aq_verdict fake_finish(struct aq_ledger *fake);
void fake_close(struct aq_ledger *fake);

/* The number of a set of eligible servers, made on first use. */
uint32_t fake_set(struct aq_ledger *fake, const uint32_t *members, uint32_t count);

/* Violations with this cause. */
uint64_t fake_caught(const struct aq_ledger *fake, const char *cause);

/* The figure's value; fails the test where there is none. */
double fake_figure(const struct aq_ledger *fake, const char *name);

#endif
