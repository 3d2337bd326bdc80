#include "sim/statistics.h"

#include <math.h>

#define TWO_PI            6.283185307179586
#define ITERATIONS_MAX    10000000
#define STIRLING_FROM     20.0 /* the four terms below are exact to double precision from here on */
#define CONTINUED_TINY    1e-300
#define CONTINUED_EPSILON 1e-16
#define BISECTIONS        60 /* to the last bit */

/* x^a e^-x / Gamma(a + 1). The exponent of the plain form is a difference of large numbers; for large a it is
   taken as -a (m - log(1 + m)) with m = x / a - 1, and Stirling's series (DLMF 5.11.1) stands for the rest.
 */
static double front_factor(double a, double x) {
    if (a < STIRLING_FROM) return exp(a * log(x) - x - lgamma(a + 1));
    double m = (x - a) / a, inverse = 1 / a, square = inverse * inverse;
    double stirling = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
    return exp(-a * (m - log1p(m)) - stirling) / sqrt(TWO_PI * a);
}

/* P(a, x) without its front factor: the sum of x^k / ((a + 1) ... (a + k)), DLMF 8.7.1. */
static double series(double a, double x) {
    double term = 1, sum = 1;
    for (int k = 1; k < ITERATIONS_MAX; k++) {
        term *= x / (a + k);
        sum += term;
        if (term < sum * CONTINUED_EPSILON) break;
    }
    return sum;
}

/* The even part of the continued fraction DLMF 8.9.2 of e^x x^-a Gamma(a, x), by Lentz's method. */
static double continued_fraction(double a, double x) {
    double b = x + 1 - a, c = 1 / CONTINUED_TINY, d = 1 / b, value = d;
    for (int k = 1; k < ITERATIONS_MAX; k++) {
        double numerator = -k * (k - a);
        b += 2;
        d = numerator * d + b;
        if (fabs(d) < CONTINUED_TINY) d = CONTINUED_TINY;
        c = b + numerator / c;
        if (fabs(c) < CONTINUED_TINY) c = CONTINUED_TINY;
        d = 1 / d;
        double change = c * d;
        value *= change;
        if (fabs(change - 1) < 4 * CONTINUED_EPSILON) break;
    }
    return value;
}

double aq_statistics_gamma_q(double a, double x) {
    if (!(a > 0) || !(x >= 0)) return NAN;
    if (x == 0) return 1;
    if (isinf(x)) return 0;
    if (x < a + 1) return 1 - front_factor(a, x) * series(a, x);
    return front_factor(a, x) * a * continued_fraction(a, x);
}

double aq_statistics_chi_square_sf(double x, double df) {
    if (!(df > 0)) return NAN;
    if (x <= 0) return 1;
    return aq_statistics_gamma_q(df / 2, x / 2);
}

struct aq_interval aq_statistics_wilson(uint64_t hits, uint64_t trials, double z) {
    if (trials == 0) return (struct aq_interval){0, 1};
    double n = (double)trials, p = (double)hits / n, zz = z * z;
    double middle = (p + zz / (2 * n)) / (1 + zz / n);
    double half = z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n);
    struct aq_interval interval = {middle - half, middle + half};
    if (hits == 0 || interval.low < 0) interval.low = 0;
    if (hits == trials || interval.high > 1) interval.high = 1;
    return interval;
}

/* The chance that |T| is at most t, by the angle whose tangent is t / sqrt(df). */
static double t_within(double t, uint32_t df) {
    double angle = atan(t / sqrt(df)), cosine = cos(angle), square = cosine * cosine;
    double term = df % 2 ? cosine : 1, sum = df == 1 ? 0 : term;
    for (uint32_t k = df % 2 ? 3 : 2; k < df; k += 2)
        sum += term *= square * (k - 1) / k;
    return df % 2 ? (angle + sin(angle) * sum) * 4 / TWO_PI : sin(angle) * sum;
}

double aq_statistics_t_975(uint32_t df) {
    double low = AQ_Z_95, high = 13;
    if (df == 0) return INFINITY;
    if (df > 10000) return AQ_Z_95 + 2.372271 / df; /* the first term of its expansion, A&S 26.7.5 */
    for (int step = 0; step < BISECTIONS; step++) {
        double middle = (low + high) / 2;
        if (t_within(middle, df) < 0.95)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct aq_mean_interval aq_statistics_mean(const double *values, uint32_t n) {
    double sum = 0, squares = 0;
    if (n == 0) return (struct aq_mean_interval){NAN, NAN};
    for (uint32_t i = 0; i < n; i++)
        sum += values[i];
    for (uint32_t i = 0; i < n; i++)
        squares += (values[i] - sum / n) * (values[i] - sum / n);
    if (n == 1) return (struct aq_mean_interval){sum, INFINITY};
    return (struct aq_mean_interval){sum / n, aq_statistics_t_975(n - 1) * sqrt(squares / (n - 1) / n)};
}

static double mean_of(const uint64_t *counts, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (double)counts[i];
    return n ? sum / n : 0;
}

/* The probability of fewer than `hits` hits in `trials`, each with probability p, 0 < p < 1. */
static double binomial_below(uint64_t hits, uint64_t trials, double p) {
    double sum = 0, odds = log(p) - log1p(-p), term = (double)trials * log1p(-p);
    for (uint64_t i = 0; i < hits; i++) {
        sum += exp(term);
        term += log((double)(trials - i)) - log((double)(i + 1)) + odds;
    }
    return sum;
}

double aq_statistics_share_low(uint64_t hits, uint64_t trials, double confidence) {
    double low = 0, high = 1;
    if (hits == 0) return 0;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = (low + high) / 2;
        if (binomial_below(hits, trials, middle) > confidence)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t aq_statistics_clean_trials(double share, double confidence) {
    if (!(share > 0)) return 0;
    if (share >= 1) return 1;
    return (uint64_t)ceil(log(1 - confidence) / log1p(-share));
}

double aq_statistics_jain(const uint64_t *counts, uint32_t n) {
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += (double)counts[i];
        squares += (double)counts[i] * (double)counts[i];
    }
    return squares > 0 ? sum * sum / (n * squares) : 1;
}

double aq_statistics_cv(const uint64_t *counts, uint32_t n) {
    double mean = mean_of(counts, n), squares = 0;
    if (mean <= 0) return 0;
    for (uint32_t i = 0; i < n; i++)
        squares += ((double)counts[i] - mean) * ((double)counts[i] - mean);
    return sqrt(squares / n) / mean;
}

double aq_statistics_max_over_mean(const uint64_t *counts, uint32_t n) {
    double mean = mean_of(counts, n), most = 0;
    for (uint32_t i = 0; i < n; i++)
        if ((double)counts[i] > most) most = (double)counts[i];
    return mean > 0 ? most / mean : 0;
}
