/* Tables of text with aligned columns, as wide as their widest cell. */
#ifndef AQ_REPORTS_PRINT_TABLE_H
#define AQ_REPORTS_PRINT_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"

#define AQ_CELL_BYTES    160
#define AQ_TABLE_COLUMNS 12

struct aq_cell {
    char text[AQ_CELL_BYTES];
};

/* Fills the cells of a row. Called twice for each row, since the widths are measured first. */
typedef void (*aq_table_row)(const void *arg, uint32_t row, struct aq_cell *cells);

struct aq_text_table {
    uint32_t column_count;
    const char *heads[AQ_TABLE_COLUMNS]; /* all empty: no line of heads */
    bool left[AQ_TABLE_COLUMNS];         /* aligned to the left; otherwise to the right */
    uint32_t row_count;
    aq_table_row row;
    const void *arg;
    /* Called for each cell where it is not NULL: what to put around it, such as a colour. NULL: nothing. */
    const char *(*colour)(const void *arg, uint32_t row, uint32_t column);
};

/* Lines begin with two spaces; columns are two spaces apart. */
void aq_text_table_print(FILE *stream, const struct aq_text_table *table);

/* Fill a cell. `columns`: most columns that the text may take. */
void aq_cell_text(struct aq_cell *cell, uint32_t columns, const char *text);
void aq_cell_count(struct aq_cell *cell, uint64_t count);
void aq_cell_span(struct aq_cell *cell, aq_time_us span_us);
/* As "25.3 %"; "-" where the ratio is not a number. */
void aq_cell_percent(struct aq_cell *cell, double ratio);

#endif
