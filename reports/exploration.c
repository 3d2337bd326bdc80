#include "reports/exploration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "reports/exit_code.h"

const char *aq_exploration_verdict(const struct aq_exploration *x) {
    if (x->failure_count) return "fail";
    return x->exit_code || x->interrupted ? "unknown" : "pass";
}

uint64_t aq_exploration_seeds(const struct aq_exploration *x) {
    uint64_t sum = 0;
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        sum += x->seeds[i];
    return sum;
}

static uint32_t count_missing(const struct aq_exploration *x) {
    uint32_t missing = 0;
    for (uint32_t i = 0; i < x->mark_count; i++)
        missing += x->marks[i].required && x->marks[i].count == 0;
    return missing;
}

void aq_exploration_conclude(struct aq_exploration *x, int gravest, char *text, size_t size) {
    uint64_t failing = x->seeds[AQ_SEED_FAIL] + x->seeds[AQ_SEED_CRASH], all = aq_exploration_seeds(x);
    uint32_t missing = count_missing(x);
    if (x->failure_count)
        snprintf(text, size, "%" PRIu32 " sorts of failure in %" PRIu64 " of %" PRIu64 " seeds",
                 x->failure_count, failing, all);
    else if (!all)
        snprintf(text, size, "no seed was run");
    else if (x->seeds[AQ_SEED_UNKNOWN])
        snprintf(text, size, "%" PRIu64 " seeds without a verdict", x->seeds[AQ_SEED_UNKNOWN]);
    else if (x->seeds[AQ_SEED_NO_RUN])
        snprintf(text, size, "%" PRIu64 " seeds could not be run", x->seeds[AQ_SEED_NO_RUN]);
    else if (missing)
        snprintf(text, size, "%" PRIu32 " required marks not reached", missing);
    else
        snprintf(text, size, "every seed passes");
    bool unsure = missing || x->seeds[AQ_SEED_NO_RUN] || !all;
    x->exit_code = x->interrupted ? AQ_EXIT_INTERRUPTED
                   : gravest      ? gravest
                   : unsure       ? AQ_EXIT_UNKNOWN
                                  : AQ_EXIT_PASS;
}

/* ---- the search ---- */

static int by_value(const void *a, const void *b) {
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static double seeds_to_find(const struct aq_exploration_find *find) {
    return (double)find->seeds;
}
static double virtual_to_find(const struct aq_exploration_find *find) {
    return (double)find->virtual_us / 1e6;
}
static double wall_to_find(const struct aq_exploration_find *find) {
    return (double)find->wall_us / 1e6;
}

static const struct {
    const char *name;
    double (*value)(const struct aq_exploration_find *);
} search_measures[AQ_EXPLORATION_SPREADS] = {
    {"seeds", seeds_to_find}, {"virtual_s", virtual_to_find}, {"wall_s", wall_to_find}};

int aq_exploration_spreads(const struct aq_exploration *x,
                           struct aq_exploration_spread spreads[AQ_EXPLORATION_SPREADS], uint32_t *found) {
    double *values = aq_alloc((x->find_count + 1) * sizeof *values);
    if (!values) return AQ_ENOMEM;
    for (int m = 0; m < AQ_EXPLORATION_SPREADS; m++) {
        uint32_t count = 0;
        double sum = 0;
        spreads[m] = (struct aq_exploration_spread){search_measures[m].name, 0, 0, 0, 0};
        for (uint32_t i = 0; i < x->find_count; i++)
            if (x->finds[i].found) sum += values[count++] = search_measures[m].value(&x->finds[i]);
        *found = count;
        if (!count) continue;
        qsort(values, count, sizeof *values, by_value);
        spreads[m].min = values[0];
        spreads[m].median = (values[(count - 1) / 2] + values[count / 2]) / 2;
        spreads[m].mean = sum / count;
        spreads[m].max = values[count - 1];
    }
    aq_free(values);
    return 0;
}
