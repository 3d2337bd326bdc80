/* The search of a plan: for each number of servers, how many clients meet an objective? It says which runs it
   wants and takes their figures; who runs them, and in which order they come back, makes no difference to the
   outcome. */
#ifndef AQ_SIM_PLAN_H
#define AQ_SIM_PLAN_H

#include "sim/measure.h"
#include "sim/objective.h"
#include "sim/statistics.h"

#define AQ_PLAN_SEEDS_MAX 64

struct aq_plan_grid {
    uint32_t clients_from, clients_to, clients_step; /* step at least 1 */
    uint32_t servers_from, servers_to;
    uint32_t survive;              /* servers whose loss has to be borne; 0: none is lost */
    uint32_t seeds_min, seeds_max; /* runs of each point; 2 to AQ_PLAN_SEEDS_MAX */
    uint32_t shard, shards;        /* only the searches of this part; 0 or 1 of them: all */
};

/* One run. Seeds count from 1. */
struct aq_plan_run {
    uint32_t servers, clients;
    uint32_t down; /* servers that are lost as measuring begins */
    uint32_t seed;
};

/* As one number, for pools of processes. */
uint64_t aq_plan_run_pack(const struct aq_plan_run *run);
struct aq_plan_run aq_plan_run_unpack(uint64_t packed);

struct aq_plan_point {
    uint32_t servers, clients, down;
    uint32_t handed, wanted, have; /* seeds: handed out, needed as things stand, come back */
    enum aq_held held;             /* once it is decided */
    bool decided;
    struct aq_measured *seeds; /* owned: by seed, from 1; seeds_max of them */
};

/* The search for one number of servers, all there or some of them lost. */
struct aq_plan_search {
    uint32_t servers, down;
    uint32_t at;       /* index of the number of clients that is looked at */
    uint32_t stride;   /* while it still grows; 0: it halves the gap */
    int64_t low, high; /* highest index that holds, -1: none; lowest above it that does not, count: none */
    bool done;
};

struct aq_planner {
    struct aq_plan_grid grid;
    const struct aq_objective *objective; /* borrowed */
    struct aq_plan_search *searches;
    uint32_t search_count;
    struct aq_plan_point *points; /* in the order in which they came up */
    uint32_t point_count, point_capacity;
};

/* Errors: AQ_ENOMEM; close accepts a half-made one. */
int aq_planner_init(struct aq_planner *planner, const struct aq_plan_grid *grid,
                    const struct aq_objective *objective);
void aq_planner_close(struct aq_planner *planner);

/* A run that is wanted and not handed out yet. False: none, for now or for good. */
bool aq_planner_next(struct aq_planner *planner, struct aq_plan_run *out);

/* The figures of a run that was handed out. Errors: AQ_ENOMEM. */
int aq_planner_take(struct aq_planner *planner, const struct aq_plan_run *run,
                    const struct aq_measured *measured);

/* plan_shards.c. Shares the searches out to the shards of the grid, of which there is at least one, the
   dearest first, each to the one that has least to do: shard_of[L], with room for servers_to + 1, is the
   shard, from 1, of those that end up with L servers. Errors: AQ_ENOMEM. */
int aq_plan_share_out(const struct aq_plan_grid *grid, uint32_t *shard_of);

bool aq_planner_done(const struct aq_planner *planner);

uint32_t aq_plan_grid_count(const struct aq_plan_grid *grid);
uint32_t aq_plan_grid_clients(const struct aq_plan_grid *grid, uint32_t index);

/* NULL where it did not come up. */
const struct aq_plan_point *aq_planner_point(const struct aq_planner *planner, uint32_t servers,
                                             uint32_t clients, uint32_t down);
/* NULL where there is none such. */
const struct aq_plan_search *aq_planner_search(const struct aq_planner *planner, uint32_t servers,
                                               uint32_t down);

/* The figure over the seeds that have come back. */
struct aq_mean_interval aq_plan_point_figure(const struct aq_plan_point *point, const char *name);

/* What the seeds of a point say of the objective; *first, if wanted, is the first term that does not hold, or
 * count. */
enum aq_held aq_plan_point_judge(const struct aq_plan_point *point, const struct aq_objective *objective,
                                 uint32_t *first);

#endif
