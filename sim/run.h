/* One run of a scenario, from its text to its record. */
#ifndef AQ_SIM_RUN_H
#define AQ_SIM_RUN_H

#include <signal.h>

#include "base/error.h"
#include "reports/record.h"
#include "scenarios/scenario.h"
#include "sim/serve.h"
#include "sim/virtual.h"

struct aq_run; /* see sim/run_record.h */

/* Where a run stands, for progress lines. */
struct aq_progress {
    aq_time_us now_us, end_us;
    uint64_t events, completed, violations;
    bool settling; /* load and faults are over */
};

struct aq_run_options {
    const struct aq_scenario *scenario; /* borrowed */
    uint64_t seed;
    bool live;                         /* real time and real sockets; see sim/live.h */
    double speed;                      /* live: how much faster than real time; 0: 1 */
    const volatile sig_atomic_t *stop; /* ends the run at the next event when non-zero; NULL: never */
    const struct aq_serve *serve;      /* live: for clients of other processes; NULL: the scenario's own */
    aq_client_step_fn client_step;     /* NULL: aq_client_step; see sim/virtual.h */
    /* The record gets figures of the part of the load from here on, "steady_..."; 0: none. Before the end of
       the scenario's duration; rounded up to a window's end. */
    aq_time_us steady_from_us;
    /* What is drawn for the work on a job hangs on the job alone, not on which worker does it and what that
       did before: for runs that are compared. */
    bool paired;
    /* Called at the end of each window, if not NULL. */
    void (*progress)(void *arg, const struct aq_progress *progress);
    void *progress_arg;
    /* Called with each line of the trace, if not NULL. A negative return ends the run with it. */
    int (*trace_line)(void *arg, aq_time_us at_us, const char *text);
    void *trace_arg;
    /* virtual: ends the run here, before it is over, for a look at it; 0: not. It has no verdict then */
    aq_time_us until_us;
    /* For whoever watches a run; each may be NULL. Called with everything that is seen; at the end, before
       anything is taken down; with the hash after each block of the trace. A negative return ends the run
       with it; AQ_EINTERRUPTED gives a record as an interruption does. */
    int (*observed)(void *arg, const struct aq_observation *seen);
    int (*inspect)(void *arg, struct aq_run *run);
    void *watch_arg;
    void (*checkpoint)(void *arg, const struct aq_record_checkpoint *checkpoint);
    void *checkpoint_arg;
    /* Called at the end of each window, as long as the load lasts, with the statistics of each server that
       would answer, if not NULL. `server` is its address. A negative return ends the run with it. */
    int (*stats)(void *arg, aq_time_us at_us, const char *server, const struct aq_server_stats *stats);
    void *stats_arg;
};

/* Fills the identity part of an initialised record, but for seed_text, reproduce, started_unix_s and the
   program's version, which the caller knows. Errors: AQ_ENOMEM. */
int aq_run_identify(const struct aq_scenario *scenario, uint64_t seed, struct aq_record *record);

/* Runs the scenario in the virtual world and fills the rest of the record. An interrupted run gives a record
   as well, marked. Errors: AQ_ENOMEM, AQ_EINVALID, what trace_line returned; *error says more. */
int aq_run_scenario(const struct aq_run_options *options, struct aq_record *record, struct aq_error *error);

#endif
