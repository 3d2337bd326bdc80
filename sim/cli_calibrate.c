#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "client/address_book.h"
#include "sim/calibrate_uv.h"
#include "sim/calibration_print.h"
#include "sim/cli.h"
#include "sim/keys_env.h"
#include "sim/verdict.h"
#include "sim/wall_clock.h"

static const char help[] =
    "usage: allqsim calibrate --servers HOST:PORT,... [OPTIONS]\n"
    "\n"
    "Measures AllQueue servers over the wire: how long each action takes, how much of that is the network, and\n"
    "what throughput there is. The file that it writes is taken by scenarios:\n"
    "  \"servers\": {\"service\": {\"empirical\": \"FILE\"}}\n"
    "The keys are in the environment as for allq-client: A_CURVE_SERVER_PUBLICKEY, A_CURVE_PUBLICKEY,\n"
    "A_CURVE_SECRETKEY. Jobs go into a tube of its own, and are completed.\n"
    "\n"
    "  --servers LIST   the servers, host:port,host:port,...; the times of several are put together\n"
    "  -o, --output F   write the times to this file\n"
    "  --for TIME       how long it takes at most, all servers together (default 30s, at least 1s)\n"
    "  --requests N     how many requests it makes at most, likewise (default 200000, at least 1000 a server)\n"
    "  --despite-load   measure although others use a server\n"
    "  --json           print what the file holds on standard output, instead of the tables\n"
    "  --help           print this\n"
    "\n"
    "exit codes: 0 measured, 64 wrong use, no keys, or a server in use, 70 internal error, 74 a server or file cannot be\n"
    "reached, 130 interrupted: cleaned up, nothing is written\n";

#define FOR_DEFAULT_US   (30 * AQ_US_PER_S)
#define REQUESTS_DEFAULT 200000
#define REQUESTS_LEAST   1000 /* a server */

struct arguments {
    const char *servers, *output;
    aq_time_us for_us;
    uint64_t requests;
    bool despite_load, json, help;
};

struct session {
    struct arguments arguments;
    struct aq_address_book book;
    const char *addresses[AQ_CALIBRATE_SERVERS_MAX];
    struct aq_curve_pair keys;
    char server_public_z85[AQ_CURVE_Z85_CHARS + 1];
    struct aq_calibration_server *servers;
    struct aq_calibration_finding *findings;
    char *part; /* the file until it is whole */
    FILE *file;
    bool terminal;
    struct aq_error error;
};

/* ---- arguments ---- */

static int parse_arguments(int argc, char **argv, struct arguments *a) {
    enum { SERVERS = 256, FOR, REQUESTS, DESPITE, JSON };
    static const struct option options[] = {{"servers", required_argument, NULL, SERVERS},
                                            {"output", required_argument, NULL, 'o'},
                                            {"for", required_argument, NULL, FOR},
                                            {"requests", required_argument, NULL, REQUESTS},
                                            {"despite-load", no_argument, NULL, DESPITE},
                                            {"json", no_argument, NULL, JSON},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int option, code = 0;
    *a = (struct arguments){.for_us = FOR_DEFAULT_US, .requests = REQUESTS_DEFAULT};
    opterr = 0;
    while (!code && (option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        switch (option) {
        case SERVERS: a->servers = optarg; break;
        case 'o': a->output = optarg; break;
        case FOR:
            if (aq_units_duration(optarg, &a->for_us) || a->for_us < AQ_US_PER_S)
                return aq_cli_usage(
                    "calibrate", "--for: found \"%s\", allowed is a span of 1s or more, such as 2m", optarg);
            break;
        case REQUESTS:
            code = aq_cli_number("calibrate", "requests", optarg, REQUESTS_LEAST, 1000000000, &a->requests);
            break;
        case DESPITE: a->despite_load = true; break;
        case JSON: a->json = true; break;
        case 'h': a->help = true; return 0;
        default:
            return aq_cli_usage("calibrate", "unknown option or missing value: \"%s\"", argv[optind - 1]);
        }
    }
    if (code) return code;
    if (optind < argc) return aq_cli_usage("calibrate", "found \"%s\", which is no option", argv[optind]);
    return a->servers ? 0 : aq_cli_usage("calibrate", "--servers is missing: host:port,host:port,...");
}

static int read_servers(struct session *s) {
    const char *at = s->arguments.servers;
    for (bool more = true; more;) {
        const char *comma = strchr(at, ',');
        struct aq_text text = {at, (uint32_t)(comma ? (size_t)(comma - at) : strlen(at))};
        uint32_t index, before = s->book.count;
        int rc = aq_address_book_add(&s->book, text, &index, &s->error);
        if (rc) {
            aq_error_prefix(&s->error, "--servers");
            return rc;
        }
        if (s->book.count == before)
            return aq_error_set(&s->error, AQ_EUSAGE, "--servers: %.*s is there twice", AQ_TEXT_ARGS(text));
        if (s->book.count > AQ_CALIBRATE_SERVERS_MAX)
            return aq_error_set(&s->error, AQ_EUSAGE, "--servers: more than %d", AQ_CALIBRATE_SERVERS_MAX);
        more = comma;
        at = comma + 1;
    }
    for (uint32_t i = 0; i < s->book.count; i++)
        s->addresses[i] = s->book.items[i].text;
    if (s->arguments.requests < (uint64_t)REQUESTS_LEAST * s->book.count)
        return aq_error_set(&s->error, AQ_EUSAGE, "--requests: %u servers need at least %u", s->book.count,
                            REQUESTS_LEAST * s->book.count);
    return 0;
}

/* ---- the file ---- */

/* Beside the file, so that it is there only when it is whole, and a place that cannot be written to is known
 * at once. */
static int open_output(struct session *s) {
    const char *path = s->arguments.output;
    if (!path) return 0;
    size_t size = strlen(path) + sizeof ".part";
    s->part = aq_alloc(size);
    if (!s->part) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    snprintf(s->part, size, "%s.part", path);
    s->file = fopen(s->part, "w");
    if (s->file) return 0;
    return aq_error_set(&s->error, AQ_EIO, "%s: cannot be written: %s", s->part, strerror(errno));
}

static int finish_output(struct session *s, const struct aq_calibration *calibration) {
    if (!s->file) return 0;
    int rc = aq_calibration_print_json(s->file, calibration);
    if (fclose(s->file) && !rc) rc = AQ_EIO;
    s->file = NULL;
    if (!rc && rename(s->part, s->arguments.output)) rc = AQ_EIO;
    if (rc)
        return aq_error_set(&s->error, rc, "%s: cannot be written: %s", s->arguments.output,
                            rc == AQ_EIO ? strerror(errno) : aq_error_name(rc));
    aq_free(s->part);
    s->part = NULL;
    return 0;
}

static void close_session(struct session *s) {
    if (s->file) fclose(s->file);
    if (s->part) unlink(s->part);
    aq_free(s->part);
    for (uint32_t i = 0; s->servers && i < s->book.count; i++)
        for (int m = 0; m < AQ_MEASURED_COUNT; m++)
            aq_series_close(&s->servers[i].alone[m]);
    aq_free(s->servers);
    aq_free(s->findings);
    aq_address_book_close(&s->book);
    aq_curve_pair_wipe(&s->keys);
}

/* ---- the measurement ---- */

static void on_progress(void *owner, uint32_t server, const char *phase, double share) {
    const struct session *s = owner;
    if (s->terminal) fprintf(stderr, "\r\033[K%s: %.0f %%, %s", s->addresses[server], share * 100, phase);
}

static int measure(struct session *s, struct aq_calibration *out) {
    uint32_t count = s->book.count;
    struct aq_calibrate_result result = {0};
    const struct aq_calibrate_config config = {.addresses = s->addresses,
                                               .count = count,
                                               .keys = &s->keys,
                                               .server_public_z85 = s->server_public_z85,
                                               .requests_max = s->arguments.requests,
                                               .for_us = s->arguments.for_us,
                                               .despite_load = s->arguments.despite_load,
                                               .stop = aq_cli_stop(),
                                               .progress = on_progress,
                                               .owner = s};
    s->servers = aq_alloc_zeroed(count, sizeof *s->servers);
    s->findings = aq_alloc_zeroed(count, sizeof *s->findings);
    if (!s->servers || !s->findings) return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
    uint64_t from_us = aq_wall_us();
    int rc = aq_calibrate_servers(&config, s->servers, &result, &s->error);
    if (s->terminal) fputs("\r\033[K", stderr);
    for (uint32_t i = 0; !rc && i < count; i++)
        aq_calibration_judge(&s->servers[i], &s->findings[i]);
    *out = (struct aq_calibration){
        s->servers,    s->findings, count, result.requests, (double)(aq_wall_us() - from_us) / 1e6,
        result.cleared};
    return rc;
}

static int print(struct session *s, const struct aq_calibration *calibration) {
    int rc = s->arguments.json ? aq_calibration_print_json(stdout, calibration)
                               : aq_calibration_print_text(stdout, calibration);
    if (!rc && !s->arguments.json && s->arguments.output)
        printf("written: %s (\"servers\": {\"service\": {\"empirical\": \"%s\"}})\n", s->arguments.output,
               s->arguments.output);
    if (!rc && fflush(stdout)) rc = AQ_EIO;
    return rc ? aq_error_set(&s->error, rc, "standard output could not be written: %s", strerror(errno)) : 0;
}

static int run(struct session *s) {
    struct aq_calibration calibration;
    int rc = read_servers(s);
    if (!rc && (rc = aq_keys_env_read(&s->keys, s->server_public_z85, &s->error)))
        aq_error_prefix(&s->error, "calibrate");
    if (!rc) rc = open_output(s);
    if (rc) return rc;
    s->terminal = isatty(STDERR_FILENO);
    aq_cli_watch_signals();
    signal(SIGPIPE, SIG_IGN);
    rc = measure(s, &calibration);
    if (!rc) rc = finish_output(s, &calibration);
    return rc ? rc : print(s, &calibration);
}

int aq_cli_calibrate(int argc, char **argv) {
    struct session s = {0};
    int code = parse_arguments(argc, argv, &s.arguments);
    if (code) return code;
    if (s.arguments.help) {
        fputs(help, stdout);
        return AQ_EXIT_PASS;
    }
    int rc = run(&s);
    if (rc == AQ_EINTERRUPTED) {
        fputs("allqsim: interrupted: the servers are cleaned up, nothing is written\n", stderr);
        code = AQ_EXIT_INTERRUPTED;
    } else if (rc) {
        code = aq_cli_fail(&s.error);
    }
    close_session(&s);
    return code;
}
