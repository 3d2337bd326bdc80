/* The command plan: its arguments, and the course of one plan with its database and its report. */
#ifndef AQ_SIM_CLI_PLAN_H
#define AQ_SIM_CLI_PLAN_H

#include <signal.h>

#include "sim/plan_result.h"

#define AQ_PLAN_SETTINGS_MAX 256

struct aq_plan_arguments {
    const char *scenario;
    const char *settings[AQ_PLAN_SETTINGS_MAX];
    uint32_t setting_count;
    const char *profile;
    const char *database;      /* NULL: none */
    const char *slo;           /* NULL: the scenario's */
    struct aq_plan_grid grid;  /* clients_step 0: chosen */
    double workers_per_client; /* 0: the scenario's */
    uint32_t jobs;
    bool json, quiet, help;
};

struct aq_plan_session {
    const struct aq_plan_arguments *arguments;
    const volatile sig_atomic_t *stop;
    char path[4096];              /* of the scenario's file */
    struct aq_scenario *scenario; /* owned; as it is before it is scaled */
    struct aq_plan_grid grid;
    struct aq_plan_scale scale;
    struct aq_objective objective;
    struct aq_planner planner;
    struct aq_plan plan;
    struct aq_arena memory;
    aq_time_us warm_up_us;
    bool terminal;
    uint64_t start_us, last_line_us; /* of the monotonic clock */
    int exit_code;
    struct aq_error error;
};

/* Plans, stores and prints. Errors: as aq_measure_all and the store; *error of the session is set. */
int aq_plan_session_run(struct aq_plan_session *session);
void aq_plan_session_close(struct aq_plan_session *session);

#endif
