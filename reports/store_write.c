#include "reports/store_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/memory.h"

/* Prepares at first use and keeps the statement with the store. */
static int kept(const struct aq_store *store, sqlite3_stmt **statement, const char *sql,
                struct aq_error *error) {
    return *statement ? 0 : aq_store_prepare(store, sql, statement, error);
}

int aq_store_run(const struct aq_store *store, sqlite3_stmt *statement, struct aq_error *error) {
    int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : aq_store_fail(store, "be written", error);
    sqlite3_reset(statement);
    return rc;
}

int aq_store_begin(struct aq_store *store, struct aq_error *error) {
    AQ_ASSERT(store->for_writing);
    int rc = kept(store, &store->begin, "BEGIN IMMEDIATE", error);
    return rc ? rc : aq_store_run(store, store->begin, error);
}

int aq_store_commit(struct aq_store *store, int rc, struct aq_error *error) {
    if (!rc) rc = kept(store, &store->commit, "COMMIT", error);
    if (!rc) rc = aq_store_run(store, store->commit, error);
    if (rc && !sqlite3_get_autocommit(store->db)) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static int prepare_run(const struct aq_store *store, sqlite3_stmt **out, struct aq_error *error) {
    char sql[AQ_SQL_MAX] = "INSERT INTO run (";
    aq_sql_columns(sql, aq_run_identity, aq_run_identity_count, "", "");
    aq_sql_append(sql, ") VALUES (");
    for (uint32_t i = 0; i < aq_run_identity_count; i++)
        aq_sql_append(sql, i ? ", ?" : "?");
    aq_sql_append(sql, ")");
    return aq_store_prepare(store, sql, out, error);
}

static int insert_runs(struct aq_store *store, const struct aq_record *records, uint32_t count, int64_t *runs,
                       struct aq_error *error) {
    sqlite3_stmt *statement;
    int rc = prepare_run(store, &statement, error);
    if (rc) return rc;
    for (uint32_t i = 0; i < count && !rc; i++) {
        if (aq_columns_bind(statement, 1, aq_run_identity, aq_run_identity_count, &records[i]))
            rc = aq_store_fail(store, "be written", error);
        if (!rc) rc = aq_store_run(store, statement, error);
        if (!rc) runs[i] = sqlite3_last_insert_rowid(store->db);
    }
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_begin_runs(struct aq_store *store, const struct aq_record *records, uint32_t count,
                        int64_t *out_runs, struct aq_error *error) {
    int rc = aq_store_begin(store, error);
    return rc ? rc : aq_store_commit(store, insert_runs(store, records, count, out_runs, error), error);
}

int aq_store_begin_run(struct aq_store *store, const struct aq_record *record, int64_t *out_run,
                       struct aq_error *error) {
    int64_t run = 0;
    int rc = aq_store_begin_runs(store, record, 1, &run, error);
    if (!rc) *out_run = run;
    return rc;
}

static int delete_runs(struct aq_store *store, const int64_t *runs, uint32_t count, struct aq_error *error) {
    sqlite3_stmt *statement;
    int rc = aq_store_prepare(store, "DELETE FROM run WHERE run_id = ? AND state = 'unfinished'", &statement,
                              error);
    if (rc) return rc;
    for (uint32_t i = 0; i < count && !rc; i++) {
        sqlite3_bind_int64(statement, 1, runs[i]);
        rc = aq_store_run(store, statement, error);
    }
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_forget_runs(struct aq_store *store, const int64_t *runs, uint32_t count,
                         struct aq_error *error) {
    int rc = aq_store_begin(store, error);
    return rc ? rc : aq_store_commit(store, delete_runs(store, runs, count, error), error);
}

static int require_unfinished(struct aq_store *store, int64_t run, struct aq_error *error) {
    int rc = kept(store, &store->is_unfinished, "SELECT 1 FROM run WHERE run_id = ? AND state = 'unfinished'",
                  error);
    if (rc) return rc;
    sqlite3_bind_int64(store->is_unfinished, 1, run);
    int step = sqlite3_step(store->is_unfinished);
    if (step == SQLITE_DONE)
        rc = aq_error_set(error, AQ_ENOENT, "%s: run %lld is not one that has begun and not ended",
                          store->path, (long long)run);
    else if (step != SQLITE_ROW)
        rc = aq_store_fail(store, "be read", error);
    sqlite3_reset(store->is_unfinished);
    return rc;
}

/* ?1 is the run; each row has three more. */
static int prepare_events(const struct aq_store *store, uint32_t rows, sqlite3_stmt **statement,
                          struct aq_error *error) {
    char sql[AQ_SQL_MAX] = "INSERT INTO event (run_id, number, at_us, text) VALUES ", row[64];
    if (*statement) return 0;
    for (uint32_t i = 0; i < rows; i++) {
        snprintf(row, sizeof row, "%s(?1, ?%u, ?%u, ?%u)", i ? ", " : "", 3 * i + 2, 3 * i + 3, 3 * i + 4);
        aq_sql_append(sql, row);
    }
    return aq_store_prepare(store, sql, statement, error);
}

static void bind_event(sqlite3_stmt *statement, int first, const struct aq_record_event *event) {
    sqlite3_bind_int64(statement, first, (sqlite3_int64)event->number);
    if (event->at_us == AQ_TIME_NEVER)
        sqlite3_bind_null(statement, first + 1);
    else
        sqlite3_bind_int64(statement, first + 1, (sqlite3_int64)event->at_us);
    sqlite3_bind_text(statement, first + 2, event->text ? event->text : "", -1, SQLITE_STATIC);
}

/* Many rows to a statement: to start and end one costs about as much as a row. */
static int insert_events(struct aq_store *store, int64_t run, const struct aq_record_event *events,
                         uint32_t count, struct aq_error *error) {
    int rc = require_unfinished(store, run, error);
    if (!rc) rc = prepare_events(store, 1, &store->add_event, error);
    if (!rc) rc = prepare_events(store, AQ_EVENTS_PER_INSERT, &store->add_events, error);
    if (rc) return rc;
    for (uint32_t i = 0; i < count && !rc;) {
        bool many = count - i >= AQ_EVENTS_PER_INSERT;
        sqlite3_stmt *statement = many ? store->add_events : store->add_event;
        sqlite3_bind_int64(statement, 1, run);
        for (uint32_t row = 0; row < (many ? AQ_EVENTS_PER_INSERT : 1); row++)
            bind_event(statement, 2 + 3 * (int)row, &events[i++]);
        rc = aq_store_run(store, statement, error);
    }
    sqlite3_clear_bindings(store->add_event); /* the texts are the caller's */
    sqlite3_clear_bindings(store->add_events);
    return rc;
}

int aq_store_add_events(struct aq_store *store, int64_t run, const struct aq_record_event *events,
                        uint32_t count, struct aq_error *error) {
    int rc = aq_store_begin(store, error);
    return rc ? rc : aq_store_commit(store, insert_events(store, run, events, count, error), error);
}

/* The writing of one run: its number, and one statement for each table, prepared at first use. */
struct writer {
    struct aq_store *store;
    int64_t run;
    sqlite3_stmt *insert[AQ_TABLE_COUNT];
    struct aq_error *error;
};

static int prepare_insert(struct writer *writer, enum aq_table_id id) {
    const struct aq_table *table = &aq_store_tables[id];
    char sql[AQ_SQL_MAX] = "INSERT INTO ";
    uint32_t keys = 1;
    aq_sql_append(sql, table->name);
    aq_sql_append(sql, " (run_id, ");
    const char *names[] = {table->parent, table->position};
    for (uint32_t i = 0; i < 2; i++)
        if (names[i]) {
            aq_sql_append(sql, names[i]);
            aq_sql_append(sql, ", ");
            keys++;
        }
    aq_sql_columns(sql, table->columns, table->column_count, "", "");
    aq_sql_append(sql, ") VALUES (?");
    for (uint32_t i = 1; i < keys + table->column_count; i++)
        aq_sql_append(sql, ", ?");
    aq_sql_append(sql, ")");
    return aq_store_prepare(writer->store, sql, &writer->insert[id], writer->error);
}

/* Writes an array of structs to the table, as the rows of the parent where the table has one. Their
   positions, where it has any, begin with `first`. */
static int put_rows_from(struct writer *writer, enum aq_table_id id, uint32_t parent, uint32_t first,
                         const void *rows, uint32_t count) {
    const struct aq_table *table = &aq_store_tables[id];
    int rc = count && !writer->insert[id] ? prepare_insert(writer, id) : 0;
    for (uint32_t i = 0; i < count && !rc; i++) {
        sqlite3_stmt *statement = writer->insert[id];
        int at = 1;
        sqlite3_bind_int64(statement, at++, writer->run);
        if (table->parent) sqlite3_bind_int64(statement, at++, parent);
        if (table->position) sqlite3_bind_int64(statement, at++, (sqlite3_int64)first + i);
        if (aq_columns_bind(statement, at, table->columns, table->column_count,
                            (const char *)rows + (size_t)i * table->row_bytes))
            return aq_store_fail(writer->store, "be written", writer->error);
        rc = aq_store_run(writer->store, statement, writer->error);
    }
    return rc;
}

static int put_rows(struct writer *writer, enum aq_table_id id, uint32_t parent, const void *rows,
                    uint32_t count) {
    return put_rows_from(writer, id, parent, 0, rows, count);
}

static int put_buckets(struct writer *writer, uint32_t position, const struct aq_histogram *histogram) {
    int rc = 0;
    if (!histogram->buckets) return 0;
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS && !rc; i++) {
        if (!histogram->buckets[i]) continue;
        struct aq_bucket_row row = {i, aq_histogram_bucket_max_us(i), histogram->buckets[i]};
        rc = put_rows(writer, AQ_TABLE_LATENCY_BUCKET, position, &row, 1);
    }
    return rc;
}

static struct aq_latency_row summary_of(const char *operation, const struct aq_histogram *h) {
    return (struct aq_latency_row){.operation = operation,
                                   .spans = h->count,
                                   .sum_us = h->sum_us,
                                   .min_us = h->min_us,
                                   .max_us = h->max_us,
                                   .p50_us = aq_histogram_quantile(h, 0.5),
                                   .p90_us = aq_histogram_quantile(h, 0.9),
                                   .p99_us = aq_histogram_quantile(h, 0.99),
                                   .p999_us = aq_histogram_quantile(h, 0.999)};
}

static int no_memory(const struct writer *writer) {
    return aq_error_set(writer->error, AQ_ENOMEM, "%s: cannot be written: out of memory",
                        writer->store->path);
}

/* Rows behind those of the whole run: "put@12" is put in window 12. */
static int put_latency_windows(struct writer *writer, const struct aq_record *record) {
    struct aq_latency_row *rows = aq_alloc(((size_t)record->latency_window_count + 1) * sizeof *rows);
    char(*names)[64] = aq_alloc(((size_t)record->latency_window_count + 1) * sizeof *names);
    int rc = rows && names ? 0 : no_memory(writer);
    for (uint32_t i = 0; i < record->latency_window_count && !rc; i++) {
        const struct aq_record_latency_window *w = &record->latency_windows[i];
        snprintf(names[i], sizeof names[i], "%.48s%c%" PRIu32, w->operation, AQ_LATENCY_WINDOW_SIGN,
                 w->window);
        rows[i] = (struct aq_latency_row){names[i],  w->spans,  w->sum_us, w->min_us, w->max_us,
                                          w->p50_us, w->p90_us, w->p99_us, w->p999_us};
    }
    if (!rc)
        rc = put_rows_from(writer, AQ_TABLE_LATENCY, 0, record->latency_count + 1, rows,
                           record->latency_window_count);
    aq_free(rows);
    aq_free(names);
    return rc;
}

/* Row 0 is the failover of the clients, the others follow. */
static int put_latencies(struct writer *writer, const struct aq_record *record) {
    struct aq_latency_row *rows = aq_alloc(((size_t)record->latency_count + 1) * sizeof *rows);
    if (!rows) return no_memory(writer);
    rows[0] = summary_of("failover", &record->clients.failover);
    for (uint32_t i = 0; i < record->latency_count; i++)
        rows[i + 1] = summary_of(record->latencies[i].operation, &record->latencies[i].histogram);
    int rc = put_rows(writer, AQ_TABLE_LATENCY, 0, rows, record->latency_count + 1);
    if (!rc) rc = put_buckets(writer, 0, &record->clients.failover);
    for (uint32_t i = 0; i < record->latency_count && !rc; i++)
        rc = put_buckets(writer, i + 1, &record->latencies[i].histogram);
    aq_free(rows);
    return rc ? rc : put_latency_windows(writer, record);
}

static int put_phases(struct writer *writer, const struct aq_record *record) {
    int rc = put_rows(writer, AQ_TABLE_PHASE, 0, record->phases, record->phase_count);
    for (uint32_t i = 0; i < record->phase_count && !rc; i++)
        if (record->phases[i].choices)
            rc = put_rows(writer, AQ_TABLE_PHASE_SERVER, i, record->phases[i].choices, record->server_count);
    return rc;
}

static int put_checks(struct writer *writer, const struct aq_record *record) {
    int rc = put_rows(writer, AQ_TABLE_CHECK, 0, record->checks, record->check_count);
    for (uint32_t i = 0; i < record->check_count && !rc; i++)
        rc = put_rows(writer, AQ_TABLE_CHECK_FIGURE, i, record->checks[i].figures,
                      record->checks[i].figure_count);
    return rc;
}

static int put_violations(struct writer *writer, const struct aq_record *record) {
    int rc = put_rows(writer, AQ_TABLE_VIOLATION, 0, record->violations, record->violation_count);
    for (uint32_t i = 0; i < record->violation_count && !rc; i++)
        rc = put_rows(writer, AQ_TABLE_STORY_LINE, i, record->violations[i].lines,
                      record->violations[i].line_count);
    return rc;
}

static int put_tables(struct writer *writer, const struct aq_record *record) {
    for (uint32_t i = 0; i < record->server_count; i++)
        AQ_ASSERT(record->servers[i].index == i);
    int rc = put_rows(writer, AQ_TABLE_OPTION, 0, record->options, record->option_count);
    if (!rc) rc = put_rows(writer, AQ_TABLE_SERVER, 0, record->servers, record->server_count);
    if (!rc) rc = put_phases(writer, record);
    if (!rc) rc = put_rows(writer, AQ_TABLE_WINDOW, 0, record->windows, record->window_count);
    if (!rc) rc = put_rows(writer, AQ_TABLE_FAULT, 0, record->faults, record->fault_count);
    if (!rc) rc = put_checks(writer, record);
    if (!rc) rc = put_violations(writer, record);
    if (!rc) rc = put_rows(writer, AQ_TABLE_MARK, 0, record->marks, record->mark_count);
    if (!rc) rc = put_latencies(writer, record);
    if (!rc) rc = put_rows(writer, AQ_TABLE_FIGURE, 0, record->figures, record->figure_count);
    if (!rc) rc = put_rows(writer, AQ_TABLE_CHECKPOINT, 0, record->checkpoints, record->checkpoint_count);
    return rc;
}

static int update_run(struct writer *writer, const struct aq_record *record) {
    char sql[AQ_SQL_MAX] = "UPDATE run SET state = ?, ";
    sqlite3_stmt *statement;
    aq_sql_columns(sql, aq_run_identity, aq_run_identity_count, "", " = ?");
    aq_sql_append(sql, ", ");
    aq_sql_columns(sql, aq_run_outcome, aq_run_outcome_count, "", " = ?");
    aq_sql_append(sql, " WHERE run_id = ?");
    int rc = aq_store_prepare(writer->store, sql, &statement, writer->error);
    if (rc) return rc;
    int outcome_at = 2 + (int)aq_run_identity_count;
    sqlite3_bind_text(statement, 1, record->interrupted ? "interrupted" : "finished", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, outcome_at + (int)aq_run_outcome_count, writer->run);
    if (aq_columns_bind(statement, 2, aq_run_identity, aq_run_identity_count, record) ||
        aq_columns_bind(statement, outcome_at, aq_run_outcome, aq_run_outcome_count, record))
        rc = aq_store_fail(writer->store, "be written", writer->error);
    if (!rc) rc = aq_store_run(writer->store, statement, writer->error);
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_finish_run(struct aq_store *store, int64_t run, const struct aq_record *record,
                        struct aq_error *error) {
    struct writer writer = {.store = store, .run = run, .error = error};
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    rc = require_unfinished(store, run, error);
    if (!rc) rc = put_tables(&writer, record);
    if (!rc) rc = update_run(&writer, record);
    for (int i = 0; i < AQ_TABLE_COUNT; i++)
        sqlite3_finalize(writer.insert[i]);
    return aq_store_commit(store, rc, error);
}
