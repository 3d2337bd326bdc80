/* A made-up record with something in every field, hard cases included: extreme numbers, texts with control
   characters and bytes that are no UTF-8, empty histograms, faults without an end. */
#ifndef AQ_TESTS_REPORTS_SAMPLE_H
#define AQ_TESTS_REPORTS_SAMPLE_H

#include <stdio.h>

#include "reports/exploration.h"
#include "reports/plan.h"
#include "reports/record.h"

/* Initialises and fills *record; close it with aq_record_close. */
void sample_fill(struct aq_record *record);

/* An exploration of four seeds with a crash, a failure of two seeds, marks and two searches; and its seeds.
   All of it is constant. */
extern const struct aq_exploration sample_exploration;
extern const struct aq_explored_seed sample_seeds[4];

/* A plan for two servers with and without the loss of one, and a run whose figures are kept. */
extern const struct aq_plan sample_plan;
extern const struct aq_kept_run sample_kept_run;
extern const struct aq_kept_figure sample_kept_figures[2];

/* What a printer wrote, as a NUL-terminated text to be freed with free(). */
char *sample_printed(int (*print)(FILE *stream, const struct aq_record *record),
                     const struct aq_record *record);
char *sample_exploration_printed(int (*print)(FILE *stream, const struct aq_exploration *exploration),
                                 const struct aq_exploration *exploration);

#endif
