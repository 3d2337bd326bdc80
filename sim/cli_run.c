#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "reports/print.h"
#include "reports/store.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/cli_suite.h"
#include "sim/cli_words.h"
#include "sim/check_replay.h"
#include "sim/run.h"
#include "sim/snapshots.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim run SCENARIO [OPTIONS]\n"
    "       allqsim run SCENARIO... [--seeds FROM..TO] [--profiles A,B] [--jobs N] [--shard K/N] [--junit FILE] [OPTIONS]\n"
    "\n"
    "Runs a scenario, checks what happened, prints the verdict and stores the run.\n"
    "SCENARIO is a file or a name of the library (allqsim scenarios lists them). Several, a folder of files, or one of\n"
    "the five options above make a suite: all of them with each profile and seed, in worker processes, into one database\n"
    "with one summary and one exit code; `allqsim suite --help` tells more.\n"
    "\n"
    "  --seed N             seed of the run: a decimal number or a commit hash of 40 hex digits\n"
    "  --set PATH=VALUE     change one key of the scenario, e.g. clients.count=2000; may be repeated\n"
    "  --profile P          strict or upstream, for clients and servers; client=P or server=P for one side\n"
    "  --fidelity F         message (structs cross the network) or wire (every byte is encoded and parsed)\n"
    "  --world W            virtual (default) or live: real time, real sockets on the loopback network\n"
    "  --check-replay       run the seed twice and compare the hashes; a difference is exit code 4\n"
    "  --speed X            live: X times as fast as real time (default 1)\n"
    "  --db FILE            database that the run is added to (default " AQ_DATABASE_DEFAULT
    "); --save is the same\n"
    "  --no-db              store nothing\n"
    "  --events             store the lines of the trace as well (large)\n"
    "  --trace FILE         write one line for each thing observed; - for standard output\n"
    "  --stats FILE         write the servers' own stats, window by window while load lasts, for allqsim import\n"
    "  --json               print one JSON object on standard output and nothing else there\n"
    "  --quiet              print no summary\n"
    "  --annotations github tell GitHub Actions, on standard error, of checks that failed\n"
    "  --help               print this\n"
    "\n"
    "exit codes: 0 pass, 1 safety broken, 2 progress or failover broken, 3 slo or distribution\n"
    "broken, 5 unknown, 64 wrong use or input, 66 the database cannot be used, 70 internal error, 74 a file could\n"
    "not be written, 130 interrupted\n";

#define SETTINGS_MAX 256

struct arguments {
    const char *scenario;
    const char *seed_text; /* NULL: the scenario's */
    const char *settings[SETTINGS_MAX];
    uint32_t setting_count;
    const char *profile, *fidelity;
    const char *database; /* NULL: none */
    const char *trace_path, *stats_path;
    bool live;
    double speed;
    bool events, json, quiet, annotations, check_replay, help;
};

/* What the run's callbacks work on. */
struct session {
    const struct arguments *arguments;
    struct aq_scenario *scenario;
    struct aq_record record;
    struct aq_store *store;
    int64_t run;
    FILE *trace, *stats;
    struct aq_record_event *events; /* waiting to be stored; texts in event_texts */
    uint32_t event_count, event_capacity;
    uint64_t events_stored;
    struct aq_arena event_texts;
    bool terminal;
    struct timespec start, last_line;
    struct aq_error error;
};

/* ---- arguments ---- */

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    enum {
        SEED = 256,
        WORLD,
        SPEED,
        SET,
        PROFILE,
        FIDELITY,
        DB,
        NO_DB,
        EVENTS,
        TRACE,
        STATS,
        JSON,
        QUIET,
        ANNOTATIONS,
        REPLAY
    };
    static const struct option options[] = {{"seed", required_argument, NULL, SEED},
                                            {"world", required_argument, NULL, WORLD},
                                            {"speed", required_argument, NULL, SPEED},
                                            {"set", required_argument, NULL, SET},
                                            {"profile", required_argument, NULL, PROFILE},
                                            {"fidelity", required_argument, NULL, FIDELITY},
                                            {"db", required_argument, NULL, DB},
                                            {"save", required_argument, NULL, DB},
                                            {"no-db", no_argument, NULL, NO_DB},
                                            {"events", no_argument, NULL, EVENTS},
                                            {"trace", required_argument, NULL, TRACE},
                                            {"stats", required_argument, NULL, STATS},
                                            {"json", no_argument, NULL, JSON},
                                            {"quiet", no_argument, NULL, QUIET},
                                            {"annotations", required_argument, NULL, ANNOTATIONS},
                                            {"check-replay", no_argument, NULL, REPLAY},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option;
    *a = (struct arguments){.database = AQ_DATABASE_DEFAULT};
    opterr = 0;
    optind = 0; /* they have been looked through before */
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case SEED: a->seed_text = optarg; break;
        case WORLD:
            a->live = strcmp(optarg, "live") == 0;
            if (!a->live && strcmp(optarg, "virtual") != 0)
                return aq_cli_usage("run", "--world: found \"%s\", allowed are virtual, live", optarg);
            break;
        case SPEED: {
            char *end;
            a->speed = strtod(optarg, &end);
            if (*end || !(a->speed >= 0.01 && a->speed <= 100))
                return aq_cli_usage("run", "--speed: found \"%s\", allowed is 0.01 to 100", optarg);
            break;
        }
        case SET:
            if (a->setting_count == SETTINGS_MAX)
                return aq_cli_usage("run", "more than %d settings", SETTINGS_MAX);
            a->settings[a->setting_count++] = optarg;
            break;
        case PROFILE: a->profile = optarg; break;
        case FIDELITY: a->fidelity = optarg; break;
        case DB: a->database = optarg; break;
        case NO_DB: a->database = NULL; break;
        case EVENTS: a->events = true; break;
        case TRACE: a->trace_path = optarg; break;
        case STATS: a->stats_path = optarg; break;
        case JSON: a->json = true; break;
        case QUIET: a->quiet = true; break;
        case ANNOTATIONS:
            a->annotations = true;
            if (strcmp(optarg, "github") != 0)
                return aq_cli_usage("run", "--annotations: found \"%s\", allowed is github", optarg);
            break;
        case REPLAY: a->check_replay = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("run", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (argc - optind != 1) return aq_cli_usage("run", "one SCENARIO is wanted, found %d", argc - optind);
    a->scenario = argv[optind];
    if (a->speed > 0 && !a->live)
        return aq_cli_usage("run", "--speed is for --world live; the virtual world needs none");
    if (a->check_replay && a->live)
        return aq_cli_usage("run", "--check-replay is for the virtual world: live runs differ");
    if (a->events && !a->database)
        return aq_cli_usage("run", "--events needs a database, and --no-db gives none");
    if (a->json && a->trace_path && strcmp(a->trace_path, "-") == 0)
        return aq_cli_usage("run", "--json and --trace - both want standard output");
    return 0;
}

static const char *reproduce_line(struct session *s) {
    const struct arguments *a = s->arguments;
    struct aq_cli_line line;
    aq_cli_line_begin(&line, &s->record.memory, "allqsim run");
    aq_cli_line_word(&line, a->scenario);
    aq_cli_line_option(&line, "--seed", s->record.seed_text);
    aq_cli_line_option(&line, "--profile", a->profile);
    aq_cli_line_option(&line, "--world", a->live ? "live" : NULL);
    aq_cli_line_option(&line, "--fidelity", a->fidelity);
    for (uint32_t i = 0; i < a->setting_count; i++)
        aq_cli_line_option(&line, "--set", a->settings[i]);
    return line.text;
}

/* ---- callbacks ---- */

static double seconds_since(const struct timespec *then) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void store_events(struct session *s) {
    if (s->event_count == 0 || s->error.code) return;
    aq_store_add_events(s->store, s->run, s->events, s->event_count, &s->error);
    s->event_count = 0;
    aq_arena_reset(&s->event_texts);
}

static void on_progress(void *arg, const struct aq_progress *p) {
    struct session *s = arg;
    store_events(s);
    if (!s->terminal || seconds_since(&s->last_line) < 0.2) return;
    clock_gettime(CLOCK_MONOTONIC, &s->last_line);
    fprintf(stderr,
            "\r\033[K%s %.0f s of at most %.0f s, %.2f M events/s, %" PRIu64 " jobs done, %" PRIu64
            " violations",
            p->settling ? "settling:" : "running:", (double)p->now_us / 1e6, (double)p->end_us / 1e6,
            (double)p->events / 1e6 / (seconds_since(&s->start) + 1e-9), p->completed, p->violations);
}

static int on_stats(void *arg, aq_time_us at_us, const char *server, const struct aq_server_stats *stats) {
    struct session *s = arg;
    int rc = aq_snapshot_write(s->stats, (double)at_us / 1e6, server, stats);
    return rc ? aq_error_set(&s->error, rc, "%s: %s", s->arguments->stats_path, strerror(errno)) : 0;
}

static int keep_event(struct session *s, aq_time_us at_us, const char *text) {
    struct aq_text copy;
    int rc = aq_array_reserve(&s->events, &s->event_capacity, (size_t)s->event_count + 1, sizeof *s->events);
    if (!rc) rc = aq_arena_text(&s->event_texts, (struct aq_text){text, (uint32_t)strlen(text) + 1}, &copy);
    if (rc) return rc;
    s->events[s->event_count++] = (struct aq_record_event){s->events_stored++, at_us, copy.at};
    return 0;
}

static int on_trace_line(void *arg, aq_time_us at_us, const char *text) {
    struct session *s = arg;
    if (s->error.code) return s->error.code;
    if (s->trace && fprintf(s->trace, "%s\n", text) < 0)
        return aq_error_set(&s->error, AQ_EIO, "%s: %s", s->arguments->trace_path, strerror(errno));
    return s->arguments->events ? keep_event(s, at_us, text) : 0;
}

/* ---- the run ---- */

static int load(struct session *s) {
    const struct arguments *a = s->arguments;
    struct aq_scenario_options options = {a->settings, a->setting_count, a->profile, a->fidelity};
    char path[4096];
    int rc = aq_scenario_find(a->scenario, path, sizeof path, &s->error);
    return rc ? rc : aq_scenario_load(path, &options, &s->scenario, &s->error);
}

static int identify(struct session *s, uint64_t seed) {
    struct aq_record *record = &s->record;
    int rc = aq_run_identify(s->scenario, seed, record);
    record->version = AQ_VERSION;
    record->world = s->arguments->live ? "live" : "virtual";
    record->started_unix_s = (int64_t)time(NULL);
    record->seed_text = s->arguments->seed_text ? aq_record_text(record, "%s", s->arguments->seed_text)
                                                : aq_record_text(record, "%" PRIu64, seed);
    if (rc || !record->seed_text || !(record->reproduce = reproduce_line(s)))
        return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    return 0;
}

static int open_outputs(struct session *s) {
    const struct arguments *a = s->arguments;
    if (a->trace_path) {
        s->trace = strcmp(a->trace_path, "-") == 0 ? stdout : fopen(a->trace_path, "w");
        if (!s->trace)
            return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", a->trace_path,
                                strerror(errno));
    }
    if (a->stats_path && !(s->stats = fopen(a->stats_path, "w")))
        return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", a->stats_path, strerror(errno));
    if (!a->database) return 0;
    int rc = aq_store_open(a->database, true, &s->store, &s->error);
    if (!rc) rc = aq_store_begin_run(s->store, &s->record, &s->run, &s->error);
    return rc;
}

static void close_session(struct session *s) {
    if (s->trace && s->trace != stdout) fclose(s->trace);
    if (s->stats) fclose(s->stats);
    aq_store_close(s->store);
    aq_free(s->events);
    aq_arena_close(&s->event_texts);
    aq_record_close(&s->record);
    aq_scenario_free(s->scenario);
}

static int run(struct session *s, uint64_t seed) {
    const struct arguments *a = s->arguments;
    struct aq_run_options options = {.scenario = s->scenario,
                                     .seed = seed,
                                     .live = a->live,
                                     .speed = a->speed,
                                     .stop = aq_cli_stop(),
                                     .progress = on_progress,
                                     .progress_arg = s,
                                     .trace_line = a->trace_path || a->events ? on_trace_line : NULL,
                                     .trace_arg = s,
                                     .stats = a->stats_path ? on_stats : NULL,
                                     .stats_arg = s};
    clock_gettime(CLOCK_MONOTONIC, &s->start);
    s->terminal = isatty(STDERR_FILENO) && !a->quiet;
    aq_cli_watch_signals();
    if (a->live) signal(SIGPIPE, SIG_IGN); /* a proxy may write to a connection that has just gone */
    struct aq_error error = {0};
    int rc = aq_run_scenario(&options, &s->record, &error);
    if (!rc && a->check_replay && !s->record.interrupted)
        rc = aq_run_check_replay(&options, &s->record, &error);
    if (s->terminal) fputs("\r\033[K", stderr);
    if (rc && !s->error.code) s->error = error;
    bool user_can_mend =
        rc == AQ_EUNSUPPORTED || rc == AQ_ELIMIT || rc == AQ_EIO || rc == AQ_ENOMEM || rc == AQ_EDATABASE;
    if (rc && !user_can_mend) s->error.code = AQ_EINTERNAL; /* the input had been accepted */
    if (rc) return rc;
    store_events(s);
    if (s->error.code) return s->error.code;
    return s->store ? aq_store_finish_run(s->store, s->run, &s->record, &s->error) : 0;
}

static int print(struct session *s) {
    const struct arguments *a = s->arguments;
    int rc = 0;
    if ((s->trace && fflush(s->trace)) || (s->stats && fflush(s->stats))) rc = AQ_EIO;
    if (!rc && a->json) rc = aq_print_json(stdout, &s->record);
    if (!rc && !a->json && !a->quiet) {
        rc = aq_print_text(stdout, &s->record);
        if (s->store)
            printf("report: %s, run %" PRId64 " (allqsim report text %s --run %" PRId64 ")\n", a->database,
                   s->run, a->database, s->run);
    }
    if (!rc && fflush(stdout)) rc = AQ_EIO;
    if (!rc && a->annotations) rc = aq_print_annotations(stderr, &s->record);
    return rc ? aq_error_set(&s->error, rc, "output could not be written: %s", strerror(errno)) : 0;
}

int aq_cli_run(int argc, char **argv) {
    struct arguments arguments;
    uint64_t seed = 0;
    if (aq_cli_run_is_suite(argc, argv)) return aq_cli_run_suite(argc, argv);
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    if (arguments.seed_text && (code = aq_cli_read_seed("run", arguments.seed_text, &seed))) return code;
    struct session s = {.arguments = &arguments};
    aq_record_init(&s.record);
    int rc = load(&s);
    if (!rc && !arguments.seed_text) seed = s.scenario->seed;
    if (!rc) rc = identify(&s, seed);
    if (!rc) rc = open_outputs(&s);
    if (!rc) rc = run(&s, seed);
    if (!rc) rc = print(&s);
    code = rc ? aq_cli_fail(&s.error) : s.record.interrupted ? AQ_EXIT_INTERRUPTED : s.record.exit_code;
    close_session(&s);
    return code;
}
