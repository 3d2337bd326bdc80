#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "reports/print.h"
#include "reports/store.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/cli_explore.h"
#include "sim/pool.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim explore SCENARIO (--seeds FROM..TO | --for TIME | --print-seed SEED) [OPTIONS]\n"
    "\n"
    "Runs a scenario with many seeds, each drawn anew within the bounds of its section explore, in worker\n"
    "processes. Failures are grouped; the quickest run of each group is kept in full.\n"
    "\n"
    "  --seeds FROM..TO      these seeds; FROM.. goes on until the time is over\n"
    "  --for TIME            for this long, such as 60s or 10m; seeds from 1 unless --seeds says otherwise\n"
    "  --jobs N              worker processes (default: one for each processor)\n"
    "  --shard K/N           only the K-th of N parts of the seeds, from 1\n"
    "  --until-found WHAT    search for a check (or crash, replay, a fingerprint); how many seeds does it take?\n"
    "  --repetitions N       searches, each over seeds of its own (default 10)\n"
    "  --check-replay-share X  share of the seeds that are run twice, to compare the hashes (default 0.05)\n"
    "  --print-seed SEED     print the scenario that is drawn for this seed, and run nothing\n"
    "  --set PATH=VALUE      change one key of the scenario; may be repeated\n"
    "  --profile P           strict or upstream, for clients and servers; client=P or server=P for one side\n"
    "  --fidelity F          message or wire\n"
    "  --save FILE           database that it is added to (default " AQ_DATABASE_DEFAULT
    "); --db is the same\n"
    "  --no-db               store nothing\n"
    "  --verbose             one line for each seed on standard error, with what was drawn\n"
    "  --json                print one JSON object on standard output and nothing else there\n"
    "  --quiet               print no summary\n"
    "  --help                print this\n"
    "\n"
    "exit codes: 0 every seed passed, otherwise that of the gravest seed: 1 safety broken, 2 progress or\n"
    "failover broken, 3 slo or distribution broken, 4 a seed ran differently the second time, 70 a crash or an\n"
    "internal error, 5 unknown, or a required mark not reached; 64 wrong use or input, 74 a file could not be\n"
    "written, 130 interrupted\n";

/* ---- arguments ---- */

/* A seed, up to `end`. */
static bool read_seed(const char *text, char end, uint64_t *out, const char **rest) {
    char *after;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 10);
    if (text[0] < '0' || text[0] > '9' || errno || *after != end || value > AQ_EXPLORE_SEED_MAX) return false;
    *out = value;
    *rest = after;
    return true;
}

static int parse_seeds(struct aq_explore_arguments *a, const char *text) {
    const char *rest;
    bool read = read_seed(text, '.', &a->seed_from, &rest) && rest[1] == '.';
    a->seed_to = AQ_EXPLORE_SEED_MAX;
    if (read && rest[2]) read = read_seed(rest + 2, '\0', &a->seed_to, &rest) && a->seed_to >= a->seed_from;
    if (!read)
        return aq_cli_usage(
            "explore", "--seeds: found \"%s\", allowed is FROM..TO, the lower seed first, below 10^15", text);
    a->seeds_given = true;
    return 0;
}

static int parse_number(struct aq_explore_arguments *a, int option, const char *text) {
    const char *rest;
    char *end;
    switch (option) {
    case 'j': return aq_cli_count("explore", "jobs", text, 1, AQ_POOL_JOBS_MAX, &a->jobs);
    case 'r': return aq_cli_count("explore", "repetitions", text, 1, 1000000, &a->repetitions);
    case 't':
        if (!aq_units_duration(text, &a->for_us) && a->for_us > 0) return 0;
        return aq_cli_usage("explore", "--for: found \"%s\", allowed is a duration such as 60s or 10m", text);
    case 'p':
        a->print_seed = true;
        if (read_seed(text, '\0', &a->printed_seed, &rest)) return 0;
        return aq_cli_usage("explore", "--print-seed: found \"%s\", allowed is a number below 10^15", text);
    default:
        a->replay_share = strtod(text, &end);
        if (*text && !*end && a->replay_share >= 0 && a->replay_share <= 1) return 0;
        return aq_cli_usage("explore", "--check-replay-share: found \"%s\", allowed is 0 to 1", text);
    }
}

static int check_arguments(const struct aq_explore_arguments *a, int left) {
    if (left != 1) return aq_cli_usage("explore", "one SCENARIO is wanted, found %d", left);
    if (!a->print_seed && a->for_us == 0 && (!a->seeds_given || a->seed_to == AQ_EXPLORE_SEED_MAX))
        return aq_cli_usage("explore", "--seeds FROM..TO or --for TIME is wanted, to say when to end");
    if (a->json && a->quiet) return aq_cli_usage("explore", "--json and --quiet exclude each other");
    if (a->repetitions && !a->until_found)
        return aq_cli_usage("explore", "--repetitions is for --until-found");
    return 0;
}

static int parse_arguments(int argc, char **argv, struct aq_explore_arguments *a) {
    enum { SEEDS = 256, SHARD, UNTIL, SET, PROFILE, FIDELITY, DB, NO_DB, VERBOSE, JSON, QUIET };
    static const struct option options[] = {{"seeds", required_argument, NULL, SEEDS},
                                            {"for", required_argument, NULL, 't'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"shard", required_argument, NULL, SHARD},
                                            {"until-found", required_argument, NULL, UNTIL},
                                            {"repetitions", required_argument, NULL, 'r'},
                                            {"check-replay-share", required_argument, NULL, 's'},
                                            {"print-seed", required_argument, NULL, 'p'},
                                            {"set", required_argument, NULL, SET},
                                            {"profile", required_argument, NULL, PROFILE},
                                            {"fidelity", required_argument, NULL, FIDELITY},
                                            {"save", required_argument, NULL, DB},
                                            {"db", required_argument, NULL, DB},
                                            {"no-db", no_argument, NULL, NO_DB},
                                            {"verbose", no_argument, NULL, VERBOSE},
                                            {"json", no_argument, NULL, JSON},
                                            {"quiet", no_argument, NULL, QUIET},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, rc = 0;
    *a = (struct aq_explore_arguments){.database = AQ_DATABASE_DEFAULT,
                                       .seed_from = 1,
                                       .seed_to = AQ_EXPLORE_SEED_MAX,
                                       .shard = 1,
                                       .shards = 1,
                                       .replay_share = 0.05};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case SEEDS: rc = parse_seeds(a, optarg); break;
        case SHARD: rc = aq_cli_shard("explore", optarg, &a->shard, &a->shards); break;
        case 't':
        case 'j':
        case 'r':
        case 's':
        case 'p': rc = parse_number(a, option, optarg); break;
        case UNTIL: a->until_found = optarg; break;
        case SET:
            if (a->setting_count == AQ_EXPLORE_SETTINGS_MAX)
                return aq_cli_usage("explore", "more than %d settings", AQ_EXPLORE_SETTINGS_MAX);
            a->settings[a->setting_count++] = optarg;
            break;
        case PROFILE: a->profile = optarg; break;
        case FIDELITY: a->fidelity = optarg; break;
        case DB: a->database = optarg; break;
        case NO_DB: a->database = NULL; break;
        case VERBOSE: a->verbose = true; break;
        case JSON: a->json = true; break;
        case QUIET: a->quiet = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("explore", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (!rc) rc = check_arguments(a, argc - optind);
    if (!rc) a->scenario = argv[optind];
    return rc;
}

/* ---- the command ---- */

static int load(struct aq_explore_session *s) {
    const struct aq_explore_arguments *a = s->arguments;
    struct aq_scenario_options options = {a->settings, a->setting_count, a->profile, a->fidelity};
    char path[4096];
    int rc = aq_scenario_find(a->scenario, path, sizeof path, &s->error);
    return rc ? rc : aq_scenario_load(path, &options, &s->scenario, &s->error);
}

static int print_seed(struct aq_explore_session *s) {
    struct aq_draw *draw;
    struct aq_scenario *drawn;
    if (aq_draw_new(s->scenario, &draw)) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    int rc = aq_draw_scenario(draw, s->arguments->printed_seed, &drawn, NULL, &s->error);
    if (rc == 0) {
        printf("%s\n", drawn->text);
        aq_scenario_free(drawn);
    }
    aq_draw_free(draw);
    return rc;
}

static int check_names(struct aq_explore_session *s) {
    const struct aq_mark_list *required = &s->scenario->explore.required_marks;
    uint32_t index;
    for (uint32_t i = 0; i < required->count; i++)
        if (!aq_mark_find(required->names[i], &index))
            return aq_error_set(
                &s->error, AQ_EINVALID,
                "%s: explore.require_marks[%u]: \"%s\" is no mark: allqsim run --json lists them",
                s->arguments->scenario, i, required->names[i]);
    const char *wanted = s->arguments->until_found;
    if (!wanted || strcmp(wanted, "crash") == 0 || strcmp(wanted, "replay") == 0) return 0;
    if (strlen(wanted) == 16 && strspn(wanted, "0123456789abcdef") == 16) return 0;
    for (int i = 0; i < AQ_CHECK_COUNT; i++)
        if (strcmp(wanted, aq_check_word((enum aq_check)i)) == 0) return 0;
    return aq_error_set(
        &s->error, AQ_EINVALID,
        "--until-found: \"%s\" is neither a check nor crash, replay or a fingerprint of 16 digits", wanted);
}

int aq_cli_explore(int argc, char **argv) {
    static struct aq_explore_arguments arguments;
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (!arguments.jobs) arguments.jobs = aq_pool_jobs_standard();
    static struct aq_explore_session s;
    s = (struct aq_explore_session){.arguments = &arguments, .stop = aq_cli_stop()};
    int rc = load(&s);
    if (!rc) rc = check_names(&s);
    if (!rc && !arguments.print_seed) aq_cli_watch_signals();
    if (!rc) rc = arguments.print_seed ? print_seed(&s) : aq_explore_session_run(&s);
    code = rc ? aq_cli_fail(&s.error) : arguments.print_seed ? AQ_EXIT_PASS : s.exit_code;
    aq_explore_session_close(&s);
    return code;
}
