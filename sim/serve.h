/* A run that serves clients of other processes: a scenario without clients, workers and producers of its own,
   whose servers listen on given ports, and commands that break things while it runs. */
#ifndef AQ_SIM_SERVE_H
#define AQ_SIM_SERVE_H

#include "base/error.h"
#include "reports/record.h"
#include "scenarios/scenario.h"
#include "sim/live.h"

struct aq_run;

#define AQ_SERVE_ADDED_FAULTS_MAX 10000 /* in one run; more than a day of one every ten seconds */
#define AQ_SERVE_COMMAND_MAX      65536 /* bytes of a command */

struct aq_serve {
    struct aq_scenario
        *scenario; /* the run's, prepared; faults that are added are put at the end of its list */
    const char *const *addresses; /* by server: "host:port", where it listens; borrowed as all here */
    struct aq_live_outside outside;
    /* The servers accept connections. The run takes commands until `ending`. A negative return ends it. */
    int (*started)(void *owner, struct aq_run *run, struct uv_loop_s *loop, struct aq_error *error);
    void (*ending)(void *owner); /* what was put on the loop is to be closed now */
    void *owner;
};

/* Takes out of a scenario what needs clients of its own, and makes room for faults to come. left_out is told
   of each fault that cannot act here. Errors: AQ_ENOMEM (the scenario can only be freed). */
int aq_serve_prepare(struct aq_scenario *scenario,
                     void (*left_out)(void *arg, const struct aq_fault_spec *fault), void *arg);

/* Carries out one command, a JSON object, and returns the answer: a JSON object on one line without its line
   feed, or NULL when out of memory. To be called from a callback of the run's loop. */
char *aq_serve_command(struct aq_run *run, const char *text, size_t len);
void aq_serve_answer_free(char *answer);

/* The verdict of such a run: only the checks that judge what servers did had something to judge. Errors:
   AQ_ENOMEM. */
int aq_serve_verdict(const struct aq_run *run, struct aq_record *record);

#endif
