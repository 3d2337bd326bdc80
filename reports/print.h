/* Printers of a record. Each is one file; add a format by adding one. */
#ifndef AQ_REPORTS_PRINT_H
#define AQ_REPORTS_PRINT_H

#include <stdio.h>

#include "base/error.h"
#include "reports/exploration.h"
#include "reports/plan.h"
#include "reports/record.h"
#include "reports/runs.h"

/* The summary for people: verdict, checks, load per server before, during and after the faults, jobs,
   latencies, faults, the first stories, how to reproduce. Errors: AQ_EIO where the stream fails. */
int aq_print_text(FILE *stream, const struct aq_record *record);

/* One JSON object on one line, with the keys that scripts rely on. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_print_json(FILE *stream, const struct aq_record *record);

/* One self-contained HTML page about a run: `run` is its number in the database, 0 where it has none. Errors:
   AQ_EIO, AQ_ENOMEM. */
int aq_print_html(FILE *stream, int64_t run, const struct aq_record *record);

/* The same about an exploration, and about a plan, as they are stored. Errors: likewise. */
int aq_print_html_exploration(FILE *stream, const struct aq_stored_exploration *stored);
int aq_print_html_plan(FILE *stream, const struct aq_stored_plan *stored);

/* What a database holds beside runs. Loading takes an all-zero struct; errors are those of aq_store_load_...
 */
struct aq_beside_runs {
    const struct aq_exploration_list *explorations;
    const struct aq_plan_list *plans;
    int (*load_exploration)(void *arg, int64_t number, struct aq_stored_exploration *out);
    int (*load_plan)(void *arg, int64_t number, struct aq_stored_plan *out);
    void *arg;
};

/* One page about all runs: a table, and behind it the pages of the newest as far as 5 MB go. The same of what
   is beside them (NULL: nothing). Errors: AQ_EIO, AQ_ENOMEM, those of the loading. */
int aq_print_html_all(FILE *stream, const struct aq_runs *runs, const struct aq_beside_runs *beside);

/* JUnit's XML, as Jenkins and GitLab read it: a suite for each run, in it a test case for the verdict and one
   for each check; a failure holds the stories and how to reproduce. Errors: AQ_EIO, AQ_ENOMEM, those of the
   loading. */
int aq_print_junit(FILE *stream, const struct aq_runs *runs);

/* GitHub's Markdown, for a comment or a step summary: one run; and a table of many. Errors: AQ_EIO,
 * AQ_ENOMEM. */
int aq_print_markdown(FILE *stream, const struct aq_record *record);
int aq_print_markdown_all(FILE *stream, const struct aq_runs *runs);

/* A line in GitHub's language of workflow commands for each check that failed or could not judge; where none
   did and the verdict is not pass, one for the verdict. Errors: AQ_EIO. */
int aq_print_annotations(FILE *stream, const struct aq_record *record);

/* The summary of an exploration, for people and as one JSON object. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_print_exploration_text(FILE *stream, const struct aq_exploration *exploration);
int aq_print_exploration_json(FILE *stream, const struct aq_exploration *exploration);

#endif
