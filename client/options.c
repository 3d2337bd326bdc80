#include "client/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/units.h"

const char aq_options_help[] =
    "allq-client - AllQueue's federation client as a process: a local JSON-lines port, a unix socket and a REST\n"
    "port in front of any number of servers\n"
    "\n"
    "usage: allq-client [FLAGS]\n"
    "\n"
    "  --servers LIST       host:port,host:port,...            SERVER_STRING      127.0.0.1:5555\n"
    "  --listen ADDRESS     of the JSON-lines port             CL_LISTEN          127.0.0.1\n"
    "  --tcp-port PORT      JSON lines; 0: any; off            CL_PORT, TCP_CLIENT_PORT   7766\n"
    "  --http-listen ADDR   of the REST port                                      127.0.0.1\n"
    "  --http-port PORT     REST; 0: any; off                  HTTP_SERVER_PORT   8090\n"
    "  --socket PATH        JSON lines on a unix socket; off   CL_SOCKET          /tmp/allq_client.sock\n"
    "  --size-limit N       bytes of a line or body            SIZE_LIMIT         600000\n"
    "  --message-limit N    bytes of a request to a server     MSG_SIZE_LIMIT     600000\n"
    "  --profile NAME       strict, or upstream (as AllQueue's release behaves)   strict\n"
    "  --set POLICY=VALUE   one choice of the profile; may be repeated\n"
    "  --keys FILE          CURVE keys, JSON; otherwise        A_CURVE_PUBLICKEY, A_CURVE_SECRETKEY,\n"
    "                                                          A_CURVE_SERVER_PUBLICKEY\n"
    "  --idle SPAN          after which a silent connection is closed             60s (upstream: 3s for lines)\n"
    "  --max-connections N  of each listener                                      1024\n"
    "  --drain SPAN         how long SIGTERM waits for answers                    5s\n"
    "  --verbose            log every failed connection        ALLQ_DEBUG, CL_DEBUG\n"
    "  --version, --help\n"
    "\n"
    "  SWEEP_DURATION (seconds) sets the policy drain_sweep.\n"
    "\n"
    "It prints one line when it serves, with the real ports: listening tcp=... http=... unix=...\n"
    "SIGTERM and SIGINT end it: open requests are answered first.\n"
    "exit codes: 0 ended, 64 wrong use, 70 internal error, 74 cannot listen\n"
    "\n"
    "policies (strict, upstream):\n";

struct reader {
    struct aq_options *out;
    struct aq_error *error;
    aq_options_environment *environment;
    void *context;
    const char *sets[AQ_OPTIONS_SETS_MAX];
    uint32_t set_count;
};

static int bad(const struct reader *r, const char *name, const char *value, const char *allowed) {
    return aq_error_set(r->error, AQ_EUSAGE, "%s: found \"%.100s\", allowed is %s", name, value, allowed);
}

static bool is_off(const char *value) {
    return strcmp(value, "off") == 0 || strcmp(value, "none") == 0;
}

static int read_number(const struct reader *r, const char *name, const char *value, uint32_t min,
                       uint32_t max, uint32_t *out) {
    char *end, allowed[64];
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] >= '0' && value[0] <= '9' && *end == 0 && !errno && number >= min && number <= max) {
        *out = (uint32_t)number;
        return 0;
    }
    snprintf(allowed, sizeof allowed, "a whole number from %u to %u", min, max);
    return bad(r, name, value, allowed);
}

static int read_port(const struct reader *r, const char *name, const char *value, bool *has, uint16_t *out) {
    uint32_t port;
    *has = !is_off(value);
    if (!*has) return 0;
    int rc = read_number(r, name, value, 0, UINT16_MAX, &port);
    if (!rc) *out = (uint16_t)port;
    return rc;
}

static int read_span_ms(const struct reader *r, const char *name, const char *value, uint32_t *out) {
    aq_time_us span_us;
    if (aq_units_duration(value, &span_us) || span_us < AQ_US_PER_MS || span_us > 86400 * AQ_US_PER_S)
        return bad(r, name, value, "a span such as 500ms or 60s, from 1ms to 1d");
    *out = (uint32_t)(span_us / AQ_US_PER_MS);
    return 0;
}

static int read_servers(const struct reader *r, const char *name, const char *value) {
    if (value[0] == 0) return bad(r, name, value, "host:port,host:port,...");
    r->out->servers = value;
    return 0;
}

static int read_profile(const struct reader *r, const char *name, const char *value) {
    r->out->upstream = strcmp(value, "upstream") == 0;
    return r->out->upstream || strcmp(value, "strict") == 0 ? 0 : bad(r, name, value, "strict or upstream");
}

/* What flags and variables set alike. Errors: AQ_ENOENT: no such option. */
static int set_option(struct reader *r, const char *option, const char *name, const char *value) {
    struct aq_options *out = r->out;
    if (strcmp(option, "servers") == 0) return read_servers(r, name, value);
    if (strcmp(option, "tcp-port") == 0) return read_port(r, name, value, &out->has_tcp, &out->tcp_port);
    if (strcmp(option, "http-port") == 0) return read_port(r, name, value, &out->has_http, &out->http_port);
    if (strcmp(option, "size-limit") == 0)
        return read_number(r, name, value, 16, AQ_MESSAGE_BYTES_MAX, &out->size_limit);
    if (strcmp(option, "message-limit") == 0)
        return read_number(r, name, value, 16, AQ_MESSAGE_BYTES_MAX, &out->message_limit);
    if (strcmp(option, "max-connections") == 0)
        return read_number(r, name, value, 1, 100000, &out->connections_max);
    if (strcmp(option, "profile") == 0) return read_profile(r, name, value);
    if (strcmp(option, "drain") == 0) return read_span_ms(r, name, value, &out->drain_ms);
    if (strcmp(option, "idle") == 0) {
        int rc = read_span_ms(r, name, value, &out->idle_ms);
        out->http_idle_ms = out->idle_ms;
        return rc;
    }
    if (strcmp(option, "set") == 0) {
        if (r->set_count == AQ_OPTIONS_SETS_MAX) return bad(r, name, value, "up to 64 of them");
        r->sets[r->set_count++] = value;
        return 0;
    }
    const char **text = strcmp(option, "listen") == 0        ? &out->listen
                        : strcmp(option, "http-listen") == 0 ? &out->http_listen
                        : strcmp(option, "keys") == 0        ? &out->keys_file
                        : strcmp(option, "socket") == 0      ? &out->socket
                                                             : NULL;
    if (!text) return AQ_ENOENT;
    if (value[0] == 0) return bad(r, name, value, "a text that is not empty");
    *text = text == &out->socket && is_off(value) ? NULL : value;
    return 0;
}

static int read_environment(struct reader *r) {
    static const struct {
        const char *name, *option;
    } variables[] = {
        {"SERVER_STRING", "servers"}, {"TCP_CLIENT_PORT", "tcp-port"},     {"CL_PORT", "tcp-port"},
        {"CL_LISTEN", "listen"},      {"HTTP_SERVER_PORT", "http-port"},   {"CL_SOCKET", "socket"},
        {"SIZE_LIMIT", "size-limit"}, {"MSG_SIZE_LIMIT", "message-limit"},
    };
    static const char *const debug[] = {"ALLQ_DEBUG", "CL_DEBUG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = r->environment(r->context, variables[i].name);
        int rc = value && value[0] ? set_option(r, variables[i].option, variables[i].name, value) : 0;
        if (rc) return rc;
    }
    for (size_t i = 0; i < 2; i++) {
        const char *value = r->environment(r->context, debug[i]);
        if (value && strcmp(value, "true") == 0) r->out->verbose = true;
    }
    return 0;
}

static int read_flag(struct reader *r, int argc, char **argv, int *at) {
    char name[32];
    const char *flag = argv[*at], *equals = strchr(flag, '='), *value;
    if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
        r->out->task = AQ_OPTIONS_HELP;
        return 0;
    }
    if (strcmp(flag, "--version") == 0) {
        r->out->task = AQ_OPTIONS_VERSION;
        return 0;
    }
    if (strcmp(flag, "--verbose") == 0) {
        r->out->verbose = true;
        return 0;
    }
    size_t len = equals ? (size_t)(equals - flag) : strlen(flag);
    if (strncmp(flag, "--", 2) != 0 || len < 3 || len >= sizeof name)
        return aq_error_set(r->error, AQ_EUSAGE, "unknown argument \"%.100s\"", flag);
    snprintf(name, sizeof name, "%.*s", (int)len, flag);
    value = equals ? equals + 1 : *at + 1 < argc ? argv[*at + 1] : NULL;
    int rc = set_option(r, name + 2, name, value ? value : "");
    if (rc == AQ_ENOENT) return aq_error_set(r->error, AQ_EUSAGE, "unknown flag %s", name);
    if (!value) return aq_error_set(r->error, AQ_EUSAGE, "%s needs a value", name);
    if (!equals) (*at)++;
    return rc;
}

static int set_policy(const struct reader *r, const char *set) {
    const char *equals = strchr(set, '=');
    char name[64];
    if (!equals || equals == set || (size_t)(equals - set) >= sizeof name)
        return bad(r, "--set", set, "POLICY=VALUE");
    snprintf(name, sizeof name, "%.*s", (int)(equals - set), set);
    int rc = aq_policy_set(&aq_client_policy_table, &r->out->policy, name, equals + 1, r->error);
    if (!rc) return 0;
    if (rc == AQ_ENOENT) return bad(r, "--set", set, "a policy that --help lists");
    aq_error_prefix(r->error, "--set %s", name);
    if (r->error) r->error->code = AQ_EUSAGE;
    return AQ_EUSAGE;
}

/* The profile, then what changes it: AllQueue's variable, then --set. */
static int read_policies(const struct reader *r) {
    r->out->policy = r->out->upstream ? aq_client_policy_upstream : aq_client_policy_strict;
    r->out->policy.message_bytes_max = r->out->message_limit;
    const char *sweep = r->environment(r->context, "SWEEP_DURATION");
    if (sweep && sweep[0]) {
        uint32_t seconds;
        int rc = read_number(r, "SWEEP_DURATION", sweep, 1, 86400, &seconds);
        if (rc) return rc;
        r->out->policy.drain_sweep_us = seconds * AQ_US_PER_S;
    }
    for (uint32_t i = 0; i < r->set_count; i++) {
        int rc = set_policy(r, r->sets[i]);
        if (rc) return rc;
    }
    return 0;
}

static int read_key(const struct reader *r, const char *name, char *out_z85, bool *missing) {
    const char *value = r->environment(r->context, name);
    *missing = !value || value[0] == 0;
    if (*missing) return 0;
    int rc = aq_curve_key_parse(aq_text_of(value), out_z85, r->error);
    if (!rc) return 0;
    aq_error_prefix(r->error, "%s", name);
    if (r->error) r->error->code = AQ_EUSAGE;
    return AQ_EUSAGE;
}

static int read_keys(const struct reader *r) {
    bool missing[3];
    int rc = read_key(r, "A_CURVE_PUBLICKEY", r->out->keys.public_z85, &missing[0]);
    if (!rc) rc = read_key(r, "A_CURVE_SECRETKEY", r->out->keys.secret_z85, &missing[1]);
    if (!rc) rc = read_key(r, "A_CURVE_SERVER_PUBLICKEY", r->out->server_public_z85, &missing[2]);
    if (rc || !(missing[0] || missing[1] || missing[2])) return rc;
    return aq_error_set(
        r->error, AQ_EUSAGE,
        "no CURVE keys: missing%s%s%s in the environment (or --keys FILE). There are no default keys; "
        "allq-fakeserver prints lines with a set of them",
        missing[0] ? " A_CURVE_PUBLICKEY" : "", missing[1] ? " A_CURVE_SECRETKEY" : "",
        missing[2] ? " A_CURVE_SERVER_PUBLICKEY" : "");
}

static int read_all(struct reader *r, int argc, char **argv) {
    int rc = read_environment(r);
    for (int i = 1; i < argc && !rc; i++) {
        rc = read_flag(r, argc, argv, &i);
        if (!rc && r->out->task != AQ_OPTIONS_RUN) return 0;
    }
    if (!rc) rc = read_policies(r);
    if (rc) return rc;
    if (!r->out->idle_ms) r->out->idle_ms = r->out->upstream ? 3000 : 60000;
    if (!r->out->has_tcp && !r->out->has_http && !r->out->socket)
        return aq_error_set(r->error, AQ_EUSAGE, "--tcp-port, --http-port and --socket are all off");
    return r->out->keys_file ? 0 : read_keys(r);
}

int aq_options_read(int argc, char **argv, aq_options_environment *environment, void *context,
                    struct aq_options *out, struct aq_error *error) {
    struct aq_options options = {
        .task = AQ_OPTIONS_RUN,
        .servers = "127.0.0.1:5555",
        .listen = "127.0.0.1",
        .http_listen = "127.0.0.1",
        .has_tcp = true,
        .has_http = true,
        .tcp_port = 7766,
        .http_port = 8090,
        .socket = "/tmp/allq_client.sock",
        .size_limit = AQ_MESSAGE_BYTES_MAX,
        .message_limit = AQ_MESSAGE_BYTES_MAX,
        .http_idle_ms = 60000,
        .connections_max = 1024,
        .drain_ms = 5000,
    };
    struct reader reader = {.out = &options, .error = error, .environment = environment, .context = context};
    int rc = read_all(&reader, argc, argv);
    if (!rc) *out = options;
    aq_curve_pair_wipe(&options.keys);
    return rc;
}
