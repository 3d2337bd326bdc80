/* The summary of an exploration, for people and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
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
    struct aq_exploration_spread spreads[AQ_EXPLORATION_SPREADS];
    uint32_t found;
    int rc = x->find_count ? aq_exploration_spreads(x, spreads, &found) : 0;
    if (rc || !x->find_count) return rc;
    fprintf(stream, "\nSearches  %u, found in %u\n", x->find_count, found);
    fprintf(stream, "  %-10s %12s %12s %12s %12s\n", "", "min", "median", "mean", "max");
    for (size_t i = 0; i < AQ_EXPLORATION_SPREADS; i++)
        fprintf(stream, "  %-10s %12.6g %12.6g %12.6g %12.6g\n", spreads[i].name, spreads[i].min,
                spreads[i].median, spreads[i].mean, spreads[i].max);
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
    struct aq_exploration_spread spreads[AQ_EXPLORATION_SPREADS];
    uint32_t found;
    int rc = aq_exploration_spreads(x, spreads, &found);
    if (rc) return rc;
    aq_json_put_key(json, "search");
    aq_json_put_open(json, '{');
    aq_json_field_u64(json, "searches", x->find_count);
    aq_json_field_u64(json, "found", found);
    for (size_t i = 0; i < AQ_EXPLORATION_SPREADS; i++) {
        aq_json_put_key(json, spreads[i].name);
        aq_json_put_open(json, '{');
        aq_json_field_double(json, "min", spreads[i].min);
        aq_json_field_double(json, "median", spreads[i].median);
        aq_json_field_double(json, "mean", spreads[i].mean);
        aq_json_field_double(json, "max", spreads[i].max);
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
