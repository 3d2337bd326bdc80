/* Capacity plans in the database, and the figures of runs that are kept to be used again. */
#include "reports/plan.h"

#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "reports/store_internal.h"
#include "reports/store_row.h"

/* ---- runs ---- */

static void key(struct aq_store_row *row, const struct aq_kept_run *run) {
    aq_row_hash(row, run->scenario_hash);
    aq_row_integer(row, run->seed);
    aq_row_integer(row, run->steady_from_us);
    aq_row_integer(row, run->paired);
    aq_row_text(row, run->version);
    aq_row_text(row, run->build);
}

/* The number of the run, 0 where it is not there. */
static int number_of(struct aq_store *store, const struct aq_kept_run *run, int64_t *out,
                     struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
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
    return aq_row_close(&row);
}

static int put_figures(struct aq_store *store, int64_t number, const struct aq_kept_figure *figures,
                       uint32_t count, struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(&row, store, "INSERT OR IGNORE INTO kept_figure (kept_run_id, name, value) VALUES (?, ?, ?)",
                error);
    for (uint32_t i = 0; i < count; i++) {
        aq_row_integer(&row, (uint64_t)number);
        aq_row_text(&row, figures[i].name);
        aq_row_real(&row, figures[i].value);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
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
    struct aq_store_row row;
    int64_t number;
    int rc = number_of(store, run, &number, error);
    if (rc) return rc;
    if (!number) {
        aq_row_open(&row, store,
                    "INSERT INTO kept_run (scenario_hash, seed, steady_from_us, paired, version, build) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    error);
        key(&row, run);
        aq_row_put(&row);
        rc = aq_row_close(&row);
        number = sqlite3_last_insert_rowid(store->db);
    }
    return rc ? rc : put_figures(store, number, figures, count, error);
}

int aq_store_find_run(struct aq_store *store, const struct aq_kept_run *run,
                      void (*each)(void *arg, const char *name, double value), void *arg, uint32_t *count,
                      struct aq_error *error) {
    struct aq_store_row row;
    int64_t number;
    int rc = number_of(store, run, &number, error), step = SQLITE_DONE;
    *count = 0;
    if (rc || !number) return rc;
    aq_row_open(&row, store, "SELECT name, value FROM kept_figure WHERE kept_run_id = ? ORDER BY rowid",
                error);
    aq_row_integer(&row, (uint64_t)number);
    while (!row.rc && (step = sqlite3_step(row.statement)) == SQLITE_ROW) {
        bool known = sqlite3_column_type(row.statement, 1) != SQLITE_NULL;
        each(arg, (const char *)sqlite3_column_text(row.statement, 0),
             known ? sqlite3_column_double(row.statement, 1) : NAN);
        ++*count;
    }
    if (!row.rc && step != SQLITE_DONE) row.rc = aq_store_fail(store, "be read", error);
    return aq_row_close(&row);
}

/* ---- plans ---- */

static int put_plan(struct aq_store *store, const struct aq_plan *plan, struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO plan (state, scenario, scenario_text, scenario_hash, objective, client_profile, "
        "server_profile, version, build, reproduce, started_unix_s, clients_from, clients_to, clients_step, "
        "servers_from, servers_to, survive, workers_per_client, jobs_per_client_s, recommended_servers, "
        "recommended_clients, advice, runs, reused_runs, wall_us, duration_us, warm_up_us, seeds_min, seeds_max, "
        "events, not_modelled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?, ?)",
        error);
    aq_row_text(&row, plan->interrupted ? "interrupted" : "finished");
    aq_row_text(&row, plan->scenario);
    aq_row_text(&row, plan->scenario_text);
    aq_row_hash(&row, plan->scenario_hash);
    aq_row_text(&row, plan->objective);
    aq_row_text(&row, plan->client_profile);
    aq_row_text(&row, plan->server_profile);
    aq_row_text(&row, plan->version);
    aq_row_text(&row, plan->build);
    aq_row_text(&row, plan->reproduce);
    aq_row_integer(&row, (uint64_t)plan->started_unix_s);
    aq_row_integer(&row, plan->clients_from);
    aq_row_integer(&row, plan->clients_to);
    aq_row_integer(&row, plan->clients_step);
    aq_row_integer(&row, plan->servers_from);
    aq_row_integer(&row, plan->servers_to);
    aq_row_integer(&row, plan->survive);
    aq_row_real(&row, plan->workers_per_client);
    aq_row_real(&row, plan->jobs_per_client_s);
    aq_row_integer(&row, plan->recommended_servers);
    aq_row_integer(&row, plan->recommended_clients);
    aq_row_text(&row, plan->advice);
    aq_row_integer(&row, plan->runs);
    aq_row_integer(&row, plan->reused_runs);
    aq_row_integer(&row, plan->wall_us);
    aq_row_integer(&row, plan->duration_us);
    aq_row_integer(&row, plan->warm_up_us);
    aq_row_integer(&row, plan->seeds_min);
    aq_row_integer(&row, plan->seeds_max);
    aq_row_integer(&row, plan->events);
    aq_row_text(&row, plan->not_modelled);
    aq_row_put(&row);
    return aq_row_close(&row);
}

static int put_measures(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                        struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO plan_measure (plan_id, position, text, measure, unit, bound) VALUES (?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        const struct aq_plan_measure *measure = &plan->measures[i];
        aq_row_integer(&row, (uint64_t)number);
        aq_row_integer(&row, i);
        aq_row_text(&row, measure->text);
        aq_row_text(&row, measure->measure);
        aq_row_text(&row, measure->unit);
        aq_row_real(&row, i < plan->term_count ? measure->bound : NAN);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

static int put_warnings(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                        struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(&row, store, "INSERT INTO plan_warning (plan_id, position, text) VALUES (?, ?, ?)", error);
    for (uint32_t i = 0; i < plan->warning_count; i++) {
        aq_row_integer(&row, (uint64_t)number);
        aq_row_integer(&row, i);
        aq_row_text(&row, plan->warnings[i]);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

static int put_points(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                      struct aq_error *error) {
    struct aq_store_row row, values;
    aq_row_open(
        &row, store,
        "INSERT INTO plan_point (plan_id, servers, lost, clients, seeds, held) VALUES (?, ?, ?, ?, ?, ?)",
        error);
    aq_row_open(&values, store,
                "INSERT INTO plan_value (plan_id, servers, lost, clients, measure, mean, half, theory, held) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                error);
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const struct aq_plan_row *point = &plan->rows[i];
        const uint64_t place[] = {(uint64_t)number, point->servers, point->down, point->clients};
        for (size_t k = 0; k < 4; k++)
            aq_row_integer(&row, place[k]);
        aq_row_integer(&row, point->seeds);
        aq_row_text(&row, point->held);
        aq_row_put(&row);
        for (uint32_t m = 0; m < plan->measure_count; m++) {
            for (size_t k = 0; k < 4; k++)
                aq_row_integer(&values, place[k]);
            aq_row_text(&values, plan->measures[m].text);
            aq_row_real(&values, point->values[m].mean);
            aq_row_real(&values, point->values[m].half);
            aq_row_real(&values, point->values[m].theory);
            aq_row_text(&values, point->values[m].held);
            aq_row_put(&values);
        }
    }
    int rc = aq_row_close(&row), other = aq_row_close(&values);
    return rc ? rc : other;
}

static int put_knees(struct aq_store *store, int64_t number, const struct aq_plan *plan,
                     struct aq_error *error) {
    struct aq_store_row row;
    aq_row_open(
        &row, store,
        "INSERT INTO plan_knee (plan_id, servers, lost, clients, fails_at, theory_clients, breaks_first) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        error);
    for (uint32_t i = 0; i < plan->knee_count; i++) {
        const struct aq_plan_knee *knee = &plan->knees[i];
        aq_row_integer(&row, (uint64_t)number);
        aq_row_integer(&row, knee->servers);
        aq_row_integer(&row, knee->down);
        aq_row_integer(&row, knee->holds);
        aq_row_real(&row, knee->fails ? knee->fails : NAN);
        aq_row_real(&row, plan->not_modelled[0] ? NAN : knee->theory);
        aq_row_text(&row, knee->breaks);
        aq_row_put(&row);
    }
    return aq_row_close(&row);
}

int aq_store_add_plan(struct aq_store *store, const struct aq_plan *plan, int64_t *out,
                      struct aq_error *error) {
    int64_t number = 0;
    int rc = aq_store_begin(store, error);
    if (rc) return rc;
    rc = put_plan(store, plan, error);
    if (!rc) number = sqlite3_last_insert_rowid(store->db);
    if (!rc) rc = put_measures(store, number, plan, error);
    if (!rc) rc = put_warnings(store, number, plan, error);
    if (!rc) rc = put_points(store, number, plan, error);
    if (!rc) rc = put_knees(store, number, plan, error);
    rc = aq_store_commit(store, rc, error);
    if (!rc) *out = number;
    return rc;
}
