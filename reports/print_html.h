/* The parts of the HTML pages; each is one file. print.h has what others call. */
#ifndef AQ_REPORTS_PRINT_HTML_H
#define AQ_REPORTS_PRINT_HTML_H

#include "reports/print.h"

/* What is shown at most; each place that leaves something out says how much. */
#define AQ_HTML_BINS_MAX       240u /* points of time in a chart; windows beyond are added up */
#define AQ_HTML_SERVERS_MAX    12u  /* servers with a colour of their own in a chart; the others are one */
#define AQ_HTML_ROWS_MAX       200u /* rows of a table of servers, faults */
#define AQ_HTML_PHASES_MAX     24u
#define AQ_HTML_STORIES_MAX    40u
#define AQ_HTML_POINTS_MAX     160u            /* of a curve of percentiles */
#define AQ_HTML_SCENARIO_BYTES (256u * 1024u)  /* of a scenario's text */
#define AQ_HTML_RUNS_MAX       5000u           /* rows of an index */
#define AQ_HTML_PAGE_BYTES     (4600u * 1024u) /* runs are left out of an index before the page grows beyond */

/* The page around its content: head with the policy that forbids all network, styles and scripts. */
void aq_html_page_open(FILE *stream, const char *title);
void aq_html_page_close(FILE *stream);

/* One run as an <article>. Errors: AQ_ENOMEM. */
int aq_html_run(FILE *stream, int64_t run, const struct aq_record *record);

/* The numbers behind the charts of a run, as JSON in a <script> that is no program. Errors: AQ_ENOMEM. */
int aq_html_data(FILE *stream, const struct aq_record *record);

/* The servers that charts show by themselves: indexes in ascending order, at most AQ_HTML_SERVERS_MAX; those
   with the most choices. Returns how many. */
uint32_t aq_html_choose_servers(const struct aq_record *record, uint32_t chosen[AQ_HTML_SERVERS_MAX]);

/* The sections of a run. */
void aq_html_violations(FILE *stream, const struct aq_record *record);
void aq_html_load(FILE *stream, const struct aq_record *record);

/* The events of a story as a diagram: who sent what to whom, from top to bottom in virtual time. */
void aq_html_story(FILE *stream, const struct aq_record_violation *violation);

/* "pass", "fail", "unknown", "caught": the class of a check, and its word. */
const char *aq_html_check_class(const struct aq_record_check *check);

/* <figure> with a chart to be drawn from the run's data by charts.js; kind is a literal. */
void aq_html_chart(FILE *stream, const char *kind, const char *title, const char *note);

#endif
