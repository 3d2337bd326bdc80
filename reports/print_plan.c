/* A capacity plan, for people and as JSON. */
#include "reports/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "reports/json_write.h"
#include "reports/print_shared.h"
#include "reports/print_table.h"

const struct aq_plan_knee *aq_plan_find_knee(const struct aq_plan *plan, uint32_t servers, uint32_t down) {
    for (uint32_t i = 0; i < plan->knee_count; i++)
        if (plan->knees[i].servers == servers && plan->knees[i].down == down) return &plan->knees[i];
    return NULL;
}

const struct aq_plan_row *aq_plan_find_row(const struct aq_plan *plan, uint32_t servers, uint32_t clients,
                                           uint32_t down) {
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const struct aq_plan_row *row = &plan->rows[i];
        if (row->servers == servers && row->clients == clients && row->down == down) return row;
    }
    return NULL;
}

bool aq_plan_has_theory(const struct aq_plan *plan) {
    return plan->not_modelled[0] == '\0';
}

/* ---- numbers ---- */

const char *aq_plan_format(char *text, size_t size, double value, const char *unit) {
    if (isnan(value))
        snprintf(text, size, "-");
    else if (isinf(value))
        snprintf(text, size, "no end");
    else if (strcmp(unit, "s") == 0)
        aq_units_format_span(text, size, value > 0 ? (aq_time_us)(value * 1e6 + 0.5) : 0);
    else
        snprintf(text, size, "%.4g%s", value, unit);
    return text;
}

static void cell_value(struct aq_cell *cell, double value, const char *unit) {
    aq_plan_format(cell->text, sizeof cell->text, value, unit);
}

static void cell_clients(struct aq_cell *cell, uint32_t clients) {
    if (clients)
        aq_cell_count(cell, clients);
    else
        aq_cell_text(cell, 20, "-");
}

/* ---- the knees ---- */

static void knee_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct aq_plan *plan = arg;
    const struct aq_plan_knee *knee = &plan->knees[row];
    aq_cell_count(&cells[0], knee->servers);
    aq_cell_count(&cells[1], knee->down);
    cell_clients(&cells[2], knee->holds);
    cell_clients(&cells[3], knee->fails);
    if (aq_plan_has_theory(plan))
        cell_clients(&cells[4], knee->theory);
    else
        aq_cell_text(&cells[4], 20, "-");
    aq_cell_text(&cells[5], 70, knee->breaks);
}

static void print_knees(FILE *stream, const struct aq_plan *plan) {
    struct aq_text_table table = {
        .column_count = 6,
        .heads = {"servers", "lost", "clients", "fails at", "theory", "what breaks first"},
        .left = {[5] = true},
        .row_count = plan->knee_count,
        .row = knee_row,
        .arg = plan};
    fputs("\nMost clients that meet the objective\n", stream);
    aq_text_table_print(stream, &table);
}

/* ---- theory beside simulation ---- */

/* A row of the table is a measure at the knee of a number of servers. */
struct beside {
    const struct aq_plan *plan;
    const struct aq_plan_row *row;
};

static void beside_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct beside *beside = arg;
    const struct aq_plan_measure *measure = &beside->plan->measures[row];
    const struct aq_plan_value *value = &beside->row->values[row];
    aq_cell_text(&cells[0], 40, measure->measure);
    cell_value(&cells[1], value->mean, measure->unit);
    cell_value(&cells[2], value->half, measure->unit);
    cell_value(&cells[3], value->theory, measure->unit);
    if (isfinite(value->theory) && isfinite(value->mean) && value->theory != 0)
        snprintf(cells[4].text, sizeof cells[4].text, "%+.1f %%", 100 * (value->mean / value->theory - 1));
    else
        aq_cell_text(&cells[4], 20, "-");
}

/* At the knee that the recommendation is made of. */
static void print_beside(FILE *stream, const struct aq_plan *plan) {
    const struct aq_plan_knee *knee = plan->knee_count ? &plan->knees[plan->knee_count - 1] : NULL;
    struct beside beside = {plan,
                            knee ? aq_plan_find_row(plan, knee->servers, knee->holds, knee->down) : NULL};
    struct aq_text_table table = {.column_count = 5,
                                  .heads = {"measure", "simulation", "+-", "theory", "difference"},
                                  .left = {true},
                                  .row_count = plan->measure_count,
                                  .row = beside_row,
                                  .arg = &beside};
    if (!beside.row) return;
    fprintf(stream, "\nWith %u servers, %u of them lost, and %u clients; %u seeds\n", knee->servers,
            knee->down, knee->holds, beside.row->seeds);
    aq_text_table_print(stream, &table);
}

/* ---- the whole ---- */

static void print_head(FILE *stream, const struct aq_plan *plan) {
    char duration[40], warm_up[40], wall[40];
    aq_units_format_span(duration, sizeof duration, plan->duration_us);
    aq_units_format_span(warm_up, sizeof warm_up, plan->warm_up_us);
    aq_units_format_span(wall, sizeof wall, plan->wall_us);
    fprintf(stream, "%s: %s\n", plan->scenario, plan->objective);
    fprintf(stream,
            "  %u..%u servers, %u..%u clients by %u; a client has %.4g workers and puts %.4g jobs/s\n",
            plan->servers_from, plan->servers_to, plan->clients_from, plan->clients_to, plan->clients_step,
            plan->workers_per_client, plan->jobs_per_client_s);
    fprintf(stream,
            "  %u points, %" PRIu64 " runs (%" PRIu64
            " of them done before) of %s, the first %s not measured; %u to "
            "%u seeds; %s\n",
            plan->row_count, plan->runs, plan->reused_runs, duration, warm_up, plan->seeds_min,
            plan->seeds_max, wall);
    if (plan->shards > 1)
        fprintf(stream, "  part %" PRIu32 " of %" PRIu32 ": some of the numbers of servers\n", plan->shard,
                plan->shards);
    if (plan->interrupted)
        fputs("  interrupted: what follows is not complete; the same command goes on\n", stream);
}

int aq_print_plan_text(FILE *stream, const struct aq_plan *plan) {
    print_head(stream, plan);
    if (plan->interrupted) return ferror(stream) ? AQ_EIO : 0;
    print_knees(stream, plan);
    if (aq_plan_has_theory(plan))
        print_beside(stream, plan);
    else
        fprintf(stream, "\nTheory has nothing to say here: it does not model %s.\n", plan->not_modelled);
    for (uint32_t i = 0; i < plan->warning_count; i++)
        fprintf(stream, "%swarning: %s\n", i ? "" : "\n", plan->warnings[i]);
    if (plan->shards > 1) {
        fputs(
            "\nThe whole, with its recommendation, comes after `allqsim report merge ALL.db PART...` from the same\n"
            "command with --save ALL.db and without --shard.\n",
            stream);
    } else {
        fputs("\nRecommendation\n  ", stream);
        aq_print_wrapped(stream, 2, 2, plan->advice);
    }
    fprintf(stream, "\nReproduce: %s\n", plan->reproduce);
    return ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_text(struct aq_json_put_writer *json, const char *key, const char *text) {
    aq_json_put_key(json, key);
    aq_json_put_text(json, text);
}

static void put_count(struct aq_json_put_writer *json, const char *key, uint64_t count) {
    aq_json_put_key(json, key);
    aq_json_put_u64(json, count);
}

static void put_double(struct aq_json_put_writer *json, const char *key, double value) {
    aq_json_put_key(json, key);
    aq_json_put_double(json, value);
}

static void put_question(struct aq_json_put_writer *json, const struct aq_plan *plan) {
    put_text(json, "scenario", plan->scenario);
    put_text(json, "objective", plan->objective);
    put_count(json, "servers_from", plan->servers_from);
    put_count(json, "servers_to", plan->servers_to);
    put_count(json, "clients_from", plan->clients_from);
    put_count(json, "clients_to", plan->clients_to);
    put_count(json, "clients_step", plan->clients_step);
    put_count(json, "survive", plan->survive);
    if (plan->shards > 1) {
        put_count(json, "shard", plan->shard);
        put_count(json, "shards", plan->shards);
    }
    put_double(json, "workers_per_client", plan->workers_per_client);
    put_double(json, "jobs_per_client_s", plan->jobs_per_client_s);
    put_text(json, "not_modelled", plan->not_modelled);
}

static void put_values(struct aq_json_put_writer *json, const struct aq_plan *plan,
                       const struct aq_plan_row *row) {
    aq_json_put_key(json, "measures");
    aq_json_put_open(json, '{');
    for (uint32_t i = 0; i < plan->measure_count; i++) {
        const struct aq_plan_value *value = &row->values[i];
        aq_json_put_key(json, plan->measures[i].text);
        aq_json_put_open(json, '{');
        put_double(json, "mean", value->mean);
        put_double(json, "half", value->half);
        put_double(json, "theory", value->theory);
        if (value->held[0]) put_text(json, "held", value->held);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
}

static void put_rows(struct aq_json_put_writer *json, const struct aq_plan *plan) {
    aq_json_put_key(json, "points");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const struct aq_plan_row *row = &plan->rows[i];
        aq_json_put_open(json, '{');
        put_count(json, "servers", row->servers);
        put_count(json, "lost", row->down);
        put_count(json, "clients", row->clients);
        put_count(json, "seeds", row->seeds);
        put_text(json, "held", row->held);
        put_values(json, plan, row);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_knees(struct aq_json_put_writer *json, const struct aq_plan *plan) {
    aq_json_put_key(json, "knees");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < plan->knee_count; i++) {
        const struct aq_plan_knee *knee = &plan->knees[i];
        aq_json_put_open(json, '{');
        put_count(json, "servers", knee->servers);
        put_count(json, "lost", knee->down);
        put_count(json, "clients", knee->holds);
        put_count(json, "fails_at", knee->fails);
        put_double(json, "theory", aq_plan_has_theory(plan) ? knee->theory : NAN);
        put_text(json, "breaks_first", knee->breaks);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

int aq_print_plan_json(FILE *stream, const struct aq_plan *plan) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    put_question(&json, plan);
    aq_json_put_key(&json, "interrupted");
    aq_json_put_bool(&json, plan->interrupted);
    put_knees(&json, plan);
    put_count(&json, "recommended_servers", plan->recommended_servers);
    put_count(&json, "recommended_clients", plan->recommended_clients);
    put_text(&json, "advice", plan->advice);
    aq_json_put_key(&json, "warnings");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < plan->warning_count; i++)
        aq_json_put_text(&json, plan->warnings[i]);
    aq_json_put_close(&json, ']');
    put_rows(&json, plan);
    put_count(&json, "runs", plan->runs);
    put_count(&json, "reused_runs", plan->reused_runs);
    put_count(&json, "events", plan->events);
    put_double(&json, "wall_s", (double)plan->wall_us / 1e6);
    put_text(&json, "reproduce", plan->reproduce);
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    return ferror(stream) ? AQ_EIO : 0;
}
