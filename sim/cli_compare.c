/* allqsim report compare: a base and a candidate. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/compare.h"
#include "reports/store.h"
#include "sim/cli.h"
#include "sim/cli_output.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim report compare BASE CANDIDATE [OPTIONS]\n"
    "\n"
    "Compares the runs of two databases, paired by scenario, profiles, world, fidelity and seed; of runs with the same seed the\n"
    "newest counts. FILE#N is run N alone: two of those are compared whatever they are. First the verdicts that changed, then\n"
    "every figure that differs: means over the seeds, the mean of the paired differences with its 95 % interval, and its size\n"
    "in spreads (standard deviations of the base from seed to seed).\n"
    "\n"
    "  --run N              run N of both\n"
    "  --tolerance FILE     what may be different, as JSON; without it a standard one\n"
    "  --print-tolerance    print the standard one, to start from, and compare nothing\n"
    "  --all                print every figure that differs, those of the machine too; otherwise the first of each group\n"
    "  --json               print one JSON object, with all of it\n"
    "  -o, --output FILE    write there instead of standard output\n"
    "  --help               print this\n"
    "\n"
    "exit codes: 0 within the tolerance, 3 beyond it, 64 wrong use or input, 66 a database cannot be used, 74 a file could not\n"
    "be read or written\n";

struct arguments {
    const char *names[2];
    const char *tolerance, *output;
    int64_t run;
    bool all, json, print_tolerance, help;
};

/* One of the two. */
struct side {
    char path[4096];
    int64_t run; /* 0: all */
    struct aq_store *store;
    struct aq_run_list list;
    struct aq_error *error;
};

/* ---- arguments ---- */

static bool read_run(const char *text, int64_t *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < 1) return false;
    *out = value;
    return true;
}

static int parse(int argc, char **argv, struct arguments *a) {
    static const struct option options[] = {{"run", required_argument, NULL, 'r'},
                                            {"tolerance", required_argument, NULL, 't'},
                                            {"print-tolerance", no_argument, NULL, 'p'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "ho:", options, NULL)) != -1)
        switch (option) {
        case 'r':
            if (!read_run(optarg, &a->run))
                return aq_cli_usage("report compare", "--run: found \"%s\", allowed is a number from 1",
                                    optarg);
            break;
        case 't': a->tolerance = optarg; break;
        case 'p': a->print_tolerance = true; break;
        case 'a': a->all = true; break;
        case 'j': a->json = true; break;
        case 'o': a->output = optarg; break;
        case 'h': a->help = true; return 0;
        default:
            return aq_cli_usage("report compare", "unknown option or missing value: \"%s\"",
                                argv[optind - 1]);
        }
    if (a->print_tolerance) return 0;
    if (argc - optind != 2)
        return aq_cli_usage("report compare", "a BASE and a CANDIDATE are wanted, found %d", argc - optind);
    a->names[0] = argv[optind];
    a->names[1] = argv[optind + 1];
    return 0;
}

/* ---- the two sides ---- */

static int load_run(void *arg, int64_t run, struct aq_record *record) {
    struct side *side = arg;
    return aq_store_load_run(side->store, run, record, side->error);
}

/* "runs.db#3" is run 3 of runs.db, unless there is a file of that name. */
static int split(struct side *side, const char *name, int64_t run) {
    const char *sign = strrchr(name, '#');
    side->run = run;
    if (snprintf(side->path, sizeof side->path, "%s", name) >= (int)sizeof side->path)
        return aq_error_set(side->error, AQ_EINVALID, "\"%.100s...\": the path is too long", name);
    if (!sign || access(name, F_OK) == 0) return 0;
    if (!read_run(sign + 1, &side->run))
        return aq_error_set(side->error, AQ_EINVALID,
                            "\"%.200s\": behind # the number of a run is wanted, from 1", name);
    side->path[sign - name] = '\0';
    return 0;
}

/* The store says best why there is no such run. */
static int fail_to_find(struct side *side) {
    struct aq_record record;
    aq_record_init(&record);
    int rc = aq_store_load_run(side->store, side->run, &record, side->error);
    aq_record_close(&record);
    return rc;
}

static int open_side(struct side *side, const char *name, int64_t run) {
    int rc = split(side, name, run);
    if (!rc) rc = aq_store_open(side->path, false, &side->store, side->error);
    if (!rc)
        rc = aq_store_list_runs(side->store, side->run ? side->run : AQ_RUNS_ALL, &side->list, side->error);
    if (!rc && side->run && (side->list.count == 0 || !aq_run_has_ended(&side->list.heads[0])))
        rc = fail_to_find(side);
    return rc;
}

static void close_side(struct side *side) {
    aq_run_list_close(&side->list);
    aq_store_close(side->store);
}

/* ---- the command ---- */

static int print(FILE *stream, const struct arguments *a, const struct aq_comparison *comparison,
                 struct aq_error *error) {
    int rc = a->json ? aq_print_comparison_json(stream, comparison)
                     : aq_print_comparison_text(stream, comparison, a->all);
    if (!rc && stream == stdout && fflush(stdout)) rc = AQ_EIO;
    if (!rc) return 0;
    return aq_error_set(error, rc, "%s: cannot be written: %s", a->output ? a->output : "standard output",
                        strerror(errno));
}

static int print_out(const struct arguments *a, const struct aq_comparison *comparison,
                     const struct side *sides, struct aq_error *error) {
    struct aq_cli_output output;
    if (!a->output) return print(stdout, a, comparison, error);
    for (int i = 0; i < 2; i++)
        if (aq_cli_output_is(a->output, sides[i].path))
            return aq_error_set(error, AQ_EIO, "%s: is one of the databases: choose another name", a->output);
    int rc = aq_cli_output_open(&output, a->output, NULL, error);
    return rc ? rc : aq_cli_output_close(&output, print(output.stream, a, comparison, error), error);
}

static int compare(const struct arguments *a, struct side *sides, struct aq_comparison *comparison,
                   const struct aq_tolerance *tolerance, struct aq_error *error) {
    struct aq_runs runs[2];
    for (int i = 0; i < 2; i++) {
        int rc = open_side(&sides[i], a->names[i], a->run);
        if (rc) return rc;
        runs[i] = (struct aq_runs){sides[i].list.heads, sides[i].list.count, load_run, &sides[i]};
    }
    comparison->base_name = a->names[0];
    comparison->candidate_name = a->names[1];
    int rc = aq_compare(&runs[0], &runs[1], tolerance, comparison);
    if (rc == AQ_ENOENT && !error->code)
        return aq_error_set(
            error, AQ_EINVALID,
            "%s and %s have no scenario, profile and seed in common: name one run of each as FILE#N, or other files",
            a->names[0], a->names[1]);
    if (rc && !error->code) aq_error_set(error, rc, "%s", aq_error_name(rc));
    return rc ? rc : print_out(a, comparison, sides, error);
}

static int run_compare(const struct arguments *a) {
    struct aq_error error = {0};
    struct side *sides = aq_alloc_zeroed(2, sizeof *sides);
    struct aq_comparison comparison = {0};
    struct aq_tolerance *tolerance = NULL;
    int rc = sides ? aq_tolerance_load(a->tolerance, &tolerance, &error)
                   : aq_error_set(&error, AQ_ENOMEM, "out of memory");
    for (int i = 0; i < 2 && sides; i++)
        sides[i].error = &error;
    if (!rc) rc = compare(a, sides, &comparison, tolerance, &error);
    int code = rc ? aq_cli_fail(&error) : comparison.broken_count ? AQ_EXIT_MEASURE : AQ_EXIT_PASS;
    aq_comparison_close(&comparison);
    for (int i = 0; i < 2 && sides; i++)
        close_side(&sides[i]);
    aq_free(sides);
    aq_tolerance_free(tolerance);
    return code;
}

int aq_cli_compare(int argc, char **argv) {
    struct arguments arguments = {0};
    int code = parse(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help || arguments.print_tolerance) {
        fputs(arguments.help ? help : aq_tolerance_standard, stdout);
        return AQ_EXIT_PASS;
    }
    return run_compare(&arguments);
}
