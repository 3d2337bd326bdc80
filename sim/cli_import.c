#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "reports/json_write.h"
#include "scenarios/load.h"
#include "sim/cli.h"
#include "sim/incident_scenario.h"
#include "sim/run.h"
#include "sim/verdict.h"

static const char help[] =
    "usage: allqsim import STATS.jsonl [OPTIONS]\n"
    "\n"
    "Makes a scenario of an incident: of snapshots of AllQueue's own stats, one JSON object a line,\n"
    "  {\"at\": SECONDS or TIME, \"server\": \"host:port\", \"stats\": {...}}\n"
    "fits arrivals, workers and outages, writes the scenario, runs it in the virtual world, and says how far its\n"
    "stats lie from the incident's. `allqsim run --stats FILE` writes such snapshots.\n"
    "\n"
    "  --events FILE   what is known besides, a line each: {\"at\": .., \"fault\": {\"kind\": ..}}\n"
    "  -o, --output F  write the scenario to this file\n"
    "  --service FILE  service times that allqsim calibrate has written; the path as seen from the scenario\n"
    "  --clients N     how many clients there are (default: one for every ten workers)\n"
    "  --seed N        seed of the run (default 1)\n"
    "  --json          print the comparison as one JSON object\n"
    "  --help          print this\n"
    "\n"
    "exit codes: 0 made and run, 64 wrong use or input, 70 internal error, 74 a file could not be read or written,\n"
    "130 interrupted\n";

#define WORKERS_A_CLIENT 10

struct arguments {
    const char *stats, *events, *output, *service;
    uint64_t clients, seed;
    bool json, help;
};

struct session {
    struct arguments arguments;
    struct aq_snapshots given, made; /* of the incident, of the run */
    struct aq_incident incident, again;
    char **events;
    uint32_t event_count, event_capacity;
    char *text;
    struct aq_scenario *scenario;
    struct aq_record record;
    struct aq_error error;
};

/* ---- arguments ---- */

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    enum { EVENTS = 256, SERVICE, CLIENTS, SEED, JSON };
    static const struct option options[] = {{"events", required_argument, NULL, EVENTS},
                                            {"output", required_argument, NULL, 'o'},
                                            {"service", required_argument, NULL, SERVICE},
                                            {"clients", required_argument, NULL, CLIENTS},
                                            {"seed", required_argument, NULL, SEED},
                                            {"json", no_argument, NULL, JSON},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, code = 0;
    *a = (struct arguments){.seed = 1};
    opterr = 0;
    while (!code && (option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        switch (option) {
        case EVENTS: a->events = optarg; break;
        case 'o': a->output = optarg; break;
        case SERVICE: a->service = optarg; break;
        case CLIENTS:
            code = aq_cli_number("import", "clients", optarg, 1, AQ_CLIENTS_MAX, &a->clients);
            break;
        case SEED: code = aq_cli_number("import", "seed", optarg, 0, UINT64_MAX, &a->seed); break;
        case JSON: a->json = true; break;
        case 'h': a->help = true; return 0;
        default: return aq_cli_usage("import", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (code) return code;
    if (argc - optind != 1)
        return aq_cli_usage("import", "one file with snapshots is wanted, found %d", argc - optind);
    a->stats = argv[optind];
    return 0;
}

/* ---- input ---- */

static FILE *open_input(struct session *s, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) aq_error_set(&s->error, AQ_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    return file;
}

static int read_snapshots(struct session *s) {
    FILE *file = open_input(s, s->arguments.stats);
    if (!file) return s->error.code;
    int rc = aq_snapshots_read(&s->given, file, s->arguments.stats, &s->error);
    fclose(file);
    if (rc) return rc;
    rc = aq_incident_fit(&s->given, &s->incident, &s->error);
    if (rc) aq_error_prefix(&s->error, "%s", s->arguments.stats);
    return rc;
}

static double first_s(const struct session *s) {
    double first = INFINITY;
    for (uint32_t i = 0; i < s->given.count; i++)
        first = fmin(first, s->given.items[i].at_s);
    return first;
}

static int add_event(struct session *s, const char *line, size_t length) {
    int rc = aq_array_reserve(&s->events, &s->event_capacity, (size_t)s->event_count + 1, sizeof *s->events);
    if (rc) return aq_error_set(&s->error, rc, "out of memory");
    rc = aq_incident_event(line, length, first_s(s), &s->events[s->event_count], &s->error);
    if (!rc) s->event_count++;
    return rc;
}

static int read_events(struct session *s) {
    if (!s->arguments.events) return 0;
    FILE *file = open_input(s, s->arguments.events);
    if (!file) return s->error.code;
    char *line = NULL; /* the C library's */
    size_t size = 0;
    ssize_t length;
    int rc = 0;
    for (unsigned long number = 1; !rc && (length = getline(&line, &size, file)) >= 0; number++) {
        if (strspn(line, " \t\r\n") == (size_t)length) continue;
        rc = add_event(s, line, (size_t)length);
        if (rc) aq_error_prefix(&s->error, "%s:%lu", s->arguments.events, number);
    }
    free(line);
    fclose(file);
    return rc;
}

/* ---- the scenario ---- */

static int write_text(struct session *s, const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", path, strerror(errno));
    int written = fprintf(file, "%s\n", s->text);
    if (fclose(file) || written < 0)
        return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

static int make_scenario(struct session *s) {
    const struct arguments *a = &s->arguments;
    uint32_t usual = (s->incident.workers + WORKERS_A_CLIENT - 1) / WORKERS_A_CLIENT;
    struct aq_incident_scenario config = {.name = a->stats,
                                          .snapshots = &s->given,
                                          .incident = &s->incident,
                                          .service = a->service,
                                          .clients = a->clients ? (uint32_t)a->clients : usual,
                                          .events = (const char *const *)s->events,
                                          .event_count = s->event_count};
    int rc = aq_incident_scenario_text(&config, &s->text, &s->error);
    if (!rc && a->output) rc = write_text(s, a->output);
    if (rc) return rc;
    return aq_scenario_parse(s->text, a->output ? a->output : "imported.json", NULL, &s->scenario, &s->error);
}

/* ---- the run ---- */

static int on_stats(void *arg, aq_time_us at_us, const char *server, const struct aq_server_stats *stats) {
    struct session *s = arg;
    return aq_snapshots_add(&s->made, (double)at_us / 1e6, aq_text_of(server), stats);
}

static int run_scenario(struct session *s) {
    struct aq_run_options options = {.scenario = s->scenario,
                                     .seed = s->arguments.seed,
                                     .stop = aq_cli_stop(),
                                     .stats = on_stats,
                                     .stats_arg = s};
    aq_cli_watch_signals();
    int rc = aq_run_identify(s->scenario, s->arguments.seed, &s->record);
    if (rc) return aq_error_set(&s->error, rc, "out of memory");
    rc = aq_run_scenario(&options, &s->record, &s->error);
    if (rc || s->record.interrupted) return rc;
    return aq_incident_fit(&s->made, &s->again, &s->error);
}

/* ---- output ---- */

/* How far the scenario's figure lies from the incident's, as a share of that; infinite where that is 0. */
static double off(double incident, double scenario) {
    return incident == scenario ? 0 : incident != 0 ? scenario / incident - 1 : INFINITY;
}

static void print_outages(const struct session *s) {
    for (uint32_t i = 0; i < s->incident.outage_count; i++) {
        const struct aq_incident_outage *outage = &s->incident.outages[i];
        printf("  %s away from %.1f s to %.1f s: %s\n", s->given.servers.names[outage->server],
               outage->from_s, outage->to_s,
               !outage->restarted  ? "frozen or not reached"
               : outage->kept_jobs ? "restarted, jobs kept"
                                   : "restarted, memory lost");
    }
}

static int print_table(const struct session *s) {
    const struct aq_incident *in = &s->incident;
    printf("%s: %u servers, %.1f s, a snapshot every %.3g s\n", s->arguments.stats, s->given.servers.count,
           in->duration_s, in->interval_s);
    printf("  %.2f puts a second, %u workers, %.3g s for a job, a poll every %.3g s, %" PRIu64
           " jobs held at the beginning\n",
           in->figures[AQ_INCIDENT_PUTS], in->workers, in->process_s, in->poll_s, in->backlog);
    print_outages(s);
    printf("\n%-32s %12s %12s %9s\n", "figure", "incident", "scenario", "off");
    for (int i = 0; i < AQ_INCIDENT_FIGURE_COUNT; i++) {
        double a = in->figures[i], b = s->again.figures[i], share = off(a, b);
        printf("%-32s %12.4g %12.4g", aq_incident_word((enum aq_incident_figure)i), a, b);
        if (isfinite(share))
            printf(" %+7.1f %%\n", share * 100);
        else
            printf("         -\n");
    }
    if (s->arguments.output) printf("written: %s\n", s->arguments.output);
    return 0;
}

static int print_json(const struct session *s) {
    struct aq_json_put_writer json = {.stream = stdout};
    const struct aq_incident *in = &s->incident;
    aq_json_put_open(&json, '{');
    aq_json_put_key(&json, "duration_s");
    aq_json_put_double(&json, in->duration_s);
    aq_json_put_key(&json, "workers");
    aq_json_put_u64(&json, in->workers);
    aq_json_put_key(&json, "process_s");
    aq_json_put_double(&json, in->process_s);
    aq_json_put_key(&json, "poll_s");
    aq_json_put_double(&json, in->poll_s);
    aq_json_put_key(&json, "outages");
    aq_json_put_open(&json, '[');
    for (uint32_t i = 0; i < in->outage_count; i++) {
        const struct aq_incident_outage *outage = &in->outages[i];
        aq_json_put_open(&json, '{');
        aq_json_put_key(&json, "server");
        aq_json_put_text(&json, s->given.servers.names[outage->server]);
        aq_json_put_key(&json, "from_s");
        aq_json_put_double(&json, outage->from_s);
        aq_json_put_key(&json, "to_s");
        aq_json_put_double(&json, outage->to_s);
        aq_json_put_key(&json, "restarted");
        aq_json_put_bool(&json, outage->restarted);
        aq_json_put_close(&json, '}');
    }
    aq_json_put_close(&json, ']');
    aq_json_put_key(&json, "figures");
    aq_json_put_open(&json, '{');
    for (int i = 0; i < AQ_INCIDENT_FIGURE_COUNT; i++) {
        aq_json_put_key(&json, aq_incident_word((enum aq_incident_figure)i));
        aq_json_put_open(&json, '{');
        aq_json_put_key(&json, "incident");
        aq_json_put_double(&json, in->figures[i]);
        aq_json_put_key(&json, "scenario");
        aq_json_put_double(&json, s->again.figures[i]);
        aq_json_put_close(&json, '}');
    }
    aq_json_put_close(&json, '}');
    aq_json_put_close(&json, '}');
    putchar('\n');
    return 0;
}

static void close_session(struct session *s) {
    for (uint32_t i = 0; i < s->event_count; i++)
        aq_free(s->events[i]);
    aq_free(s->events);
    aq_free(s->text);
    aq_scenario_free(s->scenario);
    aq_record_close(&s->record);
    aq_incident_close(&s->incident);
    aq_incident_close(&s->again);
    aq_snapshots_close(&s->given);
    aq_snapshots_close(&s->made);
}

int aq_cli_import(int argc, char **argv) {
    struct session s = {0};
    int code = parse_arguments(argc, argv, &s.arguments);
    if (code) return code;
    if (s.arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    aq_record_init(&s.record);
    int rc = read_snapshots(&s);
    if (!rc) rc = read_events(&s);
    if (!rc) rc = make_scenario(&s);
    if (!rc) rc = run_scenario(&s);
    if (rc)
        code = aq_cli_fail(&s.error);
    else if (s.record.interrupted)
        code = AQ_EXIT_INTERRUPTED;
    else
        rc = s.arguments.json ? print_json(&s) : print_table(&s);
    if (!code && (fflush(stdout) || ferror(stdout))) code = AQ_EXIT_OUTPUT;
    close_session(&s);
    return code;
}
