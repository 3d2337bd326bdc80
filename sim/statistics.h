/* The statistics that the checks need: tails of the chi-square distribution, intervals of shares,
   and measures of evenness. */
#ifndef AQ_SIM_STATISTICS_H
#define AQ_SIM_STATISTICS_H

#include <stdint.h>

/* The standard normal deviate that leaves 2.5 % above it: the z of a two-sided interval of 95 %. */
#define AQ_Z_95 1.959963984540054

/* The regularised upper incomplete gamma function Q(a, x) = Gamma(a, x) / Gamma(a), for a > 0 and x >= 0; NaN
   elsewhere. Source: NIST Digital Library of Mathematical Functions, the series 8.7.1 for x < a + 1 and the
   continued fraction 8.9.2 above, evaluated by Lentz's method; the common factor x^a e^-x / Gamma(a + 1)
   from 5.11.1 for large a, so that it keeps its digits. */
double aq_statistics_gamma_q(double a, double x);

/* The probability that a chi-square variable with df > 0 degrees of freedom (not necessarily whole) is at
   least x: Q(df / 2, x / 2), DLMF 8.2.4; 1 for x <= 0. */
double aq_statistics_chi_square_sf(double x, double df);

struct aq_interval {
    double low, high;
};

/* Wilson's score interval for a share of which `hits` out of `trials` were seen; z is the normal deviate,
   AQ_Z_95 for 95 %. (0, 1) where there were no trials. Source: E. B. Wilson, "Probable inference, the law of
   succession, and statistical inference", Journal of the American Statistical Association 22 (1927). */
struct aq_interval aq_statistics_wilson(uint64_t hits, uint64_t trials, double z);

/* The least share that is compatible with `hits` out of `trials` at this one-sided confidence, 0 < confidence
   < 1: the p at which so many hits or more have the probability 1 - confidence; 0 where there were no hits.
   It holds as well where the trials ended with a hit that had been waited for. Source: C. J. Clopper, E. S.
   Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26
   (1934). */
double aq_statistics_share_low(uint64_t hits, uint64_t trials, double confidence);

/* How many trials without a hit exclude a share above this at the given confidence: the least N with (1 -
   share)^N <= 1 - confidence; 0 for a share of 0, for which no number is enough. For 95 % about 3 / share,
   the rule of three. Source: J. A. Hanley, A. Lippman-Hand, "If nothing goes wrong, is everything all
   right?", JAMA 249 (1983). */
uint64_t aq_statistics_clean_trials(double share, double confidence);

/* The quantile of Student's t that leaves 2.5 % above it, for df >= 1 degrees of freedom; relative error
   below 1e-6. Source: t^2 / (df + t^2) is a beta variable (Abramowitz and Stegun, "Handbook of Mathematical
   Functions", 26.7.1); its finite sums 26.7.3 and 26.7.4 are inverted by bisection. */
double aq_statistics_t_975(uint32_t df);

/* A mean with its interval of 95 %: mean - half to mean + half. One value alone: half is infinite; none: NaN.
 */
struct aq_mean_interval {
    double mean, half;
};
struct aq_mean_interval aq_statistics_mean(const double *values, uint32_t n);

/* Jain's fairness index, (sum x)^2 / (n sum x^2): 1 where all are equal, 1/n where one has everything; 1
   where all are zero or there are none. Source: R. Jain, D. Chiu, W. Hawe, "A quantitative measure of
   fairness and discrimination", DEC TR-301 (1984). */
double aq_statistics_jain(const uint64_t *counts, uint32_t n);

/* The coefficient of variation: standard deviation (of the whole population, divisor n) over mean;
   0 where the mean is 0. */
double aq_statistics_cv(const uint64_t *counts, uint32_t n);

/* The largest count over the mean; 0 where the mean is 0. */
double aq_statistics_max_over_mean(const uint64_t *counts, uint32_t n);

#endif
