/* Explorations read back from the database. */
#include "reports/exploration.h"

#include <inttypes.h>
#include <string.h>

#include "reports/store_columns.h"

#define SINCE_VERSION 2 /* of the database */

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define TEXT_OF(macro)  TEXT_OF_(macro)
#define TEXT_OF_(value) #value

#define H struct aq_exploration_head
static const struct aq_column head_columns[] = {
    I64(H, number, "exploration_id"),
    TEXT(H, state, "state"),
    U32(H, failures,
        "(SELECT count(*) FROM exploration_failure AS f WHERE f.exploration_id = e.exploration_id)"),
    BOOL(H, exploration.interrupted, "state = 'interrupted'"),
    TEXT(H, exploration.scenario, "scenario"),
    TEXT(H, exploration.scenario_text, "scenario_text"),
    HASH(H, exploration.scenario_hash, "scenario_hash"),
    TEXT(H, exploration.client_profile, "client_profile"),
    TEXT(H, exploration.server_profile, "server_profile"),
    TEXT(H, exploration.version, "version"),
    TEXT(H, exploration.build, "build"),
    TEXT(H, exploration.reproduce, "reproduce"),
    I64(H, exploration.started_unix_s, "started_unix_s"),
    U64(H, exploration.seed_from, "seed_from"),
    TIME(H, exploration.seed_to, "seed_to"), /* NULL: UINT64_MAX */
    U32(H, exploration.shard, "shard"),
    U32(H, exploration.shards, "shards"),
    U32(H, exploration.jobs, "jobs"),
    I32(H, exploration.exit_code, "exit_code"),
    TEXT(H, exploration.reason, "reason"),
    U64(H, exploration.seeds[AQ_SEED_PASS], "passes"),
    U64(H, exploration.seeds[AQ_SEED_FAIL], "fails"),
    U64(H, exploration.seeds[AQ_SEED_UNKNOWN], "unknowns"),
    U64(H, exploration.seeds[AQ_SEED_CRASH], "crashes"),
    U64(H, exploration.seeds[AQ_SEED_NO_RUN], "no_runs"),
    U64(H, exploration.replay_checked, "replay_checked"),
    U64(H, exploration.events, "events"),
    U64(H, exploration.virtual_us, "virtual_us"),
    U64(H, exploration.busy_us, "busy_us"),
    U64(H, exploration.wall_us, "wall_us"),
};
#undef H

#define F struct aq_exploration_failure
static const struct aq_column failure_columns[] = {
    TEXT(F, fingerprint, "fingerprint"),
    TEXT(F, check, "check_name"),
    TEXT(F, cause, "cause"),
    TEXT(F, shape, "shape"),
    U64(F, seeds, "seeds"),
    U64(F, first_seed, "first_seed"),
    U64(F, quickest_seed, "quickest_seed"),
    I64(F, run, "ifnull(run_id, 0)"),
};
#undef F

/* Where no run is kept, the exploration itself for that one seed. */
static const struct aq_column proof_columns[] = {
    TEXT(
        struct aq_exploration_proof, reproduce,
        "ifnull((SELECT r.reproduce FROM run AS r WHERE r.run_id = f.run_id),"
        " replace(replace(e.reproduce || ' ', ' --seeds ' || e.seed_from || '..' || ifnull(e.seed_to, '') || ' ',"
        " ' '), ' --shard ' || e.shard || '/' || e.shards || ' ', ' ') || '--seeds ' || quickest_seed || '..' ||"
        " quickest_seed)"),
};

static const struct aq_column mark_columns[] = {
    TEXT(struct aq_exploration_mark, name, "name"),
    U64(struct aq_exploration_mark, count, "hits"),
    U64(struct aq_exploration_mark, seeds, "seeds"),
    BOOL(struct aq_exploration_mark, required, "required"),
};

static const struct aq_column find_columns[] = {
    U64(struct aq_exploration_find, from_seed, "from_seed"),
    U64(struct aq_exploration_find, found_seed, "ifnull(found_seed, 0)"),
    BOOL(struct aq_exploration_find, found, "found_seed IS NOT NULL"),
    U64(struct aq_exploration_find, seeds, "seeds"),
    U64(struct aq_exploration_find, virtual_us, "virtual_us"),
    U64(struct aq_exploration_find, wall_us, "wall_us"),
};

static const struct aq_column stretch_columns[] = {
    U64(struct aq_exploration_stretch, from_seed, "min(seed)"),
    U64(struct aq_exploration_stretch, seeds, "count(*)"),
    U64(struct aq_exploration_stretch, failing, "sum(verdict IN ('fail', 'crash'))"),
    U64(struct aq_exploration_stretch, busy_us, "sum(wall_us)"),
};

/* The reading of one exploration. */
struct reader {
    struct aq_store *store;
    struct aq_stored_exploration *out;
    struct aq_error *error;
};

static int read_rows(struct reader *reader, const char *from, const struct aq_column *columns, uint32_t count,
                     size_t row_bytes, void *out, uint32_t *out_count) {
    const struct aq_rows_query query = {from, reader->out->number, columns, count, (uint32_t)row_bytes};
    return aq_rows_read(reader->store, &query, &reader->out->memory, out, out_count, reader->error);
}

/* ---- parts ---- */

static int no_such(const struct reader *reader) {
    return aq_error_set(reader->error, AQ_ENOENT,
                        "%s: holds no exploration %" PRId64
                        ": allqsim report sql FILE newest_exploration lists those it has",
                        reader->store->path, reader->out->number);
}

static int read_head(struct reader *reader) {
    const struct aq_exploration_head *heads;
    uint32_t count = 0;
    if (reader->store->version < SINCE_VERSION) return no_such(reader);
    int rc = read_rows(reader, "exploration AS e WHERE exploration_id = ?1", head_columns,
                       COUNT_OF(head_columns), sizeof *heads, &heads, &count);
    if (rc) return rc;
    if (!count) return no_such(reader);
    if (heads->state[0] == 'u')
        return aq_error_set(reader->error, AQ_ENOENT,
                            "%s: exploration %" PRId64
                            " never ended: it is still going on, or was killed; to do it again: %s",
                            reader->store->path, reader->out->number, heads->exploration.reproduce);
    reader->out->exploration = heads->exploration;
    return 0;
}

static int read_failures(struct reader *reader) {
    struct aq_exploration *x = &reader->out->exploration;
    int rc = read_rows(
        reader, "exploration_failure WHERE exploration_id = ?1 ORDER BY seeds DESC, fingerprint",
        failure_columns, COUNT_OF(failure_columns), sizeof *x->failures, &x->failures, &x->failure_count);
    uint32_t count;
    if (rc) return rc;
    return read_rows(reader,
                     "exploration_failure AS f JOIN exploration AS e USING (exploration_id)"
                     " WHERE exploration_id = ?1 ORDER BY f.seeds DESC, fingerprint",
                     proof_columns, COUNT_OF(proof_columns), sizeof *reader->out->proofs,
                     &reader->out->proofs, &count);
}

static int bad_row(const struct reader *reader, int rc, const char *table) {
    if (rc == AQ_ENOMEM)
        return aq_error_set(reader->error, rc, "%s: cannot be read: out of memory", reader->store->path);
    return aq_error_set(reader->error, AQ_EDATABASE,
                        "%s: the table %s holds what this program never writes: restore a copy",
                        reader->store->path, table);
}

/* The first violation of the check in the run, and its lines. */
static int read_story(struct reader *reader, sqlite3_stmt *statement, int64_t run,
                      struct aq_record_violation *story) {
    const struct aq_table *table = &aq_store_tables[AQ_TABLE_VIOLATION];
    char from[160];
    struct aq_rows_query lines = {.from = from,
                                  .number = run,
                                  .columns = aq_store_tables[AQ_TABLE_STORY_LINE].columns,
                                  .column_count = 1,
                                  .row_bytes = sizeof(const char *)};
    int step = sqlite3_step(statement);
    if (step == SQLITE_DONE) return 0;
    if (step != SQLITE_ROW) return aq_store_fail(reader->store, "be read", reader->error);
    int rc = aq_columns_read(statement, 1, table->columns, table->column_count, story, &reader->out->memory);
    if (rc) return bad_row(reader, rc, table->name);
    sqlite3_snprintf(sizeof from, from,
                     "story_line WHERE run_id = ?1 AND violation_position = %lld ORDER BY position",
                     sqlite3_column_int64(statement, 0));
    return aq_rows_read(reader->store, &lines, &reader->out->memory, &story->lines, &story->line_count,
                        reader->error);
}

static int prepare_stories(struct reader *reader, sqlite3_stmt **out) {
    const struct aq_table *table = &aq_store_tables[AQ_TABLE_VIOLATION];
    char sql[AQ_SQL_MAX] = "SELECT position, ";
    aq_sql_columns(sql, table->columns, table->column_count, "", "");
    aq_sql_append(sql, " FROM violation WHERE run_id = ?1 AND check_name = ?2 ORDER BY position LIMIT 1");
    return aq_store_prepare(reader->store, sql, out, reader->error);
}

static int read_stories(struct reader *reader) {
    const struct aq_exploration *x = &reader->out->exploration;
    sqlite3_stmt *statement = NULL;
    int rc = prepare_stories(reader, &statement);
    for (uint32_t i = 0; i < x->failure_count && !rc; i++) {
        if (!x->failures[i].run) continue;
        sqlite3_bind_int64(statement, 1, x->failures[i].run);
        sqlite3_bind_text(statement, 2, x->failures[i].check, -1, SQLITE_STATIC);
        rc = read_story(reader, statement, x->failures[i].run, &reader->out->proofs[i].story);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return rc;
}

static void count_new_sorts(struct aq_stored_exploration *out) {
    struct aq_exploration_stretch *stretches = out->stretches;
    for (uint32_t i = 0; i < out->exploration.failure_count; i++) {
        uint32_t low = 0, high = out->stretch_count; /* the last stretch that begins at or below the seed */
        while (high - low > 1) {
            uint32_t middle = low + (high - low) / 2;
            if (stretches[middle].from_seed <= out->exploration.failures[i].first_seed)
                low = middle;
            else
                high = middle;
        }
        if (out->stretch_count) stretches[low].new_sorts++;
    }
}

static int read_stretches(struct reader *reader) {
    struct aq_stored_exploration *out = reader->out;
    int rc = read_rows(
        reader,
        "(SELECT seed, verdict, wall_us, (row_number() OVER (ORDER BY seed) - 1) / ((SELECT count(*) - 1 FROM"
        " exploration_seed WHERE exploration_id = ?1) / " TEXT_OF(
            AQ_EXPLORATION_STRETCHES_MAX) " + 1) AS stretch FROM exploration_seed WHERE exploration_id = ?1) GROUP BY stretch ORDER BY stretch",
        stretch_columns, COUNT_OF(stretch_columns), sizeof *out->stretches, &out->stretches,
        &out->stretch_count);
    if (!rc) count_new_sorts(out);
    return rc;
}

/* ---- the whole ---- */

static int read_all(struct reader *reader) {
    struct aq_exploration *x = &reader->out->exploration;
    int rc = read_head(reader);
    if (!rc) rc = read_failures(reader);
    if (!rc) rc = read_stories(reader);
    if (!rc)
        rc = read_rows(reader, "exploration_mark WHERE exploration_id = ?1 ORDER BY position", mark_columns,
                       COUNT_OF(mark_columns), sizeof *x->marks, &x->marks, &x->mark_count);
    if (!rc)
        rc = read_rows(reader, "exploration_find WHERE exploration_id = ?1 ORDER BY position", find_columns,
                       COUNT_OF(find_columns), sizeof *x->finds, &x->finds, &x->find_count);
    return rc ? rc : read_stretches(reader);
}

int aq_store_load_exploration(struct aq_store *store, int64_t number, struct aq_stored_exploration *out,
                              struct aq_error *error) {
    struct reader reader = {store, out, error};
    int rc = aq_store_execute(store, "BEGIN", error); /* one state of the file for all tables */
    if (rc) return rc;
    out->number = number;
    rc = read_all(&reader);
    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    return rc;
}

void aq_stored_exploration_close(struct aq_stored_exploration *stored) {
    aq_arena_close(&stored->memory);
    *stored = (struct aq_stored_exploration){0};
}

int aq_store_list_explorations(struct aq_store *store, struct aq_exploration_list *list,
                               struct aq_error *error) {
    const struct aq_rows_query query = {"exploration AS e ORDER BY exploration_id", 0, head_columns,
                                        COUNT_OF(head_columns), sizeof *list->heads};
    if (store->version < SINCE_VERSION) return 0;
    return aq_rows_read(store, &query, &list->memory, &list->heads, &list->count, error);
}

void aq_exploration_list_close(struct aq_exploration_list *list) {
    aq_arena_close(&list->memory);
    *list = (struct aq_exploration_list){0};
}
