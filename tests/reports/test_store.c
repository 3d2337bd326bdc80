#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/print.h"
#include "reports/store.h"
#include "sample.h"
#include "scratch.h"

static struct aq_store *opened(const char *path, bool for_writing) {
    struct aq_store *store = NULL;
    struct aq_error error = {0};
    if (aq_store_open(path, for_writing, &store, &error)) fail_msg("%s", error.text);
    return store;
}

/* Writes the record as a whole run; returns its number. */
static int64_t written(const char *path, const struct aq_record *record) {
    struct aq_store *store = opened(path, true);
    struct aq_error error = {0};
    int64_t run = 0;
    if (aq_store_begin_run(store, record, &run, &error)) fail_msg("%s", error.text);
    if (aq_store_finish_run(store, run, record, &error)) fail_msg("%s", error.text);
    aq_store_close(store);
    return run;
}

static void load(const char *path, int64_t run, struct aq_record *record) {
    struct aq_store *store = opened(path, false);
    struct aq_error error = {0};
    aq_record_init(record);
    if (aq_store_load_run(store, run, record, &error)) fail_msg("%s", error.text);
    aq_store_close(store);
}

static void assert_prints_alike(const struct aq_record *a, const struct aq_record *b) {
    int (*const printers[])(FILE *, const struct aq_record *) = {aq_print_text, aq_print_json};
    for (size_t i = 0; i < 2; i++) {
        char *first = sample_printed(printers[i], a), *second = sample_printed(printers[i], b);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void a_run_read_back_prints_the_same_bytes(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    load(scratch->path, written(scratch->path, &record), &again);
    assert_prints_alike(&record, &again);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void what_is_not_printed_is_restored_as_well(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    load(scratch->path, written(scratch->path, &record), &again);
    assert_string_equal(again.scenario_text, record.scenario_text);
    assert_string_equal(again.version, record.version);
    assert_string_equal(again.build, record.build);
    assert_true(again.seed == UINT64_MAX);
    assert_int_equal(again.started_unix_s, record.started_unix_s);
    assert_int_equal(again.exit_code, 1);
    assert_int_equal(again.window_us, record.window_us);
    assert_int_equal(again.option_count, record.option_count);
    for (uint32_t i = 0; i < again.option_count; i++) {
        assert_string_equal(again.options[i].name, record.options[i].name);
        assert_string_equal(again.options[i].value, record.options[i].value);
    }
    assert_int_equal(again.window_count, record.window_count);
    for (uint32_t i = 0; i < again.window_count; i++) {
        const struct aq_record_window *a = &again.windows[i], *b = &record.windows[i];
        assert_true(a->window == b->window && a->server == b->server && a->puts == b->puts &&
                    a->gets == b->gets && a->empty_gets == b->empty_gets &&
                    a->completions == b->completions && a->choices == b->choices && a->errors == b->errors &&
                    a->queue == b->queue && a->ready == b->ready && a->reserved == b->reserved &&
                    a->up == b->up);
    }
    assert_string_equal(again.checks[0].holds_when, record.checks[0].holds_when);
    assert_true(again.violations[3].at_us == AQ_TIME_NEVER && again.violations[1].at_us == 20000002);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void assert_same_histogram(const struct aq_histogram *a, const struct aq_histogram *b) {
    assert_true(a->count == b->count && a->sum_us == b->sum_us && a->min_us == b->min_us &&
                a->max_us == b->max_us);
    assert_memory_equal(a->buckets, b->buckets, AQ_HISTOGRAM_BUCKETS * sizeof *a->buckets);
}

static void histograms_are_restored_exactly(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    load(scratch->path, written(scratch->path, &record), &again);
    assert_int_equal(again.latency_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_string_equal(again.latencies[i].operation, record.latencies[i].operation);
        assert_same_histogram(&again.latencies[i].histogram, &record.latencies[i].histogram);
    }
    assert_same_histogram(&again.clients.failover, &record.clients.failover);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void checkpoints_are_restored(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    load(scratch->path, written(scratch->path, &record), &again);
    assert_int_equal(again.checkpoint_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(again.checkpoints[i].steps, record.checkpoints[i].steps);
        assert_int_equal(again.checkpoints[i].at_us, record.checkpoints[i].at_us);
        assert_int_equal(again.checkpoints[i].hash, record.checkpoints[i].hash);
    }
    aq_record_close(&record);
    aq_record_close(&again);
}

static void latencies_over_time_are_restored(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    load(scratch->path, written(scratch->path, &record), &again);
    assert_int_equal(again.latency_window_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct aq_record_latency_window a = again.latency_windows[i], b = record.latency_windows[i];
        assert_string_equal(a.operation, b.operation);
        a.operation = b.operation;
        assert_true(a.window == b.window && a.spans == b.spans && a.sum_us == b.sum_us &&
                    a.min_us == b.min_us && a.max_us == b.max_us && a.p50_us == b.p50_us &&
                    a.p90_us == b.p90_us && a.p99_us == b.p99_us && a.p999_us == b.p999_us);
    }
    aq_record_close(&record);
    aq_record_close(&again);
}

static void an_empty_and_interrupted_record_survives(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    aq_record_init(&record);
    record.interrupted = true;
    load(scratch->path, written(scratch->path, &record), &again);
    assert_true(again.interrupted);
    assert_prints_alike(&record, &again);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void run_0_is_the_newest_that_ended(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    struct aq_error error = {0};
    int64_t unfinished;
    sample_fill(&record);
    assert_int_equal(written(scratch->path, &record), 1);
    record.reason = "the second";
    assert_int_equal(written(scratch->path, &record), 2);
    struct aq_store *store = opened(scratch->path, true);
    assert_int_equal(aq_store_begin_run(store, &record, &unfinished, &error), 0);
    assert_int_equal(unfinished, 3);
    aq_record_init(&again);
    assert_int_equal(aq_store_load_run(store, 0, &again, &error), 0);
    assert_string_equal(again.reason, "the second");
    assert_int_equal(aq_store_load_run(store, 1, &again, &error), 0); /* what was in it is given back */
    assert_string_equal(again.reason, "duplicate-execution failed; caught as expected: completion-origin");
    aq_record_close(&again);
    aq_record_close(&record);
    aq_store_close(store);
}

static void runs_that_are_missing_or_unfinished_are_named(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    struct aq_error error = {0};
    int64_t run;
    sample_fill(&record);
    aq_record_init(&again);
    struct aq_store *store = opened(scratch->path, true);
    assert_int_equal(aq_store_load_run(store, 0, &again, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "holds no run that has ended"));
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), 0);
    assert_int_equal(aq_store_load_run(store, run, &again, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "run 1 never ended"));
    assert_non_null(strstr(error.text, "allqsim run server-crash --seed 4711"));
    assert_int_equal(aq_store_load_run(store, 9, &again, &error), AQ_ENOENT);
    assert_non_null(strstr(error.text, "holds no run 9"));
    assert_string_equal(again.scenario, "");
    assert_int_equal(aq_store_finish_run(store, 9, &record, &error), AQ_ENOENT);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error), 0);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error), AQ_ENOENT);
    struct aq_record_event event = {0, 0, "late"};
    assert_int_equal(aq_store_add_events(store, run, &event, 1, &error), AQ_ENOENT);
    aq_store_close(store);
    aq_record_close(&record);
}

static void events_are_kept_in_order(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    struct aq_error error = {0};
    int64_t run;
    struct aq_record_event events[] = {{0, 5, "first"}, {1, AQ_TIME_NEVER, NULL}, {2, 7, "third\nline"}};
    sample_fill(&record);
    struct aq_store *store = opened(scratch->path, true);
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), 0);
    assert_int_equal(aq_store_add_events(store, run, events, 2, &error), 0);
    assert_int_equal(aq_store_add_events(store, run, events + 2, 1, &error), 0);
    assert_int_equal(aq_store_add_events(store, run, events + 1, 2, &error),
                     AQ_EIO); /* numbers already there: nothing is added */
    assert_int_equal(aq_store_finish_run(store, run, &record, &error), 0);
    aq_store_close(store);
    char *all = scratch_text(
        scratch->path,
        "SELECT group_concat(number || ':' || ifnull(at_us, '-') || ':' || text, '|') FROM event");
    assert_string_equal(all, "0:5:first|1:-:|2:7:third\nline");
    free(all);
    aq_record_close(&record);
}

static void one_file_is_left_and_it_is_sound(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    char path[160];
    sample_fill(&record);
    written(scratch->path, &record);
    written(scratch->path, &record);
    static const char *const others[] = {"-journal", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", scratch->path, others[i]);
        assert_int_equal(access(path, F_OK), -1);
    }
    char *integrity = scratch_text(scratch->path, "PRAGMA integrity_check");
    assert_string_equal(integrity, "ok");
    free(integrity);
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    aq_record_close(&record);
}

static void deleting_a_run_deletes_all_that_belongs_to_it(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    sample_fill(&record);
    written(scratch->path, &record);
    written(scratch->path, &record);
    int64_t lines = scratch_integer(scratch->path, "SELECT count(*) FROM story_line");
    scratch_execute(scratch->path, "PRAGMA foreign_keys = ON; DELETE FROM run WHERE run_id = 1");
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM story_line") * 2, lines);
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    aq_record_close(&record);
}

/* ---- files that cannot be used ---- */

static void assert_refused(const char *path, bool for_writing, int code, const char *said) {
    struct aq_store *store = (void *)&code;
    struct aq_error error = {0};
    assert_int_equal(aq_store_open(path, for_writing, &store, &error), code);
    assert_ptr_equal(store, &code); /* untouched */
    assert_int_equal(strncmp(error.text, path, strlen(path)), 0);
    if (!strstr(error.text, said)) fail_msg("\"%s\" is not in: %s", said, error.text);
    assert_null(strchr(error.text, '\n'));
    assert_int_equal(error.code, code);
}

static void write_file(const char *path, const char *bytes, size_t length) {
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), length);
    close(file);
}

static void a_missing_file_or_folder_is_named(void **state) {
    const struct scratch *scratch = *state;
    char path[160];
    assert_refused(scratch->path, false, AQ_EDATABASE, "no such file");
    assert_int_equal(access(scratch->path, F_OK), -1); /* reading makes nothing */
    snprintf(path, sizeof path, "%s/no/runs.db", scratch->folder);
    assert_refused(path, true, AQ_EIO, "its directory does not exist: make it");
    assert_refused(scratch->folder, true, AQ_EIO, "is a directory");
}

static void an_empty_file_is_filled_but_not_read(void **state) {
    const struct scratch *scratch = *state;
    write_file(scratch->path, "", 0);
    assert_refused(scratch->path, false, AQ_EDATABASE, "is empty");
    aq_store_close(opened(scratch->path, true));
    aq_store_close(opened(scratch->path, false));
}

static void what_is_no_database_is_left_alone(void **state) {
    const struct scratch *scratch = *state;
    static const char text[2000] = "This is a letter, and it must not be written to.";
    struct stat status;
    write_file(scratch->path, text, sizeof text);
    assert_refused(scratch->path, true, AQ_EDATABASE, "is not an SQLite database");
    assert_refused(scratch->path, false, AQ_EDATABASE, "is not an SQLite database");
    assert_int_equal(stat(scratch->path, &status), 0);
    assert_int_equal(status.st_size, sizeof text);
}

static void a_database_of_another_program_is_refused(void **state) {
    const struct scratch *scratch = *state;
    scratch_execute(scratch->path, "CREATE TABLE theirs (x)");
    assert_refused(scratch->path, true, AQ_EDATABASE, "is a database of another program");
    scratch_execute(scratch->path, "PRAGMA application_id = 77");
    assert_refused(scratch->path, false, AQ_EDATABASE, "application id 77");
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM sqlite_master"), 1);
}

static void a_newer_and_an_unknown_older_schema_are_refused(void **state) {
    const struct scratch *scratch = *state;
    aq_store_close(opened(scratch->path, true));
    scratch_execute(scratch->path, "PRAGMA user_version = 6");
    assert_refused(scratch->path, true, AQ_EDATABASE,
                   "newer version of this program (schema 6, known is 5): update the program");
    scratch_execute(scratch->path, "PRAGMA user_version = 0");
    assert_refused(scratch->path, true, AQ_EDATABASE, "has schema 0, needed is 5");
}

/* ---- explorations, and files from before there were any ---- */

static void assert_answer(const char *path, const char *sql, const char *expected) {
    char *answer = scratch_text(path, sql);
    assert_string_equal(answer, expected);
    free(answer);
}

static void an_exploration_is_kept_seed_by_seed(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path, true);
    struct aq_error error = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_begin_exploration(store, &sample_exploration, &number, &error), 0);
    assert_int_equal(number, 1);
    assert_int_equal(aq_store_add_seeds(store, number, sample_seeds, 2, &error), 0);
    assert_answer(scratch->path, "SELECT state || seed_from || ifnull(seed_to, '-') FROM exploration",
                  "unfinished10-");
    assert_int_equal(aq_store_add_seeds(store, number, sample_seeds + 2, 2, &error), 0);
    assert_answer(scratch->path,
                  "SELECT group_concat(seed || verdict || exit_code || replayed) FROM exploration_seed",
                  "10pass01,11fail10,12crash700,13no-run00");
    assert_answer(scratch->path, "SELECT group_concat(seed || fingerprint) FROM exploration_seed_failure",
                  "1100000000000000aa,1100000000000000bb");
    assert_int_equal(aq_store_finish_exploration(store, number, &sample_exploration, &error), 0);
    aq_store_close(store);
    assert_answer(scratch->path, "SELECT state || exit_code || passes || events FROM exploration",
                  "finished11160");
    assert_answer(scratch->path,
                  "SELECT group_concat(check_name || seeds || ifnull(run_id, '-')) FROM exploration_failure",
                  "no-false-ack11,crash1-");
    assert_answer(scratch->path,
                  "SELECT group_concat(name || hits || seeds || required) FROM exploration_mark",
                  "lease_expired4021,job_lost001,job_taken000");
    assert_answer(scratch->path,
                  "SELECT group_concat(ifnull(found_seed, '-') || ':' || seeds) FROM exploration_find",
                  "11:2,-:2");
    scratch_execute(scratch->path, "PRAGMA foreign_keys = ON; DELETE FROM exploration");
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM exploration_seed"), 0);
}

/* ---- plans, and runs that are kept ---- */

static void a_plan_is_kept_with_its_points(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path, true);
    struct aq_error error = {0};
    int64_t number = 0;
    assert_int_equal(aq_store_add_plan(store, &sample_plan, &number, &error), 0);
    assert_int_equal(number, 1);
    aq_store_close(store);
    assert_answer(scratch->path, "SELECT state || survive || recommended_clients || reused_runs FROM plan",
                  "finished11004");
    assert_answer(scratch->path, "SELECT group_concat(lost || clients || held || seeds) FROM plan_point",
                  "0200holds3,0300fails3,1100holds5");
    assert_answer(scratch->path,
                  "SELECT group_concat(mean || held) FROM plan_value WHERE lost = 0 AND measure LIKE 'p99%'",
                  "0.12holds,0.5fails");
    assert_answer(scratch->path, "SELECT group_concat(clients || ifnull(fails_at, '-')) FROM plan_knee",
                  "200300.0,100-");
    scratch_execute(scratch->path, "PRAGMA foreign_keys = ON; DELETE FROM plan");
    assert_int_equal(scratch_integer(scratch->path, "SELECT count(*) FROM plan_value"), 0);
}

static void take_figure(void *arg, const char *name, double value) {
    char *text = arg;
    size_t used = strlen(text);
    snprintf(text + used, 200 - used, "%s=%g;", name, isnan(value) ? -1 : value);
}

static void a_run_that_is_kept_is_found_by_all_that_it_hangs_on(void **state) {
    const struct scratch *scratch = *state;
    struct aq_store *store = opened(scratch->path, true);
    struct aq_error error = {0};
    struct aq_kept_run other[6] = {sample_kept_run, sample_kept_run, sample_kept_run,
                                   sample_kept_run, sample_kept_run, sample_kept_run};
    char text[200] = "";
    uint32_t count = 77;
    assert_int_equal(aq_store_keep_begin(store, &error), 0);
    int rc = aq_store_keep_run(store, &sample_kept_run, sample_kept_figures, 2, &error);
    rc = rc ? rc
            : aq_store_keep_run(store, &sample_kept_run, sample_kept_figures, 2, &error); /* once is enough */
    assert_int_equal(aq_store_keep_end(store, rc, &error), 0);
    assert_int_equal(aq_store_find_run(store, &sample_kept_run, take_figure, text, &count, &error), 0);
    assert_int_equal(count, 2);
    assert_string_equal(text, "run.steady_fairness=0.75;run.nothing_s=-1;");
    other[0].scenario_hash++;
    other[1].seed++;
    other[2].steady_from_us++;
    other[3].version = "0.1.1";
    other[4].build = "GNU 12 Release";
    other[5].paired = false;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(aq_store_find_run(store, &other[i], take_figure, text, &count, &error), 0);
        assert_int_equal(count, 0);
    }
    aq_store_close(store);
}

/* ---- files of older versions ---- */

static const char objects[] =
    "SELECT group_concat(name || ifnull(sql, ''), x'0a') FROM (SELECT * FROM sqlite_master ORDER BY name)";

/* Makes of a new file one of version 1: explorations came with version 2, checkpoints with 3. */
static void age(const char *path) {
    scratch_execute(
        path,
        "DROP VIEW newest_plan; DROP TABLE kept_figure; DROP TABLE kept_run; DROP TABLE plan_knee;"
        "DROP TABLE plan_value; DROP TABLE plan_point; DROP TABLE plan_measure; DROP TABLE plan_warning; DROP TABLE plan;"
        "DROP VIEW newest_exploration; DROP TABLE exploration_find; DROP TABLE exploration_mark;"
        "DROP TABLE exploration_failure; DROP TABLE exploration_seed_failure; DROP TABLE exploration_seed;"
        "DROP TABLE exploration; DROP TABLE checkpoint; PRAGMA user_version = 1");
}

static void an_older_file_is_read_as_it_is(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    int64_t run = written(scratch->path, &record);
    age(scratch->path);
    load(scratch->path, run, &again);
    assert_prints_alike(&record, &again);
    assert_int_equal(scratch_integer(scratch->path, "PRAGMA user_version"), 1);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void an_older_file_is_brought_up_to_date_when_it_is_written_to(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    int64_t run = written(scratch->path, &record);
    char *fresh = scratch_text(scratch->path, objects);
    age(scratch->path);
    aq_store_close(opened(scratch->path, true));
    assert_int_equal(scratch_integer(scratch->path, "PRAGMA user_version"), 5);
    assert_answer(scratch->path, objects, fresh);
    load(scratch->path, run, &again);
    assert_prints_alike(&record, &again);
    free(fresh);
    aq_record_close(&record);
    aq_record_close(&again);
}

static void a_file_cut_short_anywhere_is_refused(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    struct stat status;
    sample_fill(&record);
    written(scratch->path, &record);
    aq_record_close(&record);
    assert_int_equal(stat(scratch->path, &status), 0);
    for (off_t length = status.st_size - 4096; length > 0; length -= length > 16384 ? 4096 * 3 : 1365) {
        struct aq_store *store = NULL;
        struct aq_error error = {0};
        assert_int_equal(truncate(scratch->path, length), 0);
        assert_int_equal(aq_store_open(scratch->path, false, &store, &error), AQ_EDATABASE);
        if (!strstr(error.text, "damaged or cut short") && !strstr(error.text, "is not an SQLite database"))
            fail_msg("%ld bytes: %s", (long)length, error.text);
    }
}

/* Runs the body in a process without the rights of root, for which no file is read-only. */
static void as_a_nobody(void (*body)(const struct scratch *), const struct scratch *scratch) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) || setuid(65534))) _exit(99);
        body(scratch);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("the child ended with status %#x", (unsigned)status);
}

/* In the child there is no cmocka: exit codes tell what went wrong. */
static void read_only_file(const struct scratch *scratch) {
    struct aq_store *store = NULL;
    struct aq_error error = {0};
    if (aq_store_open(scratch->path, true, &store, &error) != AQ_EDATABASE) _exit(1);
    if (!strstr(error.text, "is read-only: make it")) _exit(2);
    if (aq_store_open(scratch->path, false, &store, &error)) _exit(3);
    struct aq_record again;
    aq_record_init(&again);
    if (aq_store_load_run(store, 0, &again, &error)) _exit(4);
    aq_record_close(&again);
    aq_store_close(store);
}

static void read_only_folder(const struct scratch *scratch) {
    struct aq_store *store = NULL;
    struct aq_error error = {0};
    struct aq_record record;
    int64_t run;
    aq_record_init(&record);
    if (aq_store_open(scratch->path, true, &store, &error)) _exit(1);
    if (aq_store_begin_run(store, &record, &run, &error) != AQ_EDATABASE) _exit(2);
    if (!strstr(error.text, "read-only") && !strstr(error.text, "may not be opened")) _exit(3);
    aq_store_close(store);
    char path[160];
    snprintf(path, sizeof path, "%s/new.db", scratch->folder);
    if (aq_store_open(path, true, &store, &error) != AQ_EIO) _exit(4);
    if (!strstr(error.text, "may not be opened: change the rights")) _exit(5);
}

static void a_read_only_file_is_read_and_not_written(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    sample_fill(&record);
    written(scratch->path, &record);
    aq_record_close(&record);
    assert_int_equal(chmod(scratch->path, 0444), 0);
    assert_int_equal(chmod(scratch->folder, 0755), 0);
    as_a_nobody(read_only_file, scratch);
    assert_int_equal(chmod(scratch->path, 0666), 0);
    assert_int_equal(chmod(scratch->folder, 0555), 0);
    as_a_nobody(read_only_folder, scratch);
}

static void a_locked_file_is_named_after_patience_ends(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record;
    struct aq_error error = {0};
    int64_t run = 0;
    sqlite3 *other;
    sample_fill(&record);
    struct aq_store *store = opened(scratch->path, true);
    aq_store_set_patience_ms(store, 0);
    assert_int_equal(sqlite3_open(scratch->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), AQ_EDATABASE);
    assert_non_null(strstr(error.text, "locked by another process (waited 0 s): try again"));
    assert_int_equal(run, 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(aq_store_begin_run(store, &record, &run, &error), 0);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM run", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error),
                     AQ_EDATABASE); /* a reader holds up the commit */
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(aq_store_finish_run(store, run, &record, &error),
                     0); /* nothing of the first try is left */
    sqlite3_close(other);
    aq_store_close(store);
    aq_record_close(&record);
}

static void values_that_were_never_written_are_noticed(void **state) {
    const struct scratch *scratch = *state;
    static const char *const damages[] = {
        "UPDATE run SET seed = 'xyz'", "UPDATE latency_bucket SET bucket = bucket + 10000",
        "UPDATE window SET up = 300",  "DELETE FROM phase_server WHERE server = 1",
        "UPDATE fault SET struck = 2", "DELETE FROM latency"};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct aq_record record, again;
        struct aq_error error = {0};
        sample_fill(&record);
        written(scratch->path, &record);
        aq_record_close(&record);
        scratch_execute(scratch->path, damages[i]);
        struct aq_store *store = opened(scratch->path, false);
        aq_record_init(&again);
        if (aq_store_load_run(store, 0, &again, &error) != AQ_EDATABASE)
            fail_msg("%s: not noticed", damages[i]);
        assert_non_null(strstr(error.text, "holds what this program never writes"));
        aq_store_close(store);
        unlink(scratch->path);
    }
}

static void memory_may_run_out_at_any_allocation(void **state) {
    const struct scratch *scratch = *state;
    struct aq_record record, again;
    sample_fill(&record);
    written(scratch->path, &record);
    int rc = AQ_ENOMEM;
    for (uint64_t skip = 0; rc == AQ_ENOMEM; skip++) {
        struct aq_store *store = NULL;
        struct aq_error error = {0};
        aq_record_init(&again);
        aq_alloc_fail_after(skip);
        rc = aq_store_open(scratch->path, true, &store, &error);
        if (!rc) rc = aq_store_load_run(store, 0, &again, &error);
        aq_alloc_fail_after(UINT64_MAX);
        assert_true(rc == 0 || (rc == AQ_ENOMEM && strstr(error.text, "out of memory")));
        assert_true(rc == 0 || (again.scenario[0] == 0 && again.memory.first == NULL));
        aq_store_close(store);
        assert_true(rc || skip > 5);
    }
    assert_prints_alike(&record, &again);
    aq_record_close(&again);
    aq_record_close(&record);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        T(a_run_read_back_prints_the_same_bytes),
        T(what_is_not_printed_is_restored_as_well),
        T(histograms_are_restored_exactly),
        T(checkpoints_are_restored),
        T(latencies_over_time_are_restored),
        T(an_empty_and_interrupted_record_survives),
        T(run_0_is_the_newest_that_ended),
        T(runs_that_are_missing_or_unfinished_are_named),
        T(events_are_kept_in_order),
        T(one_file_is_left_and_it_is_sound),
        T(deleting_a_run_deletes_all_that_belongs_to_it),
        T(a_missing_file_or_folder_is_named),
        T(an_empty_file_is_filled_but_not_read),
        T(what_is_no_database_is_left_alone),
        T(a_database_of_another_program_is_refused),
        T(a_newer_and_an_unknown_older_schema_are_refused),
        T(a_plan_is_kept_with_its_points),
        T(a_run_that_is_kept_is_found_by_all_that_it_hangs_on),
        T(an_exploration_is_kept_seed_by_seed),
        T(an_older_file_is_read_as_it_is),
        T(an_older_file_is_brought_up_to_date_when_it_is_written_to),
        T(a_file_cut_short_anywhere_is_refused),
        T(a_read_only_file_is_read_and_not_written),
        T(a_locked_file_is_named_after_patience_ends),
        T(values_that_were_never_written_are_noticed),
        T(memory_may_run_out_at_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
