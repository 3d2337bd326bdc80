#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "reports/json_write.h"
#include "scenarios/draw.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/explore.h"
#include "sim/pool.h"
#include "sim/shrink.h"
#include "sim/stored_run.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

static const char help[] =
    "usage: allqsim shrink SCENARIO [--seed SEED] [OPTIONS]\n"
    "       allqsim shrink DATABASE [--run N | --failure FINGERPRINT] [OPTIONS]\n"
    "\n"
    "Makes a failing run small: searches for the smallest scenario that fails in the same way (same check, cause\n"
    "and shape of its story), and writes it as a plain scenario file with its seed.\n"
    "\n"
    "  --seed SEED           seed of the run (default: that of the scenario); with a section explore the\n"
    "                        scenario is drawn from it, as allqsim explore does\n"
    "  --run N               number of the run in the database (default: the newest)\n"
    "  --failure WHAT        the failure to keep, where a run has several: a check, or a fingerprint of 16 digits\n"
    "                        (default: the first)\n"
    "  --output FILE         where to write, - for standard output (default: named after scenario and failure);\n"
    "                        -o is the same\n"
    "  --runs N              end after so many runs\n"
    "  --for TIME            end after this long, such as 60s or 10m\n"
    "  --seeds N             seeds that are tried for each smaller scenario at most (default 64)\n"
    "  --jobs N              worker processes (default: one for each processor)\n"
    "  --set PATH=VALUE      change one key of the scenario; may be repeated\n"
    "  --profile P           strict or upstream, for clients and servers; client=P or server=P for one side\n"
    "  --fidelity F          message or wire\n"
    "  --json                print one JSON object on standard output and nothing else there\n"
    "  --quiet               print nothing\n"
    "  --help                print this\n"
    "\n"
    "exit codes: 0 a file was written, and fails as it should; 130 likewise after an interruption, with the\n"
    "smallest found so far; 64 wrong use or input, or a run that does not fail; 66 the database cannot be\n"
    "used; 70 internal error, 74 a file could not be read or written\n";

#define SETTINGS_MAX 256

struct arguments {
    const char *input;
    const char *settings[SETTINGS_MAX];
    uint32_t setting_count;
    const char *profile, *fidelity, *failure, *output;
    uint64_t seed, run, runs_max, for_us;
    uint32_t seeds, jobs;
    bool seed_given, json, quiet, help;
};

struct session {
    const struct arguments *arguments;
    struct aq_stored_run stored;
    struct aq_scenario *scenario; /* owned */
    uint64_t seed;
    struct aq_shrunk shrunk;
    char path[300];
    bool terminal;
    uint64_t start_us, last_line_us; /* of the monotonic clock */
    struct aq_error error;
};

/* ---- arguments ---- */

static int check_arguments(struct arguments *a, int left) {
    if (left != 1) return aq_cli_usage("shrink", "one SCENARIO or DATABASE is wanted, found %d", left);
    if (a->json && a->quiet) return aq_cli_usage("shrink", "--json and --quiet exclude each other");
    if (a->json && a->output && strcmp(a->output, "-") == 0)
        return aq_cli_usage("shrink", "--json and --output - both want standard output");
    if (a->seed_given && a->run)
        return aq_cli_usage("shrink", "--seed is for scenarios, --run for databases");
    return 0;
}

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    enum { SEED = 256, RUN, RUNS, SEEDS, SET };
    static const struct option options[] = {{"seed", required_argument, NULL, SEED},
                                            {"run", required_argument, NULL, RUN},
                                            {"failure", required_argument, NULL, 'f'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"runs", required_argument, NULL, RUNS},
                                            {"for", required_argument, NULL, 't'},
                                            {"seeds", required_argument, NULL, SEEDS},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"set", required_argument, NULL, SET},
                                            {"profile", required_argument, NULL, 'p'},
                                            {"fidelity", required_argument, NULL, 'y'},
                                            {"json", no_argument, NULL, 'J'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, rc = 0;
    *a = (struct arguments){.seeds = AQ_SHRINK_SEEDS_DEFAULT, .jobs = aq_pool_jobs_standard()};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        switch (option) {
        case SEED:
            rc = aq_cli_number("shrink", "seed", optarg, 0, AQ_EXPLORE_SEED_MAX, &a->seed);
            a->seed_given = true;
            break;
        case RUN: rc = aq_cli_number("shrink", "run", optarg, 1, INT64_MAX, &a->run); break;
        case RUNS: rc = aq_cli_number("shrink", "runs", optarg, 1, UINT64_MAX, &a->runs_max); break;
        case SEEDS: rc = aq_cli_count("shrink", "seeds", optarg, 1, 128, &a->seeds); break;
        case 'j': rc = aq_cli_count("shrink", "jobs", optarg, 1, AQ_POOL_JOBS_MAX, &a->jobs); break;
        case 't':
            if (aq_units_duration(optarg, &a->for_us) || a->for_us == 0)
                rc = aq_cli_usage("shrink", "--for: found \"%s\", allowed is a duration such as 60s or 10m",
                                  optarg);
            break;
        case SET:
            if (a->setting_count == SETTINGS_MAX)
                return aq_cli_usage("shrink", "more than %d settings", SETTINGS_MAX);
            a->settings[a->setting_count++] = optarg;
            break;
        case 'f': a->failure = optarg; break;
        case 'o': a->output = optarg; break;
        case 'p': a->profile = optarg; break;
        case 'y': a->fidelity = optarg; break;
        case 'J': a->json = true; break;
        case 'q': a->quiet = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("shrink", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (!rc) rc = check_arguments(a, argc - optind);
    if (!rc) a->input = argv[optind];
    return rc;
}

/* ---- the run that failed ---- */

static bool is_fingerprint(const char *text) {
    return text && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static int load_stored(struct session *s) {
    const struct arguments *a = s->arguments;
    if (a->seed_given || a->setting_count || a->profile || a->fidelity)
        return aq_error_set(
            &s->error, AQ_EINVALID,
            "%s: a run of a database is taken as it was: --seed, --set, --profile and --fidelity "
            "are for scenarios",
            a->input);
    int rc = aq_stored_run_load(a->input, (int64_t)a->run, is_fingerprint(a->failure) ? a->failure : NULL,
                                &s->stored, &s->error);
    if (rc) return rc;
    s->scenario = s->stored.scenario;
    s->stored.scenario = NULL;
    s->seed = s->stored.record.seed;
    if (s->seed <= AQ_EXPLORE_SEED_MAX) return 0;
    return aq_error_set(
        &s->error, AQ_EINVALID,
        "%s: the seed %" PRIu64 " of this run is above %" PRIu64
        ", which is the highest that a scenario file can hold: find the failure with a lower one",
        a->input, s->seed, (uint64_t)AQ_EXPLORE_SEED_MAX);
}

/* What was drawn for the seed, or the scenario itself. */
static int draw(struct session *s) {
    struct aq_draw *draw;
    struct aq_scenario *drawn;
    if (aq_draw_new(s->scenario, &draw)) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    int rc = aq_draw_scenario(draw, s->seed, &drawn, NULL, &s->error);
    aq_draw_free(draw);
    if (rc) return rc;
    aq_scenario_free(s->scenario);
    s->scenario = drawn;
    return 0;
}

static int load_scenario(struct session *s) {
    const struct arguments *a = s->arguments;
    struct aq_scenario_options options = {a->settings, a->setting_count, a->profile, a->fidelity};
    char path[4096];
    int rc = aq_scenario_find(a->input, path, sizeof path, &s->error);
    if (!rc) rc = aq_scenario_load(path, &options, &s->scenario, &s->error);
    if (rc) return rc;
    s->seed = a->seed_given ? a->seed : s->scenario->seed;
    return draw(s);
}

/* ---- while it goes on ---- */

static void on_tick(void *arg, const struct aq_shrink_progress *p) {
    struct session *s = arg;
    uint64_t now_us = aq_wall_us();
    if (!s->terminal || now_us - s->last_line_us < AQ_US_PER_S / 5) return;
    s->last_line_us = now_us;
    fprintf(stderr,
            "\r\033[K%" PRIu64
            " runs, %.1f s, trying fewer %s: %u faults, %u servers, %u clients, %u workers, "
            "%" PRIu64 " jobs, %" PRIu64 " events",
            p->runs, (double)(now_us - s->start_us) / 1e6, p->pass, p->now.scenario.faults,
            p->now.scenario.servers, p->now.scenario.clients, p->now.scenario.workers, p->now.run.jobs,
            p->now.run.events);
}

static int shrink(struct session *s) {
    const struct arguments *a = s->arguments;
    struct aq_shrink_options options = {.scenario = s->scenario,
                                        .seed = s->seed,
                                        .failure = a->failure,
                                        .jobs = a->jobs,
                                        .runs_max = a->runs_max,
                                        .for_us = a->for_us,
                                        .seeds = a->seeds,
                                        .stop = aq_cli_stop(),
                                        .tick = on_tick,
                                        .arg = s};
    s->start_us = aq_wall_us();
    s->terminal = isatty(STDERR_FILENO) && !a->quiet;
    int rc = aq_shrink(&options, &s->shrunk, &s->error);
    if (s->terminal) fputs("\r\033[K", stderr);
    return rc;
}

/* ---- the file and the report ---- */

static int write_file(struct session *s) {
    const char *path = s->arguments->output;
    if (!path) {
        snprintf(s->path, sizeof s->path, "%.100s-%s-%.8s.json", s->scenario->name,
                 s->shrunk.fingerprint.check, s->shrunk.fingerprint.hex);
        for (char *at = s->path; *at; at++)
            if (*at == '/') *at = '-';
        path = s->path;
    }
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdout : fopen(path, "w");
    if (!file) return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", path, strerror(errno));
    bool failed = fprintf(file, "%s\n", s->shrunk.text) < 0;
    failed |= (standard ? fflush(file) : fclose(file)) != 0;
    if (failed) return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", path, strerror(errno));
    if (path != s->path) snprintf(s->path, sizeof s->path, "%s", path);
    return 0;
}

static const char *end_word(enum aq_shrink_end end) {
    static const char *const words[] = {"nothing smaller was found", "the number of runs was reached",
                                        "the time was over", "interrupted"};
    return words[end];
}

/* X(name, before, after): the rows of the table. */
#define SIZES(X)                                                                                             \
    X("faults", size->scenario.faults)                                                                       \
    X("servers", size->scenario.servers)                                                                     \
    X("clients", size->scenario.clients)                                                                     \
    X("workers", size->scenario.workers)                                                                     \
    X("jobs", size->run.jobs)                                                                                \
    X("events", size->run.events)                                                                            \
    X("lines", size->scenario.lines)

enum { SIZE_COUNT = 7 };

static void sizes_of(const struct aq_shrink_size *size, uint64_t out[SIZE_COUNT]) {
    uint32_t i = 0;
#define X(name, value) out[i++] = value;
    SIZES(X)
#undef X
}

static const char *const size_names[SIZE_COUNT] = {
#define X(name, value) name,
    SIZES(X)
#undef X
};

static void print_text(const struct session *s, double elapsed_s) {
    const struct aq_shrunk *r = &s->shrunk;
    uint64_t before[SIZE_COUNT], after[SIZE_COUNT];
    char left[32], right[32];
    sizes_of(&r->before, before);
    sizes_of(&r->after, after);
    printf("SHRUNK %s, seed %" PRIu64 ": %s: %s (fingerprint %s)\n\n", s->scenario->name, s->seed,
           r->fingerprint.check, r->fingerprint.cause, r->fingerprint.hex);
    printf("  %-14s %12s %12s\n", "", "before", "after");
    for (int i = 0; i < SIZE_COUNT; i++)
        printf("  %-14s %12s %12s\n", size_names[i], aq_units_format_count(left, sizeof left, before[i]),
               aq_units_format_count(right, sizeof right, after[i]));
    printf("  %-14s %12s %12s\n", "duration", aq_units_format_span(left, sizeof left, r->before.duration_us),
           aq_units_format_span(right, sizeof right, r->after.duration_us));
    printf("  %-14s %12s %12s\n\n", "virtual time",
           aq_units_format_span(left, sizeof left, r->before.run.virtual_us),
           aq_units_format_span(right, sizeof right, r->after.run.virtual_us));
    printf("%" PRIu64 " runs in %.1f s: %s\n", r->runs, elapsed_s, end_word(r->end));
    printf("Fails with seed %" PRIu64 ": allqsim run %s\n", r->seed, s->path);
}

static void print_size(struct aq_json_put_writer *json, const char *key, const struct aq_shrink_size *size) {
    uint64_t values[SIZE_COUNT];
    sizes_of(size, values);
    aq_json_put_key(json, key);
    aq_json_put_open(json, '{');
    for (int i = 0; i < SIZE_COUNT; i++) {
        aq_json_put_key(json, size_names[i]);
        aq_json_put_u64(json, values[i]);
    }
    aq_json_put_key(json, "duration_s");
    aq_json_put_seconds(json, size->duration_us);
    aq_json_put_key(json, "virtual_s");
    aq_json_put_seconds(json, size->run.virtual_us);
    aq_json_put_close(json, '}');
}

static void print_pair(struct aq_json_put_writer *json, const char *key, const char *text) {
    aq_json_put_key(json, key);
    aq_json_put_text(json, text);
}

static void print_json(const struct session *s, double elapsed_s) {
    const struct aq_shrunk *r = &s->shrunk;
    struct aq_json_put_writer json = {.stream = stdout};
    aq_json_put_open(&json, '{');
    print_pair(&json, "scenario", s->scenario->name);
    print_pair(&json, "check", r->fingerprint.check);
    print_pair(&json, "cause", r->fingerprint.cause);
    print_pair(&json, "fingerprint", r->fingerprint.hex);
    print_pair(&json, "file", s->path);
    print_pair(&json, "end", end_word(r->end));
    aq_json_put_key(&json, "seed");
    aq_json_put_u64(&json, r->seed);
    aq_json_put_key(&json, "runs");
    aq_json_put_u64(&json, r->runs);
    aq_json_put_key(&json, "wall_s");
    aq_json_put_double(&json, elapsed_s);
    print_size(&json, "before", &r->before);
    print_size(&json, "after", &r->after);
    aq_json_put_close(&json, '}');
    putchar('\n');
}

static int print(struct session *s) {
    double elapsed_s = (double)(aq_wall_us() - s->start_us) / 1e6;
    bool to_stdout = strcmp(s->path, "-") == 0;
    if (s->arguments->json)
        print_json(s, elapsed_s);
    else if (!s->arguments->quiet && !to_stdout)
        print_text(s, elapsed_s);
    if (!fflush(stdout)) return 0;
    return aq_error_set(&s->error, AQ_EIO, "output could not be written: %s", strerror(errno));
}

int aq_cli_shrink(int argc, char **argv) {
    static struct arguments arguments;
    static struct session s;
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    s = (struct session){.arguments = &arguments};
    int rc = aq_stored_run_is_database(arguments.input) ? load_stored(&s) : load_scenario(&s);
    if (!rc) aq_cli_watch_signals();
    if (!rc) rc = shrink(&s);
    if (!rc) rc = write_file(&s);
    if (!rc) rc = print(&s);
    code = rc                                      ? aq_cli_fail(&s.error)
           : s.shrunk.end == AQ_SHRINK_INTERRUPTED ? AQ_EXIT_INTERRUPTED
                                                   : AQ_EXIT_PASS;
    aq_shrunk_close(&s.shrunk);
    aq_stored_run_close(&s.stored);
    aq_scenario_free(s.scenario);
    return code;
}
