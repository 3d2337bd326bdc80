/* Distributions of time spans, as scenarios name them, and draws from them. */
#ifndef AQ_BASE_DISTRIBUTION_H
#define AQ_BASE_DISTRIBUTION_H

#include "base/random.h"
#include "base/time.h"

enum aq_distribution_kind {
    AQ_DISTRIBUTION_CONSTANT,    /* always a_us */
    AQ_DISTRIBUTION_UNIFORM,     /* between a_us and b_us */
    AQ_DISTRIBUTION_EXPONENTIAL, /* mean a_us */
    AQ_DISTRIBUTION_LOGNORMAL,   /* median a_us, 99th percentile b_us */
    AQ_DISTRIBUTION_PARETO,      /* minimum a_us, 99th percentile b_us */
    AQ_DISTRIBUTION_EMPIRICAL,   /* as measured: quantiles_us, straight lines between them */
};

struct aq_distribution {
    enum aq_distribution_kind kind;
    double a_us;
    double b_us;
    double shape; /* derived: sigma of the lognormal, alpha of the Pareto; set by aq_distribution_prepare */
    /* EMPIRICAL: borrowed; ascending, at evenly spaced probabilities: the first is the least value seen, the
       last the greatest. At least two */
    const double *quantiles_us;
    uint32_t quantile_count;
};

#define AQ_CONSTANT_US(us) ((struct aq_distribution){.kind = AQ_DISTRIBUTION_CONSTANT, .a_us = (double)(us)})

/* Computes the derived field. Errors: AQ_EINVALID where a is negative, where b is below a, and for a
   lognormal or Pareto where a is 0, for a Pareto where b is not above a, for fewer than two quantiles or such
   that do not ascend from 0 on. */
int aq_distribution_prepare(struct aq_distribution *distribution);

/* One draw in whole microseconds, rounded to nearest; at most about 31,700 years, so sums
   with times never wrap. */
aq_time_us aq_distribution_draw(const struct aq_distribution *distribution, struct aq_random *random);

/* The mean in microseconds. Infinite for a Pareto whose shape is 1 or less. */
double aq_distribution_mean_us(const struct aq_distribution *distribution);

#endif
