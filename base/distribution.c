#include "base/distribution.h"

#include <math.h>

#include "base/error.h"
#include "base/real.h"

#define Z99         2.3263478740408408 /* 99th percentile of the standard normal */
#define SPAN_MAX_US 1e18

int aq_distribution_prepare(struct aq_distribution *d) {
    bool two = d->kind == AQ_DISTRIBUTION_UNIFORM || d->kind == AQ_DISTRIBUTION_LOGNORMAL ||
               d->kind == AQ_DISTRIBUTION_PARETO;
    if (!(d->a_us >= 0) || (two && !(d->b_us >= d->a_us))) return AQ_EINVALID;
    switch (d->kind) {
    case AQ_DISTRIBUTION_LOGNORMAL:
        if (!(d->a_us > 0)) return AQ_EINVALID;
        d->shape = aq_log(d->b_us / d->a_us) / Z99;
        break;
    case AQ_DISTRIBUTION_PARETO: /* P(X > x) = (a/x)^alpha, so alpha = ln(100) / ln(p99/a) */
        if (!(d->a_us > 0) || !(d->b_us > d->a_us)) return AQ_EINVALID;
        d->shape = aq_log(100) / aq_log(d->b_us / d->a_us);
        break;
    case AQ_DISTRIBUTION_EMPIRICAL:
        d->shape = 0;
        if (d->quantile_count < 2 || !(d->quantiles_us[0] >= 0)) return AQ_EINVALID;
        for (uint32_t i = 1; i < d->quantile_count; i++)
            if (!(d->quantiles_us[i] >= d->quantiles_us[i - 1])) return AQ_EINVALID;
        break;
    default: d->shape = 0;
    }
    return 0;
}

/* The inverse of the distribution function, at a uniform draw. */
static double draw_empirical_us(const struct aq_distribution *d, struct aq_random *random) {
    double at = aq_random_unit(random) * (d->quantile_count - 1);
    uint32_t below = (uint32_t)at;
    if (below > d->quantile_count - 2) below = d->quantile_count - 2;
    double low_us = d->quantiles_us[below];
    return low_us + (d->quantiles_us[below + 1] - low_us) * (at - below);
}

static double draw_us(const struct aq_distribution *d, struct aq_random *random) {
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT: return d->a_us;
    case AQ_DISTRIBUTION_UNIFORM: return d->a_us + (d->b_us - d->a_us) * aq_random_unit(random);
    case AQ_DISTRIBUTION_EXPONENTIAL: return d->a_us * aq_random_exponential(random);
    case AQ_DISTRIBUTION_LOGNORMAL: return d->a_us * aq_exp(d->shape * aq_random_normal(random));
    case AQ_DISTRIBUTION_PARETO: return d->a_us * aq_exp(aq_random_exponential(random) / d->shape);
    case AQ_DISTRIBUTION_EMPIRICAL: return draw_empirical_us(d, random);
    }
    return d->a_us;
}

aq_time_us aq_distribution_draw(const struct aq_distribution *d, struct aq_random *random) {
    double us = draw_us(d, random);
    return us < SPAN_MAX_US ? (aq_time_us)(us + 0.5) : (aq_time_us)SPAN_MAX_US;
}

/* Of straight pieces, each as likely as the others. */
static double empirical_mean_us(const struct aq_distribution *d) {
    double sum_us = 0;
    for (uint32_t i = 1; i < d->quantile_count; i++)
        sum_us += (d->quantiles_us[i - 1] + d->quantiles_us[i]) / 2;
    return sum_us / (d->quantile_count - 1);
}

double aq_distribution_mean_us(const struct aq_distribution *d) {
    switch (d->kind) {
    case AQ_DISTRIBUTION_CONSTANT:
    case AQ_DISTRIBUTION_EXPONENTIAL: return d->a_us;
    case AQ_DISTRIBUTION_UNIFORM: return (d->a_us + d->b_us) / 2;
    case AQ_DISTRIBUTION_LOGNORMAL: return d->a_us * aq_exp(d->shape * d->shape / 2);
    case AQ_DISTRIBUTION_PARETO: return d->shape > 1 ? d->a_us * d->shape / (d->shape - 1) : INFINITY;
    case AQ_DISTRIBUTION_EMPIRICAL: return empirical_mean_us(d);
    }
    return d->a_us;
}
