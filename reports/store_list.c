/* What a database holds: its runs, its tables and views. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "reports/store_internal.h"

static int no_memory(const struct aq_store *store, struct aq_error *error) {
    return aq_error_set(error, AQ_ENOMEM, "%s: cannot be read: out of memory", store->path);
}

static int add_head(const struct aq_store *store, sqlite3_stmt *statement, struct aq_run_list *list,
                    struct aq_error *error) {
    if (aq_array_reserve(&list->heads, &list->capacity, (size_t)list->count + 1, sizeof *list->heads))
        return no_memory(store, error);
    struct aq_run_head *head = &list->heads[list->count];
    struct aq_text state;
    const char *text = (const char *)sqlite3_column_text(statement, 1);
    aq_record_init(&head->record);
    int rc = text ? aq_arena_text(&list->memory, (struct aq_text){text, (uint32_t)strlen(text) + 1}, &state)
                  : AQ_ENOMEM;
    if (!rc)
        rc = aq_columns_read(statement, 2, aq_run_identity, aq_run_identity_count, &head->record,
                             &list->memory);
    if (!rc)
        rc = aq_columns_read(statement, 2 + (int)aq_run_identity_count, aq_run_outcome, aq_run_outcome_count,
                             &head->record, &list->memory);
    if (rc == AQ_ENOMEM) return no_memory(store, error);
    head->run = sqlite3_column_int64(statement, 0);
    if (rc)
        return aq_error_set(error, AQ_EDATABASE,
                            "%s: the row of run %" PRId64
                            " holds what this program never writes: restore a copy",
                            store->path, head->run);
    head->state = state.at;
    head->record.interrupted = strcmp(head->state, "interrupted") == 0;
    list->count++;
    return 0;
}

int aq_store_list_runs(struct aq_store *store, int64_t which, struct aq_run_list *list,
                       struct aq_error *error) {
    char sql[AQ_SQL_MAX] = "SELECT run_id, state, ";
    sqlite3_stmt *statement = NULL;
    aq_sql_columns(sql, aq_run_identity, aq_run_identity_count, "", "");
    aq_sql_append(sql, ", ");
    aq_sql_columns(sql, aq_run_outcome, aq_run_outcome_count, "", "");
    aq_sql_append(sql, " FROM run WHERE ?1 IN (0, run_id) OR (?1 = -1 AND run_id ="
                       " (SELECT max(run_id) FROM run WHERE state <> 'unfinished')) ORDER BY run_id");
    int rc = aq_store_prepare(store, sql, &statement, error), step = SQLITE_ROW;
    if (!rc) sqlite3_bind_int64(statement, 1, which);
    while (!rc && (step = sqlite3_step(statement)) == SQLITE_ROW)
        rc = add_head(store, statement, list, error);
    if (!rc && step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

void aq_run_list_close(struct aq_run_list *list) {
    aq_free(list->heads);
    aq_arena_close(&list->memory);
    *list = (struct aq_run_list){0};
}

/* Runs that an exploration has kept are known by how they are run again; after a merge not all of them are in
   exploration_failure. */
static const char runs_sql[] =
    "SELECT kind, number FROM (SELECT 0 AS kind, run_id AS number, 0 AS started FROM run"
    " WHERE state <> 'unfinished' AND reproduce NOT LIKE 'allqsim explore % --print-seed %'";
static const char explorations_sql[] =
    " UNION ALL SELECT 1, exploration_id, started_unix_s FROM exploration WHERE state <> 'unfinished'";
static const char plans_sql[] = " UNION ALL SELECT 2, plan_id, started_unix_s FROM plan";

int aq_store_choose(struct aq_store *store, enum aq_stored_kind *kind, int64_t *number,
                    struct aq_error *error) {
    char sql[AQ_SQL_MAX] = "";
    sqlite3_stmt *statement = NULL;
    aq_sql_append(sql, runs_sql);
    if (store->version >= 2) aq_sql_append(sql, explorations_sql);
    if (store->version >= 4) aq_sql_append(sql, plans_sql);
    aq_sql_append(sql, ") ORDER BY kind > 0, started DESC, kind DESC, number DESC LIMIT 1");
    int rc = aq_store_prepare(store, sql, &statement, error);
    if (rc) return rc;
    int step = sqlite3_step(statement);
    *kind = step == SQLITE_ROW ? (enum aq_stored_kind)sqlite3_column_int(statement, 0) : AQ_STORED_RUN;
    *number = step == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : 0;
    if (step != SQLITE_ROW && step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

/* The names of all tables and views, or of views alone, in one text. Errors: as aq_store_fail. */
static int unknown_name(const struct aq_store *store, const char *name, bool views_only,
                        struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(
        store,
        "SELECT group_concat(name, ', ') FROM (SELECT name FROM sqlite_master WHERE type = 'view' OR"
        " (type = 'table' AND NOT ?1 AND name NOT LIKE 'sqlite%') ORDER BY rowid)",
        &statement, error);
    if (rc) return rc;
    sqlite3_bind_int(statement, 1, views_only);
    if (sqlite3_step(statement) == SQLITE_ROW)
        rc = aq_error_set(error, AQ_ENOENT, "%s: \"%.60s\" is none of its %s: allowed are %s", store->path,
                          name, views_only ? "queries" : "tables and views",
                          (const char *)sqlite3_column_text(statement, 0));
    else
        rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

static int is_known(const struct aq_store *store, const char *name, bool views_only, bool *known,
                    struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(
        store,
        "SELECT 1 FROM sqlite_master WHERE name = ?1 AND (type = 'view' OR (type = 'table' AND NOT ?2))",
        &statement, error);
    if (rc) return rc;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, views_only);
    int step = sqlite3_step(statement);
    *known = step == SQLITE_ROW;
    if (step != SQLITE_ROW && step != SQLITE_DONE) rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_prepare_all(const struct aq_store *store, const char *name, bool views_only, int64_t run,
                         sqlite3_stmt **out, struct aq_error *error) {
    bool known = false;
    int rc = is_known(store, name, views_only, &known, error);
    if (rc) return rc;
    if (!known) return unknown_name(store, name, views_only, error);
    char *sql =
        sqlite3_mprintf(run ? "SELECT * FROM \"%w\" WHERE run_id = ?1" : "SELECT * FROM \"%w\"", name);
    if (!sql) return no_memory(store, error);
    rc = aq_store_prepare(store, sql, out, error);
    sqlite3_free(sql);
    if (!rc && run) sqlite3_bind_int64(*out, 1, run);
    return rc;
}
