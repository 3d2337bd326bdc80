/* The two halves of a comparison. */
#ifndef AQ_REPORTS_COMPARE_INTERNAL_H
#define AQ_REPORTS_COMPARE_INTERNAL_H

#include "reports/compare.h"

/* Fills in the figures of a group from its pairs. Runs that are the same event for event are not read, where
   all are. Errors: AQ_ENOMEM, those of the loading. */
int aq_compare_figures(const struct aq_runs *base, const struct aq_runs *candidate,
                       const struct aq_tolerance *tolerance, struct aq_compare_group *group,
                       struct aq_arena *memory);

#endif
