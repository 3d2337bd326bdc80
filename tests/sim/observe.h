/* Hand-written observations for the tests of the ledger and the checks: a run told in a few words.

   Workers and producers are numbers; each belongs to client number % SEE_CLIENTS. Jobs are numbers too: job 7
   has the id "J7" at its server and token 7 in its body; job 1007 is another copy of token 7 (number % 1000,
   so tokens are 1..999, unless `plain_tokens` is set: then token and number are the same). Each observation
   comes SEE_STEP_US after the one before. */
#ifndef AQ_TESTS_SIM_OBSERVE_H
#define AQ_TESTS_SIM_OBSERVE_H

#include "sim/checks.h"
#include "sim/ledger.h"
#include "sim/observation.h"

#define SEE_CLIENTS 4
#define SEE_SERVERS 8
#define SEE_CALLS   4096 /* calls remembered, a power of two */
#define SEE_STEP_US 1000
#define SEE_TTL_US  (10 * AQ_US_PER_S)

struct see_call {
    uint64_t call;
    enum aq_action action;
    uint32_t caller;
    uint32_t job;
    bool is_producer;
    aq_time_us called_us;
};

struct see {
    struct aq_scenario scenario; /* change it between see_open and see_start */
    struct aq_fault_spec faults[4];
    struct aq_address_book book;
    struct aq_eligible_sets sets;
    const char *server_ids[SEE_SERVERS];
    struct aq_ledger *ledger;
    struct aq_record record; /* after see_finish */
    aq_time_us now_us;       /* of the last observation */
    uint64_t calls_made, leases_made;
    uint32_t incarnation[SEE_SERVERS];
    struct see_call calls[SEE_CALLS];
    bool plain_tokens;
    bool taps_name_clients_only;                       /* servers see connections, not callers and calls */
    uint32_t all_servers[SEE_SERVERS], set_offsets[2]; /* eligible set 0 */
    bool finished;
};

/* One eligible set (0, of all servers), SEE_SERVERS servers and SEE_CLIENTS clients, budgets without bounds,
 * one fault of each of the first rows of `faults` (unset). */
void see_open(struct see *see);
/* Makes the ledger; every server comes up at time 0. */
void see_start(struct see *see);
void see_close(struct see *see);

/* The next observation is made at this time (not before the last one). */
void see_at(struct see *see, aq_time_us at_us);

/* Any observation; at_us is filled in. */
void see_raw(struct see *see, struct aq_observation seen);

/* ---- single observations ---- */
uint64_t see_call(struct see *see, uint32_t worker, enum aq_action action, uint32_t job); /* job 0: none */
uint64_t see_put_call(struct see *see, uint32_t producer, uint32_t job);
void see_send(struct see *see, uint64_t call, uint32_t server);
/* The tap that a server makes of a request of this call (0: its own doing), the state after it as a strict
 * server has it. */
void see_tap(struct see *see, uint32_t server, enum aq_tap_kind kind, uint64_t call, uint32_t job);
/* As see_tap, with a tap that the caller fills: action, job_id, job_hash and body are set from call and job
 * where they are empty. */
void see_tap_as(struct see *see, uint32_t server, struct aq_tap tap, uint64_t call, uint32_t job);
void see_answer(struct see *see, uint64_t call, enum aq_outcome outcome);
/* What a get brought: outcome ok, the job or (0) none. */
void see_got(struct see *see, uint64_t call, uint32_t job);
void see_abandoned(struct see *see, uint64_t call);
void see_choice(struct see *see, uint32_t client, uint32_t server, enum aq_action action,
                uint32_t eligible_set);
void see_server_down(struct see *see, uint32_t server, bool memory_lost);
void see_server_up(struct see *see, uint32_t server); /* the next incarnation */
void see_lost(struct see *see, uint32_t server, uint32_t job);
void see_kind(struct see *see, enum aq_seen_kind kind, uint32_t server); /* STOPPED, RESUMED, HEALED, ... */
void see_fault(struct see *see, uint32_t fault, bool begins);

/* ---- whole exchanges that go well ---- */
void see_put(struct see *see, uint32_t producer, uint32_t server, uint32_t job);
void see_get(struct see *see, uint32_t worker, uint32_t server, uint32_t job); /* job 0: nothing found */
void see_done(struct see *see, uint32_t worker, uint32_t server, uint32_t job);
/* touch, release, bury, delete */
void see_completion(struct see *see, uint32_t worker, uint32_t server, enum aq_action action, uint32_t job);

/* ---- the end ---- */
void see_held(struct see *see, uint32_t server, uint32_t job, enum aq_job_state state);
/* Every copy that is alive in the books is held by its server: for tests that are not about what is held. */
void see_all_held(struct see *see);
void see_finish(struct see *see);
const struct aq_record_check *see_check(const struct see *see, enum aq_check check);
/* The figure of a check, or -1 where it has none of this name. */
double see_figure(const struct see *see, enum aq_check check, const char *name);
/* Finishes, unless done already, and asserts the verdict and the number of violations; with violations also
 * the cause of the first. */
void see_expect(struct see *see, enum aq_check check, enum aq_verdict verdict, uint64_t violations,
                const char *cause);
/* The first violation of a check that was kept, or NULL. */
const struct aq_record_violation *see_violation(const struct see *see, enum aq_check check);
/* Asserts that a line of the story holds this text. */
void see_expect_line(const struct aq_record_violation *violation, const char *part);

#endif
