#include "reports/store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

/* The reading of one run: its number, and for each table the statements that count and give its rows,
 * prepared at first use. */
struct reader {
    struct aq_store *store;
    int64_t run;
    struct aq_record *record;
    sqlite3_stmt *count[AQ_TABLE_COUNT], *rows[AQ_TABLE_COUNT];
    struct aq_error *error;
};

static int no_memory(const struct reader *reader) {
    return aq_error_set(reader->error, AQ_ENOMEM, "%s: cannot be read: out of memory", reader->store->path);
}

static int damaged(const struct reader *reader, const char *table) {
    return aq_error_set(reader->error, AQ_EDATABASE,
                        "%s: the table %s of run %lld holds what this program never writes: restore a copy",
                        reader->store->path, table, (long long)reader->run);
}

/* Prepares "SELECT what FROM table WHERE run_id = ?1 AND parent = ?2 tail". */
static int prepare(struct reader *reader, const struct aq_table *table, bool counting, sqlite3_stmt **out) {
    char sql[AQ_SQL_MAX] = "SELECT ";
    if (counting)
        aq_sql_append(sql, "count(*)");
    else
        aq_sql_columns(sql, table->columns, table->column_count, "", "");
    aq_sql_append(sql, " FROM ");
    aq_sql_append(sql, table->name);
    aq_sql_append(sql, " WHERE run_id = ?1");
    if (table->parent) {
        aq_sql_append(sql, " AND ");
        aq_sql_append(sql, table->parent);
        aq_sql_append(sql, " = ?2");
    }
    if (!counting) {
        aq_sql_append(sql, " ORDER BY ");
        aq_sql_append(sql, table->order);
    }
    return aq_store_prepare(reader->store, sql, out, reader->error);
}

static void bind_keys(const struct reader *reader, const struct aq_table *table, uint32_t parent,
                      sqlite3_stmt *statement) {
    sqlite3_bind_int64(statement, 1, reader->run);
    if (table->parent) sqlite3_bind_int64(statement, 2, parent);
}

static int count_rows(struct reader *reader, enum aq_table_id id, uint32_t parent, uint32_t *out) {
    const struct aq_table *table = &aq_store_tables[id];
    int rc = reader->count[id] ? 0 : prepare(reader, table, true, &reader->count[id]);
    if (rc) return rc;
    sqlite3_stmt *statement = reader->count[id];
    bind_keys(reader, table, parent, statement);
    if (sqlite3_step(statement) != SQLITE_ROW)
        rc = aq_store_fail(reader->store, "be read", reader->error);
    else if (sqlite3_column_int64(statement, 0) > UINT32_MAX)
        rc = damaged(reader, table->name);
    else
        *out = (uint32_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return rc;
}

static int read_rows(struct reader *reader, enum aq_table_id id, uint32_t parent, void *rows,
                     uint32_t count) {
    const struct aq_table *table = &aq_store_tables[id];
    int rc = reader->rows[id] ? 0 : prepare(reader, table, false, &reader->rows[id]);
    if (rc) return rc;
    sqlite3_stmt *statement = reader->rows[id];
    bind_keys(reader, table, parent, statement);
    for (uint32_t i = 0; i < count && !rc; i++) {
        if (sqlite3_step(statement) != SQLITE_ROW) {
            rc = aq_store_fail(reader->store, "be read", reader->error);
            break;
        }
        rc = aq_columns_read(statement, 0, table->columns, table->column_count,
                             (char *)rows + (size_t)i * table->row_bytes, &reader->record->memory);
        if (rc == AQ_EPARSE) rc = damaged(reader, table->name);
        if (rc == AQ_ENOMEM) rc = no_memory(reader);
    }
    sqlite3_reset(statement);
    return rc;
}

/* All rows of the table as an array in the record's arena, zeroed where the columns do not reach. NULL where
 * there are none. */
static int get_rows(struct reader *reader, enum aq_table_id id, uint32_t parent, void **out,
                    uint32_t *out_count) {
    uint32_t count = 0;
    int rc = count_rows(reader, id, parent, &count);
    if (rc) return rc;
    void *rows = NULL;
    if (count) {
        size_t bytes = (size_t)count * aq_store_tables[id].row_bytes;
        rows = aq_arena_alloc(&reader->record->memory, bytes);
        if (!rows) return no_memory(reader);
        memset(rows, 0, bytes);
        rc = read_rows(reader, id, parent, rows, count);
        if (rc) return rc;
    }
    *out = rows;
    *out_count = count;
    return 0;
}

static int read_run(struct reader *reader) {
    struct aq_record *record = reader->record;
    char sql[AQ_SQL_MAX] = "SELECT state = 'interrupted', ";
    sqlite3_stmt *statement = NULL;
    aq_sql_columns(sql, aq_run_identity, aq_run_identity_count, "", "");
    aq_sql_append(sql, ", ");
    aq_sql_columns(sql, aq_run_outcome, aq_run_outcome_count, "", "");
    aq_sql_append(sql, " FROM run WHERE run_id = ?");
    int rc = aq_store_prepare(reader->store, sql, &statement, reader->error);
    if (rc) return rc;
    sqlite3_bind_int64(statement, 1, reader->run);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        record->interrupted = sqlite3_column_int(statement, 0) != 0;
        rc = aq_columns_read(statement, 1, aq_run_identity, aq_run_identity_count, record, &record->memory);
        if (!rc)
            rc = aq_columns_read(statement, 1 + (int)aq_run_identity_count, aq_run_outcome,
                                 aq_run_outcome_count, record, &record->memory);
        if (rc == AQ_EPARSE) rc = damaged(reader, "run");
        if (rc == AQ_ENOMEM) rc = no_memory(reader);
    } else {
        rc = aq_store_fail(reader->store, "be read", reader->error);
    }
    sqlite3_finalize(statement);
    return rc;
}

static int read_servers(struct reader *reader) {
    void *rows;
    int rc = get_rows(reader, AQ_TABLE_SERVER, 0, &rows, &reader->record->server_count);
    if (rc) return rc;
    struct aq_record_server *servers = rows;
    for (uint32_t i = 0; i < reader->record->server_count; i++)
        servers[i].index = i;
    reader->record->servers = servers;
    return 0;
}

static int read_phases(struct reader *reader) {
    void *rows, *choices;
    uint32_t servers;
    int rc = get_rows(reader, AQ_TABLE_PHASE, 0, &rows, &reader->record->phase_count);
    if (rc) return rc;
    struct aq_record_phase *phases = rows;
    reader->record->phases = phases;
    for (uint32_t i = 0; i < reader->record->phase_count; i++) {
        rc = get_rows(reader, AQ_TABLE_PHASE_SERVER, i, &choices, &servers);
        if (rc) return rc;
        if (servers && servers != reader->record->server_count) return damaged(reader, "phase_server");
        phases[i].choices = choices;
    }
    return 0;
}

static int read_checks(struct reader *reader) {
    void *rows, *figures;
    int rc = get_rows(reader, AQ_TABLE_CHECK, 0, &rows, &reader->record->check_count);
    if (rc) return rc;
    struct aq_record_check *checks = rows;
    reader->record->checks = checks;
    for (uint32_t i = 0; i < reader->record->check_count; i++) {
        rc = get_rows(reader, AQ_TABLE_CHECK_FIGURE, i, &figures, &checks[i].figure_count);
        if (rc) return rc;
        checks[i].figures = figures;
    }
    return 0;
}

static int read_violations(struct reader *reader) {
    void *rows, *lines;
    int rc = get_rows(reader, AQ_TABLE_VIOLATION, 0, &rows, &reader->record->violation_count);
    if (rc) return rc;
    struct aq_record_violation *violations = rows;
    reader->record->violations = violations;
    for (uint32_t i = 0; i < reader->record->violation_count; i++) {
        rc = get_rows(reader, AQ_TABLE_STORY_LINE, i, &lines, &violations[i].line_count);
        if (rc) return rc;
        violations[i].lines = lines;
    }
    return 0;
}

/* Rebuilds a histogram, initialised here, from its summary and its buckets. */
static int read_histogram(struct reader *reader, uint32_t position, const struct aq_latency_row *row,
                          struct aq_histogram *histogram) {
    void *rows;
    uint32_t count;
    int rc = aq_histogram_init(histogram);
    if (rc) return no_memory(reader);
    rc = get_rows(reader, AQ_TABLE_LATENCY_BUCKET, position, &rows, &count);
    if (rc) return rc;
    const struct aq_bucket_row *buckets = rows;
    for (uint32_t i = 0; i < count; i++) {
        if (buckets[i].bucket >= AQ_HISTOGRAM_BUCKETS) return damaged(reader, "latency_bucket");
        histogram->buckets[buckets[i].bucket] = buckets[i].spans;
    }
    histogram->count = row->spans;
    histogram->sum_us = row->sum_us;
    histogram->min_us = row->min_us;
    histogram->max_us = row->max_us;
    return 0;
}

/* The rows about one window of time each. */
static int read_latency_windows(struct reader *reader, const struct aq_latency_row *rows, uint32_t count) {
    struct aq_record *record = reader->record;
    if (count == 0) return 0;
    struct aq_record_latency_window *windows = aq_arena_alloc(&record->memory, count * sizeof *windows);
    if (!windows) return no_memory(reader);
    for (uint32_t i = 0; i < count; i++) {
        const struct aq_latency_row *row = &rows[i];
        char *sign = strchr(row->operation, AQ_LATENCY_WINDOW_SIGN), *end = NULL; /* our copy in the arena */
        unsigned long window = sign ? strtoul(sign + 1, &end, 10) : 0;
        if (!end || *end || window > UINT32_MAX) return damaged(reader, "latency");
        *sign = 0;
        windows[i] = (struct aq_record_latency_window){
            row->operation, (uint32_t)window, row->spans,  row->sum_us, row->min_us,
            row->max_us,    row->p50_us,      row->p90_us, row->p99_us, row->p999_us};
    }
    record->latency_windows = windows;
    record->latency_window_count = count;
    return 0;
}

static int read_latencies(struct reader *reader) {
    struct aq_record *record = reader->record;
    void *data;
    uint32_t count = 1, all;
    int rc = get_rows(reader, AQ_TABLE_LATENCY, 0, &data, &all);
    if (rc) return rc;
    if (all == 0) return damaged(reader, "latency");
    const struct aq_latency_row *rows = data;
    while (count < all && !strchr(rows[count].operation, AQ_LATENCY_WINDOW_SIGN))
        count++;
    rc = read_latency_windows(reader, rows + count, all - count);
    if (rc) return rc;
    rc = read_histogram(reader, 0, &rows[0], &record->clients.failover);
    if (rc || count == 1) return rc;
    size_t bytes = (count - 1) * sizeof *record->latencies;
    record->latencies = aq_arena_alloc(&record->memory, bytes);
    if (!record->latencies) return no_memory(reader);
    memset(record->latencies, 0, bytes);
    for (uint32_t i = 1; i < count && !rc; i++) {
        struct aq_record_latency *latency = &record->latencies[record->latency_count++];
        latency->operation = rows[i].operation;
        rc = read_histogram(reader, i, &rows[i], &latency->histogram);
    }
    return rc;
}

/* A table without others below it. */
static int read_plain(struct reader *reader, enum aq_table_id id, void *array_pointer, uint32_t *count) {
    void *rows;
    int rc = get_rows(reader, id, 0, &rows, count);
    if (!rc) memcpy(array_pointer, &rows, sizeof rows);
    return rc;
}

static int read_all(struct reader *reader) {
    struct aq_record *record = reader->record;
    int rc = read_run(reader);
    if (!rc) rc = read_plain(reader, AQ_TABLE_OPTION, &record->options, &record->option_count);
    if (!rc) rc = read_servers(reader);
    if (!rc) rc = read_phases(reader);
    if (!rc) rc = read_plain(reader, AQ_TABLE_WINDOW, &record->windows, &record->window_count);
    if (!rc) rc = read_plain(reader, AQ_TABLE_FAULT, &record->faults, &record->fault_count);
    if (!rc) rc = read_checks(reader);
    if (!rc) rc = read_violations(reader);
    if (!rc) rc = read_plain(reader, AQ_TABLE_MARK, &record->marks, &record->mark_count);
    if (!rc) rc = read_latencies(reader);
    if (!rc) rc = read_plain(reader, AQ_TABLE_FIGURE, &record->figures, &record->figure_count);
    if (!rc && reader->store->version >= 3) /* older files have none */
        rc = read_plain(reader, AQ_TABLE_CHECKPOINT, &record->checkpoints, &record->checkpoint_count);
    return rc;
}

static int no_such_run(struct aq_store *store, int64_t run, struct aq_error *error) {
    if (run)
        return aq_error_set(error, AQ_ENOENT, "%s: holds no run %lld: the view newest_run lists those it has",
                            store->path, (long long)run);
    return aq_error_set(error, AQ_ENOENT, "%s: holds no run that has ended", store->path);
}

/* Finds the run that is meant: *run, or the newest that has ended where that is 0. */
static int find_run(struct aq_store *store, int64_t *run, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(
        store,
        "SELECT run_id, state = 'unfinished', reproduce FROM run WHERE run_id = ?1 OR (?1 = 0 AND state <> 'unfinished')"
        " ORDER BY run_id DESC LIMIT 1",
        &statement, error);
    if (rc) return rc;
    sqlite3_bind_int64(statement, 1, *run);
    int step = sqlite3_step(statement);
    if (step == SQLITE_DONE)
        rc = no_such_run(store, *run, error);
    else if (step != SQLITE_ROW)
        rc = aq_store_fail(store, "be read", error);
    else if (sqlite3_column_int(statement, 1))
        rc =
            aq_error_set(error, AQ_ENOENT,
                         "%s: run %lld never ended: it is still going on, or was killed; to run it again: %s",
                         store->path, (long long)*run, (const char *)sqlite3_column_text(statement, 2));
    else
        *run = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_load_run(struct aq_store *store, int64_t run, struct aq_record *record, struct aq_error *error) {
    struct aq_record fresh;
    struct reader reader = {.store = store, .record = &fresh, .error = error};
    int rc = aq_store_execute(store, "BEGIN", error); /* one state of the file for all tables */
    if (rc) return rc;
    aq_record_init(&fresh);
    rc = find_run(store, &run, error);
    reader.run = run;
    if (!rc) rc = read_all(&reader);
    for (int i = 0; i < AQ_TABLE_COUNT; i++) {
        sqlite3_finalize(reader.count[i]);
        sqlite3_finalize(reader.rows[i]);
    }
    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    if (rc) {
        aq_record_close(&fresh);
        return rc;
    }
    aq_record_close(record);
    *record = fresh;
    return 0;
}

int aq_store_read_events(struct aq_store *store, int64_t run, uint64_t first, struct aq_record_event *out,
                         uint32_t room, struct aq_arena *texts, uint32_t *out_count, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    uint32_t count = 0;
    int step = SQLITE_DONE,
        rc = aq_store_prepare(
            store,
            "SELECT number, at_us, text FROM event WHERE run_id = ? AND number >= ? ORDER BY number LIMIT ?",
            &statement, error);
    if (rc) return rc;
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)first);
    sqlite3_bind_int64(statement, 3, room);
    while (!rc && count < room && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct aq_text text = {(const char *)sqlite3_column_text(statement, 2),
                               (uint32_t)sqlite3_column_bytes(statement, 2) + 1};
        if (!text.at || aq_arena_text(texts, text, &text))
            rc = aq_error_set(error, AQ_ENOMEM, "%s: cannot be read: out of memory", store->path);
        else
            out[count++] = (struct aq_record_event){(uint64_t)sqlite3_column_int64(statement, 0),
                                                    (aq_time_us)sqlite3_column_int64(statement, 1), text.at};
    }
    if (!rc && step != SQLITE_ROW && step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    if (!rc) *out_count = count;
    return rc;
}
