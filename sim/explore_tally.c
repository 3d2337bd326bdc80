#include "sim/explore_tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/verdict.h"

static int find_failure(const struct aq_explore_tally *tally, const char *hex) {
    for (uint32_t i = 0; i < tally->failure_count; i++)
        if (strcmp(tally->failures[i].fingerprint.hex, hex) == 0) return (int)i;
    return -1;
}

static int add_failure(struct aq_explore_tally *tally, const struct aq_explored_seed *seed,
                       const struct aq_fingerprint *fingerprint) {
    int at = find_failure(tally, fingerprint->hex);
    if (at < 0) {
        int rc = aq_array_reserve(&tally->failures, &tally->failure_capacity,
                                  (size_t)tally->failure_count + 1, sizeof *tally->failures);
        if (rc) return rc;
        at = (int)tally->failure_count++;
        tally->failures[at] = (struct aq_tally_failure){
            .fingerprint = *fingerprint, .first_seed = seed->seed, .quickest_events = UINT64_MAX};
    }
    struct aq_tally_failure *failure = &tally->failures[at];
    failure->seeds++;
    if (seed->seed < failure->first_seed) failure->first_seed = seed->seed;
    bool quicker = seed->events < failure->quickest_events ||
                   (seed->events == failure->quickest_events && seed->seed < failure->quickest_seed);
    if (!quicker) return 0;
    failure->quickest_seed = seed->seed;
    failure->quickest_events = seed->events;
    return 0;
}

/* ---- the search ---- */

/* Which of the seed's failures is the one searched for, by the name of the check or by fingerprint; -1: none.
 */
static int searched(const struct aq_explore_tally *tally, const struct aq_explored_seed *seed,
                    const struct aq_seed_detail *detail) {
    for (uint32_t i = 0; i < seed->fingerprint_count; i++)
        if (strcmp(detail->failures[i].check, tally->until_found) == 0 ||
            strcmp(detail->failures[i].hex, tally->until_found) == 0)
            return (int)i;
    return -1;
}

static int search(struct aq_explore_tally *tally, const struct aq_explored_seed *seed,
                  const struct aq_seed_detail *detail) {
    if (!tally->find_open) {
        int rc = aq_array_reserve(&tally->finds, &tally->find_capacity, (size_t)tally->find_count + 1,
                                  sizeof *tally->finds);
        if (rc) return rc;
        tally->finds[tally->find_count++] = (struct aq_exploration_find){.from_seed = seed->seed};
        tally->find_open = true;
    }
    struct aq_exploration_find *find = &tally->finds[tally->find_count - 1];
    int at = searched(tally, seed, detail);
    find->seeds++;
    find->wall_us += seed->wall_us;
    find->virtual_us += at < 0 ? seed->virtual_us : detail->failed_us[at];
    if (at < 0) return 0;
    find->found = true;
    find->found_seed = seed->seed;
    tally->find_open = false;
    return tally->find_count >= tally->repetitions;
}

/* ---- the sums ---- */

int aq_tally_add(struct aq_explore_tally *tally, const struct aq_explored_seed *seed,
                 const struct aq_seed_detail *detail) {
    tally->seeds[seed->verdict]++;
    tally->replay_checked += seed->replayed;
    tally->events += seed->events;
    tally->virtual_us += seed->virtual_us;
    tally->busy_us += seed->wall_us;
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++) {
        tally->mark_hits[i] += detail->marks[i];
        tally->mark_seeds[i] += detail->marks[i] > 0;
    }
    if (seed->verdict != AQ_SEED_NO_RUN) tally->exit_code = aq_exit_graver(tally->exit_code, seed->exit_code);
    for (uint32_t i = 0; seed->verdict != AQ_SEED_NO_RUN && i < seed->fingerprint_count; i++) {
        int rc = add_failure(tally, seed, &detail->failures[i]);
        if (rc) return rc;
    }
    return tally->until_found ? search(tally, seed, detail) : 0;
}

static int by_seeds(const void *a, const void *b) {
    const struct aq_tally_failure *one = a, *other = b;
    if (one->seeds != other->seeds) return one->seeds < other->seeds ? 1 : -1;
    return strcmp(one->fingerprint.hex, other->fingerprint.hex);
}

void aq_tally_sort(struct aq_explore_tally *tally) {
    if (tally->failure_count) qsort(tally->failures, tally->failure_count, sizeof *tally->failures, by_seeds);
}

uint64_t aq_tally_seeds(const struct aq_explore_tally *tally) {
    uint64_t sum = 0;
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        sum += tally->seeds[i];
    return sum;
}

uint32_t aq_tally_marks_hit(const struct aq_explore_tally *tally) {
    uint32_t hit = 0;
    for (uint32_t i = 0; i < AQ_RUN_MARK_COUNT; i++)
        hit += tally->mark_hits[i] > 0;
    return hit;
}

bool aq_tally_mark_possible(uint32_t mark) {
    uint32_t first = AQ_CLIENT_MARK_COUNT + AQ_MARK_FAULT_FIRST;
    struct aq_fault_spec fault = {.kind = mark < first ? AQ_FAULT_CRASH : (enum aq_fault_kind)(mark - first)};
    struct aq_scenario scenario = {.faults = &fault, .fault_count = 1};
    struct aq_error error;
    return aq_scenario_check_world(&scenario, false, &error) == 0;
}

void aq_tally_close(struct aq_explore_tally *tally) {
    aq_free(tally->failures);
    aq_free(tally->finds);
    *tally = (struct aq_explore_tally){0};
}
