/* The parts of the HTML pages; each is one file. print.h has what others call. */
#ifndef AQ_REPORTS_PRINT_HTML_H
#define AQ_REPORTS_PRINT_HTML_H

#include <stdbool.h>

#include "reports/plan.h"
#include "reports/print.h"

/* What is shown at most; each place that leaves something out says how much. */
#define AQ_HTML_BINS_MAX         240u /* points of time in a chart; windows beyond are added up */
#define AQ_HTML_SERVERS_MAX      12u  /* servers with a colour of their own in a chart; the others are one */
#define AQ_HTML_ROWS_MAX         200u /* rows of a table of servers, faults */
#define AQ_HTML_PHASES_MAX       24u
#define AQ_HTML_STORIES_MAX      40u
#define AQ_HTML_POINTS_MAX       160u            /* of a curve of percentiles */
#define AQ_HTML_FAILURES_MAX     500u            /* sorts of failure of an exploration */
#define AQ_HTML_FAILURES_BYTES   (1400u * 1024u) /* of their texts */
#define AQ_HTML_SEARCHES_MAX     500u
#define AQ_HTML_PLAN_POINTS_MAX  1000u
#define AQ_HTML_HEAT_COLUMNS_MAX 40u            /* of a heat map: numbers of servers */
#define AQ_HTML_HEAT_ROWS_MAX    120u           /* numbers of clients */
#define AQ_HTML_SCENARIO_BYTES   (256u * 1024u) /* of a scenario's text */
#define AQ_HTML_RUNS_MAX         5000u          /* rows of an index */
#define AQ_HTML_PAGE_BYTES       (4600u * 1024u) /* runs are left out of an index before the page grows beyond */

/* The page around its content: head with the policy that forbids all network, styles and scripts. */
void aq_html_page_open(FILE *stream, const char *title);
void aq_html_page_close(FILE *stream);

/* One run as an <article>. Errors: AQ_ENOMEM. */
int aq_html_run(FILE *stream, int64_t run, const struct aq_record *record);

/* The numbers behind the charts of a run, as JSON in a <script> that is no program. Errors: AQ_ENOMEM. */
int aq_html_data(FILE *stream, const struct aq_record *record);

/* One exploration, one plan as an <article>. Errors: AQ_ENOMEM. */
int aq_html_exploration(FILE *stream, const struct aq_stored_exploration *stored);
int aq_html_plan(FILE *stream, const struct aq_stored_plan *stored);

/* The heat map of a plan, servers by clients, of its first `row_count` points. Errors: AQ_ENOMEM. */
int aq_html_heat_map(FILE *stream, const struct aq_plan *plan, uint32_t row_count);

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

/* <figure> with a chart to be drawn from the article's data by charts.js; kind is a literal, as the texts. */
void aq_html_chart(FILE *stream, const char *kind, const char *title, const char *note);

/* Pieces. Names and titles are literals. */
void aq_html_fact(FILE *stream, const char *name, const char *value); /* of a <dl class="facts"> */
void aq_html_tile(FILE *stream, const char *name, uint64_t count,
                  bool bad); /* bad: a count that should be 0 */
void aq_html_command(FILE *stream, const char *title, const char *command); /* with a button that copies it */
/* Says how much is left out where there is more than the maximum. */
void aq_html_left_out(FILE *stream, uint64_t count, uint64_t max, const char *what);

/* A scenario's JSON, to open; and the value of one member of it, to see. False: it has none. */
void aq_html_scenario(FILE *stream, const char *title, const char *text);
bool aq_html_scenario_part(FILE *stream, const char *text, const char *name);

#endif
