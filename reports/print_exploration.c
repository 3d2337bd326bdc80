/* The summary of an exploration, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "reports/exploration.h"
#include "reports/json_write.h"
#include "reports/print.h"
#include "reports/print_table.h"

#define FAILURES_SHOWN 20 /* the database has all of them */
#define LINE_COLUMNS   100

static bool is_missing(const struct aq_exploration_mark *mark) {
    return mark->required && mark->count == 0;
}

static bool is_never_reached(const struct aq_exploration_mark *mark) {
    return !mark->required && mark->count == 0;
}

static uint32_t count_marks(const struct aq_exploration *x,
                            bool (*wanted)(const struct aq_exploration_mark *)) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < x->mark_count; i++)
        count += wanted(&x->marks[i]);
    return count;
}

/* ---- the search ---- */

struct spread {
    double min, median, mean, max;
};

static int by_value(const void *a, const void *b) {
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static double seeds_to_find(const struct aq_exploration_find *find) {
    return (double)find->seeds;
}
static double virtual_to_find(const struct aq_exploration_find *find) {
    return (double)find->virtual_us / 1e6;
}
static double wall_to_find(const struct aq_exploration_find *find) {
    return (double)find->wall_us / 1e6;
}

static uint32_t found_count(const struct aq_exploration *x) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < x->find_count; i++)
        found += x->finds[i].found;
    return found;
}

/* Over the searches that found something; all zero where none did. Errors: AQ_ENOMEM. */
static int spread_of(const struct aq_exploration *x, double (*value)(const struct aq_exploration_find *),
                     struct spread *out) {
    uint32_t count = 0;
    double *values = aq_alloc((x->find_count + 1) * sizeof *values), sum = 0;
    if (!values) return AQ_ENOMEM;
    *out = (struct spread){0, 0, 0, 0};
    for (uint32_t i = 0; i < x->find_count; i++)
        if (x->finds[i].found) sum += values[count++] = value(&x->finds[i]);
    if (count) {
        qsort(values, count, sizeof *values, by_value);
        *out = (struct spread){values[0], (values[(count - 1) / 2] + values[count / 2]) / 2, sum / count,
                               values[count - 1]};
    }
    aq_free(values);
    return 0;
}

static const struct {
    const char *name;
    double (*value)(const struct aq_exploration_find *);
} measures[] = {{"seeds", seeds_to_find}, {"virtual_s", virtual_to_find}, {"wall_s", wall_to_find}};
#define MEASURES (sizeof measures / sizeof *measures)

/* ---- text ---- */

static void print_head(FILE *stream, const struct aq_exploration *x) {
    const char *word = x->interrupted     ? "INTERRUPTED"
                       : x->failure_count ? "FAIL"
                       : x->exit_code     ? "UNKNOWN"
                                          : "PASS";
    char count[32], each[32];
    uint64_t seeds = aq_exploration_seeds(x);
    double wall_s = (double)x->wall_us / 1e6 + 1e-9;
    fprintf(stream, "%s %s (%s): %s\n\n", word, x->scenario, x->client_profile, x->reason);
    fprintf(stream, "Seeds   %s", aq_units_format_count(count, sizeof count, seeds));
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        if (x->seeds[i])
            fprintf(stream, ", %s %s", aq_units_format_count(count, sizeof count, x->seeds[i]),
                    aq_seed_verdict_word((enum aq_seed_verdict)i));
    fprintf(stream, "; run twice: %s\n", aq_units_format_count(count, sizeof count, x->replay_checked));
    fprintf(stream, "Volume  %.1f virtual hours, %s events (%s a seed)\n", (double)x->virtual_us / 3.6e9,
            aq_units_format_count(count, sizeof count, x->events),
            aq_units_format_count(each, sizeof each, seeds ? x->events / seeds : 0));
    fprintf(stream, "Time    %.1f s, %.1f seeds/s, %.1f ms a seed\n", wall_s, (double)seeds / wall_s,
            seeds ? (double)x->busy_us / 1e3 / (double)seeds : 0);
}

static void failure_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_exploration *x = arg;
    const struct aq_exploration_failure *failure = &x->failures[row];
    char text[32];
    aq_cell_text(&cells[0], 20, failure->check);
    aq_cell_text(&cells[1], 50, failure->cause);
    aq_cell_count(&cells[2], failure->seeds);
    snprintf(text, sizeof text, "%" PRIu64, failure->quickest_seed);
    aq_cell_text(&cells[3], 20, text);
    snprintf(text, sizeof text, "%" PRId64, failure->run);
    aq_cell_text(&cells[4], 20, failure->run ? text : "-");
    aq_cell_text(&cells[5], 20, failure->fingerprint);
}

static void print_failures(FILE *stream, const struct aq_exploration *x) {
    if (!x->failure_count) return;
    uint32_t shown = x->failure_count < FAILURES_SHOWN ? x->failure_count : FAILURES_SHOWN;
    struct aq_text_table table = {.column_count = 6,
                                  .heads = {"check", "cause", "seeds", "quickest", "run", "fingerprint"},
                                  .left = {true, true, false, false, false, true},
                                  .row_count = shown,
                                  .row = failure_row,
                                  .arg = x};
    fprintf(stream, "\nFailures\n");
    aq_text_table_print(stream, &table);
    if (shown < x->failure_count) fprintf(stream, "  and %u rarer ones\n", x->failure_count - shown);
}

static void print_names(FILE *stream, const struct aq_exploration *x, const char *title,
                        bool (*wanted)(const struct aq_exploration_mark *)) {
    size_t column = 0;
    if (!count_marks(x, wanted)) return;
    fprintf(stream, "\n%s", title);
    for (uint32_t i = 0; i < x->mark_count; i++) {
        if (!wanted(&x->marks[i])) continue;
        size_t length = strlen(x->marks[i].name) + 2;
        bool first = column == 0, fits = !first && column + length <= LINE_COLUMNS;
        fprintf(stream, "%s%s", fits ? ", " : first ? "\n  " : ",\n  ", x->marks[i].name);
        column = fits ? column + length : length;
    }
    fputc('\n', stream);
}

static int print_search(FILE *stream, const struct aq_exploration *x) {
    if (!x->find_count) return 0;
    fprintf(stream, "\nSearches  %u, found in %u\n", x->find_count, found_count(x));
    fprintf(stream, "  %-10s %12s %12s %12s %12s\n", "", "min", "median", "mean", "max");
    for (size_t i = 0; i < MEASURES; i++) {
        struct spread spread;
        int rc = spread_of(x, measures[i].value, &spread);
        if (rc) return rc;
        fprintf(stream, "  %-10s %12.6g %12.6g %12.6g %12.6g\n", measures[i].name, spread.min, spread.median,
                spread.mean, spread.max);
    }
    return 0;
}

int aq_print_exploration_text(FILE *stream, const struct aq_exploration *x) {
    print_head(stream, x);
    print_failures(stream, x);
    print_names(stream, x, "Required marks not reached", is_missing);
    print_names(stream, x, "Marks never reached", is_never_reached);
    int rc = print_search(stream, x);
    fprintf(stream, "\nReproduce: %s\n", x->reproduce);
    return rc ? rc : ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_totals(struct aq_json_put_writer *json, const struct aq_exploration *x) {
    aq_json_field_text(json, "verdict", aq_exploration_verdict(x));
    aq_json_field_text(json, "reason", x->reason);
    aq_json_put_key(json, "interrupted");
    aq_json_put_bool(json, x->interrupted);
    aq_json_field_text(json, "scenario", x->scenario);
    aq_json_field_text(json, "reproduce", x->reproduce);
    aq_json_put_key(json, "seeds");
    aq_json_put_open(json, '{');
    aq_json_field_u64(json, "all", aq_exploration_seeds(x));
    for (int i = 0; i < AQ_SEED_VERDICT_COUNT; i++)
        aq_json_field_u64(json, aq_seed_verdict_word((enum aq_seed_verdict)i), x->seeds[i]);
    aq_json_field_u64(json, "run_twice", x->replay_checked);
    aq_json_put_close(json, '}');
    aq_json_field_u64(json, "events", x->events);
    aq_json_field_seconds(json, "virtual_s", x->virtual_us);
    aq_json_field_seconds(json, "busy_s", x->busy_us);
    aq_json_field_seconds(json, "wall_s", x->wall_us);
}

static void put_failures(struct aq_json_put_writer *json, const struct aq_exploration *x) {
    aq_json_put_key(json, "failures");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < x->failure_count; i++) {
        const struct aq_exploration_failure *failure = &x->failures[i];
        aq_json_put_open(json, '{');
        aq_json_field_text(json, "fingerprint", failure->fingerprint);
        aq_json_field_text(json, "check", failure->check);
        aq_json_field_text(json, "cause", failure->cause);
        aq_json_field_text(json, "shape", failure->shape);
        aq_json_field_u64(json, "seeds", failure->seeds);
        aq_json_field_u64(json, "first_seed", failure->first_seed);
        aq_json_field_u64(json, "quickest_seed", failure->quickest_seed);
        if (failure->run) aq_json_field_u64(json, "run", (uint64_t)failure->run);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_marks(struct aq_json_put_writer *json, const struct aq_exploration *x) {
    aq_json_put_key(json, "marks");
    aq_json_put_open(json, '{');
    for (uint32_t i = 0; i < x->mark_count; i++) {
        aq_json_put_key(json, x->marks[i].name);
        aq_json_put_open(json, '{');
        aq_json_field_u64(json, "hits", x->marks[i].count);
        aq_json_field_u64(json, "seeds", x->marks[i].seeds);
        aq_json_put_key(json, "required");
        aq_json_put_bool(json, x->marks[i].required);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
}

static int put_search(struct aq_json_put_writer *json, const struct aq_exploration *x) {
    aq_json_put_key(json, "search");
    aq_json_put_open(json, '{');
    aq_json_field_u64(json, "searches", x->find_count);
    aq_json_field_u64(json, "found", found_count(x));
    for (size_t i = 0; i < MEASURES; i++) {
        struct spread spread;
        int rc = spread_of(x, measures[i].value, &spread);
        if (rc) return rc;
        aq_json_put_key(json, measures[i].name);
        aq_json_put_open(json, '{');
        aq_json_field_double(json, "min", spread.min);
        aq_json_field_double(json, "median", spread.median);
        aq_json_field_double(json, "mean", spread.mean);
        aq_json_field_double(json, "max", spread.max);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
    return 0;
}

int aq_print_exploration_json(FILE *stream, const struct aq_exploration *x) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    put_totals(&json, x);
    put_failures(&json, x);
    put_marks(&json, x);
    int rc = x->find_count ? put_search(&json, x) : 0;
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    return rc ? rc : ferror(stream) ? AQ_EIO : 0;
}
