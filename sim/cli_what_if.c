/* The command what-if: variants of a scenario under the same arrivals, jobs and faults, and what they differ
 * in. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "reports/json_write.h"
#include "reports/print_table.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/measure_all.h"
#include "sim/objective.h"
#include "sim/pool.h"
#include "sim/verdict.h"
#include "sim/what_if.h"

#define SETTINGS_MAX   256
#define MEASURES_MAX   24
#define SEEDS_STANDARD 10
#define MEASURES_STANDARD                                                                                    \
    "mean(wait),p99(wait),mean(put_to_done),throughput,empty_get_ratio,hidden_work_ratio,fairness,"          \
    "executed_again"

static const char help[] =
    "usage: allqsim what-if SCENARIO --vary PATH=VALUE,VALUE,... [--vary ...] [OPTIONS]\n"
    "\n"
    "Runs every combination of the values under the same seeds: the same arrivals, the same work for each job and the\n"
    "same faults. Tells what differs from the first combination, pair by pair, with an interval of 95 %.\n"
    "\n"
    "  --vary PATH=V,V,...   a key of the scenario and its values, the first being what the others are compared with\n"
    "  --seeds N             pairs of runs, 2 to 1000 (default 10)\n"
    "  --measure M,M,...     what is compared (default " MEASURES_STANDARD ")\n"
    "  --jobs N              worker processes (default: one for each processor)\n"
    "  --set PATH=VALUE      change one key of the scenario; may be repeated\n"
    "  --profile P           strict or upstream, for clients and servers; client=P or server=P for one side\n"
    "  --save FILE           database that keeps the figures of runs (default " AQ_DATABASE_DEFAULT
    "); --db is the same\n"
    "  --no-db               keep nothing\n"
    "  --json                print one JSON object on standard output and nothing else there\n"
    "  --help                print this\n"
    "\n"
    "exit codes: 0, 64 wrong use or input, 70 internal error, 74 a file could not be written, 130 interrupted\n";

struct arguments {
    const char *scenario, *profile, *database, *measures;
    const char *settings[SETTINGS_MAX];
    const char *vary[AQ_WHAT_IF_VARY_MAX];
    uint32_t setting_count, vary_count, seeds, jobs;
    bool json, help;
};

struct session {
    const struct arguments *arguments;
    char path[4096];
    aq_time_us warm_up_us;
    struct aq_what_if_vary *vary; /* owned */
    uint32_t variants;
    char measures[MEASURES_MAX][AQ_MEASURE_CHARS_MAX], figures[MEASURES_MAX][AQ_MEASURE_CHARS_MAX];
    uint32_t measure_count;
    struct aq_measured *measured; /* owned: by variant, then seed */
    uint64_t next;                /* task */
    struct aq_measure_outcome outcome;
    struct aq_arena memory;
    struct aq_error error;
};

/* ---- arguments ---- */

static int add(const char *option, const char **list, uint32_t *count, uint32_t max, const char *text) {
    if (*count == max) return aq_cli_usage("what-if", "%s: more than %u of them", option, max);
    list[(*count)++] = text;
    return 0;
}

enum { VARY = 256, SEEDS, MEASURE, JOBS, SET, PROFILE, DB, NO_DB, JSON };

static const struct option options[] = {{"vary", required_argument, NULL, VARY},
                                        {"seeds", required_argument, NULL, SEEDS},
                                        {"measure", required_argument, NULL, MEASURE},
                                        {"jobs", required_argument, NULL, JOBS},
                                        {"set", required_argument, NULL, SET},
                                        {"profile", required_argument, NULL, PROFILE},
                                        {"save", required_argument, NULL, DB},
                                        {"db", required_argument, NULL, DB},
                                        {"no-db", no_argument, NULL, NO_DB},
                                        {"json", no_argument, NULL, JSON},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static int parse_option(struct arguments *a, int option, const char *text) {
    switch (option) {
    case VARY: return add("--vary", a->vary, &a->vary_count, AQ_WHAT_IF_VARY_MAX, text);
    case SET: return add("--set", a->settings, &a->setting_count, SETTINGS_MAX, text);
    case SEEDS: return aq_cli_count("what-if", "seeds", text, 2, AQ_WHAT_IF_SEEDS_MAX, &a->seeds);
    case JOBS: return aq_cli_count("what-if", "jobs", text, 1, AQ_POOL_JOBS_MAX, &a->jobs);
    case MEASURE: a->measures = text; return 0;
    case PROFILE: a->profile = text; return 0;
    case DB: a->database = text; return 0;
    case NO_DB: a->database = NULL; return 0;
    default: a->json = true; return 0;
    }
}

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    int option, rc = 0;
    *a = (struct arguments){
        .database = AQ_DATABASE_DEFAULT, .seeds = SEEDS_STANDARD, .measures = MEASURES_STANDARD};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            a->help = true;
            return 0;
        }
        if (option == '?')
            return aq_cli_usage("what-if", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        rc = parse_option(a, option, optarg);
    }
    if (rc) return rc;
    if (argc - optind != 1) return aq_cli_usage("what-if", "one SCENARIO is wanted, found %d", argc - optind);
    if (!a->vary_count) return aq_cli_usage("what-if", "--vary is wanted: what is to be compared?");
    a->scenario = argv[optind];
    return 0;
}

/* ---- the question ---- */

static int take_measures(struct session *s) {
    const char *at = s->arguments->measures;
    for (;; at++) {
        size_t length = strcspn(at, ",");
        if (s->measure_count == MEASURES_MAX || length >= AQ_MEASURE_CHARS_MAX)
            return aq_error_set(&s->error, AQ_ELIMIT, "--measure: \"%.40s\" is too long, or more than %d", at,
                                MEASURES_MAX);
        snprintf(s->measures[s->measure_count], AQ_MEASURE_CHARS_MAX, "%.*s", (int)length, at);
        int rc = aq_objective_figure(s->measures[s->measure_count], "--measure", s->figures[s->measure_count],
                                     &s->error);
        if (rc) return rc;
        s->measure_count++;
        at += length;
        if (!*at) return 0;
    }
}

static int take_variants(struct session *s) {
    const struct arguments *a = s->arguments;
    s->vary = aq_alloc_zeroed(a->vary_count, sizeof *s->vary);
    if (!s->vary) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < a->vary_count; i++) {
        int rc = aq_what_if_parse(a->vary[i], &s->memory, &s->vary[i], &s->error);
        if (rc) return rc;
    }
    s->variants = aq_what_if_variants(s->vary, a->vary_count);
    if (s->variants > AQ_WHAT_IF_VARIANTS_MAX)
        return aq_error_set(&s->error, AQ_ELIMIT,
                            "--vary: more than %d combinations: ask for fewer at a time",
                            AQ_WHAT_IF_VARIANTS_MAX);
    s->measured = aq_alloc_zeroed((size_t)s->variants * a->seeds, sizeof *s->measured);
    return s->measured ? 0 : aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
}

static int load_variant(const struct session *s, uint32_t variant, struct aq_scenario **out,
                        struct aq_error *error) {
    const struct arguments *a = s->arguments;
    const char *settings[SETTINGS_MAX + AQ_WHAT_IF_VARY_MAX];
    memcpy(settings, a->settings, a->setting_count * sizeof *settings);
    aq_what_if_settings(s->vary, a->vary_count, variant, settings + a->setting_count);
    struct aq_scenario_options load = {settings, a->setting_count + a->vary_count, a->profile, "message"};
    return aq_scenario_load(s->path, &load, out, error);
}

/* All variants have to be valid, and to be measured over the same span. */
static int check_variants(struct session *s) {
    aq_time_us duration_us = 0;
    for (uint32_t i = 0; i < s->variants; i++) {
        struct aq_scenario *scenario;
        int rc = load_variant(s, i, &scenario, &s->error);
        if (rc) return rc;
        if (i == 0) {
            duration_us = scenario->duration_us;
            s->warm_up_us =
                scenario->plan.warm_up_us == AQ_TIME_NEVER ? duration_us / 4 : scenario->plan.warm_up_us;
        }
        if (scenario->duration_us != duration_us || s->warm_up_us + scenario->window_us > duration_us)
            rc = aq_error_set(
                &s->error, AQ_EINVALID,
                "%s: duration: variants have to last equally long, and longer than plan.warm_up", s->path);
        aq_scenario_free(scenario);
        if (rc) return rc;
    }
    return 0;
}

/* ---- runs ---- */

static bool next(void *arg, uint64_t *task) {
    struct session *s = arg;
    if (s->next == (uint64_t)s->variants * s->arguments->seeds) return false;
    *task = s->next++;
    return true;
}

static int make(void *arg, uint64_t task, struct aq_measure_job *out, struct aq_error *error) {
    const struct session *s = arg;
    uint32_t seeds = s->arguments->seeds;
    struct aq_measure_job job = {.seed = task % seeds + 1, .steady_from_us = s->warm_up_us, .paired = true};
    int rc = load_variant(s, (uint32_t)(task / seeds), &job.scenario, error);
    if (!rc) *out = job;
    return rc;
}

static int take(void *arg, uint64_t task, const struct aq_measured *measured) {
    struct session *s = arg;
    s->measured[task] = *measured;
    return 0;
}

static int measure(struct session *s) {
    const char *wanted[MEASURES_MAX];
    struct aq_store *store = NULL;
    const struct arguments *a = s->arguments;
    int rc = a->database ? aq_store_open(a->database, true, &store, &s->error) : 0;
    if (rc) return rc;
    for (uint32_t i = 0; i < s->measure_count; i++)
        wanted[i] = s->figures[i];
    struct aq_measure_options run = {.jobs = a->jobs,
                                     .stop = aq_cli_stop(),
                                     .store = store,
                                     .version = AQ_VERSION,
                                     .wanted = wanted,
                                     .wanted_count = s->measure_count,
                                     .next = next,
                                     .make = make,
                                     .take = take,
                                     .arg = s};
    rc = aq_measure_all(&run, &s->outcome, &s->error);
    aq_store_close(store);
    return rc;
}

/* ---- the outcome ---- */

static void compare(const struct session *s, uint32_t variant, uint32_t measure,
                    struct aq_what_if_difference *out) {
    uint32_t seeds = s->arguments->seeds;
    aq_what_if_compare(s->measured, s->measured + (size_t)variant * seeds, seeds, s->figures[measure], out);
}

static void name_variant(const struct session *s, uint32_t variant, char *text, size_t size) {
    const char *settings[AQ_WHAT_IF_VARY_MAX];
    size_t used = 0;
    aq_what_if_settings(s->vary, s->arguments->vary_count, variant, settings);
    text[0] = '\0';
    for (uint32_t i = 0; i < s->arguments->vary_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", settings[i]);
}

static bool is_span(const char *figure) {
    size_t length = strlen(figure);
    return length > 6 && strcmp(figure + length - 2, "_s") == 0 && strcmp(figure + length - 6, "_per_s") != 0;
}

/* A number in the unit of its figure; with a sign where it is a difference. */
static void write_value(struct aq_cell *cell, const char *figure, double value, bool sign) {
    if (!isfinite(value))
        snprintf(cell->text, sizeof cell->text, "-");
    else if (is_span(figure))
        snprintf(cell->text, sizeof cell->text, sign ? "%+.4g ms" : "%.4g ms", value * 1000);
    else
        snprintf(cell->text, sizeof cell->text, sign ? "%+.4g" : "%.4g", value);
}

struct table {
    const struct session *session;
    uint32_t variant;
};

static void fill_row(const void *arg, uint32_t row, struct aq_cell *cells) {
    const struct table *table = arg;
    const struct session *s = table->session;
    struct aq_what_if_difference found;
    compare(s, table->variant, row, &found);
    aq_cell_text(&cells[0], 40, s->measures[row]);
    write_value(&cells[1], s->figures[row], found.value.mean, false);
    write_value(&cells[2], s->figures[row], found.value.half, false);
    if (table->variant == 0) return;
    write_value(&cells[3], s->figures[row], found.difference.mean, true);
    write_value(&cells[4], s->figures[row], found.difference.half, false);
    aq_cell_text(&cells[5], 20, found.differs ? "yes" : "no");
}

static int print_text(const struct session *s) {
    char name[2000];
    printf("%s: %u variants under %u seeds, %" PRIu64 " runs, %" PRIu64 " of them done before\n",
           s->arguments->scenario, s->variants, s->arguments->seeds, s->outcome.runs, s->outcome.reused);
    for (uint32_t i = 0; i < s->variants; i++) {
        struct table rows = {s, i};
        struct aq_text_table table = {.column_count = i ? 6 : 3,
                                      .heads = {"measure", "mean", "+-", "difference", "+-", "differs"},
                                      .left = {[0] = true, [5] = true},
                                      .row_count = s->measure_count,
                                      .row = fill_row,
                                      .arg = &rows};
        name_variant(s, i, name, sizeof name);
        printf("\n%s%s\n", name, i ? "" : " (what the others are compared with)");
        aq_text_table_print(stdout, &table);
    }
    return ferror(stdout) ? AQ_EIO : 0;
}

static void put_interval(struct aq_json_put_writer *json, const char *key,
                         const struct aq_mean_interval *interval) {
    aq_json_put_key(json, key);
    aq_json_put_open(json, '{');
    aq_json_put_key(json, "mean");
    aq_json_put_double(json, interval->mean);
    aq_json_put_key(json, "half");
    aq_json_put_double(json, interval->half);
    aq_json_put_close(json, '}');
}

static void put_variant(struct aq_json_put_writer *json, const struct session *s, uint32_t variant) {
    char name[2000];
    name_variant(s, variant, name, sizeof name);
    aq_json_put_open(json, '{');
    aq_json_put_key(json, "variant");
    aq_json_put_text(json, name);
    aq_json_put_key(json, "measures");
    aq_json_put_open(json, '{');
    for (uint32_t i = 0; i < s->measure_count; i++) {
        struct aq_what_if_difference found;
        compare(s, variant, i, &found);
        aq_json_put_key(json, s->measures[i]);
        aq_json_put_open(json, '{');
        put_interval(json, "value", &found.value);
        put_interval(json, "difference", &found.difference);
        aq_json_put_key(json, "pairs");
        aq_json_put_u64(json, found.pairs);
        aq_json_put_key(json, "differs");
        aq_json_put_bool(json, found.differs);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, '}');
    aq_json_put_close(json, '}');
}

static int print_json(const struct session *s) {
    struct aq_json_put_writer json = {.stream = stdout};
    aq_json_put_open(&json, '{');
    aq_json_put_key(&json, "scenario");
    aq_json_put_text(&json, s->arguments->scenario);
    aq_json_put_key(&json, "seeds");
    aq_json_put_u64(&json, s->arguments->seeds);
    aq_json_put_key(&json, "runs");
    aq_json_put_u64(&json, s->outcome.runs);
    aq_json_put_key(&json, "reused_runs");
    aq_json_put_u64(&json, s->outcome.reused);
    aq_json_put_key(&json, "variants");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < s->variants; i++)
        put_variant(&json, s, i);
    aq_json_put_close(&json, ']');
    aq_json_put_close(&json, '}');
    putchar('\n');
    return ferror(stdout) ? AQ_EIO : 0;
}

/* ---- the command ---- */

static int go(struct session *s) {
    int rc = aq_scenario_find(s->arguments->scenario, s->path, sizeof s->path, &s->error);
    if (!rc) rc = take_measures(s);
    if (!rc) rc = take_variants(s);
    if (!rc) rc = check_variants(s);
    if (!rc) rc = measure(s);
    if (rc || s->outcome.interrupted) return rc;
    rc = s->arguments->json ? print_json(s) : print_text(s);
    return rc ? aq_error_set(&s->error, rc, "standard output could not be written") : 0;
}

int aq_cli_what_if(int argc, char **argv) {
    static struct arguments arguments;
    static struct session session;
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (!arguments.jobs) arguments.jobs = aq_pool_jobs_standard();
    aq_cli_watch_signals();
    session = (struct session){.arguments = &arguments};
    int rc = go(&session);
    code = rc                            ? aq_cli_fail(&session.error)
           : session.outcome.interrupted ? AQ_EXIT_INTERRUPTED
                                         : AQ_EXIT_PASS;
    aq_free(session.vary);
    aq_free(session.measured);
    aq_arena_close(&session.memory);
    return code;
}
