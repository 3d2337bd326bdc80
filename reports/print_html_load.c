#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

static void put_server(FILE *stream, const struct aq_record_server *server) {
    fprintf(stream, "<tr><th scope=\"row\" data-v=\"%" PRIu32 "\">%" PRIu32 "</th><td><code>", server->index,
            server->index);
    aq_html_text(stream, server->id);
    fputs("</code></td><td>", stream);
    aq_html_text(stream, server->address);
    fputs("</td>", stream);
    aq_html_cell_count(stream, server->puts);
    aq_html_cell_count(stream, server->gets);
    aq_html_cell_count(stream, server->empty_gets);
    aq_html_cell_count(stream, server->completions);
    aq_html_cell_count(stream, server->choices);
    aq_html_cell_percent(stream, server->share);
    aq_html_cell_percent(stream, server->busy);
    aq_html_cell_count(stream, server->errors);
    aq_html_cell_count(stream, server->missed);
    aq_html_cell_count(stream, server->lost);
    aq_html_cell_count(stream, server->queue_max);
    fputs("</tr>\n", stream);
}

static void put_servers(FILE *stream, const struct aq_record *record) {
    fputs("<h3>Each server over the whole run</h3>\n", stream);
    aq_html_table_open(
        stream, "sortable", "load per server",
        "#no.|id|address|#puts|#gets|#empty gets|#completions|#choices|#share|#busy|#errors|#missed|#lost|"
        "#max queue");
    for (uint32_t i = 0; i < record->server_count && i < AQ_HTML_ROWS_MAX; i++)
        put_server(stream, &record->servers[i]);
    aq_html_table_close(stream);
    aq_html_left_out(stream, record->server_count, AQ_HTML_ROWS_MAX, "servers");
}

/* Wilson's score interval for a share, at 95 %. */
static void interval(uint64_t hits, uint64_t total, double *low, double *high) {
    const double z = 1.959963984540054;
    double n = (double)total, p = (double)hits / n, spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    double middle = p + z * z / (2 * n), scale = 1 + z * z / n;
    *low = (middle - spread) / scale;
    *high = (middle + spread) / scale;
    if (*low < 0) *low = 0;
    if (*high > 1) *high = 1;
}

static uint64_t total_of(const struct aq_record *record, const struct aq_record_phase *phase) {
    uint64_t total = 0;
    for (uint32_t s = 0; s < record->server_count; s++)
        total += phase->choices ? phase->choices[s] : 0;
    return total;
}

static void put_phase(FILE *stream, const struct aq_record *record, const struct aq_record_phase *phase,
                      const uint32_t *shown, uint32_t count) {
    uint64_t total = total_of(record, phase);
    fputs("<tr><th scope=\"row\">", stream);
    aq_html_text(stream, phase->name);
    fputs("</th>", stream);
    aq_html_cell_span(stream, phase->from_us);
    aq_html_cell_span(stream, phase->to_us);
    aq_html_cell_count(stream, total);
    for (uint32_t i = 0; i < count; i++) {
        double low, high;
        if (total == 0) {
            fputs("<td class=\"n\">-</td>", stream);
            continue;
        }
        uint64_t hits = phase->choices[shown[i]];
        interval(hits, total, &low, &high);
        fprintf(stream, "<td class=\"n\">%.1f&nbsp;%%<small>%.1f&ndash;%.1f</small></td>",
                100 * (double)hits / (double)total, 100 * low, 100 * high);
    }
    fputs("</tr>\n", stream);
}

static void put_phases(FILE *stream, const struct aq_record *record) {
    uint32_t shown[AQ_HTML_SERVERS_MAX], count = aq_html_choose_servers(record, shown);
    char columns[512] = "phase|#from|#to|#choices";
    size_t used = strlen(columns);
    for (uint32_t i = 0; i < count; i++)
        used += (size_t)snprintf(columns + used, sizeof columns - used, "|#server %" PRIu32, shown[i]);
    fputs(
        "<h3>Shares before, during and after each fault</h3>\n"
        "<p class=\"note\">Of the clients' free choices, with the 95 % interval (Wilson). A phase lasts from one change "
        "of the faults in force to the next.</p>\n",
        stream);
    aq_html_table_open(stream, "", "shares by phase", columns);
    for (uint32_t i = 0; i < record->phase_count && i < AQ_HTML_PHASES_MAX; i++)
        put_phase(stream, record, &record->phases[i], shown, count);
    aq_html_table_close(stream);
    aq_html_left_out(stream, record->phase_count, AQ_HTML_PHASES_MAX, "phases");
    aq_html_left_out(stream, record->server_count, AQ_HTML_SERVERS_MAX, "servers, each with fewer choices,");
}

void aq_html_load(FILE *stream, const struct aq_record *record) {
    if (record->server_count == 0) return;
    fputs("<section class=\"card\" data-part=\"load\"><h2>Load per server</h2>\n", stream);
    aq_html_chart(stream, "load", "Choices per second, stacked by server",
                  "What the clients chose freely; retries are no choices.");
    if (record->phase_count) {
        aq_html_chart(stream, "shares", "Share of the choices by phase, with 95 % intervals",
                      "The dashed line is an even share over all servers.");
        put_phases(stream, record);
    }
    put_servers(stream, record);
    fputs("</section>\n", stream);
}
