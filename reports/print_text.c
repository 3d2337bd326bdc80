#include "reports/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "reports/print_shared.h"
#include "reports/print_table.h"

#define LINE_COLUMNS  AQ_PRINT_LINE_COLUMNS
#define STORIES_MAX   3
#define ROWS_MAX      24 /* of any table; the database has the others */
#define SHARES_MAX    8  /* servers with a column of their own in the table of phases */
#define TEXT_BYTES    4096
#define CHECK_COLUMNS 24 /* longest name of a check */
#define GREEN         "\033[32m"
#define RED           "\033[31m"
#define YELLOW        "\033[33m"

struct printer {
    FILE *stream;
    const struct aq_record *record;
    bool colours;
    uint32_t figure_columns; /* what the table of checks leaves for figures */
};

static bool wants_colours(FILE *stream) {
    const char *refused = getenv("NO_COLOR");
    if (refused && refused[0]) return false;
    int file = fileno(stream);
    return file >= 0 && isatty(file);
}

static const char *verdict_colour(const struct printer *p, enum aq_verdict verdict) {
    if (!p->colours) return NULL;
    return verdict == AQ_VERDICT_PASS ? GREEN : verdict == AQ_VERDICT_FAIL ? RED : YELLOW;
}

static void print_more(const struct printer *p, uint32_t count, const char *what) {
    char number[32];
    if (count > ROWS_MAX)
        fprintf(p->stream, "  ... and %s more %s in the database\n",
                aq_units_format_count(number, sizeof number, count - ROWS_MAX), what);
}

static uint32_t shown(uint32_t count) {
    return count < ROWS_MAX ? count : ROWS_MAX;
}

static void print_headline(const struct printer *p) {
    static const char *const words[] = {
        [AQ_VERDICT_PASS] = "PASS", [AQ_VERDICT_FAIL] = "FAIL", [AQ_VERDICT_UNKNOWN] = "UNKNOWN"};
    const struct aq_record *r = p->record;
    char scenario[128], client[64], server[64], reason[TEXT_BYTES], line[TEXT_BYTES * 2];
    const char *colour = verdict_colour(p, r->verdict);
    aq_print_plain(scenario, sizeof scenario, 60, r->scenario);
    aq_print_plain(client, sizeof client, 20, r->client_profile);
    aq_print_plain(server, sizeof server, 20, r->server_profile);
    aq_print_plain(reason, sizeof reason, TEXT_BYTES, r->reason);
    int used = strcmp(client, server) == 0
                   ? snprintf(line, sizeof line, "%s (%s)", scenario, client)
                   : snprintf(line, sizeof line, "%s (client %s, server %s)", scenario, client, server);
    snprintf(line + used, sizeof line - (size_t)used, "%s%s%s", r->interrupted ? ", interrupted" : "",
             reason[0] ? ": " : "", reason);
    fprintf(p->stream, "%s%s%s ", colour ? colour : "", words[r->verdict], colour ? "\033[0m" : "");
    aq_print_wrapped(p->stream, (uint32_t)strlen(words[r->verdict]) + 1, 5, line);
    if (r->summary && r->summary[0]) {
        fputs("     ", p->stream);
        aq_print_wrapped(p->stream, 5, 5, aq_print_plain(line, sizeof line, TEXT_BYTES, r->summary));
    }
}

static void print_run_line(const struct printer *p) {
    const struct aq_record *r = p->record;
    char seed[64], virtual[32], events[32], rate[64] = "", wall[32], counts[3][32];
    if (r->wall_us) {
        char per_s[32];
        aq_units_format_count(per_s, sizeof per_s, (uint64_t)((double)r->events * 1e6 / (double)r->wall_us));
        snprintf(rate, sizeof rate, " (%s/s)", per_s);
    }
    fprintf(p->stream, "     seed %s, %s virtual, %s events%s in %s, %.0f MiB, trace %016" PRIx64 "\n",
            aq_print_plain(seed, sizeof seed, 40, r->seed_text),
            aq_units_format_span(virtual, sizeof virtual, r->virtual_us),
            aq_units_format_count(events, sizeof events, r->events), rate,
            aq_units_format_span(wall, sizeof wall, r->wall_us), (double)r->peak_rss_bytes / 1048576.0,
            r->trace_hash);
    fprintf(p->stream, "     %s servers, %s clients, %s workers",
            aq_units_format_count(counts[0], 32, r->server_count),
            aq_units_format_count(counts[1], 32, r->clients.count),
            aq_units_format_count(counts[2], 32, r->clients.workers));
    fprintf(p->stream, "; %s world, fidelity %s\n", aq_print_plain(seed, sizeof seed, 20, r->world),
            aq_print_plain(virtual, sizeof virtual, 20, r->fidelity));
}

static const char *check_mark(const struct aq_record_check *check) {
    if (check->caught) return "caught (expected)";
    switch (check->verdict) {
    case AQ_VERDICT_PASS: return check->expected_to_fail ? "ok (not caught)" : "ok";
    case AQ_VERDICT_FAIL: return "FAIL";
    case AQ_VERDICT_UNKNOWN: return "unknown";
    }
    return "";
}

/* -0 as 0, and not-a-number without a sign. */
static void format_figure(char *text, size_t size, const struct aq_record_figure *figure) {
    char name[64];
    aq_print_plain(name, sizeof name, 40, figure->name);
    if (isnan(figure->value))
        snprintf(text, size, "%s -", name);
    else
        snprintf(text, size, "%s %.6g", name, figure->value + 0.0);
}

/* As many figures as fit into `columns`. */
static void join_figures(char *text, size_t size, uint32_t columns, const struct aq_record_figure *figures,
                         uint32_t count) {
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        char one[128];
        format_figure(one, sizeof one, &figures[i]);
        if (aq_print_columns(text) + aq_print_columns(one) + 2 > columns || used + strlen(one) + 3 > size)
            return;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", one);
    }
}

static void check_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct printer *p = arg;
    const struct aq_record_check *check = &p->record->checks[row];
    aq_cell_text(&cells[0], 24, check_mark(check));
    aq_cell_text(&cells[1], CHECK_COLUMNS, check->name);
    aq_cell_count(&cells[2], check->judged);
    aq_cell_count(&cells[3], check->violations);
    join_figures(cells[4].text, sizeof cells[4].text, p->figure_columns, check->figures, check->figure_count);
}

/* Columns that are left of a line by the marks, the names and two numbers. */
static uint32_t figure_columns(const struct aq_record *record) {
    uint32_t mark = 0, name = 0;
    for (uint32_t i = 0; i < record->check_count; i++) {
        struct aq_cell cell;
        uint32_t columns = aq_print_columns(check_mark(&record->checks[i]));
        if (columns > mark) mark = columns;
        aq_cell_text(&cell, CHECK_COLUMNS, record->checks[i].name);
        columns = aq_print_columns(cell.text);
        if (columns > name) name = columns;
    }
    return LINE_COLUMNS - 5 * 2 - mark - name - (uint32_t)strlen("10,000,000violations");
}

static const char *check_colour(const void *arg, uint32_t row, uint32_t column) {
    const struct printer *p = arg;
    const struct aq_record_check *check = &p->record->checks[row];
    return column == 0 ? verdict_colour(p, check->caught ? AQ_VERDICT_PASS : check->verdict) : NULL;
}

static void print_checks(const struct printer *p) {
    const struct aq_record *r = p->record;
    if (r->check_count == 0) return;
    fputs("\nChecks\n", p->stream);
    aq_text_table_print(p->stream,
                        &(struct aq_text_table){.column_count = 5,
                                                .heads = {"", "check", "judged", "violations", "figures"},
                                                .left = {true, true, false, false, true},
                                                .row_count = r->check_count,
                                                .row = check_row,
                                                .arg = p,
                                                .colour = check_colour});
    for (uint32_t i = 0; i < r->check_count; i++) {
        if (!r->checks[i].remark || !r->checks[i].remark[0]) continue;
        char name[32], remark[TEXT_BYTES], line[TEXT_BYTES + 64];
        snprintf(line, sizeof line, "%s: %s",
                 aq_print_plain(name, sizeof name, CHECK_COLUMNS, r->checks[i].name),
                 aq_print_plain(remark, sizeof remark, TEXT_BYTES, r->checks[i].remark));
        fputs("  ", p->stream);
        aq_print_wrapped(p->stream, 2, 4, line);
    }
}

static void server_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct printer *p = arg;
    const struct aq_record_server *server = &p->record->servers[row];
    aq_cell_count(&cells[0], server->index);
    aq_cell_text(&cells[1], 12, server->id);
    aq_cell_text(&cells[2], 24, server->address);
    aq_cell_count(&cells[3], server->puts);
    aq_cell_count(&cells[4], server->gets);
    aq_cell_count(&cells[5], server->empty_gets);
    aq_cell_count(&cells[6], server->completions);
    aq_cell_percent(&cells[7], server->share);
}

static void print_servers(const struct printer *p) {
    if (p->record->server_count == 0) return;
    fputs("\nLoad per server\n", p->stream);
    aq_text_table_print(p->stream, &(struct aq_text_table){.column_count = 8,
                                                           .heads = {"", "id", "address", "puts", "gets",
                                                                     "empty gets", "completions", "share"},
                                                           .left = {false, true, true},
                                                           .row_count = shown(p->record->server_count),
                                                           .row = server_row,
                                                           .arg = p});
    print_more(p, p->record->server_count, "servers");
}

static double share_of(const struct aq_record_phase *phase, uint32_t server, uint64_t total) {
    return total ? (double)phase->choices[server] / (double)total : (double)NAN;
}

static void phase_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct printer *p = arg;
    const struct aq_record_phase *phase = &p->record->phases[row];
    uint32_t servers = p->record->server_count;
    uint64_t total = 0, least = UINT64_MAX, most = 0;
    for (uint32_t s = 0; s < servers && phase->choices; s++) {
        total += phase->choices[s];
        if (phase->choices[s] < least) least = phase->choices[s];
        if (phase->choices[s] > most) most = phase->choices[s];
    }
    aq_cell_text(&cells[0], 26, phase->name);
    aq_cell_span(&cells[1], phase->from_us);
    aq_cell_span(&cells[2], phase->to_us);
    aq_cell_count(&cells[3], total);
    if (servers <= SHARES_MAX) {
        for (uint32_t s = 0; s < servers; s++)
            aq_cell_percent(&cells[4 + s], share_of(phase, s, total));
    } else {
        aq_cell_percent(&cells[4], total ? (double)least / (double)total : (double)NAN);
        aq_cell_percent(&cells[5], total ? (double)most / (double)total : (double)NAN);
    }
}

/* Few servers: a column each. Many: the smallest and the largest share. */
static void print_phases(const struct printer *p) {
    const struct aq_record *r = p->record;
    char names[SHARES_MAX][16];
    struct aq_text_table table = {.column_count = 4,
                                  .heads = {"phase", "from", "to", "choices"},
                                  .left = {true},
                                  .row_count = shown(r->phase_count),
                                  .row = phase_row,
                                  .arg = p};
    if (r->phase_count == 0 || r->server_count == 0) return;
    if (r->server_count <= SHARES_MAX) {
        for (uint32_t s = 0; s < r->server_count; s++) {
            snprintf(names[s], sizeof names[s], "#%" PRIu32, r->servers[s].index);
            table.heads[table.column_count++] = names[s];
        }
    } else {
        table.heads[table.column_count++] = "least";
        table.heads[table.column_count++] = "most";
    }
    fputs("\nShare of the clients' choices by phase\n", p->stream);
    aq_text_table_print(p->stream, &table);
    print_more(p, r->phase_count, "phases");
}

static void job_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_record *r = ((const struct printer *)arg)->record;
    (void)row;
    const uint64_t values[] = {r->jobs.produced,      r->jobs.accepted,      r->jobs.completed,
                               r->jobs.held,          r->jobs.lost_declared, r->jobs.unexplained,
                               r->jobs.executed_again};
    for (uint32_t i = 0; i < 7; i++)
        aq_cell_count(&cells[i], values[i]);
}

static void completion_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_record *r = ((const struct printer *)arg)->record;
    (void)row;
    const uint64_t values[] = {r->completions.sent,      r->completions.applied,     r->completions.acked,
                               r->completions.misrouted, r->completions.origin_gone, r->completions.unknown};
    for (uint32_t i = 0; i < 6; i++)
        aq_cell_count(&cells[i], values[i]);
}

static void print_totals(const struct printer *p) {
    fputs("\nJobs\n", p->stream);
    aq_text_table_print(p->stream,
                        &(struct aq_text_table){.column_count = 7,
                                                .heads = {"produced", "accepted", "completed", "held",
                                                          "lost, declared", "unexplained", "executed again"},
                                                .row_count = 1,
                                                .row = job_row,
                                                .arg = p});
    fputs("\nCompletions\n", p->stream);
    aq_text_table_print(p->stream, &(struct aq_text_table){.column_count = 6,
                                                           .heads = {"sent", "applied", "acked", "misrouted",
                                                                     "origin gone", "unknown"},
                                                           .row_count = 1,
                                                           .row = completion_row,
                                                           .arg = p});
}

/* The operations, then the failover of the clients. */
static void latency_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_record *r = ((const struct printer *)arg)->record;
    bool failover = row == r->latency_count;
    const struct aq_histogram *histogram = failover ? &r->clients.failover : &r->latencies[row].histogram;
    aq_cell_text(&cells[0], 24, failover ? "failover" : r->latencies[row].operation);
    aq_cell_count(&cells[1], histogram->count);
    for (uint32_t i = 2; i < 5; i++)
        aq_cell_text(&cells[i], 3, "-");
    if (histogram->count == 0) return;
    aq_cell_span(&cells[2], aq_histogram_quantile(histogram, 0.5));
    aq_cell_span(&cells[3], aq_histogram_quantile(histogram, 0.99));
    aq_cell_span(&cells[4], histogram->max_us);
}

static void print_latencies(const struct printer *p) {
    uint32_t rows = p->record->latency_count + (p->record->clients.failover.count > 0);
    if (rows == 0) return;
    fputs("\nLatency\n", p->stream);
    aq_text_table_print(p->stream,
                        &(struct aq_text_table){.column_count = 5,
                                                .heads = {"operation", "count", "p50", "p99", "max"},
                                                .left = {true},
                                                .row_count = rows,
                                                .row = latency_row,
                                                .arg = p});
}

static void fault_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_record_fault *fault = &((const struct printer *)arg)->record->faults[row];
    aq_cell_text(&cells[0], 16, fault->kind);
    aq_cell_text(&cells[1], 24, fault->name);
    aq_cell_text(&cells[2], 28, fault->target);
    aq_cell_span(&cells[3], fault->at_us);
    if (fault->until_us == AQ_TIME_NEVER)
        aq_cell_text(&cells[4], 10, "end");
    else
        aq_cell_span(&cells[4], fault->until_us);
    if (fault->struck)
        aq_cell_count(&cells[5], fault->touched);
    else
        aq_cell_text(&cells[5], 16, "never struck");
}

static void print_faults(const struct printer *p) {
    if (p->record->fault_count == 0) return;
    fputs("\nFaults\n", p->stream);
    aq_text_table_print(p->stream,
                        &(struct aq_text_table){.column_count = 6,
                                                .heads = {"kind", "name", "target", "at", "until", "touched"},
                                                .left = {true, true, true},
                                                .row_count = shown(p->record->fault_count),
                                                .row = fault_row,
                                                .arg = p});
    print_more(p, p->record->fault_count, "faults");
}

/* Short items on as few lines as they need, behind a title. */
static void print_item(FILE *stream, uint32_t *column, const char *item, bool last) {
    uint32_t width = aq_print_columns(item) + (last ? 0 : 1);
    if (*column + 1 + width > LINE_COLUMNS) {
        fputs("\n ", stream);
        *column = 1;
    }
    fprintf(stream, " %s%s", item, last ? "\n" : ",");
    *column += 1 + width;
}

/* Only those that were reached: what a run did not come to is in the database and in JSON. */
static void print_marks(const struct printer *p) {
    const struct aq_record *r = p->record;
    uint32_t column = 1, left = 0;
    for (uint32_t i = 0; i < r->mark_count; i++)
        left += r->marks[i].count > 0;
    if (left == 0) return;
    fputs("\nMarks\n ", p->stream);
    for (uint32_t i = 0; i < r->mark_count; i++) {
        char name[64], count[32], item[128];
        if (r->marks[i].count == 0) continue;
        aq_print_plain(name, sizeof name, 40, r->marks[i].name);
        snprintf(item, sizeof item, "%s %s", name,
                 aq_units_format_count(count, sizeof count, r->marks[i].count));
        print_item(p->stream, &column, item, --left == 0);
    }
}

static void print_figures(const struct printer *p) {
    const struct aq_record *r = p->record;
    uint32_t column = 1;
    if (r->figure_count == 0) return;
    fputs("\nFigures\n ", p->stream);
    for (uint32_t i = 0; i < r->figure_count; i++) {
        char item[128];
        format_figure(item, sizeof item, &r->figures[i]);
        print_item(p->stream, &column, item, i + 1 == r->figure_count);
    }
}

static void print_stories(const struct printer *p) {
    const struct aq_record *r = p->record;
    uint32_t chosen[STORIES_MAX], count = aq_print_choose_stories(r, chosen, STORIES_MAX);
    char title[1024], plain[TEXT_BYTES];
    if (count == 0) return;
    fprintf(p->stream, "\nFirst violations (%" PRIu32 " of %" PRIu32 " kept)\n", count, r->violation_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct aq_record_violation *violation = &r->violations[chosen[i]];
        aq_print_story_title(title, sizeof title, violation);
        fprintf(p->stream, "  %s\n", aq_print_plain(plain, sizeof plain, TEXT_BYTES, title));
        for (uint32_t l = 0; l < violation->line_count; l++)
            fprintf(p->stream, "    %s\n",
                    aq_print_plain(plain, sizeof plain, TEXT_BYTES, violation->lines[l]));
    }
}

int aq_print_text(FILE *stream, const struct aq_record *record) {
    struct printer printer = {.stream = stream, .record = record, .colours = wants_colours(stream)};
    printer.figure_columns = figure_columns(record);
    char plain[TEXT_BYTES];
    print_headline(&printer);
    print_run_line(&printer);
    print_checks(&printer);
    print_servers(&printer);
    print_phases(&printer);
    print_totals(&printer);
    print_latencies(&printer);
    print_faults(&printer);
    print_marks(&printer);
    print_figures(&printer);
    print_stories(&printer);
    if (record->reproduce && record->reproduce[0])
        fprintf(stream, "\nReproduce: %s\n",
                aq_print_plain(plain, sizeof plain, TEXT_BYTES, record->reproduce));
    return fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}
