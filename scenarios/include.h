/* Parts of a scenario that stand in files of their own. */
#ifndef AQ_SCENARIOS_INCLUDE_H
#define AQ_SCENARIOS_INCLUDE_H

#include "scenarios/reader.h"

/* Replaces "service": {"empirical": PATH} in the section servers by the member "service" of that file, as
   allqsim calibrate writes it; a relative path begins at the folder of the scenario. What is stored of a run
   has the measured times in it, not the path. Errors: as the reader's. */
int aq_scenario_include(struct aq_reader *reader, cJSON *tree);

#endif
