#include "sim/theory.h"

#include <math.h>

#include "base/assert.h"
#include "base/real.h"
#include "sim/statistics.h"

#define SPREAD_POINTS 200 /* that stand for a distribution in a quantile */

/* ---- closed networks ---- */

/* One customer more: what it finds at a station is what there is, on average, with one customer less. */
static void add_customer(const struct aq_theory_station *kinds, uint32_t kind_count, double think_s,
                         uint32_t customers, struct aq_theory_closed *out) {
    out->response_s = 0;
    for (uint32_t k = 0; k < kind_count; k++) {
        out->residence_s[k] = kinds[k].demand_s * (1 + out->customers_there[k]);
        out->response_s += out->residence_s[k] * kinds[k].count;
    }
    double cycle_s = think_s + out->response_s;
    out->throughput_per_s = cycle_s > 0 ? customers / cycle_s : INFINITY;
    for (uint32_t k = 0; k < kind_count; k++) {
        out->customers_there[k] = cycle_s > 0 ? out->throughput_per_s * out->residence_s[k] : 0;
        out->utilization[k] = cycle_s > 0 ? out->throughput_per_s * kinds[k].demand_s : 0;
    }
}

void aq_theory_mva(const struct aq_theory_station *kinds, uint32_t kind_count, double think_s,
                   uint32_t customers, struct aq_theory_closed *out) {
    AQ_ASSERT(kind_count <= AQ_THEORY_KINDS_MAX);
    *out = (struct aq_theory_closed){0};
    for (uint32_t n = 1; n <= customers; n++)
        add_customer(kinds, kind_count, think_s, n, out);
}

/* ---- moments ---- */

static struct aq_theory_moments of_uniform(double a, double b) {
    return (struct aq_theory_moments){(a + b) / 2, (a * a + a * b + b * b) / 3,
                                      (a + b) * (a * a + b * b) / 4};
}

/* Straight pieces between the quantiles, each as likely as the others. */
static struct aq_theory_moments of_quantiles(const struct aq_distribution *d) {
    struct aq_theory_moments sum = {0, 0, 0};
    for (uint32_t i = 1; i < d->quantile_count; i++) {
        struct aq_theory_moments piece = of_uniform(d->quantiles_us[i - 1] / 1e6, d->quantiles_us[i] / 1e6);
        aq_theory_mix(&sum, &piece, 1.0 / (d->quantile_count - 1));
    }
    return sum;
}

bool aq_theory_moments(const struct aq_distribution *d, struct aq_theory_moments *out) {
    double a = d->a_us / 1e6, b = d->b_us / 1e6, shape = d->shape, square = shape * shape;
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT: *out = (struct aq_theory_moments){a, a * a, a * a * a}; return true;
    case AQ_DISTRIBUTION_UNIFORM: *out = of_uniform(a, b); return true;
    case AQ_DISTRIBUTION_EXPONENTIAL:
        *out = (struct aq_theory_moments){a, 2 * a * a, 6 * a * a * a};
        return true;
    case AQ_DISTRIBUTION_LOGNORMAL:
        *out = (struct aq_theory_moments){a * exp(square / 2), a * a * exp(2 * square),
                                          a * a * a * exp(4.5 * square)};
        return true;
    case AQ_DISTRIBUTION_PARETO:
        if (shape <= 3) return false;
        *out = (struct aq_theory_moments){a * shape / (shape - 1), a * a * shape / (shape - 2),
                                          a * a * a * shape / (shape - 3)};
        return true;
    case AQ_DISTRIBUTION_EMPIRICAL: *out = of_quantiles(d); return true;
    }
    return false;
}

void aq_theory_mix(struct aq_theory_moments *into, const struct aq_theory_moments *one, double weight) {
    into->first += weight * one->first;
    into->second += weight * one->second;
    into->third += weight * one->third;
}

/* ---- open arrivals ---- */

bool aq_theory_mg1(double arrivals_per_s, const struct aq_theory_moments *service,
                   struct aq_theory_open *out) {
    double utilization = arrivals_per_s * service->first;
    if (utilization >= 1) return false;
    double wait_s = arrivals_per_s * service->second / (2 * (1 - utilization));
    double variance = wait_s * wait_s + arrivals_per_s * service->third / (3 * (1 - utilization));
    *out = (struct aq_theory_open){.utilization = utilization,
                                   .wait_s = wait_s,
                                   .wait_variance = variance,
                                   .response_s = wait_s + service->first,
                                   .response_variance =
                                       variance + service->second - service->first * service->first};
    return true;
}

double aq_theory_mm1_response_s(double arrivals_per_s, double service_s) {
    double utilization = arrivals_per_s * service_s;
    return utilization < 1 ? service_s / (1 - utilization) : INFINITY;
}

double aq_theory_md1_response_s(double arrivals_per_s, double service_s) {
    double utilization = arrivals_per_s * service_s;
    return utilization < 1 ? service_s + service_s * utilization / (2 * (1 - utilization)) : INFINITY;
}

static double normal_above(double x) {
    return erfc(x / sqrt(2)) / 2;
}

static double normal_density(double x) {
    return exp(-x * x / 2) / 2.5066282746310002;
}

double aq_theory_correlation(double arrivals_per_s, const struct aq_theory_moments *service, double lag_s) {
    double drift = 1 - arrivals_per_s * service->first, variance = arrivals_per_s * service->second;
    if (lag_s <= 0) return 1;
    if (variance <= 0) return 0;
    double t = lag_s * drift * drift / variance, root = sqrt(t);
    if (t > 40) return 0; /* below 1e-9; what follows would be a difference of large numbers */
    return 2 * (1 - 2 * t - t * t) * normal_above(root) + 2 * root * (1 + t) * normal_density(root);
}

/* ---- quantiles ---- */

static double between_quantiles(const struct aq_distribution *d, double share) {
    double at = share * (d->quantile_count - 1);
    uint32_t below = at < d->quantile_count - 2 ? (uint32_t)at : d->quantile_count - 2;
    double low_us = d->quantiles_us[below], high_us = d->quantiles_us[below + 1];
    return (low_us + (high_us - low_us) * (at - below)) / 1e6;
}

static double quantile_of(const struct aq_distribution *d, double share) {
    double a = d->a_us / 1e6, b = d->b_us / 1e6;
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT: return a;
    case AQ_DISTRIBUTION_UNIFORM: return a + (b - a) * share;
    case AQ_DISTRIBUTION_EXPONENTIAL: return -a * log1p(-share);
    case AQ_DISTRIBUTION_LOGNORMAL: return a * exp(d->shape * aq_normal_quantile(share));
    case AQ_DISTRIBUTION_PARETO: return a * pow(1 - share, -1 / d->shape);
    case AQ_DISTRIBUTION_EMPIRICAL: return between_quantiles(d, share);
    }
    return a;
}

/* The chance that a gamma variable is at most x. */
static double gamma_below(double x, double mean_s, double variance) {
    if (x < 0) return 0;
    if (mean_s <= 0 || variance <= 0) return x >= mean_s;
    return 1 - aq_statistics_gamma_q(mean_s * mean_s / variance, x * mean_s / variance);
}

double aq_theory_quantile_s(double share, double constant_s, const struct aq_distribution *spread,
                            double mean_s, double variance) {
    double points[SPREAD_POINTS], low = 0, high = mean_s + 1e-9;
    for (uint32_t i = 0; i < SPREAD_POINTS; i++)
        points[i] = spread ? quantile_of(spread, (i + 0.5) / SPREAD_POINTS) : 0;
    high += points[SPREAD_POINTS - 1] + 60 * sqrt(variance > 0 ? variance : 0);
    if (!isfinite(high)) return INFINITY;
    for (int step = 0; step < 60; step++) {
        double middle = (low + high) / 2, below = 0;
        for (uint32_t i = 0; i < SPREAD_POINTS; i++)
            below += gamma_below(middle - points[i], mean_s, variance) / SPREAD_POINTS;
        if (below < share)
            low = middle;
        else
            high = middle;
    }
    return constant_s + high;
}
