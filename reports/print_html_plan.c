/* The page of a capacity plan. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/json_write.h"
#include "reports/print_html.h"

static uint32_t shown_points(const struct aq_plan *plan) {
    return plan->row_count < AQ_HTML_PLAN_POINTS_MAX ? plan->row_count : AQ_HTML_PLAN_POINTS_MAX;
}

/* ---- head ---- */

static void put_facts(FILE *stream, const struct aq_plan *plan) {
    char text[200], a[48], b[48];
    fputs("<dl class=\"facts\">", stream);
    snprintf(text, sizeof text, "%" PRIu32 " to %" PRIu32, plan->servers_from, plan->servers_to);
    aq_html_fact(stream, "servers asked for", text);
    snprintf(text, sizeof text, "%s to %s by %" PRIu32,
             aq_units_format_count(a, sizeof a, plan->clients_from),
             aq_units_format_count(b, sizeof b, plan->clients_to), plan->clients_step);
    aq_html_fact(stream, "clients asked for", text);
    snprintf(text, sizeof text, "%" PRIu32, plan->survive);
    aq_html_fact(stream, "servers whose loss is to be borne", text);
    snprintf(text, sizeof text, "%.4g workers, %.4g jobs/s", plan->workers_per_client,
             plan->jobs_per_client_s);
    aq_html_fact(stream, "each client has", text);
    snprintf(text, sizeof text, "clients %.20s, servers %.20s", plan->client_profile, plan->server_profile);
    aq_html_fact(stream, "profiles", text);
    if (plan->duration_us) {
        snprintf(text, sizeof text, "%s, the first %s not measured",
                 aq_units_format_span(a, sizeof a, plan->duration_us),
                 aq_units_format_span(b, sizeof b, plan->warm_up_us));
        aq_html_fact(stream, "each run", text);
        snprintf(text, sizeof text, "%" PRIu32 " to %" PRIu32, plan->seeds_min, plan->seeds_max);
        aq_html_fact(stream, "seeds of each point", text);
    }
    snprintf(text, sizeof text, "%s, %s of them done before", aq_units_format_count(a, sizeof a, plan->runs),
             aq_units_format_count(b, sizeof b, plan->reused_runs));
    aq_html_fact(stream, "runs", text);
    aq_html_fact(stream, "took", aq_units_format_span(a, sizeof a, plan->wall_us));
    fputs("</dl>\n", stream);
}

static const char *verdict_class(const struct aq_plan *plan) {
    return plan->interrupted ? "unknown" : plan->recommended_clients ? "pass" : "fail";
}

static void put_badge(FILE *stream, const struct aq_plan *plan) {
    char count[32];
    fprintf(stream, "<header class=\"verdict %s\"><p class=\"badge\">", verdict_class(plan));
    if (plan->interrupted)
        fputs("interrupted", stream);
    else if (plan->recommended_clients)
        fprintf(stream, "%s clients on %" PRIu32 " server%s",
                aq_units_format_count(count, sizeof count, plan->recommended_clients),
                plan->recommended_servers, plan->recommended_servers == 1 ? "" : "s");
    else
        fputs("no recommendation", stream);
    fputs("</p>", stream);
}

static void put_head(FILE *stream, const struct aq_stored_plan *stored) {
    const struct aq_plan *plan = &stored->plan;
    put_badge(stream, plan);
    aq_html_element(stream, "h1", NULL, plan->scenario);
    fputs("\n<p class=\"reason\">", stream);
    if (plan->interrupted)
        fputs("Interrupted: what follows is not complete; the same command goes on.", stream);
    else
        aq_html_text(stream, plan->advice);
    fputs("</p>\n<p class=\"summary\">Objective: ", stream);
    aq_html_element(stream, "code", NULL, plan->objective);
    fputs("</p>\n", stream);
    aq_html_command(stream, "Reproduce", plan->reproduce);
    put_facts(stream, plan);
    fprintf(stream, "<p class=\"note\">plan %" PRId64 " of its database</p>\n</header>\n", stored->number);
}

static void put_warnings(FILE *stream, const struct aq_plan *plan) {
    if (!plan->warning_count) return;
    fputs("<section class=\"card warnings\" data-part=\"warnings\"><h2>Warnings</h2>\n<ul>", stream);
    for (uint32_t i = 0; i < plan->warning_count && i < AQ_HTML_ROWS_MAX; i++)
        aq_html_element(stream, "li", NULL, plan->warnings[i]);
    fputs("</ul>\n", stream);
    aq_html_left_out(stream, plan->warning_count, AQ_HTML_ROWS_MAX, "warnings");
    fputs("</section>\n", stream);
}

/* ---- knees ---- */

static void put_clients(FILE *stream, uint32_t clients, const char *none) {
    if (clients)
        aq_html_cell_count(stream, clients);
    else
        fprintf(stream, "<td class=\"n\" data-v=\"\">%s</td>", none);
}

static bool is_recommended(const struct aq_plan *plan, const struct aq_plan_knee *knee) {
    uint32_t down = plan->servers_to > plan->survive ? plan->survive : 0;
    return plan->recommended_clients && knee->servers == plan->recommended_servers && knee->down == down;
}

static void put_knee(FILE *stream, const struct aq_plan *plan, const struct aq_plan_knee *knee) {
    fprintf(stream, "<tr%s>", is_recommended(plan, knee) ? " class=\"chosen\"" : "");
    aq_html_cell_count(stream, knee->servers);
    aq_html_cell_count(stream, knee->down);
    put_clients(stream, knee->holds, "none");
    if (knee->holds)
        fprintf(stream, "<td class=\"n\" data-v=\"%.6g\">%.0f</td>", (double)knee->holds / knee->servers,
                floor((double)knee->holds / knee->servers));
    else
        fputs("<td class=\"n\" data-v=\"\">-</td>", stream);
    put_clients(stream, knee->fails, "not up to the end");
    put_clients(stream, knee->theory, aq_plan_has_theory(plan) ? "none" : "-");
    fputs("<td>", stream);
    aq_html_text(stream, knee->breaks);
    if (is_recommended(plan, knee)) fputs(" <span class=\"tag pass\">recommended</span>", stream);
    fputs("</td></tr>\n", stream);
}

static void put_knees(FILE *stream, const struct aq_plan *plan) {
    if (!plan->knee_count) return;
    fputs("<section class=\"card\" data-part=\"knees\"><h2>Clients by servers</h2>\n", stream);
    aq_html_chart(
        stream, "knees", "Most clients that meet the objective",
        "The band reaches up to the next number of clients that was looked at, with which it fails. "
        "A triangle: it held up to the end of what was asked for. Dashed: theory.");
    if (!aq_plan_has_theory(plan)) {
        fputs("<p class=\"note\">Theory has nothing to say here: it does not model ", stream);
        aq_html_text(stream, plan->not_modelled);
        fputs(".</p>\n", stream);
    }
    aq_html_table_open(stream, "sortable knees", "knees",
                       "#servers|#lost|#clients|#for each server|#fails at|#theory|what breaks first");
    for (uint32_t i = 0; i < plan->knee_count && i < AQ_HTML_ROWS_MAX; i++)
        put_knee(stream, plan, &plan->knees[i]);
    aq_html_table_close(stream);
    aq_html_left_out(stream, plan->knee_count, AQ_HTML_ROWS_MAX, "numbers of servers");
    fputs("</section>\n", stream);
}

/* ---- measures ---- */

/* Units come from the database as well. */
static void put_value(FILE *stream, double value, const char *unit) {
    char text[64];
    aq_html_text(stream, aq_plan_format(text, sizeof text, value, unit));
}

/* A value in its unit, with the plain one for sorting. */
static void put_value_cell(FILE *stream, double value, const char *unit) {
    fputs("<td class=\"n\" data-v=\"", stream);
    if (isfinite(value)) fprintf(stream, "%.9g", value);
    fputs(isinf(value) ? "Infinity\">" : "\">", stream);
    put_value(stream, value, unit);
    fputs("</td>", stream);
}

static void put_beside_row(FILE *stream, const struct aq_plan_measure *measure,
                           const struct aq_plan_value *value) {
    fputs("<tr><th scope=\"row\">", stream);
    aq_html_text(stream, measure->measure);
    fputs("</th>", stream);
    put_value_cell(stream, value->mean, measure->unit);
    put_value_cell(stream, value->half, measure->unit);
    put_value_cell(stream, value->theory, measure->unit);
    if (isfinite(value->theory) && isfinite(value->mean) && value->theory != 0)
        fprintf(stream, "<td class=\"n\" data-v=\"%.9g\">%+.1f&nbsp;%%</td>", value->mean / value->theory - 1,
                100 * (value->mean / value->theory - 1));
    else
        fputs("<td class=\"n\" data-v=\"\">-</td>", stream);
    fputs("</tr>\n", stream);
}

/* Theory and simulation at the knee that the recommendation is made of. */
static void put_beside(FILE *stream, const struct aq_plan *plan) {
    const struct aq_plan_knee *knee = plan->knee_count ? &plan->knees[plan->knee_count - 1] : NULL;
    const struct aq_plan_row *row =
        knee ? aq_plan_find_row(plan, knee->servers, knee->holds, knee->down) : NULL;
    if (!row || !aq_plan_has_theory(plan)) return;
    fprintf(stream,
            "<h3>Simulation and theory with %" PRIu32 " servers, %" PRIu32 " of them lost, and %" PRIu32
            " clients</h3>\n",
            knee->servers, knee->down, knee->holds);
    aq_html_table_open(stream, "sortable", "simulation and theory",
                       "measure|#simulation|#\xc2\xb1|#theory|#difference");
    for (uint32_t i = 0; i < plan->measure_count; i++)
        put_beside_row(stream, &plan->measures[i], &row->values[i]);
    aq_html_table_close(stream);
}

static void put_measures(FILE *stream, const struct aq_plan *plan) {
    if (!plan->row_count || !plan->measure_count) return;
    fputs("<section class=\"card\" data-part=\"measures\"><h2>What was measured</h2>\n", stream);
    aq_html_chart(
        stream, "measure", "A measure by the number of clients",
        "A line for each number of servers, with the 95 % interval of the mean over the seeds. Dashed: theory; "
        "dotted: the bound of the objective. Only the points that the search looked at are there.");
    put_beside(stream, plan);
    fputs("</section>\n", stream);
}

static void put_mean_cell(FILE *stream, const struct aq_plan_value *value, const char *unit) {
    fputs("<td class=\"n\" data-v=\"", stream);
    if (isfinite(value->mean)) fprintf(stream, "%.9g", value->mean);
    fputs("\">", stream);
    put_value(stream, value->mean, unit);
    if (isfinite(value->half)) {
        fputs("<small>&plusmn; ", stream);
        put_value(stream, value->half, unit);
        fputs("</small>", stream);
    }
    fputs("</td>", stream);
}

static const char *class_of_held(const char *held) {
    return held[0] == 'h' ? "pass" : held[0] == 'f' ? "fail" : "unknown";
}

static void put_point(FILE *stream, const struct aq_plan *plan, const struct aq_plan_row *row) {
    fputs("<tr>", stream);
    aq_html_cell_count(stream, row->servers);
    aq_html_cell_count(stream, row->down);
    aq_html_cell_count(stream, row->clients);
    aq_html_cell_count(stream, row->seeds);
    fprintf(stream, "<td><span class=\"tag %s\">", class_of_held(row->held));
    aq_html_text(stream, row->held);
    fputs("</span></td>", stream);
    for (uint32_t i = 0; i < plan->measure_count; i++)
        put_mean_cell(stream, &row->values[i], plan->measures[i].unit);
    fputs("</tr>\n", stream);
}

static void put_points(FILE *stream, const struct aq_plan *plan) {
    static const char *const fixed[] = {"#servers", "#lost", "#clients", "#seeds", "objective"};
    uint32_t shown = shown_points(plan);
    if (!shown) return;
    fputs("<section class=\"card\" data-part=\"points\"><h2>Every point</h2>\n<details><summary>", stream);
    fprintf(stream,
            "%" PRIu32 " points with the means over their seeds and half of the 95 %% intervals</summary>\n",
            shown);
    aq_html_table_begin(stream, "sortable points", "points");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        aq_html_table_column(stream, fixed[i] + (fixed[i][0] == '#'), fixed[i][0] == '#');
    for (uint32_t i = 0; i < plan->measure_count; i++)
        aq_html_table_column(stream, plan->measures[i].measure, true);
    aq_html_table_body(stream);
    for (uint32_t i = 0; i < shown; i++)
        put_point(stream, plan, &plan->rows[i]);
    aq_html_table_close(stream);
    fputs("</details>\n", stream);
    aq_html_left_out(stream, plan->row_count, shown, "points");
    fputs("</section>\n", stream);
}

/* ---- configuration ---- */

static void put_background(FILE *stream, const struct aq_plan *plan) {
    char text[200];
    fputs("<section class=\"card\" data-part=\"scenario\"><h2>Scenario, versions</h2>\n<dl class=\"facts\">",
          stream);
    snprintf(text, sizeof text, "allqsim %.40s, %.100s", plan->version, plan->build);
    aq_html_fact(stream, "version", text);
    snprintf(text, sizeof text, "%016" PRIx64, plan->scenario_hash);
    aq_html_fact(stream, "scenario hash", text);
    if (plan->events) aq_html_fact(stream, "events", aq_units_format_count(text, sizeof text, plan->events));
    fputs("</dl>\n", stream);
    aq_html_scenario(stream, "The scenario that was scaled", plan->scenario_text);
    fputs("</section>\n", stream);
}

/* ---- the numbers behind the charts ---- */

/* Six digits are more than a chart shows; what is no number is null. */
static void put_number(struct aq_json_put_writer *json, double value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.6g", value + 0.0);
    if (isfinite(value))
        aq_json_put_number_text(json, digits);
    else
        aq_json_put_double(json, value);
}

static void put_measure_data(struct aq_json_put_writer *json, const struct aq_plan *plan) {
    aq_json_field_open(json, "measures", '[');
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        const struct aq_plan_measure *measure = &plan->measures[i];
        aq_json_put_open(json, '{');
        aq_json_field_text(json, "text", measure->text);
        aq_json_field_text(json, "unit", measure->unit);
        aq_json_field_double(json, "bound", i < plan->term_count ? measure->bound : NAN);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

/* Servers, lost, clients, seeds, held, then for each measure mean, half, theory, held. */
static void put_point_data(struct aq_json_put_writer *json, const struct aq_plan *plan,
                           const struct aq_plan_row *row) {
    aq_json_put_open(json, '[');
    aq_json_put_u64(json, row->servers);
    aq_json_put_u64(json, row->down);
    aq_json_put_u64(json, row->clients);
    aq_json_put_u64(json, row->seeds);
    aq_json_put_text(json, row->held);
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        put_number(json, row->values[i].mean);
        put_number(json, row->values[i].half);
        put_number(json, row->values[i].theory);
        aq_json_put_text(json, row->values[i].held);
    }
    aq_json_put_close(json, ']');
}

/* 0: none; of `fails`, that there is no such number. */
static void put_knee_data(struct aq_json_put_writer *json, const struct aq_plan *plan) {
    aq_json_field_open(json, "knees", '[');
    for (uint32_t i = 0; i < plan->knee_count && i < AQ_HTML_PLAN_POINTS_MAX; i++) {
        const struct aq_plan_knee *knee = &plan->knees[i];
        const uint32_t numbers[] = {knee->servers, knee->down, knee->holds, knee->fails, knee->theory};
        aq_json_put_open(json, '[');
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            aq_json_put_u64(json, numbers[k]);
        aq_json_put_close(json, ']');
    }
    aq_json_put_close(json, ']');
}

static void put_data(FILE *stream, const struct aq_plan *plan) {
    struct aq_json_put_writer json = {.stream = stream, .for_html = true};
    fputs("<script type=\"application/json\" class=\"data\">", stream);
    aq_json_put_open(&json, '{');
    put_measure_data(&json, plan);
    aq_json_field_open(&json, "points", '[');
    for (uint32_t i = 0; i < shown_points(plan); i++)
        put_point_data(&json, plan, &plan->rows[i]);
    aq_json_put_close(&json, ']');
    put_knee_data(&json, plan);
    aq_json_field_bool(&json, "theory", aq_plan_has_theory(plan));
    aq_json_field_u64(&json, "lines_max", AQ_HTML_SERVERS_MAX);
    aq_json_put_close(&json, '}');
    fputs("</script>\n", stream);
}

int aq_html_plan(FILE *stream, const struct aq_stored_plan *stored) {
    const struct aq_plan *plan = &stored->plan;
    fprintf(stream, "<article class=\"plan\" id=\"plan-%" PRId64 "\">\n", stored->number);
    put_head(stream, stored);
    put_warnings(stream, plan);
    put_knees(stream, plan);
    int rc = aq_html_heat_map(stream, plan, shown_points(plan));
    put_measures(stream, plan);
    put_points(stream, plan);
    put_background(stream, plan);
    put_data(stream, plan);
    fputs("</article>\n", stream);
    return rc;
}
