#include "sim/cli_plan.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sim/cli.h"
#include "sim/pool.h"
#include "sim/verdict.h"

#define SEEDS_MIN      3
#define SEEDS_STANDARD 8
#define CLIENTS_MAX    100000
#define SERVERS_MAX    4096

static const char help[] =
    "usage: allqsim plan SCENARIO --clients FROM..TO --servers FROM..TO [OPTIONS]\n"
    "\n"
    "How many clients can these servers carry? Runs the scenario in the virtual world, scaled to points of a grid:\n"
    "workers and arrivals grow with the clients. For each number of servers it looks for the largest number of\n"
    "clients that meets the objective with confidence, and prints it beside what queueing theory says.\n"
    "\n"
    "  --clients FROM..TO       numbers of clients\n"
    "  --step N                 step of the clients (default: such that there are about 40)\n"
    "  --servers FROM..TO       numbers of servers, each of them; N alone is one\n"
    "  --slo TEXT               the objective, such as 'p99(get_to_done) < 250ms, empty_get_ratio < 20%'\n"
    "                           (default: plan.slo of the scenario)\n"
    "  --survive N              it also has to hold while and after N servers are lost\n"
    "  --workers-per-client N   (default: as in the scenario)\n"
    "  --seeds N                most runs of each point, 3 to 64 (default 8); fewer where they tell enough\n"
    "  --jobs N                 worker processes (default: one for each processor)\n"
    "  --shard K/N              only the K-th of N parts, from 1, of about the same work. It prints its numbers of servers\n"
    "                           and keeps its runs; after `allqsim report merge ALL.db PART...` the same command with\n"
    "                           --save ALL.db and without --shard finds all of them done and prints the whole\n"
    "  --set PATH=VALUE         change one key of the scenario; may be repeated\n"
    "  --profile P              strict or upstream, for clients and servers; client=P or server=P for one side\n"
    "  --save FILE              database that it is added to (default " AQ_DATABASE_DEFAULT
    "); --db is the same.\n"
    "                           Runs that are in it are not done again, so that an interrupted plan goes on\n"
    "  --no-db                  store nothing\n"
    "  --json                   print one JSON object on standard output and nothing else there\n"
    "  --quiet                  print no summary\n"
    "  --help                   print this\n"
    "\n"
    "exit codes: 0 there is a recommendation (or a part is done), 3 nothing meets the objective, 64 wrong use or input, 70 internal\n"
    "error, 74 a file could not be written, 130 interrupted\n";

/* ---- arguments ---- */

/* A whole number from 1 to max; *rest is what follows it. */
static bool read_count(const char *text, uint32_t max, uint32_t *out, const char **rest) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno || value < 1 || value > max) return false;
    *out = (uint32_t)value;
    *rest = end;
    return true;
}

static int parse_range(const char *option, const char *text, uint32_t max, uint32_t *from, uint32_t *to) {
    const char *rest;
    bool read = read_count(text, max, from, &rest);
    if (read && *rest == '\0')
        *to = *from;
    else if (read)
        read = strncmp(rest, "..", 2) == 0 && read_count(rest + 2, max, to, &rest) && *rest == '\0' &&
               *from <= *to;
    if (read) return 0;
    return aq_cli_usage("plan", "%s: found \"%s\", allowed is FROM..TO, from 1 to %u, the lower one first",
                        option, text, max);
}

static int parse_workers(struct aq_plan_arguments *a, const char *text) {
    char *end;
    a->workers_per_client = strtod(text, &end);
    if (*text && !*end && a->workers_per_client > 0 && a->workers_per_client <= 1000) return 0;
    return aq_cli_usage("plan", "--workers-per-client: found \"%s\", allowed is a number above 0, up to 1000",
                        text);
}

static int check_arguments(const struct aq_plan_arguments *a, int left) {
    if (left != 1) return aq_cli_usage("plan", "one SCENARIO is wanted, found %d", left);
    if (!a->grid.clients_from) return aq_cli_usage("plan", "--clients FROM..TO is wanted");
    if (!a->grid.servers_from) return aq_cli_usage("plan", "--servers FROM..TO is wanted");
    if (a->json && a->quiet) return aq_cli_usage("plan", "--json and --quiet exclude each other");
    return 0;
}

enum {
    CLIENTS = 256,
    STEP,
    SERVERS,
    SLO,
    SURVIVE,
    WORKERS,
    SEEDS,
    JOBS,
    SHARD,
    SET,
    PROFILE,
    DB,
    NO_DB,
    JSON,
    QUIET
};

static const struct option options[] = {{"clients", required_argument, NULL, CLIENTS},
                                        {"step", required_argument, NULL, STEP},
                                        {"servers", required_argument, NULL, SERVERS},
                                        {"slo", required_argument, NULL, SLO},
                                        {"survive", required_argument, NULL, SURVIVE},
                                        {"workers-per-client", required_argument, NULL, WORKERS},
                                        {"seeds", required_argument, NULL, SEEDS},
                                        {"jobs", required_argument, NULL, JOBS},
                                        {"shard", required_argument, NULL, SHARD},
                                        {"set", required_argument, NULL, SET},
                                        {"profile", required_argument, NULL, PROFILE},
                                        {"save", required_argument, NULL, DB},
                                        {"db", required_argument, NULL, DB},
                                        {"no-db", no_argument, NULL, NO_DB},
                                        {"json", no_argument, NULL, JSON},
                                        {"quiet", no_argument, NULL, QUIET},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static int parse_option(struct aq_plan_arguments *a, int option, const char *text) {
    struct aq_plan_grid *grid = &a->grid;
    switch (option) {
    case CLIENTS: return parse_range("--clients", text, CLIENTS_MAX, &grid->clients_from, &grid->clients_to);
    case SERVERS: return parse_range("--servers", text, SERVERS_MAX, &grid->servers_from, &grid->servers_to);
    case STEP: return aq_cli_count("plan", "step", text, 1, CLIENTS_MAX, &grid->clients_step);
    case SURVIVE: return aq_cli_count("plan", "survive", text, 1, 64, &grid->survive);
    case SEEDS: return aq_cli_count("plan", "seeds", text, SEEDS_MIN, AQ_PLAN_SEEDS_MAX, &grid->seeds_max);
    case JOBS: return aq_cli_count("plan", "jobs", text, 1, AQ_POOL_JOBS_MAX, &a->jobs);
    case SHARD: return aq_cli_shard("plan", text, &grid->shard, &grid->shards);
    case WORKERS: return parse_workers(a, text);
    case SLO: a->slo = text; return 0;
    case SET:
        if (a->setting_count == AQ_PLAN_SETTINGS_MAX)
            return aq_cli_usage("plan", "more than %d settings", AQ_PLAN_SETTINGS_MAX);
        a->settings[a->setting_count++] = text;
        return 0;
    case PROFILE: a->profile = text; return 0;
    case DB: a->database = text; return 0;
    case NO_DB: a->database = NULL; return 0;
    case JSON: a->json = true; return 0;
    default: a->quiet = true; return 0;
    }
}

static int parse_arguments(int argc, char **argv, struct aq_plan_arguments *a) {
    int option, rc = 0;
    *a = (struct aq_plan_arguments){.database = AQ_DATABASE_DEFAULT,
                                    .grid = {.seeds_min = SEEDS_MIN, .seeds_max = SEEDS_STANDARD}};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            a->help = true;
            return 0;
        }
        if (option == '?')
            return aq_cli_usage("plan", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        rc = parse_option(a, option, optarg);
    }
    if (!rc) rc = check_arguments(a, argc - optind);
    if (!rc) a->scenario = argv[optind];
    return rc;
}

/* ---- the command ---- */

int aq_cli_plan(int argc, char **argv) {
    static struct aq_plan_arguments arguments;
    static struct aq_plan_session session;
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (!arguments.jobs) arguments.jobs = aq_pool_jobs_standard();
    session = (struct aq_plan_session){.arguments = &arguments, .stop = aq_cli_stop()};
    aq_cli_watch_signals();
    int rc = aq_plan_session_run(&session);
    code = rc ? aq_cli_fail(&session.error) : session.exit_code;
    aq_plan_session_close(&session);
    return code;
}
