#include "scratch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int scratch_make(void **state) {
    struct scratch *scratch = calloc(1, sizeof *scratch);
    const char *base = getenv("TMPDIR");
    if (!scratch) return -1;
    snprintf(scratch->folder, sizeof scratch->folder, "%s/allqsim-XXXXXX",
             base && strlen(base) < 40 ? base : "/tmp");
    if (!mkdtemp(scratch->folder)) {
        free(scratch);
        return -1;
    }
    snprintf(scratch->path, sizeof scratch->path, "%s/runs.db", scratch->folder);
    *state = scratch;
    return 0;
}

int scratch_remove(void **state) {
    struct scratch *scratch = *state;
    chmod(scratch->folder, 0700);
    DIR *folder = opendir(scratch->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", scratch->folder, entry->d_name);
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlink(path)) rmdir(path);
    }
    if (folder) closedir(folder);
    int rc = rmdir(scratch->folder);
    free(scratch);
    return rc;
}

static sqlite3 *opened(const char *path) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

void scratch_execute(const char *path, const char *sql) {
    sqlite3 *db = opened(path);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message)) fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static sqlite3_stmt *asked(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(statement) != SQLITE_ROW) fail_msg("%s: no row: %s", sql, sqlite3_errmsg(db));
    return statement;
}

int64_t scratch_integer(const char *path, const char *sql) {
    sqlite3 *db = opened(path);
    sqlite3_stmt *statement = asked(db, sql);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

char *scratch_text(const char *path, const char *sql) {
    sqlite3 *db = opened(path);
    sqlite3_stmt *statement = asked(db, sql);
    char *text = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
}
