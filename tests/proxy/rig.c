#include "tests/proxy/rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/map.h"
#include "base/memory.h"

#define WATCHDOG_MS 30000
#define OUT_BYTES   131072

aq_time_us now_us(void) {
    return uv_hrtime() / 1000;
}

uint8_t row_byte(uint64_t at) {
    return (uint8_t)(aq_map_mix(at / 8 + 1) >> (at % 8 * 8));
}

int open_fds(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* ---- ends ---- */

static void compare(struct end *end, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t at = end->received + i;
        uint8_t wanted = row_byte(at);
        if (bytes[i] == wanted) continue;
        end->wrong_bytes++;
        end->wrong_at = at;
        end->wrong_bits = bytes[i] ^ wanted;
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    static char room[65536];
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(room, sizeof room);
}

static void on_echoed(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

static void echo(struct end *end, const char *bytes, size_t count) {
    uv_write_t *request = malloc(sizeof *request + count);
    uv_buf_t buffer = uv_buf_init((char *)(request + 1), (unsigned)count);
    memcpy(buffer.base, bytes, count);
    if (uv_write(request, (uv_stream_t *)&end->tcp, &buffer, 1, on_echoed)) free(request);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct end *end = stream->data;
    if (count == 0) return;
    if (count < 0) {
        end->eof = count == UV_EOF;
        end->error = count == UV_EOF ? 0 : (int)count;
        end->eof_us = now_us();
        if (end->echo && end->eof) shut_down(end);
        return;
    }
    compare(end, (const uint8_t *)buffer->base, (size_t)count);
    end->last_us = now_us();
    if (!end->received) end->first_us = end->last_us;
    end->received += (uint64_t)count;
    end->reads++;
    if (count > end->largest_read) end->largest_read = (uint32_t)count;
    if (end->echo) echo(end, buffer->base, (size_t)count);
}

static struct end *new_end(struct rig *rig, struct end ***list, uint32_t *count, uint32_t *capacity) {
    struct end *end = calloc(1, sizeof *end);
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 16;
        *list = realloc(*list, *capacity * sizeof **list);
    }
    (*list)[(*count)++] = end;
    end->rig = rig;
    end->tcp.data = end;
    aq_random_init(&end->random, 7, "end", *count);
    return end;
}

void listen_again(struct end *end) {
    end->deaf = false;
    assert_int_equal(uv_read_start((uv_stream_t *)&end->tcp, on_room, on_read), 0);
}

void hang_up(struct end *end, bool reset) {
    if (end->gone) return;
    end->gone = true;
    if (reset)
        assert_int_equal(uv_tcp_close_reset(&end->tcp, NULL), 0);
    else
        uv_close((uv_handle_t *)&end->tcp, NULL);
}

static void on_shut_down(uv_shutdown_t *request, int status) {
    (void)request, (void)status;
}

void shut_down(struct end *end) {
    uv_shutdown(&end->shutdown, (uv_stream_t *)&end->tcp, on_shut_down);
}

static void send_more(struct end *end);

static void on_sent(uv_write_t *request, int status) {
    struct end *end = request->data;
    end->writing = false;
    if (status == 0 && !end->gone) send_more(end);
}

static void send_more(struct end *end) {
    if (end->sent == end->to_send) {
        if (end->close_when_sent) shut_down(end);
        return;
    }
    uint64_t count = end->piece_max ? 1 + aq_random_below(&end->random, end->piece_max) : OUT_BYTES;
    if (count > end->to_send - end->sent) count = end->to_send - end->sent;
    for (uint64_t i = 0; i < count; i++)
        end->out[i] = row_byte(end->sent + i);
    end->sent += count;
    uv_buf_t buffer = uv_buf_init((char *)end->out, (unsigned)count);
    end->write.data = end;
    end->writing = true;
    assert_int_equal(uv_write(&end->write, (uv_stream_t *)&end->tcp, &buffer, 1, on_sent), 0);
}

void send_bytes(struct end *end, uint64_t count, uint32_t piece_max) {
    assert_true(piece_max <= OUT_BYTES);
    if (!end->out) end->out = malloc(OUT_BYTES);
    end->to_send += count;
    end->piece_max = piece_max;
    if (!end->writing) send_more(end);
}

/* ---- the server ---- */

static void on_accept(uv_stream_t *listener, int status) {
    struct rig *rig = listener->data;
    assert_int_equal(status, 0);
    struct end *end = new_end(rig, &rig->accepted, &rig->accepted_count, &rig->accepted_capacity);
    uv_tcp_init(&rig->loop, &end->tcp);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&end->tcp), 0);
    uv_tcp_nodelay(&end->tcp, 1);
    end->connected = true;
    end->echo = !rig->accept_quiet;
    end->deaf = rig->accept_deaf;
    if (!end->deaf) listen_again(end);
}

void rig_listen(struct rig *rig) {
    struct sockaddr_in address;
    int length = sizeof address;
    uv_ip4_addr("127.0.0.1", rig->server_port, &address);
    uv_tcp_init(&rig->loop, &rig->listener);
    rig->listener.data = rig;
    assert_int_equal(uv_tcp_bind(&rig->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&rig->listener, 4096, on_accept), 0);
    uv_tcp_getsockname(&rig->listener, (struct sockaddr *)&address, &length);
    rig->server_port = ntohs(address.sin_port);
    rig->listening = true;
}

void rig_stop_listening(struct rig *rig) {
    if (rig->listening) uv_close((uv_handle_t *)&rig->listener, NULL);
    rig->listening = false;
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

/* ---- clients ---- */

static void on_connected(uv_connect_t *request, int status) {
    struct end *end = request->data;
    free(request);
    if (status == UV_ECANCELED) return;
    end->error = status;
    end->connected = status == 0;
    if (status == 0 && !end->deaf) listen_again(end);
}

struct end *rig_connect(struct rig *rig, uint32_t client) {
    struct end *end = new_end(rig, &rig->clients, &rig->client_count, &rig->client_capacity);
    struct sockaddr_in from, to;
    char text[40];
    snprintf(text, sizeof text, "127.1.%u.%u", client / 200, client % 200 + 1);
    uv_ip4_addr(text, 0, &from);
    uv_ip4_addr("127.0.0.1", aq_proxy_port(rig->proxy), &to);
    uv_tcp_init(&rig->loop, &end->tcp);
    assert_int_equal(uv_tcp_bind(&end->tcp, (struct sockaddr *)&from, 0), 0);
    uv_tcp_nodelay(&end->tcp, 1);
    uv_connect_t *request = malloc(sizeof *request);
    request->data = end;
    assert_int_equal(uv_tcp_connect(request, &end->tcp, (struct sockaddr *)&to, on_connected), 0);
    return end;
}

struct end *rig_connect_up(struct rig *rig, uint32_t client, struct end **accepted) {
    uint32_t before = rig->accepted_count;
    struct end *end = rig_connect(rig, client);
    WAIT_FOR(rig, end->connected && rig->accepted_count > before);
    if (accepted) *accepted = rig->accepted[before];
    return end;
}

static uint32_t client_of(void *self, const struct sockaddr *peer) {
    uint32_t address = ntohl(((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr);
    (void)self;
    if (address >> 16 != (127 << 8 | 1)) return AQ_PROXY_NOBODY;
    return (address >> 8 & 255) * 200 + (address & 255) - 1;
}

/* ---- rules ---- */

struct aq_link_rule rule_of(enum aq_fault_kind kind, enum aq_direction direction) {
    return (struct aq_link_rule){.kind = kind, .direction = direction, .probability = 1};
}

void only_client(struct aq_link_rule *rule, uint32_t client) {
    assert_int_equal(aq_index_set_init(&rule->clients, 2000), 0);
    aq_index_set_add(&rule->clients, client);
}

void put_in_force(struct rig *rig, struct aq_link_rule *rule) {
    assert_int_equal(aq_link_rules_add(&rig->rules, rule), 0);
}

void heal(struct rig *rig, struct aq_link_rule *rule) {
    aq_link_rules_remove(&rig->rules, rule);
    aq_index_set_close(&rule->clients);
    aq_index_set_close(&rule->servers);
}

/* ---- the rig ---- */

static void on_watchdog(uv_timer_t *timer) {
    ((struct rig *)timer->data)->late = true;
}

void rig_begin_wait(struct rig *rig) {
    rig->late = false;
    uv_update_time(&rig->loop);
    uv_timer_start(&rig->watchdog, on_watchdog, WATCHDOG_MS, 0);
}

void rig_step(struct rig *rig, const char *condition, const char *file, int line) {
    uv_run(&rig->loop, UV_RUN_ONCE);
    if (!rig->late) return;
    print_error("%s:%d: this did not come: %s\n", file, line, condition);
    fail();
}

int rig_setup(void **state) {
    struct rig *rig = calloc(1, sizeof *rig);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    uv_loop_init(&rig->loop);
    uv_timer_init(&rig->loop, &rig->watchdog);
    rig->watchdog.data = rig;
    uv_tcp_init(&rig->loop, &rig->listener); /* the first makes the loop open a descriptor in reserve */
    uv_close((uv_handle_t *)&rig->listener, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    rig->fds_before = open_fds();
    *state = rig;
    return 0;
}

void rig_start(struct rig *rig, void (*change)(struct aq_proxy_config *config)) {
    if (!rig->listening) rig_listen(rig);
    struct aq_proxy_config config = {.loop = &rig->loop,
                                     .host = "127.0.0.1",
                                     .server = 3,
                                     .server_host = "127.0.0.1",
                                     .server_port = rig->server_port,
                                     .rules = &rig->rules,
                                     .seed = 1,
                                     .client_of = client_of,
                                     .retransmit_first_us = 5 * MS,
                                     .retransmit_max_us = 40 * MS,
                                     .connect_retry_us = 5 * MS};
    struct aq_error error = {0};
    if (change) change(&config);
    if (aq_proxy_new(&config, &rig->proxy, &error)) fail_msg("%s", error.text);
}

static void free_ends(struct end **ends, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(ends[i]->out);
        free(ends[i]);
    }
    free(ends);
}

int rig_teardown(void **state) {
    struct rig *rig = *state;
    for (uint32_t i = 0; i < rig->client_count; i++)
        hang_up(rig->clients[i], false);
    for (uint32_t i = 0; i < rig->accepted_count; i++)
        hang_up(rig->accepted[i], false);
    aq_proxy_free(rig->proxy);
    if (rig->listening) uv_close((uv_handle_t *)&rig->listener, NULL);
    uv_timer_stop(&rig->watchdog);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    int left = open_fds() - rig->fds_before;
    uv_close((uv_handle_t *)&rig->watchdog, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&rig->loop);
    if (left > 0) print_error("%d descriptors are left over\n", left);
    if (rc) print_error("the loop still has handles\n");
    free_ends(rig->clients, rig->client_count);
    free_ends(rig->accepted, rig->accepted_count);
    aq_link_rules_close(&rig->rules);
    free(rig);
    return left > 0 || rc ? -1 : 0;
}
