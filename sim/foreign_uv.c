#include "sim/foreign_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/memory.h"
#include "sim/foreign_internal_uv.h"
#include "sim/verdict.h"

#define TRY_EVERY_MS  10  /* a starting client's port */
#define IDLE_EVERY_MS 250 /* a running client's connections */
#define VARIABLES     13

extern char **environ;

/* ---- its surroundings ---- */

/* A port that is free now, and no other client's of ours. Errors: AQ_EIO. */
static int free_port(const struct aq_foreign *all, uint16_t *out) {
    for (int tries = 0; tries < 100; tries++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int failed = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) ||
                     getsockname(fd, (struct sockaddr *)&address, &len);
        if (fd >= 0) close(fd);
        if (failed) return aq_error_set(all->config.error, AQ_EIO, "no free port: %s", strerror(errno));
        uint16_t port = ntohs(address.sin_port);
        bool taken = false;
        for (uint32_t i = 0; i < all->count && !taken; i++)
            taken = all->clients[i].lines_port == port || all->clients[i].rest_port == port;
        *out = port;
        if (!taken) return 0;
    }
    return aq_error_set(all->config.error, AQ_EIO, "no free port of 127.0.0.1");
}

static bool is_ours(const char *variable) {
    static const char *const names[] = {"SERVER_STRING=",
                                        "TCP_CLIENT_PORT=",
                                        "CL_PORT=",
                                        "CL_LISTEN=",
                                        "CL_SOCKET=",
                                        "HTTP_SERVER_PORT=",
                                        "A_CURVE_SERVER_PUBLICKEY=",
                                        "A_CURVE_PUBLICKEY=",
                                        "A_CURVE_SECRETKEY=",
                                        "ALLQSIM_CLIENT_INDEX="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0) return true;
    return false;
}

/* "host:port,host:port" of the servers that this client is told of. */
static int write_servers(const struct foreign_client *client, struct aq_bytes *out) {
    const struct aq_virtual *v = client->all->config.world;
    const uint32_t *servers;
    uint32_t count;
    client_list(v, client->index, &servers, &count);
    out->len = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *text = v->config.book->items[servers[i]].text;
        size_t len = strlen(text), room = out->len + len + 2;
        if (aq_array_reserve(&out->at, &out->capacity, room, 1)) return AQ_ENOMEM;
        if (i) out->at[out->len++] = ',';
        memcpy(out->at + out->len, text, len + 1);
        out->len += (uint32_t)len;
    }
    return 0;
}

struct surroundings {
    char *variables[VARIABLES]; /* owned, those for this client */
    uint32_t count;
    char **list; /* with those that are handed on; NULL-terminated */
};

static void add_variable(struct surroundings *s, const char *name, const char *value) {
    size_t room = strlen(name) + strlen(value) + 2;
    char *text = aq_alloc(room);
    AQ_ASSERT(s->count < VARIABLES);
    if (text) snprintf(text, room, "%s=%s", name, value);
    s->variables[s->count++] = text;
}

static void add_port(struct surroundings *s, const char *name, uint16_t port) {
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    add_variable(s, name, text);
}

static void add_key(struct surroundings *s, const char *name, const char *z85) {
    char text[AQ_CURVE_ALLQUEUE_CHARS + 1];
    add_variable(s, name, aq_curve_key_format(z85, text));
    explicit_bzero(text, sizeof text);
}

static void surroundings_close(struct surroundings *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->variables[i]) explicit_bzero(s->variables[i], strlen(s->variables[i]));
        aq_free(s->variables[i]);
    }
    aq_free(s->list);
}

/* The names are those of AllQueue's client. CL_SOCKET is understood by our own, which would fight with others
   for one unix socket. */
static int surroundings_make(const struct foreign_client *client, struct surroundings *s) {
    const struct aq_foreign *all = client->all;
    struct aq_bytes servers = {0};
    char index[16];
    int rc = write_servers(client, &servers);
    if (!rc) {
        snprintf(index, sizeof index, "%u", client->index);
        add_variable(s, "SERVER_STRING", servers.at);
        add_port(s, "TCP_CLIENT_PORT", client->lines_port);
        add_port(s, "CL_PORT", client->lines_port);
        add_variable(s, "CL_LISTEN", "127.0.0.1");
        add_variable(s, "CL_SOCKET", "off");
        add_port(s, "HTTP_SERVER_PORT", client->rest_port);
        add_key(s, "A_CURVE_SERVER_PUBLICKEY", all->server_public_z85);
        add_key(s, "A_CURVE_PUBLICKEY", all->keys.public_z85);
        add_key(s, "A_CURVE_SECRETKEY", all->keys.secret_z85);
        add_variable(s, "ALLQSIM_CLIENT_INDEX", index);
    }
    aq_bytes_close(&servers);
    uint32_t inherited = 0, used = 0;
    while (environ[inherited])
        inherited++;
    s->list = aq_alloc(((size_t)inherited + s->count + 1) * sizeof *s->list);
    for (uint32_t i = 0; i < s->count; i++)
        if (!s->variables[i]) rc = AQ_ENOMEM;
    if (rc || !s->list) return AQ_ENOMEM;
    for (uint32_t i = 0; i < inherited; i++)
        if (!is_ours(environ[i])) s->list[used++] = environ[i];
    memcpy(s->list + used, s->variables, s->count * sizeof *s->list);
    s->list[used + s->count] = NULL;
    return 0;
}

/* ---- ready ---- */

static void stop_run(struct aq_foreign *all, int rc) {
    if (!all->rc) all->rc = rc;
    aq_live_leave(all->config.live, rc);
}

/* The run cannot go on without this client. */
static void give_up(struct foreign_client *client, const char *what) {
    struct aq_foreign *all = client->all;
    aq_error_set(all->config.error, AQ_EIO,
                 "client %u (%s): %s before its port %u accepted connections (%s); its last lines: %s",
                 client->index, all->scenario->clients.exec[0], what,
                 all->scenario->clients.speak == AQ_DIALECT_REST ? client->rest_port : client->lines_port,
                 aq_exec_ending(client->process), aq_exec_last_lines(client->process));
    stop_run(all, AQ_EIO);
}

/* Loopback answers at once, or there is nobody yet. */
static bool accepts(uint16_t port) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failed = 1;
    socklen_t len = sizeof failed;
    if (fd < 0) return false;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        failed = 0;
    else if (errno == EINPROGRESS && poll(&wait, 1, 0) == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
    close(fd);
    return failed == 0;
}

static void on_timer(uv_timer_t *timer) {
    struct foreign_client *client = timer->data;
    struct aq_foreign *all = client->all;
    if (client->state == FOREIGN_READY) foreign_close_idle(client);
    if (client->state != FOREIGN_STARTING) return;
    bool rest = all->scenario->clients.speak == AQ_DIALECT_REST;
    if (accepts(rest ? client->rest_port : client->lines_port)) {
        client->state = FOREIGN_READY;
        all->ready++;
        uv_timer_start(timer, on_timer, IDLE_EVERY_MS, IDLE_EVERY_MS);
        aq_live_enter(all->config.live);
        stop_run(all, client_ready(all->config.world, client->index));
    } else if (uv_now(all->loop) >= client->deadline_ms) {
        uv_timer_stop(timer);
        give_up(client, "the time of clients.ready_within was over");
    }
}

/* ---- processes ---- */

static void on_ended(void *owner) {
    struct foreign_client *client = owner;
    struct aq_foreign *all = client->all;
    if (all->closing || all->rc) return;
    if (client->state == FOREIGN_STARTING) {
        uv_timer_stop(&client->timer);
        give_up(client, "it ended");
        return;
    }
    if (all->deaths++ == 0)
        snprintf(all->first_death, sizeof all->first_death, "client %u (%s): %s; its last lines: %s",
                 client->index, all->scenario->clients.exec[0], aq_exec_ending(client->process),
                 aq_exec_last_lines(client->process));
    aq_live_enter(all->config.live);
    stop_run(all, client_crash(all->config.world, client->index));
}

static int start_process(struct foreign_client *client) {
    struct aq_foreign *all = client->all;
    struct surroundings surroundings = {0};
    int rc = free_port(all, &client->lines_port);
    if (!rc) rc = free_port(all, &client->rest_port);
    if (!rc) rc = surroundings_make(client, &surroundings);
    struct aq_exec_config config = {.loop = all->loop,
                                    .arguments = all->arguments,
                                    .environment = surroundings.list,
                                    .ended = on_ended,
                                    .owner = client};
    if (!rc) rc = aq_exec_start(&config, &client->process, all->config.error);
    surroundings_close(&surroundings);
    if (rc == AQ_EIO) aq_error_prefix(all->config.error, "client %u (clients.exec)", client->index);
    return rc;
}

static int foreign_start(void *self, uint32_t index) {
    struct aq_foreign *all = self;
    struct foreign_client *client = &all->clients[index];
    if (client->state != FOREIGN_OFF) return 0;
    int rc = start_process(client);
    if (rc) {
        all->rc = rc;
        return rc;
    }
    client->state = FOREIGN_STARTING;
    uv_update_time(all->loop);
    client->deadline_ms = uv_now(all->loop) + all->scenario->clients.ready_within_us / AQ_US_PER_MS;
    uv_timer_start(&client->timer, on_timer, TRY_EVERY_MS, TRY_EVERY_MS);
    return 0;
}

static void foreign_kill(void *self, uint32_t index) {
    struct aq_foreign *all = self;
    struct foreign_client *client = &all->clients[index];
    if (client->state == FOREIGN_OFF) return;
    all->ready -= client->state == FOREIGN_READY;
    client->state = FOREIGN_OFF;
    uv_timer_stop(&client->timer);
    aq_exec_end(client->process);
    client->process = NULL;
    foreign_drop_calls(client);
}

static int foreign_take_call(void *self, uint32_t index, uint64_t call, const struct aq_request *request) {
    struct foreign_client *client = &((struct aq_foreign *)self)->clients[index];
    return client->state == FOREIGN_READY ? foreign_call(client, call, request) : 0;
}

static const struct foreign_clients foreign_clients = {foreign_start, foreign_kill, foreign_take_call};

/* ---- life ---- */

static void on_timer_closed(uv_handle_t *handle) {
    foreign_handle_closed(((struct foreign_client *)handle->data)->all);
}

void foreign_handle_closed(struct aq_foreign *all) {
    if (--all->open_handles || !all->closing) return;
    for (uint32_t i = 0; i < all->count; i++)
        aq_free(all->clients[i].waiting);
    aq_arena_close(&all->arena);
    aq_curve_pair_wipe(&all->keys);
    aq_free(all->arguments);
    aq_free(all->clients);
    aq_free(all);
}

int aq_foreign_new(const struct aq_foreign_config *config, struct aq_foreign **out) {
    struct aq_foreign *all = aq_alloc_zeroed(1, sizeof *all);
    if (!all) return AQ_ENOMEM;
    const struct aq_scenario *s = config->world->scenario;
    *all = (struct aq_foreign){.config = *config,
                               .scenario = s,
                               .loop = aq_live_loop(config->live),
                               .keys = *config->keys,
                               .clients = aq_alloc_zeroed(s->clients.count, sizeof *all->clients),
                               .arguments = aq_alloc_zeroed(s->clients.exec_count + 1, sizeof(char *))};
    if (!all->clients || !all->arguments) {
        aq_free(all->clients);
        aq_free(all->arguments);
        aq_free(all);
        return AQ_ENOMEM;
    }
    memcpy(all->server_public_z85, config->server_public_z85, sizeof all->server_public_z85);
    memcpy(all->arguments, s->clients.exec, s->clients.exec_count * sizeof(char *));
    all->count = s->clients.count;
    for (uint32_t i = 0; i < all->count; i++) {
        struct foreign_client *client = &all->clients[i];
        *client = (struct foreign_client){.all = all, .index = i};
        uv_timer_init(all->loop, &client->timer);
        client->timer.data = client;
        all->open_handles++;
    }
    config->world->foreign = &foreign_clients;
    config->world->foreign_self = all;
    *out = all;
    return 0;
}

int aq_foreign_await(struct aq_foreign *all) {
    while (!all->rc && all->ready < all->count) {
        if (all->config.stop && *all->config.stop) return AQ_EINTERRUPTED;
        uv_run(all->loop, UV_RUN_ONCE);
    }
    return all->rc;
}

int aq_foreign_verdict(const struct aq_foreign *all, struct aq_record *record) {
    if (!all->deaths) return 0;
    record->reason = aq_record_text(record, "%s%sclient processes ended by themselves: %llu, the first: %s",
                                    record->verdict == AQ_VERDICT_FAIL ? record->reason : "",
                                    record->verdict == AQ_VERDICT_FAIL ? "; " : "",
                                    (unsigned long long)all->deaths, all->first_death);
    if (record->verdict != AQ_VERDICT_FAIL && !record->interrupted) record->exit_code = AQ_EXIT_SAFETY;
    record->verdict = AQ_VERDICT_FAIL;
    return record->reason ? 0 : AQ_ENOMEM;
}

void aq_foreign_free(struct aq_foreign *all) {
    if (!all) return;
    all->closing = true;
    all->config.world->foreign = NULL;
    for (uint32_t i = 0; i < all->count; i++) {
        foreign_kill(all, i);
        uv_close((uv_handle_t *)&all->clients[i].timer, on_timer_closed);
    }
}
