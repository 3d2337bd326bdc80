#include <inttypes.h>
#include <string.h>

#include "reports/store_internal.h"

/* RFC 4180, with \n for the ends of lines. */
static void put_text(FILE *stream, const char *text) {
    if (text[0] && !text[strcspn(text, "\",\r\n")]) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text; text++) {
        if (*text == '"') putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

/* Real numbers as SQLite writes them: 15 digits. */
static void put_value(FILE *stream, sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL: break;
    case SQLITE_INTEGER: fprintf(stream, "%" PRId64, (int64_t)sqlite3_column_int64(statement, column)); break;
    case SQLITE_FLOAT: fprintf(stream, "%.15g", sqlite3_column_double(statement, column)); break;
    default: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        put_text(stream, text ? text : "");
    }
    }
}

int aq_store_print_csv(struct aq_store *store, const char *table, int64_t run, FILE *stream,
                       struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare_all(store, table, false, run, &statement, error), step;
    if (rc) return rc;
    int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; i++) {
        if (i) putc(',', stream);
        put_text(stream, sqlite3_column_name(statement, i));
    }
    putc('\n', stream);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && !ferror(stream)) {
        for (int i = 0; i < columns; i++) {
            if (i) putc(',', stream);
            put_value(stream, statement, i);
        }
        putc('\n', stream);
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}
