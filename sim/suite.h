/* A suite under way: what is to be run, the runs in worker processes, the database and the reports. */
#ifndef AQ_SIM_SUITE_H
#define AQ_SIM_SUITE_H

#include <signal.h>

#include "base/arena.h"
#include "reports/store.h"
#include "reports/suite.h"
#include "scenarios/load.h"
#include "scenarios/suite.h"
#include "sim/cli_output.h"

#define AQ_SUITE_PROFILES_MAX 16
#define AQ_SUITE_RUNS_MAX     100000 /* more are for allqsim explore, which keeps less of each */

struct aq_suite_arguments {
    const char *name;
    const char *folder; /* where relative paths begin; NULL: the current one */
    const char *const *words;
    uint32_t word_count;
    const char *profiles[AQ_SUITE_PROFILES_MAX];
    uint32_t profile_count; /* 0: as in the scenarios */
    const char *const *settings;
    uint32_t setting_count;
    const char *fidelity;
    const char *seed_text; /* one seed, as given; NULL: see seeds */
    uint64_t seed;         /* its number */
    struct aq_suite_seeds seeds;
    uint32_t shard, shards; /* every shards-th run, from the shard-th of the whole list on; 1 of 1: all */
    uint32_t jobs;
    const char *database; /* NULL: none */
    const char *junit;    /* NULL: none */
    bool check_replay, json, quiet, verbose, annotations;
};

/* A scenario with one profile. */
struct aq_suite_entry {
    const char *label;   /* what the command line calls it */
    const char *profile; /* as for --profile; NULL: the scenario's own */
    struct aq_scenario *scenario;
};

struct aq_suite_session {
    const struct aq_suite_arguments *arguments;
    const volatile sig_atomic_t *stop;
    struct aq_arena texts;
    struct aq_suite_entry *entries; /* owned; one for each row */
    struct aq_suite_row *rows;      /* owned; those of which the shard has runs */
    uint32_t entry_count;
    struct aq_suite_run *runs; /* owned; texts in `texts` */
    uint32_t run_count, next_run, done_count, wrong_count;
    char scratch[64];     /* the database where none is kept and reports need one; empty: none */
    const char *database; /* that runs are written to; NULL: none */
    struct aq_cli_output junit;
    bool terminal;
    uint64_t start_us, last_line_us; /* of the monotonic clock */
    struct aq_suite_result result;
    struct aq_error error;
};

/* suite_plan.c: finds and loads all scenarios, and makes the list of runs. Errors: as those of the loader,
   AQ_ELIMIT, AQ_USAGE; *error of the session names the file. */
int aq_suite_plan(struct aq_suite_session *session);

/* The seed of a run. */
uint64_t aq_suite_seed_of(const struct aq_suite_session *session, uint32_t run);

/* Fills the identity of an initialised record for a run. Errors: AQ_ENOMEM. */
int aq_suite_identify(const struct aq_suite_session *session, uint32_t run, struct aq_record *record);

/* suite_run.c: does the runs in worker processes, which write to the database themselves. Errors: AQ_ENOMEM,
   AQ_EINTERNAL, AQ_EIO. */
int aq_suite_run_all(struct aq_suite_session *session);

/* suite_session.c: all of it, up to the reports. Errors: of all the others. */
int aq_suite_session_run(struct aq_suite_session *session);
void aq_suite_session_close(struct aq_suite_session *session);

#endif
