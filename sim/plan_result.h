/* What follows from a search: the plan as data, with theory beside it, what breaks first, and what is
 * recommended. */
#ifndef AQ_SIM_PLAN_RESULT_H
#define AQ_SIM_PLAN_RESULT_H

#include "base/arena.h"
#include "reports/plan.h"
#include "sim/forecast.h"
#include "sim/plan.h"

/* A scenario scaled to so many servers and clients, as far as theory looks at it. */
struct aq_plan_scale {
    const struct aq_scenario *base; /* borrowed */
    double workers_per_client, jobs_per_client_s;
};

/* What theory says of a point. */
void aq_plan_forecast(const struct aq_plan_scale *scale, uint32_t servers, uint32_t clients, uint32_t down,
                      struct aq_forecast *out);

/* Fills the outcome of a plan, of which the question is there already; all of it lies in the arena. A search
   that is not done is left out. Errors: AQ_ENOMEM. */
int aq_plan_conclude(const struct aq_planner *planner, const struct aq_plan_scale *scale,
                     struct aq_arena *memory, struct aq_plan *plan);

#endif
