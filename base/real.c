#include "base/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HIGH 0x1.62e42fefa3800p-1  /* the leading bits of ln 2: multiples by small integers are exact */
#define LN2_LOW  0x1.ef35793c76730p-45 /* the rest */
#define SQRT2    1.4142135623730951

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Polynomial of degree 7, highest coefficient last. By Estrin's scheme, here as below: in halves that the
   processor computes side by side, where Horner's makes it wait for every step. */
static double polynomial(const double c[8], double x) {
    double x2 = x * x;
    double low = (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2;
    double high = (c[4] + c[5] * x) + (c[6] + c[7] * x) * x2;
    return low + high * (x2 * x2);
}

/* x = m * 2^e with m near 1; log m = 2 artanh(s), s = (m - 1) / (m + 1), by its series. */
double aq_log(double x) {
    uint64_t bits = bits_of(x);
    int exponent = (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
    if (m > SQRT2) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), z = s * s;
    double z2 = z * z, z4 = z2 * z2;
    double low = (1.0 / 3 + 1.0 / 5 * z) + (1.0 / 7 + 1.0 / 9 * z) * z2;
    double high = (1.0 / 11 + 1.0 / 13 * z) + (1.0 / 15 + 1.0 / 17 * z) * z2;
    double tail = (low + (high + 1.0 / 19 * z4) * z4) * z;
    return exponent * LN2_HIGH + (2 * s + (2 * s * tail + exponent * LN2_LOW));
}

/* x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its series, in two halves that can be computed side by side. */
double aq_exp(double x) {
    if (x < -708) return 0;
    if (x > 709) x = 709;
    int whole = (int)(x * 1.4426950408889634 + 2048.5) - 2048; /* rounded: the sum is positive */
    double k = whole;
    double r = (x - k * LN2_HIGH) - k * LN2_LOW, r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    double even = (1.0 / 2 + 1.0 / 24 * r2) + (1.0 / 720 + 1.0 / 40320 * r2) * r4 +
                  (1.0 / 3628800 + 1.0 / 479001600 * r2) * r8;
    double odd = (1.0 / 6 + 1.0 / 120 * r2) + (1.0 / 5040 + 1.0 / 362880 * r2) * r4 +
                 (1.0 / 39916800 + 1.0 / 6227020800 * r2) * r8;
    double result = 1 + (r + (even + r * odd) * r2);
    return result * from_bits((uint64_t)(1023 + whole) << 52);
}

double aq_normal_quantile(double p) {
    static const double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                               1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                               3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[] = {1.0,
                               4.2313330701600911252e1,
                               6.8718700749205790830e2,
                               5.3941960214247511077e3,
                               2.1213794301586595867e4,
                               3.9307895800092710610e4,
                               2.8729085735721942674e4,
                               5.2264952788528545610e3};
    static const double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                               3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[] = {1.0,
                               2.05319162663775882187e0,
                               1.67638483018380384940e0,
                               6.89767334985100004550e-1,
                               1.48103976427480074590e-1,
                               1.51986665636164571966e-2,
                               5.47593808499534494600e-4,
                               1.05075007164441684324e-9};
    static const double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    double q = p - 0.5;
    if (q >= -0.425 && q <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(a, r) / polynomial(b, r);
    }
    double r = sqrt(-aq_log(q < 0 ? p : 1 - p));
    double x = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                      : polynomial(e, r - 5) / polynomial(f, r - 5);
    return q < 0 ? -x : x;
}
