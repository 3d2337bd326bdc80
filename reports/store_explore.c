/* Explorations in the database. */
#include "reports/exploration.h"

#include <stdio.h>

#include "base/assert.h"
#include "reports/store_internal.h"
#include "reports/store_row.h"

const char *aq_seed_verdict_word(enum aq_seed_verdict verdict) {
    static const char *const words[] = {"pass", "fail", "unknown", "crash", "no-run"};
    AQ_ASSERT((unsigned)verdict < AQ_SEED_VERDICT_COUNT);
    return words[verdict];
}

static int insert_exploration(struct aq_store *store, const struct aq_exploration *x,
                              struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO exploration (scenario, scenario_text, scenario_hash, client_profile, server_profile, "
        "version, build, reproduce, started_unix_s, seed_from, seed_to, shard, shards, jobs) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    aq_row_text(&row, x->scenario);
    aq_row_text(&row, x->scenario_text);
    aq_row_hash(&row, x->scenario_hash);
    aq_row_text(&row, x->client_profile);
    aq_row_text(&row, x->server_profile);
    aq_row_text(&row, x->version);
    aq_row_text(&row, x->build);
    aq_row_text(&row, x->reproduce);
    aq_row_integer(&row, (uint64_t)x->started_unix_s);
    aq_row_integer(&row, x->seed_from);
    if (x->seed_to == UINT64_MAX)
        aq_row_null(&row);
    else
        aq_row_integer(&row, x->seed_to);
    aq_row_integer(&row, x->shard);
    aq_row_integer(&row, x->shards);
    aq_row_integer(&row, x->jobs);
    aq_row_put(&row);
    return aq_row_close(&row);
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

static void put_seed(struct aq_store_row *row, int64_t number, const struct aq_explored_seed *seed) {
    aq_row_integer(row, (uint64_t)number);
    aq_row_integer(row, seed->seed);
    aq_row_text(row, aq_seed_verdict_word(seed->verdict));
    aq_row_integer(row, (uint64_t)seed->exit_code);
    aq_row_text(row, seed->reason);
    aq_row_text(row, seed->drawn);
    aq_row_hash(row, seed->trace_hash);
    aq_row_integer(row, seed->events);
    aq_row_integer(row, seed->virtual_us);
    aq_row_integer(row, seed->wall_us);
    aq_row_integer(row, seed->replayed);
    aq_row_put(row);
}

static void put_seed_failures(struct aq_store_row *row, int64_t number, const struct aq_explored_seed *seed) {
    for (uint32_t i = 0; i < seed->fingerprint_count; i++) {
        aq_row_integer(row, (uint64_t)number);
        aq_row_integer(row, seed->seed);
        aq_row_text(row, seed->fingerprints[i]);
        aq_row_put(row);
    }
}

int aq_store_add_seeds(struct aq_store *store, int64_t number, const struct aq_explored_seed *seeds,
                       uint32_t count, struct aq_error *error) {
    struct aq_store_row row, failures;
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    aq_row_open(
        &row, store,
        "INSERT INTO exploration_seed (exploration_id, seed, verdict, exit_code, reason, drawn, trace_hash, "
        "events, virtual_us, wall_us, replayed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    aq_row_open(
        &failures, store,
        "INSERT OR IGNORE INTO exploration_seed_failure (exploration_id, seed, fingerprint) VALUES (?, ?, ?)",
        error);
    for (uint32_t i = 0; i < count; i++) {
        put_seed(&row, number, &seeds[i]);
        put_seed_failures(&failures, number, &seeds[i]);
    }
    rc = aq_row_close(&row);
    int other = aq_row_close(&failures);
    return aq_store_commit(store, rc ? rc : other, error);
}

static int put_failures(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                        struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO exploration_failure (exploration_id, fingerprint, check_name, cause, shape, seeds, "
        "first_seed, quickest_seed, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < x->failure_count; i++) {
        const struct aq_exploration_failure *failure = &x->failures[i];
        aq_row_integer(&row, (uint64_t)number);
        aq_row_text(&row, failure->fingerprint);
        aq_row_text(&row, failure->check);
        aq_row_text(&row, failure->cause);
        aq_row_text(&row, failure->shape);
        aq_row_integer(&row, failure->seeds);
        aq_row_integer(&row, failure->first_seed);
        aq_row_integer(&row, failure->quickest_seed);
        if (failure->run)
            aq_row_integer(&row, (uint64_t)failure->run);
        else
            aq_row_null(&row);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

static int put_marks(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                     struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(&row, store,
                "INSERT INTO exploration_mark (exploration_id, position, name, hits, seeds, required) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                error);
    for (uint32_t i = 0; i < x->mark_count; i++) {
        aq_row_integer(&row, (uint64_t)number);
        aq_row_integer(&row, i);
        aq_row_text(&row, x->marks[i].name);
        aq_row_integer(&row, x->marks[i].count);
        aq_row_integer(&row, x->marks[i].seeds);
        aq_row_integer(&row, x->marks[i].required);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

static int put_finds(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                     struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO exploration_find (exploration_id, position, from_seed, found_seed, seeds, virtual_us, "
        "wall_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < x->find_count; i++) {
        const struct aq_exploration_find *find = &x->finds[i];
        aq_row_integer(&row, (uint64_t)number);
        aq_row_integer(&row, i);
        aq_row_integer(&row, find->from_seed);
        if (find->found)
            aq_row_integer(&row, find->found_seed);
        else
            aq_row_null(&row);
        aq_row_integer(&row, find->seeds);
        aq_row_integer(&row, find->virtual_us);
        aq_row_integer(&row, find->wall_us);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

static int update_exploration(struct aq_store *store, int64_t number, const struct aq_exploration *x,
                              struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "UPDATE exploration SET state = ?, exit_code = ?, reason = ?, passes = ?, fails = ?, unknowns = ?, "
        "crashes = ?, no_runs = ?, replay_checked = ?, events = ?, virtual_us = ?, busy_us = ?, wall_us = ? "
        "WHERE exploration_id = ?",
        error);
    aq_row_text(&row, x->interrupted ? "interrupted" : "finished");
    aq_row_integer(&row, (uint64_t)x->exit_code);
    aq_row_text(&row, x->reason);
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        aq_row_integer(&row, x->seeds[i]);
    aq_row_integer(&row, x->replay_checked);
    aq_row_integer(&row, x->events);
    aq_row_integer(&row, x->virtual_us);
    aq_row_integer(&row, x->busy_us);
    aq_row_integer(&row, x->wall_us);
    aq_row_integer(&row, (uint64_t)number);
    aq_row_put(&row);
    return aq_row_close(&row);
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
