#include "reports/store_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/memory.h"
#include "reports/schema_sql.h"

static int say_read_only(const char *path, struct aq_error *error) {
    return aq_error_set(error, AQ_EDATABASE,
                        "%s: is read-only: make it and its directory writable, or choose another file", path);
}

/* Whether the directory of the file is there; without a slash it is the current one. */
static bool has_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = slash && slash != path ? strndup(path, (size_t)(slash - path)) : NULL;
    struct stat status;
    bool there = !directory || (stat(directory, &status) == 0 && S_ISDIR(status.st_mode));
    free(directory);
    return there;
}

/* Why a file could not be opened or made: SQLite says no more than that it could not, since after a refusal
 * it tries to read. */
static int fail_to_open(const struct aq_store *store, struct aq_error *error) {
    const char *path = store->path;
    struct stat status;
    bool directory = has_directory(path), there = stat(path, &status) == 0;
    int code = store->for_writing && !(there && S_ISREG(status.st_mode)) ? AQ_EIO : AQ_EDATABASE;
    if (!directory)
        return aq_error_set(error, code, "%s: its directory does not exist: make it, or choose another file",
                            path);
    if (there && S_ISDIR(status.st_mode))
        return aq_error_set(error, code, "%s: is a directory: name a file in it", path);
    if (!there && errno == ENOENT && !store->for_writing)
        return aq_error_set(error, code, "%s: no such file: check the name, or make it by a run", path);
    return aq_error_set(
        error, code,
        "%s: may not be opened: change the rights of it and of its directory, or choose another file", path);
}

int aq_store_fail(const struct aq_store *store, const char *doing, struct aq_error *error) {
    const char *path = store->path, *message = sqlite3_errmsg(store->db);
    switch (sqlite3_errcode(store->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return aq_error_set(
            error, AQ_EDATABASE,
            "%s: locked by another process (waited %g s): try again when that has ended, or choose another file",
            path, store->patience_ms / 1000.0);
    case SQLITE_READONLY:
        if (sqlite3_extended_errcode(store->db) == SQLITE_READONLY_ROLLBACK)
            return aq_error_set(
                error, AQ_EDATABASE,
                "%s: a program was killed while it wrote to it: open it once with allqsim report sql %s, which mends it",
                path, path);
        return say_read_only(path, error);
    case SQLITE_CANTOPEN: return fail_to_open(store, error);
    case SQLITE_NOTADB:
        return aq_error_set(error, AQ_EDATABASE, "%s: is not an SQLite database: choose another file", path);
    case SQLITE_CORRUPT:
        return aq_error_set(error, AQ_EDATABASE,
                            "%s: is damaged or cut short (%s): restore a copy, or choose another file", path,
                            message);
    case SQLITE_FULL:
        return aq_error_set(error, AQ_EIO,
                            "%s: the file system is full: make room, or choose a file on another", path);
    case SQLITE_NOMEM: return aq_error_set(error, AQ_ENOMEM, "%s: cannot %s: out of memory", path, doing);
    default: return aq_error_set(error, AQ_EIO, "%s: cannot %s: %s", path, doing, message);
    }
}

int aq_store_prepare(const struct aq_store *store, const char *sql, sqlite3_stmt **out,
                     struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
        return aq_store_fail(store, "use its tables", error);
    *out = statement;
    return 0;
}

int aq_store_execute(const struct aq_store *store, const char *sql, struct aq_error *error) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) ? aq_store_fail(store, "be used", error) : 0;
}

static int ask_integer(const struct aq_store *store, const char *sql, int64_t *out, struct aq_error *error) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_prepare(store, sql, &statement, error);
    if (rc) return rc;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        rc = aq_store_fail(store, "be read", error);
    sqlite3_finalize(statement);
    return rc;
}

enum content { CONTENT_EMPTY, CONTENT_OLDER, CONTENT_OURS };

/* Errors: AQ_EIO, AQ_EDATABASE (of another program or version). */
static int recognise(struct aq_store *store, enum content *content, struct aq_error *error) {
    int64_t application = 0, version = 0, tables = 0;
    int rc = ask_integer(store, "PRAGMA application_id", &application, error);
    if (!rc) rc = ask_integer(store, "PRAGMA user_version", &version, error);
    if (!rc) rc = ask_integer(store, "SELECT count(*) FROM sqlite_master", &tables, error);
    if (rc) return rc;
    if (application == 0 && version == 0 && tables == 0) {
        *content = CONTENT_EMPTY;
        return 0;
    }
    if (application != AQ_STORE_APPLICATION_ID)
        return aq_error_set(error, AQ_EDATABASE,
                            "%s: is a database of another program (application id %lld): choose another file",
                            store->path, (long long)application);
    if (version > AQ_STORE_VERSION)
        return aq_error_set(
            error, AQ_EDATABASE,
            "%s: was made by a newer version of this program (schema %lld, known is %d): update the program, or choose another file",
            store->path, (long long)version, AQ_STORE_VERSION);
    if (version < AQ_STORE_VERSION_OLDEST)
        return aq_error_set(error, AQ_EDATABASE, "%s: has schema %lld, needed is %d: choose another file",
                            store->path, (long long)version, AQ_STORE_VERSION);
    store->version = (int)version;
    *content = version < AQ_STORE_VERSION ? CONTENT_OLDER : CONTENT_OURS;
    return 0;
}

/* Makes the tables, or what an older version lacks, unless another process has just done so. */
static int create(struct aq_store *store, struct aq_error *error) {
    enum content content;
    int rc = aq_store_execute(store, "BEGIN IMMEDIATE", error);
    if (rc) return rc;
    rc = recognise(store, &content, error);
    if (!rc && content == CONTENT_EMPTY) rc = aq_store_execute(store, schema_sql, error);
    if (!rc && content == CONTENT_OLDER) rc = aq_store_migrate(store, error);
    if (!rc) store->version = AQ_STORE_VERSION;
    if (!rc) rc = aq_store_execute(store, "COMMIT", error);
    if (rc) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* A journal beside the file (not WAL): between transactions the one file is everything there is, and bulk
   rows are written once. Each batch checks once that its run exists; checking foreign keys would do so again
   for each row. */
static int set_up(const struct aq_store *store, struct aq_error *error) {
    if (!store->for_writing) return aq_store_execute(store, "PRAGMA query_only = ON", error);
    return aq_store_execute(
        store,
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -65536",
        error);
}

/* A reader too opens for reading and writing where it may: it has to roll back what a killed program left
 * half done. */
static int open_file(struct aq_store *store, bool untouched, struct aq_error *error) {
    int flags = SQLITE_OPEN_NOMUTEX | (store->for_writing ? SQLITE_OPEN_CREATE : 0) |
                (untouched ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    if (sqlite3_open_v2(store->path, &store->db, flags, NULL))
        return store->db ? aq_store_fail(store, "be opened", error)
                         : aq_error_set(error, AQ_ENOMEM, "%s: cannot be opened: out of memory", store->path);
    sqlite3_busy_timeout(store->db, store->patience_ms);
    int rc = set_up(store, error);
    enum content content = CONTENT_EMPTY;
    if (!rc) rc = recognise(store, &content, error);
    if (rc) return rc;
    if (store->for_writing && sqlite3_db_readonly(store->db, "main") == 1)
        return say_read_only(store->path, error);
    if (content == CONTENT_OURS || (content == CONTENT_OLDER && !store->for_writing)) return 0;
    if (store->for_writing) return create(store, error);
    return aq_error_set(error, AQ_EDATABASE,
                        "%s: is empty: no run was ever written to it; choose another file", store->path);
}

static int open_store(const char *path, bool for_writing, bool untouched, struct aq_store **out,
                      struct aq_error *error) {
    if (!path[0])
        return aq_error_set(error, AQ_EIO, "the name of the database is empty: give the name of a file");
    struct aq_store *store = aq_alloc_zeroed(1, sizeof *store);
    char *copy = aq_alloc(strlen(path) + 1);
    if (!store || !copy) {
        aq_free(store);
        aq_free(copy);
        return aq_error_set(error, AQ_ENOMEM, "%s: cannot be opened: out of memory", path);
    }
    strcpy(copy, path);
    *store = (struct aq_store){.path = copy, .patience_ms = AQ_STORE_PATIENCE_MS, .for_writing = for_writing};
    int rc = open_file(store, untouched, error);
    if (rc)
        aq_store_close(store);
    else
        *out = store;
    return rc;
}

int aq_store_open(const char *path, bool for_writing, struct aq_store **out, struct aq_error *error) {
    return open_store(path, for_writing, false, out, error);
}

int aq_store_open_untouched(const char *path, struct aq_store **out, struct aq_error *error) {
    return open_store(path, false, true, out, error);
}

void aq_store_close(struct aq_store *store) {
    if (!store) return;
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->is_unfinished);
    sqlite3_finalize(store->add_event);
    sqlite3_finalize(store->add_events);
    int rc = sqlite3_close(store->db);
    AQ_ASSERT(rc == SQLITE_OK); /* every statement is finalised */
    aq_free(store->path);
    aq_free(store);
}

void aq_store_set_patience_ms(struct aq_store *store, int patience_ms) {
    store->patience_ms = patience_ms;
    sqlite3_busy_timeout(store->db, patience_ms);
}
