#include <inttypes.h>

#include "base/error.h"
#include "reports/json_write.h"
#include "reports/mutants.h"
#include "reports/print_table.h"

static uint32_t detected(const struct aq_mutant_report *report) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < report->count; i++)
        count += report->findings[i].found > 0;
    return count;
}

/* The one that takes the most clean seeds to exclude; NULL where none was found. */
static const struct aq_mutant_finding *rarest(const struct aq_mutant_report *report) {
    const struct aq_mutant_finding *found = NULL;
    for (uint32_t i = 0; i < report->count; i++)
        if (!found || report->findings[i].clean_seeds > found->clean_seeds) found = &report->findings[i];
    return found && found->found ? found : NULL;
}

/* ---- text ---- */

static void finding_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_mutant_report *report = arg;
    const struct aq_mutant_finding *f = &report->findings[row];
    char text[48];
    aq_cell_text(&cells[0], 24, f->name);
    aq_cell_text(&cells[1], 8, f->core);
    aq_cell_text(&cells[2], 20, f->family);
    aq_cell_text(&cells[3], 24, f->found ? f->check : "not found");
    snprintf(text, sizeof text, "%" PRIu32 "/%" PRIu32, f->found, f->searches);
    aq_cell_text(&cells[4], 24, text);
    snprintf(text, sizeof text, "%.4g", f->median_seeds);
    aq_cell_text(&cells[5], 12, f->found ? text : "-");
    aq_cell_count(&cells[6], f->seeds);
    aq_cell_percent(&cells[7], f->rate);
    aq_cell_percent(&cells[8], f->rate_low);
    snprintf(text, sizeof text, "%" PRIu64, f->clean_seeds);
    aq_cell_text(&cells[9], 20, f->clean_seeds ? text : "-");
}

static void print_causes(FILE *stream, const struct aq_mutant_report *report) {
    fprintf(stream, "\nNot found\n");
    for (uint32_t i = 0; i < report->count; i++)
        if (!report->findings[i].found)
            fprintf(stream, "  %s: %s\n", report->findings[i].name, report->findings[i].breaks);
}

static void print_meaning(FILE *stream, const struct aq_mutant_report *report) {
    const struct aq_mutant_finding *last = rarest(report);
    fprintf(
        stream,
        "\n"
        "A clean exploration of N seeds excludes at 95 %% a bug that shows in more than 1 - 0.05^(1/N) of "
        "all seeds, about 3/N:\n"
        "  100 seeds: 2.95 %%, 1,000: 0.299 %%, 10,000: 0.030 %%. (Rule of three: Hanley and "
        "Lippman-Hand, JAMA 249, 1983.)\n"
        "rate is the share of seeds that show the mutant, at least its lower bound at 95 %% (Clopper and "
        "Pearson, Biometrika 26, 1934);\n"
        "so many clean seeds exclude a bug with that least rate.\n");
    if (last)
        fprintf(stream,
                "All that were found would be excluded by %" PRIu64 " clean seeds; %s takes the most.\n",
                last->clean_seeds, last->name);
}

int aq_print_mutants_text(FILE *stream, const struct aq_mutant_report *report) {
    const struct aq_text_table table = {.column_count = 10,
                                        .heads = {"mutant", "core", "family", "check", "found", "median",
                                                  "seeds", "rate", "at least", "clean seeds"},
                                        .left = {true, true, true, true},
                                        .row_count = report->count,
                                        .row = finding_row,
                                        .arg = report};
    uint32_t count = detected(report);
    fprintf(stream, "%s %s: %u of %u mutants found\n\n",
            report->interrupted      ? "INTERRUPTED"
            : count == report->count ? "PASS"
                                     : "UNKNOWN",
            report->scenario, count, report->count);
    aq_text_table_print(stream, &table);
    if (count < report->count) print_causes(stream, report);
    print_meaning(stream, report);
    fprintf(stream, "Time: %.1f s; at most %" PRIu64 " seeds a search\n", (double)report->wall_us / 1e6,
            report->seeds_max);
    return ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_finding(struct aq_json_put_writer *json, const struct aq_mutant_finding *f) {
    aq_json_put_open(json, '{');
    aq_json_field_text(json, "name", f->name);
    aq_json_field_text(json, "core", f->core);
    aq_json_field_text(json, "family", f->family);
    aq_json_field_text(json, "breaks", f->breaks);
    aq_json_field_u64(json, "searches", f->searches);
    aq_json_field_u64(json, "found", f->found);
    aq_json_field_u64(json, "seeds", f->seeds);
    aq_json_put_key(json, "virtual_s");
    aq_json_put_seconds(json, f->virtual_us);
    aq_json_put_key(json, "busy_s");
    aq_json_put_seconds(json, f->busy_us);
    if (f->found) {
        aq_json_field_text(json, "check", f->check);
        aq_json_field_text(json, "cause", f->cause);
        aq_json_field_u64(json, "found_seed", f->found_seed);
        aq_json_field_double(json, "median_seeds", f->median_seeds);
        aq_json_field_u64(json, "clean_seeds", f->clean_seeds);
    }
    aq_json_field_double(json, "rate", f->rate);
    aq_json_field_double(json, "rate_low", f->rate_low);
    aq_json_put_close(json, '}');
}

int aq_print_mutants_json(FILE *stream, const struct aq_mutant_report *report) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    aq_json_field_text(&json, "scenario", report->scenario);
    aq_json_put_key(&json, "interrupted");
    aq_json_put_bool(&json, report->interrupted);
    aq_json_field_u64(&json, "mutants", report->count);
    aq_json_field_u64(&json, "detected", detected(report));
    aq_json_field_u64(&json, "seeds_max", report->seeds_max);
    aq_json_put_key(&json, "wall_s");
    aq_json_put_seconds(&json, report->wall_us);
    aq_json_put_key(&json, "findings");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < report->count; i++)
        put_finding(&json, &report->findings[i]);
    aq_json_put_close(&json, ']');
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    return ferror(stream) ? AQ_EIO : 0;
}
