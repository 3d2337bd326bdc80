/* The course of a merge. */
#include "reports/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/merge_internal.h"

#define AT_ONCE    32 /* runs that are copied in one transaction */
#define PATH_BYTES 4096

struct paths {
    char part[PATH_BYTES]; /* what is written, until it is complete */
    char old[PATH_BYTES];  /* a copy of an input of an older version, brought up to date */
};

/* What the merge was called with, to know again one that left off: in the database under way. */
static const char own_tables[] =
    "CREATE TABLE merge_job (description TEXT NOT NULL) STRICT;"
    "CREATE TABLE merge_number (input INTEGER NOT NULL, root TEXT NOT NULL, old INTEGER NOT NULL, new INTEGER NOT NULL,"
    " skipped INTEGER NOT NULL, PRIMARY KEY (input, root, old)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX merge_run ON run (scenario_hash, seed, trace_hash);";
static const char own_tables_end[] = "DROP INDEX merge_run; DROP TABLE merge_number; DROP TABLE merge_job;";

static bool there_is(const char *path) {
    return access(path, F_OK) == 0;
}

/* ---- the files ---- */

static int name_files(struct aq_merge *m, struct paths *paths) {
    const char *out = m->options->out;
    int used = snprintf(paths->part, sizeof paths->part, "%s.part", out);
    int more = snprintf(paths->old, sizeof paths->old, "%s.part.old", out);
    if (used >= 0 && more >= 0 && more < PATH_BYTES) return 0;
    return aq_error_set(m->error, AQ_EIO, "%s: the name is too long", out);
}

static const char *input_path(const struct aq_merge *m, uint32_t input) {
    return input ? m->options->inputs[input - 1] : m->options->out;
}

static bool is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Every input can be read, before anything is written. */
static int check_inputs(struct aq_merge *m) {
    uint32_t first = there_is(m->options->out) ? 0 : 1;
    for (uint32_t i = first; i <= m->options->input_count; i++) {
        struct aq_store *store = NULL;
        if (i && is_same_file(input_path(m, i), m->options->out))
            return aq_error_set(
                m->error, AQ_EINVALID,
                "%s: is the database that is merged into: what it holds stays without being named again",
                input_path(m, i));
        int rc = aq_store_open_untouched(input_path(m, i), &store, m->error);
        aq_store_close(store);
        if (rc) return rc;
    }
    return 0;
}

/* All files with their sizes and times: one that has changed since is another. */
static char *describe(const struct aq_merge *m) {
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream) return NULL;
    fprintf(stream, "schema %d, duplicates %d", AQ_STORE_VERSION, (int)m->options->duplicates);
    for (uint32_t i = 0; i <= m->options->input_count; i++) {
        struct stat status = {0};
        bool there = stat(input_path(m, i), &status) == 0;
        fprintf(stream, "; %d %s %lld %lld.%09ld", there, input_path(m, i), (long long)status.st_size,
                (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    }
    if (fclose(stream)) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- the database under way ---- */

static bool is_same_job(const struct aq_merge *m, const char *description) {
    struct aq_error ignored = {0};
    sqlite3_stmt *statement = NULL;
    bool same = false;
    if (aq_store_prepare(m->out, "SELECT description FROM merge_job", &statement, &ignored)) return false;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        same = found && strcmp(found, description) == 0;
    }
    sqlite3_finalize(statement);
    return same;
}

static int begin_job(struct aq_merge *m, const char *path, const char *description) {
    sqlite3_stmt *statement = NULL;
    int rc = aq_store_open(path, true, &m->out, m->error);
    if (!rc) rc = aq_store_execute(m->out, "BEGIN", m->error);
    if (!rc) rc = aq_store_execute(m->out, own_tables, m->error);
    if (!rc) rc = aq_store_prepare(m->out, "INSERT INTO merge_job VALUES (?)", &statement, m->error);
    if (!rc) sqlite3_bind_text(statement, 1, description, -1, SQLITE_STATIC);
    if (!rc) rc = aq_store_run(m->out, statement, m->error);
    sqlite3_finalize(statement);
    return rc ? rc : aq_store_execute(m->out, "COMMIT", m->error);
}

/* Goes on with what an earlier merge of the same files left, or begins anew. */
static int open_part(struct aq_merge *m, const char *path) {
    struct aq_error ignored = {0};
    char *description = describe(m);
    if (!description) return aq_merge_no_memory(m);
    if (there_is(path) && aq_store_open(path, true, &m->out, &ignored) == 0)
        m->result->resumed = is_same_job(m, description);
    int rc = 0;
    if (!m->result->resumed) {
        aq_store_close(m->out);
        m->out = NULL;
        unlink(path);
        rc = begin_job(m, path, description);
    }
    free(description);
    return rc;
}

/* ---- one input ---- */

/* A copy that is brought up to date: the input itself is not touched. */
static int copy_old(struct aq_merge *m, const char *path) {
    sqlite3 *copy = NULL;
    unlink(path);
    sqlite3_backup *backup =
        sqlite3_open(path, &copy) == SQLITE_OK ? sqlite3_backup_init(copy, "main", m->in->db, "main") : NULL;
    bool done = backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
    sqlite3_backup_finish(backup);
    sqlite3_close(copy);
    aq_store_close(m->in);
    m->in = NULL;
    return done ? aq_store_open(path, true, &m->in, m->error)
                : aq_error_set(m->error, AQ_EIO, "%s: cannot be written: make room, or choose another file",
                               path);
}

static int remember(struct aq_merge *m, int root, int64_t old, int64_t new, bool skipped) {
    struct aq_merge_map *map = &m->maps[root];
    if (aq_array_reserve(&map->numbers, &map->capacity, (size_t)map->count + 1, sizeof *map->numbers))
        return aq_merge_no_memory(m);
    map->numbers[map->count++] = (struct aq_merge_number){old, new};
    sqlite3_bind_int64(m->remember, 1, m->input);
    sqlite3_bind_text(m->remember, 2, m->tables[root].name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(m->remember, 3, old);
    sqlite3_bind_int64(m->remember, 4, new);
    sqlite3_bind_int(m->remember, 5, skipped);
    return aq_store_run(m->out, m->remember, m->error);
}

/* What an earlier merge did of this input. */
static int recall(struct aq_merge *m) {
    sqlite3_stmt *statement = NULL;
    int rc =
        aq_merge_ask(m->out, "SELECT root, old, new FROM merge_number WHERE input = ?1 ORDER BY root, old",
                     m->input, 0, &statement, m->error);
    for (uint32_t i = 0; i < m->table_count; i++)
        m->maps[i].count = 0;
    while (!rc && sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        int root = name ? aq_merge_root(m, name) : -1;
        struct aq_merge_map *map = root < 0 ? NULL : &m->maps[root];
        if (!map ||
            aq_array_reserve(&map->numbers, &map->capacity, (size_t)map->count + 1, sizeof *map->numbers))
            rc = aq_merge_no_memory(m);
        else
            map->numbers[map->count++] = (struct aq_merge_number){sqlite3_column_int64(statement, 1),
                                                                  sqlite3_column_int64(statement, 2)};
    }
    sqlite3_finalize(statement);
    return rc;
}

static int refuse(struct aq_merge *m, int root, int64_t old, int64_t there) {
    const char *name = m->tables[root].name;
    char what[200] = "";
    sqlite3_stmt *statement = NULL;
    bool run = strcmp(name, "run") == 0;
    if (run &&
        aq_merge_ask(m->in, "SELECT scenario || ', seed ' || seed_text FROM run WHERE run_id = ?1", old, 0,
                     &statement, m->error) == 0 &&
        sqlite3_step(statement) == SQLITE_ROW)
        snprintf(what, sizeof what, " (%.150s)", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return aq_error_set(
        m->error, AQ_EEXISTS,
        "%s: %s %" PRId64 "%s is there twice: it would be the same as %s %" PRId64
        " of the merged database; --duplicates skip leaves such ones out, --duplicates keep takes them again",
        input_path(m, m->input), name, old, what, name, there);
}

static int take_one(struct aq_merge *m, int root, int64_t old) {
    int64_t there = 0, new = 0;
    int rc = 0;
    /* what the database held already was accepted before */
    if (m->input && m->options->duplicates != AQ_MERGE_KEEP)
        rc = aq_merge_find_duplicate(m, root, old, &there);
    if (rc) return rc;
    bool is_spare = strcmp(m->tables[root].name, "kept_run") == 0; /* kept to be used again: once will do */
    if (there && m->options->duplicates == AQ_MERGE_REFUSE && !is_spare) return refuse(m, root, old, there);
    if (there) return remember(m, root, old, there, true);
    rc = aq_merge_copy(m, root, old, &new);
    return rc ? rc : remember(m, root, old, new, false);
}

static bool is_stopped(const struct aq_merge *m) {
    return m->options->stop && *m->options->stop;
}

/* The next ones of a root behind those that are copied, in one transaction. *count: how many there were. */
static int take_some(struct aq_merge *m, int root, uint32_t *count) {
    const struct aq_merge_map *map = &m->maps[root];
    int64_t last = map->count ? map->numbers[map->count - 1].old : 0, numbers[AT_ONCE];
    char sql[300];
    sqlite3_stmt *statement = NULL;
    *count = 0;
    sqlite3_snprintf(sizeof sql, sql, "SELECT %s FROM \"%w\" WHERE %s > ?1 ORDER BY 1 LIMIT %d",
                     m->tables[root].key, m->tables[root].name, m->tables[root].key, AT_ONCE);
    int rc = aq_merge_ask(m->in, sql, last, 0, &statement, m->error), step = SQLITE_ROW;
    while (!rc && (step = sqlite3_step(statement)) == SQLITE_ROW)
        numbers[(*count)++] = sqlite3_column_int64(statement, 0);
    if (!rc && step != SQLITE_DONE) rc = aq_store_fail(m->in, "be read", m->error);
    sqlite3_finalize(statement);
    for (uint32_t i = 0; i < *count && !rc && !is_stopped(m); i++)
        rc = take_one(m, root, numbers[i]);
    return rc;
}

static int take_root(struct aq_merge *m, int root) {
    uint32_t count = 1;
    int rc = 0;
    while (!rc && count && !is_stopped(m)) {
        rc = aq_store_begin(m->out, m->error);
        if (!rc)
            rc = aq_store_execute(m->in, "BEGIN",
                                  m->error); /* one state of the file for what belongs together */
        if (!rc) rc = take_some(m, root, &count);
        if (!sqlite3_get_autocommit(m->in->db)) sqlite3_exec(m->in->db, "COMMIT", NULL, NULL, NULL);
        rc = aq_store_commit(m->out, rc, m->error);
    }
    return rc;
}

static int take_input(struct aq_merge *m, const struct paths *paths) {
    int rc = aq_store_open_untouched(input_path(m, m->input), &m->in, m->error);
    if (!rc && m->in->version < AQ_STORE_VERSION) rc = copy_old(m, paths->old);
    if (!rc) rc = recall(m);
    if (!rc) rc = aq_merge_open_statements(m);
    for (uint32_t i = 0; i < m->table_count && !rc && !is_stopped(m); i++)
        if (aq_merge_is_root(m, i)) rc = take_root(m, (int)i);
    aq_merge_close_statements(m);
    aq_store_close(m->in);
    m->in = NULL;
    unlink(paths->old);
    return rc;
}

/* ---- the end ---- */

static int count_all(struct aq_merge *m) {
    int64_t count = 0;
    char sql[200];
    int rc = aq_merge_ask_integer(m->out, "SELECT count(*) FROM merge_number WHERE skipped", 0, 0, 0, &count,
                                  m->error);
    m->result->skipped = (uint64_t)count;
    for (uint32_t i = 0; i < m->table_count && !rc; i++) {
        if (!aq_merge_is_root(m, i)) continue;
        sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM \"%w\"", m->tables[i].name);
        rc = aq_merge_ask_integer(m->out, sql, 0, 0, 0, &count, m->error);
        bool run = strcmp(m->tables[i].name, "run") == 0,
             exploration = strcmp(m->tables[i].name, "exploration") == 0;
        *(run           ? &m->result->runs
          : exploration ? &m->result->explorations
                        : &m->result->others) += (uint64_t)count;
    }
    return rc;
}

static int finish(struct aq_merge *m) {
    int rc = aq_store_begin(m->out, m->error);
    if (rc) return rc;
    rc = aq_merge_join_shards(m);
    if (!rc) rc = count_all(m);
    if (!rc) rc = aq_store_execute(m->out, own_tables_end, m->error);
    return aq_store_commit(m->out, rc, m->error);
}

static int merge(struct aq_merge *m, const struct paths *paths) {
    int rc = check_inputs(m);
    if (!rc) rc = open_part(m, paths->part);
    if (!rc) rc = aq_merge_read_schema(m);
    for (m->input = there_is(m->options->out) ? 0 : 1; m->input <= m->options->input_count && !rc;
         m->input++) {
        rc = take_input(m, paths);
        if (!rc && is_stopped(m))
            rc = aq_error_set(m->error, AQ_EINTERRUPTED,
                              "interrupted: the same command goes on from here; until then %s is as it was",
                              m->options->out);
    }
    return rc ? rc : finish(m);
}

int aq_merge(const struct aq_merge_options *options, struct aq_merge_result *out, struct aq_error *error) {
    struct aq_merge_result result = {0};
    struct aq_merge m = {.options = options, .result = &result, .error = error};
    struct paths paths;
    int rc = name_files(&m, &paths);
    if (rc) return rc;
    rc = merge(&m, &paths);
    aq_store_close(m.out);
    for (uint32_t i = 0; i < AQ_MERGE_TABLES_MAX; i++)
        aq_free(m.maps[i].numbers);
    aq_free(m.tables);
    aq_arena_close(&m.memory);
    if (!rc && rename(paths.part, options->out))
        rc = aq_error_set(error, AQ_EIO, "%s: cannot be written: choose another name", options->out);
    if (rc == AQ_EEXISTS) unlink(paths.part);
    if (!rc) *out = result;
    return rc;
}
