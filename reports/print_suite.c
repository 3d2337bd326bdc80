/* The summary of a suite, for people and as JSON. */
#include <inttypes.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "reports/json_write.h"
#include "reports/print_shared.h"
#include "reports/print_table.h"
#include "reports/suite.h"

#define FAILURES_SHOWN 50 /* the database has all of them */

struct sums {
    uint32_t runs, verdicts[3], not_run; /* those that were not run are none of the verdicts */
    uint64_t events, wall_us;
};

static void add(struct sums *sums, const struct aq_suite_run *run) {
    sums->runs++;
    if (run->state == AQ_SUITE_NOT_RUN)
        sums->not_run++;
    else
        sums->verdicts[run->verdict]++;
    sums->events += run->events;
    sums->wall_us += run->wall_us;
}

/* By row, to be freed, and behind them of all; NULL when out of memory. */
static struct sums *sum_up(const struct aq_suite_result *suite) {
    struct sums *sums = aq_alloc_zeroed(suite->row_count + 1, sizeof *sums);
    for (uint32_t i = 0; i < suite->run_count && sums; i++) {
        add(&sums[suite->runs[i].row], &suite->runs[i]);
        add(&sums[suite->row_count], &suite->runs[i]);
    }
    return sums;
}

/* Of them all: fail where one fails, unknown where one is or was not run. */
static const char *verdict_of(const struct sums *sums) {
    if (sums->verdicts[AQ_VERDICT_FAIL]) return "fail";
    return sums->verdicts[AQ_VERDICT_UNKNOWN] || sums->not_run ? "unknown" : "pass";
}

/* ---- text ---- */

struct table {
    const struct aq_suite_result *suite;
    const struct sums *sums; /* by row */
};

static void fill_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct table *table = arg;
    const struct sums *sums = &table->sums[row];
    aq_cell_text(&cells[0], 40, table->suite->rows[row].scenario);
    aq_cell_text(&cells[1], 20, table->suite->rows[row].profile);
    aq_cell_text(&cells[2], 8, verdict_of(sums));
    aq_cell_count(&cells[3], sums->runs);
    aq_cell_count(&cells[4], sums->verdicts[AQ_VERDICT_PASS]);
    aq_cell_count(&cells[5], sums->verdicts[AQ_VERDICT_FAIL]);
    aq_cell_count(&cells[6], sums->verdicts[AQ_VERDICT_UNKNOWN] + sums->not_run);
    aq_cell_count(&cells[7], sums->events);
    aq_cell_span(&cells[8], sums->wall_us);
}

static void print_table(FILE *stream, const struct aq_suite_result *suite, const struct sums *sums) {
    const struct table arg = {suite, sums};
    const struct aq_text_table table = {
        .column_count = 9,
        .heads = {"scenario", "profile", "verdict", "runs", "pass", "fail", "unknown", "events", "time"},
        .left = {true, true, true},
        .row_count = suite->row_count,
        .row = fill_row,
        .arg = &arg};
    aq_text_table_print(stream, &table);
}

static bool is_wrong(const struct aq_suite_run *run) {
    return run->state != AQ_SUITE_NOT_RUN && run->verdict != AQ_VERDICT_PASS;
}

static void print_wrong(FILE *stream, const struct aq_suite_result *suite) {
    char seed[100], reason[400];
    uint32_t shown = 0, left_out = 0;
    for (uint32_t i = 0; i < suite->run_count; i++) {
        const struct aq_suite_run *run = &suite->runs[i];
        const struct aq_suite_row *row = &suite->rows[run->row];
        if (!is_wrong(run)) continue;
        if (shown == FAILURES_SHOWN) {
            left_out++;
            continue;
        }
        if (shown++ == 0) fputs("\nNot passed\n", stream);
        fprintf(stream, "  %s (%s), seed %s: %s: %s\n    %s\n", row->scenario, row->profile,
                aq_print_plain(seed, sizeof seed, 64, run->seed_text), aq_verdict_word(run->verdict),
                aq_print_plain(reason, sizeof reason, 200, run->reason), run->reproduce);
    }
    if (left_out) fprintf(stream, "  ... and %" PRIu32 " more: --json lists them all\n", left_out);
}

static void print_head(FILE *stream, const struct aq_suite_result *suite, const struct sums *all) {
    const char *word = verdict_of(all);
    char name[200], part[40] = "";
    if (suite->shards > 1)
        snprintf(part, sizeof part, ", part %" PRIu32 " of %" PRIu32, suite->shard, suite->shards);
    fprintf(stream, "%s suite %s%s: %" PRIu32 " of %" PRIu32 " runs pass",
            suite->interrupted ? "INTERRUPTED"
            : word[0] == 'p'   ? "PASS"
            : word[0] == 'f'   ? "FAIL"
                               : "UNKNOWN",
            aq_print_plain(name, sizeof name, 100, suite->name), part, all->verdicts[AQ_VERDICT_PASS],
            all->runs);
    if (all->verdicts[AQ_VERDICT_FAIL]) fprintf(stream, ", %" PRIu32 " fail", all->verdicts[AQ_VERDICT_FAIL]);
    if (all->verdicts[AQ_VERDICT_UNKNOWN])
        fprintf(stream, ", %" PRIu32 " unknown", all->verdicts[AQ_VERDICT_UNKNOWN]);
    if (all->not_run) fprintf(stream, ", %" PRIu32 " not run", all->not_run);
    fputs("\n\n", stream);
}

static void print_foot(FILE *stream, const struct aq_suite_result *suite, const struct sums *all) {
    char wall[40], busy[40];
    fprintf(stream, "\nTime: %s for %s of runs, with %" PRIu32 " worker process%s\n",
            aq_units_format_span(wall, sizeof wall, suite->wall_us),
            aq_units_format_span(busy, sizeof busy, all->wall_us), suite->jobs, suite->jobs == 1 ? "" : "es");
    if (suite->junit) fprintf(stream, "JUnit: %s\n", suite->junit);
    if (!suite->database) return;
    int64_t first = 0, last = 0;
    for (uint32_t i = 0; i < suite->run_count; i++) {
        if (suite->runs[i].state == AQ_SUITE_NOT_RUN) continue;
        if (!first) first = suite->runs[i].run;
        last = suite->runs[i].run;
    }
    fprintf(stream, "Database: %s", suite->database);
    if (first) fprintf(stream, ", runs %" PRId64 " to %" PRId64, first, last);
    putc('\n', stream);
}

int aq_print_suite_text(FILE *stream, const struct aq_suite_result *suite) {
    struct sums *rows = sum_up(suite);
    if (!rows) return AQ_ENOMEM;
    const struct sums *all = &rows[suite->row_count];
    print_head(stream, suite, all);
    print_table(stream, suite, rows);
    print_wrong(stream, suite);
    print_foot(stream, suite, all);
    aq_free(rows);
    return ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_sums(struct aq_json_put_writer *json, const struct sums *sums) {
    aq_json_field_text(json, "verdict", verdict_of(sums));
    aq_json_field_u64(json, "runs", sums->runs);
    aq_json_field_u64(json, "pass", sums->verdicts[AQ_VERDICT_PASS]);
    aq_json_field_u64(json, "fail", sums->verdicts[AQ_VERDICT_FAIL]);
    aq_json_field_u64(json, "unknown", sums->verdicts[AQ_VERDICT_UNKNOWN]);
    aq_json_field_u64(json, "not_run", sums->not_run);
    aq_json_field_u64(json, "events", sums->events);
    aq_json_put_key(json, "busy_s");
    aq_json_put_seconds(json, sums->wall_us);
}

static void put_run(struct aq_json_put_writer *json, const struct aq_suite_result *suite,
                    const struct aq_suite_run *run) {
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, run->trace_hash);
    aq_json_put_open(json, '{');
    aq_json_field_text(json, "scenario", suite->rows[run->row].scenario);
    aq_json_field_text(json, "profile", suite->rows[run->row].profile);
    aq_json_field_text(json, "seed", run->seed_text);
    aq_json_field_text(json, "verdict",
                       run->state == AQ_SUITE_NOT_RUN ? "not-run" : aq_verdict_word(run->verdict));
    aq_json_field_u64(json, "exit_code", (uint64_t)run->exit_code);
    aq_json_field_text(json, "reason", run->reason);
    aq_json_field_text(json, "trace_hash", hash);
    if (run->run) aq_json_field_u64(json, "run", (uint64_t)run->run);
    aq_json_field_text(json, "reproduce", run->reproduce);
    aq_json_put_close(json, '}');
}

static void put_row(struct aq_json_put_writer *json, const struct aq_suite_result *suite, uint32_t row,
                    const struct sums *sums) {
    aq_json_put_open(json, '{');
    aq_json_field_text(json, "scenario", suite->rows[row].scenario);
    aq_json_field_text(json, "profile", suite->rows[row].profile);
    put_sums(json, sums);
    aq_json_put_close(json, '}');
}

int aq_print_suite_json(FILE *stream, const struct aq_suite_result *suite) {
    struct aq_json_put_writer json = {.stream = stream};
    struct sums *rows = sum_up(suite);
    if (!rows) return AQ_ENOMEM;
    const struct sums *all = &rows[suite->row_count];
    aq_json_put_open(&json, '{');
    aq_json_field_text(&json, "suite", suite->name);
    if (suite->shards > 1) {
        aq_json_field_u64(&json, "shard", suite->shard);
        aq_json_field_u64(&json, "shards", suite->shards);
    }
    put_sums(&json, all);
    aq_json_field_u64(&json, "exit_code", (uint64_t)suite->exit_code);
    aq_json_put_key(&json, "interrupted");
    aq_json_put_bool(&json, suite->interrupted);
    aq_json_put_key(&json, "wall_s");
    aq_json_put_seconds(&json, suite->wall_us);
    aq_json_field_u64(&json, "jobs", suite->jobs);
    if (suite->database) aq_json_field_text(&json, "database", suite->database);
    if (suite->junit) aq_json_field_text(&json, "junit", suite->junit);
    aq_json_put_key(&json, "scenarios");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < suite->row_count; i++)
        put_row(&json, suite, i, &rows[i]);
    aq_json_put_close(&json, ']');
    aq_json_put_key(&json, "results");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < suite->run_count; i++)
        put_run(&json, suite, &suite->runs[i]);
    aq_json_put_close(&json, ']');
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    aq_free(rows);
    return ferror(stream) ? AQ_EIO : 0;
}
