/* How long things take on the machine that runs them. Nothing that a run shows may depend on it. */
#ifndef AQ_SIM_WALL_CLOCK_H
#define AQ_SIM_WALL_CLOCK_H

#include <time.h>

#include "base/time.h"

/* A clock that never goes back, from any beginning. */
static inline uint64_t aq_wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * AQ_US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

#endif
