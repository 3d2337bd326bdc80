/* Is a seed a run, event for event? */
#ifndef AQ_SIM_CHECK_REPLAY_H
#define AQ_SIM_CHECK_REPLAY_H

#include "sim/run.h"

/* Runs the seed of a record once more, for its hash alone; where that differs, verdict, reason and exit code
   of the record say so. Errors: as aq_run_scenario. */
int aq_run_check_replay(const struct aq_run_options *options, struct aq_record *record,
                        struct aq_error *error);

#endif
