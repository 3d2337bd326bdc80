/* allq-fakeserver: fake AllQueue servers on real ports, for clients of other processes. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "reports/print.h"
#include "reports/store.h"
#include "scenarios/load.h"
#include "sim/control_uv.h"
#include "sim/fakeserver_keys.h"
#include "sim/fakeserver_options.h"
#include "sim/port_hold.h"
#include "sim/run.h"
#include "sim/verdict.h"

#define ADDRESS_CHARS 48
#define FOR_EVER_US   (3650 * (aq_time_us)86400 * AQ_US_PER_S)

static const char plain_scenario[] =
    "{\"summary\": \"Fake servers for clients of other processes.\", \"name\": \"fakeserver\", \"window\": \"10s\",\n"
    " \"servers\": {\"count\": 3}}\n";

struct process {
    struct aq_fakeserver_options options;
    struct aq_scenario *scenario;
    struct aq_curve_keys keys;
    struct aq_curve_allow_list allowed;
    char (*addresses)[ADDRESS_CHARS]; /* by server */
    const char **address_list;
    int *holds; /* by server: the socket that keeps its port */
    uint32_t held;
    struct aq_record record;
    struct aq_store *store;
    int64_t number; /* of the run in the store */
    struct aq_run *run;
    struct aq_control *control;
    uv_signal_t signals[2];
    bool signals_open;
    volatile sig_atomic_t stop;
    struct aq_error error;
};

static int complain(const struct aq_error *error) {
    fprintf(stderr, "allq-fakeserver: %s\n", error->text[0] ? error->text : aq_error_name(error->code));
    switch (error->code) {
    case AQ_EIO:
    case AQ_EEXISTS: return AQ_EXIT_OUTPUT;
    case AQ_EDATABASE: return AQ_EXIT_NO_DATABASE;
    case AQ_ENOMEM:
    case AQ_EINTERNAL: return AQ_EXIT_INTERNAL;
    default: return AQ_EXIT_USAGE;
    }
}

static int out_of_memory(struct process *p) {
    return aq_error_set(&p->error, AQ_ENOMEM, "out of memory");
}

/* ---- before ---- */

static void tell_left_out(void *arg, const struct aq_fault_spec *fault) {
    (void)arg;
    fprintf(
        stderr,
        "allq-fakeserver: the fault \"%s\" (%s) is left out: it acts on clients, and these are not ours\n",
        fault->name, aq_fault_word(fault->kind));
}

static int load(struct process *p) {
    const struct aq_fakeserver_options *o = &p->options;
    struct aq_scenario_options options = {o->settings, o->setting_count, o->profile, NULL};
    char path[4096];
    int rc = o->scenario ? aq_scenario_find(o->scenario, path, sizeof path, &p->error) : 0;
    if (rc) return rc;
    rc = o->scenario ? aq_scenario_load(path, &options, &p->scenario, &p->error)
                     : aq_scenario_parse(plain_scenario, "fakeserver", &options, &p->scenario, &p->error);
    if (rc) return rc;
    if (aq_serve_prepare(p->scenario, tell_left_out, NULL)) return out_of_memory(p);
    p->scenario->duration_us = o->for_us == AQ_TIME_NEVER ? FOR_EVER_US : o->for_us;
    return 0;
}

static int read_keys(struct process *p) {
    bool others_can_read;
    int rc = aq_fakeserver_keys(p->options.keys, &p->keys, &others_can_read, &p->error);
    if (rc) return rc;
    if (others_can_read)
        fprintf(stderr, "allq-fakeserver: %s: others can read it, and it holds secrets (chmod 600)\n",
                p->options.keys);
    if (!p->options.allow_clients) return 0;
    rc = aq_fakeserver_allow_list(p->options.allow_clients, &p->allowed, &p->error);
    if (!rc && !aq_curve_allow_list_has(&p->allowed, p->keys.client.public_z85))
        fprintf(stderr,
                "allq-fakeserver: the client's key that is printed is not in %s and so is not let in\n",
                p->options.allow_clients);
    return rc;
}

/* Where the servers listen is settled before anything starts, and theirs until the end. */
static int hold_ports(struct process *p) {
    uint32_t count = p->scenario->servers.count;
    bool same = p->scenario->servers.same_host;
    p->addresses = aq_alloc(count * sizeof *p->addresses);
    p->address_list = aq_alloc(count * sizeof *p->address_list);
    p->holds = aq_alloc(count * sizeof *p->holds);
    if (!p->addresses || !p->address_list || !p->holds) return out_of_memory(p);
    if (same && p->options.port && p->options.port + count - 1 > UINT16_MAX)
        return aq_error_set(&p->error, AQ_EUSAGE, "--port: %u servers from port %u on go beyond 65535", count,
                            p->options.port);
    for (uint32_t i = 0; i < count; i++) {
        char host[16];
        uint16_t port = p->options.port && same ? (uint16_t)(p->options.port + i) : p->options.port;
        if (same)
            snprintf(host, sizeof host, "127.0.1.1");
        else
            snprintf(host, sizeof host, "127.0.%u.%u", (1 + i / 254) & 255, 1 + i % 254);
        int rc = aq_port_hold(host, port, &p->holds[i], &port, &p->error);
        if (rc) return rc;
        p->held++;
        snprintf(p->addresses[i], ADDRESS_CHARS, "%s:%u", host, port);
        p->address_list[i] = p->addresses[i];
    }
    return 0;
}

static int choose_seed(struct process *p) {
    if (p->options.seed_given) return 0;
    if (getrandom(&p->options.seed, sizeof p->options.seed, 0) == (ssize_t)sizeof p->options.seed) return 0;
    return aq_error_set(&p->error, AQ_EIO, "no random numbers: %s", strerror(errno));
}

static const char *append(struct process *p, const char *line, const char *option, const char *value) {
    return line && value ? aq_record_text(&p->record, "%s %s %s", line, option, value) : line;
}

static const char *reproduce_line(struct process *p) {
    const struct aq_fakeserver_options *o = &p->options;
    const char *line = aq_record_text(&p->record, "allq-fakeserver --seed %" PRIu64, o->seed);
    line = append(p, line, "--scenario", o->scenario);
    line = append(p, line, "--profile", o->profile);
    for (uint32_t i = 0; i < o->setting_count; i++)
        line = append(p, line, "--set", o->settings[i]);
    return o->proxies && line ? aq_record_text(&p->record, "%s --proxies", line) : line;
}

static int open_report(struct process *p) {
    struct aq_record *record = &p->record;
    int rc = aq_run_identify(p->scenario, p->options.seed, record);
    record->version = AQ_VERSION;
    record->world = "live";
    record->started_unix_s = (int64_t)time(NULL);
    record->seed_text = aq_record_text(record, "%" PRIu64, p->options.seed);
    record->reproduce = reproduce_line(p);
    if (rc || !record->seed_text || !record->reproduce) return out_of_memory(p);
    if (!p->options.database) return 0;
    rc = aq_store_open(p->options.database, true, &p->store, &p->error);
    if (!rc) rc = aq_store_begin_run(p->store, record, &p->number, &p->error);
    return rc;
}

/* ---- while it runs ---- */

static void tell_refused(void *owner, const char *public_z85, const char *from, uint64_t refused) {
    (void)owner;
    fprintf(stderr, "allq-fakeserver: refused the client key %s from %s (refused up to now: %" PRIu64 ")\n",
            public_z85, from, refused);
}

static void tell_stranger(void *owner, uint32_t server, enum aq_stranger stranger) {
    const struct process *p = owner;
    fprintf(stderr, "allq-fakeserver: server %u, %s: a peer %s; others like it are only counted\n", server,
            p->addresses[server], aq_stranger_text(stranger));
}

static char *on_command(void *owner, const char *line, size_t len) {
    struct process *p = owner;
    return aq_serve_command(p->run, line, len);
}

static void on_signal(uv_signal_t *signal, int number) {
    struct process *p = signal->data;
    (void)number;
    p->stop = 1;
}

static void open_signals(struct process *p, uv_loop_t *loop) {
    static const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start_oneshot(&p->signals[i], on_signal, numbers[i]); /* a second one ends it at once */
    }
    p->signals_open = true;
}

static void print_key(const char *name, const char *z85) {
    char text[AQ_CURVE_ALLQUEUE_CHARS + 1];
    printf("%s=%s\n", name, aq_curve_key_format(z85, text));
    explicit_bzero(text, sizeof text);
}

static int print_environment(struct process *p) {
    fputs("SERVER_STRING=", stdout);
    for (uint32_t i = 0; i < p->scenario->servers.count; i++)
        printf("%s%s", i ? "," : "", p->addresses[i]);
    putchar('\n');
    print_key("A_CURVE_SERVER_PUBLICKEY", p->keys.server.public_z85);
    print_key("A_CURVE_PUBLICKEY", p->keys.client.public_z85);
    print_key("A_CURVE_SECRETKEY", p->keys.client.secret_z85);
    if (p->control) printf("CONTROL=%s\n", aq_control_where(p->control));
    puts("ready");
    if (fflush(stdout) == 0) return 0;
    return aq_error_set(&p->error, AQ_EIO, "standard output could not be written: %s", strerror(errno));
}

static int on_started(void *owner, struct aq_run *run, struct uv_loop_s *loop, struct aq_error *error) {
    struct process *p = owner;
    p->run = run;
    open_signals(p, loop);
    struct aq_control_config config = {.loop = loop,
                                       .where = p->options.control,
                                       .line_max = AQ_SERVE_COMMAND_MAX,
                                       .command = on_command,
                                       .answer_free = aq_serve_answer_free,
                                       .owner = p};
    int rc = p->options.control ? aq_control_open(&config, &p->control, error) : 0;
    if (rc) return rc;
    rc = print_environment(p);
    if (rc) *error = p->error;
    return rc;
}

static void on_ending(void *owner) {
    struct process *p = owner;
    aq_control_close(p->control);
    for (int i = 0; i < 2 && p->signals_open; i++)
        uv_close((uv_handle_t *)&p->signals[i], NULL);
    p->signals_open = false;
}

static int serve(struct process *p) {
    struct aq_serve serve = {.scenario = p->scenario,
                             .addresses = p->address_list,
                             .outside = {.server_keys = &p->keys.server,
                                         .allowed = p->options.allow_clients ? &p->allowed : NULL,
                                         .refused = tell_refused,
                                         .stranger = tell_stranger,
                                         .owner = p,
                                         .proxies = p->options.proxies},
                             .started = on_started,
                             .ending = on_ending,
                             .owner = p};
    struct aq_run_options options = {
        .scenario = p->scenario, .seed = p->options.seed, .live = true, .serve = &serve, .stop = &p->stop};
    int rc = aq_run_scenario(&options, &p->record, &p->error);
    if (!rc && p->store) rc = aq_store_finish_run(p->store, p->number, &p->record, &p->error);
    return rc;
}

/* ---- after ---- */

static int print_summary(struct process *p) {
    int rc = p->options.json ? aq_print_json(stdout, &p->record) : aq_print_text(stdout, &p->record);
    if (!rc && p->store && !p->options.json)
        printf("report: %s, run %" PRId64 " (allqsim report text %s --run %" PRId64 ")\n",
               p->options.database, p->number, p->options.database, p->number);
    if (!rc && fflush(stdout)) rc = AQ_EIO;
    return rc ? aq_error_set(&p->error, rc, "standard output could not be written: %s", strerror(errno)) : 0;
}

static void close_process(struct process *p) {
    for (uint32_t i = 0; i < p->held; i++)
        close(p->holds[i]);
    aq_free(p->holds);
    aq_free(p->address_list);
    aq_free(p->addresses);
    aq_store_close(p->store);
    aq_record_close(&p->record);
    aq_curve_allow_list_close(&p->allowed);
    aq_curve_keys_wipe(&p->keys);
    aq_scenario_free(p->scenario);
}

static int run(struct process *p) {
    aq_record_init(&p->record);
    int rc = load(p);
    if (!rc) rc = read_keys(p);
    if (!rc) rc = hold_ports(p);
    if (!rc) rc = choose_seed(p);
    if (!rc) rc = open_report(p);
    if (!rc) rc = serve(p);
    if (!rc) rc = print_summary(p);
    int code = rc ? complain(&p->error) : p->record.exit_code;
    close_process(p);
    return code;
}

int main(int argc, char **argv) {
    static struct process process;
    int rc = aq_fakeserver_options_read(argc, argv, &process.options, &process.error);
    if (rc) {
        fprintf(stderr, "allq-fakeserver: %s (allq-fakeserver --help tells more)\n", process.error.text);
        return AQ_EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    switch (process.options.task) {
    case AQ_FAKESERVER_HELP: fputs(aq_fakeserver_help, stdout); break;
    case AQ_FAKESERVER_VERSION: puts("allq-fakeserver " AQ_VERSION); break;
    case AQ_FAKESERVER_RUN: return run(&process);
    }
    return fflush(stdout) ? AQ_EXIT_OUTPUT : AQ_EXIT_PASS;
}
