#include "sim/fakeserver_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/units.h"

const char aq_fakeserver_help[] =
    "allq-fakeserver - fake AllQueue servers on real ports, for a client that you have already\n"
    "\n"
    "usage: allq-fakeserver [OPTIONS]\n"
    "\n"
    "  --servers N           how many servers (default 3, or as the scenario has it)\n"
    "  --scenario NAME|FILE  its servers, and its faults that act on servers or on links, at their times\n"
    "  --set PATH=VALUE      change one key of the scenario, e.g. servers.persistent=true; may be repeated\n"
    "  --port P              each server's port, on a host of its own; with --same-host that of the first\n"
    "                        (default 0: any free ones)\n"
    "  --same-host           all servers on 127.0.1.1; otherwise 127.0.1.1, 127.0.1.2, ...\n"
    "  --profile P           strict (default) or upstream\n"
    "  --proxies             proxies in front of the servers, so that faults on links can be added\n"
    "  --keys FILE           CURVE keys, JSON; made if there is no such file (default: fresh keys)\n"
    "  --allow-clients FILE  let in only the clients with these public keys, one a line\n"
    "  --control WHERE       commands as JSON lines on a unix socket's path or on 127.0.0.1:PORT\n"
    "  --db FILE             database that the run is added to (default: none)\n"
    "  --for SPAN            end after this, e.g. 10m (default: at SIGINT or SIGTERM)\n"
    "  --seed N              seed of job ids and chances (default: a new one each time)\n"
    "  --json                print the summary at the end as one JSON object\n"
    "  --help, --version\n"
    "\n"
    "It prints SERVER_STRING=..., the client's A_CURVE_... lines to paste into its environment, CONTROL=...\n"
    "where there is one, and then: ready\n"
    "exit codes: 0 ended, 1 a check of the servers' side failed, 64 wrong use or input, 70 internal error,\n"
    "            74 a port or file cannot be had\n";

enum {
    SERVERS = 256,
    SCENARIO,
    SET,
    PORT,
    SAME_HOST,
    PROFILE,
    PROXIES,
    KEYS,
    ALLOW,
    CONTROL,
    DB,
    FOR,
    SEED,
    JSON
};

static const struct option table[] = {{"servers", required_argument, NULL, SERVERS},
                                      {"scenario", required_argument, NULL, SCENARIO},
                                      {"set", required_argument, NULL, SET},
                                      {"port", required_argument, NULL, PORT},
                                      {"same-host", no_argument, NULL, SAME_HOST},
                                      {"profile", required_argument, NULL, PROFILE},
                                      {"proxies", no_argument, NULL, PROXIES},
                                      {"keys", required_argument, NULL, KEYS},
                                      {"allow-clients", required_argument, NULL, ALLOW},
                                      {"control", required_argument, NULL, CONTROL},
                                      {"db", required_argument, NULL, DB},
                                      {"for", required_argument, NULL, FOR},
                                      {"seed", required_argument, NULL, SEED},
                                      {"json", no_argument, NULL, JSON},
                                      {"help", no_argument, NULL, 'h'},
                                      {"version", no_argument, NULL, 'v'},
                                      {0}};

static int read_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out,
                       struct aq_error *error) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > max)
        return aq_error_set(error, AQ_EUSAGE, "--%s: found \"%s\", allowed is a whole number, %llu to %llu",
                            name, text, (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return 0;
}

static int add_setting(struct aq_fakeserver_options *o, const char *setting, struct aq_error *error) {
    if (o->setting_count == AQ_FAKESERVER_SETTINGS_MAX)
        return aq_error_set(error, AQ_EUSAGE, "--set: more than %d settings", AQ_FAKESERVER_SETTINGS_MAX);
    o->settings[o->setting_count++] = setting;
    return 0;
}

static int read_servers(struct aq_fakeserver_options *o, const char *text, struct aq_error *error) {
    uint64_t count;
    bool again = o->servers[0];
    int rc = read_number("servers", text, 1, AQ_SERVERS_MAX, &count, error);
    if (rc) return rc;
    snprintf(o->servers, sizeof o->servers, "servers.count=%u", (unsigned)count);
    return again ? 0 : add_setting(o, o->servers, error);
}

static int read_option(struct aq_fakeserver_options *o, int option, const char *value,
                       struct aq_error *error) {
    uint64_t number;
    int rc = 0;
    switch (option) {
    case SERVERS: return read_servers(o, value, error);
    case SCENARIO: o->scenario = value; break;
    case SET: return add_setting(o, value, error);
    case PORT:
        rc = read_number("port", value, 0, UINT16_MAX, &number, error);
        if (!rc) o->port = (uint16_t)number;
        break;
    case SAME_HOST: return add_setting(o, "servers.same_host=true", error);
    case PROFILE: o->profile = value; break;
    case PROXIES: o->proxies = true; break;
    case KEYS: o->keys = value; break;
    case ALLOW: o->allow_clients = value; break;
    case CONTROL: o->control = value; break;
    case DB: o->database = value; break;
    case FOR:
        if (aq_units_duration(value, &o->for_us) || o->for_us == 0)
            return aq_error_set(error, AQ_EUSAGE, "--for: found \"%s\", allowed is a span such as 90s or 10m",
                                value);
        break;
    case SEED:
        rc = read_number("seed", value, 0, UINT64_MAX, &o->seed, error);
        o->seed_given = true;
        break;
    default: o->json = true; break;
    }
    return rc;
}

int aq_fakeserver_options_read(int argc, char **argv, struct aq_fakeserver_options *out,
                               struct aq_error *error) {
    int option, rc = 0;
    *out = (struct aq_fakeserver_options){.for_us = AQ_TIME_NEVER};
    opterr = 0;
    while (!rc && (option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        if (option == 'h' || option == 'v') {
            out->task = option == 'h' ? AQ_FAKESERVER_HELP : AQ_FAKESERVER_VERSION;
            return 0;
        }
        if (option == '?')
            return aq_error_set(error, AQ_EUSAGE, "unknown option or missing value: \"%s\"",
                                argv[optind - 1]);
        rc = read_option(out, option, optarg, error);
    }
    if (!rc && optind < argc)
        rc = aq_error_set(error, AQ_EUSAGE, "found \"%s\", which is no option", argv[optind]);
    return rc;
}
