#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

#define FIGURES_SEEN 5u

const char *aq_html_check_class(const struct aq_record_check *check) {
    return check->caught ? "caught" : aq_verdict_word(check->verdict);
}

/* ---- head ---- */

static void put_facts(FILE *stream, const struct aq_record *r) {
    char text[160], a[48], b[48], c[48];
    fputs("<dl class=\"facts\">", stream);
    aq_html_fact(stream, "seed", r->seed_text);
    snprintf(text, sizeof text, "%.20s, fidelity %.20s", r->world, r->fidelity);
    aq_html_fact(stream, "world", text);
    snprintf(text, sizeof text, "clients %.20s, servers %.20s", r->client_profile, r->server_profile);
    aq_html_fact(stream, "profiles", text);
    snprintf(text, sizeof text, "%s servers, %s clients, %s workers",
             aq_units_format_count(a, sizeof a, r->server_count),
             aq_units_format_count(b, sizeof b, r->clients.count),
             aq_units_format_count(c, sizeof c, r->clients.workers));
    aq_html_fact(stream, "fleet", text);
    snprintf(text, sizeof text, "%s; took %s", aq_units_format_span(a, sizeof a, r->virtual_us),
             aq_units_format_span(b, sizeof b, r->wall_us));
    aq_html_fact(stream, "time", text);
    aq_html_fact(stream, "events", aq_units_format_count(a, sizeof a, r->events));
    snprintf(text, sizeof text, "%016" PRIx64, r->trace_hash);
    aq_html_fact(stream, "trace", text);
    fputs("</dl>\n", stream);
}

static void put_head(FILE *stream, int64_t run, const struct aq_record *r) {
    const char *word = aq_verdict_word(r->verdict);
    fprintf(stream, "<header class=\"verdict %s\"><p class=\"badge\">%s</p><h1>", word, word);
    aq_html_text(stream, r->scenario);
    fputs("</h1>\n", stream);
    fputs("<p class=\"reason\">", stream);
    if (r->interrupted) fputs("interrupted; ", stream);
    aq_html_text(stream, r->reason);
    fputs("</p>\n", stream);
    aq_html_command(stream, "Reproduce", r->reproduce);
    aq_html_element(stream, "p", "summary", r->summary);
    put_facts(stream, r);
    if (run) fprintf(stream, "<p class=\"note\">run %" PRId64 " of its database</p>\n", run);
    fputs("</header>\n", stream);
}

static void put_tiles(FILE *stream, const struct aq_record *r) {
    fputs("<div class=\"tiles\">", stream);
    aq_html_tile(stream, "jobs accepted", r->jobs.accepted, false);
    aq_html_tile(stream, "jobs completed", r->jobs.completed, false);
    aq_html_tile(stream, "jobs still held", r->jobs.held, false);
    aq_html_tile(stream, "lost, declared", r->jobs.lost_declared, false);
    aq_html_tile(stream, "unexplained", r->jobs.unexplained, true);
    aq_html_tile(stream, "executed again", r->jobs.executed_again, false);
    aq_html_tile(stream, "completions misrouted", r->completions.misrouted, true);
    aq_html_tile(stream, "completions unknown", r->completions.unknown, false);
    fputs("</div>\n", stream);
}

/* ---- checks ---- */

static void put_figure(FILE *stream, const struct aq_record_figure *figure) {
    fputs("<span>", stream);
    aq_html_text(stream, figure->name);
    if (isnan(figure->value))
        fputs(" <b>-</b></span> ", stream);
    else
        fprintf(stream, " <b>%.6g</b></span> ", figure->value + 0.0);
}

/* The first ones to see, the others to open. */
static void put_figures(FILE *stream, const struct aq_record_figure *figures, uint32_t count) {
    uint32_t seen = count <= FIGURES_SEEN + 1 ? count : FIGURES_SEEN;
    fputs("<td class=\"figures\">", stream);
    for (uint32_t i = 0; i < seen; i++)
        put_figure(stream, &figures[i]);
    if (seen == count) return;
    fprintf(stream, "<details><summary>%" PRIu32 " more</summary>", count - seen);
    for (uint32_t i = seen; i < count; i++)
        put_figure(stream, &figures[i]);
    fputs("</details>", stream);
}

static void put_check(FILE *stream, const struct aq_record_check *check) {
    const char *class = aq_html_check_class(check);
    fprintf(stream, "<tr><td><span class=\"tag %s\">%s</span></td><th scope=\"row\">", class, class);
    aq_html_text(stream, check->name);
    aq_html_element(stream, "small", NULL, check->holds_when);
    fputs("</th>", stream);
    aq_html_cell_count(stream, check->judged);
    aq_html_cell_count(stream, check->violations);
    put_figures(stream, check->figures, check->figure_count);
    if (check->remark && check->remark[0]) aq_html_element(stream, "small", "remark", check->remark);
    if (check->expected_to_fail)
        aq_html_element(stream, "small", "remark", "The scenario expects it to be caught.");
    fputs("</td></tr>\n", stream);
}

static void put_checks(FILE *stream, const struct aq_record *record) {
    if (record->check_count == 0) return;
    fputs("<section class=\"card\" data-part=\"checks\"><h2>Checks</h2>\n", stream);
    aq_html_table_open(stream, "checks sortable", "checks", "verdict|check|#judged|#violations|figures");
    for (uint32_t i = 0; i < record->check_count; i++)
        put_check(stream, &record->checks[i]);
    aq_html_table_close(stream);
    fputs("</section>\n", stream);
}

/* ---- over time ---- */

static void put_over_time(FILE *stream, const struct aq_record *record) {
    if (record->window_count == 0) return;
    fputs("<section class=\"card\" data-part=\"time\"><h2>Over time</h2>\n<p class=\"bands note\"></p>\n",
          stream);
    aq_html_chart(stream, "throughput", "Throughput per second", "As the servers carried it out.");
    if (record->latency_window_count)
        aq_html_chart(
            stream, "latency", "Latency",
            "By the time at which the span ended. It begins with the call: the database does not hold when a late "
            "call was meant to begin.");
    aq_html_chart(stream, "backlog", "Jobs at the servers",
                  "Ready and leased at the end of each point in time.");
    if (record->latency_window_count == 0)
        fputs("<p class=\"note\">This run was stored without latencies over time.</p>\n", stream);
    fputs("</section>\n", stream);
}

/* ---- completions, failover, latency ---- */

static void put_completions(FILE *stream, const struct aq_record *r) {
    char a[32], b[32], c[32];
    const struct aq_histogram *failover = &r->clients.failover;
    fputs(
        "<section class=\"card\" data-part=\"completions\"><h2>Completions and failover</h2>\n<div class=\"pair\">",
        stream);
    aq_html_chart(stream, "outcomes", "Completions by outcome", "Asked for by workers; what became of them.");
    if (failover->count)
        aq_html_chart(stream, "failover", "How long clients went on after a server stopped",
                      "From the stop to the last choice of it: clients by that time.");
    fputs("</div>\n", stream);
    if (failover->count)
        fprintf(stream, "<p class=\"note\">%s departures: median %s, 99 %% within %s, longest ",
                aq_units_format_count(a, sizeof a, failover->count),
                aq_units_format_span(b, sizeof b, aq_histogram_quantile(failover, 0.5)),
                aq_units_format_span(c, sizeof c, aq_histogram_quantile(failover, 0.99)));
    else
        fputs("<p class=\"note\">No server was left by a client.", stream);
    if (failover->count) fprintf(stream, "%s.", aq_units_format_span(a, sizeof a, failover->max_us));
    fputs("</p>\n</section>\n", stream);
}

static void put_latency(FILE *stream, const struct aq_record_latency *latency) {
    const struct aq_histogram *h = &latency->histogram;
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    fputs("<tr><th scope=\"row\">", stream);
    aq_html_text(stream, latency->operation);
    fputs("</th>", stream);
    aq_html_cell_count(stream, h->count);
    aq_html_cell_span(stream, h->count ? h->sum_us / h->count : AQ_TIME_NEVER);
    for (int i = 0; i < 4; i++)
        aq_html_cell_span(stream, h->count ? aq_histogram_quantile(h, shares[i]) : AQ_TIME_NEVER);
    aq_html_cell_span(stream, h->count ? h->max_us : AQ_TIME_NEVER);
    fputs("</tr>\n", stream);
}

static void put_latencies(FILE *stream, const struct aq_record *record) {
    if (record->latency_count == 0) return;
    fputs("<section class=\"card\" data-part=\"latency\"><h2>Latency</h2>\n", stream);
    aq_html_chart(
        stream, "percentiles", "Latency by percentile",
        "Each step to the right is a tenth as many calls; values are at most 0.8 % above the true ones.");
    aq_html_table_open(stream, "sortable", "latency by operation",
                       "operation|#count|#mean|#p50|#p90|#p99|#p99.9|#max");
    for (uint32_t i = 0; i < record->latency_count; i++)
        put_latency(stream, &record->latencies[i]);
    aq_html_table_close(stream);
    fputs("</section>\n", stream);
}

/* ---- faults, scenario ---- */

static void put_fault(FILE *stream, uint32_t number, const struct aq_record_fault *fault) {
    fprintf(stream, "<tr><td class=\"n\" data-v=\"%" PRIu32 "\">%" PRIu32 "</td>", number, number);
    aq_html_element(stream, "td", NULL, fault->kind);
    aq_html_element(stream, "th", NULL, fault->name);
    aq_html_element(stream, "td", NULL, fault->target);
    aq_html_cell_span(stream, fault->at_us);
    if (fault->until_us == AQ_TIME_NEVER)
        fputs("<td class=\"n\">end</td>", stream);
    else
        aq_html_cell_span(stream, fault->until_us);
    if (fault->struck)
        aq_html_cell_count(stream, fault->touched);
    else
        fputs("<td class=\"n\">never struck</td>", stream);
    fputs("</tr>\n", stream);
}

static void put_faults(FILE *stream, const struct aq_record *record) {
    if (record->fault_count == 0) return;
    fputs("<section class=\"card\" data-part=\"faults\"><h2>Faults</h2>\n", stream);
    aq_html_table_open(stream, "sortable", "faults", "#no.|kind|name|target|#at|#until|#touched");
    for (uint32_t i = 0; i < record->fault_count && i < AQ_HTML_ROWS_MAX; i++)
        put_fault(stream, i + 1, &record->faults[i]);
    aq_html_table_close(stream);
    aq_html_left_out(stream, record->fault_count, AQ_HTML_ROWS_MAX, "faults");
    fputs("</section>\n", stream);
}

static void put_options(FILE *stream, const struct aq_record *record) {
    if (record->option_count == 0) return;
    fputs("<details><summary>Settings in effect</summary>\n", stream);
    aq_html_table_open(stream, "sortable", "settings in effect", "name|value");
    for (uint32_t i = 0; i < record->option_count; i++) {
        fputs("<tr><th scope=\"row\">", stream);
        aq_html_text(stream, record->options[i].name);
        fputs("</th>", stream);
        aq_html_element(stream, "td", NULL, record->options[i].value);
        fputs("</tr>\n", stream);
    }
    aq_html_table_close(stream);
    fputs("</details>\n", stream);
}

static void put_marks(FILE *stream, const struct aq_record *record) {
    if (record->mark_count == 0) return;
    fputs("<details><summary>Marks: situations that the run was to reach</summary>\n", stream);
    aq_html_table_open(stream, "sortable", "marks", "mark|#hits");
    for (uint32_t i = 0; i < record->mark_count; i++) {
        fputs("<tr><th scope=\"row\">", stream);
        aq_html_text(stream, record->marks[i].name);
        fputs("</th>", stream);
        aq_html_cell_count(stream, record->marks[i].count);
        fputs("</tr>\n", stream);
    }
    aq_html_table_close(stream);
    fputs("</details>\n", stream);
}

static void put_figure_list(FILE *stream, const struct aq_record *record) {
    if (record->figure_count == 0) return;
    fputs("<details><summary>Figures of the run</summary><table><tbody><tr>", stream);
    put_figures(stream, record->figures, record->figure_count);
    fputs("</td></tr></tbody></table></details>\n", stream);
}

static void put_background(FILE *stream, const struct aq_record *record) {
    char text[160];
    fputs(
        "<section class=\"card\" data-part=\"scenario\"><h2>Scenario, settings, versions</h2>\n<dl class=\"facts\">",
        stream);
    snprintf(text, sizeof text, "allqsim %.40s, %.100s", record->version, record->build);
    aq_html_fact(stream, "version", text);
    snprintf(text, sizeof text, "%016" PRIx64, record->scenario_hash);
    aq_html_fact(stream, "scenario hash", text);
    snprintf(text, sizeof text, "%.0f MiB", (double)record->peak_rss_bytes / 1048576);
    aq_html_fact(stream, "memory", text);
    snprintf(text, sizeof text, "%d", record->exit_code);
    aq_html_fact(stream, "exit code", text);
    fputs("</dl>\n", stream);
    aq_html_scenario(stream, "Scenario as it was run", record->scenario_text);
    put_options(stream, record);
    put_marks(stream, record);
    put_figure_list(stream, record);
    fputs("</section>\n", stream);
}

int aq_html_run(FILE *stream, int64_t run, const struct aq_record *record) {
    fprintf(stream, "<article class=\"run\" id=\"run-%" PRId64 "\">\n", run);
    put_head(stream, run, record);
    put_tiles(stream, record);
    put_checks(stream, record);
    aq_html_violations(stream, record);
    put_over_time(stream, record);
    aq_html_load(stream, record);
    put_completions(stream, record);
    put_latencies(stream, record);
    put_faults(stream, record);
    put_background(stream, record);
    int rc = aq_html_data(stream, record);
    fputs("</article>\n", stream);
    return rc;
}
