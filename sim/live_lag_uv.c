#include "sim/live_lag_uv.h"

#include <stdio.h>

#include "base/histogram.h"
#include "base/memory.h"
#include "client/transport_zmq.h"
#include "fakeserver/transport_zmq.h"

#define TICK_MS         100
#define HANDSHAKE_TICKS 5
#define HOST            "127.0.0.1"

enum { ASKS, SHAKES, CLIENTS }; /* one keeps its connection, the other makes a new one each time */

struct aq_live_lag {
    uv_loop_t *loop;
    struct aq_server_transport *server;
    struct aq_client_transport *clients;
    char endpoint[32];
    uv_timer_t timer;
    uint64_t tick_due_us;
    uint64_t ticks;
    uint64_t begun_us[CLIENTS]; /* the connection that is being made; 0: none */
    uint64_t asked_us;          /* 0: no question is open */
    uint32_t correlation;       /* of the last question */
    bool up;                    /* ASKS is connected */
    struct aq_histogram answers;
    uint64_t handshakes;
    aq_time_us message_max_us, handshake_max_us;
};

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

static void note_max(aq_time_us *max_us, uint64_t since_us) {
    uint64_t at_us = now_us();
    if (since_us && at_us > since_us && at_us - since_us > *max_us) *max_us = at_us - since_us;
}

/* ---- the server ---- */

static void on_request(void *owner, const struct aq_server_event *event) {
    struct aq_live_lag *lag = owner;
    const struct aq_reply pong = {.kind = AQ_REPLY_PONG, .action = AQ_ACTION_PING};
    aq_server_transport_reply(lag->server, event->peer, event->correlation, &pong);
    aq_server_transport_finished(lag->server, event->token);
}

static void on_listening(void *owner, int rc, uint16_t port, const struct aq_error *error) {
    (void)owner, (void)rc, (void)port, (void)error; /* its port is known at once, or there is nothing */
}

/* ---- the clients ---- */

static void connect_client(struct aq_live_lag *lag, uint32_t client) {
    if (aq_client_transport_connect(lag->clients, client, 0, lag->endpoint, NULL)) return;
    lag->begun_us[client] = now_us();
}

static void connected(struct aq_live_lag *lag, uint32_t client) {
    note_max(&lag->handshake_max_us, lag->begun_us[client]);
    lag->begun_us[client] = 0;
    lag->handshakes++;
    if (client == SHAKES)
        aq_client_transport_close(lag->clients, client, 0);
    else
        lag->up = true;
}

static void disconnected(struct aq_live_lag *lag, uint32_t client) {
    lag->begun_us[client] = 0;
    if (client != ASKS) return;
    lag->up = false;
    lag->asked_us = 0;
}

static void answered(struct aq_live_lag *lag, const struct aq_client_event *event) {
    if (!lag->asked_us || event->correlation != lag->correlation) return;
    note_max(&lag->message_max_us, lag->asked_us);
    aq_histogram_record(&lag->answers, now_us() - lag->asked_us);
    lag->asked_us = 0;
}

static void on_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    struct aq_live_lag *lag = owner;
    if (event->kind == AQ_CLIENT_CONNECTED)
        connected(lag, client);
    else if (event->kind == AQ_CLIENT_DISCONNECTED)
        disconnected(lag, client);
    else
        answered(lag, event);
}

/* ---- ticks ---- */

static void ask(struct aq_live_lag *lag) {
    const struct aq_request ping = {.action = AQ_ACTION_PING};
    if (lag->asked_us || !lag->up) return;
    if (aq_client_transport_send(lag->clients, ASKS, 0, ++lag->correlation, &ping) == 0)
        lag->asked_us = now_us();
}

/* What is still open counts with the time that it has been. */
static void on_tick(uv_timer_t *timer) {
    struct aq_live_lag *lag = timer->data;
    note_max(&lag->message_max_us, lag->tick_due_us);
    note_max(&lag->message_max_us, lag->asked_us);
    for (uint32_t i = 0; i < CLIENTS; i++)
        note_max(&lag->handshake_max_us, lag->begun_us[i]);
    ask(lag);
    if (lag->ticks++ % HANDSHAKE_TICKS == 0) {
        if (!lag->up && !lag->begun_us[ASKS]) connect_client(lag, ASKS);
        if (!lag->begun_us[SHAKES]) connect_client(lag, SHAKES);
    }
    uv_update_time(lag->loop);
    lag->tick_due_us = now_us() + TICK_MS * 1000;
    uv_timer_start(timer, on_tick, TICK_MS, 0);
}

/* ---- life ---- */

static int open_sockets(struct aq_live_lag *lag, const struct aq_live_lag_config *config) {
    struct aq_error error;
    struct aq_server_transport_config server = {.loop = config->loop,
                                                .context = config->context,
                                                .keys = config->server_keys,
                                                .host = HOST,
                                                .request = on_request,
                                                .listening = on_listening,
                                                .owner = lag};
    int rc = aq_server_transport_open(&server, &lag->server, &error);
    if (rc) return rc;
    snprintf(lag->endpoint, sizeof lag->endpoint, HOST ":%u", aq_server_transport_port(lag->server));
    struct aq_client_transport_config clients = {.loop = config->loop,
                                                 .context = config->context,
                                                 .keys = config->client_keys,
                                                 .server_public_z85 = config->server_keys->public_z85,
                                                 .monitors_max = CLIENTS,
                                                 .event = on_event,
                                                 .owner = lag};
    return aq_client_transport_new(&clients, &lag->clients, &error);
}

int aq_live_lag_new(const struct aq_live_lag_config *config, struct aq_live_lag **out) {
    struct aq_live_lag *lag = aq_alloc_zeroed(1, sizeof *lag);
    if (!lag) return AQ_ENOMEM;
    lag->loop = config->loop;
    int rc = aq_histogram_init(&lag->answers);
    if (!rc) rc = open_sockets(lag, config);
    if (!rc && uv_timer_init(config->loop, &lag->timer)) rc = AQ_EIO;
    if (rc) {
        aq_client_transport_free(lag->clients);
        aq_server_transport_close(lag->server, true);
        aq_live_lag_free(lag);
        return rc;
    }
    lag->timer.data = lag;
    connect_client(lag, ASKS);
    lag->tick_due_us = now_us() + TICK_MS * 1000;
    uv_timer_start(&lag->timer, on_tick, TICK_MS, 0);
    *out = lag;
    return 0;
}

void aq_live_lag_end(struct aq_live_lag *lag) {
    if (!lag) return;
    uv_close((uv_handle_t *)&lag->timer, NULL);
    aq_client_transport_free(lag->clients);
    aq_server_transport_close(lag->server, true);
}

void aq_live_lag_free(struct aq_live_lag *lag) {
    if (!lag) return;
    aq_histogram_close(&lag->answers);
    aq_free(lag);
}

struct aq_lag aq_live_lag_measured(const struct aq_live_lag *lag) {
    return (struct aq_lag){.messages = lag->answers.count,
                           .message_p99_us = aq_histogram_quantile(&lag->answers, 0.99),
                           .message_max_us = lag->message_max_us,
                           .handshakes = lag->handshakes,
                           .handshake_max_us = lag->handshake_max_us};
}
