#include "sim/cli_suite.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "protocol/ids.h"
#include "sim/cli.h"
#include "sim/pool.h"
#include "sim/suite.h"
#include "sim/verdict.h"

#define SETTINGS_MAX 256

static const char help[] =
    "usage: allqsim suite FILE [OPTIONS]\n"
    "\n"
    "Runs many scenarios with some profiles and seeds in worker processes, as `allqsim run A B ... --seeds 1..3` does:\n"
    "one database, one summary, one exit code. FILE is JSON:\n"
    "\n"
    "  {\"name\": \"nightly\", \"scenarios\": [\"server-crash\", \"outages/\", \"mine.json\"],\n"
    "   \"profiles\": [\"strict\", \"upstream\"], \"seeds\": \"1..3\", \"jobs\": 2, \"settings\": [\"clients.count=20\"],\n"
    "   \"fidelity\": \"message\", \"check_replay\": true, \"notes\": \"...\"}\n"
    "\n"
    "Only scenarios is needed: files and folders, from the folder of FILE on, and names of the library. Of a folder\n"
    "each file that ends in .json is taken, those of folders in it are not. Options take precedence over FILE:\n"
    "\n"
    "  --seeds FROM..TO     these seeds of each scenario; without them the scenario's own\n"
    "  --seed N             one seed: a decimal number or a commit hash of 40 hex digits\n"
    "  --profiles A,B       each scenario with each of these; words as for --profile\n"
    "  --set PATH=VALUE     change one key of every scenario; may be repeated\n"
    "  --fidelity F         message or wire\n"
    "  --jobs N             worker processes (default: one for each processor)\n"
    "  --shard K/N          only the K-th of N parts of the runs, from 1: each run belongs to one of them\n"
    "  --check-replay       run each seed twice and compare the hashes\n"
    "  --save FILE          database that the runs are added to (default " AQ_DATABASE_DEFAULT
    "); --db is the same\n"
    "  --no-db              store nothing\n"
    "  --junit FILE         write JUnit's XML as well: a suite for each run, a case for each check\n"
    "  --annotations github tell GitHub Actions, on standard error, of checks that failed\n"
    "  --verbose            one line for each run on standard error\n"
    "  --json               print one JSON object on standard output and nothing else there\n"
    "  --quiet              print no summary\n"
    "  --help               print this\n"
    "\n"
    "exit codes: that of the gravest run: 1, 2, 3 (see allqsim run --help), 4 not the same twice, 70 a crash, 5 unknown,\n"
    "0 all pass; 64 wrong use or input, and nothing has run; 66 the database cannot be used; 74 a file could not be\n"
    "written; 130 interrupted: what was done is in the database\n";

enum {
    SEED = 256,
    SEEDS,
    SET,
    PROFILE,
    PROFILES,
    FIDELITY,
    DB,
    NO_DB,
    JUNIT,
    JSON,
    QUIET,
    ANNOTATIONS,
    REPLAY,
    VERBOSE,
    WORLD,
    SHARD,
    ONE_RUN, /* options of run that are about one alone */
};

static const struct option options[] = {{"seed", required_argument, NULL, SEED},
                                        {"seeds", required_argument, NULL, SEEDS},
                                        {"set", required_argument, NULL, SET},
                                        {"profile", required_argument, NULL, PROFILE},
                                        {"profiles", required_argument, NULL, PROFILES},
                                        {"fidelity", required_argument, NULL, FIDELITY},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"save", required_argument, NULL, DB},
                                        {"db", required_argument, NULL, DB},
                                        {"no-db", no_argument, NULL, NO_DB},
                                        {"junit", required_argument, NULL, JUNIT},
                                        {"json", no_argument, NULL, JSON},
                                        {"quiet", no_argument, NULL, QUIET},
                                        {"annotations", required_argument, NULL, ANNOTATIONS},
                                        {"check-replay", no_argument, NULL, REPLAY},
                                        {"verbose", no_argument, NULL, VERBOSE},
                                        {"world", required_argument, NULL, WORLD},
                                        {"shard", required_argument, NULL, SHARD},
                                        {"trace", required_argument, NULL, ONE_RUN},
                                        {"speed", required_argument, NULL, ONE_RUN},
                                        {"events", no_argument, NULL, ONE_RUN},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

/* What the command line says, beside what goes straight into the arguments of the suite. */
struct given {
    const char *command; /* "run" or "suite", for messages */
    const char *settings[SETTINGS_MAX];
    char *profiles; /* owned: the list, cut into words */
    bool one_profile, help;
};

/* ---- arguments ---- */

int aq_cli_read_seed(const char *command, const char *text, uint64_t *out) {
    if (strlen(text) == 40 && strspn(text, "0123456789abcdefABCDEF") == 40) {
        *out = aq_text_hash(aq_text_of(text));
        return 0;
    }
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return aq_cli_usage(
            command, "--seed: found \"%s\", allowed is a decimal number below 2^64 or 40 hex digits", text);
    *out = value;
    return 0;
}

static int add_profile(const char *command, struct aq_suite_arguments *a, const char *profile) {
    for (uint32_t i = 0; i < a->profile_count; i++)
        if (strcmp(a->profiles[i], profile) == 0)
            return aq_cli_usage(command, "--profiles: \"%s\" is there twice", profile);
    if (a->profile_count == AQ_SUITE_PROFILES_MAX)
        return aq_cli_usage(command, "more than %d profiles", AQ_SUITE_PROFILES_MAX);
    a->profiles[a->profile_count++] = profile;
    return 0;
}

static int parse_profiles(struct given *given, struct aq_suite_arguments *a, const char *text) {
    char *rest = NULL;
    int code = 0;
    aq_free(given->profiles);
    given->profiles = aq_alloc(strlen(text) + 1);
    if (!given->profiles) return AQ_EXIT_INTERNAL;
    strcpy(given->profiles, text);
    a->profile_count = 0;
    for (char *word = strtok_r(given->profiles, ",", &rest); word && !code; word = strtok_r(NULL, ",", &rest))
        code = add_profile(given->command, a, word);
    if (!code && !a->profile_count)
        code = aq_cli_usage(given->command,
                            "--profiles: found \"%s\", allowed are words such as strict,upstream", text);
    return code;
}

/* Those that have a value of their own kind. */
static int parse_valued(struct given *given, struct aq_suite_arguments *a, int option) {
    const char *command = given->command;
    switch (option) {
    case SEED: a->seed_text = optarg; return aq_cli_read_seed(command, optarg, &a->seed);
    case SEEDS:
        if (aq_suite_read_seeds(optarg, &a->seeds)) return 0;
        return aq_cli_usage(
            command, "--seeds: found \"%s\", allowed is FROM..TO, the lower seed first, below 10^15", optarg);
    case SET:
        if (a->setting_count == SETTINGS_MAX)
            return aq_cli_usage(command, "more than %d settings", SETTINGS_MAX);
        given->settings[a->setting_count++] = optarg;
        return 0;
    case PROFILE:
        given->one_profile = true;
        a->profile_count = 0;
        return add_profile(command, a, optarg);
    case PROFILES: return parse_profiles(given, a, optarg);
    case 'j': return aq_cli_count(command, "jobs", optarg, 1, AQ_POOL_JOBS_MAX, &a->jobs);
    case SHARD: return aq_cli_shard(command, optarg, &a->shard, &a->shards);
    case ANNOTATIONS:
        a->annotations = true;
        if (strcmp(optarg, "github") == 0) return 0;
        return aq_cli_usage(command, "--annotations: found \"%s\", allowed is github", optarg);
    case WORLD:
        if (strcmp(optarg, "virtual") == 0) return 0;
        return aq_cli_usage(command, "--world %s is for one run: many are run in the virtual world", optarg);
    default:
        return aq_cli_usage(command, "--trace, --speed and --events are for one run, and this is a suite");
    }
}

static int parse_options(int argc, char **argv, struct given *given, struct aq_suite_arguments *a) {
    int option, code = 0;
    opterr = 0;
    optind = 0; /* they may have been looked through before */
    while (!code && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case FIDELITY: a->fidelity = optarg; break;
        case DB: a->database = optarg; break;
        case NO_DB: a->database = NULL; break;
        case JUNIT: a->junit = optarg; break;
        case JSON: a->json = true; break;
        case QUIET: a->quiet = true; break;
        case REPLAY: a->check_replay = true; break;
        case VERBOSE: a->verbose = true; break;
        case 'h': given->help = true; return 0;
        case '?':
        case ':':
            return aq_cli_usage(given->command, "unknown option or missing value: \"%s\"", argv[optind - 1]);
        default: code = parse_valued(given, a, option);
        }
    }
    if (code) return code;
    a->settings = given->settings;
    if (a->seed_text && a->seeds.given)
        return aq_cli_usage(given->command, "--seed and --seeds exclude each other");
    if (given->one_profile && given->profiles)
        return aq_cli_usage(given->command, "--profile and --profiles exclude each other");
    if (a->json && a->quiet) return aq_cli_usage(given->command, "--json and --quiet exclude each other");
    return 0;
}

/* ---- is it one? ---- */

static bool is_folder(const char *word) {
    struct stat status;
    size_t length = strlen(word);
    return (length && word[length - 1] == '/') || (stat(word, &status) == 0 && S_ISDIR(status.st_mode));
}

bool aq_cli_run_is_suite(int argc, char **argv) {
    int option;
    bool many = false;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h' || option == '?')
            return false; /* run has its own help, and words for what is wrong */
        many |= option == SEEDS || option == PROFILES || option == 'j' || option == JUNIT || option == SHARD;
    }
    int words = argc - optind;
    return words > 1 || (words == 1 && (many || is_folder(argv[optind])));
}

/* ---- the commands ---- */

static int run_suite(struct aq_suite_arguments *a) {
    static struct aq_suite_session session;
    session = (struct aq_suite_session){.arguments = a, .stop = aq_cli_stop()};
    if (!a->jobs) a->jobs = aq_pool_jobs_standard();
    if (!a->shards) a->shard = a->shards = 1;
    aq_cli_watch_signals();
    int rc = aq_suite_session_run(&session);
    int code = rc ? aq_cli_fail(&session.error) : session.result.exit_code;
    aq_suite_session_close(&session);
    return code;
}

int aq_cli_run_suite(int argc, char **argv) {
    struct aq_suite_arguments arguments = {.name = "of scenarios", .database = AQ_DATABASE_DEFAULT};
    struct given given = {.command = "run"};
    int code = parse_options(argc, argv, &given, &arguments);
    arguments.words = (const char *const *)argv + optind;
    arguments.word_count = (uint32_t)(argc - optind);
    if (!code) code = run_suite(&arguments);
    aq_free(given.profiles);
    return code;
}

/* What the file says where the command line does not. */
static int take_file(struct aq_suite_arguments *a, struct given *given, const struct aq_suite *suite) {
    uint32_t own = a->setting_count, more = suite->settings.count;
    int code = 0;
    a->name = suite->name;
    a->folder = suite->folder;
    a->words = (const char *const *)suite->scenarios.list;
    a->word_count = suite->scenarios.count;
    if (!a->fidelity) a->fidelity = suite->fidelity;
    if (!a->jobs) a->jobs = suite->jobs;
    if (!a->seeds.given && !a->seed_text) a->seeds = suite->seeds;
    a->check_replay |= suite->check_replay;
    for (uint32_t i = 0; i < suite->profiles.count && !given->profiles && !given->one_profile && !code; i++)
        code = add_profile("suite", a, suite->profiles.list[i]);
    if (own + more > SETTINGS_MAX) return aq_cli_usage("suite", "more than %d settings", SETTINGS_MAX);
    memmove(given->settings + more, given->settings,
            own * sizeof *given->settings); /* the later one counts */
    for (uint32_t i = 0; i < more; i++)
        given->settings[i] = suite->settings.list[i];
    a->setting_count = own + more;
    return code;
}

int aq_cli_suite(int argc, char **argv) {
    struct aq_suite_arguments arguments = {.database = AQ_DATABASE_DEFAULT};
    struct given given = {.command = "suite"};
    struct aq_suite *suite = NULL;
    struct aq_error error = {0};
    int code = parse_options(argc, argv, &given, &arguments);
    if (!code && given.help) fputs(help, stdout);
    if (!code && !given.help && argc - optind != 1)
        code = aq_cli_usage("suite", "one FILE is wanted, found %d", argc - optind);
    if (!code && !given.help && aq_suite_load(argv[optind], &suite, &error)) code = aq_cli_fail(&error);
    if (!code && suite) code = take_file(&arguments, &given, suite);
    if (!code && suite) code = run_suite(&arguments);
    aq_suite_free(suite);
    aq_free(given.profiles);
    return code;
}
