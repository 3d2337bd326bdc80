#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "sim/cli.h"
#include "sim/replay.h"
#include "sim/replay_show.h"
#include "sim/run_record.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim replay DATABASE [--run N] [--until TIME] [--show WHAT]...\n"
    "\n"
    "Runs a stored run again, with its scenario and seed from the database, and compares it with what is stored:\n"
    "the hash of the whole run, and hashes on the way.\n"
    "\n"
    "  --run N        number of the run (default: the newest)\n"
    "  --until TIME   stop at this virtual time, such as 41.2s; everything before it has happened\n"
    "  --show WHAT    print the state there as JSON: server:3, client:17, job:SERVER,ID, or job:41 for the job\n"
    "                 of the 41st put; may be repeated\n"
    "  --json         print one JSON object, with --show or without\n"
    "  --help         print this\n"
    "\n"
    "exit codes: 0 it went as stored, 4 it went another way, 5 it was stopped before anything could be compared,\n"
    "64 wrong use or input, 66 the database cannot be used, 70 internal error, 130 interrupted\n";

struct arguments {
    const char *database;
    const char *shows[AQ_SHOW_MAX];
    uint32_t show_count;
    uint64_t run;
    aq_time_us until_us;
    bool json, help;
};

struct session {
    const struct arguments *arguments;
    struct aq_store *store;
    struct aq_stored_run stored;
    struct aq_show_list shows;
    struct aq_replay_outcome outcome;
    char *page; /* what is printed, from open_memstream */
    size_t page_bytes;
    struct aq_json_put_writer json;
    struct aq_error error;
};

/* ---- arguments ---- */

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    static const struct option options[] = {
        {"run", required_argument, NULL, 'r'},  {"until", required_argument, NULL, 'u'},
        {"show", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},       {0}};
    int option, rc = 0;
    *a = (struct arguments){0};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'r': rc = aq_cli_number("replay", "run", optarg, 1, INT64_MAX, &a->run); break;
        case 'u':
            if (aq_units_duration(optarg, &a->until_us) || a->until_us == 0)
                rc = aq_cli_usage("replay", "--until: found \"%s\", allowed is a time such as 41.2s", optarg);
            break;
        case 's':
            if (a->show_count == AQ_SHOW_MAX)
                return aq_cli_usage("replay", "--show: more than %d", AQ_SHOW_MAX);
            a->shows[a->show_count++] = optarg;
            break;
        case 'j': a->json = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("replay", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (!rc && argc - optind != 1)
        return aq_cli_usage("replay", "one DATABASE is wanted, found %d", argc - optind);
    if (!rc) a->database = argv[optind];
    return rc;
}

/* ---- the run ---- */

static int open_inputs(struct session *s) {
    const struct arguments *a = s->arguments;
    int rc = aq_stored_run_load(a->database, (int64_t)a->run, NULL, &s->stored, &s->error);
    if (!rc) rc = aq_store_open(a->database, false, &s->store, &s->error);
    for (uint32_t i = 0; i < a->show_count && !rc; i++)
        rc = aq_show_add(&s->shows, a->shows[i], s->stored.scenario, &s->error);
    return rc;
}

static int on_seek(void *arg, const struct aq_observation *seen) {
    struct session *s = arg;
    return aq_show_seek(&s->shows, seen);
}

static int on_observed(void *arg, const struct aq_observation *seen) {
    struct session *s = arg;
    return aq_show_observed(&s->shows, seen);
}

static int on_inspect(void *arg, struct aq_run *run) {
    struct session *s = arg;
    char faults[400];
    aq_nemesis_describe(run->nemesis, faults, sizeof faults);
    aq_json_put_open(&s->json, '{');
    aq_json_put_key(&s->json, "run");
    aq_json_put_i64(&s->json, s->stored.number);
    aq_json_put_key(&s->json, "scenario");
    aq_json_put_text(&s->json, s->stored.record.scenario);
    aq_json_put_key(&s->json, "seed");
    aq_json_put_text(&s->json, s->stored.record.seed_text);
    aq_json_put_key(&s->json, "at_s");
    aq_json_put_seconds(&s->json, run->end_us);
    aq_json_put_key(&s->json, "faults_in_force");
    aq_json_put_text(&s->json, faults);
    aq_json_put_key(&s->json, "shown");
    aq_show_write(&s->shows, run, &s->json);
    return 0;
}

/* Which put made a job is known only once a server has shown its body. */
static int seek(struct session *s) {
    struct aq_record record;
    struct aq_run_options options = {.scenario = s->stored.scenario,
                                     .seed = s->stored.record.seed,
                                     .until_us = s->arguments->until_us,
                                     .stop = aq_cli_stop(),
                                     .observed = on_seek,
                                     .watch_arg = s};
    aq_record_init(&record);
    int rc = aq_run_scenario(&options, &record, &s->error);
    aq_record_close(&record);
    return rc;
}

static int replay(struct session *s) {
    struct aq_replay_options options = {.stored = &s->stored,
                                        .store = s->store,
                                        .until_us = s->arguments->until_us,
                                        .stop = aq_cli_stop(),
                                        .observed = s->shows.count ? on_observed : NULL,
                                        .inspect = on_inspect,
                                        .arg = s};
    int rc = aq_show_wants_seek(&s->shows) ? seek(s) : 0;
    return rc ? rc : aq_replay(&options, &s->outcome, &s->error);
}

/* ---- the report ---- */

static void end_json(struct session *s) {
    static const char *const verdicts[] = {"same", "differs", "unsure"};
    const struct aq_replay_outcome *o = &s->outcome;
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, o->trace_hash);
    aq_json_put_key(&s->json, "verdict");
    aq_json_put_text(&s->json, verdicts[o->verdict]);
    aq_json_put_key(&s->json, "difference");
    aq_json_put_text(&s->json, o->difference);
    aq_json_put_key(&s->json, "whole");
    aq_json_put_bool(&s->json, o->whole);
    aq_json_put_key(&s->json, "checkpoints_compared");
    aq_json_put_u64(&s->json, o->compared);
    aq_json_put_key(&s->json, "trace_hash");
    aq_json_put_text(&s->json, o->whole ? hash : NULL);
    aq_json_put_key(&s->json, "events");
    aq_json_put_u64(&s->json, o->events);
    aq_json_put_close(&s->json, '}');
}

static void print_text(const struct session *s) {
    const struct aq_replay_outcome *o = &s->outcome;
    const struct aq_record *stored = &s->stored.record;
    char span[32];
    printf("run %" PRId64 ", %s with seed %s: %" PRIu64 " events, %s: ", s->stored.number, stored->scenario,
           stored->seed_text, o->events, aq_units_format_span(span, sizeof span, o->end_us));
    if (o->verdict == AQ_REPLAY_UNSURE)
        printf("stopped before anything could be compared\n");
    else if (o->verdict == AQ_REPLAY_SAME && o->whole)
        printf("as stored, hash %016" PRIx64 "\n", o->trace_hash);
    else if (o->verdict == AQ_REPLAY_SAME)
        printf("as stored up to here (%u checkpoints)\n", o->compared);
    else
        printf("NOT as stored\n");
}

static int print(struct session *s) {
    const struct arguments *a = s->arguments;
    const struct aq_replay_outcome *o = &s->outcome;
    end_json(s);
    if (fflush(s->json.stream)) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    if (a->json || a->show_count)
        puts(s->page);
    else
        print_text(s);
    if (fflush(stdout))
        return aq_error_set(&s->error, AQ_EIO, "output could not be written: %s", strerror(errno));
    if (o->verdict == AQ_REPLAY_DIFFERS) {
        fprintf(stderr, "allqsim: %s: run %" PRId64 " went another way: %s\n", a->database, s->stored.number,
                o->difference);
        fprintf(stderr, "allqsim: stored by %s (%s), replayed by " AQ_VERSION "\n", s->stored.record.version,
                s->stored.record.build);
    }
    return 0;
}

static int exit_code(const struct aq_replay_outcome *o) {
    if (o->verdict == AQ_REPLAY_DIFFERS) return AQ_EXIT_NOT_REPRODUCIBLE;
    if (o->interrupted) return AQ_EXIT_INTERRUPTED;
    return o->verdict == AQ_REPLAY_UNSURE ? AQ_EXIT_UNKNOWN : AQ_EXIT_PASS;
}

static void close_session(struct session *s) {
    if (s->json.stream) fclose(s->json.stream);
    free(s->page); /* the C library's, from open_memstream */
    aq_show_close(&s->shows);
    aq_store_close(s->store);
    aq_stored_run_close(&s->stored);
}

int aq_cli_replay(int argc, char **argv) {
    static struct arguments arguments;
    static struct session s;
    int code = parse_arguments(argc, argv, &arguments);
    if (code) return code;
    if (arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    s = (struct session){.arguments = &arguments};
    aq_record_init(&s.stored.record);
    s.json.stream = open_memstream(&s.page, &s.page_bytes);
    int rc = s.json.stream ? open_inputs(&s) : aq_error_set(&s.error, AQ_ENOMEM, "out of memory");
    if (!rc) aq_cli_watch_signals();
    if (!rc) rc = replay(&s);
    if (!rc) rc = print(&s);
    code = rc ? aq_cli_fail(&s.error) : exit_code(&s.outcome);
    close_session(&s);
    return code;
}
