/* Which runs and explorations are there already. */
#include "reports/merge_internal.h"

#include <string.h>

/* ---- hashes of rows ---- */

/* FNV-1a. Source: G. Fowler, L. C. Noll, K.-P. Vo, "The FNV Non-Cryptographic Hash Algorithm", IETF draft. It
   tells rows apart whose keys are equal already, so that no more is asked of it. */
#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ at[i]) * FNV_PRIME;
    return hash;
}

static uint64_t hash_column(uint64_t hash, sqlite3_stmt *statement, int column) {
    unsigned char type = (unsigned char)sqlite3_column_type(statement, column);
    const void *text = sqlite3_column_text(statement, column); /* numbers as their digits */
    int bytes = sqlite3_column_bytes(statement, column);
    hash = hash_bytes(hash, &type, 1);
    hash = hash_bytes(hash, text ? text : "", (size_t)bytes);
    return hash_bytes(hash, "", 1);
}

static int hash_rows(const struct aq_store *store, const char *sql, int64_t number, uint64_t *out,
                     struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_merge_ask(store, sql, number, 0, &statement, error), step;
    if (rc) return rc;
    uint64_t hash = FNV_OFFSET;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            hash = hash_column(hash, statement, i);
    if (step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    if (!rc) *out = hash;
    return rc;
}

/* ---- runs ---- */

/* A run that never ended has no trace: when it was started tells it from others. */
#define RUN_KEY                                                                                              \
    "scenario_hash, seed, trace_hash, state, world, fidelity, client_profile, server_profile,"               \
    " CASE state WHEN 'unfinished' THEN started_unix_s END"
static const char option_sql[] = "SELECT name, value FROM run_option WHERE run_id = ?1 ORDER BY name, value";

/* Asks `out` for rows whose key is that of a row of the input; sql has as many parameters as key_sql has
 * columns. */
static int ask_alike(struct aq_merge *m, const char *key_sql, int64_t old, const char *sql,
                     sqlite3_stmt **out) {
    sqlite3_stmt *key = NULL;
    int rc = aq_merge_ask(m->in, key_sql, old, 0, &key, m->error);
    if (!rc && sqlite3_step(key) != SQLITE_ROW) rc = aq_store_fail(m->in, "be read", m->error);
    if (!rc) rc = aq_store_prepare(m->out, sql, out, m->error);
    for (int i = 0; !rc && i < sqlite3_column_count(key); i++)
        sqlite3_bind_value(*out, i + 1, sqlite3_column_value(key, i));
    sqlite3_finalize(key);
    return rc;
}

static int find_run(struct aq_merge *m, int64_t old, int64_t *out) {
    sqlite3_stmt *alike = NULL;
    uint64_t options = 0, other = 0;
    int rc = hash_rows(m->in, option_sql, old, &options, m->error);
    if (!rc)
        rc = ask_alike(
            m, "SELECT " RUN_KEY " FROM run WHERE run_id = ?1", old,
            "SELECT run_id FROM run WHERE scenario_hash = ?1 AND seed = ?2 AND trace_hash = ?3 AND state = ?4 AND"
            " world = ?5 AND fidelity = ?6 AND client_profile = ?7 AND server_profile = ?8 AND"
            " (?9 IS NULL OR started_unix_s = ?9) ORDER BY run_id",
            &alike);
    while (!rc && !*out && sqlite3_step(alike) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(alike, 0);
        rc = hash_rows(m->out, option_sql, number, &other, m->error);
        if (!rc && options == other) *out = number;
    }
    sqlite3_finalize(alike);
    return rc;
}

/* ---- explorations ---- */

/* Are all seeds of the input's exploration among those of the other, with the same traces and verdicts? */
static int holds_seeds(struct aq_merge *m, int64_t old, int64_t number, bool *out) {
    sqlite3_stmt *seeds = NULL, *there = NULL;
    int rc = aq_merge_ask(m->in,
                          "SELECT seed, trace_hash, verdict FROM exploration_seed WHERE exploration_id = ?1",
                          old, 0, &seeds, m->error);
    if (!rc)
        rc = aq_store_prepare(
            m->out,
            "SELECT 1 FROM exploration_seed WHERE seed = ?1 AND trace_hash = ?2 AND verdict = ?3 AND"
            " exploration_id = ?4",
            &there, m->error);
    bool all = !rc;
    while (all && sqlite3_step(seeds) == SQLITE_ROW) {
        for (int i = 0; i < 3; i++)
            sqlite3_bind_value(there, i + 1, sqlite3_column_value(seeds, i));
        sqlite3_bind_int64(there, 4, number);
        all = sqlite3_step(there) == SQLITE_ROW;
        sqlite3_reset(there);
    }
    sqlite3_finalize(seeds);
    sqlite3_finalize(there);
    *out = all;
    return rc;
}

/* One that was made of parts holds each of them. */
static int find_exploration(struct aq_merge *m, int64_t old, int64_t *out) {
    sqlite3_stmt *alike = NULL;
    bool all = false;
    int rc = ask_alike(
        m,
        "SELECT scenario_hash, client_profile, server_profile, seed_from, seed_to, shard, shards, state,"
        " (SELECT count(*) FROM exploration_find AS f WHERE f.exploration_id = e.exploration_id),"
        " (SELECT count(*) FROM exploration_seed AS s WHERE s.exploration_id = e.exploration_id), started_unix_s"
        " FROM exploration AS e WHERE exploration_id = ?1",
        old,
        "SELECT exploration_id FROM exploration AS e WHERE scenario_hash = ?1 AND client_profile = ?2 AND"
        " server_profile = ?3 AND seed_from = ?4 AND seed_to IS ?5 AND (shards = 1 OR (shard = ?6 AND shards = ?7)) AND"
        " state = ?8 AND ?9 = (SELECT count(*) FROM exploration_find AS f WHERE f.exploration_id = e.exploration_id) AND"
        " (?10 > 0 OR started_unix_s = ?11) ORDER BY exploration_id",
        &alike);
    while (!rc && !*out && sqlite3_step(alike) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(alike, 0);
        rc = holds_seeds(m, old, number, &all);
        if (!rc && all) *out = number;
    }
    sqlite3_finalize(alike);
    return rc;
}

/* ---- anything else ---- */

/* The rows of a table that belong to a number, without the numbers that refer to roots. */
static int hash_table(struct aq_merge *m, const struct aq_store *store, uint32_t index, int64_t number,
                      uint64_t *hash) {
    const struct aq_merge_table *table = &m->tables[index];
    char columns[AQ_SQL_MAX] = "NULL";
    uint64_t rows = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].root >= 0) continue;
        aq_sql_append(columns, ", ");
        aq_sql_append(columns, table->columns[i].name);
    }
    char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\" WHERE \"%w\" = ?1 ORDER BY %s", columns, table->name,
                                aq_merge_owner_column(table), table->key);
    int rc = sql ? hash_rows(store, sql, number, &rows, m->error) : aq_merge_no_memory(m);
    sqlite3_free(sql);
    *hash = hash_bytes(*hash, &rows, sizeof rows);
    return rc;
}

static int hash_all(struct aq_merge *m, const struct aq_store *store, int root, int64_t number,
                    uint64_t *out) {
    int rc = 0;
    *out = FNV_OFFSET;
    for (uint32_t i = 0; i < m->table_count && !rc; i++)
        if (m->tables[i].owner == root) rc = hash_table(m, store, i, number, out);
    return rc;
}

/* Of other kinds the same content is the same thing. Looks among the numbers that the statement gives, and
 * ends it. */
static int find_among(struct aq_merge *m, int root, int64_t old, sqlite3_stmt *numbers, int64_t *out) {
    uint64_t wanted = 0, found = 0;
    int rc = hash_all(m, m->in, root, old, &wanted);
    while (!rc && !*out && sqlite3_step(numbers) == SQLITE_ROW) {
        rc = hash_all(m, m->out, root, sqlite3_column_int64(numbers, 0), &found);
        if (!rc && found == wanted) *out = sqlite3_column_int64(numbers, 0);
    }
    sqlite3_finalize(numbers);
    return rc;
}

static int find_equal(struct aq_merge *m, int root, int64_t old, int64_t *out) {
    sqlite3_stmt *all = NULL;
    char sql[200];
    sqlite3_snprintf(sizeof sql, sql, "SELECT %s FROM \"%w\" ORDER BY 1", m->tables[root].key,
                     m->tables[root].name);
    int rc = aq_store_prepare(m->out, sql, &all, m->error);
    return rc ? rc : find_among(m, root, old, all, out);
}

/* There may be thousands of them, and they have an index. */
static int find_kept_run(struct aq_merge *m, int root, int64_t old, int64_t *out) {
    sqlite3_stmt *alike = NULL;
    int rc = ask_alike(m, "SELECT scenario_hash, seed FROM kept_run WHERE kept_run_id = ?1", old,
                       "SELECT kept_run_id FROM kept_run WHERE scenario_hash = ?1 AND seed = ?2 ORDER BY 1",
                       &alike);
    if (!rc) return find_among(m, root, old, alike, out);
    sqlite3_finalize(alike);
    return rc;
}

int aq_merge_find_duplicate(struct aq_merge *m, int root, int64_t old, int64_t *out_number) {
    int64_t number = 0;
    const char *name = m->tables[root].name;
    int rc = strcmp(name, "run") == 0           ? find_run(m, old, &number)
             : strcmp(name, "exploration") == 0 ? find_exploration(m, old, &number)
             : strcmp(name, "kept_run") == 0    ? find_kept_run(m, root, old, &number)
                                                : find_equal(m, root, old, &number);
    if (!rc) *out_number = number;
    return rc;
}
