/* The parts of a plan for several machines. */
#include "base/memory.h"
#include "sim/plan.h"

/* Searches that end up with the same number of servers stay together: what breaks first where servers are
   lost is told from the search in which the others are alone. A run takes as long as it has load, and at the
   knee, where most of the points are, load goes with the servers. */
static void add_costs(const struct aq_plan_grid *grid, uint64_t *costs) {
    for (uint32_t servers = grid->servers_from; servers <= grid->servers_to; servers++) {
        costs[servers] += servers;
        if (grid->survive && servers > grid->survive)
            costs[servers - grid->survive] += servers - grid->survive;
    }
}

/* The dearest that is not given away, the one with more servers of equals; 0: none is left. */
static uint32_t dearest(const uint64_t *costs, uint32_t count) {
    uint32_t found = 0;
    for (uint32_t left = 1; left < count; left++)
        if (costs[left] && costs[left] >= costs[found]) found = left;
    return found;
}

static uint32_t least_loaded(const uint64_t *loads, uint32_t count) {
    uint32_t found = 0;
    for (uint32_t i = 1; i < count; i++)
        if (loads[i] < loads[found]) found = i;
    return found;
}

int aq_plan_share_out(const struct aq_plan_grid *grid, uint32_t *shard_of) {
    uint32_t count = grid->servers_to + 1, left;
    uint32_t shards = grid->shards < count ? grid->shards : count; /* further ones have nothing to do */
    uint64_t *costs = aq_alloc_zeroed(count, sizeof *costs), *loads = aq_alloc_zeroed(shards, sizeof *loads);
    int rc = costs && loads ? 0 : AQ_ENOMEM;
    if (!rc) add_costs(grid, costs);
    while (!rc && (left = dearest(costs, count)) != 0) {
        uint32_t shard = least_loaded(loads, shards);
        loads[shard] += costs[left];
        costs[left] = 0;
        shard_of[left] = shard + 1;
    }
    aq_free(costs);
    aq_free(loads);
    return rc;
}
