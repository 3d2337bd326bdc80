/* What the parts of a merge share. The schema itself says how: tables with a number of their own (`run`,
   `exploration`) are roots; the rows of every other table belong to the root that the first column of their
   key refers to. */
#ifndef AQ_REPORTS_MERGE_INTERNAL_H
#define AQ_REPORTS_MERGE_INTERNAL_H

#include "base/arena.h"
#include "reports/merge.h"
#include "reports/store_internal.h"

#define AQ_MERGE_COLUMNS_MAX 64
#define AQ_MERGE_TABLES_MAX  64

struct aq_merge_column {
    const char *name;
    int root;   /* table that it refers to, by index; -1: none. The number of a root refers to itself. */
    bool first; /* of the key: it says whose the row is */
};

struct aq_merge_table {
    const char *name;
    struct aq_merge_column columns[AQ_MERGE_COLUMNS_MAX];
    uint32_t column_count;
    const char *key;               /* columns of the primary key, for the order */
    int owner;                     /* the table whose row these rows belong to; of a root itself */
    sqlite3_stmt *select, *insert; /* rows of one owner; one row */
};

/* A number in the input, and what it became. */
struct aq_merge_number {
    int64_t old, new;
};

struct aq_merge_map {
    struct aq_merge_number *numbers; /* owned; by old ones */
    uint32_t count, capacity;
};

struct aq_merge {
    const struct aq_merge_options *options;
    struct aq_store *out, *in;     /* in: the input at hand */
    uint32_t input;                /* its place: 0 is what `out` held, if anything */
    struct aq_merge_table *tables; /* owned; in the order of the schema: what is referred to comes first */
    uint32_t table_count;
    struct aq_merge_map maps[AQ_MERGE_TABLES_MAX]; /* of the input at hand, by root */
    sqlite3_stmt *remember;                        /* of the input at hand */
    struct aq_merge_result *result;
    struct aq_arena memory;
    struct aq_error *error;
};

int aq_merge_no_memory(const struct aq_merge *m);
static inline bool aq_merge_is_root(const struct aq_merge *m, uint32_t table) {
    return m->tables[table].owner == (int)table;
}
/* The column that says whose its rows are. */
const char *aq_merge_owner_column(const struct aq_merge_table *table);
/* The root of this name, or -1. */
int aq_merge_root(const struct aq_merge *m, const char *name);

/* merge_tables.c. Reads what tables there are from `out`. Errors: AQ_ENOMEM, AQ_EIO, AQ_EINTERNAL (a table
   that belongs to none). */
int aq_merge_read_schema(struct aq_merge *m);
/* Prepares and ends the copying from an input. Errors: as aq_store_fail. */
int aq_merge_open_statements(struct aq_merge *m);
void aq_merge_close_statements(struct aq_merge *m);
/* Copies one row of a root with all that belongs to it; *out_number is its new number. Errors: AQ_EIO,
 * AQ_ENOMEM. */
int aq_merge_copy(struct aq_merge *m, int root, int64_t old, int64_t *out_number);
/* What an old number became; 0: it is not there. */
int64_t aq_merge_mapped(const struct aq_merge *m, int root, int64_t old);

/* merge_duplicates.c. The number in `out` that a row of a root would double; 0: none. Errors: AQ_EIO. */
int aq_merge_find_duplicate(struct aq_merge *m, int root, int64_t old, int64_t *out_number);

/* merge_shards.c. Makes one exploration of the parts of one, where all of them are there and ended well.
 * Errors: AQ_EIO. */
int aq_merge_join_shards(struct aq_merge *m);

/* Prepares a question with up to two numbers, the first for ?1. Errors: as aq_store_fail. */
int aq_merge_ask(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                 sqlite3_stmt **out, struct aq_error *error);
/* A question with one number as its answer; `none` where there is no row or a NULL. */
int aq_merge_ask_integer(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                         int64_t none, int64_t *out, struct aq_error *error);
/* Carries out SQL with up to two numbers. */
int aq_merge_do(const struct aq_store *store, const char *sql, int64_t first, int64_t second,
                struct aq_error *error);

#endif
