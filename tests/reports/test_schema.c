#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/store.h"
#include "sample.h"
#include "scratch.h"

static void fill(const char *path) {
    struct aq_store *store;
    struct aq_error error = {0};
    struct aq_record record;
    int64_t run;
    sample_fill(&record);
    if (aq_store_open(path, true, &store, &error)) fail_msg("%s", error.text);
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), 0);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error), 0);
    assert_int_equal(aq_store_begin_exploration(store, &sample_exploration, &run, &error), 0);
    assert_int_equal(aq_store_add_seeds(store, run, sample_seeds, 4, &error), 0);
    assert_int_equal(aq_store_finish_exploration(store, run, &sample_exploration, &error), 0);
    assert_int_equal(aq_store_add_plan(store, &sample_plan, &run, &error), 0);
    assert_int_equal(aq_store_keep_run(store, &sample_kept_run, sample_kept_figures, 2, &error), 0);
    aq_store_close(store);
    aq_record_close(&record);
}

/* Calls visit with the first two columns of each row. */
static int each(const char *path, const char *sql, void (*visit)(sqlite3 *db, const char *a, const char *b)) {
    sqlite3 *db;
    sqlite3_stmt *statement;
    int rows = 0;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    for (; sqlite3_step(statement) == SQLITE_ROW; rows++)
        visit(db, (const char *)sqlite3_column_text(statement, 0),
              (const char *)sqlite3_column_text(statement, 1));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return rows;
}

/* The line of `text` that begins, blanks aside, with `word`; NULL where there is none. Length in *length. */
static const char *line_of(const char *text, const char *word, size_t *length) {
    while (*text) {
        size_t blanks = strspn(text, " "), whole = strcspn(text, "\n"), letters = strlen(word);
        if (strncmp(text + blanks, word, letters) == 0 && text[blanks + letters] == ' ') {
            *length = whole;
            return text;
        }
        text += whole + (text[whole] == '\n');
    }
    return NULL;
}

static void assert_commented(const char *line, size_t length, const char *table, const char *column) {
    const char *comment = line ? memmem(line, length, "-- ", 3) : NULL;
    if (!comment || line + length - comment < 10) fail_msg("%s %s has no comment", table, column);
}

static void visit_column(sqlite3 *db, const char *name, const char *sql) {
    size_t length = 0;
    char question[128];
    sqlite3_stmt *columns;
    assert_commented(sql, strcspn(sql, "\n"), name, "");
    snprintf(question, sizeof question, "SELECT name FROM pragma_table_info('%s')", name);
    assert_int_equal(sqlite3_prepare_v2(db, question, -1, &columns, NULL), SQLITE_OK);
    int count = 0;
    for (; sqlite3_step(columns) == SQLITE_ROW; count++) {
        const char *column = (const char *)sqlite3_column_text(columns, 0);
        const char *line = line_of(sql, column, &length);
        assert_commented(line, length, name, column);
    }
    assert_true(count > 1);
    sqlite3_finalize(columns);
}

static void every_table_and_column_is_explained(void **state) {
    const struct scratch *scratch = *state;
    fill(scratch->path);
    int tables =
        each(scratch->path, "SELECT name, sql FROM sqlite_master WHERE type = 'table'", visit_column);
    assert_int_equal(tables, 31);
}

static void visit_view(sqlite3 *db, const char *name, const char *sql) {
    char question[128], *message = NULL;
    assert_commented(sql, strcspn(sql, "\n"), name, "");
    snprintf(question, sizeof question, "SELECT * FROM %s", name);
    if (sqlite3_exec(db, question, NULL, NULL, &message)) fail_msg("%s: %s", name, message);
}

static void every_view_is_explained_and_runs(void **state) {
    const struct scratch *scratch = *state;
    fill(scratch->path);
    assert_int_equal(
        each(scratch->path, "SELECT name, sql FROM sqlite_master WHERE type = 'view'", visit_view), 10);
}

static void visit_table(sqlite3 *db, const char *name, const char *unused) {
    char question[128];
    sqlite3_stmt *statement;
    (void)unused;
    snprintf(question, sizeof question, "SELECT count(*) FROM %s", name);
    assert_int_equal(sqlite3_prepare_v2(db, question, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (strcmp(name, "event") != 0 && sqlite3_column_int(statement, 0) == 0) fail_msg("%s is empty", name);
    sqlite3_finalize(statement);
}

static void every_table_is_strict_and_filled(void **state) {
    const struct scratch *scratch = *state;
    fill(scratch->path);
    each(scratch->path, "SELECT name, '' FROM sqlite_master WHERE type = 'table'", visit_table);
    assert_int_equal(
        scratch_integer(scratch->path,
                        "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND NOT strict"
                        " AND name NOT LIKE 'sqlite%'"),
        0);
}

static void assert_answer(const char *path, const char *sql, const char *expected) {
    char *answer = scratch_text(path, sql);
    assert_string_equal(answer, expected);
    free(answer);
}

static void the_views_answer_their_questions(void **state) {
    const struct scratch *scratch = *state;
    fill(scratch->path);
    fill(scratch->path);
    const char *path = scratch->path;
    assert_answer(
        path, "SELECT group_concat(outcome || '=' || completions) FROM completion_outcome WHERE run_id = 2",
        "sent=209100,applied=209000,acked=208990,misrouted=12,origin gone=50,unknown=38");
    assert_answer(
        path,
        "SELECT group_concat(what || '/' || detail || '=' || value, '|') FROM executed_again WHERE run_id = 1",
        "total/=31.0|figure/ttl_expiry=30.0|figure/negative_zero=0.0|violation/: executed twice=1.5");
    assert_answer(path,
                  "SELECT group_concat(run_id || ':' || server || ':' || queue_mean) FROM slowest_server",
                  "1:1:50.0,2:1:50.0");
    assert_answer(
        path,
        "SELECT group_concat(run_id || name || caught || ifnull(first_cause, '-'), '|') FROM failed_check WHERE run_id = 2",
        "2completion-origin1completion at another server|2duplicate-execution0executed twice|2failover0-");
    assert_answer(path, "SELECT run_id || state || scenario || started_utc FROM newest_run LIMIT 1",
                  "2finishedserver-crash2023-11-14 22:13:20");
    assert_answer(
        path,
        "SELECT group_concat(scenario || client_profile || runs || passes || fails || unknowns || '/' || "
        "events) FROM suite_table",
        "server-crashstrict2020/24691356");
    assert_answer(
        path,
        "SELECT group_concat(server || ':' || share_ratio) FROM server_load WHERE run_id = 1 AND share_ratio > 0",
        "0:0.25,2:0.75");
    assert_answer(
        path,
        "SELECT group_concat(phase || ':' || server || ':' || share_ratio) FROM phase_share WHERE run_id = 2",
        "0:0:0.25,0:1:0.25,0:2:0.5,1:0:0.5,1:1:0.0,1:2:0.5");
    assert_answer(
        path,
        "SELECT state || passes || fails || crashes || no_runs || failures || virtual_hours FROM newest_exploration LIMIT 1",
        "finished111121.0");
    assert_answer(path,
                  "SELECT group_concat(servers || lost || clients || ifnull(fails_at, '-')) FROM newest_plan",
                  "20200300.0,21100-,20200300.0,21100-");
    assert_answer(path, "SELECT seed || ' ' || scenario_hash || ' ' || trace_hash FROM run WHERE run_id = 1",
                  "ffffffffffffffff fedcba9876543210 00000000000000ab");
}

static void what_has_no_value_is_null(void **state) {
    const struct scratch *scratch = *state;
    fill(scratch->path);
    assert_answer(scratch->path, "SELECT group_concat(name) FROM fault WHERE until_us IS NULL",
                  "lost\nreplies \xff");
    assert_answer(scratch->path, "SELECT group_concat(position) FROM violation WHERE at_us IS NULL", "3");
    assert_answer(scratch->path, "SELECT group_concat(server) FROM server WHERE share_ratio IS NULL", "1");
    assert_answer(scratch->path, "SELECT group_concat(name) FROM check_figure WHERE value IS NULL",
                  "not_a_number");
    assert_answer(scratch->path, "SELECT group_concat(operation) FROM latency WHERE min_us IS NULL", "get");
    assert_answer(scratch->path,
                  "SELECT group_concat(clients || measure) FROM plan_value WHERE theory IS NULL",
                  "300fairness");
    assert_answer(scratch->path, "SELECT group_concat(name) FROM kept_figure WHERE value IS NULL",
                  "run.nothing_s");
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        T(every_table_and_column_is_explained), T(every_view_is_explained_and_runs),
        T(every_table_is_strict_and_filled),    T(the_views_answer_their_questions),
        T(what_has_no_value_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
