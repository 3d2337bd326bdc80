/* Explorations in the database. */
#include "reports/exploration.h"

#include <stdio.h>

#include "base/assert.h"
#include "reports/store_internal.h"

const char *aq_seed_verdict_word(enum aq_seed_verdict verdict) {
    static const char *const words[] = {"pass", "fail", "unknown", "crash", "no-run"};
    AQ_ASSERT((unsigned)verdict < AQ_SEED_VERDICT_COUNT);
    return words[verdict];
}

/* A statement whose parameters are bound one after the other. */
struct row {
    struct aq_store *store;
    sqlite3_stmt *statement;
    int at;
    int rc;
    struct aq_error *error;
};

static void row_open(struct row *row, struct aq_store *store, const char *sql, struct aq_error *error) {
    *row = (struct row){.store = store, .error = error};
    row->rc = aq_store_prepare(store, sql, &row->statement, error);
}

static void integer(struct row *row, uint64_t value) {
    if (!row->rc) sqlite3_bind_int64(row->statement, ++row->at, (sqlite3_int64)value);
}

static void text(struct row *row, const char *value) {
    if (!row->rc) sqlite3_bind_text(row->statement, ++row->at, value ? value : "", -1, SQLITE_STATIC);
}

static void null(struct row *row) {
    if (!row->rc) sqlite3_bind_null(row->statement, ++row->at);
}

static void hash(struct row *row, uint64_t value) {
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)value);
    if (!row->rc) sqlite3_bind_text(row->statement, ++row->at, digits, -1, SQLITE_TRANSIENT);
}

/* Carries the statement out; the next row begins anew. */
static void put(struct row *row) {
    if (!row->rc) AQ_ASSERT(row->at == sqlite3_bind_parameter_count(row->statement));
    if (!row->rc) row->rc = aq_store_run(row->store, row->statement, row->error);
    row->at = 0;
}

static int row_close(struct row *row) {
    sqlite3_finalize(row->statement);
    return row->rc;
}

static int insert_exploration(struct aq_store *store, const struct aq_exploration *x,
                              struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "INSERT INTO exploration (scenario, scenario_text, scenario_hash, client_profile, server_profile, "
        "version, build, reproduce, started_unix_s, seed_from, seed_to, shard, shards, jobs) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    text(&row, x->scenario);
    text(&row, x->scenario_text);
    hash(&row, x->scenario_hash);
    text(&row, x->client_profile);
    text(&row, x->server_profile);
    text(&row, x->version);
    text(&row, x->build);
    text(&row, x->reproduce);
    integer(&row, (uint64_t)x->started_unix_s);
    integer(&row, x->seed_from);
    if (x->seed_to == UINT64_MAX)
        null(&row);
    else
        integer(&row, x->seed_to);
    integer(&row, x->shard);
    integer(&row, x->shards);
    integer(&row, x->jobs);
    put(&row);
    return row_close(&row);
}

int aq_store_begin_exploration(struct aq_store *store, const struct aq_exploration *x, int64_t *out,
                               struct aq_error *error) {
    int64_t number = 0;
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    rc = insert_exploration(store, x, error);
    if (!rc) number = sqlite3_last_insert_rowid(store->db);
    rc = aq_store_commit(store, rc, error);
    if (!rc) *out = number;
    return rc;
}

static void put_seed(struct row *row, int64_t number, const struct aq_explored_seed *seed) {
    integer(row, (uint64_t)number);
    integer(row, seed->seed);
    text(row, aq_seed_verdict_word(seed->verdict));
    integer(row, (uint64_t)seed->exit_code);
    text(row, seed->reason);
    text(row, seed->drawn);
    hash(row, seed->trace_hash);
    integer(row, seed->events);
    integer(row, seed->virtual_us);
    integer(row, seed->wall_us);
    integer(row, seed->replayed);
    put(row);
}

static void put_seed_failures(struct row *row, int64_t number, const struct aq_explored_seed *seed) {
    for (uint32_t i = 0; i < seed->fingerprint_count; i++) {
        integer(row, (uint64_t)number);
        integer(row, seed->seed);
        text(row, seed->fingerprints[i]);
        put(row);
    }
}

int aq_store_add_seeds(struct aq_store *store, int64_t number, const struct aq_explored_seed *seeds,
                       uint32_t count, struct aq_error *error) {
    struct row row, failures;
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    row_open(
        &row, store,
        "INSERT INTO exploration_seed (exploration_id, seed, verdict, exit_code, reason, drawn, trace_hash, "
        "events, virtual_us, wall_us, replayed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    row_open(
        &failures, store,
        "INSERT OR IGNORE INTO exploration_seed_failure (exploration_id, seed, fingerprint) VALUES (?, ?, ?)",
        error);
    for (uint32_t i = 0; i < count; i++) {
        put_seed(&row, number, &seeds[i]);
        put_seed_failures(&failures, number, &seeds[i]);
    }
    rc = row_close(&row);
    int other = row_close(&failures);
    return aq_store_commit(store, rc ? rc : other, error);
}

static int put_failures(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                        struct aq_error *error) {
    struct row row;
    row_open(&row, store,
             "INSERT INTO exploration_failure (exploration_id, fingerprint, check_name, cause, shape, seeds, "
             "first_seed, quickest_seed, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
             error);
    for (uint32_t i = 0; i < x->failure_count; i++) {
        const struct aq_exploration_failure *failure = &x->failures[i];
        integer(&row, (uint64_t)number);
        text(&row, failure->fingerprint);
        text(&row, failure->check);
        text(&row, failure->cause);
        text(&row, failure->shape);
        integer(&row, failure->seeds);
        integer(&row, failure->first_seed);
        integer(&row, failure->quickest_seed);
        if (failure->run)
            integer(&row, (uint64_t)failure->run);
        else
            null(&row);
        put(&row);
    }
    return row_close(&row);
}

static int put_marks(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                     struct aq_error *error) {
    struct row row;
    row_open(&row, store,
             "INSERT INTO exploration_mark (exploration_id, position, name, hits, seeds, required) "
             "VALUES (?, ?, ?, ?, ?, ?)",
             error);
    for (uint32_t i = 0; i < x->mark_count; i++) {
        integer(&row, (uint64_t)number);
        integer(&row, i);
        text(&row, x->marks[i].name);
        integer(&row, x->marks[i].count);
        integer(&row, x->marks[i].seeds);
        integer(&row, x->marks[i].required);
        put(&row);
    }
    return row_close(&row);
}

static int put_finds(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                     struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "INSERT INTO exploration_find (exploration_id, position, from_seed, found_seed, seeds, virtual_us, "
        "wall_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < x->find_count; i++) {
        const struct aq_exploration_find *find = &x->finds[i];
        integer(&row, (uint64_t)number);
        integer(&row, i);
        integer(&row, find->from_seed);
        if (find->found)
            integer(&row, find->found_seed);
        else
            null(&row);
        integer(&row, find->seeds);
        integer(&row, find->virtual_us);
        integer(&row, find->wall_us);
        put(&row);
    }
    return row_close(&row);
}

static int update_exploration(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                              struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "UPDATE exploration SET state = ?, exit_code = ?, reason = ?, passes = ?, fails = ?, unknowns = ?, "
        "crashes = ?, no_runs = ?, replay_checked = ?, events = ?, virtual_us = ?, busy_us = ?, wall_us = ? "
        "WHERE exploration_id = ?",
        error);
    text(&row, x->interrupted ? "interrupted" : "finished");
    integer(&row, (uint64_t)x->exit_code);
    text(&row, x->reason);
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        integer(&row, x->seeds[i]);
    integer(&row, x->replay_checked);
    integer(&row, x->events);
    integer(&row, x->virtual_us);
    integer(&row, x->busy_us);
    integer(&row, x->wall_us);
    integer(&row, (uint64_t)number);
    put(&row);
    return row_close(&row);
}

int aq_store_finish_exploration(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                                struct aq_error *error) {
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    rc = update_exploration(store, number, x, error);
    if (!rc) rc = put_failures(store, number, x, error);
    if (!rc) rc = put_marks(store, number, x, error);
    if (!rc) rc = put_finds(store, number, x, error);
    return aq_store_commit(store, rc, error);
}

int aq_store_find_failure(struct aq_store *store, const char *fingerprint, int64_t *out_run,
                          struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc =
        aq_store_prepare(store,
                         "SELECT run_id FROM exploration_failure WHERE fingerprint = ? AND run_id IS NOT "
                         "NULL ORDER BY exploration_id DESC LIMIT 1",
                         &statement, error);
    if (rc) return rc;
    sqlite3_bind_text(statement, 1, fingerprint, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    int64_t run = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (step == SQLITE_DONE)
        rc = aq_error_set(error, AQ_ENOENT, "%s: no run of an exploration is kept with the fingerprint %s",
                          store->path, fingerprint);
    else if (step != SQLITE_ROW)
        rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    if (!rc) *out_run = run;
    return rc;
}
