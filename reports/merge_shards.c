/* Explorations of the parts of one range of seeds (--shard K/N) become what one exploration of all of it
 * would be. */
#include "reports/merge_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "reports/exit_code.h"
#include "reports/exploration.h"

/* The parts of one whole: its lowest number, and how many there are of how many. With the words of the
   scenario, which are the same where the hash is. Searches (--until-found) cannot be added up. */
static const char groups_sql[] =
    "SELECT min(exploration_id), count(*), count(DISTINCT shard), shards FROM exploration AS e"
    " WHERE shards > 1 AND state = 'finished'"
    " AND NOT EXISTS (SELECT 1 FROM exploration_find AS f WHERE f.exploration_id = e.exploration_id)"
    " GROUP BY scenario_hash, client_profile, server_profile, seed_from, seed_to, shards, version ORDER BY 1";

/* The parts that belong to one, into a table. */
static const char parts_sql[] =
    "INSERT INTO temp.merge_part SELECT p.exploration_id FROM main.exploration AS p, main.exploration AS e"
    " WHERE e.exploration_id = ?1 AND p.shards = e.shards AND p.state = 'finished' AND p.scenario_hash = e.scenario_hash"
    " AND p.client_profile = e.client_profile AND p.server_profile = e.server_profile AND p.seed_from = e.seed_from"
    " AND p.seed_to IS e.seed_to AND p.version = e.version"
    " AND NOT EXISTS (SELECT 1 FROM main.exploration_find AS f WHERE f.exploration_id = p.exploration_id)";

#define PARTS "exploration_id IN (SELECT exploration_id FROM temp.merge_part)"

/* A failure's quickest seed is that with the fewest events, the lowest of equals, as where one process counts
   them all. The rows wait under the number 0 until those that they are made of are gone. */
static const char *const sums[] = {
    "INSERT INTO main.exploration_failure SELECT 0, fingerprint, check_name, cause, shape, all_seeds, lowest, quickest_seed,"
    " run_id FROM (SELECT f.*, sum(f.seeds) OVER same AS all_seeds, min(f.first_seed) OVER same AS lowest, row_number() OVER"
    " (PARTITION BY f.fingerprint ORDER BY s.events, f.quickest_seed) AS place FROM main.exploration_failure AS f"
    " JOIN main.exploration_seed AS s ON s.exploration_id = f.exploration_id AND s.seed = f.quickest_seed"
    " WHERE f." PARTS " WINDOW same AS (PARTITION BY f.fingerprint)) WHERE place = 1",
    "DELETE FROM main.exploration_failure WHERE " PARTS,
    "UPDATE main.exploration_failure SET exploration_id = ?1 WHERE exploration_id = 0",
    "INSERT INTO main.exploration_mark SELECT 0, row_number() OVER (ORDER BY min(position), name) - 1, name, sum(hits),"
    " sum(seeds), max(required) FROM main.exploration_mark WHERE " PARTS " GROUP BY name",
    "DELETE FROM main.exploration_mark WHERE " PARTS,
    "UPDATE main.exploration_mark SET exploration_id = ?1 WHERE exploration_id = 0",
    "UPDATE main.exploration_seed SET exploration_id = ?1 WHERE " PARTS,
    "UPDATE main.exploration_seed_failure SET exploration_id = ?1 WHERE " PARTS,
    "UPDATE main.exploration SET (started_unix_s, jobs, passes, fails, unknowns, crashes, no_runs, replay_checked, events,"
    " virtual_us, busy_us, wall_us) = (SELECT min(started_unix_s), max(jobs), sum(passes), sum(fails), sum(unknowns),"
    " sum(crashes), sum(no_runs), sum(replay_checked), sum(events), sum(virtual_us), sum(busy_us), sum(wall_us)"
    " FROM main.exploration WHERE " PARTS
    "), reproduce = replace(reproduce, ' --shard ' || shard || '/' || shards, ''),"
    " shard = 1, shards = 1 WHERE exploration_id = ?1",
    "DELETE FROM main.exploration WHERE " PARTS " AND exploration_id <> ?1",
};

/* ---- the verdict over all seeds ---- */

static int gravest_seed(struct aq_merge *m, int64_t number, int *out) {
    sqlite3_stmt *codes = NULL;
    int rc = aq_merge_ask(
        m->out,
        "SELECT DISTINCT exit_code FROM exploration_seed WHERE exploration_id = ?1 AND verdict <> 'no-run'",
        number, 0, &codes, m->error);
    while (!rc && sqlite3_step(codes) == SQLITE_ROW)
        *out = aq_exit_graver(*out, sqlite3_column_int(codes, 0));
    sqlite3_finalize(codes);
    return rc;
}

static int read_counts(struct aq_merge *m, int64_t number, struct aq_exploration *x) {
    static const char *const columns[] = {"passes", "fails", "unknowns", "crashes", "no_runs"};
    char sql[100];
    int64_t count = 0;
    int rc = 0;
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT && !rc; i++) {
        snprintf(sql, sizeof sql, "SELECT %s FROM exploration WHERE exploration_id = ?1", columns[i]);
        rc = aq_merge_ask_integer(m->out, sql, number, 0, 0, &count, m->error);
        x->seeds[i] = (uint64_t)count;
    }
    if (!rc)
        rc =
            aq_merge_ask_integer(m->out, "SELECT count(*) FROM exploration_failure WHERE exploration_id = ?1",
                                 number, 0, 0, &count, m->error);
    x->failure_count = (uint32_t)count;
    return rc;
}

static int conclude(struct aq_merge *m, int64_t number) {
    struct aq_exploration x = {0};
    char reason[120];
    int64_t lacking = 0;
    int gravest = AQ_EXIT_PASS;
    sqlite3_stmt *update = NULL;
    int rc = read_counts(m, number, &x);
    if (!rc)
        rc = aq_merge_ask_integer(
            m->out,
            "SELECT count(*) FROM exploration_mark WHERE exploration_id = ?1 AND required AND hits = 0",
            number, 0, 0, &lacking, m->error);
    if (!rc) rc = gravest_seed(m, number, &gravest);
    if (rc) return rc;
    struct aq_exploration_mark *marks = aq_alloc_zeroed((size_t)lacking + 1, sizeof *marks);
    if (!marks) return aq_merge_no_memory(m);
    for (int64_t i = 0; i < lacking; i++)
        marks[i].required = true;
    x.marks = marks;
    x.mark_count = (uint32_t)lacking;
    aq_exploration_conclude(&x, gravest, reason, sizeof reason);
    aq_free(marks);
    rc = aq_merge_ask(m->out, "UPDATE exploration SET exit_code = ?1, reason = ?3 WHERE exploration_id = ?2",
                      x.exit_code, number, &update, m->error);
    if (!rc) sqlite3_bind_text(update, 3, reason, -1, SQLITE_STATIC);
    if (!rc) rc = aq_store_run(m->out, update, m->error);
    sqlite3_finalize(update);
    return rc;
}

/* ---- all of it ---- */

static int join(struct aq_merge *m, int64_t number) {
    int rc = aq_merge_do(m->out, "DELETE FROM temp.merge_part", 0, 0, m->error);
    if (!rc) rc = aq_merge_do(m->out, parts_sql, number, 0, m->error);
    for (size_t i = 0; i < sizeof sums / sizeof *sums && !rc; i++)
        rc = aq_merge_do(m->out, sums[i], number, 0, m->error);
    return rc ? rc : conclude(m, number);
}

/* Those that are left over from an interruption do not count where the whole is there. */
static const char left_sql[] =
    "SELECT count(*) FROM exploration AS p WHERE shards > 1 AND NOT EXISTS (SELECT 1 FROM exploration AS w WHERE"
    " w.shards = 1 AND w.state = 'finished' AND w.scenario_hash = p.scenario_hash AND w.client_profile = p.client_profile"
    " AND w.server_profile = p.server_profile AND w.seed_from = p.seed_from AND w.seed_to IS p.seed_to"
    " AND w.version = p.version)";

int aq_merge_join_shards(struct aq_merge *m) {
    int64_t left = 0;
    sqlite3_stmt *groups = NULL;
    int64_t *whole = NULL;
    uint32_t count = 0, capacity = 0;
    int rc =
        aq_merge_do(m->out, "CREATE TEMP TABLE IF NOT EXISTS merge_part (exploration_id INTEGER PRIMARY KEY)",
                    0, 0, m->error);
    if (!rc) rc = aq_merge_ask(m->out, groups_sql, 0, 0, &groups, m->error);
    while (!rc && sqlite3_step(groups) == SQLITE_ROW) {
        bool all = sqlite3_column_int64(groups, 1) == sqlite3_column_int64(groups, 3) &&
                   sqlite3_column_int64(groups, 2) == sqlite3_column_int64(groups, 3);
        if (all && aq_array_reserve(&whole, &capacity, (size_t)count + 1, sizeof *whole))
            rc = aq_merge_no_memory(m);
        else if (all)
            whole[count++] = sqlite3_column_int64(groups, 0);
    }
    sqlite3_finalize(groups);
    for (uint32_t i = 0; i < count && !rc; i++)
        rc = join(m, whole[i]);
    aq_free(whole);
    m->result->joined += rc ? 0 : count;
    if (!rc) rc = aq_merge_ask_integer(m->out, left_sql, 0, 0, 0, &left, m->error);
    m->result->parts = (uint64_t)left;
    return rc;
}
