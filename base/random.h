/* Seeded random streams. Each component has a stream of its own, named by kind and index, so that adding one
   component does not shift the numbers of another. Generator: xoroshiro128++ of Blackman and Vigna,
   "Scrambled linear pseudorandom number generators" (2021); seeding by splitmix64. */
#ifndef AQ_BASE_RANDOM_H
#define AQ_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct aq_random {
    uint64_t s[2]; /* never both zero */
};

/* The stream called `name` number `index` of the run with this seed. */
void aq_random_init(struct aq_random *random, uint64_t seed, const char *name, uint64_t index);

static inline uint64_t aq_random_u64(struct aq_random *random) {
    uint64_t a = random->s[0], b = random->s[1], sum = a + b;
    uint64_t result = ((sum << 17) | (sum >> 47)) + a;
    b ^= a;
    random->s[0] = ((a << 49) | (a >> 15)) ^ b ^ (b << 21);
    random->s[1] = (b << 28) | (b >> 36);
    return result;
}

/* Uniform in 0..n-1, without bias (Lemire, "Fast random integer generation in an interval",
   2019). n must not be 0. */
static inline uint32_t aq_random_below(struct aq_random *random, uint32_t n) {
    uint64_t product = (aq_random_u64(random) >> 32) * n;
    if (__builtin_expect((uint32_t)product < n, 0)) {
        uint32_t threshold = -n % n;
        while ((uint32_t)product < threshold)
            product = (aq_random_u64(random) >> 32) * n;
    }
    return (uint32_t)(product >> 32);
}

/* Uniform in [0, 1), 53 random bits. */
static inline double aq_random_unit(struct aq_random *random) {
    return (double)(aq_random_u64(random) >> 11) * 0x1.0p-53;
}

/* True with this probability; 0 and 1 are exact and draw nothing. */
static inline bool aq_random_chance(struct aq_random *random, double probability) {
    if (probability <= 0) return false;
    if (probability >= 1) return true;
    return aq_random_unit(random) < probability;
}

/* Exponential with mean 1. Never infinite. */
double aq_random_exponential(struct aq_random *random);

/* Standard normal: the quantile of one uniform draw. */
double aq_random_normal(struct aq_random *random);

#endif
