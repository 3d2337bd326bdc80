/* The figures of a group of pairs: means, paired differences with their intervals, and the tolerance. */
#include "reports/compare_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "reports/record_measure.h"

/* Fewer pairs give an interval so wide that nothing would ever be beyond it. */
#define PAIRS_FOR_NOISE 3

/* Two sides of one figure, and sums by Welford's method. Source: B. P. Welford, "Note on a method for
   calculating corrected sums of squares and products", Technometrics 4 (1962). */
struct sums {
    const char *name;    /* in the arena */
    double value[2];     /* of the pair at hand */
    uint32_t pair_of[2]; /* number of the pair that the value is of, from 1 */
    uint32_t pairs, one_sided;
    double mean[2], difference_mean, base_squares, difference_squares;
};

struct gathering {
    struct sums *sums; /* owned */
    uint32_t count, capacity, cursor;
    uint32_t pair; /* from 1 */
    int side;      /* 0: the base */
    struct aq_arena *memory;
};

/* ---- Student's t ---- */

/* The deviate that leaves 2.5 % above it. Beyond the table: the first terms of the expansion of Cornish and
   Fisher, exact to four digits there. Source: Abramowitz and Stegun, Handbook of Mathematical Functions,
   table 26.10 and 26.7.5. */
static double t_95(uint32_t freedom) {
    static const double table[] = {0,     12.706, 4.303, 3.182, 2.776, 2.571, 2.447,
                                   2.365, 2.306,  2.262, 2.228, 2.201, 2.179, 2.160,
                                   2.145, 2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
    double z = 1.959963984540054, v = freedom;
    if (freedom < sizeof table / sizeof *table) return table[freedom];
    return z + (z * z * z + z) / (4 * v) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * v * v);
}

/* ---- gathering ---- */

/* Figures come in the same order in each record, nearly: the one behind the last is tried first. */
static struct sums *find(struct gathering *g, const char *name) {
    if (g->cursor < g->count && strcmp(g->sums[g->cursor].name, name) == 0) return &g->sums[g->cursor++];
    for (uint32_t i = 0; i < g->count; i++)
        if (strcmp(g->sums[i].name, name) == 0) {
            g->cursor = i + 1;
            return &g->sums[i];
        }
    return NULL;
}

static struct sums *add(struct gathering *g, const char *name) {
    size_t bytes = strlen(name) + 1;
    char *copy = aq_arena_alloc(g->memory, bytes);
    if (!copy || aq_array_reserve(&g->sums, &g->capacity, (size_t)g->count + 1, sizeof *g->sums)) return NULL;
    memcpy(copy, name, bytes);
    g->sums[g->count] = (struct sums){.name = copy};
    return &g->sums[g->count++];
}

/* What is not a number is as if it were not there; of figures of one name the first counts. */
static int take(void *arg, const char *name, double value) {
    struct gathering *g = arg;
    if (isnan(value)) return 0;
    struct sums *sums = find(g, name);
    if (!sums) sums = add(g, name);
    if (!sums) return AQ_ENOMEM;
    if (sums->pair_of[g->side] == g->pair) return 0;
    sums->value[g->side] = value;
    sums->pair_of[g->side] = g->pair;
    return 0;
}

static int take_machine(struct gathering *g, const struct aq_record *record) {
    double wall_s = (double)record->wall_us / 1e6;
    int rc = take(g, "machine.wall_s", wall_s);
    if (!rc) rc = take(g, "machine.events_per_s", wall_s > 0 ? (double)record->events / wall_s : NAN);
    return rc ? rc : take(g, "machine.peak_rss_bytes", (double)record->peak_rss_bytes);
}

static int take_run(struct gathering *g, const struct aq_runs *runs, const struct aq_run_head *head,
                    bool whole) {
    struct aq_record record;
    g->cursor = 0;
    int rc = take_machine(g, &head->record);
    if (rc || !whole) return rc;
    aq_record_init(&record);
    rc = runs->load(runs->arg, head->run, &record);
    if (!rc) rc = take(g, "run.events", (double)record.events);
    if (!rc) rc = take(g, "run.virtual_s", (double)record.virtual_us / 1e6);
    if (!rc) rc = aq_record_measures(&record, take, g);
    aq_record_close(&record);
    return rc;
}

static void add_pair(struct sums *s) {
    double difference = s->value[1] - s->value[0], n = ++s->pairs;
    double base_step = s->value[0] - s->mean[0], step = difference - s->difference_mean;
    s->mean[0] += base_step / n;
    s->mean[1] += (s->value[1] - s->mean[1]) / n;
    s->difference_mean += step / n;
    s->base_squares += base_step * (s->value[0] - s->mean[0]);
    s->difference_squares += step * (difference - s->difference_mean);
}

static void end_pair(struct gathering *g) {
    for (uint32_t i = 0; i < g->count; i++) {
        struct sums *s = &g->sums[i];
        bool base = s->pair_of[0] == g->pair, candidate = s->pair_of[1] == g->pair;
        if (base && candidate)
            add_pair(s);
        else if (base || candidate)
            s->one_sided++;
    }
}

static int gather(struct gathering *g, const struct aq_runs *base, const struct aq_runs *candidate,
                  const struct aq_compare_group *group) {
    bool whole = group->same_count < group->pair_count || group->scenario_differs;
    int rc = 0;
    for (uint32_t i = 0; i < group->pair_count && !rc; i++) {
        g->pair = i + 1;
        g->side = 0;
        rc = take_run(g, base, group->pairs[i].base, whole);
        g->side = 1;
        if (!rc) rc = take_run(g, candidate, group->pairs[i].candidate, whole);
        if (!rc) end_pair(g);
    }
    return rc;
}

/* ---- judging ---- */

/* How much worse it became, by the rule; 0 or less: not at all. */
static double worsening(const struct aq_compare_figure *figure) {
    switch ((enum aq_worse)figure->rule->worse) {
    case AQ_WORSE_HIGHER: return figure->change;
    case AQ_WORSE_LOWER: return -figure->change;
    case AQ_WORSE_EITHER: return fabs(figure->change);
    case AQ_WORSE_NEVER: break;
    }
    return 0;
}

static void judge(struct aq_compare_figure *figure) {
    const struct aq_tolerance_rule *rule = figure->rule;
    if (!rule || !figure->pairs) return;
    figure->allowed = rule->relative * fabs(figure->base) + rule->absolute;
    bool noise =
        rule->beyond_noise && figure->pairs >= PAIRS_FOR_NOISE && fabs(figure->change) <= figure->half_width;
    figure->broken = worsening(figure) > figure->allowed && !noise;
}

static struct aq_compare_figure conclude(const struct sums *s) {
    struct aq_compare_figure figure = {.name = s->name,
                                       .pairs = s->pairs,
                                       .one_sided = s->one_sided,
                                       .base = s->mean[0],
                                       .candidate = s->mean[1],
                                       .change = s->difference_mean,
                                       .half_width = NAN,
                                       .spread = NAN};
    if (s->pairs >= 2) {
        double n = s->pairs;
        figure.spread = sqrt(s->base_squares / (n - 1));
        figure.half_width = t_95(s->pairs - 1) * sqrt(s->difference_squares / (n - 1) / n);
    }
    return figure;
}

/* The size of a change for the order of a list: against the spread, or against the value where there is none.
 */
static double size_of(const struct aq_compare_figure *figure) {
    double against = figure->spread > 0 ? figure->spread : fabs(figure->base);
    return against > 0 ? fabs(figure->change) / against : INFINITY;
}

static bool of_the_machine(const struct aq_compare_figure *figure) {
    return strncmp(figure->name, "machine.", 8) == 0;
}

/* Broken ones first, those that one side alone has behind the others, those of the machine last. */
static int by_size(const void *a, const void *b) {
    const struct aq_compare_figure *one = a, *other = b;
    if (one->broken != other->broken) return one->broken ? -1 : 1;
    if (of_the_machine(one) != of_the_machine(other)) return of_the_machine(one) ? 1 : -1;
    if (!one->pairs != !other->pairs) return one->pairs ? -1 : 1;
    double first = size_of(one), second = size_of(other);
    if (first != second) return first > second ? -1 : 1;
    return strcmp(one->name, other->name);
}

int aq_compare_figures(const struct aq_runs *base, const struct aq_runs *candidate,
                       const struct aq_tolerance *tolerance, struct aq_compare_group *group,
                       struct aq_arena *memory) {
    struct gathering g = {.memory = memory};
    struct aq_compare_figure *figures = NULL;
    int rc = gather(&g, base, candidate, group);
    if (!rc && !(figures = aq_arena_alloc(memory, ((size_t)g.count + 1) * sizeof *figures))) rc = AQ_ENOMEM;
    for (uint32_t i = 0; i < g.count && !rc; i++) {
        struct aq_compare_figure figure = conclude(&g.sums[i]);
        figure.rule = aq_tolerance_rule_of(tolerance, group->pairs[0].base->record.scenario, figure.name);
        judge(&figure);
        bool equal =
            figure.pairs && !figure.one_sided && g.sums[i].difference_squares == 0 && figure.change == 0;
        if (equal) {
            group->equal_count++;
            continue;
        }
        group->broken_count += figure.broken;
        figures[group->figure_count++] = figure;
    }
    if (!rc && group->figure_count) qsort(figures, group->figure_count, sizeof *figures, by_size);
    group->figures = figures;
    aq_free(g.sums);
    return rc;
}
