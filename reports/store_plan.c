/* Capacity plans in the database, and the figures of runs that are kept to be used again. */
#include "reports/plan.h"

#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "reports/store_internal.h"

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

/* NULL where it is not a number; infinity is a number to SQLite. */
static void real(struct row *row, double value) {
    if (row->rc) return;
    if (isnan(value))
        sqlite3_bind_null(row->statement, ++row->at);
    else
        sqlite3_bind_double(row->statement, ++row->at, value);
}

static void text(struct row *row, const char *value) {
    if (!row->rc) sqlite3_bind_text(row->statement, ++row->at, value ? value : "", -1, SQLITE_STATIC);
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

/* ---- runs ---- */

static void key(struct row *row, const struct aq_kept_run *run) {
    hash(row, run->scenario_hash);
    integer(row, run->seed);
    integer(row, run->steady_from_us);
    integer(row, run->paired);
    text(row, run->version);
    text(row, run->build);
}

/* The number of the run, 0 where it is not there. */
static int number_of(struct aq_store *store, const struct aq_kept_run *run, int64_t *out,
                     struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "SELECT kept_run_id FROM kept_run WHERE scenario_hash = ? AND seed = ? AND steady_from_us = ? AND "
        "paired = ? AND "
        "version = ? AND build = ?",
        error);
    key(&row, run);
    *out = 0;
    if (!row.rc) {
        int step = sqlite3_step(row.statement);
        if (step == SQLITE_ROW)
            *out = sqlite3_column_int64(row.statement, 0);
        else if (step != SQLITE_DONE)
            row.rc = aq_store_fail(store, "be read", error);
    }
    return row_close(&row);
}

static int put_figures(struct aq_store *store, int64_t number, const struct aq_kept_figure *figures,
                       uint32_t count, struct aq_error *error) {
    struct row row;
    row_open(&row, store, "INSERT OR IGNORE INTO kept_figure (kept_run_id, name, value) VALUES (?, ?, ?)",
             error);
    for (uint32_t i = 0; i < count; i++) {
        integer(&row, (uint64_t)number);
        text(&row, figures[i].name);
        real(&row, figures[i].value);
        put(&row);
    }
    return row_close(&row);
}

int aq_store_keep_begin(struct aq_store *store, struct aq_error *error) {
    return aq_store_begin(store, error);
}

int aq_store_keep_end(struct aq_store *store, int rc, struct aq_error *error) {
    return aq_store_commit(store, rc, error);
}

/* A merge may have put a run there twice, so that the key is not unique to the database. */
int aq_store_keep_run(struct aq_store *store, const struct aq_kept_run *run,
                      const struct aq_kept_figure *figures, uint32_t count, struct aq_error *error) {
    struct row row;
    int64_t number;
    int rc = number_of(store, run, &number, error);
    if (rc) return rc;
    if (!number) {
        row_open(&row, store,
                 "INSERT INTO kept_run (scenario_hash, seed, steady_from_us, paired, version, build) "
                 "VALUES (?, ?, ?, ?, ?, ?)",
                 error);
        key(&row, run);
        put(&row);
        rc = row_close(&row);
        number = sqlite3_last_insert_rowid(store->db);
    }
    return rc ? rc : put_figures(store, number, figures, count, error);
}

int aq_store_find_run(struct aq_store *store, const struct aq_kept_run *run,
                      void (*each)(void *arg, const char *name, double value), void *arg, uint32_t *count,
                      struct aq_error *error) {
    struct row row;
    int64_t number;
    int rc = number_of(store, run, &number, error), step = SQLITE_DONE;
    *count = 0;
    if (rc || !number) return rc;
    row_open(&row, store, "SELECT name, value FROM kept_figure WHERE kept_run_id = ? ORDER BY rowid", error);
    integer(&row, (uint64_t)number);
    while (!row.rc && (step = sqlite3_step(row.statement)) == SQLITE_ROW) {
        bool known = sqlite3_column_type(row.statement, 1) != SQLITE_NULL;
        each(arg, (const char *)sqlite3_column_text(row.statement, 0),
             known ? sqlite3_column_double(row.statement, 1) : NAN);
        ++*count;
    }
    if (!row.rc && step != SQLITE_DONE) row.rc = aq_store_fail(store, "be read", error);
    return row_close(&row);
}

/* ---- plans ---- */

static int put_plan(struct aq_store *store, const struct aq_plan *plan, struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "INSERT INTO plan (state, scenario, scenario_text, scenario_hash, objective, client_profile, "
        "server_profile, version, build, reproduce, started_unix_s, clients_from, clients_to, clients_step, "
        "servers_from, servers_to, survive, workers_per_client, jobs_per_client_s, recommended_servers, "
        "recommended_clients, advice, runs, reused_runs, wall_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        error);
    text(&row, plan->interrupted ? "interrupted" : "finished");
    text(&row, plan->scenario);
    text(&row, plan->scenario_text);
    hash(&row, plan->scenario_hash);
    text(&row, plan->objective);
    text(&row, plan->client_profile);
    text(&row, plan->server_profile);
    text(&row, plan->version);
    text(&row, plan->build);
    text(&row, plan->reproduce);
    integer(&row, (uint64_t)plan->started_unix_s);
    integer(&row, plan->clients_from);
    integer(&row, plan->clients_to);
    integer(&row, plan->clients_step);
    integer(&row, plan->servers_from);
    integer(&row, plan->servers_to);
    integer(&row, plan->survive);
    real(&row, plan->workers_per_client);
    real(&row, plan->jobs_per_client_s);
    integer(&row, plan->recommended_servers);
    integer(&row, plan->recommended_clients);
    text(&row, plan->advice);
    integer(&row, plan->runs);
    integer(&row, plan->reused_runs);
    integer(&row, plan->wall_us);
    put(&row);
    return row_close(&row);
}

static int put_points(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                      struct aq_error *error) {
    struct row row, values;
    row_open(
        &row, store,
        "INSERT INTO plan_point (plan_id, servers, lost, clients, seeds, held) VALUES (?, ?, ?, ?, ?, ?)",
        error);
    row_open(&values, store,
             "INSERT INTO plan_value (plan_id, servers, lost, clients, measure, mean, half, theory, held) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
             error);
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const struct aq_plan_row *point = &plan->rows[i];
        const uint64_t place[] = {(uint64_t)number, point->servers, point->down, point->clients};
        for (size_t k = 0; k < 4; k++)
            integer(&row, place[k]);
        integer(&row, point->seeds);
        text(&row, point->held);
        put(&row);
        for (uint32_t m = 0; m < plan->measure_count; m++) {
            for (size_t k = 0; k < 4; k++)
                integer(&values, place[k]);
            text(&values, plan->measures[m].text);
            real(&values, point->values[m].mean);
            real(&values, point->values[m].half);
            real(&values, point->values[m].theory);
            text(&values, point->values[m].held);
            put(&values);
        }
    }
    int rc = row_close(&row), other = row_close(&values);
    return rc ? rc : other;
}

static int put_knees(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                     struct aq_error *error) {
    struct row row;
    row_open(
        &row, store,
        "INSERT INTO plan_knee (plan_id, servers, lost, clients, fails_at, theory_clients, breaks_first) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < plan->knee_count; i++) {
        const struct aq_plan_knee *knee = &plan->knees[i];
        integer(&row, (uint64_t)number);
        integer(&row, knee->servers);
        integer(&row, knee->down);
        integer(&row, knee->holds);
        real(&row, knee->fails ? knee->fails : NAN);
        real(&row, plan->not_modelled[0] ? NAN : knee->theory);
        text(&row, knee->breaks);
        put(&row);
    }
    return row_close(&row);
}

int aq_store_add_plan(struct aq_store *store, const struct aq_plan *plan, int64_t *out,
                      struct aq_error *error) {
    int64_t number = 0;
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    rc = put_plan(store, plan, error);
    if (!rc) number = sqlite3_last_insert_rowid(store->db);
    if (!rc) rc = put_points(store, number, plan, error);
    if (!rc) rc = put_knees(store, number, plan, error);
    rc = aq_store_commit(store, rc, error);
    if (!rc) *out = number;
    return rc;
}
