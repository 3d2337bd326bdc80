/* Rows of any query as structs. */
#include <string.h>

#include "base/memory.h"
#include "reports/store_internal.h"

static int no_memory(const struct aq_store *store, struct aq_error *error) {
    return aq_error_set(error, AQ_ENOMEM, "%s: cannot be read: out of memory", store->path);
}

static int prepare(struct aq_store *store, const struct aq_rows_query *query, sqlite3_stmt **out,
                   struct aq_error *error) {
    char sql[AQ_SQL_MAX] = "SELECT ";
    aq_sql_columns(sql, query->columns, query->column_count, "", "");
    aq_sql_append(sql, " FROM ");
    aq_sql_append(sql, query->from);
    int rc = aq_store_prepare(store, sql, out, error);
    if (!rc && sqlite3_bind_parameter_count(*out)) sqlite3_bind_int64(*out, 1, query->number);
    return rc;
}

/* Adds the row that the statement stands at to an array that grows. */
static int add_row(const struct aq_rows_query *query, sqlite3_stmt *statement, char **rows,
                   uint32_t *capacity, uint32_t count, struct aq_arena *arena) {
    if (aq_array_reserve(rows, capacity, (size_t)count + 1, query->row_bytes)) return AQ_ENOMEM;
    char *row = *rows + (size_t)count * query->row_bytes;
    memset(row, 0, query->row_bytes);
    return aq_columns_read(statement, 0, query->columns, query->column_count, row, arena);
}

/* The array moves into the arena. */
static int keep(struct aq_arena *arena, const char *rows, size_t bytes, void *out) {
    void *copy = bytes ? aq_arena_alloc(arena, bytes) : NULL;
    if (bytes && !copy) return AQ_ENOMEM;
    if (bytes) memcpy(copy, rows, bytes);
    memcpy(out, &copy, sizeof copy);
    return 0;
}

int aq_rows_read(struct aq_store *store, const struct aq_rows_query *query, struct aq_arena *arena, void *out,
                 uint32_t *out_count, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    char *rows = NULL;
    uint32_t capacity = 0, count = 0;
    int rc = prepare(store, query, &statement, error), step = SQLITE_DONE;
    if (rc) return rc;
    while (!rc && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        rc = add_row(query, statement, &rows, &capacity, count, arena);
        count += !rc;
    }
    if (!rc && step != SQLITE_DONE)
        rc = aq_store_fail(store, "be read", error);
    else if (!rc && keep(arena, rows, (size_t)count * query->row_bytes, out))
        rc = no_memory(store, error);
    else if (rc == AQ_EPARSE)
        rc = aq_error_set(error, AQ_EDATABASE,
                          "%s: the table %.*s holds what this program never writes: restore a copy",
                          store->path, (int)strcspn(query->from, " "), query->from);
    else if (rc == AQ_ENOMEM)
        rc = no_memory(store, error);
    sqlite3_finalize(statement);
    aq_free(rows);
    if (!rc) *out_count = count;
    return rc;
}
