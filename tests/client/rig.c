#include "rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/assert.h"

struct rig *rig_open_at(const struct aq_client_policy *policy, const char *const *addresses, uint32_t servers,
                        uint64_t seed) {
    struct rig *rig = calloc(1, sizeof *rig);
    AQ_ASSERT(rig && servers <= 64);
    rig->policy = *policy;
    for (uint32_t i = 0; i < servers; i++)
        assert_int_equal(aq_address_book_add(&rig->book, aq_text_of(addresses[i]), &rig->servers[i], NULL),
                         0);
    struct aq_client_config config = {
        .book = &rig->book, .policy = &rig->policy, .servers = rig->servers, .server_count = servers};
    aq_random_init(&config.random, seed, "client", 0);
    assert_int_equal(aq_client_new(&config, &rig->client), 0);
    return rig;
}

struct rig *rig_open(const struct aq_client_policy *policy, uint32_t servers, uint64_t seed) {
    char texts[64][24];
    const char *addresses[64];
    for (uint32_t i = 0; i < servers; i++) {
        snprintf(texts[i], sizeof texts[i], "s%u:5555", i);
        addresses[i] = texts[i];
    }
    return rig_open_at(policy, addresses, servers, seed);
}

void rig_close(struct rig *rig) {
    aq_client_free(rig->client);
    aq_client_effects_close(&rig->effects);
    aq_address_book_close(&rig->book);
    free(rig);
}

struct aq_request rig_request(enum aq_action action) {
    return (struct aq_request){.action = (uint8_t)action};
}

struct aq_request rig_tube(enum aq_action action, const char *tube) {
    return (struct aq_request){.action = (uint8_t)action, .given = AQ_PARAM_TUBE, .tube = aq_text_of(tube)};
}

struct aq_request rig_job(enum aq_action action, const char *job_id) {
    return (struct aq_request){
        .action = (uint8_t)action, .given = AQ_PARAM_JOB_ID, .job_id = aq_text_of(job_id)};
}

struct aq_request rig_address(enum aq_action action, const char *address) {
    return (struct aq_request){
        .action = (uint8_t)action, .given = AQ_PARAM_ADDRESS, .address = aq_text_of(address)};
}

const char *rig_id(struct rig *rig, uint32_t server) {
    return aq_address_id(&rig->book.items[server], rig->policy.id_from_host_only)->text;
}

const char *rig_job_at(struct rig *rig, uint32_t server, const char *job) {
    static char texts[8][64];
    static uint32_t next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%s,%s", rig_id(rig, server), job);
    return text;
}

static void write_trace(struct rig *rig, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rig->trace_len +=
        (size_t)vsnprintf(rig->trace + rig->trace_len, RIG_TRACE_MAX - rig->trace_len, format, args);
    va_end(args);
    AQ_ASSERT(rig->trace_len < RIG_TRACE_MAX);
}

/* Server ids in the trace as S0, S1, ... */
static void write_id(struct rig *rig, struct aq_text id) {
    for (uint32_t i = 0; i < rig->book.count; i++) {
        const char *text = rig_id(rig, i);
        if (id.len > AQ_SERVER_ID_CHARS && memcmp(id.at, text, AQ_SERVER_ID_CHARS) == 0) {
            write_trace(rig, " S%u%.*s", i, (int)id.len - AQ_SERVER_ID_CHARS, id.at + AQ_SERVER_ID_CHARS);
            return;
        }
    }
    write_trace(rig, " %.*s", AQ_TEXT_ARGS(id));
}

static void write_reply(struct rig *rig, const struct aq_reply *reply) {
    if (reply->job_id.len) write_id(rig, reply->job_id);
    for (uint32_t i = 0; i < reply->job_count; i++)
        write_id(rig, reply->jobs[i].job_id);
    for (uint32_t i = 0; i < reply->server_count; i++) {
        write_id(rig, reply->servers[i].server);
        for (uint32_t k = 0; k < reply->servers[i].tube_count; k++)
            write_trace(rig, ":%.*s=%u", AQ_TEXT_ARGS(reply->servers[i].tubes[k].tube),
                        (unsigned)reply->servers[i].tubes[k].ready);
    }
    if (reply->error.len) write_trace(rig, " \"%.*s\"", AQ_TEXT_ARGS(reply->error));
}

static void write_send(struct rig *rig, const struct aq_client_effect *effect) {
    const struct aq_request *request = &effect->request;
    write_trace(rig, " send %u %s", effect->server, aq_action_word((enum aq_action)request->action));
    if (request->job_id.len) write_trace(rig, " %.*s", AQ_TEXT_ARGS(request->job_id));
    if (request->parent_id.len) write_trace(rig, " under %.*s", AQ_TEXT_ARGS(request->parent_id));
    if (request->tps > 0) write_trace(rig, " %g/s", request->tps);
    if (effect->own) write_trace(rig, " own");
    AQ_ASSERT(rig->send_count < RIG_SENDS_MAX);
    rig->sends[rig->send_count++] = (struct rig_send){
        rig->now_ms, effect->call, effect->server, effect->correlation, (enum aq_action)request->action,
        *request};
}

static void write_effect(struct rig *rig, const struct aq_client_effect *effect) {
    switch (effect->kind) {
    case AQ_CLIENT_CONNECT: write_trace(rig, " connect %u", effect->server); return;
    case AQ_CLIENT_CLOSE: write_trace(rig, " close %u", effect->server); return;
    case AQ_CLIENT_SEND: write_send(rig, effect); return;
    case AQ_CLIENT_ANSWER:
        write_trace(rig, " answer %u %s", (unsigned)effect->call, aq_outcome_word(effect->outcome));
        if (effect->reply) write_reply(rig, effect->reply);
        return;
    case AQ_CLIENT_CHOICE: write_trace(rig, " choice %u", effect->server); return;
    case AQ_CLIENT_RETRY: write_trace(rig, " retry %u", effect->server); return;
    case AQ_CLIENT_MEMBERSHIP: write_trace(rig, " membership"); return;
    case AQ_CLIENT_MARK: write_trace(rig, " *%s", aq_client_mark_word(effect->mark)); return;
    }
}

static void comes(struct rig *rig, const struct aq_client_event *event, const struct aq_request *request) {
    uint32_t at = 0;
    while (at < rig->coming_count && !rig->coming[at].over)
        at++;
    AQ_ASSERT(at < RIG_COMING_MAX);
    if (at == rig->coming_count) rig->coming_count++;
    rig->coming[at] = (struct rig_coming){.ms = rig->now_ms + 1, .event = *event, .request = *request};
}

static void drop_coming(struct rig *rig, uint32_t server) {
    for (uint32_t i = 0; i < rig->coming_count; i++)
        if (rig->coming[i].event.server == server) rig->coming[i].over = true;
}

/* What the server does about an effect. */
static void behave(struct rig *rig, const struct aq_client_effect *effect) {
    if (effect->kind == AQ_CLIENT_ANSWER && effect->call < RIG_CALLS_MAX) {
        struct rig_end *end = &rig->ends[effect->call];
        *end = (struct rig_end){rig->now_ms, effect->outcome, end->times + 1};
    }
    if (effect->server >= 64 || rig->behaves[effect->server] == RIG_BY_HAND) return;
    struct aq_client_event event = {.server = effect->server, .correlation = effect->correlation};
    struct aq_request none = {0};
    enum rig_server behaves = rig->behaves[effect->server];
    if (effect->kind == AQ_CLIENT_CLOSE) drop_coming(rig, effect->server);
    if (effect->kind == AQ_CLIENT_CONNECT) {
        event.kind = behaves == RIG_REFUSES ? AQ_CLIENT_DISCONNECTED : AQ_CLIENT_CONNECTED;
        comes(rig, &event, &none);
    } else if (effect->kind == AQ_CLIENT_SEND && behaves == RIG_SERVES) {
        event.kind = AQ_CLIENT_REPLY;
        comes(rig, &event, &effect->request);
    }
}

static void step(struct rig *rig, uint64_t ms, const struct aq_client_event *event) {
    rig->now_ms = ms;
    assert_int_equal(aq_client_step(rig->client, ms * AQ_US_PER_MS, event, &rig->effects), 0);
    bool first = true;
    for (uint32_t i = 0; i < rig->effects.count; i++) {
        if (rig->effects.items[i].kind == AQ_CLIENT_MARK && !rig->marks) continue;
        write_trace(rig, first ? " ->" : ",");
        write_effect(rig, &rig->effects.items[i]);
        first = false;
    }
    for (uint32_t i = 0; i < rig->effects.count; i++)
        behave(rig, &rig->effects.items[i]);
    write_trace(rig, "\n");
    aq_client_check(rig->client);
}

void rig_call(struct rig *rig, uint64_t ms, uint64_t call, const struct aq_request *request) {
    write_trace(rig, "[%u] call %u %s", (unsigned)ms, (unsigned)call,
                aq_action_word((enum aq_action)request->action));
    struct aq_client_event event = {.kind = AQ_CLIENT_CALL, .call = call, .request = request};
    step(rig, ms, &event);
}

void rig_connected(struct rig *rig, uint64_t ms, uint32_t server) {
    write_trace(rig, "[%u] connected %u", (unsigned)ms, server);
    struct aq_client_event event = {.kind = AQ_CLIENT_CONNECTED, .server = server};
    step(rig, ms, &event);
}

void rig_disconnected(struct rig *rig, uint64_t ms, uint32_t server) {
    write_trace(rig, "[%u] disconnected %u", (unsigned)ms, server);
    struct aq_client_event event = {.kind = AQ_CLIENT_DISCONNECTED, .server = server};
    step(rig, ms, &event);
}

void rig_reply_to(struct rig *rig, uint64_t ms, uint32_t server, uint32_t correlation,
                  const struct aq_reply *reply) {
    write_trace(rig, "[%u] reply %u", (unsigned)ms, server);
    struct aq_client_event event = {
        .kind = AQ_CLIENT_REPLY, .server = server, .correlation = correlation, .reply = reply};
    step(rig, ms, &event);
}

static const struct rig_send *last_send(const struct rig *rig, uint32_t server) {
    for (uint32_t i = rig->send_count; i > 0; i--)
        if (rig->sends[i - 1].server == server) return &rig->sends[i - 1];
    fail_msg("nothing was sent to server %u", server);
    return NULL;
}

void rig_reply(struct rig *rig, uint64_t ms, uint32_t server, const struct aq_reply *reply) {
    rig_reply_to(rig, ms, server, last_send(rig, server)->correlation, reply);
}

struct aq_reply rig_good(enum aq_action action, struct aq_text job_id) {
    struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = (uint8_t)action};
    if (action == AQ_ACTION_PING) reply.kind = AQ_REPLY_PONG;
    if (action == AQ_ACTION_STATS) reply.kind = AQ_REPLY_STATS;
    if (action == AQ_ACTION_VERSION) reply.kind = AQ_REPLY_VERSION;
    if (action == AQ_ACTION_ADMIN) reply.kind = AQ_REPLY_RESULT;
    if (action == AQ_ACTION_PUT) job_id = AQ_TEXT("j1");
    reply.has_job_id = job_id.len > 0;
    reply.job_id = job_id;
    return reply;
}

void rig_ok(struct rig *rig, uint64_t ms, uint32_t server) {
    const struct rig_send *send = last_send(rig, server);
    struct aq_reply reply = rig_good(send->action, send->request.job_id);
    rig_reply_to(rig, ms, server, send->correlation, &reply);
}

void rig_error(struct rig *rig, uint64_t ms, uint32_t server, const char *soft_error) {
    const struct rig_send *send = last_send(rig, server);
    struct aq_reply reply = rig_good(send->action, send->request.job_id);
    reply.has_error = true;
    reply.error = aq_text_of(soft_error);
    rig_reply_to(rig, ms, server, send->correlation, &reply);
}

void rig_malformed(struct rig *rig, uint64_t ms, uint32_t server) {
    rig_reply(rig, ms, server, NULL);
}

void rig_run(struct rig *rig, uint64_t ms) {
    for (;;) {
        aq_time_us at_us = aq_client_next_wake(rig->client);
        if (at_us > ms * AQ_US_PER_MS) return;
        uint64_t at_ms = (at_us + AQ_US_PER_MS - 1) / AQ_US_PER_MS;
        if (at_ms < rig->now_ms) at_ms = rig->now_ms; /* wanted at once, as the first sweep is */
        write_trace(rig, "[%u] wake", (unsigned)at_ms);
        struct aq_client_event event = {.kind = AQ_CLIENT_WAKE};
        step(rig, at_ms, &event);
    }
}

static struct rig_coming *earliest(struct rig *rig, uint64_t ms) {
    struct rig_coming *first = NULL;
    for (uint32_t i = 0; i < rig->coming_count; i++) {
        struct rig_coming *coming = &rig->coming[i];
        if (!coming->over && coming->ms <= ms && (!first || coming->ms < first->ms)) first = coming;
    }
    return first;
}

void rig_live(struct rig *rig, uint64_t ms) {
    for (;;) {
        struct rig_coming *coming = earliest(rig, ms);
        aq_time_us wake_us = aq_client_next_wake(rig->client);
        if (wake_us <= (coming ? coming->ms : ms) * AQ_US_PER_MS) {
            uint64_t wake_ms = (wake_us + AQ_US_PER_MS - 1) / AQ_US_PER_MS;
            rig_run(rig, wake_ms < rig->now_ms ? rig->now_ms : wake_ms);
        } else if (coming) {
            struct aq_reply reply = rig_good((enum aq_action)coming->request.action, coming->request.job_id);
            struct aq_client_event event = coming->event;
            if (event.kind == AQ_CLIENT_REPLY) event.reply = &reply;
            coming->over = true;
            step(rig, coming->ms, &event);
        } else {
            break;
        }
        rig_forget(rig);
    }
    rig->now_ms = ms;
}

void rig_set(struct rig *rig, uint32_t server, enum rig_server behaves) {
    rig->behaves[server] = behaves;
}

void rig_kill(struct rig *rig, uint64_t ms, uint32_t server) {
    drop_coming(rig, server);
    rig->behaves[server] = RIG_REFUSES;
    rig_disconnected(rig, ms, server);
}

void rig_expect(struct rig *rig, const char *trace) {
    assert_string_equal(rig->trace, trace);
    rig_forget(rig);
}

void rig_forget(struct rig *rig) {
    rig->trace_len = 0;
    rig->trace[0] = 0;
}

uint32_t rig_sent_to(const struct rig *rig, uint64_t call) {
    for (uint32_t i = rig->send_count; i > 0; i--)
        if (rig->sends[i - 1].call == call) return rig->sends[i - 1].server;
    return UINT32_MAX;
}

uint32_t rig_count(const struct rig *rig, const char *word) {
    uint32_t count = 0;
    for (const char *at = rig->trace; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}
