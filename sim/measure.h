/* One run of a scenario with settings of its own, of which only the figures are wanted: what plan and what-if
   are made of. */
#ifndef AQ_SIM_MEASURE_H
#define AQ_SIM_MEASURE_H

#include "base/error.h"
#include "base/time.h"
#include "scenarios/scenario.h"

#define AQ_MEASURED_MAX        128
#define AQ_MEASURED_NAME_CHARS 80

struct aq_measured_figure {
    char name[AQ_MEASURED_NAME_CHARS]; /* as aq_record_measure takes it */
    double value;                      /* NaN where there was nothing to measure */
};

/* The figures of one run; goes through pipes as it is. */
struct aq_measured {
    uint32_t count;
    uint64_t events, wall_us;
    struct aq_measured_figure items[AQ_MEASURED_MAX];
};

/* False (*out untouched) where there is no such figure. */
bool aq_measured_get(const struct aq_measured *measured, const char *name, double *out);
/* Further figures are left out when it is full. */
void aq_measured_add(struct aq_measured *measured, const char *name, double value);

/* What a run is. */
struct aq_measure_job {
    struct aq_scenario *scenario;
    uint64_t seed;
    aq_time_us steady_from_us;
    bool paired; /* see sim/run.h */
};

/* Runs the scenario in the virtual world and takes the figures of its steady part, and the `wanted` ones
   beside. Errors: AQ_ENOENT (a wanted figure that no run has), as aq_run_scenario; *error says more; *out
   untouched. */
int aq_measure_run(const struct aq_measure_job *job, const char *const *wanted, uint32_t wanted_count,
                   struct aq_measured *out, struct aq_error *error);

#endif
