/* The verdict of a run: what its checks found, held against what the scenario expects. */
#ifndef AQ_SIM_VERDICT_H
#define AQ_SIM_VERDICT_H

#include "reports/exit_code.h"
#include "reports/record.h"
#include "scenarios/scenario.h"

/* Sets verdict, reason and exit code of the record from its checks, faults and marks; marks the checks as
   expected and caught. `checks` is the record's table, indexed by enum aq_check. Never a false pass: a fault
   that was listed and touched nothing, a check that could not judge, and a required mark that was not reached
   make the run unknown. Errors: AQ_ENOMEM. */
int aq_verdict_reach(const struct aq_scenario *scenario, struct aq_record *record,
                     struct aq_record_check *checks);

#endif
