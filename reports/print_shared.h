/* What the printers share: texts made harmless, and the choice of the stories to show. */
#ifndef AQ_REPORTS_PRINT_SHARED_H
#define AQ_REPORTS_PRINT_SHARED_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/record.h"

/* Length in bytes of the UTF-8 character at text (which must not be at its end); 0 where it is none: a stray
   byte, an overlong form, a surrogate, a character cut short. */
size_t aq_print_utf8_length(const char *text);

/* Copies text so that a terminal shows it and does nothing else: control characters and bytes that are no
   UTF-8 become \n, \t, \xNN. Cut, with "..." at its end, where it would take more than `columns` columns or
   `size` bytes. NULL counts as "". Returns out. */
const char *aq_print_plain(char *out, size_t size, uint32_t columns, const char *text);

/* Columns that a text takes, one for each UTF-8 character. */
uint32_t aq_print_columns(const char *text);

/* Columns that a line of text may take. */
#define AQ_PRINT_LINE_COLUMNS 100

/* Writes a text broken at blanks so that lines end before AQ_PRINT_LINE_COLUMNS; `column` is where the first
   begins, `indent` where the others do. Ends the last line. */
void aq_print_wrapped(FILE *stream, uint32_t column, uint32_t indent, const char *text);

/* Chooses at most `max` violations to show, so that every check has its turn: the first of each, then the
   second of each, ... Fills `chosen` with their indexes and returns how many. */
uint32_t aq_print_choose_stories(const struct aq_record *record, uint32_t *chosen, uint32_t max);

/* Puts the first line of a story together: check, cause, job, servers. Returns out. */
const char *aq_print_story_title(char *out, size_t size, const struct aq_record_violation *violation);

#endif
