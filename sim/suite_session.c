/* The course of a suite: the database and the reports around the runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/print.h"
#include "sim/suite.h"
#include "sim/verdict.h"

#define BEGIN_AT_ONCE 64 /* runs whose rows are written in one transaction */

/* ---- before the runs ---- */

/* Reports are made from the database: where none is kept they have one of their own. */
static int choose_database(struct aq_suite_session *s) {
    const struct aq_suite_arguments *a = s->arguments;
    const char *folder = getenv("TMPDIR");
    s->database = a->database;
    if (a->database || !(a->junit || a->annotations)) return 0;
    if (!folder || strlen(folder) > 30) folder = "/tmp";
    snprintf(s->scratch, sizeof s->scratch, "%s/allqsim-XXXXXX", folder);
    int file = mkstemp(s->scratch);
    if (file < 0) {
        s->scratch[0] = '\0';
        return aq_error_set(&s->error, AQ_EIO, "%s: no file can be made there: %s", folder, strerror(errno));
    }
    close(file);
    s->database = s->scratch;
    return 0;
}

static int begin_some(struct aq_suite_session *s, struct aq_store *store, uint32_t from, uint32_t count) {
    struct aq_record records[BEGIN_AT_ONCE];
    int64_t numbers[BEGIN_AT_ONCE];
    int rc = 0;
    for (uint32_t i = 0; i < count; i++) {
        aq_record_init(&records[i]);
        if (!rc && aq_suite_identify(s, from + i, &records[i]))
            rc = aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    }
    if (!rc) rc = aq_store_begin_runs(store, records, count, numbers, &s->error);
    for (uint32_t i = 0; i < count; i++) {
        if (!rc) s->runs[from + i].run = numbers[i];
        aq_record_close(&records[i]);
    }
    return rc;
}

/* The rows of all runs are made before the first, in order, whatever becomes of them and whenever. The file
   is closed again: a connection must not live on in a forked process. */
static int begin_runs(struct aq_suite_session *s) {
    struct aq_store *store = NULL;
    if (!s->database) return 0;
    int rc = aq_store_open(s->database, true, &store, &s->error);
    for (uint32_t from = 0; from < s->run_count && !rc; from += BEGIN_AT_ONCE) {
        uint32_t left = s->run_count - from;
        rc = begin_some(s, store, from, left < BEGIN_AT_ONCE ? left : BEGIN_AT_ONCE);
    }
    aq_store_close(store);
    return rc;
}

/* ---- after them ---- */

/* What a worker could not write. */
static int store_broken(struct aq_suite_session *s, struct aq_store *store, uint32_t number) {
    const struct aq_suite_run *run = &s->runs[number];
    struct aq_record record;
    aq_record_init(&record);
    int rc = aq_suite_identify(s, number, &record);
    if (rc) aq_error_set(&s->error, rc, "out of memory");
    record.verdict = run->verdict;
    record.reason = run->reason;
    record.exit_code = run->exit_code;
    if (!rc) rc = aq_store_finish_run(store, run->run, &record, &s->error);
    aq_record_close(&record);
    return rc;
}

static int forget_rest(struct aq_suite_session *s, struct aq_store *store) {
    int64_t *numbers = aq_alloc(((size_t)s->run_count + 1) * sizeof *numbers);
    uint32_t count = 0;
    if (!numbers) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < s->run_count; i++)
        if (s->runs[i].state == AQ_SUITE_NOT_RUN) numbers[count++] = s->runs[i].run;
    int rc = count ? aq_store_forget_runs(store, numbers, count, &s->error) : 0;
    aq_free(numbers);
    return rc;
}

static int tidy_up(struct aq_suite_session *s, struct aq_store *store) {
    int rc = forget_rest(s, store);
    for (uint32_t i = 0; i < s->run_count && !rc; i++)
        if (s->runs[i].state == AQ_SUITE_BROKEN) rc = store_broken(s, store, i);
    return rc;
}

/* ---- reports from the database ---- */

struct loader {
    struct aq_suite_session *session;
    struct aq_store *store;
};

static int load_run(void *arg, int64_t run, struct aq_record *record) {
    struct loader *loader = arg;
    return aq_store_load_run(loader->store, run, record, &loader->session->error);
}

/* The heads of this suite's runs alone: both are in the order of their numbers. */
static void keep_own(const struct aq_suite_session *s, struct aq_run_list *list) {
    uint32_t kept = 0, at = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        while (at < s->run_count &&
               (s->runs[at].state == AQ_SUITE_NOT_RUN || s->runs[at].run < list->heads[i].run))
            at++;
        if (at < s->run_count && s->runs[at].run == list->heads[i].run) list->heads[kept++] = list->heads[i];
    }
    list->count = kept;
}

static int annotate(struct loader *loader, const struct aq_runs *runs) {
    struct aq_record record;
    int rc = 0;
    for (uint32_t i = 0; i < runs->count && !rc; i++) {
        if (runs->heads[i].record.verdict == AQ_VERDICT_PASS || !aq_run_has_ended(&runs->heads[i])) continue;
        aq_record_init(&record);
        rc = load_run(loader, runs->heads[i].run, &record);
        if (!rc) rc = aq_print_annotations(stderr, &record);
        aq_record_close(&record);
    }
    return rc;
}

static int report_from(struct aq_suite_session *s, struct aq_store *store) {
    const struct aq_suite_arguments *a = s->arguments;
    struct loader loader = {s, store};
    struct aq_run_list list = {0};
    if (!a->junit && !a->annotations) return 0;
    int rc = aq_store_list_runs(store, AQ_RUNS_ALL, &list, &s->error);
    if (!rc) keep_own(s, &list);
    struct aq_runs runs = {.heads = list.heads, .count = list.count, .load = load_run, .arg = &loader};
    if (!rc && a->junit) rc = aq_print_junit(s->junit.stream, &runs);
    if (!rc && a->annotations) rc = annotate(&loader, &runs);
    if (rc && !s->error.code) aq_error_set(&s->error, rc, "reports: %s", aq_error_name(rc));
    aq_run_list_close(&list);
    return rc;
}

static int end_database(struct aq_suite_session *s) {
    struct aq_store *store = NULL;
    if (!s->database) return 0;
    int rc = aq_store_open(s->database, true, &store, &s->error);
    if (!rc) rc = tidy_up(s, store);
    if (!rc) rc = report_from(s, store);
    aq_store_close(store);
    return rc;
}

/* ---- the outcome ---- */

static void conclude(struct aq_suite_session *s) {
    struct aq_suite_result *result = &s->result;
    const struct aq_suite_arguments *a = s->arguments;
    int gravest = AQ_EXIT_PASS;
    bool all = true;
    for (uint32_t i = 0; i < s->run_count; i++) {
        all &= s->runs[i].state != AQ_SUITE_NOT_RUN && s->runs[i].state != AQ_SUITE_INTERRUPTED;
        gravest = aq_exit_graver(gravest, s->runs[i].exit_code);
    }
    result->name = a->name;
    result->rows = s->rows;
    result->row_count = s->entry_count;
    result->runs = s->runs;
    result->run_count = s->run_count;
    result->database = a->database;
    result->junit = a->junit;
    result->jobs = a->jobs;
    result->shard = a->shard;
    result->shards = a->shards;
    result->interrupted = *s->stop && !all;
    result->exit_code = result->interrupted ? AQ_EXIT_INTERRUPTED : gravest;
}

static int print(struct aq_suite_session *s) {
    const struct aq_suite_arguments *a = s->arguments;
    int rc = a->json    ? aq_print_suite_json(stdout, &s->result)
             : a->quiet ? 0
                        : aq_print_suite_text(stdout, &s->result);
    if (!rc && fflush(stdout)) rc = AQ_EIO;
    return rc ? aq_error_set(&s->error, rc, "output could not be written: %s", strerror(errno)) : 0;
}

int aq_suite_session_run(struct aq_suite_session *s) {
    const struct aq_suite_arguments *a = s->arguments;
    int rc = aq_suite_plan(s);
    if (!rc && a->junit) rc = aq_cli_output_open(&s->junit, a->junit, a->database, &s->error);
    if (!rc) rc = choose_database(s);
    if (!rc) rc = begin_runs(s);
    s->terminal = isatty(STDERR_FILENO) && !a->quiet;
    if (!rc) rc = aq_suite_run_all(s);
    if (!rc) rc = end_database(s);
    if (s->junit.stream) rc = aq_cli_output_close(&s->junit, rc, &s->error);
    if (!rc) conclude(s);
    return rc ? rc : print(s);
}

void aq_suite_session_close(struct aq_suite_session *s) {
    if (s->scratch[0]) unlink(s->scratch);
    for (uint32_t i = 0; i < s->entry_count; i++)
        aq_scenario_free(s->entries[i].scenario);
    aq_free(s->entries);
    aq_free(s->rows);
    aq_free(s->runs);
    aq_arena_close(&s->texts);
}
