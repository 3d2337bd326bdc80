/* The tables of a merge, as the schema has them, and the copying of rows. */
#include "reports/merge_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

int aq_merge_no_memory(const struct aq_merge *m) {
    return aq_error_set(m->error, AQ_ENOMEM, "%s: cannot be merged: out of memory", m->options->out);
}

int aq_merge_root(const struct aq_merge *m, const char *name) {
    for (uint32_t i = 0; i < m->table_count; i++)
        if (strcmp(m->tables[i].name, name) == 0) return aq_merge_is_root(m, i) ? (int)i : -1;
    return -1;
}

static const char *keep(struct aq_merge *m, sqlite3_stmt *statement, int column) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t bytes = text ? strlen(text) + 1 : 0;
    char *copy = text ? aq_arena_alloc(&m->memory, bytes) : NULL;
    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* ---- questions ---- */

int aq_merge_ask(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                 sqlite3_stmt **out, struct aq_error *error) {
    int rc = aq_store_prepare(store, sql, out, error);
    if (rc) return rc;
    int parameters = sqlite3_bind_parameter_count(*out);
    if (parameters > 0) sqlite3_bind_int64(*out, 1, first);
    if (parameters > 1) sqlite3_bind_int64(*out, 2, second);
    return 0;
}

int aq_merge_ask_integer(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                         int64_t none, int64_t *out, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_merge_ask(store, sql, first, second, &statement, error);
    if (rc) return rc;
    int step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        rc = aq_store_fail(store, "be read", error);
    else
        *out = step == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL
                   ? sqlite3_column_int64(statement, 0)
                   : none;
    sqlite3_finalize(statement);
    return rc;
}

int aq_merge_do(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_merge_ask(store, sql, first, second, &statement, error);
    if (!rc) rc = aq_store_run(store, statement, error);
    sqlite3_finalize(statement);
    return rc;
}

/* ---- the schema ---- */

static int find_table(const struct aq_merge *m, const char *name) {
    for (uint32_t i = 0; i < m->table_count; i++)
        if (strcmp(m->tables[i].name, name) == 0) return (int)i;
    return -1;
}

/* Columns with their names, the table that each refers to, and their place in the key. The one column of a
   key that is an integer and refers to nothing is the table's own number. */
static const char columns_sql[] =
    "SELECT c.name, (SELECT f.\"table\" FROM pragma_foreign_key_list(?1) AS f WHERE f.\"from\" = c.name), c.pk,"
    " c.pk = 1 AND upper(c.type) = 'INTEGER' AND (SELECT count(*) FROM pragma_table_info(?1) AS k WHERE k.pk > 0) = 1"
    " FROM pragma_table_info(?1) AS c ORDER BY c.cid";

static int add_column(struct aq_merge *m, sqlite3_stmt *statement, struct aq_merge_table *table, int index) {
    struct aq_merge_column *column = &table->columns[table->column_count++];
    const char *refers = (const char *)sqlite3_column_text(statement, 1);
    column->name = keep(m, statement, 0);
    column->root = refers ? find_table(m, refers) : -1;
    if (!column->name) return aq_merge_no_memory(m);
    if (!refers && sqlite3_column_int(statement, 3)) column->root = index;
    column->first = sqlite3_column_int(statement, 2) == 1;
    if (column->first) table->owner = column->root;
    return 0;
}

static int read_columns(struct aq_merge *m, struct aq_merge_table *table, int index) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(m->out, columns_sql, &statement, m->error), step = SQLITE_ROW;
    if (rc) return rc;
    sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
    table->owner = -1;
    while (!rc && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        AQ_ASSERT(table->column_count < AQ_MERGE_COLUMNS_MAX);
        rc = add_column(m, statement, table, index);
    }
    if (!rc && step != SQLITE_DONE) rc = aq_store_fail(m->out, "be read", m->error);
    sqlite3_finalize(statement);
    if (!rc && table->owner < 0)
        rc = aq_error_set(m->error, AQ_EINTERNAL, "the table %s has neither a number nor an owner",
                          table->name);
    return rc;
}

static int read_key(struct aq_merge *m, struct aq_merge_table *table) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(
        m->out,
        "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk)",
        &statement, m->error);
    if (rc) return rc;
    sqlite3_bind_text(statement, 1, table->name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) table->key = keep(m, statement, 0);
    sqlite3_finalize(statement);
    return table->key ? 0 : aq_merge_no_memory(m);
}

int aq_merge_read_schema(struct aq_merge *m) {
    sqlite3_stmt *statement = NULL;
    m->tables = aq_alloc_zeroed(AQ_MERGE_TABLES_MAX, sizeof *m->tables);
    if (!m->tables) return aq_merge_no_memory(m);
    int rc = aq_store_prepare(
        m->out,
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'merge_%'"
        " ORDER BY rowid",
        &statement, m->error);
    while (!rc && sqlite3_step(statement) == SQLITE_ROW) {
        AQ_ASSERT(m->table_count < AQ_MERGE_TABLES_MAX);
        struct aq_merge_table *table = &m->tables[m->table_count];
        table->name = keep(m, statement, 0);
        rc = table->name ? read_columns(m, table, (int)m->table_count) : aq_merge_no_memory(m);
        if (!rc) rc = read_key(m, table);
        m->table_count++;
    }
    sqlite3_finalize(statement);
    return rc;
}

/* ---- statements ---- */

const char *aq_merge_owner_column(const struct aq_merge_table *table) {
    for (uint32_t i = 0; i < table->column_count; i++)
        if (table->columns[i].first) return table->columns[i].name;
    AQ_ASSERT(!"a first column of the key");
    return "";
}

static int prepare_table(struct aq_merge *m, uint32_t index) {
    struct aq_merge_table *table = &m->tables[index];
    char columns[AQ_SQL_MAX] = "", marks[2 * AQ_MERGE_COLUMNS_MAX + 1] = "";
    for (uint32_t i = 0; i < table->column_count; i++) {
        aq_sql_append(columns, i ? ", " : "");
        aq_sql_append(columns, table->columns[i].name);
        strcat(marks, i ? ",?" : "?");
    }
    char *select = sqlite3_mprintf("SELECT %s FROM \"%w\" WHERE \"%w\" = ?1 ORDER BY %s", columns,
                                   table->name, aq_merge_owner_column(table), table->key);
    char *insert = sqlite3_mprintf("INSERT INTO \"%w\" (%s) VALUES (%s)", table->name, columns, marks);
    int rc = select && insert ? 0 : aq_merge_no_memory(m);
    if (!rc) rc = aq_store_prepare(m->in, select, &table->select, m->error);
    if (!rc) rc = aq_store_prepare(m->out, insert, &table->insert, m->error);
    sqlite3_free(select);
    sqlite3_free(insert);
    return rc;
}

int aq_merge_open_statements(struct aq_merge *m) {
    int rc = aq_store_prepare(
        m->out, "INSERT INTO merge_number (input, root, old, new, skipped) VALUES (?, ?, ?, ?, ?)",
        &m->remember, m->error);
    for (uint32_t i = 0; i < m->table_count && !rc; i++)
        rc = prepare_table(m, i);
    return rc;
}

void aq_merge_close_statements(struct aq_merge *m) {
    sqlite3_finalize(m->remember);
    m->remember = NULL;
    for (uint32_t i = 0; i < m->table_count; i++) {
        sqlite3_finalize(m->tables[i].select);
        sqlite3_finalize(m->tables[i].insert);
        m->tables[i].select = m->tables[i].insert = NULL;
    }
}

/* ---- rows ---- */

int64_t aq_merge_mapped(const struct aq_merge *m, int root, int64_t old) {
    const struct aq_merge_map *map = &m->maps[root];
    uint32_t low = 0, high = map->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (map->numbers[middle].old < old)
            low = middle + 1;
        else
            high = middle;
    }
    return low < map->count && map->numbers[low].old == old ? map->numbers[low].new : 0;
}

/* A number that refers to a root follows it; one whose row is gone, or which is none, becomes NULL. */
static void bind_column(struct aq_merge *m, const struct aq_merge_table *table, uint32_t i, int64_t new) {
    const struct aq_merge_column *column = &table->columns[i];
    int at = (int)i;
    if (column->root < 0) {
        sqlite3_bind_value(table->insert, at + 1, sqlite3_column_value(table->select, at));
        return;
    }
    int64_t number =
        column->first ? new : aq_merge_mapped(m, column->root, sqlite3_column_int64(table->select, at));
    if (number && sqlite3_column_type(table->select, at) != SQLITE_NULL)
        sqlite3_bind_int64(table->insert, at + 1, number);
    else
        sqlite3_bind_null(table->insert, at + 1); /* of a root's own number: the next one is given */
}

static int copy_rows(struct aq_merge *m, uint32_t index, int64_t old, int64_t new) {
    struct aq_merge_table *table = &m->tables[index];
    int rc = 0, step;
    sqlite3_bind_int64(table->select, 1, old);
    while (!rc && (step = sqlite3_step(table->select)) == SQLITE_ROW) {
        for (uint32_t i = 0; i < table->column_count; i++)
            bind_column(m, table, i, new);
        rc = aq_store_run(m->out, table->insert, m->error);
    }
    if (!rc && step != SQLITE_DONE) rc = aq_store_fail(m->in, "be read", m->error);
    sqlite3_reset(table->select);
    sqlite3_clear_bindings(table->insert);
    return rc;
}

int aq_merge_copy(struct aq_merge *m, int root, int64_t old, int64_t *out_number) {
    int rc = copy_rows(m, (uint32_t)root, old, 0);
    int64_t new = sqlite3_last_insert_rowid(m->out->db);
    for (uint32_t i = 0; i < m->table_count && !rc; i++)
        if (m->tables[i].owner == root && (int)i != root) rc = copy_rows(m, i, old, new);
    if (!rc) *out_number = new;
    return rc;
}
