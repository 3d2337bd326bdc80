#include "tests/transport/cores.h"

#include <stdio.h>

static aq_time_us now_us(void) {
    return uv_hrtime() / 1000;
}

static void set_wake(struct cores *cores, uv_timer_t *timer, uv_timer_cb on_wake, aq_time_us at_us) {
    if (at_us == AQ_TIME_NEVER) {
        uv_timer_stop(timer);
        return;
    }
    aq_time_us now = now_us();
    uv_update_time(&cores->rig.loop);
    uv_timer_start(timer, on_wake, at_us > now ? (at_us - now + 999) / 1000 : 0, 0);
}

/* ---- servers ---- */

static void on_server_wake(uv_timer_t *timer);

static void server_step(struct core_server *server, const struct aq_server_event *event) {
    struct cores *cores = server->cores;
    struct aq_server_effects *effects = &cores->server_effects;
    assert_int_equal(aq_server_step(server->core, now_us(), event, effects), 0);
    for (uint32_t i = 0; i < effects->count; i++) {
        const struct aq_server_effect *e = &effects->items[i];
        if (e->kind == AQ_SERVER_REPLY)
            assert_int_equal(aq_server_transport_reply(server->transport, e->peer, e->correlation, &e->reply),
                             0);
        else if (e->kind == AQ_SERVER_FINISHED)
            aq_server_transport_finished(server->transport, e->token);
        else if (e->kind == AQ_SERVER_TAP)
            server->taps[e->tap.kind]++;
    }
    set_wake(cores, &server->wake, on_server_wake, aq_server_next_wake(server->core));
}

static void on_server_wake(uv_timer_t *timer) {
    server_step(timer->data, &(struct aq_server_event){.kind = AQ_SERVER_WAKE});
}

static void on_request(void *owner, const struct aq_server_event *event) {
    server_step(owner, event);
}

static void on_listening(void *owner, int rc, uint16_t port, const struct aq_error *error) {
    struct core_server *server = owner;
    if (rc) fail_msg("%s", error->text);
    server->port = port;
}

void cores_server_start(struct cores *cores, uint32_t n) {
    struct core_server *server = &cores->servers[n];
    char host[32];
    snprintf(host, sizeof host, "127.0.1.%u", n + 1);
    struct aq_server_config config = {.policy = &cores->server_policy,
                                      .service = &cores->service,
                                      .taps = true,
                                      .default_ttl_s = 3600,
                                      .queue_max = 10000};
    aq_random_init(&config.random, 1, "server", (uint64_t)server->starts++ << 32 | n);
    assert_int_equal(aq_server_new(&config, &server->core), 0);
    struct aq_server_transport_config port = {.loop = &cores->rig.loop,
                                              .context = cores->rig.context,
                                              .keys = &cores->rig.server_keys,
                                              .host = host,
                                              .port = server->port,
                                              .bind_for_us = 10 * AQ_US_PER_S,
                                              .request = on_request,
                                              .listening = on_listening,
                                              .owner = server};
    struct aq_error error;
    assert_int_equal(aq_server_transport_open(&port, &server->transport, &error), 0);
    RIG_UNTIL(&cores->rig, aq_server_transport_port(server->transport));
}

void cores_server_kill(struct cores *cores, uint32_t n) {
    struct core_server *server = &cores->servers[n];
    aq_server_transport_close(server->transport, true);
    aq_server_free(server->core);
    server->transport = NULL;
    server->core = NULL;
    uv_timer_stop(&server->wake);
}

void cores_server_fault(struct cores *cores, uint32_t n, const struct aq_fault_rule *rule) {
    server_step(&cores->servers[n], &(struct aq_server_event){.kind = AQ_SERVER_FAULT, .rule = rule});
}

void cores_server_heal(struct cores *cores, uint32_t n, uint32_t rule_id) {
    server_step(&cores->servers[n], &(struct aq_server_event){.kind = AQ_SERVER_HEAL, .rule_id = rule_id});
}

/* ---- clients ---- */

static void on_client_wake(uv_timer_t *timer);

static void take_answer(struct cores *cores, const struct aq_client_effect *e) {
    struct core_call *call = &cores->calls[e->call];
    assert_false(call->answered);
    call->answered = true;
    call->outcome = e->outcome;
    call->server = e->server;
    cores->answered++;
    if (!e->reply) return;
    call->has_reply = true;
    struct aq_text id = e->reply->job_count ? e->reply->jobs[0].job_id : e->reply->job_id;
    snprintf(call->job_id, sizeof call->job_id, "%.*s", AQ_TEXT_ARGS(id));
    if (e->reply->job_count)
        snprintf(call->body, sizeof call->body, "%.*s", AQ_TEXT_ARGS(e->reply->jobs[0].body));
}

static void carry_out(struct cores *cores, uint32_t client, const struct aq_client_effect *e) {
    switch (e->kind) {
    case AQ_CLIENT_CONNECT:
        assert_int_equal(aq_client_transport_connect(cores->transport, client, e->server,
                                                     cores->book.items[e->server].text, NULL),
                         0);
        break;
    case AQ_CLIENT_CLOSE: aq_client_transport_close(cores->transport, client, e->server); break;
    case AQ_CLIENT_SEND:
        assert_int_equal(
            aq_client_transport_send(cores->transport, client, e->server, e->correlation, &e->request), 0);
        break;
    case AQ_CLIENT_ANSWER: take_answer(cores, e); break;
    case AQ_CLIENT_MARK: cores->marks[e->mark]++; break;
    default: break;
    }
}

static void client_step(struct cores *cores, uint32_t client, const struct aq_client_event *event) {
    struct core_client *c = &cores->clients[client];
    struct aq_client_effects *effects = &cores->client_effects;
    assert_int_equal(aq_client_step(c->core, now_us(), event, effects), 0);
    for (uint32_t i = 0; i < effects->count; i++)
        carry_out(cores, client, &effects->items[i]);
    set_wake(cores, &c->wake, on_client_wake, aq_client_next_wake(c->core));
}

static void on_client_wake(uv_timer_t *timer) {
    struct core_client *c = timer->data;
    client_step(c->cores, (uint32_t)(c - c->cores->clients),
                &(struct aq_client_event){.kind = AQ_CLIENT_WAKE, .server = UINT32_MAX});
}

static void on_event(void *owner, uint32_t client, const struct aq_client_event *event) {
    client_step(owner, client, event);
}

static void on_trouble(void *owner, uint32_t client, uint32_t address, enum aq_client_trouble trouble,
                       const char *detail) {
    (void)client;
    (void)address;
    (void)trouble;
    (void)detail;
    ((struct cores *)owner)->troubles++;
}

/* ---- calls ---- */

static uint32_t make_call(struct cores *cores, uint32_t client, const struct aq_request *request) {
    assert_true(cores->call_count < CORES_CALLS_MAX);
    uint32_t n = cores->call_count++;
    cores->calls[n].request = *request;
    client_step(
        cores, client,
        &(struct aq_client_event){
            .kind = AQ_CLIENT_CALL, .server = UINT32_MAX, .call = n, .request = &cores->calls[n].request});
    return n;
}

uint32_t cores_put(struct cores *cores, uint32_t client, const char *body) {
    return make_call(cores, client,
                     &(struct aq_request){.action = AQ_ACTION_PUT,
                                          .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                                          .tube = AQ_TEXT("t"),
                                          .body = aq_text_of(body)});
}

uint32_t cores_get(struct cores *cores, uint32_t client) {
    return make_call(
        cores, client,
        &(struct aq_request){.action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE, .tube = AQ_TEXT("t")});
}

uint32_t cores_done(struct cores *cores, uint32_t client, const char *job_id) {
    char *id = cores->calls[cores->call_count].request_id;
    snprintf(id, sizeof cores->calls->request_id, "%s", job_id);
    return make_call(
        cores, client,
        &(struct aq_request){.action = AQ_ACTION_DONE, .given = AQ_PARAM_JOB_ID, .job_id = aq_text_of(id)});
}

/* ---- life ---- */

void cores_open(struct cores *cores) {
    memset(cores, 0, sizeof *cores);
    rig_open(&cores->rig);
    cores->client_policy = aq_client_policy_strict;
    cores->client_policy.probe_first_us = 20 * AQ_US_PER_MS;
    cores->client_policy.probe_max_us = 100 * AQ_US_PER_MS;
    cores->server_policy = aq_server_policy_strict;
}

static void start_clients(struct cores *cores, uint32_t clients) {
    struct aq_client_transport_config config = {.loop = &cores->rig.loop,
                                                .context = cores->rig.context,
                                                .keys = &cores->rig.client_keys,
                                                .server_public_z85 = cores->rig.server_keys.public_z85,
                                                .monitors_max = AQ_CLIENT_MONITORS_DEFAULT,
                                                .event = on_event,
                                                .trouble = on_trouble,
                                                .owner = cores};
    assert_int_equal(aq_client_transport_new(&config, &cores->transport, NULL), 0);
    for (cores->client_count = 0; cores->client_count < clients; cores->client_count++) {
        struct core_client *c = &cores->clients[cores->client_count];
        struct aq_client_config client = {.book = &cores->book,
                                          .policy = &cores->client_policy,
                                          .servers = cores->addresses,
                                          .server_count = cores->server_count};
        aq_random_init(&client.random, 1, "client", cores->client_count);
        assert_int_equal(aq_client_new(&client, &c->core), 0);
        c->cores = cores;
        uv_timer_init(&cores->rig.loop, &c->wake);
        c->wake.data = c;
    }
}

void cores_start(struct cores *cores, uint32_t servers, uint32_t clients) {
    char text[64];
    for (uint32_t i = 0; i < servers; i++) {
        struct core_server *server = &cores->servers[i];
        server->cores = cores;
        uv_timer_init(&cores->rig.loop, &server->wake);
        server->wake.data = server;
        cores_server_start(cores, i);
        RIG_UNTIL(&cores->rig, server->port);
        snprintf(text, sizeof text, "127.0.1.%u:%u", i + 1, server->port);
        assert_int_equal(aq_address_book_add(&cores->book, aq_text_of(text), &cores->addresses[i], NULL), 0);
        cores->server_count++;
    }
    start_clients(cores, clients);
}

void cores_close(struct cores *cores) {
    aq_client_transport_free(cores->transport);
    for (uint32_t i = 0; i < cores->client_count; i++) {
        aq_client_check(cores->clients[i].core);
        aq_client_free(cores->clients[i].core);
        uv_close((uv_handle_t *)&cores->clients[i].wake, NULL);
    }
    for (uint32_t i = 0; i < cores->server_count; i++) {
        if (cores->servers[i].core) {
            aq_server_check(cores->servers[i].core);
            cores_server_kill(cores, i);
        }
        uv_close((uv_handle_t *)&cores->servers[i].wake, NULL);
    }
    rig_close(&cores->rig);
    aq_address_book_close(&cores->book);
    aq_client_effects_close(&cores->client_effects);
    aq_server_effects_close(&cores->server_effects);
}
