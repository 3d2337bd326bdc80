/* Files of older versions. A step of SQL for each version that changed or removed something that was there;
   tables and views that are new since are taken from the schema itself. */
#include "reports/schema_sql.h"
#include "reports/store_internal.h"

#include "base/assert.h"

/* What leads from version i to i + 1, apart from new tables and views. */
static const struct step {
    const char *sql; /* "": nothing; NULL: there is no such version */
    int since;       /* version that brought what it changes: files from before get that as it is now */
} steps[AQ_STORE_VERSION] = {
    [1] = {"", 0}, /* explorations: new tables only */
    [2] = {"", 0}, /* checkpoints: likewise */
    [3] = {"", 0}, /* plans: likewise */
    [4] = {"ALTER TABLE plan ADD COLUMN duration_us INTEGER NOT NULL DEFAULT 0;"
           "ALTER TABLE plan ADD COLUMN warm_up_us INTEGER NOT NULL DEFAULT 0;"
           "ALTER TABLE plan ADD COLUMN seeds_min INTEGER NOT NULL DEFAULT 0;"
           "ALTER TABLE plan ADD COLUMN seeds_max INTEGER NOT NULL DEFAULT 0;"
           "ALTER TABLE plan ADD COLUMN events INTEGER NOT NULL DEFAULT 0;"
           "ALTER TABLE plan ADD COLUMN not_modelled TEXT NOT NULL DEFAULT '';",
           4},
};

static int run_steps(const struct aq_store *store, struct aq_error *error) {
    for (int version = store->version; version < AQ_STORE_VERSION; version++) {
        AQ_ASSERT(version >= AQ_STORE_VERSION_OLDEST && steps[version].sql);
        if (store->version < steps[version].since) continue;
        int rc = aq_store_execute(store, steps[version].sql, error);
        if (rc) return rc;
    }
    return 0;
}

static bool has(const struct aq_store *store, const char *name, int *rc, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    *rc = aq_store_prepare(store, "SELECT 1 FROM sqlite_master WHERE name = ?", &statement, error);
    if (*rc) return false;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step != SQLITE_ROW && step != SQLITE_DONE) *rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return step == SQLITE_ROW;
}

/* Makes what the model, an empty database of the present version, has and the file has not. */
static int add_missing(const struct aq_store *store, sqlite3 *model, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(model, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid",
                           -1, &statement, NULL))
        return aq_error_set(error, AQ_ENOMEM, "%s: cannot be brought up to date: out of memory", store->path);
    while (!rc && sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        bool there = has(store, name, &rc, error);
        if (!rc && !there)
            rc = aq_store_execute(store, (const char *)sqlite3_column_text(statement, 1), error);
    }
    sqlite3_finalize(statement);
    return rc;
}

int aq_store_migrate(const struct aq_store *store, struct aq_error *error) {
    sqlite3 *model = NULL;
    char version[64];
    int rc = run_steps(store, error);
    if (!rc && (sqlite3_open(":memory:", &model) || sqlite3_exec(model, schema_sql, NULL, NULL, NULL)))
        rc = aq_error_set(error, AQ_ENOMEM, "%s: cannot be brought up to date: out of memory", store->path);
    if (!rc) rc = add_missing(store, model, error);
    sqlite3_snprintf(sizeof version, version, "PRAGMA user_version = %d", AQ_STORE_VERSION);
    if (!rc) rc = aq_store_execute(store, version, error);
    sqlite3_close(model);
    return rc;
}
