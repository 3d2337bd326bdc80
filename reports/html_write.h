/* Pieces of HTML. Every text that is not a literal of the program goes through here and stays text. */
#ifndef AQ_REPORTS_HTML_WRITE_H
#define AQ_REPORTS_HTML_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"

/* Text with &, <, >, " and ' as character references; control characters other than \n and \t, and bytes that
   are no UTF-8, become U+FFFD. Good for content, for attributes in quotes, and for XML. NULL counts as "". */
void aq_html_text(FILE *stream, const char *text);

/* Formats, then writes the result as text. At most 1,023 bytes, longer results are cut. */
void aq_html_format(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <TAG class="CLASS">TEXT</TAG>; tag and class are literals, class may be NULL. */
void aq_html_element(FILE *stream, const char *tag, const char *class, const char *text);

/* The head of a table: column names separated by '|'; one that begins with '#' is a column of numbers. All
   are literals. The caption is what a screen reader says of it. */
void aq_html_table_open(FILE *stream, const char *class, const char *caption, const char *columns);
/* The same column by column, with any names: begin, columns, body. */
void aq_html_table_begin(FILE *stream, const char *class, const char *caption);
void aq_html_table_column(FILE *stream, const char *name, bool number);
void aq_html_table_body(FILE *stream);
void aq_html_table_close(FILE *stream);

/* Cells of numbers; each carries its plain value for sorting. */
void aq_html_cell_count(FILE *stream, uint64_t count);
void aq_html_cell_span(FILE *stream, aq_time_us span_us);
void aq_html_cell_percent(FILE *stream, double ratio);

#endif
