/* What theory forecasts for a scenario in the long run: open Poisson arrivals over single servers, with
   workers that poll. The figures bear the names of those of the steady part of a run, so that both can stand
   side by side. */
#ifndef AQ_SIM_FORECAST_H
#define AQ_SIM_FORECAST_H

#include "scenarios/scenario.h"
#include "sim/theory.h"

/* Who keeps the fleet from doing more. */
enum aq_forecast_limit { AQ_FORECAST_NONE, AQ_FORECAST_SERVERS, AQ_FORECAST_WORKERS };

struct aq_forecast {
    const char *not_modelled; /* literal: what of the scenario the theory knows nothing of; NULL: nothing */
    enum aq_forecast_limit limit; /* SERVERS: no steady state; WORKERS: jobs pile up for want of workers */
    double jobs_per_s;            /* that are completed */
    double gets_per_s;            /* of all workers, empty ones included */
    double empty_get_ratio;
    double utilization;          /* of each server */
    struct aq_theory_open queue; /* at each server, for its mixture of requests */
    double correlation;          /* of the waits of a get and of the done of its job, at the same server */
    struct aq_theory_moments put, get, done; /* service times */
    double network_s;                        /* there and back, mean */
    struct aq_distribution process;
};

/* Balance of flows and of workers: with X jobs a second and G gets a second, of which X bring a job,
     workers = G (response of a get) + (G - X) (poll) + X (processing + response of a done),
   by Little's law (J. D. C. Little, "A proof for the queuing formula L = lambda W", Operations Research 9,
   1961); each server is an M/G/1 queue with its share of puts, gets and dones. Where the workers would have
   to get fewer jobs than arrive, no get is empty and X is what the workers can do. `servers_up` may be less
   than the scenario's servers. */
void aq_forecast_make(const struct aq_scenario *scenario, uint32_t servers_up, struct aq_forecast *out);

/* A figure by its name for aq_record_measure. False where theory has nothing to say. Without a steady state
   spans are infinite. */
bool aq_forecast_figure(const struct aq_forecast *forecast, const char *name, double *out);

#endif
