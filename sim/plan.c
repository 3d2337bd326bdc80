#include "sim/plan.h"

#include "base/assert.h"
#include "base/memory.h"

/* ---- runs as numbers ---- */

#define CLIENT_BITS 20
#define SERVER_BITS 13
#define SEED_BITS   16

uint64_t aq_plan_run_pack(const struct aq_plan_run *run) {
    AQ_ASSERT(run->clients < 1u << CLIENT_BITS && run->servers < 1u << SERVER_BITS &&
              run->down < 1u << SERVER_BITS && run->seed < 1u << SEED_BITS);
    uint64_t packed = run->servers;
    packed = packed << SERVER_BITS | run->down;
    packed = packed << CLIENT_BITS | run->clients;
    return packed << SEED_BITS | run->seed;
}

static uint32_t take_bits(uint64_t *packed, unsigned bits) {
    uint32_t value = (uint32_t)(*packed & ((UINT64_C(1) << bits) - 1));
    *packed >>= bits;
    return value;
}

struct aq_plan_run aq_plan_run_unpack(uint64_t packed) {
    struct aq_plan_run run;
    run.seed = take_bits(&packed, SEED_BITS);
    run.clients = take_bits(&packed, CLIENT_BITS);
    run.down = take_bits(&packed, SERVER_BITS);
    run.servers = take_bits(&packed, SERVER_BITS);
    return run;
}

/* ---- the grid ---- */

uint32_t aq_plan_grid_count(const struct aq_plan_grid *grid) {
    return (grid->clients_to - grid->clients_from) / grid->clients_step + 1;
}

uint32_t aq_plan_grid_clients(const struct aq_plan_grid *grid, uint32_t index) {
    return grid->clients_from + index * grid->clients_step;
}

/* ---- points ---- */

static struct aq_plan_point *find_point(const struct aq_planner *p, uint32_t servers, uint32_t clients,
                                        uint32_t down) {
    for (uint32_t i = 0; i < p->point_count; i++) {
        struct aq_plan_point *point = &p->points[i];
        if (point->servers == servers && point->clients == clients && point->down == down) return point;
    }
    return NULL;
}

const struct aq_plan_point *aq_planner_point(const struct aq_planner *p, uint32_t servers, uint32_t clients,
                                             uint32_t down) {
    return find_point(p, servers, clients, down);
}

/* The point that the search looks at, made when it comes up. Errors: AQ_ENOMEM. */
static int make_point(struct aq_planner *p, const struct aq_plan_search *search) {
    uint32_t clients = aq_plan_grid_clients(&p->grid, search->at);
    AQ_ASSERT(!find_point(p, search->servers, clients, search->down));
    int rc = aq_array_reserve(&p->points, &p->point_capacity, (size_t)p->point_count + 1, sizeof *p->points);
    if (rc) return rc;
    struct aq_plan_point point = {
        .servers = search->servers, .clients = clients, .down = search->down, .wanted = p->grid.seeds_min};
    point.seeds = aq_alloc_zeroed(p->grid.seeds_max, sizeof *point.seeds);
    if (!point.seeds) return AQ_ENOMEM;
    p->points[p->point_count++] = point;
    return 0;
}

struct aq_mean_interval aq_plan_point_figure(const struct aq_plan_point *point, const char *name) {
    double values[AQ_PLAN_SEEDS_MAX];
    uint32_t count = 0;
    AQ_ASSERT(point->have <= AQ_PLAN_SEEDS_MAX);
    for (uint32_t i = 0; i < point->have; i++)
        count += aq_measured_get(&point->seeds[i], name, &values[count]);
    return aq_statistics_mean(values, count);
}

enum aq_held aq_plan_point_judge(const struct aq_plan_point *point, const struct aq_objective *objective,
                                 uint32_t *first) {
    enum aq_held held = AQ_HELD_YES;
    uint32_t found = objective->count;
    for (uint32_t i = 0; i < objective->count; i++) {
        const struct aq_objective_term *term = &objective->terms[i];
        struct aq_mean_interval interval = aq_plan_point_figure(point, term->figure);
        enum aq_held one =
            aq_objective_judge(term, interval.mean - interval.half, interval.mean + interval.half);
        if (one == AQ_HELD_YES || held == AQ_HELD_NO) continue;
        if (one == AQ_HELD_NO || found == objective->count) found = i;
        held = one;
    }
    if (first) *first = found;
    return held;
}

/* ---- the search ---- */

/* Upwards in strides that double, until one holds no more; then by halves. What fails below all that hold, as
   too few clients may, does not end it. */
static void step(struct aq_plan_search *s, bool holds, uint32_t count) {
    if (holds)
        s->low = s->at;
    else if (s->low >= 0)
        s->high = s->at;
    if (s->stride && s->high == count) {
        s->done = s->at == count - 1;
        s->at = s->at + s->stride < count - 1 ? s->at + s->stride : count - 1;
        s->stride *= 2;
        return;
    }
    s->stride = 0;
    s->done = s->high - s->low <= 1;
    s->at = (uint32_t)((s->low + s->high) / 2);
}

/* A point has all seeds that it wants: it is decided, or wants one more. */
static int decide(struct aq_planner *p, struct aq_plan_search *search, struct aq_plan_point *point) {
    enum aq_held held = aq_plan_point_judge(point, p->objective, NULL);
    if (held == AQ_HELD_OPEN && point->wanted < p->grid.seeds_max) {
        point->wanted++;
        return 0;
    }
    point->decided = true;
    point->held = held;
    step(search, held == AQ_HELD_YES, aq_plan_grid_count(&p->grid));
    return search->done ? 0 : make_point(p, search);
}

static struct aq_plan_search *find_search(const struct aq_planner *p, uint32_t servers, uint32_t down) {
    for (uint32_t i = 0; i < p->search_count; i++)
        if (p->searches[i].servers == servers && p->searches[i].down == down) return &p->searches[i];
    return NULL;
}

const struct aq_plan_search *aq_planner_search(const struct aq_planner *p, uint32_t servers, uint32_t down) {
    return find_search(p, servers, down);
}

static int add_search(struct aq_planner *p, uint32_t servers, uint32_t down) {
    struct aq_plan_search *search = &p->searches[p->search_count++];
    *search = (struct aq_plan_search){
        .servers = servers, .down = down, .stride = 1, .low = -1, .high = aq_plan_grid_count(&p->grid)};
    return make_point(p, search);
}

static bool is_own(const struct aq_plan_grid *grid, const uint32_t *shard_of, uint32_t left) {
    return !shard_of || shard_of[left] == grid->shard;
}

int aq_planner_init(struct aq_planner *p, const struct aq_plan_grid *grid,
                    const struct aq_objective *objective) {
    uint32_t numbers = grid->servers_to - grid->servers_from + 1;
    AQ_ASSERT(grid->seeds_min >= 2 && grid->seeds_max >= grid->seeds_min &&
              grid->seeds_max <= AQ_PLAN_SEEDS_MAX);
    *p = (struct aq_planner){.grid = *grid, .objective = objective};
    p->searches = aq_alloc_zeroed(2 * (size_t)numbers, sizeof *p->searches);
    uint32_t *shard_of = grid->shards > 1 ? aq_alloc((grid->servers_to + 1) * sizeof *shard_of) : NULL;
    int rc = p->searches && (shard_of || grid->shards <= 1) ? 0 : AQ_ENOMEM;
    if (!rc && shard_of) rc = aq_plan_share_out(grid, shard_of);
    for (uint32_t servers = grid->servers_from; servers <= grid->servers_to && !rc; servers++) {
        if (is_own(grid, shard_of, servers)) rc = add_search(p, servers, 0);
        if (!rc && grid->survive && servers > grid->survive &&
            is_own(grid, shard_of, servers - grid->survive))
            rc = add_search(p, servers, grid->survive);
    }
    aq_free(shard_of);
    return rc;
}

void aq_planner_close(struct aq_planner *p) {
    for (uint32_t i = 0; i < p->point_count; i++)
        aq_free(p->points[i].seeds);
    aq_free(p->points);
    aq_free(p->searches);
    *p = (struct aq_planner){0};
}

bool aq_planner_next(struct aq_planner *p, struct aq_plan_run *out) {
    for (uint32_t i = 0; i < p->point_count; i++) {
        struct aq_plan_point *point = &p->points[i];
        if (point->decided || point->handed >= point->wanted) continue;
        *out = (struct aq_plan_run){point->servers, point->clients, point->down, ++point->handed};
        return true;
    }
    return false;
}

int aq_planner_take(struct aq_planner *p, const struct aq_plan_run *run, const struct aq_measured *measured) {
    struct aq_plan_point *point = find_point(p, run->servers, run->clients, run->down);
    AQ_ASSERT(point && !point->decided && run->seed >= 1 && run->seed <= point->handed);
    point->seeds[run->seed - 1] = *measured;
    if (++point->have < point->wanted) return 0;
    return decide(p, find_search(p, run->servers, run->down), point);
}

bool aq_planner_done(const struct aq_planner *p) {
    for (uint32_t i = 0; i < p->search_count; i++)
        if (!p->searches[i].done) return false;
    return true;
}
