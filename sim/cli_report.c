#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/plan.h"
#include "reports/print.h"
#include "reports/store.h"
#include "sim/cli.h"
#include "sim/cli_output.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim report FORMAT FILE [OPTIONS]\n"
    "       allqsim report csv FILE TABLE [OPTIONS]\n"
    "       allqsim report sql FILE [QUERY] [OPTIONS]\n"
    "       allqsim report compare BASE CANDIDATE [OPTIONS]\n"
    "       allqsim report merge OUT IN... [OPTIONS]\n"
    "\n"
    "Reports on what is stored, from the database alone. FILE is one that `allqsim run --db FILE` has written, or\n"
    "explore or plan.\n"
    "\n"
    "  text         the summary for people\n"
    "  html         one self-contained page with charts; with --all a table of all there is, the newest of it behind\n"
    "  json         the object that `run --json` prints; with --all one on each line\n"
    "  junit        XML for Jenkins, GitLab and others: a suite for each run, a case for each check\n"
    "  markdown     for a comment on a pull request or the summary of a step\n"
    "  csv          a table of the database; docs/REPORTS.md describes them all\n"
    "  sql          the list of ready-made queries, or the rows of one\n"
    "  compare      what changed between two databases or runs; has a --help of its own\n"
    "  merge        many databases into one; likewise\n"
    "\n"
    "  --run N                the run's number in the database; without it the newest one\n"
    "  --exploration N        an exploration instead of a run, for text, html and json\n"
    "  --plan N               a capacity plan, likewise. html takes the newest exploration or plan by itself where the\n"
    "                         database holds no runs but those that explorations have kept\n"
    "  --exit-code            end as the command that stored it did; with --all, junit and markdown as the gravest run\n"
    "  --all                  all runs of the database (what csv and sql do without --run)\n"
    "  -o, --output FILE      write there instead of standard output; what was there is replaced when all went well\n"
    "  --annotations github   tell GitHub Actions, on standard error, of checks that failed\n"
    "  --help                 print this\n";

struct arguments {
    const char *format, *database, *name; /* name: of a table or query; NULL: none */
    const char *output;                   /* NULL: standard output */
    int64_t run, exploration, plan;       /* at most one of them is not 0; all 0: the newest run */
    bool all, annotations, exit_code, help;
};

struct report {
    const struct arguments *arguments;
    struct aq_store *store;
    FILE *stream;
    int exit_code; /* that goes with what is stored */
    struct aq_error error;
};

/* ---- what is printed ---- */

static int load_run(void *arg, int64_t run, struct aq_record *record) {
    struct report *report = arg;
    int rc = aq_store_load_run(report->store, run, record, &report->error);
    if (!rc && report->arguments->annotations && aq_print_annotations(stderr, record))
        rc = aq_error_set(&report->error, AQ_EIO, "standard error: cannot be written");
    return rc;
}

static int load_exploration(void *arg, int64_t number, struct aq_stored_exploration *out) {
    struct report *report = arg;
    return aq_store_load_exploration(report->store, number, out, &report->error);
}

static int load_plan(void *arg, int64_t number, struct aq_stored_plan *out) {
    struct report *report = arg;
    return aq_store_load_plan(report->store, number, out, &report->error);
}

static int print_html(FILE *stream, const struct aq_record *record, int64_t run) {
    return aq_print_html(stream, run, record);
}

static int print_text(FILE *stream, const struct aq_record *record, int64_t run) {
    (void)run;
    return aq_print_text(stream, record);
}

static int print_json(FILE *stream, const struct aq_record *record, int64_t run) {
    (void)run;
    return aq_print_json(stream, record);
}

static int print_markdown(FILE *stream, const struct aq_record *record, int64_t run) {
    (void)run;
    return aq_print_markdown(stream, record);
}

static int exploration_text(FILE *stream, const struct aq_stored_exploration *stored) {
    return aq_print_exploration_text(stream, &stored->exploration);
}

static int exploration_json(FILE *stream, const struct aq_stored_exploration *stored) {
    return aq_print_exploration_json(stream, &stored->exploration);
}

static int plan_text(FILE *stream, const struct aq_stored_plan *stored) {
    return aq_print_plan_text(stream, &stored->plan);
}

static int plan_json(FILE *stream, const struct aq_stored_plan *stored) {
    return aq_print_plan_json(stream, &stored->plan);
}

/* The index of an HTML page has everything that the database holds. */
static int print_index(struct report *report, const struct aq_runs *runs) {
    struct aq_exploration_list explorations = {0};
    struct aq_plan_list plans = {0};
    const struct aq_beside_runs beside = {&explorations, &plans, load_exploration, load_plan, report};
    int rc = aq_store_list_explorations(report->store, &explorations, &report->error);
    if (!rc) rc = aq_store_list_plans(report->store, &plans, &report->error);
    if (!rc) rc = aq_print_html_all(report->stream, runs, &beside);
    aq_exploration_list_close(&explorations);
    aq_plan_list_close(&plans);
    return rc;
}

static int print_junit(struct report *report, const struct aq_runs *runs) {
    return aq_print_junit(report->stream, runs);
}

static int print_markdown_all(struct report *report, const struct aq_runs *runs) {
    return aq_print_markdown_all(report->stream, runs);
}

/* `one`: of a run; NULL: `many` does it, for one run as well. `many`: NULL: one after the other. Of an
   exploration and of a plan: NULL: there is no such report. */
static const struct format {
    const char *name;
    int (*one)(FILE *stream, const struct aq_record *record, int64_t run);
    int (*many)(struct report *report, const struct aq_runs *runs);
    int (*exploration)(FILE *stream, const struct aq_stored_exploration *stored);
    int (*plan)(FILE *stream, const struct aq_stored_plan *stored);
} formats[] = {
    {"text", print_text, NULL, exploration_text, plan_text},
    {"html", print_html, print_index, aq_print_html_exploration, aq_print_html_plan},
    {"json", print_json, NULL, exploration_json, plan_json},
    {"junit", NULL, print_junit, NULL, NULL},
    {"markdown", print_markdown, print_markdown_all, NULL, NULL},
};

static const struct format *find_format(const char *name) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(name, formats[i].name) == 0) return &formats[i];
    return NULL;
}

static int print_one(struct report *report, const struct format *format, int64_t run) {
    struct aq_record record;
    aq_record_init(&record);
    int rc = load_run(report, run, &record);
    if (!rc) rc = format->one(report->stream, &record, run);
    aq_record_close(&record);
    return rc;
}

static int print_each(struct report *report, const struct format *format, const struct aq_runs *runs) {
    int rc = 0;
    bool first = true;
    for (uint32_t i = 0; i < runs->count && !rc; i++) {
        if (!aq_run_has_ended(&runs->heads[i])) continue;
        if (!first && strcmp(format->name, "text") == 0) fputs("\n", report->stream);
        first = false;
        rc = print_one(report, format, runs->heads[i].run);
    }
    return rc;
}

/* The store says best why there is no such run. */
static int fail_to_find(struct report *report) {
    struct aq_record record;
    aq_record_init(&record);
    int rc = aq_store_load_run(report->store, report->arguments->run, &record, &report->error);
    aq_record_close(&record);
    return rc;
}

/* Of the gravest; a run that did not end tells nothing. */
static int exit_code_of(const struct aq_run_list *list) {
    int gravest = AQ_EXIT_PASS;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct aq_run_head *head = &list->heads[i];
        bool ended = aq_run_has_ended(head) && !head->record.interrupted;
        gravest = aq_exit_graver(gravest, ended ? head->record.exit_code : AQ_EXIT_UNKNOWN);
    }
    return gravest;
}

static int print_runs(struct report *report, const struct format *format) {
    const struct arguments *a = report->arguments;
    struct aq_run_list list = {0};
    int64_t which = a->all ? AQ_RUNS_ALL : a->run ? a->run : AQ_RUNS_NEWEST;
    int rc = aq_store_list_runs(report->store, which, &list, &report->error);
    struct aq_runs runs = {.heads = list.heads, .count = list.count, .load = load_run, .arg = report};
    if (!rc && !a->all && runs.count == 0)
        rc = fail_to_find(report);
    else if (!rc && !a->all && format->one)
        rc = print_one(report, format, runs.heads[0].run);
    else if (!rc)
        rc = format->many ? format->many(report, &runs) : print_each(report, format, &runs);
    report->exit_code = exit_code_of(&list);
    aq_run_list_close(&list);
    return rc;
}

static int print_exploration(struct report *report, const struct format *format, int64_t number) {
    struct aq_stored_exploration stored = {0};
    int rc = load_exploration(report, number, &stored);
    if (!rc) rc = format->exploration(report->stream, &stored);
    report->exit_code = stored.exploration.exit_code;
    aq_stored_exploration_close(&stored);
    return rc;
}

static int print_plan(struct report *report, const struct format *format, int64_t number) {
    struct aq_stored_plan stored = {0};
    int rc = load_plan(report, number, &stored);
    if (!rc) rc = format->plan(report->stream, &stored);
    report->exit_code = stored.plan.interrupted           ? AQ_EXIT_INTERRUPTED
                        : stored.plan.recommended_clients ? AQ_EXIT_PASS
                                                          : AQ_EXIT_MEASURE;
    aq_stored_plan_close(&stored);
    return rc;
}

/* What was asked for; where nothing was, a page is about what there is. */
static int print_asked(struct report *report, const struct format *format) {
    const struct arguments *a = report->arguments;
    enum aq_stored_kind kind = a->exploration ? AQ_STORED_EXPLORATION
                               : a->plan      ? AQ_STORED_PLAN
                                              : AQ_STORED_RUN;
    int64_t number = a->exploration ? a->exploration : a->plan;
    int rc = 0;
    if (strcmp(format->name, "html") == 0 && !a->all && !a->run && !number)
        rc = aq_store_choose(report->store, &kind, &number, &report->error);
    if (rc) return rc;
    switch (kind) {
    case AQ_STORED_EXPLORATION: return print_exploration(report, format, number);
    case AQ_STORED_PLAN: return print_plan(report, format, number);
    default: return print_runs(report, format);
    }
}

static int print_report(struct report *report) {
    const struct arguments *a = report->arguments;
    if (strcmp(a->format, "csv") == 0)
        return aq_store_print_csv(report->store, a->name, a->run, report->stream, &report->error);
    if (strcmp(a->format, "sql") == 0)
        return a->name ? aq_store_print_query(report->store, a->name, a->run, report->stream, &report->error)
                       : aq_store_print_queries(report->store, report->stream, &report->error);
    return print_asked(report, find_format(a->format));
}

/* ---- where it goes ---- */

static int print_to_file(struct report *report) {
    struct aq_cli_output output;
    int rc =
        aq_cli_output_open(&output, report->arguments->output, report->arguments->database, &report->error);
    if (rc) return rc;
    report->stream = output.stream;
    return aq_cli_output_close(&output, print_report(report), &report->error);
}

static int run_report(const struct arguments *a) {
    struct report report = {.arguments = a, .stream = stdout};
    if (aq_store_open(a->database, false, &report.store, &report.error)) return aq_cli_fail(&report.error);
    int rc = a->output ? print_to_file(&report) : print_report(&report);
    if (!rc && !a->output && fflush(stdout))
        rc = aq_error_set(&report.error, AQ_EIO, "standard output: cannot be written: %s", strerror(errno));
    if (rc && !report.error.code)
        aq_error_set(&report.error, rc, "%s: %s", a->output ? a->output : "standard output",
                     aq_error_name(rc));
    aq_store_close(report.store);
    return rc ? aq_cli_fail(&report.error) : a->exit_code ? report.exit_code : AQ_EXIT_PASS;
}

/* ---- arguments ---- */

static int parse_number(const char *option, const char *text, int64_t *out) {
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (!errno && !*end && *out >= 1) return 0;
    return aq_cli_usage("report", "--%s: found \"%s\", allowed is a number from 1", option, text);
}

static int parse_options(int argc, char **argv, struct arguments *a) {
    static const struct option options[] = {{"run", required_argument, NULL, 'r'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"exploration", required_argument, NULL, 'e'},
                                            {"plan", required_argument, NULL, 'p'},
                                            {"exit-code", no_argument, NULL, 'x'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"annotations", required_argument, NULL, 'g'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, code = 0;
    opterr = 0;
    while (!code && (option = getopt_long(argc, argv, "ho:", options, NULL)) != -1)
        switch (option) {
        case 'h': a->help = true; return 0;
        case 'a': a->all = true; break;
        case 'o': a->output = optarg; break;
        case 'g':
            if (strcmp(optarg, "github") != 0)
                return aq_cli_usage("report", "--annotations: found \"%s\", allowed is github", optarg);
            a->annotations = true;
            break;
        case 'r': code = parse_number("run", optarg, &a->run); break;
        case 'e': code = parse_number("exploration", optarg, &a->exploration); break;
        case 'p': code = parse_number("plan", optarg, &a->plan); break;
        case 'x': a->exit_code = true; break;
        default: return aq_cli_usage("report", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    if (!code && a->all + (a->run > 0) + (a->exploration > 0) + (a->plan > 0) > 1)
        return aq_cli_usage("report", "--run, --exploration, --plan and --all exclude each other");
    return code;
}

static int check_format(const struct arguments *a, int words) {
    const struct format *format = find_format(a->format);
    bool csv = strcmp(a->format, "csv") == 0, sql = strcmp(a->format, "sql") == 0;
    if (!csv && !sql && !format)
        return aq_cli_usage(
            "report",
            "format \"%s\": allowed are text, html, json, junit, markdown, csv, sql, compare, merge",
            a->format);
    if (csv && words < 3) return aq_cli_usage("report", "csv wants a FILE and a TABLE, for instance server");
    if ((a->exploration || a->plan) && (!format || !format->exploration))
        return aq_cli_usage(
            "report", "%s: there is none of explorations and plans: allowed are text, html, json", a->format);
    if ((a->exploration || a->plan) && a->annotations)
        return aq_cli_usage("report", "--annotations is about runs, not about explorations and plans");
    if (a->exit_code && !format)
        return aq_cli_usage("report", "--exit-code is for reports with a verdict, and %s has none",
                            a->format);
    return 0;
}

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    int code = parse_options(argc, argv, a), words = argc - optind;
    if (code || a->help) return code;
    if (words < 2) return aq_cli_usage("report", "a FORMAT and a FILE are wanted");
    a->format = argv[optind];
    a->database = argv[optind + 1];
    a->name = words > 2 ? argv[optind + 2] : NULL;
    bool names = strcmp(a->format, "csv") == 0 || strcmp(a->format, "sql") == 0;
    code = check_format(a, words);
    if (code) return code;
    if (words > (names ? 3 : 2))
        return aq_cli_usage("report", "one argument too many: \"%s\"", argv[argc - 1]);
    return 0;
}

int aq_cli_report(int argc, char **argv) {
    struct arguments arguments = {0};
    if (argc > 1 && strcmp(argv[1], "compare") == 0) return aq_cli_compare(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "merge") == 0) return aq_cli_merge(argc - 1, argv + 1);
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (!arguments.help) return run_report(&arguments);
    fputs(help, stdout);
    return AQ_EXIT_PASS;
}
