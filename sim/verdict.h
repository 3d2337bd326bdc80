/* The verdict of a run: what its checks found, held against what the scenario expects. */
#ifndef AQ_SIM_VERDICT_H
#define AQ_SIM_VERDICT_H

#include "reports/record.h"
#include "scenarios/scenario.h"

/* Exit codes of allqsim, relied on by scripts. */
enum aq_exit {
    AQ_EXIT_PASS = 0,
    AQ_EXIT_SAFETY = 1,
    AQ_EXIT_PROGRESS = 2,
    AQ_EXIT_MEASURE = 3, /* slo, distribution, or a figure that the scenario expects otherwise */
    AQ_EXIT_NOT_REPRODUCIBLE = 4,
    AQ_EXIT_UNKNOWN = 5,
    AQ_EXIT_USAGE = 64,
    AQ_EXIT_INTERNAL = 70,
    AQ_EXIT_OUTPUT = 74,
    AQ_EXIT_INTERRUPTED = 130,
};

/* Sets verdict, reason and exit code of the record from its checks, faults and marks; marks the checks as
   expected and caught. `checks` is the record's table, indexed by enum aq_check. Never a false pass: a fault
   that was listed and touched nothing, a check that could not judge, and a required mark that was not reached
   make the run unknown. Errors: AQ_ENOMEM. */
int aq_verdict_reach(const struct aq_scenario *scenario, struct aq_record *record,
                     struct aq_record_check *checks);

#endif
