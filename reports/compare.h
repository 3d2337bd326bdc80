/* Two sets of runs, a base and a candidate, paired by scenario, profiles, world, fidelity and seed: which
   verdicts changed, and by how much every figure did, held against the spread from seed to seed and against a
   tolerance. */
#ifndef AQ_REPORTS_COMPARE_H
#define AQ_REPORTS_COMPARE_H

#include <stdio.h>

#include "base/arena.h"
#include "reports/runs.h"
#include "scenarios/tolerance.h"

enum aq_compare_change { AQ_COMPARE_SAME, AQ_COMPARE_BETTER, AQ_COMPARE_WORSE };

struct aq_compare_pair {
    const struct aq_run_head *base, *candidate; /* borrowed */
    enum aq_compare_change change;              /* of the verdict; among failures, of the gravity */
    bool same_trace;                            /* the same event for event */
};

/* A figure over the pairs of a group that have it on both sides. */
struct aq_compare_figure {
    const char *name; /* as of reports/record_measure.h; machine.* is what depends on the machine */
    uint32_t pairs;
    uint32_t one_sided;     /* pairs in which one side alone has it */
    double base, candidate; /* means */
    double change;          /* mean of the paired differences */
    double half_width;      /* of its 95 % interval, by Student's t; not a number with less than two pairs */
    double spread;          /* standard deviation of the base from seed to seed; likewise */
    const struct aq_tolerance_rule *rule; /* that judges it; NULL: none does */
    double allowed;                       /* change by that rule */
    bool broken;
};

/* The pairs of one scenario and its profiles. */
struct aq_compare_group {
    const struct aq_compare_pair *pairs;
    uint32_t pair_count, same_count; /* same: event for event */
    bool scenario_differs;           /* the file or its settings, in one pair or more */
    const struct aq_compare_figure
        *figures; /* those that differ: broken ones first, then by size against the spread */
    uint32_t figure_count, broken_count;
    uint32_t equal_count; /* figures without a difference */
};

struct aq_comparison {
    const char *base_name, *candidate_name; /* for people; borrowed */
    struct aq_compare_pair *pairs;          /* owned; in the order of the groups, then seeds */
    struct aq_compare_group *groups;        /* owned */
    const struct aq_run_head **only_base, **only_candidate; /* owned arrays */
    uint32_t pair_count, group_count, only_base_count, only_candidate_count;
    uint32_t older_count; /* runs left out since a later one in the same file has the same seed */
    uint32_t worse_count, better_count;
    uint32_t broken_count; /* tolerances: figures, verdicts that became worse, runs that are missing */
    struct aq_arena memory;
};

/* Compares what has ended of both. Where each is one run they are paired whatever they are. Fills an all-zero
   comparison, which borrows the heads; close it in any case. Errors: AQ_ENOENT (nothing on both sides),
   AQ_ENOMEM, those of the loading. */
int aq_compare(const struct aq_runs *base, const struct aq_runs *candidate,
               const struct aq_tolerance *tolerance, struct aq_comparison *out);
void aq_comparison_close(struct aq_comparison *comparison);

/* For people; `all`: all figures that differ, otherwise the first of each group. Errors: AQ_EIO. */
int aq_print_comparison_text(FILE *stream, const struct aq_comparison *comparison, bool all);
/* One JSON object on one line. Errors: AQ_EIO. */
int aq_print_comparison_json(FILE *stream, const struct aq_comparison *comparison);

/* "strict", or "strict/upstream" for clients and servers; in both cases with what is not usual: "strict,
 * live". */
const char *aq_compare_profile(char *text, size_t size, const struct aq_record *record);

#endif
