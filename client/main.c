/* allq-client: the federation client as a process. Ties the gateway to the loop, the transport and the
   listeners; what it decides itself is only how to begin and how to end. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/gateway.h"
#include "client/json_lines_uv.h"
#include "client/log.h"
#include "client/options.h"
#include "client/rest_mhd.h"
#include "client/tcp_socket.h"
#include "client/transport_zmq.h"
#include "client/unix_socket.h"
#include "protocol/loop_zmq.h"

enum { EXIT_ENDED = 0, EXIT_USAGE = 64, EXIT_INTERNAL = 70, EXIT_OUTPUT = 74 };

#define CLIENT        0 /* the only one in this process, for the transport */
#define DRAIN_LOOK_MS 10
#define LAST_WORDS_MS 500 /* for answers that are on their way when the end cannot wait any longer */
#define KEYS_FILE_MAX 65536
#define SPARE_FILES   128 /* libraries, the log, listening sockets */
#define TROUBLE_TEXT  128

struct process {
    struct aq_options options;
    uv_loop_t loop;
    uv_timer_t wake, drain;
    uv_signal_t signals[2];
    uint64_t began_ns;
    struct aq_log log;
    struct aq_address_book book;
    uint32_t *servers;
    uint32_t server_count;
    void *zmq;
    struct aq_client_transport *transport;
    struct aq_gateway *gateway;
    struct aq_json_lines *tcp, *unix_lines;
    struct aq_rest *rest;
    struct aq_unix_socket socket;
    uint16_t tcp_port, http_port;
    char (*troubles)[TROUBLE_TEXT]; /* by address: why there is no connection */
    uint32_t trouble_count, trouble_capacity;
    bool draining, abandoned, ended;
    uint64_t drain_until_ms;
    int exit_code;
};

static int complain(const struct aq_error *error, int code) {
    fprintf(stderr, "allq-client: %s\n", error->text[0] ? error->text : aq_error_name(error->code));
    return code;
}

/* ---- the gateway's world ---- */

static aq_time_us now_us(void *context) {
    const struct process *p = context;
    return (uv_hrtime() - p->began_ns) / 1000;
}

static void log_line(void *context, const char *line) {
    struct process *p = context;
    aq_log_line(&p->log, now_us(p), line);
}

static void on_wake(uv_timer_t *timer) {
    struct process *p = timer->data;
    aq_gateway_wake(p->gateway);
}

static void wake_at(void *context, aq_time_us at_us) {
    struct process *p = context;
    if (p->ended) return;
    if (at_us == AQ_TIME_NEVER) {
        uv_timer_stop(&p->wake);
        return;
    }
    aq_time_us now = now_us(p);
    uv_update_time(&p->loop);
    uv_timer_start(&p->wake, on_wake, at_us > now ? (at_us - now + 999) / 1000 : 0, 0);
}

static int connect_to(void *context, uint32_t server, const char *address) {
    struct process *p = context;
    return aq_client_transport_connect(p->transport, CLIENT, server, address, NULL);
}

static void close_to(void *context, uint32_t server) {
    struct process *p = context;
    aq_client_transport_close(p->transport, CLIENT, server);
}

static int send_to(void *context, uint32_t server, uint32_t correlation, const struct aq_request *request) {
    struct process *p = context;
    return aq_client_transport_send(p->transport, CLIENT, server, correlation, request);
}

static void end(struct process *p);

static void on_failed(uv_timer_t *timer) {
    end(timer->data);
}

static void failed(void *context) {
    struct process *p = context;
    fprintf(stderr, "allq-client: out of memory\n");
    p->exit_code = EXIT_INTERNAL;
    uv_timer_start(&p->drain, on_failed, 0, 0);
}

/* ---- the transport ---- */

static const char *trouble_of(const struct process *p, uint32_t server) {
    return server < p->trouble_count && p->troubles[server][0] ? p->troubles[server]
                                                               : "the connection failed";
}

static void on_trouble(void *owner, uint32_t client, uint32_t server, enum aq_client_trouble trouble,
                       const char *detail) {
    struct process *p = owner;
    char line[TROUBLE_TEXT + AQ_ADDRESS_CHARS_MAX + 16];
    (void)client;
    if (aq_array_reserve(&p->troubles, &p->trouble_capacity, (size_t)server + 1, sizeof *p->troubles)) return;
    for (; p->trouble_count <= server; p->trouble_count++)
        p->troubles[p->trouble_count][0] = 0;
    snprintf(p->troubles[server], TROUBLE_TEXT, "%s%s%.90s", aq_client_trouble_word(trouble),
             detail && detail[0] ? ": " : "", detail ? detail : "");
    if (!p->options.verbose) return;
    snprintf(line, sizeof line, "server %s: %s", p->book.items[server].text, p->troubles[server]);
    log_line(p, line);
}

static void on_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    struct process *p = owner;
    (void)client;
    switch (event->kind) {
    case AQ_CLIENT_CONNECTED: aq_gateway_connected(p->gateway, event->server); return;
    case AQ_CLIENT_DISCONNECTED:
        aq_gateway_disconnected(p->gateway, event->server, trouble_of(p, event->server));
        return;
    case AQ_CLIENT_REPLY:
        aq_gateway_reply(p->gateway, event->server, event->correlation, event->reply);
        return;
    case AQ_CLIENT_CALL:
    case AQ_CLIENT_WAKE: AQ_ASSERT(!"an event of a connection");
    }
}

/* ---- the end ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* Closes everything; the loop then runs out by itself. */
static void end(struct process *p) {
    if (p->ended) return;
    p->ended = true;
    aq_unix_socket_close(&p->socket);
    aq_json_lines_close(p->tcp);
    aq_json_lines_close(p->unix_lines);
    aq_rest_close(p->rest);
    aq_client_transport_free(p->transport);
    close_handle((uv_handle_t *)&p->wake);
    close_handle((uv_handle_t *)&p->drain);
    close_handle((uv_handle_t *)&p->signals[0]);
    close_handle((uv_handle_t *)&p->signals[1]);
}

static bool all_gone(const struct process *p) {
    return aq_gateway_calls_awaited(p->gateway) == 0 && (!p->tcp || aq_json_lines_connections(p->tcp) == 0) &&
           (!p->unix_lines || aq_json_lines_connections(p->unix_lines) == 0) &&
           (!p->rest || aq_rest_connections(p->rest) == 0);
}

static void on_drain(uv_timer_t *timer) {
    struct process *p = timer->data;
    uint64_t now_ms = uv_now(&p->loop);
    if (all_gone(p) || (p->abandoned && now_ms >= p->drain_until_ms)) {
        end(p);
    } else if (now_ms >= p->drain_until_ms) {
        p->abandoned = true;
        p->drain_until_ms = now_ms + LAST_WORDS_MS;
        aq_gateway_abandon(p->gateway);
    }
}

static void on_signal(uv_signal_t *handle, int number) {
    struct process *p = handle->data;
    char line[96];
    if (p->draining) { /* a second one: no more patience */
        p->drain_until_ms = uv_now(&p->loop);
        return;
    }
    p->draining = true;
    snprintf(line, sizeof line, "%s: ending, %" PRIu32 " requests are still open",
             number == SIGTERM ? "SIGTERM" : "SIGINT", aq_gateway_calls_awaited(p->gateway));
    log_line(p, line);
    p->drain_until_ms = uv_now(&p->loop) + p->options.drain_ms;
    aq_unix_socket_close(&p->socket); /* while it still listens: nobody finds a path that refuses */
    if (p->tcp) aq_json_lines_drain(p->tcp);
    if (p->unix_lines) aq_json_lines_drain(p->unix_lines);
    if (p->rest) aq_rest_drain(p->rest);
    uv_timer_start(&p->drain, on_drain, 0, DRAIN_LOOK_MS);
}

/* ---- the beginning ---- */

static const char *environment(void *context, const char *name) {
    (void)context;
    return getenv(name);
}

static int print_help(void) {
    fputs(aq_options_help, stdout);
    for (size_t i = 0; i < aq_client_policy_table.count; i++) {
        const struct aq_policy_field *field = &aq_client_policy_table.fields[i];
        char strict[32], upstream[32];
        printf("  %-22s %s, %s\n      %s\n", field->name,
               aq_policy_format(field, &aq_client_policy_strict, strict, sizeof strict),
               aq_policy_format(field, &aq_client_policy_upstream, upstream, sizeof upstream), field->text);
    }
    return EXIT_ENDED;
}

static int read_keys_file(struct aq_options *options, struct aq_error *error) {
    static char text[KEYS_FILE_MAX];
    struct aq_curve_keys keys;
    FILE *file = fopen(options->keys_file, "re");
    if (!file) return aq_error_set(error, AQ_EUSAGE, "--keys %s: cannot be opened", options->keys_file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    int rc = aq_curve_keys_parse((struct aq_text){text, (uint32_t)len}, options->keys_file, &keys, error);
    explicit_bzero(text, sizeof text);
    if (rc) return rc;
    if (keys.has_client) {
        options->keys = keys.client;
        memcpy(options->server_public_z85, keys.server.public_z85, sizeof options->server_public_z85);
    } else {
        rc = aq_error_set(error, AQ_EUSAGE, "--keys %s: client_public and client_secret are missing",
                          options->keys_file);
    }
    aq_curve_keys_wipe(&keys);
    return rc;
}

/* A pair that does not belong together would only show as a handshake that fails. */
static int check_pair(const struct aq_curve_pair *keys, struct aq_error *error) {
    char public[AQ_CURVE_Z85_CHARS + 1];
    if (zmq_curve_public(public, keys->secret_z85))
        return aq_error_set(error, AQ_EUSAGE, "A_CURVE_SECRETKEY: is no CURVE key");
    if (strcmp(public, keys->public_z85) == 0) return 0;
    return aq_error_set(error, AQ_EUSAGE, "A_CURVE_PUBLICKEY: does not belong to A_CURVE_SECRETKEY");
}

static int add_server(struct process *p, struct aq_text address, struct aq_error *error) {
    uint32_t index;
    int rc = aq_address_book_add(&p->book, address, &index, error);
    for (uint32_t i = 0; !rc && i < p->server_count; i++)
        if (p->servers[i] == index) return 0; /* named twice */
    if (!rc) p->servers[p->server_count++] = index;
    return rc;
}

static int read_servers(struct process *p, struct aq_error *error) {
    const char *at = p->options.servers;
    p->servers = aq_alloc_zeroed(strlen(at) + 1, sizeof *p->servers);
    if (!p->servers) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    for (;;) {
        size_t len = strcspn(at, ","), from = strspn(at, " \t"), to = len;
        while (to > from && (at[to - 1] == ' ' || at[to - 1] == '\t'))
            to--;
        if (from > to) from = to;
        int rc = add_server(p, (struct aq_text){at + from, (uint32_t)(to - from)}, error);
        if (rc) {
            aq_error_prefix(error, "SERVER_STRING");
            return rc;
        }
        if (at[len] == 0) return 0;
        at += len + 1;
    }
}

/* As many files as the system allows; what does not fit is taken from the connections of applications. */
static void make_room_for_files(struct process *p) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY) return;
    uint64_t taken = SPARE_FILES + 4 * (uint64_t)p->server_count;
    uint64_t each = files.rlim_cur > taken ? (files.rlim_cur - taken) / AQ_GATEWAY_LISTENERS : 0;
    if (each < 1) each = 1;
    if (each >= p->options.connections_max) return;
    fprintf(stderr, "allq-client: the limit on open files allows %" PRIu64 " connections on each listener\n",
            each);
    p->options.connections_max = (uint32_t)each;
}

static int open_transport(struct process *p, struct aq_error *error) {
    int rc = aq_zmq_context_new(4 * p->server_count + 1024, 1, &p->zmq, error);
    if (rc) return rc;
    struct aq_client_transport_config config = {.loop = &p->loop,
                                                .context = p->zmq,
                                                .keys = &p->options.keys,
                                                .server_public_z85 = p->options.server_public_z85,
                                                .monitors_max = AQ_CLIENT_MONITORS_DEFAULT,
                                                .event = on_event,
                                                .trouble = on_trouble,
                                                .owner = p};
    return aq_client_transport_new(&config, &p->transport, error);
}

static int open_gateway(struct process *p, struct aq_error *error) {
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return aq_error_set(error, AQ_EIO, "no random numbers");
    struct aq_gateway_config config = {
        .book = &p->book,
        .policy = &p->options.policy,
        .servers = p->servers,
        .server_count = p->server_count,
        .world = {p, now_us, wake_at, connect_to, close_to, send_to, log_line, failed},
        .message_bytes_max = p->options.message_limit,
        .version = AQ_VERSION,
        .profile = p->options.upstream ? "upstream" : "strict",
    };
    aq_random_init(&config.random, seed, "client", 0);
    int rc = aq_gateway_new(&config, &p->gateway);
    return rc ? aq_error_set(error, rc, "out of memory") : 0;
}

static int open_lines(struct process *p, enum aq_gateway_listener listener, int fd,
                      struct aq_json_lines **out, struct aq_error *error) {
    struct aq_json_lines_config config = {.loop = &p->loop,
                                          .gateway = p->gateway,
                                          .upstream = p->options.upstream,
                                          .listener = listener,
                                          .line_bytes_max = p->options.size_limit,
                                          .connections_max = p->options.connections_max,
                                          .idle_ms = p->options.idle_ms,
                                          .fd = fd};
    return aq_json_lines_open(&config, out, error);
}

static int open_listeners(struct process *p, struct aq_error *error) {
    const struct aq_options *o = &p->options;
    int fd, rc = 0;
    if (o->has_tcp) {
        rc = aq_tcp_socket_open(o->listen, o->tcp_port, &fd, &p->tcp_port, error);
        if (!rc) rc = open_lines(p, AQ_GATEWAY_TCP, fd, &p->tcp, error);
    }
    if (!rc && o->socket) {
        rc = aq_unix_socket_open(o->socket, &p->socket, error);
        if (!rc) rc = open_lines(p, AQ_GATEWAY_UNIX, p->socket.fd, &p->unix_lines, error);
    }
    if (rc || !o->has_http) return rc;
    rc = aq_tcp_socket_open(o->http_listen, o->http_port, &fd, &p->http_port, error);
    if (rc) return rc;
    struct aq_rest_config config = {.loop = &p->loop,
                                    .gateway = p->gateway,
                                    .upstream = o->upstream,
                                    .body_bytes_max = o->size_limit,
                                    .connections_max = o->connections_max,
                                    .idle_ms = o->http_idle_ms,
                                    .fd = fd};
    return aq_rest_open(&config, &p->rest, error);
}

static void print_address(const char *name, bool on, const char *host, uint16_t port) {
    bool v6 = strchr(host, ':') != NULL;
    if (on)
        printf(" %s=%s%s%s:%u", name, v6 ? "[" : "", host, v6 ? "]" : "", port);
    else
        printf(" %s=off", name);
}

static void print_listening(const struct process *p) {
    const struct aq_options *o = &p->options;
    printf("listening");
    print_address("tcp", o->has_tcp, o->listen, p->tcp_port);
    print_address("http", o->has_http, o->http_listen, p->http_port);
    printf(" unix=%s\n", o->socket ? o->socket : "off");
    fflush(stdout);
}

static void init_handles(struct process *p) {
    uv_timer_init(&p->loop, &p->wake);
    uv_timer_init(&p->loop, &p->drain);
    uv_signal_init(&p->loop, &p->signals[0]);
    uv_signal_init(&p->loop, &p->signals[1]);
    p->wake.data = p->drain.data = p->signals[0].data = p->signals[1].data = p;
    uv_signal_start(&p->signals[0], on_signal, SIGTERM);
    uv_signal_start(&p->signals[1], on_signal, SIGINT);
}

static int code_of(int rc) {
    return rc == AQ_ENOMEM ? EXIT_INTERNAL : rc == AQ_EIO || rc == AQ_EEXISTS ? EXIT_OUTPUT : EXIT_USAGE;
}

/* Serves until a signal, and returns the exit code. */
static int serve(struct process *p) {
    struct aq_error error = {0};
    int rc = open_transport(p, &error);
    if (!rc) rc = open_gateway(p, &error);
    if (!rc) rc = open_listeners(p, &error);
    if (rc) {
        end(p);
        p->exit_code = complain(&error, code_of(rc));
    } else {
        print_listening(p);
        if (p->options.upstream)
            aq_gateway_wake(p->gateway); /* the first sweep, where the policy wants one at the start */
        else
            aq_gateway_look_around(p->gateway);
    }
    uv_run(&p->loop, UV_RUN_DEFAULT);
    AQ_ASSERT(p->ended);
    aq_gateway_free(p->gateway);
    if (p->zmq) zmq_ctx_term(p->zmq);
    return p->exit_code;
}

static int start(struct process *p, struct aq_error *error) {
    int rc = p->options.keys_file ? read_keys_file(&p->options, error) : 0;
    if (!rc) rc = check_pair(&p->options.keys, error);
    if (!rc) rc = read_servers(p, error);
    return rc;
}

int main(int argc, char **argv) {
    static struct process process;
    struct process *p = &process;
    struct aq_error error = {0};
    int rc = aq_options_read(argc, argv, environment, NULL, &p->options, &error);
    if (rc) {
        complain(&error, EXIT_USAGE);
        fputs("allq-client: --help tells more\n", stderr);
        return EXIT_USAGE;
    }
    if (p->options.task == AQ_OPTIONS_HELP) return print_help();
    if (p->options.task == AQ_OPTIONS_VERSION) return puts("allq-client " AQ_VERSION) < 0 ? EXIT_OUTPUT : 0;
    signal(SIGPIPE, SIG_IGN);
    p->began_ns = uv_hrtime();
    p->socket.lock_fd = -1;
    aq_log_init(&p->log, 0);
    if (start(p, &error)) {
        rc = complain(&error, code_of(error.code));
    } else if (uv_loop_init(&p->loop)) {
        rc = EXIT_INTERNAL;
    } else {
        make_room_for_files(p);
        init_handles(p);
        rc = serve(p);
        uv_loop_close(&p->loop);
    }
    aq_curve_pair_wipe(&p->options.keys);
    aq_address_book_close(&p->book);
    aq_free(p->servers);
    aq_free(p->troubles);
    return rc;
}
