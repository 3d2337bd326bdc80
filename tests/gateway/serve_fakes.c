/* For the end-to-end test: fake servers on real ports, in one process. Prints the environment that a client
   needs, one NAME=VALUE a line, then an empty line. Takes commands from its standard input, each answered
   with "ok", and ends when that is closed: crash N     server N drops its connections and its port, and
   forgets its jobs start N     it comes back on the same port mute N      its replies are thrown away unmute
   N */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <zmq.h>

#include "base/assert.h"
#include "fakeserver/server.h"
#include "fakeserver/transport_zmq.h"
#include "protocol/loop_zmq.h"

#define SERVERS_MAX 8

struct fake {
    uint32_t number;
    uint32_t lives;
    char host[32];
    uint16_t port;
    bool mute;
    struct aq_server *core;
    struct aq_server_transport *transport;
    uv_timer_t wake;
};

static uv_loop_t loop;
static void *context;
static struct aq_curve_keys keys;
static struct aq_service_model service;
static struct aq_server_effects effects;
static struct fake fakes[SERVERS_MAX];
static uint32_t count, listening;
static uv_pipe_t commands;
static char line[256];
static size_t line_len;

static aq_time_us now_us(void) {
    return uv_hrtime() / 1000;
}

static void on_wake(uv_timer_t *timer);

static void handle(struct fake *fake, const struct aq_server_event *event) {
    AQ_ASSERT(aq_server_step(fake->core, now_us(), event, &effects) == 0);
    for (uint32_t i = 0; i < effects.count; i++) {
        const struct aq_server_effect *e = &effects.items[i];
        if (e->kind == AQ_SERVER_REPLY && !fake->mute)
            aq_server_transport_reply(fake->transport, e->peer, e->correlation, &e->reply);
        if (e->kind == AQ_SERVER_FINISHED) aq_server_transport_finished(fake->transport, e->token);
    }
    aq_time_us at_us = aq_server_next_wake(fake->core), now = now_us();
    if (at_us != AQ_TIME_NEVER)
        uv_timer_start(&fake->wake, on_wake, at_us > now ? (at_us - now) / 1000 + 1 : 0, 0);
}

static void on_wake(uv_timer_t *timer) {
    handle(timer->data, &(struct aq_server_event){.kind = AQ_SERVER_WAKE});
}

static void on_request(void *owner, const struct aq_server_event *event) {
    handle(owner, event);
}

static void print_environment(void) {
    char text[AQ_CURVE_ALLQUEUE_CHARS + 1];
    printf("SERVER_STRING=");
    for (uint32_t i = 0; i < count; i++)
        printf("%s%s:%u", i ? "," : "", fakes[i].host, fakes[i].port);
    printf("\nA_CURVE_PUBLICKEY=%s\n", aq_curve_key_format(keys.client.public_z85, text));
    printf("A_CURVE_SECRETKEY=%s\n", aq_curve_key_format(keys.client.secret_z85, text));
    printf("A_CURVE_SERVER_PUBLICKEY=%s\n\n", aq_curve_key_format(keys.server.public_z85, text));
    fflush(stdout);
}

static void on_listening(void *owner, int rc, uint16_t port, const struct aq_error *error) {
    struct fake *fake = owner;
    if (rc) {
        fprintf(stderr, "serve_fakes: %s\n", error->text);
        exit(1);
    }
    fake->port = port;
    if (fake->lives > 1) {
        puts("ok");
        fflush(stdout);
    } else if (++listening == count) {
        print_environment();
    }
}

static void start(struct fake *fake) {
    struct aq_error error = {0};
    struct aq_server_config core = {
        .policy = &aq_server_policy_strict, .service = &service, .default_ttl_s = 3600, .queue_max = 1000};
    struct aq_server_transport_config wire = {.loop = &loop,
                                              .context = context,
                                              .keys = &keys.server,
                                              .host = fake->host,
                                              .port = fake->port,
                                              .bind_for_us = 5 * AQ_US_PER_S,
                                              .request = on_request,
                                              .listening = on_listening,
                                              .owner = fake};
    aq_random_init(&core.random, 1, "server", (uint64_t)fake->lives++ << 8 | fake->number);
    AQ_ASSERT(aq_server_new(&core, &fake->core) == 0);
    if (aq_server_transport_open(&wire, &fake->transport, &error)) {
        fprintf(stderr, "serve_fakes: %s\n", error.text);
        exit(1);
    }
}

static void crash(struct fake *fake) {
    aq_server_transport_close(fake->transport, true);
    fake->transport = NULL;
    aq_server_free(fake->core);
    fake->core = NULL;
    uv_timer_stop(&fake->wake);
}

static void obey(char *text) {
    char word[16];
    unsigned number;
    if (sscanf(text, "%15s %u", word, &number) != 2 || number >= count) {
        fprintf(stderr, "serve_fakes: what is \"%s\"?\n", text);
        exit(1);
    }
    struct fake *fake = &fakes[number];
    if (strcmp(word, "start") == 0) {
        start(fake); /* answered when it listens */
        return;
    }
    if (strcmp(word, "crash") == 0)
        crash(fake);
    else
        fake->mute = strcmp(word, "mute") == 0;
    puts("ok");
    fflush(stdout);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(line + line_len, (unsigned)(sizeof line - line_len - 1));
}

static void on_command(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer) {
    (void)stream;
    (void)buffer;
    if (len < 0) exit(0); /* whoever started this is gone */
    line_len += (size_t)len;
    line[line_len] = 0;
    for (char *feed; (feed = strchr(line, '\n'));) {
        *feed = 0;
        obey(line);
        line_len -= (size_t)(feed + 1 - line);
        memmove(line, feed + 1, line_len + 1);
    }
}

int main(int argc, char **argv) {
    struct aq_error error = {0};
    count = argc > 1 ? (uint32_t)atoi(argv[1]) : 2;
    AQ_ASSERT(count >= 1 && count <= SERVERS_MAX);
    AQ_ASSERT(uv_loop_init(&loop) == 0 && aq_zmq_context_new(64, 1, &context, &error) == 0);
    AQ_ASSERT(aq_zmq_curve_pair(&keys.server) == 0 && aq_zmq_curve_pair(&keys.client) == 0);
    for (int i = 0; i < AQ_ACTION_COUNT; i++) {
        service.by_action[i] = AQ_CONSTANT_US(0);
        AQ_ASSERT(aq_distribution_prepare(&service.by_action[i]) == 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        fakes[i].number = i;
        snprintf(fakes[i].host, sizeof fakes[i].host, "127.0.1.%u", i + 1);
        uv_timer_init(&loop, &fakes[i].wake);
        fakes[i].wake.data = &fakes[i];
        start(&fakes[i]);
    }
    uv_pipe_init(&loop, &commands, 0);
    if (uv_pipe_open(&commands, 0) || uv_read_start((uv_stream_t *)&commands, on_alloc, on_command)) return 1;
    return uv_run(&loop, UV_RUN_DEFAULT);
}
