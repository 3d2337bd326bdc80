#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/mutants.h"
#include "fakeserver/mutants.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/mutants.h"
#include "sim/pool.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

#define SCENARIO_STANDARD  "swarm"
#define SEEDS_MAX_STANDARD 500
#define SEARCHES_STANDARD  5

static const char help[] =
    "usage: allqsim mutants [SCENARIO] [OPTIONS]\n"
    "\n"
    "Tries the checks on planted bugs. One after the other, each bug of the list is let loose in the client or\n"
    "the servers, and SCENARIO (default: swarm) is explored until a check sees it. From the number of seeds that\n"
    "this takes follows what a clean exploration is worth. Wants a build with ALLQSIM_MUTANTS=ON, such as that\n"
    "of the preset mutants.\n"
    "\n"
    "  --list            list the mutants and what each does wrong, and run nothing\n"
    "  --only NAME       only this one; may be repeated\n"
    "  --max-seeds N     give a search up after so many seeds (default 500)\n"
    "  --repetitions N   searches for each, each over seeds of its own, 1 to 1000 (default 5)\n"
    "  --jobs N          worker processes (default: one for each processor)\n"
    "  --set PATH=VALUE  change one key of the scenario; may be repeated\n"
    "  --json            print one JSON object on standard output and nothing else there\n"
    "  --help            print this\n"
    "\n"
    "exit codes: 0 every mutant was found, 5 one was not, 64 wrong use, or a build without mutants, 70 an\n"
    "internal error, 130 interrupted\n";

#define MUTANTS_MAX  256
#define SETTINGS_MAX 64

struct arguments {
    const char *scenario;
    const char *only[MUTANTS_MAX];
    const char *settings[SETTINGS_MAX];
    uint32_t only_count, setting_count, seeds_max, searches, jobs;
    bool list, json, help;
};

/* A mutant of either core, in the order of the lists. */
struct entry {
    const struct aq_mutant_table *table;
    uint32_t row;
    const char *core;
};

static uint32_t all_entries(struct entry *out) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < aq_client_mutants.count; i++)
        out[count++] = (struct entry){&aq_client_mutants, i, "client"};
    for (uint32_t i = 0; i < aq_server_mutants.count; i++)
        out[count++] = (struct entry){&aq_server_mutants, i, "server"};
    return count;
}

static const char *name_of(const struct entry *entry) {
    return entry->table->rows[entry->row].name;
}

/* ---- arguments ---- */

static int add_name(struct arguments *a, const char *name) {
    struct entry entries[MUTANTS_MAX];
    uint32_t count = all_entries(entries), i = 0;
    while (i < count && strcmp(name_of(&entries[i]), name) != 0)
        i++;
    if (i == count)
        return aq_cli_usage("mutants", "--only: there is no mutant \"%s\": allqsim mutants --list shows all",
                            name);
    if (a->only_count == MUTANTS_MAX) return aq_cli_usage("mutants", "more than %d --only", MUTANTS_MAX);
    a->only[a->only_count++] = name;
    return 0;
}

static int add_setting(struct arguments *a, const char *setting) {
    if (a->setting_count == SETTINGS_MAX)
        return aq_cli_usage("mutants", "more than %d settings", SETTINGS_MAX);
    a->settings[a->setting_count++] = setting;
    return 0;
}

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    enum { LIST = 256, ONLY, MAX_SEEDS, REPETITIONS, JOBS, SET, JSON };
    static const struct option options[] = {{"list", no_argument, NULL, LIST},
                                            {"only", required_argument, NULL, ONLY},
                                            {"max-seeds", required_argument, NULL, MAX_SEEDS},
                                            {"repetitions", required_argument, NULL, REPETITIONS},
                                            {"jobs", required_argument, NULL, JOBS},
                                            {"set", required_argument, NULL, SET},
                                            {"json", no_argument, NULL, JSON},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, rc = 0;
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case LIST: a->list = true; break;
        case ONLY: rc = add_name(a, optarg); break;
        case MAX_SEEDS:
            rc = aq_cli_count("mutants", "max-seeds", optarg, 1, 1000000000, &a->seeds_max);
            break;
        case REPETITIONS:
            rc = aq_cli_count("mutants", "repetitions", optarg, 1, AQ_MUTANT_SEARCHES_MAX, &a->searches);
            break;
        case JOBS: rc = aq_cli_count("mutants", "jobs", optarg, 1, AQ_POOL_JOBS_MAX, &a->jobs); break;
        case SET: rc = add_setting(a, optarg); break;
        case JSON: a->json = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("mutants", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (!rc && argc - optind > 1)
        rc = aq_cli_usage("mutants", "one SCENARIO at most, found %d", argc - optind);
    if (!rc && optind < argc) a->scenario = argv[optind];
    return rc;
}

/* ---- the command ---- */

static bool is_wanted(const struct arguments *a, const struct entry *entry) {
    for (uint32_t i = 0; i < a->only_count; i++)
        if (strcmp(a->only[i], name_of(entry)) == 0) return true;
    return a->only_count == 0;
}

static void print_list(const struct arguments *a, const struct entry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const struct aq_mutant *row = &entries[i].table->rows[entries[i].row];
        if (is_wanted(a, &entries[i]))
            printf("%-20s %-7s %-18s %s\n", row->name, entries[i].core, row->family, row->breaks);
    }
}

static int load(const struct arguments *a, struct aq_scenario **out, struct aq_error *error) {
    struct aq_scenario_options options = {.settings = a->settings, .setting_count = a->setting_count};
    char path[4096];
    int rc = aq_scenario_find(a->scenario, path, sizeof path, error);
    return rc ? rc : aq_scenario_load(path, &options, out, error);
}

static int try_all(const struct arguments *a, const struct aq_scenario *scenario, const struct entry *entries,
                   uint32_t count, struct aq_mutant_finding *findings, struct aq_mutant_report *report,
                   struct aq_arena *texts, struct aq_error *error) {
    const struct aq_mutant_options options = {.scenario = scenario,
                                              .jobs = a->jobs,
                                              .seeds_max = a->seeds_max,
                                              .searches = a->searches,
                                              .stop = aq_cli_stop()};
    bool terminal = isatty(STDERR_FILENO) && !a->json;
    int rc = 0;
    for (uint32_t i = 0; i < count && !rc && !report->interrupted; i++) {
        if (!is_wanted(a, &entries[i])) continue;
        if (terminal) fprintf(stderr, "\r\033[K%u of %u: %s", i + 1, count, name_of(&entries[i]));
        struct aq_mutant_finding *finding = &findings[report->count];
        rc = aq_mutant_try(&options, entries[i].table, entries[i].row, texts, finding, &report->interrupted,
                           error);
        finding->core = entries[i].core;
        if (!rc && !report->interrupted) report->count++;
    }
    if (terminal) fputs("\r\033[K", stderr);
    return rc;
}

static bool all_found(const struct aq_mutant_report *report) {
    for (uint32_t i = 0; i < report->count; i++)
        if (report->findings[i].found == 0) return false;
    return true;
}

static int run(const struct arguments *a, const struct entry *entries, uint32_t count) {
    static struct aq_mutant_finding findings[MUTANTS_MAX];
    struct aq_scenario *scenario = NULL;
    struct aq_arena texts = {0};
    struct aq_error error = {0};
    struct aq_mutant_report report = {
        .scenario = a->scenario, .seeds_max = a->seeds_max, .findings = findings};
    uint64_t start_us = aq_wall_us();
    aq_cli_watch_signals();
    int rc = load(a, &scenario, &error);
    if (!rc) rc = try_all(a, scenario, entries, count, findings, &report, &texts, &error);
    report.wall_us = aq_wall_us() - start_us;
    if (!rc) rc = a->json ? aq_print_mutants_json(stdout, &report) : aq_print_mutants_text(stdout, &report);
    if (rc == AQ_EIO) aq_error_set(&error, rc, "output could not be written: %s", strerror(errno));
    aq_scenario_free(scenario);
    aq_arena_close(&texts);
    if (rc) return aq_cli_fail(&error);
    return report.interrupted ? AQ_EXIT_INTERRUPTED : all_found(&report) ? AQ_EXIT_PASS : AQ_EXIT_UNKNOWN;
}

int aq_cli_mutants(int argc, char **argv) {
    static struct arguments a;
    struct entry entries[MUTANTS_MAX];
    uint32_t count = all_entries(entries);
    a = (struct arguments){
        .scenario = SCENARIO_STANDARD, .seeds_max = SEEDS_MAX_STANDARD, .searches = SEARCHES_STANDARD};
    int rc = parse_arguments(argc, argv, &a);
    if (rc) return rc;
    if (a.help || a.list) {
        if (a.help) fputs(help, stdout);
        if (!a.help) print_list(&a, entries, count);
        return AQ_EXIT_PASS;
    }
    if (!a.jobs) a.jobs = aq_pool_jobs_standard();
    return run(&a, entries, count);
}
