/* What the parts of the store share: the open database, its errors, and the map between the record's
   structs and the tables. */
#ifndef AQ_REPORTS_STORE_INTERNAL_H
#define AQ_REPORTS_STORE_INTERNAL_H

#include <sqlite3.h>

#include "reports/store.h"

#define AQ_STORE_APPLICATION_ID 1634496883 /* "alqs"; the same as in schema.sql */
#define AQ_STORE_VERSION        5          /* user_version of schema.sql */
#define AQ_STORE_VERSION_OLDEST 1          /* that can still be read, and be brought up to date */
/* longest wait for another process; a full trace is written in a few seconds */
#define AQ_STORE_PATIENCE_MS 10000

/* Rows of `event` that one statement writes. */
#define AQ_EVENTS_PER_INSERT 16u

struct aq_store {
    sqlite3 *db;
    char *path; /* owned; for messages */
    int patience_ms;
    bool for_writing;
    int version;                                                           /* user_version of the file */
    sqlite3_stmt *begin, *commit, *is_unfinished, *add_event, *add_events; /* prepared at first use */
};

/* What a column holds in the struct, and how it is written: NULL texts as '', AQ_TIME_NEVER
   and not-a-number as NULL. */
enum aq_column_type {
    AQ_COLUMN_TEXT,    /* const char * */
    AQ_COLUMN_U64,     /* uint64_t, as the signed integer of the same bits */
    AQ_COLUMN_I64,     /* int64_t */
    AQ_COLUMN_U32,     /* uint32_t */
    AQ_COLUMN_I32,     /* int32_t or int */
    AQ_COLUMN_U8,      /* uint8_t */
    AQ_COLUMN_BOOL,    /* bool */
    AQ_COLUMN_TIME,    /* aq_time_us */
    AQ_COLUMN_HASH,    /* uint64_t, as 16 hexadecimal digits */
    AQ_COLUMN_REAL,    /* double */
    AQ_COLUMN_VERDICT, /* enum aq_verdict, as its word */
};

struct aq_column {
    const char *name;
    enum aq_column_type type;
    size_t offset; /* in the struct of a row */
};

/* A table whose rows are structs. Its key is run_id, then the keys given here, which are
   not part of the struct. */
struct aq_table {
    const char *name;
    /* key column: place of the row that this one belongs to; NULL: it belongs to the run */
    const char *parent;
    const char *position; /* key column: place of the row itself; NULL: the struct has its own, see order */
    const char *order;    /* columns that give the order within a run and parent */
    const struct aq_column *columns;
    uint32_t column_count;
    uint32_t row_bytes; /* size of the struct */
};

enum aq_table_id {
    AQ_TABLE_OPTION,
    AQ_TABLE_SERVER,
    AQ_TABLE_PHASE,
    AQ_TABLE_PHASE_SERVER,
    AQ_TABLE_FAULT,
    AQ_TABLE_CHECK,
    AQ_TABLE_CHECK_FIGURE,
    AQ_TABLE_VIOLATION,
    AQ_TABLE_STORY_LINE,
    AQ_TABLE_WINDOW,
    AQ_TABLE_LATENCY,
    AQ_TABLE_LATENCY_BUCKET,
    AQ_TABLE_MARK,
    AQ_TABLE_FIGURE,
    AQ_TABLE_CHECKPOINT,
    AQ_TABLE_COUNT
};

extern const struct aq_table aq_store_tables[AQ_TABLE_COUNT];

/* The columns of the row of a run, in struct aq_record: those known when it begins, and
   those known when it ends. */
extern const struct aq_column aq_run_identity[];
extern const uint32_t aq_run_identity_count;
extern const struct aq_column aq_run_outcome[];
extern const uint32_t aq_run_outcome_count;

/* Between the operation and the window, in a row of `latency` that is about one window of time. */
#define AQ_LATENCY_WINDOW_SIGN '@'

/* A row of `latency`: the summary of a histogram. */
struct aq_latency_row {
    const char *operation;
    uint64_t spans, sum_us;
    aq_time_us min_us, max_us, p50_us, p90_us, p99_us, p999_us;
};

/* A row of `latency_bucket`. */
struct aq_bucket_row {
    uint32_t bucket;
    uint64_t up_to_us, spans;
};

/* Room for the SQL of any table; the longest is the update of a run. */
#define AQ_SQL_MAX 2048

/* Appends "a, b, c" of the columns' names, each preceded by `before` and followed by `after`. */
void aq_sql_columns(char sql[AQ_SQL_MAX], const struct aq_column *columns, uint32_t count, const char *before,
                    const char *after);
void aq_sql_append(char sql[AQ_SQL_MAX], const char *text);

/* Binds the fields of a row to the parameters from `first` on. Texts must live until the statement
   is reset. SQLite's code. */
int aq_columns_bind(sqlite3_stmt *statement, int first, const struct aq_column *columns, uint32_t count,
                    const void *row);

/* Fills the fields of a row from the columns of the current result, from `first` on; texts are copied into
   the arena. Errors: AQ_ENOMEM, AQ_EPARSE (a value that this program never writes). */
int aq_columns_read(sqlite3_stmt *statement, int first, const struct aq_column *columns, uint32_t count,
                    void *row, struct aq_arena *arena);

/* store_read.c: a query about one number. */
struct aq_rows_query {
    const char *from; /* "TABLE WHERE x = ?1 ORDER BY y" */
    int64_t number;
    const struct aq_column *columns; /* their names may be expressions */
    uint32_t column_count, row_bytes;
};
/* Its rows as an array of structs in the arena, zeroed where the columns do not reach; *(void **)out NULL
   where there are none. Errors: as aq_store_fail, AQ_EDATABASE (a value that this program never writes). */
int aq_rows_read(struct aq_store *store, const struct aq_rows_query *query, struct aq_arena *arena, void *out,
                 uint32_t *out_count, struct aq_error *error);

/* Fills *error from the last failure of the database and returns AQ_EIO, AQ_EDATABASE or AQ_ENOMEM. `doing`
   completes "cannot ...". */
int aq_store_fail(const struct aq_store *store, const char *doing, struct aq_error *error);

/* store_migrate.c: brings a file of an older version up to AQ_STORE_VERSION, within the caller's transaction.
   Errors: as aq_store_fail; the caller rolls back. */
int aq_store_migrate(const struct aq_store *store, struct aq_error *error);

/* store_write.c: one transaction around a batch. aq_store_commit takes the code so far and passes it on,
   after it has rolled back. Errors: as aq_store_fail. */
int aq_store_begin(struct aq_store *store, struct aq_error *error);
int aq_store_commit(struct aq_store *store, int rc, struct aq_error *error);
/* Runs a prepared statement that gives no rows, and resets it. */
int aq_store_run(const struct aq_store *store, sqlite3_stmt *statement, struct aq_error *error);

/* Errors: as aq_store_fail (*out untouched). */
int aq_store_prepare(const struct aq_store *store, const char *sql, sqlite3_stmt **out,
                     struct aq_error *error);

/* Prepares "SELECT * FROM name", of one run where `run` is not 0. The name has to be that of a table or view
   of the database; with views_only, of a view. Errors: AQ_ENOENT, which names those there are; as
   aq_store_fail. */
int aq_store_prepare_all(const struct aq_store *store, const char *name, bool views_only, int64_t run,
                         sqlite3_stmt **out, struct aq_error *error);
int aq_store_execute(const struct aq_store *store, const char *sql, struct aq_error *error);

#endif
