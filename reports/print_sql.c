/* The ready-made queries of a database: its views, each with the sentence that stands behind its name in
   reports/schema.sql. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/print_shared.h"
#include "reports/store_internal.h"

#define COLUMNS_MAX 64
#define CELL_BYTES  512
#define CELL_WIDTH  60u /* columns; the last one of a row may be as long as it is */

int aq_store_print_queries(struct aq_store *store, FILE *stream, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(store, "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid",
                              &statement, error);
    int step = SQLITE_DONE;
    while (!rc && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const char *sql = (const char *)sqlite3_column_text(statement, 1);
        const char *sentence = sql ? strstr(sql, "-- ") : NULL;
        char plain[CELL_BYTES];
        if (!name || !sentence) continue;
        sentence += 3;
        snprintf(plain, sizeof plain, "%.*s", (int)strcspn(sentence, "\n"), sentence);
        fprintf(stream, "%-20s %s\n", name, plain);
    }
    if (!rc && step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

static void format_cell(char cell[CELL_BYTES], sqlite3_stmt *statement, int column, bool last) {
    double real = sqlite3_column_double(statement, column);
    const char *text;
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL: strcpy(cell, "-"); break;
    case SQLITE_INTEGER:
        snprintf(cell, CELL_BYTES, "%" PRId64, (int64_t)sqlite3_column_int64(statement, column));
        break;
    case SQLITE_FLOAT: snprintf(cell, CELL_BYTES, fabs(real) < 1e6 ? "%.6g" : "%.0f", real + 0.0); break;
    default:
        text = (const char *)sqlite3_column_text(statement, column);
        aq_print_plain(cell, CELL_BYTES, last ? CELL_BYTES : CELL_WIDTH, text);
    }
}

static bool is_number(sqlite3_stmt *statement, int column) {
    int type = sqlite3_column_type(statement, column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

/* How wide the columns are and which hold numbers alone; they are aligned to the right. */
struct layout {
    int columns;
    uint32_t width[COLUMNS_MAX];
    bool number[COLUMNS_MAX];
};

static void put_cell(FILE *stream, const struct layout *layout, int column, const char *text) {
    uint32_t width = aq_print_columns(text),
             padding = layout->width[column] > width ? layout->width[column] - width : 0;
    if (column) fputs("  ", stream);
    if (layout->number[column]) fprintf(stream, "%*s", (int)padding, "");
    fputs(text, stream);
    if (!layout->number[column] && column + 1 < layout->columns) fprintf(stream, "%*s", (int)padding, "");
}

static int measure(sqlite3_stmt *statement, struct layout *layout) {
    char cell[CELL_BYTES];
    int step;
    layout->columns = sqlite3_column_count(statement);
    if (layout->columns > COLUMNS_MAX) layout->columns = COLUMNS_MAX;
    for (int i = 0; i < layout->columns; i++) {
        layout->width[i] = aq_print_columns(sqlite3_column_name(statement, i));
        layout->number[i] = true;
    }
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        for (int i = 0; i < layout->columns; i++) {
            format_cell(cell, statement, i, i + 1 == layout->columns);
            uint32_t width = aq_print_columns(cell);
            if (width > layout->width[i]) layout->width[i] = width;
            if (!is_number(statement, i) && sqlite3_column_type(statement, i) != SQLITE_NULL)
                layout->number[i] = false;
        }
    sqlite3_reset(statement);
    return step;
}

static void put_heads(FILE *stream, sqlite3_stmt *statement, const struct layout *layout) {
    for (int i = 0; i < layout->columns; i++)
        put_cell(stream, layout, i, sqlite3_column_name(statement, i));
    putc('\n', stream);
    for (int i = 0; i < layout->columns; i++) {
        fputs(i ? "  " : "", stream);
        for (uint32_t c = 0; c < layout->width[i]; c++)
            putc('-', stream);
    }
    putc('\n', stream);
}

int aq_store_print_query(struct aq_store *store, const char *view, int64_t run, FILE *stream,
                         struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    struct layout layout = {0};
    char cell[CELL_BYTES];
    int rc = aq_store_execute(store, "BEGIN", error), step = SQLITE_DONE; /* measured and printed alike */
    if (!rc) rc = aq_store_prepare_all(store, view, true, run, &statement, error);
    if (!rc) step = measure(statement, &layout);
    if (!rc && step == SQLITE_DONE) {
        put_heads(stream, statement, &layout);
        while ((step = sqlite3_step(statement)) == SQLITE_ROW && !ferror(stream)) {
            for (int i = 0; i < layout.columns; i++) {
                format_cell(cell, statement, i, i + 1 == layout.columns);
                put_cell(stream, &layout, i, cell);
            }
            putc('\n', stream);
        }
    }
    if (!rc && step != SQLITE_DONE && step != SQLITE_ROW) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    if (!sqlite3_get_autocommit(store->db)) sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}
