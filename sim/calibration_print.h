/* A calibration as a table for people and as the JSON file that scenarios include. */
#ifndef AQ_SIM_CALIBRATION_PRINT_H
#define AQ_SIM_CALIBRATION_PRINT_H

#include <stdio.h>

#include "sim/calibration.h"

struct aq_calibration {
    const struct aq_calibration_server *servers; /* borrowed, as the findings */
    const struct aq_calibration_finding *findings;
    uint32_t count;
    uint64_t requests; /* sent in all */
    double seconds;    /* that it took */
    uint32_t cleared;  /* jobs that had to be cleared */
};

/* Errors: AQ_EIO, AQ_ENOMEM. */
int aq_calibration_print_text(FILE *stream, const struct aq_calibration *calibration);

/* {"service": {action: {"quantiles": [..]}, ..}, "network": {"latency": ..}, "measured": {..}}. Errors:
   AQ_ENOENT (something was not measured at all), AQ_EIO, AQ_ENOMEM. */
int aq_calibration_print_json(FILE *stream, const struct aq_calibration *calibration);

#endif
