/* A comparison for people and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "reports/compare.h"
#include "reports/json_write.h"
#include "reports/print_shared.h"
#include "reports/print_table.h"

#define FIGURES_SHOWN 12
#define RUNS_SHOWN    50

static const char *change_word(enum aq_compare_change change) {
    static const char *const words[] = {"same", "better", "worse"};
    return words[change];
}

static bool of_the_machine(const struct aq_compare_figure *figure) {
    return strncmp(figure->name, "machine.", 8) == 0;
}

static uint32_t same_pairs(const struct aq_comparison *c) {
    uint32_t same = 0;
    for (uint32_t i = 0; i < c->pair_count; i++)
        same += c->pairs[i].same_trace;
    return same;
}

/* ---- text ---- */

static void print_head(FILE *stream, const struct aq_comparison *c) {
    if (c->broken_count)
        fprintf(stream, "FAIL compare: %" PRIu32 " beyond the tolerance\n", c->broken_count);
    else
        fputs("PASS compare: within the tolerance\n", stream);
    fprintf(stream, "  base       %s\n  candidate  %s\n", c->base_name, c->candidate_name);
    fprintf(stream,
            "  %" PRIu32 " pairs in %" PRIu32 " groups of scenario and profile, %" PRIu32
            " of them the same event for event\n  verdicts: %" PRIu32 " worse, %" PRIu32
            " better; runs without a partner: %" PRIu32 " of the base, %" PRIu32 " of the candidate\n",
            c->pair_count, c->group_count, same_pairs(c), c->worse_count, c->better_count, c->only_base_count,
            c->only_candidate_count);
    if (c->older_count)
        fprintf(stream,
                "  left out: %" PRIu32 " runs of which the same file has a later one with the same seed\n",
                c->older_count);
}

static void print_name(FILE *stream, const struct aq_run_head *head) {
    char profile[120], seed[100];
    fprintf(stream, "%s (%s), seed %s", head->record.scenario,
            aq_compare_profile(profile, sizeof profile, &head->record),
            aq_print_plain(seed, sizeof seed, 64, head->record.seed_text));
}

/* The worse ones come first. */
static void print_verdicts(FILE *stream, const struct aq_comparison *c, enum aq_compare_change change) {
    char reason[300];
    uint32_t shown = 0;
    for (uint32_t i = 0; i < c->pair_count; i++) {
        const struct aq_compare_pair *pair = &c->pairs[i];
        const struct aq_record *after = &pair->candidate->record;
        if (pair->change != change) continue;
        if (shown++ >= RUNS_SHOWN) continue;
        fprintf(stream, "  %-6s  ", change_word(change));
        print_name(stream, pair->candidate);
        fprintf(stream, ": %s (run %" PRId64 ") became %s (run %" PRId64 "): %s\n",
                aq_verdict_word(pair->base->record.verdict), pair->base->run, aq_verdict_word(after->verdict),
                pair->candidate->run, aq_print_plain(reason, sizeof reason, 120, after->reason));
        if (change == AQ_COMPARE_WORSE) fprintf(stream, "          %s\n", after->reproduce);
    }
    if (shown > RUNS_SHOWN)
        fprintf(stream, "  ... and %" PRIu32 " more: --json lists them all\n", shown - RUNS_SHOWN);
}

static void print_only(FILE *stream, const char *title, const struct aq_run_head *const *heads,
                       uint32_t count) {
    if (count) fprintf(stream, "\nOnly in the %s\n", title);
    for (uint32_t i = 0; i < count && i < RUNS_SHOWN; i++) {
        fputs("  ", stream);
        print_name(stream, heads[i]);
        fprintf(stream, " (run %" PRId64 ")\n", heads[i]->run);
    }
    if (count > RUNS_SHOWN)
        fprintf(stream, "  ... and %" PRIu32 " more: --json lists them all\n", count - RUNS_SHOWN);
}

static void number_cell(struct aq_cell *cell, double value, bool sign) {
    if (isnan(value))
        strcpy(cell->text, "-");
    else
        snprintf(cell->text, sizeof cell->text, sign ? "%+.5g" : "%.5g", value);
}

static void fill_figure(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_compare_group *group = arg;
    const struct aq_compare_figure *f = &group->figures[row];
    aq_cell_text(&cells[0], 60, f->name);
    number_cell(&cells[1], f->pairs ? f->base : NAN, false);
    number_cell(&cells[2], f->pairs ? f->candidate : NAN, false);
    number_cell(&cells[3], f->pairs ? f->change : NAN, true);
    number_cell(&cells[4], f->half_width, false);
    aq_cell_percent(&cells[5], f->pairs && f->base != 0 ? f->change / fabs(f->base) : NAN);
    number_cell(&cells[6], f->spread > 0 ? f->change / f->spread : NAN, true);
    if (f->broken) snprintf(cells[7].text, sizeof cells[7].text, "broken: allowed is %.5g", f->allowed);
    if (!f->broken && f->one_sided)
        snprintf(cells[7].text, sizeof cells[7].text, "on one side alone in %" PRIu32 " pairs", f->one_sided);
}

static uint32_t figures_to_show(const struct aq_compare_group *group, bool all) {
    uint32_t count = group->figure_count;
    while (!all && count && of_the_machine(&group->figures[count - 1]) && !group->figures[count - 1].broken)
        count--;
    uint32_t most = group->broken_count > FIGURES_SHOWN ? group->broken_count : FIGURES_SHOWN;
    return all || count < most ? count : most;
}

static void print_group(FILE *stream, const struct aq_compare_group *group, bool all) {
    const struct aq_record *record = &group->pairs[0].base->record;
    uint32_t shown = figures_to_show(group, all), hidden = group->figure_count - shown;
    char profile[120];
    if (!shown) return;
    fprintf(stream, "\n%s (%s), %" PRIu32 " pair%s, %" PRIu32 " the same%s\n", record->scenario,
            aq_compare_profile(profile, sizeof profile, record), group->pair_count,
            group->pair_count == 1 ? "" : "s", group->same_count,
            group->scenario_differs ? "; the scenario is not the same" : "");
    const struct aq_text_table table = {
        .column_count = 8,
        .heads = {"figure", "base", "candidate", "change", "+- 95 %", "in %", "in spreads", ""},
        .left = {true, [7] = true},
        .row_count = shown,
        .row = fill_figure,
        .arg = group};
    aq_text_table_print(stream, &table);
    fprintf(stream, "  %" PRIu32 " more figures differ, %" PRIu32 " do not\n", hidden, group->equal_count);
}

int aq_print_comparison_text(FILE *stream, const struct aq_comparison *c, bool all) {
    print_head(stream, c);
    if (c->worse_count + c->better_count) fputs("\nVerdicts\n", stream);
    print_verdicts(stream, c, AQ_COMPARE_WORSE);
    print_verdicts(stream, c, AQ_COMPARE_BETTER);
    print_only(stream, "base", c->only_base, c->only_base_count);
    print_only(stream, "candidate", c->only_candidate, c->only_candidate_count);
    for (int broken = 1; broken >= 0; broken--)
        for (uint32_t i = 0; i < c->group_count; i++)
            if ((c->groups[i].broken_count > 0) == broken) print_group(stream, &c->groups[i], all);
    return ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_identity(struct aq_json_put_writer *json, const struct aq_record *record, bool seed) {
    aq_json_field_text(json, "scenario", record->scenario);
    aq_json_field_text(json, "client_profile", record->client_profile);
    aq_json_field_text(json, "server_profile", record->server_profile);
    aq_json_field_text(json, "world", record->world);
    aq_json_field_text(json, "fidelity", record->fidelity);
    if (seed) aq_json_field_text(json, "seed", record->seed_text);
}

static void put_verdict(struct aq_json_put_writer *json, const char *key, const struct aq_run_head *head) {
    aq_json_put_key(json, key);
    aq_json_put_open(json, '{');
    aq_json_field_u64(json, "run", (uint64_t)head->run);
    aq_json_field_text(json, "verdict", aq_verdict_word(head->record.verdict));
    aq_json_field_u64(json, "exit_code", (uint64_t)head->record.exit_code);
    aq_json_field_text(json, "reason", head->record.reason);
    aq_json_put_close(json, '}');
}

static void put_verdicts(struct aq_json_put_writer *json, const struct aq_comparison *c) {
    aq_json_field_open(json, "verdicts", '[');
    for (uint32_t i = 0; i < c->pair_count; i++) {
        const struct aq_compare_pair *pair = &c->pairs[i];
        if (pair->change == AQ_COMPARE_SAME) continue;
        aq_json_put_open(json, '{');
        aq_json_field_text(json, "change", change_word(pair->change));
        put_identity(json, &pair->candidate->record, true);
        put_verdict(json, "base", pair->base);
        put_verdict(json, "candidate", pair->candidate);
        aq_json_field_text(json, "reproduce", pair->candidate->record.reproduce);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_only(struct aq_json_put_writer *json, const char *key, const struct aq_run_head *const *heads,
                     uint32_t count) {
    aq_json_field_open(json, key, '[');
    for (uint32_t i = 0; i < count; i++) {
        aq_json_put_open(json, '{');
        put_identity(json, &heads[i]->record, true);
        aq_json_field_u64(json, "run", (uint64_t)heads[i]->run);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_figure(struct aq_json_put_writer *json, const struct aq_compare_figure *f) {
    aq_json_put_open(json, '{');
    aq_json_field_text(json, "figure", f->name);
    aq_json_field_u64(json, "pairs", f->pairs);
    aq_json_field_u64(json, "one_sided", f->one_sided);
    aq_json_field_double(json, "base", f->pairs ? f->base : (double)NAN);
    aq_json_field_double(json, "candidate", f->pairs ? f->candidate : (double)NAN);
    aq_json_field_double(json, "change", f->pairs ? f->change : (double)NAN);
    aq_json_field_double(json, "half_width_95", f->half_width);
    aq_json_field_double(json, "spread", f->spread);
    if (f->rule) aq_json_field_double(json, "allowed", f->allowed);
    aq_json_field_bool(json, "broken", f->broken);
    aq_json_put_close(json, '}');
}

static void put_group(struct aq_json_put_writer *json, const struct aq_compare_group *group) {
    aq_json_put_open(json, '{');
    put_identity(json, &group->pairs[0].base->record, false);
    aq_json_field_u64(json, "pairs", group->pair_count);
    aq_json_field_u64(json, "same", group->same_count);
    aq_json_field_bool(json, "scenario_differs", group->scenario_differs);
    aq_json_field_u64(json, "broken", group->broken_count);
    aq_json_field_u64(json, "equal_figures", group->equal_count);
    aq_json_field_open(json, "figures", '[');
    for (uint32_t i = 0; i < group->figure_count; i++)
        put_figure(json, &group->figures[i]);
    aq_json_put_close(json, ']');
    aq_json_put_close(json, '}');
}

int aq_print_comparison_json(FILE *stream, const struct aq_comparison *c) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    aq_json_field_text(&json, "verdict", c->broken_count ? "fail" : "pass");
    aq_json_field_u64(&json, "broken", c->broken_count);
    aq_json_field_text(&json, "base", c->base_name);
    aq_json_field_text(&json, "candidate", c->candidate_name);
    aq_json_field_u64(&json, "pairs", c->pair_count);
    aq_json_field_u64(&json, "same", same_pairs(c));
    aq_json_field_u64(&json, "worse", c->worse_count);
    aq_json_field_u64(&json, "better", c->better_count);
    aq_json_field_u64(&json, "left_out", c->older_count);
    put_verdicts(&json, c);
    put_only(&json, "only_base", c->only_base, c->only_base_count);
    put_only(&json, "only_candidate", c->only_candidate, c->only_candidate_count);
    aq_json_field_open(&json, "groups", '[');
    for (uint32_t i = 0; i < c->group_count; i++)
        put_group(&json, &c->groups[i]);
    aq_json_put_close(&json, ']');
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    return ferror(stream) ? AQ_EIO : 0;
}
