/* Capacity plans read back from the database. */
#include "reports/plan.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "reports/store_columns.h"

#define SINCE_VERSION         4 /* of the database */
#define WITH_MEASURES_VERSION 5 /* and with what follows wall_us in the row of a plan */

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define H struct aq_plan_head
static const struct aq_column head_columns[] = {
    I64(H, number, "plan_id"),
    BOOL(H, plan.interrupted, "state = 'interrupted'"),
    TEXT(H, plan.scenario, "scenario"),
    TEXT(H, plan.scenario_text, "scenario_text"),
    HASH(H, plan.scenario_hash, "scenario_hash"),
    TEXT(H, plan.objective, "objective"),
    TEXT(H, plan.client_profile, "client_profile"),
    TEXT(H, plan.server_profile, "server_profile"),
    TEXT(H, plan.version, "version"),
    TEXT(H, plan.build, "build"),
    TEXT(H, plan.reproduce, "reproduce"),
    I64(H, plan.started_unix_s, "started_unix_s"),
    U32(H, plan.clients_from, "clients_from"),
    U32(H, plan.clients_to, "clients_to"),
    U32(H, plan.clients_step, "clients_step"),
    U32(H, plan.servers_from, "servers_from"),
    U32(H, plan.servers_to, "servers_to"),
    U32(H, plan.survive, "survive"),
    REAL(H, plan.workers_per_client, "workers_per_client"),
    REAL(H, plan.jobs_per_client_s, "jobs_per_client_s"),
    U32(H, plan.recommended_servers, "recommended_servers"),
    U32(H, plan.recommended_clients, "recommended_clients"),
    TEXT(H, plan.advice, "advice"),
    U64(H, plan.runs, "runs"),
    U64(H, plan.reused_runs, "reused_runs"),
    U64(H, plan.wall_us, "wall_us"),
    TEXT(H, plan.not_modelled, "not_modelled"), /* from here on: since WITH_MEASURES_VERSION */
    U64(H, plan.duration_us, "duration_us"),
    U64(H, plan.warm_up_us, "warm_up_us"),
    U32(H, plan.seeds_min, "seeds_min"),
    U32(H, plan.seeds_max, "seeds_max"),
    U64(H, plan.events, "events"),
};
#undef H
#define LATER_COLUMNS 6

/* What an earlier version did not store. A term has a verdict at each of its points. */
static const char old_measures[] =
    "(SELECT measure, max(held) = '' AS plain FROM plan_value WHERE plan_id = ?1 GROUP BY measure) ORDER BY plain, measure";
static const struct aq_column old_measure_columns[] = {
    TEXT(struct aq_plan_measure, text, "measure"),
    TEXT(struct aq_plan_measure, measure, "measure"),
    TEXT(struct aq_plan_measure, unit,
         "CASE WHEN measure LIKE '%(%)%' THEN 's' WHEN measure LIKE 'throughput%' THEN '/s' ELSE '' END"),
    REAL(struct aq_plan_measure, bound, "NULL"),
};

static const struct aq_column measure_columns[] = {
    TEXT(struct aq_plan_measure, text, "text"),
    TEXT(struct aq_plan_measure, measure, "measure"),
    TEXT(struct aq_plan_measure, unit, "unit"),
    REAL(struct aq_plan_measure, bound, "bound"),
};

static const struct aq_column warning_columns[] = {{"text", AQ_COLUMN_TEXT, 0}}; /* row: const char * */

static const struct aq_column point_columns[] = {
    U32(struct aq_plan_row, servers, "servers"), U32(struct aq_plan_row, clients, "clients"),
    U32(struct aq_plan_row, down, "lost"),       U32(struct aq_plan_row, seeds, "seeds"),
    TEXT(struct aq_plan_row, held, "held"),
};

static const struct aq_column knee_columns[] = {
    U32(struct aq_plan_knee, servers, "servers"),
    U32(struct aq_plan_knee, down, "lost"),
    U32(struct aq_plan_knee, holds, "clients"),
    U32(struct aq_plan_knee, fails, "CAST(ifnull(fails_at, 0) AS INTEGER)"),
    U32(struct aq_plan_knee, theory, "CAST(ifnull(theory_clients, 0) AS INTEGER)"),
    TEXT(struct aq_plan_knee, breaks, "breaks_first"),
};

/* A row of plan_value. */
struct value_row {
    uint32_t servers, down, clients;
    const char *measure;
    struct aq_plan_value value;
};
static const struct aq_column value_columns[] = {
    U32(struct value_row, servers, "servers"),      U32(struct value_row, down, "lost"),
    U32(struct value_row, clients, "clients"),      TEXT(struct value_row, measure, "measure"),
    REAL(struct value_row, value.mean, "mean"),     REAL(struct value_row, value.half, "half"),
    REAL(struct value_row, value.theory, "theory"), TEXT(struct value_row, value.held, "held"),
};

/* The reading of one plan. */
struct reader {
    struct aq_store *store;
    struct aq_stored_plan *out;
    bool old; /* an earlier version stored it */
    struct aq_error *error;
};

static bool has_measures(const struct aq_store *store) {
    return store->version >= WITH_MEASURES_VERSION;
}

static int read_rows(struct reader *reader, const char *from, const struct aq_column *columns, uint32_t count,
                     size_t row_bytes, void *out, uint32_t *out_count) {
    const struct aq_rows_query query = {from, reader->out->number, columns, count, (uint32_t)row_bytes};
    return aq_rows_read(reader->store, &query, &reader->out->memory, out, out_count, reader->error);
}

static int read_heads(struct aq_store *store, const char *from, int64_t number, struct aq_arena *memory,
                      struct aq_plan_head **heads, uint32_t *count, struct aq_error *error) {
    const struct aq_rows_query query = {from, number, head_columns,
                                        COUNT_OF(head_columns) - (has_measures(store) ? 0 : LATER_COLUMNS),
                                        sizeof **heads};
    int rc = aq_rows_read(store, &query, memory, heads, count, error);
    for (uint32_t i = 0; i < *count && !rc && !has_measures(store); i++)
        (*heads)[i].plan.not_modelled = "";
    return rc;
}

static int no_such(const struct reader *reader) {
    return aq_error_set(reader->error, AQ_ENOENT,
                        "%s: holds no plan %" PRId64
                        ": allqsim report sql FILE newest_plan lists those it has",
                        reader->store->path, reader->out->number);
}

static int read_head(struct reader *reader) {
    struct aq_plan_head *heads;
    uint32_t count = 0;
    if (reader->store->version < SINCE_VERSION) return no_such(reader);
    int rc = read_heads(reader->store, "plan WHERE plan_id = ?1", reader->out->number, &reader->out->memory,
                        &heads, &count, reader->error);
    if (rc) return rc;
    if (!count) return no_such(reader);
    reader->out->plan = heads->plan;
    return 0;
}

static int read_measures(struct reader *reader) {
    struct aq_plan *plan = &reader->out->plan;
    int rc = 0;
    if (has_measures(reader->store))
        rc = read_rows(reader, "plan_measure WHERE plan_id = ?1 ORDER BY position", measure_columns,
                       COUNT_OF(measure_columns), sizeof *plan->measures, &plan->measures,
                       &plan->measure_count);
    reader->old = !plan->measure_count;
    if (!rc && reader->old)
        rc = read_rows(reader, old_measures, old_measure_columns, COUNT_OF(old_measure_columns),
                       sizeof *plan->measures, &plan->measures, &plan->measure_count);
    if (!rc && has_measures(reader->store))
        rc = read_rows(reader, "plan_warning WHERE plan_id = ?1 ORDER BY position", warning_columns, 1,
                       sizeof *plan->warnings, &plan->warnings, &plan->warning_count);
    return rc;
}

static int damaged(const struct reader *reader) {
    return aq_error_set(reader->error, AQ_EDATABASE,
                        "%s: the table plan_value holds what this program never writes: restore a copy",
                        reader->store->path);
}

/* The index of a measure; measure_count: it is none of the plan's. */
static uint32_t place_of(const struct aq_plan *plan, const char *text) {
    uint32_t place = 0;
    while (place < plan->measure_count && strcmp(plan->measures[place].text, text) != 0)
        place++;
    return place;
}

static bool is_at(const struct aq_plan_row *row, const struct value_row *value) {
    return row->servers == value->servers && row->down == value->down && row->clients == value->clients;
}

/* Values and points are in the same order. */
static int deal_out(struct reader *reader, struct aq_plan_row *rows, struct aq_plan_value *values,
                    const struct value_row *found, uint32_t count) {
    struct aq_plan *plan = &reader->out->plan;
    size_t all = (size_t)plan->row_count * plan->measure_count;
    for (size_t i = 0; i < all; i++)
        values[i] = (struct aq_plan_value){NAN, NAN, NAN, ""};
    for (uint32_t i = 0; i < plan->row_count; i++)
        rows[i].values = values + (size_t)i * plan->measure_count;
    for (uint32_t i = 0, row = 0; i < count; i++) {
        uint32_t place = place_of(plan, found[i].measure);
        while (row < plan->row_count && !is_at(&rows[row], &found[i]))
            row++;
        if (row == plan->row_count || place == plan->measure_count) return damaged(reader);
        values[(size_t)row * plan->measure_count + place] = found[i].value;
    }
    return 0;
}

static int read_points(struct reader *reader) {
    struct aq_plan *plan = &reader->out->plan;
    struct aq_plan_row *rows;
    const struct value_row *found;
    uint32_t count = 0;
    int rc = read_rows(reader, "plan_point WHERE plan_id = ?1 ORDER BY servers, lost, clients", point_columns,
                       COUNT_OF(point_columns), sizeof *rows, &rows, &plan->row_count);
    if (!rc)
        rc = read_rows(reader, "plan_value WHERE plan_id = ?1 ORDER BY servers, lost, clients", value_columns,
                       COUNT_OF(value_columns), sizeof *found, &found, &count);
    if (rc) return rc;
    size_t bytes = (size_t)plan->row_count * plan->measure_count * sizeof(struct aq_plan_value);
    struct aq_plan_value *values = aq_arena_alloc(&reader->out->memory, bytes + 1);
    if (!values)
        return aq_error_set(reader->error, AQ_ENOMEM, "%s: cannot be read: out of memory",
                            reader->store->path);
    plan->rows = rows;
    return deal_out(reader, rows, values, found, count);
}

/* Of an old plan it can be seen from its knees whether theory had something to say. */
static int read_knees(struct reader *reader) {
    struct aq_plan *plan = &reader->out->plan;
    bool any_theory = false;
    int rc = read_rows(reader, "plan_knee WHERE plan_id = ?1 ORDER BY servers, lost", knee_columns,
                       COUNT_OF(knee_columns), sizeof *plan->knees, &plan->knees, &plan->knee_count);
    if (rc) return rc;
    for (uint32_t i = 0; i < plan->knee_count; i++)
        any_theory |= plan->knees[i].theory > 0;
    if (reader->old && plan->knee_count && !any_theory)
        plan->not_modelled = "something in it (a database of an earlier version does not say what)";
    return 0;
}

static void count_terms(struct aq_plan *plan) {
    while (plan->term_count < plan->measure_count &&
           (!isnan(plan->measures[plan->term_count].bound) ||
            (plan->row_count && plan->rows[0].values[plan->term_count].held[0])))
        plan->term_count++;
}

int aq_store_load_plan(struct aq_store *store, int64_t number, struct aq_stored_plan *out,
                       struct aq_error *error) {
    struct reader reader = {.store = store, .out = out, .error = error};
    int rc = aq_store_execute(store, "BEGIN", error); /* one state of the file for all tables */
    if (rc) return rc;
    out->number = number;
    rc = read_head(&reader);
    if (!rc) rc = read_measures(&reader);
    if (!rc) rc = read_points(&reader);
    if (!rc) rc = read_knees(&reader);
    if (!rc) count_terms(&out->plan);
    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

void aq_stored_plan_close(struct aq_stored_plan *stored) {
    aq_arena_close(&stored->memory);
    *stored = (struct aq_stored_plan){0};
}

int aq_store_list_plans(struct aq_store *store, struct aq_plan_list *list, struct aq_error *error) {
    struct aq_plan_head *heads = NULL;
    if (store->version < SINCE_VERSION) return 0;
    int rc = read_heads(store, "plan ORDER BY plan_id", 0, &list->memory, &heads, &list->count, error);
    list->heads = heads;
    return rc;
}

void aq_plan_list_close(struct aq_plan_list *list) {
    aq_arena_close(&list->memory);
    *list = (struct aq_plan_list){0};
}
