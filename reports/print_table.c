#include "reports/print_table.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/units.h"
#include "reports/print_shared.h"

#define COLOUR_END "\033[0m"

static void measure(const struct aq_text_table *table, uint32_t *widths) {
    struct aq_cell cells[AQ_TABLE_COLUMNS];
    for (uint32_t c = 0; c < table->column_count; c++)
        widths[c] = aq_print_columns(table->heads[c] ? table->heads[c] : "");
    for (uint32_t r = 0; r < table->row_count; r++) {
        memset(cells, 0, sizeof cells);
        table->row(table->arg, r, cells);
        for (uint32_t c = 0; c < table->column_count; c++) {
            uint32_t width = aq_print_columns(cells[c].text);
            if (width > widths[c]) widths[c] = width;
        }
    }
}

/* The blanks behind the last cell of a line are left out. */
static void print_cell(FILE *stream, const char *text, uint32_t width, bool left, bool last,
                       const char *colour) {
    int blanks = (int)(width - aq_print_columns(text));
    fprintf(stream, "  %*s%s%s%s%*s", left ? 0 : blanks, "", colour ? colour : "", text,
            colour ? COLOUR_END : "", left && !last ? blanks : 0, "");
}

/* Columns up to the last that has a text. */
static uint32_t used_columns(const struct aq_text_table *table, const struct aq_cell *cells) {
    uint32_t used = table->column_count;
    while (used && !cells[used - 1].text[0])
        used--;
    return used;
}

static void print_heads(FILE *stream, const struct aq_text_table *table, const uint32_t *widths) {
    uint32_t used = table->column_count;
    while (used && !(table->heads[used - 1] && table->heads[used - 1][0]))
        used--;
    for (uint32_t c = 0; c < used; c++)
        print_cell(stream, table->heads[c] ? table->heads[c] : "", widths[c], table->left[c], c + 1 == used,
                   NULL);
    if (used) fputc('\n', stream);
}

void aq_text_table_print(FILE *stream, const struct aq_text_table *table) {
    uint32_t widths[AQ_TABLE_COLUMNS] = {0};
    struct aq_cell cells[AQ_TABLE_COLUMNS];
    AQ_ASSERT(table->column_count <= AQ_TABLE_COLUMNS);
    measure(table, widths);
    print_heads(stream, table, widths);
    for (uint32_t r = 0; r < table->row_count; r++) {
        memset(cells, 0, sizeof cells);
        table->row(table->arg, r, cells);
        uint32_t used = used_columns(table, cells);
        for (uint32_t c = 0; c < used; c++)
            print_cell(stream, cells[c].text, widths[c], table->left[c], c + 1 == used,
                       table->colour ? table->colour(table->arg, r, c) : NULL);
        fputc('\n', stream);
    }
}

void aq_cell_text(struct aq_cell *cell, uint32_t columns, const char *text) {
    aq_print_plain(cell->text, sizeof cell->text, columns, text);
}

void aq_cell_count(struct aq_cell *cell, uint64_t count) {
    aq_units_format_count(cell->text, sizeof cell->text, count);
}

void aq_cell_span(struct aq_cell *cell, aq_time_us span_us) {
    if (span_us == 0)
        strcpy(cell->text, "0 s");
    else
        aq_units_format_span(cell->text, sizeof cell->text, span_us);
}

void aq_cell_percent(struct aq_cell *cell, double ratio) {
    if (isnan(ratio))
        strcpy(cell->text, "-");
    else
        snprintf(cell->text, sizeof cell->text, "%.1f %%", ratio * 100 + 0.0);
}
