/* What queueing theory says of servers that serve one request at a time: closed networks with think times,
   and open arrivals. Nothing here knows the simulator; spans are in seconds, rates per second. */
#ifndef AQ_SIM_THEORY_H
#define AQ_SIM_THEORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/distribution.h"

#define AQ_THEORY_KINDS_MAX 16 /* of stations that differ in a closed network */

/* Stations that are alike. */
struct aq_theory_station {
    double demand_s; /* mean work that one passage of a customer through the network brings to each of them */
    uint32_t count;
};

/* A closed network in the long run. */
struct aq_theory_closed {
    double throughput_per_s;                     /* passages of customers through the network */
    double response_s;                           /* of one passage, think time left out */
    double utilization[AQ_THEORY_KINDS_MAX];     /* of one station of each kind */
    double residence_s[AQ_THEORY_KINDS_MAX];     /* at one station of each kind, for one passage */
    double customers_there[AQ_THEORY_KINDS_MAX]; /* mean, waiting and served, at one station of each kind */
};

/* Exact mean value analysis: `customers` go round between a delay station (think_s) and single-server
   stations. Exact for service that is exponential, with one mean at each station whoever is served, first
   come first served; the think time may have any distribution. Time: customers times kinds. With no customers
   everything is 0. Sources: M. Reiser, S. S. Lavenberg, "Mean-value analysis of closed multichain queuing
   networks", Journal of the ACM 27 (1980); F. Baskett, K. M. Chandy, R. R. Muntz, F. G. Palacios, "Open,
   closed, and mixed networks of queues with different classes of customers", Journal of the ACM 22 (1975),
   for what may be left open. */
void aq_theory_mva(const struct aq_theory_station *kinds, uint32_t kind_count, double think_s,
                   uint32_t customers, struct aq_theory_closed *out);

/* Moments of a service time: means of S, S^2 and S^3. */
struct aq_theory_moments {
    double first, second, third;
};

/* Of a prepared distribution. False (*out untouched) where one of them is infinite. */
bool aq_theory_moments(const struct aq_distribution *distribution, struct aq_theory_moments *out);

/* Adds `weight` of one to another: with weights that add up to 1, the moments of a mixture. */
void aq_theory_mix(struct aq_theory_moments *into, const struct aq_theory_moments *one, double weight);

/* One server with Poisson arrivals in the long run. */
struct aq_theory_open {
    double utilization;
    double wait_s;        /* mean, until service begins */
    double wait_variance; /* of that, in s^2 */
    double response_s;    /* mean, until service ends */
    double response_variance;
};

/* M/G/1, first come first served. False (*out untouched) where it is not stable: a utilisation of 1 or more.
   Source: the formulas of Pollaczek and Khinchine, and of Takacs for the variance, as in L. Kleinrock,
   "Queueing Systems, Volume 1: Theory" (1975), sections 5.6 and 5.7. M/M/1 and M/D/1 are its special cases.
 */
bool aq_theory_mg1(double arrivals_per_s, const struct aq_theory_moments *service,
                   struct aq_theory_open *out);

/* The special cases, which need no moments: exponential and constant service. Mean response; infinite where
   it is not stable. Source: Kleinrock, as above, sections 3.2 and 5.6. */
double aq_theory_mm1_response_s(double arrivals_per_s, double service_s);
double aq_theory_md1_response_s(double arrivals_per_s, double service_s);

/* How far what two customers find at a stable M/G/1 queue goes together when the second comes `lag_s` after
   the first: the correlation of its workload, 1 at once, 0 in the end. That of reflected Brownian motion with
   the queue's drift and variance, which is the limit under heavy load. Source: J. Abate, W. Whitt, "Transient
   behavior of regulated Brownian motion, I: starting at the origin" and "II: non-zero initial conditions",
   Advances in Applied Probability 19 (1987), the correlation function of the stationary process. */
double aq_theory_correlation(double arrivals_per_s, const struct aq_theory_moments *service, double lag_s);

/* The quantile (0 < share < 1) of a sum of a constant, spans of `spread` (NULL: none) and a gamma variable
   with this mean and variance, all independent: what is left of a response when its parts are known. Exact
   for a sum of two responses of M/M/1 queues, an approximation by two moments elsewhere. */
double aq_theory_quantile_s(double share, double constant_s, const struct aq_distribution *spread,
                            double mean_s, double variance);

#endif
