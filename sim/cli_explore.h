/* The command explore: its arguments, and the course of one exploration with its database and its report. */
#ifndef AQ_SIM_CLI_EXPLORE_H
#define AQ_SIM_CLI_EXPLORE_H

#include "reports/store.h"
#include "sim/explore_tally.h"

#define AQ_EXPLORE_SETTINGS_MAX 256

struct aq_explore_arguments {
    const char *scenario;
    const char *settings[AQ_EXPLORE_SETTINGS_MAX];
    uint32_t setting_count;
    const char *profile, *fidelity;
    const char *database; /* NULL: none */
    const char *until_found;
    uint64_t seed_from, seed_to, printed_seed;
    uint32_t shard, shards, jobs, repetitions;
    uint64_t for_us;
    double replay_share;
    bool seeds_given, print_seed, verbose, json, quiet, help;
};

struct aq_explore_session {
    const struct aq_explore_arguments *arguments;
    const volatile sig_atomic_t *stop;
    struct aq_scenario *scenario; /* owned */
    struct aq_explore_tally tally;
    struct aq_exploration exploration;
    struct aq_arena texts; /* of the exploration, and of the seeds that wait to be stored */
    struct aq_arena waiting_texts;
    struct aq_store *store;
    int64_t number;                   /* of the exploration in the database */
    struct aq_explored_seed *waiting; /* owned: to be stored */
    uint32_t waiting_count, waiting_capacity;
    bool terminal;
    uint64_t start_us, last_store_us, last_line_us; /* of the monotonic clock */
    int exit_code;
    struct aq_error error;
};

/* Explores, stores and prints. Errors: as aq_explore and the store; *error of the session is set. */
int aq_explore_session_run(struct aq_explore_session *session);
void aq_explore_session_close(struct aq_explore_session *session);

#endif
