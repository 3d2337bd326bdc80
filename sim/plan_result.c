#include "sim/plan_result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"

#define SATURATED_FROM 0.85 /* utilisation of the busiest server */
#define UNFAIR_BELOW   0.9  /* Jain's index of the requests of servers */
#define PARTS_FROM     0.1  /* theory and simulation: relative difference that is worth a warning */
#define TEXT_CHARS_MAX 1200

/* Measures that stand in every plan, beside the terms. */
static const char *const extra_measures[] = {"throughput",        "utilization", "mean(put)",
                                             "mean(get)",         "mean(done)",  "empty_get_ratio",
                                             "hidden_work_ratio", "fairness"};
#define EXTRA_MEASURES (sizeof extra_measures / sizeof *extra_measures)

struct work {
    const struct aq_planner *planner;
    const struct aq_plan_scale *scale;
    struct aq_arena *memory;
    struct aq_plan *plan;
    const char *figures[AQ_OBJECTIVE_TERMS_MAX + EXTRA_MEASURES]; /* by measure */
    bool failed;
};

static const char *format(struct work *w, const char *text, ...) __attribute__((format(printf, 2, 3)));
static const char *format(struct work *w, const char *text, ...) {
    char buffer[TEXT_CHARS_MAX];
    va_list args;
    va_start(args, text);
    vsnprintf(buffer, sizeof buffer, text, args);
    va_end(args);
    char *copy = aq_arena_alloc(w->memory, strlen(buffer) + 1);
    w->failed |= !copy;
    return copy ? strcpy(copy, buffer) : "";
}

static void *room(struct work *w, size_t count, size_t bytes) {
    void *memory = aq_arena_alloc(w->memory, count * bytes + 1);
    w->failed |= !memory;
    return memory;
}

/* ---- theory ---- */

void aq_plan_forecast(const struct aq_plan_scale *scale, uint32_t servers, uint32_t clients, uint32_t down,
                      struct aq_forecast *out) {
    struct aq_scenario scaled = *scale->base;
    scaled.servers.count = servers;
    scaled.clients.count = clients;
    scaled.workers.count = (uint32_t)(clients * scale->workers_per_client + 0.5);
    scaled.producers.rate_per_s = clients * scale->jobs_per_client_s;
    aq_forecast_make(&scaled, servers - down, out);
}

/* Do all terms hold of which theory has something to say? */
static bool theory_holds(const struct aq_forecast *forecast, const struct aq_objective *objective) {
    double value;
    for (uint32_t i = 0; i < objective->count; i++)
        if (aq_forecast_figure(forecast, objective->terms[i].figure, &value) &&
            aq_objective_judge(&objective->terms[i], value, value) != AQ_HELD_YES)
            return false;
    return forecast->limit == AQ_FORECAST_NONE;
}

static uint32_t theory_knee(const struct work *w, uint32_t servers, uint32_t down) {
    const struct aq_plan_grid *grid = &w->planner->grid;
    struct aq_forecast forecast;
    for (uint32_t i = aq_plan_grid_count(grid); i-- > 0;) {
        uint32_t clients = aq_plan_grid_clients(grid, i);
        aq_plan_forecast(w->scale, servers, clients, down, &forecast);
        if (theory_holds(&forecast, w->planner->objective)) return clients;
    }
    return 0;
}

/* ---- measures and points ---- */

static const char *unit_of(const char *figure) {
    size_t length = strlen(figure);
    if (length > 6 && strcmp(figure + length - 6, "_per_s") == 0) return "/s";
    return length > 2 && strcmp(figure + length - 2, "_s") == 0 ? "s" : "";
}

static bool is_there(const struct work *w, const char *figure) {
    for (uint32_t i = 0; i < w->plan->measure_count; i++)
        if (strcmp(w->figures[i], figure) == 0) return true;
    return false;
}

static void list_measures(struct work *w) {
    const struct aq_objective *objective = w->planner->objective;
    struct aq_plan_measure *list = room(w, objective->count + EXTRA_MEASURES, sizeof *list);
    if (!list) return;
    w->plan->measures = list;
    for (uint32_t i = 0; i < objective->count; i++) {
        const struct aq_objective_term *term = &objective->terms[i];
        w->figures[w->plan->measure_count] = term->figure;
        list[w->plan->measure_count++] = (struct aq_plan_measure){
            format(w, "%s", term->text), format(w, "%s", term->measure), unit_of(term->figure), term->bound};
    }
    w->plan->term_count = objective->count;
    for (size_t i = 0; i < EXTRA_MEASURES; i++) {
        char figure[AQ_MEASURE_CHARS_MAX];
        int rc = aq_objective_figure(extra_measures[i], "", figure, NULL);
        AQ_ASSERT(rc == 0);
        if (is_there(w, figure)) continue;
        w->figures[w->plan->measure_count] = format(w, "%s", figure);
        list[w->plan->measure_count++] =
            (struct aq_plan_measure){extra_measures[i], extra_measures[i], unit_of(figure), NAN};
    }
}

static const struct aq_plan_value *values_of(struct work *w, const struct aq_plan_point *point) {
    struct aq_plan_value *values = room(w, w->plan->measure_count, sizeof *values);
    struct aq_forecast forecast;
    if (!values) return NULL;
    aq_plan_forecast(w->scale, point->servers, point->clients, point->down, &forecast);
    for (uint32_t i = 0; i < w->plan->measure_count; i++) {
        struct aq_mean_interval found = aq_plan_point_figure(point, w->figures[i]);
        values[i] = (struct aq_plan_value){found.mean, found.half, NAN, ""};
        (void)aq_forecast_figure(&forecast, w->figures[i], &values[i].theory);
        if (i < w->plan->term_count)
            values[i].held = aq_held_word(aq_objective_judge(
                &w->planner->objective->terms[i], found.mean - found.half, found.mean + found.half));
    }
    return values;
}

static int by_place(const void *a, const void *b) {
    const struct aq_plan_row *one = a, *other = b;
    if (one->servers != other->servers) return one->servers < other->servers ? -1 : 1;
    if (one->down != other->down) return one->down < other->down ? -1 : 1;
    return (one->clients > other->clients) - (one->clients < other->clients);
}

static void list_rows(struct work *w) {
    const struct aq_planner *planner = w->planner;
    struct aq_plan_row *rows = room(w, planner->point_count, sizeof *rows);
    if (!rows) return;
    for (uint32_t i = 0; i < planner->point_count; i++) {
        const struct aq_plan_point *point = &planner->points[i];
        if (!point->decided) continue;
        rows[w->plan->row_count++] = (struct aq_plan_row){
            point->servers,     point->clients, point->down, point->have, aq_held_word(point->held),
            values_of(w, point)};
    }
    qsort(rows, w->plan->row_count, sizeof *rows, by_place);
    w->plan->rows = rows;
}

/* ---- what breaks first ---- */

static double mean_of(const struct aq_plan_point *point, const char *figure) {
    return aq_plan_point_figure(point, figure).mean;
}

/* The number of clients would be borne if the servers that are lost had never been there. */
static bool is_storm(const struct work *w, const struct aq_plan_point *point) {
    const struct aq_plan_search *fewer =
        point->down ? aq_planner_search(w->planner, point->servers - point->down, 0) : NULL;
    return fewer && fewer->done && fewer->low >= 0 &&
           aq_plan_grid_clients(&w->planner->grid, (uint32_t)fewer->low) >= point->clients;
}

static const char *what_breaks(struct work *w, const struct aq_plan_point *point) {
    const struct aq_objective *objective = w->planner->objective;
    uint32_t first;
    char value[64];
    enum aq_held held = aq_plan_point_judge(point, objective, &first);
    if (held == AQ_HELD_YES) return "";
    const struct aq_objective_term *term = &objective->terms[first];
    double found = mean_of(point, term->figure), busiest = mean_of(point, "run.steady_utilization_max");
    const char *why = "the bound itself";
    if (strstr(term->figure, "empty_get") || strstr(term->figure, "hidden_work"))
        why = "empty gets";
    else if (is_storm(w, point))
        why = "failover storm";
    else if (strstr(term->figure, "fairness") ||
             (busiest >= SATURATED_FROM && mean_of(point, "run.steady_fairness") < UNFAIR_BELOW &&
              !point->down))
        why = "unfair share";
    else if (busiest >= SATURATED_FROM)
        why = "server saturated";
    else if (mean_of(point, "run.steady_ready_growth_per_s") >
             0.05 * mean_of(point, "run.steady_throughput_per_s"))
        why = "too few workers";
    if (strcmp(unit_of(term->figure), "s") == 0)
        snprintf(value, sizeof value, "%.4g ms", found * 1000);
    else
        snprintf(value, sizeof value, "%.4g%s", found, unit_of(term->figure));
    return format(w, "%s: %s is %s%s", why, term->measure, isnan(found) ? "not there" : value,
                  held == AQ_HELD_OPEN ? ", too near to tell" : "");
}

static void list_knees(struct work *w) {
    const struct aq_planner *planner = w->planner;
    const struct aq_plan_grid *grid = &planner->grid;
    struct aq_plan_knee *knees = room(w, planner->search_count, sizeof *knees);
    if (!knees) return;
    for (uint32_t i = 0; i < planner->search_count; i++) {
        const struct aq_plan_search *search = &planner->searches[i];
        if (!search->done) continue;
        struct aq_plan_knee *knee = &knees[w->plan->knee_count++];
        *knee = (struct aq_plan_knee){.servers = search->servers, .down = search->down, .breaks = ""};
        int64_t above = search->low < 0 ? 0 : search->high;
        if (search->low >= 0) knee->holds = aq_plan_grid_clients(grid, (uint32_t)search->low);
        if (above < (int64_t)aq_plan_grid_count(grid)) {
            knee->fails = aq_plan_grid_clients(grid, (uint32_t)above);
            const struct aq_plan_point *point =
                aq_planner_point(planner, knee->servers, knee->fails, knee->down);
            if (point) knee->breaks = what_breaks(w, point);
        }
        if (!w->plan->not_modelled[0]) knee->theory = theory_knee(w, search->servers, search->down);
    }
    w->plan->knees = knees;
}

/* ---- warnings ---- */

static void warn(struct work *w, const char **list, const char *text) {
    if (w->plan->warning_count < 2 * w->plan->knee_count) list[w->plan->warning_count++] = text;
}

/* At the knee, where it matters. Servers that are lost leave work behind that theory knows nothing of. */
static void compare_with_theory(struct work *w, const struct aq_plan_knee *knee, const char **list) {
    const struct aq_plan_row *row = aq_plan_find_row(w->plan, knee->servers, knee->holds, knee->down);
    const struct aq_plan_measure *worst = NULL;
    double most = PARTS_FROM;
    for (uint32_t i = 0; row && !knee->down && i < w->plan->measure_count; i++) {
        const struct aq_plan_value *value = &row->values[i];
        if (!isfinite(value->theory) || !isfinite(value->mean) || value->theory <= 0) continue;
        double apart = fabs(value->mean - value->theory);
        if (apart <= value->half || apart / value->theory <= most) continue;
        most = apart / value->theory;
        worst = &w->plan->measures[i];
    }
    if (worst)
        warn(
            w, list,
            format(
                w,
                "%u servers, %u clients: %s is %.0f %% from what theory says, and nothing that is not modelled is "
                "in the scenario",
                knee->servers, knee->holds, worst->measure, most * 100));
    int64_t steps = ((int64_t)knee->holds - (int64_t)knee->theory) / (int64_t)w->plan->clients_step;
    if (!knee->down && knee->fails && (steps > 1 || steps < -1))
        warn(w, list,
             format(w, "%u servers: the objective holds up to %u clients, by theory up to %u", knee->servers,
                    knee->holds, knee->theory));
}

static void list_warnings(struct work *w) {
    const char **list = room(w, 2 * (size_t)w->plan->knee_count, sizeof *list);
    if (!list) return;
    w->plan->warnings = list;
    for (uint32_t i = 0; i < w->plan->knee_count && !w->plan->not_modelled[0]; i++)
        compare_with_theory(w, &w->plan->knees[i], list);
}

/* ---- advice ---- */

static const char *limit_text(struct work *w, const struct aq_plan_knee *knee) {
    if (!knee->fails)
        return format(w, "that is the end of what was asked for (--clients): there may be more room");
    return format(w, "at %u %s", knee->fails, knee->breaks);
}

static void advise(struct work *w) {
    struct aq_plan *plan = w->plan;
    uint32_t servers = plan->servers_to, down = servers > plan->survive ? plan->survive : 0;
    const struct aq_plan_knee *all = aq_plan_find_knee(plan, servers, 0);
    const struct aq_plan_knee *knee = aq_plan_find_knee(plan, servers, down);
    plan->advice = "";
    if (!all || !knee || plan->shards > 1) return;
    /* more than the whole fleet carries is no recommendation, whatever it survives */
    uint32_t clients = knee->holds < all->holds ? knee->holds : all->holds;
    plan->recommended_servers = servers;
    plan->recommended_clients = clients;
    if (plan->survive && servers <= plan->survive) {
        plan->recommended_clients = 0;
        plan->advice = format(w, "None: of %u servers %u cannot be lost. Ask for more with --servers.",
                              servers, plan->survive);
        return;
    }
    if (!clients) {
        plan->advice = format(
            w, "None: %u servers%s do not meet the objective with any of these numbers of clients: %s.",
            servers, down ? format(w, " of which %u are lost", down) : "", limit_text(w, knee));
        return;
    }
    if (!down) {
        plan->advice =
            format(w,
                   "Up to %.0f clients for each server: %u servers carry %u clients; %s. That leaves nothing "
                   "for the loss of a server: --survive 1 asks for it.",
                   floor((double)clients / servers), servers, clients, limit_text(w, all));
        return;
    }
    plan->advice =
        format(w,
               "Up to %.0f clients for each server: with %u servers %u clients, so that the objective still "
               "holds while and after %u of them %s lost (%.0f clients for each one left); %s. With all "
               "servers up the limit is %u clients; %s.",
               floor((double)clients / servers), servers, clients, down, down == 1 ? "is" : "are",
               ceil((double)clients / (servers - down)), limit_text(w, knee), all->holds, limit_text(w, all));
}

int aq_plan_conclude(const struct aq_planner *planner, const struct aq_plan_scale *scale,
                     struct aq_arena *memory, struct aq_plan *plan) {
    struct work w = {.planner = planner, .scale = scale, .memory = memory, .plan = plan};
    struct aq_forecast forecast;
    plan->measure_count = plan->row_count = plan->knee_count = plan->warning_count = 0;
    plan->recommended_clients = plan->recommended_servers = 0;
    aq_plan_forecast(scale, planner->grid.servers_from, planner->grid.clients_from, 0, &forecast);
    plan->not_modelled = forecast.not_modelled ? forecast.not_modelled : "";
    list_measures(&w);
    if (!w.failed) list_rows(&w);
    if (!w.failed) list_knees(&w);
    if (!w.failed) list_warnings(&w);
    if (!w.failed) advise(&w);
    return w.failed ? AQ_ENOMEM : 0;
}
