#include "base/random.h"

#include "base/real.h"

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void aq_random_init(struct aq_random *random, uint64_t seed, const char *name, uint64_t index) {
    uint64_t state = seed;
    uint64_t mixed = splitmix64(&state);
    for (const char *c = name; *c; c++) {
        state = mixed ^ (unsigned char)*c;
        mixed = splitmix64(&state);
    }
    state = mixed ^ index;
    random->s[0] = splitmix64(&state);
    random->s[1] = splitmix64(&state);
    if (random->s[0] == 0 && random->s[1] == 0) random->s[0] = 1;
}

double aq_random_exponential(struct aq_random *random) {
    return -aq_log(1 - aq_random_unit(random));
}

double aq_random_normal(struct aq_random *random) {
    double p = ((double)(aq_random_u64(random) >> 11) + 0.5) * 0x1.0p-53; /* never 0, never 1 */
    return aq_normal_quantile(p);
}
