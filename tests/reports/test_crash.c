#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/store.h"
#include "reports/store_internal.h"
#include "sample.h"
#include "scratch.h"

#define BATCHES      4
#define BATCH_EVENTS 500

static int die(void *unused) {
    (void)unused;
    return kill(getpid(), SIGKILL);
}

/* A whole run, with events, until it is killed in the middle of SQLite's work: after `steps` steps of its
   virtual machine from `armed` (0: before the run begins, 1: before its events, 2: before its end). A tiny
   cache makes SQLite write to the file before the commit. Exit code 0: it got through before. */
static void run_until_killed(const char *path, int armed, int steps) {
    struct aq_store *store;
    struct aq_error error;
    struct aq_record record;
    struct aq_record_event events[BATCH_EVENTS];
    int64_t run;
    sample_fill(&record);
    if (aq_store_open(path, true, &store, &error)) _exit(1);
    sqlite3_exec(store->db, "PRAGMA cache_size = 4; PRAGMA cache_spill = 1", NULL, NULL, NULL);
    if (armed == 0) sqlite3_progress_handler(store->db, steps, die, NULL);
    if (aq_store_begin_run(store, &record, &run, &error)) _exit(2);
    if (armed == 1) sqlite3_progress_handler(store->db, steps, die, NULL);
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        for (uint64_t i = 0; i < BATCH_EVENTS; i++)
            events[i] = (struct aq_record_event){batch * BATCH_EVENTS + i, i,
                                                 "[0.000001] worker 1 > get jobs -> server 1"};
        if (aq_store_add_events(store, run, events, BATCH_EVENTS, &error)) _exit(3);
    }
    if (armed == 2) sqlite3_progress_handler(store->db, steps, die, NULL);
    if (aq_store_finish_run(store, run, &record, &error)) _exit(4);
    aq_store_close(store);
    _exit(0);
}

/* True if the child was killed before it got through. */
static bool killed(const char *path, int armed, int steps) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) run_until_killed(path, armed, steps);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Opens as the next program would, and returns the number of runs in the file that have not ended. */
static int64_t unfinished_after_reopening(const char *path, bool for_writing) {
    struct aq_store *store;
    struct aq_error error = {0};
    struct aq_record record;
    if (aq_store_open(path, for_writing, &store, &error)) fail_msg("%s", error.text);
    aq_record_init(&record);
    int rc = aq_store_load_run(store, 1, &record, &error);
    if (rc != AQ_ENOENT) fail_msg("a killed run is read as ended: %s", rc ? error.text : record.scenario);
    aq_record_close(&record);
    aq_store_close(store);
    char *integrity = scratch_text(path, "PRAGMA integrity_check");
    assert_string_equal(integrity, "ok");
    free(integrity);
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM run WHERE state <> 'unfinished'"), 0);
    return scratch_integer(path, "SELECT count(*) FROM run");
}

static void assert_nothing_half_written(const char *path) {
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM event") % BATCH_EVENTS, 0);
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM check_result"), 0);
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM server"), 0);
}

struct harvest {
    int kills;    /* children killed before they got through */
    int journals; /* of these, how many left a transaction half written in the file */
    int64_t rows; /* unfinished runs found */
};

/* Kills children later and later, until one gets through. */
static struct harvest kill_later_and_later(const char *path, int armed, int step) {
    struct harvest harvest = {0};
    char journal[128];
    snprintf(journal, sizeof journal, "%s-journal", path);
    for (int steps = step; killed(path, armed, steps); steps += step) {
        harvest.kills++;
        harvest.journals += access(journal, F_OK) == 0;
        harvest.rows += unfinished_after_reopening(path, harvest.kills % 2);
        assert_nothing_half_written(path);
        assert_int_equal(unlink(path), 0);
        unlink(journal);
    }
    assert_int_equal(scratch_integer(path, "SELECT count(*) FROM run WHERE state = 'finished'"), 1);
    return harvest;
}

static void killed_while_the_run_begins_there_is_no_row(void **state) {
    const struct scratch *scratch = *state;
    struct harvest harvest = kill_later_and_later(scratch->path, 0, 40000);
    assert_true(harvest.kills >= 1);
    unlink(scratch->path);
    assert_true(killed(scratch->path, 0, 5));
    assert_int_equal(unfinished_after_reopening(scratch->path, true), 0);
}

static void killed_while_events_are_added_the_run_is_unfinished(void **state) {
    const struct scratch *scratch = *state;
    struct harvest harvest = kill_later_and_later(scratch->path, 1, 3001);
    assert_true(harvest.kills >= 8);
    assert_true(harvest.journals >= 1);
    assert_int_equal(harvest.rows, harvest.kills);
}

static void killed_while_the_run_is_finished_it_stays_unfinished(void **state) {
    const struct scratch *scratch = *state;
    struct harvest harvest = kill_later_and_later(scratch->path, 2, 1501);
    assert_true(harvest.kills >= 8);
    assert_true(harvest.journals >= 1);
    assert_int_equal(harvest.rows, harvest.kills);
}

static void the_next_run_can_be_written_after_a_kill(void **state) {
    const struct scratch *scratch = *state;
    assert_true(killed(scratch->path, 2, 3000));
    assert_false(killed(scratch->path, 2, 1000000000));
    assert_int_equal(
        scratch_integer(scratch->path, "SELECT count(*) FROM run WHERE state = 'unfinished' AND run_id = 1"),
        1);
    assert_int_equal(
        scratch_integer(scratch->path, "SELECT count(*) FROM run WHERE state = 'finished' AND run_id = 2"),
        1);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        T(killed_while_the_run_begins_there_is_no_row),
        T(killed_while_events_are_added_the_run_is_unfinished),
        T(killed_while_the_run_is_finished_it_stays_unfinished),
        T(the_next_run_can_be_written_after_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
